//! Whether what is configured is there and fits, before anything is planned on it.

use super::catalog::{Catalog, Form};
use super::conn::{Arg, Conn, For};
use super::error::{Fault, Trouble};
use super::name::{Table, quote};
use super::{Database, DbError, Kind, ledger, pages};

/// What [`Database::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Which database it is.
    pub kind: Kind,
    /// The server's name and version, `PostgreSQL 15.4`; safe to draw.
    pub server: String,
    /// All columns of the table, in its order.
    pub columns: Vec<String>,
    /// Whether the table of effects is there.
    pub ledger: bool,
    /// Why this role cannot write, in half a sentence; `None` if it can as far as can be told without writing.
    pub no_write: Option<String>,
}

impl Shape {
    /// Whether the role may write, as far as can be told without writing.
    #[must_use]
    pub const fn may_write(&self) -> bool {
        self.no_write.is_none()
    }
}

pub(super) async fn check(db: &Database) -> Result<Shape, DbError> {
    let mut conn = db.take(For::Reading).await?;
    // Asked anew: between two checks the operator may have corrected the table.
    let catalog = Catalog::load(&mut conn, &db.0.spec, &db.0.table).await?;
    fits(&catalog)?;
    pages::refuse_null_keys(&mut conn, &catalog).await?;
    if catalog.kind == Kind::Sqlite {
        stored_as_text(&mut conn, &catalog).await?;
    }
    let there = ledger::exists(&mut conn, &db.0.table).await?;
    let no_write = no_write(db, &mut conn, &catalog, there).await?;
    db.keep(conn);
    Ok(Shape {
        kind: catalog.kind,
        server: catalog.server.clone(),
        columns: catalog.columns.iter().map(|column| column.name.clone()).collect(),
        ledger: there,
        no_write,
    })
}

fn fits(catalog: &Catalog) -> Result<(), DbError> {
    let table = catalog.table.plain();
    let key = |why: &str| DbError::Key {
        table: table.clone(),
        column: catalog.key.name.clone(),
        why: why.to_owned(),
    };
    if catalog.key.form == Form::Other {
        return Err(key(&format!(
            "is of type {}, not an integer, uuid or text",
            catalog.key.declared
        )));
    }
    if !catalog.unique {
        return Err(key(
            "has no unique index of its own, so one key may stand for several rows",
        ));
    }
    let written = catalog.read.iter().take(1);
    match written
        .into_iter()
        .find(|column| column.form == Form::Other || column.generated)
    {
        Some(column) => Err(column.unfit(&table)),
        None => Ok(()),
    }
}

/// SQLite's columns hold any type in any row. A number with a fraction or a blob would not survive as text.
async fn stored_as_text(conn: &mut Conn, catalog: &Catalog) -> Result<(), Trouble> {
    for column in std::iter::once(&catalog.key).chain(catalog.read.first()) {
        let (table, name) = (
            catalog.table.quoted(Kind::Sqlite),
            quote(Kind::Sqlite, &column.name),
        );
        // Compared as text or, by the column's own type, as an integer; a mixture would miss rows.
        let fitting = match column.form {
            Form::Integer => "'integer', 'text', 'null'",
            _ => "'text', 'null'",
        };
        let sql =
            format!("SELECT typeof({name}) FROM {table} WHERE typeof({name}) NOT IN ({fitting}) LIMIT 1");
        let found = conn.fetch("looking at the stored types", sql, Vec::new()).await?;
        if let Some(found) = found.into_iter().flatten().flatten().next() {
            let mut column = column.clone();
            column.declared = format!("values of type {found} in some row");
            return Err(column.unfit(&catalog.table.plain()).into());
        }
    }
    Ok(())
}

async fn no_write(
    db: &Database,
    conn: &mut Conn,
    catalog: &Catalog,
    ledger: bool,
) -> Result<Option<String>, Trouble> {
    if let Some(column) = catalog.read.iter().take(1).find(|column| !column.settable) {
        return Ok(Some(format!(
            "the role may not update the column `{}`",
            column.name
        )));
    }
    match catalog.kind {
        Kind::Postgres => no_write_postgres(conn, &catalog.table, ledger).await,
        Kind::MySql => no_write_mysql(conn).await,
        Kind::Sqlite => no_write_sqlite(db).await,
    }
}

async fn one(conn: &mut Conn, sql: &str, args: Vec<Arg>) -> Result<String, Trouble> {
    let rows = conn
        .fetch("asking what the role may do", sql.to_owned(), args)
        .await?;
    Ok(rows.into_iter().flatten().flatten().next().unwrap_or_default())
}

async fn no_write_postgres(conn: &mut Conn, table: &Table, ledger: bool) -> Result<Option<String>, Trouble> {
    let replica = "SELECT CAST(pg_catalog.pg_is_in_recovery() AS text)";
    if one(conn, replica, Vec::new()).await? == "true" {
        return Ok(Some("this server is a replica; name the primary".to_owned()));
    }
    let setting = "SELECT pg_catalog.current_setting('default_transaction_read_only')";
    if one(conn, setting, Vec::new()).await? == "on" {
        return Ok(Some(
            "the role's transactions are read-only (default_transaction_read_only)".to_owned(),
        ));
    }
    let (sql, name, missing) = if ledger {
        let sql = "SELECT CAST(count(*) AS text) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r \
                   WHERE NOT pg_catalog.has_table_privilege($1, r)";
        let name = table.beside(ledger::LEDGER).quoted(Kind::Postgres);
        (sql, name, "the role may not read and write the table of effects")
    } else {
        let sql = "SELECT CAST(count(*) AS text) FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) \
                   AND NOT pg_catalog.has_schema_privilege(c.relnamespace, 'CREATE')";
        (
            sql,
            table.quoted(Kind::Postgres),
            "the role may not create the table of effects",
        )
    };
    let count = one(conn, sql, vec![Arg::text(&name)]).await?;
    Ok((count != "0").then(|| missing.to_owned()))
}

async fn no_write_mysql(conn: &mut Conn) -> Result<Option<String>, Trouble> {
    let read_only = one(conn, "SELECT CAST(@@global.read_only AS CHAR)", Vec::new()).await?;
    let why = "this server is read-only, as replicas are; name the primary";
    let off = read_only == "0" || read_only.eq_ignore_ascii_case("off");
    Ok((!off).then(|| why.to_owned()))
}

/// Takes SQLite's write lock and gives it back: a read-only file refuses even that, and nothing is written.
async fn no_write_sqlite(db: &Database) -> Result<Option<String>, Trouble> {
    let mut conn = db.take(For::Writing).await?;
    match conn.begin().await {
        Ok(()) => {
            conn.roll_back().await?;
            db.keep(conn);
            Ok(None)
        }
        Err(trouble) if trouble.fault == Fault::Denied => Ok(Some("the file is read-only".to_owned())),
        Err(trouble) => Err(trouble),
    }
}
