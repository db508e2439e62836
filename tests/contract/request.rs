//! Requests against the table.

use std::collections::BTreeMap;

use super::{Fact, Facts, expansion, facts, format_problem, split_kind, split_query};

/// A parameter as Stripe reads a form: a value, or a hash of more.
#[derive(Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

/// Holds one request against the table: `method` in any case, `path` concrete (`/v1/customers/cus_1`) with or without a
/// query, `pairs` the decoded parameters of query and body in wire form (`("items[0][price]", "price_1")`).
///
/// Answers a sentence each for: a path that the table lacks, a parameter unknown at any depth, one that is required and
/// missing (inside a hash: only where the hash is sent), a value of the wrong type or outside the enum, a parameter given
/// twice, and an `expand` that names nothing expandable.
pub(crate) fn check_request<K: AsRef<str>, V: AsRef<str>>(
    method: &str,
    path: &str,
    pairs: &[(K, V)],
) -> Vec<String> {
    let table = facts();
    let (path, mut all) = split_query(path);
    all.extend(
        pairs
            .iter()
            .map(|(k, v)| (k.as_ref().to_owned(), v.as_ref().to_owned())),
    );
    let Some(operation) = table.operation(method, path) else {
        return vec![format!("{method} {path} is not an operation in the table")];
    };
    let mut problems = Vec::new();
    let mut root = Node::default();
    for (key, value) in &all {
        if let Err(problem) = insert(&mut root, key, value) {
            problems.push(problem);
        }
    }
    let Some(known) = table.parameters.get(operation) else {
        return vec![format!("{operation} has no parameters in the table")];
    };
    let check = Check { known };
    check.hash("", "", &root, &mut problems);
    problems.extend(expansion::request_problems(table, operation, &all));
    problems
        .iter()
        .map(|problem| format!("{operation}: {problem}"))
        .collect()
}

/// Puts `key` (`a[b][0]`) into the tree.
fn insert(root: &mut Node, key: &str, value: &str) -> Result<(), String> {
    let (head, rest) = key
        .split_once('[')
        .map_or((key, None), |(head, rest)| (head, Some(rest)));
    let mut tokens = vec![head];
    if let Some(rest) = rest {
        let inner = rest
            .strip_suffix(']')
            .ok_or_else(|| format!("`{key}` has an open bracket"))?;
        tokens.extend(inner.split("]["));
    }
    if head.is_empty() || tokens.iter().any(|token| token.contains(['[', ']'])) {
        return Err(format!("`{key}` is not a parameter name"));
    }
    let mut node = root;
    for token in tokens {
        // `a[]=1&a[]=2` are two elements.
        let name = if token.is_empty() {
            format!("#{}", node.children.len())
        } else {
            token.to_owned()
        };
        node = node.children.entry(name).or_default();
    }
    match node.value.replace(value.to_owned()) {
        Some(_) => Err(format!("`{key}` is given twice")),
        None => Ok(()),
    }
}

struct Check<'a> {
    known: &'a BTreeMap<String, Fact>,
}

impl Check<'_> {
    /// The children of the hash `at` (wire name) whose facts are found under `path` (table name).
    fn hash(&self, at: &str, path: &str, node: &Node, problems: &mut Vec<String>) {
        for (name, child) in &node.children {
            let (below, wire) = (join(path, name), join(at, name));
            let any = format!("{path}[*]");
            match (self.known.get(&below), self.known.get(&any)) {
                (Some(fact), _) => self.value(&wire, &below, fact, child, problems),
                (None, Some(fact)) => self.value(&wire, &any, fact, child, problems),
                (None, None) => problems.push(format!("unknown parameter {wire}")),
            }
        }
        for (name, fact) in &self.known_below(path) {
            if fact.required && !node.children.contains_key(*name) {
                problems.push(format!("missing required parameter {}", join(at, name)));
            }
        }
    }

    /// Facts of the direct children of the hash `path`, by their own name.
    fn known_below(&self, path: &str) -> Vec<(&str, &Fact)> {
        let direct = |(key, fact)| direct_child(key, path).map(|name| (name, fact));
        self.known
            .iter()
            .map(|(key, fact)| (key.as_str(), fact))
            .filter_map(direct)
            .collect()
    }

    fn value(&self, at: &str, path: &str, fact: &Fact, node: &Node, problems: &mut Vec<String>) {
        let has = |kind: &str| fact.kinds.iter().any(|k| k == kind);
        if let Some(text) = &node.value {
            problems.extend(scalar_problem(fact, text).map(|why| format!("{at}: {why}")));
        }
        if node.children.is_empty() {
            return;
        }
        if node.value.is_some() {
            problems.push(format!("{at} is both a value and a hash"));
        } else if has("array") && node.children.keys().all(|key| is_index(key)) {
            let element = format!("{path}[]");
            if let Some(fact) = self.known.get(&element) {
                node.children.iter().for_each(|(index, child)| {
                    self.value(
                        &join(at, index.trim_start_matches('#')),
                        &element,
                        fact,
                        child,
                        problems,
                    );
                });
            }
        } else if has("object") || has("map") {
            self.hash(at, path, node, problems);
        } else {
            problems.push(format!(
                "{at} takes {}, not a hash or array",
                fact.kinds.join(" or ")
            ));
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}[{name}]")
    }
}

/// `c` for `a[b][c]` below `a[b]`; none for anything deeper, elsewhere, or an element.
fn direct_child<'a>(key: &'a str, path: &str) -> Option<&'a str> {
    let name = if path.is_empty() {
        key
    } else {
        key.strip_prefix(path)?.strip_prefix('[')?.strip_suffix(']')?
    };
    (!name.contains(['[', ']']) && !name.is_empty() && name != "*").then_some(name)
}

fn is_index(key: &str) -> bool {
    key.starts_with('#') || (!key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()))
}

/// Why no alternative of `fact` takes the plain value `text`, if none does.
fn scalar_problem(fact: &Fact, text: &str) -> Option<String> {
    let takes = |kind: &String| {
        let (base, format) = split_kind(kind);
        let base_fits = match base {
            "string" | "any" => true,
            "unset" => text.is_empty(),
            "enum" => fact.values.iter().any(|v| v.as_str().is_some_and(|s| s == text)),
            "integer" => text.parse::<i64>().is_ok(),
            "number" => super::is_decimal(text),
            "boolean" => text == "true" || text == "false",
            _ => false,
        };
        base_fits && format_problem(format, text).is_none()
    };
    (!fact.kinds.iter().any(takes)).then(|| format!("`{text}` is not {}", fact.alternatives()))
}

/// Used by the tests of the table itself.
pub(crate) fn takes(facts: &Facts, operation: &str, parameter: &str) -> bool {
    facts
        .parameters
        .get(operation)
        .is_some_and(|known| known.contains_key(parameter))
}
