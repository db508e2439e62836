use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::stages::subscriptions::facts::{OLD_ID, Phase, Twin};
use crate::stripe::wire::Schedule;

fn price_json() -> Value {
    json!({
        "id": "price_1", "object": "price", "created": 1, "livemode": false, "active": true,
        "billing_scheme": "per_unit", "currency": "usd", "product": "prod_1", "unit_amount": 1000,
        "unit_amount_decimal": "1000", "transform_quantity": null, "tax_behavior": "exclusive",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed", "meter": null},
    })
}

fn subscription_json() -> Value {
    json!({
        "id": "sub_1", "object": "subscription", "created": 50, "livemode": false, "customer": "cus_1",
        "status": "active", "currency": "usd", "start_date": 40, "billing_cycle_anchor": 100,
        "collection_method": "charge_automatically", "days_until_due": null, "discounts": [],
        "default_payment_method": null, "default_source": null, "default_tax_rates": [],
        "automatic_tax": {"enabled": false, "liability": null}, "billing_mode": {"type": "classic"},
        "billing_schedules": [], "invoice_settings": {"account_tax_ids": null, "issuer": {"type": "self"}},
        "cancel_at": null, "cancel_at_period_end": false, "trial_end": null, "metadata": {"k": "v"},
        "items": {"object": "list", "url": "", "has_more": false, "data": [{
            "id": "si_1", "created": 50, "price": price_json(), "quantity": 3, "discounts": [], "tax_rates": [],
            "current_period_start": 100, "current_period_end": 200, "metadata": {},
        }]},
    })
}

fn schedule_json() -> Value {
    json!({
        "id": "sub_sched_1", "object": "subscription_schedule", "created": 60, "livemode": false,
        "customer": {"id": "cus_1", "object": "customer"}, "status": "not_started", "subscription": null,
        "released_subscription": null, "end_behavior": "release", "billing_mode": {"type": "classic"},
        "metadata": {"old_Stripe_sub_id": "sub_1", "cutover_effect": "e1"},
        "default_settings": {
            "collection_method": "charge_automatically", "default_payment_method": null, "invoice_settings":
            {"days_until_due": null, "issuer": {"type": "self"}}, "automatic_tax": {"enabled": false},
            "billing_cycle_anchor": "automatic", "transfer_data": null, "on_behalf_of": null,
        },
        "phases": [{
            "start_date": 1000, "end_date": 2000, "currency": "usd", "add_invoice_items": [],
            "collection_method": null, "default_payment_method": null, "default_tax_rates": [{"id": "txr_1"}],
            "discounts": [{"coupon": "c", "discount": null, "promotion_code": null}], "invoice_settings": null,
            "items": [{"price": {"id": "price_1"}, "quantity": 2, "discounts": [], "tax_rates": [], "metadata": {}}],
            "metadata": {"old_Stripe_sub_id": "sub_1"}, "proration_behavior": "none", "billing_cycle_anchor": null,
            "trial_end": null, "automatic_tax": {"enabled": true}, "billing_thresholds": null,
        }],
    })
}

/// `json` with `value` at `path`, an RFC 6901 pointer whose last part may be new.
fn set(mut json: Value, path: &str, value: Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    json.pointer_mut(parent).unwrap()[name] = value;
    json
}

fn wire<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn old(json: &Value) -> Result<Old, Trouble> {
    Old::of(&wire(json), Read::default())
}

fn phases(json: &Value) -> Vec<Phase> {
    phases_of(&wire::<Schedule>(json)).unwrap()
}

fn twin_of(json: &Value) -> Option<Twin> {
    Twin::of_schedule(&wire::<Schedule>(json), Read::default()).unwrap()
}

#[test]
fn a_subscription_is_read_with_everything_the_plan_rests_on() {
    let read = old(&subscription_json()).unwrap();
    assert_eq!((read.started, read.anchor, read.items_cut), (40, 100, false));
    assert_eq!(
        (read.status, read.collection),
        (Status::Active, Collection::Automatic)
    );
    let item = &read.items[0];
    assert_eq!((item.quantity, item.period), (Some(3), (100, 200)));
    assert_eq!(item.price.unit[&read.currency], "1000");
    let monthly = Rhythm {
        interval: Interval::Month,
        every: 1,
    };
    assert_eq!(item.price.rhythm, Some(monthly));
    assert!(!(read.connect || read.flexible || read.thresholds || read.pending_update || read.pending_items));
}

