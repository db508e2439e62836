//! Power loss: only what was not acknowledged may be gone.

use proptest::prelude::*;

use super::*;
use crate::engine::journal::open::open_with;
use crate::engine::journal::sim::Faults;
use crate::engine::journal::verify::verify_in;
use crate::engine::journal::{Reader, TornTail};

/// Opens what a crash left, checks it against what had been acknowledged, and goes on writing.
async fn assert_recovers(fs: &SimFs, acknowledged: &[Rec], submitted: &[Rec]) {
    let (again, seen) = opened(fs);
    let found = records(seen);
    assert!(
        found.starts_with(acknowledged),
        "lost acknowledged records: {found:?}"
    );
    assert!(submitted.starts_with(&found), "invented records: {found:?}");
    let next = again.journal.append(&note(99), UtcMs(0)).await.unwrap();
    assert_eq!(next, again.journal.head().seq);
    drop(again);
    let (third, seen) = opened(fs);
    assert_eq!(third.torn, None);
    assert_eq!(seen.last().unwrap().record, note(99));
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_saved_aside_cut_off_and_reported() {
    let fs = notes(3).await;
    let whole = fs.bytes(SEGMENT);
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|b| *b == b'\n')
        .unwrap()
        + 1;
    for cut in last + 1..whole.len() {
        let fs = fs.copy();
        fs.put(SEGMENT, &whole[..cut]);
        fs.put("journal.torn-1", b"from an earlier night");
        assert!(verify_in(files(&fs)).unwrap().torn_tail);
        let (again, seen) = opened(&fs);
        let bytes = (cut - last) as u64;
        assert_eq!(
            again.torn,
            Some(TornTail {
                saved_as: "journal.torn-2".into(),
                bytes,
                after: Seq(2)
            })
        );
        assert_eq!(fs.durable("journal.torn-2"), whole[last..cut]);
        assert_eq!(fs.durable(SEGMENT), whole[..last]);
        drop(again);
        assert_eq!(records(seen), [note(0), note(1)]);
        assert_recovers(&fs, &[note(0), note(1)], &[note(0), note(1)]).await;
    }
}

#[tokio::test]
async fn any_damage_within_the_last_record_is_a_torn_tail() {
    let fs = notes(2).await;
    let whole = fs.bytes(SEGMENT);
    let last = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for at in last..whole.len() - 1 {
        let fs = fs.copy();
        let mut bytes = whole.clone();
        bytes[at] = 0;
        fs.put(SEGMENT, &bytes);
        assert_eq!(
            opened(&fs).0.torn.unwrap().bytes,
            (whole.len() - last) as u64,
            "byte {at}"
        );
    }
}

#[tokio::test]
async fn a_first_record_may_be_torn_too() {
    let fs = notes(1).await;
    let whole = fs.bytes(SEGMENT);
    fs.put(SEGMENT, &whole[..9]);
    assert_recovers(&fs, &[], &[]).await;
}

#[tokio::test]
async fn a_disk_that_tears_without_end_is_refused() {
    let fs = notes(1).await;
    fs.put(SEGMENT, b"torn");
    for n in 1..=1000 {
        fs.put(&format!("journal.torn-{n}"), b"");
    }
    assert!(matches!(try_open(&fs), Err(JournalError::Exists { .. })));
}

#[tokio::test]
async fn the_empty_segment_of_an_interrupted_rotation_is_removed() {
    for cut in [0, 3] {
        let fs = notes(2).await;
        let whole = fs.bytes(SEGMENT);
        fs.put(SEGMENT, &whole[..whole.len() - cut]);
        fs.put("journal-000002.jsonl", b"");
        opened(&fs);
        assert!(
            !fs.names().contains(&"journal-000002.jsonl".to_owned()),
            "{cut} bytes cut"
        );
        assert!(fs.durable("journal-000002.jsonl").is_empty());
    }
}

/// One acknowledged record, then three in one write whose sync never returned.
async fn unsynced() -> (SimFs, Vec<Rec>) {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    let recs: Vec<_> = (0..4).map(note).collect();
    writing.journal.append(&recs[0], UtcMs(0)).await.unwrap();
    fs.set_faults(Faults {
        error_at_sync: Some(1),
        ..Faults::default()
    });
    assert!(writing.journal.append_all(&recs[1..], UtcMs(0)).await.is_err());
    (fs, recs)
}

