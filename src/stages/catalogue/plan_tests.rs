use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::domain::change::{Decision, Risk};
use crate::domain::write::{is_place, place_of};
use crate::stages::catalogue::effects::{
    CREATE_PRICE, CREATE_PRODUCT, CREATE_TAX_RATE, SET_DEFAULT_PRICE, sent,
};
use crate::stages::catalogue::fields::own_keys;
use crate::stages::catalogue::samples::{
    findings, link, only, planned, planned_with, price_json, product_json, rate_json, row, sealed, world,
};

pub(super) fn gold(more: Value) -> Value {
    product_json("gold", more)
}

pub(super) fn price(id: &str, more: Value) -> Value {
    price_json(id, "gold", more)
}

pub(super) fn none() -> Value {
    json!({})
}

#[test]
fn what_can_be_bought_is_planned_in_the_order_product_price_default_price() {
    let world = world(
        &[
            gold(json!({"default_price": "price_1"})),
            price("price_1", none()),
        ],
        &[],
        &[],
    );
    let rows = planned(&world);
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.key.0.as_str(),
                row.subject.as_str(),
                row.rule.as_str(),
                row.writes[0].op.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("product/gold", "gold", "missing", CREATE_PRODUCT),
            ("default_price/gold", "gold", "missing", SET_DEFAULT_PRICE),
            ("price/gold/price_1", "gold", "missing", CREATE_PRICE),
        ]
    );
    assert!(
        rows.iter()
            .all(|row| row.verdict == Verdict::Planned && row.money.is_none())
    );
    assert_eq!(sent(&row(&rows, "product/gold").writes[0], "id"), Some("gold"));
    assert!(sent(&row(&rows, "product/gold").writes[0], "default_price").is_none());
    let create = &row(&rows, "price/gold/price_1").writes[0];
    assert_eq!(sent(create, "metadata[cutover_of]"), Some("price_1"));
    assert!(sent(create, "id").is_none() && create.marked);
    let default = &row(&rows, "default_price/gold").writes[0];
    assert_eq!(default.form, [("default_price".to_owned(), place_of("price_1"))]);
    assert!(!default.marked && default.path == "/v1/products/gold");
}

#[test]
fn what_is_inactive_and_not_used_has_nothing_to_do() {
    let off = json!({"active": false});
    let world = world(
        &[
            gold(off.clone()),
            price("price_on", none()),
            price("price_off", off.clone()),
            rate_json("txr_1", off),
        ],
        &[],
        &[],
    );
    let rows = planned(&world);
    assert!(
        rows.iter()
            .all(|row| (row.rule.as_str(), row.verdict) == ("not_used", Verdict::Noop))
    );
    assert_eq!(rows.len(), 4);
}

#[test]
fn what_is_inactive_and_subscribed_to_is_created_as_the_setting_says() {
    let off = json!({"active": false});
    let world = world(
        &[
            gold(off.clone()),
            price("price_1", off.clone()),
            rate_json("txr_1", off),
        ],
        &[],
        &["price_1", "txr_1"],
    );
    for (setting, active) in [(InactiveInUse::AsOld, "false"), (InactiveInUse::Active, "true")] {
        let (rows, findings) = planned_with(&world, setting);
        for row in &rows {
            assert_eq!(
                (row.verdict, row.rule.as_str()),
                (Verdict::Planned, "inactive_in_use"),
                "{}",
                row.key
            );
            assert_eq!(sent(&row.writes[0], "active"), Some(active), "{}", row.key);
        }
        assert!(findings.iter().any(|finding| finding.rule == "inactive_in_use"));
    }
    let ops: BTreeSet<_> = planned(&world)
        .iter()
        .map(|row| row.writes[0].op.clone())
        .collect();
    assert_eq!(
        ops,
        [CREATE_PRICE, CREATE_PRODUCT, CREATE_TAX_RATE]
            .map(str::to_owned)
            .into()
    );
}

