//! The program as somebody at a terminal has it: the real binary on a pseudo terminal, keys typed, the screen read back.
//! Whatever is claimed about money is read from the simulated accounts, never from the screen.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

mod support;

#[path = "pty/night.rs"]
mod night;

#[path = "pty/stream.rs"]
mod stream;

#[path = "pty/terminal.rs"]
mod terminal;

#[path = "pty/approval.rs"]
mod approval;

#[path = "pty/ending.rs"]
mod ending;

#[path = "pty/hostile.rs"]
mod hostile;

#[path = "pty/size.rs"]
mod size;

#[path = "pty/undo.rs"]
mod undo;

#[path = "pty/whole.rs"]
mod whole;
