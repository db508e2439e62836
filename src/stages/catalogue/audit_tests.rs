use serde_json::{Value, json};

use super::*;
use crate::domain::change::Decision;
use crate::stages::catalogue::samples::{
    created, planned, price_json, product_json, rate_json, row, sealed, world,
};

fn old() -> Vec<Value> {
    vec![
        product_json("gold", json!({"default_price": "price_1"})),
        price_json("price_1", "gold", json!({})),
        rate_json("txr_1", json!({})),
    ]
}

/// The new account after every planned row was written.
fn after(old: &[Value], new: &[Value], used: &[&str]) -> Vec<Value> {
    let rows = planned(&world(old, new, used));
    let mut there = new.to_vec();
    for change in &rows {
        for write in change.writes.iter().filter(|write| write.marked) {
            there.push(created(write, &format!("new_{}", there.len())));
        }
    }
    for change in rows.iter().filter(|change| change.item == "default price") {
        let old = change.fields[0].before.clone();
        let of = |value: &&Value| value["metadata"]["cutover_of"] == json!(old);
        let id = there.iter().find(of).map(|price| price["id"].clone());
        let product = there
            .iter_mut()
            .find(|value| value["id"] == json!(change.subject));
        if let (Some(product), Some(id)) = (product, id) {
            product["default_price"] = id;
        }
    }
    there
}

fn done(plan: &Plan) -> Vec<End> {
    let planned = plan
        .changes()
        .iter()
        .filter(|change| change.verdict == Verdict::Planned);
    planned
        .map(|change| (change.key.clone(), RowEnd::Done, None))
        .collect()
}

fn audit(plan: &Plan, ends: &[End], there: &[Value]) -> (u64, Vec<(String, Severity)>) {
    let audit = compare(plan, ends, &world(&[], there, &[]).destination);
    let findings = audit
        .findings
        .into_iter()
        .map(|finding| (finding.rule, finding.severity));
    (audit.compared, findings.collect())
}

#[test]
fn what_was_written_as_planned_has_no_differences_and_is_counted() {
    let plan = sealed(&world(&old(), &[], &["price_1", "txr_1"]));
    let there = after(&old(), &[], &["price_1", "txr_1"]);
    assert_eq!(audit(&plan, &done(&plan), &there), (4, Vec::new()));
}

#[test]
fn what_was_there_already_is_compared_as_well() {
    let there = after(&old(), &[], &[]);
    let plan = sealed(&world(&old(), &there, &[]));
    assert_eq!(plan.totals().noop, 4);
    assert_eq!(audit(&plan, &[], &there), (4, Vec::new()));
    let mut changed = there;
    changed[0]["name"] = json!("renamed");
    assert_eq!(
        audit(&plan, &[], &changed).1,
        [("product_differs".to_owned(), Severity::Differs)]
    );
}

#[test]
fn each_way_to_differ_is_found() {
    let plan = sealed(&world(&old(), &[], &[]));
    let there = after(&old(), &[], &[]);
    let at = |object: &str| {
        there
            .iter()
            .position(|value| value["object"] == json!(object))
            .unwrap()
    };
    let with = |object: &str, name: &str, value: Value| {
        let mut there = there.clone();
        there[at(object)][name] = value;
        there
    };
    let without = |object: &str| {
        let mut there = there.clone();
        there.remove(at(object));
        there
    };
    let mut twice = there.clone();
    let mut twin = twice[at("price")].clone();
    twin["id"] = json!("price_twin");
    twice.push(twin);
    for (rule, there) in [
        ("product_differs", with("product", "description", json!("x"))),
        ("price_differs", with("price", "nickname", json!("x"))),
        ("tax_rate_differs", with("tax_rate", "percentage", json!(9))),
        (
            "default_price_differs",
            with("product", "default_price", json!("price_x")),
        ),
        ("tax_rate_not_there", without("tax_rate")),
        ("price_there_twice", twice),
        (
            "price_not_comparable",
            with("price", "unit_amount_decimal", json!("1000.5")),
        ),
    ] {
        let (compared, found) = audit(&plan, &done(&plan), &there);
        assert_eq!(
            (compared, found),
            (4, vec![(rule.to_owned(), Severity::Differs)]),
            "{rule}"
        );
    }
    let (_, found) = audit(&plan, &done(&plan), &without("price"));
    let rules: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(rules, ["default_price_differs", "price_not_there"]);
}

