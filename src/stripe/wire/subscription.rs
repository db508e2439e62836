use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::common::{id_of, open_enum, or_default, some_id_of};
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

open_enum! {
    /// How bills are collected (spec `subscription.collection_method`).
    CollectionMethod {
        /// By the default method.
        ChargeAutomatically = "charge_automatically",
        /// By mail.
        SendInvoice = "send_invoice",
    }
}

/// A subscription (spec `subscription`). What Stripe always sends is optional here where only the subscriptions stage
/// needs it: that stage says what is missing, and the others read on.
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
    /// Lowercase ISO.
    pub currency: Option<String>,
    /// When it began or was said to, seconds.
    pub start_date: Option<i64>,
    /// When it was over, seconds.
    pub ended_at: Option<i64>,
    /// How bills are collected.
    pub collection_method: Option<CollectionMethod>,
    /// Of `send_invoice`.
    pub days_until_due: Option<i64>,
    /// `pm_…` of its own.
    #[serde(default, deserialize_with = "id_of")]
    pub default_payment_method: Option<String>,
    /// `card_…`, `ba_…` or `src_…` of its own.
    #[serde(default, deserialize_with = "id_of")]
    pub default_source: Option<String>,
    /// Taxes by Stripe.
    pub automatic_tax: Option<AutomaticTax>,
    /// `sub_sched_…` that manages it.
    #[serde(default, deserialize_with = "id_of")]
    pub schedule: Option<String>,
    /// Bills are made and not collected.
    pub pause_collection: Option<PauseCollection>,
    /// How prorations are made.
    pub billing_mode: Option<BillingMode>,
    /// When a bill is made early.
    pub billing_thresholds: Option<IgnoredAny>,
    /// Bills made ahead of their periods.
    #[serde(default, deserialize_with = "or_default")]
    pub billing_schedules: Vec<IgnoredAny>,
    /// Connect.
    pub application_fee_percent: Option<IgnoredAny>,
    /// Connect.
    #[serde(default, deserialize_with = "id_of")]
    pub on_behalf_of: Option<String>,
    /// Connect.
    pub transfer_data: Option<IgnoredAny>,
    /// Who issues its invoices.
    pub invoice_settings: Option<Issued>,
    /// A change that waits for a payment.
    pub pending_update: Option<IgnoredAny>,
    /// Bills for pending items between periods.
    pub pending_invoice_item_interval: Option<IgnoredAny>,
    /// Shown to the customer.
    pub description: Option<String>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

/// Part of [`Subscription`] and of a schedule's phases.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AutomaticTax {
    /// Whether Stripe reckons the taxes.
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
    /// Who is liable.
    pub liability: Option<Party>,
}

/// Part of [`Subscription`] and of a schedule's phases: this account, or a connected one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Party {
    /// `self` or `account`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Part of [`Subscription`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Issued {
    /// `None`: this account.
    pub issuer: Option<Party>,
}

/// Part of [`Subscription`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PauseCollection {
    /// `keep_as_draft`, `mark_uncollectible` or `void`.
    pub behavior: String,
}

/// Part of [`Subscription`] and of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BillingMode {
    /// `classic` or `flexible`.
    #[serde(rename = "type")]
    pub kind: String,
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
    /// Seconds; 0 where it is not said.
    #[serde(default)]
    pub created: i64,
    /// `None`: it has none, as a metered one.
    pub quantity: Option<u64>,
    /// Until when it was billed, seconds, where that is not the end of the period.
    pub billed_until: Option<i64>,
    /// When a bill is made early.
    pub billing_thresholds: Option<IgnoredAny>,
    /// The owner's.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

/// A tax rate, of which only the id is read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRateId {
    /// `txr_…`
    pub id: String,
}

impl<'de> Deserialize<'de> for TaxRateId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self {
            id: some_id_of(from)?,
        })
    }
}

impl Listed for SubscriptionItem {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Listed for Subscription {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
