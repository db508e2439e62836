//! Pacing of one account: the configured share of Stripe's limits, never more in any second, and a name for every wait.
//!
//! Limits (facts 2.6): live 100 requests a second per account, test 25; 25 per endpoint; some number in flight. Both
//! accounts serve customers meanwhile, so only a share is used; a 429 halves the rate of the limiter that said no, and
//! it comes back additively. `Retry-After` holds the whole account.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::allow::Endpoint;
use super::counts::HISTORY_SECS;
use super::gate::{Gate, Step, Ticket};
use super::limits::{Limited, PaceConfig, WaitReason};
use super::reply::Meta;
use crate::clock::Clock;
use crate::domain::time::UtcMs;

/// What a screen shows of one account's pacing, and what a summary counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceSnapshot {
    /// Per cent of Stripe's limit.
    pub share_percent: u8,
    /// The share in requests per second; `None` without limit.
    pub limit_per_s: Option<u32>,
    /// What is in force of it after 429s.
    pub rate_per_s: Option<u32>,
    /// The share per endpoint; `None` without limit.
    pub endpoint_per_s: Option<u32>,
    /// Sends within the last 1,000 ms.
    pub sent_last_s: u32,
    /// Requests held back.
    pub waiting: u32,
    /// Why most of those wait.
    pub reason: Option<WaitReason>,
    /// Sent, not yet answered.
    pub in_flight: u32,
    /// Most that may be in flight now.
    pub concurrency: u32,
    /// End of a `Retry-After`.
    pub held_until: Option<UtcMs>,
    /// GETs sent.
    pub gets: u64,
    /// POSTs sent.
    pub writes: u64,
    /// 429s answered, lock time-outs included.
    pub status_429: u64,
    /// When the last of them came.
    pub last_429_at: Option<UtcMs>,
    /// When the last answer came.
    pub last_reply_at: Option<UtcMs>,
    /// Most sends within any 1,000 ms.
    pub most_in_any_second: u32,
    /// Sends per second, oldest first; the last is the running second.
    pub history: [u32; HISTORY_SECS],
}

/// See the [module page](self). Cheap to clone; all clones pace the same account.
#[derive(Clone)]
pub struct Pacer(Arc<Inner>);

struct Inner {
    clock: Clock,
    gate: Mutex<Gate>,
    ended: Notify,
}

impl Pacer {
    /// A pacer that has sent nothing yet.
    #[must_use]
    pub fn new(clock: Clock, config: PaceConfig) -> Self {
        Self(Arc::new(Inner {
            clock,
            gate: Mutex::new(Gate::new(config)),
            ended: Notify::new(),
        }))
    }

    /// Waits until a request for `endpoint` may leave; it counts as sent from then on and as in flight until the
    /// permit is dropped. Waits for a time are sleeps of the clock; a wait for room is one for a request in flight.
    pub async fn acquire(&self, endpoint: Endpoint) -> Permit {
        let mut place = Place {
            pacer: self,
            endpoint,
            ticket: Ticket::default(),
        };
        loop {
            let ended = self.0.ended.notified();
            let (step, now) = self.step(endpoint, &mut place.ticket);
            match step {
                Step::Go => {
                    place.ticket = Ticket::default();
                    return Permit {
                        pacer: self.clone(),
                        endpoint,
                        sent_at: now,
                    };
                }
                Step::Wait(until, reason) => {
                    // This one may have been woken for room that it cannot use yet.
                    self.0.ended.notify_one();
                    self.wait(reason, self.0.clock.sleep_until(until)).await;
                }
                Step::Full => self.wait(WaitReason::Concurrency, ended).await,
            }
        }
    }

    fn step(&self, endpoint: Endpoint, ticket: &mut Ticket) -> (Step, UtcMs) {
        let mut gate = self.lock();
        // Asked under the lock: sends are stamped in the order in which they are let go.
        let now = self.0.clock.now();
        (gate.step(now, endpoint, ticket), now)
    }

