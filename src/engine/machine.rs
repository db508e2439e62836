//! What follows from a command, given the state. PURE: records to write first, then work to start.

pub(super) mod undo;

use std::sync::Arc;

use super::command::{Command, CommandRefused};
use super::state::{EffectBook, Phase, RunState, StageState};
use crate::domain::approval::{Approval, Approved, VALID_MS};
use crate::domain::change::{ChangeKey, Decision};
use crate::domain::finding::Finding;
use crate::domain::ids::{Digest, Role, StageId};
use crate::domain::plan::Plan;
use crate::domain::record::{Record, RowEnd};
use crate::domain::time::UtcMs;
use crate::stages;

/// How old the last look at the facts may be when a plan is approved.
pub const CHECK_VALID_MS: i64 = 10 * 60_000;
/// Rows of one `Decided` record: keeps the record under the journal's limit.
const ROWS_PER_RECORD: usize = 1_000;

/// What the driver has to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Put this into the journal before anything that follows.
    Record(Box<Record>),
    /// Start reading.
    Gather(StageId),
    /// Store this plan and put it into the journal.
    Import(Arc<Plan>),
    /// Start the last look before approval.
    Check(StageId),
    /// Start, or take up, writing.
    Write(StageId),
    /// Let no new write start.
    StopWriting,
    /// Start verifying.
    Audit(StageId),
    /// Store the plan of an undo, put it into the journal with its approval, and start it.
    Undo {
        /// What takes the rows back.
        plan: Arc<Plan>,
        /// Its approval.
        approval: Box<Approval>,
        /// What it cannot try to take back.
        left: Vec<Finding>,
    },
    /// Show what an undo would send.
    OfferUndo(StageId, Arc<super::state::Offer>),
    /// Take up an undo that is on record.
    TakeBack(StageId),
    /// Look at that file, and put into the journal that it was uploaded.
    Uploaded {
        /// The stage.
        stage: StageId,
        /// The file.
        file: String,
        /// What the Dashboard calls it.
        id: String,
        /// When.
        at: UtcMs,
        /// Who.
        by: String,
    },
    /// Change a share.
    SetShare(Role, u32),
    /// Stop the engine when nothing is in flight.
    Quit,
}

impl Act {
    /// To put `record` into the journal.
    #[must_use]
    pub fn record(record: Record) -> Self {
        Self::Record(Box::new(record))
    }
}

/// What the machine looks at.
pub struct View<'a> {
    /// The state.
    pub state: &'a RunState,
    /// The effects.
    pub book: &'a EffectBook,
    /// The clock.
    pub now: UtcMs,
}

/// What follows from `command`, or why nothing does.
pub fn command(view: &View<'_>, command: &Command) -> Result<Vec<Act>, CommandRefused> {
    match command {
        Command::Gather(id) => gather(view, *id),
        Command::Decide {
            stage,
            rows,
            decision,
        } => decide(view, *stage, rows, decision),
        Command::Check(id) => check(view, *id),
        Command::Approve {
            stage,
            digest,
            phrase,
            witness,
            note,
        } => approve(view, *stage, *digest, phrase, witness.clone(), note),
        Command::Pause { by } => Ok(match view.state.paused {
            Some(_) => vec![],
            None => vec![Act::StopWriting, Act::record(Record::Paused { by: by.clone() })],
        }),
        Command::Resume { by } => resume(view, by),
        Command::Continue(id) => go_on(view, *id),
        Command::Reissue { stage, rows, by } => reissue(view, *stage, rows, by),
        Command::Import(plan) => import(view, plan),
        Command::Audit(id) => audit(view, *id),
        Command::OfferUndo(id) => undo::offer(view, *id, stages::get(*id)),
        Command::Undo {
            stage,
            digest,
            phrase,
            witness,
            note,
            by,
        } => {
            let words = undo::Words {
                digest: *digest,
                phrase,
                note,
                witness: witness.as_ref(),
                by,
            };
            undo::undo(view, *stage, stages::get(*stage), &words)
        }
        Command::Uploaded {
            stage,
            file,
            id,
            at,
            by,
        } => uploaded(view, *stage, (file, id), *at, by),
        Command::SetShare { role, percent } => match percent {
            1..=100 => Ok(vec![Act::SetShare(*role, *percent)]),
            _ => Err(not_now("a share is between 1 and 100 per cent")),
        },
        Command::Quit => Ok(vec![Act::StopWriting, Act::Quit]),
    }
}

