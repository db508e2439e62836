use super::super::model_tests::{Case, Kind, change};
use super::super::model_world_tests::{HOUR, P0, World};
use super::super::script;
use super::super::script::tests::played;
use super::*;

/// What takes back a row that was written, and the accounts after it was.
fn written(kind: Kind) -> (Change, World) {
    let mut case = Case::new(kind);
    let (ops, end, why) = played(script::next, &case.change, &mut case.world);
    assert_eq!(end, RowEnd::Done, "{why}");
    let made = ops.into_iter().map(|op| {
        let of_new = op.contains("schedule") && op != "release_old";
        let object = if of_new { "sub_sched_1" } else { "sub_1" };
        (op, object.to_owned())
    });
    let row: Row = serde_json::from_str(&case.change.payload).unwrap();
    let back = change(&row, writes(&case.change, &made.collect()));
    (back, case.world)
}

fn taken_back(kind: Kind, since: impl FnOnce(&mut World)) -> (Vec<String>, RowEnd, String, World) {
    let (back, mut world) = written(kind);
    since(&mut world);
    let (ops, end, why) = played(next, &back, &mut world);
    (ops, end, why, world)
}

fn stays(kind: Kind, since: impl FnOnce(&mut World)) -> String {
    let (ops, end, why, _) = taken_back(kind, since);
    assert_eq!((ops, end), (Vec::new(), RowEnd::Drifted), "{why}");
    why
}

#[test]
fn the_schedule_goes_first_and_then_the_old_one_goes_on_as_before() {
    for (kind, back) in [
        (Kind::CreateAndEnd, "undo_end"),
        (Kind::CreateAndPause, "undo_pause"),
    ] {
        let (ops, end, _, mut world) = taken_back(kind, |_| {});
        assert_eq!(
            (&ops[..], end),
            (&["undo_create", back].map(str::to_owned)[..], RowEnd::Undone)
        );
        assert!(world.live().is_empty() && world.old.metadata.is_empty());
        world.until(P0);
        assert_eq!((world.old_bills, world.new_bills), (vec![P0], Vec::new()));
    }
}

#[test]
fn nothing_is_taken_back_once_it_began_or_the_handover_is_over() {
    let began = |world: &mut World| world.until(P0 + HOUR);
    assert!(stays(Kind::CreateAndEnd, began).contains("the old one is over"));
    assert!(stays(Kind::CreateAndPause, began).contains("its handover is over"));
    let early = |world: &mut World| world.scheds[0].status = "active";
    assert!(stays(Kind::CreateAndEnd, early).contains("has begun"));
}

#[test]
fn what_others_changed_since_is_not_touched() {
    let given_back = |world: &mut World| world.old.ends = false;
    assert!(stays(Kind::CreateAndEnd, given_back).contains("not as this program left it"));
    let marked = |world: &mut World| {
        world.old.metadata.insert(BECAME.to_owned(), "other".to_owned());
    };
    assert!(stays(Kind::CreateAndEnd, marked).contains("not as this program left it"));
    let other = |world: &mut World| world.scheds[0].quantity = 9;
    assert!(stays(Kind::CreateAndEnd, other).contains("changed since it was created"));
    let second = |world: &mut World| *world = world.clone().with_schedule("theirs", P0, "x");
    assert!(stays(Kind::CreateAndEnd, second).contains("second subscription"));
}

#[test]
fn a_schedule_that_somebody_cancelled_already_leaves_the_old_one_to_be_given_back() {
    let gone = |world: &mut World| world.scheds[0].status = "canceled";
    let (ops, end, _, world) = taken_back(Kind::CreateAndEnd, gone);
    assert_eq!((ops, end), (vec!["undo_end".to_owned()], RowEnd::Undone));
    assert!(!world.old.ends);
}

#[test]
fn a_stop_for_a_schedule_of_somebody_elses_is_taken_back_only_when_that_is_gone() {
    for kind in [Kind::End, Kind::Pause] {
        assert!(stays(kind, |_| {}).contains("withdraw it first"));
        let gone = |world: &mut World| world.scheds[0].status = "canceled";
        let (ops, end, _, world) = taken_back(kind, gone);
        assert_eq!((ops.len(), end), (1, RowEnd::Undone));
        assert!(!world.old.ends && !world.old.pause);
    }
}

#[test]
fn what_was_cancelled_or_withdrawn_has_no_undo() {
    for kind in [Kind::Cancel, Kind::Withdraw] {
        let case = Case::new(kind);
        let made = case.change.writes.iter();
        let made = made.map(|write| (write.op.clone(), object_of(write).to_owned()));
        assert_eq!(writes(&case.change, &made.collect()), []);
    }
}

#[test]
fn an_end_that_the_stop_replaced_is_not_lost_without_a_word() {
    let case = Case::new(Kind::CreateAndEnd);
    let mut row: Row = serde_json::from_str(&case.change.payload).unwrap();
    row.seen.as_mut().unwrap().ends.0 = Some(P0 + 9 * HOUR);
    let made = [("create_schedule", "sub_sched_1"), ("end_with_period", "sub_1")];
    let made = made.map(|(op, object)| (op.to_owned(), object.to_owned())).into();
    assert_eq!(writes(&change(&row, case.change.writes.clone()), &made), []);
    let (_, end, why, _) = taken_back(Kind::ReleaseAndEnd, |_| {});
    assert!(
        end == RowEnd::Undone && why.contains("without the schedule"),
        "{why}"
    );
}

#[test]
fn an_undo_of_an_undo_has_nothing_to_do() {
    let (back, _) = written(Kind::CreateAndEnd);
    assert_eq!(writes(&back, &BTreeMap::new()), []);
    let ids: std::collections::BTreeSet<_> = back.writes.iter().map(|write| &write.effect).collect();
    assert_eq!(ids.len(), back.writes.len(), "each has an identity of its own");
}
