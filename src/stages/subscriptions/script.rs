//! The script of one row. PURE: from the row and what has happened so far to the next step, so that a crash at any point
//! resumes by the same function.
//!
//! ```text
//!  schedule  old one unchanged? its start a day away? no twin? ─► create ─► read it again: equal, not begun, the only
//!            one ─► stop, if the row stops
//!  change    old one unchanged? the schedule not begun? ─► change ─► read it again, as above ─► stop, if the row stops
//!  stop      exactly one twin, equal, not begun, from h on? old one unchanged, its period ends at h, h ahead?
//!            ─► [release the old schedule ─► look again] ─► stop ─► see it stopped, ending at h and else unchanged, and
//!            the new one still there ─► done
//!  withdraw  old one unchanged? the schedule not begun? ─► cancel it ─► see it cancelled, and nothing begun ─► done
//!  cancel    window and h over? paused by us, for the one twin that is live? ─► cancel ─► done
//!  file      nothing is written: it stands in the file
//! ```
//!
//! No: the row ends as drifted, with what was seen, and whatever is written already stands: the next plan reads it. The
//! old subscription is stopped last, and only for a new one that was read after it was written. A row is done when what
//! it wrote was seen on the account, not when it was answered: an answer can be a repetition of an older one.

mod cancel;
mod create;
mod stopping;
mod withdraw;

use super::Route;
use super::effects::{CANCEL_OLD, CHANGE, CREATE, END_OLD, PAUSE_OLD, RELEASE_OLD, Row, WITHDRAW};
use super::facts::Twin;
use super::same::differences;
use super::seen::{OldLook, Or, TwinLook, drifted, ended, failed, stop};
use crate::domain::change::Change;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::domain::write::PlannedWrite;
use crate::stages::{Fact, Step};

/// Labels of the first look at the old subscription.
pub(super) const OLD: OldLook = OldLook("old", "old_items");
/// Labels of the look at it just before its schedule lets go of it.
pub(super) const OLD_RELEASED: OldLook = OldLook("old_before_release", "old_before_release_items");
/// Labels of the look at it just before it is stopped.
pub(super) const OLD_STOPPING: OldLook = OldLook("old_before_stop", "old_before_stop_items");
/// Labels of the look at it once it is stopped.
pub(super) const OLD_STOPPED: OldLook = OldLook("old_stopped", "old_stopped_items");
/// Labels of the look at twins before anything is written.
pub(super) const TWINS: TwinLook = TwinLook("schedules", "subscriptions");
/// Labels of the look at twins once the schedule is written.
pub(super) const TWINS_NOW: TwinLook = TwinLook("schedules_now", "subscriptions_now");
/// Label of the look at the schedule before it is changed.
pub(super) const SCHEDULE_BEFORE: &str = "schedule";
/// Label of the look at the schedule once it is written.
pub(super) const SCHEDULE_NOW: &str = "schedule_now";

/// Label of the look at the schedule once the old one is stopped for it.
pub(super) const SCHEDULE_STOPPED: &str = "schedule_stopped";

/// Stripe starts nothing sooner by the toolkit, and a person needs the time to look (reliability I28). Seconds.
pub const DAY: i64 = 24 * 3_600;

/// What comes next for `change`.
#[must_use]
pub fn next(change: &Change, facts: &[Fact]) -> Step {
    let Ok(row) = serde_json::from_str::<Row>(&change.payload) else {
        return failed("the plan's row cannot be read; make the plan again");
    };
    let script = Script {
        row: &row,
        change,
        facts,
    };
    script.next().unwrap_or_else(|step| *step)
}

/// One row and what has happened.
pub(super) struct Script<'a> {
    pub(super) row: &'a Row,
    pub(super) change: &'a Change,
    pub(super) facts: &'a [Fact],
}

impl<'a> Script<'a> {
    fn next(&self) -> Or<Step> {
        if self.planned(CANCEL_OLD).is_some() {
            return self.cancel_old();
        }
        if self.planned(WITHDRAW).is_some() {
            return self.withdraw();
        }
        if let Some(create) = self.planned(CREATE) {
            return self.create(create);
        }
        if let Some(change) = self.planned(CHANGE) {
            return self.change_schedule(change);
        }
        if self.stopping().is_some() {
            let schedule = self.one_twin(TWINS)?;
            return self.stop_old(&schedule);
        }
        if self.row.route == Some(Route::Csv) && self.change.writes_now().is_empty() {
            return Ok(done(
                "it stands in the file for the toolkit; its old subscription goes on until the file is uploaded and seen",
            ));
        }
        Ok(unknown_writes())
    }

