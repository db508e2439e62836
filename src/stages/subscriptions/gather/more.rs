//! What the lists do not show: items beyond a page, ended subscriptions, old schedules, prices in other currencies.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::account::{schedules_query, subscriptions_query};
use super::assemble::Found;
use super::{FEW, LANES, lists};
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::stages::people::each;
use crate::stages::subscriptions::facts::{Item, Old};
use crate::stages::subscriptions::read::{self, Coupons, Trouble, phases_of};
use crate::stages::{Read, Reading, StageError, failed};
use crate::stripe::allow;
use crate::stripe::form::Form;
use crate::stripe::wire::{Schedule, Subscription, SubscriptionItem};

const ROLE: Role = Role::Source;

/// All items of subscriptions that have more than their page shows.
pub(super) async fn items(reading: &Reading, found: &mut Found) -> Result<(), StageError> {
    let cut = found.cut();
    if cut.is_empty() {
        return Ok(());
    }
    let terms = &found.terms;
    let asked = stream::iter(cut).map(|id| items_of(reading, terms, id));
    let all: Vec<_> = asked.buffer_unordered(LANES).try_collect().await?;
    for (id, items) in all {
        match items {
            Ok(items) => found.whole(&id, items),
            Err(trouble) => {
                if let Some(old) = found.old.remove(&id) {
                    found.not_read(id, old.customer, trouble.to_string());
                }
            }
        }
    }
    Ok(())
}

type Items = (String, Result<Vec<Item>, Trouble>);

async fn items_of(reading: &Reading, terms: &Coupons, id: String) -> Result<Items, StageError> {
    let query = Form::new().with("subscription", &id).expand("data.discounts");
    let pages = reading
        .reader(ROLE)?
        .list::<SubscriptionItem>("/v1/subscription_items", &query)
        .collect_pages()
        .await
        .map_err(|failure| failed(ROLE, &failure))?;
    let items = pages.iter().flat_map(|page| &page.items);
    let items = items.map(|item| read::item(item, terms)).collect();
    Ok((id, items))
}

/// Old subscriptions that a twin names and that are not in force any more.
pub(super) async fn ended(reading: &Reading, found: &mut Found) -> Result<(), StageError> {
    let missing = found.missing();
    let mut seen = Vec::new();
    if missing.len() > FEW {
        let query = subscriptions_query().with("status", "ended");
        let list = ("ended subscriptions", "/v1/subscriptions", &query);
        each(reading, ROLE, list, |subscription: Subscription, read| {
            reading.of_this_mode(ROLE, &subscription.id, Some(subscription.livemode))?;
            if missing.contains(&subscription.id) {
                seen.push(of(&subscription, &found.terms, read.clone()));
            }
            Ok(())
        })
        .await?;
    } else {
        let terms = &found.terms;
        let asked = stream::iter(missing).map(|id| one(reading, terms, id));
        let all: Vec<_> = asked.buffer_unordered(LANES).try_collect().await?;
        seen.extend(all.into_iter().flatten());
    }
    for (id, customer, old) in seen {
        match old {
            Ok(old) => found.found(old),
            Err(trouble) => found.not_read(id, customer, trouble.to_string()),
        }
    }
    Ok(())
}

type Seen = (String, String, Result<Old, Trouble>);

fn of(subscription: &Subscription, terms: &Coupons, read: Read) -> Seen {
    let old = Old::with(subscription, terms, read);
    (subscription.id.clone(), subscription.customer.clone(), old)
}

/// `None`: the old account never had it, or it is out of reach; Stripe shows ended ones for good.
async fn one(reading: &Reading, terms: &Coupons, id: String) -> Result<Option<Seen>, StageError> {
    let path = allow::path("/v1/subscriptions/{}", &[&id]);
    let query = Form::new()
        .expand("discounts.source.coupon")
        .expand("items.data.discounts");
    match reading.reader(ROLE)?.get_as::<Subscription>(&path, &query).await {
        Ok(fetched) => {
            let subscription = &fetched.value;
            reading.of_this_mode(ROLE, &subscription.id, Some(subscription.livemode))?;
            Ok(Some(of(subscription, terms, Read::of(&fetched.reply.meta))))
        }
        Err(failure) if failure.api().is_some_and(|api| api.meta.status == 404) => Ok(None),
        // Metadata is anybody's: an id that is none is nobody's subscription.
        Err(crate::stripe::Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failed(ROLE, &failure)),
    }
}

/// Schedules of the old account that manage a subscription in scope.
pub(super) async fn schedules(reading: &Reading, found: &mut Found) -> Result<(), StageError> {
    let wanted = found.managing();
    let mut seen = Vec::new();
    if wanted.len() > FEW {
        let query = schedules_query("data.");
        let list = ("schedules", "/v1/subscription_schedules", &query);
        each(reading, ROLE, list, |schedule: Schedule, _| {
            if wanted.contains(&schedule.id) {
                seen.push(schedule);
            }
            Ok(())
        })
        .await?;
    } else {
        let asked = stream::iter(wanted.iter().cloned()).map(|id| schedule(reading, id));
        seen = asked.buffer_unordered(LANES).try_collect().await?;
    }
    let mut lost: BTreeSet<String> = wanted;
    for schedule in seen {
        reading.of_this_mode(ROLE, &schedule.id, Some(schedule.livemode))?;
        if let Ok(phases) = phases_of(&schedule) {
            lost.remove(&schedule.id);
            found.schedules.insert(schedule.id, phases);
        }
    }
    let out: Vec<_> = found
        .old
        .values()
        .filter(|old| old.schedule.as_ref().is_some_and(|id| lost.contains(id)))
        .map(|old| (old.id.clone(), old.customer.clone()))
        .collect();
    for (id, customer) in out {
        let schedule = found.old.remove(&id).and_then(|old| old.schedule);
        let why = format!(
            "its schedule {} could not be read",
            safe(&schedule.unwrap_or_default())
        );
        found.not_read(id, customer, why);
    }
    Ok(())
}

async fn schedule(reading: &Reading, id: String) -> Result<Schedule, StageError> {
    let path = allow::path("/v1/subscription_schedules/{}", &[&id]);
    let fetched = reading
        .reader(ROLE)?
        .get_as::<Schedule>(&path, &schedules_query(""))
        .await;
    fetched
        .map(|fetched| fetched.value)
        .map_err(|failure| failed(ROLE, &failure))
}

/// A price within a subscription shows only its own currency: the others would be a fifth level of expansion.
pub(super) async fn currencies(reading: &Reading, found: &mut Found) -> Result<(), StageError> {
    if found.lacks_currencies() {
        let prices = lists::prices(reading, ROLE).await?;
        found.with_currencies(&prices);
    }
    Ok(())
}
