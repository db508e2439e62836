//! Reading both accounts for the credits stage, against its bounds: the calls it may make, a bare `reqwest` that sends
//! the very same requests, and the memory of a process that plans 100,000 customers served by another process.
//! `CUTOVER_BENCH_CUSTOMERS` makes that last world smaller.

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cutover::clock::Clock;
use cutover::domain::change::Change;
use cutover::domain::ids::{AccountId, Accounts, Environment, Role, StageId};
use cutover::domain::plan::file;
use cutover::domain::scope::{Belongs, ScopeRule};
use cutover::engine::command::Command as Ask;
use cutover::engine::driver::{self, Begin};
use cutover::engine::rundir::{self, Claim, Header, RunDir};
use cutover::engine::state::Phase;
use cutover::rehearsal::{Options, Running, Scenario, Side, Simulator};
use cutover::stages::credits::facts::CustomerFacts;
use cutover::stages::credits::{Credits, Settings as CreditSettings, SourceAfter};
use cutover::stages::{Keep, Reading, Settings, Stage as _, Watch};
use cutover::stripe::scan::CURSORS;
use cutover::stripe::wire::{Customer, List};
use cutover::stripe::{Account, ApiKey, Form, Link, PaceConfig, Settings as LinkSettings};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Set for the planning child: what `simulate` printed.
const AGAINST: &str = "CUTOVER_BENCH_AGAINST";
/// Customers of the world read for pages a second.
const SCANNED: u32 = 40_000;
const ROUNDS: usize = 5;

/// What `simulate` prints, as far as it matters here.
#[derive(Deserialize)]
struct Ready {
    source: Reach,
    destination: Reach,
}

#[derive(Deserialize)]
struct Reach {
    url: String,
    key: String,
    account: String,
}

fn main() -> Outcome<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    if let Ok(ready) = std::env::var(AGAINST) {
        return runtime.block_on(plan_against(&serde_json::from_str(&ready)?));
    }
    runtime.block_on(async {
        calls().await?;
        pages().await
    })?;
    drop(runtime);
    memory()
}

async fn world(customers: Option<u32>) -> Outcome<Running> {
    let mut options = Options::new(Scenario::load("midnight")?, Clock::real());
    options.no_limits = true;
    options.customers = customers;
    Ok(Simulator::start(options).await?)
}

fn ready(running: &Running) -> Ready {
    let reach = |end: &cutover::rehearsal::Endpoint| Reach {
        url: end.url.clone(),
        key: end.key.clone(),
        account: end.account.clone(),
    };
    let described = running.describe();
    Ready {
        source: reach(&described.source),
        destination: reach(&described.destination),
    }
}

fn link(role: Role, reach: &Reach) -> Outcome<Link> {
    let account = Account::new(role, &reach.url, ApiKey::parse(&reach.key)?)?;
    Ok(Link::new(
        account,
        Clock::real(),
        LinkSettings::with_pace(PaceConfig::unlimited()),
    ))
}

fn links(ready: &Ready) -> Outcome<BTreeMap<Role, Link>> {
    Ok(BTreeMap::from([
        (Role::Source, link(Role::Source, &ready.source)?),
        (Role::Destination, link(Role::Destination, &ready.destination)?),
    ]))
}

fn accounts(ready: &Ready) -> Accounts {
    Accounts {
        source: AccountId(ready.source.account.clone()),
        destination: AccountId(ready.destination.account.clone()),
        environment: Environment::Test,
    }
}

fn settings() -> Arc<Settings> {
    Arc::new(Settings {
        scope: ScopeRule {
            region_key: "region".to_owned(),
            regions: ["us".to_owned()].into(),
            ..ScopeRule::default()
        },
        credits: CreditSettings {
            source_after: Some(SourceAfter::Drain),
            expected: None,
        },
        ..Settings::default()
    })
}

/// Pages that must be read at least, by account: one per hundred ledger rows of each customer in scope.
#[derive(Default)]
struct Ledgers(Mutex<[u64; 2]>);

