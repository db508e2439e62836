//! Tax ids of a customer: `/v1/customers/{customer}/tax_ids` (schema `tax_id`).

use serde_json::{Value, json};

use super::customer_view;
use super::tax_id_types::TYPES;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, req};
use crate::rehearsal::world::{Account, Customer, TaxId};

/// What creating takes; also an element of `tax_id_data`.
pub(crate) const CREATE: &[P] = &[req("type", Ty::Enum(TYPES)), req("value", Ty::Text(5000))];

/// Most tax ids a customer can have (docs.stripe.com/billing/customer/tax-ids).
const MOST: usize = 5;

/// `GET /v1/customers/{customer}/tax_ids`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::TaxId)?;
    let page = call.page()?;
    let customer = call.customer()?;
    let rows = customer.tax_ids.as_slice();
    let (data, more) = page.cut(rows, "tax_id", |id| pages::place(rows, id), |_| true)?;
    let data = data.into_iter().map(|t| show(call.account, customer, t, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

/// `GET /v1/customers/{customer}/tax_ids/{id}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::TaxId)?;
    let customer = call.customer()?;
    let id = call.arg(1);
    let found = customer.tax_ids.iter().find(|t| *t.id == *id);
    let found = found.ok_or_else(|| Refusal::missing("tax_id", id, "id", true))?;
    Ok(show(call.account, customer, found, &expand))
}

/// `POST /v1/customers/{customer}/tax_ids`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::TaxId)?;
    let slot = call.customer_slot()?;
    let made = add(call, slot, call.params, "")?;
    let customer = call.customer()?;
    let shown = show(call.account, customer, &made, &Expand::default());
    let answer = show(call.account, customer, &made, &expand);
    let id = customer.id.clone();
    call.touch(&id);
    call.event("customer.tax_id.created", shown, None);
    Ok(answer)
}

/// `DELETE /v1/customers/{customer}/tax_ids/{id}`
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let slot = call.customer_slot()?;
    let customer = call.customer()?;
    let id = call.arg(1);
    let at = customer.tax_ids.iter().position(|t| *t.id == *id);
    let at = at.ok_or_else(|| Refusal::missing("tax_id", id, "id", true))?;
    let shown = show(call.account, customer, &customer.tax_ids[at], &Expand::default());
    let answer = json!({ "id": id, "object": "tax_id", "deleted": true });
    let customer = customer.id.clone();
    if let Some(customer) = call.account.customers.at_mut(slot) {
        customer.tax_ids.remove(at);
    }
    call.touch(&customer);
    call.event("customer.tax_id.deleted", shown, None);
    Ok(answer)
}

/// `tax_id_data` on creating a customer.
pub(crate) fn add_all(call: &mut Call<'_>, slot: u32) -> Result<(), Refusal> {
    let given = call.params.node("tax_id_data");
    for (index, node) in given
        .map(crate::rehearsal::form::Node::children)
        .unwrap_or_default()
    {
        add(call, slot, Params(node), &format!("tax_id_data[{index}]"))?;
    }
    Ok(())
}

fn add(call: &mut Call<'_>, slot: u32, given: Params<'_>, prefix: &str) -> Result<TaxId, Refusal> {
    let kind = given
        .text("type")
        .and_then(|name| TYPES.iter().find(|t| **t == name));
    let value = given.text("value").unwrap_or_default();
    let has = call.account.customers.at(slot).map_or(0, |c| c.tax_ids.len());
    if has >= MOST {
        let message = format!("You can only have up to {MOST} tax IDs on a customer.");
        return Err(Refusal::rejected(None, message));
    }
    let Some(kind) = kind.filter(|kind| fits(kind, value)) else {
        let param = if prefix.is_empty() {
            "value".to_owned()
        } else {
            format!("{prefix}[value]")
        };
        let message = format!("Invalid value for {}.", given.text("type").unwrap_or_default());
        let mut refused = Refusal::rejected(Some(&param), message);
        refused.code = Some("tax_id_invalid");
        return Err(refused);
    };
    let newest = call.account.customers.at(slot).and_then(|c| c.tax_ids.last());
    let created = newest.map_or(call.now, |t| t.created.max(call.now));
    let made = TaxId {
        id: call.new_id("txi_").into(),
        created,
        kind,
        value: value.into(),
        verified: false,
    };
    if let Some(customer) = call.account.customers.at_mut(slot) {
        customer.tax_ids.push(made.clone());
    }
    Ok(made)
}

/// Stripe knows every country's pattern; here only what is wrong at first sight.
fn fits(kind: &str, value: &str) -> bool {
    let letters = |text: &str| text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        "eu_vat" => letters(value) >= 2 && digits >= 2,
        "gb_vat" => value.starts_with("GB") && digits >= 9,
        "au_abn" => digits == 11,
        _ => !value.is_empty(),
    }
}

/// The country is in the type's name, but for the union's, where it is in the value.
fn country(id: &TaxId) -> Option<String> {
    let of_type = id.kind.split('_').next().unwrap_or_default();
    let text = if of_type == "eu" {
        id.value.get(..2)
    } else {
        Some(of_type)
    };
    text.map(str::to_uppercase)
}

/// The tax id as an answer.
pub(crate) fn show(account: &Account, customer: &Customer, id: &TaxId, expand: &Expand) -> Value {
    let checked = ["au_abn", "eu_vat", "gb_vat"].contains(&id.kind);
    let status = match (checked, id.verified) {
        (true, true) => "verified",
        (true, false) => "pending",
        (false, _) => "unavailable",
    };
    let owner = expand.below("owner");
    json!({
        "id": &*id.id,
        "object": "tax_id",
        "country": country(id),
        "created": id.created,
        "customer": customer_view::reference(account, &customer.id, expand),
        "customer_account": null,
        "livemode": account.livemode,
        "owner": {
            "customer": customer_view::reference(account, &customer.id, &owner),
            "customer_account": null,
            "type": "customer",
        },
        "type": id.kind,
        "value": &*id.value,
        "verification": { "status": status, "verified_address": null, "verified_name": null },
    })
}
