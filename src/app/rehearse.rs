//! `cutover rehearse`: the whole night on two accounts simulated in this process, over real HTTP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::failure::Failure;
use super::headless::{self, Leave, Words};
use super::later;
use super::out;
use super::session::{self, Meta, Parts, Reach, World, screen};
use super::summary::Summary;
use crate::appdb::{Database, Limits, TableSpec};
use crate::cli::{Exit, Rehearse};
use crate::clock::Clock;
use crate::domain::ids::{AccountId, Accounts, Environment, Role, StageId};
use crate::domain::scope::ScopeRule;
use crate::domain::time::UtcMs;
use crate::engine::command::Handle;
use crate::engine::rundir::RunView;
use crate::engine::state::{Phase, RunState};
use crate::rehearsal::{COPY_BEFORE_S, Endpoint, Options, Running, Scenario, Simulator, Violation};
use crate::stages::credits::{self, SourceAfter};
use crate::stages::{self, Settings};
use crate::tui;

/// Where a rehearsal's world is kept within its run directory.
const WORLD_LOG: &str = "world.log";
/// At speed 20 a few real milliseconds between leaving here and arriving there are this many virtual ones.
const JITTER_MS: i64 = 250;
/// Times a plan is made anew by the policy because facts changed before its approval.
const REPLANS: u32 = 3;
/// The mapping file of the PAN copy.
const MAPPING: &str = "mapping.csv";
/// The application's database.
const DATABASE: &str = "application.sqlite";

/// Runs a rehearsal, new or taken up again.
pub(super) async fn rehearse(args: Rehearse) -> Result<Exit, Failure> {
    let (dir, is_temporary) = match &args.run {
        Some(dir) => (dir.clone(), false),
        None => (temporary(), true),
    };
    let world = world(&args, &dir)?;
    make_private(&dir)?;
    let scenario = scenario(&world)?;
    let copied_at = scenario.starts_at().plus_ms(-1_000 * COPY_BEFORE_S);
    let clock = Clock::rehearsal(scenario.starts_at(), args.speed);
    let running = start(&world, scenario, &clock, &dir).await?;
    let settings = settings(&dir, copied_at)?;
    let handle = engine(&dir, &running, world, &clock, settings).await?;
    let exit = if args.headless {
        by_policy(&handle, &running, &clock, &dir, args.json).await
    } else {
        on_screen(&handle, &running, &args, &dir, &clock).await
    };
    running.stop().await;
    if is_temporary && args.headless {
        // A rehearsal that nobody asked to keep; what it came to has been printed.
        let _ = std::fs::remove_dir_all(&dir);
    }
    exit
}

/// The world as the command line says, or as the directory remembers it.
fn world(args: &Rehearse, dir: &Path) -> Result<World, Failure> {
    if dir.join("run.json").exists() {
        let (_, header) = RunView::open::<Meta>(dir)?;
        return header.meta.rehearsal.ok_or_else(|| {
            Failure::refused(format!(
                "{} is a run on real accounts; take it up with `cutover run`",
                dir.display()
            ))
        });
    }
    let is_file = !crate::rehearsal::names().contains(&args.world.scenario.as_str());
    let text = is_file
        .then(|| std::fs::read_to_string(&args.world.scenario).ok())
        .flatten();
    Ok(World {
        scenario: args.world.scenario.clone(),
        scenario_text: text,
        seed: args.world.seed,
        customers: args.world.customers,
        no_limits: args.world.no_limits,
        latency_ms: u32::try_from(args.world.latency_ms.unwrap_or(0)).unwrap_or(u32::MAX),
    })
}

fn scenario(world: &World) -> Result<Scenario, Failure> {
    let loaded = match &world.scenario_text {
        Some(text) => Scenario::parse(text, Path::new(&world.scenario)),
        None => Scenario::load(&world.scenario),
    };
    loaded.map_err(Failure::usage)
}

fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("cutover-rehearsal-{}", ulid::Ulid::generate()))
}

/// The world's log lies in the run directory and is there before the run is.
fn make_private(dir: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|e| {
        Failure::usage(format!(
            "{} cannot be made ({e}); give another directory with --run",
            dir.display()
        ))
    })
}

