//! The world that lists every case of a handover: what stands there is what the file says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{all, options, start};

fn by_id(found: Vec<Value>) -> BTreeMap<String, Value> {
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    found.into_iter().map(|one| (id(&one), one)).collect()
}

#[tokio::test]
async fn every_subscription_of_the_file_is_there_as_it_is_listed() {
    let (_running, old, _) = start(options("subscriptions")).await;
    let found = by_id(all(&old, "/v1/subscriptions", "?status=all").await);
    let file = include_str!("../../assets/scenarios/subscriptions.toml");
    let listed = file.lines().filter_map(|line| line.strip_prefix("id = \"sub_"));
    let listed: Vec<String> = listed
        .map(|rest| format!("sub_{}", rest.trim_end_matches('"')))
        .collect();
    assert!(listed.len() > 40);
    assert_eq!(listed.len(), found.len(), "each once, and no other");
    let of = |id: &str, path: &str| found[id].pointer(path).cloned().unwrap_or(Value::Null);
    let end = "/items/data/0/current_period_end";
    for (id, path, value) in [
        ("sub_plain", "/start_date", json!(1_706_767_200)),
        ("sub_plain", end, json!(1_772_344_800)),
        ("sub_day_31", end, json!(1_772_258_400)),
        ("sub_day_31", "/billing_cycle_anchor", json!(1_738_303_200)),
        ("sub_leap", end, json!(1_772_258_400)),
        ("sub_weekly", end, json!(1_771_308_000)),
        ("sub_daily", end, json!(1_771_124_400)),
        ("sub_quarterly", end, json!(1_775_800_800)),
        ("sub_trial", "/status", json!("trialing")),
        ("sub_trial", "/trial_end", json!(1_771_912_800)),
        ("sub_trial", "/billing_cycle_anchor", json!(1_771_912_800)),
        ("sub_was_trial", "/status", json!("active")),
        ("sub_was_trial", "/trial_end", json!(1_763_618_400)),
        ("sub_invoiced", "/collection_method", json!("send_invoice")),
        ("sub_invoiced", "/days_until_due", json!(30)),
        ("sub_taxed", "/default_tax_rates/0/percentage", json!(8.875)),
        ("sub_two_taxes", "/default_tax_rates/1/percentage", json!(0.25)),
        (
            "sub_item_tax",
            "/items/data/0/tax_rates/0/percentage",
            json!(8.875),
        ),
        ("sub_item_coupon", "/items/data/1/metadata/shelf", json!("A")),
        ("sub_past_due", "/status", json!("past_due")),
        ("sub_unpaid", "/status", json!("unpaid")),
        ("sub_incomplete", "/status", json!("incomplete")),
        ("sub_paused", "/status", json!("paused")),
        ("sub_over", "/status", json!("canceled")),
        ("sub_over", "/ended_at", json!(1_740_895_200)),
        ("sub_other_currency", "/currency", json!("eur")),
        ("sub_cancel_at", "/cancel_at", json!(1_777_528_800)),
        ("sub_ends", "/cancel_at_period_end", json!(true)),
        (
            "sub_collection_paused",
            "/pause_collection/behavior",
            json!("keep_as_draft"),
        ),
        ("sub_connect", "/application_fee_percent", json!(2.5)),
        ("sub_connect", "/transfer_data/destination", json!("acct_1Tutor")),
        ("sub_thresholds", "/billing_thresholds/amount_gte", json!(50_000)),
        (
            "sub_item_threshold",
            "/items/data/0/billing_thresholds/usage_gte",
            json!(10),
        ),
        (
            "sub_pending_update",
            "/pending_update/expires_at",
            json!(1_771_500_000),
        ),
        (
            "sub_pending_items",
            "/pending_invoice_item_interval/interval",
            json!("week"),
        ),
        ("sub_flexible", "/billing_mode/type", json!("flexible")),
        ("sub_flexible", "/description", json!("Two children")),
        ("sub_automatic_tax", "/automatic_tax/enabled", json!(true)),
        (
            "sub_metered",
            "/items/data/1/price/recurring/usage_type",
            json!("metered"),
        ),
        ("sub_grandfathered", "/items/data/0/price/active", json!(false)),
        ("sub_awkward", "/metadata/spaces", json!(" both ends ")),
    ] {
        assert_eq!(of(id, path), value, "{id} {path}");
    }
    for (id, path, there) in [
        ("sub_own_method", "/default_payment_method", true),
        ("sub_method_absent", "/default_payment_method", true),
        ("sub_plain", "/default_payment_method", false),
        ("sub_phases", "/schedule", true),
        ("sub_past_due", "/latest_invoice", true),
        ("sub_unpaid", "/latest_invoice", true),
        ("sub_plain", "/latest_invoice", false),
    ] {
        assert_eq!(of(id, path).is_string(), there, "{id} {path}");
    }
    assert_eq!(of("sub_two_coupons", "/discounts").as_array().unwrap().len(), 2);
    assert_eq!(
        of("sub_item_coupon", "/items/data/1/discounts")
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(of("sub_metered", "/items/data/1/quantity"), Value::Null);
}

#[tokio::test]
async fn what_is_owed_is_open_and_the_schedule_goes_on_by_its_phases() {
    let options = options("subscriptions");
    let clock = options.clock.clone();
    let (_running, old, _) = start(options).await;
    let invoices = all(&old, "/v1/invoices", "?").await;
    let of = |id: &str| {
        let theirs = |i: &&Value| i["parent"]["subscription_details"]["subscription"] == id;
        invoices.iter().find(theirs).unwrap()
    };
    assert_eq!(invoices.len(), 2);
    for (id, advances) in [("sub_past_due", true), ("sub_unpaid", false)] {
        let invoice = of(id);
        let shown = (
            &invoice["status"],
            &invoice["auto_advance"],
            &invoice["amount_remaining"],
        );
        assert_eq!(shown, (&json!("open"), &json!(advances), &json!(4500)), "{id}");
    }
    let schedules = all(&old, "/v1/subscription_schedules", "?").await;
    let [schedule] = schedules.as_slice() else {
        panic!("{schedules:?}")
    };
    assert_eq!(
        (&schedule["status"], &schedule["subscription"]),
        (&json!("active"), &json!("sub_phases"))
    );
    let items = |subscription: &Value| subscription["items"]["data"].as_array().unwrap().len();
    assert_eq!(items(&old.get("/v1/subscriptions/sub_phases").await.json()), 1);
    clock.advance_to(cutover::domain::time::UtcMs::from_secs(1_777_640_400));
    assert_eq!(items(&old.get("/v1/subscriptions/sub_phases").await.json()), 2);
}
