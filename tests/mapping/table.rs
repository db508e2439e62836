//! The application's table in one of the databases, looked at without the program.

use std::collections::BTreeMap;
use std::io::Write as _;

use sqlx::{Connection as _, Row as _};

use super::support::World;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// One row: the two ids, and every other cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) customer: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) others: Vec<Option<String>>,
}

/// All rows, by key.
pub(crate) type Rows = BTreeMap<String, Row>;

const OTHERS: [&str; 5] = ["plan", "seats", "status", "region", "note"];

/// The table of one world, moved into another database where the kind says so; gone when dropped.
pub(crate) struct Store {
    kind: Kind,
    url: String,
    table: String,
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

impl Store {
    /// `None`, and said loudly, where no such database is given.
    pub(crate) fn of(kind: Kind, world: &World) -> Option<Self> {
        let table = format!("mapping_{}", ulid::Ulid::generate().to_string().to_lowercase());
        let given = |name: &str| {
            let url = std::env::var(name).ok();
            if url.is_none() {
                // Not by a macro, whose words a passing test keeps to itself.
                let _ = writeln!(
                    std::io::stderr(),
                    "!!! SKIPPED: {name} is not set, so no test of mapping ran against {kind:?}"
                );
            }
            url
        };
        let store = match kind {
            Kind::Sqlite => {
                return Some(Self {
                    kind,
                    url: world.database.clone(),
                    table: "subscriptions".to_owned(),
                });
            }
            Kind::Postgres => Self {
                kind,
                url: given("CUTOVER_TEST_POSTGRES")?,
                table,
            },
            Kind::MySql => Self {
                kind,
                url: given("CUTOVER_TEST_MYSQL")?,
                table,
            },
        };
        let rows = Self {
            kind: Kind::Sqlite,
            url: world.database.clone(),
            table: "subscriptions".to_owned(),
        }
        .rows();
        wait(store.fill(&rows));
        Some(store)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    async fn fill(&self, rows: &Rows) {
        let columns = "(id BIGINT PRIMARY KEY, customer_id VARCHAR(255), payment_method VARCHAR(255), plan TEXT, \
                       seats TEXT, status TEXT, region TEXT, note TEXT)";
        self.run(&format!("CREATE TABLE {} {columns}", self.table)).await;
        for (key, row) in rows {
            let cells = [&row.customer, &row.method].into_iter().chain(&row.others);
            let cells: Vec<String> = cells.map(|cell| self.literal(cell.as_deref())).collect();
            self.run(&format!(
                "INSERT INTO {} VALUES ({key}, {})",
                self.table,
                cells.join(", ")
            ))
            .await;
        }
    }

    fn literal(&self, cell: Option<&str>) -> String {
        let Some(cell) = cell else {
            return "NULL".to_owned();
        };
        // PostgreSQL has no text with a NUL in it.
        let cell = cell.replace('\0', "");
        let hex = data_encoding::HEXLOWER.encode(cell.as_bytes());
        match self.kind {
            Kind::Postgres => format!("convert_from(decode('{hex}', 'hex'), 'UTF8')"),
            Kind::MySql => format!("CONVERT(UNHEX('{hex}') USING utf8mb4)"),
            Kind::Sqlite => format!("CAST(x'{hex}' AS TEXT)"),
        }
    }

    async fn run(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Sqlite => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
            Kind::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
            Kind::MySql => {
                let mut connection = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
        }
    }

    /// All rows as they are now.
    pub(crate) fn rows(&self) -> Rows {
        let text = match self.kind {
            Kind::MySql => "CHAR",
            Kind::Sqlite | Kind::Postgres => "TEXT",
        };
        let columns = ["id", "customer_id", "payment_method"].iter().chain(&OTHERS);
        let columns: Vec<String> = columns.map(|name| format!("CAST({name} AS {text})")).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), self.table);
        wait(async {
            // The drivers' connections have no type in common.
            macro_rules! all {
                ($connection:ty) => {{
                    let mut connection = <$connection>::connect(&self.url).await.unwrap();
                    let query = sqlx::query(sqlx::AssertSqlSafe(sql));
                    let rows = query.fetch_all(&mut connection).await.unwrap();
                    rows.iter()
                        .map(|row| (0..8).map(|at| row.get(at)).collect())
                        .collect()
                }};
            }
            let cells: Vec<Vec<Option<String>>> = match self.kind {
                Kind::Sqlite => all!(sqlx::SqliteConnection),
                Kind::Postgres => all!(sqlx::PgConnection),
                Kind::MySql => all!(sqlx::MySqlConnection),
            };
            cells.into_iter().map(row).collect()
        })
    }

    /// Somebody else sets a cell.
    pub(crate) fn set(&self, key: &str, column: &str, value: &str) {
        let value = self.literal(Some(value));
        wait(self.run(&format!(
            "UPDATE {} SET {column} = {value} WHERE id = {key}",
            self.table
        )));
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.kind != Kind::Sqlite {
            wait(self.run(&format!("DROP TABLE {}", self.table)));
        }
    }
}

fn row(cells: Vec<Option<String>>) -> (String, Row) {
    let mut cells = cells.into_iter();
    let key = cells.next().flatten().unwrap();
    let row = Row {
        customer: cells.next().flatten(),
        method: cells.next().flatten(),
        others: cells.collect(),
    };
    (key, row)
}

/// Old method → customer and new method, as the copy's file says.
pub(crate) fn mapping(path: &str) -> BTreeMap<String, (String, String)> {
    let mut file = csv::Reader::from_path(path).unwrap();
    let rows = file.records().map(Result::unwrap);
    let pairs = rows.filter(|row| !row[2].is_empty());
    pairs
        .map(|row| (row[2].to_owned(), (row[0].to_owned(), row[5].to_owned())))
        .collect()
}
