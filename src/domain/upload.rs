//! A file that a person gave to Stripe's Dashboard: what it was, and what the Dashboard called it.

use serde::{Deserialize, Serialize};

use super::ids::Digest;
use super::time::UtcMs;

/// How long the Dashboard can take all subscriptions of a migration back (Stripe's toolkit page), counted here from the
/// upload: the schedules are made later, so that the button may work longer but never shorter.
pub const CANCEL_MS: i64 = 10 * 60 * 60 * 1_000;

/// One upload, as its operator recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The file, by its name in the run directory.
    pub file: String,
    /// Of its bytes.
    pub digest: Digest,
    /// What the Dashboard calls it.
    pub id: String,
    /// When it was uploaded.
    pub at: UtcMs,
    /// Subscriptions in it.
    pub subscriptions: u64,
    /// Customers in it.
    pub customers: u64,
    /// The first start in it, seconds.
    pub first: Option<i64>,
    /// Who recorded it.
    pub by: String,
}

impl Upload {
    /// Until when the Dashboard's button works at least.
    #[must_use]
    pub const fn cancel_until(&self) -> UtcMs {
        self.at.plus_ms(CANCEL_MS)
    }
}

/// What stands in a file that is to be uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The old subscriptions, in the file's order.
    pub subscriptions: Vec<String>,
    /// How many customers.
    pub customers: u64,
    /// The first start, seconds.
    pub first: Option<i64>,
}

/// How far what was uploaded has come, as the last plan saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Nothing on the new account yet.
    pub queued: u64,
    /// A schedule that has not begun.
    pub scheduled: u64,
    /// Begun.
    pub live: u64,
}
