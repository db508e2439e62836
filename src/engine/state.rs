//! What is true of a run: a fold over its records, plus the few passing things a screen wants (progress, budgets).
//!
//! [`RunState::apply`] is the only way records become state, live and on resume alike, so what a screen showed before a
//! crash is what it shows after. Everything large sits behind an `Arc`: a snapshot for the screen costs little.

mod fold;
mod undo;

pub use fold::Plans;
pub use undo::{KEPT, LEFT, UndoState};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::domain::approval::Approval;
use crate::domain::change::{Change, ChangeKey};
use crate::domain::finding::Finding;
use crate::domain::ids::{Accounts, Digest, EffectId, Role, StageId};
use crate::domain::money::{Currency, Money};
use crate::domain::plan::Plan;
use crate::domain::record::{Attested, Ended, Intent, RowEnd};
use crate::domain::time::UtcMs;

/// Lines the journal pane can scroll back to.
pub const LOG_LINES: usize = 2_000;

/// Where a stage is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing read yet.
    #[default]
    Waiting,
    /// Reading both accounts.
    Gathering,
    /// Reading or planning failed; nothing was written.
    GatherFailed {
        /// One sentence.
        why: String,
        /// It was a mistake in a file of the operator's.
        input: bool,
    },
    /// A plan waits for decisions and approval.
    Review,
    /// The facts are being read again before approval.
    Checking,
    /// Approved; writes are being sent, unless the run is paused.
    Writing,
    /// A stop rule or a refusal ended the writing; it can be taken up again.
    Halted {
        /// What happened.
        why: String,
    },
    /// Every planned row has an end; the result is to be verified.
    Written,
    /// The result is being read by another path.
    Auditing,
    /// The audit could not be made; what was written stays written.
    AuditFailed {
        /// One sentence.
        why: String,
    },
    /// Verified.
    Done,
    /// What was written is being taken back, unless the run is paused.
    Undoing,
    /// It has been, as far as it could be.
    Undone,
}

impl Phase {
    /// The word on screen and in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Gathering => "gathering",
            Self::GatherFailed { .. } => "gather_failed",
            Self::Review => "review",
            Self::Checking => "checking",
            Self::Writing => "writing",
            Self::Halted { .. } => "halted",
            Self::Written => "written",
            Self::Auditing => "auditing",
            Self::AuditFailed { .. } => "audit_failed",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// Whether a worker of the engine is at it.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(
            self,
            Self::Gathering | Self::Checking | Self::Writing | Self::Auditing | Self::Undoing
        )
    }
}

/// What is known about one row beyond its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowDetail {
    /// One sentence about the end, or about what is being waited for.
    pub why: String,
    /// Stripe's code, for grouping failures.
    pub code: String,
    /// What moved, when it differs from the plan.
    pub moved: Option<Money>,
    /// Effects and what became of them, in order.
    pub effects: Vec<(EffectId, String, EffectWord)>,
    /// A negative probe: a person must allow sending again.
    pub needs_reissue: bool,
}

/// What became of an effect, for the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectWord {
    /// Sent or about to be; no outcome yet.
    Open,
    /// Not known.
    Unknown {
        /// One sentence.
        why: String,
    },
    /// Happened.
    Done {
        /// The object.
        object: String,
        /// The request.
        request_id: String,
    },
    /// Refused.
    Rejected {
        /// Stripe's words.
        message: String,
        /// The request.
        request_id: String,
    },
}

/// A row of the plan while it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowState {
    /// Its end; `None` is pending.
    pub end: Option<RowEnd>,
    /// A write of it is on its way or its outcome is awaited.
    pub working: bool,
    /// More, for rows about which there is more.
    pub detail: Option<Arc<RowDetail>>,
}

/// How far a piece of work is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// What is being done: `reading customers of the old account`.
    pub what: String,
    /// Pieces done.
    pub done: u64,
    /// Pieces in all, once known.
    pub total: Option<u64>,
    /// When it began.
    pub started_at: UtcMs,
    /// When the last piece was done.
    pub last_at: UtcMs,
}

impl Meter {
    /// Pieces per 100 seconds since it began, or `None` before there is enough to say.
    #[must_use]
    pub fn per_100_s(&self) -> Option<u64> {
        let ms = u64::try_from(self.last_at.since(self.started_at))
            .ok()
            .filter(|ms| *ms >= 2_000)?;
        (self.done >= 10).then(|| self.done * 100_000 / ms)
    }

