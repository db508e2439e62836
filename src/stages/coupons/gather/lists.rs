//! Coupons and promotion codes of one account.

use std::collections::BTreeMap;

use crate::domain::ids::Role;
use crate::stages::coupons::facts::{Code, Coupon, Drawer};
use crate::stages::coupons::read;
use crate::stages::people::each;
use crate::stages::{Reading, StageError};
use crate::stripe::form::Form;
use crate::stripe::wire::{self, PromotionCode};

/// When each coupon was created, seconds: one that was deleted and made again is another coupon.
pub(super) type Made = BTreeMap<String, i64>;

/// Which of the two lists is read first. People redeem meanwhile, and what is read last has seen more uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::stages::coupons) enum First {
    /// So a coupon shows every use its codes do, and what looks like a contradiction is one.
    Codes,
    /// So no use is counted as taken and as still to be had.
    Coupons,
}

/// Everything on one account.
pub(in crate::stages::coupons) async fn drawer(
    reading: &Reading,
    role: Role,
    first: First,
) -> Result<(Drawer, Made), StageError> {
    let (codes, (coupons, made)) = match first {
        First::Codes => (codes(reading, role).await?, coupons(reading, role).await?),
        First::Coupons => {
            let coupons = coupons(reading, role).await?;
            (codes(reading, role).await?, coupons)
        }
    };
    Ok((Drawer { coupons, codes }, made))
}

/// Both fields hidden by default are asked for: without them a coupon looks wider than it is (facts 3.4).
async fn coupons(reading: &Reading, role: Role) -> Result<(BTreeMap<String, Coupon>, Made), StageError> {
    let query = Form::new()
        .expand("data.applies_to")
        .expand("data.currency_options");
    let (mut coupons, mut made) = (BTreeMap::new(), Made::new());
    let list = ("coupons", "/v1/coupons", &query);
    each(reading, role, list, |coupon: wire::Coupon, answer| {
        reading.of_this_mode(role, &coupon.id, Some(coupon.livemode))?;
        made.insert(coupon.id.clone(), coupon.created);
        coupons.insert(coupon.id.clone(), read::coupon(&coupon, answer.clone()));
        Ok(())
    })
    .await?;
    Ok((coupons, made))
}

/// All codes, in whatever state. `active` is a filter (spec: `GET /v1/promotion_codes`), so a list without it has both; an
/// account whose list shows no inactive one at all is asked for these by name, because a code that an earlier run closed
/// must not be missed.
async fn codes(reading: &Reading, role: Role) -> Result<BTreeMap<String, Code>, StageError> {
    let query = Form::new().expand("data.restrictions.currency_options");
    let mut codes = BTreeMap::new();
    codes_of(reading, role, &query, &mut codes).await?;
    if codes.values().all(|code| code.active) {
        codes_of(reading, role, &query.with("active", false), &mut codes).await?;
    }
    Ok(codes)
}

async fn codes_of(
    reading: &Reading,
    role: Role,
    query: &Form,
    codes: &mut BTreeMap<String, Code>,
) -> Result<(), StageError> {
    let list = ("promotion codes", "/v1/promotion_codes", query);
    each(reading, role, list, |code: PromotionCode, answer| {
        reading.of_this_mode(role, &code.id, Some(code.livemode))?;
        codes.insert(code.id.clone(), read::code(&code, answer.clone()));
        Ok(())
    })
    .await
}
