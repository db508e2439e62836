//! The client against the simulated accounts over real HTTP: what each believes of the other.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

use std::collections::BTreeSet;

use cutover::clock::Clock;
use cutover::rehearsal::{Options, Running, Scenario, Side, Simulator};
use cutover::stripe::budget::seed_of;
use cutover::stripe::wire::{Account as WireAccount, BalanceTransaction, Customer};
use cutover::stripe::{
    Account, ApiKey, Budget, Failure, Form, Kind, Link, Next, PaceConfig, Role, Settings, Verdict, Writer,
    allow, judge,
};

/// Jumps over waits, and keeps a busy machine's hiccups small against a second.
const CALM: u32 = 2;
/// Eighty seconds without an answer pass in less than one.
const FAST: u32 = 200;

async fn world(scenario: &str, speed: u32, change: impl FnOnce(&mut Options)) -> (Running, Clock) {
    let scenario = Scenario::load(scenario).unwrap();
    let clock = Clock::rehearsal(scenario.starts_at(), speed);
    let mut options = Options::new(scenario, clock.clone());
    change(&mut options);
    (Simulator::start(options).await.unwrap(), clock)
}

fn link(running: &Running, clock: &Clock, pace: PaceConfig) -> Link {
    let source = &running.describe().source;
    let key = ApiKey::parse(&source.key).unwrap();
    let account = Account::new(Role::Source, &source.url, key).unwrap();
    Link::new(account, clock.clone(), Settings::with_pace(pace))
}

