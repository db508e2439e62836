//! One answer as it came: status, the headers that matter, body, and when.

use bytes::Bytes;
use chrono::DateTime;

use crate::domain::time::UtcMs;

/// Headers of an answer that decide something or are kept as evidence (facts 2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// HTTP status.
    pub status: u16,
    /// `Request-Id`, `req_…`.
    pub request_id: Option<String>,
    /// `Original-Request`: the id of the first request with this idempotency key, on a replay.
    pub original_request: Option<String>,
    /// `Idempotent-Replayed: true`.
    pub replayed: bool,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// `Retry-After` in milliseconds, at most [`MAX_RETRY_AFTER_MS`].
    pub retry_after_ms: Option<i64>,
    /// `Stripe-Rate-Limited-Reason`, e.g. `endpoint-rate`.
    pub limited_by: Option<String>,
    /// `Stripe-Version` as echoed.
    pub api_version: Option<String>,
    /// `Date` of the server, the clock that key ages are measured by.
    pub server_date: Option<UtcMs>,
    /// When the request was released to the network, by this program's clock.
    pub sent_at: UtcMs,
    /// When the answer was complete.
    pub at: UtcMs,
}

/// A 2xx answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status and headers.
    pub meta: Meta,
    /// Decoded body, at most the configured cap; JSON for every reply a `Reader` or `Writer` returns.
    pub body: Bytes,
}

/// Longest `Retry-After` that is believed: the bound of the whole rate-limit retry (reliability 4.4).
pub const MAX_RETRY_AFTER_MS: i64 = 15 * 60 * 1000;

/// Longest header text kept.
const MAX_TEXT: usize = 255;

impl Meta {
    /// From a status and a header lookup; `sent_at` and `at` are the caller's clock.
    pub(super) fn read<'h>(
        status: u16,
        header: impl Fn(&str) -> Option<&'h str>,
        sent_at: UtcMs,
        at: UtcMs,
    ) -> Self {
        let text = |name: &str| header(name).map(|v| v.chars().take(MAX_TEXT).collect::<String>());
        let server_date = header("date").and_then(http_date);
        Self {
            status,
            request_id: text("request-id"),
            original_request: text("original-request"),
            replayed: header("idempotent-replayed") == Some("true"),
            should_retry: header("stripe-should-retry").and_then(|v| v.parse().ok()),
            retry_after_ms: header("retry-after").and_then(|v| retry_after(v, server_date.unwrap_or(at))),
            limited_by: text("stripe-rate-limited-reason"),
            api_version: text("stripe-version"),
            server_date,
            sent_at,
            at,
        }
    }
}

/// `Sat, 14 Feb 2026 00:03:10 GMT`.
fn http_date(text: &str) -> Option<UtcMs> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(UtcMs(date.timestamp_millis()))
}

/// Seconds or an HTTP date (RFC 9110 §10.2.3).
fn retry_after(text: &str, now: UtcMs) -> Option<i64> {
    let ms = match text.trim().parse::<u32>() {
        Ok(secs) => i64::from(secs) * 1000,
        Err(_) => http_date(text)?.since(now),
    };
    Some(ms.clamp(0, MAX_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &'static [(&'static str, &'static str)]) -> Meta {
        let header = move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        Meta::read(429, header, UtcMs(5), UtcMs(9))
    }

    #[test]
    fn headers_are_read_as_stripe_writes_them() {
        let meta = read(&[
            ("request-id", "req_1"),
            ("date", "Sat, 14 Feb 2026 00:03:10 GMT"),
            ("idempotent-replayed", "true"),
            ("stripe-should-retry", "false"),
            ("retry-after", "2"),
            ("stripe-rate-limited-reason", "endpoint-rate"),
        ]);
        assert_eq!(meta.request_id.as_deref(), Some("req_1"));
        assert_eq!(
            meta.server_date.map(UtcMs::rfc3339).as_deref(),
            Some("2026-02-14T00:03:10.000Z")
        );
        assert!(meta.replayed);
        assert_eq!(
            (meta.should_retry, meta.retry_after_ms),
            (Some(false), Some(2000))
        );
        assert_eq!(meta.limited_by.as_deref(), Some("endpoint-rate"));
        assert_eq!((meta.sent_at, meta.at), (UtcMs(5), UtcMs(9)));
    }

    #[test]
    fn retry_after_may_be_a_date_and_is_bounded_either_way() {
        let dated = read(&[
            ("date", "Sat, 14 Feb 2026 00:03:10 GMT"),
            ("retry-after", "Sat, 14 Feb 2026 00:03:15 GMT"),
        ]);
        assert_eq!(dated.retry_after_ms, Some(5000));
        assert_eq!(
            read(&[("retry-after", "99999999")]).retry_after_ms,
            Some(MAX_RETRY_AFTER_MS)
        );
        assert_eq!(
            read(&[("retry-after", "Sat, 14 Feb 1970 00:00:00 GMT")]).retry_after_ms,
            Some(MAX_RETRY_AFTER_MS)
        );
        for odd in ["-1", "soon", ""] {
            assert_eq!(
                Meta::read(429, |_| Some(odd), UtcMs(0), UtcMs(0)).retry_after_ms,
                None,
                "{odd}"
            );
        }
    }

    #[test]
    fn a_hostile_header_is_cut() {
        let long = "x".repeat(5000);
        let meta = Meta::read(200, |_| Some(long.as_str()), UtcMs(0), UtcMs(0));
        assert_eq!(meta.request_id.map(|t| t.len()), Some(255));
    }
}
