//! Starting: ports first, so that a taken one is said before anything is made; then the world, then its log.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch as channel;

use super::app_database::{self, AppDatabase};
use super::auth::Secrets;
use super::billing::Billing;
use super::catalogue::Catalogue;
use super::currency::Cur;
use super::faults::Faults;
use super::idempotency::Keys;
use super::ids;
use super::index::Index;
use super::limits::{Allowance, Limits};
use super::pages::Store;
use super::pan_copy::{self, Mapped};
use super::pipeline::{Core, Shared, Waiting, lock};
use super::pools::Pools;
use super::requests::RequestLog;
use super::server::{self, Served};
use super::toolkit::Dashboard;
use super::watch::Watch;
use super::world::{Account, Side};
use super::world_log::{Header, Line, WorldLog};
use super::{
    Description, Endpoint, Options, Running, StartError, catalogue_fill, catalogue_subs, pools_fill,
    populate, subscriptions_listed,
};
use crate::domain::time::UtcMs;

pub(super) async fn start(options: Options) -> Result<Running, StartError> {
    let source = bind(options.source_port, Side::Source).await?;
    let destination = bind(options.destination_port, Side::Destination).await?;
    let ports = [port(&source), port(&destination)];

    let start = options.scenario.starts_at();
    // On the real clock the night begins now; in a rehearsal it begins with the scenario, also when it is taken up again.
    let night = if options.clock.speed().is_some() {
        start
    } else {
        options.clock.now()
    };
    let mut accounts = [
        account(Side::Source, &options),
        account(Side::Destination, &options),
    ];
    let plan = options.scenario.sized(options.customers);
    let [old, new] = &mut accounts;
    let listed = options.scenario.named(options.customers);
    let paying = populate::fill(old, &plan, listed, options.seed, start.secs());
    let sold = catalogue_fill::fill([&mut *old, &mut *new], &plan, options.seed, start.secs());
    let named = options.scenario.pools(options.customers);
    let listed = subscriptions_listed::subscriptions(old, &named, start.secs());
    catalogue_subs::fill(old, &plan, (&paying, &sold), listed, options.seed, start.secs());
    pools_fill::fill([&mut *old, &mut *new], &plan, &named, options.seed, start.secs());
    let mapping = if options.scenario.behaviour.pan_copy_at_start {
        pan_copy::play(old, new, options.seed, start.secs() - pan_copy::BEFORE)
    } else {
        Vec::new()
    };
    populate::part(old);
    let database = database(&options, old).await?;
    let mut watch = Watch::default();
    watch.baseline(old);

    let shared = Arc::new(Shared {
        clock: options.clock.clone(),
        seed: options.seed,
        start: night,
        latency_ms: i64::from(options.latency_ms),
        behaviour: options.scenario.behaviour,
        watch: Mutex::new(watch),
        log: Mutex::new(None),
    });
    let cores = accounts.map(|account| Mutex::new(core(account, &shared, &options)));
    let served = Arc::new(Served {
        shared,
        cores,
        mapping: Mutex::new(mapping),
        database,
    });
    restore(&served, &options)?;

    let mapping_csv = mapping_path(&options);
    write_mapping(&lock(&served.mapping), &mapping_csv)?;
    let database_url = served.database.as_ref().map(AppDatabase::url);
    let [source_at, destination_at] = [0, 1].map(|n| endpoint(&served, n, ports[n]));
    let (stop, stopped) = channel::channel(false);
    let tasks = vec![
        server::serve(served.clone(), 0, source, stopped.clone()),
        server::serve(served.clone(), 1, destination, stopped),
    ];
    Ok(Running {
        served,
        description: Description {
            source: source_at,
            destination: destination_at,
            mapping_csv,
            database_url,
        },
        stop,
        tasks,
    })
}

async fn bind(port: u16, side: Side) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|why| StartError::Port { port, side, why })
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |addr| addr.port())
}

fn account(side: Side, options: &Options) -> Account {
    let (country, currency, name) = match side {
        Side::Source => ("AU", Cur::AUD, "Lantern Tutoring AU"),
        Side::Destination => ("US", Cur::USD, "Lantern Tutoring US"),
    };
    let seed = options.seed.to_be_bytes();
    let id = ids::alnum(ids::mix(&[b"account", &seed, side.name().as_bytes()]), 15);
    let age_days = if side == Side::Source { 7 * 365 } else { 40 };
    Account {
        side,
        id: format!("acct_1{id}"),
        country,
        currency,
        name,
        created: options.scenario.starts_at().secs() - age_days * 86_400,
        livemode: options.livemode,
        customers: Store::default(),
        by_email: Index::default(),
        methods: Store::default(),
        grants: Store::default(),
        events: Store::default(),
        catalogue: Catalogue::default(),
        billing: Billing::default(),
        pools: Pools::default(),
        now: options.scenario.starts_at().secs(),
    }
}

