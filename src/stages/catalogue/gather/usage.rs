//! What live subscriptions of customers in scope use: one pass of customer pages for the scope, one of subscriptions.

use std::collections::{BTreeMap, HashSet};

use super::lists::{Failed, all};
use crate::domain::ids::Role;
use crate::domain::scope::{Belongs, Candidate};
use crate::stages::catalogue::facts::{Item, Read, Usage};
use crate::stages::failed;
use crate::stages::{Reading, StageError};
use crate::stripe::form::Form;
use crate::stripe::scan::CURSORS;
use crate::stripe::wire::{Customer, Subscription};

/// What is used, and the prices as they stand in the subscriptions: a price made for one subscription is in no list.
pub(super) async fn usage(reading: &Reading) -> Result<(Usage, BTreeMap<String, Item>), StageError> {
    let role = Role::Source;
    let (customers, subscriptions) = tokio::try_join!(in_scope(reading), subscriptions(reading))?;
    let (mut usage, mut inline) = (Usage::default(), BTreeMap::new());
    for (subscription, read) in subscriptions {
        if !customers.contains(&subscription.customer) {
            continue;
        }
        reading.of_this_mode(role, &subscription.id, Some(subscription.livemode))?;
        count(subscription, &read, &mut usage, &mut inline);
    }
    Ok((usage, inline))
}

fn count(subscription: Subscription, read: &Read, usage: &mut Usage, inline: &mut BTreeMap<String, Item>) {
    if subscription.items.has_more {
        usage.cut.insert(subscription.id);
    }
    let rates = subscription.default_tax_rates.into_iter();
    usage.tax_rates.extend(rates.map(|rate| rate.id));
    for item in subscription.items.data {
        usage
            .tax_rates
            .extend(item.tax_rates.into_iter().map(|rate| rate.id));
        usage.prices.insert(item.price.id.clone());
        inline.entry(item.price.id.clone()).or_insert_with(|| Item {
            inline: true,
            ..Item::of_price(&item.price, read.clone())
        });
    }
}

/// Live ones only: canceled ones are read and dropped page by page.
async fn subscriptions(reading: &Reading) -> Result<Vec<(Subscription, Read)>, StageError> {
    let query = Form::new().with("status", "all");
    let listed = all::<Subscription>(reading, Role::Source, "/v1/subscriptions", &query).await;
    let mut listed = listed.map_err(|e: Failed| e.on(Role::Source))?;
    listed.retain(|(subscription, _)| subscription.status.is_live());
    Ok(listed)
}

/// Customers the scope rule names. Whether the copy has brought them is not asked: a customer who gets a payment method
/// tomorrow needs the price tomorrow.
async fn in_scope(reading: &Reading) -> Result<HashSet<String>, StageError> {
    let role = Role::Source;
    let scope = &reading.settings.scope;
    let mut scan = reading
        .reader(role)?
        .scan::<Customer>("/v1/customers", &Form::new(), CURSORS);
    let (mut moving, mut read) = (HashSet::new(), 0_u64);
    while let Some(page) = scan.next().await {
        let page = page.map_err(|failure| failed(role, &failure))?;
        for customer in page.items {
            read += 1;
            reading.of_this_mode(role, &customer.id, customer.livemode)?;
            let candidate = Candidate {
                id: &customer.id,
                metadata: &customer.metadata,
                has_method: true,
            };
            if !customer.deleted && scope.decide(candidate) == Belongs::InScope {
                moving.insert(customer.id);
            }
        }
        reading.watch.progress("reading who is in scope", read, None);
    }
    Ok(moving)
}
