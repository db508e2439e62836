//! Words and limits of single rows; what holds over every history is in the model's tests.

use super::super::effects::{Effects, Extra};
use super::super::model_tests::{Case, Kind, accounts, change, row};
use super::super::model_world_tests::{HOUR, P0, PERIOD, World};
use super::*;
use crate::domain::record::Attested;

/// Goes through a row with nothing happening; what was written, how it ended, and why.
pub(crate) fn played(
    next: fn(&Change, &[Fact]) -> Step,
    change: &Change,
    world: &mut World,
) -> (Vec<String>, RowEnd, String) {
    let (mut facts, mut wrote) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        match next(change, &facts) {
            Step::Look(look) => facts.push(world.answer(&look)),
            Step::Write(write) => {
                let object = world.carry_out(&write).expect("the world takes it");
                wrote.push(write.op.clone());
                let attested = Attested {
                    object,
                    ..Attested::default()
                };
                facts.push(Fact::Wrote {
                    op: write.op,
                    attested,
                });
            }
            Step::End { end, why, .. } => return (wrote, end, why),
            Step::GiveWay => panic!("nothing to wait for"),
        }
    }
    panic!("no end")
}

fn ended(kind: Kind, world: impl FnOnce(&mut World)) -> (Vec<String>, RowEnd, String) {
    let mut case = Case::new(kind);
    world(&mut case.world);
    played(next, &case.change, &mut case.world)
}

fn why(kind: Kind, world: impl FnOnce(&mut World)) -> String {
    let (wrote, end, why) = ended(kind, world);
    assert_eq!((wrote, end), (Vec::new(), RowEnd::Drifted), "{why}");
    why
}

#[test]
fn nothing_is_created_within_a_day_of_its_start() {
    let (wrote, end, _) = ended(Kind::CreateAndEnd, |world| world.now = P0 - DAY);
    assert_eq!((wrote.len(), end), (2, RowEnd::Done));
    let late = why(Kind::CreateAndEnd, |world| world.now = P0 - DAY + 1);
    assert_eq!(
        late,
        "its handover is less than 24 hours away by now; nothing was written"
    );
}

#[test]
fn a_row_of_the_file_says_that_it_stands_there_and_writes_nothing() {
    let (wrote, end, why) = ended(Kind::File, |_| {});
    assert!(wrote.is_empty() && end == RowEnd::Done && why.starts_with("it stands in the file"));
}

#[test]
fn the_reason_says_what_changed_and_what_was_written() {
    assert_eq!(
        why(Kind::End, |world| world.old.quantity = 9),
        "the old subscription is not what it was when the plan was made (items); nothing was written"
    );
    assert_eq!(
        why(Kind::End, |world| world.scheds.clear()),
        "the new account has 0 subscriptions for it, not one; nothing was written"
    );
    assert_eq!(
        why(Kind::End, |world| world.scheds[0].quantity = 9),
        "the schedule on the new account is not what was planned (items); nothing was written"
    );
    assert_eq!(
        why(Kind::CreateAndEnd, |world| {
            *world = world.clone().with_schedule("theirs", P0, "x");
        }),
        "somebody else made a subscription for it on the new account meanwhile; nothing was written"
    );
    assert_eq!(
        why(Kind::Withdraw, |world| world.until(P0)),
        "the old subscription is not what it was when the plan was made (status); nothing was written"
    );
}

#[test]
fn an_old_schedule_lets_go_before_its_subscription_is_stopped() {
    let (wrote, end, _) = ended(Kind::ReleaseAndEnd, |_| {});
    assert_eq!(
        (wrote, end),
        (
            vec![
                "create_schedule".to_owned(),
                "release_old".into(),
                "end_with_period".into()
            ],
            RowEnd::Done
        )
    );
}

#[test]
fn one_that_is_paused_is_cancelled_when_window_and_handover_are_over_and_not_before() {
    let (wrote, end, _) = ended(Kind::Cancel, |_| {});
    assert_eq!((wrote, end), (vec!["cancel_old".to_owned()], RowEnd::Done));
    let early = |world: &mut World| world.now = P0 + HOUR - 1;
    assert!(why(Kind::Cancel, early).starts_with("the settlement window is not over"));
    let gone = |world: &mut World| world.scheds[0].status = "canceled";
    assert!(why(Kind::Cancel, gone).contains("0 subscriptions for it"));
    let not_begun = |world: &mut World| world.scheds[0].status = "not_started";
    assert!(why(Kind::Cancel, not_begun).contains("has not begun"));
    let for_another = |world: &mut World| {
        let became = super::super::facts::BECAME.to_owned();
        world.old.metadata.insert(became, "sub_sched_9".into());
    };
    assert!(why(Kind::Cancel, for_another).contains("paused for another one"));
}

#[test]
fn a_period_that_ended_before_the_schedule_was_created_is_no_reason_if_the_next_ends_by_the_handover() {
    let accounts = accounts();
    let row = row(&World::new(), P0 + 2 * PERIOD);
    let create = Effects { accounts: &accounts }.create(&row, &Extra::default());
    let mut world = World::new();
    world.until(P0 + HOUR);
    let (wrote, end, why) = played(next, &change(&row, vec![create]), &mut world);
    assert_eq!((wrote.len(), end), (1, RowEnd::Done), "{why}");
    assert!(why.contains("has a bill to come"), "{why}");
}

#[test]
fn a_row_that_cannot_be_read_or_has_writes_of_another_program_fails() {
    let mut row_of_another = Case::new(Kind::End).change;
    row_of_another.writes[0].op = "other".into();
    let said = |change: &Change| match next(change, &[]) {
        Step::End { end, .. } => end,
        step => panic!("{step:?}"),
    };
    assert_eq!(said(&row_of_another), RowEnd::Failed);
    row_of_another.payload = "{}".into();
    assert_eq!(said(&row_of_another), RowEnd::Failed);
}

#[test]
fn what_takes_away_goes_before_what_adds() {
    let of = |kind| rank(&Case::new(kind).change);
    assert!(of(Kind::Withdraw) < of(Kind::CreateAndEnd));
    assert!(of(Kind::CreateAndEnd) < of(Kind::End));
}
