//! Reading the operator's files: whole, regular, of a bounded size, and the same from the first byte to the last.
//!
//! A link is not followed (reliability 3.5, row 57): where it leads can be changed between what a person looked at and
//! what is read here, and the file of a mapping or a plan decides what is written. Whoever keeps the files elsewhere
//! names them there. Pipes, devices and what `/proc` makes up are refused for the same reason: they cannot be read twice.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use super::error::ConfigError;

/// A configuration, or a list that belongs to it, is not larger than this.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// The largest file of the operator's there is: the size Stripe's own toolkit takes.
const MAX_FILE_BYTES: u64 = 120 << 20;

pub(super) const NO_SUCH_FILE: &str = "there is no such file; check the path";

/// The content of a file of the operator's (mapping, expected balances, decisions, a plan), at most 120 MiB.
pub fn read_operator_file(path: &Path) -> Result<Vec<u8>, ConfigError> {
    read_bytes(path, MAX_FILE_BYTES)
}

/// A file of the operator's that is too large to be held: read once, from its first byte to its last.
#[derive(Debug)]
pub struct OperatorStream {
    path: std::path::PathBuf,
    file: File,
    before: (u64, [i64; 4]),
}

/// Opens a file of the operator's for streaming: regular, and not through a link.
pub fn open_operator_file(path: &Path) -> Result<OperatorStream, ConfigError> {
    let file = open(path)?;
    let before = file.metadata().map_err(|error| failed(path, &error))?;
    if !before.is_file() {
        let why = "is not a regular file; give the file itself".to_owned();
        return Err(unreadable(path, why));
    }
    Ok(OperatorStream {
        path: path.to_owned(),
        before: state(&before),
        file,
    })
}

impl OperatorStream {
    /// Bytes of it, when it was opened.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.before.0
    }

    /// Refuses what was read if somebody changed the file meanwhile.
    pub fn unchanged(&self) -> Result<(), ConfigError> {
        let now = self.file.metadata().map_err(|error| failed(&self.path, &error))?;
        if state(&now) == self.before {
            return Ok(());
        }
        let why =
            "changed while it was read; wait until whatever writes it has ended, then try again".to_owned();
        Err(unreadable(&self.path, why))
    }

    /// Whether `path` leads to this very file.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        let same = |a: &Metadata, b: &Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        match (self.file.metadata(), std::fs::metadata(path)) {
            (Ok(ours), Ok(other)) => same(&ours, &other),
            _ => false,
        }
    }
}

impl Read for &OperatorStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (&self.file).read(buffer)
    }
}

/// The content of a small text file, without a byte order mark.
pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = read_bytes(path, MAX_TEXT_BYTES)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let valid = &bytes[..error.utf8_error().valid_up_to()];
        let line = 1 + String::from_utf8_lossy(valid).matches('\n').count();
        unreadable(path, format!("line {line} is not UTF-8; save the file as UTF-8"))
    })
}

fn unreadable(path: &Path, why: String) -> ConfigError {
    ConfigError::Unreadable {
        path: path.to_owned(),
        why,
    }
}

fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, ConfigError> {
    let file = open(path)?;
    unchanged(path, &file, most, |bytes| {
        // One byte more tells a file that grows from one that is just as large as it may be.
        (&file).take(most + 1).read_to_end(bytes)
    })
}

fn open(path: &Path) -> Result<File, ConfigError> {
    // Without NONBLOCK a pipe given by mistake would hang the program before it can say so.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)
        .bits()
        .cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(path);
    opened.map_err(|error| {
        let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        match error.kind() {
            _ if is_link => unreadable(path, "is a link; give the file it leads to".to_owned()),
            std::io::ErrorKind::NotFound => unreadable(path, NO_SUCH_FILE.to_owned()),
            _ => failed(path, &error),
        }
    })
}

