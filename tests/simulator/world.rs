//! Worlds: limits, seeds, the PAN copy, starting.

use cutover::clock::Clock;
use cutover::rehearsal::{Side, Simulator};

use crate::client::{options, start};

#[tokio::test]
async fn limits_are_those_of_test_mode_and_say_which_one_spoke() {
    let mut options = options("small");
    options.no_limits = false;
    options.clock = Clock::rehearsal(options.scenario.starts_at(), 1);
    let (running, source, _) = start(options).await;
    let mut reasons = Vec::new();
    for _ in 0..40 {
        let answer = source.get("/v1/account").await;
        if answer.status == Some(429) {
            reasons.push(answer.header("stripe-rate-limited-reason").to_owned());
        }
    }
    // A machine so slow that 40 requests take longer than a second would see fewer refusals, not others.
    assert!(reasons.iter().all(|r| r == "global-rate"));
    assert_eq!(running.counts(Side::Source).status_429, reasons.len() as u64);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_world_and_another_seed_another() {
    let ids = |seed: u64| async move {
        let mut options = options("small");
        options.seed = seed;
        let (running, source, destination) = start(options).await;
        let mapping = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
        let list = source.get("/v1/customers?limit=100").await.body;
        let there = destination.get("/v1/customers?limit=100").await.body;
        running.stop().await;
        (list, there, mapping)
    };
    let one = ids(1).await;
    assert_eq!(one, ids(1).await);
    assert_ne!(one.0, ids(2).await.0);
}

#[tokio::test]
async fn the_pan_copy_keeps_customers_and_maps_every_method() {
    let (running, source, destination) = start(options("small")).await;
    let text = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
    let mut lines = text.lines();
    let header =
        "customer_id_old,v2_account_id_old,source_id_old,customer_id_new,v2_account_id_new,source_id_new";
    assert_eq!(lines.next(), Some(header));
    let mut customers = std::collections::BTreeSet::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[0], cells[3]);
        let old = source
            .get(&format!("/v1/payment_methods/{}", cells[2]))
            .await
            .json();
        let new = destination
            .get(&format!("/v1/payment_methods/{}", cells[5]))
            .await
            .json();
        assert_eq!(
            (&old["customer"], &new["customer"]),
            (&cells[0].into(), &cells[0].into())
        );
        assert_eq!(
            (&old["type"], &old["card"]["last4"]),
            (&new["type"], &new["card"]["last4"])
        );
        assert_ne!(old["id"], new["id"]);
        customers.insert(cells[0].to_owned());
    }
    assert_eq!(customers.len(), 9);
    running.play_pan_copy().unwrap();
    let again = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
    assert_eq!(text, again, "nothing was new");
}

#[tokio::test]
async fn no_customers_means_two_empty_accounts() {
    let mut options = options("midnight");
    options.customers = Some(0);
    let (_running, source, destination) = start(options).await;
    for account in [source, destination] {
        assert_eq!(
            account.get("/v1/customers").await.json()["data"],
            serde_json::json!([])
        );
    }
}

#[tokio::test]
async fn a_port_in_use_is_said_in_one_sentence() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = options("small");
    options.destination_port = port;
    let error = Simulator::start(options).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("port {port} for the destination account cannot be used")),
        "{error}"
    );
}

#[tokio::test]
async fn a_live_world_has_live_keys_and_objects() {
    let mut options = options("small");
    options.livemode = true;
    let (running, source, _) = start(options).await;
    assert!(running.describe().source.key.starts_with("sk_live_"));
    assert_eq!(
        source.get("/v1/customers").await.json()["data"][0]["livemode"],
        true
    );
    let refused = source.post(
        "/v1/test_helpers/customers/cus_x/fund_cash_balance",
        "amount=1&currency=usd",
        None,
    );
    assert!(
        refused
            .await
            .error("message")
            .contains("only available in testmode")
    );
}

#[tokio::test]
async fn the_order_in_which_requests_arrive_changes_no_id_and_no_fault() {
    let night = |order: [usize; 3]| async move {
        let mut options = options("faults-500");
        options.seed = 5;
        let (_running, source, _) = start(options).await;
        let mut seen = std::collections::BTreeMap::new();
        for n in order {
            let answer = source
                .post("/v1/customers", &format!("name={n}"), Some(&format!("key-{n}")))
                .await;
            let id = answer.json()["id"].clone();
            seen.insert(n, (answer.status, id, answer.header("request-id").to_owned()));
        }
        seen
    };
    assert_eq!(night([0, 1, 2]).await, night([2, 0, 1]).await);
}

#[tokio::test]
async fn where_sources_disagree_exactly_the_planned_number_does() {
    let (_running, source, _) = start(options("disagree")).await;
    let list = source
        .get("/v1/customers?limit=100&expand[]=data.invoice_credit_balance")
        .await
        .json();
    let mut disagreeing = 0;
    for customer in list["data"].as_array().unwrap() {
        let path = format!(
            "/v1/customers/{}/balance_transactions?limit=100",
            customer["id"].as_str().unwrap()
        );
        let rows = source.get(&path).await.json();
        let newest = &rows["data"][0];
        let (Some(ending), Some(currency)) = (newest["ending_balance"].as_i64(), newest["currency"].as_str())
        else {
            continue;
        };
        disagreeing += u32::from(customer["invoice_credit_balance"][currency] != -ending);
    }
    assert_eq!(disagreeing, 2);
}
