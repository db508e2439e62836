use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::samples::{NOW, code_json, coupon_json, planned, world};
use super::*;

fn pool() -> Vec<Value> {
    vec![
        coupon_json("c", json!({"max_redemptions": 10, "times_redeemed": 5})),
        code_json(
            "promo_a",
            "c",
            json!({"customer": "cus_m1", "max_redemptions": 5, "times_redeemed": 3}),
        ),
        code_json("promo_b", "c", json!({"customer": "cus_m2", "times_redeemed": 2})),
    ]
}

/// Rows that drifted when the old account changed like this since the plan.
fn after(change: impl FnOnce(&mut Vec<Value>)) -> Vec<String> {
    let mut now = pool();
    change(&mut now);
    let drifted = drifted(&planned(&world(&pool(), &[])), &planned(&world(&now, &[])));
    drifted.into_iter().map(|key| key.0).collect()
}

#[test]
fn uses_that_were_taken_since_are_no_drift() {
    assert_eq!(after(|_| {}), [""; 0]);
    let used = |a: i64, b: i64| {
        after(|now| {
            now[0]["times_redeemed"] = json!(5 + a + b);
            now[1]["times_redeemed"] = json!(3 + a);
            now[2]["times_redeemed"] = json!(2 + b);
            now[1]["active"] = json!(a < 2);
        })
    };
    for (a, b) in [(0, 1), (1, 0), (2, 0), (2, 3), (0, 5)] {
        assert_eq!(used(a, b), [""; 0], "{a} of one code, {b} of the other");
    }
}

#[test]
fn a_use_that_only_the_coupon_showed_when_the_plan_was_made_is_no_drift() {
    let before = |code: i64| {
        vec![
            coupon_json("c", json!({"max_redemptions": 12, "times_redeemed": 10})),
            code_json(
                "promo_a",
                "c",
                json!({"customer": "cus_m1", "max_redemptions": 8, "times_redeemed": code}),
            ),
            code_json("promo_b", "c", json!({"customer": "cus_m2", "times_redeemed": 4})),
        ]
    };
    let plans = [5, 6].map(|code| planned(&world(&before(code), &[])));
    assert_eq!(drifted(&plans[0], &plans[1]), []);
}

#[test]
fn what_expired_since_is_no_drift() {
    assert_eq!(after(|now| now[1]["expires_at"] = json!(NOW)), [""; 0]);
}

#[test]
fn what_was_deleted_or_switched_off_since_ends_by_itself() {
    assert_eq!(after(|now| now.truncate(0)), [""; 0]);
    let deleted = after(|now| {
        now.remove(0);
        for code in now.iter_mut() {
            code["active"] = json!(false);
        }
    });
    assert_eq!(deleted, [""; 0], "the coupon, and its codes are off by that");
    assert_eq!(after(|now| now[1]["active"] = json!(false)), [""; 0]);
    let both = after(|now| {
        now[1]["active"] = json!(false);
        now[2]["active"] = json!(false);
    });
    assert_eq!(both, [""; 0], "no code is left");
}

#[test]
fn everything_else_is_drift() {
    let all = ["code/promo_a", "code/promo_b", "coupon/c"];
    assert_eq!(after(|now| now[0]["percent_off"] = json!(26)), ["coupon/c"]);
    assert_eq!(after(|now| now[1]["code"] = json!("OTHER")), ["code/promo_a"]);
    let fewer = after(|now| now[0]["times_redeemed"] = json!(4));
    assert!(!fewer.is_empty(), "a counter that went back");
    let came = after(|now| now.push(code_json("promo_z", "c", json!({"customer": "cus_m3"}))));
    assert_eq!(came, ["coupon/c"], "a code that has to be closed too");
    let shared = after(|now| now.push(code_json("promo_z", "c", json!({}))));
    assert_eq!(shared, all, "a code for everybody makes it a decision");
    assert!(
        !after(|now| now[1]["customer"] = json!("cus_m9")).is_empty(),
        "another customer's"
    );
}

#[test]
fn a_limit_may_become_smaller_and_nothing_else() {
    for (planned, now, holds) in [
        ("5", "4", true),
        ("5", "5", true),
        ("5", "6", false),
        ("{6 - number}", "{5 - number}", true),
        ("{6 - number}", "{number}", false),
        ("{number}", "5", false),
    ] {
        assert_eq!(cap_holds(planned, now), holds, "{planned} {now}");
    }
}

/// Limit and uses of the coupon, then of its codes, with whom each is for: a mover, everybody, or somebody who stays.
type Sizes = (Option<i64>, Vec<(Option<i64>, i64, usize)>);

const FOR: [Option<&str>; 3] = [Some("cus_m"), None, Some("cus_s")];

/// A pool in which nobody used more than there was; `since` uses of code n are taken one after another, as long as there
/// are any.
fn pool_of((limit, codes): &Sizes, direct: i64, since: &[usize]) -> Vec<Value> {
    let within = |limit: Option<i64>, used: i64| limit.is_none_or(|limit| used < limit);
    let mut used: Vec<i64> = codes.iter().map(|_| 0).collect();
    let (mut total, mut taken) = (0, Vec::new());
    for (at, code) in codes.iter().enumerate() {
        taken.extend((0..code.1).map(|_| Some(at)));
    }
    taken.extend((0..direct).map(|_| None));
    taken.extend(
        since
            .iter()
            .map(|at| (!codes.is_empty()).then(|| at % codes.len())),
    );
    for at in taken {
        let own = at.is_none_or(|at| within(codes[at].0, used[at]));
        if own && within(*limit, total) {
            total += 1;
            if let Some(at) = at {
                used[at] += 1;
            }
        }
    }
    let valid = within(*limit, total);
    let mut all = vec![coupon_json(
        "c",
        json!({"max_redemptions": limit, "times_redeemed": total, "valid": valid}),
    )];
    for (at, (limit, _, who)) in codes.iter().enumerate() {
        let customer = FOR[*who].map(|start| format!("{start}{at}"));
        let active = valid && within(*limit, used[at]);
        let more = json!({
            "customer": customer, "max_redemptions": limit, "times_redeemed": used[at], "active": active,
        });
        all.push(code_json(&format!("promo_{at}"), "c", more));
    }
    all
}

proptest! {
    #[test]
    fn people_who_redeem_while_a_plan_is_reviewed_do_not_make_it_stale(
        limit in option::of(1_i64..9),
        codes in vec((option::of(1_i64..6), 0_i64..5, 0_usize..3), 0..4),
        direct in 0_i64..3,
        since in vec(0_usize..4, 0..4),
    ) {
        let sizes = (limit, codes);
        let planned = planned(&world(&pool_of(&sizes, direct, &[]), &[]));
        let now = super::super::samples::planned(&world(&pool_of(&sizes, direct, &since), &[]));
        let decided = planned.changes().iter().any(|change| change.rule == "shared" || change.rule == "open_code");
        let drifted = drifted(&planned, &now);
        prop_assert!(decided || drifted.is_empty(), "{drifted:?}");
    }
}
