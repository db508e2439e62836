//! Every history of one row with up to two events between its steps: what customers and other people do, time that goes
//! on, crashes, and outcomes that stay unknown. The script is checked against what both sides would bill.

use std::collections::BTreeMap;

use super::Route;
use super::effects::{Effects, Extra, Row, Seen};
use super::facts::{BECAME, Collection, HANDOVER, Old, Phase, PhaseItem, Read, Twin};
use super::model_world_tests::{HOUR, NOW, P0, PERIOD, World, sched_json};
use super::same::differences;
pub(super) use super::samples::accounts;
use super::script;
use crate::domain::change::{Change, ChangeKey, Risk, Verdict};
use crate::domain::ids::Role;
use crate::domain::money::Currency;
use crate::domain::record::{Attested, RowEnd};
use crate::domain::text::safe;
use crate::domain::write::{PlannedWrite, place_of};
use crate::stages::{Fact, Look, Step};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    CreateAndEnd,
    CreateAndPause,
    ReleaseAndEnd,
    End,
    Pause,
    ChangeAndEnd,
    Withdraw,
    Cancel,
    File,
}

const KINDS: [Kind; 10] = [
    Kind::Create,
    Kind::CreateAndEnd,
    Kind::CreateAndPause,
    Kind::ReleaseAndEnd,
    Kind::End,
    Kind::Pause,
    Kind::ChangeAndEnd,
    Kind::Withdraw,
    Kind::Cancel,
    Kind::File,
];

/// A row, the world it was planned on, and its writes.
pub(super) struct Case {
    pub(super) kind: Kind,
    pub(super) world: World,
    pub(super) change: Change,
}

pub(super) const TWIN: &str = "sub_sched_1";

impl Case {
    pub(super) fn new(kind: Kind) -> Self {
        let mut world = World::new();
        let handover = if kind == Kind::Create { P0 + PERIOD } else { P0 };
        match kind {
            Kind::End | Kind::Pause => world = world.with_schedule(TWIN, P0, "file"),
            Kind::ChangeAndEnd => {
                world = world.with_schedule(TWIN, P0, "file");
                world.scheds[0].quantity = 1;
            }
            Kind::Withdraw => {
                world = world.with_schedule(TWIN, P0, "file");
                world.old.ends = true;
            }
            Kind::ReleaseAndEnd => world.old.schedule = Some("sub_sched_old".into()),
            Kind::Cancel => {
                world = world.with_schedule(TWIN, P0, "file");
                world.old.pause = true;
                world.old.metadata = BTreeMap::from([
                    (HANDOVER.to_owned(), P0.to_string()),
                    (BECAME.to_owned(), TWIN.to_owned()),
                ]);
                world.until(P0 + HOUR);
            }
            _ => {}
        }
        let row = row(&world, handover);
        let writes = writes(kind, &row);
        let change = change(&row, writes);
        Self { kind, world, change }
    }

    pub(super) fn row(&self) -> Row {
        serde_json::from_str(&self.change.payload).unwrap()
    }

    fn stops(&self) -> bool {
        self.change.writes.iter().any(|write| is_stop(&write.op))
    }
}

pub(super) fn is_stop(op: &str) -> bool {
    ["end_with_period", "pause_collection"].contains(&op)
}

pub(super) fn row(world: &World, handover: i64) -> Row {
    let old: crate::stripe::wire::Subscription = serde_json::from_str(&world.old_json().to_string()).unwrap();
    let old = Old::of(&old, Read::default()).unwrap();
    Row {
        old: "sub_1".into(),
        customer: "cus_1".into(),
        handover: Some(handover),
        route: Some(Route::Api),
        phases: vec![phase(handover)],
        ends: false,
        twin: None,
        seen: Some(Seen::of(&old)),
        next_old: None,
        next_new: None,
        classes: Vec::new(),
        cells: BTreeMap::new(),
        again_at: None,
        window_ends: NOW + 41 * HOUR,
    }
}

pub(super) fn phase(start: i64) -> Phase {
    Phase {
        start,
        end: None,
        items: vec![PhaseItem {
            price: "price_new".into(),
            quantity: Some(2),
            coupons: Vec::new(),
            tax_rates: Vec::new(),
        }],
        coupons: Vec::new(),
        tax_rates: Vec::new(),
        automatic_tax: false,
        collection: Some(Collection::Automatic),
        method: None,
        currency: Currency::parse("usd").unwrap(),
        beyond: None,
    }
}

