//! Where a person would decide and wait. The engine is asked the same commands as by the screen; nothing is approved
//! here that was not approved on the command line or by a named policy that only a rehearsal may use.

use std::sync::Arc;

use super::failure::Failure;
use super::undecided::in_order;
use crate::clock::Clock;
use crate::domain::approval;
use crate::domain::change::{ChangeKey, Decision, LEAVE_OUT, Verdict};
use crate::domain::ids::StageId;
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::engine::command::{Command, Handle};
use crate::engine::state::{Phase, RunState, StageState};

/// The policy of a headless rehearsal, by name, as it stands in the journal.
pub(super) const POLICY: &str = "policy:rehearsal";
/// Times a halted stage is taken up again by the policy.
const CONTINUES: u32 = 5;
/// Times unknown rows are sent again after a negative look.
const REISSUES: u32 = 5;
/// How long the policy waits before it does.
const COOL_DOWN_MS: i64 = 10 * 60_000;

/// What is done by itself while writing.
#[derive(Clone, Debug, Default)]
pub(super) struct Leave {
    /// Send again what a look did not find, in this name.
    pub(super) reissue_by: Option<String>,
    /// Take a halted stage up again, this often.
    pub(super) continues: u32,
}

impl Leave {
    /// Everything, as a rehearsal may.
    pub(super) fn rehearsal() -> Self {
        Self {
            reissue_by: Some(POLICY.to_owned()),
            continues: CONTINUES,
        }
    }
}

fn stage(state: &RunState, id: StageId) -> Result<&StageState, Failure> {
    state
        .stage(id)
        .ok_or_else(|| Failure::usage(format!("this program has no stage {id}")))
}

async fn until(handle: &Handle, holds: impl FnMut(&RunState) -> bool) -> Result<Arc<RunState>, Failure> {
    handle
        .wait_for(holds)
        .await
        .ok_or_else(|| Failure::failed("the engine stopped; the run can be taken up again"))
}

fn idle(state: &RunState, id: StageId) -> bool {
    state.fatal.is_some()
        || state
            .stage(id)
            .is_some_and(|s| !s.phase.is_busy() && s.phase != Phase::Written)
}

/// Reads both accounts and plans.
pub(super) async fn gather(handle: &Handle, id: StageId) -> Result<Arc<Plan>, Failure> {
    handle.ask(Command::Gather(id)).await?;
    let state = until(handle, |state| idle(state, id)).await?;
    let stage = stage(&state, id)?;
    match (&stage.phase, &stage.plan) {
        (Phase::Review, Some(plan)) => Ok(plan.clone()),
        (Phase::GatherFailed { why, input: true }, _) => Err(Failure::usage(why)),
        (Phase::GatherFailed { why, .. }, _) => Err(Failure::failed(why)),
        _ => Err(Failure::failed(
            state
                .fatal
                .clone()
                .unwrap_or_else(|| "there is no plan".to_owned()),
        )),
    }
}

/// The plan as it stands, decisions included.
pub(super) fn plan_now(handle: &Handle, id: StageId) -> Result<Arc<Plan>, Failure> {
    let state = handle.state();
    let plan = stage(&state, id)?.plan.clone();
    plan.ok_or_else(|| Failure::undecided(format!("{id} has no plan yet; make one first")))
}

/// Puts decisions from a file into the plan, all or none.
pub(super) async fn decide(
    handle: &Handle,
    id: StageId,
    decisions: Vec<(ChangeKey, Decision)>,
) -> Result<(), Failure> {
    if decisions.is_empty() {
        return Ok(());
    }
    let plan = plan_now(handle, id)?;
    let decisions = in_order(&plan, decisions);
    // Refused before the first is on record: half a file in the journal would have to be taken back line by line.
    plan.decide_all(decisions.iter().cloned())
        .map_err(Failure::usage)?;
    for (row, decision) in decisions {
        handle
            .ask(Command::Decide {
                stage: id,
                rows: vec![row],
                decision,
            })
            .await?;
    }
    Ok(())
}

