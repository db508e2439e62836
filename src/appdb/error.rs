//! What can go wrong with a database, as types and as one sentence each; and what a driver's error means for a
//! transaction.

use sqlx::mysql::MySqlDatabaseError;
use thiserror::Error;

use crate::domain::text::{Safe, safe};

/// Everything a caller hears. The driver's own words are bounded and [safe](crate::domain::text::safe) to draw; none
/// holds an address with its password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DbError {
    /// The address is not one.
    #[error(
        "the database address {0}; write postgres://user@host/database, mysql://user@host/database or sqlite:path"
    )]
    Address(String),
    /// A limit of zero, or a batch beyond 10,000 rows.
    #[error("a database limit is out of range: times and attempts are at least 1, batch_rows is 1 to 10000")]
    Limits,
    /// A name that is no plain identifier.
    #[error(
        "the {what} `{name}` is no plain name; use letters, digits and _ (at most 63), as in `payment_method`"
    )]
    Name {
        /// What it names.
        what: &'static str,
        /// As configured.
        name: Safe,
    },
    /// One column in two places.
    #[error("the column `{0}` is configured twice; name each column once")]
    Twice(String),
    /// A filter that is not one condition.
    #[error("the filter {0}; write one condition as after WHERE, such as region = 'eu'")]
    Filter(&'static str),
    /// No connection.
    #[error("{place} cannot be reached ({why}); check address, network, user and password")]
    Unreachable {
        /// Which database.
        place: String,
        /// The driver's words.
        why: Safe,
    },
    /// The connection broke off.
    #[error(
        "the connection to {place} was lost while {doing} ({why}); see that the database runs, then resume"
    )]
    Lost {
        /// Which database.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        why: Safe,
    },
    /// The table is not there, or not visible to the role.
    #[error("there is no table `{table}` in {place}; there is: {there}")]
    NoTable {
        /// Which database.
        place: String,
        /// As configured.
        table: String,
        /// The tables that are visible.
        there: Safe,
    },
    /// A view or the like.
    #[error("`{table}` in {place} is {what}, which cannot be changed row by row; name the table behind it")]
    NotATable {
        /// Which database.
        place: String,
        /// As configured.
        table: String,
        /// What it is.
        what: Safe,
    },
    /// A table whose engine knows no rollback.
    #[error(
        "the table `{table}` in {place} uses {engine}, which cannot roll back; convert it to InnoDB first"
    )]
    NoRollback {
        /// Which database.
        place: String,
        /// As configured.
        table: String,
        /// The engine.
        engine: Safe,
    },
    /// A column is not there, or not visible to the role.
    #[error("the table `{table}` in {place} has no column `{column}`; there is: {there}")]
    NoColumn {
        /// Which database.
        place: String,
        /// As configured.
        table: String,
        /// As configured.
        column: String,
        /// The columns that are visible.
        there: Safe,
    },
    /// A key column that does not tell rows apart.
    #[error("the key column `{column}` of `{table}` {why}; name a column that tells the rows apart")]
    Key {
        /// As configured.
        table: String,
        /// As configured.
        column: String,
        /// What is wrong with it.
        why: String,
    },
    /// A column that cannot hold an id exactly.
    #[error("the column `{column}` of `{table}` holds {found}; only text, integers and uuids are changed")]
    ColumnType {
        /// As configured.
        table: String,
        /// As configured.
        column: String,
        /// What it holds.
        found: Safe,
    },
    /// The ledger cannot be made.
    #[error("the role may not create the table of effects in {place}; have its owner run: {sql}")]
    LedgerRight {
        /// Which database.
        place: String,
        /// What the owner runs.
        sql: String,
    },
    /// Another table has the ledger's name.
    #[error("the table `{table}` in {place} is not the table of effects this program keeps; rename it")]
    LedgerShape {
        /// Which database.
        place: String,
        /// The ledger's name.
        table: String,
    },
    /// A batch that is refused before anything is asked.
    #[error("the batch is refused before anything was sent: {0}")]
    Batch(String),
    /// Another session holds a lock.
    #[error(
        "another session holds a lock that was needed in {place} while {doing} ({why}); nothing was changed, try again \
         when it has ended"
    )]
    Busy {
        /// Which database.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        why: Safe,
    },
    /// A statement ran too long.
    #[error(
        "{place} took longer than allowed while {doing} ({why}); nothing was changed, try a smaller batch"
    )]
    Slow {
        /// Which database.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        why: Safe,
    },
    /// The role may not, or the database is read-only.
    #[error("{place} does not allow {doing} ({why}); grant the role what is missing, or name the primary")]
    Denied {
        /// Which database.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        why: Safe,
    },
    /// A row does not hold what was just written into it.
    #[error(
        "of {planned} rows of `{table}` {changed} hold what was to be written, so the batch was rolled back; look for a \
         trigger, rule or row security that interferes"
    )]
    Mismatch {
        /// The table.
        table: String,
        /// How many rows were to change.
        planned: usize,
        /// How many hold the new values.
        changed: usize,
    },
    /// Everything else.
    #[error("{place} refused {doing} ({why}); nothing was changed")]
    Refused {
        /// Which database.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        why: Safe,
    },
}

impl DbError {
    /// The cause alone, for a sentence in which it is not known that nothing was changed.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Unreachable { why, .. } => format!("it cannot be reached: {why}"),
            Self::Lost { doing, why, .. }
            | Self::Busy { doing, why, .. }
            | Self::Slow { doing, why, .. }
            | Self::Denied { doing, why, .. }
            | Self::Refused { doing, why, .. } => format!("while {doing}: {why}"),
            other => other.to_string(),
        }
    }
}

