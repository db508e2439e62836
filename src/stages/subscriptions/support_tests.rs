use super::*;
use crate::stages::subscriptions::Route;
use crate::stages::subscriptions::samples::{left_out, old, sealed, twin, world};

fn lines(plan: &Plan, nth: usize) -> Vec<String> {
    let file = &files(plan)[nth];
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn support_gets_everybody_whose_subscription_is_only_scheduled() {
    let h = old("sub_1", "cus_m1").period_end().unwrap();
    let mut world = world(vec![
        old("sub_1", "cus_m1"),
        old("sub_2", "cus_m2"),
        old("sub_3", "cus_m3"),
    ]);
    let mut live = twin("sub_3", "cus_m3", h - 30 * 86_400);
    (live.begun, live.subscription) = (true, Some("sub_new".to_owned()));
    world
        .twins
        .insert("sub_2".to_owned(), vec![twin("sub_2", "cus_m2", h)]);
    world.twins.insert("sub_3".to_owned(), vec![live]);
    let plan = sealed(&world, Route::Api, 5);
    let scheduled = lines(&plan, 0);
    assert_eq!(scheduled.len(), 2);
    assert!(
        scheduled[0].starts_with("cus_m1,Name of cus_m1,sub_1,2026-"),
        "{}",
        scheduled[0]
    );
    assert!(scheduled[1].contains("sub_sched_sub_2") && scheduled[1].contains("cannot cancel in the portal"));
    assert_eq!(lines(&left_out(&plan, "sub_1"), 0).len(), 1);
    let twins = lines(&plan, 1);
    assert_eq!(twins.len(), 2);
    assert!(
        twins[1].starts_with("cus_m3,sub_3,sub_sched_sub_3,sub_new,"),
        "{}",
        twins[1]
    );
}
