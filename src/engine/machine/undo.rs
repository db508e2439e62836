//! Taking a stage back: who may, when, and with which words. PURE.

use std::sync::Arc;

use super::{Act, View, not_now, plan, stage};
use crate::domain::approval::{Approval, Approved, Refusal, VALID_MS};
use crate::domain::change::ChangeKey;
use crate::domain::ids::{Digest, StageId};
use crate::domain::record::{Record, RowEnd};
use crate::domain::time::UtcMs;
use crate::engine::command::CommandRefused;
use crate::engine::state::{Offer, Phase, StageState, UndoState};
use crate::engine::undoing;
use crate::stages::Stage;

/// What a person gave with the command.
pub(in crate::engine) struct Words<'a> {
    /// The offer that was looked at.
    pub(in crate::engine) digest: Option<Digest>,
    pub(in crate::engine) phrase: &'a str,
    pub(in crate::engine) note: &'a str,
    pub(in crate::engine) witness: Option<&'a String>,
    pub(in crate::engine) by: &'a str,
}

pub(in crate::engine) fn undo(
    view: &View<'_>,
    id: StageId,
    script: Option<Arc<dyn Stage>>,
    words: &Words<'_>,
) -> Result<Vec<Act>, CommandRefused> {
    let state = stage(view, id)?;
    let script = script.ok_or_else(|| not_now(format!("this program has no stage {id}")))?;
    may_undo(view, state)?;
    plan(state)?;
    let mut acts = Vec::new();
    // The phrase is a person's word to go on, whoever paused.
    if view.state.paused.is_some() {
        let by = words.by.to_owned();
        acts.push(Act::record(Record::Resumed { by }));
    }
    match state.undo_under_way() {
        Some(undo) if good(undo, view.now)? => {
            as_offered(words.digest, undo.plan.digest())?;
            // Taken up again by the same words.
            let again = Approval {
                phrase: words.phrase.to_owned(),
                ..undo.approval.clone()
            };
            Approved::check(undo.plan.clone(), again, view.now)?;
            acts.extend(go_on(id, undo));
        }
        _ => acts.push(anew(view, state, &*script, words)?),
    }
    Ok(acts)
}

/// Not while something else is at it. Writing that is paused is nobody's work, and may be taken back instead.
fn may_undo(view: &View<'_>, state: &StageState) -> Result<(), CommandRefused> {
    let is_paused = view.state.paused.is_some();
    let is_put_down = is_paused && matches!(state.phase, Phase::Writing | Phase::Undoing);
    if state.phase.is_busy() && !is_put_down {
        return Err(not_now(format!(
            "{} is {}; wait until it is finished",
            state.id,
            state.phase.word()
        )));
    }
    match view.state.armed().filter(|armed| *armed != state.id) {
        Some(armed) => Err(not_now(format!(
            "{armed} is being written; one stage writes at a time"
        ))),
        None => Ok(()),
    }
}

/// What taking `id` back would send now.
pub(in crate::engine) fn offer(
    view: &View<'_>,
    id: StageId,
    script: Option<Arc<dyn Stage>>,
) -> Result<Vec<Act>, CommandRefused> {
    let state = stage(view, id)?;
    let script = script.ok_or_else(|| not_now(format!("this program has no stage {id}")))?;
    may_undo(view, state)?;
    plan(state)?;
    let offer = match state.undo_under_way() {
        Some(undo) if good(undo, view.now)? => Offer {
            plan: undo.plan.clone(),
            left: undo.left.clone(),
            at: view.now,
        },
        _ => made(view, state, &*script)?,
    };
    Ok(vec![Act::OfferUndo(id, Arc::new(offer))])
}

fn as_offered(looked_at: Option<Digest>, now: Digest) -> Result<(), CommandRefused> {
    if looked_at.is_none_or(|digest| digest == now) {
        return Ok(());
    }
    Err(not_now(
        "what would be taken back is no longer what was shown; look at it again",
    ))
}

/// The undo as it would be now; a refusal where there is nothing to take back.
fn made(view: &View<'_>, state: &StageState, script: &dyn Stage) -> Result<Offer, CommandRefused> {
    let made = undoing::plan(script, state, view.book, view.now)?;
    let undo = made.filter(|undo| undo.plan.totals().writes_in_all() > 0);
    let undo = undo.ok_or_else(|| not_now(nothing(state)))?;
    Ok(Offer {
        plan: Arc::new(undo.plan),
        left: undo.left,
        at: view.now,
    })
}

fn nothing(state: &StageState) -> String {
    let (id, undone) = (state.id, state.tally.count(RowEnd::Undone));
    if undone > 0 {
        return format!(
            "{id} is taken back already ({undone} rows); nothing is left that this program could take back"
        );
    }
    format!("{id} has written nothing that this program could take back")
}

fn anew(
    view: &View<'_>,
    state: &StageState,
    script: &dyn Stage,
    words: &Words<'_>,
) -> Result<Act, CommandRefused> {
    let Offer { plan, left, .. } = made(view, state, script)?;
    as_offered(words.digest, plan.digest())?;
    let totals = plan.totals();
    let approval = Approval {
        stage: state.id,
        digest: plan.digest(),
        phrase: words.phrase.to_owned(),
        operator: words.by.to_owned(),
        witness: words.witness.cloned(),
        witness_waived: view.state.witness_waived,
        note: words.note.to_owned(),
        writes_source: totals.writes_source,
        writes_destination: totals.writes_destination,
        writes_if_raced: totals.writes_if_raced,
        irreversible: totals.irreversible,
        rows_app: totals.rows_app,
        lines: totals.lines,
        journal_head: view.state.journal_head.clone(),
        at: view.now,
        expires_at: view.now.plus_ms(VALID_MS),
    };
    Approved::check(plan.clone(), approval.clone(), view.now)?;
    Ok(Act::Undo {
        plan,
        approval: Box::new(approval),
        left,
    })
}

/// Whether the approval of an undo still holds for new writes; what was sent is settled whatever its age.
fn good(undo: &UndoState, now: UtcMs) -> Result<bool, CommandRefused> {
    match Approved::check(undo.plan.clone(), undo.approval.clone(), now) {
        Ok(_) => Ok(true),
        Err(Refusal::Expired { .. }) => Ok(false),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Takes an undo up where it was left.
pub(super) fn go_on(id: StageId, undo: &UndoState) -> [Act; 2] {
    let digest = undo.plan.digest();
    [
        Act::record(Record::Writing { stage: id, digest }),
        Act::TakeBack(id),
    ]
}

/// Rows whose taking back a look did not find may be sent again.
pub(in crate::engine) fn reissue(
    id: StageId,
    undo: &UndoState,
    rows: &[ChangeKey],
    by: &str,
    now: UtcMs,
) -> Result<Vec<Act>, CommandRefused> {
    if let Some(row) = rows.iter().find(|row| !undo.is_unknown(row)) {
        return Err(not_now(format!(
            "{id} is being taken back, and {row} is not unknown in that; only what a look did not find may be sent again"
        )));
    }
    good(undo, now)?;
    let reissued = rows.iter().map(|row| {
        Act::record(Record::Reissue {
            stage: id,
            row: row.clone(),
            by: by.to_owned(),
        })
    });
    Ok(reissued.chain(go_on(id, undo)).collect())
}
