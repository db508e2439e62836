//! The rows of the application's database: batch after batch, each one transaction with the lines of its effect ledger.
//!
//! Here exactly-once is the database's own: a row and the line that says it was changed are committed together or not
//! at all (reliability I25). So nothing has to be guessed after a crash: whatever batch was under way, it is made again,
//! and the ledger tells what of it is done already. The journal still has the batch before the transaction begins, so
//! that it never says less than what may have happened.

use std::sync::Arc;

use super::{Finished, Shared};
use crate::appdb::{Applied, RowResult, Stamp, Writer};
use crate::domain::change::Change;
use crate::domain::record::{Record, RowEnd};
use crate::domain::text::safe;
use crate::domain::write::RowUpdate;
use crate::engine::breaker::Outcome;
use crate::engine::journal::JournalError;

/// Changes the rows of `changes`, in order of their keys.
pub(super) async fn run(shared: &Arc<Shared>, changes: &[Arc<Change>]) {
    let Some(writer) = shared.gate.app.clone() else {
        let why = "the plan changes rows of the application's database, but none is configured".to_owned();
        return shared.halt(Finished::Halted(why));
    };
    if let Err(error) = writer.prepare().await {
        return shared.halt(Finished::Halted(safe(&error.to_string()).as_str().to_owned()));
    }
    for batch in changes.chunks(writer.batch_rows()) {
        // A failed append halts by itself.
        if shared.gate.stop.is_stopped() || shared.batch(&writer, batch).await.is_err() {
            return;
        }
    }
}

impl Shared {
    async fn batch(&self, writer: &Writer, batch: &[Arc<Change>]) -> Result<(), JournalError> {
        let updates: Vec<RowUpdate> = batch
            .iter()
            .filter_map(|change| change.update_now().cloned())
            .collect();
        if let Err(refusal) = self.gate.approved.still_good(self.gate.clock.now()) {
            self.halt(Finished::Halted(refusal.to_string()));
            return Ok(());
        }
        let begun = Record::Batch {
            stage: self.gate.stage.id(),
            table: updates
                .first()
                .map(|update| update.table.clone())
                .unwrap_or_default(),
            rows: batch.iter().map(|change| change.key.clone()).collect(),
            fence: self.gate.fence.clone(),
        };
        self.record(begun).await?;
        let stamp = Stamp {
            run: self.gate.run.clone(),
            plan: self.gate.approved.plan().digest().prefix12(),
        };
        match writer.apply(&updates, &stamp).await {
            Applied::Committed(results) => self.committed(batch, results).await,
            Applied::NotApplied(error) => {
                // Nothing of it is in the database; the rows stay pending and can be taken up again.
                self.halt(Finished::Halted(safe(&error.to_string()).as_str().to_owned()));
                Ok(())
            }
            Applied::Unknown(why) => self.unknown(batch, &why).await,
        }
    }

    async fn committed(&self, batch: &[Arc<Change>], results: Vec<RowResult>) -> Result<(), JournalError> {
        for (change, result) in batch.iter().zip(results) {
            let (end, why) = match result {
                RowResult::Done => (RowEnd::Done, String::new()),
                RowResult::AlreadyDone => (RowEnd::Done, "found done by the effect ledger".to_owned()),
                RowResult::Drifted { now } => (RowEnd::Drifted, drifted(&now)),
                RowResult::Gone => (RowEnd::Drifted, "the row is not in the table any more".to_owned()),
            };
            if end == RowEnd::Done {
                self.count(Outcome::Done);
            }
            self.row_ended(change, end, why).await?;
        }
        Ok(())
    }

    async fn unknown(&self, batch: &[Arc<Change>], why: &str) -> Result<(), JournalError> {
        let why = safe(why).as_str().to_owned();
        for change in batch {
            self.row_ended(
                change,
                RowEnd::Unknown,
                format!("whether it was committed is not known: {why}"),
            )
            .await?;
        }
        self.halt(Finished::Halted(format!(
            "the database went away while a transaction was committed ({why}); take the run up again when it answers: \
             its effect ledger decides"
        )));
        Ok(())
    }

    async fn row_ended(&self, change: &Change, end: RowEnd, why: String) -> Result<(), JournalError> {
        let code = if end == RowEnd::Unknown {
            "unknown_commit"
        } else {
            ""
        };
        self.record(Record::Row {
            stage: self.gate.stage.id(),
            row: change.key.clone(),
            end,
            why,
            code: code.to_owned(),
            moved: None,
        })
        .await
    }
}

fn drifted(now: &[Option<String>]) -> String {
    let now: Vec<&str> = now
        .iter()
        .map(|value| value.as_deref().unwrap_or("null"))
        .collect();
    format!("the row holds {} by now; read again", safe(&now.join(", ")))
}
