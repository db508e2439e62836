//! The writes of the stage by name, and what a row keeps for its script, its audit and its undo. PURE.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Route;
use super::facts::{BECAME, Collection, HANDOVER, OLD_ID, Old, Phase, PhaseItem, Status};
use crate::domain::ids::{Accounts, Digest, EffectId, Role, StageId};
use crate::domain::money::Money;
use crate::domain::write::{Method, PlannedWrite, When, marker};
use crate::stripe::allow::path;

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

/// Metadata key of the toolkit's page that says where a subscription came from.
pub const SOURCE: &str = "source";
/// Its value for a move between two Stripe accounts.
pub const FROM_STRIPE: &str = "internal:Stripe";
/// Metadata key for `start_date` of the old subscription, seconds: the new one begins at its handover.
pub const STARTED: &str = "original_start_date";
/// Metadata keys an owner may have besides ours: Stripe allows fifty (facts 2.2), and a schedule carries these three and
/// four markers.
pub const MOST_OWN_KEYS: usize = 43;

/// What the new subscription takes over besides its phases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// The owner's metadata, without ours.
    pub metadata: BTreeMap<String, String>,
    /// `start_date` of the old one, seconds.
    pub started: i64,
    /// `billing_mode.type` is `flexible`.
    pub flexible: bool,
    /// `description`
    pub description: Option<String>,
    /// The owner's metadata of each item, in the order of a phase's items.
    pub item_metadata: Vec<BTreeMap<String, String>>,
}

impl Extra {
    /// Of the old subscription.
    #[must_use]
    pub fn of(old: &Old) -> Self {
        Self {
            metadata: own(&old.metadata),
            started: old.started,
            flexible: old.flexible,
            description: old.description.clone(),
            item_metadata: old.items.iter().map(|item| own(&item.metadata)).collect(),
        }
    }
}

/// Without the keys this program, or the toolkit's page, gives a meaning.
fn own(metadata: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = |key: &str| key.starts_with("cutover_") || [OLD_ID, SOURCE, STARTED].contains(&key);
    let own = metadata.iter().filter(|(key, _)| !ours(key));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Identities and forms of effects.
///
/// An effect's subject names what can happen again for the same subscription: a stop is for one handover, a change for
/// one content. A stop that was taken back and comes again has the same identity, like any undone write: it gets a
/// generation of its own, and no script calls it done before it has seen it on the account.
#[derive(Clone, Copy, Debug)]
pub struct Effects<'a> {
    /// Accounts and mode: part of every effect's identity.
    pub accounts: &'a Accounts,
}

type Pairs = Vec<(String, String)>;

