//! Reads both accounts: one pass of customer pages each, side by side, then one ledger per customer in scope and
//! account. GETs: at most 2 × pages + Σ max(1, ⌈ledger rows / 100⌉) over customers in scope, per account.

mod ledgers;
mod lists;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SourceAfter;
use super::audit::Listed;
use super::expected::{self, Expected};
use super::facts::{CustomerFacts, Grant, Side};
use super::plan::{self, Rules};
use crate::domain::ids::{Accounts, Digest, Role, StageId};
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::scope::Belongs;
use crate::domain::text::Safe;
use crate::stages::{Gathered, Reading, Settings, StageError};

/// Customers planned before the room their facts took is given back.
const GIVE_BACK: usize = 8_192;

/// All that was read.
pub(super) struct Facts {
    customers: Vec<CustomerFacts>,
    expected: Option<Expected>,
}

/// One customer as a page showed it.
pub(super) struct Row {
    pub(super) label: Safe,
    /// Where it belongs by itself, and where if the copy brought it to the new account. Decided while the page is in
    /// memory: metadata of a hundred thousand customers is more than everything else that is kept of them.
    pub(super) belongs: Belongs,
    pub(super) belongs_if_copied: Belongs,
    pub(super) side: Side,
}

pub(super) type Rows = BTreeMap<String, Row>;

fn source_after(settings: &Settings) -> Result<SourceAfter, StageError> {
    settings.credits.source_after.ok_or_else(|| {
        StageError::Setting(
            "credits.source_after is not set: say `drain` (the old balance becomes zero first) or `leave` (both copies \
             can be spent)"
                .to_owned(),
        )
    })
}

pub(super) async fn gather(reading: &Reading) -> Result<Gathered, StageError> {
    source_after(&reading.settings)?;
    let expected = read_expected(reading)?;
    let (source, destination, grants) = tokio::try_join!(
        lists::customers(reading, Role::Source),
        lists::customers(reading, Role::Destination),
        lists::grants(reading)
    )?;
    known_customers(&expected_name(reading), expected.as_ref(), &source)?;
    let mut counts = BTreeMap::from([
        ("customers_source".to_owned(), source.len() as u64),
        ("customers_destination".to_owned(), destination.len() as u64),
    ]);
    let mut customers = sort(source, destination, grants);
    let read = ledgers::read_all(reading, &mut customers, expected.as_ref()).await?;
    counts.extend(read);
    Ok(Gathered {
        facts: Box::new(Facts { customers, expected }),
        counts,
    })
}

/// Who belongs where; the ledgers are still missing.
fn sort(source: Rows, mut destination: Rows, mut grants: BTreeMap<String, Vec<Grant>>) -> Vec<CustomerFacts> {
    let mut customers = Vec::with_capacity(source.len());
    for (id, row) in source {
        let there = destination.remove(&id);
        let belongs = if there.is_some() {
            row.belongs_if_copied
        } else {
            row.belongs
        };
        let mut side = row.side;
        side.grants = grants.remove(&id).unwrap_or_default();
        let destination = there.map(|there| there.side);
        customers.push(CustomerFacts {
            id,
            label: row.label,
            belongs,
            source: side,
            destination,
        });
    }
    customers
}

fn read_expected(reading: &Reading) -> Result<Option<Expected>, StageError> {
    let Some(file) = &reading.settings.credits.expected else {
        return Ok(None);
    };
    let name = file.path.display().to_string();
    expected::parse(&name, &file.bytes)
        .map(Some)
        .map_err(|e| StageError::Input(e.to_string()))
}

fn expected_name(reading: &Reading) -> String {
    reading
        .settings
        .credits
        .expected
        .as_ref()
        .map(|file| file.path.display().to_string())
        .unwrap_or_default()
}

fn known_customers(file: &str, expected: Option<&Expected>, source: &Rows) -> Result<(), StageError> {
    for ((customer, _), (_, line)) in expected.into_iter().flat_map(|expected| &expected.balances) {
        if !source.contains_key(customer) {
            return Err(StageError::Input(format!(
                "{file}, line {line}, column `customer`: {} is not a customer of the old account; correct the file and \
                 read again",
                crate::domain::text::safe(customer)
            )));
        }
    }
    Ok(())
}

/// The facts are given up as the rows are made: both at once are too much for a hundred thousand customers.
pub(super) fn plan(facts: Facts, reading: &Reading) -> Result<Plan, StageError> {
    let source_after = source_after(&reading.settings)?;
    let Facts {
        mut customers,
        expected,
    } = facts;
    let rules = Rules {
        accounts: &reading.accounts,
        source_after,
        expected: expected.as_ref(),
    };
    let (mut changes, mut findings, mut out) = (Vec::new(), Vec::new(), OutOfScope::default());
    if let Some(expected) = &expected {
        let belongs: BTreeMap<&str, Belongs> = customers
            .iter()
            .map(|customer| (customer.id.as_str(), customer.belongs))
            .collect();
        findings.extend(plan::expected_outside(expected, &belongs));
    }
    // From the end, so that what is used up can be given back; the plan is sorted by key whatever the order here.
    while let Some(customer) = customers.pop() {
        let (rows, found) = plan::customer(&customer, rules);
        changes.extend(rows);
        findings.extend(found);
        plan::count_outside(&mut out, &customer);
        if customers.len().is_multiple_of(GIVE_BACK) {
            customers.shrink_to_fit();
        }
    }
    let header = header(&reading.accounts, &reading.settings)?;
    Ok(Plan::seal(header, out, changes, findings, reading.clock.now())?)
}

pub(super) fn header(accounts: &Accounts, settings: &Settings) -> Result<Header, StageError> {
    let mut policy = BTreeMap::from([(
        "source_after".to_owned(),
        source_after(settings)?.word().to_owned(),
    )]);
    if let Some(file) = &settings.credits.expected {
        let digest = Digest::of("cutover-file-v1", [file.bytes.as_slice()]);
        policy.insert("expected_balances".to_owned(), digest.hex());
    }
    let (accounts, scope) = (accounts.clone(), settings.scope.digest());
    Ok(Header {
        accounts,
        policy,
        scope,
        stage: StageId::Credits,
    })
}

/// Both accounts' customers as they are now, from the list alone.
pub(super) async fn list_both(reading: &Reading) -> Result<(Listed, Listed), StageError> {
    let (source, destination) = tokio::try_join!(
        lists::customers(reading, Role::Source),
        lists::customers(reading, Role::Destination)
    )?;
    let sides = |rows: Rows| {
        rows.into_iter()
            .map(|(id, row)| (id, row.side))
            .collect::<Listed>()
    };
    Ok((sides(source), sides(destination)))
}

/// Shows rows of one customer before there is a plan.
fn preview(
    reading: &Reading,
    facts: &CustomerFacts,
    expected: Option<&Expected>,
) -> Vec<Arc<crate::domain::change::Change>> {
    let Ok(source_after) = source_after(&reading.settings) else {
        return Vec::new();
    };
    let rules = Rules {
        accounts: &reading.accounts,
        source_after,
        expected,
    };
    plan::customer(facts, rules).0.into_iter().map(Arc::new).collect()
}
