//! What an account billed, and what it would bill, for whoever judges a run from outside.

use super::billing::{Billed, billed, foreseen};
use super::world::Account;

/// What an invoice billed of a subscription for one time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bill {
    /// `sub_…`
    pub subscription: String,
    /// `cus_…`
    pub customer: String,
    /// Seconds.
    pub from: i64,
    /// Seconds.
    pub to: i64,
    /// Lower case.
    pub currency: String,
    /// After discounts, with taxes, minor units.
    pub amount: i64,
    /// `in_…`
    pub invoice: String,
    /// `draft`, `open`, `paid`, `uncollectible`, `void`.
    pub status: &'static str,
}

/// Everything billed until now, or until an instant that lies ahead if everybody left the account alone until then.
pub(crate) fn bills(account: &Account, ahead: Option<i64>) -> Vec<Bill> {
    match ahead {
        None => shown(account, billed(account)),
        Some(until) => {
            let (played, all) = foreseen(account, until);
            shown(&played, all)
        }
    }
}

fn shown(account: &Account, all: Vec<Billed>) -> Vec<Bill> {
    let bill = |one: Billed| {
        let subscription = account.billing.subscriptions.at(one.subscription)?;
        Some(Bill {
            subscription: subscription.id.to_string(),
            customer: account.customers.at(subscription.customer)?.id.to_string(),
            from: one.from,
            to: one.to,
            currency: one.currency.as_str().to_owned(),
            amount: one.amount,
            invoice: account.billing.invoices.at(one.invoice)?.id.to_string(),
            status: one.status.word(),
        })
    };
    all.into_iter().filter_map(bill).collect()
}
