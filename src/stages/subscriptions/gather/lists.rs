//! What subscriptions refer to: prices, tax rates, coupons.

use std::collections::{BTreeMap, HashMap};

use crate::domain::ids::Role;
use crate::stages::people::each;
use crate::stages::subscriptions::facts::{Coupon, Price, TaxRate};
use crate::stages::subscriptions::read;
use crate::stages::{Reading, StageError};
use crate::stripe::form::Form;
use crate::stripe::wire;

/// A coupon, and when it was created, seconds: one that was deleted and made again is another coupon.
pub(super) struct Listed {
    pub(super) created: i64,
    pub(super) coupon: Coupon,
}

/// Both fields hidden by default are asked for: without them a coupon looks wider than it is (facts 3.4).
pub(super) async fn coupons(reading: &Reading, role: Role) -> Result<BTreeMap<String, Listed>, StageError> {
    let query = Form::new()
        .expand("data.applies_to")
        .expand("data.currency_options");
    let mut coupons = BTreeMap::new();
    let list = ("coupons", "/v1/coupons", &query);
    each(reading, role, list, |coupon: wire::Coupon, _| {
        reading.of_this_mode(role, &coupon.id, Some(coupon.livemode))?;
        let listed = Listed {
            created: coupon.created,
            coupon: read::coupon(&coupon),
        };
        coupons.insert(coupon.id, listed);
        Ok(())
    })
    .await?;
    Ok(coupons)
}

/// Recurring ones, active or not. One of a currency this program cannot name is as good as not there: whoever needs it
/// is blocked.
pub(super) async fn prices(reading: &Reading, role: Role) -> Result<BTreeMap<String, Price>, StageError> {
    let query = Form::new().with("type", "recurring");
    prices_of(reading, role, query).await
}

/// The others too.
pub(super) async fn all_prices(reading: &Reading, role: Role) -> Result<HashMap<String, Price>, StageError> {
    prices_of(reading, role, Form::new()).await
}

async fn prices_of<C: Default + Extend<(String, Price)>>(
    reading: &Reading,
    role: Role,
    query: Form,
) -> Result<C, StageError> {
    let query = query.expand("data.currency_options");
    let mut prices = C::default();
    let list = ("prices", "/v1/prices", &query);
    each(reading, role, list, |price: wire::Price, _| {
        reading.of_this_mode(role, &price.id, Some(price.livemode))?;
        prices.extend(read::price(&price).ok().map(|found| (price.id, found)));
        Ok(())
    })
    .await?;
    Ok(prices)
}

pub(super) async fn tax_rates(
    reading: &Reading,
    role: Role,
) -> Result<BTreeMap<String, TaxRate>, StageError> {
    let mut rates = BTreeMap::new();
    let list = ("tax rates", "/v1/tax_rates", &Form::new());
    each(reading, role, list, |rate: wire::TaxRate, _| {
        reading.of_this_mode(role, &rate.id, Some(rate.livemode))?;
        let found = read::tax_rate(&rate);
        rates.insert(rate.id, found);
        Ok(())
    })
    .await?;
    Ok(rates)
}
