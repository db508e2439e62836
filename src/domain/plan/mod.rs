//! All rows of one stage, sealed: the digest covers scope, accounts, policy, rows, decisions and control totals.
//!
//! The digest is a hash over the header, each row's own hash in key order, and the totals, so that deciding one row of a
//! hundred thousand re-hashes one row. Request ids, times and order of arrival are outside it: the same facts give the
//! same digest, from any run, on any day.

pub mod decide;
pub mod file;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::change::{Change, ChangeKey, Decision, Verdict};
use super::finding::Finding;
use super::ids::{Accounts, Digest, Role, StageId};
use super::money::{Currency, Money, MoneyError};
use super::time::UtcMs;
use super::write::When;

/// What a plan is for. All of it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The two accounts.
    pub accounts: Accounts,
    /// Settings that decide what is planned, by name: `source_after = drain`.
    pub policy: BTreeMap<String, String>,
    /// Digest of the scope rule.
    pub scope: Digest,
    /// The stage.
    pub stage: StageId,
}

/// Money and customers outside the plan, counted so that nothing is silently dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfScope {
    /// Customers per reason.
    pub customers: BTreeMap<String, u64>,
    /// Their balances as the customer list shows them, per currency, in minor units and the program's sign.
    pub balances: BTreeMap<Currency, i64>,
}

/// Rows and money per place in the partition. Money in minor units, positive is credit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyTotals {
    /// All rows in scope.
    pub source: i64,
    /// Rows to be written.
    pub planned: i64,
    /// Rows a person still has to decide.
    pub blocked: i64,
    /// Rows with nothing to do.
    pub noop: i64,
    /// Rows left out by decision or policy.
    pub left_out: i64,
    /// Of `planned`, the sum of rows that are credits.
    pub planned_credits: i64,
    /// Of `planned`, the sum of rows that are debits (negative).
    pub planned_debits: i64,
}

/// Counts of rows, and what would be written. The partition holds by construction and is checked again when read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// All rows.
    pub in_scope: u64,
    /// Rows to be written.
    pub planned: u64,
    /// Of those, rows whose money is a debit.
    pub planned_debits: u64,
    /// Rows a person still has to decide.
    pub blocked: u64,
    /// Rows with nothing to do.
    pub noop: u64,
    /// Rows left out.
    pub left_out: u64,
    /// Writes that are always sent, on the old account.
    pub writes_source: u64,
    /// Writes that are always sent, on the new account.
    pub writes_destination: u64,
    /// Writes sent only where a balance moved at the last moment.
    pub writes_if_raced: u64,
    /// Writes that nothing can take back.
    pub irreversible: u64,
    /// Rows of the application's database that are changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_app: u64,
    /// Planned rows that become a line of a file for somebody else to act on: nothing is sent for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines: u64,
    /// Money per currency.
    pub money: BTreeMap<Currency, MoneyTotals>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde calls")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Totals {
    /// Everything that is always written: to both accounts and to the application's database.
    #[must_use]
    pub const fn writes_in_all(&self) -> u64 {
        self.writes_source + self.writes_destination + self.rows_app
    }

    /// Everything an approval lets happen: what is written, and what is handed out in files.
    #[must_use]
    pub const fn acts(&self) -> u64 {
        self.writes_in_all() + self.lines
    }

    /// Writes always sent to the account in that role.
    #[must_use]
    pub const fn writes(&self, role: Role) -> u64 {
        match role {
            Role::Source => self.writes_source,
            Role::Destination => self.writes_destination,
        }
    }

    fn count(&mut self, change: &Change) -> Result<(), MoneyError> {
        self.in_scope += 1;
        match change.verdict {
            Verdict::Planned => self.planned += 1,
            Verdict::Blocked => self.blocked += 1,
            Verdict::Noop => self.noop += 1,
            Verdict::LeftOut => self.left_out += 1,
        }
        for write in change.writes_now() {
            match (write.when, write.role) {
                (When::IfRaced, _) => self.writes_if_raced += 1,
                (When::Always, Role::Source) => self.writes_source += 1,
                (When::Always, Role::Destination) => self.writes_destination += 1,
            }
            self.irreversible += u64::from(write.irreversible);
        }
        let is_line = change.verdict == Verdict::Planned
            && change.writes_now().is_empty()
            && change.update_now().is_none();
        self.lines += u64::from(is_line);
        self.rows_app += u64::from(change.update_now().is_some());
        let Some(money) = change.money else { return Ok(()) };
        self.count_money(change.verdict, money)
    }

    fn count_money(&mut self, verdict: Verdict, money: Money) -> Result<(), MoneyError> {
        let sums = self.money.entry(money.currency).or_default();
        let add = |sum: &mut i64| -> Result<(), MoneyError> {
            *sum = sum.checked_add(money.amount).ok_or(MoneyError::Overflow)?;
            Ok(())
        };
        add(&mut sums.source)?;
        match verdict {
            Verdict::Blocked => add(&mut sums.blocked),
            Verdict::Noop => add(&mut sums.noop),
            Verdict::LeftOut => add(&mut sums.left_out),
            Verdict::Planned => {
                add(&mut sums.planned)?;
                if money.amount < 0 {
                    self.planned_debits += 1;
                    add(&mut sums.planned_debits)
                } else {
                    add(&mut sums.planned_credits)
                }
            }
        }
    }
}

