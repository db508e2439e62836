//! Drives the rows of one pool as the writer's lane does, one small step at a time, and between any two steps somebody
//! may do something. After every event what must hold is asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::effects::{CREATE_CODE, CREATE_COUPON, RECREATE_OLD};
use super::model_events_tests::{Event, Kind, possible};
use super::model_rows_tests::{Pool, text};
use super::model_world_tests::{Code, Coupon, World};
use super::script::{NEW_COUPON, OLD_CODE_CLOSED, OLD_CODE_NOW, OLD_CODES, OLD_COUPON};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::record::{Attested, RowEnd};
use crate::domain::time::UtcMs;
use crate::domain::write::{CAP, PlannedWrite, marker};
use crate::stages::{Fact, Step};

/// A script, so that a wrong one can be driven too.
#[derive(Clone, Copy)]
pub(super) struct Protocol {
    pub(super) next: fn(&Change, &[Fact]) -> Step,
    pub(super) rank: fn(&Change) -> u32,
}

/// Decides what happens.
pub(super) trait Fate {
    /// One of `events`, or nothing.
    fn choose(&mut self, events: &[Event]) -> Option<Event>;
}

#[derive(Clone)]
enum Effect {
    /// Its intent is on record.
    Open(PlannedWrite),
    Done(Attested),
    Refused,
}

/// The object, or why it was refused.
type Answer = Result<String, &'static str>;

struct Row {
    change: Arc<Change>,
    facts: Vec<Fact>,
    /// Sent or about to be; with its answer once there is one.
    under_way: Option<(PlannedWrite, Option<Answer>)>,
}

/// What is on record of a run.
#[derive(Default)]
pub(super) struct Journal {
    effects: BTreeMap<(String, String), Effect>,
    order: Vec<(String, String)>,
    pub(super) ends: BTreeMap<String, (RowEnd, String)>,
}

impl Journal {
    /// The objects a row made, by op; `None` where one of its writes is open.
    pub(super) fn made(&self, key: &str) -> Option<BTreeMap<String, String>> {
        let mut made = BTreeMap::new();
        for ((row, op), effect) in &self.effects {
            match effect {
                _ if row != key => {}
                Effect::Open(_) => return None,
                Effect::Done(attested) => {
                    made.insert(op.clone(), attested.object.clone());
                }
                Effect::Refused => {}
            }
        }
        Some(made)
    }
}

/// One pool, its world and what is under way.
pub(super) struct Run<'a> {
    pub(super) pool: &'a Pool,
    pub(super) world: World,
    pub(super) journal: Journal,
    pub(super) log: Vec<String>,
    protocol: Protocol,
    changes: Vec<Arc<Change>>,
    lane: VecDeque<Row>,
    /// By effect: what Stripe keeps for a key.
    answers: BTreeMap<String, Answer>,
    refuse: bool,
    lose: Option<bool>,
    /// Uses of the coupon nobody can stop any more: a coupon has no switch.
    late: i64,
    /// Codes that somebody opened again after the last look at them.
    meddled: BTreeSet<String>,
    pool_meddled: bool,
    taking_back: bool,
}

const MOST_STEPS: usize = 400;

impl<'a> Run<'a> {
    pub(super) fn new(pool: &'a Pool, rows: &[Arc<Change>], protocol: Protocol) -> Self {
        let mut run = Self {
            pool,
            world: pool.world(),
            journal: Journal::default(),
            log: Vec::new(),
            protocol,
            changes: rows.to_vec(),
            lane: VecDeque::new(),
            answers: BTreeMap::new(),
            refuse: false,
            lose: None,
            late: 0,
            meddled: BTreeSet::new(),
            pool_meddled: false,
            taking_back: false,
        };
        run.begin();
        run
    }

    /// The same world, and what the run made is taken back now.
    pub(super) fn take_back(&mut self, protocol: Protocol, changes: Vec<Arc<Change>>) {
        self.log.push("-- taken back --".to_owned());
        self.protocol = protocol;
        self.changes = changes;
        self.journal = Journal::default();
        self.taking_back = true;
        self.begin();
    }

    /// Another process takes up what is left.
    pub(super) fn take_up(&mut self) {
        self.begin();
    }

