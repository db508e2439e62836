//! `run`, `plan`, `apply`, `audit`: the same engine on the accounts of the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::SecondsFormat;

use super::failure::Failure;
use super::headless::{self, Leave, Words};
use super::mapping;
use super::out;
use super::session::{self, Meta, Parts, Reach};
use super::signals::Signals;
use super::summary::Summary;
use super::undecided;
use crate::cli::{Apply, AuditArgs, ConfigArgs, Exit, PlanArgs, Run};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::domain::approval;
use crate::domain::ids::{Role, StageId};
use crate::domain::plan::{Plan, file};
use crate::engine::command::{Command, Handle};
use crate::engine::machine;
use crate::engine::state::Phase;
use crate::stages::{OperatorFile, Settings, catalogue, coupons, credits, subscriptions};
use crate::tui;

/// Requests a second are counted where they arrive; the way there takes a little longer or shorter each time.
const JITTER_MS: i64 = 20;

/// A configuration with its keys, and the engine's parts made of it.
pub(super) struct Real {
    pub(super) config: Arc<Config>,
    pub(super) parts: Parts,
}

/// Reads the configuration, the reading keys, the mapping and the database's address. Asks no account and no database
/// yet.
pub(super) fn real(args: &ConfigArgs) -> Result<Real, Failure> {
    let mut real = accounts(args)?;
    let settings = Settings {
        mapping: mapping::settings(&real.config, real.parts.clock.now())?,
        ..Settings::clone(&real.parts.settings)
    };
    real.parts.settings = Arc::new(settings);
    real.parts.app = mapping::database(&real.config)?;
    Ok(real)
}

/// [`real`] without mapping and database: for what comes before the copy, and for looking at each by itself.
pub(super) fn accounts(args: &ConfigArgs) -> Result<Real, Failure> {
    let config = Arc::new(configuration(args)?);
    let keys = config.read_keys().map_err(key_failure)?;
    let reach = BTreeMap::from([
        (Role::Source, reach(&config, Role::Source, keys.source)),
        (
            Role::Destination,
            reach(&config, Role::Destination, keys.destination),
        ),
    ]);
    let clock = Clock::real();
    let links = session::links(&reach, &clock)?;
    let for_writing = config.clone();
    let write_keys = move |role| {
        let keys = for_writing.write_keys().map_err(|e| e.to_string())?;
        let key = match role {
            Role::Source => keys.source,
            Role::Destination => keys.destination,
        };
        session::api_key(role, &key).map_err(|e| e.to_string())
    };
    let settings = Arc::new(settings(&config)?);
    let parts = Parts {
        clock,
        accounts: config.accounts(),
        reach,
        links,
        write_keys: Arc::new(write_keys),
        app: None,
        settings,
        seed: None,
        witness_waived: config.waive_witness,
    };
    Ok(Real { config, parts })
}

/// The configuration alone.
pub(super) fn configuration(args: &ConfigArgs) -> Result<Config, Failure> {
    config::load(&args.config, &config::process_variables(), &args.set).map_err(config_failure)
}

fn config_failure(error: config::ConfigError) -> Failure {
    if error.is_refusal() {
        Failure::refused(error)
    } else {
        Failure::usage(error)
    }
}

/// A secret that cannot be had, or must not be used.
pub(super) fn key_failure(error: config::KeyError) -> Failure {
    if error.is_refusal() {
        Failure::refused(error)
    } else {
        Failure::usage(error)
    }
}

fn reach(config: &Config, role: Role, key: secrecy::SecretString) -> Reach {
    let account = config.account(role);
    Reach {
        base: account.api_base.clone(),
        key,
        name: account.name.clone(),
        share_percent: account.share_percent,
        max_in_flight: account.max_in_flight,
        gets_before: account.gets_used_30_days,
        jitter_ms: JITTER_MS,
        unlimited: false,
    }
}

/// All settings but those of the mapping stage.
fn settings(config: &Config) -> Result<Settings, Failure> {
    let source_after = match config.credits.source_after {
        config::SourceAfter::Drain => credits::SourceAfter::Drain,
        config::SourceAfter::Leave => credits::SourceAfter::Leave,
    };
    let expected = match &config.credits.expected_balances {
        None => None,
        Some(path) => {
            let bytes = config::read_operator_file(path).map_err(Failure::usage)?;
            // Said now rather than after minutes of reading.
            credits::expected::parse(&path.display().to_string(), &bytes).map_err(Failure::usage)?;
            Some(Arc::new(OperatorFile {
                path: path.clone(),
                bytes: Arc::new(bytes),
            }))
        }
    };
    let credits = credits::Settings {
        source_after: Some(source_after),
        expected,
    };
    let inactive_in_use = match config.inactive_in_use {
        config::InactiveInUse::AsOld => catalogue::InactiveInUse::AsOld,
        config::InactiveInUse::Active => catalogue::InactiveInUse::Active,
    };
    Ok(Settings {
        scope: config.scope.clone(),
        catalogue: catalogue::Settings { inactive_in_use },
        credits,
        coupons: coupons_settings(config),
        subscriptions: subscriptions_settings(config),
        ..Settings::default()
    })
}

