//! Runs to draw: fixed states for snapshots, benches and screenshots. Every number is invented and the same every time.
//! The panels are the sample's own, so that a stage may change its words without changing these pictures.

mod coupons;
mod panels;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::change::{Change, ChangeKey};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{AccountId, Accounts, Digest, Environment, Role, StageId};
use crate::domain::money::Currency;
use crate::domain::panel::Tone;
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::record::RowEnd;
use crate::domain::time::UtcMs;
use crate::engine::state::{
    Budget, DriftCheck, LogLine, Meter, Phase, RowDetail, RowState, RunState, StageState, Tally,
};
use crate::tui::glyphs::UNICODE;
use crate::tui::model::{Look, Model};
use crate::tui::msg::Msg;
use crate::tui::theme::{Theme, ThemeError};
use crate::tui::update::update;

pub use coupons::coupons;
pub use panels::SamplePanels;
pub use rows::changes;

/// The instant at which all samples are drawn: 2026-02-14 00:04:52 UTC.
pub const NOW: UtcMs = UtcMs(1_771_027_492_000);

/// The accounts of the samples.
#[must_use]
pub fn accounts(environment: Environment) -> Accounts {
    Accounts {
        source: AccountId("acct_1EuQk2J8pYxW09fT".into()),
        destination: AccountId("acct_1UsKm7Rt4VbN2bRx".into()),
        environment,
    }
}

/// Seals `changes` into a plan, five and a half minutes before [`NOW`].
#[must_use]
pub fn plan(environment: Environment, changes: Vec<Change>) -> Option<Arc<Plan>> {
    plan_of(StageId::Credits, environment, changes).map(Arc::new)
}

fn plan_of(stage: StageId, environment: Environment, changes: Vec<Change>) -> Option<Plan> {
    let header = Header {
        accounts: accounts(environment),
        policy: BTreeMap::from([("source_after".to_owned(), "drain".to_owned())]),
        scope: scope(),
        stage,
    };
    Plan::seal(
        header,
        OutOfScope::default(),
        changes,
        findings(),
        NOW.plus_ms(-331_000),
    )
    .ok()
}

fn scope() -> Digest {
    Digest::of("sample", [b"scope".as_slice()])
}

fn findings() -> Vec<Finding> {
    let finding = |customer: &str, rule: &str, reason: &str, severity| Finding {
        stage: StageId::Credits,
        customer: customer.into(),
        rule: rule.into(),
        reason: reason.into(),
        severity,
        money: None,
    };
    vec![
        finding(
            "cus_SampleMixed0001",
            "balance_in_other_currency",
            "The customer object says 0.00 AUD, the ledger holds 120.00 USD; the ledger is what is planned.",
            Severity::Warn,
        ),
        finding(
            "cus_SampleMixed0002",
            "balance_in_other_currency",
            "The customer object says 0.00 AUD, the ledger holds 7.25 USD; the ledger is what is planned.",
            Severity::Warn,
        ),
    ]
}

/// A run that has not read anything yet.
#[must_use]
pub fn waiting() -> RunState {
    waiting_as(Environment::Rehearsal)
}

/// The same, as real as `environment`.
#[must_use]
pub fn waiting_as(environment: Environment) -> RunState {
    let mut state = RunState::new([StageId::Credits]);
    state.run = "2026-02-14a".into();
    state.accounts = Some(accounts(environment));
    state.names = BTreeMap::from([
        (Role::Source, "acme-eu".to_owned()),
        (Role::Destination, "acme-us".to_owned()),
    ]);
    state.scope = Some((
        scope(),
        "region in {us}, all waves, 0 included by list, 2 excluded".into(),
    ));
    state.operator = "ops1".into();
    state.journal_seq = 18_204;
    state.now = NOW;
    state.speed = (environment == Environment::Rehearsal).then_some(20);
    state.budgets = BTreeMap::from([(Role::Source, budget(6)), (Role::Destination, budget(25))]);
    state.log = Arc::new(log());
    state
}

