//! Of a code. See the [script's page](super).

use super::super::effects::{CLOSE_OLD, CREATE_CODE, CodeRow, KEEP_BOTH, RECREATE_OLD, REOPEN_OLD};
use super::seen::{
    self, Code, Coupon, EFFECT, OF, Or, cap, capped, drifted, failed, gave_way, list, one, sent, stop, wrote,
};
use super::{
    NEW_CODES, NEW_COUPON, OLD_CODE, OLD_CODE_CLOSED, OLD_CODE_NOW, OLD_COUPON, done, unknown_writes,
};
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::Role;
use crate::domain::write::PlannedWrite;
use crate::stages::{Fact, Step};

/// What a row may write, and its facts.
struct Script<'a> {
    row: &'a CodeRow,
    facts: &'a [Fact],
    close: Option<&'a PlannedWrite>,
    recreate: Option<&'a PlannedWrite>,
    reopen: Option<&'a PlannedWrite>,
    create: &'a PlannedWrite,
    /// The new code's limit as planned.
    most: Option<i64>,
    /// It was off when planned, and a person gave it uses all the same: closing only puts our mark on it.
    was_off: bool,
}

pub(super) fn next(row: &CodeRow, change: &Change, facts: &[Fact]) -> Or<Step> {
    let script = Script::of(row, change, facts)?;
    if wrote(facts, CREATE_CODE).is_some() {
        return Ok(done());
    }
    if wrote(facts, REOPEN_OLD).is_some() {
        return Ok(drifted(&format!(
            "{}; the old code is open again",
            script.why_back()
        )));
    }
    script.close()?;
    script.make_smaller()?;
    if !gave_way(facts) {
        return Ok(Step::GiveWay);
    }
    script.create()
}

impl<'a> Script<'a> {
    fn of(row: &'a CodeRow, change: &'a Change, facts: &'a [Fact]) -> Or<Self> {
        let write = |op: &str| change.writes_now().iter().find(|write| write.op == op);
        let Some(create) = write(CREATE_CODE) else {
            return stop(unknown_writes());
        };
        let script = Self {
            row,
            facts,
            close: write(CLOSE_OLD).filter(|_| !row.closed),
            recreate: write(RECREATE_OLD),
            reopen: write(REOPEN_OLD).filter(|_| !was_off(change)),
            create,
            most: cap(create)?,
            was_off: was_off(change),
        };
        let keeps = change
            .decision
            .as_ref()
            .is_some_and(|decision| decision.choice == KEEP_BOTH);
        if script.stays_open() && !(keeps && script.most.is_none() && row.left.is_none()) {
            return stop(failed(
                "the plan's row does not close the old code first; make the plan again",
            ));
        }
        Ok(script)
    }

    /// Nothing closes the old code, in this run or an earlier one.
    const fn stays_open(&self) -> bool {
        self.close.is_none() && !self.row.closed
    }

    /// Until the old code is closed, or seen live where it stays.
    fn close(&self) -> Or<()> {
        if self.row.closed || wrote(self.facts, CLOSE_OLD).is_some() {
            return Ok(());
        }
        let (old, now) = self.old(OLD_CODE)?;
        let Some(old) = old else { return stop(gone()) };
        self.not_expired(&old, now)?;
        self.counted(&old)?;
        if old.active && self.was_off {
            return stop(drifted(
                "somebody switched it on again on the old account meanwhile; read again",
            ));
        }
        if !old.active && !self.was_off {
            let why = if old.left().is_some_and(|left| left <= 0) {
                "it was used up on the old account meanwhile; nothing was created"
            } else {
                "it was switched off on the old account meanwhile; nothing was created"
            };
            return stop(drifted(why));
        }
        match self.close {
            Some(close) => stop(Step::Write(close.clone())),
            None => Ok(()),
        }
    }

