//! One digest of everything in the table that must not change.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{Digest, Hashing};

use super::TableSpec;
use super::catalog::Catalog;
use super::conn::Conn;
use super::error::Trouble;
use super::pages;
use super::statements::{Page, stored};

/// See [`super::Reader::fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Rows of the whole table.
    pub rows: u64,
    /// Of their values.
    pub digest: Digest,
}

pub(super) async fn take(
    conn: &mut Conn,
    catalog: &Catalog,
    spec: &TableSpec,
    planned: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Fingerprint, Trouble> {
    let names: Vec<&str> = stored(catalog).map(|column| column.name.as_str()).collect();
    let mut hash = Hashing::new("cutover-appdb-table-v1");
    for name in &names {
        add(&mut hash, Some(name));
    }
    let mut each = |key: String, values: std::vec::IntoIter<Option<String>>| {
        let left_out = planned.get(&key);
        for (name, value) in names.iter().zip(values) {
            if left_out.is_some_and(|columns| columns.contains(*name)) {
                hash.add(&[2]);
            } else {
                add(&mut hash, value.as_deref());
            }
        }
    };
    let rows = pages::walk(conn, catalog, spec, &Page::Everything, &mut each).await?;
    let digest = hash.digest();
    Ok(Fingerprint { rows, digest })
}

/// With its length in front, so that no value runs into the next; null is not the empty text.
fn add(hash: &mut Hashing, value: Option<&str>) {
    match value {
        None => hash.add(&[0]),
        Some(text) => {
            hash.add(&[1]);
            hash.add(&(text.len() as u64).to_be_bytes());
            hash.add(text.as_bytes());
        }
    }
}
