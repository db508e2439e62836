//! Plans and snapshots of a run, in its directory.

use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::RawValue;
use thiserror::Error;

use super::journal::{ChainedWriter, Head, JournalError};
use super::rundir::{RunDir, RunDirError, RunView};
use super::state::Plans;
use crate::clock::Clock;
use crate::domain::ids::StageId;
use crate::domain::plan::{Plan, file};
use crate::stages::Keep;

/// Keeps what a run has to find again. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<RunDir>);

/// What can go wrong with it. Nothing was sent to Stripe because of it.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The directory.
    #[error(transparent)]
    Dir(#[from] RunDirError),
    /// A chained file.
    #[error(transparent)]
    Chain(#[from] JournalError),
}

impl Vault {
    /// Over a run directory that is open for writing.
    #[must_use]
    pub const fn new(run: Arc<RunDir>) -> Self {
        Self(run)
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &RunDir {
        &self.0
    }

    /// Stores `plan` durably and says under which name. `seq` tells plans with the same digest, made from other
    /// readings, apart.
    pub fn store_plan(&self, plan: &Plan, seq: u64) -> Result<String, VaultError> {
        let name = format!("{}-{seq}", plan.digest().hex());
        self.0.store_plan(&name, &|out| {
            file::write_lines(plan, |line| out.write_all(line.as_bytes()))
        })?;
        Ok(name)
    }

    /// Starts the snapshot of a stage's reading number `seq`.
    pub fn start_snapshot(&self, stage: StageId, seq: u64, clock: Clock) -> Result<Snapshot, VaultError> {
        let name = format!("{stage}-{seq}");
        let writer = self.0.start_snapshot(&name)?;
        Ok(Snapshot {
            name,
            clock,
            writer: Mutex::new(Some(writer)),
        })
    }
}

impl Plans for Vault {
    fn load(&self, name: &str) -> Result<Plan, String> {
        load(self.0.view(), name)
    }
}

/// The stored plan `name`, or one sentence why not.
pub(super) fn load(view: &RunView, name: &str) -> Result<Plan, String> {
    let mut stored = view.read_plan(name).map_err(|e| e.to_string())?;
    file::read_lines(lines(&mut stored)).map_err(|e| format!("plan {name}: {e}"))
}

/// Lines with their line feeds, one in memory at a time.
fn lines(text: &mut impl BufRead) -> impl Iterator<Item = io::Result<String>> {
    std::iter::from_fn(move || {
        let mut line = String::new();
        match text.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(error) => Some(Err(error)),
        }
    })
}

/// A snapshot being written: chained lines, durable when finished.
pub struct Snapshot {
    name: String,
    clock: Clock,
    writer: Mutex<Option<ChainedWriter>>,
}

impl Snapshot {
    /// Makes it durable; its name and the head of its chain.
    pub fn finish(&self) -> Result<(String, Head), VaultError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let head = writer.map(ChainedWriter::finish).transpose()?.unwrap_or_default();
        Ok((self.name.clone(), head))
    }
}

impl Keep for Snapshot {
    fn keep(&self, line: &RawValue) -> Result<(), String> {
        #[derive(serde::Serialize)]
        struct Line<'a> {
            kind: &'static str,
            fact: &'a RawValue,
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = writer.as_mut() else {
            return Err("the snapshot is closed".to_owned());
        };
        writer
            .write(
                &Line {
                    kind: "fact",
                    fact: line,
                },
                self.clock.now(),
            )
            .map(|_| ())
            .map_err(|e| e.to_string())
    }
}
