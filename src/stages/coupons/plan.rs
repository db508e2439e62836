//! From facts to rows. PURE. The cases stand in the tables of the [stage's page](super).
//!
//! Codes are grouped by coupon once; what each of them is to its pool is settled before any row is made, because the
//! rows of a pool share its numbers.

mod assemble;
mod choices;
mod code;
mod coupon;
mod discount;
mod findings;
mod pools;

use std::collections::BTreeSet;

use super::Settings;
use super::effects::Effects;
use super::facts::World;
use super::left::Solver;
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::Accounts;
use crate::domain::mapped::IdMap;
use crate::domain::plan::OutOfScope;
use pools::{Place, Pool, Stays};

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
    /// One row for each coupon, code and running discount in scope; in no order.
    pub changes: Vec<Change>,
    /// What has to be known.
    pub findings: Vec<Finding>,
    /// What is not in the plan, counted by reason.
    pub out_of_scope: OutOfScope,
}

/// What every row is made from.
struct Scene<'a> {
    world: &'a World,
    ids: &'a IdMap,
    rules: Rules<'a>,
    effects: Effects<'a>,
    solver: Solver,
}

/// All rows, what has to be known, and what stays outside.
#[must_use]
pub fn rows(world: &World, ids: &IdMap, rules: Rules<'_>) -> Planned {
    rows_with(world, ids, rules, Solver::default())
}

/// The same with another arithmetic, for tests that put a wrong one in.
fn rows_with(world: &World, ids: &IdMap, rules: Rules<'_>, solver: Solver) -> Planned {
    let effects = Effects {
        accounts: rules.accounts,
    };
    let scene = Scene {
        world,
        ids,
        rules,
        effects,
        solver,
    };
    let pools = pools::all(&scene);
    let mut planned = Planned::default();
    for pool in &pools {
        let (fate, terms) = coupon::fate(&scene, pool);
        planned.changes.extend(coupon::row(&scene, pool, &fate, &terms));
        for member in &pool.members {
            planned.changes.extend(code::row(&scene, pool, member, &fate));
        }
        planned.findings.extend(findings::of_pool(pool, &fate));
    }
    planned.findings.extend(findings::no_switch(&planned.changes));
    let (rows, findings) = discount::rows(&scene);
    planned.changes.extend(rows);
    planned.findings.extend(findings);
    count_outside(&mut planned.out_of_scope, &pools);
    planned
}

/// Codes of customers who stay, their customers, and coupons that only they can use.
fn count_outside(out: &mut OutOfScope, pools: &[Pool<'_>]) {
    let (mut codes, mut customers) = (0, BTreeSet::new());
    let members = pools.iter().flat_map(|pool| &pool.members);
    for member in
        members.filter(|member| matches!(member.place, Place::Outside | Place::Stays(Stays::Stayer)))
    {
        codes += 1;
        customers.extend(member.code.customer.as_deref());
    }
    let coupons = pools
        .iter()
        .filter(|pool| pool.coupon.is_some() && pool.is_outside());
    for (reason, n) in [
        ("codes_stay", codes),
        ("coupons_stay", coupons.count()),
        ("stays", customers.len()),
    ] {
        if n > 0 {
            out.customers.insert(reason.to_owned(), n as u64);
        }
    }
}

#[cfg(test)]
#[path = "plan_row_tests.rs"]
mod row_tests;
#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
