//! The judgement over a run, by rules of its own: nobody who stays is touched, nothing is credited twice or missed.

use std::collections::HashMap;

use super::currency::Cur;
use super::watch::Watch;
use super::world::{Account, By, Customer, Role, Side};

/// Names of the rules.
pub mod rule {
    /// A customer out of scope was written to.
    pub const STAYER: &str = "stayer-touched";
    /// The same effect was carried out more than once on one account.
    pub const ONCE: &str = "effect-once";
    /// At some instant more could be spent on both accounts together than the customer was entitled to.
    pub const CONSERVATION: &str = "spendable-twice";
    /// More was credited, or owed, on the new account than the customer was entitled to.
    pub const TWICE: &str = "credited-twice";
    /// The run says done, and the new account does not hold the amount.
    pub const MISSED: &str = "missed";
    /// The run says drained, and the old account does not show it.
    pub const NOT_DRAINED: &str = "not-drained";
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The customer's id.
    pub customer: String,
    /// One of [`rule`].
    pub rule: &'static str,
    /// One sentence with amounts in minor units (positive: credit) and the request.
    pub reason: String,
}

/// What a run says it has done for one customer and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The customer's id.
    pub customer: String,
    /// ISO code, lower case.
    pub currency: String,
    /// As it stands in the new account's ledger, minor units: negative is credit.
    pub amount: i64,
    /// Whether the opposite was posted on the old account.
    pub drained: bool,
}

/// The judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Empty when all is well.
    pub violations: Vec<Violation>,
    /// Customers the run wrote a ledger row for on the new account.
    pub credited: u64,
}

/// Rows of the run in one customer's ledger.
fn by_run(customer: &Customer) -> HashMap<Cur, i64> {
    let mut sums = HashMap::new();
    let start = customer.ledger_at_start as usize;
    for row in customer.ledger.iter().skip(start).filter(|row| row.by == By::Api) {
        *sums.entry(row.cur).or_default() += row.amount;
    }
    sums
}

/// Judges the world as it is now against `claims`.
pub(crate) fn judge(source: &Account, destination: &Account, watch: &Watch, claims: &[Claim]) -> Verdict {
    let mut verdict = Verdict {
        violations: watch.violations().to_vec(),
        credited: 0,
    };
    for customer in destination.customers.rows() {
        let sums = by_run(customer);
        verdict.credited += u64::from(!sums.is_empty());
        if matches!(customer.role, Role::Mover | Role::WithoutMethod) {
            for (cur, sum) in sums {
                let allowed = watch.allowed(&customer.id, cur);
                if !allowed.contains(&sum) {
                    let reason = format!(
                        "got {} {cur:?} on the new account, being entitled to between {} and {}",
                        -sum,
                        -allowed.end(),
                        -allowed.start()
                    );
                    verdict
                        .violations
                        .push(violation(&customer.id, rule::TWICE, reason));
                }
            }
        }
    }
    for claim in claims {
        check_claim(source, destination, claim, &mut verdict.violations);
    }
    verdict
        .violations
        .sort_by(|a, b| (&a.customer, a.rule).cmp(&(&b.customer, b.rule)));
    verdict
}

fn check_claim(source: &Account, destination: &Account, claim: &Claim, out: &mut Vec<Violation>) {
    let found = |account: &Account| {
        let customer = account.customers.get(&claim.customer)?;
        by_run(customer).get(&Cur::parse(&claim.currency)?).copied()
    };
    let got = found(destination).unwrap_or(0);
    if got != claim.amount {
        let reason = format!(
            "is said to have got {} {} on the {} account, but got {}",
            -claim.amount,
            claim.currency,
            Side::Destination.name(),
            -got
        );
        out.push(violation(&claim.customer, rule::MISSED, reason));
    }
    let taken = found(source).unwrap_or(0);
    if claim.drained && taken != -claim.amount {
        let reason = format!(
            "is said to have had {} {} taken from the {} account, but {} was taken",
            -claim.amount,
            claim.currency,
            Side::Source.name(),
            taken
        );
        out.push(violation(&claim.customer, rule::NOT_DRAINED, reason));
    }
}

fn violation(customer: &str, rule: &'static str, reason: String) -> Violation {
    Violation {
        customer: customer.to_owned(),
        rule,
        reason,
    }
}
