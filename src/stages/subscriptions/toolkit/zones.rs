//! Times of a whole file that are off together: dates turned into seconds in somebody's own time zone.
//!
//! Stripe keeps the time of day of a subscription from its first bill on, in UTC, so the original start and the next bill
//! lie a whole number of days apart. Where nine in ten rows miss that by the same whole quarter of an hour, the file was
//! made in another time zone. Where all starts lie at the same quarter of an hour that is not midnight in UTC, they were
//! probably midnight somewhere else. Both are said once, for the file, and never below [`FEWEST`] rows.

use super::cell::Note;
use super::check::Prints;
use super::columns::{Fixed, Header};

/// Fewer rows may agree by chance.
const FEWEST: u32 = 20;
const STEP: i64 = 900;
const DAY: i64 = 86_400;
/// Quarters of an hour in a day.
const BUCKETS: usize = 96;

pub(super) struct Zones {
    drifts: [u32; BUCKETS],
    drifting: u32,
    times: [u32; BUCKETS],
    starts: u32,
}

impl Default for Zones {
    fn default() -> Self {
        Self {
            drifts: [0; BUCKETS],
            drifting: 0,
            times: [0; BUCKETS],
            starts: 0,
        }
    }
}

fn bucket(seconds: i64) -> Option<usize> {
    let fits = seconds % STEP == 0;
    usize::try_from(seconds / STEP)
        .ok()
        .filter(|at| fits && *at < BUCKETS)
}

/// The fullest bucket but the first, when it holds that many of a hundred.
fn peak(buckets: &[u32; BUCKETS], all: u32, percent: u64) -> Option<i64> {
    if all < FEWEST {
        return None;
    }
    let (at, most) = (1_i64..).zip(&buckets[1..]).max_by_key(|(_, n)| **n)?;
    (u64::from(*most) * 100 >= u64::from(all) * percent).then_some(at * STEP)
}

impl Zones {
    pub(super) fn row(&mut self, prints: &Prints) {
        if prints.drift >= 0 {
            self.drifting = self.drifting.saturating_add(1);
            if let Some(at) = bucket(i64::from(prints.drift)) {
                self.drifts[at] = self.drifts[at].saturating_add(1);
            }
        }
        if prints.start != 0 {
            self.starts = self.starts.saturating_add(1);
            if let Some(at) = bucket(prints.start.rem_euclid(DAY)) {
                self.times[at] = self.times[at].saturating_add(1);
            }
        }
    }

    /// What to warn about: a column, and how far off.
    pub(super) fn suspicious(&self, header: &Header) -> Vec<(u16, Note)> {
        let mut out = Vec::new();
        if let Some(off) = peak(&self.drifts, self.drifting, 90) {
            let off = if off > DAY / 2 { off - DAY } else { off };
            let note = Note::Seconds("between original start and next bill, in nearly all rows", off);
            out.push((header.at(Fixed::Backdate), note));
        }
        if let Some(time) = peak(&self.times, self.starts, 95) {
            let note = Note::Seconds("after midnight UTC, in nearly all rows", time);
            out.push((header.at(Fixed::StartDate), note));
        }
        out
    }
}