/// What is wrong with a plan or a decision about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PlanError {
    /// The totals do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Two rows with one key.
    #[error("two rows of the plan have the key {0}; each row must be decided and written once")]
    DuplicateKey(ChangeKey),
    /// A decision about a row that is not there.
    #[error("the plan has no row {0}")]
    NoSuchRow(ChangeKey),
    /// A choice the row does not offer.
    #[error("row {key} does not offer `{choice}`; it offers {offers}")]
    NoSuchChoice {
        /// The row.
        key: ChangeKey,
        /// What was asked for.
        choice: String,
        /// What there is.
        offers: String,
    },
    /// A choice that belongs to the row this one is decided with.
    #[error("`{choice}` is decided at row {with}, for {key} too")]
    DecidedWith {
        /// The row.
        key: ChangeKey,
        /// The choice.
        choice: String,
        /// Where it is decided.
        with: ChangeKey,
    },
    /// A choice that asks for a number, and none, or another one, was given.
    #[error("`{choice}` for row {key} needs a number from {least} to {most}: {asks}")]
    Number {
        /// The row.
        key: ChangeKey,
        /// The choice.
        choice: String,
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
        /// What it is.
        asks: String,
    },
    /// A number where none is asked for.
    #[error("`{choice}` for row {key} takes no number; leave it empty")]
    NoNumber {
        /// The row.
        key: ChangeKey,
        /// The choice.
        choice: String,
    },
    /// A choice that needs a name and a note.
    #[error("`{choice}` for row {key} needs a sign-off: a name and a note")]
    SignOff {
        /// The row.
        key: ChangeKey,
        /// The choice.
        choice: String,
    },
}

/// A plan. Immutable; deciding makes a new one.
#[derive(Clone, Debug)]
pub struct Plan {
    header: Header,
    out_of_scope: OutOfScope,
    changes: Arc<Vec<Arc<Change>>>,
    hashes: Arc<Vec<Digest>>,
    findings: Arc<Vec<Finding>>,
    totals: Totals,
    digest: Digest,
    made_at: UtcMs,
}

/// Plans are equal when their digests are: that is what a digest is for.
impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Plan {}

impl Plan {
    /// Seals `changes`, in any order, into a plan. `made_at` and `findings` are outside the digest.
    pub fn seal(
        header: Header,
        out_of_scope: OutOfScope,
        changes: Vec<Change>,
        findings: Vec<Finding>,
        made_at: UtcMs,
    ) -> Result<Self, PlanError> {
        let changes = changes.into_iter().map(Arc::new).collect();
        Self::seal_rows(header, out_of_scope, changes, findings, made_at)
    }

