//! The days on which something bills: so many intervals after its anchor, by the calendar in UTC. A month that has not
//! the anchor's day bills on its last, and the next that has it on that day again.

use chrono::{DateTime, Days, Months};

use crate::rehearsal::catalogue::Recurring;

const DAY: i64 = 86_400;

/// How often something bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rhythm {
    /// `day`, `week`, `month`, `year`.
    pub(crate) interval: &'static str,
    /// At least 1.
    pub(crate) count: i64,
}

impl Rhythm {
    /// Of a price.
    pub(crate) const fn of(recurring: &Recurring) -> Self {
        Self {
            interval: recurring.interval,
            count: recurring.count,
        }
    }
}

/// The instant `n` intervals after `anchor`; before it when `n` is negative.
pub(crate) fn step(anchor: i64, rhythm: Rhythm, n: i64) -> i64 {
    let many = n.saturating_mul(rhythm.count.max(1));
    let size = many.unsigned_abs();
    let by_days = |each: u64| Some(Days::new(size.checked_mul(each)?));
    let by_months = |each: u64| Some(Months::new(u32::try_from(size.checked_mul(each)?).ok()?));
    let at = DateTime::from_timestamp(anchor, 0);
    let days = |each| {
        at.and_then(|at| {
            let days = by_days(each)?;
            if many < 0 {
                at.checked_sub_days(days)
            } else {
                at.checked_add_days(days)
            }
        })
    };
    let months = |each| {
        at.and_then(|at| {
            let months = by_months(each)?;
            if many < 0 {
                at.checked_sub_months(months)
            } else {
                at.checked_add_months(months)
            }
        })
    };
    let moved = match rhythm.interval {
        "day" => days(1),
        "week" => days(7),
        "year" => months(12),
        _ => months(1),
    };
    moved.map_or_else(
        || anchor.saturating_add(many.saturating_mul(longest(rhythm.interval))),
        |at| at.timestamp(),
    )
}

/// The first instant of the grid after another.
pub(crate) fn next_after(anchor: i64, rhythm: Rhythm, after: i64) -> i64 {
    let longest = longest(rhythm.interval).saturating_mul(rhythm.count.max(1));
    // No interval is longer, so this many have passed at least (of the past: one more is too early for sure).
    let mut n = after.saturating_sub(anchor).div_euclid(longest) - 1;
    if n < 0 {
        // Before the anchor intervals may be shorter than the longest, so that more of them fit.
        n = n.saturating_mul(2) - 2;
    }
    while step(anchor, rhythm, n) <= after {
        n += 1;
    }
    step(anchor, rhythm, n)
}

/// The period of the grid in which an instant lies.
pub(crate) fn period_at(anchor: i64, rhythm: Rhythm, at: i64) -> (i64, i64) {
    let end = next_after(anchor, rhythm, at);
    let longest = longest(rhythm.interval).saturating_mul(rhythm.count.max(1));
    let mut start = next_after(anchor, rhythm, at.saturating_sub(longest) - 1);
    loop {
        let next = next_after(anchor, rhythm, start);
        if next > at {
            return (start, end);
        }
        start = next;
    }
}

/// Seconds of the full period that ends at an instant, which lies on the grid of itself.
pub(crate) fn length(end: i64, rhythm: Rhythm) -> i64 {
    (end - step(end, rhythm, -1)).max(1)
}

const fn longest(interval: &str) -> i64 {
    match interval.as_bytes() {
        b"day" => DAY,
        b"week" => 7 * DAY,
        b"year" => 366 * DAY,
        _ => 31 * DAY,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    const MONTHLY: Rhythm = Rhythm {
        interval: "month",
        count: 1,
    };

    #[test]
    fn a_short_month_bills_on_its_last_day_and_the_next_on_the_anchors_day_again() {
        let anchor = at("2026-01-31T06:00:00Z");
        let mut from = anchor;
        for expected in ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"] {
            from = next_after(anchor, MONTHLY, from);
            assert_eq!(from, at(&format!("{expected}T06:00:00Z")));
        }
        let leap = at("2024-02-29T00:00:00Z");
        let yearly = Rhythm {
            interval: "year",
            count: 1,
        };
        assert_eq!(next_after(leap, yearly, leap), at("2025-02-28T00:00:00Z"));
        assert_eq!(step(leap, yearly, 4), at("2028-02-29T00:00:00Z"));
    }

    #[test]
    fn an_instant_on_the_grid_begins_its_period() {
        let anchor = at("2026-01-31T06:00:00Z");
        let end = at("2026-02-28T06:00:00Z");
        assert_eq!(period_at(anchor, MONTHLY, anchor), (anchor, end));
        assert_eq!(period_at(anchor, MONTHLY, end - 1), (anchor, end));
        assert_eq!(period_at(anchor, MONTHLY, end).0, end);
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_exactly_one_period_of_the_grid(
            anchor in 1_500_000_000_i64..1_900_000_000,
            off in -90_000_000_i64..200_000_000,
            which in 0_usize..4,
            count in 1_i64..7,
        ) {
            let rhythm = Rhythm { interval: ["day", "week", "month", "year"][which], count };
            let instant = anchor + off;
            let (start, end) = period_at(anchor, rhythm, instant);
            prop_assert!(start <= instant && instant < end, "{start} {instant} {end}");
            prop_assert_eq!(next_after(anchor, rhythm, start), end);
            prop_assert!(end - start <= longest(rhythm.interval) * count);
        }
    }
}
