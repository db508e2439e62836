#[path = "plan_cases_tests.rs"]
mod cases;
#[path = "plan_world_tests.rs"]
pub(super) mod samples;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::change::Change;
use crate::domain::write::PlannedWrite;
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

/// What is on both accounts once everything is written.
struct Written<'a> {
    any: &'a Any,
    sample: &'a Sample,
    writes: Vec<PlannedWrite>,
}

impl Written<'_> {
    fn of(&self, op: &str) -> impl Iterator<Item = &PlannedWrite> {
        self.writes.iter().filter(move |write| write.op == op)
    }

    fn codes(&self) -> impl Iterator<Item = &Code> {
        self.sample.world.source.codes.values()
    }

    fn closed(&self, code: &Code) -> bool {
        self.of(CLOSE_OLD).any(|write| write.path.ends_with(&code.id))
    }

    /// The limit of the smaller code of the same text.
    fn again(&self, code: &Code) -> Option<i64> {
        cap(self
            .of(RECREATE_OLD)
            .find(|write| sent(write, "code") == Some(&code.text))?)
    }

    /// What the old account's code still gives, of its own.
    fn stays(&self, code: &Code) -> Option<i64> {
        match (self.closed(code), code.active) {
            (true, _) => Some(self.again(code).unwrap_or(0)),
            (false, true) => left(code.counter),
            (false, false) => Some(0),
        }
    }

    /// c
    fn left(&self) -> Option<i64> {
        left(self.any.coupon)
    }

    /// What the new coupon gives: all of it, for the application can apply it.
    fn new_coupon(&self) -> Option<i64> {
        self.of(CREATE_COUPON).next().map_or(Some(0), cap)
    }

    fn stayers_are_untouched(&self) -> Result<(), String> {
        let people = &self.sample.world.people;
        let stayer = |code: &&Code| code.customer.as_ref().is_some_and(|id| !people.contains_key(id));
        for code in self.codes().filter(stayer) {
            let about = |write: &&PlannedWrite| {
                write.path.ends_with(&code.id) || sent(write, "code") == Some(&code.text)
            };
            if let Some(write) = self.writes.iter().find(about) {
                return Err(format!("a stayer's code is written: {write:?}"));
            }
        }
        Ok(())
    }

    fn pool_gives_what_was_left(&self) -> Result<(), String> {
        // `None` as soon as one has no limit.
        let old = self.codes().map(|code| self.stays(code)).sum::<Option<i64>>();
        let (c, new) = (self.left(), self.new_coupon());
        let sum = at_most(old, c).zip(new).map(|(old, new)| old + new);
        let Some(c) = c else { return Ok(()) };
        let said = format!("old {old:?} + new {new:?} of {c}");
        if sum.is_none_or(|sum| sum > c) {
            return Err(format!("too many: {said}"));
        }
        let all_move = self.codes().all(|code| self.closed(code) || !code.active);
        let created = self.of(CREATE_COUPON).next().is_some();
        if created && new == Some(0) {
            return Err("a limit of nothing".to_owned());
        }
        if created && all_move && DECISIONS[self.any.decision] == "move" && sum != Some(c) {
            return Err(format!("uses are lost: {said}"));
        }
        Ok(())
    }

    fn codes_give_what_was_left(&self) -> Result<(), String> {
        for write in self.of(CREATE_CODE) {
            let is = |code: &&Code| sent(write, "code") == Some(&code.text);
            let code = self.codes().find(is).unwrap();
            let (own, made, new) = (left(code.counter), cap(write), self.new_coupon());
            let said = format!("{}: {made:?} for {own:?} in {new:?}", code.text);
            if made.zip(new).is_some_and(|(made, new)| made > new) {
                return Err(format!("more than its coupon: {said}"));
            }
            let allowed = at_most(own, self.left());
            let both = at_most(made, new)
                .zip(self.stays(code))
                .map(|(new, old)| new + old);
            if allowed.is_some() && both.is_none_or(|both| Some(both) > allowed) {
                return Err(format!("more than were left: {said}"));
            }
            // As many as there were, as far as the coupon allows; no limit where there was none.
            let want = own.and(at_most(own, new));
            if self.again(code).is_none() && made != want {
                return Err(format!("not what was left: {said}"));
            }
        }
        Ok(())
    }
}

fn cap(write: &PlannedWrite) -> Option<i64> {
    cap_of(write).map(|cap| cap.parse().unwrap())
}

/// Whether both accounts together give no more than was left, once everything is written: the pool and each code
/// (reliability I22), and whether limits are as large as they may be (I23).
fn holds(any: &Any, solver: Solver) -> Result<(), String> {
    let (sample, changes) = any.decided(solver);
    let writes = changes.iter().flat_map(|change| change.writes_now());
    let written = Written {
        any,
        sample: &sample,
        writes: writes.cloned().collect(),
    };
    written.stayers_are_untouched()?;
    written.pool_gives_what_was_left()?;
    written.codes_give_what_was_left()
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
    assert_eq!(search(Solver::default(), 800), Ok(()));
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
            search(mutant, 800).is_err(),
            "the property does not notice: {what}"
        );
    }
}
