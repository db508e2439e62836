//! Coupons and promotion codes as the fields of the form that creates them ([`Fields`]), but for what is reckoned: id,
//! limit, and of a code its coupon and customer. PURE.

pub use crate::domain::fields::Fields;
use crate::stripe::wire::{CodeRestrictions, Coupon, Decimal, PromotionCode};

/// What a field of products begins with: `applies_to[products][0]`. They are numbered in the order of their ids.
pub const PRODUCTS: &str = "applies_to[products]";

/// Terms of a coupon, with the products of its own account.
#[must_use]
pub fn of_coupon(coupon: &Coupon) -> Fields {
    let mut fields = Fields::default();
    fields.put_some("name", coupon.name.as_ref());
    fields.put_some("percent_off", coupon.percent_off.as_ref().map(Decimal::as_str));
    fields.put_some("amount_off", coupon.amount_off);
    fields.put_some("currency", coupon.currency.as_ref());
    for (code, option) in others(coupon.currency_options.as_ref(), coupon.currency.as_deref()) {
        fields.put(format!("currency_options[{code}][amount_off]"), option.amount_off);
    }
    fields.put("duration", coupon.duration.as_str());
    fields.put_some("duration_in_months", coupon.duration_in_months);
    fields.put_some("redeem_by", coupon.redeem_by);
    put_products(&mut fields, &products(coupon));
    fields.put_metadata(&coupon.metadata);
    fields
}

/// Products it is limited to, in order; empty: everything.
#[must_use]
pub fn products(coupon: &Coupon) -> Vec<String> {
    let mut products = coupon
        .applies_to
        .as_ref()
        .map_or_else(Vec::new, |to| to.products.clone());
    products.sort();
    products.dedup();
    products
}

/// Adds the products a coupon is limited to; `products` in order.
pub fn put_products(fields: &mut Fields, products: &[String]) {
    for (at, product) in products.iter().enumerate() {
        fields.put(format!("{PRODUCTS}[{at}]"), product);
    }
}

/// Terms of a promotion code.
#[must_use]
pub fn of_code(code: &PromotionCode) -> Fields {
    let mut fields = Fields::default();
    fields.put_some("expires_at", code.expires_at);
    put_restrictions(&mut fields, &code.restrictions);
    fields.put_metadata(&code.metadata);
    fields
}

fn put_restrictions(fields: &mut Fields, of: &CodeRestrictions) {
    if of.first_time_transaction {
        fields.put("restrictions[first_time_transaction]", true);
    }
    if let Some(minimum) = of.minimum_amount {
        fields.put("restrictions[minimum_amount]", minimum);
        fields.put_some(
            "restrictions[minimum_amount_currency]",
            of.minimum_amount_currency.as_ref(),
        );
    }
    for (code, option) in others(
        of.currency_options.as_ref(),
        of.minimum_amount_currency.as_deref(),
    ) {
        let name = format!("restrictions[currency_options][{code}][minimum_amount]");
        fields.put_some(name, option.minimum_amount);
    }
}

/// Currencies besides its own, which is among them when they are read and says there what the object itself says.
fn others<'a, T>(
    options: Option<&'a std::collections::BTreeMap<String, T>>,
    own: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a T)> {
    options
        .into_iter()
        .flatten()
        .filter(move |(code, _)| !own.is_some_and(|own| own.eq_ignore_ascii_case(code)))
        .map(|(code, option)| (code.as_str(), option))
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
