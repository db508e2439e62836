//! `/v1/promotion_codes`: create, retrieve, update, list. Nothing deletes one; its limits never change.

use std::collections::BTreeMap;

use serde_json::Value;

use super::coupons::{at_least_one, future, metadata, positive};
use super::customers::{self, changed};
use super::promotion_codes_view;
use crate::rehearsal::call::{Answer, Call, Pooled};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::form::Node;
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::pools::{Code, Coupon, Dead, Restrictions};
use crate::rehearsal::world::Account;

pub(crate) const NAME: &str = "promotion code";
/// Characters of a code nobody chose.
const GENERATED: usize = 8;
/// Longest code (schema `promotion_code`, parameter `code`).
const LONGEST: usize = 500;

const OPTION: &[P] = &[opt("minimum_amount", Ty::Int)];
const PROMOTION: &[P] = &[opt("coupon", Ty::Id), req("type", Ty::Enum(&["coupon"]))];
const RESTRICTIONS: &[P] = &[
    opt("currency_options", Ty::Map(OPTION)),
    opt("first_time_transaction", Ty::Bool),
    opt("minimum_amount", Ty::Int),
    opt("minimum_amount_currency", Ty::Text(5000)),
];
/// What creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("active", Ty::Bool),
    opt("code", Ty::Text(LONGEST)),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Id),
    opt("expires_at", Ty::Int),
    opt("max_redemptions", Ty::Int),
    opt("metadata", Ty::Metadata),
    req("promotion", Ty::Hash(PROMOTION)),
    opt("restrictions", Ty::Hash(RESTRICTIONS)),
];
const LATER_RESTRICTIONS: &[P] = &[opt("currency_options", Ty::Map(OPTION))];
/// What updating takes.
pub(crate) const UPDATE: &[P] = &[
    opt("active", Ty::Bool),
    opt("metadata", Ty::Metadata),
    opt("restrictions", Ty::Hash(LATER_RESTRICTIONS)),
];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("active", Ty::Bool),
    opt("code", Ty::Text(5000)),
    opt("coupon", Ty::Text(5000)),
    opt("created", Ty::Range),
    opt("customer", Ty::Text(5000)),
    opt("customer_account", Ty::Text(5000)),
];

/// `POST /v1/promotion_codes`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::PromotionCode)?;
    let (params, now) = (call.params, call.now);
    let coupon_slot = coupon(call)?;
    let customer = customer(call)?;
    let max = at_least_one(params, "max_redemptions")?;
    let expires_at = future(params, "expires_at", now)?;
    if let Some(coupon) = call.account.pools.coupons().at(coupon_slot) {
        within(coupon, max, expires_at)?;
    }
    let on = params.flag("active").unwrap_or(true);
    let restrictions = restrictions(params)?;
    let text = new_text(call, customer.as_deref(), on)?;
    let id = call.new_id("promo_");
    let created = Account::stamp(call.account.pools.codes(), now);
    let code = Code {
        customer,
        on,
        max,
        expires_at,
        restrictions,
        metadata: metadata(params),
        ..Code::bare(&id, created, coupon_slot, &text)
    };
    call.mark(&code.metadata);
    let slot = call.account.pools.add_code(code);
    wrote(call, slot);
    let object = show(call, slot, &Expand::default());
    call.event("promotion_code.created", object, None);
    Ok(show(call, slot, &expand))
}

fn coupon(call: &Call<'_>) -> Result<u32, Refusal> {
    let param = "promotion[coupon]";
    let id = call.params.hash("promotion").and_then(|p| p.text("coupon"));
    let message = "You must pass promotion.coupon when passing promotion".to_owned();
    let id = id.ok_or_else(|| Refusal::invalid(param, message))?;
    let found = call.account.pools.coupons().slot(id);
    found.ok_or_else(|| Refusal::missing("coupon", id, param, false))
}

fn customer(call: &Call<'_>) -> Result<Option<Box<str>>, Refusal> {
    if let Some(account) = call.params.text("customer_account") {
        return Err(Refusal::missing("account", account, "customer_account", false));
    }
    let given = call.params.text("customer");
    given
        .map(|id| customers::by_param(call, id, "customer").map(|_| id.into()))
        .transpose()
}

