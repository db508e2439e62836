use serde_json::{Value, json};

use super::*;
use crate::domain::change::Decision;
use crate::stages::catalogue::plan::USE_EXISTING;
use crate::stages::catalogue::samples::{
    created, planned, price_json, product_json, rate_json, row, sealed, world,
};

fn old() -> [Value; 3] {
    [
        product_json(
            "gold",
            json!({"default_price": "price_1", "metadata": {"a": "1"}}),
        ),
        price_json("price_1", "gold", json!({})),
        rate_json("txr_1", json!({})),
    ]
}

fn rows() -> Vec<Change> {
    planned(&world(&old(), &[], &[]))
}

fn write(key: &str) -> PlannedWrite {
    row(&rows(), key).writes[0].clone()
}

#[test]
fn a_row_is_written_after_the_rows_it_needs() {
    let rank = |key: &str| Catalogue.rank(row(&rows(), key));
    assert!(rank("product/gold") < rank("price/gold/price_1"));
    assert!(rank("price/gold/price_1") < rank("default_price/gold"));
}

#[test]
fn an_answer_with_another_object_mode_marker_or_field_is_not_what_was_sent() {
    for (key, spoil) in [
        ("product/gold", json!({"name": "x"})),
        ("product/gold", json!({"id": "silver"})),
        ("product/gold", json!({"object": "price"})),
        ("product/gold", json!({"livemode": true})),
        (
            "product/gold",
            json!({"metadata": {"a": "1", "cutover_of": "gold"}}),
        ),
        ("product/gold", json!({"metadata": {}})),
        ("price/gold/price_1", json!({"unit_amount": 1001})),
        ("price/gold/price_1", json!({"currency": "eur"})),
        ("price/gold/price_1", json!({"product": "silver"})),
        ("tax_rate/txr_1", json!({"percentage": 8.26})),
        ("tax_rate/txr_1", json!({"inclusive": true})),
    ] {
        let write = write(key);
        let mut made = created(&write, "new_1");
        let attested = Catalogue.attest(&write, made.to_string().as_bytes(), false);
        let id = made["id"].as_str().unwrap().to_owned();
        assert_eq!(attested.map(|attested| attested.object), Ok(id), "{key}");
        for (name, value) in spoil.as_object().unwrap() {
            made[name] = value.clone();
        }
        assert!(
            Catalogue
                .attest(&write, made.to_string().as_bytes(), false)
                .is_err(),
            "{key} {spoil}"
        );
    }
    assert!(Catalogue.attest(&write("product/gold"), b"{", false).is_err());
}

#[test]
fn a_default_price_is_known_by_what_it_set_on_the_product_it_was_set_on() {
    let mut write = write("default_price/gold");
    write.form[0].1 = "price_n".to_owned();
    let product = |id: &str, default: Value| product_json(id, json!({"default_price": default})).to_string();
    let (right, other) = (
        product("gold", json!("price_n")),
        product("gold", json!("price_x")),
    );
    assert!(Catalogue.is_effect(&write, right.as_bytes()));
    assert!(!Catalogue.is_effect(&write, other.as_bytes()));
    assert!(!Catalogue.is_effect(&write, product("gold", Value::Null).as_bytes()));
    let attested = Catalogue.attest(&write, right.as_bytes(), false).unwrap();
    assert_eq!(attested.object, "gold");
    assert!(Catalogue.attest(&write, other.as_bytes(), false).is_err());
    let elsewhere = product("silver", json!("price_n"));
    assert!(Catalogue.attest(&write, elsewhere.as_bytes(), false).is_err());
}

#[test]
fn what_was_created_is_known_by_its_marker_alone() {
    let write = write("price/gold/price_1");
    let made = created(&write, "price_n");
    assert!(Catalogue.is_effect(&write, made.to_string().as_bytes()));
    let twin = price_json("price_n", "gold", json!({"metadata": {"cutover_of": "price_1"}}));
    assert!(!Catalogue.is_effect(&write, twin.to_string().as_bytes()));
}

