//! The fold: one record after another becomes the state of the run. PURE.

use std::sync::Arc;

use super::{
    DriftCheck, EffectBook, EffectState, EffectWord, LOG_LINES, Phase, RowDetail, RowState, RunState,
    StageState,
};
use crate::domain::change::ChangeKey;
use crate::domain::ids::{EffectId, StageId};
use crate::domain::plan::Plan;
use crate::domain::record::{Ended, Record, RowEnd};
use crate::domain::time::UtcMs;

/// Gives back the plan that a `Planned` record names; how is the caller's affair.
pub trait Plans {
    /// The stored plan, or one sentence why not.
    fn load(&self, file: &str) -> Result<Plan, String>;
}

impl RunState {
    /// Makes `record`, number `seq` of the journal, true. Fails only when a stored plan cannot be read.
    pub fn apply(&mut self, record: &Record, at: UtcMs, seq: u64, plans: &dyn Plans) -> Result<(), String> {
        self.journal_seq = self.journal_seq.max(seq);
        self.apply_run(record);
        if let Some(stage) = record.stage().and_then(|id| self.stage_mut(id)) {
            stage.apply(record, at, plans)?;
        }
        if let Some(line) = crate::engine::log::line(record, at, seq) {
            let log = Arc::make_mut(&mut self.log);
            if log.len() >= LOG_LINES {
                log.pop_front();
            }
            log.push_back(line);
        }
        Ok(())
    }

    fn apply_run(&mut self, record: &Record) {
        match record {
            Record::Opened {
                run,
                accounts,
                scope,
                scope_words,
                seed,
                operator,
                ..
            } => {
                self.run.clone_from(run);
                self.accounts = Some(accounts.clone());
                self.scope = Some((*scope, scope_words.clone()));
                self.seed = *seed;
                self.operator.clone_from(operator);
            }
            Record::Paused { by } => self.paused = Some(by.clone()),
            Record::Resumed { .. } => self.paused = None,
            Record::Used { role, gets, writes } => {
                let used = self.used.entry(*role).or_default();
                used.0 = used.0.saturating_add(*gets);
                used.1 = used.1.saturating_add(*writes);
            }
            _ => {}
        }
    }
}

impl StageState {
    fn apply(&mut self, record: &Record, at: UtcMs, plans: &dyn Plans) -> Result<(), String> {
        match record {
            Record::Gathering { .. } => {
                *self = Self {
                    phase: Phase::Gathering,
                    ..Self::new(self.id)
                };
            }
            Record::Gathered { snapshot, .. } => self.snapshot = Some(snapshot.clone()),
            Record::GatherFailed { why, input, .. } => {
                let (why, input) = (why.clone(), *input);
                self.phase = Phase::GatherFailed { why, input };
            }
            Record::Planned { file, digest, .. } => {
                let plan = plans.load(file)?;
                if plan.digest() != *digest {
                    return Err(format!(
                        "{file} holds plan {}, the journal says {}",
                        plan.digest().spoken(),
                        digest.spoken()
                    ));
                }
                self.plan_file = Some(file.clone());
                self.findings = Arc::new(plan.findings().to_vec());
                self.set_plan(plan);
            }
            Record::Decided { rows, decision, .. } => self.decide(rows, decision)?,
            Record::Checked {
                digest,
                objects,
                drifted,
                ..
            } => {
                self.phase = Phase::Review;
                let (digest, objects, drifted) = (*digest, *objects, drifted.clone());
                self.check = Some(DriftCheck {
                    digest,
                    objects,
                    drifted,
                    at,
                });
            }
            Record::Approved { approval } => self.approval = Some(approval.clone()),
            Record::Writing { .. } => {
                self.phase = Phase::Writing;
                self.meter = writing(self.pending(), at);
            }
            Record::Halted { why, .. } => self.phase = Phase::Halted { why: why.clone() },
            Record::Written { .. } => self.phase = Phase::Written,
            Record::Audited {
                compared, findings, ..
            } => {
                self.audited = Some((*compared, at));
                self.phase = Phase::Done;
                let kept = self
                    .plan
                    .as_ref()
                    .map(|plan| plan.findings().to_vec())
                    .unwrap_or_default();
                self.findings = Arc::new(kept.into_iter().chain(findings.iter().cloned()).collect());
            }
            Record::Undone { left, .. } => {
                self.phase = Phase::Undone;
                let kept = self.findings.iter().cloned();
                self.findings = Arc::new(kept.chain(left.iter().cloned()).collect());
            }
            Record::AuditFailed { why, .. } => self.phase = Phase::AuditFailed { why: why.clone() },
            _ => self.apply_row(record, at),
        }
        Ok(())
    }

