//! A stage is taken back: whole, in reverse, under disturbance, and only by the right words.

mod fake;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use self::fake::{COUPONS, Cut, FAULTS, Fake, Fault, Pools, accounts, code, coupon, stuck};
use super::command::CommandRefused;
use super::journal::Store as _;
use super::machine::undo::{self, Words};
use super::machine::{self, Act, View};
use super::server_time::ServerTime;
use super::state::{EffectBook, KEPT, LEFT, Plans, RunState, StageState};
use super::undoing::{self, Undoing};
use super::writer::{self, Finished, Gate, Stop};
use crate::clock::Clock;
use crate::domain::approval::{Approval, Approved, Refusal, VALID_MS};
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::ids::{Digest, Role};
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::record::{Attested, Ended, Intent, Record, RowEnd};
use crate::domain::time::UtcMs;
use crate::stripe::stub::Stub;
use crate::stripe::{Account, ApiKey, Link, PaceConfig, Settings};

const T0: UtcMs = UtcMs(1_771_027_200_000);
/// Two pools: one of a coupon and two codes, one of a code alone.
const PHRASE: &str = "3 9fT0 1 2bR1";

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
struct Night {
    fake: Arc<Mutex<Fake>>,
    records: Arc<Mutex<Vec<(Record, UtcMs)>>>,
    plans: Stored,
    clock: Clock,
    links: BTreeMap<Role, Link>,
    _stubs: Vec<Stub>,
}

fn pools() -> Vec<Change> {
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
        journal_head: String::new(),
        at: T0,
        expires_at: T0.plus_ms(VALID_MS),
    }
}

