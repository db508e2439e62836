//! What goes wrong, as a client meets it.

use cutover::rehearsal::Side;

use crate::client::{Answer, mover, start, with_faults};

/// What a write met, what is in the ledger, and what the same key then gets.
async fn write_with(fault: &str) -> (Answer, i64, Answer) {
    let options = with_faults(&format!(
        "[[fault]]\nkind = \"{fault}\"\nnth = 1\naccount = \"source\"\nmethod = \"POST\"\n"
    ));
    let (_running, source, _) = start(options).await;
    let (id, ledger, credit) = mover(&source).await;
    let form = format!("amount={credit}&currency=usd&metadata[cutover_effect]=e1");
    let first = source.post(&ledger, &form, Some("k")).await;
    let after = source
        .get(&format!("/v1/customers/{id}?expand[]=invoice_credit_balance"))
        .await;
    let left = after.json()["invoice_credit_balance"]["usd"].as_i64().unwrap();
    let again = source.post(&ledger, &form, Some("k")).await;
    let once = source
        .get(&format!("/v1/customers/{id}?expand[]=invoice_credit_balance"))
        .await;
    let finally = once.json()["invoice_credit_balance"]["usd"].as_i64().unwrap();
    assert!(
        finally == 0 || (finally == credit && again.status == Some(500)),
        "{fault}: the key was executed more than once"
    );
    (first, credit - left, again)
}

#[tokio::test]
async fn server_errors_are_stored_whether_or_not_the_change_was_made() {
    let (first, moved, again) = write_with("server_error_before_commit").await;
    assert_eq!((first.status, moved, again.status), (Some(500), 0, Some(500)));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let (first, moved, again) = write_with("server_error_after_commit").await;
    assert_eq!((first.status, again.status), (Some(500), Some(500)));
    assert!(moved > 0);
}

#[tokio::test]
async fn gateway_errors_leave_the_key_to_its_true_answer() {
    let (first, moved, again) = write_with("bad_gateway").await;
    assert!((502..=504).contains(&first.status.unwrap()));
    assert_eq!(
        (moved, again.status, again.header("idempotent-replayed")),
        (0, Some(200), "")
    );
    let (first, moved, again) = write_with("bad_gateway_after_commit").await;
    assert!((502..=504).contains(&first.status.unwrap()) && moved > 0);
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (Some(200), "true")
    );
}

