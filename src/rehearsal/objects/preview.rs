//! `POST /v1/invoices/create_preview`: what would be billed next. It reads only: nothing is redeemed, numbered or kept.

use serde_json::{Value, json};

use super::invoices_view::show;
use super::phases::{Reader, instant};
use super::phases_params::{DISCOUNTS, PHASE_OF_PREVIEW, PRORATION};
use super::subscriptions_create::times;
use crate::rehearsal::billing::{
    self, AtOnce, First, Invoice, InvoiceStatus, Opening, Phase, Schedule, Source, Standing, Subscription,
    Wanted, figure, next_after, rhythm_of, wanted, whole_sources,
};
use crate::rehearsal::call::{Answer, Call, live_customer};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::params::{P, Ty, opt, req};
use crate::rehearsal::world::Account;

const MODE: &[P] = &[
    opt("flexible", Ty::Unsimulated),
    req("type", Ty::Enum(&["classic", "flexible"])),
];
const SCHEDULE: &[P] = &[
    opt("billing_mode", Ty::Hash(MODE)),
    opt("end_behavior", Ty::Enum(&["cancel", "release"])),
    opt("phases", Ty::Hashes(PHASE_OF_PREVIEW)),
    opt("proration_behavior", PRORATION),
];
const SUBSCRIPTION: &[P] = &[
    opt("billing_cycle_anchor", Ty::Int),
    opt("billing_mode", Ty::Hash(MODE)),
    opt("billing_schedules", Ty::Unsimulated),
    opt("cancel_at", Ty::Unsimulated),
    opt("cancel_at_period_end", Ty::Unsimulated),
    opt("cancel_now", Ty::Unsimulated),
    opt("default_tax_rates", Ty::TextsOrNone),
    opt("items", Ty::Hashes(ITEM_OF_PREVIEW)),
    opt("metadata", Ty::Metadata),
    opt("proration_behavior", PRORATION),
    opt("proration_date", Ty::Unsimulated),
    opt("resume_at", Ty::Unsimulated),
    opt("start_date", Ty::Int),
    opt("trial_end", Ty::IntOr("now")),
];
const ITEM_OF_PREVIEW: &[P] = &[
    opt("billing_thresholds", Ty::Unsimulated),
    opt("clear_usage", Ty::Unsimulated),
    opt("deleted", Ty::Unsimulated),
    opt("discounts", Ty::Hashes(DISCOUNTS)),
    opt("id", Ty::Unsimulated),
    opt("metadata", Ty::Metadata),
    opt("price", Ty::Id),
    opt("price_data", Ty::Unsimulated),
    opt("quantity", Ty::Int),
    opt("tax_rates", Ty::TextsOrNone),
];

/// What a preview takes.
pub(crate) const CREATE: &[P] = &[
    opt("automatic_tax", Ty::Unsimulated),
    opt("currency", Ty::Text(3)),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Unsimulated),
    opt("customer_details", Ty::Unsimulated),
    opt("discounts", Ty::Hashes(DISCOUNTS)),
    opt("invoice_items", Ty::Unsimulated),
    opt("issuer", Ty::Unsimulated),
    opt("on_behalf_of", Ty::Unsimulated),
    opt("preview_mode", Ty::Enum(&["next", "recurring"])),
    opt("schedule", Ty::Id),
    opt("schedule_details", Ty::Hash(SCHEDULE)),
    opt("subscription", Ty::Id),
    opt("subscription_details", Ty::Hash(SUBSCRIPTION)),
];

/// A bill to come.
struct Coming {
    customer: u32,
    subscription: Option<u32>,
    cur: Cur,
    /// When it is made.
    at: i64,
    lines: Vec<Wanted>,
    /// Discounts of all of it.
    whole: Vec<Source>,
    tax_rates: Box<[u32]>,
    automatic_tax: bool,
    days_due: Option<u32>,
    metadata: Metadata,
}

/// `POST /v1/invoices/create_preview`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Invoice)?;
    let params = call.params;
    let sources = [
        "schedule",
        "schedule_details",
        "subscription",
        "subscription_details",
    ];
    let given: Vec<&str> = sources
        .into_iter()
        .filter(|name| params.node(name).is_some())
        .collect();
    let mut coming = match *given.as_slice() {
        ["schedule"] => of_schedule(call)?,
        ["schedule_details"] => of_phases(call)?,
        ["subscription"] => of_subscription(call)?,
        ["subscription_details"] => of_items(call)?,
        [] => {
            let message = "You must specify a subscription, a schedule, or the details of one.".to_owned();
            return Err(Refusal::invalid("subscription", message));
        }
        _ => return Err(Refusal::unsimulated(given.last().unwrap_or(&"subscription"))),
    };
    if params.node("discounts").is_some() {
        let reader = Reader::of(call, coming.customer);
        let coupons = reader.coupons(params, "", Some(coming.cur))?;
        coming.whole = by_coupons(&coupons);
    }
    let invoice = drawn(call, coming);
    let mut out = show(call.account, &invoice, &expand);
    out["automatically_finalizes_at"] = Value::Null;
    out["billing_reason"] = json!("upcoming");
    Ok(out)
}

