//! From lists to the world: who is in scope, which twins there are, and what still has to be read. Nothing here asks.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Live, Mover, NewSide, Odd, OldSide, Planned, Running};
use super::{Facts, Unread};
use crate::domain::money::Currency;
use crate::stages::subscriptions::facts::{Item, Old, Person, Phase, Price, Status, Twin, World};
use crate::stages::subscriptions::read::Coupons;
use crate::stripe::wire::ScheduleStatus;

/// When it was read, and what follows for handovers; all in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now: i64,
    pub(super) earliest: i64,
    pub(super) window_ends: i64,
}

/// Lists, sorted; to be completed with what lists do not show.
pub(super) struct Found {
    pub(super) old: BTreeMap<String, Old>,
    pub(super) schedules: BTreeMap<String, Vec<Phase>>,
    pub(super) unread: BTreeMap<String, Unread>,
    pub(super) terms: Coupons,
    twins: BTreeMap<String, Vec<Twin>>,
    movers: BTreeMap<String, Mover>,
    strays: BTreeSet<String>,
    staying: BTreeMap<Currency, (u64, i64)>,
    new: Rest,
}

/// Of the new account, as it is.
struct Rest {
    people: std::collections::HashMap<String, super::account::There>,
    prices: BTreeMap<String, Price>,
    tax_rates: BTreeMap<String, crate::stages::subscriptions::facts::TaxRate>,
    coupons: BTreeMap<String, crate::stages::subscriptions::facts::Coupon>,
}

pub(super) fn sort(old: OldSide, new: NewSide) -> Found {
    let odd = [new.planned.odd.len(), new.running.odd.len()].iter().sum();
    let (twins, odd) = twins(new.planned, new.running, Vec::with_capacity(odd));
    let mut found = Found {
        old: BTreeMap::new(),
        schedules: BTreeMap::new(),
        unread: BTreeMap::new(),
        terms: old.coupons,
        twins,
        movers: old.movers,
        strays: BTreeSet::new(),
        staying: BTreeMap::new(),
        new: Rest {
            people: new.people,
            prices: new.prices,
            tax_rates: new.tax_rates,
            coupons: new.coupons,
        },
    };
    for (id, live) in old.live {
        found.take(id, live);
    }
    for odd in odd {
        found.misread(odd);
    }
    found
}

/// One list of twins, each once, oldest first. A subscription that its schedule still manages is that schedule's twin;
/// one that was let go goes on as it is now. What was let go and has ended is no twin: nothing bills any more.
fn twins(planned: Planned, running: Running, mut odd: Vec<Odd>) -> (BTreeMap<String, Vec<Twin>>, Vec<Odd>) {
    odd.extend(planned.odd);
    odd.extend(running.odd);
    let mut managed = BTreeMap::new();
    let mut all = Vec::new();
    let free: BTreeMap<String, Twin> = running
        .twins
        .into_iter()
        .filter_map(|twin| Some((twin.subscription.clone()?, twin)))
        .collect();
    for (twin, status) in planned.twins {
        let has_ended = |id: &String| !running.all.contains(id);
        let is_over = matches!(status, ScheduleStatus::Released | ScheduleStatus::Completed);
        match &twin.subscription {
            Some(id) if is_over && has_ended(id) => {}
            None if is_over => {}
            Some(id) if is_over && free.contains_key(id) => {
                managed.insert(id.clone(), twin);
            }
            Some(id) => {
                managed.insert(id.clone(), twin.clone());
                all.push(twin);
            }
            None => all.push(twin),
        }
    }
    for (id, twin) in free {
        match managed.get(&id) {
            // Its schedule stands for it.
            Some(schedule) if all.iter().any(|one| one.schedule == schedule.schedule) => {}
            Some(schedule) => all.push(Twin {
                effect: schedule.effect.clone().or(twin.effect),
                created: schedule.created,
                ..twin
            }),
            None => all.push(twin),
        }
    }
    let mut by_old: BTreeMap<String, Vec<Twin>> = BTreeMap::new();
    for twin in all {
        by_old.entry(twin.of.clone()).or_default().push(twin);
    }
    for twins in by_old.values_mut() {
        twins.sort_by(|a, b| {
            let of = |twin: &Twin| (twin.created, twin.schedule.clone(), twin.subscription.clone());
            of(a).cmp(&of(b))
        });
    }
    (by_old, odd)
}

impl Found {
    /// One subscription of the old account's list.
    fn take(&mut self, id: String, live: Live) {
        let Some(mover) = self.movers.get(&live.customer) else {
            self.stay(&live);
            return;
        };
        match live.old {
            Ok(mut old) => {
                // A subscription's own discounts take the place of its customer's (facts 3.6).
                if old.discounts.is_empty() {
                    old.discounts.extend(mover.discount.clone());
                }
                self.old.insert(id, *old);
            }
            Err(trouble) => {
                let unread = Unread {
                    customer: live.customer,
                    why: trouble.to_string(),
                };
                self.unread.insert(id, unread);
            }
        }
    }

    fn stay(&mut self, live: &Live) {
        if let Some(currency) = live.currency {
            let worth = live.old.as_ref().map_or(0, |old| worth(old));
            let (count, money) = self.staying.entry(currency).or_default();
            *count += 1;
            *money = money.saturating_add(worth);
        }
    }

