//! The application's own database: which payment method each of its rows names, before and after. PostgreSQL,
//! MySQL/MariaDB and SQLite.
//!
//! * [`Database`] is one table of one database, as configured ([`TableSpec`], [`Limits`]); making it does no I/O.
//! * [`Reader`] reads: rows in key order, single rows, the effect ledger, and a [`Fingerprint`] of everything that must
//!   not change. Its sessions are read-only.
//! * [`Writer`] changes: compare-and-set in batches, each one transaction together with its lines of the effect ledger
//!   (`cutover_effects`, in the table's schema), so that a line is there exactly when its change is (reliability I25).
//! * [`sqlfile`] says the same as SQL text, for a database this program may not write to.
//!
//! Every value travels as text, cast by the server from and to the column's own type, so that no number passes through
//! a float. What a row holds is compared byte by byte here, never by the column's collation, for which `pm_A` and
//! `pm_a` may be the same.
//!
//! The lines of the ledger are looked up *after* the rows are locked. A transaction whose COMMIT had no answer may still
//! be running when the next connection asks; it holds its rows' locks until it has ended, so whoever holds them next
//! reads its end from the ledger and cannot read too early.

mod address;
mod catalog;
mod check;
mod conn;
mod decide;
mod error;
mod fingerprint;
mod ledger;
mod name;
mod pages;
mod reader;
pub mod sqlfile;
mod statements;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use tokio::sync::OnceCell;

use address::Address;
use catalog::Catalog;
pub use check::Shape;
use conn::{Conn, For};
pub use error::DbError;
use error::{Fault, Trouble};
pub use fingerprint::Fingerprint;
pub use ledger::{LEDGER, LedgerLine};
use name::Table;
pub use reader::Reader;
pub use writer::{Applied, RowResult, Stamp, Writer};

/// Idle connections kept for each purpose.
const IDLE: usize = 4;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// PostgreSQL 12 or later.
    Postgres,
    /// MySQL 8 or MariaDB 10.3, or later.
    MySql,
    /// SQLite, the version built in.
    Sqlite,
}

impl Kind {
    /// The word of the address: `postgres`, `mysql`, `sqlite`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// The table that holds Stripe ids, as configured. Names are `[A-Za-z_][A-Za-z0-9_]*`, spelt as the database has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// `table` or `schema.table`.
    pub table: String,
    /// The column that tells rows apart: unique, never null; an integer, uuid or text.
    pub key: String,
    /// The column with the payment method's id.
    pub method: String,
    /// The column with the customer's id, if there is one.
    pub customer: Option<String>,
    /// Columns that are read along, for scope and for people.
    pub extra: Vec<String>,
    /// A condition in SQL that rows must meet to be read; the operator's own, used as it is.
    pub filter: Option<String>,
}

impl TableSpec {
    /// The columns that are read besides the key, in the order of [`Row`].
    fn columns(&self) -> impl Iterator<Item = &str> {
        let first = std::iter::once(&self.method).chain(&self.customer);
        first.chain(&self.extra).map(String::as_str)
    }
}

/// Limits of every session and batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a lock another session holds, in milliseconds. MySQL counts whole seconds, at least one.
    pub lock_ms: u32,
    /// Longest run of one statement, in milliseconds.
    pub statement_ms: u32,
    /// Rows of one transaction, at most.
    pub batch_rows: usize,
    /// How often one transaction is tried before the error is reported.
    pub attempts: u32,
}

impl Default for Limits {
    /// Three seconds, fifteen seconds, 500 rows (reliability 3.4), five attempts.
    fn default() -> Self {
        Self {
            lock_ms: 3000,
            statement_ms: 15_000,
            batch_rows: 500,
            attempts: 5,
        }
    }
}

/// One row as read. Values are text as the database writes them; `None` is SQL's null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: String,
    /// The payment method.
    pub method: Option<String>,
    /// The customer; `None` also where no such column is configured.
    pub customer: Option<String>,
    /// The extra columns, in configured order.
    pub extra: Vec<Option<String>>,
}

