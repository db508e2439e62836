//! Of a coupon. See the [script's page](super).

use super::super::effects::{CREATE_COUPON, CouponRow, SET_LEFT};
use super::seen::{self, Code, Coupon, EFFECT, Or, cap, capped, drifted, list, one, sent, stop, wrote};
use super::{NEW_COUPON, OLD_CODES, OLD_COUPON, done, unknown_writes};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::domain::write::PlannedWrite;
use crate::stages::{Fact, Step};
use crate::stripe::wire::Decimal;

pub(super) fn next(row: &CouponRow, change: &Change, facts: &[Fact]) -> Or<Step> {
    let create = change.writes_now().iter().find(|write| write.op == CREATE_COUPON);
    let Some(create) = create else {
        return stop(unknown_writes());
    };
    if wrote(facts, CREATE_COUPON).is_some() {
        return Ok(done());
    }
    let chosen = change
        .decision
        .as_ref()
        .map_or("", |decision| decision.choice.as_str());
    let most = cap(create)?;
    if row.left.is_some() && most.is_none() {
        return stop(unknown_writes());
    }
    not_there(row, create, facts)?;
    // First the codes, then the coupon: a use between the two looks makes the limit smaller.
    let codes = seen::codes(OLD_CODES, Role::Source, "coupon", &row.id);
    let (codes, _) = list::<Code>(facts, codes)?;
    let open = still_open(row, &codes);
    if let Some(open) = open.as_ref().filter(|_| chosen == SET_LEFT) {
        return Ok(drifted(&format!("its code {open}; nothing was created")));
    }
    let (old, now) = one::<Coupon>(facts, seen::coupon(OLD_COUPON, Role::Source, &row.id))?;
    let Some(old) = old else {
        return Ok(drifted(
            "the coupon is not on the old account any more; nothing was created",
        ));
    };
    still_the_same(row, create, &old, now)?;
    let Some(most) = most else {
        return Ok(Step::Write(create.clone()));
    };
    let used = old.times_redeemed.saturating_sub(row.used);
    let most = most.saturating_sub(used);
    let most = match bound(&old, &codes) {
        Some(bound) if chosen != SET_LEFT => most.min(bound),
        _ => most,
    };
    if most <= 0 {
        return Ok(drifted(&match open {
            Some(open) => format!("its code {open}, and can take all that is left; nothing was created"),
            None => {
                "what was to move was used up on the old account meanwhile; nothing was created".to_owned()
            }
        }));
    }
    Ok(Step::Write(capped(create, most)))
}

fn not_there(row: &CouponRow, create: &PlannedWrite, facts: &[Fact]) -> Or<()> {
    let look = seen::coupon(NEW_COUPON, Role::Destination, &row.id);
    let (there, _) = one::<Coupon>(facts, look)?;
    let Some(there) = there else { return Ok(()) };
    stop(drifted(if there.mark(EFFECT) == Some(create.effect.0.as_str()) {
        "another run created it meanwhile; read again"
    } else {
        "a coupon of that id appeared on the new account meanwhile; read again"
    }))
}

/// The first code that was to move and is not seen closed: left out by a person, or not closed for a reason of its own.
/// What it can take is kept for it, like a stayer's. A limit that a person set leaves nothing to be kept.
fn still_open(row: &CouponRow, codes: &[Code]) -> Option<String> {
    row.closing.iter().find_map(|id| {
        let closed = codes.iter().find(|code| code.id == *id).map(|code| !code.active);
        let why = match closed {
            Some(true) => return None,
            Some(false) => "is still open on the old account",
            None => "is not listed on the old account any more",
        };
        Some(format!("{} {why}", safe(id)))
    })
}

/// What is left of the old coupon beyond what its open codes can take; `None`: it has no limit.
fn bound(old: &Coupon, codes: &[Code]) -> Option<i64> {
    let left = old.left()?;
    let open = codes.iter().filter(|code| code.active);
    let kept = open.map(|code| code.left().map_or(left, |own| own.min(left)).max(0));
    Some(left.saturating_sub(kept.fold(0, i64::saturating_add)))
}

/// A coupon's terms cannot be changed, but it can be deleted and made again under its id.
fn still_the_same(row: &CouponRow, create: &PlannedWrite, old: &Coupon, now: i64) -> Or<()> {
    let ends = [row.redeem_by, old.redeem_by];
    if ends.iter().flatten().any(|at| *at <= now) {
        return stop(drifted("it expired meanwhile; nothing was created"));
    }
    let number = |field: &str| sent(create, field).and_then(|value| value.parse::<i64>().ok());
    let same = sent(create, "percent_off").and_then(Decimal::parse) == old.percent_off
        && number("amount_off") == old.amount_off
        && sent(create, "currency") == old.currency.as_deref()
        && sent(create, "duration") == Some(old.duration.as_str())
        && number("duration_in_months") == old.duration_in_months
        && row.redeem_by == old.redeem_by
        && row.left.is_none() == old.max_redemptions.is_none();
    if !same || old.times_redeemed < row.used {
        return stop(drifted(
            "the coupon on the old account is another one than when the plan was made; read again",
        ));
    }
    let used_up = old.left().is_some_and(|left| left <= 0);
    if !old.valid && !used_up {
        return stop(drifted(
            "the coupon is not valid on the old account any more; nothing was created",
        ));
    }
    Ok(())
}
