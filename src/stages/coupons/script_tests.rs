//! Words and order of single rows; what holds over every history is in the model's tests.

use super::super::effects::{CLOSE_OLD, CREATE_CODE, CREATE_COUPON, RECREATE_OLD, REOPEN_OLD};
use super::super::model_driver_tests::{Fate as Chooses, Protocol, Run};
use super::super::model_events_tests::{Event, Kind};
use super::super::model_rows_tests::{CodeSpec, Fate, Pool, moves};
use super::*;
use crate::domain::change::ChangeKey;

/// Lets one event happen, once something was logged.
struct When {
    logged: &'static str,
    event: Option<Event>,
}

/// The log and the ends of a pool to which `event` happens right after the step that logged `logged`.
fn played(
    pool: &Pool,
    logged: &'static str,
    event: Option<Event>,
) -> (Vec<String>, Vec<(String, RowEnd, String)>) {
    struct Waits<'a> {
        when: &'a mut When,
        steps: usize,
        due: usize,
    }
    impl Chooses for Waits<'_> {
        fn choose(&mut self, _: &[Event]) -> Option<Event> {
            self.steps += 1;
            if self.steps == self.due {
                self.when.event.take()
            } else {
                None
            }
        }
    }
    let right = Protocol { next, rank };
    // Where the step stands is found by a run without the event.
    let mut due = usize::MAX;
    if event.is_some() {
        for stop in 1..400 {
            let mut run = Run::new(pool, &pool.rows(), right);
            run.some_steps(stop).unwrap();
            if run.log.last().is_some_and(|line| line.contains(logged)) {
                due = stop + 1;
                break;
            }
        }
        assert_ne!(due, usize::MAX, "no step says {logged}");
    }
    let mut when = When { logged, event };
    let mut run = Run::new(pool, &pool.rows(), right);
    let mut fate = Waits {
        when: &mut when,
        steps: 0,
        due,
    };
    run.drive(&mut fate, &[Kind::Crashes])
        .unwrap_or_else(|what| panic!("{what}"));
    let ends = run.journal.ends.iter();
    let ends = ends
        .map(|(key, (end, why))| (key.clone(), *end, why.clone()))
        .collect();
    assert!(when.event.is_none(), "nothing happened after {}", when.logged);
    (run.log, ends)
}

fn pool(limit: Option<i64>, codes: Vec<CodeSpec>) -> Pool {
    Pool {
        limit,
        used: 0,
        codes,
    }
}

fn why<'a>(ends: &'a [(String, RowEnd, String)], key: &str) -> (RowEnd, &'a str) {
    let found = ends.iter().find(|(row, _, _)| row == key).unwrap();
    (found.1, &found.2)
}

#[test]
fn every_code_is_closed_before_the_codes_are_listed_the_coupon_read_last_and_each_code_looked_at_again() {
    let pool = pool(Some(5), vec![moves(Some(3), 0), moves(None, 0)]);
    let (log, _) = played(&pool, "", None);
    assert_eq!(
        log,
        [
            "code/promo_0: look old_code",
            "code/promo_0: close_old None",
            "code/promo_1: look old_code",
            "code/promo_1: close_old None",
            "coupon/SAVE: look new_coupon",
            "coupon/SAVE: look old_codes",
            "coupon/SAVE: look old_coupon",
            "coupon/SAVE: create_coupon Some(\"5\")",
            "coupon/SAVE: done ",
            "code/promo_0: look new_coupon",
            "code/promo_0: look new_codes",
            "code/promo_0: look old_code_now",
            "code/promo_0: create_code Some(\"3\")",
            "code/promo_0: done ",
            "code/promo_1: look new_coupon",
            "code/promo_1: look new_codes",
            "code/promo_1: look old_code_now",
            "code/promo_1: create_code None",
            "code/promo_1: done ",
        ]
    );
}

#[test]
fn a_code_that_is_split_is_made_smaller_before_the_others_have_their_turn() {
    let split = CodeSpec {
        fate: Fate::Split(2),
        ..moves(Some(6), 0)
    };
    let (log, _) = played(&pool(None, vec![split]), "", None);
    let made = |op: &str| log.iter().position(|line| line.contains(op)).unwrap();
    assert!(made(CLOSE_OLD) < made(RECREATE_OLD) && made(RECREATE_OLD) < made(CREATE_COUPON));
    assert!(
        log.contains(&"code/promo_0: recreate_old Some(\"4\")".to_owned()),
        "{log:#?}"
    );
    assert!(
        log.contains(&"code/promo_0: create_code Some(\"2\")".to_owned()),
        "{log:#?}"
    );
}