fn failed(path: &Path, error: &std::io::Error) -> ConfigError {
    unreadable(path, format!("cannot be read ({error}); check its permissions"))
}

/// What `read` reads from `file`, which is at `path`, if it is all of it and nobody changed it meanwhile.
fn unchanged(
    path: &Path,
    file: &File,
    most: u64,
    read: impl FnOnce(&mut Vec<u8>) -> std::io::Result<usize>,
) -> Result<Vec<u8>, ConfigError> {
    let look = || file.metadata().map_err(|error| failed(path, &error));
    let before = look()?;
    if !before.is_file() {
        let why = "is not a regular file; give the file itself".to_owned();
        return Err(unreadable(path, why));
    }
    if before.len() > most {
        return Err(too_large(path, most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 1);
    read(&mut bytes).map_err(|error| failed(path, &error))?;
    if bytes.len() as u64 > most {
        return Err(too_large(path, most));
    }
    if state(&look()?) != state(&before) || bytes.len() as u64 != before.len() {
        let why =
            "changed while it was read; wait until whatever writes it has ended, then try again".to_owned();
        return Err(unreadable(path, why));
    }
    Ok(bytes)
}

fn too_large(path: &Path, most: u64) -> ConfigError {
    let why = format!(
        "is larger than {} MiB, which is more than it can be; check the path",
        most >> 20
    );
    unreadable(path, why)
}

/// Length and both times that a change of content leaves behind; the second of them nobody can set.
fn state(meta: &Metadata) -> (u64, [i64; 4]) {
    let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
    (meta.len(), times)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    fn said(result: Result<Vec<u8>, ConfigError>) -> String {
        result.map_or_else(
            |error| error.to_string(),
            |bytes| format!("read {} bytes", bytes.len()),
        )
    }

    /// Reads a file of eight bytes that `meddle` changes after the first half.
    fn read_while(meddle: impl Fn(&mut File)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mapping.csv");
        std::fs::write(&path, "abcdefgh").unwrap();
        let file = open(&path).unwrap();
        let mut other = File::options().read(true).write(true).open(&path).unwrap();
        // The clock that stamps files ticks slowly: whatever is written now has another time than this.
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        other.set_modified(long_ago).unwrap();
        said(unchanged(&path, &file, 100, |bytes| {
            (&file).take(4).read_to_end(bytes)?;
            meddle(&mut other);
            (&file).read_to_end(bytes)
        }))
    }

    #[test]
    fn a_file_that_grows_shrinks_or_is_written_over_while_it_is_read_is_refused() {
        assert_eq!(read_while(|_| ()), "read 8 bytes");
        let grows = |file: &mut File| {
            file.seek(std::io::SeekFrom::End(0)).unwrap();
            file.write_all(b"ij").unwrap();
        };
        let meddlers: [&dyn Fn(&mut File); 3] = [&grows, &|file| file.set_len(6).unwrap(), &|file| {
            file.write_all(b"X").unwrap();
        }];
        for meddle in meddlers {
            let said = read_while(meddle);
            assert!(
                said.ends_with("then try again") && said.contains("mapping.csv: changed"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_link_is_not_followed_and_what_only_looks_like_a_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&path, "x").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(said(read_bytes(&path, 1)), "read 1 bytes");
        assert!(said(read_bytes(&link, 1)).ends_with("is a link; give the file it leads to"));
        assert!(said(read_bytes(folder.path(), 1)).contains("not a regular file"));
        // Regular by its kind, and made up anew at every read: its length is 0 and its content is not.
        assert!(said(read_bytes(Path::new("/proc/self/limits"), 1 << 20)).contains("changed while"));
    }

    #[test]
    fn a_file_just_as_large_as_it_may_be_is_read_and_one_byte_more_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big");
        std::fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(said(read_bytes(&path, 1 << 20)), "read 1048576 bytes");
        std::fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(said(read_bytes(&path, 1 << 20)).contains("larger than 1 MiB"));
    }
}
