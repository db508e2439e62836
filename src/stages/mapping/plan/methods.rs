//! The other methods of one customer: those about which there is something to say.

use super::default::{Agreement, Target, compare, differences, target};
use super::row::{self, Made, choice};
use super::{Rules, finding};
use crate::domain::change::Change;
use crate::domain::finding::{Finding, Severity};
use crate::stages::mapping::effects::Payload;
use crate::stages::mapping::facts::{CustomerFacts, Method, Side};
use crate::stages::mapping::file::Origin;
use crate::stages::mapping::worklist::Work;

pub(super) fn rows(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Change> {
    if rules.mapping.origin() == Origin::Processor {
        return Vec::new();
    }
    let default = facts.source.default_id();
    let others = facts
        .source
        .methods()
        .iter()
        .filter(|method| Some(method.id.as_str()) != default);
    let rows = others.filter_map(|method| {
        let made = made(facts, there, rules, method)?;
        Some(row::of(
            facts,
            &format!("method/{}", method.id),
            method.in_words(),
            made,
        ))
    });
    let rows = rows.collect();
    unmapped(facts, there, rules, findings);
    rows
}

fn made(facts: &CustomerFacts, there: &Side, rules: Rules<'_>, old: &Method) -> Option<Made> {
    let payload = |new: Option<&str>| Payload::Method {
        old: old.id.clone(),
        new: new.map(str::to_owned),
        work: None,
    };
    let accept = || vec![choice("accept", "It is known and stays so; nothing is written.")];
    match target(facts, there, rules, &old.id) {
        Target::There(new) => {
            let (rule, why) = match compare(old, new) {
                Agreement::Agree => return None,
                Agreement::OnlyExpiry => (
                    "expiry_differs",
                    format!(
                        "{} became {}: renewed, or another card",
                        old.in_words(),
                        new.in_words()
                    ),
                ),
                Agreement::Differ => (
                    "methods_differ",
                    format!(
                        "{} became {}: not the same method",
                        old.in_words(),
                        new.in_words()
                    ),
                ),
            };
            let made = Made::blocked(rule, why, payload(Some(&new.id)));
            Some(made.with_fields(differences(old, new)).with_choices(accept()))
        }
        Target::Missing(new) => {
            let why =
                format!("the mapping names {new}, but it is not attached to the customer on the new account");
            Some(Made::blocked("target_missing", why, payload(Some(new))).with_choices(accept()))
        }
        Target::OtherCustomer(owner) => {
            let why = format!("the mapping gives this method to another customer, {owner}");
            Some(Made::blocked("target_elsewhere", why, payload(None)).with_choices(accept()))
        }
        Target::NotMapped => Some(left(facts, rules, old)),
    }
}

fn left(facts: &CustomerFacts, rules: Rules<'_>, old: &Method) -> Made {
    let payload = Payload::Method {
        old: old.id.clone(),
        new: None,
        work: Some(Work::of(facts, old.in_words(), rules.now)),
    };
    if rules.is_after_copy(old.created) {
        let why = "added on the old account after the copy was made: for a second copy".to_owned();
        return Made::work_list("method_after_copy", why, payload);
    }
    if old.is_copied_kind() {
        let why = "of a kind the copy brings, but not in the mapping; ask Stripe, or copy again".to_owned();
        return Made::blocked("not_in_mapping", why, payload).with_choices(vec![choice(
            "accept",
            "It is known and stays so; nothing is written.",
        )]);
    }
    let why = "of a kind the copy leaves behind; only the customer can add it again".to_owned();
    Made::work_list("left_behind", why, payload)
}

/// Methods on the new account that stand for none of the old ones: added there since, or not what the mapping says.
fn unmapped(facts: &CustomerFacts, there: &Side, rules: Rules<'_>, findings: &mut Vec<Finding>) {
    let targets: Vec<&str> = facts
        .source
        .methods()
        .iter()
        .filter_map(|old| rules.mapping.method(&old.id))
        .map(|target| target.new_source)
        .collect();
    for method in there
        .methods()
        .iter()
        .filter(|method| !targets.contains(&method.id.as_str()))
    {
        let reason = format!(
            "{} ({}) is on the new account and stands for no method of the old one",
            method.id,
            method.in_words()
        );
        findings.push(finding(
            &facts.id,
            "method_only_on_new_account",
            reason,
            Severity::Note,
        ));
    }
}
