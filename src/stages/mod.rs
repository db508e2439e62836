//! The stages: vertical slices. A stage reads, plans, scripts its writes, verifies and says what its panel shows; it
//! cannot write. [`all`] is the only list of stages there is.
//!
//! A stage describes its writing as a **script**: a pure function from a row and what has happened so far to the next
//! [`Step`]. The engine performs the step, exactly once, and asks again. So order ("debit the old account, look at the
//! ending balance, then grant") is decided in pure code that can be tested over every history, and recovery after a
//! crash is the same function over the history read back from the journal.

pub mod catalogue;
pub mod coupons;
pub mod credits;
pub mod mapping;
pub mod people;
pub mod subscriptions;

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use thiserror::Error;

use crate::clock::Clock;
use crate::domain::change::{Change, ChangeKey};
use crate::domain::finding::Finding;
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::mapped::{IdMap, Mapped};
use crate::domain::money::Money;
use crate::domain::panel::Panel;
use crate::domain::plan::{Header, Plan, PlanError};
use crate::domain::record::{Attested, RowEnd};
use crate::domain::scope::ScopeRule;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stripe::Reader;
use crate::stripe::error::Failure;
use crate::stripe::reply::Meta;

/// A future on the heap, as the object-safe trait needs it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Settings of all stages, from the configuration or the rehearsal's policy.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who moves.
    pub scope: ScopeRule,
    /// Of the catalogue stage.
    pub catalogue: catalogue::Settings,
    /// Of the mapping stage.
    pub mapping: mapping::Settings,
    /// Of the credits stage.
    pub credits: credits::Settings,
    /// Of the coupons stage.
    pub coupons: coupons::Settings,
    /// Of the subscriptions stage.
    pub subscriptions: subscriptions::Settings,
}

/// A file of the operator's, read once and whole, so that what was linted is what is planned from.
#[derive(Clone, Debug)]
pub struct OperatorFile {
    /// Where it was.
    pub path: PathBuf,
    /// What stood in it.
    pub bytes: Arc<Vec<u8>>,
}

/// Where everything that is read is kept. The engine chains the lines into a file of the run directory.
pub trait Keep: Send + Sync {
    /// Appends one line.
    fn keep(&self, line: &serde_json::value::RawValue) -> Result<(), String>;
}

/// Where progress goes. May be dropped: the latest wins.
pub trait Watch: Send + Sync {
    /// How far the work named `what` is.
    fn progress(&self, what: &str, done: u64, total: Option<u64>);
    /// Rows as they become known, before there is a plan.
    fn preview(&self, rows: Vec<Arc<Change>>);
}

/// What a stage may use to read.
pub struct Reading {
    /// The two accounts, read-only.
    pub readers: BTreeMap<Role, Reader>,
    /// Their ids and mode, as pinned.
    pub accounts: Accounts,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Old ids and what stands for them on the new account, from the stages before.
    pub ids: Arc<IdMap>,
    /// The application's database, where one is configured.
    pub app: Option<crate::appdb::Reader>,
    /// The clock.
    pub clock: Clock,
    /// When the run began; of what is read outside a run, now.
    pub began: UtcMs,
    /// The snapshot.
    pub keep: Arc<dyn Keep>,
    /// The screen.
    pub watch: Arc<dyn Watch>,
}

impl Reading {
    /// The account in that role.
    pub fn reader(&self, role: Role) -> Result<&Reader, StageError> {
        self.readers.get(&role).ok_or(StageError::NoReader(role))
    }

    /// Refuses an object of the other mode than the keys were said to be.
    pub fn of_this_mode(&self, role: Role, id: &str, livemode: Option<bool>) -> Result<(), StageError> {
        let want = self.accounts.environment.livemode();
        if livemode.is_some_and(|have| have != want) {
            return Err(StageError::Refused(format!(
                "{} on the {role} account is of the other mode than the keys were said to be; check the configuration",
                safe(id)
            )));
        }
        Ok(())
    }

    /// Keeps `fact` in the snapshot.
    pub fn remember<T: Serialize>(&self, fact: &T) -> Result<(), StageError> {
        let line = serde_json::value::to_raw_value(fact).map_err(|e| StageError::Snapshot(e.to_string()))?;
        self.keep.keep(&line).map_err(StageError::Snapshot)
    }
}

/// What can go wrong while a stage reads, plans or verifies. Nothing has been written when one of these appears while
/// gathering.
#[derive(Debug, Error)]
pub enum StageError {
    /// No connection to that account was given.
    #[error("there is no connection to the {0} account")]
    NoReader(Role),
    /// Stripe did not answer as needed.
    #[error("reading the {role} account failed: {why}")]
    Read {
        /// Which account.
        role: Role,
        /// What happened, with the request id.
        why: String,
    },
    /// The snapshot could not be kept.
    #[error("what was read could not be kept: {0}")]
    Snapshot(String),
    /// A file of the operator's is not usable.
    #[error("{0}")]
    Input(String),
    /// The rows do not form a plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A setting without which the stage cannot plan.
    #[error("{0}")]
    Setting(String),
    /// Too many rows were drifting, or another reason why a result cannot be trusted.
    #[error("{0}")]
    Refused(String),
}

