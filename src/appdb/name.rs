//! Names of tables and columns: checked, and quoted for each database.

use std::collections::BTreeSet;

use super::{DbError, Kind, TableSpec};
use crate::domain::text::safe;

/// PostgreSQL cuts longer names off silently, so that two of them may become one.
const LONGEST: usize = 63;

/// `schema.table`, both checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl Table {
    pub(super) fn parse(text: &str) -> Result<Self, DbError> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        let good = is_plain(name) && schema.is_none_or(is_plain);
        if !good {
            return Err(bad("table", text));
        }
        Ok(Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        })
    }

    /// As configured.
    pub(super) fn plain(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// As it stands in SQL.
    pub(super) fn quoted(&self, kind: Kind) -> String {
        let name = quote(kind, &self.name);
        match &self.schema {
            Some(schema) => format!("{}.{name}", quote(kind, schema)),
            None => name,
        }
    }

    /// The table `name` in the same schema.
    pub(super) fn beside(&self, name: &str) -> Self {
        Self {
            schema: self.schema.clone(),
            name: name.to_owned(),
        }
    }
}

/// A checked name as it stands in SQL.
pub(super) fn quote(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Postgres | Kind::Sqlite => format!("\"{name}\""),
        Kind::MySql => format!("`{name}`"),
    }
}

fn is_plain(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= LONGEST
        && name.chars().all(rest)
}

fn bad(what: &'static str, name: &str) -> DbError {
    DbError::Name {
        what,
        name: safe(name),
    }
}

/// Checks every name and the filter; gives the table.
pub(super) fn checked(spec: &TableSpec) -> Result<Table, DbError> {
    let table = Table::parse(&spec.table)?;
    let mut seen = BTreeSet::new();
    for (what, name) in std::iter::once(("key column", spec.key.as_str())).chain(named(spec)) {
        if !is_plain(name) {
            return Err(bad(what, name));
        }
        if !seen.insert(name) {
            return Err(DbError::Twice(name.to_owned()));
        }
    }
    let filter = spec.filter.as_deref().unwrap_or("true");
    if filter.contains([';', '\0']) {
        return Err(DbError::Filter("contains a semicolon or a NUL"));
    }
    if filter.trim().is_empty() {
        return Err(DbError::Filter("is empty"));
    }
    Ok(table)
}

fn named(spec: &TableSpec) -> impl Iterator<Item = (&'static str, &str)> {
    let customer = spec
        .customer
        .iter()
        .map(|name| ("customer column", name.as_str()));
    let extra = spec.extra.iter().map(|name| ("extra column", name.as_str()));
    std::iter::once(("method column", spec.method.as_str()))
        .chain(customer)
        .chain(extra)
}
