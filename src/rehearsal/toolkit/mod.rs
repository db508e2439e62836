//! Stripe's Dashboard, as far as it migrates subscriptions: the Billing migration toolkit
//! (docs.stripe.com/billing/subscriptions/import-subscriptions-toolkit). It takes a file, validates it after a while by
//! rules of its own, hands back an error file or a summary, and on a click makes a subscription schedule of every row.
//!
//! The program under test has a linter of its own; the two know nothing of each other, so that they can be compared.
//!
//! # Where what is
//!
//! `lines` (records of a file), `columns` (what a header may name), `reading` (cells as values), `rules` (across the
//! cells of a row): together [`validate`], which needs no account. `checks` (against the account), `making` (the
//! schedules), `dashboard` (the life of a migration), `desk` (the person who clicks).
//!
//! # Where the page leaves it open
//!
//! What the page does not say, or says in two ways, is decided here like this:
//!
//! * **File.** UTF-8, separated by commas, fields quoted with `"`; a byte order mark is skipped; lines end with LF or CRLF,
//!   and a CR alone ends none. Empty lines are passed over. A quote that is never closed, a column that is there twice, a
//!   header without `customer`, `start_date` or any price, and a file without rows fail as a whole. A quote inside an
//!   unquoted field is a quote; text behind a closing quote fails the row. So do a NUL, bytes that are no UTF-8, and more
//!   or fewer fields than the header has.
//! * **120 MB** are 120,000,000 bytes.
//! * **Header.** Names are case-sensitive, spaces around them do not count, and the ` (required)` of the page's tables may
//!   stand behind them. Unknown columns are passed over, `processing_error` among them, but one that begins as an item's
//!   does (`items.`, `adhoc_items.`, `add_invoice_items.`) and is none fails the file: half an item would be billed.
//! * **Metadata.** `metadata.k` and `metadata_k` both give the key `k`; both in one file are a column twice. Limits are the
//!   API's: 50 keys that have a value, 40 characters of a key, 500 of a value, no brackets in keys. Values are taken as
//!   they are, formulas and spaces too; `source` may be anything.
//! * **Cells** of other columns must not begin or end with a space. An empty cell is a value that was not given.
//! * **Times** are 1 to 10 digits. Everything else is an invalid date: milliseconds, `1.70E+09`, a sign.
//! * **`start_date`** counts from the upload, not from the click that starts the migration. A row whose start has passed
//!   when schedules are made gets none.
//! * **Numbers.** Quantities are whole and may be 0, as the API allows; `days_until_due` is at least 1.
//! * **Booleans** are `true`, `false`, `TRUE` and `FALSE`, and no other spelling.
//! * **Prices.** `price` and `items.N.price` exclude each other; ad-hoc items go with either. One item is enough, although
//!   the table marks `items.1.price` as required. Items count from 0 without a gap, of each family for itself; at most 20
//!   in all, and 20 add-ons. The same price twice is refused, as the API does. A quantity without its price is missing data.
//! * **Ad-hoc items** need a product each; the table of the template forgets it for the second. All have one currency and
//!   one interval, as those of a subscription must. `currency` must be theirs too. Add-ons may not have another either.
//! * **Amounts** are digits and at most a point with digits behind it, above zero, with no more decimals than the currency
//!   has (facts of Stripe's currencies page: none for yen and its kin and for ISK and UGX, three for dinars, of which the
//!   last is 0).
//! * **`backdate_start_date`** demands `none` in so many words, also where `proration_behavior` is left out. The page's
//!   example of past-due subscriptions backdates with `create_prorations`; its rule says *must*, and the rule wins.
//! * **`trial_end`** lies after the start and before the end of the cycle: before `billing_cycle_anchor` where that is
//!   given, else within one interval of the price. The page also says that it cannot be combined "with the trial", which
//!   means nothing.
//! * **`billing_cycle_anchor`** is not before the start, and at most one interval behind it, as the API demands.
//! * **An interval** is known of ad-hoc items by the file, of prices by the account: checks that need it wait for that.
//! * **Coupon.** One: a cell with a space, comma, semicolon or bar in it names several. The page calls it a name once and
//!   an id elsewhere; it is an id.
//! * **Twice the same** subscription is taken, whatever its metadata say: nobody promises otherwise. So is an id of any
//!   shape.
//! * **`automatic_tax`** `false` goes with a tax rate; only `true` does not.

