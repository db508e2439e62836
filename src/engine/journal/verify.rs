//! Proving a journal whole without writing, for `cutover journal verify` and for those who only look.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::frame::Head;
use super::{Dir, Files, JournalError, Reader};
use crate::domain::time::UtcMs;

/// What a journal proves about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Lines in all segments, links included: the head's number.
    pub records: u64,
    /// Files in use.
    pub segments: u64,
    /// The end of the chain, to be compared with one kept elsewhere.
    pub head: Head,
    /// When the first record was appended; `None` for an empty journal.
    pub first_at: Option<UtcMs>,
    /// When the last one was.
    pub last_at: Option<UtcMs>,
    /// A last write that is not whole: it ends the run's memory at `head`, or a writer is busy with it right now.
    pub torn_tail: bool,
}

/// Verifies the journal in the run directory `dir`: checksums, numbers, chain and JSON of every line.
pub fn verify(dir: &Path) -> Result<VerifyReport, JournalError> {
    verify_in(open_dir(dir)?)
}

/// Streams the records of the journal in the run directory `dir`, verifying as it goes; also beside a writer.
pub fn read<R: DeserializeOwned>(dir: &Path) -> Result<Reader<R>, JournalError> {
    Reader::start(open_dir(dir)?)
}

pub(super) fn verify_in(fs: Files) -> Result<VerifyReport, JournalError> {
    let mut reader = Reader::<IgnoredAny>::start(fs)?;
    reader.by_ref().try_for_each(|entry| entry.map(drop))?;
    let end = reader.end;
    Ok(VerifyReport {
        records: end.head.seq.0,
        segments: end.segment,
        head: end.head,
        first_at: end.first_at,
        last_at: end.last_at,
        torn_tail: end.torn.is_some(),
    })
}

fn open_dir(dir: &Path) -> Result<Files, JournalError> {
    let opened = Dir::open(dir).map_err(|e| JournalError::io("open", &dir.display().to_string(), e))?;
    Ok(Arc::new(opened))
}
