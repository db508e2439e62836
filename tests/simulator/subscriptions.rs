//! Who is subscribed to what in a world.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::{Account, all, options, small_with, start};

/// Ids of customers by region.
async fn regions(account: &Account) -> BTreeMap<String, String> {
    let found = all(account, "/v1/customers", "?").await;
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    found
        .iter()
        .map(|c| (text(&c["id"]), text(&c["metadata"]["region"])))
        .collect()
}

fn prices_of(subscriptions: &[Value]) -> BTreeSet<String> {
    let items = subscriptions
        .iter()
        .flat_map(|s| s["items"]["data"].as_array().unwrap());
    items
        .map(|i| i["price"]["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn of_those_who_pay_each_has_one_live_subscription_and_stayers_have_some() {
    let (_running, old, _) = start(options("midnight")).await;
    let regions = regions(&old).await;
    let live = all(&old, "/v1/subscriptions", "?").await;
    let mut by_region: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &live {
        let customer = one["customer"].as_str().unwrap();
        let twice = !by_region.entry(&regions[customer]).or_default().insert(customer);
        assert!(!twice, "{customer} has two");
    }
    assert_eq!((by_region["us"].len(), by_region["au"].len()), (1100, 450));
    let statuses: BTreeSet<_> = live.iter().map(|s| s["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, BTreeSet::from(["active", "trialing", "past_due"]));
    let now = json!(1_771_045_200);
    for one in &live {
        let item = &one["items"]["data"][0];
        let (start, end) = (&item["current_period_start"], &item["current_period_end"]);
        assert!(
            start.as_i64() <= now.as_i64() && end.as_i64() > now.as_i64(),
            "{one}"
        );
        assert!(one["created"].as_i64() <= start.as_i64(), "{one}");
    }
    let count = |is: fn(&Value) -> bool| live.iter().filter(|s| is(s)).count();
    assert!(count(|s| s["items"]["data"].as_array().unwrap().len() == 2) > 10);
    assert!(
        count(|s| s["items"]["data"][1].get("quantity").is_none() && s["items"]["data"][1].is_object()) > 0
    );
    assert!(count(|s| s["default_source"].is_string()) > 0);
    assert!(count(|s| s["default_payment_method"].is_string()) > 100);
    assert!(count(|s| s["default_tax_rates"][0]["object"] == "tax_rate") > 50);
    assert!(
        count(|s| s["currency"] == "kwd") > 0,
        "one pays in another currency of its price"
    );
    let ended = all(&old, "/v1/subscriptions", "?status=ended").await;
    assert!(
        ended.len() > 50
            && ended
                .iter()
                .all(|s| s["status"] == "canceled" && s["ended_at"].is_i64())
    );
    let every = all(&old, "/v1/subscriptions", "?status=all").await;
    assert_eq!(every.len(), live.len() + ended.len());
}

#[tokio::test]
async fn live_subscriptions_use_prices_no_list_of_active_ones_shows() {
    let (_running, old, _) = start(options("midnight")).await;
    let used = prices_of(&all(&old, "/v1/subscriptions", "?").await);
    let ids = |of: Vec<Value>| -> BTreeSet<String> {
        of.iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect()
    };
    let active = ids(all(&old, "/v1/prices", "?active=true").await);
    let inactive = ids(all(&old, "/v1/prices", "?active=false").await);
    assert_eq!(
        inactive.intersection(&used).count(),
        4,
        "grandfathered twice, a legacy plan, a closed club"
    );
    assert_eq!(
        inactive.difference(&used).count(),
        2,
        "inactive and used by nobody"
    );
    for legacy in ["gold-monthly", "silver-yearly"] {
        assert!(used.contains(legacy), "{legacy}");
    }
    let listed: BTreeSet<_> = active.union(&inactive).cloned().collect();
    let [inline] = used.difference(&listed).collect::<Vec<_>>().try_into().unwrap();
    let inline = old.get(&format!("/v1/prices/{inline}")).await.json();
    assert_eq!(
        (&inline["unit_amount"], &inline["active"]),
        (&json!(4750), &json!(false))
    );
}

#[tokio::test]
async fn lists_are_filtered_by_customer_price_status_and_period() {
    let (_running, old, _) = start(options("midnight")).await;
    let live = all(&old, "/v1/subscriptions", "?").await;
    let one = &live[7];
    let of = |query: String| {
        let old = &old;
        async move { all(old, "/v1/subscriptions", &query).await }
    };
    let mine = of(format!(
        "?status=all&customer={}",
        one["customer"].as_str().unwrap()
    ))
    .await;
    assert!(mine.contains(one) && mine.iter().all(|s| s["customer"] == one["customer"]));
    let gold = of("?price=gold-monthly".to_owned()).await;
    assert!(
        !gold.is_empty()
            && gold
                .iter()
                .all(|s| prices_of(std::slice::from_ref(s)).contains("gold-monthly"))
    );
    let trialing = of("?status=trialing".to_owned()).await;
    assert!(!trialing.is_empty() && trialing.iter().all(|s| s["trial_end"].is_i64()));
    let end = one["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    let same = of(format!("?current_period_end={end}")).await;
    assert!(same.contains(one));
    let later = of(format!("?current_period_end[gt]={end}")).await;
    let earlier = of(format!("?current_period_end[lte]={end}")).await;
    assert_eq!(later.len() + earlier.len(), live.len());
    for (query, says) in [
        ("customer=cus_no", "No such customer: 'cus_no'"),
        ("price=price_no", "No such price: 'price_no'"),
    ] {
        let refused = old.get(&format!("/v1/subscriptions?{query}")).await;
        assert_eq!(
            (refused.status, refused.error("message").as_str()),
            (Some(400), says)
        );
    }
    let wrong = old.post("/v1/subscriptions", "customer=cus_1", None).await;
    assert_eq!(wrong.status, Some(400));
}

#[tokio::test]
async fn a_customer_shows_its_live_subscriptions_and_ends_them_when_it_is_deleted() {
    let (_running, old, _) = start(options("small")).await;
    let one = all(&old, "/v1/subscriptions", "?").await.remove(0);
    let path = format!("/v1/customers/{}", one["customer"].as_str().unwrap());
    let shown = old.get(&format!("{path}?expand[]=subscriptions")).await.json();
    assert_eq!(shown["subscriptions"]["data"], json!([one]));
    old.send("DELETE", &path, "", &[]).await;
    let path = format!("/v1/subscriptions/{}", one["id"].as_str().unwrap());
    let ended = old.get(&path).await.json();
    assert_eq!(
        (&ended["status"], &ended["customer"]),
        (&json!("canceled"), &one["customer"])
    );
    let told = all(&old, "/v1/events", "?type=customer.subscription.deleted").await;
    assert_eq!(told[0]["data"]["object"]["id"], one["id"]);
}

#[tokio::test]
async fn a_scenario_says_how_many_there_are() {
    for (more, movers, stayers) in [
        ("", 4, 1),
        ("subscriptions = 0\nstayer_subscriptions = 0", 0, 0),
        ("subscriptions = 7\nstayer_subscriptions = 2", 7, 2),
        ("subscriptions = 500", 9, 1),
    ] {
        let by = format!("products = 13\n{more}");
        let (_running, old, _) = start(small_with("products = 13", &by)).await;
        let regions = regions(&old).await;
        let live = all(&old, "/v1/subscriptions", "?").await;
        let of = |region: &str| {
            let there = |s: &&Value| regions[s["customer"].as_str().unwrap()] == region;
            live.iter().filter(there).count()
        };
        assert_eq!((of("us"), of("au")), (movers, stayers), "{more}");
    }
}
