use serde_json::{Value, json};

use super::super::super::samples::{coupon_json, drawer, wire};
use super::*;

fn discount_json(id: &str, coupon: &Value) -> Value {
    json!({
        "id": id, "object": "discount", "start": 1_750_000_000, "end": null,
        "source": {"type": "coupon", "coupon": coupon},
    })
}

fn subscription(id: &str, customer: &str, own: &[Value], of_item: &[Value], more: bool) -> Live {
    let subscription = json!({
        "id": id, "created": 1, "livemode": false, "customer": customer, "status": "active",
        "billing_cycle_anchor": 100, "discounts": own,
        "items": {"object": "list", "url": "", "has_more": more, "data": [{
            "id": format!("si_{id}"), "current_period_start": 100, "current_period_end": 200, "discounts": of_item,
            "price": {
                "id": "price_1", "created": 1, "livemode": false, "active": true, "billing_scheme": "per_unit",
                "currency": "usd", "product": "prod_1",
                "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
            },
        }]},
    });
    of_page(wire(&subscription), Read::default()).unwrap()
}

/// What is running, by discount and subscription, of customers `cus_m1` and `cus_m2`.
fn found(live: Vec<Live>, crowd: &Crowd, listed: &[Value]) -> (Vec<Running>, BTreeSet<String>) {
    let source = drawer(listed);
    let created = |coupon: &Value| {
        (
            coupon["id"].as_str().unwrap().to_owned(),
            coupon["created"].as_i64().unwrap(),
        )
    };
    let made = listed.iter().map(created).collect();
    of_scope(live, crowd, &source, &made)
}

#[test]
fn only_discounts_of_customers_in_scope_are_carried() {
    let coupon = coupon_json("c", json!({"applies_to": {"products": ["prod_1"]}}));
    let shown = coupon_json("c", json!({}));
    let live = vec![
        subscription(
            "sub_1",
            "cus_m1",
            &[discount_json("di_1", &shown)],
            &[discount_json("di_2", &json!("c"))],
            false,
        ),
        subscription("sub_2", "cus_s1", &[discount_json("di_3", &shown)], &[], true),
        subscription("sub_3", "cus_m2", &[], &[], true),
    ];
    let (running, cut) = found(live, &Crowd::of(&["cus_m1", "cus_m2"], Vec::new()), &[coupon]);
    let ids: Vec<_> = running
        .iter()
        .map(|one| (one.id.as_str(), one.item.as_deref(), one.beside))
        .collect();
    assert_eq!(ids, [("di_1", None, 2), ("di_2", Some("si_sub_1"), 2)]);
    for one in &running {
        assert_eq!(
            one.products.as_deref(),
            Some(&["prod_1".to_owned()][..]),
            "what is hidden comes from the list"
        );
        assert_eq!((one.customer.as_str(), one.bills.unwrap().next), ("cus_m1", 200));
        assert_eq!(
            (one.label.as_str(), one.duration),
            ("Name of cus_m1", Duration::Once)
        );
    }
    assert_eq!(
        cut,
        BTreeSet::from(["sub_3".to_owned()]),
        "and nobody's who stays"
    );
}

#[test]
fn a_coupon_that_was_deleted_or_made_again_keeps_its_own_terms_in_the_discount() {
    let old = coupon_json("c", json!({"percent_off": 50, "duration": "forever"}));
    let again = coupon_json(
        "c",
        json!({"percent_off": 10, "created": 1_760_000_000, "duration": "once"}),
    );
    let of = |discount: Value, listed: &[Value]| {
        let live = vec![subscription("sub_1", "cus_m1", &[discount], &[], false)];
        found(live, &Crowd::of(&["cus_m1"], Vec::new()), listed)
            .0
            .remove(0)
    };
    for listed in [&[][..], std::slice::from_ref(&again)] {
        let one = of(discount_json("di_1", &old), listed);
        assert_eq!(
            (one.terms.get("percent_off"), one.products, one.duration),
            (Some("50"), None, Duration::Forever)
        );
        let bare = of(discount_json("di_1", &json!("c")), listed);
        assert_eq!(
            (bare.terms.iter().count(), bare.products),
            (0, None),
            "an id alone says nothing of it"
        );
    }
    let one = of(discount_json("di_1", &old), std::slice::from_ref(&old));
    assert_eq!(
        (one.terms.get("percent_off"), one.products),
        (Some("50"), Some(Vec::new()))
    );
}

#[test]
fn a_customers_discount_works_where_a_subscription_has_none_of_its_own() {
    let coupon = coupon_json("c", json!({}));
    let customers: Discount = wire(&discount_json("di_c", &coupon));
    let crowd = || Crowd::of(&["cus_m1"], vec![("cus_m1", customers.clone())]);
    let live = || {
        vec![
            subscription("sub_1", "cus_m1", &[discount_json("di_1", &coupon)], &[], false),
            subscription("sub_2", "cus_m1", &[], &[], false),
            subscription("sub_3", "cus_m1", &[], &[discount_json("di_3", &coupon)], false),
        ]
    };
    let on = |running: &[Running]| -> Vec<(Option<String>, usize)> {
        let of_customer = running.iter().filter(|one| one.on_customer);
        of_customer
            .map(|one| (one.subscription.clone(), one.beside))
            .collect()
    };
    let (running, _) = found(live(), &crowd(), std::slice::from_ref(&coupon));
    assert_eq!(
        on(&running),
        [(Some("sub_2".into()), 1), (Some("sub_3".into()), 2)]
    );
    let (running, _) = found(
        live().drain(..1).collect(),
        &crowd(),
        std::slice::from_ref(&coupon),
    );
    assert_eq!(
        on(&running),
        [(None, 1)],
        "it works on nothing, and is not passed over"
    );
    let (running, _) = found(Vec::new(), &crowd(), std::slice::from_ref(&coupon));
    assert_eq!(on(&running), [(None, 1)]);
}

#[test]
fn a_discount_that_comes_as_an_id_is_not_passed_over() {
    let subscription = json!({
        "id": "sub_1", "created": 1, "livemode": false, "customer": "cus_m1", "status": "active", "discounts": ["di_1"],
        "items": {"object": "list", "url": "", "has_more": false, "data": []},
    });
    assert!(of_page(wire(&subscription), Read::default()).is_err());
}
