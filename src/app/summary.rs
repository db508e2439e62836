//! What a run came to: one JSON object for programs, a dozen lines for people, one exit code.

use std::collections::BTreeMap;

use serde::Serialize;

use super::undecided::Undecided;
use crate::cli::Exit;
use crate::domain::finding::Severity;
use crate::domain::ids::Role;
use crate::domain::money::{Currency, Money, count};
use crate::domain::record::RowEnd;
use crate::engine::state::{Pass, Phase, RunState, StageState};
use crate::rehearsal::Violation;

/// The summary. Money in minor units; positive is a credit, what we owe the customer.
#[derive(Serialize)]
pub(super) struct Summary {
    run: String,
    seed: Option<u64>,
    environment: String,
    exit: u8,
    violations: Vec<Violation>,
    findings: Vec<Said>,
    requests: BTreeMap<&'static str, Requests>,
    stages: Vec<StageSummary>,
    /// Rows that wait for a decision, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    undecided: Vec<Undecided>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fatal: Option<String>,
}

#[derive(Serialize)]
struct Said {
    stage: &'static str,
    customer: String,
    rule: String,
    reason: String,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<Money>,
}

#[derive(Serialize)]
struct Requests {
    gets: u64,
    writes: u64,
    status_429: u64,
    most_in_any_second: u64,
}

#[derive(Serialize)]
struct StageSummary {
    stage: &'static str,
    phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    plan_digest: Option<String>,
    in_scope: u64,
    planned: u64,
    done: u64,
    noop: u64,
    blocked: u64,
    left_out: u64,
    failed: u64,
    drifted: u64,
    unknown: u64,
    undone: u64,
    pending: u64,
    compared: Option<u64>,
    /// Plans of this stage that were written before this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passes: Vec<PassSummary>,
    out_of_scope: BTreeMap<String, u64>,
    totals: BTreeMap<String, Totals>,
}

#[derive(Serialize)]
struct PassSummary {
    plan_digest: String,
    planned: u64,
    done: u64,
    failed: u64,
    drifted: u64,
    unknown: u64,
    undone: u64,
}

#[derive(Default, Serialize)]
struct Totals {
    source: i64,
    planned: i64,
    done: i64,
    noop: i64,
    blocked: i64,
    left_out: i64,
    failed: i64,
    drifted: i64,
    unknown: i64,
    undone: i64,
    pending: i64,
}

impl Summary {
    /// Of a run as it stands. `violations` only a rehearsal can know.
    pub(super) fn of(state: &RunState, violations: Vec<Violation>) -> Self {
        let findings = state
            .stages
            .iter()
            .flat_map(|stage| stage.findings.iter())
            .map(|finding| Said {
                stage: finding.stage.word(),
                customer: finding.customer.clone(),
                rule: finding.rule.clone(),
                reason: finding.reason.clone(),
                severity: finding.severity,
                money: finding.money,
            });
        let exit = Exit::worst([
            exit_of(state),
            if violations.is_empty() {
                Exit::Done
            } else {
                Exit::Failed
            },
        ]);
        Self {
            run: state.run.clone(),
            seed: state.seed,
            environment: state
                .accounts
                .as_ref()
                .map(|a| a.environment.word().to_lowercase())
                .unwrap_or_default(),
            exit: exit.code(),
            violations,
            findings: findings.collect(),
            requests: requests(state),
            stages: state.stages.iter().map(stage).collect(),
            undecided: Vec::new(),
            fatal: state.fatal.clone(),
        }
    }

    /// With the rows of a plan that wait for a decision.
    pub(super) fn with_undecided(self, undecided: Vec<Undecided>) -> Self {
        Self { undecided, ..self }
    }

    /// As one line of JSON.
    pub(super) fn json(&self) -> String {
        // Strings, integers and maps with string keys always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("run {}", self.run)];
        for stage in &self.stages {
            lines.push(format!("{}: {}", stage.stage, stage.phase.replace('_', " ")));
            lines.extend(stage.why.iter().map(|why| format!("  {why}")));
            let n = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX));
            if stage.plan_digest.is_none() {
                continue;
            }
            lines.push(format!(
                "  {} in scope = {} planned + {} blocked + {} nothing to do + {} left out",
                n(stage.in_scope),
                n(stage.planned),
                n(stage.blocked),
                n(stage.noop),
                n(stage.left_out)
            ));
            lines.push(format!(
                "  planned = {} done + {} failed + {} drifted + {} unknown{} + {} pending",
                n(stage.done),
                n(stage.failed),
                n(stage.drifted),
                n(stage.unknown),
                if stage.undone > 0 {
                    format!(" + {} undone", n(stage.undone))
                } else {
                    String::new()
                },
                n(stage.pending)
            ));
            lines.extend(
                stage
                    .totals
                    .iter()
                    .filter_map(|(code, sums)| money_line(code, sums)),
            );
            lines.extend(stage.passes.iter().zip(1_usize..).map(|(pass, nth)| {
                format!(
                    "  pass {nth} before this one: {} planned, {} done",
                    n(pass.planned),
                    n(pass.done)
                )
            }));
            if let Some(compared) = stage.compared {
                lines.push(format!("  audit: {} rows compared by another path", n(compared)));
            }
        }
        let bad = self
            .findings
            .iter()
            .filter(|finding| finding.severity != Severity::Note);
        lines.extend(
            bad.map(|finding| format!("  ! {} {}: {}", finding.customer, finding.rule, finding.reason)),
        );
        lines.extend(
            self.violations
                .iter()
                .map(|v| format!("  VIOLATION {} {}: {}", v.customer, v.rule, v.reason)),
        );
        lines.extend(self.fatal.iter().map(|why| format!("  STOPPED: {why}")));
        lines
    }

    /// The exit code.
    pub(super) fn exit(&self) -> Exit {
        [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Undecided,
            Exit::AuditDiffers,
            Exit::Refused,
        ]
        .into_iter()
        .find(|exit| exit.code() == self.exit)
        .unwrap_or(Exit::Failed)
    }
}

