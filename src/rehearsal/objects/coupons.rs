//! `/v1/coupons`: create, retrieve, update, delete, list. Only the name, the metadata and further currencies can be
//! changed after the creation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::coupons_view;
use super::customers::changed;
use crate::rehearsal::call::{Answer, Call, Pooled};
use crate::rehearsal::catalogue::Decimal;
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::form::Node;
use crate::rehearsal::ids;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt};
use crate::rehearsal::pools::{Coupon, Lasts, Off};
use crate::rehearsal::redeem::end;
use crate::rehearsal::world::Account;

pub(crate) const NAME: &str = "coupon";
/// How far ahead a coupon or code may end, in months.
const FIVE_YEARS: u32 = 60;

const OPTION: &[P] = &[opt("amount_off", Ty::Int)];
const APPLIES_TO: &[P] = &[opt("products", Ty::Texts)];
/// What both creating and updating take.
pub(crate) const WRITE: &[P] = &[
    opt("currency_options", Ty::Map(OPTION)),
    opt("metadata", Ty::Metadata),
    opt("name", Ty::Text(40)),
];
/// What only creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("amount_off", Ty::Int),
    opt("applies_to", Ty::Hash(APPLIES_TO)),
    opt("currency", Ty::Text(5000)),
    opt("duration", Ty::Enum(&["forever", "once", "repeating"])),
    opt("duration_in_months", Ty::Int),
    opt("id", Ty::Text(5000)),
    opt("max_redemptions", Ty::Int),
    opt("percent_off", Ty::Decimal(2)),
    opt("redeem_by", Ty::Int),
];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[opt("created", Ty::Range)];

/// `POST /v1/coupons`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Coupon)?;
    let params = call.params;
    let coupon = Coupon {
        off: off(params)?,
        lasts: lasts(params)?,
        max: at_least_one(params, "max_redemptions")?,
        redeem_by: future(params, "redeem_by", call.now)?,
        applies_to: applies_to(call.account, params)?,
        name: text(params, "name"),
        metadata: metadata(params),
        ..Coupon::bare(
            &new_id(call)?,
            Account::stamp(call.account.pools.coupons(), call.now),
        )
    };
    call.mark(&coupon.metadata);
    let slot = call.account.pools.add_coupon(coupon);
    call.pooled.push(Pooled::Coupon(slot));
    let object = show(call, slot, &Expand::default());
    call.event("coupon.created", object, None);
    Ok(show(call, slot, &expand))
}

fn new_id(call: &mut Call<'_>) -> Result<String, Refusal> {
    let given = call.params.text("id").filter(|id| !id.is_empty());
    match given {
        Some(id) if call.account.pools.coupons().slot(id).is_some() => {
            let mut refused = Refusal::rejected(Some("id"), "Coupon already exists.".to_owned());
            refused.code = Some("resource_already_exists");
            Err(refused)
        }
        Some(id) => Ok(id.to_owned()),
        None => Ok(ids::alnum(call.new_seed("coupon"), 8)),
    }
}

fn off(params: Params<'_>) -> Result<Off, Refusal> {
    let amount = at_least_one(params, "amount_off")?;
    let percent = params.text("percent_off").map(Decimal::of);
    let options = params.node("currency_options");
    match (amount, percent) {
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "percent_off",
            "Received both percent_off and amount_off parameters. Please pass in only one.".to_owned(),
        )),
        (None, None) => Err(Refusal::invalid(
            "percent_off",
            "Must provide percent_off or amount_off.".to_owned(),
        )),
        (None, Some(_)) if options.is_some() => Err(Refusal::invalid_code(
            "currency_options",
            "parameters_exclusive",
            "You may only specify one of these parameters: currency_options, percent_off.".to_owned(),
        )),
        (None, Some(percent)) => within_hundred(percent),
        (Some(amount), None) => {
            let code = params.text("currency").filter(|c| !c.is_empty());
            let message = "You must pass currency when passing amount_off".to_owned();
            let code = code.ok_or_else(|| Refusal::invalid("currency", message))?;
            let own = Call::currency(code, "currency")?;
            Ok(Off::Amount(own, amount, others(options, own)?))
        }
    }
}

