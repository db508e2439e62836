//! The same changes as SQL text to review and run by hand, forward and inverse, for a database this program may not
//! write to. Pure: nothing is asked of the database.
//!
//! Each batch is one transaction that does what [`super::Writer`] does: a row is changed only where it still holds what
//! was read, its line of the ledger is written in the same transaction, and at the end the lines are counted. A batch in
//! which any row was not as planned is rolled back whole, whether or not the client stops at an error. Running a file
//! again changes nothing more.
//!
//! Run it with `psql -v ON_ERROR_STOP=1 -f`, `mysql <` or `sqlite3 -bail`.

mod literal;

use std::fmt;

use literal::{literal, quoted};

use super::decide::Way;
use super::ledger::{self, LEDGER, OF_A_ROW};
use super::name::{self, Table, quote};
use super::writer::fit;
use super::{DbError, Kind, Stamp, TableSpec};
use crate::domain::text::safe;
use crate::domain::write::{Cell, RowUpdate};

/// A file of SQL: [`forward`] or [`inverse`]. `Display` writes it whole, [`Script::parts`] batch by batch.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    kind: Kind,
    table: Table,
    key: &'a str,
    rows: &'a [RowUpdate],
    stamp: &'a Stamp,
    batch_rows: usize,
    way: Way,
}

/// The file that does what `rows` say.
pub fn forward<'a>(
    kind: Kind,
    spec: &'a TableSpec,
    rows: &'a [RowUpdate],
    stamp: &'a Stamp,
    batch_rows: usize,
) -> Result<Script<'a>, DbError> {
    script(kind, spec, rows, stamp, batch_rows, Way::Apply)
}

/// The file that takes back what the [`forward`] file, or [`super::Writer::apply`], did: only rows that have their line
/// in the ledger and still hold what it says.
pub fn inverse<'a>(
    kind: Kind,
    spec: &'a TableSpec,
    rows: &'a [RowUpdate],
    stamp: &'a Stamp,
    batch_rows: usize,
) -> Result<Script<'a>, DbError> {
    script(kind, spec, rows, stamp, batch_rows, Way::Undo)
}

fn script<'a>(
    kind: Kind,
    spec: &'a TableSpec,
    rows: &'a [RowUpdate],
    stamp: &'a Stamp,
    batch_rows: usize,
    way: Way,
) -> Result<Script<'a>, DbError> {
    let table = name::checked(spec)?;
    let refused = |at: usize, why: &str| DbError::Batch(format!("its row {} {why}", at + 1));
    for (at, row) in rows.iter().enumerate() {
        let known = |cell: &Cell| spec.columns().any(|column| column == cell.column);
        fit(row, &spec.table).map_err(|why| refused(at, &why))?;
        if !row.cells.iter().all(known) {
            return Err(refused(at, "names a column that is not configured"));
        }
    }
    if batch_rows == 0 {
        return Err(DbError::Limits);
    }
    Ok(Script {
        kind,
        table,
        key: &spec.key,
        rows,
        stamp,
        batch_rows,
        way,
    })
}

impl fmt::Display for Script<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|part| f.write_str(&part))
    }
}

