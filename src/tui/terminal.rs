//! The terminal while the screen has it, and the promise that it is given back: on return, on panic, on a signal.

use std::io::{self, Stdout, Write};
use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

use crate::tui::model::Model;
use crate::tui::view;

/// The terminal is in raw mode on the alternate screen.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// A part of the program panicked; the report is on the ordinary screen.
static BROKE: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Holds the terminal. Dropping it gives the terminal back.
pub struct Guard {
    /// Never dropped: ratatui's own drop shows the cursor and, where the window was closed, panics while it complains on
    /// a standard error that is gone with it. What is in flight must not pay for that.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    /// What stands on the screen is not known.
    stale: bool,
}

impl Guard {
    /// Takes the terminal.
    pub fn take() -> io::Result<Self> {
        HOOK.call_once(hook);
        enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).inspect_err(|_| restore())?;
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            stale: false,
        })
    }

    /// Width and height.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws one frame, as one update where the terminal knows how.
    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        if std::mem::take(&mut self.stale) {
            // Not `clear`: that asks the terminal where the cursor is, and waits for an answer among the keys.
            let size = self.terminal.size()?;
            self.terminal.resize(Rect::from((Position::ORIGIN, size)))?;
        }
        self.terminal.draw(|frame| view::draw(model, frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// The next frame is drawn from nothing. After every resize, also to the size it had: a window that was smaller for a
    /// moment has lost the cells that were cut off, and two sizes that are compared later do not show it.
    pub const fn repaint(&mut self) {
        self.stale = true;
    }

    /// Sends bytes past the drawing: title, bell, clipboard.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writer = self.terminal.backend_mut();
        writer.write_all(bytes)?;
        Write::flush(writer)
    }

    /// Gives the terminal back, stops the process until `fg`, takes the terminal again.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        self.retake()
    }

    /// Takes the terminal again, to draw everything anew: after `fg`, or when another program wrote over it.
    pub fn retake(&mut self) -> io::Result<()> {
        // Stopped from outside it was not given back, and whoever had it since has set modes of their own.
        restore();
        enter()?;
        self.repaint();
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        // A frame that was being drawn while another thread panicked has hidden the cursor once more.
        let _ = self.terminal.show_cursor();
    }
}

/// Whether a part of the program panicked since the terminal was taken.
#[must_use]
pub fn broke() -> bool {
    BROKE.load(Ordering::SeqCst)
}

fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        Hide
    )
    .inspect_err(|_| restore())
}

/// Gives the terminal back if it was taken. Failures are nothing to act on: there may be no terminal any more.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            DisableFocusChange,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}

/// A panic gives the terminal back first, so that its report can be read, and the screen ends.
fn hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |report| {
        if TAKEN.load(Ordering::SeqCst) {
            BROKE.store(true, Ordering::SeqCst);
            restore();
        }
        before(report);
    }));
}
