use std::collections::BTreeMap;

use serde::Deserialize;

use super::Decimal;
use super::common::{open_enum, or_default};
use crate::stripe::page::Listed;

open_enum! {
    /// How long a coupon discounts (spec `coupon.duration`).
    CouponDuration {
        /// One invoice.
        Once = "once",
        /// A number of months.
        Repeating = "repeating",
        /// Always.
        Forever = "forever",
    }
}

/// A coupon (spec `coupon`). The id can be chosen; only name, metadata and more currencies can change later. `applies_to`
/// and `currency_options` are hidden unless expanded: without them a coupon looks wider than it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Coupon {
    /// The owner's word, or eight characters.
    pub id: String,
    /// Seconds.
    #[serde(default)]
    pub created: i64,
    /// Mode.
    pub livemode: bool,
    /// Minor units of `currency`.
    pub amount_off: Option<i64>,
    /// Percent, 0.01 to 100.
    pub percent_off: Option<Decimal>,
    /// Lowercase ISO, with `amount_off`.
    pub currency: Option<String>,
    /// Per currency, its own among them; `None` unless expanded.
    pub currency_options: Option<BTreeMap<String, CouponOption>>,
    /// How long.
    pub duration: CouponDuration,
    /// Of a repeating one.
    pub duration_in_months: Option<i64>,
    /// How often it may be redeemed in all; `None`: no limit.
    pub max_redemptions: Option<i64>,
    /// Seconds.
    pub redeem_by: Option<i64>,
    /// How often it was redeemed.
    pub times_redeemed: i64,
    /// Whether it can still be redeemed.
    pub valid: bool,
    /// `None`: everything, or not expanded.
    pub applies_to: Option<AppliesTo>,
    /// On invoices.
    pub name: Option<String>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

/// Part of [`Coupon`]: the same in another currency.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CouponOption {
    /// Minor units of that currency.
    pub amount_off: i64,
}

/// Part of [`Coupon`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AppliesTo {
    /// `prod_…`
    pub products: Vec<String>,
}

impl Listed for Coupon {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
