//! Profile fields, metadata and tax ids: what the copy did not bring, or what changed on the old account since.
//!
//! Only what the old account *has* is written. What only the new account has stays: somebody put it there.

use super::row::{self, Made, field};
use super::{Rules, finding};
use crate::domain::change::{Change, Risk};
use crate::domain::finding::{Finding, Severity};
use crate::stages::mapping::effects::{self, Payload};
use crate::stages::mapping::facts::{CustomerFacts, Side};
use crate::stages::mapping::file::Origin;

/// Written by this program, so never compared.
const OURS: &str = "cutover_";
/// Fields that number invoices.
const NUMBERING: [&str; 2] = ["invoice_prefix", "next_invoice_sequence"];
/// Lists are written whole: one differing line sends them all.
const LISTS: [&str; 2] = ["preferred_locales[", "invoice_settings[custom_fields]["];

pub(super) fn rows(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Change> {
    if rules.mapping.origin() == Origin::Processor {
        return Vec::new();
    }
    let mut rows: Vec<Change> = profile(facts, there, rules, findings).into_iter().collect();
    let missing = facts
        .source
        .tax_ids
        .iter()
        .filter(|id| !there.tax_ids.contains(id));
    rows.extend(missing.map(|(kind, value)| tax_id(facts, rules, kind, value)));
    rows
}

fn profile(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Change> {
    let (mut form, mut held, mut fields) = (Vec::new(), Vec::new(), Vec::new());
    let mut overwrites = false;
    for (name, value) in wanted(&facts.source, there, rules) {
        let now = now(there, &name);
        overwrites |= !now.is_empty() && now != value;
        fields.push(field(&name, now.clone(), value.clone()));
        held.push((name.clone(), now));
        form.push((name, value));
    }
    numbering(facts, there, rules, findings);
    if form.is_empty() {
        return None;
    }
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).take(4).collect();
    let more = form.len().saturating_sub(names.len());
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let why = if overwrites {
        format!("differs on the new account: {}{rest}", names.join(", "))
    } else {
        format!("the copy did not bring {}{rest}", names.join(", "))
    };
    let write = effects::profile(rules.accounts, &facts.new_id, form);
    let payload = Payload::Customer {
        customer: facts.new_id.clone(),
        held,
        method: None,
        work: None,
    };
    let rule = if overwrites {
        "profile_differs"
    } else {
        "profile_missing"
    };
    let effect = "The fields below are set on the new account as they are on the old one.".to_owned();
    let made = Made::planned(rule, why, effect, write, payload).with_fields(fields);
    let risk = if overwrites { Risk::Medium } else { Risk::Low };
    Some(row::of(facts, "profile", "profile", made.at_risk(risk)))
}

/// Name and value of every field to write, in order of names.
fn wanted(old: &Side, new: &Side, rules: Rules<'_>) -> Vec<(String, String)> {
    let numbers = rules.settings.invoice_numbering;
    let differing_lists: Vec<&str> = LISTS
        .into_iter()
        .filter(|list| {
            let of = |side: &Side| -> Vec<(String, String)> {
                let fields = side.fields.iter().filter(|(name, _)| name.starts_with(list));
                fields
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            };
            of(old) != of(new)
        })
        .collect();
    let mut wanted: Vec<(String, String)> = old
        .fields
        .iter()
        .filter(|(name, _)| numbers || !NUMBERING.contains(&name.as_str()))
        .filter(|(name, value)| {
            let in_list = LISTS.iter().find(|list| name.starts_with(**list));
            match in_list {
                Some(list) => differing_lists.contains(list),
                None => new.fields.get(*name) != Some(*value) && !is_absent_default(name, value, new),
            }
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let tags = old
        .metadata
        .iter()
        .filter(|(key, value)| !key.starts_with(OURS) && new.metadata.get(*key) != Some(*value));
    wanted.extend(tags.map(|(key, value)| (format!("metadata[{key}]"), value.clone())));
    wanted
}

/// `tax_exempt` is `none` unless said otherwise, also where it is absent.
fn is_absent_default(name: &str, value: &str, new: &Side) -> bool {
    name == "tax_exempt" && value == "none" && !new.fields.contains_key(name)
}

fn now(there: &Side, name: &str) -> String {
    let tag = name
        .strip_prefix("metadata[")
        .and_then(|rest| rest.strip_suffix(']'));
    let value = match tag {
        Some(key) => there.metadata.get(key),
        None => there.fields.get(name),
    };
    value.cloned().unwrap_or_default()
}

/// Prefix and sequence are compared and told; they are written only where the operator asks for it, because a prefix is
/// unique in an account and every new customer gets one of its own.
fn numbering(facts: &CustomerFacts, there: &Side, rules: Rules<'_>, findings: &mut Vec<Finding>) {
    // A sequence of 1 means that no invoice was ever numbered for this customer.
    let numbered = facts
        .source
        .fields
        .get("next_invoice_sequence")
        .is_some_and(|next| next != "1");
    if rules.settings.invoice_numbering || !numbered {
        return;
    }
    let say = |side: &Side| {
        let part = |name: &str| side.fields.get(name).map_or("none", String::as_str).to_owned();
        format!(
            "{} next {}",
            part("invoice_prefix"),
            part("next_invoice_sequence")
        )
    };
    if say(&facts.source) != say(there) {
        let reason = format!(
            "invoice numbers go on as {} instead of {} (mapping.invoice_numbering = false)",
            say(there),
            say(&facts.source)
        );
        findings.push(finding(&facts.id, "invoice_numbering", reason, Severity::Note));
    }
}

fn tax_id(facts: &CustomerFacts, rules: Rules<'_>, kind: &str, value: &str) -> Change {
    let write = effects::tax_id(rules.accounts, &facts.new_id, kind, value);
    let payload = Payload::TaxId {
        customer: facts.new_id.clone(),
        kind: kind.to_owned(),
        value: value.to_owned(),
    };
    let made = Made::planned(
        "tax_id_missing",
        "on the old account, not on the new one".to_owned(),
        "It is added on the new account, where Stripe verifies it again.".to_owned(),
        write,
        payload,
    );
    let made = made.with_fields(vec![field(kind, "", value)]);
    row::of(facts, &format!("tax_id/{kind}/{value}"), "tax id", made)
}
