//! The verdict, and worlds that come back after a kill.

use cutover::rehearsal::{Claim, Claims, Running, Side, rule};

use crate::client::{account, customer, mover, options, start, with_faults};

fn claim(customer: &str, credit: i64) -> Claim {
    Claim {
        customer: customer.to_owned(),
        currency: "usd".to_owned(),
        amount: -credit,
        drained: true,
    }
}

async fn rules(running: &Running, claims: &[Claim]) -> Vec<&'static str> {
    running
        .verdict(&Claims::from(claims.to_vec()))
        .await
        .violations
        .iter()
        .map(|v| v.rule)
        .collect()
}

#[tokio::test]
async fn moving_credit_once_in_the_right_order_breaks_no_rule() {
    let (running, source, destination) = start(options("small")).await;
    let (id, ledger, credit) = mover(&source).await;
    let form = |amount: i64| format!("amount={amount}&currency=usd&metadata[cutover_effect]=e");
    source.post(&ledger, &form(credit), Some("a")).await;
    assert_eq!(rules(&running, &[claim(&id, credit)]).await, [rule::MISSED]);
    destination.post(&ledger, &form(-credit), Some("b")).await;
    assert_eq!(rules(&running, &[claim(&id, credit)]).await, [""; 0]);
    assert_eq!(running.verdict(&Claims::default()).await.credited, 1);
}

#[tokio::test]
async fn crediting_before_draining_and_crediting_twice_are_violations() {
    let (running, source, destination) = start(options("small")).await;
    let (id, ledger, credit) = mover(&source).await;
    let form = format!("amount=-{credit}&currency=usd&metadata[cutover_effect]=e");
    destination.post(&ledger, &form, Some("a")).await;
    assert_eq!(rules(&running, &[]).await, [rule::CONSERVATION]);
    source
        .post(&ledger, &format!("amount={credit}&currency=usd"), None)
        .await;
    destination.post(&ledger, &form, Some("b")).await;
    let found = rules(&running, &[claim(&id, credit)]).await;
    for expected in [rule::ONCE, rule::TWICE, rule::MISSED] {
        assert!(found.contains(&expected), "{expected} in {found:?}");
    }
}

#[tokio::test]
async fn any_write_to_a_stayer_is_a_violation_and_reading_is_none() {
    let (running, source, _) = start(options("small")).await;
    let stayer = customer(&source, |c| c["metadata"]["region"] == "au").await;
    let path = format!("/v1/customers/{}", stayer["id"].as_str().unwrap());
    source.get(&path).await;
    assert_eq!(running.verdict(&Claims::default()).await.violations, []);
    assert_eq!(running.counts(Side::Source).writes, 0);
    source.post(&path, "description=x", None).await;
    assert_eq!(rules(&running, &[]).await, [rule::STAYER]);
    let world = source.get("/_cutover/world").await.json();
    assert_eq!(world["violations"][0]["rule"], rule::STAYER);
    assert_eq!(world["source"]["requests"]["writes"], 1);
    let logged = running.requests();
    assert_eq!(logged.iter().filter(|r| r.method == "POST").count(), 1);
}

#[tokio::test]
async fn somebody_at_the_dashboard_changes_the_ledger_before_the_write_and_is_not_blamed_on_the_run() {
    let options = with_faults(
        "[[foreign]]\naccount = \"source\"\ndo = \"balance_transaction\"\n\
         before = \"POST /v1/customers/*/balance_transactions\"\ncustomer = \"same\"\namount = -700\ncurrency = \"usd\"\n",
    );
    let (running, source, destination) = start(options).await;
    let (id, ledger, credit) = mover(&source).await;
    let drained = source
        .post(&ledger, &format!("amount={credit}&currency=usd"), None)
        .await
        .json();
    assert_eq!(drained["ending_balance"], -700);
    source.post(&ledger, "amount=700&currency=usd", None).await;
    destination
        .post(&ledger, &format!("amount=-{}&currency=usd", credit + 700), None)
        .await;
    assert_eq!(rules(&running, &[claim(&id, credit + 700)]).await, [""; 0]);
}

