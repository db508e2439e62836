//! Whether what was written is what is there, by another path. PURE: compares the plan and the ends of its rows with
//! both accounts' customer lists as they are now.
//!
//! | | read from |
//! |---|---|
//! | the plan's amount | `balance_transactions`, every row summed |
//! | the write's own attestation | the response of `POST …/balance_transactions` |
//! | this audit | `customers` list, `invoice_credit_balance` expanded: another endpoint, computed by Stripe, not by us |

use std::collections::BTreeMap;

use super::effects::Payload;
use super::facts::Side;
use crate::domain::change::ChangeKey;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::money::{Currency, Money};
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::stages::Audit;

/// Customers as listed now, by id.
pub type Listed = BTreeMap<String, Side>;

/// How a row ended and what moved, when that differs from the plan.
pub type End = (ChangeKey, RowEnd, Option<Money>);

struct Expect {
    source: Option<i64>,
    destination: i64,
    rows: u64,
}

/// Compares every row that ended `Done`, to the smallest unit.
#[must_use]
pub fn compare(plan: &Plan, ends: &[End], source: &Listed, destination: &Listed) -> Audit {
    let ends: BTreeMap<&ChangeKey, (RowEnd, Option<Money>)> = ends
        .iter()
        .map(|(key, end, moved)| (key, (*end, *moved)))
        .collect();
    let mut expected: BTreeMap<(String, Currency), Expect> = BTreeMap::new();
    let mut findings = Vec::new();
    for change in plan.changes() {
        let Some((RowEnd::Done, moved)) = ends.get(&change.key) else {
            continue;
        };
        let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
            continue;
        };
        let (Some(money), true) = (moved.or(change.money), moves_balance(change)) else {
            continue;
        };
        let expect = expected
            .entry((payload.customer.clone(), money.currency))
            .or_insert(Expect {
                source: None,
                destination: payload.destination_before,
                rows: 0,
            });
        expect.destination = expect.destination.saturating_add(money.amount);
        expect.rows += 1;
        if payload.is_balance {
            expect.source = Some(if payload.drains || payload.source_before == 0 {
                0
            } else {
                payload.source_before
            });
        }
    }
    let mut compared = 0;
    for ((customer, currency), expect) in &expected {
        compared += expect.rows;
        let money = |amount| Money::new(amount, *currency);
        let new = destination
            .get(customer)
            .and_then(|side| side.credit_in(*currency));
        findings.extend(differs(
            customer,
            "the new account",
            money(expect.destination),
            new,
        ));
        if let Some(old) = expect.source {
            let now = source.get(customer).and_then(|side| side.credit_in(*currency));
            findings.extend(differs(customer, "the old account", money(old), now));
        }
    }
    findings.sort();
    Audit { compared, findings }
}

/// Billing credit grants do not show in a balance; their response is their attestation.
fn moves_balance(change: &crate::domain::change::Change) -> bool {
    change
        .writes_now()
        .iter()
        .any(|write| write.path.ends_with("/balance_transactions"))
}

fn differs(customer: &str, place: &str, want: Money, have: Option<i64>) -> Option<Finding> {
    let (rule, says) = match have {
        Some(amount) if amount == want.amount => return None,
        Some(amount) => (
            "balance_differs",
            format!("holds {}", Money::new(amount, want.currency)),
        ),
        None => ("balance_unreadable", "could not be read".to_owned()),
    };
    Some(Finding {
        stage: StageId::Credits,
        customer: customer.to_owned(),
        rule: rule.to_owned(),
        reason: format!("{place} {says} where {want} was expected by invoice_credit_balance"),
        severity: Severity::Differs,
        money: Some(want),
    })
}

/// Rows whose balances are not what the plan was made from: planned rows whose amounts moved on either account, and
/// customers with nothing to move who hold something now.
#[must_use]
pub fn drifted(plan: &Plan, source: &Listed, destination: &Listed) -> Vec<ChangeKey> {
    let mut rows = Vec::new();
    for change in plan.changes() {
        let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
            continue;
        };
        if !payload.is_balance || !matters(change.verdict) {
            continue;
        }
        if moved_since(
            change.money.map(|money| money.currency),
            &payload,
            source,
            destination,
        ) {
            rows.push(change.key.clone());
        }
    }
    rows
}

const fn matters(verdict: crate::domain::change::Verdict) -> bool {
    use crate::domain::change::Verdict;
    matches!(verdict, Verdict::Planned | Verdict::Noop)
}

fn moved_since(currency: Option<Currency>, payload: &Payload, source: &Listed, destination: &Listed) -> bool {
    let old = source.get(&payload.customer);
    let Some(currency) = currency else {
        return old.is_some_and(|side| !side.currencies().is_empty());
    };
    let new = destination.get(&payload.customer);
    old.and_then(|side| side.credit_in(currency)) != Some(payload.source_before)
        || new.and_then(|side| side.credit_in(currency)) != Some(payload.destination_before)
}