    /// A twin that cannot be read: its old subscription is in no row, because another twin must not be made.
    fn misread(&mut self, odd: Odd) {
        self.old.remove(&odd.of);
        let unread = Unread {
            customer: odd.customer,
            why: odd.why,
        };
        self.unread.insert(odd.of, unread);
    }

    /// Old subscriptions that a twin names and the list does not show.
    pub(super) fn missing(&self) -> BTreeSet<String> {
        let names = self.twins.keys();
        let missing = names.filter(|id| !self.old.contains_key(*id) && !self.unread.contains_key(*id));
        let of_movers = missing.filter(|id| self.has_mover(id));
        of_movers.cloned().collect()
    }

    fn has_mover(&self, old: &str) -> bool {
        let twins = self.twins.get(old).into_iter().flatten();
        twins
            .into_iter()
            .any(|twin| self.movers.contains_key(&twin.customer))
    }

    /// One that was asked for because a twin names it. Of somebody out of scope it stays a stray.
    pub(super) fn found(&mut self, old: Old) {
        if self.movers.contains_key(&old.customer) {
            self.old.insert(old.id.clone(), old);
        }
    }

    /// One whose answer could not be read, with whose it is.
    pub(super) fn not_read(&mut self, id: String, customer: String, why: String) {
        self.unread.insert(id, Unread { customer, why });
    }

    /// Subscriptions with items that were not shown.
    pub(super) fn cut(&self) -> Vec<String> {
        let cut = self.old.values().filter(|old| old.items_cut);
        cut.map(|old| old.id.clone()).collect()
    }

    /// All items of one of them.
    pub(super) fn whole(&mut self, id: &str, items: Vec<Item>) {
        if let Some(old) = self.old.get_mut(id) {
            old.items = items;
            old.items_cut = false;
        }
    }

    /// Schedules of the old account that manage a subscription in scope.
    pub(super) fn managing(&self) -> BTreeSet<String> {
        let live = self.old.values().filter(|old| old.status != Status::Ended);
        live.filter_map(|old| old.schedule.clone()).collect()
    }

    /// Whether a price was not shown in the currency its subscription bills in.
    pub(super) fn lacks_currencies(&self) -> bool {
        self.old
            .values()
            .any(|old| old.items.iter().any(|item| lacks(old, item)))
    }

    /// The same prices with all their currencies.
    pub(super) fn with_currencies(&mut self, prices: &BTreeMap<String, Price>) {
        for old in self.old.values_mut() {
            let currency = old.currency;
            for item in &mut old.items {
                let listed = prices.get(&item.price.id);
                let amount = listed.and_then(|price| price.unit.get(&currency));
                if let Some(amount) = amount {
                    item.price.unit.entry(currency).or_insert_with(|| amount.clone());
                }
            }
        }
    }

    pub(super) fn finish(mut self, times: Times) -> Facts {
        let mut twins = BTreeMap::new();
        for (of, found) in std::mem::take(&mut self.twins) {
            if self.unread.contains_key(&of) {
                continue;
            }
            if self.old.contains_key(&of) {
                twins.insert(of, found);
            } else {
                self.strays.insert(of);
            }
        }
        let people = self.people();
        let world = World {
            old: self.old,
            old_schedules: self.schedules,
            twins,
            people,
            prices: self.new.prices,
            tax_rates: self.new.tax_rates,
            coupons: self.new.coupons,
            previews: BTreeMap::new(),
            staying: self.staying,
            strays: self.strays,
            now: times.now,
            earliest: times.earliest,
            window_ends: times.window_ends,
        };
        Facts {
            world,
            unread: self.unread,
            not_asked: None,
        }
    }

    fn people(&self) -> BTreeMap<String, Person> {
        let who: BTreeSet<&String> = self.old.values().map(|old| &old.customer).collect();
        let one = |id: &String| {
            let mover = self.movers.get(id)?;
            let there = self.new.people.get(id);
            let has = there.copied().unwrap_or_default();
            let person = Person {
                label: mover.label.clone(),
                old_default: mover.default.clone(),
                arrived: there.is_some(),
                default_there: has.default,
                email_there: has.email,
                address_there: has.address,
                currency_there: has.currency,
            };
            Some((id.clone(), person))
        };
        who.into_iter().filter_map(one).collect()
    }
}

fn lacks(old: &Old, item: &Item) -> bool {
    let price = &item.price;
    !price.unit.contains_key(&old.currency) && price.currency != old.currency && !price.by_steps
}

/// What one period of it costs without discounts and taxes, minor units; 0 for what arithmetic cannot say.
fn worth(old: &Old) -> i64 {
    let of = |item: &Item| {
        let digits = item.price.unit.get(&old.currency)?;
        let quantity = i128::from(item.quantity.unwrap_or(1));
        let exact = picos(digits)?.checked_mul(quantity)?;
        i64::try_from((exact.checked_add(PICO / 2)?).div_euclid(PICO)).ok()
    };
    let items = old.items.iter().filter_map(of);
    items.fold(0, i64::saturating_add)
}

/// Stripe sends up to twelve decimal places of a minor unit.
const PICO: i128 = 1_000_000_000_000;

/// `1.5` is 1 500 000 000 000.
fn picos(digits: &str) -> Option<i128> {
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{part:0<12}");
    let whole: i128 = whole.parse().ok()?;
    let part: i128 = padded.get(..12)?.parse().ok()?;
    let part = if digits.starts_with('-') { -part } else { part };
    whole.checked_mul(PICO)?.checked_add(part)
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