fn core(account: Account, shared: &Arc<Shared>, options: &Options) -> Core {
    let side = account.side;
    let mut allowance = Allowance::of_mode(options.livemode);
    if let Some(in_flight) = options.scenario.behaviour.in_flight {
        allowance.in_flight = in_flight;
    }
    let allowed = (!options.no_limits).then_some(allowance);
    let actors = options.scenario.actors.iter().enumerate();
    let waiting = actors
        .filter(|(_, a)| a.account == side)
        .map(|(number, a)| Waiting {
            number,
            actor: a.clone(),
            met: 0,
            done: false,
        });
    let key_seed = ids::mix(&[account.id.as_bytes(), &shared.seed.to_be_bytes()]);
    Core {
        secrets: Secrets::new(key_seed, options.livemode),
        limits: Limits::new(allowed, shared.clock.speed()),
        keys: Keys::new(key_seed),
        locks: HashSet::new(),
        faults: Faults::new(side, shared.seed, shared.start, &options.scenario.faults),
        actors: waiting.collect(),
        log: RequestLog::default(),
        seen: HashMap::new(),
        shared: shared.clone(),
        dashboard: Dashboard::new(options.scenario.behaviour.toolkit_in_sandbox),
        account,
    }
}

fn endpoint(served: &Served, index: usize, port: u16) -> Endpoint {
    let core = lock(&served.cores[index]);
    Endpoint {
        url: format!("http://127.0.0.1:{port}"),
        key: core.secrets.secret.clone(),
        read_only_key: core.secrets.restricted.clone(),
        account: core.account.id.clone(),
    }
}

/// Makes the application's database from the world as it is before anything of the night, or finds it as it was left.
/// It is made before the world log: a log with a past has its database, or lost it.
async fn database(options: &Options, old: &Account) -> Result<Option<AppDatabase>, StartError> {
    let Some(path) = &options.app_database else {
        return Ok(None);
    };
    let log = options.world_log.as_ref().and_then(|log| log.metadata().ok());
    let has_past = log.is_some_and(|log| log.len() > 0);
    if has_past && !path.exists() {
        return Err(StartError::DatabaseGone { path: path.clone() });
    }
    let rows = app_database::rows(old, options.seed);
    let made = AppDatabase::open(path, rows, has_past).await;
    made.map(Some).map_err(|why| StartError::Database {
        path: path.clone(),
        why,
    })
}

/// Applies what the world log has, and goes on writing it.
fn restore(served: &Served, options: &Options) -> Result<(), StartError> {
    let Some(path) = &options.world_log else {
        return Ok(());
    };
    let header = Header {
        world_log: 4,
        scenario: options.scenario.name.clone(),
        scenario_digest: options.scenario.digest,
        seed: options.seed,
        customers: options.customers,
        livemode: options.livemode,
    };
    let (log, lines) = WorldLog::open(path, &header)?;
    let mut latest = UtcMs::default();
    for line in &lines {
        match line {
            Line::Request { account, at, .. }
            | Line::Redeem { account, at, .. }
            | Line::Toolkit { account, at, .. } => {
                latest = latest.max(*at);
                lock(&served.cores[account.index()]).apply_line(line);
            }
            Line::Fault { account, .. } | Line::NewKeys { account } => {
                lock(&served.cores[account.index()]).apply_line(line);
            }
            Line::PanCopy { at } => {
                latest = latest.max(*at);
                let added = copy(served, options.seed, *at);
                lock(&served.mapping).extend(added);
            }
        }
    }
    // Nothing happens twice at an instant that has passed.
    options.clock.advance_to(latest);
    *lock(&served.shared.log) = Some(log);
    Ok(())
}

fn copy(served: &Served, seed: u64, at: UtcMs) -> Vec<Mapped> {
    let source = lock(&served.cores[0]);
    let mut destination = lock(&served.cores[1]);
    pan_copy::play(&source.account, &mut destination.account, seed, at.secs())
}

pub(super) fn play_again(running: &Running) -> Result<(), StartError> {
    let shared = &running.served.shared;
    let source = lock(&running.served.cores[0]);
    let mut destination = lock(&running.served.cores[1]);
    let at = shared.clock.now();
    let added = pan_copy::play(&source.account, &mut destination.account, shared.seed, at.secs());
    // Written down while both accounts stand still, so that the log has the order in which things happened.
    if let Some(log) = lock(&shared.log).as_mut() {
        log.append(&Line::PanCopy { at })?;
    }
    let mut mapping = lock(&running.served.mapping);
    mapping.extend(added);
    write_mapping(&mapping, &running.description.mapping_csv)
}

pub(super) fn renew_keys(running: &Running, side: Side) -> Result<Endpoint, StartError> {
    let served = &running.served;
    let mut core = lock(&served.cores[side.index()]);
    core.secrets.renew();
    if let Some(log) = lock(&served.shared.log).as_mut() {
        log.append(&Line::NewKeys { account: side })?;
    }
    let described = match side {
        Side::Source => &running.description.source,
        Side::Destination => &running.description.destination,
    };
    Ok(Endpoint {
        key: core.secrets.secret.clone(),
        read_only_key: core.secrets.restricted.clone(),
        ..described.clone()
    })
}

fn mapping_path(options: &Options) -> PathBuf {
    if let Some(path) = &options.mapping_csv {
        return path.clone();
    }
    let directory = options.world_log.as_ref().and_then(|log| log.parent());
    match directory {
        Some(directory) => directory.join("pan-copy-mapping.csv"),
        None => std::env::temp_dir().join(format!("cutover-mapping-{}.csv", std::process::id())),
    }
}

fn write_mapping(mapping: &[Mapped], path: &std::path::Path) -> Result<(), StartError> {
    pan_copy::write_mapping(mapping, path).map_err(|why| StartError::Mapping {
        path: path.to_owned(),
        why,
    })
}
