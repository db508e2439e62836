//! What the screen keeps per stage beside the engine's state: cursor, filter and its result, groups. Kept up to date
//! when the state changes, so that a frame costs the same for a hundred rows and a million.

use std::sync::Arc;

use crate::domain::change::{Change, ChangeKey};
use crate::domain::panel::Panel;
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::engine::state::{RowState, StageState};
use crate::tui::eta::Eta;
use crate::tui::filter::{Filter, Haystack};
use crate::tui::groups::{Group, groups};
use crate::tui::model::Panels;

/// Real milliseconds between two times that the groups are made.
const REGROUP_MS: u64 = 1_000;

/// A cursor in a list, and the first row that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListPos {
    /// The row the keys act on.
    pub cursor: usize,
    /// The first row shown.
    pub top: usize,
}

impl ListPos {
    /// Keeps the cursor inside `len` rows and the window of `height` rows around it.
    pub fn fit(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.top = self.top.min(self.cursor).min(len.saturating_sub(height.min(len)));
        if self.cursor >= self.top + height {
            self.top = self.cursor + 1 - height;
        }
    }

    /// Moves the cursor by `by` rows, inside `len` rows.
    pub fn step(&mut self, by: isize, len: usize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(len.saturating_sub(1));
    }
}

/// See the [module page](self).
#[derive(Clone, Debug, Default)]
pub struct StageView {
    /// What the stage says above its table.
    pub panel: Panel,
    /// The filter in force.
    pub filter: Filter,
    /// Cursor and window, in filtered rows.
    pub list: ListPos,
    /// Groups, largest first within their kind; made only while somebody looks at them.
    pub groups: Vec<Group>,
    groups_stale: bool,
    groups_at: u64,
    /// Rows that wait for a person's word to be sent again.
    pub reissue: Vec<ChangeKey>,
    /// Tells a steady rate from a first guess.
    pub eta: Eta,
    /// Positions of the rows that pass the filter; `None` is all.
    shown: Option<Arc<Vec<u32>>>,
    /// The row the operator last went to: filters come and go around it.
    anchor: Option<ChangeKey>,
    hay: Haystack,
    plan: Option<Arc<Plan>>,
    preview: Arc<Vec<Arc<Change>>>,
    rows: Arc<Vec<RowState>>,
    ended: u64,
}

impl StageView {
    /// Takes over what changed in `stage`.
    pub fn refresh(&mut self, stage: &StageState, panels: &dyn Panels) {
        let same_plan = match (&self.plan, &stage.plan) {
            (Some(mine), Some(new)) => Arc::ptr_eq(mine, new),
            (None, None) => true,
            _ => false,
        };
        let same_rows = same_plan && Arc::ptr_eq(&self.preview, &stage.preview);
        let same_ends = Arc::ptr_eq(&self.rows, &stage.rows) || self.ended == stage.tally.ended();
        let first = self.panel.title.is_empty();
        let under = self.selected_key();
        if !same_plan || first {
            self.panel = panels.panel(stage.id, stage.plan.as_deref());
        }
        if !same_rows {
            self.other_rows(stage);
        }
        self.rows = stage.rows.clone();
        self.ended = stage.tally.ended();
        if !same_rows || (!same_ends && self.filter.watches_rows()) {
            self.apply(None);
            self.restore(under.as_ref());
        }
        self.groups_stale |= !same_rows || !same_ends || first;
        self.reissue = waiting_for_reissue(stage);
    }

    /// A decision replaces single rows in place: what free words are looked for in stays. Other rows: forget it.
    fn other_rows(&mut self, stage: &StageState) {
        let (before, now) = (self.changes(), stage.changes());
        let same_keys = before.len() <= now.len()
            && before.first().map(|c| &c.key) == now.first().map(|c| &c.key)
            && before
                .iter()
                .zip(now)
                .all(|(a, b)| Arc::ptr_eq(a, b) || a.key == b.key);
        if !same_keys {
            self.hay.clear();
        }
        self.plan.clone_from(&stage.plan);
        self.preview = stage.preview.clone();
    }

    fn restore(&mut self, under: Option<&ChangeKey>) {
        let Some(key) = under else { return };
        let position = match &self.plan {
            Some(plan) => plan.position(key),
            None => self.preview.iter().position(|change| change.key == *key),
        };
        if let Some(position) = position {
            self.list.cursor = self.row_of(position);
        }
        self.list.cursor = self.list.cursor.min(self.len().saturating_sub(1));
    }

