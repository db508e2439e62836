//! What every stage asks of customers and of a list: who the scope's rule names, what to call somebody, and each object
//! of a list with the answer that held it.

use crate::domain::ids::Role;
use crate::domain::scope::{Belongs, Candidate};
use crate::domain::text::{Safe, safe};
use crate::stages::{Read, Reading, StageError, failed};
use crate::stripe::form::Form;
use crate::stripe::page::Listed;
use crate::stripe::scan::CURSORS;
use crate::stripe::wire::Customer;

/// Whether the rule names it, a payment method aside.
#[must_use]
pub fn in_region(reading: &Reading, customer: &Customer) -> bool {
    let candidate = Candidate {
        id: &customer.id,
        metadata: &customer.metadata,
        has_method: true,
    };
    reading.settings.scope.decide(candidate) == Belongs::InScope
}

/// Whether it can be charged by default.
#[must_use]
pub fn has_method(customer: &Customer) -> bool {
    default_method(customer).is_some()
}

/// What is charged by default, in the order in which Stripe looks (facts 3.2).
#[must_use]
pub fn default_method(customer: &Customer) -> Option<&str> {
    let method = customer.invoice_settings.default_payment_method.as_deref();
    method.or(customer.default_source.as_deref())
}

/// Name or e-mail.
#[must_use]
pub fn label(customer: &Customer) -> Safe {
    let name = customer.name.as_deref().or(customer.email.as_deref());
    safe(name.unwrap_or_default())
}

/// Every object of a list: what it is called, its path, its query; each with the answer that held it. One that comes
/// twice was moved by the list's growth.
pub async fn each<T: Listed>(
    reading: &Reading,
    role: Role,
    (what, path, query): (&str, &str, &Form),
    mut take: impl FnMut(T, &Read) -> Result<(), StageError>,
) -> Result<(), StageError> {
    let mut scan = reading.reader(role)?.scan::<T>(path, query, CURSORS);
    let what = match role {
        Role::Source => format!("reading {what} of the old account"),
        Role::Destination => format!("reading {what} of the new account"),
    };
    let mut done = 0;
    while let Some(page) = scan.next().await {
        let page = page.map_err(|failure| failed(role, &failure))?;
        let read = Read::of(&page.reply.meta);
        done += page.items.len() as u64;
        page.items.into_iter().try_for_each(|item| take(item, &read))?;
        reading.watch.progress(&what, done, None);
    }
    Ok(())
}
