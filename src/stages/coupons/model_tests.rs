//! The proof of I22 and I23: every history of a small pool, random histories of larger ones, and wrong protocols that the
//! same histories find out.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::model_driver_tests::{Fate as Chooses, Protocol, Run};
use super::model_events_tests::{Event, Kind};
use super::model_rows_tests::{CodeSpec, Fate, Pool, moves, text};
use super::script;
use super::{model_wrong_tests as wrong, undo};
use crate::domain::change::{Change, Verdict};
use crate::domain::record::RowEnd;

pub(super) const RIGHT: Protocol = Protocol {
    next: script::next,
    rank: script::rank,
};
const BACK: Protocol = Protocol {
    next: undo::next,
    rank: undo::rank,
};

/// Goes through every choice of up to `budget` events.
struct Every {
    path: Vec<(usize, usize)>,
    at: usize,
    budget: usize,
    spent: usize,
}

impl Every {
    fn new(budget: usize) -> Self {
        Self {
            path: Vec::new(),
            at: 0,
            budget,
            spent: 0,
        }
    }

    /// The next history, if there is one.
    fn next(&mut self) -> bool {
        (self.at, self.spent) = (0, 0);
        while let Some((chosen, of)) = self.path.pop() {
            if chosen + 1 < of {
                self.path.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

impl Chooses for Every {
    fn choose(&mut self, events: &[Event]) -> Option<Event> {
        if self.spent == self.budget || events.is_empty() {
            return None;
        }
        if self.at == self.path.len() {
            self.path.push((0, events.len() + 1));
        }
        let (chosen, _) = self.path[self.at];
        self.at += 1;
        let event = chosen.checked_sub(1).map(|event| events[event]);
        self.spent += usize::from(event.is_some());
        event
    }
}

/// Throws dice that were thrown before, so that a history can be shrunk.
pub(super) struct Thrown<'a>(pub(super) std::slice::Iter<'a, u16>);

impl Chooses for Thrown<'_> {
    fn choose(&mut self, events: &[Event]) -> Option<Event> {
        let thrown = usize::from(*self.0.next()?);
        if thrown % 4 != 0 || events.is_empty() {
            return None;
        }
        Some(events[(thrown / 4) % events.len()])
    }
}

struct Nothing;

impl Chooses for Nothing {
    fn choose(&mut self, _: &[Event]) -> Option<Event> {
        None
    }
}

/// Drives a pool to its end; where a row is unknown, the rest is taken up by another process.
fn history<'a>(
    pool: &'a Pool,
    rows: &[Arc<Change>],
    protocol: Protocol,
    fate: &mut dyn Chooses,
    kinds: &[Kind],
) -> Result<Run<'a>, String> {
    let mut run = Run::new(pool, rows, protocol);
    run.check()?;
    run.drive(fate, kinds)?;
    run.take_up();
    run.drive(fate, kinds)?;
    run.progressed()?;
    Ok(run)
}

/// Every history of `pool` with up to `budget` events: how many, or what one of them broke.
fn every(pool: &Pool, protocol: Protocol, budget: usize, kinds: &[Kind]) -> Result<u64, String> {
    let (mut every, rows) = (Every::new(budget), pool.rows());
    let mut histories = 0;
    loop {
        history(pool, &rows, protocol, &mut every, kinds)?;
        histories += 1;
        if !every.next() {
            return Ok(histories);
        }
    }
}

fn pool(limit: Option<i64>, used: i64, codes: Vec<CodeSpec>) -> Pool {
    Pool { limit, used, codes }
}

fn code(limit: Option<i64>, used: i64, fate: Fate) -> CodeSpec {
    CodeSpec {
        fate,
        ..moves(limit, used)
    }
}

