use super::*;
use crate::domain::change::ChangeKey;
use crate::domain::ids::{Digest, EffectId, Role, StageId};
use crate::domain::write::Method;

const BEGAN: UtcMs = UtcMs(1_000_000);

fn intent(generation: u32, server_at: UtcMs) -> Intent {
    Intent {
        stage: StageId::Credits,
        row: ChangeKey("cus/usd".into()),
        op: "grant".into(),
        effect: EffectId("e".into()),
        generation,
        role: Role::Destination,
        method: Method::Post,
        path: "/v1/x".into(),
        body: "amount=-5".into(),
        key: format!("cut1-p-e-g{generation}"),
        plan: Digest::of("p", []),
        money: None,
        server_at,
        fence: String::new(),
    }
}

fn open() -> Effect {
    let mut effect = Effect::resume(None, BEGAN, 0);
    assert_eq!(effect.next(BEGAN, BEGAN), Move::Intend { generation: 1 });
    effect.intended(intent(1, BEGAN));
    effect
}

fn ambiguous() -> Answer {
    Answer::Ambiguous {
        why: "reset".into(),
        retry_after_ms: None,
    }
}

fn unknown_at(now: UtcMs) -> Effect {
    let mut effect = open();
    effect.answered(
        Answer::Stored500 {
            request_id: "req_1".into(),
        },
        now,
        |_| 0,
    );
    assert!(matches!(effect.next(now, now), Move::DeclareUnknown { .. }));
    effect.declared_unknown(now);
    effect
}

#[test]
fn the_intent_is_written_before_anything_is_sent() {
    assert_eq!(open().next(BEGAN, BEGAN), Move::Send);
}

#[test]
fn an_answer_that_an_earlier_run_got_is_looked_up_and_one_of_our_own_is_taken() {
    let replayed = || {
        Answer::Done(Attested {
            replayed: true,
            ..Attested::default()
        })
    };
    let mut first = open();
    first.answered(replayed(), BEGAN, |_| 0);
    assert!(matches!(first.next(BEGAN, BEGAN), Move::DeclareUnknown { .. }));
    let mut again = open();
    again.answered(ambiguous(), BEGAN, |_| 0);
    again.answered(replayed(), BEGAN, |_| 0);
    assert!(matches!(again.next(BEGAN, BEGAN), Move::Finish(Ended::Done(_))));
}

#[test]
fn an_open_intent_found_on_resume_is_sent_again_with_the_same_bytes_while_its_key_lives() {
    let resume = |age_ms| {
        let known = EffectState::Open(Box::new(intent(1, UtcMs(0))));
        let effect = Effect::resume(Some(known), UtcMs(age_ms), 0);
        effect.next(UtcMs(age_ms), UtcMs(age_ms))
    };
    assert_eq!(resume(60_000), Move::Send);
    assert_eq!(resume(KEY_ALIVE_MS - 1), Move::Send);
    assert!(matches!(resume(KEY_ALIVE_MS), Move::DeclareUnknown { .. }));
    assert!(matches!(resume(25 * 3_600_000), Move::DeclareUnknown { .. }));
}

#[test]
fn the_age_of_a_key_is_the_servers_not_the_machines() {
    let effect = Effect::resume(
        Some(EffectState::Open(Box::new(intent(1, UtcMs(0))))),
        UtcMs(60_000),
        0,
    );
    assert!(matches!(
        effect.next(UtcMs(60_000), UtcMs(KEY_ALIVE_MS)),
        Move::DeclareUnknown { .. }
    ));
}

#[test]
fn a_stored_500_is_never_sent_again_with_its_key() {
    let mut effect = unknown_at(BEGAN);
    let mut now = BEGAN;
    for _ in 0..100 {
        match effect.next(now, now) {
            Move::WaitUntil(at) => now = at,
            Move::Look => effect.looked(Ok(None), now),
            Move::RecordAbsent => effect.recorded_absent(),
            Move::AskPerson(_) => return,
            other => panic!("{other:?} before a person was asked"),
        }
    }
    panic!("never asked");
}

