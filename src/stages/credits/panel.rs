//! What the panel says. PURE, data only.

use super::SourceAfter;
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::short_id;
use crate::domain::money::{Money, count};
use crate::domain::panel::{Align, Check, Column, Panel, Tone};
use crate::domain::plan::Plan;

/// The panel, for a plan or before there is one.
#[must_use]
pub fn panel(plan: Option<&Plan>) -> Panel {
    Panel {
        title: "Credits".to_owned(),
        teaches: "Reads every moving customer's ledger in every currency on both accounts, and compares four sources of \
                  each balance. Nothing is written until you approve a plan."
            .to_owned(),
        headline: plan.map(headline).unwrap_or_default(),
        checks: plan.map(checks).unwrap_or_default(),
        columns: columns(),
    }
}

fn columns() -> Vec<Column> {
    let column = |title: &str, width, align, drop_order| Column {
        title: title.to_owned(),
        width,
        align,
        drop_order,
    };
    vec![
        column("customer", 18, Align::Left, 0),
        column("name", 12, Align::Left, 3),
        column("item", 16, Align::Left, 1),
        column("amount", 18, Align::Right, 0),
        column("rule", 26, Align::Left, 2),
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
        change.money.map(|money| money.to_string()).unwrap_or_default(),
        change.rule.clone(),
    ]
}

fn headline(plan: &Plan) -> Vec<String> {
    let totals = plan.totals();
    let n = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX));
    let mut lines = vec![format!(
        "{} rows   {} to move   {} blocked   {} nothing to do   {} left out",
        n(totals.in_scope),
        n(totals.planned),
        n(totals.blocked),
        n(totals.noop),
        n(totals.left_out)
    )];
    let money: Vec<String> = totals
        .money
        .iter()
        .filter(|(_, sums)| sums.planned_credits != 0 || sums.planned_debits != 0)
        .map(|(currency, sums)| {
            let credits = Money::new(sums.planned_credits, *currency);
            match sums.planned_debits {
                0 => credits.to_string(),
                debits => format!("{credits} (debits {})", Money::new(debits, *currency).digits()),
            }
        })
        .collect();
    if !money.is_empty() {
        lines.push(format!("Moves   {}", money.join("   ")));
    }
    lines
}

fn checks(plan: &Plan) -> Vec<Check> {
    let totals = plan.totals();
    let check = |says: String, tone| Check { says, tone };
    let mut checks = Vec::new();
    let rows_of = |rule: &str| plan.changes().iter().filter(|change| change.rule == rule).count();
    let disagree = rows_of("sources_disagree") + rows_of("unreadable") + rows_of("sign_contradicts");
    checks.push(match disagree {
        0 => check("all sources agree".to_owned(), Tone::Good),
        some => check(format!("{some} with sources that differ"), Tone::Bad),
    });
    let elsewhere = plan
        .findings()
        .iter()
        .filter(|f| f.rule == "balance_in_other_currency")
        .count();
    if elsewhere > 0 {
        checks.push(check(
            format!("{elsewhere} balances the customer object does not show"),
            Tone::Attention,
        ));
    }
    if totals.planned_debits > 0 {
        checks.push(check(
            format!("{} debits", totals.planned_debits),
            Tone::Attention,
        ));
    }
    let leaves =
        plan.header().policy.get("source_after").map(String::as_str) == Some(SourceAfter::Leave.word());
    checks.push(if leaves {
        check(
            "the old balances stay: both copies can be spent".to_owned(),
            Tone::Bad,
        )
    } else {
        check("the old balances are drained first".to_owned(), Tone::Good)
    });
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
