//! A pseudo terminal with the program on it.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::ffi::OsStr;
use std::io::{Read as _, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::support::{PATIENCE, until};

/// The modes a shell needs: typed letters are shown, lines are edited, Ctrl-C is a signal.
const ECHO_ICANON_ISIG: u64 = 0o10 | 0o2 | 0o1;

/// Columns and lines.
pub(crate) type Size = (u16, u16);

/// The program's terminal, held from the other side. Ends the program when dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    chunks: Receiver<Vec<u8>>,
    parser: vt100::Parser<Frames>,
    master: Box<dyn MasterPty + Send>,
    modes: u64,
    /// Every byte the program sent to the terminal.
    pub(crate) sent: Vec<u8>,
}

/// A frame shows when it is whole (synchronized output), so nothing is to be read from half of one.
#[derive(Default)]
struct Frames {
    drawing: bool,
}

impl vt100::Callbacks for Frames {
    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        private: Option<u8>,
        _: Option<u8>,
        modes: &[&[u16]],
        action: char,
    ) {
        if private == Some(b'?') && modes == [[2026]] {
            self.drawing = action == 'h';
        }
    }
}

/// A program that has lost its terminal.
pub(crate) struct Orphan(Box<dyn Child + Send + Sync>);

impl Terminal {
    /// Starts `command` on a terminal of that size, with its arguments, folder and environment.
    pub(crate) fn start(command: &Command, size: Size) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let modes = modes(&*pair.master);
        assert_eq!(modes & ECHO_ICANON_ISIG, ECHO_ICANON_ISIG);
        let child = pair.slave.spawn_command(builder(command)).unwrap();
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
        Self {
            child,
            keys: pair.master.take_writer().unwrap(),
            chunks,
            parser: emulator(size),
            master: pair.master,
            modes,
            sent: Vec::new(),
        }
    }

    /// Types.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Makes the window larger or smaller.
    pub(crate) fn resize(&mut self, size: Size) {
        self.drain();
        self.cut(size);
        self.master.resize(pty_size(size)).unwrap();
    }

    /// The window loses what does not fit. The program is not told.
    pub(crate) fn cut(&mut self, (cols, rows): Size) {
        let screen = self.parser.screen_mut();
        screen.set_size(rows.try_into().unwrap(), cols.try_into().unwrap());
    }

    /// What stands on the screen.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Takes in what has been sent.
    pub(crate) fn drain(&mut self) {
        while let Ok(chunk) = self.chunks.try_recv() {
            self.take(&chunk);
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.sent.extend(chunk);
        self.parser.process(chunk);
    }

    /// Reads until `holds` is true of the screen, as it is between two frames.
    pub(crate) fn wait(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.drain();
            if !self.parser.callbacks().drawing && holds(self.parser.screen()) {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.take(&chunk),
                Err(why) => panic!("waited for {what} ({why}); on screen:\n{}", self.text()),
            }
        }
    }

    /// Reads until this stands on the screen.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Reads until none of this stands on the screen.
    pub(crate) fn wait_gone(&mut self, text: &str) {
        self.wait(&format!("the end of {text}"), |screen| {
            !screen.contents().contains(text)
        });
    }

    /// A signal from outside.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Reads to the end, by itself: then the terminal has to be as it was found.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.take(&chunk),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end; on screen:\n{}", self.text()),
            }
        }
        let status = self.child.wait().unwrap();
        let screen = self.parser.screen();
        let given_back = !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste();
        assert!(given_back, "the terminal was kept: {}", self.text());
        assert_eq!(modes(&*self.master), self.modes, "the terminal's modes");
        for (on, off) in [("\x1b[?1004h", "\x1b[?1004l"), ("\x1b[?1049h", "\x1b[?1049l")] {
            assert_eq!(self.count(on), self.count(off), "{}", on.escape_debug());
        }
        status
    }

    fn count(&self, sequence: &str) -> usize {
        let windows = self.sent.windows(sequence.len());
        windows.filter(|window| *window == sequence.as_bytes()).count()
    }

    /// The window is closed: nobody is at the other end any more.
    pub(crate) fn close(self) -> Orphan {
        // The thread that reads lets go of its end with the next bytes that come.
        Orphan(self.child)
    }
}

impl Orphan {
    /// Waits until it ended by itself.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let mut status = None;
        until("the program without a terminal ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

fn emulator((cols, rows): Size) -> vt100::Parser<Frames> {
    let (rows, cols) = (rows.try_into().unwrap(), cols.try_into().unwrap());
    vt100::Parser::new_with_callbacks(rows, cols, 0, Frames::default())
}

fn pty_size((cols, rows): Size) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn modes(master: &dyn MasterPty) -> u64 {
    u64::from(master.get_termios().unwrap().local_flags.bits())
}

fn builder(command: &Command) -> CommandBuilder {
    let mut built = CommandBuilder::new(command.get_program());
    built.args(command.get_args());
    built.env_clear();
    built.env("TERM", "xterm-256color");
    built.env("LANG", "C.UTF-8");
    let set = |(name, value): (&OsStr, Option<&OsStr>)| Some((name.to_owned(), value?.to_owned()));
    for (name, value) in command.get_envs().filter_map(set) {
        built.env(name, value);
    }
    built.cwd(command.get_current_dir().unwrap_or(&std::env::temp_dir()));
    built
}