fn not_now(why: impl Into<String>) -> CommandRefused {
    CommandRefused::NotNow(why.into())
}

fn stage<'a>(view: &View<'a>, id: StageId) -> Result<&'a StageState, CommandRefused> {
    view.state
        .stage(id)
        .ok_or_else(|| not_now(format!("this run has no stage {id}")))
}

fn plan(stage: &StageState) -> Result<&Arc<Plan>, CommandRefused> {
    stage
        .plan
        .as_ref()
        .ok_or_else(|| not_now(format!("{} has no plan yet; read both accounts first", stage.id)))
}

fn gather(view: &View<'_>, id: StageId) -> Result<Vec<Act>, CommandRefused> {
    may_plan_anew(view, id)?;
    Ok(vec![
        Act::record(Record::Gathering { stage: id }),
        Act::Gather(id),
    ])
}

fn import(view: &View<'_>, plan: &Arc<Plan>) -> Result<Vec<Act>, CommandRefused> {
    may_plan_anew(view, plan.header().stage)?;
    Ok(vec![Act::Import(plan.clone())])
}

fn may_plan_anew(view: &View<'_>, id: StageId) -> Result<(), CommandRefused> {
    let stage = stage(view, id)?;
    if stage.phase.is_busy() {
        return Err(not_now(format!(
            "{id} is {}; wait until it is finished",
            stage.phase.word()
        )));
    }
    let unsettled = view.book.unsettled(id).count();
    if unsettled > 0 {
        return Err(not_now(format!(
            "{unsettled} rows of {id} have writes whose outcome is not known; settle them before planning anew"
        )));
    }
    Ok(())
}

fn decide(
    view: &View<'_>,
    id: StageId,
    rows: &[ChangeKey],
    decision: &Decision,
) -> Result<Vec<Act>, CommandRefused> {
    let stage = stage(view, id)?;
    if stage.phase != Phase::Review {
        return Err(not_now(format!(
            "{id} is {}; rows are decided while a plan is in review",
            stage.phase.word()
        )));
    }
    let plan = plan(stage)?;
    plan.decide_all(rows.iter().map(|key| (key.clone(), decision.clone())))?;
    let records = rows.chunks(ROWS_PER_RECORD).map(|rows| {
        Act::record(Record::Decided {
            stage: id,
            rows: rows.to_vec(),
            decision: decision.clone(),
        })
    });
    Ok(records.collect())
}

fn check(view: &View<'_>, id: StageId) -> Result<Vec<Act>, CommandRefused> {
    let stage = stage(view, id)?;
    if stage.phase != Phase::Review {
        return Err(not_now(format!(
            "{id} is {}; facts are read again while a plan is in review",
            stage.phase.word()
        )));
    }
    plan(stage)?;
    Ok(vec![Act::Check(id)])
}

