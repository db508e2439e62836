//! The application's own database, against real ones: SQLite always, PostgreSQL and MySQL/MariaDB where an address is
//! given in `CUTOVER_TEST_POSTGRES` and `CUTOVER_TEST_MYSQL`. Where none is, the tests say that they were skipped; those
//! that need one stand in modules named so.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stderr, reason = "a skipped test says so loudly")]

mod batches;
mod cuts;
mod files;
mod limits;
mod place;
mod proxy;
mod reading;
mod shapes;

/// Makes of each test one for every database.
macro_rules! on_each {
    ($($test:ident),* $(,)?) => {
        mod postgres_if_given {
            $(#[tokio::test] async fn $test() { crate::place::on(cutover::appdb::Kind::Postgres, super::$test).await; })*
        }
        mod mysql_if_given {
            $(#[tokio::test] async fn $test() { crate::place::on(cutover::appdb::Kind::MySql, super::$test).await; })*
        }
        mod sqlite {
            $(#[tokio::test] async fn $test() { crate::place::on(cutover::appdb::Kind::Sqlite, super::$test).await; })*
        }
    };
}
/// Makes of each test one for every database behind a network.
macro_rules! on_servers {
    ($($test:ident),* $(,)?) => {
        mod postgres_if_given {
            $(#[tokio::test] async fn $test() { crate::place::on(cutover::appdb::Kind::Postgres, super::$test).await; })*
        }
        mod mysql_if_given {
            $(#[tokio::test] async fn $test() { crate::place::on(cutover::appdb::Kind::MySql, super::$test).await; })*
        }
    };
}
pub(crate) use {on_each, on_servers};
