//! Subscriptions that begin: by a schedule, or made by a request; and the phases of a schedule.

use super::advance::stand;
use super::bill::{bill, note_schedule, note_subscription, wanted};
use super::figure::Wanted;
use super::{
    Item, Phase, PhaseItem, Rhythm, Standing, Status, Subscription, Turn, length, next_after, period_at,
};
use crate::rehearsal::ids;
use crate::rehearsal::pools::On;
use crate::rehearsal::redeem::{What, Wish, redeem};
use crate::rehearsal::world::{Account, By};

/// How a subscription is to begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// `start_date`: now, or earlier when backdated.
    pub(crate) started: i64,
    /// `billing_cycle_anchor`, when it is asked for.
    pub(crate) anchor: Option<i64>,
    pub(crate) trial_end: Option<i64>,
    /// Whether `proration_behavior` bills for the time before the first whole period.
    pub(crate) prorates: bool,
}

/// What comes of an [`Opening`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) anchor: i64,
    pub(crate) period: (i64, i64),
    /// What is billed at once.
    pub(crate) billed: Option<AtOnce>,
}

/// What is billed when a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtOnce {
    /// The time that is billed.
    pub(crate) period: (i64, i64),
    /// The part of a full period that it is, as a fraction; `None`: all of it.
    pub(crate) part: Option<(i64, i64)>,
}

/// The first period of a subscription that begins `at`, and what is billed for it
/// (docs.stripe.com/billing/subscriptions/billing-cycle, …/backdating):
///
/// * a trial is a period of its own, billed with nothing;
/// * an anchor to come ends a shorter first period: billed in part, or with proration `none` not at all;
/// * a start in the past without an anchor to come is on the grid of that start: everything since is billed, or with
///   proration `none` nothing before the next period;
/// * otherwise the first period is whole and billed.
pub(crate) fn first_period(opening: Opening, rhythm: Rhythm, at: i64) -> First {
    if let Some(end) = opening.trial_end.filter(|end| *end > at) {
        return First {
            anchor: opening.anchor.unwrap_or(end),
            period: (at, end),
            billed: Some(AtOnce {
                period: (at, end),
                part: None,
            }),
        };
    }
    if let Some(anchor) = opening.anchor.filter(|anchor| *anchor > at) {
        let part = (anchor - opening.started, length(anchor, rhythm));
        return First {
            anchor,
            period: (at, anchor),
            billed: opening.prorates.then_some(AtOnce {
                period: (opening.started, anchor),
                part: Some(part),
            }),
        };
    }
    let anchor = opening.anchor.unwrap_or(opening.started);
    let period = period_at(anchor, rhythm, at);
    if anchor == at {
        return First {
            anchor,
            period,
            billed: Some(AtOnce { period, part: None }),
        };
    }
    let mut periods = 0;
    let mut from = opening.started;
    while from < period.1 {
        periods += 1;
        from = next_after(anchor, rhythm, from);
    }
    First {
        anchor,
        period,
        billed: opening.prorates.then_some(AtOnce {
            period: (opening.started, period.1),
            part: Some((periods, 1)),
        }),
    }
}

/// The rhythm of a price.
pub(crate) fn rhythm_of(account: &Account, price: u32) -> Option<Rhythm> {
    let price = account.catalogue.prices.at(price)?;
    price.recurring.as_ref().map(Rhythm::of)
}

