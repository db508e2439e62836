//! What a coupon takes off and where, under the catalogue's map. PURE. Never wider than it was: a product without a
//! counterpart is said, not left out.

use super::facts::{Coupon, Running};
use super::running::Carry;
use crate::domain::fields::Fields;
use crate::domain::mapped::IdMap;
use crate::domain::text::safe;

const PRODUCTS: &str = "applies_to[";
const METADATA: &str = "metadata[";
const PERCENT: &str = "percent_off";
/// What a coupon of its own says about its length and its limit.
const LENGTH: [&str; 5] = [
    "duration",
    "duration_in_months",
    "redeem_by",
    "id",
    "max_redemptions",
];

/// Why terms cannot be copied: rule and sentence.
pub type Refusal = (&'static str, String);

/// Terms of a coupon as it stands on its own account, with its products in the order of their ids.
#[must_use]
pub fn as_it_stands(coupon: &Coupon) -> Fields {
    with_products(&coupon.terms, coupon.products.clone())
}

/// Terms the coupon must have on the new account.
pub fn under_map(coupon: &Coupon, ids: &IdMap) -> Result<Fields, Refusal> {
    Ok(with_products(&coupon.terms, mapped(&coupon.products, ids)?))
}

/// Terms of the coupon `id` that carries a discount on; `None` for one that is not carried on.
pub fn of_carry(running: &Running, carry: Carry, id: &str, ids: &IdMap) -> Result<Option<Fields>, Refusal> {
    let (duration, months) = match carry {
        Carry::Forever | Carry::Until { .. } => ("forever", None),
        Carry::Once => ("once", None),
        Carry::Months { months, .. } => ("repeating", Some(months)),
        Carry::Ends | Carry::Unknown => return Ok(None),
    };
    if !running.terms.has(PERCENT) && !running.terms.has("amount_off") {
        let why = "neither the discount nor the list of coupons says what it takes off".to_owned();
        return Err(("terms_unknown", why));
    }
    let Some(products) = &running.products else {
        let why = format!(
            "its coupon {} is not on the old account any more, and the discount does not say which products it is for",
            safe(&running.coupon)
        );
        return Err(("products_unknown", why));
    };
    let mut terms = Fields::default();
    terms.put("id", id);
    let old = running.terms.iter().filter(|(name, _)| !LENGTH.contains(name));
    old.for_each(|(name, value)| terms.put(name, value));
    terms.put("duration", duration);
    terms.put_some("duration_in_months", months);
    Ok(Some(with_products(&terms, mapped(products, ids)?)))
}

/// In what two coupons differ, their owners' metadata aside: that is no term.
#[must_use]
pub fn differences(wanted: &Fields, there: &Fields) -> Vec<String> {
    let bare = |fields: &Fields| {
        let mut bare = Fields::default();
        let terms = fields.iter().filter(|(name, _)| !name.starts_with(METADATA));
        terms.for_each(|(name, value)| bare.put(name, value));
        bare
    };
    bare(wanted).differences(&bare(there))
}

/// How many metadata keys are the owner's own.
#[must_use]
pub fn own_keys(terms: &Fields) -> usize {
    terms
        .iter()
        .filter(|(name, _)| name.starts_with(METADATA))
        .count()
}

fn with_products(terms: &Fields, mut products: Vec<String>) -> Fields {
    let mut whole = Fields::default();
    for (name, value) in terms.iter().filter(|(name, _)| !name.starts_with(PRODUCTS)) {
        let value = if name == PERCENT { plain(value) } else { value };
        whole.put(name, value);
    }
    products.sort();
    products.dedup();
    for (at, product) in products.iter().enumerate() {
        whole.put(format!("applies_to[products][{at}]"), product);
    }
    whole
}

fn mapped(products: &[String], ids: &IdMap) -> Result<Vec<String>, Refusal> {
    let (mut new, mut missing) = (Vec::new(), Vec::new());
    for product in products {
        match ids.get("product", product) {
            Some(id) => new.push(id.to_owned()),
            None => missing.push(product.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(new);
    }
    let why = format!(
        "it is for certain products only, and nothing on the new account stands for {}; without them it would be for more \
         than it was",
        safe(&missing.join(", "))
    );
    Err(("product_unmapped", why))
}

/// `25.50` and `25.5` are one number. Text that is no decimal stays as it is.
fn plain(decimal: &str) -> &str {
    let is_decimal = decimal.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !is_decimal || !decimal.contains('.') {
        return decimal;
    }
    decimal.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
#[path = "terms_tests.rs"]
mod tests;
