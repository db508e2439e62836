//! What the database itself says of the table: columns, types, rights.

use super::conn::{Arg, Conn, Values};
use super::error::Trouble;
use super::name::Table;
use super::{DbError, Kind, TableSpec};
use crate::domain::text::safe;

const DOING: &str = "reading the table's description";
/// Names listed in an error.
const LISTED: usize = 40;

/// How values of a column are written and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Integer,
    Unsigned,
    Uuid,
    Text,
    /// Read as text, never written.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts of one column"
)]
pub(super) struct Column {
    pub(super) name: String,
    /// The type a value is cast to in SQL; PostgreSQL's, quoted by the server.
    pub(super) cast: String,
    /// The declared type, in lower case, for people and for the fingerprint.
    pub(super) declared: String,
    pub(super) form: Form,
    pub(super) nullable: bool,
    /// Computed from other columns by the database.
    pub(super) generated: bool,
    /// Whether the role may set it.
    pub(super) settable: bool,
    /// Set by MySQL itself at every update, `ON UPDATE CURRENT_TIMESTAMP`.
    pub(super) moves: bool,
}

/// The table as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catalog {
    pub(super) kind: Kind,
    pub(super) table: Table,
    /// `PostgreSQL 15.4`.
    pub(super) server: String,
    pub(super) columns: Vec<Column>,
    /// The key.
    pub(super) key: Column,
    /// What is read besides, in the order of [`super::Row`].
    pub(super) read: Vec<Column>,
    pub(super) unique: bool,
}

impl Catalog {
    pub(super) async fn load(conn: &mut Conn, spec: &TableSpec, table: &Table) -> Result<Self, Trouble> {
        let columns = Self::columns_of(conn, table).await?;
        let find = |name: &str| find(&columns, name, conn.place(), table);
        let key = find(&spec.key)?;
        let read = spec.columns().map(find).collect::<Result<_, _>>()?;
        let unique = is_unique(conn, table, &spec.key).await?;
        let server = server(conn).await?;
        Ok(Self {
            kind: conn.kind(),
            table: table.clone(),
            server,
            columns,
            key,
            read,
            unique,
        })
    }

    /// The columns of any table.
    pub(super) async fn columns_of(conn: &mut Conn, table: &Table) -> Result<Vec<Column>, Trouble> {
        match conn.kind() {
            Kind::Postgres => postgres(conn, table).await,
            Kind::MySql => mysql(conn, table).await,
            Kind::Sqlite => sqlite(conn, table).await,
        }
    }

    /// The column `name`, if a batch may set it.
    pub(super) fn to_set(&self, name: &str) -> Result<&Column, DbError> {
        let table = self.table.plain();
        let Some(column) = self.read.iter().find(|column| column.name == name) else {
            let name = safe(name);
            let why = format!("the column `{name}` of `{table}` is not among those configured");
            return Err(DbError::Batch(why));
        };
        if column.form == Form::Other || column.generated {
            return Err(column.unfit(&table));
        }
        Ok(column)
    }
}

impl Column {
    pub(super) fn unfit(&self, table: &str) -> DbError {
        DbError::ColumnType {
            table: table.to_owned(),
            column: self.name.clone(),
            found: safe(&self.declared),
        }
    }
}

fn find(columns: &[Column], name: &str, place: &str, table: &Table) -> Result<Column, DbError> {
    let found = columns.iter().find(|column| column.name == name);
    found.cloned().ok_or_else(|| DbError::NoColumn {
        place: place.to_owned(),
        table: table.plain(),
        column: name.to_owned(),
        there: listed(columns.iter().map(|column| column.name.clone())),
    })
}

fn listed(names: impl IntoIterator<Item = String>) -> crate::domain::text::Safe {
    let names: Vec<_> = names.into_iter().take(LISTED).collect();
    if names.is_empty() {
        return safe("nothing this role can see");
    }
    safe(&names.join(", "))
}

fn no_table(conn: &Conn, table: &Table, there: Vec<Values>) -> Trouble {
    let error = DbError::NoTable {
        place: conn.place().to_owned(),
        table: table.plain(),
        there: listed(there.into_iter().flatten().flatten()),
    };
    error.into()
}

fn not_a_table(conn: &Conn, table: &Table, what: &str) -> Trouble {
    let error = DbError::NotATable {
        place: conn.place().to_owned(),
        table: table.plain(),
        what: safe(what),
    };
    error.into()
}

/// The values of a row as strings; null is empty.
fn strings<const N: usize>(row: Values) -> [String; N] {
    let mut values = row.into_iter();
    std::array::from_fn(|_| values.next().flatten().unwrap_or_default())
}

fn yes(text: &str) -> bool {
    matches!(text, "1" | "true" | "t")
}

