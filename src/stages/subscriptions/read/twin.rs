//! What the new account has for an old subscription, and phases of schedules of either account.

use super::{Trouble, currency, days, for_another, ids, liable};
use crate::domain::money::Currency;
use crate::domain::text::safe;
use crate::domain::write::marker;
use crate::stages::subscriptions::facts::{Collection, OLD_ID, Phase, PhaseItem, Read, Twin};
use crate::stripe::wire::{
    CollectionMethod, Discount, Expandable, Schedule, ScheduleDefaults, ScheduleDiscount, ScheduleItem,
    SchedulePhase, ScheduleStatus, Subscription, SubscriptionItem, SubscriptionStatus,
};

/// Phases of a schedule, past ones too. Each says what holds in it, defaults of the schedule filled in, so its
/// collection is always there. The last one is open unless the schedule ends its subscription.
pub fn phases_of(schedule: &Schedule) -> Result<Vec<Phase>, Trouble> {
    let last = schedule.phases.len().saturating_sub(1);
    let phases = schedule.phases.iter().enumerate();
    phases
        .map(|(at, wire)| {
            let mut phase = phase(wire, &schedule.default_settings)?;
            let mut beyond = beyond(wire, &schedule.default_settings);
            // In the first phase it says what is so anyhow.
            if at > 0 && wire.billing_cycle_anchor.as_deref() == Some("phase_start") {
                beyond.push("a billing day of its own".to_owned());
            }
            if at == last && schedule.end_behavior != "cancel" {
                phase.end = None;
                if schedule.end_behavior != "release" {
                    beyond.push(format!("`{}` at its end", safe(&schedule.end_behavior)));
                }
            }
            phase.beyond = in_words(beyond, phase.beyond.take());
            Ok(phase)
        })
        .collect()
}

fn in_words(mut all: Vec<String>, more: Option<String>) -> Option<String> {
    all.extend(more);
    (!all.is_empty()).then(|| all.join(", "))
}

fn phase(phase: &SchedulePhase, defaults: &ScheduleDefaults) -> Result<Phase, Trouble> {
    let (collection, mut unknown) = collection(phase, defaults);
    let (coupons, more) = coupons(&phase.discounts);
    unknown.extend(more);
    let mut items = Vec::with_capacity(phase.items.len());
    for item in &phase.items {
        let (item, more) = phase_item(item);
        unknown.extend(more);
        items.push(item);
    }
    let tax = phase.automatic_tax.as_ref().or(defaults.automatic_tax.as_ref());
    let method = phase.default_payment_method.as_ref();
    Ok(Phase {
        start: phase.start_date,
        end: phase.end_date,
        items,
        coupons,
        tax_rates: ids(&phase.default_tax_rates),
        automatic_tax: tax.is_some_and(|tax| tax.enabled),
        collection,
        method: method.or(defaults.default_payment_method.as_ref()).cloned(),
        currency: currency(phase.currency.as_deref())?,
        beyond: in_words(unknown, None),
    })
}

fn phase_item(item: &ScheduleItem) -> (PhaseItem, Option<String>) {
    let (coupons, unknown) = coupons(&item.discounts);
    let found = PhaseItem {
        price: item.price.clone(),
        quantity: item.quantity,
        coupons,
        tax_rates: ids(&item.tax_rates),
    };
    (found, unknown)
}

/// Coupons of discounts, and what is not known of them: one that runs is an id where it was not expanded, and which
/// coupon it came of is then nowhere said.
fn coupons(discounts: &[ScheduleDiscount]) -> (Vec<String>, Option<String>) {
    let found: Vec<String> = discounts.iter().filter_map(coupon).collect();
    let unknown = discounts.len() - found.len();
    let words = (unknown > 0).then(|| format!("{unknown} discounts whose coupons are not shown"));
    (found, words)
}

