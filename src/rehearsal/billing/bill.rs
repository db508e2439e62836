//! From a subscription to an invoice, and from a draft to money.

use serde_json::Value;

use super::figure::{Source, Wanted, figure};
use super::invoice::{Invoice, InvoiceStatus};
use super::{Status, Subscription, Turn};
use crate::rehearsal::expand::Expand;
use crate::rehearsal::ids;
use crate::rehearsal::objects::{invoices_view, schedules_view, subscriptions_view};
use crate::rehearsal::pools::Lasts;
use crate::rehearsal::world::{Account, Event};

/// How long an invoice of a renewal stays a draft.
const DRAFT: i64 = 3_600;
/// Between two attempts at a payment, and how many there are.
const RETRY: i64 = 3 * 86_400;
const ATTEMPTS: u32 = 4;

/// Writes an event of time, or of the request that is being carried out.
pub(super) fn note(account: &mut Account, kind: &'static str, object: Value, previous: Option<Value>) {
    if account.billing.silent {
        return;
    }
    let (at, nth) = (account.now, account.events.rows().len());
    let seed = ids::mix(&[b"due", kind.as_bytes(), &at.to_be_bytes(), &nth.to_be_bytes()]);
    let cause = account.billing.cause.clone();
    let event = Event {
        id: ids::object("evt_", &account.id, seed).into(),
        created: Account::stamp(&account.events, at),
        kind,
        object,
        previous,
        request: cause.as_ref().map(|cause| cause.request.clone()),
        key: cause.and_then(|cause| cause.key),
    };
    account.events.push(event);
}

pub(super) fn note_invoice(account: &mut Account, kind: &'static str, slot: u32) {
    if account.billing.silent {
        return;
    }
    let found = account.billing.invoices.at(slot);
    let object = found.map(|i| invoices_view::show(account, i, &Expand::default()));
    note(account, kind, object.unwrap_or_default(), None);
}

pub(super) fn note_subscription(account: &mut Account, kind: &'static str, slot: u32, was: Option<Value>) {
    if account.billing.silent {
        return;
    }
    let found = account.billing.subscriptions.at(slot);
    let object = found.map(|s| subscriptions_view::show(account, s, &Expand::default()));
    note(account, kind, object.unwrap_or_default(), was);
}

pub(super) fn note_schedule(account: &mut Account, kind: &'static str, slot: u32) {
    if account.billing.silent {
        return;
    }
    let found = account.billing.schedules.at(slot);
    let object = found.map(|s| schedules_view::show(account, s, &Expand::default()));
    note(account, kind, object.unwrap_or_default(), None);
}

/// Discounts of all of a subscription's bills: its own, or else its customer's.
pub(crate) fn whole_sources(account: &Account, slot: u32, customer: u32, at: i64) -> Vec<Source> {
    let mut running = account.pools.running(slot, None, at);
    if running.is_empty() {
        running.extend(account.pools.of_customer(customer, at));
    }
    sources(account, &running)
}

fn sources(account: &Account, discounts: &[u32]) -> Vec<Source> {
    let known = discounts.iter().filter_map(|slot| {
        let discount = account.pools.discounts().at(*slot)?;
        Some(Source {
            discount: Some(*slot),
            coupon: discount.coupon,
        })
    });
    known.collect()
}

/// The lines of a subscription's items for a time.
pub(crate) fn wanted(
    account: &Account,
    slot: u32,
    subscription: &Subscription,
    period: (i64, i64),
    at: i64,
) -> Vec<Wanted> {
    let items = (0_u8..).zip(&subscription.items);
    let line = |(n, item): (u8, &super::Item)| Wanted {
        item: Some(n),
        price: item.price,
        quantity: item.quantity,
        period,
        discounts: sources(account, &account.pools.running(slot, Some(n), at)),
        tax_rates: if item.tax_rates.is_empty() {
            subscription.tax_rates.to_vec()
        } else {
            item.tax_rates.to_vec()
        },
        ..Wanted::default()
    };
    items.map(line).collect()
}

/// Makes the invoice of a subscription: a draft that is finalised in an hour, unless collection is paused. A discount
/// that is for one bill is over with it. Says its slot.
pub(crate) fn bill(
    account: &mut Account,
    slot: u32,
    reason: &'static str,
    lines: &[Wanted],
    at: i64,
) -> Option<u32> {
    let subscription = account.billing.subscriptions.at(slot)?;
    let whole = whole_sources(account, slot, subscription.customer, at);
    let figures = figure(account, subscription.currency, lines, &whole);
    let nth = account.billing.invoices.rows().len();
    let parts: [&[u8]; 3] = [b"invoice", subscription.id.as_bytes(), &nth.to_be_bytes()];
    let id = ids::object("in_", &account.id, ids::mix(&parts));
    let advances = subscription.pause.is_none() && subscription.status != Status::Unpaid;
    let created = Account::stamp(&account.billing.invoices, at);
    let invoice = Invoice {
        id: id.into(),
        created,
        number: None,
        customer: subscription.customer,
        subscription: Some(slot),
        currency: subscription.currency,
        status: InvoiceStatus::Draft,
        reason,
        period: (subscription.period.0.min(at), at),
        lines: figures.lines,
        subtotal: figures.subtotal,
        total: figures.total,
        discounts: whole.iter().filter_map(|s| s.discount).collect(),
        tax_rates: subscription.tax_rates.clone(),
        automatic_tax: subscription.automatic_tax(),
        days_due: subscription.days_due,
        method: subscription.method,
        auto_advance: advances,
        attempts: 0,
        retry: None,
        finalizes: advances.then_some(at + DRAFT),
        finalized: None,
        paid: None,
        closed: None,
        metadata: subscription.metadata.clone(),
    };
    let behavior = subscription.pause.map(|pause| pause.behavior);
    let free = lines.iter().all(|line| line.free);
    let made = account.billing.add_invoice(invoice);
    if let Some(subscription) = account.billing.subscriptions.at_mut(slot) {
        subscription.latest = Some(made);
    }
    if !free {
        use_up(account, made, at);
    }
    note_invoice(account, "invoice.created", made);
    match behavior {
        Some("void") => close(account, made, InvoiceStatus::Void, at),
        Some("mark_uncollectible") => close(account, made, InvoiceStatus::Uncollectible, at),
        _ => {}
    }
    Some(made)
}

