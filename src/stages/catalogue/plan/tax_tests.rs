use serde_json::json;

use super::super::tests::{gold, none, price};
use super::*;
use crate::domain::change::Risk;
use crate::stages::catalogue::facts::TaxAssumes;
use crate::stages::catalogue::samples::{findings as findings_of, planned, row, world};

fn tax(active: bool, behavior: Option<&str>, code: Option<&str>, places: &[&str]) -> Tax {
    Tax {
        settings: Some(TaxAssumes {
            active,
            behavior: behavior.map(str::to_owned),
            code: code.map(str::to_owned),
        }),
        registrations: Some(places.iter().map(|place| (*place).to_owned()).collect()),
        refused: Vec::new(),
    }
}

#[test]
fn where_the_accounts_assume_different_taxes_rows_that_say_nothing_are_marked_and_counted() {
    let old = [
        gold(none()),
        price("price_1", json!({"tax_behavior": "unspecified"})),
        price("price_2", json!({"tax_behavior": null})),
        price("price_3", json!({"tax_behavior": "inclusive"})),
    ];
    let mut world = world(&old, &[], &[]);
    world.source_tax = tax(true, Some("exclusive"), Some("txcd_1"), &["au", "us/CA"]);
    world.destination_tax = tax(true, Some("inclusive"), Some("txcd_1"), &["us/CA", "us/NY"]);
    let rows = planned(&world);
    let risk = |key: &str| row(&rows, key).risk;
    assert_eq!(risk("price/gold/price_1"), Risk::Medium);
    assert_eq!(risk("price/gold/price_2"), Risk::Medium);
    assert_eq!(
        (risk("price/gold/price_3"), risk("product/gold")),
        (Risk::Low, Risk::Low)
    );
    let said = findings_of(&world);
    let rules: BTreeSet<_> = said.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["registration_missing", "registration_new", "tax_behavior_differs"].into()
    );
    let behavior = said
        .iter()
        .find(|finding| finding.rule == "tax_behavior_differs")
        .unwrap();
    assert!(behavior.reason.contains("2 prices"), "{}", behavior.reason);

    world.destination_tax = tax(false, Some("exclusive"), Some("txcd_2"), &["au", "us/CA"]);
    let rules: BTreeSet<_> = findings_of(&world)
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(
        rules,
        ["automatic_tax_differs", "tax_code_differs"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!(row(&planned(&world), "product/gold").risk, Risk::Medium);
}

#[test]
fn a_tax_set_up_that_may_not_be_read_is_a_finding_and_no_reason_to_stop() {
    let mut world = world(&[gold(none())], &[], &[]);
    world.source_tax = tax(true, None, None, &[]);
    world.destination_tax.refused = vec!["Stripe answered 403".into(), "Stripe answered 404".into()];
    let rules: Vec<_> = findings_of(&world)
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(rules.iter().filter(|rule| *rule == "tax_unreadable").count(), 2);
    assert!(rules.contains(&"automatic_tax_unknown".to_owned()));
    assert_eq!(planned(&world)[0].verdict, Verdict::Planned);
}
