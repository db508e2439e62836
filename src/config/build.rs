//! From layered values to a [`Config`]: what each value must be by itself, and what they must be together.

mod mapping;
mod subscriptions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Value;
use url::{Host, Url};

use super::error::{ConfigError, Origin};
use super::files::{NO_SUCH_FILE, read_text};
use super::layers::Layers;
use super::settings::setting;
use super::{
    AccountConfig, Config, CouponsConfig, CreditsConfig, InactiveInUse, KeySource, SourceAfter,
    SubscriptionsStart, WithoutCode,
};
use crate::domain::ids::{AccountId, Environment, Role};
use crate::domain::scope::ScopeRule;
use crate::domain::text::safe;

/// The share of a test account's limit that is used unless said otherwise: nobody is served by one at night.
const TEST_SHARE_PERCENT: u32 = 100;

pub(super) fn build(path: &Path, layers: Layers) -> Result<Config, ConfigError> {
    let values = Values { path, layers };
    let environment = match values.text("mode").0.as_str() {
        "live" => Environment::Live,
        _ => Environment::Test,
    };
    let source = values.account(Role::Source, environment)?;
    let destination = values.account(Role::Destination, environment)?;
    values.refuse_mix_ups(&source, &destination)?;
    let config = Config {
        path: path.to_owned(),
        environment,
        scope: values.scope()?,
        inactive_in_use: match values.text("catalogue.inactive_in_use").0.as_str() {
            "active" => InactiveInUse::Active,
            _ => InactiveInUse::AsOld,
        },
        mapping: values.mapping()?,
        database: values.database()?,
        credits: values.credits(),
        coupons: values.coupons(),
        subscriptions: values.subscriptions(),
        waive_witness: values.bool("approval.waive_witness"),
        run_dir: values.path("run.dir").unwrap_or_else(|| PathBuf::from("runs")),
        source,
        destination,
    };
    Ok(config)
}

/// The layers, read by name. Kinds, bounds and the presence of required settings were checked when they were layered.
struct Values<'a> {
    path: &'a Path,
    layers: Layers,
}

