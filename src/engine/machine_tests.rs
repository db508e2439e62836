use std::collections::BTreeMap;

use super::*;
use crate::domain::approval::short_phrase;
use crate::domain::change::{Change, LEAVE_OUT, Risk, Verdict};
use crate::domain::ids::{AccountId, Accounts, EffectId, Environment};
use crate::domain::money::{Currency, Money};
use crate::domain::plan::{Header, OutOfScope};
use crate::domain::record::{Ended, Intent};
use crate::domain::text::safe;
use crate::domain::write::{Method, PlannedWrite, When};
use crate::engine::state::{DriftCheck, Plans};

const CREDITS: StageId = StageId::Credits;
const NOW: UtcMs = UtcMs(1_000_000);

struct Stored(Plan);

impl Plans for Stored {
    fn load(&self, _file: &str) -> Result<Plan, String> {
        Ok(self.0.clone())
    }
}

fn write(role: Role, effect: &str) -> PlannedWrite {
    PlannedWrite {
        op: "op".into(),
        role,
        effect: EffectId(effect.into()),
        method: Method::Post,
        path: "/v1/x".into(),
        form: vec![],
        money: None,
        when: When::Always,
        irreversible: false,
        marked: true,
    }
}

fn change(key: &str, verdict: Verdict) -> Change {
    let writes = if verdict == Verdict::Planned {
        vec![
            write(Role::Source, &format!("s-{key}")),
            write(Role::Destination, &format!("d-{key}")),
        ]
    } else {
        vec![]
    };
    Change {
        key: ChangeKey(key.into()),
        subject: key.into(),
        label: safe("N"),
        item: "USD credit".into(),
        planned_as: verdict,
        verdict,
        money: Some(Money::new(500, Currency::parse("usd").unwrap())),
        rule: "agrees".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        writes,
        choices: vec![],
        decision: None,
        payload: String::new(),
        update: None,
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

fn sealed(changes: Vec<Change>) -> Plan {
    let header = Header {
        accounts: Accounts {
            source: AccountId("acct_old_9fT0".into()),
            destination: AccountId("acct_new_2bR1".into()),
            environment: Environment::Test,
        },
        policy: BTreeMap::new(),
        scope: Digest::of("s", []),
        stage: CREDITS,
    };
    Plan::seal(header, OutOfScope::default(), changes, vec![], NOW).unwrap()
}

/// A run in review of a plan with one planned row, and what it folded.
struct World {
    state: RunState,
    book: EffectBook,
    plan: Plan,
    seq: u64,
}

impl World {
    fn new(changes: Vec<Change>) -> Self {
        let plan = sealed(changes);
        let mut world = Self {
            state: RunState::new([CREDITS]),
            book: EffectBook::default(),
            plan,
            seq: 0,
        };
        let planned = Record::Planned {
            stage: CREDITS,
            digest: world.plan.digest(),
            totals: world.plan.totals().clone(),
            file: "p".into(),
        };
        world.fold(&planned);
        world
    }

    fn planned() -> Self {
        Self::new(vec![change("cus_1", Verdict::Planned)])
    }

    fn fold(&mut self, record: &Record) {
        self.seq += 1;
        self.book.apply(record, NOW);
        self.state
            .apply(record, NOW, self.seq, &Stored(self.plan.clone()))
            .unwrap();
    }

    fn ask(&self, asked: &Command) -> Result<Vec<Act>, CommandRefused> {
        command(
            &View {
                state: &self.state,
                book: &self.book,
                now: NOW,
            },
            asked,
        )
    }

    /// Asks and makes the records true, as the driver would.
    fn obey(&mut self, asked: &Command) -> Result<Vec<Act>, CommandRefused> {
        let acts = self.ask(asked)?;
        for act in &acts {
            if let Act::Record(record) = act {
                self.fold(record);
            }
        }
        Ok(acts)
    }

    fn checked(&mut self, drifted: Vec<ChangeKey>) {
        let digest = self.state.stage(CREDITS).unwrap().plan.as_ref().unwrap().digest();
        self.fold(&Record::Checked {
            stage: CREDITS,
            digest,
            objects: 2,
            drifted,
        });
    }

    fn approve(&self) -> Command {
        let plan = self.state.stage(CREDITS).unwrap().plan.clone().unwrap();
        Command::Approve {
            stage: CREDITS,
            digest: plan.digest(),
            phrase: short_phrase(&plan),
            witness: None,
            note: String::new(),
        }
    }

    fn approved() -> Self {
        let mut world = Self::planned();
        world.checked(vec![]);
        world.obey(&world.approve()).unwrap();
        world
    }

    fn phase(&self) -> &'static str {
        self.state.stage(CREDITS).unwrap().phase.word()
    }

    fn row(&mut self, end: RowEnd) {
        self.fold(&Record::Row {
            stage: CREDITS,
            row: ChangeKey("cus_1".into()),
            end,
            why: String::new(),
            code: String::new(),
            moved: None,
        });
    }
}

fn intent() -> Record {
    Record::Intent(Intent {
        stage: CREDITS,
        row: ChangeKey("cus_1".into()),
        op: "op".into(),
        effect: EffectId("s-cus_1".into()),
        generation: 1,
        role: Role::Source,
        method: Method::Post,
        path: "/v1/x".into(),
        body: String::new(),
        key: String::new(),
        plan: Digest::of("p", []),
        money: None,
        server_at: NOW,
        fence: String::new(),
    })
}

fn kinds(acts: &[Act]) -> Vec<&'static str> {
    let kind = |act: &Act| match act {
        Act::Record(record) => match **record {
            Record::Approved { .. } => "approved",
            Record::Writing { .. } => "writing",
            Record::Paused { .. } => "paused",
            Record::Resumed { .. } => "resumed",
            Record::Reissue { .. } => "reissue",
            Record::Written { .. } => "written",
            Record::Gathering { .. } => "gathering",
            _ => "record",
        },
        Act::Gather(_) => "gather!",
        Act::Write(_) => "write!",
        Act::StopWriting => "stop!",
        Act::Audit(_) => "audit!",
        Act::Check(_) => "check!",
        _ => "other!",
    };
    acts.iter().map(kind).collect()
}

