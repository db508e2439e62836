//! What the accounts have of what a toolkit file names: one call per hundred objects of each kind it names at all. The
//! old account is asked only for kinds of which something is missing on the new one.

use std::collections::{BTreeSet, HashMap};

use super::account::There;
use super::lists;
use crate::domain::ids::Role;
use crate::stages::people::each;
use crate::stages::subscriptions::online::{Customer, Known, Line, absent};
use crate::stages::{Reading, StageError};
use crate::stripe::form::Form;
use crate::stripe::page::Listed;
use crate::stripe::wire::{self, CustomerProfile};

/// Everything [`crate::stages::subscriptions::online::check`] needs for these lines.
pub async fn known(reading: &Reading, lines: &[Line]) -> Result<Known, StageError> {
    let role = Role::Destination;
    let names = |has: &dyn Fn(&Line) -> bool| lines.iter().any(has);
    let mut known = Known::default();
    if names(&|line| !line.customer.is_empty()) {
        known.customers = customers(reading).await?;
    }
    if names(&|line| !line.prices.is_empty()) {
        known.prices = lists::all_prices(reading, role).await?;
    }
    if names(&|line| line.coupon.is_some()) {
        let coupons = lists::coupons(reading, role).await?;
        known.coupons = coupons
            .into_iter()
            .map(|(id, listed)| (id, listed.coupon))
            .collect();
    }
    if names(&|line| line.tax_rate.is_some()) {
        known.tax_rates = lists::tax_rates(reading, role).await?.into_iter().collect();
    }
    let wanted = absent(lines, &known);
    known.of_source = of_source(reading, lines, &wanted).await?;
    Ok(known)
}

async fn customers(reading: &Reading) -> Result<HashMap<String, Customer>, StageError> {
    let mut customers = HashMap::new();
    let list = ("customers", "/v1/customers", &Form::new());
    each(
        reading,
        Role::Destination,
        list,
        |customer: CustomerProfile, _| {
            reading.of_this_mode(Role::Destination, &customer.id, customer.livemode)?;
            if !customer.deleted {
                let there = There::of(&customer);
                let found = Customer {
                    default: there.default,
                    email: there.email,
                    address: there.address,
                    currency: there.currency,
                };
                customers.insert(customer.id, found);
            }
            Ok(())
        },
    )
    .await?;
    Ok(customers)
}

/// Which of `wanted` the old account has.
async fn of_source(
    reading: &Reading,
    lines: &[Line],
    wanted: &BTreeSet<&str>,
) -> Result<std::collections::HashSet<String>, StageError> {
    let lacks = |id: &str| wanted.contains(id);
    let mut found = Vec::new();
    if lines.iter().any(|line| lacks(&line.customer)) {
        ids::<wire::Customer>(reading, ("customers", "/v1/customers"), wanted, &mut found).await?;
    }
    if lines
        .iter()
        .any(|line| line.prices.iter().any(|(_, id)| lacks(id)))
    {
        ids::<wire::Price>(reading, ("prices", "/v1/prices"), wanted, &mut found).await?;
    }
    if lines.iter().any(|line| line.coupon.as_deref().is_some_and(lacks)) {
        ids::<wire::Coupon>(reading, ("coupons", "/v1/coupons"), wanted, &mut found).await?;
    }
    if lines
        .iter()
        .any(|line| line.tax_rate.as_deref().is_some_and(lacks))
    {
        ids::<wire::TaxRate>(reading, ("tax rates", "/v1/tax_rates"), wanted, &mut found).await?;
    }
    Ok(found.into_iter().collect())
}

async fn ids<T: Listed>(
    reading: &Reading,
    (what, path): (&str, &str),
    wanted: &BTreeSet<&str>,
    found: &mut Vec<String>,
) -> Result<(), StageError> {
    each(
        reading,
        Role::Source,
        (what, path, &Form::new()),
        |object: T, _| {
            if wanted.contains(object.id()) {
                found.push(object.id().to_owned());
            }
            Ok(())
        },
    )
    .await
}