/// Stripe did not answer as needed: one sentence, with the request id where there is one.
#[must_use]
pub fn failed(role: Role, failure: &Failure) -> StageError {
    let request = failure
        .request_id()
        .map(|id| format!(" ({id})"))
        .unwrap_or_default();
    StageError::Read {
        role,
        why: format!("{}{request}", safe(&failure.to_string())),
    }
}

/// Which request said something, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Read {
    /// Stripe's request id; one for all that stood on the same page.
    pub request_id: Arc<str>,
    /// When it was answered.
    pub at: UtcMs,
}

impl Read {
    /// Of an answer.
    #[must_use]
    pub fn of(meta: &Meta) -> Self {
        Self {
            request_id: meta.request_id.as_deref().unwrap_or_default().into(),
            at: meta.at,
        }
    }
}

/// What was read, whole. Only the stage that made it looks inside.
pub struct Gathered {
    /// The stage's own facts.
    pub facts: Box<dyn Any + Send + Sync>,
    /// Things read, by name, for the journal.
    pub counts: BTreeMap<String, u64>,
}

/// What the last look before approval found.
pub struct Recheck {
    /// Objects read.
    pub objects: u64,
    /// Rows whose facts differ from the plan's.
    pub drifted: Vec<ChangeKey>,
}

/// What an audit found.
pub struct Audit {
    /// Rows compared. Zero where the plan wrote something is a failure of the audit.
    pub compared: u64,
    /// What differs, or has to be known.
    pub findings: Vec<Finding>,
}

/// A file for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name in the run directory.
    pub name: Cow<'static, str>,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// One read of a script: always a strongly consistent GET of the API, never a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The stage's name for it.
    pub label: &'static str,
    /// Which account.
    pub role: Role,
    /// Path.
    pub path: String,
    /// Query, without `limit` and cursors.
    pub query: Vec<(String, String)>,
    /// A list, to be paged to its end; otherwise one object.
    pub list: bool,
}

/// What a script has behind it, in order.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A look and what it saw: the items of a list, or one object. `None`: the object does not exist.
    Saw {
        /// Which look.
        label: &'static str,
        /// Raw JSON of each item.
        items: Option<Vec<Bytes>>,
        /// When.
        at: UtcMs,
    },
    /// A write that happened.
    Wrote {
        /// Which write.
        op: String,
        /// What was attested.
        attested: Attested,
    },
    /// The other rows of the subject had their turn, see [`Step::GiveWay`]. Not on record: a row that is taken up again
    /// gives way again.
    GaveWay,
}

/// What a script wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read something just before writing.
    Look(Look),
    /// Send this write: one of the row's approved writes, or the same with a smaller amount.
    Write(PlannedWrite),
    /// Let the other rows of the subject go first, then ask again: what this row writes next rests on them.
    GiveWay,
    /// The row has ended.
    End {
        /// How.
        end: RowEnd,
        /// One sentence; empty when there is nothing to say.
        why: String,
        /// What moved, when it differs from the plan.
        moved: Option<Money>,
    },
}

/// A stage, as the engine and the screens see it. Implementations are listed in [`all`] and nowhere else.
pub trait Stage: Send + Sync {
    /// Which.
    fn id(&self) -> StageId;

    /// Reads both accounts. GETs only.
    fn gather<'a>(&'a self, reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>>;

    /// What every plan of this stage is for, under these settings: accounts, scope, policies.
    fn header(&self, accounts: &Accounts, settings: &Settings) -> Result<Header, StageError>;

    /// Whether a plan with this header is one for `wanted`, the header of these settings. The same, unless the stage puts
    /// something into its plans that comes of when they were made.
    fn fits(&self, plan: &Header, wanted: &Header) -> bool {
        plan == wanted
    }

    /// Makes a plan of what was read, which is used up. Pure: the same facts give the same plan.
    fn plan(&self, gathered: Gathered, reading: &Reading) -> Result<Plan, StageError>;

    /// Reads the facts of `plan` again, cheaply, before approval.
    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>>;

    /// The script: what to do next for `change`, given what has happened. Pure.
    fn next(&self, change: &Change, facts: &[Fact]) -> Step;

    /// Order among rows of one subject, which are written one after another: lowest first.
    fn rank(&self, change: &Change) -> u32;

    /// Whether a row rests on rows of its subject with a lower rank: it is not begun while one of these is unknown.
    fn follows(&self, _change: &Change) -> bool {
        false
    }

