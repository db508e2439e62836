//! One rate limit: even slots, and a window over what was really sent. PURE.
//!
//! Slots alone drift: a task that wakes late sends late, and the next one on time, so a second may see one too many.
//! So a slot is a plan, and the last word has the window: at most `rate` sends in any [`guard`](Lane::new). Slots are
//! spaced over 1.005 s for `rate` of them, which leaves 5 ms for late wake-ups and costs half a per cent.

use std::collections::VecDeque;

use crate::domain::time::UtcMs;

/// What a second is stretched to when slots are laid out, milliseconds.
const STRETCHED_MS: i64 = 1005;
/// Sends are stamped in whole milliseconds; one more makes the true distance longer than a second.
const WINDOW_MS: i64 = 1001;
/// How far ahead slots are given out, milliseconds. A later change of rate must not wait for a long queue.
const HORIZON_MS: i64 = 2000;
/// Slots nobody took in time may be used this much later, milliseconds: when limits of several endpoints add up to just
/// the account's, every slot lost is lost for good. The window still has the last word.
const CATCH_UP_MS: i64 = 100;
/// How soon to ask again when every slot of the horizon is taken, milliseconds.
const ASK_AGAIN_MS: i64 = 500;

/// A promise of one send at `due`, void when the rate was lowered since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) due: UtcMs,
    epoch: u32,
}

/// One limit. Rates are whole requests per second; `u32::MAX` is no limit.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    full: u32,
    rate: u32,
    jitter_ms: i64,
    next_us: i64,
    epoch: u32,
    sent: VecDeque<UtcMs>,
    cut_at: Option<UtcMs>,
    raised_at: UtcMs,
}

impl Lane {
    /// `jitter_ms`: how much the way to the server may vary; widens the window so that it also holds as received.
    pub(super) fn new(full: u32, jitter_ms: i64) -> Self {
        let full = full.max(1);
        Self {
            full,
            rate: full,
            jitter_ms,
            next_us: i64::MIN,
            epoch: 0,
            sent: VecDeque::new(),
            cut_at: None,
            raised_at: UtcMs(0),
        }
    }

    /// The configured limit.
    pub(super) const fn full(&self) -> u32 {
        self.full
    }

    /// The limit in force at `now`: halved by 429s, on its way back.
    pub(super) fn rate(&mut self, now: UtcMs) -> u32 {
        let secs = now.since(self.raised_at).max(0) / 1000;
        if self.rate < self.full && secs > 0 {
            let step = i64::from((self.full / 20).max(1)).saturating_mul(secs);
            let raised = i64::from(self.rate)
                .saturating_add(step)
                .min(i64::from(self.full));
            self.rate = u32::try_from(raised).unwrap_or(self.full);
            self.raised_at = self.raised_at.plus_ms(secs * 1000);
        }
        self.rate
    }

    /// Changes the configured limit, and the one in force with it unless 429s hold that lower.
    pub(super) fn set_full(&mut self, full: u32, now: UtcMs) {
        let full = full.max(1);
        let held_down = self.rate(now) < self.full;
        self.full = full;
        self.rate = if held_down { self.rate.min(full) } else { full };
        self.lay_out_anew(now);
    }

    /// A 429 for a request sent at `sent_at`: half the rate, once for all that were under way together.
    pub(super) fn halve(&mut self, sent_at: UtcMs, now: UtcMs) {
        if self.full == u32::MAX || self.cut_at.is_some_and(|cut| sent_at < cut) {
            return;
        }
        self.rate = (self.rate(now) / 2).max(1);
        (self.cut_at, self.raised_at) = (Some(now), now);
        self.lay_out_anew(now.plus_ms(self.interval_us() / 1000));
    }

    /// Nothing before `until`; nor does the rate recover while nothing is tried.
    pub(super) fn hold(&mut self, until: UtcMs) {
        self.raised_at = self.raised_at.max(until);
        self.lay_out_anew(until);
    }

