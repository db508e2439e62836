//! A paused old subscription, cancelled when the settlement window is over. See the [script's page](super).

use super::super::effects::CANCEL_OLD;
use super::super::seen::{self, Or, became, wrote};
use super::{OLD_STOPPING, Script, TWINS, done, unknown_writes};
use crate::stages::Step;

impl Script<'_> {
    pub(super) fn cancel_old(&self) -> Or<Step> {
        let Some(cancel) = self.planned(CANCEL_OLD) else {
            return Ok(unknown_writes());
        };
        if wrote(self.facts, CANCEL_OLD).is_some() {
            return Ok(done("the old one is cancelled, without a bill or a credit"));
        }
        let now = seen::twins(self.row, self.facts, TWINS)?;
        let [twin] = &now.twins[..] else {
            let how_many = now.twins.len();
            return self.half(&format!(
                "the new account has {how_many} subscriptions for it, not one; the old one stays paused"
            ));
        };
        let (old, at) = self.old_unchanged(OLD_STOPPING)?;
        let handover = self.handover()?;
        if at < self.row.window_ends || at < handover {
            return self.half("the settlement window is not over; the old one stays paused");
        }
        let is_paused = old.pause.as_deref() == Some("keep_as_draft");
        let is_ours = old.stopped_for() == Some(handover);
        if !is_paused || !is_ours {
            return self.half("the old subscription is not paused by this program");
        }
        let ids = [twin.schedule.as_deref(), twin.subscription.as_deref()];
        if became(&old).is_none_or(|became| !ids.contains(&Some(became))) {
            return self.half("the old subscription was paused for another one than the new account has");
        }
        if !twin.begun {
            return self.half("the new subscription has not begun; the old one stays paused");
        }
        Ok(Step::Write(cancel.clone()))
    }
}
