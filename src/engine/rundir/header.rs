//! `run.json`: what run this is.

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::RunDirError;
use crate::domain::time::UtcMs;

/// The run directory's format that this version writes, and the newest it reads.
pub const RUN_FORMAT: u64 = 1;

/// Which accounts a run moves between; a run never changes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// `acct_…` of the old account.
    #[serde(rename = "source_account")]
    pub source: String,
    /// `acct_…` of the new one.
    #[serde(rename = "destination_account")]
    pub destination: String,
    /// `live`, `test` or `rehearsal`.
    pub mode: String,
}

impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} ({})", self.source, self.destination, self.mode)
    }
}

/// The header, written once. `meta` is the caller's own and stands flattened beside the rest: a struct.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header<M> {
    /// [`RUN_FORMAT`] of the version that wrote it.
    pub format: u64,
    /// That version of cutover.
    pub tool: String,
    /// The run's id, unique by the caller's word.
    pub run: String,
    /// When the run was made.
    pub created: UtcMs,
    /// Between which accounts.
    #[serde(flatten)]
    pub accounts: Accounts,
    /// The caller's own.
    #[serde(flatten)]
    pub meta: M,
}

/// What every version's header has.
#[derive(Deserialize)]
struct Version {
    format: u64,
    tool: String,
}

impl<M> Header<M> {
    /// A header in this version's format.
    pub fn new(run: impl Into<String>, created: UtcMs, accounts: Accounts, meta: M) -> Self {
        let tool = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            format: RUN_FORMAT,
            tool,
            run: run.into(),
            created,
            accounts,
            meta,
        }
    }
}

impl<M: Serialize> Header<M> {
    pub(super) fn to_json(&self) -> Result<Vec<u8>, RunDirError> {
        let bad = |e: serde_json::Error| RunDirError::BadHeader {
            path: super::HEADER.into(),
            why: e.to_string(),
        };
        let mut json = serde_json::to_vec_pretty(self).map_err(bad)?;
        json.push(b'\n');
        Ok(json)
    }
}

impl<M: DeserializeOwned> Header<M> {
    /// The format is looked at first: of a newer one nothing else may be assumed.
    pub(super) fn from_json(path: &Path, json: &[u8]) -> Result<Self, RunDirError> {
        let bad = |e: serde_json::Error| RunDirError::BadHeader {
            path: path.to_owned(),
            why: e.to_string(),
        };
        let Version { format, tool } = serde_json::from_slice(json).map_err(bad)?;
        if format > RUN_FORMAT {
            return Err(RunDirError::NewerFormat {
                path: path.to_owned(),
                found: format,
                tool,
                supported: RUN_FORMAT,
            });
        }
        serde_json::from_slice(json).map_err(bad)
    }
}
