//! The script of one row: look at the new account, then write once. PURE: from the row and what has happened so far to
//! the next step, so that a crash at any point resumes by the same function.
//!
//! ```text
//!  product         is one of that id there?   yes ─► drifted     no ─► create ─► done
//!  price           is its product there?      no  ─► drifted
//!                  is one with our mark?      yes ─► drifted     no ─► create ─► done
//!  tax rate        is one with our mark?      yes ─► drifted     no ─► create ─► done
//!  default price   is it as when planned?     no  ─► drifted
//!                  what stands for it?        nothing, several ─► drifted    one ─► set ─► done
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::effects::{
    CREATE_PRICE, CREATE_PRODUCT, CREATE_TAX_RATE, Payload, SET_DEFAULT_PRICE, product_path, sent,
};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::domain::write::{PlannedWrite, is_place, marker};
use crate::stages::{Fact, Look, Step};
use crate::stripe::wire::Product;

/// Label of the last look at the product.
pub const PRODUCT_NOW: &str = "product_now";
/// Label of the last look at what is listed beside the object: prices of the product, or tax rates.
pub const LISTED_NOW: &str = "listed_now";

/// What comes next for `change`.
#[must_use]
pub fn next(change: &Change, facts: &[Fact]) -> Step {
    let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
        return end(
            RowEnd::Failed,
            "the plan's row cannot be read; make the plan again",
        );
    };
    let [write] = change.writes_now() else {
        return end(
            RowEnd::Failed,
            "the plan's row has not the one write this program knows; make the plan again",
        );
    };
    if wrote(facts, &write.op) {
        return end(RowEnd::Done, "");
    }
    match write.op.as_str() {
        CREATE_PRODUCT => create_product(write, &payload, facts),
        CREATE_PRICE => create_price(write, &payload, facts),
        CREATE_TAX_RATE => beside(write, &payload, facts),
        SET_DEFAULT_PRICE => set_default(write, &payload, facts),
        _ => end(
            RowEnd::Failed,
            "the plan's row has a write this program does not know; make the plan again",
        ),
    }
}

fn create_product(write: &PlannedWrite, payload: &Payload, facts: &[Fact]) -> Step {
    match product(payload, facts) {
        Err(step) => *step,
        Ok(Some(_)) => drifted("a product of that id appeared on the new account meanwhile; read again"),
        Ok(None) => Step::Write(write.clone()),
    }
}

fn create_price(write: &PlannedWrite, payload: &Payload, facts: &[Fact]) -> Step {
    match product(payload, facts) {
        Err(step) => *step,
        Ok(None) => drifted("its product is not on the new account"),
        Ok(Some(_)) => beside(write, payload, facts),
    }
}

/// Looks whether something of our mark is listed already, then writes.
fn beside(write: &PlannedWrite, payload: &Payload, facts: &[Fact]) -> Step {
    match listed(payload, facts, sent(write, "active")) {
        Err(step) => *step,
        Ok(listed) if listed.iter().any(|other| other.stands_for(&payload.old)) => {
            drifted("another run created it meanwhile; read again")
        }
        Ok(_) => Step::Write(write.clone()),
    }
}

fn set_default(write: &PlannedWrite, payload: &Payload, facts: &[Fact]) -> Step {
    let there = match product(payload, facts) {
        Err(step) => return *step,
        Ok(None) => return drifted("the product is not on the new account"),
        Ok(Some(there)) => there,
    };
    if there.default_price != payload.default_before {
        return drifted("the default price on the new account changed meanwhile; read again");
    }
    if !sent(write, "default_price").is_some_and(is_place) {
        return Step::Write(write.clone());
    }
    let listed = match listed(payload, facts, None) {
        Err(step) => return *step,
        Ok(listed) => listed,
    };
    let marked: Vec<&Seen> = listed
        .iter()
        .filter(|price| price.stands_for(&payload.old))
        .collect();
    let known = || {
        listed
            .iter()
            .filter(|price| Some(&price.id) == payload.existing.as_ref())
    };
    let found = if marked.is_empty() {
        known().collect()
    } else {
        marked
    };
    match found.as_slice() {
        [one] => Step::Write(filled(write, &one.id)),
        [] => drifted("nothing on the new account stands for the price; see its own row"),
        several => {
            let ids: Vec<&str> = several.iter().map(|price| price.id.as_str()).collect();
            let why = format!(
                "several on the new account stand for the price: {}",
                safe(&ids.join(", "))
            );
            drifted(&why)
        }
    }
}

fn filled(write: &PlannedWrite, id: &str) -> PlannedWrite {
    let mut write = write.clone();
    for (_, value) in write.form.iter_mut().filter(|(_, value)| is_place(value)) {
        id.clone_into(value);
    }
    write
}

/// What a look sees of a price or a tax rate.
#[derive(Deserialize)]
struct Seen {
    id: String,
    metadata: Option<BTreeMap<String, String>>,
}

impl Seen {
    fn stands_for(&self, old: &str) -> bool {
        let of = self.metadata.as_ref().and_then(|all| all.get(marker::OF));
        of.is_some_and(|of| of == old)
    }
}

/// The product on the new account, if it is there; or the step to take first.
fn product(payload: &Payload, facts: &[Fact]) -> Result<Option<Product>, Box<Step>> {
    let look = Look {
        label: PRODUCT_NOW,
        role: Role::Destination,
        path: product_path(&payload.product),
        query: Vec::new(),
        list: false,
    };
    let seen: Vec<Product> = saw(facts, look)?;
    Ok(seen.into_iter().find(|product| !product.deleted))
}

/// The other prices of the product, or the other tax rates; or the step to take first.
fn listed(payload: &Payload, facts: &[Fact], active: Option<&str>) -> Result<Vec<Seen>, Box<Step>> {
    let mut query = Vec::new();
    if !payload.product.is_empty() {
        query.push(("product".to_owned(), payload.product.clone()));
    }
    query.extend(active.map(|active| ("active".to_owned(), active.to_owned())));
    let path = if payload.product.is_empty() {
        "/v1/tax_rates"
    } else {
        "/v1/prices"
    };
    saw(
        facts,
        Look {
            label: LISTED_NOW,
            role: Role::Destination,
            path: path.to_owned(),
            query,
            list: true,
        },
    )
}

/// What the newest look of that label saw, or the step that looks.
fn saw<T: DeserializeOwned>(facts: &[Fact], look: Look) -> Result<Vec<T>, Box<Step>> {
    let items = facts.iter().rev().find_map(|fact| match fact {
        Fact::Saw { label, items, .. } if *label == look.label => Some(items),
        _ => None,
    });
    let Some(items) = items else {
        return Err(Box::new(Step::Look(look)));
    };
    let items: &[Bytes] = items.as_deref().unwrap_or_default();
    let read = |item: &Bytes| serde_json::from_slice(item);
    items
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|_| Box::new(drifted("what is on the new account now could not be read")))
}

fn wrote(facts: &[Fact], wanted: &str) -> bool {
    facts
        .iter()
        .any(|fact| matches!(fact, Fact::Wrote { op, .. } if op == wanted))
}

fn drifted(why: &str) -> Step {
    end(RowEnd::Drifted, why)
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