#[test]
fn what_a_subscription_has_of_its_own_is_seen_field_by_field() {
    type Says = fn(&Old) -> bool;
    let cases: [(&str, Value, Says); 20] = [
        ("/default_payment_method", json!("pm_1"), |old| {
            old.method.as_deref() == Some("pm_1")
        }),
        ("/default_source", json!({"id": "card_1"}), |old| {
            old.method.as_deref() == Some("card_1")
        }),
        ("/schedule", json!({"id": "sub_sched_9"}), |old| {
            old.schedule.as_deref() == Some("sub_sched_9")
        }),
        ("/pause_collection", json!({"behavior": "quantum"}), |old| {
            old.pause.as_deref() == Some("quantum")
        }),
        ("/billing_mode", json!({"type": "quantum"}), |old| old.flexible),
        ("/billing_thresholds", json!({}), |old| old.thresholds),
        ("/items/data/0/billing_thresholds", json!({}), |old| {
            old.items[0].thresholds
        }),
        ("/application_fee_percent", json!(1.5), |old| old.connect),
        ("/on_behalf_of", json!("acct_1"), |old| old.connect),
        ("/transfer_data", json!({"destination": "acct_1"}), |old| {
            old.connect
        }),
        ("/automatic_tax/liability", json!({"type": "account"}), |old| {
            old.connect
        }),
        ("/invoice_settings/issuer", json!({"type": "account"}), |old| {
            old.connect
        }),
        ("/automatic_tax/enabled", json!(true), |old| old.automatic_tax),
        ("/pending_update", json!({}), |old| old.pending_update),
        (
            "/pending_invoice_item_interval",
            json!({"interval": "day"}),
            |old| old.pending_items,
        ),
        ("/items/has_more", json!(true), |old| old.items_cut),
        ("/default_tax_rates", json!([{"id": "txr_1"}, "txr_2"]), |old| {
            old.tax_rates == ["txr_1", "txr_2"]
        }),
        ("/items/data/0/price/billing_scheme", json!("tiered"), |old| {
            old.items[0].price.by_steps && old.items[0].price.unit.is_empty()
        }),
        (
            "/items/data/0/price/recurring/usage_type",
            json!("quantum"),
            |old| old.items[0].price.metered,
        ),
        ("/status", json!("quantum"), |old| old.status == Status::Other),
    ];
    let plain = old(&subscription_json()).unwrap();
    for (path, value, says) in cases {
        assert!(!says(&plain), "{path}");
        assert!(
            says(&old(&set(subscription_json(), path, value)).unwrap()),
            "{path}"
        );
    }
}

#[test]
fn what_is_not_understood_of_a_subscription_is_said() {
    for (path, value, words) in [
        ("/currency", Value::Null, "without its currency"),
        ("/currency", json!("us"), "currency is `us`"),
        ("/billing_cycle_anchor", Value::Null, "billing cycle anchor"),
        (
            "/collection_method",
            json!("pigeon"),
            "collection method is `pigeon`",
        ),
        ("/collection_method", json!("send_invoice"), "days until"),
        (
            "/items/data/0/current_period_end",
            Value::Null,
            "without its current period",
        ),
        ("/items/data/0/billed_until", json!(201), "ahead"),
        ("/billing_schedules", json!([{}]), "ahead"),
        (
            "/items/data/0/price/recurring/interval",
            json!("moon"),
            "billing interval is `moon`",
        ),
        (
            "/items/data/0/price/recurring/interval_count",
            json!(0),
            "billing interval",
        ),
        ("/items/data", json!([]), "no items"),
    ] {
        let said = old(&set(subscription_json(), path, value))
            .unwrap_err()
            .to_string();
        assert!(said.contains(words), "{path}: {said}");
    }
    let billed = set(subscription_json(), "/items/data/0/billed_until", json!(200));
    assert!(old(&billed).is_ok());
}

