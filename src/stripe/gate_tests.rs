//! The gate without a clock: senders that wake when told, or a little late, over minutes of simulated time.

use std::collections::BTreeSet;

use super::super::allow::{Method, Role, check};
use super::*;

const PATHS: [&str; 5] = [
    "/v1/customers",
    "/v1/events",
    "/v1/payment_methods",
    "/v1/billing/credit_grants",
    "/v1/account",
];

#[derive(Debug)]
struct Night {
    account: u32,
    each: u32,
    endpoints: usize,
    tasks: usize,
    late_ms: i64,
}

/// All sends within `secs` seconds and how often the gate was asked.
fn run(night: &Night, secs: i64) -> (Vec<i64>, usize) {
    let config = PaceConfig {
        account_per_s: Some(night.account),
        endpoint_per_s: night.each,
        share_percent: 100,
        concurrency: u32::MAX,
        jitter_ms: 0,
    };
    let mut gate = Gate::new(config);
    let endpoint = |task: usize| check(Role::Source, Method::Get, PATHS[task % night.endpoints]).unwrap();
    let mut tickets = vec![Ticket::default(); night.tasks];
    let mut due: BTreeSet<(i64, u64, usize)> = (0..night.tasks).map(|task| (0, 0, task)).collect();
    let (mut sent, mut asked, mut random) = (Vec::new(), 0, 1_u64);
    while let Some((now, _, task)) = due.pop_first() {
        if now > secs * 1000 {
            break;
        }
        asked += 1;
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let late = i64::try_from((random >> 33) % 1_000).unwrap() * (night.late_ms + 1) / 1000;
        match gate.step(UtcMs(now), endpoint(task), &mut tickets[task]) {
            Step::Go => {
                sent.push(now);
                tickets[task] = Ticket::default();
                due.insert((now, random, task));
            }
            Step::Wait(until, _) => {
                assert!(until.0 > now, "a wait for nothing");
                due.insert((until.0 + late, random, task));
            }
            Step::Full => panic!("nothing limits what is in flight"),
        }
    }
    (sent, asked)
}

fn most_in_any_second(sent: &[i64]) -> usize {
    let mut from = 0;
    let until = |(i, at): (usize, &i64)| {
        while at - sent[from] > 1000 {
            from += 1;
        }
        i + 1 - from
    };
    sent.iter().enumerate().map(until).max().unwrap_or(0)
}

#[test]
fn limits_are_used_up_and_kept_for_any_mix_of_endpoints_tasks_and_late_wake_ups() {
    const SECS: i64 = 30;
    // The account's limit, the endpoints', how many of those.
    for (account, each, endpoints) in [(50, 12, 4), (100, 25, 1), (100, 25, 4), (100, 25, 5), (25, 25, 2)] {
        for (tasks, late_ms, at_least) in [(16, 0, 98), (32, 10, 98), (32, 50, 90)] {
            let night = Night {
                account,
                each,
                endpoints,
                tasks,
                late_ms,
            };
            let (sent, asked) = run(&night, SECS);
            let limit = (account as usize).min(each as usize * endpoints);
            assert!(most_in_any_second(&sent) <= limit, "{night:?}");
            let per_cent = sent.len() * 100 / (limit * usize::try_from(SECS).unwrap());
            assert!(per_cent >= at_least, "{night:?}: {per_cent} %");
            assert!(
                asked <= 8 * sent.len(),
                "no herd: {night:?}: {asked} for {}",
                sent.len()
            );
        }
    }
}

#[test]
fn an_hour_of_night_uses_98_per_cent_of_the_limit_and_no_second_is_above() {
    for limit in [25_u32, 100] {
        let night = Night {
            account: limit,
            each: limit,
            endpoints: 1,
            tasks: 32,
            late_ms: 3,
        };
        let (sent, _) = run(&night, 3600);
        assert!(most_in_any_second(&sent) <= limit as usize);
        assert!(sent.len() >= limit as usize * 3600 * 98 / 100, "{}", sent.len());
    }
}
