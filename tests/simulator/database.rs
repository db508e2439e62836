//! The application's database of a rehearsal, and what the verdict says of it and of default methods.

use std::path::Path;

use cutover::rehearsal::{Claims, DefaultClaim, Options, RowClaim, Running, rule};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::client::{Account, options, start};

type Line = (i64, String, Option<String>, Vec<u8>);

fn with_database(scenario: &str, folder: &Path) -> Options {
    let mut options = options(scenario);
    options.mapping_csv = Some(folder.join("mapping.csv"));
    options.app_database = Some(folder.join("app data#1.sqlite"));
    options
}

/// As the address says, and nothing else is known.
async fn open(running: &Running) -> SqliteConnection {
    let url = running.describe().database_url.clone().unwrap();
    assert!(url.starts_with("sqlite:///"), "{url}");
    url.parse::<SqliteConnectOptions>()
        .unwrap()
        .connect()
        .await
        .unwrap()
}

async fn lines(running: &Running) -> Vec<Line> {
    let mut connection = open(running).await;
    let query = "SELECT id, customer_id, payment_method, \
                 CAST(plan || seats || status || region || coalesce(note, 'NULL') AS BLOB) FROM subscriptions ORDER BY id";
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect()
}

async fn change(running: &Running, statement: &'static str, value: &str, id: i64) {
    let mut connection = open(running).await;
    let query = sqlx::query(statement).bind(value.to_owned()).bind(id);
    let done = query.execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{statement}");
    connection.close().await.unwrap();
}

const SET_METHOD: &str = "UPDATE subscriptions SET payment_method = ? WHERE id = ?";

async fn rules(running: &Running, claims: &Claims) -> Vec<&'static str> {
    running
        .verdict(claims)
        .await
        .violations
        .iter()
        .map(|v| v.rule)
        .collect()
}

/// New id by old id, from the mapping file.
fn copy_of(running: &Running, old: &str) -> Option<String> {
    let text = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
    let line = text
        .lines()
        .find(|line| line.split(',').nth(2) == Some(old))?
        .to_owned();
    line.split(',').nth(5).map(str::to_owned)
}

async fn region(source: &Account, customer: &str) -> Value {
    source.get(&format!("/v1/customers/{customer}")).await.json()["metadata"]["region"].clone()
}

#[tokio::test]
async fn the_same_seed_fills_the_database_alike_and_another_one_otherwise() {
    let filled = |seed: u64| async move {
        let folder = tempfile::tempdir().unwrap();
        let mut options = with_database("midnight", folder.path());
        options.customers = Some(400);
        options.seed = seed;
        let (running, source, _) = start(options).await;
        let lines = lines(&running).await;
        assert_eq!(rules(&running, &Claims::default()).await, [""; 0]);
        (lines, running, source, folder)
    };
    let (one, running, source, _folder) = filled(7).await;
    assert_eq!(one, filled(7).await.0);
    assert_ne!(one, filled(8).await.0);

    let mut of = std::collections::BTreeMap::<&str, u32>::new();
    for (_, customer, _, _) in &one {
        *of.entry(customer).or_default() += 1;
    }
    assert!(of.values().any(|rows| *rows == 2) && of.values().all(|rows| *rows <= 2));
    assert!(one.iter().any(|(_, _, method, _)| method.is_none()));
    assert!(
        one.iter().any(|(_, _, _, rest)| rest.contains(&0x1b)),
        "an escape sequence in a note"
    );
    let copied = one
        .iter()
        .filter(|(_, _, m, _)| m.as_deref().is_some_and(|m| copy_of(&running, m).is_some()))
        .count();
    assert!(
        copied * 3 > one.len() && copied < one.len(),
        "{copied} of {}",
        one.len()
    );
    let mut regions = std::collections::BTreeSet::new();
    for (_, customer, _, _) in one.iter().take(60) {
        regions.insert(region(&source, customer).await.to_string());
    }
    assert!(
        regions.contains("\"us\"") && regions.contains("\"au\""),
        "{regions:?}"
    );
}