#[test]
fn an_amount_is_kept_digit_by_digit_for_each_currency() {
    let json = set(
        price_json(),
        "/currency_options",
        json!({
            "usd": {"unit_amount": 1, "unit_amount_decimal": "1"},
            "eur": {"unit_amount": null, "unit_amount_decimal": "99.500000000001"},
            "jpy": {"unit_amount": 5, "custom_unit_amount": {"minimum": 1}},
            "?": {"unit_amount": 5},
        }),
    );
    let read = price(&wire(&json)).unwrap();
    let all: Vec<_> = read
        .unit
        .iter()
        .map(|(code, digits)| (code.code(), digits.as_str()))
        .collect();
    assert_eq!(all, [("eur", "99.500000000001"), ("usd", "1000")]);
}

fn coupon_json(created: i64, more: &[(&str, Value)]) -> Value {
    let mut json = json!({
        "id": "c", "object": "coupon", "created": created, "livemode": false, "duration": "forever",
        "percent_off": 12.5, "amount_off": null, "times_redeemed": 0, "valid": true,
    });
    for (field, value) in more {
        json[*field] = value.clone();
    }
    json
}

#[test]
fn what_a_discount_takes_off_is_the_listed_coupons_if_it_is_the_same_one() {
    let coupons =
        |created| Coupons::from([("c".to_owned(), (created, off(&wire(&coupon_json(created, &[])))))]);
    let of = |coupon: Value, coupons: &Coupons| {
        let discount =
            json!([{"id": "di_1", "start": 10, "end": 99, "source": {"type": "coupon", "coupon": coupon}}]);
        let json = set(subscription_json(), "/discounts", discount);
        Old::with(&wire(&json), coupons, Read::default())
            .unwrap()
            .discounts
            .remove(0)
    };
    let percent = Off::Percent("12.5".to_owned());
    let whole = || coupon_json(5, &[]);
    assert_eq!(of(json!("c"), &coupons(5)).off, percent);
    assert_eq!(of(whole(), &coupons(5)).off, percent);
    assert_eq!(of(json!("c"), &coupons(11)).off, Off::Unknown, "made again later");
    assert_eq!(of(whole(), &coupons(6)).off, Off::Unknown, "another one");
    let alone = of(whole(), &Coupons::new());
    assert_eq!(
        (alone.off, alone.coupon.as_str(), alone.end),
        (Off::Unknown, "c", Some(99))
    );
    let bare = old(&set(subscription_json(), "/discounts", json!(["di_1"]))).unwrap();
    assert_eq!(
        (bare.discounts[0].id.as_str(), bare.discounts[0].coupon.as_str()),
        ("di_1", "")
    );
}

#[test]
fn a_coupon_says_what_it_takes_off_or_that_arithmetic_cannot() {
    let of = |more: &[(&str, Value)]| coupon(&wire(&coupon_json(1, more)));
    assert_eq!(of(&[]).off, Off::Percent("12.5".to_owned()));
    assert!(!of(&[]).once && of(&[("duration", json!("once"))]).once);
    assert!(
        of(&[("duration", json!("quantum"))]).once,
        "nothing goes on by a word nobody knows"
    );
    assert_eq!(
        of(&[("applies_to", json!({"products": ["p"]}))]).off,
        Off::Unknown
    );
    let amount = of(&[
        ("percent_off", Value::Null),
        ("amount_off", json!(500)),
        ("currency", json!("usd")),
        ("currency_options", json!({"eur": {"amount_off": 400}})),
    ]);
    let Off::Amount(by) = amount.off else { panic!() };
    let all: Vec<_> = by.iter().map(|(code, off)| (code.code(), *off)).collect();
    assert_eq!(all, [("eur", 400), ("usd", 500)]);
}

