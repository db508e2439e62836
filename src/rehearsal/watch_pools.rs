//! Watches the coupons of both accounts at every change: whether more could be redeemed on both together than was left
//! when the night began (of each coupon, and of each code by its text and customer), and whose codes were written to.
//!
//! On the old account only codes count, since the application applies nothing that night; on the new one a coupon counts
//! as a whole, as soon as the run made it or a code of it. What others do by hand is not laid to the run: codes they
//! open do not count, and a use of the old coupon without a code, after the last of its codes was closed, is allowed for.

use std::collections::{BTreeMap, BTreeSet};

use super::call::Pooled;
use super::pool_count::{Half, add, words};
use super::pools::Discount;
use super::verdict::{Violation, rule, violation};
use super::watch::Change;
use super::world::{Account, By, Role, Side};

/// A code by its text in lower case and its customer.
type Line = (String, Option<Box<str>>);

/// The most that was ever possible, and the change that made it so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Most {
    pub(crate) count: i64,
    pub(crate) by: String,
}

impl Most {
    fn see(&mut self, count: i64, by: &str) {
        if count > self.count {
            (self.count, self.by) = (count, by.to_owned());
        }
    }
}

/// Uses of a coupon, or of a code of one text and customer, on both accounts.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// What was left when the night began.
    pub(crate) left: i64,
    redeemed: [i64; 2],
    /// Redeemed and redeemable on both accounts together, and on the new one alone.
    pub(crate) both: Most,
    pub(crate) new: Most,
}

impl Uses {
    fn see(&mut self, redeemable: [i64; 2], forgiven: i64, by: &str) {
        let [old, new] = redeemable;
        let of_new = add(self.redeemed[1], new);
        self.new.see(of_new, by);
        self.both
            .see(add(add(self.redeemed[0] - forgiven, old), of_new), by);
    }
}

/// A code of the old account as the night began.
#[derive(Debug)]
pub(crate) struct OldCode {
    pub(crate) pool: u32,
    pub(crate) line: Line,
    /// Whether something could be redeemed through it.
    pub(crate) live: bool,
    /// The run switched it off, and nobody on again.
    pub(crate) closed: bool,
    /// The change by which the run wrote to it without asking whose it is: everybody's, or an absent customer's.
    pub(crate) touched: Option<String>,
    /// The change after which it and its new one were alive.
    pub(crate) beside: Option<String>,
}

/// A coupon of the old account with all its codes.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) id: Box<str>,
    pub(crate) uses: Uses,
    pub(crate) lines: BTreeMap<Line, Uses>,
    /// Slots of codes by line, on each account.
    slots: [BTreeMap<Line, Vec<u32>>; 2],
    halves: [Half; 2],
    /// Codes of the old account that others made or opened tonight.
    by_hand: BTreeSet<u32>,
    /// Uses without a code since the last of its codes was closed.
    direct: i64,
}

impl Pool {
    fn see(&mut self, line: Option<&Line>, now: i64, by: &str) {
        let [old, new] = &mut self.halves;
        let redeemable = [old.through_codes(now), new.of_coupons(now)];
        self.uses.see(redeemable, self.direct, by);
        let Some(line) = line else { return };
        let through = [0, 1].map(|side: usize| self.through(side, line, now));
        self.lines.entry(line.clone()).or_default().see(through, 0, by);
    }

    fn through(&self, side: usize, line: &Line, now: i64) -> i64 {
        let slots = self.slots[side].get(line).map(Vec::as_slice).unwrap_or_default();
        let all = slots.iter().map(|slot| self.halves[side].through(*slot, now));
        all.fold(0, add)
    }