    /// The clock was set back to `now`: what was sent when is no longer known, so a whole window passes first.
    pub(super) fn start_over(&mut self, now: UtcMs) {
        self.sent.clear();
        (self.cut_at, self.raised_at) = (None, now);
        self.lay_out_anew(now.plus_ms(self.window_ms()));
    }

    /// Voids all slots; the next one is at `from` or later.
    fn lay_out_anew(&mut self, from: UtcMs) {
        self.epoch = self.epoch.wrapping_add(1);
        self.next_us = from.0.saturating_mul(1000);
    }

    /// The next free slot, or when to ask again.
    pub(super) fn reserve(&mut self, now: UtcMs) -> Result<Slot, UtcMs> {
        let due = self.peek(now);
        if due.since(now) > HORIZON_MS {
            return Err(now.plus_ms(ASK_AGAIN_MS).max(due.plus_ms(-HORIZON_MS)));
        }
        if self.full != u32::MAX {
            self.next_us = self.next_at_us(now).saturating_add(self.interval_us());
        }
        Ok(Slot {
            due,
            epoch: self.epoch,
        })
    }

    /// When the next free slot is due.
    pub(super) fn peek(&mut self, now: UtcMs) -> UtcMs {
        self.rate(now);
        if self.full == u32::MAX {
            return now;
        }
        UtcMs(self.next_at_us(now).saturating_add(999).div_euclid(1000)).max(now)
    }

    fn next_at_us(&self, now: UtcMs) -> i64 {
        self.next_us.max(now.plus_ms(-CATCH_UP_MS).0.saturating_mul(1000))
    }

    /// Whether a slot given out earlier still counts.
    pub(super) const fn honours(&self, slot: Slot) -> bool {
        slot.epoch == self.epoch
    }

    /// `None`: one more may be planned for `at`, which is no earlier than anything planned before. Otherwise the earliest
    /// time at which it may.
    pub(super) fn full_until(&mut self, now: UtcMs, at: UtcMs) -> Option<UtcMs> {
        let rate = self.rate(now) as usize;
        self.forget_before(now);
        let oldest_counting = self.sent.len().checked_sub(rate)?;
        let open = self.sent.get(oldest_counting)?.plus_ms(self.window_ms());
        (open > at).then_some(open)
    }

    /// One will be sent at `at`.
    pub(super) fn promise(&mut self, at: UtcMs) {
        if self.full != u32::MAX {
            let place = self.sent.partition_point(|t| *t <= at);
            self.sent.insert(place, at);
        }
    }

    /// What was promised for `at` is not sent then.
    pub(super) fn withdraw(&mut self, at: UtcMs) {
        let place = self.sent.partition_point(|t| *t < at);
        if self.sent.get(place) == Some(&at) {
            self.sent.remove(place);
        }
    }

    /// For what is about to be sent at `now` and stands in no promise: `None` if it may. Otherwise when. What others were
    /// promised until now counts whether they have gone or are late themselves.
    pub(super) fn late_until(&mut self, now: UtcMs) -> Option<UtcMs> {
        let rate = self.rate(now) as usize;
        let due = self.sent.partition_point(|t| *t <= now);
        let open = self.sent.get(due.checked_sub(rate)?)?.plus_ms(self.window_ms());
        (open > now).then_some(open)
    }

    fn forget_before(&mut self, now: UtcMs) {
        // Twice the window: what is planned late still looks back from its own time.
        let keep_ms = 2 * self.window_ms();
        while self.sent.front().is_some_and(|sent| now.since(*sent) > keep_ms) {
            self.sent.pop_front();
        }
    }

    const fn window_ms(&self) -> i64 {
        WINDOW_MS + self.jitter_ms
    }