#[test]
fn what_is_there_and_equal_is_mapped_by_id_marker_or_lookup_key() {
    let keyed = |id: &str, more: Value| price(id, more);
    let old = [
        gold(json!({"default_price": "price_1"})),
        keyed("price_1", json!({"metadata": {"a": "1"}})),
        keyed("price_2", json!({"lookup_key": "monthly"})),
        rate_json("txr_1", none()),
    ];
    let new = [
        gold(json!({"default_price": "price_n1", "metadata": {"cutover_of": "gold"}})),
        keyed(
            "price_n1",
            json!({"metadata": {"a": "1", "cutover_of": "price_1", "cutover_run": "r"}}),
        ),
        keyed("price_n2", json!({"lookup_key": "monthly"})),
        rate_json("txr_n1", none()),
    ];
    let rows = planned(&world(&old, &new, &[]));
    for row in &rows {
        assert_eq!(
            (row.verdict, row.rule.as_str()),
            (Verdict::Noop, "equal_exists"),
            "{}: {}",
            row.key,
            row.why
        );
    }
    let existing = |key: &str| assemble::payload(row(&rows, key)).unwrap().existing;
    assert_eq!(existing("product/gold").as_deref(), Some("gold"));
    assert_eq!(existing("price/gold/price_1").as_deref(), Some("price_n1"));
    assert_eq!(existing("price/gold/price_2").as_deref(), Some("price_n2"));
    assert_eq!(existing("tax_rate/txr_1").as_deref(), Some("txr_n1"));
}

#[test]
fn an_equal_amount_alone_is_no_match() {
    let there = [gold(none()), price("price_n", none())];
    let rows = planned(&world(&[gold(none()), price("price_1", none())], &there, &[]));
    assert_eq!(only(&rows, "price").rule, "missing");
}

#[test]
fn what_is_there_and_different_is_blocked_field_by_field_until_a_person_signs() {
    let old = [
        gold(none()),
        price("price_1", json!({"lookup_key": "k"})),
        rate_json("txr_1", none()),
    ];
    let new = [
        gold(json!({"name": "Other", "url": "https://x"})),
        price(
            "price_n",
            json!({"lookup_key": "k", "unit_amount": 1001, "unit_amount_decimal": "1001"}),
        ),
        rate_json(
            "txr_n",
            json!({"inclusive": true, "metadata": {"cutover_of": "txr_1"}}),
        ),
    ];
    let world = world(&old, &new, &[]);
    let rows = planned(&world);
    let differ = |key: &str| {
        let row = row(&rows, key);
        assert_eq!(
            (row.verdict, row.writes.len(), row.risk),
            (Verdict::Blocked, 0, Risk::High)
        );
        assert!(
            row.choices
                .iter()
                .all(|choice| choice.sign_off && choice.writes.is_empty())
        );
        let names = row.fields.iter().filter(|field| !field.equal);
        (
            row.rule.clone(),
            names.map(|field| field.name.clone()).collect::<Vec<_>>(),
        )
    };
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        differ("product/gold"),
        ("product_differs".into(), names(&["name", "url"]))
    );
    assert_eq!(
        differ("price/gold/price_1"),
        ("price_differs".into(), names(&["unit_amount"]))
    );
    assert_eq!(
        differ("tax_rate/txr_1"),
        ("tax_rate_differs".into(), names(&["inclusive"]))
    );
    let decision = |note: &str| Decision {
        choice: USE_EXISTING.into(),
        by: "ada".into(),
        note: note.into(),
        number: None,
    };
    let plan = sealed(&world);
    let key = row(&rows, "price/gold/price_1").key.clone();
    assert!(plan.decide(&key, decision("")).is_err());
    let signed = plan.decide(&key, decision("same to customers")).unwrap();
    assert_eq!(signed.totals().left_out, 1);
    assert_ne!(signed.digest(), plan.digest());
}

#[test]
fn an_earlier_match_that_is_different_is_not_mapped_where_nothing_is_to_do() {
    let old = [
        gold(none()),
        price("price_1", json!({"active": false, "lookup_key": "k"})),
    ];
    let new = [gold(none()), price("price_n", json!({"lookup_key": "k"}))];
    let rows = planned(&world(&old, &new, &[]));
    assert_eq!(only(&rows, "price").rule, "not_used");
    assert_eq!(assemble::payload(only(&rows, "price")).unwrap().existing, None);
}

