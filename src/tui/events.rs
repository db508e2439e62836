//! The terminal's events, read by a thread of their own.
//!
//! crossterm's own stream is not used. Asked once outside the task that waits (to take what is there already), it wakes
//! nobody for the next event, and a key then shows only with the next tick. Its usual reader, in turn, hears of a change
//! once: of a key and a resize that come together one waits for the next event. `use-dev-tty` asks until nothing is left.

use std::io;
use std::time::Duration;

use crossterm::event::{self, Event};
use tokio::sync::mpsc;

/// Events that wait to be taken; more of them wait in the terminal.
const WAITING: usize = 256;
/// How long the thread may outlive the screen.
const SLICE: Duration = Duration::from_secs(1);

/// What comes from the terminal, in order. Dropping it ends the thread.
pub struct Events(mpsc::Receiver<io::Result<Event>>);

impl Events {
    /// Begins to listen. From here on no resize is missed, so this comes before the first frame.
    pub fn listen() -> io::Result<Self> {
        event::poll(Duration::ZERO)?;
        let (to, from) = mpsc::channel(WAITING);
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || read(&to))?;
        Ok(Self(from))
    }

    /// The next one; `None` once the terminal has failed.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        self.0.recv().await
    }

    /// The next one, if it is there already.
    pub fn waiting(&mut self) -> Option<io::Result<Event>> {
        self.0.try_recv().ok()
    }
}

fn read(to: &mpsc::Sender<io::Result<Event>>) {
    while !to.is_closed() {
        let event = match event::poll(SLICE) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let failed = event.is_err();
        if to.blocking_send(event).is_err() || failed {
            return;
        }
    }
}
