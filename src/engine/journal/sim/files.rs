//! Open files of a simulated directory.

use std::io::{self, Read};

use super::SimFs;
use crate::engine::journal::JournalFile;

/// Sees what is appended meanwhile, as a real file's reader does.
pub(super) struct Reading {
    fs: SimFs,
    name: String,
    at: usize,
}

impl Reading {
    pub(super) fn new(fs: &SimFs, name: &str) -> Self {
        Self {
            fs: fs.clone(),
            name: name.to_owned(),
            at: 0,
        }
    }
}

impl Read for Reading {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut state = self.fs.lock();
        if std::mem::take(&mut state.faults.error_at_read) {
            return Err(io::Error::other("simulated EIO"));
        }
        let bytes = &state.file(&self.name)?.bytes[self.at..];
        let len = bytes.len().min(to.len());
        to[..len].copy_from_slice(&bytes[..len]);
        self.at += len;
        Ok(len)
    }
}

/// For writing at the end.
pub(super) struct Open {
    fs: SimFs,
    name: String,
}

impl Open {
    pub(super) fn new(fs: &SimFs, name: &str) -> Self {
        Self {
            fs: fs.clone(),
            name: name.to_owned(),
        }
    }
}

impl JournalFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.fs.lock();
        let (done, result) = state.write(bytes.len() as u64);
        let done = usize::try_from(done).unwrap();
        state.file(&self.name)?.bytes.extend(&bytes[..done]);
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fs.pass_gate();
        let mut state = self.fs.lock();
        let result = state.sync();
        let file = state.file(&self.name)?;
        let was_lying = file.is_lying;
        match &result {
            Ok(()) if !was_lying => file.durable = file.bytes.clone(),
            Ok(()) => {}
            Err(_) => file.is_lying = true,
        }
        state.counts.syncs_retried += u64::from(was_lying);
        result
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.fs.lock();
        state.counts.changes += 1;
        let file = state.file(&self.name)?;
        let freed = file.bytes.len() as u64 - len;
        file.bytes.truncate(usize::try_from(len).unwrap());
        state.free = state.free.map(|free| free + freed);
        Ok(())
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.fs.lock();
        let (done, result) = state.write(len);
        state.file(&self.name)?.allocated += done;
        result
    }
}
