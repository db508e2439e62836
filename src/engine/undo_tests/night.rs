//! A run that wrote a plan, the two accounts it wrote to, and processes that take it back.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use super::fake::{COUPONS, Cut, Fake, Fault, Pools, accounts, code, coupon};
use crate::clock::Clock;
use crate::domain::approval::{Approval, Approved, VALID_MS};
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::ids::{Digest, Role};
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::record::{Attested, Ended, Intent, Record, RowEnd};
use crate::domain::time::UtcMs;
use crate::engine::command::CommandRefused;
use crate::engine::journal::Store as _;
use crate::engine::machine::undo::{self, Words};
use crate::engine::machine::{self, Act, View};
use crate::engine::server_time::ServerTime;
use crate::engine::state::{EffectBook, LEFT, Plans, RunState, StageState};
use crate::engine::undoing::{self, Undoing};
use crate::engine::writer::{self, Finished, Gate, Stop};
use crate::stripe::stub::Stub;
use crate::stripe::{Account, ApiKey, Link, PaceConfig, Settings};

pub(super) const T0: UtcMs = UtcMs(1_771_027_200_000);
/// Two pools: one of a coupon and two codes, one of a code alone.
pub(super) const PHRASE: &str = "3 9fT0 1 2bR1";

type Stored = Mutex<BTreeMap<String, Plan>>;

struct Files<'a>(&'a Stored);

impl Plans for Files<'_> {
    fn load(&self, file: &str) -> Result<Plan, String> {
        self.0
            .lock()
            .unwrap()
            .get(file)
            .cloned()
            .ok_or_else(|| file.to_owned())
    }
}

/// A run that wrote a plan, and the accounts it wrote to.
pub(super) struct Night {
    pub(super) fake: Arc<Mutex<Fake>>,
    pub(super) records: Arc<Mutex<Vec<(Record, UtcMs)>>>,
    plans: Stored,
    pub(super) clock: Clock,
    links: BTreeMap<Role, Link>,
    _stubs: Vec<Stub>,
}

pub(super) fn pools() -> Vec<Change> {
    vec![coupon("c1"), code("p1", "c1"), code("p2", "c1"), code("p3", "c2")]
}

fn sealed(changes: Vec<Change>) -> Plan {
    let header = Header {
        accounts: accounts(),
        policy: BTreeMap::new(),
        scope: Digest::of("s", []),
        stage: COUPONS,
    };
    Plan::seal(header, OutOfScope::default(), changes, vec![], T0).unwrap()
}

fn approval(plan: &Plan) -> Approval {
    Approval {
        stage: COUPONS,
        digest: plan.digest(),
        phrase: String::new(),
        operator: "op".into(),
        witness: None,
        witness_waived: false,
        note: String::new(),
        writes_source: plan.totals().writes_source,
        writes_destination: plan.totals().writes_destination,
        writes_if_raced: 0,
        irreversible: 0,
        rows_app: 0,
        lines: 0,
        journal_head: String::new(),
        at: T0,
        expires_at: T0.plus_ms(VALID_MS),
    }
}

impl Night {
    /// With the rows of `changes` in their plan, not written yet.
    pub(super) async fn planned(changes: Vec<Change>) -> Self {
        let fake = Arc::new(Mutex::new(Fake::default()));
        let clock = Clock::rehearsal(T0, 1000);
        let (mut links, mut stubs) = (BTreeMap::new(), vec![]);
        for role in Role::BOTH {
            let answers = fake.clone();
            let stub = Stub::serve(move |request| answers.lock().unwrap().answer(request)).await;
            let key = ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
            let account = Account::new(role, &stub.url(), key).unwrap();
            let settings = Settings::with_pace(PaceConfig::unlimited());
            links.insert(role, Link::new(account, clock.clone(), settings));
            stubs.push(stub);
        }
        let plan = sealed(changes);
        let night = Self {
            fake,
            records: Arc::default(),
            plans: Mutex::new(BTreeMap::from([("p".to_owned(), plan.clone())])),
            clock,
            links,
            _stubs: stubs,
        };
        night.says(Record::Planned {
            stage: COUPONS,
            digest: plan.digest(),
            totals: plan.totals().clone(),
            file: "p".into(),
        });
        night.says(Record::Approved {
            approval: approval(&plan),
        });
        night.says(Record::Writing {
            stage: COUPONS,
            digest: plan.digest(),
        });
        night
    }

    /// With everything written.
    pub(super) async fn written(changes: Vec<Change>) -> Self {
        let night = Self::planned(changes.clone()).await;
        for change in changes.iter().filter(|change| change.verdict == Verdict::Planned) {
            night.intends(change);
            night.wrote(change);
            night.row(&change.key, RowEnd::Done);
        }
        night.says(Record::Written { stage: COUPONS });
        night.says(Record::Audited {
            stage: COUPONS,
            compared: 1,
            findings: vec![],
        });
        night
    }

