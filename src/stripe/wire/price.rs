use std::collections::BTreeMap;

use serde::Deserialize;

use super::Decimal;
use super::common::{or_default, some_id_of};
use crate::stripe::page::Listed;

/// What it costs (spec `price`). The id cannot be chosen; amounts, currency, recurrence and product never change.
#[derive(Clone, Debug, Deserialize)]
pub struct Price {
    /// `price_…`, or the id of a legacy plan.
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// Mode.
    pub livemode: bool,
    /// Whether it can be used for something new.
    pub active: bool,
    /// `per_unit` or `tiered`.
    pub billing_scheme: String,
    /// Lowercase ISO.
    pub currency: String,
    /// Per currency, its own among them; `None` unless expanded.
    pub currency_options: Option<BTreeMap<String, CurrencyOption>>,
    /// Set when the buyer chooses the amount.
    pub custom_unit_amount: Option<CustomUnitAmount>,
    /// Unique among the account's prices.
    pub lookup_key: Option<String>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// Raw.
    pub nickname: Option<String>,
    /// Whose.
    #[serde(deserialize_with = "some_id_of")]
    pub product: String,
    /// `None` for a one-time price.
    pub recurring: Option<Recurring>,
    /// `exclusive`, `inclusive` or `unspecified`.
    pub tax_behavior: Option<String>,
    /// `None` unless expanded, and for prices without tiers.
    pub tiers: Option<Vec<Tier>>,
    /// `graduated` or `volume`.
    pub tiers_mode: Option<String>,
    /// A change of the quantity before it is multiplied.
    pub transform_quantity: Option<TransformQuantity>,
    /// Minor units; `None` where there are fractions of them, or tiers.
    pub unit_amount: Option<i64>,
    /// Minor units with up to twelve decimal places.
    pub unit_amount_decimal: Option<Decimal>,
}

/// Part of [`Price`]: the same in another currency.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CurrencyOption {
    /// Set when the buyer chooses the amount.
    pub custom_unit_amount: Option<CustomUnitAmount>,
    /// As for the price.
    pub tax_behavior: Option<String>,
    /// `None` unless expanded by the currency's name.
    pub tiers: Option<Vec<Tier>>,
    /// Minor units of that currency.
    pub unit_amount: Option<i64>,
    /// Minor units with decimal places.
    pub unit_amount_decimal: Option<Decimal>,
}

/// Part of [`Price`]: "pay what you want".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CustomUnitAmount {
    /// Minor units.
    pub maximum: Option<i64>,
    /// Minor units.
    pub minimum: Option<i64>,
    /// Minor units.
    pub preset: Option<i64>,
}

/// Part of [`Price`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recurring {
    /// `day`, `week`, `month` or `year`.
    pub interval: String,
    /// How many of them.
    pub interval_count: i64,
    /// The meter of a metered price.
    pub meter: Option<String>,
    /// `licensed` or `metered`.
    pub usage_type: String,
}

/// Part of [`Price`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tier {
    /// Minor units, for the whole tier.
    pub flat_amount: Option<i64>,
    /// The same with decimal places.
    pub flat_amount_decimal: Option<Decimal>,
    /// Minor units, for each.
    pub unit_amount: Option<i64>,
    /// The same with decimal places.
    pub unit_amount_decimal: Option<Decimal>,
    /// The last quantity of the tier; `None` for the last tier.
    pub up_to: Option<i64>,
}

/// Part of [`Price`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TransformQuantity {
    /// Divisor.
    pub divide_by: i64,
    /// `up` or `down`.
    pub round: String,
}

impl Listed for Price {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
