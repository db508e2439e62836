//! One writer. The kernel holds the lock and frees it however the process ends; the text in `LOCK` only says who.
//!
//! Both the file and the directory are locked (`flock`), so that removing the file at midnight to "unstick" a run does
//! not let a second writer in.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::RunDirError;
use crate::domain::time::UtcMs;
use crate::engine::journal::Dir;

/// Name of the lock file.
pub(super) const LOCK: &str = "LOCK";
/// A holder's text is far shorter; a longer file is not one.
const TEXT_MAX: u64 = 4096;

/// What a would-be holder says of itself; the rest it is asked by the machine.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Unique to this opening: stands in every intent, so that each write can be traced to one process.
    pub token: String,
    /// Now.
    pub since: UtcMs,
}

/// Who holds, or held, the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// See [`Claim::token`].
    pub token: String,
    /// Login name, else the user id.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Process id on that host.
    pub pid: u32,
    /// Changes with each boot; `None` where the system does not say.
    pub boot_id: Option<String>,
    /// Version of cutover.
    pub version: String,
    /// When it took the lock.
    pub since: UtcMs,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            host,
            pid,
            since,
            ..
        } = self;
        write!(f, "{user} on {host}, process {pid}, since {}", since.rfc3339())
    }
}

/// The lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    _dir: File,
    holder: Holder,
    previous: Option<Holder>,
}

impl Lock {
    /// Takes the lock and says who did, or says who has it.
    pub(super) fn acquire(dir: &Dir, claim: &Claim) -> Result<Self, RunDirError> {
        let path = dir.path().join(LOCK);
        let io_error = |doing, e| RunDirError::io(doing, &path, e);
        let file = dir.file(LOCK, OFlags::CREATE | OFlags::RDWR);
        let mut file = file.map_err(|e| RunDirError::opening(&path, e))?;
        let whole = dir
            .file(".", OFlags::DIRECTORY | OFlags::RDONLY)
            .map_err(|e| io_error("open", e))?;
        for lock in [&file, &whole] {
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let (path, holder) = (dir.path().to_owned(), read_text(&file).map(Box::new));
                    return Err(RunDirError::Locked { path, holder });
                }
                Err(TryLockError::Error(e)) => return Err(io_error("lock", e)),
            }
        }
        let previous = read_text(&file);
        let holder = Holder::new(claim);
        write_text(&mut file, &holder).map_err(|e| io_error("write", e))?;
        Ok(Self {
            file,
            _dir: whole,
            holder,
            previous,
        })
    }

    /// This process, as others read it.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Who held the lock and ended without giving it back: killed, or the machine went down.
    pub fn previous_holder(&self) -> Option<&Holder> {
        self.previous.as_ref()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The kernel frees the lock in any case; an emptied text tells the next one that all went well.
        let _ = self.file.set_len(0);
    }
}

impl Holder {
    fn new(claim: &Claim) -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Self {
            token: claim.token.clone(),
            user: user(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
            boot_id: boot_id.map(|id| id.trim().to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: claim.since,
        }
    }
}

fn user() -> String {
    let named = ["LOGNAME", "USER"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    named.unwrap_or_else(|| format!("user id {}", rustix::process::geteuid().as_raw()))
}

/// The text in the lock file of `dir`, whoever wrote it.
pub(super) fn read_holder(dir: &Dir) -> Option<Holder> {
    read_text(&dir.file(LOCK, OFlags::RDONLY).ok()?)
}

fn read_text(file: &File) -> Option<Holder> {
    let mut text = Vec::new();
    file.take(TEXT_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn write_text(file: &mut File, holder: &Holder) -> io::Result<()> {
    let mut text = serde_json::to_vec(holder)?;
    text.push(b'\n');
    io::Seek::rewind(file)?;
    file.set_len(0)?;
    file.write_all(&text)?;
    file.sync_data()
}
