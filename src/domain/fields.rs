//! An object as the fields of the form that creates it. PURE.
//!
//! One shape for everything that is done with an object: sent, compared, attested, audited. Names are Stripe's form
//! names (`tiers[0][up_to]`), values the text that is sent. A field that says nothing (null, empty) is not there, and is
//! never sent. Amounts are integers of minor units where Stripe says so, otherwise decimals as digits; never floats.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::change::Field;
use super::text::safe;

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

    /// Adds a field if there is something to say.
    pub fn put_some(&mut self, name: impl Into<String>, value: Option<impl ToString>) {
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

    /// Adds the owner's own metadata: what this program put there is not copied.
    pub fn put_metadata(&mut self, metadata: &BTreeMap<String, String>) {
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