#[tokio::test]
async fn a_write_of_several_records_may_be_cut_anywhere_or_miss_any_byte_or_start() {
    let (fs, recs) = unsynced().await;
    let len = fs.bytes(SEGMENT).len() - fs.durable(SEGMENT).len();
    for at in 0..=len {
        let cut = fs.after_power_loss(|_, bytes| bytes[..at.min(bytes.len())].to_vec());
        assert_recovers(&cut, &recs[..1], &recs).await;
        let no_start = fs.after_power_loss(|_, bytes| missing(bytes, |i| i < at));
        assert_recovers(&no_start, &recs[..1], &recs).await;
        let hole = fs.after_power_loss(|_, bytes| missing(bytes, |i| i == at));
        assert_recovers(&hole, &recs[..1], &recs).await;
    }
}

/// `bytes` without those that `is_lost` names.
fn missing(bytes: &[u8], is_lost: impl Fn(usize) -> bool) -> Vec<u8> {
    bytes
        .iter()
        .enumerate()
        .map(|(i, b)| if is_lost(i) { 0 } else { *b })
        .collect()
}

proptest! {
    #[test]
    fn any_subset_of_the_unsynced_bytes_may_be_lost(
        lost in proptest::collection::vec((0_usize..700, 1_usize..300), 0..6),
        end in 0_usize..700,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (fs, recs) = unsynced().await;
            let is_lost = |i| lost.iter().any(|(start, len)| (*start..start + len).contains(&i));
            let after = fs.after_power_loss(|_, bytes| missing(&bytes[..end.min(bytes.len())], is_lost));
            assert_recovers(&after, &recs[..1], &recs).await;
        });
    }
}

/// Appends until the first error; returns what was acknowledged.
async fn run_until_error(fs: &SimFs, recs: &[Rec]) -> Vec<Rec> {
    let Ok(writing) = open_with::<Rec>(files(fs), 900, |_| {}) else {
        return Vec::new();
    };
    let mut acknowledged = Vec::new();
    for rec in recs {
        match writing.journal.append(rec, UtcMs(0)).await {
            Ok(_) => acknowledged.push(rec.clone()),
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test]
async fn power_loss_at_any_sync_of_opening_writing_and_rotating_loses_nothing_acknowledged() {
    let recs: Vec<_> = (0..12).map(note).collect();
    let calm = fresh();
    run_until_error(&calm, &recs).await;
    let syncs = calm.counts().syncs;
    assert!(syncs > 20);
    for n in 1..=syncs {
        let fs = fresh();
        fs.set_faults(Faults {
            error_at_sync: Some(n),
            ..Faults::default()
        });
        let acknowledged = run_until_error(&fs, &recs).await;
        for kept in [0, 1, 100, usize::MAX] {
            let after = fs.after_power_loss(|_, bytes| bytes[..kept.min(bytes.len())].to_vec());
            assert_recovers(&after, &acknowledged, &recs).await;
        }
        // A process that dies without the machine leaves everything it wrote.
        assert_recovers(&fs.copy(), &acknowledged, &recs).await;
    }
}

#[tokio::test]
async fn power_loss_while_a_torn_tail_is_set_aside_can_be_recovered_from_again() {
    let torn = notes(2).await;
    let whole = torn.bytes(SEGMENT);
    torn.put(SEGMENT, &whole[..whole.len() - 3]);
    for n in 1..=4 {
        for fault in [
            Faults {
                error_at_sync: Some(n),
                ..Faults::default()
            },
            Faults {
                full_at_write: Some(n),
                ..Faults::default()
            },
            Faults {
                error_at_write: Some(n),
                ..Faults::default()
            },
        ] {
            let fs = torn.copy();
            fs.set_faults(fault);
            let _ = try_open(&fs);
            let after = fs.after_power_loss(|_, bytes| bytes[..bytes.len() / 2].to_vec());
            assert_recovers(&after, &[note(0)], &[note(0), note(1)]).await;
        }
    }
}

#[tokio::test]
async fn a_record_that_a_killed_process_left_unsynced_is_made_durable_before_it_is_believed() {
    let fs = notes(2).await;
    let whole = fs.bytes(SEGMENT);
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    fs.put(SEGMENT, &whole[..first]);
    fs.open_append(SEGMENT).unwrap().append(&whole[first..]).unwrap();
    let (_, seen) = opened(&fs);
    assert_eq!(records(seen), [note(0), note(1)]);
    let after = fs.after_power_loss(|_, _| Vec::new());
    assert_eq!(records(opened(&after).1), [note(0), note(1)]);
}

#[tokio::test]
async fn a_record_that_is_only_in_memory_after_a_failed_sync_is_not_believed() {
    let (fs, recs) = unsynced().await;
    assert_eq!(
        records(Reader::start(files(&fs)).unwrap().map(Result::unwrap).collect()),
        recs
    );
    assert_eq!(records(opened(&fs.copy()).1), recs[..1]);
}
