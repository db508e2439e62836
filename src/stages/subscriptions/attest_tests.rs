use serde_json::{Value, json};

use super::super::effects::{Effects, Extra, Row};
use super::super::model_tests::{accounts, phase, row};
use super::super::model_world_tests::{P0, PERIOD, World};
use super::*;
use crate::domain::ids::EffectId;
use crate::stages::subscriptions::undo;

/// What Stripe answers to a form, as its documentation has it: what was sent, nested, with ids and ends.
fn echo(write: &PlannedWrite, id: &str) -> Value {
    let mut tree = json!({});
    for (name, value) in &write.form {
        let parts: Vec<&str> = name.split(['[', ']']).filter(|part| !part.is_empty()).collect();
        let number = |name: &str| ["quantity", "end_date", "start_date", "days_until_due"].contains(&name);
        let leaf = match *parts.last().unwrap() {
            name if number(name) && !parts.contains(&"metadata") => json!(value.parse::<i64>().unwrap()),
            "enabled" => json!(value == "true"),
            _ => json!(value),
        };
        put(&mut tree, &parts, leaf);
    }
    if let Value::Array(phases) = &mut tree["phases"] {
        let mut start = write_start(write);
        for phase in phases {
            phase["start_date"] = json!(start);
            let end = phase["end_date"].as_i64().unwrap_or(start + PERIOD);
            (phase["end_date"], start) = (json!(end), end);
        }
    }
    tree["id"] = json!(id);
    tree["object"] = json!("subscription_schedule");
    tree["created"] = json!(1);
    tree["livemode"] = json!(false);
    tree["status"] = json!("not_started");
    tree["customer"] = json!("cus_1");
    tree["metadata"]["cutover_effect"] = json!(write.effect.0);
    tree
}

fn write_start(write: &PlannedWrite) -> i64 {
    let start = sent(write, "start_date").or_else(|| sent(write, "phases[0][start_date]"));
    start.unwrap().parse().unwrap()
}

fn put(tree: &mut Value, parts: &[&str], leaf: Value) {
    let Some((first, rest)) = parts.split_first() else {
        *tree = leaf;
        return;
    };
    if let Ok(at) = first.parse::<usize>() {
        if !tree.is_array() {
            *tree = json!([]);
        }
        let array = tree.as_array_mut().unwrap();
        while array.len() <= at {
            array.push(Value::Null);
        }
        return put(&mut array[at], rest, leaf);
    }
    if !tree.is_object() {
        *tree = json!({});
    }
    put(&mut tree[*first], rest, leaf);
}

fn wanted() -> Row {
    let mut row = row(&World::new(), P0);
    row.phases = vec![phase(P0), phase(P0 + PERIOD)];
    row.phases[0].end = Some(P0 + PERIOD);
    for phase in &mut row.phases {
        phase.items[0].coupons = vec!["c1".into()];
        phase.items[0].tax_rates = vec!["txr_1".into()];
        phase.coupons = vec!["c2".into(), "c3".into()];
        phase.tax_rates = vec!["txr_2".into()];
        phase.method = Some("pm_1".into());
        phase.automatic_tax = true;
    }
    row
}

fn says(write: &PlannedWrite, object: &Value) -> Result<Attested, String> {
    attest(write, object.to_string().as_bytes(), false)
}

fn is_it(write: &PlannedWrite, object: &Value) -> bool {
    is_effect(write, object.to_string().as_bytes())
}

#[test]
fn an_answer_attests_a_schedule_only_if_every_field_is_as_it_was_sent() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let extra = Extra::default();
    for (write, id) in [
        (effects.create(&wanted(), &extra), "sub_sched_9"),
        (effects.change(&wanted(), "sub_sched_1", &extra), "sub_sched_1"),
    ] {
        let answer = echo(&write, id);
        assert_eq!(says(&write, &answer).unwrap().object, id);
        for (path, value) in [
            ("/object", json!("subscription")),
            ("/livemode", json!(true)),
            ("/end_behavior", json!("cancel")),
            ("/phases/0/start_date", json!(P0 + 1)),
            ("/phases/0/end_date", json!(P0 + 1)),
            ("/phases/1/collection_method", json!("send_invoice")),
            ("/phases/0/automatic_tax/enabled", json!(false)),
            ("/phases/0/currency", json!("aud")),
            ("/phases/1/default_payment_method", json!("pm_2")),
            ("/phases/1/default_payment_method", Value::Null),
            ("/phases/0/discounts/0/coupon", json!("c9")),
            ("/phases/0/discounts", json!([])),
            ("/phases/1/default_tax_rates", json!(["txr_2", "txr_9"])),
            ("/phases/0/items/0/price", json!("price_x")),
            ("/phases/0/items/0/quantity", json!(9)),
            ("/phases/0/items/0/tax_rates", json!([])),
            ("/phases/1/items/0/discounts/0/coupon", json!("c9")),
            ("/phases/0/metadata/old_Stripe_sub_id", json!("sub_2")),
            ("/phases", json!([])),
        ] {
            let mut wrong = answer.clone();
            if path == "/phases/0/currency" && write.op == "change_schedule" {
                continue;
            }
            *wrong.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
            assert!(says(&write, &wrong).is_err(), "{} {path}", write.op);
        }
        let mut more = answer.clone();
        let item = more["phases"][0]["items"][0].clone();
        more["phases"][0]["items"].as_array_mut().unwrap().push(item);
        assert!(says(&write, &more).is_err(), "an item more");
    }
}

