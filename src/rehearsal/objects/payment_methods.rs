//! Payment methods, read only but for the test tokens a customer may be created with.

use serde_json::{Value, json};

use super::method_types::TYPES;
use super::{customer_view, customers};
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt};
use crate::rehearsal::world::{Account, Method, MethodKind};

const NAME: &str = "PaymentMethod";

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("allow_redisplay", Ty::Enum(&["always", "limited", "unspecified"])),
    opt("type", Ty::Enum(TYPES)),
];
/// What the list over the account takes as well.
pub(crate) const LIST_ALL: &[P] = &[opt("customer", Ty::Id), opt("customer_account", Ty::Id)];

/// `GET /v1/customers/{customer}/payment_methods`
pub(crate) fn list_of_customer(call: &mut Call<'_>) -> Answer {
    let slot = call.customer_slot()?;
    list(call, slot)
}

/// `GET /v1/payment_methods`: nothing without a customer, since what is attached to nobody is not kept here.
pub(crate) fn list_all(call: &mut Call<'_>) -> Answer {
    let Some(id) = call.params.text("customer") else {
        call.expand_list(Kind::Method)?;
        return Ok(pages::envelope(call.path, Vec::new(), false));
    };
    let slot = customers::by_param(call, id, "customer")?;
    list(call, slot)
}

fn list(call: &Call<'_>, slot: u32) -> Answer {
    let expand = call.expand_list(Kind::Method)?;
    let page = call.page()?;
    let account = &*call.account;
    let slots = account
        .customers
        .at(slot)
        .map(|c| c.methods.as_slice())
        .unwrap_or_default();
    let rows: Vec<&Method> = slots.iter().filter_map(|s| account.methods.at(*s)).collect();
    let (wanted, redisplay) = (call.params.text("type"), call.params.text("allow_redisplay"));
    let keep = |m: &&Method| {
        wanted.is_none_or(|t| t == type_name(m.kind)) && redisplay.is_none_or(|r| r == "unspecified")
    };
    let (data, more) = page.cut(&rows, NAME, |id| pages::place(&rows, id), keep)?;
    let data = data.into_iter().map(|m| show(account, m, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

/// `GET /v1/payment_methods/{payment_method}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let id = call.arg(0);
    let method = call.account.methods.get(id);
    let method = method.ok_or_else(|| Refusal::missing(NAME, id, "payment_method", true))?;
    Ok(show(call.account, method, &expand))
}

/// `GET /v1/customers/{customer}/payment_methods/{payment_method}`
pub(crate) fn retrieve_of_customer(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let slot = call.customer_slot()?;
    let id = call.arg(1);
    let method = call.account.methods.get(id).filter(|m| m.customer == slot);
    let method = method.ok_or_else(|| Refusal::missing(NAME, id, "payment_method", true))?;
    Ok(show(call.account, method, &expand))
}

/// The slot of a method attached to the customer; any other is refused.
pub(crate) fn attached(call: &Call<'_>, slot: u32, id: &str, param: &str) -> Result<u32, Refusal> {
    let found = call.account.methods.slot(id);
    let owner = found
        .and_then(|at| call.account.methods.at(at))
        .map(|m| m.customer);
    match (found, owner) {
        (Some(found), Some(owner)) if owner == slot => Ok(found),
        (Some(_), _) => {
            let message = format!(
                "The payment method {id} must be attached to the customer before it can be used. Please attach it \
                 first."
            );
            Err(Refusal::rejected(Some(param), message))
        }
        (None, _) => Err(Refusal::missing(NAME, id, param, false)),
    }
}

/// `payment_method=pm_card_visa` on creating a customer: Stripe's test names make a new card.
pub(crate) fn attach_new(call: &mut Call<'_>, slot: u32) -> Result<(), Refusal> {
    let Some(token) = call.params.text("payment_method") else {
        return Ok(());
    };
    let Some(brand) = token.strip_prefix("pm_card_").and_then(brand_of) else {
        return Err(Refusal::missing(NAME, token, "payment_method", false));
    };
    let id = call.new_id("pm_");
    add_card(call, slot, id, MethodKind::Card, brand);
    Ok(())
}

/// `source=tok_visa`: a card of the older interface, which becomes the default source.
pub(crate) fn card_from_token(call: &mut Call<'_>, slot: u32, token: &str) -> Result<u32, Refusal> {
    let Some(brand) = token.strip_prefix("tok_").and_then(brand_of) else {
        return Err(Refusal::missing("token", token, "source", false));
    };
    let id = call.new_id("card_");
    Ok(add_card(call, slot, id, MethodKind::LegacyCard, brand))
}

fn brand_of(name: &str) -> Option<&'static str> {
    ["visa", "mastercard", "amex", "discover", "jcb"]
        .into_iter()
        .find(|b| *b == name)
}

fn add_card(call: &mut Call<'_>, slot: u32, id: String, kind: MethodKind, brand: &'static str) -> u32 {
    let method = Method {
        id: id.into(),
        created: Account::stamp(&call.account.methods, call.now),
        customer: slot,
        kind,
        brand,
        country: "US",
        last4: 4242,
        exp_month: 12,
        exp_year: 2030,
        debit: false,
    };
    attach(call.account, method)
}

/// Stores a method, lists it under its customer, and says its slot.
pub(crate) fn attach(account: &mut Account, method: Method) -> u32 {
    let customer = method.customer;
    let slot = account.methods.push(method);
    if let Some(customer) = account.customers.at_mut(customer) {
        customer.methods.reserve_exact(1);
        customer.methods.push(slot);
    }
    slot
}

const fn type_name(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::Card | MethodKind::LegacyCard => "card",
        MethodKind::UsBankAccount => "us_bank_account",
    }
}

