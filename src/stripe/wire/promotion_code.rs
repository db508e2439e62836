use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::{id_of, or_default};
use super::{Customer, Expandable};
use crate::stripe::page::Listed;

/// A promotion code (spec `promotion_code`): what customers type to redeem a coupon. Only `active`, metadata and more
/// currencies can change later.
#[derive(Clone, Debug, Deserialize)]
pub struct PromotionCode {
    /// `promo_…`
    pub id: String,
    /// Seconds.
    #[serde(default)]
    pub created: i64,
    /// Mode.
    pub livemode: bool,
    /// Whether it can be redeemed; of an active one the coupon is valid too.
    pub active: bool,
    /// The text; unique without regard to case among active codes, per customer.
    pub code: String,
    /// What it leads to.
    pub promotion: Promotion,
    /// The one customer who may use it; `None`: everybody.
    pub customer: Option<Expandable<Customer>>,
    /// An account in a customer's place.
    pub customer_account: Option<String>,
    /// How often it may be redeemed; `None`: no limit of its own.
    pub max_redemptions: Option<i64>,
    /// Seconds.
    pub expires_at: Option<i64>,
    /// How often it was redeemed.
    pub times_redeemed: i64,
    /// What a purchase must be like.
    pub restrictions: CodeRestrictions,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
}

impl PromotionCode {
    /// Id of the customer it is for.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        self.customer
            .as_ref()
            .map(|customer| customer.id(|customer| &customer.id))
    }
}

/// Part of [`PromotionCode`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Promotion {
    /// `coupon`
    #[serde(rename = "type")]
    pub kind: String,
    /// The coupon's id.
    #[serde(default, deserialize_with = "id_of")]
    pub coupon: Option<String>,
}

/// Part of [`PromotionCode`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CodeRestrictions {
    /// Only for customers who never paid on this account.
    pub first_time_transaction: bool,
    /// Minor units of `minimum_amount_currency`.
    pub minimum_amount: Option<i64>,
    /// Lowercase ISO.
    pub minimum_amount_currency: Option<String>,
    /// Per currency, its own among them; `None` unless expanded.
    pub currency_options: Option<BTreeMap<String, MinimumOption>>,
}

/// Part of [`CodeRestrictions`]: the same in another currency.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MinimumOption {
    /// Minor units of that currency.
    pub minimum_amount: Option<i64>,
}

impl Listed for PromotionCode {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
