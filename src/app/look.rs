//! `status` and `journal verify`: a run directory, looked at beside whoever writes it. Asks no account.

use std::path::Path;

use super::failure::Failure;
use super::out;
use super::real::newest_run;
use super::session::Meta;
use super::summary::Summary;
use crate::cli::{Exit, Status};
use crate::engine::driver;
use crate::engine::journal;
use crate::engine::rundir::{RunDirError, RunView};

/// Where runs are when nothing else is said.
const RUNS: &str = "runs";

/// `cutover status`
pub(super) fn status(args: &Status) -> Result<Exit, Failure> {
    let dir = match &args.run {
        Some(dir) => dir.clone(),
        None => newest_run(Path::new(RUNS))?,
    };
    let (view, header) = RunView::open::<Meta>(&dir)?;
    let mut state = driver::look(&view)?;
    if state.run.is_empty() {
        state.run = header.run;
    }
    let summary = Summary::of(&state, Vec::new());
    if args.json {
        out::say(&summary.json());
        return Ok(summary.exit());
    }
    summary.lines().iter().for_each(|line| out::say(line));
    out::say(&format!(
        "  {} records, last at {}",
        state.journal_seq,
        state.now.rfc3339()
    ));
    if let Some(by) = &state.paused {
        out::say(&format!("  paused by {by}"));
    }
    if let Some(holder) = view.holder() {
        out::say(&format!(
            "  written by {}@{} (process {}), if it still runs",
            holder.user, holder.host, holder.pid
        ));
    }
    Ok(summary.exit())
}

/// Of a run of a newer version nothing may be assumed, its journal included. A journal without a readable header can
/// still be proved: that is what one does with it when something broke.
fn newer_is_refused(dir: &Path) -> Result<(), Failure> {
    match RunView::open::<Meta>(dir) {
        Err(error @ RunDirError::NewerFormat { .. }) => Err(error.into()),
        _ => Ok(()),
    }
}

/// `cutover journal verify`
pub(super) fn verify(dir: &Path, json: bool) -> Result<Exit, Failure> {
    newer_is_refused(dir)?;
    let report = journal::verify(dir).map_err(Failure::refused)?;
    if json {
        out::say(&serde_json::to_string(&report).unwrap_or_default());
    } else {
        let torn = if report.torn_tail {
            ", and a torn last line that the next run sets aside"
        } else {
            ""
        };
        out::say(&format!(
            "whole: {} records in {} files, head {}{torn}",
            report.records, report.segments, report.head.sha256
        ));
    }
    Ok(Exit::Done)
}
