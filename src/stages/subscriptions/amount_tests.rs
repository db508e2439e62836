use proptest::prelude::*;

use super::*;

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn unit(digits: &str) -> BTreeMap<Currency, String> {
    BTreeMap::from([(usd(), digits.to_owned())])
}

fn one(digits: &str, quantity: u64, off: &[&Off]) -> Option<i64> {
    let unit = unit(digits);
    let line = Line {
        unit: Some(&unit),
        quantity: Some(quantity),
        off: &[],
    };
    bill(&[line], off, usd())
}

fn percent(digits: &str) -> Off {
    Off::Percent(digits.to_owned())
}

fn amount(minor: i64) -> Off {
    Off::Amount(BTreeMap::from([(usd(), minor)]))
}

#[test]
fn a_line_is_exact_and_rounded_once() {
    assert_eq!(one("2000", 3, &[]), Some(6000));
    assert_eq!(one("0.05", 3, &[]), Some(0));
    assert_eq!(one("0.5", 1, &[]), Some(1));
    assert_eq!(one("0.333333333333", 3, &[]), Some(1));
    assert_eq!(one("33.333333333333", 3_000_000, &[]), Some(100_000_000));
    assert_eq!(one("1", u64::MAX, &[]), None);
}

#[test]
fn discounts_are_taken_in_their_order_and_never_below_nothing() {
    assert_eq!(one("2000", 1, &[&percent("25")]), Some(1500));
    assert_eq!(one("999", 1, &[&percent("50")]), Some(499));
    assert_eq!(one("999", 1, &[&percent("12.5")]), Some(874));
    let (ten, half) = (amount(1000), percent("50"));
    assert_eq!(one("3000", 1, &[&ten, &half]), Some(1000));
    assert_eq!(one("3000", 1, &[&half, &ten]), Some(500));
    assert_eq!(one("500", 1, &[&ten]), Some(0));
}

#[test]
fn what_arithmetic_cannot_say_is_not_said() {
    let eur = Off::Amount(BTreeMap::from([(Currency::parse("eur").unwrap(), 5)]));
    for off in [
        &Off::Unknown,
        &eur,
        &percent("101"),
        &percent("-1"),
        &percent("x"),
        &amount(-1),
    ] {
        assert_eq!(one("2000", 1, &[off]), None, "{off:?}");
    }
    for digits in ["", "1e3", "-5", "1.2.3", ".5", "1.", "0.1234567890123"] {
        assert_eq!(one(digits, 1, &[]), None, "{digits}");
    }
    let tiered = Line {
        unit: None,
        quantity: Some(1),
        off: &[],
    };
    assert_eq!(bill(&[tiered], &[], usd()), None);
    let eur = Currency::parse("eur").unwrap();
    let unit = unit("5");
    let line = Line {
        unit: Some(&unit),
        quantity: None,
        off: &[],
    };
    assert_eq!(bill(&[line], &[], eur), None);
    assert_eq!(bill(&[line], &[], usd()), Some(5));
}

#[test]
fn a_percentage_over_lines_is_said_only_where_every_way_of_rounding_agrees() {
    let (a, b) = (unit("999"), unit("999"));
    let line = |unit| Line {
        unit: Some(unit),
        quantity: Some(1),
        off: &[],
    };
    // Each line loses 5.00 when rounded alone, both together 9.99.
    assert_eq!(bill(&[line(&a), line(&b)], &[&percent("50")], usd()), None);
    assert_eq!(bill(&[line(&a), line(&b)], &[&percent("100")], usd()), Some(0));
    assert_eq!(
        bill(&[line(&a), line(&b)], &[&amount(5), &percent("10")], usd()),
        None
    );
    assert_eq!(bill(&[line(&a), line(&b)], &[&amount(98)], usd()), Some(1900));
    let half = percent("50");
    let alone = Line {
        off: &[&half],
        ..line(&a)
    };
    assert_eq!(bill(&[alone, line(&b)], &[], usd()), Some(499 + 999));
}

proptest! {
    #[test]
    fn a_decimal_is_its_digits(whole in 0_u64..1_000_000_000, part in 0_u64..1_000_000_000_000) {
        let text = format!("{whole}.{part:012}");
        prop_assert_eq!(decimal(&text), Some(i128::from(whole) * ONE + i128::from(part)));
    }

    #[test]
    fn a_bill_is_what_whole_numbers_say(
        price in 0_i64..10_000_000, quantity in 0_u64..1000, hundredths in 0_i64..=10_000, fixed in 0_i64..10_000_000
    ) {
        let off = [percent(&format!("{}.{:02}", hundredths / 100, hundredths % 100)), amount(fixed)];
        let gross = i128::from(price) * i128::from(quantity);
        // Half away from zero, in other words: twice as much, one more, halved.
        let taken = (gross * i128::from(hundredths) * 2 + 10_000) / 20_000;
        let expected = (gross - taken - i128::from(fixed)).max(0);
        let said = one(&price.to_string(), quantity, &[&off[0], &off[1]]);
        prop_assert_eq!(said.map(i128::from), Some(expected));
    }

    #[test]
    fn any_text_has_an_answer(digits in any::<String>(), off in any::<String>(), quantity in any::<u64>()) {
        let _ = one(&digits, quantity, &[&percent(&off)]);
    }
}
