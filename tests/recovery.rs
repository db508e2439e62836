//! Killed at any moment, taken up again: the night ends as if nothing had happened.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

#[cfg(test)]
mod support;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::Signal;
use support::{
    Approval, Desk, EndState, Said, World, apply_line, cutover, finish, signal, two_at_a_time, until, words,
};

/// Few customers, but credits, a debit and another currency among them.
const FEW: &str = "--scenario small --seed 7 --customers 6";
const SIGKILL: i32 = 9;
/// More boundaries than an `apply` of so few has; the loop ends where a run survives.
const BOUNDARIES: usize = 200;

/// A process that is killed at this boundary of its journal. Whether it was.
fn is_killed(desk: &Desk, line: &str, at: usize) -> bool {
    let mut command = desk.command(line);
    let output = command.env("CUTOVER_CRASH_AT", at.to_string()).output().unwrap();
    let status = output.status;
    if status.signal() == Some(SIGKILL) {
        return true;
    }
    assert_eq!(status.code(), Some(0), "at {at}: {:?}", Said::from(output));
    false
}

/// Takes the run up again to its end and returns how the accounts are then.
fn end(desk: &Desk, world: &World, approval: &Approval) -> EndState {
    let said = desk.apply("run", approval).ends(0);
    let stage = said.stage();
    assert_eq!(stage["phase"], "done", "{said:?}");
    assert_eq!(stage["done"], stage["planned"], "{said:?}");
    assert_eq!(stage["compared"], stage["planned"], "{said:?}");
    desk.verify("run");
    world.end_state()
}

/// The accounts after a night without disturbance.
fn undisturbed() -> EndState {
    let world = World::new(FEW);
    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    let state = end(&desk, &world, &approval);
    assert!(state.marked() >= 4, "{state:?}");
    state
}

#[test]
fn a_run_killed_at_any_record_of_its_journal_ends_like_one_left_alone() {
    let whole = undisturbed();
    let (survived, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    two_at_a_time(BOUNDARIES, |at| {
        if survived.load(Ordering::Relaxed) {
            return;
        }
        let world = World::new(FEW);
        let desk = Desk::at(&world);
        let approval = desk.plan("run");
        if is_killed(&desk, &apply_line("run", &approval), at) {
            kills.fetch_add(1, Ordering::Relaxed);
        } else {
            survived.store(true, Ordering::Relaxed);
        }
        assert_eq!(end(&desk, &world, &approval), whole, "killed at {at}");
    });
    assert!(survived.into_inner(), "no apply came to its end undisturbed");
    // Before and after each of an intent, an outcome, for two writes of every row, and what stands around them.
    assert!(kills.into_inner() >= 2 * (2 * whole.marked() + 8));
}

#[test]
fn a_run_killed_again_while_it_recovers_ends_like_one_left_alone() {
    let whole = undisturbed();
    // While writing, then: at once, while it resumes, while it writes again.
    let pairs = [(13, 0), (13, 3), (16, 5), (20, 2), (20, 7), (24, 9), (30, 4)];
    two_at_a_time(pairs.len(), |at| {
        let (first, second) = pairs[at];
        let world = World::new(FEW);
        let desk = Desk::at(&world);
        let approval = desk.plan("run");
        let line = apply_line("run", &approval);
        assert!(is_killed(&desk, &line, first));
        assert!(is_killed(&desk, &line, second), "{:?}", pairs[at]);
        assert_eq!(end(&desk, &world, &approval), whole, "killed at {:?}", pairs[at]);
    });
}

#[test]
fn a_plan_killed_at_any_record_is_made_again_in_the_same_directory() {
    let world = World::new(FEW);
    let survived = AtomicBool::new(false);
    let desk = Desk::at(&world);
    let wanted = desk.plan("run");
    two_at_a_time(BOUNDARIES, |at| {
        if survived.load(Ordering::Relaxed) {
            return;
        }
        let desk = Desk::at(&world);
        desk.plan("before");
        let line = "plan credits --out plan --decisions decisions.csv --run run";
        if !is_killed(&desk, line, at) {
            survived.store(true, Ordering::Relaxed);
        }
        assert_eq!(desk.plan_decided("run"), wanted, "killed at {at}");
        desk.verify("run");
    });
    assert!(survived.into_inner());
    assert_eq!(world.writes(), 0);
}

#[test]
fn a_rehearsal_killed_at_any_record_is_taken_up_again_with_its_world() {
    let killed = AtomicUsize::new(0);
    // Every third: a rehearsal's journal is written by the same code as any other.
    two_at_a_time(30, |nth| {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let line = format!("rehearse --headless --json {FEW} --run '{}'", run.display());
        let mut first = cutover();
        first
            .args(words(&line))
            .env("CUTOVER_CRASH_AT", (nth * 3).to_string());
        let first = first.output().unwrap();
        killed.fetch_add(
            usize::from(first.status.signal() == Some(SIGKILL)),
            Ordering::Relaxed,
        );
        let said = finish(cutover().args(words(&line))).ends(0);
        let (summary, stage) = (said.json(), said.stage());
        assert_eq!(summary["violations"].as_array().unwrap().len(), 0, "{said:?}");
        assert_eq!(
            (&stage["phase"], &stage["done"]),
            (&"done".into(), &stage["planned"])
        );
        assert!(stage["done"].as_u64().unwrap() >= 2);
    });
    assert!(killed.into_inner() > 10);
}

/// Slow enough that a signal comes in time.
const SLOW: &str = "--scenario small --seed 7 --latency-ms 100";
/// A machine may be so busy that `apply` is over before the signal comes; then once more.
const TRIES: usize = 5;

/// An `apply` that got this signal while it wrote, and what it said as it ended.
fn cut_off(with: Signal) -> (World, Desk, Approval, Output) {
    for _ in 0..TRIES {
        let world = World::new(SLOW);
        let desk = Desk::at(&world);
        let approval = desk.plan("run");
        let mut command = desk.command(&apply_line("run", &approval));
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until("a write arrives", || world.writes() > 0);
        signal(&child, with);
        let output = child.wait_with_output().unwrap();
        if output.status.code() != Some(0) {
            return (world, desk, approval, output);
        }
    }
    unreachable!("apply was always faster than the signal")
}

#[test]
fn a_run_killed_from_outside_is_taken_up_again() {
    let (world, desk, approval, output) = cut_off(Signal::KILL);
    assert_eq!(output.status.signal(), Some(SIGKILL));
    let state = end(&desk, &world, &approval);
    assert!(state.marked() > 4);
}

#[test]
fn a_signal_to_end_lets_what_is_in_flight_end_and_the_run_goes_on_later() {
    for with in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (world, desk, approval, output) = cut_off(with);
        let said = Said::from(output);
        said.refuses(3, &["stopped by a signal", "takes it up again"]);
        let stage = said.stage();
        assert_eq!(
            (&stage["phase"], &stage["unknown"]),
            (&"writing".into(), &0.into()),
            "{said:?}"
        );
        let journal = desk.journal("run");
        let count = |kind: &str| journal.iter().filter(|record| record["kind"] == kind).count();
        // What was sent has its outcome; what was only intended was not sent.
        let sent = usize::try_from(world.writes()).unwrap();
        assert_eq!(count("outcome"), sent, "something was left in flight");
        assert_eq!(journal.iter().filter(|r| r["by"] == "signal").count(), 1);
        end(&desk, &world, &approval);
    }
}
