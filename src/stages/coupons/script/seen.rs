//! What the scripts' looks see, and the steps every script has.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::ids::Role;
use crate::domain::record::{Attested, RowEnd};
use crate::domain::text::safe;
use crate::domain::write::{CAP, PlannedWrite, marker};
use crate::stages::{Fact, Look, Step};
use crate::stripe::allow::path;
use crate::stripe::wire::Decimal;

/// A script goes on with what it got, or with the step that has to be taken first.
pub(in crate::stages::coupons) type Or<T> = Result<T, Box<Step>>;

/// A promotion code, as a look sees it.
#[derive(Deserialize)]
pub(in crate::stages::coupons) struct Code {
    pub(in crate::stages::coupons) id: String,
    pub(in crate::stages::coupons) active: bool,
    customer: Option<Whose>,
    pub(in crate::stages::coupons) max_redemptions: Option<i64>,
    pub(in crate::stages::coupons) times_redeemed: i64,
    pub(in crate::stages::coupons) expires_at: Option<i64>,
    metadata: Option<BTreeMap<String, String>>,
}

/// An id, or the object where Stripe was asked to expand it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Whose {
    Id(String),
    Object { id: String },
}

impl Code {
    /// The one customer who may use it.
    pub(in crate::stages::coupons) fn customer(&self) -> Option<&str> {
        self.customer.as_ref().map(|whose| match whose {
            Whose::Id(id) | Whose::Object { id } => id.as_str(),
        })
    }

    /// Our marker `name`.
    pub(in crate::stages::coupons) fn mark(&self, name: &str) -> Option<&str> {
        self.metadata.as_ref()?.get(name).map(String::as_str)
    }

    /// What is left of its own limit.
    pub(in crate::stages::coupons) fn left(&self) -> Option<i64> {
        self.max_redemptions
            .map(|most| most.saturating_sub(self.times_redeemed))
    }
}

/// A coupon, as a look sees it.
#[derive(Deserialize)]
pub(in crate::stages::coupons) struct Coupon {
    pub(in crate::stages::coupons) valid: bool,
    pub(in crate::stages::coupons) max_redemptions: Option<i64>,
    pub(in crate::stages::coupons) times_redeemed: i64,
    pub(in crate::stages::coupons) redeem_by: Option<i64>,
    pub(in crate::stages::coupons) percent_off: Option<Decimal>,
    pub(in crate::stages::coupons) amount_off: Option<i64>,
    pub(in crate::stages::coupons) currency: Option<String>,
    pub(in crate::stages::coupons) duration: String,
    pub(in crate::stages::coupons) duration_in_months: Option<i64>,
    metadata: Option<BTreeMap<String, String>>,
}

impl Coupon {
    /// Our marker `name`.
    pub(in crate::stages::coupons) fn mark(&self, name: &str) -> Option<&str> {
        self.metadata.as_ref()?.get(name).map(String::as_str)
    }

    /// What is left of its limit.
    pub(in crate::stages::coupons) fn left(&self) -> Option<i64> {
        self.max_redemptions
            .map(|most| most.saturating_sub(self.times_redeemed))
    }
}

#[derive(Deserialize)]
struct Deleted {
    #[serde(default)]
    deleted: bool,
}

/// What one look saw, and when, in seconds; the look itself where nobody looked yet. `None`: there is no such object.
pub(in crate::stages::coupons) fn one<T: DeserializeOwned>(
    facts: &[Fact],
    look: Look,
) -> Or<(Option<T>, i64)> {
    let Some((items, at)) = saw(facts, look.label) else {
        return Err(Box::new(Step::Look(look)));
    };
    let Some(object) = items.and_then(<[Bytes]>::first) else {
        return Ok((None, at));
    };
    if serde_json::from_slice::<Deleted>(object).is_ok_and(|object| object.deleted) {
        return Ok((None, at));
    }
    Ok((Some(read(object, look.role)?), at))
}

