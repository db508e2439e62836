//! Billing of one account: subscriptions, the schedules that make and change them, and the invoices both come to.
//!
//! [`advance`] is the state machine: it plays everything that falls due up to an instant, in order of the instants, and
//! is a pure function of the account and that instant. It is called before every request is carried out and before
//! every look at the account; since every request of a world log carries its instant, replay comes to the same world.
//! An [`Account`](super::world::Account) is `Clone`: a copy can be played forward to see what it would bill.
//!
//! # What falls due
//!
//! | what | when | what happens |
//! |---|---|---|
//! | schedule, not started | start of its first phase | a subscription is made; its first invoice is a draft for an hour |
//! | schedule, active | end of a phase | the next phase's items, coupons, taxes; after the last: released, or canceled |
//! | subscription in force | end of its period | an invoice and the next period on the grid of its anchor; or its end |
//! | subscription in a trial | end of the trial | the same; without a method as `trial_settings` says |
//! | subscription | `cancel_at`, `pause_collection.resumes_at` | it ends; collection goes on |
//! | subscription, incomplete | 23 hours | `incomplete_expired` |
//! | invoice, draft that advances | an hour | finalised: paid at once, or open and its subscription `past_due` |
//! | invoice, open | three days, at most four attempts | tried again |
//!
//! At one instant schedules come first, then subscriptions, then invoices.
//!
//! # What is left out
//!
//! Customer credit is not applied to invoices; automatic tax comes to nothing; metered prices have no usage; a change in
//! the middle of a period is not prorated; all items of a subscription bill with the rhythm of the first.

mod advance;
mod begin;
mod bill;
mod figure;
mod grid;
mod invoice;
mod schedule;
mod subscription;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use advance::{advance, end, end_with, stand};
pub(crate) use begin::{
    AtOnce, First, Opening, attach, begin, dress, first_period, lock_currency, open, refresh, rhythm_of,
};
pub(crate) use bill::{bill, finalize, wanted, whole_sources};
pub(crate) use figure::{Line, Source, Tax, Wanted, figure};
pub(crate) use grid::{Rhythm, length, next_after, period_at, step};
pub(crate) use invoice::{Billed, Invoice, InvoiceStatus, billed, foreseen};
pub(crate) use schedule::{Collected, Phase, PhaseItem, Schedule, Standing};
pub(crate) use subscription::{Item, Pause, Status, Subscription};

use super::index::Index;
use super::pages::Store;

/// Everything of an account that bills.
#[derive(Clone, Default)]
pub(crate) struct Billing {
    pub(crate) subscriptions: Store<Subscription>,
    /// Slots of subscriptions by customer id.
    pub(crate) by_customer: Index,
    pub(crate) schedules: Store<Schedule>,
    pub(crate) invoices: Store<Invoice>,
    /// Slots of schedules by slot of the customer, oldest first.
    schedules_by: BTreeMap<u32, Vec<u32>>,
    /// Slots of invoices by slot of the customer, oldest first.
    pub(crate) invoices_of: BTreeMap<u32, Vec<u32>>,
    /// Slots of customers whose payments fail.
    pub(crate) failing: BTreeSet<u32>,
    /// The request that is being carried out, which events then name.
    pub(crate) cause: Option<Cause>,
    /// No events are written: a copy that is played forward.
    pub(crate) silent: bool,
    /// Invoices that have a number.
    numbered: u32,
    /// What may fall due; an entry that is no longer true is dropped when its time comes.
    agenda: BTreeSet<(i64, Turn, u32)>,
}

/// A request that changes something.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) request: Box<str>,
    pub(crate) key: Option<Box<str>>,
}

/// Whose turn it is; also the order at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    Schedule,
    Subscription,
    Invoice,
}

impl Billing {
    /// Adds a subscription of the customer with that id.
    pub(crate) fn subscribe(&mut self, customer: &str, subscription: Subscription) -> u32 {
        if matches!(subscription.status, Status::PastDue | Status::Unpaid) {
            self.failing.insert(subscription.customer);
        }
        let slot = self.subscriptions.push(subscription);
        self.by_customer.insert(customer, slot);
        self.plan(Turn::Subscription, slot);
        slot
    }

    /// Adds a schedule.
    pub(crate) fn add_schedule(&mut self, schedule: Schedule) -> u32 {
        let customer = schedule.customer;
        let slot = self.schedules.push(schedule);
        self.schedules_by.entry(customer).or_default().push(slot);
        self.plan(Turn::Schedule, slot);
        slot
    }

    /// Adds an invoice.
    pub(crate) fn add_invoice(&mut self, invoice: Invoice) -> u32 {
        let customer = invoice.customer;
        let slot = self.invoices.push(invoice);
        self.invoices_of.entry(customer).or_default().push(slot);
        self.plan(Turn::Invoice, slot);
        slot
    }

    /// Puts the next instant of something on the agenda: after every change of it.
    pub(crate) fn plan(&mut self, turn: Turn, slot: u32) {
        if let Some(at) = self.next(turn, slot) {
            self.agenda.insert((at, turn, slot));
        }
    }

    /// When something of it falls due.
    fn next(&self, turn: Turn, slot: u32) -> Option<i64> {
        match turn {
            Turn::Schedule => self.schedules.at(slot)?.due(),
            Turn::Subscription => self.subscriptions.at(slot)?.due(),
            Turn::Invoice => self.invoices.at(slot)?.due(),
        }
    }

    /// The first thing that is due by an instant, taken off the agenda.
    fn due(&mut self, until: i64) -> Option<(i64, Turn, u32)> {
        loop {
            let first = *self.agenda.first().filter(|(at, ..)| *at <= until)?;
            self.agenda.remove(&first);
            let (at, turn, slot) = first;
            match self.next(turn, slot) {
                Some(now) if now <= at => return Some(first),
                Some(later) => {
                    self.agenda.insert((later, turn, slot));
                }
                None => {}
            }
        }
    }

    /// The next number of an invoice, counted by the account.
    fn number(&mut self, account: &str) -> Box<str> {
        self.numbered += 1;
        let start = account.len().saturating_sub(8);
        let prefix = account.get(start..).unwrap_or("INVOICES").to_ascii_uppercase();
        format!("{prefix}-{:04}", self.numbered).into()
    }

    /// A customer's schedules that are not over.
    pub(crate) fn schedules_of(&self, customer: u32) -> impl Iterator<Item = &Schedule> {
        let slots = self
            .schedules_by
            .get(&customer)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let found = slots.iter().filter_map(|slot| self.schedules.at(*slot));
        found.filter(|s| matches!(s.standing, Standing::NotStarted | Standing::Active(_)))
    }

    /// Slots of a customer's subscriptions that are not over.
    pub(crate) fn live_of(&self, customer: u32, id: &str) -> Vec<u32> {
        let mut slots = self.by_customer.slots(id);
        let live = |s: &Subscription| s.customer == customer && !s.status.is_over();
        slots.retain(|slot| self.subscriptions.at(*slot).is_some_and(live));
        slots
    }
}

#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;
