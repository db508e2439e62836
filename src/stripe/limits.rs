//! Stripe's limits on one account, the share of them that is used, and the names of what comes of them. PURE.

use super::key::Mode;
use super::reply::Meta;

/// Why a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitReason {
    /// The account's requests per second.
    AccountRate,
    /// The endpoint's requests per second.
    EndpointRate,
    /// As many requests are in flight as allowed.
    Concurrency,
    /// Stripe said `Retry-After`.
    RetryAfter,
    /// The pause before the same request is sent again.
    Backoff,
}

impl std::fmt::Display for WaitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AccountRate => "the account's rate",
            Self::EndpointRate => "the endpoint's rate",
            Self::Concurrency => "requests in flight",
            Self::RetryAfter => "Stripe asked to wait",
            Self::Backoff => "backing off",
        })
    }
}

impl WaitReason {
    pub(super) const COUNT: usize = 5;
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::AccountRate,
        Self::EndpointRate,
        Self::Concurrency,
        Self::RetryAfter,
        Self::Backoff,
    ];
}

/// Which limiter said 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    /// The account's rate, or a limiter without a name.
    Account,
    /// One endpoint's rate, or a limit of one resource.
    Endpoint,
    /// Requests in flight.
    Concurrency,
    /// No limiter: another request holds the object.
    Lock,
}

impl Limited {
    /// From an answer; `None` if it is no 429.
    #[must_use]
    pub fn of(meta: &Meta, code: Option<&str>) -> Option<Self> {
        if meta.status != 429 {
            return None;
        }
        Some(match meta.limited_by.as_deref() {
            _ if code == Some("lock_timeout") => Self::Lock,
            Some("endpoint-rate" | "resource-specific") => Self::Endpoint,
            Some("global-concurrency" | "endpoint-concurrency") => Self::Concurrency,
            _ => Self::Account,
        })
    }
}

/// Limits of one account. All rates in requests per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceConfig {
    /// Stripe's limit per account; `None` lifts both rate limits.
    pub account_per_s: Option<u32>,
    /// Stripe's limit per endpoint.
    pub endpoint_per_s: u32,
    /// Per cent of both that this program uses, 1–100.
    pub share_percent: u8,
    /// Most requests in flight.
    pub concurrency: u32,
    /// How much the way to the server varies, milliseconds: with it no second is above the limit as received either.
    pub jitter_ms: i64,
}

impl PaceConfig {
    /// Stripe's published limits; half of them on live, where customers pay meanwhile.
    #[must_use]
    pub const fn of(mode: Mode) -> Self {
        let (account, share) = match mode {
            Mode::Live => (100, 50),
            Mode::Test => (25, 100),
        };
        Self {
            account_per_s: Some(account),
            endpoint_per_s: 25,
            share_percent: share,
            concurrency: 32,
            jitter_ms: 0,
        }
    }

    /// No rate limit, for a server without one.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            account_per_s: None,
            ..Self::of(Mode::Test)
        }
    }

    /// The share of the account's limit, rounded down so that it is never exceeded, at least 1.
    #[must_use]
    pub fn account_limit(&self) -> u32 {
        self.account_per_s.map_or(u32::MAX, |limit| self.share_of(limit))
    }

    /// The share of the endpoint's limit, rounded down, at least 1.
    #[must_use]
    pub fn endpoint_limit(&self) -> u32 {
        self.account_per_s
            .map_or(u32::MAX, |_| self.share_of(self.endpoint_per_s))
    }

    fn share_of(&self, limit: u32) -> u32 {
        let share = u64::from(limit) * u64::from(self.share_percent.clamp(1, 100)) / 100;
        u32::try_from(share).unwrap_or(u32::MAX).max(1)
    }
}
