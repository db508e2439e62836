//! Creating a journal, and opening one: verify all, then set a torn tail aside, then write.

use serde::de::DeserializeOwned;

use super::frame::{Entry, Seq};
use super::queue::Journal;
use super::segments::{End, Reader, segment_name};
use super::writer::{RESERVE, Writer, create_file};
use super::{Files, JournalError, RESERVE_BYTES};

/// Segment size, in bytes; its link included.
pub(super) const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Torn tails that may be kept before opening refuses: a disk that tears this often is not one to trust.
const TORN_FILES: u64 = 1000;

/// A journal ready to be written.
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// What was cut off; the opener appends a record that says so.
    pub torn: Option<TornTail>,
}

/// The last write of an earlier run, not whole: none of its records had been acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Where the bytes were put, next to the journal.
    pub saved_as: String,
    /// How many they are.
    pub bytes: u64,
    /// The last good record.
    pub after: Seq,
}

/// Makes an empty journal. Refuses if there is one.
pub fn create(fs: &Files) -> Result<(), JournalError> {
    create_file(fs, &segment_name(1)).map(drop)
}

/// Verifies the whole journal, shows every record to `visit` in order, then makes it ready for writing. On an error
/// nothing was written, and what `visit` has seen must be forgotten. Reads files: call it from a blocking context.
pub fn open<R: DeserializeOwned>(fs: Files, visit: impl FnMut(Entry<R>)) -> Result<Opened, JournalError> {
    open_with(fs, SEGMENT_BYTES, visit)
}

pub(super) fn open_with<R: DeserializeOwned>(
    fs: Files,
    segment_bytes: u64,
    mut visit: impl FnMut(Entry<R>),
) -> Result<Opened, JournalError> {
    settle_last(&fs)?;
    let mut reader = Reader::start(fs.clone())?;
    reader.by_ref().try_for_each(|entry| entry.map(&mut visit))?;
    let end = reader.end;
    keep_reserve(&fs)?;
    let torn = match &end.torn {
        Some(bytes) => Some(cut_off(&fs, &end, bytes)?),
        None => None,
    };
    if end.has_stray {
        remove_stray(&fs, &segment_name(end.segment + 1))?;
    }
    let journal = Journal::start(writer(fs, segment_bytes, &end)?)?;
    Ok(Opened { journal, torn })
}

/// Whatever is read as a good record must be on disk, also if an earlier process was killed, or gave up, before its sync.
/// Only the last two segments can hold such bytes: a link is synced before its successor is written to.
fn settle_last(fs: &Files) -> Result<(), JournalError> {
    let size = |n| {
        let name = segment_name(n);
        fs.len(&name)
            .map_err(|e| JournalError::io("look for", &fs.label(&name), e))
    };
    let mut last = 1;
    while size(last + 1)?.is_some() {
        last += 1;
    }
    for n in last.saturating_sub(1).max(1)..=last {
        let name = segment_name(n);
        fs.settle(&name)
            .map_err(|e| JournalError::io("sync", &fs.label(&name), e))?;
    }
    Ok(())
}

fn writer(fs: Files, segment_bytes: u64, end: &End) -> Result<Writer, JournalError> {
    let name = segment_name(end.segment);
    let file = fs
        .open_append(&name)
        .map_err(|e| JournalError::io("open", &fs.label(&name), e))?;
    Ok(Writer {
        fs,
        file,
        segment: end.segment,
        len: end.len,
        segment_bytes,
        head: end.head,
        failed: None,
        has_reserve: true,
        buf: Vec::new(),
    })
}

/// Sees to it that a full disk will leave room for the last record.
fn keep_reserve(fs: &Files) -> Result<(), JournalError> {
    let label = fs.label(RESERVE);
    match fs
        .len(RESERVE)
        .map_err(|e| JournalError::io("look for", &label, e))?
    {
        Some(bytes) if bytes >= RESERVE_BYTES => return Ok(()),
        // Left by an opening that met a full disk.
        Some(_) => fs
            .remove(RESERVE)
            .map_err(|e| JournalError::io("remove", &label, e))?,
        None => {}
    }
    let mut file = fs
        .create_new(RESERVE)
        .map_err(|e| JournalError::writing("create", &label, e))?;
    file.allocate(RESERVE_BYTES)
        .map_err(|e| JournalError::writing("allocate", &label, e))?;
    file.sync().map_err(|e| JournalError::io("sync", &label, e))?;
    fs.sync_dir()
        .map_err(|e| JournalError::io("sync the directory of", &label, e))
}

/// Saves the torn bytes, and only when they are safe takes them off the segment.
fn cut_off(fs: &Files, end: &End, bytes: &[u8]) -> Result<TornTail, JournalError> {
    let saved_as = save(fs, bytes)?;
    let name = segment_name(end.segment);
    let label = fs.label(&name);
    let mut file = fs
        .open_append(&name)
        .map_err(|e| JournalError::io("open", &label, e))?;
    file.truncate(end.len)
        .map_err(|e| JournalError::io("cut", &label, e))?;
    file.sync().map_err(|e| JournalError::io("sync", &label, e))?;
    Ok(TornTail {
        saved_as,
        bytes: bytes.len() as u64,
        after: end.head.seq,
    })
}

fn save(fs: &Files, bytes: &[u8]) -> Result<String, JournalError> {
    for n in 1..=TORN_FILES {
        let name = format!("journal.torn-{n}");
        let label = fs.label(&name);
        let size = fs
            .len(&name)
            .map_err(|e| JournalError::io("look for", &label, e))?;
        if size.is_none() {
            let mut file = fs
                .create_new(&name)
                .map_err(|e| JournalError::writing("create", &label, e))?;
            file.append(bytes)
                .map_err(|e| JournalError::writing("write", &label, e))?;
            file.sync().map_err(|e| JournalError::io("sync", &label, e))?;
            fs.sync_dir()
                .map_err(|e| JournalError::io("sync the directory of", &label, e))?;
            return Ok(name);
        }
    }
    Err(JournalError::Exists {
        file: fs.label(&format!("journal.torn-{TORN_FILES}")),
    })
}

fn remove_stray(fs: &Files, name: &str) -> Result<(), JournalError> {
    let label = fs.label(name);
    fs.remove(name)
        .map_err(|e| JournalError::io("remove the empty", &label, e))?;
    fs.sync_dir()
        .map_err(|e| JournalError::io("sync the directory of", &label, e))
}