#[test]
fn a_use_between_the_look_and_the_closing_makes_the_limits_smaller() {
    let pool = pool(Some(5), vec![moves(Some(3), 0)]);
    let used = Event::Use(Role::Source, 0);
    let (log, ends) = played(&pool, "look old_code", Some(used));
    assert!(
        log.contains(&"coupon/SAVE: create_coupon Some(\"4\")".to_owned()),
        "{log:#?}"
    );
    assert!(
        log.contains(&"code/promo_0: create_code Some(\"2\")".to_owned()),
        "{log:#?}"
    );
    assert!(ends.iter().all(|(_, end, _)| *end == RowEnd::Done));
}

#[test]
fn a_coupon_that_was_refused_opens_its_codes_again_and_says_so() {
    let pool = pool(Some(5), vec![moves(Some(3), 0)]);
    let (log, ends) = played(&pool, "look old_coupon", Some(Event::Refuse));
    assert!(log.iter().any(|line| line.contains(REOPEN_OLD)), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains(CREATE_CODE)), "{log:#?}");
    assert_eq!(
        why(&ends, "code/promo_0"),
        (
            RowEnd::Drifted,
            "its coupon was not created on the new account; the old code is open again"
        )
    );
    assert_eq!(why(&ends, "coupon/SAVE").0, RowEnd::Failed);
}

#[test]
fn what_happens_meanwhile_has_an_end_of_its_own() {
    let expires = CodeSpec {
        expires: Some(5_000),
        ..moves(Some(3), 0)
    };
    let one = |limit| pool(limit, vec![moves(Some(3), 0)]);
    let cases = [
        (
            pool(None, vec![expires]),
            "close_old",
            Event::Expire,
            "it expired meanwhile",
        ),
        (
            one(None),
            "create_coupon",
            Event::Reopen(0),
            "somebody opened the old code again",
        ),
        (
            one(None),
            "coupon/SAVE: done",
            Event::ForeignCode(0),
            "taken the text meanwhile; the old code is open again",
        ),
        (
            one(Some(5)),
            "coupon/SAVE: done",
            Event::ForeignCode(0),
            "stays closed until it is taken back",
        ),
        (
            one(Some(5)),
            "close_old",
            Event::ForeignCoupon,
            "somebody else made a coupon of that id",
        ),
        (
            one(None),
            "coupon/SAVE: done",
            Event::DeleteNewCoupon,
            "its coupon was not created",
        ),
    ];
    for (pool, logged, event, says) in cases {
        let (log, ends) = played(&pool, logged, Some(event));
        let (end, why) = why(&ends, "code/promo_0");
        assert_eq!(end, RowEnd::Drifted, "{log:#?}");
        assert!(why.contains(says), "{why} after {event:?}");
    }
}

#[test]
fn a_plan_that_does_not_close_first_is_refused() {
    let pool = pool(Some(5), vec![moves(Some(3), 0)]);
    let mut row = pool.rows()[0].as_ref().clone();
    assert_eq!(row.key, ChangeKey("code/promo_0".to_owned()));
    row.choices[0].writes.retain(|write| write.op != CLOSE_OLD);
    assert!(matches!(
        next(&row, &[]),
        Step::End {
            end: RowEnd::Failed,
            ..
        }
    ));
    row.payload = "{}".to_owned();
    assert!(matches!(
        next(&row, &[]),
        Step::End {
            end: RowEnd::Failed,
            ..
        }
    ));
}

#[test]
fn a_code_that_was_off_when_planned_is_marked_and_never_switched_on() {
    let pool = pool(Some(5), vec![moves(Some(3), 0)]);
    let mut row = pool.rows()[0].as_ref().clone();
    row.planned_as = crate::domain::change::Verdict::Noop;
    let saw = |label, item: Option<&'static str>| Fact::Saw {
        label,
        items: item.map(|item| vec![bytes::Bytes::from_static(item.as_bytes())]),
        at: crate::domain::time::UtcMs(0),
    };
    let off = r#"{"id":"promo_0","active":false,"times_redeemed":0}"#;
    let Step::Write(close) = next(&row, &[saw(OLD_CODE, Some(off))]) else {
        panic!("it is not marked");
    };
    assert_eq!(close.op, CLOSE_OLD);
    let closed = Fact::Wrote {
        op: CLOSE_OLD.to_owned(),
        attested: crate::domain::record::Attested::default(),
    };
    let marked = serde_json::json!({
        "id": "promo_0", "active": false, "times_redeemed": 0, "metadata": {"cutover_effect": close.effect.0},
    });
    let seen = Fact::Saw {
        label: OLD_CODE_NOW,
        items: Some(vec![bytes::Bytes::from(marked.to_string())]),
        at: crate::domain::time::UtcMs(0),
    };
    let ended = next(&row, &[closed, Fact::GaveWay, saw(NEW_COUPON, None), seen]);
    assert!(
        matches!(&ended, Step::End { end: RowEnd::Drifted, why, .. } if why.contains("stays closed")),
        "{ended:?}"
    );
    let made = [(CLOSE_OLD.to_owned(), "promo_0".to_owned())].into();
    assert!(super::super::undo::writes(&row, &made).is_empty());
}
