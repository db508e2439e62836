//! A directory in memory that fails when told to and forgets what was not synced, as a real one may.

mod files;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::{JournalFile, JournalFs};
use files::{Open, Reading};

/// Clones are the same directory.
#[derive(Clone, Default)]
pub(crate) struct SimFs(Arc<Mutex<State>>, Arc<Gate>);

/// Holds syncs back while closed.
#[derive(Default)]
struct Gate {
    is_closed: Mutex<bool>,
    opened: Condvar,
}

#[derive(Clone, Default)]
struct State {
    files: BTreeMap<String, SimFile>,
    /// Names that survive a crash, with the file each stands for.
    names: BTreeMap<String, u64>,
    next_id: u64,
    faults: Faults,
    counts: Counts,
    /// Since the disk filled up: bytes that removals have freed.
    free: Option<u64>,
}

#[derive(Clone, Default, PartialEq, Debug)]
struct SimFile {
    id: u64,
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Zeros behind the bytes, taken but never written.
    allocated: u64,
    /// A sync failed: the kernel has forgotten which bytes are missing, and later syncs succeed without them.
    is_lying: bool,
}

/// What goes wrong, each counted from 1 over the whole directory.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Faults {
    /// From the n-th write (or allocation, or creation) on the disk is full; that write is done in part.
    pub(crate) full_at_write: Option<u64>,
    /// The n-th write fails with an I/O error; it is done in part.
    pub(crate) error_at_write: Option<u64>,
    /// The n-th sync of a file or the directory fails.
    pub(crate) error_at_sync: Option<u64>,
    /// The n-th sync of a file or the directory panics.
    pub(crate) panic_at_sync: Option<u64>,
    /// The next read fails.
    pub(crate) error_at_read: bool,
}

/// What was asked of the directory.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(crate) struct Counts {
    pub(crate) writes: u64,
    pub(crate) syncs: u64,
    /// Any call that changes something.
    pub(crate) changes: u64,
    /// Syncs of a file after one of its syncs had failed: always a mistake.
    pub(crate) syncs_retried: u64,
}

impl SimFs {
    pub(crate) fn with(faults: Faults) -> Self {
        let fs = Self::default();
        fs.lock().faults = faults;
        fs
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        let mut state = self.lock();
        state.faults = faults;
        state.counts = Counts::default();
        state.free = None;
    }

    /// Every sync waits until this is called with `true`.
    pub(crate) fn let_syncs_through(&self, is_open: bool) {
        *self.1.is_closed.lock().unwrap() = !is_open;
        self.1.opened.notify_all();
    }

    fn pass_gate(&self) {
        let closed = self.1.is_closed.lock().unwrap();
        drop(self.1.opened.wait_while(closed, |closed| *closed).unwrap());
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// The file's bytes as a reader sees them now.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.lock()
            .files
            .get(name)
            .map(|f| f.bytes.clone())
            .unwrap_or_default()
    }

    /// The bytes that survive any crash.
    pub(crate) fn durable(&self, name: &str) -> Vec<u8> {
        let state = self.lock();
        let file = state
            .files
            .get(name)
            .filter(|f| state.names.get(name) == Some(&f.id));
        file.map(|f| f.durable.clone()).unwrap_or_default()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().files.keys().cloned().collect()
    }

