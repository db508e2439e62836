//! For tests: objects as Stripe writes them (spec `product`, `price`, `tax_rate`), and what it makes of a form.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::InactiveInUse;
use super::facts::{Item, Link, Read, World};
use super::plan::{Rules, rows};
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::{AccountId, Accounts, Environment};
use crate::domain::plan::Plan;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::{PlannedWrite, marker};

pub(super) fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn merge(mut base: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut base, more) else {
        return base;
    };
    all.extend(more);
    base
}

pub(super) fn product_json(id: &str, more: Value) -> Value {
    let base = json!({
        "id": id, "object": "product", "active": true, "created": 1_700_000_000, "default_price": null,
        "description": null, "images": [], "livemode": false, "marketing_features": [], "metadata": {},
        "name": format!("Product {id}"), "package_dimensions": null, "shippable": null,
        "statement_descriptor": null, "tax_code": null, "unit_label": null, "updated": 1_700_000_000, "url": null,
    });
    merge(base, more)
}

pub(super) fn price_json(id: &str, product: &str, more: Value) -> Value {
    let base = json!({
        "id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": 1_700_000_000,
        "currency": "usd", "custom_unit_amount": null, "livemode": false, "lookup_key": null, "metadata": {},
        "nickname": null, "product": product,
        "recurring": {"interval": "month", "interval_count": 1, "meter": null, "usage_type": "licensed"},
        "tax_behavior": "exclusive", "tiers_mode": null, "transform_quantity": null, "type": "recurring",
        "unit_amount": 1000, "unit_amount_decimal": "1000",
    });
    merge(base, more)
}

pub(super) fn rate_json(id: &str, more: Value) -> Value {
    let base = json!({
        "id": id, "object": "tax_rate", "active": true, "country": "US", "created": 1_700_000_000,
        "description": null, "display_name": "Sales tax", "effective_percentage": null, "flat_amount": null,
        "inclusive": false, "jurisdiction": "CA", "jurisdiction_level": null, "livemode": false, "metadata": {},
        "percentage": 8.25, "rate_type": "percentage", "state": "CA", "tax_type": "sales_tax",
    });
    merge(base, more)
}

fn wire<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

pub(super) fn item(value: &Value) -> Item {
    let read = Read::default();
    match value["object"].as_str().unwrap() {
        "product" => Item::of_product(&wire(value), read),
        "price" => Item::of_price(&wire(value), read),
        _ => Item::of_tax_rate(&wire(value), read),
    }
}

pub(super) fn link(id: &str, active: bool, prices: &[&str]) -> Link {
    Link {
        id: id.into(),
        active,
        url: safe(&format!("https://buy.example/{id}")),
        prices: prices.iter().map(|price| (*price).to_owned()).collect(),
        cut: false,
        read: Read::default(),
    }
}

/// A world of these objects: on the old account, on the new one, and prices and tax rates in use.
pub(super) fn world(old: &[Value], new: &[Value], used: &[&str]) -> World {
    let mut world = World::default();
    for (objects, shelf) in [(old, &mut world.source), (new, &mut world.destination)] {
        for value in objects {
            let item = item(value);
            let kind = value["object"].as_str().unwrap();
            match kind {
                "product" => &mut shelf.products,
                "price" => &mut shelf.prices,
                _ => &mut shelf.tax_rates,
            }
            .insert(item.id.clone(), item);
        }
    }
    for id in used {
        let used = if id.starts_with("txr_") {
            &mut world.usage.tax_rates
        } else {
            &mut world.usage.prices
        };
        used.insert((*id).to_owned());
    }
    world
}

pub(super) fn planned_with(world: &World, inactive_in_use: InactiveInUse) -> (Vec<Change>, Vec<Finding>) {
    let accounts = accounts();
    rows(
        world,
        Rules {
            accounts: &accounts,
            inactive_in_use,
        },
    )
}

pub(super) fn planned(world: &World) -> Vec<Change> {
    planned_with(world, InactiveInUse::AsOld).0
}

pub(super) fn findings(world: &World) -> Vec<Finding> {
    planned_with(world, InactiveInUse::AsOld).1
}

pub(super) fn sealed(world: &World) -> Plan {
    let (changes, findings) = planned_with(world, InactiveInUse::AsOld);
    let settings = crate::stages::Settings::default();
    let header = super::gather::header(&accounts(), &settings);
    let out = crate::domain::plan::OutOfScope::default();
    Plan::seal(header, out, changes, findings, UtcMs(0)).unwrap()
}

