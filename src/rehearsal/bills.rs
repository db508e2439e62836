//! The bills of a subscription that are still to come, and how many of them a discount reaches.

#[cfg(test)]
use chrono::DateTime;

use super::billing::{Rhythm, Subscription, next_after};
use super::pool_count::ENDLESS;
use super::pools::Lasts;
use super::redeem::end;
use super::world::Account;

/// Bills looked at: more than any discount of a number of months reaches.
const MOST: usize = 20_000;

/// When a subscription bills from now on.
pub(crate) struct Bills {
    /// Every bill falls so many intervals after it.
    anchor: i64,
    /// The next bill falls after it.
    after: i64,
    rhythm: Rhythm,
    /// None comes: it ends before.
    none: bool,
    /// Start of the current period.
    pub(crate) period_start: i64,
}

impl Bills {
    /// Of a subscription that is not over.
    pub(crate) fn of(account: &Account, subscription: &Subscription) -> Option<Self> {
        let item = subscription.items.first()?;
        let recurring = account.catalogue.prices.at(item.price)?.recurring.as_ref()?;
        let (start, end) = subscription.period;
        Some(Self {
            anchor: subscription.anchor,
            after: end - 1,
            rhythm: Rhythm::of(recurring),
            none: subscription.ends || subscription.status.is_over(),
            period_start: start,
        })
    }

    /// The bills to come, without end.
    fn dates(&self) -> impl Iterator<Item = i64> + '_ {
        let first = (!self.none).then(|| next_after(self.anchor, self.rhythm, self.after));
        let next = |at: &i64| Some(next_after(self.anchor, self.rhythm, *at));
        std::iter::successors(first, next).take(MOST)
    }

    /// The first bill to come.
    pub(crate) fn first(&self) -> Option<i64> {
        self.dates().next()
    }

    /// How many come before an instant.
    fn before(&self, instant: i64) -> i64 {
        let count = self.dates().take_while(|at| *at < instant).count();
        i64::try_from(count).unwrap_or(ENDLESS)
    }

    /// How many a discount reaches that ends at an instant, or with the first bill, or never.
    pub(crate) fn reached(&self, lasts: Lasts, until: Option<i64>) -> i64 {
        let all = if self.none { 0 } else { ENDLESS };
        let by_length = match lasts {
            Lasts::Once => all.min(1),
            Lasts::Forever => all,
            Lasts::Months(_) => 0,
        };
        until.map_or(by_length, |instant| {
            let before = self.before(instant);
            if lasts == Lasts::Once {
                before.min(1)
            } else {
                before
            }
        })
    }

    /// The same of a coupon's discount that begins at an instant and is dropped at another.
    pub(crate) fn reached_by(&self, lasts: Lasts, start: i64, dropped: Option<i64>) -> i64 {
        let until = [end(lasts, start), dropped].into_iter().flatten().min();
        self.reached(lasts, until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    fn bills(interval: &'static str, count: i64) -> Rhythm {
        Rhythm { interval, count }
    }

    #[test]
    fn bills_keep_to_the_day_they_began_with_where_the_month_has_it() {
        let monthly = bills("month", 1);
        let mut bills = Bills {
            anchor: at("2026-01-31T06:00:00Z"),
            after: at("2026-01-31T06:00:00Z"),
            rhythm: monthly,
            none: false,
            period_start: 0,
        };
        let dates: Vec<i64> = bills.dates().take(3).collect();
        let expected = [
            "2026-02-28T06:00:00Z",
            "2026-03-31T06:00:00Z",
            "2026-04-30T06:00:00Z",
        ]
        .map(at);
        assert_eq!(dates, expected);
        assert_eq!(bills.reached(Lasts::Months(3), Some(expected[2])), 2);
        assert_eq!(bills.reached_by(Lasts::Months(2), expected[0], None), 2);
        assert_eq!(bills.reached_by(Lasts::Months(1), expected[0], None), 1);
        assert_eq!(
            bills.reached_by(Lasts::Forever, expected[0], Some(expected[1])),
            1
        );
        assert_eq!(bills.reached(Lasts::Once, None), 1);
        assert_eq!(bills.reached(Lasts::Forever, None), ENDLESS);
        bills.none = true;
        assert_eq!((bills.first(), bills.reached(Lasts::Forever, None)), (None, 0));
    }

    #[test]
    fn a_month_of_weekly_bills_is_four_and_now_and_then_five() {
        let weekly = bills("week", 1);
        let bills = Bills {
            anchor: at("2026-02-10T06:00:00Z"),
            after: at("2026-02-10T06:00:00Z"),
            rhythm: weekly,
            none: false,
            period_start: 0,
        };
        let first = bills.first().unwrap();
        assert_eq!(bills.reached_by(Lasts::Months(1), first, None), 4);
        assert_eq!(bills.reached_by(Lasts::Months(2), first, None), 9);
    }
}
