//! Coupons, the codes that lead to them, and the discounts that came of either. A code is alive as long as its coupon
//! is; whether it is, is never stored but computed for an instant: uses only grow, limits never change and time runs
//! one way, so what is dead stays dead.

use std::collections::BTreeMap;

use super::catalogue::Decimal;
use super::currency::Cur;
use super::index::Index;
use super::metadata::Metadata;
use super::pages::{Row, Store};
use super::world::By;

/// Every coupon of an account with what hangs on it.
#[derive(Clone, Default)]
pub(crate) struct Pools {
    coupons: Store<Coupon>,
    codes: Store<Code>,
    discounts: Store<Discount>,
    /// Slots of codes by their text in lower case.
    by_text: Index,
    /// Slots of codes by the slot of their coupon.
    by_coupon: BTreeMap<u32, Vec<u32>>,
    /// Slots of discounts by the slot of their subscription, those of its items among them.
    by_subscription: BTreeMap<u32, Vec<u32>>,
    /// Slot of the discount by the slot of its customer: old state, no request makes one.
    by_customer: BTreeMap<u32, u32>,
}

/// What a coupon takes off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Off {
    /// So many percent.
    Percent(Decimal),
    /// So many minor units; in other currencies, what the map says.
    Amount(Cur, i64, BTreeMap<Cur, i64>),
}

/// How long a coupon's discount lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// For one bill.
    Once,
    /// So many months.
    Months(u32),
    /// Without end.
    Forever,
}

/// A coupon.
#[derive(Clone)]
pub(crate) struct Coupon {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Its id is free again, its discounts go on.
    pub(crate) deleted: bool,
    pub(crate) off: Off,
    pub(crate) lasts: Lasts,
    pub(crate) max: Option<i64>,
    pub(crate) redeem_by: Option<i64>,
    /// `times_redeemed`: by code and directly.
    pub(crate) used: i64,
    /// Ids of products; none: everything.
    pub(crate) applies_to: Box<[Box<str>]>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) metadata: Metadata,
}

impl Coupon {
    /// Twenty percent off once, without limits: to be made more of with `..`.
    pub(crate) fn bare(id: &str, created: i64) -> Self {
        Self {
            id: id.into(),
            created,
            deleted: false,
            off: Off::Percent(Decimal::of("20")),
            lasts: Lasts::Once,
            max: None,
            redeem_by: None,
            used: 0,
            applies_to: Box::default(),
            name: None,
            metadata: Metadata::default(),
        }
    }

    /// Uses left; `None`: without end.
    pub(crate) fn left(&self) -> Option<i64> {
        self.max.map(|max| (max - self.used).max(0))
    }

    /// Why it can no longer be redeemed at an instant (docs.stripe.com/billing/subscriptions/coupons).
    pub(crate) fn dead(&self, now: i64) -> Option<Dead> {
        if self.deleted {
            Some(Dead::Deleted)
        } else if self.redeem_by.is_some_and(|by| by <= now) {
            Some(Dead::Expired)
        } else {
            (self.left() == Some(0)).then_some(Dead::UsedUp)
        }
    }
}

impl Row for Coupon {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
    fn listed(&self) -> bool {
        !self.deleted
    }
}

/// Why a coupon or code cannot be redeemed ever again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dead {
    Deleted,
    Expired,
    UsedUp,
}

/// Who may use a code, and from which amount on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restrictions {
    /// Only by somebody who never paid this account.
    pub(crate) first_time: bool,
    /// Only for a purchase of at least so many minor units.
    pub(crate) minimum: Option<(Cur, i64)>,
    /// The same in other currencies.
    pub(crate) options: BTreeMap<Cur, i64>,
}

/// A promotion code.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Slot of its coupon.
    pub(crate) coupon: u32,
    pub(crate) text: Box<str>,
    /// Id of the one customer who may use it.
    pub(crate) customer: Option<Box<str>>,
    /// What was last set; whether it is active is [`Pools::active`].
    pub(crate) on: bool,
    pub(crate) max: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) used: i64,
    pub(crate) restrictions: Restrictions,
    pub(crate) metadata: Metadata,
}

impl Code {
    /// A code of the coupon in that slot, open to all and without limits: to be made more of with `..`.
    pub(crate) fn bare(id: &str, created: i64, coupon: u32, text: &str) -> Self {
        Self {
            id: id.into(),
            created,
            coupon,
            text: text.into(),
            customer: None,
            on: true,
            max: None,
            expires_at: None,
            used: 0,
            restrictions: Restrictions::default(),
            metadata: Metadata::default(),
        }
    }

    /// Uses left of its own limit; `None`: it has none.
    pub(crate) fn left(&self) -> Option<i64> {
        self.max.map(|max| (max - self.used).max(0))
    }
}

impl Row for Code {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// What a discount is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// All of a customer's bills; from before that was given up.
    Customer,
    /// The subscription in this slot.
    Subscription(u32),
    /// The item of that number of the subscription in this slot.
    Item(u32, u8),
    /// A purchase that is over.
    Checkout,
}

/// A coupon at work: made by redeeming it.
#[derive(Clone)]
pub(crate) struct Discount {
    pub(crate) id: Box<str>,
    pub(crate) start: i64,
    /// When its months are over.
    pub(crate) end: Option<i64>,
    /// Slot of its coupon.
    pub(crate) coupon: u32,
    /// Slot of the code by which it was got.
    pub(crate) code: Option<u32>,
    /// Slot of its customer.
    pub(crate) customer: u32,
    pub(crate) on: On,
    pub(crate) by: By,
}

