//! The table of reliability §4.4, row by row, then as properties over every status.

use super::super::error::{ApiError, Sent, TransportError};
use super::super::reply::Meta;
use super::*;

const fn again(class: Class) -> Verdict {
    Verdict::RetrySameKey {
        after_ms: None,
        class,
    }
}

fn answer(status: u16) -> Answer<'static> {
    Answer {
        status,
        shaped: true,
        ..Answer::default()
    }
}

#[test]
fn every_row_of_the_response_table_has_its_verdict() {
    use Kind::{Read, Write};
    let coded = |status, code| Answer {
        code: Some(code),
        ..answer(status)
    };
    let typed = |status, kind| Answer {
        kind: Some(kind),
        ..answer(status)
    };
    let bare = |status| Answer {
        shaped: false,
        ..answer(status)
    };
    let told = |status, should| Answer {
        should_retry: Some(should),
        ..answer(status)
    };
    let rows: Vec<(Kind, Answer<'_>, Verdict)> = vec![
        (Write, answer(200), Verdict::Done),
        (Read, answer(204), Verdict::Done),
        (Write, answer(301), Verdict::HaltRedirect),
        (Read, answer(304), Verdict::HaltRedirect),
        (
            Write,
            typed(400, "idempotency_error"),
            Verdict::HaltIdempotencyMismatch,
        ),
        (
            Write,
            coded(400, "resource_already_exists"),
            Verdict::AlreadyExists,
        ),
        (Write, coded(400, "parameter_missing"), Verdict::Rejected),
        (Write, coded(400, "resource_missing"), Verdict::Rejected),
        (Write, answer(401), Verdict::HaltAuth),
        (Read, bare(403), Verdict::HaltAuth),
        (Write, coded(402, "card_declined"), Verdict::Rejected),
        (Write, coded(404, "resource_missing"), Verdict::NotFound),
        (Read, answer(404), Verdict::NotFound),
        (
            Write,
            coded(409, "idempotency_key_in_use"),
            again(Class::KeyInUse),
        ),
        (Write, typed(409, "idempotency_error"), again(Class::KeyInUse)),
        (Write, answer(424), again(Class::Unstored)),
        (Write, coded(429, "lock_timeout"), again(Class::LockTimeout)),
        (Write, coded(429, "rate_limit"), again(Class::RateLimited)),
        (Read, bare(429), again(Class::RateLimited)),
        (Write, answer(500), Verdict::Indeterminate500),
        (Write, bare(500), Verdict::Indeterminate500),
        (Read, answer(500), again(Class::Unstored)),
        (Write, answer(501), Verdict::Indeterminate500),
        (Write, answer(502), again(Class::Unstored)),
        (Write, bare(503), again(Class::Unstored)),
        (Write, answer(504), again(Class::Unstored)),
        // An intermediary's page says nothing about what Stripe did.
        (Write, bare(400), again(Class::Unstored)),
        (Write, bare(404), again(Class::Unstored)),
        (Write, bare(413), again(Class::Unstored)),
        // Stripe-Should-Retry.
        (Write, told(500, true), Verdict::Indeterminate500),
        (Write, told(400, true), again(Class::Unstored)),
        (Write, told(401, true), Verdict::HaltAuth),
        (Write, told(429, false), Verdict::Rejected),
        (Write, told(409, false), Verdict::Indeterminate500),
        (Write, told(503, false), Verdict::Indeterminate500),
        (Read, told(503, false), Verdict::Rejected),
        (Read, told(500, false), Verdict::Rejected),
    ];
    for (kind, answer, want) in rows {
        assert_eq!(judge_answer(kind, &answer), want, "{kind:?} {answer:?}");
    }
}

