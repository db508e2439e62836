//! Answers against the table.

use serde_json::{Map, Value};

use super::place::Place;
use super::{Fact, Facts, expansion, facts, format_problem, split_kind, split_query};

/// Holds one answer against the table: `method` in any case, `path` concrete, `status` and body as answered. What the
/// request asked to expand is read from the query part of `path`; give a POST's `expand[]` there too.
///
/// Answers a sentence each for: a path that the table lacks, a field that is unknown at any depth, one that is required
/// and missing, a type, null or enum value that Stripe does not answer, an id answered as an object that was not asked
/// for or the other way round, and a field that only shows on request but was not asked for. From 400 on the body must
/// be an error, whatever the path. The object inside an event is checked when the event is of the table's version.
pub(crate) fn check_response(method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
    let table = facts();
    let (path, query) = split_query(path);
    let check = Check {
        table,
        asked: expansion::asked(&query),
    };
    let operation = table.operation(method, path);
    let problems = match (status, operation) {
        (400.., _) => check.named("error", body, &Place::default()),
        (200, Some(operation)) => {
            let schemas = table
                .operations
                .get(operation)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let tries = schemas
                .iter()
                .map(|name| check.named(name, body, &Place::default()));
            tries.min_by_key(Vec::len).unwrap_or_default()
        }
        (200, None) => vec!["not an operation in the table".to_owned()],
        _ => vec!["Stripe answers 200 or an error".to_owned()],
    };
    problems
        .iter()
        .map(|problem| format!("{method} {path} ({status}): {problem}"))
        .collect()
}

/// A place in the table: `key` inside `schema`.
#[derive(Clone, Copy)]
struct Known<'a> {
    schema: &'a str,
    key: &'a str,
    fact: &'a Fact,
}

struct Check<'a> {
    table: &'a Facts,
    asked: Vec<String>,
}

impl<'a> Check<'a> {
    fn named(&self, schema: &'a str, value: &Value, at: &Place) -> Vec<String> {
        self.hash(schema, "", value, at)
    }