#[tokio::test]
async fn a_row_may_become_its_copy_and_nothing_else_and_claims_must_be_true() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _, _) = start(with_database("second-card-default", folder.path())).await;
    let all = lines(&running).await;
    let (id, old) = all
        .iter()
        .find(|l| l.1 == "cus_second_ada")
        .map(|l| (l.0, l.2.clone().unwrap()))
        .unwrap();
    let new = copy_of(&running, &old).unwrap();
    let claim = |value: &str| Claims {
        rows: vec![RowClaim {
            key: id.to_string(),
            column: "payment_method".to_owned(),
            value: Some(value.to_owned()),
        }],
        ..Claims::default()
    };
    assert_eq!(
        rules(&running, &claim(&new)).await,
        [rule::DATABASE_ID],
        "said, but not done"
    );
    change(&running, SET_METHOD, &new, id).await;
    assert_eq!(rules(&running, &claim(&new)).await, [""; 0]);
    assert_eq!(rules(&running, &claim(&old)).await, [rule::DATABASE_ID]);
    change(&running, SET_METHOD, "pm\u{1b}other", id).await;
    let found = running.verdict(&Claims::default()).await.violations;
    let said = (
        found[0].rule,
        found[0].reason.contains("is \"pm\\u{1b}other\", may become"),
    );
    assert_eq!((found.len(), said), (1, (rule::DATABASE_ID, true)), "{found:?}");
    change(&running, SET_METHOD, &old, id).await;
    assert_eq!(rules(&running, &claim(&old)).await, [""; 0], "undone");
    change(
        &running,
        "UPDATE subscriptions SET note = ? WHERE id = ?",
        "x",
        id,
    )
    .await;
    assert_eq!(rules(&running, &Claims::default()).await, [rule::DATABASE_ROW]);
}

#[tokio::test]
async fn no_row_of_a_stayer_changes_and_none_comes_or_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (running, source, _) = start(with_database("second-card-default", folder.path())).await;
    let all = lines(&running).await;
    let id = all.iter().find(|l| l.1 == "cus_second_stays").unwrap().0;
    change(&running, SET_METHOD, "pm_other", id).await;
    assert_eq!(rules(&running, &Claims::default()).await, [rule::DATABASE_ROW]);
    let world = source.get("/_cutover/world").await.json();
    assert_eq!(world["violations"][0]["rule"], rule::DATABASE_ROW);
    change(
        &running,
        "UPDATE subscriptions SET status = ?, id = id + 5000 WHERE id = ?",
        "active",
        id,
    )
    .await;
    assert_eq!(
        rules(&running, &Claims::default()).await,
        [rule::DATABASE_ROW, rule::DATABASE_ROW]
    );
    std::fs::remove_file(folder.path().join("app data#1.sqlite")).unwrap();
    assert_eq!(
        rules(&running, &Claims::default()).await,
        [rule::DATABASE_ROW],
        "it cannot be read"
    );
}

#[tokio::test]
async fn a_row_whose_method_was_not_copied_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _, destination) = start(with_database("two-sepa", folder.path())).await;
    let all = lines(&running).await;
    let row = all.iter().find(|l| l.1 == "cus_sepa_only").unwrap();
    let list = destination
        .get("/v1/customers/cus_sepa_default/payment_methods")
        .await
        .json();
    change(
        &running,
        SET_METHOD,
        list["data"][0]["id"].as_str().unwrap(),
        row.0,
    )
    .await;
    assert_eq!(rules(&running, &Claims::default()).await, [rule::DATABASE_ID]);
}

