use std::sync::Arc;

use super::*;
use crate::domain::change::{AS_PLANNED, Decision, LEAVE_OUT, Verdict};
use crate::tui::sample;

fn plan() -> Arc<Plan> {
    let state = sample::coupons();
    state.stages.last().unwrap().plan.clone().unwrap()
}

/// The plan with its rows changed.
fn plan_with(change: impl Fn(&mut Change)) -> Plan {
    let plan = plan();
    let mut rows: Vec<Change> = plan.changes().iter().map(|row| Change::clone(row)).collect();
    rows.iter_mut().for_each(change);
    Plan::seal(
        plan.header().clone(),
        plan.out_of_scope().clone(),
        rows,
        Vec::new(),
        plan.made_at(),
    )
    .unwrap()
}

fn keys(names: &[&str]) -> Vec<ChangeKey> {
    names.iter().map(|name| ChangeKey((*name).into())).collect()
}

fn asks_of(change: &mut Change, least: u64, most: u64) {
    for asked in change
        .choices
        .iter_mut()
        .filter_map(|choice| choice.number.as_mut())
    {
        (asked.least, asked.most) = (least, most);
    }
}

#[test]
fn what_is_reached_is_exactly_what_the_plan_then_changes() {
    let plan = plan();
    let everything: Vec<ChangeKey> = plan.changes().iter().map(|row| row.key.clone()).collect();
    let asked: Vec<Vec<ChangeKey>> = everything
        .iter()
        .map(|key| vec![key.clone()])
        .chain([
            keys(&["code/VIP", "code/VIP-ANNA"]),
            keys(&["code/VIP", "coupon/VIP"]),
        ])
        .collect();
    for rows in &asked {
        for name in ["move", "stay", "split", "fewer", LEAVE_OUT, AS_PLANNED] {
            let reach = Reach::of(&plan, rows, name);
            let number = match &reach.asked {
                Asked::Number(bounds) => Some(bounds.least),
                _ => None,
            };
            // A note that no row has yet, so that every row that is decided is another one.
            let decision = Decision {
                choice: name.into(),
                by: "ada".into(),
                note: "by phone".into(),
                number,
            };
            let Ok(after) = plan.decide_all(reach.at.iter().map(|key| (key.clone(), decision.clone())))
            else {
                continue;
            };
            for (before, after) in plan.changes().iter().zip(after.changes()) {
                let touched = !Arc::ptr_eq(before, after);
                assert_eq!(
                    touched,
                    reach.rows.contains(&before.key),
                    "{rows:?} {name} {}",
                    before.key
                );
            }
        }
    }
    let split = Reach::of(&plan, &keys(&["code/VIP"]), "split");
    assert_eq!(split.at, keys(&["coupon/VIP"]));
    assert_eq!(split.rows, keys(&["code/VIP", "code/VIP-ANNA", "coupon/VIP"]));
    assert!(split.sign_off);
    assert_eq!(
        Reach::of(&plan, &keys(&["code/VIP"]), LEAVE_OUT).rows,
        keys(&["code/VIP"])
    );
    assert_eq!(Reach::of(&plan, &keys(&["code/GIFT-7"]), "fewer").decided, 1);
}

#[test]
fn one_number_has_to_fit_every_row_that_gets_it() {
    let code = |change: &mut Change| {
        if change.key.0 == "code/VIP" {
            asks_of(change, 2, 9);
        }
    };
    let asked = Reach::of(&plan_with(code), &keys(&["coupon/VIP"]), "split").asked;
    let Asked::Number(bounds) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!((bounds.least, bounds.most), (2, 2));
    let apart = |change: &mut Change| {
        if change.key.0 == "code/VIP" {
            asks_of(change, 5, 9);
        }
    };
    let asked = Reach::of(&plan_with(apart), &keys(&["coupon/VIP"]), "split").asked;
    assert_eq!(asked, Asked::Differs, "2 at most here, 5 at least there");
}

#[test]
fn rows_that_share_nothing_get_the_same_number_only_where_it_means_the_same() {
    let alone = |most: u64| {
        plan_with(move |change| {
            change.with = None;
            (change.verdict, change.decision) = (Verdict::Blocked, None);
            if change.key.0 == "code/VIP" {
                asks_of(change, 1, most);
            }
        })
    };
    let rows = keys(&["code/VIP", "code/VIP-ANNA"]);
    let same = Reach::of(&alone(2), &rows, "split");
    assert_eq!(same.at, rows);
    assert!(matches!(same.asked, Asked::Number(_)));
    assert_eq!(Reach::of(&alone(1), &rows, "split").asked, Asked::Differs);
}

#[test]
fn a_number_never_takes_more_than_the_whole_it_is_taken_from() {
    let generous = plan_with(|change| asks_of(change, 1, 7));
    let asked = Reach::of(&generous, &keys(&["coupon/VIP"]), "split").asked;
    let Asked::Number(bounds) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(bounds.most, 3, "of three uses");
}
