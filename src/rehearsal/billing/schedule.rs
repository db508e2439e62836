//! Schedules: subscriptions to come, and changes to come of subscriptions that are.

use crate::rehearsal::currency::Cur;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::pages::Row;

/// Where a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    NotStarted,
    /// In the phase of that number.
    Active(usize),
    Completed(i64),
    Released(i64),
    Canceled(i64),
}

impl Standing {
    /// As the API writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Active(_) => "active",
            Self::Completed(_) => "completed",
            Self::Released(_) => "released",
            Self::Canceled(_) => "canceled",
        }
    }
}

/// What a phase sells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhaseItem {
    /// Slot of the price.
    pub(crate) price: u32,
    /// 0 for a metered price.
    pub(crate) quantity: u32,
    /// Slots of coupons on it.
    pub(crate) coupons: Vec<u32>,
    /// Slots of tax rates of its own.
    pub(crate) tax_rates: Vec<u32>,
    pub(crate) metadata: Metadata,
}

/// How bills are collected, where it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collected {
    /// `charge_automatically`
    Charged,
    /// `send_invoice`, with `days_until_due`.
    Sent(u32),
}

impl Collected {
    /// `days_until_due` of invoices that are sent.
    pub(crate) const fn days_due(self) -> Option<u32> {
        match self {
            Self::Charged => None,
            Self::Sent(days) => Some(days),
        }
    }
}

/// A time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) items: Vec<PhaseItem>,
    /// Prices billed once with the phase's first invoice: slot and quantity.
    pub(crate) once: Vec<(u32, u32)>,
    /// Slots of coupons on all of it.
    pub(crate) coupons: Vec<u32>,
    /// Slots of default tax rates; empty: those of nothing.
    pub(crate) tax_rates: Vec<u32>,
    pub(crate) automatic_tax: bool,
    /// `collection_method`, when the phase says it.
    pub(crate) collection: Option<Collected>,
    /// Slot of `default_payment_method`.
    pub(crate) method: Option<u32>,
    pub(crate) currency: Cur,
    pub(crate) trial_end: Option<i64>,
    /// `create_prorations`, `none` or `always_invoice`.
    pub(crate) proration: &'static str,
    /// The anchor becomes the phase's start (`billing_cycle_anchor=phase_start`).
    pub(crate) anchored: bool,
    pub(crate) description: Option<Box<str>>,
    pub(crate) metadata: Metadata,
}

impl Phase {
    /// A phase that sells nothing yet: to be made more of with `..`.
    pub(crate) fn bare(start: i64, end: i64, currency: Cur) -> Self {
        Self {
            start,
            end,
            items: Vec::new(),
            once: Vec::new(),
            coupons: Vec::new(),
            tax_rates: Vec::new(),
            automatic_tax: false,
            collection: None,
            method: None,
            currency,
            trial_end: None,
            proration: "create_prorations",
            anchored: false,
            description: None,
            metadata: Metadata::default(),
        }
    }
}

/// A subscription schedule.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Slot of the customer.
    pub(crate) customer: u32,
    pub(crate) standing: Standing,
    pub(crate) phases: Vec<Phase>,
    /// Slot of the subscription it manages, or managed until it was released.
    pub(crate) subscription: Option<u32>,
    /// `end_behavior`: `release` or `cancel`.
    pub(crate) ends: &'static str,
    /// `default_settings`: `days_until_due` of invoices that are sent; `None`: charged automatically.
    pub(crate) days_due: Option<u32>,
    /// `default_settings`: slot of `default_payment_method`.
    pub(crate) method: Option<u32>,
    /// `default_settings.description`
    pub(crate) description: Option<Box<str>>,
    /// `default_settings.automatic_tax.enabled`
    pub(crate) automatic_tax: bool,
    /// `billing_mode.type` is `flexible`.
    pub(crate) flexible: bool,
    pub(crate) metadata: Metadata,
    /// `start_date` its subscription will show, earlier than it begins: only the Dashboard's toolkit sets it.
    pub(crate) backdated: Option<i64>,
    /// The anchor its subscription will have, later than it begins: only the Dashboard's toolkit sets it.
    pub(crate) anchor: Option<i64>,
    /// Its subscription ends with its first period: only the Dashboard's toolkit sets it.
    pub(crate) once_through: bool,
}

impl Schedule {
    /// One that has not begun and is released at its end: to be made more of with `..`.
    pub(crate) fn bare(id: &str, created: i64, customer: u32) -> Self {
        Self {
            id: id.into(),
            created,
            customer,
            standing: Standing::NotStarted,
            phases: Vec::new(),
            subscription: None,
            ends: "release",
            days_due: None,
            method: None,
            description: None,
            automatic_tax: false,
            flexible: false,
            metadata: Metadata::default(),
            backdated: None,
            anchor: None,
            once_through: false,
        }
    }

    /// When it begins or its phase ends.
    pub(crate) fn due(&self) -> Option<i64> {
        match self.standing {
            Standing::NotStarted => self.phases.first().map(|phase| phase.start),
            Standing::Active(n) => self.phases.get(n).map(|phase| phase.end),
            Standing::Completed(_) | Standing::Released(_) | Standing::Canceled(_) => None,
        }
    }

    /// The phase it is in.
    pub(crate) fn phase(&self) -> Option<&Phase> {
        match self.standing {
            Standing::Active(n) => self.phases.get(n),
            _ => None,
        }
    }

    /// How a phase's bills are collected.
    pub(crate) fn collected(&self, phase: &Phase) -> Option<u32> {
        phase.collection.map_or(self.days_due, Collected::days_due)
    }
}

impl Row for Schedule {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}
