//! Subscriptions. As many as customers and lean: what few have lies in `rest` as the API shows it.

use serde_json::{Map, Value};

use crate::rehearsal::currency::Cur;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::pages::Row;

/// How long a first payment may take (schema `subscription`, field `status`).
const INCOMPLETE: i64 = 23 * 3_600;

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Trialing,
    PastDue,
    Unpaid,
    Paused,
    Incomplete,
    IncompleteExpired,
    Canceled,
}

impl Status {
    /// As the API writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trialing => "trialing",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing follows any more.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether it renews at the end of its period.
    pub(crate) const fn renews(self) -> bool {
        matches!(self, Self::Active | Self::Trialing | Self::PastDue | Self::Unpaid)
    }
}

/// What a subscription is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// Slot of the price.
    pub(crate) price: u32,
    /// 0 for a metered price, which has none.
    pub(crate) quantity: u32,
    /// Slots of tax rates of its own, which stand in for the subscription's.
    pub(crate) tax_rates: Box<[u32]>,
    pub(crate) metadata: Metadata,
    /// `billing_thresholds.usage_gte`
    pub(crate) threshold: Option<i64>,
}

impl Item {
    /// A price so many times.
    pub(crate) fn of(price: u32, quantity: u32) -> Self {
        Self {
            price,
            quantity,
            ..Self::default()
        }
    }
}

/// `pause_collection`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// `keep_as_draft`, `mark_uncollectible` or `void`.
    pub(crate) behavior: &'static str,
    pub(crate) resumes_at: Option<i64>,
}

/// A subscription.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Slot of the customer.
    pub(crate) customer: u32,
    /// One its prices have an amount in.
    pub(crate) currency: Cur,
    pub(crate) status: Status,
    /// Of all items together.
    pub(crate) period: (i64, i64),
    /// `start_date`
    pub(crate) started: i64,
    /// `billing_cycle_anchor`
    pub(crate) anchor: i64,
    pub(crate) trial: Option<(i64, i64)>,
    pub(crate) cancel_at: Option<i64>,
    /// It ends with its period (`cancel_at_period_end`).
    pub(crate) ends: bool,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended: Option<i64>,
    /// `days_until_due` of invoices that are sent; `None`: charged automatically.
    pub(crate) days_due: Option<u32>,
    pub(crate) items: Vec<Item>,
    /// Slot of the payment method of its own; a legacy card is shown as `default_source`.
    pub(crate) method: Option<u32>,
    /// Slots of default tax rates.
    pub(crate) tax_rates: Box<[u32]>,
    pub(crate) pause: Option<Pause>,
    /// Slot of the schedule that manages it.
    pub(crate) schedule: Option<u32>,
    /// Slot of its latest invoice.
    pub(crate) latest: Option<u32>,
    pub(crate) metadata: Metadata,
    /// Fields few have, as the API shows them.
    pub(crate) rest: Option<Box<Map<String, Value>>>,
}

impl Subscription {
    /// An active one of nothing, in a period that began with it and has no length: to be made more of with `..`.
    pub(crate) fn bare(id: &str, created: i64, customer: u32, currency: Cur) -> Self {
        Self {
            id: id.into(),
            created,
            customer,
            currency,
            status: Status::Active,
            period: (created, created),
            started: created,
            anchor: created,
            trial: None,
            cancel_at: None,
            ends: false,
            canceled_at: None,
            ended: None,
            days_due: None,
            items: Vec::new(),
            method: None,
            tax_rates: Box::default(),
            pause: None,
            schedule: None,
            latest: None,
            metadata: Metadata::default(),
            rest: None,
        }
    }

    /// When something of it falls due.
    pub(crate) fn due(&self) -> Option<i64> {
        let period = self.status.renews().then_some(self.period.1);
        let expires = (self.status == Status::Incomplete).then_some(self.created + INCOMPLETE);
        let resumes = self.pause.and_then(|pause| pause.resumes_at);
        let over = self.status.is_over();
        let all = [period, expires, self.cancel_at, resumes];
        all.into_iter().flatten().min().filter(|_| !over)
    }

    /// When it will end by itself, as `cancel_at` says.
    pub(crate) fn ends_at(&self) -> Option<i64> {
        self.cancel_at.or(self.ends.then_some(self.period.1))
    }

    /// A rare field.
    pub(crate) fn rest(&self, name: &str) -> Option<&Value> {
        self.rest.as_ref().and_then(|rest| rest.get(name))
    }

    /// Sets a rare field; null takes it away.
    pub(crate) fn set_rest(&mut self, name: &str, value: Value) {
        let rest = self.rest.get_or_insert_with(Box::default);
        if value.is_null() {
            rest.remove(name);
        } else {
            rest.insert(name.to_owned(), value);
        }
    }

    /// Whether `billing_mode.type` is `flexible`.
    pub(crate) fn is_flexible(&self) -> bool {
        let mode = self.rest("billing_mode").and_then(|mode| mode.get("type"));
        mode.and_then(Value::as_str) == Some("flexible")
    }

    /// Whether automatic tax works on it.
    pub(crate) fn automatic_tax(&self) -> bool {
        let enabled = self.rest("automatic_tax").and_then(|tax| tax.get("enabled"));
        enabled.and_then(Value::as_bool).unwrap_or(false)
    }
}

impl Row for Subscription {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}
