//! Subscriptions a scenario lists one by one (`[[subscription]]`): each case of the handover as a row that can be read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::billing::Status;
use super::currency::Cur;
use super::scenario_pools::At;

/// Fields of a subscription that may be given as the API shows them.
const FIELDS: [&str; 11] = [
    "application_fee_percent",
    "automatic_tax",
    "billing_mode",
    "billing_thresholds",
    "description",
    "invoice_settings",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "pending_update",
    "transfer_data",
    "trial_settings",
];

/// A subscription of the old account. See `assets/scenarios/midnight.toml` for every setting with a comment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedSubscription {
    pub(crate) id: String,
    pub(crate) customer: String,
    /// Prices of items of one each, named as in [`ListedItem`].
    #[serde(default)]
    pub(crate) prices: Vec<String>,
    /// Items, instead of prices.
    #[serde(default)]
    pub(crate) items: Vec<ListedItem>,
    /// Absent: that of the first price.
    pub(crate) currency: Option<String>,
    /// As the API writes it; absent: active.
    pub(crate) status: Option<String>,
    /// Start of the current period, or of the trial; the next bill comes by the calendar.
    pub(crate) since: At,
    /// `start_date`; absent: `since`.
    pub(crate) started: Option<At>,
    /// `billing_cycle_anchor`; absent: `since`, or the end of the trial.
    pub(crate) anchor: Option<At>,
    /// End of the trial.
    pub(crate) trial_end: Option<At>,
    /// It ends with the current period.
    #[serde(default)]
    pub(crate) ends: bool,
    pub(crate) cancel_at: Option<At>,
    /// `ended_at`, of one that is over.
    pub(crate) ended: Option<At>,
    /// Bills are sent, due in so many days.
    pub(crate) days_until_due: Option<u32>,
    /// Default tax rates: ids, or `#` and the place of one.
    #[serde(default)]
    pub(crate) tax_rates: Vec<String>,
    /// Its own payment method: the place of one of the customer's.
    pub(crate) method: Option<usize>,
    /// `pause_collection[behavior]`
    pub(crate) pause: Option<String>,
    pub(crate) resumes_at: Option<At>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Further fields, as the API shows them.
    #[serde(default)]
    pub(crate) fields: Map<String, Value>,
    /// The schedule that manages it.
    pub(crate) schedule: Option<ListedSchedule>,
}

/// An item of a subscription, or of a phase.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedItem {
    /// Id or lookup key of a price, or `#` and the place of one in order of creation, from 0.
    pub(crate) price: String,
    /// Absent: 1, and none of a metered price.
    pub(crate) quantity: Option<u32>,
    #[serde(default)]
    pub(crate) tax_rates: Vec<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    /// `billing_thresholds[usage_gte]`
    pub(crate) threshold: Option<i64>,
}

/// A schedule: its first phase began with the current period.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedSchedule {
    /// In order; each begins where the one before it ends.
    pub(crate) phases: Vec<ListedPhase>,
    /// `release` or `cancel`; absent: release.
    pub(crate) ends: Option<String>,
}

/// A phase.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedPhase {
    pub(crate) until: At,
    pub(crate) items: Vec<ListedItem>,
    /// What is billed once with it: prices.
    #[serde(default)]
    pub(crate) once: Vec<String>,
}

impl ListedSubscription {
    /// Where it stands; [`Self::problem`] has refused unknown words.
    pub(crate) fn status(&self) -> Option<Status> {
        let word = self.status.as_deref().unwrap_or("active");
        let all = [
            Status::Active,
            Status::Trialing,
            Status::PastDue,
            Status::Unpaid,
            Status::Paused,
            Status::Incomplete,
            Status::IncompleteExpired,
            Status::Canceled,
        ];
        all.into_iter().find(|status| status.word() == word)
    }

    /// `pause_collection[behavior]`, where it is one.
    pub(crate) fn behavior(&self) -> Option<&'static str> {
        let all = ["keep_as_draft", "mark_uncollectible", "void"];
        let given = self.pause.as_deref()?;
        all.into_iter().find(|word| *word == given)
    }

    /// What is wrong with it, as one sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        if !self.id.starts_with("sub_") {
            return Some("id must begin with sub_".into());
        }
        if self.prices.is_empty() == self.items.is_empty() {
            return Some("prices, or else items, must name at least one price".into());
        }
        if let Some(name) = self.fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            return Some(format!("fields may not have {name}, but {}", FIELDS.join(", ")));
        }
        if self
            .currency
            .as_deref()
            .is_some_and(|cur| Cur::parse(cur).is_none())
        {
            return Some("there is no such currency".into());
        }
        if self.pause.is_some() && self.behavior().is_none() {
            return Some("pause must be keep_as_draft, mark_uncollectible or void".into());
        }
        if let Some(schedule) = &self.schedule {
            let ends = schedule.ends.as_deref().unwrap_or("release");
            if schedule.phases.is_empty() || !["release", "cancel"].contains(&ends) {
                return Some("a schedule has phases, and ends with release or cancel".into());
            }
        }
        let Some(status) = self.status() else {
            return Some("status must be one that the API writes".into());
        };
        if status == Status::Trialing && self.trial_end.is_none() {
            return Some("one that is trialing needs trial_end".into());
        }
        (status.is_over() != self.ended.is_some())
            .then(|| "ended is for subscriptions that are over, and they need it".into())
    }
}
