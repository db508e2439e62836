//! Stripe's form encoding (`deepObject`): `amount=-500&metadata[cutover_effect]=…&expand[]=data.x`. PURE.
//!
//! The bytes are part of the idempotency contract (equal key ⇒ equal body), so they depend on nothing but the order in
//! which pairs were added. Structural brackets are literal; every other byte outside RFC 3986's unreserved set is
//! percent-encoded, a bracket inside a name included, so the text decodes to exactly one form.

use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is not RFC 3986 "unreserved".
pub(super) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// An ordered list of (key path, value). Used for request bodies and for query strings alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(Vec<String>, String)>);

impl Form {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one pair; `key` is written as Stripe's documentation writes it: `amount`, `created[gte]`, `expand[]`,
    /// `items[0][price]`. A name that may itself contain brackets belongs in [`Form::nested`].
    #[must_use]
    pub fn with(self, key: &str, value: impl fmt::Display) -> Self {
        let path = split_key(key);
        self.push(path, value)
    }

    /// Adds one pair if there is a value; absent means "unchanged" to Stripe.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds one pair under a path of names; an empty name stands for `[]`.
    #[must_use]
    pub fn nested(self, path: &[&str], value: impl fmt::Display) -> Self {
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        self.push(path, value)
    }

    /// Adds `metadata[name]=value`. An empty value unsets the name (facts 2.2).
    #[must_use]
    pub fn metadata(self, name: &str, value: impl fmt::Display) -> Self {
        self.nested(&["metadata", name], value)
    }

    /// Adds `expand[]=path`.
    #[must_use]
    pub fn expand(self, path: &str) -> Self {
        self.nested(&["expand", ""], path)
    }

    /// Whether no pair was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the first pair with this key, written as for [`Form::with`].
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let path = split_key(key);
        let found = self.0.iter().find(|(at, _)| *at == path);
        found.map(|(_, value)| value.as_str())
    }

    /// The pairs in order, keys as Stripe's documentation writes them: for a screen that shows the exact request.
    pub fn pairs(&self) -> impl Iterator<Item = (String, &str)> {
        self.0
            .iter()
            .map(|(path, value)| (join_key(path), value.as_str()))
    }

    /// The bytes that go on the wire.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (path, value) in &self.0 {
            if !out.is_empty() {
                out.push('&');
            }
            encode_path(&mut out, path);
            // Writing to a String cannot fail.
            let _ = write!(out, "={}", utf8_percent_encode(value, ESCAPED));
        }
        out
    }

    /// Reads back what [`Form::encode`] wrote; `None` for text that it could not have written.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::new());
        }
        let pairs = text.split('&').map(decode_pair).collect::<Option<Vec<_>>>()?;
        let form = Self(pairs);
        (form.encode() == text).then_some(form)
    }

    fn push(mut self, path: Vec<String>, value: impl fmt::Display) -> Self {
        self.0.push((path, value.to_string()));
        self
    }
}

fn encode_path(out: &mut String, path: &[String]) {
    for (depth, name) in path.iter().enumerate() {
        let name = utf8_percent_encode(name, ESCAPED);
        let _ = if depth == 0 {
            write!(out, "{name}")
        } else {
            write!(out, "[{name}]")
        };
    }
}

fn decode_pair(pair: &str) -> Option<(Vec<String>, String)> {
    let (key, value) = pair.split_once('=')?;
    let path = split_key(key)
        .iter()
        .map(|name| unescape(name))
        .collect::<Option<_>>()?;
    Some((path, unescape(value)?))
}

fn unescape(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// `a[b][]` → `["a", "b", ""]`.
fn split_key(key: &str) -> Vec<String> {
    let Some((first, rest)) = key.split_once('[') else {
        return vec![key.to_owned()];
    };
    let rest = rest.strip_suffix(']').unwrap_or(rest);
    let mut path = vec![first.to_owned()];
    path.extend(rest.split("][").map(str::to_owned));
    path
}

fn join_key(path: &[String]) -> String {
    let mut out = String::new();
    for (depth, name) in path.iter().enumerate() {
        if depth == 0 {
            out.push_str(name);
        } else {
            let _ = write!(out, "[{name}]");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_those_of_stripes_documentation() {
        let form = Form::new()
            .with("amount", -500)
            .with("currency", "usd")
            .metadata("cutover_effect", "abc 123&=")
            .with("items[0][price]", "price_1")
            .expand("data.x");
        assert_eq!(
            form.encode(),
            "amount=-500&currency=usd&metadata[cutover_effect]=abc%20123%26%3D&items[0][price]=price_1&expand[]=data.x"
        );
    }

    #[test]
    fn a_bracket_inside_a_metadata_name_cannot_become_structure() {
        let form = Form::new().metadata("a][b", "x");
        assert_eq!(form.encode(), "metadata[a%5D%5Bb]=x");
        assert_eq!(Form::decode(&form.encode()), Some(form));
    }

    #[test]
    fn text_that_was_not_written_here_is_not_decoded() {
        for text in ["a", "a=b&", "a=b c", "a=%zz", "a=%ff", "a=+", "a=%41"] {
            assert_eq!(Form::decode(text), None, "{text}");
        }
    }

    #[test]
    fn absent_values_are_left_out_and_empty_ones_are_sent() {
        let form = Form::new()
            .with_some("a", None::<i64>)
            .with_some("b", Some(1))
            .with("c", "");
        assert_eq!(form.encode(), "b=1&c=");
        assert_eq!(form.get("b"), Some("1"));
    }

    proptest! {
        #[test]
        fn every_form_survives_the_round_trip(pairs in pairs()) {
            let form = Form(pairs);
            prop_assert_eq!(Form::decode(&form.encode()), Some(form));
        }

        #[test]
        fn a_standard_decoder_sees_the_same_keys_and_values(pairs in pairs()) {
            let form = Form(pairs);
            let text = form.encode();
            let seen: Vec<_> = form_urlencoded::parse(text.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
            let meant: Vec<_> = form.pairs().map(|(k, v)| (k, v.to_owned())).collect();
            prop_assert_eq!(seen, meant);
        }
    }

    fn pairs() -> impl Strategy<Value = Vec<(Vec<String>, String)>> {
        let path = (".{1,12}", proptest::collection::vec(".{0,12}", 0..4));
        let path = path.prop_map(|(first, rest)| {
            let mut path = vec![first];
            path.extend(rest);
            path
        });
        proptest::collection::vec((path, ".{0,40}"), 0..8)
    }
}
