//! Starting work, and what follows when it ends.

use std::sync::Arc;

use super::Engine;
use crate::domain::approval::Approved;
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::{EffectId, Role, StageId};
use crate::domain::panel::Tone;
use crate::domain::plan::Plan;
use crate::domain::record::{Record, RowEnd};
use crate::domain::write::When;
use crate::engine::command::CommandRefused;
use crate::engine::machine;
use crate::engine::pin;
use crate::engine::server_time::ServerTime;
use crate::engine::state::{EffectBook, Phase, StageState};
use crate::engine::worker::{Desk, NotGathered, Planned, Report};
use crate::engine::writer::{self, Finished, Gate, Known, Stop};
use crate::stages;

/// Rows shown while reading, at most: the table is for looking, the plan comes after. All rows of a large account, twice,
/// would be most of the memory this program needs.
const PREVIEW_ROWS: usize = 2_000;

impl Engine {
    pub(super) fn gather(&mut self, id: StageId) {
        let Some(stage) = stages::get(id) else { return };
        let (desk, vault, seq) = (self.desk(), self.vault.clone(), self.state.journal_seq);
        self.reading.retain(|task| !task.is_finished());
        self.reading.push(tokio::spawn(desk.gather(stage, vault, seq)));
    }

    pub(super) async fn import(
        &mut self,
        plan: &Arc<crate::domain::plan::Plan>,
    ) -> Result<(), CommandRefused> {
        let stage = plan.header().stage;
        self.fits_settings(plan)?;
        let stored = self.vault.store_plan(plan, self.state.journal_seq);
        let file = stored.map_err(|e| CommandRefused::NotNow(e.to_string()))?;
        let (digest, totals) = (plan.digest(), plan.totals().clone());
        self.record(Record::Planned {
            stage,
            digest,
            totals,
            file,
        })
        .await
    }

    /// A plan is for these accounts, this scope and these policies, or it is not written.
    pub(super) fn fits_settings(&self, plan: &crate::domain::plan::Plan) -> Result<(), CommandRefused> {
        let refused = |why: String| CommandRefused::NotNow(why);
        let stage = stages::get(plan.header().stage)
            .ok_or_else(|| refused("this program has no such stage".to_owned()))?;
        let wanted = stage
            .header(&self.desk.accounts, &self.desk.settings)
            .map_err(|e| refused(e.to_string()))?;
        if stage.fits(plan.header(), &wanted) {
            return Ok(());
        }
        Err(refused(
            "the plan was made for other accounts, another scope or other settings than the configuration has now: make \
             it again"
                .to_owned(),
        ))
    }

    pub(super) fn check(&mut self, id: StageId) {
        let (Some(stage), Some(plan)) = (stages::get(id), self.plan_of(id)) else {
            return;
        };
        self.set_phase(id, Phase::Checking);
        self.reading.push(tokio::spawn(self.desk().check(stage, plan)));
    }

    pub(super) fn audit(&mut self, id: StageId) {
        let (Some(stage), Some(plan)) = (stages::get(id), self.plan_of(id)) else {
            return;
        };
        let ends = self.state.stage(id).map(ends).unwrap_or_default();
        self.set_phase(id, Phase::Auditing);
        self.reading
            .push(tokio::spawn(self.desk().audit(stage, plan, ends)));
    }

    /// Writes the files for people that come of a stage's plan. They can be made again, so a failure is told and no more.
    pub(super) fn keep_files(&mut self, id: StageId) {
        let (Some(stage), Some(plan)) = (stages::get(id), self.plan_of(id)) else {
            return;
        };
        let mut files: Vec<(String, Vec<u8>)> = stage
            .files(&plan)
            .into_iter()
            .map(|file| (file.name.into_owned(), file.bytes))
            .collect();
        let mut ids = crate::domain::mapped::IdMap::default();
        if let Some(state) = self.state.stage(id) {
            super::ids::of_stage(&*stage, state, &self.book, &self.desk.settings, &mut ids);
        }
        if !ids.is_empty() {
            files.push((format!("{id}-ids.csv"), super::ids::csv(&ids)));
        }
        for (name, bytes) in files {
            if let Err(error) = self.vault.dir().store_file(&name, &bytes) {
                self.note(format!("{name} could not be written: {error}"), Tone::Bad);
            }
        }
    }

    /// What a worker needs, with the ids as they are known now.
    fn desk(&self) -> Desk {
        Desk {
            ids: Arc::new(super::ids::of_run(&self.state, &self.book, &self.desk.settings)),
            began: self.state.began.unwrap_or(self.desk.began),
            ..self.desk.clone()
        }
    }

    pub(super) fn plan_of(&self, id: StageId) -> Option<Arc<crate::domain::plan::Plan>> {
        self.state.stage(id).and_then(|stage| stage.plan.clone())
    }

