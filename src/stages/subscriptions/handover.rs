//! When a subscription is handed over: the first end of a period, on the old grid and on the anchor's own day, that is
//! not too soon. PURE; why it is so stands on the [stage's page](super).

use super::facts::{Interval, Old, Rhythm, Status};
use crate::domain::calendar::{DAY, Grid, Step};

/// The longest the old account bills on only to find a month with the anchor's day: from 31 January to 31 March is 59
/// days in a leap year, from one month of 31 days to the next but one 62.
pub const LONGEST_WAIT: i64 = 62 * DAY;

/// Where the old account ends and the new one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// It is clear.
    At(Point),
    /// The anchor's own day is too far: the first end of a period, and how long the wait would be, seconds.
    AnchorDay {
        /// h, if a person accepts that it bills on this day for ever.
        first: Point,
        /// From there to the next end of a period on the anchor's own day; `None`: none in sight.
        wait: Option<i64>,
    },
    /// Its items have different rhythms or periods: there is no one end of a period.
    MixedPeriods,
    /// Its current period does not end where the anchor says: what the old account bills next cannot be told.
    OffGrid,
}

/// The end of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// h, seconds.
    pub at: i64,
    /// Bills the old account still makes before it: `i` of the page.
    pub bills_before: i64,
}

/// The grid of `rhythm` from `anchor`.
#[must_use]
pub fn grid(anchor: i64, rhythm: Rhythm) -> Option<Grid> {
    let every = i64::from(rhythm.every);
    let step = match rhythm.interval {
        Interval::Day => Step::Days(every),
        Interval::Week => Step::Days(every.checked_mul(7)?),
        Interval::Month => Step::Months(every),
        Interval::Year => Step::Months(every.checked_mul(12)?),
    };
    Grid::new(anchor, step)
}

/// The grid of a subscription whose items share one period.
#[must_use]
pub fn grid_of(old: &Old) -> Option<Grid> {
    let rhythm = old.items.first()?.price.rhythm?;
    old.one_period().then(|| grid(old.anchor, rhythm))?
}

/// The handover of `old`, no sooner than `earliest`, seconds.
#[must_use]
pub fn of(old: &Old, earliest: i64) -> Handover {
    let (Some(grid), Some(ends)) = (grid_of(old), old.period_end()) else {
        return Handover::MixedPeriods;
    };
    let on_grid = grid.at(ends);
    let Some(p0) = on_grid.filter(|_| is_usual(old, ends)) else {
        return Handover::OffGrid;
    };
    find(&grid, p0, earliest)
}

/// A trial is one period that ends with it. One that says something else is not understood.
fn is_usual(old: &Old, ends: i64) -> bool {
    old.status != Status::Trialing || old.trial_end == Some(ends)
}

/// The first point from the `p0`th on that is not before `earliest` and has the anchor's day.
fn find(grid: &Grid, p0: i64, earliest: i64) -> Handover {
    let first = grid.first_from(earliest).max(p0);
    let point = |n: i64| {
        let bills_before = n.saturating_sub(p0);
        grid.point(n).map(|at| Point { at, bills_before })
    };
    let Some(soonest) = point(first) else {
        return Handover::OffGrid;
    };
    // A year whose anchor is 29 February has its day again after four, or eight.
    let own_day = (first..first.saturating_add(12)).filter_map(point);
    let own_day = own_day.into_iter().find(|point| grid.has_own_day(point.at));
    match own_day {
        Some(point) if point.at.saturating_sub(soonest.at) <= LONGEST_WAIT => Handover::At(point),
        far => Handover::AnchorDay {
            first: soonest,
            wait: far.map(|point| point.at.saturating_sub(soonest.at)),
        },
    }
}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
