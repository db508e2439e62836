//! What the cells of a row must be to each other.

use chrono::{DateTime, Days, Months};

use super::Problem;
use super::columns::Header;
use super::lines::Record;
use super::reading::{Reading, Row};

/// The instants rows are judged by, seconds.
pub(crate) struct Rules {
    /// The upload.
    pub(crate) now: i64,
    /// The first start that is allowed.
    pub(crate) from: i64,
    pub(crate) sandbox: bool,
}

impl Rules {
    /// Reads a row and checks it.
    pub(crate) fn row(&self, header: &Header, record: &Record<'_>) -> Result<Row, Vec<Problem>> {
        let mut reading = Reading::of(header, record).map_err(|problem| vec![problem])?;
        let row = reading.row();
        let mut problems = reading.problems;
        if let Some(row) = &row {
            self.times(row, &mut problems);
            money(row, &mut problems);
        }
        row.filter(|_| problems.is_empty()).ok_or(problems)
    }

    fn times(&self, row: &Row, problems: &mut Vec<Problem>) {
        let mut wrong = |column: &str, why: &str| problems.push(problem(column, why));
        if row.start < self.from {
            let hours = if self.sandbox { "1 hour" } else { "24 hours" };
            let why = format!("Incorrect start_date range: must be at least {hours} in the future");
            wrong("start_date", &why);
        }
        if let Some(backdate) = row.backdate {
            if backdate >= self.now {
                wrong("backdate_start_date", "Must be in the past");
            }
            if row.prorates {
                wrong(
                    "proration_behavior",
                    "Must be none when backdate_start_date is set",
                );
            }
        }
        if row.anchor.is_some_and(|anchor| anchor < row.start) {
            wrong("billing_cycle_anchor", "Must not be before start_date");
        }
        if row.trial_end.is_some_and(|end| end <= row.start) {
            wrong("trial_end", "Must be after start_date");
        }
        let cycle = row
            .adhoc
            .first()
            .and_then(|item| after(row.start, item.interval, 1));
        problems.extend(within(row, cycle));
    }
}

/// What a row says later than its first cycle ends, where that is known: the anchor, and the end of a trial.
pub(crate) fn within(row: &Row, cycle_end: Option<i64>) -> Vec<Problem> {
    let mut found = Vec::new();
    let later = |at: Option<i64>, end: Option<i64>| at.zip(end).is_some_and(|(at, end)| at > end);
    if later(row.anchor, cycle_end) {
        found.push(problem(
            "billing_cycle_anchor",
            "Must not be later than one billing period after start_date",
        ));
    }
    let end = row.anchor.or(cycle_end);
    if row.trial_end.zip(end).is_some_and(|(trial, end)| trial >= end) {
        found.push(problem("trial_end", "Must be before the end of the cycle"));
    }
    found
}

/// So many intervals after an instant, by the calendar.
pub(crate) fn after(start: i64, interval: &str, count: u32) -> Option<i64> {
    let at = DateTime::from_timestamp(start, 0)?;
    let end = match interval {
        "day" => at.checked_add_days(Days::new(u64::from(count))),
        "week" => at.checked_add_days(Days::new(7 * u64::from(count))),
        "year" => at.checked_add_months(Months::new(12 * count)),
        _ => at.checked_add_months(Months::new(count)),
    };
    end.map(|at| at.timestamp())
}

fn money(row: &Row, problems: &mut Vec<Problem>) {
    let mut wrong = |column: &str, why: &str| problems.push(problem(column, why));
    if row.automatic_tax && row.tax_rate.is_some() {
        wrong("default_tax_rate", "Is incompatible with automatic_tax");
    }
    let first = row.adhoc.first();
    for item in row.adhoc.iter().skip(1) {
        if first.is_some_and(|first| first.interval != item.interval) {
            let column = format!("adhoc_items.{}.interval", item.n);
            wrong(&column, "Items of a subscription must have the same interval");
        }
    }
    let currency = row.currency.or_else(|| first.map(|item| item.currency));
    let other = |cur| currency.is_some_and(|own| own != cur);
    let why = "Items of a subscription must have the same currency";
    for item in row.adhoc.iter().filter(|item| other(item.currency)) {
        wrong(&format!("adhoc_items.{}.currency", item.n), why);
    }
    for item in row.add_ons.iter().filter(|item| other(item.currency)) {
        wrong(&format!("add_invoice_items.{}.currency", item.n), why);
    }
}

pub(crate) fn problem(column: &str, why: &str) -> Problem {
    Problem {
        column: column.to_owned(),
        why: why.to_owned(),
    }
}
