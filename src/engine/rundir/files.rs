//! Whole files of a run directory, and what they may be called.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};

use super::{HEADER, PLANS, RunDirError, SNAPSHOTS, lock};
use crate::engine::journal::{Dir, JournalFile, JournalFs as _};

/// Bytes written or compared at once.
const PIECE: usize = 64 * 1024;

/// Is there anything of this name?
pub(super) fn exists(dir: &Dir, name: &str) -> Result<bool, RunDirError> {
    let size = dir
        .len(name)
        .map_err(|e| RunDirError::io("look for", &dir.path().join(name), e))?;
    Ok(size.is_some())
}

/// A file, to be read piece by piece.
pub(super) fn open_file(dir: &Dir, name: &str) -> Result<BufReader<Box<dyn Read + Send>>, RunDirError> {
    let file = dir
        .open_read(name)
        .map_err(|e| RunDirError::opening(&dir.path().join(name), e))?;
    Ok(BufReader::with_capacity(PIECE, file))
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
    write_streamed(dir, name, &|out| out.write_all(bytes))
}

/// What writes a file's bytes, piece by piece, so that they need not be in memory at once.
pub type Contents<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// The same for contents too large to be held whole.
pub(super) fn write_streamed(dir: &Dir, name: &str, contents: Contents<'_>) -> Result<(), RunDirError> {
    let partial = format!("{name}.partial");
    let write = || -> io::Result<()> {
        if dir.len(&partial)?.is_some() {
            dir.remove(&partial)?;
        }
        let mut file = dir.create_new(&partial)?;
        let mut out = BufWriter::with_capacity(PIECE, Appended(file.as_mut()));
        contents(&mut out)?;
        out.flush()?;
        drop(out);
        file.sync()?;
        dir.rename(&partial, name)?;
        dir.sync_dir()
    };
    write().map_err(|e| RunDirError::io("write", &dir.path().join(name), e))
}

struct Appended<'a>(&'a mut dyn JournalFile);

impl Write for Appended<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the file holds exactly these contents.
pub(super) fn holds(dir: &Dir, name: &str, contents: Contents<'_>) -> Result<bool, RunDirError> {
    let opening = |e| RunDirError::opening(&dir.path().join(name), e);
    let mut same = Same {
        file: BufReader::with_capacity(PIECE, dir.open_read(name).map_err(opening)?),
        piece: Vec::new(),
    };
    match contents(&mut same) {
        Ok(()) => Ok(same.file.fill_buf().map_err(opening)?.is_empty()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
        Err(error) => Err(opening(error)),
    }
}

/// Takes what is written as long as the file says the same.
struct Same<R> {
    file: BufReader<R>,
    piece: Vec<u8>,
}

impl<R: Read> Write for Same<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.resize(bytes.len(), 0);
        match self.file.read_exact(&mut self.piece) {
            Ok(()) if self.piece == bytes => Ok(bytes.len()),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
