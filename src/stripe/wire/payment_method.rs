use serde::Deserialize;

use super::common::id_of;
use crate::stripe::page::Listed;

/// A payment method (spec `payment_method`). Ids differ between accounts even for the same card.
#[derive(Clone, Debug, Deserialize)]
pub struct PaymentMethod {
    /// `pm_…`, or `card_…`, `src_…` for older ones.
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// `card`, `sepa_debit`, …: 57 values and growing, so a string.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose, when attached.
    #[serde(default, deserialize_with = "id_of")]
    pub customer: Option<String>,
    /// Set when `kind` is `card`.
    pub card: Option<Card>,
    /// Mode.
    pub livemode: bool,
}

/// Part of [`PaymentMethod`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Card {
    /// `visa`, `mastercard`, …
    pub brand: String,
    /// Last four digits.
    pub last4: Option<String>,
    /// 1–12.
    pub exp_month: i64,
    /// Four digits.
    pub exp_year: i64,
    /// Only comparable **within** one account.
    pub fingerprint: Option<String>,
}

impl Listed for PaymentMethod {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
