//! What the scripts' looks see, and the steps every script has. PURE.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::effects::{Row, SCHEDULE, SCHEDULES, SUBSCRIPTION, SUBSCRIPTIONS, Seen};
use super::facts::{BECAME, Item, Old, Read, Status, Twin};
use super::read;
use crate::domain::ids::Role;
use crate::domain::record::{Attested, RowEnd};
use crate::domain::text::safe;
use crate::domain::write::PlannedWrite;
use crate::stages::{Fact, Look, Step};
use crate::stripe::allow::path;
use crate::stripe::wire::{Schedule, ScheduleStatus, Subscription, SubscriptionItem};

/// A script goes on with what it got, or with the step that has to be taken first.
pub(super) type Or<T> = Result<T, Box<Step>>;

/// Labels of a look at an old subscription: itself, and its items where one answer does not hold them all.
#[derive(Clone, Copy)]
pub(super) struct OldLook(pub(super) &'static str, pub(super) &'static str);

/// Labels of a look at what the new account has: the customer's schedules, and subscriptions.
#[derive(Clone, Copy)]
pub(super) struct TwinLook(pub(super) &'static str, pub(super) &'static str);

/// An old subscription now; `None`: it is not there any more.
pub(super) struct OldNow {
    pub(super) old: Option<Old>,
    /// Seconds.
    pub(super) at: i64,
}

impl OldNow {
    /// It is there, and has not ended.
    pub(super) fn live(&self) -> Option<&Old> {
        self.old.as_ref().filter(|old| old.status != Status::Ended)
    }
}

/// What the new account has for one old subscription now, cancelled ones apart.
pub(super) struct TwinsNow {
    pub(super) twins: Vec<Twin>,
    /// Ids of cancelled schedules of the customer that had begun before they were.
    pub(super) begun_and_cancelled: Vec<String>,
    /// Seconds.
    pub(super) at: i64,
}

/// Looks at the old subscription of `row`.
pub(super) fn old(row: &Row, facts: &[Fact], labels: OldLook) -> Or<OldNow> {
    let look = Look {
        label: labels.0,
        role: Role::Source,
        path: path(SUBSCRIPTION, &[&row.old]),
        query: Vec::new(),
        list: false,
    };
    let (found, at) = one::<Subscription>(facts, look)?;
    let Some(found) = found else {
        return Ok(OldNow { old: None, at });
    };
    let mut old = understood(Old::of(&found, Read::default()), Role::Source)?;
    if old.items_cut {
        old.items = items(row, facts, labels.1)?;
        old.items_cut = false;
    }
    Ok(OldNow { old: Some(old), at })
}

fn items(row: &Row, facts: &[Fact], label: &'static str) -> Or<Vec<Item>> {
    let look = Look {
        label,
        role: Role::Source,
        path: "/v1/subscription_items".to_owned(),
        query: vec![("subscription".to_owned(), row.old.clone())],
        list: true,
    };
    let (items, _) = list::<SubscriptionItem>(facts, look)?;
    let items = items
        .iter()
        .map(|item| understood(read::item(item, &read::Coupons::new()), Role::Source));
    items.collect()
}

/// Looks at what the new account has for `row`: the customer's schedules, and the subscriptions no schedule shows.
pub(super) fn twins(row: &Row, facts: &[Fact], labels: TwinLook) -> Or<TwinsNow> {
    let of_customer = |label, path: &str| Look {
        label,
        role: Role::Destination,
        path: path.to_owned(),
        query: vec![("customer".to_owned(), row.customer.clone())],
        list: true,
    };
    let (schedules, at) = list::<Schedule>(facts, of_customer(labels.0, SCHEDULES))?;
    let (subscriptions, later) = list::<Subscription>(facts, of_customer(labels.1, SUBSCRIPTIONS))?;
    let is_running = |id: &str| subscriptions.iter().any(|one| one.id == id);
    let (mut twins, mut begun_and_cancelled) = (Vec::new(), Vec::new());
    for schedule in &schedules {
        if schedule.status == ScheduleStatus::Canceled && schedule.subscription.is_some() {
            begun_and_cancelled.push(schedule.id.clone());
        }
        let twin = understood(Twin::of_schedule(schedule, Read::default()), Role::Destination)?;
        let Some(twin) = twin.filter(|twin| twin.of == row.old) else {
            continue;
        };
        // Of a schedule that is over, what it began may be over too.
        let goes_on = match schedule.status {
            ScheduleStatus::Completed | ScheduleStatus::Released => {
                twin.subscription.as_deref().is_some_and(is_running)
            }
            _ => true,
        };
        if goes_on {
            twins.push(twin);
        }
    }
    for subscription in &subscriptions {
        let twin = understood(
            Twin::of_subscription(subscription, Read::default()),
            Role::Destination,
        )?;
        let known = |id: &str| twins.iter().any(|twin| twin.subscription.as_deref() == Some(id));
        if let Some(twin) = twin.filter(|twin| twin.of == row.old && !known(&subscription.id)) {
            twins.push(twin);
        }
    }
    Ok(TwinsNow {
        twins,
        begun_and_cancelled,
        at: at.min(later),
    })
}

