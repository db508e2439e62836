//! The work list for support: every method the copy could not bring and every customer it missed, one line each, with
//! the reason, the channel, the due date and whether it is settled. PURE: rendered from the rows of a plan.

use serde::{Deserialize, Serialize};

use super::effects::Payload;
use super::facts::{CustomerFacts, Side};
use crate::domain::change::Change;
use crate::domain::plan::Plan;
use crate::domain::text::for_spreadsheet;
use crate::domain::time::UtcMs;

/// Its name in the run directory.
pub const FILE: &str = "worklist.csv";
/// Days support has where nothing else is configured.
pub const CONTACT_DAYS: u32 = 7;
const DAY_MS: i64 = 86_400_000;

/// What a row keeps for the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The method, or `customer`.
    pub about: String,
    /// Where to write to; empty is nowhere.
    pub email: String,
    /// Where to call; empty is nowhere.
    pub phone: String,
    /// A method that can be charged is on the new account.
    pub usable: bool,
}

impl Work {
    /// Of one customer; `about` is the method in words.
    #[must_use]
    pub fn of(facts: &CustomerFacts, about: String, now: UtcMs) -> Self {
        let field = |name: &str| facts.source.fields.get(name).cloned().unwrap_or_default();
        let usable = |there: &Side| there.methods().iter().any(|method| !method.is_expired(now));
        Self {
            about,
            email: field("email"),
            phone: field("phone"),
            usable: facts.destination.as_ref().is_some_and(usable),
        }
    }
}

/// Whose rows are on the list.
#[must_use]
pub fn work_of(change: &Change) -> Option<Work> {
    match Payload::parse(&change.payload)? {
        Payload::Customer { work, .. } | Payload::Method { work, .. } | Payload::Copy { work } => work,
        _ => None,
    }
}

/// The list as CSV for people: cells that a spreadsheet would calculate are quoted.
pub fn csv(plan: &Plan) -> Result<Vec<u8>, csv::Error> {
    let due = due(plan);
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "customer", "name", "method", "reason", "why", "channel", "email", "phone", "due", "status",
    ])?;
    for change in plan.changes() {
        let Some(work) = work_of(change) else { continue };
        let cells = [
            change.subject.as_str(),
            change.label.as_str(),
            &work.about,
            &change.rule,
            &change.why,
            channel(&work),
            &work.email,
            &work.phone,
            &due,
            status(change, &work),
        ];
        out.write_record(cells.map(for_spreadsheet))?;
    }
    out.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

fn channel(work: &Work) -> &'static str {
    match (work.email.is_empty(), work.phone.is_empty()) {
        (false, _) => "email",
        (true, false) => "phone",
        (true, true) => "none",
    }
}

fn status(change: &Change, work: &Work) -> &'static str {
    match (&change.decision, work.usable) {
        (_, true) => "usable method present",
        (Some(decision), false) if decision.choice == "second_copy" => "second copy",
        (_, false) => "open",
    }
}

fn due(plan: &Plan) -> String {
    let policy = &plan.header().policy;
    let days = policy
        .get("contact_days")
        .and_then(|days| days.parse().ok())
        .unwrap_or(i64::from(CONTACT_DAYS));
    let copied = policy
        .get("copied_at")
        .and_then(|at| at.parse::<i64>().ok())
        .map(UtcMs::from_secs);
    copied
        .unwrap_or_else(|| plan.made_at())
        .plus_ms(days.saturating_mul(DAY_MS))
        .day()
}

#[cfg(test)]
#[path = "worklist_tests.rs"]
mod tests;
