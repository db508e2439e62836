//! From facts to rows. PURE, and the same for the same facts.
//!
//! | the old default | the new account | row `…/default` |
//! |---|---|---|
//! | in the mapping, target attached and alike | no default | planned `default_follows_map` |
//! | the same | that default already | noop `already_default` |
//! | the same | another default | blocked `other_default`: somebody set it |
//! | the same, but only the expiry differs | any | blocked `expiry_differs`: the card was renewed, or is another |
//! | in the mapping, target of another kind, brand or number | any | blocked `methods_differ` |
//! | in the mapping, target not there or someone else's | any | blocked `target_missing`, `target_elsewhere` |
//! | of a kind the copy leaves behind | any | blocked `default_left_behind`, the copied methods to choose from |
//! | younger than the copy | any | blocked `default_after_copy` |
//! | of a copied kind, not in the mapping | any | blocked `not_in_mapping` |
//! | there is none | any | blocked `no_default`, the copied methods to choose from |

mod app;
mod default;
mod methods;
mod outside;
mod profile;
mod row;

#[cfg(test)]
mod app_tests;
#[cfg(test)]
mod tests;

pub use self::app::{Candidate, candidates, table, touched};
pub use self::outside::{count_outside, outside};

use super::Settings;
use super::facts::CustomerFacts;
use super::file::{Mapping, Origin};
use crate::domain::change::Change;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{Accounts, StageId};
use crate::domain::scope::Belongs;
use crate::domain::time::UtcMs;

/// What planning goes by.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Part of every effect's identity.
    pub accounts: &'a Accounts,
    /// Which old method became which new one.
    pub mapping: &'a Mapping,
    /// Of the stage.
    pub settings: &'a Settings,
    /// For expiry and due dates.
    pub now: UtcMs,
}

impl Rules<'_> {
    /// Whether something of the old account is younger than the copy; `false` where nobody said when that was.
    pub(super) fn is_after_copy(&self, created: i64) -> bool {
        self.settings.copied_at.is_some_and(|copy| created > copy.secs())
    }
}

/// Rows and findings of one customer.
#[must_use]
pub fn customer(facts: &CustomerFacts, rules: Rules<'_>) -> (Vec<Change>, Vec<Finding>) {
    if facts.belongs != Belongs::InScope {
        return (Vec::new(), Vec::new());
    }
    if facts.new_id != facts.id && rules.mapping.origin() == Origin::SelfServe {
        return (vec![row::changed_id(facts)], Vec::new());
    }
    let Some(there) = &facts.destination else {
        return (vec![row::not_copied(facts, rules)], Vec::new());
    };
    let mut findings = Vec::new();
    let mut rows = vec![default::row(facts, there, rules, &mut findings)];
    rows.extend(methods::rows(facts, there, rules, &mut findings));
    rows.extend(profile::rows(facts, there, rules, &mut findings));
    (rows, findings)
}

fn finding(customer: &str, rule: &str, reason: String, severity: Severity) -> Finding {
    Finding {
        stage: StageId::Mapping,
        customer: customer.to_owned(),
        rule: rule.to_owned(),
        reason,
        severity,
        money: None,
    }
}