/// The bill as an invoice that is nowhere.
fn drawn(call: &mut Call<'_>, coming: Coming) -> Invoice {
    let id = call.new_id("upcoming_in_");
    let figures = figure(call.account, coming.cur, &coming.lines, &coming.whole);
    Invoice {
        id: id.into(),
        created: coming.at,
        number: None,
        customer: coming.customer,
        subscription: coming.subscription,
        currency: coming.cur,
        status: InvoiceStatus::Draft,
        reason: "upcoming",
        period: (coming.at, coming.at),
        lines: figures.lines,
        subtotal: figures.subtotal,
        total: figures.total,
        discounts: coming.whole.iter().filter_map(|s| s.discount).collect(),
        tax_rates: coming.tax_rates,
        automatic_tax: coming.automatic_tax,
        days_due: coming.days_due,
        method: None,
        auto_advance: false,
        attempts: 0,
        retry: None,
        finalizes: None,
        finalized: None,
        paid: None,
        closed: None,
        metadata: coming.metadata,
    }
}

fn by_coupons(coupons: &[u32]) -> Vec<Source> {
    let source = |coupon: &u32| Source {
        discount: None,
        coupon: *coupon,
    };
    coupons.iter().map(source).collect()
}

fn none_upcoming(account: &Account, customer: u32) -> Refusal {
    let id = account.customers.at(customer).map_or("", |c| &*c.id);
    let mut refused = Refusal::missing("upcoming invoice", id, "customer", true);
    refused.message = format!("No upcoming invoices for customer: {id}");
    refused.code = Some("invoice_upcoming_none");
    refused
}

fn of_schedule(call: &Call<'_>) -> Result<Coming, Refusal> {
    let id = call.params.text("schedule").unwrap_or_default();
    let found = call.account.billing.schedules.get(id);
    let found = found.ok_or_else(|| Refusal::missing(super::schedules::NAME, id, "schedule", false))?;
    is_theirs(call, found.customer)?;
    match (found.standing, found.subscription) {
        (Standing::NotStarted, _) => of_first_phase(call, found),
        (Standing::Active(_), Some(slot)) => next_of(call, slot),
        _ => Err(none_upcoming(call.account, found.customer)),
    }
}

/// Whether the customer that is named, if one is, is the one it is of.
fn is_theirs(call: &Call<'_>, customer: u32) -> Result<(), Refusal> {
    let Some(id) = call.params.text("customer") else {
        return Ok(());
    };
    if live_customer(call.account, id) == Some(customer) {
        return Ok(());
    }
    Err(Refusal::missing("customer", id, "customer", false))
}

fn named(call: &Call<'_>) -> Result<u32, Refusal> {
    let Some(id) = call.params.text("customer") else {
        return Err(Refusal::unsimulated("customer_details"));
    };
    let found = live_customer(call.account, id);
    found.ok_or_else(|| Refusal::missing("customer", id, "customer", false))
}

fn of_phases(call: &Call<'_>) -> Result<Coming, Refusal> {
    let customer = named(call)?;
    let given = call.params.hash("schedule_details");
    let Some(given) = given.filter(|g| g.node("phases").is_some()) else {
        let name = "schedule_details[phases]";
        let message = format!("Missing required param: {name}.");
        return Err(Refusal::invalid_code(name, "parameter_missing", message));
    };
    let mut schedule = Schedule::bare("", call.now, customer);
    // A phase of a question has no currency of its own: the question has.
    let mut reader = Reader::of(call, customer);
    let currency = call.params.text("currency");
    reader.said = currency
        .map(|text| Call::currency(text, "currency"))
        .transpose()?;
    schedule.phases = reader.phases(given, Some(call.now))?;
    of_first_phase(call, &schedule)
}

/// The first bill of a schedule that has not begun.
fn of_first_phase(call: &Call<'_>, schedule: &Schedule) -> Result<Coming, Refusal> {
    let phase = schedule.phases.first();
    let rhythm = phase
        .and_then(|phase| phase.items.first())
        .and_then(|item| rhythm_of(call.account, item.price));
    let (Some(phase), Some(rhythm)) = (phase, rhythm) else {
        return Err(none_upcoming(call.account, schedule.customer));
    };
    let at = phase.start.max(call.now);
    let opening = Opening {
        started: phase.start,
        anchor: schedule.anchor.or(schedule.backdated.map(|_| phase.start)),
        trial_end: phase.trial_end,
        prorates: phase.proration != "none",
    };
    let first = billing::first_period(opening, rhythm, at);
    let mut coming = of_terms(schedule.customer, phase, first, at, opening.trial_end);
    coming.automatic_tax |= schedule.automatic_tax;
    coming.days_due = schedule.collected(phase);
    Ok(coming)
}

