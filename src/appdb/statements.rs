//! The statements, as text with their values beside them. Names come checked and quoted; values are never in the text.

use super::catalog::{Catalog, Column, Form};
use super::conn::Arg;
use super::ledger;
use super::name::quote;
use super::{Kind, TableSpec};

/// A statement and its values.
pub(super) type Statement = (String, Vec<Arg>);

/// One row's new values, and what it must hold before.
pub(super) struct Change<'a> {
    pub(super) key: &'a str,
    pub(super) from: Vec<Option<&'a str>>,
    pub(super) to: Vec<Option<&'a str>>,
}

/// The value of a column as text.
fn as_text(kind: Kind, column: &Column) -> String {
    let name = quote(kind, &column.name);
    match kind {
        Kind::Postgres | Kind::Sqlite => format!("CAST({name} AS text)"),
        Kind::MySql => format!("CAST({name} AS CHAR CHARACTER SET utf8mb4)"),
    }
}

/// Text that is the same exactly if the value is the same, type included; the fingerprint's.
fn exactly(kind: Kind, column: &Column) -> String {
    let name = quote(kind, &column.name);
    match (kind, column.declared.as_str()) {
        // MySQL shows a FLOAT with six digits unless it is widened first.
        (Kind::MySql, "float" | "double") => format!("CAST({name} + 0e0 AS CHAR)"),
        (Kind::MySql, declared) if is_binary(declared) => format!("HEX({name})"),
        (Kind::Sqlite, _) => format!(
            "CASE typeof({name}) WHEN 'text' THEN 't' || {name} WHEN 'null' THEN NULL ELSE quote({name}) END"
        ),
        _ => as_text(kind, column),
    }
}

fn is_binary(declared: &str) -> bool {
    const BINARY: [&str; 11] = [
        "binary",
        "blob",
        "bit",
        "geometry",
        "point",
        "linestring",
        "polygon",
        "collection",
        "vector",
        "inet6",
        "inet4",
    ];
    BINARY.iter().any(|part| declared.contains(part))
}

/// Whether text can be a key of this form at all; what cannot is not in the table, and would be an error to ask for.
pub(super) fn can_be(form: Form, key: &str) -> bool {
    match form {
        Form::Integer => key.parse::<i64>().is_ok_and(|n| n.to_string() == key),
        Form::Unsigned => key.parse::<u64>().is_ok_and(|n| n.to_string() == key),
        Form::Uuid => {
            key.len() == 36
                && key.bytes().enumerate().all(|(at, byte)| match at {
                    8 | 13 | 18 | 23 => byte == b'-',
                    _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                })
        }
        Form::Text | Form::Other => !key.contains('\0'),
    }
}

