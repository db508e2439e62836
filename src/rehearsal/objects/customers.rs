//! `/v1/customers` (facts 3.1).

use serde_json::{Map, Value, json};

use super::balance_transactions::{self, NewRow};
use super::{cash_balance, customer_view, payment_methods};
use crate::rehearsal::address::Address;
use crate::rehearsal::call::{Answer, Call, live_customer, nullable};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::form::Node;
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::params::Params;
use crate::rehearsal::world::{Account, Customer, Role};

const PLAIN: [&str; 5] = [
    "description",
    "phone",
    "business_name",
    "individual_name",
    "tax_exempt",
];
/// The rare field that says so of a slot whose create was refused.
const UNBORN: &str = "unborn";

/// `POST /v1/customers`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Customer)?;
    let id = ids::customer(call.new_seed("cus_"));
    let created = Account::stamp(&call.account.customers, call.now);
    let slot = call.account.add_customer(Customer::bare(&id, created, Role::New));
    let applied = payment_methods::attach_new(call, slot).and_then(|()| apply(call, slot));
    if let Err(refused) = applied {
        // Stripe makes nothing when a parameter turns out wrong; the slot stays, as a deleted row no list shows.
        if let Some(customer) = call.account.customers.at_mut(slot) {
            customer.deleted = true;
            customer.rest_mut().insert(UNBORN.into(), json!(true));
        }
        return Err(refused);
    }
    finish(call, slot, &expand, "customer.created", None)
}

/// `GET /v1/customers/{customer}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Customer)?;
    let id = call.arg(0);
    let customer = call.account.customers.get(id).filter(|c| !unborn(c));
    let customer = customer.ok_or_else(|| Refusal::missing("customer", id, "id", true))?;
    if customer.deleted {
        return Ok(customer_view::show_deleted(id));
    }
    Ok(customer_view::show(call.account, customer, &expand))
}

/// `POST /v1/customers/{customer}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Customer)?;
    let slot = call.customer_slot()?;
    let before = show(call, slot, &Expand::default());
    apply(call, slot)?;
    let after = show(call, slot, &Expand::default());
    finish(
        call,
        slot,
        &expand,
        "customer.updated",
        Some(changed(&before, &after)),
    )
}

/// `DELETE /v1/customers/{customer}`
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let slot = call.customer_slot()?;
    let id = call.arg(0).to_owned();
    let last = show(call, slot, &Expand::default());
    let Some(customer) = call.account.customers.at_mut(slot) else {
        return Err(Refusal::missing("customer", &id, "id", true));
    };
    if customer
        .cash
        .as_ref()
        .is_some_and(|c| c.available.values().any(|v| *v != 0))
    {
        let message = "You cannot delete a customer with a cash balance.".to_owned();
        return Err(Refusal::rejected(None, message));
    }
    customer.deleted = true;
    call.account.set_email(slot, None);
    call.touch(&id);
    call.event("customer.deleted", last, None);
    Ok(customer_view::show_deleted(&id))
}

/// `GET /v1/customers`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Customer)?;
    let page = call.page()?;
    let account = &*call.account;
    let show = |rows: Vec<&Customer>| -> Vec<Value> {
        rows.into_iter()
            .map(|c| customer_view::show(account, c, &expand))
            .collect()
    };
    let (data, more) = if let Some(email) = call.params.text("email") {
        let slots = account.by_email.slots(email);
        let rows = slots.iter().filter_map(|s| account.customers.at(*s));
        let rows: Vec<&Customer> = rows.filter(|c| c.email.as_deref() == Some(email)).collect();
        let (data, more) = page.cut(&rows, "customer", |id| pages::place(&rows, id), |_| true)?;
        (show(data.into_iter().copied().collect()), more)
    } else {
        let slot = |id: &str| account.customers.slot(id).map(|s| s as usize);
        let none_on_a_clock = call.params.text("test_clock").is_some();
        let (data, more) = page.cut(account.customers.rows(), "customer", slot, |_| !none_on_a_clock)?;
        (show(data), more)
    };
    Ok(pages::envelope("/v1/customers", data, more))
}

/// A create that was refused: it never existed for the outside.
fn unborn(customer: &Customer) -> bool {
    customer.deleted && customer.rest(UNBORN) == json!(true)
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let customer = call.account.customers.at(slot);
    customer.map_or(Value::Null, |c| customer_view::show(call.account, c, expand))
}

fn finish(
    call: &mut Call<'_>,
    slot: u32,
    expand: &Expand,
    event: &'static str,
    previous: Option<Value>,
) -> Answer {
    if let Some(customer) = call.account.customers.at(slot) {
        let (id, metadata) = (customer.id.to_string(), customer.metadata.clone());
        call.touch(&id);
        if event == "customer.created" {
            call.mark(&metadata);
        }
    }
    let object = show(call, slot, &Expand::default());
    call.event(event, object, previous);
    Ok(show(call, slot, expand))
}

/// The fields an update changed, with the values they had.
fn changed(before: &Value, after: &Value) -> Value {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return json!({});
    };
    let differing = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value));
    Value::Object(differing.map(|(n, v)| (n.clone(), v.clone())).collect())
}

