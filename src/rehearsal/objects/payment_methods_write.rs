//! Attaching, detaching and updating payment methods (`/v1/payment_methods/{payment_method}`).

use serde_json::{Map, Value, json};

use super::payment_methods::{NAME, by_path, card_from_test_name};
use super::payment_methods_view::{owner, show};
use super::{customer_params, customers};
use crate::rehearsal::address::Address;
use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::form::Node;
use crate::rehearsal::params::{P, Params, Ty, opt};
use crate::rehearsal::world::{Account, Method, MethodKind};

/// What attaching takes.
pub(crate) const ATTACH: &[P] = &[opt("customer", Ty::Id), opt("customer_account", Ty::Id)];

const BILLING: &[P] = &[
    opt("address", Ty::Hash(customer_params::ADDRESS)),
    opt("email", Ty::Text(512)),
    opt("name", Ty::Text(5000)),
    opt("phone", Ty::Text(5000)),
    opt("tax_id", Ty::Text(5000)),
];
const NETWORKS: &[P] = &[opt(
    "preferred",
    Ty::Enum(&["", "cartes_bancaires", "mastercard", "visa"]),
)];
const CARD: &[P] = &[
    opt("exp_month", Ty::Int),
    opt("exp_year", Ty::Int),
    opt("networks", Ty::Hash(NETWORKS)),
];
const PAYTO: &[P] = &[
    opt("account_number", Ty::Text(5000)),
    opt("bsb_number", Ty::Text(5000)),
    opt("pay_id", Ty::Text(5000)),
];
const BANK: &[P] = &[
    opt("account_holder_type", Ty::Enum(&["company", "individual"])),
    opt("account_type", Ty::Enum(&["checking", "savings"])),
];
const REDISPLAY: [&str; 3] = ["always", "limited", "unspecified"];

/// What updating takes.
pub(crate) const UPDATE: &[P] = &[
    opt("allow_redisplay", Ty::Enum(&REDISPLAY)),
    opt("billing_details", Ty::Hash(BILLING)),
    opt("card", Ty::Hash(CARD)),
    opt("metadata", Ty::Metadata),
    opt("payto", Ty::Hash(PAYTO)),
    opt("us_bank_account", Ty::Hash(BANK)),
];

/// `POST /v1/payment_methods/{payment_method}/attach`
pub(crate) fn attach(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let Some(customer) = call.params.text("customer") else {
        let message = "Must provide customer or customer_account.".to_owned();
        return Err(Refusal::invalid_code("customer", "parameter_missing", message));
    };
    let slot = customers::by_param(call, customer, "customer")?;
    let name = call.arg(0).to_owned();
    if let Some(made) = card_from_test_name(call, slot, &name) {
        return Ok(changed(call, made, "payment_method.attached", &expand));
    }
    let at = by_path(call)?;
    let method = call.account.methods.at(at);
    let attached = method.filter(|m| owner(call.account, m).is_some());
    match attached.map(|m| m.customer == Some(slot)) {
        Some(true) => Ok(answer(call, at, &expand)),
        Some(false) => {
            let message = "The payment method you provided has already been attached to a customer.";
            Err(Refusal::rejected(None, message.to_owned()))
        }
        None => {
            let message = "This PaymentMethod was previously used without being attached to a Customer or was detached \
                           from a Customer, and may not be used again.";
            Err(Refusal::rejected(None, message.to_owned()))
        }
    }
}

/// `POST /v1/payment_methods/{payment_method}/detach`
pub(crate) fn detach(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let at = by_path(call)?;
    let account = &*call.account;
    let method = account.methods.at(at);
    let Some(before) = method.filter(|m| owner(account, m).is_some()) else {
        let message =
            "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(Refusal::rejected(None, message.to_owned()));
    };
    let shown = show(account, before, &Expand::default());
    let customer = before.customer;
    let remaining = customer.and_then(|slot| newest_other_source(account, slot, at));
    if let Some(method) = call.account.methods.at_mut(at) {
        method.customer = None;
        // From now on its details follow nobody.
        let billing = &mut method.more_mut().billing;
        for name in ["email", "name"] {
            billing
                .entry(name)
                .or_insert_with(|| shown["billing_details"][name].clone());
        }
    }
    if let Some(customer) = customer.and_then(|slot| call.account.customers.at_mut(slot)) {
        customer.methods.retain(|slot| *slot != at);
        customer.default_method = customer.default_method.filter(|slot| *slot != at);
        if customer.default_source == Some(at) {
            // The newest of the others takes its place (docs.stripe.com/api/cards/delete).
            customer.default_source = remaining;
        }
        let id = customer.id.clone();
        call.touch(&id);
    }
    let after = answer(call, at, &Expand::default());
    let previous = json!({ "customer": shown["customer"] });
    call.event("payment_method.detached", after, Some(previous));
    Ok(answer(call, at, &expand))
}

