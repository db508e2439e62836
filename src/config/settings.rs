//! The one list of settings: their names, what they take, their defaults. The example file, the environment variables
//! and the messages are all checked against, or made from, this table.

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// The path of a file or directory; relative to the configuration file when it stands there.
    Path,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number within these bounds.
    Int(i64, i64),
    /// A list of texts.
    List,
    /// An instant with its offset from UTC, RFC 3339: as a text, or as TOML's own kind.
    Time,
    /// Where a secret is: `{ env = "…" }`, `{ file = "…" }` or `{ command = ["…"] }`. Never the secret.
    Key,
}

/// What happens when a setting is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has to be given.
    Required,
    /// This, written as TOML.
    Default(&'static str),
    /// Nothing.
    Optional,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// `section.name`.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What happens without it.
    pub need: Need,
}

impl Setting {
    /// The environment variable that overrides the file: `CUTOVER_SOURCE_SHARE_PERCENT`. Where a key is cannot be
    /// overridden that way, because the name would invite putting the key itself there.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        (self.kind != Kind::Key).then(|| variable_of(self.path))
    }
}

pub(super) fn variable_of(path: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", path.replace('.', "_").to_uppercase())
}

/// What the names of all environment variables of ours begin with.
pub const VARIABLE_PREFIX: &str = "CUTOVER_";

const fn required(path: &'static str, kind: Kind) -> Setting {
    Setting {
        path,
        kind,
        need: Need::Required,
    }
}

const fn optional(path: &'static str, kind: Kind) -> Setting {
    Setting {
        path,
        kind,
        need: Need::Optional,
    }
}

const fn default(path: &'static str, kind: Kind, toml: &'static str) -> Setting {
    Setting {
        path,
        kind,
        need: Need::Default(toml),
    }
}

/// More requests at once than this would only wait at Stripe's concurrency limiter.
const MOST_IN_FLIGHT: i64 = 256;
const ANY_COUNT: Kind = Kind::Int(0, i64::MAX);
/// 100 requests a second (facts: live limit) at 300 ms each keep 30 in flight.
const IN_FLIGHT: &str = "32";
const STRIPE: &str = "\"https://api.stripe.com\"";
/// A lock or a statement that takes longer than ten minutes is not waited for by anybody.
const DATABASE_MS: Kind = Kind::Int(1, 600_000);

