//! Redeeming: by people, by actors of a scenario, by the crowd.

use cutover::rehearsal::{Options, Running};
use serde_json::{Value, json};

use crate::client::{Account, all, options, small_with, start, with_faults};
use crate::pools::{code_of, make};

/// A redemption through the admin interface: the discount's id, or the refusal's words.
async fn redeem(account: &Account, form: &str) -> Result<String, String> {
    let answer = account.post("/_cutover/redeem", form, None).await;
    let body = answer.json();
    match answer.status {
        Some(200) => Ok(body["discount"].as_str().unwrap().to_owned()),
        _ => Err(body["message"].as_str().unwrap().to_owned()),
    }
}

/// Uses of a coupon or code.
async fn used(account: &Account, path: &str) -> i64 {
    account.get(path).await.json()["times_redeemed"].as_i64().unwrap()
}

async fn id_at(account: &Account, path: &str) -> String {
    account.get(path).await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_code_counts_on_itself_and_its_coupon_and_a_direct_use_on_the_coupon_alone() {
    let (_running, old, _) = start(options("small")).await;
    let customer = id_at(&old, "/v1/customers").await;
    make(&old, "/v1/coupons", "id=C&percent_off=10&max_redemptions=3").await;
    let form = format!("{}&code=ONE&max_redemptions=2", code_of("C"));
    let code = make(&old, "/v1/promotion_codes", &form).await;
    let path = format!("/v1/promotion_codes/{}", id(&code));
    redeem(&old, &format!("code=one&customer={customer}"))
        .await
        .unwrap();
    redeem(&old, &format!("coupon=C&customer={customer}"))
        .await
        .unwrap();
    assert_eq!(
        (used(&old, &path).await, used(&old, "/v1/coupons/C").await),
        (1, 2)
    );
    redeem(&old, &format!("code=ONE&customer={customer}"))
        .await
        .unwrap();
    let events = all(&old, "/v1/events", "?type=promotion_code.updated").await;
    let previous = json!({ "active": true, "times_redeemed": 1 });
    assert_eq!(events[0]["data"]["previous_attributes"], previous);
    assert_eq!(
        redeem(&old, &format!("coupon=C&customer={customer}")).await,
        Err("Coupon C is used up and cannot be applied.".to_owned())
    );
    let coupon = old.get("/v1/coupons/C").await.json();
    assert_eq!(
        (&coupon["valid"], &coupon["times_redeemed"]),
        (&json!(false), &json!(3))
    );
    assert_eq!(old.get(&path).await.json()["active"], false);
    let opened = old.post(&path, "active=true", None).await;
    assert_eq!(
        (opened.status, opened.error("param").as_str()),
        (Some(400), "active")
    );
}

#[tokio::test]
async fn discounts_show_on_the_subscription_the_item_and_the_customer_they_are_on() {
    let (_running, old, _) = start(options("small")).await;
    let one = all(&old, "/v1/subscriptions", "?").await.remove(0);
    let (subscription, customer) = (id(&one), one["customer"].as_str().unwrap());
    for (coupon, more) in [
        ("A", "&duration=repeating&duration_in_months=3"),
        ("B", "&duration=forever"),
        ("D", ""),
    ] {
        make(&old, "/v1/coupons", &format!("id={coupon}&percent_off=10{more}")).await;
    }
    let code = make(&old, "/v1/promotion_codes", &format!("{}&code=X", code_of("A"))).await;
    let who = format!("customer={customer}&subscription={subscription}");
    let on = redeem(&old, &format!("code=X&{who}")).await.unwrap();
    assert_eq!(redeem(&old, &format!("coupon=A&{who}")).await.as_ref(), Ok(&on));
    assert_eq!(used(&old, "/v1/coupons/A").await, 1, "it is there already");
    let of_item = redeem(&old, &format!("coupon=B&{who}&item=0")).await.unwrap();
    let whole = format!("coupon=D&customer={customer}&place=customer");
    let of_customer = redeem(&old, &whole).await.unwrap();
    let bare = old.get(&format!("/v1/subscriptions/{subscription}")).await.json();
    assert_eq!(bare["discounts"], json!([on]));
    assert_eq!(bare["items"]["data"][0]["discounts"], json!([of_item]));
    let query = "?expand[]=data.discounts.source.coupon&expand[]=data.items.data.discounts";
    let listed = all(&old, "/v1/subscriptions", query).await;
    let shown = listed.iter().find(|s| id(s) == subscription).unwrap();
    let discount = &shown["discounts"][0];
    assert_eq!(discount["source"]["coupon"]["percent_off"], 10.0);
    assert_eq!(
        (
            &discount["promotion_code"],
            &discount["subscription"],
            &discount["customer"]
        ),
        (&code["id"], &json!(subscription), &json!(customer))
    );
    let (start, end) = (
        discount["start"].as_i64().unwrap(),
        discount["end"].as_i64().unwrap(),
    );
    assert!(
        (89 * 86_400..=92 * 86_400).contains(&(end - start)),
        "three months"
    );
    let item = &shown["items"]["data"][0]["discounts"][0];
    assert_eq!(
        (&item["end"], &item["subscription_item"], &item["subscription"]),
        (&Value::Null, &shown["items"]["data"][0]["id"], &Value::Null)
    );
    let path = format!("/v1/customers/{customer}");
    let theirs = old
        .get(&format!("{path}?expand[]=discount.source.coupon"))
        .await
        .json();
    assert_eq!(theirs["discount"]["id"], json!(of_customer));
    assert_eq!(theirs["discount"]["source"]["coupon"]["id"], "D");
    let gone = old
        .send("DELETE", &format!("{path}/discount"), "", &[])
        .await
        .json();
    assert_eq!((&gone["deleted"], gone.get("end")), (&json!(true), None));
    assert_eq!(old.get(&path).await.json()["discount"], Value::Null);
    assert_eq!(
        used(&old, "/v1/coupons/D").await,
        1,
        "a redemption is not given back"
    );
    let told = all(&old, "/v1/events", "?type=customer.discount.created").await;
    assert_eq!(told.len(), 3);
}

#[tokio::test]
async fn a_deleted_coupon_leaves_its_discounts_and_takes_its_codes() {
    let (_running, old, _) = start(options("small")).await;
    let one = all(&old, "/v1/subscriptions", "?").await.remove(0);
    make(&old, "/v1/coupons", "id=C&percent_off=10").await;
    let code = make(&old, "/v1/promotion_codes", &format!("{}&code=X", code_of("C"))).await;
    let who = format!("customer={}", one["customer"].as_str().unwrap());
    redeem(&old, &format!("code=X&{who}&subscription={}", id(&one)))
        .await
        .unwrap();
    let gone = old.send("DELETE", "/v1/coupons/C", "", &[]).await.json();
    assert_eq!(gone, json!({ "id": "C", "object": "coupon", "deleted": true }));
    assert_eq!(old.get("/v1/coupons/C").await.status, Some(404));
    assert_eq!(all(&old, "/v1/coupons", "?").await, Vec::<Value>::new());
    let code = old
        .get(&format!("/v1/promotion_codes/{}", id(&code)))
        .await
        .json();
    assert_eq!(
        (&code["active"], &code["promotion"]["coupon"]),
        (&json!(false), &json!("C"))
    );
    let path = format!("/v1/subscriptions/{}?expand[]=discounts.source.coupon", id(&one));
    let discount = old.get(&path).await.json()["discounts"][0].clone();
    assert_eq!(
        (
            &discount["source"]["coupon"]["id"],
            &discount["source"]["coupon"]["valid"]
        ),
        (&json!("C"), &json!(false))
    );
    make(&old, "/v1/coupons", "id=C&percent_off=20").await;
    assert!(
        redeem(&old, &format!("code=X&{who}")).await.is_err(),
        "of another coupon"
    );
    assert_eq!(
        all(&old, "/v1/promotion_codes", "?coupon=C").await,
        Vec::<Value>::new()
    );
    make(&old, "/v1/promotion_codes", &format!("{}&code=X", code_of("C"))).await;
}

#[tokio::test]
async fn a_code_is_refused_to_whom_it_is_not_for() {
    let (_running, old, _) = start(options("small")).await;
    let subscribed = all(&old, "/v1/subscriptions", "?").await.remove(0);
    let customer = subscribed["customer"].as_str().unwrap();
    let new = make(&old, "/v1/customers", "name=New").await;
    make(&old, "/v1/coupons", "id=C&percent_off=10").await;
    make(&old, "/v1/coupons", "id=JPY&amount_off=10&currency=jpy").await;
    for (text, more) in [
        ("FIRST", "restrictions[first_time_transaction]=true".to_owned()),
        ("MINE", format!("customer={}", id(&new))),
        (
            "BIG",
            "restrictions[minimum_amount]=500&restrictions[minimum_amount_currency]=usd".to_owned(),
        ),
    ] {
        make(
            &old,
            "/v1/promotion_codes",
            &format!("{}&code={text}&{more}", code_of("C")),
        )
        .await;
    }
    let (theirs, news) = (format!("customer={customer}"), format!("customer={}", id(&new)));
    let on = format!("{theirs}&subscription={}", id(&subscribed));
    for (form, taken) in [
        (format!("code=FIRST&{theirs}"), false),
        (format!("code=FIRST&{news}"), true),
        (format!("code=MINE&{theirs}"), false),
        (format!("code=MINE&{news}"), true),
        (format!("code=BIG&{news}&amount=499&currency=usd"), false),
        (format!("code=BIG&{news}&amount=9999&currency=aud"), false),
        (format!("code=BIG&{news}&amount=500&currency=usd"), true),
        (format!("code=BIG&{on}"), false),
        (format!("coupon=JPY&{on}"), false),
        (format!("code=NONE&{news}"), false),
        ("code=FIRST&customer=cus_no".to_owned(), false),
    ] {
        let got = redeem(&old, &form).await;
        assert_eq!(got.is_ok(), taken, "{form}: {got:?}");
    }
    assert_eq!(
        redeem(&old, &format!("code=FIRST&{theirs}")).await,
        Err(
            "This promotion code cannot be redeemed because the associated customer has prior transactions."
                .into()
        )
    );
}

/// What the admin interface says of both accounts' pools: looking there is no request before which anybody redeems.
async fn pools(account: &Account) -> [Value; 2] {
    let world = account.get("/_cutover/world").await.json();
    ["source", "destination"].map(|side| world[side]["pools"].clone())
}

/// A world in which others redeem before every other request.
fn crowded(log: Option<std::path::PathBuf>) -> Options {
    let line = "[behaviour]";
    let small = include_str!("../../assets/scenarios/small.toml");
    let with = "[behaviour]\nredemptions_per_1000_requests = 500\ndirect_redemptions_per_1000_requests = 100";
    let mut options = if small.contains(line) {
        small_with(line, with)
    } else {
        with_faults(with)
    };
    options.world_log = log;
    options
}

/// Pools on both accounts, and requests before which people redeem.
async fn busy_night(old: &Account, new: &Account) {
    for account in [old, new] {
        make(account, "/v1/coupons", "id=C&percent_off=10&max_redemptions=7").await;
        make(account, "/v1/coupons", "id=D&percent_off=10&duration=forever").await;
        for form in [
            format!("{}&code=A&max_redemptions=5", code_of("C")),
            format!("{}&code=B", code_of("C")),
            format!("{}&code=E&max_redemptions=2", code_of("D")),
        ] {
            make(account, "/v1/promotion_codes", &form).await;
        }
        for n in 0..60 {
            account.get(&format!("/v1/customers?limit={n}")).await;
        }
    }
}

#[tokio::test]
async fn the_crowd_redeems_as_the_seed_says_and_never_more_than_there_is() {
    let night = async || {
        let (_running, old, new): (Running, _, _) = start(crowded(None)).await;
        busy_night(&old, &new).await;
        let mut sums = Vec::new();
        for account in [&old, &new] {
            let coupons = all(account, "/v1/coupons", "?").await;
            let codes = all(account, "/v1/promotion_codes", "?").await;
            for one in coupons.iter().chain(&codes) {
                let uses = one["times_redeemed"].as_i64();
                assert!(one["max_redemptions"].is_null() || uses <= one["max_redemptions"].as_i64());
                sums.push((id(one).to_owned(), uses));
            }
        }
        sums
    };
    let one = night().await;
    assert_eq!(one, night().await);
    let used: i64 = one.iter().filter_map(|(_, uses)| *uses).sum();
    assert!(used > 20, "{one:?}");
}

#[tokio::test]
async fn a_killed_world_comes_back_with_every_redemption() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("world.log");
    let (running, old, new) = start(crowded(Some(log.clone()))).await;
    busy_night(&old, &new).await;
    let customer = id_at(&old, "/v1/customers").await;
    redeem(&old, &format!("coupon=D&customer={customer}&place=customer"))
        .await
        .unwrap();
    old.send("DELETE", "/v1/coupons/C", "", &[]).await;
    let before = pools(&old).await;
    running.stop().await;
    let (_running, old, _) = start(crowded(Some(log))).await;
    assert_eq!(pools(&old).await, before);
    let used = before[0][0]["used"].as_u64();
    assert!(
        used > Some(1) && before[0][0]["redeemed_tonight"].as_u64() == used,
        "{before:?}"
    );
    let theirs = old.get(&format!("/v1/customers/{customer}")).await.json();
    assert_eq!(theirs["discount"]["source"]["coupon"], "D");
}

