//! Which rows Stripe is asked about, and the question: `POST /v1/invoices/create_preview` with the schedule as it would
//! be made. PURE.

use std::collections::BTreeMap;

use super::effects::Row;
use super::facts::{Collection, Old, Phase, PhaseItem};
use crate::domain::change::Risk;
use crate::domain::ids::Digest;
use crate::stripe::form::Form;

/// Old id and question, in the order of ids: every row of high risk, every one whose bill arithmetic cannot say, and
/// `sample` of the others. Which others follows from their ids alone, so that the same accounts give the same plan.
#[must_use]
pub fn wanted(rows: &[(Risk, Row)], old: &BTreeMap<String, Old>, sample: u32) -> Vec<(String, Form)> {
    let made = rows
        .iter()
        .filter(|(_, row)| row.route.is_some() && !row.phases.is_empty());
    let (asked, others): (Vec<_>, Vec<_>) =
        made.partition(|(risk, row)| *risk == Risk::High || is_unsaid(row));
    let mut asked: Vec<&Row> = asked.into_iter().map(|(_, row)| row).collect();
    let others = others.into_iter().map(|(_, row)| row);
    let mut others: Vec<(Digest, &Row)> = others
        .map(|row| (Digest::of("cutover-preview-sample-v1", [row.old.as_bytes()]), row))
        .collect();
    others.sort_by(|(a, one), (b, other)| (a, &one.old).cmp(&(b, &other.old)));
    let most = usize::try_from(sample).unwrap_or(usize::MAX);
    asked.extend(others.into_iter().take(most).map(|(_, row)| row));
    asked.sort_by(|a, b| a.old.cmp(&b.old));
    asked.dedup_by(|a, b| a.old == b.old);
    let flexible = |row: &Row| old.get(&row.old).is_some_and(|old| old.flexible);
    asked
        .into_iter()
        .map(|row| (row.old.clone(), form(row, flexible(row))))
        .collect()
}

fn is_unsaid(row: &Row) -> bool {
    row.next_new.is_none_or(|bill| bill.money.is_none())
}

/// What the first bill of that schedule would be.
#[must_use]
pub fn form(row: &Row, flexible: bool) -> Form {
    let details = "schedule_details";
    let mode = if flexible { "flexible" } else { "classic" };
    let end = if row.ends { "cancel" } else { "release" };
    let mut form = Form::new()
        .with("customer", &row.customer)
        .nested(&[details, "billing_mode", "type"], mode)
        .nested(&[details, "end_behavior"], end);
    for (at, phase) in row.phases.iter().enumerate() {
        let is_last = at + 1 == row.phases.len();
        form = of_phase(form, at, phase, !is_last || row.ends);
    }
    form
}

fn of_phase(mut form: Form, at: usize, phase: &Phase, ends: bool) -> Form {
    let at_text = at.to_string();
    let path = |rest: &[&str]| -> Vec<String> {
        let head = ["schedule_details", "phases", &at_text];
        head.iter().chain(rest).map(|part| (*part).to_owned()).collect()
    };
    let put = |form: Form, rest: &[&str], value: &str| {
        let path = path(rest);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        form.nested(&path, value)
    };
    if at == 0 {
        form = put(form, &["start_date"], &phase.start.to_string());
    }
    if let Some(end) = phase.end.filter(|_| ends) {
        form = put(form, &["end_date"], &end.to_string());
    }
    form = put(form, &["currency"], phase.currency.code());
    form = put(form, &["proration_behavior"], "none");
    form = put(
        form,
        &["automatic_tax", "enabled"],
        &phase.automatic_tax.to_string(),
    );
    for (nth, coupon) in phase.coupons.iter().enumerate() {
        form = put(form, &["discounts", &nth.to_string(), "coupon"], coupon);
    }
    for (nth, rate) in phase.tax_rates.iter().enumerate() {
        form = put(form, &["default_tax_rates", &nth.to_string()], rate);
    }
    form = match phase.collection {
        None | Some(Collection::Automatic) => put(form, &["collection_method"], "charge_automatically"),
        Some(Collection::Invoice(days)) => {
            let form = put(form, &["collection_method"], "send_invoice");
            put(form, &["invoice_settings", "days_until_due"], &days.to_string())
        }
    };
    if let Some(method) = &phase.method {
        form = put(form, &["default_payment_method"], method);
    }
    for (nth, item) in phase.items.iter().enumerate() {
        for (rest, value) in of_item(item) {
            let nth = nth.to_string();
            let rest: Vec<&str> = ["items", nth.as_str()]
                .into_iter()
                .chain(rest.iter().map(String::as_str))
                .collect();
            form = put(form, &rest, &value);
        }
    }
    form
}

/// Names below the item, and values.
fn of_item(item: &PhaseItem) -> Vec<(Vec<String>, String)> {
    let one = |name: &str| vec![name.to_owned()];
    let mut pairs = vec![(one("price"), item.price.clone())];
    pairs.extend(
        item.quantity
            .map(|quantity| (one("quantity"), quantity.to_string())),
    );
    for (nth, coupon) in item.coupons.iter().enumerate() {
        let name = vec!["discounts".to_owned(), nth.to_string(), "coupon".to_owned()];
        pairs.push((name, coupon.clone()));
    }
    for (nth, rate) in item.tax_rates.iter().enumerate() {
        pairs.push((vec!["tax_rates".to_owned(), nth.to_string()], rate.clone()));
    }
    pairs
}

#[cfg(test)]
#[path = "preview_tests.rs"]
mod tests;
