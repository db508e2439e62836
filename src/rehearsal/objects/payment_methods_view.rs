//! How a payment method looks (schema `payment_method` and one hash per type).

use serde_json::{Value, json};

use super::customer_view;
use super::payment_methods::allow_redisplay;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::ids;
use crate::rehearsal::world::{Account, Customer, Method, MethodKind};

/// The customer it is attached to; deleting a customer detaches what it had.
pub(super) fn owner<'a>(account: &'a Account, method: &Method) -> Option<&'a Customer> {
    let customer = method.customer.and_then(|slot| account.customers.at(slot));
    customer.filter(|c| !c.deleted)
}

/// The same card has another fingerprint in another account (support.stripe.com, card fingerprints).
pub(super) fn fingerprint(account: &Account, method: &Method) -> String {
    if let Some(given) = method.more.as_ref().and_then(|m| m.fingerprint.as_deref()) {
        return ids::alnum(ids::mix(&[account.id.as_bytes(), b"given", given.as_bytes()]), 16);
    }
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
    let owner = owner(account, method);
    let customer = owner.map_or(Value::Null, |c| customer_view::reference(account, &c.id, expand));
    let more = method.more.as_ref();
    let kind = method.kind.type_name();
    let mut out = json!({
        "id": &*method.id,
        "object": "payment_method",
        "allow_redisplay": allow_redisplay(method),
        "billing_details": billing_details(owner, method),
        "created": method.created,
        "customer": customer,
        "customer_account": null,
        "livemode": account.livemode,
        "metadata": more.map_or_else(|| json!({}), |m| m.metadata.json()),
        "type": kind,
    });
    let mut hash = match method.kind {
        MethodKind::Card | MethodKind::LegacyCard => card(account, method),
        MethodKind::UsBankAccount | MethodKind::LegacyBankAccount => bank_account(account, method),
        MethodKind::SepaDebit => sepa_debit(account, method),
        MethodKind::BacsDebit => bacs_debit(account, method),
        MethodKind::AuBecsDebit => au_becs_debit(account, method),
        MethodKind::Link => json!({ "email": owner.and_then(|c| c.email.as_deref()) }),
    };
    for (name, value) in more.iter().flat_map(|m| &m.details) {
        hash[name] = value.clone();
    }
    out[kind] = hash;
    out
}

fn billing_details(owner: Option<&Customer>, method: &Method) -> Value {
    let mut out = json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
        },
        "email": owner.and_then(|c| c.email.as_deref()),
        "name": owner.and_then(|c| c.name.as_deref()),
        "phone": null,
        "tax_id": null,
    });
    for (name, value) in method.more.iter().flat_map(|m| &m.billing) {
        out[name] = value.clone();
    }
    out
}

/// The four digits of a card or account number that are shown.
pub(super) fn last4(method: &Method) -> String {
    format!("{:04}", method.last4)
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
        "last4": last4(method),
        "networks": { "available": [method.brand], "preferred": null },
        "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true },
        "wallet": method.wallet().map(|kind| wallet(kind, method)),
    })
}

fn bank_account(account: &Account, method: &Method) -> Value {
    json!({
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": null,
        "fingerprint": fingerprint(account, method),
        "last4": last4(method),
        "networks": { "preferred": "ach", "supported": ["ach"] },
        "routing_number": "110000000",
        "status_details": {},
    })
}

fn wallet(kind: &str, method: &Method) -> Value {
    let mut out = json!({ "dynamic_last4": last4(method), "type": kind });
    out[kind] = json!({});
    out
}

fn sepa_debit(account: &Account, method: &Method) -> Value {
    json!({
        "bank_code": "37040044",
        "branch_code": "",
        "country": "DE",
        "fingerprint": fingerprint(account, method),
        "generated_from": { "charge": null, "setup_attempt": null },
        "last4": last4(method),
    })
}

fn bacs_debit(account: &Account, method: &Method) -> Value {
    json!({
        "fingerprint": fingerprint(account, method),
        "last4": last4(method),
        "sort_code": "108800",
    })
}

fn au_becs_debit(account: &Account, method: &Method) -> Value {
    json!({
        "bsb_number": "000000",
        "fingerprint": fingerprint(account, method),
        "last4": last4(method),
    })
}