#[test]
fn a_price_that_live_subscriptions_use_and_nothing_stands_for_is_a_difference() {
    let plan = sealed(&world(&old(), &[], &["price_1"]));
    let there = after(&old(), &[], &["price_1"]);
    let key = "price/gold/price_1";
    let failed = |end: RowEnd| {
        let with = |(at, _, moved): End| {
            if at.0 == key {
                (at, end, moved)
            } else {
                (at, RowEnd::Done, moved)
            }
        };
        done(&plan).into_iter().map(with).collect::<Vec<_>>()
    };
    for end in [RowEnd::Failed, RowEnd::Drifted, RowEnd::Unknown] {
        let (_, found) = audit(&plan, &failed(end), &there);
        assert_eq!(found, [("price_not_mapped".to_owned(), Severity::Differs)]);
    }
    // Left out by a person it is said again, and is known.
    let decision = Decision {
        choice: "leave_out".into(),
        by: "ada".into(),
        note: String::new(),
        number: None,
    };
    let left = plan.decide(&ChangeKey(key.into()), decision).unwrap();
    let (_, found) = audit(&left, &done(&left), &there);
    assert_eq!(found, [("price_not_mapped".to_owned(), Severity::Warn)]);
}

#[test]
fn what_a_person_signed_for_is_not_compared_again() {
    let other = price_json(
        "price_n",
        "gold",
        json!({"metadata": {"cutover_of": "price_1"}, "nickname": "x"}),
    );
    let new = vec![
        product_json("gold", json!({})),
        other,
        rate_json("txr_n", json!({})),
    ];
    let plan = sealed(&world(&old(), &new, &["price_1"]));
    let decide = |plan: &Plan, key: &str| {
        let decision = Decision {
            choice: USE_EXISTING.into(),
            by: "ada".into(),
            note: "known".into(),
            number: None,
        };
        plan.decide(&ChangeKey(key.into()), decision).unwrap()
    };
    let signed = decide(&decide(&plan, "price/gold/price_1"), "default_price/gold");
    let (compared, found) = audit(&signed, &done(&signed), &new);
    assert_eq!((compared, found), (2, Vec::new()));
    let (_, found) = audit(&plan, &[], &new);
    assert_eq!(found, [("price_not_mapped".to_owned(), Severity::Differs)]);
}

#[test]
fn rows_drift_when_either_side_changed_and_not_when_only_their_decisions_did() {
    let base = world(&old(), &[], &[]);
    let plan = sealed(&base);
    assert!(drifted(&plan, &sealed(&base)).is_empty());
    let decision = Decision {
        choice: "leave_out".into(),
        by: "ada".into(),
        note: String::new(),
        number: None,
    };
    let decided = plan
        .decide(&ChangeKey("tax_rate/txr_1".into()), decision)
        .unwrap();
    assert!(drifted(&decided, &sealed(&base)).is_empty());
    let keys = |now: &[Value], there: &[Value], used: &[&str]| {
        let now = sealed(&world(now, there, used));
        drifted(&plan, &now)
            .into_iter()
            .map(|key| key.0)
            .collect::<Vec<_>>()
    };
    let mut renamed = old();
    renamed[0]["name"] = json!("x");
    assert_eq!(keys(&renamed, &[], &[]), ["product/gold"]);
    assert_eq!(
        keys(&old(), &[rate_json("txr_n", json!({}))], &[]),
        ["tax_rate/txr_1"]
    );
    assert_eq!(keys(&old()[..2], &[], &[]), ["tax_rate/txr_1"]);
    assert_eq!(keys(&old(), &[], &["txr_1"]), ["tax_rate/txr_1"]);
    let rows = planned(&base);
    assert_eq!(row(&rows, "tax_rate/txr_1").verdict, Verdict::Planned);
}