#[test]
fn the_approval_is_on_record_before_writing_starts() {
    let mut world = World::planned();
    world.checked(vec![]);
    assert_eq!(
        kinds(&world.ask(&world.approve()).unwrap()),
        ["approved", "writing", "write!"]
    );
}

#[test]
fn nothing_is_approved_without_a_fresh_look_that_found_no_drift() {
    let mut world = World::planned();
    assert!(matches!(
        world.ask(&world.approve()),
        Err(CommandRefused::NotNow(_))
    ));
    world.checked(vec![ChangeKey("cus_1".into())]);
    assert_eq!(world.ask(&world.approve()), Err(CommandRefused::Drifted(1)));
    world.checked(vec![]);
    let stage = world.state.stage_mut(CREDITS).unwrap();
    let check: &mut DriftCheck = stage.check.as_mut().unwrap();
    check.at = NOW.plus_ms(-CHECK_VALID_MS - 1);
    assert!(matches!(
        world.ask(&world.approve()),
        Err(CommandRefused::NotNow(_))
    ));
}

#[test]
fn a_decision_takes_back_the_look_and_changes_the_digest() {
    let mut world = World::new(vec![
        change("cus_1", Verdict::Planned),
        change("cus_2", Verdict::Blocked),
    ]);
    world.checked(vec![]);
    assert!(
        matches!(world.ask(&world.approve()), Err(CommandRefused::Approval(_))),
        "a row is undecided"
    );
    let before = world.approve();
    let decision = Decision {
        choice: LEAVE_OUT.into(),
        by: "ops1".into(),
        note: String::new(),
        number: None,
    };
    let rows = vec![ChangeKey("cus_2".into())];
    world
        .obey(&Command::Decide {
            stage: CREDITS,
            rows,
            decision,
        })
        .unwrap();
    assert!(
        matches!(world.ask(&before), Err(CommandRefused::Approval(_))),
        "the old digest is worth nothing"
    );
    assert!(
        matches!(world.ask(&world.approve()), Err(CommandRefused::NotNow(_))),
        "and the look is too old"
    );
    world.checked(vec![]);
    assert!(world.ask(&world.approve()).is_ok());
}

#[test]
fn while_paused_nothing_is_approved_and_resuming_goes_on_where_it_stood() {
    let mut world = World::planned();
    world.checked(vec![]);
    let by = || "ops1".to_owned();
    assert_eq!(
        kinds(&world.obey(&Command::Pause { by: by() }).unwrap()),
        ["stop!", "paused"]
    );
    assert!(world.obey(&Command::Pause { by: by() }).unwrap().is_empty());
    assert!(matches!(
        world.ask(&world.approve()),
        Err(CommandRefused::NotNow(_))
    ));
    assert_eq!(
        kinds(&world.obey(&Command::Resume { by: by() }).unwrap()),
        ["resumed"]
    );
    world.obey(&world.approve()).unwrap();
    world.obey(&Command::Pause { by: by() }).unwrap();
    assert_eq!(
        kinds(&world.obey(&Command::Resume { by: by() }).unwrap()),
        ["resumed", "write!"]
    );
}

#[test]
fn rows_are_decided_only_in_review() {
    let world = World::approved();
    let decision = Decision {
        choice: LEAVE_OUT.into(),
        by: "ops1".into(),
        note: String::new(),
        number: None,
    };
    let decide = Command::Decide {
        stage: CREDITS,
        rows: vec![ChangeKey("cus_1".into())],
        decision,
    };
    assert!(matches!(world.ask(&decide), Err(CommandRefused::NotNow(_))));
    assert!(matches!(
        world.ask(&Command::Check(CREDITS)),
        Err(CommandRefused::NotNow(_))
    ));
    assert!(matches!(
        world.ask(&world.approve()),
        Err(CommandRefused::NotNow(_))
    ));
}