    /// Waits before the same request is sent again, visible as [`WaitReason::Backoff`].
    pub async fn back_off(&self, ms: i64) {
        self.wait(WaitReason::Backoff, self.0.clock.sleep_ms(ms)).await;
    }

    /// Uses `percent` (1–100) of Stripe's limits from now on.
    pub fn set_share(&self, percent: u8) {
        let now = self.0.clock.now();
        self.lock().set_share(percent, now);
    }

    /// The present state; a few hundred bytes copied under a short lock.
    #[must_use]
    pub fn snapshot(&self) -> PaceSnapshot {
        let now = self.0.clock.now();
        let mut gate = self.lock();
        let (limit, rate) = gate.rates(now);
        let limited = |rate: u32| (rate != u32::MAX).then_some(rate);
        let busiest = WaitReason::ALL
            .into_iter()
            .zip(gate.waiting)
            .filter(|(_, n)| *n > 0)
            .max_by_key(|(_, n)| *n);
        PaceSnapshot {
            share_percent: gate.share(),
            limit_per_s: limited(limit),
            rate_per_s: limited(rate),
            endpoint_per_s: limited(gate.endpoint_limit()),
            sent_last_s: gate.counts.in_last_second(now),
            waiting: gate.waiting.iter().sum(),
            reason: busiest.map(|(reason, _)| reason),
            in_flight: gate.in_flight(),
            concurrency: gate.room_at(now),
            held_until: gate.held_until(now),
            gets: gate.counts.gets,
            writes: gate.counts.writes,
            status_429: gate.counts.status_429,
            last_429_at: gate.counts.last_429_at,
            last_reply_at: gate.counts.last_reply_at,
            most_in_any_second: gate.counts.most_in_any_second,
            history: gate.counts.per_second(now),
        }
    }

    async fn wait<F: Future>(&self, reason: WaitReason, until: F) -> F::Output {
        let _counted = Waiting::new(self, reason);
        until.await
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        // A panic under the lock leaves counters behind that are still counters.
        self.0.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pacer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pacer")
    }
}

/// Leave to send one request. Dropping it ends the request.
#[derive(Debug)]
pub struct Permit {
    pacer: Pacer,
    endpoint: Endpoint,
    sent_at: UtcMs,
}

impl Permit {
    /// When the leave was given.
    #[must_use]
    pub const fn sent_at(&self) -> UtcMs {
        self.sent_at
    }

    /// Ends the request with what its answer says about limits.
    pub fn answered(self, meta: &Meta, code: Option<&str>) {
        let now = self.pacer.0.clock.now();
        let mut gate = self.pacer.lock();
        gate.counts.last_reply_at = Some(now);
        if let Some(by) = Limited::of(meta, code) {
            gate.limited(self.endpoint, by, self.sent_at, now);
        }
        if let Some(ms) = meta.retry_after_ms {
            gate.hold(now.plus_ms(ms));
        }
    }

    /// Ends a request no byte of which left: it is not counted.
    pub fn never_left(self) {
        self.pacer.lock().counts.never_left(self.endpoint.method);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pacer.lock().ended();
        self.pacer.0.ended.notify_one();
    }
}

/// One request's place in the queue; who leaves the queue gives back what was promised.
struct Place<'a> {
    pacer: &'a Pacer,
    endpoint: Endpoint,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pacer.lock().give_back(self.endpoint, &mut self.ticket);
    }
}

/// Counts one waiting request for as long as it lives.
struct Waiting<'a>(&'a Pacer, usize);

impl<'a> Waiting<'a> {
    fn new(pacer: &'a Pacer, reason: WaitReason) -> Self {
        let place = reason as usize;
        if let Some(n) = pacer.lock().waiting.get_mut(place) {
            *n += 1;
        }
        Self(pacer, place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(n) = self.0.lock().waiting.get_mut(self.1) {
            *n = n.saturating_sub(1);
        }
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