    fn place(&mut self, side: usize, line: &Line, slot: u32) {
        let slots = self.slots[side].entry(line.clone()).or_default();
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
}

/// What is watched.
#[derive(Default)]
pub(crate) struct PoolWatch {
    /// By slot of the old coupon.
    pub(crate) pools: BTreeMap<u32, Pool>,
    /// By slot, on the old account.
    pub(crate) codes: BTreeMap<u32, OldCode>,
    /// Slots of old coupons by id; of several, the one that is not deleted.
    by_id: BTreeMap<Box<str>, u32>,
    /// Coupons and codes of the new account that the run made, by slot.
    pub(crate) coupons_made: BTreeSet<u32>,
    pub(crate) codes_made: BTreeSet<u32>,
    pub(crate) violations: Vec<Violation>,
}

impl PoolWatch {
    /// Takes what is left when the night begins.
    pub(crate) fn baseline(&mut self, source: &Account) {
        let pools = &source.pools;
        for (slot, coupon) in (0_u32..).zip(pools.coupons().rows()) {
            if !coupon.deleted || !self.by_id.contains_key(&coupon.id) {
                self.by_id.insert(coupon.id.clone(), slot);
            }
            let mut pool = Pool {
                id: coupon.id.clone(),
                ..Pool::default()
            };
            pool.halves[0].coupon(slot, coupon);
            pool.uses.left = pool.halves[0].of_coupons(source.now);
            self.pools.insert(slot, pool);
        }
        for (slot, code) in (0_u32..).zip(pools.codes().rows()) {
            let Some(pool) = self.pools.get_mut(&code.coupon) else {
                continue;
            };
            // One that an earlier run closed is as it was before.
            let earlier = code.metadata.get("cutover_effect").is_some();
            pool.halves[0].code(slot, code, code.on || earlier);
            let line = line_of(&code.text, code.customer.as_deref());
            let left = pool.halves[0].through(slot, source.now);
            pool.halves[0].code(slot, code, code.on);
            pool.place(0, &line, slot);
            let uses = pool.lines.entry(line.clone()).or_default();
            uses.left = add(uses.left, left);
            let known = OldCode {
                pool: code.coupon,
                line,
                live: left > 0,
                closed: !code.on && earlier,
                touched: None,
                beside: None,
            };
            self.codes.insert(slot, known);
        }
    }

    /// Looks at a coupon or code that was just written to or redeemed.
    pub(crate) fn changed(&mut self, account: &Account, change: &Change<'_>, written: Pooled) {
        let by = format!("({}, {})", change.what, change.request_id);
        match (written, change.side) {
            (Pooled::Coupon(slot), Side::Source) => self.old_coupon(account, slot, &by),
            (Pooled::Code(slot), Side::Source) => self.old_code(account, slot, change.by, &by),
            (Pooled::Coupon(slot), Side::Destination) => self.new_coupon(account, slot, change.by, &by),
            (Pooled::Code(slot), Side::Destination) => self.new_code(account, slot, change.by, &by),
            (Pooled::Redeemed(slot), side) => {
                if let Some(discount) = account.pools.discounts().at(slot) {
                    self.redeemed(account, side, discount, &by);
                }
            }
        }
    }

    fn old_coupon(&mut self, account: &Account, slot: u32, by: &str) {
        let coupon = account.pools.coupons().at(slot);
        if let (Some(pool), Some(coupon)) = (self.pools.get_mut(&slot), coupon) {
            pool.halves[0].coupon(slot, coupon);
            pool.see(None, account.now, by);
        }
    }

    fn old_code(&mut self, account: &Account, slot: u32, who: By, by: &str) {
        let Some(code) = account.pools.codes().at(slot) else {
            return;
        };
        let Some(pool) = self.pools.get_mut(&code.coupon) else {
            return;
        };
        let line = line_of(&code.text, code.customer.as_deref());
        pool.place(0, &line, slot);
        if who == By::Api {
            pool.by_hand.remove(&slot);
        } else if code.on {
            pool.by_hand.insert(slot);
        }
        // What was used before the last code was closed can be read after it; once the new coupon stands, nothing can.
        if who == By::Api && !code.on && pool.halves[1].is_empty() {
            pool.direct = 0;
        }
        let counts = code.on && !pool.by_hand.contains(&slot);
        pool.halves[0].code(slot, code, counts);
        pool.see(Some(&line), account.now, by);
        if let Some(known) = self.codes.get_mut(&slot) {
            known.closed = !code.on && (known.closed || who == By::Api);
        }
        if who == By::Api {
            self.written_by_run(account, slot, by);
            self.both_alive(code.coupon, &line, account.now, by);
        }
    }

    /// A code of somebody who stays is nobody's to write to; one that others can use too is a person's to decide.
    fn written_by_run(&mut self, account: &Account, slot: u32, by: &str) {
        let Some(code) = account.pools.codes().at(slot) else {
            return;
        };
        let role = |id: &str| account.customers.get(id).map(|c| c.role);
        let owner = code.customer.as_deref().map(role);
        if owner == Some(Some(Role::Stayer)) {
            let reason = format!("the code {} of somebody who stays was written to {by}", code.text);
            self.violations
                .push(violation(&code.id, rule::STAYERS_CODE, reason));
        } else if owner != Some(Some(Role::Mover)) {
            // Of one made anew, the one it stands for was asked about.
            if let Some(known) = self.codes.get_mut(&slot) {
                known.touched.get_or_insert_with(|| by.to_owned());
            }
        }
    }

