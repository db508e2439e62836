//! One row per product, price and tax rate. PURE. The first case that applies decides.

use super::Scene;
use super::assemble::{self, Made};
use super::standing::{self, Standing};
use crate::domain::change::{Change, Risk, Verdict};
use crate::domain::text::safe;
use crate::stages::catalogue::effects::{Effects, MOST_OWN_KEYS};
use crate::stages::catalogue::facts::{Item, Kind, Special};
use crate::stages::catalogue::fields::Fields;

pub(super) const NOT_USED: &str = "not_used";
pub(super) const RUNBOOK: &str = "runbook";
pub(super) const METERED: &str = "metered";
pub(super) const INACTIVE_IN_USE: &str = "inactive_in_use";
const EQUAL: &str = "equal_exists";

pub(super) fn product(scene: &Scene<'_>, item: &Item) -> Change {
    row(scene, item, |_| None)
}

pub(super) fn tax_rate(scene: &Scene<'_>, item: &Item) -> Change {
    row(scene, item, |_| None)
}

pub(super) fn price(scene: &Scene<'_>, item: &Item) -> Change {
    row(scene, item, |existing| price_only(scene, item, existing))
}

/// What stands for a price over there, if exactly one does and it is equal, and whether it will be created.
pub(super) fn fate(scene: &Scene<'_>, item: &Item) -> (Verdict, Option<String>) {
    let row = price(scene, item);
    let existing = assemble::payload(&row).and_then(|payload| payload.existing);
    (row.verdict, existing)
}

/// Whether the product with that id is on the new account, or will be.
fn has_product(scene: &Scene<'_>, id: &str) -> bool {
    let there = scene.world.destination.products.contains_key(id);
    there
        || scene
            .world
            .source
            .products
            .get(id)
            .is_some_and(|item| product(scene, item).verdict == Verdict::Planned)
}

fn row(scene: &Scene<'_>, item: &Item, own: impl FnOnce(Option<&Item>) -> Option<Made>) -> Change {
    let fields = scene.fields(item);
    let found = standing::of(item, &fields, &scene.world.destination);
    let existing = match &found {
        Standing::One(there, _) => Some(*there),
        _ => None,
    };
    let made = not_used(scene, item)
        .or_else(|| before_comparing(item))
        .or_else(|| compared(item, &fields, &found))
        .or_else(|| own(existing))
        .or_else(|| too_many_keys(item))
        .unwrap_or_else(|| planned(scene, item, &fields));
    // What has nothing to do stands for the old one only where it is equal: nobody signed for it.
    let stands =
        |there: &&Item| made.verdict != Verdict::Noop || fields.differences(&there.fields).is_empty();
    let existing = existing.filter(stands);
    assemble::row(scene, item, fields, existing, made)
}

fn not_used(scene: &Scene<'_>, item: &Item) -> Option<Made> {
    let why = match item.kind {
        Kind::Price if item.active => "its product is inactive, and no live subscription in scope uses it",
        Kind::Price => "it is inactive, and no live subscription in scope uses it",
        _ => "it is inactive, and no live subscription in scope uses it or a price of it",
    };
    (!scene.wanted(item)).then(|| Made::noop(NOT_USED, why.to_owned()))
}

/// What this program never creates, whatever is over there.
fn before_comparing(item: &Item) -> Option<Made> {
    if item.special == Some(Special::Metered) {
        let why = "it is billed by usage: it needs a meter on the new account and the usage of the running period, which \
                   this program does not move; leave it out, and move it by hand";
        return Some(Made::blocked(METERED, why.to_owned()));
    }
    if item.special == Some(Special::CustomAmount) {
        let why = "the buyer chooses the amount (\"pay what you want\"); such a price is sold through live pages, so a \
                   person makes it anew by the runbook";
        return Some(Made::left_out(RUNBOOK, why.to_owned()));
    }
    let (rule, why) = item.trouble.as_ref()?;
    Some(Made::blocked(rule, why.clone()))
}

