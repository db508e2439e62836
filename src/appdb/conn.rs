//! One connection: the three drivers behind one face. Values go in and come out as text.
//!
//! A connection is owned by whoever uses it. When its future is dropped in the middle, the connection is dropped with
//! it, and the server rolls back what was not committed.

use std::time::Duration;

use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, MySql, Postgres, Row as _, Sqlite};
use tokio::time::timeout;

use super::address::{Address, Options};
use super::error::{Fault, Trouble};
use super::{Kind, Limits};
use crate::domain::text::safe;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The server ends its own statements and waits; it is called silent this much later.
const GRACE_MS: u64 = 5000;
/// A transaction that hears nothing for so long is ended by PostgreSQL, so that a stopped laptop frees its rows.
const IDLE_IN_TRANSACTION_MS: u32 = 60_000;

/// What a connection is for: readers' sessions cannot write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum For {
    Reading,
    Writing,
}

/// One value of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arg {
    Text(Option<String>),
    /// An array; PostgreSQL only.
    Texts(Vec<Option<String>>),
    /// Integer keys, which MySQL would compare with text as floats; MySQL only.
    Int(i64),
    /// As [`Arg::Int`], for unsigned columns.
    Unsigned(u64),
}

impl Arg {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

/// One row as it came: text or null.
pub(super) type Values = Vec<Option<String>>;

pub(super) struct Conn {
    link: Link,
    place: String,
    limits: Limits,
    pub(super) purpose: For,
}

enum Link {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

impl Conn {
    pub(super) async fn open(address: &Address, limits: &Limits, purpose: For) -> Result<Self, Trouble> {
        let link = match timeout(CONNECT, connect(&address.options)).await {
            Ok(link) => link.map_err(|error| unreachable(&address.place, &error))?,
            Err(_) => {
                return Err(Trouble::unreachable(
                    &address.place,
                    safe("no answer within 10 s"),
                ));
            }
        };
        let mut conn = Self {
            link,
            place: address.place.clone(),
            limits: *limits,
            purpose,
        };
        conn.set_up().await?;
        Ok(conn)
    }

