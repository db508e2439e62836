//! The run directory: everything one run knows, in one place that only its owner can read and only one process writes.
//!
//! ```text
//! run.json                 what run this is: format, version, id, accounts, mode; written once, last
//! LOCK                     who writes; see `Lock`
//! journal-000001.jsonl …   see `engine::journal`
//! plans/<digest>.jsonl     plans as approved
//! snapshots/<name>.jsonl   what was read, chained, before anything was written
//! ```
//!
//! Directories are 0700 and files 0600; anything more open, owned by somebody else, or behind a symbolic link is
//! refused, and so is a network file system, on which neither locks nor syncs can be relied on. Every file is opened
//! relative to the directory, which stays open.

mod error;
mod files;
mod header;
mod lock;
mod netfs;
#[cfg(test)]
mod tests;

use std::fs::DirBuilder;
use std::io::BufRead;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::{
    self, ChainedReader, ChainedWriter, Dir, Entry, Files, JournalError, Opened, Reader, VerifyReport,
};

use files::{
    exists, holds, open_file, own_name, plan_name, read_whole, snapshot_name, write_streamed, write_whole,
};

pub use files::Contents;

pub use error::RunDirError;
pub use header::{Accounts, Header, RUN_FORMAT};
pub use lock::{Claim, Holder, Lock};

const HEADER: &str = "run.json";
const PLANS: &str = "plans";
const SNAPSHOTS: &str = "snapshots";

/// A run directory open for looking: no lock, no writes. Works beside a writer.
pub struct RunView {
    dir: Dir,
    plans: Dir,
    snapshots: Dir,
}

/// A run directory open for writing: this process holds its lock until the last journal and file of it is closed.
pub struct RunDir {
    view: RunView,
    lock: Arc<Lock>,
}

impl RunDir {
    /// Makes a run directory with an empty journal. `path` may be an empty directory of ours or what an interrupted
    /// creation left behind; a run that is there already is never touched.
    pub fn create<M: Serialize>(path: &Path, header: &Header<M>, claim: &Claim) -> Result<Self, RunDirError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|e| RunDirError::io("create", path, e))?;
        let dir = checked(path)?;
        refuse_foreign_files(path)?;
        let lock = Lock::acquire(&dir, claim)?;
        if exists(&dir, HEADER)? {
            return Err(RunDirError::Exists {
                path: path.to_owned(),
            });
        }
        for name in [PLANS, SNAPSHOTS] {
            let made = DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path.join(name));
            made.map_err(|e| RunDirError::io("create", &path.join(name), e))?;
        }
        let run = Self::hold(dir, lock)?;
        create_journal(&run.view.dir)?;
        // Last: a directory with a header is complete.
        write_whole(&run.view.dir, HEADER, &header.to_json()?)?;
        sync_parent(path)?;
        Ok(run)
    }

    /// Opens a run for writing. Refuses other accounts than `expected`, a newer format, and a run that another process
    /// writes; nothing was written then.
    pub fn open<M: DeserializeOwned>(
        path: &Path,
        expected: Option<&Accounts>,
        claim: &Claim,
    ) -> Result<(Self, Header<M>), RunDirError> {
        let dir = checked(path)?;
        let header = read_header(&dir, expected)?;
        let lock = Lock::acquire(&dir, claim)?;
        Ok((Self::hold(dir, lock)?, header))
    }

    fn hold(dir: Dir, lock: Lock) -> Result<Self, RunDirError> {
        let lock = Arc::new(lock);
        let view = RunView::of(dir.holding(lock.clone()))?.holding(&lock);
        Ok(Self { view, lock })
    }

    /// What those who only look can do, too.
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// The lock: its token goes into every intent, and it knows who held it before.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Opens the journal for writing, after showing every record to `visit`: see [`journal::open`].
    pub fn open_journal<R: DeserializeOwned>(
        &self,
        visit: impl FnMut(Entry<R>),
    ) -> Result<Opened, JournalError> {
        journal::open(self.view.files(), visit)
    }

    /// Keeps a plan under its digest, durably. The same plan again is fine; another one under this digest is refused.
    /// `contents` is asked for the same bytes more than once.
    pub fn store_plan(&self, digest: &str, contents: Contents<'_>) -> Result<PathBuf, RunDirError> {
        let name = plan_name(digest)?;
        let plans = &self.view.plans;
        let path = plans.path().join(&name);
        if exists(plans, &name)? && !holds(plans, &name, contents)? {
            return Err(RunDirError::Differs { path });
        }
        write_streamed(plans, &name, contents)?;
        Ok(path)
    }

    /// Starts the snapshot `name`; it exists once [`ChainedWriter::finish`] has returned.
    pub fn start_snapshot(&self, name: &str) -> Result<ChainedWriter, RunDirError> {
        let files: Files = Arc::new(self.view.snapshots.clone());
        Ok(ChainedWriter::create(files, &snapshot_name(name)?)?)
    }

    /// Keeps a file of the caller's own (a report, the state of a rehearsal's world) durably, replacing an older one.
    pub fn store_file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, RunDirError> {
        write_whole(&self.view.dir, own_name(name)?, bytes)?;
        Ok(self.view.dir.path().join(name))
    }
}

