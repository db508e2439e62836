use super::*;
use crate::domain::change::Risk;
use crate::domain::ids::{AccountId, Accounts, Environment};
use crate::domain::plan::{Header, OutOfScope};
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::{Cell, PlannedWrite, RowUpdate};
use crate::stages::mapping::effects;

fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn change(key: &str, writes: Vec<PlannedWrite>, update: Option<RowUpdate>, payload: &Payload) -> Change {
    let verdict = if writes.is_empty() && update.is_none() {
        Verdict::Noop
    } else {
        Verdict::Planned
    };
    Change {
        key: ChangeKey(key.into()),
        subject: "cus_1".into(),
        label: safe("N"),
        item: "x".into(),
        planned_as: verdict,
        verdict,
        money: None,
        rule: "r".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        writes,
        choices: vec![],
        decision: None,
        payload: payload.text(),
        update: update.map(Box::new),
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

fn default_row() -> Change {
    let payload = Payload::Customer {
        customer: "cus_1".into(),
        held: vec![(DEFAULT.into(), String::new())],
        method: Some(("pm_1".into(), "pm_9".into())),
        work: None,
    };
    change(
        "cus_1/default",
        vec![effects::set_default(&accounts(), "cus_1", "pm_9")],
        None,
        &payload,
    )
}

fn tax_row() -> Change {
    let payload = Payload::TaxId {
        customer: "cus_1".into(),
        kind: "au_abn".into(),
        value: "12".into(),
    };
    let write = effects::tax_id(&accounts(), "cus_1", "au_abn", "12");
    change("cus_1/tax_id", vec![write], None, &payload)
}

fn app_row() -> Change {
    let cell = Cell {
        column: "payment_method".into(),
        before: Some("pm_1".into()),
        after: Some("pm_9".into()),
    };
    let update = effects::row(&accounts(), "subscriptions", "7", vec![cell], 0);
    let payload = Payload::AppRow {
        customer: "cus_1".into(),
    };
    change("app/subscriptions/7", vec![], Some(update), &payload)
}

fn others_row(digest: Digest) -> Change {
    change(
        "app/subscriptions",
        vec![],
        None,
        &Payload::AppTable {
            others: digest,
            rows: 3,
        },
    )
}

fn digest(text: &str) -> Digest {
    Digest::of("t", [text.as_bytes()])
}

fn plan(changes: Vec<Change>) -> Plan {
    let header = Header {
        accounts: accounts(),
        policy: BTreeMap::new(),
        scope: digest("scope"),
        stage: StageId::Mapping,
    };
    Plan::seal(header, OutOfScope::default(), changes, vec![], UtcMs(0)).unwrap()
}

fn side(default: Option<&str>) -> Side {
    Side {
        default_method: default.map(Into::into),
        ..Side::default()
    }
}

fn now(source: Option<&str>, destination: Option<&str>, row: Option<&str>) -> Now {
    let row = row.map(|method| AppRow {
        key: "7".into(),
        method: Some(method.into()),
        customer: Some("cus_1".into()),
        extra: vec![],
    });
    Now {
        source: BTreeMap::from([("cus_1".to_owned(), side(source))]),
        destination: BTreeMap::from([("cus_1".to_owned(), side(destination))]),
        rows: Some(row.into_iter().map(|row| (row.key.clone(), row)).collect()),
        others: Some(digest("others")),
        quiet: true,
    }
}

fn all_done(plan: &Plan) -> BTreeMap<ChangeKey, RowEnd> {
    plan.changes()
        .iter()
        .map(|change| (change.key.clone(), RowEnd::Done))
        .collect()
}

fn rules(audit: &Audit) -> Vec<&str> {
    audit
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[test]
fn what_is_as_written_has_no_finding_and_is_counted() {
    let plan = plan(vec![
        default_row(),
        tax_row(),
        app_row(),
        others_row(digest("others")),
    ]);
    let mut now = now(Some("pm_1"), Some("pm_9"), Some("pm_9"));
    let there = now.destination.get_mut("cus_1").unwrap();
    there.tax_ids = vec![("au_abn".into(), "12".into())];
    let audit = audit(&plan, &all_done(&plan), &now);
    assert_eq!((audit.compared, rules(&audit)), (3, vec![]));
}

#[test]
fn what_is_not_as_written_differs_and_names_both_values() {
    let plan = plan(vec![default_row(), tax_row(), app_row()]);
    let found = audit(
        &plan,
        &all_done(&plan),
        &now(Some("pm_1"), Some("pm_x"), Some("pm_1")),
    );
    assert_eq!(rules(&found), ["field_differs", "row_differs", "tax_id_missing"]);
    assert!(
        found
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Differs)
    );
    let reason = &found.findings[0].reason;
    assert!(reason.contains("pm_x") && reason.contains("pm_9"), "{reason}");
    let mut gone = now(Some("pm_1"), Some("pm_9"), None);
    gone.destination.clear();
    let found = audit(&plan, &all_done(&plan), &gone);
    assert_eq!(rules(&found), ["customer_gone", "row_gone", "tax_id_missing"]);
}

#[test]
fn rows_that_did_not_end_done_are_not_compared() {
    let plan = plan(vec![default_row(), app_row()]);
    let ends = BTreeMap::from([(ChangeKey("cus_1/default".into()), RowEnd::Failed)]);
    let audit = audit(&plan, &ends, &now(Some("pm_1"), None, Some("pm_1")));
    assert_eq!((audit.compared, rules(&audit)), (0, vec![]));
}

#[test]
fn another_checksum_is_a_difference_where_nobody_else_writes_and_a_remark_where_somebody_does() {
    let plan = plan(vec![others_row(digest("before"))]);
    let mut now = now(None, None, None);
    for (quiet, severity) in [(true, Severity::Differs), (false, Severity::Warn)] {
        now.quiet = quiet;
        let audit = audit(&plan, &BTreeMap::new(), &now);
        assert_eq!(audit.findings[0].severity, severity);
        assert_eq!(rules(&audit), ["other_rows_changed"]);
    }
}

#[test]
fn a_row_drifts_when_either_account_or_the_table_is_not_as_planned_from() {
    let plan = plan(vec![default_row(), tax_row(), app_row()]);
    let keys = |now: &Now| -> Vec<String> { drifted(&plan, now).into_iter().map(|key| key.0).collect() };
    assert_eq!(keys(&now(Some("pm_1"), None, Some("pm_1"))), [""; 0]);
    assert_eq!(
        keys(&now(Some("pm_2"), None, Some("pm_1"))),
        ["cus_1/default"],
        "the old default moved"
    );
    assert_eq!(
        keys(&now(Some("pm_1"), Some("pm_9"), Some("pm_1"))),
        ["cus_1/default"]
    );
    assert_eq!(
        keys(&now(Some("pm_1"), None, Some("pm_2"))),
        ["app/subscriptions/7"]
    );
    assert_eq!(keys(&now(Some("pm_1"), None, None)), ["app/subscriptions/7"]);
    let mut with_tax = now(Some("pm_1"), None, Some("pm_1"));
    with_tax.destination.get_mut("cus_1").unwrap().tax_ids = vec![("au_abn".into(), "12".into())];
    assert_eq!(keys(&with_tax), ["cus_1/tax_id"]);
}
