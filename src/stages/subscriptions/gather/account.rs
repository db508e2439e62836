//! The lists of both accounts, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lists;
use crate::domain::ids::Role;
use crate::domain::money::Currency;
use crate::domain::text::Safe;
use crate::stages::people::{default_method, each, in_region, label};
use crate::stages::subscriptions::facts::{Coupon, Discount, Old, Price, TaxRate, Twin};
use crate::stages::subscriptions::read::{self, Coupons, Trouble};
use crate::stages::{Reading, StageError};
use crate::stripe::form::Form;
use crate::stripe::wire::{
    Address, Customer, CustomerProfile, Expandable, Schedule, ScheduleStatus, Subscription,
};

/// A subscription of the old account, whoever's it is.
pub(super) struct Live {
    pub(super) customer: String,
    /// As far as it says one.
    pub(super) currency: Option<Currency>,
    pub(super) old: Result<Box<Old>, Trouble>,
}

/// A customer of the old account whom the scope's rule names.
pub(super) struct Mover {
    pub(super) label: Safe,
    pub(super) default: Option<String>,
    pub(super) discount: Option<Discount>,
}

/// A customer on the new account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct There {
    pub(super) default: bool,
    pub(super) email: bool,
    pub(super) address: bool,
    pub(super) currency: Option<Currency>,
}

/// The old account.
pub(super) struct OldSide {
    pub(super) coupons: Coupons,
    pub(super) live: BTreeMap<String, Live>,
    pub(super) movers: BTreeMap<String, Mover>,
}

/// Something of the new account that names an old subscription and is not understood.
pub(super) struct Odd {
    pub(super) of: String,
    pub(super) customer: String,
    pub(super) why: String,
}

/// Schedules of the new account.
#[derive(Default)]
pub(super) struct Planned {
    pub(super) twins: Vec<(Twin, ScheduleStatus)>,
    pub(super) odd: Vec<Odd>,
}

/// Subscriptions of the new account.
#[derive(Default)]
pub(super) struct Running {
    pub(super) twins: Vec<Twin>,
    pub(super) odd: Vec<Odd>,
    /// Every one that has not ended, a twin or not.
    pub(super) all: HashSet<String>,
}

/// The new account.
pub(super) struct NewSide {
    pub(super) people: HashMap<String, There>,
    pub(super) planned: Planned,
    pub(super) running: Running,
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) tax_rates: BTreeMap<String, TaxRate>,
    pub(super) coupons: BTreeMap<String, Coupon>,
}

pub(super) async fn both(reading: &Reading) -> Result<(OldSide, NewSide), StageError> {
    tokio::try_join!(old(reading), new(reading))
}

/// Coupons come first: what a discount takes off is theirs to say.
async fn old(reading: &Reading) -> Result<OldSide, StageError> {
    let coupons = lists::coupons(reading, Role::Source).await?;
    let terms = coupons
        .into_iter()
        .map(|(id, coupon)| (id, (coupon.created, coupon.coupon.off)))
        .collect();
    let (live, movers) = tokio::try_join!(live(reading, &terms), movers(reading, &terms))?;
    Ok(OldSide {
        coupons: terms,
        live,
        movers,
    })
}

async fn new(reading: &Reading) -> Result<NewSide, StageError> {
    let role = Role::Destination;
    let (people, planned, running, prices, tax_rates, coupons) = tokio::try_join!(
        there(reading),
        planned(reading),
        running(reading),
        lists::prices(reading, role),
        lists::tax_rates(reading, role),
        lists::coupons(reading, role)
    )?;
    Ok(NewSide {
        people,
        planned,
        running,
        prices,
        tax_rates,
        coupons: coupons
            .into_iter()
            .map(|(id, listed)| (id, listed.coupon))
            .collect(),
    })
}

/// An item's coupon would be a fifth level of expansion and stays an id.
pub(super) fn subscriptions_query() -> Form {
    Form::new()
        .expand("data.discounts.source.coupon")
        .expand("data.items.data.discounts")
}

async fn live(reading: &Reading, coupons: &Coupons) -> Result<BTreeMap<String, Live>, StageError> {
    let role = Role::Source;
    let query = subscriptions_query();
    let mut live = BTreeMap::new();
    let list = ("subscriptions", "/v1/subscriptions", &query);
    each(reading, role, list, |subscription: Subscription, read| {
        reading.of_this_mode(role, &subscription.id, Some(subscription.livemode))?;
        if subscription.status.is_live() {
            let found = Live {
                customer: subscription.customer.clone(),
                currency: subscription
                    .currency
                    .as_deref()
                    .and_then(|code| Currency::parse(code).ok()),
                old: Old::with(&subscription, coupons, read.clone()).map(Box::new),
            };
            live.insert(subscription.id, found);
        }
        Ok(())
    })
    .await?;
    Ok(live)
}

