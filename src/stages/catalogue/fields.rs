//! An object as the fields of the form that creates it. PURE.
//!
//! One shape for everything that is done with an object: sent, compared, attested, audited. Names are Stripe's form
//! names (`tiers[0][up_to]`), values the text that is sent. A field that says nothing (null, empty) is not there, and is
//! never sent. Amounts are integers of minor units where Stripe says so, otherwise decimals as digits; never floats.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::change::Field;
use crate::domain::text::safe;
use crate::stripe::wire::{CurrencyOption, Decimal, Price, Product, TaxRate, Tier};

/// What begins the metadata keys of this program, of this run or an earlier one.
const OURS: &str = "cutover_";

/// The fields of one object, in the order in which they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds a field that says something.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers, truths and texts read alike at the place of use"
    )]
    pub fn put(&mut self, name: impl Into<String>, value: impl ToString) {
        let value = value.to_string();
        if !value.is_empty() {
            self.0.push((name.into(), value));
        }
    }

    fn put_some(&mut self, name: impl Into<String>, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// The same with another value in one field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        for field in &mut self.0 {
            if field.0 == name {
                value.clone_into(&mut field.1);
            }
        }
        self
    }

    /// All fields, as they are sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a field begins like this.
    #[must_use]
    pub fn has(&self, prefix: &str) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with(prefix))
    }

    /// Both side by side, in the order of this one; fields that only `other` has come last.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Vec<Field> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        let mine: BTreeSet<&str> = names.clone().collect();
        let more = other
            .0
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !mine.contains(name));
        let (left, right) = (self.by_name(), other.by_name());
        names
            .chain(more)
            .map(|name| {
                let (before, after) = (left.get(name), right.get(name));
                let say =
                    |value: Option<&&str>| value.map_or_else(String::new, |value| safe(value).to_string());
                Field {
                    name: safe(name).to_string(),
                    before: say(before),
                    after: say(after),
                    equal: before == after,
                }
            })
            .collect()
    }

    /// Names of the fields that differ.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let all = self.beside(other).into_iter();
        all.filter(|field| !field.equal).map(|field| field.name).collect()
    }

    fn by_name(&self) -> BTreeMap<&str, &str> {
        self.iter().collect()
    }

    fn put_metadata(&mut self, metadata: &BTreeMap<String, String>) {
        for (name, value) in metadata.iter().filter(|(name, _)| !name.starts_with(OURS)) {
            self.put(format!("metadata[{name}]"), value);
        }
    }
}

/// How many metadata keys are the owner's own.
#[must_use]
pub fn own_keys(metadata: &BTreeMap<String, String>) -> usize {
    metadata.keys().filter(|name| !name.starts_with(OURS)).count()
}

/// Everything of a product that can be set when it is created, but for its default price.
#[must_use]
pub fn of_product(product: &Product) -> Fields {
    let mut fields = Fields::default();
    fields.put("id", &product.id);
    fields.put("name", &product.name);
    fields.put("active", product.active);
    fields.put_some("description", product.description.as_ref());
    for (at, image) in product.images.iter().enumerate() {
        fields.put(format!("images[{at}]"), image);
    }
    let features = product
        .marketing_features
        .iter()
        .filter_map(|feature| feature.name.as_ref());
    for (at, name) in features.enumerate() {
        fields.put(format!("marketing_features[{at}][name]"), name);
    }
    if let Some(size) = &product.package_dimensions {
        let sides = [
            ("height", &size.height),
            ("length", &size.length),
            ("weight", &size.weight),
            ("width", &size.width),
        ];
        for (name, side) in sides {
            fields.put(format!("package_dimensions[{name}]"), side.as_str());
        }
    }
    fields.put_some("shippable", product.shippable);
    fields.put_some("statement_descriptor", product.statement_descriptor.as_ref());
    fields.put_some("tax_code", product.tax_code.as_ref());
    fields.put_some("unit_label", product.unit_label.as_ref());
    fields.put_some("url", product.url.as_ref());
    fields.put_metadata(&product.metadata);
    fields
}

/// Everything of a tax rate that can be set when it is created.
#[must_use]
pub fn of_tax_rate(rate: &TaxRate) -> Fields {
    let mut fields = Fields::default();
    fields.put("display_name", &rate.display_name);
    fields.put("inclusive", rate.inclusive);
    fields.put("percentage", rate.percentage.as_str());
    fields.put("active", rate.active);
    fields.put_some("country", rate.country.as_ref());
    fields.put_some("description", rate.description.as_ref());
    fields.put_some("jurisdiction", rate.jurisdiction.as_ref());
    fields.put_some("state", rate.state.as_ref());
    fields.put_some("tax_type", rate.tax_type.as_ref());
    fields.put_metadata(&rate.metadata);
    fields
}

