//! Windows of every size.

use rustix::process::Signal;

use super::night::{self, LARGE};
use super::support::{Desk, World};
use super::terminal::Terminal;

/// Sizes as a tiling window manager hands them out within a moment.
const STORM: [(u16, u16); 12] = [
    (1, 1),
    (200, 60),
    (2, 50),
    (300, 1),
    (80, 24),
    (1, 200),
    (79, 24),
    (80, 23),
    (119, 39),
    (500, 200),
    (3, 3),
    (1, 1),
];

/// Lets the window lose what stood on it, while its size is the same before and after; then the program hears of `signals`
/// and has to paint everything anew.
fn is_painted_anew(signals: &[Signal]) {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let mut terminal = night::run(&desk);
    let whole = |terminal: &mut Terminal| {
        terminal.wait_for("r scan");
        terminal.wait_for("Stripe budget");
    };
    whole(&mut terminal);
    for small in [(1, 1), (LARGE.0, 2), (2, LARGE.1)] {
        terminal.cut(small);
        terminal.cut(LARGE);
        assert!(!terminal.text().contains("Stripe budget"));
        for signal in signals {
            terminal.signal(*signal);
        }
        whole(&mut terminal);
    }
    terminal.press("3");
    terminal.wait_for("every moving customer's ledger");
    terminal.leave(0);
}

#[test]
fn a_window_that_was_smaller_for_a_moment_is_painted_anew() {
    is_painted_anew(&[Signal::WINCH]);
}

#[test]
fn a_program_that_was_stopped_and_goes_on_is_painted_anew() {
    is_painted_anew(&[Signal::STOP, Signal::CONT]);
}

#[test]
fn resizing_like_mad_breaks_nothing_and_a_window_too_small_says_so() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let mut terminal = night::run(&desk);
    terminal.wait_for("r scan");
    for _ in 0..10 {
        for size in STORM {
            terminal.resize(size);
        }
    }
    terminal.resize((79, 23));
    terminal.wait_for("terminal too small: 80x24 needed, this is 79x23");
    terminal.wait_for("No writes are being sent.");
    terminal.resize(LARGE);
    terminal.wait_for("Stripe budget");
    terminal.wait_gone("too small");
    terminal.scan();
    terminal.leave_out_blocked();
    let phrase = terminal.ask_for_approval();
    terminal.type_phrase(&phrase);

    // What cannot be seen cannot be approved.
    terminal.resize((60, 12));
    terminal.wait_for("terminal too small: 80x24 needed, this is 60x12");
    terminal.press("\r");
    terminal.resize((61, 12));
    terminal.wait_for("this is 61x12");
    assert_eq!(world.writes(), 0);
    terminal.resize(LARGE);
    // It opens anew, first second and all.
    terminal.wait_for("off: just opened");
    terminal.type_phrase("");
    terminal.press("\r");
    terminal.wait_gone("APPROVE WRITES");
    for size in STORM {
        terminal.resize(size);
    }
    terminal.resize(LARGE);
    terminal.wait_done();
    terminal.leave(0);
    world.end_state();
}
