use super::*;
use crate::stages::subscriptions::Route;
use crate::stages::subscriptions::samples::{left_out, old, sealed, twin, world};

fn two() -> Plan {
    let world = world(vec![old("sub_1", "cus_1"), old("sub_2", "cus_1")]);
    sealed(&world, Route::Csv, 1)
}

#[test]
fn a_file_that_is_handed_out_says_what_stands_in_it_and_has_a_name_of_its_own() {
    let plan = two();
    let files = files(&plan);
    assert_eq!(files.len(), 2, "the first is small");
    let all: Vec<Contents> = files.iter().map(|file| contents(&file.bytes).unwrap()).collect();
    let ids: Vec<&str> = all
        .iter()
        .flat_map(|c| &c.subscriptions)
        .map(String::as_str)
        .collect();
    assert_eq!(ids, ["sub_1", "sub_2"]);
    assert!(all.iter().all(|c| c.customers == 1 && c.first.is_some()));
    let other = self::files(&left_out(&plan, "sub_1"));
    let names = |files: &[File]| {
        files
            .iter()
            .map(|file| file.name.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert!(
        names(&files).is_disjoint(&names(&other)),
        "what was handed out is never written over"
    );
}

#[test]
fn what_is_no_file_of_ours_is_refused_with_the_column_it_lacks() {
    assert!(contents(b"").unwrap_err().contains("old_Stripe_sub_id"));
    assert!(contents(b"customer,start_date\ncus_1,1\n").is_err());
}

#[test]
fn a_file_is_queued_until_its_schedules_are_there_and_live_when_they_have_begun() {
    let plan = two();
    let of = contents(&files(&plan)[0].bytes).unwrap();
    assert_eq!(progress(&plan, &of).queued, 1);
    assert!(again(&plan).is_some(), "the old ones are still to be stopped");
    let mut now = world(vec![old("sub_1", "cus_1")]);
    let h = row(&plan.changes()[0]).unwrap().handover.unwrap();
    now.twins.insert("sub_1".into(), vec![twin("sub_1", "cus_1", h)]);
    let scheduled = sealed(&now, Route::Csv, 1);
    assert_eq!(progress(&scheduled, &of).scheduled, 1);
}

#[test]
fn what_waits_is_put_together_for_a_day_but_never_into_the_last_one_before_a_handover() {
    let plan = two();
    let made = plan.made_at().secs();
    let mut change = (*plan.changes()[0]).clone();
    change.verdict = Verdict::Noop;
    let mut at = |again: i64, handover: i64| {
        let mut row = row(&change).unwrap();
        (row.again_at, row.handover) = (Some(made + again), Some(made + handover));
        change.payload = serde_json::to_string(&row).unwrap();
        waits_until(&change, made).map(|(from, last)| (from - made, last - made))
    };
    assert_eq!(at(100, 40 * DAY), Some((100, 100 + DAY)));
    let last = 2 * DAY - (2 * DAY - 100) / 2;
    assert_eq!(at(100, 2 * DAY), Some((100, last)));
    let half = Some((100, 43_250));
    assert_eq!(at(100, DAY), half, "a daily one in the first half of its day");
    let now = Some((-5, -5));
    assert_eq!(at(-5, 40 * DAY), now, "what can be done is not put off");
}