/// Leaves out what is blocked, by the policy.
pub(super) async fn leave_out_blocked(handle: &Handle, id: StageId) -> Result<(), Failure> {
    let plan = plan_now(handle, id)?;
    let blocked = plan
        .changes()
        .iter()
        .filter(|change| change.verdict == Verdict::Blocked);
    let rows: Vec<ChangeKey> = blocked.map(|change| change.key.clone()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let decision = Decision {
        choice: LEAVE_OUT.to_owned(),
        by: POLICY.to_owned(),
        note: "left out because it is blocked".to_owned(),
        number: None,
    };
    Ok(handle
        .ask(Command::Decide {
            stage: id,
            rows,
            decision,
        })
        .await?)
}

/// Reads the facts again, and says so if any changed.
pub(super) async fn check(handle: &Handle, id: StageId) -> Result<(), Failure> {
    handle.ask(Command::Check(id)).await?;
    let state = until(handle, |state| idle(state, id)).await?;
    let check = stage(&state, id)?.check.as_ref();
    match check {
        None => Err(Failure::failed(
            "the facts could not be read again before approval; nothing was written",
        )),
        Some(check) if check.drifted.is_empty() => Ok(()),
        Some(check) => Err(Failure::refused(format!(
            "{} rows changed on Stripe since the plan was made (first {}); nothing was written, make the plan again",
            check.drifted.len(),
            check.drifted[0]
        ))),
    }
}

/// What approves: the words of the command line, or of a policy.
pub(super) struct Words {
    pub(super) phrase: String,
    pub(super) witness: Option<String>,
    pub(super) note: String,
}

impl Words {
    /// Of the policy, for a rehearsal.
    pub(super) fn by_policy(plan: &Plan) -> Self {
        Self {
            phrase: approval::phrase(plan),
            witness: None,
            note: format!("approved by {POLICY}"),
        }
    }
}

/// Approves the plan and waits until its writing and its audit have ended, as far as `leave` allows.
pub(super) async fn approve_and_write(
    handle: &Handle,
    plan: &Plan,
    words: Words,
    leave: Leave,
    clock: &Clock,
) -> Result<(), Failure> {
    let id = plan.header().stage;
    let (
        digest,
        Words {
            phrase,
            witness,
            note,
        },
    ) = (plan.digest(), words);
    handle
        .ask(Command::Approve {
            stage: id,
            digest,
            phrase,
            witness,
            note,
        })
        .await?;
    see_through(handle, id, leave, clock).await
}

/// Waits until writing and audit have ended; takes up what `leave` allows to be taken up.
pub(super) async fn see_through(
    handle: &Handle,
    id: StageId,
    leave: Leave,
    clock: &Clock,
) -> Result<(), Failure> {
    let mut continues = leave.continues;
    let mut reissues = if leave.reissue_by.is_some() { REISSUES } else { 0 };
    loop {
        let state = until(handle, |state| idle(state, id) || state.paused.is_some()).await?;
        let stage = stage(&state, id)?;
        if state.fatal.is_some() || state.paused.is_some() {
            return Ok(());
        }
        match &stage.phase {
            Phase::Halted { .. } if continues > 0 => {
                continues -= 1;
                let wait = clock.clone();
                // A worker, so that a rehearsal's clock may jump.
                let _ = clock
                    .spawn(async move { wait.sleep_ms(COOL_DOWN_MS).await })
                    .await;
                handle.ask(Command::Continue(id)).await?;
            }
            Phase::Done | Phase::AuditFailed { .. } if reissues > 0 && !unknown(stage).is_empty() => {
                reissues -= 1;
                let by = leave.reissue_by.clone().unwrap_or_default();
                handle
                    .ask(Command::Reissue {
                        stage: id,
                        rows: unknown(stage),
                        by,
                    })
                    .await?;
            }
            _ => return Ok(()),
        }
    }
}

fn unknown(stage: &StageState) -> Vec<ChangeKey> {
    let Some(plan) = &stage.plan else {
        return Vec::new();
    };
    let rows = plan.changes().iter().zip(stage.rows.iter());
    rows.filter(|(_, row)| row.end == Some(RowEnd::Unknown))
        .map(|(change, _)| change.key.clone())
        .collect()
}

/// A signal came: no new write starts, and the run can be taken up again.
pub(super) async fn put_down(handle: &Handle, id: StageId) -> Result<(), Failure> {
    let writes = |state: &RunState| {
        state
            .stage(id)
            .is_some_and(|stage| matches!(stage.phase, Phase::Writing | Phase::Undoing))
    };
    if writes(&handle.state()) {
        let by = "signal".to_owned();
        handle.ask(Command::Pause { by }).await?;
    }
    Err(Failure::undecided(
        "stopped by a signal before the end; the same command takes it up again",
    ))
}

/// Stops the engine: what is in flight ends first.
pub(super) async fn quit(handle: &Handle) -> Arc<RunState> {
    let mut states = handle.watch();
    let _ = handle.ask(Command::Quit).await;
    // The engine publishes once more as it ends, then drops its end.
    while states.changed().await.is_ok() {}
    handle.state()
}
