//! Reads both catalogues, side by side. GETs, beside one per hundred objects of each list: prices twice (active and
//! inactive are two lists), customers and subscriptions of the old account once, tax settings one per account. No object
//! is read on its own, so the cost does not grow with what is on the lists of the new account.

mod lists;
mod tax;
mod usage;

use std::collections::BTreeMap;

use super::facts::World;
use super::plan::{self, Rules};
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::stages::{Gathered, Reading, Settings, StageError};

pub(super) use lists::shelf;

pub(super) async fn gather(reading: &Reading) -> Result<Gathered, StageError> {
    let world = world(reading).await?;
    remember(reading, &world)?;
    let size = |n: usize| n as u64;
    let mut counts = BTreeMap::from([
        ("prices_in_use".to_owned(), size(world.usage.prices.len())),
        ("tax_rates_in_use".to_owned(), size(world.usage.tax_rates.len())),
    ]);
    for (role, shelf) in [
        (Role::Source, &world.source),
        (Role::Destination, &world.destination),
    ] {
        let lists = [
            ("products", shelf.products.len()),
            ("prices", shelf.prices.len()),
            ("tax_rates", shelf.tax_rates.len()),
            ("payment_links", shelf.links.len()),
        ];
        counts.extend(lists.map(|(name, n)| (format!("{name}_{role}"), size(n))));
    }
    Ok(Gathered {
        facts: Box::new(world),
        counts,
    })
}

/// Everything, as it is now.
pub(super) async fn world(reading: &Reading) -> Result<World, StageError> {
    let (mut source, destination, (usage, inline), source_tax, destination_tax) = tokio::try_join!(
        lists::shelf(reading, Role::Source),
        lists::shelf(reading, Role::Destination),
        usage::usage(reading),
        tax::tax(reading, Role::Source),
        tax::tax(reading, Role::Destination)
    )?;
    for (id, price) in inline {
        // A listed price was read whole; what stands in a subscription lacks tiers and other currencies.
        source.prices.entry(id).or_insert(price);
    }
    Ok(World {
        source,
        destination,
        usage,
        source_tax,
        destination_tax,
    })
}

fn remember(reading: &Reading, world: &World) -> Result<(), StageError> {
    for shelf in [&world.source, &world.destination] {
        let items = shelf.products.values().chain(shelf.prices.values());
        for item in items.chain(shelf.tax_rates.values()) {
            reading.remember(item)?;
        }
        for link in shelf.links.values() {
            reading.remember(link)?;
        }
    }
    reading.remember(&world.usage)?;
    reading.remember(&world.source_tax)?;
    reading.remember(&world.destination_tax)
}

pub(super) fn plan(world: &World, reading: &Reading) -> Result<Plan, StageError> {
    let rules = Rules {
        accounts: &reading.accounts,
        inactive_in_use: reading.settings.catalogue.inactive_in_use,
    };
    let (changes, findings) = plan::rows(world, rules);
    let header = header(&reading.accounts, &reading.settings);
    let out = OutOfScope::default();
    Ok(Plan::seal(header, out, changes, findings, reading.clock.now())?)
}

pub(super) fn header(accounts: &Accounts, settings: &Settings) -> Header {
    let word = settings.catalogue.inactive_in_use.word();
    Header {
        accounts: accounts.clone(),
        policy: BTreeMap::from([
            ("inactive_in_use".to_owned(), word.to_owned()),
            (
                "runbook".to_owned(),
                "payment links, pay what you want".to_owned(),
            ),
        ]),
        scope: settings.scope.digest(),
        stage: StageId::Catalogue,
    }
}
