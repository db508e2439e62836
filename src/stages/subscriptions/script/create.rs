//! The new side: created or changed, then read again. See the [script's page](super).

use super::super::effects::CHANGE;
use super::super::effects::CREATE;
use super::super::facts::Twin;
use super::super::seen::{self, Or, object_of, wrote};
use super::{DAY, OLD, SCHEDULE_BEFORE, SCHEDULE_NOW, Script, TWINS, TWINS_NOW, done};
use crate::domain::write::PlannedWrite;
use crate::stages::Step;

impl Script<'_> {
    pub(super) fn create(&self, create: &PlannedWrite) -> Or<Step> {
        let Some(created) = wrote(self.facts, CREATE) else {
            return self.before_create(create);
        };
        let id = created.object.clone();
        self.written_as_wanted(&id)?;
        self.then_stop(&id, "the new subscription is scheduled")
    }

    fn before_create(&self, create: &PlannedWrite) -> Or<Step> {
        self.old_unchanged(OLD)?;
        let now = seen::twins(self.row, self.facts, TWINS)?;
        if let Some(twin) = now.twins.first() {
            let ours = twin.effect.as_deref() == Some(create.effect.0.as_str());
            return self.half(if ours {
                "another run created its schedule meanwhile"
            } else {
                "somebody else made a subscription for it on the new account meanwhile"
            });
        }
        if self.handover()?.saturating_sub(now.at) < DAY {
            return self.half("its handover is less than 24 hours away by now");
        }
        Ok(Step::Write(create.clone()))
    }

    pub(super) fn change_schedule(&self, change: &PlannedWrite) -> Or<Step> {
        let id = object_of(change).to_owned();
        if wrote(self.facts, CHANGE).is_none() {
            self.old_unchanged(OLD)?;
            let (twin, at) = seen::schedule(SCHEDULE_BEFORE, &id, self.facts)?;
            let Some(twin) = twin.filter(|twin| twin.of == self.row.old) else {
                return self.half("its schedule is not on the new account any more");
            };
            if twin.begun || twin.start <= at || self.handover()? <= at {
                return self.half("its schedule has begun, and is not changed any more");
            }
            return Ok(Step::Write(change.clone()));
        }
        self.written_as_wanted(&id)?;
        self.then_stop(&id, "the schedule is what the old subscription is now")
    }

    /// Whether it is the only one (somebody may have uploaded a file between the look and the write), and then the
    /// schedule itself: a list may lag behind it, and says nothing for its absence.
    fn written_as_wanted(&self, id: &str) -> Or<()> {
        let now = seen::twins(self.row, self.facts, TWINS_NOW)?;
        let is_other = |twin: &Twin| twin.schedule.as_deref() != Some(id);
        if now.twins.iter().any(is_other) {
            return self.half("somebody else made another subscription for it on the new account");
        }
        let (twin, _) = seen::schedule(SCHEDULE_NOW, id, self.facts)?;
        match twin.filter(|twin| twin.of == self.row.old) {
            None => self.half("its schedule is not on the new account any more"),
            Some(twin) => self.is_as_wanted(&twin),
        }
    }

    fn then_stop(&self, id: &str, sofar: &str) -> Or<Step> {
        if self.stopping().is_some() {
            return self.stop_old(id);
        }
        Ok(done(&format!(
            "{sofar}; the old one has a bill to come before its handover, and is stopped by a later plan"
        )))
    }
}
