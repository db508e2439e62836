//! Looking through the rows of a stage, a slice at a time: a key must be on the screen within a frame, however many rows
//! there are.
//!
//! A pass goes over the rows in their order and stops when its slice is used up; the loop draws, takes in keys and
//! states, and calls for the next slice when nothing else waits ([`crate::tui::msg::Msg::Look`]). Slices are counted in
//! steps, not in time, so that the same messages always give the same screen. What was found so far is shown, with how
//! much has been looked at; it only grows at its end, so nothing moves under the cursor.
//!
//! * A text that narrows the one before starts from what that one had found, and goes on where it had stopped.
//! * The lower-cased text of a row is made once, when the row is first looked at.
//! * Rows that come in at the end while the stage still reads are looked at when the pass gets there.
//! * When rows change in place (a decision, a write), the last result stays on screen until the pass over the changed
//!   rows is complete. A change during such a pass is noted, not acted on: the pass ends first, so a stage that streams
//!   cannot keep it from ending.

use std::sync::Arc;

use super::{Filter, Haystack};
use crate::domain::change::Change;
use crate::engine::state::RowState;

/// Steps of one slice: two to three milliseconds of an optimised build.
pub const SLICE: usize = 16_000;
/// Looking at a row whose text has to be made first costs this many steps more.
const MAKING: usize = 7;

/// See the [module page](self).
#[derive(Clone, Debug, Default)]
pub struct Search {
    filter: Filter,
    hay: Haystack,
    /// What the pass has found, ascending.
    found: Vec<u32>,
    /// Rows known to pass a wider filter, ascending; those before `at` have been looked at.
    within: Vec<u32>,
    at: usize,
    /// After those: every row from here.
    rest: usize,
    /// What is shown instead while a pass over changed rows is under way.
    held: Option<Vec<u32>>,
    /// Rows changed since the pass began.
    again: bool,
}

impl Search {
    /// The filter in force.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Another filter. What is found is shown as it is found.
    pub fn set(&mut self, filter: Filter) {
        let narrows = !self.again && filter.narrows(&self.filter);
        self.filter = filter;
        self.held = None;
        self.again = false;
        if narrows {
            let unseen = self.within.split_off(self.at);
            self.within = std::mem::take(&mut self.found);
            self.within.extend(unseen);
            self.at = 0;
        } else {
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.found.clear();
        self.within.clear();
        (self.at, self.rest) = (0, 0);
    }

    /// Other rows altogether.
    pub fn other_rows(&mut self) {
        self.hay.clear();
        self.held = None;
        self.again = false;
        self.restart();
    }

    /// The same rows, changed in place, of which there are now `rows`.
    pub fn rows_changed(&mut self, rows: usize) {
        self.again |= self.begun();
        self.begin_again(rows);
    }

    const fn begun(&self) -> bool {
        self.at > 0 || self.rest > 0 || !self.within.is_empty()
    }

    fn begin_again(&mut self, rows: usize) {
        if !self.again || self.looking(rows) {
            return;
        }
        self.again = false;
        let found = std::mem::take(&mut self.found);
        self.held.get_or_insert(found);
        self.restart();
    }

    /// Whether some of `rows` rows have not been looked at.
    #[must_use]
    pub fn looking(&self, rows: usize) -> bool {
        !self.filter.is_empty() && (self.at < self.within.len() || self.rest < rows)
    }

    /// How many of `rows` rows have been looked at.
    #[must_use]
    pub fn looked_at(&self, rows: usize) -> usize {
        match self.within.get(self.at) {
            Some(row) => *row as usize,
            None => self.rest.min(rows),
        }
    }

    /// Looks at the next rows, for at most `steps` steps. True where what is shown was replaced, not only added to.
    pub fn slice(&mut self, changes: &[Arc<Change>], rows: &[RowState], steps: usize) -> bool {
        if self.filter.is_empty() {
            return false;
        }
        let mut left = steps;
        while left > 0 {
            let row = match self.within.get(self.at) {
                Some(row) => *row as usize,
                None => self.rest,
            };
            let Some(change) = changes.get(row) else { break };
            let made = self.hay.make_up_to(row, changes);
            left = left.saturating_sub(1 + made * MAKING);
            if self.filter.passes(change, rows.get(row), self.hay.of(row)) {
                self.found.extend(u32::try_from(row).ok());
            }
            if self.at < self.within.len() {
                self.at += 1;
            } else {
                self.rest += 1;
            }
        }
        let replaced = !self.looking(changes.len()) && self.held.take().is_some();
        self.begin_again(changes.len());
        replaced
    }

    /// Positions of the rows that pass, ascending; `None` is all.
    #[must_use]
    pub fn shown(&self) -> Option<&[u32]> {
        let shown = || self.held.as_deref().unwrap_or(&self.found);
        (!self.filter.is_empty()).then(shown)
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
