//! Writing, reading back, the exact bytes.

use std::sync::Arc;

use super::*;
use crate::engine::journal::open::open_with;
use crate::engine::journal::verify::verify_in;
use crate::engine::journal::{ChainedReader, ChainedWriter, Head, LINK_KIND, MAX_LINE, QUEUE_RECORDS, Store};

#[tokio::test]
async fn records_come_back_as_written_with_numbers_times_and_chain() {
    let fs = fresh();
    let (writing, seen) = opened(&fs);
    assert!(seen.is_empty() && writing.torn.is_none());
    let recs = [
        Rec::Intent {
            effect: "e\n\u{0}\"}1".into(),
            amount: i64::MIN,
        },
        Rec::Bare,
        Rec::Note {
            text: "{\"v\":9,\"prev\":\"\u{2028}\u{202e}".into(),
        },
    ];
    let seqs = append_each(&writing.journal, &recs).await.unwrap();
    assert_eq!(seqs, [Seq(1), Seq(2), Seq(3)]);
    let head = writing.journal.head();
    drop(writing);
    let (again, seen) = opened(&fs);
    assert_eq!(again.journal.head(), head);
    assert_eq!(seen[2].meta.at, UtcMs(1002));
    assert_eq!(seen[2].meta.prev, seen[1].meta.sha256);
    assert_eq!(
        head,
        Head {
            seq: Seq(3),
            sha256: seen[2].meta.sha256
        }
    );
    assert_eq!(records(seen), recs);
}

#[tokio::test]
async fn the_first_lines_are_exactly_these_bytes() {
    let fs = notes(2).await;
    let text = String::from_utf8(fs.bytes(SEGMENT)).unwrap();
    // Both sums were made with other programs (sha256sum, a bitwise CRC-32C).
    let zeros = "0".repeat(64);
    let first =
        format!(r#"27e34348 {{"v":1,"seq":1,"t":1000,"kind":"note","text":"note 0","prev":"{zeros}"}}"#);
    let sum = "e6055dda398618fd6edb4afe7eb160d88998b634fd7bf0a15e365766565f13e1";
    let second =
        format!(r#"b390792b {{"v":1,"seq":2,"t":1001,"kind":"note","text":"note 1","prev":"{sum}"}}"#);
    assert_eq!(text, format!("{first}\n{second}\n"));
}

#[tokio::test]
async fn several_records_stand_together_and_name_their_write() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    append_each(&writing.journal, &[note(0)]).await.unwrap();
    let last = writing
        .journal
        .append_all(&[note(1), note(2), Rec::Bare], UtcMs(5))
        .await
        .unwrap();
    assert_eq!(last, Seq(4));
    let text = String::from_utf8(fs.bytes(SEGMENT)).unwrap();
    let marks: Vec<_> = text.lines().map(|line| line.contains(",\"batch\":2,")).collect();
    assert_eq!(marks, [false, false, true, true]);
    assert_eq!(
        writing.journal.append_all::<Rec>(&[], UtcMs(6)).await.unwrap(),
        Seq(4)
    );
    drop(writing);
    assert_eq!(records(opened(&fs).1), [note(0), note(1), note(2), Rec::Bare]);
}

#[tokio::test]
async fn more_records_than_the_queue_holds_are_taken_together_too() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    let many: Vec<_> = (0..QUEUE_RECORDS * 2 + 3).map(note).collect();
    for round in 1..=2 {
        let last = writing.journal.append_all(&many, UtcMs(0)).await.unwrap();
        assert_eq!(last.0, (round * many.len()) as u64);
    }
    drop(writing);
    assert_eq!(records(opened(&fs).1), [many.clone(), many].concat());
}

#[tokio::test]
async fn a_record_that_does_not_fit_is_refused_and_the_journal_goes_on() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    let journal = &writing.journal;
    let big = Rec::Note {
        text: "x".repeat(MAX_LINE),
    };
    assert!(matches!(
        journal.append(&big, UtcMs(0)).await,
        Err(JournalError::TooLarge { limit: MAX_LINE, .. })
    ));
    let raw = serde_json::value::RawValue::from_string("{\"a\":\n1}".into()).unwrap();
    let refused = [
        journal.append(&7, UtcMs(0)).await,
        journal.append(&raw, UtcMs(0)).await,
        journal
            .append(&serde_json::json!({"kind": LINK_KIND}), UtcMs(0))
            .await,
        journal
            .append(&std::collections::BTreeMap::from([((1, 2), 3)]), UtcMs(0))
            .await,
    ];
    for refused in refused {
        assert!(matches!(refused, Err(JournalError::Encode { .. })), "{refused:?}");
    }
    let most = Rec::Note {
        text: "x".repeat(MAX_LINE - 300),
    };
    assert_eq!(journal.append(&most, UtcMs(i64::MIN)).await.unwrap(), Seq(1));
    drop(writing);
    assert_eq!(opened(&fs).1[0].meta.at, UtcMs(i64::MIN));
}

