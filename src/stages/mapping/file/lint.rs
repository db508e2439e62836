//! What is wrong with rows, counted exactly and named by the first few places.

use std::collections::BTreeMap;
use std::fmt;

use super::Raw;
use crate::domain::text::safe;

/// Places kept per problem.
const PLACES: usize = 5;
/// Longest id Stripe gives (facts 1.2: ids are opaque strings of at most 255 characters).
const LONGEST_ID: usize = 255;
/// Longest line that is looked into.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// Why a row is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// No old or no new customer.
    Blank,
    /// An old method without a new one, or the other way round.
    HalfBlank,
    /// An id that does not begin as that kind of id does.
    Prefix,
    /// Something no id can be: other characters, NUL, bytes that are not text, too long.
    NotAnId,
    /// More or fewer cells than the header has.
    Cells,
    /// A line longer than a mebibyte.
    Overlong,
    /// Two old methods with one new one.
    ManyToOne,
}

impl Problem {
    /// A stable name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::HalfBlank => "half_blank",
            Self::Prefix => "wrong_prefix",
            Self::NotAnId => "not_an_id",
            Self::Cells => "wrong_number_of_cells",
            Self::Overlong => "overlong_line",
            Self::ManyToOne => "many_to_one",
        }
    }

    /// What it means and what to do.
    #[must_use]
    pub const fn means(self) -> &'static str {
        match self {
            Self::Blank => "a customer id is missing; the row is not used",
            Self::HalfBlank => "one of the two method ids is missing; the row is not used",
            Self::Prefix => {
                "the id does not begin with cus_, or pm_, card_, src_ or ba_; check that the columns are not mixed up"
            }
            Self::NotAnId => {
                "this is not an id; the file may have been damaged by a spreadsheet, fetch it again"
            }
            Self::Cells => "the row has another number of cells than the header; fetch the file again",
            Self::Overlong => "the line is longer than a mebibyte; fetch the file again",
            Self::ManyToOne => {
                "two old methods have one new method; neither is used, ask Stripe which one is right"
            }
        }
    }
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1; the entry, in JSON.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// What stands there, safe to draw and cut.
    pub text: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, line {}, column `{}`: {}",
            self.file, self.line, self.column, self.text
        )
    }
}

/// How often a problem occurs, and where first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub count: u64,
    /// The first few.
    pub first: Vec<Place>,
}

/// The report. `rows = accepted + rejected() + identical`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lint {
    /// Files, in the order given.
    pub files: Vec<String>,
    /// Rows in all of them, without headers and blank lines.
    pub rows: u64,
    /// Rows that are used.
    pub accepted: u64,
    /// Rows that say again what another row says.
    pub identical: u64,
    /// Rows that are not used, by reason.
    pub problems: BTreeMap<Problem, Tally>,
    /// Columns nobody asked for, safe to draw.
    pub ignored: Vec<String>,
}

impl Lint {
    /// Rows that are not used.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.problems.values().map(|tally| tally.count).sum()
    }

    pub(super) fn reject(&mut self, problem: Problem, line: u64, column: &'static str, text: &[u8]) {
        let tally = self.problems.entry(problem).or_default();
        tally.count += 1;
        if tally.first.len() < PLACES {
            let cut: String = text_of(text).chars().take(60).collect();
            tally.first.push(Place {
                file: self.files.last().cloned().unwrap_or_default(),
                line,
                column,
                text: safe(&cut).as_str().to_owned(),
            });
        }
    }

    /// One line per problem, and one for the duplicates: for the screen and for stderr.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} rows: {} used, {} rejected, {} said twice",
            self.rows,
            self.accepted,
            self.rejected(),
            self.identical
        )];
        for (problem, tally) in &self.problems {
            let first = tally.first.first().map(ToString::to_string).unwrap_or_default();
            lines.push(format!(
                "{} {}: {} (first: {first})",
                tally.count,
                problem.word(),
                problem.means()
            ));
        }
        if !self.ignored.is_empty() {
            lines.push(format!("columns not used: {}", self.ignored.join(", ")));
        }
        lines
    }
}

/// A row whose cells are ids of the right kinds.
#[derive(Clone, Copy)]
pub(super) struct Checked<'a> {
    pub(super) customer: &'a [u8],
    pub(super) source: &'a [u8],
    pub(super) new_customer: &'a [u8],
    pub(super) new_source: &'a [u8],
}

pub(super) type Wrong<'a> = (Problem, &'static str, &'a [u8]);

/// Judges the cells of one row.
pub(super) fn check(raw: Raw<'_>) -> Result<Checked<'_>, Wrong<'_>> {
    let checked = Checked {
        customer: id(raw.customer, "customer_id_old")?,
        source: id(raw.source, "source_id_old")?,
        new_customer: id(raw.new_customer, "customer_id_new")?,
        new_source: id(raw.new_source, "source_id_new")?,
    };
    if checked.customer.is_empty() {
        return Err((Problem::Blank, "customer_id_old", b""));
    }
    if checked.new_customer.is_empty() {
        return Err((Problem::Blank, "customer_id_new", checked.customer));
    }
    if checked.source.is_empty() != checked.new_source.is_empty() {
        let text = if checked.source.is_empty() {
            checked.new_source
        } else {
            checked.source
        };
        return Err((Problem::HalfBlank, "source_id_new", text));
    }
    if !checked.new_customer.starts_with(b"cus_") {
        return Err((Problem::Prefix, "customer_id_new", checked.new_customer));
    }
    if !checked.new_source.is_empty() && !is_method(checked.new_source) {
        return Err((Problem::Prefix, "source_id_new", checked.new_source));
    }
    Ok(checked)
}

/// Ids of another processor may look like anything; those of Stripe do not.
pub(super) fn check_old<'a>(checked: &Checked<'a>) -> Result<(), Wrong<'a>> {
    if !checked.customer.starts_with(b"cus_") {
        return Err((Problem::Prefix, "customer_id_old", checked.customer));
    }
    if !checked.source.is_empty() && !is_method(checked.source) {
        return Err((Problem::Prefix, "source_id_old", checked.source));
    }
    Ok(())
}

fn is_method(id: &[u8]) -> bool {
    id.starts_with(b"pm_") || id.starts_with(b"card_") || id.starts_with(b"src_") || id.starts_with(b"ba_")
}

/// Bytes that no id has.
const STRANGE: [bool; 256] = {
    let (mut strange, mut byte) = ([true; 256], 0);
    while byte < 128_u8 {
        strange[byte as usize] = !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        byte += 1;
    }
    strange
};

/// A cell as an id: trimmed, of characters an id may have, and not too long.
fn id<'a>(cell: &'a [u8], column: &'static str) -> Result<&'a [u8], Wrong<'a>> {
    let cell = cell.trim_ascii();
    let strange = |found, byte: &u8| found | STRANGE[usize::from(*byte)];
    if cell.len() <= LONGEST_ID && !cell.iter().fold(false, strange) {
        return Ok(cell);
    }
    Err((Problem::NotAnId, column, cell))
}

/// What of a cell is text.
pub(super) fn text_of(cell: &[u8]) -> &str {
    match std::str::from_utf8(cell) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&cell[..error.valid_up_to()]).unwrap_or_default(),
    }
}
