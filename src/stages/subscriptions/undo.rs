//! Taking a row back: its writes, and their script. PURE.
//!
//! ```text
//!  the schedule begun, or not ours any more?  ─► stays, with the reason; nothing of the row is taken back
//!  cancel it ─► see that nothing began ─► the old one still as we left it, and in force? give it back ─► see it ─► undone
//! ```
//!
//! The new side goes first: between the two steps neither side bills, for seconds and long before the handover, and a
//! halt there says so; the other way round both would. Once the handover is over nothing is taken back: the new side has
//! billed. A cancelled schedule does not come back, nor does an old subscription that was cancelled, an old schedule that
//! was let go, a schedule that was withdrawn, what a changed schedule was before, or an end on a date that a stop replaced.

use std::collections::BTreeMap;

use super::effects::{
    CANCEL_OLD, CREATE, END_OLD, PAUSE_OLD, Row, SUBSCRIPTION, UNDO_CREATE, UNDO_END, UNDO_PAUSE,
    cancel_schedule,
};
use super::facts::{BECAME, HANDOVER, Old};
use super::seen::{self, OldLook, Or, TwinLook, became, drifted, ended, failed, object_of, stop, wrote};
use crate::domain::change::Change;
use crate::domain::ids::{Digest, EffectId};
use crate::domain::record::RowEnd;
use crate::domain::write::{PlannedWrite, When};
use crate::stages::{Fact, Step};
use crate::stripe::allow::path;

/// Labels of the look at the new side before anything is taken back.
const TWINS: TwinLook = TwinLook("undo_schedules", "undo_subscriptions");
/// Labels of the look at it once the schedule is cancelled.
const TWINS_GONE: TwinLook = TwinLook("undo_schedules_gone", "undo_subscriptions_gone");
/// Labels of the look at the old one before it is given back.
const OLD: OldLook = OldLook("undo_old", "undo_old_items");
/// Labels of the look at the old one once it is.
const OLD_BACK: OldLook = OldLook("undo_old_back", "undo_old_back_items");

/// A request may be under way this long after the look it rests on, and more; seconds.
const HOUR: i64 = 3_600;

/// What an undo does, for whoever approves it.
pub const WORDS: &str = "by `cutover undo subscriptions`: schedules that have not begun are cancelled, then old \
                         subscriptions go on as before; what was cancelled, begun or billed stays so";

/// The writes that take back what a row wrote; see [`crate::stages::Stage::undo`].
#[must_use]
pub fn writes(change: &Change, made: &BTreeMap<String, String>) -> Vec<PlannedWrite> {
    let made = |op: &str| {
        let planned = change.writes_now().iter().find(|write| write.op == op)?;
        Some((planned, made.get(op)?.as_str()))
    };
    let had_an_end = serde_json::from_str::<Row>(&change.payload)
        .is_ok_and(|row| row.seen.is_some_and(|seen| seen.ends.0.is_some()));
    // The stop took the place of an end on another date, which nothing of ours can set again.
    let loses_its_end = had_an_end && made(END_OLD).is_some();
    if made(CANCEL_OLD).is_some() || loses_its_end {
        return Vec::new();
    }
    let mut writes = Vec::new();
    if let Some((create, id)) = made(CREATE) {
        writes.push(cancel_schedule(
            UNDO_CREATE,
            undo_of(&create.effect, UNDO_CREATE),
            id,
        ));
    }
    if let Some((end, id)) = made(END_OLD) {
        writes.push(give_back(end, UNDO_END, id, ("cancel_at_period_end", "false")));
    }
    if let Some((pause, id)) = made(PAUSE_OLD) {
        writes.push(give_back(pause, UNDO_PAUSE, id, ("pause_collection", "")));
    }
    writes
}

