//! Rate and concurrency limiters (docs.stripe.com/rate-limits): sliding windows of one second on the simulated clock.

use std::collections::{HashMap, VecDeque};

use crate::domain::time::UtcMs;

/// Length of a window.
const WINDOW_MS: i64 = 1000;
/// How late the machine may be in reading a request, in real milliseconds. Virtual time runs `speed` times faster, so
/// a client that paces exactly would otherwise be refused for the scheduler's jitter.
const JITTER_REAL_MS: i64 = 10;
/// The jitter allowed for never exceeds this much of a window.
const JITTER_MAX_MS: i64 = 400;

/// How many requests an account takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) global_per_s: usize,
    pub(crate) endpoint_per_s: usize,
    pub(crate) in_flight: usize,
}

impl Allowance {
    /// Stripe's documented figures; the concurrency limit is undocumented and a guess.
    pub(crate) const fn of_mode(livemode: bool) -> Self {
        Self {
            global_per_s: if livemode { 100 } else { 25 },
            endpoint_per_s: 25,
            in_flight: if livemode { 100 } else { 50 },
        }
    }
}

/// One account's limiters.
pub(crate) struct Limits {
    allowed: Option<Allowance>,
    jitter_ms: i64,
    global: VecDeque<i64>,
    endpoints: HashMap<usize, VecDeque<i64>>,
    in_flight: usize,
}

impl Limits {
    /// `None` lifts every limit; `speed` is the clock's.
    pub(crate) fn new(allowed: Option<Allowance>, speed: Option<u32>) -> Self {
        let jitter_ms = (i64::from(speed.unwrap_or(1)) * JITTER_REAL_MS).min(JITTER_MAX_MS);
        Self {
            allowed,
            jitter_ms,
            global: VecDeque::new(),
            endpoints: HashMap::new(),
            in_flight: 0,
        }
    }

    /// Takes a request to endpoint number `endpoint` in, or says which limiter refuses it. What was taken in must be
    /// given back by [`Self::leave`].
    pub(crate) fn enter(&mut self, endpoint: usize, now: UtcMs) -> Result<(), &'static str> {
        if let Some(allowed) = self.allowed {
            let since = now.0 - WINDOW_MS + self.jitter_ms;
            let own = self.endpoints.entry(endpoint).or_default();
            forget(own, since);
            forget(&mut self.global, since);
            if self.global.len() >= allowed.global_per_s {
                return Err("global-rate");
            }
            if own.len() >= allowed.endpoint_per_s {
                return Err("endpoint-rate");
            }
            if self.in_flight >= allowed.in_flight {
                return Err("global-concurrency");
            }
            own.push_back(now.0);
            self.global.push_back(now.0);
        }
        self.in_flight += 1;
        Ok(())
    }

    /// A request is answered.
    pub(crate) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

fn forget(window: &mut VecDeque<i64>, since: i64) {
    while window.front().is_some_and(|at| *at <= since) {
        window.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(Some(Allowance::of_mode(false)), None)
    }

    #[test]
    fn the_26th_request_in_a_second_is_refused_and_the_next_second_is_free() {
        let mut limits = limits();
        for n in 0..25 {
            assert_eq!(limits.enter(0, UtcMs(n)), Ok(()));
            limits.leave();
        }
        assert_eq!(limits.enter(1, UtcMs(900)), Err("global-rate"));
        assert_eq!(limits.enter(1, UtcMs(1025)), Ok(()));
    }

    #[test]
    fn live_accounts_still_have_25_a_second_for_each_endpoint() {
        let mut limits = Limits::new(Some(Allowance::of_mode(true)), None);
        for _ in 0..25 {
            assert_eq!(limits.enter(0, UtcMs(0)), Ok(()));
        }
        assert_eq!(limits.enter(0, UtcMs(0)), Err("endpoint-rate"));
        assert_eq!(limits.enter(1, UtcMs(0)), Ok(()));
    }

    #[test]
    fn requests_in_flight_are_counted_until_they_leave() {
        let mut limits = limits();
        for second in 0..50 {
            assert_eq!(limits.enter(0, UtcMs(second * 1000)), Ok(()));
        }
        assert_eq!(limits.enter(0, UtcMs(90_000)), Err("global-concurrency"));
        limits.leave();
        assert_eq!(limits.enter(0, UtcMs(90_000)), Ok(()));
    }

    #[test]
    fn no_limits_means_none() {
        let mut limits = Limits::new(None, None);
        assert!((0..10_000).all(|_| limits.enter(0, UtcMs(0)).is_ok()));
    }
}