impl Script<'_> {
    /// The head, then one part per batch.
    pub fn parts(&self) -> impl Iterator<Item = String> + '_ {
        let batches = self.rows.chunks(self.batch_rows).enumerate();
        std::iter::once(self.head()).chain(batches.map(|(at, rows)| self.batch(at, rows)))
    }

    fn head(&self) -> String {
        let (way, does) = match self.way {
            Way::Apply => (
                "forward",
                "A row is changed only where it still holds what was read",
            ),
            Way::Undo => (
                "inverse",
                "A row is restored only where it still holds what was written",
            ),
        };
        let set = match self.kind {
            Kind::Postgres => "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n",
            Kind::MySql => {
                "SET NAMES utf8mb4;\nSET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                 time_zone = '+00:00', innodb_lock_wait_timeout = 3;\n\
                 SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;\n"
            }
            Kind::Sqlite => {
                "PRAGMA busy_timeout = 3000;\nCREATE TEMP TABLE IF NOT EXISTS cutover_check \
                 (found INTEGER, planned INTEGER, CHECK (found = planned));\n"
            }
        };
        format!(
            "-- Application database ({}), {way}: table {}, {} rows in {} batches.\n-- Run {}, plan {}.\n\
             -- {does}; a batch in which any row does not is rolled back whole.\n\n{set}{};\n",
            self.kind.word(),
            self.table.plain(),
            self.rows.len(),
            self.rows.len().div_ceil(self.batch_rows),
            safe(&self.stamp.run),
            safe(&self.stamp.plan),
            ledger::create(self.kind, &self.table),
        )
    }

    fn batch(&self, at: usize, rows: &[RowUpdate]) -> String {
        let first = at * self.batch_rows + 1;
        let mut out = format!(
            "\n-- Batch {}: rows {first} to {} of {}.\n{}\n",
            at + 1,
            first + rows.len() - 1,
            self.rows.len(),
            match self.kind {
                Kind::Postgres =>
                    "BEGIN;\nSET LOCAL lock_timeout = '3s';\nSET LOCAL statement_timeout = '15s';",
                Kind::MySql => "START TRANSACTION;",
                Kind::Sqlite => "BEGIN IMMEDIATE;",
            }
        );
        if self.way == Way::Apply {
            let effects: Vec<_> = rows.iter().map(|row| literal(self.kind, &row.effect.0)).collect();
            let ledger = self.ledger();
            let undone = format!(
                "DELETE FROM {ledger} WHERE undone_at IS NOT NULL AND effect IN ({});\n",
                effects.join(", ")
            );
            out += &undone;
        }
        for row in rows {
            out += &self.row(row);
        }
        out + &self.end(at, rows)
    }

    fn ledger(&self) -> String {
        self.table.beside(LEDGER).quoted(self.kind)
    }

    /// The change of one row and its line of the ledger, the second only if the first found its row.
    fn row(&self, row: &RowUpdate) -> String {
        let update = self.update(row);
        let ledger = self.ledger();
        let effect = literal(self.kind, &row.effect.0);
        let values = self.values(row).join(", ");
        let into = format!(
            "INSERT INTO {ledger} (run, plan, table_name, {})",
            OF_A_ROW.join(", ")
        );
        let (now, by) = (ledger::now(self.kind), literal(self.kind, &self.stamp.run));
        let undone = format!("UPDATE {ledger} SET undone_at = {now}, undone_by = {by}");
        match (self.kind, self.way) {
            (Kind::Postgres, Way::Apply) => {
                format!(
                    "WITH changed AS (\n  {update} RETURNING 1\n) {into}\n  SELECT {values} FROM changed;\n"
                )
            }
            (Kind::Postgres, Way::Undo) => {
                format!(
                    "WITH changed AS (\n  {update} RETURNING 1\n) {undone} FROM changed WHERE effect = {effect};\n"
                )
            }
            (Kind::MySql, Way::Apply) => {
                format!("{update};\n{into}\n  SELECT {values} FROM DUAL WHERE ROW_COUNT() = 1;\n")
            }
            (Kind::MySql, Way::Undo) => {
                format!("{update};\n{undone} WHERE effect = {effect} AND ROW_COUNT() = 1;\n")
            }
            (Kind::Sqlite, Way::Apply) => {
                format!("{update};\n{into}\n  SELECT {values} WHERE changes() = 1;\n")
            }
            (Kind::Sqlite, Way::Undo) => {
                format!("{update};\n{undone} WHERE effect = {effect} AND changes() = 1;\n")
            }
        }
    }

    fn update(&self, row: &RowUpdate) -> String {
        let kind = self.kind;
        let (mut sets, mut guards) = (Vec::new(), Vec::new());
        for cell in &row.cells {
            let (from, to) = match self.way {
                Way::Apply => (&cell.before, &cell.after),
                Way::Undo => (&cell.after, &cell.before),
            };
            let name = quote(kind, &cell.column);
            sets.push(format!("{name} = {}", quoted(kind, to.as_deref())));
            guards.push(self.guard(&name, from.as_deref()));
        }
        if self.way == Way::Undo {
            guards.push(format!(
                "EXISTS (SELECT 1 FROM {} WHERE {})",
                self.ledger(),
                self.own_line(row)
            ));
        }
        let key = quote(kind, self.key);
        format!(
            "UPDATE {} SET {} WHERE {key} = {} AND {}",
            self.table.quoted(kind),
            sets.join(", "),
            literal(kind, &row.key),
            guards.join(" AND ")
        )
    }

    /// The condition that a column holds exactly this, null included, whatever its collation calls equal.
    fn guard(&self, name: &str, value: Option<&str>) -> String {
        let value = quoted(self.kind, value);
        match self.kind {
            Kind::Postgres => format!("CAST({name} AS text) IS NOT DISTINCT FROM {value}"),
            Kind::MySql => format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY) <=> {value}"),
            Kind::Sqlite => format!("CAST({name} AS TEXT) IS {value} COLLATE BINARY"),
        }
    }

    /// The condition that a line of the ledger is the active one of exactly this row.
    fn own_line(&self, row: &RowUpdate) -> String {
        let [_, _, after] = ledger::arrays(row);
        format!(
            "effect = {} AND row_key = {} AND after_values = {} AND undone_at IS NULL",
            literal(self.kind, &row.effect.0),
            literal(self.kind, &row.key),
            literal(self.kind, &after)
        )
    }

    fn values(&self, row: &RowUpdate) -> Vec<String> {
        let [columns, before, after] = ledger::arrays(row);
        let (stamp, table) = (self.stamp, self.table.plain());
        let texts = [
            &stamp.run,
            &stamp.plan,
            &table,
            &row.effect.0,
            &row.key,
            &columns,
            &before,
            &after,
        ];
        texts.map(|text| literal(self.kind, text)).into()
    }

    /// Counts the batch's lines, and ends the transaction by what was found.
    fn end(&self, at: usize, rows: &[RowUpdate]) -> String {
        let number = at + 1;
        let ledger = self.ledger();
        let planned = if self.way == Way::Undo { 0 } else { rows.len() };
        let lines: Vec<_> = rows
            .iter()
            .map(|row| format!("({})", self.own_line(row)))
            .collect();
        let count = format!("FROM {ledger} WHERE {}", lines.join("\n  OR "));
        let said = match self.way {
            Way::Apply => "rows are changed",
            Way::Undo => "rows are still to be restored",
        };
        match self.kind {
            Kind::Postgres => format!(
                "SELECT set_config('cutover.found', CAST(count(*) AS text), true) AS found {count};\n\
                 DO $cutover$ BEGIN\n  IF current_setting('cutover.found') <> '{planned}' THEN\n    \
                 RAISE EXCEPTION 'batch {number}: % {said}, planned {planned}; the batch is rolled back', \
                 current_setting('cutover.found');\n  END IF;\nEND $cutover$;\nCOMMIT;\n"
            ),
            // Only a prepared statement can be chosen by a value. After the COMMIT the ROLLBACK does nothing; without it,
            // it undoes the batch, and then the last SELECT is an error.
            Kind::MySql => format!(
                "SELECT count(*) INTO @cutover_found {count};\n\
                 SET @cutover_end = IF(@cutover_found = {planned}, 'COMMIT', 'DO 0');\n\
                 PREPARE cutover_end FROM @cutover_end;\nEXECUTE cutover_end;\nDEALLOCATE PREPARE cutover_end;\n\
                 ROLLBACK;\n\
                 SELECT IF(@cutover_found = {planned}, 'batch {number} is done', (SELECT 1 UNION SELECT 2)) AS outcome;\n"
            ),
            Kind::Sqlite => format!(
                "INSERT OR ROLLBACK INTO temp.cutover_check SELECT count(*), {planned} {count};\nCOMMIT;\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
