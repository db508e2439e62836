//! The real loop on a real terminal (a pseudo terminal), against an engine that only answers: the terminal is given
//! back whatever ends the screen, and keys reach the engine as commands.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]

mod support;

#[path = "pty/terminal.rs"]
mod terminal;

use std::io::Write as _;
use std::sync::Arc;

use cutover::domain::ids::Environment;
use cutover::engine::command::{Command, Envelope, Handle};
use cutover::engine::state::{Phase, RunState};
use cutover::tui::{self, Exit, Options, sample};
use rustix::process::Signal;
use terminal::Terminal;
use tokio::sync::{mpsc, watch};

const CHILD: &str = "CUTOVER_TEST_CHILD";

/// The other side of the pseudo terminal. Does nothing unless it is started by one of the tests below.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let exit = runtime.block_on(async {
        let (commands, taken) = mpsc::channel(8);
        let (publish, state) = watch::channel(Arc::new(sample::decided(Environment::Rehearsal)));
        tokio::spawn(engine(taken, publish));
        let options = Options {
            ascii: Some(true),
            ..Options::default()
        };
        tui::run(Handle::new(commands, state), options).await.unwrap()
    });
    let word = if exit == Exit::Left {
        "left in good order"
    } else {
        "ended otherwise"
    };
    std::io::stdout()
        .write_all(format!("\r\nthe screen {word}: {exit:?}\r\n").as_bytes())
        .unwrap();
}

/// Answers as the engine would, without doing anything.
async fn engine(mut taken: mpsc::Receiver<Envelope>, publish: watch::Sender<Arc<RunState>>) {
    while let Some(Envelope { command, reply }) = taken.recv().await {
        let mut next = (**publish.borrow()).clone();
        match &command {
            Command::Check(_) => {
                let checked = sample::checked(Environment::Rehearsal);
                next.stages[0].check.clone_from(&checked.stages[0].check);
            }
            Command::Approve { .. } => next = sample::writing(),
            Command::Pause { by } => next.paused = Some(by.clone()),
            Command::Gather(_) => panic!("a part of the program breaks"),
            Command::Audit(_) => next.stages[0].phase = Phase::Auditing,
            _ => {}
        }
        publish.send_replace(Arc::new(next));
        // The screen may have gone; then nobody waits for the answer.
        let _ = reply.send(Ok(()));
        if command == Command::Quit {
            return;
        }
    }
}

fn started() -> Terminal {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1");
    Terminal::start(&command, (120, 40))
}

#[test]
fn keys_reach_the_engine_and_leaving_gives_the_terminal_back() {
    let mut terminal = started();
    terminal.wait_for("REVIEW");
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    let dropped = "Dropped of its first second: 1 key.";
    // A busy machine may take longer than that second; then the key is typed, and it opens once more.
    for _ in 0..20 {
        terminal.press("a");
        terminal.wait_for("APPROVE WRITES");
        terminal.press("x");
        terminal.wait_for("off: phrase");
        if terminal.text().contains(dropped) {
            break;
        }
        terminal.press("\x1b");
        terminal.wait_gone("APPROVE WRITES");
    }
    terminal.wait_for(dropped);
    terminal.press("48 09fT 48 2bRx\r");
    terminal.wait_for("WRITING");
    terminal.press(" ");
    terminal.wait_for("PAUSED by ops1");
    terminal.press("q");
    terminal.wait_for("Leave?");
    terminal.press("\r");
    terminal.wait_for("left in good order");
    assert!(terminal.ended().success());
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_report() {
    let mut terminal = started();
    terminal.wait_for("REVIEW");
    terminal.press("r");
    terminal.wait_for("a part of the program breaks");
    terminal.wait_for("ended otherwise: Broke");
    terminal.ended();
}

#[test]
fn a_signal_ends_the_screen_in_good_order() {
    for (signal, word) in [
        (Signal::TERM, "Signal(Terminate)"),
        (Signal::HUP, "Signal(Hangup)"),
    ] {
        let mut terminal = started();
        terminal.wait_for("REVIEW");
        terminal.signal(signal);
        terminal.wait_for(word);
        terminal.ended();
    }
}
