//! What the panel says. PURE, data only.

use super::effects::{CLOSE_OLD, CREATE_CARRY, CREATE_CODE, CREATE_COUPON, Payload};
use super::fields::Fields;
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::short_id;
use crate::domain::money::{Currency, Money, count};
use crate::domain::panel::{Align, Check, Column, Panel, Tone};
use crate::domain::plan::Plan;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::CAP;

/// The panel, for a plan or before there is one.
#[must_use]
pub fn panel(plan: Option<&Plan>) -> Panel {
    Panel {
        title: "Coupons".to_owned(),
        teaches: "Reads coupons, promotion codes and who they are for on both accounts, and the discounts that are \
                  running; works out what is left of each. Nothing is written until you approve a plan."
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
        column("what", 20, 0),
        column("for", 12, 3),
        column("limit, left, new", 18, 0),
        column("rule", 20, 2),
        column("terms", 20, 1),
    ]
}

/// The cells of one row.
#[must_use]
pub fn cells(change: &Change, unmasked: bool) -> Vec<String> {
    let payload = serde_json::from_str::<Payload>(&change.payload).ok();
    let label = || {
        if unmasked {
            change.label.to_string()
        } else {
            change.label.masked()
        }
    };
    let (what, who, terms) = match &payload {
        Some(Payload::Coupon(row)) => (
            format!("coupon {}", short_id(&safe(&row.id).to_string())),
            String::new(),
            Some(&row.terms),
        ),
        Some(Payload::Code(row)) => {
            let who = row
                .customer
                .as_ref()
                .map_or_else(|| "everybody".to_owned(), |_| label());
            (
                format!("code {}", short_id(&safe(&row.text).to_string())),
                who,
                Some(&row.terms),
            )
        }
        Some(Payload::Discount(row)) => (format!("on {}", short_id(&on(row))), label(), Some(&row.terms)),
        None => (change.item.clone(), label(), None),
    };
    let terms = terms.map(in_words).unwrap_or_default();
    vec![
        what,
        who,
        numbers(change, payload.as_ref()),
        change.rule.clone(),
        terms,
    ]
}

/// What a running discount works on.
fn on(row: &super::effects::DiscountRow) -> String {
    let on = row.subscription.as_ref().unwrap_or(&row.old);
    safe(on).to_string()
}

/// `10, 3, 3`: the limit, what is left of it, and the limit on the new account. Of a discount: the invoices.
fn numbers(change: &Change, payload: Option<&Payload>) -> String {
    let some = |limit: Option<i64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    let (limit, left, op) = match payload {
        Some(Payload::Coupon(row)) => (
            row.left.map(|left| left.saturating_add(row.used)),
            row.left,
            CREATE_COUPON,
        ),
        Some(Payload::Code(row)) => {
            let own = change.fields.iter().find(|field| field.name == CAP);
            let own = own.and_then(|field| field.before.parse().ok());
            (own, row.left, CREATE_CODE)
        }
        Some(Payload::Discount(row)) => {
            return row.invoices.map_or_else(
                || "always".to_owned(),
                |n| match n {
                    1 => "1 invoice".to_owned(),
                    n => format!("{n} invoices"),
                },
            );
        }
        None => return String::new(),
    };
    if limit.is_none() && left.is_none() {
        return "no limit".to_owned();
    }
    let write = change.writes_now().iter().find(|write| write.op == op);
    let new = write.map_or_else(
        || "-".to_owned(),
        |write| super::attest::sent(write, CAP).map_or_else(|| "none".to_owned(), str::to_owned),
    );
    format!("{}, {}, {new}", some(limit), some(left))
}

