//! One account against a raw server: what arrives on the wire, how often, and what is made of the answers.

use std::time::Duration;

use super::super::stub::{Answer, Stub};
use super::super::wire::{Customer, List};
use super::super::{Class, PaceConfig, Role, Verdict, judge};
use super::*;
use crate::domain::time::UtcMs;

const LEDGER: &str = "/v1/customers/cus_1/balance_transactions";
const T0: UtcMs = UtcMs(1_771_027_200_000);

fn link(stub: &Stub, clock: Clock) -> Link {
    link_of(stub, Role::Source, clock)
}

fn link_of(stub: &Stub, role: Role, clock: Clock) -> Link {
    let key = super::super::ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
    let account = Account::new(role, &stub.url(), key).unwrap();
    Link::new(
        account,
        clock,
        Settings {
            min_real_ms: 20,
            ..Settings::with_pace(PaceConfig::unlimited())
        },
    )
}

/// Fast enough that eighty seconds of waiting for an answer take a fraction of one.
fn fast() -> Clock {
    Clock::rehearsal(T0, 1000)
}

#[tokio::test]
async fn a_write_carries_key_version_form_and_idempotency_key_and_its_answer_comes_whole() {
    let ok = Answer::json(200, r#"{"id":"cbtxn_1"}"#)
        .header("Request-Id", "req_1")
        .header("Stripe-Version", "2026-08-26.dahlia")
        .header("Idempotent-Replayed", "true");
    let stub = Stub::start([ok]).await;
    let writer = link(&stub, Clock::real()).writer().unwrap();
    let reply = writer
        .post_once(LEDGER, "amount=-500&currency=usd", "cut1-key-g1")
        .await
        .unwrap();
    assert_eq!(
        (reply.meta.request_id.as_deref(), reply.meta.replayed),
        (Some("req_1"), true)
    );
    let seen = stub.seen();
    let [request] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert!(
        request.starts_with("POST /v1/customers/cus_1/balance_transactions HTTP/1.1\r\n"),
        "{request}"
    );
    for line in [
        "authorization: Bearer rk_test_51AbCdEfGhIjKlMnOa1b2",
        "stripe-version: 2026-08-26.dahlia",
        "idempotency-key: cut1-key-g1",
        "content-type: application/x-www-form-urlencoded",
        "content-length: 24",
    ] {
        assert!(request.contains(line), "{line} in {request}");
    }
    assert!(request.ends_with("\r\n\r\namount=-500&currency=usd"), "{request}");
}

#[tokio::test]
async fn asking_what_a_bill_would_be_is_a_read_by_post_without_a_key_and_is_repeated() {
    let busy = Answer::json(503, "{}");
    let ok = Answer::json(200, r#"{"total":5}"#);
    let stub = Stub::start([busy, ok]).await;
    let link = link_of(&stub, Role::Destination, fast());
    let form = Form::new().with("customer", "cus_1");
    let said: Fetched<serde_json::Value> = link.reader().unwrap().preview(&form).await.unwrap();
    assert_eq!(said.value["total"], 5);
    let seen = stub.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert!(
            request.starts_with("POST /v1/invoices/create_preview HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.ends_with("\r\n\r\ncustomer=cus_1"), "{request}");
        assert!(request.contains("content-type: application/x-www-form-urlencoded"));
        assert!(!request.contains("idempotency-key"), "{request}");
    }
    let counted = link.pacer().snapshot();
    assert_eq!((counted.gets, counted.writes), (2, 0));
}

#[tokio::test]
async fn neither_the_old_account_nor_a_writer_is_asked_what_a_bill_would_be() {
    let stub = Stub::start([]).await;
    let old = link(&stub, Clock::real());
    let refused = old
        .reader()
        .unwrap()
        .preview::<serde_json::Value>(&Form::new())
        .await;
    assert!(matches!(refused, Err(Failure::Refused(_))));
    let new = link_of(&stub, Role::Destination, Clock::real());
    let refused = new.writer().unwrap().post_once(PREVIEW, "", "k").await;
    assert!(matches!(refused, Err(Failure::Refused(_))));
    assert_eq!(stub.seen().len(), 0);
}

#[tokio::test]
async fn what_is_not_allowed_never_reaches_the_network() {
    let stub = Stub::start([]).await;
    let link = link(&stub, Clock::real());
    let refused = link
        .writer()
        .unwrap()
        .post_once("/v1/refunds", "", "k")
        .await
        .unwrap_err();
    assert!(matches!(refused, Failure::Refused(_)), "{refused}");
    let refused = link
        .reader()
        .unwrap()
        .get("/v1/charges", &Form::new())
        .await
        .unwrap_err();
    assert!(matches!(refused, Failure::Refused(_)), "{refused}");
    assert_eq!((stub.seen().len(), link.pacer().snapshot().gets), (0, 0));
}

#[tokio::test]
async fn a_write_is_received_at_most_once_whatever_the_server_does_to_its_connection() {
    let breaks = [
        Answer::hang_up(),
        Answer::hang_up_after_head(),
        Answer::json(200, "{}").then_close_silently(),
        Answer::json(200, "{}").cut_at(40),
        Answer::json(503, "{}").header("Stripe-Should-Retry", "true"),
        Answer::json(409, "{}"),
        Answer::json(429, "{}"),
    ];
    for (i, broken) in breaks.into_iter().enumerate() {
        // The connection is kept alive by a first write, so that the next ones may find it closed.
        let answers = std::iter::once(Answer::json(200, "{}")).chain(std::iter::repeat_n(broken, 30));
        let stub = Stub::start(answers).await;
        let writer = link(&stub, Clock::real()).writer().unwrap();
        for n in 0..20 {
            let _ = writer
                .post_once(LEDGER, "amount=1", &format!("key-{n}-end"))
                .await;
        }
        let seen = stub.seen();
        for n in 0..20 {
            let key = format!("idempotency-key: key-{n}-end");
            let times = seen.iter().filter(|r| r.contains(&key)).count();
            assert!(times <= 1, "break {i}: {times} times {key}");
        }
        assert!(writer.pacer().snapshot().writes <= 20);
    }
}

#[tokio::test]
async fn no_connection_is_told_from_a_broken_one() {
    let gone = Stub::start([]).await;
    let dead = link(&gone, Clock::real());
    gone.stop().await;
    let failure = dead
        .writer()
        .unwrap()
        .post_once(LEDGER, "a=1", "k")
        .await
        .unwrap_err();
    let Failure::Transport(e) = &failure else {
        panic!("{failure}")
    };
    assert_eq!((e.sent, e.what), (Sent::Never, Broken::Connect));
    assert_eq!(dead.pacer().snapshot().writes, 0, "not sent, not counted");
    let stub = Stub::start([Answer::hang_up()]).await;
    let failure = link(&stub, Clock::real())
        .writer()
        .unwrap()
        .post_once(LEDGER, "a=1", "k")
        .await
        .unwrap_err();
    let Failure::Transport(e) = &failure else {
        panic!("{failure}")
    };
    assert_eq!((e.sent, e.what), (Sent::Maybe, Broken::Cut));
    assert!(!format!("{failure:?}").contains("51AbCd"), "no key in an error");
}

#[tokio::test]
async fn a_redirect_is_an_error_and_nobody_goes_there() {
    let target = Stub::start([Answer::json(200, "{}")]).await;
    let stub = Stub::start([Answer::json(307, "{}").header("Location", &target.url())]).await;
    let result = link(&stub, Clock::real())
        .writer()
        .unwrap()
        .post_once(LEDGER, "a=1", "k")
        .await;
    assert_eq!(judge(Kind::Write, &result), Verdict::HaltRedirect);
    assert_eq!((stub.seen().len(), target.seen().len()), (1, 0));
}

#[tokio::test]
async fn another_api_version_is_told_and_the_answer_kept() {
    let stub = Stub::start([Answer::json(200, r#"{"id":"x"}"#).header("Stripe-Version", "2019-01-01")]).await;
    let result = link(&stub, Clock::real())
        .writer()
        .unwrap()
        .post_once(LEDGER, "a=1", "k")
        .await;
    assert_eq!(judge(Kind::Write, &result), Verdict::HaltVersion);
    let Err(Failure::Version { reply, .. }) = result else {
        panic!()
    };
    assert_eq!(&reply.body[..], br#"{"id":"x"}"#);
}

#[tokio::test]
async fn bodies_that_are_cut_too_large_too_deep_or_no_json_leave_a_write_unknown() {
    let large = format!("[{}1]", "1,".repeat(5 * 1024 * 1024));
    let cases = [
        (Answer::json(200, r#"{"id":"cbtxn_1"}"#).cut_at(5), Broken::Cut),
        (Answer::json(200, &large), Broken::TooLarge),
        (Answer::gzip(large.as_bytes()), Broken::TooLarge),
        (Answer::json(200, &"[".repeat(70)), Broken::TooDeep),
        (Answer::json(200, r#"{"id":"#), Broken::NotJson),
        (Answer::json(200, ""), Broken::NotJson),
        (Answer::json(200, "<html>"), Broken::NotJson),
    ];
    for (answer, want) in cases {
        let stub = Stub::start([answer]).await;
        let result = link(&stub, Clock::real())
            .writer()
            .unwrap()
            .post_once(LEDGER, "a=1", "k")
            .await;
        let Err(Failure::Transport(e)) = &result else {
            panic!("{want}: {result:?}")
        };
        assert_eq!((e.what, e.sent), (want, Sent::Maybe));
        assert_eq!(
            judge(Kind::Write, &result),
            Verdict::RetrySameKey {
                after_ms: None,
                class: Class::Connection
            }
        );
    }
}

#[tokio::test]
async fn a_truncated_error_page_is_still_judged_by_its_status() {
    let stub = Stub::start([Answer::json(500, r#"{"error":{"message":"x"}}"#).cut_at(3)]).await;
    let result = link(&stub, Clock::real())
        .writer()
        .unwrap()
        .post_once(LEDGER, "a=1", "k")
        .await;
    assert_eq!(judge(Kind::Write, &result), Verdict::Indeterminate500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_slowness_end_by_the_programs_clock() {
    let cases = [
        (Answer::silent(), Broken::Timeout, 80_000),
        (
            Answer::json(200, r#"{"a":1}"#).stall_at(3),
            Broken::Stalled,
            20_000,
        ),
    ];
    for (answer, want, after_ms) in cases {
        let stub = Stub::start([answer]).await;
        let clock = fast();
        let writer = link(&stub, clock.clone()).writer().unwrap();
        let sent = clock.spawn(async move { writer.post_once(LEDGER, "a=1", "k").await });
        let result = tokio::time::timeout(Duration::from_secs(120), sent)
            .await
            .unwrap()
            .unwrap();
        let Err(Failure::Transport(e)) = result else {
            panic!("{want}")
        };
        assert_eq!((e.what, e.sent), (want, Sent::Maybe));
        assert!(clock.now().since(T0) >= after_ms);
    }
}

#[tokio::test]
async fn a_read_is_repeated_until_it_works_and_every_send_is_counted() {
    let broken_page = Answer::json(200, r#"{"data":[],"has_mo"#);
    let answers = [
        Answer::json(429, r#"{"error":{"code":"rate_limit"}}"#).header("Retry-After", "1"),
        Answer::json(500, "{}"),
        Answer::json(503, "nothing"),
        Answer::hang_up(),
        broken_page,
        Answer::json(200, r#"{"data":[],"has_more":false}"#).header("Request-Id", "req_ok"),
    ];
    let stub = Stub::start(answers).await;
    let clock = fast();
    let link = link(&stub, clock.clone());
    let reader = link.reader().unwrap();
    let read = clock.spawn(async move { reader.get("/v1/customers", &Form::new().with("limit", 3)).await });
    let reply = read.await.unwrap().unwrap();
    assert_eq!(reply.meta.request_id.as_deref(), Some("req_ok"));
    assert!(
        stub.seen()
            .iter()
            .all(|r| r.starts_with("GET /v1/customers?limit=3 HTTP/1.1\r\n"))
    );
    let counted = link.pacer().snapshot();
    assert_eq!(
        (
            stub.seen().len(),
            counted.gets,
            counted.status_429,
            counted.writes
        ),
        (6, 6, 1, 0)
    );
}

#[tokio::test]
async fn reads_that_cannot_get_better_are_not_repeated() {
    let cases = [
        (
            401,
            r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}"#,
        ),
        (403, r#"{"error":{"message":"no permission"}}"#),
        (404, r#"{"error":{"code":"resource_missing"}}"#),
        (400, r#"{"error":{"code":"parameter_unknown"}}"#),
        (200, r#"{"data":[{"id":7}],"has_more":false}"#),
    ];
    for (status, body) in cases {
        let stub = Stub::start([Answer::json(status, body)]).await;
        let reader = link(&stub, Clock::real()).reader().unwrap();
        let failed = reader
            .get_as::<List<Customer>>("/v1/customers", &Form::new())
            .await
            .unwrap_err();
        assert_eq!(stub.seen().len(), 1, "{failed}");
    }
}

#[tokio::test]
async fn a_read_gives_up_after_eight_sends() {
    let stub = Stub::start(std::iter::repeat_n(Answer::json(502, ""), 20)).await;
    let clock = fast();
    let reader = link(&stub, clock.clone()).reader().unwrap();
    let read = clock.spawn(async move { reader.get("/v1/events", &Form::new()).await });
    assert_eq!(
        read.await.unwrap().unwrap_err().meta().map(|m| m.status),
        Some(502)
    );
    assert_eq!(stub.seen().len(), 8);
}

#[tokio::test]
async fn nothing_that_holds_the_key_prints_it() {
    let stub = Stub::start([]).await;
    let link = link(&stub, Clock::real());
    let printed = format!(
        "{link:?} {:?} {:?} {:?}",
        link.account(),
        link.reader().unwrap(),
        link.writer().unwrap()
    );
    assert!(
        printed.contains("rk_test_…a1b2") && !printed.contains("51AbCd"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_key_that_is_no_header_is_refused_before_the_network() {
    let stub = Stub::start([]).await;
    let writer = link(&stub, Clock::real()).writer().unwrap();
    let result = writer.post_once(LEDGER, "a=1", "two\r\nlines").await;
    assert_eq!(judge(Kind::Write, &result), Verdict::Rejected);
    assert_eq!((stub.seen().len(), writer.pacer().snapshot().writes), (0, 0));
}

#[tokio::test]
async fn the_name_localhost_is_this_machine_and_https_is_set_up_without_a_request() {
    let stub = Stub::start([Answer::json(200, "{}")]).await;
    let key = super::super::ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
    let named = stub.url().replace("127.0.0.1", "localhost");
    let here = Account::new(Role::Source, &named, key.clone()).unwrap();
    let reader = Link::new(here, Clock::real(), Settings::of(Mode::Test))
        .reader()
        .unwrap();
    reader.get("/v1/account", &Form::new()).await.unwrap();
    let stripe = Account::new(Role::Source, "https://api.stripe.com", key).unwrap();
    assert!(
        Link::new(stripe, Clock::real(), Settings::of(Mode::Test))
            .writer()
            .is_ok()
    );
}

#[tokio::test]
async fn readers_and_writers_of_an_account_share_its_pace_and_a_second_key_changes_nothing_about_it() {
    let stub = Stub::start([Answer::json(200, "{}"), Answer::json(200, "{}")]).await;
    let reads = link(&stub, Clock::real());
    let key = super::super::ApiKey::parse("rk_test_51ZzZzZzZzZzZzZzZzzzzz").unwrap();
    let writes = reads.with_key(key);
    reads
        .reader()
        .unwrap()
        .get("/v1/account", &Form::new())
        .await
        .unwrap();
    writes
        .writer()
        .unwrap()
        .post_once(LEDGER, "a=1", "k")
        .await
        .unwrap();
    let counted = reads.pacer().snapshot();
    assert_eq!((counted.gets, counted.writes), (1, 1));
    assert!(stub.seen()[1].contains("Bearer rk_test_51ZzZz"));
}

#[tokio::test]
async fn a_delete_has_neither_key_nor_body_and_leaves_once() {
    let gone = Answer::json(200, r#"{"id":"SPRING","deleted":true}"#);
    let stub = Stub::start([gone, Answer::hang_up()]).await;
    let key = super::super::ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
    let account = Account::new(Role::Destination, &stub.url(), key).unwrap();
    let settings = Settings::with_pace(PaceConfig::unlimited());
    let link = Link::new(account, Clock::real(), settings);
    let writer = link.writer().unwrap();
    let reply = writer.delete_once("/v1/coupons/SPRING", "").await.unwrap();
    assert_eq!(&reply.body[..], br#"{"id":"SPRING","deleted":true}"#);
    let lost = writer.delete_once("/v1/coupons/SPRING", "").await.unwrap_err();
    assert!(
        matches!(
            &lost,
            Failure::Transport(TransportError {
                sent: Sent::Maybe,
                ..
            })
        ),
        "{lost:?}"
    );
    assert!(
        writer.delete_once("/v1/customers/cus_1", "").await.is_err(),
        "not on the list"
    );
    let seen = stub.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for request in seen {
        let request = request.to_lowercase();
        assert!(
            request.starts_with("delete /v1/coupons/spring http/1.1\r\n"),
            "{request}"
        );
        assert!(
            !request.contains("idempotency-key") && request.ends_with("\r\n\r\n"),
            "{request}"
        );
    }
    assert_eq!(link.pacer().snapshot().writes, 2);
}

#[tokio::test]
async fn fields_of_a_delete_go_into_its_query() {
    let stub = Stub::start([Answer::json(200, r#"{"id":"sub_1","status":"canceled"}"#)]).await;
    let key = super::super::ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
    let account = Account::new(Role::Source, &stub.url(), key).unwrap();
    let link = Link::new(
        account,
        Clock::real(),
        Settings::with_pace(PaceConfig::unlimited()),
    );
    let writer = link.writer().unwrap();
    let both = "invoice_now=false&prorate=false";
    assert!(writer.delete_once("/v1/subscriptions/sub_1", "").await.is_err());
    writer.delete_once("/v1/subscriptions/sub_1", both).await.unwrap();
    let [request] = &stub.seen()[..] else {
        panic!("one request")
    };
    let line = "DELETE /v1/subscriptions/sub_1?invoice_now=false&prorate=false HTTP/1.1\r\n";
    assert!(
        request.starts_with(line) && request.ends_with("\r\n\r\n"),
        "{request}"
    );
}