/// Ends the discounts that were for one bill.
fn use_up(account: &mut Account, invoice: u32, at: i64) {
    let Some(found) = account.billing.invoices.at(invoice) else {
        return;
    };
    let mut used: Vec<u32> = found.discounts.clone();
    let of_lines = found.lines.iter().flat_map(|line| &line.discounts);
    used.extend(of_lines.filter_map(|(source, _)| source.discount));
    for slot in used {
        let coupon = account.pools.discounts().at(slot).map(|d| d.coupon);
        let coupon = coupon.and_then(|coupon| account.pools.coupons().at(coupon));
        if coupon.is_some_and(|c| c.lasts == Lasts::Once) {
            account.pools.end_discount(slot, at);
        }
    }
}

/// Finalises and closes an invoice that nobody shall pay.
pub(crate) fn close(account: &mut Account, slot: u32, status: InvoiceStatus, at: i64) {
    number(account, slot, at);
    if let Some(invoice) = account.billing.invoices.at_mut(slot) {
        invoice.status = status;
        invoice.closed = Some(at);
        invoice.auto_advance = false;
    }
    note_invoice(account, "invoice.finalized", slot);
    let kind = if status == InvoiceStatus::Void {
        "invoice.voided"
    } else {
        "invoice.marked_uncollectible"
    };
    note_invoice(account, kind, slot);
}

fn number(account: &mut Account, slot: u32, at: i64) {
    let number = account.billing.number(&account.id);
    if let Some(invoice) = account.billing.invoices.at_mut(slot) {
        invoice.number.get_or_insert(number);
        invoice.finalized.get_or_insert(at);
        invoice.finalizes = None;
        invoice.status = InvoiceStatus::Open;
    }
}

/// Finalises a draft: nothing to pay is paid; what is charged automatically is tried; the rest stays open.
pub(crate) fn finalize(account: &mut Account, slot: u32, at: i64) {
    number(account, slot, at);
    note_invoice(account, "invoice.finalized", slot);
    let Some(invoice) = account.billing.invoices.at(slot) else {
        return;
    };
    if invoice.total <= 0 {
        paid(account, slot, at);
    } else if invoice.days_due.is_none() && invoice.auto_advance {
        attempt(account, slot, at);
    } else {
        note_invoice(account, "invoice.sent", slot);
    }
}

/// Tries to have an open invoice paid.
pub(crate) fn attempt(account: &mut Account, slot: u32, at: i64) {
    let fails = fails(account, slot);
    let Some(invoice) = account.billing.invoices.at_mut(slot) else {
        return;
    };
    invoice.attempts += 1;
    if !fails {
        return paid(account, slot, at);
    }
    invoice.retry = (invoice.attempts < ATTEMPTS).then_some(at + RETRY);
    let subscription = invoice.subscription;
    account.billing.plan(Turn::Invoice, slot);
    note_invoice(account, "invoice.payment_failed", slot);
    if let Some(of) = subscription {
        settle(account, of, slot, Status::Active, Status::PastDue);
    }
}

fn paid(account: &mut Account, slot: u32, at: i64) {
    let Some(invoice) = account.billing.invoices.at_mut(slot) else {
        return;
    };
    invoice.status = InvoiceStatus::Paid;
    invoice.paid = Some(at);
    invoice.retry = None;
    let subscription = invoice.subscription;
    note_invoice(account, "invoice.paid", slot);
    if let Some(of) = subscription {
        settle(account, of, slot, Status::PastDue, Status::Active);
        settle(account, of, slot, Status::Incomplete, Status::Active);
    }
}

/// What the latest invoice of a subscription does to its status.
fn settle(account: &mut Account, slot: u32, invoice: u32, from: Status, to: Status) {
    let Some(subscription) = account.billing.subscriptions.at_mut(slot) else {
        return;
    };
    if subscription.latest != Some(invoice) || subscription.status != from {
        return;
    }
    subscription.status = to;
    account.billing.plan(Turn::Subscription, slot);
    let was = serde_json::json!({ "status": from.word() });
    note_subscription(account, "customer.subscription.updated", slot, Some(was));
}

/// Whether the payment of an invoice fails: of people whose payments do, and without anything to charge.
fn fails(account: &Account, slot: u32) -> bool {
    let invoice = account.billing.invoices.at(slot);
    let owner = invoice.and_then(|i| account.customers.at(i.customer).map(|c| (i, c)));
    let Some((invoice, customer)) = owner else {
        return true;
    };
    let charged = invoice.method.or_else(|| customer.charged());
    let attached = charged.and_then(|slot| account.methods.at(slot)?.customer);
    customer.deleted
        || customer.delinquent
        || attached.is_none()
        || account.billing.failing.contains(&invoice.customer)
}
