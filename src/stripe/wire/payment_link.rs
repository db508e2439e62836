use serde::Deserialize;

use super::{List, Price};
use crate::stripe::page::Listed;

/// An address where anybody can buy (spec `payment_link`).
#[derive(Clone, Debug, Deserialize)]
pub struct PaymentLink {
    /// `plink_…`
    pub id: String,
    /// Whether the address works.
    pub active: bool,
    /// Mode.
    pub livemode: bool,
    /// The address.
    pub url: String,
    /// What is sold; `None` unless expanded, the first page of it.
    pub line_items: Option<List<LinkItem>>,
}

/// Part of [`PaymentLink`] (spec `item`).
#[derive(Clone, Debug, Deserialize)]
pub struct LinkItem {
    /// What it costs.
    pub price: Option<Price>,
}

impl Listed for PaymentLink {
    fn id(&self) -> &str {
        &self.id
    }

    /// A payment link does not say when it was created.
    fn created(&self) -> i64 {
        0
    }
}
