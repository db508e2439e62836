use serde_json::{Value, json};

use super::super::samples::{code, code_json, coupon, coupon_json, wire};
use super::*;

#[test]
fn a_coupon_that_cannot_be_understood_says_why_and_nothing_else_does() {
    let bad = [
        json!({"duration": "twice"}),
        json!({"duration": "repeating"}),
        json!({"duration": "repeating", "duration_in_months": 0}),
        json!({"percent_off": null}),
        json!({"amount_off": 100}),
        json!({"percent_off": null, "amount_off": 100}),
        json!({"applies_to": {"products": []}}),
    ];
    for more in bad {
        assert!(
            coupon(&coupon_json("c", more.clone())).trouble.is_some(),
            "{more}"
        );
    }
    let good = [
        (json!({}), "25 % once"),
        (
            json!({"percent_off": null, "amount_off": 1000, "currency": "usd"}),
            "10.00 USD once",
        ),
        (
            json!({"duration": "repeating", "duration_in_months": 3}),
            "25 % for 3 months",
        ),
        (
            json!({"duration": "repeating", "duration_in_months": 1}),
            "25 % for 1 month",
        ),
        (
            json!({"duration": "forever", "applies_to": {"products": ["p"]}}),
            "25 % forever",
        ),
    ];
    for (more, words) in good {
        let read = coupon(&coupon_json("c", more.clone()));
        assert_eq!((read.trouble, read.words.as_str()), (None, words), "{more}");
    }
}

#[test]
fn a_code_for_an_account_or_of_another_promotion_is_never_taken_for_everybodys() {
    let bad = [
        json!({"customer_account": "acct_1"}),
        json!({"promotion": {"type": "gift", "coupon": null}}),
        json!({"promotion": {"type": "coupon", "coupon": null}}),
        json!({"restrictions": {"first_time_transaction": false, "minimum_amount": 5, "minimum_amount_currency": null}}),
    ];
    for more in bad {
        assert!(
            code(&code_json("promo_1", "c", more.clone())).trouble.is_some(),
            "{more}"
        );
    }
    let read = code(&code_json(
        "promo_1",
        "c",
        json!({"customer": {"id": "cus_1", "object": "customer", "deleted": true}}),
    ));
    assert_eq!((read.trouble, read.customer.as_deref()), (None, Some("cus_1")));
}

fn subscription(more: &[(&str, Value)], items: &[Value]) -> Subscription {
    let mut base = json!({
        "id": "sub_1", "created": 1, "livemode": false, "customer": "cus_1", "status": "active",
        "billing_cycle_anchor": 100, "cancel_at": null, "cancel_at_period_end": false, "trial_end": null,
        "discounts": [], "items": {"object": "list", "url": "", "has_more": false, "data": items},
    });
    for (name, value) in more {
        base[*name] = value.clone();
    }
    wire(&base)
}

fn item(interval: &str, count: i64, period: (i64, i64)) -> Value {
    json!({
        "id": "si_1", "current_period_start": period.0, "current_period_end": period.1, "discounts": ["di_1"],
        "price": {
            "id": "price_1", "created": 1, "livemode": false, "active": true, "billing_scheme": "per_unit",
            "currency": "usd", "product": "prod_1",
            "recurring": {"interval": interval, "interval_count": count, "usage_type": "licensed"},
        },
    })
}

#[test]
fn the_bills_of_a_subscription_are_known_only_where_all_its_items_agree() {
    let month = item("month", 1, (100, 200));
    let plain = bills(&subscription(&[], &[month.clone(), month.clone()])).unwrap();
    let want = Bills {
        anchor: 100,
        period_start: 100,
        next: 200,
        ends: None,
        interval: Interval::Month,
        every: 1,
    };
    assert_eq!(plain, want);
    let trial = subscription(
        &[("status", json!("trialing")), ("trial_end", json!(150))],
        std::slice::from_ref(&month),
    );
    assert_eq!(bills(&trial).unwrap().next, 150);
    let over = subscription(&[("trial_end", json!(150))], std::slice::from_ref(&month));
    assert_eq!(
        bills(&over).unwrap().next,
        200,
        "a trial that is over says nothing"
    );
    let ends = subscription(
        &[("cancel_at_period_end", json!(true))],
        std::slice::from_ref(&month),
    );
    assert_eq!(bills(&ends).unwrap().ends, Some(200));
    let unknown = [
        subscription(&[], &[]),
        subscription(&[], &[month.clone(), item("month", 3, (100, 200))]),
        subscription(&[], &[month.clone(), item("month", 1, (100, 300))]),
        subscription(&[], &[item("fortnight", 1, (100, 200))]),
        subscription(&[], &[item("month", 0, (100, 200))]),
        subscription(&[("status", json!("paused"))], std::slice::from_ref(&month)),
        subscription(&[("status", json!("incomplete"))], std::slice::from_ref(&month)),
        subscription(&[("billing_cycle_anchor", json!(null))], &[month]),
    ];
    for (at, subscription) in unknown.iter().enumerate() {
        assert_eq!(bills(subscription), None, "{at}");
    }
}
