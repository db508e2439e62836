//! One line of the journal. Everything that is true of a run is a fold over these; screens, reports, watchers and
//! recovery read nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::approval::Approval;
use super::change::{ChangeKey, Decision};
use super::finding::Finding;
use super::ids::{Accounts, Digest, EffectId, Role, StageId};
use super::money::Money;
use super::plan::Totals;
use super::time::UtcMs;
use super::upload::Upload;
use super::write::Method;

/// How a planned row ended. `Pending` is the absence of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowEnd {
    /// Every write attested.
    Done,
    /// Stripe refused; nothing more will be tried under this plan.
    Failed,
    /// Its facts changed after planning; needs a new plan.
    Drifted,
    /// Whether it happened could not be found out yet. Never success, never failure.
    Unknown,
    /// Taken back.
    Undone,
}

impl RowEnd {
    /// The word on screen, in JSON and in filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Drifted => "drifted",
            Self::Unknown => "unknown",
            Self::Undone => "undone",
        }
    }
}

/// What a response or a probe attested about an effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// Id of the object that carries the effect's marker.
    pub object: String,
    /// Request that created it, as far as known.
    pub request_id: String,
    /// Answered from Stripe's store of idempotent responses.
    pub replayed: bool,
    /// Found by a probe rather than by a response.
    pub found: bool,
    /// Numbers the stage needs to go on: `ending_balance`, in minor units and Stripe's sign.
    pub numbers: BTreeMap<String, i64>,
}

/// How one effect ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Ended {
    /// It happened, and was attested.
    Done(Attested),
    /// It did not happen: Stripe refused.
    Rejected {
        /// HTTP status.
        status: u16,
        /// Stripe's code, or its type.
        code: String,
        /// Stripe's message, made safe.
        message: String,
        /// The request.
        request_id: String,
    },
}

