//! What the screen keeps per stage beside the engine's state: cursor, filter and its result, groups. Kept up to date
//! when the state changes, so that a frame costs the same for a hundred rows and a million.

use std::sync::Arc;

use crate::domain::change::{Change, ChangeKey};
use crate::domain::panel::Panel;
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::engine::state::{RowState, StageState};
use crate::tui::eta::Eta;
use crate::tui::filter::Filter;
use crate::tui::filter::search::{SLICE, Search};
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

/// A row that is to be found again.
#[derive(Clone, Debug)]
struct Anchor {
    key: ChangeKey,
    /// Where it was when it was last seen.
    at: usize,
}

/// See the [module page](self).
#[derive(Clone, Debug, Default)]
pub struct StageView {
    /// What the stage says above its table.
    pub panel: Panel,
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
    /// The filter, and the rows that pass it.
    search: Search,
    /// The row the operator last went to: filters come and go around it.
    anchor: Option<Anchor>,
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
        let under = self.under();
        if !same_plan || first {
            self.panel = panels.panel(stage.id, stage.plan.as_deref());
        }
        if !same_rows {
            self.other_rows(stage);
        }
        self.rows = stage.rows.clone();
        self.ended = stage.tally.ended();
        if same_rows && !same_ends && self.search.filter().watches_rows() {
            self.search.rows_changed(self.changes().len());
        }
        if self.is_looking() {
            self.look();
        }
        if !same_rows {
            self.restore(under.as_ref());
            // Not looked at yet: the cursor goes back to it when its turn has come.
            let later = under.filter(|_| self.is_looking());
            self.anchor = self.anchor.take().or(later);
        }
        self.groups_stale |= !same_rows || !same_ends || first;
        self.reissue = waiting_for_reissue(stage);
    }

    /// A decision replaces single rows in place, and reading adds rows at the end: then what has been looked through
    /// stays. Other rows: forget it.
    fn other_rows(&mut self, stage: &StageState) {
        let (before, now) = (self.changes(), stage.changes());
        let known = before.len();
        let pairs = || before.iter().zip(now);
        let same_keys = known <= now.len() && pairs().all(|(a, b)| Arc::ptr_eq(a, b) || a.key == b.key);
        let changed = same_keys && pairs().any(|(a, b)| !Arc::ptr_eq(a, b));
        self.plan.clone_from(&stage.plan);
        self.preview = stage.preview.clone();
        if !same_keys {
            self.search.other_rows();
        } else if changed {
            self.search.rows_changed(known);
        }
    }

    /// The row under the cursor, to be found again.
    fn under(&self) -> Option<Anchor> {
        let at = self.position(self.list.cursor)?;
        let key = self.changes().get(at)?.key.clone();
        Some(Anchor { key, at })
    }

    fn restore(&mut self, under: Option<&Anchor>) {
        let Some(under) = under else { return };
        let there = |at: usize| {
            self.changes()
                .get(at)
                .is_some_and(|change| change.key == under.key)
        };
        let position = match &self.plan {
            _ if there(under.at) => Some(under.at),
            Some(plan) => plan.position(&under.key),
            None => self.preview.iter().position(|change| change.key == under.key),
        };
        if let Some(position) = position {
            self.list.cursor = self.row_of(position);
        }
        self.list.cursor = self.list.cursor.min(self.len().saturating_sub(1));
    }

    /// The filtered row at or after `position` of the plan.
    fn row_of(&self, position: usize) -> usize {
        match self.search.shown() {
            None => position,
            Some(shown) => shown.partition_point(|at| (*at as usize) < position),
        }
    }

    /// The filter in force.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        self.search.filter()
    }

    /// Sets the filter and keeps the cursor on its row where that row is still shown.
    pub fn set_filter(&mut self, text: &str) {
        let under = self.anchor.take().or_else(|| self.under());
        self.search.set(Filter::parse(text));
        self.anchor = under;
        self.look();
    }

    /// The operator went to another row.
    pub fn moved(&mut self) {
        self.anchor = None;
    }

    /// Puts the cursor on that row of the plan; says whether it is among those shown.
    pub fn go_to(&mut self, key: &ChangeKey) -> bool {
        let Some(position) = self.plan.as_ref().and_then(|plan| plan.position(key)) else {
            return false;
        };
        let row = self.row_of(position);
        let shown = self.position(row) == Some(position);
        if shown {
            self.list.cursor = row;
            self.moved();
        }
        shown
    }

    /// Whether rows have not yet been looked at for the filter.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.search.looking(self.changes().len())
    }

    /// How many rows have been looked at for the filter.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.search.looked_at(self.changes().len())
    }

    /// Looks at some more rows for the filter; as many as fit between two frames.
    pub fn look(&mut self) {
        let under = self.under();
        let mut search = std::mem::take(&mut self.search);
        let replaced = search.slice(self.changes(), &self.rows, SLICE);
        self.search = search;
        if let Some(anchor) = self.anchor.take() {
            self.restore(Some(&anchor));
            self.anchor = Some(anchor);
        } else if replaced {
            self.restore(under.as_ref());
        }
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
        self.search
            .shown()
            .map_or_else(|| self.changes().len(), <[u32]>::len)
    }

    /// Whether no row passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of the rows that pass the filter, those that wait for a person's word to be sent again. Asks the rows
    /// themselves: what is shown may lag behind them.
    #[must_use]
    pub fn reissue_shown(&self) -> Vec<ChangeKey> {
        if self.filter().is_empty() {
            return self.reissue.clone();
        }
        let passes = |key: &&ChangeKey| {
            let at = self.plan.as_ref().and_then(|plan| plan.position(key));
            at.is_some_and(|at| self.filter().passes_alone(&self.changes()[at], self.rows.get(at)))
        };
        self.reissue.iter().filter(passes).cloned().collect()
    }

    /// Position in the plan of a filtered row.
    #[must_use]
    pub fn position(&self, row: usize) -> Option<usize> {
        match self.search.shown() {
            None => (row < self.changes().len()).then_some(row),
            Some(shown) => shown.get(row).map(|at| *at as usize),
        }
    }

    /// How the row at `position` of the plan ended.
    #[must_use]
    pub fn state(&self, position: usize) -> Option<&RowState> {
        self.rows.get(position)
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
