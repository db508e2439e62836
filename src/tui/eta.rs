//! Whether an estimate of the end may be shown: only once it has stood still for a while.

use std::collections::VecDeque;

use crate::domain::time::UtcMs;
use crate::engine::state::Meter;

/// Estimates looked back at.
const LOOK_BACK: usize = 6;
/// Estimates needed before any is shown.
const ENOUGH: usize = 4;
/// Estimates may differ by this part of the time left, in percent, or by [`SLACK_MS`].
const SLACK_PERCENT: i64 = 15;
/// Or by this many milliseconds.
const SLACK_MS: i64 = 5_000;

/// The last few estimates of when a piece of work ends.
#[derive(Clone, Debug, Default)]
pub struct Eta {
    what: String,
    seen: VecDeque<(UtcMs, UtcMs)>,
}

impl Eta {
    /// Takes in a meter as it is at `now`.
    pub fn note(&mut self, meter: &Meter, now: UtcMs) {
        if meter.what != self.what {
            self.seen.clear();
            self.what.clone_from(&meter.what);
        }
        let Some(left) = meter.left_ms() else {
            self.seen.clear();
            return;
        };
        if self.seen.back().is_some_and(|(at, _)| *at == meter.last_at) {
            return;
        }
        if self.seen.len() == LOOK_BACK {
            self.seen.pop_front();
        }
        let from = if meter.last_at == UtcMs::default() {
            now
        } else {
            meter.last_at
        };
        self.seen.push_back((meter.last_at, from.plus_ms(left)));
    }

    /// When the work ends, if the estimates agree.
    #[must_use]
    pub fn ends_at(&self, now: UtcMs) -> Option<UtcMs> {
        let ends = || self.seen.iter().map(|(_, end)| *end);
        let (first, last) = (ends().min()?, ends().max()?);
        let left = last.since(now).max(0);
        let slack = (left * SLACK_PERCENT / 100).max(SLACK_MS);
        let steady = self.seen.len() >= ENOUGH && last.since(first) <= slack;
        steady.then(|| self.seen.back().map(|(_, end)| *end)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(done: u64, at_ms: i64) -> Meter {
        Meter {
            what: "writing".into(),
            done,
            total: Some(1_000),
            started_at: UtcMs(0),
            last_at: UtcMs(at_ms),
        }
    }

    #[test]
    fn an_estimate_appears_only_once_it_stands_still() {
        let mut eta = Eta::default();
        for second in 1..=3 {
            eta.note(
                &meter(20 * second, 2_000 * i64::try_from(second).unwrap()),
                UtcMs(0),
            );
            assert_eq!(eta.ends_at(UtcMs(6_000)), None);
        }
        eta.note(&meter(80, 8_000), UtcMs(8_000));
        assert_eq!(eta.ends_at(UtcMs(8_000)), Some(UtcMs(100_000)));
    }

    #[test]
    fn a_rate_that_jumps_hides_the_estimate_and_other_work_starts_anew() {
        let mut eta = Eta::default();
        for (done, at) in [(20, 2_000), (400, 4_000), (410, 40_000), (900, 42_000)] {
            eta.note(&meter(done, at), UtcMs(at));
        }
        assert_eq!(eta.ends_at(UtcMs(42_000)), None);
        eta.note(
            &Meter {
                what: "verifying".into(),
                ..meter(20, 44_000)
            },
            UtcMs(44_000),
        );
        assert_eq!(eta.ends_at(UtcMs(44_000)), None);
    }
}
