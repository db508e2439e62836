//! For whoever makes the subscriptions: which coupon carries each running discount on, and until when. PURE.

use super::effects::Payload;
use crate::domain::change::Verdict;
use crate::domain::plan::Plan;
use crate::domain::text::for_spreadsheet;
use crate::domain::time::UtcMs;

/// Its name in the run directory.
pub const FILE: &str = "discounts.csv";

/// One line for each running discount that is carried on. Cells that a spreadsheet would calculate are quoted.
pub fn csv(plan: &Plan) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "discount",
        "subscription",
        "item",
        "coupon",
        "invoices",
        "until",
        "status",
    ])?;
    for change in plan.changes() {
        let Ok(Payload::Discount(row)) = serde_json::from_str::<Payload>(&change.payload) else {
            continue;
        };
        if change.verdict == Verdict::Noop && !row.there {
            continue;
        }
        let until = row.until.map(|at| UtcMs::from_secs(at).datetime().to_rfc3339());
        let text = |value: Option<String>| value.unwrap_or_default();
        let cells = [
            row.old.clone(),
            text(row.subscription.clone()),
            text(row.item.clone()),
            text(row.terms.get("id").map(str::to_owned)),
            row.invoices
                .map_or_else(|| "always".to_owned(), |n| n.to_string()),
            text(until),
            change.verdict.word().to_owned(),
        ];
        out.write_record(cells.each_ref().map(|cell| for_spreadsheet(cell)))?;
    }
    out.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}
