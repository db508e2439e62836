//! Which rows of a plan do not hold any more, seen from the plan made of the same account now. PURE.
//!
//! People go on redeeming while a plan is reviewed. What can only end or become smaller is no drift: the script looks
//! again before it writes, makes the limits smaller, and ends a row of which nothing is left with the reason, while the
//! other rows go on. Everything else has to be planned again: other terms, another reach, more left than was planned,
//! codes that came to the pool, and what a person decided on numbers that are no more.

use super::effects::{CodeRow, CouponRow, Payload};
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::plan::Plan;
use crate::domain::write::{CAP, PlannedWrite};

/// Rules of rows of which nothing is left. One that is not there at all was deleted.
const OVER: [&str; 5] = [
    "exhausted",
    "expired",
    "inactive",
    "coupon_deleted",
    "customer_deleted",
];
/// The rule of a coupon whose last code is over: it is still created with no more than is left.
const WITHOUT_CODE: &str = "direct_only";

/// Rows that would be made differently now. Who decided what does not count, nor does when it was read.
#[must_use]
pub fn drifted(plan: &Plan, now: &Plan) -> Vec<ChangeKey> {
    let still = |change: &Change| {
        now.position(&change.key)
            .is_none_or(|at| holds(change, &now.changes()[at]))
    };
    let rows = plan.changes().iter().filter(|change| !still(change));
    rows.map(|change| change.key.clone()).collect()
}

fn holds(change: &Change, now: &Change) -> bool {
    if OVER.contains(&now.rule.as_str()) {
        return true;
    }
    let payload = payload_holds(&change.payload, &now.payload);
    if change.planned_as == Verdict::Planned && now.rule == WITHOUT_CODE {
        return payload;
    }
    change.planned_as == now.planned_as
        && change.rule == now.rule
        && payload
        && writes_hold(&change.writes, &now.writes)
        && chosen_holds(change, now)
}

/// What a person chose is still offered, and would do the same. What nobody chose may come and go.
fn chosen_holds(change: &Change, now: &Change) -> bool {
    let chosen = change.decision.as_ref().map(|decision| decision.choice.as_str());
    let offered = |row: &Change| {
        row.choices
            .iter()
            .find(|choice| Some(choice.name.as_str()) == chosen)
            .cloned()
    };
    match (offered(change), offered(now)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(planned), Some(now)) => writes_hold(&planned.writes, &now.writes),
    }
}

fn payload_holds(planned: &str, now: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Payload>(text).ok();
    match (read(planned), read(now)) {
        (Some(Payload::Coupon(planned)), Some(Payload::Coupon(now))) => coupon_holds(&planned, now),
        (Some(Payload::Code(planned)), Some(Payload::Code(now))) => code_holds(&planned, now),
        (planned, now) => planned.is_some() && planned == now,
    }
}

fn coupon_holds(planned: &CouponRow, now: CouponRow) -> bool {
    let less = now.used >= planned.used && is_less(planned.left, now.left);
    // A code that is used up by now does not have to be closed; one that came has to.
    let closing = now.closing.iter().all(|code| planned.closing.contains(code));
    let otherwise = CouponRow {
        used: planned.used,
        left: planned.left,
        closing: planned.closing.clone(),
        ..now
    };
    less && closing && otherwise == *planned
}

fn code_holds(planned: &CodeRow, now: CodeRow) -> bool {
    let less = now.used >= planned.used && is_less(planned.left, now.left);
    let otherwise = CodeRow {
        used: planned.used,
        left: planned.left,
        ..now
    };
    less && otherwise == *planned
}

fn is_less(planned: Option<i64>, now: Option<i64>) -> bool {
    match (planned, now) {
        (Some(planned), Some(now)) => now <= planned,
        (planned, now) => planned == now,
    }
}

fn writes_hold(planned: &[PlannedWrite], now: &[PlannedWrite]) -> bool {
    planned.len() == now.len()
        && planned
            .iter()
            .zip(now)
            .all(|(planned, now)| write_holds(planned, now))
}

fn write_holds(planned: &PlannedWrite, now: &PlannedWrite) -> bool {
    let form = planned.form.len() == now.form.len()
        && planned
            .form
            .iter()
            .zip(&now.form)
            .all(|((field, planned), (other, now))| {
                field == other && (planned == now || (field == CAP && cap_holds(planned, now)))
            });
    let bare = |write: &PlannedWrite| PlannedWrite {
        form: Vec::new(),
        ..write.clone()
    };
    form && bare(planned) == bare(now)
}

/// A smaller limit, or the same place for a number with a smaller whole.
fn cap_holds(planned: &str, now: &str) -> bool {
    match (planned.parse::<i64>(), now.parse::<i64>()) {
        (Ok(planned), Ok(now)) => now <= planned,
        (Err(_), Err(_)) => {
            let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
            shape(planned) == shape(now)
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
