//! A schema (PostgreSQL), database (MySQL) or file (SQLite) of a test's own, removed when the test ends, however it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};

use cutover::appdb::{Applied, Database, Fingerprint, Kind, Limits, Row, RowResult, Stamp, TableSpec};
use cutover::domain::ids::EffectId;
use cutover::domain::write::{Cell, RowUpdate};
use futures_util::FutureExt as _;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _};

/// See the [module page](self).
pub(crate) struct Place {
    pub(crate) kind: Kind,
    /// Of the server or file, without anything of this test in it.
    pub(crate) url: String,
    schema: String,
    _file: tempfile::TempDir,
}

/// Numbers the places of one process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs `test` in a place of its own, or says that it was skipped.
pub(crate) async fn on(kind: Kind, test: impl AsyncFnOnce(&Place)) {
    let file = tempfile::tempdir().unwrap();
    let url = match kind {
        Kind::Postgres => std::env::var("CUTOVER_TEST_POSTGRES").ok(),
        Kind::MySql => std::env::var("CUTOVER_TEST_MYSQL").ok(),
        Kind::Sqlite => {
            let path = file.path().join("shop.db");
            std::fs::File::create(&path).unwrap();
            Some(format!("sqlite:{}", path.display()))
        }
    };
    let Some(url) = url else {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        eprintln!(
            "!!! SKIPPED {name}: no address of a {} database is given",
            kind.word()
        );
        return;
    };
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let place = Place {
        kind,
        url,
        schema: format!("cutover_test_{}_{n}", std::process::id()),
        _file: file,
    };
    let schema = &place.schema;
    if kind != Kind::Sqlite {
        place.sql(&format!("CREATE SCHEMA {schema}")).await;
    }
    let outcome = AssertUnwindSafe(test(&place)).catch_unwind().await;
    match kind {
        Kind::Postgres => place.sql(&format!("DROP SCHEMA {schema} CASCADE")).await,
        Kind::MySql => place.sql(&format!("DROP SCHEMA {schema}")).await,
        Kind::Sqlite => {}
    }
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

pub(crate) enum Admin {
    Postgres(sqlx::PgConnection),
    MySql(sqlx::MySqlConnection),
    Sqlite(sqlx::SqliteConnection),
}

impl Admin {
    pub(crate) async fn sql(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Postgres(conn) => sql.execute(conn).await.map(drop),
            Self::MySql(conn) => sql.execute(conn).await.map(drop),
            Self::Sqlite(conn) => sql.execute(conn).await.map(drop),
        }
    }
}

