//! What is outside the plan but has to be known: who stays, and rows of the mapping that fit nobody who moves.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rules, finding};
use crate::domain::finding::{Finding, Severity};
use crate::domain::plan::OutOfScope;
use crate::domain::scope::Belongs;
use crate::stages::mapping::facts::CustomerFacts;
use crate::stages::mapping::file::Origin;

/// Counts a customer who stays, by reason.
pub fn count_outside(out: &mut OutOfScope, belongs: Belongs) {
    let reason = match belongs {
        Belongs::InScope => return,
        Belongs::NoMethod => "no_method",
        Belongs::OtherRegion => "other_region",
        Belongs::UnknownRegion => "unknown_region",
        Belongs::OtherWave => "other_wave",
        Belongs::Excluded => "excluded",
    };
    *out.customers.entry(reason.to_owned()).or_default() += 1;
}

/// Findings about the mapping as a whole. `belongs` says where every customer of the old account belongs.
#[must_use]
pub fn outside(
    belongs: &BTreeMap<String, Belongs>,
    arrived: &BTreeSet<String>,
    customers: &[CustomerFacts],
    rules: Rules<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rules.mapping.iter().filter(|row| seen.insert(row.customer)) {
        let (rule, reason) = match belongs.get(row.customer) {
            Some(Belongs::InScope) => continue,
            Some(_) => (
                "mapped_outside_scope",
                format!(
                    "line {} of the mapping: the customer stays, but was copied",
                    row.line
                ),
            ),
            None if rules.mapping.origin() == Origin::Processor => continue,
            None => (
                "mapped_unknown_customer",
                format!(
                    "line {} of the mapping: the old account has no such customer (deleted?)",
                    row.line
                ),
            ),
        };
        findings.push(finding(row.customer, rule, reason, Severity::Warn));
    }
    for asked in rules.settings.asked.iter().flat_map(|asked| asked.iter()) {
        if !arrived.contains(asked) {
            let reason = "asked for in the copy, but not on the new account".to_owned();
            findings.push(finding(asked, "asked_not_arrived", reason, Severity::Warn));
        }
    }
    for (problem, tally) in &rules.mapping.lint().problems {
        let first = tally.first.first().map(ToString::to_string).unwrap_or_default();
        let reason = format!(
            "{} rows of the mapping: {} (first: {first})",
            tally.count,
            problem.means()
        );
        findings.push(finding("", problem.word(), reason, Severity::Warn));
    }
    findings.extend(same_email(customers));
    findings
}

/// Customers on one e-mail are told, because people match by it; this program does not.
fn same_email(customers: &[CustomerFacts]) -> Vec<Finding> {
    let mut by_email: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for facts in customers.iter().filter(|facts| facts.belongs == Belongs::InScope) {
        if let Some(email) = facts.source.fields.get("email") {
            by_email.entry(email).or_default().push(&facts.id);
        }
    }
    let shared = by_email.values().filter(|ids| ids.len() > 1);
    let say = |ids: &Vec<&str>| {
        let reason = format!(
            "{} customers have one e-mail ({}); each is kept apart, nothing is matched by it",
            ids.len(),
            ids.join(", ")
        );
        finding(ids[0], "same_email", reason, Severity::Note)
    };
    shared.map(say).collect()
}
