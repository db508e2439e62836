//! A postal address; updates merge leaf by leaf, and the read form has every key.

use serde_json::{Map, Value};

use super::form::Node;

const FIELDS: [&str; 6] = ["city", "country", "line1", "line2", "postal_code", "state"];

/// Values in the order of the API's field names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address([Option<Box<str>>; 6]);

impl Address {
    /// An American or Australian address without a second line.
    pub(crate) fn of(line1: &str, city: &str, state: &str, postal_code: &str, country: &str) -> Self {
        let some = |text: &str| Some(text.into());
        Self([
            some(city),
            some(country),
            some(line1),
            None,
            some(postal_code),
            some(state),
        ])
    }

    /// What stands after an update; an empty text unsets the whole.
    pub(crate) fn merged(old: Option<&Self>, given: &Node) -> Option<Self> {
        if given.text().is_some() {
            return None;
        }
        let mut merged = old.cloned().unwrap_or_default();
        for (slot, name) in merged.0.iter_mut().zip(FIELDS) {
            if let Some(text) = given.get(name).and_then(Node::text) {
                *slot = Some(text).filter(|t| !t.is_empty()).map(Into::into);
            }
        }
        Some(merged)
    }

    /// Back from what [`Self::json`] shows.
    pub(crate) fn of_json(shown: &Value) -> Self {
        Self(FIELDS.map(|name| shown[name].as_str().map(Into::into)))
    }

    /// One field.
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        let at = FIELDS.iter().position(|f| *f == field)?;
        self.0[at].as_deref()
    }

    /// As the API shows it.
    pub(crate) fn json(&self) -> Value {
        let fields = FIELDS.iter().zip(&self.0);
        let shown: Map<String, Value> = fields
            .map(|(name, text)| {
                (
                    (*name).to_owned(),
                    text.as_deref().map_or(Value::Null, Value::from),
                )
            })
            .collect();
        Value::Object(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::form::parse;

    #[test]
    fn updates_merge_leaf_by_leaf() {
        let old = Address::of("1 Main Street", "Austin", "TX", "78701", "US");
        let given = parse("a[line2]=Flat+2&a[state]=").unwrap();
        let new = Address::merged(Some(&old), given.get("a").unwrap()).unwrap();
        assert_eq!(
            (new.get("line2"), new.get("state"), new.get("city")),
            (Some("Flat 2"), None, Some("Austin"))
        );
        assert_eq!(new.json()["state"], Value::Null);
        let unset = parse("a=").unwrap();
        assert_eq!(Address::merged(Some(&old), unset.get("a").unwrap()), None);
    }
}