impl Values<'_> {
    fn origin(&self, setting: &str) -> Origin {
        self.layers
            .get(setting)
            .map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    fn value(&self, setting: &str) -> Option<&Value> {
        self.layers.get(setting).map(|(value, _)| value)
    }

    fn text(&self, setting: &str) -> (String, Origin) {
        let text = self.value(setting).and_then(Value::as_str).unwrap_or_default();
        (text.trim().to_owned(), self.origin(setting))
    }

    fn bool(&self, setting: &str) -> bool {
        self.value(setting).and_then(Value::as_bool).unwrap_or_default()
    }

    fn int(&self, setting: &str) -> i64 {
        self.value(setting)
            .and_then(Value::as_integer)
            .unwrap_or_default()
    }

    /// The texts of a list, in its order.
    fn texts(&self, setting: &str) -> impl Iterator<Item = String> {
        let items = self.value(setting).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(|text| text.trim().to_owned())
    }

    fn list(&self, setting: &str) -> BTreeSet<String> {
        self.texts(setting).collect()
    }

    /// A path; relative to the configuration file unless it was given elsewhere.
    fn path(&self, setting: &str) -> Option<PathBuf> {
        let given = Path::new(self.value(setting)?.as_str()?);
        Some(self.placed(setting, given))
    }

    fn placed(&self, setting: &str, given: &Path) -> PathBuf {
        match self.origin(setting) {
            Origin::File { .. } | Origin::Default => self.beside(given),
            Origin::Variable(_) | Origin::Flag => given.to_owned(),
        }
    }

    fn beside(&self, given: &Path) -> PathBuf {
        self.path
            .parent()
            .map_or_else(|| given.to_owned(), |folder| folder.join(given))
    }

    fn wrong(&self, setting: &'static str, why: impl Into<String>) -> ConfigError {
        ConfigError::Wrong {
            at: self.origin(setting),
            setting,
            why: why.into(),
        }
    }

    fn account(&self, role: Role, environment: Environment) -> Result<AccountConfig, ConfigError> {
        let name = |field: &str| path_of(role, field);
        let small = |field| u32::try_from(self.int(name(field))).unwrap_or(1);
        let unsaid = self.origin(name("share_percent")) == Origin::Default;
        Ok(AccountConfig {
            account: self.account_id(name("account"))?,
            name: safe(&self.text(name("name")).0).to_string(),
            api_base: self.api_base(name("api_base"))?,
            key: self.required_key(name("key"))?,
            write_key: self.key(name("write_key"))?,
            share_percent: match environment {
                Environment::Test if unsaid => TEST_SHARE_PERCENT,
                _ => small("share_percent"),
            },
            max_in_flight: small("max_in_flight"),
            gets_used_30_days: u64::try_from(self.int(name("gets_used_30_days"))).unwrap_or(0),
        })
    }

    fn account_id(&self, setting: &'static str) -> Result<AccountId, ConfigError> {
        let (text, _) = self.text(setting);
        let body = text.strip_prefix("acct_").unwrap_or_default();
        if body.is_empty() || !body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            let why = "must be an account id, acct_ and letters and digits; the Dashboard shows it under Settings, Account";
            return Err(self.wrong(setting, why));
        }
        Ok(AccountId(text))
    }

    fn api_base(&self, setting: &'static str) -> Result<String, ConfigError> {
        let (text, at) = self.text(setting);
        let example =
            "write scheme, host and port only, such as https://api.stripe.com or http://127.0.0.1:12111";
        let url =
            Url::parse(&text).map_err(|_| self.wrong(setting, format!("is not an address; {example}")))?;
        let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if url.host().is_none() || !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(self.wrong(setting, format!("says too much or too little; {example}")));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                let why = format!(
                    "`{setting}` would send the key unencrypted over the network; use https, or http on 127.0.0.1, \
                     [::1] or localhost"
                );
                return Err(ConfigError::Unsafe { at, why });
            }
            _ => return Err(self.wrong(setting, format!("is neither https nor http; {example}"))),
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    fn required_key(&self, setting: &'static str) -> Result<KeySource, ConfigError> {
        self.key(setting)?
            .ok_or_else(|| self.wrong(setting, "must say where the key is"))
    }

    fn key(&self, setting: &'static str) -> Result<Option<KeySource>, ConfigError> {
        let Some(table) = self.value(setting).and_then(Value::as_table) else {
            return Ok(None);
        };
        let source = KeySource::parse(table).map_err(|why| self.wrong(setting, why))?;
        Ok(Some(match source {
            KeySource::File(path) => KeySource::File(self.beside(&path)),
            other => other,
        }))
    }

    fn refuse_mix_ups(&self, source: &AccountConfig, destination: &AccountConfig) -> Result<(), ConfigError> {
        let refused = |setting: &'static str, why: String| {
            Err(ConfigError::Unsafe {
                at: self.origin(setting),
                why,
            })
        };
        if source.account == destination.account {
            let why = format!(
                "`source.account` and `destination.account` are both {}; a move needs two accounts, so correct one",
                source.account
            );
            return refused("destination.account", why);
        }
        let keys = |account: &AccountConfig| [Some(account.key.clone()), account.write_key.clone()];
        let of_source = keys(source);
        let shared = keys(destination)
            .into_iter()
            .flatten()
            .find(|key| of_source.contains(&Some(key.clone())));
        match shared {
            None => Ok(()),
            Some(key) => {
                let why =
                    format!("both accounts take a key from {key}; every account has its own, so correct one");
                refused("destination.key", why)
            }
        }
    }

    fn scope(&self) -> Result<ScopeRule, ConfigError> {
        let regions = self.named("scope.regions")?;
        if regions.is_empty() {
            return Err(self.wrong(
                "scope.regions",
                "names no region, so nobody would move; name those that move",
            ));
        }
        Ok(ScopeRule {
            region_key: self.text("scope.region_key").0,
            regions,
            wave_key: self.text("scope.wave_key").0,
            waves: self.named("scope.waves")?,
            include: self.customers("scope.include", "scope.include_file")?,
            exclude: self.customers("scope.exclude", "scope.exclude_file")?,
        })
    }

    fn named(&self, setting: &'static str) -> Result<BTreeSet<String>, ConfigError> {
        let list = self.list(setting);
        if list.contains("") {
            return Err(self.wrong(setting, "contains an empty text; take it out"));
        }
        Ok(list)
    }

    fn customers(
        &self,
        setting: &'static str,
        file_setting: &'static str,
    ) -> Result<BTreeSet<String>, ConfigError> {
        let mut all = self.list(setting);
        if let Some(bad) = all.iter().find(|id| !is_id(id)) {
            return Err(self.wrong(
                setting,
                format!("contains `{}`, which is no customer id", safe(bad)),
            ));
        }
        if let Some(path) = self.path(file_setting) {
            all.extend(self.listed_in(&path, file_setting)?);
        }
        Ok(all)
    }

    /// One customer id a line; blank lines and what follows a `#` do not count.
    fn listed_in(&self, path: &Path, setting: &'static str) -> Result<Vec<String>, ConfigError> {
        let text = read_text(path).map_err(|error| match error {
            ConfigError::Unreadable { path, why } if why == NO_SUCH_FILE => self.wrong(
                setting,
                format!("names {}, and there is no such file", path.display()),
            ),
            other => other,
        })?;
        let mut ids = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let id = line.split('#').next().unwrap_or_default().trim();
            if !id.is_empty() && !is_id(id) {
                let why = format!(
                    "line {}: `{}` is no customer id; write one a line",
                    at + 1,
                    safe(id)
                );
                return Err(ConfigError::Unreadable {
                    path: path.to_owned(),
                    why,
                });
            }
            if !id.is_empty() {
                ids.push(id.to_owned());
            }
        }
        Ok(ids)
    }

    fn coupons(&self) -> CouponsConfig {
        CouponsConfig {
            without_code: match self.text("coupons.without_code").0.as_str() {
                "leave" => WithoutCode::Leave,
                _ => WithoutCode::Ask,
            },
            subscriptions_start: match self.text("coupons.subscriptions_start").0.as_str() {
                "backdated" => SubscriptionsStart::Backdated,
                _ => SubscriptionsStart::NextBill,
            },
        }
    }

    fn credits(&self) -> CreditsConfig {
        CreditsConfig {
            source_after: match self.text("credits.source_after").0.as_str() {
                "drain" => SourceAfter::Drain,
                _ => SourceAfter::Leave,
            },
            expected_balances: self.path("credits.expected_balances"),
        }
    }
}

/// The name of one account's setting, as the table of settings has it.
fn path_of(role: Role, field: &str) -> &'static str {
    setting(&format!("{role}.{field}")).map_or("", |setting| setting.path)
}

/// Ids are opaque; what no id contains is still refused.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic() && b != b',')
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}
