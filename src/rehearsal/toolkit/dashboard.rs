//! The life of a migration: validating, validated or failed, in progress, scheduled, cancelled.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::checks::check;
use super::making::{make, unmake};
use super::reading::Row;
use super::{FileRefused, Problem, header_line, read};
use crate::rehearsal::ids;
use crate::rehearsal::world::Account;

/// How long the page gives to cancel a migration, seconds from when its schedules were made.
pub(crate) const CANCELLABLE: i64 = 10 * 3_600;
/// Validating and scheduling take at least so long each, seconds.
const LEAST: i64 = 120;
/// Both together take half an hour for a hundred thousand rows.
const ROWS: i64 = 100_000;
const ROWS_TAKE: i64 = 900;

/// What a person does at the Dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Uploads a file.
    Upload {
        name: String,
        /// The file, when it is text.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        text: Option<String>,
        /// The file's bytes, when it is not.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        bytes: Vec<u8>,
    },
    /// Starts a migration that was validated.
    Start { id: String },
    /// Cancels one, whatever of it is there.
    Cancel { id: String },
}

impl Deed {
    pub(crate) fn upload(name: &str, bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
        let bytes = if text.is_some() {
            Vec::new()
        } else {
            bytes.to_vec()
        };
        let name = name.to_owned();
        Self::Upload { name, text, bytes }
    }
}

/// A migration as the Dashboard lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// `mig_…`
    pub id: String,
    /// Name of the file.
    pub file: String,
    /// Seconds.
    pub uploaded_at: i64,
    /// `validating`, `validated`, `failed`, `in_progress`, `scheduled`, `canceled`.
    pub status: &'static str,
    /// Rows that ask for one; once scheduled, rows that got one.
    pub subscriptions: u64,
    /// Different customers among them.
    pub customers: u64,
    /// The earliest start, seconds.
    pub first_go_live: Option<i64>,
    /// When the schedules were made, seconds.
    pub scheduled_at: Option<i64>,
    /// Until when the cancel button works, seconds.
    pub cancellable_until: Option<i64>,
    /// Rows with errors; once scheduled, rows that got no schedule.
    pub failed: u64,
    /// Why the file failed as a whole, or the first rows that got no schedule.
    pub message: Option<String>,
}

enum Stage {
    Validating { until: i64, file: Vec<u8> },
    Failed { errors: Vec<u8> },
    Validated { rows: Vec<Row> },
    InProgress { until: i64, rows: Vec<Row> },
    Scheduled,
    Canceled,
}

struct Known {
    shown: Migration,
    stage: Stage,
    /// Slots of its schedules.
    schedules: Vec<u32>,
}

/// The page of all migrations.
#[derive(Default)]
pub(crate) struct Dashboard {
    known: Vec<Known>,
    /// An hour instead of a day before a start.
    sandbox: bool,
}

impl Dashboard {
    pub(crate) fn new(sandbox: bool) -> Self {
        Self {
            known: Vec::new(),
            sandbox,
        }
    }

    /// Does what a person does, and says the migration it was about; or why it cannot be done.
    pub(crate) fn act(&mut self, account: &mut Account, deed: &Deed, at: i64) -> Result<Migration, String> {
        match deed {
            Deed::Upload { name, text, bytes } => {
                let file = text.as_ref().map_or(bytes.as_slice(), |text| text.as_bytes());
                Ok(self.upload(&account.id, name, file, at))
            }
            Deed::Start { id } => self.start(id, at),
            Deed::Cancel { id } => self.cancel(account, id, at),
        }
    }

    fn upload(&mut self, account: &str, name: &str, file: &[u8], at: i64) -> Migration {
        let nth = self.known.len().to_be_bytes();
        let seed = ids::mix(&[b"migration", account.as_bytes(), &at.to_be_bytes(), &nth]);
        let shown = Migration {
            id: ids::object("mig_", account, seed),
            file: name.to_owned(),
            uploaded_at: at,
            status: "validating",
            subscriptions: 0,
            customers: 0,
            first_go_live: None,
            scheduled_at: None,
            cancellable_until: None,
            failed: 0,
            message: None,
        };
        let lines = memchr::memchr_iter(b'\n', file).count();
        self.known.push(Known {
            shown: shown.clone(),
            stage: Stage::Validating {
                until: at + takes(lines),
                file: file.to_vec(),
            },
            schedules: Vec::new(),
        });
        shown
    }

    fn start(&mut self, id: &str, at: i64) -> Result<Migration, String> {
        let known = self.find(id)?;
        match std::mem::replace(&mut known.stage, Stage::Canceled) {
            Stage::Validated { rows } => {
                let until = at + takes(rows.len());
                known.stage = Stage::InProgress { until, rows };
                known.shown.status = "in_progress";
                Ok(known.shown.clone())
            }
            other => {
                known.stage = other;
                Err(format!(
                    "Only a validated migration can be started; this one is {}",
                    known.shown.status
                ))
            }
        }
    }

    fn cancel(&mut self, account: &mut Account, id: &str, at: i64) -> Result<Migration, String> {
        let known = self.find(id)?;
        if matches!(known.stage, Stage::Canceled) {
            return Err("This migration is canceled already".to_owned());
        }
        if known.shown.cancellable_until.is_some_and(|until| at > until) {
            return Err(
                "A migration can be canceled for 10 hours after its subscriptions were scheduled".to_owned(),
            );
        }
        for slot in &known.schedules {
            unmake(account, *slot, at);
        }
        known.stage = Stage::Canceled;
        known.shown.status = "canceled";
        known.shown.cancellable_until = None;
        Ok(known.shown.clone())
    }

