use serde_json::{Value, json};

use super::super::effects::Effects;
use super::super::samples::{accounts, code, code_json, coupon, coupon_json, created};
use super::*;

fn writes() -> Vec<PlannedWrite> {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let whole = coupon(&coupon_json(
        "SPRING",
        json!({
            "percent_off": null, "amount_off": 1000, "currency": "usd", "duration": "repeating", "duration_in_months": 3,
            "currency_options": {"usd": {"amount_off": 1000}, "aud": {"amount_off": 1500}}, "name": "Spring",
            "redeem_by": 1_800_000_000, "applies_to": {"products": ["prod_b", "prod_a"]}, "metadata": {"team": "a"},
        }),
    ));
    let percent = coupon(&coupon_json("TEN", json!({"percent_off": 12.5})));
    let restricted = code(&code_json(
        "promo_1",
        "SPRING",
        json!({
            "customer": "cus_1", "expires_at": 1_800_000_000, "metadata": {"team": "a"},
            "restrictions": {
                "first_time_transaction": true, "minimum_amount": 5000, "minimum_amount_currency": "usd",
                "currency_options": {"usd": {"minimum_amount": 5000}, "aud": {"minimum_amount": 7000}},
            },
        }),
    ));
    let open = code(&code_json("promo_2", "TEN", json!({})));
    vec![
        effects.create_coupon("SPRING", &whole.terms, Some("3")),
        effects.create_coupon("TEN", &percent.terms, None),
        effects.create_carry(
            "di_1",
            "carry_di_1",
            &percent.terms.clone().with("id", "carry_di_1"),
        ),
        effects.create_code(&restricted, Some("1")),
        effects.create_code(&open, None),
        effects.recreate_old(&open, "4"),
    ]
}

fn accepts(write: &PlannedWrite, object: &Value) -> bool {
    attest(write, object.to_string().as_bytes(), false).is_ok()
}

#[test]
fn what_was_sent_is_attested_and_known_again() {
    for write in writes() {
        let object = created(&write, "promo_new");
        let attested = attest(&write, object.to_string().as_bytes(), false);
        let attested = attested.unwrap_or_else(|why| panic!("{}: {why}", write.op));
        assert_eq!(attested.object, object["id"].as_str().unwrap());
        assert!(is_effect(&write, object.to_string().as_bytes()), "{}", write.op);
        assert!(
            attest(&write, object.to_string().as_bytes(), true).is_err(),
            "{}: the other mode",
            write.op
        );
    }
}

/// Every place of an answer that says something, by its path.
fn leaves(at: &Value, path: &str, found: &mut Vec<String>) {
    match at {
        Value::Object(all) => all
            .iter()
            .for_each(|(name, value)| leaves(value, &format!("{path}/{name}"), found)),
        Value::Array(all) => (0..all.len()).for_each(|n| leaves(&all[n], &format!("{path}/{n}"), found)),
        _ => found.push(path.to_owned()),
    }
}

/// Fields that nobody sends: what becomes of the object afterwards, and what the answer's reader has no use for.
const FREE: [&str; 7] = [
    "/created",
    "/times_redeemed",
    "/valid",
    "/active",
    "/customer_account",
    "/livemode",
    "/currency_options/usd",
];

#[test]
fn a_lie_about_any_field_is_caught() {
    let mut told = 0;
    for write in writes() {
        let object = created(&write, "promo_new");
        let mut paths = Vec::new();
        leaves(&object, "", &mut paths);
        let is_code = write.path == "/v1/promotion_codes";
        let is_free = |path: &String| {
            FREE.iter().any(|free| path.starts_with(free))
                || path.starts_with("/restrictions/currency_options/usd")
                || (is_code && path == "/id")
        };
        for path in paths.iter().filter(|path| !is_free(path)) {
            let mut lie = object.clone();
            let place = lie.pointer_mut(path).unwrap();
            *place = match place {
                Value::Null if path.ends_with("name") || path.ends_with("customer") => json!("cus_else"),
                Value::Null if path.ends_with("currency") => continue,
                Value::Null | Value::Number(_) => json!(7),
                Value::Bool(flag) => json!(!*flag),
                _ => json!("once upon a time"),
            };
            told += 1;
            assert!(!accepts(&write, &lie), "{}: {path} of {lie}", write.op);
        }
    }
    assert!(told > 60, "{told}");
}

#[test]
fn a_term_that_was_not_sent_makes_it_another_coupon() {
    let all = writes();
    let mut wider = created(&all[1], "");
    wider["applies_to"] = json!({"products": ["prod_1"]});
    assert!(!accepts(&all[1], &wider));
    let mut object = created(&all[4], "promo_new");
    object["restrictions"]["first_time_transaction"] = json!(true);
    assert!(!accepts(&all[4], &object));
}

#[test]
fn the_order_of_products_says_nothing() {
    let write = &writes()[0];
    let mut object = created(write, "");
    object["applies_to"]["products"].as_array_mut().unwrap().reverse();
    assert!(accepts(write, &object));
}

#[test]
fn a_switched_code_is_known_by_its_mark_and_its_state() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let (close, reopen) = (effects.close_old("promo_1"), effects.reopen_old("promo_1"));
    let seen = |active: bool, by: &PlannedWrite| {
        code_json(
            "promo_1",
            "c",
            json!({"active": active, "metadata": {"cutover_effect": by.effect.0}}),
        )
        .to_string()
    };
    let knows = |write: &PlannedWrite, object: &str| {
        let attested = attest(write, object.as_bytes(), false).is_ok();
        assert_eq!(is_effect(write, object.as_bytes()), attested);
        attested
    };
    assert!(knows(&close, &seen(false, &close)));
    assert!(
        !knows(&close, &seen(true, &close)),
        "switched back by somebody else"
    );
    assert!(!knows(&close, &seen(false, &reopen)), "another effect");
    assert!(knows(&reopen, &seen(true, &reopen)));
    let other = code_json(
        "promo_2",
        "c",
        json!({"active": false, "metadata": {"cutover_effect": close.effect.0}}),
    );
    assert!(!accepts(&close, &other), "another code");
}

#[test]
fn a_deletion_is_attested_by_the_deleted_object() {
    let mut delete = writes().remove(0);
    (delete.op, delete.path, delete.marked) =
        ("undo_coupon".into(), "/v1/coupons/SPRING%20TIME".into(), false);
    assert!(accepts(
        &delete,
        &json!({"id": "SPRING TIME", "object": "coupon", "deleted": true})
    ));
    assert!(!accepts(
        &delete,
        &json!({"id": "SPRING", "object": "coupon", "deleted": true})
    ));
    assert!(!accepts(
        &delete,
        &json!({"id": "SPRING TIME", "object": "coupon"})
    ));
}