/// The old one goes on as before, and does not say any more that it became another.
fn give_back(of: &PlannedWrite, op: &str, id: &str, how: (&str, &str)) -> PlannedWrite {
    let cleared = |key: &str| (format!("metadata[{key}]"), String::new());
    PlannedWrite {
        op: op.to_owned(),
        effect: undo_of(&of.effect, op),
        path: path(SUBSCRIPTION, &[id]),
        form: vec![
            (how.0.to_owned(), how.1.to_owned()),
            cleared(BECAME),
            cleared(HANDOVER),
        ],
        when: When::Always,
        irreversible: false,
        marked: false,
        ..of.clone()
    }
}

/// The identity of the write `op` that takes back `of`: as unique, and as much the same in every run.
fn undo_of(of: &EffectId, op: &str) -> EffectId {
    let digest = Digest::of("cutover-undo-v1", [of.0.as_bytes(), op.as_bytes()]);
    let mut text = data_encoding::BASE32_NOPAD.encode(&digest.0).to_lowercase();
    text.truncate(26);
    EffectId(text)
}

/// What comes next while `undo` is taken back; see [`crate::stages::Stage::undo_next`].
#[must_use]
pub fn next(undo: &Change, facts: &[Fact]) -> Step {
    let Ok(row) = serde_json::from_str::<Row>(&undo.payload) else {
        return failed("the plan's row cannot be read");
    };
    let back = Back {
        row: &row,
        undo,
        facts,
    };
    back.next().unwrap_or_else(|step| *step)
}

/// One row that is taken back.
struct Back<'a> {
    row: &'a Row,
    undo: &'a Change,
    facts: &'a [Fact],
}