impl RunView {
    /// Opens a run for looking. Refuses a newer format.
    pub fn open<M: DeserializeOwned>(path: &Path) -> Result<(Self, Header<M>), RunDirError> {
        let dir = private(path)?;
        let header = read_header(&dir, None)?;
        Ok((Self::of(dir)?, header))
    }

    fn of(dir: Dir) -> Result<Self, RunDirError> {
        let plans = private(&dir.path().join(PLANS))?;
        let snapshots = private(&dir.path().join(SNAPSHOTS))?;
        Ok(Self {
            dir,
            plans,
            snapshots,
        })
    }

    fn holding(mut self, lock: &Arc<Lock>) -> Self {
        self.plans = self.plans.holding(lock.clone());
        self.snapshots = self.snapshots.holding(lock.clone());
        self
    }

    fn files(&self) -> Files {
        Arc::new(self.dir.clone())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Streams the journal's records, verifying them.
    pub fn read_journal<R: DeserializeOwned>(&self) -> Result<Reader<R>, JournalError> {
        journal::read(self.path())
    }

    /// Proves the journal whole.
    pub fn verify_journal(&self) -> Result<VerifyReport, JournalError> {
        journal::verify(self.path())
    }

    /// A stored plan's bytes, to be read piece by piece.
    pub fn read_plan(&self, digest: &str) -> Result<impl BufRead + use<>, RunDirError> {
        open_file(&self.plans, &plan_name(digest)?)
    }

    /// Streams a snapshot, verifying it; compare its head at the end with the one kept.
    pub fn read_snapshot<R: DeserializeOwned>(&self, name: &str) -> Result<ChainedReader<R>, RunDirError> {
        let files: Files = Arc::new(self.snapshots.clone());
        Ok(ChainedReader::open(&files, &snapshot_name(name)?)?)
    }

    /// A file kept with [`RunDir::store_file`].
    pub fn read_file(&self, name: &str) -> Result<Vec<u8>, RunDirError> {
        read_whole(&self.dir, own_name(name)?)
    }

    /// Who wrote last, or writes now. Still there after a process that was killed; gone after one that ended.
    pub fn holder(&self) -> Option<Holder> {
        lock::read_holder(&self.dir)
    }
}

/// A directory of ours alone.
fn private(path: &Path) -> Result<Dir, RunDirError> {
    Dir::open(path).map_err(|e| RunDirError::opening(path, e))
}

/// A directory of ours alone on a file system that can be relied on.
fn checked(path: &Path) -> Result<Dir, RunDirError> {
    let dir = private(path)?;
    match netfs::network_kind(&dir).map_err(|e| RunDirError::io("examine", path, e))? {
        Some(kind) => Err(RunDirError::Network {
            path: path.to_owned(),
            kind,
        }),
        None => Ok(dir),
    }
}

fn read_header<M: DeserializeOwned>(
    dir: &Dir,
    expected: Option<&Accounts>,
) -> Result<Header<M>, RunDirError> {
    if !exists(dir, HEADER)? {
        return Err(RunDirError::NotARun {
            path: dir.path().to_owned(),
        });
    }
    let header = Header::from_json(&dir.path().join(HEADER), &read_whole(dir, HEADER)?)?;
    if let Some(given) = expected.filter(|given| **given != header.accounts) {
        let (found, given) = (Box::new(header.accounts.clone()), Box::new(given.clone()));
        return Err(RunDirError::OtherAccounts {
            path: dir.path().to_owned(),
            found,
            given,
        });
    }
    Ok(header)
}

/// A new run goes into a directory of its own: a home directory named by mistake is private, too.
fn refuse_foreign_files(path: &Path) -> Result<(), RunDirError> {
    let ours = [
        HEADER,
        "run.json.partial",
        lock::LOCK,
        PLANS,
        SNAPSHOTS,
        "journal-000001.jsonl",
        // A rehearsal's accounts are there before its run is.
        "world.log",
        "mapping.csv",
        "application.sqlite",
        "application.sqlite.new",
    ];
    let entries = std::fs::read_dir(path).map_err(|e| RunDirError::io("list", path, e))?;
    for entry in entries {
        let name = entry.map_err(|e| RunDirError::io("list", path, e))?.file_name();
        // A run that is there is refused by its own sentence, so what else belongs to it does not matter here.
        if !ours.iter().any(|known| name == *known) && !path.join(HEADER).exists() {
            let name = name.to_string_lossy().into_owned();
            return Err(RunDirError::NotEmpty {
                path: path.to_owned(),
                name,
            });
        }
    }
    Ok(())
}

/// An empty journal; an interrupted creation may have made it already.
fn create_journal(dir: &Dir) -> Result<(), RunDirError> {
    let files: Files = Arc::new(dir.clone());
    match journal::create(&files) {
        Err(JournalError::Exists { .. }) if journal::verify(dir.path())?.records == 0 => Ok(()),
        made => Ok(made?),
    }
}

/// Makes the directory's own name durable. The parent need not be ours.
fn sync_parent(path: &Path) -> Result<(), RunDirError> {
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let synced = std::fs::File::open(parent).and_then(|dir| dir.sync_all());
    synced.map_err(|e| RunDirError::io("sync", parent, e))
}
