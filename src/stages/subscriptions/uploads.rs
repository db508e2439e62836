//! What is handed out, what stands in it, how far it has come, and what waits for a later plan. PURE.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::effects::{CREATE, END_OLD, PAUSE_OLD, Row};
use super::facts::OLD_ID;
use super::file;
use crate::domain::change::{Change, Verdict};
use crate::domain::plan::Plan;
use crate::domain::time::UtcMs;
use crate::domain::upload::{Contents, Progress};
use crate::stages::{Again, File};

/// The files of the plan, under names that no other plan has.
pub(super) fn files(plan: &Plan) -> Vec<File> {
    let of = plan.digest().prefix12();
    let named = |(file, nth): (File, usize)| File {
        name: Cow::Owned(format!("subscriptions-{of}-{nth}.csv")),
        ..file
    };
    file::files(plan).into_iter().zip(1..).map(named).collect()
}

/// What stands in one of them.
pub(super) fn contents(bytes: &[u8]) -> Result<Contents, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.ok_or_else(|| format!("it has no column {name}"))
    };
    let old = column(&format!("metadata.{OLD_ID}"))?;
    let (customer, start) = (column("customer")?, column("start_date")?);
    let (mut contents, mut customers) = (Contents::default(), BTreeSet::new());
    for row in reader.records() {
        let row = row.map_err(|e| e.to_string())?;
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        contents.subscriptions.push(cell(old));
        customers.insert(cell(customer));
        let begins = cell(start).parse().ok();
        contents.first = contents.first.into_iter().chain(begins).min();
    }
    contents.customers = customers.len() as u64;
    Ok(contents)
}

/// How long a row may wait for others, so that one plan does for all of a day.
const DAY: i64 = 86_400;
/// Nothing is put off until this long before a handover.
const LAST_DAY: i64 = 26 * 3_600;

fn row(change: &Change) -> Option<Row> {
    serde_json::from_str(&change.payload).ok()
}

/// How far the old subscriptions of a file have come.
pub(super) fn progress(plan: &Plan, of: &Contents) -> Progress {
    let rows = plan.changes().iter().filter_map(|change| row(change));
    let twins: BTreeMap<String, _> = rows.map(|row| (row.old, row.twin)).collect();
    let mut progress = Progress::default();
    for old in &of.subscriptions {
        let count = match twins.get(old) {
            Some(Some((_, Some(_)))) => &mut progress.live,
            Some(Some((Some(_), None))) => &mut progress.scheduled,
            _ => &mut progress.queued,
        };
        *count += 1;
    }
    progress
}

/// From when on the row has something to do again, and until when it can wait for others, seconds: no longer than a day,
/// and never into the last day before its handover, or its last half where it bills daily.
fn waits_until(change: &Change, made: i64) -> Option<(i64, i64)> {
    let row = row(change)?;
    let from = has_to_do(change, &row, made)?;
    if from <= made {
        return Some((from, from));
    }
    let handover = row.handover.filter(|handover| *handover > from);
    let last = handover.map_or(i64::MAX, |handover| {
        handover - LAST_DAY.min((handover - from) / 2)
    });
    Some((from, last.min(from + DAY).max(from)))
}

/// When the row has something to do again, seconds: what it says itself, or what its writes leave to be done.
fn has_to_do(change: &Change, row: &Row, made: i64) -> Option<i64> {
    if row.again_at.is_some() || change.verdict != Verdict::Planned {
        return row.again_at;
    }
    let writes = |op: &str| change.writes_now().iter().any(|write| write.op == op);
    if writes(PAUSE_OLD) {
        return Some(row.window_ends.max(row.handover.unwrap_or_default()));
    }
    // The new one is made, or its line handed out; the old one is stopped by a later plan.
    let unfinished = change.rule == "file" || writes(CREATE) && !writes(END_OLD);
    unfinished.then_some(made)
}

/// When rows of the plan are worth planning again.
pub(super) fn again(plan: &Plan) -> Option<Again> {
    let made = plan.made_at().secs();
    let waits = plan.changes().iter();
    let waits: Vec<(i64, i64)> = waits.filter_map(|change| waits_until(change, made)).collect();
    let at = waits.iter().map(|(_, latest)| *latest).min()?;
    Some(Again {
        at: UtcMs::from_secs(at),
        rows: waits.iter().filter(|(from, _)| *from <= at).count() as u64,
        all: waits.len() as u64,
        for_what: "an upload, the old account's last bill, or the end of the settlement window".to_owned(),
    })
}

#[cfg(test)]
#[path = "uploads_tests.rs"]
mod tests;
