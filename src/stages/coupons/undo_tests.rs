use std::collections::BTreeSet;

use super::super::model_rows_tests::{CodeSpec, Fate, Pool, moves};
use super::*;

fn made(ops: &[(&str, &str)]) -> BTreeMap<String, String> {
    let all = ops.iter().map(|(op, id)| ((*op).to_owned(), (*id).to_owned()));
    all.collect()
}

fn ops(change: &Change, made_of: &[(&str, &str)]) -> Vec<(String, Role, String)> {
    let writes = writes(change, &made(made_of));
    writes
        .into_iter()
        .map(|write| (write.op, write.role, write.path))
        .collect()
}

fn split() -> Vec<std::sync::Arc<Change>> {
    let split = CodeSpec {
        fate: Fate::Split(2),
        ..moves(Some(6), 0)
    };
    let pool = Pool {
        limit: None,
        used: 0,
        codes: vec![split],
    };
    pool.rows()
}

const CREATED: (&str, &str) = (CREATE_CODE, "promo_new");
const RECREATED: (&str, &str) = (RECREATE_OLD, "promo_small");
const CLOSED: (&str, &str) = (CLOSE_OLD, "promo_0");
const REOPENED: (&str, &str) = (REOPEN_OLD, "promo_0");

#[test]
fn only_what_this_run_made_is_taken_back() {
    let rows = split();
    let row = &rows[0];
    let at = |role, op: &str, id: &str| (op.to_owned(), role, format!("/v1/promotion_codes/{id}"));
    let old = |op, id| at(Role::Source, op, id);
    let back = || {
        let made_again = (
            UNDO_RESTORE.to_owned(),
            Role::Source,
            "/v1/promotion_codes".to_owned(),
        );
        vec![
            old(UNDO_REOPEN, "promo_0"),
            old(UNDO_SETTLE, "promo_0"),
            made_again,
        ]
    };
    assert!(ops(row, &[]).is_empty());
    assert!(
        ops(row, &[CLOSED, REOPENED]).is_empty(),
        "it is open again already"
    );
    assert_eq!(ops(row, &[CLOSED]), back());
    let smaller = [vec![old(UNDO_RECREATE, "promo_small")], back()].concat();
    assert_eq!(ops(row, &[CLOSED, RECREATED]), smaller);
    let off = at(Role::Destination, UNDO_CODE, "promo_new");
    assert_eq!(
        ops(row, &[CREATED]),
        std::slice::from_ref(&off),
        "an earlier run closed it"
    );
    assert_eq!(
        ops(row, &[CLOSED, RECREATED, CREATED]),
        [vec![off], smaller].concat()
    );
    assert_eq!(
        ops(&rows[1], &[(CREATE_COUPON, "SAVE")]),
        [(
            UNDO_COUPON.to_owned(),
            Role::Destination,
            "/v1/coupons/SAVE".to_owned()
        )]
    );
}

#[test]
fn every_write_is_an_effect_of_its_own_and_a_code_made_again_has_a_limit() {
    let rows = split();
    let writes = writes(&rows[0], &made(&[CLOSED, RECREATED, CREATED]));
    let before: Vec<_> = rows[0]
        .writes_now()
        .iter()
        .map(|write| write.effect.clone())
        .collect();
    let effects: BTreeSet<_> = writes
        .iter()
        .map(|write| write.effect.clone())
        .chain(before)
        .collect();
    assert_eq!(effects.len(), writes.len() + rows[0].writes_now().len());
    let again = writes.iter().find(|write| write.op == UNDO_RESTORE).unwrap();
    assert_eq!(
        seen::sent(again, CAP),
        Some("6"),
        "all that was left, and never more"
    );
    assert_eq!(again.form.iter().filter(|(name, _)| name == CAP).count(), 1);
}

#[test]
fn what_somebody_else_put_there_stays() {
    let rows = split();
    let mut undo = rows[1].as_ref().clone();
    undo.choices.clear();
    undo.writes = writes(&rows[1], &made(&[(CREATE_COUPON, "SAVE")]));
    let coupon = r#"{"valid":true,"times_redeemed":0,"duration":"once","metadata":{}}"#;
    let saw = |label, items: &[&'static str]| Fact::Saw {
        label,
        items: Some(
            items
                .iter()
                .map(|item| bytes::Bytes::from_static(item.as_bytes()))
                .collect(),
        ),
        at: crate::domain::time::UtcMs(0),
    };
    let facts = [Fact::GaveWay, saw(COUPON_CODES, &[]), saw(NEW_COUPON, &[coupon])];
    assert!(matches!(
        next(&undo, &facts),
        Step::End {
            end: RowEnd::Drifted,
            ..
        }
    ));
    let active = r#"{"id":"promo_x","active":true,"times_redeemed":0}"#;
    let facts = [Fact::GaveWay, saw(COUPON_CODES, &[active])];
    assert!(matches!(
        next(&undo, &facts),
        Step::End {
            end: RowEnd::Drifted,
            ..
        }
    ));
}
