//! A row against the account it is uploaded to. An id of another account is simply not there.

use super::Problem;
use super::reading::Row;
use super::rules::{after, problem, within};
use crate::rehearsal::billing::Rhythm;
use crate::rehearsal::call::live_customer;
use crate::rehearsal::catalogue::Price;
use crate::rehearsal::currency::Cur;
use crate::rehearsal::people::Customer;
use crate::rehearsal::pools::Off;
use crate::rehearsal::world::Account;

/// What the account has against a row that is right in itself.
pub(crate) fn check(account: &Account, row: &Row) -> Vec<Problem> {
    let mut found = Vec::new();
    let Some((slot, customer)) = customer(account, row) else {
        found.push(problem(
            "customer",
            &format!("No such customer: '{}'", row.customer),
        ));
        return found;
    };
    collection(row, customer, &mut found);
    let prices = prices(account, row, &mut found);
    let cur = currency(row, &prices);
    if let Some(cur) = cur {
        money(account, row, (slot, customer), cur, &mut found);
        for (column, price) in &prices {
            if price.currency != cur && !price.options.contains_key(&cur) {
                found.push(problem(column, &format!("Has no amount in {}", cur.as_str())));
            }
        }
    }
    rhythm(row, &prices, &mut found);
    taxes(account, row, customer, (&prices, cur), &mut found);
    products(account, row, &mut found);
    found
}

fn customer<'a>(account: &'a Account, row: &Row) -> Option<(u32, &'a Customer)> {
    let slot = live_customer(account, &row.customer)?;
    account.customers.at(slot).map(|customer| (slot, customer))
}

fn collection(row: &Row, customer: &Customer, found: &mut Vec<Problem>) {
    let mut wrong = |why: &str| found.push(problem("customer", why));
    if row.due_in.is_none() && customer.charged().is_none() {
        wrong("Has no default payment method");
    }
    if row.due_in.is_some() && customer.email.is_none() {
        wrong("Has no email address, which collection_method send_invoice needs");
    }
}

/// Prices that are there, with their columns; those that are not, or cannot be subscribed to, are problems.
fn prices<'a>(account: &'a Account, row: &Row, found: &mut Vec<Problem>) -> Vec<(String, &'a Price)> {
    let mut prices = Vec::new();
    for part in &row.items {
        let Some(price) = account.catalogue.prices.get(&part.price) else {
            found.push(problem(&part.column, &format!("No such price: '{}'", part.price)));
            continue;
        };
        let why = if !price.active {
            Some("Is not active")
        } else if price.recurring.is_none() {
            Some("Must be a recurring price")
        } else if part.quantity.is_some() && price.recurring.as_ref().is_some_and(|r| r.metered) {
            Some("Is metered, so that it has no quantity")
        } else {
            None
        };
        if let Some(why) = why {
            found.push(problem(&part.column, why));
        }
        prices.push((part.column.clone(), price));
    }
    prices
}

/// The currency of the subscription: as the row says, or that of its first price.
pub(crate) fn currency(row: &Row, prices: &[(String, &Price)]) -> Option<Cur> {
    let first = prices.first().map(|(_, price)| price.currency);
    row.currency
        .or(first)
        .or_else(|| row.adhoc.first().map(|item| item.currency))
}

/// Currency of the customer and of what the row adds, and the coupon.
fn money(account: &Account, row: &Row, who: (u32, &Customer), cur: Cur, found: &mut Vec<Problem>) {
    if let Some(other) = locked(account, who).filter(|other| *other != cur) {
        let why = format!(
            "You cannot combine currencies on a single customer. This customer has currency {}",
            other.as_str()
        );
        found.push(problem("currency", &why));
    }
    for item in row.adhoc.iter().filter(|item| item.currency != cur) {
        let column = format!("adhoc_items.{}.currency", item.n);
        found.push(problem(
            &column,
            "Items of a subscription must have the same currency",
        ));
    }
    for item in row.add_ons.iter().filter(|item| item.currency != cur) {
        let column = format!("add_invoice_items.{}.currency", item.n);
        found.push(problem(
            &column,
            "Items of a subscription must have the same currency",
        ));
    }
    let Some(id) = &row.coupon else { return };
    let coupon = account.pools.coupons().get(id).filter(|c| !c.deleted);
    let why = match coupon {
        None => Some(format!("No such coupon: '{id}'")),
        Some(coupon) if coupon.dead(account.now).is_some() => {
            Some(format!("Coupon {id} is expired or used up and cannot be applied"))
        }
        Some(coupon) => match &coupon.off {
            Off::Amount(own, _, others) if *own != cur && !others.contains_key(&cur) => {
                Some(format!("Coupon {id} has no amount in {}", cur.as_str()))
            }
            _ => None,
        },
    };
    if let Some(why) = why {
        found.push(problem("coupon", &why));
    }
}

