//! The discounts that are running when the night begins, on dice of their own.

use chrono::{DateTime, Datelike, NaiveDate};

use super::billing::Subscription;
use super::dice::Dice;
use super::ids;
use super::pools::{Coupon, Discount, Lasts, On};
use super::pools_draft::Draft;
use super::pools_fill::off;
use super::redeem::end;
use super::world::{Account, By, Role};

const DAY: i64 = 86_400;
/// The longest a repeating coupon of these lasts, in months.
const LENGTHS: [u32; 5] = [2, 3, 6, 12, 24];

/// Drafts discounts on so many subscriptions of movers, and on a quarter as many of stayers.
pub(crate) fn draw(account: &Account, count: u32, draft: &mut Draft, seed: u64, now: i64) {
    if count == 0 {
        return;
    }
    let mut dice = Dice::new(ids::mix(&[b"discounts", &seed.to_be_bytes()]));
    let mut giver = Giver {
        once: family(&mut dice, draft, Lasts::Once, now),
        forever: family(&mut dice, draft, Lasts::Forever, now),
        months: LENGTHS.map(|months| (months, family(&mut dice, draft, Lasts::Months(months), now))),
        account,
        dice,
        draft,
        now,
    };
    for (role, count) in [(Role::Mover, count), (Role::Stayer, count.div_ceil(4))] {
        let mut slots = live(account, role);
        giver.dice.shuffle(&mut slots);
        for (n, slot) in (0..count).zip(slots) {
            giver.give(n, slot);
        }
    }
}

/// Slots of subscriptions that are not over, of people in a role.
fn live(account: &Account, role: Role) -> Vec<u32> {
    let owner = |s: &Subscription| account.customers.at(s.customer);
    let rows = (0_u32..).zip(account.billing.subscriptions.rows());
    let fitting = rows.filter(|(_, s)| {
        !s.status.is_over() && owner(s).is_some_and(|c| c.role == role && !c.deleted && !c.leaves)
    });
    fitting.map(|(slot, _)| slot).collect()
}

/// A coupon of that length, without a limit: places in the draft.
fn family(dice: &mut Dice, draft: &mut Draft, lasts: Lasts, now: i64) -> u32 {
    let id = ids::alnum(dice.next(), 8);
    let off = off(dice);
    draft.coupon(Coupon {
        off,
        lasts,
        ..Coupon::bare(&id, now - 1_200 * DAY)
    })
}

struct Giver<'a> {
    account: &'a Account,
    dice: Dice,
    draft: &'a mut Draft,
    now: i64,
    once: u32,
    forever: u32,
    months: [(u32, u32); 5],
}

impl Giver<'_> {
    fn give(&mut self, n: u32, slot: u32) {
        let Some(subscription) = self.account.billing.subscriptions.at(slot) else {
            return;
        };
        let (owner, period, items) = (
            subscription.customer,
            subscription.period,
            subscription.items.len(),
        );
        match n % 10 {
            0 => self.add(On::Subscription(slot), owner, self.once, Lasts::Once, period.0),
            6 => {
                let since = self.now - self.dice.between(1, 900) * DAY;
                self.add(On::Subscription(slot), owner, self.forever, Lasts::Forever, since);
            }
            7 => {
                self.repeating(n, On::Subscription(slot), owner);
                self.add(
                    On::Subscription(slot),
                    owner,
                    self.forever,
                    Lasts::Forever,
                    period.0,
                );
            }
            8 => self.repeating(n, On::Customer, owner),
            9 if items > 1 => self.repeating(n, On::Item(slot, 1), owner),
            9 => self.repeating(n, On::Item(slot, 0), owner),
            _ => self.repeating(n, On::Subscription(slot), owner),
        }
    }

    /// One of several months, of which some are over; every third began on the last day of a month.
    fn repeating(&mut self, n: u32, on: On, owner: u32) {
        let which = self.dice.below(self.months.len() as u64);
        let Some((months, coupon)) = usize::try_from(which)
            .ok()
            .and_then(|n| self.months.get(n).copied())
        else {
            return;
        };
        let lasts = Lasts::Months(months);
        // A month has 28 days at least: it is never over.
        let back = self.dice.between(0, i64::from(months) * 28 - 1);
        let drawn = self.now - back * DAY - self.dice.between(0, DAY / 2);
        let last = last_of_month(drawn).filter(|at| n.is_multiple_of(3) && *at <= self.now);
        let still = |at: &i64| end(lasts, *at).is_some_and(|end| end > self.now);
        let start = last.filter(still).unwrap_or(drawn);
        self.add(on, owner, coupon, lasts, start);
    }

    fn add(&mut self, on: On, owner: u32, coupon: u32, lasts: Lasts, start: i64) {
        if let Some(coupon) = self.draft.coupon_at(coupon) {
            coupon.used += 1;
        }
        self.draft.discount(Discount {
            id: ids::object("di_", &self.account.id, self.dice.next()).into(),
            start,
            end: end(lasts, start),
            coupon,
            code: None,
            customer: owner,
            on,
            by: By::History,
        });
    }
}

/// The same time of day on the last day of the month before an instant's.
fn last_of_month(at: i64) -> Option<i64> {
    let at = DateTime::from_timestamp(at, 0)?;
    let first = NaiveDate::from_ymd_opt(at.year(), at.month(), 1)?;
    Some(first.pred_opt()?.and_time(at.time()).and_utc().timestamp())
}
