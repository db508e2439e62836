//! What was sent to one account, counted. PURE.

use std::collections::VecDeque;

use super::allow::Method;
use crate::domain::time::UtcMs;

/// Seconds of history kept for a sparkline.
pub const HISTORY_SECS: usize = 60;

/// Sums over the life of a gate.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) gets: u64,
    pub(super) writes: u64,
    pub(super) status_429: u64,
    pub(super) last_429_at: Option<UtcMs>,
    pub(super) last_reply_at: Option<UtcMs>,
    pub(super) most_in_any_second: u32,
    last_second: VecDeque<UtcMs>,
    /// (second since the epoch, sends in it), newest last.
    history: VecDeque<(i64, u32)>,
}

impl Counts {
    /// One request left.
    pub(super) fn sent(&mut self, method: Method, now: UtcMs) {
        match method {
            Method::Get | Method::Ask => self.gets += 1,
            Method::Post | Method::Delete => self.writes += 1,
        }
        while self.last_second.front().is_some_and(|t| now.since(*t) > 1000) {
            self.last_second.pop_front();
        }
        self.last_second.push_back(now);
        self.most_in_any_second = self.most_in_any_second.max(count(self.last_second.len()));
        match self.history.back_mut() {
            Some((sec, sends)) if *sec >= now.secs() => *sends += 1,
            _ => self.history.push_back((now.secs(), 1)),
        }
        while self.history.len() > HISTORY_SECS {
            self.history.pop_front();
        }
    }

    /// A request counted as sent turned out not to have left.
    pub(super) fn never_left(&mut self, method: Method) {
        let sum = match method {
            Method::Get | Method::Ask => &mut self.gets,
            Method::Post | Method::Delete => &mut self.writes,
        };
        *sum = sum.saturating_sub(1);
    }

    pub(super) fn in_last_second(&self, now: UtcMs) -> u32 {
        count(
            self.last_second
                .iter()
                .rev()
                .take_while(|t| now.since(**t) < 1000)
                .count(),
        )
    }

    /// Sends per whole second, oldest first, the last one being the running second.
    pub(super) fn per_second(&self, now: UtcMs) -> [u32; HISTORY_SECS] {
        let mut bars = [0; HISTORY_SECS];
        for (sec, sends) in &self.history {
            let age = usize::try_from(now.secs() - sec)
                .ok()
                .filter(|age| *age < HISTORY_SECS);
            if let Some(bar) = age.and_then(|age| bars.get_mut(HISTORY_SECS - 1 - age)) {
                *bar = *sends;
            }
        }
        bars
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
