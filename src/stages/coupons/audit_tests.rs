use serde_json::{Value, json};

use super::super::samples::{NOW, code_json, coupon_json, created, drawer, effect, planned, world};
use super::*;
use crate::domain::change::Decision;
use crate::domain::write::When;

/// Coupon limit 10, used 7; code A of a mover, limit 5, used 4; code B of another mover, no limit, used 3.
fn pool() -> Vec<Value> {
    vec![
        coupon_json("c", json!({"max_redemptions": 10, "times_redeemed": 7})),
        code_json(
            "promo_a",
            "c",
            json!({"customer": "cus_m1", "max_redemptions": 5, "times_redeemed": 4}),
        ),
        code_json("promo_b", "c", json!({"customer": "cus_m2", "times_redeemed": 3})),
    ]
}

/// An open code, limit 10, used 4, of a coupon without a limit.
fn open() -> Vec<Value> {
    vec![
        coupon_json("c", json!({"times_redeemed": 4})),
        code_json(
            "promo_a",
            "c",
            json!({"max_redemptions": 10, "times_redeemed": 4}),
        ),
    ]
}

struct Night {
    plan: Plan,
    old: Vec<Value>,
    new: Vec<Value>,
    ends: Vec<End>,
}

/// The plan of these objects, decided, and what both accounts look like once it is written.
fn night(old: &[Value], decisions: &[(&str, &str, Option<u64>)]) -> Night {
    let mut plan = planned(&world(old, &[]));
    for (key, choice, number) in decisions {
        let decision = Decision {
            choice: (*choice).to_owned(),
            by: "ann".to_owned(),
            note: "agreed".to_owned(),
            number: *number,
        };
        plan = plan.decide(&ChangeKey((*key).to_owned()), decision).unwrap();
    }
    let (mut old, mut new, mut ends) = (old.to_vec(), Vec::new(), Vec::new());
    for change in plan.changes() {
        let writes = change
            .writes_now()
            .iter()
            .filter(|write| write.when == When::Always);
        for write in writes.clone() {
            let id = format!("{}_{}", write.op, change.key.0);
            match write.op.as_str() {
                CLOSE_OLD => {
                    let id = write.path.rsplit('/').next().unwrap();
                    let code = old.iter_mut().find(|object| object["id"] == id).unwrap();
                    code["active"] = json!(false);
                    code["metadata"]["cutover_effect"] = json!(write.effect.0);
                }
                RECREATE_OLD => old.push(created(write, &id)),
                _ => new.push(created(write, &id)),
            }
        }
        if writes.count() > 0 {
            ends.push((change.key.clone(), RowEnd::Done, None));
        }
    }
    Night { plan, old, new, ends }
}

impl Night {
    fn rules(&self) -> Vec<(String, Severity)> {
        let (source, destination) = (drawer(&self.old), drawer(&self.new));
        let now = Now {
            source: &source,
            destination: &destination,
            at: NOW,
        };
        let audit = compare(&self.plan, &self.ends, &now);
        assert_eq!(audit.compared, self.ends.len() as u64);
        audit
            .findings
            .into_iter()
            .map(|found| (found.rule, found.severity))
            .collect()
    }

    fn differs(&self) -> Vec<String> {
        let rules = self.rules().into_iter();
        rules
            .filter(|(_, severity)| *severity == Severity::Differs)
            .map(|(rule, _)| rule)
            .collect()
    }

    fn at<'a>(objects: &'a mut [Value], id: &str) -> &'a mut Value {
        let found = objects
            .iter_mut()
            .find(|object| object["id"] == id || object["metadata"]["cutover_of"] == id);
        found.unwrap_or_else(|| panic!("no {id}"))
    }
}

#[test]
fn what_was_written_as_planned_differs_in_nothing() {
    let night = night(&pool(), &[]);
    assert_eq!(night.ends.len(), 3);
    assert_eq!(night.rules(), []);
    for (choice, number) in [("move", None), ("split", Some(2))] {
        let night = self::night(&open(), &[("coupon/c", choice, number)]);
        assert_eq!(night.rules(), [], "{choice}");
    }
    let given = self::night(&pool(), &[("code/promo_a", "set_code_left", Some(3))]);
    assert_eq!(given.rules(), [], "a number of a person's");
}