pub(super) fn row<'a>(changes: &'a [Change], key: &str) -> &'a Change {
    let keys = || {
        changes
            .iter()
            .map(|change| change.key.0.as_str())
            .collect::<Vec<_>>()
    };
    changes
        .iter()
        .find(|change| change.key.0 == key)
        .unwrap_or_else(|| panic!("no row {key} among {:?}", keys()))
}

/// The one row of that kind.
pub(super) fn only<'a>(changes: &'a [Change], item: &str) -> &'a Change {
    let found: Vec<_> = changes.iter().filter(|change| change.item == item).collect();
    assert_eq!(found.len(), 1, "{item}");
    found[0]
}

/// What Stripe makes of a creating form: the object with that id. Written from the parameters' descriptions, apart from
/// the code under test: numbers become numbers, a whole amount also says its decimal, `inf` becomes null.
pub(super) fn created(write: &PlannedWrite, id: &str) -> Value {
    let mut tree = Value::Object(Map::new());
    for (name, value) in &write.form {
        if !name.starts_with("expand") {
            let path: Vec<&str> = name.split(['[', ']']).filter(|part| !part.is_empty()).collect();
            graft(&mut tree, &path, value);
        }
    }
    let mut tree = lists(tree);
    tree["metadata"][marker::EFFECT] = json!(write.effect.0);
    match write.path.as_str() {
        "/v1/products" => product_json(tree["id"].clone().as_str().unwrap(), tree),
        "/v1/tax_rates" => rate_of(id, tree),
        _ => price_of(id, tree),
    }
}

fn graft(at: &mut Value, path: &[&str], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        *at = leaf(value);
        return;
    };
    if at.is_null() {
        *at = json!({});
    }
    if rest.is_empty() {
        at[*first] = if is_text(first) { json!(value) } else { leaf(value) };
    } else if *first == "metadata" {
        at["metadata"][rest[0]] = json!(value);
    } else {
        graft(&mut at[*first], rest, value);
    }
}

fn is_text(name: &str) -> bool {
    !matches!(
        name,
        "active"
            | "inclusive"
            | "shippable"
            | "unit_amount"
            | "flat_amount"
            | "up_to"
            | "interval_count"
            | "divide_by"
            | "percentage"
            | "height"
            | "length"
            | "weight"
            | "width"
    )
}

fn leaf(value: &str) -> Value {
    if value == "inf" {
        return Value::Null;
    }
    serde_json::from_str(value).unwrap()
}

/// Hashes whose names are all numbers are lists.
fn lists(value: Value) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let numbered = !map.is_empty() && map.keys().all(|name| name.bytes().all(|b| b.is_ascii_digit()));
    if numbered {
        let by_number: BTreeMap<usize, Value> = map
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), lists(value)))
            .collect();
        return Value::Array(by_number.into_values().collect());
    }
    Value::Object(
        map.into_iter()
            .map(|(name, value)| (name, lists(value)))
            .collect(),
    )
}

fn rate_of(id: &str, sent: Value) -> Value {
    let blank =
        json!({"country": null, "jurisdiction": null, "state": null, "tax_type": null, "description": null});
    merge(merge(rate_json(id, json!({})), blank), sent)
}

fn price_of(id: &str, mut sent: Value) -> Value {
    fill_amounts(&mut sent);
    for tier in sent["tiers"].as_array_mut().into_iter().flatten() {
        fill_amounts(tier);
    }
    let own = sent["currency"].as_str().unwrap().to_owned();
    let one = |name: &str| sent[name].clone();
    let option = json!({
        "custom_unit_amount": null, "tax_behavior": one("tax_behavior"), "tiers": one("tiers"),
        "unit_amount": one("unit_amount"), "unit_amount_decimal": one("unit_amount_decimal"),
    });
    if sent["currency_options"].is_null() {
        sent["currency_options"] = json!({});
    }
    for (_, option) in sent["currency_options"].as_object_mut().unwrap() {
        fill_amounts(option);
        for tier in option["tiers"].as_array_mut().into_iter().flatten() {
            fill_amounts(tier);
        }
        if option["tax_behavior"].is_null() {
            option["tax_behavior"] = json!("unspecified");
        }
    }
    sent["currency_options"][own] = option;
    let blank =
        json!({"unit_amount": null, "unit_amount_decimal": null, "recurring": null, "type": "one_time"});
    merge(merge(price_json(id, "p", json!({})), blank), sent)
}

fn fill_amounts(of: &mut Value) {
    for name in ["unit_amount", "flat_amount"] {
        let decimal = format!("{name}_decimal");
        if !of[name].is_null() {
            of[decimal] = json!(of[name].to_string());
        }
    }
}
