//! A connection that breaks off: before COMMIT, during it, and at every message of a batch.

use cutover::appdb::RowResult::{AlreadyDone, Done};
use cutover::appdb::{Applied, Limits};

use crate::on_servers;
use crate::place::{Place, committed, ledger_agrees, methods, moves, print, stamp};
use crate::proxy::{Cut, Proxy, Reaches};

on_servers!(
    a_commit_that_was_not_sent_is_tried_again,
    a_commit_whose_answer_was_lost_is_decided_from_the_ledger,
    a_commit_that_cannot_be_asked_about_is_unknown_and_found_out_later,
    wherever_the_connection_is_cut_the_batch_is_done_once,
    wherever_the_connection_is_cut_an_undo_is_done_once,
    a_database_that_is_away_is_said_to_be,
);

async fn a_commit_that_was_not_sent_is_tried_again(place: &Place) {
    cut_at_commit(place, Reaches::No).await;
}

async fn a_commit_whose_answer_was_lost_is_decided_from_the_ledger(place: &Place) {
    cut_at_commit(place, Reaches::Yes).await;
}

async fn cut_at_commit(place: &Place, reaches: Reaches) {
    let direct = place.shop(5).await;
    let proxy = Proxy::start(place.kind, &place.url).await;
    let database = place.open_with(&proxy.url, place.spec(), Limits::default());
    let batch = moves(&direct, 0..4);
    let before = print(&direct, &batch).await;
    proxy.cut(Cut::Commit, reaches);
    assert_eq!(
        committed(database.writer().apply(&batch, &stamp()).await),
        [Done, Done, Done, Done]
    );
    assert!(proxy.has_cut());
    assert_eq!(print(&direct, &batch).await, before);
    ledger_agrees(&direct, &batch).await;
    proxy.cut(Cut::Commit, reaches);
    assert_eq!(
        committed(database.writer().undo(&batch, &stamp()).await),
        [Done, Done, Done, Done]
    );
    assert!(proxy.has_cut());
    ledger_agrees(&direct, &batch).await;
    assert_eq!(methods(&direct).await[3].as_deref(), Some("old0003"));
}

async fn a_commit_that_cannot_be_asked_about_is_unknown_and_found_out_later(place: &Place) {
    let direct = place.shop(5).await;
    let proxy = Proxy::start(place.kind, &place.url).await;
    let limits = Limits {
        attempts: 3,
        ..Limits::default()
    };
    let database = place.open_with(&proxy.url, place.spec(), limits);
    for (reaches, rows, then) in [(Reaches::Yes, 0..2, AlreadyDone), (Reaches::No, 2..4, Done)] {
        let batch = moves(&direct, rows);
        proxy.cut(Cut::Commit, reaches);
        proxy.close_after();
        match database.writer().apply(&batch, &stamp()).await {
            Applied::Unknown(said) => assert!(
                said.contains("cannot be reached") || said.contains("was lost"),
                "{said}"
            ),
            other => panic!("{reaches:?}: {other:?}"),
        }
        proxy.open();
        assert_eq!(
            committed(database.writer().apply(&batch, &stamp()).await),
            [then.clone(), then]
        );
        ledger_agrees(&direct, &batch).await;
    }
}

async fn wherever_the_connection_is_cut_the_batch_is_done_once(place: &Place) {
    cut_everywhere(place, false).await;
}

async fn wherever_the_connection_is_cut_an_undo_is_done_once(place: &Place) {
    cut_everywhere(place, true).await;
}

/// The nth message never arrives, or its answer does not, for every n a batch has.
async fn cut_everywhere(place: &Place, undo: bool) {
    let direct = place.shop(6).await;
    let proxy = Proxy::start(place.kind, &place.url).await;
    let batch = moves(&direct, 0..5);
    let before = print(&direct, &batch).await;
    for reaches in [Reaches::No, Reaches::Yes] {
        for n in 0.. {
            assert!(n < 200, "no end of messages");
            if undo {
                committed(direct.writer().apply(&batch, &stamp()).await);
            }
            let database = place.open_with(&proxy.url, place.spec(), Limits::default());
            proxy.cut(Cut::Message(n), reaches);
            let applied = if undo {
                database.writer().undo(&batch, &stamp()).await
            } else {
                database.writer().apply(&batch, &stamp()).await
            };
            assert_eq!(committed(applied), vec![Done; 5], "{reaches:?} {n}");
            ledger_agrees(&direct, &batch).await;
            assert_eq!(print(&direct, &batch).await, before, "{reaches:?} {n}");
            let first = methods(&direct).await[0].clone();
            assert_eq!(
                first.as_deref(),
                Some(if undo { "old0000" } else { "new0000" }),
                "{reaches:?} {n}"
            );
            if !undo {
                committed(direct.writer().undo(&batch, &stamp()).await);
            }
            if !proxy.has_cut() {
                assert!(n > 8, "a batch of {n} messages");
                break;
            }
        }
    }
}

async fn a_database_that_is_away_is_said_to_be(place: &Place) {
    let direct = place.shop(1).await;
    // Nobody listens there. A free port that was asked for could be another test's by now.
    let port = 1;
    let url = format!("{}://someone:hunter2@127.0.0.1:{port}/shop", place.kind.word());
    let limits = Limits {
        attempts: 2,
        ..Limits::default()
    };
    let database = place.open_with(&url, place.spec(), limits);
    let said = database.check().await.unwrap_err().to_string();
    assert!(
        said.contains(&format!("127.0.0.1:{port} cannot be reached")),
        "{said}"
    );
    assert!(!said.contains("hunter2") && !said.contains("someone"), "{said}");
    match database.writer().apply(&moves(&direct, 0..1), &stamp()).await {
        Applied::NotApplied(error) => assert_eq!(error.to_string(), said),
        other => panic!("{other:?}"),
    }
}
