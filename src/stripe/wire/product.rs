use std::collections::BTreeMap;

use serde::Deserialize;

use super::Decimal;
use super::common::{id_of, or_default};
use crate::stripe::page::Listed;

/// What is sold (spec `product`). The id may be chosen, so it can be the same on both accounts.
#[derive(Clone, Debug, Deserialize)]
pub struct Product {
    /// `prod_…`, or anything the owner chose.
    pub id: String,
    /// Seconds. 0 for a deleted product.
    #[serde(default)]
    pub created: i64,
    /// `None` for a deleted product.
    pub livemode: Option<bool>,
    /// True on the stub that is left of a deleted product.
    #[serde(default)]
    pub deleted: bool,
    /// Whether it can be bought.
    #[serde(default)]
    pub active: bool,
    /// Raw.
    #[serde(default)]
    pub name: String,
    /// Raw.
    pub description: Option<String>,
    /// The price shown first.
    #[serde(default, deserialize_with = "id_of")]
    pub default_price: Option<String>,
    /// Addresses, at most eight.
    #[serde(default, deserialize_with = "or_default")]
    pub images: Vec<String>,
    /// At most fifteen.
    #[serde(default, deserialize_with = "or_default")]
    pub marketing_features: Vec<MarketingFeature>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// Inches and ounces.
    pub package_dimensions: Option<PackageDimensions>,
    /// Whether it is a physical good.
    pub shippable: Option<bool>,
    /// At most 22 characters.
    pub statement_descriptor: Option<String>,
    /// `txcd_…`
    #[serde(default, deserialize_with = "id_of")]
    pub tax_code: Option<String>,
    /// At most twelve characters.
    pub unit_label: Option<String>,
    /// Raw.
    pub url: Option<String>,
}

/// Part of [`Product`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MarketingFeature {
    /// Raw.
    pub name: Option<String>,
}

/// Part of [`Product`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PackageDimensions {
    /// Inches.
    pub height: Decimal,
    /// Inches.
    pub length: Decimal,
    /// Ounces.
    pub weight: Decimal,
    /// Inches.
    pub width: Decimal,
}

impl Listed for Product {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