    /// Puts a durable file there, as if from an earlier run.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock();
        state.next_id += 1;
        let id = state.next_id;
        let file = SimFile {
            id,
            bytes: bytes.to_vec(),
            durable: bytes.to_vec(),
            ..SimFile::default()
        };
        state.files.insert(name.to_owned(), file);
        state.names.insert(name.to_owned(), id);
    }

    pub(crate) fn delete(&self, name: &str) {
        let mut state = self.lock();
        state.files.remove(name);
        state.names.remove(name);
    }

    /// A directory of its own with the same durable content and no faults.
    pub(crate) fn copy(&self) -> Self {
        let mut state = self.lock().clone();
        (state.faults, state.counts, state.free) = (Faults::default(), Counts::default(), None);
        Self(Arc::new(Mutex::new(state)), Arc::default())
    }

    /// What is found after power loss: names and bytes that were synced; of each file's unsynced bytes, what `keep`
    /// makes of them (given its name; shorter than the input: cut off; NUL: missing).
    pub(crate) fn after_power_loss(&self, mut keep: impl FnMut(&str, &[u8]) -> Vec<u8>) -> Self {
        let copy = self.copy();
        let mut state = copy.lock();
        let State { files, names, .. } = &mut *state;
        files.retain(|name, file| names.get(name) == Some(&file.id));
        for (name, file) in files.iter_mut() {
            let unsynced = file
                .bytes
                .strip_prefix(file.durable.as_slice())
                .unwrap_or_default();
            let kept = keep(name, unsynced);
            assert!(kept.len() <= unsynced.len(), "a crash adds no bytes");
            file.durable.extend(kept);
            file.bytes = file.durable.clone();
        }
        drop(state);
        copy
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn file(&mut self, name: &str) -> io::Result<&mut SimFile> {
        self.files
            .get_mut(name)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// How many of `len` bytes the next write may do, and the error it then ends with.
    fn write(&mut self, len: u64) -> (u64, io::Result<()>) {
        self.counts.writes += 1;
        self.counts.changes += 1;
        if self.faults.error_at_write == Some(self.counts.writes) {
            return (len / 2, Err(io::Error::other("simulated EIO")));
        }
        if self.faults.full_at_write == Some(self.counts.writes) {
            self.free = Some(len / 2);
        }
        let Some(free) = &mut self.free else {
            return (len, Ok(()));
        };
        let done = len.min(*free);
        *free -= done;
        let is_done = done == len && len > 0;
        (
            done,
            if is_done {
                Ok(())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            },
        )
    }

    fn sync(&mut self) -> io::Result<()> {
        self.counts.syncs += 1;
        self.counts.changes += 1;
        assert_ne!(
            self.faults.panic_at_sync,
            Some(self.counts.syncs),
            "simulated panic"
        );
        if self.faults.error_at_sync == Some(self.counts.syncs) {
            return Err(io::Error::other("simulated EIO"));
        }
        Ok(())
    }
}

impl JournalFs for SimFs {
    fn label(&self, name: &str) -> String {
        format!("sim/{name}")
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        Ok(self
            .lock()
            .files
            .get(name)
            .map(|f| f.bytes.len() as u64 + f.allocated))
    }

    fn open_read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        self.lock().file(name)?;
        Ok(Box::new(Reading::new(self, name)))
    }

    fn settle(&self, name: &str) -> io::Result<()> {
        self.pass_gate();
        let mut state = self.lock();
        let result = state.sync();
        // Not a change: it writes nothing.
        state.counts.changes -= 1;
        let file = state.file(name)?;
        if result.is_ok() && file.is_lying {
            (file.bytes, file.is_lying) = (file.durable.clone(), false);
        } else if result.is_ok() {
            file.durable = file.bytes.clone();
        }
        result
    }

    fn create_new(&self, name: &str) -> io::Result<Box<dyn JournalFile>> {
        let mut state = self.lock();
        if state.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.write(0).1?;
        state.next_id += 1;
        let file = SimFile {
            id: state.next_id,
            ..SimFile::default()
        };
        state.files.insert(name.to_owned(), file);
        Ok(Box::new(Open::new(self, name)))
    }

    fn open_append(&self, name: &str) -> io::Result<Box<dyn JournalFile>> {
        self.lock().file(name)?;
        Ok(Box::new(Open::new(self, name)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.counts.changes += 1;
        let file = state.file(name)?;
        let freed = file.bytes.len() as u64 + file.allocated;
        state.files.remove(name);
        state.free = state.free.map(|free| free + freed);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.counts.changes += 1;
        let file = state.file(from)?.clone();
        state.files.remove(from);
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.sync()?;
        state.names = state
            .files
            .iter()
            .map(|(name, file)| (name.clone(), file.id))
            .collect();
        Ok(())
    }
}