fn approve(
    view: &View<'_>,
    id: StageId,
    digest: Digest,
    phrase: &str,
    witness: Option<String>,
    note: &str,
) -> Result<Vec<Act>, CommandRefused> {
    let stage = stage(view, id)?;
    let renews = renews(stage, view.now);
    if stage.phase != Phase::Review && !renews {
        return Err(not_now(format!(
            "{id} is {}; only a plan in review can be approved",
            stage.phase.word()
        )));
    }
    if let Some(by) = &view.state.paused {
        return Err(not_now(format!("writes are paused by {by}; resume first")));
    }
    if let Some(armed) = view.state.armed() {
        return Err(not_now(format!(
            "{armed} is being written; one stage writes at a time"
        )));
    }
    let plan = plan(stage)?;
    if let Some(check) = stage.check.as_ref().filter(|check| check.digest == plan.digest())
        && !check.drifted.is_empty()
    {
        return Err(CommandRefused::Drifted(check.drifted.len()));
    }
    let approval = Approval {
        stage: id,
        digest,
        phrase: phrase.to_owned(),
        operator: view.state.operator.clone(),
        witness,
        witness_waived: view.state.witness_waived,
        note: note.to_owned(),
        writes_source: plan.totals().writes_source,
        writes_destination: plan.totals().writes_destination,
        writes_if_raced: plan.totals().writes_if_raced,
        irreversible: plan.totals().irreversible,
        rows_app: plan.totals().rows_app,
        lines: plan.totals().lines,
        journal_head: view.state.journal_head.clone(),
        at: view.now,
        expires_at: view.now.plus_ms(VALID_MS),
    };
    Approved::check(plan.clone(), approval.clone(), view.now)?;
    if !renews {
        checked_lately(stage, plan.digest(), view.now)?;
    }
    Ok(vec![
        Act::record(Record::Approved { approval }),
        Act::record(Record::Writing { stage: id, digest }),
        Act::Write(id),
    ])
}

/// A halted stage whose approval expired is approved again for the rows that are left; each is looked at just before it
/// is written, so the plan as a whole need not be.
fn renews(stage: &StageState, now: UtcMs) -> bool {
    let expired = stage
        .approval
        .as_ref()
        .is_some_and(|approval| now >= approval.expires_at);
    matches!(stage.phase, Phase::Halted { .. }) && expired && stage.undo.is_none()
}

fn checked_lately(stage: &StageState, digest: Digest, now: UtcMs) -> Result<(), CommandRefused> {
    let fresh = stage
        .check
        .as_ref()
        .is_some_and(|c| c.digest == digest && now.since(c.at) <= CHECK_VALID_MS);
    if fresh {
        Ok(())
    } else {
        Err(not_now(
            "the facts were not read again lately; check for drift first",
        ))
    }
}

fn resume(view: &View<'_>, by: &str) -> Result<Vec<Act>, CommandRefused> {
    let mut acts = Vec::new();
    if view.state.paused.is_some() {
        acts.push(Act::record(Record::Resumed { by: by.to_owned() }));
    }
    if let Some(id) = view.state.armed() {
        let stage = stage(view, id)?;
        if stage.undo_under_way().is_some() {
            acts.push(Act::TakeBack(id));
        } else {
            still_approved(stage, view.now)?;
            acts.push(Act::Write(id));
        }
    }
    Ok(acts)
}

