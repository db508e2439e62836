//! Why a run directory cannot be used, one sentence each.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Accounts, Holder};
use crate::engine::journal::JournalError;

/// See the variants' messages; none but `Io` can leave anything half written.
#[derive(Debug, Error)]
pub enum RunDirError {
    /// Nothing is there.
    #[error("{} is not there: give the directory of an existing run with --run", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A directory without a finished header.
    #[error("{} is no run directory (it has no run.json): give another one, or remove what an interrupted start left", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// A run is there already.
    #[error("{} already holds a run: resume it, or choose another directory", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// A new run wants a directory of its own.
    #[error("{} is not empty (it holds {name:?}): choose a new directory for the run", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// A file in it.
        name: String,
    },
    /// Owned by somebody else, or open to others.
    #[error("{} is not private: {why}", path.display())]
    NotPrivate {
        /// The directory or file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// Locks and syncs cannot be relied on there.
    #[error("{} is on a network file system ({kind}), where neither locks nor syncs can be relied on: use a local disk", path.display())]
    Network {
        /// The directory.
        path: PathBuf,
        /// Kind of file system.
        kind: String,
    },
    /// Another process writes this run.
    #[error("{} is being written by {}: only one process may; look at it with `cutover status --run`, or end that one", path.display(), said(holder.as_deref()))]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Who, as far as it has said.
        holder: Option<Box<Holder>>,
    },
    /// The run migrates between other accounts than those given.
    #[error("{} is a run of {found}, not of {given}: give that run's accounts, or another directory", path.display())]
    OtherAccounts {
        /// The directory.
        path: PathBuf,
        /// The run's.
        found: Box<Accounts>,
        /// The operator's.
        given: Box<Accounts>,
    },
    /// Written by a newer version.
    #[error("{} is in run format {found} (cutover {tool}), this version reads up to {supported}: use the newer one", path.display())]
    NewerFormat {
        /// The header.
        path: PathBuf,
        /// The format found.
        found: u64,
        /// The version that wrote it.
        tool: String,
        /// [`RUN_FORMAT`](super::RUN_FORMAT).
        supported: u64,
    },
    /// The header cannot be understood.
    #[error("{} is damaged ({why}): restore it from a copy, or start a new run", path.display())]
    BadHeader {
        /// The header.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Not a plain file name, or one that is taken.
    #[error(
        "{name:?} cannot name a file of a run: use 1 to 128 letters, digits, dots, dashes and underscores, and no name of the run's own files"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// A plan is stored under its digest and never changes.
    #[error("{} is there already with other content: it was changed after it was stored, restore it from a copy", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {doing} {} ({cause}): check the disk and the directory's permissions", path.display())]
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        cause: io::Error,
    },
    /// The journal or a snapshot.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl RunDirError {
    pub(super) fn io(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            cause,
        }
    }

    /// An error while opening: what is missing or not private has its own sentence.
    pub(super) fn opening(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        let is_link = cause.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::NotPrivate {
                path,
                why: cause.to_string(),
            },
            kind if is_link || kind == io::ErrorKind::NotADirectory => Self::NotPrivate {
                path,
                why: "it is a symbolic link or the wrong kind of file".to_owned(),
            },
            _ => Self::Io {
                doing: "open",
                path,
                cause,
            },
        }
    }
}

fn said(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "a process that has not yet said which it is".to_owned(),
        Holder::to_string,
    )
}
