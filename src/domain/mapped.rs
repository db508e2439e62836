//! Old id → new id: what one stage hands to the next, and to people as CSV.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One old object and what stands for it on the new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// Stripe's word for it: `product`, `price`, `tax_rate`, `payment_method`.
    pub kind: String,
    /// On the old account.
    pub old: String,
    /// On the new account.
    pub new: String,
}

/// All of them. A function: one new id per old one of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdMap(BTreeMap<(String, String), String>);

impl IdMap {
    /// Adds one. The word of a later stage counts.
    pub fn put(&mut self, mapped: Mapped) {
        self.0.insert((mapped.kind, mapped.old), mapped.new);
    }

    /// The new id of `old`.
    #[must_use]
    pub fn get(&self, kind: &str, old: &str) -> Option<&str> {
        self.0.get(&(kind.to_owned(), old.to_owned())).map(String::as_str)
    }

    /// All, by kind and old id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0
            .iter()
            .map(|((kind, old), new)| (kind.as_str(), old.as_str(), new.as_str()))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_id_has_one_new_one_per_kind() {
        let mapped = |kind: &str, new: &str| Mapped {
            kind: kind.into(),
            old: "gold".into(),
            new: new.into(),
        };
        let mut ids = IdMap::default();
        ids.put(mapped("price", "price_1"));
        ids.put(mapped("product", "gold"));
        ids.put(mapped("price", "price_2"));
        assert_eq!(ids.get("price", "gold"), Some("price_2"));
        assert_eq!(ids.get("product", "gold"), Some("gold"));
        assert_eq!(ids.get("tax_rate", "gold"), None);
        assert_eq!(ids.len(), 2);
    }
}
