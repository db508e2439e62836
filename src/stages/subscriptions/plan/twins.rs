//! Which rule holds where the new account has something already. PURE.
//!
//! Once the new one has begun and the old one was stopped by us, the new account has the word: a customer who changes
//! plan there is no difference, and nothing is compared.

use super::decide::{Made, blank, no_handover, stopping, wanting, words_of};
use super::words::{self, day};
use super::{Case, Scene, bills};
use crate::domain::text::safe;
use crate::stages::subscriptions::classes::{self, ends_by_itself};
use crate::stages::subscriptions::effects::{Extra, KEEP_FIRST, NEW_DAY, Row};
use crate::stages::subscriptions::facts::{Old, Phase, Status, Twin};
use crate::stages::subscriptions::handover::{self, Handover, Point};
use crate::stages::subscriptions::same;
use crate::stages::subscriptions::terms::{Trouble, Wanted};

/// How this program stopped the old one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// It did not, or somebody took it back.
    No,
    /// It ends with its period.
    Ends,
    /// Its bills stay drafts.
    Paused,
    /// It is over.
    Over,
}

/// Whether the old one was stopped for `h` by us, and is still. One that was cancelled at once before its end was
/// somebody else's doing.
fn stopped(old: &Old) -> Stopped {
    let Some(h) = old.stopped_for() else {
        return Stopped::No;
    };
    if old.status == Status::Ended {
        return if old.ended_at.is_none_or(|ended| ended >= h) {
            Stopped::Over
        } else {
            Stopped::No
        };
    }
    if old.ends_with_period && old.period_end() == Some(h) {
        Stopped::Ends
    } else if old.pause.as_deref() == Some("keep_as_draft") {
        Stopped::Paused
    } else {
        Stopped::No
    }
}

/// Several twins: which of them goes on is a person's.
pub(super) fn several(scene: &Scene<'_>, case: Case<'_>, first: &Twin, later: &[Twin]) -> Made {
    let mut row = blank(scene, case);
    row.next_new = first.phases.first().map(|phase| bills::of_phase(scene, phase));
    row.handover = Some(first.start);
    let names: Vec<String> = [first].into_iter().chain(later).map(name).collect();
    let why = format!(
        "the new account has {} for it, and each of them bills: {}",
        names.len(),
        names.join(", ")
    );
    let schedules: Option<Vec<&str>> = later
        .iter()
        .map(|twin| twin.schedule.as_deref().filter(|_| !twin.begun))
        .collect();
    let made = |row: Row| Made::blocked("two_twins", row, why.clone());
    let Some(schedules) = schedules else {
        return made(row).noting(vec![
            "a later one has begun already: it is ended by hand".to_owned(),
        ]);
    };
    let writes = schedules
        .iter()
        .map(|id| scene.effects.withdraw(&row, id))
        .collect();
    let means = format!(
        "{} stays, the later ones are cancelled before they begin",
        name(first)
    );
    made(row).choosing(KEEP_FIRST, means, writes)
}

fn name(twin: &Twin) -> String {
    let id = twin.schedule.as_ref().or(twin.subscription.as_ref());
    id.map(|id| safe(id).to_string()).unwrap_or_default()
}

/// One twin.
pub(super) fn one(scene: &Scene<'_>, case: Case<'_>, twin: &Twin) -> Made {
    let Some(old) = case.old else {
        return withdraw(scene, case, twin, "it is not on the old account any more");
    };
    let stop = stopped(old);
    if let Some(why) = leaves(old, stop, twin.start) {
        return withdraw(scene, case, twin, &why);
    }
    if stop == Stopped::Over || (stop != Stopped::No && twin.begun) {
        return handed_over(scene, with_twin(scene, case, old, twin), old, stop, twin);
    }
    if old.status == Status::Ended {
        return double(scene, case, old, twin);
    }
    if let Some((rule, why)) = silent(old, stop) {
        return Made::blocked(rule, with_twin(scene, case, old, twin), why);
    }
    compared(scene, case, old, stop, twin)
}

/// Why there is nothing to hand over: it ends before the twin begins, and not by our hand.
fn leaves(old: &Old, stop: Stopped, start: i64) -> Option<String> {
    if stop != Stopped::No {
        return None;
    }
    if old.status == Status::Ended {
        let ended = old.ended_at.or(old.period_end()).unwrap_or_default();
        let is_before = ended <= start || old.period_end().is_some_and(|ends| ends <= start);
        return is_before.then(|| format!("it ended on {}, and not by this program", day(ended)));
    }
    let ends = ends_by_itself(old).filter(|ends| *ends <= start)?;
    Some(format!("it ends on {}, and not by this program", day(ends)))
}

/// An old one that does not bill: neither may the new one, until somebody says why.
fn silent(old: &Old, stop: Stopped) -> Option<(&'static str, &'static str)> {
    match old.status {
        Status::Paused => Some((
            "paused",
            "its trial ended without a payment method; the new one would bill",
        )),
        Status::Incomplete => Some((
            "incomplete",
            "its first payment is pending; the new one would bill",
        )),
        Status::Other => Some((
            "status_unknown",
            "its status is a word this program does not know",
        )),
        _ if paused_by_others(old, stop) => Some((
            "collection_paused",
            "its collection was paused by somebody; the new one would bill",
        )),
        _ => None,
    }
}