#[test]
fn nothing_is_planned_anew_while_an_outcome_is_open() {
    let mut world = World::approved();
    assert!(
        matches!(
            world.ask(&Command::Gather(CREDITS)),
            Err(CommandRefused::NotNow(_))
        ),
        "writing"
    );
    world.fold(&intent());
    world.fold(&Record::Halted {
        stage: CREDITS,
        why: "401".into(),
    });
    assert!(
        matches!(
            world.ask(&Command::Gather(CREDITS)),
            Err(CommandRefused::NotNow(_))
        ),
        "an open intent"
    );
    let ended = Ended::Rejected {
        status: 400,
        code: String::new(),
        message: String::new(),
        request_id: String::new(),
    };
    world.fold(&Record::Outcome {
        stage: CREDITS,
        row: ChangeKey("cus_1".into()),
        effect: EffectId("s-cus_1".into()),
        generation: 1,
        ended,
    });
    assert_eq!(
        kinds(&world.ask(&Command::Gather(CREDITS)).unwrap()),
        ["gathering", "gather!"]
    );
}

#[test]
fn a_halted_stage_goes_on_under_its_approval_and_only_then() {
    let mut world = World::approved();
    assert!(matches!(
        world.ask(&Command::Continue(CREDITS)),
        Err(CommandRefused::NotNow(_))
    ));
    world.fold(&Record::Halted {
        stage: CREDITS,
        why: "five in a row".into(),
    });
    assert_eq!(
        kinds(&world.ask(&Command::Continue(CREDITS)).unwrap()),
        ["writing", "write!"]
    );
}

#[test]
fn a_halted_stage_whose_approval_expired_is_approved_again_without_a_new_plan() {
    let mut world = World::approved();
    world.fold(&Record::Halted {
        stage: CREDITS,
        why: "five in a row".into(),
    });
    assert!(
        matches!(world.ask(&world.approve()), Err(CommandRefused::NotNow(_))),
        "still good"
    );
    let stage = world.state.stage_mut(CREDITS).unwrap();
    stage.approval.as_mut().unwrap().expires_at = NOW;
    assert_eq!(
        kinds(&world.ask(&world.approve()).unwrap()),
        ["approved", "writing", "write!"]
    );
}

#[test]
fn only_unknown_rows_are_sent_again() {
    let mut world = World::approved();
    let again = Command::Reissue {
        stage: CREDITS,
        rows: vec![ChangeKey("cus_1".into())],
        by: "ops1".into(),
    };
    assert!(
        matches!(world.ask(&again), Err(CommandRefused::NotNow(_))),
        "still writing"
    );
    world.row(RowEnd::Unknown);
    world.fold(&Record::Written { stage: CREDITS });
    assert_eq!(
        world.state.stage(CREDITS).unwrap().tally.count(RowEnd::Unknown),
        1
    );
    assert_eq!(
        kinds(&world.obey(&again).unwrap()),
        ["reissue", "writing", "write!"]
    );
    let stage = world.state.stage(CREDITS).unwrap();
    assert_eq!((stage.tally.count(RowEnd::Unknown), stage.pending()), (0, 1));
    world.row(RowEnd::Done);
    world.fold(&Record::Written { stage: CREDITS });
    assert!(
        matches!(world.ask(&again), Err(CommandRefused::NotNow(_))),
        "it is done now"
    );
}

#[test]
fn a_plan_that_writes_nothing_is_over_when_it_is_verified() {
    let mut world = World::new(vec![change("cus_1", Verdict::Noop)]);
    assert!(world.ask(&world.approve()).is_err());
    assert_eq!(
        kinds(&world.obey(&Command::Audit(CREDITS)).unwrap()),
        ["written", "audit!"]
    );
    let planned = World::planned();
    assert!(planned.ask(&Command::Audit(CREDITS)).is_err());
}

#[test]
fn a_process_that_finds_writing_under_way_waits_for_a_word() {
    let world = World::approved();
    assert_eq!(kinds(&take_up(&world.state)), ["paused"]);
    let mut gathering = World::planned();
    gathering.fold(&Record::Gathering { stage: CREDITS });
    assert_eq!(gathering.phase(), "gathering");
    assert_eq!(kinds(&take_up(&gathering.state)), ["record"]);
    let mut written = World::approved();
    written.row(RowEnd::Done);
    written.fold(&Record::Written { stage: CREDITS });
    assert_eq!(kinds(&take_up(&written.state)), ["audit!"]);
}

#[test]
fn shares_outside_one_to_a_hundred_are_refused() {
    let world = World::planned();
    for (percent, fits) in [(0, false), (1, true), (100, true), (101, false)] {
        assert_eq!(
            world
                .ask(&Command::SetShare {
                    role: Role::Source,
                    percent
                })
                .is_ok(),
            fits
        );
    }
}
