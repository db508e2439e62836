//! The few things a journal asks of a directory, and the real one.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};

/// A directory of append-only files. Names are plain file names. Tests put a faulty one in its place.
pub trait JournalFs: Send + Sync {
    /// The name as a person finds the file, for messages.
    fn label(&self, name: &str) -> String;
    /// Size in bytes, `None` when there is no such file.
    fn len(&self, name: &str) -> io::Result<Option<u64>>;
    /// For reading from the start.
    fn open_read(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;
    /// Makes the file's bytes durable and forgets what memory holds of them, so that the next read sees the disk. After
    /// a failed sync memory shows bytes that the disk never got, and later syncs succeed; after a killed process it
    /// shows bytes that may yet be lost.
    fn settle(&self, name: &str) -> io::Result<()>;
    /// A new, empty file of mode 0600; an existing one is an error.
    fn create_new(&self, name: &str) -> io::Result<Box<dyn JournalFile>>;
    /// An existing file, for writing at its end.
    fn open_append(&self, name: &str) -> io::Result<Box<dyn JournalFile>>;
    /// Takes the file away.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Gives the file another name, replacing what has it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file of a [`JournalFs`].
pub trait JournalFile: Send {
    /// Writes all of `bytes` at the end; after an error any part of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes all that was appended durable, and the size with it.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file off behind `len` bytes.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Takes `len` bytes of disk for the file, which then has that size.
    fn allocate(&mut self, len: u64) -> io::Result<()>;
}

/// A real directory, held open: what happens to its path later does not redirect a write.
#[derive(Clone)]
pub struct Dir {
    fd: Arc<OwnedFd>,
    path: PathBuf,
    /// Whatever must outlive every file of this directory: the run's lock.
    held: Option<Arc<dyn Send + Sync>>,
}

impl Dir {
    /// Opens a directory that is ours alone: not a symbolic link, our own, closed to group and world.
    /// The error's text is a clause that says what is wrong.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        // Without a trailing slash, behind which a symbolic link would be followed.
        let path: PathBuf = path.components().collect();
        let fd = File::from(rustix::fs::open(&path, flags, Mode::empty())?);
        ours_alone(&fd, "it must be mode 0700: chmod 700 it")?;
        Ok(Self {
            fd: Arc::new(fd.into()),
            path,
            held: None,
        })
    }

    /// Keeps `guard` alive for as long as any clone or journal of this directory is.
    #[must_use]
    pub fn holding(mut self, guard: Arc<dyn Send + Sync>) -> Self {
        self.held = Some(guard);
        self
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Type of the file system, as `statfs` numbers them.
    #[cfg(target_os = "linux")]
    pub fn fs_magic(&self) -> io::Result<u32> {
        // Magic numbers are 32 bits wide; where the field is signed, the upper half is sign extension.
        let kind = rustix::fs::fstatfs(&self.fd)?.f_type & 0xffff_ffff;
        u32::try_from(kind).map_err(io::Error::other)
    }

    /// Device number of the file system, as major and minor.
    #[cfg(target_os = "linux")]
    pub fn device(&self) -> io::Result<(u32, u32)> {
        let dev = rustix::fs::fstat(&self.fd)?.st_dev;
        Ok((rustix::fs::major(dev), rustix::fs::minor(dev)))
    }

    /// Opens a file of this directory; it must be ours alone and no symbolic link.
    pub(in crate::engine) fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&self.fd, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode)?;
        let file = File::from(file);
        ours_alone(&file, "it must be mode 0600: chmod 600 it")?;
        Ok(file)
    }
}

/// Drops the file's synced pages from memory.
#[cfg(target_os = "linux")]
fn forget(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

/// Other systems have no such call; there a failed sync is believed to have kept its pages dirty.
#[cfg(not(target_os = "linux"))]
fn forget(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Refuses what somebody else owns or could read or change.
fn ours_alone(file: &File, remedy: &str) -> io::Result<()> {
    let found = file.metadata()?;
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refuse(format!("it belongs to user id {}, not to you", found.uid()));
    }
    match found.mode() & 0o077 {
        0 => Ok(()),
        _ => refuse(format!(
            "others may use it (mode {:04o}), {remedy}",
            found.mode() & 0o7777
        )),
    }
}

impl JournalFs for Dir {
    fn label(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(u64::try_from(found.st_size).unwrap_or(0))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn open_read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.file(name, OFlags::RDONLY)?))
    }

    fn settle(&self, name: &str) -> io::Result<()> {
        let file = self.file(name, OFlags::RDONLY)?;
        file.sync_data()?;
        forget(&file)
    }

    fn create_new(&self, name: &str) -> io::Result<Box<dyn JournalFile>> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::APPEND;
        Ok(Box::new(Held {
            file: self.file(name, flags)?,
            _dir: self.clone(),
        }))
    }

    fn open_append(&self, name: &str) -> io::Result<Box<dyn JournalFile>> {
        let file = self.file(name, OFlags::WRONLY | OFlags::APPEND)?;
        Ok(Box::new(Held {
            file,
            _dir: self.clone(),
        }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }
}

/// A file that keeps its directory, and so the run's lock, alive.
struct Held {
    file: File,
    _dir: Dir,
}

impl JournalFile for Held {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP) => {
                io::copy(&mut io::repeat(0).take(len), &mut self.file).map(drop)
            }
            Err(e) => Err(e.into()),
        }
    }
}
