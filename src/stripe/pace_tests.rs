//! The pacer on the virtual clock: both cores, thirty-two tasks.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::allow::Method;
use super::super::allow::{Role, check};
use super::super::key::Mode;
use super::super::reply::Meta;
use super::*;

const T0: UtcMs = UtcMs(1_771_027_200_000);
/// Any speed but 1 jumps over waits; at this one a busy machine's hiccups stay small against a second.
const SPEED: u32 = 2;

fn customers() -> Endpoint {
    check(Role::Source, Method::Get, "/v1/customers").unwrap()
}

fn endpoint(path: &str) -> Endpoint {
    check(Role::Source, Method::Get, path).unwrap()
}

fn config(account: u32, endpoint: u32) -> PaceConfig {
    PaceConfig {
        account_per_s: Some(account),
        endpoint_per_s: endpoint,
        share_percent: 100,
        concurrency: 64,
        jitter_ms: 0,
    }
}

fn rate_limited(ms: Option<i64>, by: &str) -> Meta {
    Meta {
        status: 429,
        retry_after_ms: ms,
        limited_by: Some(by.to_owned()),
        ..Meta::default()
    }
}

/// `tasks` workers send to `endpoints` in turn until `until`; the times of all sends, sorted.
async fn send_until(
    clock: &Clock,
    pacer: &Pacer,
    tasks: usize,
    endpoints: &[Endpoint],
    until: UtcMs,
) -> Vec<i64> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let handles: Vec<_> = (0..tasks)
        .map(|task| {
            let (clock2, pacer, sent) = (clock.clone(), pacer.clone(), sent.clone());
            let endpoint = endpoints[task % endpoints.len()];
            clock.spawn(async move {
                while clock2.now() < until {
                    let permit = pacer.acquire(endpoint).await;
                    sent.lock().unwrap().push(permit.sent_at().0);
                }
            })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
    let mut sent = std::mem::take(&mut *sent.lock().unwrap());
    sent.sort_unstable();
    sent
}

fn most_in_any_second(sent: &[i64]) -> usize {
    let mut from = 0;
    let mut most = 0;
    for (i, at) in sent.iter().enumerate() {
        while at - sent[from] > 1000 {
            from += 1;
        }
        most = most.max(i - from + 1);
    }
    most
}

/// The hour itself, where 98 per cent are asked for, is the gate's test: there no busy machine wakes anybody late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_tasks_on_two_threads_use_the_limit_and_no_second_is_above() {
    const SECS: i64 = 60;
    for limit in [25_u32, 100] {
        let clock = Clock::rehearsal(T0, SPEED);
        let pacer = Pacer::new(clock.clone(), config(limit, limit));
        let sent = send_until(&clock, &pacer, 32, &[customers()], T0.plus_ms(SECS * 1000)).await;
        assert!(most_in_any_second(&sent) <= limit as usize);
        assert!(
            sent.len() * 2 >= limit as usize * 60,
            "{} of {limit}/s",
            sent.len()
        );
        assert_eq!(
            pacer.snapshot().most_in_any_second as usize,
            most_in_any_second(&sent)
        );
    }
}