#[test]
fn a_created_schedule_is_found_by_its_mark_unless_it_was_cancelled() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let create = effects.create(&wanted(), &Extra::default());
    let mut found = echo(&create, "sub_sched_9");
    assert!(is_it(&create, &found));
    found["status"] = json!("canceled");
    assert!(!is_it(&create, &found), "an earlier one of the same row");
    found["status"] = json!("not_started");
    found["metadata"]["cutover_effect"] = json!("other");
    assert!(!is_it(&create, &found));
    let look = probe(&create, UtcMs::from_secs(10_000));
    let query = [
        ("customer".to_owned(), "cus_1".to_owned()),
        ("created[gte]".to_owned(), "6400".to_owned()),
    ];
    assert!(look.list && look.path == "/v1/subscription_schedules" && look.query == query);
}

#[test]
fn a_changed_schedule_is_found_by_the_mark_of_its_phases() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let change = effects.change(&wanted(), "sub_sched_1", &Extra::default());
    let mut found = echo(&change, "sub_sched_1");
    found["metadata"]["cutover_effect"] = json!("of what created it");
    assert!(is_it(&change, &found) && says(&change, &found).is_ok());
    found["phases"][0]["metadata"]["cutover_effect"] = json!("an earlier change");
    assert!(!is_it(&change, &found));
    assert_eq!(
        probe(&change, UtcMs(0)).path,
        "/v1/subscription_schedules/sub_sched_1"
    );
}

#[test]
fn what_leaves_no_mark_is_told_by_what_it_set() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let row = wanted();
    let old = World::new().old_json();
    let stopped = |how: &str, value: Value| {
        let mut old = old.clone();
        old[how] = value;
        old["metadata"] = json!({"cutover_became": "s", "cutover_handover": P0.to_string()});
        old
    };
    let ended = stopped("cancel_at_period_end", json!(true));
    let paused = stopped("pause_collection", json!({"behavior": "keep_as_draft"}));
    let mut over = old.clone();
    over["status"] = json!("canceled");
    let (end, pause, cancel) = (
        effects.end_old(&row, "s"),
        effects.pause_old(&row, "s"),
        effects.cancel_old(&row),
    );
    for (write, so) in [(&end, &ended), (&pause, &paused), (&cancel, &over)] {
        assert!(is_it(write, so) && says(write, so).is_ok(), "{}", write.op);
        assert!(!is_it(write, &old) && says(write, &old).is_err(), "{}", write.op);
        assert_eq!(probe(write, UtcMs(0)).path, "/v1/subscriptions/sub_1");
    }
    let mut theirs = ended.clone();
    theirs["metadata"] = json!({});
    assert!(!is_it(&end, &theirs), "a customer's own cancellation");
    let mut of_another = ended.clone();
    of_another["metadata"]["cutover_handover"] = json!("5");
    assert!(!is_it(&end, &of_another), "a stop for another handover");
    let mut other = ended.clone();
    other["id"] = json!("sub_2");
    assert!(says(&end, &other).is_err(), "another subscription");
}

#[test]
fn a_stop_that_was_taken_back_leaves_no_mark() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let old = World::new().old_json();
    for (write, how, value) in [
        (
            effects.end_old(&wanted(), "s"),
            "cancel_at_period_end",
            json!(true),
        ),
        (
            effects.pause_old(&wanted(), "s"),
            "pause_collection",
            json!({"behavior": "void"}),
        ),
    ] {
        let change = super::super::model_tests::change(&wanted(), vec![write.clone()]);
        let made = [(write.op.clone(), "sub_1".to_owned())].into();
        let [back] = &undo::writes(&change, &made)[..] else {
            panic!("one write")
        };
        assert!(is_it(back, &old) && says(back, &old).is_ok());
        let mut stopped = old.clone();
        stopped[how] = value;
        assert!(!is_it(back, &stopped), "{how}");
        let mut marked = old.clone();
        marked["metadata"] = json!({"cutover_became": "s"});
        assert!(!is_it(back, &marked));
    }
}

#[test]
fn a_cancelled_and_a_released_schedule_say_so() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let create = effects.create(&wanted(), &Extra::default());
    for (write, status) in [
        (effects.withdraw(&wanted(), "sub_sched_1"), "canceled"),
        (effects.release_old(&wanted(), "sub_sched_1"), "released"),
        (
            super::super::effects::cancel_schedule("undo_create", EffectId("e".into()), "sub_sched_1"),
            "canceled",
        ),
    ] {
        let mut found = echo(&create, "sub_sched_1");
        assert!(!is_it(&write, &found));
        found["status"] = json!(status);
        assert!(is_it(&write, &found) && says(&write, &found).is_ok());
        found["id"] = json!("sub_sched_2");
        assert!(!is_it(&write, &found) && says(&write, &found).is_err());
    }
}

#[test]
fn no_answer_makes_it_panic() {
    let accounts = accounts();
    let create = Effects { accounts: &accounts }.create(&wanted(), &Extra::default());
    for text in ["", "null", "[]", "{}", r#"{"id":5}"#, "\u{0}"] {
        assert!(attest(&create, text.as_bytes(), false).is_err());
        assert!(!is_effect(&create, text.as_bytes()));
    }
}
