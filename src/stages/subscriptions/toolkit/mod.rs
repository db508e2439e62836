//! The file of Stripe's Billing migration toolkit, linted: every error found here in a second instead of there in an hour.
//! PURE: bytes in; a report and two halves of the same bytes out. Nothing of the file stays but fingerprints.
//!
//! # The columns
//!
//! Found by name, in any order ([`columns`]). A row sells `price` with `quantity`, or `items.N.price` with
//! `items.N.quantity`, or `adhoc_items.N.` with `amount`, `product`, `interval`, `currency` and `quantity`; besides there may
//! be `add_invoice_items.N.` with `amount`, `product` and `currency`. `metadata.KEY` and `metadata_KEY` are the same. Columns
//! named `processing_error`, which Stripe's error files and ours have, are ignored, however many there are. Others are
//! warned about. A column twice, or none for what every row needs, refuses the file: nothing could be said of its rows.
//!
//! # The rules
//!
//! [`Rule`] is the list: of each its stable name, what it rests on, whether it rejects the row or warns, and the remedy.
//!
//! | about | judged |
//! |---|---|
//! | the record | as many cells as the header, quotation marks, UTF-8, no NUL, at most 256 KiB |
//! | what is sold | one way of pricing, numbered from 0 without a gap, complete, at most 20, amounts in full units with the decimals of a supported lower-case currency, one currency |
//! | times | epoch seconds; start 24 h (sandbox: 1 h) after the upload time stated; backdate past, with proration none; trial after the start and within the cycle; anchor not before the start; time zones |
//! | collection | `days_until_due` if and only if `send_invoice`; automatic tax or a tax rate; one coupon |
//! | ids | opaque, but a prefix that belongs to another kind is an error, and an unusual one a warning |
//! | other rows | the same old subscription again is rejected; the same customer, prices and start under other ids warned about |
//!
//! A **shift** ([`Rule::Shifted`]) is a row whose values stand in the wrong columns: said once, instead of whatever else
//! every column would have said. **Damage by a spreadsheet** ([`Rule::SpreadsheetDamage`]) is what opening and saving
//! does to numbers: scientific notation, days since 1900, separators, a `.0`, a decimal comma, an apostrophe.
//!
//! **Times that are off by a time zone** are warned about in two cases. Per row where the file has a column of the source's
//! period end (`current_period_end`, the export's `Current Period End (UTC)`, or metadata of that name): the anchor or the
//! start, whichever is nearer, misses it by a whole quarter of an hour, at most 14 hours. For the file where nearly all
//! of at least 20 rows are off alike: see `zones`.
//!
//! Stripe's page contradicts itself in places. Where one of its examples does what a description forbids, the verdict is a
//! warning that says which two sentences disagree (`sample_disagrees`, `backdate_prorated`, `anchor_without_proration`,
//! `trial_with_backdate`, `cancel_at_anchor`, `coupon_name`, `adhoc_product_template`, `source_not_named`). A backdate with
//! proration is a warning only in the form of the page's past-due example, written out and with an anchor; otherwise the
//! description holds. The multi-price and ad-hoc examples lack a cell, so that a value stands where none like it can:
//! such a row is rejected as shifted, because nobody could bill by it, and the example's contradiction is warned about.
//!
//! # What becomes of the bytes
//!
//! Every record goes to the accepted or to the errors half, byte for byte and in order ([`Output`]). Blank lines are no
//! rows. A file that is refused as a whole ([`LintError::Refused`]) has no halves: what was written of them must be thrown
//! away by the caller, as after every other error.
//!
//! Records are judged one by one, in helpers' threads if [`Rules::threads`] allows; what depends on rows above happens in
//! order, so that the verdicts do not depend on the number of threads.

mod cell;
mod check;
pub mod columns;
mod partition;
mod report;
mod row;
mod rule;
mod run;
mod source;
mod split;
mod strange;
mod twins;
mod zones;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::ops::ControlFlow;

use thiserror::Error;

pub use partition::{Half, Output, Parts};
pub use report::{Finding, Report, Summary};
pub use row::{Adhoc, Extra, Row};
pub use rule::{Rule, Severity};

/// Where the file will be uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Starts at least 24 hours after the upload.
    #[default]
    Live,
    /// At least one hour.
    Sandbox,
}

/// What the rules depend on.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// When the file is uploaded, epoch seconds.
    pub now: i64,
    /// Where.
    pub mode: Mode,
    /// Findings of each rule that are listed; all are counted.
    pub keep: usize,
    /// Threads that judge rows; 1: none but the caller's.
    pub threads: usize,
}

impl Rules {
    /// For an upload at `now`, epoch seconds.
    #[must_use]
    pub const fn new(now: i64, mode: Mode) -> Self {
        Self {
            now,
            mode,
            keep: 1_000,
            threads: 1,
        }
    }

    /// The first `start_date` Stripe takes.
    #[must_use]
    pub const fn earliest_start(&self) -> i64 {
        let hours = match self.mode {
            Mode::Live => 24,
            Mode::Sandbox => 1,
        };
        self.now.saturating_add(hours * 3_600)
    }
}

/// How far a lint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Rows judged.
    pub rows: u64,
    /// Of these, rejected.
    pub rejected: u64,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum LintError {
    /// The file as a whole cannot be used: what is wrong, where, and what to do, to be said behind its name.
    #[error("{0}")]
    Refused(String),
    /// It could not be read to its end.
    #[error("cannot be read to its end ({0}); try again")]
    Read(std::io::Error),
    /// A half could not be written.
    #[error("the file of {} rows cannot be written ({error})", if *half == Half::Accepted { "accepted" } else { "rejected" })]
    Write {
        /// Which.
        half: Half,
        /// Why.
        error: std::io::Error,
    },
    /// Whoever watched said so.
    #[error("cancelled")]
    Cancelled,
}

impl From<(Half, std::io::Error)> for LintError {
    fn from((half, error): (Half, std::io::Error)) -> Self {
        Self::Write { half, error }
    }
}

/// Lints a file, see the [module page](self). `watch` hears how far it is after every piece of 256 KiB, and may end it.
pub fn lint(
    input: impl Read,
    rules: &Rules,
    out: Output<'_>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, LintError> {
    run::lint(input, rules, out, watch)
}

/// What every rule that needs no other row says of one record, against a header line.
pub fn check(header: &str, record: &str, rules: &Rules) -> Result<Vec<Finding>, LintError> {
    run::one(header.as_bytes(), record.as_bytes(), rules)
}

/// The refusal of a file of that many bytes, if it is too large: known before a byte is read.
#[must_use]
pub fn too_large(bytes: u64) -> Option<LintError> {
    (bytes > columns::MAX_BYTES).then(source::too_large)
}