async fn start(world: &World, scenario: Scenario, clock: &Clock, dir: &Path) -> Result<Running, Failure> {
    let mut options = Options::new(scenario, clock.clone());
    options.seed = world.seed;
    options.customers = world.customers;
    options.no_limits = world.no_limits;
    options.latency_ms = world.latency_ms;
    options.world_log = Some(dir.join(WORLD_LOG));
    options.mapping_csv = Some(dir.join(MAPPING));
    options.app_database = Some(dir.join(DATABASE));
    Simulator::start(options).await.map_err(Failure::usage)
}

async fn engine(
    dir: &Path,
    running: &Running,
    world: World,
    clock: &Clock,
    settings: Settings,
) -> Result<Handle, Failure> {
    let described = running.describe();
    let accounts = Accounts {
        source: AccountId(described.source.account.clone()),
        destination: AccountId(described.destination.account.clone()),
        environment: Environment::Rehearsal,
    };
    let (seed, unlimited) = (world.seed, world.no_limits);
    let reach = BTreeMap::from([
        (Role::Source, reach(&described.source, "old account", unlimited)),
        (
            Role::Destination,
            reach(&described.destination, "new account", unlimited),
        ),
    ]);
    let links = session::links(&reach, clock)?;
    session::pinned(&links, &accounts).await?;
    let (source, destination) = (described.source.key.clone(), described.destination.key.clone());
    let write_keys = move |role| {
        let key = SecretString::from(match role {
            Role::Source => source.clone(),
            Role::Destination => destination.clone(),
        });
        session::api_key(role, &key).map_err(|e| e.to_string())
    };
    let (dir, run) = session::directory(
        dir,
        &accounts,
        Meta {
            rehearsal: Some(world),
        },
        clock,
    )?;
    let parts = Parts {
        clock: clock.clone(),
        accounts,
        reach,
        links,
        write_keys: Arc::new(write_keys),
        app: database(running)?,
        settings: Arc::new(settings),
        seed: Some(seed),
        witness_waived: false,
    };
    session::engine(dir, run, parts).await
}

fn reach(endpoint: &Endpoint, name: &str, unlimited: bool) -> Reach {
    Reach {
        base: endpoint.url.clone(),
        // Reading goes with a key that can do nothing else, as it should on real accounts.
        key: SecretString::from(endpoint.read_only_key.clone()),
        name: name.to_owned(),
        share_percent: 100,
        max_in_flight: 32,
        gets_before: 0,
        jitter_ms: JITTER_MS,
        unlimited,
    }
}

/// The policy of a rehearsal: the region of the account in the story, the old balances drained.
fn settings(dir: &Path, copied_at: UtcMs) -> Result<Settings, Failure> {
    Ok(Settings {
        scope: ScopeRule {
            region_key: "region".to_owned(),
            regions: ["us".to_owned()].into(),
            wave_key: "wave".to_owned(),
            ..ScopeRule::default()
        },
        catalogue: stages::catalogue::Settings::default(),
        mapping: stages::mapping::Settings {
            file: mapping(&dir.join(MAPPING))?,
            copied_at: Some(copied_at),
            table: Some(table()),
            ..stages::mapping::Settings::default()
        },
        credits: credits::Settings {
            source_after: Some(SourceAfter::Drain),
            expected: None,
        },
        coupons: crate::stages::coupons::Settings::default(),
        subscriptions: crate::stages::subscriptions::Settings::default(),
    })
}

/// The application's database of the world, where it has one.
fn database(running: &Running) -> Result<Option<Database>, Failure> {
    let Some(url) = running.describe().database_url.clone() else {
        return Ok(None);
    };
    let table = table();
    let spec = TableSpec {
        table: table.name,
        key: "id".to_owned(),
        method: table.method,
        customer: table.customer,
        extra: table.extra,
        filter: None,
    };
    let database = Database::new(&SecretString::from(url), spec, Limits::default());
    database.map(Some).map_err(Failure::failed)
}

fn table() -> stages::mapping::Table {
    stages::mapping::Table {
        name: "subscriptions".to_owned(),
        method: "payment_method".to_owned(),
        customer: Some("customer_id".to_owned()),
        extra: vec!["plan".to_owned(), "status".to_owned()],
        quiet: true,
    }
}

