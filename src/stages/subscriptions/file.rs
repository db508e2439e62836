//! The files for Stripe's Billing migration toolkit: rows of rule `file` as CSV, in batches. PURE.
//!
//! Columns are those of the toolkit's page, in one order, and only such as a row of the batch uses. Cells are byte for
//! byte what Stripe shall get: what a spreadsheet would calculate is not escaped here.
//!
//! The first batch is small and has some of each kind: what the toolkit refuses shows there. Which batch a row is in
//! rests on the plan alone and not on decisions, so a row that is left out moves no other into another file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::effects::{Class, Row, SOURCE, STARTED};
use super::facts::{OLD_ID, Old};
use crate::domain::change::Verdict;
use crate::domain::plan::Plan;
use crate::stages::File;

/// The most the toolkit takes (its page says 120 MB; the smaller of the two meanings).
pub const MOST_BYTES: usize = 120_000_000;
/// Metadata keys that get a column: every row has a cell in each.
const MOST_METADATA: usize = 100;
/// The name of the policy in the plan's header that says how long the first file is.
pub const FIRST_BATCH: &str = "first_batch";

/// Columns before the metadata, where there is one item.
const HEAD: [&str; 4] = ["customer", "start_date", "price", "quantity"];
const METADATA_SOURCE: &str = "metadata_source";
/// Columns behind the metadata.
const TAIL: [&str; 8] = [
    "automatic_tax",
    "coupon",
    "currency",
    "proration_behavior",
    "collection_method",
    "default_tax_rate",
    "days_until_due",
    "cancel_at_period_end",
];

/// The name of the `n`th file, from one.
#[must_use]
pub fn name(n: usize) -> String {
    format!("subscriptions-{n}.csv")
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the file, from one.
    pub file: usize,
    /// Number of its line, the header being the first.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stands in file {} of this plan, line {}, unless rows before it are left out",
            self.file, self.line
        )
    }
}

/// Whether a metadata key is the owner's own, and goes into a column as it is.
#[must_use]
pub fn is_own(key: &str) -> bool {
    !key.starts_with("cutover_") && ![OLD_ID, SOURCE, STARTED].contains(&key)
}

/// The metadata keys that get a column: those that most subscriptions have.
#[must_use]
pub fn metadata_columns<'a>(all: impl Iterator<Item = &'a Old>) -> BTreeSet<&'a str> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for key in all.flat_map(|old| old.metadata.keys()).filter(|key| is_own(key)) {
        *uses.entry(key).or_default() += 1;
    }
    let mut most: Vec<(&str, usize)> = uses.into_iter().collect();
    most.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    most.into_iter().take(MOST_METADATA).map(|(key, _)| key).collect()
}

/// Where each row stands; `None` for one that is in no file.
pub(super) fn places<'a>(rows: impl Iterator<Item = Option<&'a Row>>, first: u32) -> Vec<Option<Place>> {
    let mut all = Vec::new();
    let mut places = Vec::new();
    for (at, row) in rows.enumerate() {
        places.push(None);
        all.extend(row.map(|row| (at, row)));
    }
    let rows: Vec<&Row> = all.iter().map(|(_, row)| *row).collect();
    for (file, batch) in batches(&rows, first, MOST_BYTES).into_iter().enumerate() {
        let mut line = 2;
        for of in batch {
            let place = Place { file: file + 1, line };
            if let Some((at, row)) = all.get(of) {
                places[*at] = Some(place);
                let breaks = row.cells.values().flat_map(|cell| cell.bytes());
                line += 1 + breaks.filter(|b| *b == b'\n').count();
            }
        }
    }
    places
}

/// Which rows stand together, in order.
fn batches(rows: &[&Row], first: u32, most: usize) -> Vec<Vec<usize>> {
    let chosen = some_of_each(rows, first);
    let columns = columns(rows.iter().copied());
    let bare = columns.iter().map(|name| 2 * name.len() + 3).sum::<usize>();
    let mut batches = Vec::new();
    let rest = (0..rows.len()).filter(|at| !chosen.contains(at));
    for part in [chosen.iter().copied().collect::<Vec<_>>(), rest.collect()] {
        let (mut batch, mut size) = (Vec::new(), bare);
        for at in part {
            let row = at_most(rows[at], columns.len());
            if size + row > most && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                size = bare;
            }
            size += row;
            batch.push(at);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
    }
    batches
}

