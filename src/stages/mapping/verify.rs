//! Whether what was written is what is there, by another path, and whether the facts of a plan still hold. PURE: compares
//! a plan with both accounts' customer lists and the application's table as they are now.
//!
//! | | read from |
//! |---|---|
//! | the plan | `customers` lists, `payment_methods` of each customer, the table's rows |
//! | the write's own attestation | the response of `POST /v1/customers/…`; the effect ledger, in the same transaction |
//! | this audit | `customers` list with tax ids; the table read again, and the checksum of all that was not planned |

use std::collections::BTreeMap;

use super::effects::{DEFAULT, Payload};
use super::facts::{AppRow, Side};
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{Digest, StageId};
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::stages::Audit;

/// Both sides as they are now.
#[derive(Default)]
pub struct Now {
    /// The new account's customers.
    pub destination: BTreeMap<String, Side>,
    /// The old account's customers.
    pub source: BTreeMap<String, Side>,
    /// Rows of the table, by key; `None` where no table is configured.
    pub rows: Option<BTreeMap<String, AppRow>>,
    /// Checksum of everything that was not planned.
    pub others: Option<Digest>,
    /// Nobody else writes to the table.
    pub quiet: bool,
}

/// The field of that name on that side; empty is nothing.
fn field_of<'a>(side: &'a Side, name: &str) -> &'a str {
    if name == DEFAULT {
        return side.default_method.as_deref().unwrap_or_default();
    }
    let tag = name
        .strip_prefix("metadata[")
        .and_then(|rest| rest.strip_suffix(']'));
    let value = match tag {
        Some(key) => side.metadata.get(key),
        None => side.fields.get(name),
    };
    value.map_or("", String::as_str)
}

/// Compares every row that ended `Done`.
#[must_use]
pub fn audit(plan: &Plan, ends: &BTreeMap<ChangeKey, RowEnd>, now: &Now) -> Audit {
    let (mut compared, mut findings) = (0, Vec::new());
    for change in plan.changes() {
        let is_done = ends.get(&change.key) == Some(&RowEnd::Done);
        let Some(payload) = Payload::parse(&change.payload) else {
            continue;
        };
        match payload {
            Payload::AppTable { others, rows } => findings.extend(others_changed(change, others, rows, now)),
            payload if is_done => {
                compared += 1;
                findings.extend(differs(change, &payload, now));
            }
            _ => {}
        }
    }
    findings.sort();
    Audit { compared, findings }
}

fn differs(change: &Change, payload: &Payload, now: &Now) -> Option<Finding> {
    match payload {
        Payload::Customer { customer, .. } => {
            let Some(there) = now.destination.get(customer) else {
                return Some(finding(
                    change,
                    "customer_gone",
                    "is not on the new account any more",
                ));
            };
            let mut form = change.writes_now().iter().flat_map(|write| &write.form);
            let wrong = form.find(|(name, value)| field_of(there, name) != value)?;
            let is = field_of(there, &wrong.0);
            Some(finding(
                change,
                "field_differs",
                format!("{} is `{is}` where `{}` was written", wrong.0, wrong.1),
            ))
        }
        Payload::TaxId {
            customer,
            kind,
            value,
        } => {
            let id = (kind.clone(), value.clone());
            let there = now
                .destination
                .get(customer)
                .is_some_and(|side| side.tax_ids.contains(&id));
            (!there).then(|| finding(change, "tax_id_missing", format!("{kind} {value} is not there")))
        }
        Payload::AppRow { .. } => row_differs(change, now),
        Payload::Method { .. } | Payload::Copy { .. } | Payload::AppTable { .. } => None,
    }
}

fn row_differs(change: &Change, now: &Now) -> Option<Finding> {
    let update = change.update_now()?;
    let Some(row) = now.rows.as_ref()?.get(&update.key) else {
        return Some(finding(
            change,
            "row_gone",
            format!("row {} is not in the table any more", update.key),
        ));
    };
    // The customer column is the only other one that is ever changed.
    let holds = |column: usize| {
        if column == 0 {
            row.method.as_deref()
        } else {
            row.customer.as_deref()
        }
    };
    let (at, cell) = update
        .cells
        .iter()
        .enumerate()
        .find(|(at, cell)| holds(*at) != cell.after.as_deref())?;
    let is = holds(at).unwrap_or("null");
    let wanted = cell.after.as_deref().unwrap_or("null");
    let reason = format!(
        "{} of row {} is {is} where {wanted} was written",
        cell.column, update.key
    );
    Some(finding(change, "row_differs", reason))
}

fn others_changed(change: &Change, planned: Digest, rows: u64, now: &Now) -> Option<Finding> {
    let others = now.others?;
    if others == planned {
        return None;
    }
    let reason = format!(
        "other cells of the table changed since the plan was made ({rows} rows then, checksum {} then, {} now): {}",
        planned.spoken(),
        others.spoken(),
        if now.quiet {
            "nobody else should write to it tonight; find out who did"
        } else {
            "the application is at work, or a trigger did it"
        }
    );
    Some(Finding {
        severity: if now.quiet {
            Severity::Differs
        } else {
            Severity::Warn
        },
        ..finding(change, "other_rows_changed", reason)
    })
}

fn finding(change: &Change, rule: &str, reason: impl AsRef<str>) -> Finding {
    Finding {
        stage: StageId::Mapping,
        customer: change.subject.clone(),
        rule: rule.to_owned(),
        reason: crate::domain::text::safe(reason.as_ref()).as_str().to_owned(),
        severity: Severity::Differs,
        money: None,
    }
}

/// Rows whose facts are not what the plan was made from.
#[must_use]
pub fn drifted(plan: &Plan, now: &Now) -> Vec<ChangeKey> {
    let planned = plan
        .changes()
        .iter()
        .filter(|change| change.verdict == Verdict::Planned);
    planned
        .filter(|change| has_drifted(change, now))
        .map(|change| change.key.clone())
        .collect()
}

fn has_drifted(change: &Change, now: &Now) -> bool {
    match Payload::parse(&change.payload) {
        Some(Payload::Customer {
            customer,
            held,
            method,
            ..
        }) => {
            let Some(there) = now.destination.get(&customer) else {
                return true;
            };
            let moved = held.iter().any(|(name, was)| field_of(there, name) != was);
            moved || method.is_some_and(|(old, _)| old_default_moved(change, &old, now))
        }
        Some(Payload::TaxId {
            customer,
            kind,
            value,
        }) => now
            .destination
            .get(&customer)
            .is_none_or(|side| side.tax_ids.contains(&(kind, value))),
        Some(Payload::AppRow { .. }) => row_drifted(change, now),
        _ => false,
    }
}

/// A default that was chosen by a person does not follow the old account.
fn old_default_moved(change: &Change, old: &str, now: &Now) -> bool {
    change.decision.is_none()
        && now
            .source
            .get(&change.subject)
            .is_some_and(|side| side.default_id().unwrap_or_default() != old)
}

fn row_drifted(change: &Change, now: &Now) -> bool {
    let (Some(update), Some(rows)) = (change.update_now(), &now.rows) else {
        return false;
    };
    let Some(row) = rows.get(&update.key) else {
        return true;
    };
    let holds = [row.method.as_deref(), row.customer.as_deref()];
    update
        .cells
        .iter()
        .zip(holds)
        .any(|(cell, holds)| cell.before.as_deref() != holds)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
