//! The judgement over coupons, codes and running discounts, by rules of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::billing::Subscription;
use super::bills::Bills;
use super::pool_count::{ENDLESS, words};
use super::pools::{Code, Coupon, Discount, On};
use super::verdict::{Violation, rule, violation};
use super::watch_pools::{OldCode, Pool, PoolWatch, too_many};
use super::world::Account;

/// What a run says it decided and did about coupons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolClaims {
    /// Ids of coupons it says are on the new account.
    pub coupons: BTreeSet<String>,
    /// Ids of old codes it says have one on the new account.
    pub codes: BTreeSet<String>,
    /// Discounts it says are carried on.
    pub discounts: Vec<CarryClaim>,
    /// Ids of old coupons and codes a person decided about.
    pub decided: BTreeSet<String>,
    /// How many uses a person set for the new account, by id of the old coupon or code.
    pub left: BTreeMap<String, i64>,
}

/// A running discount that a run says it carries on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryClaim {
    /// Its id on the old account.
    pub discount: String,
    /// The subscription it works on.
    pub subscription: String,
    /// The coupon on the new account.
    pub coupon: String,
    /// When a phase of the new subscription has to drop it, seconds.
    pub until: Option<i64>,
    /// The new subscription is backdated to where the current period began; otherwise it begins with its first bill.
    pub backdated: bool,
}

/// Judges both accounts, the old one first. Without claims, what only a claim can tell is passed over.
pub(crate) fn judge(
    accounts: [&Account; 2],
    watch: &PoolWatch,
    claims: Option<&PoolClaims>,
    began: i64,
) -> Vec<Violation> {
    let nothing = PoolClaims::default();
    let judge = Judge {
        old: accounts[0],
        new: accounts[1],
        watch,
        told: claims.is_some(),
        claims: claims.unwrap_or(&nothing),
        began,
    };
    let mut found = watch.violations.clone();
    found.extend(watch.pools.values().flat_map(|pool| judge.uses(pool)));
    found.extend(
        watch
            .codes
            .iter()
            .flat_map(|(slot, known)| judge.old_code(*slot, known)),
    );
    found.extend(
        watch
            .coupons_made
            .iter()
            .filter_map(|slot| judge.coupon_made(*slot)),
    );
    found.extend(watch.codes_made.iter().filter_map(|slot| judge.code_made(*slot)));
    found.extend(judge.carried_twice());
    found.extend(
        judge
            .claims
            .coupons
            .iter()
            .filter_map(|id| judge.coupon_there(id)),
    );
    found.extend(
        judge
            .claims
            .discounts
            .iter()
            .filter_map(|claim| judge.carried(claim)),
    );
    found
}

struct Judge<'a> {
    old: &'a Account,
    new: &'a Account,
    watch: &'a PoolWatch,
    /// Whether the run said anything.
    told: bool,
    claims: &'a PoolClaims,
    /// When the night began, seconds.
    began: i64,
}

