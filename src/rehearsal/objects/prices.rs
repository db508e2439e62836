//! `/v1/prices`: create, retrieve, update, list. A price cannot be deleted, and what it costs cannot be changed.
//!
//! A list without `active` shows active prices only, and never one made inline with a subscription: both as the
//! document says of `GET /v1/prices`. Every price answers to its id, also one that began as a plan (`gold-monthly`).

use serde_json::Value;

use super::prices_params::{BEHAVIORS, word};
use super::{prices_build, prices_view, products};
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::catalogue::{Amounts, Price};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::objects::customers::changed;
use crate::rehearsal::pages;
use crate::rehearsal::params::Params;
use crate::rehearsal::world::Account;

pub(crate) const NAME: &str = "price";
/// Most lookup keys one list may ask for.
const KEYS: usize = 10;

/// `POST /v1/prices`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Price)?;
    let params = call.params;
    let (given, data) = (params.text("product"), params.hash("product_data"));
    let inline = match (given, data) {
        (None, None) => {
            let message = "You must specify either `product` or `product_data` when creating a price.";
            return Err(Refusal::invalid("product", message.to_owned()));
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.".to_owned();
            return Err(Refusal::invalid_code("product", "parameters_exclusive", message));
        }
        (Some(id), None) => {
            existing_product(call, id)?;
            None
        }
        (None, Some(data)) => Some(products::create_inline(call, data)?),
    };
    let id = call.new_id("price_");
    let created = Account::stamp(&call.account.catalogue.prices, call.now);
    let product = inline
        .as_ref()
        .map_or(given.unwrap_or_default(), |p| &*p.id)
        .to_owned();
    let price = prices_build::build(&call.account.catalogue, params, &id, &product, created)?;
    free_key(call, None)?;
    if let Some(inline) = inline {
        products::add(call, inline, None, &Expand::default());
    }
    let metadata = price.metadata.clone();
    let slot = call.account.catalogue.prices.push(price);
    call.catalogued(&id, &metadata);
    let object = show(call, slot, &Expand::default());
    call.event("price.created", object, None);
    Ok(show(call, slot, &expand))
}

fn existing_product(call: &Call<'_>, id: &str) -> Result<(), Refusal> {
    let found = call.account.catalogue.product(id);
    found.map_or_else(
        || Err(Refusal::missing(products::NAME, id, "product", false)),
        |_| Ok(()),
    )
}

/// Takes the lookup key of this request from the price that has it, or refuses: it is kept even by an inactive price.
fn free_key(call: &mut Call<'_>, own: Option<&str>) -> Result<(), Refusal> {
    let Some(key) = call.params.text("lookup_key").filter(|k| !k.is_empty()) else {
        return Ok(());
    };
    let holder = call.account.catalogue.holder(key).map(|p| p.id.clone());
    let Some(holder) = holder.filter(|h| own != Some(&**h)) else {
        return Ok(());
    };
    if call.params.flag("transfer_lookup_key") != Some(true) {
        let message = format!("A price (`{holder}`) already uses that lookup key.");
        return Err(Refusal::rejected(Some("lookup_key"), message));
    }
    let Some(slot) = call.account.catalogue.prices.slot(&holder) else {
        return Ok(());
    };
    let before = show(call, slot, &Expand::default());
    if let Some(price) = call.account.catalogue.prices.at_mut(slot) {
        price.lookup_key = None;
    }
    call.catalogued(&holder, &Metadata::default());
    let after = show(call, slot, &Expand::default());
    let previous = changed(&before, &after);
    call.event("price.updated", after, Some(previous));
    Ok(())
}

/// `GET /v1/prices/{price}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Price)?;
    let slot = slot(call)?;
    Ok(show(call, slot, &expand))
}

/// `GET /v1/prices`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Price)?;
    let page = call.page()?;
    let params = call.params;
    if let Some(product) = params.text("product") {
        existing_product(call, product)?;
    }
    let currency = match params.text("currency") {
        Some(code) => Some(Call::currency(code, "currency")?),
        None => None,
    };
    let keys = params.texts("lookup_keys");
    if keys.len() > KEYS {
        let message = format!("Invalid array: lookup_keys may have at most {KEYS} elements.");
        return Err(Refusal::invalid("lookup_keys", message));
    }
    let account = &*call.account;
    let prices = &account.catalogue.prices;
    let cursor = |id: &str| prices.slot(id).map(|s| s as usize);
    let keep = |price: &Price| kept(price, params, currency, &keys);
    let (data, more) = page.cut(prices.rows(), NAME, cursor, keep)?;
    let data = data.into_iter().map(|p| prices_view::show(account, p, &expand));
    Ok(pages::envelope("/v1/prices", data.collect(), more))
}