#[tokio::test]
async fn segments_are_linked_and_read_as_one() {
    let fs = fresh();
    let open_small = |fs: &SimFs| open_with::<Rec>(files(fs), 2000, |_| {}).unwrap().journal;
    let recs: Vec<_> = (0..40).map(note).collect();
    append_each(&open_small(&fs), &recs[..20]).await.unwrap();
    append_each(&open_small(&fs), &recs[20..]).await.unwrap();
    let report = verify_in(files(&fs)).unwrap();
    assert!(report.segments > 3, "{report:?}");
    assert_eq!(report.records, 40 + report.segments - 1);
    assert!(!report.torn_tail);
    for n in 1..report.segments {
        assert!(fs.bytes(&format!("journal-{n:06}.jsonl")).len() <= 2000);
    }
    let (again, seen) = opened(&fs);
    assert_eq!((records(seen), again.journal.head()), (recs, report.head));
}

#[tokio::test]
async fn an_empty_record_and_an_empty_journal_are_fine() {
    let fs = fresh();
    let report = verify_in(files(&fs)).unwrap();
    assert_eq!(
        (report.records, report.first_at, report.head),
        (0, None, Head::default())
    );
    let (writing, _) = opened(&fs);
    writing
        .journal
        .append(&serde_json::json!({}), UtcMs(3))
        .await
        .unwrap();
    drop(writing);
    let mut seen: Vec<Entry<serde_json::Value>> = Vec::new();
    open(files(&fs), |entry| seen.push(entry)).unwrap();
    assert_eq!(seen[0].record, serde_json::json!({}));
    assert_eq!(verify_in(files(&fs)).unwrap().first_at, Some(UtcMs(3)));
}

#[tokio::test]
async fn a_closed_journal_refuses_and_a_missing_or_second_one_is_named() {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    let late = writing.journal.append(&note(0), UtcMs(0));
    writing.journal.close();
    writing.journal.close();
    assert!(matches!(late.await, Err(JournalError::Closed)));
    assert!(matches!(
        writing.journal.append(&note(1), UtcMs(0)).await,
        Err(JournalError::Closed)
    ));
    assert!(matches!(create(&files(&fs)), Err(JournalError::Exists { .. })));
    assert!(matches!(
        try_open(&SimFs::default()),
        Err(JournalError::Missing { .. })
    ));
}

#[tokio::test]
async fn the_narrow_interface_can_stand_behind_a_pointer() {
    let (writing, _) = opened(&fresh());
    let store: Arc<dyn Store<Rec>> = Arc::new(writing.journal);
    assert_eq!(store.append(&note(0), UtcMs(0)).await.unwrap(), Seq(1));
    assert_eq!(store.append_all(&[note(1)], UtcMs(0)).await.unwrap(), Seq(2));
    assert_eq!(
        store
            .halt(&Rec::Halt { why: "done".into() }, UtcMs(0))
            .await
            .unwrap(),
        Seq(3)
    );
    assert_eq!(store.head().seq, Seq(3));
    let text = serde_json::to_string(&store.head()).unwrap();
    assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), store.head());
    assert!(serde_json::from_str::<Head>(&text.replace("\"sha256\":\"", "\"sha256\":\"G")).is_err());
}

#[test]
fn a_snapshot_exists_only_once_finished_and_is_verified_while_read() {
    let fs = SimFs::default();
    let mut abandoned = ChainedWriter::create(files(&fs), "s").unwrap();
    abandoned.write(&note(9), UtcMs(0)).unwrap();
    drop(abandoned);
    let mut writer = ChainedWriter::create(files(&fs), "s").unwrap();
    let recs: Vec<_> = (0..3000).map(note).collect();
    for rec in &recs {
        writer.write(rec, UtcMs(7)).unwrap();
    }
    assert_eq!(fs.names(), ["s.partial"]);
    let head = writer.finish().unwrap();
    assert_eq!((fs.names(), head.seq), (vec!["s".to_owned()], Seq(3000)));
    assert!(matches!(
        ChainedWriter::create(files(&fs), "s"),
        Err(JournalError::Exists { .. })
    ));
    let mut reader = ChainedReader::<Rec>::open(&files(&fs), "s").unwrap();
    let read: Vec<_> = reader.by_ref().map(|entry| entry.unwrap().record).collect();
    assert_eq!((read, reader.head()), (recs, head));

    let whole = fs.bytes("s");
    for cut in [whole.len() - 1, whole.len() - 70] {
        fs.put("s", &whole[..cut]);
        let mut reader = ChainedReader::<Rec>::open(&files(&fs), "s").unwrap();
        assert!(matches!(
            reader.find_map(Result::err),
            Some(JournalError::Defect { line: 3000, .. })
        ));
        assert!(reader.next().is_none());
    }
    assert!(ChainedReader::<Rec>::open(&files(&fs), "none").is_err());
}
