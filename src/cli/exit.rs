//! How the process ends: six codes, the same for every command (contract: "Exit codes").

use std::process::ExitCode;

/// Why the process ended. The number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for was done, or there was nothing to do.
    Done = 0,
    /// Something failed, or its outcome is unknown.
    Failed = 1,
    /// The command line, the configuration or an input file is wrong; nothing was started.
    Usage = 2,
    /// A row is undecided or an approval is missing.
    Undecided = 3,
    /// An audit found differences.
    AuditDiffers = 4,
    /// Refused for safety: nothing, or nothing more, was written.
    Refused = 5,
}

impl Exit {
    /// Most important first: when several apply, the first of these wins.
    const PRECEDENCE: [Self; 6] = [
        Self::Refused,
        Self::Failed,
        Self::AuditDiffers,
        Self::Undecided,
        Self::Usage,
        Self::Done,
    ];

    /// The one code for several outcomes: 5, 1, 4, 3, (2,) 0. None at all is [`Exit::Done`].
    #[must_use]
    pub fn worst(several: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| Self::PRECEDENCE.iter().position(|one| one == exit);
        several.into_iter().min_by_key(rank).unwrap_or(Self::Done)
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_outcomes_end_with_the_most_important_code() {
        use Exit::{AuditDiffers, Done, Failed, Refused, Undecided, Usage};
        let cases = [
            (vec![], Done),
            (vec![Done, Done], Done),
            (vec![Done, Undecided], Undecided),
            (vec![Undecided, AuditDiffers], AuditDiffers),
            (vec![AuditDiffers, Failed, Undecided], Failed),
            (vec![Failed, Refused, Done, AuditDiffers], Refused),
            (vec![Usage, Done], Usage),
        ];
        for (several, worst) in cases {
            assert_eq!(Exit::worst(several.clone()), worst, "{several:?}");
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_help_text() {
        let codes = Exit::PRECEDENCE.map(Exit::code);
        assert_eq!(codes, [5, 1, 4, 3, 2, 0]);
    }
}
