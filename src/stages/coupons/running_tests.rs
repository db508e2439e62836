use chrono::{Datelike as _, NaiveDate, TimeZone as _};
use proptest::prelude::*;

use super::*;
use crate::domain::calendar::DAY;

fn day(year: i32, month: u32, day: u32) -> i64 {
    Utc.with_ymd_and_hms(year, month, day, 9, 30, 0)
        .unwrap()
        .timestamp()
}

fn monthly(anchor: i64, period_start: i64, next: i64) -> Bills {
    Bills {
        anchor,
        period_start,
        next,
        ends: None,
        interval: Interval::Month,
        every: 1,
    }
}

fn repeating(end: i64, bills: &Bills, start: SubscriptionsStart) -> Carry {
    carry(Duration::Repeating, Some(end), Some(bills), start)
}

#[test]
fn months_are_counted_on_the_calendar() {
    use SubscriptionsStart::{Backdated, NextBill};
    let bills = monthly(day(2026, 1, 31), day(2026, 1, 31), day(2026, 2, 28));
    // Bills on 28 February, 31 March, 30 April; the discount ends with the third month.
    let ends = day(2026, 4, 30);
    let months = |months, invoices| Carry::Months { months, invoices };
    assert_eq!(repeating(ends, &bills, NextBill), months(2, 2));
    assert_eq!(repeating(ends, &bills, Backdated), months(3, 2));
    assert_eq!(repeating(ends + 1, &bills, Backdated), months(4, 3));
    assert_eq!(repeating(day(2026, 2, 28), &bills, NextBill), Carry::Ends);

    let yearly = Bills {
        interval: Interval::Year,
        ..monthly(day(2026, 3, 1), day(2025, 3, 1), day(2026, 3, 1))
    };
    assert_eq!(repeating(day(2026, 9, 1), &yearly, NextBill), months(6, 1));
    assert_eq!(repeating(day(2027, 4, 1), &yearly, Backdated), months(25, 2));

    let weekly = Bills {
        interval: Interval::Week,
        ..monthly(day(2026, 2, 2), day(2026, 1, 26), day(2026, 2, 2))
    };
    let until = Carry::Until {
        at: day(2026, 2, 16),
        invoices: 2,
    };
    assert_eq!(repeating(day(2026, 2, 16), &weekly, NextBill), until);
    assert_eq!(repeating(day(2026, 3, 2), &weekly, NextBill), months(1, 4));
}

#[test]
fn what_has_no_end_or_one_bill_needs_no_calendar() {
    let ask = |duration, end| carry(duration, end, None, SubscriptionsStart::NextBill);
    assert_eq!(ask(Duration::Forever, None), Carry::Forever);
    assert_eq!(ask(Duration::Once, None), Carry::Once);
    assert_eq!(ask(Duration::Repeating, Some(day(2026, 5, 1))), Carry::Unknown);
    assert_eq!(ask(Duration::Repeating, None), Carry::Unknown);
    let mut bills = monthly(day(2026, 1, 1), day(2026, 1, 1), day(2026, 2, 1));
    bills.ends = Some(bills.next);
    for duration in [Duration::Once, Duration::Forever] {
        assert_eq!(
            carry(duration, None, Some(&bills), SubscriptionsStart::NextBill),
            Carry::Ends
        );
    }
}

/// Bill by bill, by another way than the code's: day after day, asking whether one is due.
fn simulated(bills: &Bills, until: i64, most: usize) -> Vec<i64> {
    let anchor = Utc.timestamp_opt(bills.anchor, 0).unwrap();
    let mut all = vec![bills.next];
    let mut date = anchor.date_naive();
    let (mut year, mut month) = (date.year(), date.month());
    loop {
        let at = date.and_time(anchor.time()).and_utc().timestamp();
        if at >= until || all.len() >= most {
            return all.into_iter().filter(|bill| *bill < until).collect();
        }
        if at > bills.next {
            all.push(at);
        }
        match bills.interval {
            Interval::Day => date += chrono::TimeDelta::days(bills.every.into()),
            Interval::Week => date += chrono::TimeDelta::weeks(bills.every.into()),
            Interval::Month | Interval::Year => {
                let by = if bills.interval == Interval::Year { 12 } else { 1 };
                for _ in 0..bills.every * by {
                    (year, month) = if month == 12 {
                        (year + 1, 1)
                    } else {
                        (year, month + 1)
                    };
                }
                date = (1..=anchor.day())
                    .rev()
                    .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
                    .unwrap();
            }
        }
    }
}

