//! Whole files of a run directory, and what they may be called.

use std::io::{self, Read as _};

use super::{HEADER, PLANS, RunDirError, SNAPSHOTS, lock};
use crate::engine::journal::{Dir, JournalFs as _};

/// Is there anything of this name?
pub(super) fn exists(dir: &Dir, name: &str) -> Result<bool, RunDirError> {
    let size = dir
        .len(name)
        .map_err(|e| RunDirError::io("look for", &dir.path().join(name), e))?;
    Ok(size.is_some())
}

/// All bytes of a file.
pub(super) fn read_whole(dir: &Dir, name: &str) -> Result<Vec<u8>, RunDirError> {
    let mut bytes = Vec::new();
    let read = dir
        .open_read(name)
        .and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|e| RunDirError::opening(&dir.path().join(name), e))?;
    Ok(bytes)
}

/// Writes a file so that after a power loss it is there whole, or as it was before.
pub(super) fn write_whole(dir: &Dir, name: &str, bytes: &[u8]) -> Result<(), RunDirError> {
    let partial = format!("{name}.partial");
    let write = || -> io::Result<()> {
        if dir.len(&partial)?.is_some() {
            dir.remove(&partial)?;
        }
        let mut file = dir.create_new(&partial)?;
        file.append(bytes)?;
        file.sync()?;
        dir.rename(&partial, name)?;
        dir.sync_dir()
    };
    write().map_err(|e| RunDirError::io("write", &dir.path().join(name), e))
}

/// File name of a plan.
pub(super) fn plan_name(digest: &str) -> Result<String, RunDirError> {
    plain(digest).map(|digest| format!("{digest}.jsonl"))
}

/// File name of a snapshot.
pub(super) fn snapshot_name(name: &str) -> Result<String, RunDirError> {
    plain(name).map(|name| format!("{name}.jsonl"))
}

/// Names that the run directory gives to files of its own are not the caller's.
pub(super) fn own_name(name: &str) -> Result<&str, RunDirError> {
    let name = plain(name)?;
    let is_taken = [HEADER, lock::LOCK, PLANS, SNAPSHOTS].contains(&name) || name.starts_with("journal");
    if is_taken {
        Err(RunDirError::BadName {
            name: name.to_owned(),
        })
    } else {
        Ok(name)
    }
}

/// A name that is one plain file name on every system.
fn plain(name: &str) -> Result<&str, RunDirError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_good = (1..=128).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('.');
    if is_good {
        Ok(name)
    } else {
        Err(RunDirError::BadName {
            name: name.to_owned(),
        })
    }
}