fn within_hundred(percent: Decimal) -> Result<Off, Refusal> {
    let whole: i64 = percent
        .as_str()
        .split('.')
        .next()
        .and_then(|w| w.parse().ok())
        .unwrap_or(i64::MAX);
    let refuse = |message: &str| Err(Refusal::invalid("percent_off", message.to_owned()));
    if percent.integer() == Some(0) {
        refuse("This value must be greater than 0.")
    } else if whole > 100 || (whole == 100 && percent.integer().is_none()) {
        refuse("This value must be less than or equal to 100.")
    } else {
        Ok(Off::Percent(percent))
    }
}

/// Amounts in further currencies; the coupon's own is no further one.
fn others(given: Option<&Node>, own: Cur) -> Result<BTreeMap<Cur, i64>, Refusal> {
    let mut others = BTreeMap::new();
    for (code, node) in given.map(Node::children).unwrap_or_default() {
        let name = format!("currency_options[{code}]");
        let cur = Call::currency(code, &name)?;
        if cur == own {
            let message = format!("`currency_options` may not contain the coupon's own currency, {code}.");
            return Err(Refusal::invalid(&name, message));
        }
        let param = format!("{name}[amount_off]");
        let missing = || {
            let message = format!("Missing required param: {param}.");
            Refusal::invalid_code(&param, "parameter_missing", message)
        };
        let amount = Params(node).int("amount_off").ok_or_else(missing)?;
        others.insert(cur, positive(amount, &param)?);
    }
    Ok(others)
}

fn lasts(params: Params<'_>) -> Result<Lasts, Refusal> {
    let months = at_least_one(params, "duration_in_months")?;
    match (params.text("duration").unwrap_or("once"), months) {
        ("repeating", None) => Err(Refusal::invalid(
            "duration",
            "The duration_in_months param must be set when creating a coupon with a repeating duration"
                .to_owned(),
        )),
        ("repeating", Some(months)) => Ok(Lasts::Months(u32::try_from(months).unwrap_or(u32::MAX))),
        (_, Some(_)) => Err(Refusal::invalid(
            "duration_in_months",
            "The duration_in_months param can only be set when creating a coupon with a repeating duration"
                .to_owned(),
        )),
        ("forever", None) => Ok(Lasts::Forever),
        _ => Ok(Lasts::Once),
    }
}

fn applies_to(account: &Account, params: Params<'_>) -> Result<Box<[Box<str>]>, Refusal> {
    let given = params.hash("applies_to").map(|a| a.texts("products"));
    let given = given.unwrap_or_default();
    for (n, id) in given.iter().enumerate() {
        if account.catalogue.product(id).is_none() {
            let param = format!("applies_to[products][{n}]");
            return Err(Refusal::missing("product", id, &param, false));
        }
    }
    Ok(given.into_iter().map(Into::into).collect())
}

/// A positive integer, when it is given.
pub(super) fn at_least_one(params: Params<'_>, name: &str) -> Result<Option<i64>, Refusal> {
    params.int(name).map(|n| positive(n, name)).transpose()
}

/// The number, unless it is below one.
pub(super) fn positive(n: i64, param: &str) -> Result<i64, Refusal> {
    if n >= 1 {
        return Ok(n);
    }
    let message = "This value must be greater than or equal to 1.".to_owned();
    Err(Refusal::invalid_code(param, "parameter_invalid_integer", message))
}

