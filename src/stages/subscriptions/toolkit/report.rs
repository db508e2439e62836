//! What a lint found, in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::cell::Note;
use super::check::Fault;
use super::columns::{Column, Fixed, Header, NONE, Part};
use super::{Rule, Severity};
use crate::domain::money::{Money, Sums};
use crate::domain::text::safe;

/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The row, 1 for the first below the header; 0: the file or its header.
    pub row: u64,
    /// The line of the file the row begins on, 1 for the first.
    pub line: u64,
    /// The column; empty: the row as such.
    pub column: String,
    /// What stands there, cut, safe to draw.
    pub value: String,
    /// Which rule.
    pub rule: Rule,
    /// What is wrong; what to do.
    pub message: String,
}

/// What the Dashboard shows of an upload, to be compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The upload time the rules were applied for, epoch seconds.
    pub uploaded_at: i64,
    /// Accepted rows.
    pub subscriptions: u64,
    /// Different customers of accepted rows.
    pub customers: u64,
    /// The earliest `start_date` of accepted rows, epoch seconds.
    pub first_go_live: Option<i64>,
}

/// What a lint found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows below the header. Accepted and rejected ones add up to it.
    pub rows: u64,
    /// Rows without an error.
    pub accepted: u64,
    /// Rows with one.
    pub rejected: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// How often each rule was broken: exact.
    pub counts: BTreeMap<Rule, u64>,
    /// Errors in the order of the file; of each rule the first [`super::Rules::keep`].
    pub errors: Vec<Finding>,
    /// Warnings alike.
    pub warnings: Vec<Finding>,
    /// For the Dashboard.
    pub summary: Summary,
    /// What [`Rule::FreeCycle`] gives away in accepted rows, as far as amounts stand in the file; charges, so negative.
    pub at_stake: Sums,
}

impl Report {
    /// How many findings of that severity are not in the list because there were too many of a kind.
    #[must_use]
    pub fn not_listed(&self, severity: Severity) -> u64 {
        let listed = match severity {
            Severity::Error => self.errors.len(),
            Severity::Warning => self.warnings.len(),
        };
        let of = |rule: &Rule| rule.severity() == severity;
        let counts = self.counts.iter().filter(|(rule, _)| of(rule));
        counts.map(|(_, n)| n).sum::<u64>() - listed as u64
    }

    /// Counts a breach. Whether it is to be listed.
    pub(super) fn count(&mut self, rule: Rule, keep: usize) -> bool {
        let count = self.counts.entry(rule).or_default();
        *count += 1;
        *count <= keep as u64
    }

    pub(super) fn list(&mut self, finding: Finding) {
        match finding.rule.severity() {
            Severity::Error => self.errors.push(finding),
            Severity::Warning => self.warnings.push(finding),
        }
    }
}

/// A value as it is shown: cut, and safe to draw.
pub(super) fn shown(cell: &[u8]) -> String {
    // A letter has at most four bytes, and what is cut off needs no looking at.
    let cut = cell.get(..4 * SHOWN + 4).unwrap_or(cell);
    let text = String::from_utf8_lossy(cut);
    let mut letters = text.chars();
    let mut out: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() || cut.len() < cell.len() {
        out.push_str("...");
    }
    safe(&out).to_string()
}

/// A finding of a fault.
pub(super) fn finding(fault: &Fault, header: &Header, cell: &[u8], row: u64, line: u64) -> Finding {
    Finding {
        row,
        line,
        column: header.name(fault.column).to_owned(),
        value: shown(cell),
        rule: fault.rule,
        message: message(fault, header),
    }
}

/// What is wrong; what to do.
pub(super) fn message(fault: &Fault, header: &Header) -> String {
    let mut out = fault.rule.means().to_owned();
    if let Some(more) = more(fault, header) {
        let _ = write!(out, " ({more})");
    }
    let _ = write!(out, "; {}", fault.rule.remedy());
    out
}

fn more(fault: &Fault, header: &Header) -> Option<String> {
    Some(match fault.note {
        Note::Nothing if fault.rule == Rule::NotAChoice => choices(header, fault.column)?.to_owned(),
        Note::Nothing | Note::Column(NONE) => return None,
        Note::Words(words) if fault.rule == Rule::UnknownColumn => format!("probably {words}"),
        Note::Words(words) => words.to_owned(),
        Note::Number(words, number) => format!("{words} {number}"),
        Note::Line(line) => format!("line {line}"),
        Note::Counts(lines, 0) => format!("{lines} lines"),
        Note::Counts(found, wanted) => format!("{found}, not {wanted}"),
        Note::Stake(minor, currency) => format!("at stake: {} a cycle", Money::new(minor, currency)),
        Note::Seconds(words, seconds) => format!("{} {words}", hours(seconds)),
        Note::Column(at) => format!("it belongs to {}", header.name(at)),
    })
}

fn choices(header: &Header, at: u16) -> Option<&'static str> {
    Some(match header.columns.get(usize::from(at))? {
        Column::Fixed(Fixed::Proration) => "create_prorations or none",
        Column::Fixed(Fixed::Collection) => "charge_automatically or send_invoice",
        Column::Item(_, _, Part::Interval) => "day, week, month or year",
        _ => return None,
    })
}

/// `+8 h`, `-5:30 h`.
pub(super) fn hours(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{sign}{hours} h"),
        (hours, minutes) => format!("{sign}{hours}:{minutes:02} h"),
    }
}

/// Errors of one row that its cell names; what is more is counted.
const IN_CELL: usize = 5;

/// The text of a rejected row's `processing_error` cell: no quotation mark, no line break, nothing a terminal obeys.
pub(super) fn processing_error<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let mut out = String::new();
    let mut more = 0;
    for (n, finding) in findings.enumerate() {
        if n >= IN_CELL {
            more += 1;
            continue;
        }
        if n > 0 {
            out.push_str(" | ");
        }
        let place = if finding.column.is_empty() {
            "row"
        } else {
            &finding.column
        };
        let _ = write!(out, "{place}");
        if !finding.value.is_empty() {
            let _ = write!(out, " `{}`", finding.value);
        }
        let _ = write!(out, ": {}: {}", finding.rule.name(), finding.message);
    }
    if more > 0 {
        let _ = write!(out, " | and {more} more");
    }
    // A quotation mark would have to be doubled, and the cell could no longer be told from what stood before it.
    out.replace('"', "'")
}