/// Bytes of a line at most: every letter a quote, every cell quoted.
fn at_most(row: &Row, columns: usize) -> usize {
    let cells = row.cells.values().map(|cell| 2 * cell.len() + 2);
    cells.sum::<usize>() + columns + 1
}

/// One row of each kind in turn, until there are `first`.
fn some_of_each(rows: &[&Row], first: u32) -> BTreeSet<usize> {
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let mut kinds: BTreeMap<(&[Class], bool), Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate().rev() {
        let several = row.phases.first().is_some_and(|phase| phase.items.len() > 1);
        kinds.entry((&row.classes, several)).or_default().push(at);
    }
    let mut chosen = BTreeSet::new();
    while chosen.len() < first {
        let before = chosen.len();
        for kind in kinds.values_mut() {
            if chosen.len() < first {
                chosen.extend(kind.pop());
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    chosen
}

/// The columns these rows use, in the order of the files.
fn columns<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut items = 0;
    for row in rows {
        for name in row.cells.keys() {
            if !used.contains(name.as_str()) {
                used.insert(name);
            }
        }
        let of_row = row.phases.first().map_or(0, |phase| phase.items.len());
        items = items.max(of_row);
    }
    let fixed = |names: &[&str]| -> Vec<String> {
        let names = names.iter().filter(|name| used.contains(**name));
        names.map(|name| (*name).to_owned()).collect()
    };
    let of_items = (0..items).flat_map(|at| [format!("items.{at}.price"), format!("items.{at}.quantity")]);
    let ours = [
        METADATA_SOURCE.to_owned(),
        format!("metadata.{OLD_ID}"),
        format!("metadata.{STARTED}"),
    ];
    let owners = used
        .iter()
        .filter(|name| name.starts_with("metadata.") && !ours.iter().any(|ours| ours == *name));
    let owners: Vec<String> = owners.map(|name| (*name).to_owned()).collect();
    let in_use = |name: &String| used.contains(name.as_str());
    let mut columns = fixed(&HEAD);
    columns.extend(of_items.filter(in_use));
    columns.extend(ours.iter().filter(|name| in_use(name)).cloned());
    columns.extend(owners);
    columns.extend(fixed(&TAIL));
    columns
}

/// The files of a plan.
#[must_use]
pub fn files(plan: &Plan) -> Vec<File> {
    files_of(plan, MOST_BYTES)
}

fn files_of(plan: &Plan, most: usize) -> Vec<File> {
    let rows: Vec<(bool, Row)> = plan
        .changes()
        .iter()
        .filter(|change| change.rule == "file" && change.planned_as == Verdict::Planned)
        .filter_map(|change| {
            let row = serde_json::from_str(&change.payload).ok()?;
            Some((change.verdict == Verdict::Planned, row))
        })
        .collect();
    let first = plan.header().policy.get(FIRST_BATCH);
    let first = first
        .and_then(|first| first.parse().ok())
        .unwrap_or(super::Settings::default().first_batch);
    let all: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
    let batches = batches(&all, first, most).into_iter().enumerate();
    batches
        .map(|(at, batch)| {
            let stand = batch.into_iter().filter_map(|at| rows.get(at));
            let stand: Vec<&Row> = stand.filter(|(stays, _)| *stays).map(|(_, row)| row).collect();
            File {
                name: name(at + 1).into(),
                bytes: csv(&stand).unwrap_or_default(),
            }
        })
        .collect()
}

/// One file. Nothing for no rows: a header alone is refused by the toolkit.
fn csv(rows: &[&Row]) -> Result<Vec<u8>, csv::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let columns = columns(rows.iter().copied());
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&columns)?;
    for row in rows {
        out.write_record(
            columns
                .iter()
                .map(|name| row.cells.get(name).map_or("", String::as_str)),
        )?;
    }
    out.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
