//! One account as configured: which side it is, where it answers, and the key.

use url::Url;

use super::allow::Role;
use super::base::{BaseUrlError, check_base_url};
use super::key::{ApiKey, Mode};
use super::limits::PaceConfig;

/// One account. Printing it shows the key's mask only.
#[derive(Clone, Debug)]
pub struct Account {
    /// Which side of the migration.
    pub role: Role,
    /// API base, checked by [`check_base_url`].
    pub base_url: Url,
    /// The key that is sent as bearer token.
    pub key: ApiKey,
}

impl Account {
    /// An account at a checked address.
    pub fn new(role: Role, base_url: &str, key: ApiKey) -> Result<Self, BaseUrlError> {
        Ok(Self {
            role,
            base_url: check_base_url(base_url)?,
            key,
        })
    }

    /// Live or test, by the key.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.key.mode()
    }
}

/// Every limit on one request and on all of them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Rates, share, requests in flight.
    pub pace: PaceConfig,
    /// Longest wait for a connection, milliseconds of real time (reliability 3.1 row 12).
    pub connect_ms: u32,
    /// Longest time from release to complete answer, milliseconds of the program's clock.
    pub total_ms: i64,
    /// Longest pause within a body, milliseconds of the program's clock.
    pub idle_ms: i64,
    /// In a rehearsal, no time limit runs out before this much real time, milliseconds: at a high speed eighty virtual
    /// seconds are shorter than a busy machine's hiccup. The real clock ignores it.
    pub min_real_ms: u32,
    /// Largest decoded body, bytes.
    pub max_body: usize,
    /// Address of an https proxy, if one must be used. The environment's proxies never are.
    pub proxy: Option<Url>,
}

impl Settings {
    /// The defaults for a mode: [`PaceConfig::of`], 10 s, 80 s, 20 s, 8 MiB.
    #[must_use]
    pub const fn of(mode: Mode) -> Self {
        Self::with_pace(PaceConfig::of(mode))
    }

    /// The defaults with another pace.
    #[must_use]
    pub const fn with_pace(pace: PaceConfig) -> Self {
        Self {
            pace,
            connect_ms: 10_000,
            total_ms: 80_000,
            idle_ms: 20_000,
            min_real_ms: 500,
            max_body: 8 * 1024 * 1024,
            proxy: None,
        }
    }
}
