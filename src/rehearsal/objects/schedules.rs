//! `/v1/subscription_schedules`: create, retrieve, update, list, cancel, release.

use serde_json::Value;

use super::phases::{Reader, instant};
use super::phases_params::{AUTOMATIC_TAX, COLLECTION, INVOICE_SETTINGS, PHASE, PHASE_OF_UPDATE};
use super::schedules_view::show;
use super::{customers, payment_methods, subscriptions};
use crate::rehearsal::billing::{self, Phase, PhaseItem, Schedule, Standing, Subscription};
use crate::rehearsal::call::{Answer, Call, live_customer};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::world::Account;

pub(crate) const NAME: &str = "subscription schedule";
const MODE: &[P] = &[
    opt("flexible", Ty::Unsimulated),
    req("type", Ty::Enum(&["classic", "flexible"])),
];
const DEFAULTS: &[P] = &[
    opt("application_fee_percent", Ty::Unsimulated),
    opt("automatic_tax", Ty::Hash(AUTOMATIC_TAX)),
    opt("billing_cycle_anchor", Ty::Enum(&["automatic", "phase_start"])),
    opt("billing_thresholds", Ty::Unsimulated),
    opt("collection_method", COLLECTION),
    opt("default_payment_method", Ty::Id),
    opt("description", Ty::Text(500)),
    opt("invoice_settings", Ty::Hash(INVOICE_SETTINGS)),
    opt("on_behalf_of", Ty::Unsimulated),
    opt("transfer_data", Ty::Unsimulated),
];
const END_BEHAVIOR: Ty = Ty::Enum(&["cancel", "none", "release", "renew"]);

/// What creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("billing_mode", Ty::Hash(MODE)),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Unsimulated),
    opt("default_settings", Ty::Hash(DEFAULTS)),
    opt("end_behavior", END_BEHAVIOR),
    opt("from_subscription", Ty::Id),
    opt("metadata", Ty::Metadata),
    opt("phases", Ty::Hashes(PHASE)),
    opt("start_date", Ty::IntOr("now")),
];
/// What updating takes.
pub(crate) const UPDATE: &[P] = &[
    opt("default_settings", Ty::Hash(DEFAULTS)),
    opt("end_behavior", END_BEHAVIOR),
    opt("metadata", Ty::Metadata),
    opt("phases", Ty::Hashes(PHASE_OF_UPDATE)),
    opt("proration_behavior", super::phases_params::PRORATION),
];
/// What canceling takes.
pub(crate) const CANCEL: &[P] = &[opt("invoice_now", Ty::Bool), opt("prorate", Ty::Bool)];
/// What releasing takes.
pub(crate) const RELEASE: &[P] = &[opt("preserve_cancel_date", Ty::Bool)];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("canceled_at", Ty::Range),
    opt("completed_at", Ty::Range),
    opt("created", Ty::Range),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Id),
    opt("released_at", Ty::Range),
    opt("scheduled", Ty::Bool),
];

/// `GET /v1/subscription_schedules`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Schedule)?;
    let page = call.page()?;
    let params = call.params;
    if let Some(id) = params.text("customer") {
        customers::by_param(call, id, "customer")?;
    }
    let customer = params.text("customer").map(|id| call.account.customers.slot(id));
    let account = &*call.account;
    let keep = |s: &Schedule| {
        let (canceled, completed, released) = match s.standing {
            Standing::Canceled(at) => (Some(at), None, None),
            Standing::Completed(at) => (None, Some(at), None),
            Standing::Released(at) => (None, None, Some(at)),
            _ => (None, None, None),
        };
        let waits = s.standing == Standing::NotStarted;
        customer.is_none_or(|slot| slot == Some(s.customer))
            && params.flag("scheduled").is_none_or(|only| !only || waits)
            && during(params, "canceled_at", canceled)
            && during(params, "completed_at", completed)
            && during(params, "released_at", released)
    };
    let all = &account.billing.schedules;
    let cursor = |id: &str| all.slot(id).map(|s| s as usize);
    let (data, more) = page.cut(all.rows(), NAME, cursor, keep)?;
    let data = data.into_iter().map(|s| show(account, s, &expand)).collect();
    Ok(pages::envelope("/v1/subscription_schedules", data, more))
}

/// Whether something happened when a range parameter says.
fn during(params: Params<'_>, name: &str, at: Option<i64>) -> bool {
    params.node(name).is_none() || at.is_some_and(|at| subscriptions::within(params, name, at))
}