/// Everything of a price that can be set when it is created. Its own currency is among its `currency_options` when they
/// are read, and says there what the price itself says; it is not sent twice.
#[must_use]
pub fn of_price(price: &Price) -> Fields {
    let mut fields = Fields::default();
    fields.put("product", &price.product);
    fields.put("currency", &price.currency);
    fields.put("active", price.active);
    fields.put("billing_scheme", &price.billing_scheme);
    put_amount(
        &mut fields,
        "unit_amount",
        price.unit_amount,
        price.unit_amount_decimal.as_ref(),
    );
    put_tiers(&mut fields, "tiers", price.tiers.as_deref().unwrap_or_default());
    fields.put_some("tiers_mode", price.tiers_mode.as_ref());
    if let Some(change) = &price.transform_quantity {
        fields.put("transform_quantity[divide_by]", change.divide_by);
        fields.put("transform_quantity[round]", &change.round);
    }
    if let Some(recurring) = &price.recurring {
        fields.put("recurring[interval]", &recurring.interval);
        fields.put("recurring[interval_count]", recurring.interval_count);
        fields.put("recurring[usage_type]", &recurring.usage_type);
        fields.put_some("recurring[meter]", recurring.meter.as_ref());
    }
    // Null is an older way of saying so.
    fields.put(
        "tax_behavior",
        price.tax_behavior.as_deref().unwrap_or(UNSPECIFIED),
    );
    fields.put_some("nickname", price.nickname.as_ref());
    fields.put_some("lookup_key", price.lookup_key.as_ref());
    for (code, option) in other_currencies(price) {
        put_option(&mut fields, code, option);
    }
    if let Some(free) = &price.custom_unit_amount {
        fields.put("custom_unit_amount[enabled]", true);
        fields.put_some("custom_unit_amount[maximum]", free.maximum);
        fields.put_some("custom_unit_amount[minimum]", free.minimum);
        fields.put_some("custom_unit_amount[preset]", free.preset);
    }
    fields.put_metadata(&price.metadata);
    fields
}

/// A tax behaviour that leaves it to the account's settings.
pub const UNSPECIFIED: &str = "unspecified";

/// The currencies of a price besides its own.
pub fn other_currencies(price: &Price) -> impl Iterator<Item = (&str, &CurrencyOption)> {
    let options = price.currency_options.iter().flatten();
    options
        .filter(|(code, _)| !code.eq_ignore_ascii_case(&price.currency))
        .map(|(code, option)| (code.as_str(), option))
}

fn put_option(fields: &mut Fields, code: &str, option: &CurrencyOption) {
    let at = |name: &str| format!("currency_options[{code}][{name}]");
    put_amount(
        fields,
        &at("unit_amount"),
        option.unit_amount,
        option.unit_amount_decimal.as_ref(),
    );
    put_tiers(fields, &at("tiers"), option.tiers.as_deref().unwrap_or_default());
    let says = option.tax_behavior.as_deref().filter(|word| *word != UNSPECIFIED);
    fields.put_some(at("tax_behavior"), says);
}

fn put_tiers(fields: &mut Fields, prefix: &str, tiers: &[Tier]) {
    for (at, tier) in tiers.iter().enumerate() {
        let name = |name: &str| format!("{prefix}[{at}][{name}]");
        let last = || "inf".to_owned();
        fields.put(name("up_to"), tier.up_to.map_or_else(last, |to| to.to_string()));
        put_amount(
            fields,
            &name("flat_amount"),
            tier.flat_amount,
            tier.flat_amount_decimal.as_ref(),
        );
        put_amount(
            fields,
            &name("unit_amount"),
            tier.unit_amount,
            tier.unit_amount_decimal.as_ref(),
        );
    }
}

/// The whole number where there is one; the two are never sent together.
fn put_amount(fields: &mut Fields, name: &str, whole: Option<i64>, decimal: Option<&Decimal>) {
    match (whole, decimal) {
        (Some(amount), _) => fields.put(put_name(name, ""), amount),
        (None, Some(decimal)) => fields.put(put_name(name, "_decimal"), decimal.as_str()),
        (None, None) => {}
    }
}

/// `unit_amount` → `unit_amount_decimal`, also inside brackets.
fn put_name(name: &str, suffix: &str) -> String {
    match name.strip_suffix(']') {
        Some(open) => format!("{open}{suffix}]"),
        None => format!("{name}{suffix}"),
    }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