#[test]
fn a_pool_that_gives_more_than_was_left_is_seen_whichever_side_gives_it() {
    let used_since = |n: i64| {
        let mut night = night(&pool(), &[]);
        let coupon = Night::at(&mut night.old, "c");
        coupon["times_redeemed"] = json!(7 + n);
        night
    };
    assert_eq!(used_since(0).differs(), [""; 0]);
    assert_eq!(
        used_since(1).differs(),
        ["more_than_left"],
        "a direct use of the old coupon"
    );
    // The script saw it and made the limit smaller.
    let mut smaller = used_since(1);
    Night::at(&mut smaller.new, "c")["max_redemptions"] = json!(2);
    assert_eq!(smaller.rules(), [("used_since".to_owned(), Severity::Note)]);
    let mut open_again = night(&pool(), &[]);
    Night::at(&mut open_again.old, "promo_b")["active"] = json!(true);
    let rules = open_again.differs();
    assert!(
        rules.contains(&"more_than_left".to_owned()) && rules.contains(&"old_code_active".to_owned()),
        "{rules:?}"
    );
    let mut wider = night(&pool(), &[]);
    Night::at(&mut wider.new, "c")["max_redemptions"] = json!(null);
    assert_eq!(wider.differs(), ["more_than_left"]);
}

#[test]
fn a_code_that_gives_more_than_was_left_through_it_is_seen() {
    let mut used = night(&pool(), &[]);
    Night::at(&mut used.old, "promo_a")["times_redeemed"] = json!(5);
    assert_eq!(used.differs(), ["more_than_left"]);
    let mut wider = night(&pool(), &[]);
    Night::at(&mut wider.new, "promo_a")["max_redemptions"] = json!(null);
    assert_eq!(wider.differs(), ["more_than_left"]);
    let mut split = night(&open(), &[("coupon/c", "split", Some(2))]);
    assert_eq!(split.differs(), [""; 0]);
    let share = split.old.last_mut().unwrap();
    share["max_redemptions"] = json!(5);
    assert_eq!(
        split.differs(),
        ["more_than_left"],
        "the share of those who stay is too large"
    );
}

#[test]
fn a_limit_that_a_person_set_is_measured_against_their_number() {
    let given = night(&pool(), &[("coupon/c", "set_left", Some(6))]);
    assert_eq!(given.rules(), []);
    let mut more = given;
    Night::at(&mut more.new, "c")["max_redemptions"] = json!(7);
    assert_eq!(more.differs(), ["more_than_left"]);
}

#[test]
fn what_is_missing_double_switched_off_or_different_is_said() {
    type Change = fn(&mut Night);
    let cases: [(Change, &str); 8] = [
        (|n| n.new.retain(|o| o["object"] != "coupon"), "coupon_not_there"),
        (
            |n| n.new.retain(|o| o["metadata"]["cutover_of"] != "promo_a"),
            "code_not_there",
        ),
        (
            |n| Night::at(&mut n.new, "c")["percent_off"] = json!(26),
            "coupon_differs",
        ),
        (
            |n| Night::at(&mut n.new, "c")["applies_to"] = json!({"products": ["p"]}),
            "coupon_differs",
        ),
        (
            |n| Night::at(&mut n.new, "promo_a")["customer"] = json!(null),
            "code_differs",
        ),
        (
            |n| Night::at(&mut n.new, "promo_a")["expires_at"] = json!(NOW + 5),
            "code_differs",
        ),
        (
            |n| Night::at(&mut n.new, "promo_a")["active"] = json!(false),
            "new_code_off",
        ),
        (
            |n| {
                let mut twin = Night::at(&mut n.new, "promo_a").clone();
                twin["id"] = json!("promo_twin");
                n.new.push(twin);
            },
            "code_there_twice",
        ),
    ];
    for (change, rule) in cases {
        let mut night = night(&pool(), &[]);
        change(&mut night);
        assert!(
            night.differs().contains(&rule.to_owned()),
            "{rule}: {:?}",
            night.differs()
        );
    }
}