fn compared(item: &Item, fields: &Fields, found: &Standing<'_>) -> Option<Made> {
    match found {
        Standing::Nothing => None,
        Standing::Several(ids) => {
            let why = format!(
                "several on the new account carry our marker of it ({}); make all but one inactive and take the marker \
                 off, then read again",
                safe(&ids.join(", "))
            );
            Some(Made::blocked("ambiguous", why))
        }
        Standing::One(there, by) => {
            if let Some((_, why)) = &there.trouble {
                return Some(Made::blocked("unreadable", format!("on the new account, {why}")));
            }
            let differences = fields.differences(&there.fields);
            if differences.is_empty() {
                let why = format!(
                    "{} on the new account, found by {by}, is equal in every field",
                    safe(&there.id)
                );
                return Some(Made::noop(EQUAL, why));
            }
            let why = format!(
                "{} on the new account, found by {by}, differs in {}; it is not changed: sign for using it as it is, or \
                 correct it and read again",
                safe(&there.id),
                differences.join(", ")
            );
            Some(Made::blocked(differs(item.kind), why))
        }
    }
}

const fn differs(kind: Kind) -> &'static str {
    match kind {
        Kind::Product => "product_differs",
        Kind::TaxRate => "tax_rate_differs",
        _ => "price_differs",
    }
}

fn price_only(scene: &Scene<'_>, item: &Item, existing: Option<&Item>) -> Option<Made> {
    if existing.is_none() && scene.linked.contains(item.id.as_str()) && !scene.used(item) {
        let why = "only live payment links sell it, and no live subscription in scope uses it; a person makes the links \
                   anew by the runbook, with their prices";
        return Some(Made::left_out(RUNBOOK, why.to_owned()));
    }
    if let Some(holder) = standing::holder_of_key(item, &scene.world.destination) {
        let why = format!(
            "its lookup key belongs to {} of product {} on the new account, and an account has a key only once",
            safe(&holder.id),
            safe(&holder.product)
        );
        return Some(Made::blocked("lookup_key_taken", why));
    }
    if has_product(scene, &item.product) {
        return None;
    }
    let why = format!(
        "its product {} is not on the new account and is not planned; decide that one first, then read again",
        safe(&item.product)
    );
    Some(Made::blocked("product_blocked", why))
}

fn too_many_keys(item: &Item) -> Option<Made> {
    let why = format!(
        "it has {} metadata keys; Stripe allows fifty, of which this program needs four",
        item.own_keys
    );
    (item.own_keys > MOST_OWN_KEYS).then(|| Made::blocked("too_many_metadata", why))
}

fn planned(scene: &Scene<'_>, item: &Item, fields: &Fields) -> Made {
    let effects = Effects {
        accounts: scene.rules.accounts,
    };
    let legacy = item.kind == Kind::Price && !item.id.starts_with("price_");
    let (rule, why) = match (item.active, legacy) {
        (false, _) => (
            INACTIVE_IN_USE,
            "it is inactive, and a live subscription in scope uses it",
        ),
        (true, true) => (
            "legacy_plan",
            "it was a plan of its own; nothing on the new account stands for it",
        ),
        (true, false) => ("missing", "nothing on the new account stands for it"),
    };
    let id = if item.kind == Kind::Product {
        "under the same id"
    } else {
        "and gets a new id"
    };
    let state = if fields.get("active") == Some("false") {
        ", inactive,"
    } else {
        ""
    };
    Made {
        verdict: Verdict::Planned,
        rule: rule.to_owned(),
        why: why.to_owned(),
        effect: format!(
            "The {} is created{state} {id}, with every field it has.",
            item.kind.in_words()
        ),
        risk: if scene.tax.concerns(item) {
            Risk::Medium
        } else {
            Risk::Low
        },
        writes: effects.create(item, fields).into_iter().collect(),
    }
}
