//! What a rehearsed run says it has done, for the two accounts and the database to judge.

use crate::domain::change::Change;
use crate::domain::record::RowEnd;
use crate::engine::state::{RowState, RunState};
use crate::rehearsal::{Claim, Claims, DefaultClaim, RowClaim};
use crate::stages::mapping::effects::SET_DEFAULT;

/// Of every row that ended done.
pub(super) fn claims(state: &RunState) -> Claims {
    let mut claims = Claims::default();
    for stage in &state.stages {
        let Some(plan) = &stage.plan else { continue };
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
