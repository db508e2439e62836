//! The promises of the module page, against a directory that fails on demand.

mod crash;
mod everyday;
mod faults;
mod group;
mod real;
mod tamper;
mod watch;
mod whole;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sim::SimFs;
use super::{Entry, Files, Journal, JournalError, JournalFs, Opened, Seq, create, open};
use crate::domain::time::UtcMs;

/// Records as the engine will have them: tagged by kind, with text that tries to break the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Rec {
    Intent { effect: String, amount: i64 },
    Note { text: String },
    Halt { why: String },
    Bare,
}

pub(super) const SEGMENT: &str = "journal-000001.jsonl";

pub(super) fn note(n: usize) -> Rec {
    Rec::Note {
        text: format!("note {n}"),
    }
}

pub(super) fn files(fs: &SimFs) -> Files {
    Arc::new(fs.clone())
}

/// A directory with an empty journal.
pub(super) fn fresh() -> SimFs {
    let fs = SimFs::default();
    create(&files(&fs)).unwrap();
    fs
}

pub(super) fn opened(fs: &SimFs) -> (Opened, Vec<Entry<Rec>>) {
    try_open(fs).unwrap()
}

pub(super) fn try_open(fs: &SimFs) -> Result<(Opened, Vec<Entry<Rec>>), JournalError> {
    let mut seen = Vec::new();
    let opened = open(files(fs), |entry| seen.push(entry))?;
    Ok((opened, seen))
}

pub(super) fn records(entries: Vec<Entry<Rec>>) -> Vec<Rec> {
    entries.into_iter().map(|entry| entry.record).collect()
}

/// Appends one after the other, each a disk write of its own.
pub(super) async fn append_each(journal: &Journal, recs: &[Rec]) -> Result<Vec<Seq>, JournalError> {
    let mut seqs = Vec::new();
    for (i, rec) in recs.iter().enumerate() {
        seqs.push(
            journal
                .append(rec, UtcMs(1000 + i64::try_from(i).unwrap()))
                .await?,
        );
    }
    Ok(seqs)
}

/// A journal of `n` notes, closed.
pub(super) async fn notes(n: usize) -> SimFs {
    let fs = fresh();
    let (opened, _) = opened(&fs);
    append_each(&opened.journal, &(0..n).map(note).collect::<Vec<_>>())
        .await
        .unwrap();
    fs
}

/// Names and bytes of every file.
pub(super) fn contents(fs: &SimFs) -> Vec<(String, Vec<u8>)> {
    fs.names()
        .into_iter()
        .map(|name| (name.clone(), fs.bytes(&name)))
        .collect()
}

#[test]
fn the_simulated_directory_forgets_names_and_bytes_that_were_not_synced() {
    let fs = SimFs::default();
    let mut file = fs.create_new("a").unwrap();
    file.append(b"abc").unwrap();
    assert!(fs.after_power_loss(|_, b| b.to_vec()).names().is_empty());
    fs.sync_dir().unwrap();
    assert_eq!(fs.after_power_loss(|_, b| b[..1].to_vec()).bytes("a"), b"a");
    file.sync().unwrap();
    assert_eq!(fs.after_power_loss(|_, b| b.to_vec()).bytes("a"), b"abc");
    assert_eq!(fs.durable("a"), b"abc");
}
