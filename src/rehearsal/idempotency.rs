//! Idempotency keys: one first answer per account and key, kept for 24 to 26 hours
//! (`docs.stripe.com/api/idempotent_requests`).

use std::collections::HashMap;

use crate::domain::time::UtcMs;

use super::ids::mix;

const HOUR_MS: i64 = 3_600_000;
/// How often the whole table is looked through for dead keys.
const SWEEP_EVERY: usize = 4096;

/// The answer a key is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) request_id: String,
}

/// What a key means for a request that brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Never seen, or pruned: the request is executed and the key is held until [`Keys::finish`].
    Fresh,
    /// Seen with the same request: this is the answer.
    Replay(Stored),
    /// Seen with another request.
    Differs,
    /// The first request is still being worked on.
    InUse,
}

struct Entry {
    print: u64,
    pruned_at: UtcMs,
    stored: Option<Stored>,
}

/// One account's keys.
pub(crate) struct Keys {
    seed: u64,
    entries: HashMap<Box<str>, Entry>,
    since_sweep: usize,
}

impl Keys {
    /// `seed` decides the instant each key is pruned.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            entries: HashMap::new(),
            since_sweep: 0,
        }
    }

    /// Looks a key up for the request with fingerprint `print`.
    pub(crate) fn begin(&mut self, key: &str, print: u64, now: UtcMs) -> Begin {
        self.sweep(now);
        if let Some(entry) = self.entries.get(key).filter(|e| e.pruned_at > now) {
            return match &entry.stored {
                _ if entry.print != print => Begin::Differs,
                None => Begin::InUse,
                Some(stored) => Begin::Replay(stored.clone()),
            };
        }
        let life = 24 * HOUR_MS + i64::try_from(self.chance(key, now) % 7_200_000).unwrap_or(0);
        let entry = Entry {
            print,
            pruned_at: now.plus_ms(life),
            stored: None,
        };
        self.entries.insert(key.into(), entry);
        Begin::Fresh
    }

    /// Ends the hold of [`Begin::Fresh`]: with an answer to keep, or without one, which frees the key.
    pub(crate) fn finish(&mut self, key: &str, stored: Option<Stored>) {
        match (stored, self.entries.get_mut(key)) {
            (Some(stored), Some(entry)) => entry.stored = Some(stored),
            (None, Some(entry)) if entry.stored.is_none() => {
                self.entries.remove(key);
            }
            _ => {}
        }
    }

    fn chance(&self, key: &str, now: UtcMs) -> u64 {
        mix(&[
            b"prune",
            &self.seed.to_be_bytes(),
            key.as_bytes(),
            &now.secs().to_be_bytes(),
        ])
    }

    fn sweep(&mut self, now: UtcMs) {
        self.since_sweep += 1;
        if self.since_sweep >= SWEEP_EVERY {
            self.since_sweep = 0;
            self.entries.retain(|_, entry| entry.pruned_at > now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(status: u16) -> Stored {
        Stored {
            status,
            body: b"{}".to_vec(),
            request_id: "req_1".into(),
        }
    }

    #[test]
    fn the_first_answer_is_replayed_even_when_it_was_a_500() {
        let mut keys = Keys::new(1);
        assert_eq!(keys.begin("k", 7, UtcMs(0)), Begin::Fresh);
        assert_eq!(keys.begin("k", 7, UtcMs(1)), Begin::InUse);
        keys.finish("k", Some(stored(500)));
        assert_eq!(keys.begin("k", 7, UtcMs(2)), Begin::Replay(stored(500)));
        assert_eq!(keys.begin("k", 8, UtcMs(2)), Begin::Differs);
    }

    #[test]
    fn an_answer_that_is_not_kept_frees_the_key() {
        let mut keys = Keys::new(1);
        assert_eq!(keys.begin("k", 7, UtcMs(0)), Begin::Fresh);
        keys.finish("k", None);
        assert_eq!(keys.begin("k", 8, UtcMs(1)), Begin::Fresh);
    }

    #[test]
    fn keys_live_between_24_and_26_hours() {
        for seed in 0..200 {
            let mut keys = Keys::new(seed);
            assert_eq!(keys.begin("k", 7, UtcMs(0)), Begin::Fresh);
            keys.finish("k", Some(stored(200)));
            assert_eq!(
                keys.begin("k", 7, UtcMs(24 * HOUR_MS - 1)),
                Begin::Replay(stored(200))
            );
            assert_eq!(keys.begin("k", 7, UtcMs(26 * HOUR_MS)), Begin::Fresh);
        }
    }
}
