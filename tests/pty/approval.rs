//! What does not approve, and what stops what was approved.

use super::night::{self, Writing, records};
use super::support::{Desk, World, until};

#[test]
fn nothing_but_the_typed_phrase_and_enter_approves() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let mut terminal = night::run(&desk);
    terminal.scan();
    terminal.leave_out_blocked();
    let phrase = terminal.ask_for_approval();

    // Typed as soon as the dialog is there; the last letter is missing in case this machine takes a second for it.
    let early = format!("{}\r", &phrase[..phrase.len() - 1]);
    let dropped = format!("Dropped of its first second: {} keys.", early.len());
    for _ in 0..20 {
        terminal.press("\x1b");
        terminal.wait_gone("APPROVE WRITES");
        terminal.press("a");
        terminal.wait_for("APPROVE WRITES");
        terminal.press(&early);
        terminal.wait_for("off: phrase");
        if terminal.text().contains(&dropped) {
            break;
        }
    }
    terminal.wait_for(&dropped);
    terminal.wait_for("> _");

    terminal.press(&format!("\x1b[200~{phrase}\r\x1b[201~\r"));
    terminal.wait_for("The phrase has to be typed");
    terminal.wait_for("> _");

    // A letter too many; the one after Enter shows that Enter was heard.
    terminal.press(&format!("{phrase}x\ry"));
    terminal.wait_for(&format!("{phrase}xy_"));
    terminal.wait_for("off: phrase");

    terminal.press("\x7f\x7f");
    terminal.type_phrase("");
    terminal.press("\x1b");
    terminal.wait_gone("APPROVE WRITES");
    terminal.leave(3);
    assert_eq!(world.writes(), 0);
    assert_eq!((records(&desk, "approved"), records(&desk, "intent")), (0, 0));
    desk.verify("night");
}

#[test]
fn space_holds_writing_and_space_again_goes_on() {
    let Writing {
        world,
        desk,
        before,
        mut terminal,
    } = Writing::begin();
    terminal.press(" ");
    terminal.wait_for("PAUSED");
    let intents = records(&desk, "intent");
    // What was under way arrives and is answered in this time; nothing else may. What was only intended waits.
    terminal.let_pass(3);
    until("what was sent is answered", || {
        records(&desk, "outcome") as u64 == world.writes()
    });
    let writes = world.writes();
    let sent = usize::try_from(writes).unwrap();
    assert!(sent <= intents, "{sent} sent, {intents} intended");
    assert_eq!(records(&desk, "outcome"), sent);
    terminal.let_pass(1);
    assert_eq!(
        (world.writes(), records(&desk, "intent")),
        (writes, intents),
        "while paused"
    );
    terminal.press(" ");
    terminal.wait_done();
    terminal.leave(0);
    assert!(world.writes() > writes, "it was over before it was paused");
    before.has_moved(&world);
    desk.verify("night");
}
