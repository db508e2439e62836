//! From facts to rows. PURE. The cases stand in the tables of the [stage's page](super).

use super::Settings;
use super::facts::World;
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
    /// One row for each coupon, code and running discount in scope; in no order.
    pub changes: Vec<Change>,
    /// What has to be known.
    pub findings: Vec<Finding>,
    /// What is not in the plan, counted by reason.
    pub out_of_scope: OutOfScope,
}

/// All rows, what has to be known, and what stays outside.
#[must_use]
pub fn rows(world: &World, ids: &IdMap, rules: Rules<'_>) -> Planned {
    let _ = (world, ids, rules);
    Planned::default()
}