/// `GET /v1/subscription_schedules/{schedule}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Schedule)?;
    let slot = slot(call)?;
    Ok(shown(call.account, slot, &expand))
}

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.billing.schedules.slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "schedule", true))
}

fn shown(account: &Account, slot: u32, expand: &Expand) -> Value {
    let found = account.billing.schedules.at(slot);
    found.map_or(Value::Null, |s| show(account, s, expand))
}

fn said(call: &mut Call<'_>, slot: u32, kind: &'static str, previous: Option<Value>) {
    let object = shown(call.account, slot, &Expand::default());
    call.event(kind, object, previous);
}

/// `POST /v1/subscription_schedules`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Schedule)?;
    let made = match call.params.text("from_subscription") {
        Some(id) => of_subscription(call, id)?,
        None => of_phases(call)?,
    };
    let now = call.now;
    let starts = made.standing == Standing::NotStarted && made.due().is_some_and(|at| at <= now);
    let (customer, managed) = (made.customer, made.subscription);
    call.mark(&made.metadata);
    let slot = call.account.billing.add_schedule(made);
    if let Some(subscription) = managed.and_then(|of| call.account.billing.subscriptions.at_mut(of)) {
        subscription.schedule = Some(slot);
    }
    let id = call.account.customers.at(customer).map(|c| c.id.clone());
    call.touch(&id.unwrap_or_default());
    said(call, slot, "subscription_schedule.created", None);
    if starts {
        billing::begin(call.account, slot, now);
    }
    lock_currency(call.account, slot);
    Ok(shown(call.account, slot, &expand))
}

/// A schedule, too, says in which currency its customer is billed.
fn lock_currency(account: &mut Account, slot: u32) {
    let schedule = account.billing.schedules.at(slot);
    let cur = schedule.and_then(|s| Some((s.customer, s.phases.first()?.currency)));
    if let Some((customer, cur)) = cur
        && let Some(customer) = account.customers.at_mut(customer)
    {
        customer.currency.get_or_insert(cur);
    }
}

fn of_phases(call: &mut Call<'_>) -> Result<Schedule, Refusal> {
    let missing = |name: &str| {
        let message = format!("Missing required param: {name}.");
        Refusal::invalid_code(name, "parameter_missing", message)
    };
    let id = call.params.text("customer").ok_or_else(|| missing("customer"))?;
    if call.params.node("phases").is_none() {
        return Err(missing("phases"));
    }
    let customer = live_customer(call.account, id);
    let customer = customer.ok_or_else(|| Refusal::missing("customer", id, "customer", false))?;
    let reader = Reader::of(call, customer);
    reader.has_room()?;
    let start = instant(call.params, "start_date", call.now);
    let phases = reader.phases(call.params, start)?;
    let mut made = Schedule::bare("", call.now, customer);
    // What this version of the API makes unless it is told otherwise (changelog of 2025-09-30).
    made.flexible = true;
    settings(call, &mut made)?;
    made.phases = phases;
    sends(call, &made)?;
    made.id = call.new_id("sub_sched_").into();
    made.created = Account::stamp(&call.account.billing.schedules, call.now);
    Ok(made)
}

/// Phases that are sent want an e-mail address, however that came to be said.
fn sends(call: &Call<'_>, schedule: &Schedule) -> Result<(), Refusal> {
    let sent = |phase: &Phase| schedule.collected(phase).is_some();
    let customer = call.account.customers.at(schedule.customer);
    if schedule.phases.iter().any(sent) && customer.is_none_or(|c| c.email.is_none()) {
        let message = "Missing email. In order to create invoices that are sent to the customer, the customer must have \
                       a valid email.";
        return Err(Refusal::rejected(
            Some("default_settings[collection_method]"),
            message.to_owned(),
        ));
    }
    Ok(())
}