    /// A process takes the lane up: what is on record are facts, all else is forgotten.
    fn begin(&mut self) {
        let mut rows: Vec<Row> = Vec::new();
        for change in &self.changes {
            let key = &change.key.0;
            if self.journal.ends.contains_key(key) {
                continue;
            }
            let (mut facts, mut under_way) = (Vec::new(), None);
            for (row, op) in &self.journal.order {
                match self.journal.effects.get(&(row.clone(), op.clone())) {
                    _ if row != key => {}
                    Some(Effect::Open(write)) => under_way = Some((write.clone(), None)),
                    Some(Effect::Done(attested)) => facts.push(Fact::Wrote {
                        op: op.clone(),
                        attested: attested.clone(),
                    }),
                    Some(Effect::Refused) | None => {}
                }
            }
            rows.push(Row {
                change: change.clone(),
                facts,
                under_way,
            });
        }
        rows.sort_by_key(|row| ((self.protocol.rank)(&row.change), row.change.key.clone()));
        self.lane = rows.into();
    }

    /// Until every row has ended, or waits for one that is unknown.
    pub(super) fn drive(&mut self, fate: &mut dyn Fate, kinds: &[Kind]) -> Result<(), String> {
        for _ in 0..MOST_STEPS {
            let calm = !self.refuse && self.lose.is_none();
            let events = possible(&self.world, kinds, calm);
            if let Some(event) = fate.choose(&events) {
                self.happen(event);
                self.check()?;
            }
            if self.lane.is_empty() {
                return Ok(());
            }
            self.step()?;
            self.check()?;
        }
        Err(self.says("the rows do not end"))
    }

    /// So many steps, to which nothing happens.
    pub(super) fn some_steps(&mut self, steps: usize) -> Result<(), String> {
        (0..steps).try_for_each(|_| self.step())
    }

    fn says(&self, what: &str) -> String {
        format!("{what}\n{:?}\n{}", self.pool, self.log.join("\n"))
    }

    fn step(&mut self) -> Result<(), String> {
        let Some(row) = self.lane.front_mut() else {
            return Ok(());
        };
        let key = row.change.key.0.clone();
        match row.under_way.take() {
            None => self.ask(&key),
            Some((write, None)) => {
                self.send(&key, write);
                Ok(())
            }
            Some((write, Some(answer))) => {
                self.record(&key, &write, answer);
                Ok(())
            }
        }
    }

    fn ask(&mut self, key: &str) -> Result<(), String> {
        let Some(row) = self.lane.front_mut() else {
            return Ok(());
        };
        match (self.protocol.next)(&row.change, &row.facts) {
            Step::Look(look) => {
                self.log.push(format!("{key}: look {}", look.label));
                let items = self.world.look(&look);
                row.facts.push(Fact::Saw {
                    label: look.label,
                    items,
                    at: UtcMs::from_secs(self.world.now),
                });
            }
            Step::Write(write) => {
                self.log.push(format!("{key}: {} {:?}", write.op, cap(&write)));
                let planned = row
                    .change
                    .writes_now()
                    .iter()
                    .find(|planned| planned.op == write.op);
                let planned = planned.cloned();
                row.under_way = Some((write.clone(), None));
                self.approved(planned.as_ref(), &write)?;
                self.intend(key, &write);
            }
            Step::GiveWay => {
                if row.facts.iter().any(|fact| matches!(fact, Fact::GaveWay)) {
                    return Err(self.says("two rows wait for each other"));
                }
                row.facts.push(Fact::GaveWay);
                self.lane.rotate_left(1);
            }
            Step::End { end, why, .. } => self.end(key, end, &why),
        }
        Ok(())
    }

    /// The gate's rule: what was approved, or a smaller limit.
    fn approved(&self, planned: Option<&PlannedWrite>, write: &PlannedWrite) -> Result<(), String> {
        let Some(planned) = planned else {
            return Err(self.says("a write that is not of the plan"));
        };
        let same = planned.path == write.path
            && planned.role == write.role
            && planned.form.len() == write.form.len();
        let fits = planned.form.iter().zip(&write.form).all(|(planned, sent)| {
            let smaller = match (planned.1.parse::<i64>(), sent.1.parse::<i64>()) {
                (Ok(most), Ok(now)) => planned.0 == CAP && 0 < now && now <= most,
                _ => false,
            };
            planned.0 == sent.0 && (planned.1 == sent.1 || smaller)
        });
        if same && fits {
            Ok(())
        } else {
            Err(self.says("more than was approved"))
        }
    }

    fn intend(&mut self, key: &str, write: &PlannedWrite) {
        let effect = (key.to_owned(), write.op.clone());
        self.journal.order.push(effect.clone());
        self.journal.effects.insert(effect, Effect::Open(write.clone()));
    }

