use proptest::prelude::*;

use super::super::effects::{
    ACCEPT_PREVIEW, CANCEL_OLD, CHANGE, CREATE, Class, END_OLD, KEEP_FIRST, MOVE_ANYWAY, NEW_DAY, PAUSE_OLD,
    RELEASE_OLD, Row, WITHDRAW,
};
use super::super::facts::{BECAME, HANDOVER, Interval, Preview, Status};
use super::super::samples::{DAY, HOUR, NOW, accounts, ids, item, old, phase, price, twin, usd, world};
use super::super::{Route, Settings};
use super::*;
use crate::domain::change::{Change, Risk, Verdict};
use crate::domain::money::Money;
use crate::domain::write::place_of;

fn plan_by(world: &World, route: Route) -> Planned {
    let (accounts, ids) = (accounts(), ids());
    let settings = Settings {
        route,
        ..Settings::default()
    };
    let rules = Rules {
        accounts: &accounts,
        settings: &settings,
    };
    rows(world, &ids, rules)
}

fn one(world: &World) -> (Change, Row) {
    let mut changes = plan_by(world, Route::Api).changes;
    assert_eq!(changes.len(), 1);
    let change = changes.remove(0);
    let row = serde_json::from_str(&change.payload).unwrap();
    (change, row)
}

fn ops(change: &Change) -> Vec<&str> {
    change.writes.iter().map(|write| write.op.as_str()).collect()
}

fn form<'a>(change: &'a Change, op: &str, name: &str) -> Option<&'a str> {
    let write = change.writes.iter().find(|write| write.op == op).unwrap();
    let found = write.form.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

fn h() -> i64 {
    old("sub_1", "cus_m1").period_end().unwrap()
}

#[test]
fn a_schedule_is_created_and_the_old_one_ends_where_it_begins() {
    let (change, row) = one(&world(vec![old("sub_1", "cus_m1")]));
    assert_eq!(
        (change.rule.as_str(), change.verdict),
        ("schedule", Verdict::Planned)
    );
    assert_eq!(ops(&change), [CREATE, END_OLD]);
    assert_eq!(
        form(&change, CREATE, "start_date"),
        Some(h().to_string().as_str())
    );
    assert_eq!(
        form(&change, END_OLD, "metadata[cutover_became]"),
        Some(place_of("sub_1").as_str())
    );
    assert_eq!(row.phases, [phase(h())]);
    assert_eq!(change.money, Some(Money::new(-2000, usd())));
    assert_eq!(row.next_old.map(|bill| bill.at), row.next_new.map(|bill| bill.at));
    assert_eq!(change.risk, Risk::Low);
    assert_eq!(change.item, "api");
    assert!(
        change
            .fields
            .iter()
            .any(|field| field.name == "items" && field.after == "1 × price_new")
    );
}

#[test]
fn within_the_settlement_window_the_old_one_is_paused_and_not_ended() {
    let mut world = world(vec![old("sub_1", "cus_m1")]);
    world.window_ends = h() + 1;
    assert_eq!(ops(&one(&world).0), [CREATE, PAUSE_OLD]);
    world.window_ends = h();
    assert_eq!(ops(&one(&world).0), [CREATE, END_OLD]);
}

#[test]
fn a_renewal_that_is_too_near_is_billed_by_the_old_account_and_stopping_waits() {
    let mut world = world(vec![old("sub_1", "cus_m1")]);
    world.earliest = h() + 1;
    let (change, row) = one(&world);
    assert_eq!(ops(&change), [CREATE]);
    assert!(row.handover.unwrap() > h());
    assert_eq!(row.classes, [Class::NearRenewal]);
    // The schedule is there: nothing to do until the old account has billed once more.
    world.twins.insert(
        "sub_1".to_owned(),
        vec![twin("sub_1", "cus_m1", row.handover.unwrap())],
    );
    let (change, row) = one(&world);
    assert_eq!(
        (change.rule.as_str(), change.verdict),
        ("waits_for_bill", Verdict::Noop)
    );
    assert_eq!(row.again_at, Some(h()));
    // It has billed: now its period ends where the new one begins.
    let old = world.old.get_mut("sub_1").unwrap();
    old.items[0].period = (h(), row.handover.unwrap());
    (world.now, world.earliest) = (h() + HOUR, h() + 30 * HOUR);
    let (change, _) = one(&world);
    assert_eq!((change.rule.as_str(), ops(&change)), ("stop", vec![END_OLD]));
    assert_eq!(
        form(&change, END_OLD, "metadata[cutover_became]"),
        Some("sub_sched_sub_1")
    );
}