#[test]
fn each_reason_not_to_create_a_price_has_its_rule() {
    let many: serde_json::Map<String, Value> = (0..47).map(|n| (format!("k{n}"), json!("v"))).collect();
    let tiered = json!({"billing_scheme": "tiered", "tiers_mode": "volume", "unit_amount": null, "unit_amount_decimal": null});
    let usage = json!({"interval": "month", "interval_count": 1, "meter": "mtr_1", "usage_type": "metered"});
    let marked = json!({"metadata": {"cutover_of": "price_1"}});
    let cases: [(&str, Value, Vec<Value>, Verdict); 10] = [
        (
            "metered",
            json!({"recurring": usage}),
            vec![gold(none())],
            Verdict::Blocked,
        ),
        (
            "runbook",
            json!({"custom_unit_amount": {"maximum": null, "minimum": 100, "preset": null}, "unit_amount": null, "unit_amount_decimal": null}),
            vec![gold(none())],
            Verdict::LeftOut,
        ),
        ("unreadable", tiered, vec![gold(none())], Verdict::Blocked),
        (
            "unreadable",
            json!({"unit_amount_decimal": "1000.5"}),
            vec![gold(none())],
            Verdict::Blocked,
        ),
        (
            "unreadable",
            json!({"unit_amount": null, "unit_amount_decimal": null}),
            vec![gold(none())],
            Verdict::Blocked,
        ),
        (
            "ambiguous",
            none(),
            vec![
                gold(none()),
                price("price_n1", marked.clone()),
                price("price_n2", marked),
            ],
            Verdict::Blocked,
        ),
        (
            "lookup_key_taken",
            json!({"lookup_key": "k"}),
            vec![
                gold(none()),
                price_json("price_n", "silver", json!({"lookup_key": "k"})),
            ],
            Verdict::Blocked,
        ),
        (
            "lookup_key_taken",
            json!({"lookup_key": "k"}),
            vec![
                gold(none()),
                price(
                    "price_n",
                    json!({"lookup_key": "k", "metadata": {"cutover_of": "price_0"}}),
                ),
            ],
            Verdict::Blocked,
        ),
        (
            "too_many_metadata",
            json!({"metadata": many}),
            vec![gold(none())],
            Verdict::Blocked,
        ),
        (
            "missing",
            json!({"unit_amount": null, "unit_amount_decimal": "0.5"}),
            vec![gold(none())],
            Verdict::Planned,
        ),
    ];
    for (rule, more, new, verdict) in cases {
        let rows = planned(&world(&[gold(none()), price("price_1", more)], &new, &[]));
        let row = only(&rows, "price");
        assert_eq!((row.rule.as_str(), row.verdict), (rule, verdict), "{}", row.why);
        assert_eq!(row.writes.is_empty(), verdict != Verdict::Planned);
    }
}