async fn movers(reading: &Reading, coupons: &Coupons) -> Result<BTreeMap<String, Mover>, StageError> {
    let role = Role::Source;
    let query = Form::new().expand("data.discount.source.coupon");
    let mut movers = BTreeMap::new();
    let list = ("customers", "/v1/customers", &query);
    each(reading, role, list, |customer: Customer, _| {
        reading.of_this_mode(role, &customer.id, customer.livemode)?;
        if !customer.deleted && in_region(reading, &customer) {
            let mover = Mover {
                label: label(&customer),
                default: default_method(&customer).map(str::to_owned),
                discount: customer
                    .discount
                    .map(|discount| read::discount(&Expandable::Object(Box::new(discount)), coupons, true)),
            };
            movers.insert(customer.id, mover);
        }
        Ok(())
    })
    .await?;
    Ok(movers)
}

async fn there(reading: &Reading) -> Result<HashMap<String, There>, StageError> {
    let role = Role::Destination;
    let mut people = HashMap::new();
    let list = ("customers", "/v1/customers", &Form::new());
    each(reading, role, list, |customer: CustomerProfile, _| {
        reading.of_this_mode(role, &customer.id, customer.livemode)?;
        if !customer.deleted {
            let there = There::of(&customer);
            people.insert(customer.id, there);
        }
        Ok(())
    })
    .await?;
    Ok(people)
}

impl There {
    pub(super) fn of(customer: &CustomerProfile) -> Self {
        let method = &customer.invoice_settings.default_payment_method;
        let shipped = customer.shipping.as_ref().and_then(|to| to.address.as_ref());
        Self {
            default: method.is_some() || customer.default_source.is_some(),
            email: customer.email.as_deref().is_some_and(|text| !text.is_empty()),
            address: [customer.address.as_ref(), shipped]
                .into_iter()
                .flatten()
                .any(is_a_place),
            currency: customer
                .currency
                .as_deref()
                .and_then(|code| Currency::parse(code).ok()),
        }
    }
}

/// Whether taxes can be reckoned for it: a postal code, or a country, of which the two with taxes by state need more
/// (docs: customer locations).
fn is_a_place(address: &Address) -> bool {
    let has = |field: &Option<String>| field.as_deref().is_some_and(|text| !text.trim().is_empty());
    let country = address.country.as_deref().map(str::trim).unwrap_or_default();
    has(&address.postal_code)
        || match country {
            "" => false,
            "US" => has(&address.line1) && has(&address.city) && has(&address.state),
            "CA" => has(&address.state),
            _ => true,
        }
}

/// The coupons of running discounts are asked for; those of an item's would be a fifth level.
pub(super) fn schedules_query(prefix: &str) -> Form {
    Form::new()
        .expand(&format!("{prefix}phases.discounts.discount"))
        .expand(&format!("{prefix}phases.discounts.promotion_code"))
}

async fn planned(reading: &Reading) -> Result<Planned, StageError> {
    let role = Role::Destination;
    let query = schedules_query("data.");
    let mut found = Planned::default();
    let list = ("schedules", "/v1/subscription_schedules", &query);
    each(reading, role, list, |schedule: Schedule, read| {
        reading.of_this_mode(role, &schedule.id, Some(schedule.livemode))?;
        match Twin::of_schedule(&schedule, read.clone()) {
            Ok(twin) => found.twins.extend(twin.map(|twin| (twin, schedule.status))),
            Err(trouble) => found.odd.push(Odd {
                of: read::old_id(&schedule).unwrap_or_default().to_owned(),
                why: format!("{} on the new account is its twin, and {trouble}", schedule.id),
                customer: schedule.customer,
            }),
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

async fn running(reading: &Reading) -> Result<Running, StageError> {
    let role = Role::Destination;
    let query = Form::new()
        .expand("data.discounts")
        .expand("data.items.data.discounts");
    let mut found = Running::default();
    let list = ("subscriptions", "/v1/subscriptions", &query);
    each(reading, role, list, |subscription: Subscription, read| {
        reading.of_this_mode(role, &subscription.id, Some(subscription.livemode))?;
        if !subscription.status.is_live() {
            return Ok(());
        }
        match Twin::of_subscription(&subscription, read.clone()) {
            Ok(twin) => found.twins.extend(twin),
            Err(trouble) => found.odd.push(Odd {
                of: read::old_id_of(&subscription).unwrap_or_default().to_owned(),
                why: format!(
                    "{} on the new account is its twin, and {trouble}",
                    subscription.id
                ),
                customer: subscription.customer,
            }),
        }
        found.all.insert(subscription.id);
        Ok(())
    })
    .await?;
    Ok(found)
}
