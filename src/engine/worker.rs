//! Work off the loop that only reads: gathering, the last look before approval, the audit.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::vault::{Snapshot, Vault, VaultError};
use crate::clock::Clock;
use crate::domain::change::{Change, ChangeKey};
use crate::domain::ids::{Accounts, Digest, Role, StageId};
use crate::domain::mapped::IdMap;
use crate::domain::money::Money;
use crate::domain::plan::{Plan, Totals};
use crate::domain::record::RowEnd;
use crate::domain::time::UtcMs;
use crate::stages::{Audit, Keep, Reading, Recheck, Settings, Stage, StageError, Watch};
use crate::stripe::Reader;

/// What a worker tells the driver.
pub enum Report {
    /// How far it is; the latest wins.
    Progress {
        /// The stage.
        stage: StageId,
        /// What is being done.
        what: String,
        /// Pieces done.
        done: u64,
        /// Pieces in all.
        total: Option<u64>,
    },
    /// Rows seen.
    Preview {
        /// The stage.
        stage: StageId,
        /// The rows.
        rows: Vec<Arc<Change>>,
    },
    /// Reading and planning ended.
    Gathered {
        /// The stage.
        stage: StageId,
        /// The plan, or why not.
        result: Result<Box<Planned>, NotGathered>,
    },
    /// The last look ended.
    Checked {
        /// The stage.
        stage: StageId,
        /// The plan that was checked.
        plan: Arc<Plan>,
        /// What it found, or one sentence.
        result: Result<Recheck, String>,
    },
    /// The audit ended.
    Audited {
        /// The stage.
        stage: StageId,
        /// What it found, or one sentence.
        result: Result<Audit, String>,
    },
    /// Taking back ended.
    TakenBack {
        /// The stage.
        stage: StageId,
        /// Why.
        finished: super::writer::Finished,
    },
    /// Writing ended.
    Written {
        /// The stage.
        stage: StageId,
        /// Why.
        finished: super::writer::Finished,
    },
}

/// A plan that is stored, with the snapshot it rests on.
pub struct Planned {
    /// Of the plan.
    pub digest: Digest,
    /// Of the plan.
    pub totals: Totals,
    /// Its name in the vault, from where it is taken.
    pub file: String,
    /// Name of the snapshot.
    pub snapshot: String,
    /// Head of the snapshot's chain.
    pub head: String,
    /// Things read.
    pub counts: BTreeMap<String, u64>,
}

/// What every worker needs.
#[derive(Clone)]
pub struct Desk {
    /// Read-only connections.
    pub readers: BTreeMap<Role, Reader>,
    /// Ids and mode.
    pub accounts: Accounts,
    /// Settings.
    pub settings: Arc<Settings>,
    /// The application's database, to read.
    pub app: Option<crate::appdb::Reader>,
    /// Old ids and new ones, from the stages that are done.
    pub ids: Arc<IdMap>,
    /// The clock.
    pub clock: Clock,
    /// When the run began.
    pub began: UtcMs,
    /// Where reports go.
    pub reports: mpsc::Sender<Report>,
}

/// Why there is no plan.
#[derive(Debug)]
pub struct NotGathered {
    /// One sentence.
    pub why: String,
    /// It was a mistake in a file of the operator's.
    pub input: bool,
}

impl From<StageError> for NotGathered {
    fn from(error: StageError) -> Self {
        let input = matches!(error, StageError::Input(_));
        let why = words(error);
        Self { why, input }
    }
}

impl From<VaultError> for NotGathered {
    fn from(error: VaultError) -> Self {
        let (why, input) = (error.to_string(), false);
        Self { why, input }
    }
}

struct Screen {
    stage: StageId,
    reports: mpsc::Sender<Report>,
}

impl Watch for Screen {
    fn progress(&self, what: &str, done: u64, total: Option<u64>) {
        // The latest wins; a full queue means that an older one is still to be shown.
        let _ = self.reports.try_send(Report::Progress {
            stage: self.stage,
            what: what.to_owned(),
            done,
            total,
        });
    }

    fn preview(&self, rows: Vec<Arc<Change>>) {
        if !rows.is_empty() {
            let _ = self.reports.try_send(Report::Preview {
                stage: self.stage,
                rows,
            });
        }
    }
}

/// Keeps nothing: looks and audits rest on the snapshot of the plan.
struct Nowhere;

impl Keep for Nowhere {
    fn keep(&self, _line: &serde_json::value::RawValue) -> Result<(), String> {
        Ok(())
    }
}

impl Desk {
    fn reading(&self, stage: StageId, keep: Arc<dyn Keep>) -> Reading {
        Reading {
            readers: self.readers.clone(),
            accounts: self.accounts.clone(),
            settings: self.settings.clone(),
            ids: self.ids.clone(),
            app: self.app.clone(),
            clock: self.clock.clone(),
            began: self.began,
            keep,
            watch: Arc::new(Screen {
                stage,
                reports: self.reports.clone(),
            }),
        }
    }

    /// Reads, plans, stores. `seq` makes the names unique.
    pub async fn gather(self, stage: Arc<dyn Stage>, vault: Vault, seq: u64) {
        let id = stage.id();
        let result = self.gathered(&*stage, &vault, seq).await;
        let _ = self.reports.send(Report::Gathered { stage: id, result }).await;
    }

    async fn gathered(
        &self,
        stage: &dyn Stage,
        vault: &Vault,
        seq: u64,
    ) -> Result<Box<Planned>, NotGathered> {
        let snapshot = vault.start_snapshot(stage.id(), seq, self.clock.clone())?;
        let snapshot: Arc<Snapshot> = Arc::new(snapshot);
        let reading = self.reading(stage.id(), snapshot.clone());
        let gathered = stage.gather(&reading).await?;
        let (name, head) = snapshot.finish()?;
        let counts = gathered.counts.clone();
        let plan = stage.plan(gathered, &reading)?;
        let file = vault.store_plan(&plan, seq)?;
        Ok(Box::new(Planned {
            digest: plan.digest(),
            totals: plan.totals().clone(),
            file,
            snapshot: name,
            head: head.sha256.to_string(),
            counts,
        }))
    }

    /// Reads the facts of a plan again.
    pub async fn check(self, stage: Arc<dyn Stage>, plan: Arc<Plan>) {
        let reading = self.reading(stage.id(), Arc::new(Nowhere));
        let result = stage.recheck(&reading, &plan).await.map_err(words);
        let _ = self
            .reports
            .send(Report::Checked {
                stage: stage.id(),
                plan,
                result,
            })
            .await;
    }

    /// Verifies by another path.
    pub async fn audit(
        self,
        stage: Arc<dyn Stage>,
        plan: Arc<Plan>,
        ends: Vec<(ChangeKey, RowEnd, Option<Money>)>,
    ) {
        let reading = self.reading(stage.id(), Arc::new(Nowhere));
        let done = ends.iter().filter(|(_, end, _)| *end == RowEnd::Done).count();
        let result = stage
            .audit(&reading, &plan, &ends)
            .await
            .map_err(words)
            .and_then(|audit| {
                if audit.compared == 0 && done > 0 {
                    return Err(format!(
                        "the audit compared nothing although {done} rows were written"
                    ));
                }
                Ok(audit)
            });
        let _ = self
            .reports
            .send(Report::Audited {
                stage: stage.id(),
                result,
            })
            .await;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn words(error: StageError) -> String {
    crate::domain::text::safe(&error.to_string()).as_str().to_owned()
}