fn budget(sent: u32) -> Budget {
    Budget {
        share_percent: 50,
        limit_per_s: 50,
        full_per_s: 100,
        sent_last_s: sent,
        in_flight: 2,
        history: (0..40).map(|at| (sent * 4).saturating_sub(at * 7 % 23)).collect(),
        gets: 4_112,
        last_reply_at: Some(NOW.plus_ms(-400)),
        ..Budget::default()
    }
}

fn log() -> std::collections::VecDeque<LogLine> {
    let line = |seq, ago_ms: i64, text: &str, tone| LogLine {
        seq,
        at: NOW.plus_ms(-ago_ms),
        stage: Some(StageId::Credits),
        row: None,
        text: text.into(),
        tone,
    };
    std::collections::VecDeque::from([
        line(18_200, 402_000, "reading both accounts", Tone::Quiet),
        line(
            18_201,
            332_000,
            "read 2,500 customers, 2,611 ledgers, 38 cash balances",
            Tone::Plain,
        ),
        line(
            18_202,
            331_000,
            "plan ready: 48 planned, 6 blocked, 4 no-op",
            Tone::Attention,
        ),
        line(18_203, 120_000, "ops1 left out cus_Sample..0031/usd", Tone::Plain),
        line(
            18_204,
            42_000,
            "facts read again: 118 objects, nothing changed",
            Tone::Good,
        ),
    ])
}

fn with_plan(environment: Environment, changes: Vec<Change>) -> RunState {
    let mut state = waiting_as(environment);
    let plan = plan(environment, changes);
    if let Some(stage) = state.stages.first_mut() {
        stage.phase = Phase::Review;
        stage.findings = Arc::new(
            plan.as_ref()
                .map(|plan| plan.findings().to_vec())
                .unwrap_or_default(),
        );
        stage.plan = plan;
    }
    state
}

/// A plan in review with rows to decide.
#[must_use]
pub fn review() -> RunState {
    with_plan(Environment::Rehearsal, changes(58, true))
}

/// The same on live accounts.
#[must_use]
pub fn review_live() -> RunState {
    with_plan(Environment::Live, changes(58, true))
}

/// A plan of `rows` rows in review.
#[must_use]
pub fn review_of(rows: usize) -> RunState {
    with_plan(Environment::Rehearsal, changes(rows, true))
}

/// A plan whose customers have names made to fool a terminal or a reader.
#[must_use]
pub fn hostile() -> RunState {
    with_plan(Environment::Rehearsal, rows::hostile())
}

/// A plan without anything left to decide, on accounts as real as `environment`.
#[must_use]
pub fn decided(environment: Environment) -> RunState {
    with_plan(environment, changes(58, false))
}

/// The same, its facts read again a moment ago.
#[must_use]
pub fn checked(environment: Environment) -> RunState {
    let mut state = decided(environment);
    if let Some(stage) = state.stages.first_mut() {
        let digest = stage.plan.as_ref().map_or(scope(), |plan| plan.digest());
        stage.check = Some(DriftCheck {
            digest,
            objects: 118,
            drifted: Vec::new(),
            at: NOW,
        });
    }
    state
}

/// Half way through writing.
#[must_use]
pub fn writing() -> RunState {
    let mut state = checked(Environment::Rehearsal);
    if let Some(stage) = state.stages.first_mut() {
        stage.phase = Phase::Writing;
        stage.meter = Meter {
            what: "writing".into(),
            done: 30,
            total: Some(48),
            started_at: NOW.plus_ms(-12_000),
            last_at: NOW,
        };
        write(stage, 30, &[]);
    }
    state
}

