//! Stripe's clock, as far as its `Date` headers tell: key ages and windows count by it, whatever the local clock says.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::time::UtcMs;
use crate::stripe::reply::Meta;

/// Local skew that is shown.
pub const WARN_MS: i64 = 120_000;
/// Local skew with which nothing is written (reliability 3.3, 41).
pub const REFUSE_MS: i64 = 300_000;

/// Server minus local time of one account. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ServerTime(Arc<AtomicI64>);

impl ServerTime {
    /// Learns from an answer. The header has whole seconds, so less than a second and a half is no skew.
    pub fn learn(&self, meta: &Meta) {
        if let Some(date) = meta.server_date {
            let skew = date.since(meta.at);
            self.0
                .store(if skew.abs() < 1_500 { 0 } else { skew }, Ordering::Relaxed);
        }
    }

    /// The server's time at local `now`.
    #[must_use]
    pub fn at(&self, now: UtcMs) -> UtcMs {
        now.plus_ms(self.0.load(Ordering::Relaxed))
    }

    /// How far the server is ahead, in milliseconds.
    #[must_use]
    pub fn skew_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
