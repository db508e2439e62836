//! A schedule that is not wanted any more. See the [script's page](super).

use super::super::effects::{KEEP_FIRST, WITHDRAW};
use super::super::seen::{self, Or, object_of, wrote_to};
use super::{OLD, Script, TWINS, TWINS_NOW, done};
use crate::domain::write::PlannedWrite;
use crate::stages::Step;

impl Script<'_> {
    pub(super) fn withdraw(&self) -> Or<Step> {
        let all = || {
            let writes = self.change.writes_now().iter();
            writes.filter(|write| write.op == WITHDRAW)
        };
        let is_sent = |write: &&PlannedWrite| wrote_to(self.facts, WITHDRAW, object_of(write));
        let Some(next) = all().find(|write| !is_sent(write)) else {
            return self.seen_withdrawn();
        };
        self.old_still_so()?;
        let now = seen::twins(self.row, self.facts, TWINS)?;
        let id = object_of(next);
        let twin = now.twins.iter().find(|twin| twin.schedule.as_deref() == Some(id));
        let Some(twin) = twin else {
            return self.half("its schedule is not on the new account any more");
        };
        if twin.begun || twin.start <= now.at {
            return self.half("its schedule has begun, and is not cancelled any more");
        }
        let is_withdrawn = |id: &str| all().any(|write| object_of(write) == id);
        let stays = |twin: &&super::Twin| twin.schedule.as_deref().is_none_or(|id| !is_withdrawn(id));
        if self.keeps_one() && !now.twins.iter().any(|twin| stays(&twin)) {
            return self.half("the schedule that was to stay is not on the new account any more");
        }
        Ok(Step::Write(next.clone()))
    }

    /// One of several stays, because a person said so.
    fn keeps_one(&self) -> bool {
        let decision = self.change.decision.as_ref();
        decision.is_some_and(|decision| decision.choice == KEEP_FIRST)
    }

    /// The old one is as it was planned on: gone, or ending, or what the schedule that stays goes on with.
    fn old_still_so(&self) -> Or<()> {
        if self.row.seen.is_some() {
            return self.old_unchanged(OLD).map(|_| ());
        }
        let now = seen::old(self.row, self.facts, OLD)?;
        match now.live() {
            None => Ok(()),
            Some(_) => self.half("the old subscription is in force again"),
        }
    }

    /// None of them is there any more: one that began before it was cancelled would have billed.
    fn seen_withdrawn(&self) -> Or<Step> {
        let now = seen::twins(self.row, self.facts, TWINS_NOW)?;
        let gone = |id: &str| !now.twins.iter().any(|twin| twin.schedule.as_deref() == Some(id));
        let writes = self.change.writes_now().iter();
        let withdrawn = writes.filter(|write| write.op == WITHDRAW).map(object_of);
        for id in withdrawn {
            if !gone(id) {
                return self.half("its schedule is still on the new account, although it was cancelled");
            }
            if now.begun_and_cancelled.iter().any(|begun| begun == id) {
                return self.half("its schedule began just before it was cancelled, and has billed once");
            }
        }
        if self.keeps_one() {
            return Ok(done("one of them stays on the new account"));
        }
        if !now.twins.is_empty() {
            return self.half("somebody else made another subscription for it on the new account");
        }
        Ok(done("nothing begins on the new account for it"))
    }
}
