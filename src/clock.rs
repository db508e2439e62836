//! The one clock. Everything that waits, expires, ages or tolerates asks it: pacing, back-off, key age, quiesce,
//! approval expiry, the screen, and in a rehearsal the two simulated accounts as well.
//!
//! **Real**: the machine's wall clock. Wall rather than monotonic, because ages must include the hours a laptop slept
//! (`Instant` does not advance in suspend on Linux); its skew against Stripe's `Date` header is measured elsewhere and
//! refused when large.
//!
//! **Rehearsal**: virtual time that starts at a chosen instant and
//! * runs at `speed` × real time while any worker is doing something (a request is in flight, a page is being parsed),
//!   and at the real pace while none is: a person's reading time is real;
//! * **jumps** to the next due worker when every worker is waiting for a time: nobody watches ten quiet minutes go by,
//!   and a wake-up happens at exactly its due time, so a pacer's rate is exact at any speed;
//! * at speed 1 never jumps: that is the real pace.
//!
//! What a "worker" is decides when a jump is right, so it is explicit: a task spawned with [`Clock::spawn`]. It counts
//! as busy from the moment of the call until it ends, except inside [`Clock::sleep_until`]. Waits of other tasks
//! (the simulator's latency, a screen) never cause a jump and are carried along by one. A worker must be sequential: it
//! may not poll two sleeps at once; concurrency is more workers.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use crate::domain::time::UtcMs;

tokio::task_local! {
    static IS_WORKER: bool;
}

/// Longest real wait before the time is looked at again, so that a stepped wall clock is noticed.
const RECHECK: Duration = Duration::from_secs(1);

/// See the [module page](self). Cheap to clone; all clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    Real,
    Virtual(Virtual),
}

struct Virtual {
    speed: u32,
    state: Mutex<State>,
    moved: Notify,
}

struct State {
    origin_real: Instant,
    origin: UtcMs,
    busy: usize,
    /// Sleeping workers by due time; the number makes each key unique.
    due: BTreeMap<(UtcMs, u64), Arc<Notify>>,
    next_id: u64,
}

impl Clock {
    /// The machine's wall clock.
    #[must_use]
    pub fn real() -> Self {
        Self(Arc::new(Kind::Real))
    }

    /// Virtual time from `start` on, `speed` virtual seconds a real one. Speed 0 is taken as 1.
    #[must_use]
    pub fn rehearsal(start: UtcMs, speed: u32) -> Self {
        let state = State {
            origin_real: Instant::now(),
            origin: start,
            busy: 0,
            due: BTreeMap::new(),
            next_id: 0,
        };
        Self(Arc::new(Kind::Virtual(Virtual {
            speed: speed.max(1),
            state: Mutex::new(state),
            moved: Notify::new(),
        })))
    }

    /// The instant it is now.
    #[must_use]
    pub fn now(&self) -> UtcMs {
        match &*self.0 {
            Kind::Real => wall(),
            Kind::Virtual(v) => v.now(&v.lock()),
        }
    }

    /// How fast virtual time runs; `None` for the real clock.
    #[must_use]
    pub fn speed(&self) -> Option<u32> {
        match &*self.0 {
            Kind::Real => None,
            Kind::Virtual(v) => Some(v.speed),
        }
    }

    /// Spawns a worker on the tokio runtime: see the [module page](self) for what that means.
    pub fn spawn<F>(&self, work: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let busy = Busy::start(self);
        tokio::spawn(IS_WORKER.scope(true, async move {
            let _busy = busy;
            work.await
        }))
    }

    /// Waits for `ms` milliseconds of this clock.
    pub async fn sleep_ms(&self, ms: i64) {
        self.sleep_until(self.now().plus_ms(ms)).await;
    }

    /// Waits until this clock shows `due` or later.
    pub async fn sleep_until(&self, due: UtcMs) {
        match &*self.0 {
            Kind::Real => sleep_real(due).await,
            Kind::Virtual(v) if IS_WORKER.try_with(|w| *w).unwrap_or(false) => v.sleep_worker(due).await,
            Kind::Virtual(v) => v.sleep_bystander(due).await,
        }
    }

    /// Moves virtual time forward to `to` (a rehearsal taken up again, or a test); the past and the real clock ignore it.
    pub fn advance_to(&self, to: UtcMs) {
        if let Kind::Virtual(v) = &*self.0 {
            let mut state = v.lock();
            if to > v.now(&state) {
                v.set(&mut state, to);
            }
        }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock(speed {:?})", self.speed())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock everything else asks")]
fn wall() -> UtcMs {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UtcMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

async fn sleep_real(due: UtcMs) {
    loop {
        let left = due.since(wall());
        let Ok(left) = u64::try_from(left) else { return };
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(left).min(RECHECK)).await;
    }
}