fn coupons_settings(config: &Config) -> coupons::Settings {
    coupons::Settings {
        without_code: match config.coupons.without_code {
            config::WithoutCode::Ask => coupons::WithoutCode::Ask,
            config::WithoutCode::Leave => coupons::WithoutCode::Leave,
        },
        subscriptions_start: match config.coupons.subscriptions_start {
            config::SubscriptionsStart::NextBill => coupons::SubscriptionsStart::NextBill,
            config::SubscriptionsStart::Backdated => coupons::SubscriptionsStart::Backdated,
        },
    }
}

fn subscriptions_settings(config: &Config) -> subscriptions::Settings {
    let of = config.subscriptions;
    subscriptions::Settings {
        route: match of.route {
            config::Route::Csv => subscriptions::Route::Csv,
            config::Route::Api => subscriptions::Route::Api,
        },
        upload_by: of.upload_by,
        margin_hours: of.margin_hours,
        window_ends: of.window_ends,
        first_batch: of.first_batch,
        preview_sample: of.preview_sample,
    }
}

/// Starts the engine in `dir`, after both keys were found to lead where they should.
pub(super) async fn engine(real: Real, dir: &Path) -> Result<(Handle, Clock), Failure> {
    session::pinned(&real.parts.links, &real.parts.accounts).await?;
    let clock = real.parts.clock.clone();
    let (dir, run) = session::directory(dir, &real.parts.accounts, Meta::default(), &clock)?;
    Ok((session::engine(dir, run, real.parts).await?, clock))
}

/// A new directory, named after the moment, in the configured place.
fn new_dir(config: &Config, clock: &Clock) -> PathBuf {
    let at = clock
        .now()
        .datetime()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
        .replace(':', "");
    config.run_dir.join(at)
}

/// The run that was made last in `place`.
pub(super) fn newest_run(place: &Path) -> Result<PathBuf, Failure> {
    let nothing = || {
        Failure::usage(format!(
            "there is no run in {}; give one with --run DIR",
            place.display()
        ))
    };
    let entries = std::fs::read_dir(place).map_err(|_| nothing())?;
    let runs = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.join("run.json").exists());
    runs.max_by_key(|path| {
        std::fs::metadata(path.join("run.json"))
            .and_then(|m| m.modified())
            .ok()
    })
    .ok_or_else(nothing)
}

/// `cutover run`
pub(super) async fn run(args: Run) -> Result<Exit, Failure> {
    let real = real(&args.config)?;
    let dir = args
        .run
        .unwrap_or_else(|| new_dir(&real.config, &real.parts.clock));
    let (handle, clock) = engine(real, &dir).await?;
    let options = session::screen(&args.screen, &clock).saving_in(&dir);
    let shown = tui::run(handle.clone(), options).await;
    let state = headless::quit(&handle).await;
    let summary = Summary::of(&state, Vec::new());
    summary.lines().iter().for_each(|line| out::say(line));
    out::say(&format!(
        "take it up again with: cutover run --run {}",
        dir.display()
    ));
    shown.map_err(Failure::failed)?;
    Ok(summary.exit())
}

/// `cutover plan`
pub(super) async fn plan(args: PlanArgs) -> Result<Exit, Failure> {
    let decisions = args.decisions.as_deref().map(read_decisions).transpose()?;
    let real = real(&args.plain.config)?;
    let dir = args
        .run
        .unwrap_or_else(|| new_dir(&real.config, &real.parts.clock));
    let (handle, _) = engine(real, &dir).await?;
    let planned = async {
        headless::gather(&handle, args.plain.stage).await?;
        headless::decide(&handle, args.plain.stage, decisions.unwrap_or_default()).await?;
        let plan = headless::plan_now(&handle, args.plain.stage)?;
        write_plan_file(&args.out, &plan)?;
        Ok::<_, Failure>(plan)
    };
    let planned = planned.await;
    let state = headless::quit(&handle).await;
    let plan = planned?;
    let waiting = undecided::undecided(&plan);
    let told = undecided::lines(&waiting);
    let summary = Summary::of(&state, Vec::new()).with_undecided(waiting);
    if args.plain.json {
        out::say(&summary.json());
    } else {
        summary.lines().iter().for_each(|line| out::say(line));
        for line in &told {
            out::say(line);
        }
        out::say(&format!("plan written to {}", args.out.display()));
        out::say(&format!("digest  {}", plan.digest()));
        how_to_apply(&plan, &args.out, &dir);
    }
    Ok(if plan.totals().blocked > 0 {
        Exit::Undecided
    } else {
        Exit::Done
    })
}

