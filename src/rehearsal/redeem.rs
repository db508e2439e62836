//! Redeeming: a customer enters a code, or the application applies a coupon. Either makes a discount and counts, on the
//! code and its coupon or on the coupon alone.

use chrono::{DateTime, Months};

use super::currency::Cur;
use super::errors::Refusal;
use super::ids;
use super::pools::{Code, Coupon, Dead, Discount, Lasts, On};
use super::world::{Account, By};

/// Most discounts one subscription may carry (schema `subscription`, parameter `discounts`).
const STACKED: usize = 20;

/// What is redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The code in this slot.
    Code(u32),
    /// The coupon in this slot, by the application.
    Coupon(u32),
}

/// A wish to redeem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) what: What,
    /// Slot of who redeems.
    pub(crate) customer: u32,
    pub(crate) on: On,
    /// What is bought, when that is known: a code may ask for a minimum.
    pub(crate) amount: Option<(Cur, i64)>,
    pub(crate) by: By,
    /// What the discount's id is drawn from.
    pub(crate) token: u64,
}

/// Redeems, and says the slot of the discount. A coupon that is already on the subscription stays and does not count
/// again.
pub(crate) fn redeem(account: &mut Account, wish: &Wish, now: i64) -> Result<u32, Refusal> {
    let pools = &account.pools;
    let (code, coupon_slot) = match wish.what {
        What::Code(slot) => {
            let code = pools.codes().at(slot).ok_or_else(|| unknown_code(""))?;
            (Some((slot, code)), code.coupon)
        }
        What::Coupon(slot) => (None, slot),
    };
    let coupon = pools
        .coupons()
        .at(coupon_slot)
        .ok_or_else(|| unknown_coupon(""))?;
    if let Some(slot) = already(account, wish, coupon_slot, now) {
        return Ok(slot);
    }
    if let Some((_, code)) = code {
        check_code(account, code, wish, now)?;
    }
    check_coupon(coupon, now)?;
    check_place(account, wish, now)?;
    let id = ids::object("di_", &account.id, wish.token);
    let start = Account::stamp(pools.discounts(), now);
    let end = end(coupon.lasts, now);
    let code_slot = code.map(|(slot, _)| slot);
    if let Some(coupon) = account.pools.coupon_mut(coupon_slot) {
        coupon.used += 1;
    }
    if let Some(code) = code_slot.and_then(|slot| account.pools.code_mut(slot)) {
        code.used += 1;
    }
    Ok(account.pools.add_discount(Discount {
        id: id.into(),
        start,
        end,
        coupon: coupon_slot,
        code: code_slot,
        customer: wish.customer,
        on: wish.on,
        by: wish.by,
    }))
}

/// When a discount that begins now is over: by the calendar, as Stripe counts months (schema `discount`, field `end`).
pub(crate) fn end(lasts: Lasts, start: i64) -> Option<i64> {
    let Lasts::Months(months) = lasts else {
        return None;
    };
    let start = DateTime::from_timestamp(start, 0)?;
    start
        .checked_add_months(Months::new(months))
        .map(|at| at.timestamp())
}

fn already(account: &Account, wish: &Wish, coupon: u32, now: i64) -> Option<u32> {
    let running = match wish.on {
        On::Subscription(slot) => account.pools.running(slot, None, now),
        On::Item(slot, n) => account.pools.running(slot, Some(n), now),
        On::Customer | On::Checkout => Vec::new(),
    };
    let discounts = account.pools.discounts();
    running
        .into_iter()
        .find(|slot| discounts.at(*slot).is_some_and(|d| d.coupon == coupon))
}

fn check_coupon(coupon: &Coupon, now: i64) -> Result<(), Refusal> {
    let id = &coupon.id;
    let how = match coupon.dead(now) {
        None => return Ok(()),
        Some(Dead::Deleted) => return Err(unknown_coupon(id)),
        Some(Dead::Expired) => "expired",
        Some(Dead::UsedUp) => "used up",
    };
    let mut refused = Refusal::rejected(
        Some("coupon"),
        format!("Coupon {id} is {how} and cannot be applied."),
    );
    refused.code = Some("coupon_expired");
    Err(refused)
}

fn check_code(account: &Account, code: &Code, wish: &Wish, now: i64) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::rejected(Some("promotion_code"), message));
    let text = &code.text;
    if !account.pools.active(code, now) {
        return refuse(format!("This promotion code ({text}) is not active."));
    }
    let customer = account.customers.at(wish.customer).filter(|c| !c.deleted);
    let Some(customer) = customer else {
        return refuse("The customer of this promotion code is gone.".to_owned());
    };
    if code.customer.as_ref().is_some_and(|only| *only != customer.id) {
        return refuse(format!(
            "This promotion code ({text}) cannot be redeemed by this customer."
        ));
    }
    if code.restrictions.first_time && has_paid(account, wish.customer) {
        return refuse(
            "This promotion code cannot be redeemed because the associated customer has prior transactions."
                .to_owned(),
        );
    }
    check_minimum(code, wish)
}

/// A minimum is checked when a purchase is made; subscriptions that exist and their items take no such code.
fn check_minimum(code: &Code, wish: &Wish) -> Result<(), Refusal> {
    let limits = &code.restrictions;
    let Some((cur, least)) = limits.minimum else {
        return Ok(());
    };
    let refuse = |message: &str| Err(Refusal::rejected(Some("promotion_code"), message.to_owned()));
    if wish.on != On::Checkout {
        return refuse("Promotion codes with a minimum amount cannot be applied to existing subscriptions.");
    }
    let Some((bought_in, bought)) = wish.amount else {
        return Ok(());
    };
    let least = if bought_in == cur {
        Some(least)
    } else {
        limits.options.get(&bought_in).copied()
    };
    match least {
        Some(least) if bought >= least => Ok(()),
        _ => refuse(
            "This promotion code cannot be redeemed because the amount does not meet the minimum amount of the code.",
        ),
    }
}

/// Whether a customer ever paid this account. Nothing is charged here: whoever has or had a subscription did.
pub(crate) fn has_paid(account: &Account, customer: u32) -> bool {
    let Some(customer) = account.customers.at(customer) else {
        return false;
    };
    let running = account.catalogue.by_customer.slots(&customer.id);
    let theirs = |slot: &u32| {
        let subscription = account.catalogue.subscriptions.at(*slot);
        subscription.is_some_and(|s| {
            account
                .customers
                .at(s.customer)
                .is_some_and(|c| c.id == customer.id)
        })
    };
    running.iter().any(theirs)
}

fn check_place(account: &Account, wish: &Wish, now: i64) -> Result<(), Refusal> {
    let count = match wish.on {
        On::Subscription(slot) => account.pools.running(slot, None, now).len(),
        On::Item(slot, n) => account.pools.running(slot, Some(n), now).len(),
        On::Customer | On::Checkout => 0,
    };
    if count < STACKED {
        return Ok(());
    }
    let message = format!("Invalid array: discounts may have at most {STACKED} elements.");
    Err(Refusal::rejected(Some("discounts"), message))
}

fn unknown_coupon(id: &str) -> Refusal {
    Refusal::missing("coupon", id, "coupon", false)
}

fn unknown_code(id: &str) -> Refusal {
    Refusal::missing("promotion code", id, "promotion_code", false)
}
