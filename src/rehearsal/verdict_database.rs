//! The judgement over the application's database: only methods of movers may have changed, and only to their copies.

use std::collections::{BTreeMap, HashMap};

use super::app_database::{AppDatabase, COLUMNS, Cells, METHOD, SeedRow, text};
use super::verdict::{RowClaim, Violation, rule, violation};
use super::world::Role;

/// Judges the rows as they are now. `copies`: new ids by old ids.
pub(crate) async fn judge(
    database: &AppDatabase,
    copies: &HashMap<String, String>,
    claims: &[RowClaim],
) -> Vec<Violation> {
    match database.look().await {
        Ok(cells) => rows(&database.rows, &cells, copies, claims),
        Err(why) => {
            let reason = format!("the application's database cannot be read any more ({why})");
            vec![violation("", rule::DATABASE_ROW, reason)]
        }
    }
}

fn rows(
    seeded: &[SeedRow],
    cells: &Cells,
    copies: &HashMap<String, String>,
    claims: &[RowClaim],
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut claimed: BTreeMap<&str, &RowClaim> = BTreeMap::new();
    for claim in claims {
        if claim.column == COLUMNS[METHOD] {
            claimed.insert(&claim.key, claim);
        } else {
            let reason = format!("row {}: the run says it wrote column {}", claim.key, claim.column);
            found.push(violation("", rule::DATABASE_ROW, reason));
        }
    }
    for row in seeded {
        let claim = claimed.remove(row.id.to_string().as_str());
        if let Some(now) = cells.get(&row.id) {
            one(row, now, copies, claim, &mut found);
        } else {
            let reason = format!("row {} is gone", row.id);
            found.push(violation(&row.customer, rule::DATABASE_ROW, reason));
        }
    }
    let known: std::collections::BTreeSet<i64> = seeded.iter().map(|row| row.id).collect();
    for id in cells.keys().filter(|id| !known.contains(id)) {
        let reason = format!("row {id} was added");
        found.push(violation("", rule::DATABASE_ROW, reason));
    }
    for key in claimed.keys() {
        let reason = format!("row {key} is said to be done, but there is no such row");
        found.push(violation("", rule::DATABASE_ID, reason));
    }
    found
}

fn one(
    row: &SeedRow,
    now: &[String; 7],
    copies: &HashMap<String, String>,
    claim: Option<&RowClaim>,
    found: &mut Vec<Violation>,
) {
    let before = row.cells();
    let stays = row.role != Role::Mover;
    for (at, column) in COLUMNS.iter().enumerate() {
        if (stays || at != METHOD) && before[at] != now[at] {
            let reason = format!(
                "row {}, column {column}: was {}, is {}",
                row.id,
                readable(&before[at]),
                readable(&now[at])
            );
            found.push(violation(&row.customer, rule::DATABASE_ROW, reason));
        }
    }
    let copy = row.method.as_deref().and_then(|old| copies.get(old));
    let becomes = copy.map(|new| text(Some(new)));
    let is = &now[METHOD];
    if !stays && *is != before[METHOD] && becomes.as_ref() != Some(is) {
        let right = copy.map_or("nothing else: its method was not copied", String::as_str);
        let reason = format!(
            "row {}: was {}, is {}, may become {right}",
            row.id,
            readable(&before[METHOD]),
            readable(is)
        );
        found.push(violation(&row.customer, rule::DATABASE_ID, reason));
    }
    if let Some(claim) = claim.filter(|claim| text(claim.value.as_deref()) != *is) {
        let said = claim.value.as_deref().unwrap_or("nothing");
        let reason = format!(
            "row {} is said to hold {said}, but holds {}",
            row.id,
            readable(is)
        );
        found.push(violation(&row.customer, rule::DATABASE_ID, reason));
    }
}

/// A cell for a sentence: what is in it is quoted and escaped, since anybody may have written it.
fn readable(cell: &str) -> String {
    let (kind, bytes) = cell.split_once(':').unwrap_or(("", cell));
    let bytes = data_encoding::HEXUPPER
        .decode(bytes.as_bytes())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    match kind {
        "null" => "NULL".to_owned(),
        "text" => format!("{text:?}"),
        other => format!("{text:?} ({other})"),
    }
}