/// Makes the subscription of a schedule that begins.
pub(crate) fn begin(account: &mut Account, slot: u32, at: i64) {
    let Some(schedule) = account.billing.schedules.at(slot).cloned() else {
        return;
    };
    let owner = account.customers.at(schedule.customer).filter(|c| !c.deleted);
    let phase = schedule.phases.first();
    let rhythm = phase
        .and_then(|phase| phase.items.first())
        .and_then(|item| rhythm_of(account, item.price));
    let (Some(owner), Some(phase), Some(rhythm)) = (owner, phase, rhythm) else {
        stand(account, slot, Standing::Canceled(at));
        return note_schedule(account, "subscription_schedule.aborted", slot);
    };
    let owner = owner.id.clone();
    let opening = Opening {
        started: phase.start,
        anchor: schedule.anchor.or(schedule.backdated.map(|_| phase.start)),
        trial_end: phase.trial_end,
        prorates: phase.proration != "none",
    };
    let first = first_period(opening, rhythm, at);
    let seed = ids::mix(&[b"scheduled", schedule.id.as_bytes()]);
    let id = ids::object("sub_", &account.id, seed);
    let trial = phase.trial_end.filter(|end| *end > at);
    let created = Account::stamp(&account.billing.subscriptions, at);
    let mut made = Subscription {
        period: first.period,
        started: schedule.backdated.unwrap_or(phase.start),
        anchor: first.anchor,
        status: if trial.is_some() {
            Status::Trialing
        } else {
            Status::Active
        },
        trial: trial.map(|end| (at, end)),
        ends: schedule.once_through,
        canceled_at: schedule.once_through.then_some(at),
        schedule: Some(slot),
        metadata: phase.metadata.clone(),
        ..Subscription::bare(&id, created, schedule.customer, phase.currency)
    };
    dress(&mut made, &schedule, phase);
    let made = account.billing.subscribe(&owner, made);
    lock_currency(account, made);
    if let Some(schedule) = account.billing.schedules.at_mut(slot) {
        schedule.subscription = Some(made);
        schedule.standing = Standing::Active(0);
    }
    attach_all(account, made, phase, at);
    note_subscription(account, "customer.subscription.created", made, None);
    open(account, made, first, &phase.once, at);
    note_schedule(account, "subscription_schedule.updated", slot);
}

/// Bills what a subscription begins with; says the invoice.
pub(crate) fn open(
    account: &mut Account,
    slot: u32,
    first: First,
    once: &[(u32, u32)],
    at: i64,
) -> Option<u32> {
    let found = account.billing.subscriptions.at(slot)?;
    let free = found.status == Status::Trialing;
    let mut lines: Vec<Wanted> = Vec::new();
    if let Some(AtOnce { period, part }) = first.billed {
        lines = wanted(account, slot, found, period, at);
        for line in &mut lines {
            line.part = part;
            line.free = free;
        }
    }
    let taxes = found.tax_rates.to_vec();
    lines.extend(once.iter().map(|(price, quantity)| Wanted {
        price: *price,
        quantity: *quantity,
        period: (at, at),
        tax_rates: taxes.clone(),
        ..Wanted::default()
    }));
    if lines.is_empty() {
        return None;
    }
    bill(account, slot, "subscription_create", &lines, at)
}

/// A customer's first subscription says in which currency it is billed for good.
pub(crate) fn lock_currency(account: &mut Account, slot: u32) {
    let Some(found) = account.billing.subscriptions.at(slot) else {
        return;
    };
    let (customer, cur) = (found.customer, found.currency);
    if let Some(customer) = account.customers.at_mut(customer) {
        customer.currency.get_or_insert(cur);
    }
}

/// What a phase says of a subscription, its coupons and metadata apart.
pub(crate) fn dress(subscription: &mut Subscription, schedule: &super::Schedule, phase: &Phase) {
    let item = |item: &PhaseItem| Item {
        price: item.price,
        quantity: item.quantity,
        tax_rates: item.tax_rates.clone().into_boxed_slice(),
        metadata: item.metadata.clone(),
        threshold: None,
    };
    subscription.items = phase.items.iter().map(item).collect();
    subscription.tax_rates = phase.tax_rates.clone().into_boxed_slice();
    subscription.days_due = schedule.collected(phase);
    subscription.method = phase.method.or(schedule.method);
    let tax = phase.automatic_tax || schedule.automatic_tax;
    if tax {
        let shown =
            serde_json::json!({ "disabled_reason": null, "enabled": true, "liability": { "type": "self" } });
        subscription.set_rest("automatic_tax", shown);
    } else {
        subscription.set_rest("automatic_tax", serde_json::Value::Null);
    }
    if schedule.flexible {
        let shown = serde_json::json!({
            "flexible": { "proration_discounts": "included" }, "type": "flexible", "updated_at": subscription.created,
        });
        subscription.set_rest("billing_mode", shown);
    }
    let description = phase.description.as_ref().or(schedule.description.as_ref());
    let description = description.map_or(serde_json::Value::Null, |d| (**d).into());
    subscription.set_rest("description", description);
}