    pub(super) fn says(&self, record: Record) {
        self.records.lock().unwrap().push((record, self.clock.now()));
    }

    pub(super) fn intends(&self, change: &Change) {
        let write = &change.writes[0];
        self.says(Record::Intent(Intent {
            stage: COUPONS,
            row: change.key.clone(),
            op: write.op.clone(),
            effect: write.effect.clone(),
            generation: 1,
            role: write.role,
            method: write.method,
            path: write.path.clone(),
            body: String::new(),
            key: "k".into(),
            plan: Digest::of("p", []),
            money: None,
            server_at: T0,
            fence: String::new(),
        }));
    }

    pub(super) fn wrote(&self, change: &Change) {
        let id = change.key.0.rsplit('/').next().unwrap().to_owned();
        let mut fake = self.fake.lock().unwrap();
        if change.key.0.starts_with("coupon/") {
            fake.coupons.insert(id.clone());
        } else {
            fake.codes.insert(id.clone(), false);
        }
        self.says(Record::Outcome {
            stage: COUPONS,
            row: change.key.clone(),
            effect: change.writes[0].effect.clone(),
            generation: 1,
            ended: Ended::Done(Attested {
                object: id,
                ..Attested::default()
            }),
        });
    }

    pub(super) fn row(&self, key: &ChangeKey, end: RowEnd) {
        self.says(Record::Row {
            stage: COUPONS,
            row: key.clone(),
            end,
            why: String::new(),
            code: String::new(),
            moved: None,
        });
    }

    pub(super) fn goes_wrong(self, faults: &[(usize, Fault)]) -> Self {
        self.fake.lock().unwrap().faults = faults.iter().copied().collect();
        self
    }

    /// What the journal says. The partition holds at every moment.
    pub(super) fn fold(&self) -> (RunState, EffectBook) {
        let (mut state, mut book) = (RunState::new([COUPONS]), EffectBook::default());
        for (seq, (record, at)) in self.records.lock().unwrap().iter().enumerate() {
            book.apply(record, *at);
            state
                .apply(record, *at, seq as u64 + 1, &Files(&self.plans))
                .unwrap();
            let stage = state.stage(COUPONS).unwrap();
            if let Some(plan) = &stage.plan {
                assert_eq!(
                    plan.totals().planned,
                    stage.tally.ended() + stage.pending(),
                    "{record:?}"
                );
                for end in [
                    RowEnd::Done,
                    RowEnd::Failed,
                    RowEnd::Drifted,
                    RowEnd::Unknown,
                    RowEnd::Undone,
                ] {
                    let rows = stage.rows.iter().filter(|row| row.end == Some(end));
                    assert_eq!(
                        stage.tally.count(end),
                        rows.count() as u64,
                        "{end:?} after {record:?}"
                    );
                }
            }
        }
        (state, book)
    }

    pub(super) fn stage(&self) -> StageState {
        self.fold().0.stage(COUPONS).unwrap().clone()
    }

    fn journal(&self, cut: Option<usize>) -> Arc<Cut> {
        Arc::new(Cut {
            records: self.records.clone(),
            at: cut,
            appends: AtomicUsize::new(0),
            is_dead: Mutex::new(false),
        })
    }

    /// A process that takes up the run and is asked to undo. It may be killed.
    pub(super) async fn sitting(&self, phrase: &str, cut: Option<usize>) -> Result<Finished, CommandRefused> {
        let journal = self.journal(cut);
        let (state, _) = self.fold();
        let took_up = self.perform(machine::take_up(&state), &journal).await;
        if matches!(took_up, Some(Finished::Journal(_))) {
            return Ok(Finished::Journal(String::new()));
        }
        let (state, book) = self.fold();
        let words = Words {
            digest: None,
            note: "",
            phrase,
            witness: None,
            by: "op",
        };
        let acts = undo::undo(&self.view(&state, &book), COUPONS, Some(Arc::new(Pools)), &words)?;
        Ok(self.perform(acts, &journal).await.unwrap())
    }

    /// A person allows what a look did not find to be sent again.
    pub(super) async fn reissue(&self) -> Finished {
        let (state, _) = self.fold();
        let undo = state.stage(COUPONS).unwrap().undo.clone().unwrap();
        let rows: Vec<ChangeKey> = undo
            .ends
            .iter()
            .filter(|(_, (end, _))| *end == RowEnd::Unknown)
            .map(|(key, _)| key.clone())
            .collect();
        let acts = undo::reissue(COUPONS, &undo, &rows, "op", self.clock.now()).unwrap();
        self.perform(acts, &self.journal(None)).await.unwrap()
    }

