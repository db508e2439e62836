//! Taking a stage back: first the rows of the application's database, so that it points at nothing that is about to go,
//! then what was made on Stripe, by the writer and under its rules.

use std::sync::Arc;

use super::Engine;
use super::work;
use crate::appdb::{Applied, RowResult, Stamp, Writer};
use crate::domain::approval::{Approval, Approved};
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::StageId;
use crate::domain::plan::Plan;
use crate::domain::record::{Record, RowEnd};
use crate::domain::text::safe;
use crate::domain::write::RowUpdate;
use crate::engine::command::CommandRefused;
use crate::engine::journal::{JournalError, Store};
use crate::engine::state::StageState;
use crate::engine::undoing::{self, Undoing};
use crate::engine::worker::Report;
use crate::engine::writer::{Finished, Journalled, Stop};
use crate::stages;

/// What giving rows of the database back needs, off the loop.
struct GiveBack {
    stage: StageId,
    by: String,
    rows: Vec<Arc<Change>>,
    writer: Writer,
    stamp: Stamp,
    stop: Stop,
    fence: String,
    journal: Arc<dyn Store<Record>>,
    folded: tokio::sync::mpsc::Sender<Journalled>,
    clock: crate::clock::Clock,
}

fn refused(why: impl Into<String>) -> CommandRefused {
    CommandRefused::NotNow(why.into())
}

impl Engine {
    /// Puts a new undo on record, then starts it.
    pub(super) async fn undo(
        &mut self,
        plan: &Arc<Plan>,
        approval: Approval,
        left: Vec<Finding>,
    ) -> Result<(), CommandRefused> {
        if plan.header().accounts != self.desk.accounts {
            return Err(refused(
                "the plan was made for other accounts than the configuration has now",
            ));
        }
        if plan.totals().rows_app > 0 && self.app.is_none() {
            return Err(refused("no database of the application is configured"));
        }
        let stage = plan.header().stage;
        let stored = self.vault.store_plan(plan, self.state.journal_seq);
        let file = stored.map_err(|error| refused(error.to_string()))?;
        self.record(Record::Undoing {
            stage,
            approval,
            file,
            left,
        })
        .await?;
        self.take_back(stage)
    }

    /// Starts, or takes up, the undo that is on record.
    pub(super) fn take_back(&mut self, id: StageId) -> Result<(), CommandRefused> {
        let stage = self.state.stage(id);
        let undo = stage.and_then(StageState::undo_under_way);
        let undo = undo.ok_or_else(|| refused(format!("no undo of {id} is under way")))?;
        let approved = Approved::to_settle(undo.plan.clone(), undo.approval.clone())?;
        let (rows, changes): (Vec<_>, Vec<_>) = undo
            .pending()
            .into_iter()
            .partition(|change| change.update_now().is_some());
        let script = stages::get(id).ok_or_else(|| refused("this program has no such stage"))?;
        let stop = Stop::default();
        let rows = self.rows(id, &approved, rows, &stop)?;
        let (known, granted) = (
            work::known(&self.book, id, &changes),
            work::granted(&self.book, id, &undo.plan),
        );
        let script = Arc::new(Undoing(script));
        let mut job = self.job(id, script, approved, changes, stop.clone());
        (job.known, job.granted, job.is_undo) = (known, granted, true);
        self.writing = Some(stop);
        let reports = self.desk.reports.clone();
        tokio::spawn(async move {
            let given_back = match rows {
                Some(rows) => rows.run().await,
                None => Finished::Complete,
            };
            let finished = match given_back {
                Finished::Complete => job.finish().await,
                cut_short => cut_short,
            };
            let _ = reports.send(Report::TakenBack { stage: id, finished }).await;
        });
        Ok(())
    }

