//! Taking up a run: verify the journal, fold it, say who is here, then loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;
use tokio::sync::{mpsc, watch};

use super::{Engine, Inbox, WriteKeys};
use crate::clock::Clock;
use crate::domain::ids::{Accounts, Role};
use crate::domain::record::Record;
use crate::domain::time::UtcMs;
use crate::engine::command::Handle;
use crate::engine::journal::{Journal, JournalError, Opened, Store};
use crate::engine::rundir::RunDir;
use crate::engine::server_time::ServerTime;
use crate::engine::state::{EffectBook, RunState};
use crate::engine::vault::Vault;
use crate::engine::worker::Desk;
use crate::stages::{self, Settings};
use crate::stripe::{Link, STRIPE_VERSION, SetupError};

/// Commands that may wait.
const COMMANDS: usize = 16;
/// Reports that may wait.
const REPORTS: usize = 256;
/// Journalled records that may wait to be folded.
const FOLDED: usize = 4_096;

/// Everything a run begins with.
pub struct Begin {
    /// The directory, locked.
    pub dir: Arc<RunDir>,
    /// The run's id.
    pub run: String,
    /// The clock.
    pub clock: Clock,
    /// The accounts.
    pub accounts: Accounts,
    /// Their names for people.
    pub names: BTreeMap<Role, String>,
    /// Connections with the read keys.
    pub links: BTreeMap<Role, Link>,
    /// Loads write keys.
    pub write_keys: WriteKeys,
    /// The application's database, where one is configured.
    pub app: Option<crate::appdb::Database>,
    /// GETs of the last 30 days before this run, by the operator's word.
    pub gets_before: BTreeMap<Role, u64>,
    /// Settings of the stages.
    pub settings: Arc<Settings>,
    /// Who has the pen: user and host.
    pub operator: String,
    /// Seed of a rehearsal.
    pub seed: Option<u64>,
    /// The configuration waives the second name.
    pub witness_waived: bool,
}

/// Why a run cannot be taken up. Nothing was written to Stripe.
#[derive(Debug, Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A connection.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The records do not fold.
    #[error("the run's journal cannot be taken up: {0}")]
    Fold(String),
}

/// What the journal says, folded.
struct Found {
    state: RunState,
    book: EffectBook,
    last_at: UtcMs,
}

/// Starts the engine on a run directory, new or taken up again.
pub async fn start(begin: Begin) -> Result<Handle, StartError> {
    let vault = Vault::new(begin.dir.clone());
    let (opened, found) = open(&begin, &vault)?;
    // A rehearsal's time goes on where it was.
    begin.clock.advance_to(found.last_at);
    let (reports, inbox_reports) = mpsc::channel(REPORTS);
    let (folded, inbox_folded) = mpsc::channel(FOLDED);
    let (commands, inbox_commands) = mpsc::channel(COMMANDS);
    let (publish, state) = watch::channel(Arc::new(found.state.clone()));
    let mut readers = BTreeMap::new();
    for (role, link) in &begin.links {
        readers.insert(*role, link.reader()?);
    }
    let desk = Desk {
        readers,
        accounts: begin.accounts.clone(),
        settings: begin.settings.clone(),
        app: begin.app.as_ref().map(crate::appdb::Database::reader),
        ids: Arc::default(),
        clock: begin.clock.clone(),
        began: found.state.began.unwrap_or_else(|| begin.clock.now()),
        reports,
    };
    let mut engine = Engine {
        state: found.state,
        book: found.book,
        vault,
        journal: store(opened.journal),
        server: begin
            .links
            .keys()
            .map(|role| (*role, ServerTime::default()))
            .collect(),
        links: begin.links,
        write_keys: begin.write_keys,
        app: begin.app,
        gets_before: begin.gets_before,
        counted: BTreeMap::new(),
        process_began: begin.clock.now(),
        fence: begin.dir.lock().holder().token.clone(),
        folded,
        publish,
        published: Instant::now(),
        writing: None,
        reading: Vec::new(),
        quitting: false,
        desk,
    };
    engine.state.names = begin.names;
    engine.state.witness_waived = begin.witness_waived;
    let mut first = Vec::new();
    if let Some(torn) = opened.torn {
        first.push(Record::TailRecovered {
            bytes: torn.bytes,
            saved_as: torn.saved_as,
        });
    }
    first.push(Record::Opened {
        run: begin.run,
        accounts: begin.accounts,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: STRIPE_VERSION.to_owned(),
        scope: begin.settings.scope.digest(),
        scope_words: begin.settings.scope.in_words(),
        seed: begin.seed,
        operator: begin.operator,
        fence: engine.fence.clone(),
    });
    for record in first {
        engine
            .record(record)
            .await
            .map_err(|e| StartError::Fold(e.to_string()))?;
    }
    engine.take_up().await;
    // Whoever gets the handle sees what this process did first, not what it found.
    engine.publish_now();
    let inbox = Inbox {
        commands: inbox_commands,
        folded: inbox_folded,
        reports: inbox_reports,
    };
    tokio::spawn(engine.run(inbox));
    Ok(Handle::new(commands, state))
}

/// Where records go. Debug builds can be told to be killed at a record: see [`crate::engine::crash`].
fn store(journal: Journal) -> Arc<dyn Store<Record>> {
    #[cfg(debug_assertions)]
    if let Some(at) = crate::engine::crash::wanted() {
        return Arc::new(crate::engine::crash::Crashing::new(journal, at));
    }
    Arc::new(journal)
}

fn open(begin: &Begin, vault: &Vault) -> Result<(Opened, Found), StartError> {
    let mut found = Found {
        state: RunState::new(stages::all().iter().map(|stage| stage.id())),
        book: EffectBook::default(),
        last_at: UtcMs(i64::MIN),
    };
    let mut broken = None;
    let opened = begin.dir.open_journal::<Record>(|entry| {
        let (at, seq) = (entry.meta.at, entry.meta.seq.0);
        found.book.apply(&entry.record, at);
        if let Err(why) = found.state.apply(&entry.record, at, seq, vault) {
            broken.get_or_insert(why);
        }
        found.last_at = found.last_at.max(at);
    })?;
    match broken {
        Some(why) => Err(StartError::Fold(why)),
        None => Ok((opened, found)),
    }
}

/// The state of a run as its directory says, for looking only.
pub fn look(view: &crate::engine::rundir::RunView) -> Result<RunState, StartError> {
    struct Stored<'a>(&'a crate::engine::rundir::RunView);
    impl crate::engine::state::Plans for Stored<'_> {
        fn load(&self, name: &str) -> Result<crate::domain::plan::Plan, String> {
            crate::engine::vault::load(self.0, name)
        }
    }
    let mut state = RunState::new(stages::all().iter().map(|stage| stage.id()));
    for entry in view.read_journal::<Record>()? {
        let entry = entry?;
        state
            .apply(&entry.record, entry.meta.at, entry.meta.seq.0, &Stored(view))
            .map_err(StartError::Fold)?;
        state.now = entry.meta.at;
    }
    Ok(state)
}
