//! What the simulated accounts answer on a bad day: still what Stripe could answer.

use std::collections::BTreeSet;

use super::drive::start_as;

/// Simulated seconds in a real one, so that a storm of refusals, which hides everything else, has soon blown over.
const SPEED: u32 = 1_000;
/// Reads and writes at most.
const PATIENCE: usize = 3_000;

/// Reads and writes in `scenario` until every one of `wanted` was answered, with every body and header held against the
/// table. Answers the statuses seen.
async fn statuses(scenario: &str, wanted: &[u16]) -> BTreeSet<u16> {
    let (_world, mut account, _) = start_as(scenario, Some(30), SPEED).await;
    let mut seen = BTreeSet::new();
    let mut customers = Vec::new();
    while customers.is_empty() {
        let page = account.send("GET", "/v1/customers", &[("limit", "30")]).await.1;
        customers = page["data"].as_array().cloned().unwrap_or_default();
    }
    for (number, customer) in customers.iter().cycle().take(PATIENCE).enumerate() {
        if wanted.iter().all(|status| seen.contains(status)) {
            break;
        }
        let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap_or_default());
        account.idempotency_key = Some(format!("key-{number}"));
        seen.insert(account.send("GET", &path, &[]).await.0);
        let entry = [("amount", "-1"), ("currency", "usd")];
        let ledger = format!("{path}/balance_transactions");
        seen.insert(account.send("POST", &ledger, &entry).await.0);
    }
    account.conforms();
    seen
}

#[tokio::test]
async fn refusals_of_a_limiter_a_lock_and_a_key_have_stripes_shape() {
    let wanted = [200, 409, 429];
    assert_eq!(statuses("faults-429", &wanted).await, BTreeSet::from(wanted));
}

#[tokio::test]
async fn errors_on_stripes_side_have_its_shape() {
    let wanted = [200, 500, 502, 503, 504];
    assert_eq!(statuses("faults-500", &wanted).await, BTreeSet::from(wanted));
}