    /// A hash whose fields are those of `schema` below `prefix`.
    fn hash(&self, schema: &'a str, prefix: &str, value: &Value, at: &Place) -> Vec<String> {
        let Some(fields) = value.as_object() else {
            return at.says("is not a hash");
        };
        let Some(known) = self.table.schema(schema) else {
            return at.says(format!(
                "shows a {schema}, which the table does not hold: let derive.py reach it"
            ));
        };
        let key_of = |name: &str| {
            if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}.{name}")
            }
        };
        let mut problems = self.absences(schema, prefix, fields, at);
        for (name, value) in fields {
            let (key, at) = (key_of(name), at.field(name));
            problems.extend(match known.get_key_value(&key) {
                None => at.says(format!("is not a field of {schema}")),
                Some((key, fact)) => self.field(Known { schema, key, fact }, fields, value, &at),
            });
        }
        problems
    }

    /// Fields that must be there and are not.
    fn absences(&self, schema: &str, prefix: &str, fields: &Map<String, Value>, at: &Place) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, fact) in self.table.schema(schema).into_iter().flatten() {
            let below = if prefix.is_empty() {
                Some(key.as_str())
            } else {
                below(key, prefix)
            };
            let Some(name) = below.filter(|name| !name.contains(['.', '[', '*'])) else {
                continue;
            };
            let at = at.field(name);
            if fields.contains_key(name) {
                continue;
            }
            if fact.required {
                problems.extend(at.says("is missing"));
            } else if expansion::must_show(schema, key) && expansion::shows(&self.asked, &at.dotted) {
                problems.extend(at.says("was asked for and is missing"));
            }
        }
        problems
    }

    fn field(
        &self,
        known: Known<'a>,
        siblings: &Map<String, Value>,
        value: &Value,
        at: &Place,
    ) -> Vec<String> {
        let asked = expansion::shows(&self.asked, &at.dotted);
        if expansion::only_on_request(known.schema, known.key) && !asked {
            return at.says("is only shown when `expand` asks for it");
        }
        if known.schema == "event" && known.key == "data" {
            return self.event_data(known, siblings, value, at);
        }
        self.value(known, value, at)
    }

    /// An event holds an object of any kind, rendered in the event's own version.
    fn event_data(
        &self,
        known: Known<'a>,
        event: &Map<String, Value>,
        value: &Value,
        at: &Place,
    ) -> Vec<String> {
        let mut problems = self.value(known, value, at);
        let object = &value["object"];
        if event.get("api_version").and_then(Value::as_str) == Some(self.table.version.as_str()) {
            let kind = object["object"].as_str().unwrap_or_default();
            let at = at.field("object");
            let tries = self.table.schemas_of_kind(kind);
            let tries = tries.into_iter().map(|schema| self.named(schema, object, &at));
            let unknown = || at.says(format!("is of the kind `{kind}`, which the table does not hold"));
            problems.extend(tries.min_by_key(Vec::len).unwrap_or_else(unknown));
        }
        problems
    }

    fn value(&self, known: Known<'a>, value: &Value, at: &Place) -> Vec<String> {
        if value.is_null() {
            let free = known.fact.nullable || known.fact.kinds.iter().any(|kind| kind == "any");
            return if free {
                Vec::new()
            } else {
                at.says("is null, which Stripe never answers here")
            };
        }
        if known.fact.is_id_or_object() {
            let asked = expansion::shows(&self.asked, &at.dotted);
            match (asked, value.is_string()) {
                (true, true) => return at.says("was asked to be expanded and is an id"),
                (false, false) => return at.says("is expanded, which nobody asked for"),
                _ => {}
            }
        }
        // Only alternatives of the value's own JSON type say something useful about what is wrong with it.
        let tries = known.fact.kinds.iter().filter(|kind| may_be(kind, value));
        let tries = tries.map(|kind| self.kind(kind, known, value, at));
        tries
            .min_by_key(Vec::len)
            .unwrap_or_else(|| wrong(known, value, at))
    }

    fn kind(&self, kind: &'a str, known: Known<'a>, value: &Value, at: &Place) -> Vec<String> {
        if let Some(schema) = kind.strip_prefix('@') {
            return self.named(schema, value, at);
        }
        let (base, format) = split_kind(kind);
        let fits = match base {
            "object" => return self.hash(known.schema, known.key, value, at),
            "array" => return self.array(known, value, at),
            "map" => return self.map(known, value, at),
            "any" => true,
            "string" => value.is_string(),
            "unset" => value == "",
            "enum" => known.fact.values.contains(value),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            _ => false,
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if fits {
            format_problem(format, &text)
                .map(|why| at.says(why))
                .unwrap_or_default()
        } else {
            wrong(known, value, at)
        }
    }

    fn array(&self, known: Known<'a>, value: &Value, at: &Place) -> Vec<String> {
        let Some(elements) = value.as_array() else {
            return wrong(known, value, at);
        };
        let Some(element) = self.below(known, "[]") else {
            return at.says("has elements of no known type");
        };
        let each = elements
            .iter()
            .enumerate()
            .flat_map(|(i, v)| self.value(element, v, &at.element(i)));
        each.collect()
    }

    fn map(&self, known: Known<'a>, value: &Value, at: &Place) -> Vec<String> {
        let Some(values) = value.as_object() else {
            return wrong(known, value, at);
        };
        let Some(any) = self.below(known, ".*") else {
            return at.says("has values of no known type");
        };
        values
            .iter()
            .flat_map(|(name, v)| self.value(any, v, &at.field(name)))
            .collect()
    }

    /// The facts of elements (`[]`) or values (`.*`).
    fn below(&self, known: Known<'a>, suffix: &str) -> Option<Known<'a>> {
        let (key, fact) = self
            .table
            .schema(known.schema)?
            .get_key_value(&format!("{}{suffix}", known.key))?;
        Some(Known {
            schema: known.schema,
            key,
            fact,
        })
    }
}

/// Whether a value of this JSON type can be of `kind` at all.
fn may_be(kind: &str, value: &Value) -> bool {
    let hash = kind.starts_with('@') || kind == "object" || kind == "map";
    kind == "any" || hash == value.is_object() && (kind == "array") == value.is_array()
}

/// The rest of `key` below the hash `prefix`.
fn below<'k>(key: &'k str, prefix: &str) -> Option<&'k str> {
    key.strip_prefix(prefix)?.strip_prefix('.')
}

fn wrong(known: Known<'_>, value: &Value, at: &Place) -> Vec<String> {
    at.says(format!("is {value}, not {}", known.fact.alternatives()))
}
