//! For tests of recovery, in debug builds only: the process kills itself (SIGKILL, no clean-up of any kind) at a chosen
//! record of the journal, just before it is written or just after it is durable. Release builds do not contain this.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::time::UtcMs;
use crate::engine::journal::{Acked, Head, Store};

/// Where to die: `CUTOVER_CRASH_AT=2n` before the `n`th append of this process, `2n+1` once it is durable.
const VARIABLE: &str = "CUTOVER_CRASH_AT";

/// The boundary asked for, if any.
pub(super) fn wanted() -> Option<u64> {
    std::env::var(VARIABLE).ok()?.parse().ok()
}

/// A store that kills its process.
pub(super) struct Crashing<S> {
    store: S,
    at: u64,
    appends: AtomicU64,
}

impl<S> Crashing<S> {
    pub(super) const fn new(store: S, at: u64) -> Self {
        Self {
            store,
            at,
            appends: AtomicU64::new(0),
        }
    }

    fn guarded(&self, append: impl FnOnce() -> Acked) -> Acked {
        let nth = self.appends.fetch_add(1, Ordering::SeqCst);
        if nth * 2 == self.at {
            die();
        }
        let at = self.at;
        let acked = append();
        Box::pin(async move {
            let seq = acked.await;
            if nth * 2 + 1 == at {
                die();
            }
            seq
        })
    }
}

fn die() {
    // The signal cannot be caught, so this does not return in any way that matters.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

impl<R, S: Store<R>> Store<R> for Crashing<S> {
    fn append(&self, record: &R, at: UtcMs) -> Acked {
        self.guarded(|| self.store.append(record, at))
    }

    fn append_all(&self, records: &[R], at: UtcMs) -> Acked {
        self.guarded(|| self.store.append_all(records, at))
    }

    fn halt(&self, record: &R, at: UtcMs) -> Acked {
        self.store.halt(record, at)
    }

    fn head(&self) -> Head {
        self.store.head()
    }
}
