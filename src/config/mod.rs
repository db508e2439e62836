//! The configuration of a run on real accounts: which accounts, who moves, where the keys are.
//!
//! [`load`] layers flag over environment over file over default ([`SETTINGS`] lists every setting), refuses what is
//! unknown or unsafe with one sentence, and touches no account. Keys are never in it: it says where they are, and
//! [`Config::read_keys`] fetches them when they are needed.

mod build;
pub mod decisions;
mod error;
mod files;
mod keys;
mod keysource;
mod keytext;
mod layers;
mod settings;

use std::path::{Path, PathBuf};

use crate::domain::ids::{AccountId, Accounts, Environment, Role};
use crate::domain::scope::ScopeRule;
use crate::domain::time::UtcMs;

pub use error::{ConfigError, Origin};
pub use files::{OperatorStream, open_operator_file, read_operator_file};
pub use keys::{KeyError, Keys, Secret};
pub use keysource::KeySource;
pub use keytext::{find_key, holds_key};
pub use settings::{Kind, Need, SETTINGS, Setting, VARIABLE_PREFIX, setting};

/// A whole, valid configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The file it came from.
    pub path: PathBuf,
    /// [`Environment::Live`] or [`Environment::Test`]; both keys must be of it.
    pub environment: Environment,
    /// The old account.
    pub source: AccountConfig,
    /// The new account.
    pub destination: AccountConfig,
    /// Who moves.
    pub scope: ScopeRule,
    /// Of the catalogue stage.
    pub inactive_in_use: InactiveInUse,
    /// Of the mapping stage.
    pub mapping: MappingConfig,
    /// The application's own database; `None`: no database is touched.
    pub database: Option<DatabaseConfig>,
    /// Of the credits stage.
    pub credits: CreditsConfig,
    /// Of the coupons stage.
    pub coupons: CouponsConfig,
    /// Of the subscriptions stage.
    pub subscriptions: SubscriptionsConfig,
    /// Live writes that nothing can take back need no second name. Printed in the report.
    pub waive_witness: bool,
    /// Where run directories are made.
    pub run_dir: PathBuf,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountConfig {
    /// The account the key must belong to.
    pub account: AccountId,
    /// What the operator calls it.
    pub name: String,
    /// Scheme, host and port, without a slash at the end: `https://api.stripe.com`.
    pub api_base: String,
    /// The key for reading.
    pub key: KeySource,
    /// The key for writing; `None`: the reading key writes too.
    pub write_key: Option<KeySource>,
    /// How much of the account's rate limit the program uses, 1 to 100 %.
    pub share_percent: u32,
    /// Requests under way at once, at most.
    pub max_in_flight: u32,
    /// GETs already counted against Stripe's read allocation in the last 30 days.
    pub gets_used_30_days: u64,
}

/// How inactive products and prices that live subscriptions use are created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InactiveInUse {
    /// Inactive, as on the old account.
    AsOld,
    /// Active, so that subscriptions can be created on them.
    Active,
}

/// Settings of the mapping stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingConfig {
    /// The mapping files of the copy, in the order given: each run of a copy yields its own.
    pub files: Vec<PathBuf>,
    /// The list of customers that was given to the copy, as `cutover copy-list` wrote it.
    pub asked: Option<PathBuf>,
    /// When the copy was made.
    pub copied_at: Option<UtcMs>,
    /// Whether invoice prefix and next number are carried over.
    pub invoice_numbering: bool,
    /// Days support has for each line of the work list.
    pub contact_days: u32,
}

