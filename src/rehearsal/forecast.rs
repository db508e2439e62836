//! What both accounts will bill, and what the old one would have billed without the run: copies played forward.

use std::collections::{BTreeMap, BTreeSet};

use super::billing::{Invoice, InvoiceStatus, Standing, Status, Turn, advance};
use super::currency::Cur;
use super::index::Index;
use super::pages::Store;
use super::watch_subscriptions::{Stood, SubscriptionWatch};
use super::world::Account;

/// What an invoice bills of a subscription for one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bill {
    /// Seconds.
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) currency: Cur,
    /// After discounts, with taxes, and without any.
    pub(crate) amount: i64,
    pub(crate) untaxed: i64,
    pub(crate) status: InvoiceStatus,
    /// Somebody can be made to pay it.
    pub(crate) collectable: bool,
    /// When the invoice was made.
    pub(crate) at: i64,
}

/// Bills by slot of the subscription, in order of their time.
pub(crate) type Bills = BTreeMap<u32, Vec<Bill>>;

/// Copies of both accounts at an instant to come.
pub(crate) struct Forecast {
    pub(crate) old: Account,
    pub(crate) new: Account,
    /// The old account as it would be without the run.
    pub(crate) without_us: Account,
}

impl Forecast {
    /// Plays copies of both forward to `until`.
    pub(crate) fn to(until: i64, old: &Account, new: &Account, watch: &SubscriptionWatch) -> Self {
        let mut forecast = Self {
            old: lean(old),
            new: lean(new),
            without_us: undone(old, watch),
        };
        for account in [&mut forecast.old, &mut forecast.new, &mut forecast.without_us] {
            advance(account, until);
        }
        forecast
    }
}

/// A copy without what bills do not depend on.
fn lean(account: &Account) -> Account {
    let mut copy = Account {
        side: account.side,
        id: account.id.clone(),
        country: account.country,
        currency: account.currency,
        name: account.name,
        created: account.created,
        livemode: account.livemode,
        customers: account.customers.clone(),
        by_email: Index::default(),
        methods: account.methods.clone(),
        grants: Store::default(),
        events: Store::default(),
        catalogue: account.catalogue.clone(),
        billing: account.billing.clone(),
        pools: account.pools.clone(),
        now: account.now,
    };
    copy.billing.silent = true;
    copy
}

/// The old account with every stop of the run taken back.
fn undone(old: &Account, watch: &SubscriptionWatch) -> Account {
    let mut copy = lean(old);
    for (slot, standing) in &watch.schedules {
        let managed = matches!(standing, Standing::Active(_) | Standing::NotStarted);
        if let Some(schedule) = copy.billing.schedules.at_mut(*slot).filter(|_| managed) {
            schedule.standing = *standing;
        }
        copy.billing.plan(Turn::Schedule, *slot);
    }
    for (slot, stood) in &watch.without_us {
        stand(&mut copy, *slot, stood);
        copy.billing.plan(Turn::Subscription, *slot);
    }
    copy
}

fn stand(copy: &mut Account, slot: u32, stood: &Stood) {
    let Some(found) = copy.billing.subscriptions.at_mut(slot) else {
        return;
    };
    if found.status.is_over() && !stood.status.is_over() {
        let trial_over = found.trial.is_some_and(|trial| trial.1 <= found.period.0);
        found.status = match stood.status {
            Status::Trialing if trial_over => Status::Active,
            status => status,
        };
    } else if stood.status.is_over() {
        found.status = stood.status;
    }
    found.cancel_at = stood.cancel_at;
    found.ends = stood.ends;
    found.canceled_at = stood.canceled_at;
    found.ended = stood.ended;
    found.pause = stood.pause;
    found.schedule = stood.schedule;
}

/// Everything an account billed for subscriptions.
pub(crate) fn bills(account: &Account) -> Bills {
    let mut found = Bills::new();
    for invoice in account.billing.invoices.rows() {
        if let Some(slot) = invoice.subscription {
            found.entry(slot).or_default().extend(of(invoice));
        }
    }
    for bills in found.values_mut() {
        bills.sort_by_key(|bill| (bill.from, bill.to));
    }
    found
}

/// One for each stretch of time the lines are for; what is billed once is for none.
fn of(invoice: &Invoice) -> Vec<Bill> {
    let mut found: Vec<Bill> = Vec::new();
    let lines = invoice.lines.iter().filter(|line| line.period.0 < line.period.1);
    for line in lines {
        let (from, to) = line.period;
        if let Some(known) = found.iter_mut().find(|bill| (bill.from, bill.to) == (from, to)) {
            known.amount += line.net();
            known.untaxed += line.untaxed();
            continue;
        }
        found.push(Bill {
            from,
            to,
            currency: invoice.currency,
            amount: line.net(),
            untaxed: line.untaxed(),
            status: invoice.status,
            collectable: collectable(invoice),
            at: invoice.created,
        });
    }
    found
}

/// A draft that nothing finalises, and what was voided or given up, is not collected.
fn collectable(invoice: &Invoice) -> bool {
    match invoice.status {
        InvoiceStatus::Paid | InvoiceStatus::Open => true,
        InvoiceStatus::Draft => invoice.auto_advance,
        InvoiceStatus::Uncollectible | InvoiceStatus::Void => false,
    }
}

/// Slots of subscriptions of the new account, and of schedules without one, by the old subscription their metadata name.
pub(crate) fn successors(new: &Account) -> BTreeMap<String, Successors> {
    let mut found: BTreeMap<String, Successors> = BTreeMap::new();
    for (slot, schedule) in (0_u32..).zip(new.billing.schedules.rows()) {
        let of_phase = || {
            schedule
                .phases
                .first()
                .and_then(|phase| phase.metadata.get(OLD_ID))
        };
        let Some(id) = schedule.metadata.get(OLD_ID).or_else(of_phase) else {
            continue;
        };
        let known = found.entry(id.to_owned()).or_default();
        match schedule.subscription {
            Some(subscription) => {
                known.subscriptions.insert(subscription);
            }
            None if schedule.standing == Standing::NotStarted => {
                known.waiting.insert(slot);
            }
            None => {}
        }
    }
    for (slot, subscription) in (0_u32..).zip(new.billing.subscriptions.rows()) {
        if let Some(id) = subscription.metadata.get(OLD_ID) {
            found.entry(id.to_owned()).or_default().subscriptions.insert(slot);
        }
    }
    found
}

/// Metadata key by which the toolkit's page names the old subscription.
pub(crate) const OLD_ID: &str = "old_Stripe_sub_id";

/// What the new account has for an old subscription.
#[derive(Clone, Debug, Default)]
pub(crate) struct Successors {
    /// Slots of schedules that have not begun.
    pub(crate) waiting: BTreeSet<u32>,
    /// Slots of subscriptions.
    pub(crate) subscriptions: BTreeSet<u32>,
}

impl Successors {
    /// How many of them bill, or are going to.
    pub(crate) fn live(&self, new: &Account) -> usize {
        let lives = |slot: &&u32| {
            let found = new.billing.subscriptions.at(**slot);
            found.is_some_and(|s| !s.status.is_over())
        };
        self.waiting.len() + self.subscriptions.iter().filter(lives).count()
    }
}