    /// Milliseconds left at that rate; `None` until the rate means something.
    #[must_use]
    pub fn left_ms(&self) -> Option<i64> {
        let rate = self.per_100_s().filter(|rate| *rate > 0)?;
        let left = self.total?.saturating_sub(self.done);
        i64::try_from(left * 100_000 / rate).ok()
    }
}

/// Rows and money by how they ended. Money in minor units, positive is credit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows per end.
    pub rows: BTreeMap<RowEnd, u64>,
    /// Money per end and currency: what the rows were planned for, except that `done` counts what moved.
    pub money: BTreeMap<(RowEnd, Currency), i64>,
}

impl Tally {
    /// Rows that ended so.
    #[must_use]
    pub fn count(&self, end: RowEnd) -> u64 {
        self.rows.get(&end).copied().unwrap_or(0)
    }

    /// Rows that ended at all.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.rows.values().sum()
    }

    /// Money of rows that ended so.
    #[must_use]
    pub fn money(&self, end: RowEnd, currency: Currency) -> i64 {
        self.money.get(&(end, currency)).copied().unwrap_or(0)
    }
}

/// The last look at the facts before approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftCheck {
    /// The plan it checked.
    pub digest: Digest,
    /// Objects read.
    pub objects: u64,
    /// Rows whose facts changed.
    pub drifted: Vec<ChangeKey>,
    /// When.
    pub at: UtcMs,
}

/// One stage.
#[derive(Clone, Debug)]
pub struct StageState {
    /// Which.
    pub id: StageId,
    /// Where it is.
    pub phase: Phase,
    /// The plan, decisions included.
    pub plan: Option<Arc<Plan>>,
    /// Plan file, relative to the run directory.
    pub plan_file: Option<String>,
    /// Chain head of the snapshot the plan rests on.
    pub snapshot: Option<String>,
    /// Rows seen while gathering, before there is a plan.
    pub preview: Arc<Vec<Arc<Change>>>,
    /// Parallel to `plan.changes()`.
    pub rows: Arc<Vec<RowState>>,
    /// Sums of `rows`.
    pub tally: Tally,
    /// The approval, once given.
    pub approval: Option<Approval>,
    /// The last look before approval.
    pub check: Option<DriftCheck>,
    /// How far the present work is.
    pub meter: Meter,
    /// What people have to know: the plan's and the audit's.
    pub findings: Arc<Vec<Finding>>,
    /// Rows the audit compared, and when.
    pub audited: Option<(u64, UtcMs)>,
    /// The last undo of what was written, once one was begun.
    pub undo: Option<Arc<UndoState>>,
}

impl StageState {
    /// A stage of which nothing is known yet.
    #[must_use]
    pub fn new(id: StageId) -> Self {
        Self {
            id,
            phase: Phase::default(),
            plan: None,
            plan_file: None,
            snapshot: None,
            preview: Arc::default(),
            rows: Arc::default(),
            tally: Tally::default(),
            approval: None,
            check: None,
            meter: Meter::default(),
            findings: Arc::default(),
            audited: None,
            undo: None,
        }
    }

    /// The rows to show: the plan's, or while gathering those seen so far.
    #[must_use]
    pub fn changes(&self) -> &[Arc<Change>] {
        self.plan
            .as_ref()
            .map_or(self.preview.as_slice(), |plan| plan.changes())
    }

    /// Planned rows without an end.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.plan
            .as_ref()
            .map_or(0, |plan| plan.totals().planned.saturating_sub(self.tally.ended()))
    }

    /// Rows that end the stage with something other than success. Taken back on purpose is neither.
    #[must_use]
    pub fn not_done(&self) -> u64 {
        self.tally.ended() - self.tally.count(RowEnd::Done) - self.tally.count(RowEnd::Undone)
    }
}

/// One line of the journal, as the journal pane shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Sequence number in the journal; 0 for lines that are not in it (pacing notes).
    pub seq: u64,
    /// When.
    pub at: UtcMs,
    /// The stage, if any.
    pub stage: Option<StageId>,
    /// The row, if it is about one.
    pub row: Option<ChangeKey>,
    /// The line, safe to draw.
    pub text: String,
    /// How it strikes the eye.
    pub tone: crate::domain::panel::Tone,
}

