//! Is damage at the end a write that power loss tore, or was the journal changed? Only the first may be cut off.
//!
//! A write reaches the disk in any order and any part of it may be missing: bytes at the end are gone, bytes in the
//! middle read as NUL, which JSON text never contains. Everything before the last write was synced before that write
//! began, so it cannot be torn. So damage is a torn write only if
//! * nothing whole behind it belongs to a later write (the `batch` of a line says where its write began), and
//! * damage that does not merely end the file shows the NULs of missing bytes.

use super::frame::{self, Line};
use super::{BATCH_BYTES, BATCH_RECORDS, MAX_LINE};

/// More than one disk write can hold, in bytes.
pub(super) const TAIL_MAX: usize = BATCH_BYTES + MAX_LINE + BATCH_RECORDS * frame::FRAME_MAX;

/// Judges `rest`, the bytes from the first line that is not whole to the end, where record `due` belongs.
/// `Err` says why it is no torn write.
pub(super) fn judge(rest: &[u8], due: u64) -> Result<(), String> {
    if rest.len() > TAIL_MAX {
        return Err(format!(
            "record {due} is damaged, and more follows than one write holds"
        ));
    }
    let whole = whole_lines(rest);
    if let Some(later) = whole.iter().find(|line| line.batch > due || line.seq < due) {
        return Err(format!(
            "record {due} is damaged while record {}, of another write, is whole",
            later.seq
        ));
    }
    let lines = || rest.split_inclusive(|b| *b == b'\n');
    let is_only_line = whole.is_empty() && lines().count() == 1;
    let is_cut_off = |line: &[u8]| !line.ends_with(b"\n");
    let is_explained = |line: &[u8]| is_cut_off(line) || line.contains(&0) || is_whole(line);
    if is_only_line || lines().all(is_explained) {
        return Ok(());
    }
    Err(format!(
        "record {due} is damaged, and not as a power loss would leave it"
    ))
}

fn is_whole(line: &[u8]) -> bool {
    line.strip_suffix(b"\n")
        .is_some_and(|text| frame::decode(text).is_ok())
}

/// Every whole line in `rest`, also one whose line feed, or whose neighbour's, is damaged.
fn whole_lines(rest: &[u8]) -> Vec<Line> {
    const MARK: &[u8] = b" {\"v\":";
    const SUM: usize = 8;
    let marks = rest
        .windows(MARK.len())
        .enumerate()
        .filter(|(i, w)| *i >= SUM && *w == MARK);
    let starts: Vec<usize> = marks.map(|(i, _)| i - SUM).collect();
    let ends = starts
        .iter()
        .skip(1)
        .map(|next| next.saturating_sub(1))
        .chain([rest.len()]);
    let spans = starts.iter().zip(ends).filter(|(start, end)| *start < end);
    let texts = spans.map(|(start, end)| &rest[*start..end]);
    texts
        .filter_map(|text| frame::decode(text.strip_suffix(b"\n").unwrap_or(text)).ok())
        .collect()
}
