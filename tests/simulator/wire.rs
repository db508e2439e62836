//! What the API says, as it says it.

use serde_json::Value;

use crate::client::{Account, options, start};

#[tokio::test]
async fn keys_are_asked_for_in_the_words_of_the_api() {
    let (running, source, destination) = start(options("small")).await;
    let none = source
        .send("GET", "/v1/account", "", &[("Authorization", "Bearer ")])
        .await;
    assert_eq!(none.status, Some(401));
    assert!(
        none.error("message")
            .starts_with("You did not provide an API key.")
    );
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"Stripe\"");
    let swapped = Account {
        address: source.address.clone(),
        key: destination.key.clone(),
    };
    let bad = swapped.get("/v1/account").await;
    assert_eq!(
        (bad.status, bad.error("type").as_str()),
        (Some(401), "invalid_request_error")
    );
    assert!(
        bad.error("message")
            .starts_with("Invalid API Key provided: sk_test_*")
    );
    let mine = source.get("/v1/account").await;
    assert_eq!(mine.json()["id"], running.describe().source.account.as_str());
    assert!(mine.header("request-id").starts_with("req_"));
    assert_eq!(mine.header("date"), "Sat, 14 Feb 2026 05:00:00 GMT");
    running.stop().await;
}

#[tokio::test]
async fn a_restricted_key_reads_and_is_refused_a_write() {
    let (running, source, _) = start(options("small")).await;
    let reader = Account {
        key: running.describe().source.read_only_key.clone(),
        ..source
    };
    assert_eq!(reader.get("/v1/customers").await.status, Some(200));
    let refused = reader.post("/v1/customers", "name=x", None).await;
    assert_eq!(refused.status, Some(403));
    assert!(
        refused.error("message").contains("rak_customer_write"),
        "{refused:?}"
    );
    running.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_parameters_are_refused() {
    let (_running, source, _) = start(options("small")).await;
    let path = source.get("/v1/nonsense").await;
    assert_eq!(path.status, Some(404));
    assert!(
        path.error("message")
            .starts_with("Unrecognized request URL (GET: /v1/nonsense).")
    );
    let param = source.post("/v1/customers", "address[planet]=x", None).await;
    assert_eq!(
        param.error("message"),
        "Received unknown parameter: address[planet]"
    );
    assert_eq!(param.error("code"), "parameter_unknown");
    let missing = source.get("/v1/customers/cus_nobody").await;
    assert_eq!(
        (missing.status, missing.error("message").as_str()),
        (Some(404), "No such customer: 'cus_nobody'")
    );
}

#[tokio::test]
async fn ledgers_are_kept_by_currency_and_balance_shows_only_the_customers_own() {
    let (_running, source, _) = start(options("small")).await;
    let made = source
        .post("/v1/customers", "name=A&metadata[a]=b", None)
        .await
        .json();
    assert_eq!(
        (&made["currency"], &made["balance"]),
        (&Value::Null, &Value::from(0))
    );
    let base = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    let ledger = format!("{base}/balance_transactions");
    for (form, ending) in [
        ("amount=-500&currency=usd", -500),
        ("amount=-30&currency=jpy", -30),
        ("amount=200&currency=USD", -300),
    ] {
        let row = source.post(&ledger, form, None).await.json();
        assert_eq!(row["ending_balance"], ending, "{row}");
        assert_eq!(row["type"], "adjustment");
    }
    let path = format!("{base}?expand[]=invoice_credit_balance&expand[]=cash_balance");
    let now = source.get(&path).await.json();
    assert_eq!(
        (&now["currency"], &now["balance"]),
        (&"usd".into(), &(-300).into())
    );
    assert_eq!(
        now["invoice_credit_balance"],
        serde_json::json!({ "usd": 300, "jpy": 30 })
    );
    assert_eq!(now["cash_balance"]["available"], Value::Null);
    let plain = source.get(&base).await.json();
    assert!(
        plain.get("invoice_credit_balance").is_none(),
        "includable fields are absent by default"
    );
    let adjusted = source.post(&base, "balance=-1000", None).await.json();
    assert_eq!(adjusted["balance"], -1000);
    let rows = source.get(&ledger).await.json();
    assert_eq!(rows["data"][0]["amount"], -700, "newest first: {rows}");
}

#[tokio::test]
async fn the_practitioners_five_say_zero_aud_and_hold_usd_credit() {
    let (_running, source, destination) = start(options("midnight")).await;
    let mut found = Vec::new();
    let mut all = 0;
    let mut after = String::new();
    loop {
        let page = source
            .get(&format!(
                "/v1/customers?limit=100&expand[]=data.invoice_credit_balance{after}"
            ))
            .await
            .json();
        for customer in page["data"].as_array().unwrap() {
            all += 1;
            let usd = customer["invoice_credit_balance"]["usd"].as_i64().unwrap_or(0);
            if customer["currency"] == "aud" && customer["balance"] == 0 && usd > 0 {
                found.push(customer["id"].as_str().unwrap().to_owned());
            }
            after = format!("&starting_after={}", customer["id"].as_str().unwrap());
        }
        if page["has_more"] == false {
            break;
        }
    }
    // Counted movers, people without a method, stayers, and who comes on top of them.
    assert_eq!((found.len(), all), (5, 2500 + 24 + 900 + 33));
    for id in found {
        let there = destination.get(&format!("/v1/customers/{id}")).await.json();
        assert_eq!((&there["balance"], &there["currency"]), (&0.into(), &Value::Null));
    }
}

#[tokio::test]
async fn a_key_replays_its_first_answer_and_is_bound_to_its_request() {
    let (_running, source, _) = start(options("small")).await;
    let first = source.post("/v1/customers", "name=A", Some("k1")).await;
    let again = source.post("/v1/customers", "name=A", Some("k1")).await;
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    let other = source.post("/v1/customers", "name=B", Some("k1")).await;
    assert_eq!(
        (other.status, other.error("type").as_str()),
        (Some(400), "idempotency_error")
    );
    let invalid = source.post("/v1/customers", "nonsense=B", Some("k2")).await;
    assert_eq!(invalid.status, Some(400));
    let valid = source.post("/v1/customers", "name=B", Some("k2")).await;
    assert_eq!(
        valid.status,
        Some(200),
        "a validation failure does not take the key"
    );
}

#[tokio::test]
async fn search_finds_what_is_old_and_not_what_was_just_made() {
    let options = options("small");
    let clock = options.clock.clone();
    let (_running, source, _) = start(options).await;
    let region = source
        .get("/v1/customers/search?query=metadata%5B%22region%22%5D%3A%22au%22")
        .await
        .json();
    assert_eq!(region["data"].as_array().map(Vec::len), Some(2));
    source.post("/v1/customers", "email=new@example.com", None).await;
    let query = "/v1/customers/search?query=email%3A'new@example.com'";
    assert_eq!(source.get(query).await.json()["data"], serde_json::json!([]));
    clock.advance_to(clock.now().plus_ms(61_000));
    assert_eq!(
        source.get(query).await.json()["data"].as_array().map(Vec::len),
        Some(1)
    );
    let list = source.get("/v1/customers?email=new@example.com").await.json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_test_key_says_so_and_versions_are_dates() {
    let (_running, source, _) = start(options("small")).await;
    for (version, status) in [("2026-10-28.endive", 200), ("2020-08-27", 200), ("newest", 400)] {
        let answer = source
            .send("GET", "/v1/customers", "", &[("Stripe-Version", version)])
            .await;
        assert_eq!(
            (answer.status, answer.header("stripe-version")),
            (Some(status), version)
        );
    }
}
