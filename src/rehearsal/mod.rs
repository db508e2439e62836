//! Two Stripe accounts in a box: an old one (Australian, customers of two regions) and a new one (American, empty but
//! for what the PAN copy brought), each a real HTTP server on loopback, both deterministic from a scenario and a seed.
//!
//! It shares no types with the client, so it can catch the client's mistakes. What it does rests on Stripe's `OpenAPI`
//! document 2026-08-26.dahlia and on recorded behaviour of the live API.
//!
//! # What is simulated
//!
//! * Transport: Basic and Bearer keys, restricted keys that may only read, revoked keys; nested forms; Stripe's
//!   refusals word for word where they are known; `Request-Id`, `Date`, `Stripe-Version`, idempotency and limiter
//!   headers; cursor pages; `expand[]` by whitelist.
//! * Order: key, limiters, idempotency, object lock, endpoint. Idempotent answers are kept, 500s included, for 24 to
//!   26 hours of the simulated clock.
//! * Objects: account, customers, invoice credit ledger in any number of currencies, cash balances, billing credit
//!   grants and their summary, payment methods of every kind that the copy takes or leaves, sources of the older
//!   interface, tax ids, events, a search that lags, the test helper that funds a cash balance; products, prices, tax
//!   rates and tax settings; payment links and tax registrations (read); coupons and promotion codes, and the
//!   discounts people get with them; subscriptions, their schedules and the invoices that time makes of them.
//! * Faults and foreign actors ([`Scenario`]), as pure functions of seed and request wherever chance is involved.
//! * The PAN copy with its mapping file, and what it leaves behind; the application's own database, in `SQLite`.
//! * [`Running::verdict`]: whether a run harmed anybody, judged from the accounts and the database alone.
//!
//! # What is not
//!
//! Charges, meters and webhooks; what `billing` leaves out (its page says what); anything not in the table answers 404 in
//! Stripe's shape. Credit grants are never used up, since nothing is metered. An object lock is refused at once instead of
//! after a wait. Latency is what the options say, not what Stripe has.
//!
//! # Where what is
//!
//! * The way of a request: `wire` (connections that misbehave), `server`, `pipeline` (admission, with `auth`, `limits`,
//!   `idempotency`), `execute` (commit and answer), `reply`, `errors`.
//! * Reading: `form`, `params`, `expand`, `endpoints` (the table of everything that answers).
//! * The world: `world`, `people`, `methods`, `pages` (stores and cursor pages), `index`, `objects/*`.
//! * Making it: `scenario` (with `scenario_customers`, `listed`), `plan`, `populate`, `additions`, `traits`, `history`, `names`,
//!   `dice`, `ids`, `pan_copy`, `app_database`, `start`.
//!   Coupons: `scenario_pools` and `pools_listed` (those a scenario lists), `pools_fill`, `pools_discounts`, `pools_draft`.
//! * What is sold: `catalogue` (the types), `catalogue_table` (what a world's shop holds), `catalogue_fill`,
//!   `catalogue_subs`, `catalogue_endpoints`. What is taken off it: `pools` (the types), `pools_endpoints`, `redeem`,
//!   `redemptions` and `redeemers`.
//! * What time does: `billing` and `billing_endpoints`, before every request and every look; `billed` tells.
//!   Subscriptions a scenario lists: `scenario_subscriptions` and `subscriptions_listed`.
//! * The Dashboard: [`toolkit`].
//! * What goes wrong: `faults`, `mischief`, `foreign`. What comes back: `world_log`, `replay`. Who judges: `watch`,
//!   `verdict` (with `verdict_database`), `requests`, `admin`; for coupons `watch_pools` with `pool_count`, and
//!   `verdict_pools` with `bills`; for subscriptions `watch_subscriptions`, and `verdict_subscriptions` and `totals` with
//!   `forecast`.
//!
//! A new resource is a file in `objects`, its rows in `endpoints`, a field of `world::Account` and a kind in `expand`.
//!
//! # Time
//!
//! Everything asks the one [`Clock`]. Latency and stalls wait as bystanders: they never make a rehearsal's clock jump.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use pipeline::lock;
use server::Served;
use toolkit::Deed;