fn how_to_apply(plan: &Plan, out_file: &Path, dir: &Path) {
    let stage = plan.header().stage;
    if machine::writes_nothing(plan) {
        return out::say("nothing to write");
    }
    if plan.totals().blocked > 0 {
        out::say(&format!(
            "{} rows are undecided: decide them in a CSV with the columns key,choice,note,by, and number where a choice asks for one",
            plan.totals().blocked
        ));
        return;
    }
    out::say(&format!(
        "approve and write it with:\n  cutover apply {stage} --run {} --plan {} --approve {} --confirm '{}'",
        dir.display(),
        out_file.display(),
        plan.digest(),
        approval::phrase(plan)
    ));
}

fn read_decisions(
    path: &Path,
) -> Result<Vec<(crate::domain::change::ChangeKey, crate::domain::change::Decision)>, Failure> {
    let bytes = config::read_operator_file(path).map_err(Failure::usage)?;
    config::decisions::parse(&path.display().to_string(), &bytes).map_err(Failure::usage)
}

fn write_plan_file(path: &Path, plan: &Plan) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let partial = path.with_extension("partial");
    let write = || -> std::io::Result<()> {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        let mut out = std::io::BufWriter::new(file);
        file::write_lines(plan, |line| out.write_all(line.as_bytes()))?;
        out.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().map_err(|e| {
        Failure::usage(format!(
            "{} cannot be written ({e}); give another file",
            path.display()
        ))
    })
}

/// `cutover apply`
pub(super) async fn apply(args: Apply) -> Result<Exit, Failure> {
    let decisions = args
        .decisions
        .as_deref()
        .map(read_decisions)
        .transpose()?
        .unwrap_or_default();
    let plan = read_plan(&args.plan, args.plain.stage)?;
    let decisions = undecided::in_order(&plan, decisions);
    let with_decisions = plan
        .decide_all(decisions.iter().cloned())
        .map_err(Failure::usage)?;
    if with_decisions.digest() != args.approve {
        return Err(Failure::refused(format!(
            "the plan in {} has digest {}, you approve {}: nothing was written; look at the plan and approve its own digest",
            args.plan.display(),
            with_decisions.digest(),
            args.approve
        )));
    }
    let real = real(&args.plain.config)?;
    let dir = match &args.run.dir {
        Some(dir) => dir.clone(),
        None => newest_run(&real.config.run_dir)?,
    };
    writing_keys_fit(&real).await?;
    let (handle, clock) = engine(real, &dir).await?;
    // From here on a signal must not cut off what is in flight.
    let mut signals = Signals::listen()?;
    let result = tokio::select! {
        result = write_plan(&handle, &clock, &args, plan, &with_decisions, decisions) => result,
        () = signals.next() => headless::put_down(&handle, args.plain.stage).await,
    };
    let state = tokio::select! {
        state = headless::quit(&handle) => state,
        // Once more: not even that. The journal has every intent, so the next process settles what was sent.
        () = signals.next() => handle.state(),
    };
    let summary = Summary::of(&state, Vec::new());
    if args.plain.json {
        out::say(&summary.json());
    } else {
        summary.lines().iter().for_each(|line| out::say(line));
    }
    match result {
        Ok(()) => Ok(summary.exit()),
        Err(failure) => {
            out::complain(&failure.to_string());
            // What was refused is the cause, whatever the run looks like.
            Ok(Exit::worst([
                failure.exit(),
                if failure.exit() == Exit::Refused {
                    Exit::Done
                } else {
                    summary.exit()
                },
            ]))
        }
    }
}

/// The keys that will write lead where they should: asked before anything is approved, so that a wrong one is a refusal.
async fn writing_keys_fit(real: &Real) -> Result<(), Failure> {
    let mut links = BTreeMap::new();
    for (role, link) in &real.parts.links {
        let key = (real.parts.write_keys)(*role).map_err(Failure::refused)?;
        links.insert(*role, link.with_key(key));
    }
    session::pinned(&links, &real.parts.accounts).await.map(drop)
}

