//! How long a running discount goes on. PURE. On the calendar, never days divided by thirty; the table stands on the
//! [stage's page](super).

use chrono::{DateTime, Months, Utc};

use super::SubscriptionsStart;
use super::facts::{Bills, Duration, Interval};
use crate::domain::calendar::{Grid, Step};

/// The longest coupon that is made: a century. What is longer is `forever`, with a date.
const MOST_MONTHS: u32 = 1200;

/// How a discount is carried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry {
    /// No bill of the new account has it.
    Ends,
    /// Every bill has it.
    Forever,
    /// The next bill has it.
    Once,
    /// A coupon of so many months discounts exactly the bills that were left.
    Months {
        /// `duration_in_months`.
        months: u32,
        /// Bills that were left.
        invoices: u32,
    },
    /// No whole number of months does; without end, and dropped at a date.
    Until {
        /// Seconds: bills before it have the discount.
        at: i64,
        /// Bills that were left.
        invoices: u32,
    },
    /// The bills cannot be told.
    Unknown,
}

/// How a discount of that length, which ends at `end`, is carried on to the bills of a new subscription.
#[must_use]
pub fn carry(
    duration: Duration,
    end: Option<i64>,
    bills: Option<&Bills>,
    start: SubscriptionsStart,
) -> Carry {
    if let Some(bills) = bills {
        let over = |at: Option<i64>| at.is_some_and(|at| at <= bills.next);
        if over(end) || over(bills.ends) {
            return Carry::Ends;
        }
    }
    match (duration, end, bills) {
        (Duration::Once, _, _) => Carry::Once,
        (Duration::Forever, None, _) => Carry::Forever,
        (_, Some(end), Some(bills)) => {
            Calendar::of(bills).map_or(Carry::Unknown, |calendar| calendar.carry(end, start))
        }
        _ => Carry::Unknown,
    }
}

/// The bills of a subscription: the next one, and from there on the grid of its anchor.
struct Calendar<'a> {
    bills: &'a Bills,
    grid: Grid,
}

impl<'a> Calendar<'a> {
    fn of(bills: &'a Bills) -> Option<Self> {
        let every = i64::from(bills.every);
        let step = match bills.interval {
            Interval::Day => Step::Days(every),
            Interval::Week => Step::Days(7 * every),
            Interval::Month => Step::Months(every),
            Interval::Year => Step::Months(12 * every),
        };
        let grid = Grid::new(bills.anchor, step)?;
        let dated = |at| DateTime::<Utc>::from_timestamp(at, 0).is_some();
        (dated(bills.next) && dated(bills.period_start)).then_some(Self { bills, grid })
    }

    /// Bills before `end`.
    fn before(&self, end: i64) -> i64 {
        if self.bills.next >= end {
            return 0;
        }
        let second = self.grid.first_from(self.bills.next.saturating_add(1));
        self.grid
            .first_from(end)
            .saturating_sub(second)
            .max(0)
            .saturating_add(1)
    }

    fn carry(&self, end: i64, start: SubscriptionsStart) -> Carry {
        let left = self.before(end);
        // The old subscription's own end is the new one's too.
        let until = self.bills.ends.map_or(end, |ends| ends.min(end));
        let invoices = u32::try_from(self.before(until)).unwrap_or(u32::MAX);
        let begins = match start {
            SubscriptionsStart::NextBill => self.bills.next,
            SubscriptionsStart::Backdated => self.bills.period_start,
        };
        let ends_after = |months: u32| {
            let begins = DateTime::<Utc>::from_timestamp(begins, 0)?;
            Some(begins.checked_add_months(Months::new(months))?.timestamp())
        };
        let bills_in = |months: u32| ends_after(months).map_or(i64::MAX, |end| self.before(end));
        let least = first(|months| bills_in(months) >= left);
        let beyond = first(|months| bills_in(months) > left);
        // Of all lengths that discount the same bills, the one that ends like the old one: a plan may still change.
        let alike = first(|months| ends_after(months).is_none_or(|after| after >= end));
        let months = alike.clamp(least, beyond.saturating_sub(1).max(least));
        if months <= MOST_MONTHS && bills_in(months) == left {
            Carry::Months { months, invoices }
        } else {
            Carry::Until { at: end, invoices }
        }
    }
}

/// The first number of months from one that `is` so; what is so stays so.
fn first(is: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (1, MOST_MONTHS + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if is(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
#[path = "running_tests.rs"]
mod tests;
