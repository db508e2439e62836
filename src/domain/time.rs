//! Instants and lengths of time as plain integers, so that pure code can compare and print them without a clock.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since the Unix epoch, UTC. Only [`crate::clock::Clock`] makes one from "now".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// From Stripe's unit, whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole seconds since the epoch, rounded down: the unit of every time Stripe sends or takes.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `self + ms`, saturating.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As a calendar instant. Out-of-range values (beyond the year 262 000) fall back to the epoch.
    #[must_use]
    pub fn datetime(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }

    /// Year and month, as cards expire.
    #[must_use]
    pub fn year_month(self) -> (i64, i64) {
        use chrono::Datelike as _;
        let date = self.datetime();
        (i64::from(date.year()), i64::from(date.month()))
    }

    /// The day, `2026-02-14`.
    #[must_use]
    pub fn day(self) -> String {
        self.datetime().format("%Y-%m-%d").to_string()
    }

    /// RFC 3339 with milliseconds, `2026-02-14T00:03:10.207Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.datetime().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// `00:03:10`, UTC.
    #[must_use]
    pub fn hms(self) -> String {
        self.datetime().format("%H:%M:%S").to_string()
    }
}

/// A length of time as people say it: `0.4s`, `42s`, `3m12s`, `5h03m`, `2d04h`.
#[must_use]
pub fn human_ms(ms: i64) -> String {
    let ms = ms.max(0);
    let secs = ms / 1000;
    match secs {
        0..=9 => format!("{}.{}s", secs, (ms % 1000) / 100),
        10..=59 => format!("{secs}s"),
        60..=3599 => format!("{}m{:02}s", secs / 60, secs % 60),
        3600..=86_399 => format!("{}h{:02}m", secs / 3600, secs % 3600 / 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_say_them() {
        let said: Vec<_> = [-5, 0, 450, 9_999, 42_000, 192_000, 18_180_000, 187_200_000]
            .map(human_ms)
            .to_vec();
        assert_eq!(
            said,
            ["0.0s", "0.0s", "0.4s", "9.9s", "42s", "3m12s", "5h03m", "2d04h"]
        );
    }

    #[test]
    fn seconds_round_towards_the_past_before_the_epoch_too() {
        assert_eq!(UtcMs(-1).secs(), -1);
        assert_eq!(UtcMs(1999).secs(), 1);
    }
}