    /// The filtered row at or after `position` of the plan.
    fn row_of(&self, position: usize) -> usize {
        match &self.shown {
            None => position,
            Some(shown) => shown.partition_point(|at| (*at as usize) < position),
        }
    }

    /// Sets the filter and keeps the cursor on its row where that row is still shown.
    pub fn set_filter(&mut self, text: &str) {
        let under = self.anchor.take().or_else(|| self.selected_key());
        let next = Filter::parse(text);
        let narrower = next.narrows(&self.filter);
        self.filter = next;
        let within = if narrower { self.shown.take() } else { None };
        self.apply(within);
        self.restore(under.as_ref());
        self.anchor = under;
    }

    /// The operator went to another row.
    pub fn moved(&mut self) {
        self.anchor = None;
    }

    fn apply(&mut self, within: Option<Arc<Vec<u32>>>) {
        if self.filter.is_empty() {
            self.shown = None;
            return;
        }
        let mut hay = std::mem::take(&mut self.hay);
        hay.extend(self.changes());
        let changes = self.changes();
        let passes = |at: &u32| {
            let row = *at as usize;
            self.filter.passes(&changes[row], self.rows.get(row), hay.of(row))
        };
        let all = 0..u32::try_from(changes.len()).unwrap_or(u32::MAX);
        let shown: Vec<u32> = match within {
            Some(within) => within.iter().copied().filter(passes).collect(),
            None => all.filter(passes).collect(),
        };
        self.hay = hay;
        self.shown = Some(Arc::new(shown));
    }

    /// Makes the groups anew if rows changed, but not twice within a second of real time.
    pub fn regroup(&mut self, tick: u64) {
        let rested = self.groups.is_empty() || tick >= self.groups_at.saturating_add(REGROUP_MS);
        if self.groups_stale && rested {
            self.groups = groups(self.changes(), &self.rows);
            (self.groups_stale, self.groups_at) = (false, tick);
        }
    }

    /// All rows of the stage.
    #[must_use]
    pub fn changes(&self) -> &[Arc<Change>] {
        self.plan
            .as_ref()
            .map_or(self.preview.as_slice(), |plan| plan.changes())
    }

    /// The plan these rows are of.
    #[must_use]
    pub const fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// Rows that pass the filter.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown
            .as_ref()
            .map_or_else(|| self.changes().len(), |shown| shown.len())
    }

    /// Whether no row passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of the rows that pass the filter, those that wait for a person's word to be sent again.
    #[must_use]
    pub fn reissue_shown(&self) -> Vec<ChangeKey> {
        let shown = |key: &&ChangeKey| match (&self.shown, &self.plan) {
            (None, _) => true,
            (Some(shown), Some(plan)) => plan
                .position(key)
                .and_then(|at| u32::try_from(at).ok())
                .is_some_and(|at| shown.binary_search(&at).is_ok()),
            (Some(_), None) => false,
        };
        self.reissue.iter().filter(shown).cloned().collect()
    }

    /// Position in the plan of a filtered row.
    #[must_use]
    pub fn position(&self, row: usize) -> Option<usize> {
        match &self.shown {
            None => (row < self.changes().len()).then_some(row),
            Some(shown) => shown.get(row).map(|at| *at as usize),
        }
    }

    /// A filtered row and how it ended.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(&Arc<Change>, Option<&RowState>)> {
        let position = self.position(row)?;
        Some((self.changes().get(position)?, self.rows.get(position)))
    }

    /// The row under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<(&Arc<Change>, Option<&RowState>)> {
        self.row(self.list.cursor)
    }

    /// The key of the row under the cursor.
    #[must_use]
    pub fn selected_key(&self) -> Option<ChangeKey> {
        self.selected().map(|(change, _)| change.key.clone())
    }

    /// The next filtered row after the cursor for which `wanted` holds, around the end if need be.
    #[must_use]
    pub fn next_row(&self, wanted: impl Fn(&Change) -> bool) -> Option<usize> {
        let len = self.len();
        (1..=len)
            .map(|step| (self.list.cursor + step) % len)
            .find(|row| self.row(*row).is_some_and(|(change, _)| wanted(change)))
    }
}

fn waiting_for_reissue(stage: &StageState) -> Vec<ChangeKey> {
    if stage.tally.count(RowEnd::Unknown) == 0 {
        return Vec::new();
    }
    let waits = |row: &RowState| row.detail.as_deref().is_some_and(|detail| detail.needs_reissue);
    stage
        .changes()
        .iter()
        .zip(stage.rows.iter())
        .filter(|(_, row)| waits(row))
        .map(|(change, _)| change.key.clone())
        .collect()
}
