//! The writes of the stage by name, and what a row keeps for its script, its audit and its undo. PURE.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Route;
use super::facts::{Collection, Old, Phase, Status};
use crate::domain::money::Money;

/// New account: `POST /v1/subscription_schedules`, with our markers.
pub const CREATE: &str = "create_schedule";
/// New account: `POST /v1/subscription_schedules/{}`, all phases again, coupons included.
pub const CHANGE: &str = "change_schedule";
/// New account: `POST /v1/subscription_schedules/{}/cancel`, `invoice_now=false`, `prorate=false`.
pub const WITHDRAW: &str = "withdraw_schedule";
/// Old account: `POST /v1/subscription_schedules/{}/release`: the old schedule lets go, so that its subscription can be
/// stopped.
pub const RELEASE_OLD: &str = "release_old";
/// Old account: `POST /v1/subscriptions/{}`, `cancel_at_period_end=true`.
pub const END_OLD: &str = "end_with_period";
/// Old account: `POST /v1/subscriptions/{}`, `pause_collection[behavior]=keep_as_draft`.
pub const PAUSE_OLD: &str = "pause_collection";
/// Old account: `DELETE /v1/subscriptions/{}`, `invoice_now=false`, `prorate=false`; nothing brings it back.
pub const CANCEL_OLD: &str = "cancel_old";
/// Undo of [`CREATE`]: the schedule is cancelled, as [`WITHDRAW`] does.
pub const UNDO_CREATE: &str = "undo_create";
/// Undo of [`END_OLD`]: `cancel_at_period_end=false`, our metadata cleared.
pub const UNDO_END: &str = "undo_end";
/// Undo of [`PAUSE_OLD`]: `pause_collection=`, our metadata cleared.
pub const UNDO_PAUSE: &str = "undo_pause";

/// Choice at `unpaid`: it moves all the same.
pub const MOVE_ANYWAY: &str = "move_anyway";
/// Choice at `anchor_day`: handed over at the first period's end, and billed on that day from then on.
pub const NEW_DAY: &str = "new_day";
/// Choice at `two_twins`: the oldest stays, later ones that have not begun are withdrawn.
pub const KEEP_FIRST: &str = "keep_first";
/// Choice at `preview_differs`: Stripe's figure is right.
pub const ACCEPT_PREVIEW: &str = "accept_preview";

/// What makes a row worth a second look; part of the item's words, so that filters and groups know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Its current period ends before a schedule could begin.
    NearRenewal,
    /// A payment failed.
    PastDue,
    /// In a trial.
    Trial,
    /// It ends by itself.
    Cancelling,
    /// It has a discount.
    Discount,
    /// It has tax rates set by hand.
    ManualTax,
    /// A schedule manages it.
    Schedule,
    /// Several items, tiers, transformed quantities, or a method of its own.
    UnusualItems,
    /// It is billed by invoice.
    SendInvoice,
}

impl Class {
    /// The words on screen and in filters.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NearRenewal => "near renewal",
            Self::PastDue => "past due",
            Self::Trial => "trial",
            Self::Cancelling => "cancelling",
            Self::Discount => "discount",
            Self::ManualTax => "manual tax",
            Self::Schedule => "schedule",
            Self::UnusualItems => "unusual items",
            Self::SendInvoice => "send invoice",
        }
    }
}

/// A bill to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Seconds.
    pub at: i64,
    /// After discounts, without tax, positive; `None`: arithmetic cannot say, and Stripe was not asked or refused.
    pub money: Option<Money>,
}

/// What of the old subscription a row was planned on. A look just before a write must show the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Where it stood.
    pub status: Status,
    /// Price, quantity, in order.
    pub items: Vec<(String, Option<u64>)>,
    /// Start and end of the current period, seconds.
    pub period: (i64, i64),
    /// `cancel_at` and `cancel_at_period_end`.
    pub ends: (Option<i64>, bool),
    /// `pause_collection.behavior`
    pub pause: Option<String>,
    /// Discount ids of the subscription and its items, sorted.
    pub discounts: Vec<String>,
    /// How it is collected.
    pub collection: Collection,
    /// The schedule that manages it.
    pub schedule: Option<String>,
    /// The handover it was stopped for by us.
    pub stopped_for: Option<i64>,
}

impl Seen {
    /// Of what was read.
    #[must_use]
    pub fn of(old: &Old) -> Self {
        let on_items = old.items.iter().flat_map(|item| &item.discounts);
        let mut discounts: Vec<String> = old
            .discounts
            .iter()
            .chain(on_items)
            .filter(|discount| !discount.on_customer)
            .map(|discount| discount.id.clone())
            .collect();
        discounts.sort_unstable();
        Self {
            status: old.status,
            items: old
                .items
                .iter()
                .map(|item| (item.price.id.clone(), item.quantity))
                .collect(),
            period: old.items.first().map_or((0, 0), |item| item.period),
            ends: (old.cancel_at, old.ends_with_period),
            pause: old.pause.clone(),
            discounts,
            collection: old.collection,
            schedule: old.schedule.clone(),
            stopped_for: old.stopped_for(),
        }
    }
}

/// What the stage keeps in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// `sub_…` on the old account.
    pub old: String,
    /// `cus_…`, the same on both.
    pub customer: String,
    /// h of the stage's page, seconds; `None`: it is not handed over.
    pub handover: Option<i64>,
    /// How the new one is made; `None` where none is.
    pub route: Option<Route>,
    /// What the new one must be: ids of the new account. Empty where none is made or kept.
    pub phases: Vec<Phase>,
    /// It ends with its last phase (`end_behavior=cancel`), or with its first period in a file.
    pub ends: bool,
    /// The twin it has, if it has one: schedule and subscription.
    pub twin: Option<(Option<String>, Option<String>)>,
    /// What the old one was when this was planned; `None`: it is not there any more.
    pub seen: Option<Seen>,
    /// The next bill of the old account.
    pub next_old: Option<Bill>,
    /// The first bill of the new one.
    pub next_new: Option<Bill>,
    /// Why it is looked at twice.
    pub classes: Vec<Class>,
    /// Cells of its line in the file, by column; empty where it has none.
    pub cells: BTreeMap<String, String>,
    /// When it is worth planning again, seconds; `None`: not by itself.
    pub again_at: Option<i64>,
    /// End of the settlement window, seconds: what was paused is not cancelled before it.
    pub window_ends: i64,
}
