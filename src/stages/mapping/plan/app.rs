//! Rows of the application's table: which hold the old id of a method that moved, and what they will hold.
//!
//! | the row | becomes |
//! |---|---|
//! | names an old method of a customer in scope, whose copy is on the new account and alike | planned `old_id_in_database` |
//! | names the copy already | noop `new_id_in_database` |
//! | names no method | noop `no_id_in_database` |
//! | names an old method the copy left behind, or younger than it | left out `left_behind`: the work list has the customer |
//! | names a method of another customer, or one that differs, or is not there | blocked |
//! | belongs to a customer who stays, or to nobody known | counted, never touched |

use std::collections::{BTreeMap, BTreeSet};

use super::default::{Agreement, Target, compare, target};
use super::row::field;
use super::{Rules, finding};
use crate::domain::change::{Change, ChangeKey, Evidence, Risk, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::EffectId;
use crate::domain::plan::OutOfScope;
use crate::domain::scope::Belongs;
use crate::domain::text::{Safe, safe};
use crate::domain::write::{Cell, RowUpdate};
use crate::stages::mapping::Table;
use crate::stages::mapping::effects::{self, Payload};
use crate::stages::mapping::facts::{AppRow, AppTable, CustomerFacts, Side};
use crate::stages::mapping::file::Origin;

/// A row that may be changed: its effect still has to be looked up in the ledger, which tells how often the same change
/// was made before.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The row's key.
    pub key: String,
    /// What would change.
    pub cells: Vec<Cell>,
}

impl Candidate {
    /// The effect of the change when it was made `ordinal` times before.
    #[must_use]
    pub fn effect(&self, rules: Rules<'_>, table: &Table, ordinal: u32) -> EffectId {
        effects::row_effect(rules.accounts, &table.name, &self.key, &self.cells, ordinal)
    }
}

struct Judged<'a> {
    row: &'a AppRow,
    facts: &'a CustomerFacts,
    verdict: Verdict,
    rule: &'static str,
    why: String,
    cells: Vec<Cell>,
}

/// The rows that would be changed, by the facts.
#[must_use]
pub fn candidates(
    app: &AppTable,
    customers: &[CustomerFacts],
    rules: Rules<'_>,
    table: &Table,
) -> Vec<Candidate> {
    let by_id = index(customers);
    let judged = app.rows.iter().filter_map(|row| judge(row, &by_id, rules, table));
    judged
        .filter(|judged| judged.verdict == Verdict::Planned)
        .map(|judged| Candidate {
            key: judged.row.key.clone(),
            cells: judged.cells,
        })
        .collect()
}

/// The rows of the plan. `ordinals` says of each key how often the same change was made before (absent: never).
#[must_use]
pub fn table(
    app: &AppTable,
    customers: &[CustomerFacts],
    ordinals: &BTreeMap<String, u32>,
    rules: Rules<'_>,
    table: &Table,
    out: &mut OutOfScope,
) -> (Vec<Change>, Vec<Finding>) {
    let by_id = index(customers);
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    let mut strangers = 0;
    for row in &app.rows {
        match judge(row, &by_id, rules, table) {
            None => strangers += 1,
            Some(judged) => {
                if judged.verdict == Verdict::LeftOut {
                    let reason = format!(
                        "row {} of {} still names the old method: {}",
                        row.key, table.name, judged.why
                    );
                    findings.push(finding(
                        &judged.facts.id,
                        "old_id_stays_in_database",
                        reason,
                        Severity::Warn,
                    ));
                }
                rows.push(change(&judged, app, ordinals, rules, table));
            }
        }
    }
    if strangers > 0 {
        out.customers
            .insert("database_rows_of_others".to_owned(), strangers);
    }
    if let Some((others, covered)) = app.others {
        rows.push(others_row(app, others, covered, table));
    }
    (rows, findings)
}

fn index(customers: &[CustomerFacts]) -> BTreeMap<&str, &CustomerFacts> {
    customers
        .iter()
        .filter(|facts| facts.belongs == Belongs::InScope)
        .map(|facts| (facts.id.as_str(), facts))
        .collect()
}

