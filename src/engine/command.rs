//! What the screen and the headless commands may ask of the engine.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use super::state::RunState;
use crate::domain::approval::Refusal;
use crate::domain::change::{ChangeKey, Decision};
use crate::domain::ids::{Digest, Role, StageId};
use crate::domain::plan::{Plan, PlanError};
use crate::domain::time::UtcMs;

/// One request to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read both accounts and plan; again if there is a plan that has not been written.
    Gather(StageId),
    /// Decide rows, all or none.
    Decide {
        /// The stage.
        stage: StageId,
        /// The rows.
        rows: Vec<ChangeKey>,
        /// The decision, the same for all.
        decision: Decision,
    },
    /// Take a plan from a file, made by this program earlier.
    Import(Arc<Plan>),
    /// Read the facts again before approval.
    Check(StageId),
    /// Approve a plan and start writing.
    Approve {
        /// The stage.
        stage: StageId,
        /// The plan that was looked at.
        digest: Digest,
        /// What was typed.
        phrase: String,
        /// A second name.
        witness: Option<String>,
        /// The operator's own words.
        note: String,
    },
    /// Start no new write.
    Pause {
        /// Who.
        by: String,
    },
    /// Go on after a pause.
    Resume {
        /// Who.
        by: String,
    },
    /// Take up the writing of a halted stage, under the same approval.
    Continue(StageId),
    /// Allow sending again what a probe did not find.
    Reissue {
        /// The stage.
        stage: StageId,
        /// The rows.
        rows: Vec<ChangeKey>,
        /// Who.
        by: String,
    },
    /// Verify the result by another path.
    Audit(StageId),
    /// Work out what taking a stage back would send, and publish it as [`super::state::StageState::offer`]. Nothing is
    /// put on record and nothing is sent.
    OfferUndo(StageId),
    /// Take back what a stage wrote: first the rows of the application's database, then what it made on Stripe, last
    /// written first. Again, it takes up an undo that was cut off.
    Undo {
        /// The stage.
        stage: StageId,
        /// The offer that was looked at, where one was: what is made now must be the same.
        digest: Option<Digest>,
        /// What was typed: the counts, as for an approval.
        phrase: String,
        /// A second name.
        witness: Option<String>,
        /// The operator's own words.
        note: String,
        /// Who.
        by: String,
    },
    /// Put on record that a file which a stage handed out was uploaded by hand.
    Uploaded {
        /// The stage.
        stage: StageId,
        /// The file, by its name in the run directory.
        file: String,
        /// What the Dashboard calls the migration.
        id: String,
        /// When; now, if nothing is said.
        at: Option<UtcMs>,
        /// Who.
        by: String,
    },
    /// Change the share of an account's limit, in percent.
    SetShare {
        /// The account.
        role: Role,
        /// 1 to 100.
        percent: u32,
    },
    /// Finish what is in flight, then stop the engine.
    Quit,
}

/// Why the engine did not do what was asked. Each is one sentence for the screen.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CommandRefused {
    /// Not now.
    #[error("{0}")]
    NotNow(String),
    /// An approval that does not hold.
    #[error(transparent)]
    Approval(#[from] Refusal),
    /// A decision that does not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The facts changed since the plan was made.
    #[error("{0} rows changed on Stripe since the plan was made; read again and review")]
    Drifted(usize),
    /// The journal cannot take records any more.
    #[error(
        "the journal cannot be written ({0}); nothing more will be sent, and the run can be resumed from disk"
    )]
    Journal(String),
    /// The engine has stopped.
    #[error("the engine has stopped; the run can be resumed from its directory")]
    Gone,
}

/// A command on its way, with the place for its answer.
pub struct Envelope {
    /// What is asked.
    pub command: Command,
    /// Where the answer goes. An answer means the command's records are durable.
    pub reply: oneshot::Sender<Result<(), CommandRefused>>,
}

/// The engine, from outside. Cheap to clone; the engine stops when told to, not when handles go.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Envelope>,
    state: watch::Receiver<Arc<RunState>>,
}

impl Handle {
    /// A handle on the given ends.
    #[must_use]
    pub const fn new(commands: mpsc::Sender<Envelope>, state: watch::Receiver<Arc<RunState>>) -> Self {
        Self { commands, state }
    }

    /// Sends `command` and waits until the engine has taken or refused it.
    pub async fn ask(&self, command: Command) -> Result<(), CommandRefused> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Envelope { command, reply })
            .await
            .map_err(|_| CommandRefused::Gone)?;
        answer.await.unwrap_or(Err(CommandRefused::Gone))
    }

    /// The state as last published.
    #[must_use]
    pub fn state(&self) -> Arc<RunState> {
        self.state.borrow().clone()
    }

    /// A receiver that is told of every new state; the latest wins.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<RunState>> {
        self.state.clone()
    }

    /// Waits until `holds` is true of the state, and returns that state. `None` when the engine ended first.
    pub async fn wait_for(&self, mut holds: impl FnMut(&RunState) -> bool) -> Option<Arc<RunState>> {
        let mut state = self.state.clone();
        state
            .wait_for(|state| holds(state))
            .await
            .ok()
            .map(|state| state.clone())
    }
}