mod additions;
mod address;
mod admin;
mod app_database;
mod auth;
mod billed;
mod billing;
mod billing_endpoints;
mod bills;
mod call;
mod catalogue;
mod catalogue_endpoints;
mod catalogue_fill;
mod catalogue_subs;
mod catalogue_table;
mod currency;
mod dice;
mod endpoints;
mod errors;
mod execute;
mod expand;
mod faults;
mod forecast;
mod foreign;
mod form;
mod history;
mod idempotency;
mod ids;
mod index;
mod limits;
mod listed;
mod metadata;
mod methods;
mod mischief;
mod names;
mod objects;
mod pages;
mod pan_copy;
mod params;
mod people;
mod pipeline;
mod plan;
mod pool_count;
mod pools;
mod pools_discounts;
mod pools_draft;
mod pools_endpoints;
mod pools_fill;
mod pools_listed;
mod populate;
mod redeem;
mod redeemers;
mod redemptions;
mod replay;
mod reply;
mod requests;
mod scenario;
mod scenario_customers;
mod scenario_pools;
mod scenario_subscriptions;
mod server;
mod start;
mod subscriptions_listed;
pub mod toolkit;
mod totals;
mod traits;
mod verdict;
mod verdict_database;
mod verdict_pools;
mod verdict_subscriptions;
mod watch;
mod watch_pools;
mod watch_subscriptions;
mod wire;
mod world;
mod world_log;

pub use billed::Bill;
pub use pan_copy::BEFORE as COPY_BEFORE_S;
pub use requests::{Counts, Logged};
pub use scenario::{Scenario, ScenarioError, names};
pub use toolkit::Migration;
pub use totals::{Billed, Totals};
pub use verdict::{Claim, Claims, DefaultClaim, RowClaim, Verdict, Violation, rule};
pub use verdict_pools::{CarryClaim, PoolClaims};
pub use verdict_subscriptions::{Stands, SubscriptionClaim, SubscriptionClaims};
pub use world::Side;
pub use world_log::WorldLogError;

/// How long stopping waits for requests being answered.
const STOP_WAIT: std::time::Duration = std::time::Duration::from_millis(300);

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The world and its faults.
    pub scenario: Scenario,
    /// Decides everything the scenario leaves open.
    pub seed: u64,
    /// Customers of the old account; `None`: as the scenario says; 0: two empty accounts.
    pub customers: Option<u32>,
    /// 0: any free port.
    pub source_port: u16,
    /// 0: any free port.
    pub destination_port: u16,
    /// Lifts the rate and concurrency limiters (not the scenario's faults).
    pub no_limits: bool,
    /// How long every answer takes, milliseconds of the clock.
    pub latency_ms: u32,
    /// The clock both accounts live by; a rehearsal's should start at [`Scenario::starts_at`].
    pub clock: Clock,
    /// Where changes are written down, to be found again when the process was killed; `None`: nowhere.
    pub world_log: Option<PathBuf>,
    /// Where the PAN copy's mapping file goes; `None`: beside the world log, or else a temporary directory.
    pub mapping_csv: Option<PathBuf>,
    /// Where the application's database goes, an `SQLite` file; `None`: the application has none. A file that is there
    /// is kept as it is when the world log has a past, and made anew otherwise.
    pub app_database: Option<PathBuf>,
    /// Live keys and `livemode: true` instead of test mode.
    pub livemode: bool,
}

impl Options {
    /// Options with nothing special: seed 7, any ports, limits as documented, no latency, test mode, no world log, no
    /// database of the application.
    #[must_use]
    pub const fn new(scenario: Scenario, clock: Clock) -> Self {
        Self {
            scenario,
            seed: 7,
            customers: None,
            source_port: 0,
            destination_port: 0,
            no_limits: false,
            latency_ms: 0,
            clock,
            world_log: None,
            mapping_csv: None,
            app_database: None,
            livemode: false,
        }
    }
}

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("port {port} for the {} account cannot be used ({why}): choose another, or 0 for any free one", side.name())]
    Port {
        /// The port asked for.
        port: u16,
        /// For which account.
        side: Side,
        /// What the system said.
        why: std::io::Error,
    },
    /// The mapping file cannot be written.
    #[error("the PAN copy's mapping file {} cannot be written: {why}", path.display())]
    Mapping {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The application's database cannot be made.
    #[error("the application's database {} cannot be made ({why}): use a directory that can be written to", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the library said.
        why: sqlx::Error,
    },
    /// The application's database of a rehearsal that is taken up again is not there any more.
    #[error("the application's database {} of this rehearsal is gone: start a new rehearsal", path.display())]
    DatabaseGone {
        /// The file.
        path: PathBuf,
    },
    /// The world log cannot be used.
    #[error(transparent)]
    WorldLog(#[from] WorldLogError),
}

/// How to reach one account.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct Endpoint {
    /// API base, `http://127.0.0.1:PORT`.
    pub url: String,
    /// Secret key; may do everything.
    pub key: String,
    /// Restricted key; may only read.
    pub read_only_key: String,
    /// `acct_…`
    pub account: String,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({} at {}, keys hidden)", self.account, self.url)
    }
}