fn coupon(discount: &ScheduleDiscount) -> Option<String> {
    let running = discount.discount.as_ref().and_then(Expandable::object);
    let code = discount.promotion_code.as_ref().and_then(Expandable::object);
    discount
        .coupon
        .clone()
        .or_else(|| running.and_then(Discount::coupon_id).map(str::to_owned))
        .or_else(|| code.and_then(|code| code.promotion.coupon.clone()))
}

/// How a phase is collected. Without a word of phase and schedule Stripe charges automatically (spec:
/// `POST /v1/subscription_schedules`, `collection_method`).
fn collection(phase: &SchedulePhase, defaults: &ScheduleDefaults) -> (Option<Collection>, Vec<String>) {
    let method = phase.collection_method.as_ref();
    match method.or(defaults.collection_method.as_ref()) {
        None | Some(CollectionMethod::ChargeAutomatically) => (Some(Collection::Automatic), Vec::new()),
        Some(CollectionMethod::SendInvoice) => {
            let of = |settings: &Option<_>| {
                let settings: &crate::stripe::wire::ScheduleInvoices = settings.as_ref()?;
                settings.days_until_due
            };
            let found = of(&phase.invoice_settings).or_else(|| of(&defaults.invoice_settings));
            match days(found) {
                Some(days) => (Some(Collection::Invoice(days)), Vec::new()),
                None => (None, vec!["invoices of no due date".to_owned()]),
            }
        }
        Some(CollectionMethod::Other(word)) => {
            (None, vec![format!("the collection method `{}`", safe(word))])
        }
    }
}

/// What of a phase this program does not carry over.
fn beyond(phase: &SchedulePhase, defaults: &ScheduleDefaults) -> Vec<String> {
    let connect = phase.application_fee_percent.is_some()
        || phase.on_behalf_of.is_some()
        || phase.transfer_data.is_some()
        || defaults.application_fee_percent.is_some()
        || defaults.on_behalf_of.is_some()
        || defaults.transfer_data.is_some();
    let taxes = [&phase.automatic_tax, &defaults.automatic_tax];
    let invoices = [&phase.invoice_settings, &defaults.invoice_settings];
    let for_others = taxes.iter().any(|tax| for_another(tax.as_ref().and_then(liable)))
        || invoices
            .iter()
            .any(|invoices| for_another(invoices.as_ref().and_then(|invoices| invoices.issuer.as_ref())));
    let thresholds = phase.billing_thresholds.is_some()
        || defaults.billing_thresholds.is_some()
        || phase.items.iter().any(|item| item.billing_thresholds.is_some());
    [
        (!phase.add_invoice_items.is_empty(), "add-on invoice items"),
        (connect || for_others, "Connect fields"),
        (thresholds, "billing thresholds"),
        (phase.trial || phase.trial_end.is_some(), "a trial"),
        (phase.items.is_empty(), "no items"),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, words)| words.to_owned())
    .collect()
}

/// The old subscription a schedule names, on itself or on a phase: only the phase's metadata goes on to the subscription.
#[must_use]
pub fn old_id(schedule: &Schedule) -> Option<&str> {
    let of_phases = || {
        let mut phases = schedule.phases.iter();
        phases.find_map(|phase| phase.metadata.get(OLD_ID))
    };
    let own = schedule.metadata.get(OLD_ID);
    own.or_else(of_phases).map(String::as_str)
}

/// The old subscription a subscription names.
#[must_use]
pub fn old_id_of(subscription: &Subscription) -> Option<&str> {
    subscription.metadata.get(OLD_ID).map(String::as_str)
}

