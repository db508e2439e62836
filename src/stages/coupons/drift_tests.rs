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
