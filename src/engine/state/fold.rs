//! The fold: one record after another becomes the state of the run. PURE.

use std::sync::Arc;

use super::{
    DriftCheck, EffectBook, EffectState, EffectWord, LOG_LINES, Phase, RowDetail, RowState, RunState,
    StageState,
};
use crate::domain::change::ChangeKey;
use crate::domain::ids::{Digest, EffectId, StageId};
use crate::domain::money::Money;
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
        // Taken up again a run is as old as it was.
        self.began.get_or_insert(at);
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
                let plan = stored(plans, file, *digest)?;
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
            Record::Writing { digest, .. }
                if self.undo.as_ref().is_some_and(|u| u.plan.digest() == *digest) =>
            {
                self.go_on_with_undo(at);
            }
            Record::Writing { .. } => {
                self.phase = Phase::Writing;
                self.meter = sitting("writing", self.pending(), at);
            }
            Record::Undoing {
                approval, file, left, ..
            } => {
                let plan = stored(plans, file, approval.digest)?;
                self.begin_undo(plan, approval, left, at);
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
            Record::Undone { left, .. } => self.undo_is_over(left),
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
        self.undo = None;
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
        if self.apply_to_undo(record, at) {
            return;
        }
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

    pub(super) fn detail(&mut self, key: &ChangeKey, change: impl FnOnce(&mut RowDetail)) {
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
        let before = self.row_mut(key).and_then(|row| row.end);
        // A row ends once, but for two cases: it is taken back, and what was unknown is found out.
        if before.is_none_or(|before| may_follow(before, end)) {
            self.put_end(key, Some(end));
        }
    }

    /// The row has that end, and the sums say so. What moved is in its detail by then.
    pub(super) fn put_end(&mut self, key: &ChangeKey, end: Option<RowEnd>) {
        let Some(at) = self.plan.as_ref().and_then(|plan| plan.position(key)) else {
            return;
        };
        let money = self.plan.as_ref().and_then(|plan| plan.changes().get(at)?.money);
        let Some(row) = Arc::make_mut(&mut self.rows).get_mut(at) else {
            return;
        };
        let before = std::mem::replace(&mut row.end, end);
        row.working = false;
        let moved = row.detail.as_ref().and_then(|detail| detail.moved);
        if let Some(before) = before {
            self.tally.count_out(before, money, moved);
        }
        if let Some(end) = end {
            self.tally.count_in(end, money, moved);
        }
    }

    fn reopen(&mut self, key: &ChangeKey) {
        let Some(row) = self.row_mut(key) else { return };
        if row.end.is_none() {
            return;
        }
        if let Some(detail) = &mut row.detail {
            Arc::make_mut(detail).needs_reissue = false;
        }
        self.put_end(key, None);
    }
}

impl super::Tally {
    fn count_in(&mut self, end: RowEnd, money: Option<Money>, moved: Option<Money>) {
        *self.rows.entry(end).or_default() += 1;
        if let Some(money) = counted(end, money, moved) {
            let sum = self.money.entry((end, money.currency)).or_default();
            *sum = sum.saturating_add(money.amount);
        }
    }

    fn count_out(&mut self, end: RowEnd, money: Option<Money>, moved: Option<Money>) {
        if let Some(rows) = self.rows.get_mut(&end) {
            *rows = rows.saturating_sub(1);
        }
        if let Some(money) = counted(end, money, moved)
            && let Some(sum) = self.money.get_mut(&(end, money.currency))
        {
            *sum = sum.saturating_sub(money.amount);
        }
    }
}

/// What a row counts for: what moved if it is done, and what was planned otherwise.
fn counted(end: RowEnd, money: Option<Money>, moved: Option<Money>) -> Option<Money> {
    let money = money?;
    let amount = match moved.filter(|_| end == RowEnd::Done) {
        Some(moved) => moved.amount,
        None => money.amount,
    };
    Some(Money { amount, ..money })
}

/// How far this sitting is; rows that ended in an earlier one are not its work.
pub(super) fn sitting(what: &str, pending: u64, at: UtcMs) -> super::Meter {
    super::Meter {
        what: what.to_owned(),
        done: 0,
        total: Some(pending),
        started_at: at,
        last_at: at,
    }
}

