use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::common::{id_of, open_enum, or_default, some_id_of};
use super::subscription::{AutomaticTax, BillingMode, CollectionMethod, Party, TaxRateId};
use super::{Discount, Expandable, PromotionCode};
use crate::stripe::page::Listed;

open_enum! {
    /// Where a schedule stands (spec `subscription_schedule.status`).
    ScheduleStatus {
        /// Nothing of it has begun.
        NotStarted = "not_started",
        /// It manages a subscription.
        Active = "active",
        /// Over.
        Completed = "completed",
        /// It let go of its subscription, which goes on.
        Released = "released",
        /// Taken back.
        Canceled = "canceled",
    }
}

/// A subscription to be, or one with changes to come (spec `subscription_schedule`).
#[derive(Clone, Debug, Deserialize)]
pub struct Schedule {
    /// `sub_sched_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// Mode.
    pub livemode: bool,
    /// Whose.
    #[serde(deserialize_with = "some_id_of")]
    pub customer: String,
    /// Where it stands.
    pub status: ScheduleStatus,
    /// `sub_…` it manages.
    #[serde(default, deserialize_with = "id_of")]
    pub subscription: Option<String>,
    /// `sub_…` it let go of.
    pub released_subscription: Option<String>,
    /// In order.
    #[serde(default, deserialize_with = "or_default")]
    pub phases: Vec<SchedulePhase>,
    /// For what a phase does not say.
    #[serde(default, deserialize_with = "or_default")]
    pub default_settings: ScheduleDefaults,
    /// `release`, `cancel`, `none` or `renew`.
    #[serde(default, deserialize_with = "or_default")]
    pub end_behavior: String,
    /// How prorations are made.
    pub billing_mode: Option<BillingMode>,
    /// Our markers among others; its subscription gets those of the phase.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

/// Part of [`Schedule`].
#[derive(Clone, Debug, Deserialize)]
pub struct SchedulePhase {
    /// Seconds.
    pub start_date: i64,
    /// Seconds. Always there, for the last phase too.
    pub end_date: Option<i64>,
    /// What is sold.
    #[serde(default, deserialize_with = "or_default")]
    pub items: Vec<ScheduleItem>,
    /// On all of it.
    #[serde(default, deserialize_with = "or_default")]
    pub discounts: Vec<ScheduleDiscount>,
    /// Taxes set by hand, for items without their own.
    #[serde(default, deserialize_with = "or_default")]
    pub default_tax_rates: Vec<TaxRateId>,
    /// Taxes by Stripe.
    pub automatic_tax: Option<AutomaticTax>,
    /// How bills are collected.
    pub collection_method: Option<CollectionMethod>,
    /// Days to pay, and who issues.
    pub invoice_settings: Option<ScheduleInvoices>,
    /// `pm_…`
    #[serde(default, deserialize_with = "id_of")]
    pub default_payment_method: Option<String>,
    /// Lowercase ISO.
    pub currency: Option<String>,
    /// Billed once when the phase begins.
    #[serde(default, deserialize_with = "or_default")]
    pub add_invoice_items: Vec<IgnoredAny>,
    /// Connect.
    pub application_fee_percent: Option<IgnoredAny>,
    /// Connect.
    #[serde(default, deserialize_with = "id_of")]
    pub on_behalf_of: Option<String>,
    /// Connect.
    pub transfer_data: Option<IgnoredAny>,
    /// `automatic` or `phase_start`.
    pub billing_cycle_anchor: Option<String>,
    /// When a bill is made early.
    pub billing_thresholds: Option<IgnoredAny>,
    /// The whole phase is a trial.
    #[serde(default, deserialize_with = "or_default")]
    pub trial: bool,
    /// End of a trial within the phase, seconds.
    pub trial_end: Option<i64>,
    /// Shown to the customer.
    pub description: Option<String>,
    /// What the subscription gets when the phase begins.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

/// Part of [`SchedulePhase`].
#[derive(Clone, Debug, Deserialize)]
pub struct ScheduleItem {
    /// `price_…`
    #[serde(deserialize_with = "some_id_of")]
    pub price: String,
    /// `None`: none.
    pub quantity: Option<u64>,
    /// On this item alone.
    #[serde(default, deserialize_with = "or_default")]
    pub discounts: Vec<ScheduleDiscount>,
    /// Of this item alone.
    #[serde(default, deserialize_with = "or_default")]
    pub tax_rates: Vec<TaxRateId>,
    /// When a bill is made early.
    pub billing_thresholds: Option<IgnoredAny>,
    /// The owner's.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

/// Part of [`SchedulePhase`]: a discount to be made of a coupon or a code, or one that is running.
#[derive(Clone, Debug, Deserialize)]
pub struct ScheduleDiscount {
    /// The owner's word.
    #[serde(default, deserialize_with = "id_of")]
    pub coupon: Option<String>,
    /// `di_…`; whole where it was expanded.
    pub discount: Option<Expandable<Discount>>,
    /// `promo_…`; whole where it was expanded.
    pub promotion_code: Option<Expandable<PromotionCode>>,
}

/// Part of [`Schedule`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ScheduleDefaults {
    /// Taxes by Stripe.
    pub automatic_tax: Option<AutomaticTax>,
    /// How bills are collected.
    pub collection_method: Option<CollectionMethod>,
    /// Days to pay, and who issues.
    pub invoice_settings: Option<ScheduleInvoices>,
    /// `pm_…`
    #[serde(default, deserialize_with = "id_of")]
    pub default_payment_method: Option<String>,
    /// Connect.
    pub application_fee_percent: Option<IgnoredAny>,
    /// Connect.
    #[serde(default, deserialize_with = "id_of")]
    pub on_behalf_of: Option<String>,
    /// Connect.
    pub transfer_data: Option<IgnoredAny>,
    /// When a bill is made early.
    pub billing_thresholds: Option<IgnoredAny>,
    /// Shown to the customer.
    pub description: Option<String>,
}

/// Part of [`SchedulePhase`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ScheduleInvoices {
    /// Of `send_invoice`.
    pub days_until_due: Option<i64>,
    /// `None`: this account.
    pub issuer: Option<Party>,
}

impl Listed for Schedule {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
