//! `POST /v1/subscriptions`: begins now and charges now, unless a trial, an anchor to come or a backdate says otherwise.

use serde_json::json;

use super::phases::{Reader, instant};
use super::phases_params::{AUTOMATIC_TAX, COLLECTION, DISCOUNTS, ITEM, ONCE, PRORATION};
use super::subscriptions_view::show;
use crate::rehearsal::billing::{
    self, First, Opening, Phase, Schedule, Status, Subscription, Turn, rhythm_of,
};
use crate::rehearsal::call::{Answer, Call, live_customer};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::pools::On;
use crate::rehearsal::world::{Account, Customer};

const DAY: i64 = 86_400;
const MODE: &[P] = &[
    opt("flexible", Ty::Unsimulated),
    req("type", Ty::Enum(&["classic", "flexible"])),
];
const MISSING: &[P] = &[req(
    "missing_payment_method",
    Ty::Enum(&["cancel", "create_invoice", "pause"]),
)];
const TRIAL_SETTINGS: &[P] = &[req("end_behavior", Ty::Hash(MISSING))];

/// What creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("add_invoice_items", Ty::Hashes(ONCE)),
    opt("application_fee_percent", Ty::Unsimulated),
    opt("automatic_tax", Ty::Hash(AUTOMATIC_TAX)),
    opt("backdate_start_date", Ty::Int),
    opt("billing_cycle_anchor", Ty::Int),
    opt("billing_cycle_anchor_config", Ty::Unsimulated),
    opt("billing_mode", Ty::Hash(MODE)),
    opt("billing_schedules", Ty::Unsimulated),
    opt("billing_thresholds", Ty::Unsimulated),
    opt("cancel_at", Ty::Int),
    opt("cancel_at_period_end", Ty::Bool),
    opt("collection_method", COLLECTION),
    opt("currency", Ty::Text(3)),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Unsimulated),
    opt("days_until_due", Ty::Int),
    opt("default_payment_method", Ty::Id),
    opt("default_source", Ty::Unsimulated),
    opt("default_tax_rates", Ty::TextsOrNone),
    opt("description", Ty::Text(500)),
    opt("discounts", Ty::Hashes(DISCOUNTS)),
    opt("invoice_settings", Ty::Unsimulated),
    opt("items", Ty::Hashes(ITEM)),
    opt("metadata", Ty::Metadata),
    opt("off_session", Ty::Bool),
    opt("on_behalf_of", Ty::Unsimulated),
    opt(
        "payment_behavior",
        Ty::Enum(&[
            "allow_incomplete",
            "default_incomplete",
            "error_if_incomplete",
            "pending_if_incomplete",
        ]),
    ),
    opt("payment_settings", Ty::Unsimulated),
    opt("pending_invoice_item_interval", Ty::Unsimulated),
    opt("proration_behavior", PRORATION),
    opt("transfer_data", Ty::Unsimulated),
    opt("trial_end", Ty::IntOr("now")),
    opt("trial_from_plan", Ty::Unsimulated),
    opt("trial_period_days", Ty::Int),
    opt("trial_settings", Ty::Hash(TRIAL_SETTINGS)),
];

/// `POST /v1/subscriptions`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Subscription)?;
    let params = call.params;
    let Some(id) = params.text("customer") else {
        let message = "Missing required param: customer.".to_owned();
        return Err(Refusal::invalid_code("customer", "parameter_missing", message));
    };
    if matches!(params.text("payment_behavior"), Some(word) if word != "allow_incomplete") {
        return Err(Refusal::unsimulated("payment_behavior"));
    }
    let customer = live_customer(call.account, id);
    let customer = customer.ok_or_else(|| Refusal::missing("customer", id, "customer", false))?;
    let reader = Reader::of(call, customer);
    reader.has_room()?;
    let phase = reader.terms(params, "", call.now)?;
    let (opening, first) = times(call.account, params, &phase, call.now)?;
    let made = made(call, customer, &phase, opening, first)?;
    chargeable(call.account, &made)?;
    let slot = begun(call, made, &phase, first);
    let found = call.account.billing.subscriptions.at(slot);
    Ok(found.map_or(serde_json::Value::Null, |s| show(call.account, s, &expand)))
}