/// Gives a subscription and its items a phase's coupons, and no others.
fn attach_all(account: &mut Account, slot: u32, phase: &Phase, at: i64) {
    attach(account, slot, On::Subscription(slot), &phase.coupons, at);
    for (n, item) in (0_u8..).zip(&phase.items) {
        attach(account, slot, On::Item(slot, n), &item.coupons, at);
    }
}

/// Redeems coupons that are not there yet and ends the discounts of others. A coupon that died since is left out.
pub(crate) fn attach(account: &mut Account, slot: u32, on: On, coupons: &[u32], at: i64) {
    let item = match on {
        On::Item(_, n) => Some(n),
        _ => None,
    };
    let Some(customer) = account.billing.subscriptions.at(slot).map(|s| s.customer) else {
        return;
    };
    for discount in account.pools.running(slot, item, at) {
        let coupon = account.pools.discounts().at(discount).map(|d| d.coupon);
        if coupon.is_none_or(|coupon| !coupons.contains(&coupon)) {
            account.pools.end_discount(discount, at);
        }
    }
    for coupon in coupons {
        let nth = account.pools.discounts().rows().len();
        let wish = Wish {
            what: What::Coupon(*coupon),
            customer,
            on,
            amount: None,
            by: By::Api,
            token: ids::mix(&[b"phase", &nth.to_be_bytes(), &at.to_be_bytes()]),
        };
        let _ = redeem(account, &wish, at);
    }
}

/// Makes a subscription what the phase it is in says after a change of its schedule.
pub(crate) fn refresh(account: &mut Account, slot: u32, at: i64) {
    let Some(schedule) = account.billing.schedules.at(slot).cloned() else {
        return;
    };
    let (Some(phase), Some(of)) = (schedule.phase(), schedule.subscription) else {
        return;
    };
    if let Some(subscription) = account.billing.subscriptions.at_mut(of) {
        dress(subscription, &schedule, phase);
        for (key, value) in phase.metadata.pairs() {
            subscription.metadata.set(key, value);
        }
    }
    attach_all(account, of, phase, at);
    note_subscription(account, "customer.subscription.updated", of, None);
}

/// The next phase of a schedule that runs.
pub(crate) fn enter(account: &mut Account, slot: u32, n: usize, at: i64) {
    let Some(schedule) = account.billing.schedules.at(slot).cloned() else {
        return;
    };
    let (Some(phase), Some(of)) = (schedule.phases.get(n), schedule.subscription) else {
        return stand(account, slot, Standing::Canceled(at));
    };
    let rhythm = |account: &Account, price: Option<u32>| price.and_then(|p| rhythm_of(account, p));
    let sold = account
        .billing
        .subscriptions
        .at(of)
        .and_then(|s| s.items.first().map(|i| i.price));
    let same = rhythm(account, sold) == rhythm(account, phase.items.first().map(|i| i.price));
    if let Some(subscription) = account.billing.subscriptions.at_mut(of) {
        dress(subscription, &schedule, phase);
        for (key, value) in phase.metadata.pairs() {
            subscription.metadata.set(key, value);
        }
        if phase.anchored || !same {
            // Its turn comes right after this one and begins the new grid.
            subscription.anchor = at;
            subscription.period.1 = at;
        }
    }
    attach_all(account, of, phase, at);
    if let Some(schedule) = account.billing.schedules.at_mut(slot) {
        schedule.standing = Standing::Active(n);
    }
    account.billing.plan(Turn::Subscription, of);
    note_subscription(account, "customer.subscription.updated", of, None);
    note_schedule(account, "subscription_schedule.updated", slot);
}