#[test]
fn absence_counts_only_after_the_quiet_time_and_presence_at_once() {
    let mut effect = unknown_at(BEGAN);
    let first = BEGAN.plus_ms(60_000);
    assert_eq!(effect.next(BEGAN, BEGAN), Move::WaitUntil(first));
    effect.looked(Ok(None), first);
    let second = BEGAN.plus_ms(300_000);
    assert_eq!(effect.next(first, first), Move::WaitUntil(second));
    let mut lucky = effect.clone();
    lucky.looked(Ok(Some(Attested::default())), second);
    assert!(matches!(lucky.next(second, second), Move::Finish(Ended::Done(_))));
    effect.looked(Ok(None), second);
    let decisive = BEGAN.plus_ms(QUIET_MS);
    assert_eq!(effect.next(second, second), Move::WaitUntil(decisive));
    effect.looked(Ok(None), decisive);
    assert_eq!(effect.next(decisive, decisive), Move::RecordAbsent);
    effect.recorded_absent();
    assert!(matches!(effect.next(decisive, decisive), Move::AskPerson(_)));
}

#[test]
fn after_a_restart_the_quiet_time_counts_from_the_start_of_the_process() {
    let known = EffectState::Unknown {
        intent: Box::new(intent(1, UtcMs(0))),
        since: UtcMs(0),
        probed_absent: false,
        reissue: true,
    };
    let began = UtcMs(3_600_000);
    let mut effect = Effect::resume(Some(known), began, 0);
    effect.looked(Ok(None), began.plus_ms(QUIET_MS - 1));
    assert_ne!(
        effect.next(began.plus_ms(QUIET_MS - 1), began),
        Move::RecordAbsent
    );
    effect.looked(Ok(None), began.plus_ms(QUIET_MS));
    assert_eq!(effect.next(began.plus_ms(QUIET_MS), began), Move::RecordAbsent);
}

#[test]
fn a_new_generation_needs_a_recorded_absence_and_leave_to_send() {
    let resume = |probed_absent, reissue| {
        let known = EffectState::Unknown {
            intent: Box::new(intent(3, UtcMs(0))),
            since: BEGAN,
            probed_absent,
            reissue,
        };
        Effect::resume(Some(known), BEGAN, 0).next(BEGAN, BEGAN)
    };
    assert_eq!(resume(true, true), Move::Intend { generation: 4 });
    assert!(matches!(resume(true, false), Move::AskPerson(_)));
    assert!(matches!(resume(false, true), Move::WaitUntil(_)));
}

