//! Many callers, few syncs, nobody released early.

use std::task::Poll;

use futures_util::poll;

use super::*;
use crate::engine::journal::sim::Faults;

const APPENDERS: usize = 32;
const EACH: usize = 8;

/// Lets every other task of this thread's runtime run until it waits.
async fn let_all_queue() {
    for _ in 0..APPENDERS * 4 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn appenders_share_syncs_and_keep_their_order() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    fs.set_faults(Faults::default());
    fs.let_syncs_through(false);
    let mut tasks = tokio::task::JoinSet::new();
    for who in 0..APPENDERS {
        let journal = writing.journal.clone();
        tasks.spawn(async move {
            let mut last = Seq(0);
            for n in 0..EACH {
                let rec = Rec::Intent {
                    effect: who.to_string(),
                    amount: i64::try_from(n).unwrap(),
                };
                let seq = journal.append(&rec, UtcMs(0)).await.unwrap();
                assert!(seq > last, "numbers grow");
                last = seq;
            }
        });
    }
    let_all_queue().await;
    fs.let_syncs_through(true);
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let syncs = fs.counts().syncs;
    assert!(
        syncs < (APPENDERS * EACH) as u64 / 2 + APPENDERS as u64,
        "{syncs} syncs"
    );
    drop(writing);
    let found = records(opened(&fs).1);
    assert_eq!(found.len(), APPENDERS * EACH);
    for who in 0..APPENDERS {
        let is_his = |rec: &&Rec| matches!(rec, Rec::Intent { effect, .. } if *effect == who.to_string());
        let amounts: Vec<_> = found.iter().filter(is_his).collect();
        assert!(amounts.is_sorted_by_key(|rec| match rec {
            Rec::Intent { amount, .. } => *amount,
            _ => -1,
        }));
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    fs.let_syncs_through(false);
    let mut pending = writing.journal.append(&note(0), UtcMs(0));
    assert!(matches!(poll!(&mut pending), Poll::Pending));
    assert_eq!(writing.journal.head().seq, Seq(0));
    assert!(fs.durable(SEGMENT).is_empty());
    fs.let_syncs_through(true);
    assert_eq!(pending.await.unwrap(), Seq(1));
    assert_eq!(fs.durable(SEGMENT), fs.bytes(SEGMENT));
    assert_eq!(writing.journal.head().seq, Seq(1));
}

#[tokio::test]
async fn a_record_whose_caller_went_away_is_kept() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    fs.let_syncs_through(false);
    let mut gone = writing.journal.append(&note(0), UtcMs(0));
    assert!(poll!(&mut gone).is_pending());
    drop(gone);
    fs.let_syncs_through(true);
    drop(writing);
    assert_eq!(records(opened(&fs).1), [note(0)]);
}

#[tokio::test]
async fn a_full_queue_makes_the_next_caller_wait_and_closing_releases_it() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    fs.let_syncs_through(false);
    let many: Vec<_> = (0..crate::engine::journal::QUEUE_RECORDS).map(note).collect();
    let mut first = writing.journal.append_all(&many, UtcMs(0));
    assert!(poll!(&mut first).is_pending());
    let mut second = writing.journal.append_all(&many, UtcMs(0));
    assert!(poll!(&mut second).is_pending());
    let journal = writing.journal.clone();
    let closing = tokio::task::spawn_blocking(move || journal.close());
    assert!(matches!(second.await, Err(JournalError::Closed)));
    fs.let_syncs_through(true);
    closing.await.unwrap();
    assert_eq!(first.await.unwrap(), Seq(many.len() as u64));
}

#[tokio::test]
async fn a_thread_that_died_leaves_nobody_waiting() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    fs.set_faults(Faults {
        panic_at_sync: Some(1),
        ..Faults::default()
    });
    assert!(matches!(
        writing.journal.append(&note(0), UtcMs(0)).await,
        Err(JournalError::Closed)
    ));
    assert!(matches!(
        writing.journal.append(&note(1), UtcMs(0)).await,
        Err(JournalError::Closed)
    ));
}