    fn rows(
        &self,
        stage: StageId,
        approved: &Approved,
        rows: Vec<Arc<Change>>,
        stop: &Stop,
    ) -> Result<Option<GiveBack>, CommandRefused> {
        if rows.is_empty() {
            return Ok(None);
        }
        let writer = self.app.as_ref().map(crate::appdb::Database::writer);
        let writer = writer.ok_or_else(|| refused("no database of the application is configured"))?;
        Ok(Some(GiveBack {
            stage,
            by: approved.approval().operator.clone(),
            rows,
            writer,
            stamp: Stamp {
                run: self.state.run.clone(),
                plan: approved.plan().digest().prefix12(),
            },
            stop: stop.clone(),
            fence: self.fence.clone(),
            journal: self.journal.clone(),
            folded: self.folded.clone(),
            clock: self.desk.clock.clone(),
        }))
    }

    /// What follows when taking back has ended.
    pub(super) async fn taken_back(&mut self, id: StageId, finished: Finished) {
        self.writing = None;
        let undo = self.state.stage(id).and_then(|stage| stage.undo.clone());
        let record = match (finished, undo) {
            (Finished::Complete, Some(undo)) => Record::Undone {
                stage: id,
                by: undo.approval.operator.clone(),
                restored: undo.restored(),
                left: undoing::left(id, &undo),
            },
            (Finished::Halted(why), _) => Record::Halted { stage: id, why },
            (Finished::Journal(why), _) => return self.fatal(why),
            (Finished::Stopped | Finished::Complete, _) => return,
        };
        // What a failed append left unsaid is fatal and shown as such.
        self.record_quietly(record).await;
    }
}

impl GiveBack {
    async fn run(self) -> Finished {
        for batch in self.rows.chunks(self.writer.batch_rows()) {
            if self.stop.is_stopped() {
                return Finished::Stopped;
            }
            match self.batch(batch).await {
                Ok(None) => {}
                Ok(Some(why)) => return Finished::Halted(format!("not all rows were given back: {why}")),
                Err(error) => return Finished::Journal(error.to_string()),
            }
        }
        Finished::Complete
    }

    /// One transaction. Says why to stop, if so: what is not known of it the effect ledger knows, and the next try asks.
    async fn batch(&self, batch: &[Arc<Change>]) -> Result<Option<String>, JournalError> {
        let updates: Vec<RowUpdate> = batch
            .iter()
            .filter_map(|change| change.update_now().cloned())
            .collect();
        self.record(Record::Batch {
            stage: self.stage,
            table: updates
                .first()
                .map(|update| update.table.clone())
                .unwrap_or_default(),
            rows: batch.iter().map(|change| change.key.clone()).collect(),
            fence: self.fence.clone(),
        })
        .await?;
        let results = match self.writer.undo(&updates, &self.stamp).await {
            Applied::Committed(results) => results,
            Applied::NotApplied(error) => return Ok(Some(safe(&error.to_string()).as_str().to_owned())),
            Applied::Unknown(why) => {
                return Ok(Some(format!(
                    "whether the last transaction was committed is not known ({}); undo again",
                    safe(&why)
                )));
            }
        };
        for (change, result) in batch.iter().zip(results) {
            let (end, why) = match result {
                RowResult::Done | RowResult::AlreadyDone => {
                    (RowEnd::Undone, format!("given back by {}", self.by))
                }
                RowResult::Drifted { .. } | RowResult::Gone => {
                    (RowEnd::Drifted, "it was changed by somebody since".to_owned())
                }
            };
            self.record(Record::Row {
                stage: self.stage,
                row: change.key.clone(),
                end,
                why,
                code: String::new(),
                moved: None,
            })
            .await?;
        }
        Ok(None)
    }

    async fn record(&self, record: Record) -> Result<(), JournalError> {
        let at = self.clock.now();
        let seq = self.journal.append(&record, at).await?;
        // The journal has it; the driver going away does not change what is true.
        let _ = self
            .folded
            .send(Journalled {
                record,
                at,
                seq: seq.0,
            })
            .await;
        Ok(())
    }
}
