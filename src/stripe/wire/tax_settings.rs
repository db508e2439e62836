use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::or_default;
use crate::stripe::page::Listed;

/// What Stripe Tax assumes where an object says nothing (spec `tax.settings`).
#[derive(Clone, Debug, Deserialize)]
pub struct TaxSettings {
    /// The assumptions.
    pub defaults: TaxDefaults,
    /// `active`: automatic tax can be calculated; `pending`: it is not set up.
    pub status: String,
}

/// Part of [`TaxSettings`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TaxDefaults {
    /// `exclusive`, `inclusive` or `inferred_by_currency`.
    pub tax_behavior: Option<String>,
    /// `txcd_…`
    pub tax_code: Option<String>,
}

/// Where an account is registered to collect tax (spec `tax.registration`).
#[derive(Clone, Debug, Deserialize)]
pub struct TaxRegistration {
    /// `taxreg_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// ISO 3166-1, two letters.
    pub country: String,
    /// By country, lower case.
    #[serde(default, deserialize_with = "or_default")]
    pub country_options: BTreeMap<String, Option<RegistrationOption>>,
    /// `active`, `expired` or `scheduled`.
    pub status: String,
}

/// Part of [`TaxRegistration`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RegistrationOption {
    /// `standard`, `state_sales_tax`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// In countries where states tax.
    pub state: Option<String>,
}

impl Listed for TaxRegistration {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
