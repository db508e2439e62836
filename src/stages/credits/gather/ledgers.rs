//! One ledger per customer in scope and account, many customers side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::Facts;
use crate::domain::ids::Role;
use crate::domain::scope::Belongs;
use crate::domain::write::marker;
use crate::stages::credits::facts::{CustomerFacts, Entry, Ledger, Read};
use crate::stages::credits::plan::Rules;
use crate::stages::failed;
use crate::stages::{Reading, StageError};
use crate::stripe::Reader;
use crate::stripe::error::Failure;
use crate::stripe::form::Form;
use crate::stripe::wire::BalanceTransaction;

/// Ledgers read at once per account: enough to use 25 requests a second at 600 ms.
const LANES: usize = 16;
/// Rows shown at once while reading.
const PREVIEW: usize = 50;

struct Arrived {
    at: usize,
    role: Role,
    ledger: Result<Option<Box<Ledger>>, StageError>,
}

/// A customer in scope whose ledgers are being read.
struct Waiting {
    facts: CustomerFacts,
    /// Ledgers not yet there.
    missing: u8,
}

/// Reads the ledgers. Every customer's facts are kept in the snapshot and become rows of `made` as soon as they are
/// complete; says how much was read.
pub(super) async fn read_all(
    reading: &Reading,
    customers: Vec<CustomerFacts>,
    rules: Rules<'_>,
    made: &mut Facts,
) -> Result<BTreeMap<String, u64>, StageError> {
    let mut waiting: Vec<Option<Waiting>> = Vec::with_capacity(customers.len());
    let mut wanted: BTreeMap<Role, Vec<(usize, String)>> = BTreeMap::new();
    for customer in customers {
        if customer.belongs != Belongs::InScope {
            reading.remember(&customer)?;
            made.take(&customer, rules);
            continue;
        }
        let (at, mut missing) = (waiting.len(), 0);
        let mut want = |role| {
            wanted.entry(role).or_default().push((at, customer.id.clone()));
            missing += 1;
        };
        want(Role::Source);
        if customer.destination.is_some() {
            want(Role::Destination);
        }
        let facts = customer;
        waiting.push(Some(Waiting { facts, missing }));
    }
    let total = waiting.len() as u64;
    let (send, mut arrivals) = mpsc::channel(LANES * 2);
    for (role, list) in wanted {
        start(reading, role, list, &send)?;
    }
    drop(send);
    let (mut done, mut rows, mut shown) = (0, 0, Vec::new());
    while let Some(arrived) = arrivals.recv().await {
        let ledger = arrived.ledger?;
        rows += ledger.as_ref().map_or(0, |ledger| ledger.rows);
        let place_of = &mut waiting[arrived.at];
        if let Some(customer) = place_of {
            place(&mut customer.facts, arrived.role, ledger);
            customer.missing -= 1;
        }
        if let Some(complete) = place_of.take_if(|customer| customer.missing == 0) {
            done += 1;
            reading.remember(&complete.facts)?;
            shown.extend_from_slice(made.take(&complete.facts, rules));
        }
        if shown.len() >= PREVIEW || done == total {
            reading.watch.preview(std::mem::take(&mut shown));
            reading
                .watch
                .progress("reading ledgers on both accounts", done, Some(total));
        }
    }
    if done != total {
        return Err(StageError::Refused(
            "a part of the ledgers was not read; read again".to_owned(),
        ));
    }
    Ok(BTreeMap::from([
        ("customers_in_scope".to_owned(), total),
        ("ledger_rows".to_owned(), rows),
    ]))
}

fn place(customer: &mut CustomerFacts, role: Role, ledger: Option<Box<Ledger>>) {
    match (role, ledger) {
        (Role::Source, ledger) => customer.source.ledger = ledger,
        // Deleted on the new account since it was listed.
        (Role::Destination, None) => customer.destination = None,
        (Role::Destination, ledger) => {
            if let Some(side) = &mut customer.destination {
                side.ledger = ledger;
            }
        }
    }
}

fn start(
    reading: &Reading,
    role: Role,
    list: Vec<(usize, String)>,
    send: &mpsc::Sender<Arrived>,
) -> Result<(), StageError> {
    let reader = reading.reader(role)?;
    let next = Arc::new(AtomicUsize::new(0));
    let list = Arc::new(list);
    for _ in 0..LANES.min(list.len()) {
        let (reader, next, list, send) = (reader.clone(), next.clone(), list.clone(), send.clone());
        // Dropping its handle does not stop a lane; a closed channel does.
        drop(reading.clock.spawn(async move {
            while let Some((at, customer)) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                let ledger = read(&reader, customer)
                    .await
                    .map_err(|failure| failed(role, &failure));
                let stop = ledger.is_err();
                if send
                    .send(Arrived {
                        at: *at,
                        role,
                        ledger,
                    })
                    .await
                    .is_err()
                    || stop
                {
                    return;
                }
            }
        }));
    }
    Ok(())
}

/// `None`: the customer does not exist (any more).
async fn read(reader: &Reader, customer: &str) -> Result<Option<Box<Ledger>>, Failure> {
    let path = format!("/v1/customers/{customer}/balance_transactions");
    let pages = match reader
        .list::<BalanceTransaction>(&path, &Form::new())
        .collect_pages()
        .await
    {
        Ok(pages) => pages,
        Err(failure) if failure.api().is_some_and(|api| api.meta.status == 404) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let read = pages
        .last()
        .map(|page| Read::of(&page.reply.meta))
        .unwrap_or_default();
    let entries: Vec<Entry> = pages.into_iter().flat_map(|page| page.items).map(entry).collect();
    Ok(Some(Box::new(of_unique(entries, read))))
}

fn of_unique(mut entries: Vec<Entry>, read: Read) -> Ledger {
    let mut seen = std::collections::HashSet::new();
    entries.retain(|entry| seen.insert(entry.id.clone()));
    Ledger::of(&entries, read)
}

fn entry(mut row: BalanceTransaction) -> Entry {
    Entry {
        id: row.id,
        amount: row.amount,
        currency: row.currency,
        ending_balance: row.ending_balance,
        created: row.created,
        effect: row.metadata.remove(marker::EFFECT),
        run: row.metadata.remove(marker::RUN),
    }
}
