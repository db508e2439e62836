//! What the panel says. PURE, data only.

use super::Route;
use super::calendar::{self, Calendar, Meter};
use super::effects::{Bill, Row};
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::short_id;
use crate::domain::money::{Money, Sums, count};
use crate::domain::panel::{Align, Check, Column, Panel, Tone};
use crate::domain::plan::Plan;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;

/// The panel, for a plan or before there is one.
#[must_use]
pub fn panel(plan: Option<&Plan>) -> Panel {
    let calendar = plan.map(calendar::of);
    let both = plan.zip(calendar.as_ref());
    Panel {
        title: "Subscriptions".to_owned(),
        teaches: "Reads subscriptions and schedules of both accounts, works out the day on which each is handed over, and \
                  what both sides bill next. Nothing is written until you approve a plan."
            .to_owned(),
        headline: both
            .map(|(plan, calendar)| headline(plan, calendar))
            .unwrap_or_default(),
        checks: both
            .map(|(plan, calendar)| checks(plan, calendar))
            .unwrap_or_default(),
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
        column("subscription", 14, Align::Left, 0),
        column("for", 12, Align::Left, 3),
        column("old bills", 10, Align::Left, 2),
        column("new bills", 10, Align::Left, 0),
        column("amount", 14, Align::Right, 0),
        column("rule", 16, Align::Left, 1),
        column("route and classes", 20, Align::Left, 4),
    ]
}

/// The cells of one row.
#[must_use]
pub fn cells(change: &Change, unmasked: bool) -> Vec<String> {
    let label = if unmasked {
        change.label.to_string()
    } else {
        change.label.masked()
    };
    let row = serde_json::from_str::<Row>(&change.payload).ok();
    let day =
        |bill: Option<Bill>| bill.map_or_else(|| "-".to_owned(), |bill| UtcMs::from_secs(bill.at).day());
    let (id, old, new) = match &row {
        Some(row) => (
            short_id(&safe(&row.old).to_string()),
            day(row.next_old),
            day(row.next_new),
        ),
        None => (change.key.to_string(), String::new(), String::new()),
    };
    let owed = |money: Money| Money::new(money.amount.saturating_neg(), money.currency).to_string();
    let amount = change.money.map_or_else(|| "?".to_owned(), owed);
    vec![
        id,
        label,
        old,
        new,
        amount,
        change.rule.clone(),
        change.item.clone(),
    ]
}

fn headline(plan: &Plan, calendar: &Calendar) -> Vec<String> {
    let totals = plan.totals();
    let n = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX));
    let by_rule = |rule: &str| {
        let rows = plan.changes().iter().filter(|change| change.rule == rule);
        rows.filter(|change| matches!(change.verdict, Verdict::Planned | Verdict::Noop))
            .count() as u64
    };
    let mut lines = vec![
        format!(
            "{} rows   {} planned   {} blocked   {} nothing to do   {} left out",
            n(totals.in_scope),
            n(totals.planned),
            n(totals.blocked),
            n(totals.noop),
            n(totals.left_out)
        ),
        format!(
            "{} in files   {} by schedule   {} to stop   {} wait for a bill   {} handed over   {} end on the old account",
            n(by_rule("file")),
            n(by_rule("schedule")),
            n(by_rule("stop")),
            n(by_rule("waits_for_bill")),
            n(by_rule("handed_over")),
            n(by_rule("ends_on_old"))
        ),
    ];
    lines.extend(first_bills(plan, calendar));
    lines
}

/// `First bills on the new account from 2026-10-01: 12,040.00 USD; 3 only Stripe can reckon`
fn first_bills(plan: &Plan, calendar: &Calendar) -> Option<String> {
    let billed = || calendar.days.iter().filter(|(_, day)| day.new.0 > 0);
    let (from, _) = billed().next().map(|(key, _)| key)?;
    let mut sums = Sums::default();
    for ((_, currency), day) in billed() {
        // A sum beyond 64 bits is none; the plan itself would not have been sealed.
        sums.add(Money::new(day.new.1, *currency)).ok()?;
    }
    let unknown = match calendar.unknown {
        0 => String::new(),
        some => format!("; {some} only Stripe can reckon"),
    };
    let route = plan.header().policy.get("route").map_or("", String::as_str);
    let route = if route == Route::Csv.word() {
        ", once the files are uploaded"
    } else {
        ""
    };
    Some(format!(
        "First bills on the new account from {from}{route}: {}{unknown}",
        sums.in_words()
    ))
}

fn checks(plan: &Plan, calendar: &Calendar) -> Vec<Check> {
    let check = |says: String, tone| Check { says, tone };
    let of = |meter: Meter| calendar.meters.get(&meter).copied().unwrap_or_default();
    let mut checks = vec![match calendar.both() {
        0 => check("no period can be billed by both accounts".to_owned(), Tone::Good),
        some => check(format!("{some} can be billed by BOTH accounts"), Tone::Bad),
    }];
    if of(Meter::Later) > 0 {
        let says = format!(
            "{} to be stopped by a later plan, before the new one bills",
            of(Meter::Later)
        );
        checks.push(check(says, Tone::Attention));
    }
    checks.push(match calendar.differ {
        0 => check("both sides bill the same".to_owned(), Tone::Good),
        some => check(
            format!("{some} whose next bill differs between the accounts"),
            Tone::Attention,
        ),
    });
    let rows = |rule: &str| plan.changes().iter().filter(|change| change.rule == rule).count();
    let alone = rows("stopped_alone");
    if alone > 0 {
        checks.push(check(format!("{alone} stopped, and nothing goes on"), Tone::Bad));
    }
    let blocked = plan.totals().blocked;
    if blocked > 0 {
        checks.push(check(format!("{blocked} to decide"), Tone::Attention));
    }
    checks
}

#[cfg(test)]
#[path = "panel_tests.rs"]
mod tests;