/// One table of one database. Cheap to clone; connections are opened when needed and shared by the clones.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    address: Address,
    spec: TableSpec,
    table: Table,
    limits: Limits,
    catalog: OnceCell<Arc<Catalog>>,
    idle: Mutex<BTreeMap<For, Vec<Conn>>>,
}

impl Database {
    /// Checks address, names and limits; opens nothing.
    ///
    /// `url` is `postgres://user:password@host:port/database`, `mysql://…` or `sqlite:path`; TLS is asked for with
    /// `?sslmode=require`, `verify-ca` or `verify-full` (`mysql`: `?ssl-mode=VERIFY_IDENTITY`).
    pub fn new(url: &SecretString, spec: TableSpec, limits: Limits) -> Result<Self, DbError> {
        let limits = checked(limits)?;
        let address = Address::parse(url, &limits)?;
        let table = name::checked(&spec)?;
        Ok(Self(Arc::new(Inner {
            address,
            spec,
            table,
            limits,
            catalog: OnceCell::new(),
            idle: Mutex::default(),
        })))
    }

    /// Which database and table: `postgres shop on db.example:5432, table subscriptions`. Never user or password.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{}, table {}", self.0.address.place, self.0.table.plain())
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.address.kind
    }

    /// The table as configured.
    #[must_use]
    pub fn spec(&self) -> &TableSpec {
        &self.0.spec
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Looks whether everything configured is there and fits, and whether the role may write, without writing.
    pub async fn check(&self) -> Result<Shape, DbError> {
        check::check(self).await
    }

    /// What reads.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader(self.clone())
    }

    /// What writes. Only the engine's writer holds one.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer(self.clone())
    }

    /// An idle connection, or a new one.
    async fn take(&self, purpose: For) -> Result<Conn, Trouble> {
        let idle = self.idle().get_mut(&purpose).and_then(Vec::pop);
        if let Some(mut conn) = idle
            && conn.answers().await
        {
            return Ok(conn);
        }
        Conn::open(&self.0.address, &self.0.limits, purpose).await
    }

    /// A connection in a writer's transaction. Whether an idle one is still alive shows when it begins.
    async fn begun(&self) -> Result<(Conn, Arc<Catalog>), Trouble> {
        let idle = self.idle().get_mut(&For::Writing).and_then(Vec::pop);
        if let Some(conn) = idle {
            match self.begin(conn).await {
                Err(trouble) if trouble.fault == Fault::Lost => {}
                begun => return begun,
            }
        }
        self.begin(Conn::open(&self.0.address, &self.0.limits, For::Writing).await?)
            .await
    }

    async fn begin(&self, mut conn: Conn) -> Result<(Conn, Arc<Catalog>), Trouble> {
        let catalog = self.catalog(&mut conn).await?;
        conn.begin().await?;
        Ok((conn, catalog))
    }

    /// Gives a connection back that is in no transaction.
    fn keep(&self, conn: Conn) {
        let mut idle = self.idle();
        let idle = idle.entry(conn.purpose).or_default();
        if idle.len() < IDLE {
            idle.push(conn);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, BTreeMap<For, Vec<Conn>>> {
        // A panic while the lock was held leaves a list of idle connections behind; it stays usable.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the database says of the table; asked once.
    async fn catalog(&self, conn: &mut Conn) -> Result<Arc<Catalog>, Trouble> {
        let load = async || Ok(Arc::new(Catalog::load(conn, &self.0.spec, &self.0.table).await?));
        self.0.catalog.get_or_try_init(load).await.cloned()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.in_words())
    }
}

fn checked(limits: Limits) -> Result<Limits, DbError> {
    let least = limits.batch_rows.min(limits.attempts as usize);
    if least == 0 || limits.lock_ms == 0 || limits.statement_ms == 0 || limits.batch_rows > 10_000 {
        return Err(DbError::Limits);
    }
    Ok(limits)
}

#[cfg(test)]
mod tests;