#[test]
fn exactly_as_many_metadata_keys_as_leave_room_for_ours_are_taken() {
    let keys = |n: usize| {
        (0..n)
            .map(|n| (format!("k{n}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
    };
    for (n, rule) in [(46, "missing"), (47, "too_many_metadata")] {
        let rows = planned(&world(&[gold(json!({"metadata": keys(n)}))], &[], &[]));
        assert_eq!(rows[0].rule, rule);
    }
    let ours = [
        ("cutover_of".to_owned(), "x".to_owned()),
        ("a".to_owned(), "b".to_owned()),
    ];
    assert_eq!(own_keys(&ours.into()), 1);
}

#[test]
fn a_price_whose_product_will_not_be_there_is_blocked_with_its_default() {
    let many: serde_json::Map<String, Value> = (0..47).map(|n| (format!("k{n}"), json!("v"))).collect();
    let old = [
        gold(json!({"metadata": many, "default_price": "price_1"})),
        price("price_1", none()),
    ];
    let rows = planned(&world(&old, &[], &[]));
    assert_eq!(only(&rows, "price").rule, "product_blocked");
    assert_eq!(only(&rows, "default price").rule, "product_blocked");
    let orphan = planned(&world(&[price("price_1", none())], &[], &["price_1"]));
    assert_eq!(only(&orphan, "price").rule, "product_blocked");
    // A product that is there, different as it is, can carry the price.
    let rows = planned(&world(
        &[gold(none()), price("price_1", none())],
        &[gold(json!({"name": "x"}))],
        &[],
    ));
    assert_eq!(only(&rows, "product").rule, "product_differs");
    assert_eq!(only(&rows, "price").rule, "missing");
}

#[test]
fn a_default_price_over_there_is_never_changed() {
    let old = [
        gold(json!({"default_price": "price_1"})),
        price("price_1", none()),
    ];
    let new = [
        gold(json!({"default_price": "price_x"})),
        price("price_x", none()),
    ];
    let rows = planned(&world(&old, &new, &[]));
    let row = only(&rows, "default price");
    assert_eq!(
        (row.rule.as_str(), row.verdict, row.writes.len()),
        ("default_price_differs", Verdict::Blocked, 0)
    );
    assert!(
        row.choices
            .iter()
            .all(|choice| choice.sign_off && choice.writes.is_empty())
    );
}

#[test]
fn a_default_price_follows_what_is_decided_about_the_price() {
    let usage = json!({"interval": "month", "interval_count": 1, "meter": "mtr_1", "usage_type": "metered"});
    let default = |more: Value, new: &[Value]| {
        let old = [gold(json!({"default_price": "price_1"})), price("price_1", more)];
        only(&planned(&world(&old, new, &[])), "default price").clone()
    };
    assert_eq!(default(json!({"recurring": usage}), &[]).rule, "price_blocked");
    let free = json!({"custom_unit_amount": {"maximum": null, "minimum": null, "preset": null}});
    assert_eq!(default(free, &[]).verdict, Verdict::LeftOut);
    let other = price("price_n", json!({"lookup_key": "k", "nickname": "other"}));
    let row = default(json!({"lookup_key": "k"}), &[gold(none()), other]);
    assert_eq!(
        (row.rule.as_str(), row.verdict),
        ("price_blocked", Verdict::Blocked)
    );
    let [choice] = row.choices.as_slice() else {
        panic!("{:?}", row.choices)
    };
    assert_eq!(sent(&choice.writes[0], "default_price"), Some("price_n"));
    assert!(choice.sign_off);
    // Created by an earlier run that did not come as far as the default price.
    let marked = price("price_n", json!({"metadata": {"cutover_of": "price_1"}}));
    let row = default(none(), &[gold(none()), marked]);
    assert_eq!(row.verdict, Verdict::Planned);
    assert!(is_place(sent(&row.writes[0], "default_price").unwrap()));
}

#[test]
fn live_links_and_what_only_they_sell_are_left_to_the_runbook_with_a_finding_each() {
    let old = [
        gold(none()),
        price("price_1", none()),
        price("price_2", none()),
        price("price_3", none()),
    ];
    let mut world = world(&old, &[], &["price_2"]);
    for (id, active) in [("plink_1", true), ("plink_2", false)] {
        let prices: &[&str] = if active {
            &["price_1", "price_2"]
        } else {
            &["price_3"]
        };
        world.source.links.insert(id.into(), link(id, active, prices));
    }
    let rows = planned(&world);
    let of = |key: &str| (row(&rows, key).rule.clone(), row(&rows, key).verdict);
    assert_eq!(of("price/gold/price_1"), ("runbook".into(), Verdict::LeftOut));
    assert_eq!(of("price/gold/price_2"), ("missing".into(), Verdict::Planned));
    assert_eq!(of("price/gold/price_3"), ("missing".into(), Verdict::Planned));
    assert_eq!(of("payment_link/plink_1"), ("runbook".into(), Verdict::LeftOut));
    assert_eq!(of("payment_link/plink_2"), ("not_used".into(), Verdict::Noop));
    let named: Vec<_> = findings(&world)
        .into_iter()
        .map(|f| (f.rule, f.customer))
        .collect();
    assert!(named.contains(&("payment_link".into(), "plink_1".into())));
    assert!(named.contains(&("price_behind_link".into(), "price_1".into())));
    assert_eq!(named.len(), 2);
}

#[test]
fn a_legacy_plan_becomes_a_price_with_a_new_id() {
    let rows = planned(&world(&[gold(none()), price("gold-monthly", none())], &[], &[]));
    let row = only(&rows, "price");
    assert_eq!(
        (row.rule.as_str(), row.verdict),
        ("legacy_plan", Verdict::Planned)
    );
    assert_eq!(sent(&row.writes[0], "metadata[cutover_of]"), Some("gold-monthly"));
}

#[test]
fn a_tax_that_is_an_amount_is_blocked_and_of_two_equal_ones_none_is_taken() {
    let amount = json!({"flat_amount": {"amount": 50, "currency": "usd"}});
    let rows = planned(&world(&[rate_json("txr_1", amount)], &[], &[]));
    assert_eq!(
        (rows[0].rule.as_str(), rows[0].verdict),
        ("flat_amount", Verdict::Blocked)
    );
    let twice = [rate_json("txr_a", none()), rate_json("txr_b", none())];
    let rows = planned(&world(&[rate_json("txr_1", none())], &twice, &[]));
    assert_eq!(rows[0].rule, "missing");
}

#[test]
fn a_price_made_for_one_subscription_becomes_one_of_its_own_and_says_so() {
    let mut world = world(&[gold(none()), price("price_1", none())], &[], &["price_1"]);
    world.source.prices.get_mut("price_1").unwrap().inline = true;
    assert_eq!(only(&planned(&world), "price").verdict, Verdict::Planned);
    assert_eq!(findings(&world)[0].rule, "inline_price");
}

#[test]
fn a_subscription_that_was_not_read_whole_is_named() {
    let mut world = world(&[], &[], &[]);
    world.usage.cut.insert("sub_1".into());
    let said = findings(&world);
    assert_eq!(
        (said[0].rule.as_str(), said[0].customer.as_str()),
        ("items_cut", "sub_1")
    );
}