#[tokio::test]
async fn connections_are_reset_before_and_after_the_change() {
    let (first, moved, again) = write_with("reset_before_commit").await;
    assert_eq!(
        (first.status, first.broken),
        (None, Some(std::io::ErrorKind::ConnectionReset))
    );
    assert_eq!((moved, again.header("idempotent-replayed")), (0, ""));
    let (first, moved, again) = write_with("reset_after_commit").await;
    assert_eq!(
        (first.status, first.broken),
        (None, Some(std::io::ErrorKind::ConnectionReset))
    );
    assert!(moved > 0);
    assert_eq!(again.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_truncated_body_has_status_200_and_a_body_cut_short() {
    let (first, moved, again) = write_with("truncated_body").await;
    assert_eq!(first.status, Some(200));
    assert_eq!(first.broken, Some(std::io::ErrorKind::UnexpectedEof));
    assert!(!first.body.is_empty() && again.body.starts_with(&first.body));
    assert!(moved > 0);
}

#[tokio::test]
async fn slow_bodies_and_wrong_amounts_arrive_whole() {
    let (first, moved, _) = write_with("slow_body").await;
    assert_eq!((first.status, first.broken), (Some(200), None));
    assert_eq!(first.json()["amount"], moved);
    let (first, moved, again) = write_with("wrong_amount").await;
    assert_eq!(first.json()["amount"], moved + 1);
    assert_eq!(first.body, again.body);
}

#[tokio::test]
async fn refusals_that_did_nothing_leave_the_key_free() {
    for (fault, status, code) in [
        ("lock_timeout", 429, "lock_timeout"),
        ("rate_limited", 429, "rate_limit"),
        ("key_in_use", 409, "idempotency_key_in_use"),
    ] {
        let (first, moved, again) = write_with(fault).await;
        assert_eq!((first.status, first.error("code").as_str()), (Some(status), code));
        assert_eq!(
            (moved, again.status, again.header("idempotent-replayed")),
            (0, Some(200), "")
        );
    }
}

#[tokio::test]
async fn a_stalled_write_holds_its_key_and_is_done_late() {
    let options = with_faults("[[fault]]\nkind = \"stall_before_commit\"\nnth = 1\nmethod = \"POST\"\n");
    let clock = options.clock.clone();
    let (running, source, _) = start(options).await;
    let (_, ledger, _) = mover(&source).await;
    let form = "amount=1&currency=usd";
    let stalled = source.post(&ledger, form, Some("k"));
    let watcher = async {
        while running.counts(Side::Source).writes == 0 {
            tokio::task::yield_now().await;
        }
        let busy = source.post(&ledger, form, Some("k")).await;
        let locked = source.post(&ledger, form, Some("other")).await;
        clock.advance_to(clock.now().plus_ms(120_000));
        (busy, locked)
    };
    let (late, (busy, locked)) = tokio::join!(stalled, watcher);
    assert_eq!(
        (busy.status, busy.error("code").as_str()),
        (Some(409), "idempotency_key_in_use")
    );
    assert_eq!(
        (locked.status, locked.error("code").as_str()),
        (Some(429), "lock_timeout")
    );
    assert_eq!(late.status, Some(200));
    assert_eq!(
        source
            .post(&ledger, form, Some("k"))
            .await
            .header("idempotent-replayed"),
        "true"
    );
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_undo_what_stripe_is_doing() {
    let options = with_faults("[[fault]]\nkind = \"stall_before_commit\"\nnth = 1\nmethod = \"POST\"\n");
    let clock = options.clock.clone();
    let (running, source, _) = start(options).await;
    let (_, ledger, _) = mover(&source).await;
    {
        let mut given_up = Box::pin(source.post(&ledger, "amount=1&currency=usd", Some("k")));
        while running.counts(Side::Source).writes == 0 {
            tokio::select! {
                biased;
                _ = &mut given_up => panic!("it was meant to stall"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    clock.advance_to(clock.now().plus_ms(120_000));
    for _ in 0..10_000 {
        let again = source.post(&ledger, "amount=1&currency=usd", Some("k")).await;
        if again.status == Some(200) {
            assert_eq!(again.header("idempotent-replayed"), "true");
            return;
        }
    }
    panic!("the abandoned write was never done");
}

#[tokio::test]
async fn a_revoked_key_stays_revoked() {
    let (_running, source, _) = start(with_faults(
        "[[fault]]\nkind = \"revoke_key\"\non = \"all\"\nnth = 3\naccount = \"source\"\n",
    ))
    .await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(source.get("/v1/account").await.status.unwrap());
    }
    assert_eq!(seen, [200, 200, 401, 401]);
}

#[tokio::test]
async fn lies_about_mode_and_customer_are_kept_by_the_key() {
    let (first, _, again) = write_with("wrong_livemode").await;
    assert_eq!(
        (&first.json()["livemode"], &first.body),
        (&true.into(), &again.body)
    );
    let (first, _, again) = write_with("wrong_customer").await;
    assert_eq!(
        (&first.json()["customer"], &first.body),
        (&"cus_SomebodyElse00".into(), &again.body)
    );
}

#[tokio::test]
async fn a_redirect_did_nothing_and_a_monstrous_body_did() {
    let (first, moved, _) = write_with("redirect").await;
    assert_eq!(
        (first.status, first.header("location"), moved),
        (Some(302), "/v1/account", 0)
    );
    let (first, moved, _) = write_with("oversized_body").await;
    assert!(first.body.len() > 8 << 20 && moved > 0 && first.json()["amount"] == moved);
    let (first, moved, _) = write_with("deep_body").await;
    assert!(first.status == Some(200) && moved > 0);
    assert!(
        serde_json::from_slice::<serde_json::Value>(&first.body).is_err(),
        "deeper than a reader goes"
    );
}

#[tokio::test]
async fn a_repeated_row_comes_at_the_end_of_a_page() {
    let fault = "[[fault]]\nkind = \"repeated_row\"\non = \"reads\"\npath = \"/v1/customers\"\nnth = 1\n";
    let (_running, source, _) = start(with_faults(fault)).await;
    let page = source.get("/v1/customers?limit=3").await.json();
    let rows = page["data"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[2]), (4, &rows[3]));
}

#[tokio::test]
async fn a_narrowed_key_may_still_read() {
    let fault = "[[fault]]\nkind = \"narrow_key\"\nnth = 1\naccount = \"source\"\n";
    let (_running, source, _) = start(with_faults(fault)).await;
    assert_eq!(
        source.post("/v1/customers", "name=x", None).await.status,
        Some(403)
    );
    assert_eq!(source.get("/v1/customers").await.status, Some(200));
    assert_eq!(
        source.post("/v1/customers", "name=x", None).await.status,
        Some(403)
    );
}