/// What an error means for the transaction it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is of no more use.
    Lost,
    /// Rolled back by the server in favour of another: the same again may work.
    Conflict,
    /// Waited for a lock in vain.
    Lock,
    /// Ran too long.
    Slow,
    /// Not allowed.
    Denied,
    /// The same again gives the same.
    Refused,
}

impl Fault {
    /// Whether the whole transaction may be tried again.
    pub(super) const fn again(self) -> bool {
        matches!(self, Self::Lost | Self::Conflict | Self::Lock)
    }
}

/// An error with what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) fault: Fault,
    pub(super) error: DbError,
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        let fault = Fault::Refused;
        Self { fault, error }
    }
}

impl From<Trouble> for DbError {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
}

impl Trouble {
    /// A driver's error.
    pub(super) fn of(place: &str, doing: &'static str, error: &sqlx::Error) -> Self {
        let why = match error.as_database_error() {
            Some(error) => safe(error.message()),
            None => safe(&error.to_string()),
        };
        Self::new(fault_of(error), place, doing, why)
    }

    /// No answer in time.
    pub(super) fn silent(place: &str, doing: &'static str, secs: u64) -> Self {
        let why = safe(&format!("no answer within {secs} s"));
        Self::new(Fault::Lost, place, doing, why)
    }

    pub(super) fn unreachable(place: &str, why: Safe) -> Self {
        let place = place.to_owned();
        Self {
            fault: Fault::Lost,
            error: DbError::Unreachable { place, why },
        }
    }

    fn new(fault: Fault, place: &str, doing: &'static str, why: Safe) -> Self {
        let place = place.to_owned();
        let error = match fault {
            Fault::Lost => DbError::Lost { place, doing, why },
            Fault::Conflict | Fault::Lock => DbError::Busy { place, doing, why },
            Fault::Slow => DbError::Slow { place, doing, why },
            Fault::Denied => DbError::Denied { place, doing, why },
            Fault::Refused => DbError::Refused { place, doing, why },
        };
        Self { fault, error }
    }
}

/// Sorts a driver's error by the codes in the vendors' lists.
pub(super) fn fault_of(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(database) => {
            if let Some(mysql) = database.try_downcast_ref::<MySqlDatabaseError>() {
                return of_mysql(mysql.number());
            }
            let code = database.code().unwrap_or_default();
            match code.parse() {
                // SQLSTATEs have five characters, SQLite's extended codes at most four digits.
                Ok(number) if code.len() < 5 => of_sqlite(number),
                _ => of_sqlstate(&code),
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::PoolClosed
        | sqlx::Error::PoolTimedOut => Fault::Lost,
        _ => Fault::Refused,
    }
}

/// PostgreSQL, appendix A of its manual.
fn of_sqlstate(code: &str) -> Fault {
    match code {
        "40001" | "40P01" => Fault::Conflict,
        "55P03" => Fault::Lock,
        "57014" => Fault::Slow,
        "25006" | "42501" | "28000" | "28P01" => Fault::Denied,
        "57P01" | "57P02" | "57P03" | "25P03" | "57P05" => Fault::Lost,
        code if code.starts_with("08") => Fault::Lost,
        _ => Fault::Refused,
    }
}

/// MySQL and MariaDB, their error references.
const fn of_mysql(number: u16) -> Fault {
    match number {
        1213 | 1020 => Fault::Conflict,
        1205 => Fault::Lock,
        // Statement time: MariaDB, MySQL.
        1969 | 3024 => Fault::Slow,
        1044 | 1045 | 1142 | 1143 | 1227 | 1290 | 1370 | 1792 | 1836 => Fault::Denied,
        1040 | 1053 | 1080 | 1152..=1161 | 1184 | 1927 | 2006 | 2013 | 4031 => Fault::Lost,
        _ => Fault::Refused,
    }
}

/// SQLite's result codes; the low byte is the primary one.
const fn of_sqlite(code: u32) -> Fault {
    match code & 0xff {
        5 | 6 => Fault::Lock,
        3 | 8 | 23 => Fault::Denied,
        9 => Fault::Slow,
        _ => Fault::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_session_caused_is_tried_again_and_nothing_else() {
        for code in ["40001", "40P01", "55P03", "08006", "08007", "57P01"] {
            assert!(of_sqlstate(code).again(), "{code}");
        }
        for code in ["23505", "42501", "57014", "22P02", "42P01", "25006"] {
            assert!(!of_sqlstate(code).again(), "{code}");
        }
        assert!([1213, 1205, 1053, 2013].into_iter().all(|n| of_mysql(n).again()));
        assert!(
            ![1062, 1142, 3024, 1969, 1366]
                .into_iter()
                .any(|n| of_mysql(n).again())
        );
        // SQLITE_BUSY, SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED; SQLITE_READONLY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_FULL.
        assert!([5, 517, 6].into_iter().all(|code| of_sqlite(code).again()));
        assert!(![8, 1555, 13].into_iter().any(|code| of_sqlite(code).again()));
    }

    #[test]
    fn a_drivers_words_are_made_safe() {
        let hostile = sqlx::Error::Protocol("\u{1b}[2Jgone".into());
        let said = Trouble::of("postgres shop", "reading", &hostile)
            .error
            .to_string();
        assert!(said.contains("<1b>[2Jgone") && !said.contains('\u{1b}'), "{said}");
    }
}
