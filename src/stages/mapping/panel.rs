//! What the panel says. PURE, data only.

use crate::domain::change::Change;
use crate::domain::ids::short_id;
use crate::domain::money::count;
use crate::domain::panel::{Align, Check, Column, Panel, Tone};
use crate::domain::plan::Plan;

/// The panel, for a plan or before there is one.
#[must_use]
pub fn panel(plan: Option<&Plan>) -> Panel {
    Panel {
        title: "Mapping".to_owned(),
        teaches: "Reads the mapping file of the PAN copy, every moving customer and its payment methods on both accounts, \
                  and the application's table. Nothing is written until you approve a plan."
            .to_owned(),
        headline: plan.map(headline).unwrap_or_default(),
        checks: plan.map(checks).unwrap_or_default(),
        columns: columns(),
    }
}

fn columns() -> Vec<Column> {
    let column = |title: &str, width, drop_order| Column {
        title: title.to_owned(),
        width,
        align: Align::Left,
        drop_order,
    };
    vec![
        column("customer", 18, 0),
        column("name", 12, 3),
        column("item", 20, 1),
        column("becomes", 18, 0),
        column("rule", 24, 2),
    ]
}

/// The cells of one row.
#[must_use]
pub fn cells(change: &Change, unmasked: bool) -> Vec<String> {
    vec![
        short_id(&change.subject),
        if unmasked {
            change.label.to_string()
        } else {
            change.label.masked()
        },
        change.item.clone(),
        becomes(change),
        change.rule.clone(),
    ]
}

fn becomes(change: &Change) -> String {
    if let Some(update) = &change.update {
        let after = update.cells.first().and_then(|cell| cell.after.as_deref());
        return after.map(short_id).unwrap_or_default();
    }
    match change.writes.as_slice() {
        [write] if write.form.len() == 1 => short_id(&write.form[0].1),
        [write] => format!("{} fields", write.form.len()),
        _ => String::new(),
    }
}

fn headline(plan: &Plan) -> Vec<String> {
    let totals = plan.totals();
    let n = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX));
    let of = |item: &str| plan.changes().iter().filter(|change| change.item == item).count();
    let mut lines = vec![format!(
        "{} rows   {} to write   {} blocked   {} nothing to do   {} left out",
        n(totals.in_scope),
        n(totals.planned),
        n(totals.blocked),
        n(totals.noop),
        n(totals.left_out)
    )];
    let many = |count_of: usize, one: &str| {
        let plural = if count_of == 1 { "" } else { "s" };
        format!("{} {one}{plural}", count(count_of))
    };
    lines.push(format!(
        "{}   {}   {}   {} of the database to change",
        many(of("default method"), "customer"),
        many(of("profile"), "profile"),
        many(of("tax id"), "tax id"),
        many(usize::try_from(totals.rows_app).unwrap_or(usize::MAX), "row")
    ));
    lines
}

fn checks(plan: &Plan) -> Vec<Check> {
    let rules = |rules: &[&str]| {
        let rows = plan.changes().iter();
        rows.filter(|change| rules.contains(&change.rule.as_str()))
            .count()
    };
    let check = |count: usize, good: &str, bad: &str, tone| Check {
        says: if count == 0 {
            good.to_owned()
        } else {
            format!("{count} {bad}")
        },
        tone: if count == 0 { Tone::Good } else { tone },
    };
    let differ = rules(&[
        "methods_differ",
        "expiry_differs",
        "target_missing",
        "target_elsewhere",
    ]);
    let late = rules(&[
        "late_customer",
        "not_copied",
        "not_on_destination",
        "method_after_copy",
    ]);
    let left = rules(&[
        "left_behind",
        "default_left_behind",
        "without_method",
        "no_default",
    ]);
    vec![
        check(
            differ,
            "every copied method agrees",
            "copied methods do not agree",
            Tone::Bad,
        ),
        check(late, "everybody arrived", "missed by the copy", Tone::Attention),
        check(
            left,
            "nothing for support",
            "for support's work list",
            Tone::Attention,
        ),
    ]
}
