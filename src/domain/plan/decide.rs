//! What a decision makes of a row, and of the rows that are decided with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PlanError;
use crate::domain::change::{AS_PLANNED, Change, ChangeKey, Choice, Decision, LEAVE_OUT, Verdict};
use crate::domain::write::{CAP, PlannedWrite, number};

/// Rows by the row they are decided with.
pub(super) type Groups = BTreeMap<ChangeKey, Vec<usize>>;

pub(super) fn groups(changes: &[Arc<Change>]) -> Groups {
    let mut groups = Groups::new();
    for (at, change) in changes.iter().enumerate() {
        if let Some(with) = &change.with {
            groups.entry(with.clone()).or_default().push(at);
        }
    }
    groups
}

pub(super) fn find(changes: &[Arc<Change>], key: &ChangeKey) -> Result<usize, PlanError> {
    let found = changes.binary_search_by(|change| change.key.cmp(key));
    found.map_err(|_| PlanError::NoSuchRow(key.clone()))
}

fn choice<'a>(change: &'a Change, name: &str) -> Option<&'a Choice> {
    change.choices.iter().find(|choice| choice.name == name)
}

/// Refuses a choice that is made at another row: a row may be left out alone, but what it shares with others is decided
/// once for all of them.
pub(super) fn of_its_own(changes: &[Arc<Change>], at: usize, decision: &Decision) -> Result<(), PlanError> {
    let change = &changes[at];
    let Some(with) = &change.with else { return Ok(()) };
    let leader = &changes[find(changes, with)?];
    if choice(leader, &decision.choice).is_none() || choice(change, &decision.choice).is_none() {
        return Ok(());
    }
    Err(PlanError::DecidedWith {
        key: change.key.clone(),
        choice: decision.choice.clone(),
        with: with.clone(),
    })
}

/// Whether `follower` is decided with `leader`, as it stands before: it offers the choice, and was not left out alone.
#[must_use]
pub fn goes_along(leader: &Change, follower: &Change, name: &str) -> bool {
    let is_out = |change: &Change| {
        change
            .decision
            .as_ref()
            .is_some_and(|made| made.choice == LEAVE_OUT)
    };
    if [LEAVE_OUT, AS_PLANNED].contains(&name) {
        return true;
    }
    choice(follower, name).is_some() && (is_out(leader) || !is_out(follower))
}

/// The rows that are decided with the one at `at`.
pub(super) fn decided_with(
    changes: &[Arc<Change>],
    groups: &Groups,
    at: usize,
    decision: &Decision,
) -> Vec<usize> {
    let followers = groups.get(&changes[at].key).into_iter().flatten().copied();
    followers
        .filter(|row| goes_along(&changes[at], &changes[*row], &decision.choice))
        .collect()
}

/// The row as decided.
pub(super) fn row(change: &Change, decision: Decision) -> Result<Change, PlanError> {
    let mut decided = change.clone();
    decided.filled = Vec::new();
    match decision.choice.as_str() {
        LEAVE_OUT => {
            decided.verdict = if change.planned_as == Verdict::Noop {
                Verdict::Noop
            } else {
                Verdict::LeftOut
            };
            decided.decision = Some(decision);
        }
        AS_PLANNED => {
            decided.verdict = change.planned_as;
            decided.decision = None;
        }
        name => {
            let choice = choice(change, name).ok_or_else(|| no_such_choice(change, name))?;
            signed(change, choice, &decision)?;
            decided.filled = filled(change, choice, &decision)?;
            decided.verdict = if choice.writes.is_empty() {
                Verdict::LeftOut
            } else {
                Verdict::Planned
            };
            decided.decision = Some(decision);
        }
    }
    Ok(decided)
}

fn signed(change: &Change, choice: &Choice, decision: &Decision) -> Result<(), PlanError> {
    if choice.sign_off && (decision.by.trim().is_empty() || decision.note.trim().is_empty()) {
        return Err(PlanError::SignOff {
            key: change.key.clone(),
            choice: choice.name.clone(),
        });
    }
    Ok(())
}

/// The choice's writes with the number in its places.
fn filled(change: &Change, choice: &Choice, decision: &Decision) -> Result<Vec<PlannedWrite>, PlanError> {
    let (asked, given) = match (&choice.number, decision.number) {
        (None, None) => return Ok(Vec::new()),
        (None, Some(_)) => {
            return Err(PlanError::NoNumber {
                key: change.key.clone(),
                choice: choice.name.clone(),
            });
        }
        (Some(asked), given) => (asked, given),
    };
    let given = given.filter(|given| (asked.least..=asked.most).contains(given));
    let out_of_bounds = || PlanError::Number {
        key: change.key.clone(),
        choice: choice.name.clone(),
        least: asked.least,
        most: asked.most,
        asks: asked.asks.clone(),
    };
    let given = given.ok_or_else(out_of_bounds)?;
    let mut writes = choice.writes.clone();
    // What an owner wrote elsewhere may look like a place.
    for (name, value) in writes.iter_mut().flat_map(|write| &mut write.form) {
        if name == CAP && number::is_place(value) {
            *value = number::fill(value, given).ok_or_else(out_of_bounds)?;
        }
    }
    Ok(writes)
}

fn no_such_choice(change: &Change, name: &str) -> PlanError {
    let mut offers: Vec<&str> = change.choices.iter().map(|choice| choice.name.as_str()).collect();
    offers.extend([LEAVE_OUT, AS_PLANNED]);
    PlanError::NoSuchChoice {
        key: change.key.clone(),
        choice: name.to_owned(),
        offers: offers.join(", "),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
