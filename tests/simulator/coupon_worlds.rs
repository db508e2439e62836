//! Which coupons, codes and discounts a world has.

use std::collections::{BTreeMap, BTreeSet};

use cutover::rehearsal::Scenario;
use serde_json::{Value, json};

use crate::client::{Account, all, options, start};

const CODES: &str = "/v1/promotion_codes";

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

/// Coupons by id, and codes with their coupon's.
async fn pools(old: &Account) -> (BTreeMap<String, Value>, Vec<Value>) {
    let coupons = all(old, "/v1/coupons", "?expand[]=data.applies_to").await;
    let by_id = coupons.into_iter().map(|c| (text(&c, "id").to_owned(), c));
    (by_id.collect(), all(old, CODES, "?").await)
}

fn coupon_of(code: &Value) -> &str {
    code["promotion"]["coupon"].as_str().unwrap()
}

#[tokio::test]
async fn midnight_has_three_hundred_coupons_whose_limits_follow_no_convention() {
    let (_running, old, new) = start(options("midnight")).await;
    let (coupons, codes) = pools(&old).await;
    assert!((280..320).contains(&coupons.len()), "{}", coupons.len());
    assert_eq!(all(&new, "/v1/coupons", "?").await, Vec::<Value>::new());
    let limited = |v: &Value| v["max_redemptions"].is_i64();
    let mut kinds: BTreeMap<(bool, bool), u32> = BTreeMap::new();
    for code in &codes {
        let Some(coupon) = coupons.get(coupon_of(code)) else {
            assert_eq!(code["active"], false, "of a deleted coupon");
            continue;
        };
        *kinds.entry((limited(coupon), limited(code))).or_default() += 1;
        assert!(!limited(coupon) || code["max_redemptions"].as_i64() <= coupon["max_redemptions"].as_i64());
        if let (Some(by), Some(at)) = (coupon["redeem_by"].as_i64(), code["expires_at"].as_i64()) {
            assert!(at <= by, "{code}");
        }
    }
    assert!(
        kinds.len() == 4 && kinds.values().all(|count| *count > 20),
        "{kinds:?}"
    );
    let count = |is: &dyn Fn(&Value) -> bool| codes.iter().filter(|c| is(c)).count();
    assert!(count(&|c| c["customer"].is_null() && c["active"] == true) >= 10);
    assert!(count(&|c| c["active"] == false) >= 10);
    assert!(count(&|c| c["restrictions"]["first_time_transaction"] == true) >= 10);
    assert!(count(&|c| c["restrictions"]["minimum_amount"].is_i64()) >= 10);
    assert!(coupons.values().any(|c| c["applies_to"]["products"].is_array()));
}

#[tokio::test]
async fn no_two_active_codes_of_a_world_could_not_stand_beside_each_other() {
    for name in ["midnight", "coupons", "coupons-thousands", "faults-mixed"] {
        let (_running, old, _) = start(options(name)).await;
        let mut holders: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for code in all(&old, CODES, "?active=true").await {
            let who = holders.entry(text(&code, "code").to_lowercase()).or_default();
            let meets = |w: &Value| w.is_null() || code["customer"].is_null() || *w == code["customer"];
            assert!(!who.iter().any(meets), "{name}: {code}");
            who.push(code["customer"].clone());
        }
        if name == "midnight" {
            assert!(
                holders.values().any(|who| who.len() > 1),
                "one text for several customers"
            );
        }
    }
}

#[tokio::test]
async fn nobody_else_changes_when_coupons_come() {
    let with = include_str!("../../assets/scenarios/faults-mixed.toml");
    let without: Vec<&str> = with
        .lines()
        .filter(|l| !l.contains("_coupons = ") && !l.starts_with("discounts = "))
        .collect();
    let mut seen = Vec::new();
    for scenario in [with.to_owned(), without.join("\n")] {
        let quiet = scenario.split("[behaviour]").next().unwrap().to_owned();
        let mut options = options("faults-mixed");
        options.scenario = Scenario::parse(&quiet, std::path::Path::new("x.toml")).unwrap();
        let (_running, old, _) = start(options).await;
        let mut rows = all(&old, "/v1/customers", "?").await;
        for customer in &mut rows {
            customer["discount"] = Value::Null;
        }
        rows.extend(all(&old, "/v1/prices", "?").await);
        for mut one in all(&old, "/v1/subscriptions", "?status=all").await {
            one["discounts"] = json!([]);
            let items = one["items"]["data"].as_array_mut().unwrap();
            for item in items {
                item["discounts"] = json!([]);
            }
            rows.push(one);
        }
        seen.push((rows, all(&old, "/v1/coupons", "?").await.len()));
    }
    assert_eq!(seen[0].0, seen[1].0);
    assert!(seen[0].1 > 20 && seen[1].1 == 0);
}

