use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::account::There;
use super::*;
use crate::domain::text::safe;
use crate::stages::Read;
use crate::stages::subscriptions::facts::{Discount, Off};
use crate::stages::subscriptions::read::Trouble;
use crate::stripe::wire::{Schedule, Subscription};

const TIMES: Times = Times {
    now: 10,
    earliest: 20,
    window_ends: 30,
};

fn wire<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn subscription(id: &str, customer: &str, more: &[(&str, Value)]) -> Subscription {
    let mut json = json!({
        "id": id, "created": 50, "livemode": false, "customer": customer, "status": "active", "currency": "usd",
        "start_date": 40, "billing_cycle_anchor": 100, "collection_method": "charge_automatically",
        "items": {"object": "list", "url": "", "has_more": false, "data": [{
            "id": format!("si_{id}"), "quantity": 3, "current_period_start": 100, "current_period_end": 200,
            "price": {
                "id": "price_1", "created": 1, "livemode": false, "active": true, "billing_scheme": "per_unit",
                "currency": "usd", "product": "prod_1", "unit_amount": 1000, "unit_amount_decimal": "1000.5",
                "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
            },
        }]},
    });
    for (field, value) in more {
        json[*field] = value.clone();
    }
    wire(&json)
}

fn live(subscription: &Subscription) -> (String, Live) {
    let found = Live {
        customer: subscription.customer.clone(),
        currency: Currency::parse("usd").ok(),
        old: Old::of(subscription, Read::default()).map(Box::new),
    };
    (subscription.id.clone(), found)
}

fn mover(discount: Option<Discount>) -> Mover {
    Mover {
        label: safe("Name"),
        default: Some("pm_1".to_owned()),
        discount,
    }
}

/// `cus_m` moves, everybody else stays.
fn old_side(subscriptions: &[Subscription]) -> OldSide {
    OldSide {
        coupons: Coupons::new(),
        live: subscriptions.iter().map(live).collect(),
        movers: BTreeMap::from([("cus_m".to_owned(), mover(None))]),
    }
}

fn new_side(schedules: &[Schedule], running: &[Subscription]) -> NewSide {
    let planned = schedules.iter().filter_map(|schedule| {
        let twin = Twin::of_schedule(schedule, Read::default()).unwrap()?;
        Some((twin, schedule.status.clone()))
    });
    let twins = running
        .iter()
        .filter_map(|one| Twin::of_subscription(one, Read::default()).unwrap());
    NewSide {
        people: HashMap::from([(
            "cus_m".to_owned(),
            There {
                default: true,
                ..There::default()
            },
        )]),
        planned: Planned {
            twins: planned.collect(),
            odd: Vec::new(),
        },
        running: Running {
            twins: twins.collect(),
            odd: Vec::new(),
            all: running.iter().map(|one| one.id.clone()).collect(),
        },
        prices: BTreeMap::new(),
        tax_rates: BTreeMap::new(),
        coupons: BTreeMap::new(),
    }
}

fn schedule(id: &str, of: &str, created: i64, more: &[(&str, Value)]) -> Schedule {
    let mut json = json!({
        "id": id, "created": created, "livemode": false, "customer": "cus_m", "status": "not_started",
        "end_behavior": "release", "metadata": {"old_Stripe_sub_id": of, "cutover_effect": format!("of {id}")},
        "phases": [{"start_date": 1000, "end_date": 2000, "currency": "usd", "items": [{"price": "price_n"}]}],
    });
    for (field, value) in more {
        json[*field] = value.clone();
    }
    wire(&json)
}

fn facts(old: &[Subscription], schedules: &[Schedule], running: &[Subscription]) -> Facts {
    sort(old_side(old), new_side(schedules, running)).finish(TIMES)
}

/// Schedule and subscription of each, empty where there is none.
fn twins_of(facts: &Facts, old: &str) -> Vec<[String; 2]> {
    let twins = facts.world.twins.get(old).into_iter().flatten();
    twins
        .map(|twin| [&twin.schedule, &twin.subscription].map(|id| id.clone().unwrap_or_default()))
        .collect()
}

const TWIN: &str = "old_Stripe_sub_id";

#[test]
fn who_stays_is_counted_with_money_and_is_in_no_row() {
    let facts = facts(
        &[
            subscription("sub_1", "cus_m", &[]),
            subscription("sub_2", "cus_s", &[]),
            subscription("sub_3", "cus_s", &[]),
        ],
        &[],
        &[],
    );
    let world = &facts.world;
    assert_eq!(world.old.keys().collect::<Vec<_>>(), ["sub_1"]);
    let usd = Currency::parse("usd").unwrap();
    // 3 × 10.005 is 30.015 each, rounded to the cent.
    assert_eq!(world.staying[&usd], (2, 2 * 3002));
    let person = &world.people["cus_m"];
    assert!(person.arrived && person.default_there && !person.email_there);
    assert_eq!((world.now, world.earliest, world.window_ends), (10, 20, 30));
}