    /// Of a code that is split: the smaller one of the same text on the old account, at once, so that those who stay
    /// wait for nothing. Uses since the plan are first taken off the new code, then off this one.
    fn make_smaller(&self) -> Or<()> {
        let Some(recreate) = self
            .recreate
            .filter(|_| wrote(self.facts, RECREATE_OLD).is_none())
        else {
            return Ok(());
        };
        let (Some(stays), Some(moves)) = (cap(recreate)?, self.most) else {
            return stop(unknown_writes());
        };
        let used = self.closed_by_us(OLD_CODE_CLOSED)?;
        let left = stays.saturating_add(moves).saturating_sub(used).min(stays);
        if left <= 0 {
            return Ok(());
        }
        stop(Step::Write(capped(recreate, left)))
    }

    fn create(&self) -> Or<Step> {
        let (coupon, now) = self.new_coupon()?;
        let coupon = match coupon {
            Some(coupon) if self.is_its_coupon(&coupon) => coupon,
            _ => return self.back(),
        };
        if !coupon.valid {
            return Ok(drifted(
                "its coupon on the new account is used up or expired; nothing was created",
            ));
        }
        if self.taken()? {
            return match coupon.max_redemptions {
                None => self.back(),
                // What is left of the pool is on the new account by now: an old code would give it once more.
                Some(_) => Ok(drifted(&format!(
                    "{}; what is left of its coupon has moved, so the old code stays closed until it is taken back",
                    self.why_back()
                ))),
            };
        }
        if self.stays_open() {
            self.alive(now)?;
            return Ok(Step::Write(self.create.clone()));
        }
        let used = self.closed_by_us(OLD_CODE_NOW)?;
        // Without a limit of its own the code has what its coupon had.
        let left = self.most.or(self.row.left).map(|most| most.saturating_sub(used));
        if left.is_some_and(|left| left <= 0) {
            return Ok(drifted(
                "what was to move was used up on the old account meanwhile; the old code stays closed",
            ));
        }
        let cap = self.most.and(left);
        let cap = cap.map(|cap| coupon.max_redemptions.map_or(cap, |limit| cap.min(limit)));
        Ok(Step::Write(match cap {
            Some(cap) => capped(self.create, cap),
            None => self.create.clone(),
        }))
    }

    /// It cannot be created: the old code is opened again, if this run closed it and nobody touched it since.
    fn back(&self) -> Or<Step> {
        let why = self.why_back();
        if wrote(self.facts, RECREATE_OLD).is_some() {
            return Ok(drifted(&format!(
                "{why}; the old account has the smaller code, and undo gives back the whole one"
            )));
        }
        if self.stays_open() {
            return Ok(drifted(&format!("{why}; nothing was written")));
        }
        self.closed_by_us(OLD_CODE_NOW)?;
        let Some(reopen) = self.reopen else {
            return Ok(drifted(&format!("{why}; the old code stays closed")));
        };
        Ok(match self.over()? {
            Some(over) => drifted(&format!("{why}; {over}, so the old code stays closed")),
            None => Step::Write(reopen.clone()),
        })
    }