/// The stored plan that a record names, which must be the one it names.
fn stored(plans: &dyn Plans, file: &str, digest: Digest) -> Result<Plan, String> {
    let plan = plans.load(file)?;
    if plan.digest() == digest {
        return Ok(plan);
    }
    Err(format!(
        "{file} holds plan {}, the journal says {}",
        plan.digest().spoken(),
        digest.spoken()
    ))
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

/// Whether `end` may replace `before`.
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
        let effects = self.rows.get(&(stage, row.clone()))?;
        effects
            .iter()
            .find_map(|(_, state)| state.attested())
            .map(|attested| attested.object.as_str())
    }

    /// Makes `record` true for the writer.
    pub fn apply(&mut self, record: &Record, at: UtcMs) {
        match record {
            Record::Intent(intent) => {
                let (latest, _) = self.generations.entry(intent.stage).or_default();
                *latest = (*latest).max(intent.generation);
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
                for (_, state) in self.rows.get_mut(&(*stage, row.clone())).into_iter().flatten() {
                    if let EffectState::Unknown { reissue, .. } = state {
                        *reissue = true;
                    }
                }
            }
            Record::Gathering { stage } => self.forget_ended(*stage),
            Record::Undoing { stage, .. } => {
                let (latest, taken_back) = self.generations.entry(*stage).or_default();
                *taken_back = *latest;
                self.forget_refused(*stage);
            }
            _ => {}
        }
    }

    /// The generation that a new effect of the stage comes after. What was taken back may be written again under a plan
    /// with the same digest, and Stripe would answer the old key with what it made then, which is gone.
    #[must_use]
    pub fn generations_before(&self, stage: StageId) -> u32 {
        self.generations
            .get(&stage)
            .map_or(0, |(_, taken_back)| *taken_back)
    }

    /// What is known about the effects of a row.
    #[must_use]
    pub fn of_row(&self, stage: StageId, row: &ChangeKey) -> &[(EffectId, EffectState)] {
        self.rows.get(&(stage, row.clone())).map_or(&[], Vec::as_slice)
    }

    /// What is known about one effect of a row.
    #[must_use]
    pub fn get(&self, stage: StageId, row: &ChangeKey, effect: &EffectId) -> Option<&EffectState> {
        let effects = self.rows.get(&(stage, row.clone()))?;
        effects
            .iter()
            .find(|(id, _)| id == effect)
            .map(|(_, state)| state)
    }

    fn get_mut(&mut self, stage: StageId, row: &ChangeKey, effect: &EffectId) -> Option<&mut EffectState> {
        let effects = self.rows.get_mut(&(stage, row.clone()))?;
        effects
            .iter_mut()
            .find(|(id, _)| id == effect)
            .map(|(_, state)| state)
    }

    fn set(&mut self, stage: StageId, row: &ChangeKey, effect: &EffectId, state: EffectState) {
        let effects = self.rows.entry((stage, row.clone())).or_default();
        match effects.iter_mut().find(|(id, _)| id == effect) {
            Some((_, was)) => *was = state,
            None => effects.push((effect.clone(), state)),
        }
    }

    /// Effects of this stage whose outcome is open or unknown: a new plan must not touch their rows.
    pub fn unsettled(&self, stage: StageId) -> impl Iterator<Item = &ChangeKey> {
        self.rows
            .iter()
            .filter(move |((of, _), effects)| {
                *of == stage
                    && effects
                        .iter()
                        .any(|(_, state)| !matches!(state, EffectState::Ended(_)))
            })
            .map(|((_, row), _)| row)
    }

    /// What Stripe refused may be tried again by an undo that is begun later.
    fn forget_refused(&mut self, stage: StageId) {
        let of_stage = self.rows.iter_mut().filter(|((of, _), _)| *of == stage);
        for (_, effects) in of_stage {
            effects.retain(|(_, state)| !matches!(state, EffectState::Ended(Ended::Rejected { .. })));
        }
    }

    /// A new plan of a stage starts with new rows; ended effects of earlier plans are found again by their markers.
    fn forget_ended(&mut self, stage: StageId) {
        self.rows.retain(|(of, _), effects| {
            *of != stage
                || effects
                    .iter()
                    .any(|(_, state)| !matches!(state, EffectState::Ended(_)))
        });
    }
}