/// How to reach both, and where the mapping file is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Description {
    /// The old account.
    pub source: Endpoint,
    /// The new account.
    pub destination: Endpoint,
    /// The PAN copy's mapping file.
    pub mapping_csv: PathBuf,
    /// The application's database, `sqlite:///…`, when one was asked for.
    pub database_url: Option<String>,
}

/// Starts simulators.
#[derive(Clone, Copy, Debug)]
pub struct Simulator;

impl Simulator {
    /// Makes the world, or restores it from the world log, plays the PAN copy, and serves both accounts.
    /// Must be called within a tokio runtime.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        start::start(options).await
    }
}

/// Two accounts being served.
pub struct Running {
    served: Arc<Served>,
    description: Description,
    stop: channel::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({:?})", self.description)
    }
}

impl Running {
    /// How to reach both accounts.
    #[must_use]
    pub const fn describe(&self) -> &Description {
        &self.description
    }

    /// Judges the accounts and the application's database as they are now. `claims`: what the run says it has done;
    /// without claims nothing can be missed, everything else is judged all the same.
    pub async fn verdict(&self, claims: &Claims) -> Verdict {
        self.served.verdict(claims).await
    }

    /// What both accounts bill from the night on, month by month and currency by currency, beside what the old one would
    /// have billed without the run.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.served.totals()
    }

    /// What an account billed for subscriptions until now, oldest first; with `until`, in seconds, also what it would
    /// bill until then if everybody left it alone. Nothing of the account changes.
    #[must_use]
    pub fn billed(&self, side: Side, until: Option<i64>) -> Vec<Bill> {
        let now = self.served.shared.clock.now().secs();
        let mut core = lock(&self.served.cores[side.index()]);
        core.pass_time(now);
        billed::bills(&core.account, until)
    }

    /// The newest requests of both accounts, source first, oldest first; at most 20,000 each.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        let all = self.served.cores.iter();
        all.flat_map(|core| lock(core).log.kept().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// Counters of one account.
    #[must_use]
    pub fn counts(&self, side: Side) -> Counts {
        lock(&self.served.cores[side.index()]).log.counts()
    }

    /// Plays the PAN copy again, as Stripe does: only what is new since is added; the mapping file is written anew.
    pub fn play_pan_copy(&self) -> Result<(), StartError> {
        start::play_again(self)
    }

    /// Makes new keys for an account, as its owner would after a revocation; the old ones are expired.
    pub fn renew_keys(&self, side: Side) -> Result<Endpoint, StartError> {
        start::renew_keys(self, side)
    }

    /// Uploads a file for the Billing migration toolkit at the new account's Dashboard. It validates for a few minutes of
    /// the clock; [`Running::migrations`] says what came of it.
    ///
    /// # Errors
    /// In Stripe's words, when it is not taken.
    pub fn upload(&self, name: &str, file: &[u8]) -> Result<Migration, String> {
        self.at_desk(Deed::upload(name, file))
    }

    /// Starts a migration that was validated: its schedules are made after a few minutes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_migration(&self, id: &str) -> Result<Migration, String> {
        self.at_desk(Deed::Start { id: id.to_owned() })
    }

    /// Cancels a migration, with those of its schedules that have not begun.
    ///
    /// # Errors
    /// When it is too late.
    pub fn cancel_migration(&self, id: &str) -> Result<Migration, String> {
        self.at_desk(Deed::Cancel { id: id.to_owned() })
    }

    fn at_desk(&self, deed: Deed) -> Result<Migration, String> {
        let now = self.served.shared.clock.now();
        lock(&self.served.cores[Side::Destination.index()]).at_desk(deed, now)
    }

    /// All migrations of the new account, oldest first, as they are now.
    #[must_use]
    pub fn migrations(&self) -> Vec<Migration> {
        let now = self.served.shared.clock.now();
        lock(&self.served.cores[Side::Destination.index()]).migrations(now)
    }

    /// The error file of a migration that failed.
    #[must_use]
    pub fn migration_errors(&self, id: &str) -> Option<Vec<u8>> {
        let core = lock(&self.served.cores[Side::Destination.index()]);
        core.dashboard.errors(id).map(<[u8]>::to_vec)
    }

    /// Stops serving. Requests being answered are given up.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for mut task in self.tasks {
            // Connections that are kept alive close at once; one in the middle of a stall would not.
            if tokio::time::timeout(STOP_WAIT, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}
