//! What stands for an old object on the new account. PURE.

use crate::stages::catalogue::facts::{Item, Kind, Shelf};
use crate::stages::catalogue::fields::Fields;

/// See the [module page](self).
pub(super) enum Standing<'a> {
    /// Nothing.
    Nothing,
    /// One object, found by what.
    One(&'a Item, &'static str),
    /// Several that say they are it.
    Several(Vec<&'a str>),
}

/// Looks for what stands for `item`, which is to have these fields.
pub(super) fn of<'a>(item: &Item, wanted: &Fields, there: &'a Shelf) -> Standing<'a> {
    match item.kind {
        Kind::Product => match there.products.get(&item.id) {
            Some(same) => Standing::One(same, "the same id"),
            None => Standing::Nothing,
        },
        Kind::Price => by_marker(item, there.prices.values()).or_else(|| by_lookup_key(item, there)),
        Kind::TaxRate => by_marker(item, there.tax_rates.values()).or_else(|| by_everything(wanted, there)),
        Kind::DefaultPrice | Kind::PaymentLink => Standing::Nothing,
    }
}

/// A price of another product over there that has the lookup key, of which an account has only one (facts 3.7).
pub(super) fn holder_of_key<'a>(item: &Item, there: &'a Shelf) -> Option<&'a Item> {
    let key = item.lookup_key.as_ref()?;
    there
        .prices
        .values()
        .find(|price| price.lookup_key.as_ref() == Some(key))
}

impl<'a> Standing<'a> {
    fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Nothing => other(),
            found => found,
        }
    }

    fn from(found: &[&'a Item], by: &'static str) -> Self {
        match found {
            [] => Self::Nothing,
            [one] => Self::One(one, by),
            several => Self::Several(several.iter().map(|item| item.id.as_str()).collect()),
        }
    }
}

fn by_marker<'a>(item: &Item, all: impl Iterator<Item = &'a Item>) -> Standing<'a> {
    let found: Vec<&Item> = all.filter(|other| other.of.as_ref() == Some(&item.id)).collect();
    Standing::from(&found, "our marker")
}

fn by_lookup_key<'a>(item: &Item, there: &'a Shelf) -> Standing<'a> {
    // What carries our marker stands for another old price, whatever its key.
    let holder =
        holder_of_key(item, there).filter(|price| price.product == item.product && price.of.is_none());
    match holder {
        Some(price) => Standing::One(price, "the same lookup key in the same product"),
        None => Standing::Nothing,
    }
}

/// A tax rate has no key. One that is equal in every field, and the only one of its kind, is it; of several it cannot be
/// said which, and a new one does no harm.
fn by_everything<'a>(wanted: &Fields, there: &'a Shelf) -> Standing<'a> {
    let equal = |other: &&Item| other.of.is_none() && wanted.differences(&other.fields).is_empty();
    let found: Vec<&Item> = there.tax_rates.values().filter(equal).collect();
    match found.as_slice() {
        [one] => Standing::One(one, "being equal in every field"),
        _ => Standing::Nothing,
    }
}
