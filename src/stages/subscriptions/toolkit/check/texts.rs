//! Metadata, columns nobody knows, and the bytes of a row.

use super::{Checker, Faults, id};
use crate::stages::subscriptions::toolkit::Rule;
use crate::stages::subscriptions::toolkit::cell::{Kind, Note};
use crate::stages::subscriptions::toolkit::columns::{Column, NONE, SOURCE_STRIPE};
use crate::stages::subscriptions::toolkit::split::Cells;

/// The API: characters of a metadata value.
const LONGEST_VALUE: usize = 500;

impl Checker {
    /// Says what is wrong with texts. The id of the old subscription.
    pub(super) fn texts<'a>(&self, cells: Cells<'a>, faults: &mut Faults<'_>) -> Option<&'a [u8]> {
        let header = &self.header;
        for at in &header.texts {
            let cell = cells.get(*at);
            if matches!(cell.first(), Some(b'=' | b'+' | b'-' | b'@')) {
                faults.add(Rule::FormulaCell, *at, Note::Nothing);
            }
            if cell.len() > LONGEST_VALUE && header.metadata.contains(at) {
                let characters = String::from_utf8_lossy(cell).chars().count();
                if characters > LONGEST_VALUE {
                    let counts = Note::Counts(characters as u64, LONGEST_VALUE as u64);
                    faults.add(Rule::MetadataTooLong, *at, counts);
                }
            }
        }
        let old = cells.get(header.old_id);
        if header.source != NONE {
            let source = cells.get(header.source);
            if source != SOURCE_STRIPE.as_bytes() && !(source.is_empty() && header.old_id == NONE) {
                faults.add(Rule::MetadataSource, header.source, Note::Nothing);
            }
        }
        if header.old_id != NONE {
            if old.is_empty() {
                faults.add(Rule::NoOldId, header.old_id, Note::Nothing);
            } else {
                id(cells, header.old_id, Kind::Subscription, faults);
            }
        }
        let third = cells.get(header.third_party_id);
        Some(if old.is_empty() { third } else { old }).filter(|id| !id.is_empty())
    }

    /// What no text should hold.
    pub(super) fn bytes(&self, cells: Cells<'_>, faults: &mut Faults<'_>) {
        for (at, cell) in (0_u16..).zip(cells.iter()) {
            let ignored = self.header.columns.get(usize::from(at)) == Some(&Column::Ignored);
            if cell.contains(&0) {
                faults.add(Rule::Nul, at, Note::Nothing);
            } else if std::str::from_utf8(cell).is_err() {
                faults.add(Rule::NotUtf8, at, Note::Nothing);
            } else if !ignored
                && cell
                    .iter()
                    .any(|b| *b < b' ' && !matches!(b, b'\n' | b'\r' | b'\t'))
            {
                faults.add(Rule::ControlCharacter, at, Note::Nothing);
            }
        }
    }
}
