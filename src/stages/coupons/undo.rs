//! Taking a row back: its writes, and their script. PURE.
//!
//! ```text
//!  code      switch the new one off ─► give way: all new codes of the pool are off
//!            [switch the smaller old one off]
//!            nothing was used on the new account, or of the smaller one ─► switch the old one on again
//!            else ─► take our mark off the old one ─► make it again with what is left of code and pool
//!                                                     nothing left ─► it stays closed, and says so
//!
//!  coupon    give way to its codes
//!            an active code on the new account?   yes ─► it stays     no ─► delete
//!
//!  discount  delete its coupon
//! ```
//!
//! Uses on the new account are on no counter of the old one. So once there are any, an old code is never simply switched
//! on again: what all open codes of the pool can take together stays within what both accounts have left.
//!
//! The coupon goes last, because its counter is needed until the last code is given back. While its codes are off only
//! the application could apply it, which is frozen or has not begun with it.

use std::collections::BTreeMap;

use super::effects::{
    CLOSE_OLD, CREATE_CARRY, CREATE_CODE, CREATE_COUPON, CodeRow, CouponRow, DiscountRow, Payload,
    RECREATE_OLD, REOPEN_OLD, UNDO_CODE, UNDO_COUPON, UNDO_RECREATE, UNDO_REOPEN, UNDO_RESTORE, UNDO_SETTLE,
    undo_of,
};
use super::script::code::was_off;
use super::script::seen::{
    self, Code, Coupon, EFFECT, OF, Or, capped, drifted, ended, failed, gave_way, list, one, stop, wrote,
};
use super::script::{NEW_COUPON, OLD_CODE_NOW, OLD_CODES, OLD_COUPON};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::domain::write::{CAP, Method, PlannedWrite, When};
use crate::stages::{Fact, Look, Step};
use crate::stripe::allow::path;

/// Label of the first look at the new code.
pub const NEW_CODE: &str = "new_code";
/// Label of the look at the new code once it is off.
pub const NEW_CODE_NOW: &str = "new_code_now";
/// Label of the look at the smaller old code before it is switched off.
pub const SMALLER_CODE: &str = "smaller_code";
/// Label of the look at the smaller old code once it is off.
pub const SMALLER_CODE_NOW: &str = "smaller_code_now";
/// Label of the look at the new coupon's codes.
pub const COUPON_CODES: &str = "coupon_codes";

/// The writes that take back what a row wrote; see [`crate::stages::Stage::undo`].
#[must_use]
pub fn writes(change: &Change, made: &BTreeMap<String, String>) -> Vec<PlannedWrite> {
    let planned = |op: &str| change.writes_now().iter().find(|write| write.op == op);
    let made = |op: &str| Some((planned(op)?, made.get(op)?.as_str()));
    match serde_json::from_str::<Payload>(&change.payload) {
        Ok(Payload::Code(row)) => {
            // One that was off before stays off.
            let closed = made(CLOSE_OLD).filter(|_| made(REOPEN_OLD).is_none() && !was_off(change));
            of_code(&row, planned(CREATE_CODE), closed.map(|(close, _)| close), &made)
        }
        Ok(Payload::Coupon(row)) => {
            let made = made(CREATE_COUPON);
            made.map(|(create, _)| delete(create, &row.id))
                .into_iter()
                .collect()
        }
        Ok(Payload::Discount(_)) => {
            let made = made(CREATE_CARRY);
            made.map(|(create, id)| delete(create, id)).into_iter().collect()
        }
        Err(_) => Vec::new(),
    }
}

fn of_code<'a>(
    row: &CodeRow,
    create: Option<&PlannedWrite>,
    closed: Option<&PlannedWrite>,
    made: &dyn Fn(&str) -> Option<(&'a PlannedWrite, &'a str)>,
) -> Vec<PlannedWrite> {
    let mut writes = Vec::new();
    if let Some((created, id)) = made(CREATE_CODE) {
        writes.push(switch(created, UNDO_CODE, id, false));
    }
    if let Some((recreated, id)) = made(RECREATE_OLD) {
        writes.push(switch(recreated, UNDO_RECREATE, id, false));
    }
    if let Some(close) = closed {
        writes.push(switch(close, UNDO_REOPEN, &row.old, true));
        if let (Some(left), Some(create)) = (row.left, create) {
            let settle = switch(close, UNDO_SETTLE, &row.old, false);
            writes.push(PlannedWrite {
                when: When::IfRaced,
                ..settle
            });
            writes.push(restore(create, close, left));
        }
    }
    writes
}