fn key_arg(form: Form, key: &str) -> Arg {
    match form {
        Form::Integer => key.parse().map_or_else(|_| Arg::text(key), Arg::Int),
        Form::Unsigned => key.parse().map_or_else(|_| Arg::text(key), Arg::Unsigned),
        _ => Arg::text(key),
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn json(values: &impl serde::Serialize) -> Arg {
    // Strings and nulls only; serialising them cannot fail.
    Arg::Text(serde_json::to_string(values).ok())
}

/// The condition that the key is one of `keys`.
fn among(catalog: &Catalog, keys: &[&str]) -> Statement {
    let key = quote(catalog.kind, &catalog.key.name);
    match catalog.kind {
        Kind::Postgres => {
            let keys = keys.iter().map(|key| Some((*key).to_owned())).collect();
            let cast = &catalog.key.cast;
            (
                format!("{key} = ANY(CAST(CAST($1 AS text[]) AS {cast}[]))"),
                vec![Arg::Texts(keys)],
            )
        }
        Kind::MySql => {
            let places = places(keys.len());
            let args = keys.iter().map(|k| key_arg(catalog.key.form, k)).collect();
            (format!("{key} IN ({places})"), args)
        }
        Kind::Sqlite => {
            let sql = format!("{key} IN (SELECT value FROM json_each(?1))");
            (sql, vec![json(&keys)])
        }
    }
}

fn places(count: usize) -> String {
    vec!["?"; count].join(",")
}

/// The rows with `keys`, in key order: the key, then `columns`.
pub(super) fn some(catalog: &Catalog, columns: &[&Column], keys: &[&str]) -> Statement {
    let (among, args) = among(catalog, keys);
    let order = quote(catalog.kind, &catalog.key.name);
    let (list, table) = (list(catalog, columns), catalog.table.quoted(catalog.kind));
    (
        format!("SELECT {list} FROM {table} WHERE {among} ORDER BY {order}"),
        args,
    )
}

/// As [`some`], locked until the transaction ends. SQLite locks the whole file when the transaction begins.
pub(super) fn locked(catalog: &Catalog, columns: &[&Column], keys: &[&str]) -> Statement {
    let (sql, args) = some(catalog, columns, keys);
    match catalog.kind {
        // What an UPDATE that leaves the key alone takes; checks of foreign keys need not wait for it.
        Kind::Postgres => (format!("{sql} FOR NO KEY UPDATE"), args),
        Kind::MySql => (format!("{sql} FOR UPDATE"), args),
        Kind::Sqlite => (sql, args),
    }
}

fn list(catalog: &Catalog, columns: &[&Column]) -> String {
    let all = std::iter::once(&catalog.key).chain(columns.iter().copied());
    let all: Vec<_> = all.map(|column| as_text(catalog.kind, column)).collect();
    all.join(", ")
}

/// What a page of the table holds.
pub(super) enum Page {
    /// The configured columns of the rows that meet the filter.
    Rows,
    /// Every column of every row.
    Everything,
}

/// One page of the table after the key `after`: the key, then the page's columns.
pub(super) fn page(
    catalog: &Catalog,
    spec: &TableSpec,
    page: &Page,
    after: Option<&str>,
    rows: usize,
) -> Statement {
    let kind = catalog.kind;
    let (list, filter) = match page {
        Page::Rows => {
            let columns: Vec<_> = catalog.read.iter().collect();
            (list(catalog, &columns), spec.filter.as_deref())
        }
        Page::Everything => {
            let stored = stored(catalog).map(|column| exactly(kind, column));
            let list: Vec<_> = std::iter::once(as_text(kind, &catalog.key))
                .chain(stored)
                .collect();
            (list.join(", "), None)
        }
    };
    let key = quote(kind, &catalog.key.name);
    let (mut conditions, mut args) = (Vec::new(), Vec::new());
    if let Some(after) = after {
        conditions.push(match kind {
            Kind::Postgres => format!("{key} > CAST(CAST($1 AS text) AS {})", catalog.key.cast),
            Kind::MySql | Kind::Sqlite => format!("{key} > ?"),
        });
        args.push(match kind {
            Kind::Postgres => Arg::text(after),
            Kind::MySql | Kind::Sqlite => key_arg(catalog.key.form, after),
        });
    }
    // On its own line, so that a comment at its end does not swallow the rest.
    conditions.extend(filter.map(|filter| format!("({filter}\n)")));
    let conditions = match conditions.as_slice() {
        [] => String::new(),
        all => format!(" WHERE {}", all.join(" AND ")),
    };
    let table = catalog.table.quoted(kind);
    (
        format!("SELECT {list} FROM {table}{conditions} ORDER BY {key} LIMIT {rows}"),
        args,
    )
}

/// The columns that hold something of their own. What the database computes from others cannot change by itself.
pub(super) fn stored(catalog: &Catalog) -> impl Iterator<Item = &Column> {
    catalog.columns.iter().filter(|column| !column.generated)
}

/// Sets `columns` of all `changes` at once; in PostgreSQL of those that hold, byte by byte, what they must. Gives back the rows as they are then, key first, except MySQL, which cannot.
pub(super) fn update(catalog: &Catalog, columns: &[&Column], changes: &[Change<'_>]) -> Statement {
    match catalog.kind {
        Kind::Postgres => update_postgres(catalog, columns, changes),
        Kind::MySql => update_mysql(catalog, columns, changes),
        Kind::Sqlite => update_sqlite(catalog, columns, changes),
    }
}

fn update_postgres(catalog: &Catalog, columns: &[&Column], changes: &[Change<'_>]) -> Statement {
    let table = catalog.table.quoted(catalog.kind);
    let key = quote(catalog.kind, &catalog.key.name);
    let mut args = vec![Arg::Texts(
        changes.iter().map(|c| Some(c.key.to_owned())).collect(),
    )];
    let (mut arrays, mut names) = (vec!["CAST($1 AS text[])".to_owned()], vec!["k".to_owned()]);
    let (mut sets, mut guards, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        let name = quote(catalog.kind, &column.name);
        args.push(Arg::Texts(changes.iter().map(|c| owned(c.from[at])).collect()));
        args.push(Arg::Texts(changes.iter().map(|c| owned(c.to[at])).collect()));
        arrays.push(format!(
            "CAST(${} AS text[]), CAST(${} AS text[])",
            2 * at + 2,
            2 * at + 3
        ));
        names.push(format!("b{at}, a{at}"));
        sets.push(format!("{name} = CAST(v.a{at} AS {})", column.cast));
        guards.push(format!(
            " AND CAST(t.{name} AS text) COLLATE \"C\" IS NOT DISTINCT FROM v.b{at}"
        ));
        back.push(format!(", CAST(t.{name} AS text)"));
    }
    let sql = format!(
        "UPDATE {table} AS t SET {} FROM unnest({}) AS v({}) WHERE t.{key} = CAST(v.k AS {}){} \
         RETURNING CAST(t.{key} AS text){}",
        sets.join(", "),
        arrays.join(", "),
        names.join(", "),
        catalog.key.cast,
        guards.concat(),
        back.concat()
    );
    (sql, args)
}

/// The rows are locked and were compared byte by byte, so the condition is the key alone: a comparison in the column's
/// collation would say less.
fn update_mysql(catalog: &Catalog, columns: &[&Column], changes: &[Change<'_>]) -> Statement {
    let table = catalog.table.quoted(catalog.kind);
    let key = quote(catalog.kind, &catalog.key.name);
    let key_of = |change: &Change<'_>| key_arg(catalog.key.form, change.key);
    let whens = " WHEN ? THEN ?".repeat(changes.len());
    let (mut sets, mut args) = (Vec::new(), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        let name = quote(catalog.kind, &column.name);
        sets.push(format!("{name} = CASE {key}{whens} END"));
        for change in changes {
            args.extend([key_of(change), Arg::Text(owned(change.to[at]))]);
        }
    }
    // Nothing but what was approved changes, so a column that MySQL would move by itself is held.
    let set = |column: &&Column| columns.iter().any(|set| set.name == column.name);
    let held = catalog
        .columns
        .iter()
        .filter(|column| column.moves && column.settable);
    for column in held.filter(|column| !set(column)) {
        let name = quote(catalog.kind, &column.name);
        sets.push(format!("{name} = {name}"));
    }
    args.extend(changes.iter().map(key_of));
    let places = places(changes.len());
    (
        format!("UPDATE {table} SET {} WHERE {key} IN ({places})", sets.join(", ")),
        args,
    )
}

fn update_sqlite(catalog: &Catalog, columns: &[&Column], changes: &[Change<'_>]) -> Statement {
    let table = catalog.table.quoted(catalog.kind);
    let key = quote(catalog.kind, &catalog.key.name);
    let rows: Vec<Vec<Option<&str>>> = changes
        .iter()
        .map(|change| {
            std::iter::once(Some(change.key))
                .chain(change.to.iter().copied())
                .collect()
        })
        .collect();
    let mut sets = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let name = quote(catalog.kind, &column.name);
        sets.push(format!("{name} = json_extract(v.value, '$[{}]')", at + 1));
    }
    let sql = format!(
        "UPDATE {table} AS t SET {} FROM json_each(?1) AS v WHERE t.{key} = json_extract(v.value, '$[0]')",
        sets.join(", ")
    );
    (sql, vec![json(&rows)])
}

/// One new line of the ledger: effect, key, columns, before, after.
pub(super) type NewLine<'a> = [&'a str; 5];

/// Writes lines of the ledger, under one run, plan and table.
pub(super) fn insert_lines(catalog: &Catalog, same: [&str; 3], lines: &[NewLine<'_>]) -> Statement {
    let table = catalog.table.beside(ledger::LEDGER).quoted(catalog.kind);
    let into = format!(
        "INSERT INTO {table} (run, plan, table_name, {})",
        ledger::OF_A_ROW.join(", ")
    );
    match catalog.kind {
        Kind::Postgres => {
            let column = |at: usize| Arg::Texts(lines.iter().map(|line| Some(line[at].to_owned())).collect());
            let args = same
                .into_iter()
                .map(Arg::text)
                .chain((0..5).map(column))
                .collect();
            let arrays = (4..9)
                .map(|n| format!("CAST(${n} AS text[])"))
                .collect::<Vec<_>>()
                .join(", ");
            (
                format!("{into} SELECT $1, $2, $3, v.* FROM unnest({arrays}) AS v(e, k, c, b, a)"),
                args,
            )
        }
        Kind::MySql => {
            let row = format!("({})", places(8));
            let values = vec![row.as_str(); lines.len()].join(",");
            let args = lines
                .iter()
                .flat_map(|line| same.iter().chain(line))
                .map(|text| Arg::text(text));
            (format!("{into} VALUES {values}"), args.collect())
        }
        Kind::Sqlite => {
            let parts: Vec<_> = (0..5)
                .map(|at| format!("json_extract(value, '$[{at}]')"))
                .collect();
            let sql = format!(
                "{into} SELECT ?1, ?2, ?3, {} FROM json_each(?4)",
                parts.join(", ")
            );
            let args = same.into_iter().map(Arg::text).chain([json(&lines)]);
            (sql, args.collect())
        }
    }
}

/// The condition that the ledger's effect is one of `effects`, whose first value has the number `first`.
fn of_effects(kind: Kind, effects: &[&str], first: usize) -> Statement {
    let texts = || effects.iter().map(|effect| Some((*effect).to_owned())).collect();
    match kind {
        Kind::Postgres => (
            format!("effect = ANY(CAST(${first} AS text[]))"),
            vec![Arg::Texts(texts())],
        ),
        Kind::MySql => (
            format!("effect IN ({})", places(effects.len())),
            vec![Arg::Texts(texts())],
        ),
        Kind::Sqlite => (
            format!("effect IN (SELECT value FROM json_each(?{first}))"),
            vec![json(&effects)],
        ),
    }
}

/// The lines of `effects`, with the columns of [`ledger::LedgerLine`].
pub(super) fn lines(catalog: &Catalog, effects: &[&str]) -> Statement {
    let kind = catalog.kind;
    let table = catalog.table.beside(ledger::LEDGER).quoted(kind);
    let (of, args) = of_effects(kind, effects, 1);
    let time = |name: &str| match kind {
        Kind::Postgres => format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"),
        Kind::MySql => format!("CAST(DATE_FORMAT({name}, '%Y-%m-%dT%H:%i:%s.%fZ') AS CHAR)"),
        Kind::Sqlite => name.to_owned(),
    };
    let (at, undone_at) = (time("at"), time("undone_at"));
    let list = format!(
        "run, plan, table_name, {}, {at}, {undone_at}, undone_by",
        ledger::OF_A_ROW.join(", ")
    );
    (format!("SELECT {list} FROM {table} WHERE {of}"), args)
}

/// Marks lines undone.
pub(super) fn mark_undone(catalog: &Catalog, run: &str, effects: &[&str]) -> Statement {
    let kind = catalog.kind;
    let table = catalog.table.beside(ledger::LEDGER).quoted(kind);
    let (of, mut args) = of_effects(kind, effects, 2);
    args.insert(0, Arg::text(run));
    let now = ledger::now(kind);
    let by = match kind {
        Kind::Postgres => "$1",
        Kind::MySql => "?",
        Kind::Sqlite => "?1",
    };
    let sql =
        format!("UPDATE {table} SET undone_at = {now}, undone_by = {by} WHERE undone_at IS NULL AND {of}");
    (sql, args)
}

/// Removes undone lines, so that their effects can be done anew.
pub(super) fn remove_undone(catalog: &Catalog, effects: &[&str]) -> Statement {
    let table = catalog.table.beside(ledger::LEDGER).quoted(catalog.kind);
    let (of, args) = of_effects(catalog.kind, effects, 1);
    (
        format!("DELETE FROM {table} WHERE undone_at IS NOT NULL AND {of}"),
        args,
    )
}