#[tokio::test]
async fn a_killed_world_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let make = || {
        let mut options = with_faults(
            "[[fault]]\nkind = \"server_error_after_commit\"\nnth = 2\nmethod = \"POST\"\n\
             [[foreign]]\naccount = \"source\"\ndo = \"delete_customer\"\nnth = 4\ncustomer = \"stayer:0\"\n",
        );
        options.world_log = Some(dir.path().join("world.log"));
        options.mapping_csv = None;
        options
    };
    let look = |running: &Running| {
        let (source, destination) = (
            account(running, Side::Source),
            account(running, Side::Destination),
        );
        async move {
            let mut seen = Vec::new();
            for at in [&source, &destination] {
                for path in [
                    "/v1/customers?limit=100&expand[]=data.invoice_credit_balance",
                    "/v1/events?limit=100",
                ] {
                    seen.push(at.get(path).await.body);
                }
            }
            seen
        }
    };
    let (running, source, destination) = start(make()).await;
    let (_, ledger, credit) = mover(&source).await;
    let drain = format!("amount={credit}&currency=usd&metadata[cutover_effect]=d");
    let first = source.post(&ledger, &drain, Some("k1")).await;
    let failed = source.post("/v1/customers", "name=New", Some("k2")).await;
    assert_eq!(failed.status, Some(500));
    destination.post(&ledger, "amount=-5&currency=usd", None).await;
    source.get("/v1/account").await;
    let before = look(&running).await;
    let found = running.verdict(&Claims::default()).await;
    drop(running);

    let (running, source, _) = start(make()).await;
    assert_eq!(look(&running).await, before);
    assert_eq!(running.verdict(&Claims::default()).await, found);
    let again = source.post(&ledger, &drain, Some("k1")).await;
    assert_eq!(again.body, first.body);
    let stored = source.post("/v1/customers", "name=New", Some("k2")).await;
    assert_eq!(
        (stored.status, stored.header("idempotent-replayed")),
        (Some(500), "true")
    );
    assert_eq!(
        running.describe().mapping_csv,
        dir.path().join("pan-copy-mapping.csv")
    );
}

#[tokio::test]
async fn a_restored_world_never_makes_an_id_twice() {
    let dir = tempfile::tempdir().unwrap();
    let make = || {
        let mut options = with_faults("[[fault]]\nkind = \"reset_before_commit\"\nnth = 1\n");
        options.world_log = Some(dir.path().join("world.log"));
        options
    };
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (running, source, _) = start(make()).await;
        for _ in 0..2 {
            let answer = source.post("/v1/customers", "name=Same", None).await;
            if answer.status == Some(200) {
                assert!(ids.insert(answer.json()["id"].to_string()), "an id came twice");
            }
        }
        running.stop().await;
    }
    assert_eq!(ids.len(), 5, "the first of six was reset, once");
}

#[tokio::test]
async fn revoked_keys_stay_revoked_after_a_kill_until_new_ones_are_made() {
    let dir = tempfile::tempdir().unwrap();
    let make = || {
        let mut options = with_faults("[[fault]]\nkind = \"revoke_key\"\nnth = 1\naccount = \"source\"\n");
        options.world_log = Some(dir.path().join("world.log"));
        options
    };
    let (running, source, _) = start(make()).await;
    assert_eq!(source.post("/v1/customers", "", None).await.status, Some(401));
    running.stop().await;
    let (running, mut source, _) = start(make()).await;
    let refused = source.get("/v1/account").await;
    assert_eq!(
        (refused.status, refused.error("code").as_str()),
        (Some(401), "api_key_expired")
    );
    source.key = running.renew_keys(Side::Source).unwrap().key;
    assert_eq!(source.get("/v1/account").await.status, Some(200));
    running.stop().await;
    let (running, _, _) = start(make()).await;
    assert_eq!(running.describe().source.key, source.key);
}
