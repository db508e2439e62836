//! Discounts that are running for customers in scope: on subscriptions, on their items, and on the customer.

use std::collections::{BTreeMap, BTreeSet};

use super::lists::Made;
use super::people::Crowd;
use crate::domain::fields::Fields;
use crate::domain::ids::Role;
use crate::domain::text::Safe;
use crate::stages::coupons::facts::{Bills, Drawer, Duration, Read, Running};
use crate::stages::coupons::read;
use crate::stages::people::each;
use crate::stages::{Reading, StageError};
use crate::stripe::form::Form;
use crate::stripe::wire::{Discount, Expandable, Subscription};

/// A live subscription, as far as discounts are concerned.
pub(super) struct Live {
    id: String,
    customer: String,
    bills: Option<Bills>,
    /// Of the subscription itself.
    own: Vec<Discount>,
    /// Of its items.
    items: Vec<(String, Discount)>,
    /// It has more items than shown.
    cut: bool,
    read: Read,
}

/// Live subscriptions of everybody on the old account. Without `status` canceled ones are not listed (spec: GET
/// /v1/subscriptions). An item's coupon would be a fifth level and stays an id; the list of coupons has it.
pub(super) async fn live(reading: &Reading) -> Result<Vec<Live>, StageError> {
    let role = Role::Source;
    let query = Form::new()
        .expand("data.discounts.source.coupon")
        .expand("data.items.data.discounts");
    let mut live = BTreeMap::new();
    let list = ("subscriptions", "/v1/subscriptions", &query);
    each(reading, role, list, |subscription: Subscription, answer| {
        reading.of_this_mode(role, &subscription.id, Some(subscription.livemode))?;
        if subscription.status.is_live() {
            let id = subscription.id.clone();
            live.insert(id, of_page(subscription, answer.clone())?);
        }
        Ok(())
    })
    .await?;
    Ok(live.into_values().collect())
}

fn of_page(subscription: Subscription, read: Read) -> Result<Live, StageError> {
    let bills = read::bills(&subscription);
    let mut items = Vec::new();
    for item in subscription.items.data {
        let discounts = shown(item.discounts, &subscription.id)?;
        items.extend(discounts.into_iter().map(|discount| (item.id.clone(), discount)));
    }
    Ok(Live {
        bills,
        own: shown(subscription.discounts, &subscription.id)?,
        items,
        cut: subscription.items.has_more,
        id: subscription.id,
        customer: subscription.customer,
        read,
    })
}

/// A discount that is only an id says nothing, although it was asked for whole.
fn shown(discounts: Vec<Expandable<Discount>>, of: &str) -> Result<Vec<Discount>, StageError> {
    let mut whole = Vec::with_capacity(discounts.len());
    for discount in discounts {
        match discount {
            Expandable::Object(discount) => whole.push(*discount),
            Expandable::Id(id) => {
                return Err(StageError::Refused(format!(
                    "discount {} of {} came without its terms; read again",
                    crate::domain::text::safe(&id),
                    crate::domain::text::safe(of)
                )));
            }
        }
    }
    Ok(whole)
}

/// Of customers in scope; and the subscriptions that were not shown whole.
pub(super) fn of_scope(
    live: Vec<Live>,
    crowd: &Crowd,
    source: &Drawer,
    made: &Made,
) -> (Vec<Running>, BTreeSet<String>) {
    let coupons = Coupons { source, made };
    let (mut running, mut cut, mut by_customer) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
    for subscription in live {
        let Some(label) = crowd.label(&subscription.customer) else {
            continue;
        };
        if subscription.cut {
            cut.insert(subscription.id.clone());
        }
        running.extend(of_subscription(&subscription, label, coupons));
        let bare: &mut Vec<Live> = by_customer.entry(subscription.customer.clone()).or_default();
        // A subscription's own discounts take the place of its customer's (facts 3.6).
        if subscription.own.is_empty() {
            bare.push(subscription);
        }
    }
    for (customer, discount, read) in crowd.discounts() {
        let label = crowd.label(customer).cloned().unwrap_or_default();
        let one = |subscription: Option<&Live>| Running {
            customer: customer.to_owned(),
            label: label.clone(),
            subscription: subscription.map(|live| live.id.clone()),
            on_customer: true,
            bills: subscription.and_then(|live| live.bills),
            beside: subscription.map_or(1, |live| live.items.len() + 1),
            ..coupons.running(discount, read)
        };
        match by_customer.get(customer).filter(|bare| !bare.is_empty()) {
            Some(bare) => running.extend(bare.iter().map(|live| one(Some(live)))),
            // It works on nothing that goes on by itself; what it is worth is for a person to say.
            None => running.push(one(None)),
        }
    }
    (running, cut)
}

fn of_subscription<'a>(
    live: &'a Live,
    label: &'a Safe,
    coupons: Coupons<'a>,
) -> impl Iterator<Item = Running> + 'a {
    let own = live.own.iter().map(|discount| (None, discount));
    let items = live
        .items
        .iter()
        .map(|(item, discount)| (Some(item.clone()), discount));
    let beside = live.own.len() + live.items.len();
    own.chain(items).map(move |(item, discount)| Running {
        customer: live.customer.clone(),
        label: label.clone(),
        subscription: Some(live.id.clone()),
        item,
        bills: live.bills,
        beside,
        ..coupons.running(discount, &live.read)
    })
}

/// The coupons of the old account.
#[derive(Clone, Copy)]
struct Coupons<'a> {
    source: &'a Drawer,
    made: &'a Made,
}

impl Coupons<'_> {
    /// What the discount itself says; whose it is is filled in by the caller.
    fn running(self, discount: &Discount, read: &Read) -> Running {
        let (terms, products, duration) = self.terms(discount);
        Running {
            id: discount.id.clone(),
            coupon: discount.coupon_id().unwrap_or_default().to_owned(),
            terms,
            products,
            duration,
            start: discount.start,
            end: discount.end,
            customer: String::new(),
            label: Safe::default(),
            subscription: None,
            item: None,
            on_customer: false,
            bills: None,
            beside: 1,
            read: read.clone(),
        }
    }

    /// Terms of the coupon it came of. The listed coupon shows all of them, if it is the same one still: a coupon that
    /// was deleted and made again under its id has another date. Otherwise what the discount shows, without what is
    /// hidden so deep; nothing at all where it shows none.
    fn terms(self, discount: &Discount) -> (Fields, Option<Vec<String>>, Duration) {
        let id = discount.coupon_id().unwrap_or_default();
        let shown = discount.coupon();
        let same = self.made.get(id).is_some_and(|created| match shown {
            Some(coupon) => coupon.created == *created,
            None => *created <= discount.start,
        });
        let listed = self
            .source
            .coupons
            .get(id)
            .filter(|coupon| same && coupon.trouble.is_none());
        if let Some((coupon, duration)) = listed.and_then(|coupon| Some((coupon, length(&coupon.terms)?))) {
            return (coupon.terms.clone(), Some(coupon.products.clone()), duration);
        }
        match shown.and_then(|coupon| Some((coupon, read::duration(coupon)?))) {
            Some((coupon, duration)) => (super::super::fields::of_coupon(coupon), None, duration),
            None => (Fields::default(), None, Duration::Forever),
        }
    }
}

fn length(terms: &Fields) -> Option<Duration> {
    match terms.get("duration")? {
        "once" => Some(Duration::Once),
        "repeating" => Some(Duration::Repeating),
        "forever" => Some(Duration::Forever),
        _ => None,
    }
}

#[cfg(test)]
#[path = "running_tests.rs"]
mod tests;
