//! Scripts that leave out one care: the model has to find each of them out. One that forgets what it created is none of
//! them: it finds its own schedule in the lists, and leaves the row to another plan.

use super::model_tests::{Case, Kind, Next, TWIN, every, is_stop};
use super::model_world_tests::{P0, World};
use super::script;
use crate::domain::change::Change;
use crate::domain::record::RowEnd;
use crate::stages::{Fact, Step};

/// Sends the stop as soon as the schedule was answered, without reading it again.
fn skips_the_reading_again(change: &Change, facts: &[Fact]) -> Step {
    match script::next(change, facts) {
        Step::Look(look) if ["schedule_now", "schedules_now", "subscriptions_now"].contains(&look.label) => {
            let mut facts = facts.to_vec();
            let id = facts.iter().find_map(|fact| match fact {
                Fact::Wrote { attested, .. } => Some(attested.object.clone()),
                _ => None,
            });
            let world = World::new().with_schedule(&id.unwrap_or_default(), P0, "");
            facts.push(world.answer(&look));
            skips_the_reading_again(change, &facts)
        }
        step => step,
    }
}

/// Stops the old one before anything else.
fn stops_first(change: &Change, facts: &[Fact]) -> Step {
    let stop = change.writes.iter().find(|write| is_stop(&write.op));
    let sent = facts.iter().any(|fact| matches!(fact, Fact::Wrote { .. }));
    match stop {
        Some(stop) if !sent => {
            let mut stop = stop.clone();
            let places = stop
                .form
                .iter_mut()
                .filter(|(_, value)| crate::domain::write::is_place(value));
            places.for_each(|(_, value)| *value = TWIN.to_owned());
            Step::Write(stop)
        }
        _ => script::next(change, facts),
    }
}

/// Does not look who else made one.
fn ignores_twins(change: &Change, facts: &[Fact]) -> Step {
    match script::next(change, facts) {
        Step::Look(look) if ["schedules", "subscriptions"].contains(&look.label) => {
            let mut facts = facts.to_vec();
            facts.push(World::new().answer(&look));
            ignores_twins(change, &facts)
        }
        step => step,
    }
}

/// Believes what the old one was when the plan was made.
fn does_not_look_at_the_old_one(change: &Change, facts: &[Fact]) -> Step {
    match script::next(change, facts) {
        Step::Look(look) if ["old", "old_before_stop"].contains(&look.label) => {
            let mut facts = facts.to_vec();
            facts.push(World::new().answer(&look));
            does_not_look_at_the_old_one(change, &facts)
        }
        step => step,
    }
}

/// Calls a row done when its stop was answered.
fn believes_the_answer(change: &Change, facts: &[Fact]) -> Step {
    match script::next(change, facts) {
        Step::Look(look) if look.label == "old_stopped" => Step::End {
            end: RowEnd::Done,
            why: String::new(),
            moved: None,
        },
        step => step,
    }
}

#[test]
fn scripts_that_leave_out_one_care_are_found_out() {
    let wrong: [(&str, Next, Kind); 6] = [
        (
            "skips the reading again",
            skips_the_reading_again,
            Kind::CreateAndEnd,
        ),
        ("stops first", stops_first, Kind::CreateAndEnd),
        ("stops first", stops_first, Kind::End),
        ("ignores twins", ignores_twins, Kind::CreateAndPause),
        (
            "does not look at the old one",
            does_not_look_at_the_old_one,
            Kind::CreateAndEnd,
        ),
        ("believes the answer", believes_the_answer, Kind::End),
    ];
    for (name, next, kind) in wrong {
        let found = every(&Case::new(kind), next, 2);
        assert!(found.is_err(), "{name} was not found out: {found:?}");
    }
}
