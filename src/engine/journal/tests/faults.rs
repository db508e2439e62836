//! Full disks and failing syncs, at every place where they can happen.

use super::*;
use crate::engine::journal::open::open_with;
use crate::engine::journal::sim::{Counts, Faults};
use crate::engine::journal::writer::RESERVE;
use crate::engine::journal::{ChainedWriter, Reader};

const SMALL: u64 = 900;

fn halt() -> Rec {
    Rec::Halt {
        why: "no space".into(),
    }
}

/// What a run got to before its first error.
struct Ran {
    acknowledged: Vec<Rec>,
    error: Option<JournalError>,
    halt: Option<Result<Seq, JournalError>>,
}

/// Opens, appends twelve records over several segments, and after an error tries everything that is refused then.
async fn run(fs: &SimFs) -> Ran {
    let opened = open_with::<Rec>(files(fs), SMALL, |_| {});
    let journal = match opened {
        Ok(opened) => opened.journal,
        Err(e) => {
            return Ran {
                acknowledged: Vec::new(),
                error: Some(e),
                halt: None,
            };
        }
    };
    let mut acknowledged = Vec::new();
    for n in 0..12 {
        match journal.append(&note(n), UtcMs(0)).await {
            Ok(_) => acknowledged.push(note(n)),
            Err(e) => {
                let again = journal.append(&note(50), UtcMs(0)).await.unwrap_err();
                assert_eq!(again.to_string(), e.to_string());
                let halted = journal.halt(&halt(), UtcMs(0)).await;
                let after = journal.append(&note(51), UtcMs(0)).await.unwrap_err();
                assert_eq!(after.to_string(), e.to_string());
                assert!(
                    journal.halt(&halt(), UtcMs(0)).await.is_err(),
                    "only one last record"
                );
                return Ran {
                    acknowledged,
                    error: Some(e),
                    halt: Some(halted),
                };
            }
        }
    }
    Ran {
        acknowledged,
        error: None,
        halt: None,
    }
}

async fn calm_counts() -> Counts {
    let fs = fresh();
    fs.set_faults(Faults::default());
    assert!(run(&fs).await.error.is_none());
    fs.counts()
}

#[tokio::test]
async fn a_disk_full_at_any_write_stops_everything_but_one_last_record() {
    let writes = calm_counts().await.writes;
    let mut halts = 0;
    for n in 1..=writes {
        let fs = fresh();
        fs.set_faults(Faults {
            full_at_write: Some(n),
            ..Faults::default()
        });
        let ran = run(&fs).await;
        assert!(
            ran.error.as_ref().unwrap().is_disk_full(),
            "write {n}: {:?}",
            ran.error
        );
        let mut expected = ran.acknowledged;
        if let Some(halted) = ran.halt {
            halted.unwrap();
            expected.push(halt());
            halts += 1;
            assert!(!fs.names().contains(&RESERVE.to_owned()));
        }
        // Space was freed by the operator; the reserve comes back.
        let fs = fs.after_power_loss(|_, _| Vec::new());
        let (again, seen) = opened(&fs);
        assert_eq!((records(seen), again.torn), (expected, None), "write {n}");
        assert!(fs.names().contains(&RESERVE.to_owned()));
        again.journal.append(&note(99), UtcMs(0)).await.unwrap();
    }
    assert!(halts >= 12);
}

#[tokio::test]
async fn a_failed_sync_is_final_and_never_tried_again() {
    for n in 1..=calm_counts().await.syncs {
        let fs = fresh();
        fs.set_faults(Faults {
            error_at_sync: Some(n),
            ..Faults::default()
        });
        let ran = run(&fs).await;
        assert!(matches!(ran.error, Some(JournalError::Io { .. })), "sync {n}");
        assert!(
            ran.halt.is_none_or(|halted| halted.is_err()),
            "nothing is written behind a lost write"
        );
        assert_eq!(fs.counts().syncs_retried, 0, "sync {n}");
        let (_, seen) = opened(&fs.after_power_loss(|_, _| Vec::new()));
        assert_eq!(records(seen), ran.acknowledged, "sync {n}");
    }
}

