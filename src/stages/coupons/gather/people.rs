//! Who the customers are that codes and discounts belong to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::ids::Role;
use crate::domain::text::Safe;
#[cfg(test)]
use crate::domain::text::safe;
use crate::stages::coupons::facts::{Drawer, Person, Read};
use crate::stages::people::{each, has_method, in_region, label};
use crate::stages::{Reading, StageError, failed};
use crate::stripe::form::Form;
use crate::stripe::wire::{Customer, Discount, PromotionCode};

/// Owners asked for at once.
const LANES: usize = 8;

/// A customer of the old account whom the scope's rule names.
struct Moving {
    label: Safe,
    has_method: bool,
    discount: Option<Box<(Discount, Read)>>,
}

/// Customers of both accounts.
pub(super) struct Crowd {
    /// Everybody on the old account.
    known: HashSet<String>,
    /// Those of them in scope, with or without a payment method.
    moving: BTreeMap<String, Moving>,
    /// Everybody on the new account.
    arrived: HashSet<String>,
}

impl Crowd {
    /// Somebody in scope; `None`: out of scope, or not on the list.
    pub(super) fn person(&self, customer: &str) -> Option<Person> {
        let moving = self.moving.get(customer)?;
        let label = moving.label.clone();
        Some(if self.arrived.contains(customer) {
            Person::Mover { label }
        } else {
            let no_method = !moving.has_method;
            Person::Absent { label, no_method }
        })
    }

    #[cfg(test)]
    pub(super) fn of(moving: &[&str], discounts: Vec<(&str, Discount)>) -> Self {
        let one = |id: &&str| {
            let found = Moving {
                label: safe(&format!("Name of {id}")),
                has_method: true,
                discount: None,
            };
            ((*id).to_owned(), found)
        };
        let mut moving: BTreeMap<String, Moving> = moving.iter().map(one).collect();
        for (id, discount) in discounts {
            moving.get_mut(id).unwrap().discount = Some(Box::new((discount, Read::default())));
        }
        Self {
            known: moving.keys().cloned().collect(),
            arrived: moving.keys().cloned().collect(),
            moving,
        }
    }

    pub(super) fn label(&self, customer: &str) -> Option<&Safe> {
        self.moving.get(customer).map(|moving| &moving.label)
    }

    /// Customers in scope with a discount of their own.
    pub(super) fn discounts(&self) -> impl Iterator<Item = (&str, &Discount, &Read)> {
        self.moving.iter().filter_map(|(id, moving)| {
            let (discount, read) = moving.discount.as_deref()?;
            Some((id.as_str(), discount, read))
        })
    }
}

pub(super) async fn crowd(reading: &Reading) -> Result<Crowd, StageError> {
    let ((known, moving), arrived) = tokio::try_join!(old(reading), new(reading))?;
    Ok(Crowd {
        known,
        moving,
        arrived,
    })
}

async fn old(reading: &Reading) -> Result<(HashSet<String>, BTreeMap<String, Moving>), StageError> {
    let role = Role::Source;
    let query = Form::new().expand("data.discount.source.coupon");
    let (mut known, mut moving) = (HashSet::new(), BTreeMap::new());
    let list = ("customers", "/v1/customers", &query);
    each(reading, role, list, |customer: Customer, read| {
        reading.of_this_mode(role, &customer.id, customer.livemode)?;
        if customer.deleted {
            return Ok(());
        }
        known.insert(customer.id.clone());
        if in_region(reading, &customer) {
            let discount = customer.discount.clone();
            let found = Moving {
                label: label(&customer),
                has_method: has_method(&customer),
                discount: discount.map(|discount| Box::new((discount, read.clone()))),
            };
            moving.insert(customer.id, found);
        }
        Ok(())
    })
    .await?;
    Ok((known, moving))
}

async fn new(reading: &Reading) -> Result<HashSet<String>, StageError> {
    let role = Role::Destination;
    let mut arrived = HashSet::new();
    let list = ("customers", "/v1/customers", &Form::new());
    each(reading, role, list, |customer: Customer, _| {
        reading.of_this_mode(role, &customer.id, customer.livemode)?;
        if !customer.deleted {
            arrived.insert(customer.id);
        }
        Ok(())
    })
    .await?;
    Ok(arrived)
}

/// Whose the codes of the old account are.
pub(super) async fn owners(
    reading: &Reading,
    source: &Drawer,
    crowd: &Crowd,
) -> Result<BTreeMap<String, Person>, StageError> {
    let (mut people, mut unlisted) = (BTreeMap::new(), BTreeSet::new());
    for code in source.codes.values() {
        let Some(customer) = &code.customer else { continue };
        if crowd.known.contains(customer) {
            let person = crowd.person(customer).unwrap_or(Person::Stayer);
            people.insert(customer.clone(), person);
        } else {
            people.insert(customer.clone(), Person::Deleted);
            // Of what nobody can use any more it does not matter who could.
            if code.active || code.effect.is_some() {
                unlisted.insert(customer.clone());
            }
        }
    }
    let asked = stream::iter(unlisted).map(|customer| owner(reading, crowd, customer));
    let found: Vec<_> = asked.buffer_unordered(LANES).try_collect().await?;
    people.extend(found);
    Ok(people)
}

/// Somebody no list of customers shows: deleted, or of a test clock (facts 2.7). Their codes say which.
async fn owner(reading: &Reading, crowd: &Crowd, id: String) -> Result<(String, Person), StageError> {
    let role = Role::Source;
    let query = Form::new().with("customer", &id).expand("data.customer");
    let mut pages = reading
        .reader(role)?
        .list::<PromotionCode>("/v1/promotion_codes", &query);
    let page = match pages.next_page().await {
        Ok(page) => page,
        // The filter may know nobody of that name.
        Err(failure)
            if failure
                .api()
                .is_some_and(|api| matches!(api.meta.status, 400 | 404)) =>
        {
            None
        }
        Err(failure) => return Err(failed(role, &failure)),
    };
    let codes = page.map(|page| page.items).unwrap_or_default();
    let shown = codes.iter().find_map(|code| code.customer.as_ref()?.object());
    let person = match shown.filter(|customer| !customer.deleted) {
        None => Person::Deleted,
        Some(customer) if !in_region(reading, customer) => Person::Stayer,
        Some(customer) if crowd.arrived.contains(&id) => Person::Mover {
            label: label(customer),
        },
        Some(customer) => Person::Absent {
            label: label(customer),
            no_method: !has_method(customer),
        },
    };
    Ok((id, person))
}