/// `default_settings`, `end_behavior`, `billing_mode` and `metadata`.
fn settings(call: &Call<'_>, schedule: &mut Schedule) -> Result<(), Refusal> {
    let params = call.params;
    match params.text("end_behavior") {
        Some("renew") => return Err(Refusal::unsimulated("end_behavior=renew")),
        Some("cancel") => schedule.ends = "cancel",
        Some(_) => schedule.ends = "release",
        None => {}
    }
    if let Some(mode) = params.hash("billing_mode").and_then(|m| m.text("type")) {
        schedule.flexible = mode == "flexible";
    }
    schedule.metadata.merge(params.node("metadata"));
    let Some(given) = params.hash("default_settings") else {
        return Ok(());
    };
    if given.text("billing_cycle_anchor") == Some("phase_start") {
        return Err(Refusal::unsimulated("default_settings[billing_cycle_anchor]"));
    }
    let reader = Reader::of(call, schedule.customer);
    if let Some(collection) = reader.collection(given, "default_settings")? {
        schedule.days_due = collection.days_due();
    }
    if let Some(id) = given.text("default_payment_method") {
        let param = "default_settings[default_payment_method]";
        schedule.method = Some(payment_methods::attached(call, schedule.customer, id, param)?);
    }
    if let Some(text) = given.text("description") {
        schedule.description = Some(text).filter(|t| !t.is_empty()).map(Into::into);
    }
    if let Some(enabled) = given.hash("automatic_tax").and_then(|tax| tax.flag("enabled")) {
        schedule.automatic_tax = enabled;
    }
    Ok(())
}

/// A schedule with one phase: the subscription's current period.
fn of_subscription(call: &mut Call<'_>, id: &str) -> Result<Schedule, Refusal> {
    for name in ["phases", "customer", "start_date", "default_settings"] {
        if call.params.node(name).is_some() {
            let message = format!("You cannot set `{name}` if `from_subscription` is set.");
            return Err(Refusal::invalid(name, message));
        }
    }
    let param = "from_subscription";
    let slot = call.account.billing.subscriptions.slot(id);
    let found = slot.and_then(|slot| Some((slot, call.account.billing.subscriptions.at(slot)?)));
    let (slot, found) = found.ok_or_else(|| Refusal::missing("subscription", id, param, false))?;
    if found.status.is_over() {
        let message = format!("The subscription `{id}` cannot be scheduled because it has already ended.");
        return Err(Refusal::rejected(Some(param), message));
    }
    if found.schedule.is_some() {
        let message = format!("The subscription `{id}` is already associated with a subscription schedule.");
        return Err(Refusal::rejected(Some(param), message));
    }
    let mut made = Schedule {
        standing: Standing::Active(0),
        subscription: Some(slot),
        days_due: found.days_due,
        flexible: found.is_flexible(),
        phases: vec![now_of(call.account, slot, found, call.now)],
        ..Schedule::bare("", call.now, found.customer)
    };
    settings(call, &mut made)?;
    made.id = call.new_id("sub_sched_").into();
    made.created = Account::stamp(&call.account.billing.schedules, call.now);
    Ok(made)
}

/// A subscription as it is, as a phase.
fn now_of(account: &Account, slot: u32, found: &Subscription, now: i64) -> Phase {
    let coupons = |item: Option<u8>| {
        let running = account.pools.running(slot, item, now).into_iter();
        running
            .filter_map(|d| account.pools.discounts().at(d).map(|d| d.coupon))
            .collect::<Vec<u32>>()
    };
    let item = |(n, item): (u8, &billing::Item)| PhaseItem {
        price: item.price,
        quantity: item.quantity,
        coupons: coupons(Some(n)),
        tax_rates: item.tax_rates.to_vec(),
        metadata: item.metadata.clone(),
    };
    Phase {
        items: (0_u8..).zip(&found.items).map(item).collect(),
        coupons: coupons(None),
        tax_rates: found.tax_rates.to_vec(),
        automatic_tax: found.automatic_tax(),
        method: found.method,
        trial_end: found.trial.map(|(_, end)| end).filter(|end| *end > now),
        ..Phase::bare(found.period.0, found.period.1, found.currency)
    }
}

/// `POST /v1/subscription_schedules/{schedule}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Schedule)?;
    let slot = slot(call)?;
    let schedule = call.account.billing.schedules.at(slot).cloned();
    let Some(mut schedule) = schedule else {
        return Err(Refusal::server(500));
    };
    let runs = goes_on(&schedule, "update")?;
    settings(call, &mut schedule)?;
    if call.params.node("phases").is_some() {
        let mut reader = Reader::of(call, schedule.customer);
        reader.subscription = schedule.subscription;
        let start = match schedule.phase() {
            Some(phase) => Some(phase.start),
            None => schedule.phases.first().map(|phase| phase.start),
        };
        let phases = reader.phases(call.params, start)?;
        if runs {
            check_current(&schedule, &phases)?;
            schedule.standing = Standing::Active(0);
        }
        schedule.phases = phases;
    } else {
        unset_coupons(call.account, &mut schedule, call.now);
    }
    sends(call, &schedule)?;
    call.mark(&schedule.metadata);
    let begins = !runs && schedule.due().is_some_and(|at| at <= call.now);
    let before = shown(call.account, slot, &Expand::default());
    if let Some(stored) = call.account.billing.schedules.at_mut(slot) {
        *stored = schedule;
    }
    let now = call.now;
    if begins {
        billing::begin(call.account, slot, now);
    } else if runs {
        billing::refresh(call.account, slot, now);
    }
    call.account.billing.plan(billing::Turn::Schedule, slot);
    let after = shown(call.account, slot, &Expand::default());
    let previous = customers::changed(&before, &after);
    said(call, slot, "subscription_schedule.updated", Some(previous));
    Ok(shown(call.account, slot, &expand))
}