async fn server(conn: &mut Conn) -> Result<String, Trouble> {
    let (name, sql) = match conn.kind() {
        Kind::Postgres => ("PostgreSQL ", "SELECT current_setting('server_version')"),
        Kind::MySql => ("", "SELECT VERSION()"),
        Kind::Sqlite => ("SQLite ", "SELECT sqlite_version()"),
    };
    let rows = conn.fetch(DOING, sql.to_owned(), Vec::new()).await?;
    let version = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    let name = match conn.kind() {
        Kind::MySql if !version.contains("MariaDB") => "MySQL ",
        _ => name,
    };
    Ok(safe(&format!("{name}{version}")).to_string())
}

/// Whether an index makes `key` alone unique, for all rows.
async fn is_unique(conn: &mut Conn, table: &Table, key: &str) -> Result<bool, Trouble> {
    let (sql, args) = match conn.kind() {
        Kind::Postgres => (
            "SELECT CAST(count(*) AS text) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a \
             ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indrelid = pg_catalog.to_regclass($1) AND a.attname = $2 AND i.indisunique AND i.indisvalid \
             AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 1",
            vec![Arg::text(&table.quoted(Kind::Postgres)), Arg::text(key)],
        ),
        Kind::MySql => (
            "SELECT CAST(count(*) AS CHAR) FROM (SELECT INDEX_NAME FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND NON_UNIQUE = 0 GROUP BY INDEX_NAME \
             HAVING count(*) = 1 AND max(COLUMN_NAME = ?) = 1 AND max(SUB_PART IS NOT NULL) = 0) AS found",
            vec![
                Arg::Text(table.schema.clone()),
                Arg::text(&table.name),
                Arg::text(key),
            ],
        ),
        Kind::Sqlite => (
            "SELECT CAST((SELECT count(*) FROM pragma_index_list(?1) AS l WHERE l.\"unique\" = 1 AND l.partial = 0 \
             AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1 \
             AND (SELECT name FROM pragma_index_info(l.name)) = ?2) \
             + (SELECT count(*) = 1 AND max(name) = ?2 FROM pragma_table_info(?1) WHERE pk > 0) AS TEXT)",
            vec![Arg::text(&table.name), Arg::text(key)],
        ),
    };
    let rows = conn.fetch(DOING, sql.to_owned(), args).await?;
    let count = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    Ok(count != "0")
}

async fn postgres(conn: &mut Conn, table: &Table) -> Result<Vec<Column>, Trouble> {
    let kind = "SELECT CAST(relkind AS text) FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)";
    let name = || vec![Arg::text(&table.quoted(Kind::Postgres))];
    let found = conn.fetch(DOING, kind.to_owned(), name()).await?;
    match found.into_iter().flatten().flatten().next().as_deref() {
        Some("r" | "p") => {}
        Some("v" | "m") => return Err(not_a_table(conn, table, "a view")),
        Some(_) => return Err(not_a_table(conn, table, "no ordinary table")),
        None => {
            let list = "SELECT CAST(c.relname AS text) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
                        ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND CASE WHEN $1 IS NULL \
                        THEN pg_catalog.pg_table_is_visible(c.oid) AND n.nspname <> 'pg_catalog' \
                        ELSE n.nspname = $1 END ORDER BY 1";
            let schema = vec![Arg::Text(table.schema.clone())];
            let there = conn.fetch(DOING, list.to_owned(), schema).await?;
            return Err(no_table(conn, table, there));
        }
    }
    let columns = "SELECT CAST(a.attname AS text), \
                   pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(b.typname), \
                   CAST(b.typname AS text), CAST(b.typtype AS text), CAST(NOT a.attnotnull AS text), \
                   CAST(a.attgenerated <> '' AS text), \
                   CAST(pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS text) \
                   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
                   JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END \
                   JOIN pg_catalog.pg_namespace n ON n.oid = b.typnamespace \
                   WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
                   ORDER BY a.attnum";
    let rows = conn.fetch(DOING, columns.to_owned(), name()).await?;
    Ok(rows.into_iter().map(of_postgres).collect())
}

fn of_postgres(row: Values) -> Column {
    let [name, cast, declared, typtype, nullable, generated, settable] = strings(row);
    let form = match declared.as_str() {
        "int2" | "int4" | "int8" => Form::Integer,
        "uuid" => Form::Uuid,
        "text" | "varchar" | "bpchar" | "citext" => Form::Text,
        _ if typtype == "e" => Form::Text,
        _ => Form::Other,
    };
    // A number beyond a smaller type's range must not be found, rather than be an error.
    let cast = if form == Form::Integer {
        "pg_catalog.int8".to_owned()
    } else {
        cast
    };
    Column {
        name,
        cast,
        declared,
        form,
        nullable: yes(&nullable),
        generated: yes(&generated),
        settable: yes(&settable),
        moves: false,
    }
}