    fn set_plan(&mut self, plan: Plan) {
        self.rows = Arc::new(vec![RowState::default(); plan.changes().len()]);
        self.plan = Some(Arc::new(plan));
        self.preview = Arc::default();
        self.check = None;
        self.approval = None;
        self.audited = None;
        self.tally = super::Tally::default();
        self.phase = Phase::Review;
    }

    fn decide(
        &mut self,
        rows: &[ChangeKey],
        decision: &crate::domain::change::Decision,
    ) -> Result<(), String> {
        let Some(plan) = &self.plan else {
            return Err("a decision stands before its plan".to_owned());
        };
        let decided = plan.decide_all(rows.iter().map(|key| (key.clone(), decision.clone())));
        self.plan = Some(Arc::new(decided.map_err(|e| e.to_string())?));
        self.check = None;
        Ok(())
    }

    fn apply_row(&mut self, record: &Record, at: UtcMs) {
        match record {
            Record::Intent(intent) => self.effect(&intent.row, &intent.effect, &intent.op, EffectWord::Open),
            Record::Outcome {
                row, effect, ended, ..
            } => self.effect(row, effect, "", word(ended)),
            Record::Unknown { row, effect, why, .. } => {
                self.effect(row, effect, "", EffectWord::Unknown { why: why.clone() });
            }
            Record::Probe {
                row, found: false, ..
            } => self.detail(row, |detail| detail.needs_reissue = true),
            Record::Batch { rows, .. } => {
                for row in rows {
                    if let Some(row) = self.row_mut(row) {
                        row.working = true;
                    }
                }
            }
            Record::Reissue { row, .. } => self.reopen(row),
            Record::Row {
                row,
                end,
                why,
                code,
                moved,
                ..
            } => {
                self.detail_if(
                    row,
                    !why.is_empty() || !code.is_empty() || moved.is_some(),
                    |detail| {
                        detail.why.clone_from(why);
                        detail.code.clone_from(code);
                        detail.moved = *moved;
                    },
                );
                self.end(row, *end);
                self.meter.done += 1;
                self.meter.last_at = at;
            }
            _ => {}
        }
    }

    fn row_mut(&mut self, key: &ChangeKey) -> Option<&mut RowState> {
        let at = self.plan.as_ref()?.position(key)?;
        Arc::make_mut(&mut self.rows).get_mut(at)
    }

    fn detail(&mut self, key: &ChangeKey, change: impl FnOnce(&mut RowDetail)) {
        self.detail_if(key, true, change);
    }

    fn detail_if(&mut self, key: &ChangeKey, wanted: bool, change: impl FnOnce(&mut RowDetail)) {
        let Some(row) = self.row_mut(key) else { return };
        if wanted || row.detail.is_some() {
            change(Arc::make_mut(row.detail.get_or_insert_default()));
        }
    }

    fn effect(&mut self, key: &ChangeKey, effect: &EffectId, op: &str, word: EffectWord) {
        let Some(row) = self.row_mut(key) else { return };
        row.working = true;
        let detail = Arc::make_mut(row.detail.get_or_insert_default());
        match detail.effects.iter_mut().find(|(id, ..)| id == effect) {
            Some((_, _, was)) => *was = word,
            None => detail.effects.push((effect.clone(), op.to_owned(), word)),
        }
    }