    pub(super) fn view<'a>(&self, state: &'a RunState, book: &'a EffectBook) -> View<'a> {
        View {
            state,
            book,
            now: self.clock.now(),
        }
    }

    async fn perform(&self, acts: Vec<Act>, journal: &Arc<Cut>) -> Option<Finished> {
        let mut last = None;
        for act in acts {
            let record = match act {
                Act::Record(record) => *record,
                Act::Undo { plan, approval, left } => {
                    let file = format!("undo-{}", plan.digest().spoken());
                    self.plans.lock().unwrap().insert(file.clone(), (*plan).clone());
                    Record::Undoing {
                        stage: COUPONS,
                        approval: *approval,
                        file,
                        left,
                    }
                }
                act => {
                    assert_eq!(act, Act::TakeBack(COUPONS));
                    last = Some(self.write(journal).await);
                    continue;
                }
            };
            let starts = matches!(record, Record::Undoing { .. });
            if journal.append(&record, self.clock.now()).await.is_err() {
                return Some(Finished::Journal(String::new()));
            }
            if starts {
                last = Some(self.write(journal).await);
            }
        }
        last
    }

    /// What the driver does: the writer, and then the record of how it ended.
    async fn write(&self, journal: &Arc<Cut>) -> Finished {
        let (state, book) = self.fold();
        let undo = state.stage(COUPONS).unwrap().undo_under_way().unwrap().clone();
        let changes = undo.pending();
        let gate = Gate {
            approved: Approved::to_settle(undo.plan.clone(), undo.approval.clone()).unwrap(),
            stage: Arc::new(Undoing(Arc::new(Pools))),
            readers: self
                .links
                .iter()
                .map(|(role, link)| (*role, link.reader().unwrap()))
                .collect(),
            writers: self
                .links
                .iter()
                .map(|(role, link)| (*role, link.writer().unwrap()))
                .collect(),
            journal: journal.clone(),
            clock: self.clock.clone(),
            server: Role::BOTH.map(|role| (role, ServerTime::default())).into(),
            stop: Stop::default(),
            process_began: self.clock.now(),
            fence: String::new(),
            run: "run".into(),
            folded: tokio::sync::mpsc::channel(1).0,
            granted: crate::engine::driver::work::granted(&book, COUPONS, &undo.plan),
            generations_before: book.generations_before(COUPONS),
            is_undo: true,
            app: None,
        };
        let known = crate::engine::driver::work::known(&book, COUPONS, &changes);
        let finished = writer::write(gate, changes, &known).await;
        let undo = self.stage().undo.unwrap();
        let record = match &finished {
            Finished::Complete => Record::Undone {
                stage: COUPONS,
                by: "op".into(),
                restored: undo.restored(),
                left: undoing::left(COUPONS, &undo),
            },
            Finished::Halted(why) => Record::Halted {
                stage: COUPONS,
                why: why.clone(),
            },
            Finished::Stopped | Finished::Journal(_) => return finished,
        };
        match journal.append(&record, self.clock.now()).await {
            Ok(_) => finished,
            Err(_) => Finished::Journal(String::new()),
        }
    }

    /// Goes on until the undo is over: what is unknown is allowed to be sent again.
    pub(super) async fn to_the_end(&self) {
        for _ in 0..6 {
            let stage = self.stage();
            if stage.undo.as_ref().is_none_or(|undo| !undo.is_over) {
                assert_eq!(self.sitting(PHRASE, None).await, Ok(Finished::Complete));
            } else if stage.tally.count(RowEnd::Unknown) > 0 {
                assert_eq!(self.reissue().await, Finished::Complete);
            } else {
                return;
            }
        }
        panic!("it never ended: {:?}", self.stage().undo);
    }

    pub(super) fn findings(&self, rule: &str) -> Vec<String> {
        let stage = self.stage();
        let of_rule = stage.findings.iter().filter(|finding| finding.rule == rule);
        of_rule.map(|finding| finding.reason.clone()).collect()
    }

    /// Everything is as it was before the plan, and the journal says so.
    pub(super) async fn is_all_back(&self, context: &str) {
        let stage = self.stage();
        assert_eq!(stage.phase.word(), "undone", "{context}");
        assert_eq!(
            stage.tally.count(RowEnd::Undone),
            stage.rows.len() as u64,
            "{context}"
        );
        assert_eq!(self.findings(LEFT), [""; 0], "{context}");
        {
            let fake = self.fake.lock().unwrap();
            assert!(
                fake.coupons.is_empty() && fake.codes.values().all(|active| *active),
                "{context}"
            );
        }
        let again = self.sitting(PHRASE, None).await;
        assert!(
            matches!(again, Err(CommandRefused::NotNow(_))),
            "{context}: {again:?}"
        );
    }
}
