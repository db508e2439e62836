//! What both accounts sell, what Stripe refuses about it, and who is blamed for writing to it.

use std::collections::BTreeSet;

use cutover::rehearsal::{Claims, Running, rule};
use serde_json::{Value, json};

use crate::client::{Account, account, all, options, small_with, start, with_faults};

async fn prices(account: &Account) -> Vec<Value> {
    let whole = "&expand[]=data.tiers&expand[]=data.currency_options";
    let mut found = all(account, "/v1/prices", &format!("?active=true{whole}")).await;
    found.extend(all(account, "/v1/prices", &format!("?active=false{whole}")).await);
    found
}

type Is = fn(&Value) -> bool;

fn count(of: &[Value], wanted: impl Fn(&Value) -> bool) -> usize {
    of.iter().filter(|one| wanted(one)).count()
}

#[tokio::test]
async fn the_old_account_sells_every_kind_of_price() {
    let (_running, old, _) = start(options("small")).await;
    assert_eq!(all(&old, "/v1/products", "?").await.len(), 13);
    let prices = prices(&old).await;
    assert_eq!(prices.len(), 33, "every price of the table could be made");
    for currency in ["usd", "aud", "jpy"] {
        assert!(count(&prices, |p| p["currency"] == currency) > 1, "{currency}");
    }
    for behavior in ["inclusive", "exclusive", "unspecified"] {
        assert!(
            count(&prices, |p| p["tax_behavior"] == behavior) > 1,
            "{behavior}"
        );
    }
    let kinds: [(&str, Is); 11] = [
        ("graduated", |p| {
            p["tiers_mode"] == "graduated" && p["tiers"][1]["up_to"].is_null()
        }),
        ("volume", |p| {
            p["tiers_mode"] == "volume" && p["tiers"][2]["unit_amount_decimal"] == "3899.5"
        }),
        ("sub-cent", |p| {
            p["unit_amount"].is_null() && p["unit_amount_decimal"] == "0.123456789012"
        }),
        ("many currencies", |p| {
            p["currency_options"]["jpy"]["unit_amount"] == 4400
                && p["currency_options"]["usd"]["unit_amount"] == 2900
        }),
        ("yearly", |p| p["recurring"]["interval"] == "year"),
        ("quarterly", |p| p["recurring"]["interval_count"] == 3),
        ("one time", |p| {
            p["type"] == "one_time" && p["recurring"].is_null()
        }),
        ("pay what you want", |p| p["custom_unit_amount"]["preset"] == 2000),
        ("metered", |p| {
            p["recurring"]["meter"]
                .as_str()
                .is_some_and(|m| m.starts_with("mtr_"))
        }),
        ("inactive with a lookup key", |p| {
            p["active"] == false && p["lookup_key"] == "club_old"
        }),
        ("in packets", |p| {
            p["transform_quantity"] == json!({"divide_by": 100, "round": "up"})
        }),
    ];
    for (kind, is) in kinds {
        assert!(count(&prices, is) > 0, "{kind}");
    }
    for legacy in ["gold-monthly", "silver-yearly"] {
        let price = old.get(&format!("/v1/prices/{legacy}")).await.json();
        assert_eq!(
            (&price["object"], &price["id"]),
            (&json!("price"), &json!(legacy))
        );
    }
    let rates = all(&old, "/v1/tax_rates", "?").await;
    assert_eq!((rates.len(), count(&rates, |r| r["active"] == false)), (4, 1));
    assert_eq!(count(&rates, |r| r["inclusive"] == true), 2);
    let mut written: Vec<_> = rates.iter().map(|r| r["percentage"].to_string()).collect();
    written.sort_unstable();
    assert_eq!(written, ["0.25", "10.0", "19.0", "8.875"]);
    let links = all(&old, "/v1/payment_links", "?active=true&expand[]=data.line_items").await;
    assert_eq!(links.len(), 2);
    assert_eq!(
        links[1]["line_items"]["data"][0]["price"]["custom_unit_amount"]["minimum"],
        500
    );
}

