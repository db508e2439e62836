//! What a decision reaches: where it is made, which rows it changes, and the number it asks for. Rows that share
//! something are decided once, at the row that leads them, so a key on one row may decide others too; a person hears of
//! them before that happens.

use std::collections::BTreeMap;

use crate::domain::change::{Change, ChangeKey, Choice};
use crate::domain::plan::{Plan, decide};
use crate::domain::write::number;

/// The number a decision asks for, with bounds that hold for every row it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What it is, in few words.
    pub asks: String,
    /// The smallest.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// What is offered first, unless the rows differ in it.
    pub usual: Option<u64>,
}

/// Whether a decision asks for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It does not.
    Nothing,
    /// It does.
    Number(Bounds),
    /// Its rows ask for different ones, so that no single number can be meant for all of them.
    Differs,
}

/// See the [module page](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The rows at which it is made.
    pub at: Vec<ChangeKey>,
    /// Every row that changes with it, those included.
    pub rows: Vec<ChangeKey>,
    /// Of these, how many were decided before.
    pub decided: usize,
    /// Whether any of them asks for a sign-off.
    pub sign_off: bool,
    /// The number.
    pub asked: Asked,
}

fn choice<'a>(change: &'a Change, name: &str) -> Option<&'a Choice> {
    change.choices.iter().find(|choice| choice.name == name)
}

impl Reach {
    /// What deciding `rows` as `name` reaches.
    #[must_use]
    pub fn of(plan: &Plan, rows: &[ChangeKey], name: &str) -> Self {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in rows.iter().filter_map(|key| plan.position(key)) {
            groups.entry(made_at(plan, at, name)).or_default();
        }
        let leaders: BTreeMap<&ChangeKey, usize> =
            groups.keys().map(|at| (&plan.changes()[*at].key, *at)).collect();
        for (at, change) in plan.changes().iter().enumerate() {
            let leader = change.with.as_ref().and_then(|key| leaders.get(key));
            let goes_along = |at: &&usize| decide::goes_along(&plan.changes()[**at], change, name);
            if let Some(group) = leader.filter(goes_along).and_then(|at| groups.get_mut(at)) {
                group.push(at);
            }
        }
        let mut reached: Vec<usize> = groups.values().flatten().chain(groups.keys()).copied().collect();
        reached.sort_unstable();
        reached.dedup();
        let keys = |at: &mut dyn Iterator<Item = usize>| -> Vec<ChangeKey> {
            at.map(|at| plan.changes()[at].key.clone()).collect()
        };
        let changes = || reached.iter().map(|at| &plan.changes()[*at]);
        Self {
            at: keys(&mut groups.keys().copied()),
            rows: keys(&mut reached.iter().copied()),
            decided: changes().filter(|change| change.decision.is_some()).count(),
            sign_off: changes()
                .filter_map(|change| choice(change, name))
                .any(|choice| choice.sign_off),
            asked: asked(plan, &groups, name),
        }
    }
}

/// The row at which a choice for the row at `at` is made: its leader, where both offer it; a row may be left out, or put
/// back, alone. The same rule as the plan's own, which refuses anything else.
fn made_at(plan: &Plan, at: usize, name: &str) -> usize {
    let change = &plan.changes()[at];
    let leader = change.with.as_ref().and_then(|key| plan.position(key));
    let shared =
        |leader: &usize| choice(&plan.changes()[*leader], name).is_some() && choice(change, name).is_some();
    leader.filter(shared).unwrap_or(at)
}

fn asked(plan: &Plan, groups: &BTreeMap<usize, Vec<usize>>, name: &str) -> Asked {
    let mut all: Option<Asked> = None;
    for (leader, followers) in groups {
        let mut one = of_choice(choice(&plan.changes()[*leader], name));
        for follower in followers {
            one = both(one, of_choice(choice(&plan.changes()[*follower], name)));
        }
        all = Some(match all {
            None => one,
            Some(before) => alike(before, one),
        });
    }
    all.unwrap_or(Asked::Nothing)
}

fn of_choice(choice: Option<&Choice>) -> Asked {
    let Some((choice, asked)) = choice.and_then(|choice| Some((choice, choice.number.as_ref()?))) else {
        return Asked::Nothing;
    };
    // What is left of a whole cannot be less than nothing, whatever the choice's own bounds say.
    let values = choice
        .writes
        .iter()
        .flat_map(|write| &write.form)
        .map(|(_, value)| value);
    let too_small = values.filter(|value| number::fill(value, asked.most).is_none());
    let wholes = too_small.filter_map(|value| number::fill(value, 0)?.parse::<u64>().ok());
    bounded(Bounds {
        asks: asked.asks.clone(),
        least: asked.least,
        most: wholes.min().map_or(asked.most, |whole| whole.min(asked.most)),
        usual: Some(asked.usual),
    })
}

fn bounded(bounds: Bounds) -> Asked {
    if bounds.least > bounds.most {
        return Asked::Differs;
    }
    let fits = |usual: &u64| (bounds.least..=bounds.most).contains(usual);
    let usual = bounds.usual.filter(fits);
    Asked::Number(Bounds { usual, ..bounds })
}

/// Rows of one group share one number: it has to fit all of them.
fn both(leader: Asked, follower: Asked) -> Asked {
    match (leader, follower) {
        (Asked::Nothing, Asked::Nothing) => Asked::Nothing,
        (Asked::Number(one), Asked::Number(other)) => bounded(Bounds {
            least: one.least.max(other.least),
            most: one.most.min(other.most),
            ..one
        }),
        _ => Asked::Differs,
    }
}

/// Groups get the same number, each for itself: only where it means the same everywhere.
fn alike(one: Asked, other: Asked) -> Asked {
    match (one, other) {
        (Asked::Nothing, Asked::Nothing) => Asked::Nothing,
        (Asked::Number(one), Asked::Number(other))
            if (&one.asks, one.least, one.most) == (&other.asks, other.least, other.most) =>
        {
            let usual = one.usual.filter(|usual| Some(*usual) == other.usual);
            Asked::Number(Bounds { usual, ..one })
        }
        _ => Asked::Differs,
    }
}

impl Bounds {
    /// The number that was typed, or in one sentence why it cannot be taken.
    pub fn check(&self, typed: &str) -> Result<u64, String> {
        let (least, most) = (self.least, self.most);
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(format!("Type a whole number from {least} to {most}."));
        }
        if !typed.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "Not a whole number: write it in digits, from {least} to {most}."
            ));
        }
        match typed.parse::<u64>() {
            Ok(given) if given < least => Err(format!("Too small: {least} is the least.")),
            Ok(given) if given <= most => Ok(given),
            _ => Err(format!("Too large: {most} is the most.")),
        }
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
