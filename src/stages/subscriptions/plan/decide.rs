//! Which rule holds, where the new account has nothing yet; the rest is in [`super::twins`]. PURE.

use super::words::day;
use super::{Case, Scene, bills, cells, twins};
use crate::domain::change::{Choice, Risk, Verdict};
use crate::domain::money::Money;
use crate::domain::text::safe;
use crate::domain::write::{PlannedWrite, place_of};
use crate::stages::subscriptions::Route;
use crate::stages::subscriptions::classes::{self, ends_by_itself};
use crate::stages::subscriptions::effects::{ACCEPT_PREVIEW, Extra, MOVE_ANYWAY, NEW_DAY, Row, Seen};
use crate::stages::subscriptions::facts::{Old, Preview, Status};
use crate::stages::subscriptions::handover::{self, Handover, Point};
use crate::stages::subscriptions::terms::Wanted;

/// What was made of one subscription, before it becomes a row.
pub(super) struct Made {
    pub(super) verdict: Verdict,
    pub(super) rule: &'static str,
    pub(super) why: String,
    pub(super) effect: String,
    pub(super) risk: Risk,
    pub(super) writes: Vec<PlannedWrite>,
    pub(super) choices: Vec<Choice>,
    pub(super) notes: Vec<String>,
    pub(super) row: Row,
}

impl Made {
    pub(super) fn planned(rule: &'static str, row: Row, why: &str, effect: String) -> Self {
        let risk = classes::risk(&row.classes);
        Self::new(Verdict::Planned, rule, row, why.to_owned(), effect, risk)
    }

    pub(super) fn blocked(rule: &'static str, row: Row, why: impl Into<String>) -> Self {
        let effect = "Nothing is written until a person decides.".to_owned();
        Self::new(Verdict::Blocked, rule, row, why.into(), effect, Risk::High)
    }

    pub(super) fn noop(rule: &'static str, row: Row, why: impl Into<String>) -> Self {
        let effect = "Nothing is written.".to_owned();
        Self::new(Verdict::Noop, rule, row, why.into(), effect, Risk::Low)
    }

    fn new(verdict: Verdict, rule: &'static str, row: Row, why: String, effect: String, risk: Risk) -> Self {
        Self {
            verdict,
            rule,
            why,
            effect,
            risk,
            writes: Vec::new(),
            choices: Vec::new(),
            notes: Vec::new(),
            row,
        }
    }

    pub(super) fn writing(mut self, writes: Vec<PlannedWrite>) -> Self {
        self.writes = writes;
        self
    }

    pub(super) fn choosing(mut self, name: &str, means: String, writes: Vec<PlannedWrite>) -> Self {
        self.choices.push(Choice {
            name: name.to_owned(),
            means,
            writes,
            sign_off: false,
            number: None,
        });
        self
    }

