//! What the panel says. PURE, data only.

use super::effects::Payload;
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::short_id;
use crate::domain::money::count;
use crate::domain::panel::{Align, Check, Column, Panel, Tone};
use crate::domain::plan::Plan;

/// The panel, for a plan or before there is one.
#[must_use]
pub fn panel(plan: Option<&Plan>) -> Panel {
    Panel {
        title: "Catalogue".to_owned(),
        teaches:
            "Reads products, prices, tax rates and payment links of both accounts, and which of them live \
                  subscriptions in scope still use. Nothing is written until you approve a plan."
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
        column("kind", 13, 0),
        column("id", 18, 0),
        column("name", 16, 3),
        column("terms", 24, 1),
        column("rule", 22, 2),
    ]
}

/// The cells of one row. What is sold is not personal and is not masked.
#[must_use]
pub fn cells(change: &Change) -> Vec<String> {
    let payload = serde_json::from_str::<Payload>(&change.payload).ok();
    let (id, terms) = payload.map_or_else(
        || (change.subject.clone(), String::new()),
        |payload| (payload.old, payload.terms),
    );
    vec![
        change.item.clone(),
        short_id(&crate::domain::text::safe(&id).to_string()),
        change.label.to_string(),
        terms,
        change.rule.clone(),
    ]
}

fn headline(plan: &Plan) -> Vec<String> {
    let totals = plan.totals();
    let n = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX));
    let mut lines = vec![format!(
        "{} rows   {} to create   {} blocked   {} nothing to do   {} left out",
        n(totals.in_scope),
        n(totals.planned),
        n(totals.blocked),
        n(totals.noop),
        n(totals.left_out)
    )];
    let planned = |item: &str| {
        let rows = plan.changes().iter();
        rows.filter(|change| change.verdict == Verdict::Planned && change.item == item)
            .count()
    };
    let kinds = [
        ("product", "products"),
        ("price", "prices"),
        ("tax rate", "tax rates"),
        ("default price", "default prices"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .map(|(one, many)| (planned(one), many))
        .filter(|(n, _)| *n > 0)
        .map(|(n, many)| format!("{} {many}", count(n)))
        .collect();
    if !parts.is_empty() {
        lines.push(format!("Creates   {}", parts.join("   ")));
    }
    lines
}

fn checks(plan: &Plan) -> Vec<Check> {
    let check = |says: String, tone| Check { says, tone };
    let rows_of = |rules: &[&str]| {
        let rows = plan.changes().iter();
        rows.filter(|change| rules.contains(&change.rule.as_str()))
            .count()
    };
    let findings_of = |rules: &[&str]| {
        let findings = plan.findings().iter();
        findings
            .filter(|finding| rules.contains(&finding.rule.as_str()))
            .count()
    };
    let mut checks = Vec::new();
    let differ = rows_of(&[
        "product_differs",
        "price_differs",
        "tax_rate_differs",
        "default_price_differs",
    ]);
    checks.push(match differ {
        0 => check("what is there already is equal".to_owned(), Tone::Good),
        some => check(format!("{some} there already, and different"), Tone::Bad),
    });
    let tax = findings_of(&[
        "automatic_tax_differs",
        "automatic_tax_unknown",
        "tax_behavior_differs",
        "tax_code_differs",
        "registration_missing",
        "tax_unreadable",
    ]);
    checks.push(match tax {
        0 => check("both accounts are set up alike for tax".to_owned(), Tone::Good),
        some => check(format!("{some} differences in the tax set-up"), Tone::Attention),
    });
    let attention = [
        (rows_of(&["metered"]), "metered: not moved"),
        (rows_of(&["runbook"]), "for the runbook"),
        (rows_of(&["inactive_in_use"]), "inactive, and still subscribed to"),
    ];
    let some = attention.iter().filter(|(n, _)| *n > 0);
    checks.extend(some.map(|(n, says)| check(format!("{n} {says}"), Tone::Attention)));
    let blocked = plan
        .changes()
        .iter()
        .filter(|change| change.verdict == Verdict::Blocked)
        .count();
    if blocked > 0 {
        checks.push(check(format!("{blocked} to decide"), Tone::Attention));
    }
    checks
}