impl Discount {
    /// Whether it still takes something off at an instant.
    pub(crate) fn runs(&self, now: i64) -> bool {
        self.on != On::Checkout && self.end.is_none_or(|end| now < end)
    }
}

impl Row for Discount {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.start
    }
}

impl Pools {
    /// All coupons.
    pub(crate) const fn coupons(&self) -> &Store<Coupon> {
        &self.coupons
    }

    /// All codes.
    pub(crate) const fn codes(&self) -> &Store<Code> {
        &self.codes
    }

    /// All discounts that ever were.
    pub(crate) const fn discounts(&self) -> &Store<Discount> {
        &self.discounts
    }

    /// Adds a coupon and says its slot.
    pub(crate) fn add_coupon(&mut self, coupon: Coupon) -> u32 {
        self.coupons.push(coupon)
    }

    /// Adds a code and says its slot.
    pub(crate) fn add_code(&mut self, code: Code) -> u32 {
        let (text, coupon) = (code.text.to_lowercase(), code.coupon);
        let slot = self.codes.push(code);
        self.by_text.insert(&text, slot);
        self.by_coupon.entry(coupon).or_default().push(slot);
        slot
    }

    /// Adds a discount, counting nothing (redeeming does: `redeem`), and says its slot.
    pub(crate) fn add_discount(&mut self, discount: Discount) -> u32 {
        let (on, customer) = (discount.on, discount.customer);
        let slot = self.discounts.push(discount);
        match on {
            On::Customer => {
                self.by_customer.insert(customer, slot);
            }
            On::Subscription(at) | On::Item(at, _) => {
                self.by_subscription.entry(at).or_default().push(slot);
            }
            On::Checkout => {}
        }
        slot
    }

    /// The coupon in a slot, to change it.
    pub(crate) fn coupon_mut(&mut self, slot: u32) -> Option<&mut Coupon> {
        self.coupons.at_mut(slot)
    }

    /// The code in a slot, to change it; its text and coupon stay.
    pub(crate) fn code_mut(&mut self, slot: u32) -> Option<&mut Code> {
        self.codes.at_mut(slot)
    }

    /// Deletes a coupon: its id is free again.
    pub(crate) fn delete_coupon(&mut self, slot: u32) {
        if let Some(coupon) = self.coupons.at_mut(slot) {
            coupon.deleted = true;
        }
        self.coupons.forget(slot);
    }

    /// Slots of a coupon's codes, oldest first.
    pub(crate) fn codes_of(&self, coupon: u32) -> &[u32] {
        self.by_coupon.get(&coupon).map(Vec::as_slice).unwrap_or_default()
    }

    /// Slots of codes of a text, in any case, oldest first.
    pub(crate) fn with_text(&self, text: &str) -> Vec<u32> {
        let text = text.to_lowercase();
        let mut slots = self.by_text.slots(&text);
        slots.retain(|slot| {
            self.codes
                .at(*slot)
                .is_some_and(|c| c.text.to_lowercase() == text)
        });
        slots
    }

    /// Why a code can never be redeemed again, its coupon's reasons last.
    pub(crate) fn dead(&self, code: &Code, now: i64) -> Option<Dead> {
        if code.expires_at.is_some_and(|at| at <= now) {
            Some(Dead::Expired)
        } else if code.left() == Some(0) {
            Some(Dead::UsedUp)
        } else {
            self.coupons
                .at(code.coupon)
                .map_or(Some(Dead::Deleted), |c| c.dead(now))
        }
    }

    /// Whether a code can be redeemed: `active` of the API.
    pub(crate) fn active(&self, code: &Code, now: i64) -> bool {
        code.on && self.dead(code, now).is_none()
    }

    /// The active code that keeps another of this text and customer from being active. A code open to all excludes
    /// every other of its text.
    pub(crate) fn taken(&self, text: &str, customer: Option<&str>, now: i64) -> Option<&Code> {
        let slots = self.with_text(text);
        let mut codes = slots.iter().filter_map(|slot| self.codes.at(*slot));
        codes.find(|c| {
            let theirs = c.customer.as_deref();
            self.active(c, now) && (theirs.is_none() || customer.is_none() || theirs == customer)
        })
    }

    /// Slots of the running discounts of a subscription, those of its items apart: `item` is the number of one.
    pub(crate) fn running(&self, subscription: u32, item: Option<u8>, now: i64) -> Vec<u32> {
        let slots = self.by_subscription.get(&subscription);
        let wanted = item.map_or(On::Subscription(subscription), |n| On::Item(subscription, n));
        let slots = slots.map(Vec::as_slice).unwrap_or_default().iter();
        let runs = |d: &Discount| d.on == wanted && d.runs(now);
        slots
            .copied()
            .filter(|slot| self.discounts.at(*slot).is_some_and(runs))
            .collect()
    }

    /// Slot of the running discount on all of a customer's bills.
    pub(crate) fn of_customer(&self, customer: u32, now: i64) -> Option<u32> {
        let slot = *self.by_customer.get(&customer)?;
        self.discounts.at(slot).filter(|d| d.runs(now)).map(|_| slot)
    }

    /// Ends a discount at an instant, unless it is over by then; the redemption stays counted.
    pub(crate) fn end_discount(&mut self, slot: u32, at: i64) {
        if let Some(discount) = self.discounts.at_mut(slot)
            && discount.end.is_none_or(|end| end > at)
        {
            discount.end = Some(at);
        }
    }

    /// Takes away a customer's discount; the redemption stays counted.
    pub(crate) fn undiscount(&mut self, customer: u32) {
        self.by_customer.remove(&customer);
    }
}