#[tokio::test]
async fn somebody_redeems_a_code_just_before_it_is_closed() {
    let actors = "[[foreign]]\naccount = \"source\"\ndo = \"redeem\"\nbefore = \"POST /v1/promotion_codes/*\"\n\
                  code = \"same\"\ncustomer = \"stayer:0\"\n\
                  [[foreign]]\naccount = \"source\"\ndo = \"delete_coupon\"\nbefore = \"GET /v1/coupons/*\"\nnth = 2\n\
                  coupon = \"same\"\n\
                  [[foreign]]\naccount = \"destination\"\ndo = \"create_coupon\"\nbefore = \"POST /v1/coupons\"\n\
                  coupon = \"C D\"\n\
                  [[foreign]]\naccount = \"destination\"\ndo = \"create_code\"\nbefore = \"GET /v1/events\"\n\
                  coupon = \"C D\"\ncode = \"theirs\"\n\
                  [[foreign]]\naccount = \"destination\"\ndo = \"close_code\"\nbefore = \"GET /v1/account\"\n\
                  code = \"THEIRS\"\n";
    let (_running, old, new) = start(with_faults(actors)).await;
    make(&old, "/v1/coupons", "id=C+D&percent_off=10").await;
    let code = make(&old, "/v1/promotion_codes", &format!("{}&code=X", code_of("C+D"))).await;
    let path = format!("/v1/promotion_codes/{}", id(&code));
    let closed = make(&old, &path, "active=false").await;
    assert_eq!(
        (&closed["times_redeemed"], &closed["active"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(used(&old, "/v1/coupons/C%20D").await, 1);
    assert_eq!(
        old.get("/v1/coupons/C%20D").await.status,
        Some(404),
        "deleted by hand"
    );
    let taken = new.post("/v1/coupons", "id=C+D&percent_off=10", None).await;
    assert_eq!(taken.error("code"), "resource_already_exists");
    assert_eq!(new.get("/v1/coupons/C%20D").await.json()["percent_off"], 3.0);
    new.get("/v1/events").await;
    let codes = all(&new, "/v1/promotion_codes", "?").await;
    assert_eq!(
        (&codes[0]["code"], &codes[0]["active"]),
        (&json!("theirs"), &json!(true))
    );
    new.get("/v1/account").await;
    let codes = all(&new, "/v1/promotion_codes", "?").await;
    assert_eq!(codes[0]["active"], false);
}
