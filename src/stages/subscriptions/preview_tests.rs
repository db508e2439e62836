use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::Route;
use super::super::effects::Bill;
use super::*;
use crate::domain::money::{Currency, Money};

fn row(old: &str) -> Row {
    let bill = Bill {
        at: 1_000,
        money: Some(Money::new(2_000, Currency::parse("usd").unwrap())),
    };
    Row {
        old: old.to_owned(),
        customer: format!("cus_{old}"),
        handover: Some(1_000),
        route: Some(Route::Csv),
        phases: vec![phase(1_000, None)],
        ends: false,
        twin: None,
        seen: None,
        next_old: None,
        next_new: Some(bill),
        classes: Vec::new(),
        cells: BTreeMap::new(),
        again_at: None,
        window_ends: 0,
    }
}

fn phase(start: i64, end: Option<i64>) -> Phase {
    Phase {
        start,
        end,
        items: vec![PhaseItem {
            price: "price_1".to_owned(),
            quantity: Some(2),
            coupons: vec!["item_coupon".to_owned()],
            tax_rates: vec!["txr_item".to_owned()],
        }],
        coupons: vec!["a".to_owned(), "b".to_owned()],
        tax_rates: vec!["txr_1".to_owned()],
        automatic_tax: false,
        collection: Some(Collection::Invoice(14)),
        method: Some("pm_1".to_owned()),
        currency: Currency::parse("usd").unwrap(),
        beyond: None,
    }
}

fn asked(rows: &[(Risk, Row)], sample: u32) -> Vec<String> {
    let wanted = wanted(rows, &BTreeMap::new(), sample);
    wanted.into_iter().map(|(old, _)| old).collect()
}

#[test]
fn the_question_is_the_schedule_as_it_would_be_made() {
    let two = Row {
        phases: vec![phase(1_000, Some(2_000)), phase(2_000, Some(3_000))],
        ends: true,
        ..row("sub_1")
    };
    let form = form(&two, true);
    for (name, value) in [
        ("customer", "cus_sub_1"),
        ("schedule_details[billing_mode][type]", "flexible"),
        ("schedule_details[end_behavior]", "cancel"),
        ("schedule_details[phases][0][start_date]", "1000"),
        ("schedule_details[phases][0][end_date]", "2000"),
        ("schedule_details[phases][1][end_date]", "3000"),
        ("currency", "usd"),
        ("schedule_details[phases][0][proration_behavior]", "none"),
        ("schedule_details[phases][0][automatic_tax][enabled]", "false"),
        ("schedule_details[phases][0][discounts][1][coupon]", "b"),
        ("schedule_details[phases][0][default_tax_rates][0]", "txr_1"),
        ("schedule_details[phases][0][collection_method]", "send_invoice"),
        (
            "schedule_details[phases][0][invoice_settings][days_until_due]",
            "14",
        ),
        ("schedule_details[phases][0][default_payment_method]", "pm_1"),
        ("schedule_details[phases][0][items][0][price]", "price_1"),
        ("schedule_details[phases][0][items][0][quantity]", "2"),
        (
            "schedule_details[phases][0][items][0][discounts][0][coupon]",
            "item_coupon",
        ),
        ("schedule_details[phases][1][items][0][tax_rates][0]", "txr_item"),
    ] {
        assert_eq!(form.get(name), Some(value), "{name}");
    }
    assert_eq!(form.get("schedule_details[phases][1][start_date]"), None);
}

#[test]
fn a_last_phase_that_goes_on_has_no_end() {
    let open = Row {
        phases: vec![phase(1_000, Some(2_000)), phase(2_000, Some(3_000))],
        ..row("sub_1")
    };
    let form = form(&open, false);
    assert_eq!(form.get("schedule_details[end_behavior]"), Some("release"));
    assert_eq!(form.get("schedule_details[phases][0][end_date]"), Some("2000"));
    assert_eq!(form.get("schedule_details[phases][1][end_date]"), None);
}

#[test]
fn every_row_of_high_risk_or_of_an_amount_nobody_can_say_is_asked_about_and_none_that_makes_nothing() {
    let mut rows: Vec<(Risk, Row)> = (0..30)
        .map(|n| {
            let risk = if n % 2 == 0 { Risk::Low } else { Risk::Medium };
            (risk, row(&format!("sub_{n}")))
        })
        .collect();
    rows.push((Risk::High, row("sub_risky")));
    let unsaid = Row {
        next_new: Some(Bill { at: 1, money: None }),
        ..row("sub_unsaid")
    };
    rows.push((Risk::Low, unsaid));
    let none = Row {
        route: None,
        ..row("sub_none")
    };
    let empty = Row {
        phases: vec![],
        ..row("sub_empty")
    };
    rows.extend([(Risk::High, none), (Risk::High, empty)]);
    assert_eq!(asked(&rows, 0), ["sub_risky", "sub_unsaid"]);
    let some = asked(&rows, 5);
    assert_eq!(some.len(), 7);
    assert!(some.contains(&"sub_risky".to_owned()) && some.is_sorted());
    assert_eq!(asked(&rows, 100).len(), 32);
}

proptest! {
    /// Who is asked about depends on nothing but the ids, and a larger sample holds the smaller one.
    #[test]
    fn the_sample_is_the_same_in_whatever_order_rows_come(
        ids in prop::collection::btree_set("[a-z0-9]{1,8}", 1..40), few in 0_u32..10, turn in 0_usize..40,
    ) {
        let rows: Vec<_> = ids.iter().map(|id| (Risk::Low, row(id))).collect();
        let mut turned = rows.clone();
        let by = turn % rows.len();
        turned.rotate_left(by);
        prop_assert_eq!(asked(&rows, few), asked(&turned, few));
        let small: BTreeSet<_> = asked(&rows, few).into_iter().collect();
        let large: BTreeSet<_> = asked(&rows, few + 3).into_iter().collect();
        prop_assert!(small.is_subset(&large));
    }
}
