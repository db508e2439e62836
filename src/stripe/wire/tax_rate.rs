use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Decimal;
use super::common::or_default;
use crate::stripe::page::Listed;

/// A tax set by hand (spec `tax_rate`). Percentage and kind never change.
#[derive(Clone, Debug, Deserialize)]
pub struct TaxRate {
    /// `txr_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// Mode.
    pub livemode: bool,
    /// Whether it can be used for something new.
    pub active: bool,
    /// ISO 3166-1, two letters.
    pub country: Option<String>,
    /// Raw; not shown to customers.
    pub description: Option<String>,
    /// Raw; shown to customers.
    pub display_name: String,
    /// Set for a tax that is an amount rather than a percentage, which cannot be created through the API.
    pub flat_amount: Option<IgnoredAny>,
    /// Whether the amount it applies to contains it.
    pub inclusive: bool,
    /// Raw.
    pub jurisdiction: Option<String>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// Out of a hundred.
    pub percentage: Decimal,
    /// ISO 3166-2, without the country.
    pub state: Option<String>,
    /// `gst`, `sales_tax`, …
    pub tax_type: Option<String>,
}

impl Listed for TaxRate {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
