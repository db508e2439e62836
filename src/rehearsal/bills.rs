//! The bills of a subscription that are still to come, and how many of them a discount reaches.

use chrono::{DateTime, Days, Months};

use super::catalogue::{Recurring, Status, Subscription};
use super::pool_count::ENDLESS;
use super::pools::Lasts;
use super::redeem::end;
use super::world::Account;

/// Bills looked at: more than any discount of a number of months reaches.
const MOST: usize = 20_000;

/// When a subscription bills from now on.
pub(crate) struct Bills<'a> {
    /// Every bill falls so many intervals after it.
    anchor: i64,
    /// Intervals to the next bill.
    next: u64,
    recurring: &'a Recurring,
    /// None comes: it ends before.
    none: bool,
    /// Start of the current period.
    pub(crate) period_start: i64,
}

impl<'a> Bills<'a> {
    /// Of a subscription that is not over.
    pub(crate) fn of(account: &'a Account, subscription: &Subscription) -> Option<Self> {
        let item = subscription.items.first()?;
        let recurring = account.catalogue.prices.at(item.price)?.recurring.as_ref()?;
        let (start, end) = subscription.period;
        let trial = subscription.status == Status::Trialing;
        Some(Self {
            anchor: if trial { end } else { start },
            next: u64::from(!trial),
            recurring,
            none: subscription.ends || subscription.status == Status::Canceled,
            period_start: start,
        })
    }

    /// The bills to come, without end.
    fn dates(&self) -> impl Iterator<Item = i64> + '_ {
        let counts = (self.next..).take(if self.none { 0 } else { MOST });
        counts.map_while(|n| self.date(n))
    }

    fn date(&self, n: u64) -> Option<i64> {
        let at = DateTime::from_timestamp(self.anchor, 0)?;
        let many = n.checked_mul(u64::try_from(self.recurring.count).ok()?)?;
        let months = |each: u64| Some(Months::new(u32::try_from(many.checked_mul(each)?).ok()?));
        let date = match self.recurring.interval {
            "day" => at.checked_add_days(Days::new(many)),
            "week" => at.checked_add_days(Days::new(many.checked_mul(7)?)),
            "year" => at.checked_add_months(months(12)?),
            _ => at.checked_add_months(months(1)?),
        };
        date.map(|at| at.timestamp())
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

    fn bills(interval: &'static str, count: i64) -> Recurring {
        Recurring {
            interval,
            count,
            meter: None,
            metered: false,
        }
    }

    #[test]
    fn bills_keep_to_the_day_they_began_with_where_the_month_has_it() {
        let monthly = bills("month", 1);
        let mut bills = Bills {
            anchor: at("2026-01-31T06:00:00Z"),
            next: 1,
            recurring: &monthly,
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
            next: 1,
            recurring: &weekly,
            none: false,
            period_start: 0,
        };
        let first = bills.first().unwrap();
        assert_eq!(bills.reached_by(Lasts::Months(1), first, None), 4);
        assert_eq!(bills.reached_by(Lasts::Months(2), first, None), 9);
    }
}
