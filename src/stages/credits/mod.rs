//! Customer balances in every currency: read four ways, moved once, verified by a fifth.
//!
//! **What it promises.** For every customer in scope and every currency, the credit (or debit) that the old account's
//! ledger adds up to is on the new account afterwards, to the smallest unit, exactly once; with `source_after = drain`
//! it is gone from the old account before it appears on the new one. What the sources do not agree on is not moved and
//! not dropped: it is blocked, with the evidence, until a person decides.
//!
//! **Why the ledger.** `customer.balance` shows only the customer's own currency (spec: `customer.balance`): a customer
//! whose currency is aud and who holds usd credit shows 0 AUD. So the ledger is summed per currency, and
//! `invoice_credit_balance` (all currencies, the opposite sign) and the newest `ending_balance` must agree with it;
//! `balance` takes part only in the customer's own currency.
//!
//! **Not done here.** Cash Stripe holds cannot be moved by API, and a billing credit grant applies to metered prices:
//! both are blocked with named choices. The program never refunds.

pub mod audit;
pub mod effects;
pub mod expected;
pub mod facts;
mod gather;
pub mod panel;
pub mod plan;
pub mod script;
mod slice;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::OperatorFile;

/// The stage. Implements [`crate::stages::Stage`].
pub struct Credits;

/// What happens to the old account's balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceAfter {
    /// Brought to zero by a tagged opposite entry before the grant: nothing can be spent twice.
    Drain,
    /// Left as it is: what old invoices use of it in the meantime is spent twice, and the approval says so.
    Leave,
}

impl SourceAfter {
    /// The word in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Leave => "leave",
        }
    }
}

/// Settings of the stage.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// No default: must be said.
    pub source_after: Option<SourceAfter>,
    /// Finance's expected balances.
    pub expected: Option<Arc<OperatorFile>>,
}
