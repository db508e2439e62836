//! `/v1/tax/settings` (retrieve, update) and `/v1/tax/registrations` (read only).

use serde_json::{Value, json};

use super::products::is_tax_code;
use crate::rehearsal::address::Address;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::catalogue::Registration;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::objects::customers::changed;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt, req};
use crate::rehearsal::world::Account;

const DEFAULTS: &[P] = &[
    opt(
        "tax_behavior",
        Ty::Enum(&["exclusive", "inclusive", "inferred_by_currency"]),
    ),
    opt("tax_code", Ty::Id),
];
const ADDRESS: &[P] = &[
    opt("city", Ty::Text(5000)),
    opt("country", Ty::Text(5000)),
    opt("line1", Ty::Text(5000)),
    opt("line2", Ty::Text(5000)),
    opt("postal_code", Ty::Text(5000)),
    opt("state", Ty::Text(5000)),
];
const OFFICE: &[P] = &[req("address", Ty::Hash(ADDRESS))];
/// What updating takes.
pub(crate) const UPDATE: &[P] = &[
    opt("defaults", Ty::Hash(DEFAULTS)),
    opt("head_office", Ty::Hash(OFFICE)),
];
/// What listing registrations takes besides paging.
pub(crate) const LIST: &[P] = &[opt(
    "status",
    Ty::Enum(&["active", "all", "expired", "scheduled"]),
)];

/// `GET /v1/tax/settings`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::TaxSettings)?;
    Ok(show(call.account))
}

/// `POST /v1/tax/settings`: what is once set can be changed and not removed.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::TaxSettings)?;
    let defaults = call.params.hash("defaults");
    let code = defaults.and_then(|d| d.text("tax_code"));
    if let Some(code) = code.filter(|c| !is_tax_code(c)) {
        return Err(Refusal::missing("tax code", code, "defaults[tax_code]", false));
    }
    let office = call.params.hash("head_office").and_then(|o| o.node("address"));
    let before = show(call.account);
    let tax = &mut call.account.catalogue.tax;
    if let Some(behavior) = defaults.and_then(|d| d.text("tax_behavior")) {
        tax.behavior = Some(behavior.into());
    }
    tax.code = code.map(Into::into).or(tax.code.take());
    if let Some(given) = office {
        tax.office = Address::merged(tax.office.as_ref(), given).or(tax.office.take());
    }
    call.catalogued("tax.settings", &Metadata::default());
    let after = show(call.account);
    let previous = changed(&before, &after);
    call.event("tax.settings.updated", after.clone(), Some(previous));
    Ok(after)
}

fn show(account: &Account) -> Value {
    let tax = &account.catalogue.tax;
    let missing: Vec<&str> = [
        ("defaults.tax_code", tax.code.is_none()),
        ("head_office", tax.office.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect();
    let active = missing.is_empty();
    json!({
        "object": "tax.settings",
        "defaults": { "provider": "stripe", "tax_behavior": tax.behavior, "tax_code": tax.code },
        "head_office": tax.office.as_ref().map(|a| json!({ "address": a.json() })),
        "livemode": account.livemode,
        "status": if active { "active" } else { "pending" },
        "status_details": if active {
            json!({ "active": {} })
        } else {
            json!({ "pending": { "missing_fields": missing } })
        },
    })
}

/// `GET /v1/tax/registrations`: active and scheduled ones, unless asked for others.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    call.expand_list(Kind::Registration)?;
    let page = call.page()?;
    let (account, now) = (&*call.account, call.now);
    let wanted = call.params.text("status");
    let keep = |r: &Registration| match wanted {
        Some("all") => true,
        Some(status) => status == status_of(r, now),
        None => status_of(r, now) != "expired",
    };
    let rows = &account.catalogue.registrations;
    let cursor = |id: &str| rows.slot(id).map(|s| s as usize);
    let (data, more) = page.cut(rows.rows(), "tax registration", cursor, keep)?;
    let data = data.into_iter().map(|r| show_registration(account, r, now));
    Ok(pages::envelope("/v1/tax/registrations", data.collect(), more))
}

/// `GET /v1/tax/registrations/{id}`
pub(crate) fn retrieve_registration(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::Registration)?;
    let id = call.arg(0);
    let found = call.account.catalogue.registrations.get(id);
    let found = found.ok_or_else(|| Refusal::missing("tax registration", id, "id", true))?;
    Ok(show_registration(call.account, found, call.now))
}

fn status_of(registration: &Registration, now: i64) -> &'static str {
    match registration.expires_at {
        Some(at) if at <= now => "expired",
        _ if registration.created > now => "scheduled",
        _ => "active",
    }
}

fn show_registration(account: &Account, registration: &Registration, now: i64) -> Value {
    let options = if registration.state.is_empty() {
        json!({ "type": "standard" })
    } else {
        json!({ "state": registration.state, "type": "state_sales_tax" })
    };
    json!({
        "id": &*registration.id,
        "object": "tax.registration",
        "active_from": registration.created,
        "country": registration.country,
        "country_options": { registration.country.to_lowercase(): options },
        "created": registration.created,
        "expires_at": registration.expires_at,
        "livemode": account.livemode,
        "status": status_of(registration, now),
    })
}