impl Effects<'_> {
    fn id(self, op: &str, subject: &str) -> EffectId {
        EffectId::new(self.accounts, StageId::Subscriptions, op, subject, 0)
    }

    /// Creates the schedule that begins the new subscription at its handover.
    #[must_use]
    pub fn create(self, row: &Row, extra: &Extra) -> PlannedWrite {
        let effect = self.id(CREATE, &at_handover(row));
        let mode = if extra.flexible { "flexible" } else { "classic" };
        let start = row.phases.first().map_or(0, |phase| phase.start);
        let mut form = vec![
            pair("customer", &row.customer),
            pair("start_date", start),
            pair("end_behavior", end_behavior(row)),
            pair("billing_mode[type]", mode),
        ];
        for (at, _) in row.phases.iter().enumerate() {
            phase(&mut form, row, extra, at, &effect);
        }
        form.extend(metadata("metadata", row, extra));
        form.push(pair(&format!("metadata[{}]", marker::OF), &row.old));
        let mut write = new(CREATE, effect, SCHEDULES.to_owned(), form);
        write.marked = true;
        write
    }

    /// Makes `schedule`, which has not begun, what the row says. Its marker is the phases': that of the schedule stays
    /// with what created it.
    #[must_use]
    pub fn change(self, row: &Row, schedule: &str, extra: &Extra) -> PlannedWrite {
        let content = |effect: &EffectId| {
            let mut form = vec![
                pair("end_behavior", end_behavior(row)),
                pair("proration_behavior", "none"),
            ];
            for (at, of) in row.phases.iter().enumerate() {
                if at == 0 {
                    form.push(pair("phases[0][start_date]", of.start));
                }
                phase(&mut form, row, extra, at, effect);
            }
            form.extend(metadata("metadata", row, extra));
            // A schedule keeps its currency, and its update takes none (spec: `POST /v1/subscription_schedules/{}`).
            form.retain(|(name, _)| !name.ends_with("][currency]") || name.contains("metadata"));
            form
        };
        let bare = content(&EffectId(String::new()));
        let parts = bare
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), &[0], value.as_bytes(), &[0]]);
        let print = Digest::of("cutover-change-schedule-v1", parts).prefix12();
        let effect = self.id(CHANGE, &format!("{schedule}/{print}"));
        let form = content(&effect);
        new(CHANGE, effect, path(SCHEDULE, &[schedule]), form)
    }

    /// Cancels `schedule`, which has not begun.
    #[must_use]
    pub fn withdraw(self, row: &Row, schedule: &str) -> PlannedWrite {
        let effect = self.id(WITHDRAW, &format!("{}/{schedule}", row.old));
        cancel_schedule(WITHDRAW, effect, schedule)
    }

    /// The old one ends with its current period. `became` may be [`crate::domain::write::place_of`] the old id: it is
    /// filled in when the schedule is there.
    #[must_use]
    pub fn end_old(self, row: &Row, became: &str) -> PlannedWrite {
        self.stop(END_OLD, row, pair("cancel_at_period_end", true), became)
    }

    /// The old one goes on, and its bills stay drafts.
    #[must_use]
    pub fn pause_old(self, row: &Row, became: &str) -> PlannedWrite {
        self.stop(
            PAUSE_OLD,
            row,
            pair("pause_collection[behavior]", "keep_as_draft"),
            became,
        )
    }

    /// The old schedule lets go of its subscription.
    #[must_use]
    pub fn release_old(self, row: &Row, schedule: &str) -> PlannedWrite {
        let effect = self.id(RELEASE_OLD, &format!("{}/{schedule}", row.old));
        let mut write = new(RELEASE_OLD, effect, path(RELEASE, &[schedule]), Vec::new());
        write.role = Role::Source;
        write.irreversible = true;
        write
    }

    /// Cancels the old one, which is paused, for good.
    #[must_use]
    pub fn cancel_old(self, row: &Row) -> PlannedWrite {
        let effect = self.id(CANCEL_OLD, &row.old);
        let mut write = new(CANCEL_OLD, effect, path(SUBSCRIPTION, &[&row.old]), no_money());
        write.role = Role::Source;
        write.method = Method::Delete;
        write.irreversible = true;
        write
    }

    fn stop(self, op: &str, row: &Row, how: (String, String), became: &str) -> PlannedWrite {
        let form = vec![
            how,
            pair(&format!("metadata[{BECAME}]"), became),
            pair(&format!("metadata[{HANDOVER}]"), row.handover.unwrap_or_default()),
        ];
        let effect = self.id(op, &at_handover(row));
        let mut write = new(op, effect, path(SUBSCRIPTION, &[&row.old]), form);
        write.role = Role::Source;
        write
    }
}

/// Templates of paths, as the allow-list has them.
pub const SCHEDULES: &str = "/v1/subscription_schedules";
/// One schedule.
pub const SCHEDULE: &str = "/v1/subscription_schedules/{}";
/// Cancels one.
pub const CANCEL: &str = "/v1/subscription_schedules/{}/cancel";
/// Lets go of its subscription.
pub const RELEASE: &str = "/v1/subscription_schedules/{}/release";
/// All subscriptions.
pub const SUBSCRIPTIONS: &str = "/v1/subscriptions";
/// One subscription.
pub const SUBSCRIPTION: &str = "/v1/subscriptions/{}";

/// Cancels a schedule of the new account without a bill (facts 3.9: both fields default to true).
#[must_use]
pub fn cancel_schedule(op: &str, effect: EffectId, schedule: &str) -> PlannedWrite {
    let mut write = new(op, effect, path(CANCEL, &[schedule]), no_money());
    write.irreversible = true;
    write
}

