//! What the stage knows: coupons and codes of both accounts, who the codes are for, and the discounts that are running.
//! PURE data; `gather` fills it from list pages, the plan reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::fields::Fields;
use crate::domain::text::Safe;
pub use crate::stages::Read;

/// A limit and what was taken of it. Numbers of Stripe's, never negative there; one that is makes the row a person's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// `max_redemptions`; `None`: no limit.
    pub limit: Option<i64>,
    /// `times_redeemed`.
    pub used: i64,
}

/// A coupon of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    /// Id.
    pub id: String,
    /// Name, which customers see on invoices.
    pub label: Safe,
    /// Limit and uses.
    pub counter: Counter,
    /// `redeem_by`, seconds.
    pub redeem_by: Option<i64>,
    /// `valid`.
    pub valid: bool,
    /// Everything that can be set when it is created, but for `id` and the limit; products as on its own account.
    pub terms: Fields,
    /// `applies_to.products`; empty: everything.
    pub products: Vec<String>,
    /// What it takes off, in short: `25 % once`, `10.00 USD for 3 months`.
    pub words: String,
    /// Why it cannot be copied: rule and sentence (a shape this program does not know).
    pub trouble: Option<(String, String)>,
    /// `metadata[cutover_effect]`.
    pub effect: Option<String>,
    /// Metadata keys that are not ours.
    pub own_keys: usize,
    /// The answer that listed it.
    pub read: Read,
}

/// A promotion code of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// `promo_…`
    pub id: String,
    /// The text customers type.
    pub text: String,
    /// The coupon it redeems.
    pub coupon: String,
    /// The one customer who may use it; `None`: everybody.
    pub customer: Option<String>,
    /// `active`.
    pub active: bool,
    /// Limit and uses.
    pub counter: Counter,
    /// `expires_at`, seconds.
    pub expires_at: Option<i64>,
    /// Everything that can be set when it is created, but for coupon, customer, `active` and the limit.
    pub terms: Fields,
    /// `restrictions.first_time_transaction`.
    pub first_time: bool,
    /// Why it cannot be copied: rule and sentence.
    pub trouble: Option<(String, String)>,
    /// `metadata[cutover_effect]`.
    pub effect: Option<String>,
    /// `metadata[cutover_of]`.
    pub of: Option<String>,
    /// Metadata keys that are not ours.
    pub own_keys: usize,
    /// The answer that listed it.
    pub read: Read,
}

/// Who one customer of the old account is to this stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Person {
    /// In scope, and on the new account.
    Mover {
        /// Name or e-mail.
        label: Safe,
    },
    /// In scope, and not on the new account.
    Absent {
        /// Name or e-mail.
        label: Safe,
        /// In region, without a payment method.
        no_method: bool,
    },
    /// Deleted: nobody can use its codes any more.
    Deleted,
    /// Out of scope.
    Stayer,
}

/// How often a subscription bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// How long a coupon discounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duration {
    /// The next invoice.
    Once,
    /// A number of months.
    Repeating,
    /// Always.
    Forever,
}

/// The bills of a subscription from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bills {
    /// `billing_cycle_anchor`, seconds: the day of the month every bill falls on, where the month has it.
    pub anchor: i64,
    /// Start of the current period, seconds.
    pub period_start: i64,
    /// End of the current period, or of the trial, seconds: the first bill on the new account.
    pub next: i64,
    /// When it ends by itself (`cancel_at`, or `cancel_at_period_end`), seconds.
    pub ends: Option<i64>,
    /// `recurring.interval` of its prices.
    pub interval: Interval,
    /// `recurring.interval_count`.
    pub every: u32,
}

/// A discount that is running for a customer in scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// `di_…`
    pub id: String,
    /// The coupon it came of; it may be deleted by now, so its terms are kept here.
    pub coupon: String,
    /// The coupon's terms as they stood in the discount, as [`Coupon::terms`].
    pub terms: Fields,
    /// `applies_to.products` of the coupon; `None` where neither the list nor the discount says.
    pub products: Option<Vec<String>>,
    /// Length of the coupon.
    pub duration: Duration,
    /// `start`, seconds.
    pub start: i64,
    /// `end`, seconds.
    pub end: Option<i64>,
    /// The customer.
    pub customer: String,
    /// Name or e-mail.
    pub label: Safe,
    /// The subscription it works on; `None`: a customer's discount, and the customer has no live subscription.
    pub subscription: Option<String>,
    /// The item of the subscription, where it is an item's.
    pub item: Option<String>,
    /// Whether it stands on the customer and not on the subscription.
    pub on_customer: bool,
    /// The bills of that subscription; `None` where they cannot be told (mixed intervals, unknown words).
    pub bills: Option<Bills>,
    /// How many discounts work on that subscription.
    pub beside: usize,
    /// The answer that showed it.
    pub read: Read,
}

/// One account's coupons and codes, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawer {
    /// Coupons.
    pub coupons: BTreeMap<String, Coupon>,
    /// Codes.
    pub codes: BTreeMap<String, Code>,
}

/// Everything the plan rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The old account.
    pub source: Drawer,
    /// The new account.
    pub destination: Drawer,
    /// Customers of the old account who have a code or a running discount. One that is not here is out of scope.
    pub people: BTreeMap<String, Person>,
    /// Discounts that are running for customers in scope.
    pub running: Vec<Running>,
    /// When it was read, seconds: what has expired is measured against this.
    pub now: i64,
}
