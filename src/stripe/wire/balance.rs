use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::{id_of, open_enum, or_default, some_id_of};
use crate::stripe::page::Listed;

open_enum! {
    /// Why a row stands in a customer's ledger (spec `customer_balance_transaction.type`).
    BalanceTransactionType {
        /// The only one that can be created.
        Adjustment = "adjustment",
        /// Paid part of an invoice.
        AppliedToInvoice = "applied_to_invoice",
        /// Came back from an invoice, by voiding among others.
        UnappliedFromInvoice = "unapplied_from_invoice",
        /// From a credit note.
        CreditNote = "credit_note",
        /// Before the ledger began.
        Initial = "initial",
        /// Before the ledger began.
        Migration = "migration",
        /// More was paid than due.
        InvoiceOverpaid = "invoice_overpaid",
        /// An invoice above the largest charge.
        InvoiceTooLarge = "invoice_too_large",
        /// An invoice below the smallest charge.
        InvoiceTooSmall = "invoice_too_small",
        /// From an old receiver source.
        UnspentReceiverCredit = "unspent_receiver_credit",
        /// Checkout.
        CheckoutPayment = "checkout_session_subscription_payment",
        /// Checkout.
        CheckoutPaymentCanceled = "checkout_session_subscription_payment_canceled",
    }
}

/// One row of a customer's credit ledger (spec `customer_balance_transaction`).
#[derive(Clone, Debug, Deserialize)]
pub struct BalanceTransaction {
    /// `cbtxn_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// **Negative is credit to the customer.**
    pub amount: i64,
    /// Lowercase ISO; each currency has a balance of its own.
    pub currency: String,
    /// Balance of this currency after the row, same sign.
    pub ending_balance: i64,
    /// Whose.
    #[serde(deserialize_with = "some_id_of")]
    pub customer: String,
    /// Why.
    #[serde(rename = "type")]
    pub kind: BalanceTransactionType,
    /// Raw.
    pub description: Option<String>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// The invoice it belongs to.
    #[serde(default, deserialize_with = "id_of")]
    pub invoice: Option<String>,
    /// The credit note it comes from.
    #[serde(default, deserialize_with = "id_of")]
    pub credit_note: Option<String>,
    /// Mode.
    pub livemode: bool,
}

impl Listed for BalanceTransaction {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

/// Real money held for a customer (spec `cash_balance`). Cannot be created by API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CashBalance {
    /// Whose.
    #[serde(default, deserialize_with = "id_of")]
    pub customer: Option<String>,
    /// Per currency, positive is money held; null is nothing.
    #[serde(default, deserialize_with = "or_default")]
    pub available: BTreeMap<String, i64>,
    /// Mode.
    pub livemode: bool,
}
