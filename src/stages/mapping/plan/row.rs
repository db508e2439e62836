//! Rows put together.

use super::Rules;
use crate::domain::change::{Change, ChangeKey, Choice, Evidence, Field, Risk, Verdict};
use crate::domain::ids::Role;
use crate::domain::write::PlannedWrite;
use crate::stages::mapping::effects::Payload;
use crate::stages::mapping::facts::{CustomerFacts, Side};
use crate::stages::mapping::worklist::Work;

/// What was decided, before it is put beside the evidence.
pub(super) struct Made {
    pub(super) verdict: Verdict,
    pub(super) rule: &'static str,
    pub(super) why: String,
    pub(super) effect: String,
    pub(super) risk: Risk,
    pub(super) fields: Vec<Field>,
    pub(super) writes: Vec<PlannedWrite>,
    pub(super) choices: Vec<Choice>,
    pub(super) payload: Payload,
}

const NOTHING: &str = "Nothing is written.";
const UNTIL_DECIDED: &str = "Nothing is written until a person decides.";

impl Made {
    pub(super) fn planned(
        rule: &'static str,
        why: String,
        effect: String,
        write: PlannedWrite,
        payload: Payload,
    ) -> Self {
        Self {
            verdict: Verdict::Planned,
            rule,
            why,
            effect,
            risk: Risk::Low,
            fields: Vec::new(),
            writes: vec![write],
            choices: Vec::new(),
            payload,
        }
    }

    pub(super) fn blocked(rule: &'static str, why: String, payload: Payload) -> Self {
        Self::silent(Verdict::Blocked, rule, why, UNTIL_DECIDED, Risk::High, payload)
    }

    pub(super) fn noop(rule: &'static str, why: String, payload: Payload) -> Self {
        Self::silent(Verdict::Noop, rule, why, NOTHING, Risk::Low, payload)
    }

    /// Left out by the named policy that what the copy cannot bring goes to support.
    pub(super) fn work_list(rule: &'static str, why: String, payload: Payload) -> Self {
        let effect = "Nothing is written; it goes to support's work list.";
        Self::silent(Verdict::LeftOut, rule, why, effect, Risk::Medium, payload)
    }

    fn silent(
        verdict: Verdict,
        rule: &'static str,
        why: String,
        effect: &str,
        risk: Risk,
        payload: Payload,
    ) -> Self {
        Self {
            verdict,
            rule,
            why,
            effect: effect.to_owned(),
            risk,
            fields: Vec::new(),
            writes: Vec::new(),
            choices: Vec::new(),
            payload,
        }
    }

    pub(super) fn with_fields(mut self, fields: Vec<Field>) -> Self {
        self.fields = fields;
        self
    }

    pub(super) fn with_choices(mut self, choices: Vec<Choice>) -> Self {
        self.choices = choices;
        self
    }

    pub(super) fn at_risk(mut self, risk: Risk) -> Self {
        self.risk = self.risk.max(risk);
        self
    }
}

/// The row itself; `of` tells the customer's rows apart.
pub(super) fn of(facts: &CustomerFacts, of: &str, item: impl Into<String>, made: Made) -> Change {
    Change {
        key: ChangeKey(format!("{}/{of}", facts.id)),
        subject: facts.id.clone(),
        label: facts.label.clone(),
        item: item.into(),
        planned_as: made.verdict,
        verdict: made.verdict,
        money: None,
        rule: made.rule.to_owned(),
        why: made.why,
        effect: made.effect,
        risk: made.risk,
        fields: made.fields,
        writes: made.writes,
        choices: made.choices,
        decision: None,
        payload: made.payload.text(),
        update: None,
        evidence: evidence(facts),
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

/// One line of the difference.
pub(super) fn field(name: &str, before: impl Into<String>, after: impl Into<String>) -> Field {
    let safe = |text: String| crate::domain::text::safe(&text).as_str().to_owned();
    let (before, after) = (safe(before.into()), safe(after.into()));
    Field {
        name: name.to_owned(),
        equal: before == after,
        before,
        after,
    }
}

fn evidence(facts: &CustomerFacts) -> Vec<Evidence> {
    let mut all = Vec::with_capacity(4);
    let mut side = |role: Role, id: &str, side: &Side| {
        let default = side.default_id().unwrap_or("none");
        all.push(Evidence {
            role: Some(role),
            asked: "GET /v1/customers (list, expanded)".to_owned(),
            said: format!("default {}", crate::domain::text::safe(default)),
            request_id: side.listed.request_id.to_string(),
            at: side.listed.at,
        });
        if let Some(methods) = &side.methods {
            let words: Vec<String> = methods
                .iter()
                .take(3)
                .map(super::super::facts::Method::in_words)
                .collect();
            all.push(Evidence {
                role: Some(role),
                asked: format!("GET /v1/customers/{id}/payment_methods"),
                said: format!("{} attached: {}", methods.len(), words.join(", ")),
                request_id: side.methods_read.request_id.to_string(),
                at: side.methods_read.at,
            });
        }
    };
    side(Role::Source, &facts.id, &facts.source);
    if let Some(there) = &facts.destination {
        side(Role::Destination, &facts.new_id, there);
    }
    all
}

/// A choice that only records what a person decided.
pub(super) fn choice(name: &str, means: &str) -> Choice {
    Choice {
        name: name.to_owned(),
        means: means.to_owned(),
        writes: Vec::new(),
        sign_off: false,
        number: None,
    }
}

/// Customers keep their ids in a self-serve copy; one that did not is somebody else until a person says otherwise.
pub(super) fn changed_id(facts: &CustomerFacts) -> Change {
    let why = format!(
        "the mapping gives {} the id {} on the new account, but a self-serve copy keeps ids",
        facts.id, facts.new_id
    );
    let made = Made::blocked("customer_id_changed", why, Payload::Copy { work: None })
        .with_fields(vec![field("customer", &facts.id, &facts.new_id)]);
    of(facts, "copy", "customer", made)
}

/// A customer in scope who is not on the new account.
pub(super) fn not_copied(facts: &CustomerFacts, rules: Rules<'_>) -> Change {
    let again = choice(
        "second_copy",
        "The customer is put on the list for a second copy; plan again when that is done.",
    );
    let (rule, why) = if rules.is_after_copy(facts.source.created) {
        (
            "late_customer",
            "created on the old account after the copy was made".to_owned(),
        )
    } else if rules.mapping.customer(&facts.id).is_some() {
        (
            "not_on_destination",
            "the mapping names the customer, but the new account does not have it (deleted there?)"
                .to_owned(),
        )
    } else {
        (
            "not_copied",
            "neither in the mapping nor on the new account".to_owned(),
        )
    };
    let work = Some(Work::of(facts, "customer".to_owned(), rules.now));
    let made = Made::blocked(rule, why, Payload::Copy { work }).with_choices(vec![again]);
    of(facts, "copy", "customer", made)
}
