//! Time passing: everything that falls due, in order of its instant.

use serde_json::json;

use super::begin::{begin, enter};
use super::bill::{attempt, bill, finalize, note_invoice, note_schedule, note_subscription, wanted};
use super::invoice::InvoiceStatus;
use super::{Rhythm, Standing, Status, Turn, next_after};
use crate::rehearsal::world::Account;

/// Plays everything that falls due up to an instant, in seconds. Nothing happens twice: played to an instant, or to
/// another first and then to that, an account is the same.
pub(crate) fn advance(account: &mut Account, until: i64) {
    let before = account.now;
    while let Some((at, turn, slot)) = account.billing.due(until) {
        account.now = at;
        match turn {
            Turn::Schedule => schedule(account, slot, at),
            Turn::Subscription => subscription(account, slot, at),
            Turn::Invoice => invoice(account, slot, at),
        }
        account.billing.plan(turn, slot);
    }
    account.now = before.max(until);
}

fn schedule(account: &mut Account, slot: u32, at: i64) {
    let Some(found) = account.billing.schedules.at(slot) else {
        return;
    };
    match found.standing {
        Standing::NotStarted => begin(account, slot, at),
        Standing::Active(n) if n + 1 < found.phases.len() => enter(account, slot, n + 1, at),
        Standing::Active(_) if found.ends == "cancel" => {
            let subscription = found.subscription;
            stand(account, slot, Standing::Completed(at));
            if let Some(of) = subscription {
                end(account, of, at, "cancellation_requested");
            }
            note_schedule(account, "subscription_schedule.completed", slot);
        }
        Standing::Active(_) => release(account, slot, at),
        _ => {}
    }
}

/// Gives the subscription of a schedule free.
fn release(account: &mut Account, slot: u32, at: i64) {
    stand(account, slot, Standing::Released(at));
    note_schedule(account, "subscription_schedule.released", slot);
}

/// Ends a schedule: its subscription is managed by nobody any more.
pub(crate) fn stand(account: &mut Account, slot: u32, standing: Standing) {
    let Some(schedule) = account.billing.schedules.at_mut(slot) else {
        return;
    };
    schedule.standing = standing;
    let of = schedule.subscription;
    if let Some(subscription) = of.and_then(|of| account.billing.subscriptions.at_mut(of)) {
        subscription.schedule = None;
    }
}

fn subscription(account: &mut Account, slot: u32, at: i64) {
    let Some(found) = account.billing.subscriptions.at_mut(slot) else {
        return;
    };
    if found
        .pause
        .and_then(|pause| pause.resumes_at)
        .is_some_and(|resumes| resumes <= at)
    {
        found.pause = None;
    }
    if found.status == Status::Incomplete {
        found.status = Status::IncompleteExpired;
        found.ended = Some(at);
        return note_subscription(account, "customer.subscription.updated", slot, None);
    }
    let over = found.period.1 <= at;
    if found.cancel_at.is_some_and(|when| when <= at) || (found.ends && over) {
        return end(account, slot, at, "cancellation_requested");
    }
    if found.status.renews() && over {
        renew(account, slot, at);
    }
}

/// The next period of a subscription, and its invoice.
fn renew(account: &mut Account, slot: u32, at: i64) {
    let Some(found) = account.billing.subscriptions.at(slot) else {
        return;
    };
    let first = found
        .items
        .first()
        .and_then(|item| account.catalogue.prices.at(item.price));
    let Some(recurring) = first.and_then(|price| price.recurring.as_ref()) else {
        // Nothing it sells bills again.
        return end(account, slot, at, "cancellation_requested");
    };
    let rhythm = Rhythm::of(recurring);
    let trial = found.status == Status::Trialing;
    if trial && let Some(behavior) = without_method(account, slot) {
        return match behavior {
            "cancel" => end(account, slot, at, "cancellation_requested"),
            _ => pause(account, slot),
        };
    }
    let was = found.period;
    let period = (was.1, next_after(found.anchor, rhythm, was.1));
    if let Some(found) = account.billing.subscriptions.at_mut(slot) {
        found.period = period;
        if trial {
            found.status = Status::Active;
        }
    }
    let Some(found) = account.billing.subscriptions.at(slot) else {
        return;
    };
    let lines = wanted(account, slot, found, period, at);
    let latest = found.latest.and_then(|n| account.billing.invoices.at(n));
    let changed = json!({ "latest_invoice": latest.map(|invoice| &*invoice.id) });
    let made = bill(account, slot, "subscription_cycle", &lines, at);
    if let Some(invoice) = made.and_then(|made| account.billing.invoices.at_mut(made)) {
        invoice.period = was;
    }
    note_subscription(account, "customer.subscription.updated", slot, Some(changed));
}

