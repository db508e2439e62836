//! What the stage knows: subscriptions of the old account, what the new one has for them, and what rows refer to there.
//! PURE data; `gather` fills it from list pages, the plan reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::money::{Currency, Money};
use crate::domain::text::Safe;
pub use crate::stages::Read;

/// Metadata key of the toolkit's page for the old subscription's id.
pub const OLD_ID: &str = "old_Stripe_sub_id";
/// Metadata key on a stopped old subscription: its handover, seconds.
pub const HANDOVER: &str = "cutover_handover";
/// Metadata key on a stopped old subscription: the schedule that goes on.
pub const BECAME: &str = "cutover_became";

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In force.
    Active,
    /// In a trial.
    Trialing,
    /// A payment failed and is tried again.
    PastDue,
    /// Payments failed and are not tried again.
    Unpaid,
    /// A trial ended without a payment method.
    Paused,
    /// The first payment is pending.
    Incomplete,
    /// Over for good (`canceled`, `incomplete_expired`).
    Ended,
    /// A word this program does not know: blocked, never guessed.
    Other,
}

/// How often something bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// `recurring` of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rhythm {
    /// `interval`.
    pub interval: Interval,
    /// `interval_count`, at least 1.
    pub every: u32,
}

/// A price as an item of a subscription, or a list of the new account, shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// `price_…`
    pub id: String,
    /// `prod_…`
    pub product: String,
    /// `None`: not recurring.
    pub rhythm: Option<Rhythm>,
    /// `active`.
    pub active: bool,
    /// `recurring.usage_type` is `metered`, or there is a meter.
    pub metered: bool,
    /// `unit_amount_decimal` in minor units by currency, the price's own and its options'; digits as Stripe sends them.
    /// Not there for a tiered price, or one with `custom_unit_amount`.
    pub unit: BTreeMap<Currency, String>,
    /// Its own currency.
    pub currency: Currency,
    /// `billing_scheme` is `tiered`, or quantities are transformed: arithmetic cannot say what it costs.
    pub by_steps: bool,
    /// `tax_behavior`: `inclusive`, `exclusive`, `unspecified`.
    pub tax_behavior: String,
}

/// What a discount takes off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Off {
    /// `percent_off`, digits as Stripe sends them.
    Percent(String),
    /// `amount_off` by currency.
    Amount(BTreeMap<Currency, i64>),
    /// It is for some products only, or not shown: arithmetic cannot say.
    Unknown,
}

/// A discount that works on an old subscription, an item of it, or through its customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// `di_…`
    pub id: String,
    /// The old coupon.
    pub coupon: String,
    /// `end`, seconds; a bill at or after it has no discount any more.
    pub end: Option<i64>,
    /// What it takes off.
    pub off: Off,
    /// It stands on the customer.
    pub on_customer: bool,
}

/// An item of an old subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// `si_…`
    pub id: String,
    /// Its price.
    pub price: Price,
    /// `None`: it has none (metered).
    pub quantity: Option<u64>,
    /// Current period, seconds.
    pub period: (i64, i64),
    /// Of this item alone.
    pub discounts: Vec<Discount>,
    /// Of this item alone, `txr_…`.
    pub tax_rates: Vec<String>,
    /// It has `billing_thresholds`.
    pub thresholds: bool,
    /// Its metadata; goes with the API route only.
    pub metadata: BTreeMap<String, String>,
}

/// How bills are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// `charge_automatically`
    Automatic,
    /// `send_invoice`, with `days_until_due`.
    Invoice(u32),
}

/// A phase of a schedule, on either account, ids of that account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Seconds.
    pub start: i64,
    /// Seconds; `None`: the last one, open.
    pub end: Option<i64>,
    /// What is sold, in order.
    pub items: Vec<PhaseItem>,
    /// Coupons on all of it.
    pub coupons: Vec<String>,
    /// `default_tax_rates`.
    pub tax_rates: Vec<String>,
    /// `automatic_tax.enabled`
    pub automatic_tax: bool,
    /// How it is collected; `None`: as the schedule's default says.
    pub collection: Option<Collection>,
    /// `default_payment_method`
    pub method: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// It says something this program does not carry over (add-on invoice items, transfers, a trial, thresholds): what.
    pub beyond: Option<String>,
}

/// Part of [`Phase`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseItem {
    /// `price_…`
    pub price: String,
    /// `None`: none.
    pub quantity: Option<u64>,
    /// Coupons on this item.
    pub coupons: Vec<String>,
    /// Of this item.
    pub tax_rates: Vec<String>,
}