/// `None`: the row belongs to nobody in scope.
fn judge<'a>(
    row: &'a AppRow,
    by_id: &BTreeMap<&str, &'a CustomerFacts>,
    rules: Rules<'_>,
    table: &Table,
) -> Option<Judged<'a>> {
    let method = row.method.as_deref().filter(|method| !method.is_empty());
    let by_method = || rules.mapping.method(method?).map(|target| target.customer);
    let owner = row
        .customer
        .as_deref()
        .filter(|owner| !owner.is_empty())
        .or_else(by_method)?;
    let facts = by_id.get(owner).or_else(|| by_new_id(by_id, owner, rules))?;
    let judged = |verdict, rule, why: String, cells| {
        Some(Judged {
            row,
            facts,
            verdict,
            rule,
            why,
            cells,
        })
    };
    let blocked = |rule, why: String| judged(Verdict::Blocked, rule, why, Vec::new());
    let Some(method) = method else {
        return judged(
            Verdict::Noop,
            "no_id_in_database",
            "the row names no method".to_owned(),
            Vec::new(),
        );
    };
    let Some(there) = &facts.destination else {
        return blocked(
            "customer_not_copied",
            "the customer is not on the new account".to_owned(),
        );
    };
    if there.method(method).is_some() {
        return judged(
            Verdict::Noop,
            "new_id_in_database",
            "the row names the copy already".to_owned(),
            Vec::new(),
        );
    }
    match found(facts, there, rules, method) {
        Ok(new) => {
            let why = format!("{} became {new}", safe(method));
            judged(
                Verdict::Planned,
                "old_id_in_database",
                why,
                cells(row, table, facts, method, new, rules),
            )
        }
        Err((verdict, rule, why)) => judged(verdict, rule, why, Vec::new()),
    }
}

/// After an import the application may hold new customer ids already.
fn by_new_id<'b, 'a>(
    by_id: &'b BTreeMap<&str, &'a CustomerFacts>,
    owner: &str,
    rules: Rules<'_>,
) -> Option<&'b &'a CustomerFacts> {
    if rules.mapping.origin() == Origin::SelfServe {
        return None;
    }
    by_id.values().find(|facts| facts.new_id == owner)
}

fn found<'t>(
    facts: &CustomerFacts,
    there: &'t Side,
    rules: Rules<'t>,
    method: &str,
) -> Result<&'t str, (Verdict, &'static str, String)> {
    let blocked = |rule, why: String| Err((Verdict::Blocked, rule, why));
    let old = facts.source.method(method);
    match target(facts, there, rules, method) {
        Target::There(new) => match old.map(|old| compare(old, new)) {
            Some(Agreement::Agree | Agreement::OnlyExpiry) => Ok(&new.id),
            None if rules.mapping.origin() == Origin::Processor => Ok(&new.id),
            None => blocked(
                "method_detached",
                "the old account has this method no more, so it cannot be compared".to_owned(),
            ),
            Some(Agreement::Differ) => blocked(
                "methods_differ",
                "the copy is not the same method; see the customer's rows".to_owned(),
            ),
        },
        Target::Missing(new) => blocked(
            "target_missing",
            format!("{new} is not attached to the customer on the new account"),
        ),
        Target::OtherCustomer(owner) => blocked(
            "row_of_another_customer",
            format!(
                "the mapping gives this method to {owner}, the row to {}",
                facts.id
            ),
        ),
        Target::NotMapped => match old {
            Some(old) if rules.is_after_copy(old.created) => Err((
                Verdict::LeftOut,
                "method_after_copy",
                format!("{} was added after the copy was made", old.in_words()),
            )),
            Some(old) if !old.is_copied_kind() => Err((
                Verdict::LeftOut,
                "left_behind",
                format!("{} is of a kind the copy leaves behind", old.in_words()),
            )),
            _ => blocked(
                "not_in_mapping",
                "the row names a method that is not in the mapping".to_owned(),
            ),
        },
    }
}

fn cells(
    row: &AppRow,
    table: &Table,
    facts: &CustomerFacts,
    method: &str,
    new: &str,
    rules: Rules<'_>,
) -> Vec<Cell> {
    let mut cells = vec![Cell {
        column: table.method.clone(),
        before: Some(method.to_owned()),
        after: Some(new.to_owned()),
    }];
    if let (Origin::Processor, Some(column)) = (rules.mapping.origin(), &table.customer)
        && facts.new_id != facts.id
    {
        cells.push(Cell {
            column: column.clone(),
            before: row.customer.clone(),
            after: Some(facts.new_id.clone()),
        });
    }
    cells
}

