//! For support: whose subscription is only scheduled. Such a customer cannot cancel in the portal until it goes live, so
//! whoever asks is answered by hand; and which new subscription is whose. PURE: rendered from the rows of a plan.

use super::effects::Row;
use crate::domain::change::{Change, Verdict};
use crate::domain::plan::Plan;
use crate::domain::text::for_spreadsheet;
use crate::domain::time::UtcMs;
use crate::stages::File;

/// Who cannot cancel in the portal, and until when.
pub const SCHEDULED: &str = "scheduled.csv";
/// Old subscriptions and what goes on for them.
pub const TWINS: &str = "old-and-new.csv";

/// Both lists. Cells that a spreadsheet would calculate are quoted.
#[must_use]
pub fn files(plan: &Plan) -> Vec<File> {
    let file = |name: &'static str, bytes: Result<Vec<u8>, csv::Error>| File {
        name: name.into(),
        bytes: bytes.unwrap_or_default(),
    };
    vec![file(SCHEDULED, scheduled(plan)), file(TWINS, twins(plan))]
}

fn rows(plan: &Plan) -> impl Iterator<Item = (&Change, Row)> {
    plan.changes().iter().filter_map(|change| {
        let row = serde_json::from_str(&change.payload).ok()?;
        Some((&**change, row))
    })
}

/// Whether it is, or will be, scheduled on the new account and has not begun.
fn waits(change: &Change, row: &Row) -> bool {
    let there = matches!(&row.twin, Some((Some(_), None)));
    let made = row.twin.is_none() && change.verdict == Verdict::Planned;
    (there || made) && row.handover.is_some()
}

fn scheduled(plan: &Plan) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "customer",
        "name",
        "old subscription",
        "old account bills until",
        "goes live",
        "new schedule",
        "until then",
    ])?;
    for (change, row) in rows(plan).filter(|(change, row)| waits(change, row)) {
        let at = |at: i64| UtcMs::from_secs(at).rfc3339();
        let live = row.handover.map(at).unwrap_or_default();
        let schedule = row.twin.and_then(|(schedule, _)| schedule).unwrap_or_default();
        let cells = [
            row.customer.as_str(),
            change.label.as_str(),
            &row.old,
            &live,
            &live,
            &schedule,
            "cannot cancel in the portal: cancel on the old account, and say so to whoever runs the migration",
        ];
        out.write_record(cells.map(for_spreadsheet))?;
    }
    finished(out)
}

fn twins(plan: &Plan) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "customer",
        "old subscription",
        "new schedule",
        "new subscription",
        "handover",
        "rule",
    ])?;
    for (change, row) in rows(plan) {
        let Some((schedule, subscription)) = row.twin else {
            continue;
        };
        let cells = [
            row.customer,
            row.old,
            schedule.unwrap_or_default(),
            subscription.unwrap_or_default(),
            row.handover
                .map(|at| UtcMs::from_secs(at).rfc3339())
                .unwrap_or_default(),
            change.rule.clone(),
        ];
        out.write_record(cells.each_ref().map(|cell| for_spreadsheet(cell)))?;
    }
    finished(out)
}

fn finished(out: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, csv::Error> {
    out.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
#[path = "support_tests.rs"]
mod tests;