    fn send(&mut self, key: &str, write: PlannedWrite) {
        if let Some(happened) = self.lose.take() {
            if happened {
                let _ = self.perform(&write);
            }
            return self.unknown(key);
        }
        let answer = self.perform(&write);
        if let Some(row) = self.lane.front_mut() {
            row.under_way = Some((write, Some(answer)));
        }
    }

    /// The same key again: Stripe answers what it answered before, and does nothing.
    fn perform(&mut self, write: &PlannedWrite) -> Answer {
        if let Some(answer) = self.answers.get(&write.effect.0) {
            return answer.clone();
        }
        let answer = if std::mem::take(&mut self.refuse) {
            Err("refused")
        } else {
            self.world.write(write)
        };
        self.answers.insert(write.effect.0.clone(), answer.clone());
        answer
    }

    fn unknown(&mut self, key: &str) {
        self.end(key, RowEnd::Unknown, "no answer");
        // What rests on it stays pending, see the lane.
        self.lane.retain(|row| row.under_way.is_some());
    }

    fn record(&mut self, key: &str, write: &PlannedWrite, answer: Answer) {
        let effect = (key.to_owned(), write.op.clone());
        match answer {
            Ok(object) => {
                let attested = Attested {
                    object,
                    ..Attested::default()
                };
                if let Some(row) = self.lane.front_mut() {
                    row.facts.push(Fact::Wrote {
                        op: write.op.clone(),
                        attested: attested.clone(),
                    });
                }
                self.journal.effects.insert(effect, Effect::Done(attested));
            }
            Err(why) => {
                self.journal.effects.insert(effect, Effect::Refused);
                self.end(key, RowEnd::Failed, why);
            }
        }
    }

    fn end(&mut self, key: &str, end: RowEnd, why: &str) {
        self.log.push(format!("{key}: {} {why}", end.word()));
        self.journal.ends.insert(key.to_owned(), (end, why.to_owned()));
        self.lane.retain(|row| row.change.key.0 != key);
    }

    fn happen(&mut self, event: Event) {
        self.log.push(format!("! {event:?}"));
        match event {
            Event::Use(role, at) => self.world.redeem(role, at),
            Event::UseCoupon => {
                self.late += i64::from(self.coupon_was_read(OLD_COUPON));
                self.world.redeem_directly();
            }
            Event::Reopen(at) => self.reopen(at),
            Event::SwitchOff(at) => self.world.old.codes[at].active = false,
            Event::Expire => self.world.now += 10_000,
            Event::DeleteOldCoupon => self.world.delete_coupon(Role::Source),
            Event::DeleteNewCoupon => {
                // What was used of it nobody can count any more.
                self.pool_meddled |= self
                    .world
                    .new
                    .coupon
                    .as_ref()
                    .is_some_and(|coupon| coupon.used > 0);
                self.world.delete_coupon(Role::Destination);
            }
            Event::ForeignCoupon => {
                // A code that looked already may be made for it: nobody can help that.
                let rows = self.lane.iter().map(|row| &row.change.key.0);
                if rows
                    .into_iter()
                    .any(|key| self.is_past(key, NEW_COUPON, CREATE_CODE))
                {
                    self.pool_meddled = true;
                    self.meddled.extend((0..self.pool.codes.len()).map(text));
                }
                self.world.new.coupon = Some(Coupon {
                    max: None,
                    used: 0,
                    marks: BTreeMap::new(),
                });
            }
            Event::ForeignCode(at) => self.world.new.codes.push(Code {
                id: "promo_theirs".to_owned(),
                text: text(at),
                customer: None,
                max: None,
                used: 0,
                expires: None,
                active: true,
                marks: BTreeMap::new(),
            }),
            Event::Crash => self.begin(),
            Event::Refuse => self.refuse = true,
            Event::Lose(happened) => self.lose = Some(happened),
        }
        let now = self.world.now;
        self.world.old.settle(now);
        self.world.new.settle(now);
    }

    /// What comes after the last look nobody can help; what comes before it must be seen.
    fn reopen(&mut self, at: usize) {
        self.pool_meddled |= self.coupon_was_read(OLD_CODES);
        let id = self.world.old.codes[at].id.clone();
        let text = self.world.old.codes[at].text.clone();
        let key = format!("code/{id}");
        let looked = self.is_past(&key, OLD_CODE_NOW, CREATE_CODE);
        let there = self.world.new.codes.iter().any(|code| code.text == text);
        // Beside the smaller code that a split left on the old account, the whole one gives its uses once more.
        let smaller = |code: &Code| code.id != id && code.text == text && code.marks.contains_key(marker::OF);
        let is_split =
            self.world.old.codes.iter().any(smaller) || self.is_past(&key, OLD_CODE_CLOSED, RECREATE_OLD);
        if looked || there || is_split {
            self.meddled.insert(text);
            self.pool_meddled = true;
        }
        self.world.old.codes[at].active = true;
    }

