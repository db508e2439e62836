//! Coupons, codes and discounts that are still to be put into an account, in any order: an account keeps them in the
//! order in which they were made.

use std::collections::BTreeMap;

use super::pools::{Code, Coupon, Discount};
use super::world::Account;

/// What one account is to get. Coupons of codes and discounts, and codes of discounts, are places in these lists.
#[derive(Default)]
pub(crate) struct Draft {
    coupons: Vec<Coupon>,
    codes: Vec<Code>,
    discounts: Vec<Discount>,
}

impl Draft {
    /// Adds a coupon and says its place.
    pub(crate) fn coupon(&mut self, coupon: Coupon) -> u32 {
        self.coupons.push(coupon);
        place(self.coupons.len())
    }

    /// Adds a code and says its place.
    pub(crate) fn code(&mut self, code: Code) -> u32 {
        self.codes.push(code);
        place(self.codes.len())
    }

    /// Adds a discount.
    pub(crate) fn discount(&mut self, discount: Discount) {
        self.discounts.push(discount);
    }

    /// The coupon in a place, to change it.
    pub(crate) fn coupon_at(&mut self, place: u32) -> Option<&mut Coupon> {
        self.coupons.get_mut(place as usize)
    }

    /// Puts everything into the account, oldest first. A deleted coupon goes in alive and is deleted then, so that its
    /// id is free.
    pub(crate) fn pour(self, account: &mut Account) {
        let pools = &mut account.pools;
        let mut coupons = BTreeMap::new();
        for (place, coupon) in sorted(self.coupons, |c| c.created) {
            let deleted = coupon.deleted;
            let slot = pools.add_coupon(coupon);
            coupons.insert(place, slot);
            if deleted {
                pools.delete_coupon(slot);
            }
        }
        let mut codes = BTreeMap::new();
        for (place, code) in sorted(self.codes, |c| c.created) {
            let Some(coupon) = coupons.get(&code.coupon).copied() else {
                continue;
            };
            codes.insert(place, pools.add_code(Code { coupon, ..code }));
        }
        for (_, discount) in sorted(self.discounts, |d| d.start) {
            let Some(coupon) = coupons.get(&discount.coupon).copied() else {
                continue;
            };
            let code = discount.code.and_then(|place| codes.get(&place).copied());
            pools.add_discount(Discount {
                coupon,
                code,
                ..discount
            });
        }
    }
}

fn place(len: usize) -> u32 {
    u32::try_from(len - 1).unwrap_or(u32::MAX)
}

/// Rows with their places, by an instant; those of one instant as they were added.
fn sorted<T>(rows: Vec<T>, at: impl Fn(&T) -> i64) -> Vec<(u32, T)> {
    let mut placed: Vec<(u32, T)> = (0..).zip(rows).collect();
    placed.sort_by_key(|(_, row)| at(row));
    placed
}
