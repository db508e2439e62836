//! How long and how often the same request is repeated. PURE: time comes in, delays go out.
//!
//! 429 and `lock_timeout` are refusals without processing, so they are bounded by time; everything else by attempts
//! (contract, "Bounded attempts"). Delays grow exponentially with jitter; the seed makes them repeatable.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::retry::Class;
use crate::domain::time::UtcMs;

/// How long 429 and `lock_timeout` are retried, from the first one on.
pub const THROTTLED_MS: i64 = 15 * 60 * 1000;
/// How many sends end otherwise before giving up.
pub const MAX_ATTEMPTS: u32 = 8;
/// Longest single delay before jitter; jitter at most doubles it.
pub const MAX_DELAY_MS: u64 = 30_000;

/// What to do after an attempt that may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait this long, then the same request again.
    Wait {
        /// Milliseconds.
        ms: i64,
    },
    /// Enough. A write whose last class is not a refusal without processing is *unknown*.
    GiveUp(Exhausted),
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exhausted {
    /// [`THROTTLED_MS`].
    Time,
    /// [`MAX_ATTEMPTS`].
    Attempts,
}

/// The attempts at one request so far.
#[derive(Clone, Debug)]
pub struct Budget {
    seed: u64,
    throttled_since: Option<UtcMs>,
    throttled: u32,
    others: u32,
}

impl Budget {
    /// No attempt yet. Equal seeds give equal delays; [`seed_of`] makes one from what identifies the request.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            throttled_since: None,
            throttled: 0,
            others: 0,
        }
    }

    /// Counts an attempt that ended with `class` at `now`, and says what is next.
    pub fn next(&mut self, class: Class, retry_after_ms: Option<i64>, now: UtcMs) -> Next {
        if matches!(class, Class::RateLimited | Class::LockTimeout) {
            self.next_throttled(class, retry_after_ms, now)
        } else {
            self.next_other(retry_after_ms)
        }
    }

    /// Sends counted so far.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.throttled + self.others
    }

    fn next_throttled(&mut self, class: Class, after_ms: Option<i64>, now: UtcMs) -> Next {
        let since = *self.throttled_since.get_or_insert(now);
        self.throttled = self.throttled.saturating_add(1);
        // An object lock is held for the length of somebody's request, not for a limiter's window: start slower.
        let min_ms = if class == Class::LockTimeout { 1000 } else { 500 };
        let ms = delay_ms(min_ms, self.throttled, self.seed).max(after_ms.unwrap_or(0));
        if now.plus_ms(ms).since(since) > THROTTLED_MS {
            return Next::GiveUp(Exhausted::Time);
        }
        Next::Wait { ms }
    }

    fn next_other(&mut self, after_ms: Option<i64>) -> Next {
        self.others = self.others.saturating_add(1);
        if self.others >= MAX_ATTEMPTS {
            return Next::GiveUp(Exhausted::Attempts);
        }
        let ms = delay_ms(500, self.others, self.seed).max(after_ms.unwrap_or(0));
        Next::Wait { ms }
    }
}

/// A seed from what identifies a request (its path, its key): FNV-1a, the same on every machine.
#[must_use]
pub fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The `n`th delay, counted from 1: `min·2^(n-1)` up to [`MAX_DELAY_MS`], plus up to as much again.
#[must_use]
pub fn delay_ms(min_ms: u64, n: u32, seed: u64) -> i64 {
    // The doublings end at the cap, so later delays differ in jitter alone; the attempt is part of the seed for that.
    let place = n.saturating_sub(1).min(8);
    let growing = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(min_ms))
        .with_max_delay(Duration::from_millis(MAX_DELAY_MS))
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(seed ^ u64::from(n));
    let delay = growing
        .build()
        .nth(place as usize)
        .unwrap_or(Duration::from_millis(MAX_DELAY_MS));
    i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OTHERS: [Class; 3] = [Class::KeyInUse, Class::Unstored, Class::Connection];

    #[test]
    fn throttling_is_bounded_by_fifteen_minutes_not_by_attempts() {
        for class in [Class::RateLimited, Class::LockTimeout] {
            let (mut budget, mut now) = (Budget::new(7), UtcMs(1_000_000));
            while let Next::Wait { ms } = budget.next(class, Some(1000), now) {
                assert!(ms >= 1000, "Retry-After is obeyed");
                now = now.plus_ms(ms);
            }
            let waited = now.since(UtcMs(1_000_000));
            assert!(
                (THROTTLED_MS - 60_000..=THROTTLED_MS).contains(&waited),
                "{class:?}: {waited}"
            );
            assert!(budget.attempts() > MAX_ATTEMPTS);
        }
    }

    #[test]
    fn everything_else_is_sent_eight_times() {
        for class in OTHERS {
            let mut budget = Budget::new(7);
            let mut sends = 1;
            while let Next::Wait { .. } = budget.next(class, None, UtcMs(0)) {
                sends += 1;
            }
            assert_eq!((sends, budget.attempts()), (MAX_ATTEMPTS, MAX_ATTEMPTS));
        }
    }

    #[test]
    fn mixed_failures_of_other_kinds_share_the_eight() {
        let mut budget = Budget::new(7);
        for i in 0..7 {
            assert!(matches!(
                budget.next(OTHERS[i % 3], None, UtcMs(0)),
                Next::Wait { .. }
            ));
            assert!(matches!(
                budget.next(Class::RateLimited, None, UtcMs(0)),
                Next::Wait { .. }
            ));
        }
        assert_eq!(
            budget.next(Class::Unstored, None, UtcMs(0)),
            Next::GiveUp(Exhausted::Attempts)
        );
    }

    #[test]
    fn a_retry_after_beyond_the_bound_ends_it_at_once() {
        let mut budget = Budget::new(7);
        let next = budget.next(Class::RateLimited, Some(THROTTLED_MS + 1), UtcMs(0));
        assert_eq!(next, Next::GiveUp(Exhausted::Time));
    }

    proptest! {
        #[test]
        fn delays_double_up_to_the_cap_and_jitter_at_most_doubles_them(seed: u64, n in 1_u32..40) {
            let base = 500_i64.saturating_mul(1 << n.saturating_sub(1).min(8)).min(30_000);
            let ms = delay_ms(500, n, seed);
            prop_assert!((base - 1..=2 * base).contains(&ms), "{} of {}", ms, base);
            prop_assert_eq!(ms, delay_ms(500, n, seed));
        }
    }

    #[test]
    fn different_requests_wait_differently() {
        let delays: std::collections::BTreeSet<_> = (0..20)
            .map(|i| delay_ms(500, 1, seed_of(&format!("/v1/customers/cus_{i}"))))
            .collect();
        assert!(delays.len() > 15, "{delays:?}");
    }
}
