use std::collections::BTreeMap;

use serde::Deserialize;

use super::common::{open_enum, or_default, some_id_of};
use crate::stripe::page::Listed;

open_enum! {
    /// For the owner's books only (spec `billing.credit_grant.category`).
    GrantCategory {
        /// Bought.
        Paid = "paid",
        /// Given.
        Promotional = "promotional",
    }
}

/// Billing credits for metered prices (spec `billing.credit_grant`).
#[derive(Clone, Debug, Deserialize)]
pub struct CreditGrant {
    /// `credgr_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// What was granted, not what is left of it.
    pub amount: GrantAmount,
    /// Paid or given.
    pub category: GrantCategory,
    /// Whose.
    #[serde(deserialize_with = "some_id_of")]
    pub customer: String,
    /// Raw.
    pub name: Option<String>,
    /// Seconds.
    pub effective_at: Option<i64>,
    /// Seconds; `None` never.
    pub expires_at: Option<i64>,
    /// Seconds; set when it was voided.
    pub voided_at: Option<i64>,
    /// 0 (first) to 100.
    pub priority: Option<i64>,
    /// Our markers among others.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: BTreeMap<String, String>,
    /// Mode.
    pub livemode: bool,
}

/// Part of [`CreditGrant`].
#[derive(Clone, Debug, Deserialize)]
pub struct GrantAmount {
    /// `None` for kinds of amount this program does not know.
    pub monetary: Option<Monetary>,
}

/// Part of [`GrantAmount`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Monetary {
    /// Lowercase ISO.
    pub currency: String,
    /// Minor units, positive.
    pub value: i64,
}

impl Listed for CreditGrant {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