/// Everything that can be refused is checked before anything is changed.
fn apply(call: &mut Call<'_>, slot: u32) -> Result<(), Refusal> {
    let params = call.params;
    let default = checked_default(call, slot)?;
    let source = checked_source(call, slot)?;
    if let Some(target) = params.int("balance") {
        set_balance(call, slot, target)?;
    }
    if let Some(email) = params.text("email") {
        let email = Some(email).filter(|e| !e.is_empty()).map(Into::into);
        call.account.set_email(slot, email);
    }
    let Some(customer) = call.account.customers.at_mut(slot) else {
        return Ok(());
    };
    customer.metadata.merge(params.node("metadata"));
    if let Some(name) = params.text("name") {
        customer.name = Some(name).filter(|n| !n.is_empty()).map(Into::into);
    }
    if let Some(cash) = params.hash("cash_balance").and_then(|c| c.hash("settings")) {
        cash_balance::set_mode(customer, cash.text("reconciliation_mode"));
    }
    apply_rest(customer, params);
    merge_settings(customer, params);
    if let Some(default) = default {
        customer.default_method = default;
    }
    customer.default_source = source.or(customer.default_source);
    Ok(())
}

fn apply_rest(customer: &mut Customer, params: Params<'_>) {
    for name in PLAIN.into_iter().chain(["invoice_prefix"]) {
        if let Some(text) = params.text(name) {
            let value = nullable(Some(text));
            customer.rest_mut().insert(name.into(), value);
        }
    }
    if let Some(next) = params.int("next_invoice_sequence") {
        customer
            .rest_mut()
            .insert("next_invoice_sequence".into(), json!(next));
    }
    if params.node("preferred_locales").is_some() {
        let locales = params.texts("preferred_locales");
        customer
            .rest_mut()
            .insert("preferred_locales".into(), json!(locales));
    }
    if let Some(node) = params.node("address") {
        customer.address = Address::merged(customer.address.as_deref(), node).map(Box::new);
    }
    if let Some(node) = params.node("shipping") {
        let merged = merge_shipping(&customer.rest("shipping"), node);
        customer.rest_mut().insert("shipping".into(), merged);
    }
    if let Some(ip) = params.hash("tax").and_then(|t| t.text("ip_address")) {
        let value = nullable(Some(ip));
        customer.rest_mut().insert("tax_ip_address".into(), value);
    }
}

fn merge_shipping(old: &Value, node: &Node) -> Value {
    if node.text().is_some() {
        return Value::Null;
    }
    let mut merged = Map::new();
    for name in ["carrier", "name", "phone", "tracking_number"] {
        let given = node.get(name).and_then(Node::text);
        let value = given.map(|t| nullable(Some(t)));
        merged.insert(name.into(), value.unwrap_or_else(|| old[name].clone()));
    }
    let address = node
        .get("address")
        .and_then(|given| Address::merged(None, given))
        .map_or_else(|| old["address"].clone(), |a| a.json());
    merged.insert("address".into(), address);
    Value::Object(merged)
}

/// The slot `invoice_settings[default_payment_method]` names: it must be attached to this customer.
fn checked_default(call: &Call<'_>, slot: u32) -> Result<Option<Option<u32>>, Refusal> {
    let settings = call.params.hash("invoice_settings");
    match settings.and_then(|s| s.text("default_payment_method")) {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(id) => {
            let param = "invoice_settings[default_payment_method]";
            Ok(Some(Some(payment_methods::attached(call, slot, id, param)?)))
        }
    }
}

/// The other invoice settings, merged with what stands.
fn merge_settings(customer: &mut Customer, params: Params<'_>) {
    let Some(given) = params.hash("invoice_settings") else {
        return;
    };
    let mut merged = match customer.rest("invoice_settings") {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if let Some(footer) = given.text("footer") {
        merged.insert("footer".into(), nullable(Some(footer)));
    }
    if let Some(node) = given.node("custom_fields") {
        let fields = node.children().iter().map(|(_, field)| Params(field));
        let fields: Vec<Value> = fields
            .map(|f| json!({ "name": f.text("name"), "value": f.text("value") }))
            .collect();
        let value = if fields.is_empty() {
            Value::Null
        } else {
            json!(fields)
        };
        merged.insert("custom_fields".into(), value);
    }
    if let Some(options) = given.hash("rendering_options") {
        let shown = json!({
            "amount_tax_display": options.text("amount_tax_display"),
            "template": options.text("template"),
        });
        merged.insert("rendering_options".into(), shown);
    }
    if !merged.is_empty() {
        customer
            .rest_mut()
            .insert("invoice_settings".into(), Value::Object(merged));
    }
}

fn checked_source(call: &mut Call<'_>, slot: u32) -> Result<Option<u32>, Refusal> {
    if let Some(token) = call.params.text("source") {
        return payment_methods::card_from_token(call, slot, token).map(Some);
    }
    let Some(id) = call.params.text("default_source") else {
        return Ok(None);
    };
    payment_methods::attached(call, slot, id, "default_source").map(Some)
}

/// Writes the difference to `target` as an adjustment, in the customer's currency or else the account's (facts 3.1).
fn set_balance(call: &mut Call<'_>, slot: u32, target: i64) -> Result<(), Refusal> {
    let account_currency = call.account.currency;
    let customer = call.account.customers.at(slot);
    let Some((cur, now)) = customer.map(|c| {
        let cur = c.currency.unwrap_or(account_currency);
        (cur, c.sum(cur))
    }) else {
        return Ok(());
    };
    let amount = target.saturating_sub(now);
    if amount != 0 {
        let row = NewRow {
            slot,
            amount,
            cur,
            more: None,
        };
        balance_transactions::append(call, row)?;
    }
    Ok(())
}

/// The slot of a customer named in a parameter.
pub(crate) fn by_param(call: &Call<'_>, id: &str, param: &str) -> Result<u32, Refusal> {
    live_customer(call.account, id).ok_or_else(|| Refusal::missing("customer", id, param, false))
}