/// Everything a recovery needs to send the very same bytes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The stage.
    pub stage: StageId,
    /// The row.
    pub row: ChangeKey,
    /// The stage's name for the write.
    pub op: String,
    /// The effect.
    pub effect: EffectId,
    /// Attempt generation; a new one only after a negative probe.
    pub generation: u32,
    /// The account.
    pub role: Role,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The body, byte for byte.
    pub body: String,
    /// The `Idempotency-Key`.
    pub key: String,
    /// The plan.
    pub plan: Digest,
    /// How much it moves.
    pub money: Option<Money>,
    /// The server's time as far as known when it was first sent; the age of the key counts from here.
    pub server_at: UtcMs,
    /// Token of the lock under which it was sent.
    pub fence: String,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// A process took up the run.
    Opened {
        /// The run.
        run: String,
        /// The accounts.
        accounts: Accounts,
        /// Version of the program.
        tool: String,
        /// Version header sent to Stripe.
        api_version: String,
        /// Digest of the scope rule.
        scope: Digest,
        /// The rule for people.
        scope_words: String,
        /// Seed of a rehearsal.
        seed: Option<u64>,
        /// Who, on which machine.
        operator: String,
        /// Token of the lock.
        fence: String,
    },
    /// The last line was torn by a crash; what was there is kept aside.
    TailRecovered {
        /// Bytes cut.
        bytes: u64,
        /// Where they are kept, relative to the run directory.
        saved_as: String,
    },
    /// Reading began.
    Gathering {
        /// The stage.
        stage: StageId,
    },
    /// Reading ended.
    Gathered {
        /// The stage.
        stage: StageId,
        /// Chain head of the snapshot.
        snapshot: String,
        /// File of the snapshot, relative to the run directory.
        file: String,
        /// Things read, by name: `customers_source`.
        counts: BTreeMap<String, u64>,
    },
    /// Reading or planning failed; nothing was written.
    GatherFailed {
        /// The stage.
        stage: StageId,
        /// One sentence.
        why: String,
        /// It was a mistake in a file of the operator's, and reading again without correcting it is in vain.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        input: bool,
    },
    /// A plan was made and stored.
    Planned {
        /// The stage.
        stage: StageId,
        /// Its digest.
        digest: Digest,
        /// Its totals.
        totals: Totals,
        /// File, relative to the run directory.
        file: String,
    },
    /// Rows were decided.
    Decided {
        /// The stage.
        stage: StageId,
        /// The rows.
        rows: Vec<ChangeKey>,
        /// The decision, the same for all.
        decision: Decision,
    },
    /// The facts were read again before approval.
    Checked {
        /// The stage.
        stage: StageId,
        /// The plan that was checked.
        digest: Digest,
        /// How many objects were read.
        objects: u64,
        /// Rows whose facts changed.
        drifted: Vec<ChangeKey>,
    },
    /// An approval; from here on the plan may be written.
    Approved {
        /// The approval.
        approval: Approval,
    },
    /// Durable before its request leaves.
    Intent(Intent),
    /// Durable before a transaction of the application's database begins. Whether it was committed stands in the
    /// effect ledger, in the same transaction as the rows.
    Batch {
        /// The stage.
        stage: StageId,
        /// The table.
        table: String,
        /// The rows, at most as many as a transaction has.
        rows: Vec<ChangeKey>,
        /// Token of the lock under which it began.
        fence: String,
    },
    /// An effect ended.
    Outcome {
        /// The stage.
        stage: StageId,
        /// The row.
        row: ChangeKey,
        /// The effect.
        effect: EffectId,
        /// Its generation.
        generation: u32,
        /// How.
        ended: Ended,
    },
    /// Whether an effect happened is not known.
    Unknown {
        /// The stage.
        stage: StageId,
        /// The row.
        row: ChangeKey,
        /// The effect.
        effect: EffectId,
        /// Its generation.
        generation: u32,
        /// One sentence.
        why: String,
        /// The request, where there is an id.
        request_id: String,
    },
    /// A strongly consistent look for an effect.
    Probe {
        /// The stage.
        stage: StageId,
        /// The row.
        row: ChangeKey,
        /// The effect.
        effect: EffectId,
        /// The generation it looked for.
        generation: u32,
        /// Whether it was there.
        found: bool,
        /// The request.
        request_id: String,
    },
    /// A person, or a named policy, allows sending again after a negative probe.
    Reissue {
        /// The stage.
        stage: StageId,
        /// The row.
        row: ChangeKey,
        /// Who.
        by: String,
    },
    /// A row ended.
    Row {
        /// The stage.
        stage: StageId,
        /// The row.
        row: ChangeKey,
        /// How.
        end: RowEnd,
        /// One sentence; empty for `Done`.
        why: String,
        /// Stripe's code, for grouping; empty when there is none.
        code: String,
        /// What moved in the end, when it differs from the plan.
        moved: Option<Money>,
    },
    /// Writing of a stage began or went on.
    Writing {
        /// The stage.
        stage: StageId,
        /// The plan.
        digest: Digest,
    },
    /// No new write starts.
    Paused {
        /// Who.
        by: String,
    },
    /// Writing may go on.
    Resumed {
        /// Who.
        by: String,
    },
    /// A stop rule, or a refusal, ended writing of a stage.
    Halted {
        /// The stage.
        stage: StageId,
        /// What happened.
        why: String,
    },
    /// Every planned row has an end.
    Written {
        /// The stage.
        stage: StageId,
    },
    /// The result was read by another path.
    Audited {
        /// The stage.
        stage: StageId,
        /// Rows compared; zero is a failure.
        compared: u64,
        /// What differs, or has to be known.
        findings: Vec<Finding>,
    },
    /// What a stage wrote is to be taken back: from here on its rows are those of this undo. Durable before the first
    /// request; it goes on as [`Record::Writing`] with the digest of its plan.
    Undoing {
        /// The stage.
        stage: StageId,
        /// The approval of the undo's plan.
        approval: Approval,
        /// File of that plan, relative to the run directory.
        file: String,
        /// What it cannot try to take back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<Finding>,
    },
    /// What could be taken back was. The rows themselves stand as `Row` records with the end `undone`.
    Undone {
        /// The stage.
        stage: StageId,
        /// Who.
        by: String,
        /// Rows restored.
        restored: u64,
        /// Rows that were not, because somebody changed them since.
        left: Vec<Finding>,
    },
    /// A file of the stage's was uploaded by hand.
    Uploaded {
        /// The stage.
        stage: StageId,
        /// Which, when, and what the Dashboard calls it.
        upload: Upload,
    },
    /// Requests sent since the last such record: counts towards Stripe's read allocation over 30 days.
    Used {
        /// The account.
        role: Role,
        /// GETs.
        gets: u64,
        /// Writes.
        writes: u64,
    },
    /// The audit could not be made.
    AuditFailed {
        /// The stage.
        stage: StageId,
        /// One sentence.
        why: String,
    },
}

impl Record {
    /// The stage it belongs to, if any.
    #[must_use]
    pub const fn stage(&self) -> Option<StageId> {
        match self {
            Self::Gathering { stage }
            | Self::Gathered { stage, .. }
            | Self::GatherFailed { stage, .. }
            | Self::Planned { stage, .. }
            | Self::Decided { stage, .. }
            | Self::Checked { stage, .. }
            | Self::Batch { stage, .. }
            | Self::Outcome { stage, .. }
            | Self::Unknown { stage, .. }
            | Self::Probe { stage, .. }
            | Self::Reissue { stage, .. }
            | Self::Row { stage, .. }
            | Self::Writing { stage, .. }
            | Self::Halted { stage, .. }
            | Self::Written { stage }
            | Self::Audited { stage, .. }
            | Self::Undoing { stage, .. }
            | Self::Undone { stage, .. }
            | Self::Uploaded { stage, .. }
            | Self::AuditFailed { stage, .. } => Some(*stage),
            Self::Approved { approval } => Some(approval.stage),
            Self::Intent(intent) => Some(intent.stage),
            Self::Opened { .. }
            | Self::TailRecovered { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::Used { .. } => None,
        }
    }
}
