//! The writes of the catalogue, as data: what is sent, and what a row keeps for its script and its audit. PURE.

use serde::{Deserialize, Serialize};

use super::facts::{Item, Kind};
use super::fields::Fields;
use crate::domain::ids::{Accounts, EffectId, Role, StageId};
use crate::domain::write::{Method, PlannedWrite, When, marker, place_of};
use crate::stripe::allow::path;

/// Creates a product under its old id.
pub const CREATE_PRODUCT: &str = "create_product";
/// Creates a price, which gets a new id.
pub const CREATE_PRICE: &str = "create_price";
/// Creates a tax rate, which gets a new id.
pub const CREATE_TAX_RATE: &str = "create_tax_rate";
/// Sets the default price of a product.
pub const SET_DEFAULT_PRICE: &str = "set_default_price";

/// Metadata keys an owner may have besides our four: Stripe allows fifty (facts 2.2).
pub const MOST_OWN_KEYS: usize = 46;

/// What the stage keeps in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// What the row is about.
    pub kind: Kind,
    /// The id on the old account; of a default price, that price's.
    pub old: String,
    /// The product; empty for tax rates and payment links.
    pub product: String,
    /// What it is to be on the new account: what it is on the old one.
    pub fields: Fields,
    /// What stands for it on the new account already.
    pub existing: Option<String>,
    /// Of a default price: what the product's default price on the new account was when planned.
    pub default_before: Option<String>,
    /// A live subscription in scope uses it.
    pub used: bool,
    /// What it costs, in short.
    pub terms: String,
}

/// Builds writes.
#[derive(Clone, Copy, Debug)]
pub struct Effects<'a> {
    /// Accounts and mode: part of every effect's identity.
    pub accounts: &'a Accounts,
}

impl Effects<'_> {
    /// The marker of `op` for the old object `of`.
    #[must_use]
    pub fn id(self, op: &str, of: &str) -> EffectId {
        EffectId::new(self.accounts, StageId::Catalogue, op, of, 0)
    }

    /// Creates `item` with `fields`. `None` for what is not created.
    #[must_use]
    pub fn create(self, item: &Item, fields: &Fields) -> Option<PlannedWrite> {
        let op = match item.kind {
            Kind::Product => CREATE_PRODUCT,
            Kind::Price => CREATE_PRICE,
            Kind::TaxRate => CREATE_TAX_RATE,
            Kind::DefaultPrice | Kind::PaymentLink => return None,
        };
        let mut form: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        form.push((format!("metadata[{}]", marker::OF), item.id.clone()));
        for sub in ["tiers", "currency_options"] {
            // What was sent can only be attested if it is in the answer.
            if fields.has(&format!("{sub}[")) {
                form.push(("expand[]".to_owned(), sub.to_owned()));
            }
        }
        Some(self.post(op, &item.id, item.kind.list().to_owned(), form, true))
    }

    /// Makes what stands for the old price `price` the default of `product`. `new`: its id, where it is known.
    #[must_use]
    pub fn set_default(self, product: &str, price: &str, new: Option<&str>) -> PlannedWrite {
        let value = new.map_or_else(|| place_of(price), str::to_owned);
        let form = vec![("default_price".to_owned(), value)];
        let of = format!("{product}/{price}");
        self.post(SET_DEFAULT_PRICE, &of, product_path(product), form, false)
    }

    fn post(
        self,
        op: &str,
        of: &str,
        path: String,
        form: Vec<(String, String)>,
        marked: bool,
    ) -> PlannedWrite {
        PlannedWrite {
            op: op.to_owned(),
            role: Role::Destination,
            effect: self.id(op, of),
            method: Method::Post,
            path,
            form,
            money: None,
            when: When::Always,
            irreversible: false,
            marked,
        }
    }
}

/// The path of one product.
#[must_use]
pub fn product_path(id: &str) -> String {
    path("/v1/products/{}", &[id])
}

/// The value of a field of a write's form.
#[must_use]
pub fn sent<'a>(write: &'a PlannedWrite, name: &str) -> Option<&'a str> {
    write
        .form
        .iter()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.as_str())
}