/// The rows of a list, and when; the look itself where nobody looked yet.
pub(in crate::stages::coupons) fn list<T: DeserializeOwned>(facts: &[Fact], look: Look) -> Or<(Vec<T>, i64)> {
    let Some((items, at)) = saw(facts, look.label) else {
        return Err(Box::new(Step::Look(look)));
    };
    let items = items.unwrap_or_default().iter();
    let items: Or<Vec<T>> = items.map(|object| read(object, look.role)).collect();
    Ok((items?, at))
}

fn read<T: DeserializeOwned>(object: &Bytes, role: Role) -> Or<T> {
    serde_json::from_slice(object).map_err(|why| {
        let why = safe(&why.to_string());
        Box::new(drifted(&format!(
            "what the {role} account says of it could not be read: {why}"
        )))
    })
}

fn saw<'a>(facts: &'a [Fact], wanted: &str) -> Option<(Option<&'a [Bytes]>, i64)> {
    facts.iter().rev().find_map(|fact| match fact {
        Fact::Saw { label, items, at } if *label == wanted => Some((items.as_deref(), at.secs())),
        _ => None,
    })
}

/// A look at one code.
pub(in crate::stages::coupons) fn code(label: &'static str, role: Role, id: &str) -> Look {
    single(label, role, path("/v1/promotion_codes/{}", &[id]))
}

/// A look at one coupon.
pub(in crate::stages::coupons) fn coupon(label: &'static str, role: Role, id: &str) -> Look {
    single(label, role, path("/v1/coupons/{}", &[id]))
}

fn single(label: &'static str, role: Role, path: String) -> Look {
    Look {
        label,
        role,
        path,
        query: Vec::new(),
        list: false,
    }
}

/// A look at codes, active or not, by one filter.
pub(in crate::stages::coupons) fn codes(label: &'static str, role: Role, name: &str, value: &str) -> Look {
    Look {
        label,
        role,
        path: "/v1/promotion_codes".to_owned(),
        query: vec![(name.to_owned(), value.to_owned())],
        list: true,
    }
}

/// What was attested of the write `op`, if it happened.
pub(in crate::stages::coupons) fn wrote<'a>(facts: &'a [Fact], wanted: &str) -> Option<&'a Attested> {
    facts.iter().find_map(|fact| match fact {
        Fact::Wrote { op, attested } if op == wanted => Some(attested),
        _ => None,
    })
}

/// Whether the other rows of the pool had their turn.
pub(in crate::stages::coupons) fn gave_way(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::GaveWay))
}

/// What `write` sends in `field`.
pub(in crate::stages::coupons) fn sent<'a>(write: &'a PlannedWrite, field: &str) -> Option<&'a str> {
    let found = write.form.iter().find(|(name, _)| name == field);
    found.map(|(_, value)| value.as_str())
}

/// The limit `write` sets, `None` where it sets none; one that is no number ends the row.
pub(in crate::stages::coupons) fn cap(write: &PlannedWrite) -> Or<Option<i64>> {
    match sent(write, CAP).map(str::parse::<i64>) {
        None => Ok(None),
        Some(Ok(cap)) => Ok(Some(cap)),
        Some(Err(_)) => Err(Box::new(failed("its limit is no number; make the plan again"))),
    }
}

/// The same write with a limit of `cap`.
pub(in crate::stages::coupons) fn capped(write: &PlannedWrite, cap: i64) -> PlannedWrite {
    let mut write = write.clone();
    for (name, value) in &mut write.form {
        if name == CAP {
            *value = cap.to_string();
        }
    }
    write
}

/// Name of the marker that holds an effect.
pub(in crate::stages::coupons) const EFFECT: &str = marker::EFFECT;
/// Name of the marker that holds the old id.
pub(in crate::stages::coupons) const OF: &str = marker::OF;

pub(in crate::stages::coupons) fn ended(end: RowEnd, why: &str) -> Step {
    Step::End {
        end,
        why: why.to_owned(),
        moved: None,
    }
}

pub(in crate::stages::coupons) fn drifted(why: &str) -> Step {
    ended(RowEnd::Drifted, why)
}

pub(in crate::stages::coupons) fn failed(why: &str) -> Step {
    ended(RowEnd::Failed, why)
}

/// Stops here with `step`.
pub(in crate::stages::coupons) fn stop<T>(step: Step) -> Or<T> {
    Err(Box::new(step))
}
