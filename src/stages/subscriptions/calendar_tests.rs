use super::*;
use crate::stages::subscriptions::Route;
use crate::stages::subscriptions::facts::World;
use crate::stages::subscriptions::samples::{DAY, left_out, old, sealed, twin, usd, world};

fn h() -> i64 {
    old("sub_1", "cus_m1").period_end().unwrap()
}

fn with_twin() -> World {
    let mut world = world(vec![old("sub_1", "cus_m1")]);
    world
        .twins
        .insert("sub_1".to_owned(), vec![twin("sub_1", "cus_m1", h())]);
    world
}

fn meter_of(plan: &Plan) -> Meter {
    let change = &plan.changes()[0];
    meter(change, &serde_json::from_str(&change.payload).unwrap())
}

#[test]
fn the_meter_says_who_can_bill_from_the_handover_on() {
    let bare = world(vec![old("sub_1", "cus_m1")]);
    assert_eq!(meter_of(&sealed(&bare, Route::Api, 5)), Meter::New);
    assert_eq!(meter_of(&sealed(&bare, Route::Csv, 5)), Meter::Later);
    assert_eq!(
        meter_of(&left_out(&sealed(&bare, Route::Api, 5), "sub_1")),
        Meter::Old
    );

    // The new one is there: leaving the stop out lets both bill.
    let plan = sealed(&with_twin(), Route::Csv, 5);
    assert_eq!(
        (plan.changes()[0].rule.as_str(), meter_of(&plan)),
        ("stop", Meter::New)
    );
    let out = left_out(&plan, "sub_1");
    assert_eq!(meter_of(&out), Meter::Both);
    assert_eq!(of(&out).both(), 1);

    let mut near = with_twin();
    near.twins.get_mut("sub_1").unwrap()[0] = twin("sub_1", "cus_m1", h() + 30 * DAY);
    assert_eq!(meter_of(&sealed(&near, Route::Csv, 5)), Meter::Later);

    let mut double = with_twin();
    double.old.get_mut("sub_1").unwrap().items[0].period = (h(), h() + 30 * DAY);
    double.now = h() + DAY;
    assert_eq!(meter_of(&sealed(&double, Route::Csv, 5)), Meter::Both);
}

#[test]
fn each_day_has_both_sides_and_their_difference() {
    let mut dearer = old("sub_2", "cus_m2");
    dearer.items[0].quantity = Some(3);
    let world = world(vec![old("sub_1", "cus_m1"), dearer, old("sub_3", "cus_m3")]);
    let plan = sealed(&world, Route::Api, 5);
    let calendar = of(&plan);
    let day = UtcMs::from_secs(h()).day();
    let expected = Day {
        old: (3, 10_000),
        new: (3, 10_000),
    };
    assert_eq!(calendar.days, BTreeMap::from([((day, usd()), expected)]));
    assert_eq!(calendar.differ, 0);
    let out = files(&left_out(&plan, "sub_2"));
    let text = String::from_utf8(out[1].bytes.clone()).unwrap();
    let line = text.lines().nth(1).unwrap();
    assert!(line.ends_with(",usd,3,100.00,2,40.00,-60.00"), "{line}");
    let rows = String::from_utf8(out[0].bytes.clone()).unwrap();
    assert_eq!(rows.lines().count(), 4);
    assert!(
        rows.lines().nth(2).unwrap().contains("sub_2,cus_m2,2026-"),
        "{rows}"
    );
    assert!(
        rows.lines()
            .nth(2)
            .unwrap()
            .ends_with(",,usd,old account,schedule,left_out"),
        "{rows}"
    );
}

#[test]
fn what_only_stripe_can_reckon_is_counted_and_not_guessed() {
    let mut tiered = old("sub_1", "cus_m1");
    tiered.items[0].price.by_steps = true;
    let mut world = world(vec![tiered]);
    world.prices.get_mut("price_new").unwrap().by_steps = true;
    let calendar = of(&sealed(&world, Route::Api, 5));
    assert_eq!((calendar.unknown, calendar.days.len()), (2, 0));
}
