//! How a customer looks: every field of the `customer` schema; the includable ones only when expanded.

use serde_json::{Map, Value, json};

use super::{
    cash_balance, discounts_view, payment_methods_view, sources, subscriptions, subscriptions_view, tax_ids,
};
use crate::rehearsal::call::nullable;
use crate::rehearsal::currency::Cur;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::pages;
use crate::rehearsal::world::{Account, Customer};

/// Rare fields that are shown as null when they are not set.
const NULLABLE: [&str; 4] = ["description", "phone", "shipping", "test_clock"];

/// Elements of a list inside a customer.
const INLINE: usize = 10;

/// The customer as an answer.
pub(crate) fn show(account: &Account, customer: &Customer, expand: &Expand) -> Value {
    let mut out = Map::new();
    let mut set = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    set("id", json!(&*customer.id));
    set("object", json!("customer"));
    set("balance", json!(customer.currency.map_or(0, |c| customer.sum(c))));
    set("created", json!(customer.created));
    set("currency", nullable(customer.currency.as_ref().map(Cur::as_str)));
    set("customer_account", Value::Null);
    set("delinquent", json!(customer.delinquent));
    set("email", nullable(customer.email.as_deref()));
    set("invoice_prefix", invoice_prefix(customer));
    set("invoice_settings", invoice_settings(account, customer, expand));
    set("livemode", json!(account.livemode));
    set("metadata", customer.metadata.json());
    set("name", nullable(customer.name.as_deref()));
    set(
        "next_invoice_sequence",
        or(customer.rest("next_invoice_sequence"), json!(1)),
    );
    set(
        "preferred_locales",
        or(customer.rest("preferred_locales"), json!([])),
    );
    set("tax_exempt", or(customer.rest("tax_exempt"), json!("none")));
    set(
        "address",
        customer.address.as_ref().map_or(Value::Null, |a| a.json()),
    );
    set(
        "discount",
        discounts_view::of_customer(account, &customer.id, expand),
    );
    set("default_source", default_source(account, customer, expand));
    for name in NULLABLE {
        set(name, customer.rest(name));
    }
    for name in ["business_name", "individual_name"] {
        if let Value::String(text) = customer.rest(name) {
            set(name, Value::String(text));
        }
    }
    include(account, customer, expand, &mut out);
    Value::Object(out)
}

/// What stands in place of a deleted customer.
pub(crate) fn show_deleted(id: &str) -> Value {
    json!({ "id": id, "object": "customer", "deleted": true })
}

/// `customer` inside another object: the id, or the whole when expanded.
pub(crate) fn reference(account: &Account, id: &str, expand: &Expand) -> Value {
    match account.customers.get(id) {
        Some(customer) if expand.has("customer") && customer.deleted => show_deleted(id),
        Some(customer) if expand.has("customer") => show(account, customer, &expand.below("customer")),
        _ => json!(id),
    }
}

fn include(account: &Account, customer: &Customer, expand: &Expand, out: &mut Map<String, Value>) {
    let base = format!("/v1/customers/{}", customer.id);
    if expand.has("invoice_credit_balance") {
        out.insert("invoice_credit_balance".into(), credit_balance(customer));
    }
    if expand.has("cash_balance") {
        out.insert("cash_balance".into(), cash_balance::show(account, customer));
    }
    let mut list = |name: &str, mut all: Vec<Value>| {
        let more = all.len() > INLINE;
        all.truncate(INLINE);
        let list = pages::envelope(&format!("{base}/{name}"), all, more);
        out.insert(name.to_owned(), list);
    };
    if expand.has("sources") {
        let inner = expand.below("sources").below("data");
        let newest_first = sources::of(account, customer).into_iter().rev();
        list(
            "sources",
            newest_first.map(|m| sources::show(account, m, &inner)).collect(),
        );
    }
    if expand.has("tax_ids") {
        let inner = expand.below("tax_ids").below("data");
        let newest_first = customer.tax_ids.iter().rev();
        list(
            "tax_ids",
            newest_first
                .map(|t| tax_ids::show(account, customer, t, &inner))
                .collect(),
        );
    }
    if expand.has("subscriptions") {
        let inner = expand.below("subscriptions").below("data");
        let rows = subscriptions::of_customer(account, &customer.id);
        let live = rows.iter().rev().filter(|s| !s.status.is_over());
        list(
            "subscriptions",
            live.map(|s| subscriptions_view::show(account, s, &inner))
                .collect(),
        );
    }
    if expand.has("tax") {
        out.insert("tax".into(), tax(customer));
    }
}

/// Positive is credit: the opposite sign of `balance`; nothing when the ledger is empty (schema `customer`).
fn credit_balance(customer: &Customer) -> Value {
    let sums = customer.sums();
    let mut off = customer.credit_off_by;
    let shown = sums.into_iter().map(|(cur, sum)| {
        let lie = std::mem::take(&mut off);
        (cur.as_str().to_owned(), json!(lie - sum))
    });
    Value::Object(shown.collect())
}

fn tax(customer: &Customer) -> Value {
    let address = customer.address.as_deref();
    let country = address.and_then(|a| a.get("country"));
    let state = address.and_then(|a| a.get("state"));
    let known = country.is_some();
    json!({
        "automatic_tax": if known { "not_collecting" } else { "unrecognized_location" },
        "ip_address": customer.rest("tax_ip_address"),
        "location": if known {
            json!({ "country": country, "source": "billing_address", "state": state })
        } else {
            Value::Null
        },
        "provider": "stripe",
    })
}

fn invoice_settings(account: &Account, customer: &Customer, expand: &Expand) -> Value {
    let set = customer.rest("invoice_settings");
    let inner = expand.below("invoice_settings");
    let method = customer.default_method.and_then(|slot| account.methods.at(slot));
    let default = match method {
        Some(method) if inner.has("default_payment_method") => {
            payment_methods_view::show(account, method, &inner.below("default_payment_method"))
        }
        _ => json!(method.map(|m| &*m.id)),
    };
    json!({
        "custom_fields": set["custom_fields"],
        "default_payment_method": default,
        "footer": set["footer"],
        "rendering_options": set["rendering_options"],
    })
}

fn default_source(account: &Account, customer: &Customer, expand: &Expand) -> Value {
    match customer.default_source.and_then(|slot| account.methods.at(slot)) {
        Some(method) if expand.has("default_source") => {
            sources::show(account, method, &expand.below("default_source"))
        }
        method => json!(method.map(|m| &*m.id)),
    }
}

fn invoice_prefix(customer: &Customer) -> Value {
    or(customer.rest("invoice_prefix"), {
        json!(format!("{:08X}", own_prefix(customer)))
    })
}

/// The number a prefix is made from when nobody chose one.
fn own_prefix(customer: &Customer) -> u64 {
    crate::rehearsal::ids::mix(&[b"prefix", customer.id.as_bytes()]) & 0xffff_ffff
}

/// Whether the customer's invoices bear this prefix.
pub(super) fn has_prefix(customer: &Customer, prefix: &str) -> bool {
    let chosen = customer.rest.as_ref().and_then(|r| r.get("invoice_prefix"));
    match chosen.and_then(Value::as_str) {
        Some(chosen) => chosen == prefix,
        None => prefix.len() == 8 && u64::from_str_radix(prefix, 16) == Ok(own_prefix(customer)),
    }
}

fn or(value: Value, default: Value) -> Value {
    if value.is_null() { default } else { value }
}