fn subscriptions() -> impl Strategy<Value = Bills> {
    let intervals = prop_oneof![
        Just(Interval::Day),
        Just(Interval::Week),
        Just(Interval::Month),
        Just(Interval::Year)
    ];
    let ends = proptest::option::weighted(0.2, 0_i64..900);
    // Half of all anchors at the end of a month, where clamping tells.
    let anchors = prop_oneof![
        0_i64..1500,
        (0_i64..48).prop_map(|m| {
            let (year, month) = (
                i32::try_from(2022 + m / 12).unwrap(),
                u32::try_from(m % 12 + 1).unwrap(),
            );
            let next = if month == 12 {
                (year + 1, 1)
            } else {
                (year, month + 1)
            };
            let last = NaiveDate::from_ymd_opt(next.0, next.1, 1)
                .unwrap()
                .pred_opt()
                .unwrap();
            (last - NaiveDate::from_ymd_opt(2022, 1, 1).unwrap()).num_days()
        })
    ];
    (anchors, 0_i64..DAY, 0_usize..30, intervals, 1_u32..=12, ends).prop_map(
        |(days, second, nth, interval, every, ends)| {
            let anchor = day(2022, 1, 1) - day(2022, 1, 1) % DAY + days * DAY + second;
            let mut bills = Bills {
                anchor,
                period_start: anchor,
                next: anchor,
                ends: None,
                interval,
                every,
            };
            let grid = simulated(&bills, i64::MAX, nth + 2);
            (bills.period_start, bills.next) = (grid[nth], grid[nth + 1]);
            bills.ends = ends.map(|days| bills.next + days * DAY);
            bills
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What the page promises: as many discounted invoices on the new account as were left on the old one.
    #[test]
    fn discounted_invoices_are_those_that_were_left(
        bills in subscriptions(),
        days in -40_i64..1500,
        off_by in prop_oneof![Just(0_i64), -1_i64..=1, 0..DAY],
        backdated in any::<bool>(),
        on_grid in proptest::option::of(0_usize..20),
    ) {
        let start = if backdated { SubscriptionsStart::Backdated } else { SubscriptionsStart::NextBill };
        let grid = simulated(&bills, i64::MAX, 21);
        let end = on_grid.map_or(bills.next + days * DAY, |nth| grid[nth]) + off_by;
        let ends = bills.ends.unwrap_or(i64::MAX);
        let billed = |discounted_before: i64| simulated(&bills, discounted_before.min(ends), 100_000).len();
        let left = billed(end);
        match repeating(end, &bills, start) {
            Carry::Ends => prop_assert_eq!(left, 0),
            Carry::Months { months, invoices } => {
                let begins = if backdated { bills.period_start } else { bills.next };
                let begins = Utc.timestamp_opt(begins, 0).unwrap();
                let new_end = begins.checked_add_months(Months::new(months)).unwrap().timestamp();
                prop_assert!(months >= 1);
                prop_assert_eq!(billed(new_end), left);
                prop_assert_eq!(usize::try_from(invoices).unwrap(), left);
            }
            Carry::Until { at, invoices } => {
                prop_assert_eq!(billed(at), left);
                prop_assert_eq!(usize::try_from(invoices).unwrap(), left);
                // And indeed no whole number of months would do.
                let unbounded = Bills { ends: None, ..bills };
                let all = simulated(&unbounded, end, 100_000).len();
                let begins = Utc.timestamp_opt(if backdated { bills.period_start } else { bills.next }, 0).unwrap();
                for months in 1..=80 {
                    let new_end = begins.checked_add_months(Months::new(months)).unwrap().timestamp();
                    prop_assert!(simulated(&unbounded, new_end, 100_000).len() != all, "{} months would do", months);
                }
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_numbers_have_an_answer(
        anchor in any::<i64>(), period_start in any::<i64>(), next in any::<i64>(),
        ends in proptest::option::of(any::<i64>()), every in any::<u32>(), end in proptest::option::of(any::<i64>()),
        near in any::<bool>(), backdated in any::<bool>(),
    ) {
        let near = |at: i64| if near { at % 4_000_000_000 } else { at };
        let start = if backdated { SubscriptionsStart::Backdated } else { SubscriptionsStart::NextBill };
        for interval in [Interval::Day, Interval::Week, Interval::Month, Interval::Year] {
            let bills = Bills {
                anchor: near(anchor), period_start: near(period_start), next: near(next), ends, interval, every,
            };
            for duration in [Duration::Once, Duration::Repeating, Duration::Forever] {
                let _ = carry(duration, end.map(near), Some(&bills), start);
            }
        }
    }
}
