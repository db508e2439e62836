//! How often a pool can be redeemed on one account: what is left of its coupon and of its codes, kept up to date one
//! change at a time, since a pool may have thousands of codes.

use std::collections::{BTreeMap, BTreeSet};

use super::pools::{Code, Coupon};

/// Stands for "without end": larger than any limit, and three of them still add up.
pub(crate) const ENDLESS: i64 = i64::MAX / 8;

/// What is left of a coupon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tank {
    left: i64,
    until: Option<i64>,
}

/// What can be taken through a code as far as its own limit goes; nothing when it is off or over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tap {
    coupon: u32,
    left: i64,
    until: Option<i64>,
}

/// A pool's coupons and codes on one account, by their slots.
#[derive(Debug, Default)]
pub(crate) struct Half {
    tanks: BTreeMap<u32, Tank>,
    taps: BTreeMap<u32, Tap>,
    /// Sum of the taps that have a limit, and the number of those that have none.
    sum: i64,
    endless: u32,
    /// Taps that will be over, by when.
    ends: BTreeSet<(i64, u32)>,
}

impl Half {
    /// Takes a coupon as it is now.
    pub(crate) fn coupon(&mut self, slot: u32, coupon: &Coupon) {
        let left = if coupon.deleted {
            0
        } else {
            coupon.left().unwrap_or(ENDLESS)
        };
        let until = coupon.redeem_by;
        self.tanks.insert(slot, Tank { left, until });
    }

    /// Whether the pool has no coupon here that was not deleted.
    pub(crate) fn is_empty(&self) -> bool {
        self.tanks.values().all(|tank| tank.left == 0)
    }

    /// Whether that coupon is one of the pool's here.
    pub(crate) fn has_coupon(&self, slot: u32) -> bool {
        self.tanks.contains_key(&slot)
    }

    /// Takes a code as it is now; `on`: whether it counts.
    pub(crate) fn code(&mut self, slot: u32, code: &Code, on: bool) {
        self.take_out(slot);
        let left = if on { code.left().unwrap_or(ENDLESS) } else { 0 };
        let tap = Tap {
            coupon: code.coupon,
            left,
            until: code.expires_at,
        };
        if left >= ENDLESS {
            self.endless += 1;
        } else {
            self.sum += left;
        }
        if let Some(until) = tap.until {
            self.ends.insert((until, slot));
        }
        self.taps.insert(slot, tap);
    }

    fn take_out(&mut self, slot: u32) {
        let Some(tap) = self.taps.remove(&slot) else {
            return;
        };
        if tap.left >= ENDLESS {
            self.endless -= 1;
        } else {
            self.sum -= tap.left;
        }
        if let Some(until) = tap.until {
            self.ends.remove(&(until, slot));
        }
    }

    /// Closes the taps that are over at an instant; time runs one way.
    fn at(&mut self, now: i64) {
        while let Some((until, slot)) = self.ends.first().copied().filter(|(until, _)| *until <= now) {
            self.ends.remove(&(until, slot));
            if let Some(tap) = self.taps.get_mut(&slot) {
                if tap.left >= ENDLESS {
                    self.endless -= 1;
                } else {
                    self.sum -= tap.left;
                }
                (tap.left, tap.until) = (0, None);
            }
        }
    }

    fn tank(&self, slot: u32, now: i64) -> i64 {
        let tank = self.tanks.get(&slot).copied().unwrap_or_default();
        if tank.until.is_some_and(|until| until <= now) {
            0
        } else {
            tank.left
        }
    }

    /// What is left of the coupons, whether or not a code leads to them.
    pub(crate) fn of_coupons(&self, now: i64) -> i64 {
        let all = self.tanks.keys().map(|slot| self.tank(*slot, now));
        all.fold(0, add)
    }

    /// What can be redeemed through codes.
    pub(crate) fn through_codes(&mut self, now: i64) -> i64 {
        self.at(now);
        let codes = if self.endless > 0 { ENDLESS } else { self.sum };
        codes.min(self.of_coupons(now))
    }

    /// What can be redeemed through one code.
    pub(crate) fn through(&self, slot: u32, now: i64) -> i64 {
        let Some(tap) = self.taps.get(&slot) else {
            return 0;
        };
        if tap.until.is_some_and(|until| until <= now) {
            return 0;
        }
        tap.left.min(self.tank(tap.coupon, now))
    }
}

/// Adds, and stays without end.
pub(crate) fn add(one: i64, other: i64) -> i64 {
    (one + other).min(ENDLESS)
}

/// The number for a sentence.
pub(crate) fn words(count: i64) -> String {
    if count >= ENDLESS {
        "any number".to_owned()
    } else {
        count.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(max: Option<i64>, used: i64, expires_at: Option<i64>) -> Code {
        Code {
            max,
            expires_at,
            used,
            ..Code::bare("promo_1", 0, 0, "A")
        }
    }

    #[test]
    fn a_pool_gives_what_its_coupon_has_or_less_where_its_codes_have_less() {
        let coupon = Coupon {
            max: Some(10),
            used: 7,
            ..Coupon::bare("C", 0)
        };
        let mut half = Half::default();
        half.coupon(0, &coupon);
        assert_eq!((half.of_coupons(0), half.through_codes(0)), (3, 0));
        half.code(0, &code(Some(5), 4, None), true);
        assert_eq!((half.through_codes(0), half.through(0, 0)), (1, 1));
        half.code(1, &code(None, 3, Some(50)), true);
        assert_eq!((half.through_codes(49), half.through(1, 49)), (3, 3));
        assert_eq!((half.through_codes(50), half.through(1, 50)), (1, 0));
        half.code(0, &code(Some(5), 4, None), false);
        assert_eq!(half.through_codes(50), 0);
    }

    proptest! {
        #[test]
        fn keeping_count_is_counting_anew(
            writes in proptest::collection::vec((0_u32..5, proptest::option::of(0_i64..6), proptest::option::of(1_i64..9), any::<bool>()), 0..30)
        ) {
            let coupon = Coupon { max: Some(9), ..Coupon::bare("C", 0) };
            let mut half = Half::default();
            half.coupon(0, &coupon);
            let mut last = BTreeMap::new();
            for (now, (slot, max, until, on)) in (0..).zip(writes) {
                half.code(slot, &code(max, 0, until), on);
                last.insert(slot, (max, until, on));
                let live = last.values().filter(|(_, until, on)| *on && until.is_none_or(|u| u > now));
                let sum = live.map(|(max, _, _)| max.unwrap_or(ENDLESS)).fold(0, add);
                prop_assert_eq!(half.through_codes(now), sum.min(9));
            }
        }
    }
}
