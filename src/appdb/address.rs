//! Where the database is: the address taken apart, and put into words without its secrets.

use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;

use super::{DbError, Kind, Limits};
use crate::domain::text::safe;

/// Parameters that are understood; a misspelt one would otherwise be ignored, and `sslmod=require` would mean no TLS.
const POSTGRES: [&str; 12] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "port",
    "application_name",
];
const MYSQL: [&str; 9] = [
    "sslmode", "ssl-mode", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key", "socket",
];

/// Holds the password, so it has no `Debug`.
pub(super) struct Address {
    pub(super) kind: Kind,
    pub(super) options: Options,
    /// `postgres shop on db.example:5432`.
    pub(super) place: String,
}

pub(super) enum Options {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl Address {
    pub(super) fn parse(url: &SecretString, limits: &Limits) -> Result<Self, DbError> {
        let url = url.expose_secret();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            "postgres" | "postgresql" => postgres(&parsed(url, &POSTGRES)?),
            "mysql" | "mariadb" => mysql(&parsed(&as_mysql(url), &MYSQL)?),
            "sqlite" => sqlite(url, limits),
            _ => Err(refused("begins with no database that is known")),
        }
    }
}

fn refused(why: &str) -> DbError {
    DbError::Address(why.to_owned())
}

fn as_mysql(url: &str) -> String {
    match url.strip_prefix("mariadb:") {
        Some(rest) => format!("mysql:{rest}"),
        None => url.to_owned(),
    }
}

/// Errors of the parser are not repeated: they may quote what they could not read.
fn parsed(url: &str, known: &[&str]) -> Result<Url, DbError> {
    let url = Url::parse(url).map_err(|_| refused("cannot be read"))?;
    if url.path().trim_matches('/').is_empty() {
        return Err(refused("names no database"));
    }
    match url
        .query_pairs()
        .find(|(name, _)| !known.contains(&name.as_ref()))
    {
        Some((name, _)) => Err(refused(&format!(
            "has a parameter `{}` that is not known",
            safe(&name)
        ))),
        None => Ok(url),
    }
}

fn postgres(url: &Url) -> Result<Address, DbError> {
    let options = PgConnectOptions::from_url(url).map_err(|_| refused("has a part that cannot be read"))?;
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let place = words(Kind::Postgres, options.get_database().unwrap_or_default(), &host);
    Ok(Address {
        kind: Kind::Postgres,
        options: Options::Postgres(Box::new(options.disable_statement_logging())),
        place,
    })
}

fn mysql(url: &Url) -> Result<Address, DbError> {
    let options =
        MySqlConnectOptions::from_url(url).map_err(|_| refused("has a part that cannot be read"))?;
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let place = words(Kind::MySql, options.get_database().unwrap_or_default(), &host);
    Ok(Address {
        kind: Kind::MySql,
        options: Options::MySql(Box::new(options.disable_statement_logging())),
        place,
    })
}

fn sqlite(url: &str, limits: &Limits) -> Result<Address, DbError> {
    if let Some((_, query)) = url.split_once('?')
        && !matches!(query, "mode=ro" | "mode=rw")
    {
        return Err(refused("may have `?mode=ro` or `?mode=rw` and nothing else"));
    }
    if url.contains(":memory:") || url.trim_end_matches('/') == "sqlite:" {
        return Err(refused("names no file"));
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| refused("cannot be read"))?;
    let place = format!(
        "sqlite file {}",
        safe(&options.get_filename().display().to_string())
    );
    let options = options
        .create_if_missing(false)
        .busy_timeout(Duration::from_millis(limits.lock_ms.into()))
        .disable_statement_logging();
    Ok(Address {
        kind: Kind::Sqlite,
        options: Options::Sqlite(Box::new(options)),
        place,
    })
}

fn words(kind: Kind, database: &str, host: &str) -> String {
    format!("{} {} on {}", kind.word(), safe(database), safe(host))
}