pub(super) fn writes(kind: Kind, row: &Row) -> Vec<PlannedWrite> {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let (extra, place) = (Extra::default(), place_of(&row.old));
    let create = || effects.create(row, &extra);
    match kind {
        Kind::Create => vec![create()],
        Kind::CreateAndEnd => vec![create(), effects.end_old(row, &place)],
        Kind::CreateAndPause => vec![create(), effects.pause_old(row, &place)],
        Kind::ReleaseAndEnd => vec![
            create(),
            effects.release_old(row, "sub_sched_old"),
            effects.end_old(row, &place),
        ],
        Kind::End => vec![effects.end_old(row, TWIN)],
        Kind::Pause => vec![effects.pause_old(row, TWIN)],
        Kind::ChangeAndEnd => vec![effects.change(row, TWIN, &extra), effects.end_old(row, TWIN)],
        Kind::Withdraw => vec![effects.withdraw(row, TWIN)],
        Kind::Cancel => vec![effects.cancel_old(row)],
        Kind::File => Vec::new(),
    }
}

pub(super) fn change(row: &Row, writes: Vec<PlannedWrite>) -> Change {
    let mut row = row.clone();
    if writes.is_empty() {
        row.route = Some(Route::Csv);
    }
    Change {
        key: ChangeKey(row.old.clone()),
        subject: row.customer.clone(),
        label: safe("Ann"),
        item: "api".into(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: None,
        rule: "schedule".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: Vec::new(),
        working: Vec::new(),
        writes,
        choices: Vec::new(),
        decision: None,
        with: None,
        filled: Vec::new(),
        payload: serde_json::to_string(&row).unwrap(),
        update: None,
        evidence: Vec::new(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    CustomerCancelsNow,
    CustomerEndsPeriod,
    QuantityChanges,
    PeriodRolls,
    SomebodySchedules,
    TwinVanishes,
    TwinChanges,
    Crash,
    /// The write under way: it happened, and nobody knows.
    Lost,
    /// It did not happen, and nobody knows.
    NeverArrived,
}

const EVENTS: [Event; 10] = [
    Event::CustomerCancelsNow,
    Event::CustomerEndsPeriod,
    Event::QuantityChanges,
    Event::PeriodRolls,
    Event::SomebodySchedules,
    Event::TwinVanishes,
    Event::TwinChanges,
    Event::Crash,
    Event::Lost,
    Event::NeverArrived,
];

/// Goes through every choice of up to `budget` events.
pub(super) struct Every {
    path: Vec<usize>,
    at: usize,
    left: usize,
    budget: usize,
}

impl Every {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            path: Vec::new(),
            at: 0,
            left: budget,
            budget,
        }
    }

    fn choose(&mut self) -> Option<Event> {
        if self.left == 0 {
            return None;
        }
        if self.at == self.path.len() {
            self.path.push(0);
        }
        let chosen = self.path[self.at];
        self.at += 1;
        let event = chosen.checked_sub(1).map(|event| EVENTS[event]);
        self.left -= usize::from(event.is_some());
        event
    }

    /// The next history, if there is one.
    pub(super) fn next(&mut self) -> bool {
        (self.at, self.left) = (0, self.budget);
        while let Some(chosen) = self.path.pop() {
            if chosen < EVENTS.len() {
                self.path.push(chosen + 1);
                return true;
            }
        }
        false
    }
}

pub(super) type Next = fn(&Change, &[Fact]) -> Step;

/// One history under way.
#[expect(clippy::struct_excessive_bools, reason = "each says what one look showed")]
pub(super) struct Run<'a> {
    case: &'a Case,
    pub(super) world: World,
    next: Next,
    pub(super) facts: Vec<Fact>,
    pub(super) log: Vec<String>,
    creates: usize,
    /// What the latest looks said: the schedule is equal, nothing is beside it, the old one is as planned.
    none_seen: bool,
    equal_seen: bool,
    alone_seen: bool,
    old_seen: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(case: &'a Case, next: Next) -> Self {
        Self {
            case,
            world: case.world.clone(),
            next,
            facts: Vec::new(),
            log: Vec::new(),
            creates: 0,
            none_seen: false,
            equal_seen: false,
            alone_seen: false,
            old_seen: false,
        }
    }

    fn broken<T>(&self, what: &str) -> Result<T, String> {
        Err(format!(
            "{:?}: {what}\n{}\n{:?}",
            self.case.kind,
            self.log.join("\n"),
            self.world
        ))
    }

    fn happen(&mut self, event: Event) {
        self.log.push(format!("  * {event:?}"));
        let world = &mut self.world;
        match event {
            Event::CustomerCancelsNow => world.old.over = true,
            Event::CustomerEndsPeriod => world.old.ends = true,
            Event::QuantityChanges => world.old.quantity += 1,
            Event::PeriodRolls => world.until(world.old.period.1),
            Event::SomebodySchedules => {
                *world = world.clone().with_schedule("sub_sched_x", P0, "theirs");
            }
            Event::TwinVanishes => {
                for one in world.scheds.iter_mut().filter(|one| one.status == "not_started") {
                    one.status = "canceled";
                }
            }
            Event::TwinChanges => world.scheds.iter_mut().for_each(|one| one.quantity += 1),
            Event::Crash => self.facts.retain(|fact| matches!(fact, Fact::Wrote { .. })),
            Event::Lost | Event::NeverArrived => {}
        }
    }

    /// One equal schedule, and nothing besides.
    fn twin_is_right(&self) -> bool {
        let live = self.world.live();
        live.len() == 1 && self.is_equal(&live[0].id)
    }

    fn is_equal(&self, id: &str) -> bool {
        let live = self.world.live();
        let Some(one) = live.iter().find(|one| one.id == id) else {
            return false;
        };
        let twin: crate::stripe::wire::Schedule = serde_json::from_str(&sched_json(one).to_string()).unwrap();
        let twin = Twin::of_schedule(&twin, Read::default()).unwrap().unwrap();
        let row = self.case.row();
        !twin.begun && differences("cus_1", &row.phases, false, &twin).is_empty()
    }

    /// What `look` shows now.
    fn sees(&mut self, look: &Look) {
        match look.path.strip_prefix("/v1/subscription_schedules") {
            Some("") => {
                self.none_seen = self.world.live().is_empty();
                self.alone_seen = self.world.live().len() == 1;
                self.equal_seen = self.twin_is_right();
            }
            Some(id) => self.equal_seen = self.is_equal(id.trim_start_matches('/')),
            None if look.role == Role::Source => self.old_seen = self.old_is_right(),
            None => {}
        }
    }

    fn old_is_right(&self) -> bool {
        let (old, was) = (&self.world.old, &self.case.world.old);
        // What is only created may be so for one that went on to a period before its handover.
        let by_handover = self.case.row().handover >= Some(old.period.1);
        !old.over
            && old.quantity == was.quantity
            && (old.period == was.period || (self.case.kind == Kind::Create && by_handover))
            && old.ends == was.ends
            && old.pause == was.pause
    }

    pub(super) fn played(&mut self, fate: &mut Every) -> Result<(RowEnd, String), String> {
        for _ in 0..60 {
            match (self.next)(&self.case.change, &self.facts) {
                Step::Look(look) => {
                    let event = fate.choose();
                    if let Some(event) = event {
                        self.happen(event);
                    }
                    if event == Some(Event::Crash) {
                        continue;
                    }
                    self.log.push(format!("look {}", look.label));
                    self.sees(&look);
                    self.facts.push(self.world.answer(&look));
                }
                Step::Write(write) => {
                    if let Some(end) = self.write(&write, fate)? {
                        return Ok(end);
                    }
                }
                Step::GiveWay => return self.broken("nothing to wait for"),
                Step::End { end, why, .. } => {
                    self.log.push(format!("end {} {why}", end.word()));
                    return Ok((end, why));
                }
            }
        }
        self.broken("no end")
    }

    fn write(&mut self, write: &PlannedWrite, fate: &mut Every) -> Result<Option<(RowEnd, String)>, String> {
        let event = fate.choose();
        if let Some(event) = event {
            self.happen(event);
        }
        self.log.push(format!("write {}", write.op));
        self.may_be_written(write)?;
        let unknown = Ok(Some((RowEnd::Unknown, "unknown".to_owned())));
        if event == Some(Event::NeverArrived) {
            return unknown;
        }
        let Some(object) = self.world.carry_out(write) else {
            return Ok(Some((RowEnd::Failed, "refused".to_owned())));
        };
        if event == Some(Event::Lost) {
            return unknown;
        }
        self.facts.push(Fact::Wrote {
            op: write.op.clone(),
            attested: Attested {
                object,
                ..Attested::default()
            },
        });
        Ok(None)
    }

    /// What must have been seen before this may leave.
    fn may_be_written(&mut self, write: &PlannedWrite) -> Result<(), String> {
        let planned = self.case.change.writes.iter().any(|one| {
            let fits = one.form.len() == write.form.len() && one.path == write.path;
            one.effect == write.effect && fits
        });
        if !planned {
            return self.broken("a write that is not the plan's");
        }
        if write
            .form
            .iter()
            .any(|(_, value)| crate::domain::write::is_place(value))
        {
            return self.broken("a place was not filled");
        }
        if write.op == "create_schedule" {
            self.creates += 1;
            if self.creates > 1 {
                return self.broken("created twice");
            }
        }
        let stops = is_stop(&write.op) || write.op == "release_old";
        if stops && !(self.equal_seen && self.alone_seen && self.old_seen) {
            return self.broken("the old one is touched, and the new one was not seen equal and alone");
        }
        if write.op == "create_schedule" && !(self.old_seen && self.none_seen) {
            return self.broken(
                "created, and it was not seen that the old one is as planned and the new side empty",
            );
        }
        Ok(())
    }

    /// What holds once the row has ended.
    fn check(&mut self, end: RowEnd) -> Result<(), String> {
        if end != RowEnd::Done {
            return Ok(());
        }
        match self.case.kind {
            Kind::Withdraw if !self.world.live().is_empty() => {
                return self.broken("withdrawn, and it begins all the same");
            }
            Kind::Cancel if !self.world.old.over => return self.broken("cancelled, and it is not"),
            Kind::File | Kind::Withdraw | Kind::Cancel => return Ok(()),
            _ => {}
        }
        if !self.twin_is_right() {
            return self.broken("done, and the new account does not have the one it should");
        }
        if !self.case.stops() {
            return Ok(());
        }
        // Nobody does anything any more; both sides bill.
        self.world.until(P0 + 3 * PERIOD);
        let both = self.world.old_bills.iter().any(|at| *at >= P0);
        if both {
            return self.broken("both sides bill the same period");
        }
        if self.world.new_bills != [(P0, 2)] {
            return self.broken("the new side does not bill what the old one did");
        }
        Ok(())
    }
}

