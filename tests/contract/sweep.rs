//! The checker against every operation of the table: the smallest right answer passes, each small change is noticed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::facts::{Fact, check_request, check_response, facts};

/// The smallest value of `schema` that the table allows: what is required, null where it may be.
pub(crate) fn smallest(schema: &str, prefix: &str) -> Value {
    let known = &facts().schemas[schema];
    let mut fields = Map::new();
    for (key, fact) in known.iter().filter(|(_, fact)| fact.required) {
        let below = if prefix.is_empty() {
            Some(key.as_str())
        } else {
            key.strip_prefix(prefix).and_then(|k| k.strip_prefix('.'))
        };
        if let Some(name) = below.filter(|name| !name.contains(['.', '['])) {
            fields.insert(name.to_owned(), smallest_value(schema, key, fact));
        }
    }
    Value::Object(fields)
}

fn smallest_value(schema: &str, key: &str, fact: &Fact) -> Value {
    if fact.nullable {
        return Value::Null;
    }
    let last = fact
        .kinds
        .iter()
        .find(|kind| !kind.starts_with('@'))
        .unwrap_or(&fact.kinds[0]);
    match last.split(':').next().unwrap_or_default() {
        "object" => smallest(schema, key),
        "map" => json!({}),
        "array" => json!([]),
        "string" => json!(if last.ends_with("currency") { "usd" } else { "0" }),
        "enum" => fact.values[0].clone(),
        "integer" | "number" => json!(0),
        "boolean" => json!(true),
        name => smallest(name.trim_start_matches('@'), ""),
    }
}

/// A concrete path and method for every operation.
fn operations() -> BTreeMap<(&'static str, String), &'static Vec<String>> {
    let segment = |s: &'static str| if s.starts_with('{') { "x_1" } else { s };
    let concrete = |path: &'static str| path.split('/').map(segment).collect::<Vec<_>>().join("/");
    let parts = |name: &'static String| name.split_once(' ').expect("METHOD /path");
    facts()
        .operations
        .iter()
        .map(|(name, of)| ((parts(name).0, concrete(parts(name).1)), of))
        .collect()
}

#[test]
fn for_every_operation_one_changed_field_of_the_smallest_answer_is_noticed() {
    let mut tried = BTreeSet::new();
    for ((method, path), schemas) in operations() {
        for schema in schemas.iter().filter(|schema| tried.insert(*schema)) {
            let good = smallest(schema, "");
            let problems = |body: &Value| check_response(method, &path, 200, body);
            assert_eq!(problems(&good), Vec::<String>::new(), "{schema}");
            let mut more = good.clone();
            more["surprise"] = json!(1);
            assert!(!problems(&more).is_empty(), "{schema}: an unknown field passes");
            for field in good.as_object().expect("a hash").keys() {
                let (mut less, mut other) = (good.clone(), good.clone());
                less.as_object_mut().expect("a hash").remove(field);
                other[field] = json!([[1]]);
                assert!(!problems(&less).is_empty(), "{schema}: passes without {field}");
                assert!(
                    !problems(&other).is_empty(),
                    "{schema}: passes with a wrong {field}"
                );
            }
        }
    }
}

#[test]
fn for_every_operation_an_unknown_parameter_is_noticed() {
    for (method, path) in operations().keys() {
        let problems = check_request(method, path, &[("surprise[a]", "1")]);
        assert!(
            problems.iter().any(|p| p.contains("unknown parameter surprise")),
            "{method} {path}: {problems:?}"
        );
    }
}
