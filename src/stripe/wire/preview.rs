use serde::Deserialize;

/// What a bill would be (spec `invoice`, of `POST /v1/invoices/create_preview`). Nothing is made by asking.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InvoicePreview {
    /// Mode.
    pub livemode: bool,
    /// Lowercase ISO.
    pub currency: String,
    /// After discounts and taxes, before the customer's balance; minor units.
    pub total: i64,
    /// After discounts, without any tax; minor units.
    pub total_excluding_tax: Option<i64>,
}
