//! How much of a limit the pacer uses, and whether any second is above it: twenty real seconds with 32 tasks on two
//! threads, then an hour on the virtual clock. Prints ratios (`design`: at least 98 %, never above).

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot set up has no result")]
#![expect(clippy::cast_precision_loss, reason = "counts of some hundred thousands")]

use std::sync::{Arc, Mutex};

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::clock::Clock;
use cutover::domain::time::UtcMs;
use cutover::stripe::{Endpoint, Method, PaceConfig, Pacer, Role, allow};

const TASKS: usize = 32;

fn config(per_s: u32) -> PaceConfig {
    PaceConfig {
        account_per_s: Some(per_s),
        endpoint_per_s: per_s,
        share_percent: 100,
        concurrency: 64,
        jitter_ms: 0,
    }
}

fn customers() -> Endpoint {
    allow::check(Role::Source, Method::Get, "/v1/customers").unwrap()
}

/// Sends for `ms` of `clock`; prints the share of the limit that was used and the fullest second.
async fn measure(name: &str, clock: Clock, per_s: u32, ms: i64) {
    let pacer = Pacer::new(clock.clone(), config(per_s));
    let until = clock.now().plus_ms(ms);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (clock2, pacer, sent) = (clock.clone(), pacer.clone(), sent.clone());
            clock.spawn(async move {
                while clock2.now() < until {
                    let permit = pacer.acquire(customers()).await;
                    sent.lock().unwrap().push(permit.sent_at());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    report(name, per_s, &sent.lock().unwrap());
}

fn report(name: &str, per_s: u32, sent: &[UtcMs]) {
    let mut ms: Vec<i64> = sent.iter().map(|t| t.0).collect();
    ms.sort_unstable();
    let span_ms = ms.last().unwrap() - ms.first().unwrap();
    let used = (ms.len() - 1) as f64 * 1000.0 / span_ms as f64 / f64::from(per_s);
    let (mut from, mut most) = (0, 0);
    for (i, at) in ms.iter().enumerate() {
        while at - ms[from] > 1000 {
            from += 1;
        }
        most = most.max(i + 1 - from);
    }
    println!(
        "pacing {name}: {:.1} % of {per_s}/s over {} s, fullest second {most}",
        used * 100.0,
        span_ms / 1000
    );
}

fn pacing(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (a, b) = (Clock::real(), Clock::real());
        tokio::join!(
            measure("real clock", a, 100, 20_000),
            measure("real clock", b, 25, 20_000)
        );
        for per_s in [25, 100] {
            let clock = Clock::rehearsal(UtcMs(1_771_027_200_000), 2);
            measure("an hour, virtual clock", clock, per_s, 3_600_000).await;
        }
    });
    let pacer = Pacer::new(Clock::real(), PaceConfig::unlimited());
    c.bench_function("pacer, no limit, one request", |b| {
        b.iter(|| runtime.block_on(pacer.acquire(customers())));
    });
    c.bench_function("pacer, snapshot", |b| b.iter(|| pacer.snapshot()));
}

criterion_group!(benches, pacing);
criterion_main!(benches);
