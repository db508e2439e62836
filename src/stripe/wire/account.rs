use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::or_default;

/// `GET /v1/account` (spec `account`). Has no `livemode`; the mode is the key's.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// `acct_…`
    pub id: String,
    /// Two letters, uppercase.
    pub country: Option<String>,
    /// Lowercase ISO.
    pub default_currency: Option<String>,
    /// Whether the account may charge.
    #[serde(default)]
    pub charges_enabled: bool,
    /// Name → `active`, `inactive`, `pending`.
    #[serde(default, deserialize_with = "or_default")]
    pub capabilities: BTreeMap<String, String>,
    /// What customers see.
    pub business_profile: Option<BusinessProfile>,
    /// What the owner set.
    pub settings: Option<Settings>,
}

impl Account {
    /// The name to call the account by on screen, raw.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        let dashboard = self.settings.as_ref().and_then(|s| s.dashboard.as_ref());
        let named = dashboard.and_then(|d| d.display_name.as_deref());
        named.or_else(|| self.business_profile.as_ref()?.name.as_deref())
    }
}

/// Part of [`Account`].
#[derive(Clone, Debug, Deserialize)]
pub struct BusinessProfile {
    /// Raw.
    pub name: Option<String>,
}

/// Part of [`Account`].
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// The Dashboard's.
    pub dashboard: Option<Dashboard>,
}

/// Part of [`Settings`].
#[derive(Clone, Debug, Deserialize)]
pub struct Dashboard {
    /// Raw.
    pub display_name: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
}
