use serde::Deserialize;

use super::common::{open_enum, or_default, some_id_of};
use super::{Discount, Expandable, List, Price};
use crate::stripe::page::Listed;

open_enum! {
    /// Where a subscription stands (spec `subscription.status`).
    SubscriptionStatus {
        /// In force.
        Active = "active",
        /// Over for good.
        Canceled = "canceled",
        /// The first payment is pending.
        Incomplete = "incomplete",
        /// The first payment never came.
        IncompleteExpired = "incomplete_expired",
        /// A payment failed and is tried again.
        PastDue = "past_due",
        /// A trial ended without a payment method.
        Paused = "paused",
        /// In a trial.
        Trialing = "trialing",
        /// Payments failed and are not tried again.
        Unpaid = "unpaid",
    }
}

impl SubscriptionStatus {
    /// Whether it is, or may again be, in force. A status this program does not know counts as in force.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

/// A subscription (spec `subscription`), as far as catalogue and discounts are concerned.
#[derive(Clone, Debug, Deserialize)]
pub struct Subscription {
    /// `sub_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// Mode.
    pub livemode: bool,
    /// Whose.
    #[serde(deserialize_with = "some_id_of")]
    pub customer: String,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// What every bill's date goes by, seconds.
    pub billing_cycle_anchor: Option<i64>,
    /// When it ends by itself, seconds.
    pub cancel_at: Option<i64>,
    /// Whether it ends with the current period.
    #[serde(default, deserialize_with = "or_default")]
    pub cancel_at_period_end: bool,
    /// End of the trial, seconds.
    pub trial_end: Option<i64>,
    /// What works on all of it; ids unless expanded.
    #[serde(default, deserialize_with = "or_default")]
    pub discounts: Vec<Expandable<Discount>>,
    /// What is subscribed; the first page of it.
    pub items: List<SubscriptionItem>,
    /// Taxes set by hand, for items without their own.
    #[serde(default, deserialize_with = "or_default")]
    pub default_tax_rates: Vec<TaxRateId>,
}

/// Part of [`Subscription`].
#[derive(Clone, Debug, Deserialize)]
pub struct SubscriptionItem {
    /// `si_…`
    pub id: String,
    /// The whole price, without tiers and other currencies.
    pub price: Price,
    /// Seconds.
    pub current_period_start: Option<i64>,
    /// Seconds.
    pub current_period_end: Option<i64>,
    /// What works on this item alone; ids unless expanded.
    #[serde(default, deserialize_with = "or_default")]
    pub discounts: Vec<Expandable<Discount>>,
    /// Taxes set by hand.
    #[serde(default, deserialize_with = "or_default")]
    pub tax_rates: Vec<TaxRateId>,
}

/// A tax rate, of which only the id is read here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TaxRateId {
    /// `txr_…`
    pub id: String,
}

impl Listed for Subscription {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