impl<'a> Back<'a> {
    fn planned(&self, op: &str) -> Option<&'a PlannedWrite> {
        self.undo.writes_now().iter().find(|write| write.op == op)
    }

    fn giving_back(&self) -> Option<&'a PlannedWrite> {
        self.planned(UNDO_END).or_else(|| self.planned(UNDO_PAUSE))
    }

    fn next(&self) -> Or<Step> {
        let Some(back) = self.giving_back() else {
            return self.only_the_schedule();
        };
        if wrote(self.facts, &back.op).is_some() {
            return self.seen_back(back);
        }
        if self.planned(UNDO_CREATE).is_none() {
            return self.only_the_stop(back);
        }
        if wrote(self.facts, UNDO_CREATE).is_none() {
            // Before the schedule goes: an old one that cannot be given back would leave nobody to bill.
            self.as_we_left_it(OLD)?;
            return self.cancel();
        }
        self.nothing_began()?;
        self.as_we_left_it(OldLook("undo_old_now", "undo_old_now_items"))?;
        Ok(Step::Write(back.clone()))
    }

    fn only_the_schedule(&self) -> Or<Step> {
        if self.planned(UNDO_CREATE).is_none() {
            return Ok(undone(""));
        }
        if wrote(self.facts, UNDO_CREATE).is_none() {
            return self.cancel();
        }
        self.nothing_began()?;
        Ok(undone(
            "its schedule is cancelled; the old one was not stopped by this row",
        ))
    }

    /// The schedule was there before this row, or came of a file: it is not ours to cancel, and both sides would bill.
    fn only_the_stop(&self, back: &PlannedWrite) -> Or<Step> {
        let now = seen::twins(self.row, self.facts, TWINS)?;
        if !now.twins.is_empty() {
            return stop(drifted(
                "the new subscription was not made by this row and is still there: withdraw it first, or both would bill",
            ));
        }
        self.as_we_left_it(OLD)?;
        Ok(Step::Write(back.clone()))
    }

    fn cancel(&self) -> Or<Step> {
        let Some(cancel) = self.planned(UNDO_CREATE) else {
            return Ok(undone(""));
        };
        let now = seen::twins(self.row, self.facts, TWINS)?;
        let id = object_of(cancel);
        let Some(twin) = now.twins.iter().find(|twin| twin.schedule.as_deref() == Some(id)) else {
            return self.already_gone(now.twins.is_empty());
        };
        if twin.begun || twin.start.saturating_sub(now.at) < HOUR {
            return stop(drifted(
                "the new subscription has begun, or does within the hour: cancelling it would end what was billed; \
                 nothing was taken back",
            ));
        }
        let is_changed =
            !super::same::differences(&self.row.customer, &self.row.phases, self.row.ends, twin).is_empty();
        if is_changed {
            return stop(drifted(
                "its schedule was changed since it was created, so it stays; nothing was taken back",
            ));
        }
        if now.twins.len() > 1 {
            return stop(drifted(
                "somebody else made a second subscription for it on the new account; nothing was taken back",
            ));
        }
        Ok(Step::Write(cancel.clone()))
    }

    /// Somebody cancelled the schedule. Nothing to cancel, and the old one may be given back.
    fn already_gone(&self, nothing_else: bool) -> Or<Step> {
        if !nothing_else {
            return stop(drifted(
                "its schedule is not there any more, and another one is; nothing was taken back",
            ));
        }
        match self.giving_back() {
            Some(back) => Ok(Step::Write(back.clone())),
            None => Ok(undone("somebody cancelled its schedule already")),
        }
    }

    /// It was cancelled before it began.
    fn nothing_began(&self) -> Or<()> {
        let now = seen::twins(self.row, self.facts, TWINS_GONE)?;
        if now.twins.is_empty() {
            return Ok(());
        }
        stop(drifted(
            "the new account still has a subscription for it after its schedule was cancelled; the old one stays stopped",
        ))
    }

    /// In force, stopped by us for this handover and the schedule that goes, and not over it.
    fn as_we_left_it(&self, labels: OldLook) -> Or<()> {
        let now = seen::old(self.row, self.facts, labels)?;
        let cancelled = match wrote(self.facts, UNDO_CREATE) {
            Some(_) => "its schedule is cancelled, and ",
            None => "",
        };
        let wrong = match now.live() {
            None => Some("the old one is over: nothing brings it back"),
            Some(old) if !self.is_our_stop(old) => Some("the old one is not as this program left it"),
            Some(_) if self.row.handover.is_none_or(|handover| now.at >= handover) => {
                Some("its handover is over")
            }
            Some(_) => None,
        };
        match wrong {
            None => Ok(()),
            Some(wrong) => stop(drifted(&format!("{cancelled}{wrong}; it stays as it is"))),
        }
    }

    fn is_our_stop(&self, old: &Old) -> bool {
        let ours = old.stopped_for() == self.row.handover && self.became_fits(old);
        let stands = match self.giving_back().map(|back| back.op.as_str()) {
            Some(UNDO_END) => old.ends_with_period,
            Some(UNDO_PAUSE) => old.pause.as_deref() == Some("keep_as_draft"),
            _ => false,
        };
        ours && stands
    }

    fn became_fits(&self, old: &Old) -> bool {
        match self.planned(UNDO_CREATE) {
            Some(cancel) => became(old) == Some(object_of(cancel)),
            None => became(old).is_some(),
        }
    }

    fn seen_back(&self, back: &PlannedWrite) -> Or<Step> {
        let now = seen::old(self.row, self.facts, OLD_BACK)?;
        let is_back = now.live().is_some_and(|old| {
            old.stopped_for().is_none()
                && match back.op.as_str() {
                    UNDO_END => !old.ends_with_period,
                    _ => old.pause.is_none(),
                }
        });
        if !is_back {
            return stop(drifted(
                "the old one does not go on although that was written: look at both accounts",
            ));
        }
        let had_a_schedule = self.row.seen.as_ref().is_some_and(|seen| seen.schedule.is_some());
        Ok(undone(if had_a_schedule {
            "the old one goes on, without the schedule that let go of it"
        } else {
            "the old one goes on as before"
        }))
    }
}

fn undone(why: &str) -> Step {
    ended(RowEnd::Undone, why)
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
