//! The linter from outside: bytes in, report and halves out.

mod bad_input;
mod halves;
mod items;
mod rules;
mod samples;
mod splitting;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::*;

/// The day after Christmas 2023, before the starts of Stripe's examples and after their backdates.
pub(super) const NOW: i64 = 1_703_548_800;
/// January 1, 2024.
pub(super) const START: i64 = 1_704_067_200;

pub(super) const HEADER: &str = "customer,start_date,price,quantity,metadata.old_Stripe_sub_id,metadata_source,automatic_tax,\
    billing_cycle_anchor,coupon,trial_end,proration_behavior,collection_method,default_tax_rate,backdate_start_date,\
    days_until_due,cancel_at_period_end";

/// A report and both halves.
pub(super) struct Linted {
    pub(super) report: Report,
    pub(super) accepted: Vec<u8>,
    pub(super) errors: Vec<u8>,
}

pub(super) fn rules() -> Rules {
    Rules {
        keep: usize::MAX,
        ..Rules::new(NOW, Mode::Live)
    }
}

pub(super) fn lint_with(bytes: &[u8], rules: &Rules) -> Result<Linted, LintError> {
    let (mut accepted, mut errors) = (Vec::new(), Vec::new());
    let out = Output {
        accepted: Some(&mut accepted),
        errors: Some(&mut errors),
        rows: None,
    };
    let report = lint(bytes, rules, out, &mut |_| ControlFlow::Continue(()))?;
    Ok(Linted {
        report,
        accepted,
        errors,
    })
}

pub(super) fn linted(bytes: impl AsRef<[u8]>) -> Linted {
    lint_with(bytes.as_ref(), &rules()).unwrap()
}

/// Why the file is refused.
pub(super) fn refused(bytes: impl AsRef<[u8]>) -> String {
    match lint_with(bytes.as_ref(), &rules()) {
        Err(LintError::Refused(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// Names of the rules broken, errors then warnings, each with its column.
pub(super) fn said(report: &Report) -> (BTreeSet<String>, BTreeSet<String>) {
    let names = |findings: &[Finding]| {
        findings
            .iter()
            .map(|finding| {
                format!("{} {}", finding.column, finding.rule.name())
                    .trim()
                    .to_owned()
            })
            .collect()
    };
    (names(&report.errors), names(&report.warnings))
}

/// A good row of [`HEADER`] with these cells in place of its own.
pub(super) fn row(cells: &[(&str, &str)]) -> String {
    let names: Vec<&str> = HEADER.split(',').collect();
    let mut values: Vec<String> = names
        .iter()
        .map(|name| match *name {
            "customer" => "cus_A1".to_owned(),
            "start_date" => START.to_string(),
            "price" => "price_A1".to_owned(),
            "metadata.old_Stripe_sub_id" => "sub_A1".to_owned(),
            "metadata_source" => "internal:Stripe".to_owned(),
            _ => String::new(),
        })
        .collect();
    for (name, value) in cells {
        let at = names.iter().position(|have| have == name).unwrap();
        values[at] = (*value).to_owned();
    }
    values.join(",")
}

/// The verdict on one row of [`HEADER`].
pub(super) fn verdict(cells: &[(&str, &str)]) -> (BTreeSet<String>, BTreeSet<String>) {
    said(&linted(format!("{HEADER}\n{}\n", row(cells))).report)
}

pub(super) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
pub(super) fn rejects(cells: &[(&str, &str)], errors: &[&str]) {
    assert_eq!(verdict(cells).0, set(errors), "{cells:?}");
}

#[track_caller]
pub(super) fn warns(cells: &[(&str, &str)], warnings: &[&str]) {
    assert_eq!(verdict(cells), (set(&[]), set(warnings)), "{cells:?}");
}

/// The verdict on one row with these columns besides customer and start.
pub(super) fn wide(columns: &str, cells: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    said(&linted(format!("customer,start_date,{columns}\ncus_A,{START},{cells}\n")).report)
}
