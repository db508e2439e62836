use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::stages::subscriptions::samples::{self, item, old};

const INTERVALS: [(Interval, u32); 8] = [
    (Interval::Day, 1),
    (Interval::Day, 10),
    (Interval::Week, 1),
    (Interval::Week, 2),
    (Interval::Month, 1),
    (Interval::Month, 3),
    (Interval::Month, 6),
    (Interval::Year, 1),
];

fn at(date: NaiveDate) -> i64 {
    date.and_hms_opt(9, 30, 15).unwrap().and_utc().timestamp()
}

fn ymd(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// When something anchored on `anchor` bills, by another way than the code's: date after date, up to `until`.
fn bills(anchor: NaiveDate, (interval, every): (Interval, u32), until: NaiveDate) -> Vec<NaiveDate> {
    let mut all = Vec::new();
    let mut months = anchor.year() * 12 + i32::try_from(anchor.month0()).unwrap();
    let mut date = anchor;
    while date < until {
        all.push(date);
        let every_month = i32::try_from(every).unwrap();
        match interval {
            Interval::Day => date += TimeDelta::days(every.into()),
            Interval::Week => date += TimeDelta::weeks(every.into()),
            Interval::Month | Interval::Year => {
                months += every_month * if interval == Interval::Year { 12 } else { 1 };
                let month = u32::try_from(months % 12).unwrap() + 1;
                date = (1..=anchor.day())
                    .rev()
                    .find_map(|day| NaiveDate::from_ymd_opt(months / 12, month, day))
                    .unwrap();
            }
        }
    }
    all
}

fn subscription(anchor: NaiveDate, rhythm: (Interval, u32), period: (NaiveDate, NaiveDate)) -> Old {
    let mut old = old("sub_1", "cus_m1");
    old.anchor = at(anchor);
    let price = samples::price("price_1", "2000", rhythm);
    old.items = vec![item("si_1", price, 1, (at(period.0), at(period.1)))];
    old
}

fn date(at: i64) -> NaiveDate {
    DateTime::<Utc>::from_timestamp(at, 0).unwrap().date_naive()
}

/// Every anchor of fourteen months around a leap day, every interval, and an earliest start on each day of a year: what
/// the old account bills before h and the new one from h on is what the old one alone would have billed.
#[test]
fn every_period_is_billed_once_by_one_of_the_two() {
    let mut clear = 0;
    for rhythm in INTERVALS {
        for anchor in ymd(2023, 1, 1).iter_days().take(425) {
            let alone = bills(anchor, rhythm, ymd(2029, 12, 1));
            for (nth, days) in (0_i64..366).step_by(17).enumerate() {
                let period = alone.windows(2).nth(nth % 5).map(|two| (two[0], two[1])).unwrap();
                let old = subscription(anchor, rhythm, period);
                let earliest = at(period.0) + days * DAY + 3600;
                let (point, same_day) = match of(&old, earliest) {
                    Handover::At(point) => (point, true),
                    Handover::AnchorDay { first, .. } => (first, false),
                    other => panic!("{other:?}"),
                };
                assert!(point.at >= earliest && point.at >= at(period.1));
                let h = date(point.at);
                let by_old: Vec<_> = alone
                    .iter()
                    .filter(|bill| **bill >= period.1 && **bill < h)
                    .collect();
                assert_eq!(i64::try_from(by_old.len()).unwrap(), point.bills_before);
                let by_new = bills(h, rhythm, ymd(2029, 12, 1));
                if same_day {
                    clear += 1;
                    let expected: Vec<_> = alone.iter().filter(|bill| **bill >= h).collect();
                    assert_eq!(
                        by_new.iter().collect::<Vec<_>>(),
                        expected,
                        "{anchor} {rhythm:?} {h}"
                    );
                } else {
                    // The choice of a new day: nothing twice, and nothing left out between the two.
                    assert!(alone.contains(&h) && by_new[0] == h);
                    assert_ne!(h.day(), anchor.day());
                }
            }
        }
    }
    assert!(clear > 50_000);
}

#[test]
fn no_sooner_point_of_the_own_day_is_passed_over() {
    for anchor in ymd(2024, 1, 1).iter_days().take(366) {
        let alone = bills(anchor, (Interval::Month, 1), ymd(2026, 12, 1));
        let old = subscription(anchor, (Interval::Month, 1), (alone[0], alone[1]));
        for days in 0..200 {
            let earliest = at(anchor) + days * DAY;
            let mut good = alone[1..]
                .iter()
                .filter(|bill| bill.day() == anchor.day() && at(**bill) >= earliest);
            let Handover::At(point) = of(&old, earliest) else {
                panic!("{anchor}: a month has every day within {LONGEST_WAIT} s");
            };
            assert_eq!(Some(&date(point.at)), good.next());
        }
    }
}

#[test]
fn the_last_days_of_months_wait_for_a_month_that_has_them() {
    let january = ymd(2025, 1, 31);
    let old = subscription(january, (Interval::Month, 1), (january, ymd(2025, 2, 28)));
    let point = |date: NaiveDate, bills_before| Point {
        at: at(date),
        bills_before,
    };
    assert_eq!(
        of(&old, at(ymd(2025, 2, 1))),
        Handover::At(point(ymd(2025, 3, 31), 1))
    );
    let quarterly = subscription(
        ymd(2025, 8, 31),
        (Interval::Month, 3),
        (ymd(2025, 8, 31), ymd(2025, 11, 30)),
    );
    assert_eq!(
        of(&quarterly, at(ymd(2025, 9, 2))),
        Handover::AnchorDay {
            first: point(ymd(2025, 11, 30), 0),
            wait: Some(182 * DAY),
        }
    );
    let leap = subscription(
        ymd(2024, 2, 29),
        (Interval::Year, 1),
        (ymd(2025, 2, 28), ymd(2026, 2, 28)),
    );
    let Handover::AnchorDay { first, wait } = of(&leap, at(ymd(2025, 9, 2))) else {
        panic!("a leap day is far");
    };
    assert_eq!(first, point(ymd(2026, 2, 28), 0));
    assert_eq!(wait, Some(at(ymd(2028, 2, 29)) - at(ymd(2026, 2, 28))));
}

#[test]
fn a_trial_ends_like_a_period_and_is_not_moved() {
    let (began, ends) = (ymd(2026, 3, 1), ymd(2026, 3, 15));
    let mut old = subscription(ends, (Interval::Month, 1), (began, ends));
    (old.status, old.trial_end) = (Status::Trialing, Some(at(ends)));
    assert!(
        matches!(of(&old, at(began)), Handover::At(point) if point.at == at(ends) && point.bills_before == 0)
    );
    let late = of(&old, at(ends) + 1);
    assert!(
        matches!(late, Handover::At(point) if point.at == at(ymd(2026, 4, 15)) && point.bills_before == 1)
    );
    old.trial_end = Some(at(ends) + DAY);
    assert_eq!(of(&old, at(began)), Handover::OffGrid);
}

#[test]
fn what_has_no_one_period_has_no_handover() {
    let (anchor, next) = (ymd(2026, 1, 5), ymd(2026, 2, 5));
    let mut old = subscription(anchor, (Interval::Month, 1), (anchor, next));
    let yearly = samples::price("price_2", "900", (Interval::Year, 1));
    old.items.push(item("si_2", yearly, 1, (at(anchor), at(next))));
    assert_eq!(of(&old, 0), Handover::MixedPeriods);
    old.items.pop();
    old.items[0].period.1 += 60;
    assert_eq!(of(&old, 0), Handover::OffGrid);
    old.items.clear();
    assert_eq!(of(&old, 0), Handover::MixedPeriods);
}

proptest! {
    #[test]
    fn any_numbers_have_an_answer(
        anchor in any::<i64>(), every in any::<u32>(), ends in any::<i64>(), earliest in any::<i64>(), months in any::<bool>()
    ) {
        let mut old = old("sub_1", "cus_m1");
        old.anchor = anchor % 4_000_000_000;
        let interval = if months { Interval::Month } else { Interval::Week };
        let price = samples::price("price_1", "2000", (interval, every));
        let ends = if ends % 2 == 0 { old.anchor } else { ends };
        old.items = vec![item("si_1", price, 1, (0, ends))];
        if let Handover::At(point) = of(&old, earliest) {
            prop_assert!(point.at >= earliest && point.at >= ends && point.bills_before >= 0);
        }
    }
}
