//! What the stage knows: each customer as both accounts show it, and the rows of the application's table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::domain::ids::Digest;
use crate::domain::scope::Belongs;
use crate::domain::text::Safe;
use crate::domain::time::UtcMs;
pub use crate::stages::Read;
use crate::stripe::wire::{CustomerProfile, PaymentMethod};

/// One customer, both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerFacts {
    /// Id on the old account.
    pub id: String,
    /// Id on the new account: the same after a self-serve copy.
    pub new_id: String,
    /// Name, or e-mail where there is none.
    pub label: Safe,
    /// Where it belongs.
    pub belongs: Belongs,
    /// The old account.
    pub source: Side,
    /// The new account; `None` when the customer is not there.
    pub destination: Option<Side>,
}

/// One customer on one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Seconds.
    pub created: i64,
    /// Every field with a value, under the name it is written with.
    pub fields: BTreeMap<String, String>,
    /// Owner's tags.
    pub metadata: BTreeMap<String, String>,
    /// Tax ids as (type, value).
    pub tax_ids: Vec<(String, String)>,
    /// `invoice_settings.default_payment_method`
    pub default_method: Option<String>,
    /// `default_source`
    pub default_source: Option<String>,
    /// Attached methods, where they were read.
    pub methods: Option<Vec<Method>>,
    /// The answer that listed the customer.
    pub listed: Read,
    /// The answer that listed the methods.
    pub methods_read: Read,
}

/// A payment method, as far as it can be compared between accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `pm_…`, `card_…`, `src_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// `card`, `sepa_debit`, …
    pub kind: String,
    /// `visa`, …; empty for what has no brand.
    pub brand: String,
    /// Last four digits.
    pub last4: String,
    /// Year and month; `None` for what does not expire.
    pub expires: Option<(i64, i64)>,
    /// The wallet a card lives in.
    pub wallet: Option<String>,
    /// Whose.
    pub customer: Option<String>,
}

/// Types that Stripe's self-serve copy brings (facts 4.2). SEPA only where the recipient affirmed the mandates, so it is
/// expected only when it is in the mapping.
const COPIED: [&str; 2] = ["card", "us_bank_account"];

impl Method {
    /// Whether the copy brings methods of this kind.
    #[must_use]
    pub fn is_copied_kind(&self) -> bool {
        COPIED.contains(&self.kind.as_str()) && self.wallet.is_none()
    }

    /// `visa 4242 12/27`, `sepa_debit 3000`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let name = if self.brand.is_empty() {
            &self.kind
        } else {
            &self.brand
        };
        let mut words = crate::domain::text::safe(name).as_str().to_owned();
        if !self.last4.is_empty() {
            words.push(' ');
            words.push_str(crate::domain::text::safe(&self.last4).as_str());
        }
        if let Some((year, month)) = self.expires {
            let _ = write!(words, " {month:02}/{:02}", year.rem_euclid(100));
        }
        if let Some(wallet) = &self.wallet {
            let _ = write!(words, " ({})", crate::domain::text::safe(wallet));
        }
        words
    }

    /// Whether it has expired at `now`, seconds: a card is good to the end of its month.
    #[must_use]
    pub fn is_expired(&self, now: UtcMs) -> bool {
        self.expires.is_some_and(|expires| expires < now.year_month())
    }
}

impl From<&PaymentMethod> for Method {
    fn from(method: &PaymentMethod) -> Self {
        let card = method.card.as_ref();
        Self {
            id: method.id.clone(),
            created: method.created,
            kind: method.kind.clone(),
            brand: card.map(|card| card.brand.clone()).unwrap_or_default(),
            last4: method.last4().unwrap_or_default().to_owned(),
            expires: card.map(|card| (card.exp_year, card.exp_month)),
            wallet: card.and_then(|card| card.wallet.as_ref()).map(|w| w.kind.clone()),
            customer: method.customer.clone(),
        }
    }
}

impl Side {
    /// Of a customer as a page showed it; methods are still missing.
    #[must_use]
    pub fn of(customer: &CustomerProfile, listed: Read) -> Self {
        let tax_ids = customer.tax_ids.as_ref().map(|list| {
            let pair = |id: &crate::stripe::wire::TaxId| (id.kind.clone(), id.value.clone());
            list.data.iter().map(pair).collect()
        });
        Self {
            created: customer.created,
            fields: customer.fields(),
            metadata: customer.metadata.clone(),
            tax_ids: tax_ids.unwrap_or_default(),
            default_method: customer.invoice_settings.default_payment_method.clone(),
            default_source: customer.default_source.clone(),
            methods: None,
            listed,
            methods_read: Read::default(),
        }
    }

    /// The default in Stripe's order of precedence (spec: `subscription.default_payment_method`).
    #[must_use]
    pub fn default_id(&self) -> Option<&str> {
        self.default_method.as_deref().or(self.default_source.as_deref())
    }

    /// Attached methods; none where they were not read.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        self.methods.as_deref().unwrap_or_default()
    }

    /// The method with that id.
    #[must_use]
    pub fn method(&self, id: &str) -> Option<&Method> {
        self.methods().iter().find(|method| method.id == id)
    }
}

/// One row of the application's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRow {
    /// Its key, as text.
    pub key: String,
    /// The column of method ids.
    pub method: Option<String>,
    /// The column of customer ids.
    pub customer: Option<String>,
    /// Further columns, for the reader of the plan.
    pub extra: Vec<(String, Option<String>)>,
}

/// The application's table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppTable {
    /// Where it is, without secrets.
    pub place: String,
    /// Rows that may concern the plan: all that name a method or a customer.
    pub rows: Vec<AppRow>,
    /// Rows in all.
    pub all: u64,
    /// Checksum of everything the plan does not change, and the rows it covers.
    pub others: Option<(Digest, u64)>,
    /// When it was read.
    pub at: UtcMs,
}
