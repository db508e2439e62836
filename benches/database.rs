//! Changing rows of the application's database against the plainest way to do it, in one run. Prints ratios; only they
//! are goals (design: PostgreSQL at least half as fast as plain `unnest` batches committed without a ledger, and three
//! times as fast as row by row; SQLite at most twice as long as prepared row by row in one transaction).
//!
//! PostgreSQL's address comes from `CUTOVER_TEST_POSTGRES`, MySQL's from `CUTOVER_TEST_MYSQL`; `CUTOVER_BENCH_ROWS` says
//! how many rows (100,000).
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::time::Instant;

use cutover::appdb::{Applied, Database, Limits, RowResult, Stamp, TableSpec};
use cutover::domain::ids::EffectId;
use cutover::domain::write::{Cell, RowUpdate};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, SqliteConnection};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 3;
const BATCH: usize = 500;
/// Rows of the row-by-row floors, which are the same for each row.
const FEW: usize = 10_000;
const SCHEMA: &str = "cutover_bench";

fn main() -> Outcome<()> {
    // `cargo test --benches` only wants to know that it starts.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let rows = std::env::var("CUTOVER_BENCH_ROWS").map_or(Ok(100_000), |rows| rows.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("{rows} rows, batches of {BATCH}; times per 1,000 rows in µs");
    println!("| database | floor | cutover | ratio | goal |\n|---|---|---|---|---|");
    runtime.block_on(sqlite(rows))?;
    match std::env::var("CUTOVER_TEST_POSTGRES") {
        Ok(url) => runtime.block_on(postgres(&url, rows))?,
        Err(_) => println!("| PostgreSQL | SKIPPED: CUTOVER_TEST_POSTGRES is not set ||||"),
    }
    match std::env::var("CUTOVER_TEST_MYSQL") {
        Ok(url) => runtime.block_on(mysql(&url, rows))?,
        Err(_) => println!("| MySQL | SKIPPED: CUTOVER_TEST_MYSQL is not set ||||"),
    }
    Ok(())
}

fn key(n: usize) -> String {
    format!("user_{n:09}")
}

fn old(n: usize) -> String {
    format!("pm_1OldOldOldOldOldOld{n:08}")
}

fn new(n: usize) -> String {
    format!("pm_1NewNewNewNewNewNew{n:08}")
}

fn updates(table: &str, rows: usize) -> Vec<RowUpdate> {
    let one = |n| RowUpdate {
        effect: EffectId(data_encoding::BASE32_NOPAD.encode(&sha(n)[..16]).to_lowercase()),
        table: table.to_owned(),
        key: key(n),
        cells: vec![Cell {
            column: "pm".into(),
            before: Some(old(n)),
            after: Some(new(n)),
        }],
    };
    (0..rows).map(one).collect()
}

fn sha(n: usize) -> [u8; 32] {
    cutover::domain::ids::Digest::of("bench", [n.to_string().as_bytes()]).0
}

/// Ours: every batch, each looked at. Time per 1,000 rows in µs.
async fn ours(url: &str, table: &str, rows: usize) -> Outcome<u128> {
    let spec = TableSpec {
        table: table.to_owned(),
        key: "id".into(),
        method: "pm".into(),
        customer: None,
        extra: Vec::new(),
        filter: None,
    };
    let database = Database::new(&SecretString::from(url), spec, Limits::default())?;
    let stamp = Stamp {
        run: "01K0000000000000000000BENC".into(),
        plan: "a".repeat(64),
    };
    let updates = updates(table, rows);
    let writer = database.writer();
    writer.prepare().await?;
    let start = Instant::now();
    for batch in updates.chunks(BATCH) {
        match writer.apply(batch, &stamp).await {
            Applied::Committed(results) if results.iter().all(|result| *result == RowResult::Done) => {}
            other => return Err(format!("not done: {other:?}").into()),
        }
    }
    Ok(per_thousand(start, rows))
}