impl Judge<'_> {
    fn uses(&self, pool: &Pool) -> Vec<Violation> {
        let given = self.claims.left.get(&*pool.id).copied();
        let coupon = too_many(&pool.id, &format!("coupon {}", pool.id), &pool.uses, given);
        let lines = pool.lines.iter().filter_map(|(line, uses)| {
            let own = self.set_for(pool, line);
            // A person who gave the coupon more gave it to its codes.
            let given = own.or(given.map(|n| n.max(uses.left)));
            too_many(
                &pool.id,
                &format!("code {} of coupon {}", line.0, pool.id),
                uses,
                given,
            )
        });
        coupon.into_iter().chain(lines).collect()
    }

    /// What a person set for a code of that text and customer.
    fn set_for(&self, pool: &Pool, line: &(String, Option<Box<str>>)) -> Option<i64> {
        let codes = self.old.pools.codes();
        let of_line = |(slot, known): (&u32, &OldCode)| {
            let code = codes.at(*slot).filter(|_| known.line == *line)?;
            let same_pool = self.watch.pools.get(&known.pool).is_some_and(|p| p.id == pool.id);
            self.claims.left.get(&*code.id).copied().filter(|_| same_pool)
        };
        if self.claims.left.is_empty() {
            return None;
        }
        self.watch.codes.iter().find_map(of_line)
    }

    fn decided(&self, code: &Code, known: &OldCode) -> bool {
        let pool = self.watch.pools.get(&known.pool);
        self.claims.decided.contains(&*code.id) || pool.is_some_and(|p| self.claims.decided.contains(&*p.id))
    }

    fn old_code(&self, slot: u32, known: &OldCode) -> Vec<Violation> {
        let Some(code) = self.old.pools.codes().at(slot) else {
            return Vec::new();
        };
        let decided = self.decided(code, known);
        let mut found = Vec::new();
        if let Some(by) = known.touched.as_ref().filter(|_| self.told && !decided) {
            let reason = format!(
                "code {} is not only for one who moves, and nobody decided about it {by}",
                code.text
            );
            found.push(violation(&code.id, rule::STAYERS_CODE, reason));
        }
        if let Some(by) = &known.beside
            && !(decided && self.is_endless(known))
        {
            let reason = format!("code {} was alive on both accounts {by}", code.text);
            found.push(violation(&code.id, rule::CODE_ON_BOTH, reason));
        }
        found.extend(self.lost(code, known, decided));
        found
    }

    fn is_endless(&self, known: &OldCode) -> bool {
        let pool = self.watch.pools.get(&known.pool);
        let uses = pool.and_then(|pool| pool.lines.get(&known.line));
        uses.is_some_and(|uses| uses.left >= ENDLESS)
    }

    /// An old code the run is done with, that had something left and has no successor.
    fn lost(&self, code: &Code, known: &OldCode, decided: bool) -> Option<Violation> {
        if !self.claims.codes.contains(&*code.id) || !known.live || !known.closed {
            return None;
        }
        let now = self.old.now.max(self.new.now);
        let pool = self.watch.pools.get(&known.pool)?;
        let left = self.old.pools.dead(code, now).is_none();
        let heirs = self.new.pools.with_text(&code.text);
        let heir = |slot: &u32| {
            let new = self.new.pools.codes().at(*slot);
            new.is_some_and(|new| new.on && new.customer == code.customer && self.is_of(new, &pool.id))
        };
        // A decision may have given the rest to somebody else: then the coupon has nothing for it either.
        let coupon = self.new.pools.coupons().get(&pool.id);
        let given_away = decided && coupon.is_none_or(|coupon| coupon.dead(now).is_some());
        (left && !given_away && !heirs.iter().any(heir)).then(|| {
            let reason = format!(
                "code {} is off on the old account with uses left, and none stands for it on the new one",
                code.text
            );
            violation(&code.id, rule::LOST, reason)
        })
    }

    fn is_of(&self, code: &Code, pool: &str) -> bool {
        let coupon = self.new.pools.coupons().at(code.coupon);
        coupon.is_some_and(|c| &*c.id == pool || c.metadata.get("cutover_of") == Some(pool))
    }

    /// One said to be there, unless nothing was left of it in the end.
    fn coupon_there(&self, id: &str) -> Option<Violation> {
        let old = self.old.pools.coupons().get(id);
        if self.claims.decided.contains(id) || old.is_none_or(|c| c.dead(self.old.now).is_some()) {
            return None;
        }
        self.new.pools.coupons().get(id).is_none().then(|| {
            let reason = "is said to be on the new account, but is not there".to_owned();
            violation(id, rule::LOST, reason)
        })
    }

    /// The terms of a coupon the run made: those of the old one, or of the discount it carries on.
    fn coupon_made(&self, slot: u32) -> Option<Violation> {
        let made = self.new.pools.coupons().at(slot)?;
        let old = self.watch.pool_of(self.new, slot);
        let slot = old.or_else(|| Some(self.discount_of(made)?.coupon));
        let of = slot.and_then(|slot| self.old.pools.coupons().at(slot));
        let differs = match of {
            None => Some("is made of nothing on the old account".to_owned()),
            Some(of) => self.coupon_differs(of, made, old.is_none()),
        };
        differs.map(|reason| violation(&made.id, rule::WIDER, reason))
    }

    /// The discount a coupon of the new account carries on, by its marker or, failing that, its id.
    fn discount_of(&self, made: &Coupon) -> Option<&Discount> {
        let of = made.metadata.get("cutover_of").unwrap_or_default();
        let discounts = self.old.pools.discounts();
        let by_id = || discounts.rows().iter().find(|d| made.id.contains(&*d.id));
        discounts.get(of).or_else(by_id)
    }

    fn coupon_differs(&self, old: &Coupon, new: &Coupon, carries: bool) -> Option<String> {
        if old.off != new.off {
            return Some(format!("takes off {:?} instead of {:?}", new.off, old.off));
        }
        if !self.same_products(old, new) {
            return Some(format!(
                "applies to {:?}, which is not what {:?} became",
                new.applies_to, old.applies_to
            ));
        }
        if carries {
            let max = new.max;
            return (max != Some(1))
                .then(|| format!("carries one discount, and is limited to {max:?} instead of 1"));
        }
        if old.lasts != new.lasts {
            return Some(format!("lasts {:?} instead of {:?}", new.lasts, old.lasts));
        }
        let decided = !self.told || self.claims.decided.contains(&*old.id);
        if old.max.is_none() && new.max.is_some() && !decided {
            return Some("has a limit that the old one had not".to_owned());
        }
        (old.redeem_by != new.redeem_by)
            .then(|| format!("ends at {:?} instead of {:?}", new.redeem_by, old.redeem_by))
    }

    /// Whether the new coupon is for the counterparts of the old one's products: of the same id, or marked as made of it.
    fn same_products(&self, old: &Coupon, new: &Coupon) -> bool {
        let origin = |id: &str| {
            let product = self.new.catalogue.products.get(id);
            let of = product.and_then(|p| p.metadata.get("cutover_of"));
            of.unwrap_or(id).to_owned()
        };
        let became: BTreeSet<String> = new.applies_to.iter().map(|id| origin(id)).collect();
        let was: BTreeSet<String> = old.applies_to.iter().map(ToString::to_string).collect();
        became == was && old.applies_to.len() == new.applies_to.len()
    }

    fn code_made(&self, slot: u32) -> Option<Violation> {
        let new = self.new.pools.codes().at(slot)?;
        let of = new.metadata.get("cutover_of").unwrap_or_default();
        let differs = match self.old.pools.codes().get(of) {
            None => Some("is made of no code of the old account".to_owned()),
            Some(old) => self.code_differs(old, new),
        };
        differs.map(|reason| violation(&new.id, rule::WIDER, format!("code {}: {reason}", new.text)))
    }

    fn code_differs(&self, old: &Code, new: &Code) -> Option<String> {
        let pool = self.old.pools.coupons().at(old.coupon);
        if pool.is_none_or(|pool| !self.is_of(new, &pool.id)) {
            return Some("leads to another coupon".to_owned());
        }
        if old.customer != new.customer {
            let who = |code: &Code| code.customer.as_deref().unwrap_or("everybody").to_owned();
            return Some(format!("is for {} instead of {}", who(new), who(old)));
        }
        if old.text != new.text {
            return Some(format!("was {}", old.text));
        }
        if old.restrictions != new.restrictions {
            return Some(format!(
                "asks for {:?} instead of {:?}",
                new.restrictions, old.restrictions
            ));
        }
        // One that ended with its coupon may say so itself.
        let end = |code: &Code, coupon: Option<&Coupon>| {
            let both = [code.expires_at, coupon.and_then(|c| c.redeem_by)];
            both.into_iter().flatten().min()
        };
        let (was, is) = (end(old, pool), end(new, self.new.pools.coupons().at(new.coupon)));
        (was != is).then(|| format!("ends at {is:?} instead of {was:?}"))
    }

    /// Discounts with more coupons to carry them on than subscriptions to work on.
    fn carried_twice(&self) -> Vec<Violation> {
        let mut carriers: BTreeMap<&str, usize> = BTreeMap::new();
        for slot in &self.watch.coupons_made {
            let made = self.new.pools.coupons().at(*slot).filter(|c| !c.deleted);
            let made = made.filter(|_| self.watch.pool_of(self.new, *slot).is_none());
            if let Some(discount) = made.and_then(|made| self.discount_of(made)) {
                *carriers.entry(&discount.id).or_default() += 1;
            }
        }
        let twice = carriers
            .into_iter()
            .filter(|(id, count)| *count > self.works_on(id));
        twice
            .map(|(id, count)| violation(id, rule::MADE_TWICE, format!("is carried on by {count} coupons")))
            .collect()
    }

    /// Subscriptions a discount works on.
    fn works_on(&self, discount: &str) -> usize {
        let discount = self.old.pools.discounts().get(discount);
        match discount.map(|d| (d.on, d.customer)) {
            Some((On::Customer, owner)) => {
                let all = self.old.billing.subscriptions.rows().iter();
                // One that was handed over ends here, and its discount goes on there.
                let ended = |s: &&Subscription| s.ended.is_some_and(|at| at < self.began);
                all.filter(|s| s.customer == owner && !ended(s)).count()
            }
            _ => 1,
        }
    }

    fn carried(&self, claim: &CarryClaim) -> Option<Violation> {
        let wrong = self.carry_differs(claim)?;
        Some(violation(&claim.discount, rule::CARRY_LENGTH, wrong))
    }

    fn carry_differs(&self, claim: &CarryClaim) -> Option<String> {
        let discount = self.old.pools.discounts().get(&claim.discount);
        let subscription = self.old.billing.subscriptions.get(&claim.subscription);
        let (Some(discount), Some(subscription)) = (discount, subscription) else {
            return Some(format!("or {} is not on the old account", claim.subscription));
        };
        // What is handed over bills on the new account by now, and every bill of it is judged there.
        let moved_on = subscription.period.0 >= self.began || subscription.ended.is_some();
        if moved_on || subscription.metadata.get("cutover_handover").is_some() {
            return None;
        }
        let Some(coupon) = self.new.pools.coupons().get(&claim.coupon) else {
            return Some(format!(
                "is said to be carried on by {}, which is not there",
                claim.coupon
            ));
        };
        if self.discount_of(coupon).is_none_or(|of| of.id != discount.id) {
            return Some(format!(
                "is said to be carried on by {}, which is not its own",
                claim.coupon
            ));
        }
        let (was, is) = self.invoices(discount, subscription, coupon, claim)?;
        (was != is).then(|| {
            let coupon = &claim.coupon;
            format!(
                "has {} discounted bills left, and {} by {coupon}",
                words(was),
                words(is)
            )
        })
    }

    /// Discounted bills that were left, and those by the new coupon; `None` where the simulator cannot tell.
    fn invoices(
        &self,
        discount: &Discount,
        subscription: &Subscription,
        coupon: &Coupon,
        claim: &CarryClaim,
    ) -> Option<(i64, i64)> {
        let bills = Bills::of(self.old, subscription)?;
        let lasts = self.old.pools.coupons().at(discount.coupon)?.lasts;
        let was = bills.reached(lasts, discount.end);
        let begins = if claim.backdated {
            Some(bills.period_start)
        } else {
            bills.first()
        };
        let is = begins.map_or(0, |start| bills.reached_by(coupon.lasts, start, claim.until));
        Some((was, is))
    }
}