#[test]
fn a_phase_says_what_holds_in_it_with_the_schedules_defaults_filled_in() {
    let read = phases(&schedule_json());
    let phase = &read[0];
    assert_eq!((phase.start, phase.end), (1000, None), "it goes on after its end");
    assert_eq!(phase.collection, Some(Collection::Automatic));
    assert_eq!(
        (phase.coupons.as_slice(), phase.tax_rates.as_slice()),
        (&["c".to_owned()][..], &["txr_1".to_owned()][..])
    );
    assert!(phase.automatic_tax && phase.beyond.is_none());
    let ends = set(schedule_json(), "/end_behavior", json!("cancel"));
    assert_eq!(phases(&ends)[0].end, Some(2000));
    let invoice = set(
        set(
            schedule_json(),
            "/default_settings/collection_method",
            json!("send_invoice"),
        ),
        "/default_settings/invoice_settings/days_until_due",
        json!(14),
    );
    assert_eq!(phases(&invoice)[0].collection, Some(Collection::Invoice(14)));
    let own = set(
        invoice,
        "/phases/0/collection_method",
        json!("charge_automatically"),
    );
    assert_eq!(phases(&own)[0].collection, Some(Collection::Automatic));
    let method = set(
        schedule_json(),
        "/default_settings/default_payment_method",
        json!("pm_1"),
    );
    assert_eq!(phases(&method)[0].method.as_deref(), Some("pm_1"));
}

#[test]
fn whatever_a_phase_says_beyond_what_is_carried_over_is_said() {
    for (path, value) in [
        ("/phases/0/add_invoice_items", json!([{}])),
        ("/phases/0/application_fee_percent", json!(1)),
        ("/phases/0/on_behalf_of", json!("acct_1")),
        ("/default_settings/transfer_data", json!({})),
        (
            "/default_settings/invoice_settings/issuer",
            json!({"type": "account"}),
        ),
        ("/phases/0/automatic_tax/liability", json!({"type": "account"})),
        ("/phases/0/billing_thresholds", json!({})),
        ("/phases/0/items/0/billing_thresholds", json!({})),
        ("/default_settings/billing_thresholds", json!({})),
        ("/phases/0/trial_end", json!(1500)),
        ("/phases/0/trial", json!(true)),
        ("/phases/0/items", json!([])),
        ("/phases/0/collection_method", json!("quantum")),
        ("/phases/0/collection_method", json!("send_invoice")),
        ("/phases/0/discounts", json!([{"discount": "di_1"}])),
        (
            "/phases/0/items/0/discounts",
            json!([{"promotion_code": "promo_1"}]),
        ),
        ("/end_behavior", json!("renew")),
        ("/end_behavior", json!("quantum")),
    ] {
        let found = phases(&set(schedule_json(), path, value));
        assert!(found[0].beyond.is_some(), "{path}");
    }
    let mut two = schedule_json();
    let mut second = two["phases"][0].clone();
    second["start_date"] = json!(2000);
    second["end_date"] = json!(3000);
    second["billing_cycle_anchor"] = json!("phase_start");
    two["phases"].as_array_mut().unwrap().push(second);
    let found = phases(&two);
    assert_eq!((found[0].end, found[1].end), (Some(2000), None));
    assert!(found[0].beyond.is_none() && found[1].beyond.is_some());
}

#[test]
fn a_running_discount_of_a_phase_is_known_by_its_coupon_where_it_was_expanded() {
    let expanded = json!([
        {"discount": {"id": "di_1", "start": 1, "source": {"type": "coupon", "coupon": "a"}}},
        {"promotion_code": {
            "id": "promo_1", "livemode": false, "active": true, "code": "B", "times_redeemed": 0,
            "promotion": {"type": "coupon", "coupon": "b"}, "restrictions": {"first_time_transaction": false},
        }},
    ]);
    let found = phases(&set(schedule_json(), "/phases/0/discounts", expanded));
    assert_eq!(found[0].coupons, ["a", "b"]);
    assert!(found[0].beyond.is_none());
}

