//! Whether an answer, or an object found by a probe, is what was sent: every term in both directions (one that was not
//! sent and is there makes it another coupon), limit, text, customer, state, marker, mode.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::effects::{
    CLOSE_OLD, CREATE_CARRY, CREATE_CODE, CREATE_COUPON, RECREATE_OLD, REOPEN_OLD, UNDO_CODE, UNDO_COUPON,
    UNDO_RECREATE, UNDO_REOPEN, UNDO_RESTORE, UNDO_SETTLE, code_path,
};
use super::fields::{self, Fields, PRODUCTS};
use crate::domain::record::Attested;
use crate::domain::write::{CAP, PlannedWrite, marker};
use crate::stripe::allow::path;
use crate::stripe::wire::{Coupon, PromotionCode};

#[derive(Deserialize)]
struct Head {
    id: String,
    object: String,
    #[serde(default)]
    deleted: bool,
}

/// What `object` attests about `write`, or which field is not as it was sent.
pub(super) fn attest(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let head: Head = read(object)?;
    match write.op.as_str() {
        CREATE_COUPON | CREATE_CARRY => created_coupon(write, object, livemode)?,
        CREATE_CODE | RECREATE_OLD | UNDO_RESTORE => created_code(write, object, livemode)?,
        op if switches(op) => switched(write, object, livemode)?,
        UNDO_COUPON => {
            check("id", &write.path, &path("/v1/coupons/{}", &[&head.id]))?;
            check("deleted", "true", &head.deleted.to_string())?;
        }
        other => return Err(format!("this program knows no write {other}")),
    }
    let word = match write.op.as_str() {
        CREATE_COUPON | CREATE_CARRY | UNDO_COUPON => "coupon",
        _ => "promotion_code",
    };
    check("object", word, &head.object)?;
    Ok(Attested {
        object: head.id,
        ..Attested::default()
    })
}

/// Whether `object`, seen after an unknown outcome, came of `write`: by its marker, and of a switch by the state it is
/// in as well, because whoever switches back leaves our marker standing.
pub(super) fn is_effect(write: &PlannedWrite, object: &[u8]) -> bool {
    let marked = crate::stages::marker_of(object).is_some_and(|effect| effect == write.effect.0);
    let stands = || {
        let code = read::<PromotionCode>(object).ok();
        code.is_some_and(|code| sent(write, "active") == Some(code.active.to_string().as_str()))
    };
    match write.op.as_str() {
        op if switches(op) => marked && stands(),
        _ => marked,
    }
}

/// Whether `op` switches a code off or on.
fn switches(op: &str) -> bool {
    matches!(
        op,
        CLOSE_OLD | REOPEN_OLD | UNDO_CODE | UNDO_RECREATE | UNDO_REOPEN | UNDO_SETTLE
    )
}

/// The value of a field of a write's form.
pub(super) fn sent<'a>(write: &'a PlannedWrite, name: &str) -> Option<&'a str> {
    let field = write.form.iter().find(|(field, _)| field == name);
    field.map(|(_, value)| value.as_str())
}

fn created_coupon(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<(), String> {
    let coupon: Coupon = read(object)?;
    check("livemode", &livemode.to_string(), &coupon.livemode.to_string())?;
    check("id", sent(write, "id").unwrap_or_default(), &coupon.id)?;
    limit(write, coupon.max_redemptions)?;
    terms(write, &fields::of_coupon(&coupon))?;
    marks(write, &coupon.metadata)
}

fn created_code(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<(), String> {
    let code: PromotionCode = read(object)?;
    let wanted = |name: &str| sent(write, name).unwrap_or_default();
    check("livemode", &livemode.to_string(), &code.livemode.to_string())?;
    check("code", wanted("code"), &code.code)?;
    check("promotion[type]", wanted("promotion[type]"), &code.promotion.kind)?;
    let coupon = code.promotion.coupon.as_deref();
    check(
        "promotion[coupon]",
        wanted("promotion[coupon]"),
        coupon.unwrap_or_default(),
    )?;
    check(
        "customer",
        wanted("customer"),
        code.customer_id().unwrap_or_default(),
    )?;
    limit(write, code.max_redemptions)?;
    terms(write, &fields::of_code(&code))?;
    marks(write, &code.metadata)
}

fn switched(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<(), String> {
    let code: PromotionCode = read(object)?;
    check("livemode", &livemode.to_string(), &code.livemode.to_string())?;
    check("id", &write.path, &code_path(&code.id))?;
    check(
        "active",
        sent(write, "active").unwrap_or_default(),
        &code.active.to_string(),
    )?;
    marks(write, &code.metadata)
}

fn limit(write: &PlannedWrite, have: Option<i64>) -> Result<(), String> {
    let have = have.map_or_else(String::new, |have| have.to_string());
    check(CAP, sent(write, CAP).unwrap_or_default(), &have)
}

/// Every term that was sent, and none besides.
fn terms(write: &PlannedWrite, have: &Fields) -> Result<(), String> {
    let pairs = write
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let (want, have) = (
        by_name(pairs.filter(|(name, _)| is_term(name))),
        by_name(have.iter()),
    );
    let nothing = String::new();
    let value = |all: &BTreeMap<String, String>, name: &String| all.get(name).unwrap_or(&nothing).clone();
    want.keys()
        .chain(have.keys())
        .try_for_each(|name| check(name, &value(&want, name), &value(&have, name)))
}

fn is_term(name: &str) -> bool {
    let ours = name.starts_with("metadata[cutover_") || name.starts_with("expand[");
    let reckoned = name.starts_with("promotion[") || matches!(name, "id" | "code" | "customer" | CAP);
    !ours && !reckoned
}

/// Products as one field, because their order says nothing; a condition that does not hold as none.
fn by_name<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let (mut all, mut products) = (BTreeMap::new(), Vec::new());
    for (name, value) in pairs {
        if name.starts_with(PRODUCTS) {
            products.push(value);
        } else if (name, value) != ("restrictions[first_time_transaction]", "false") {
            all.insert(name.to_owned(), value.to_owned());
        }
    }
    if !products.is_empty() {
        products.sort_unstable();
        all.insert(PRODUCTS.to_owned(), products.join(","));
    }
    all
}

fn marks(write: &PlannedWrite, metadata: &BTreeMap<String, String>) -> Result<(), String> {
    let have = |name: &str| metadata.get(name).map_or("", String::as_str);
    let of = format!("metadata[{}]", marker::OF);
    if let Some(want) = sent(write, &of) {
        check(&of, want, have(marker::OF))?;
    }
    if write.marked {
        check("metadata[cutover_effect]", &write.effect.0, have(marker::EFFECT))?;
    }
    Ok(())
}

fn read<T: DeserializeOwned>(object: &[u8]) -> Result<T, String> {
    serde_json::from_slice(object).map_err(|e| format!("the answer cannot be read: {e}"))
}

fn check(name: &str, want: &str, have: &str) -> Result<(), String> {
    if want == have {
        return Ok(());
    }
    Err(format!("{name} is `{have}` where `{want}` was sent"))
}

#[cfg(test)]
#[path = "attest_tests.rs"]
mod tests;