/// Ours is a pause that leaves drafts, beside our mark.
fn paused_by_others(old: &Old, stop: Stopped) -> bool {
    let drafts = old.pause.as_deref() == Some("keep_as_draft");
    old.pause.is_some() && !(drafts && stop != Stopped::No)
}

fn withdraw(scene: &Scene<'_>, case: Case<'_>, twin: &Twin, why: &str) -> Made {
    let row = blank(scene, case);
    let Some(schedule) = twin.schedule.as_deref().filter(|_| !twin.begun) else {
        let why = format!("{why}, but the new one has begun on {}", day(twin.start));
        return Made::blocked("withdraw", row, why);
    };
    let writes = vec![scene.effects.withdraw(&row, schedule)];
    let effect = format!(
        "The schedule that would begin on {} is cancelled, without a bill.",
        day(twin.start)
    );
    Made::planned("withdraw", row, why, effect).writing(writes)
}

/// The row of a twin as it is.
fn with_twin(scene: &Scene<'_>, case: Case<'_>, old: &Old, twin: &Twin) -> Row {
    Row {
        handover: Some(twin.start),
        phases: twin.phases.clone(),
        ends: twin.ends,
        next_new: next_of(scene, twin),
        classes: classes::of(old, case.person, 0),
        ..blank(scene, case)
    }
}

fn next_of(scene: &Scene<'_>, twin: &Twin) -> Option<crate::stages::subscriptions::effects::Bill> {
    let first: Option<&Phase> = twin.phases.first().filter(|_| !twin.begun);
    first.map(|phase| bills::of_phase(scene, phase))
}

fn handed_over(scene: &Scene<'_>, mut row: Row, old: &Old, stop: Stopped, twin: &Twin) -> Made {
    let window = scene.world.window_ends;
    if stop != Stopped::Paused {
        let why = "the new one goes on, and the old one was stopped for it";
        return Made::noop("handed_over", row, why);
    }
    if scene.world.now < window || !twin.begun {
        row.again_at = Some(window.max(twin.start));
        let why = format!(
            "the new one goes on; the old one is paused, and cancelled once the settlement window is over, {}",
            day(window)
        );
        return Made::noop("handed_over", row, why);
    }
    if old.schedule.is_some() {
        let why = "the settlement window is over, but a schedule manages the old one again; look at it";
        return Made::blocked("cancel_old", row, why);
    }
    let writes = vec![scene.effects.cancel_old(&row)];
    let effect = "The old one is cancelled for good: no bill, no proration; its drafts stay.".to_owned();
    Made::planned(
        "cancel_old",
        row,
        "the new one has begun, and the settlement window is over",
        effect,
    )
    .writing(writes)
}

fn double(scene: &Scene<'_>, case: Case<'_>, old: &Old, twin: &Twin) -> Made {
    let period = old.items.first().map_or((0, 0), |item| item.period);
    let why = format!(
        "the old account billed from {} to {}, and the new one bills from {}",
        day(period.0),
        day(period.1),
        day(twin.start)
    );
    Made::blocked("double", with_twin(scene, case, old, twin), why)
}

/// Where the old one still bills, or will be stopped: the twin must be what it is now.
fn compared(scene: &Scene<'_>, case: Case<'_>, old: &Old, stop: Stopped, twin: &Twin) -> Made {
    let point = match place(scene, old, stop, twin) {
        Ok(point) => point,
        // The old account bills beyond the twin's start, or what it bills next cannot be told.
        Err(_) if twin.begun || twin.start <= scene.world.now => return double(scene, case, old, twin),
        Err(handover) => return moved(scene, case, old, handover, twin),
    };
    let wanted = match scene.terms(false).of(old, point.at) {
        Ok(wanted) => as_stopped(wanted, stop, twin),
        Err(trouble) if twin.begun => {
            let why = format!("{}; and the new one has begun", trouble.why);
            return Made::blocked("double", with_twin(scene, case, old, twin), why);
        }
        Err(Trouble { rule, why }) => {
            return Made::blocked(rule, with_twin(scene, case, old, twin), why);
        }
    };
    let differ = same::differences(&old.customer, &wanted.phases, wanted.ends, twin);
    let row = wanting(scene, case, old, point, &wanted);
    let row = Row { route: None, ..row };
    if !differ.is_empty() {
        return change(scene, old, row, &wanted, &differ, twin);
    }
    let made = equal(scene, case, old, row, stop, point, twin);
    made.noting(wanted.notes)
}

/// The end of a period at which the twin takes over.
fn place(scene: &Scene<'_>, old: &Old, stop: Stopped, twin: &Twin) -> Result<Point, Handover> {
    if stop != Stopped::No {
        let at = old.stopped_for().unwrap_or(twin.start);
        return Ok(Point { at, bills_before: 0 });
    }
    let fresh = || handover::of(old, scene.world.earliest);
    let (Some(grid), Some(ends)) = (handover::grid_of(old), old.period_end()) else {
        return Err(fresh());
    };
    match (grid.at(twin.start), grid.at(ends)) {
        (Some(h), Some(p0)) if h >= p0 => Ok(Point {
            at: twin.start,
            bills_before: h - p0,
        }),
        _ => Err(fresh()),
    }
}

