//! Which rows of a plan do not hold any more, seen from the plan made of the same accounts now. PURE.
//!
//! Customers go on cancelling and periods go on ending while a plan is reviewed. What the script sees for itself and
//! then leaves alone is no drift: an old subscription that ended, and one that went into a period that still ends by the
//! handover. Neither is more work for a later plan. Everything else has to be planned again: other writes, another
//! handover, other content, another rule, and anything about a row that stands in a file, because a file is uploaded as
//! it is and no script looks again.

use super::effects::{Row, Seen};
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::plan::Plan;
use crate::domain::write::PlannedWrite;

/// Rules of rows whose old subscription ends or ended by itself; one that is not there at all ended too. The script ends
/// them as drifted, and another plan withdraws what began for them.
const OVER: [&str; 2] = ["ends_on_old", "withdraw"];

/// Rows that would be made differently now. Who decided what does not count, nor does when it was read.
#[must_use]
pub fn drifted(plan: &Plan, now: &Plan) -> Vec<ChangeKey> {
    let rows = plan.changes().iter().filter(|change| {
        let at = now.position(&change.key);
        !holds(change, at.map(|at| &*now.changes()[at]))
    });
    rows.map(|change| change.key.clone()).collect()
}

fn holds(change: &Change, now: Option<&Change>) -> bool {
    let Ok(row) = serde_json::from_str::<Row>(&change.payload) else {
        return false;
    };
    let in_file = change.verdict == Verdict::Planned && !row.cells.is_empty();
    let writes = change.writes_now();
    if writes.is_empty() && !in_file {
        return nothing_worse(change, now);
    }
    let Some(now) = now else { return !in_file };
    if !in_file && change.rule != "withdraw" && OVER.contains(&now.rule.as_str()) {
        return true;
    }
    let Ok(now_row) = serde_json::from_str::<Row>(&now.payload) else {
        return false;
    };
    change.rule == now.rule
        && change.planned_as == now.planned_as
        && row_holds(&row, now_row)
        && chosen_writes(change, now).is_some_and(|there| hold(writes, there, in_file))
}

/// A row that nothing is written for: what it becomes is a later plan's, unless a person has to know.
fn nothing_worse(change: &Change, now: Option<&Change>) -> bool {
    let Some(now) = now else { return true };
    now.planned_as != Verdict::Blocked || (change.planned_as == Verdict::Blocked && change.rule == now.rule)
}

/// What the row's choice would write now; `None`: it is not offered any more.
fn chosen_writes<'a>(change: &Change, now: &'a Change) -> Option<&'a [PlannedWrite]> {
    let chosen = change.decision.as_ref().map(|decision| decision.choice.as_str());
    let was_offered = |of: &Change| {
        of.choices
            .iter()
            .any(|choice| Some(choice.name.as_str()) == chosen)
    };
    if !was_offered(change) {
        return Some(&now.writes);
    }
    let offered = now
        .choices
        .iter()
        .find(|choice| Some(choice.name.as_str()) == chosen)?;
    Some(&offered.writes)
}

/// Each approved write is still one that would be made; a stop that became possible meanwhile is a later plan's.
fn hold(planned: &[PlannedWrite], now: &[PlannedWrite], all: bool) -> bool {
    let each = planned.iter().all(|write| now.contains(write));
    each && (!all || planned.len() == now.len())
}

fn row_holds(planned: &Row, now: Row) -> bool {
    let seen = match (&planned.seen, now.seen) {
        (Some(planned_seen), Some(now_seen)) => seen_holds(planned_seen, now_seen, planned.handover),
        (planned, now) => *planned == now,
    };
    let is_in_file = !planned.cells.is_empty();
    let otherwise = Row {
        seen: planned.seen.clone(),
        // Bills of the old account before the handover, and what follows from them.
        next_old: planned.next_old,
        again_at: planned.again_at,
        classes: planned.classes.clone(),
        // Which stop it decides stands in the writes, and a cancellation in the rule.
        window_ends: planned.window_ends,
        ..now
    };
    seen && (!is_in_file || otherwise.cells == planned.cells) && otherwise == *planned
}

/// It may have gone into another period that still ends by the handover.
fn seen_holds(planned: &Seen, now: Seen, handover: Option<i64>) -> bool {
    let went_on = now.period.0 >= planned.period.1 && handover.is_some_and(|at| now.period.1 <= at);
    let same = now.period == planned.period;
    let otherwise = Seen {
        period: planned.period,
        ..now
    };
    (same || went_on) && otherwise == *planned
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