#[tokio::test]
async fn tiers_and_other_currencies_are_there_only_when_asked_for() {
    let (_running, old, _) = start(options("small")).await;
    let tiered = prices(&old).await.into_iter().find(|p| {
        p["tiers_mode"] == "graduated" && p["currency_options"]["aud"].is_object() && p["currency"] == "usd"
    });
    let path = format!("/v1/prices/{}", tiered.unwrap()["id"].as_str().unwrap());
    let plain = old.get(&path).await.json();
    assert!(plain.get("tiers").is_none() && plain.get("currency_options").is_none());
    assert_eq!(
        (&plain["unit_amount"], &plain["unit_amount_decimal"]),
        (&json!(null), &json!(null))
    );
    let options = old.get(&format!("{path}?expand[]=currency_options")).await.json();
    assert!(options["currency_options"]["aud"].get("tiers").is_none());
    let whole = format!("{path}?expand[]=currency_options.aud.tiers");
    let whole = old.get(&whole).await.json();
    let tier = &whole["currency_options"]["aud"]["tiers"][1];
    assert_eq!(
        (&tier["up_to"], &tier["unit_amount"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(tier["unit_amount_decimal"], "599.95");
    assert!(whole["currency_options"]["usd"].get("tiers").is_none());
}

#[tokio::test]
async fn the_new_account_has_what_somebody_began_and_nothing_else() {
    let (_running, old, new) = start(options("small")).await;
    let products = all(&new, "/v1/products", "?").await;
    let ids: BTreeSet<_> = products.iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!(ids, BTreeSet::from(["course-library", "lesson-pack"]));
    let same = |mut one: Value| {
        for own in ["id", "created", "updated"] {
            one[own] = Value::Null;
        }
        one
    };
    let of = |account: Account, path: String| async move { same(account.get(&path).await.json()) };
    let copy = |at: &Account| Account {
        address: at.address.clone(),
        key: at.key.clone(),
    };
    let product = |id: &str| format!("/v1/products/{id}");
    let there = of(copy(&new), product("course-library")).await;
    assert_eq!(there, of(copy(&old), product("course-library")).await);
    let other = of(copy(&new), product("lesson-pack")).await;
    let mine = of(copy(&old), product("lesson-pack")).await;
    for differs in ["name", "tax_code", "active", "unit_label", "description"] {
        assert_ne!(other[differs], mine[differs], "{differs}");
    }
    let [price] = prices(&new).await.try_into().unwrap();
    assert_eq!(price["lookup_key"], "library_monthly");
    let twin = all(
        &old,
        "/v1/prices",
        "?lookup_keys[]=library_monthly&expand[]=data.currency_options",
    )
    .await;
    assert_ne!(price["id"], twin[0]["id"]);
    assert_eq!(same(price), same(twin[0].clone()));
    let (ours, mut theirs) = (
        old.get("/v1/tax/settings").await.json(),
        new.get("/v1/tax/settings").await.json(),
    );
    assert_eq!(ours["defaults"]["tax_behavior"], "inclusive");
    assert_eq!(theirs["defaults"]["tax_behavior"], "exclusive");
    theirs["defaults"]["tax_behavior"] = json!("inclusive");
    assert_eq!(ours, theirs, "they differ in one point");
    assert_eq!(
        all(&new, "/v1/subscriptions", "?status=all").await,
        [] as [Value; 0]
    );
    assert_eq!(all(&new, "/v1/tax_rates", "?").await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_is_sold_changes_no_customer_and_no_id_of_a_seed() {
    let look = |line: &'static str| async move {
        let (running, old, new) = start(small_with("products = 13", line)).await;
        let mapping = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
        let mut seen = vec![mapping.into_bytes()];
        for at in [&old, &new] {
            seen.push(at.get("/v1/customers?limit=100&expand[]=data.sources").await.body);
        }
        seen
    };
    let without = look("products = 0").await;
    assert_eq!(without, look("products = 13").await);
    assert_eq!(
        without,
        look("products = 40\nprices_per_product = 3\nsubscriptions = 9").await
    );
}

#[tokio::test]
async fn a_shop_can_be_empty_small_or_large() {
    for (line, products, prices_listed) in [
        ("products = 0", 0, 0),
        ("products = 2", 2, 8),
        ("products = 213\nprices_per_product = 2", 213, 433),
    ] {
        let (_running, old, _) = start(small_with("products = 13", line)).await;
        assert_eq!(all(&old, "/v1/products", "?").await.len(), products, "{line}");
        assert_eq!(prices(&old).await.len(), prices_listed, "{line}");
    }
}

#[tokio::test]
async fn a_list_of_prices_shows_active_ones_unless_asked_and_filters_by_everything() {
    let (_running, old, _) = start(options("midnight")).await;
    let shown = all(&old, "/v1/prices", "?").await;
    assert!(shown.iter().all(|p| p["active"] == true) && shown.len() > 20);
    let cases: [(&str, usize); 9] = [
        ("type=one_time", 5),
        ("currency=jpy", 2),
        ("product=lesson-pack", 2),
        ("product=lesson-pack&type=recurring", 1),
        ("recurring[interval]=year", 3),
        ("recurring[usage_type]=metered", 1),
        ("recurring[meter]=mtr_other", 0),
        (
            "lookup_keys[]=lesson_usd_monthly&lookup_keys[]=library_yearly&lookup_keys[]=club_old",
            2,
        ),
        ("active=false&lookup_keys[]=club_old", 1),
    ];
    for (query, found) in cases {
        assert_eq!(
            all(&old, "/v1/prices", &format!("?{query}")).await.len(),
            found,
            "{query}"
        );
    }
    let refused = old.get("/v1/prices?product=nobody").await;
    assert_eq!(
        (refused.status, refused.error("message").as_str()),
        (Some(400), "No such product: 'nobody'")
    );
    let names = |of: Vec<Value>| of.iter().map(|p| p["id"].to_string()).collect::<Vec<_>>();
    let by_id = "?ids[]=gold&ids[]=nobody&ids[]=lesson-pack";
    assert_eq!(
        names(all(&old, "/v1/products", by_id).await),
        ["\"gold\"", "\"lesson-pack\""]
    );
    assert_eq!(all(&old, "/v1/products", "?shippable=true").await.len(), 1);
    assert_eq!(all(&old, "/v1/products", "?active=false").await.len(), 1);
    let url = "?url=https://lantern.example/library";
    assert_eq!(all(&old, "/v1/products", url).await.len(), 1);
    assert_eq!(
        all(&old, "/v1/tax_rates", "?active=true&inclusive=true")
            .await
            .len(),
        1
    );
    assert_eq!(all(&old, "/v1/tax/registrations", "?").await.len(), 1);
    assert_eq!(all(&old, "/v1/tax/registrations", "?status=all").await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused_in_the_words_of_the_api() {
    let (_running, _, new) = start(options("small")).await;
    let monthly = "currency=usd&product=lesson-pack&recurring[interval]=month";
    let cases = [
        (
            "currency=usd&unit_amount=5",
            "You must specify either `product` or `product_data` when creating a price.",
        ),
        (
            "currency=usd&unit_amount=5&product=lesson-pack&product_data[name]=x",
            "You may only specify one of these parameters: product, product_data.",
        ),
        (
            monthly,
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
        ),
        (
            "currency=usd&product=lesson-pack&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=inf&tiers[0][unit_amount]=5",
            "Prices with `type=one_time` are not supported with tiered billing.",
        ),
        (
            &format!("{monthly}&unit_amount=5&recurring[usage_type]=metered"),
            "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
        ),
        (
            &format!("{monthly}&unit_amount=5&recurring[usage_type]=metered&recurring[meter]=mtr_1"),
            "No such billing meter: 'mtr_1'",
        ),
        (
            &format!("{monthly}&unit_amount_decimal=0.1234567890123"),
            "Invalid decimal: 0.1234567890123; must contain at maximum twelve decimal places.",
        ),
        (
            &format!("{monthly}&unit_amount=-1"),
            "This value must be greater than or equal to 0.",
        ),
        (
            &format!("{monthly}&unit_amount=5&unit_amount_decimal=5"),
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
        ),
        (
            &format!("{monthly}&unit_amount=5&currency_options[usd][unit_amount]=5"),
            "`currency_options` may not contain the price's own currency, usd.",
        ),
        (
            &format!("{monthly}&unit_amount=5&currency_options[eur][tax_behavior]=inclusive"),
            "If the billing scheme is set to per_unit, the amount parameter must be set",
        ),
        (
            &format!("{monthly}&unit_amount=5&tiers_mode=volume"),
            "You can only specify `tiers_mode` if `billing_scheme` is `tiered`.",
        ),
    ];
    for (form, says) in cases {
        let refused = new.post("/v1/prices", form, None).await;
        assert_eq!(
            (refused.status, refused.error("message").as_str()),
            (Some(400), says),
            "{form}"
        );
    }
    assert_eq!(prices(&new).await.len(), 1, "nothing was made");
    let deleted = new.send("DELETE", "/v1/products/course-library", "", &[]).await;
    assert_eq!(
        deleted.error("message"),
        "This product cannot be deleted because it has one or more user-created prices."
    );
}

#[tokio::test]
async fn a_lookup_key_has_one_holder_even_an_inactive_one_until_it_is_transferred() {
    let (_running, _, new) = start(options("small")).await;
    let [holder] = prices(&new).await.try_into().unwrap();
    let holder = holder["id"].as_str().unwrap().to_owned();
    new.post(&format!("/v1/prices/{holder}"), "active=false", None)
        .await;
    let form = "currency=usd&unit_amount=7&product=course-library&lookup_key=library_monthly";
    let refused = new.post("/v1/prices", form, None).await;
    assert_eq!(
        (refused.status, refused.error("param").as_str()),
        (Some(400), "lookup_key")
    );
    assert_eq!(
        refused.error("message"),
        format!("A price (`{holder}`) already uses that lookup key.")
    );
    let taken = new
        .post("/v1/prices", &format!("{form}&transfer_lookup_key=true"), None)
        .await;
    assert_eq!(taken.json()["lookup_key"], "library_monthly");
    let before = new.get(&format!("/v1/prices/{holder}")).await.json();
    assert_eq!(
        (&before["lookup_key"], &before["active"]),
        (&json!(null), &json!(false))
    );
    let own = format!("/v1/prices/{}", taken.json()["id"].as_str().unwrap());
    assert_eq!(
        new.post(&own, "lookup_key=library_monthly", None).await.status,
        Some(200)
    );
}

#[tokio::test]
async fn what_a_price_costs_stays_and_a_default_price_is_not_archived() {
    let (_running, _, new) = start(options("small")).await;
    let [price] = prices(&new).await.try_into().unwrap();
    let path = format!("/v1/prices/{}", price["id"].as_str().unwrap());
    let cases = [
        ("unit_amount=1", "Received unknown parameter: unit_amount"),
        ("product=lesson-pack", "Received unknown parameter: product"),
        (
            "tax_behavior=inclusive",
            "You cannot update `tax_behavior` field once it has been specified.",
        ),
        (
            "currency_options[aud][unit_amount]=1",
            "You are attempting to update an immutable field for an existing currency in currency_options.",
        ),
    ];
    for (form, says) in cases {
        assert_eq!(new.post(&path, form, None).await.error("message"), says, "{form}");
    }
    let added = "currency_options[nzd][unit_amount]=5000&expand[]=currency_options";
    let added = new.post(&path, added, None).await.json();
    assert_eq!(added["currency_options"]["nzd"]["unit_amount"], 5000);
    assert_eq!(added["currency_options"]["aud"], price["currency_options"]["aud"]);
    let default = format!("default_price={}", price["id"].as_str().unwrap());
    assert_eq!(
        new.post("/v1/products/course-library", &default, None)
            .await
            .status,
        Some(200)
    );
    let refused = new.post(&path, "active=false", None).await;
    let says = "This price cannot be archived because it is the default price of its product.";
    assert_eq!(refused.error("message"), says);
    let other = new.post("/v1/products/lesson-pack", &default, None).await;
    assert_eq!(other.status, Some(400));
}

#[tokio::test]
async fn an_id_of_a_deleted_product_can_be_used_again_and_one_in_use_cannot() {
    let (_running, _, new) = start(options("small")).await;
    let taken = new.post("/v1/products", "id=lesson-pack&name=Mine", None).await;
    assert_eq!(taken.error("code"), "resource_already_exists");
    let gone = new.send("DELETE", "/v1/products/lesson-pack", "", &[]).await;
    assert_eq!(
        gone.json(),
        json!({"id": "lesson-pack", "object": "product", "deleted": true})
    );
    assert_eq!(new.get("/v1/products/lesson-pack").await.status, Some(404));
    assert_eq!(all(&new, "/v1/products", "?").await.len(), 1);
    let again = new.post("/v1/products", "id=lesson-pack&name=Mine", None).await;
    assert_eq!(again.json()["name"], "Mine");
    assert_eq!(new.get("/v1/products/lesson-pack").await.json()["name"], "Mine");
    let events = all(&new, "/v1/events", "?type=product.*").await;
    let kinds: Vec<_> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["product.created", "product.deleted"]);
}

async fn rules(running: &Running) -> Vec<(String, &'static str)> {
    let found = running.verdict(&Claims::default()).await.violations;
    found.into_iter().map(|v| (v.customer, v.rule)).collect()
}

#[tokio::test]
async fn the_old_catalogue_is_touched_by_nobody() {
    let (running, old, new) = start(options("small")).await;
    let forms = [
        ("/v1/products/gold", "active=false", "gold"),
        ("/v1/prices/gold-monthly", "nickname=x", "gold-monthly"),
        (
            "/v1/tax/settings",
            "defaults[tax_behavior]=exclusive",
            "tax.settings",
        ),
    ];
    for (path, form, _) in forms {
        assert_eq!(old.post(path, form, None).await.status, Some(200), "{path}");
    }
    old.post("/v1/prices/gold-monthly", "unit_amount=1", None).await;
    old.get("/v1/products").await;
    new.post("/v1/products", "name=x", None).await;
    let want: Vec<_> = forms
        .iter()
        .map(|(_, _, id)| ((*id).to_owned(), rule::OLD_CATALOGUE))
        .collect();
    assert_eq!(
        rules(&running).await,
        want,
        "what was refused or read counts for nothing"
    );
}

#[tokio::test]
async fn two_objects_made_of_the_same_old_one_are_found_and_one_changed_twice_is_not() {
    let (running, _, new) = start(options("small")).await;
    let of = |old: &str| format!("metadata[cutover_of]={old}");
    let price = format!(
        "currency=usd&unit_amount=5&product=lesson-pack&{}",
        of("price_old")
    );
    let first = new.post("/v1/prices", &price, Some("k")).await.json();
    new.post("/v1/prices", &price, Some("k")).await;
    let path = format!("/v1/prices/{}", first["id"].as_str().unwrap());
    new.post(&path, &format!("nickname=again&{}", of("price_old")), None)
        .await;
    new.post("/v1/products/lesson-pack", &of("lesson-pack"), None)
        .await;
    let rate = format!("display_name=GST&inclusive=true&percentage=10&{}", of("txr_old"));
    new.post("/v1/tax_rates", &rate, None).await;
    assert_eq!(rules(&running).await, []);
    let second = new.post("/v1/prices", &price, Some("another")).await.json();
    new.post("/v1/tax_rates", &rate, None).await;
    let world = new.get("/_cutover/world").await.json();
    let shown = &world["destination"]["catalogue"];
    assert_eq!((&shown["products"], &shown["prices"]), (&json!(2), &json!(3)));
    assert_eq!(shown["made"].as_array().unwrap().len(), 5);
    let found = rules(&running).await;
    assert_eq!(found.len(), 2);
    assert!(found.contains(&(second["id"].as_str().unwrap().to_owned(), rule::MADE_TWICE)));
}

#[tokio::test]
async fn a_killed_shop_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let make = || {
        let fault = "[[fault]]\nkind = \"server_error_after_commit\"\nnth = 2\nmethod = \"POST\"\naccount = \"destination\"\n";
        let mut options = with_faults(fault);
        options.world_log = Some(dir.path().join("world.log"));
        options
    };
    let look = |running: &Running| {
        let sides = [
            cutover::rehearsal::Side::Source,
            cutover::rehearsal::Side::Destination,
        ];
        let accounts = sides.map(|side| account(running, side));
        async move {
            let mut seen = Vec::new();
            for at in &accounts {
                for path in [
                    "/v1/products?limit=100",
                    "/v1/prices?limit=100&expand[]=data.tiers&expand[]=data.currency_options",
                    "/v1/prices?limit=100&active=false",
                    "/v1/tax_rates?limit=100",
                    "/v1/tax/settings",
                    "/v1/subscriptions?limit=100&status=all",
                    "/v1/events?limit=100",
                ] {
                    seen.push(at.get(path).await.body);
                }
            }
            seen
        }
    };
    let (running, old, new) = start(make()).await;
    let priced = "currency=usd&unit_amount=5&product_data[name]=New&lookup_key=library_monthly&transfer_lookup_key=true\
                  &metadata[cutover_of]=p";
    new.post(
        "/v1/products",
        "name=One&default_price_data[currency]=usd&default_price_data[unit_amount]=9",
        None,
    )
    .await;
    let failed = new.post("/v1/prices", priced, Some("k")).await;
    assert_eq!(failed.status, Some(500));
    new.post("/v1/prices", priced, Some("l")).await;
    new.post(
        "/v1/tax_rates",
        "display_name=T&inclusive=false&percentage=1.5",
        None,
    )
    .await;
    new.post("/v1/tax/settings", "defaults[tax_behavior]=inclusive", None)
        .await;
    new.send("DELETE", "/v1/products/lesson-pack", "", &[]).await;
    let stayer = all(&old, "/v1/subscriptions", "?").await[0]["customer"].clone();
    let gone = format!("/v1/customers/{}", stayer.as_str().unwrap());
    old.send("DELETE", &gone, "", &[]).await;
    let (before, found) = (look(&running).await, running.verdict(&Claims::default()).await);
    assert_eq!(
        found
            .violations
            .iter()
            .filter(|v| v.rule == rule::MADE_TWICE)
            .count(),
        1
    );
    drop(running);
    let (running, ..) = start(make()).await;
    assert_eq!(look(&running).await, before);
    assert_eq!(running.verdict(&Claims::default()).await, found);
}
