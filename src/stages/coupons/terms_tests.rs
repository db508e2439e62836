use super::*;
use crate::domain::mapped::Mapped;
use crate::domain::text::safe;
use crate::stages::coupons::facts::{Counter, Duration, Read};

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in pairs {
        fields.put(*name, value);
    }
    fields
}

fn coupon(pairs: &[(&str, &str)], products: &[&str]) -> Coupon {
    Coupon {
        id: "SPRING".into(),
        label: safe("Spring"),
        counter: Counter::default(),
        redeem_by: None,
        valid: true,
        terms: fields(pairs),
        products: products.iter().map(|id| (*id).to_owned()).collect(),
        words: String::new(),
        trouble: None,
        effect: None,
        own_keys: 0,
        read: Read::default(),
    }
}

fn ids(pairs: &[(&str, &str)]) -> IdMap {
    let mut ids = IdMap::default();
    for (old, new) in pairs {
        ids.put(Mapped {
            kind: "product".into(),
            old: (*old).into(),
            new: (*new).into(),
        });
    }
    ids
}

#[test]
fn products_are_those_of_the_new_account_or_it_is_said_which_are_missing() {
    let pairs = [
        ("percent_off", "25.50"),
        ("applies_to[products][0]", "gold"),
        ("metadata[a]", "b"),
    ];
    let coupon = coupon(&pairs, &["gold", "silver"]);
    let terms = under_map(&coupon, &ids(&[("gold", "z"), ("silver", "y")])).unwrap();
    let products = [("applies_to[products][0]", "y"), ("applies_to[products][1]", "z")];
    let want = [
        &[("percent_off", "25.5"), ("metadata[a]", "b")][..],
        &products[..],
    ]
    .concat();
    assert_eq!(terms.iter().collect::<Vec<_>>(), want);

    let (rule, why) = under_map(&coupon, &ids(&[("gold", "z")])).unwrap_err();
    assert_eq!(rule, "product_unmapped");
    assert!(why.contains("silver") && !why.contains("gold"), "{why}");
}

#[test]
fn an_equal_number_and_other_metadata_are_no_difference() {
    let terms = |percent: &str, more: (&str, &str)| {
        as_it_stands(&coupon(
            &[("percent_off", percent), ("duration", "once"), more],
            &[],
        ))
    };
    let here = terms("25", ("metadata[a]", "b"));
    assert!(differences(&here, &terms("25.00", ("metadata[c]", "d"))).is_empty());
    assert_eq!(
        differences(&here, &terms("2.5", ("redeem_by", "5"))),
        ["percent_off", "redeem_by"]
    );
    assert_eq!(plain("10"), "10");
    assert_eq!(plain("1e-0.0"), "1e-0.0");
}

#[test]
fn what_carries_a_discount_on_has_its_terms_and_a_length_of_its_own() {
    let mut running = Running {
        id: "di_1".into(),
        coupon: "SPRING".into(),
        terms: fields(&[
            ("name", "Spring"),
            ("amount_off", "500"),
            ("currency", "usd"),
            ("currency_options[eur][amount_off]", "450"),
            ("duration", "repeating"),
            ("duration_in_months", "12"),
            ("redeem_by", "1"),
        ]),
        products: Some(vec!["gold".into()]),
        duration: Duration::Repeating,
        start: 0,
        end: None,
        customer: "cus_1".into(),
        label: safe("Ada"),
        subscription: Some("sub_1".into()),
        item: None,
        on_customer: false,
        bills: None,
        beside: 1,
        read: Read::default(),
    };
    let map = ids(&[("gold", "gold")]);
    let months = Carry::Months {
        months: 4,
        invoices: 4,
    };
    let terms = of_carry(&running, months, "carry_di_1", &map).unwrap().unwrap();
    let want = [
        ("id", "carry_di_1"),
        ("name", "Spring"),
        ("amount_off", "500"),
        ("currency", "usd"),
        ("currency_options[eur][amount_off]", "450"),
        ("duration", "repeating"),
        ("duration_in_months", "4"),
        ("applies_to[products][0]", "gold"),
    ];
    assert_eq!(terms.iter().collect::<Vec<_>>(), want);
    assert_eq!(of_carry(&running, Carry::Ends, "x", &map), Ok(None));
    for carry in [Carry::Forever, Carry::Until { at: 5, invoices: 1 }] {
        let terms = of_carry(&running, carry, "x", &map).unwrap().unwrap();
        assert_eq!(terms.get("duration"), Some("forever"));
        assert!(!terms.has("duration_in_months") && !terms.has("redeem_by"));
    }
    let rule = |running: &Running, ids: &IdMap| of_carry(running, Carry::Once, "x", ids).unwrap_err().0;
    assert_eq!(rule(&running, &IdMap::default()), "product_unmapped");
    running.products = None;
    assert_eq!(rule(&running, &map), "products_unknown");
    running.terms = Fields::default();
    assert_eq!(rule(&running, &map), "terms_unknown");
}
