use std::collections::BTreeMap;

use super::tests::{ONE, card, facts, mapping, of_kind, side, with_rules};
use super::*;
use crate::domain::change::Verdict;
use crate::domain::ids::Digest;
use crate::domain::plan::OutOfScope;
use crate::stages::mapping::Table;
use crate::stages::mapping::facts::{AppRow, AppTable, Side};

fn app(rows: &[(&str, Option<&str>, Option<&str>)]) -> AppTable {
    AppTable {
        place: "sqlite app.db, table subscriptions".into(),
        rows: rows
            .iter()
            .map(|(key, method, customer)| AppRow {
                key: (*key).into(),
                method: method.map(Into::into),
                customer: customer.map(Into::into),
                extra: vec![],
            })
            .collect(),
        all: rows.len() as u64,
        others: Some((Digest::of("t", [b"x".as_slice()]), rows.len() as u64)),
        at: UtcMs(0),
    }
}

fn table_spec() -> Table {
    Table {
        name: "subscriptions".into(),
        method: "payment_method".into(),
        customer: Some("customer_id".into()),
        ..Table::default()
    }
}

fn verdicts(app: &AppTable, customers: &[CustomerFacts], map: &str) -> BTreeMap<String, (Verdict, String)> {
    let mut out = OutOfScope::default();
    let rows = with_rules(&mapping(map), |rules| {
        table(app, customers, &BTreeMap::new(), rules, &table_spec(), &mut out).0
    });
    rows.into_iter()
        .map(|row| (row.key.0, (row.verdict, row.rule)))
        .collect()
}

#[test]
fn rows_of_the_database_follow_the_map_and_rows_of_others_are_not_rows() {
    let source = side(Some("pm_1"), vec![card("pm_1"), of_kind("pm_s", "sepa_debit")]);
    let customers = [facts(source, Some(side(None, vec![card("pm_9")])))];
    let app = app(&[
        ("1", Some("pm_1"), Some("cus_1")),
        ("2", Some("pm_9"), Some("cus_1")),
        ("3", None, Some("cus_1")),
        ("4", Some("pm_s"), Some("cus_1")),
        ("5", Some("pm_77"), Some("cus_1")),
        ("6", Some("pm_1"), None),
        ("7", Some("pm_a"), Some("cus_stays")),
        ("8", Some("pm_2"), Some("cus_1")),
    ]);
    let map = format!("{ONE}cus_2,pm_2,cus_2,pm_8\n");
    let got = verdicts(&app, &customers, &map);
    let rule = |key: &str| {
        got.get(&format!("app/subscriptions/{key}"))
            .map(|(v, r)| (*v, r.as_str()))
    };
    assert_eq!(rule("1"), Some((Verdict::Planned, "old_id_in_database")));
    assert_eq!(rule("2"), Some((Verdict::Noop, "new_id_in_database")));
    assert_eq!(rule("3"), Some((Verdict::Noop, "no_id_in_database")));
    assert_eq!(rule("4"), Some((Verdict::LeftOut, "left_behind")));
    assert_eq!(rule("5"), Some((Verdict::Blocked, "not_in_mapping")));
    assert_eq!(rule("6"), Some((Verdict::Planned, "old_id_in_database")));
    assert_eq!(rule("7"), None);
    assert_eq!(rule("8"), Some((Verdict::Blocked, "row_of_another_customer")));
    assert_eq!(got["app/subscriptions"], (Verdict::Noop, "checksum".into()));
}

#[test]
fn a_change_the_application_took_back_is_another_effect() {
    let customers = [facts(
        side(Some("pm_1"), vec![card("pm_1")]),
        Some(side(None, vec![card("pm_9")])),
    )];
    let app = app(&[("1", Some("pm_1"), Some("cus_1"))]);
    let effect = |ordinals: &BTreeMap<String, u32>| {
        with_rules(&mapping(ONE), |rules| {
            let rows = table(
                &app,
                &customers,
                ordinals,
                rules,
                &table_spec(),
                &mut OutOfScope::default(),
            )
            .0;
            let update = rows.iter().find_map(|row| row.update.clone()).unwrap();
            let candidate = &candidates(&app, &customers, rules, &table_spec())[0];
            let ordinal = ordinals.get("1").copied().unwrap_or(0);
            assert_eq!(candidate.effect(rules, &table_spec(), ordinal), update.effect);
            update.effect
        })
    };
    assert_ne!(
        effect(&BTreeMap::new()),
        effect(&BTreeMap::from([("1".to_owned(), 1)]))
    );
}

#[test]
fn an_import_changes_the_database_alone_customer_and_method() {
    let mapping = Mapping::read([(
        "m.json",
        br#"{"42": {"id": "cus_1", "cards": {"c-1": {"id": "card_9"}}}}"#.as_slice(),
    )])
    .unwrap();
    let mut facts = facts(Side::default(), Some(side(None, vec![card("card_9")])));
    facts.id = "42".into();
    let app = app(&[
        ("1", Some("c-1"), Some("42")),
        ("2", Some("card_9"), Some("cus_1")),
    ]);
    with_rules(&mapping, |rules| {
        let rows = customer(&facts, rules).0;
        assert!(
            rows.iter()
                .all(|row| row.writes.is_empty() && row.verdict == Verdict::Noop),
            "{rows:?}"
        );
        let rows = table(
            &app,
            std::slice::from_ref(&facts),
            &BTreeMap::new(),
            rules,
            &table_spec(),
            &mut OutOfScope::default(),
        )
        .0;
        let update = rows.iter().find_map(|row| row.update.clone()).unwrap();
        let after: Vec<_> = update
            .cells
            .iter()
            .map(|cell| (cell.column.as_str(), cell.after.as_deref().unwrap()))
            .collect();
        assert_eq!(after, [("payment_method", "card_9"), ("customer_id", "cus_1")]);
        assert!(
            rows.iter()
                .any(|row| row.key.0.ends_with("/2") && row.verdict == Verdict::Noop)
        );
    });
}