#[test]
fn a_managed_one_is_released_before_it_is_stopped() {
    let mut old = old("sub_1", "cus_m1");
    old.schedule = Some("sub_sched_old".to_owned());
    let mut world = world(vec![old]);
    let mut running = phase(NOW - 20 * DAY);
    running.items[0].price = "price_old".to_owned();
    world
        .old_schedules
        .insert("sub_sched_old".to_owned(), vec![running]);
    let (change, row) = one(&world);
    assert_eq!(ops(&change), [CREATE, RELEASE_OLD, END_OLD]);
    assert_eq!(
        (row.classes.as_slice(), change.risk),
        (&[Class::Schedule][..], Risk::High)
    );
}

#[test]
fn one_that_was_paused_is_cancelled_when_the_window_is_over_and_the_new_one_lives() {
    let mut old = old("sub_1", "cus_m1");
    old.pause = Some("keep_as_draft".to_owned());
    old.metadata.insert(HANDOVER.to_owned(), h().to_string());
    old.metadata
        .insert(BECAME.to_owned(), "sub_sched_sub_1".to_owned());
    old.items[0].period = (h(), h() + 30 * DAY);
    let mut world = world(vec![old]);
    let mut live = twin("sub_1", "cus_m1", h());
    live.begun = true;
    live.phases[0].items[0].quantity = Some(7);
    world.twins.insert("sub_1".to_owned(), vec![live]);
    (world.now, world.window_ends) = (h() + DAY, h() + 2 * DAY);
    let (change, row) = one(&world);
    assert_eq!(
        (change.rule.as_str(), change.verdict),
        ("handed_over", Verdict::Noop)
    );
    assert_eq!(row.again_at, Some(world.window_ends));
    assert_eq!(row.next_old, None);
    world.now = world.window_ends;
    let (change, row) = one(&world);
    assert_eq!(
        (change.rule.as_str(), ops(&change)),
        ("cancel_old", vec![CANCEL_OLD])
    );
    assert!(change.writes[0].irreversible);
    assert_eq!(row.handover, Some(h()));
    // It should have begun and has not: nothing is cancelled, and nothing that has a start in the past is changed.
    let late = &mut world.twins.get_mut("sub_1").unwrap()[0];
    late.begun = false;
    assert_eq!(one(&world).0.rule, "twin_differs");
    world.twins.get_mut("sub_1").unwrap()[0].phases = vec![phase(h())];
    let (change, _) = one(&world);
    assert_eq!(
        (change.rule.as_str(), change.verdict),
        ("handed_over", Verdict::Noop)
    );
}

#[test]
fn an_old_one_that_was_ended_by_us_at_the_handover_is_handed_over_and_earlier_is_not() {
    let mut gone = old("sub_1", "cus_m1");
    gone.status = Status::Ended;
    gone.metadata.insert(HANDOVER.to_owned(), h().to_string());
    gone.ended_at = Some(h());
    let mut world = world(vec![gone]);
    let mut live = twin("sub_1", "cus_m1", h());
    live.begun = true;
    world.twins.insert("sub_1".to_owned(), vec![live]);
    world.now = h() + DAY;
    assert_eq!(one(&world).0.rule, "handed_over");
    world.old.get_mut("sub_1").unwrap().ended_at = Some(h() - DAY);
    let (change, _) = one(&world);
    assert_eq!(
        (change.rule.as_str(), change.verdict),
        ("withdraw", Verdict::Blocked)
    );
}

#[test]
fn what_both_have_billed_is_red() {
    let mut billed = old("sub_1", "cus_m1");
    billed.items[0].period = (h(), h() + 30 * DAY);
    let mut world = world(vec![billed]);
    world.now = h() + DAY;
    for begun in [true, false] {
        let mut live = twin("sub_1", "cus_m1", h());
        live.begun = begun;
        world.twins.insert("sub_1".to_owned(), vec![live]);
        let planned = plan_by(&world, Route::Api);
        assert_eq!(planned.changes[0].rule, "double");
        assert_eq!(planned.changes[0].verdict, Verdict::Blocked);
        assert_eq!(
            planned.findings[0].severity,
            crate::domain::finding::Severity::Differs
        );
    }
}