/// What `trial_settings` says of a trial that ends without anything to charge; `None`: it has a method, or an invoice is
/// made all the same.
fn without_method(account: &Account, slot: u32) -> Option<&'static str> {
    let found = account.billing.subscriptions.at(slot)?;
    let customer = account.customers.at(found.customer)?;
    if found.days_due.is_some() || found.method.or_else(|| customer.charged()).is_some() {
        return None;
    }
    let settings = found.rest("trial_settings")?;
    match settings
        .pointer("/end_behavior/missing_payment_method")?
        .as_str()?
    {
        "cancel" => Some("cancel"),
        "pause" => Some("pause"),
        _ => None,
    }
}

fn pause(account: &mut Account, slot: u32) {
    if let Some(found) = account.billing.subscriptions.at_mut(slot) {
        found.status = Status::Paused;
    }
    note_subscription(account, "customer.subscription.paused", slot, None);
}

/// Ends a subscription. Stripe then stops collecting the customer's finalised invoices (facts of `DELETE
/// /v1/subscriptions/{id}` in the `OpenAPI` document).
pub(crate) fn end(account: &mut Account, slot: u32, at: i64, reason: &str) {
    let Some(found) = account.billing.subscriptions.at_mut(slot) else {
        return;
    };
    if found.status.is_over() {
        return;
    }
    found.status = Status::Canceled;
    found.ended = Some(at);
    found.canceled_at.get_or_insert(at);
    let mut details = found.rest("cancellation_details").cloned().unwrap_or_default();
    if !details.is_object() {
        details = json!({ "comment": null, "feedback": null });
    }
    if let Some(details) = details.as_object_mut() {
        details.insert("reason".to_owned(), reason.into());
    }
    found.set_rest("cancellation_details", details);
    let (customer, schedule) = (found.customer, found.schedule.take());
    if let Some(schedule) = schedule.and_then(|s| account.billing.schedules.at_mut(s))
        && matches!(schedule.standing, Standing::Active(_) | Standing::NotStarted)
    {
        schedule.standing = Standing::Canceled(at);
    }
    note_subscription(account, "customer.subscription.deleted", slot, None);
    stop_collecting(account, customer);
}

/// Ends a subscription with a last invoice, as far as there is something to invoice: the time that is left, given back.
/// Stripe would keep what is less than nothing as the customer's credit; here it stays on the invoice.
pub(crate) fn end_with(account: &mut Account, slot: u32, at: i64, (invoice_now, prorate): (bool, bool)) {
    let found = account.billing.subscriptions.at(slot);
    let Some(found) = found.filter(|s| invoice_now && prorate && s.status.renews()) else {
        return end(account, slot, at, "cancellation_requested");
    };
    let (start, until) = found.period;
    let mut lines = wanted(account, slot, found, (at, until), at);
    for line in &mut lines {
        line.part = Some((at - until, (until - start).max(1)));
        line.free = found.status == Status::Trialing;
    }
    let made = bill(account, slot, "subscription_update", &lines, at);
    if let Some(made) = made {
        finalize(account, made, at);
    }
    end(account, slot, at, "cancellation_requested");
}

fn stop_collecting(account: &mut Account, customer: u32) {
    let slots = account
        .billing
        .invoices_of
        .get(&customer)
        .cloned()
        .unwrap_or_default();
    for slot in slots {
        if let Some(invoice) = account.billing.invoices.at_mut(slot)
            && invoice.status == InvoiceStatus::Open
            && invoice.auto_advance
        {
            invoice.auto_advance = false;
            invoice.retry = None;
            note_invoice(account, "invoice.updated", slot);
        }
    }
}

fn invoice(account: &mut Account, slot: u32, at: i64) {
    match account.billing.invoices.at(slot).map(|i| i.status) {
        Some(InvoiceStatus::Draft) => finalize(account, slot, at),
        Some(InvoiceStatus::Open) => attempt(account, slot, at),
        _ => {}
    }
}
