//! Reads both accounts and the application's table. GETs: one per 100 customers and account, one per 100 methods of each
//! customer in scope and account; nothing for those who stay but their line in a list page.

mod app;
mod lists;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::lists::{Listed, customers, methods_of};
use super::facts::{AppTable, CustomerFacts};
use super::file::{Mapping, Origin};
use super::plan::{self, Rules};
use super::{Settings, worklist};
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::scope::Belongs;
use crate::stages::{Gathered, Reading, StageError};

/// All that was read.
pub(super) struct Facts {
    pub(super) customers: Vec<CustomerFacts>,
    pub(super) belongs: BTreeMap<String, Belongs>,
    pub(super) arrived: BTreeSet<String>,
    pub(super) app: Option<AppTable>,
    pub(super) ordinals: BTreeMap<String, u32>,
}

pub(super) fn mapping(settings: &Settings) -> Result<&Mapping, StageError> {
    settings.file.as_deref().ok_or_else(|| {
        StageError::Setting(
            "mapping.files is not set: make the list with `cutover copy-list`, have the Dashboard copy it, download the \
             mapping file from the new account's Documents and name it there"
                .to_owned(),
        )
    })
}

pub(super) fn rules(reading: &Reading) -> Result<Rules<'_>, StageError> {
    let settings = &reading.settings.mapping;
    Ok(Rules {
        accounts: &reading.accounts,
        mapping: mapping(settings)?,
        settings,
        now: reading.clock.now(),
    })
}

pub(super) async fn gather(reading: &Reading) -> Result<Gathered, StageError> {
    let mapping = mapping(&reading.settings.mapping)?;
    let (source, destination) = tokio::try_join!(
        lists::customers(reading, Role::Source),
        lists::customers(reading, Role::Destination)
    )?;
    let mut counts = BTreeMap::from([
        ("customers_source".to_owned(), source.len() as u64),
        ("customers_destination".to_owned(), destination.len() as u64),
        ("mapping_rows".to_owned(), mapping.lint().rows),
    ]);
    let arrived = destination.keys().cloned().collect();
    let (mut customers, belongs) = both(source, destination, mapping);
    lists::methods(reading, &mut customers).await?;
    for facts in &customers {
        reading.remember(facts)?;
    }
    let (app, ordinals) = app::read(reading, &customers).await?;
    if let Some(app) = &app {
        counts.insert("database_rows".to_owned(), app.all);
    }
    let in_scope = customers.iter().filter(|facts| facts.belongs == Belongs::InScope);
    counts.insert("customers_in_scope".to_owned(), in_scope.count() as u64);
    Ok(Gathered {
        facts: Box::new(Facts {
            customers,
            belongs,
            arrived,
            app,
            ordinals,
        }),
        counts,
    })
}

/// Puts the two sides of every customer who may move together, and says where all of them belong.
fn both(
    source: BTreeMap<String, Listed>,
    mut destination: BTreeMap<String, Listed>,
    mapping: &Mapping,
) -> (Vec<CustomerFacts>, BTreeMap<String, Belongs>) {
    let (mut customers, mut belongs) = (Vec::new(), BTreeMap::new());
    for (id, listed) in source {
        let new_id = mapping.customer(&id).unwrap_or(&id).to_owned();
        let there = destination.remove(&new_id);
        let place = if there.is_some() {
            listed.belongs_if_copied
        } else {
            listed.belongs
        };
        belongs.insert(id.clone(), place);
        if place == Belongs::InScope {
            customers.push(CustomerFacts {
                id,
                new_id,
                label: listed.label,
                belongs: place,
                source: listed.side,
                destination: there.map(|there| there.side),
            });
        }
    }
    if mapping.origin() == Origin::Processor {
        imported(&mut customers, &mut belongs, destination, mapping);
    }
    (customers, belongs)
}

/// Customers of another processor are on no old account: what the import brought decides alone.
fn imported(
    customers: &mut Vec<CustomerFacts>,
    belongs: &mut BTreeMap<String, Belongs>,
    mut destination: BTreeMap<String, Listed>,
    mapping: &Mapping,
) {
    for row in mapping.iter() {
        if belongs.contains_key(row.customer) {
            continue;
        }
        let Some(there) = destination.remove(row.new_customer) else {
            continue;
        };
        belongs.insert(row.customer.to_owned(), there.belongs_if_copied);
        if there.belongs_if_copied == Belongs::InScope {
            customers.push(CustomerFacts {
                id: row.customer.to_owned(),
                new_id: row.new_customer.to_owned(),
                label: there.label,
                belongs: there.belongs_if_copied,
                source: super::facts::Side::default(),
                destination: Some(there.side),
            });
        }
    }
    customers.sort_by(|a, b| a.id.cmp(&b.id));
}

pub(super) fn plan(facts: &Facts, reading: &Reading) -> Result<Plan, StageError> {
    let rules = rules(reading)?;
    let (mut changes, mut out) = (Vec::new(), OutOfScope::default());
    let mut findings = plan::outside(&facts.belongs, &facts.arrived, &facts.customers, rules);
    for belongs in facts.belongs.values() {
        plan::count_outside(&mut out, *belongs);
    }
    for customer in &facts.customers {
        let (rows, found) = plan::customer(customer, rules);
        changes.extend(rows);
        findings.extend(found);
    }
    if let (Some(app), Some(table)) = (&facts.app, &reading.settings.mapping.table) {
        let (rows, found) = plan::table(app, &facts.customers, &facts.ordinals, rules, table, &mut out);
        changes.extend(rows);
        findings.extend(found);
    }
    let header = header(&reading.accounts, &reading.settings)?;
    Ok(Plan::seal(header, out, changes, findings, reading.clock.now())?)
}

pub(super) fn header(accounts: &Accounts, settings: &crate::stages::Settings) -> Result<Header, StageError> {
    let of = &settings.mapping;
    let mapping = mapping(of)?;
    let days = if of.contact_days == 0 {
        worklist::CONTACT_DAYS
    } else {
        of.contact_days
    };
    let mut policy = BTreeMap::from([
        ("mapping".to_owned(), mapping.digest().hex()),
        ("mapping_kind".to_owned(), mapping.origin().word().to_owned()),
        ("invoice_numbering".to_owned(), of.invoice_numbering.to_string()),
        ("contact_days".to_owned(), days.to_string()),
        ("left_behind".to_owned(), "work_list".to_owned()),
    ]);
    if let Some(at) = of.copied_at {
        policy.insert("copied_at".to_owned(), at.secs().to_string());
    }
    if let Some(table) = &of.table {
        policy.insert("table".to_owned(), format!("{}.{}", table.name, table.method));
    }
    Ok(Header {
        accounts: accounts.clone(),
        policy,
        scope: settings.scope.digest(),
        stage: StageId::Mapping,
    })
}

/// Both accounts' customers and the table as they are now, from the lists alone. With `whole`, the checksum of what the
/// plan did not change too.
pub(super) async fn now(
    reading: &Reading,
    plan: &Plan,
    whole: bool,
) -> Result<super::verify::Now, StageError> {
    let (source, destination) = tokio::try_join!(
        lists::customers(reading, Role::Source),
        lists::customers(reading, Role::Destination)
    )?;
    let sides = |listed: BTreeMap<String, Listed>| listed.into_iter().map(|(id, l)| (id, l.side)).collect();
    let (rows, others) = app::now(reading, plan, whole).await?;
    Ok(super::verify::Now {
        destination: sides(destination),
        source: sides(source),
        rows,
        others,
        quiet: reading
            .settings
            .mapping
            .table
            .as_ref()
            .is_some_and(|table| table.quiet),
    })
}
