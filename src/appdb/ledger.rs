//! The ledger of effects: one line per row changed, written in the transaction that changes it.
//!
//! It lies in the application's own database, beside the table, because only there can it be committed together with the
//! change; the journal of the run cannot. A line that was undone stays, marked.

use crate::domain::ids::EffectId;
use crate::domain::write::{Cell, RowUpdate};

use super::Kind;
use super::catalog::Catalog;
use super::conn::{Conn, Values};
use super::error::Trouble;
use super::name::Table;
use super::statements::{self, NewLine};

/// The table's name; its schema is that of the application's table.
pub const LEDGER: &str = "cutover_effects";

/// Columns of a line that differ from row to row, in the order of [`NewLine`].
pub(super) const OF_A_ROW: [&str; 5] = [
    "effect",
    "row_key",
    "column_names",
    "before_values",
    "after_values",
];

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The run that did it.
    pub run: String,
    /// The plan it did it under.
    pub plan: String,
    /// The table, as configured.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// What it held before and after.
    pub cells: Vec<Cell>,
    /// When, by the database's clock: RFC 3339, UTC.
    pub at: String,
    /// When and by which run it was undone.
    pub undone: Option<(String, String)>,
}

impl LedgerLine {
    /// Whether it is the line of exactly this change.
    #[must_use]
    pub fn is_of(&self, update: &RowUpdate) -> bool {
        self.table == update.table && self.key == update.key && self.cells == update.cells
    }

    pub(super) fn read(row: Values) -> Option<(EffectId, Self)> {
        let [
            run,
            plan,
            table,
            effect,
            key,
            columns,
            before,
            after,
            at,
            undone_at,
            undone_by,
        ] = <[Option<String>; 11]>::try_from(row).ok()?;
        let columns: Vec<String> = serde_json::from_str(&columns?).ok()?;
        let before: Vec<Option<String>> = serde_json::from_str(&before?).ok()?;
        let after: Vec<Option<String>> = serde_json::from_str(&after?).ok()?;
        let cells = columns.into_iter().zip(before).zip(after);
        let cells = cells.map(|((column, before), after)| Cell {
            column,
            before,
            after,
        });
        let line = Self {
            run: run?,
            plan: plan?,
            table: table?,
            key: key?,
            cells: cells.collect(),
            at: at.unwrap_or_default(),
            undone: undone_at.map(|at| (at, undone_by.unwrap_or_default())),
        };
        Some((EffectId(effect?), line))
    }
}

/// Columns, before and after as JSON arrays.
pub(super) fn arrays(update: &RowUpdate) -> [String; 3] {
    let names: Vec<_> = update.cells.iter().map(|cell| &cell.column).collect();
    let before: Vec<_> = update.cells.iter().map(|cell| &cell.before).collect();
    let after: Vec<_> = update.cells.iter().map(|cell| &cell.after).collect();
    // Strings and nulls only; serialising them cannot fail.
    [
        serde_json::to_string(&names).unwrap_or_default(),
        serde_json::to_string(&before).unwrap_or_default(),
        serde_json::to_string(&after).unwrap_or_default(),
    ]
}

/// "Now" in the ledger's own type.
pub(super) const fn now(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "clock_timestamp()",
        Kind::MySql => "UTC_TIMESTAMP(3)",
        Kind::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    }
}

/// The statement that makes the table, for the schema of `table`.
#[must_use]
pub(super) fn create(kind: Kind, table: &Table) -> String {
    let name = table.beside(LEDGER).quoted(kind);
    match kind {
        Kind::Postgres => format!(
            "CREATE TABLE IF NOT EXISTS {name} (effect text COLLATE \"C\" PRIMARY KEY, run text NOT NULL, \
             plan text NOT NULL, table_name text NOT NULL, row_key text NOT NULL, column_names text NOT NULL, \
             before_values text NOT NULL, after_values text NOT NULL, \
             at timestamptz NOT NULL DEFAULT clock_timestamp(), undone_at timestamptz, undone_by text)"
        ),
        Kind::MySql => format!(
            "CREATE TABLE IF NOT EXISTS {name} (effect VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, \
             run VARCHAR(255) NOT NULL, plan VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, \
             row_key TEXT NOT NULL, column_names TEXT NOT NULL, before_values MEDIUMTEXT NOT NULL, \
             after_values MEDIUMTEXT NOT NULL, at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), \
             undone_at DATETIME(3), undone_by VARCHAR(255)) \
             ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        ),
        Kind::Sqlite => format!(
            "CREATE TABLE IF NOT EXISTS {name} (effect TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, \
             plan TEXT NOT NULL, table_name TEXT NOT NULL, row_key TEXT NOT NULL, column_names TEXT NOT NULL, \
             before_values TEXT NOT NULL, after_values TEXT NOT NULL, \
             at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), undone_at TEXT, undone_by TEXT)"
        ),
    }
}

/// Whether the ledger is there, and is one.
pub(super) async fn exists(conn: &mut Conn, table: &Table) -> Result<bool, Trouble> {
    match Catalog::columns_of(conn, &table.beside(LEDGER)).await {
        Err(trouble) if matches!(trouble.error, super::DbError::NoTable { .. }) => Ok(false),
        Err(trouble) => Err(trouble),
        Ok(columns) => {
            let known = |name: &&str| columns.iter().any(|column| column.name == **name);
            let all = ["run", "plan", "table_name", "at", "undone_at", "undone_by"];
            if OF_A_ROW.iter().chain(&all).all(known) {
                return Ok(true);
            }
            let error = super::DbError::LedgerShape {
                place: conn.place().to_owned(),
                table: table.beside(LEDGER).plain(),
            };
            Err(error.into())
        }
    }
}

/// The statement that writes the lines of `updates`.
pub(super) fn insert(
    catalog: &Catalog,
    run: &str,
    plan: &str,
    updates: &[&RowUpdate],
) -> statements::Statement {
    let arrays: Vec<_> = updates.iter().map(|update| arrays(update)).collect();
    let line = |(update, [columns, before, after]): (&&RowUpdate, &'_ [String; 3])| -> [String; 5] {
        [
            update.effect.0.clone(),
            update.key.clone(),
            columns.clone(),
            before.clone(),
            after.clone(),
        ]
    };
    let lines: Vec<_> = updates.iter().zip(&arrays).map(line).collect();
    let lines: Vec<NewLine<'_>> = lines
        .iter()
        .map(|line| line.each_ref().map(String::as_str))
        .collect();
    statements::insert_lines(catalog, [run, plan, &catalog.table.plain()], &lines)
}
