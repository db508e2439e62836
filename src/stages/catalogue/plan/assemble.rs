//! The row itself: what was decided, beside both sides and the evidence. PURE.

use super::Scene;
use crate::domain::change::{Change, ChangeKey, Choice, Evidence, Field, Risk, Verdict};
use crate::domain::ids::Role;
use crate::domain::text::{Safe, safe};
use crate::domain::write::PlannedWrite;
use crate::stages::catalogue::effects::Payload;
use crate::stages::catalogue::facts::{Item, Kind, Read};
use crate::stages::catalogue::fields::Fields;

/// The choice to take what is on the new account as it is, different as it may be.
pub const USE_EXISTING: &str = "use_existing";

/// What was made of one object, before it becomes a row.
pub(super) struct Made {
    pub(super) verdict: Verdict,
    pub(super) rule: String,
    pub(super) why: String,
    pub(super) effect: String,
    pub(super) risk: Risk,
    pub(super) writes: Vec<PlannedWrite>,
}

impl Made {
    pub(super) fn blocked(rule: &str, why: String) -> Self {
        let effect = "Nothing is written until a person decides.";
        Self::without_writes(Verdict::Blocked, rule, why, effect, Risk::High)
    }

    pub(super) fn noop(rule: &str, why: String) -> Self {
        Self::without_writes(Verdict::Noop, rule, why, "Nothing is written.", Risk::Low)
    }

    pub(super) fn left_out(rule: &str, why: String) -> Self {
        let effect = "Nothing is written; the runbook has it.";
        Self::without_writes(Verdict::LeftOut, rule, why, effect, Risk::Medium)
    }

    fn without_writes(verdict: Verdict, rule: &str, why: String, effect: &str, risk: Risk) -> Self {
        Self {
            verdict,
            rule: rule.to_owned(),
            why,
            effect: effect.to_owned(),
            risk,
            writes: Vec::new(),
        }
    }
}

/// What a row keeps.
pub(super) fn payload(change: &Change) -> Option<Payload> {
    serde_json::from_str(&change.payload).ok()
}

/// The row of a product, a price or a tax rate.
pub(super) fn row(
    scene: &Scene<'_>,
    item: &Item,
    fields: Fields,
    existing: Option<&Item>,
    made: Made,
) -> Change {
    let product = match item.kind {
        Kind::Product => item.id.as_str(),
        _ => item.product.as_str(),
    };
    let there = existing.map_or_else(
        || {
            if made.verdict == Verdict::Planned {
                fields.clone()
            } else {
                Fields::default()
            }
        },
        |there| there.fields.clone(),
    );
    let shown = fields.beside(&there);
    let choices = choices(&made, existing);
    let mut evidence = vec![evidence(
        Role::Source,
        item.kind,
        &item.id,
        &item.terms,
        &item.read,
    )];
    evidence.extend(
        existing
            .map(|there| self::evidence(Role::Destination, item.kind, &there.id, &there.terms, &there.read)),
    );
    let payload = Payload {
        kind: item.kind,
        old: item.id.clone(),
        product: product.to_owned(),
        existing: existing.map(|there| there.id.clone()),
        default_before: None,
        used: scene.used(item),
        terms: item.terms.clone(),
        fields,
    };
    let mut change = bare(
        key(item.kind, product, &item.id),
        &payload,
        label(scene, item),
        made,
    );
    (change.fields, change.choices, change.evidence) = (shown, choices, evidence);
    change
}

/// `product/<id>`, `price/<product>/<id>`, `tax_rate/<id>`, …
pub(super) fn key(kind: Kind, product: &str, id: &str) -> String {
    match kind {
        Kind::Price => format!("price/{product}/{id}"),
        Kind::DefaultPrice => format!("default_price/{product}"),
        _ => format!("{}/{id}", kind.word()),
    }
}

/// A row without both sides.
pub(super) fn bare(key: String, payload: &Payload, label: Safe, made: Made) -> Change {
    let subject = if payload.product.is_empty() {
        &payload.old
    } else {
        &payload.product
    };
    Change {
        key: ChangeKey(key),
        subject: subject.clone(),
        label,
        item: payload.kind.in_words().to_owned(),
        planned_as: made.verdict,
        verdict: made.verdict,
        money: None,
        rule: made.rule,
        why: made.why,
        effect: made.effect,
        risk: made.risk,
        fields: Vec::new(),
        writes: made.writes,
        choices: Vec::new(),
        decision: None,
        // Strings and booleans always serialise.
        payload: serde_json::to_string(payload).unwrap_or_default(),
        update: None,
        evidence: Vec::new(),
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

/// One line of two values.
pub(super) fn line(name: &str, before: &str, after: &str) -> Field {
    Field {
        name: name.to_owned(),
        before: safe(before).to_string(),
        after: safe(after).to_string(),
        equal: before == after,
    }
}

/// A price without a nickname is called after its product.
fn label(scene: &Scene<'_>, item: &Item) -> Safe {
    let product = scene.world.source.products.get(&item.product);
    match product {
        Some(product) if item.label.as_str().is_empty() => product.label.clone(),
        _ => item.label.clone(),
    }
}

fn choices(made: &Made, existing: Option<&Item>) -> Vec<Choice> {
    let Some(there) = existing.filter(|_| made.verdict == Verdict::Blocked) else {
        return Vec::new();
    };
    vec![use_existing(
        format!(
            "{} on the new account is used as it is, different as it is",
            safe(&there.id)
        ),
        Vec::new(),
    )]
}

pub(super) fn use_existing(means: String, writes: Vec<PlannedWrite>) -> Choice {
    Choice {
        name: USE_EXISTING.to_owned(),
        means,
        writes,
        sign_off: true,
        number: None,
    }
}

pub(super) fn evidence(role: Role, kind: Kind, id: &str, terms: &str, read: &Read) -> Evidence {
    let terms = if terms.is_empty() {
        String::new()
    } else {
        format!(": {terms}")
    };
    Evidence {
        role: Some(role),
        asked: format!("GET {} (list)", kind.list()),
        said: format!("{}{terms}", safe(id)),
        request_id: read.request_id.to_string(),
        at: read.at,
    }
}