#[tokio::test]
async fn discounts_run_at_every_length_on_subscriptions_items_and_customers() {
    let (_running, old, _) = start(options("midnight")).await;
    let live = all(
        &old,
        "/v1/subscriptions",
        "?expand[]=data.discounts&expand[]=data.items.data.discounts",
    )
    .await;
    let mut ends = BTreeSet::new();
    let (mut endless, mut stacked, mut on_items) = (0, 0, 0);
    for one in &live {
        let own = one["discounts"].as_array().unwrap();
        stacked += u32::from(own.len() > 1);
        for discount in own {
            match discount["end"].as_i64() {
                Some(end) => {
                    ends.insert(end);
                }
                None => endless += 1,
            }
        }
        let items = one["items"]["data"].as_array().unwrap();
        on_items += items
            .iter()
            .map(|i| i["discounts"].as_array().unwrap().len())
            .sum::<usize>();
    }
    assert!(ends.len() > 30 && endless > 10 && stacked > 3 && on_items > 3);
    let last_of_month = |end: &&i64| {
        let day = |at: i64| {
            chrono::DateTime::from_timestamp(at, 0)
                .unwrap()
                .format("%d")
                .to_string()
        };
        day(**end + 86_400) == "01"
    };
    assert!(ends.iter().filter(last_of_month).count() > 1);
    let customers = all(&old, "/v1/customers", "?").await;
    assert!(customers.iter().filter(|c| c["discount"].is_object()).count() > 3);
}

#[tokio::test]
async fn listed_coupons_codes_and_discounts_are_there_as_they_are_listed() {
    let (_running, old, new) = start(options("coupons")).await;
    let (coupons, codes) = pools(&old).await;
    assert!(!coupons.contains_key("DELETED") && !coupons.contains_key("DELETED-SINCE"));
    let pool = &coupons["POOL"];
    assert_eq!(
        (&pool["max_redemptions"], &pool["times_redeemed"]),
        (&json!(10), &json!(7))
    );
    let of = |name: &str| codes.iter().find(|c| c["code"] == name).unwrap();
    assert_eq!(of("A-OF-POOL")["customer"], "cus_ada");
    for (name, active) in [
        ("A-OF-POOL", true),
        ("USEDUP", false),
        ("OVER", false),
        ("TONIGHT", true),
        ("OFF", false),
        ("OFDELETED", false),
        ("OFGONE", true),
        ("FORALL", true),
    ] {
        assert_eq!(of(name)["active"], active, "{name}");
    }
    assert_eq!(
        new.get("/v1/coupons/OTHER-THERE").await.json()["percent_off"],
        90.0
    );
    let shown = old
        .get("/v1/subscriptions/sub_month_end?expand[]=discounts")
        .await
        .json();
    let end = chrono::DateTime::parse_from_rfc3339("2026-04-30T06:00:00Z").unwrap();
    assert_eq!(shown["discounts"][0]["end"], end.timestamp());
    let ends = old.get("/v1/subscriptions/sub_ends").await.json();
    assert_eq!(
        (&ends["cancel_at_period_end"], &ends["cancel_at"]),
        (&json!(true), &ends["items"]["data"][0]["current_period_end"])
    );
    let weekly = old.get("/v1/subscriptions/sub_weekly").await.json();
    assert_eq!(
        weekly["items"]["data"][0]["price"]["recurring"]["interval"],
        "week"
    );
    let item = old.get("/v1/subscriptions/sub_item").await.json();
    assert_eq!(item["items"]["data"][1]["discounts"].as_array().unwrap().len(), 1);
    let of_customer = old.get("/v1/customers/cus_mateo/discount").await.json();
    assert_eq!(of_customer["source"]["coupon"], "ALWAYS");
}

#[tokio::test]
async fn thousands_of_codes_hang_on_one_coupon() {
    let (_running, old, _) = start(options("coupons-thousands")).await;
    let codes = all(&old, CODES, "?coupon=BULK").await;
    let customers: BTreeSet<&str> = codes.iter().map(|c| text(c, "customer")).collect();
    assert_eq!((codes.len(), customers.len()), (3000, 60));
}
