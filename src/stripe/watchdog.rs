//! A time limit by the program's clock, around work that is not a sleep of that clock.
//!
//! In a rehearsal a worker that waits for an answer is *busy*, so that virtual time does not jump over it; if it slept
//! for its own time limit it would count as idle. The limit is therefore kept by a task of its own, a bystander.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::domain::time::UtcMs;

/// Runs out at a deadline that can be moved. Dropping it stops it.
pub(super) struct Watchdog {
    deadline: Arc<AtomicI64>,
    out: oneshot::Receiver<()>,
    task: JoinHandle<()>,
}

impl Watchdog {
    /// `min_real`: however fast a rehearsal runs, a limit below this much real time would measure the machine.
    pub(super) fn start(clock: &Clock, deadline: UtcMs, min_real: Duration) -> Self {
        let moved = Arc::new(AtomicI64::new(deadline.0));
        let (tell, out) = oneshot::channel();
        let (clock, seen) = (clock.clone(), moved.clone());
        let floor = clock.speed().map(|_| min_real);
        let task = tokio::spawn(async move {
            if let Some(floor) = floor {
                tokio::time::sleep(floor).await;
            }
            watch(&clock, &seen).await;
            // Nobody listens any more: the answer came first.
            let _ = tell.send(());
        });
        Self {
            deadline: moved,
            out,
            task,
        }
    }

    /// Moves the deadline; it may come earlier or later than before.
    pub(super) fn set(&self, deadline: UtcMs) {
        self.deadline.store(deadline.0, Ordering::SeqCst);
    }

    /// `work`'s result, or `None` when the deadline came first.
    pub(super) async fn within<F: Future>(&mut self, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = &mut self.out => None,
        }
    }
}

/// Returns once the deadline, wherever it was moved to, has passed.
async fn watch(clock: &Clock, deadline: &AtomicI64) {
    /// A deadline that moves closer is noticed within this time, milliseconds.
    const LOOK_MS: i64 = 1000;
    loop {
        let now = clock.now();
        let due = UtcMs(deadline.load(Ordering::SeqCst));
        if now >= due {
            return;
        }
        clock.sleep_until(due.min(now.plus_ms(LOOK_MS))).await;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.task.abort();
    }
}
