//! Joining accounts, run directory and engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::clock::Clock;
use crate::domain::ids::{Accounts, Role};
use crate::engine::command::Handle;
use crate::engine::driver::{self, Begin, WriteKeys};
use crate::engine::pin::{self, PinError};
use crate::engine::rundir::{self, Claim, Header, RunDir};
use crate::engine::server_time::ServerTime;
use crate::stages::Settings;
use crate::stripe::{Account, ApiKey, Link, PaceConfig, Settings as LinkSettings};

/// How to reach one account.
pub(super) struct Reach {
    /// API base.
    pub(super) base: String,
    /// The key for reading.
    pub(super) key: SecretString,
    /// What the operator calls it.
    pub(super) name: String,
    /// Share of Stripe's limit in per cent.
    pub(super) share_percent: u32,
    /// Requests in flight, at most.
    pub(super) max_in_flight: u32,
    /// GETs of the last 30 days before this run.
    pub(super) gets_before: u64,
    /// How much the way to the server varies, by this program's clock.
    pub(super) jitter_ms: i64,
    /// No pacing: the simulated account has no limits.
    pub(super) unlimited: bool,
}

/// What the run directory's header keeps besides what every run has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Meta {
    /// Of a rehearsal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rehearsal: Option<World>,
}

/// What a rehearsal needs to make its world again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct World {
    pub(super) scenario: String,
    pub(super) scenario_text: Option<String>,
    pub(super) seed: u64,
    pub(super) customers: Option<u32>,
    pub(super) no_limits: bool,
    pub(super) latency_ms: u32,
}

/// How the screen is to look, by the command line and the environment.
pub(super) fn screen(args: &crate::cli::Screen, clock: &Clock) -> crate::tui::Options {
    let no_color = args.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    crate::tui::Options {
        ascii: args.ascii.then_some(true),
        no_color,
        theme: args.theme.clone(),
        unmask: None,
        save_in: None,
        clock: Some(clock.clone()),
    }
}

/// Who is at the keyboard, for records: user at host.
pub(super) fn operator() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "somebody".to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    crate::domain::text::safe(&format!("{user}@{host}"))
        .as_str()
        .to_owned()
}

/// A connection per account. Nothing is sent.
pub(super) fn links(reach: &BTreeMap<Role, Reach>, clock: &Clock) -> Result<BTreeMap<Role, Link>, Failure> {
    let mut links = BTreeMap::new();
    for (role, reach) in reach {
        let key = api_key(*role, &reach.key)?;
        let mut pace = if reach.unlimited {
            PaceConfig::unlimited()
        } else {
            PaceConfig::of(key.mode())
        };
        pace.share_percent = u8::try_from(reach.share_percent.clamp(1, 100)).unwrap_or(100);
        pace.concurrency = reach.max_in_flight.max(1);
        pace.jitter_ms = reach.jitter_ms;
        let account = Account::new(*role, &reach.base, key).map_err(Failure::refused)?;
        links.insert(
            *role,
            Link::new(account, clock.clone(), LinkSettings::with_pace(pace)),
        );
    }
    Ok(links)
}

/// A key as the client takes it.
pub(super) fn api_key(role: Role, key: &SecretString) -> Result<ApiKey, Failure> {
    ApiKey::parse(key.expose_secret())
        .map_err(|e| Failure::refused(format!("the {role} key is not usable: {e}")))
}

/// Both keys lead to the accounts they are said to lead to. Says per account whether Stripe confirmed it.
pub(super) async fn pinned(
    links: &BTreeMap<Role, Link>,
    accounts: &Accounts,
) -> Result<BTreeMap<Role, bool>, Failure> {
    if accounts.source == accounts.destination {
        return Err(PinError::SameAccount(accounts.source.clone()).into());
    }
    let mut sure = BTreeMap::new();
    for (role, link) in links {
        let reader = link.reader().map_err(Failure::failed)?;
        let server = ServerTime::default();
        sure.insert(
            *role,
            pin::check(&reader, accounts.of(*role), accounts.environment, &server).await?,
        );
    }
    Ok(sure)
}

/// What an engine is started with, besides the run directory.
pub(super) struct Parts {
    pub(super) clock: Clock,
    pub(super) accounts: Accounts,
    pub(super) reach: BTreeMap<Role, Reach>,
    pub(super) links: BTreeMap<Role, Link>,
    pub(super) write_keys: WriteKeys,
    pub(super) app: Option<crate::appdb::Database>,
    pub(super) settings: Arc<Settings>,
    pub(super) seed: Option<u64>,
    pub(super) witness_waived: bool,
}

/// The directory of a run, created or taken up again.
pub(super) fn directory(
    path: &Path,
    accounts: &Accounts,
    meta: Meta,
    clock: &Clock,
) -> Result<(Arc<RunDir>, String), Failure> {
    let pair = rundir::Accounts {
        source: accounts.source.0.clone(),
        destination: accounts.destination.0.clone(),
        mode: accounts.environment.word().to_lowercase(),
    };
    let claim = Claim {
        token: ulid::Ulid::generate().to_string(),
        since: clock.now(),
    };
    if path.join("run.json").exists() {
        let (dir, header) = RunDir::open::<Meta>(path, Some(&pair), &claim)?;
        return Ok((Arc::new(dir), header.run));
    }
    let run = ulid::Ulid::generate().to_string();
    let header = Header::new(run.clone(), clock.now(), pair, meta);
    Ok((Arc::new(RunDir::create(path, &header, &claim)?), run))
}

/// Starts the engine on a directory.
pub(super) async fn engine(dir: Arc<RunDir>, run: String, parts: Parts) -> Result<Handle, Failure> {
    let filter = std::env::var(crate::telemetry::TRACE_VARIABLE).ok();
    crate::telemetry::trace_to(dir.view().path(), filter.as_deref()).map_err(Failure::failed)?;
    crate::telemetry::run_is_in(dir.view().path());
    let begin = Begin {
        dir,
        run,
        clock: parts.clock,
        accounts: parts.accounts,
        names: parts
            .reach
            .iter()
            .map(|(role, reach)| (*role, reach.name.clone()))
            .collect(),
        gets_before: parts
            .reach
            .iter()
            .map(|(role, reach)| (*role, reach.gets_before))
            .collect(),
        links: parts.links,
        write_keys: parts.write_keys,
        app: parts.app,
        settings: parts.settings,
        operator: operator(),
        seed: parts.seed,
        witness_waived: parts.witness_waived,
    };
    Ok(driver::start(begin).await?)
}