    pub(super) const fn kind(&self) -> Kind {
        match self.link {
            Link::Postgres(_) => Kind::Postgres,
            Link::MySql(_) => Kind::MySql,
            Link::Sqlite(_) => Kind::Sqlite,
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// What the session keeps. PostgreSQL's limits are set per transaction instead ([`Conn::begin`]), because a pooler
    /// between may hand every transaction to another session.
    async fn set_up(&mut self) -> Result<(), Trouble> {
        const DOING: &str = "setting the session's limits";
        match self.kind() {
            Kind::Sqlite if self.purpose == For::Reading => self.run(DOING, "PRAGMA query_only = ON").await,
            Kind::Postgres | Kind::Sqlite => Ok(()),
            Kind::MySql => {
                let version = self.fetch(DOING, "SELECT VERSION()".into(), Vec::new()).await?;
                let version = version.into_iter().flatten().flatten().next().unwrap_or_default();
                let set = self.mysql_session(version.contains("MariaDB"));
                self.run(DOING, &set).await
            }
        }
    }

    /// Strict, so that a value that does not fit is an error and not a shorter value. READ COMMITTED, so that the ledger
    /// is read as it is after the rows were locked, and no gaps of it are locked.
    fn mysql_session(&self, maria: bool) -> String {
        let Limits {
            lock_ms,
            statement_ms,
            ..
        } = self.limits;
        let lock_s = lock_ms.div_ceil(1000);
        let statement = if maria {
            format!(
                "max_statement_time = {}.{:03}",
                statement_ms / 1000,
                statement_ms % 1000
            )
        } else {
            format!("max_execution_time = {statement_ms}")
        };
        let isolation = match self.purpose {
            For::Reading => "REPEATABLE READ",
            For::Writing => "READ COMMITTED",
        };
        format!(
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,PIPES_AS_CONCAT', \
             innodb_lock_wait_timeout = {lock_s}, lock_wait_timeout = {lock_s}, {statement}; \
             SET SESSION TRANSACTION ISOLATION LEVEL {isolation}"
        )
    }

    /// Begins a transaction: a reader's sees one instant, a writer's what is committed now.
    pub(super) async fn begin(&mut self) -> Result<(), Trouble> {
        let Limits {
            lock_ms,
            statement_ms,
            ..
        } = self.limits;
        let reading = self.purpose == For::Reading;
        let sql = match self.kind() {
            Kind::Postgres => {
                let how = if reading {
                    "REPEATABLE READ READ ONLY"
                } else {
                    "READ COMMITTED"
                };
                format!(
                    "BEGIN ISOLATION LEVEL {how}; SET LOCAL lock_timeout = {lock_ms}; SET LOCAL statement_timeout = \
                     {statement_ms}; SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}"
                )
            }
            Kind::MySql if reading => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY".to_owned(),
            Kind::MySql => "START TRANSACTION".to_owned(),
            Kind::Sqlite if reading => "BEGIN".to_owned(),
            Kind::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        };
        self.run("beginning a transaction", &sql).await
    }

    pub(super) async fn commit(&mut self) -> Result<(), Trouble> {
        self.run("committing a batch", "COMMIT").await
    }

    pub(super) async fn roll_back(&mut self) -> Result<(), Trouble> {
        self.run("rolling back", "ROLLBACK").await
    }

    /// Whether the other side still answers.
    pub(super) async fn answers(&mut self) -> bool {
        let ping = async {
            match &mut self.link {
                Link::Postgres(link) => link.ping().await,
                Link::MySql(link) => link.ping().await,
                Link::Sqlite(link) => link.ping().await,
            }
        };
        matches!(timeout(CONNECT, ping).await, Ok(Ok(())))
    }

    /// Runs statements without values.
    pub(super) async fn run(&mut self, doing: &'static str, sql: &str) -> Result<(), Trouble> {
        let limit = self.limit();
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        let run = async {
            match &mut self.link {
                Link::Postgres(link) => sql.execute(link).await.map(drop),
                Link::MySql(link) => sql.execute(link).await.map(drop),
                Link::Sqlite(link) => sql.execute(link).await.map(drop),
            }
        };
        let answer = timeout(limit, run).await;
        self.judge(doing, answer)
    }

    /// Runs one statement; gives its rows.
    pub(super) async fn fetch(
        &mut self,
        doing: &'static str,
        sql: String,
        args: Vec<Arg>,
    ) -> Result<Vec<Values>, Trouble> {
        let limit = self.limit();
        let sql = AssertSqlSafe(sql);
        let fetch = async {
            match &mut self.link {
                Link::Postgres(link) => {
                    let rows = bound_postgres(sqlx::query(sql), args).fetch_all(link).await?;
                    rows.iter().map(of_postgres).collect()
                }
                Link::MySql(link) => {
                    let rows = bound_mysql(sqlx::query(sql), args).fetch_all(link).await?;
                    rows.iter().map(of_mysql).collect()
                }
                Link::Sqlite(link) => {
                    let rows = bound_sqlite(sqlx::query(sql), args).fetch_all(link).await?;
                    rows.iter().map(of_sqlite).collect()
                }
            }
        };
        let answer = timeout(limit, fetch).await;
        self.judge(doing, answer)
    }

    /// Runs one statement; gives the number of rows it changed.
    pub(super) async fn execute(
        &mut self,
        doing: &'static str,
        sql: String,
        args: Vec<Arg>,
    ) -> Result<u64, Trouble> {
        let limit = self.limit();
        let sql = AssertSqlSafe(sql);
        let execute = async {
            match &mut self.link {
                Link::Postgres(link) => {
                    let done = bound_postgres(sqlx::query(sql), args).execute(link).await?;
                    Ok(done.rows_affected())
                }
                Link::MySql(link) => {
                    let done = bound_mysql(sqlx::query(sql), args).execute(link).await?;
                    Ok(done.rows_affected())
                }
                Link::Sqlite(link) => {
                    let done = bound_sqlite(sqlx::query(sql), args).execute(link).await?;
                    Ok(done.rows_affected())
                }
            }
        };
        let answer = timeout(limit, execute).await;
        self.judge(doing, answer)
    }

    fn limit(&self) -> Duration {
        let server = u64::from(self.limits.statement_ms).max(u64::from(self.limits.lock_ms));
        Duration::from_millis(server + GRACE_MS)
    }

    fn judge<T>(
        &self,
        doing: &'static str,
        answer: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Trouble> {
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Trouble::of(&self.place, doing, &error)),
            Err(_) => Err(Trouble::silent(&self.place, doing, self.limit().as_secs())),
        }
    }
}

async fn connect(options: &Options) -> Result<Link, sqlx::Error> {
    match options {
        Options::Postgres(options) => options.connect().await.map(Link::Postgres),
        Options::MySql(options) => options.connect().await.map(Link::MySql),
        Options::Sqlite(options) => options.connect().await.map(Link::Sqlite),
    }
}

/// A refused password stays refused; a server that does not answer may answer later.
fn unreachable(place: &str, error: &sqlx::Error) -> Trouble {
    let Trouble { fault, .. } = Trouble::of(place, "connecting", error);
    let why = match error.as_database_error() {
        Some(error) => safe(error.message()),
        None => safe(&error.to_string()),
    };
    let unreachable = Trouble::unreachable(place, why);
    match fault {
        Fault::Denied | Fault::Refused => Trouble { fault, ..unreachable },
        _ => unreachable,
    }
}

type Bound<DB, A> = Query<'static, DB, A>;

fn bound_postgres(mut query: Bound<Postgres, PgArguments>, args: Vec<Arg>) -> Bound<Postgres, PgArguments> {
    for arg in args {
        query = match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Texts(texts) => query.bind(texts),
            Arg::Int(number) => query.bind(number.to_string()),
            Arg::Unsigned(number) => query.bind(number.to_string()),
        };
    }
    query
}

fn bound_mysql(mut query: Bound<MySql, MySqlArguments>, args: Vec<Arg>) -> Bound<MySql, MySqlArguments> {
    for arg in args {
        query = match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Texts(texts) => texts.into_iter().fold(query, Query::bind),
            Arg::Int(number) => query.bind(number),
            Arg::Unsigned(number) => query.bind(number),
        };
    }
    query
}

fn bound_sqlite(mut query: Bound<Sqlite, SqliteArguments>, args: Vec<Arg>) -> Bound<Sqlite, SqliteArguments> {
    for arg in args {
        query = match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Texts(texts) => texts.into_iter().fold(query, Query::bind),
            Arg::Int(number) => query.bind(number),
            Arg::Unsigned(number) => query.bind(number.to_string()),
        };
    }
    query
}

fn of_postgres(row: &PgRow) -> Result<Values, sqlx::Error> {
    (0..row.len()).map(|at| row.try_get(at)).collect()
}

fn of_mysql(row: &MySqlRow) -> Result<Values, sqlx::Error> {
    (0..row.len()).map(|at| row.try_get(at)).collect()
}

fn of_sqlite(row: &SqliteRow) -> Result<Values, sqlx::Error> {
    (0..row.len()).map(|at| row.try_get(at)).collect()
}