/// The first bill of what a phase says.
fn of_terms(customer: u32, phase: &Phase, first: First, at: i64, trial_end: Option<i64>) -> Coming {
    let free = trial_end.is_some_and(|end| end > at);
    let mut lines = Vec::new();
    if let Some(AtOnce { period, part }) = first.billed {
        lines.extend((0_u8..).zip(&phase.items).map(|(n, item)| Wanted {
            item: Some(n),
            price: item.price,
            quantity: item.quantity,
            period,
            part,
            free,
            discounts: by_coupons(&item.coupons),
            tax_rates: if item.tax_rates.is_empty() {
                phase.tax_rates.clone()
            } else {
                item.tax_rates.clone()
            },
        }));
    }
    lines.extend(phase.once.iter().map(|(price, quantity)| Wanted {
        price: *price,
        quantity: *quantity,
        period: (at, at),
        tax_rates: phase.tax_rates.clone(),
        ..Wanted::default()
    }));
    Coming {
        customer,
        subscription: None,
        cur: phase.currency,
        at,
        lines,
        whole: by_coupons(&phase.coupons),
        tax_rates: phase.tax_rates.clone().into_boxed_slice(),
        automatic_tax: phase.automatic_tax,
        days_due: None,
        metadata: phase.metadata.clone(),
    }
}

fn of_subscription(call: &Call<'_>) -> Result<Coming, Refusal> {
    let id = call.params.text("subscription").unwrap_or_default();
    let slot = call.account.billing.subscriptions.slot(id);
    let slot = slot.ok_or_else(|| Refusal::missing("subscription", id, "subscription", false))?;
    let found = call.account.billing.subscriptions.at(slot);
    if let Some(found) = found {
        is_theirs(call, found.customer)?;
    }
    next_of(call, slot)
}

/// The next renewal of a subscription that runs.
fn next_of(call: &Call<'_>, slot: u32) -> Result<Coming, Refusal> {
    let account = &*call.account;
    let found = account.billing.subscriptions.at(slot);
    let found = found.ok_or_else(|| Refusal::server(500))?;
    let at = found.period.1;
    let rhythm = found
        .items
        .first()
        .and_then(|item| rhythm_of(account, item.price));
    let over = found.ends || found.cancel_at.is_some_and(|when| when <= at) || !found.status.renews();
    let Some(rhythm) = rhythm.filter(|_| !over) else {
        return Err(none_upcoming(account, found.customer));
    };
    if let Some(coming) = of_next_phase(call, found, at) {
        return coming;
    }
    let period = (at, next_after(found.anchor, rhythm, at));
    Ok(Coming {
        customer: found.customer,
        subscription: Some(slot),
        cur: found.currency,
        at,
        lines: wanted(account, slot, found, period, at),
        whole: whole_sources(account, slot, found.customer, at),
        tax_rates: found.tax_rates.clone(),
        automatic_tax: found.automatic_tax(),
        days_due: found.days_due,
        metadata: found.metadata.clone(),
    })
}

/// The next bill where a schedule changes or ends the subscription just then.
fn of_next_phase(call: &Call<'_>, found: &Subscription, at: i64) -> Option<Result<Coming, Refusal>> {
    let schedule = call.account.billing.schedules.at(found.schedule?)?;
    let Standing::Active(n) = schedule.standing else {
        return None;
    };
    if schedule.phase()?.end > at {
        return None;
    }
    let Some(phase) = schedule.phases.get(n + 1) else {
        let ends = schedule.ends == "cancel";
        return ends.then(|| Err(none_upcoming(call.account, found.customer)));
    };
    let rhythm = rhythm_of(call.account, phase.items.first()?.price)?;
    let anchor = if phase.anchored { at } else { found.anchor };
    let period = (at, next_after(anchor, rhythm, at));
    let first = First {
        anchor,
        period,
        billed: Some(AtOnce { period, part: None }),
    };
    let mut coming = of_terms(found.customer, phase, first, at, None);
    coming.subscription = found.schedule.and(schedule.subscription);
    coming.days_due = schedule.collected(phase);
    Some(Ok(coming))
}

/// The first bill of a subscription that would be made now.
fn of_items(call: &Call<'_>) -> Result<Coming, Refusal> {
    let customer = named(call)?;
    let given = call.params.hash("subscription_details");
    let Some(given) = given else {
        return Err(Refusal::unsimulated("subscription_details"));
    };
    let reader = Reader::of(call, customer);
    let currency = call.params.text("currency");
    let currency = currency
        .map(|text| Call::currency(text, "currency"))
        .transpose()?;
    let phase = reader.terms_in(given, "subscription_details", call.now, currency)?;
    let (opening, first) = times(call.account, given, &phase, call.now)?;
    let at = opening.started.max(call.now);
    let trial_end = instant(given, "trial_end", call.now);
    Ok(of_terms(customer, &phase, first, at, trial_end))
}