/// Switches a code off, or on again. Updates of codes carry our mark, so that a later run can tell what became of them.
fn switch(of: &PlannedWrite, op: &str, id: &str, active: bool) -> PlannedWrite {
    PlannedWrite {
        op: op.to_owned(),
        role: of.role,
        effect: undo_of(&of.effect, op),
        method: Method::Post,
        path: path("/v1/promotion_codes/{}", &[id]),
        form: vec![("active".to_owned(), active.to_string())],
        money: None,
        when: When::Always,
        irreversible: false,
        marked: true,
    }
}

/// Makes the code again on the old account, with no more than was left when the plan was made.
fn restore(create: &PlannedWrite, close: &PlannedWrite, left: i64) -> PlannedWrite {
    let fields = create.form.iter().filter(|(name, _)| name != CAP).cloned();
    let cap = (CAP.to_owned(), left.to_string());
    PlannedWrite {
        op: UNDO_RESTORE.to_owned(),
        role: close.role,
        effect: undo_of(&close.effect, UNDO_RESTORE),
        form: fields.chain([cap]).collect(),
        when: When::IfRaced,
        ..create.clone()
    }
}

fn delete(create: &PlannedWrite, id: &str) -> PlannedWrite {
    PlannedWrite {
        op: UNDO_COUPON.to_owned(),
        role: create.role,
        effect: undo_of(&create.effect, UNDO_COUPON),
        method: Method::Delete,
        path: path("/v1/coupons/{}", &[id]),
        form: Vec::new(),
        money: None,
        when: When::Always,
        irreversible: true,
        marked: false,
    }
}

/// What comes next while `undo` is taken back; see [`crate::stages::Stage::undo_next`].
#[must_use]
pub fn next(undo: &Change, facts: &[Fact]) -> Step {
    let step = match serde_json::from_str::<Payload>(&undo.payload) {
        Ok(Payload::Code(row)) => Script::of(&row, undo, facts).next(),
        Ok(Payload::Coupon(row)) => coupon(&row, undo, facts),
        Ok(Payload::Discount(row)) => discount(&row, undo, facts),
        Err(_) => Ok(failed("the plan's row cannot be read")),
    };
    step.unwrap_or_else(|step| *step)
}

/// Order while a pool is taken back: codes begin, and the coupon goes when they are done.
#[must_use]
pub fn rank(change: &Change) -> u32 {
    super::script::rank(change)
}

fn planned<'a>(undo: &'a Change, op: &str) -> Option<&'a PlannedWrite> {
    undo.writes_now().iter().find(|write| write.op == op)
}

fn undone(why: &str) -> Step {
    ended(RowEnd::Undone, why)
}

/// A look at the object a write changes.
fn at(label: &'static str, write: &PlannedWrite) -> Look {
    Look {
        label,
        role: write.role,
        path: write.path.clone(),
        query: Vec::new(),
        list: false,
    }
}

/// One code that is taken back.
struct Script<'a> {
    row: &'a CodeRow,
    facts: &'a [Fact],
    off: Option<&'a PlannedWrite>,
    smaller_off: Option<&'a PlannedWrite>,
    reopen: Option<&'a PlannedWrite>,
    settle: Option<&'a PlannedWrite>,
    restore: Option<&'a PlannedWrite>,
}

/// What was used where the old counters do not see it.
struct Used {
    /// Through this code: on the new account, and of the smaller old one.
    code: i64,
    /// Of the coupon, on the new account.
    pool: i64,
    /// A code there that is not this one can still use the coupon.
    goes_on: bool,
}

impl<'a> Script<'a> {
    fn of(row: &'a CodeRow, undo: &'a Change, facts: &'a [Fact]) -> Self {
        Self {
            row,
            facts,
            off: planned(undo, UNDO_CODE),
            smaller_off: planned(undo, UNDO_RECREATE),
            reopen: planned(undo, UNDO_REOPEN),
            settle: planned(undo, UNDO_SETTLE),
            restore: planned(undo, UNDO_RESTORE),
        }
    }

    fn next(&self) -> Or<Step> {
        self.new_off()?;
        if wrote(self.facts, UNDO_REOPEN).is_some() {
            return Ok(undone(""));
        }
        if wrote(self.facts, UNDO_RESTORE).is_some() {
            return Ok(undone(
                "some of it was used meanwhile, so the old account has a code of the same text with what is left",
            ));
        }
        if !gave_way(self.facts) {
            return Ok(Step::GiveWay);
        }
        let used_there = self.used_there()?;
        let used_of_smaller = self.smaller_off()?;
        let Some(reopen) = self.reopen else {
            return Ok(undone(if self.off.is_some() && self.row.closed {
                "an earlier run closed the old code, and it stays closed"
            } else {
                ""
            }));
        };
        let goes_on = self.goes_on()?;
        let used = Used {
            code: used_there.saturating_add(used_of_smaller),
            pool: self.used_of_pool()?,
            goes_on,
        };
        self.give_back(reopen, &used)
    }

