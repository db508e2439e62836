//! The pen: batches of compare-and-set, each one transaction with its lines of the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::ids::{Digest, EffectId};
use crate::domain::write::RowUpdate;

use super::catalog::{Catalog, Column};
use super::conn::{Conn, For, Values};
use super::decide::{Decision, Way, decide, is_done};
use super::error::{Fault, Trouble};
use super::statements::{self, Change};
use super::{Database, DbError, Kind, LedgerLine, ledger};

/// Waits between attempts double from the first to the longest, in milliseconds.
const FIRST_WAIT_MS: u64 = 20;
const LONGEST_WAIT_MS: u64 = 1000;

/// Whose changes they are; part of every line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The run.
    pub run: String,
    /// The plan's digest.
    pub plan: String,
}

/// What happened to one row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowResult {
    /// Changed, and the ledger says so.
    Done,
    /// Nothing was left to do: by the ledger it was done (or undone) before.
    AlreadyDone,
    /// The row does not hold what was read, or the ledger has its effect with other cells; it was left as it is.
    Drifted {
        /// What it holds, in the order of the cells.
        now: Vec<Option<String>>,
    },
    /// There is no such row.
    Gone,
}

/// What happened to a batch.
#[derive(Debug)]
pub enum Applied {
    /// The transaction is committed; one result per row, in the batch's order.
    Committed(Vec<RowResult>),
    /// Nothing of the batch is in the database.
    NotApplied(DbError),
    /// Whether it is committed is unclear and the ledger cannot be asked now. The same batch again finds out.
    Unknown(String),
}

/// Changes rows of one table. See the [module page](super).
#[derive(Clone, Debug)]
pub struct Writer(pub(super) Database);

/// A batch on its way.
struct Job<'a> {
    way: Way,
    /// In key order, so that two batches lock in the same order.
    rows: Vec<&'a RowUpdate>,
    /// Places of `rows` in the batch as it was given.
    places: Vec<usize>,
    stamp: &'a Stamp,
}

/// What the transaction found under its locks.
struct Found {
    rows: BTreeMap<String, BTreeMap<String, Option<String>>>,
    lines: BTreeMap<EffectId, LedgerLine>,
}

impl Writer {
    /// Rows of one transaction, at most.
    #[must_use]
    pub fn batch_rows(&self) -> usize {
        self.0.limits().batch_rows.max(1)
    }

    /// Makes the ledger where it is missing.
    pub async fn prepare(&self) -> Result<(), DbError> {
        let db = &self.0;
        let mut conn = db.take(For::Writing).await?;
        if !ledger::exists(&mut conn, &db.0.table).await? {
            let sql = ledger::create(db.kind(), &db.0.table);
            if let Err(trouble) = conn.run("making the table of effects", &sql).await {
                return Err(match trouble.fault {
                    Fault::Denied => DbError::LedgerRight {
                        place: db.0.address.place.clone(),
                        sql,
                    },
                    _ => trouble.error,
                });
            }
        }
        db.keep(conn);
        Ok(())
    }

    /// Does a batch: of each row that holds what was read, in one transaction.
    pub async fn apply(&self, batch: &[RowUpdate], stamp: &Stamp) -> Applied {
        self.go(Way::Apply, batch, stamp).await
    }

    /// Takes a batch back: restores what each row held before, where the ledger has its effect and the row still holds
    /// what that wrote, and marks the line undone in the same transaction. A row without a line was never changed here:
    /// it is [`RowResult::AlreadyDone`] if it holds what it held before, else [`RowResult::Drifted`].
    pub async fn undo(&self, batch: &[RowUpdate], stamp: &Stamp) -> Applied {
        self.go(Way::Undo, batch, stamp).await
    }