    pub(super) fn write(&mut self, id: StageId) -> Result<(), CommandRefused> {
        let refused = |why: &str| CommandRefused::NotNow(why.to_owned());
        let stage = self
            .state
            .stage(id)
            .ok_or_else(|| refused("this run has no such stage"))?;
        let (Some(plan), Some(approval)) = (stage.plan.clone(), stage.approval.clone()) else {
            return Err(refused("there is no approval on record"));
        };
        self.fits_settings(&plan)?;
        let script = stages::get(id).ok_or_else(|| refused("this program has no such stage"))?;
        let granted = granted(&self.book, id, &plan);
        let approved = Approved::to_settle(plan, approval)?;
        let changes = pending(stage);
        let stop = Stop::default();
        let known = known(&self.book, id, &changes);
        let mut job = self.job(id, script, approved, changes, stop.clone());
        (job.known, job.granted) = (known, granted);
        self.writing = Some(stop);
        let reports = self.desk.reports.clone();
        tokio::spawn(async move {
            let finished = job.finish().await;
            let _ = reports.send(Report::Written { stage: id, finished }).await;
        });
        Ok(())
    }

    /// Writing of one approved plan, about whose effects nothing is known yet.
    pub(super) fn job(
        &self,
        id: StageId,
        script: Arc<dyn stages::Stage>,
        approved: Approved,
        changes: Vec<Arc<Change>>,
        stop: Stop,
    ) -> Job {
        Job {
            approved,
            changes,
            known: Known::new(),
            granted: std::collections::BTreeMap::new(),
            stop,
            script,
            is_undo: false,
            generations_before: self.book.generations_before(id),
            desk: self.desk.clone(),
            links: self.links.clone(),
            write_keys: self.write_keys.clone(),
            app: self.app.as_ref().map(crate::appdb::Database::writer),
            journal: self.journal.clone(),
            server: self.server.clone(),
            process_began: self.process_began,
            fence: self.fence.clone(),
            run: self.state.run.clone(),
            folded: self.folded.clone(),
        }
    }

    pub(super) async fn report(&mut self, report: Report) {
        match report {
            Report::Progress {
                stage,
                what,
                done,
                total,
            } => return self.progress(stage, what, done, total),
            Report::Preview { stage, rows } => return self.preview(stage, &rows),
            Report::Gathered {
                stage,
                result: Ok(planned),
            } => self.planned(stage, *planned).await,
            Report::Gathered {
                stage,
                result: Err(NotGathered { why, input }),
            } => {
                let failed = Record::GatherFailed { stage, why, input };
                self.record_quietly(failed).await;
            }
            Report::Checked { stage, plan, result } => {
                self.set_phase(stage, Phase::Review);
                match result {
                    Ok(check) => {
                        let (objects, drifted, digest) = (check.objects, check.drifted, plan.digest());
                        self.record_quietly(Record::Checked {
                            stage,
                            digest,
                            objects,
                            drifted,
                        })
                        .await;
                    }
                    Err(why) => self.note(
                        format!("{stage}: the facts could not be read again: {why}"),
                        Tone::Bad,
                    ),
                }
            }
            Report::Audited { stage, result } => {
                let record = match result {
                    Ok(audit) => Record::Audited {
                        stage,
                        compared: audit.compared,
                        findings: audit.findings,
                    },
                    Err(why) => Record::AuditFailed { stage, why },
                };
                self.record_quietly(record).await;
            }
            Report::TakenBack { stage, finished } => self.taken_back(stage, finished).await,
            Report::Written { stage, finished } => {
                let acts = self.finished(stage, &finished);
                // What cannot be recorded is fatal and shown as such.
                let _ = self.act_all(acts).await;
            }
        }
        self.count_requests().await;
        self.publish_now();
    }

    async fn planned(&mut self, stage: StageId, planned: Planned) {
        let Planned {
            digest,
            totals,
            file,
            snapshot,
            head,
            counts,
        } = planned;
        let gathered = Record::Gathered {
            stage,
            snapshot: head,
            file: snapshot,
            counts,
        };
        let record = Record::Planned {
            stage,
            digest,
            totals,
            file,
        };
        if self.record_quietly(gathered).await {
            self.record_quietly(record).await;
        }
    }

    fn progress(&mut self, id: StageId, what: String, done: u64, total: Option<u64>) {
        let now = self.desk.clock.now();
        let Some(stage) = self.state.stage_mut(id) else {
            return;
        };
        if stage.meter.what != what {
            stage.meter.started_at = now;
        }
        let started_at = stage.meter.started_at;
        stage.meter = crate::engine::state::Meter {
            what,
            done,
            total,
            started_at,
            last_at: now,
        };
    }

    fn preview(&mut self, id: StageId, rows: &[Arc<Change>]) {
        let Some(stage) = self.state.stage_mut(id) else {
            return;
        };
        if stage.phase == Phase::Gathering && stage.preview.len() < PREVIEW_ROWS {
            Arc::make_mut(&mut stage.preview).extend_from_slice(rows);
        }
    }