#[test]
fn a_probe_looks_where_the_object_would_be_and_asks_for_all_that_is_compared() {
    let since = UtcMs::from_secs(10_000);
    let product = Catalogue.probe(&write("product/gold"), since);
    assert_eq!(
        (product.path.as_str(), product.list),
        ("/v1/products/gold", false)
    );
    let default = Catalogue.probe(&write("default_price/gold"), since);
    assert_eq!(
        (default.path.as_str(), default.list),
        ("/v1/products/gold", false)
    );
    let tiers = json!([{"up_to": null, "flat_amount": null, "unit_amount": 5, "unit_amount_decimal": "5"}]);
    let more = json!({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": tiers, "active": false,
                      "unit_amount": null, "unit_amount_decimal": null});
    let tiered = [
        product_json("gold", json!({})),
        price_json("price_1", "gold", more),
    ];
    let rows = planned(&world(&tiered, &[], &["price_1"]));
    let probe = Catalogue.probe(&row(&rows, "price/gold/price_1").writes[0], since);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let want = [
        pair("created[gte]", "6400"),
        pair("product", "gold"),
        pair("active", "false"),
        pair("expand[]", "data.tiers"),
    ];
    assert_eq!(
        (probe.path.as_str(), probe.query.as_slice(), probe.list),
        ("/v1/prices", want.as_slice(), true)
    );
}

#[test]
fn old_ids_lead_to_what_was_made_what_was_there_and_what_a_person_signed_for() {
    let mapped = |kind: &str, old: &str, new: &str| Mapped {
        kind: kind.into(),
        old: old.into(),
        new: new.into(),
    };
    let rows = rows();
    let of = |key: &str, made: Option<&str>| Catalogue.ids(row(&rows, key), made);
    assert_eq!(
        of("product/gold", Some("gold")),
        Some(mapped("product", "gold", "gold"))
    );
    assert_eq!(
        of("price/gold/price_1", Some("price_n")),
        Some(mapped("price", "price_1", "price_n"))
    );
    assert_eq!(
        of("tax_rate/txr_1", Some("txr_n")),
        Some(mapped("tax_rate", "txr_1", "txr_n"))
    );
    assert_eq!(of("price/gold/price_1", None), None);
    assert_eq!(of("default_price/gold", Some("gold")), None);

    let there = price_json(
        "price_n",
        "gold",
        json!({"metadata": {"cutover_of": "price_1"}, "nickname": "x"}),
    );
    let plan = sealed(&world(&old(), &[there], &[]));
    let change = |plan: &Plan| {
        row(
            &plan.changes().iter().map(|c| (**c).clone()).collect::<Vec<_>>(),
            "price/gold/price_1",
        )
        .clone()
    };
    assert_eq!(Catalogue.ids(&change(&plan), None), None);
    let decide = |choice: &str| {
        let decision = Decision {
            choice: choice.into(),
            by: "ada".into(),
            note: "same to customers".into(),
            number: None,
        };
        change(&plan.decide(&change(&plan).key, decision).unwrap())
    };
    assert_eq!(
        Catalogue.ids(&decide(USE_EXISTING), None),
        Some(mapped("price", "price_1", "price_n"))
    );
    assert_eq!(Catalogue.ids(&decide("leave_out"), None), None);
}

#[test]
fn every_setting_that_decides_stands_in_the_header() {
    use crate::stages::catalogue::{InactiveInUse, Settings as Own};
    let accounts = crate::stages::catalogue::samples::accounts();
    let header = |inactive_in_use| {
        let settings = Settings {
            catalogue: Own { inactive_in_use },
            ..Settings::default()
        };
        Catalogue.header(&accounts, &settings).unwrap()
    };
    assert_ne!(header(InactiveInUse::AsOld), header(InactiveInUse::Active));
}