/// The same card has another fingerprint in another account (support.stripe.com, card fingerprints).
fn fingerprint(account: &Account, method: &Method) -> String {
    let card = [
        u8::try_from(method.last4 % 256).unwrap_or(0),
        u8::try_from(method.last4 / 256).unwrap_or(0),
        method.exp_month,
    ];
    ids::alnum(
        ids::mix(&[account.id.as_bytes(), &card, method.brand.as_bytes()]),
        16,
    )
}

/// The method as an answer.
pub(crate) fn show(account: &Account, method: &Method, expand: &Expand) -> Value {
    let owner = account.customers.at(method.customer);
    let customer = owner.map_or(Value::Null, |c| customer_view::reference(account, &c.id, expand));
    let empty = json!({
        "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
    });
    let kind = type_name(method.kind);
    let mut out = json!({
        "id": &*method.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": empty,
            "email": owner.and_then(|c| c.email.as_deref()),
            "name": owner.and_then(|c| c.name.as_deref()),
            "phone": null,
            "tax_id": null,
        },
        "created": method.created,
        "customer": customer,
        "customer_account": null,
        "livemode": account.livemode,
        "metadata": {},
        "type": kind,
    });
    out[kind] = match method.kind {
        MethodKind::UsBankAccount => bank_account(account, method),
        MethodKind::Card | MethodKind::LegacyCard => card(account, method),
    };
    out
}

fn card(account: &Account, method: &Method) -> Value {
    json!({
        "brand": method.brand,
        "checks": { "address_line1_check": null, "address_postal_code_check": "pass", "cvc_check": "pass" },
        "country": method.country,
        "display_brand": method.brand,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "fingerprint": fingerprint(account, method),
        "funding": if method.debit { "debit" } else { "credit" },
        "generated_from": null,
        "last4": format!("{:04}", method.last4),
        "networks": { "available": [method.brand], "preferred": null },
        "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true },
        "wallet": null,
    })
}

fn bank_account(account: &Account, method: &Method) -> Value {
    json!({
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": null,
        "fingerprint": fingerprint(account, method),
        "last4": format!("{:04}", method.last4),
        "networks": { "preferred": "ach", "supported": ["ach"] },
        "routing_number": "110000000",
        "status_details": {},
    })
}

/// A card of the older interface as an element of `sources`.
pub(crate) fn show_source(account: &Account, method: &Method) -> Value {
    let brand = match method.brand {
        "visa" => "Visa",
        "mastercard" => "MasterCard",
        "amex" => "American Express",
        "discover" => "Discover",
        "jcb" => "JCB",
        _ => "Unknown",
    };
    let owner = account.customers.at(method.customer);
    json!({
        "id": &*method.id,
        "object": "card",
        "address_city": null,
        "address_country": null,
        "address_line1": null,
        "address_line1_check": null,
        "address_line2": null,
        "address_state": null,
        "address_zip": null,
        "address_zip_check": null,
        "brand": brand,
        "country": method.country,
        "customer": owner.map(|c| &*c.id),
        "cvc_check": "pass",
        "dynamic_last4": null,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "fingerprint": fingerprint(account, method),
        "funding": if method.debit { "debit" } else { "credit" },
        "last4": format!("{:04}", method.last4),
        "metadata": {},
        "name": null,
        "regulated_status": "unregulated",
        "tokenization_method": null,
    })
}
