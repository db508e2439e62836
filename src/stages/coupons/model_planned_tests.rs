//! The same pools, planned by the planner instead of by hand: what it writes down, the script drives to the end.

use std::sync::Arc;

use proptest::prelude::*;

use super::effects::{KEEP_BOTH, MOVE, SPLIT};
use super::facts;
use super::model_driver_tests::Run;
use super::model_events_tests::Kind;
use super::model_rows_tests::{Fate, Pool, accounts};
use super::model_tests::{RIGHT, Thrown, pools};
use super::model_world_tests::{COUPON, World};
use super::plan::{Rules, rows};
use crate::domain::change::{Change, Decision, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::{Digest, StageId};
use crate::domain::mapped::IdMap;
use crate::domain::plan::{Header, Plan};
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::marker;
use crate::stages::Read;

/// What the stage would have read of `world`.
fn read(pool: &Pool, world: &World) -> facts::World {
    let mut known = facts::World {
        now: world.now,
        ..facts::World::default()
    };
    let mut terms = Fields::default();
    terms.put("percent_off", 25);
    terms.put("duration", "once");
    let coupon = facts::Coupon {
        id: COUPON.to_owned(),
        label: safe(COUPON),
        counter: facts::Counter {
            limit: pool.limit,
            used: pool.used,
        },
        redeem_by: None,
        valid: world.old.coupon_left() > 0,
        terms,
        products: Vec::new(),
        words: String::new(),
        trouble: None,
        effect: None,
        own_keys: 0,
        read: Read::default(),
    };
    known.source.coupons.insert(COUPON.to_owned(), coupon);
    for (code, spec) in world.old.codes.iter().zip(&pool.codes) {
        let moves = matches!(spec.fate, Fate::Moves | Fate::Closed);
        if let Some(customer) = code.customer.clone().filter(|_| moves) {
            let label = safe(&customer);
            known.people.insert(customer, facts::Person::Mover { label });
        }
        let mut terms = Fields::default();
        terms.put_some("expires_at", code.expires);
        let code = facts::Code {
            id: code.id.clone(),
            text: code.text.clone(),
            coupon: COUPON.to_owned(),
            customer: code.customer.clone(),
            active: code.active,
            counter: facts::Counter {
                limit: code.max,
                used: code.used,
            },
            expires_at: code.expires,
            terms,
            first_time: false,
            trouble: None,
            effect: code.marks.get(marker::EFFECT).cloned(),
            of: None,
            own_keys: 0,
            read: Read::default(),
        };
        known.source.codes.insert(code.id.clone(), code);
    }
    known
}

/// The rows that are written, after somebody decided as the pool wants it where that is offered.
fn planned(pool: &Pool) -> Vec<Arc<Change>> {
    let (accounts, settings) = (accounts(), super::Settings::default());
    let rules = Rules {
        accounts: &accounts,
        settings: &settings,
    };
    let made = rows(&read(pool, &pool.world()), &IdMap::default(), rules);
    let header = Header {
        accounts: accounts.clone(),
        policy: settings.policy(),
        scope: Digest::of("test", [b"scope".as_slice()]),
        stage: StageId::Coupons,
    };
    let mut plan = Plan::seal(header, made.out_of_scope, made.changes, made.findings, UtcMs(0)).unwrap();
    let blocked = |change: &&Arc<Change>| change.verdict == Verdict::Blocked && change.with.is_none();
    let asked: Vec<Arc<Change>> = plan.changes().iter().filter(blocked).cloned().collect();
    for change in asked {
        if let Some(decision) = decision(pool, &change) {
            plan = plan.decide(&change.key, decision).unwrap();
        }
    }
    // An open code of a coupon without a limit is decided at its own row, although it goes with the coupon's.
    let own: Vec<Arc<Change>> = plan
        .changes()
        .iter()
        .filter(|change| change.undecided())
        .cloned()
        .collect();
    for change in own {
        if let Some(decision) = decision(pool, &change) {
            plan = plan.decide(&change.key, decision).unwrap_or(plan);
        }
    }
    let written = plan
        .changes()
        .iter()
        .filter(|change| !change.writes_now().is_empty());
    written.cloned().collect()
}

fn decision(pool: &Pool, change: &Change) -> Option<Decision> {
    let split = pool.codes.iter().find_map(|code| match code.fate {
        Fate::Split(n) => u64::try_from(n).ok(),
        _ => None,
    });
    let wanted = [
        split.map(|_| SPLIT),
        pool.keeps_both().then_some(KEEP_BOTH),
        Some(MOVE),
    ];
    let offered = |name: &str| change.choices.iter().find(|choice| choice.name == name);
    let choice = wanted.into_iter().flatten().find_map(offered)?;
    let number = choice.number.as_ref();
    Some(Decision {
        choice: choice.name.clone(),
        by: "P".to_owned(),
        note: "said so".to_owned(),
        number: number.map(|asked| split.unwrap_or(asked.usual).clamp(asked.least, asked.most)),
    })
}

#[test]
fn the_planner_and_the_hand_write_the_same_limits() {
    let pool = Pool {
        limit: Some(10),
        used: 7,
        codes: vec![
            super::model_rows_tests::moves(Some(5), 4),
            super::model_rows_tests::moves(None, 3),
        ],
    };
    let limits = |rows: &[Arc<Change>]| {
        let writes = rows.iter().flat_map(|row| row.writes_now().to_vec());
        let writes = writes.map(|write| {
            (
                write.op.clone(),
                super::model_driver_tests::cap(&write).map(str::to_owned),
            )
        });
        let mut all: Vec<_> = writes.collect();
        all.sort();
        all
    };
    let planned = planned(&pool);
    assert_eq!(planned.len(), 3);
    assert_eq!(limits(&planned), limits(&pool.rows()));
}

#[test]
fn where_nothing_happens_every_planned_row_is_done() {
    for pool in super::model_tests::small() {
        let rows = planned(&pool);
        assert!(rows.len() >= 2, "a coupon and a code of {pool:?}");
        let mut run = Run::new(&pool, &rows, RIGHT);
        let mut nothing = Thrown([].iter());
        run.drive(&mut nothing, &[])
            .unwrap_or_else(|what| panic!("{what}"));
        for (key, (end, why)) in &run.journal.ends {
            assert_eq!(*end, RowEnd::Done, "{key} of {pool:?}: {why}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_planned_is_driven_to_its_end_and_nothing_can_be_redeemed_twice(
        pool in pools(),
        thrown in prop::collection::vec(any::<u16>(), 0..120),
    ) {
        let kinds = [
            Kind::Uses,
            Kind::UsesOfCoupon,
            Kind::Reopens,
            Kind::SwitchesOff,
            Kind::Expires,
            Kind::Deletes,
            Kind::Foreign,
            Kind::Crashes,
            Kind::Refusals,
            Kind::Losses,
        ];
        let rows = planned(&pool);
        let mut run = Run::new(&pool, &rows, RIGHT);
        let mut dice = Thrown(thrown.iter());
        let ended = run.drive(&mut dice, &kinds);
        let ended = ended.and_then(|()| { run.take_up(); run.drive(&mut dice, &kinds) });
        let ended = ended.and_then(|()| run.progressed());
        prop_assert!(ended.is_ok(), "{}", ended.err().unwrap_or_default());
    }
}
