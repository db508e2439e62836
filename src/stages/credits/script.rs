//! The script of one row: look, take off, look at what came back, put on. PURE: from the row and what has happened so
//! far to the next step, so that a crash at any point resumes by the same function.
//!
//! ```text
//!  look at both ledgers ──► changed since planned? ──► end: drifted, nothing written
//!          │
//!        debit old ──► ending balance of the old ledger, r (in the row's direction)
//!          │             r = 0            as planned
//!          │             r opposite       someone used x of it meanwhile: give x back, move that much less
//!          │             r same sign      more arrived meanwhile: it stays for the next sweep
//!        grant new ──► end: done
//! ```

use serde::Deserialize;

use super::effects::{BILLING_GRANT, CORRECT, DEBIT, GRANT, Payload};
use super::facts::Head;
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::money::Money;
use crate::domain::record::{Attested, RowEnd};
use crate::domain::write::{PlannedWrite, marker};
use crate::stages::{Fact, Look, Step};

/// Label of the last look at the old ledger.
pub const SOURCE_NOW: &str = "source_now";
/// Label of the last look at the new ledger.
pub const DESTINATION_NOW: &str = "destination_now";
/// Attested number: `ending_balance` in the program's sign.
pub const ENDING: &str = "ending";

/// What comes next for `change`.
#[must_use]
pub fn next(change: &Change, facts: &[Fact]) -> Step {
    let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
        return end(
            RowEnd::Failed,
            "the plan's row cannot be read; make the plan again",
            None,
        );
    };
    let writes = change.writes_now();
    let write = |op: &str| writes.iter().find(|write| write.op == op);
    if let Some(planned) = write(BILLING_GRANT) {
        return if wrote(facts, BILLING_GRANT).is_some() {
            done()
        } else {
            Step::Write(planned.clone())
        };
    }
    match (write(DEBIT), write(GRANT)) {
        (None, Some(grant)) => grant_only(grant, &payload, facts),
        (Some(debit), Some(grant)) => moving(debit, write(CORRECT), grant, &payload, facts),
        _ => end(
            RowEnd::Failed,
            "the plan's row has no writes this program knows; make the plan again",
            None,
        ),
    }
}

fn grant_only(grant: &PlannedWrite, payload: &Payload, facts: &[Fact]) -> Step {
    if wrote(facts, GRANT).is_some() {
        return done();
    }
    match look_at_destination(grant, payload, facts) {
        Some(step) => step,
        None => Step::Write(grant.clone()),
    }
}

fn moving(
    debit: &PlannedWrite,
    correct: Option<&PlannedWrite>,
    grant: &PlannedWrite,
    payload: &Payload,
    facts: &[Fact],
) -> Step {
    let Some(debited) = wrote(facts, DEBIT) else {
        let look = look_at_source(payload, facts).or_else(|| look_at_destination(grant, payload, facts));
        return look.unwrap_or_else(|| Step::Write(debit.clone()));
    };
    let (Some(planned), Some(ending)) = (grant.money, debited.numbers.get(ENDING).copied()) else {
        return end(
            RowEnd::Unknown,
            "the old account's ending balance is not on record; look at the customer",
            None,
        );
    };
    let taken_back = over_debited(planned.amount, ending);
    if taken_back != 0 && wrote(facts, CORRECT).is_none() {
        return match correct {
            Some(correct) => Step::Write(resized(correct, taken_back)),
            None => end(
                RowEnd::Unknown,
                "the plan has no correcting write; look at the customer",
                None,
            ),
        };
    }
    let owed = planned.amount - taken_back;
    let moved = (owed != planned.amount).then(|| Money::new(owed, planned.currency));
    if owed == 0 {
        let why =
            "the balance was used up on the old account while it was being moved; nothing was left to move";
        return end(RowEnd::Drifted, why, None);
    }
    if wrote(facts, GRANT).is_none() {
        return Step::Write(resized(grant, owed));
    }
    let why = why_done(planned, ending, taken_back);
    Step::End {
        end: RowEnd::Done,
        why,
        moved,
    }
}

/// How much of `planned` the debit took although it was not there any more; same sign as `planned`, never more than it.
fn over_debited(planned: i64, ending: i64) -> i64 {
    if ending == 0 || ending.signum() == planned.signum() {
        return 0;
    }
    let size = ending.saturating_abs().min(planned.saturating_abs());
    size * planned.signum()
}

