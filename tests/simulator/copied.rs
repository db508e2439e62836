//! The PAN copy as it really is, and the cases that scenarios make of it.

use std::collections::{BTreeMap, BTreeSet};

use cutover::rehearsal::Running;
use serde_json::{Value, json};

use crate::client::{Account, options, start};

/// Columns of interest: customer, old method, new method; the method's are empty for who came with nothing.
fn mapping(running: &Running) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
    let lines = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    lines
        .map(|cells| {
            assert_eq!((cells.len(), &cells[0]), (6, &cells[3]));
            (cells[0].clone(), cells[2].clone(), cells[5].clone())
        })
        .collect()
}

async fn all(account: &Account, path: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::<Value>::new(), String::new());
    loop {
        let page = account.get(&format!("{path}limit=100{after}")).await.json();
        found.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            return found;
        }
        after = format!(
            "&starting_after={}",
            found.last().unwrap()["id"].as_str().unwrap()
        );
    }
}

async fn customers(account: &Account) -> BTreeMap<String, Value> {
    let path =
        "/v1/customers?expand[]=data.tax_ids&expand[]=data.sources&expand[]=data.invoice_credit_balance&";
    let list = all(account, path).await;
    list.into_iter()
        .map(|c| (c["id"].as_str().unwrap().to_owned(), c))
        .collect()
}

async fn methods(account: &Account, customer: &str) -> BTreeMap<String, Value> {
    let list = all(account, &format!("/v1/customers/{customer}/payment_methods?")).await;
    list.into_iter()
        .map(|m| (m["id"].as_str().unwrap().to_owned(), m))
        .collect()
}

fn copyable(method: &Value) -> bool {
    let kind = method["type"].as_str().unwrap();
    kind == "us_bank_account" || kind == "card" && method["card"]["wallet"].is_null()
}