/// The same in the middle of a night: the stages before it are done.
#[must_use]
pub fn night() -> RunState {
    let mut state = writing();
    let before = [(StageId::Catalogue, 43), (StageId::Mapping, 3_797)];
    let before = before.map(|(id, done)| {
        let mut stage = StageState::new(id);
        stage.phase = Phase::Done;
        stage.tally.rows.insert(RowEnd::Done, done);
        stage.audited = Some((done, NOW.plus_ms(-600_000)));
        stage
    });
    state.stages.splice(0..0, before);
    state
}

/// Paused while writing.
#[must_use]
pub fn paused() -> RunState {
    let mut state = writing();
    state.paused = Some("ops1".into());
    state
}

/// Halted by a stop rule: five failures in a row, and one row of which nobody knows.
#[must_use]
pub fn halted() -> RunState {
    let mut state = writing();
    if let Some(stage) = state.stages.first_mut() {
        stage.phase = Phase::Halted {
            why: "five writes in a row were refused: customer_deleted".into(),
        };
        write(stage, 30, &[25, 26, 27, 28, 29]);
    }
    state
}

/// Written and verified.
#[must_use]
pub fn done() -> RunState {
    let mut state = writing();
    if let Some(stage) = state.stages.first_mut() {
        write(stage, usize::MAX, &[]);
        stage.phase = Phase::Done;
        stage.audited = Some((48, NOW.plus_ms(-3_000)));
    }
    state
}

/// Ends the first `done` planned rows, those in `failed` badly, the row before the first of them unknown.
fn write(stage: &mut StageState, done: usize, failed: &[usize]) {
    let Some(plan) = stage.plan.clone() else { return };
    let mut rows = Vec::with_capacity(plan.changes().len());
    let mut tally = Tally::default();
    let mut nth = 0;
    for change in plan.changes() {
        let planned = !change.writes_now().is_empty();
        let unknown = failed.first().is_some_and(|first| nth + 1 == *first);
        let end = (planned && nth < done).then_some(match (failed.contains(&nth), unknown) {
            (true, _) => RowEnd::Failed,
            (_, true) => RowEnd::Unknown,
            _ => RowEnd::Done,
        });
        nth += usize::from(planned);
        if let Some(end) = end {
            *tally.rows.entry(end).or_default() += 1;
        }
        let working =
            planned && failed.is_empty() && (done..done.saturating_add(3)).contains(&(nth.saturating_sub(1)));
        rows.push(RowState {
            end,
            working: working && end.is_none(),
            detail: end.and_then(detail),
        });
    }
    (stage.rows, stage.tally) = (Arc::new(rows), tally);
}

fn detail(end: RowEnd) -> Option<Arc<RowDetail>> {
    let (why, code) = match end {
        RowEnd::Failed => (
            "Stripe refused: the customer was deleted (req_SampleFail01)",
            "customer_deleted",
        ),
        RowEnd::Unknown => (
            "no answer came, and a probe after the quiet time found nothing",
            "",
        ),
        _ => return None,
    };
    Some(Arc::new(RowDetail {
        why: why.into(),
        code: code.into(),
        needs_reissue: end == RowEnd::Unknown,
        ..RowDetail::default()
    }))
}

/// A model that has taken in `state` on a terminal of that size.
pub fn model(state: RunState, size: (u16, u16)) -> Result<Model, ThemeError> {
    let look = Look {
        theme: Theme::named("default")?,
        glyphs: UNICODE,
    };
    let mut model = Model::new(look, Arc::new(SamplePanels), None);
    let now = state.now;
    for msg in [
        Msg::Time {
            tick: 60_000,
            now,
            zone: None,
        },
        Msg::Resize(size.0, size.1),
        Msg::State(Arc::new(state)),
    ] {
        update(&mut model, msg);
    }
    Ok(model)
}

/// The key of the row at `position`, for tests.
#[must_use]
pub fn key(state: &RunState, position: usize) -> Option<ChangeKey> {
    state
        .stages
        .first()?
        .changes()
        .get(position)
        .map(|change| change.key.clone())
}

/// A currency of the samples.
fn currency(code: &str) -> Option<Currency> {
    Currency::parse(code).ok()
}