/// What an account is being asked, and what holds requests back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Share of Stripe's limit in use, in percent.
    pub share_percent: u32,
    /// Requests a second that share allows now.
    pub limit_per_s: u32,
    /// Stripe's limit.
    pub full_per_s: u32,
    /// Requests sent in the last second.
    pub sent_last_s: u32,
    /// Requests in flight.
    pub in_flight: u32,
    /// Requests waiting for a slot, and why the longest waits.
    pub waiting: u32,
    /// The reason, in words; empty when nothing waits.
    pub reason: String,
    /// Requests per second over the last minute, oldest first.
    pub history: Vec<u32>,
    /// 429 answers so far.
    pub status_429: u64,
    /// GETs so far.
    pub gets: u64,
    /// Writes so far.
    pub writes: u64,
    /// Most requests in any one second.
    pub most_in_a_second: u32,
    /// GETs of the last 30 days, this run's and the operator's starting figure, against Stripe's read allocation.
    pub gets_30_days: u64,
    /// When the last answer came.
    pub last_reply_at: Option<UtcMs>,
}

/// The whole run.
#[derive(Clone, Debug, Default)]
pub struct RunState {
    /// Run id.
    pub run: String,
    /// When it began: its first record; `None` only before that.
    pub began: Option<UtcMs>,
    /// The accounts; `None` only before the first record.
    pub accounts: Option<Accounts>,
    /// Names for the accounts, for people.
    pub names: BTreeMap<Role, String>,
    /// Scope digest and words.
    pub scope: Option<(Digest, String)>,
    /// Seed of a rehearsal.
    pub seed: Option<u64>,
    /// Who has the pen.
    pub operator: String,
    /// All stages, in order.
    pub stages: Vec<StageState>,
    /// Who paused, while paused.
    pub paused: Option<String>,
    /// Records in the journal.
    pub journal_seq: u64,
    /// Head of the journal's chain.
    pub journal_head: String,
    /// The journal pane.
    pub log: Arc<VecDeque<LogLine>>,
    /// Per account.
    pub budgets: BTreeMap<Role, Budget>,
    /// Requests sent by earlier pieces of work of this run, GETs and writes, by account.
    pub used: BTreeMap<Role, (u64, u64)>,
    /// The clock when this was published.
    pub now: UtcMs,
    /// Virtual seconds per real one; `None` on the real clock.
    pub speed: Option<u32>,
    /// Whether the configuration waives the second name.
    pub witness_waived: bool,
    /// The engine stopped for good, and why: disk full, journal broken.
    pub fatal: Option<String>,
}

impl RunState {
    /// A run of which nothing is known yet.
    #[must_use]
    pub fn new(stages: impl IntoIterator<Item = StageId>) -> Self {
        Self {
            stages: stages.into_iter().map(StageState::new).collect(),
            ..Self::default()
        }
    }

    /// The stage.
    #[must_use]
    pub fn stage(&self, id: StageId) -> Option<&StageState> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The stage, to change it.
    pub fn stage_mut(&mut self, id: StageId) -> Option<&mut StageState> {
        self.stages.iter_mut().find(|stage| stage.id == id)
    }

    /// The one stage that may write now, or take back.
    #[must_use]
    pub fn armed(&self) -> Option<StageId> {
        self.stages
            .iter()
            .find(|stage| matches!(stage.phase, Phase::Writing | Phase::Undoing))
            .map(|stage| stage.id)
    }
}

/// What is known about one effect, for the writer: what recovery needs, and nothing of it once it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectState {
    /// An intent without an outcome: the request may or may not have left.
    Open(Box<Intent>),
    /// Whether it happened is not known; the same key must not be tried again before a probe.
    Unknown {
        /// The last intent.
        intent: Box<Intent>,
        /// When it became unknown.
        since: UtcMs,
        /// A probe after the quiet time found nothing.
        probed_absent: bool,
        /// A person, or a policy, allowed sending again.
        reissue: bool,
    },
    /// It ended.
    Ended(Ended),
}

impl EffectState {
    /// What was attested, if it happened.
    #[must_use]
    pub const fn attested(&self) -> Option<&Attested> {
        match self {
            Self::Ended(Ended::Done(attested)) => Some(attested),
            _ => None,
        }
    }
}

/// All effects of a run by row: the part of the fold that only the writer reads.
#[derive(Clone, Debug, Default)]
pub struct EffectBook {
    rows: BTreeMap<(StageId, ChangeKey), Vec<(EffectId, EffectState)>>,
    /// The highest generation that any effect of a stage had, and the one it had when the stage was last taken back.
    generations: BTreeMap<StageId, (u32, u32)>,
}
