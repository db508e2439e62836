#[path = "plan_cases.rs"]
mod cases;
#[path = "plan_world.rs"]
pub(super) mod samples;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::stages::coupons::effects::{CLOSE_OLD, CREATE_CODE, CREATE_COUPON, RECREATE_OLD};
use crate::stages::coupons::facts::{Code, Counter};
use crate::stages::coupons::left::Left;
use samples::{Sample, cap_of, in_words_all, key, sent};

/// A case of the table that comes out otherwise.
fn wrong_cases(solver: Solver) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases::CASES.split("\n\n") {
        let case: Vec<&str> = case.lines().filter(|line| !line.is_empty()).collect();
        let (want, given): (Vec<&str>, Vec<&str>) = case.into_iter().partition(|line| line.starts_with("= "));
        let (title, given): (Vec<&str>, Vec<&str>) =
            given.into_iter().partition(|line| line.starts_with('#'));
        if title.is_empty() {
            continue;
        }
        let got = in_words_all(&Sample::of(&given.join("\n")), solver);
        let want: Vec<_> = want.iter().map(|line| line.trim_start_matches("= ")).collect();
        if got != want {
            wrong.push(format!(
                "{}\n  {}\nwant {want:#?}\ngot {got:#?}",
                title.join(" "),
                given.join("; ")
            ));
        }
    }
    wrong
}

#[test]
fn every_case_of_the_table_comes_out_as_it_says() {
    let wrong = wrong_cases(Solver::default());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(cases::CASES.matches('#').count() >= 40);
}

/// A pool: the coupon, codes and one decision for all. Owners: mover, stayer, open, absent.
#[derive(Clone, Debug)]
struct Any {
    coupon: Counter,
    codes: Vec<(usize, Counter, bool)>,
    decision: usize,
    number: u64,
}

const OWNERS: [&str; 4] = ["mover", "stayer", "open", "absent"];
const DECISIONS: [&str; 4] = ["move", "leave", "split", "keep_both"];

impl Any {
    fn sample(&self) -> Sample {
        let say = |counter: Counter| {
            let limit = counter.limit.map_or("-".to_owned(), |limit| limit.to_string());
            format!("{limit}/{}", counter.used)
        };
        let mut lines = vec![format!("coupon {}", say(self.coupon))];
        for (at, (owner, counter, off)) in self.codes.iter().enumerate() {
            let off = if *off { " off" } else { "" };
            lines.push(format!("C{at} {} {}{off}", OWNERS[*owner], say(*counter)));
        }
        Sample::of(&lines.join("\n"))
    }

    /// The plan with the decision at every row that offers it.
    fn decided(&self, solver: Solver) -> (Sample, Vec<std::sync::Arc<Change>>) {
        let mut sample = self.sample();
        let planned = sample.planned_with(solver);
        let choice = DECISIONS[self.decision];
        for change in &planned.changes {
            let leads = change.key.0 == key("coupon") || change.rule == "open_code";
            let Some(offered) = change.choices.iter().find(|c| c.name == choice).filter(|_| leads) else {
                continue;
            };
            let number = offered
                .number
                .as_ref()
                .map(|number| self.number.clamp(number.least, number.most));
            let name = change.key.0.rsplit('_').next().unwrap();
            let name = if change.key.0 == key("coupon") {
                "coupon"
            } else {
                name
            };
            sample
                .decisions
                .push((name.to_owned(), choice.to_owned(), number));
        }
        let (plan, _) = sample.decided(solver).unwrap();
        let changes = plan.changes().to_vec();
        (sample, changes)
    }
}

fn counters() -> impl Strategy<Value = Counter> {
    (proptest::option::weighted(0.7, 1_i64..8), 0_i64..5).prop_map(|(limit, used)| Counter { limit, used })
}

fn pools() -> impl Strategy<Value = Any> {
    let code = (0..OWNERS.len(), counters(), proptest::bool::weighted(0.1));
    (
        counters(),
        proptest::collection::vec(code, 0..5),
        0..DECISIONS.len(),
        1_u64..9,
        0_i64..4,
    )
        .prop_map(|(coupon, codes, decision, number, direct)| {
            let through: i64 = codes.iter().map(|(_, counter, _)| counter.used).sum();
            let used = through + direct;
            // Most coupons have something left.
            let limit = coupon.limit.map(|limit| used + limit - 1);
            Any {
                coupon: Counter { limit, used },
                codes,
                decision,
                number,
            }
        })
}

fn left(counter: Counter) -> Option<i64> {
    counter.limit.map(|limit| (limit - counter.used).max(0))
}

fn at_most(left: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (left, other) {
        (Some(left), Some(other)) => Some(left.min(other)),
        (left, other) => left.or(other),
    }
}

