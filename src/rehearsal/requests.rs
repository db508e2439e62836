//! What arrived: counters that are never wrong and a log that is bounded.

use std::collections::VecDeque;

use crate::domain::time::UtcMs;

use super::world::Side;

/// Requests kept in the log of one account.
const KEPT: usize = 20_000;

/// Counters of one account. `/_cutover` requests are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Requests with method GET.
    pub gets: u64,
    /// All others.
    pub writes: u64,
    /// Answers with status 429.
    pub status_429: u64,
    /// Most requests that arrived within any one second of the simulated clock.
    pub most_in_any_second: u64,
}

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Logged {
    /// Which account.
    pub account: Side,
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: String,
    /// Status answered; 0 when the connection was broken instead.
    pub status: u16,
    /// `req_…`
    pub request_id: String,
    /// `Idempotency-Key` as sent.
    pub idempotency_key: Option<String>,
    /// `Stripe-Version` as sent.
    pub version: Option<String>,
    /// Whether the answer was replayed from an earlier request.
    pub replayed: bool,
    /// When it arrived.
    pub at: UtcMs,
    /// SHA-256 of the body, lower-case hexadecimal.
    pub body_sha256: String,
}

/// One account's log.
#[derive(Default)]
pub(crate) struct RequestLog {
    counts: Counts,
    last_second: VecDeque<i64>,
    kept: VecDeque<Logged>,
}

impl RequestLog {
    /// Counts a request at its arrival.
    pub(crate) fn arrived(&mut self, method: &str, now: UtcMs) {
        if method == "GET" {
            self.counts.gets += 1;
        } else {
            self.counts.writes += 1;
        }
        while self.last_second.front().is_some_and(|at| now.0 - at >= 1000) {
            self.last_second.pop_front();
        }
        self.last_second.push_back(now.0);
        let now_in_it = self.last_second.len() as u64;
        self.counts.most_in_any_second = self.counts.most_in_any_second.max(now_in_it);
    }

    /// Keeps a request with its answer; the oldest make room.
    pub(crate) fn answered(&mut self, logged: Logged) {
        if logged.status == 429 {
            self.counts.status_429 += 1;
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(logged);
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn kept(&self) -> impl Iterator<Item = &Logged> {
        self.kept.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_is_a_sliding_one() {
        let mut log = RequestLog::default();
        for at in [0, 600, 900, 1100, 1599, 1600, 5000] {
            log.arrived("GET", UtcMs(at));
        }
        // 600 to 1599 is a whole second less a millisecond: 600, 900, 1100, 1599.
        assert_eq!(log.counts().most_in_any_second, 4);
        assert_eq!(log.counts().gets, 7);
    }
}
