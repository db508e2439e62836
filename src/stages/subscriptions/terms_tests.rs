use proptest::prelude::*;

use super::super::facts::{Coupon, Discount, Interval, Off, Rhythm};
use super::super::samples::{DAY, NOW, discount, ids, old, phase, price, world};
use super::*;
use crate::domain::mapped::Mapped;

fn h() -> i64 {
    old("sub_1", "cus_m1").period_end().unwrap()
}

fn grid() -> Grid {
    handover::grid_of(&old("sub_1", "cus_m1")).unwrap()
}

fn wanted(world: &World, h: i64) -> Result<Wanted, Trouble> {
    let ids = ids();
    let terms = Terms {
        world,
        ids: &ids,
        fresh: true,
    };
    terms.of(&world.old["sub_1"], h)
}

fn discounted(end: Option<i64>, coupon: Coupon) -> World {
    let mut old = old("sub_1", "cus_m1");
    old.discounts = vec![discount("di_1", "SPRING", Off::Percent("25".to_owned()))];
    old.discounts[0].end = end;
    let mut world = world(vec![old]);
    world.coupons.insert("carry_di_1".to_owned(), coupon);
    world
}

fn coupon(once: bool, months: Option<u32>) -> Coupon {
    Coupon {
        valid: true,
        off: Off::Percent("25".to_owned()),
        once,
        months,
    }
}

/// Coupons and bounds of each phase.
fn shape(wanted: &Wanted) -> Vec<(i64, Option<i64>, Vec<String>)> {
    let phases = wanted.phases.iter();
    phases
        .map(|phase| (phase.start, phase.end, phase.coupons.clone()))
        .collect()
}

fn carry() -> Vec<String> {
    vec!["carry_di_1".to_owned()]
}

#[test]
fn a_coupon_that_outlasts_its_discount_is_dropped_by_a_phase() {
    let grid = grid();
    let third = grid.point(3).unwrap();
    for months in [None, Some(4), Some(12)] {
        let world = discounted(Some(third), coupon(false, months));
        let wanted = wanted(&world, h()).unwrap();
        assert_eq!(
            shape(&wanted),
            [(h(), Some(third), carry()), (third, None, Vec::new())]
        );
        assert!(!wanted.ends);
    }
    // One that ends between two bills is dropped with the bill after it.
    let world = discounted(Some(third - DAY), coupon(false, None));
    assert_eq!(wanted(&world, h()).unwrap().phases[0].end, Some(third));
}

#[test]
fn a_coupon_of_just_those_months_ends_by_itself_and_a_shorter_one_is_refused() {
    let third = grid().point(3).unwrap();
    let world = discounted(Some(third), coupon(false, Some(3)));
    let whole = wanted(&world, h()).unwrap();
    assert_eq!(shape(&whole), [(h(), None, carry())]);
    assert_eq!(whole.beyond_file, None);
    for end in [Some(third), None] {
        let world = discounted(end, coupon(false, Some(2)));
        assert_eq!(wanted(&world, h()).unwrap_err().rule, "coupon_unmapped");
    }
}

#[test]
fn a_discount_that_the_old_account_uses_up_is_not_carried_on() {
    let second = grid().point(1).unwrap();
    let once = discounted(None, coupon(true, None));
    assert_eq!(shape(&wanted(&once, h()).unwrap()), [(h(), None, carry())]);
    assert_eq!(
        shape(&wanted(&once, second).unwrap()),
        [(second, None, Vec::new())]
    );
    let over = discounted(Some(h()), coupon(false, None));
    assert_eq!(shape(&wanted(&over, h()).unwrap()), [(h(), None, Vec::new())]);
}

#[test]
fn a_coupon_that_is_used_already_by_the_twin_is_good_for_it_and_for_nobody_else() {
    let mut used = coupon(false, None);
    used.valid = false;
    let world = discounted(None, used);
    assert_eq!(wanted(&world, h()).unwrap_err().rule, "coupon_unmapped");
    let ids = ids();
    let terms = Terms {
        world: &world,
        ids: &ids,
        fresh: false,
    };
    assert_eq!(
        shape(&terms.of(&world.old["sub_1"], h()).unwrap()),
        [(h(), None, carry())]
    );
}

#[test]
fn a_customers_discount_works_only_where_there_is_no_own_one() {
    let mut world = discounted(None, coupon(false, None));
    world.coupons.insert("carry_di_c".to_owned(), coupon(false, None));
    let mut ids = ids();
    ids.put(Mapped {
        kind: "discount".to_owned(),
        old: "di_c/sub_1".to_owned(),
        new: "carry_di_c".to_owned(),
    });
    let of_customer = Discount {
        on_customer: true,
        ..discount("di_c", "LOYAL", Off::Percent("10".to_owned()))
    };
    let old = world.old.get_mut("sub_1").unwrap();
    old.discounts.push(of_customer);
    let ask = |world: &World| {
        let terms = Terms {
            world,
            ids: &ids,
            fresh: true,
        };
        terms.of(&world.old["sub_1"], h()).unwrap().phases[0]
            .coupons
            .clone()
    };
    assert_eq!(ask(&world), carry());
    world.old.get_mut("sub_1").unwrap().discounts.remove(0);
    assert_eq!(ask(&world), ["carry_di_c"]);
}

