//! Walking a table page by page in key order, within one transaction that sees one instant.

use super::catalog::Catalog;
use super::conn::{Conn, Values};
use super::error::Trouble;
use super::name::quote;
use super::statements::{Page, page};
use super::{DbError, TableSpec};

/// Rows asked for at once: some hundred kilobytes.
pub(super) const PAGE_ROWS: usize = 1000;

/// Gives every row of the walk to `each`, the key first; returns how many there were. The transaction is the caller's.
pub(super) async fn walk(
    conn: &mut Conn,
    catalog: &Catalog,
    spec: &TableSpec,
    what: &Page,
    each: &mut (dyn FnMut(String, std::vec::IntoIter<Option<String>>) + Send),
) -> Result<u64, Trouble> {
    refuse_null_keys(conn, catalog).await?;
    let mut after: Option<String> = None;
    let mut count = 0;
    loop {
        let (sql, args) = page(catalog, spec, what, after.as_deref(), PAGE_ROWS);
        let rows = conn.fetch("reading the table", sql, args).await?;
        let full = rows.len() == PAGE_ROWS;
        let (mut first, mut last) = (None, None);
        for row in rows {
            let mut values: std::vec::IntoIter<_> = Values::into_iter(row);
            let Some(key) = values.next().flatten() else {
                return Err(null_key(catalog));
            };
            first.get_or_insert_with(|| key.clone());
            last = Some(key.clone());
            count += 1;
            each(key, values);
        }
        // A filter such as `a) OR (b` would defeat the condition that pages continue after the last key.
        if after.is_some() && (first == after || last == after) {
            return Err(DbError::Filter("makes the same rows come again").into());
        }
        if !full {
            return Ok(count);
        }
        after = last;
    }
}

fn null_key(catalog: &Catalog) -> Trouble {
    let error = DbError::Key {
        table: catalog.table.plain(),
        column: catalog.key.name.clone(),
        why: "is null in some row".to_owned(),
    };
    error.into()
}

/// Pages by key leave out rows without one; SQLite's primary keys may be null.
pub(super) async fn refuse_null_keys(conn: &mut Conn, catalog: &Catalog) -> Result<(), Trouble> {
    if !catalog.key.nullable {
        return Ok(());
    }
    let (table, key) = (
        catalog.table.quoted(catalog.kind),
        quote(catalog.kind, &catalog.key.name),
    );
    let sql = format!("SELECT 'null' FROM {table} WHERE {key} IS NULL LIMIT 1");
    let found = conn
        .fetch("looking for rows without a key", sql, Vec::new())
        .await?;
    if found.is_empty() {
        Ok(())
    } else {
        Err(null_key(catalog))
    }
}