fn money_line(code: &str, sums: &Totals) -> Option<String> {
    let currency = Currency::parse(code).ok()?;
    let say = |amount| Money::new(amount, currency).digits();
    Some(format!(
        "  {currency}  {} on the old account, {} planned, {} moved, {} left out, {} blocked",
        say(sums.source),
        say(sums.planned),
        say(sums.done),
        say(sums.left_out),
        say(sums.blocked)
    ))
}

fn requests(state: &RunState) -> BTreeMap<&'static str, Requests> {
    let of = |role: Role| {
        let budget = state.budgets.get(&role).cloned().unwrap_or_default();
        let used = state.used.get(&role).copied().unwrap_or_default();
        Requests {
            gets: budget.gets.max(used.0),
            writes: budget.writes.max(used.1),
            status_429: budget.status_429,
            most_in_any_second: u64::from(budget.most_in_a_second),
        }
    };
    Role::BOTH
        .into_iter()
        .map(|role| (role.word(), of(role)))
        .collect()
}

fn stage(stage: &StageState) -> StageSummary {
    let totals = stage
        .plan
        .as_ref()
        .map(|plan| plan.totals().clone())
        .unwrap_or_default();
    let n = |end| stage.tally.count(end);
    let why = match &stage.phase {
        Phase::GatherFailed { why, .. } | Phase::Halted { why } | Phase::AuditFailed { why } => {
            Some(why.clone())
        }
        _ => None,
    };
    StageSummary {
        stage: stage.id.word(),
        phase: stage.phase.word(),
        why,
        plan_digest: stage.plan.as_ref().map(|plan| plan.digest().hex()),
        in_scope: totals.in_scope,
        planned: totals.planned,
        done: n(RowEnd::Done),
        noop: totals.noop,
        blocked: totals.blocked,
        left_out: totals.left_out,
        failed: n(RowEnd::Failed),
        drifted: n(RowEnd::Drifted),
        unknown: n(RowEnd::Unknown),
        undone: n(RowEnd::Undone),
        pending: stage.pending(),
        compared: stage.audited.map(|(compared, _)| compared),
        passes: stage.passes.iter().map(pass).collect(),
        out_of_scope: stage
            .plan
            .as_ref()
            .map(|plan| plan.out_of_scope().customers.clone())
            .unwrap_or_default(),
        totals: totals
            .money
            .iter()
            .map(|(currency, sums)| (currency.code().to_owned(), money(stage, *currency, sums)))
            .collect(),
    }
}

fn pass(pass: &Pass) -> PassSummary {
    let n = |end| pass.tally.count(end);
    PassSummary {
        plan_digest: pass.digest.hex(),
        planned: pass.planned,
        done: n(RowEnd::Done),
        failed: n(RowEnd::Failed),
        drifted: n(RowEnd::Drifted),
        unknown: n(RowEnd::Unknown),
        undone: n(RowEnd::Undone),
    }
}

fn money(stage: &StageState, currency: Currency, sums: &crate::domain::plan::MoneyTotals) -> Totals {
    let of = |end| stage.tally.money(end, currency);
    let (done, failed, drifted) = (of(RowEnd::Done), of(RowEnd::Failed), of(RowEnd::Drifted));
    let (unknown, undone) = (of(RowEnd::Unknown), of(RowEnd::Undone));
    Totals {
        source: sums.source,
        planned: sums.planned,
        done,
        noop: sums.noop,
        blocked: sums.blocked,
        left_out: sums.left_out,
        failed,
        drifted,
        unknown,
        undone,
        pending: sums.planned - done - failed - drifted - unknown - undone,
    }
}

/// The exit code of a run as it stands, after everything that was asked for has ended.
pub(super) fn exit_of(state: &RunState) -> Exit {
    let mut all = vec![if state.fatal.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    }];
    for stage in &state.stages {
        let differs = stage
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Differs);
        all.push(if differs { Exit::AuditDiffers } else { Exit::Done });
        all.push(if stage.not_done() > 0 {
            Exit::Failed
        } else {
            Exit::Done
        });
        all.push(match &stage.phase {
            Phase::GatherFailed { .. } | Phase::Halted { .. } | Phase::AuditFailed { .. } => Exit::Failed,
            Phase::Done | Phase::Undone | Phase::Waiting => Exit::Done,
            Phase::Review
                if stage
                    .plan
                    .as_ref()
                    .is_some_and(|plan| plan.totals().planned + plan.totals().blocked == 0) =>
            {
                Exit::Done
            }
            // A plan that waits, or writing that was stopped half way.
            _ => Exit::Undecided,
        });
    }
    Exit::worst(all)
}
