//! Whether what was written is what is there, by another path. PURE: compares the plan with the new account's lists as
//! they are now, field by field.
//!
//! | | read from |
//! |---|---|
//! | what was wanted | the old account's lists, kept in the plan's row |
//! | the write's own attestation | the response of the `POST` |
//! | this audit | the new account's lists, every object again, found by its marker rather than by the id it was given |

use std::collections::BTreeMap;

use super::effects::Payload;
use super::facts::{Item, Kind, Shelf};
use super::plan::USE_EXISTING;
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::stages::Audit;

/// How a row ended.
pub type End = (ChangeKey, RowEnd, Option<Money>);

/// Compares every row that was written, and every one that was there already, with what is there now.
#[must_use]
pub fn compare(plan: &Plan, ends: &[End], there: &Shelf) -> Audit {
    let ends: BTreeMap<&ChangeKey, RowEnd> = ends.iter().map(|(key, end, _)| (key, *end)).collect();
    let (mut compared, mut findings) = (0, Vec::new());
    for change in plan.changes() {
        let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
            continue;
        };
        let end = ends.get(&change.key).copied();
        let stands = stands(change, end, &payload);
        if stands == Stands::Equal {
            compared += 1;
            findings.extend(differs(&payload, there));
        }
        if stands == Stands::Nothing {
            findings.extend(missing(change, end, &payload));
        }
    }
    findings.sort();
    Audit { compared, findings }
}

/// Whether something stands for the old object after this plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Something that has to be equal.
    Equal,
    /// Something that a person signed for.
    Signed,
    /// Nothing.
    Nothing,
}

fn stands(change: &Change, end: Option<RowEnd>, payload: &Payload) -> Stands {
    match (change.verdict, end) {
        (Verdict::Planned, Some(RowEnd::Done)) | (Verdict::LeftOut, _) if uses_existing(change) => {
            Stands::Signed
        }
        (Verdict::Planned, Some(RowEnd::Done)) => Stands::Equal,
        (Verdict::Noop, _) if payload.existing.is_some() => Stands::Equal,
        _ => Stands::Nothing,
    }
}

/// Whether a person signed for what is on the new account, different as it is.
#[must_use]
pub fn uses_existing(change: &Change) -> bool {
    change
        .decision
        .as_ref()
        .is_some_and(|decision| decision.choice == USE_EXISTING)
}

fn differs(payload: &Payload, there: &Shelf) -> Option<Finding> {
    let at = &payload.old;
    if payload.kind == Kind::DefaultPrice {
        return default_differs(payload, there);
    }
    let found = standing(payload, there);
    let (rule, why) = match found.as_slice() {
        [] => ("not_there", format!("{} is not on the new account", safe(at))),
        [one] => {
            if let Some((_, why)) = &one.trouble {
                let why = format!("{} on the new account cannot be compared: {why}", safe(&one.id));
                return Some(finding(
                    at,
                    &format!("{}_not_comparable", payload.kind.word()),
                    why,
                    Severity::Differs,
                ));
            }
            let names = payload.fields.differences(&one.fields);
            if names.is_empty() {
                return None;
            }
            let why = format!(
                "{} on the new account differs in {}",
                safe(&one.id),
                names.join(", ")
            );
            ("differs", why)
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|item| item.id.as_str()).collect();
            (
                "there_twice",
                format!(
                    "several on the new account stand for it: {}",
                    safe(&ids.join(", "))
                ),
            )
        }
    };
    let rule = format!("{}_{rule}", payload.kind.word());
    Some(finding(at, &rule, why, Severity::Differs))
}

/// What stands for the old object over there: by its marker, else what the plan found.
fn standing<'a>(payload: &Payload, there: &'a Shelf) -> Vec<&'a Item> {
    let shelf = match payload.kind {
        Kind::Product => return there.products.get(&payload.old).into_iter().collect(),
        Kind::TaxRate => &there.tax_rates,
        Kind::Price | Kind::DefaultPrice => &there.prices,
        Kind::PaymentLink => return Vec::new(),
    };
    let marked: Vec<&Item> = shelf
        .values()
        .filter(|item| item.of.as_ref() == Some(&payload.old))
        .collect();
    if marked.is_empty() {
        let known = payload.existing.as_ref().and_then(|id| shelf.get(id));
        return known.into_iter().collect();
    }
    marked
}

fn default_differs(payload: &Payload, there: &Shelf) -> Option<Finding> {
    let product = there.products.get(&payload.product);
    let now = product.and_then(|product| product.default_price.as_deref());
    let meant = standing(payload, there);
    if meant.iter().any(|price| Some(price.id.as_str()) == now) {
        return None;
    }
    let why = format!(
        "the default price on the new account is {} and does not stand for {}",
        now.map_or("none".to_owned(), |now| safe(now).to_string()),
        payload.old
    );
    Some(finding(
        &payload.product,
        "default_price_differs",
        why,
        Severity::Differs,
    ))
}

/// A price or tax rate that live subscriptions in scope use, and nothing stands for. Where a person, or a policy, left it
/// out, that is known and said again; anything else is a difference.
fn missing(change: &Change, end: Option<RowEnd>, payload: &Payload) -> Option<Finding> {
    if !payload.used || !matches!(payload.kind, Kind::Price | Kind::TaxRate) {
        return None;
    }
    let how = match (change.verdict, end) {
        (Verdict::Planned, Some(end)) => end.word(),
        (Verdict::Planned, None) => "not written",
        (verdict, _) => verdict.word(),
    };
    let why =
        format!("live subscriptions in scope use it, and nothing on the new account stands for it ({how})");
    let rule = format!("{}_not_mapped", payload.kind.word());
    let severity = if change.verdict == Verdict::LeftOut {
        Severity::Warn
    } else {
        Severity::Differs
    };
    Some(finding(&payload.old, &rule, why, severity))
}

/// Rows that would be made differently now. Who decided what does not count, nor does when it was read.
#[must_use]
pub fn drifted(plan: &Plan, now: &Plan) -> Vec<ChangeKey> {
    let same = |change: &Change, now: &Change| {
        change.planned_as == now.planned_as
            && change.rule == now.rule
            && change.payload == now.payload
            && change.writes == now.writes
            && change.choices == now.choices
    };
    let still = |change: &Change| {
        now.position(&change.key)
            .is_some_and(|at| same(change, &now.changes()[at]))
    };
    let rows = plan.changes().iter().filter(|change| !still(change));
    rows.map(|change| change.key.clone()).collect()
}

fn finding(subject: &str, rule: &str, reason: String, severity: Severity) -> Finding {
    Finding {
        stage: StageId::Catalogue,
        customer: safe(subject).to_string(),
        rule: rule.to_owned(),
        reason,
        severity,
        money: None,
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
