//! Products, prices and tax rates as the fields of the form that creates them ([`Fields`]). PURE.

pub use crate::domain::fields::{Fields, own_keys};
use crate::stripe::wire::{CurrencyOption, Decimal, Price, Product, TaxRate, Tier};

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
