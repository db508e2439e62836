//! From facts to rows. PURE.
//!
//! | what the four sources say | row |
//! |---|---|
//! | ledger sum = newest ending balance = `invoice_credit_balance` (= `balance`, in the customer's own currency) | planned |
//! | the same, in another currency than the customer's own | planned, and a finding: `balance` cannot show it |
//! | they differ, or one could not be read | blocked, with all four side by side |
//! | nothing anywhere | nothing to do |
//! | our markers are on both ledgers | nothing to do: moved by an earlier run |
//! | our debit is on the old ledger, no grant on the new one | planned: the grant alone |
//! | our grant is on the new ledger, no debit on the old one | nothing to do with `leave`, blocked with `drain` |
//! | the customer is not on the new account, or has no payment method | blocked |
//! | finance expects another amount | blocked |
//! | cash balance, billing credit grant | blocked, with named choices that need a sign-off |

mod agree;
mod assemble;
mod choices;
mod rows;

use std::collections::BTreeMap;

use super::SourceAfter;
use super::expected::Expected;
use super::facts::CustomerFacts;
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::{Accounts, StageId};
use crate::domain::money::Currency;
use crate::domain::plan::OutOfScope;
use crate::domain::scope::Belongs;

pub use choices::CHOICES;

/// What the rows are decided by besides the facts.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Accounts and mode.
    pub accounts: &'a Accounts,
    /// Whether the old account is drained.
    pub source_after: SourceAfter,
    /// Finance's file, by customer and currency.
    pub expected: Option<&'a Expected>,
}

/// The rows of one customer, and what has to be known about it.
#[must_use]
pub fn customer(facts: &CustomerFacts, rules: Rules<'_>) -> (Vec<Change>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut changes = match facts.belongs {
        Belongs::InScope => rows::balances(facts, rules, &mut findings),
        Belongs::NoMethod => rows::without_method(facts),
        _ => return (Vec::new(), findings),
    };
    changes.extend(choices::cash(facts, rules));
    changes.extend(choices::grants(facts, rules));
    (changes, findings)
}

/// Counts a customer who is not in the plan, with the money the list shows.
pub fn count_outside(out: &mut OutOfScope, facts: &CustomerFacts) {
    let reason = match facts.belongs {
        Belongs::InScope => return,
        Belongs::NoMethod => "no_method",
        Belongs::OtherRegion => "other_region",
        Belongs::UnknownRegion => "unknown_region",
        Belongs::OtherWave => "other_wave",
        Belongs::Excluded => "excluded",
    };
    *out.customers.entry(reason.to_owned()).or_default() += 1;
    let Some(balances) = &facts.source.credit_balance else {
        return;
    };
    for (currency, amount) in balances.iter().filter(|(_, amount)| **amount != 0) {
        let sum = out.balances.entry(*currency).or_default();
        *sum = sum.saturating_add(*amount);
    }
}

/// Lines of finance's file that no row answers: customers in scope without anything in that currency are found by the
/// rows themselves; what is left names customers who do not move.
#[must_use]
pub fn expected_outside(expected: &Expected, in_plan: &BTreeMap<&str, Belongs>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ((customer, currency), (amount, line)) in &expected.balances {
        let belongs = in_plan.get(customer.as_str());
        if *amount == 0 || matches!(belongs, Some(Belongs::InScope | Belongs::NoMethod)) {
            continue;
        }
        findings.push(outside(customer, *currency, *amount, *line));
    }
    findings
}

fn outside(customer: &str, currency: Currency, amount: i64, line: usize) -> Finding {
    let money = crate::domain::money::Money::new(amount, currency);
    Finding {
        stage: StageId::Credits,
        customer: customer.to_owned(),
        rule: "expected_outside_scope".to_owned(),
        reason: format!("finance expects {money} (line {line}), but this customer does not move"),
        severity: crate::domain::finding::Severity::Warn,
        money: Some(money),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