/// Every setting there is, in the order of `config.example.toml`.
pub const SETTINGS: [Setting; 54] = [
    required("mode", Kind::Word(&["live", "test"])),
    required("source.account", Kind::Text),
    required("source.key", Kind::Key),
    optional("source.write_key", Kind::Key),
    default("source.name", Kind::Text, "\"old\""),
    default("source.api_base", Kind::Text, STRIPE),
    default("source.share_percent", Kind::Int(1, 100), "50"),
    default("source.max_in_flight", Kind::Int(1, MOST_IN_FLIGHT), IN_FLIGHT),
    default("source.gets_used_30_days", ANY_COUNT, "0"),
    required("destination.account", Kind::Text),
    required("destination.key", Kind::Key),
    optional("destination.write_key", Kind::Key),
    default("destination.name", Kind::Text, "\"new\""),
    default("destination.api_base", Kind::Text, STRIPE),
    default("destination.share_percent", Kind::Int(1, 100), "50"),
    default(
        "destination.max_in_flight",
        Kind::Int(1, MOST_IN_FLIGHT),
        IN_FLIGHT,
    ),
    default("destination.gets_used_30_days", ANY_COUNT, "0"),
    required("scope.regions", Kind::List),
    default("scope.region_key", Kind::Text, "\"region\""),
    default("scope.waves", Kind::List, "[]"),
    default("scope.wave_key", Kind::Text, "\"wave\""),
    default("scope.include", Kind::List, "[]"),
    optional("scope.include_file", Kind::Path),
    default("scope.exclude", Kind::List, "[]"),
    optional("scope.exclude_file", Kind::Path),
    default(
        "catalogue.inactive_in_use",
        Kind::Word(&["as_old", "active"]),
        "\"as_old\"",
    ),
    default("mapping.files", Kind::List, "[]"),
    optional("mapping.asked", Kind::Path),
    optional("mapping.copied_at", Kind::Time),
    default("mapping.invoice_numbering", Kind::Bool, "false"),
    default("mapping.contact_days", Kind::Int(1, 365), "7"),
    optional("app_database.url", Kind::Key),
    optional("app_database.table", Kind::Text),
    optional("app_database.key_column", Kind::Text),
    optional("app_database.method_column", Kind::Text),
    optional("app_database.customer_column", Kind::Text),
    default("app_database.extra_columns", Kind::List, "[]"),
    optional("app_database.where", Kind::Text),
    default("app_database.quiet", Kind::Bool, "false"),
    default("app_database.lock_timeout_ms", DATABASE_MS, "3000"),
    default("app_database.statement_timeout_ms", DATABASE_MS, "15000"),
    default("app_database.batch_rows", Kind::Int(1, 500), "500"),
    required("credits.source_after", Kind::Word(&["drain", "leave"])),
    optional("credits.expected_balances", Kind::Path),
    default("coupons.without_code", Kind::Word(&["ask", "leave"]), "\"ask\""),
    default(
        "coupons.subscriptions_start",
        Kind::Word(&["next_bill", "backdated"]),
        "\"next_bill\"",
    ),
    default("subscriptions.route", Kind::Word(&["csv", "api"]), "\"csv\""),
    optional("subscriptions.upload_by", Kind::Time),
    default("subscriptions.margin_hours", Kind::Int(0, 720), "1"),
    optional("subscriptions.window_ends", Kind::Time),
    default("subscriptions.first_batch", Kind::Int(1, 100_000), "50"),
    default("subscriptions.preview_sample", Kind::Int(0, 100_000), "20"),
    default("approval.waive_witness", Kind::Bool, "false"),
    default("run.dir", Kind::Path, "\"runs\""),
];

/// The setting at that path.
#[must_use]
pub fn setting(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.path == path)
}

/// Whether `path` is a section rather than a setting.
#[must_use]
pub(super) fn is_section(path: &str) -> bool {
    SETTINGS.iter().any(|setting| {
        setting
            .path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// How alike two names must be, from 0 to 1, to be taken for a slip of the hand.
const ALIKE: f64 = 0.6;

/// The section an environment variable's name, without [`VARIABLE_PREFIX`], begins with, and what follows it.
#[must_use]
pub(super) fn section_of_variable(suffix: &str) -> Option<(&'static str, String)> {
    let name = suffix.to_lowercase();
    let sections = SETTINGS.iter().filter_map(|setting| setting.path.split_once('.'));
    sections.map(|(section, _)| section).find_map(|section| {
        let rest = name.strip_prefix(section)?;
        let is_whole = rest.is_empty() || rest.starts_with('_');
        is_whole.then(|| (section, rest.trim_start_matches('_').to_owned()))
    })
}

/// The setting or section whose name is nearest to `path`, if any is near. A right name in the wrong place counts as
/// near.
#[must_use]
pub(super) fn nearest(path: &str) -> Option<&'static str> {
    let paths = SETTINGS.iter().map(|setting| setting.path);
    let sections = paths
        .clone()
        .filter_map(|path| path.split_once('.'))
        .map(|(section, _)| section);
    let (best, likeness) = paths
        .chain(sections)
        .map(|candidate| (candidate, likeness(path, candidate)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness >= ALIKE).then_some(best)
}

fn likeness(path: &str, candidate: &str) -> f64 {
    let name = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let whole = strsim::jaro_winkler(path, candidate);
    if name(path) == name(candidate) {
        whole.max(0.95)
    } else {
        whole
    }
}