/// Whether both accounts together give no more than was left, once everything is written: the pool and each code
/// (reliability I22), and whether limits are as large as they may be (I23).
fn holds(any: &Any, solver: Solver) -> Result<(), String> {
    let (sample, changes) = any.decided(solver);
    let writes = |op: &str| {
        let all = changes.iter().flat_map(|change| change.writes_now());
        all.filter(move |write| write.op == op).collect::<Vec<_>>()
    };
    let cap =
        |write: &crate::domain::write::PlannedWrite| cap_of(write).map(|cap| cap.parse::<i64>().unwrap());
    let coupon = writes(CREATE_COUPON);
    let codes: Vec<&Code> = sample.world.source.codes.values().collect();
    for write in changes
        .iter()
        .flat_map(|change| change.writes_now())
        .filter(|write| write.role == Role::Source)
    {
        let stayers = codes.iter().filter(|code| {
            code.customer
                .as_ref()
                .is_some_and(|id| !sample.world.people.contains_key(id))
        });
        if stayers
            .into_iter()
            .any(|code| write.path.ends_with(&code.id) || sent(write, "code") == Some(&code.text))
        {
            return Err(format!("a stayer's code is written: {write:?}"));
        }
    }
    let c = left(any.coupon);
    let closed = |code: &Code| {
        writes(CLOSE_OLD)
            .iter()
            .any(|write| write.path.ends_with(&code.id))
    };
    let again = |code: &Code| {
        let made = writes(RECREATE_OLD)
            .into_iter()
            .find(|write| sent(write, "code") == Some(&code.text));
        made.and_then(cap)
    };
    let mut old = Some(0);
    for code in &codes {
        let own = if closed(code) {
            Some(again(code).unwrap_or(0))
        } else if code.active {
            left(code.counter)
        } else {
            Some(0)
        };
        old = old.zip(own).map(|(old, own)| old + own);
    }
    let old = at_most(old, c);
    let new = coupon.first().map_or(Some(0), |write| cap(write));
    let sum = old.zip(new).map(|(old, new)| old + new);
    let too_many = match (c, sum) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(c), Some(sum)) => sum > c,
    };
    if too_many {
        return Err(format!("old {old:?} + new {new:?} > {c:?}"));
    }
    let moves_all = DECISIONS[any.decision] == "move" && !coupon.is_empty();
    if moves_all && c.is_some() && sum.is_none_or(|sum| Some(sum) != c) {
        let nobody_stays = codes.iter().all(|code| closed(code) || !code.active);
        if nobody_stays {
            return Err(format!("uses are lost: {sum:?} of {c:?}"));
        }
    }
    if new == Some(0) && !coupon.is_empty() {
        return Err("a limit of nothing".to_owned());
    }
    for write in writes(CREATE_CODE) {
        let code = codes
            .iter()
            .find(|code| sent(write, "code") == Some(&code.text))
            .unwrap();
        let own = left(code.counter);
        let made = cap(write);
        // The coupon limits a code that has no limit of its own, and no code has more than its coupon.
        let through = at_most(made, new);
        let stays = if closed(code) {
            again(code)
        } else {
            left(code.counter)
        };
        let both = through.zip(stays.or(Some(0))).map(|(new, old)| new + old);
        let allowed = at_most(own, c);
        if made.is_some() != own.is_some() && again(code).is_none() {
            return Err(format!(
                "{}: a limit where there was none, or none where there was",
                code.text
            ));
        }
        if made.zip(new).is_some_and(|(made, new)| made > new) {
            return Err(format!("{}: more than its coupon", code.text));
        }
        if allowed.is_some() && both.is_none_or(|both| Some(both) > allowed) {
            return Err(format!("{}: {both:?} of {allowed:?}", code.text));
        }
        // As many as there were, as far as the coupon allows.
        if again(code).is_none() && made.is_some() && made != at_most(own, new) {
            return Err(format!(
                "{}: {made:?} is not what was left of {own:?} in {new:?}",
                code.text
            ));
        }
    }
    Ok(())
}

fn search(solver: Solver, cases: u32) -> Result<(), String> {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let found = runner.run(&pools(), |any| {
        holds(&any, solver).map_err(|why| TestCaseError::fail(format!("{why}: {any:?}")))
    });
    found.map_err(|why| why.to_string())
}

#[test]
fn whatever_is_decided_both_accounts_give_no_more_than_was_left() {
    assert_eq!(search(Solver::default(), 1500), Ok(()));
}

/// What peers do wrong, each of which both the table and the property have to notice.
#[test]
fn a_wrong_arithmetic_is_noticed() {
    let right = Solver::default();
    let mutants: BTreeMap<&str, Solver> = BTreeMap::from([
        (
            "uses are ignored",
            Solver {
                left: |counter| Left::of(Counter { used: 0, ..counter }),
                ..right
            },
        ),
        (
            "codes that stay are ignored",
            Solver {
                reserve: |_, _| Left::NONE,
                ..right
            },
        ),
        (
            "the pool is split per code",
            Solver {
                cap: |own, free, codes| match free {
                    Left::Uses(free) => own.min(Left::Uses(free / codes.max(1) as u64)),
                    Left::NoLimit => own,
                },
                ..right
            },
        ),
        (
            "a code is copied with what it has, whatever its coupon has",
            Solver {
                cap: |own, _, _| own,
                ..right
            },
        ),
        (
            "the coupon's limit is put on codes that have none",
            Solver {
                cap: |own, free, _| own.min(free),
                ..right
            },
        ),
    ]);
    for (what, mutant) in mutants {
        assert!(
            !wrong_cases(mutant).is_empty(),
            "the table does not notice: {what}"
        );
        assert!(
            search(mutant, 1500).is_err(),
            "the property does not notice: {what}"
        );
    }
}
