//! What is true of a stage that is being taken back, or has been: a fold like the rest. PURE.
//!
//! A row of the plan keeps the end it had until it is taken back, and where it could not be: what stands on the accounts
//! is what that end says. Only while it is not known whether it was taken back does it stand as unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StageState;
use crate::domain::approval::Approval;
use crate::domain::change::{Change, ChangeKey};
use crate::domain::finding::Finding;
use crate::domain::plan::Plan;
use crate::domain::record::{Record, RowEnd};
use crate::domain::time::UtcMs;

/// One undo of a stage: its plan, the approval of that, and how far it is.
#[derive(Clone, Debug)]
pub struct UndoState {
    /// What takes the rows back, sealed like any plan.
    pub plan: Arc<Plan>,
    /// Its approval.
    pub approval: Approval,
    /// Of the rows it cannot even try to take back.
    pub left: Vec<Finding>,
    /// How rows of it ended, and why. A row that is not here is pending.
    pub ends: BTreeMap<ChangeKey, (RowEnd, String)>,
    /// What the rows had ended in before they were touched.
    before: BTreeMap<ChangeKey, Option<RowEnd>>,
    /// Nothing is left to be done under it.
    pub is_over: bool,
}

/// What an undo would send, worked out to be looked at.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What would take the rows back.
    pub plan: Arc<Plan>,
    /// Rows it cannot even try to take back.
    pub left: Vec<Finding>,
    /// When it was worked out.
    pub at: UtcMs,
}

impl PartialEq for Offer {
    fn eq(&self, other: &Self) -> bool {
        self.plan.digest() == other.plan.digest() && self.left == other.left
    }
}

impl Eq for Offer {}

impl UndoState {
    /// Rows that have not ended.
    #[must_use]
    pub fn pending(&self) -> Vec<Arc<Change>> {
        let rows = self.plan.changes().iter();
        rows.filter(|change| !self.ends.contains_key(&change.key))
            .cloned()
            .collect()
    }

    /// Rows that were taken back.
    #[must_use]
    pub fn restored(&self) -> u64 {
        let undone = self.ends.values().filter(|(end, _)| *end == RowEnd::Undone);
        undone.count() as u64
    }

    /// Whether it is not known if the row was taken back.
    #[must_use]
    pub fn is_unknown(&self, row: &ChangeKey) -> bool {
        self.ends.get(row).is_some_and(|(end, _)| *end == RowEnd::Unknown)
    }
}

impl StageState {
    /// The undo that was begun and has not come to its end.
    #[must_use]
    pub fn undo_under_way(&self) -> Option<&UndoState> {
        self.undo.as_deref().filter(|undo| !undo.is_over)
    }

    pub(super) fn begin_undo(&mut self, plan: Plan, approval: &Approval, left: &[Finding], at: UtcMs) {
        let was = self.undo.take();
        self.offer = None;
        // What an earlier undo said about rows it left is said anew by this one.
        let findings = self.findings.iter().filter(|finding| !of_undo(finding));
        self.findings = Arc::new(findings.cloned().collect());
        let mut before = BTreeMap::new();
        for change in plan.changes() {
            let earlier = was.as_ref().filter(|undo| undo.is_unknown(&change.key));
            if let Some(end) = earlier.and_then(|undo| undo.before.get(&change.key)) {
                before.insert(change.key.clone(), *end);
            }
        }
        self.meter = super::fold::sitting("taking back", plan.changes().len() as u64, at);
        self.phase = super::Phase::Undoing;
        self.undo = Some(Arc::new(UndoState {
            plan: Arc::new(plan),
            approval: approval.clone(),
            left: left.to_vec(),
            ends: BTreeMap::new(),
            before,
            is_over: false,
        }));
    }

    /// The undo goes on: after a halt, after a pause, or for rows that may be sent again.
    pub(super) fn go_on_with_undo(&mut self, at: UtcMs) {
        let Some(undo) = self.undo.as_mut().map(Arc::make_mut) else {
            return;
        };
        undo.is_over = false;
        self.meter = super::fold::sitting("taking back", undo.pending().len() as u64, at);
        self.phase = super::Phase::Undoing;
    }

    pub(super) fn undo_is_over(&mut self, left: &[Finding]) {
        if let Some(undo) = self.undo.as_mut().map(Arc::make_mut) {
            undo.is_over = true;
        }
        self.phase = super::Phase::Undone;
        let kept = self.findings.iter().filter(|finding| !of_undo(finding));
        self.findings = Arc::new(kept.chain(left).cloned().collect());
    }

    /// A record about a row, if it belongs to the undo rather than to the writing. Whether it does.
    pub(super) fn apply_to_undo(&mut self, record: &Record, at: UtcMs) -> bool {
        let Some(undo) = self.undo.as_mut().map(Arc::make_mut) else {
            return false;
        };
        match record {
            Record::Row {
                row, end, why, code, ..
            } if undo.plan.position(row).is_some() => {
                let now = self.plan.as_ref().and_then(|plan| plan.position(row));
                let now = now.and_then(|at| self.rows.get(at)).and_then(|row| row.end);
                let before = *undo.before.entry(row.clone()).or_insert(now);
                undo.ends.insert(row.clone(), (*end, why.clone()));
                let end = match end {
                    RowEnd::Undone | RowEnd::Unknown => Some(*end),
                    RowEnd::Done | RowEnd::Failed | RowEnd::Drifted => before,
                };
                self.detail(row, |detail| {
                    detail.why.clone_from(why);
                    detail.code.clone_from(code);
                });
                self.put_end(row, end);
                self.meter.done += 1;
                self.meter.last_at = at;
                true
            }
            Record::Reissue { row, .. } if undo.is_unknown(row) => {
                undo.ends.remove(row);
                let before = undo.before.remove(row).flatten();
                self.detail(row, |detail| detail.needs_reissue = false);
                self.put_end(row, before);
                true
            }
            _ => false,
        }
    }
}

/// The rule of a finding about a row that could not be taken back.
pub const LEFT: &str = "undo_left";
/// The rule of the finding about writes that have no undo.
pub const KEPT: &str = "undo_not_offered";

fn of_undo(finding: &Finding) -> bool {
    [LEFT, KEPT].contains(&finding.rule.as_str())
}
