//! What an account sells and by which tax rules: products, prices, tax rates, payment links, tax settings. A catalogue
//! is small, so its objects are plain.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::address::Address;
use super::currency::Cur;
use super::metadata::Metadata;
use super::pages::{Row, Store};

/// Everything an account sells.
#[derive(Clone, Default)]
pub(crate) struct Catalogue {
    pub(crate) products: Store<Product>,
    pub(crate) prices: Store<Price>,
    pub(crate) tax_rates: Store<TaxRate>,
    pub(crate) links: Store<Link>,
    pub(crate) registrations: Store<Registration>,
    pub(crate) tax: TaxSettings,
    /// Billing meters a metered price may name; they have no endpoint here.
    pub(crate) meters: Vec<Box<str>>,
}

/// A decimal number of minor units, or a percentage, as text: digits, and a point only before decimals that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal(Box<str>);

impl Decimal {
    /// Normalises a text that passed the check of parameters: `010.50` is `10.5`.
    pub(crate) fn of(text: &str) -> Self {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let (whole, rest) = (whole.trim_start_matches('0'), rest.trim_end_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        Self(if rest.is_empty() {
            whole.into()
        } else {
            format!("{whole}.{rest}").into()
        })
    }

    /// The number, when it has no decimals.
    pub(crate) fn integer(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A product.
#[derive(Clone)]
pub(crate) struct Product {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: bool,
    pub(crate) active: bool,
    pub(crate) name: Box<str>,
    pub(crate) default_price: Option<Box<str>>,
    pub(crate) metadata: Metadata,
    /// Fields nothing here reads, as the API shows them.
    pub(crate) rest: Map<String, Value>,
}

impl Row for Product {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
    fn listed(&self) -> bool {
        !self.deleted
    }
}

/// What one currency of a price costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// Minor units for one; `None` when tiered or chosen by the customer.
    pub(crate) unit: Option<Decimal>,
    pub(crate) custom: Option<Custom>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) tax_behavior: &'static str,
}

/// Bounds of an amount the customer chooses, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Custom {
    pub(crate) minimum: Option<i64>,
    pub(crate) maximum: Option<i64>,
    pub(crate) preset: Option<i64>,
}

/// A tier of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tier {
    /// The last quantity in it; `None`: without end.
    pub(crate) up_to: Option<i64>,
    pub(crate) flat: Option<Decimal>,
    pub(crate) unit: Option<Decimal>,
}

/// How often a price is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recurring {
    pub(crate) interval: &'static str,
    pub(crate) count: i64,
    pub(crate) meter: Option<Box<str>>,
    pub(crate) metered: bool,
}

/// A price.
#[derive(Clone)]
pub(crate) struct Price {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) active: bool,
    /// Made with a subscription instead of by itself: no list shows it.
    pub(crate) inline: bool,
    pub(crate) product: Box<str>,
    pub(crate) currency: Cur,
    pub(crate) base: Amounts,
    /// Other currencies.
    pub(crate) options: BTreeMap<Cur, Amounts>,
    /// `graduated` or `volume`, when tiered.
    pub(crate) tiers_mode: Option<&'static str>,
    /// `divide_by` and `round`.
    pub(crate) transform: Option<(i64, &'static str)>,
    pub(crate) recurring: Option<Recurring>,
    pub(crate) lookup_key: Option<Box<str>>,
    pub(crate) nickname: Option<Box<str>>,
    pub(crate) metadata: Metadata,
}

impl Row for Price {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A tax rate.
#[derive(Clone)]
pub(crate) struct TaxRate {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) active: bool,
    pub(crate) inclusive: bool,
    pub(crate) percentage: Decimal,
    pub(crate) metadata: Metadata,
    /// Fields nothing here reads, as the API shows them.
    pub(crate) rest: Map<String, Value>,
}

impl Row for TaxRate {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A payment link: made by the world alone.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) active: bool,
    /// Price slots and quantities.
    pub(crate) items: Vec<(u32, i64)>,
}

impl Row for Link {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A tax registration: made by the world alone.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) country: &'static str,
    /// Empty, or the state of a country that taxes by state.
    pub(crate) state: &'static str,
    pub(crate) expires_at: Option<i64>,
}

impl Row for Registration {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// Settings of tax calculation; an account that never set it up has none.
#[derive(Clone, Default)]
pub(crate) struct TaxSettings {
    pub(crate) behavior: Option<Box<str>>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) office: Option<Address>,
}

impl Catalogue {
    /// The price that holds a lookup key, active or not.
    pub(crate) fn holder(&self, lookup_key: &str) -> Option<&Price> {
        self.prices
            .rows()
            .iter()
            .find(|p| p.lookup_key.as_deref() == Some(lookup_key))
    }

    /// A product that is not deleted.
    pub(crate) fn product(&self, id: &str) -> Option<&Product> {
        self.products.get(id).filter(|p| !p.deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_every_digit_that_counts_and_no_other() {
        for (given, kept, integer) in [
            ("010.50", "10.5", None),
            ("1000.000", "1000", Some(1000)),
            ("0.000000000001", "0.000000000001", None),
            ("00", "0", Some(0)),
            ("0.5", "0.5", None),
        ] {
            let decimal = Decimal::of(given);
            assert_eq!((decimal.as_str(), decimal.integer()), (kept, integer), "{given}");
        }
    }
}
