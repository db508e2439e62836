//! Sources of the older interface: `/v1/customers/{customer}/sources` (schemas `card` and `bank_account`).

use serde_json::{Value, json};

use super::customer_view;
use super::payment_methods_view::{fingerprint, last4, owner};
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt};
use crate::rehearsal::world::{Account, Customer, Method, MethodKind};

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[opt("object", Ty::Text(5000))];

/// `GET /v1/customers/{customer}/sources`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Source)?;
    let page = call.page()?;
    let customer = call.customer()?;
    let account = &*call.account;
    let rows = of(account, customer);
    let wanted = call.params.text("object").filter(|o| !o.is_empty());
    let keep = |m: &&Method| wanted.is_none_or(|o| o == object(m));
    let (data, more) = page.cut(&rows, "source", |id| pages::place(&rows, id), keep)?;
    let data = data.into_iter().map(|m| show(account, m, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

/// `GET /v1/customers/{customer}/sources/{id}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Source)?;
    let slot = call.customer_slot()?;
    let id = call.arg(1);
    let found = call.account.methods.get(id);
    let found = found.filter(|m| m.kind.is_source() && m.customer == Some(slot));
    let found = found.ok_or_else(|| Refusal::missing("source", id, "id", true))?;
    Ok(show(call.account, found, &expand))
}

/// A customer's sources, oldest first.
pub(super) fn of<'a>(account: &'a Account, customer: &Customer) -> Vec<&'a Method> {
    let methods = customer
        .methods
        .iter()
        .filter_map(|slot| account.methods.at(*slot));
    methods.filter(|m| m.kind.is_source()).collect()
}

fn object(method: &Method) -> &'static str {
    if method.kind == MethodKind::LegacyBankAccount {
        "bank_account"
    } else {
        "card"
    }
}

/// A source as an answer, or as an element of `sources`.
pub(crate) fn show(account: &Account, method: &Method, expand: &Expand) -> Value {
    let owner = owner(account, method);
    let mut out = if method.kind == MethodKind::LegacyBankAccount {
        bank_account(account, method)
    } else {
        card(account, method)
    };
    out["customer"] = owner.map_or(Value::Null, |c| customer_view::reference(account, &c.id, expand));
    let more = method.more.as_ref();
    out["metadata"] = more.map_or_else(|| json!({}), |m| m.metadata.json());
    out
}

fn card(account: &Account, method: &Method) -> Value {
    let brand = match method.brand {
        "visa" => "Visa",
        "mastercard" => "MasterCard",
        "amex" => "American Express",
        "discover" => "Discover",
        "jcb" => "JCB",
        _ => "Unknown",
    };
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
        "cvc_check": "pass",
        "dynamic_last4": null,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "fingerprint": fingerprint(account, method),
        "funding": if method.debit { "debit" } else { "credit" },
        "last4": last4(method),
        "name": null,
        "regulated_status": "unregulated",
        "tokenization_method": null,
    })
}

fn bank_account(account: &Account, method: &Method) -> Value {
    let owner = owner(account, method);
    json!({
        "id": &*method.id,
        "object": "bank_account",
        "account_holder_name": owner.and_then(|c| c.name.as_deref()),
        "account_holder_type": "individual",
        "account_type": null,
        "bank_name": "STRIPE TEST BANK",
        "country": "US",
        "currency": "usd",
        "fingerprint": fingerprint(account, method),
        "last4": last4(method),
        "routing_number": "110000000",
        "status": "verified",
    })
}
