//! What the simulated accounts answer on a bad day: still what Stripe could answer.

use std::collections::BTreeSet;

use super::drive::start_as;

/// Statuses answered to a few hundred reads and writes in `scenario`, every body and header held against the table.
async fn statuses(scenario: &str) -> BTreeSet<u16> {
    let (_world, mut account, _) = start_as(scenario, 30).await;
    let mut seen = BTreeSet::new();
    let mut customers = Vec::new();
    while customers.is_empty() {
        let (status, page) = account.send("GET", "/v1/customers", &[("limit", "30")]).await;
        seen.insert(status);
        customers = page["data"].as_array().cloned().unwrap_or_default();
    }
    for (number, customer) in customers.iter().cycle().take(300).enumerate() {
        let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap_or_default());
        account.idempotency_key = Some(format!("key-{number}"));
        seen.insert(account.send("GET", &path, &[]).await.0);
        let entry = [("amount", "-1"), ("currency", "usd")];
        seen.insert(
            account
                .send("POST", &format!("{path}/balance_transactions"), &entry)
                .await
                .0,
        );
    }
    account.conforms();
    seen
}

#[tokio::test]
async fn refusals_of_a_limiter_a_lock_and_a_key_have_stripes_shape() {
    assert_eq!(statuses("faults-429").await, BTreeSet::from([200, 409, 429]));
}

#[tokio::test]
async fn errors_on_stripes_side_have_its_shape() {
    let seen = statuses("faults-500").await;
    assert!(seen.contains(&200) && seen.contains(&500), "{seen:?}");
    assert!(seen.iter().any(|status| *status > 500), "{seen:?}");
}
