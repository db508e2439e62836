//! The lists of one account: products, prices, tax rates, payment links.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::stages::catalogue::facts::{Item, Link, Read, Shelf, currencies_without_tiers};
use crate::stages::{Reading, StageError, failed};
use crate::stripe::error::Failure;
use crate::stripe::form::Form;
use crate::stripe::page::Listed;
use crate::stripe::scan::CURSORS;
use crate::stripe::wire::{PaymentLink, Price, Product, TaxRate};

/// Everything on one account.
pub(in crate::stages::catalogue) async fn shelf(reading: &Reading, role: Role) -> Result<Shelf, StageError> {
    let (products, prices, tax_rates, links) = tokio::try_join!(
        products(reading, role),
        prices(reading, role),
        tax_rates(reading, role),
        links(reading, role)
    )?;
    Ok(Shelf {
        products,
        prices,
        tax_rates,
        links,
    })
}

/// Every object of a list, by id, with the answer that held it.
pub(super) async fn all<T: Listed>(
    reading: &Reading,
    role: Role,
    path: &str,
    query: &Form,
) -> Result<Vec<(T, Read)>, Failed> {
    let mut scan = reading.reader(role)?.scan::<T>(path, query, CURSORS);
    let mut items = Vec::new();
    while let Some(page) = scan.next().await {
        let page = page.map_err(|failure| Failed::Stripe(Box::new(failure)))?;
        let read = Read::of(&page.reply.meta);
        items.extend(page.items.into_iter().map(|item| (item, read.clone())));
        reading.watch.progress(&what(role), items.len() as u64, None);
    }
    Ok(items)
}

/// Why a list was not read.
pub(super) enum Failed {
    /// No connection.
    Stage(StageError),
    /// Stripe did not answer as needed.
    Stripe(Box<Failure>),
}

impl From<StageError> for Failed {
    fn from(e: StageError) -> Self {
        Self::Stage(e)
    }
}

impl Failed {
    pub(super) fn on(self, role: Role) -> StageError {
        match self {
            Self::Stage(e) => e,
            Self::Stripe(failure) => failed(role, &failure),
        }
    }
}

fn what(role: Role) -> String {
    match role {
        Role::Source => "reading the catalogue of the old account".to_owned(),
        Role::Destination => "reading the catalogue of the new account".to_owned(),
    }
}

async fn products(reading: &Reading, role: Role) -> Result<BTreeMap<String, Item>, StageError> {
    let listed = all::<Product>(reading, role, "/v1/products", &Form::new()).await;
    let mut items = BTreeMap::new();
    for (product, read) in listed.map_err(|e| e.on(role))? {
        reading.of_this_mode(role, &product.id, product.livemode)?;
        if !product.deleted {
            items.insert(product.id.clone(), Item::of_product(&product, read));
        }
    }
    Ok(items)
}

async fn tax_rates(reading: &Reading, role: Role) -> Result<BTreeMap<String, Item>, StageError> {
    let listed = all::<TaxRate>(reading, role, "/v1/tax_rates", &Form::new()).await;
    let mut items = BTreeMap::new();
    for (rate, read) in listed.map_err(|e| e.on(role))? {
        reading.of_this_mode(role, &rate.id, Some(rate.livemode))?;
        items.insert(rate.id.clone(), Item::of_tax_rate(&rate, read));
    }
    Ok(items)
}

/// Without `active` the list is described as that of the active ones alone (spec: GET /v1/prices), so both are asked for.
async fn prices(reading: &Reading, role: Role) -> Result<BTreeMap<String, Item>, StageError> {
    let mut items = BTreeMap::new();
    for active in [true, false] {
        for (price, read) in prices_that_are(reading, role, active).await? {
            reading.of_this_mode(role, &price.id, Some(price.livemode))?;
            items.insert(price.id.clone(), Item::of_price(&price, read));
        }
    }
    Ok(items)
}

async fn prices_that_are(
    reading: &Reading,
    role: Role,
    active: bool,
) -> Result<Vec<(Price, Read)>, StageError> {
    let query = Form::new()
        .with("active", active)
        .expand("data.tiers")
        .expand("data.currency_options");
    let listed = all::<Price>(reading, role, "/v1/prices", &query).await;
    let listed = listed.map_err(|e| e.on(role))?;
    // Tiers of another currency come only when that currency is named, so what the first pass lacks is asked for by
    // name. Where Stripe will not have it, the prices stay as read, and are blocked as unreadable.
    let lacking: BTreeSet<String> = listed
        .iter()
        .flat_map(|(price, _)| currencies_without_tiers(price))
        .collect();
    if lacking.is_empty() {
        return Ok(listed);
    }
    let query = lacking.iter().fold(query, |query, code| {
        query.expand(&format!("data.currency_options.{code}.tiers"))
    });
    match all::<Price>(reading, role, "/v1/prices", &query).await {
        Ok(whole) => Ok(whole),
        Err(Failed::Stripe(failure)) if failure.api().is_some_and(|api| api.meta.status == 400) => Ok(listed),
        Err(failure) => Err(failure.on(role)),
    }
}

async fn links(reading: &Reading, role: Role) -> Result<BTreeMap<String, Link>, StageError> {
    let query = Form::new().expand("data.line_items");
    // A payment link has no `created`, so this list is read one page after the other.
    let mut pages = reading
        .reader(role)?
        .list::<PaymentLink>("/v1/payment_links", &query);
    let mut links = BTreeMap::new();
    while let Some(page) = pages
        .next_page()
        .await
        .map_err(|failure| failed(role, &failure))?
    {
        let read = Read::of(&page.reply.meta);
        for link in page.items {
            reading.of_this_mode(role, &link.id, Some(link.livemode))?;
            links.insert(link.id.clone(), link_of(link, read.clone()));
        }
    }
    Ok(links)
}

fn link_of(link: PaymentLink, read: Read) -> Link {
    let cut = link.line_items.as_ref().is_none_or(|items| items.has_more);
    let items = link.line_items.map(|items| items.data).unwrap_or_default();
    Link {
        id: link.id,
        active: link.active,
        url: safe(&link.url),
        prices: items
            .into_iter()
            .filter_map(|item| item.price)
            .map(|price| price.id)
            .collect(),
        cut,
        read,
    }
}
