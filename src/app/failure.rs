//! Why a command ended without doing what it was asked, with its exit code. Every cause is one sentence already.

use std::fmt;

use crate::cli::Exit;
use crate::domain::text::safe;
use crate::engine::command::CommandRefused;
use crate::engine::driver::StartError;
use crate::engine::pin::PinError;
use crate::engine::rundir::RunDirError;

/// One sentence and an exit code.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    says: String,
}

impl Failure {
    /// A mistake in what was given; nothing was started.
    pub(super) fn usage(error: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            says: error.to_string(),
        }
    }

    /// It went wrong.
    pub(super) fn failed(error: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Failed,
            says: error.to_string(),
        }
    }

    /// Refused for safety.
    pub(super) fn refused(error: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Refused,
            says: error.to_string(),
        }
    }

    /// A person has to decide or approve first.
    pub(super) fn undecided(error: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Undecided,
            says: error.to_string(),
        }
    }

    /// The exit code.
    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cutover: {}", safe(&self.says))
    }
}

impl From<RunDirError> for Failure {
    fn from(error: RunDirError) -> Self {
        match error {
            RunDirError::NotARun { .. } | RunDirError::NotEmpty { .. } | RunDirError::Io { .. } => {
                Self::usage(error)
            }
            other => Self::refused(other),
        }
    }
}

impl From<PinError> for Failure {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Unreachable { .. } => Self::failed(error),
            other => Self::refused(other),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Setup(error) => Self::failed(error),
            // A journal that cannot be trusted: nothing is written on its word.
            other => Self::refused(other),
        }
    }
}

impl From<CommandRefused> for Failure {
    fn from(error: CommandRefused) -> Self {
        match error {
            CommandRefused::Approval(crate::domain::approval::Refusal::Undecided(_)) => {
                Self::undecided(error)
            }
            CommandRefused::Journal(_) | CommandRefused::Gone => Self::failed(error),
            CommandRefused::Plan(_) => Self::usage(error),
            _ => Self::refused(error),
        }
    }
}
