//! Words that several rows share. PURE.

use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stages::subscriptions::effects::{END_OLD, PAUSE_OLD, Row};

/// `2026-10-01`
pub(super) fn day(at: i64) -> String {
    UtcMs::from_secs(at).day()
}

/// What becomes of the old one with these writes.
pub(super) fn stopping(row: &Row, writes: &[PlannedWrite]) -> String {
    let has = |op: &str| writes.iter().any(|write| write.op == op);
    let h = day(row.handover.unwrap_or_default());
    if has(END_OLD) {
        format!("the old one ends by itself on {h}")
    } else if has(PAUSE_OLD) {
        "the old one is paused, and cancelled after the settlement window".to_owned()
    } else {
        "the old account bills on until then, and is stopped after its last bill".to_owned()
    }
}

/// With a capital letter.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
