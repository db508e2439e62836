//! Whether what was written is what is there, by another path. PURE: compares the plan with both accounts' whole lists as
//! they are now.
//!
//! | | read from |
//! |---|---|
//! | what was wanted | the plan's row |
//! | the script's own looks | objects by id, and one customer's lists |
//! | this audit | the lists of all subscriptions and schedules of both accounts |
//!
//! For every row, whoever decided what about it: at most one new subscription; what the old account collects ends where
//! the new one begins (reliability I27); and never is an old one stopped by us while nothing goes on for it. Rows that
//! wait are counted with until when. What is still to be stopped gets louder as its handover comes nearer.

use std::collections::BTreeMap;

use super::effects::{CHANGE, CREATE, END_OLD, PAUSE_OLD, Row};
use super::facts::{Old, Status, Twin};
use super::same::differences;
use super::script::DAY;
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::Audit;

/// How a row ended.
pub type End = (ChangeKey, RowEnd, Option<Money>);

/// Not stopped this long before its handover, seconds: a warning (what is left of a day after the toolkit's ten hours).
const SOON: i64 = 14 * 3_600;
/// The same: an error.
const AT_ONCE: i64 = 2 * 3_600;
/// Stripe begins a schedule within this time, seconds.
const BEGINS_WITHIN: i64 = 3_600;
/// Findings about single rows, at most: a record has a largest size.
const MOST: usize = 150;

/// Both accounts now.
pub struct Now<'a> {
    /// Subscriptions of the old account, ended ones with a twin too, by id.
    pub old: &'a BTreeMap<String, Old>,
    /// What the new account has, by old subscription; cancelled ones apart.
    pub twins: &'a BTreeMap<String, Vec<Twin>>,
    /// Seconds.
    pub at: i64,
}

/// Compares every row with what is there now.
#[must_use]
pub fn compare(plan: &Plan, ends: &[End], now: &Now<'_>) -> Audit {
    let ends: BTreeMap<&ChangeKey, RowEnd> = ends.iter().map(|(key, end, _)| (key, *end)).collect();
    let mut audit = Auditing {
        now,
        findings: Vec::new(),
        waiting: BTreeMap::new(),
    };
    let mut compared = 0;
    for change in plan.changes() {
        let Ok(row) = serde_json::from_str::<Row>(&change.payload) else {
            continue;
        };
        let done = change.verdict == Verdict::Planned && ends.get(&change.key) == Some(&RowEnd::Done);
        compared += u64::from(audit.row(change, &row, done));
    }
    Audit {
        compared,
        findings: audit.findings(),
    }
}

/// Rows that wait for the same.
struct Waiting {
    rows: u64,
    first: i64,
    last: i64,
}

struct Auditing<'a> {
    now: &'a Now<'a>,
    findings: Vec<Finding>,
    waiting: BTreeMap<&'static str, Waiting>,
}

