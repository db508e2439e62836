//! Everything that holds a request back, in one pure state: `Retry-After`, the endpoint's limit, the account's limit,
//! requests in flight. [`super::pace`] puts a clock and a lock around it. PURE.

use std::collections::BTreeMap;

use super::allow::Endpoint;
use super::counts::Counts;
use super::lane::{Lane, Slot};
use super::limits::{Limited, PaceConfig, WaitReason};
use super::reply::MAX_RETRY_AFTER_MS;
use crate::domain::time::UtcMs;

/// A clock that goes back by less is waited for, milliseconds.
const CLOCK_BACK_MS: i64 = 500;

/// Where one request stands in the queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ticket {
    endpoint: Option<Slot>,
    account: Option<Slot>,
}

/// What a request must do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask again at that time.
    Wait(UtcMs, WaitReason),
    /// Ask again when a request in flight ends.
    Full,
    /// Send now; it is counted as sent and in flight.
    Go,
}

pub(super) struct Gate {
    config: PaceConfig,
    account: Lane,
    endpoints: BTreeMap<Endpoint, Lane>,
    hold_until: UtcMs,
    in_flight: u32,
    room: u32,
    room_since: UtcMs,
    seen: UtcMs,
    pub(super) waiting: [u32; WaitReason::COUNT],
    pub(super) counts: Counts,
}

impl Gate {
    pub(super) fn new(config: PaceConfig) -> Self {
        Self {
            account: Lane::new(config.account_limit(), config.jitter_ms),
            endpoints: BTreeMap::new(),
            hold_until: UtcMs(i64::MIN),
            in_flight: 0,
            room: config.concurrency.max(1),
            room_since: UtcMs(0),
            seen: UtcMs(i64::MIN),
            waiting: [0; WaitReason::COUNT],
            counts: Counts::default(),
            config,
        }
    }

    /// Whether a request for `endpoint` may leave at `now`. The order matters: an endpoint's queue must not use up the
    /// account's slots; a slot of the account is promised only for a time at which the endpoint will let it through,
    /// or one late endpoint would make all others late; and room in flight comes last, so that nothing waits with it.
    pub(super) fn step(&mut self, now: UtcMs, endpoint: Endpoint, ticket: &mut Ticket) -> Step {
        self.notice_clock(now);
        if self.hold_until > now {
            self.give_back(endpoint, ticket);
            return Step::Wait(self.hold_until, WaitReason::RetryAfter);
        }
        if let Some(wait) = self.endpoint_turn(now, endpoint, ticket) {
            return wait;
        }
        match self.promised(now, endpoint, ticket) {
            Err(wait) => wait,
            Ok(at) if at > now => Step::Wait(at, WaitReason::AccountRate),
            Ok(_) => self.leave(now, endpoint, ticket),
        }
    }

    /// A wall clock set back leaves stamps and plans in the future, which would hold everything until it gets there.
    fn notice_clock(&mut self, now: UtcMs) {
        if now < self.seen.plus_ms(-CLOCK_BACK_MS) {
            self.hold_until = self.hold_until.min(now.plus_ms(MAX_RETRY_AFTER_MS));
            self.account.start_over(now);
            for lane in self.endpoints.values_mut() {
                lane.start_over(now);
            }
            self.seen = now;
        }
        self.seen = self.seen.max(now);
    }

    /// Undoes what a request that is not sent after all was promised.
    pub(super) fn give_back(&mut self, endpoint: Endpoint, ticket: &mut Ticket) {
        if let Some(slot) = ticket.account {
            self.account.withdraw(slot.due);
            if let Some(lane) = self.endpoints.get_mut(&endpoint) {
                lane.withdraw(slot.due);
            }
        }
        *ticket = Ticket::default();
    }

    /// The endpoint's even slots; only spacing, the window is looked at with the account's slot.
    fn endpoint_turn(&mut self, now: UtcMs, endpoint: Endpoint, ticket: &mut Ticket) -> Option<Step> {
        let fresh = || Lane::new(self.config.endpoint_limit(), self.config.jitter_ms);
        let lane = self.endpoints.entry(endpoint).or_insert_with(fresh);
        if ticket.endpoint.is_some_and(|slot| !lane.honours(slot)) {
            self.give_back(endpoint, ticket);
        }
        let lane = self.endpoints.get_mut(&endpoint)?;
        let due = match ticket.endpoint {
            Some(slot) => slot.due,
            None => match lane.reserve(now) {
                Ok(slot) => ticket.endpoint.insert(slot).due,
                Err(later) => later,
            },
        };
        (due > now).then_some(Step::Wait(due, WaitReason::EndpointRate))
    }