#[test]
fn a_plan_that_changed_is_changed_there_too_coupons_included() {
    let mut world = world(vec![old("sub_1", "cus_m1")]);
    world.old.get_mut("sub_1").unwrap().items[0].quantity = Some(3);
    world
        .twins
        .insert("sub_1".to_owned(), vec![twin("sub_1", "cus_m1", h())]);
    let (change, row) = one(&world);
    assert_eq!((change.rule.as_str(), ops(&change)), ("change", vec![CHANGE]));
    assert!(change.why.contains("items"), "{}", change.why);
    assert_eq!(row.phases[0].items[0].quantity, Some(3));
    // Its day moved: so does the schedule.
    let moved = world.old.get_mut("sub_1").unwrap();
    (moved.anchor, moved.items[0].period.1) = (h() + 5 * DAY, h() + 5 * DAY);
    let (change, row) = one(&world);
    assert_eq!(change.rule, "change");
    assert_eq!(row.handover, Some(h() + 5 * DAY));
}

#[test]
fn of_several_twins_the_oldest_can_stay_unless_a_later_one_has_begun() {
    let mut world = world(vec![old("sub_1", "cus_m1")]);
    let mut second = twin("sub_1", "cus_m1", h());
    second.schedule = Some("sub_sched_2".to_owned());
    world
        .twins
        .insert("sub_1".to_owned(), vec![twin("sub_1", "cus_m1", h()), second]);
    let (change, _) = one(&world);
    let choice = &change.choices[0];
    assert_eq!((choice.name.as_str(), choice.writes.len()), (KEEP_FIRST, 1));
    assert_eq!(choice.writes[0].op, WITHDRAW);
    assert!(choice.writes[0].path.contains("sub_sched_2"));
    world.twins.get_mut("sub_1").unwrap()[1].begun = true;
    assert!(one(&world).0.choices.is_empty());
}

#[test]
fn unpaid_and_far_anchors_and_previews_are_a_persons() {
    let mut unpaid = old("sub_1", "cus_m1");
    unpaid.status = Status::Unpaid;
    let (change, _) = one(&world(vec![unpaid]));
    assert_eq!(
        (change.rule.as_str(), change.choices[0].name.as_str()),
        ("unpaid", MOVE_ANYWAY)
    );
    assert_eq!(change.choices[0].writes.len(), 2);

    let mut leap = old("sub_1", "cus_m1");
    // 29 February 2024, and the year that ends on 28 February 2027.
    leap.anchor = 1_709_199_000;
    leap.items = vec![item(
        "si_1",
        price("price_old", "2000", (Interval::Year, 1)),
        1,
        (1_772_271_000, 1_803_807_000),
    )];
    let mut world_of_leap = world(vec![leap]);
    world_of_leap.prices.get_mut("price_new").unwrap().rhythm = Some(super::super::facts::Rhythm {
        interval: Interval::Year,
        every: 1,
    });
    let (change, row) = one(&world_of_leap);
    assert_eq!(
        (change.rule.as_str(), change.choices[0].name.as_str()),
        ("anchor_day", NEW_DAY)
    );
    assert_eq!(row.handover, Some(1_803_807_000));

    let mut world = world(vec![old("sub_1", "cus_m1")]);
    let says = |minor| Preview::Says {
        without_tax: Money::new(minor, usd()),
        total: Money::new(minor + 100, usd()),
    };
    world.previews.insert("sub_1".to_owned(), says(2000));
    assert_eq!(one(&world).0.rule, "schedule");
    for preview in [says(1999), Preview::Refused("no such price".to_owned())] {
        world.previews.insert("sub_1".to_owned(), preview);
        let (change, _) = one(&world);
        assert_eq!(change.rule, "preview_differs");
        assert_eq!(change.choices[0].name, ACCEPT_PREVIEW);
        assert_eq!(change.choices[0].writes[0].op, CREATE);
    }
    // Where arithmetic has no word, Stripe's stands.
    world.prices.get_mut("price_new").unwrap().by_steps = true;
    world.old.get_mut("sub_1").unwrap().items[0].price.by_steps = true;
    world.previews.insert("sub_1".to_owned(), says(1234));
    let (change, _) = one(&world);
    assert_eq!(
        (change.rule.as_str(), change.money),
        ("schedule", Some(Money::new(-1234, usd())))
    );
}

