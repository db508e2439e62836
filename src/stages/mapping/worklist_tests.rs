use super::*;
use crate::domain::change::{ChangeKey, Choice, Decision, Risk, Verdict};
use crate::domain::ids::{AccountId, Accounts, Digest, Environment, StageId};
use crate::domain::plan::{Header, OutOfScope};
use crate::domain::text::safe;

fn change(key: &str, verdict: Verdict, work: impl Into<Option<Work>>) -> Change {
    Change {
        key: ChangeKey(key.into()),
        subject: "cus_1".into(),
        label: safe("=SUM(A1)"),
        item: "method".into(),
        planned_as: verdict,
        verdict,
        money: None,
        rule: "left_behind".into(),
        why: "of a kind the copy leaves behind".into(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        writes: vec![],
        choices: vec![Choice {
            name: "second_copy".into(),
            means: String::new(),
            writes: vec![],
            sign_off: false,
            number: None,
        }],
        decision: None,
        payload: Payload::Method {
            old: "pm_1".into(),
            new: None,
            work: work.into(),
        }
        .text(),
        update: None,
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

fn work(email: &str, phone: &str, usable: bool) -> Work {
    Work {
        about: "sepa_debit 3000".into(),
        email: email.into(),
        phone: phone.into(),
        usable,
    }
}

fn plan(changes: Vec<Change>, policy: &[(&str, &str)]) -> Plan {
    let header = Header {
        accounts: Accounts {
            source: AccountId("acct_old".into()),
            destination: AccountId("acct_new".into()),
            environment: Environment::Test,
        },
        policy: policy
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        scope: Digest::of("t", [b"x".as_slice()]),
        stage: StageId::Mapping,
    };
    let made_at = UtcMs::from_secs(1_771_000_000);
    Plan::seal(header, OutOfScope::default(), changes, vec![], made_at).unwrap()
}

fn rows(plan: &Plan) -> Vec<Vec<String>> {
    let text = csv(plan).unwrap();
    let mut file = ::csv::Reader::from_reader(text.as_slice());
    file.records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn who_can_be_reached_how_and_until_when_stands_in_every_line() {
    let plan = plan(
        vec![
            change("a", Verdict::LeftOut, work("a@b.c", "+1", false)),
            change("b", Verdict::LeftOut, work("", "+1", false)),
            change("c", Verdict::LeftOut, work("", "", false)),
            change("d", Verdict::Noop, None),
        ],
        &[("copied_at", "1770000000"), ("contact_days", "3")],
    );
    let rows = rows(&plan);
    assert_eq!(rows.len(), 3, "a row without work is not on the list");
    let channels: Vec<&str> = rows.iter().map(|row| row[5].as_str()).collect();
    assert_eq!(channels, ["email", "phone", "none"]);
    // Three days after the copy of 2026-02-02.
    assert!(
        rows.iter().all(|row| row[8] == "2026-02-05" && row[9] == "open"),
        "{rows:?}"
    );
}

#[test]
fn a_line_is_settled_when_a_usable_method_is_there_and_told_when_it_waits_for_a_second_copy() {
    let open = change("a", Verdict::Blocked, work("a@b.c", "", false));
    let decided = plan(vec![open], &[])
        .decide(
            &ChangeKey("a".into()),
            Decision {
                choice: "second_copy".into(),
                by: "me".into(),
                note: String::new(),
                number: None,
            },
        )
        .unwrap();
    assert_eq!(rows(&decided)[0][9], "second copy");
    let settled = plan(vec![change("a", Verdict::Blocked, work("a@b.c", "", true))], &[]);
    assert_eq!(rows(&settled)[0][9], "usable method present");
}

#[test]
fn a_cell_that_a_spreadsheet_would_calculate_is_only_text() {
    let rows = rows(&plan(
        vec![change("a", Verdict::LeftOut, work("@x", "+1", false))],
        &[],
    ));
    assert_eq!(rows[0][1], "'=SUM(A1)");
    assert_eq!((rows[0][6].as_str(), rows[0][7].as_str()), ("'@x", "'+1"));
}