/// A time to come, when it is given.
pub(super) fn future(params: Params<'_>, name: &str, now: i64) -> Result<Option<i64>, Refusal> {
    let Some(at) = params.int(name) else {
        return Ok(None);
    };
    if at <= now {
        let message = format!(
            "The parameter `{name}` expects a unix timestamp representing a date and time in the future. You specified \
             the value `{at}` which is in the past."
        );
        return Err(Refusal::invalid(name, message));
    }
    if end(Lasts::Months(FIVE_YEARS), now).is_some_and(|last| at > last) {
        let message = "Invalid timestamp: can be no more than five years in the future.".to_owned();
        return Err(Refusal::invalid(name, message));
    }
    Ok(Some(at))
}

fn text(params: Params<'_>, name: &str) -> Option<Box<str>> {
    params.text(name).filter(|t| !t.is_empty()).map(Into::into)
}

pub(super) fn metadata(params: Params<'_>) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.merge(params.node("metadata"));
    metadata
}

/// `GET /v1/coupons/{coupon}`: a deleted one is not found.
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Coupon)?;
    let slot = slot(call)?;
    Ok(show(call, slot, &expand))
}

/// `GET /v1/coupons`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Coupon)?;
    let page = call.page()?;
    let account = &*call.account;
    let coupons = account.pools.coupons();
    let cursor = |id: &str| coupons.slot(id).map(|s| s as usize);
    let (data, more) = page.cut(coupons.rows(), NAME, cursor, |_| true)?;
    let data = data.into_iter().map(|c| coupons_view::show(account, c, &expand));
    Ok(pages::envelope("/v1/coupons", data.collect(), more))
}

/// `POST /v1/coupons/{coupon}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Coupon)?;
    let slot = slot(call)?;
    let params = call.params;
    let added = added(call, slot)?;
    let before = show(call, slot, &Expand::default());
    let Some(coupon) = call.account.pools.coupon_mut(slot) else {
        return Err(Refusal::missing(NAME, call.arg(0), NAME, true));
    };
    if let Off::Amount(_, _, options) = &mut coupon.off {
        options.extend(added);
    }
    if params.text("name").is_some() {
        coupon.name = text(params, "name");
    }
    coupon.metadata.merge(params.node("metadata"));
    call.pooled.push(Pooled::Coupon(slot));
    let after = show(call, slot, &Expand::default());
    let previous = changed(&before, &after);
    call.event("coupon.updated", after, Some(previous));
    Ok(show(call, slot, &expand))
}

/// The currencies an update adds; what is there can be neither changed nor removed.
fn added(call: &Call<'_>, slot: u32) -> Result<BTreeMap<Cur, i64>, Refusal> {
    let given = call.params.node("currency_options");
    let coupon = call.account.pools.coupons().at(slot);
    match coupon.map(|c| &c.off) {
        Some(Off::Percent(_)) if given.is_some() => Err(Refusal::rejected(
            Some("currency_options"),
            "You may only specify one of these parameters: currency_options, percent_off.".to_owned(),
        )),
        Some(Off::Amount(own, _, known)) => {
            let added = others(given, *own)?;
            let differs = |(cur, amount): (&Cur, &i64)| known.get(cur).is_some_and(|is| is != amount);
            if let Some((cur, _)) = added.iter().find(|option| differs(*option)) {
                let cur = cur.as_str();
                let message = format!("The amount in {cur} of this coupon cannot be changed.");
                let param = format!("currency_options[{cur}][amount_off]");
                return Err(Refusal::rejected(Some(&param), message));
            }
            Ok(added)
        }
        _ => Ok(BTreeMap::new()),
    }
}

/// `DELETE /v1/coupons/{coupon}`: its discounts go on, its codes are dead.
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let slot = slot(call)?;
    let id = call.arg(0).to_owned();
    call.account.pools.delete_coupon(slot);
    call.pooled.push(Pooled::Coupon(slot));
    let last = show(call, slot, &Expand::default());
    call.event("coupon.deleted", last, None);
    Ok(json!({ "id": id, "object": "coupon", "deleted": true }))
}

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.pools.coupons().slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, NAME, true))
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let coupon = call.account.pools.coupons().at(slot);
    coupon.map_or(Value::Null, |c| coupons_view::show(call.account, c, expand))
}