use std::fmt;

mod checks;
mod columns;
mod dashboard;
mod desk;
mod lines;
mod making;
mod reading;
mod rules;
#[cfg(test)]
mod tests;

pub use dashboard::Migration;
pub(crate) use dashboard::{Dashboard, Deed};
pub(crate) use desk::{PATH, Said, answer};
use reading::Row;

/// The largest file, bytes.
const MOST_BYTES: usize = 120_000_000;
/// What lies at least between the upload and a start, seconds; in a sandbox an hour.
const BUFFER: i64 = 24 * 3600;
const SANDBOX_BUFFER: i64 = 3600;

/// What is wrong with a cell, or with a row as far as that column tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The column as the header has it, or as it should be there.
    pub column: String,
    /// One sentence without a full stop.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.why)
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowVerdict {
    /// Line its record begins in, from 1; the header's is 1.
    pub line: usize,
    /// Empty: it is accepted.
    pub problems: Vec<Problem>,
}

impl RowVerdict {
    /// Whether a schedule can be made of it.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Why a file is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileRefused {
    /// It is larger than 120,000,000 bytes.
    #[error("The file is larger than 120 MB")]
    TooLarge,
    /// It has no header, or nothing but one.
    #[error("The file has no rows")]
    NoRows,
    /// The header is not text.
    #[error("The header is not UTF-8 text")]
    NotText,
    /// A column is there more than once.
    #[error("The column {0} is there twice")]
    Twice(String),
    /// A column that every file needs is not there.
    #[error("Missing column: {0}")]
    Missing(&'static str),
    /// A column of an item that no item has.
    #[error("There is no column {0}")]
    NoSuchItem(String),
    /// A quoted field does not end.
    #[error("A quote in line {0} is never closed")]
    OpenQuote(usize),
}

/// Validates a file as far as that goes without an account. `now` is the upload's instant, seconds.
///
/// # Errors
/// When the file is refused as a whole.
pub fn validate(bytes: &[u8], now: i64, sandbox: bool) -> Result<Vec<RowVerdict>, FileRefused> {
    let rows = read(bytes, now, sandbox)?;
    let verdict = |row: ReadRow<'_>| RowVerdict {
        line: row.line,
        problems: row.outcome.err().unwrap_or_default(),
    };
    Ok(rows.into_iter().map(verdict).collect())
}

/// A record of a file with what it says or what is wrong with it.
pub(crate) struct ReadRow<'a> {
    pub(crate) line: usize,
    /// With its line ending, if it has one.
    pub(crate) raw: &'a [u8],
    pub(crate) outcome: Result<Row, Vec<Problem>>,
}

/// Every row of a file, checked as [`validate`] does.
pub(crate) fn read(bytes: &[u8], now: i64, sandbox: bool) -> Result<Vec<ReadRow<'_>>, FileRefused> {
    if bytes.len() > MOST_BYTES {
        return Err(FileRefused::TooLarge);
    }
    let mut records = lines::Records::of(bytes);
    let first = records.next().ok_or(FileRefused::NoRows)?;
    let header = columns::Header::of(&first.map_err(|open| FileRefused::OpenQuote(open.0))?)?;
    let from = now + if sandbox { SANDBOX_BUFFER } else { BUFFER };
    let rules = rules::Rules { now, from, sandbox };
    let mut rows = Vec::new();
    for record in records {
        let record = record.map_err(|open| FileRefused::OpenQuote(open.0))?;
        rows.push(ReadRow {
            line: record.line,
            raw: record.raw,
            outcome: rules.row(&header, &record),
        });
    }
    if rows.is_empty() {
        return Err(FileRefused::NoRows);
    }
    Ok(rows)
}

/// The header's bytes as they are in the file, byte order mark apart.
pub(crate) fn header_line(bytes: &[u8]) -> &[u8] {
    let first = lines::Records::of(bytes).next();
    first.and_then(Result::ok).map_or(&[], |record| record.raw)
}