/// A code allows no more and no longer than its coupon (schema `promotion_code`, `max_redemptions` and `expires_at`).
fn within(coupon: &Coupon, max: Option<i64>, expires_at: Option<i64>) -> Result<(), Refusal> {
    if let (Some(most), Some(max)) = (coupon.max, max)
        && max > most
    {
        let message = format!(
            "The promotion code's max_redemptions ({max}) cannot be greater than the coupon's max_redemptions ({most})."
        );
        return Err(Refusal::rejected(Some("max_redemptions"), message));
    }
    if let (Some(last), Some(at)) = (coupon.redeem_by, expires_at)
        && at > last
    {
        let message = format!(
            "The promotion code's expires_at ({at}) cannot be after the coupon's redeem_by ({last})."
        );
        return Err(Refusal::rejected(Some("expires_at"), message));
    }
    Ok(())
}

fn restrictions(params: Params<'_>) -> Result<Restrictions, Refusal> {
    let Some(given) = params.hash("restrictions") else {
        return Ok(Restrictions::default());
    };
    let amount = given.int("minimum_amount");
    let code = given.text("minimum_amount_currency").filter(|c| !c.is_empty());
    let minimum = match (amount, code) {
        (None, None) => None,
        (Some(amount), Some(code)) => {
            let cur = Call::currency(code, "restrictions[minimum_amount_currency]")?;
            Some((cur, positive(amount, "restrictions[minimum_amount]")?))
        }
        (has, _) => {
            let (needs, with) = if has.is_some() {
                ("minimum_amount_currency", "minimum_amount")
            } else {
                ("minimum_amount", "minimum_amount_currency")
            };
            let message = format!("You must pass restrictions.{needs} when passing restrictions.{with}");
            return Err(Refusal::invalid(&format!("restrictions[{needs}]"), message));
        }
    };
    Ok(Restrictions {
        first_time: given.flag("first_time_transaction").unwrap_or(false),
        options: options(given.node("currency_options"), minimum)?,
        minimum,
    })
}

/// Minimum amounts in further currencies, for a code that has one.
fn options(given: Option<&Node>, minimum: Option<(Cur, i64)>) -> Result<BTreeMap<Cur, i64>, Refusal> {
    let mut options = BTreeMap::new();
    for (code, node) in given.map(Node::children).unwrap_or_default() {
        let name = format!("restrictions[currency_options][{code}]");
        let cur = Call::currency(code, &name)?;
        let Some((own, _)) = minimum else {
            let message =
                "You must pass restrictions.minimum_amount when passing restrictions.currency_options";
            return Err(Refusal::invalid(
                "restrictions[minimum_amount]",
                message.to_owned(),
            ));
        };
        if cur == own {
            let message = format!("`currency_options` may not contain the code's own currency, {code}.");
            return Err(Refusal::invalid(&name, message));
        }
        let param = format!("{name}[minimum_amount]");
        let missing = || {
            let message = format!("Missing required param: {param}.");
            Refusal::invalid_code(&param, "parameter_missing", message)
        };
        let amount = Params(node).int("minimum_amount").ok_or_else(missing)?;
        options.insert(cur, positive(amount, &param)?);
    }
    Ok(options)
}

/// The code's text: the one given, or one that is free.
fn new_text(call: &mut Call<'_>, customer: Option<&str>, on: bool) -> Result<String, Refusal> {
    let given = call.params.text("code").filter(|t| !t.is_empty());
    let Some(text) = given else {
        loop {
            let seed = call.new_seed("code");
            let text = ids::alnum(seed, GENERATED).to_ascii_uppercase();
            if call.account.pools.with_text(&text).is_empty() {
                return Ok(text);
            }
        }
    };
    if !text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    {
        let message = "Promotion codes can only contain letters, digits, dashes and underscores.".to_owned();
        return Err(Refusal::invalid("code", message));
    }
    if on {
        free(call.account, text, customer)?;
    }
    Ok(text.to_owned())
}