    fn end(&mut self, key: &ChangeKey, end: RowEnd) {
        let Some(plan) = self.plan.clone() else { return };
        let Some(change) = plan.position(key).map(|at| plan.changes()[at].clone()) else {
            return;
        };
        let Some(row) = self.row_mut(key) else { return };
        // A row ends once, but for two cases: it is taken back, and what was unknown is found out.
        match row.end {
            Some(before) if may_follow(before, end) => {
                if let Some(rows) = self.tally.rows.get_mut(&before) {
                    *rows = rows.saturating_sub(1);
                }
            }
            Some(_) => return,
            None => {}
        }
        let Some(row) = self.row_mut(key) else { return };
        row.end = Some(end);
        row.working = false;
        let moved = row.detail.as_ref().and_then(|detail| detail.moved);
        *self.tally.rows.entry(end).or_default() += 1;
        if let Some(money) = change.money {
            let amount = if end == RowEnd::Done {
                moved.unwrap_or(money).amount
            } else {
                money.amount
            };
            let sum = self.tally.money.entry((end, money.currency)).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    fn reopen(&mut self, key: &ChangeKey) {
        let Some(money) = self
            .plan
            .as_ref()
            .and_then(|p| p.position(key).map(|at| p.changes()[at].money))
        else {
            return;
        };
        let Some(row) = self.row_mut(key) else { return };
        let Some(end) = row.end.take() else { return };
        if let Some(detail) = &mut row.detail {
            Arc::make_mut(detail).needs_reissue = false;
        }
        if let Some(rows) = self.tally.rows.get_mut(&end) {
            *rows = rows.saturating_sub(1);
        }
        if let Some(money) = money
            && let Some(sum) = self.tally.money.get_mut(&(end, money.currency))
        {
            *sum = sum.saturating_sub(money.amount);
        }
    }
}

/// How far this sitting is; rows that ended in an earlier one are not its work.
fn writing(pending: u64, at: UtcMs) -> super::Meter {
    super::Meter {
        what: "writing".to_owned(),
        done: 0,
        total: Some(pending),
        started_at: at,
        last_at: at,
    }
}

fn word(ended: &Ended) -> EffectWord {
    match ended {
        Ended::Done(attested) => EffectWord::Done {
            object: attested.object.clone(),
            request_id: attested.request_id.clone(),
        },
        Ended::Rejected {
            message, request_id, ..
        } => EffectWord::Rejected {
            message: message.clone(),
            request_id: request_id.clone(),
        },
    }
}

/// Whether `end` may replace `before`. Neither carries money: both are about rows of the application's database.
fn may_follow(before: RowEnd, end: RowEnd) -> bool {
    matches!(
        (before, end),
        (RowEnd::Done, RowEnd::Undone) | (RowEnd::Unknown, RowEnd::Done | RowEnd::Drifted)
    )
}

impl EffectBook {
    /// The object the row's writes made, if they did.
    #[must_use]
    pub fn object(&self, stage: StageId, row: &ChangeKey) -> Option<&str> {
        let effects = self.0.get(&(stage, row.clone()))?;
        effects
            .iter()
            .find_map(|(_, state)| state.attested())
            .map(|attested| attested.object.as_str())
    }

    /// Makes `record` true for the writer.
    pub fn apply(&mut self, record: &Record, at: UtcMs) {
        match record {
            Record::Intent(intent) => {
                let state = EffectState::Open(Box::new(intent.clone()));
                self.set(intent.stage, &intent.row, &intent.effect, state);
            }
            Record::Outcome {
                stage,
                row,
                effect,
                ended,
                ..
            } => {
                self.set(*stage, row, effect, EffectState::Ended(ended.clone()));
            }
            Record::Unknown {
                stage, row, effect, ..
            } => {
                let Some(EffectState::Open(intent)) = self.get(*stage, row, effect).cloned() else {
                    return;
                };
                let unknown = EffectState::Unknown {
                    intent,
                    since: at,
                    probed_absent: false,
                    reissue: false,
                };
                self.set(*stage, row, effect, unknown);
            }
            Record::Probe {
                stage,
                row,
                effect,
                found: false,
                ..
            } => {
                if let Some(EffectState::Unknown { probed_absent, .. }) = self.get_mut(*stage, row, effect) {
                    *probed_absent = true;
                }
            }
            Record::Reissue { stage, row, .. } => {
                for (_, state) in self.0.get_mut(&(*stage, row.clone())).into_iter().flatten() {
                    if let EffectState::Unknown { reissue, .. } = state {
                        *reissue = true;
                    }
                }
            }
            Record::Gathering { stage } => self.forget_ended(*stage),
            _ => {}
        }
    }

    /// What is known about one effect of a row.
    #[must_use]
    pub fn get(&self, stage: StageId, row: &ChangeKey, effect: &EffectId) -> Option<&EffectState> {
        let effects = self.0.get(&(stage, row.clone()))?;
        effects
            .iter()
            .find(|(id, _)| id == effect)
            .map(|(_, state)| state)
    }

    fn get_mut(&mut self, stage: StageId, row: &ChangeKey, effect: &EffectId) -> Option<&mut EffectState> {
        let effects = self.0.get_mut(&(stage, row.clone()))?;
        effects
            .iter_mut()
            .find(|(id, _)| id == effect)
            .map(|(_, state)| state)
    }

    fn set(&mut self, stage: StageId, row: &ChangeKey, effect: &EffectId, state: EffectState) {
        let effects = self.0.entry((stage, row.clone())).or_default();
        match effects.iter_mut().find(|(id, _)| id == effect) {
            Some((_, was)) => *was = state,
            None => effects.push((effect.clone(), state)),
        }
    }

    /// Effects of this stage whose outcome is open or unknown: a new plan must not touch their rows.
    pub fn unsettled(&self, stage: StageId) -> impl Iterator<Item = &ChangeKey> {
        self.0
            .iter()
            .filter(move |((of, _), effects)| {
                *of == stage
                    && effects
                        .iter()
                        .any(|(_, state)| !matches!(state, EffectState::Ended(_)))
            })
            .map(|((_, row), _)| row)
    }

    /// A new plan of a stage starts with new rows; ended effects of earlier plans are found again by their markers.
    fn forget_ended(&mut self, stage: StageId) {
        self.0.retain(|(of, _), effects| {
            *of != stage
                || effects
                    .iter()
                    .any(|(_, state)| !matches!(state, EffectState::Ended(_)))
        });
    }
}