/// Every history of `case` with up to `budget` events: how many and how they ended, or what one of them broke.
pub(super) fn every(case: &Case, next: Next, budget: usize) -> Result<BTreeMap<RowEnd, u64>, String> {
    let mut fate = Every::new(budget);
    let mut ends = BTreeMap::new();
    loop {
        let mut run = Run::new(case, next);
        let (end, why) = run.played(&mut fate)?;
        if end != RowEnd::Done && why.is_empty() {
            return run.broken("no reason");
        }
        // What others do after a thing was looked at for the last time is the audit's to find.
        let lines = run.log.iter().enumerate();
        let mut events = lines.filter(|(_, line)| line.starts_with("  * "));
        let is_late = events.any(|(at, event)| run.log[at..].iter().all(|line| !concerns(event, line)));
        if !is_late {
            run.check(end)?;
        }
        *ends.entry(end).or_default() += 1;
        if !fate.next() {
            return Ok(ends);
        }
    }
}

/// Whether a line of the log is a look at, or a write to, what the event changed.
fn concerns(event: &str, line: &str) -> bool {
    let is_of_new = ["Schedules", "Vanishes", "TwinChanges"]
        .iter()
        .any(|name| event.contains(name));
    let look = line.strip_prefix("look ");
    match look {
        Some(look) if event.contains("SomebodySchedules") => look.starts_with("schedules"),
        Some(look) if is_of_new => look.starts_with("schedule"),
        Some(look) => look.starts_with("old") || event.contains("Rolls"),
        None => event.contains("Crash"),
    }
}