/// Every combination the verdict depends on.
fn all_answers() -> impl Iterator<Item = (Kind, Answer<'static>)> {
    const CODES: [Option<&str>; 4] = [
        None,
        Some("lock_timeout"),
        Some("resource_already_exists"),
        Some("idempotency_key_in_use"),
    ];
    const TYPES: [Option<&str>; 3] = [None, Some("idempotency_error"), Some("invalid_request_error")];
    let mut all = Vec::new();
    for status in 100..=599 {
        for (code, kind) in CODES
            .into_iter()
            .flat_map(|c| TYPES.into_iter().map(move |k| (c, k)))
        {
            for should_retry in [None, Some(true), Some(false)] {
                for (shaped, request) in [(true, Kind::Read), (true, Kind::Write), (false, Kind::Write)] {
                    let a = Answer {
                        status,
                        shaped,
                        kind,
                        code,
                        should_retry,
                        retry_after_ms: None,
                    };
                    all.push((request, a));
                }
            }
        }
    }
    all.into_iter()
}

#[test]
fn only_a_2xx_is_done() {
    for (kind, a) in all_answers() {
        let done = judge_answer(kind, &a) == Verdict::Done;
        assert_eq!(done, (200..300).contains(&a.status), "{a:?}");
    }
}

#[test]
fn no_header_turns_a_500_of_a_write_into_a_loop_or_a_refusal() {
    for (kind, a) in all_answers().filter(|(kind, a)| *kind == Kind::Write && a.status == 500) {
        assert_eq!(judge_answer(kind, &a), Verdict::Indeterminate500, "{a:?}");
    }
}

#[test]
fn stripe_allowing_a_retry_never_lifts_a_halt() {
    for (kind, a) in all_answers().filter(|(_, a)| a.should_retry == Some(true)) {
        let plain = judge_answer(
            kind,
            &Answer {
                should_retry: None,
                ..a.clone()
            },
        );
        let halts = [
            Verdict::HaltAuth,
            Verdict::HaltRedirect,
            Verdict::HaltIdempotencyMismatch,
            Verdict::AlreadyExists,
        ];
        if halts.contains(&plain) {
            assert_eq!(judge_answer(kind, &a), plain, "{a:?}");
        }
    }
}

#[test]
fn a_write_is_called_without_effect_only_on_stripes_own_word() {
    for (_, a) in all_answers().filter(|(kind, _)| *kind == Kind::Write) {
        let verdict = judge_answer(Kind::Write, &a);
        if matches!(
            verdict,
            Verdict::Rejected | Verdict::NotFound | Verdict::AlreadyExists
        ) {
            assert!(
                (a.shaped && (400..500).contains(&a.status)) || a.status == 429,
                "{a:?}"
            );
        }
    }
}

#[test]
fn retry_after_travels_with_the_verdict() {
    let a = Answer {
        retry_after_ms: Some(2000),
        ..answer(429)
    };
    let want = Verdict::RetrySameKey {
        after_ms: Some(2000),
        class: Class::RateLimited,
    };
    assert_eq!(judge_answer(Kind::Write, &a), want);
}

#[test]
fn a_broken_answer_to_a_write_is_retried_whatever_broke() {
    for what in [
        Broken::Connect,
        Broken::Timeout,
        Broken::Stalled,
        Broken::Cut,
        Broken::TooLarge,
        Broken::TooDeep,
        Broken::NotJson,
    ] {
        for sent in [Sent::Never, Sent::Maybe] {
            let e = TransportError {
                sent,
                what,
                detail: String::new(),
                meta: None,
            };
            let got = judge(Kind::Write, &Err(e.into()));
            assert_eq!(got, again(Class::Connection), "{what:?}");
        }
    }
    let huge = TransportError {
        sent: Sent::Maybe,
        what: Broken::TooLarge,
        detail: String::new(),
        meta: None,
    };
    assert_eq!(judge(Kind::Read, &Err(huge.into())), Verdict::Rejected);
}

#[test]
fn an_api_error_is_judged_by_its_fields() {
    let meta = Meta {
        status: 429,
        retry_after_ms: Some(1),
        ..Meta::default()
    };
    let e = ApiError {
        meta,
        shaped: true,
        code: Some("lock_timeout".to_owned()),
        ..ApiError::default()
    };
    let want = Verdict::RetrySameKey {
        after_ms: Some(1),
        class: Class::LockTimeout,
    };
    assert_eq!(judge_failure(Kind::Write, &e.into()), want);
}