    fn coupon_was_read(&self, label: &str) -> bool {
        let there = self.world.new.coupon.as_ref().is_some_and(Coupon::is_ours);
        there || self.is_past("coupon/SAVE", label, CREATE_COUPON)
    }

    /// Whether the row has looked there in this process, or has its last write on record.
    fn is_past(&self, key: &str, wanted: &str, op: &str) -> bool {
        let row = self.lane.iter().find(|row| row.change.key.0 == key);
        let saw = |fact: &Fact| matches!(fact, Fact::Saw { label, .. } if *label == wanted);
        let looked = row.is_some_and(|row| row.facts.iter().any(saw));
        looked
            || self
                .journal
                .effects
                .contains_key(&(key.to_owned(), op.to_owned()))
    }

    /// I22 and I23, and that nobody else's code is touched.
    pub(super) fn check(&self) -> Result<(), String> {
        self.pool_holds()?;
        (0..self.pool.codes.len()).try_for_each(|at| self.code_holds(at))?;
        self.stayers_untouched()
    }

    fn pool_holds(&self) -> Result<(), String> {
        let Some(left) = self.pool.left().filter(|_| !self.pool_meddled) else {
            return Ok(());
        };
        let (world, now) = (&self.world, self.world.now);
        let ours = world.new.coupon.as_ref().filter(|coupon| coupon.is_ours());
        let mine = |code: &Code| code.marks.contains_key(marker::OF);
        // The application can apply the new coupon to anyone; while it is taken back, the application is frozen.
        let there = match ours {
            Some(coupon) if !self.taking_back => coupon.left().max(0),
            _ => world.new.redeemable(now, mine),
        };
        let all = world
            .of_pool
            .saturating_add(world.old.redeemable(now, |_| true))
            .saturating_add(there);
        if all > left.saturating_add(self.late) {
            return Err(self.says(&format!("I22 of the pool: {all} of {left}, late {}", self.late)));
        }
        Ok(())
    }

    fn code_holds(&self, at: usize) -> Result<(), String> {
        let text = text(at);
        if self.meddled.contains(&text) || self.pool.codes[at].fate == super::model_rows_tests::Fate::KeepBoth
        {
            return Ok(());
        }
        let (world, now) = (&self.world, self.world.now);
        let ours = |code: &Code| code.text == text && code.marks.contains_key(marker::OF);
        let old = world.old.redeemable(now, |code| code.text == text);
        let new = world.new.redeemable(now, ours);
        let split = matches!(self.pool.codes[at].fate, super::model_rows_tests::Fate::Split(_));
        if old > 0 && new > 0 && !split {
            return Err(self.says(&format!("{text} is active on both sides")));
        }
        let spec = &self.pool.codes[at];
        // Where somebody took of the pool behind our back, the code still has its own limit.
        let left = if self.pool_meddled {
            spec.limit.map(|limit| limit - spec.used)
        } else {
            self.pool.through(at)
        };
        let Some(left) = left else {
            return Ok(());
        };
        let used = world.redeemed.get(&text).copied().unwrap_or(0);
        let all = used.saturating_add(old).saturating_add(new);
        if all > left.saturating_add(self.late) {
            return Err(self.says(&format!("I22 of {text}: {all} of {left}")));
        }
        Ok(())
    }

    fn stayers_untouched(&self) -> Result<(), String> {
        for (at, spec) in self.pool.codes.iter().enumerate() {
            let stays = spec.fate == super::model_rows_tests::Fate::Stays;
            if stays
                && self
                    .world
                    .old
                    .codes
                    .get(at)
                    .is_some_and(|code| !code.marks.is_empty())
            {
                return Err(self.says("a code of somebody who stays was written to"));
            }
        }
        Ok(())
    }

    /// Every row ended, unless one is unknown.
    pub(super) fn progressed(&self) -> Result<(), String> {
        let unknown = self.journal.ends.values().any(|(end, _)| *end == RowEnd::Unknown);
        let ended = self
            .changes
            .iter()
            .all(|change| self.journal.ends.contains_key(&change.key.0));
        if ended || unknown {
            Ok(())
        } else {
            Err(self.says("a row did not end"))
        }
    }
}

pub(super) fn cap(write: &PlannedWrite) -> Option<&str> {
    let cap = write.form.iter().find(|(name, _)| name == CAP);
    cap.map(|(_, value)| value.as_str())
}
