use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::facts::{Interval, Rhythm};
use super::*;

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn eur() -> Currency {
    Currency::parse("eur").unwrap()
}

fn price(id: &str) -> Price {
    Price {
        id: id.to_owned(),
        product: "prod_1".to_owned(),
        rhythm: Some(Rhythm {
            interval: Interval::Month,
            every: 1,
        }),
        active: true,
        metered: false,
        unit: BTreeMap::from([(usd(), "1000".to_owned())]),
        currency: usd(),
        by_steps: false,
        tax_behavior: "exclusive".to_owned(),
    }
}

fn known() -> Known {
    let customer = Customer {
        default: true,
        email: true,
        address: true,
        currency: None,
    };
    Known {
        customers: HashMap::from([("cus_1".to_owned(), customer)]),
        prices: HashMap::from([
            ("price_1".to_owned(), price("price_1")),
            ("price_2".to_owned(), price("price_2")),
        ]),
        coupons: HashMap::from([(
            "c".to_owned(),
            Coupon {
                valid: true,
                off: Off::Percent("10".to_owned()),
                once: false,
                months: None,
            },
        )]),
        tax_rates: HashMap::from([(
            "txr_1".to_owned(),
            TaxRate {
                active: true,
                inclusive: false,
            },
        )]),
        of_source: HashSet::from(["price_old".to_owned(), "cus_old".to_owned()]),
    }
}

fn line() -> Line {
    Line {
        row: 2,
        customer: "cus_1".to_owned(),
        prices: vec![("price".to_owned(), "price_1".to_owned())],
        ..Line::default()
    }
}

fn rules(line: Line, known: &Known) -> Vec<(&'static str, Weight)> {
    let found = check(&[line], known);
    found
        .iter()
        .map(|problem| (problem.rule, problem.weight))
        .collect()
}

#[test]
fn a_line_whose_everything_is_there_has_no_problem() {
    let whole = Line {
        coupon: Some("c".to_owned()),
        tax_rate: Some("txr_1".to_owned()),
        currency: Some(usd()),
        send_invoice: true,
        ..line()
    };
    assert_eq!(rules(whole, &known()), []);
    let taxed = Line {
        automatic_tax: true,
        ..line()
    };
    assert_eq!(rules(taxed, &known()), []);
}

#[test]
fn each_thing_a_line_can_get_wrong_has_a_rule_of_its_own() {
    type Turn = fn(&mut Line, &mut Known);
    let cases: [(&str, Turn); 22] = [
        ("customer_unknown", |line, _| line.customer = "cus_x".into()),
        ("customer_not_copied", |line, _| line.customer = "cus_old".into()),
        ("no_default_method", |_, known| {
            known.customers.get_mut("cus_1").unwrap().default = false;
        }),
        ("no_email", |line, known| {
            line.send_invoice = true;
            known.customers.get_mut("cus_1").unwrap().email = false;
        }),
        ("no_address", |line, known| {
            line.automatic_tax = true;
            known.customers.get_mut("cus_1").unwrap().address = false;
        }),
        ("currency_locked", |_, known| {
            known.customers.get_mut("cus_1").unwrap().currency = Some(eur());
        }),
        ("price_unknown", |line, _| line.prices[0].1 = "price_x".into()),
        ("price_of_source", |line, _| line.prices[0].1 = "price_old".into()),
        ("price_not_recurring", |_, known| {
            known.prices.get_mut("price_1").unwrap().rhythm = None;
        }),
        ("price_metered", |_, known| {
            known.prices.get_mut("price_1").unwrap().metered = true;
        }),
        ("price_inactive", |_, known| {
            known.prices.get_mut("price_1").unwrap().active = false;
        }),
        ("price_currency", |line, _| line.currency = Some(eur())),
        ("price_currency", |line, known| {
            line.prices.push(("items.1.price".into(), "price_2".into()));
            let second = known.prices.get_mut("price_2").unwrap();
            second.currency = eur();
            second.unit = BTreeMap::from([(eur(), "1".to_owned())]);
        }),
        ("intervals_differ", |line, known| {
            line.prices.push(("items.1.price".into(), "price_2".into()));
            known
                .prices
                .get_mut("price_2")
                .unwrap()
                .rhythm
                .as_mut()
                .unwrap()
                .every = 3;
        }),
        ("coupon_unknown", |line, _| line.coupon = Some("x".into())),
        ("coupon_invalid", |line, known| {
            line.coupon = Some("c".into());
            known.coupons.get_mut("c").unwrap().valid = false;
        }),
        ("coupon_currency", |line, known| {
            line.coupon = Some("c".into());
            known.coupons.get_mut("c").unwrap().off = Off::Amount(BTreeMap::from([(eur(), 5)]));
        }),
        ("tax_rate_unknown", |line, _| line.tax_rate = Some("txr_x".into())),
        ("tax_rate_inactive", |line, known| {
            line.tax_rate = Some("txr_1".into());
            known.tax_rates.get_mut("txr_1").unwrap().active = false;
        }),
        ("tax_behavior_differs", |line, known| {
            line.tax_rate = Some("txr_1".into());
            known.tax_rates.get_mut("txr_1").unwrap().inclusive = true;
        }),
        ("tax_behavior_differs", |line, known| {
            line.tax_rate = Some("txr_1".into());
            known.prices.get_mut("price_1").unwrap().tax_behavior = "inclusive".into();
        }),
        ("tax_behavior_unspecified", |line, known| {
            line.automatic_tax = true;
            known.prices.get_mut("price_1").unwrap().tax_behavior = "unspecified".into();
        }),
    ];
    for (rule, turn) in cases {
        let (mut line, mut known) = (line(), known());
        turn(&mut line, &mut known);
        let found = rules(line, &known);
        assert_eq!(found.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), [rule]);
        let weight = if rule.starts_with("tax_behavior") {
            Weight::Warning
        } else {
            Weight::Error
        };
        assert_eq!(found[0].1, weight, "{rule}");
    }
}

#[test]
fn an_invoice_needs_no_method_and_a_charge_no_address_of_mail() {
    let mut known = known();
    let customer = known.customers.get_mut("cus_1").unwrap();
    customer.default = false;
    let invoiced = Line {
        send_invoice: true,
        ..line()
    };
    assert_eq!(rules(invoiced, &known), []);
}

#[test]
fn only_what_the_new_account_lacks_is_looked_for_on_the_old_one() {
    let mut other = line();
    other.prices.push(("items.1.price".into(), "price_old".into()));
    other.coupon = Some("nowhere".into());
    other.tax_rate = Some(String::new());
    let lines = [line(), other];
    let absent = absent(&lines, &known());
    assert_eq!(absent.into_iter().collect::<Vec<_>>(), ["nowhere", "price_old"]);
}

proptest! {
    /// Whatever stands in a line: every problem is of it, and names a rule; nothing panics.
    #[test]
    fn any_line_is_judged(
        customer in "\\PC{0,12}", prices in prop::collection::vec(("\\PC{0,8}", "\\PC{0,12}"), 0..4),
        coupon in prop::option::of("\\PC{0,8}"), rate in prop::option::of("\\PC{0,8}"),
        tax in any::<bool>(), send in any::<bool>(), row in any::<u64>(),
    ) {
        let line = Line {
            row, customer, prices, coupon, tax_rate: rate, currency: None, automatic_tax: tax, send_invoice: send,
        };
        for problem in check(&[line], &known()) {
            prop_assert_eq!(problem.row, row);
            prop_assert!(!problem.rule.is_empty() && !problem.message.is_empty());
        }
    }
}