/// `25 % for 3 months`, `from 10.00 USD, first time, until 2026-12-01`.
fn in_words(terms: &Fields) -> String {
    let money = |amount: &str, currency: &str| {
        let parsed = (
            terms.get(amount).and_then(|n| n.parse().ok()),
            terms.get(currency).map(Currency::parse),
        );
        match parsed {
            (Some(amount), Some(Ok(currency))) => Some(Money::new(amount, currency).to_string()),
            _ => None,
        }
    };
    let off = terms.get("percent_off").map(|percent| format!("{percent} %"));
    let off = off.or_else(|| money("amount_off", "currency"));
    let long = terms
        .get("duration")
        .map(|duration| match (duration, terms.get("duration_in_months")) {
            ("repeating", Some(months)) => format!("{months} mo"),
            (word, _) => word.to_owned(),
        });
    let mut words: Vec<String> = Vec::new();
    words.extend(off.map(|off| match long {
        Some(long) => format!("{off} {long}"),
        None => off,
    }));
    let least = money(
        "restrictions[minimum_amount]",
        "restrictions[minimum_amount_currency]",
    );
    words.extend(least.map(|least| format!("from {least}")));
    let first = terms.get("restrictions[first_time_transaction]").is_some();
    words.extend(first.then(|| "first time".to_owned()));
    let until = terms.get("expires_at").or_else(|| terms.get("redeem_by"));
    let until = until.and_then(|at| at.parse().ok()).map(UtcMs::from_secs);
    words.extend(until.map(|at| format!("until {}", at.day())));
    safe(&words.join(", ")).to_string()
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
    let creates = |op: &str| {
        let writes = plan.changes().iter().flat_map(|change| change.writes_now());
        writes.filter(|write| write.op == op).count()
    };
    let (closed, coupons) = (creates(CLOSE_OLD), creates(CREATE_COUPON));
    let (codes, carried) = (creates(CREATE_CODE), creates(CREATE_CARRY));
    let of = |n: usize, one: &str| format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" });
    lines.push(format!(
        "Creates   {}   {}   {}   switches off {}",
        of(coupons, "coupon"),
        of(codes, "code"),
        of(carried, "carried discount"),
        of(closed, "old code")
    ));
    lines.extend(dead(plan));
    lines
}

/// What is not created, by reason: `Not created   12 exhausted   3 expired`.
fn dead(plan: &Plan) -> Option<String> {
    let mut by_rule: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for change in plan
        .changes()
        .iter()
        .filter(|change| change.verdict == Verdict::Noop)
    {
        *by_rule.entry(change.rule.as_str()).or_default() += 1;
    }
    let mut most: Vec<_> = by_rule.into_iter().collect();
    most.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    let parts: Vec<String> = most
        .into_iter()
        .take(4)
        .map(|(rule, n)| format!("{} {}", count(n), rule.replace('_', " ")))
        .collect();
    (!parts.is_empty()).then(|| format!("Not created   {}", parts.join("   ")))
}

fn checks(plan: &Plan) -> Vec<Check> {
    let check = |says: String, tone| Check { says, tone };
    let rows =
        |wanted: &dyn Fn(&Change) -> bool| plan.changes().iter().filter(|change| wanted(change)).count();
    let mut checks = Vec::new();
    let unasked = rows(&switches_open_code_unasked);
    checks.push(match unasked {
        0 => check(
            "no open code is switched off without a decision".to_owned(),
            Tone::Good,
        ),
        some => check(
            format!("{some} open codes switched off without a decision"),
            Tone::Bad,
        ),
    });
    let wider = rows(&|change| change.rule == "product_unmapped");
    checks.push(match wider {
        0 => check("nothing becomes wider".to_owned(), Tone::Good),
        some => check(
            format!("{some} limited to products that are not mapped"),
            Tone::Attention,
        ),
    });
    let more = rows(&gives_more);
    checks.push(match more {
        0 => check("no pool gets more than is left".to_owned(), Tone::Good),
        some => check(
            format!("{some} get more than is left, set by a person"),
            Tone::Attention,
        ),
    });
    let blocked = rows(&|change| change.verdict == Verdict::Blocked);
    if blocked > 0 {
        checks.push(check(format!("{} to decide", count(blocked)), Tone::Attention));
    }
    let first = plan
        .findings()
        .iter()
        .filter(|finding| finding.rule == "first_time")
        .count();
    if first > 0 {
        checks.push(check(
            format!("{first} for first purchases: all are new there"),
            Tone::Attention,
        ));
    }
    checks
}

fn switches_open_code_unasked(change: &Change) -> bool {
    let is_open = matches!(
        serde_json::from_str::<Payload>(&change.payload),
        Ok(Payload::Code(row)) if row.customer.is_none()
    );
    is_open && change.decision.is_none() && change.writes_now().iter().any(|write| write.op == CLOSE_OLD)
}

fn gives_more(change: &Change) -> bool {
    let left = match serde_json::from_str::<Payload>(&change.payload) {
        Ok(Payload::Coupon(row)) => row.left,
        Ok(Payload::Code(row)) => row.left,
        _ => return false,
    };
    let creates = change
        .writes_now()
        .iter()
        .filter(|write| matches!(write.op.as_str(), CREATE_COUPON | CREATE_CODE));
    let mut caps = creates.filter_map(|write| super::attest::sent(write, CAP)?.parse::<i64>().ok());
    left.is_some_and(|left| caps.any(|cap| cap > left))
}

#[cfg(test)]
#[path = "panel_tests.rs"]
mod tests;