#[tokio::test]
async fn a_default_is_the_copy_of_the_old_default_or_what_a_person_decided() {
    let folder = tempfile::tempdir().unwrap();
    let (running, source, destination) = start(with_database("second-card-default", folder.path())).await;
    let set = async |customer: &str, method: &str| {
        let form = format!("invoice_settings[default_payment_method]={method}");
        let answer = destination
            .post(&format!("/v1/customers/{customer}"), &form, None)
            .await;
        assert_eq!(answer.status, Some(200), "{answer:?}");
    };
    let claim = |customer: &str, method: &str, decided| Claims {
        defaults: vec![DefaultClaim {
            customer: customer.to_owned(),
            method: method.to_owned(),
            decided,
        }],
        ..Claims::default()
    };
    let ada = source.get("/v1/customers/cus_second_ada").await.json();
    let old = ada["invoice_settings"]["default_payment_method"]
        .as_str()
        .unwrap();
    let right = copy_of(&running, old).unwrap();
    let cards = destination
        .get("/v1/customers/cus_second_ada/payment_methods")
        .await
        .json();
    let cards = cards["data"].as_array().unwrap();
    let wrong = cards
        .iter()
        .map(|m| m["id"].as_str().unwrap())
        .find(|id| *id != right)
        .unwrap();
    assert_eq!(
        rules(&running, &claim("cus_second_ada", &right, false)).await,
        [rule::DEFAULT_MISSED]
    );
    set("cus_second_ada", wrong).await;
    assert_eq!(rules(&running, &Claims::default()).await, [rule::WRONG_DEFAULT]);
    let decided = claim("cus_second_ada", wrong, true);
    assert_eq!(
        rules(&running, &decided).await,
        [rule::WRONG_DEFAULT],
        "nobody decides where there is a copy"
    );
    set("cus_second_ada", &right).await;
    assert_eq!(
        rules(&running, &claim("cus_second_ada", &right, false)).await,
        [""; 0]
    );

    // A default source is what is charged when the invoice settings name nothing.
    let carla = source.get("/v1/customers/cus_second_carla").await.json();
    let source_copy = copy_of(&running, carla["default_source"].as_str().unwrap()).unwrap();
    set("cus_second_carla", &source_copy).await;
    assert_eq!(rules(&running, &Claims::default()).await, [""; 0]);

    let ben = destination
        .get("/v1/customers/cus_second_ben/payment_methods")
        .await
        .json();
    let card = ben["data"][0]["id"].as_str().unwrap();
    set("cus_second_ben", card).await;
    assert_eq!(
        rules(&running, &claim("cus_second_ben", card, false)).await,
        [rule::WRONG_DEFAULT]
    );
    assert_eq!(
        rules(&running, &claim("cus_second_ben", card, true)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_rehearsal_taken_up_again_finds_its_database_and_its_people_as_it_left_them() {
    let folder = tempfile::tempdir().unwrap();
    let make = || {
        let mut options = with_database("two-sepa", folder.path());
        options.world_log = Some(folder.path().join("world.log"));
        options
    };
    let look = async |source: &Account, destination: &Account| {
        let mut seen = Vec::new();
        for account in [source, destination] {
            for path in [
                "/v1/customers?limit=100&expand[]=data.tax_ids&expand[]=data.sources",
                "/v1/customers/cus_sepa_others/payment_methods",
                "/v1/events",
            ] {
                seen.push(account.get(path).await.body);
            }
        }
        seen
    };
    let (running, source, destination) = start(make()).await;
    let all = lines(&running).await;
    let row = all.iter().find(|l| l.1 == "cus_sepa_others").unwrap();
    let new = row.2.as_deref().and_then(|old| copy_of(&running, old));
    let new = new.unwrap_or_else(|| row.2.clone().unwrap());
    change(&running, SET_METHOD, &new, row.0).await;
    let card = source
        .get("/v1/customers/cus_sepa_default/payment_methods?type=card")
        .await
        .json();
    let card = card["data"][0]["id"].as_str().unwrap().to_owned();
    for (path, form) in [
        (
            "/v1/customers/cus_sepa_only/tax_ids".to_owned(),
            "type=eu_vat&value=DE123456789",
        ),
        (
            format!("/v1/payment_methods/{card}"),
            "metadata[a]=b&card[exp_year]=2033",
        ),
        (format!("/v1/payment_methods/{card}/detach"), ""),
        (
            "/v1/payment_methods/pm_card_amex/attach".to_owned(),
            "customer=cus_sepa_only",
        ),
    ] {
        assert_eq!(
            source.post(&path, form, Some(&path)).await.status,
            Some(200),
            "{path}"
        );
    }
    running.play_pan_copy().unwrap();
    let before = (
        look(&source, &destination).await,
        lines(&running).await,
        std::fs::read(folder.path().join("mapping.csv")).unwrap(),
    );
    let found = running.verdict(&Claims::default()).await;
    assert_eq!(found.violations, []);
    running.stop().await;

    let (running, source, destination) = start(make()).await;
    let after = (
        look(&source, &destination).await,
        lines(&running).await,
        std::fs::read(folder.path().join("mapping.csv")).unwrap(),
    );
    assert!(before == after);
    assert_eq!(running.verdict(&Claims::default()).await, found);
    running.stop().await;

    std::fs::remove_file(folder.path().join("app data#1.sqlite")).unwrap();
    let error = cutover::rehearsal::Simulator::start(make())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("is gone"), "{error}");
}