async fn mysql(conn: &mut Conn, table: &Table) -> Result<Vec<Column>, Trouble> {
    let args = || vec![Arg::Text(table.schema.clone()), Arg::text(&table.name)];
    let kind = "SELECT CAST(TABLE_NAME AS CHAR), CAST(TABLE_TYPE AS CHAR), CAST(ENGINE AS CHAR) \
                FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?";
    let found = conn.fetch(DOING, kind.to_owned(), args()).await?;
    let found = found
        .into_iter()
        .map(strings::<3>)
        .find(|[name, ..]| *name == table.name);
    match found {
        None => {
            let list = "SELECT CAST(TABLE_NAME AS CHAR) FROM information_schema.TABLES \
                        WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1";
            let schema = vec![Arg::Text(table.schema.clone())];
            let there = conn.fetch(DOING, list.to_owned(), schema).await?;
            return Err(no_table(conn, table, there));
        }
        Some([_, kind, _]) if kind != "BASE TABLE" => return Err(not_a_table(conn, table, "a view")),
        Some([_, _, engine]) if !engine.eq_ignore_ascii_case("InnoDB") => {
            let error = DbError::NoRollback {
                place: conn.place().to_owned(),
                table: table.plain(),
                engine: safe(&engine),
            };
            return Err(error.into());
        }
        Some(_) => {}
    }
    let columns = "SELECT CAST(COLUMN_NAME AS CHAR), CAST(DATA_TYPE AS CHAR), CAST(COLUMN_TYPE AS CHAR), \
                   CAST(IS_NULLABLE AS CHAR), CAST(EXTRA AS CHAR), CAST(PRIVILEGES AS CHAR), \
                   CAST(COALESCE(GENERATION_EXPRESSION, '') AS CHAR) FROM information_schema.COLUMNS \
                   WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";
    let rows = conn.fetch(DOING, columns.to_owned(), args()).await?;
    Ok(rows.into_iter().map(of_mysql).collect())
}

fn of_mysql(row: Values) -> Column {
    let [name, data_type, column_type, nullable, extra, rights, expression] = strings(row);
    let form = match data_type.to_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => {
            if column_type.to_lowercase().contains("unsigned") {
                Form::Unsigned
            } else {
                Form::Integer
            }
        }
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" => Form::Text,
        "uuid" => Form::Uuid,
        _ => Form::Other,
    };
    Column {
        name,
        cast: String::new(),
        declared: data_type.to_lowercase(),
        form,
        nullable: nullable == "YES",
        generated: !expression.is_empty(),
        settable: rights.to_lowercase().contains("update"),
        moves: extra.to_lowercase().contains("on update"),
    }
}

async fn sqlite(conn: &mut Conn, table: &Table) -> Result<Vec<Column>, Trouble> {
    let list = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1";
    if table.schema.as_deref().is_some_and(|schema| schema != "main") {
        let there = conn.fetch(DOING, list.to_owned(), Vec::new()).await?;
        return Err(no_table(conn, table, there));
    }
    let kind = "SELECT type FROM sqlite_master WHERE name = ?1 AND type IN ('table', 'view')";
    let found = conn
        .fetch(DOING, kind.to_owned(), vec![Arg::text(&table.name)])
        .await?;
    match found.into_iter().flatten().flatten().next().as_deref() {
        Some("table") => {}
        Some(_) => return Err(not_a_table(conn, table, "a view")),
        None => {
            let there = conn.fetch(DOING, list.to_owned(), Vec::new()).await?;
            return Err(no_table(conn, table, there));
        }
    }
    let columns = "SELECT name, lower(type), CAST(\"notnull\" = 0 AND NOT (pk = 1 AND lower(type) = 'integer' \
                   AND (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1) AS TEXT), \
                   CAST(hidden IN (2, 3) AS TEXT) FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
    let rows = conn
        .fetch(DOING, columns.to_owned(), vec![Arg::text(&table.name)])
        .await?;
    Ok(rows.into_iter().map(of_sqlite).collect())
}

/// A column's affinity, section 3.1 of "Datatypes In SQLite". Text kept under NUMERIC (`UUID`, `STRING`) stays text
/// unless it reads as a number; what is stored is looked at by [`super::check`].
fn of_sqlite(row: Values) -> Column {
    let [name, declared, nullable, generated] = strings(row);
    let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    let form = if has(&["int"]) {
        Form::Integer
    } else if has(&["char", "clob", "text"]) {
        Form::Text
    } else if has(&["blob", "real", "floa", "doub"]) {
        Form::Other
    } else {
        Form::Text
    };
    Column {
        name,
        cast: String::new(),
        declared: if declared.is_empty() {
            "anything".to_owned()
        } else {
            declared
        },
        form,
        nullable: yes(&nullable),
        generated: yes(&generated),
        settable: true,
        moves: false,
    }
}