#[test]
fn ambiguous_answers_are_tried_eight_times_with_the_same_key_and_then_are_unknown() {
    let mut effect = open();
    let mut sends = 0;
    let mut now = BEGAN;
    loop {
        match effect.next(now, now) {
            Move::Send => {
                sends += 1;
                effect.answered(ambiguous(), now, |_| 500);
            }
            Move::WaitUntil(at) => now = at,
            Move::DeclareUnknown { why, .. } => {
                assert_eq!(why, "reset");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sends, MAX_ATTEMPTS);
}

#[test]
fn limits_are_waited_out_for_a_quarter_of_an_hour_and_then_are_a_refusal_if_nothing_can_have_happened() {
    let run = |first: Option<Answer>| {
        let mut effect = open();
        let mut now = BEGAN;
        if let Some(answer) = first {
            effect.answered(answer, now, |_| 0);
        }
        loop {
            match effect.next(now, now) {
                Move::Send => {
                    effect.answered(
                        Answer::Limited {
                            retry_after_ms: Some(30_000),
                        },
                        now,
                        |_| 0,
                    );
                }
                Move::WaitUntil(at) => now = at,
                other => return (other, now.since(BEGAN)),
            }
        }
    };
    let (end, took) = run(None);
    assert!(
        matches!(end, Move::Finish(Ended::Rejected { status: 429, .. })),
        "{end:?}"
    );
    assert_eq!(took, LIMITED_MS);
    let (end, _) = run(Some(ambiguous()));
    assert!(matches!(end, Move::DeclareUnknown { .. }), "{end:?}");
}

#[test]
fn a_retry_after_is_kept_and_the_back_off_is_asked_with_a_growing_count() {
    let mut effect = open();
    effect.answered(
        Answer::Limited {
            retry_after_ms: Some(7_000),
        },
        BEGAN,
        |_| 1,
    );
    assert_eq!(effect.next(BEGAN, BEGAN), Move::WaitUntil(BEGAN.plus_ms(7_000)));
    let mut asked = Vec::new();
    for _ in 0..3 {
        effect.answered(ambiguous(), BEGAN, |n| {
            asked.push(n);
            0
        });
    }
    assert_eq!(asked, [1, 2, 3]);
}

#[test]
fn failed_looks_are_repeated_later_and_end_with_a_person() {
    let mut effect = unknown_at(BEGAN);
    let mut now = BEGAN;
    let mut looks = 0;
    loop {
        match effect.next(now, now) {
            Move::WaitUntil(at) => now = at,
            Move::Look => {
                looks += 1;
                effect.looked(Err(()), now);
            }
            Move::AskPerson(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looks, MAX_LOOKS);
}

#[test]
fn a_halting_answer_leaves_the_effect_open_for_the_next_run() {
    let mut effect = open();
    effect.answered(Answer::Halt("401".into()), BEGAN, |_| 0);
    assert_eq!(effect.next(BEGAN, BEGAN), Move::Halt("401".into()));
}

/// What a DELETE that found nothing comes to, after `answers`.
fn delete_finds_nothing(method: Method, generation: u32, answers: &[Answer]) -> Move {
    let mut effect = Effect::resume(None, BEGAN, 0);
    effect.intended(Intent {
        method,
        path: "/v1/coupons/SPRING".into(),
        ..intent(generation, BEGAN)
    });
    let nothing = Answer::Refused(Ended::Rejected {
        status: 404,
        code: "resource_missing".into(),
        message: String::new(),
        request_id: "req_9".into(),
    });
    for answer in answers.iter().chain([&nothing]) {
        effect.answered(answer.clone(), BEGAN, |_| 0);
    }
    effect.next(BEGAN, BEGAN)
}

#[test]
fn a_delete_that_finds_nothing_is_ours_only_if_one_of_ours_may_have_arrived() {
    let limited = Answer::Limited { retry_after_ms: None };
    let is_done = |found: Move| match found {
        Move::Finish(Ended::Done(attested)) => {
            assert_eq!((attested.object.as_str(), attested.found), ("SPRING", true));
            true
        }
        Move::Finish(Ended::Rejected { status: 404, .. }) => false,
        other => panic!("{other:?}"),
    };
    assert!(is_done(delete_finds_nothing(Method::Delete, 1, &[ambiguous()])));
    assert!(
        is_done(delete_finds_nothing(Method::Delete, 2, &[])),
        "an earlier one was unknown"
    );
    assert!(!is_done(delete_finds_nothing(Method::Delete, 1, &[])));
    assert!(
        !is_done(delete_finds_nothing(Method::Delete, 1, &[limited])),
        "it was not executed"
    );
    assert!(!is_done(delete_finds_nothing(Method::Post, 1, &[ambiguous()])));
}

#[test]
fn a_new_effect_comes_after_the_generations_that_were_taken_back() {
    let mut effect = Effect::resume(None, BEGAN, 4);
    assert_eq!(effect.next(BEGAN, BEGAN), Move::Intend { generation: 5 });
    assert!(effect.is_fresh());
    effect.intended(intent(5, BEGAN));
    assert!(!effect.is_fresh());
    assert_eq!(effect.generation(), 5);
}
