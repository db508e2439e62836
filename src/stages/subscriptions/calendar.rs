//! The charge calendar and the double-billing meter: who bills whom next, on which side, and whether both can. PURE:
//! rendered from the rows of a plan.

use std::collections::BTreeMap;

use super::effects::{Bill, END_OLD, PAUSE_OLD, Row};
use crate::domain::change::{Change, Verdict};
use crate::domain::money::{Currency, Money};
use crate::domain::plan::Plan;
use crate::domain::text::for_spreadsheet;
use crate::domain::time::UtcMs;
use crate::stages::File;

/// One line for each subscription.
pub const BY_ROW: &str = "charge-calendar.csv";
/// One line for each day and currency.
pub const BY_DAY: &str = "charge-days.csv";

/// Who can bill the period that begins at the handover, once this plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meter {
    /// The old account alone: nothing on the new one begins.
    Old,
    /// The new account alone: the old one is stopped, or is by this plan.
    New,
    /// The new one will, and the old one is stopped by a later plan, before then.
    Later,
    /// Both, unless somebody stops one of them.
    Both,
}

impl Meter {
    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Old => "old account",
            Self::New => "new account",
            Self::Later => "new account, old one to be stopped",
            Self::Both => "BOTH",
        }
    }
}

/// The meter of one row as it is decided now.
#[must_use]
pub fn meter(change: &Change, row: &Row) -> Meter {
    let planned = change.verdict == Verdict::Planned;
    let writes = change.writes_now();
    let stops = writes
        .iter()
        .any(|write| [END_OLD, PAUSE_OLD].contains(&write.op.as_str()));
    let there = row.twin.is_some();
    match change.rule.as_str() {
        "handed_over" | "cancel_old" => Meter::New,
        "waits_for_bill" => Meter::Later,
        "change" | "file" if planned => Meter::Later,
        "withdraw" if planned || row.seen.is_none() => Meter::Old,
        _ if stops => Meter::New,
        _ if planned && !there => Meter::Later,
        _ if there => Meter::Both,
        _ => Meter::Old,
    }
}

/// What both sides bill on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Bills of the old account, and what they come to, minor units.
    pub old: (u64, i64),
    /// Of the new one.
    pub new: (u64, i64),
}

/// Everything the calendar says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// By day and currency.
    pub days: BTreeMap<(String, Currency), Day>,
    /// Bills whose amount only Stripe can reckon.
    pub unknown: u64,
    /// Rows by meter.
    pub meters: BTreeMap<Meter, u64>,
    /// Rows whose next bills fall on one day and differ.
    pub differ: u64,
}

/// The calendar of a plan.
#[must_use]
pub fn of(plan: &Plan) -> Calendar {
    let mut calendar = Calendar::default();
    for (change, row) in rows(plan) {
        *calendar.meters.entry(meter(change, &row)).or_default() += 1;
        calendar.add(row.next_old, |day| &mut day.old);
        calendar.add(new_of(change, &row), |day| &mut day.new);
        let both = row.next_old.zip(row.next_new);
        let money = both.and_then(|(old, new)| Some((old.at == new.at, old.money?, new.money?)));
        calendar.differ += u64::from(money.is_some_and(|(same_day, old, new)| same_day && old != new));
    }
    calendar
}

/// The first bill of the new one, unless a person decided that there is none.
fn new_of(change: &Change, row: &Row) -> Option<Bill> {
    let comes = row.twin.is_some() || change.verdict == Verdict::Planned;
    row.next_new.filter(|_| comes)
}

impl Calendar {
    fn add(&mut self, bill: Option<Bill>, side: fn(&mut Day) -> &mut (u64, i64)) {
        let Some(bill) = bill else { return };
        let Some(money) = bill.money else {
            self.unknown += 1;
            return;
        };
        let day = UtcMs::from_secs(bill.at).day();
        let sums = side(self.days.entry((day, money.currency)).or_default());
        sums.0 += 1;
        sums.1 = sums.1.saturating_add(money.amount);
    }

    /// Rows that both accounts can bill.
    #[must_use]
    pub fn both(&self) -> u64 {
        self.meters.get(&Meter::Both).copied().unwrap_or_default()
    }
}

fn rows(plan: &Plan) -> impl Iterator<Item = (&Change, Row)> {
    plan.changes().iter().filter_map(|change| {
        let row = serde_json::from_str(&change.payload).ok()?;
        Some((&**change, row))
    })
}

/// Both files, for people: cells that a spreadsheet would calculate are quoted.
#[must_use]
pub fn files(plan: &Plan) -> Vec<File> {
    let file = |name: &'static str, bytes: Result<Vec<u8>, csv::Error>| File {
        name: name.into(),
        bytes: bytes.unwrap_or_default(),
    };
    vec![file(BY_ROW, by_row(plan)), file(BY_DAY, by_day(&of(plan)))]
}

fn by_row(plan: &Plan) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "subscription",
        "customer",
        "old account bills",
        "amount",
        "new account bills",
        "amount",
        "currency",
        "billed by",
        "rule",
        "status",
    ])?;
    for (change, row) in rows(plan) {
        let new = new_of(change, &row);
        let currency = [row.next_old, new]
            .into_iter()
            .flatten()
            .find_map(|bill| bill.money);
        let cells = [
            row.old.clone(),
            row.customer.clone(),
            date(row.next_old),
            amount(row.next_old),
            date(new),
            amount(new),
            currency
                .map(|money| money.currency.code().to_owned())
                .unwrap_or_default(),
            meter(change, &row).word().to_owned(),
            change.rule.clone(),
            change.verdict.word().to_owned(),
        ];
        out.write_record(cells.each_ref().map(|cell| for_spreadsheet(cell)))?;
    }
    finished(out)
}

fn date(bill: Option<Bill>) -> String {
    bill.map(|bill| UtcMs::from_secs(bill.at).rfc3339())
        .unwrap_or_default()
}

/// Plain digits: a column of a spreadsheet can be summed.
fn amount(bill: Option<Bill>) -> String {
    let Some(bill) = bill else { return String::new() };
    bill.money.map_or("unknown".to_owned(), plain)
}

fn plain(money: Money) -> String {
    money.digits().replace(',', "")
}

fn by_day(calendar: &Calendar) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "day",
        "currency",
        "bills of the old account",
        "amount",
        "bills of the new account",
        "amount",
        "difference",
    ])?;
    for ((day, currency), sums) in &calendar.days {
        let money = |minor: i64| plain(Money::new(minor, *currency));
        out.write_record([
            day.clone(),
            currency.code().to_owned(),
            sums.old.0.to_string(),
            money(sums.old.1),
            sums.new.0.to_string(),
            money(sums.new.1),
            money(sums.new.1.saturating_sub(sums.old.1)),
        ])?;
    }
    finished(out)
}

fn finished(out: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, csv::Error> {
    out.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
