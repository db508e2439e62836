use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::{id_of, or_default};
use super::{CashBalance, Discount};
use crate::stripe::page::Listed;

/// A customer (spec `customer`, `deleted_customer`). The id is the only one both accounts share after the PAN copy.
#[derive(Clone, Debug, Deserialize)]
pub struct Customer {
    /// `cus_…`
    pub id: String,
    /// Creation time, seconds. 0 for a deleted customer, which has none.
    #[serde(default)]
    pub created: i64,
    /// `None` for a deleted customer.
    pub livemode: Option<bool>,
    /// True on the stub that is left of a deleted customer; everything else is then empty.
    #[serde(default)]
    pub deleted: bool,
    /// Raw.
    pub name: Option<String>,
    /// Raw.
    pub email: Option<String>,
    /// Raw.
    pub description: Option<String>,
    /// The customer's own currency; null until something sets it.
    pub currency: Option<String>,
    /// Balance in `currency` alone: **negative is credit to the customer**.
    #[serde(default, deserialize_with = "or_default")]
    pub balance: i64,
    /// Per currency, **positive is credit to the customer**; `None` unless expanded, `{}` without any balance.
    pub invoice_credit_balance: Option<BTreeMap<String, i64>>,
    /// `None` unless expanded, or when there is none.
    pub cash_balance: Option<CashBalance>,
    /// Owner's tags.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// `card_…`, `ba_…` or `src_…`.
    #[serde(default, deserialize_with = "id_of")]
    pub default_source: Option<String>,
    /// Default payment method and what else concerns invoices.
    #[serde(default, deserialize_with = "or_default")]
    pub invoice_settings: InvoiceSettings,
    /// Whether the last charge failed.
    pub delinquent: Option<bool>,
    /// The coupon that works on all it is billed (older than subscriptions' own discounts; cannot be set any more).
    pub discount: Option<Discount>,
    /// Test clock, when it belongs to one.
    #[serde(default, deserialize_with = "id_of")]
    pub test_clock: Option<String>,
}

/// Part of [`Customer`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct InvoiceSettings {
    /// `pm_…`
    #[serde(default, deserialize_with = "id_of")]
    pub default_payment_method: Option<String>,
}

impl Listed for Customer {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