/// When it begins, and what is billed for that.
pub(crate) fn times(
    account: &Account,
    params: Params<'_>,
    phase: &Phase,
    now: i64,
) -> Result<(Opening, First), Refusal> {
    let rhythm = phase
        .items
        .first()
        .and_then(|item| rhythm_of(account, item.price));
    let Some(rhythm) = rhythm else {
        return Err(Refusal::unsimulated("items"));
    };
    let days = params.int("trial_period_days").map(|days| now + days * DAY);
    let backdate = params
        .int("backdate_start_date")
        .or_else(|| params.int("start_date"));
    let opening = Opening {
        started: backdate.unwrap_or(now),
        anchor: params.int("billing_cycle_anchor"),
        trial_end: instant(params, "trial_end", now).or(days),
        prorates: phase.proration != "none",
    };
    if params.int("backdate_start_date").is_some_and(|at| at > now) {
        let message = "The backdate_start_date must be in the past.".to_owned();
        return Err(Refusal::rejected(Some("backdate_start_date"), message));
    }
    if let Some(anchor) = opening.anchor {
        let from = opening.trial_end.unwrap_or(now).max(now);
        let latest = billing::step(from, rhythm, 1);
        if anchor <= now || anchor > latest {
            let message = format!(
                "billing_cycle_anchor must be in the future and cannot be later than the next natural billing date \
                 ({latest})."
            );
            return Err(Refusal::rejected(Some("billing_cycle_anchor"), message));
        }
    }
    let at = opening.started.max(now);
    Ok((opening, billing::first_period(opening, rhythm, at)))
}

fn made(
    call: &mut Call<'_>,
    customer: u32,
    phase: &Phase,
    opening: Opening,
    first: First,
) -> Result<Subscription, Refusal> {
    let (now, params) = (call.now, call.params);
    let id = call.new_id("sub_");
    let created = Account::stamp(&call.account.billing.subscriptions, now);
    let trial = opening.trial_end.filter(|end| *end > now);
    let ends = params.flag("cancel_at_period_end") == Some(true);
    let cancel_at = params.int("cancel_at");
    if cancel_at.is_some_and(|at| at <= now) {
        let message = "`cancel_at` must be a time in the future.".to_owned();
        return Err(Refusal::rejected(Some("cancel_at"), message));
    }
    let mut made = Subscription {
        status: if trial.is_some() {
            Status::Trialing
        } else {
            Status::Active
        },
        period: first.period,
        started: opening.started,
        anchor: first.anchor,
        trial: trial.map(|end| (now, end)),
        ends,
        cancel_at,
        canceled_at: (ends || cancel_at.is_some()).then_some(now),
        metadata: phase.metadata.clone(),
        ..Subscription::bare(&id, created, customer, phase.currency)
    };
    let mut as_scheduled = Schedule::bare("", now, customer);
    let mode = params.hash("billing_mode").and_then(|mode| mode.text("type"));
    // What this version of the API makes unless it is told otherwise (changelog of 2025-09-30).
    as_scheduled.flexible = mode != Some("classic");
    billing::dress(&mut made, &as_scheduled, phase);
    let settings = params.hash("trial_settings").and_then(|s| s.hash("end_behavior"));
    if let Some(word) = settings.and_then(|s| s.text("missing_payment_method")) {
        let shown = json!({ "end_behavior": { "missing_payment_method": word } });
        made.set_rest("trial_settings", shown);
    }
    Ok(made)
}

/// Without a trial there must be something to charge.
fn chargeable(account: &Account, made: &Subscription) -> Result<(), Refusal> {
    let customer = account.customers.at(made.customer);
    let charged = made.method.or_else(|| customer.and_then(Customer::charged));
    if charged.is_some() || made.days_due.is_some() || made.status == Status::Trialing {
        return Ok(());
    }
    let message = "This customer has no attached payment source or default payment method. Please consider adding a \
                   default payment method. For more information, visit \
                   https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.";
    let mut refused = Refusal::rejected(None, message.to_owned());
    refused.code = Some("resource_missing");
    Err(refused)
}

/// Puts it into the world, redeems its coupons and bills it: what is charged automatically is tried at once.
fn begun(call: &mut Call<'_>, made: Subscription, phase: &Phase, first: First) -> u32 {
    let now = call.now;
    let owner = call.account.customers.at(made.customer).map(|c| c.id.clone());
    let owner = owner.unwrap_or_default();
    let (sent, trial) = (made.days_due.is_some(), made.status == Status::Trialing);
    call.mark(&made.metadata);
    call.touch(&owner);
    let slot = call.account.billing.subscribe(&owner, made);
    billing::lock_currency(call.account, slot);
    billing::attach(call.account, slot, On::Subscription(slot), &phase.coupons, now);
    for (n, item) in (0_u8..).zip(&phase.items) {
        billing::attach(call.account, slot, On::Item(slot, n), &item.coupons, now);
    }
    let invoice = billing::open(call.account, slot, first, &phase.once, now);
    if let Some(invoice) = invoice {
        if !sent
            && !trial
            && let Some(stored) = call.account.billing.subscriptions.at_mut(slot)
        {
            stored.status = Status::Incomplete;
        }
        billing::finalize(call.account, invoice, now);
    }
    call.account.billing.plan(Turn::Subscription, slot);
    let found = call.account.billing.subscriptions.at(slot);
    let object = found.map(|s| show(call.account, s, &Expand::default()));
    call.event("customer.subscription.created", object.unwrap_or_default(), None);
    slot
}