    fn new_off(&self) -> Or<()> {
        let Some(off) = self.off.filter(|_| wrote(self.facts, UNDO_CODE).is_none()) else {
            return Ok(());
        };
        let (new, _) = one::<Code>(self.facts, at(NEW_CODE, off))?;
        let Some(new) = new else { return stop(not_there()) };
        if new.mark(OF) != Some(self.row.old.as_str()) {
            return stop(drifted(
                "the new code does not carry our mark any more: somebody else changed it",
            ));
        }
        stop(Step::Write(off.clone()))
    }

    /// Uses of the new code, seen off.
    fn used_there(&self) -> Or<i64> {
        let Some(off) = self.off else { return Ok(0) };
        let (new, _) = one::<Code>(self.facts, at(NEW_CODE_NOW, off))?;
        match new {
            None => stop(not_there()),
            Some(new) if new.active => stop(drifted("somebody switched the new code on again meanwhile")),
            Some(new) => Ok(new.times_redeemed),
        }
    }

    /// Uses of the smaller old code, seen off.
    fn smaller_off(&self) -> Or<i64> {
        let Some(off) = self.smaller_off else { return Ok(0) };
        if wrote(self.facts, UNDO_RECREATE).is_none() {
            let (smaller, _) = one::<Code>(self.facts, at(SMALLER_CODE, off))?;
            return match smaller {
                Some(smaller) if smaller.mark(EFFECT).is_some() => stop(Step::Write(off.clone())),
                _ => stop(drifted(
                    "the smaller code on the old account does not carry our mark any more",
                )),
            };
        }
        let (smaller, _) = one::<Code>(self.facts, at(SMALLER_CODE_NOW, off))?;
        match smaller {
            Some(smaller) if !smaller.active => Ok(smaller.times_redeemed),
            _ => stop(drifted(
                "somebody switched the smaller code on the old account on again meanwhile",
            )),
        }
    }

    /// Whether another code of the coupon is active on the new account: one that could not be taken back.
    fn goes_on(&self) -> Or<bool> {
        if self.row.left.is_none() {
            return Ok(false);
        }
        let look = seen::codes(COUPON_CODES, Role::Destination, "coupon", &self.row.coupon);
        let (codes, _) = list::<Code>(self.facts, look)?;
        Ok(codes.iter().any(|code| code.active))
    }

    /// Uses of the coupon on the new account. Without a limit they are nobody's.
    fn used_of_pool(&self) -> Or<i64> {
        if self.row.left.is_none() {
            return Ok(0);
        }
        let look = seen::coupon(NEW_COUPON, Role::Destination, &self.row.coupon);
        match one::<Coupon>(self.facts, look)?.0 {
            Some(coupon) => Ok(coupon.times_redeemed),
            // It never was, as far as this row knows: without it there was no new code either.
            None if self.off.is_none() => Ok(0),
            None => stop(drifted(
                "the new code is off, but its coupon is gone from the new account, so what was used of it cannot be told; \
                 the old code stays closed",
            )),
        }
    }

    fn give_back(&self, reopen: &PlannedWrite, used: &Used) -> Or<Step> {
        let codes = seen::codes(OLD_CODES, Role::Source, "coupon", &self.row.coupon);
        let coupon = seen::coupon(OLD_COUPON, Role::Source, &self.row.coupon);
        let (codes, _) = list::<Code>(self.facts, codes)?;
        let (coupon, _) = one::<Coupon>(self.facts, coupon)?;
        let Some(coupon) = coupon else {
            return Ok(drifted(
                "the new code is off, but the coupon is gone from the old account; the old code stays closed",
            ));
        };
        if used.goes_on && coupon.max_redemptions.is_some() {
            return Ok(drifted(
                "the new code is off, but another of its coupon is active there and can take what is left; the old code \
                 stays closed",
            ));
        }
        let old = self.old(reopen)?;
        let code_left = old.left().map(|left| left.saturating_sub(used.code));
        let pool_left = pool_left(&coupon, &codes, used.pool);
        let as_it_was = used.code == 0
            && old
                .left()
                .is_some_and(|left| pool_left.is_none_or(|pool| left <= pool));
        let untouched = used.code == 0 && used.pool == 0;
        let Some(left) = least(code_left, pool_left).filter(|_| !untouched && !as_it_was) else {
            return Ok(Step::Write(reopen.clone()));
        };
        let (Some(settle), Some(restore)) = (self.settle, self.restore) else {
            return Ok(drifted(
                "the new code is off, but the old one has a limit now that the plan does not know",
            ));
        };
        if wrote(self.facts, UNDO_SETTLE).is_none() {
            return Ok(Step::Write(settle.clone()));
        }
        let left = least(Some(left), self.row.left).unwrap_or(left);
        if left <= 0 {
            return Ok(drifted(&format!(
                "the new code is off, and nothing is left to give back: {} uses through it, {} of its coupon on the new \
                 account; the old code stays closed",
                used.code, used.pool
            )));
        }
        Ok(Step::Write(capped(restore, left)))
    }

