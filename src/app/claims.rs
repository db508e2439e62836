//! What a rehearsed run says it has done, for the two accounts and the database to judge.

use crate::domain::change::Change;
use crate::domain::ids::StageId;
use crate::domain::record::RowEnd;
use crate::engine::state::{RowState, RunState};
use crate::rehearsal::{
    CarryClaim, Claim, Claims, DefaultClaim, PoolClaims, RowClaim, Stands, SubscriptionClaim,
};
use crate::stages::coupons::SubscriptionsStart;
use crate::stages::coupons::effects::{
    CREATE_CARRY, CREATE_CODE, CREATE_COUPON, DiscountRow, Payload, SET_CODE_LEFT, SET_LEFT, carry_id,
};
use crate::stages::mapping::effects::SET_DEFAULT;
use crate::stages::subscriptions;
use crate::stages::subscriptions::effects::{ACCEPT_PREVIEW, CANCEL_OLD, END_OLD, NEW_DAY, PAUSE_OLD};

/// What a person gives uses with, at a coupon and at a code.
const SET: [&str; 2] = [SET_LEFT, SET_CODE_LEFT];

/// Of every row that ended done; of coupons also what was decided about the others.
pub(super) fn claims(state: &RunState) -> Claims {
    let mut claims = Claims::default();
    for stage in &state.stages {
        let Some(plan) = &stage.plan else { continue };
        if stage.id == StageId::Coupons {
            let policy = plan
                .header()
                .policy
                .get("subscriptions_start")
                .map(String::as_str);
            let backdated = policy == Some(SubscriptionsStart::Backdated.word());
            let pools = claims.pools.get_or_insert_default();
            for (change, row) in plan.changes().iter().zip(stage.rows.iter()) {
                pool(change, row.end == Some(RowEnd::Done), backdated, pools);
            }
            continue;
        }
        if stage.id == StageId::Subscriptions {
            let subscriptions = claims.subscriptions.get_or_insert_default();
            for (change, row) in plan.changes().iter().zip(stage.rows.iter()) {
                subscriptions.rows.extend(subscription(change, row.end));
            }
            continue;
        }
        let drained = plan.header().policy.get("source_after").map(String::as_str) == Some("drain");
        for (change, row) in plan.changes().iter().zip(stage.rows.iter()) {
            if row.end == Some(RowEnd::Done) {
                claims.credits.extend(credit(change, row, drained));
                claims.defaults.extend(default(change));
                claims.rows.extend(rows(change));
            }
        }
    }
    claims
}

fn credit(change: &Change, row: &RowState, drained: bool) -> Option<Claim> {
    let moved = row.detail.as_ref().and_then(|detail| detail.moved);
    let money = moved.or(change.money)?;
    Some(Claim {
        customer: change.subject.clone(),
        currency: money.currency.code().to_owned(),
        // The ledger's sign: negative is a credit.
        amount: -money.amount,
        drained,
    })
}

fn default(change: &Change) -> Option<DefaultClaim> {
    let write = change.writes_now().iter().find(|write| write.op == SET_DEFAULT)?;
    let (_, method) = write.form.first()?;
    Some(DefaultClaim {
        customer: change.subject.clone(),
        method: method.clone(),
        decided: change.decision.is_some(),
    })
}

fn rows(change: &Change) -> impl Iterator<Item = RowClaim> {
    let update = change.update_now().into_iter();
    update.flat_map(|update| {
        update.cells.iter().map(|cell| RowClaim {
            key: update.key.clone(),
            column: cell.column.clone(),
            value: cell.after.clone(),
        })
    })
}

/// What one row of the subscriptions stage says.
fn subscription(change: &Change, end: Option<RowEnd>) -> Option<(String, SubscriptionClaim)> {
    let row: subscriptions::effects::Row = serde_json::from_str(&change.payload).ok()?;
    let done = end == Some(RowEnd::Done);
    let stops = |op: &str| [END_OLD, PAUSE_OLD, CANCEL_OLD].contains(&op);
    let stopped = done && change.writes_now().iter().any(|write| stops(&write.op));
    let stands = if stopped || change.rule == "handed_over" {
        Stands::HandedOver
    } else if row.twin.is_some() || (done && row.route.is_some()) {
        Stands::Waits
    } else {
        Stands::LeftOut
    };
    let chose = |choice: &str| {
        change
            .decision
            .as_ref()
            .is_some_and(|decision| decision.choice == choice)
    };
    let claim = SubscriptionClaim {
        stands,
        at: row.handover,
        schedule: row.twin.and_then(|(schedule, _)| schedule),
        new_day: chose(NEW_DAY),
        amount_accepted: chose(ACCEPT_PREVIEW),
    };
    Some((row.old, claim))
}

/// What one row of the coupons stage says.
fn pool(change: &Change, done: bool, backdated: bool, claims: &mut PoolClaims) {
    let Ok(payload) = serde_json::from_str(&change.payload) else {
        return;
    };
    let writes = |op: &str| done && change.writes_now().iter().any(|write| write.op == op);
    let id = match payload {
        Payload::Coupon(row) => {
            if writes(CREATE_COUPON) {
                claims.coupons.insert(row.id.clone());
            }
            row.id
        }
        Payload::Code(row) => {
            if writes(CREATE_CODE) {
                claims.codes.insert(row.old.clone());
            }
            row.old
        }
        Payload::Discount(row) => {
            if writes(CREATE_CARRY) {
                claims.discounts.extend(carry(row, backdated));
            }
            return;
        }
    };
    if let Some(decision) = &change.decision {
        let given = decision
            .number
            .filter(|_| SET.contains(&decision.choice.as_str()));
        if let Some(given) = given.and_then(|n| i64::try_from(n).ok()) {
            claims.left.insert(id.clone(), given);
        }
        claims.decided.insert(id);
    }
}

fn carry(row: DiscountRow, backdated: bool) -> Option<CarryClaim> {
    let coupon = row.terms.get("id").map(str::to_owned);
    Some(CarryClaim {
        coupon: coupon.unwrap_or_else(|| carry_id(&row.old, None)),
        discount: row.old,
        subscription: row.subscription?,
        until: row.until,
        backdated,
    })
}