#[test]
fn a_stop_that_nothing_goes_on_for_is_a_persons() {
    let mut stopped = old("sub_1", "cus_m1");
    stopped.ends_with_period = true;
    stopped.metadata.insert(HANDOVER.to_owned(), h().to_string());
    let mut world = world(vec![stopped]);
    let (change, _) = one(&world);
    assert_eq!(
        (change.rule.as_str(), change.verdict),
        ("stopped_alone", Verdict::Blocked)
    );
    assert_eq!(change.choices[0].writes.len(), 1);
    world.earliest = h() + 1;
    assert!(one(&world).0.choices.is_empty());
}

#[test]
fn who_stays_is_counted_with_what_is_billed() {
    let mut world = world(Vec::new());
    world.staying.insert(usd(), (3, 6000));
    world.strays.insert("sub_x".to_owned());
    let planned = plan_by(&world, Route::Csv);
    assert_eq!(planned.out_of_scope.customers["subscriptions_stay"], 3);
    assert_eq!(planned.out_of_scope.balances[&usd()], -6000);
    assert_eq!(planned.findings[0].rule, "stray_twins");
}

/// Days of a period that may lie anywhere around now, and what else may be so.
fn olds() -> impl Strategy<Value = Old> {
    let status = prop::sample::select(vec![
        Status::Active,
        Status::PastDue,
        Status::Unpaid,
        Status::Other,
    ]);
    let rhythm = prop::sample::select(vec![
        (Interval::Day, 1),
        (Interval::Week, 1),
        (Interval::Month, 1),
        (Interval::Month, 3),
        (Interval::Year, 1),
    ]);
    let cancel = proptest::option::weighted(0.2, -10_i64..100);
    (status, rhythm, -40 * DAY..DAY, 0_i64..800, cancel, any::<bool>()).prop_map(
        |(status, rhythm, began, back, cancel, paused)| {
            let mut old = old("sub_1", "cus_m1");
            let anchor = NOW + began - back * DAY;
            let of = super::super::facts::Rhythm {
                interval: rhythm.0,
                every: rhythm.1,
            };
            let grid = super::super::handover::grid(anchor, of).unwrap();
            let n = grid.first_from(NOW + began);
            old.anchor = anchor;
            old.status = status;
            old.items[0].price = price("price_old", "2000", rhythm);
            old.items[0].period = (grid.point(n - 1).unwrap(), grid.point(n).unwrap());
            old.cancel_at = cancel.map(|days| NOW + days * DAY);
            old.pause = (paused && began % 7 == 0).then(|| "void".to_owned());
            old
        },
    )
}

proptest! {
    #[test]
    fn nothing_begins_too_soon_and_nothing_is_stopped_but_where_the_new_one_begins(
        old in olds(), route in any::<bool>(), twin_days in proptest::option::of(0_i64..90), begun in any::<bool>()
    ) {
        let mut world = world(vec![old.clone()]);
        world.prices.get_mut("price_new").unwrap().rhythm = old.items[0].price.rhythm;
        if let Some(days) = twin_days {
            let mut twin = twin("sub_1", "cus_m1", old.items[0].period.1 + days * DAY);
            twin.begun = begun;
            world.twins.insert("sub_1".to_owned(), vec![twin]);
        }
        let planned = plan_by(&world, if route { Route::Csv } else { Route::Api });
        prop_assert_eq!(planned.changes.len(), 1);
        let change = &planned.changes[0];
        let row: Row = serde_json::from_str(&change.payload).unwrap();
        let all = change.writes.iter().chain(change.choices.iter().flat_map(|choice| &choice.writes));
        for write in all {
            match write.op.as_str() {
                CREATE => prop_assert!(row.handover.unwrap() >= world.earliest && twin_days.is_none()),
                END_OLD | PAUSE_OLD => {
                    prop_assert_eq!(row.handover, old.period_end());
                    prop_assert!(row.handover.unwrap() > world.now);
                    prop_assert_eq!(write.op == END_OLD, row.handover.unwrap() >= world.window_ends);
                }
                CHANGE | WITHDRAW => prop_assert!(!begun),
                other => prop_assert!(false, "{}", other),
            }
        }
        if !row.phases.is_empty() && row.twin.is_none() {
            prop_assert_eq!(row.phases[0].start, row.handover.unwrap());
            prop_assert!(row.phases.windows(2).all(|two| two[0].end == Some(two[1].start)));
        }
        // Whatever is planned bills every period from the handover on: one that ends by itself ends after it.
        if row.ends && row.twin.is_none() {
            prop_assert_eq!(row.phases.last().unwrap().end, old.cancel_at);
            prop_assert!(old.cancel_at.unwrap() > row.handover.unwrap());
        }
    }
}
