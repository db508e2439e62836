//! The fault scenarios against two clients of this file's own: one that is careful and one that is not. The first must
//! pass the verdict at every seed, the second must be caught: a simulator that lets a bad client pass proves nothing.

use cutover::clock::Clock;
use cutover::rehearsal::{Claim, Claims, Running, rule};
use serde_json::Value;

use crate::client::{Account, Answer, options, start};

/// Fast enough for a stall of 90 s to take milliseconds.
const SPEED: u32 = 5000;
/// More attempts than any seed needs.
const ATTEMPTS: u32 = 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// The same key until there is an answer; after a stored 500 the ledger is asked, then a new key.
    Careful,
    /// A new key at every attempt.
    Careless,
}

/// Reads until there is a whole answer.
async fn read(account: &Account, path: &str) -> Value {
    for _ in 0..ATTEMPTS {
        let answer = account.get(path).await;
        if answer.status == Some(200) && answer.broken.is_none() {
            return answer.json();
        }
    }
    panic!("{path} was never answered");
}

async fn is_written(account: &Account, ledger: &str, marker: &str) -> bool {
    let rows = read(account, &format!("{ledger}?limit=100")).await;
    let rows = rows["data"].as_array().cloned().unwrap_or_default();
    rows.iter().any(|row| row["metadata"]["cutover_effect"] == marker)
}

fn is_done(answer: &Answer) -> bool {
    answer.status == Some(200) && answer.broken.is_none()
}

/// Writes once, whatever happens, if the manner is careful.
async fn write(account: &Account, ledger: &str, amount: i64, marker: &str, manner: Manner) {
    let form = format!("amount={amount}&currency=usd&metadata[cutover_effect]={marker}");
    let mut generation = 0;
    for attempt in 0..ATTEMPTS {
        let key = match manner {
            Manner::Careful => format!("{marker}-g{generation}"),
            Manner::Careless => format!("{marker}-{attempt}"),
        };
        let answer = account.post(ledger, &form, Some(&key)).await;
        if is_done(&answer) {
            return;
        }
        if answer.status == Some(500) && manner == Manner::Careful {
            if is_written(account, ledger, marker).await {
                return;
            }
            generation += 1;
        }
    }
    panic!("{marker} was never written");
}

/// Moves everybody's USD credit; the claims of what was done.
async fn move_all(source: &Account, destination: &Account, manner: Manner) -> Vec<Claim> {
    let mut claims = Vec::new();
    let list = read(
        source,
        "/v1/customers?limit=100&expand[]=data.invoice_credit_balance",
    )
    .await;
    for customer in list["data"].as_array().cloned().unwrap_or_default() {
        let credit = customer["invoice_credit_balance"]["usd"].as_i64().unwrap_or(0);
        if credit <= 0 || customer["metadata"]["region"] != "us" {
            continue;
        }
        let id = customer["id"].as_str().unwrap_or_default().to_owned();
        let ledger = format!("/v1/customers/{id}/balance_transactions");
        if !is_copied(destination, &id).await {
            continue;
        }
        write(source, &ledger, credit, &format!("d-{id}"), manner).await;
        write(destination, &ledger, -credit, &format!("g-{id}"), manner).await;
        claims.push(Claim {
            customer: id,
            currency: "usd".into(),
            amount: -credit,
            drained: true,
        });
    }
    claims
}

async fn is_copied(destination: &Account, id: &str) -> bool {
    for _ in 0..ATTEMPTS {
        match destination.get(&format!("/v1/customers/{id}")).await.status {
            Some(200) => return true,
            Some(404) => return false,
            _ => {}
        }
    }
    panic!("{id} was never read");
}

async fn night(scenario: &str, seed: u64, manner: Manner) -> (Running, Vec<Claim>) {
    let mut options = options(scenario);
    options.seed = seed;
    let clock = Clock::rehearsal(options.scenario.starts_at(), SPEED);
    options.clock = clock.clone();
    let (running, source, destination) = start(options).await;
    // As a worker, so that the clock runs at its speed while a stalled answer is awaited.
    let claims = clock
        .spawn(async move { move_all(&source, &destination, manner).await })
        .await
        .unwrap();
    (running, claims)
}

#[tokio::test]
async fn a_careful_client_passes_every_fault_scenario() {
    for scenario in ["faults-429", "faults-500", "faults-network"] {
        for seed in 1..=4 {
            let (running, claims) = night(scenario, seed, Manner::Careful).await;
            assert!(claims.len() > 10, "{scenario} {seed}: {}", claims.len());
            let verdict = running.verdict(&Claims::from(claims.clone())).await;
            assert_eq!(verdict.violations, [], "{scenario} {seed}");
            running.stop().await;
        }
    }
}

#[tokio::test]
async fn a_client_with_a_new_key_at_every_attempt_is_caught() {
    for scenario in ["faults-500", "faults-network"] {
        let mut caught = 0;
        for seed in 1..=5 {
            let (running, claims) = night(scenario, seed, Manner::Careless).await;
            let rules: Vec<_> = running
                .verdict(&Claims::from(claims.clone()))
                .await
                .violations
                .iter()
                .map(|v| v.rule)
                .collect();
            caught += u32::from(rules.contains(&rule::ONCE) && rules.contains(&rule::MISSED));
            running.stop().await;
        }
        // A night without a fault after a commit can be survived by luck.
        assert!(caught >= 3, "{scenario}: caught {caught} of 5");
    }
}

#[tokio::test]
async fn nothing_goes_wrong_where_nothing_is_meant_to() {
    let (running, claims) = night("small", 3, Manner::Careful).await;
    assert_eq!(
        running.verdict(&Claims::from(claims.clone())).await.violations,
        []
    );
    let statuses: Vec<u16> = running.requests().iter().map(|r| r.status).collect();
    assert!(statuses.iter().all(|s| [200, 404].contains(s)), "{statuses:?}");
}
