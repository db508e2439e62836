//! What Stripe's `OpenAPI` description says, as a machine can check it.
//!
//! `facts.json` is derived by `derive.py` (its head explains the notation): methods, paths, parameter and field names,
//! types, enums, required, nullable, expandable. Two functions hold requests and answers against it:
//!
//! * [`check_request`]: would Stripe know this path and every parameter sent to it?
//! * [`check_response`]: could this answer have come from Stripe?
//!
//! Both return the problems as sentences, none for a match. They share no types with the client or the simulator, so
//! neither can talk the table into its own mistakes.
//!
//! From another test file: `#[cfg(test)] #[path = "contract/mod.rs"] mod facts;`.

#![allow(
    dead_code,
    reason = "each test file that includes this module uses a part of it"
)]

mod expansion;
mod place;
mod request;
mod response;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use request::check_request;
#[cfg(test)]
pub(crate) use request::takes;
pub(crate) use response::check_response;

/// The whole table.
#[derive(Deserialize)]
pub(crate) struct Facts {
    /// Where the facts come from, and under which licence.
    pub(crate) source: String,
    /// The API version that the description describes.
    pub(crate) version: String,
    pub(crate) operations: BTreeMap<String, Vec<String>>,
    parameters: BTreeMap<String, BTreeMap<String, Fact>>,
    pub(crate) schemas: BTreeMap<String, BTreeMap<String, Fact>>,
}

/// What is known of one parameter or field.
#[derive(Deserialize, Default)]
pub(crate) struct Fact {
    /// Alternatives, each as the head of `derive.py` explains.
    #[serde(rename = "type")]
    pub(crate) kinds: Vec<String>,
    #[serde(default, rename = "enum")]
    pub(crate) values: Vec<Value>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) nullable: bool,
    #[serde(default)]
    expandable: bool,
}

impl Fact {
    /// Its alternatives, for a sentence: `integer or enum ["none", "exempt"]`.
    fn alternatives(&self) -> String {
        let values = self
            .values
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let values = if values.is_empty() {
            values
        } else {
            format!(" [{values}]")
        };
        format!("{}{values}", self.kinds.join(" or "))
    }

    /// Whether an id stands here for an object that `expand` shows.
    fn is_id_or_object(&self) -> bool {
        self.kinds.iter().any(|kind| kind == "string") && self.kinds.iter().any(|kind| kind.starts_with('@'))
    }
}

/// The table, read once.
pub(crate) fn facts() -> &'static Facts {
    static FACTS: LazyLock<Facts> = LazyLock::new(|| {
        serde_json::from_str(include_str!("facts.json")).expect("facts.json is what derive.py writes")
    });
    &FACTS
}

/// Fields that are absent unless asked for with `expand`, by schema. The description does not tell these from fields that
/// are always there, Stripe's documentation of each object does. `invoice_credit_balance` is missing even from the
/// description's own list of what can be expanded; Stripe answers it all the same.
pub(crate) const ONLY_ON_REQUEST: &[(&str, &str)] = &[
    ("coupon", "applies_to"),
    ("coupon", "currency_options"),
    ("currency_option", "tiers"),
    ("customer", "cash_balance"),
    ("customer", "invoice_credit_balance"),
    ("customer", "sources"),
    ("customer", "subscriptions"),
    ("customer", "tax"),
    ("customer", "tax_ids"),
    ("invoice", "confirmation_secret"),
    ("invoice", "payments"),
    ("payment_link", "line_items"),
    ("price", "currency_options"),
    ("price", "tiers"),
    ("promotion_codes_resource_restrictions", "currency_options"),
    ("quote", "line_items"),
];

/// Of those the ones that not every object has: a price without tiers shows none, also when asked, nor does a coupon
/// for everything show to what it applies.
pub(crate) const NOT_EVERYWHERE: &[(&str, &str)] = &[
    ("coupon", "applies_to"),
    ("coupon", "currency_options"),
    ("currency_option", "tiers"),
    ("price", "tiers"),
    ("promotion_codes_resource_restrictions", "currency_options"),
];

