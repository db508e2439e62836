//! The handle that callers share, the queue behind it, and the thread that empties it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde::Serialize;
use tokio::sync::{Semaphore, oneshot};

use super::frame::{self, Head, Seq};
use super::writer::{Draft, Writer};
use super::{Acked, BATCH_BYTES, BATCH_RECORDS, JournalError, QUEUE_RECORDS};
use crate::domain::time::UtcMs;

/// A journal open for writing. Clones write to the same one; when the last is gone, what is queued is written and the
/// thread ends before the drop returns.
#[derive(Clone)]
pub struct Journal(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Something was queued, or the journal was closed.
    changed: Condvar,
    /// Free places in the queue.
    room: Semaphore,
    /// The last durable record.
    head: Mutex<Head>,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    is_closed: bool,
}

type Answer = oneshot::Sender<Result<Seq, JournalError>>;

struct Item {
    draft: Draft,
    /// Of several records that came together, only the last has a waiter.
    answer: Option<Answer>,
    is_halt: bool,
    /// Does it hold one of the queue's places? Those of more records than the queue holds do not all.
    has_place: bool,
}

impl Journal {
    /// Starts the thread that owns `writer`.
    pub(super) fn start(writer: Writer) -> Result<Self, JournalError> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            room: Semaphore::new(QUEUE_RECORDS),
            head: Mutex::new(writer.head),
        });
        let (inner, label) = (shared.clone(), "the journal's thread".to_owned());
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || inner.run(writer));
        let thread = thread.map_err(|e| JournalError::io("start", &label, e))?;
        Ok(Self(Arc::new(Handle {
            shared,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Takes one record; resolves once it is durable. See [`Store::append`](super::Store::append).
    pub fn append<R: Serialize + ?Sized>(&self, record: &R, at: UtcMs) -> Acked {
        self.submit(frame::body(record).map(|body| vec![body]), at, false)
    }

    /// Takes several records. See [`Store::append_all`](super::Store::append_all).
    pub fn append_all<R: Serialize>(&self, records: &[R], at: UtcMs) -> Acked {
        self.submit(records.iter().map(frame::body).collect(), at, false)
    }

    /// Takes the record that says why the run stopped. See [`Store::halt`](super::Store::halt).
    pub fn halt<R: Serialize + ?Sized>(&self, record: &R, at: UtcMs) -> Acked {
        self.submit(frame::body(record).map(|body| vec![body]), at, true)
    }

    /// The last durable record.
    pub fn head(&self) -> Head {
        *lock(&self.0.shared.head)
    }

    /// Writes what is queued and ends the thread; later records are refused. Blocks for a sync or two.
    pub fn close(&self) {
        self.0.close();
    }

    fn submit(&self, bodies: Result<Vec<Vec<u8>>, JournalError>, at: UtcMs, is_halt: bool) -> Acked {
        let shared = self.0.shared.clone();
        Box::pin(async move {
            let bodies = bodies?;
            if bodies.is_empty() {
                return Ok(lock(&shared.head).seq);
            }
            let (answer, answered) = oneshot::channel();
            shared.enqueue(bodies, at, is_halt, answer).await?;
            answered.await.unwrap_or(Err(JournalError::Closed))
        })
    }
}

impl Shared {
    /// Queues the records next to each other, once there is room for them.
    async fn enqueue(
        &self,
        bodies: Vec<Vec<u8>>,
        at: UtcMs,
        is_halt: bool,
        answer: Answer,
    ) -> Result<(), JournalError> {
        // More than the queue holds waits for an empty queue, rather than for ever.
        let places = bodies.len().min(QUEUE_RECORDS);
        let wanted = u32::try_from(places).unwrap_or(u32::MAX);
        let Ok(room) = self.room.acquire_many(wanted).await else {
            return Err(JournalError::Closed);
        };
        let mut queue = lock(&self.queue);
        if queue.is_closed {
            return Err(JournalError::Closed);
        }
        room.forget();
        let with_place = |(i, body)| Item {
            draft: Draft { at, body },
            answer: None,
            is_halt,
            has_place: i < places,
        };
        queue.items.extend(bodies.into_iter().enumerate().map(with_place));
        if let Some(last) = queue.items.back_mut() {
            last.answer = Some(answer);
        }
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    fn run(&self, mut writer: Writer) {
        let _ended = Ended(self);
        let mut batch = Vec::with_capacity(BATCH_RECORDS);
        while self.take(&mut batch) {
            let done = commit(&mut writer, &batch);
            if let Ok(head) = &done {
                *lock(&self.head) = *head;
            }
            release(&mut batch, &done);
        }
    }

    /// Fills `batch` with what is there; waits only when nothing is. `false` when the journal is closed and empty.
    fn take(&self, batch: &mut Vec<Item>) -> bool {
        let mut queue = lock(&self.queue);
        while queue.items.is_empty() {
            if queue.is_closed {
                return false;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.drain_into(batch);
        drop(queue);
        self.room
            .add_permits(batch.iter().filter(|item| item.has_place).count());
        true
    }
}

impl Queue {
    fn drain_into(&mut self, batch: &mut Vec<Item>) {
        let mut bytes = 0;
        while batch.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            // The last record of a run stands alone: it has to get through where the one before it did not.
            let is_apart = |item: &mut Item| item.is_halt && !batch.is_empty();
            if batch.last().is_some_and(|item| item.is_halt) || self.items.front_mut().is_some_and(is_apart) {
                return;
            }
            let Some(item) = self.items.pop_front() else {
                return;
            };
            bytes += item.draft.body.len();
            batch.push(item);
        }
    }
}

fn commit(writer: &mut Writer, batch: &[Item]) -> Result<Head, JournalError> {
    match batch {
        [only] if only.is_halt => writer.commit_halt(&only.draft),
        items => writer.commit(items.iter().map(|item| &item.draft)),
    }
}

/// Answers the waiters in order, each with its own record's number.
fn release(batch: &mut Vec<Item>, done: &Result<Head, JournalError>) {
    let mut left = batch.len() as u64;
    for item in batch.drain(..) {
        left -= 1;
        if let Some(answer) = item.answer {
            // Nobody has to wait for the answer.
            let _ = answer.send(done.clone().map(|head| Seq(head.seq.0 - left)));
        }
    }
}

/// Lets nobody wait for a thread that is gone, however it went.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.close();
        lock(&self.0.queue).items.clear();
    }
}

impl Shared {
    fn close(&self) {
        self.room.close();
        lock(&self.queue).is_closed = true;
        self.changed.notify_one();
    }
}

impl Handle {
    fn close(&self) {
        self.shared.close();
        if let Some(thread) = lock(&self.thread).take() {
            // A panic in it has been reported by the hook, and every waiter was told.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