/// The currency a customer is bound to: what has been billed, or is going to be.
fn locked(account: &Account, (slot, customer): (u32, &Customer)) -> Option<Cur> {
    let scheduled = || {
        let mut waiting = account.billing.schedules_of(slot);
        waiting.find_map(|s| s.phases.first().map(|phase| phase.currency))
    };
    customer.currency.or_else(scheduled)
}

/// One rhythm for all items; the anchor and the trial within its first cycle.
fn rhythm(row: &Row, prices: &[(String, &Price)], found: &mut Vec<Problem>) {
    let of = |price: &Price| price.recurring.as_ref().map(Rhythm::of);
    let adhoc = row.adhoc.first().map(|item| Rhythm {
        interval: item.interval,
        count: 1,
    });
    let first = prices.first().and_then(|(_, price)| of(price)).or(adhoc);
    let differs = |rhythm: Option<Rhythm>| rhythm.is_some() && rhythm != first;
    if prices.iter().any(|(_, price)| differs(of(price))) || differs(adhoc) {
        found.push(problem(
            "items",
            "Items of a subscription must have the same interval",
        ));
    }
    let end = first.and_then(|first| {
        let count = u32::try_from(first.count).ok()?;
        after(row.start, first.interval, count)
    });
    found.extend(within(row, end));
}

fn taxes(
    account: &Account,
    row: &Row,
    customer: &Customer,
    (prices, cur): (&[(String, &Price)], Option<Cur>),
    found: &mut Vec<Problem>,
) {
    if row.automatic_tax {
        if account.catalogue.tax.office.is_none() {
            found.push(problem("automatic_tax", "Stripe Tax is not enabled"));
        }
        let place = customer.address.as_ref();
        if place.is_none_or(|at| at.get("country").is_none() && at.get("postal_code").is_none()) {
            found.push(problem(
                "customer",
                "Has no address or postal code, which automatic_tax needs",
            ));
        }
    }
    let Some(id) = &row.tax_rate else { return };
    let Some(rate) = account.catalogue.tax_rates.get(id) else {
        return found.push(problem("default_tax_rate", &format!("No such tax rate: '{id}'")));
    };
    if !rate.active {
        found.push(problem("default_tax_rate", "Is not active"));
    }
    let own = if rate.inclusive { "inclusive" } else { "exclusive" };
    for (column, price) in prices {
        let of_currency = cur.and_then(|cur| price.options.get(&cur));
        let behavior = of_currency.unwrap_or(&price.base).tax_behavior;
        if behavior != "unspecified" && behavior != own {
            let why = format!("Incompatible price and tax: the price is {behavior}, the tax rate {own}");
            found.push(problem(column, &why));
        }
    }
}

fn products(account: &Account, row: &Row, found: &mut Vec<Problem>) {
    let of_items = row
        .adhoc
        .iter()
        .map(|item| (format!("adhoc_items.{}.product", item.n), &item.product));
    let of_add_ons = row
        .add_ons
        .iter()
        .map(|item| (format!("add_invoice_items.{}.product", item.n), &item.product));
    for (column, id) in of_items.chain(of_add_ons) {
        match account.catalogue.product(id) {
            None => found.push(problem(&column, &format!("No such product: '{id}'"))),
            Some(product) if !product.active => found.push(problem(&column, "Is not active")),
            Some(_) => {}
        }
    }
}
