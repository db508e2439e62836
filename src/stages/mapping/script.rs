//! The script of one row: look whether the new account still is as planned, then write. PURE.
//!
//! A field that holds what was to be written already is done without a write; one that holds neither what was planned
//! from nor what was to be written has drifted, and somebody else's word is left alone.

use super::effects::{Payload, TAX_ID, field_now};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::record::RowEnd;
use crate::domain::write::PlannedWrite;
use crate::stages::{Fact, Look, Step};
use crate::stripe::wire::{CustomerProfile, TaxId};

/// Label of the look at the customer.
pub const CUSTOMER_NOW: &str = "customer_now";
/// Label of the look at its tax ids.
pub const TAX_IDS_NOW: &str = "tax_ids_now";

/// What comes next for `change`.
#[must_use]
pub fn next(change: &Change, facts: &[Fact]) -> Step {
    let (Some(write), Some(payload)) = (change.writes_now().first(), Payload::parse(&change.payload)) else {
        return end(
            RowEnd::Failed,
            "the plan's row has no write this program knows; make the plan again",
        );
    };
    let wrote = facts
        .iter()
        .any(|fact| matches!(fact, Fact::Wrote { op, .. } if *op == write.op));
    if wrote {
        return end(RowEnd::Done, "");
    }
    match payload {
        Payload::Customer { customer, held, .. } => update(write, &customer, &held, facts),
        Payload::TaxId {
            customer,
            kind,
            value,
        } if write.op == TAX_ID => tax_id(write, &customer, &kind, &value, facts),
        _ => end(
            RowEnd::Failed,
            "the plan's row is about something else than its write; make the plan again",
        ),
    }
}

fn update(write: &PlannedWrite, customer: &str, held: &[(String, String)], facts: &[Fact]) -> Step {
    let items = match saw(facts, CUSTOMER_NOW) {
        Seen::NotLooked => return look(CUSTOMER_NOW, format!("/v1/customers/{customer}"), false),
        Seen::Nothing => &[],
        Seen::Items(items) => items,
    };
    let now = items
        .first()
        .map(|item| serde_json::from_slice::<CustomerProfile>(item));
    let now = match now {
        Some(Ok(now)) if !now.deleted => now,
        Some(Err(_)) => {
            return end(
                RowEnd::Failed,
                "the customer on the new account could not be read",
            );
        }
        _ => return end(RowEnd::Drifted, "the customer is not on the new account any more"),
    };
    let as_wanted = write
        .form
        .iter()
        .all(|(name, value)| field_now(&now, name) == *value);
    if as_wanted {
        return end(RowEnd::Done, "it was so already when it was to be written");
    }
    let moved = held.iter().find(|(name, was)| {
        let is = field_now(&now, name);
        let wanted = write
            .form
            .iter()
            .find(|(sent, _)| sent == name)
            .map(|(_, value)| value);
        is != *was && Some(&is) != wanted
    });
    match moved {
        None => Step::Write(write.clone()),
        Some((name, _)) => end(
            RowEnd::Drifted,
            &format!("{name} changed on the new account since the plan was made; read again"),
        ),
    }
}

fn tax_id(write: &PlannedWrite, customer: &str, kind: &str, value: &str, facts: &[Fact]) -> Step {
    match saw(facts, TAX_IDS_NOW) {
        Seen::NotLooked => look(TAX_IDS_NOW, format!("/v1/customers/{customer}/tax_ids"), true),
        Seen::Nothing => end(RowEnd::Drifted, "the customer is not on the new account any more"),
        Seen::Items(items) => {
            let there = items
                .iter()
                .filter_map(|item| serde_json::from_slice::<TaxId>(item).ok())
                .any(|id| id.kind == kind && id.value == value);
            if there {
                end(RowEnd::Done, "it was there already when it was to be written")
            } else {
                Step::Write(write.clone())
            }
        }
    }
}

fn look(label: &'static str, path: String, list: bool) -> Step {
    Step::Look(Look {
        label,
        role: Role::Destination,
        path,
        query: Vec::new(),
        list,
    })
}

/// What a look saw.
enum Seen<'a> {
    NotLooked,
    /// It does not exist.
    Nothing,
    Items(&'a [bytes::Bytes]),
}

fn saw<'a>(facts: &'a [Fact], wanted: &str) -> Seen<'a> {
    let seen = facts.iter().rev().find_map(|fact| match fact {
        Fact::Saw { label, items, .. } if *label == wanted => Some(items),
        _ => None,
    });
    match seen {
        None => Seen::NotLooked,
        Some(None) => Seen::Nothing,
        Some(Some(items)) => Seen::Items(items),
    }
}

fn end(end: RowEnd, why: &str) -> Step {
    Step::End {
        end,
        why: why.to_owned(),
        moved: None,
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