impl Twin {
    /// Of a schedule of the new account; `None`: of no old subscription, or cancelled.
    pub fn of_schedule(schedule: &Schedule, read: Read) -> Result<Option<Self>, Trouble> {
        let Some(of) = old_id(schedule) else {
            return Ok(None);
        };
        if schedule.status == ScheduleStatus::Canceled {
            return Ok(None);
        }
        let mut phases = phases_of(schedule)?;
        if let ScheduleStatus::Other(word) = &schedule.status {
            let words = format!("the status `{}`", safe(word));
            if let Some(first) = phases.first_mut() {
                first.beyond = in_words(vec![words], first.beyond.take());
            }
        }
        let released = schedule.released_subscription.as_ref();
        Ok(Some(Self {
            schedule: Some(schedule.id.clone()),
            subscription: schedule.subscription.as_ref().or(released).cloned(),
            of: of.to_owned(),
            customer: schedule.customer.clone(),
            begun: schedule.status != ScheduleStatus::NotStarted,
            created: schedule.created,
            start: phases.first().map_or(schedule.created, |phase| phase.start),
            ends: schedule.end_behavior == "cancel",
            effect: schedule.metadata.get(marker::EFFECT).cloned(),
            phases,
            read,
        }))
    }

    /// Of a subscription of the new account, as it is now; `None`: of no old one, or over.
    pub fn of_subscription(subscription: &Subscription, read: Read) -> Result<Option<Self>, Trouble> {
        let Some(of) = old_id_of(subscription) else {
            return Ok(None);
        };
        if !subscription.status.is_live() {
            return Ok(None);
        }
        let start = subscription.start_date.unwrap_or(subscription.created);
        let currency = currency(subscription.currency.as_deref())?;
        Ok(Some(Self {
            schedule: subscription.schedule.clone(),
            subscription: Some(subscription.id.clone()),
            of: of.to_owned(),
            customer: subscription.customer.clone(),
            begun: true,
            created: subscription.created,
            start,
            phases: vec![as_phase(subscription, start, currency)],
            ends: subscription.cancel_at.is_some() || subscription.cancel_at_period_end,
            effect: subscription.metadata.get(marker::EFFECT).cloned(),
            read,
        }))
    }
}

fn as_phase(subscription: &Subscription, start: i64, currency: Currency) -> Phase {
    let collection = super::collection(subscription);
    let (coupons, cut) = running(&subscription.discounts);
    let (items, cuts): (Vec<_>, Vec<_>) = subscription.items.data.iter().map(running_item).unzip();
    let trial = subscription.status == SubscriptionStatus::Trialing;
    let unknown = match &subscription.status {
        SubscriptionStatus::Other(word) => Some(format!("the status `{}`", safe(word))),
        _ => None,
    };
    let words = [
        (collection.is_err(), "a collection method that is not understood"),
        (super::is_connect(subscription), "Connect fields"),
        (subscription.billing_thresholds.is_some(), "billing thresholds"),
        (subscription.pause_collection.is_some(), "a pause of collection"),
        (subscription.pending_update.is_some(), "a pending update"),
        (
            !subscription.billing_schedules.is_empty(),
            "bills ahead of its periods",
        ),
        (trial, "a trial"),
        (subscription.items.has_more, "more items than were shown"),
        (
            cut || cuts.contains(&true),
            "discounts whose coupons are not shown",
        ),
    ];
    let words = words.into_iter().filter(|(is, _)| *is);
    let words = words.map(|(_, words)| words.to_owned());
    Phase {
        start,
        end: subscription.cancel_at,
        items,
        coupons,
        tax_rates: ids(&subscription.default_tax_rates),
        automatic_tax: subscription.automatic_tax.as_ref().is_some_and(|tax| tax.enabled),
        collection: collection.ok(),
        method: super::own_method(subscription),
        currency,
        beyond: in_words(words.collect(), unknown),
    }
}

fn running_item(item: &SubscriptionItem) -> (PhaseItem, bool) {
    let (coupons, cut) = running(&item.discounts);
    let found = PhaseItem {
        price: item.price.id.clone(),
        quantity: item.quantity,
        coupons,
        tax_rates: ids(&item.tax_rates),
    };
    (found, cut)
}

/// Coupons of discounts that run, and whether one is not shown.
fn running(discounts: &[Expandable<Discount>]) -> (Vec<String>, bool) {
    let of = |one: &Expandable<Discount>| one.object()?.coupon_id().map(str::to_owned);
    let found: Vec<String> = discounts.iter().filter_map(of).collect();
    let cut = found.len() < discounts.len();
    (found, cut)
}
