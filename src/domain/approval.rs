//! The permission to write one plan. [`Approved`] is the only way to the writer, and [`Approved::check`] the only way to
//! an [`Approved`]: a plan whose digest equals an approval on record, complete, unexpired, with the phrase typed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ids::{AccountId, Digest, Role, StageId};
use super::plan::Plan;
use super::time::{UtcMs, human_ms};

/// An approval expires after four hours (contract).
pub const VALID_MS: i64 = 4 * 3_600_000;
/// The shortest tail of an account id that a phrase may give instead of the whole id.
const TAIL_CHARS: usize = 4;
/// What stands behind the number of database rows in a phrase, and behind that of lines of files.
const ROWS: &str = "rows";
const LINES: &str = "lines";

/// What is written to the journal before the first request of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The stage.
    pub stage: StageId,
    /// The plan.
    pub digest: Digest,
    /// What was typed.
    pub phrase: String,
    /// Who approved: the operating system's user and host, or `policy:<name>`.
    pub operator: String,
    /// A second name. A record, not an authentication.
    pub witness: Option<String>,
    /// The configuration waived the second name; printed in reports.
    pub witness_waived: bool,
    /// The operator's own words.
    pub note: String,
    /// Writes always sent to the old account.
    pub writes_source: u64,
    /// Writes always sent to the new account.
    pub writes_destination: u64,
    /// At most this many correcting writes where a balance moves at the last moment.
    pub writes_if_raced: u64,
    /// Of all these, how many nothing can take back.
    pub irreversible: u64,
    /// Rows of the application's database that are changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_app: u64,
    /// Lines of files that somebody else acts on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines: u64,
    /// Head of the journal when it was approved.
    pub journal_head: String,
    /// When.
    pub at: UtcMs,
    /// Until when it is good.
    pub expires_at: UtcMs,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde calls")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Why an approval is not, or no longer, good. Each is one sentence for the screen and for stderr.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum Refusal {
    /// Another digest.
    #[error("the plan is {plan}, the approval is for {approval}: the plan changed, so review and approve it again", plan = .plan.spoken(), approval = .approval.spoken())]
    Drifted {
        /// The plan at hand.
        plan: Digest,
        /// What was approved.
        approval: Digest,
    },
    /// Too old.
    #[error("the approval expired {} ago; approve again", human_ms(*.ago_ms))]
    Expired {
        /// How long ago.
        ago_ms: i64,
    },
    /// Rows without a decision.
    #[error("{0} rows are undecided; decide them or leave them out")]
    Undecided(u64),
    /// The phrase is wrong.
    #[error("the phrase does not fit; type: {wanted}")]
    Phrase {
        /// What would fit.
        wanted: String,
    },
    /// Live and irreversible without a second name.
    #[error(
        "live writes that nothing can take back need a second name; give a witness other than the operator"
    )]
    Witness,
    /// Counts on the approval that are not the plan's.
    #[error("the approval counts {approval} writes, the plan {plan}; approve again")]
    Counts {
        /// On the approval.
        approval: u64,
        /// In the plan.
        plan: u64,
    },
    /// Nothing would be written.
    #[error("the plan writes nothing, so there is nothing to approve")]
    Nothing,
}

/// The phrase that approves `plan`, with whole account ids: `1112 acct_1Old… 1112 acct_1New…`; only accounts that are
/// written to appear, and rows of the application's database as `940 rows`, lines of files for others as `18 lines`.
#[must_use]
pub fn phrase(plan: &Plan) -> String {
    phrase_of(plan, |account| account.0.as_str())
}

fn phrase_of(plan: &Plan, name: impl Fn(&AccountId) -> &str) -> String {
    let accounts = phrase_parts(plan).map(|(writes, account)| format!("{writes} {}", name(account)));
    let others = other_parts(plan).map(|(count, what)| format!("{count} {what}"));
    accounts.chain(others).collect::<Vec<_>>().join(" ")
}

/// What is neither account's: counts and the words behind them.
fn other_parts(plan: &Plan) -> impl Iterator<Item = (u64, &'static str)> {
    let totals = plan.totals();
    let parts = [(totals.rows_app, ROWS), (totals.lines, LINES)];
    parts.into_iter().filter(|(count, _)| *count > 0)
}