    fn interval_us(&self) -> i64 {
        (STRETCHED_MS + self.jitter_ms) * 1000 / i64::from(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as early as the lane allows, `late_ms(i)` after each due time, for `secs` seconds.
    fn run(lane: &mut Lane, secs: i64, late_ms: impl Fn(usize) -> i64) -> Vec<i64> {
        let (mut now, mut sent) = (UtcMs(0), Vec::new());
        while now.0 < secs * 1000 {
            let Ok(slot) = lane.reserve(now) else {
                panic!("one sender is never beyond the horizon")
            };
            now = now.max(slot.due).plus_ms(late_ms(sent.len()));
            while let Some(open) = lane.full_until(now, now) {
                now = open;
            }
            assert_eq!(lane.late_until(now), None);
            lane.promise(now);
            sent.push(now.0);
        }
        sent
    }

    fn most_in_any_second(sent: &[i64]) -> usize {
        let mut from = 0;
        let until = |(i, at): (usize, &i64)| {
            while at - sent[from] > 1000 {
                from += 1;
            }
            i + 1 - from
        };
        sent.iter().enumerate().map(until).max().unwrap_or(0)
    }

    #[test]
    fn ninety_eight_per_cent_of_the_limit_and_never_above_it() {
        for rate in [1_u32, 2, 7, 12, 25, 50, 100, 333, 1000] {
            let sent = run(&mut Lane::new(rate, 0), 100, |_| 0);
            assert!(most_in_any_second(&sent) <= rate as usize, "{rate}");
            assert!(sent.len() >= rate as usize * 98, "{rate}: {}", sent.len());
        }
    }

    #[test]
    fn late_wake_ups_never_push_a_second_above_the_limit() {
        for rate in [25_u32, 100] {
            let sent = run(&mut Lane::new(rate, 0), 100, |i| {
                [0, 3, 17, 0, 1, 0, 90, 0][i % 8]
            });
            assert!(most_in_any_second(&sent) <= rate as usize, "{rate}");
        }
    }

    #[test]
    fn jitter_on_the_way_widens_the_window_by_as_much() {
        let sent = run(&mut Lane::new(100, 50), 100, |_| 0);
        for start in 0..sent.len().saturating_sub(100) {
            assert!(sent[start + 100] - sent[start] > 1050);
        }
        assert!(sent.len() * 105 >= 95 * 100 * 100, "{}", sent.len());
    }

    #[test]
    fn one_storm_of_429s_halves_once_and_the_rate_comes_back_step_by_step() {
        let mut lane = Lane::new(100, 0);
        let now = UtcMs(10_000);
        for early in 0..30 {
            lane.halve(UtcMs(9_000 + early), now);
        }
        assert_eq!(lane.rate(now), 50);
        lane.halve(UtcMs(10_000), UtcMs(10_100));
        assert_eq!(lane.rate(UtcMs(10_100)), 25);
        assert_eq!(lane.rate(UtcMs(12_100)), 35);
        assert_eq!(lane.rate(UtcMs(60_000)), 100);
    }

    #[test]
    fn the_rate_never_falls_below_one_a_second() {
        let mut lane = Lane::new(25, 0);
        for i in 0..20 {
            lane.halve(UtcMs(i), UtcMs(i));
        }
        assert_eq!(lane.rate(UtcMs(20)), 1);
    }

    #[test]
    fn a_lowered_rate_voids_slots_given_out_before() {
        let mut lane = Lane::new(100, 0);
        let slot = lane.reserve(UtcMs(0)).unwrap();
        lane.set_full(10, UtcMs(0));
        assert!(!lane.honours(slot));
        assert_eq!(lane.full(), 10);
    }

    #[test]
    fn slots_are_given_out_two_seconds_ahead_at_most() {
        let mut lane = Lane::new(10, 0);
        let given = (0..100).filter(|_| lane.reserve(UtcMs(0)).is_ok()).count();
        assert_eq!(given, 21);
        let again = lane.reserve(UtcMs(0)).unwrap_err();
        assert_eq!(again, UtcMs(500));
    }

    #[test]
    fn a_clock_set_back_holds_one_window_and_no_longer() {
        let mut lane = Lane::new(10, 0);
        run(&mut lane, 100, |_| 0);
        lane.start_over(UtcMs(5_000));
        assert_eq!(lane.reserve(UtcMs(5_000)).unwrap().due, UtcMs(6_001));
        assert_eq!(lane.full_until(UtcMs(6_001), UtcMs(6_001)), None);
    }
}
