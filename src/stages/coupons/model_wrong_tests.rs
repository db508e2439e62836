//! Protocols that are wrong on purpose. Each shows the script what it did not look at, or asks it in another order.

use bytes::Bytes;
use serde_json::{Value, json};

use super::effects::{CLOSE_OLD, CodeRow, CouponRow, Payload};
use super::script::{self, NEW_COUPON, OLD_CODE, OLD_CODE_NOW, OLD_CODES, OLD_COUPON};
use super::undo;
use crate::domain::change::Change;
use crate::domain::record::{Attested, RowEnd};
use crate::domain::time::UtcMs;
use crate::domain::write::marker;
use crate::stages::{Fact, Step};

fn code_row(change: &Change) -> Option<CodeRow> {
    match serde_json::from_str(&change.payload) {
        Ok(Payload::Code(row)) => Some(row),
        _ => None,
    }
}

fn coupon_row(change: &Change) -> Option<CouponRow> {
    match serde_json::from_str(&change.payload) {
        Ok(Payload::Coupon(row)) => Some(row),
        _ => None,
    }
}

fn saw(label: &'static str, items: &[Value]) -> Fact {
    Fact::Saw {
        label,
        items: Some(items.iter().map(|item| Bytes::from(item.to_string())).collect()),
        at: UtcMs(0),
    }
}

/// The old code, closed by us and used so often.
fn closed(change: &Change, row: &CodeRow, used: i64) -> Value {
    let close = change.writes_now().iter().find(|write| write.op == CLOSE_OLD);
    let mark = close.map_or("earlier", |close| close.effect.0.as_str());
    json!({"id": row.old, "active": false, "times_redeemed": used, "metadata": {marker::EFFECT: mark}})
}

fn with(facts: &[Fact], more: Vec<Fact>) -> Vec<Fact> {
    facts.iter().cloned().chain(more).collect()
}

fn seen_before(facts: &[Fact], label: &str) -> Option<i64> {
    facts.iter().find_map(|fact| match fact {
        Fact::Saw {
            label: seen, items, ..
        } if *seen == label => {
            let object = items.as_ref()?.first()?;
            serde_json::from_slice::<Value>(object).ok()?["times_redeemed"].as_i64()
        }
        _ => None,
    })
}

fn wrote(op: &str) -> Fact {
    Fact::Wrote {
        op: op.to_owned(),
        attested: Attested::default(),
    }
}

/// Does not look again once the old code is closed.
pub(super) fn no_read_again(change: &Change, facts: &[Fact]) -> Step {
    let Some(row) = code_row(change) else {
        return script::next(change, facts);
    };
    let now = closed(change, &row, row.used);
    script::next(change, &with(facts, vec![saw(OLD_CODE_NOW, &[now])]))
}

/// Takes the count from before the closing.
pub(super) fn read_before_close(change: &Change, facts: &[Fact]) -> Step {
    let counted = seen_before(facts, OLD_CODE);
    match code_row(change).zip(counted) {
        Some((row, counted)) => {
            let now = closed(change, &row, counted);
            script::next(change, &with(facts, vec![saw(OLD_CODE_NOW, &[now])]))
        }
        None => script::next(change, facts),
    }
}

/// Creates the new code, then closes the old one.
pub(super) fn create_first(change: &Change, facts: &[Fact]) -> Step {
    let Some(row) = code_row(change) else {
        return coupon_before_closing(change, facts);
    };
    let close = change.writes_now().iter().find(|write| write.op == CLOSE_OLD);
    let is_closed = facts
        .iter()
        .any(|fact| matches!(fact, Fact::Wrote { op, .. } if op == CLOSE_OLD));
    let now = closed(change, &row, row.used);
    let faked = with(facts, vec![wrote(CLOSE_OLD), saw(OLD_CODE_NOW, &[now])]);
    match (script::next(change, &faked), close) {
        (
            Step::End {
                end: RowEnd::Done, ..
            },
            Some(close),
        ) if !is_closed => Step::Write(close.clone()),
        (step, _) => step,
    }
}

/// Creates the coupon without waiting for the closing of its codes.
pub(super) fn coupon_before_closing(change: &Change, facts: &[Fact]) -> Step {
    let Some(row) = coupon_row(change) else {
        return script::next(change, facts);
    };
    let closed = row
        .closing
        .iter()
        .map(|id| json!({"id": id, "active": false, "times_redeemed": 0}));
    script::next(
        change,
        &with(facts, vec![saw(OLD_CODES, &closed.collect::<Vec<_>>())]),
    )
}

pub(super) fn coupon_first(change: &Change) -> u32 {
    u32::from(code_row(change).is_some())
}

/// Takes what the plan says for what the old coupon has left.
pub(super) fn coupon_from_the_plan(change: &Change, facts: &[Fact]) -> Step {
    let Some(row) = coupon_row(change) else {
        return script::next(change, facts);
    };
    let limit = row.left.map(|left| left + row.used);
    let planned = json!({
        "valid": true, "max_redemptions": limit, "times_redeemed": row.used, "redeem_by": null,
        "percent_off": 25, "amount_off": null, "currency": null, "duration": "once",
        "duration_in_months": null,
    });
    script::next(change, &with(facts, vec![saw(OLD_COUPON, &[planned])]))
}

/// Takes whatever coupon is there for its own.
pub(super) fn any_coupon(change: &Change, facts: &[Fact]) -> Step {
    let Some(row) = code_row(change) else {
        return script::next(change, facts);
    };
    let facts = facts.iter().map(|fact| match fact {
        Fact::Saw {
            label: NEW_COUPON,
            items: Some(items),
            at,
        } => {
            let mut coupon: Value = serde_json::from_slice(&items[0]).unwrap();
            coupon["metadata"][marker::OF] = json!(row.coupon);
            Fact::Saw {
                label: NEW_COUPON,
                items: Some(vec![Bytes::from(coupon.to_string())]),
                at: *at,
            }
        }
        other => other.clone(),
    });
    script::next(change, &facts.collect::<Vec<_>>())
}

/// Switches the old code on again whatever was used of the new one.
pub(super) fn reopen_always(change: &Change, facts: &[Fact]) -> Step {
    let facts = facts.iter().map(|fact| match fact {
        Fact::Saw {
            label: label @ (undo::NEW_CODE_NOW | NEW_COUPON),
            items: Some(items),
            at,
        } if !items.is_empty() => {
            let mut object: Value = serde_json::from_slice(&items[0]).unwrap();
            object["times_redeemed"] = json!(0);
            Fact::Saw {
                label,
                items: Some(vec![Bytes::from(object.to_string())]),
                at: *at,
            }
        }
        other => other.clone(),
    });
    undo::next(change, &facts.collect::<Vec<_>>())
}