fn why_done(planned: Money, ending: i64, taken_back: i64) -> String {
    if taken_back != 0 {
        let used = Money::new(taken_back, planned.currency).in_words();
        return format!("{used} was used on the old account meanwhile, so that much less was moved");
    }
    if ending != 0 {
        let more = Money::new(ending, planned.currency).in_words();
        return format!("{more} arrived on the old account meanwhile; read again to move it");
    }
    String::new()
}

fn resized(write: &PlannedWrite, amount: i64) -> PlannedWrite {
    let mut write = write.clone();
    if let Some(money) = &mut write.money {
        money.amount = amount;
    }
    for (name, value) in &mut write.form {
        if name == "amount" {
            // Stripe's sign.
            *value = (-amount).to_string();
        }
    }
    write
}

fn look_at_source(payload: &Payload, facts: &[Fact]) -> Option<Step> {
    let why = match saw(facts, SOURCE_NOW) {
        Seen::NotLooked => {
            return Some(look(
                SOURCE_NOW,
                Role::Source,
                payload,
                payload.source_head.as_ref(),
            ));
        }
        Seen::NoSuchCustomer => Some("the customer is not on the old account any more".to_owned()),
        Seen::Rows(rows) => changed(rows, payload),
    };
    why.map(|why| end(RowEnd::Drifted, &why, None))
}

fn look_at_destination(grant: &PlannedWrite, payload: &Payload, facts: &[Fact]) -> Option<Step> {
    let rows = match saw(facts, DESTINATION_NOW) {
        Seen::NotLooked => {
            return Some(look(
                DESTINATION_NOW,
                Role::Destination,
                payload,
                payload.destination_head.as_ref(),
            ));
        }
        Seen::NoSuchCustomer => {
            return Some(end(
                RowEnd::Drifted,
                "the customer is not on the new account any more",
                None,
            ));
        }
        Seen::Rows(rows) => rows,
    };
    let ours = rows.iter().any(|row| {
        serde_json::from_slice::<Row>(row).is_ok_and(|row| {
            row.metadata.and_then(|mut of| of.remove(marker::EFFECT)).as_ref() == Some(&grant.effect.0)
        })
    });
    ours.then(|| {
        end(
            RowEnd::Drifted,
            "another run granted this credit meanwhile; read again",
            None,
        )
    })
}

fn look(label: &'static str, role: Role, payload: &Payload, head: Option<&Head>) -> Step {
    let query = head
        .map(|head| vec![("created[gte]".to_owned(), head.created.to_string())])
        .unwrap_or_default();
    let path = format!("/v1/customers/{}/balance_transactions", payload.customer);
    Step::Look(Look {
        label,
        role,
        path,
        query,
        list: true,
    })
}

/// A row of the same currency that was not there when the plan was made. Other currencies are other balances, and this
/// program may just have written to them.
fn changed(rows: &[bytes::Bytes], payload: &Payload) -> Option<String> {
    let head = payload.source_head.as_ref();
    for row in rows {
        let Ok(row) = serde_json::from_slice::<Row>(row) else {
            return Some("a ledger row on the old account could not be read".to_owned());
        };
        let same_currency = payload
            .money
            .is_none_or(|money| money.currency.code() == row.currency);
        if same_currency && !head.is_some_and(|head| head.ids.contains(&row.id)) {
            return Some(format!(
                "the ledger on the old account has a new row, {}; read again",
                row.id
            ));
        }
    }
    None
}

#[derive(Deserialize)]
struct Row {
    id: String,
    currency: String,
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

/// What a look saw.
enum Seen<'a> {
    NotLooked,
    NoSuchCustomer,
    Rows(&'a [bytes::Bytes]),
}

fn saw<'a>(facts: &'a [Fact], wanted: &str) -> Seen<'a> {
    let items = facts.iter().rev().find_map(|fact| match fact {
        Fact::Saw { label, items, .. } if *label == wanted => Some(items),
        _ => None,
    });
    match items {
        None => Seen::NotLooked,
        Some(None) => Seen::NoSuchCustomer,
        Some(Some(rows)) => Seen::Rows(rows),
    }
}

fn wrote<'a>(facts: &'a [Fact], wanted: &str) -> Option<&'a Attested> {
    facts.iter().find_map(|fact| match fact {
        Fact::Wrote { op, attested } if op == wanted => Some(attested),
        _ => None,
    })
}

fn done() -> Step {
    end(RowEnd::Done, "", None)
}

fn end(end: RowEnd, why: &str, moved: Option<Money>) -> Step {
    Step::End {
        end,
        why: why.to_owned(),
        moved,
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
