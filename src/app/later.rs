//! The hours and days after the night of a rehearsal: somebody uploads what was handed out, and whatever waited is
//! planned again when its time has come. The simulated clock jumps there.

use std::path::Path;

use super::failure::Failure;
use super::headless;
use crate::clock::Clock;
use crate::domain::ids::StageId;
use crate::domain::time::UtcMs;
use crate::engine::command::{Command, Handle};
use crate::engine::state::{Phase, StageState};
use crate::rehearsal::{Migration, Running};
use crate::stages;

/// Plans of one stage after its first, at most: a day's subscriptions are seen out in a few, and what never ends is a
/// fault.
const MOST: usize = 12;
/// How often somebody looks at the Dashboard.
const LOOK_MS: i64 = 60_000;
/// How long somebody waits for it: a file of any size is through in hours.
const PATIENCE_MS: i64 = 12 * 60 * 60_000;

/// What comes next for a stage.
enum Next {
    /// Nothing waits.
    Nothing,
    /// It is planned anew at that time.
    Plan(UtcMs),
}

/// Sees every stage out, until nothing of it waits.
pub(super) async fn see_out(
    handle: &Handle,
    running: &Running,
    clock: &Clock,
    dir: &Path,
) -> Result<(), Failure> {
    for stage in stages::all() {
        let id = stage.id();
        for _ in 0..MOST {
            let uploaded = upload(handle, running, clock, dir, id).await?;
            let next = if uploaded {
                Next::Plan(clock.now())
            } else {
                next(handle, id)
            };
            let Next::Plan(at) = next else { break };
            wait_until(clock, at).await;
            super::rehearse::again(handle, id, clock).await?;
        }
    }
    Ok(())
}

fn next(handle: &Handle, id: StageId) -> Next {
    let state = handle.state();
    let again = state.stage(id).and_then(|stage| {
        let done = stage.phase == Phase::Done && state.paused.is_none() && state.fatal.is_none();
        let plan = stage.plan.as_deref().filter(|_| done)?;
        stages::get(id)?.again(plan)
    });
    // A minute on top: what has its time at that instant has happened then.
    again.map_or(Next::Nothing, |again| Next::Plan(again.at.plus_ms(60_000)))
}

async fn wait_until(clock: &Clock, at: UtcMs) {
    let waiting = clock.clone();
    // A worker, so that a rehearsal's clock may jump.
    let _ = clock.spawn(async move { waiting.sleep_until(at).await }).await;
}

/// Uploads what the stage handed out and nobody uploaded yet, and starts it. Whether there was anything.
async fn upload(
    handle: &Handle,
    running: &Running,
    clock: &Clock,
    dir: &Path,
    id: StageId,
) -> Result<bool, Failure> {
    let state = handle.state();
    let Some(stage) = state.stage(id).filter(|stage| stage.phase == Phase::Done) else {
        return Ok(false);
    };
    let files = handed_out(stage);
    for name in &files {
        let bytes = std::fs::read(dir.join(name))
            .map_err(|e| Failure::failed(format!("{name}, which {id} handed out, cannot be read: {e}")))?;
        let taken = running.upload(name, &bytes).map_err(Failure::failed)?;
        handle
            .ask(Command::Uploaded {
                stage: id,
                file: name.clone(),
                id: taken.id.clone(),
                at: None,
                by: headless::POLICY.to_owned(),
            })
            .await?;
        let validated = until(running, clock, &taken.id, "validating").await?;
        if validated.status != "validated" {
            return Err(refused(running, &validated));
        }
        running.start_migration(&taken.id).map_err(Failure::failed)?;
        let made = until(running, clock, &taken.id, "in_progress").await?;
        if made.status != "scheduled" || made.failed > 0 {
            return Err(refused(running, &made));
        }
    }
    Ok(!files.is_empty())
}

/// Names of files of the present plan that are not on record as uploaded.
fn handed_out(stage: &StageState) -> Vec<String> {
    let script = stages::get(stage.id);
    let plan = stage.plan.as_deref().filter(|_| stage.approval.is_some());
    let files = script.zip(plan).map(|(script, plan)| script.handed_out(plan));
    let known = |name: &str| stage.uploads.iter().any(|upload| upload.file == name);
    let names = files
        .unwrap_or_default()
        .into_iter()
        .map(|file| file.name.to_string());
    names.filter(|name| !known(name)).collect()
}

/// The migration once it is no longer `status`.
async fn until(running: &Running, clock: &Clock, id: &str, status: &str) -> Result<Migration, Failure> {
    let patience = clock.now().plus_ms(PATIENCE_MS);
    loop {
        let found = running.migrations().into_iter().find(|one| one.id == id);
        match found {
            Some(migration) if migration.status != status => return Ok(migration),
            Some(_) if clock.now() < patience => wait_until(clock, clock.now().plus_ms(LOOK_MS)).await,
            _ => {
                return Err(Failure::failed(format!(
                    "the Dashboard is still {status} {id} after half a day"
                )));
            }
        }
    }
}

/// Two validators that know nothing of each other disagree: one of them is wrong.
fn refused(running: &Running, migration: &Migration) -> Failure {
    let errors = running.migration_errors(&migration.id).unwrap_or_default();
    let mut rows = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(errors.as_slice());
    let said = rows
        .records()
        .filter_map(|row| Some(row.ok()?.iter().next_back()?.to_owned()));
    let first: Vec<String> = said.filter(|why| !why.is_empty()).take(3).collect();
    Failure::failed(format!(
        "the Dashboard took {} rows of {} less than were handed out ({}){}{}",
        migration.failed,
        migration.file,
        migration.status,
        migration
            .message
            .as_deref()
            .map(|message| format!(": {message}"))
            .unwrap_or_default(),
        first
            .iter()
            .fold(String::new(), |said, line| said + "\n  " + line)
    ))
}
