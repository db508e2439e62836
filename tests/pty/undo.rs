//! What was written is taken back at the keyboard.

use super::night::LARGE;
use super::support::{cutover, finish};
use super::terminal::Terminal;

/// Where the end of the stage's line says `word`.
fn stage_is(terminal: &mut Terminal, word: &str) {
    terminal.wait("the stage is where it should be", |screen| {
        let text = screen.contents();
        text.lines()
            .any(|line| line.contains("4 Coupons") && line.contains(word))
    });
}

#[test]
fn coupons_are_taken_back_after_their_own_phrase_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = cutover();
    command
        .current_dir(folder.path())
        .args(["rehearse", "--scenario", "coupons", "--run", "night"]);
    let mut terminal = Terminal::start(&command, LARGE);
    terminal.wait_for("r scan");
    terminal.press("4");
    terminal.wait_for("4 Coupons");
    terminal.press("U");
    terminal.wait_for("has written nothing");
    terminal.press("\u{1b}");
    terminal.wait_gone("has written nothing");
    terminal.press("r");
    terminal.wait_for("REVIEW   plan ");
    if terminal.text().contains("BLOCKED") {
        terminal.leave_out_blocked();
    }
    let phrase = terminal.ask_for_approval();
    terminal.type_phrase(&phrase);
    terminal.press("\r");
    terminal.wait_gone("APPROVE WRITES");
    stage_is(&mut terminal, "DONE");

    terminal.press("U");
    terminal.wait_for("TAKE BACK");
    terminal.wait_for("off: phrase");
    terminal.press("\u{1b}");
    terminal.wait_gone("TAKE BACK");
    stage_is(&mut terminal, "DONE");
    terminal.press("U");
    let phrase = terminal.phrase_asked_for("TAKE BACK");
    terminal.type_phrase(&phrase);
    terminal.press("\r");
    terminal.wait_gone("TAKE BACK");
    stage_is(&mut terminal, "UNDONE");
    terminal.press("U");
    terminal.wait_for("taken back already");
    terminal.press("\u{1b}");
    terminal.wait_gone("taken back already");
    terminal.press("q");
    terminal.wait_for("Leave?");
    terminal.press("\r");
    terminal.ended();

    let mut status = cutover();
    status
        .current_dir(folder.path())
        .args(["status", "--json", "--run", "night"]);
    let summary = finish(&mut status).json();
    let stages = summary["stages"].as_array().unwrap();
    let coupons = stages.iter().find(|stage| stage["stage"] == "coupons").unwrap();
    assert!(coupons["undone"].as_u64().unwrap() > 0, "{coupons}");
    assert_eq!(
        (&coupons["done"], &coupons["unknown"]),
        (&0.into(), &0.into()),
        "{coupons}"
    );
}