fn per_thousand(start: Instant, rows: usize) -> u128 {
    start.elapsed().as_micros() * 1000 / rows.max(1) as u128
}

async fn postgres(url: &str, rows: usize) -> Outcome<()> {
    let mut conn = PgConnection::connect(url).await?;
    let table = format!("{SCHEMA}.subs");
    let (mut plain, mut mine, mut single, mut each) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        postgres_fresh(&mut conn, rows).await?;
        let start = Instant::now();
        for batch in (0..rows).collect::<Vec<_>>().chunks(BATCH) {
            let keys: Vec<_> = batch.iter().map(|n| key(*n)).collect();
            let news: Vec<_> = batch.iter().map(|n| new(*n)).collect();
            let sql = format!(
                "UPDATE {table} AS t SET pm = v.a FROM unnest($1::text[], $2::text[]) AS v(k, a) WHERE t.id = v.k"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(keys)
                .bind(news)
                .execute(&mut conn)
                .await?;
        }
        plain.push(per_thousand(start, rows));
        postgres_fresh(&mut conn, rows).await?;
        mine.push(ours(url, &table, rows).await?);
        postgres_fresh(&mut conn, rows).await?;
        single.push(postgres_rows(&mut conn, &table, rows.min(FEW), true).await?);
        each.push(postgres_rows(&mut conn, &table, rows.min(FEW), false).await?);
    }
    run(&mut conn, &format!("DROP SCHEMA {SCHEMA} CASCADE")).await?;
    faster("PostgreSQL, plain unnest batches", &plain, &mine, "≥ 0.50×");
    faster("PostgreSQL, row by row, each committed", &each, &mine, "≥ 3.00×");
    faster("PostgreSQL, row by row in one transaction", &single, &mine, "");
    Ok(())
}

async fn run(conn: &mut PgConnection, sql: &str) -> Outcome<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

async fn postgres_fresh(conn: &mut PgConnection, rows: usize) -> Outcome<()> {
    let sql = format!(
        "DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; CREATE TABLE {SCHEMA}.subs (id text PRIMARY KEY, \
         pm text NOT NULL, cus text, note text); INSERT INTO {SCHEMA}.subs SELECT 'user_' || lpad(n::text, 9, '0'), \
         'pm_1OldOldOldOldOldOld' || lpad(n::text, 8, '0'), 'cus_' || n, 'some other text of the row' \
         FROM generate_series(0, {}) AS n",
        rows - 1
    );
    run(conn, &sql).await?;
    run(conn, &format!("VACUUM ANALYZE {SCHEMA}.subs")).await?;
    // What earlier rounds left to write would otherwise be written in the middle of this one.
    run(conn, "CHECKPOINT").await
}

async fn postgres_rows(conn: &mut PgConnection, table: &str, rows: usize, together: bool) -> Outcome<u128> {
    let start = Instant::now();
    if together {
        run(conn, "BEGIN").await?;
    }
    for n in 0..rows {
        let sql = format!("UPDATE {table} SET pm = $1 WHERE id = $2");
        sqlx::query(AssertSqlSafe(sql))
            .bind(new(n))
            .bind(key(n))
            .execute(&mut *conn)
            .await?;
    }
    if together {
        run(conn, "COMMIT").await?;
    }
    Ok(per_thousand(start, rows))
}