    /// The old code, as we left it.
    fn old(&self, reopen: &PlannedWrite) -> Or<Code> {
        let (old, now) = one::<Code>(self.facts, at(OLD_CODE_NOW, reopen))?;
        let Some(old) = old else {
            return stop(drifted(
                "the new code is off, but the old one is not there any more",
            ));
        };
        if old.active {
            return stop(drifted(
                "the new code is off; somebody opened the old one meanwhile",
            ));
        }
        let ends = [self.row.expires_at, old.expires_at];
        if ends.iter().flatten().any(|at| *at <= now) {
            return stop(undone("the old code expired meanwhile, so it stays closed"));
        }
        let mark = old.mark(EFFECT);
        if mark.is_none() || mark == Some(reopen.effect.0.as_str()) {
            return stop(drifted(
                "the new code is off; the old one does not carry our mark any more, so it stays as it is",
            ));
        }
        Ok(old)
    }
}

/// What the old coupon has left beyond uses on the new account and what its open codes can take; `None`: no limit.
fn pool_left(old: &Coupon, codes: &[Code], used_there: i64) -> Option<i64> {
    let left = old.left()?;
    if used_there == 0 {
        // The coupon itself keeps its codes within what is left.
        return Some(left);
    }
    let open = codes.iter().filter(|code| code.active);
    let open = open.map(|code| code.left().map_or(left, |own| own.min(left)).max(0));
    let open = open.fold(0, i64::saturating_add);
    Some(left.saturating_sub(used_there).saturating_sub(open))
}

fn least(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn not_there() -> Step {
    drifted("the new code is not on the new account any more")
}

fn coupon(row: &CouponRow, undo: &Change, facts: &[Fact]) -> Or<Step> {
    let Some(delete) = planned(undo, UNDO_COUPON) else {
        return Ok(undone(""));
    };
    if wrote(facts, UNDO_COUPON).is_some() {
        return Ok(undone(&redeemed(facts, delete)));
    }
    if !gave_way(facts) {
        return Ok(Step::GiveWay);
    }
    let codes = seen::codes(COUPON_CODES, Role::Destination, "coupon", &row.id);
    let (codes, _) = list::<Code>(facts, codes)?;
    if let Some(code) = codes.iter().find(|code| code.active) {
        let id = safe(&code.id);
        return Ok(drifted(&format!(
            "its code {id} on the new account is still active, so the coupon stays"
        )));
    }
    delete_ours(delete, &row.id, facts)
}

fn discount(row: &DiscountRow, undo: &Change, facts: &[Fact]) -> Or<Step> {
    let Some(delete) = planned(undo, UNDO_COUPON) else {
        return Ok(undone(""));
    };
    if wrote(facts, UNDO_COUPON).is_some() {
        return Ok(undone(&redeemed(facts, delete)));
    }
    delete_ours(delete, &row.old, facts)
}

/// Deletes the coupon if it is the one that stands for `old`.
fn delete_ours(delete: &PlannedWrite, old: &str, facts: &[Fact]) -> Or<Step> {
    let (coupon, _) = one::<Coupon>(facts, at(NEW_COUPON, delete))?;
    Ok(match coupon {
        None => undone("somebody deleted it from the new account meanwhile"),
        Some(coupon) if coupon.mark(OF) != Some(old) => drifted(
            "the coupon on the new account does not carry our mark: somebody else made it, so it stays",
        ),
        Some(_) => Step::Write(delete.clone()),
    })
}

/// Who redeemed a deleted coupon keeps the discount (facts 3.4): how many did, where it is known.
fn redeemed(facts: &[Fact], delete: &PlannedWrite) -> String {
    match one::<Coupon>(facts, at(NEW_COUPON, delete)) {
        Ok((Some(coupon), _)) if coupon.times_redeemed > 0 => format!(
            "{} redemptions on the new account stay: whoever redeemed it keeps the discount",
            coupon.times_redeemed
        ),
        _ => String::new(),
    }
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
