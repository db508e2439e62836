//! Phases from the handover on: of the subscription as it is now, cut where a coupon is dropped; then those its old
//! schedule still has. PURE.

use std::collections::BTreeSet;

use super::discounts::Carried;
use super::{Building, MIXED, Trouble};
use crate::domain::text::safe;
use crate::stages::subscriptions::classes::ends_by_itself;
use crate::stages::subscriptions::facts::{Item, Phase, PhaseItem};
use crate::stages::subscriptions::handover;

type Notes = Vec<String>;

impl Building<'_> {
    pub(super) fn phases(&self) -> Result<(Vec<Phase>, Notes), Trouble> {
        let mut notes = Notes::new();
        let ends = ends_by_itself(self.old).filter(|ends| *ends > self.h);
        let Some(schedule) = &self.old.schedule else {
            return Ok((self.as_now(ends, &mut notes)?, notes));
        };
        let unread = || {
            let why = format!("schedule {} manages it and could not be read", safe(schedule));
            Trouble::new("schedule_beyond", why)
        };
        let old = self.terms.world.old_schedules.get(schedule).ok_or_else(unread)?;
        let phases = self.of_schedule(old, ends, &mut notes)?;
        notes.push(format!(
            "schedule {}: {} phases from the handover on",
            safe(schedule),
            phases.len()
        ));
        Ok((phases, notes))
    }

    /// What runs now, until `end`.
    fn as_now(&self, end: Option<i64>, notes: &mut Notes) -> Result<Vec<Phase>, Trouble> {
        let whole = self.own_discounts(notes)?;
        let mut items = Vec::with_capacity(self.old.items.len());
        for item in &self.old.items {
            items.push((self.item(item)?, self.carry(item.discounts.iter(), notes)?));
        }
        let base = Phase {
            start: self.h,
            end,
            items: Vec::new(),
            coupons: Vec::new(),
            tax_rates: self.terms.tax_rates(&self.old.tax_rates)?,
            automatic_tax: self.old.automatic_tax,
            collection: Some(self.old.collection),
            method: self.method.clone(),
            currency: self.old.currency,
            beyond: None,
        };
        Ok(cut(&base, &whole, &items))
    }

    fn item(&self, item: &Item) -> Result<PhaseItem, Trouble> {
        Ok(PhaseItem {
            price: self.terms.price(&item.price, self.old.currency)?,
            quantity: item.quantity,
            coupons: Vec::new(),
            tax_rates: self.terms.tax_rates(&item.tax_rates)?,
        })
    }

    /// The phases of the old schedule that are not over at the handover. The one that runs now is the subscription as it
    /// is; the others are as the schedule says.
    fn of_schedule(
        &self,
        old: &[Phase],
        ends: Option<i64>,
        notes: &mut Notes,
    ) -> Result<Vec<Phase>, Trouble> {
        let beyond = |why: String| Trouble::new("schedule_beyond", why);
        let left = old
            .iter()
            .filter(|phase| phase.end.is_none_or(|end| end > self.h));
        let now = self.terms.world.now;
        let mut phases: Vec<Phase> = Vec::new();
        for phase in left {
            if let Some(what) = &phase.beyond {
                return Err(beyond(format!("a phase of its schedule has {}", safe(what))));
            }
            let end = match (phase.end, ends) {
                (Some(end), Some(ends)) => Some(end.min(ends)),
                (end, ends) => end.or(ends),
            };
            if end.is_some_and(|end| end <= phase.start.max(self.h)) {
                continue;
            }
            if phase.start <= now {
                phases.extend(self.as_now(end, notes)?);
            } else {
                phases.push(self.future(phase, end)?);
            }
        }
        if phases.is_empty() {
            return Err(beyond("its schedule has no phase after the handover".to_owned()));
        }
        self.on_grid(&phases)?;
        Ok(phases)
    }

    /// A phase that has not begun: its coupons begin with it, so they are the shared ones.
    fn future(&self, phase: &Phase, end: Option<i64>) -> Result<Phase, Trouble> {
        let items = phase.items.iter().map(|item| {
            let price = self.terms.known_price(&item.price, phase.currency)?;
            Ok(PhaseItem {
                price: price.id.clone(),
                quantity: item.quantity,
                coupons: self.shared(&item.coupons)?,
                tax_rates: self.terms.tax_rates(&item.tax_rates)?,
            })
        });
        let method = match &phase.method {
            Some(own) if self.old.method.as_ref() == Some(own) => self.method.clone(),
            Some(own) => {
                let new = self.terms.ids.get("payment_method", own);
                let gone = || Trouble::new("method_absent", "a phase has a method that was not copied");
                Some(new.ok_or_else(gone)?.to_owned())
            }
            None => self.method.clone(),
        };
        Ok(Phase {
            start: phase.start.max(self.h),
            end,
            items: items.collect::<Result<_, Trouble>>()?,
            coupons: self.shared(&phase.coupons)?,
            tax_rates: self.terms.tax_rates(&phase.tax_rates)?,
            automatic_tax: phase.automatic_tax,
            collection: phase.collection.or(Some(self.old.collection)),
            method,
            currency: phase.currency,
            beyond: None,
        })
    }

    fn shared(&self, coupons: &[String]) -> Result<Vec<String>, Trouble> {
        coupons
            .iter()
            .map(|old| {
                let new = self.terms.ids.get("coupon", old);
                let usable = new.filter(|new| {
                    let there = self.terms.world.coupons.get(*new);
                    there.is_some_and(|coupon| coupon.valid || !self.terms.fresh)
                });
                usable.map(str::to_owned).ok_or_else(|| {
                    let why = format!(
                        "coupon {} of a later phase is not valid on the new account",
                        safe(old)
                    );
                    Trouble::new("coupon_unmapped", why)
                })
            })
            .collect()
    }

    /// A phase that begins in the middle of a period, or in another currency, bills in a way nobody has described.
    fn on_grid(&self, phases: &[Phase]) -> Result<(), Trouble> {
        let beyond = |why: &str| Err(Trouble::new("schedule_beyond", why));
        let mut grid = self.grid;
        for (at, phase) in phases.iter().enumerate() {
            let rhythms: BTreeSet<_> = phase.items.iter().map(|item| self.rhythm(&item.price)).collect();
            let [Some(rhythm)] = rhythms.into_iter().collect::<Vec<_>>()[..] else {
                return Err(Trouble::new("mixed_periods", MIXED));
            };
            let before = at.checked_sub(1).map(|before| &phases[before]);
            if before.is_some_and(|before| before.end != Some(phase.start)) {
                return beyond("its schedule has a gap between two phases");
            }
            if phase.currency != self.old.currency {
                return beyond("a phase of its schedule bills in another currency");
            }
            let is_first = before.is_none();
            let of_phase = handover::grid(phase.start, rhythm).filter(|other| other.step() != grid.step());
            if is_first && of_phase.is_some() {
                return beyond("its schedule changes how often it bills before the handover");
            }
            if grid.at(phase.start).is_none() {
                return beyond("a phase of its schedule begins in the middle of a period");
            }
            grid = of_phase.unwrap_or(grid);
        }
        Ok(())
    }

    fn rhythm(&self, price: &str) -> Option<crate::stages::subscriptions::facts::Rhythm> {
        self.terms.world.prices.get(price)?.rhythm
    }
}

/// `base` in pieces, each with the coupons that still hold in it.
fn cut(base: &Phase, whole: &[Carried], items: &[(PhaseItem, Vec<Carried>)]) -> Vec<Phase> {
    let of_items = items.iter().flat_map(|(_, carried)| carried);
    let inside = |at: &i64| *at > base.start && base.end.is_none_or(|end| *at < end);
    let drops = whole.iter().chain(of_items).filter_map(|carried| carried.until);
    let drops: BTreeSet<i64> = drops.filter(inside).collect();
    let starts: Vec<i64> = std::iter::once(base.start).chain(drops).collect();
    let holding = |carried: &[Carried], start: i64| -> Vec<String> {
        let holds = carried
            .iter()
            .filter(|one| one.until.is_none_or(|until| until > start));
        holds.map(|one| one.coupon.clone()).collect()
    };
    let piece = |(at, start): (usize, &i64)| Phase {
        start: *start,
        end: starts.get(at + 1).copied().or(base.end),
        items: items
            .iter()
            .map(|(item, carried)| PhaseItem {
                coupons: holding(carried, *start),
                ..item.clone()
            })
            .collect(),
        coupons: holding(whole, *start),
        ..base.clone()
    };
    starts.iter().enumerate().map(piece).collect()
}
