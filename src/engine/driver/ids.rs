//! Old ids and new ones, from what is written and what was there already.

use std::collections::BTreeSet;

use crate::domain::change::Verdict;
use crate::domain::mapped::IdMap;
use crate::domain::record::RowEnd;
use crate::engine::state::{EffectBook, RunState, StageState};
use crate::stages::{self, Settings, Stage};

/// Of every stage of the run, in order.
pub(super) fn of_run(state: &RunState, book: &EffectBook, settings: &Settings) -> IdMap {
    let mut ids = IdMap::default();
    for state in &state.stages {
        if let Some(stage) = stages::get(state.id) {
            of_stage(&*stage, state, book, settings, &mut ids);
        }
    }
    ids
}

/// Of one stage.
pub(super) fn of_stage(
    stage: &dyn Stage,
    state: &StageState,
    book: &EffectBook,
    settings: &Settings,
    ids: &mut IdMap,
) {
    let Some(plan) = &state.plan else { return };
    let mut right = BTreeSet::new();
    for (change, row) in plan.changes().iter().zip(state.rows.iter()) {
        let made = match (change.verdict, row.end) {
            (Verdict::Planned, Some(RowEnd::Done)) => book.object(state.id, &change.key),
            // A row left out by one of its own choices may stand for something that was there: the stage knows.
            (Verdict::Noop | Verdict::LeftOut, _) => None,
            _ => continue,
        };
        // What was blocked did not agree, whatever was decided about it since.
        if matches!(change.planned_as, Verdict::Planned | Verdict::Noop) {
            right.insert(change.subject.as_str());
        }
        if let Some(mapped) = stage.ids(change, made) {
            ids.put(mapped);
        }
    }
    for mapped in stage.ids_beside(&right, settings) {
        ids.put(mapped);
    }
}

/// As CSV: `kind,old_id,new_id`.
pub(super) fn csv(ids: &IdMap) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let rows = std::iter::once(("kind", "old_id", "new_id")).chain(ids.iter());
    for (kind, old, new) in rows {
        // Writing to memory cannot fail; ids are plain and need no guard against spreadsheets.
        if out.write_record([kind, old, new]).is_err() {
            return Vec::new();
        }
    }
    out.into_inner().unwrap_or_default()
}
