//! The only loop: takes commands, asks the machine what follows, makes records durable, folds them into the state,
//! starts work and publishes. It never talks to Stripe and never waits for a worker.
//!
//! The loop's order is fixed: records that are already durable first (so that "writing ended" is folded after the last
//! row), then commands (a person's stop must not queue behind progress), then reports, then the tick.

mod ids;
mod start;
mod undo;
mod upload;
pub(super) mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::command::{Command, CommandRefused, Envelope};
use super::journal::Store;
use super::machine::{self, Act, View};
use super::server_time::ServerTime;
use super::state::{Budget, EffectBook, LogLine, Phase, RunState};
use super::vault::Vault;
use super::worker::{Desk, Report};
use super::writer::{Finished, Journalled, Stop};
use crate::domain::ids::{Role, StageId};
use crate::domain::panel::Tone;
use crate::domain::record::Record;
use crate::domain::time::UtcMs;
use crate::stripe::{ApiKey, Link};

pub use upload::uploaded_digest;

pub use start::{Begin, StartError, look, start};

/// Most often the state is published while records stream in.
const PUBLISH: Duration = Duration::from_millis(50);
/// How often budgets are looked at when nothing else happens.
const TICK: Duration = Duration::from_millis(200);

/// Loads the write key of an account, at the moment it is needed.
pub type WriteKeys = Arc<dyn Fn(Role) -> Result<ApiKey, String> + Send + Sync>;

struct Engine {
    state: RunState,
    book: EffectBook,
    desk: Desk,
    vault: Vault,
    journal: Arc<dyn Store<Record>>,
    links: BTreeMap<Role, Link>,
    write_keys: WriteKeys,
    app: Option<crate::appdb::Database>,
    server: BTreeMap<Role, ServerTime>,
    gets_before: BTreeMap<Role, u64>,
    counted: BTreeMap<Role, (u64, u64)>,
    process_began: UtcMs,
    fence: String,
    folded: mpsc::Sender<Journalled>,
    publish: watch::Sender<Arc<RunState>>,
    published: Instant,
    writing: Option<Stop>,
    reading: Vec<JoinHandle<()>>,
    quitting: bool,
}

struct Inbox {
    commands: mpsc::Receiver<Envelope>,
    folded: mpsc::Receiver<Journalled>,
    reports: mpsc::Receiver<Report>,
}