impl Facts {
    /// Name of the operation that `method` on the concrete `path` is: `GET /v1/customers/{customer}`. A path without
    /// placeholders goes before one with.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&str> {
        let method = method.to_ascii_uppercase();
        let fits = |name: &&str| {
            let (of, template) = name.split_once(' ').unwrap_or_default();
            of == method && is_like(template, path)
        };
        let names = self.operations.keys().map(String::as_str).filter(fits);
        names.min_by_key(|name| name.matches('{').count())
    }

    /// The parameters of an operation, by table name.
    pub(crate) fn parameters_of(&self, operation: &str) -> impl Iterator<Item = (&String, &Fact)> {
        self.parameters.get(operation).into_iter().flatten()
    }

    /// Fields that an operation's answer shows and its parameters lack, in wire form: `id`, `shipping[carrier]`. What
    /// can be read but not written is what one is most likely to take by mistake.
    pub(crate) fn read_only_names(&self, operation: &str) -> Vec<String> {
        let Some(takes) = self.parameters.get(operation) else {
            return Vec::new();
        };
        let schema = |name: &str| self.schemas.get(name).into_iter().flatten();
        let answers = self.operations.get(operation).into_iter().flatten();
        let mut names = Vec::new();
        for (field, fact) in answers
            .flat_map(|name| schema(name))
            .filter(|(field, _)| !field.contains(['.', '[']))
        {
            names.push(field.clone());
            if takes
                .get(field)
                .is_some_and(|fact| fact.kinds.iter().any(|kind| kind == "object"))
            {
                let inner = fact.kinds.iter().filter_map(|kind| kind.strip_prefix('@'));
                let inner = inner
                    .flat_map(schema)
                    .filter(|(name, _)| !name.contains(['.', '[']));
                names.extend(inner.map(|(name, _)| format!("{field}[{name}]")));
            }
        }
        names.retain(|name| !takes.contains_key(name));
        names
    }

    /// The facts of a schema; none when the table does not hold it.
    fn schema(&self, name: &str) -> Option<&BTreeMap<String, Fact>> {
        self.schemas.get(name)
    }

    /// Every schema whose objects carry `"object": kind`.
    fn schemas_of_kind(&self, kind: &str) -> Vec<&str> {
        let is = |fields: &BTreeMap<String, Fact>| {
            fields
                .get("object")
                .is_some_and(|fact| fact.values.iter().any(|v| v == kind))
        };
        let named = self
            .schemas
            .iter()
            .filter(|(name, fields)| !name.contains(' ') && is(fields));
        named.map(|(name, _)| name.as_str()).collect()
    }

    /// Names in `ours` (`METHOD /template`) that the table lacks.
    pub(crate) fn missing_operations<'a>(&self, ours: &[&'a str]) -> BTreeSet<&'a str> {
        ours.iter()
            .copied()
            .filter(|name| !self.operations.contains_key(*name))
            .collect()
    }
}

/// Whether the concrete `path` fits `template`, whose `{…}` stand for one non-empty segment each.
fn is_like(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(want, got): (&&str, &&str)| {
        if want.starts_with('{') {
            !got.is_empty()
        } else {
            want == got
        }
    };
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}

/// `kind` and its format: `integer:unix-time` is `("integer", "unix-time")`.
fn split_kind(kind: &str) -> (&str, &str) {
    kind.split_once(':').unwrap_or((kind, ""))
}

/// Why `text` is not of `format`, if so. Formats: `unix-time`, `currency`, `decimal`.
fn format_problem(format: &str, text: &str) -> Option<String> {
    let good = match format {
        "unix-time" => text.parse::<u64>().is_ok(),
        "currency" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()),
        "decimal" => is_decimal(text),
        _ => true,
    };
    (!good).then(|| format!("`{text}` is not a {format}"))
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    unsigned
        .split_once('.')
        .map_or_else(|| digits(unsigned), |(whole, rest)| digits(whole) && digits(rest))
}

/// Splits a path from its query and decodes the query.
fn split_query(path: &str) -> (&str, Vec<(String, String)>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    (
        path,
        form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
    )
}
