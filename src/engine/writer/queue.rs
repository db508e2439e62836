//! Subjects waiting to be written: ready ones in order, and those that must wait until an instant.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::row::Row;
use super::{Gate, Known};
use crate::domain::change::Change;
use crate::domain::time::UtcMs;

/// The rows of one subject, in the order they are written.
pub(super) struct Subject {
    pub(super) rows: VecDeque<Row>,
}

/// What a lane gets.
pub(super) enum Taken {
    /// Work.
    Subject(Subject),
    /// Nothing before this instant.
    WaitUntil(UtcMs),
    /// Nothing left to start; what other lanes hold they finish themselves.
    Nothing,
}

#[derive(Default)]
pub(super) struct Queue {
    ready: VecDeque<Subject>,
    later: BTreeMap<(UtcMs, u64), Subject>,
    taken: usize,
    next: u64,
}

impl Queue {
    pub(super) fn new(changes: Vec<Arc<Change>>, known: &Known, gate: &Gate) -> Self {
        let mut by_subject: BTreeMap<String, Vec<Arc<Change>>> = BTreeMap::new();
        for change in changes {
            by_subject.entry(change.subject.clone()).or_default().push(change);
        }
        let ready = by_subject.into_values().map(|mut changes| {
            changes.sort_by_cached_key(|change| (gate.stage.rank(change), change.key.clone()));
            let rows = changes.into_iter().map(|change| {
                let effects = known.get(&change.key).cloned().unwrap_or_default();
                Row::new(change, effects, gate.process_began, gate.generations_before)
            });
            Subject { rows: rows.collect() }
        });
        Self {
            ready: ready.collect(),
            ..Self::default()
        }
    }

    pub(super) fn subjects(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn take(&mut self, now: UtcMs) -> Taken {
        if let Some((&(due, _), _)) = self.later.first_key_value() {
            if due <= now {
                if let Some((_, subject)) = self.later.pop_first() {
                    self.taken += 1;
                    return Taken::Subject(subject);
                }
            } else if self.ready.is_empty() {
                return Taken::WaitUntil(due);
            }
        }
        match self.ready.pop_front() {
            Some(subject) => {
                self.taken += 1;
                Taken::Subject(subject)
            }
            None => Taken::Nothing,
        }
    }

    /// Back, to be taken again at `due`.
    pub(super) fn put_back(&mut self, subject: Subject, due: UtcMs) {
        self.taken = self.taken.saturating_sub(1);
        self.next += 1;
        self.later.insert((due, self.next), subject);
    }

    /// All rows of the subject have ended.
    pub(super) fn finished(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken == 0 && self.ready.is_empty() && self.later.is_empty()
    }
}
