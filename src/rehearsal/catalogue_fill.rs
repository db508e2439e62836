//! Makes the catalogues of both accounts, on dice of their own: customers, ledgers and ids of a seed do not depend on
//! what is sold. Everything is built by what the endpoints build with, so a world holds nothing that could not be made.

use super::address::Address;
use super::catalogue::{Link, Price, Product, Registration};
use super::catalogue_table::{
    EQUAL_TERMS, INLINE, LINKS, OTHER_TERMS, PRICES, PRODUCTS, TAX_RATES, plain_price,
};
use super::dice::Dice;
use super::form;
use super::ids;
use super::objects::{prices_build, products, tax_rates};
use super::params::Params;
use super::plan::WorldPlan;
use super::world::Account;

const DAY: i64 = 86_400;
/// How old the first product is.
const AGE: i64 = 2_000 * DAY;
/// How long before the night somebody began on the new account.
const BEGUN: i64 = 20 * DAY;

/// Fills both catalogues; `now` is the start of the night in seconds. Without products there is nothing at all. Says the
/// slots of the old account's prices that people may have subscribed to.
pub(crate) fn fill([old, new]: [&mut Account; 2], plan: &WorldPlan, seed: u64, now: i64) -> Vec<u32> {
    if plan.products == 0 {
        return Vec::new();
    }
    let mut dice = Dice::new(ids::mix(&[b"catalogue", &seed.to_be_bytes()]));
    let wares = usize::try_from(plan.products)
        .unwrap_or(usize::MAX)
        .min(PRODUCTS.len());
    let mut shop = Shop {
        dice: &mut dice,
        account: old,
        now,
    };
    let made = shop.known(wares);
    let mut used: Vec<u32> = made.used(shop.account);
    used.extend(shop.inline(&made, plan.inline_prices));
    shop.plain(plan, wares);
    shop.tax();
    shop.links(&made);
    begun(new, &mut dice, &made, now);
    used
}

/// Ids of products and prices, by their place in the table.
struct Made {
    products: Vec<String>,
    prices: Vec<Option<String>>,
}

impl Made {
    fn used(&self, account: &Account) -> Vec<u32> {
        let used = PRICES.iter().zip(&self.prices).filter(|(tag, _)| tag.used);
        used.filter_map(|(_, id)| account.catalogue.prices.slot(id.as_deref()?))
            .collect()
    }
}

struct Shop<'a> {
    dice: &'a mut Dice,
    account: &'a mut Account,
    now: i64,
}

impl Shop<'_> {
    /// Products and prices of the table, as far as `wares` goes.
    fn known(&mut self, wares: usize) -> Made {
        let meter = ids::object("mtr_test_", &self.account.id, self.dice.next());
        let mut made = Made {
            products: Vec::new(),
            prices: Vec::new(),
        };
        for (n, ware) in PRODUCTS.iter().take(wares).enumerate() {
            let created = self.now - AGE + step(n, 30 * DAY);
            let random = format!("prod_{}", ids::alnum(self.dice.next(), 14));
            let id = if ware.id.is_empty() {
                random
            } else {
                ware.id.to_owned()
            };
            add_product(self.account, ware.form, &id, created);
            made.products.push(id);
        }
        self.account.catalogue.meters.push(meter.as_str().into());
        for (n, tag) in PRICES.iter().enumerate() {
            let random = ids::object("price_", &self.account.id, self.dice.next());
            let id = if tag.id.is_empty() {
                random
            } else {
                tag.id.to_owned()
            };
            let product = made.products.get(tag.product).cloned();
            let created = self.now - AGE + step(n, 20 * DAY) + 3_600;
            let added = product.filter(|product| {
                let form = tag.form.replace("{meter}", &meter);
                add_price(self.account, &form, &id, product, created)
            });
            made.prices.push(added.map(|_| id));
        }
        for (ware, product) in PRODUCTS.iter().zip(&made.products) {
            let default = ware.default.and_then(|n| made.prices.get(n)).cloned().flatten();
            if let Some(product) = self.account.catalogue.products.get_mut(product) {
                product.default_price = default.map(Into::into);
            }
        }
        made
    }

    /// Prices that were made with a subscription.
    fn inline(&mut self, made: &Made, count: u32) -> Vec<u32> {
        let mut slots = Vec::new();
        let Some(product) = made.products.get(INLINE.0) else {
            return slots;
        };
        for n in 0..count {
            let id = ids::object("price_", &self.account.id, self.dice.next());
            let created = self.now - 400 * DAY + i64::from(n);
            let form = format!("{}&recurring[interval]=month", INLINE.1);
            add_price(self.account, &form, &id, product, created);
            let prices = &mut self.account.catalogue.prices;
            slots.extend(prices.slot(&id));
            if let Some(price) = prices.get_mut(&id) {
                price.inline = true;
            }
        }
        slots
    }

    /// Products beyond the table: many alike.
    fn plain(&mut self, plan: &WorldPlan, wares: usize) {
        let more = usize::try_from(plan.products).unwrap_or(usize::MAX) - wares;
        for n in 0..more {
            let id = format!("prod_{}", ids::alnum(self.dice.next(), 14));
            let at = self.now - 300 * DAY + step(n, 60);
            let form = format!("name=Course {}&tax_code=txcd_10000000", n + 1);
            add_product(self.account, &form, &id, at);
            for _ in 0..plan.prices_per_product {
                let amount = u32::try_from(self.dice.between(1, 400)).unwrap_or(1) * 100;
                let price = ids::object("price_", &self.account.id, self.dice.next());
                add_price(self.account, &plain_price(amount), &price, &id, at);
            }
        }
    }

    fn tax(&mut self) {
        for (n, text) in TAX_RATES.iter().enumerate() {
            let id = ids::object("txr_", &self.account.id, self.dice.next());
            let created = self.now - AGE + step(n, 100 * DAY);
            let Ok(form) = form::parse(text) else { continue };
            if let Ok(rate) = tax_rates::build(Params(&form), &id, created) {
                self.account.catalogue.tax_rates.push(rate);
            }
        }
        settings(self.account, "inclusive");
        register(self.account, self.dice, self.now - AGE, ("AU", ""), None);
        let ended = Some(self.now - 100 * DAY);
        register(self.account, self.dice, self.now - 900 * DAY, ("US", "NY"), ended);
    }

    fn links(&mut self, made: &Made) {
        for (n, items) in LINKS.iter().enumerate() {
            let id = ids::object("plink_", &self.account.id, self.dice.next());
            let prices = &self.account.catalogue.prices;
            let slot = |place: usize| prices.slot(made.prices.get(place)?.as_deref()?);
            let items: Vec<_> = items
                .iter()
                .filter_map(|(place, quantity)| Some((slot(*place)?, *quantity)))
                .collect();
            if !items.is_empty() {
                self.account.catalogue.links.push(Link {
                    id: id.into(),
                    created: self.now - 200 * DAY + step(n, DAY),
                    active: true,
                    items,
                });
            }
        }
    }
}