impl Virtual {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves plain numbers behind; they stay usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, state: &State) -> UtcMs {
        let real = state.origin_real.elapsed().as_micros();
        let run = real.saturating_mul(u128::from(self.rate(state))) / 1000;
        state.origin.plus_ms(i64::try_from(run).unwrap_or(i64::MAX))
    }

    fn rate(&self, state: &State) -> u32 {
        if state.busy > 0 || !state.due.is_empty() {
            self.speed
        } else {
            1
        }
    }

    /// Changes what the rate depends on without time standing still or leaping: what has run so far ran at the old rate.
    fn rebase(&self, state: &mut State, change: impl FnOnce(&mut State)) {
        let before = self.rate(state);
        let now = self.now(state);
        change(state);
        if self.rate(state) != before {
            state.origin = now;
            state.origin_real = Instant::now();
        }
    }

    fn set(&self, state: &mut State, to: UtcMs) {
        state.origin = to;
        state.origin_real = Instant::now();
        self.wake_due(state);
    }

    fn wake_due(&self, state: &mut State) {
        let now = self.now(state);
        let later = state.due.split_off(&(now.plus_ms(1), 0));
        for (_, sleeper) in std::mem::replace(&mut state.due, later) {
            // Busy again from here on, not from its next poll: a second jump must not overtake it.
            state.busy += 1;
            sleeper.notify_one();
        }
        self.moved.notify_waiters();
    }

    fn jump_if_idle(&self, state: &mut State) {
        if self.speed == 1 || state.busy > 0 {
            return;
        }
        if let Some(((due, _), _)) = state.due.first_key_value() {
            let to = (*due).max(self.now(state));
            self.set(state, to);
        }
    }

    async fn sleep_worker(&self, due: UtcMs) {
        let mut asleep = {
            let mut state = self.lock();
            if self.now(&state) >= due {
                return;
            }
            let key = (due, state.next_id);
            state.next_id += 1;
            let woken = Arc::new(Notify::new());
            state.due.insert(key, woken.clone());
            state.busy = state.busy.saturating_sub(1);
            self.jump_if_idle(&mut state);
            Asleep {
                clock: self,
                key,
                woken,
            }
        };
        loop {
            let left = self.real_left(due);
            let woken = asleep.woken.clone();
            let _ = tokio::time::timeout(left, woken.notified()).await;
            if asleep.is_over() {
                return;
            }
        }
    }

    async fn sleep_bystander(&self, due: UtcMs) {
        loop {
            let moved = self.moved.notified();
            if self.now(&self.lock()) >= due {
                return;
            }
            let _ = tokio::time::timeout(self.real_left(due), moved).await;
        }
    }

    fn real_left(&self, due: UtcMs) -> Duration {
        let left = due.since(self.now(&self.lock())).max(0);
        Duration::from_micros(u64::try_from(left).unwrap_or(0) * 1000 / u64::from(self.speed))
            .max(Duration::from_micros(50))
    }
}

/// A worker's place among the sleepers; dropping it (the task was cancelled mid-sleep) gives the place back.
struct Asleep<'a> {
    clock: &'a Virtual,
    key: (UtcMs, u64),
    woken: Arc<Notify>,
}

impl Asleep<'_> {
    fn is_over(&mut self) -> bool {
        let mut state = self.clock.lock();
        if state.due.contains_key(&self.key) && self.clock.now(&state) >= self.key.0 {
            self.clock.wake_due(&mut state);
        }
        !state.due.contains_key(&self.key)
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        if state.due.remove(&self.key).is_some() {
            state.busy += 1;
        }
    }
}

/// Counts one worker as busy for as long as it lives.
struct Busy(Clock);

impl Busy {
    fn start(clock: &Clock) -> Self {
        if let Kind::Virtual(v) = &*clock.0 {
            v.rebase(&mut v.lock(), |state| state.busy += 1);
        }
        Self(clock.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Kind::Virtual(v) = &*self.0.0 {
            let mut state = v.lock();
            v.rebase(&mut state, |state| state.busy = state.busy.saturating_sub(1));
            v.jump_if_idle(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    #[tokio::test]
    async fn a_day_of_waiting_is_jumped_and_ends_exactly_when_due() {
        let clock = Clock::rehearsal(UtcMs(0), 20);
        let inner = clock.clone();
        let woke = clock.spawn(async move {
            inner.sleep_until(UtcMs(DAY_MS)).await;
            inner.now()
        });
        let woke = woke.await.unwrap();
        assert!((DAY_MS..DAY_MS + 1000).contains(&woke.0), "woke at {woke:?}");
    }

    #[tokio::test]
    async fn time_does_not_jump_while_any_worker_is_busy() {
        let clock = Clock::rehearsal(UtcMs(0), 20);
        let release = Arc::new(Notify::new());
        let held = release.clone();
        let busy = clock.spawn(async move { held.notified().await });
        let inner = clock.clone();
        let sleeper = clock.spawn(async move { inner.sleep_until(UtcMs(DAY_MS)).await });
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(clock.now() < UtcMs(DAY_MS), "a request was in flight");
        release.notify_one();
        busy.await.unwrap();
        sleeper.await.unwrap();
        assert!(clock.now() >= UtcMs(DAY_MS));
    }

    #[tokio::test]
    async fn a_cancelled_sleep_gives_its_place_back() {
        let clock = Clock::rehearsal(UtcMs(0), 1);
        let inner = clock.clone();
        let task = clock.spawn(async move { inner.sleep_until(UtcMs(DAY_MS)).await });
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
        let Kind::Virtual(v) = &*clock.0 else {
            panic!("virtual")
        };
        let state = v.lock();
        assert_eq!((state.busy, state.due.len()), (0, 0));
    }

    #[tokio::test]
    async fn waits_of_bystanders_are_carried_along_by_a_jump() {
        let clock = Clock::rehearsal(UtcMs(0), 2);
        let (a, b) = (clock.clone(), clock.clone());
        let bystander = tokio::spawn(async move { a.sleep_until(UtcMs(DAY_MS / 2)).await });
        tokio::task::yield_now().await;
        clock
            .spawn(async move { b.sleep_until(UtcMs(DAY_MS)).await })
            .await
            .unwrap();
        bystander.await.unwrap();
    }
}
