//! Plans and snapshots of a run, in its directory.

use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use thiserror::Error;

use super::journal::{ChainedWriter, Head, JournalError};
use super::rundir::{RunDir, RunDirError, RunView};
use super::state::Plans;
use crate::clock::Clock;
use crate::domain::ids::{Digest, Hashing, StageId};
use crate::domain::plan::{Plan, file};
use crate::stages::Keep;

/// What the hash over a stored plan's bytes is for.
const STORED: &str = "cutover-stored-plan-v1";

/// Keeps what a run has to find again. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    run: Arc<RunDir>,
    /// The plan stored last, until it is loaded: a large plan, read back while its rows are in memory, would be there
    /// twice.
    fresh: Arc<Mutex<Option<Fresh>>>,
}

struct Fresh {
    name: String,
    plan: Plan,
    /// Of the bytes that were written.
    bytes: Digest,
}

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
    pub fn new(run: Arc<RunDir>) -> Self {
        let fresh = Arc::default();
        Self { run, fresh }
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &RunDir {
        &self.run
    }

    /// Stores `plan` durably and says under which name. `seq` tells plans with the same digest, made from other
    /// readings, apart.
    pub fn store_plan(&self, plan: &Plan, seq: u64) -> Result<String, VaultError> {
        let name = format!("{}-{seq}", plan.digest().hex());
        let written = Mutex::new(None);
        self.run.store_plan(&name, &|out| {
            let mut bytes = Hashing::new(STORED);
            file::write_lines(plan, |line| {
                bytes.add(line.as_bytes());
                out.write_all(line.as_bytes())
            })?;
            *lock(&written) = Some(bytes.digest());
            Ok(())
        })?;
        let bytes = written.into_inner().unwrap_or_else(PoisonError::into_inner);
        *lock(&self.fresh) = bytes.map(|bytes| Fresh {
            name: name.clone(),
            plan: plan.clone(),
            bytes,
        });
        Ok(name)
    }

    /// The plan `name` if it is the one stored last, and every byte of its file is still as it was written.
    fn fresh(&self, name: &str) -> Option<Plan> {
        let fresh = lock(&self.fresh).take_if(|fresh| fresh.name == name)?;
        let stored = self.run.view().read_plan(name).ok()?;
        (bytes_of(stored).ok()? == fresh.bytes).then_some(fresh.plan)
    }

    /// Starts the snapshot of a stage's reading number `seq`.
    pub fn start_snapshot(&self, stage: StageId, seq: u64, clock: Clock) -> Result<Snapshot, VaultError> {
        let name = format!("{stage}-{seq}");
        let writer = self.run.start_snapshot(&name)?;
        Ok(Snapshot {
            name,
            clock,
            writer: Mutex::new(Some(writer)),
        })
    }
}

impl Plans for Vault {
    fn load(&self, name: &str) -> Result<Plan, String> {
        // A file that is not what was written is read in the ordinary way, which says what is wrong with it.
        self.fresh(name).map_or_else(|| load(self.run.view(), name), Ok)
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes_of(mut stored: impl BufRead) -> io::Result<Digest> {
    let mut bytes = Hashing::new(STORED);
    loop {
        let piece = stored.fill_buf()?;
        if piece.is_empty() {
            return Ok(bytes.digest());
        }
        bytes.add(piece);
        let len = piece.len();
        stored.consume(len);
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
        let writer = lock(&self.writer).take();
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
        let mut writer = lock(&self.writer);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::domain::ids::{AccountId, Accounts, Environment};
    use crate::domain::plan::{Header, OutOfScope};
    use crate::domain::time::UtcMs;
    use crate::engine::rundir::{self, Claim};

    fn plan() -> Plan {
        let accounts = Accounts {
            source: AccountId("acct_old".into()),
            destination: AccountId("acct_new".into()),
            environment: Environment::Test,
        };
        let header = Header {
            accounts,
            policy: BTreeMap::new(),
            scope: Digest::of("scope", []),
            stage: StageId::Credits,
        };
        Plan::seal(header, OutOfScope::default(), vec![], vec![], UtcMs(7)).unwrap()
    }

    /// A vault with one plan in it, its name and its file.
    fn stored() -> (tempfile::TempDir, Vault, String, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let pair = rundir::Accounts {
            source: "acct_old".into(),
            destination: "acct_new".into(),
            mode: "test".into(),
        };
        let claim = Claim {
            token: "t".into(),
            since: UtcMs(5),
        };
        let header = rundir::Header::new("run", UtcMs(5), pair, BTreeMap::<String, String>::new());
        let run = RunDir::create(&place.path().join("run"), &header, &claim).unwrap();
        let vault = Vault::new(Arc::new(run));
        let name = vault.store_plan(&plan(), 3).unwrap();
        let path = place
            .path()
            .join("run")
            .join("plans")
            .join(format!("{name}.jsonl"));
        (place, vault, name, path)
    }

    #[test]
    fn a_plan_stored_is_the_plan_loaded_once_from_memory_and_then_from_its_file() {
        let (_place, vault, name, _) = stored();
        assert!(lock(&vault.fresh).is_some());
        let first = vault.load(&name).unwrap();
        assert!(lock(&vault.fresh).is_none(), "kept only until it is loaded");
        let second = vault.load(&name).unwrap();
        for loaded in [first, second] {
            assert_eq!((loaded.digest(), loaded.made_at()), (plan().digest(), UtcMs(7)));
        }
    }

    #[test]
    fn a_file_that_changed_on_disk_is_refused_although_the_plan_is_still_in_memory() {
        let (_place, vault, name, path) = stored();
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.iter().position(|byte| *byte == b'7').unwrap();
        bytes[at] = b'8';
        fs::write(&path, bytes).unwrap();
        let refused = vault.load(&name).unwrap_err();
        assert!(refused.contains("changed after it was made"), "{refused}");
    }

    #[test]
    fn a_file_that_is_gone_is_missed_although_the_plan_is_still_in_memory() {
        let (_place, vault, name, path) = stored();
        fs::remove_file(path).unwrap();
        assert!(vault.load(&name).is_err());
    }
}
