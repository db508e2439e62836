//! What `expand` may name, and whether an answer shows what was asked for and nothing more.
//!
//! Fields are named as Stripe does, dotted and without indexes: `data.customer` for the customer of each listed object.

use super::{Fact, Facts, NOT_EVERYWHERE, ONLY_ON_REQUEST};

/// Problems with the `expand` values among `pairs`, for an operation of the table.
pub(super) fn request_problems(table: &Facts, operation: &str, pairs: &[(String, String)]) -> Vec<String> {
    let returns = table.operations.get(operation).cloned().unwrap_or_default();
    let wrong = |path: &&str| !returns.iter().any(|schema| can_expand(table, schema, "", path));
    let asked = asked(pairs);
    asked
        .iter()
        .map(String::as_str)
        .filter(wrong)
        .map(|path| format!("expand: `{path}` cannot be expanded"))
        .collect()
}

/// The values of `expand[]` and `expand[0]` among `pairs`.
pub(super) fn asked(pairs: &[(String, String)]) -> Vec<String> {
    pairs
        .iter()
        .filter(|(key, _)| key.starts_with("expand["))
        .map(|(_, value)| value.clone())
        .collect()
}

/// Whether `asked` shows the field at `dotted`: it, or something inside it, was named.
pub(super) fn shows(asked: &[String], dotted: &str) -> bool {
    asked.iter().any(|path| {
        path.strip_prefix(dotted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Whether the field is absent unless asked for.
pub(super) fn only_on_request(schema: &str, field: &str) -> bool {
    ONLY_ON_REQUEST.contains(&(schema, field))
}

/// Whether the field must be there once it is asked for.
pub(super) fn must_show(schema: &str, field: &str) -> bool {
    only_on_request(schema, field) && !NOT_EVERYWHERE.contains(&(schema, field))
}

/// Whether `path` leads from the hash `prefix` of `schema` to something that `expand` may name.
fn can_expand(table: &Facts, schema: &str, prefix: &str, path: &str) -> bool {
    let (field, rest) = path
        .split_once('.')
        .map_or((path, None), |(field, rest)| (field, Some(rest)));
    let key = if prefix.is_empty() {
        field.to_owned()
    } else {
        format!("{prefix}.{field}")
    };
    let Some(known) = table.schema(schema) else {
        return false;
    };
    let Some(mut fact) = known.get(&key) else {
        return false;
    };
    let mut key = key;
    let mut expandable = fact.expandable || only_on_request(schema, &key);
    while let Some(element) = known.get(&format!("{key}[]")) {
        key.push_str("[]");
        fact = element;
        expandable |= fact.expandable;
    }
    let values = format!("{key}.*");
    match (rest, known.get(&values)) {
        (None, _) => expandable,
        // Below a map any name leads to its values.
        (Some(rest), Some(fact)) => rest
            .split_once('.')
            .is_some_and(|(_, rest)| into(table, schema, &values, fact, rest)),
        (Some(rest), None) => into(table, schema, &key, fact, rest),
    }
}

fn into(table: &Facts, schema: &str, key: &str, fact: &Fact, rest: &str) -> bool {
    fact.kinds.iter().any(|kind| match kind.strip_prefix('@') {
        Some(name) => can_expand(table, name, "", rest),
        None => kind == "object" && can_expand(table, schema, key, rest),
    })
}