    /// What a process does first with the state it found.
    pub(super) async fn take_up(&mut self) {
        for act in machine::take_up(&self.state) {
            let _: Result<(), CommandRefused> = self.act(act).await;
        }
    }
}

fn ends(
    stage: &StageState,
) -> Vec<(
    crate::domain::change::ChangeKey,
    RowEnd,
    Option<crate::domain::money::Money>,
)> {
    let Some(plan) = &stage.plan else {
        return Vec::new();
    };
    let rows = plan.changes().iter().zip(stage.rows.iter());
    rows.filter_map(|(change, row)| {
        let moved = row.detail.as_ref().and_then(|detail| detail.moved);
        Some((change.key.clone(), row.end?, moved))
    })
    .collect()
}

fn pending(stage: &StageState) -> Vec<Arc<Change>> {
    let Some(plan) = &stage.plan else {
        return Vec::new();
    };
    let rows = plan.changes().iter().zip(stage.rows.iter());
    // Whether a row of the database was committed stands in its effect ledger, so asking again is always right.
    let is_open = |change: &Change, end: Option<RowEnd>| match end {
        None => true,
        Some(RowEnd::Unknown) => change.update.is_some(),
        Some(_) => false,
    };
    rows.filter(|(change, row)| change.verdict == Verdict::Planned && is_open(change, row.end))
        .map(|(change, _)| change.clone())
        .collect()
}

/// What is known about the effects of these rows' own writes: those of an undo, and those it takes back, share a row.
pub(in crate::engine) fn known(book: &EffectBook, id: StageId, changes: &[Arc<Change>]) -> Known {
    let of = |change: &Arc<Change>| {
        let own = |effect: &EffectId| change.writes_now().iter().any(|write| write.effect == *effect);
        let effects = book.of_row(id, &change.key).iter();
        let effects: Vec<_> = effects.filter(|(effect, _)| own(effect)).cloned().collect();
        (!effects.is_empty()).then(|| (change.key.clone(), effects))
    };
    changes.iter().filter_map(of).collect()
}

/// Writes of the plan that were granted before, by account.
pub(in crate::engine) fn granted(
    book: &EffectBook,
    id: StageId,
    plan: &Plan,
) -> std::collections::BTreeMap<Role, u64> {
    let mut granted = std::collections::BTreeMap::new();
    for change in plan.changes() {
        let writes = change
            .writes_now()
            .iter()
            .filter(|write| write.when == When::Always);
        for write in writes.filter(|write| book.get(id, &change.key, &write.effect).is_some()) {
            *granted.entry(write.role).or_default() += 1;
        }
    }
    granted
}

/// Writing of one plan, off the loop.
pub(super) struct Job {
    approved: Approved,
    changes: Vec<Arc<Change>>,
    pub(super) known: Known,
    pub(super) granted: std::collections::BTreeMap<Role, u64>,
    stop: Stop,
    script: Arc<dyn stages::Stage>,
    pub(super) is_undo: bool,
    generations_before: u32,
    desk: Desk,
    links: std::collections::BTreeMap<Role, crate::stripe::Link>,
    write_keys: super::WriteKeys,
    app: Option<crate::appdb::Writer>,
    journal: Arc<dyn crate::engine::journal::Store<Record>>,
    server: std::collections::BTreeMap<Role, ServerTime>,
    process_began: crate::domain::time::UtcMs,
    fence: String,
    run: String,
    folded: tokio::sync::mpsc::Sender<writer::Journalled>,
}

impl Job {
    pub(super) async fn finish(self) -> Finished {
        match self.write().await {
            Ok(finished) => finished,
            Err(why) => Finished::Halted(why),
        }
    }

    async fn write(self) -> Result<Finished, String> {
        let mut writers = std::collections::BTreeMap::new();
        let (mut server, accounts) = (self.server, &self.desk.accounts);
        for role in Role::BOTH
            .into_iter()
            .filter(|role| self.approved.plan().totals().writes(*role) > 0)
        {
            let link = self
                .links
                .get(&role)
                .ok_or_else(|| format!("there is no connection to the {role} account"))?;
            let link = link.with_key((self.write_keys)(role)?);
            let reader = link.reader().map_err(|e| e.to_string())?;
            let clock = server.entry(role).or_default().clone();
            pin::check(&reader, accounts.of(role), accounts.environment, &clock)
                .await
                .map_err(|e| e.to_string())?;
            writers.insert(role, link.writer().map_err(|e| e.to_string())?);
        }
        let gate = Gate {
            approved: self.approved,
            stage: self.script,
            readers: self.desk.readers.clone(),
            writers,
            journal: self.journal,
            clock: self.desk.clock.clone(),
            server,
            stop: self.stop,
            process_began: self.process_began,
            fence: self.fence,
            run: self.run,
            folded: self.folded,
            granted: self.granted,
            generations_before: self.generations_before,
            is_undo: self.is_undo,
            app: self.app,
        };
        Ok(writer::write(gate, self.changes, &self.known).await)
    }
}