/// A plan of that stage, from its file.
pub(super) fn read_plan(path: &Path, stage: StageId) -> Result<Plan, Failure> {
    let bytes = config::read_operator_file(path).map_err(Failure::usage)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::refused(format!("{} is not a plan file: it is not text", path.display())))?;
    let plan = file::read(&text).map_err(|e| Failure::refused(format!("{}: {e}", path.display())))?;
    if plan.header().stage != stage {
        return Err(Failure::usage(format!(
            "{} is a plan of {}, not of {stage}",
            path.display(),
            plan.header().stage
        )));
    }
    Ok(plan)
}

async fn write_plan(
    handle: &Handle,
    clock: &Clock,
    args: &Apply,
    plan: Plan,
    decided: &Plan,
    decisions: Vec<(crate::domain::change::ChangeKey, crate::domain::change::Decision)>,
) -> Result<(), Failure> {
    let id = args.plain.stage;
    let leave = Leave {
        reissue_by: args.reissue_after_probe.then(session::operator),
        continues: 0,
    };
    let state = handle.state();
    let stage = state
        .stage(id)
        .ok_or_else(|| Failure::usage(format!("this program has no stage {id}")))?;
    let is_same = stage
        .plan
        .as_ref()
        .is_some_and(|now| now.digest() == decided.digest());
    if is_same && stage.undo.is_some() {
        return Err(Failure::undecided(format!(
            "an undo of this plan is {}; `undo` takes it up, and a plan made anew can be applied",
            if stage.undo_under_way().is_some() {
                "under way"
            } else {
                "on record"
            }
        )));
    }
    match &stage.phase {
        // Taken up again: the approval is on record, the command line has to name the same plan and phrase.
        Phase::Writing | Phase::Halted { .. } if is_same => {
            if !approval::phrase_fits(decided, &args.confirm) {
                return Err(Failure::refused(approval::Refusal::Phrase {
                    wanted: approval::phrase(decided),
                }));
            }
            let by = session::operator();
            let is_paused = state.paused.is_some();
            if is_paused {
                handle.ask(Command::Resume { by }).await?;
            }
            if matches!(stage.phase, Phase::Halted { .. }) {
                handle.ask(Command::Continue(id)).await?;
            }
            return headless::see_through(handle, id, leave, clock).await;
        }
        // All is written; what is missing is the look at it.
        Phase::AuditFailed { .. } if is_same => {
            handle.ask(Command::Audit(id)).await?;
            return headless::see_through(handle, id, leave, clock).await;
        }
        Phase::Written | Phase::Auditing | Phase::Done if is_same => {
            return headless::see_through(handle, id, leave, clock).await;
        }
        _ => {}
    }
    if !is_same {
        handle.ask(Command::Import(Arc::new(plan))).await?;
        headless::decide(handle, id, decisions).await?;
    }
    let plan = headless::plan_now(handle, id)?;
    if plan.digest() != args.approve {
        return Err(Failure::refused(
            "the plan in the run is not the one approved; nothing was written",
        ));
    }
    if machine::writes_nothing(&plan) {
        handle.ask(Command::Audit(id)).await?;
        return headless::see_through(handle, id, leave, clock).await;
    }
    if plan.totals().blocked > 0 {
        return Err(Failure::undecided(approval::Refusal::Undecided(
            plan.totals().blocked,
        )));
    }
    if !approval::phrase_fits(&plan, &args.confirm) {
        return Err(Failure::refused(approval::Refusal::Phrase {
            wanted: approval::phrase(&plan),
        }));
    }
    headless::check(handle, id).await?;
    let words = Words {
        phrase: args.confirm.clone(),
        witness: args.witness.clone(),
        note: args.note.clone().unwrap_or_default(),
    };
    headless::approve_and_write(handle, &plan, words, leave, clock).await
}

/// `cutover audit`
pub(super) async fn audit(args: AuditArgs) -> Result<Exit, Failure> {
    let real = real(&args.plain.config)?;
    let dir = match &args.run.dir {
        Some(dir) => dir.clone(),
        None => newest_run(&real.config.run_dir)?,
    };
    let (handle, clock) = engine(real, &dir).await?;
    let asked = handle.ask(Command::Audit(args.plain.stage)).await;
    let result = match asked {
        Ok(()) => headless::see_through(&handle, args.plain.stage, Leave::default(), &clock).await,
        Err(refused) => Err(Failure::undecided(refused)),
    };
    let state = headless::quit(&handle).await;
    let summary = Summary::of(&state, Vec::new());
    if args.plain.json {
        out::say(&summary.json());
    } else {
        summary.lines().iter().for_each(|line| out::say(line));
    }
    result.map(|()| summary.exit())
}