/// Small pools: every mixture of limits, with one code, and the shapes of two.
pub(super) fn small() -> Vec<Pool> {
    let mut pools = Vec::new();
    let fates = [Fate::Moves, Fate::Closed, Fate::Split(1), Fate::KeepBoth];
    for limit in [None, Some(1), Some(3)] {
        for own in [None, Some(1), Some(3)] {
            for fate in fates {
                pools.push(pool(limit, 0, vec![code(own, 0, fate)]));
            }
            for other in [Fate::Moves, Fate::Stays, Fate::Split(1)] {
                pools.push(pool(limit, 0, vec![moves(own, 0), code(Some(2), 0, other)]));
            }
        }
    }
    pools.retain(Pool::is_planned);
    pools
}

const OF_CUSTOMERS: [Kind; 3] = [Kind::Uses, Kind::UsesOfCoupon, Kind::Crashes];
const OF_OTHERS: [Kind; 5] = [
    Kind::Reopens,
    Kind::SwitchesOff,
    Kind::Deletes,
    Kind::Foreign,
    Kind::Uses,
];
const OF_STRIPE: [Kind; 4] = [Kind::Refusals, Kind::Losses, Kind::Crashes, Kind::Uses];

fn all_small(kinds: &[Kind], budget: impl Fn(&Pool) -> usize) -> u64 {
    let pools = small();
    assert!(pools.len() > 20, "{}", pools.len());
    let histories = pools
        .iter()
        .map(|pool| match every(pool, RIGHT, budget(pool), kinds) {
            Ok(histories) => histories,
            Err(what) => panic!("{what}"),
        });
    histories.sum()
}

/// Two events where there is one code, one where there are more: what two codes do to each other takes one.
fn some(pool: &Pool) -> usize {
    if pool.codes.len() == 1 { 2 } else { 1 }
}

#[test]
fn in_every_history_of_customers_and_crashes_nothing_can_be_redeemed_twice() {
    assert!(all_small(&OF_CUSTOMERS, some) > 5_000);
}

#[test]
fn in_every_history_of_other_people_nothing_can_be_redeemed_twice() {
    assert!(all_small(&OF_OTHERS, some) > 5_000);
}

#[test]
fn in_every_history_of_refused_lost_and_repeated_requests_nothing_can_be_redeemed_twice() {
    assert!(all_small(&OF_STRIPE, some) > 5_000);
}

/// A random history found this pool once: a code that is not opened again asked again and again what there was to do.
#[test]
fn a_code_that_stays_closed_comes_to_its_end_beside_others_that_are_open() {
    let codes = vec![
        code(None, 0, Fate::Closed),
        code(Some(3), 0, Fate::Split(1)),
        moves(None, 0),
    ];
    let kept = pool(None, 0, codes);
    assert!(kept.is_planned());
    for kinds in [&EVERYTHING[..], &OF_STRIPE[..]] {
        let histories = every(&kept, RIGHT, 1, kinds).unwrap_or_else(|what| panic!("{what}"));
        assert!(histories > 100, "{histories}");
    }
}

#[test]
fn where_nothing_happens_every_row_is_done_and_every_limit_is_what_was_left() {
    for pool in small() {
        let run =
            history(&pool, &pool.rows(), RIGHT, &mut Nothing, &[]).unwrap_or_else(|what| panic!("{what}"));
        for (key, (end, why)) in &run.journal.ends {
            assert_eq!((*end, why.as_str()), (RowEnd::Done, ""), "{key} of {pool:?}");
        }
        let new = &run.world.new;
        let limit = new.coupon.as_ref().map(|coupon| coupon.max);
        assert_eq!(limit, Some(pool.coupon_cap()), "{pool:?}");
        let codes: BTreeMap<&str, Option<i64>> = new
            .codes
            .iter()
            .map(|code| (code.text.as_str(), code.max))
            .collect();
        for (at, spec) in pool.codes.iter().enumerate() {
            let moved = match spec.fate {
                Fate::Stays => None,
                Fate::Split(n) => Some(Some(n)),
                _ => Some(
                    spec.limit
                        .map(|limit| least(limit - spec.used, pool.coupon_cap())),
                ),
            };
            assert_eq!(codes.get(text(at).as_str()).copied(), moved, "{pool:?}");
        }
    }
}