/// Looks at one schedule of the new account: what it is for its old subscription, and where it stands. `None`: it is not
/// there, or cancelled.
pub(super) fn schedule(label: &'static str, id: &str, facts: &[Fact]) -> Or<(Option<Twin>, i64)> {
    let (found, at) = one::<Schedule>(facts, schedule_look(label, Role::Destination, id))?;
    let Some(found) = found else { return Ok((None, at)) };
    let twin = understood(Twin::of_schedule(&found, Read::default()), Role::Destination)?;
    Ok((twin, at))
}

/// A look at one schedule.
pub(super) fn schedule_look(label: &'static str, role: Role, id: &str) -> Look {
    Look {
        label,
        role,
        path: path(SCHEDULE, &[id]),
        query: Vec::new(),
        list: false,
    }
}

/// What is not as it was when the row was planned, in Stripe's words; `None`: all of it is.
pub(super) fn changed(seen: &Seen, now: &Old) -> Option<&'static str> {
    let now = Seen::of(now);
    let same = [
        (seen.status == now.status, "status"),
        (seen.items == now.items, "items"),
        (seen.period == now.period, "current period"),
        (seen.ends == now.ends, "cancellation"),
        (seen.pause == now.pause, "pause_collection"),
        (seen.discounts == now.discounts, "discounts"),
        (seen.collection == now.collection, "collection_method"),
        (seen.schedule == now.schedule, "schedule"),
        (seen.stopped_for == now.stopped_for, "handover mark"),
    ];
    same.iter().find(|(same, _)| !same).map(|(_, name)| *name)
}

/// What a stopped old subscription says goes on for it.
pub(super) fn became(old: &Old) -> Option<&str> {
    old.metadata.get(BECAME).map(String::as_str)
}

#[derive(Deserialize)]
struct Deleted {
    #[serde(default)]
    deleted: bool,
}

/// What one look saw, and when, in seconds; the look itself where nobody looked yet. `None`: there is no such object.
fn one<T: DeserializeOwned>(facts: &[Fact], look: Look) -> Or<(Option<T>, i64)> {
    let Some((items, at)) = saw(facts, look.label) else {
        return Err(Box::new(Step::Look(look)));
    };
    let Some(object) = items.and_then(<[Bytes]>::first) else {
        return Ok((None, at));
    };
    if serde_json::from_slice::<Deleted>(object).is_ok_and(|object| object.deleted) {
        return Ok((None, at));
    }
    Ok((Some(parse(object, look.role)?), at))
}

/// The rows of a list, and when; the look itself where nobody looked yet.
fn list<T: DeserializeOwned>(facts: &[Fact], look: Look) -> Or<(Vec<T>, i64)> {
    let Some((items, at)) = saw(facts, look.label) else {
        return Err(Box::new(Step::Look(look)));
    };
    let items = items.unwrap_or_default().iter();
    let items: Or<Vec<T>> = items.map(|object| parse(object, look.role)).collect();
    Ok((items?, at))
}

fn parse<T: DeserializeOwned>(object: &Bytes, role: Role) -> Or<T> {
    understood(serde_json::from_slice(object), role)
}

/// What cannot be read is not what was planned on.
fn understood<T, E: std::fmt::Display>(found: Result<T, E>, role: Role) -> Or<T> {
    found.map_err(|why| {
        let why = safe(&why.to_string());
        Box::new(drifted(&format!(
            "what the {role} account says of it is not understood: {why}"
        )))
    })
}

fn saw<'a>(facts: &'a [Fact], wanted: &str) -> Option<(Option<&'a [Bytes]>, i64)> {
    facts.iter().rev().find_map(|fact| match fact {
        Fact::Saw { label, items, at } if *label == wanted => Some((items.as_deref(), at.secs())),
        _ => None,
    })
}

/// What was attested of the write `op`, if it happened.
pub(super) fn wrote<'a>(facts: &'a [Fact], wanted: &str) -> Option<&'a Attested> {
    facts.iter().find_map(|fact| match fact {
        Fact::Wrote { op, attested } if op == wanted => Some(attested),
        _ => None,
    })
}

/// Whether the write `op` of the object `id` happened.
pub(super) fn wrote_to(facts: &[Fact], wanted: &str, id: &str) -> bool {
    facts
        .iter()
        .any(|fact| matches!(fact, Fact::Wrote { op, attested } if op == wanted && attested.object == id))
}

/// What `write` sends in `field`.
pub(super) fn sent<'a>(write: &'a PlannedWrite, field: &str) -> Option<&'a str> {
    let found = write.form.iter().find(|(name, _)| name == field);
    found.map(|(_, value)| value.as_str())
}

/// The id in a write's path: the third name of it.
pub(super) fn object_of(write: &PlannedWrite) -> &str {
    write.path.split('/').nth(3).unwrap_or_default()
}

pub(super) fn ended(end: RowEnd, why: &str) -> Step {
    Step::End {
        end,
        why: why.to_owned(),
        moved: None,
    }
}

pub(super) fn drifted(why: &str) -> Step {
    ended(RowEnd::Drifted, why)
}

pub(super) fn failed(why: &str) -> Step {
    ended(RowEnd::Failed, why)
}

/// Stops here with `step`.
pub(super) fn stop<T>(step: Step) -> Or<T> {
    Err(Box::new(step))
}