impl Engine {
    async fn run(mut self, mut inbox: Inbox) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.publish_now();
        while !(self.quitting && self.writing.is_none()) {
            tokio::select! {
                biased;
                Some(journalled) = inbox.folded.recv() => self.fold(&journalled),
                envelope = inbox.commands.recv() => match envelope {
                    Some(envelope) => self.command(envelope).await,
                    None => self.quit(),
                },
                Some(report) = inbox.reports.recv() => self.report(report).await,
                _ = tick.tick() => self.publish_now(),
            }
        }
        for task in self.reading.drain(..) {
            task.abort();
        }
        self.count_requests().await;
        self.publish_now();
    }

    fn quit(&mut self) {
        self.quitting = true;
        self.stop_writing();
    }

    fn stop_writing(&self) {
        if let Some(stop) = &self.writing {
            stop.stop();
        }
    }

    async fn command(&mut self, envelope: Envelope) {
        // The brake first: it must not wait for a disk.
        if matches!(envelope.command, Command::Pause { .. } | Command::Quit) {
            self.stop_writing();
        }
        let answer = self.obey(&envelope.command).await;
        self.publish_now();
        // The one who asked may have gone.
        let _ = envelope.reply.send(answer);
    }

    async fn obey(&mut self, command: &Command) -> Result<(), CommandRefused> {
        if let Some(why) = self.state.fatal.clone().filter(|_| *command != Command::Quit) {
            return Err(CommandRefused::Journal(why));
        }
        if self.writing.is_some()
            && matches!(
                command,
                Command::Resume { .. } | Command::Continue(_) | Command::Undo { .. }
            )
        {
            return Err(CommandRefused::NotNow(
                "requests are still in flight; try again when they have ended".to_owned(),
            ));
        }
        if let Command::Approve { stage, .. } = command
            && let Some(plan) = self.plan_of(*stage)
        {
            // Asked before the approval is on record, so that a plan that can never be written is not left approved.
            self.fits_settings(&plan)?;
            self.not_uploaded_already(&plan)?;
        }
        let view = View {
            state: &self.state,
            book: &self.book,
            now: self.desk.clock.now(),
        };
        let acts = machine::command(&view, command)?;
        self.act_all(acts).await
    }

    async fn act_all(&mut self, acts: Vec<Act>) -> Result<(), CommandRefused> {
        for act in acts {
            self.act(act).await?;
        }
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Result<(), CommandRefused> {
        match act {
            Act::Record(record) => return self.record(*record).await,
            Act::Gather(id) => self.gather(id),
            Act::Import(plan) => return self.import(&plan).await,
            Act::Check(id) => self.check(id),
            Act::Write(id) => self.write(id)?,
            Act::Audit(id) => self.audit(id),
            Act::Undo { plan, approval, left } => return self.undo(&plan, *approval, left).await,
            Act::OfferUndo(id, offer) => {
                if let Some(stage) = self.state.stage_mut(id) {
                    stage.offer = Some(offer);
                }
            }
            Act::TakeBack(id) => self.take_back(id)?,
            Act::StopWriting => self.stop_writing(),
            Act::Uploaded {
                stage,
                file,
                id,
                at,
                by,
            } => return self.uploaded(stage, file, id, at, by).await,
            Act::SetShare(role, percent) => self.set_share(role, percent),
            Act::Quit => self.quit(),
        }
        Ok(())
    }

    fn set_share(&mut self, role: Role, percent: u32) {
        if let Some(link) = self.links.get(&role) {
            link.pacer().set_share(u8::try_from(percent).unwrap_or(100));
            self.note(
                format!("share of the {role} account set to {percent} %"),
                Tone::Plain,
            );
        }
    }

    /// Durable, then true.
    async fn record(&mut self, record: Record) -> Result<(), CommandRefused> {
        let at = self.desk.clock.now();
        match self.journal.append(&record, at).await {
            Ok(seq) => {
                let changed = changes_files(&record);
                self.fold(&Journalled {
                    record,
                    at,
                    seq: seq.0,
                });
                if let Some(stage) = changed {
                    self.keep_files(stage);
                    self.hand_out(stage);
                }
                Ok(())
            }
            Err(error) => {
                self.fatal(error.to_string());
                Err(CommandRefused::Journal(error.to_string()))
            }
        }
    }

    /// For records that follow from work rather than from a command: a failure is on the screen, not in an answer.
    async fn record_quietly(&mut self, record: Record) -> bool {
        self.record(record).await.is_ok()
    }

    fn fatal(&mut self, why: String) {
        self.stop_writing();
        tracing::error!(why, "the journal cannot be written");
        self.state.fatal = Some(why);
    }

    fn fold(&mut self, journalled: &Journalled) {
        let Journalled { record, at, seq } = journalled;
        self.book.apply(record, *at);
        if let Err(why) = self.state.apply(record, *at, *seq, &self.vault) {
            self.fatal(why);
        }
        if self.published.elapsed() >= PUBLISH {
            self.publish_now();
        }
    }

    fn note(&mut self, text: String, tone: Tone) {
        let at = self.desk.clock.now();
        let log = Arc::make_mut(&mut self.state.log);
        log.push_back(LogLine {
            seq: 0,
            at,
            stage: None,
            row: None,
            text,
            tone,
        });
    }

    fn set_phase(&mut self, id: StageId, phase: Phase) {
        if let Some(stage) = self.state.stage_mut(id) {
            stage.phase = phase;
        }
    }

    fn publish_now(&mut self) {
        self.published = Instant::now();
        self.state.now = self.desk.clock.now();
        self.state.speed = self.desk.clock.speed();
        self.state.journal_head = self.journal.head().sha256.to_string();
        for (role, link) in &self.links {
            let before = self.gets_before.get(role).copied().unwrap_or(0);
            let used = self.state.used.get(role).copied().unwrap_or_default();
            let counted = self.counted.get(role).copied().unwrap_or_default();
            let budget = budget(link, before + used.0, counted);
            self.state.budgets.insert(*role, budget);
        }
        // Nobody looking is fine.
        let _ = self.publish.send(Arc::new(self.state.clone()));
    }

    /// Puts into the journal how many requests were sent since the last time.
    async fn count_requests(&mut self) {
        let roles: Vec<Role> = self.links.keys().copied().collect();
        for role in roles {
            let Some(link) = self.links.get(&role) else {
                continue;
            };
            let now = link.pacer().snapshot();
            let before = self.counted.get(&role).copied().unwrap_or_default();
            let (gets, writes) = (
                now.gets.saturating_sub(before.0),
                now.writes.saturating_sub(before.1),
            );
            if gets + writes > 0 && self.record_quietly(Record::Used { role, gets, writes }).await {
                self.counted.insert(role, (now.gets, now.writes));
            }
        }
    }

    fn finished(&mut self, id: StageId, finished: &Finished) -> Vec<Act> {
        self.writing = None;
        match finished {
            Finished::Complete => {
                let mut acts = vec![Act::record(Record::Written { stage: id })];
                if !self.quitting {
                    acts.push(Act::Audit(id));
                }
                acts
            }
            Finished::Stopped => Vec::new(),
            Finished::Halted(why) => vec![Act::record(Record::Halted {
                stage: id,
                why: why.clone(),
            })],
            Finished::Journal(why) => {
                self.fatal(why.clone());
                Vec::new()
            }
        }
    }
}

/// The stage whose files for people are not up to date after `record`.
const fn changes_files(record: &Record) -> Option<StageId> {
    match record {
        Record::Planned { stage, .. }
        | Record::Decided { stage, .. }
        | Record::Written { stage }
        | Record::Audited { stage, .. } => Some(*stage),
        _ => None,
    }
}

fn budget(link: &Link, gets_before: u64, counted: (u64, u64)) -> Budget {
    let pace = link.pacer().snapshot();
    let full = link.settings().pace.account_per_s;
    Budget {
        share_percent: u32::from(pace.share_percent),
        limit_per_s: pace.rate_per_s.unwrap_or(0),
        full_per_s: full.unwrap_or(0),
        sent_last_s: pace.sent_last_s,
        in_flight: pace.in_flight,
        waiting: pace.waiting,
        reason: pace.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        history: pace.history.to_vec(),
        status_429: pace.status_429,
        gets: pace.gets,
        writes: pace.writes,
        most_in_a_second: pace.most_in_any_second,
        gets_30_days: gets_before + pace.gets.saturating_sub(counted.0),
        last_reply_at: pace.last_reply_at,
    }
}