/// The table of the application's database that holds payment-method ids. Names are as given; `appdb` checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Where the address is; it has a password in it, so it is a secret like a key.
    pub url: KeySource,
    /// `table` or `schema.table`.
    pub table: String,
    /// The column that tells rows apart.
    pub key_column: String,
    /// The column of payment-method ids.
    pub method_column: String,
    /// The column of customer ids, where there is one.
    pub customer_column: Option<String>,
    /// Columns that are shown in the review.
    pub extra_columns: Vec<String>,
    /// A condition in SQL that rows must meet, as it stands after WHERE.
    pub condition: Option<String>,
    /// Nobody else writes to the table while the run lasts.
    pub quiet: bool,
    /// Longest wait for a lock, in milliseconds.
    pub lock_timeout_ms: u32,
    /// Longest run of one statement, in milliseconds.
    pub statement_timeout_ms: u32,
    /// Rows of one transaction, at most.
    pub batch_rows: u32,
}

/// Settings of the credits stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditsConfig {
    /// What becomes of a balance on the old account. There is no default: both have a price.
    pub source_after: SourceAfter,
    /// Finance's own list of balances to compare with.
    pub expected_balances: Option<PathBuf>,
}

/// What becomes of a balance on the old account once it stands on the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceAfter {
    /// An opposite entry is posted on the old account first.
    Drain,
    /// It stays and can be spent twice.
    Leave,
}

/// Settings of the coupons stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponsConfig {
    /// What becomes of coupons that no code leads to.
    pub without_code: WithoutCode,
    /// When subscriptions on the new account will begin.
    pub subscriptions_start: SubscriptionsStart,
}

/// What becomes of a coupon that no live code leads to: only the application can apply it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutCode {
    /// Each is a decision.
    Ask,
    /// They stay on the old account.
    Leave,
}

/// When subscriptions on the new account begin: the months of a coupon are counted from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionsStart {
    /// With their first bill on the new account.
    NextBill,
    /// Where the current period of the old subscription began.
    Backdated,
}

/// Settings of the subscriptions stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionsConfig {
    /// How new subscriptions are made where both ways can express them.
    pub route: Route,
    /// When the file will have been uploaded, and schedules created, at the latest.
    pub upload_by: Option<UtcMs>,
    /// Hours between the upload and the first start beyond the 24 that Stripe demands.
    pub margin_hours: u32,
    /// When the settlement window ends.
    pub window_ends: Option<UtcMs>,
    /// Rows of the first file.
    pub first_batch: u32,
    /// Rows of low risk whose amount Stripe is asked for.
    pub preview_sample: u32,
}

/// How new subscriptions are made where both ways can express them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A file for the Billing migration toolkit, uploaded by hand.
    Csv,
    /// Schedules created by this program.
    Api,
}

/// Reads and checks the configuration in `path`. `variables` is the process's environment, `flags` what `--set` said.
pub fn load(path: &Path, variables: &[(String, String)], flags: &[String]) -> Result<Config, ConfigError> {
    let text = files::read_text(path).map_err(|error| match error {
        ConfigError::Unreadable { path, why } if why == files::NO_SUCH_FILE => ConfigError::NoFile(path),
        other => other,
    })?;
    parse(path, &text, variables, flags)
}

/// [`load`], given the file's content. Reads no file but the lists of customers that the configuration names.
pub fn parse(
    path: &Path,
    text: &str,
    variables: &[(String, String)],
    flags: &[String],
) -> Result<Config, ConfigError> {
    build::build(path, layers::layers(path, text, variables, flags)?)
}

/// The environment of this process that [`load`] looks at. Values that are not UTF-8 are shown as such.
#[must_use]
pub fn process_variables() -> Vec<(String, String)> {
    let text = |raw: std::ffi::OsString| raw.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (text(name), value))
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .map(|(name, value)| (name, text(value)))
        .collect()
}

impl Config {
    /// The account in that role.
    #[must_use]
    pub const fn account(&self, role: Role) -> &AccountConfig {
        match role {
            Role::Source => &self.source,
            Role::Destination => &self.destination,
        }
    }

    /// The pinned pair of accounts.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        Accounts {
            source: self.source.account.clone(),
            destination: self.destination.account.clone(),
            environment: self.environment,
        }
    }
}

#[cfg(test)]
mod tests;
