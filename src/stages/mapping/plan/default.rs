//! The default method of one customer.

use super::row::{self, Made, choice, field};
use super::{Rules, finding};
use crate::domain::change::{Change, Choice, Field, Risk};
use crate::domain::finding::{Finding, Severity};
use crate::stages::mapping::effects::{self, DEFAULT, Payload};
use crate::stages::mapping::facts::{CustomerFacts, Method, Side};
use crate::stages::mapping::file::Origin;
use crate::stages::mapping::worklist::Work;

/// How an old method and its target compare.
pub(super) enum Agreement {
    Agree,
    OnlyExpiry,
    Differ,
}

/// By type, brand, last four digits and expiry; never by fingerprint, which differs per account (facts 3.2).
pub(super) fn compare(old: &Method, new: &Method) -> Agreement {
    let alike = old.kind == new.kind && old.brand == new.brand && old.last4 == new.last4;
    match (alike, old.expires == new.expires) {
        (true, true) => Agreement::Agree,
        (true, false) => Agreement::OnlyExpiry,
        _ => Agreement::Differ,
    }
}

/// What stands on the new account for an old method.
pub(super) enum Target<'a> {
    NotMapped,
    OtherCustomer(&'a str),
    Missing(&'a str),
    There(&'a Method),
}

pub(super) fn target<'a>(facts: &CustomerFacts, there: &'a Side, rules: Rules<'a>, old: &str) -> Target<'a> {
    let Some(mapped) = rules.mapping.method(old) else {
        return Target::NotMapped;
    };
    if mapped.customer != facts.id {
        return Target::OtherCustomer(mapped.customer);
    }
    match there.method(mapped.new_source) {
        Some(method)
            if method
                .customer
                .as_deref()
                .is_none_or(|owner| owner == facts.new_id) =>
        {
            Target::There(method)
        }
        Some(_) => Target::OtherCustomer(mapped.new_customer),
        None => Target::Missing(mapped.new_source),
    }
}

pub(super) fn row(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    findings: &mut Vec<Finding>,
) -> Change {
    if rules.mapping.origin() == Origin::Processor {
        return of_import(facts, there);
    }
    let made = match facts.source.default_id() {
        None => no_default(facts, there, rules),
        Some(old) => following(facts, there, rules, old, findings),
    };
    row::of(facts, "default", "default method", made)
}

/// Customers of an import have no methods on the old account to follow.
fn of_import(facts: &CustomerFacts, there: &Side) -> Change {
    let why = "imported from another processor: only the application's database is changed".to_owned();
    let new = there.default_id().map(str::to_owned);
    let payload = Payload::Method {
        old: facts.id.clone(),
        new,
        work: None,
    };
    row::of(
        facts,
        "default",
        "default method",
        Made::noop("imported", why, payload),
    )
}

fn following(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    old: &str,
    findings: &mut Vec<Finding>,
) -> Made {
    let method = facts.source.method(old);
    match target(facts, there, rules, old) {
        Target::There(new) => {
            if let Some(method) = method {
                return compared(facts, there, rules, method, new, findings);
            }
            let why = "the old default is not among the customer's methods, so it cannot be compared";
            blocked(
                facts,
                there,
                rules,
                "default_unreadable",
                why.to_owned(),
                old,
                Some(&new.id),
            )
        }
        Target::Missing(new) => {
            let why =
                format!("the mapping names {new}, but it is not attached to the customer on the new account");
            blocked(facts, there, rules, "target_missing", why, old, Some(new))
        }
        Target::OtherCustomer(owner) => {
            let why = format!("the mapping gives this method to another customer, {owner}");
            blocked(facts, there, rules, "target_elsewhere", why, old, None)
        }
        Target::NotMapped => {
            let (rule, why) = match method {
                Some(method) if rules.is_after_copy(method.created) => (
                    "default_after_copy",
                    format!(
                        "the default, {}, was added after the copy was made",
                        method.in_words()
                    ),
                ),
                Some(method) if !method.is_copied_kind() => (
                    "default_left_behind",
                    format!(
                        "the default, {}, is of a kind the copy leaves behind",
                        method.in_words()
                    ),
                ),
                _ => (
                    "not_in_mapping",
                    "the old default is not in the mapping".to_owned(),
                ),
            };
            blocked(facts, there, rules, rule, why, old, None)
        }
    }
}

fn compared(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    old: &Method,
    new: &Method,
    findings: &mut Vec<Finding>,
) -> Made {
    let fields = differences(old, new);
    let made = match compare(old, new) {
        Agreement::Differ => {
            let why = format!(
                "{} became {}: not the same method",
                old.in_words(),
                new.in_words()
            );
            blocked(facts, there, rules, "methods_differ", why, &old.id, Some(&new.id))
        }
        Agreement::OnlyExpiry => {
            let why = format!(
                "{} became {}: renewed by the card updater, or another card",
                old.in_words(),
                new.in_words()
            );
            blocked(facts, there, rules, "expiry_differs", why, &old.id, Some(&new.id))
        }
        Agreement::Agree => agreed(facts, there, rules, old, new),
    };
    if new.is_expired(rules.now) {
        let reason = format!(
            "the default, {}, has expired; the next charge will fail",
            new.in_words()
        );
        findings.push(finding(&facts.id, "default_expired", reason, Severity::Warn));
        return made.with_fields(fields).at_risk(Risk::Medium);
    }
    made.with_fields(fields)
}

fn agreed(facts: &CustomerFacts, there: &Side, rules: Rules<'_>, old: &Method, new: &Method) -> Made {
    let payload = payload(facts, there, &old.id, &new.id);
    match there.default_method.as_deref() {
        Some(now) if now == new.id => Made::noop(
            "already_default",
            "the copy of the old default is the default already".to_owned(),
            payload,
        ),
        Some(now) => {
            let why = format!("somebody set another default on the new account, {now}");
            blocked(facts, there, rules, "other_default", why, &old.id, Some(&new.id))
        }
        None => Made::planned(
            "default_follows_map",
            format!(
                "{} is the default on the old account and was copied as {}",
                old.in_words(),
                new.id
            ),
            format!(
                "{} becomes the default on the new account; nothing is charged.",
                new.in_words()
            ),
            effects::set_default(rules.accounts, &facts.new_id, &new.id),
            payload,
        ),
    }
}

fn no_default(facts: &CustomerFacts, there: &Side, rules: Rules<'_>) -> Made {
    if there.default_method.is_none() && there.methods().is_empty() && facts.source.methods().is_empty() {
        let work = Some(Work::of(facts, "none".to_owned(), rules.now));
        let payload = Payload::Method {
            old: facts.id.clone(),
            new: None,
            work,
        };
        let why =
            "no method on either account; charges cannot succeed until the customer adds one".to_owned();
        return Made::work_list("without_method", why, payload);
    }
    let why = "no default on the old account; which method is charged is a decision, not a guess".to_owned();
    blocked(facts, there, rules, "no_default", why, "", None)
}

/// A blocked row, with every copied method of the customer to choose from.
fn blocked(
    facts: &CustomerFacts,
    there: &Side,
    rules: Rules<'_>,
    rule: &'static str,
    why: String,
    old: &str,
    new: Option<&str>,
) -> Made {
    let mut choices: Vec<Choice> = there
        .methods()
        .iter()
        .filter(|method| there.default_method.as_deref() != Some(&method.id))
        .map(|method| Choice {
            name: format!("use_{}", method.id),
            means: format!("{} becomes the default on the new account.", method.in_words()),
            writes: vec![effects::set_default(rules.accounts, &facts.new_id, &method.id)],
            sign_off: true,
            number: None,
        })
        .collect();
    choices.push(choice(
        "ask_customer",
        "Support asks the customer for a method; the work list keeps the line.",
    ));
    let fields = vec![field(
        DEFAULT,
        there.default_method.clone().unwrap_or_default(),
        new.unwrap_or_default(),
    )];
    Made::blocked(
        rule,
        why,
        payload_with_work(facts, there, rules, old, new.unwrap_or_default()),
    )
    .with_fields(fields)
    .with_choices(choices)
}

fn payload(facts: &CustomerFacts, there: &Side, old: &str, new: &str) -> Payload {
    Payload::Customer {
        customer: facts.new_id.clone(),
        held: vec![(
            DEFAULT.to_owned(),
            there.default_method.clone().unwrap_or_default(),
        )],
        method: Some((old.to_owned(), new.to_owned())),
        work: None,
    }
}

/// The same for a row that support may have to settle.
fn payload_with_work(facts: &CustomerFacts, there: &Side, rules: Rules<'_>, old: &str, new: &str) -> Payload {
    let about = facts
        .source
        .method(old)
        .map_or_else(|| "default".to_owned(), Method::in_words);
    match payload(facts, there, old, new) {
        Payload::Customer {
            customer,
            held,
            method,
            ..
        } => Payload::Customer {
            customer,
            held,
            method,
            work: Some(Work::of(facts, about, rules.now)),
        },
        other => other,
    }
}

/// Old method against new, line by line.
pub(super) fn differences(old: &Method, new: &Method) -> Vec<Field> {
    let expiry = |method: &Method| {
        let words = method.expires.map(|(year, month)| format!("{month:02}/{year}"));
        words.unwrap_or_else(|| "none".to_owned())
    };
    vec![
        field("id", &old.id, &new.id),
        field("type", &old.kind, &new.kind),
        field("brand", &old.brand, &new.brand),
        field("last4", &old.last4, &new.last4),
        field("expires", expiry(old), expiry(new)),
    ]
}