/// A cancellation that neither bills nor credits anything.
fn no_money() -> Pairs {
    vec![pair("invoice_now", false), pair("prorate", false)]
}

fn at_handover(row: &Row) -> String {
    format!("{}/{}", row.old, row.handover.unwrap_or_default())
}

const fn end_behavior(row: &Row) -> &'static str {
    if row.ends { "cancel" } else { "release" }
}

fn new(op: &str, effect: EffectId, path: String, form: Pairs) -> PlannedWrite {
    PlannedWrite {
        op: op.to_owned(),
        role: Role::Destination,
        effect,
        method: Method::Post,
        path,
        form,
        money: None,
        when: When::Always,
        irreversible: false,
        marked: false,
    }
}

fn pair(name: &str, value: impl std::fmt::Display) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// Everything of the phase at `at`. The last one has no end unless the subscription ends with it: Stripe then takes one
/// period, and lets the subscription go on.
fn phase(form: &mut Pairs, row: &Row, extra: &Extra, at: usize, effect: &EffectId) {
    let Some(phase) = row.phases.get(at) else { return };
    let below = |name: &str| format!("phases[{at}]{name}");
    for (nth, item) in phase.items.iter().enumerate() {
        let metadata = extra.item_metadata.get(nth);
        item_of(form, &below(&format!("[items][{nth}]")), item, metadata);
    }
    let is_last = at + 1 == row.phases.len();
    let end = phase.end.filter(|_| !is_last || row.ends);
    form.extend(end.map(|end| pair(&below("[end_date]"), end)));
    coupons(form, &below(""), &phase.coupons);
    rates(form, &below("[default_tax_rates]"), &phase.tax_rates);
    form.push(pair(&below("[automatic_tax][enabled]"), phase.automatic_tax));
    match phase.collection.unwrap_or(Collection::Automatic) {
        Collection::Automatic => form.push(pair(&below("[collection_method]"), "charge_automatically")),
        Collection::Invoice(days) => {
            form.push(pair(&below("[collection_method]"), "send_invoice"));
            form.push(pair(&below("[invoice_settings][days_until_due]"), days));
        }
    }
    let method = phase.method.as_ref();
    form.extend(method.map(|method| pair(&below("[default_payment_method]"), method)));
    form.push(pair(&below("[currency]"), phase.currency.code()));
    form.push(pair(&below("[proration_behavior]"), "none"));
    let described = extra.description.as_ref();
    form.extend(described.map(|text| pair(&below("[description]"), text)));
    form.extend(metadata(&below("[metadata]"), row, extra));
    form.push(pair(&below(&format!("[metadata][{}]", marker::EFFECT)), effect));
}

fn item_of(form: &mut Pairs, below: &str, item: &PhaseItem, metadata: Option<&BTreeMap<String, String>>) {
    form.push(pair(&format!("{below}[price]"), &item.price));
    let quantity = item.quantity;
    form.extend(quantity.map(|quantity| pair(&format!("{below}[quantity]"), quantity)));
    coupons(form, below, &item.coupons);
    rates(form, &format!("{below}[tax_rates]"), &item.tax_rates);
    for (key, value) in metadata.into_iter().flatten() {
        form.push(pair(&format!("{below}[metadata][{key}]"), value));
    }
}

fn coupons(form: &mut Pairs, below: &str, coupons: &[String]) {
    for (nth, coupon) in coupons.iter().enumerate() {
        form.push(pair(&format!("{below}[discounts][{nth}][coupon]"), coupon));
    }
}

fn rates(form: &mut Pairs, name: &str, rates: &[String]) {
    for (nth, rate) in rates.iter().enumerate() {
        form.push(pair(&format!("{name}[{nth}]"), rate));
    }
}

fn metadata(below: &str, row: &Row, extra: &Extra) -> Pairs {
    let ours = [
        (OLD_ID.to_owned(), row.old.clone()),
        (SOURCE.to_owned(), FROM_STRIPE.to_owned()),
        (STARTED.to_owned(), extra.started.to_string()),
    ];
    let all = ours.into_iter().chain(extra.metadata.clone());
    all.map(|(key, value)| (format!("{below}[{key}]"), value))
        .collect()
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