impl Night {
    /// With the rows of `changes` in their plan, not written yet.
    async fn planned(changes: Vec<Change>) -> Self {
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
    async fn written(changes: Vec<Change>) -> Self {
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

    fn says(&self, record: Record) {
        self.records.lock().unwrap().push((record, self.clock.now()));
    }

    fn intends(&self, change: &Change) {
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

    fn wrote(&self, change: &Change) {
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

    fn row(&self, key: &ChangeKey, end: RowEnd) {
        self.says(Record::Row {
            stage: COUPONS,
            row: key.clone(),
            end,
            why: String::new(),
            code: String::new(),
            moved: None,
        });
    }

    fn goes_wrong(self, faults: &[(usize, Fault)]) -> Self {
        self.fake.lock().unwrap().faults = faults.iter().copied().collect();
        self
    }

    /// What the journal says. The partition holds at every moment.
    fn fold(&self) -> (RunState, EffectBook) {
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

    fn stage(&self) -> StageState {
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
    async fn sitting(&self, phrase: &str, cut: Option<usize>) -> Result<Finished, CommandRefused> {
        let journal = self.journal(cut);
        let (state, _) = self.fold();
        let took_up = self.perform(machine::take_up(&state), &journal).await;
        if matches!(took_up, Some(Finished::Journal(_))) {
            return Ok(Finished::Journal(String::new()));
        }
        let (state, book) = self.fold();
        let words = Words {
            phrase,
            witness: None,
            by: "op",
        };
        let acts = undo::undo(&self.view(&state, &book), COUPONS, Some(Arc::new(Pools)), &words)?;
        Ok(self.perform(acts, &journal).await.unwrap())
    }

    /// A person allows what a look did not find to be sent again.
    async fn reissue(&self) -> Finished {
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

    fn view<'a>(&self, state: &'a RunState, book: &'a EffectBook) -> View<'a> {
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
            granted: super::driver::work::granted(&book, COUPONS, &undo.plan),
            generations_before: book.generations_before(COUPONS),
            is_undo: true,
            app: None,
        };
        let known = super::driver::work::known(&book, COUPONS, &changes);
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
    async fn to_the_end(&self) {
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

    fn findings(&self, rule: &str) -> Vec<String> {
        let stage = self.stage();
        let of_rule = stage.findings.iter().filter(|finding| finding.rule == rule);
        of_rule.map(|finding| finding.reason.clone()).collect()
    }

    /// Everything is as it was before the plan, and the journal says so.
    async fn is_all_back(&self, context: &str) {
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

#[tokio::test]
async fn what_was_written_is_taken_back_the_last_first_and_then_there_is_nothing_left() {
    let night = Night::written(pools()).await;
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    night.is_all_back("undisturbed").await;
    let writes = night.fake.lock().unwrap().writes.clone();
    assert_eq!(writes.len(), 4, "{writes:?}");
    let at = |wanted: &str| writes.iter().position(|write| write == wanted).unwrap();
    assert!(
        at("DELETE /v1/coupons/c1") < at("POST /v1/promotion_codes/p1"),
        "{writes:?}"
    );
    assert!(
        at("DELETE /v1/coupons/c1") < at("POST /v1/promotion_codes/p2"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn only_the_right_words_undo_and_the_wrong_ones_leave_no_trace() {
    let night = Night::written(pools()).await;
    let before = night.records.lock().unwrap().len();
    for wrong in ["", "4", "3 9fT0", "3 9fT0 2 2bR1", "4 rows", "1 2bR1 3 9fT0"] {
        let refused = night.sitting(wrong, None).await;
        let Err(CommandRefused::Approval(Refusal::Phrase { wanted })) = refused else {
            panic!("{wrong}: {refused:?}");
        };
        assert_eq!(wanted, PHRASE);
    }
    assert_eq!(night.records.lock().unwrap().len(), before);
    assert_eq!(night.fake.lock().unwrap().writes, [""; 0]);
}

#[tokio::test]
async fn killed_at_any_record_it_is_taken_up_again_to_the_same_end() {
    let mut cut = 0;
    loop {
        let night = Night::written(pools()).await;
        let finished = night.sitting(PHRASE, Some(cut)).await.unwrap();
        if finished == Finished::Complete {
            break;
        }
        night.to_the_end().await;
        night.is_all_back(&format!("killed at {cut}")).await;
        cut += 1;
    }
    // The undo itself, an intent, an outcome and an end for each of four rows, and the end of all: before and after.
    assert_eq!(cut, 2 * (1 + 4 * 3 + 1));
}

#[tokio::test]
async fn whatever_is_lost_or_unclear_is_settled_and_nothing_is_taken_back_by_guesses() {
    for nth in 0..4 {
        for fault in FAULTS.into_iter().filter(|fault| *fault != Fault::Refused) {
            let night = Night::written(pools()).await.goes_wrong(&[(nth, fault)]);
            night.to_the_end().await;
            night.is_all_back(&format!("{fault:?} at {nth}")).await;
        }
    }
}

#[tokio::test]
async fn what_is_refused_stays_as_it_is_with_its_reason_and_can_be_tried_again() {
    for nth in 0..4 {
        let night = Night::written(pools()).await.goes_wrong(&[(nth, Fault::Refused)]);
        assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
        let stage = night.stage();
        let ends = [RowEnd::Undone, RowEnd::Done].map(|end| stage.tally.count(end));
        assert_eq!((ends, stage.pending()), ([3, 1], 0));
        let left = night.findings(LEFT);
        assert!(
            matches!(left.as_slice(), [why] if why.contains("not_now")),
            "{left:?}"
        );
        let one_row = ["1 9fT0", "1 2bR1"];
        let mut tried = Vec::new();
        for phrase in one_row {
            tried.push(night.sitting(phrase, None).await);
        }
        assert_eq!(
            tried
                .iter()
                .filter(|tried| **tried == Ok(Finished::Complete))
                .count(),
            1
        );
        night.is_all_back(&format!("refused at {nth}")).await;
    }
}

#[tokio::test]
async fn what_somebody_else_took_away_is_said_and_the_rest_is_taken_back() {
    let night = Night::written(pools()).await;
    night.fake.lock().unwrap().coupons.clear();
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    assert_eq!(night.stage().tally.count(RowEnd::Undone), 3);
    let left = night.findings(LEFT);
    assert!(
        matches!(left.as_slice(), [why] if why.contains("coupon/c1")),
        "{left:?}"
    );
}

#[tokio::test]
async fn nothing_is_undone_while_it_is_written_but_writing_that_was_put_down_can_be() {
    let changes = pools();
    let night = Night::planned(changes.clone()).await;
    night.intends(&changes[0]);
    night.wrote(&changes[0]);
    night.row(&changes[0].key, RowEnd::Done);
    let (state, book) = night.fold();
    let words = Words {
        phrase: "1 2bR1",
        witness: None,
        by: "op",
    };
    let refused = undo::undo(&night.view(&state, &book), COUPONS, Some(Arc::new(Pools)), &words);
    assert!(matches!(refused, Err(CommandRefused::NotNow(_))), "{refused:?}");
    // The next process finds it cut off, and puts it down.
    assert_eq!(night.sitting("1 2bR1", None).await, Ok(Finished::Complete));
    let stage = night.stage();
    assert_eq!((stage.tally.count(RowEnd::Undone), stage.pending()), (1, 3));
}

#[tokio::test]
async fn a_row_of_which_it_is_not_known_what_it_made_is_left_alone() {
    let changes = pools();
    let night = Night::planned(changes.clone()).await;
    for change in &changes {
        night.intends(change);
    }
    for change in &changes[1..] {
        night.wrote(change);
        night.row(&change.key, RowEnd::Failed);
    }
    assert_eq!(night.sitting("3 9fT0", None).await, Ok(Finished::Complete));
    let left = night.findings(LEFT);
    assert!(
        matches!(left.as_slice(), [why] if why.contains("create_coupon of coupon/c1")),
        "{left:?}"
    );
    assert_eq!(night.stage().tally.count(RowEnd::Undone), 3);
}

#[tokio::test]
async fn where_nothing_can_be_taken_back_nothing_is_begun() {
    let night = Night::written(vec![stuck("p9")]).await;
    assert!(matches!(
        night.sitting("", None).await,
        Err(CommandRefused::NotNow(_))
    ));
    let night = Night::planned(pools()).await;
    assert!(matches!(
        night.sitting("", None).await,
        Err(CommandRefused::NotNow(_))
    ));
    let mut rows = pools();
    rows.push(stuck("p9"));
    let night = Night::written(rows).await;
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    assert!(matches!(night.findings(KEPT).as_slice(), [why] if why.contains("stuck/p9")));
    assert_eq!(night.findings(LEFT), [""; 0]);
}

#[tokio::test]
async fn rows_that_were_not_written_have_no_undo_and_the_plan_names_what_it_takes_back() {
    let mut rows = pools();
    rows[3].verdict = Verdict::LeftOut;
    rows[3].planned_as = Verdict::LeftOut;
    let night = Night::written(rows).await;
    let (state, book) = night.fold();
    let stage = state.stage(COUPONS).unwrap();
    let made = || undoing::plan(&Pools, stage, &book, T0).unwrap().unwrap().plan;
    let undo = made();
    let keys: Vec<&str> = undo
        .changes()
        .iter()
        .map(|change| change.key.0.as_str())
        .collect();
    assert_eq!(keys, ["code/p1", "code/p2", "coupon/c1"]);
    let of = stage.plan.as_ref().unwrap().digest();
    assert_eq!(undo.header().policy[undoing::UNDO_OF], of.hex());
    assert_ne!(undo.digest(), of);
    assert_eq!(
        undo.digest(),
        made().digest(),
        "the same journal gives the same plan"
    );
}

#[tokio::test]
async fn an_undo_whose_approval_is_too_old_is_approved_anew() {
    let night = Night::written(pools()).await;
    assert!(matches!(
        night.sitting(PHRASE, Some(5)).await,
        Ok(Finished::Journal(_))
    ));
    let first = night.stage().undo.unwrap().plan.digest();
    night.clock.advance_to(night.clock.now().plus_ms(VALID_MS + 1));
    night.to_the_end().await;
    assert_ne!(night.stage().undo.unwrap().plan.digest(), first);
    night.is_all_back("approved anew").await;
}

#[tokio::test]
async fn what_is_written_again_after_an_undo_has_keys_of_its_own() {
    let night = Night::written(pools()).await;
    let before = night.fold().1.generations_before(COUPONS);
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    night.says(Record::Gathering { stage: COUPONS });
    assert!(night.fold().1.generations_before(COUPONS) > before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Killed again and again, with answers lost on the way.
    #[test]
    fn no_disturbance_changes_how_it_ends(
        cuts in prop::collection::vec(0usize..26, 0..4),
        faults in prop::collection::vec((0usize..8, 0usize..4), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let faults: Vec<(usize, Fault)> = faults.iter().map(|(nth, fault)| (*nth, FAULTS[*fault])).collect();
            let night = Night::written(pools()).await.goes_wrong(&faults);
            for cut in &cuts {
                if night.stage().undo.is_some_and(|undo| undo.is_over) {
                    break;
                }
                night.sitting(PHRASE, Some(*cut)).await.unwrap();
            }
            night.to_the_end().await;
            night.is_all_back(&format!("{cuts:?} {faults:?}")).await;
        });
    }
}