    fn find(&mut self, id: &str) -> Result<&mut Known, String> {
        let mut all = self.known.iter_mut();
        all.find(|known| known.shown.id == id)
            .ok_or_else(|| format!("No such migration: '{id}'"))
    }

    /// The first instant by `until` at which something is done.
    pub(crate) fn due(&self, until: i64) -> Option<i64> {
        let all = self.known.iter().filter_map(|known| match known.stage {
            Stage::Validating { until, .. } | Stage::InProgress { until, .. } => Some(until),
            _ => None,
        });
        all.min().filter(|at| *at <= until)
    }

    /// Does what is due at an instant that [`Dashboard::due`] said.
    pub(crate) fn turn(&mut self, account: &mut Account, at: i64) {
        let sandbox = self.sandbox;
        for known in &mut self.known {
            match std::mem::replace(&mut known.stage, Stage::Canceled) {
                Stage::Validating { until, file } if until <= at => {
                    known.stage = validated(account, &mut known.shown, &file, sandbox);
                }
                Stage::InProgress { until, rows } if until <= at => {
                    known.schedule(account, &rows, at);
                }
                other => known.stage = other,
            }
        }
    }

    /// All migrations, oldest first.
    pub(crate) fn all(&self) -> Vec<Migration> {
        self.known.iter().map(|known| known.shown.clone()).collect()
    }

    /// The error file of one that failed.
    pub(crate) fn errors(&self, id: &str) -> Option<&[u8]> {
        let known = self.known.iter().find(|known| known.shown.id == id)?;
        match &known.stage {
            Stage::Failed { errors } => Some(errors),
            _ => None,
        }
    }

    /// When the file was uploaded that a schedule came of, by the schedule's slot.
    pub(crate) fn uploads(&self) -> BTreeMap<u32, i64> {
        let each = |known: &Known| {
            let at = known.shown.uploaded_at;
            known
                .schedules
                .iter()
                .map(move |slot| (*slot, at))
                .collect::<Vec<_>>()
        };
        self.known.iter().flat_map(each).collect()
    }
}

impl Known {
    fn schedule(&mut self, account: &mut Account, rows: &[Row], at: i64) {
        let seed = ids::mix(&[self.shown.id.as_bytes()]).to_be_bytes();
        let mut missed = Vec::new();
        account.now = at;
        for (n, row) in rows.iter().enumerate() {
            let late = (row.start <= at).then(|| "its start_date has passed".to_owned());
            let why = late.or_else(|| check(account, row).first().map(ToString::to_string));
            let seed = ids::mix(&[b"row", &seed, &n.to_be_bytes()]);
            let made = if why.is_none() {
                make(account, row, seed, at)
            } else {
                None
            };
            match made {
                Some(slot) => self.schedules.push(slot),
                None => missed.push(format!("{}: {}", row.customer, why.unwrap_or_default())),
            }
        }
        self.stage = Stage::Scheduled;
        let shown = &mut self.shown;
        shown.status = "scheduled";
        shown.subscriptions = self.schedules.len() as u64;
        shown.failed = missed.len() as u64;
        shown.scheduled_at = Some(at);
        shown.cancellable_until = Some(at + CANCELLABLE);
        missed.truncate(5);
        shown.message = (!missed.is_empty()).then(|| missed.join("; "));
    }
}

/// How long the Dashboard takes for so many rows.
fn takes(rows: usize) -> i64 {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX / ROWS_TAKE);
    (rows * ROWS_TAKE / ROWS).max(LEAST)
}

fn validated(account: &Account, shown: &mut Migration, file: &[u8], sandbox: bool) -> Stage {
    let rows = match read(file, shown.uploaded_at, sandbox) {
        Ok(rows) => rows,
        Err(refused) => return refuse(shown, &refused),
    };
    let header = header_line(file);
    let mut good = Vec::new();
    let mut errors = Vec::new();
    let mut failed = 0;
    let mut customers = BTreeSet::new();
    for row in rows {
        let problems = match row.outcome {
            Err(problems) => problems,
            Ok(found) => {
                let problems = check(account, &found);
                shown.first_go_live = Some(shown.first_go_live.map_or(found.start, |at| at.min(found.start)));
                customers.insert(found.customer.clone());
                good.push(found);
                problems
            }
        };
        failed += u64::from(!problems.is_empty());
        errors.extend(with_column(row.raw, &words(&problems)));
    }
    shown.subscriptions = good.len() as u64;
    shown.customers = customers.len() as u64;
    shown.failed = failed;
    if failed > 0 {
        shown.status = "failed";
        shown.message = Some(format!("{failed} rows have errors"));
        let mut file = with_column(header, "processing_error");
        file.extend(errors);
        return Stage::Failed { errors: file };
    }
    shown.status = "validated";
    Stage::Validated { rows: good }
}

fn refuse(shown: &mut Migration, refused: &FileRefused) -> Stage {
    shown.status = "failed";
    shown.message = Some(refused.to_string());
    Stage::Failed { errors: Vec::new() }
}

fn words(problems: &[Problem]) -> String {
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    words.join("; ")
}

/// A record as it is, with one more cell.
fn with_column(raw: &[u8], cell: &str) -> Vec<u8> {
    let end = raw
        .iter()
        .rposition(|b| !b"\r\n".contains(b))
        .map_or(0, |at| at + 1);
    let (record, ending) = raw.split_at(end);
    let mut out = record.to_vec();
    out.push(b',');
    if cell.contains([',', '"', '\n']) {
        out.extend(format!("\"{}\"", cell.replace('"', "\"\"")).into_bytes());
    } else {
        out.extend(cell.as_bytes());
    }
    out.extend(if ending.is_empty() { b"\n" } else { ending });
    out
}
