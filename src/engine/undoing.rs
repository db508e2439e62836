//! Taking back what a stage wrote: the plan of it, made of the journal alone, and its script. PURE.
//!
//! An undo is a plan like any other: sealed, approved by a phrase, written by the same writer under the same rules. It
//! holds one row for each row of the plan that wrote something; its header names the digest it takes back. What the
//! journal does not know to have been made is not touched: a row with a write whose outcome is open stays as it is, with
//! a finding that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::state::{EffectBook, EffectState, KEPT, LEFT, RowState, StageState, UndoState};
use crate::domain::change::{Change, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{Accounts, StageId};
use crate::domain::plan::{Header, OutOfScope, Plan, PlanError};
use crate::domain::record::{Attested, RowEnd};
use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stages::{Audit, Boxed, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step};

/// The policies of an undo's header: the plan it takes back, and which try it is.
pub const UNDO_OF: &str = "undo_of";
const TRY: &str = "undo_try";
/// Findings about rows in one list, at most: a record has a largest size, and may hold two lists.
const MOST_FINDINGS: usize = 150;

/// An undo, to be approved.
#[derive(Debug)]
pub struct Undo {
    /// What takes the rows back.
    pub plan: Plan,
    /// What it cannot try to take back.
    pub left: Vec<Finding>,
}

/// Makes the undo of what `state` says was written. The same journal gives the same plan.
pub fn plan(
    stage: &dyn Stage,
    state: &StageState,
    book: &EffectBook,
    now: UtcMs,
) -> Result<Option<Undo>, PlanError> {
    let Some(of) = &state.plan else { return Ok(None) };
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    let mut kept = Kept::default();
    for (change, row) in of.changes().iter().zip(state.rows.iter()) {
        match row_of(stage, change, row, book) {
            Row::Nothing => {}
            Row::Undo(undo) => rows.push(*undo),
            Row::Kept(ops) => kept.add(change, ops),
            Row::Left(why) => left.push(finding(stage.id(), change, &why)),
        }
    }
    left = capped(stage.id(), left);
    left.extend(kept.finding(stage.id()));
    let tries = state.undo.as_ref().map_or(0, |undo| try_of(&undo.plan));
    let policy = [(UNDO_OF, of.digest().hex()), (TRY, (tries + 1).to_string())];
    let header = Header {
        policy: policy.map(|(name, value)| (name.to_owned(), value)).into(),
        ..of.header().clone()
    };
    let plan = Plan::seal(header, OutOfScope::default(), rows, Vec::new(), now)?;
    Ok(Some(Undo { plan, left }))
}

fn try_of(plan: &Plan) -> u64 {
    let tries = plan.header().policy.get(TRY);
    tries.and_then(|tries| tries.parse().ok()).unwrap_or(0)
}

enum Row {
    /// Nothing of it is anywhere.
    Nothing,
    Undo(Box<Change>),
    /// These writes of it happened, and the stage has nothing that takes them back.
    Kept(Vec<String>),
    /// Why it stays as it is.
    Left(String),
}

/// Rows with writes that no undo was made for. That is known beforehand, so it is said once and not row by row.
#[derive(Default)]
struct Kept {
    rows: u64,
    first: String,
    ops: BTreeSet<String>,
}

impl Kept {
    fn add(&mut self, change: &Change, ops: Vec<String>) {
        if self.rows == 0 {
            self.first = change.key.to_string();
        }
        self.rows += 1;
        self.ops.extend(ops);
    }

    fn finding(self, stage: StageId) -> Option<Finding> {
        let ops: Vec<String> = self.ops.into_iter().collect();
        (self.rows > 0).then(|| Finding {
            stage,
            customer: String::new(),
            rule: KEPT.to_owned(),
            reason: format!(
                "{} rows (first {}) wrote {}, for which there is no undo; the plan keeps what stood there before",
                self.rows,
                self.first,
                ops.join(", ")
            ),
            severity: Severity::Warn,
            money: None,
        })
    }
}

fn row_of(stage: &dyn Stage, change: &Change, row: &RowState, book: &EffectBook) -> Row {
    if change.verdict != Verdict::Planned || row.end == Some(RowEnd::Undone) {
        return Row::Nothing;
    }
    if change.update.is_some() {
        return match row.end {
            Some(RowEnd::Done) => Row::Undo(Box::new(undone(change, Vec::new()))),
            _ => Row::Nothing,
        };
    }
    let made = match made(stage.id(), change, book) {
        Err(op) => {
            return Row::Left(format!(
                "whether {op} of {} happened is not known, so nothing of the row was taken back",
                change.key
            ));
        }
        Ok(made) if made.is_empty() => return Row::Nothing,
        Ok(made) => made,
    };
    let writes = stage.undo(change, &made);
    if writes.is_empty() {
        return Row::Kept(made.into_keys().collect());
    }
    Row::Undo(Box::new(undone(change, writes)))
}

/// The objects that the row's writes made, by op; or the op of one whose outcome is open.
fn made(stage: StageId, change: &Change, book: &EffectBook) -> Result<BTreeMap<String, String>, String> {
    let mut made = BTreeMap::new();
    for write in change.writes_now() {
        match book.get(stage, &change.key, &write.effect) {
            Some(EffectState::Open(_) | EffectState::Unknown { .. }) => return Err(write.op.clone()),
            Some(state) => {
                let attested: Option<&Attested> = state.attested();
                made.extend(attested.map(|attested| (write.op.clone(), attested.object.clone())));
            }
            None => {}
        }
    }
    Ok(made)
}

/// The row as it was planned, with these writes in place of its own.
fn undone(change: &Change, writes: Vec<PlannedWrite>) -> Change {
    Change {
        planned_as: Verdict::Planned,
        writes,
        filled: Vec::new(),
        choices: Vec::new(),
        with: None,
        evidence: Vec::new(),
        ..change.clone()
    }
}

/// What of an undo that has come to its end is not taken back, and why.
#[must_use]
pub fn left(stage: StageId, undo: &UndoState) -> Vec<Finding> {
    let rows = undo.plan.changes().iter().filter_map(|change| {
        let why = match undo.ends.get(&change.key) {
            Some((RowEnd::Undone, _)) => return None,
            Some((RowEnd::Unknown, why)) => {
                format!("whether {} was taken back is not known: {why}", change.key)
            }
            Some((_, why)) => format!("{} was not taken back: {why}", change.key),
            None => format!(
                "{} was not taken back: a row it rests on is not known to be",
                change.key
            ),
        };
        Some(finding(stage, change, &why))
    });
    let mut all = undo.left.clone();
    all.extend(capped(stage, rows.collect()));
    all
}

fn finding(stage: StageId, change: &Change, why: &str) -> Finding {
    Finding {
        stage,
        customer: change.subject.clone(),
        rule: LEFT.to_owned(),
        reason: why.to_owned(),
        severity: Severity::Differs,
        money: None,
    }
}

fn capped(stage: StageId, mut findings: Vec<Finding>) -> Vec<Finding> {
    let more = findings.len().saturating_sub(MOST_FINDINGS);
    if more > 0 {
        findings.truncate(MOST_FINDINGS);
        findings.push(Finding {
            stage,
            customer: String::new(),
            rule: LEFT.to_owned(),
            reason: format!("and {more} rows more that were not taken back"),
            severity: Severity::Differs,
            money: None,
        });
    }
    findings
}

/// A stage as the writer sees it while it is taken back: its undo for its script, all else its own.
pub struct Undoing(pub Arc<dyn Stage>);

impl Stage for Undoing {
    fn next(&self, change: &Change, facts: &[crate::stages::Fact]) -> Step {
        self.0.undo_next(change, facts)
    }

    fn rank(&self, change: &Change) -> u32 {
        self.0.undo_rank(change)
    }

    /// The last written is the first taken back, so whatever is still to come rests on what is not known.
    fn follows(&self, _change: &Change) -> bool {
        true
    }

    fn undo_words(&self) -> Option<&'static str> {
        self.0.undo_words()
    }

    fn id(&self) -> StageId {
        self.0.id()
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
        self.0.attest(write, object, livemode)
    }

    fn probe(&self, write: &PlannedWrite, since: UtcMs) -> Look {
        self.0.probe(write, since)
    }

    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        self.0.is_effect(write, object)
    }

    fn gather<'a>(&'a self, reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        self.0.gather(reading)
    }

    fn header(&self, accounts: &Accounts, settings: &Settings) -> Result<Header, StageError> {
        self.0.header(accounts, settings)
    }

    fn fits(&self, plan: &Header, wanted: &Header) -> bool {
        self.0.fits(plan, wanted)
    }

    fn plan(&self, gathered: Gathered, reading: &Reading) -> Result<Plan, StageError> {
        self.0.plan(gathered, reading)
    }

    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        self.0.recheck(reading, plan)
    }

    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [(
            crate::domain::change::ChangeKey,
            RowEnd,
            Option<crate::domain::money::Money>,
        )],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        self.0.audit(reading, plan, ends)
    }

    fn panel(&self, plan: Option<&Plan>) -> crate::domain::panel::Panel {
        self.0.panel(plan)
    }

    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String> {
        self.0.cells(change, unmasked)
    }
}