    pub(super) fn noting(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Whether it stands in a file for the toolkit.
    pub(super) fn is_in_file(&self) -> bool {
        self.rule == FILE
    }
}

/// The rule of a row that stands in a file.
pub(super) const FILE: &str = "file";

pub(super) fn decide(scene: &Scene<'_>, case: Case<'_>) -> Made {
    match (case.twins, case.old) {
        ([], None) => Made::noop("gone", blank(scene, case), "there is nothing on either account"),
        ([], Some(old)) => without_twin(scene, case, old),
        ([twin], _) => twins::one(scene, case, twin),
        ([first, later @ ..], _) => twins::several(scene, case, first, later),
    }
}

/// The row with what is known of it in any case.
pub(super) fn blank(scene: &Scene<'_>, case: Case<'_>) -> Row {
    let customer = case
        .old
        .map(|old| &old.customer)
        .or_else(|| case.twins.first().map(|twin| &twin.customer));
    let twin = case.twins.first();
    Row {
        old: case.id.to_owned(),
        customer: customer.cloned().unwrap_or_default(),
        handover: None,
        route: None,
        phases: Vec::new(),
        ends: false,
        twin: twin.map(|twin| (twin.schedule.clone(), twin.subscription.clone())),
        seen: case.old.map(Seen::of),
        next_old: case.old.and_then(bills::of_old),
        next_new: None,
        classes: case
            .old
            .map(|old| classes::of(old, case.person, 0))
            .unwrap_or_default(),
        cells: std::collections::BTreeMap::new(),
        again_at: None,
        window_ends: scene.world.window_ends,
    }
}

/// The row of a new one that begins at `point`.
pub(super) fn wanting(scene: &Scene<'_>, case: Case<'_>, old: &Old, point: Point, wanted: &Wanted) -> Row {
    let next_new = wanted.phases.first().map(|phase| bills::of_phase(scene, phase));
    Row {
        handover: Some(point.at),
        route: Some(Route::Api),
        phases: wanted.phases.clone(),
        ends: wanted.ends,
        next_new,
        classes: classes::of(old, case.person, point.bills_before),
        ..blank(scene, case)
    }
}

fn without_twin(scene: &Scene<'_>, case: Case<'_>, old: &Old) -> Made {
    let handover = handover::of(old, scene.world.earliest);
    let soonest = match handover {
        Handover::At(point) | Handover::AnchorDay { first: point, .. } => Some(point),
        Handover::MixedPeriods | Handover::OffGrid => None,
    };
    if old.stopped_for().is_some() && old.status != Status::Ended {
        return stopped_alone(scene, case, old);
    }
    if let Some(ends) = served_to_its_end(old, soonest) {
        let why = format!(
            "it ends by itself on {}, before it could be handed over",
            day(ends)
        );
        return Made::noop("ends_on_old", blank(scene, case), why);
    }
    let blocked = |rule, why: &str| Made::blocked(rule, blank(scene, case), why);
    match old.status {
        Status::Incomplete => {
            let why = "its first payment is pending; it is paid or expires within 23 hours";
            return blocked("incomplete", why);
        }
        Status::Unpaid => return unpaid(scene, case, old, handover),
        Status::Paused => {
            let why = "its trial ended without a payment method, and it waits for one";
            return blocked("paused", why);
        }
        Status::Other => {
            return blocked(
                "status_unknown",
                "its status is a word this program does not know",
            );
        }
        Status::Active | Status::Trialing | Status::PastDue | Status::Ended => {}
    }
    if !case.person.is_some_and(|person| person.arrived) {
        let why = "its customer is in scope but not on the new account; settle that first, then read again";
        return blocked("customer_absent", why);
    }
    made_new(scene, case, old, handover)
}

/// When it ends, if the old account serves it to its end.
fn served_to_its_end(old: &Old, soonest: Option<Point>) -> Option<i64> {
    if old.status == Status::Ended {
        return Some(old.ended_at.unwrap_or_default());
    }
    let ends = ends_by_itself(old)?;
    let periods = old.items.iter().map(|item| item.period.1).min();
    let until = soonest.map(|point| point.at).or(periods);
    until.is_some_and(|until| ends <= until).then_some(ends)
}

/// Somebody took the new one away, and the old one is still stopped: nobody would bill.
fn stopped_alone(scene: &Scene<'_>, case: Case<'_>, old: &Old) -> Made {
    let h = old.stopped_for().unwrap_or_default();
    let why = format!(
        "it was stopped for {}, and nothing on the new account goes on from there: without one or the other it is over",
        day(h)
    );
    let soon = h < scene.world.earliest;
    let point = Point {
        at: h,
        bills_before: 0,
    };
    match scene.terms(true).of(old, h) {
        Ok(wanted) if !soon => {
            let row = wanting(scene, case, old, point, &wanted);
            let writes = vec![scene.effects.create(&row, &Extra::of(old))];
            let means = format!("a schedule is created again, for {}", day(h));
            Made::blocked("stopped_alone", row, why).choosing(MOVE_ANYWAY, means, writes)
        }
        _ => Made::blocked("stopped_alone", blank(scene, case), why),
    }
}

fn unpaid(scene: &Scene<'_>, case: Case<'_>, old: &Old, handover: Handover) -> Made {
    let why = "its payments failed and are not tried again; the new one would charge again";
    let made = made_new(scene, case, old, handover);
    if made.verdict != Verdict::Planned {
        let note = format!("{}: {}", made.rule, made.why);
        return Made::blocked("unpaid", blank(scene, case), why).noting(vec![note]);
    }
    let mut row = made.row;
    (row.route, row.cells) = (Some(Route::Api), std::collections::BTreeMap::new());
    let writes = creating(scene, old, &row);
    let means = "it moves all the same; its unpaid periods stay invoices of the old account".to_owned();
    Made::blocked("unpaid", row, why)
        .noting(made.notes)
        .choosing(MOVE_ANYWAY, means, writes)
}

/// A new one is made, unless something is in the way.
fn made_new(scene: &Scene<'_>, case: Case<'_>, old: &Old, handover: Handover) -> Made {
    let (point, wait) = match handover {
        Handover::At(point) => (point, None),
        Handover::AnchorDay { first, wait } => (first, Some(wait)),
        Handover::MixedPeriods | Handover::OffGrid => return no_handover(scene, case, old, handover),
    };
    let wanted = match scene.terms(true).of(old, point.at) {
        Ok(wanted) => wanted,
        Err(trouble) => return Made::blocked(trouble.rule, blank(scene, case), trouble.why),
    };
    let row = wanting(scene, case, old, point, &wanted);
    if let Some(wait) = wait {
        return anchor_day(scene, old, row, &wanted, wait);
    }
    match previewed(scene, case, row) {
        Ok(row) => in_file_or_created(scene, old, row, &wanted),
        Err((row, why)) => {
            let means = "Stripe's figure is right; the new one is made by the API".to_owned();
            let writes = creating(scene, old, &row);
            Made::blocked("preview_differs", *row, why)
                .noting(wanted.notes)
                .choosing(ACCEPT_PREVIEW, means, writes)
        }
    }
}

/// Why there is no instant at which it could be handed over. What it says of itself comes first: it is the nearer reason.
pub(super) fn no_handover(scene: &Scene<'_>, case: Case<'_>, old: &Old, handover: Handover) -> Made {
    let at = old.period_end().unwrap_or(scene.world.earliest);
    if let Err(trouble) = scene.terms(true).of(old, at) {
        return Made::blocked(trouble.rule, blank(scene, case), trouble.why);
    }
    if handover == Handover::MixedPeriods {
        let why = "its items have different rhythms or periods, so there is no one end of a period";
        return Made::blocked("mixed_periods", blank(scene, case), why);
    }
    let why = "its current period does not end on the day of its anchor, so what the old account bills next cannot be told";
    Made::blocked("off_grid", blank(scene, case), why)
}

fn anchor_day(scene: &Scene<'_>, old: &Old, row: Row, wanted: &Wanted, wait: Option<i64>) -> Made {
    let first = row.handover.unwrap_or_default();
    let far = match wait {
        Some(secs) => format!("{} days later", secs / crate::domain::calendar::DAY),
        None => "not in sight".to_owned(),
    };
    let why = format!(
        "its first period ends on {}, a day that its anchor {} does not have; the next end on the anchor's own day is {far}",
        day(first),
        day(old.anchor)
    );
    let means = format!(
        "it is handed over on {} and billed on that day from then on",
        day(first)
    );
    let writes = creating(scene, old, &row);
    Made::blocked("anchor_day", row, why)
        .noting(wanted.notes.clone())
        .choosing(NEW_DAY, means, writes)
}

/// The row with Stripe's figure where arithmetic has none; why not where the two differ.
fn previewed(scene: &Scene<'_>, case: Case<'_>, mut row: Row) -> Result<Row, (Box<Row>, String)> {
    let Some(preview) = scene.world.previews.get(case.id) else {
        return Ok(row);
    };
    let ours: Option<Money> = row.next_new.and_then(|bill| bill.money);
    let why = match (preview, ours) {
        (Preview::Says { without_tax, .. }, None) => {
            if let Some(bill) = &mut row.next_new {
                bill.money = Some(*without_tax);
            }
            return Ok(row);
        }
        (Preview::Says { without_tax, .. }, Some(ours)) if *without_tax == ours => return Ok(row),
        (Preview::Says { without_tax, .. }, Some(ours)) => {
            format!("its first bill is {ours} by arithmetic and {without_tax} by Stripe's preview")
        }
        (Preview::Refused(words), _) => format!("Stripe refused to preview it: {}", safe(words)),
    };
    Err((Box::new(row), why))
}

fn in_file_or_created(scene: &Scene<'_>, old: &Old, mut row: Row, wanted: &Wanted) -> Made {
    let api = scene.rules.settings.route == Route::Api;
    let no_column = cells::beyond_columns(old, scene.columns);
    let beyond = wanted.beyond_file.or(no_column);
    if !api && beyond.is_none() {
        row.route = Some(Route::Csv);
        row.cells = cells::of(scene, old, &row);
        let why = "it moves, and a line of the toolkit's file can say all of it";
        let effect = format!(
            "Stands in a file for the toolkit; begins on {} once that is uploaded.",
            words_of(&row)
        );
        return Made::planned(FILE, row, why, effect).noting(wanted.notes.clone());
    }
    let why = match beyond {
        Some(beyond) if !api => format!("it moves by the API: {beyond}"),
        _ => "it moves by the API, as configured".to_owned(),
    };
    let writes = creating(scene, old, &row);
    let stops = super::words::stopping(&row, &writes);
    let effect = format!("A schedule begins on {}; {stops}.", words_of(&row));
    Made::planned("schedule", row, &why, effect)
        .writing(writes)
        .noting(wanted.notes.clone())
}

/// `2026-10-01 with a bill of 20.00 USD`
pub(super) fn words_of(row: &Row) -> String {
    let at = day(row.handover.unwrap_or_default());
    match row.next_new.and_then(|bill| bill.money) {
        Some(money) => format!("{at} with a bill of {money}"),
        None => format!("{at} with a bill only Stripe can reckon"),
    }
}

/// The schedule, and stopping the old one where its current period ends with the handover.
fn creating(scene: &Scene<'_>, old: &Old, row: &Row) -> Vec<PlannedWrite> {
    let mut writes = vec![scene.effects.create(row, &Extra::of(old))];
    if old.period_end() == row.handover {
        writes.extend(stopping(scene, old, row, &place_of(&row.old)));
    }
    writes
}

/// The old schedule lets go, then the old subscription ends with its period; within the settlement window it is paused
/// instead.
pub(super) fn stopping(scene: &Scene<'_>, old: &Old, row: &Row, became: &str) -> Vec<PlannedWrite> {
    let effects = scene.effects;
    let release = old.schedule.as_ref().map(|id| effects.release_old(row, id));
    let after_window = row.handover.is_some_and(|h| h >= scene.world.window_ends);
    let stop = if after_window {
        effects.end_old(row, became)
    } else {
        effects.pause_old(row, became)
    };
    release.into_iter().chain([stop]).collect()
}
