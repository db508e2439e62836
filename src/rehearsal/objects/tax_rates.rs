//! `/v1/tax_rates`: create, retrieve, update, list. A rate cannot be deleted, and its percentage and whether it is
//! inclusive cannot be changed: those are no parameters of an update.

use serde_json::{Map, Value, json};

use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::catalogue::{Decimal, TaxRate};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::objects::customers::changed;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::world::Account;

const NAME: &str = "tax rate";
const TYPES: &[&str] = &[
    "amusement_tax",
    "communications_tax",
    "gst",
    "hst",
    "igst",
    "jct",
    "lease_tax",
    "mass_transit_parking_tax",
    "parking_tax",
    "pst",
    "qst",
    "retail_delivery_fee",
    "rst",
    "sales_tax",
    "service_tax",
    "vat",
];

/// What both creating and updating take.
pub(crate) const WRITE: &[P] = &[
    opt("active", Ty::Bool),
    opt("country", Ty::Text(5000)),
    opt("description", Ty::Text(5000)),
    opt("jurisdiction", Ty::Text(50)),
    opt("metadata", Ty::Metadata),
    opt("state", Ty::Text(5000)),
    opt("tax_type", Ty::Enum(TYPES)),
];
/// What only creating takes.
pub(crate) const CREATE: &[P] = &[
    req("display_name", Ty::Text(50)),
    req("inclusive", Ty::Bool),
    req("percentage", Ty::Decimal(4)),
];
/// What only updating takes.
pub(crate) const UPDATE: &[P] = &[opt("display_name", Ty::Text(50))];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("active", Ty::Bool),
    opt("created", Ty::Range),
    opt("inclusive", Ty::Bool),
];

/// `POST /v1/tax_rates`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::TaxRate)?;
    let params = call.params;
    let id = call.new_id("txr_");
    let created = Account::stamp(&call.account.catalogue.tax_rates, call.now);
    let rate = build(params, &id, created)?;
    call.catalogued(&id, &rate.metadata);
    let slot = call.account.catalogue.tax_rates.push(rate);
    let object = shown(call, slot);
    call.event("tax_rate.created", object, None);
    Ok(shown(call, slot))
}

/// A rate of these parameters, not yet in any catalogue.
pub(crate) fn build(params: Params<'_>, id: &str, created: i64) -> Result<TaxRate, Refusal> {
    let percentage = Decimal::of(params.text("percentage").unwrap_or("0"));
    let whole = percentage.as_str().split('.').next().unwrap_or_default();
    let over = whole.len() > 3 || whole.parse::<i64>().is_ok_and(|w| w > 100) || {
        whole == "100" && percentage.integer().is_none()
    };
    if over {
        let message = "This value must be less than or equal to 100.".to_owned();
        return Err(Refusal::invalid("percentage", message));
    }
    check(params)?;
    let mut rate = TaxRate {
        id: id.into(),
        created,
        active: true,
        inclusive: params.flag("inclusive").unwrap_or(false),
        percentage,
        metadata: Metadata::default(),
        rest: Map::new(),
    };
    apply(&mut rate, params);
    Ok(rate)
}

fn check(params: Params<'_>) -> Result<(), Refusal> {
    let country = params.text("country").filter(|c| !c.is_empty());
    let known = |c: &str| c.len() == 2 && c.bytes().all(|b| b.is_ascii_alphabetic());
    match country.filter(|c| !known(c)) {
        None => Ok(()),
        Some(country) => {
            let message = format!(
                "Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead, such as \
                 'US', 'EG', or 'GB'. A full list of country codes is available at \
                 https://stripe.com/global"
            );
            Err(Refusal::invalid("country", message))
        }
    }
}

fn apply(rate: &mut TaxRate, params: Params<'_>) {
    rate.active = params.flag("active").unwrap_or(rate.active);
    rate.metadata.merge(params.node("metadata"));
    for name in [
        "country",
        "description",
        "display_name",
        "jurisdiction",
        "state",
        "tax_type",
    ] {
        if let Some(text) = params.text(name) {
            rate.rest.insert(name.into(), nullable(Some(text)));
        }
    }
}

/// `GET /v1/tax_rates/{tax_rate}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::TaxRate)?;
    let slot = slot(call)?;
    Ok(shown(call, slot))
}

/// `GET /v1/tax_rates`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    call.expand_list(Kind::TaxRate)?;
    let page = call.page()?;
    let (params, account) = (call.params, &*call.account);
    let rates = &account.catalogue.tax_rates;
    let cursor = |id: &str| rates.slot(id).map(|s| s as usize);
    let keep = |rate: &TaxRate| {
        params.flag("active").is_none_or(|a| a == rate.active)
            && params.flag("inclusive").is_none_or(|i| i == rate.inclusive)
    };
    let (data, more) = page.cut(rates.rows(), NAME, cursor, keep)?;
    let data = data.into_iter().map(|r| show(account, r));
    Ok(pages::envelope("/v1/tax_rates", data.collect(), more))
}

/// `POST /v1/tax_rates/{tax_rate}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::TaxRate)?;
    let slot = slot(call)?;
    let params = call.params;
    check(params)?;
    if params.text("display_name") == Some("") {
        let message = "You cannot unset `display_name`.".to_owned();
        return Err(Refusal::invalid_code(
            "display_name",
            "parameter_invalid_empty",
            message,
        ));
    }
    let before = shown(call, slot);
    let Some(rate) = call.account.catalogue.tax_rates.at_mut(slot) else {
        return Err(Refusal::missing(NAME, call.arg(0), "tax_rate", true));
    };
    apply(rate, params);
    let (id, metadata) = (rate.id.clone(), rate.metadata.clone());
    call.catalogued(&id, &metadata);
    let after = shown(call, slot);
    let previous = changed(&before, &after);
    call.event("tax_rate.updated", after, Some(previous));
    Ok(shown(call, slot))
}

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.catalogue.tax_rates.slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "tax_rate", true))
}

fn shown(call: &Call<'_>, slot: u32) -> Value {
    let rate = call.account.catalogue.tax_rates.at(slot);
    rate.map_or(Value::Null, |r| show(call.account, r))
}

/// The rate as an answer. A whole percentage has a decimal all the same (`10.0`), as the live API writes it.
pub(crate) fn show(account: &Account, rate: &TaxRate) -> Value {
    let rest = |name: &str| rate.rest.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "id": &*rate.id,
        "object": "tax_rate",
        "active": rate.active,
        "country": rest("country"),
        "created": rate.created,
        "description": rest("description"),
        "display_name": rest("display_name"),
        "effective_percentage": null,
        "flat_amount": null,
        "inclusive": rate.inclusive,
        "jurisdiction": rest("jurisdiction"),
        "jurisdiction_level": null,
        "livemode": account.livemode,
        "metadata": rate.metadata.json(),
        "percentage": percentage(&rate.percentage),
        "rate_type": "percentage",
        "state": rest("state"),
        "tax_type": rest("tax_type"),
    })
}

/// A percentage as the live API writes it.
pub(super) fn percentage(decimal: &Decimal) -> Value {
    let text = decimal.as_str();
    let text = if text.contains('.') {
        text.to_owned()
    } else {
        format!("{text}.0")
    };
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