/// The old one's periods have moved away from the twin's start.
fn moved(scene: &Scene<'_>, case: Case<'_>, old: &Old, handover: Handover, twin: &Twin) -> Made {
    let (point, new_day) = match handover {
        Handover::At(point) => (point, false),
        Handover::AnchorDay { first, .. } => (first, true),
        Handover::MixedPeriods | Handover::OffGrid => return no_handover(scene, case, old, handover),
    };
    let wanted = match scene.terms(false).of(old, point.at) {
        Ok(wanted) => wanted,
        Err(Trouble { rule, why }) => {
            return Made::blocked(rule, with_twin(scene, case, old, twin), why);
        }
    };
    let row = wanting(scene, case, old, point, &wanted);
    let row = Row { route: None, ..row };
    if !new_day {
        let differ = same::differences(&old.customer, &wanted.phases, wanted.ends, twin);
        return change(scene, old, row, &wanted, &differ, twin);
    }
    let why = format!(
        "its periods moved, and the next ends on {}, a day that its anchor does not have",
        day(point.at)
    );
    let Some(schedule) = twin.schedule.as_deref() else {
        return Made::blocked("anchor_day", row, why);
    };
    let means = format!(
        "the schedule begins on {}, and bills on that day from then on",
        day(point.at)
    );
    let writes = vec![scene.effects.change(&row, schedule, &Extra::of(old))];
    Made::blocked("anchor_day", row, why).choosing(NEW_DAY, means, writes)
}

/// Of an old one that was stopped by us its own end says nothing, and its schedule is released: what the twin has of
/// these stands.
fn as_stopped(mut wanted: Wanted, stop: Stopped, twin: &Twin) -> Wanted {
    if stop == Stopped::No {
        return wanted;
    }
    wanted.ends = twin.ends;
    let one_content = wanted.phases.len() == twin.phases.len();
    match (wanted.phases.last_mut(), twin.phases.last()) {
        (Some(wanted), Some(twin)) if one_content => wanted.end = twin.end,
        _ => {
            let note = "it had phases that went with its schedule: what the new one has of them is not compared again";
            wanted.notes.push(note.to_owned());
            wanted.phases.clone_from(&twin.phases);
        }
    }
    wanted
}

fn change(scene: &Scene<'_>, old: &Old, row: Row, wanted: &Wanted, differ: &[&str], twin: &Twin) -> Made {
    let what = differ.join(", ");
    let Some(schedule) = twin.schedule.as_deref().filter(|_| !twin.begun) else {
        let why = format!("the new one has begun and differs from what the old one is now: {what}");
        return Made::blocked("twin_differs", row, why);
    };
    if row.handover.is_some_and(|h| h <= scene.world.now) {
        let why = format!(
            "the new one should have begun, has not, and differs from what the old one is now: {what}"
        );
        return Made::blocked("twin_differs", row, why);
    }
    let why = format!("the old one is not what it was when the new one was made: {what}");
    let writes = vec![scene.effects.change(&row, schedule, &Extra::of(old))];
    let effect = format!(
        "The schedule is made what the old one is now, coupons included; it begins on {}.",
        words_of(&row)
    );
    Made::planned("change", row, &why, effect)
        .writing(writes)
        .noting(wanted.notes.clone())
}

/// The twin is what it must be: the old one is stopped as soon as it may be.
fn equal(
    scene: &Scene<'_>,
    case: Case<'_>,
    old: &Old,
    mut row: Row,
    stop: Stopped,
    point: Point,
    twin: &Twin,
) -> Made {
    if stop != Stopped::No {
        return handed_over(scene, row, old, stop, twin);
    }
    if twin.begun || scene.world.now >= point.at {
        return double(scene, case, old, twin);
    }
    if point.bills_before > 0 {
        let last = last_before(old, point.at);
        row.again_at = last;
        let why = format!(
            "the old account bills once more, on {}; stopping it waits for that",
            last.map(day).unwrap_or_default()
        );
        let why = if point.bills_before == 1 {
            why
        } else {
            format!(
                "the old account bills {} more times, last on {}; stopping it waits for that",
                point.bills_before,
                last.map(day).unwrap_or_default()
            )
        };
        return Made::noop("waits_for_bill", row, why);
    }
    let became = twin
        .schedule
        .as_deref()
        .or(twin.subscription.as_deref())
        .unwrap_or_default();
    let writes = stopping(scene, old, &row, became);
    let effect = format!("{}.", words::sentence(&words::stopping(&row, &writes)));
    Made::planned(
        "stop",
        row,
        "the new one is there and is what the old one is",
        effect,
    )
    .writing(writes)
}

/// The last bill of the old account before `h`.
fn last_before(old: &Old, h: i64) -> Option<i64> {
    let grid = handover::grid_of(old)?;
    grid.point(grid.first_from(h).checked_sub(1)?)
}