fn least(own: i64, pool: Option<i64>) -> i64 {
    pool.map_or(own, |pool| own.min(pool))
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Moves),
        1 => Just(Fate::Closed),
        2 => Just(Fate::Stays),
        1 => (1..4_i64).prop_map(Fate::Split),
        1 => Just(Fate::KeepBoth),
    ]
}

prop_compose! {
    fn specs()(
        limit in prop::option::of(1..8_i64),
        used in 0..3_i64,
        fate in fates(),
        expires in prop::option::weighted(0.2, Just(5_000)),
    ) -> CodeSpec {
        CodeSpec { limit: limit.map(|limit| limit + used), used, fate, expires }
    }
}

prop_compose! {
    pub(super) fn pools()(
        limit in prop::option::of(1..12_i64),
        directly in 0..3_i64,
        codes in prop::collection::vec(specs(), 1..=3),
    ) -> Pool {
        let used = directly + codes.iter().map(|code| code.used).sum::<i64>();
        Pool { limit: limit.map(|limit| limit + used), used, codes }
    }
}

const EVERYTHING: [Kind; 9] = [
    Kind::Uses,
    Kind::UsesOfCoupon,
    Kind::Reopens,
    Kind::SwitchesOff,
    Kind::Expires,
    Kind::Deletes,
    Kind::Foreign,
    Kind::Crashes,
    Kind::Refusals,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn in_random_histories_of_larger_pools_nothing_can_be_redeemed_twice(
        pool in pools().prop_filter("planned", Pool::is_planned),
        thrown in prop::collection::vec(any::<u16>(), 0..120),
        losses in any::<bool>(),
    ) {
        let mut kinds = EVERYTHING.to_vec();
        if losses {
            kinds.push(Kind::Losses);
        }
        let run = history(&pool, &pool.rows(), RIGHT, &mut Thrown(thrown.iter()), &kinds);
        prop_assert!(run.is_ok(), "{}", run.err().unwrap_or_default());
    }

    #[test]
    fn what_is_taken_back_gives_no_use_twice_either(
        pool in pools().prop_filter("planned", Pool::is_planned),
        there in prop::collection::vec(any::<u16>(), 0..60),
        back in prop::collection::vec(any::<u16>(), 0..60),
    ) {
        let kinds = [Kind::Uses, Kind::Crashes, Kind::Refusals];
        let mut run = match history(&pool, &pool.rows(), RIGHT, &mut Thrown(there.iter()), &kinds) {
            Ok(run) => run,
            Err(what) => return Err(TestCaseError::fail(what)),
        };
        let changes = taken_back(&pool, &run);
        run.take_back(BACK, changes);
        let ended = run.drive(&mut Thrown(back.iter()), &kinds).and_then(|()| run.progressed());
        prop_assert!(ended.is_ok(), "{}", ended.err().unwrap_or_default());
    }
}

/// The rows of the undo, as the engine makes them.
fn taken_back(pool: &Pool, run: &Run<'_>) -> Vec<Arc<Change>> {
    let rows = pool.rows().into_iter().filter_map(|change| {
        let made = run.journal.made(&change.key.0).filter(|made| !made.is_empty())?;
        let writes = undo::writes(&change, &made);
        (!writes.is_empty()).then(|| {
            Arc::new(Change {
                planned_as: Verdict::Planned,
                writes,
                filled: Vec::new(),
                choices: Vec::new(),
                ..change.as_ref().clone()
            })
        })
    });
    rows.collect()
}

#[test]
fn what_nobody_used_is_taken_back_to_what_it_was() {
    for pool in small() {
        let mut run =
            history(&pool, &pool.rows(), RIGHT, &mut Nothing, &[]).unwrap_or_else(|what| panic!("{what}"));
        let changes = taken_back(&pool, &run);
        assert_eq!(changes.len(), pool.rows().len());
        run.take_back(BACK, changes);
        run.drive(&mut Nothing, &[])
            .unwrap_or_else(|what| panic!("{what}"));
        for (key, (end, why)) in &run.journal.ends {
            assert_eq!(*end, RowEnd::Undone, "{key} {why} of {pool:?}");
        }
        assert!(run.world.new.coupon.is_none());
        assert_eq!(run.world.new.redeemable(run.world.now, |_| true), 0);
        for (at, spec) in pool.codes.iter().enumerate() {
            let old = &run.world.old.codes[at];
            assert_eq!(old.active, spec.fate != Fate::Closed, "{pool:?}");
        }
        for more in run.world.old.codes.iter().skip(pool.codes.len()) {
            assert!(!more.active, "a smaller code is still on: {pool:?}");
        }
    }
}

