//! Windows of every size.

use super::night::{self, LARGE};
use super::support::{Desk, World};

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