#[tokio::test]
async fn the_copy_takes_cards_and_us_accounts_and_leaves_profile_debits_wallets_and_defaults() {
    let mut options = options("midnight");
    options.customers = Some(150);
    let night = options.scenario.starts_at().secs();
    let (running, source, destination) = start(options).await;
    let map = mapping(&running);
    let (old, new) = (customers(&source).await, customers(&destination).await);
    let (mut left, mut only_left, mut late, mut richer) = (0, 0, 0, 0);
    for (id, copy) in &new {
        let Some(original) = old.get(id) else { continue };
        for field in ["name", "email", "phone", "address", "metadata"] {
            assert_eq!(original[field], copy[field], "{field} of {id}");
        }
        let nothing = json!({ "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null });
        assert_eq!(copy["invoice_settings"], nothing);
        assert_eq!(
            (&copy["shipping"], &copy["description"], &copy["default_source"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(
            (&copy["preferred_locales"], &copy["tax_exempt"]),
            (&json!([]), &json!("none"))
        );
        assert_eq!(
            (&copy["tax_ids"]["data"], &copy["invoice_credit_balance"]),
            (&json!([]), &json!({}))
        );
        richer += u32::from(
            original["description"] != copy["description"] || original["tax_exempt"] != copy["tax_exempt"],
        );
        let (there, here) = (methods(&source, id).await, methods(&destination, id).await);
        let mut arrived = BTreeSet::new();
        for (at, method) in &there {
            let to = map.iter().find(|(_, old, _)| old == at);
            let in_time = method["created"].as_i64().unwrap() < night - 6 * 3600;
            assert_eq!(to.is_some(), copyable(method) && in_time, "{method}");
            late += u32::from(!in_time);
            let Some((_, _, to)) = to else {
                left += 1;
                continue;
            };
            let kind = method["type"].as_str().unwrap();
            let copied = &here[to];
            assert_ne!(at, to);
            assert_ne!(method[kind]["fingerprint"], copied[kind]["fingerprint"]);
            for field in ["brand", "last4", "exp_month", "exp_year", "funding", "country"] {
                assert_eq!(method[kind][field], copied[kind][field], "{field} of {at}");
            }
            arrived.insert(to.clone());
        }
        assert_eq!(arrived, here.keys().cloned().collect(), "{id}");
        let blank = map
            .iter()
            .any(|(customer, old, new)| customer == id && old.is_empty() && new.is_empty());
        assert_eq!(blank, here.is_empty(), "{id}");
        only_left += u32::from(blank);
    }
    assert!(
        left > late && late > 0 && only_left > 0 && richer > 0,
        "{left} {late} {only_left} {richer}"
    );
}

#[tokio::test]
async fn midnight_has_as_many_of_each_as_it_says() {
    let (running, source, _) = start(options("midnight")).await;
    let old = customers(&source).await;
    let count = |wanted: &dyn Fn(&Value) -> bool| old.values().filter(|c| wanted(c)).count();
    let (some, empty) = (|v: &Value| !v.is_null(), json!([]));
    let settings = ["custom_fields", "footer", "rendering_options"];
    for (what, want, got) in [
        ("exempt", 5, count(&|c| c["tax_exempt"] == "exempt")),
        ("reverse", 3, count(&|c| c["tax_exempt"] == "reverse")),
        ("shipping", 60, count(&|c| some(&c["shipping"]))),
        ("locales", 90, count(&|c| c["preferred_locales"] != empty)),
        ("descriptions", 80, count(&|c| some(&c["description"]))),
        ("tax_ids", 20, count(&|c| c["tax_ids"]["data"] != empty)),
        (
            "footers",
            10,
            count(&|c| settings.iter().any(|name| some(&c["invoice_settings"][name]))),
        ),
    ] {
        assert_eq!(got, want, "{what}");
    }
    assert_eq!(count(&|c| c["metadata"]["region"] == "us"), 2500 + 24 + 33);
    let blank = mapping(&running)
        .iter()
        .filter(|(_, old, _)| old.is_empty())
        .count();
    assert_eq!(blank, 12, "whose only method stays behind");
}

#[tokio::test]
async fn whoever_comes_after_the_copy_comes_with_the_second_one_and_nobody_else_does() {
    let mut options = options("midnight");
    options.customers = Some(60);
    let (running, source, destination) = start(options).await;
    let (map, before) = (mapping(&running), customers(&destination).await);
    let old = customers(&source).await;
    let in_region = |c: &Value| {
        c["metadata"]["region"] == "us" && c["invoice_settings"]["default_payment_method"].is_string()
    };
    let late: Vec<&String> = old
        .iter()
        .filter(|(id, c)| in_region(c) && !before.contains_key(*id))
        .map(|(id, _)| id)
        .collect();
    assert!(!late.is_empty());
    let renamed = before.keys().next().unwrap();
    source
        .post(&format!("/v1/customers/{renamed}"), "name=Renamed", None)
        .await;
    running.play_pan_copy().unwrap();
    let (again, after) = (mapping(&running), customers(&destination).await);
    assert_eq!(&again[..map.len()], map, "the first copy's lines stay");
    let added: BTreeSet<&String> = again[map.len()..]
        .iter()
        .map(|(customer, _, _)| customer)
        .collect();
    assert!(
        late.iter()
            .all(|id| after.contains_key(*id) && added.contains(id))
    );
    assert!(
        added.len() > late.len(),
        "late cards of earlier customers came too"
    );
    assert_eq!(
        after[renamed], before[renamed],
        "changed fields are not refreshed"
    );
    running.play_pan_copy().unwrap();
    assert_eq!(mapping(&running), again);
}

#[tokio::test]
async fn who_is_added_changes_nobody_else() {
    let world = |toml: &'static str| async move {
        let mut options = options("small");
        let text = format!("{}\n{toml}", include_str!("../../assets/scenarios/small.toml"));
        options.scenario =
            cutover::rehearsal::Scenario::parse(&text, std::path::Path::new("x.toml")).unwrap();
        let (_running, source, _) = start(options).await;
        let mut seen = BTreeMap::new();
        for (id, customer) in customers(&source).await {
            let ledger = source
                .get(&format!("/v1/customers/{id}/balance_transactions?limit=100"))
                .await
                .body;
            seen.insert(id, (customer, ledger));
        }
        seen
    };
    let plain = world("").await;
    let more = world("uncopyable_only = 3\nlate_customers = 2\ndeleted_movers = 3\nduplicate_emails = 1\n[[customer]]\nid = \"cus_x\"").await;
    assert_eq!(plain.len(), 12);
    assert_eq!(more.len(), 12 + 3 + 2 + 1 + 1);
    for (id, one) in &plain {
        assert_eq!(more.get(id), Some(one), "{id}");
    }
}

#[tokio::test]
async fn the_second_card_is_the_default_and_nothing_is_on_the_new_account() {
    let (running, source, destination) = start(options("second-card-default")).await;
    let old = customers(&source).await;
    let of = |id: &str| {
        old[id]["invoice_settings"]["default_payment_method"]
            .as_str()
            .map(str::to_owned)
    };
    let ada = of("cus_second_ada").unwrap();
    let cards = methods(&source, "cus_second_ada").await;
    assert_eq!((&cards[&ada]["card"]["last4"], cards.len()), (&json!("4444"), 2));
    let oldest = cards.values().min_by_key(|m| m["created"].as_i64()).unwrap();
    assert_ne!(oldest["id"], *ada);
    assert_eq!((of("cus_second_ben"), of("cus_second_carla")), (None, None));
    assert!(
        old["cus_second_carla"]["default_source"]
            .as_str()
            .unwrap()
            .starts_with("card_")
    );
    assert_eq!(
        (
            &old["cus_second_ada"]["invoice_prefix"],
            &old["cus_second_ada"]["next_invoice_sequence"]
        ),
        (&json!("ADA1"), &json!(7))
    );
    assert_eq!(old["cus_second_ada"]["tax_ids"]["data"][0]["value"], "12-3456789");
    let new = customers(&destination).await;
    assert_eq!(
        new.keys().collect::<Vec<_>>(),
        ["cus_second_ada", "cus_second_ben", "cus_second_carla"]
    );
    assert_eq!(mapping(&running).len(), 6);
}

#[tokio::test]
async fn twins_share_an_address_and_everything_a_card_shows() {
    let (_running, source, _) = start(options("same-email")).await;
    let list = source.get("/v1/customers?email=family@example.com").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 3);
    let cards = methods(&source, "cus_same_two").await;
    let shown: BTreeSet<String> = cards
        .values()
        .map(|m| {
            format!(
                "{}{}{}",
                m["card"]["brand"], m["card"]["last4"], m["card"]["exp_year"]
            )
        })
        .collect();
    let prints: BTreeSet<String> = cards
        .values()
        .map(|m| m["card"]["fingerprint"].to_string())
        .collect();
    assert_eq!((cards.len(), shown.len(), prints.len()), (2, 1, 2));
    let other = methods(&source, "cus_same_one").await;
    let other = other.values().next().unwrap()["card"]["fingerprint"].to_string();
    assert!(prints.contains(&other), "one card, two customers");
}

#[tokio::test]
async fn eleven_methods_are_more_than_a_page_and_all_are_copied() {
    let (running, source, destination) = start(options("eleven-methods")).await;
    let page = source
        .get("/v1/customers/cus_eleven/payment_methods")
        .await
        .json();
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["has_more"]),
        (10, &json!(true))
    );
    assert_eq!(methods(&source, "cus_eleven").await.len(), 11);
    assert_eq!(methods(&destination, "cus_eleven").await.len(), 11);
    assert_eq!(mapping(&running).len(), 11);
}

#[tokio::test]
async fn debits_stay_behind_and_their_customers_come_with_what_else_they_have() {
    let (running, _, destination) = start(options("two-sepa")).await;
    let map = mapping(&running);
    let of = |id: &str| {
        map.iter()
            .filter(|(customer, old, _)| customer == id && !old.is_empty())
            .count()
    };
    assert_eq!(map[0], ("cus_sepa_only".to_owned(), String::new(), String::new()));
    assert_eq!(
        (of("cus_sepa_only"), of("cus_sepa_default"), of("cus_sepa_others")),
        (0, 1, 1)
    );
    assert_eq!((customers(&destination).await.len(), map.len()), (3, 3));
}

#[tokio::test]
async fn the_deleted_are_where_their_time_left_them() {
    let (running, source, destination) = start(options("deleted-customer")).await;
    for id in ["cus_gone_before", "cus_gone_after"] {
        let gone = source.get(&format!("/v1/customers/{id}")).await.json();
        assert_eq!(gone, json!({ "id": id, "object": "customer", "deleted": true }));
    }
    assert_eq!(
        customers(&source).await.keys().collect::<Vec<_>>(),
        ["cus_gone_late", "cus_gone_not"]
    );
    let new = customers(&destination).await;
    assert_eq!(new.keys().collect::<Vec<_>>(), ["cus_gone_after", "cus_gone_not"]);
    let map: Vec<String> = mapping(&running)
        .into_iter()
        .map(|(customer, _, _)| customer)
        .collect();
    assert_eq!(map, ["cus_gone_after", "cus_gone_not"]);
}

#[tokio::test]
async fn a_hundred_and_one_are_two_pages_and_the_empty_world_is_none() {
    let (running, source, destination) = start(options("hundred-and-one")).await;
    for account in [&source, &destination] {
        let page = account.get("/v1/customers?limit=100").await.json();
        assert_eq!(
            (page["data"].as_array().unwrap().len(), &page["has_more"]),
            (100, &json!(true))
        );
        assert_eq!(customers(account).await.len(), 101);
    }
    let mapped: BTreeSet<String> = mapping(&running)
        .into_iter()
        .map(|(customer, _, _)| customer)
        .collect();
    assert_eq!(mapped.len(), 101);
    let (running, source, destination) = start(options("empty")).await;
    assert!(customers(&source).await.is_empty() && customers(&destination).await.is_empty());
    assert_eq!(mapping(&running), []);
}

#[tokio::test]
async fn of_the_schools_thirty_thousand_three_hundred_have_a_method() {
    let (running, source, destination) = start(options("schools")).await;
    let all = all(&source, "/v1/customers?").await;
    assert_eq!(all.len(), 30_000);
    assert_eq!(customers(&destination).await.len(), 300);
    let mapped: BTreeSet<String> = mapping(&running)
        .into_iter()
        .map(|(customer, _, _)| customer)
        .collect();
    assert_eq!(mapped.len(), 300);
    let no_default = |c: &&Value| {
        c["invoice_settings"]["default_payment_method"].is_null() && c["default_source"].is_null()
    };
    let idle = all
        .iter()
        .find(|c| no_default(c) && !mapped.contains(c["id"].as_str().unwrap()))
        .unwrap();
    assert!(methods(&source, idle["id"].as_str().unwrap()).await.is_empty());
}