async fn mysql(url: &str, rows: usize) -> Outcome<()> {
    let mut conn = MySqlConnection::connect(url).await?;
    let table = format!("{SCHEMA}.subs");
    let rows = rows.min(20_000);
    let (mut single, mut mine) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let fresh = format!(
            "DROP SCHEMA IF EXISTS {SCHEMA}; CREATE SCHEMA {SCHEMA}; CREATE TABLE {SCHEMA}.subs (id VARCHAR(50) \
             PRIMARY KEY, pm VARCHAR(50) NOT NULL, cus VARCHAR(50), note VARCHAR(50))"
        );
        sqlx::raw_sql(AssertSqlSafe(fresh)).execute(&mut conn).await?;
        for batch in (0..rows).collect::<Vec<_>>().chunks(BATCH) {
            let values: Vec<_> = batch
                .iter()
                .map(|n| format!("('{}', '{}', 'c', 'n')", key(*n), old(*n)))
                .collect();
            let sql = format!("INSERT INTO {table} VALUES {}", values.join(","));
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
        }
        let start = Instant::now();
        sqlx::raw_sql("START TRANSACTION").execute(&mut conn).await?;
        for n in 0..rows.min(FEW) {
            let sql = format!("UPDATE {table} SET pm = ? WHERE id = ?");
            sqlx::query(AssertSqlSafe(sql))
                .bind(new(n))
                .bind(key(n))
                .execute(&mut conn)
                .await?;
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut conn).await?;
        single.push(per_thousand(start, rows.min(FEW)));
        mine.push(ours(url, &table, rows).await?);
    }
    sqlx::raw_sql(AssertSqlSafe(format!("DROP SCHEMA {SCHEMA}")))
        .execute(&mut conn)
        .await?;
    faster("MySQL, row by row in one transaction", &single, &mine, "");
    Ok(())
}

async fn sqlite(rows: usize) -> Outcome<()> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (mut single, mut mine) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (a, b) = (
            dir.path().join(format!("a{round}")),
            dir.path().join(format!("b{round}")),
        );
        let mut conn = sqlite_fresh(&a, rows).await?;
        let start = Instant::now();
        sqlx::raw_sql("BEGIN").execute(&mut conn).await?;
        for n in 0..rows {
            sqlx::query("UPDATE subs SET pm = ? WHERE id = ?")
                .bind(new(n))
                .bind(key(n))
                .execute(&mut conn)
                .await?;
        }
        sqlx::raw_sql("COMMIT").execute(&mut conn).await?;
        single.push(per_thousand(start, rows));
        sqlite_fresh(&b, rows).await?.close().await?;
        mine.push(ours(&format!("sqlite:{}", b.display()), "subs", rows).await?);
    }
    let percent = ratio(&mine, &single);
    let (floor, ours) = (median(&mut single), median(&mut mine));
    println!("| SQLite, time of row by row in one transaction | {floor} | {ours} | {percent} | ≤ 2.00× |");
    Ok(())
}

async fn sqlite_fresh(path: &std::path::Path, rows: usize) -> Outcome<SqliteConnection> {
    std::fs::File::create(path)?;
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await?;
    let sql = format!(
        "CREATE TABLE subs (id TEXT NOT NULL PRIMARY KEY, pm TEXT NOT NULL, cus TEXT, note TEXT); WITH RECURSIVE n(n) AS \
         (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {}) INSERT INTO subs SELECT printf('user_%09d', n), \
         printf('pm_1OldOldOldOldOldOld%08d', n), 'cus_' || n, 'some other text of the row' FROM n",
        rows - 1
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    Ok(conn)
}

/// How many times as fast ours is.
fn faster(name: &str, floor: &[u128], ours: &[u128], goal: &str) {
    let times = ratio(floor, ours);
    let (floor, ours) = (median(&mut floor.to_vec()), median(&mut ours.to_vec()));
    println!("| {name} | {floor} | {ours} | {times} | {goal} |");
}

/// The median over the rounds of a by b, with two decimals: both of a round met the same machine, the rounds may not.
fn ratio(a: &[u128], b: &[u128]) -> String {
    let mut of_rounds: Vec<_> = a.iter().zip(b).map(|(a, b)| 1000 * a / b.max(&1)).collect();
    let thousandths = median(&mut of_rounds);
    format!("{}.{:02}×", thousandths / 1000, thousandths % 1000 / 10)
}

fn median(values: &mut [u128]) -> u128 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
