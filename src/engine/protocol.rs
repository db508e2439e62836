//! Exactly-once effects over Stripe's API, as a pure machine: from what is known about one effect to the next move.
//!
//! ```text
//!  fresh ──intend──► open(g) ──send──► ended (done | rejected)
//!                     │   ▲
//!      429, 409, 502…,│   │ the same key and the same bytes, while the key is alive (younger than 23 h by the
//!      reset, timeout └───┘ server's clock) and the attempts last
//!                     │
//!        500, key too old, attempts used up
//!                     ▼
//!                 unknown(g) ── quiet ≥ 10 min, then look ── found ──► ended (done)
//!                                                        └─ absent ──► allowed? intend(g+1) : a person decides
//! ```
//!
//! Why each clause: Stripe stores the first answer under a key, 500s included, and forgets it after at least 24 hours
//! (docs: idempotent requests). So the same key is safe while it lives, a stored 500 would be replayed for ever, and a
//! forgotten key would be a second operation. A request that was in flight may still be executed after a look that did
//! not find it; hence the quiet time. Outcomes are looked for in lists, never in search, which lags.

use crate::domain::record::{Attested, Ended, Intent};
use crate::domain::time::UtcMs;
use crate::domain::write::Method;
use crate::engine::state::EffectState;

/// Oldest a key may be to be sent again: Stripe keeps it "at least 24 hours", and clocks differ.
pub const KEY_ALIVE_MS: i64 = 23 * 3_600_000;
/// Nothing of ours is in flight this long after the last possible send.
pub const QUIET_MS: i64 = 10 * 60_000;
/// Looks before the decisive one only count when they find something: after 1 and 5 minutes.
const LOOK_AFTER_MS: [i64; 3] = [60_000, 5 * 60_000, QUIET_MS];
/// 429 and `lock_timeout` were not executed; they are tried for this long.
pub const LIMITED_MS: i64 = 15 * 60_000;
/// Other retries with the same key.
pub const MAX_ATTEMPTS: u32 = 8;
/// Failed looks in a row before a person is asked.
const MAX_LOOKS: u32 = 8;

/// What one send came back with, as far as the protocol cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A 2xx whose content is what was sent.
    Done(Attested),
    /// A refusal that was not, and will not be, executed.
    Refused(Ended),
    /// Not executed: a limiter or an object lock stood in front.
    Limited {
        /// Stripe's `Retry-After`, if any.
        retry_after_ms: Option<i64>,
    },
    /// Perhaps executed, perhaps not, and not stored: reset, timeout, 502, 503, 504, 409 in use, an unreadable answer.
    Ambiguous {
        /// What happened, for the record.
        why: String,
        /// Stripe's `Retry-After`, if any.
        retry_after_ms: Option<i64>,
    },
    /// A 500, which Stripe stores under the key: the same key can only say it again.
    Stored500 {
        /// The request.
        request_id: String,
    },
    /// Something that must stop everything: 401, 403, a redirect, an idempotency mismatch, an answer that is not what was sent.
    Halt(String),
}

/// What to do next about an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Put an intent of this generation into the journal.
    Intend {
        /// 1 for the first.
        generation: u32,
    },
    /// Send the intent's bytes with the intent's key.
    Send,
    /// Nothing before this instant.
    WaitUntil(UtcMs),
    /// Put into the journal that it is not known.
    DeclareUnknown {
        /// Why.
        why: String,
        /// The request that left it open, where there is an id.
        request_id: String,
    },
    /// Look for the effect.
    Look,
    /// Put into the journal that a decisive look found nothing.
    RecordAbsent,
    /// A person must allow sending again.
    AskPerson(String),
    /// Put the end into the journal, unless it came from there.
    Finish(Ended),
    /// Stop everything.
    Halt(String),
}

/// One effect while the writer is at it.
#[derive(Clone, Debug)]
pub struct Effect {
    phase: Phase,
    /// When this process began: the last send before a crash may have been just then.
    process_began: UtcMs,
    generation: u32,
    /// The generation of its first intent, if this process writes that.
    first: u32,
}

#[derive(Clone, Debug)]
enum Phase {
    Fresh {
        generation: u32,
    },
    Open {
        intent: Box<Intent>,
        tries: Tries,
    },
    GivingUp {
        intent: Box<Intent>,
        why: String,
        request_id: String,
    },
    Unknown {
        intent: Box<Intent>,
        since: UtcMs,
        looks: u32,
        failed_looks: u32,
        absent: bool,
        reissue: bool,
    },
    FoundAbsent {
        intent: Box<Intent>,
        since: UtcMs,
        reissue: bool,
    },
    Ended(Ended),
    Halted(String),
}

#[derive(Clone, Debug)]
struct Tries {
    attempts: u32,
    limited_since: Option<UtcMs>,
    limited: u32,
    not_before: UtcMs,
    /// Some send of this intent may have been executed.
    tainted: bool,
}

