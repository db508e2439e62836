//! The old side: stopped, and seen stopped. See the [script's page](super).

use super::super::effects::{PAUSE_OLD, RELEASE_OLD, Seen};
use super::super::facts::{BECAME, Old};
use super::super::seen::{self, OldLook, OldNow, Or, became, changed, wrote};
use super::{
    OLD, OLD_RELEASED, OLD_STOPPED, OLD_STOPPING, SCHEDULE_STOPPED, Script, done, shown, unknown_writes,
};
use crate::domain::write::{PlannedWrite, is_place};
use crate::stages::Step;

impl Script<'_> {
    /// Stops the old one for `schedule`, which was just seen.
    pub(super) fn stop_old(&self, schedule: &str) -> Or<Step> {
        let Some(stop) = self.stopping() else {
            return Ok(unknown_writes());
        };
        if wrote(self.facts, &stop.op).is_some() {
            return self.seen_stopped(stop, schedule);
        }
        if let Some(release) = self.releasing()
            && wrote(self.facts, RELEASE_OLD).is_none()
        {
            self.may_be_stopped(OLD_RELEASED)?;
            return Ok(Step::Write(release.clone()));
        }
        self.may_be_stopped(OLD_STOPPING)?;
        let stop = filled(stop, schedule);
        if seen::sent(&stop, &became_field()) != Some(schedule) {
            return self.half("the schedule on the new account is another than when the plan was made");
        }
        Ok(Step::Write(stop))
    }

    /// Unchanged, its current period ends at the handover, and that lies ahead.
    fn may_be_stopped(&self, labels: OldLook) -> Or<()> {
        let (old, at) = self.old_unchanged(labels)?;
        let handover = self.handover()?;
        if old.period_end() != Some(handover) {
            return self.half("the old subscription's current period does not end at the handover");
        }
        if at >= handover {
            return self.half("the handover is over: the old subscription may have billed the same period");
        }
        Ok(())
    }

    /// The old one as it was planned on, and when it was seen.
    pub(super) fn old_unchanged(&self, labels: OldLook) -> Or<(Old, i64)> {
        let now = seen::old(self.row, self.facts, labels)?;
        let seen = match &self.row.seen {
            Some(seen) => self.expected(seen),
            None => return Err(Box::new(unknown_writes())),
        };
        let OldNow { old, at } = now;
        let Some(old) = old else {
            return self.half("the old subscription is not there any more");
        };
        match changed(&self.gone_on(seen, labels, &old), &old) {
            None => Ok((old, at)),
            Some(what) => self.half(&format!(
                "the old subscription is not what it was when the plan was made ({what})"
            )),
        }
    }

    /// Before anything is written the old one may have gone on to its next period, as long as that ends by the handover:
    /// what is created does not rest on it, and a stop looks again.
    fn gone_on(&self, seen: Seen, labels: OldLook, now: &Old) -> Seen {
        let period = now.items.first().map_or(seen.period, |item| item.period);
        let by_handover = self.row.handover.is_some_and(|handover| period.1 <= handover);
        if labels.0 == OLD.0 && period.0 >= seen.period.1 && by_handover {
            return Seen { period, ..seen };
        }
        seen
    }

    /// What it must be now: as it was planned on, but for the schedule that let go of it, and took its end with it.
    fn expected(&self, seen: &Seen) -> Seen {
        if wrote(self.facts, RELEASE_OLD).is_none() {
            return seen.clone();
        }
        Seen {
            schedule: None,
            ends: (None, false),
            ..seen.clone()
        }
    }

    fn seen_stopped(&self, stop: &PlannedWrite, schedule: &str) -> Or<Step> {
        let now = seen::old(self.row, self.facts, OLD_STOPPED)?;
        let Some(old) = now.live() else {
            return self.half("the old subscription was cancelled at once, by somebody else");
        };
        let handover = self.handover()?;
        if old.period_end() != Some(handover) {
            return self.half(
                "the old subscription went into another period before it was stopped: both may bill it",
            );
        }
        let Some(seen) = &self.row.seen else {
            return Ok(unknown_writes());
        };
        let stopped = stopped(self.expected(seen), stop, old, handover);
        if let Some(what) = changed(&stopped, old) {
            return self.half(&format!(
                "the old subscription is not as the stop leaves it ({what})"
            ));
        }
        if became(old) != Some(schedule) {
            return self.half("the old subscription was stopped for another one");
        }
        let (twin, _) = seen::schedule(SCHEDULE_STOPPED, schedule, self.facts)?;
        let Some(twin) = twin else {
            return self.half("the old subscription is stopped, and the schedule is gone: nobody bills it");
        };
        self.is_as_wanted(&twin)?;
        Ok(done(&words(stop, schedule)))
    }
}

/// What the stop leaves of what was there; `now` is asked only for what Stripe may or may not say besides.
fn stopped(seen: Seen, stop: &PlannedWrite, now: &Old, handover: i64) -> Seen {
    let stopped_for = Some(handover);
    match stop.op.as_str() {
        PAUSE_OLD => Seen {
            pause: Some("keep_as_draft".to_owned()),
            stopped_for,
            ..seen
        },
        // The instant may stand in `cancel_at` as well.
        _ => Seen {
            ends: (now.cancel_at.filter(|at| *at == handover), true),
            stopped_for,
            ..seen
        },
    }
}

fn words(stop: &PlannedWrite, schedule: &str) -> String {
    let schedule = shown(schedule);
    match stop.op.as_str() {
        PAUSE_OLD => format!(
            "{schedule} goes on for it; the old one is paused, and cancelled by a later plan when the window is over"
        ),
        _ => format!("{schedule} goes on for it; the old one ends by itself at the handover"),
    }
}

fn became_field() -> String {
    format!("metadata[{BECAME}]")
}

/// The same write with the schedule in the place kept for it.
fn filled(stop: &PlannedWrite, schedule: &str) -> PlannedWrite {
    let mut stop = stop.clone();
    for (_, value) in stop.form.iter_mut().filter(|(_, value)| is_place(value)) {
        schedule.clone_into(value);
    }
    stop
}