/// Refuses a text that an active code has, for this customer or for all.
fn free(account: &Account, text: &str, customer: Option<&str>) -> Result<(), Refusal> {
    if account.pools.taken(text, customer, account.now).is_none() {
        return Ok(());
    }
    let message = format!("An active promotion code with `code: {text}` already exists.");
    Err(Refusal::rejected(None, message))
}

/// `GET /v1/promotion_codes/{promotion_code}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::PromotionCode)?;
    let slot = slot(call)?;
    Ok(show(call, slot, &expand))
}

/// `GET /v1/promotion_codes`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::PromotionCode)?;
    let page = call.page()?;
    let (params, account) = (call.params, &*call.account);
    let pools = &account.pools;
    let text = params.text("code").map(str::to_lowercase);
    // One of that id: a deleted coupon's codes are not found by an id that may be another's by now.
    let coupon = params.text("coupon").map(|id| pools.coupons().slot(id));
    let keep = |code: &Code| {
        params
            .flag("active")
            .is_none_or(|a| a == pools.active(code, account.now))
            && text.as_ref().is_none_or(|t| code.text.to_lowercase() == *t)
            && coupon.is_none_or(|slot| slot == Some(code.coupon))
            && params
                .text("customer")
                .is_none_or(|id| code.customer.as_deref() == Some(id))
            && params.text("customer_account").is_none()
    };
    let codes = pools.codes();
    let cursor = |id: &str| codes.slot(id).map(|s| s as usize);
    let (data, more) = page.cut(codes.rows(), NAME, cursor, keep)?;
    let data = data
        .into_iter()
        .map(|c| promotion_codes_view::show(account, c, &expand));
    Ok(pages::envelope("/v1/promotion_codes", data.collect(), more))
}

/// `POST /v1/promotion_codes/{promotion_code}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::PromotionCode)?;
    let slot = slot(call)?;
    let params = call.params;
    let before = show(call, slot, &Expand::default());
    let added = later_options(call, slot)?;
    if params.flag("active") == Some(true) {
        may_be_active(call.account, slot)?;
    }
    let Some(code) = call.account.pools.code_mut(slot) else {
        return Err(Refusal::missing(NAME, call.arg(0), "promotion_code", true));
    };
    code.on = params.flag("active").unwrap_or(code.on);
    code.metadata.merge(params.node("metadata"));
    code.restrictions.options.extend(added);
    wrote(call, slot);
    let after = show(call, slot, &Expand::default());
    let previous = changed(&before, &after);
    call.event("promotion_code.updated", after, Some(previous));
    Ok(show(call, slot, &expand))
}

/// The currencies an update adds or changes.
fn later_options(call: &Call<'_>, slot: u32) -> Result<BTreeMap<Cur, i64>, Refusal> {
    let given = call.params.hash("restrictions");
    let given = given.and_then(|r| r.node("currency_options"));
    let code = call.account.pools.codes().at(slot);
    options(given, code.and_then(|c| c.restrictions.minimum))
}

/// A code is made active again only if it could be redeemed then (schema `promotion_code`, parameter `active`).
fn may_be_active(account: &Account, slot: u32) -> Result<(), Refusal> {
    let Some(code) = account.pools.codes().at(slot) else {
        return Ok(());
    };
    let why = match account.pools.dead(code, account.now) {
        None if code.on => return Ok(()),
        None => return free(account, &code.text, code.customer.as_deref()),
        Some(Dead::Deleted) => "its coupon has been deleted",
        Some(Dead::Expired) => "it has expired",
        Some(Dead::UsedUp) => "it has been used the maximum number of times",
    };
    let message = format!("This promotion code cannot be made active because {why}.");
    Err(Refusal::rejected(Some("active"), message))
}

fn wrote(call: &mut Call<'_>, slot: u32) {
    call.pooled.push(Pooled::Code(slot));
    let code = call.account.pools.codes().at(slot);
    if let Some(customer) = code.and_then(|c| c.customer.clone()) {
        call.touch(&customer);
    }
}

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.pools.codes().slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "promotion_code", true))
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let code = call.account.pools.codes().at(slot);
    code.map_or(Value::Null, |c| {
        promotion_codes_view::show(call.account, c, expand)
    })
}