/// Effects that are open must be settled whatever the age of the approval; new ones are refused one by one by the writer.
fn still_approved(stage: &StageState, now: UtcMs) -> Result<(), CommandRefused> {
    let Some(approval) = stage.approval.clone() else {
        return Err(not_now("there is no approval on record"));
    };
    match Approved::check(plan(stage)?.clone(), approval, now) {
        Ok(_) | Err(crate::domain::approval::Refusal::Expired { .. }) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn go_on(view: &View<'_>, id: StageId) -> Result<Vec<Act>, CommandRefused> {
    let stage = stage(view, id)?;
    if !matches!(stage.phase, Phase::Halted { .. }) {
        return Err(not_now(format!("{id} is {}, not halted", stage.phase.word())));
    }
    if let Some(by) = &view.state.paused {
        return Err(not_now(format!("writes are paused by {by}; resume first")));
    }
    if let Some(undo) = stage.undo_under_way() {
        return Ok(undo::go_on(id, undo).into());
    }
    still_approved(stage, view.now)?;
    Ok(vec![
        Act::record(Record::Writing {
            stage: id,
            digest: plan(stage)?.digest(),
        }),
        Act::Write(id),
    ])
}

fn reissue(view: &View<'_>, id: StageId, rows: &[ChangeKey], by: &str) -> Result<Vec<Act>, CommandRefused> {
    let stage = stage(view, id)?;
    if stage.phase.is_busy() {
        return Err(not_now(format!(
            "{id} is {}; wait until it is finished",
            stage.phase.word()
        )));
    }
    if let Some(undo) = &stage.undo {
        return undo::reissue(id, undo, rows, by, view.now);
    }
    let plan = plan(stage)?;
    let mut acts = Vec::with_capacity(rows.len() + 2);
    for row in rows {
        let at = plan
            .position(row)
            .ok_or_else(|| not_now(format!("the plan has no row {row}")))?;
        if stage
            .rows
            .get(at)
            .is_none_or(|row| row.end != Some(RowEnd::Unknown))
        {
            return Err(not_now(format!(
                "{row} is not unknown; only what a look did not find may be sent again"
            )));
        }
        acts.push(Act::record(Record::Reissue {
            stage: id,
            row: row.clone(),
            by: by.to_owned(),
        }));
    }
    still_approved(stage, view.now)?;
    acts.push(Act::record(Record::Writing {
        stage: id,
        digest: plan.digest(),
    }));
    acts.push(Act::Write(id));
    Ok(acts)
}

/// Nothing to write and nothing to decide: the stage is over as soon as it is verified.
#[must_use]
pub fn writes_nothing(plan: &Plan) -> bool {
    plan.totals().planned == 0 && plan.totals().blocked == 0
}

fn audit(view: &View<'_>, id: StageId) -> Result<Vec<Act>, CommandRefused> {
    let stage = stage(view, id)?;
    match stage.phase {
        Phase::Written | Phase::Done | Phase::AuditFailed { .. } => Ok(vec![Act::Audit(id)]),
        Phase::Review if writes_nothing(plan(stage)?) => {
            Ok(vec![Act::record(Record::Written { stage: id }), Act::Audit(id)])
        }
        _ => Err(not_now(format!(
            "{id} is {}; there is nothing written to verify",
            stage.phase.word()
        ))),
    }
}

fn uploaded(
    view: &View<'_>,
    id: StageId,
    (file, called): (&str, &str),
    at: Option<UtcMs>,
    by: &str,
) -> Result<Vec<Act>, CommandRefused> {
    let known = &stage(view, id)?.uploads;
    let (file, called) = (file.trim(), called.trim());
    if called.is_empty() || called.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(not_now(
            "say what the Dashboard calls the migration: its id, without spaces",
        ));
    }
    if let Some(same) = known
        .iter()
        .find(|upload| upload.id == called || upload.file == file)
    {
        return Err(not_now(format!(
            "{} is on record already, as {}; one upload is recorded once",
            same.file, same.id
        )));
    }
    let at = at.unwrap_or(view.now);
    if at > view.now {
        return Err(not_now(
            "an upload cannot lie ahead; give the time at which it was made",
        ));
    }
    Ok(vec![Act::Uploaded {
        stage: id,
        file: file.to_owned(),
        id: called.to_owned(),
        at,
        by: by.to_owned(),
    }])
}

/// What a process does first with the state it found: work that a crash cut off is named, writing waits for a word.
#[must_use]
pub fn take_up(state: &RunState) -> Vec<Act> {
    let mut acts = Vec::new();
    for stage in &state.stages {
        match stage.phase {
            Phase::Gathering => acts.push(Act::record(Record::GatherFailed {
                stage: stage.id,
                why: "the program ended while reading; nothing was written, read again".to_owned(),
                input: false,
            })),
            Phase::Writing | Phase::Undoing if state.paused.is_none() => {
                acts.push(Act::record(Record::Paused {
                    by: "restart".to_owned(),
                }));
            }
            Phase::Written => acts.push(Act::Audit(stage.id)),
            _ => {}
        }
    }
    acts
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
