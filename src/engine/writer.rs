//! The only code that writes to Stripe, and to the application's database. Takes an [`Approved`] plan, row by row performs the stage's script, and each
//! write of it exactly once by [`super::protocol`].
//!
//! Rows of one subject are written one after another, never side by side: Stripe locks a customer while it is changed,
//! and the first grant of a customer decides its currency. Subjects are written side by side by a fixed number of
//! lanes; a subject that has to wait long (the quiet time before a look) goes back to the queue, so that it holds up
//! nobody.
//!
//! **Order of truth.** intent durable → request leaves → outcome durable → next step. The journal is written here, by
//! the lane, not by way of the driver: a full or slow screen can delay nothing between a response and its record.

mod gate;
mod lane;
mod queue;
mod row;
mod rows;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use self::queue::Queue;
use super::breaker::{Breaker, Outcome};
use super::journal::{JournalError, Store};
use super::server_time::ServerTime;
use super::state::EffectState;
use crate::clock::Clock;
use crate::domain::approval::Approved;
use crate::domain::change::{Change, ChangeKey};
use crate::domain::ids::{EffectId, Role};
use crate::domain::record::Record;
use crate::domain::time::UtcMs;
use crate::stages::Stage;
use crate::stripe::{Reader, Writer};

/// Subjects written side by side: enough for 25 requests a second per endpoint at one second of latency.
const LANES: usize = 24;

/// A record that is in the journal, on its way to the fold.
#[derive(Clone, Debug)]
pub struct Journalled {
    /// The record.
    pub record: Record,
    /// When.
    pub at: UtcMs,
    /// Its number.
    pub seq: u64,
}

/// Why writing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Every row has an end.
    Complete,
    /// It was told to stop; the rest is pending.
    Stopped,
    /// A stop rule, or something that must not be gone over; the rest is pending.
    Halted(String),
    /// The journal cannot be written: nothing may be sent any more.
    Journal(String),
}

/// Lets no new write start, from any thread, at once.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From here on nothing new is sent.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What is known about the effects of the rows to write.
pub type Known = BTreeMap<ChangeKey, Vec<(EffectId, EffectState)>>;

/// Everything writing needs. Made by the driver for one approved plan.
pub struct Gate {
    /// The permission.
    pub approved: Approved,
    /// The script.
    pub stage: Arc<dyn Stage>,
    /// Reads just before writing, and looks.
    pub readers: BTreeMap<Role, Reader>,
    /// The write clients.
    pub writers: BTreeMap<Role, Writer>,
    /// Where intents and outcomes go.
    pub journal: Arc<dyn Store<Record>>,
    /// The clock.
    pub clock: Clock,
    /// Stripe's clocks.
    pub server: BTreeMap<Role, ServerTime>,
    /// The brake.
    pub stop: Stop,
    /// When this process took up the run.
    pub process_began: UtcMs,
    /// Token of the lock.
    pub fence: String,
    /// The run.
    pub run: String,
    /// Where journalled records go.
    pub folded: mpsc::Sender<Journalled>,
    /// Writes of this plan that were granted before, by account.
    pub granted: BTreeMap<Role, u64>,
    /// The generation that a new effect comes after.
    pub generations_before: u32,
    /// The plan takes back what another wrote.
    pub is_undo: bool,
    /// The application's database, to write.
    pub app: Option<crate::appdb::Writer>,
}

/// Shared by the lanes.
struct Shared {
    gate: Gate,
    queue: Mutex<Queue>,
    breaker: Mutex<Breaker>,
    granted: Mutex<BTreeMap<Role, u64>>,
    halted: Mutex<Option<Finished>>,
}

/// Writes the rows of `changes`; `known` is what the journal says about their effects.
pub async fn write(gate: Gate, changes: Vec<Arc<Change>>, known: &Known) -> Finished {
    let (rows, changes): (Vec<_>, Vec<_>) = changes
        .into_iter()
        .partition(|change| change.update_now().is_some());
    let queue = Queue::new(changes, known, &gate);
    let clock = gate.clock.clone();
    let lanes = LANES.min(queue.subjects());
    let granted = Mutex::new(gate.granted.clone());
    let shared = Arc::new(Shared {
        gate,
        queue: Mutex::new(queue),
        breaker: Mutex::default(),
        granted,
        halted: Mutex::default(),
    });
    let tasks: Vec<_> = (0..lanes)
        .map(|_| clock.spawn(lane::run(shared.clone())))
        .collect();
    for task in tasks {
        if task.await.is_err() {
            shared.halt(Finished::Halted(
                "a part of the program failed while writing; see the log".to_owned(),
            ));
        }
    }
    // The application is told last: it must never point at an account that is not ready.
    if !rows.is_empty() && shared.finished() == Finished::Complete {
        rows::run(&shared, &rows).await;
        if shared.gate.stop.is_stopped() && lock(&shared.halted).is_none() {
            return Finished::Stopped;
        }
    }
    shared.finished()
}

impl Shared {
    fn halt(&self, why: Finished) {
        self.gate.stop.stop();
        let mut halted = lock(&self.halted);
        let journal_failed = matches!(why, Finished::Journal(_));
        if halted.is_none() || journal_failed {
            *halted = Some(why);
        }
    }

    fn finished(&self) -> Finished {
        if let Some(why) = lock(&self.halted).clone() {
            return why;
        }
        if lock(&self.queue).is_empty() {
            Finished::Complete
        } else {
            Finished::Stopped
        }
    }

    /// Makes `record` durable, then hands it to the fold.
    async fn record(&self, record: Record) -> Result<(), JournalError> {
        let at = self.gate.clock.now();
        let seq = self.gate.journal.append(&record, at).await.inspect_err(|error| {
            self.halt(Finished::Journal(error.to_string()));
        })?;
        // The driver going away does not change what is true; the journal has it.
        let _ = self
            .gate
            .folded
            .send(Journalled {
                record,
                at,
                seq: seq.0,
            })
            .await;
        Ok(())
    }

    fn count(&self, outcome: Outcome) {
        if let Some(why) = lock(&self.breaker).count(outcome) {
            self.halt(Finished::Halted(why));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What a panicked lane left behind is counts and a queue; the halt that follows stops everything anyway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
