//! What reads: rows, single rows, the ledger. Its sessions cannot write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::ids::EffectId;

use super::catalog::Catalog;
use super::conn::{Conn, For};
use super::error::Trouble;
use super::statements::{self, Page};
use super::{Database, DbError, Fingerprint, LedgerLine, Row, fingerprint, ledger, pages};

/// Reads one table. See the [module page](super).
#[derive(Clone, Debug)]
pub struct Reader(pub(super) Database);

impl Reader {
    /// See [`Database::in_words`].
    #[must_use]
    pub fn in_words(&self) -> String {
        self.0.in_words()
    }

    /// Gives every row that meets the filter to `each`, in key order, as of one instant; returns how many there were.
    /// Holds one page of them at a time.
    pub async fn rows(&self, each: &mut (dyn FnMut(Row) + Send)) -> Result<u64, DbError> {
        let (mut conn, catalog) = self.begin().await?;
        let customer = self.0.0.spec.customer.is_some();
        let mut give = |key, values| each(row(key, values, customer));
        let spec = &self.0.0.spec;
        let count = pages::walk(&mut conn, &catalog, spec, &Page::Rows, &mut give).await?;
        self.end(conn).await;
        Ok(count)
    }

    /// The rows with these keys, in key order, whether or not they meet the filter; keys without a row are left out.
    pub async fn some_rows(&self, keys: &[String]) -> Result<Vec<Row>, DbError> {
        let (mut conn, catalog) = self.begin().await?;
        let columns: Vec<_> = catalog.read.iter().collect();
        let customer = self.0.0.spec.customer.is_some();
        let asked: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let possible = asked
            .iter()
            .filter(|key| statements::can_be(catalog.key.form, key));
        let possible: Vec<_> = possible.copied().collect();
        let mut found = Vec::new();
        for keys in possible.chunks(self.0.0.limits.batch_rows) {
            let (sql, args) = statements::some(&catalog, &columns, keys);
            for values in conn.fetch("reading rows by key", sql, args).await? {
                let mut values = values.into_iter();
                // A collation may find `A` where `a` was asked for.
                if let Some(key) = values.next().flatten().filter(|key| asked.contains(key.as_str())) {
                    found.push(row(key, values, customer));
                }
            }
        }
        self.end(conn).await;
        Ok(found)
    }

    /// SHA-256 over all rows and all columns in key order, except the columns that `planned` names for a row, by key.
    /// Equal before and after exactly if nothing else has changed.
    pub async fn fingerprint(
        &self,
        planned: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<Fingerprint, DbError> {
        let (mut conn, _) = self.begin().await?;
        // Asked anew: a column that was added since is a change too.
        let catalog = Catalog::load(&mut conn, &self.0.0.spec, &self.0.0.table).await?;
        let found = fingerprint::take(&mut conn, &catalog, &self.0.0.spec, planned).await?;
        self.end(conn).await;
        Ok(found)
    }

    /// The ledger's lines of these effects. No ledger is an empty one.
    pub async fn ledger(&self, effects: &[EffectId]) -> Result<BTreeMap<EffectId, LedgerLine>, DbError> {
        let (mut conn, catalog) = self.begin().await?;
        let mut found = BTreeMap::new();
        if ledger::exists(&mut conn, &self.0.0.table).await? {
            let effects: Vec<_> = effects.iter().map(|effect| effect.0.as_str()).collect();
            for effects in effects.chunks(self.0.0.limits.batch_rows) {
                let (sql, args) = statements::lines(&catalog, effects);
                let lines = conn.fetch("reading the table of effects", sql, args).await?;
                found.extend(lines.into_iter().filter_map(LedgerLine::read));
            }
        }
        self.end(conn).await;
        Ok(found)
    }

    async fn begin(&self) -> Result<(Conn, Arc<Catalog>), Trouble> {
        let mut conn = self.0.take(For::Reading).await?;
        let catalog = self.0.catalog(&mut conn).await?;
        conn.begin().await?;
        Ok((conn, catalog))
    }

    /// A connection whose transaction cannot be ended is dropped.
    async fn end(&self, mut conn: Conn) {
        if conn.roll_back().await.is_ok() {
            self.0.keep(conn);
        }
    }
}

fn row(key: String, mut values: std::vec::IntoIter<Option<String>>, with_customer: bool) -> Row {
    let method = values.next().flatten();
    let customer = if with_customer {
        values.next().flatten()
    } else {
        None
    };
    Row {
        key,
        method,
        customer,
        extra: values.collect(),
    }
}