    /// The same for rows that are where they will stay. A hundred thousand rows side by side in one block of memory, and
    /// once more each by itself, are a third of what planning them needs.
    pub fn seal_rows(
        header: Header,
        out_of_scope: OutOfScope,
        mut changes: Vec<Arc<Change>>,
        mut findings: Vec<Finding>,
        made_at: UtcMs,
    ) -> Result<Self, PlanError> {
        changes.shrink_to_fit();
        changes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if let Some(twice) = changes.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(PlanError::DuplicateKey(twice[0].key.clone()));
        }
        findings.sort();
        let mut room = Vec::new();
        let hashes = changes.iter().map(|change| change.digest_in(&mut room)).collect();
        Self::assemble(header, out_of_scope, changes, hashes, Arc::new(findings), made_at)
    }

    fn assemble(
        header: Header,
        out_of_scope: OutOfScope,
        changes: Vec<Arc<Change>>,
        hashes: Vec<Digest>,
        findings: Arc<Vec<Finding>>,
        made_at: UtcMs,
    ) -> Result<Self, PlanError> {
        let mut totals = Totals::default();
        for change in &changes {
            totals.count(change)?;
        }
        let digest = seal_digest(&header, &out_of_scope, &hashes, &totals);
        let (changes, hashes) = (Arc::new(changes), Arc::new(hashes));
        Ok(Self {
            header,
            out_of_scope,
            changes,
            hashes,
            findings,
            totals,
            digest,
            made_at,
        })
    }

    /// The plan with one row decided.
    pub fn decide(&self, key: &ChangeKey, decision: Decision) -> Result<Self, PlanError> {
        self.decide_all(std::iter::once((key.clone(), decision)))
    }

    /// The plan with several rows decided, all or none.
    pub fn decide_all(
        &self,
        decisions: impl IntoIterator<Item = (ChangeKey, Decision)>,
    ) -> Result<Self, PlanError> {
        let (mut changes, mut hashes) = (self.changes.to_vec(), self.hashes.to_vec());
        let groups = decide::groups(&changes);
        for (key, decision) in decisions {
            let at = decide::find(&changes, &key)?;
            decide::of_its_own(&changes, at, &decision)?;
            for row in std::iter::once(at).chain(decide::decided_with(&changes, &groups, at, &decision)) {
                let decided = decide::row(&changes[row], decision.clone())?;
                hashes[row] = decided.digest();
                changes[row] = Arc::new(decided);
            }
        }
        Self::assemble(
            self.header.clone(),
            self.out_of_scope.clone(),
            changes,
            hashes,
            self.findings.clone(),
            self.made_at,
        )
    }

    /// What it is for.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Who and what is outside it.
    #[must_use]
    pub const fn out_of_scope(&self) -> &OutOfScope {
        &self.out_of_scope
    }

    /// All rows, by key.
    #[must_use]
    pub fn changes(&self) -> &[Arc<Change>] {
        &self.changes
    }

    /// What people have to know.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Position of a row.
    #[must_use]
    pub fn position(&self, key: &ChangeKey) -> Option<usize> {
        self.changes.binary_search_by(|c| c.key.cmp(key)).ok()
    }

    /// Counts and money.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What an approval binds.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// When its facts had been read.
    #[must_use]
    pub const fn made_at(&self) -> UtcMs {
        self.made_at
    }
}

fn seal_digest(header: &Header, out: &OutOfScope, hashes: &[Digest], totals: &Totals) -> Digest {
    let head = serde_json::to_vec(&(header, out, totals)).unwrap_or_default();
    let rows = hashes.iter().map(|hash| hash.0.as_slice());
    Digest::of("cutover-plan-v1", std::iter::once(head.as_slice()).chain(rows))
}

#[cfg(test)]
mod tests;