/// A subscription of the old account whose customer is in scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a field of Stripe's, and they are independent"
)]
pub struct Old {
    /// `sub_…`
    pub id: String,
    /// `cus_…`
    pub customer: String,
    /// Where it stands.
    pub status: Status,
    /// Currency of its bills.
    pub currency: Currency,
    /// `start_date`, seconds.
    pub started: i64,
    /// `billing_cycle_anchor`, seconds.
    pub anchor: i64,
    /// `trial_end`, seconds; may lie behind.
    pub trial_end: Option<i64>,
    /// `cancel_at`, seconds.
    pub cancel_at: Option<i64>,
    /// `cancel_at_period_end`
    pub ends_with_period: bool,
    /// `ended_at`, seconds.
    pub ended_at: Option<i64>,
    /// How bills are collected.
    pub collection: Collection,
    /// Items.
    pub items: Vec<Item>,
    /// Its answer did not hold all of them, and they could not be read.
    pub items_cut: bool,
    /// Of the whole subscription.
    pub discounts: Vec<Discount>,
    /// `default_tax_rates`, `txr_…`.
    pub tax_rates: Vec<String>,
    /// `automatic_tax.enabled`
    pub automatic_tax: bool,
    /// `default_payment_method` or `default_source` of its own.
    pub method: Option<String>,
    /// The schedule that manages it.
    pub schedule: Option<String>,
    /// `pause_collection.behavior`.
    pub pause: Option<String>,
    /// `billing_mode.type` is `flexible`.
    pub flexible: bool,
    /// `billing_thresholds` of its own.
    pub thresholds: bool,
    /// `application_fee_percent`, `on_behalf_of` or `transfer_data`.
    pub connect: bool,
    /// `pending_update`
    pub pending_update: bool,
    /// `pending_invoice_item_interval`
    pub pending_items: bool,
    /// `description`
    pub description: Option<String>,
    /// Its metadata, ours included.
    pub metadata: BTreeMap<String, String>,
    /// The answer that listed it.
    pub read: Read,
}

impl Old {
    /// End of the current period: of the first item's, which [`Old::one_period`] says stands for all.
    #[must_use]
    pub fn period_end(&self) -> Option<i64> {
        self.items.first().map(|item| item.period.1)
    }

    /// Whether all items share one rhythm and one period.
    #[must_use]
    pub fn one_period(&self) -> bool {
        let mut of = self.items.iter().map(|item| (item.price.rhythm, item.period));
        let first = of.next();
        of.all(|other| Some(other) == first)
    }

    /// The handover this program stopped it for, if it did.
    #[must_use]
    pub fn stopped_for(&self) -> Option<i64> {
        self.metadata.get(HANDOVER)?.parse().ok()
    }
}

/// What the new account has for an old subscription: a schedule, or what became of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// `sub_sched_…`; `None` for a subscription that no schedule manages any more.
    pub schedule: Option<String>,
    /// `sub_…`, once it has begun.
    pub subscription: Option<String>,
    /// The old subscription.
    pub of: String,
    /// `cus_…`
    pub customer: String,
    /// Whether it has begun: the schedule is active, released or completed.
    pub begun: bool,
    /// `created`, seconds.
    pub created: i64,
    /// Start of its first phase, or of the subscription, seconds.
    pub start: i64,
    /// What it sells; of a subscription one open phase as it is now.
    pub phases: Vec<Phase>,
    /// `end_behavior` is `cancel`, or the subscription ends with its period.
    pub ends: bool,
    /// `metadata[cutover_effect]`: ours by the API.
    pub effect: Option<String>,
    /// The answer that listed it.
    pub read: Read,
}

/// A customer in scope who has a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a field of Stripe's, and they are independent"
)]
pub struct Person {
    /// Name or e-mail.
    pub label: Safe,
    /// Default method or source on the old account.
    pub old_default: Option<String>,
    /// On the new account.
    pub arrived: bool,
    /// A default method or source there.
    pub default_there: bool,
    /// An e-mail address there.
    pub email_there: bool,
    /// An address or postal code there, as automatic tax needs it.
    pub address_there: bool,
    /// The currency the customer is locked to there.
    pub currency_there: Option<Currency>,
}

/// A tax rate of the new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// `active`
    pub active: bool,
    /// `inclusive`
    pub inclusive: bool,
}

/// A coupon of the new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    /// `valid`
    pub valid: bool,
    /// What it takes off.
    pub off: Off,
    /// `duration` is `once`.
    pub once: bool,
    /// `duration_in_months`; `None`: once or forever.
    pub months: Option<u32>,
}

/// What Stripe says the first bill of the new subscription will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preview {
    /// Subtotal after discounts and without tax, and the total.
    Says {
        /// `total_excluding_tax`
        without_tax: Money,
        /// `total`
        total: Money,
    },
    /// Stripe refused to say; its words.
    Refused(String),
}

/// Everything the plan rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// Subscriptions of customers in scope that have not ended, and ended ones that have a twin, by id.
    pub old: BTreeMap<String, Old>,
    /// Old schedules that manage one of them, by id: phases, ids of the old account.
    pub old_schedules: BTreeMap<String, Vec<Phase>>,
    /// By old subscription, oldest first; cancelled ones are not here.
    pub twins: BTreeMap<String, Vec<Twin>>,
    /// Customers in scope, by id.
    pub people: BTreeMap<String, Person>,
    /// Recurring prices of the new account, by id.
    pub prices: BTreeMap<String, Price>,
    /// Tax rates of the new account, by id.
    pub tax_rates: BTreeMap<String, TaxRate>,
    /// Coupons of the new account, by id.
    pub coupons: BTreeMap<String, Coupon>,
    /// What Stripe says, by old subscription; not every one was asked for.
    pub previews: BTreeMap<String, Preview>,
    /// Subscriptions of customers out of scope, by customer's currency of bills: counted with their money, never touched.
    pub staying: BTreeMap<Currency, (u64, i64)>,
    /// Ids of subscriptions whose twin's customer is out of scope or unknown: a finding.
    pub strays: BTreeSet<String>,
    /// When it was read, seconds.
    pub now: i64,
    /// e of the stage's page, seconds.
    pub earliest: i64,
    /// End of the settlement window, seconds.
    pub window_ends: i64,
}