#[test]
fn over_every_history_of_events_a_done_row_bills_each_period_once() {
    for kind in KINDS {
        // A pause and an end, a change and a creation go through the same steps.
        let alike = [
            Kind::Create,
            Kind::CreateAndPause,
            Kind::Pause,
            Kind::ReleaseAndEnd,
        ];
        let events = if alike.contains(&kind) { 1 } else { 2 };
        let ends = every(&Case::new(kind), script::next, events).unwrap_or_else(|what| panic!("{what}"));

        assert!(ends[&RowEnd::Done] > 0, "{kind:?}");
        if kind != Kind::File {
            assert!(ends[&RowEnd::Drifted] > 0, "{kind:?}");
        }
    }
}

#[test]
fn nothing_happens_and_every_row_is_done_with_the_fewest_steps() {
    let steps = |kind| {
        let case = Case::new(kind);
        let mut run = Run::new(&case, script::next);
        let mut fate = Every::new(0);
        let (end, _) = run.played(&mut fate).unwrap();
        assert_eq!(end, RowEnd::Done, "{kind:?} {:?}", run.log);
        run.check(end).unwrap();
        run.log.pop();
        run.log
    };
    assert_eq!(
        steps(Kind::CreateAndEnd),
        [
            "look old",
            "look schedules",
            "look subscriptions",
            "write create_schedule",
            "look schedules_now",
            "look subscriptions_now",
            "look schedule_now",
            "look old_before_stop",
            "write end_with_period",
            "look old_stopped",
            "look schedule_stopped",
        ]
    );
    assert_eq!(
        steps(Kind::Withdraw),
        [
            "look old",
            "look schedules",
            "look subscriptions",
            "write withdraw_schedule",
            "look schedules_now",
            "look subscriptions_now",
        ]
    );
    for kind in KINDS {
        steps(kind);
    }
}
