//! Customers by list pages, and the methods of those in scope, many side by side.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::domain::ids::Role;
use crate::domain::scope::Belongs;
use crate::domain::text::{Safe, safe};
use crate::stages::mapping::copy_list;
use crate::stages::mapping::facts::{CustomerFacts, Method, Read, Side};
use crate::stages::{Reading, StageError, failed};
use crate::stripe::Reader;
use crate::stripe::error::Failure;
use crate::stripe::form::Form;
use crate::stripe::page::dedupe;
use crate::stripe::scan::CURSORS;
use crate::stripe::wire::{CustomerProfile, PaymentMethod, TaxId};

/// Customers whose methods are read at once per account: enough to use 25 requests a second at 600 ms.
const LANES: usize = 16;

/// A customer as a page showed it.
pub(in super::super) struct Listed {
    pub(in super::super) label: Safe,
    pub(in super::super) belongs: Belongs,
    pub(in super::super) belongs_if_copied: Belongs,
    /// Empty for a customer of the old account who stays: nothing of it is needed.
    pub(in super::super) side: Side,
}

/// All customers of one account, by id.
pub(in super::super) async fn customers(
    reading: &Reading,
    role: Role,
) -> Result<BTreeMap<String, Listed>, StageError> {
    let query = Form::new().expand("data.tax_ids");
    let reader = reading.reader(role)?;
    let mut scan = reader.scan::<CustomerProfile>("/v1/customers", &query, CURSORS);
    let what = match role {
        Role::Source => "reading customers of the old account",
        Role::Destination => "reading customers of the new account",
    };
    let (mut all, mut seen) = (BTreeMap::new(), HashSet::new());
    while let Some(page) = scan.next().await {
        let mut page = page.map_err(|failure| failed(role, &failure))?;
        dedupe(&mut seen, &mut page.items);
        let read = Read::of(&page.reply.meta);
        for customer in page.items {
            if customer.deleted {
                continue;
            }
            reading.of_this_mode(role, &customer.id, customer.livemode)?;
            let listed = listed(reading, role, &customer, &read).await?;
            all.insert(customer.id, listed);
        }
        reading.watch.progress(what, all.len() as u64, None);
    }
    Ok(all)
}

async fn listed(
    reading: &Reading,
    role: Role,
    customer: &CustomerProfile,
    read: &Read,
) -> Result<Listed, StageError> {
    let has_default =
        customer.default_source.is_some() || customer.invoice_settings.default_payment_method.is_some();
    let (belongs, belongs_if_copied) =
        copy_list::belongs(reading, &customer.id, &customer.metadata, has_default);
    let stays = role == Role::Source && belongs_if_copied != Belongs::InScope;
    let mut side = if stays {
        Side::default()
    } else {
        Side::of(customer, read.clone())
    };
    // The page holds the first few tax ids of a customer; the others have a list of their own.
    if !stays && customer.tax_ids.as_ref().is_some_and(|list| list.has_more) {
        side.tax_ids = tax_ids(reading.reader(role)?, role, &customer.id).await?;
    }
    let label = customer
        .name
        .as_deref()
        .or(customer.email.as_deref())
        .unwrap_or_default();
    Ok(Listed {
        label: if stays { Safe::default() } else { safe(label) },
        belongs,
        belongs_if_copied,
        side,
    })
}

async fn tax_ids(reader: &Reader, role: Role, customer: &str) -> Result<Vec<(String, String)>, StageError> {
    let path = format!("/v1/customers/{customer}/tax_ids");
    let pages = reader.list::<TaxId>(&path, &Form::new()).collect_pages().await;
    let pages = pages.map_err(|failure| failed(role, &failure))?;
    Ok(pages
        .into_iter()
        .flat_map(|page| page.items)
        .map(|id| (id.kind, id.value))
        .collect())
}

struct Arrived {
    role: Role,
    at: usize,
    methods: Result<(Option<Vec<Method>>, Read), StageError>,
}

