//! Whether an answer, or an object found by a probe, is what was sent: every field of the form, the marker, the mode.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::effects::{CREATE_PRICE, CREATE_PRODUCT, CREATE_TAX_RATE, SET_DEFAULT_PRICE, product_path};
use super::facts;
use super::fields::{self, Fields};
use crate::domain::record::Attested;
use crate::domain::write::{PlannedWrite, marker};
use crate::stripe::wire::{Price, Product, TaxRate};

#[derive(Deserialize)]
struct Head {
    id: String,
    object: String,
    livemode: bool,
}

/// What `object` attests about `write`, or which field is not as it was sent.
pub(super) fn attest(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let unreadable = |e: serde_json::Error| format!("the answer cannot be read: {e}");
    let head: Head = serde_json::from_slice(object).map_err(unreadable)?;
    let (word, read) = match write.op.as_str() {
        CREATE_PRODUCT => {
            let product: Product = serde_json::from_slice(object).map_err(unreadable)?;
            (
                "product",
                Answer::of(fields::of_product(&product), product.metadata),
            )
        }
        CREATE_PRICE => {
            let price: Price = serde_json::from_slice(object).map_err(unreadable)?;
            let unread = facts::currencies_without_tiers(&price);
            let mut answer = Answer::of(fields::of_price(&price), price.metadata);
            // Tiers of another currency are in no answer that does not name the currency; the audit reads them.
            answer.unread = unread
                .iter()
                .map(|code| format!("currency_options[{code}][tiers]"))
                .collect();
            ("price", answer)
        }
        CREATE_TAX_RATE => {
            let rate: TaxRate = serde_json::from_slice(object).map_err(unreadable)?;
            ("tax_rate", Answer::of(fields::of_tax_rate(&rate), rate.metadata))
        }
        SET_DEFAULT_PRICE => {
            let product: Product = serde_json::from_slice(object).map_err(unreadable)?;
            let mut fields = Fields::default();
            fields.put(
                "default_price",
                product.default_price.as_deref().unwrap_or_default(),
            );
            check("id", &write.path, &product_path(&product.id))?;
            ("product", Answer::of(fields, product.metadata))
        }
        other => return Err(format!("this program knows no write {other}")),
    };
    check("object", word, &head.object)?;
    check("livemode", &livemode.to_string(), &head.livemode.to_string())?;
    read.check(write)?;
    Ok(Attested {
        object: head.id,
        ..Attested::default()
    })
}

/// What an answer says, in the words of the form.
struct Answer {
    fields: Fields,
    metadata: BTreeMap<String, String>,
    /// Fields the answer cannot say anything about.
    unread: Vec<String>,
}

impl Answer {
    const fn of(fields: Fields, metadata: BTreeMap<String, String>) -> Self {
        Self {
            fields,
            metadata,
            unread: Vec::new(),
        }
    }

    /// Every field that was sent has to be there with the same value.
    fn check(&self, write: &PlannedWrite) -> Result<(), String> {
        let of = format!("metadata[{}]", marker::OF);
        let marked = |name: &str| self.metadata.get(name).map_or("", String::as_str);
        for (name, value) in &write.form {
            let unread = self.unread.iter().any(|prefix| name.starts_with(prefix.as_str()));
            let ours = name.starts_with("metadata[cutover_") && *name != of;
            if unread || ours || name.starts_with("expand[") {
                continue;
            }
            let have = if *name == of {
                marked(marker::OF)
            } else {
                self.fields.get(name).unwrap_or_default()
            };
            check(name, value, have)?;
        }
        if write.marked {
            check(
                "metadata[cutover_effect]",
                &write.effect.0,
                marked(marker::EFFECT),
            )?;
        }
        Ok(())
    }
}

fn check(name: &str, want: &str, have: &str) -> Result<(), String> {
    if want == have {
        return Ok(());
    }
    Err(format!("{name} is `{have}` where `{want}` was sent"))
}