    async fn go(&self, way: Way, batch: &[RowUpdate], stamp: &Stamp) -> Applied {
        if batch.is_empty() {
            return Applied::Committed(Vec::new());
        }
        let job = match Job::new(way, batch, stamp, &self.0) {
            Ok(job) => job,
            Err(error) => return Applied::NotApplied(error),
        };
        // The results of an attempt whose COMMIT had no answer; gone again once the ledger has decided.
        let mut unclear = None;
        let mut attempt = 0;
        loop {
            let trouble = match self.once(&job, &mut unclear).await {
                Ok(results) => return Applied::Committed(job.in_order(results)),
                Err(trouble) => trouble,
            };
            attempt += 1;
            if !trouble.fault.again() || attempt >= self.0.0.limits.attempts {
                return match unclear {
                    None => Applied::NotApplied(trouble.error),
                    Some(_) => Applied::Unknown(self.unknown(&trouble.error)),
                };
            }
            tokio::time::sleep(job.wait(attempt)).await;
        }
    }

    fn unknown(&self, error: &DbError) -> String {
        format!(
            "whether a batch is committed in {} is not known: the answer to its COMMIT was lost, and the table of effects \
             could not be read since ({}); resume when the database answers, and it will be found out",
            self.0.in_words(),
            error.cause()
        )
    }

    async fn once(
        &self,
        job: &Job<'_>,
        unclear: &mut Option<Vec<RowResult>>,
    ) -> Result<Vec<RowResult>, Trouble> {
        let (mut conn, catalog) = self.0.begun().await?;
        match job.transact(&mut conn, &catalog, unclear).await {
            Ok(results) => {
                self.0.keep(conn);
                Ok(results)
            }
            Err(trouble) => {
                // Without the connection the server rolls back anyway; this only spares a new one.
                if trouble.fault != Fault::Lost && unclear.is_none() && conn.roll_back().await.is_ok() {
                    self.0.keep(conn);
                }
                Err(trouble)
            }
        }
    }
}

impl<'a> Job<'a> {
    fn new(way: Way, batch: &'a [RowUpdate], stamp: &'a Stamp, db: &Database) -> Result<Self, DbError> {
        let most = db.0.limits.batch_rows;
        if batch.len() > most {
            let why = format!("it has {} rows, and {most} are allowed", batch.len());
            return Err(DbError::Batch(why));
        }
        let table = db.0.table.plain();
        let (mut keys, mut effects) = (BTreeSet::new(), BTreeSet::new());
        for (at, row) in batch.iter().enumerate() {
            fit(row, &table).map_err(|why| DbError::Batch(format!("its row {} {why}", at + 1)))?;
            if !keys.insert(&row.key) || !effects.insert(&row.effect) {
                let why = format!("its row {} has the key or effect of an earlier one", at + 1);
                return Err(DbError::Batch(why));
            }
        }
        let mut places: Vec<_> = (0..batch.len()).collect();
        places.sort_by_key(|at| &batch[*at].key);
        let rows = places.iter().map(|at| &batch[*at]).collect();
        Ok(Self {
            way,
            rows,
            places,
            stamp,
        })
    }

    /// Results in the order of the batch as it was given.
    fn in_order(&self, results: Vec<RowResult>) -> Vec<RowResult> {
        let mut placed: Vec<_> = self.places.iter().copied().zip(results).collect();
        placed.sort_by_key(|(at, _)| *at);
        placed.into_iter().map(|(_, result)| result).collect()
    }

    /// Half of the doubled wait, and up to as much again by chance: two that met once should not meet again.
    fn wait(&self, attempt: u32) -> Duration {
        let most = (FIRST_WAIT_MS << attempt.min(10)).min(LONGEST_WAIT_MS);
        let first = self.rows.first().map_or("", |row| row.effect.0.as_str());
        let parts = [
            first.to_owned(),
            std::process::id().to_string(),
            attempt.to_string(),
        ];
        let chance = Digest::of("appdb-wait", parts.iter().map(String::as_bytes)).0[0];
        Duration::from_millis(most / 2 + most / 2 * u64::from(chance) / 255)
    }