#[test]
fn a_new_code_that_was_used_up_or_expired_is_no_difference() {
    let mut used_up = night(&pool(), &[]);
    let code = Night::at(&mut used_up.new, "promo_a");
    (code["active"], code["times_redeemed"]) = (json!(false), json!(1));
    assert_eq!(used_up.differs(), [""; 0]);
    let mut old = pool();
    old[1]["expires_at"] = json!(NOW + 10);
    let mut expired = night(&old, &[]);
    Night::at(&mut expired.new, "promo_a")["active"] = json!(false);
    assert_eq!(expired.differs(), ["new_code_off"]);
    Night::at(&mut expired.new, "promo_a")["expires_at"] = json!(NOW);
    Night::at(&mut expired.old, "promo_a")["expires_at"] = json!(NOW);
    assert!(!expired.differs().contains(&"new_code_off".to_owned()));
}

#[test]
fn a_code_that_was_closed_and_went_nowhere_is_said_unless_nothing_was_left() {
    let lost = |used: i64| {
        let mut night = night(&pool(), &[]);
        night
            .new
            .retain(|object| object["metadata"]["cutover_of"] != "promo_a");
        night.ends.retain(|(key, ..)| key.0 != "code/promo_a");
        night
            .ends
            .push((ChangeKey("code/promo_a".into()), RowEnd::Drifted, None));
        Night::at(&mut night.old, "promo_a")["times_redeemed"] = json!(used);
        let (source, destination) = (drawer(&night.old), drawer(&night.new));
        let now = Now {
            source: &source,
            destination: &destination,
            at: NOW,
        };
        let audit = compare(&night.plan, &night.ends, &now);
        assert_eq!(audit.compared, 2);
        audit
            .findings
            .into_iter()
            .map(|found| found.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(lost(4), ["closed_and_lost"]);
    assert_eq!(lost(5), [""; 0]);
}

#[test]
fn a_carried_discount_is_there_with_its_terms_and_one_use() {
    use super::super::facts::{Bills, Duration, Interval, Read, Running};
    let old = vec![coupon_json("c", json!({"duration": "forever"}))];
    let mut before = world(&old, &[]);
    before.people.insert(
        "cus_m1".into(),
        super::super::facts::Person::Mover { label: safe("Ann") },
    );
    before.running.push(Running {
        id: "di_1".into(),
        coupon: "c".into(),
        terms: before.source.coupons["c"].terms.clone(),
        products: Some(Vec::new()),
        duration: Duration::Forever,
        start: 1,
        end: None,
        customer: "cus_m1".into(),
        label: safe("Ann"),
        subscription: Some("sub_1".into()),
        item: None,
        on_customer: false,
        bills: Some(Bills {
            anchor: NOW,
            period_start: NOW,
            next: NOW + 86_400,
            ends: None,
            interval: Interval::Month,
            every: 1,
        }),
        beside: 1,
        read: Read::default(),
    });
    let plan = planned(&before);
    let at = plan.position(&ChangeKey("discount/di_1".into())).unwrap();
    let row = plan.changes()[at].clone();
    let carry = created(&row.writes_now()[0], "");
    let ends = vec![(row.key.clone(), RowEnd::Done, None)];
    let rules = |new: &[Value]| {
        let (source, destination) = (drawer(&old), drawer(new));
        let now = Now {
            source: &source,
            destination: &destination,
            at: NOW,
        };
        let audit = compare(&plan, &ends, &now);
        assert_eq!(audit.compared, 1);
        audit
            .findings
            .into_iter()
            .map(|found| found.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(std::slice::from_ref(&carry)), [""; 0]);
    assert_eq!(rules(&[]), ["carry_not_there"]);
    let with = |name: &str, value: Value| {
        let mut carry = carry.clone();
        carry[name] = value;
        rules(&[carry])
    };
    assert_eq!(with("percent_off", json!(99)), ["carry_differs"]);
    assert_eq!(with("max_redemptions", json!(2)), ["more_than_left"]);
    assert_eq!(effect("create_carry", "carry_di_1"), row.writes_now()[0].effect.0);
}
