//! What the journal's thread does with a batch: one write, one sync; after an error, nothing more.

use serde::Serialize;

use super::frame::{self, Head};
use super::segments::segment_name;
use super::{Files, JournalError, JournalFile, LINK_KIND};
use crate::domain::time::UtcMs;

/// Name of the file whose space a full disk gives back.
pub(super) const RESERVE: &str = "journal.reserve";

/// Room for the link at the end of a segment, in bytes.
const LINK_MAX: u64 = 512;

/// The end of the last segment, and whether it may still grow.
pub(super) struct Writer {
    pub(super) fs: Files,
    pub(super) file: Box<dyn JournalFile>,
    pub(super) segment: u64,
    /// Durable bytes in the segment.
    pub(super) len: u64,
    pub(super) segment_bytes: u64,
    pub(super) head: Head,
    pub(super) failed: Option<JournalError>,
    pub(super) has_reserve: bool,
    pub(super) buf: Vec<u8>,
}

/// One record on its way to disk.
pub(super) struct Draft {
    pub(super) at: UtcMs,
    /// JSON text, from [`frame::body`].
    pub(super) body: Vec<u8>,
}

#[derive(Serialize)]
struct Link<'a> {
    kind: &'a str,
    next: &'a str,
}

impl Writer {
    /// Makes the drafts durable, in order. The first error is remembered and answers everything after it.
    pub(super) fn commit<'a>(
        &mut self,
        drafts: impl Iterator<Item = &'a Draft> + Clone,
    ) -> Result<Head, JournalError> {
        if let Some(e) = &self.failed {
            return Err(e.clone());
        }
        let done = self.rotate_if_full(&drafts).and_then(|()| self.write(drafts));
        done.map_err(|e| self.fail(e))
    }

    /// The last record of a run that met a full disk: the reserve was kept for it.
    pub(super) fn commit_halt(&mut self, draft: &Draft) -> Result<Head, JournalError> {
        let is_room = self.failed.as_ref().is_some_and(JournalError::is_disk_full);
        if !is_room || !std::mem::take(&mut self.has_reserve) {
            return self.commit([draft].into_iter());
        }
        // Whatever this brings, what failed stays failed.
        self.release_reserve()
            .and_then(|()| self.write([draft].into_iter()))
    }

    fn fail(&mut self, e: JournalError) -> JournalError {
        self.failed = Some(e.clone());
        e
    }

    /// Frees the reserve, and takes away what the failed write left of itself.
    fn release_reserve(&mut self) -> Result<(), JournalError> {
        self.fs
            .remove(RESERVE)
            .map_err(|e| JournalError::io("remove", &self.fs.label(RESERVE), e))?;
        let label = self.label();
        self.file
            .truncate(self.len)
            .map_err(|e| JournalError::io("cut", &label, e))?;
        self.file.sync().map_err(|e| JournalError::io("sync", &label, e))
    }

    fn write<'a>(&mut self, drafts: impl Iterator<Item = &'a Draft>) -> Result<Head, JournalError> {
        self.buf.clear();
        let mut head = self.head;
        let batch = head.seq.0 + 1;
        for draft in drafts {
            head = frame::encode(&mut self.buf, &head, batch, draft.at, &draft.body);
        }
        let label = self.label();
        self.file
            .append(&self.buf)
            .map_err(|e| JournalError::writing("write", &label, e))?;
        self.file
            .sync()
            .map_err(|e| JournalError::io("sync", &label, e))?;
        self.len += self.buf.len() as u64;
        self.head = head;
        Ok(head)
    }

    fn rotate_if_full<'a>(
        &mut self,
        drafts: &(impl Iterator<Item = &'a Draft> + Clone),
    ) -> Result<(), JournalError> {
        let need: u64 = drafts
            .clone()
            .map(|draft| (draft.body.len() + frame::FRAME_MAX) as u64)
            .sum();
        let (Some(first), true) = (drafts.clone().next(), self.len > 0) else {
            return Ok(());
        };
        if self.len + need + LINK_MAX <= self.segment_bytes {
            return Ok(());
        }
        let name = segment_name(self.segment + 1);
        let next = create_file(&self.fs, &name)?;
        // The link comes last: whoever reads it finds the file it names.
        let link = Draft {
            at: first.at,
            body: link_body(&name)?,
        };
        self.write([&link].into_iter())?;
        self.file = next;
        self.segment += 1;
        self.len = 0;
        Ok(())
    }

    fn label(&self) -> String {
        self.fs.label(&segment_name(self.segment))
    }
}

fn link_body(next: &str) -> Result<Vec<u8>, JournalError> {
    let link = Link {
        kind: LINK_KIND,
        next,
    };
    serde_json::to_vec(&link).map_err(|e| JournalError::Encode { why: e.to_string() })
}

/// A new, empty file that survives a power loss.
pub(super) fn create_file(fs: &Files, name: &str) -> Result<Box<dyn JournalFile>, JournalError> {
    let label = fs.label(name);
    let mut file = fs
        .create_new(name)
        .map_err(|e| JournalError::writing("create", &label, e))?;
    file.sync().map_err(|e| JournalError::io("sync", &label, e))?;
    fs.sync_dir()
        .map_err(|e| JournalError::io("sync the directory of", &label, e))?;
    Ok(file)
}
