use super::*;
use crate::stages::subscriptions::samples::{left_out, old, sealed, twin, world};

fn h() -> i64 {
    old("sub_1", "cus_m1").period_end().unwrap()
}

#[test]
fn the_panel_teaches_before_there_is_a_plan() {
    let panel = panel(None);
    assert!(panel.teaches.contains("Nothing is written"));
    assert!(panel.headline.is_empty() && panel.checks.is_empty());
}

#[test]
fn a_row_says_both_bills_and_personal_text_is_masked() {
    let plan = sealed(&world(vec![old("sub_1", "cus_m1")]), Route::Csv, 5);
    let day = UtcMs::from_secs(h()).day();
    let change = &plan.changes()[0];
    assert_eq!(
        cells(change, false),
        [
            "sub_1",
            "N****",
            day.as_str(),
            day.as_str(),
            "20.00 USD",
            "file",
            "file"
        ]
    );
    assert_eq!(cells(change, true)[1], "Name of cus_m1");
    assert_eq!(cells(change, true).len(), panel(Some(&plan)).columns.len());
}

#[test]
fn the_headline_counts_and_sums_and_red_is_red() {
    let mut world = world(vec![old("sub_1", "cus_m1"), old("sub_2", "cus_m2")]);
    world
        .twins
        .insert("sub_2".to_owned(), vec![twin("sub_2", "cus_m2", h())]);
    let plan = sealed(&world, Route::Csv, 5);
    let said = panel(Some(&plan));
    assert!(
        said.headline[0].starts_with("2 rows   2 planned   0 blocked"),
        "{:?}",
        said.headline
    );
    assert!(
        said.headline[1].starts_with("1 in files   0 by schedule   1 to stop"),
        "{:?}",
        said.headline
    );
    assert!(
        said.headline[2].ends_with("once the files are uploaded: 40.00 USD"),
        "{:?}",
        said.headline
    );
    assert_eq!(said.checks[0].tone, Tone::Good);
    let red = panel(Some(&left_out(&plan, "sub_2")));
    assert_eq!(red.checks[0].tone, Tone::Bad);
    assert_eq!(red.checks[0].says, "1 can be billed by BOTH accounts");
}
