//! Whole nights, from the first key to the last.

use super::night::{self, Before, SMALLEST};
use super::stream::Stream;
use super::support::{Desk, World, cutover, finish};
use super::terminal::Terminal;

#[test]
fn a_night_at_the_keyboard_moves_every_balance_to_the_cent_and_asks_before_it_writes() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let before = Before::of(&world);
    let mut terminal = night::run(&desk);
    terminal.scan();
    let left_out = terminal.leave_out_blocked();
    let phrase = terminal.ask_for_approval();
    terminal.type_phrase(&phrase);
    assert!(world.gets() > 0);
    assert_eq!(world.writes(), 0, "written before the approval");
    terminal.press("\r");
    terminal.wait_done();
    terminal.press("w");
    terminal.wait_for("saved to night/view-credits-");
    terminal.leave(0);
    assert!(
        terminal.text().contains("cutover run --run night"),
        "{}",
        terminal.text()
    );
    before.has_moved(&world);
    desk.verify("night");
    let stage = desk.call("status --json --run night").ends(0).stage();
    assert_eq!(
        (&stage["done"], &stage["compared"]),
        (&stage["planned"], &stage["planned"])
    );
    assert_eq!(stage["left_out"], left_out);
}

#[test]
fn the_smallest_terminal_without_colours_and_with_plain_letters_serves_a_whole_night() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = cutover();
    command
        .current_dir(folder.path())
        .args(["rehearse", "--scenario", "small", "--ascii", "--no-color"]);
    command.args(["--run", "night"]);
    let mut terminal = Terminal::start(&command, SMALLEST);
    terminal.approve_everything();
    terminal.wait_done();
    terminal.leave(0);
    let stream = Stream::of(&terminal.sent);
    assert_eq!(stream.colours(), [""; 0]);
    let strange: String = stream.text.chars().filter(|c| !c.is_ascii()).collect();
    assert_eq!(strange, "");
    let mut status = cutover();
    status
        .current_dir(folder.path())
        .args(["status", "--json", "--run", "night"]);
    let summary = finish(&mut status).ends(0).json();
    assert_eq!(summary["violations"], serde_json::json!([]));
    let stage = &summary["stages"][2];
    assert_eq!(
        (&stage["phase"], &stage["done"]),
        (&"done".into(), &stage["planned"])
    );
}