impl Effect {
    /// From what the journal knows. `None`: nothing yet. `generations_before` is the generation a new effect comes
    /// after, see [`crate::engine::state::EffectBook::generations_before`].
    #[must_use]
    pub fn resume(known: Option<EffectState>, process_began: UtcMs, generations_before: u32) -> Self {
        let first = generations_before.saturating_add(1);
        let phase = match known {
            None => Phase::Fresh { generation: first },
            // Whether its request left before the crash is not known.
            Some(EffectState::Open(intent)) => Phase::Open {
                intent,
                tries: Tries::new(true),
            },
            Some(EffectState::Unknown {
                intent,
                since,
                probed_absent,
                reissue,
            }) => Phase::Unknown {
                intent,
                since,
                looks: 0,
                failed_looks: 0,
                absent: probed_absent,
                reissue,
            },
            Some(EffectState::Ended(ended)) => Phase::Ended(ended),
        };
        let mut effect = Self {
            phase,
            process_began,
            generation: first,
            first,
        };
        effect.generation = effect.intent().map_or(first, |intent| intent.generation);
        effect
    }

    /// The next move. `now` is the clock's; `server_now` Stripe's, as far as known.
    #[must_use]
    pub fn next(&self, now: UtcMs, server_now: UtcMs) -> Move {
        match &self.phase {
            Phase::Fresh { generation } => Move::Intend {
                generation: *generation,
            },
            Phase::Open { intent, tries } => {
                if server_now.since(intent.server_at) >= KEY_ALIVE_MS {
                    let why = "the key is too old to be sent again: Stripe may have forgotten it".to_owned();
                    return Move::DeclareUnknown {
                        why,
                        request_id: String::new(),
                    };
                }
                if now < tries.not_before {
                    Move::WaitUntil(tries.not_before)
                } else {
                    Move::Send
                }
            }
            Phase::GivingUp { why, request_id, .. } => Move::DeclareUnknown {
                why: why.clone(),
                request_id: request_id.clone(),
            },
            Phase::Unknown {
                absent: true,
                reissue: true,
                intent,
                ..
            } => Move::Intend {
                generation: intent.generation.saturating_add(1),
            },
            Phase::Unknown { absent: true, .. } => Move::AskPerson(
                "Stripe does not have it after the quiet time; allow it to be sent again".to_owned(),
            ),
            Phase::Unknown { failed_looks, .. } if *failed_looks >= MAX_LOOKS => {
                Move::AskPerson("it could not be looked for; resume the run to look again".to_owned())
            }
            Phase::Unknown {
                since,
                looks,
                failed_looks,
                ..
            } => {
                let due = self
                    .look_due(*since, *looks)
                    .plus_ms(i64::from(*failed_looks) * 60_000);
                if now < due {
                    Move::WaitUntil(due)
                } else {
                    Move::Look
                }
            }
            Phase::FoundAbsent { .. } => Move::RecordAbsent,
            Phase::Ended(ended) => Move::Finish(ended.clone()),
            Phase::Halted(why) => Move::Halt(why.clone()),
        }
    }

    fn look_due(&self, since: UtcMs, looks: u32) -> UtcMs {
        let at = usize::try_from(looks)
            .unwrap_or(usize::MAX)
            .min(LOOK_AFTER_MS.len() - 1);
        since.max(self.process_began).plus_ms(LOOK_AFTER_MS[at])
    }

    /// The intent under way.
    #[must_use]
    pub const fn intent(&self) -> Option<&Intent> {
        match &self.phase {
            Phase::Open { intent, .. }
            | Phase::GivingUp { intent, .. }
            | Phase::Unknown { intent, .. }
            | Phase::FoundAbsent { intent, .. } => Some(intent),
            Phase::Fresh { .. } | Phase::Ended(_) | Phase::Halted(_) => None,
        }
    }