#[test]
fn what_was_used_on_the_new_account_is_not_given_back() {
    // Three left; A took two of them on the new account.
    let pool = pool(Some(3), 0, vec![moves(None, 0), moves(Some(2), 0)]);
    let mut run =
        history(&pool, &pool.rows(), RIGHT, &mut Nothing, &[]).unwrap_or_else(|what| panic!("{what}"));
    let place = run
        .world
        .new
        .codes
        .iter()
        .position(|code| code.text == text(0))
        .unwrap();
    run.world.redeem(crate::domain::ids::Role::Destination, place);
    run.world.redeem(crate::domain::ids::Role::Destination, place);
    let changes = taken_back(&pool, &run);
    run.take_back(BACK, changes);
    run.drive(&mut Nothing, &[])
        .unwrap_or_else(|what| panic!("{what}"));
    assert_eq!(
        run.world.old.redeemable(run.world.now, |_| true),
        1,
        "{:#?}",
        run.log
    );
    let ends: BTreeMap<&str, RowEnd> = run
        .journal
        .ends
        .iter()
        .map(|(key, (end, _))| (key.as_str(), *end))
        .collect();
    assert_eq!(
        ends,
        BTreeMap::from([
            ("code/promo_0", RowEnd::Undone),
            ("code/promo_1", RowEnd::Drifted),
            ("coupon/SAVE", RowEnd::Undone),
        ])
    );
}

/// Whether one of the small histories finds a protocol out.
fn is_killed(protocol: Protocol, kinds: &[Kind], budget: usize) -> bool {
    small()
        .iter()
        .any(|pool| every(pool, protocol, budget, kinds).is_err())
}

#[test]
fn wrong_protocols_are_found_out() {
    let right = |next| Protocol {
        next,
        rank: script::rank,
    };
    let customers = [Kind::Uses];
    assert!(is_killed(right(wrong::create_first), &[], 0), "create first");
    assert!(
        is_killed(right(wrong::read_before_close), &customers, 1),
        "read before close"
    );
    assert!(
        is_killed(right(wrong::no_read_again), &customers, 1),
        "no read again"
    );
    assert!(
        is_killed(right(wrong::no_read_again), &[Kind::Reopens], 1),
        "opened again"
    );
    let coupon_first = Protocol {
        next: wrong::coupon_before_closing,
        rank: wrong::coupon_first,
    };
    assert!(is_killed(coupon_first, &[], 0), "coupon before closing");
    assert!(
        is_killed(right(wrong::coupon_before_closing), &[Kind::Reopens], 1),
        "the coupon without a look at its codes"
    );
    assert!(
        is_killed(right(wrong::coupon_from_the_plan), &customers, 1),
        "what the plan says is left"
    );
    assert!(
        is_killed(right(wrong::any_coupon), &[Kind::Foreign], 1),
        "any coupon"
    );
}

#[test]
fn giving_back_what_was_used_is_found_out() {
    let pool = pool(Some(3), 0, vec![moves(Some(2), 0)]);
    let mut run =
        history(&pool, &pool.rows(), RIGHT, &mut Nothing, &[]).unwrap_or_else(|what| panic!("{what}"));
    run.world.redeem(crate::domain::ids::Role::Destination, 0);
    let changes = taken_back(&pool, &run);
    let wrong = Protocol {
        next: wrong::reopen_always,
        rank: undo::rank,
    };
    run.take_back(wrong, changes);
    assert!(run.drive(&mut Nothing, &[]).is_err(), "{:#?}", run.log);
}