#[tokio::test]
async fn half_of_live_is_fifty_a_second_and_twelve_per_endpoint() {
    let half = PaceConfig::of(Mode::Live);
    assert_eq!((half.account_limit(), half.endpoint_limit()), (50, 12));
    let tiny = PaceConfig {
        share_percent: 1,
        ..half
    };
    assert_eq!((tiny.account_limit(), tiny.endpoint_limit()), (1, 1));
    assert_eq!(PaceConfig::of(Mode::Test).account_limit(), 25);
    assert_eq!(PaceConfig::unlimited().endpoint_limit(), u32::MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_share_can_be_changed_while_requests_wait() {
    let clock = Clock::rehearsal(T0, SPEED);
    let pacer = Pacer::new(clock.clone(), config(100, 100));
    send_until(&clock, &pacer, 8, &[customers()], T0.plus_ms(10_000)).await;
    pacer.set_share(10);
    let from = clock.now();
    let slow = send_until(&clock, &pacer, 8, &[customers()], from.plus_ms(20_000)).await;
    assert!(
        slow.iter().filter(|t| **t > from.0 + 1000).count() <= 200,
        "{}",
        slow.len()
    );
    assert_eq!(
        (pacer.snapshot().share_percent, pacer.snapshot().limit_per_s),
        (10, Some(10))
    );
    pacer.set_share(100);
    let from = clock.now();
    let fast = send_until(&clock, &pacer, 8, &[customers()], from.plus_ms(10_000)).await;
    // Up to a thousand, where nothing holds this machine up; a tenth of that while the share was ten.
    assert!(fast.len() > 400, "{}", fast.len());
}

#[tokio::test]
async fn a_429_halves_the_rate_of_the_limiter_that_said_no() {
    let clock = Clock::rehearsal(T0, 1);
    let pacer = Pacer::new(clock, config(100, 25));
    pacer
        .acquire(customers())
        .await
        .answered(&rate_limited(None, "global-rate"), Some("rate_limit"));
    let after = pacer.snapshot();
    assert_eq!(
        (after.limit_per_s, after.rate_per_s, after.status_429),
        (Some(100), Some(50), 1)
    );
    assert!(after.last_429_at.is_some());
    pacer
        .acquire(customers())
        .await
        .answered(&rate_limited(None, "endpoint-rate"), None);
    assert_eq!(pacer.snapshot().rate_per_s, Some(50), "the endpoint's business");
    pacer
        .acquire(customers())
        .await
        .answered(&rate_limited(None, "global-concurrency"), None);
    assert_eq!(pacer.snapshot().concurrency, 32);
    pacer
        .acquire(customers())
        .await
        .answered(&rate_limited(None, "none"), Some("lock_timeout"));
    assert_eq!(
        (pacer.snapshot().rate_per_s, pacer.snapshot().status_429),
        (Some(50), 4)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_holds_the_whole_account_and_nothing_else_is_named_meanwhile() {
    let clock = Clock::rehearsal(T0, SPEED);
    let pacer = Pacer::new(clock.clone(), config(100, 100));
    pacer
        .acquire(customers())
        .await
        .answered(&rate_limited(Some(5_000), "global-rate"), None);
    let held = pacer.snapshot().held_until.unwrap();
    let sent = send_until(&clock, &pacer, 8, &[endpoint("/v1/events")], held.plus_ms(2_000)).await;
    assert!(sent[0] >= held.0, "{} before {held:?}", sent[0]);
    assert!(most_in_any_second(&sent) <= 60, "no burst after the hold");
}

#[tokio::test]
async fn every_wait_has_a_name() {
    let clock = Clock::rehearsal(T0, 1);
    let pacer = Pacer::new(
        clock.clone(),
        PaceConfig {
            concurrency: 1,
            ..config(1, 1)
        },
    );
    let first = pacer.acquire(customers()).await;
    let (p, e) = (pacer.clone(), endpoint("/v1/events"));
    let second = tokio::spawn(async move { p.acquire(e).await });
    until(|| pacer.snapshot().reason == Some(WaitReason::AccountRate)).await;
    clock.advance_to(clock.now().plus_ms(2_000));
    until(|| pacer.snapshot().reason == Some(WaitReason::Concurrency)).await;
    assert_eq!((pacer.snapshot().waiting, pacer.snapshot().in_flight), (1, 1));
    drop(first);
    drop(second.await.unwrap());
    let p = pacer.clone();
    let back_off = tokio::spawn(async move { p.back_off(60_000).await });
    until(|| pacer.snapshot().reason == Some(WaitReason::Backoff)).await;
    back_off.abort();
    until(|| pacer.snapshot().waiting == 0).await;
    let e = customers();
    clock.advance_to(clock.now().plus_ms(5_000));
    drop(pacer.acquire(endpoint("/v1/events")).await);
    clock.advance_to(clock.now().plus_ms(5_000));
    drop(pacer.acquire(e).await);
    let p = pacer.clone();
    let third = tokio::spawn(async move { p.acquire(e).await });
    until(|| pacer.snapshot().reason == Some(WaitReason::EndpointRate)).await;
    third.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_are_in_flight_than_allowed_and_none_is_forgotten() {
    static NOW: AtomicU64 = AtomicU64::new(0);
    static MOST: AtomicU64 = AtomicU64::new(0);
    let clock = Clock::rehearsal(T0, SPEED);
    let pacer = Pacer::new(
        clock.clone(),
        PaceConfig {
            concurrency: 3,
            ..PaceConfig::unlimited()
        },
    );
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (clock2, pacer) = (clock.clone(), pacer.clone());
            clock.spawn(async move {
                for _ in 0..20 {
                    let permit = pacer.acquire(customers()).await;
                    MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    clock2.sleep_ms(1).await;
                    NOW.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!((MOST.load(Ordering::SeqCst), pacer.snapshot().gets), (3, 400));
    assert_eq!((pacer.snapshot().in_flight, pacer.snapshot().waiting), (0, 0));
}

#[tokio::test]
async fn counters_tell_reads_from_writes_and_leave_out_what_never_left() {
    let clock = Clock::rehearsal(T0, 1);
    let pacer = Pacer::new(clock, PaceConfig::unlimited());
    let write = check(
        Role::Source,
        Method::Post,
        "/v1/customers/cus_1/balance_transactions",
    )
    .unwrap();
    drop(pacer.acquire(customers()).await);
    drop(pacer.acquire(write).await);
    pacer.acquire(write).await.never_left();
    let counted = pacer.snapshot();
    assert_eq!((counted.gets, counted.writes, counted.sent_last_s), (1, 1, 3));
    assert_eq!(counted.history.iter().sum::<u32>(), 3);
}

/// Lets other tasks run until `condition` holds, within two real minutes.
async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), wait)
        .await
        .expect("the condition never held");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_account() {
    let mut gate = Gate::new(config(10, 10));
    let mut sent_by = |now: i64, n: i64| {
        let (mut sent, mut ticket) = (0, Ticket::default());
        for ms in now..now + n {
            if gate.step(UtcMs(ms), customers(), &mut ticket) == Step::Go {
                (sent, ticket) = (sent + 1, Ticket::default());
                gate.ended();
            }
        }
        sent
    };
    assert!(sent_by(10_000_000, 5_000) > 40);
    assert!(sent_by(1_000_000, 5_000) > 30, "an hour and more earlier");
}

#[tokio::test]
async fn who_leaves_the_queue_gives_its_place_back() {
    let clock = Clock::rehearsal(T0, 1);
    let pacer = Pacer::new(clock.clone(), config(2, 2));
    drop(pacer.acquire(customers()).await);
    for _ in 0..50 {
        let (p, e) = (pacer.clone(), customers());
        let waiting = tokio::spawn(async move { p.acquire(e).await });
        until(|| pacer.snapshot().waiting == 1).await;
        waiting.abort();
        until(|| pacer.snapshot().waiting == 0).await;
    }
    clock.advance_to(clock.now().plus_ms(5_000));
    drop(pacer.acquire(customers()).await);
    assert_eq!(pacer.snapshot().gets, 2);
}