    /// Why the old code would give nothing if it were opened again; Stripe refuses to (facts 3.5).
    fn over(&self) -> Or<Option<&'static str>> {
        let (old, _) = self.old(OLD_CODE_NOW)?;
        if old.is_some_and(|old| old.left().is_some_and(|left| left <= 0)) {
            return Ok(Some("it was used up meanwhile"));
        }
        let look = seen::coupon(OLD_COUPON, Role::Source, &self.row.coupon);
        let (coupon, _) = one::<Coupon>(self.facts, look)?;
        Ok(match coupon {
            None => Some("its coupon is not on the old account any more"),
            Some(coupon) if !coupon.valid => Some("its coupon is used up or expired"),
            Some(_) => None,
        })
    }

    fn why_back(&self) -> &'static str {
        match self.new_coupon() {
            Ok((None, _)) => "its coupon was not created on the new account",
            Ok((Some(coupon), _)) if !self.is_its_coupon(&coupon) => {
                "somebody else made a coupon of that id on the new account"
            }
            Ok(_) => "an active code on the new account has taken the text meanwhile",
            Err(_) => "it could not be created on the new account",
        }
    }

    fn new_coupon(&self) -> Or<(Option<Coupon>, i64)> {
        let look = seen::coupon(NEW_COUPON, Role::Destination, &self.row.coupon);
        one::<Coupon>(self.facts, look)
    }

    fn is_its_coupon(&self, coupon: &Coupon) -> bool {
        self.row.coupon_there || coupon.mark(OF) == Some(self.row.coupon.as_str())
    }

    /// Whether an active code of the text is in the way: the same customer's, everybody's, or any where this one is for
    /// everybody (facts 3.5). One that stands for this very code ends the row: two runs must not both create it.
    fn taken(&self) -> Or<bool> {
        let look = seen::codes(NEW_CODES, Role::Destination, "code", &self.row.text);
        let (codes, _) = list::<Code>(self.facts, look)?;
        let ours = |code: &Code| {
            let created = code.mark(EFFECT) == Some(self.create.effect.0.as_str());
            code.mark(OF) == Some(self.row.old.as_str()) && (code.active || created)
        };
        if codes.iter().any(ours) {
            return stop(drifted("another run created it meanwhile; read again"));
        }
        let customer = sent(self.create, "customer");
        let in_the_way = |code: &Code| match (customer, code.customer()) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        };
        Ok(codes.iter().any(|code| code.active && in_the_way(code)))
    }

    fn old(&self, label: &'static str) -> Or<(Option<Code>, i64)> {
        one::<Code>(self.facts, seen::code(label, Role::Source, &self.row.old))
    }

    /// Sees the old code closed and carrying our mark; its uses since the plan.
    fn closed_by_us(&self, label: &'static str) -> Or<i64> {
        let (old, now) = self.old(label)?;
        let Some(old) = old else { return stop(gone()) };
        if old.active {
            return stop(drifted(
                "somebody opened the old code again meanwhile; nothing was created",
            ));
        }
        if !self.is_our_mark(old.mark(EFFECT)) {
            return stop(drifted(
                "the old code does not carry our mark any more: somebody else changed it; nothing was created",
            ));
        }
        self.not_expired(&old, now)?;
        self.counted(&old)
    }

    /// Ours of this run, or, where an earlier one closed it, any of ours but that of opening it again.
    fn is_our_mark(&self, mark: Option<&str>) -> bool {
        let is = |write: &PlannedWrite| mark == Some(write.effect.0.as_str());
        match self.close {
            Some(close) => is(close),
            None => mark.is_some() && !self.reopen.is_some_and(is),
        }
    }

    fn alive(&self, now: i64) -> Or<()> {
        if self.row.expires_at.is_some_and(|at| at <= now) {
            return stop(expired());
        }
        Ok(())
    }

    fn not_expired(&self, old: &Code, now: i64) -> Or<()> {
        self.alive(now)?;
        if old.expires_at.is_some_and(|at| at <= now) {
            return stop(expired());
        }
        Ok(())
    }

    /// Uses since the plan. A counter that went back counts something else.
    fn counted(&self, old: &Code) -> Or<i64> {
        let used = old.times_redeemed.saturating_sub(self.row.used);
        if used < 0 {
            return stop(drifted(
                "the old code's uses are fewer than when the plan was made; read again",
            ));
        }
        Ok(used)
    }
}

/// Whether the old code was off already when the plan was made.
pub(in crate::stages::coupons) fn was_off(change: &Change) -> bool {
    change.planned_as == Verdict::Noop
}

fn gone() -> Step {
    drifted("the code is not on the old account any more; nothing was created")
}

fn expired() -> Step {
    drifted("it expired meanwhile; nothing was created")
}