/// What somebody had begun on the new account: a product of the same id with other terms, one with equal terms and one
/// of its prices, and tax settings that differ in the default behaviour.
fn begun(new: &mut Account, dice: &mut Dice, made: &Made, now: i64) {
    let at = now - BEGUN;
    if let Some(id) = made.products.get(OTHER_TERMS.0) {
        add_product(new, OTHER_TERMS.1, id, at);
    }
    let (ware, tag) = EQUAL_TERMS;
    if let (Some(id), Some(ware), Some(tag)) = (made.products.get(ware), PRODUCTS.get(ware), PRICES.get(tag))
    {
        add_product(new, ware.form, id, at + 60);
        let price = ids::object("price_", &new.id, dice.next());
        add_price(new, tag.form, &price, id, at + 120);
    }
    settings(new, "exclusive");
    register(new, dice, at, ("US", "NY"), None);
}

fn settings(account: &mut Account, behavior: &str) {
    let tax = &mut account.catalogue.tax;
    tax.behavior = Some(behavior.into());
    tax.code = Some("txcd_20030000".into());
    tax.office = Some(Address::of("12 Lantern Lane", "Brisbane", "QLD", "4000", "AU"));
}

fn register(
    account: &mut Account,
    dice: &mut Dice,
    created: i64,
    (country, state): (&'static str, &'static str),
    expires_at: Option<i64>,
) {
    let id = ids::object("taxreg_", &account.id, dice.next());
    account.catalogue.registrations.push(Registration {
        id: id.into(),
        created,
        country,
        state,
        expires_at,
    });
}

fn step(n: usize, each: i64) -> i64 {
    i64::try_from(n).unwrap_or(0).saturating_mul(each)
}

fn add_product(account: &mut Account, text: &str, id: &str, created: i64) {
    let built: Option<Product> = form::parse(text)
        .ok()
        .and_then(|form| products::build(Params(&form), id, created).ok());
    if let Some(product) = built {
        account.catalogue.products.push(product);
    }
}

/// Whether the price could be made: the tests hold the table to it.
fn add_price(account: &mut Account, text: &str, id: &str, product: &str, created: i64) -> bool {
    let built: Option<Price> = form::parse(text)
        .ok()
        .and_then(|form| prices_build::build(&account.catalogue, Params(&form), id, product, created).ok());
    built.is_some_and(|price| {
        account.catalogue.prices.push(price);
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::params::check;

    #[test]
    fn every_entry_of_the_table_is_a_request_the_endpoints_take() {
        let checked = |text: &str, path: &str| {
            let form = form::parse(text).unwrap();
            let (number, _) = crate::rehearsal::endpoints::find("POST", path).unwrap();
            let schema = crate::rehearsal::endpoints::ENDPOINTS[number].schema;
            check(schema, &form).unwrap_or_else(|e| panic!("{}: {text:?}", e.message));
        };
        for ware in &PRODUCTS {
            checked(ware.form, "/v1/products");
        }
        for tag in &PRICES {
            checked(tag.form, "/v1/prices");
        }
        for form in TAX_RATES {
            checked(form, "/v1/tax_rates");
        }
        checked(OTHER_TERMS.1, "/v1/products");
    }
}