#[test]
fn what_is_not_understood_is_in_no_row_and_neither_is_its_twin() {
    let strange = subscription("sub_1", "cus_m", &[("collection_method", json!("pigeon"))]);
    let facts = facts(&[strange], &[schedule("sched_1", "sub_1", 1, &[])], &[]);
    assert!(facts.world.old.is_empty() && facts.world.twins.is_empty());
    assert!(facts.world.strays.is_empty());
    assert!(facts.unread["sub_1"].why.contains("pigeon"));
}

#[test]
fn nothing_is_made_beside_a_twin_that_cannot_be_read() {
    let mut new = new_side(&[], &[]);
    new.planned.odd.push(Odd {
        of: "sub_1".to_owned(),
        customer: "cus_m".to_owned(),
        why: "its twin is odd".to_owned(),
    });
    let facts = sort(old_side(&[subscription("sub_1", "cus_m", &[])]), new).finish(TIMES);
    assert!(facts.world.old.is_empty());
    assert_eq!(facts.unread["sub_1"].why, "its twin is odd");
}

#[test]
fn twins_come_oldest_first() {
    let facts = facts(
        &[subscription("sub_1", "cus_m", &[])],
        &[schedule("b", "sub_1", 2, &[]), schedule("a", "sub_1", 1, &[])],
        &[],
    );
    assert_eq!(twins_of(&facts, "sub_1"), [["a", ""], ["b", ""]]);
}

#[test]
fn a_schedule_and_its_subscription_are_one_twin() {
    let old = [subscription("sub_1", "cus_m", &[])];
    let metadata = ("metadata", json!({TWIN: "sub_1"}));
    let managed = subscription("new_1", "cus_m", &[metadata.clone(), ("schedule", json!("a"))]);
    let free = subscription("new_1", "cus_m", &[metadata]);
    let plain = subscription("new_1", "cus_m", &[]);
    let active = schedule(
        "a",
        "sub_1",
        7,
        &[("status", json!("active")), ("subscription", json!("new_1"))],
    );
    let released = schedule(
        "a",
        "sub_1",
        7,
        &[
            ("status", json!("released")),
            ("released_subscription", json!("new_1")),
        ],
    );
    let both = facts(&old, std::slice::from_ref(&active), &[managed]);
    assert_eq!(twins_of(&both, "sub_1"), [["a", "new_1"]]);
    assert_eq!(both.world.twins["sub_1"][0].phases[0].items[0].price, "price_n");

    let gone_on = facts(&old, std::slice::from_ref(&released), &[free]);
    assert_eq!(twins_of(&gone_on, "sub_1"), [["", "new_1"]]);
    let twin = &gone_on.world.twins["sub_1"][0];
    assert_eq!((twin.effect.as_deref(), twin.created), (Some("of a"), 7));
    assert_eq!(
        twin.phases[0].items[0].price, "price_1",
        "as it is now, not as it was planned"
    );

    let unnamed = facts(&old, std::slice::from_ref(&released), &[plain]);
    assert_eq!(
        twins_of(&unnamed, "sub_1"),
        [["a", "new_1"]],
        "somebody took the name off, and it bills all the same"
    );
    let ended = facts(&old, &[released], &[]);
    assert!(ended.world.twins.is_empty(), "nothing bills any more");
}

#[test]
fn an_old_one_that_only_a_twin_names_is_asked_for_and_never_taken_for_gone_before() {
    let new = || new_side(&[schedule("a", "sub_gone", 1, &[])], &[]);
    let found = sort(old_side(&[]), new());
    assert_eq!(found.missing().into_iter().collect::<Vec<_>>(), ["sub_gone"]);

    let mut found = sort(old_side(&[]), new());
    let ended = subscription("sub_gone", "cus_m", &[("status", json!("canceled"))]);
    found.found(Old::of(&ended, Read::default()).unwrap());
    let facts = found.finish(TIMES);
    assert_eq!(facts.world.old["sub_gone"].status, Status::Ended);
    assert_eq!(twins_of(&facts, "sub_gone"), [["a", ""]]);

    let mut found = sort(old_side(&[]), new());
    let stayers = subscription("sub_gone", "cus_s", &[]);
    found.found(Old::of(&stayers, Read::default()).unwrap());
    let facts = found.finish(TIMES);
    assert!(facts.world.twins.is_empty());
    assert!(facts.world.strays.contains("sub_gone"));
    let nobodys = sort(old_side(&[]), new()).finish(TIMES);
    assert!(nobodys.world.strays.contains("sub_gone") && nobodys.world.twins.is_empty());
}