    /// The time promised on the account and the endpoint alike.
    fn promised(&mut self, now: UtcMs, endpoint: Endpoint, ticket: &mut Ticket) -> Result<UtcMs, Step> {
        match ticket.account {
            Some(slot) if self.account.honours(slot) => return Ok(slot.due),
            Some(_) => {
                let mine = ticket.endpoint;
                self.give_back(endpoint, ticket);
                ticket.endpoint = mine;
            }
            None => {}
        }
        let at = self.account.peek(now);
        let shifted = |open: UtcMs| now.plus_ms(open.since(at));
        if let Some(open) = self
            .endpoints
            .get_mut(&endpoint)
            .and_then(|lane| lane.full_until(now, at))
        {
            return Err(Step::Wait(shifted(open), WaitReason::EndpointRate));
        }
        // Late already, and every other request would have to wait for the same moment: promised, not asked for again.
        let open = self.account.full_until(now, at);
        let mut slot = self
            .account
            .reserve(now)
            .map_err(|later| Step::Wait(later, WaitReason::AccountRate))?;
        slot.due = slot.due.max(open.unwrap_or(at));
        ticket.account = Some(slot);
        self.account.promise(slot.due);
        if let Some(lane) = self.endpoints.get_mut(&endpoint) {
            lane.promise(slot.due);
        }
        Ok(slot.due)
    }

    /// Sends what was promised for `slot.due`, unless it is so late that a second would be above the limit; then it is
    /// promised anew for the first moment at which none would.
    fn leave(&mut self, now: UtcMs, endpoint: Endpoint, ticket: &mut Ticket) -> Step {
        if self.in_flight >= self.room_at(now) {
            return Step::Full;
        }
        // Both are there: this is reached with a promise only.
        let (Some(slot), Some(lane)) = (&mut ticket.account, self.endpoints.get_mut(&endpoint)) else {
            return Step::Wait(now, WaitReason::EndpointRate);
        };
        lane.withdraw(slot.due);
        self.account.withdraw(slot.due);
        let by_endpoint = lane.late_until(now).map(|open| (open, WaitReason::EndpointRate));
        let by_account = self
            .account
            .late_until(now)
            .map(|open| (open, WaitReason::AccountRate));
        let wait = by_endpoint
            .into_iter()
            .chain(by_account)
            .max_by_key(|(open, _)| *open);
        slot.due = wait.map_or(now, |(open, _)| open);
        lane.promise(slot.due);
        self.account.promise(slot.due);
        if let Some((open, reason)) = wait {
            return Step::Wait(open, reason);
        }
        self.in_flight += 1;
        self.counts.sent(endpoint.method, now);
        Step::Go
    }

    /// A request ended, however.
    pub(super) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A 429 came for a request sent at `sent_at`.
    pub(super) fn limited(&mut self, endpoint: Endpoint, by: Limited, sent_at: UtcMs, now: UtcMs) {
        self.counts.status_429 += 1;
        self.counts.last_429_at = Some(now);
        match by {
            Limited::Account => self.account.halve(sent_at, now),
            Limited::Endpoint => {
                if let Some(lane) = self.endpoints.get_mut(&endpoint) {
                    lane.halve(sent_at, now);
                }
            }
            Limited::Concurrency => {
                self.room = (self.room_at(now) / 2).max(1);
                self.room_since = now;
            }
            Limited::Lock => {}
        }
    }

    /// `Retry-After`: nothing leaves this account before.
    pub(super) fn hold(&mut self, until: UtcMs) {
        if until > self.hold_until {
            self.hold_until = until;
            self.account.hold(until);
            for lane in self.endpoints.values_mut() {
                lane.hold(until);
            }
        }
    }

    pub(super) fn set_share(&mut self, percent: u8, now: UtcMs) {
        self.config.share_percent = percent.clamp(1, 100);
        self.account.set_full(self.config.account_limit(), now);
        for lane in self.endpoints.values_mut() {
            lane.set_full(self.config.endpoint_limit(), now);
        }
    }

    pub(super) const fn share(&self) -> u8 {
        self.config.share_percent
    }

    pub(super) const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn rates(&mut self, now: UtcMs) -> (u32, u32) {
        (self.account.full(), self.account.rate(now))
    }

    pub(super) fn endpoint_limit(&self) -> u32 {
        self.config.endpoint_limit()
    }

    pub(super) fn held_until(&self, now: UtcMs) -> Option<UtcMs> {
        (self.hold_until > now).then_some(self.hold_until)
    }

    /// Room in flight, one more each second after a concurrency limiter halved it.
    pub(super) fn room_at(&mut self, now: UtcMs) -> u32 {
        let secs = u32::try_from(now.since(self.room_since).max(0) / 1000).unwrap_or(u32::MAX);
        if secs > 0 && self.room < self.config.concurrency {
            self.room = self.room.saturating_add(secs).min(self.config.concurrency.max(1));
            self.room_since = now;
        }
        self.room
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
