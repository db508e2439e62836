use std::collections::BTreeMap;

use serde::Deserialize;

use super::List;
use super::common::{id_of, or_default};
use crate::stripe::page::Listed;

/// A customer with everything an operator may write about it (spec `customer`); what it is owed is in
/// [`super::Customer`].
#[derive(Clone, Debug, Deserialize)]
pub struct CustomerProfile {
    /// `cus_…`
    pub id: String,
    /// `customer`
    #[serde(default)]
    pub object: String,
    /// Creation time, seconds. 0 for a deleted customer.
    #[serde(default)]
    pub created: i64,
    /// `None` for a deleted customer.
    pub livemode: Option<bool>,
    /// True on the stub that is left of a deleted customer.
    #[serde(default)]
    pub deleted: bool,
    /// At most 256 characters.
    pub name: Option<String>,
    /// At most 512 characters.
    pub email: Option<String>,
    /// The customer's own currency; null until something sets it.
    pub currency: Option<String>,
    /// At most 20 characters.
    pub phone: Option<String>,
    /// The owner's words.
    pub description: Option<String>,
    /// Billing address.
    pub address: Option<Address>,
    /// Where goods go.
    pub shipping: Option<Shipping>,
    /// In order of preference.
    #[serde(default, deserialize_with = "or_default")]
    pub preferred_locales: Vec<String>,
    /// `none`, `exempt` or `reverse`.
    pub tax_exempt: Option<String>,
    /// Of invoice numbers; unique in the account.
    pub invoice_prefix: Option<String>,
    /// Absent where the account numbers its invoices itself.
    pub next_invoice_sequence: Option<i64>,
    /// Owner's tags.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// `card_…`, `ba_…` or `src_…`.
    #[serde(default, deserialize_with = "id_of")]
    pub default_source: Option<String>,
    /// Default method and how invoices look.
    #[serde(default, deserialize_with = "or_default")]
    pub invoice_settings: ProfileInvoiceSettings,
    /// The first page; `None` unless expanded.
    pub tax_ids: Option<List<TaxId>>,
}

/// Part of [`CustomerProfile`]. All keys are there, with nulls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Address {
    /// City.
    pub city: Option<String>,
    /// Two letters.
    pub country: Option<String>,
    /// Street.
    pub line1: Option<String>,
    /// More of it.
    pub line2: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or province.
    pub state: Option<String>,
}

/// Part of [`CustomerProfile`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Shipping {
    /// Where to.
    pub address: Option<Address>,
    /// To whom.
    pub name: Option<String>,
    /// Their phone.
    pub phone: Option<String>,
}

/// Part of [`CustomerProfile`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProfileInvoiceSettings {
    /// `pm_…`
    #[serde(default, deserialize_with = "id_of")]
    pub default_payment_method: Option<String>,
    /// At the foot of every invoice.
    pub footer: Option<String>,
    /// At most four.
    pub custom_fields: Option<Vec<CustomField>>,
    /// How amounts are shown.
    pub rendering_options: Option<RenderingOptions>,
}

/// Part of [`ProfileInvoiceSettings`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CustomField {
    /// At most 40 characters.
    pub name: String,
    /// At most 140 characters.
    pub value: String,
}

/// Part of [`ProfileInvoiceSettings`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RenderingOptions {
    /// `exclude_tax` or `include_inclusive_tax`.
    pub amount_tax_display: Option<String>,
}

/// A tax id of a customer (spec `tax_id`). It has no metadata.
#[derive(Clone, Debug, Deserialize)]
pub struct TaxId {
    /// `txi_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// `au_abn`, `eu_vat`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// As given.
    pub value: String,
    /// Mode.
    pub livemode: bool,
    /// Whose.
    #[serde(default, deserialize_with = "id_of")]
    pub customer: Option<String>,
}

impl Listed for CustomerProfile {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Listed for TaxId {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl CustomerProfile {
    /// Every field that has a value, under the name it is written with (`address[city]`); metadata and tax ids aside.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let mut put = |name: String, value: Option<&String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                fields.insert(name, value.clone());
            }
        };
        put("name".into(), self.name.as_ref());
        put("email".into(), self.email.as_ref());
        put("phone".into(), self.phone.as_ref());
        put("description".into(), self.description.as_ref());
        put("tax_exempt".into(), self.tax_exempt.as_ref());
        put("invoice_prefix".into(), self.invoice_prefix.as_ref());
        let sequence = self.next_invoice_sequence.map(|next| next.to_string());
        put("next_invoice_sequence".into(), sequence.as_ref());
        address("address", self.address.as_ref(), &mut put);
        if let Some(shipping) = &self.shipping {
            put("shipping[name]".into(), shipping.name.as_ref());
            put("shipping[phone]".into(), shipping.phone.as_ref());
            address("shipping[address]", shipping.address.as_ref(), &mut put);
        }
        for (n, locale) in self.preferred_locales.iter().enumerate() {
            put(format!("preferred_locales[{n}]"), Some(locale));
        }
        let settings = &self.invoice_settings;
        put("invoice_settings[footer]".into(), settings.footer.as_ref());
        for (n, field) in settings.custom_fields.iter().flatten().enumerate() {
            put(
                format!("invoice_settings[custom_fields][{n}][name]"),
                Some(&field.name),
            );
            put(
                format!("invoice_settings[custom_fields][{n}][value]"),
                Some(&field.value),
            );
        }
        let display = settings
            .rendering_options
            .as_ref()
            .and_then(|o| o.amount_tax_display.as_ref());
        put(
            "invoice_settings[rendering_options][amount_tax_display]".into(),
            display,
        );
        fields
    }
}

fn address(under: &str, address: Option<&Address>, put: &mut impl FnMut(String, Option<&String>)) {
    let Some(address) = address else { return };
    let parts = [
        ("city", &address.city),
        ("country", &address.country),
        ("line1", &address.line1),
        ("line2", &address.line2),
        ("postal_code", &address.postal_code),
        ("state", &address.state),
    ];
    for (name, value) in parts {
        put(format!("{under}[{name}]"), value.as_ref());
    }
}