/// The mapping file that the world's copy wrote; none where there was no copy.
fn mapping(path: &Path) -> Result<Option<Arc<stages::mapping::file::Mapping>>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = crate::config::read_operator_file(path).map_err(Failure::usage)?;
    let name = path.display().to_string();
    let mapping = stages::mapping::file::Mapping::read([(name.as_str(), bytes.as_slice())]);
    Ok(Some(Arc::new(mapping.map_err(Failure::usage)?)))
}

async fn by_policy(
    handle: &Handle,
    running: &Running,
    clock: &Clock,
    dir: &Path,
    json: bool,
) -> Result<Exit, Failure> {
    let result = match every_stage(handle, clock).await {
        Ok(()) => later::see_out(handle, running, clock, dir).await,
        failed => failed,
    };
    let state = headless::quit(handle).await;
    let summary = Summary::of(&state, violations(running, &state).await);
    if json {
        out::say(&summary.json());
    } else {
        summary.lines().iter().for_each(|line| out::say(line));
    }
    match result {
        // The summary is there; what went wrong belongs on standard error.
        Err(failure) => {
            out::complain(&failure.to_string());
            Ok(Exit::worst([failure.exit(), summary.exit()]))
        }
        Ok(()) => Ok(summary.exit()),
    }
}

async fn every_stage(handle: &Handle, clock: &Clock) -> Result<(), Failure> {
    for stage in stages::all() {
        one_stage(handle, stage.id(), clock).await?;
    }
    Ok(())
}

/// The same stage once more, from the accounts as they are now.
pub(super) async fn again(handle: &Handle, id: StageId, clock: &Clock) -> Result<(), Failure> {
    headless::gather(handle, id).await?;
    one_stage(handle, id, clock).await
}

/// One stage by the policy, from wherever it stands: grant what agrees, leave out what is blocked.
async fn one_stage(handle: &Handle, id: StageId, clock: &Clock) -> Result<(), Failure> {
    use crate::engine::command::Command;
    let state = handle.state();
    let phase = state
        .stage(id)
        .map(|stage| stage.phase.clone())
        .unwrap_or_default();
    match phase {
        Phase::Done => return Ok(()),
        Phase::Writing | Phase::Halted { .. } | Phase::Written | Phase::Auditing => {
            if state.paused.is_some() {
                handle
                    .ask(Command::Resume {
                        by: headless::POLICY.to_owned(),
                    })
                    .await?;
            }
            return headless::see_through(handle, id, Leave::rehearsal(), clock).await;
        }
        Phase::Review => {}
        _ => {
            headless::gather(handle, id).await?;
        }
    }
    let mut tries = 0;
    let plan = loop {
        headless::leave_out_blocked(handle, id).await?;
        let plan = headless::plan_now(handle, id)?;
        if crate::engine::machine::writes_nothing(&plan) {
            handle.ask(Command::Audit(id)).await?;
            return headless::see_through(handle, id, Leave::rehearsal(), clock).await;
        }
        match headless::check(handle, id).await {
            Ok(()) => break plan,
            // Customers do not sleep: what changed meanwhile is planned anew, a few times.
            Err(drifted) if drifted.exit() == Exit::Refused && tries < REPLANS => {
                tries += 1;
                headless::gather(handle, id).await?;
            }
            Err(failure) => return Err(failure),
        }
    };
    headless::approve_and_write(handle, &plan, Words::by_policy(&plan), Leave::rehearsal(), clock).await
}

/// What the two accounts themselves say about the run.
async fn violations(running: &Running, state: &RunState) -> Vec<Violation> {
    running.verdict(&super::claims::claims(state)).await.violations
}

async fn on_screen(
    handle: &Handle,
    running: &Running,
    args: &Rehearse,
    dir: &Path,
    clock: &Clock,
) -> Result<Exit, Failure> {
    let options = screen(&args.screen, clock).saving_in(dir);
    let shown = tui::run(handle.clone(), options).await;
    let state = headless::quit(handle).await;
    let summary = Summary::of(&state, violations(running, &state).await);
    summary.lines().iter().for_each(|line| out::say(line));
    out::say(&format!(
        "take it up again with: cutover rehearse --run {}",
        dir.display()
    ));
    shown.map_err(Failure::failed)?;
    Ok(summary.exit())
}