    /// The pool a coupon of the new account belongs to.
    pub(crate) fn pool_of(&self, account: &Account, slot: u32) -> Option<u32> {
        let coupon = account.pools.coupons().at(slot)?;
        let of = coupon.metadata.get("cutover_of");
        let by_mark = of.and_then(|id| self.by_id.get(id));
        by_mark.or_else(|| self.by_id.get(&coupon.id)).copied()
    }

    fn new_coupon(&mut self, account: &Account, slot: u32, who: By, by: &str) {
        if who == By::Api {
            self.coupons_made.insert(slot);
        }
        let Some(coupon) = account.pools.coupons().at(slot) else {
            return;
        };
        let key = self.pool_of(account, slot);
        let Some(pool) = key.and_then(|key| self.pools.get_mut(&key)) else {
            return;
        };
        if who == By::Api || pool.halves[1].has_coupon(slot) {
            pool.halves[1].coupon(slot, coupon);
            pool.see(None, account.now, by);
        }
    }

    fn new_code(&mut self, account: &Account, slot: u32, who: By, by: &str) {
        let Some(code) = account.pools.codes().at(slot) else {
            return;
        };
        if who == By::Api {
            self.codes_made.insert(slot);
        }
        if !self.codes_made.contains(&slot) {
            return;
        }
        let Some(key) = self.pool_of(account, code.coupon) else {
            return;
        };
        let coupon = account.pools.coupons().at(code.coupon);
        if let (Some(pool), Some(coupon)) = (self.pools.get_mut(&key), coupon) {
            let line = line_of(&code.text, code.customer.as_deref());
            pool.halves[1].coupon(code.coupon, coupon);
            pool.halves[1].code(slot, code, code.on);
            pool.place(1, &line, slot);
            pool.see(Some(&line), account.now, by);
            self.both_alive(key, &line, account.now, by);
        }
    }

    /// Notes an old code that is alive although its new one is.
    fn both_alive(&mut self, key: u32, line: &Line, now: i64, by: &str) {
        let Some(pool) = self.pools.get(&key).filter(|pool| pool.through(1, line, now) > 0) else {
            return;
        };
        let old = pool.slots[0].get(line).map(Vec::as_slice).unwrap_or_default();
        for slot in old.iter().filter(|slot| pool.halves[0].through(**slot, now) > 0) {
            if let Some(known) = self.codes.get_mut(slot) {
                known.beside.get_or_insert_with(|| by.to_owned());
            }
        }
    }

    fn redeemed(&mut self, account: &Account, side: Side, discount: &Discount, by: &str) {
        let at = side.index();
        let key = match side {
            Side::Source => Some(discount.coupon),
            Side::Destination => self.pool_of(account, discount.coupon),
        };
        let Some(pool) = key.and_then(|key| self.pools.get_mut(&key)) else {
            return;
        };
        if !pool.halves[at].has_coupon(discount.coupon) {
            return;
        }
        if let Some(coupon) = account.pools.coupons().at(discount.coupon) {
            pool.halves[at].coupon(discount.coupon, coupon);
        }
        pool.uses.redeemed[at] += 1;
        let counts = |slot: &u32| match side {
            Side::Source => !pool.by_hand.contains(slot),
            Side::Destination => self.codes_made.contains(slot),
        };
        let through = discount.code.filter(counts);
        let code = through.and_then(|slot| Some((slot, account.pools.codes().at(slot)?)));
        let Some((slot, code)) = code else {
            pool.direct += i64::from(at == 0);
            pool.see(None, account.now, by);
            return;
        };
        let line = line_of(&code.text, code.customer.as_deref());
        pool.halves[at].code(slot, code, code.on);
        pool.lines.entry(line.clone()).or_default().redeemed[at] += 1;
        pool.see(Some(&line), account.now, by);
    }
}

fn line_of(text: &str, customer: Option<&str>) -> Line {
    (text.to_lowercase(), customer.map(Into::into))
}

/// The violation where more could be redeemed than there was: `given` is what a person set, for the new account alone.
pub(crate) fn too_many(about: &str, what: &str, uses: &Uses, given: Option<i64>) -> Option<Violation> {
    let (most, left, of) = match given {
        Some(given) => (&uses.new, given, "on the new account, for which a person set"),
        None => (
            &uses.both,
            uses.left,
            "on both accounts together, of which were left",
        ),
    };
    (most.count > left).then(|| {
        let reason = format!(
            "{what}: {} were redeemed or redeemable {of} {} {}",
            words(most.count),
            words(left),
            most.by
        );
        violation(about, rule::REDEEMABLE, reason)
    })
}
