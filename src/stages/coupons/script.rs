//! The script of one row. PURE: from the row and what has happened so far to the next step, so that a crash at any point
//! resumes by the same function.
//!
//! ```text
//!  code      is the old one live?   no ─► drifted, nothing written
//!            close old ─► [make it again, smaller] ─► give way: every code of the pool is closed, then the coupon
//!            new coupon not there? ─► open the old one again ─► drifted
//!            the text taken?   no limit ─► open the old one again ─► drifted     limit ─► drifted, it stays closed
//!            see the old one closed, by us ─► create with what is left now ─► done     nothing left ─► drifted
//!
//!  coupon    is one of that id there?               yes ─► drifted
//!            is a code that moves still open?       yes ─► drifted
//!            read the old one last: what is left now, less what its open codes can still take
//!                                                   nothing ─► drifted     else ─► create ─► done
//!
//!  discount  is its coupon there?   yes ─► drifted     no ─► create ─► done
//! ```
//!
//! Each read that a limit rests on is the last before the write, and codes are listed before the coupon is read: a use
//! between the two then makes the new limit too small and never too large.

pub(super) mod code;
mod coupon;
pub(super) mod seen;

use super::effects::{CREATE_CARRY, DiscountRow, Payload};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::record::RowEnd;
use crate::stages::{Fact, Step};
use seen::{Or, drifted, ended, failed, one, sent, stop, wrote};

/// Label of the first look at the old code.
pub const OLD_CODE: &str = "old_code";
/// Label of the look at the old code once it is closed, before a smaller one is made.
pub const OLD_CODE_CLOSED: &str = "old_code_closed";
/// Label of the last look at the old code.
pub const OLD_CODE_NOW: &str = "old_code_now";
/// Label of the look at the coupon on the new account.
pub const NEW_COUPON: &str = "new_coupon";
/// Label of the look at the codes of that text on the new account.
pub const NEW_CODES: &str = "new_codes";
/// Label of the look at the old coupon's codes.
pub const OLD_CODES: &str = "old_codes";
/// Label of the last look at the old coupon.
pub const OLD_COUPON: &str = "old_coupon";

/// What comes next for `change`.
#[must_use]
pub fn next(change: &Change, facts: &[Fact]) -> Step {
    let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
        return failed("the plan's row cannot be read; make the plan again");
    };
    let step = match payload {
        Payload::Code(row) => code::next(&row, change, facts),
        Payload::Coupon(row) => coupon::next(&row, change, facts),
        Payload::Discount(row) => discount(&row, change, facts),
    };
    step.unwrap_or_else(|step| *step)
}

/// Order within a pool: codes begin, and give way to the coupon.
#[must_use]
pub fn rank(change: &Change) -> u32 {
    match serde_json::from_str::<Payload>(&change.payload) {
        Ok(Payload::Code(_)) => 0,
        Ok(Payload::Coupon(_)) => 1,
        Ok(Payload::Discount(_)) | Err(_) => 2,
    }
}

/// Whether a row waits while another of its pool is unknown: a coupon for its codes, and a code for its coupon.
#[must_use]
pub fn follows(change: &Change) -> bool {
    rank(change) < 2
}

fn discount(row: &DiscountRow, change: &Change, facts: &[Fact]) -> Or<Step> {
    let planned = change.writes_now().iter().find(|write| write.op == CREATE_CARRY);
    let Some((planned, id)) = planned.and_then(|write| Some((write, sent(write, "id")?))) else {
        return stop(unknown_writes());
    };
    if wrote(facts, CREATE_CARRY).is_some() {
        return Ok(done());
    }
    let (there, now) = one::<seen::Coupon>(facts, seen::coupon(NEW_COUPON, Role::Destination, id))?;
    if there.is_some() {
        return Ok(drifted(
            "a coupon of that id appeared on the new account meanwhile; read again",
        ));
    }
    if row.until.is_some_and(|until| until <= now) {
        return Ok(drifted("the discount ended meanwhile; read again"));
    }
    Ok(Step::Write(planned.clone()))
}

fn done() -> Step {
    ended(RowEnd::Done, "")
}

fn unknown_writes() -> Step {
    failed("the plan's row has no writes this program knows; make the plan again")
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