    /// Whether nothing of it was ever intended.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        matches!(self.phase, Phase::Fresh { .. })
    }

    /// Generation of the last intent.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The intent is durable.
    pub fn intended(&mut self, intent: Intent) {
        self.generation = intent.generation;
        self.phase = Phase::Open {
            intent: Box::new(intent),
            tries: Tries::new(false),
        };
    }

    /// A send came back. `delay_ms` is the back-off to use if it is to be tried again.
    pub fn answered(&mut self, answer: Answer, now: UtcMs, delay_ms: impl FnOnce(u32) -> i64) {
        let Phase::Open { intent, tries } = &mut self.phase else {
            return;
        };
        let next = match answer {
            // Nobody here sent it before: the answer is the one an earlier run got, and what it made may be gone by now.
            Answer::Done(attested) if attested.replayed && !tries.tainted => Phase::GivingUp {
                intent: intent.clone(),
                why: "Stripe repeated the answer it gave to an earlier run; whether that still holds is looked up"
                    .to_owned(),
                request_id: attested.request_id,
            },
            Answer::Done(attested) => Phase::Ended(Ended::Done(attested)),
            // One of our own that seemed lost may have taken it away; gone is what was asked for.
            Answer::Refused(Ended::Rejected {
                status: 404,
                request_id,
                ..
            }) if intent.method == Method::Delete && (tries.tainted || intent.generation > self.first) => {
                Phase::Ended(Ended::Done(gone(intent, request_id)))
            }
            Answer::Refused(ended) => Phase::Ended(ended),
            Answer::Halt(why) => Phase::Halted(why),
            Answer::Stored500 { request_id } => Phase::GivingUp {
                intent: intent.clone(),
                why: "Stripe answered 500 and stored it under the key".to_owned(),
                request_id,
            },
            Answer::Limited { retry_after_ms } => match tries.limited(now, retry_after_ms, delay_ms) {
                None => return,
                Some(tainted) => out_of_patience(intent, tainted),
            },
            Answer::Ambiguous { why, retry_after_ms } => {
                if tries.ambiguous(now, retry_after_ms, delay_ms) {
                    return;
                }
                Phase::GivingUp {
                    intent: intent.clone(),
                    why,
                    request_id: String::new(),
                }
            }
        };
        self.phase = next;
    }

    /// `Unknown` is durable.
    pub fn declared_unknown(&mut self, now: UtcMs) {
        let Some(intent) = self.intent().cloned() else {
            return;
        };
        let intent = Box::new(intent);
        self.phase = Phase::Unknown {
            intent,
            since: now,
            looks: 0,
            failed_looks: 0,
            absent: false,
            reissue: false,
        };
    }

    /// A look ended: found, or not there, or it could not be made.
    pub fn looked(&mut self, found: Result<Option<Attested>, ()>, now: UtcMs) {
        let process_began = self.process_began;
        let Phase::Unknown {
            intent,
            since,
            looks,
            failed_looks,
            reissue,
            ..
        } = &mut self.phase
        else {
            return;
        };
        match found {
            Err(()) => *failed_looks += 1,
            Ok(Some(attested)) => self.phase = Phase::Ended(Ended::Done(attested)),
            Ok(None) => {
                *looks += 1;
                *failed_looks = 0;
                if now.since((*since).max(process_began)) >= QUIET_MS {
                    self.phase = Phase::FoundAbsent {
                        intent: intent.clone(),
                        since: *since,
                        reissue: *reissue,
                    };
                }
            }
        }
    }

    /// The negative look is durable.
    pub fn recorded_absent(&mut self) {
        let Phase::FoundAbsent {
            intent,
            since,
            reissue,
        } = &self.phase
        else {
            return;
        };
        self.phase = Phase::Unknown {
            intent: intent.clone(),
            since: *since,
            looks: 0,
            failed_looks: 0,
            absent: true,
            reissue: *reissue,
        };
    }
}

/// What is attested of an object that is not there any more.
#[must_use]
pub fn gone(intent: &Intent, request_id: String) -> Attested {
    Attested {
        object: intent.path.rsplit('/').next().unwrap_or_default().to_owned(),
        request_id,
        found: true,
        ..Attested::default()
    }
}

fn out_of_patience(intent: &Intent, tainted: bool) -> Phase {
    let why = "Stripe limited the request for 15 minutes".to_owned();
    if tainted {
        return Phase::GivingUp {
            intent: Box::new(intent.clone()),
            why,
            request_id: String::new(),
        };
    }
    Phase::Ended(Ended::Rejected {
        status: 429,
        code: "rate_limit".to_owned(),
        message: why,
        request_id: String::new(),
    })
}

impl Tries {
    const fn new(tainted: bool) -> Self {
        Self {
            attempts: 0,
            limited_since: None,
            limited: 0,
            not_before: UtcMs(i64::MIN),
            tainted,
        }
    }

    /// `Some(tainted)` when patience has run out.
    fn limited(&mut self, now: UtcMs, after: Option<i64>, delay_ms: impl FnOnce(u32) -> i64) -> Option<bool> {
        let since = *self.limited_since.get_or_insert(now);
        if now.since(since) >= LIMITED_MS {
            return Some(self.tainted);
        }
        self.limited = self.limited.saturating_add(1);
        self.not_before = now.plus_ms(
            after
                .unwrap_or_else(|| delay_ms(self.limited))
                .clamp(0, LIMITED_MS),
        );
        None
    }

    /// Whether it may be tried again.
    fn ambiguous(&mut self, now: UtcMs, after: Option<i64>, delay_ms: impl FnOnce(u32) -> i64) -> bool {
        self.tainted = true;
        self.limited_since = None;
        self.attempts = self.attempts.saturating_add(1);
        self.not_before = now.plus_ms(
            after
                .unwrap_or_else(|| delay_ms(self.attempts))
                .clamp(0, LIMITED_MS),
        );
        self.attempts < MAX_ATTEMPTS
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
