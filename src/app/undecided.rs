//! What a person needs to decide the rows that wait: for each its choices, the bounds of a number, the row it is decided
//! with, and how the program came to its numbers. And decisions from a file, put into the order in which they mean what
//! the file says.

use serde::Serialize;

use crate::domain::change::{Change, ChangeKey, Choice, Decision, LEAVE_OUT, Number};
use crate::domain::plan::Plan;
use crate::domain::text::safe;

/// Rows told to people; the rest is counted, and stands in the JSON and in the plan's file.
const TOLD: usize = 20;

/// One row that waits.
#[derive(Debug, Serialize)]
pub(super) struct Undecided {
    key: String,
    item: String,
    rule: String,
    why: String,
    /// The row whose choices hold for this one too; only leaving it out is decided here.
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    working: Vec<String>,
    choices: Vec<Offered>,
}

#[derive(Debug, Serialize)]
struct Offered {
    choice: String,
    means: String,
    /// Whether the file's `note` may not be empty.
    needs_note: bool,
    /// What the file's `number` is, and its bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<Number>,
}

/// The rows of a plan that wait for a decision, by key.
pub(super) fn undecided(plan: &Plan) -> Vec<Undecided> {
    let rows = plan.changes().iter().filter(|change| change.undecided());
    rows.map(|change| row(plan, change)).collect()
}

fn row(plan: &Plan, change: &Change) -> Undecided {
    let leader = change.with.as_ref().and_then(|key| plan.position(key));
    let shared = |choice: &Choice| {
        leader.is_some_and(|at| {
            plan.changes()[at]
                .choices
                .iter()
                .any(|other| other.name == choice.name)
        })
    };
    // What is decided at the leader is refused here, so it is not offered here.
    let own = change
        .choices
        .iter()
        .filter(|choice| !shared(choice))
        .map(|choice| Offered {
            choice: choice.name.clone(),
            means: choice.means.clone(),
            needs_note: choice.sign_off,
            number: choice.number.clone(),
        });
    let leave_out = Offered {
        choice: LEAVE_OUT.to_owned(),
        means: "Nothing is written for it; it is counted and reported.".to_owned(),
        needs_note: false,
        number: None,
    };
    Undecided {
        key: change.key.0.clone(),
        item: change.item.clone(),
        rule: change.rule.clone(),
        why: change.why.clone(),
        with: change.with.as_ref().map(ToString::to_string),
        working: change.working.clone(),
        choices: own.chain([leave_out]).collect(),
    }
}

/// For people: the first of them, line by line, safe to print.
pub(super) fn lines(rows: &[Undecided]) -> Vec<String> {
    let mut lines: Vec<String> = rows.iter().take(TOLD).flat_map(lines_of).collect();
    let more = rows.len().saturating_sub(TOLD);
    if more > 0 {
        lines.push(format!("and {more} more undecided rows; --json lists them all"));
    }
    lines.iter().map(|line| safe(line).to_string()).collect()
}

fn lines_of(row: &Undecided) -> Vec<String> {
    let mut lines = vec![format!(
        "undecided  {}  ({}, rule {})",
        row.key, row.item, row.rule
    )];
    lines.push(format!("    {}", row.why));
    lines.extend(row.working.iter().map(|step| format!("    | {step}")));
    lines.extend(
        row.with
            .iter()
            .map(|with| format!("    decided with {with}; on this row alone:")),
    );
    for offered in &row.choices {
        let number = offered.number.as_ref().map(|asked| {
            let (least, most, usual) = (asked.least, asked.most, asked.usual);
            format!("   number: {}, {least} to {most}, usually {usual}", asked.asks)
        });
        let note = if offered.needs_note { "   needs a note" } else { "" };
        let (choice, means) = (&offered.choice, &offered.means);
        lines.push(format!(
            "    {choice}: {means}{}{note}",
            number.unwrap_or_default()
        ));
    }
    lines
}

/// Decisions in the order in which they mean what the file says, whatever order it has: what holds for several rows
/// first, then what is said of one of them alone, which would be overwritten if it came before.
pub(super) fn in_order(plan: &Plan, decisions: Vec<(ChangeKey, Decision)>) -> Vec<(ChangeKey, Decision)> {
    let follows = |key: &ChangeKey| {
        let at = plan.position(key);
        at.is_some_and(|at| plan.changes()[at].with.is_some())
    };
    let (alone, shared): (Vec<_>, Vec<_>) = decisions.into_iter().partition(|(key, _)| follows(key));
    shared.into_iter().chain(alone).collect()
}

#[cfg(test)]
#[path = "undecided_tests.rs"]
mod tests;
