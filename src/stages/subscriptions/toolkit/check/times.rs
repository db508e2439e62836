//! The times of a row against the upload and against each other.

use super::items::Sold;
use super::{Checker, Faults, Held, Proration, Simple};
use crate::stages::subscriptions::toolkit::Rule;
use crate::stages::subscriptions::toolkit::cell::Note;
use crate::stages::subscriptions::toolkit::columns::{Fixed, NONE};
use crate::stages::subscriptions::toolkit::split::Cells;

const DAY: i64 = 86_400;
/// Nobody plans a migration that far ahead.
const FAR: i64 = 2 * 366 * DAY;
/// Time zones are a multiple of this away from UTC, and at most fourteen hours.
pub(in crate::stages::subscriptions::toolkit) const ZONE_STEP: i64 = 900;
const ZONE_MOST: i64 = 14 * 3_600;

/// Seconds of the day between the original start and the next bill, which are the same on every grid of Stripe's.
pub(super) fn drift(simple: &Simple) -> i32 {
    let next = simple.anchor.good().or(simple.start.good());
    match (simple.backdate.good(), next) {
        (Some(origin), Some(next)) => i32::try_from((next - origin).rem_euclid(DAY)).unwrap_or(-1),
        _ => -1,
    }
}

impl Checker {
    pub(super) fn times(&self, cells: Cells<'_>, simple: &Simple, sold: &Sold, faults: &mut Faults<'_>) {
        self.start(simple, faults);
        self.backdate(simple, faults);
        if let Held::Good(end) = simple.trial_end {
            self.trial(end, simple, sold, faults);
        }
        if let Held::Good(anchor) = simple.anchor {
            self.anchor(anchor, simple, sold, faults);
        }
        if self.header.period_end != NONE {
            self.period_end(cells, simple, faults);
        }
    }

    fn start(&self, simple: &Simple, faults: &mut Faults<'_>) {
        let at = self.header.at(Fixed::StartDate);
        match simple.start {
            Held::Empty => faults.add(Rule::MissingValue, at, Note::Nothing),
            Held::Good(start) => {
                let earliest = self.rules.earliest_start();
                if start < earliest {
                    faults.add(Rule::StartTooSoon, at, Note::Number("the earliest is", earliest));
                } else if start > self.rules.now.saturating_add(FAR) {
                    faults.add(Rule::StartFarAhead, at, Note::Nothing);
                }
            }
            Held::Bad => {}
        }
    }

    fn backdate(&self, simple: &Simple, faults: &mut Faults<'_>) {
        let at = self.header.at(Fixed::Backdate);
        if let Held::Good(origin) = simple.backdate
            && origin >= self.rules.now
        {
            faults.add(Rule::BackdateNotPast, at, Note::Nothing);
        }
        if simple.backdate == Held::Empty {
            return;
        }
        let proration = self.header.at(Fixed::Proration);
        let proration = if proration == NONE { at } else { proration };
        match (simple.proration, simple.anchor) {
            (Held::Good(Proration::None) | Held::Bad, _) => {}
            (Held::Good(Proration::Create), Held::Good(_)) => {
                faults.add(Rule::BackdateProrated, proration, Note::Nothing);
            }
            _ => faults.add(Rule::BackdateNeedsNone, proration, Note::Nothing),
        }
    }

    fn trial(&self, end: i64, simple: &Simple, sold: &Sold, faults: &mut Faults<'_>) {
        let at = self.header.at(Fixed::TrialEnd);
        let start = simple.start.good();
        let cycle = start
            .zip(sold.cycle)
            .map(|(start, cycle)| start.saturating_add(cycle));
        let cycle_end = simple.anchor.good().or(cycle);
        if start.is_some_and(|start| end <= start) {
            faults.add(Rule::TrialNotAfterStart, at, Note::Nothing);
        } else if cycle_end.is_some_and(|cycle| end > cycle) {
            faults.add(Rule::TrialAfterCycle, at, Note::Nothing);
        }
        if simple.backdate != Held::Empty {
            faults.add(
                Rule::TrialWithBackdate,
                self.header.at(Fixed::Backdate),
                Note::Nothing,
            );
        }
    }

    fn anchor(&self, anchor: i64, simple: &Simple, sold: &Sold, faults: &mut Faults<'_>) {
        let at = self.header.at(Fixed::Anchor);
        let Held::Good(start) = simple.start else {
            return;
        };
        if anchor < start {
            faults.add(Rule::AnchorBeforeStart, at, Note::Nothing);
            return;
        }
        if anchor > start.saturating_add(sold.cycle.unwrap_or(366 * DAY)) {
            faults.add(Rule::AnchorBeyondCycle, at, Note::Nothing);
        }
        if anchor == start {
            return;
        }
        // During a trial nothing is billed anyway.
        if simple.proration == Held::Good(Proration::None) && simple.trial_end == Held::Empty {
            let stake = sold.money.map(|(minor, currency)| Note::Stake(minor, currency));
            let rule = match simple.backdate {
                Held::Empty => Rule::AnchorWithoutProration,
                _ => Rule::FreeCycle,
            };
            faults.add(rule, at, stake.unwrap_or(Note::Nothing));
        }
        if simple.cancel == Held::Good(true) {
            faults.add(Rule::CancelAtAnchor, self.header.at(Fixed::Cancel), Note::Nothing);
        }
    }

    /// Start, or anchor, against the end of the old period, where a column tells it.
    fn period_end(&self, cells: Cells<'_>, simple: &Simple, faults: &mut Faults<'_>) {
        let Some(end) = instant(cells.get(self.header.period_end)) else {
            return;
        };
        let columns = [(simple.anchor, Fixed::Anchor), (simple.start, Fixed::StartDate)];
        let times = columns
            .into_iter()
            .filter_map(|(held, column)| Some((held.good()?, column)));
        // Exports have minutes and no seconds.
        let off = |time: i64| time.div_euclid(60) * 60 - end.div_euclid(60) * 60;
        let nearest = times.min_by_key(|(time, _)| off(*time).abs());
        if let Some((time, column)) = nearest {
            let off = off(time);
            if off != 0 && off.abs() <= ZONE_MOST && off % ZONE_STEP == 0 {
                let note = Note::Seconds("from the end of the old period", off);
                faults.add(Rule::WholeHourOffset, self.header.at(column), note);
            }
        }
    }
}

/// Epoch seconds, or a date as the Dashboard exports it (`2026-02-14 00:00`, UTC).
fn instant(cell: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(cell).ok()?.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds).filter(|seconds| (100_000_000..10_000_000_000).contains(seconds));
    }
    if let Ok(instant) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp());
    }
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
    let read = |format: &&str| chrono::NaiveDateTime::parse_from_str(text, format).ok();
    formats
        .iter()
        .find_map(read)
        .map(|time| time.and_utc().timestamp())
}