fn newest_other_source(account: &Account, customer: u32, but: u32) -> Option<u32> {
    let slots = account.customers.at(customer)?.methods.iter().rev().copied();
    let is_source = |slot: &u32| account.methods.at(*slot).is_some_and(|m| m.kind.is_source());
    slots.filter(|slot| *slot != but).find(is_source)
}

/// `POST /v1/payment_methods/{payment_method}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let at = by_path(call)?;
    let params = call.params;
    let Some(method) = call.account.methods.at_mut(at) else {
        return Err(Refusal::missing(NAME, call.arg(0), "payment_method", true));
    };
    if method.customer.is_none() {
        let message = "You must save this PaymentMethod to a customer before you can update it.".to_owned();
        return Err(Refusal::rejected(None, message));
    }
    for name in ["card", "us_bank_account", "payto"] {
        if params.node(name).is_some() && method.kind.type_name() != name {
            let message = format!("You cannot update `{name}` on a PaymentMethod of another type.");
            return Err(Refusal::rejected(Some(name), message));
        }
    }
    if let Some(card) = params.hash("card") {
        update_card(method, card)?;
    }
    let more = method.more_mut();
    if let Some(bank) = params.hash("us_bank_account") {
        for name in ["account_holder_type", "account_type"] {
            if let Some(text) = bank.text(name) {
                more.details.insert(name.into(), json!(text));
            }
        }
    }
    if let Some(given) = params.hash("billing_details") {
        merge_billing(&mut more.billing, given);
    }
    let redisplay = params.text("allow_redisplay");
    let redisplay = redisplay.and_then(|given| REDISPLAY.into_iter().find(|r| *r == given));
    more.allow_redisplay = redisplay.or(more.allow_redisplay);
    more.metadata.merge(params.node("metadata"));
    Ok(changed(call, at, "payment_method.updated", &expand))
}

fn update_card(method: &mut Method, card: Params<'_>) -> Result<(), Refusal> {
    debug_assert!(matches!(method.kind, MethodKind::Card | MethodKind::LegacyCard));
    let month = card.int("exp_month").map(u8::try_from);
    let year = card.int("exp_year").map(u16::try_from);
    if let Some(month) = month {
        let fits = month.ok().filter(|m| (1..=12).contains(m));
        let refused = || {
            let message = "Your card's expiration month is invalid.".to_owned();
            Refusal::invalid_code("card[exp_month]", "invalid_expiry_month", message)
        };
        method.exp_month = fits.ok_or_else(refused)?;
    }
    if let Some(year) = year {
        let fits = year.ok().filter(|y| (1970..=2100).contains(y));
        let refused = || {
            let message = "Your card's expiration year is invalid.".to_owned();
            Refusal::invalid_code("card[exp_year]", "invalid_expiry_year", message)
        };
        method.exp_year = fits.ok_or_else(refused)?;
    }
    if let Some(preferred) = card.hash("networks").and_then(|n| n.text("preferred")) {
        let networks = json!({ "available": [method.brand], "preferred": nullable(Some(preferred)) });
        method.more_mut().details.insert("networks".into(), networks);
    }
    Ok(())
}

fn merge_billing(billing: &mut Map<String, Value>, given: Params<'_>) {
    for name in ["email", "name", "phone", "tax_id"] {
        if let Some(text) = given.text(name) {
            billing.insert(name.into(), nullable(Some(text)));
        }
    }
    if let Some(node) = given.node("address") {
        billing.insert("address".into(), merged_address(billing.get("address"), node));
    }
}

fn merged_address(old: Option<&Value>, given: &Node) -> Value {
    let old = old.map(Address::of_json);
    // A billing address that was taken away is shown with every field empty.
    let merged = Address::merged(old.as_ref(), given).unwrap_or_default();
    merged.json()
}

/// Notes a change of an attached method and answers with what it became.
fn changed(call: &mut Call<'_>, at: u32, event: &'static str, expand: &Expand) -> Value {
    let account = &*call.account;
    let method = account.methods.at(at);
    let customer = method.and_then(|m| owner(account, m)).map(|c| c.id.clone());
    if let Some(id) = customer {
        call.touch(&id);
    }
    let shown = answer(call, at, &Expand::default());
    call.event(event, shown, None);
    answer(call, at, expand)
}

fn answer(call: &Call<'_>, at: u32, expand: &Expand) -> Value {
    let method = call.account.methods.at(at);
    method.map_or(Value::Null, |m| show(call.account, m, expand))
}
