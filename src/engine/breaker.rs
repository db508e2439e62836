//! The stop rules (contract): five failures in a row, or after 200 writes half a per cent failed or two per cent unknown.
//! PURE.

/// Failures in a row that stop a stage.
pub const IN_A_ROW: u32 = 5;
/// Writes before shares count.
pub const SHARES_FROM: u64 = 200;
/// Failed writes per thousand that stop a stage.
pub const FAILED_PER_MILLE: u64 = 5;
/// Unknown writes per thousand that stop a stage.
pub const UNKNOWN_PER_MILLE: u64 = 20;

/// How one write came out, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Attested.
    Done,
    /// Refused.
    Failed,
    /// Not known.
    Unknown,
}

/// Counts since writing began or was taken up again.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    writes: u64,
    failed: u64,
    unknown: u64,
    in_a_row: u32,
}

impl Breaker {
    /// Counts one outcome; says why to stop, if so.
    pub fn count(&mut self, outcome: Outcome) -> Option<String> {
        self.writes += 1;
        match outcome {
            Outcome::Done => {
                self.in_a_row = 0;
                return None;
            }
            Outcome::Failed => self.failed += 1,
            Outcome::Unknown => self.unknown += 1,
        }
        self.in_a_row += 1;
        if self.in_a_row >= IN_A_ROW {
            return Some(format!("{IN_A_ROW} writes in a row failed or are unknown"));
        }
        if self.writes < SHARES_FROM {
            return None;
        }
        if self.failed * 1000 >= self.writes * FAILED_PER_MILLE && outcome == Outcome::Failed {
            return Some(format!("{} of {} writes failed", self.failed, self.writes));
        }
        if self.unknown * 1000 >= self.writes * UNKNOWN_PER_MILLE && outcome == Outcome::Unknown {
            return Some(format!("{} of {} writes are unknown", self.unknown, self.writes));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcomes: impl IntoIterator<Item = Outcome>) -> (Option<String>, u64) {
        let mut breaker = Breaker::default();
        for outcome in outcomes {
            if let Some(why) = breaker.count(outcome) {
                return (Some(why), breaker.writes);
            }
        }
        (None, breaker.writes)
    }

    #[test]
    fn five_in_a_row_stop_and_a_success_between_them_does_not() {
        assert_eq!(run([Outcome::Failed; 4]).0, None);
        assert_eq!(
            run([
                Outcome::Failed,
                Outcome::Unknown,
                Outcome::Failed,
                Outcome::Failed,
                Outcome::Unknown
            ])
            .1,
            5
        );
        let broken = [
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Done,
        ];
        assert_eq!(run(broken.into_iter().cycle().take(150)).0, None);
    }

    #[test]
    fn half_a_per_cent_failed_or_two_per_cent_unknown_stop_after_two_hundred_writes() {
        let with = |bad: Outcome, every: usize, from: usize| {
            run((1..2000).map(move |n| {
                if n >= from && n % every == 0 {
                    bad
                } else {
                    Outcome::Done
                }
            }))
        };
        assert_eq!(with(Outcome::Failed, 100, 1).1, 200);
        assert_eq!(with(Outcome::Failed, 250, 1).0, None);
        assert_eq!(with(Outcome::Unknown, 40, 1).1, 200);
        assert_eq!(with(Outcome::Unknown, 60, 1).0, None);
    }
}
