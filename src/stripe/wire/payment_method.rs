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
    /// Set when `kind` is `us_bank_account`.
    pub us_bank_account: Option<Bank>,
    /// Set when `kind` is `sepa_debit`.
    pub sepa_debit: Option<Bank>,
    /// Set when `kind` is `au_becs_debit`.
    pub au_becs_debit: Option<Bank>,
    /// Set when `kind` is `bacs_debit`.
    pub bacs_debit: Option<Bank>,
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
    /// Set when the card lives in a wallet.
    pub wallet: Option<Wallet>,
}

/// Part of [`Card`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Wallet {
    /// `apple_pay`, `google_pay`, `link`, …
    #[serde(rename = "type")]
    pub kind: String,
}

/// What a bank debit method shows of its account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Bank {
    /// Last four digits.
    pub last4: Option<String>,
}

impl PaymentMethod {
    /// Last four digits of whatever it is.
    #[must_use]
    pub fn last4(&self) -> Option<&str> {
        let bank = [
            &self.us_bank_account,
            &self.sepa_debit,
            &self.au_becs_debit,
            &self.bacs_debit,
        ];
        let card = self.card.as_ref().and_then(|card| card.last4.as_deref());
        card.or_else(|| bank.into_iter().flatten().find_map(|bank| bank.last4.as_deref()))
    }
}

impl Listed for PaymentMethod {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