    async fn transact(
        &self,
        conn: &mut Conn,
        catalog: &Catalog,
        unclear: &mut Option<Vec<RowResult>>,
    ) -> Result<Vec<RowResult>, Trouble> {
        if unclear.is_none() && self.can_be_blind(catalog) {
            match self.blindly(conn, catalog).await {
                Ok(()) => return commit(conn, vec![RowResult::Done; self.rows.len()], unclear).await,
                // A row does not hold what was read, an effect is known, or a value does not fit: look at each.
                Err(trouble) if trouble.fault == Fault::Refused => {
                    conn.roll_back().await?;
                    conn.begin().await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        let columns = self.columns(catalog)?;
        let found = self.find(conn, catalog, &columns).await?;
        if let Some(results) = unclear {
            match self.settled(results, &found) {
                Settled::Committed => {
                    let results = results.clone();
                    conn.roll_back().await?;
                    return Ok(results);
                }
                Settled::RolledBack => *unclear = None,
                Settled::Torn => {
                    let why =
                        "the ledger holds a part of it only, which no transaction of this program leaves";
                    return Err(DbError::Batch(why.to_owned()).into());
                }
            }
        }
        let (results, changing) = self.decide_all(&found);
        if changing.is_empty() {
            conn.roll_back().await?;
            return Ok(results);
        }
        self.change_all(conn, catalog, &changing).await?;
        self.record(conn, catalog, &changing, &found).await?;
        commit(conn, results, unclear).await
    }

    /// Whether one statement can compare and set: PostgreSQL's can, comparing bytes and giving back what it left.
    fn can_be_blind(&self, catalog: &Catalog) -> bool {
        let form = catalog.key.form;
        self.way == Way::Apply
            && catalog.kind == Kind::Postgres
            && self.rows.iter().all(|row| statements::can_be(form, &row.key))
    }

    /// Does the whole batch without looking first, as nearly every batch of a night can be done. The order is the same:
    /// the change locks the rows, and only then the ledger is met, whose primary key refuses an effect that is known.
    async fn blindly(&self, conn: &mut Conn, catalog: &Catalog) -> Result<(), Trouble> {
        let nothing = Found {
            rows: BTreeMap::new(),
            lines: BTreeMap::new(),
        };
        self.change_all(conn, catalog, &self.rows).await?;
        self.record(conn, catalog, &self.rows, &nothing).await
    }

    async fn change_all(
        &self,
        conn: &mut Conn,
        catalog: &Catalog,
        rows: &[&RowUpdate],
    ) -> Result<(), Trouble> {
        for (names, rows) in grouped(rows) {
            let columns: Vec<_> = names
                .iter()
                .map(|name| catalog.to_set(name))
                .collect::<Result<_, _>>()?;
            self.change(conn, catalog, &columns, &rows).await?;
        }
        Ok(())
    }

    /// The columns of all rows, each once.
    fn columns<'c>(&self, catalog: &'c Catalog) -> Result<Vec<&'c Column>, DbError> {
        let names: BTreeSet<_> = self
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .map(|cell| &cell.column)
            .collect();
        names.into_iter().map(|name| catalog.to_set(name)).collect()
    }

    /// Locks the rows, and only then reads the ledger: see the [module page](super).
    async fn find(&self, conn: &mut Conn, catalog: &Catalog, columns: &[&Column]) -> Result<Found, Trouble> {
        let keys = self.rows.iter().map(|row| row.key.as_str());
        let keys: Vec<_> = keys
            .filter(|key| statements::can_be(catalog.key.form, key))
            .collect();
        let (sql, args) = statements::locked(catalog, columns, &keys);
        let rows = if keys.is_empty() {
            Vec::new()
        } else {
            conn.fetch("locking the rows of a batch", sql, args).await?
        };
        let effects: Vec<_> = self.rows.iter().map(|row| row.effect.0.as_str()).collect();
        let (sql, args) = statements::lines(catalog, &effects);
        let lines = conn.fetch("reading the table of effects", sql, args).await?;
        let named = |row: Values| {
            let mut values = row.into_iter();
            let key = values.next().flatten()?;
            let cells = columns.iter().map(|column| column.name.clone()).zip(values);
            Some((key, cells.collect()))
        };
        Ok(Found {
            rows: rows.into_iter().filter_map(named).collect(),
            lines: lines.into_iter().filter_map(LedgerLine::read).collect(),
        })
    }

    fn decide_all(&self, found: &Found) -> (Vec<RowResult>, Vec<&'a RowUpdate>) {
        let (mut results, mut changing) = (Vec::new(), Vec::new());
        for row in &self.rows {
            let now = found.rows.get(&row.key).map(|cells| {
                let now = row
                    .cells
                    .iter()
                    .map(|cell| cells.get(&cell.column).cloned().flatten());
                now.collect::<Vec<_>>()
            });
            match decide(self.way, row, now.as_deref(), found.lines.get(&row.effect)) {
                Decision::Leave(result) => results.push(result),
                Decision::Change => {
                    results.push(RowResult::Done);
                    changing.push(*row);
                }
            }
        }
        (results, changing)
    }

    /// What the ledger says of an attempt whose COMMIT had no answer.
    fn settled(&self, results: &[RowResult], found: &Found) -> Settled {
        let done = self
            .rows
            .iter()
            .zip(results)
            .filter(|(_, result)| **result == RowResult::Done);
        let (mut there, mut missing) = (0, 0);
        for (row, _) in done {
            let line = found.lines.get(&row.effect);
            let ours = line.is_some_and(|line| match (&line.undone, self.way) {
                (Some((_, by)), Way::Undo) => *by == self.stamp.run,
                _ => line.run == self.stamp.run && line.plan == self.stamp.plan,
            });
            if ours && is_done(self.way, row, line) {
                there += 1;
            } else {
                missing += 1;
            }
        }
        match (there, missing) {
            (_, 0) => Settled::Committed,
            (0, _) => Settled::RolledBack,
            _ => Settled::Torn,
        }
    }

    /// Changes rows that have the same columns, and looks at every one whether it holds what it should.
    async fn change(
        &self,
        conn: &mut Conn,
        catalog: &Catalog,
        columns: &[&Column],
        rows: &[&RowUpdate],
    ) -> Result<(), Trouble> {
        const DOING: &str = "changing the rows of a batch";
        let changes: Vec<_> = rows.iter().map(|row| change_of(self.way, row)).collect();
        let (sql, args) = statements::update(catalog, columns, &changes);
        let after = if catalog.kind == Kind::Postgres {
            conn.fetch(DOING, sql, args).await?
        } else {
            let changed = conn.execute(DOING, sql, args).await?;
            if changed != rows.len() as u64 {
                return Err(mismatch(
                    catalog,
                    rows.len(),
                    usize::try_from(changed).unwrap_or(usize::MAX),
                ));
            }
            let keys: Vec<_> = rows.iter().map(|row| row.key.as_str()).collect();
            let (sql, args) = statements::some(catalog, columns, &keys);
            conn.fetch("looking at the rows of a batch again", sql, args)
                .await?
        };
        let holding: BTreeSet<Values> = after.into_iter().collect();
        let as_planned = changes.iter().filter(|change| {
            let row = std::iter::once(Some(change.key)).chain(change.to.iter().copied());
            holding.contains(&row.map(|text| text.map(str::to_owned)).collect::<Values>())
        });
        let as_planned = as_planned.count();
        if as_planned == rows.len() && holding.len() == rows.len() {
            Ok(())
        } else {
            Err(mismatch(catalog, rows.len(), as_planned))
        }
    }

    /// Writes or marks the lines of the ledger.
    async fn record(
        &self,
        conn: &mut Conn,
        catalog: &Catalog,
        rows: &[&RowUpdate],
        found: &Found,
    ) -> Result<(), Trouble> {
        const DOING: &str = "writing the table of effects";
        let effects: Vec<_> = rows.iter().map(|row| row.effect.0.as_str()).collect();
        let (sql, args) = match self.way {
            Way::Undo => statements::mark_undone(catalog, &self.stamp.run, &effects),
            Way::Apply => {
                let undone = rows.iter().filter(|row| found.lines.contains_key(&row.effect));
                let undone: Vec<_> = undone.map(|row| row.effect.0.as_str()).collect();
                if !undone.is_empty() {
                    let (sql, args) = statements::remove_undone(catalog, &undone);
                    conn.execute(DOING, sql, args).await?;
                }
                ledger::insert(catalog, &self.stamp.run, &self.stamp.plan, rows)
            }
        };
        let written = conn.execute(DOING, sql, args).await?;
        if written == rows.len() as u64 {
            return Ok(());
        }
        let written = usize::try_from(written).unwrap_or(usize::MAX);
        let error = DbError::Mismatch {
            table: catalog.table.beside(ledger::LEDGER).plain(),
            planned: rows.len(),
            changed: written,
        };
        Err(error.into())
    }
}

async fn commit(
    conn: &mut Conn,
    results: Vec<RowResult>,
    unclear: &mut Option<Vec<RowResult>>,
) -> Result<Vec<RowResult>, Trouble> {
    *unclear = Some(results.clone());
    match conn.commit().await {
        Ok(()) => Ok(results),
        // Whatever was said: only the ledger knows whether it is committed.
        Err(trouble) => Err(Trouble {
            fault: Fault::Lost,
            ..trouble
        }),
    }
}

enum Settled {
    Committed,
    RolledBack,
    Torn,
}

fn mismatch(catalog: &Catalog, planned: usize, changed: usize) -> Trouble {
    let error = DbError::Mismatch {
        table: catalog.table.plain(),
        planned,
        changed,
    };
    error.into()
}

fn change_of(way: Way, row: &RowUpdate) -> Change<'_> {
    let before = row.cells.iter().map(|cell| cell.before.as_deref()).collect();
    let after = row.cells.iter().map(|cell| cell.after.as_deref()).collect();
    let (from, to) = match way {
        Way::Apply => (before, after),
        Way::Undo => (after, before),
    };
    Change {
        key: &row.key,
        from,
        to,
    }
}