fn full_share(account_per_s: u32) -> PaceConfig {
    PaceConfig {
        account_per_s: Some(account_per_s),
        share_percent: 100,
        ..PaceConfig::unlimited()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_of_the_account_at_midnight_reads_every_customer_once_within_the_bound() {
    let (running, clock) = world("midnight", CALM, |o| (o.no_limits, o.latency_ms) = (true, 30)).await;
    let reader = link(&running, &clock, PaceConfig::unlimited()).reader().unwrap();
    let scan = clock.spawn(async move {
        let query = Form::new().expand("data.invoice_credit_balance");
        let mut scan = reader.scan::<Customer>("/v1/customers", &query, 16);
        let mut all = Vec::new();
        while let Some(page) = scan.next().await {
            all.extend(page.unwrap().items);
        }
        (all, scan.calls(), reader)
    });
    let (all, calls, reader) = scan.await.unwrap();
    let ids: BTreeSet<_> = all.iter().map(|c| c.id.as_str()).collect();
    let pages = reader
        .list::<Customer>("/v1/customers", &Form::new())
        .collect_pages()
        .await
        .unwrap();
    let listed: BTreeSet<_> = pages
        .iter()
        .flat_map(|p| &p.items)
        .map(|c| c.id.as_str())
        .collect();
    assert!(
        all.len() == ids.len() && ids == listed,
        "{} scanned, {} listed",
        all.len(),
        listed.len()
    );
    assert!(
        calls < 2 * pages.len() as u64,
        "{calls} calls for {} pages",
        pages.len()
    );
    assert!(
        all.iter()
            .all(|c| c.invoice_credit_balance.is_some() && c.livemode == Some(false))
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_full_share_the_client_is_never_told_to_slow_down() {
    let (running, clock) = world("small", CALM, |_| ()).await;
    // Nearly a second of leeway for the way between the two: a busy machine may hold a request up that long.
    let link = link(
        &running,
        &clock,
        PaceConfig {
            jitter_ms: 900,
            ..full_share(25)
        },
    );
    let reader = link.reader().unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let reader = reader.clone();
            let path = if n % 2 == 0 { "/v1/customers" } else { "/v1/events" };
            clock.spawn(async move {
                for _ in 0..20 {
                    reader.get(path, &Form::new().with("limit", 1)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let counted = running.counts(Side::Source);
    assert_eq!((counted.gets, counted.status_429), (320, 0));
    assert_eq!(link.pacer().snapshot().gets, 320);
    assert!(link.pacer().snapshot().most_in_any_second <= 25);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_the_same_write_and_another_body_under_it_stops_everything() {
    let (running, clock) = world("small", CALM, |_| ()).await;
    let link = link(&running, &clock, full_share(25));
    let (reader, writer) = (link.reader().unwrap(), link.writer().unwrap());
    let me = reader
        .get_as::<WireAccount>("/v1/account", &Form::new())
        .await
        .unwrap();
    assert_eq!(me.value.id, running.describe().source.account);
    let page = reader
        .list::<Customer>("/v1/customers", &Form::new())
        .next_page()
        .await
        .unwrap()
        .unwrap();
    let path = allow::path("/v1/customers/{}/balance_transactions", &[&page.items[0].id]);
    let body = Form::new()
        .with("amount", -700)
        .with("currency", "usd")
        .metadata("cutover_effect", "e1")
        .encode();
    let first = writer.post_once(&path, &body, "cut1-key-g0").await.unwrap();
    let again = writer.post_once(&path, &body, "cut1-key-g0").await.unwrap();
    assert_eq!((first.meta.replayed, again.meta.replayed), (false, true));
    assert_eq!(first.body, again.body);
    assert!(first.meta.request_id.is_some() && first.meta.server_date.is_some());
    let other = writer
        .post_once(&path, &body.replace("700", "800"), "cut1-key-g0")
        .await;
    assert_eq!(judge(Kind::Write, &other), Verdict::HaltIdempotencyMismatch);
    let gone = writer
        .post_once(
            "/v1/customers/cus_nobody/balance_transactions",
            &body,
            "cut1-key-g1",
        )
        .await;
    assert_eq!(judge(Kind::Write, &gone), Verdict::NotFound);
    let read_only = ApiKey::parse(&running.describe().source.read_only_key).unwrap();
    let weak = link
        .with_key(read_only)
        .writer()
        .unwrap()
        .post_once(&path, &body, "cut1-key-g2")
        .await;
    assert_eq!(judge(Kind::Write, &weak), Verdict::HaltAuth);
    let ledger = reader
        .list::<BalanceTransaction>(&path, &Form::new())
        .collect_pages()
        .await
        .unwrap();
    let ours = ledger
        .iter()
        .flat_map(|p| &p.items)
        .filter(|t| t.metadata.contains_key("cutover_effect"));
    assert_eq!(ours.map(|t| t.amount).collect::<Vec<_>>(), [-700]);
    running.stop().await;
}

/// The engine's loop in miniature: same bytes, same key, until the verdict is another one.
async fn write(writer: &Writer, clock: &Clock, path: &str, body: &str, key: &str) -> Verdict {
    let mut budget = Budget::new(seed_of(key));
    loop {
        let result: Result<_, Failure> = writer.post_once(path, body, key).await;
        let verdict = judge(Kind::Write, &result);
        let Verdict::RetrySameKey { after_ms, class } = verdict else {
            return verdict;
        };
        match budget.next(class, after_ms, clock.now()) {
            Next::Wait { ms } => writer.back_off(ms).await,
            Next::GiveUp(_) => return verdict,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_resets_stalls_and_torn_answers_no_effect_happens_twice() {
    for seed in 1..=3 {
        let (running, clock) = world("faults-network", FAST, |o| o.seed = seed).await;
        let link = link(&running, &clock, full_share(25));
        let reader = link.reader().unwrap();
        let writer = link.writer().unwrap();
        let (clock2, reads) = (clock.clone(), reader.clone());
        let work = clock.spawn(async move {
            let pages = reads
                .list::<Customer>("/v1/customers", &Form::new())
                .collect_pages()
                .await
                .unwrap();
            let mut written = Vec::new();
            for (n, customer) in pages.into_iter().flat_map(|p| p.items).enumerate() {
                let path = allow::path("/v1/customers/{}/balance_transactions", &[&customer.id]);
                let form = Form::new()
                    .with("amount", -1)
                    .with("currency", "usd")
                    .metadata("cutover_effect", n);
                let verdict = write(&writer, &clock2, &path, &form.encode(), &format!("cut1-{n}-g0")).await;
                written.push((path, verdict));
            }
            written
        });
        for (path, verdict) in work.await.unwrap() {
            let (reader, ledger_path) = (reader.clone(), path.clone());
            let read = clock.spawn(async move {
                let rows = reader.list::<BalanceTransaction>(&ledger_path, &Form::new());
                rows.collect_pages().await.unwrap()
            });
            let rows = read.await.unwrap();
            let ours = rows
                .iter()
                .flat_map(|p| &p.items)
                .filter(|t| t.metadata.contains_key("cutover_effect"));
            let times = ours.count();
            assert!(times <= 1, "seed {seed}, {path}: {times} times");
            assert_eq!(
                verdict == Verdict::Done,
                times == 1,
                "seed {seed}, {path}: {verdict:?}"
            );
        }
        running.stop().await;
    }
}