    pub(super) fn planned(&self, op: &str) -> Option<&'a PlannedWrite> {
        self.change.writes_now().iter().find(|write| write.op == op)
    }

    /// The write that stops the old one, where the row has one.
    pub(super) fn stopping(&self) -> Option<&'a PlannedWrite> {
        self.planned(END_OLD).or_else(|| self.planned(PAUSE_OLD))
    }

    pub(super) fn releasing(&self) -> Option<&'a PlannedWrite> {
        self.planned(RELEASE_OLD)
    }

    /// The handover; a row that writes has one.
    pub(super) fn handover(&self) -> Or<i64> {
        self.row.handover.ok_or_else(|| Box::new(unknown_writes()))
    }

    /// The schedule of the one twin there is, which must be what the row wants, not begun, and begin at the handover.
    pub(super) fn one_twin(&self, labels: TwinLook) -> Or<String> {
        let now = super::seen::twins(self.row, self.facts, labels)?;
        let [twin] = &now.twins[..] else {
            let how_many = now.twins.len();
            return self.half(&format!(
                "the new account has {how_many} subscriptions for it, not one"
            ));
        };
        self.is_as_wanted(twin)?;
        match &twin.schedule {
            Some(schedule) => Ok(schedule.clone()),
            None => self.half("no schedule begins it on the new account"),
        }
    }

    /// Ends the row unless `twin` is what the row wants, has not begun, and begins at the handover.
    pub(super) fn is_as_wanted(&self, twin: &Twin) -> Or<()> {
        let differ = differences(&self.row.customer, &self.row.phases, self.row.ends, twin);
        if !differ.is_empty() {
            let differ = differ.join(", ");
            return self.half(&format!(
                "the schedule on the new account is not what was planned ({differ})"
            ));
        }
        if twin.begun {
            return self.half("the schedule on the new account has begun");
        }
        if Some(twin.start) != self.row.handover {
            return self.half("the schedule on the new account does not begin at the handover");
        }
        Ok(())
    }

    /// Ends the row as drifted, with what of it is written already.
    pub(super) fn half<T>(&self, why: &str) -> Or<T> {
        let mut wrote = self.facts.iter().filter_map(|fact| match fact {
            Fact::Wrote { op, .. } => words_of(op),
            _ => None,
        });
        let sofar = wrote.next_back().unwrap_or("nothing was written");
        stop(drifted(&format!("{why}; {sofar}")))
    }
}

/// What stands after the write `op`.
fn words_of(op: &str) -> Option<&'static str> {
    match op {
        CREATE => Some("the schedule was created, and the old subscription was not stopped: plan it again"),
        CHANGE => Some("the schedule was changed, and the old subscription was not stopped: plan it again"),
        WITHDRAW => Some("a schedule was cancelled: plan it again"),
        RELEASE_OLD => Some(
            "the old schedule let go of the old subscription, which goes on without it and was not stopped: plan it again",
        ),
        END_OLD | PAUSE_OLD => Some("the stop of the old subscription was written: look at both accounts"),
        _ => None,
    }
}

/// Order among rows of one customer: what takes away goes before what adds.
#[must_use]
pub fn rank(change: &Change) -> u32 {
    let has = |op: &str| change.writes_now().iter().any(|write| write.op == op);
    match () {
        () if has(WITHDRAW) => 0,
        () if has(CREATE) || has(CHANGE) => 1,
        () => 2,
    }
}

pub(super) fn done(why: &str) -> Step {
    ended(RowEnd::Done, why)
}

pub(super) fn unknown_writes() -> Step {
    failed("this row's writes are not known to this program; make the plan again")
}

/// `text`, which came from outside, for a sentence.
pub(super) fn shown(text: &str) -> String {
    safe(text).to_string()
}

#[cfg(test)]
#[path = "script_tests.rs"]
pub(super) mod tests;