/// Fills in the methods of both sides.
pub(super) async fn methods(reading: &Reading, customers: &mut [CustomerFacts]) -> Result<(), StageError> {
    let (send, mut arrivals) = mpsc::channel(LANES * 2);
    let ids = |role: Role| -> Vec<(usize, String)> {
        let all = customers.iter().enumerate();
        match role {
            // Customers of an import are on no old account.
            Role::Source => all
                .filter(|(_, facts)| facts.source.created > 0)
                .map(|(at, facts)| (at, facts.id.clone()))
                .collect(),
            Role::Destination => all
                .filter(|(_, facts)| facts.destination.is_some())
                .map(|(at, facts)| (at, facts.new_id.clone()))
                .collect(),
        }
    };
    let mut total = 0;
    for role in Role::BOTH {
        let list = ids(role);
        total += list.len();
        start(reading, role, list, &send)?;
    }
    drop(send);
    let mut done = 0;
    while let Some(arrived) = arrivals.recv().await {
        let (methods, read) = arrived.methods?;
        let customer = &mut customers[arrived.at];
        let side = match arrived.role {
            Role::Source => Some(&mut customer.source),
            Role::Destination => customer.destination.as_mut(),
        };
        if let Some(side) = side {
            (side.methods, side.methods_read) = (methods, read);
        }
        done += 1;
        reading.watch.progress(
            "reading payment methods on both accounts",
            done as u64,
            Some(total as u64),
        );
    }
    if done == total {
        return Ok(());
    }
    Err(StageError::Refused(
        "a part of the payment methods was not read; read again".to_owned(),
    ))
}

/// The methods of some customers of one account; a customer who is gone has none.
pub(in super::super) async fn methods_of(
    reading: &Reading,
    role: Role,
    customers: Vec<String>,
) -> Result<BTreeMap<String, Vec<Method>>, StageError> {
    let (send, mut arrivals) = mpsc::channel(LANES * 2);
    let list = customers.iter().cloned().enumerate().collect();
    start(reading, role, list, &send)?;
    drop(send);
    let mut all = BTreeMap::new();
    while let Some(arrived) = arrivals.recv().await {
        let (methods, _) = arrived.methods?;
        all.insert(customers[arrived.at].clone(), methods.unwrap_or_default());
        let (done, total) = (all.len() as u64, customers.len() as u64);
        reading
            .watch
            .progress("reading payment methods", done, Some(total));
    }
    if all.len() == customers.len() {
        return Ok(all);
    }
    Err(StageError::Refused(
        "a part of the payment methods was not read; try again".to_owned(),
    ))
}

fn start(
    reading: &Reading,
    role: Role,
    list: Vec<(usize, String)>,
    send: &mpsc::Sender<Arrived>,
) -> Result<(), StageError> {
    let reader = reading.reader(role)?;
    let (next, list) = (Arc::new(AtomicUsize::new(0)), Arc::new(list));
    for _ in 0..LANES.min(list.len()) {
        let (reader, next, list, send) = (reader.clone(), next.clone(), list.clone(), send.clone());
        // Dropping its handle does not stop a lane; a closed channel does.
        drop(reading.clock.spawn(async move {
            while let Some((at, customer)) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                let methods = read(&reader, customer)
                    .await
                    .map_err(|failure| failed(role, &failure));
                let stop = methods.is_err();
                let arrived = Arrived {
                    role,
                    at: *at,
                    methods,
                };
                if send.send(arrived).await.is_err() || stop {
                    return;
                }
            }
        }));
    }
    Ok(())
}

/// `None`: the customer does not exist (any more).
async fn read(reader: &Reader, customer: &str) -> Result<(Option<Vec<Method>>, Read), Failure> {
    let path = format!("/v1/customers/{customer}/payment_methods");
    let pages = match reader
        .list::<PaymentMethod>(&path, &Form::new())
        .collect_pages()
        .await
    {
        Ok(pages) => pages,
        Err(failure) if failure.api().is_some_and(|api| api.meta.status == 404) => {
            return Ok((None, Read::default()));
        }
        Err(failure) => return Err(failure),
    };
    let read = pages
        .last()
        .map(|page| Read::of(&page.reply.meta))
        .unwrap_or_default();
    let mut seen = HashSet::new();
    let mut methods = Vec::new();
    for mut page in pages {
        dedupe(&mut seen, &mut page.items);
        methods.extend(page.items.iter().map(Method::from));
    }
    // The order of a list is by time, and within a second arbitrary.
    methods.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Ok((Some(methods), read))
}