impl Auditing<'_> {
    fn say(&mut self, row: &Row, rule: &str, severity: Severity, why: &str) {
        self.findings.push(Finding {
            stage: StageId::Subscriptions,
            customer: safe(&row.customer).to_string(),
            rule: rule.to_owned(),
            reason: format!("{}: {why}", safe(&row.old)),
            severity,
            money: None,
        });
    }

    fn wait(&mut self, rule: &'static str, until: i64) {
        let waiting = self.waiting.entry(rule).or_insert(Waiting {
            rows: 0,
            first: until,
            last: until,
        });
        waiting.rows += 1;
        waiting.first = waiting.first.min(until);
        waiting.last = waiting.last.max(until);
    }

    fn findings(mut self) -> Vec<Finding> {
        // The worst first, in case not all fit.
        self.findings
            .sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.cmp(other)));
        let more = self.findings.len().saturating_sub(MOST);
        self.findings.truncate(MOST);
        let (stage, none) = (StageId::Subscriptions, String::new);
        if more > 0 {
            self.findings.push(Finding {
                stage,
                customer: none(),
                rule: "and_more".to_owned(),
                reason: format!("and {more} findings more; the worst are listed"),
                severity: Severity::Differs,
                money: None,
            });
        }
        for (rule, waiting) in &self.waiting {
            let Waiting { rows, first, last } = waiting;
            self.findings.push(Finding {
                stage,
                customer: none(),
                rule: (*rule).to_owned(),
                reason: format!(
                    "{rows} rows {}, from {} to {}",
                    words(rule),
                    day(*first),
                    day(*last)
                ),
                severity: Severity::Note,
                money: None,
            });
        }
        self.findings
    }

    /// Whether the row was compared.
    fn row(&mut self, change: &Change, row: &Row, done: bool) -> bool {
        let has = |ops: &[&str]| {
            let writes = change.writes_now().iter();
            done && writes.clone().any(|write| ops.contains(&write.op.as_str()))
        };
        let now = self.now;
        let twins = now.twins.get(&row.old).map_or(&[][..], Vec::as_slice);
        let old = now.old.get(&row.old);
        let is_in_file = done && !row.cells.is_empty();
        let stops = has(&[END_OLD, PAUSE_OLD]);
        let is_there = change.verdict == Verdict::Noop && row.twin.is_some();
        let must_be_there = stops || has(&[CREATE, CHANGE]) || is_there;
        if twins.len() > 1 {
            let why = format!("{} subscriptions of the new account stand for it", twins.len());
            self.say(row, "two_twins", Severity::Differs, &why);
        }
        match twins.first() {
            None if is_in_file => self.not_uploaded(row),
            None if must_be_there => self.say(
                row,
                "twin_not_there",
                Severity::Differs,
                "nothing on the new account stands for it",
            ),
            None => {}
            Some(twin) => {
                if must_be_there || is_in_file {
                    self.is_as_wanted(row, twin);
                }
                self.disjoint(row, old, twin, stops);
            }
        }
        if let Some(old) = old {
            self.stopped_for_something(row, old, twins);
        }
        must_be_there || is_in_file || (done && !change.writes_now().is_empty())
    }

    fn not_uploaded(&mut self, row: &Row) {
        let latest = row.handover.unwrap_or_default().saturating_sub(DAY);
        if self.now.at < latest {
            return self.wait("waits_for_upload", latest);
        }
        let why = "it stands in a file that was not uploaded, and its start is less than 24 hours away: plan it anew";
        self.say(row, "too_late_to_upload", Severity::Differs, why);
    }

    fn is_as_wanted(&mut self, row: &Row, twin: &Twin) {
        let differ = differences(&row.customer, &row.phases, row.ends, twin);
        if !differ.is_empty() && !row.phases.is_empty() {
            // Once it has begun its customer may change it.
            let severity = if twin.begun {
                Severity::Warn
            } else {
                Severity::Differs
            };
            let why = format!("on the new account it differs in {}", differ.join(", "));
            self.say(row, "twin_differs", severity, &why);
        }
        if !twin.begun && self.now.at >= twin.start.saturating_add(BEGINS_WITHIN) {
            let why = format!(
                "it was to begin on the new account at {}, and has not",
                day(twin.start)
            );
            self.say(row, "not_begun", Severity::Differs, &why);
        }
    }

    /// The old account collects nothing of what the new one bills, and leaves nothing out.
    fn disjoint(&mut self, row: &Row, old: Option<&Old>, twin: &Twin, was_stopped: bool) {
        let until = old.map_or(Some(i64::MIN), collects_until);
        let Some(old) = old.filter(|_| until.is_none_or(|until| until > twin.start)) else {
            return self.gap(row, old, twin, until);
        };
        let left = twin.start.saturating_sub(self.now.at);
        let when = day(twin.start);
        match () {
            () if left <= 0 => {
                let why = format!("both accounts bill it since {when}");
                self.say(row, "both_bill", Severity::Differs, &why);
            }
            () if was_stopped => {
                let why = format!("it was stopped, and goes on; both accounts bill it from {when}");
                self.say(row, "not_stopped", Severity::Differs, &why);
            }
            () if left < SOON => {
                let severity = if left < AT_ONCE {
                    Severity::Differs
                } else {
                    Severity::Warn
                };
                let why = format!("it is not stopped, and both accounts bill it from {when}");
                self.say(row, "stop_is_due", severity, &why);
            }
            () => {
                let period = old.period_end().unwrap_or(twin.start);
                let rule = if period < twin.start {
                    "waits_for_bill"
                } else {
                    "waits_for_stop"
                };
                self.wait(rule, period.min(twin.start));
            }
        }
    }

    /// It ends before the new one begins, or just then.
    fn gap(&mut self, row: &Row, old: Option<&Old>, twin: &Twin, until: Option<i64>) {
        let stopped_for = old.and_then(Old::stopped_for);
        if let Some(handover) = stopped_for.filter(|handover| *handover != twin.start) {
            let why = format!(
                "the old one was stopped for {}, and the new one begins at {}",
                day(handover),
                day(twin.start)
            );
            return self.say(row, "handover_differs", Severity::Differs, &why);
        }
        let is_before = until.is_some_and(|until| until < twin.start);
        if stopped_for.is_none() && is_before && !twin.begun {
            let why = "its old subscription ends before the new one begins, and not by this program: plan again to withdraw it";
            self.say(row, "begins_for_an_ended_one", Severity::Warn, why);
        }
        let paused = old.filter(|old| is_paused(old) && old.status != Status::Ended);
        if paused.is_some() {
            if self.now.at < row.window_ends {
                return self.wait("paused_until_window", row.window_ends);
            }
            let why =
                "the settlement window is over, and the old one is still paused: plan again to cancel it";
            self.say(row, "still_paused", Severity::Warn, why);
        }
    }

    /// What we stopped goes on somewhere.
    fn stopped_for_something(&mut self, row: &Row, old: &Old, twins: &[Twin]) {
        if old.stopped_for().is_some() && twins.is_empty() {
            let why = "this program stopped the old one, and nothing on the new account goes on for it";
            self.say(row, "nobody_bills", Severity::Differs, why);
        }
    }
}

/// When the old account collects its last bill for a period, seconds; `None`: it goes on.
fn collects_until(old: &Old) -> Option<i64> {
    let ended = (old.status == Status::Ended).then(|| old.ended_at.unwrap_or(i64::MIN));
    if is_paused(old) {
        // What it drew up since was kept as a draft, also where it was cancelled in the end.
        return ended.into_iter().chain(old.stopped_for()).min();
    }
    if ended.is_some() {
        return ended;
    }
    let with_period = old.period_end().filter(|_| old.ends_with_period);
    [with_period, old.cancel_at].into_iter().flatten().min()
}

fn is_paused(old: &Old) -> bool {
    old.pause.as_deref() == Some("keep_as_draft") && old.stopped_for().is_some()
}

fn words(rule: &str) -> &'static str {
    match rule {
        "waits_for_upload" => "stand in a file that is still to be uploaded, at the latest",
        "waits_for_bill" => "have a bill of the old account to come before they are stopped",
        "waits_for_stop" => "are on the new account, and their old one can be stopped by another plan",
        "paused_until_window" => "are paused on the old account until the settlement window is over",
        _ => "wait",
    }
}

fn day(at: i64) -> String {
    let at = UtcMs::from_secs(at);
    format!("{} {}", at.day(), at.hms())
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
