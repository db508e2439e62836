//! One row while it is written: what its script has behind it, and the effect under way.

use std::sync::Arc;

use crate::domain::change::Change;
use crate::domain::ids::EffectId;
use crate::domain::record::{Ended, Intent};
use crate::domain::time::UtcMs;
use crate::domain::write::{PlannedWrite, When};
use crate::engine::protocol::Effect;
use crate::engine::state::EffectState;
use crate::stages::Fact;
use crate::stripe::form::Form;

/// A write under way.
pub(super) struct UnderWay {
    pub(super) write: PlannedWrite,
    pub(super) effect: Effect,
    /// Its end is not in the journal yet.
    pub(super) is_new: bool,
}

/// See the [module page](self).
pub(super) struct Row {
    pub(super) change: Arc<Change>,
    pub(super) facts: Vec<Fact>,
    pub(super) under_way: Option<UnderWay>,
    pub(super) failed_looks: u32,
    known: Vec<(EffectId, EffectState)>,
    process_began: UtcMs,
    generations_before: u32,
}

impl Row {
    /// A row with what the journal knows about its effects: those that ended are facts, one that has not is under way
    /// before the script is asked anything.
    pub(super) fn new(
        change: Arc<Change>,
        known: Vec<(EffectId, EffectState)>,
        process_began: UtcMs,
        generations_before: u32,
    ) -> Self {
        let mut row = Self {
            change,
            facts: Vec::new(),
            under_way: None,
            failed_looks: 0,
            known: Vec::new(),
            process_began,
            generations_before,
        };
        for (effect, state) in known {
            match &state {
                EffectState::Ended(Ended::Done(attested)) => {
                    let op = row
                        .planned(&effect)
                        .map(|write| write.op.clone())
                        .unwrap_or_default();
                    row.facts.push(Fact::Wrote {
                        op,
                        attested: attested.clone(),
                    });
                }
                EffectState::Open(intent) | EffectState::Unknown { intent, .. } => {
                    let write = row.as_sent(intent);
                    let effect = Effect::resume(Some(state.clone()), process_began, generations_before);
                    row.under_way = Some(UnderWay {
                        write,
                        effect,
                        is_new: true,
                    });
                }
                EffectState::Ended(Ended::Rejected { .. }) => row.known.push((effect, state)),
            }
        }
        row
    }

    fn planned(&self, effect: &EffectId) -> Option<&PlannedWrite> {
        self.change
            .writes_now()
            .iter()
            .find(|write| write.effect == *effect)
    }

    /// The write as its intent says it was sent: the amount may have been made smaller than planned.
    fn as_sent(&self, intent: &Intent) -> PlannedWrite {
        let form = Form::decode(&intent.body).map(|form| {
            form.pairs()
                .map(|(name, value)| (name, value.to_owned()))
                .collect::<Vec<_>>()
        });
        let planned = self.planned(&intent.effect);
        PlannedWrite {
            op: intent.op.clone(),
            role: intent.role,
            effect: intent.effect.clone(),
            method: intent.method,
            path: intent.path.clone(),
            form: form.unwrap_or_default(),
            money: intent.money,
            when: planned.map_or(When::Always, |write| write.when),
            irreversible: planned.is_some_and(|write| write.irreversible),
            marked: planned.is_none_or(|write| write.marked),
        }
    }

    /// Starts `write`, unless the journal says it ended before.
    pub(super) fn start(&mut self, write: PlannedWrite) {
        let known = self
            .known
            .iter()
            .find(|(effect, _)| *effect == write.effect)
            .map(|(_, state)| state.clone());
        let is_new = known.is_none();
        let effect = Effect::resume(known, self.process_began, self.generations_before);
        self.under_way = Some(UnderWay {
            write,
            effect,
            is_new,
        });
    }

    /// Whether the other rows of the subject had their turn in this process.
    pub(super) fn gave_way(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::GaveWay))
    }

    /// Whether anything of the row is on an account.
    pub(super) fn wrote_something(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Wrote { .. }))
    }
}
