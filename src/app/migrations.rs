//! `cutover migrations`: the files for Stripe's Billing migration toolkit that a person uploaded, what the Dashboard
//! called each, and how far it has come.

use std::path::Path;

use serde::Serialize;

use super::failure::Failure;
use super::session::Meta;
use super::{headless, out, real};
use crate::cli::{Exit, Migrations, RecordUpload};
use crate::domain::ids::StageId;
use crate::domain::money::count;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::upload::{Progress, Upload};
use crate::engine::command::Command;
use crate::engine::driver;
use crate::engine::rundir::RunView;
use crate::engine::state::{RunState, StageState};
use crate::stages;

/// Where runs are when nothing else is said.
const RUNS: &str = "runs";

/// One line of the list.
#[derive(Serialize)]
struct Line {
    stage: &'static str,
    file: String,
    id: String,
    uploaded_at: String,
    subscriptions: u64,
    customers: u64,
    first_go_live: Option<String>,
    /// The Dashboard's button works at least until then.
    cancel_until: String,
    /// As the last plan saw it; `None` where the file is not in the run directory any more, or was changed.
    progress: Option<Progress>,
    by: String,
}

pub(super) async fn migrations(args: Migrations) -> Result<Exit, Failure> {
    let dir = match &args.run {
        Some(dir) => dir.clone(),
        None => real::newest_run(Path::new(RUNS))?,
    };
    match args.command {
        None => list(&dir, args.json),
        Some(RecordUpload::Record { config, file, id, at }) => {
            let real = real::real(&config)?;
            let (handle, _) = real::engine(real, &dir).await?;
            let command = Command::Uploaded {
                stage: StageId::Subscriptions,
                file,
                id,
                at,
                by: super::session::operator(),
            };
            let answer = handle.ask(command).await;
            headless::quit(&handle).await;
            answer?;
            list(&dir, args.json)
        }
    }
}

fn list(dir: &Path, json: bool) -> Result<Exit, Failure> {
    let (view, _) = RunView::open::<Meta>(dir)?;
    let state = driver::look(&view)?;
    let lines = lines(&view, &state);
    if json {
        out::say(&serde_json::to_string(&lines).unwrap_or_default());
        return Ok(Exit::Done);
    }
    if lines.is_empty() {
        out::say("no file of this run was recorded as uploaded");
    }
    for line in &lines {
        for line in in_words(line) {
            out::say(&line);
        }
    }
    Ok(Exit::Done)
}

fn lines(view: &RunView, state: &RunState) -> Vec<Line> {
    let of_stage = |stage: &StageState| -> Vec<Line> {
        let uploads = stage.uploads.iter();
        uploads.map(|upload| line(view, stage, upload)).collect()
    };
    state.stages.iter().flat_map(of_stage).collect()
}

fn line(view: &RunView, stage: &StageState, upload: &Upload) -> Line {
    Line {
        stage: stage.id.word(),
        file: upload.file.clone(),
        id: upload.id.clone(),
        uploaded_at: upload.at.rfc3339(),
        subscriptions: upload.subscriptions,
        customers: upload.customers,
        first_go_live: upload.first.map(|at| UtcMs::from_secs(at).rfc3339()),
        cancel_until: upload.cancel_until().rfc3339(),
        progress: progress(view, stage, upload),
        by: upload.by.clone(),
    }
}

fn progress(view: &RunView, stage: &StageState, upload: &Upload) -> Option<Progress> {
    let bytes = view.read_file(&upload.file).ok()?;
    if driver::uploaded_digest(&bytes) != upload.digest {
        return None;
    }
    let script = stages::get(stage.id)?;
    let contents = script.contents(&bytes)?.ok()?;
    Some(script.progress(stage.plan.as_deref()?, &contents))
}

fn in_words(line: &Line) -> [String; 3] {
    let n = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    let progress = line.progress.map_or_else(
        || {
            "how far it is, is not known: the file in the run directory is not the one that was recorded"
                .to_owned()
        },
        |p| {
            format!(
                "{} queued, {} scheduled, {} live, as the last plan saw it",
                n(p.queued),
                n(p.scheduled),
                n(p.live)
            )
        },
    );
    [
        format!(
            "{}  {}  uploaded {} by {}",
            safe(&line.id),
            safe(&line.file),
            line.uploaded_at,
            safe(&line.by)
        ),
        format!(
            "  {} subscriptions of {} customers, the first goes live {}; the Dashboard can cancel them until {} at least",
            n(line.subscriptions),
            n(line.customers),
            line.first_go_live
                .as_deref()
                .unwrap_or("at no time that the file says"),
            line.cancel_until
        ),
        format!("  {progress}"),
    ]
}
