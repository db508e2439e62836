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
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::{Accounts, Digest, Role, StageId};
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::scope::Belongs;
use crate::domain::text::Safe;
use crate::stages::{Gathered, Reading, Settings, StageError};

/// What was made of all that was read. A customer's facts become rows as soon as they are complete, and are kept in the
/// snapshot, not in memory: facts and rows of a hundred thousand customers at once are too much.
#[derive(Default)]
pub(super) struct Facts {
    changes: Vec<Arc<Change>>,
    findings: Vec<Finding>,
    out: OutOfScope,
}

impl Facts {
    /// Takes in one customer; its rows, to be shown. In whatever order customers come, the plan is sorted by key.
    fn take(&mut self, facts: &CustomerFacts, rules: Rules<'_>) -> &[Arc<Change>] {
        let (rows, found) = plan::customer(facts, rules);
        let known = self.changes.len();
        self.changes.extend(rows.into_iter().map(Arc::new));
        self.findings.extend(found);
        plan::count_outside(&mut self.out, facts);
        &self.changes[known..]
    }

    fn expected_outside(&mut self, expected: &Expected, customers: &[CustomerFacts]) {
        let belongs: BTreeMap<&str, Belongs> = customers
            .iter()
            .map(|customer| (customer.id.as_str(), customer.belongs))
            .collect();
        self.findings.extend(plan::expected_outside(expected, &belongs));
    }
}

/// One customer as a page showed it.
pub(super) struct Row {
    pub(super) label: Safe,
    /// Where it belongs by itself, and where if the copy brought it to the new account. Decided while the page is in
    /// memory: metadata of a hundred thousand customers is more than everything else that is kept of them.
    pub(super) belongs: Belongs,
    pub(super) belongs_if_copied: Belongs,
    pub(super) side: Box<Side>,
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
    let source_after = source_after(&reading.settings)?;
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
    let customers = sort(source, destination, grants);
    let rules = Rules {
        accounts: &reading.accounts,
        source_after,
        expected: expected.as_ref(),
    };
    let mut facts = Facts::default();
    if let Some(expected) = &expected {
        facts.expected_outside(expected, &customers);
    }
    let read = ledgers::read_all(reading, customers, rules, &mut facts).await?;
    counts.extend(read);
    Ok(Gathered {
        facts: Box::new(facts),
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

pub(super) fn plan(facts: Facts, reading: &Reading) -> Result<Plan, StageError> {
    let header = header(&reading.accounts, &reading.settings)?;
    let (out, changes, findings) = (facts.out, facts.changes, facts.findings);
    Ok(Plan::seal_rows(
        header,
        out,
        changes,
        findings,
        reading.clock.now(),
    )?)
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
            .map(|(id, row)| (id, *row.side))
            .collect::<Listed>()
    };
    Ok((sides(source), sides(destination)))
}
