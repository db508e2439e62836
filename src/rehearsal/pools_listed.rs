//! Makes the coupons, codes and discounts a scenario lists one by one.

use std::collections::BTreeMap;

use super::ids;
use super::metadata::Metadata;
use super::pools::{Code, Coupon, Discount, Lasts, Off, On};
use super::pools_draft::Draft;
use super::redeem::end;
use super::scenario_pools::{ListedCode, ListedCoupon, ListedDiscount, Named};
use super::world::{Account, By, Role, Side};

const DAY: i64 = 86_400;
/// How old what says nothing of its age is.
const AGE_DAYS: u32 = 300;

/// Adds those of an account's own side; `now` is the start of the night in seconds.
pub(crate) fn draft(account: &Account, named: &Named<'_>, draft: &mut Draft, now: i64) {
    let mut lister = Lister {
        account,
        named,
        now,
        draft,
        coupons: BTreeMap::new(),
        codes: BTreeMap::new(),
        movers: movers(account),
        turn: 0,
    };
    for one in named.coupons.iter().filter(|c| c.side() == account.side) {
        lister.coupon(one);
    }
    for one in named.codes.iter().filter(|c| c.side() == account.side) {
        for n in 0..one.count.unwrap_or(1) {
            lister.code(one, n);
        }
    }
    if account.side == Side::Source {
        for (n, one) in named.discounts.iter().enumerate() {
            lister.discount(one, n);
        }
    }
}

fn movers(account: &Account) -> Vec<Box<str>> {
    let rows = account.customers.rows().iter();
    let moving = rows.filter(|c| c.role == Role::Mover && !c.deleted && !c.leaves);
    moving.map(|c| c.id.clone()).collect()
}

struct Lister<'a> {
    account: &'a Account,
    named: &'a Named<'a>,
    now: i64,
    draft: &'a mut Draft,
    /// Places by id: of several the last.
    coupons: BTreeMap<&'a str, (u32, Lasts)>,
    /// Places by text: of several the last.
    codes: BTreeMap<&'a str, u32>,
    movers: Vec<Box<str>>,
    turn: usize,
}

impl<'a> Lister<'a> {
    fn created(&self, days_ago: Option<u32>) -> i64 {
        self.now - i64::from(days_ago.unwrap_or(AGE_DAYS)) * DAY
    }

    fn coupon(&mut self, one: &'a ListedCoupon) {
        let created = self.created(one.created_days_ago);
        let bare = Coupon::bare(&one.id, created);
        let (off, lasts): (Option<Off>, Option<Lasts>) = (one.off(), one.lasts());
        let (Some(off), Some(lasts)) = (off, lasts) else {
            return;
        };
        let shift = self.named.shift;
        let place = self.draft.coupon(Coupon {
            off,
            lasts,
            deleted: one.deleted,
            max: one.max_redemptions,
            redeem_by: one.redeem_by.map(|at| at.secs(shift)),
            used: one.used,
            applies_to: one.applies_to.iter().map(|id| id.as_str().into()).collect(),
            name: one.name.as_deref().map(Into::into),
            metadata: metadata(&one.metadata),
            ..bare
        });
        self.coupons.insert(&one.id, (place, lasts));
    }

    fn code(&mut self, one: &'a ListedCode, n: u32) {
        let (Some((coupon, _)), Some(restrictions)) =
            (self.coupons.get(one.coupon.as_str()).copied(), one.restrictions())
        else {
            return;
        };
        let text = match one.count {
            Some(_) => format!("{}-{}", one.code, n + 1),
            None => one.code.clone(),
        };
        let customer = self.customer(one);
        let created = self.created(one.created_days_ago);
        let seed = ids::mix(&[
            b"listed code",
            text.as_bytes(),
            one.coupon.as_bytes(),
            &seed_of(customer.as_deref()),
        ]);
        let drawn = ids::object("promo_", &self.account.id, seed);
        let id = one
            .id
            .as_deref()
            .filter(|_| one.count.is_none())
            .unwrap_or(&drawn);
        let shift = self.named.shift;
        let place = self.draft.code(Code {
            customer,
            on: one.active.unwrap_or(true),
            max: one.max_redemptions,
            expires_at: one.expires_at.map(|at| at.secs(shift)),
            used: one.used,
            restrictions,
            metadata: metadata(&one.metadata),
            ..Code::bare(id, created, coupon, &text)
        });
        self.codes.insert(&one.code, place);
    }

    fn customer(&mut self, one: &ListedCode) -> Option<Box<str>> {
        match one.customer.as_deref()? {
            "movers" => {
                let next = self.turn.checked_rem(self.movers.len())?;
                self.turn += 1;
                self.movers.get(next).cloned()
            }
            id => Some(id.into()),
        }
    }

    fn discount(&mut self, one: &ListedDiscount, n: usize) {
        let Some((coupon, lasts)) = self.coupons.get(one.coupon.as_str()).copied() else {
            return;
        };
        let Some((on, customer)) = self.place(one) else {
            return;
        };
        let start = one.since.secs(self.named.shift);
        let drawn = ids::object(
            "di_",
            &self.account.id,
            ids::mix(&[b"listed discount", &n.to_be_bytes()]),
        );
        self.draft.discount(Discount {
            id: one.id.as_deref().unwrap_or(&drawn).into(),
            start,
            end: end(lasts, start),
            coupon,
            code: one.code.as_deref().and_then(|text| self.codes.get(text).copied()),
            customer,
            on,
            by: By::History,
        });
    }

    fn place(&self, one: &ListedDiscount) -> Option<(On, u32)> {
        if let Some(id) = &one.customer {
            return Some((On::Customer, self.account.customers.slot(id)?));
        }
        let subscriptions = &self.account.billing.subscriptions;
        let slot = subscriptions.slot(one.subscription.as_deref()?)?;
        let owner = subscriptions.at(slot)?.customer;
        Some((
            one.item.map_or(On::Subscription(slot), |n| On::Item(slot, n)),
            owner,
        ))
    }
}

fn seed_of(customer: Option<&str>) -> [u8; 8] {
    ids::mix(&[customer.unwrap_or_default().as_bytes()]).to_be_bytes()
}

fn metadata(given: &BTreeMap<String, String>) -> Metadata {
    let pairs: Vec<_> = given.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    Metadata::of(&pairs)
}