/// The phase that runs stays where it began, and what it sells changes without prorations only.
fn check_current(schedule: &Schedule, phases: &[Phase]) -> Result<(), Refusal> {
    let (Some(current), Some(given)) = (schedule.phase(), phases.first()) else {
        return Ok(());
    };
    if current.start != given.start {
        let message = "You can not modify the start date of the current phase.".to_owned();
        return Err(Refusal::rejected(Some("phases[0][start_date]"), message));
    }
    let sells = |phase: &Phase| -> Vec<(u32, u32)> {
        phase
            .items
            .iter()
            .map(|item| (item.price, item.quantity))
            .collect()
    };
    if sells(current) != sells(given) && given.proration != "none" {
        return Err(Refusal::unsimulated("proration_behavior"));
    }
    Ok(())
}

/// An update that does not send the coupons again unsets them where the next bill lies ahead and nothing is prorated
/// (docs.stripe.com/billing/subscriptions/migrate-subscriptions/toolkit, on coupons).
fn unset_coupons(account: &Account, schedule: &mut Schedule, now: i64) {
    let subscription = schedule
        .subscription
        .and_then(|slot| account.billing.subscriptions.at(slot));
    let anchor = subscription.map(|s| s.anchor).or(schedule.anchor);
    for phase in &mut schedule.phases {
        if phase.proration == "none" && anchor.unwrap_or(phase.start).max(phase.start) > now {
            phase.coupons.clear();
        }
    }
}

/// Whether it runs; refuses what is over.
fn goes_on(schedule: &Schedule, verb: &str) -> Result<bool, Refusal> {
    match schedule.standing {
        Standing::NotStarted => Ok(false),
        Standing::Active(_) => Ok(true),
        over => {
            let status = over.word();
            let message = format!("You cannot {verb} a subscription schedule with status `{status}`.");
            Err(Refusal::rejected(None, message))
        }
    }
}

/// `POST /v1/subscription_schedules/{schedule}/cancel`: invoices and prorates unless it is told not to.
pub(crate) fn cancel(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Schedule)?;
    let slot = slot(call)?;
    let schedule = call.account.billing.schedules.at(slot);
    let runs = schedule.map(|s| goes_on(s, "cancel")).transpose()?;
    let of = schedule
        .and_then(|s| s.subscription)
        .filter(|_| runs == Some(true));
    let now = call.now;
    let settle = (
        call.params.flag("invoice_now").unwrap_or(true),
        call.params.flag("prorate").unwrap_or(true),
    );
    billing::stand(call.account, slot, Standing::Canceled(now));
    if let Some(of) = of {
        billing::end_with(call.account, of, now, settle);
    }
    touched(call, slot);
    said(call, slot, "subscription_schedule.canceled", None);
    Ok(shown(call.account, slot, &expand))
}

/// `POST /v1/subscription_schedules/{schedule}/release`
pub(crate) fn release(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Schedule)?;
    let slot = slot(call)?;
    if let Some(schedule) = call.account.billing.schedules.at(slot) {
        goes_on(schedule, "release")?;
    }
    let now = call.now;
    billing::stand(call.account, slot, Standing::Released(now));
    touched(call, slot);
    said(call, slot, "subscription_schedule.released", None);
    Ok(shown(call.account, slot, &expand))
}

fn touched(call: &mut Call<'_>, slot: u32) {
    let customer = call.account.billing.schedules.at(slot).map(|s| s.customer);
    let id = customer
        .and_then(|slot| call.account.customers.at(slot))
        .map(|c| c.id.clone());
    call.touch(&id.unwrap_or_default());
}