impl Place {
    /// A connection that may do everything.
    pub(crate) async fn admin(&self) -> Admin {
        match self.kind {
            Kind::Postgres => Admin::Postgres(sqlx::PgConnection::connect(&self.url).await.unwrap()),
            Kind::MySql => Admin::MySql(sqlx::MySqlConnection::connect(&self.url).await.unwrap()),
            Kind::Sqlite => Admin::Sqlite(sqlx::SqliteConnection::connect(&self.url).await.unwrap()),
        }
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let done = self.admin().await.sql(sql).await;
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// A table's name as configured.
    pub(crate) fn table(&self, name: &str) -> String {
        match self.kind {
            Kind::Sqlite => name.to_owned(),
            _ => format!("{}.{name}", self.schema),
        }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    pub(crate) fn quote(&self, name: &str) -> String {
        match self.kind {
            Kind::MySql => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    pub(crate) fn spec(&self) -> TableSpec {
        TableSpec {
            table: self.table("subs"),
            key: "id".into(),
            method: "pm".into(),
            customer: Some("cus".into()),
            extra: vec!["region".into()],
            filter: None,
        }
    }

    pub(crate) fn open(&self, spec: TableSpec) -> Database {
        self.open_with(&self.url, spec, Limits::default())
    }

    #[expect(clippy::unused_self, reason = "reads as its sibling does")]
    pub(crate) fn open_with(&self, url: &str, spec: TableSpec, limits: Limits) -> Database {
        Database::new(&SecretString::from(url), spec, limits).unwrap()
    }

    /// The usual table with `rows` rows `k0000`…, of methods `old…`, and its prepared database.
    pub(crate) async fn shop(&self, rows: usize) -> Database {
        let table = self.table("subs");
        let text = match self.kind {
            Kind::MySql => "VARCHAR(200) CHARACTER SET utf8mb4",
            _ => "VARCHAR(200)",
        };
        self.sql(&format!(
            "CREATE TABLE {table} (id {text} NOT NULL PRIMARY KEY, pm {text}, cus {text}, region {text}, note {text}, \
             price DOUBLE PRECISION)"
        ))
        .await;
        for chunk in (0..rows).collect::<Vec<_>>().chunks(500) {
            let values: Vec<_> = chunk
                .iter()
                .map(|n| format!("('k{n:04}', 'old{n:04}', 'cus{n:04}', 'eu', 'a note', {n}.1)"))
                .collect();
            self.sql(&format!("INSERT INTO {table} VALUES {}", values.join(", ")))
                .await;
        }
        let database = self.open(self.spec());
        database.writer().prepare().await.unwrap();
        database
    }
}

pub(crate) fn stamp() -> Stamp {
    Stamp {
        run: "run-1".into(),
        plan: "plan-1".into(),
    }
}

pub(crate) fn cell(column: &str, before: Option<&str>, after: Option<&str>) -> Cell {
    Cell {
        column: column.into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    }
}

pub(crate) fn update(database: &Database, key: &str, cells: Vec<Cell>) -> RowUpdate {
    let table = database.spec().table.clone();
    let mut effect = format!("effect-{key}");
    effect.retain(|c| c.is_ascii_alphanumeric() || c == '-');
    effect.truncate(64);
    RowUpdate {
        effect: EffectId(effect),
        table,
        key: key.into(),
        cells,
    }
}

/// `old…` to `new…` of the rows of [`Place::shop`].
pub(crate) fn moves(database: &Database, rows: std::ops::Range<usize>) -> Vec<RowUpdate> {
    let one = |n| {
        let cell = cell("pm", Some(&format!("old{n:04}")), Some(&format!("new{n:04}")));
        update(database, &format!("k{n:04}"), vec![cell])
    };
    rows.map(one).collect()
}

#[track_caller]
pub(crate) fn committed(applied: Applied) -> Vec<RowResult> {
    match applied {
        Applied::Committed(results) => results,
        other => panic!("not committed: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused(applied: Applied) -> String {
    match applied {
        Applied::NotApplied(error) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn planned(batch: &[RowUpdate]) -> BTreeMap<String, BTreeSet<String>> {
    let columns = |row: &RowUpdate| row.cells.iter().map(|cell| cell.column.clone()).collect();
    batch.iter().map(|row| (row.key.clone(), columns(row))).collect()
}

pub(crate) async fn all(database: &Database) -> Vec<Row> {
    let mut rows = Vec::new();
    database.reader().rows(&mut |row| rows.push(row)).await.unwrap();
    rows
}

pub(crate) async fn methods(database: &Database) -> Vec<Option<String>> {
    all(database).await.into_iter().map(|row| row.method).collect()
}

pub(crate) async fn print(database: &Database, batch: &[RowUpdate]) -> Fingerprint {
    database.reader().fingerprint(&planned(batch)).await.unwrap()
}

/// That the ledger has a line exactly for the rows whose method is `new…` (reliability I25).
pub(crate) async fn ledger_agrees(database: &Database, batch: &[RowUpdate]) {
    let effects: Vec<_> = batch.iter().map(|row| row.effect.clone()).collect();
    let lines = database.reader().ledger(&effects).await.unwrap();
    let keys: Vec<_> = batch.iter().map(|row| row.key.clone()).collect();
    let rows = database.reader().some_rows(&keys).await.unwrap();
    let changed: BTreeSet<_> = rows
        .iter()
        .filter(|row| {
            row.method
                .as_deref()
                .is_some_and(|method| method.starts_with("new"))
        })
        .map(|row| row.key.clone())
        .collect();
    let listed: BTreeSet<_> = lines
        .values()
        .filter(|line| line.undone.is_none())
        .map(|line| line.key.clone())
        .collect();
    assert_eq!(changed, listed);
}
