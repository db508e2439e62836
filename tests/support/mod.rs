//! The program as people run it: real processes, real sockets, real files. Two simulated accounts in one process, and
//! `plan`, `apply` and the rest in others.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part")]

mod account;
mod desk;
mod world;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use account::{Account, Holding};
pub(crate) use desk::{Approval, Desk, apply_line, approval, journal};
pub(crate) use world::{EndState, World};

/// Longest that anything is waited for. A busy machine is slow; nothing here takes a twentieth of it on an idle one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(3);

/// One process that ended, and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

impl Said {
    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Value {
        let lines: Vec<&str> = self.out.lines().collect();
        assert_eq!(lines.len(), 1, "not one line of JSON: {self:?}");
        serde_json::from_str(lines[0]).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    /// The summary of the only stage.
    pub(crate) fn stage(&self) -> Value {
        let summary = self.json();
        let stages = summary["stages"].as_array().unwrap().iter();
        stages
            .clone()
            .find(|stage| stage["stage"] == "credits")
            .unwrap()
            .clone()
    }

    /// Ended with this code, or the test fails with everything it said.
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Refused: this exit code and one sentence on standard error that has these words.
    pub(crate) fn refuses(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        assert_eq!(
            self.err.trim_end().lines().count(),
            1,
            "not one sentence: {}",
            self.err
        );
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in: {}", self.err);
        }
    }
}

/// The program, without the environment of whoever runs the tests.
pub(crate) fn cutover() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
    command
        .env_clear()
        .env("USER", "tester")
        .stdin(std::process::Stdio::null());
    if let Some(place) = std::env::var_os("TMPDIR") {
        command.env("TMPDIR", place);
    }
    command
}

/// Runs it to its end.
pub(crate) fn finish(command: &mut Command) -> Said {
    command.output().unwrap().into()
}

/// Words of a command line; what stands between single quotes is one word.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// A headless rehearsal with these further arguments.
pub(crate) fn rehearse(arguments: &str) -> Said {
    let mut command = cutover();
    command.args(words(&format!("rehearse --headless --json {arguments}")));
    finish(&mut command)
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

/// Looks until `holds`.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::park_timeout(GLANCE);
    }
}

/// `0..count`, shared between two threads: the machine that runs the tests has few cores.
pub(crate) fn two_at_a_time(count: usize, work: impl Fn(usize) + Sync) {
    at_a_time(2, count, work);
}

/// The same between more threads, for work that mostly waits: for a rate that is kept, or a stall that is simulated.
pub(crate) fn at_a_time(threads: usize, count: usize, work: impl Fn(usize) + Sync) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    work(at);
                }
            });
        }
    });
}
