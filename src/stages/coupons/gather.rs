//! Reads coupons, codes, who they are for, and the discounts that are running. GETs: one per hundred coupons, codes and
//! customers of each account and subscriptions of the old one, and one per owner of a live code whom no list shows any
//! more. No coupon and no code is read on its own.

mod lists;
mod people;
mod running;

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Drawer, World};
use super::plan::{self, Rules};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::plan::{Header, Plan};
use crate::domain::text::safe;
use crate::stages::{Gathered, Reading, Settings, StageError};

pub(super) use lists::{First, drawer};

/// All that was read.
pub(super) struct Facts {
    pub(super) world: World,
    /// Subscriptions in scope with more items than their page shows: what is discounted there is not all known.
    cut: BTreeSet<String>,
}

pub(super) async fn gather(reading: &Reading) -> Result<Gathered, StageError> {
    let facts = world(reading).await?;
    remember(reading, &facts.world)?;
    let size = |n: usize| n as u64;
    let mut counts = BTreeMap::from([
        ("discounts_running".to_owned(), size(facts.world.running.len())),
        ("customers_with_codes".to_owned(), size(facts.world.people.len())),
    ]);
    for (role, drawer) in [
        (Role::Source, &facts.world.source),
        (Role::Destination, &facts.world.destination),
    ] {
        counts.insert(format!("coupons_{role}"), size(drawer.coupons.len()));
        counts.insert(format!("codes_{role}"), size(drawer.codes.len()));
    }
    Ok(Gathered {
        facts: Box::new(facts),
        counts,
    })
}

/// Everything, as it is now. Customers come last: whoever has a code is on their list by then, unless deleted.
pub(super) async fn world(reading: &Reading) -> Result<Facts, StageError> {
    let ((source, made), (destination, _), live) = tokio::try_join!(
        lists::drawer(reading, Role::Source, First::Codes),
        lists::drawer(reading, Role::Destination, First::Codes),
        running::live(reading)
    )?;
    let crowd = people::crowd(reading).await?;
    let mut people = people::owners(reading, &source, &crowd).await?;
    let (running, cut) = running::of_scope(live, &crowd, &source, &made);
    for one in &running {
        if let Some(person) = crowd.person(&one.customer) {
            people.insert(one.customer.clone(), person);
        }
    }
    let world = World {
        source,
        destination,
        people,
        running,
        now: reading.clock.now().secs(),
    };
    Ok(Facts { world, cut })
}

fn remember(reading: &Reading, world: &World) -> Result<(), StageError> {
    for Drawer { coupons, codes } in [&world.source, &world.destination] {
        coupons.values().try_for_each(|coupon| reading.remember(coupon))?;
        codes.values().try_for_each(|code| reading.remember(code))?;
    }
    world
        .people
        .iter()
        .try_for_each(|person| reading.remember(&person))?;
    world.running.iter().try_for_each(|one| reading.remember(one))
}

pub(super) fn plan(facts: &Facts, reading: &Reading) -> Result<Plan, StageError> {
    let rules = Rules {
        accounts: &reading.accounts,
        settings: &reading.settings.coupons,
    };
    let planned = plan::rows(&facts.world, &reading.ids, rules);
    let mut findings = planned.findings;
    findings.extend(facts.cut.iter().map(|subscription| items_cut(subscription)));
    let header = header(&reading.accounts, &reading.settings);
    let (out, now) = (planned.out_of_scope, reading.clock.now());
    Ok(Plan::seal(header, out, planned.changes, findings, now)?)
}

fn items_cut(subscription: &str) -> Finding {
    Finding {
        stage: StageId::Coupons,
        customer: safe(subscription).to_string(),
        rule: "items_not_all_read".to_owned(),
        reason: "it has more items than its page shows; a discount on one of the others is not in this plan"
            .to_owned(),
        severity: Severity::Warn,
        money: None,
    }
}

pub(super) fn header(accounts: &Accounts, settings: &Settings) -> Header {
    Header {
        accounts: accounts.clone(),
        policy: settings.coupons.policy(),
        scope: settings.scope.digest(),
        stage: StageId::Coupons,
    }
}