impl Keep for Ledgers {
    fn keep(&self, line: &RawValue) -> Result<(), String> {
        let facts: CustomerFacts = serde_json::from_str(line.get()).map_err(|e| e.to_string())?;
        if facts.belongs != Belongs::InScope {
            return Ok(());
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (pages, side) in pages
            .iter_mut()
            .zip([Some(&facts.source), facts.destination.as_ref()])
        {
            let rows = side.map(|side| side.ledger.as_ref().map_or(0, |ledger| ledger.rows));
            *pages += rows.map_or(0, |rows| rows.div_ceil(100).max(1));
        }
        Ok(())
    }
}

struct Nobody;

impl Watch for Nobody {
    fn progress(&self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn preview(&self, _rows: Vec<Arc<Change>>) {}
}

async fn calls() -> Outcome<()> {
    let running = world(None).await?;
    let ready = ready(&running);
    let mut readers = BTreeMap::new();
    for (role, link) in links(&ready)? {
        readers.insert(role, link.reader()?);
    }
    let ledgers = Arc::new(Ledgers::default());
    let reading = Reading {
        readers,
        accounts: accounts(&ready),
        ids: Arc::default(),
        app: None,
        settings: settings(),
        clock: Clock::real(),
        began: Clock::real().now(),
        keep: ledgers.clone(),
        watch: Arc::new(Nobody),
    };
    let gathered = Credits.gather(&reading).await?;
    let ledgers = *ledgers.0.lock().unwrap_or_else(PoisonError::into_inner);
    let accounts = [
        (Side::Source, "customers_source", "old"),
        (Side::Destination, "customers_destination", "new"),
    ];
    for ((side, name, word), ledgers) in accounts.into_iter().zip(ledgers) {
        let customers = gathered.counts.get(name).copied().unwrap_or_default();
        let pages = customers.div_ceil(100);
        let (made, bound) = (running.counts(side).gets, 2 * pages + ledgers);
        println!(
            "scan, calls on the {word} account: {made}, bound {bound} (2 × {pages} pages + {ledgers} ledger pages), {}",
            times(made * 1000 / bound.max(1))
        );
    }
    running.stop().await;
    Ok(())
}

/// The scan over many cursors against bare requests, as many in flight, sending what the scan sent.
async fn pages() -> Outcome<()> {
    let running = world(Some(SCANNED)).await?;
    let ready = ready(&running);
    let reader = link(Role::Source, &ready.source)?.reader()?;
    let query = Form::new()
        .expand("data.invoice_credit_balance")
        .expand("data.cash_balance");
    let bare = reqwest::Client::builder().no_proxy().build()?;
    let (mut ratios, mut rates) = (Vec::new(), (0, 0));
    for _ in 0..ROUNDS {
        let asked_before = running.requests().len();
        let begun = Instant::now();
        let mut scan = reader.scan::<Customer>("/v1/customers", &query, CURSORS);
        let mut pages = 0_u128;
        while let Some(page) = scan.next().await {
            black_box(page?);
            pages += 1;
        }
        let ours = begun.elapsed().as_micros();
        let asked = running.requests().split_off(asked_before);
        let asked = asked
            .into_iter()
            .filter(|logged| logged.account == Side::Source)
            .map(|logged| format!("{}{}?{}", ready.source.url, logged.path, logged.query));
        let begun = Instant::now();
        replay(&bare, &ready.source.key, asked.collect()).await?;
        let floor = begun.elapsed().as_micros();
        rates = (pages * 1_000_000 / ours.max(1), pages * 1_000_000 / floor.max(1));
        ratios.push(1000 * floor / ours.max(1));
    }
    ratios.sort_unstable();
    let ratio = ratios.get(ROUNDS / 2).copied().unwrap_or_default();
    println!(
        "scan, pages of 100 expanded customers: {}/s, bare reqwest with typed parse {}/s, median of {ROUNDS}: {} % of it",
        rates.0,
        rates.1,
        ratio / 10
    );
    running.stop().await;
    Ok(())
}

async fn replay(bare: &reqwest::Client, key: &str, urls: Vec<String>) -> Outcome<()> {
    let (urls, next) = (Arc::new(urls), Arc::new(AtomicUsize::new(0)));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..CURSORS {
        let (bare, urls, next) = (bare.clone(), urls.clone(), next.clone());
        let bearer = format!("Bearer {key}");
        lanes.spawn(async move {
            while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sent = bare
                    .get(url)
                    .header("authorization", &bearer)
                    .header("stripe-version", cutover::stripe::STRIPE_VERSION)
                    .send();
                let body = sent.await?.bytes().await?;
                black_box(serde_json::from_slice::<List<Customer>>(&body)?);
            }
            Outcome::Ok(())
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    Ok(())
}

/// Ends the process it holds.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn memory() -> Outcome<()> {
    let customers = std::env::var("CUTOVER_BENCH_CUSTOMERS").unwrap_or_else(|_| "100000".to_owned());
    let mut simulate = Command::new(env!("CARGO_BIN_EXE_cutover"));
    simulate.args([
        "simulate",
        "--no-limits",
        "--source-port",
        "0",
        "--destination-port",
        "0",
    ]);
    simulate.args(["--customers", &customers]).stdout(Stdio::piped());
    let mut simulate = Ended(simulate.spawn()?);
    let mut line = String::new();
    let output = simulate.0.stdout.take().ok_or("no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let begun = Instant::now();
    let plan = Command::new(std::env::current_exe()?)
        .env(AGAINST, line.trim())
        .output()?;
    let said = String::from_utf8_lossy(&plan.stdout).trim().to_owned();
    println!(
        "memory, credits of {customers} customers planned by a process of its own: {said}; {:?}",
        begun.elapsed()
    );
    if !plan.status.success() {
        return Err(String::from_utf8_lossy(&plan.stderr).into());
    }
    Ok(())
}

/// Of a run's header: nothing besides what every run has.
#[derive(Serialize)]
struct Meta {}

/// What `cutover plan credits` does, with the pacing lifted: at Stripe's 25 reads a second this would take an hour.
async fn plan_against(ready: &Ready) -> Outcome<()> {
    let (clock, accounts, place) = (Clock::real(), accounts(ready), tempfile::tempdir()?);
    let pair = rundir::Accounts {
        source: accounts.source.0.clone(),
        destination: accounts.destination.0.clone(),
        mode: "test".to_owned(),
    };
    let claim = Claim {
        token: "bench".to_owned(),
        since: clock.now(),
    };
    let header = Header::new("bench", clock.now(), pair, Meta {});
    let dir = RunDir::create(&place.path().join("run"), &header, &claim)?;
    let handle = driver::start(Begin {
        dir: Arc::new(dir),
        run: "bench".to_owned(),
        clock,
        accounts,
        names: BTreeMap::new(),
        links: links(ready)?,
        app: None,
        write_keys: Arc::new(|_| Err("this bench writes nothing".to_owned())),
        gets_before: BTreeMap::new(),
        settings: settings(),
        operator: "bench".to_owned(),
        seed: None,
        witness_waived: false,
    })
    .await?;
    handle.ask(Ask::Gather(StageId::Credits)).await?;
    let ended = handle.wait_for(|state| {
        let phase = state.stage(StageId::Credits).map(|stage| &stage.phase);
        matches!(phase, Some(Phase::Review | Phase::GatherFailed { .. })) || state.fatal.is_some()
    });
    let state = ended.await.ok_or("the engine ended")?;
    let peak_gathered = peak()?;
    let stage = state.stage(StageId::Credits).ok_or("no stage")?;
    let plan = stage
        .plan
        .clone()
        .ok_or_else(|| format!("no plan: {:?}", stage.phase))?;
    let mut out = BufWriter::new(std::fs::File::create(place.path().join("plan.jsonl"))?);
    file::write_lines(&plan, |line| out.write_all(line.as_bytes()))?;
    out.flush()?;
    println!(
        "{} rows, {} planned, peak resident {} MB ({peak_gathered} MB before the plan's file was written)",
        plan.totals().in_scope,
        plan.totals().planned,
        peak()?
    );
    Ok(())
}

/// Most that was resident at any time, in MB.
fn peak() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("no VmHWM")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes / 1024)
}

/// Thousandths with two decimals.
fn times(thousandths: u64) -> String {
    format!("{}.{:02}×", thousandths / 1000, thousandths % 1000 / 10)
}
