//! The signals that ask a process to end: SIGINT, SIGTERM, SIGHUP.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;

/// From when this exists, those signals no longer end the process by themselves.
pub(super) struct Signals([Signal; 3]);

impl Signals {
    /// Begins to listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(Failure::failed);
        Ok(Self([
            on(SignalKind::interrupt())?,
            on(SignalKind::terminate())?,
            on(SignalKind::hangup())?,
        ]))
    }

    /// Until the next of them.
    pub(super) async fn next(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
