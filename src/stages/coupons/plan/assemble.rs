//! The row itself: what was decided, beside both sides and the evidence. PURE.

use crate::domain::change::{Change, ChangeKey, Choice, Evidence, Field, Risk, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::Role;
use crate::domain::text::{Safe, safe};
use crate::domain::write::PlannedWrite;
use crate::stages::coupons::effects::Payload;
use crate::stages::coupons::facts::{Code, Counter, Coupon, Read};

/// What was made of one thing, before it becomes a row.
pub(super) struct Made {
    pub(super) verdict: Verdict,
    pub(super) rule: String,
    pub(super) why: String,
    pub(super) effect: String,
    pub(super) risk: Risk,
    pub(super) writes: Vec<PlannedWrite>,
    pub(super) choices: Vec<Choice>,
}

impl Made {
    pub(super) fn planned(rule: &str, why: &str, effect: String, writes: Vec<PlannedWrite>) -> Self {
        let mut made = Self::without_writes(Verdict::Planned, rule, why.to_owned(), effect, Risk::Low);
        made.writes = writes;
        made
    }

    pub(super) fn blocked(rule: &str, why: String) -> Self {
        let effect = "Nothing is written until a person decides.".to_owned();
        Self::without_writes(Verdict::Blocked, rule, why, effect, Risk::High)
    }

    /// Something only a person can decide, with nothing wrong about it.
    pub(super) fn decision(rule: &str, why: String, choices: Vec<Choice>) -> Self {
        let mut made = Self::blocked(rule, why);
        (made.risk, made.choices) = (Risk::Medium, choices);
        made
    }

    pub(super) fn noop(rule: &str, why: String) -> Self {
        Self::without_writes(
            Verdict::Noop,
            rule,
            why,
            "Nothing is written.".to_owned(),
            Risk::Low,
        )
    }

    pub(super) fn choosing(mut self, choices: Vec<Choice>) -> Self {
        self.choices = choices;
        self
    }

    fn without_writes(verdict: Verdict, rule: &str, why: String, effect: String, risk: Risk) -> Self {
        Self {
            verdict,
            rule: rule.to_owned(),
            why,
            effect,
            risk,
            writes: Vec::new(),
            choices: Vec::new(),
        }
    }
}

/// What a row is about.
pub(super) struct About {
    pub(super) key: String,
    pub(super) subject: String,
    pub(super) label: Safe,
    pub(super) item: &'static str,
}

pub(super) fn row(about: About, made: Made, payload: &Payload) -> Change {
    Change {
        key: ChangeKey(about.key),
        subject: about.subject,
        label: about.label,
        item: about.item.to_owned(),
        planned_as: made.verdict,
        verdict: made.verdict,
        money: None,
        rule: made.rule,
        why: made.why,
        effect: made.effect,
        risk: made.risk,
        fields: Vec::new(),
        working: Vec::new(),
        writes: made.writes,
        choices: made.choices,
        decision: None,
        with: None,
        filled: Vec::new(),
        // Strings and integers always serialise.
        payload: serde_json::to_string(payload).unwrap_or_default(),
        update: None,
        evidence: Vec::new(),
    }
}

/// The key of a coupon's row.
pub(super) fn coupon_key(id: &str) -> String {
    format!("coupon/{id}")
}

/// Both sides: a head of single values, then the terms.
pub(super) fn sides(head: &[(&str, [String; 2])], before: &Fields, after: &Fields) -> Vec<Field> {
    let lines = head
        .iter()
        .filter(|(_, [before, after])| !(before.is_empty() && after.is_empty()));
    let mut fields: Vec<Field> = lines
        .map(|(name, [before, after])| Field {
            name: (*name).to_owned(),
            before: safe(before).to_string(),
            after: safe(after).to_string(),
            equal: before == after,
        })
        .collect();
    fields.extend(before.beside(after));
    fields
}

/// A limit as both sides show it.
pub(super) fn limit(of: Option<i64>) -> String {
    of.map(|limit| limit.to_string()).unwrap_or_default()
}

pub(super) fn of_coupon(role: Role, coupon: &Coupon) -> Evidence {
    let words = if coupon.words.is_empty() {
        String::new()
    } else {
        format!(": {}", safe(&coupon.words))
    };
    let said = format!("{}{words}; {}", safe(&coupon.id), uses(coupon.counter));
    evidence(role, "GET /v1/coupons (list)", said, &coupon.read)
}

pub(super) fn of_code(role: Role, code: &Code) -> Evidence {
    let state = if code.active { "active" } else { "inactive" };
    let said = format!(
        "{} {}: {state}; {}",
        safe(&code.id),
        safe(&code.text),
        uses(code.counter)
    );
    evidence(role, "GET /v1/promotion_codes (list)", said, &code.read)
}

pub(super) fn evidence(role: Role, asked: &str, said: String, read: &Read) -> Evidence {
    Evidence {
        role: Some(role),
        asked: asked.to_owned(),
        said,
        request_id: read.request_id.to_string(),
        at: read.at,
    }
}

fn uses(counter: Counter) -> String {
    match counter.limit {
        Some(limit) => format!("{} of {limit} used", counter.used),
        None => format!("{} used, no limit", counter.used),
    }
}