    /// The writes that take back what a row wrote: `made` is the object of each of its writes that happened, by op.
    /// Reviewed, sealed and approved like the plan's own, and attested, looked for and told apart by the same
    /// [`Stage::attest`], [`Stage::probe`] and [`Stage::is_effect`]. Pure. Nothing for a row that cannot be taken back.
    ///
    /// Each write is an effect of its own: [`crate::domain::ids::EffectId::new`] over its op, the row's subject and 0.
    fn undo(&self, _change: &Change, _made: &BTreeMap<String, String>) -> Vec<PlannedWrite> {
        Vec::new()
    }

    /// The script that takes a row back, by the rules of [`Stage::next`]. `undo` is the row as it was planned, with the
    /// writes of [`Stage::undo`] in place of its own; the facts are those of the undo alone. It ends in
    /// [`RowEnd::Undone`], or, where something is in the way, in [`RowEnd::Drifted`] or [`RowEnd::Failed`] with the
    /// reason: that row stays as it is. Unless a stage has to look first, the writes go out one after another.
    fn undo_next(&self, undo: &Change, facts: &[Fact]) -> Step {
        in_order(undo, facts)
    }

    /// What `cutover undo` does to this stage's writes, for whoever approves them; `None` where it can do nothing.
    fn undo_words(&self) -> Option<&'static str> {
        None
    }

    /// Order among rows of one subject while they are taken back, lowest first: the last written is the first taken back.
    fn undo_rank(&self, change: &Change) -> u32 {
        u32::MAX - self.rank(change)
    }

    /// Whether a response (or an object found by a probe) is the effect that was sent; says what differs otherwise. Of a
    /// DELETE the response is Stripe's `deleted` object, or the subscription that was cancelled.
    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String>;

    /// Where to look for `write` when its outcome is unknown: a strongly consistent list, or the object itself. `since`
    /// is when it was first sent, by the server's clock. For a DELETE the look is at the object: one that is not there
    /// any more (or says `deleted`) is gone, and nothing else is asked; one that is there is asked about like any other.
    fn probe(&self, write: &PlannedWrite, since: UtcMs) -> Look;

    /// Whether `object`, seen by a look after an unknown outcome, came of `write`. By its marker; a stage with writes
    /// that leave none ([`PlannedWrite::marked`]) says it by what they set.
    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        marker_of(object).is_some_and(|effect| effect == write.effect.0)
    }

    /// Which old object is which new one, as far as `change` says: `made` is the object its writes created, and there
    /// is none where nothing had to be written.
    fn ids(&self, _change: &Change, _made: Option<&str>) -> Option<Mapped> {
        None
    }

    /// Files for people that come of a plan: kept in the run directory, and made anew whenever the plan changes.
    fn files(&self, _plan: &Plan) -> Vec<File> {
        Vec::new()
    }

    /// Reads the result by another path than the one that wrote it, and compares.
    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [(ChangeKey, RowEnd, Option<Money>)],
    ) -> Boxed<'a, Result<Audit, StageError>>;

    /// What the panel says, for a plan or before there is one.
    fn panel(&self, plan: Option<&Plan>) -> Panel;

    /// The cells of one row, one per column of [`Stage::panel`]. Personal text is masked unless `unmasked`.
    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String>;
}

/// One write of `undo` after another, then its end.
#[must_use]
pub fn in_order(undo: &Change, facts: &[Fact]) -> Step {
    let sent = |write: &&PlannedWrite| {
        facts
            .iter()
            .any(|fact| matches!(fact, Fact::Wrote { op, .. } if *op == write.op))
    };
    match undo.writes_now().iter().find(|write| !sent(write)) {
        Some(write) => Step::Write(write.clone()),
        None => Step::End {
            end: RowEnd::Undone,
            why: String::new(),
            moved: None,
        },
    }
}

/// The marker an object carries, see [`crate::domain::write::marker::EFFECT`].
#[must_use]
pub fn marker_of(object: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Marked {
        metadata: Option<BTreeMap<String, String>>,
    }
    let marked: Marked = serde_json::from_slice(object).ok()?;
    marked.metadata?.remove(crate::domain::write::marker::EFFECT)
}

/// Every stage, in order. Adding one here is all that screens, help, journal, approval, reports and tests need.
#[must_use]
pub fn all() -> Vec<Arc<dyn Stage>> {
    vec![
        Arc::new(catalogue::Catalogue),
        Arc::new(mapping::Mapping),
        Arc::new(credits::Credits),
        Arc::new(coupons::Coupons),
        Arc::new(subscriptions::Subscriptions),
    ]
}

/// The stage with that id.
#[must_use]
pub fn get(id: StageId) -> Option<Arc<dyn Stage>> {
    all().into_iter().find(|stage| stage.id() == id)
}
