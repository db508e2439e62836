//! What creating or updating a customer does to it.

use serde_json::{Map, Value, json};

use super::balance_transactions::{self, NewRow};
use super::{cash_balance, customer_view, payment_methods};
use crate::rehearsal::address::Address;
use crate::rehearsal::call::{Call, nullable};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::form::Node;
use crate::rehearsal::params::Params;
use crate::rehearsal::world::Customer;

const PLAIN: [&str; 5] = [
    "description",
    "phone",
    "business_name",
    "individual_name",
    "tax_exempt",
];

/// Everything that can be refused is checked before anything is changed.
pub(crate) fn apply(call: &mut Call<'_>, slot: u32) -> Result<(), Refusal> {
    let params = call.params;
    let default = checked_default(call, slot)?;
    checked_settings(call, slot)?;
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
    if let Default::Set(default) = default {
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
        .and_then(|given| Address::merged(Some(&Address::of_json(&old["address"])), given))
        .map_or_else(|| old["address"].clone(), |a| a.json());
    merged.insert("address".into(), address);
    Value::Object(merged)
}

/// What a request says about the default payment method.
enum Default {
    /// Nothing.
    Kept,
    /// This slot, or none.
    Set(Option<u32>),
}

/// The slot `invoice_settings[default_payment_method]` names: it must be attached to this customer.
fn checked_default(call: &Call<'_>, slot: u32) -> Result<Default, Refusal> {
    let settings = call.params.hash("invoice_settings");
    match settings.and_then(|s| s.text("default_payment_method")) {
        None => Ok(Default::Kept),
        Some("") => Ok(Default::Set(None)),
        Some(id) => {
            let param = "invoice_settings[default_payment_method]";
            payment_methods::attached(call, slot, id, param).map(|at| Default::Set(Some(at)))
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
    if let Some(node) = given.node("rendering_options") {
        let shown = merge_rendering(&merged, node);
        merged.insert("rendering_options".into(), shown);
    }
    if !merged.is_empty() {
        customer
            .rest_mut()
            .insert("invoice_settings".into(), Value::Object(merged));
    }
}

fn merge_rendering(settings: &Map<String, Value>, node: &Node) -> Value {
    if node.text().is_some() {
        return Value::Null;
    }
    let mut merged = Map::new();
    for name in ["amount_tax_display", "template"] {
        let kept = settings.get("rendering_options").map(|old| old[name].clone());
        let given = node.get(name).and_then(Node::text);
        let value = given.map(|text| nullable(Some(text))).or(kept);
        merged.insert(name.into(), value.unwrap_or_default());
    }
    Value::Object(merged)
}

/// Most custom fields on invoices (schema `invoice_setting_customer_setting`).
const MOST_FIELDS: usize = 4;

/// What the types of the parameters cannot say: the number of custom fields, and whose an invoice prefix is.
fn checked_settings(call: &Call<'_>, slot: u32) -> Result<(), Refusal> {
    let settings = call.params.hash("invoice_settings");
    let fields = settings.and_then(|s| s.node("custom_fields"));
    if fields.is_some_and(|f| f.children().len() > MOST_FIELDS) {
        let param = "invoice_settings[custom_fields]";
        let message = format!("You may only specify up to {MOST_FIELDS} custom fields.");
        return Err(Refusal::invalid(param, message));
    }
    let Some(prefix) = call.params.text("invoice_prefix").filter(|p| !p.is_empty()) else {
        return Ok(());
    };
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if prefix.len() < 3 || !prefix.bytes().all(fits) {
        let message = "Invalid invoice prefix. It must be 3–12 uppercase letters or numbers.".to_owned();
        return Err(Refusal::invalid("invoice_prefix", message));
    }
    let others = call.account.customers.rows().iter().enumerate();
    let mut others = others.filter(|(at, c)| *at != slot as usize && !c.deleted);
    match others.find(|(_, c)| customer_view::has_prefix(c, prefix)) {
        None => Ok(()),
        Some((_, taken)) => {
            let message = format!(
                "This invoice number prefix is taken by customer: {}. Please enter a different prefix.",
                taken.id
            );
            Err(Refusal::rejected(Some("invoice_prefix"), message))
        }
    }
}

fn checked_source(call: &mut Call<'_>, slot: u32) -> Result<Option<u32>, Refusal> {
    if let Some(token) = call.params.text("source") {
        return payment_methods::card_from_token(call, slot, token).map(Some);
    }
    let Some(id) = call.params.text("default_source") else {
        return Ok(None);
    };
    payment_methods::own_source(call, slot, id, "default_source").map(Some)
}

/// Writes the difference to `target` as an adjustment, in the customer's currency or else the account's.
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
