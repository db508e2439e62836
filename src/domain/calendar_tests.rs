use chrono::{NaiveDate, TimeZone as _};
use proptest::prelude::*;

use super::*;

fn day(year: i32, month: u32, day: u32) -> i64 {
    Utc.with_ymd_and_hms(year, month, day, 9, 30, 0)
        .unwrap()
        .timestamp()
}

#[test]
fn a_month_without_the_day_has_its_last_one_and_the_next_has_the_day_again() {
    let grid = Grid::new(day(2023, 12, 31), Step::Months(1)).unwrap();
    let points: Vec<i64> = (0..4).filter_map(|n| grid.point(n)).collect();
    assert_eq!(
        points,
        [
            day(2023, 12, 31),
            day(2024, 1, 31),
            day(2024, 2, 29),
            day(2024, 3, 31)
        ]
    );
    assert_eq!(grid.point(-10), Some(day(2023, 2, 28)));
    assert!(grid.has_own_day(day(2024, 3, 31)) && !grid.has_own_day(day(2024, 2, 29)));
    let leap = Grid::new(day(2024, 2, 29), Step::Months(12)).unwrap();
    let days: Vec<bool> = (0..5)
        .filter_map(|n| leap.point(n))
        .map(|at| leap.has_own_day(at))
        .collect();
    assert_eq!(days, [true, false, false, false, true]);
}

#[test]
fn nowhere_is_no_grid() {
    for step in [Step::Days(0), Step::Months(0), Step::Days(-1)] {
        assert_eq!(Grid::new(0, step), None);
    }
    assert_eq!(Grid::new(i64::MAX, Step::Days(1)), None);
}

/// The `n`th point by another way: month by month on dates.
fn by_hand(anchor: NaiveDate, step: Step, n: i64) -> NaiveDate {
    match step {
        Step::Days(days) => anchor + chrono::TimeDelta::days(n * days),
        Step::Months(months) => {
            let all = i64::from(anchor.year()) * 12 + i64::from(anchor.month0()) + n * months;
            let year = i32::try_from(all.div_euclid(12)).unwrap();
            let month = u32::try_from(all.rem_euclid(12)).unwrap() + 1;
            (1..=anchor.day())
                .rev()
                .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
                .unwrap()
        }
    }
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_i64..40).prop_map(Step::Days),
        (1_i64..40).prop_map(Step::Months)
    ]
}

proptest! {
    #[test]
    fn points_are_those_of_the_calendar_and_are_found_again(
        days in 0_i64..4000, step in steps(), n in -200_i64..200, off in -40 * DAY..40 * DAY
    ) {
        let anchor = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::TimeDelta::days(days);
        let at = |date: NaiveDate| date.and_hms_opt(7, 8, 9).unwrap().and_utc().timestamp();
        let grid = Grid::new(at(anchor), step).unwrap();
        let point = grid.point(n).unwrap();
        prop_assert_eq!(point, at(by_hand(anchor, step, n)));
        prop_assert_eq!(grid.at(point), Some(n));
        let first = grid.first_from(point + off);
        prop_assert!(grid.point(first).unwrap() >= point + off);
        prop_assert!(grid.point(first - 1).unwrap() < point + off);
        let within = (n..n + 100).filter(|n| grid.point(*n).unwrap() < point + off).count();
        prop_assert_eq!(usize::try_from(grid.between(point, point + off)).unwrap(), within);
    }

    #[test]
    fn any_numbers_have_an_answer(
        anchor in any::<i64>(), n in any::<i64>(), at in any::<i64>(), months in any::<bool>(), by in any::<i64>()
    ) {
        let step = if months { Step::Months(by) } else { Step::Days(by) };
        if let Some(grid) = Grid::new(anchor % 4_000_000_000, step) {
            let _ = (grid.point(n), grid.first_from(at), grid.at(at), grid.between(at, n), grid.has_own_day(at));
        }
    }
}
