//! Points in time that lie evenly on the calendar: when a subscription bills. PURE.
//!
//! Days and weeks are lengths of time; months are not. A month without the anchor's day has its last one, and the month
//! after that the anchor's day again, so points are always counted from the anchor and never from one another.

use chrono::{DateTime, Datelike as _, Months, Utc};

/// Seconds of a day: the calendar is UTC, as Stripe's is, and has no other days.
pub const DAY: i64 = 86_400;

/// From one point to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many days.
    Days(i64),
    /// So many months.
    Months(i64),
}

/// All points, from an anchor in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    anchor: DateTime<Utc>,
    step: Step,
}

impl Grid {
    /// `anchor` in seconds. `None` for one that no calendar has, and for a step that goes nowhere.
    #[must_use]
    pub fn new(anchor: i64, step: Step) -> Option<Self> {
        let (Step::Days(n) | Step::Months(n)) = step;
        let anchor = DateTime::from_timestamp(anchor, 0)?;
        (n > 0).then_some(Self { anchor, step })
    }

    /// The `n`th point, seconds, counted from the anchor. Beyond the calendar there is nothing.
    #[must_use]
    pub fn point(&self, n: i64) -> Option<i64> {
        match self.step {
            Step::Days(days) => {
                let secs = n.checked_mul(days)?.checked_mul(DAY)?;
                self.anchor.timestamp().checked_add(secs)
            }
            Step::Months(months) => {
                let months = n.checked_mul(months)?;
                let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
                let at = if months < 0 {
                    self.anchor.checked_sub_months(by)
                } else {
                    self.anchor.checked_add_months(by)
                };
                Some(at?.timestamp())
            }
        }
    }

    /// The number of the first point that is not before `at`.
    #[must_use]
    pub fn first_from(&self, at: i64) -> i64 {
        let shortest = match self.step {
            Step::Days(days) => days.saturating_mul(DAY),
            Step::Months(months) => months.saturating_mul(28 * DAY),
        };
        let far = at.saturating_sub(self.anchor.timestamp()) / shortest;
        let (mut low, mut high) = (far.min(0).saturating_sub(2), far.max(0).saturating_add(2));
        while low < high {
            let middle = low + (high - low) / 2;
            let before = self.point(middle).map_or(middle < 0, |point| point < at);
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The number of the point that lies at `at`, if one does.
    #[must_use]
    pub fn at(&self, at: i64) -> Option<i64> {
        let n = self.first_from(at);
        (self.point(n) == Some(at)).then_some(n)
    }

    /// Points in `from..to`.
    #[must_use]
    pub fn between(&self, from: i64, to: i64) -> i64 {
        self.first_from(to).saturating_sub(self.first_from(from)).max(0)
    }

    /// Whether `at` has the anchor's day of the month. Where steps are days every point has.
    #[must_use]
    pub fn has_own_day(&self, at: i64) -> bool {
        match self.step {
            Step::Days(_) => true,
            Step::Months(_) => {
                DateTime::from_timestamp(at, 0).is_some_and(|at: DateTime<Utc>| at.day() == self.anchor.day())
            }
        }
    }

    /// From one point to the next.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// The same steps from another anchor.
    #[must_use]
    pub fn anchored(&self, anchor: i64) -> Option<Self> {
        Self::new(anchor, self.step)
    }
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