#[tokio::test]
async fn a_failed_write_is_final_too() {
    for n in 1..=calm_counts().await.writes {
        let fs = fresh();
        fs.set_faults(Faults {
            error_at_write: Some(n),
            ..Faults::default()
        });
        let ran = run(&fs).await;
        assert!(matches!(ran.error, Some(JournalError::Io { .. })), "write {n}");
        assert!(ran.halt.is_none_or(|halted| halted.is_err()));
        let (_, seen) = opened(&fs.copy());
        assert_eq!(records(seen), ran.acknowledged, "write {n}");
    }
}

#[tokio::test]
async fn the_last_record_can_fail_as_well_and_says_so() {
    for fault in [
        Faults {
            error_at_sync: Some(1),
            ..Faults::default()
        },
        Faults {
            error_at_sync: Some(2),
            ..Faults::default()
        },
        Faults {
            error_at_write: Some(1),
            ..Faults::default()
        },
    ] {
        let fs = notes(1).await;
        let (again, _) = opened(&fs);
        fs.set_faults(Faults {
            full_at_write: Some(1),
            ..Faults::default()
        });
        assert!(
            again
                .journal
                .append(&note(1), UtcMs(0))
                .await
                .unwrap_err()
                .is_disk_full()
        );
        fs.set_faults(fault);
        assert!(matches!(
            again.journal.halt(&halt(), UtcMs(0)).await,
            Err(JournalError::Io { .. })
        ));
        drop(again);
        assert_eq!(
            records(opened(&fs.after_power_loss(|_, _| Vec::new())).1),
            [note(0)]
        );
    }
}

#[tokio::test]
async fn a_reserve_that_vanished_is_no_reason_to_hang() {
    let fs = notes(1).await;
    let (again, _) = opened(&fs);
    fs.set_faults(Faults {
        full_at_write: Some(1),
        ..Faults::default()
    });
    again.journal.append(&note(1), UtcMs(0)).await.unwrap_err();
    fs.delete(RESERVE);
    assert!(matches!(
        again.journal.halt(&halt(), UtcMs(0)).await,
        Err(JournalError::Missing { .. })
    ));
}

#[tokio::test]
async fn a_halt_that_comes_with_the_failing_records_still_gets_through() {
    let fs = notes(1).await;
    let (again, _) = opened(&fs);
    fs.set_faults(Faults {
        full_at_write: Some(1),
        ..Faults::default()
    });
    let (a, b, c) = tokio::join!(
        again.journal.append(&note(1), UtcMs(0)),
        again.journal.append(&note(2), UtcMs(0)),
        again.journal.halt(&halt(), UtcMs(0)),
    );
    assert!(a.unwrap_err().is_disk_full() && b.unwrap_err().is_disk_full());
    assert_eq!(c.unwrap(), Seq(2));
}

#[tokio::test]
async fn a_read_that_fails_is_reported_and_nothing_is_touched() {
    let fs = notes(1).await;
    fs.set_faults(Faults {
        error_at_read: true,
        ..Faults::default()
    });
    assert!(matches!(
        try_open(&fs),
        Err(JournalError::Io { doing: "read", .. })
    ));
    assert_eq!(fs.counts().changes, 0);
    let mut reader = Reader::<Rec>::start(files(&fs)).unwrap();
    assert!(reader.next().unwrap().is_ok() && reader.next().is_none() && reader.next().is_none());
    assert!(!reader.is_torn());
    assert_eq!(reader.head().seq, Seq(1));
}

#[test]
fn a_snapshot_that_cannot_be_written_does_not_exist() {
    let write = |fs: &SimFs| -> Result<(), JournalError> {
        let mut writer = ChainedWriter::create(files(fs), "s")?;
        for n in 0..2000 {
            writer.write(&note(n), UtcMs(0))?;
        }
        writer.finish().map(drop)
    };
    let calm = SimFs::default();
    write(&calm).unwrap();
    let counts = calm.counts();
    for n in 1..=counts.writes {
        let fs = SimFs::with(Faults {
            full_at_write: Some(n),
            ..Faults::default()
        });
        assert!(write(&fs).unwrap_err().is_disk_full());
        assert!(!fs.names().contains(&"s".to_owned()));
    }
    for n in 1..=counts.syncs {
        let fs = SimFs::with(Faults {
            error_at_sync: Some(n),
            ..Faults::default()
        });
        assert!(matches!(write(&fs), Err(JournalError::Io { .. })));
        assert!(
            !fs.after_power_loss(|_, b| b.to_vec())
                .names()
                .contains(&"s".to_owned())
        );
    }
}
