use std::collections::BTreeMap;

use super::super::model_tests::{accounts, change, row};
use super::super::model_world_tests::{HOUR, P0, PERIOD, World};
use super::*;
use crate::domain::change::Choice;
use crate::domain::ids::StageId;
use crate::domain::plan::{Header, OutOfScope};
use crate::domain::scope::ScopeRule;
use crate::domain::time::UtcMs;
use crate::stages::subscriptions::effects::{Bill, Effects, Extra};
use crate::stages::subscriptions::facts::Status;

fn plan(changes: Vec<Change>) -> Plan {
    let header = Header {
        stage: StageId::Subscriptions,
        accounts: accounts(),
        scope: ScopeRule::default().digest(),
        policy: BTreeMap::new(),
    };
    Plan::seal(header, OutOfScope::default(), changes, Vec::new(), UtcMs(0)).unwrap()
}

fn of(row: &Row) -> Change {
    let accounts = accounts();
    let create = Effects { accounts: &accounts }.create(row, &Extra::default());
    change(row, vec![create])
}

/// A row that is handed over in its second period.
fn planned() -> Row {
    row(&World::new(), P0 + PERIOD)
}

fn holds_when(now: impl FnOnce(&mut Row)) -> bool {
    let mut row = planned();
    now(&mut row);
    drifted(&plan(vec![of(&planned())]), &plan(vec![of(&row)])).is_empty()
}

fn seen(row: &mut Row) -> &mut Seen {
    row.seen.as_mut().unwrap()
}

#[test]
fn a_period_that_ended_is_no_drift_as_long_as_the_next_ends_by_the_handover() {
    assert!(holds_when(|_| {}));
    assert!(holds_when(|row| {
        seen(row).period = (P0, P0 + PERIOD);
        row.next_old = Some(Bill {
            at: P0 + PERIOD,
            money: None,
        });
        row.again_at = None;
    }));
    assert!(!holds_when(
        |row| seen(row).period = (P0 + PERIOD, P0 + 2 * PERIOD)
    ));
    assert!(!holds_when(|row| seen(row).period.1 = P0 + HOUR));
}

#[test]
fn whatever_else_the_old_one_is_now_is_planned_again() {
    assert!(!holds_when(|row| seen(row).items[0].1 = Some(9)));
    assert!(!holds_when(|row| seen(row).status = Status::PastDue));
    assert!(!holds_when(|row| seen(row).discounts.push("di_1".into())));
    assert!(!holds_when(|row| seen(row).schedule = Some("s".into())));
    assert!(!holds_when(|row| seen(row).pause = Some("void".into())));
    assert!(!holds_when(|row| row.handover = Some(P0)));
    assert!(!holds_when(|row| row.phases[0].items[0].quantity = Some(9)));
}

#[test]
fn one_that_ended_is_left_to_the_script_unless_it_stands_in_a_file() {
    let mut over = of(&planned());
    (over.rule, over.planned_as, over.verdict) = ("ends_on_old".into(), Verdict::Noop, Verdict::Noop);
    over.writes = Vec::new();
    let before = plan(vec![of(&planned())]);
    assert_eq!(drifted(&before, &plan(vec![over.clone()])), []);
    assert_eq!(drifted(&before, &plan(Vec::new())), []);
    let mut row = planned();
    row.cells = BTreeMap::from([("customer".to_owned(), "cus_1".to_owned())]);
    let file = plan(vec![change(&row, Vec::new())]);
    assert_eq!(drifted(&file, &file), []);
    assert_eq!(drifted(&file, &plan(vec![over])).len(), 1);
    assert_eq!(drifted(&file, &plan(Vec::new())).len(), 1);
    let mut other = row.clone();
    other.cells.insert("quantity".into(), "9".into());
    assert_eq!(drifted(&file, &plan(vec![change(&other, Vec::new())])).len(), 1);
}

#[test]
fn a_stop_that_became_possible_is_a_later_plans() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let mut more = of(&planned());
    more.writes.push(effects.end_old(&planned(), "s"));
    assert_eq!(
        drifted(&plan(vec![of(&planned())]), &plan(vec![more.clone()])),
        []
    );
    assert_eq!(
        drifted(&plan(vec![more]), &plan(vec![of(&planned())])).len(),
        1,
        "a stop that is not possible any more"
    );
}

#[test]
fn rows_without_writes_drift_only_where_a_person_has_to_know() {
    let waits = |rule: &str, verdict: Verdict| {
        let mut row = change(&planned(), Vec::new());
        (row.rule, row.planned_as, row.verdict) = (rule.to_owned(), verdict, verdict);
        plan(vec![row])
    };
    let before = waits("waits_for_bill", Verdict::Noop);
    assert_eq!(drifted(&before, &waits("stop", Verdict::Planned)), []);
    assert_eq!(drifted(&before, &waits("handed_over", Verdict::Noop)), []);
    assert_eq!(drifted(&before, &plan(Vec::new())), []);
    assert_eq!(drifted(&before, &waits("double", Verdict::Blocked)).len(), 1);
    let blocked = waits("unpaid", Verdict::Blocked);
    assert_eq!(drifted(&blocked, &blocked), []);
    assert_eq!(drifted(&blocked, &waits("two_twins", Verdict::Blocked)).len(), 1);
}

#[test]
fn what_a_person_chose_must_still_be_offered_and_do_the_same() {
    let blocked = |quantity: u64, offered: &str| {
        let mut row = planned();
        row.phases[0].items[0].quantity = Some(quantity);
        let mut change = of(&row);
        let writes = std::mem::take(&mut change.writes);
        (change.planned_as, change.verdict, change.rule) =
            (Verdict::Blocked, Verdict::Blocked, "unpaid".into());
        change.payload = serde_json::to_string(&planned()).unwrap();
        change.choices = vec![Choice {
            name: offered.into(),
            means: String::new(),
            writes,
            sign_off: false,
            number: None,
        }];
        plan(vec![change])
    };
    let decided = blocked(2, "move_anyway");
    let decision = crate::domain::change::Decision {
        choice: "move_anyway".into(),
        by: "ann".into(),
        note: String::new(),
        number: None,
    };
    let key = decided.changes()[0].key.clone();
    let decided = decided.decide(&key, decision).unwrap();
    assert_eq!(drifted(&decided, &blocked(2, "move_anyway")), []);
    assert_eq!(drifted(&decided, &blocked(3, "move_anyway")).len(), 1);
    assert_eq!(drifted(&decided, &blocked(2, "other")).len(), 1);
}
