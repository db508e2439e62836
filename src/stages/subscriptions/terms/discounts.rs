//! Which coupon carries each discount on, and until when. PURE.
//!
//! A coupon begins to count where it is redeemed. Whatever its own length, the new subscription has it on exactly the
//! bills that the old discount had left: where the coupon would last longer, a phase drops it.

use chrono::{DateTime, Months, Utc};

use super::{Building, Trouble};
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::subscriptions::facts::{Coupon, Discount};

/// A discount that goes on.
pub(super) struct Carried {
    /// Coupon of the new account.
    pub(super) coupon: String,
    /// Bills from here on are without it, seconds; `None`: the coupon ends by itself, or never.
    pub(super) until: Option<i64>,
}

impl Building<'_> {
    /// Discounts of the subscription. Its own take the place of its customer's (facts 3.6).
    pub(super) fn own_discounts(&self, notes: &mut Vec<String>) -> Result<Vec<Carried>, Trouble> {
        let all = &self.old.discounts;
        let has_own = all.iter().any(|discount| !discount.on_customer);
        let works = all.iter().filter(|discount| !(has_own && discount.on_customer));
        self.carry(works, notes)
    }

    pub(super) fn carry<'b>(
        &self,
        discounts: impl Iterator<Item = &'b Discount>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Carried>, Trouble> {
        let mut carried = Vec::new();
        for discount in discounts {
            carried.extend(self.one(discount, notes)?);
        }
        Ok(carried)
    }

    fn one(&self, discount: &Discount, notes: &mut Vec<String>) -> Result<Option<Carried>, Trouble> {
        let id = safe(&discount.id);
        if discount.end.is_some_and(|end| end <= self.h) {
            notes.push(format!("{id}: ends before the handover, so it is not carried on"));
            return Ok(None);
        }
        let (new, coupon) = self.coupon_of(discount)?;
        let begun_before = self.old.period_end().is_some_and(|ends| ends < self.h);
        if coupon.once && begun_before {
            notes.push(format!(
                "{id}: for one bill, which the old account makes before the handover"
            ));
            return Ok(None);
        }
        let until = self.until(discount, coupon)?;
        notes.push(match until {
            Some(at) => format!(
                "{id}: {} until {}, dropped by a phase",
                safe(new),
                UtcMs::from_secs(at).day()
            ),
            None => format!("{id}: {}", safe(new)),
        });
        Ok(Some(Carried {
            coupon: new.to_owned(),
            until,
        }))
    }

    fn coupon_of(&self, discount: &Discount) -> Result<(&str, &Coupon), Trouble> {
        let key = if discount.on_customer {
            format!("{}/{}", discount.id, self.old.id)
        } else {
            discount.id.clone()
        };
        let new = self.terms.ids.get("discount", &key);
        let found = new.and_then(|new| Some((new, self.terms.world.coupons.get(new)?)));
        let usable = found.filter(|(_, coupon)| coupon.valid || !self.terms.fresh);
        usable.ok_or_else(|| {
            let why = format!(
                "discount {} of coupon {} has no valid coupon on the new account that carries it on",
                safe(&discount.id),
                safe(&discount.coupon)
            );
            Trouble::new("coupon_unmapped", why)
        })
    }

    /// The first bill without it, unless the coupon sees to that by itself.
    fn until(&self, discount: &Discount, coupon: &Coupon) -> Result<Option<i64>, Trouble> {
        if coupon.once {
            return Ok(None);
        }
        let lasts = coupon.months.map(|months| {
            let begins: Option<DateTime<Utc>> = DateTime::from_timestamp(self.h, 0);
            let ends = begins.and_then(|begins| begins.checked_add_months(Months::new(months)));
            ends.map_or(i64::MAX, |ends| ends.timestamp())
        });
        let bills = |end: i64| self.grid.between(self.h, end);
        let short = || {
            let why = format!(
                "the coupon that carries discount {} on ends sooner than the discount",
                safe(&discount.id)
            );
            Err(Trouble::new("coupon_unmapped", why))
        };
        match (discount.end, lasts) {
            (None, None) => Ok(None),
            (None, Some(_)) => short(),
            (Some(end), Some(lasts)) if bills(lasts) < bills(end) => short(),
            (Some(end), Some(lasts)) if bills(lasts) == bills(end) => Ok(None),
            (Some(end), _) => Ok(self.grid.point(self.grid.first_from(end))),
        }
    }
}
