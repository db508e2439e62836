//! What one answer means for the same request: retry with the same key, stop, or reconcile. PURE: the table of
//! reliability §4.4 as a function. Waiting is [`super::budget`]'s.

use super::error::{Broken, Failure};
use super::reply::Reply;

/// Reads may be repeated freely; a write's outcome may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GET.
    Read,
    /// POST with an idempotency key, or DELETE.
    Write,
}

/// Why the same request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// 429 from a limiter: not processed, not stored.
    RateLimited,
    /// 429 `lock_timeout`: another request holds the object; not processed.
    LockTimeout,
    /// 409: a request with this key is still running. Never success.
    KeyInUse,
    /// 502, 503, 504, 424, or an intermediary's answer: not stored under the key.
    Unstored,
    /// No usable answer.
    Connection,
}

/// What to do next. For a write, everything but `Done`, `Rejected`, `AlreadyExists` and `NotFound` leaves the outcome
/// unknown until a later answer settles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// 2xx. The caller still attests the object (invariant I6).
    Done,
    /// Refused for good and without effect; never the same key again.
    Rejected,
    /// Same bytes, same key, after a pause ([`super::budget::Budget`]).
    RetrySameKey {
        /// `Retry-After`, milliseconds.
        after_ms: Option<i64>,
        /// Why.
        class: Class,
    },
    /// Unknown, and the key holds (or may hold) a stored failure: quiesce and probe, no same-key loop.
    Indeterminate500,
    /// The key was used with other bytes: a bug or a foreign key; stop the run.
    HaltIdempotencyMismatch,
    /// 401, 403: stop the stage.
    HaltAuth,
    /// 3xx: the address is wrong.
    HaltRedirect,
    /// Answered in another API version than the pinned one: a write happened, its meaning is uncertain.
    HaltVersion,
    /// 400 `resource_already_exists`: probe; adopt only what carries our marker.
    AlreadyExists,
    /// 404: the object is gone (drift).
    NotFound,
}

/// One answer, reduced to what the verdict depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Whether the body had Stripe's shape; `true` for 2xx.
    pub shaped: bool,
    /// `error.type`.
    pub kind: Option<&'a str>,
    /// `error.code`.
    pub code: Option<&'a str>,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// `Retry-After`, milliseconds.
    pub retry_after_ms: Option<i64>,
}

/// The verdict on one attempt.
#[must_use]
pub fn judge(kind: Kind, result: &Result<Reply, Failure>) -> Verdict {
    match result {
        Ok(_) => Verdict::Done,
        Err(failure) => judge_failure(kind, failure),
    }
}

/// The verdict on one failed attempt.
#[must_use]
pub fn judge_failure(kind: Kind, failure: &Failure) -> Verdict {
    match failure {
        // Nothing was sent, or the list is not to be trusted: the same request would end the same way.
        Failure::Refused(_) | Failure::Page { .. } | Failure::Shape { .. } => Verdict::Rejected,
        Failure::Transport(e) => judge_broken(kind, e.what, e.meta.as_ref().and_then(|m| m.retry_after_ms)),
        Failure::Redirect(_) => Verdict::HaltRedirect,
        Failure::Version { .. } => Verdict::HaltVersion,
        Failure::Api(e) => judge_answer(
            kind,
            &Answer {
                status: e.meta.status,
                shaped: e.shaped,
                kind: e.kind.as_deref(),
                code: e.code.as_deref(),
                should_retry: e.meta.should_retry,
                retry_after_ms: e.meta.retry_after_ms,
            },
        ),
    }
}

fn judge_broken(kind: Kind, what: Broken, after_ms: Option<i64>) -> Verdict {
    match (kind, what) {
        // It never left and never will; a page will be as large and as deep the next time.
        (_, Broken::Unsendable) | (Kind::Read, Broken::TooLarge | Broken::TooDeep) => Verdict::Rejected,
        _ => Verdict::RetrySameKey {
            after_ms,
            class: Class::Connection,
        },
    }
}

/// The verdict on an answer with a status.
#[must_use]
pub fn judge_answer(kind: Kind, a: &Answer<'_>) -> Verdict {
    match by_status(kind, a) {
        Verdict::RetrySameKey { class, .. } if a.should_retry == Some(false) => give_up(kind, class),
        // Stripe may allow a retry of what we would have called final; it never lifts a halt or a stored 500.
        Verdict::Rejected | Verdict::NotFound if a.should_retry == Some(true) => retry(a, Class::Unstored),
        verdict => verdict,
    }
}

fn by_status(kind: Kind, a: &Answer<'_>) -> Verdict {
    match a.status {
        200..=299 => Verdict::Done,
        300..=399 => Verdict::HaltRedirect,
        401 | 403 => Verdict::HaltAuth,
        409 => retry(a, Class::KeyInUse),
        429 if a.code == Some("lock_timeout") => retry(a, Class::LockTimeout),
        429 => retry(a, Class::RateLimited),
        424 | 502..=504 => retry(a, Class::Unstored),
        400..=499 if !a.shaped => retry(a, Class::Unstored),
        400 if a.kind == Some("idempotency_error") => Verdict::HaltIdempotencyMismatch,
        400 if a.code == Some("resource_already_exists") => Verdict::AlreadyExists,
        404 => Verdict::NotFound,
        400..=499 => Verdict::Rejected,
        // 500 is stored under the key; of the other 5xx nobody says that they are not.
        _ if kind == Kind::Write => Verdict::Indeterminate500,
        _ => retry(a, Class::Unstored),
    }
}

fn retry(a: &Answer<'_>, class: Class) -> Verdict {
    Verdict::RetrySameKey {
        after_ms: a.retry_after_ms,
        class,
    }
}

/// Stripe says not to retry. A limiter refused without processing; of the rest a write's outcome stays unknown.
fn give_up(kind: Kind, class: Class) -> Verdict {
    match (kind, class) {
        (Kind::Read, _) | (_, Class::RateLimited | Class::LockTimeout) => Verdict::Rejected,
        _ => Verdict::Indeterminate500,
    }
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
