//! Does what [`crate::tui::update`] asked for. Asking the engine never holds up the screen.

use std::path::PathBuf;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::engine::command::{Command, Handle};
use crate::tui::msg::{Asked, Msg};
use crate::tui::save::{self, Saved};

/// Answers that may wait to be taken in.
const ANSWERS: usize = 64;

/// Asks the engine on the screen's behalf.
pub struct Performer {
    handle: Handle,
    answers: mpsc::Sender<Msg>,
}

impl Performer {
    /// A performer, and where its answers come out.
    #[must_use]
    pub fn new(handle: Handle) -> (Self, mpsc::Receiver<Msg>) {
        let (answers, taken) = mpsc::channel(ANSWERS);
        (Self { handle, answers }, taken)
    }

    /// Writes a view into `dir`; where, or why not, comes back as a message.
    pub fn save(&self, dir: Option<PathBuf>, saved: Saved) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let writing = tokio::task::spawn_blocking(move || match dir {
                Some(dir) => save::write(&dir, &saved),
                None => "this screen has no run directory to save into".to_owned(),
            });
            let said = writing
                .await
                .unwrap_or_else(|error| format!("the view was not saved: {error}"));
            let _ = answers.send(Msg::Said(said)).await;
        });
    }

    /// Asks; the answer comes back as a message. Commands reach the engine in the order in which they were asked: the
    /// first poll puts the command into the queue, or into the line in front of it.
    pub fn ask(&self, command: Command) {
        let (handle, answers) = (self.handle.clone(), self.answers.clone());
        let asked = Asked::of(&command);
        let mut asking = Box::pin(async move { handle.ask(command).await });
        let first = (&mut asking).now_or_never();
        tokio::spawn(async move {
            let result = match first {
                Some(result) => result,
                None => asking.await,
            };
            // The screen may be gone; then nobody waits for the answer.
            let _ = answers.send(Msg::Answer { asked, result }).await;
        });
    }
}
