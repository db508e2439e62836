//! The real loop on a real terminal (a pseudo terminal), against an engine that only answers: the terminal is given
//! back whatever ends the screen, and keys reach the engine as commands.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cutover::domain::ids::Environment;
use cutover::engine::command::{Command, Envelope, Handle};
use cutover::engine::state::{Phase, RunState};
use cutover::tui::{self, Exit, Options, sample};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::sync::{mpsc, watch};

const CHILD: &str = "CUTOVER_TEST_CHILD";
/// Longest wait for anything to appear.
const LIMIT: Duration = Duration::from_secs(240);

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

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    chunks: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    _master: Box<dyn MasterPty + Send>,
}

fn started() -> Terminal {
    let size = PtySize {
        rows: 40,
        cols: 120,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1");
    let child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (sender, chunks) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    let keys = pair.master.take_writer().unwrap();
    Terminal {
        child,
        keys,
        chunks,
        screen: vt100::Parser::new(40.try_into().unwrap(), 120.try_into().unwrap(), 0),
        _master: pair.master,
    }
}

impl Terminal {
    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Reads until `holds` is true of the screen.
    fn wait(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let until = Instant::now() + LIMIT;
        while !holds(self.screen.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            let chunk = self.chunks.recv_timeout(left);
            assert!(
                chunk.is_ok(),
                "waited for {what}; on screen:\n{}",
                self.screen.screen().contents()
            );
            self.screen.process(&chunk.unwrap());
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// The terminal is as it was: ordinary screen, cursor shown, no paste or mouse mode left on.
    fn wait_given_back(&mut self) {
        self.wait("the ordinary screen", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
    }
}

#[test]
fn keys_reach_the_engine_and_leaving_gives_the_terminal_back() {
    let mut terminal = started();
    terminal.wait_for("REVIEW");
    assert!(terminal.screen.screen().alternate_screen());
    terminal.press("a");
    terminal.wait_for("APPROVE WRITES");
    terminal.press("x");
    terminal.wait_for("Dropped of its first second: 1 key.");
    terminal.wait_for("off: phrase");
    terminal.press("48 09fT 48 2bRx\r");
    terminal.wait_for("WRITING");
    terminal.press(" ");
    terminal.wait_for("PAUSED by ops1");
    terminal.press("q");
    terminal.wait_for("Leave?");
    terminal.press("\r");
    terminal.wait_for("left in good order");
    terminal.wait_given_back();
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_report() {
    let mut terminal = started();
    terminal.wait_for("REVIEW");
    terminal.press("r");
    terminal.wait_for("a part of the program breaks");
    terminal.wait_for("ended otherwise: Broke");
    terminal.wait_given_back();
}

#[test]
fn a_signal_ends_the_screen_in_good_order() {
    for (signal, word) in [
        (rustix::process::Signal::TERM, "Signal(Terminate)"),
        (rustix::process::Signal::HUP, "Signal(Hangup)"),
    ] {
        let mut terminal = started();
        terminal.wait_for("REVIEW");
        let id = i32::try_from(terminal.child.process_id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
        terminal.wait_for(word);
        terminal.wait_given_back();
    }
}
