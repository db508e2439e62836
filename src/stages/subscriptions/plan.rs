//! From facts to rows. PURE. The rules and their order stand in the tables of the [stage's page](super).

mod assemble;
mod bills;
mod cells;
mod decide;
mod findings;
mod twins;
mod words;

use std::collections::BTreeSet;

use super::Settings;
use super::effects::Effects;
use super::facts::{Old, Person, Twin, World};
use super::file;
use super::terms::Terms;
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::Accounts;
use crate::domain::mapped::IdMap;
use crate::domain::plan::OutOfScope;

/// What the rows are decided by besides the facts.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Accounts and mode.
    pub accounts: &'a Accounts,
    /// See the type.
    pub settings: &'a Settings,
}

/// What comes of the facts.
#[derive(Debug, Default)]
pub struct Planned {
    /// One row for each subscription in scope, and for each twin whose old one is gone; by old id.
    pub changes: Vec<Change>,
    /// What has to be known.
    pub findings: Vec<Finding>,
    /// What is not in the plan: subscriptions of customers who stay, counted, with what they bill next.
    pub out_of_scope: OutOfScope,
}

/// What every row is made from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    world: &'a World,
    ids: &'a IdMap,
    rules: Rules<'a>,
    effects: Effects<'a>,
    /// Metadata keys that have a column in the files.
    columns: &'a BTreeSet<&'a str>,
}

/// One subscription: what is on both accounts.
#[derive(Clone, Copy)]
struct Case<'a> {
    id: &'a str,
    old: Option<&'a Old>,
    twins: &'a [Twin],
    person: Option<&'a Person>,
}

impl<'a> Scene<'a> {
    fn terms(&self, fresh: bool) -> Terms<'a> {
        Terms {
            world: self.world,
            ids: self.ids,
            fresh,
        }
    }

    fn case(&self, id: &'a str) -> Case<'a> {
        let old = self.world.old.get(id);
        let twins = self.world.twins.get(id).map_or(&[][..], Vec::as_slice);
        let customer = old
            .map(|old| &old.customer)
            .or_else(|| twins.first().map(|twin| &twin.customer));
        Case {
            id,
            old,
            twins,
            person: customer.and_then(|customer| self.world.people.get(customer)),
        }
    }
}

/// All rows, what has to be known, and what stays outside.
#[must_use]
pub fn rows(world: &World, ids: &IdMap, rules: Rules<'_>) -> Planned {
    let columns = file::metadata_columns(world.old.values());
    let scene = Scene {
        world,
        ids,
        rules,
        effects: Effects {
            accounts: rules.accounts,
        },
        columns: &columns,
    };
    let gone = world
        .twins
        .iter()
        .filter(|(id, twins)| !twins.is_empty() && !world.old.contains_key(*id));
    let all: BTreeSet<&str> = world
        .old
        .keys()
        .chain(gone.map(|(id, _)| id))
        .map(String::as_str)
        .collect();
    let mut planned = Planned::default();
    let mut made = Vec::with_capacity(all.len());
    for id in all {
        let case = scene.case(id);
        let one = decide::decide(&scene, case);
        planned.findings.extend(findings::of_row(case, &one));
        made.push((case, one));
    }
    let places = file::places(
        made.iter().map(|(_, one)| one.is_in_file().then_some(&one.row)),
        rules.settings.first_batch,
    );
    let rows = made.into_iter().zip(places);
    planned.changes = rows
        .map(|((case, one), place)| assemble::row(&scene, case, one, place))
        .collect();
    planned.findings.extend(findings::of_world(world));
    outside(&mut planned.out_of_scope, world);
    planned
}

/// Bills are what a customer owes: negative in the program's sign.
fn outside(out: &mut OutOfScope, world: &World) {
    for (currency, (count, money)) in &world.staying {
        *out.customers.entry("subscriptions_stay".to_owned()).or_default() += count;
        out.balances.insert(*currency, money.saturating_neg());
    }
}

#[cfg(test)]
#[path = "plan_route_tests.rs"]
mod route_tests;
#[cfg(test)]
#[path = "plan_table_tests.rs"]
mod table_tests;
#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
