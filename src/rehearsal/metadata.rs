//! Metadata as a sorted list of pairs: most objects have two, and a tree would take ten times their room.

use serde_json::Value;

use super::form::Node;

/// Key-value pairs, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata(Box<[(Box<str>, Box<str>)]>);

impl Metadata {
    /// The pairs given.
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let mut pairs: Vec<(Box<str>, Box<str>)> =
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        pairs.sort_unstable();
        Self(pairs.into_boxed_slice())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    /// Merges what a request gives: a key with an empty value is removed, an empty hash clears (docs.stripe.com/api/metadata).
    pub(crate) fn merge(&mut self, given: Option<&Node>) {
        let Some(given) = given else { return };
        let mut pairs = std::mem::take(&mut self.0).into_vec();
        if given.text().is_some() {
            pairs.clear();
        }
        for (key, value) in given.children() {
            pairs.retain(|(k, _)| **k != **key);
            if let Some(text) = value.text().filter(|t| !t.is_empty()) {
                pairs.push((key.as_str().into(), text.into()));
            }
        }
        pairs.sort_unstable();
        self.0 = pairs.into_boxed_slice();
    }

    /// All pairs, by key.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Sets one key.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let mut pairs = std::mem::take(&mut self.0).into_vec();
        pairs.retain(|(k, _)| **k != *key);
        pairs.push((key.into(), value.into()));
        pairs.sort_unstable();
        self.0 = pairs.into_boxed_slice();
    }

    /// As the API shows it.
    pub(crate) fn json(&self) -> Value {
        let pairs = self.0.iter().map(|(k, v)| (k.to_string(), Value::from(&**v)));
        Value::Object(pairs.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::form::parse;

    #[test]
    fn updates_merge_by_key_and_empty_values_remove() {
        let mut metadata = Metadata::of(&[("region", "us"), ("plan", "trial")]);
        let given = parse("metadata[plan]=&metadata[a]=1&metadata[region]=au").unwrap();
        metadata.merge(given.get("metadata"));
        assert_eq!(metadata, Metadata::of(&[("a", "1"), ("region", "au")]));
        assert_eq!(metadata.get("region"), Some("au"));
        let clear = parse("metadata=").unwrap();
        metadata.merge(clear.get("metadata"));
        assert_eq!(metadata, Metadata::default());
    }
}
