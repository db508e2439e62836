//! Time passing in a world: renewals, schedules, and what a killed rehearsal finds again.

use cutover::rehearsal::{Options, Side};
use serde_json::Value;

use crate::client::{Account, all, options, start};

const DAY_MS: i64 = 86_400_000;

fn pass(options: &Options, ms: i64) {
    options.clock.advance_to(options.clock.now().plus_ms(ms));
}

/// `midnight`, small, its clock at the pace of the wall.
fn midnight() -> Options {
    let mut options = options("midnight");
    options.customers = Some(120);
    options.clock = cutover::clock::Clock::rehearsal(options.scenario.starts_at(), 1);
    options
}

async fn live(account: &Account) -> Vec<Value> {
    all(account, "/v1/subscriptions", "?status=active").await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn after_a_month_every_running_subscription_is_in_a_period_of_now_and_was_billed_for_it() {
    let options = midnight();
    let (_running, old, _) = start(options.clone()).await;
    pass(&options, 400 * DAY_MS);
    let now = options.clock.now().secs();
    let invoices = all(&old, "/v1/invoices", "?").await;
    let running = live(&old).await;
    assert!(running.len() > 20, "{}", running.len());
    for one in running {
        let item = &one["items"]["data"][0];
        let (start, end) = (
            item["current_period_start"].as_i64().unwrap(),
            item["current_period_end"].as_i64().unwrap(),
        );
        assert!(start <= now && now < end, "{one}");
        let theirs = invoices
            .iter()
            .filter(|i| i["parent"]["subscription_details"]["subscription"] == one["id"]);
        let periods = theirs.map(|i| i["lines"]["data"][0]["period"]["start"].as_i64().unwrap());
        assert_eq!(periods.filter(|s| *s == start).count(), 1, "{one}");
    }
}

#[tokio::test]
async fn a_killed_rehearsal_finds_the_bills_that_were_made_and_makes_none_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = midnight();
    first.world_log = Some(dir.path().join("world.log"));
    let (running, old, _) = start(first.clone()).await;
    pass(&first, 9 * DAY_MS);
    let one = live(&old).await.remove(0);
    let path = format!("/v1/subscriptions/{}", text(&one["id"]));
    let answer = old
        .post(&path, "pause_collection[behavior]=keep_as_draft", Some("k1"))
        .await;
    assert_eq!(answer.status, Some(200));
    pass(&first, 40 * DAY_MS);
    let answer = old.post(&path, "metadata[a]=b", Some("k2")).await;
    assert_eq!(answer.status, Some(200));
    let before = (
        all(&old, "/v1/invoices", "?").await,
        all(&old, "/v1/subscriptions", "?status=all").await,
    );
    running.stop().await;

    let mut second = midnight();
    second.world_log.clone_from(&first.world_log);
    let (_running, old, _) = start(second.clone()).await;
    let after = (
        all(&old, "/v1/invoices", "?").await,
        all(&old, "/v1/subscriptions", "?status=all").await,
    );
    assert!(before.0.len() > 30, "{}", before.0.len());
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_is_foreseen_is_what_comes_and_looking_ahead_changes_nothing() {
    let options = midnight();
    let (running, old, _) = start(options.clone()).await;
    let until = options.clock.now().secs() + 90 * DAY_MS / 1000;
    let before = all(&old, "/v1/subscriptions", "?status=all").await;
    let owed = running.billed(Side::Source, None);
    assert!(
        owed.iter().all(|bill| bill.status == "open"),
        "what is owed since before the night"
    );
    let foreseen = running.billed(Side::Source, Some(until));
    assert!(foreseen.len() > 60 + owed.len(), "{}", foreseen.len());
    assert_eq!(running.billed(Side::Source, None), owed);
    assert_eq!(all(&old, "/v1/subscriptions", "?status=all").await, before);
    pass(&options, 90 * DAY_MS);
    let came = running.billed(Side::Source, None);
    assert_eq!(came.iter().filter(|b| b.from <= until).count(), foreseen.len());
    assert_eq!(came.get(..foreseen.len()).map(<[_]>::to_vec), Some(foreseen));
}

#[tokio::test]
async fn events_of_a_request_name_its_key_and_events_of_time_name_none() {
    let options = midnight();
    let (_running, old, _) = start(options.clone()).await;
    let one = live(&old).await.remove(0);
    let path = format!("/v1/subscriptions/{}", text(&one["id"]));
    old.post(&path, "cancel_at_period_end=true", Some("stop-1")).await;
    let answer = old.send("DELETE", &path, "", &[]).await;
    assert_eq!(answer.status, Some(200));
    pass(&options, 30 * DAY_MS / 2);
    let kinds = "?types[]=customer.subscription.updated&types[]=customer.subscription.deleted&types[]=invoice.created";
    let events = all(&old, "/v1/events", kinds).await;
    let of_it = |kind: &str| {
        let found = events
            .iter()
            .find(|e| e["type"] == kind && e["data"]["object"]["id"] == one["id"]);
        found.unwrap_or_else(|| panic!("no {kind}")).clone()
    };
    assert_eq!(
        of_it("customer.subscription.updated")["request"]["idempotency_key"],
        "stop-1"
    );
    assert!(of_it("customer.subscription.deleted")["request"]["id"].is_string());
    let made = events.iter().find(|e| e["type"] == "invoice.created").unwrap();
    assert!(made["request"]["id"].is_null(), "{made}");
}

#[tokio::test]
async fn somebody_cancels_and_changes_subscriptions_by_hand() {
    let deeds = "
[[foreign]]
account = \"source\"
do = \"cancel_subscription\"
customer = \"mover:0\"
nth = 2

[[foreign]]
account = \"source\"
do = \"change_quantity\"
customer = \"mover:1\"
amount = 7
nth = 2

[[foreign]]
account = \"source\"
do = \"cancel_at_period_end\"
subscription = \"same\"
customer = \"same\"
before = \"GET /v1/subscriptions/*\"
";
    let text_of = include_str!("../../assets/scenarios/midnight.toml");
    let mut options = midnight();
    let path = std::path::Path::new("test.toml");
    options.scenario = cutover::rehearsal::Scenario::parse(&format!("{text_of}\n{deeds}"), path).unwrap();
    let (_running, old, _) = start(options).await;
    let before = live(&old).await;
    let after = live(&old).await;
    let changed = after
        .iter()
        .filter(|s| s["items"]["data"][0]["quantity"] == 7)
        .count();
    let was = before
        .iter()
        .filter(|s| s["items"]["data"][0]["quantity"] == 7)
        .count();
    assert_eq!(changed, was + 1);
    assert!(
        all(&old, "/v1/subscriptions", "?status=all")
            .await
            .iter()
            .any(|s| s["status"] == "canceled"
                && s["ended_at"].as_i64() >= s["items"]["data"][0]["current_period_start"].as_i64())
    );
    let one = after.last().unwrap();
    let read = old
        .get(&format!("/v1/subscriptions/{}", text(&one["id"])))
        .await
        .json();
    assert_eq!(read["cancel_at_period_end"], true);
}
