//! What can go wrong with a journal, one sentence each.

use std::io;
use std::sync::Arc;

use thiserror::Error;

/// Cheap to clone: one failed disk write answers every record that was in it.
#[derive(Clone, Debug, Error)]
pub enum JournalError {
    /// No room on the file system. Only [`Journal::halt`](super::Journal::halt) is still possible, once.
    #[error(
        "the disk is full at {file}: nothing further is recorded or sent; free some space there, then resume the run"
    )]
    DiskFull {
        /// The file that could not grow.
        file: String,
    },
    /// Reading, writing or syncing failed. Final for this opening: nothing more is written.
    #[error(
        "cannot {doing} {file} ({cause}): nothing further is recorded or sent; check the disk, then resume the run"
    )]
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// The file it was attempted on.
        file: String,
        /// What the operating system said.
        cause: Arc<io::Error>,
    },
    /// The journal was closed before this record came.
    #[error("the journal is closed: this record came after the end of the run and is not kept")]
    Closed,
    /// A record over the limit. The journal goes on.
    #[error(
        "a record of {bytes} bytes is over the journal's limit of {limit}: nothing was written; split what it records"
    )]
    TooLarge {
        /// Size of the record with its frame.
        bytes: usize,
        /// [`MAX_LINE`](super::MAX_LINE).
        limit: usize,
    },
    /// A record that is no JSON object, or that uses a reserved name. The journal goes on.
    #[error("a record cannot be written to the journal: {why}")]
    Encode {
        /// What is wrong with it.
        why: String,
    },
    /// The file is not what was written. Nothing was changed.
    #[error(
        "{file} line {line} (byte {offset}): {what}; nothing was touched: restore the file from a copy, or start a new run"
    )]
    Defect {
        /// The damaged file.
        file: String,
        /// Line number, from 1.
        line: u64,
        /// Where that line starts, in bytes from 0.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// Written by a newer version. Nothing was changed.
    #[error(
        "{file} line {line} is in journal format {found}, this version of cutover reads up to {supported}: use the newer one"
    )]
    NewerFormat {
        /// The file.
        file: String,
        /// Line number, from 1.
        line: u64,
        /// The format found.
        found: u64,
        /// [`FORMAT`](super::FORMAT).
        supported: u64,
    },
    /// Open to others, owned by somebody else, or closed to us.
    #[error("{file} cannot be used: {why}")]
    Refused {
        /// The file or directory.
        file: String,
        /// What is wrong and, where we know, what to do.
        why: String,
    },
    /// There is no such file.
    #[error("{file} is missing: restore it from a copy, or start a new run")]
    Missing {
        /// The file.
        file: String,
    },
    /// The file is there already and is never overwritten.
    #[error("{file} is there already and is never overwritten: choose another name or run directory")]
    Exists {
        /// The file.
        file: String,
    },
}

impl JournalError {
    /// Sorts an operating system's error while writing: a full disk (or quota) leaves room for one last record.
    pub(super) fn writing(doing: &'static str, file: &str, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                file: file.to_owned(),
            },
            io::ErrorKind::AlreadyExists => Self::Exists {
                file: file.to_owned(),
            },
            _ => Self::io(doing, file, cause),
        }
    }

    /// An error that is final whatever its kind: a failed sync, a failed read.
    pub(super) fn io(doing: &'static str, file: &str, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing {
                file: file.to_owned(),
            },
            io::ErrorKind::PermissionDenied => Self::Refused {
                file: file.to_owned(),
                why: cause.to_string(),
            },
            _ => Self::Io {
                doing,
                file: file.to_owned(),
                cause: Arc::new(cause),
            },
        }
    }

    /// Is this the full disk, after which one `halt` record may still be written?
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }
}
