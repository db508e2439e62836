//! One row of a plan: what is to happen to one thing, why, on what evidence, and what a person may decide about it.

use serde::{Deserialize, Serialize};

use super::ids::{Digest, Role};
use super::money::Money;
use super::text::Safe;
use super::time::UtcMs;
use super::write::{PlannedWrite, RowUpdate};

/// Identifies a row within its stage, stable from plan to plan: `cus_1/usd`. Rows are ordered by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeKey(pub String);

impl std::fmt::Display for ChangeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// Where a row stands in the partition `in_scope = planned + blocked + noop + left_out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Will be written when approved.
    Planned,
    /// Cannot be planned by the program; a person decides.
    Blocked,
    /// Nothing to do: already so, or nothing there.
    Noop,
    /// A person, or a named policy, decided not to.
    LeftOut,
}

impl Verdict {
    /// The word on screen, in JSON and in filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Blocked => "blocked",
            Self::Noop => "noop",
            Self::LeftOut => "left_out",
        }
    }
}

/// How carefully a row wants to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// All sources agree.
    #[default]
    Low,
    /// Unusual.
    Medium,
    /// Money could be wrong.
    High,
}

impl Risk {
    /// The word on screen and in filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One line of the difference between the two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name, in Stripe's words.
    pub name: String,
    /// On the old account now; empty when there is none.
    pub before: String,
    /// On the new account after the write; empty when there is none.
    pub after: String,
    /// Whether the two are equal and may be folded.
    pub equal: bool,
}

/// One fact a row rests on. Not part of the digest: the same facts read again later give the same plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The account asked; `None` for a file of the operator's.
    pub role: Option<Role>,
    /// What was asked: `GET /v1/customers/cus_1/balance_transactions`, or `expected.csv line 12`.
    pub asked: String,
    /// What it said, in words.
    pub said: String,
    /// Stripe's request id, where there is one.
    pub request_id: String,
    /// When.
    pub at: UtcMs,
}

/// What a person may choose for a row besides leaving it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// A stable name, used in decision files: `let_it_pay`.
    pub name: String,
    /// What it means, one sentence.
    pub means: String,
    /// Writes this choice adds to the plan; empty when it only records the decision.
    pub writes: Vec<PlannedWrite>,
    /// Whether a note and a name are required (money that cannot be moved by the program).
    pub sign_off: bool,
    /// A number the choice asks for; what it means for the writes stands in their forms, see [`super::write::number`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
}

/// A whole number that a person gives with a choice: of six uses that are left, how many go to the new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// What it is, in few words: `uses on the new account`.
    pub asks: String,
    /// The smallest that may be given.
    pub least: u64,
    /// The largest that may be given.
    pub most: u64,
    /// What is offered first.
    pub usual: u64,
}

/// The name of the choice every blocked or planned row has.
pub const LEAVE_OUT: &str = "leave_out";
/// The name of the choice that puts a left-out row back to what the program planned.
pub const AS_PLANNED: &str = "as_planned";

/// What a person, or a named policy, decided about a row. Part of the digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// [`LEAVE_OUT`], [`AS_PLANNED`] or the name of one of the row's choices.
    pub choice: String,
    /// Who decided: an operator, or `policy:<name>`.
    pub by: String,
    /// Their own words; required where the choice asks for sign-off.
    pub note: String,
    /// The number, where the choice asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

