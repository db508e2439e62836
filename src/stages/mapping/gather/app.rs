//! The application's table: its rows, the ledger of what was changed before, the checksum of all that will not be.

use std::collections::{BTreeMap, BTreeSet};

use super::rules;
use crate::appdb;
use crate::domain::ids::Digest;
use crate::domain::plan::Plan;
use crate::domain::text::safe;
use crate::stages::mapping::Table;
use crate::stages::mapping::facts::{AppRow, AppTable, CustomerFacts};
use crate::stages::mapping::plan::{Candidate, candidates, touched};
use crate::stages::{Reading, StageError};

/// Times one change may have been made before and taken back by the application; more is a fight between two programs.
const MOST_TIMES: u32 = 16;

/// Rows in one line of the snapshot, whose lines have a limit.
const KEPT_AT_ONCE: usize = 100;

fn failed(error: &appdb::DbError) -> StageError {
    StageError::Input(safe(&error.to_string()).as_str().to_owned())
}

/// The table, and of each key how often its change was made before.
pub(super) async fn read(
    reading: &Reading,
    customers: &[CustomerFacts],
) -> Result<(Option<AppTable>, BTreeMap<String, u32>), StageError> {
    let (Some(db), Some(table)) = (&reading.app, &reading.settings.mapping.table) else {
        return Ok((None, BTreeMap::new()));
    };
    let mut app = AppTable {
        place: db.in_words(),
        at: reading.clock.now(),
        ..AppTable::default()
    };
    let names = table.extra.clone();
    let mut rows = Vec::new();
    let all = db
        .rows(&mut |row| {
            if row.method.is_some() || row.customer.is_some() {
                rows.push(AppRow {
                    key: row.key,
                    method: row.method,
                    customer: row.customer,
                    extra: names.iter().cloned().zip(row.extra).collect(),
                });
            }
        })
        .await
        .map_err(|error| failed(&error))?;
    (app.rows, app.all) = (rows, all);
    reading
        .watch
        .progress("reading the application's database", all, Some(all));
    let candidates = candidates(&app, customers, rules(reading)?, table);
    let ordinals = ordinals(reading, db, table, &candidates).await?;
    let touched: BTreeMap<String, BTreeSet<String>> = candidates
        .iter()
        .map(|candidate| {
            let columns = candidate.cells.iter().map(|cell| cell.column.clone()).collect();
            (candidate.key.clone(), columns)
        })
        .collect();
    let others = db.fingerprint(&touched).await.map_err(|error| failed(&error))?;
    app.others = Some((others.digest, others.rows));
    for rows in app.rows.chunks(KEPT_AT_ONCE) {
        reading.remember(&rows)?;
    }
    reading.remember(&app.others)?;
    Ok((Some(app), ordinals))
}

/// A row that holds the old id although the ledger says it was changed was changed back by the application: changing it
/// again is another effect.
async fn ordinals(
    reading: &Reading,
    db: &appdb::Reader,
    table: &Table,
    candidates: &[Candidate],
) -> Result<BTreeMap<String, u32>, StageError> {
    let rules = rules(reading)?;
    let mut ordinals = BTreeMap::new();
    let mut open: Vec<&Candidate> = candidates.iter().collect();
    for ordinal in 0..MOST_TIMES {
        let effects: Vec<_> = open
            .iter()
            .map(|candidate| candidate.effect(rules, table, ordinal))
            .collect();
        let known = db.ledger(&effects).await.map_err(|error| failed(&error))?;
        let mut again = Vec::new();
        for (candidate, effect) in open.into_iter().zip(effects) {
            if known.contains_key(&effect) {
                ordinals.insert(candidate.key.clone(), ordinal + 1);
                again.push(candidate);
            }
        }
        if again.is_empty() {
            return Ok(ordinals);
        }
        open = again;
    }
    Err(StageError::Refused(format!(
        "row {} of {} was changed {MOST_TIMES} times and changed back; find out by whom before going on",
        open.first().map_or("", |candidate| candidate.key.as_str()),
        table.name
    )))
}

/// The rows the plan changes as they are now and, with `whole`, the checksum of all else.
pub(super) async fn now(
    reading: &Reading,
    plan: &Plan,
    whole: bool,
) -> Result<(Option<BTreeMap<String, AppRow>>, Option<Digest>), StageError> {
    let Some(db) = reading
        .app
        .as_ref()
        .filter(|_| reading.settings.mapping.table.is_some())
    else {
        return Ok((None, None));
    };
    let updates = || {
        plan.changes()
            .iter()
            .filter_map(|change| change.update.as_deref())
    };
    let keys: Vec<String> = updates().map(|update| update.key.clone()).collect();
    let rows = db.some_rows(&keys).await.map_err(|error| failed(&error))?;
    let rows = rows.into_iter().map(|row| {
        let app = AppRow {
            key: row.key.clone(),
            method: row.method,
            customer: row.customer,
            extra: Vec::new(),
        };
        (row.key, app)
    });
    let rows = rows.collect();
    if !whole {
        return Ok((Some(rows), None));
    }
    let others = db
        .fingerprint(&touched(updates()))
        .await
        .map_err(|error| failed(&error))?;
    Ok((Some(rows), Some(others.digest)))
}
