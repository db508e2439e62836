//! The journal: what the run decided, sent and learned, durable before anything depends on it.
//!
//! One line per record:
//!
//! ```text
//! <crc32c, 8 hex> {"v":1,"seq":7,"t":1771027390207,"batch":5,"kind":"intent",…,"prev":"<sha256, 64 hex>"}
//! ```
//!
//! * the checksum covers everything behind the space up to the line feed; `prev` is the SHA-256 of the whole line
//!   before it without its line feed (`head -1 FILE | tr -d '\n' | sha256sum`), 64 zeros in the first line;
//! * `seq` counts from 1 without gaps, `t` is in milliseconds since the epoch, UTC;
//! * `batch` is the `seq` of the first line of the same disk write and stands only where that is another line. It
//!   proves where the last, perhaps torn, write begins: a later write exists only if all before it was synced;
//! * the record's own fields stand flattened between them, so a record may not be named `v`, `seq`, `t`, `batch` or
//!   `prev`, and its `kind` may not be [`LINK_KIND`].
//!
//! A segment holds 64 MiB. The next one is created and made durable first; then the old one's last line, of kind
//! [`LINK_KIND`], names it. A missing last segment is therefore noticed. What the chain alone cannot notice is that
//! whole records were cut off the end: compare with a head ([`Head`]) kept elsewhere (approvals, the final report).
//!
//! **Group commit.** A dedicated thread drains what is queued (at most [`BATCH_RECORDS`]), writes once, syncs once and
//! releases the waiters in order; it never waits for more. A thread rather than a task, because `fdatasync` blocks
//! for 0.1–20 ms and would hold up every worker that shares the runtime's thread.
//!
//! **Errors.** After a failed write or sync the journal refuses everything with the same typed error. A failed sync is
//! never retried: the kernel has already marked the lost pages clean, so a second one would lie (ATC '20, "Can
//! Applications Recover from fsync Failures?"). A full disk releases a reserve, so that [`Journal::halt`] can still
//! write why the run stopped.
//!
//! **Opening** verifies everything before it writes anything. A torn tail is set aside and cut off, and the opener is
//! told ([`Opened::torn`]) so that it records this; any other defect is refused.

mod chain;
mod error;
mod frame;
mod fs;
mod open;
mod queue;
mod segments;
mod tear;
mod verify;
mod writer;

#[cfg(test)]
pub(crate) mod sim;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::time::UtcMs;

pub use chain::{ChainedReader, ChainedWriter};
pub use error::JournalError;
pub use frame::{Entry, Hash, Head, Meta, Seq};
pub use fs::{Dir, JournalFile, JournalFs};
pub use open::{Opened, TornTail, create, open};
pub use queue::Journal;
pub use segments::Reader;
pub use verify::{VerifyReport, read, verify};

/// The format this version writes, and the newest it reads.
pub const FORMAT: u64 = 1;
/// Longest line, with its checksum and line feed, in bytes.
pub const MAX_LINE: usize = 256 * 1024;
/// Most records in one disk write.
pub const BATCH_RECORDS: usize = 64;
/// A disk write takes no further record once it holds this many bytes.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Records that may be queued before [`Journal::append`] waits for room.
pub const QUEUE_RECORDS: usize = 1024;
/// Size of the reserve that a full disk releases, in bytes.
pub const RESERVE_BYTES: u64 = 1024 * 1024;
/// The journal's own kind of line: the last of a full segment, naming the next one.
pub const LINK_KIND: &str = "segment_link";

/// The answer to an append: resolves once the record is durable. Dropping it does not take the record back.
pub type Acked = Pin<Box<dyn Future<Output = Result<Seq, JournalError>> + Send>>;

/// Where records go. Narrow on purpose: a run directory stands behind it now, a `PostgreSQL` table may later.
pub trait Store<R>: Send + Sync {
    /// Takes one record; resolves once it is durable. The record is rendered now and takes its place when the answer
    /// is first polled, so that what one caller awaits in turn stays in that order.
    fn append(&self, record: &R, at: UtcMs) -> Acked;
    /// Takes several, next to each other; resolves once the last is durable, with its number. After an error some of
    /// the first may be durable nevertheless.
    fn append_all(&self, records: &[R], at: UtcMs) -> Acked;
    /// As `append`, but also possible once after [`JournalError::DiskFull`], for the record that says why the run ended.
    fn halt(&self, record: &R, at: UtcMs) -> Acked;
    /// The last durable record.
    fn head(&self) -> Head;
}

impl<R: Serialize> Store<R> for Journal {
    fn append(&self, record: &R, at: UtcMs) -> Acked {
        Journal::append(self, record, at)
    }

    fn append_all(&self, records: &[R], at: UtcMs) -> Acked {
        Journal::append_all(self, records, at)
    }

    fn halt(&self, record: &R, at: UtcMs) -> Acked {
        Journal::halt(self, record, at)
    }

    fn head(&self) -> Head {
        Journal::head(self)
    }
}

/// The files of a journal, shared by its writer and readers.
pub type Files = Arc<dyn JournalFs>;