/// The same phrase with each account by its last four characters: what a person types.
#[must_use]
pub fn short_phrase(plan: &Plan) -> String {
    phrase_of(plan, AccountId::tail)
}

fn phrase_parts(plan: &Plan) -> impl Iterator<Item = (u64, &AccountId)> {
    let header = plan.header();
    Role::BOTH.into_iter().filter_map(move |role| {
        let writes = plan.totals().writes(role);
        (writes > 0).then(|| (writes, header.accounts.of(role)))
    })
}

/// Whether `typed` is the phrase of `plan`. Account ids may be cut to their last characters, at least four.
#[must_use]
pub fn phrase_fits(plan: &Plan, typed: &str) -> bool {
    let mut words = typed.split_whitespace();
    let mut parts = 0;
    for (writes, account) in phrase_parts(plan) {
        parts += 1;
        let count_fits = words.next().is_some_and(|word| word == writes.to_string());
        let account_fits = words
            .next()
            .is_some_and(|word| word.len() >= TAIL_CHARS && account.0.ends_with(word));
        if !count_fits || !account_fits {
            return false;
        }
    }
    for (count, what) in other_parts(plan) {
        parts += 1;
        if words.next() != Some(count.to_string().as_str()) || words.next() != Some(what) {
            return false;
        }
    }
    parts > 0 && words.next().is_none()
}

/// A plan that may be written. No public constructor but [`Approved::check`].
#[derive(Clone, Debug)]
pub struct Approved {
    plan: Arc<Plan>,
    approval: Approval,
}

impl Approved {
    /// Binds a plan to its approval, or says why not. `now` is the clock's.
    pub fn check(plan: Arc<Plan>, approval: Approval, now: UtcMs) -> Result<Self, Refusal> {
        let totals = plan.totals();
        if plan.digest() != approval.digest || plan.header().stage != approval.stage {
            return Err(Refusal::Drifted {
                plan: plan.digest(),
                approval: approval.digest,
            });
        }
        if totals.blocked > 0 {
            return Err(Refusal::Undecided(totals.blocked));
        }
        let planned = totals.acts();
        if planned == 0 {
            return Err(Refusal::Nothing);
        }
        let approved = approval
            .writes_source
            .saturating_add(approval.writes_destination)
            .saturating_add(approval.rows_app)
            .saturating_add(approval.lines);
        if approval.writes_source != totals.writes_source
            || approval.writes_destination != totals.writes_destination
            || approval.writes_if_raced != totals.writes_if_raced
            || approval.irreversible != totals.irreversible
            || approval.rows_app != totals.rows_app
            || approval.lines != totals.lines
        {
            return Err(Refusal::Counts {
                approval: approved,
                plan: planned,
            });
        }
        if !phrase_fits(&plan, &approval.phrase) {
            return Err(Refusal::Phrase {
                wanted: short_phrase(&plan),
            });
        }
        let live = plan.header().accounts.environment.livemode();
        if live && totals.irreversible > 0 && !approval.witness_waived && !has_witness(&approval) {
            return Err(Refusal::Witness);
        }
        let approved = Self { plan, approval };
        approved.still_good(now)?;
        Ok(approved)
    }

    /// The same for settling what was sent before the approval expired: everything must fit but the age. New writes ask
    /// [`Approved::still_good`] each by itself and are refused.
    pub fn to_settle(plan: Arc<Plan>, approval: Approval) -> Result<Self, Refusal> {
        let then = approval.at;
        Self::check(plan, approval, then)
    }

    /// Whether the approval has not expired; asked again before every write.
    pub fn still_good(&self, now: UtcMs) -> Result<(), Refusal> {
        let expires = self.approval.expires_at.min(self.approval.at.plus_ms(VALID_MS));
        if now >= expires {
            return Err(Refusal::Expired {
                ago_ms: now.since(expires),
            });
        }
        Ok(())
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The approval.
    #[must_use]
    pub const fn approval(&self) -> &Approval {
        &self.approval
    }
}

fn has_witness(approval: &Approval) -> bool {
    approval
        .witness
        .as_deref()
        .is_some_and(|name| !name.trim().is_empty() && name.trim() != approval.operator)
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