#[test]
fn phases_of_the_old_schedule_go_on_from_the_handover() {
    let grid = grid();
    let (second, fourth) = (grid.point(1).unwrap(), grid.point(3).unwrap());
    let mut world = discounted(None, coupon(false, None));
    world.coupons.insert("SPRING".to_owned(), coupon(false, None));
    world.old.get_mut("sub_1").unwrap().schedule = Some("sub_sched_old".to_owned());
    let of_old = |start: i64, end: Option<i64>| {
        let mut phase = phase(start);
        phase.items[0].price = "price_old".to_owned();
        phase.end = end;
        phase
    };
    let mut later = of_old(second, Some(fourth));
    later.items[0].quantity = Some(9);
    later.coupons = vec!["SPRING".to_owned()];
    let past = of_old(NOW - 80 * DAY, Some(NOW - 20 * DAY));
    let running = of_old(NOW - 20 * DAY, Some(second));
    world.old_schedules.insert(
        "sub_sched_old".to_owned(),
        vec![past.clone(), running.clone(), later.clone()],
    );
    let both = wanted(&world, h()).unwrap();
    assert_eq!(
        shape(&both),
        [
            (h(), Some(second), carry()),
            (second, Some(fourth), vec!["SPRING".to_owned()]),
        ]
    );
    assert_eq!(both.phases[1].items[0].quantity, Some(9));
    assert!(both.ends);
    // Handed over later: only the later one is left of it.
    let third = grid.point(2).unwrap();
    assert_eq!(
        shape(&wanted(&world, third).unwrap()),
        [(third, Some(fourth), vec!["SPRING".to_owned()])]
    );

    let mut put = |phases: Vec<Phase>| {
        world.old_schedules.insert("sub_sched_old".to_owned(), phases);
        wanted(&world, h())
            .map(|wanted| wanted.phases.len())
            .map_err(|trouble| trouble.rule)
    };
    assert_eq!(put(vec![running.clone(), of_old(second, None)]), Ok(2));
    let mut strange = later.clone();
    strange.beyond = Some("a trial".to_owned());
    let off_grid = second + DAY;
    for phases in [
        vec![running.clone(), strange],
        vec![past],
        vec![of_old(NOW - DAY, Some(off_grid)), of_old(off_grid, None)],
        vec![running, of_old(fourth, None)],
    ] {
        assert_eq!(put(phases), Err("schedule_beyond"));
    }
}

proptest! {
    /// Bill by bill: the new one has the discount exactly where the old one would have had it.
    #[test]
    fn every_bill_has_the_discount_that_it_had(
        interval in prop::sample::select(vec![(Interval::Week, 1), (Interval::Month, 1), (Interval::Month, 3), (Interval::Year, 1)]),
        i in 0_i64..3, end_days in 0_i64..900, off_by in -1_i64..=1, on_grid in any::<bool>(),
        months in proptest::option::of(1_u32..40)
    ) {
        let rhythm = Rhythm { interval: interval.0, every: interval.1 };
        let mut old = old("sub_1", "cus_m1");
        old.items[0].price = price("price_old", "2000", interval);
        let grid = handover::grid(old.anchor, rhythm).unwrap();
        let h = grid.point(i).unwrap();
        let near = old.anchor + end_days * DAY;
        let end = if on_grid { grid.point(grid.first_from(near)).unwrap() } else { near } + off_by;
        old.discounts = vec![discount("di_1", "SPRING", Off::Percent("25".to_owned()))];
        old.discounts[0].end = Some(end);
        let mut world = world(vec![old]);
        world.prices.get_mut("price_new").unwrap().rhythm = Some(rhythm);
        world.coupons.insert("carry_di_1".to_owned(), coupon(false, months));
        let from_h = chrono::DateTime::from_timestamp(h, 0).unwrap();
        let lasts = months.map_or(i64::MAX, |months| {
            from_h.checked_add_months(chrono::Months::new(months)).unwrap().timestamp()
        });
        let bills: Vec<i64> = (i..i + 200).map_while(|n| grid.point(n)).collect();
        match wanted(&world, h) {
            Ok(wanted) => for bill in bills {
                let phase = wanted.phases.iter().rfind(|phase| phase.start <= bill).unwrap();
                let has = !phase.coupons.is_empty() && bill < lasts;
                prop_assert_eq!(has, bill < end, "{}", bill);
            },
            Err(trouble) => {
                prop_assert_eq!(trouble.rule, "coupon_unmapped");
                prop_assert!(bills.iter().any(|bill| *bill < end && *bill >= lasts));
            }
        }
    }
}