fn kept(price: &Price, params: Params<'_>, currency: Option<Cur>, keys: &[&str]) -> bool {
    let recurring = params.hash("recurring").is_none_or(|wanted| {
        price.recurring.as_ref().is_some_and(|r| {
            wanted.text("interval").is_none_or(|i| i == r.interval)
                && wanted.text("meter").is_none_or(|m| r.meter.as_deref() == Some(m))
                && wanted
                    .text("usage_type")
                    .is_none_or(|u| (u == "metered") == r.metered)
        })
    });
    let key = price.lookup_key.as_deref();
    !price.inline
        && params.flag("active").unwrap_or(true) == price.active
        && params.text("product").is_none_or(|p| *price.product == *p)
        && currency.is_none_or(|c| c == price.currency)
        && params.text("type").is_none_or(|t| t == prices_view::kind(price))
        && (keys.is_empty() || key.is_some_and(|k| keys.contains(&k)))
        && recurring
}

/// `POST /v1/prices/{price}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Price)?;
    let slot = slot(call)?;
    let change = checked(call, slot)?;
    let id = call.arg(0).to_owned();
    free_key(call, Some(&id))?;
    let before = show(call, slot, &Expand::default());
    let params = call.params;
    let Some(price) = call.account.catalogue.prices.at_mut(slot) else {
        return Err(Refusal::missing(NAME, &id, "price", true));
    };
    apply(price, params, change);
    let metadata = price.metadata.clone();
    call.catalogued(&id, &metadata);
    let after = show(call, slot, &Expand::default());
    let previous = changed(&before, &after);
    call.event("price.updated", after, Some(previous));
    Ok(show(call, slot, &expand))
}

/// Currencies to add; everything that can be refused was looked at.
fn checked(call: &Call<'_>, slot: u32) -> Result<Vec<(Cur, Amounts)>, Refusal> {
    let (params, catalogue) = (call.params, &call.account.catalogue);
    let Some(price) = catalogue.prices.at(slot) else {
        return Ok(Vec::new());
    };
    let product = catalogue.product(&price.product);
    let is_default = product.is_some_and(|p| p.default_price.as_ref() == Some(&price.id));
    if params.flag("active") == Some(false) && is_default {
        let message = "This price cannot be archived because it is the default price of its product.";
        return Err(Refusal::rejected(None, message.to_owned()));
    }
    let behavior = params.text("tax_behavior");
    if price.base.tax_behavior != "unspecified" && behavior.is_some_and(|b| b != price.base.tax_behavior) {
        let message = "You cannot update `tax_behavior` field once it has been specified.".to_owned();
        return Err(Refusal::rejected(Some("tax_behavior"), message));
    }
    let shape = prices_build::Shape {
        tiered: price.tiers_mode.is_some(),
        recurring: price.recurring.is_some(),
    };
    let given = prices_build::options(params, shape, price.currency)?;
    if given
        .iter()
        .any(|(cur, new)| price.options.get(cur).is_some_and(|old| old != new))
    {
        let message =
            "You are attempting to update an immutable field for an existing currency in currency_options.";
        return Err(Refusal::rejected(Some("currency_options"), message.to_owned()));
    }
    Ok(given.into_iter().collect())
}

fn apply(price: &mut Price, params: Params<'_>, options: Vec<(Cur, Amounts)>) {
    price.active = params.flag("active").unwrap_or(price.active);
    price.metadata.merge(params.node("metadata"));
    price.base.tax_behavior = word(BEHAVIORS, params.text("tax_behavior")).unwrap_or(price.base.tax_behavior);
    price.options.extend(options);
    let set = |field: &mut Option<Box<str>>, name: &str| {
        if let Some(text) = params.text(name) {
            *field = Some(text).filter(|t| !t.is_empty()).map(Into::into);
        }
    };
    set(&mut price.lookup_key, "lookup_key");
    set(&mut price.nickname, "nickname");
}

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.catalogue.prices.slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "price", true))
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let price = call.account.catalogue.prices.at(slot);
    price.map_or(Value::Null, |p| prices_view::show(call.account, p, expand))
}