/// Rows by the columns they set; nearly always all the same.
fn grouped<'a>(rows: &[&'a RowUpdate]) -> BTreeMap<Vec<&'a str>, Vec<&'a RowUpdate>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        let columns: Vec<_> = row.cells.iter().map(|cell| cell.column.as_str()).collect();
        groups.entry(columns).or_default().push(*row);
    }
    groups
}

/// What makes a row fit for any database; the rest of the sentence otherwise.
pub(super) fn fit(row: &RowUpdate, table: &str) -> Result<(), String> {
    if row.table != table {
        return Err(format!("is of another table than `{table}`"));
    }
    let columns: BTreeSet<_> = row.cells.iter().map(|cell| &cell.column).collect();
    if row.cells.is_empty() || columns.len() != row.cells.len() {
        return Err("names no column, or one twice".to_owned());
    }
    if row.cells.iter().all(|cell| cell.before == cell.after) {
        return Err("changes nothing".to_owned());
    }
    let cells = row.cells.iter().flat_map(|cell| [&cell.before, &cell.after]);
    let texts = [&row.key, &row.effect.0];
    if texts
        .into_iter()
        .chain(cells.flatten())
        .any(|text| text.contains('\0'))
    {
        return Err("holds a NUL, which no database keeps in text".to_owned());
    }
    if row.effect.0.is_empty() || row.effect.0.len() > 64 || !row.effect.0.is_ascii() {
        return Err("has an effect id that is not 1 to 64 ASCII characters".to_owned());
    }
    Ok(())
}