#[test]
fn a_twin_of_somebody_who_stays_is_a_stray_and_nobody_is_asked_about_it() {
    let stayers = schedule("a", "sub_x", 1, &[("customer", json!("cus_s"))]);
    let found = sort(old_side(&[]), new_side(&[stayers], &[]));
    assert!(found.missing().is_empty());
    let facts = found.finish(TIMES);
    assert!(facts.world.strays.contains("sub_x"));
}

#[test]
fn a_twin_with_another_customer_still_counts_so_that_no_second_one_is_made() {
    let others = schedule("a", "sub_1", 1, &[("customer", json!("cus_s"))]);
    let facts = facts(&[subscription("sub_1", "cus_m", &[])], &[others], &[]);
    assert_eq!(twins_of(&facts, "sub_1"), [["a", ""]]);
}

#[test]
fn a_customers_discount_works_where_a_subscription_has_none_of_its_own() {
    let own = json!([{"id": "di_own", "start": 1, "source": {"type": "coupon", "coupon": "c"}}]);
    let mut old = old_side(&[
        subscription("sub_1", "cus_m", &[]),
        subscription("sub_2", "cus_m", &[("discounts", own)]),
    ]);
    let customers = Discount {
        id: "di_c".to_owned(),
        coupon: "c".to_owned(),
        end: None,
        off: Off::Unknown,
        on_customer: true,
    };
    old.movers.insert("cus_m".to_owned(), mover(Some(customers)));
    let facts = sort(old, new_side(&[], &[])).finish(TIMES);
    let ids = |id: &str| -> Vec<String> {
        let discounts = facts.world.old[id].discounts.iter();
        discounts.map(|one| one.id.clone()).collect()
    };
    assert_eq!(ids("sub_1"), ["di_c"]);
    assert_eq!(ids("sub_2"), ["di_own"]);
}

#[test]
fn a_price_that_does_not_show_the_currency_of_its_subscription_is_looked_up() {
    let euros = subscription("sub_1", "cus_m", &[("currency", json!("eur"))]);
    let mut found = sort(old_side(&[euros]), new_side(&[], &[]));
    assert!(found.lacks_currencies());
    let eur = Currency::parse("eur").unwrap();
    let mut listed = found.old["sub_1"].items[0].price.clone();
    listed.unit.insert(eur, "900".to_owned());
    found.with_currencies(&BTreeMap::from([("price_1".to_owned(), listed)]));
    assert!(!found.lacks_currencies());
    assert_eq!(found.old["sub_1"].items[0].price.unit[&eur], "900");
    assert!(
        !sort(
            old_side(&[subscription("sub_1", "cus_m", &[])]),
            new_side(&[], &[])
        )
        .lacks_currencies()
    );
}

#[test]
fn schedules_are_asked_for_only_where_one_manages_a_subscription_in_force() {
    let managed =
        |id: &str, customer: &str| subscription(id, customer, &[("schedule", json!(format!("s_{id}")))]);
    let mut found = sort(
        old_side(&[
            managed("sub_1", "cus_m"),
            managed("sub_2", "cus_s"),
            subscription("sub_3", "cus_m", &[]),
        ]),
        new_side(&[], &[]),
    );
    let ended = subscription(
        "sub_4",
        "cus_m",
        &[("status", json!("canceled")), ("schedule", json!("s_sub_4"))],
    );
    found.found(Old::of(&ended, Read::default()).unwrap());
    assert_eq!(found.managing().into_iter().collect::<Vec<_>>(), ["s_sub_1"]);
}

#[test]
fn amounts_with_decimals_are_exact() {
    for (digits, picos_of) in [
        ("1", Some(PICO)),
        ("0.000000000001", Some(1)),
        ("-1.5", Some(-PICO - PICO / 2)),
        ("-0.5", Some(-PICO / 2)),
        ("x", None),
        ("1.x", None),
        ("", None),
    ] {
        assert_eq!(picos(digits), picos_of, "{digits}");
    }
    assert!(matches!(
        Old::of(
            &subscription("s", "c", &[("currency", Value::Null)]),
            Read::default()
        ),
        Err(Trouble::Lacks(_))
    ));
}