fn change(
    judged: &Judged<'_>,
    app: &AppTable,
    ordinals: &BTreeMap<String, u32>,
    rules: Rules<'_>,
    table: &Table,
) -> Change {
    let row = judged.row;
    let update = (judged.verdict == Verdict::Planned).then(|| {
        let ordinal = ordinals.get(&row.key).copied().unwrap_or(0);
        let cells = judged.cells.clone();
        Box::new(effects::row(
            rules.accounts,
            &table.name,
            &row.key,
            cells,
            ordinal,
        ))
    });
    let payload = Payload::AppRow {
        customer: judged.facts.id.clone(),
    };
    Change {
        update,
        fields: fields(judged, table),
        ..bare(
            format!("app/{}/{}", table.name, row.key),
            &judged.facts.id,
            judged.facts.label.clone(),
            format!("row of {}", table.name),
            (judged.verdict, judged.rule),
            judged.why.clone(),
            &payload,
            evidence(app, format!("row {}: {}", row.key, said(row))),
        )
    }
}

fn fields(judged: &Judged<'_>, table: &Table) -> Vec<crate::domain::change::Field> {
    let say = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let mut fields: Vec<_> = judged
        .cells
        .iter()
        .map(|cell| field(&cell.column, say(&cell.before), say(&cell.after)))
        .collect();
    if fields.is_empty() {
        fields.push(field(
            &table.method,
            say(&judged.row.method),
            say(&judged.row.method),
        ));
    }
    let extra = judged.row.extra.iter();
    fields.extend(extra.map(|(name, value)| field(name, say(value), say(value))));
    fields
}

fn said(row: &AppRow) -> String {
    safe(row.method.as_deref().unwrap_or("null")).as_str().to_owned()
}

fn evidence(app: &AppTable, said: String) -> Vec<Evidence> {
    vec![Evidence {
        role: None,
        asked: app.place.clone(),
        said,
        request_id: String::new(),
        at: app.at,
    }]
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of a row that both kinds have, in its order"
)]
fn bare(
    key: String,
    subject: &str,
    label: Safe,
    item: String,
    (verdict, rule): (Verdict, &str),
    why: String,
    payload: &Payload,
    evidence: Vec<Evidence>,
) -> Change {
    let effect = match verdict {
        Verdict::Planned => "The row names the copy afterwards, if it still holds what was read.",
        Verdict::Blocked => "Nothing is written until a person decides.",
        Verdict::Noop | Verdict::LeftOut => "Nothing is written.",
    };
    Change {
        key: ChangeKey(key),
        subject: subject.to_owned(),
        label,
        item,
        planned_as: verdict,
        verdict,
        money: None,
        rule: rule.to_owned(),
        why,
        effect: effect.to_owned(),
        risk: if verdict == Verdict::Blocked {
            Risk::High
        } else {
            Risk::Low
        },
        fields: Vec::new(),
        writes: Vec::new(),
        choices: Vec::new(),
        decision: None,
        payload: payload.text(),
        update: None,
        evidence,
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

/// All that the plan does not change, as one row: its checksum is compared when the result is verified.
fn others_row(app: &AppTable, others: crate::domain::ids::Digest, covered: u64, table: &Table) -> Change {
    let payload = Payload::AppTable {
        others,
        rows: covered,
    };
    let why = format!(
        "{covered} rows with all their other columns add up to {}",
        others.spoken()
    );
    bare(
        format!("app/{}", table.name),
        &table.name,
        Safe::default(),
        "all other cells".to_owned(),
        (Verdict::Noop, "checksum"),
        why,
        &payload,
        evidence(app, format!("{} rows, SHA-256 {}", app.all, others.spoken())),
    )
}

/// Keys and columns that planned changes touch: what a checksum leaves out.
#[must_use]
pub fn touched<'a>(updates: impl Iterator<Item = &'a RowUpdate>) -> BTreeMap<String, BTreeSet<String>> {
    let mut touched: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for update in updates {
        let columns = update.cells.iter().map(|cell| cell.column.clone());
        touched.entry(update.key.clone()).or_default().extend(columns);
    }
    touched
}
