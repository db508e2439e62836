//! Ends that nobody at the keyboard asked for, while writes are on their way.

use rustix::process::Signal;

use super::night::{self, Writing, records};
use super::terminal::Terminal;

/// What a run that still has something to do ends with.
const UNFINISHED: u32 = 3;

/// Lets a run be ended while it writes; then it has to be whole, and the next one has to finish it.
fn ends_and_goes_on(end: impl Fn(Terminal)) {
    let Writing {
        world,
        desk,
        before,
        terminal,
    } = Writing::begin();
    end(terminal);

    desk.verify("night");
    let sent = usize::try_from(world.writes()).unwrap();
    assert_eq!(records(&desk, "outcome"), sent, "something was left in flight");
    let stage = desk.call("status --json --run night").ends(3).stage();
    assert_eq!(
        (&stage["phase"], &stage["unknown"]),
        (&"writing".into(), &0.into()),
        "it was over before it was ended: {stage}"
    );
    let mut terminal = night::run(&desk);
    terminal.wait("where it was left", |screen| {
        let text = screen.contents();
        text.contains("WRITING") || text.contains("DONE") || text.contains("PAUSED")
    });
    if terminal.text().contains("PAUSED") {
        terminal.press(" ");
    }
    terminal.wait_done();
    terminal.leave(0);
    before.has_moved(&world);
    desk.verify("night");
}

#[test]
fn a_signal_to_terminate_gives_the_terminal_back_and_the_next_run_finishes() {
    ends_and_goes_on(|mut terminal| {
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.ended().exit_code(), UNFINISHED);
    });
}

#[test]
fn a_hang_up_gives_the_terminal_back_and_the_next_run_finishes() {
    ends_and_goes_on(|mut terminal| {
        terminal.signal(Signal::HUP);
        assert_eq!(terminal.ended().exit_code(), UNFINISHED);
    });
}

#[test]
fn a_window_that_is_closed_ends_the_run_in_good_order_and_the_next_one_finishes() {
    ends_and_goes_on(|terminal| {
        assert_eq!(terminal.close().ended().exit_code(), UNFINISHED);
    });
}