#[test]
fn a_twin_is_found_by_the_old_id_on_the_schedule_or_on_a_phase_and_a_cancelled_one_is_none() {
    let twin = twin_of(&schedule_json()).unwrap();
    assert_eq!(
        (twin.of.as_str(), twin.start, twin.begun, twin.ends),
        ("sub_1", 1000, false, false)
    );
    assert_eq!(twin.effect.as_deref(), Some("e1"));
    let on_phase = set(schedule_json(), "/metadata", json!({}));
    assert_eq!(twin_of(&on_phase).unwrap().of, "sub_1");
    let nobodys = set(on_phase, "/phases/0/metadata", Value::Null);
    assert!(twin_of(&nobodys).is_none());
    for (status, found) in [
        ("canceled", None),
        ("not_started", Some(false)),
        ("active", Some(true)),
        ("released", Some(true)),
        ("completed", Some(true)),
        ("quantum", Some(true)),
    ] {
        let twin = twin_of(&set(schedule_json(), "/status", json!(status)));
        assert_eq!(twin.as_ref().map(|twin| twin.begun), found, "{status}");
        let odd = twin.is_some_and(|twin| twin.phases[0].beyond.is_some());
        assert_eq!(odd, status == "quantum");
    }
    let released = set(schedule_json(), "/released_subscription", json!("sub_new"));
    assert_eq!(
        twin_of(&released).unwrap().subscription.as_deref(),
        Some("sub_new")
    );
}

#[test]
fn a_subscription_that_no_schedule_manages_is_a_twin_as_it_is_now() {
    let json = set(subscription_json(), "/metadata", json!({OLD_ID: "sub_old"}));
    let of = |json: &Value| Twin::of_subscription(&wire(json), Read::default()).unwrap();
    let twin = of(&json).unwrap();
    assert_eq!(
        (twin.of.as_str(), twin.schedule.clone(), twin.start, twin.begun),
        ("sub_old", None, 40, true)
    );
    let phase = &twin.phases[0];
    assert_eq!(
        (phase.items[0].quantity, phase.end, &phase.beyond),
        (Some(3), None, &None)
    );
    assert!(of(&set(json.clone(), "/status", json!("canceled"))).is_none());
    assert!(of(&subscription_json()).is_none());
    for (path, value) in [
        ("/status", json!("quantum")),
        ("/status", json!("trialing")),
        ("/pause_collection", json!({"behavior": "void"})),
        ("/items/has_more", json!(true)),
        ("/discounts", json!(["di_1"])),
        ("/items/data/0/discounts", json!(["di_1"])),
        ("/on_behalf_of", json!("acct_1")),
        ("/billing_schedules", json!([{}])),
    ] {
        let twin = of(&set(json.clone(), path, value)).unwrap();
        assert!(twin.phases[0].beyond.is_some(), "{path}");
    }
}

/// Any small JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z_\\PC]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every pointer into `json`.
fn pointers(json: &Value, at: &str, out: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match json {
        Value::Object(map) => map.iter().map(|(k, v)| (format!("{at}/{k}"), v)).collect(),
        Value::Array(all) => all
            .iter()
            .enumerate()
            .map(|(n, v)| (format!("{at}/{n}"), v))
            .collect(),
        _ => Vec::new(),
    };
    for (path, value) in below {
        pointers(value, &path, out);
        out.push(path);
    }
}

proptest! {
    /// Whatever one value turns into, the answer is read, refused, or in trouble.
    #[test]
    fn no_json_panics(value in any_json(), which in any::<prop::sample::Index>(), schedule in any::<bool>()) {
        let whole = if schedule { schedule_json() } else { subscription_json() };
        let mut paths = Vec::new();
        pointers(&whole, "", &mut paths);
        let mut json = whole;
        *json.pointer_mut(&paths[which.index(paths.len())]).unwrap() = value;
        let text = json.to_string();
        if let Ok(read) = serde_json::from_str::<Subscription>(&text) {
            let _ = Old::of(&read, Read::default());
            let _ = Twin::of_subscription(&read, Read::default());
        }
        if let Ok(read) = serde_json::from_str::<Schedule>(&text) {
            let _ = Twin::of_schedule(&read, Read::default());
        }
    }
}
