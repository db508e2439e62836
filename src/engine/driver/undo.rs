//! Giving rows of the application's database back what they held, and nothing else.

use std::sync::Arc;

use super::Engine;
use crate::appdb::{Applied, RowResult, Stamp, Writer};
use crate::domain::change::Change;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::record::{Record, RowEnd};
use crate::domain::text::safe;
use crate::domain::write::RowUpdate;
use crate::engine::command::CommandRefused;
use crate::engine::journal::Store;
use crate::engine::state::Phase;
use crate::engine::worker::Report;
use crate::engine::writer::{Journalled, Stop};

/// Everything the work needs, off the loop.
struct Job {
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

/// What it came to.
#[derive(Default)]
struct Sum {
    restored: u64,
    left: Vec<Finding>,
}

impl Engine {
    pub(super) fn undo(&mut self, id: StageId, by: String) -> Result<(), CommandRefused> {
        let refused = |why: &str| CommandRefused::NotNow(why.to_owned());
        let stage = self
            .state
            .stage(id)
            .ok_or_else(|| refused("this run has no such stage"))?;
        let plan = stage.plan.clone().ok_or_else(|| refused("there is no plan"))?;
        let writer = self.app.as_ref().map(crate::appdb::Database::writer);
        let writer = writer.ok_or_else(|| refused("no database of the application is configured"))?;
        let rows = plan.changes().iter().zip(stage.rows.iter());
        let done = rows.filter(|(change, row)| change.update.is_some() && row.end == Some(RowEnd::Done));
        let stop = Stop::default();
        let job = Job {
            stage: id,
            by,
            rows: done.map(|(change, _)| change.clone()).collect(),
            writer,
            stamp: Stamp {
                run: self.state.run.clone(),
                plan: plan.digest().prefix12(),
            },
            stop: stop.clone(),
            fence: self.fence.clone(),
            journal: self.journal.clone(),
            folded: self.folded.clone(),
            clock: self.desk.clock.clone(),
        };
        self.writing = Some(stop);
        self.set_phase(id, Phase::Undoing);
        let reports = self.desk.reports.clone();
        tokio::spawn(async move {
            let why = job.run().await.err();
            let _ = reports.send(Report::Undone { stage: id, why }).await;
        });
        Ok(())
    }
}

impl Job {
    async fn run(self) -> Result<(), String> {
        let mut sum = Sum::default();
        for batch in self.rows.chunks(self.writer.batch_rows()) {
            if self.stop.is_stopped() {
                break;
            }
            self.batch(batch, &mut sum).await?;
        }
        self.record(Record::Undone {
            stage: self.stage,
            by: self.by.clone(),
            restored: sum.restored,
            left: sum.left,
        })
        .await
    }

    async fn batch(&self, batch: &[Arc<Change>], sum: &mut Sum) -> Result<(), String> {
        let updates: Vec<RowUpdate> = batch
            .iter()
            .filter_map(|change| change.update.as_deref().cloned())
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
            Applied::NotApplied(error) => return Err(error.to_string()),
            Applied::Unknown(why) => {
                return Err(format!(
                    "whether the last transaction was committed is not known ({why}); undo again"
                ));
            }
        };
        for (change, result) in batch.iter().zip(results) {
            match result {
                RowResult::Done | RowResult::AlreadyDone => {
                    sum.restored += 1;
                    self.restored(change).await?;
                }
                RowResult::Drifted { .. } | RowResult::Gone => sum.left.push(self.left(change)),
            }
        }
        Ok(())
    }

    async fn restored(&self, change: &Change) -> Result<(), String> {
        self.record(Record::Row {
            stage: self.stage,
            row: change.key.clone(),
            end: RowEnd::Undone,
            why: format!("given back by {}", self.by),
            code: String::new(),
            moved: None,
        })
        .await
    }

    fn left(&self, change: &Change) -> Finding {
        Finding {
            stage: self.stage,
            customer: change.subject.clone(),
            rule: "undo_left".to_owned(),
            reason: format!(
                "{} was changed by somebody since, so it was not given back",
                change.key
            ),
            severity: Severity::Differs,
            money: None,
        }
    }

    async fn record(&self, record: Record) -> Result<(), String> {
        let at = self.clock.now();
        let seq = self.journal.append(&record, at).await;
        let seq = seq.map_err(|error| safe(&error.to_string()).as_str().to_owned())?;
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