/// One row. See the [module page](self).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Identity within the stage.
    pub key: ChangeKey,
    /// Id on the old account.
    pub subject: String,
    /// The customer's name or e-mail: personal, masked unless unmasked.
    pub label: Safe,
    /// What it is about, short: `USD credit`, `cash balance`.
    pub item: String,
    /// What the program made of it, before any decision.
    pub planned_as: Verdict,
    /// What counts now: `planned_as`, or what the decision made of it.
    pub verdict: Verdict,
    /// The money at stake, in the program's sign.
    pub money: Option<Money>,
    /// Stable name of the rule that decided; see [`Change::shape`].
    pub rule: String,
    /// One sentence: why this verdict.
    pub why: String,
    /// One sentence: what happens, in money and time.
    pub effect: String,
    /// How carefully to look.
    pub risk: Risk,
    /// The difference.
    pub fields: Vec<Field>,
    /// How the program came to its numbers, line by line: `coupon: 10 allowed - 7 used = 3 left`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub working: Vec<String>,
    /// What will be sent, in order, if the row stays planned.
    pub writes: Vec<PlannedWrite>,
    /// What a person may choose.
    pub choices: Vec<Choice>,
    /// What was chosen.
    pub decision: Option<Decision>,
    /// The row whose choices hold for this one too: what is shared by both is decided there, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<ChangeKey>,
    /// The writes of the choice, with the number that was given in its places; empty while no such choice is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filled: Vec<PlannedWrite>,
    /// What the stage needs when it writes and verifies this row; the stage's own JSON, hashed as it stands.
    pub payload: String,
    /// The row of the application's database that changes with it, if it is about one. Such a row has no writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Box<RowUpdate>>,
    /// What the row rests on; outside the digest.
    pub evidence: Vec<Evidence>,
}

impl Change {
    /// The writes that would be sent now: the plan's own, or the chosen choice's.
    #[must_use]
    pub fn writes_now(&self) -> &[PlannedWrite] {
        if self.verdict != Verdict::Planned {
            return &[];
        }
        if !self.filled.is_empty() {
            return &self.filled;
        }
        let chosen = self
            .decision
            .as_ref()
            .and_then(|d| self.choices.iter().find(|c| c.name == d.choice));
        chosen.map_or(&self.writes, |choice| &choice.writes)
    }

    /// The row of the application's database that would be changed now.
    #[must_use]
    pub fn update_now(&self) -> Option<&RowUpdate> {
        self.update
            .as_deref()
            .filter(|_| self.verdict == Verdict::Planned)
    }

    /// Groups rows that a person may decide together: same verdict, rule, risk, item and sign.
    #[must_use]
    pub fn shape(&self) -> String {
        let sign = self.money.map_or(0, |money| money.amount.signum());
        format!(
            "{}|{}|{}|{sign}|{}",
            self.planned_as.word(),
            self.rule,
            self.risk.word(),
            self.item
        )
    }

    /// Whether a person still has to decide.
    #[must_use]
    pub fn undecided(&self) -> bool {
        self.verdict == Verdict::Blocked
    }

    /// Hash of everything but the evidence.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest_in(&mut Vec::new())
    }

    /// The same in `room`, which may be used again for the next row.
    pub(super) fn digest_in(&self, room: &mut Vec<u8>) -> Digest {
        #[derive(Serialize)]
        struct Sealed<'a> {
            choices: &'a [Choice],
            decision: &'a Option<Decision>,
            effect: &'a str,
            fields: &'a [Field],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            filled: &'a [PlannedWrite],
            item: &'a str,
            key: &'a ChangeKey,
            label: &'a Safe,
            money: Option<Money>,
            payload: &'a str,
            planned_as: Verdict,
            risk: Risk,
            rule: &'a str,
            subject: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            update: Option<&'a RowUpdate>,
            verdict: Verdict,
            why: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            with: Option<&'a ChangeKey>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            working: &'a [String],
            writes: &'a [PlannedWrite],
        }
        let sealed = Sealed {
            choices: &self.choices,
            decision: &self.decision,
            effect: &self.effect,
            fields: &self.fields,
            filled: &self.filled,
            item: &self.item,
            key: &self.key,
            label: &self.label,
            money: self.money,
            payload: &self.payload,
            planned_as: self.planned_as,
            risk: self.risk,
            rule: &self.rule,
            subject: &self.subject,
            update: self.update.as_deref(),
            verdict: self.verdict,
            why: &self.why,
            with: self.with.as_ref(),
            working: &self.working,
            writes: &self.writes,
        };
        // Plain structs of strings and integers always serialise; an empty hash would match no other row's anyway.
        room.clear();
        if serde_json::to_writer(&mut *room, &sealed).is_err() {
            room.clear();
        }
        Digest::of("cutover-change-v1", [room.as_slice()])
    }
}
