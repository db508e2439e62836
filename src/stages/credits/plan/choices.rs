//! Money the API cannot move: cash Stripe holds for a customer, and billing credit grants. Blocked, with named choices
//! that a person signs for (docs: customer balance; billing credits). The program never refunds.

use super::Rules;
use super::assemble::{Made, assemble_with};
use crate::domain::change::{Change, Choice, Risk, Verdict};
use crate::domain::ids::Role;
use crate::domain::money::Money;
use crate::domain::write::{Method, PlannedWrite, When, marker};
use crate::stages::credits::effects::{BILLING_GRANT, Effects, GRANT, Payload};
use crate::stages::credits::facts::{CustomerFacts, Grant};

/// Names of the choices, as decision files use them.
pub const CHOICES: [&str; 5] = [
    "let_it_pay",
    "returned_outside",
    "equal_credit",
    "equal_grant",
    "left",
];

/// A row per currency in which Stripe holds cash for the customer.
pub(super) fn cash(facts: &CustomerFacts, rules: Rules<'_>) -> Vec<Change> {
    let held = facts.source.cash.iter().filter(|(_, amount)| **amount != 0);
    let rows = held.map(|(currency, amount)| {
        let money = Money::new(*amount, *currency);
        let of = format!("cash-{}", currency.code());
        let why = format!(
            "Stripe holds {money} in cash for the customer on the old account; the API cannot move cash"
        );
        let mut row = blocked(facts, &of, format!("{currency} cash"), "cash_balance", why, money);
        row.choices = common(facts, rules, money, &of);
        row
    });
    rows.collect()
}

/// A row per billing credit grant still in force.
pub(super) fn grants(facts: &CustomerFacts, rules: Rules<'_>) -> Vec<Change> {
    let rows = facts.source.grants.iter().map(|grant| {
        let why = format!(
            "billing credit grant {} ({}, {} when granted) applies to metered prices on the old account only",
            grant.id, grant.category, grant.money
        );
        let item = format!("{} billing grant", grant.money.currency);
        let mut row = blocked(facts, &grant.id, item, "billing_credit_grant", why, grant.money);
        row.choices = common(facts, rules, grant.money, &grant.id);
        if facts.destination.is_some() {
            row.choices.insert(3, equal_grant(facts, rules, grant));
        }
        row
    });
    rows.collect()
}

fn blocked(
    facts: &CustomerFacts,
    of: &str,
    item: String,
    rule: &'static str,
    why: String,
    money: Money,
) -> Change {
    let made = Made {
        verdict: Verdict::Blocked,
        rule,
        why,
        effect: "Nothing is written until a person decides and signs.".to_owned(),
        risk: Risk::High,
        money: Some(money),
        writes: Vec::new(),
    };
    let payload = Payload {
        customer: facts.id.clone(),
        money: Some(money),
        source_before: 0,
        destination_before: facts
            .destination
            .as_ref()
            .and_then(|s| s.ledger_in(money.currency))
            .unwrap_or(0),
        source_head: None,
        destination_head: facts
            .destination
            .as_ref()
            .and_then(|s| s.ledger.as_ref())
            .and_then(|l| l.head.clone()),
        drains: false,
        is_balance: false,
        billed_in: false,
    };
    assemble_with(facts, of, item, made, &payload)
}

fn common(facts: &CustomerFacts, rules: Rules<'_>, money: Money, of: &str) -> Vec<Choice> {
    let choice = |name: &str, means: &str, writes: Vec<PlannedWrite>| Choice {
        name: name.to_owned(),
        means: means.to_owned(),
        writes,
        sign_off: true,
        number: None,
    };
    let mut all = vec![
        choice(
            "let_it_pay",
            "it stays and pays what is still open on the old account",
            vec![],
        ),
        choice(
            "returned_outside",
            "it is returned to the customer outside this program",
            vec![],
        ),
    ];
    if facts.destination.is_some() {
        let effects = Effects {
            accounts: rules.accounts,
            customer: &facts.id,
            ordinal: 0,
        };
        let write = effects.entry_of(GRANT, Role::Destination, money, When::Always, of);
        let means =
            "an equal credit is granted on the new account; finance moves the money between the accounts";
        all.push(choice("equal_credit", means, vec![write]));
    }
    all.push(choice(
        "left",
        "it is left where it is, for the reason in the note",
        vec![],
    ));
    all
}

fn equal_grant(facts: &CustomerFacts, rules: Rules<'_>, grant: &Grant) -> Choice {
    let effects = Effects {
        accounts: rules.accounts,
        customer: &facts.id,
        ordinal: 0,
    };
    let mut form = vec![
        ("customer".to_owned(), facts.id.clone()),
        ("category".to_owned(), grant.category.clone()),
        ("amount[type]".to_owned(), "monetary".to_owned()),
        (
            "amount[monetary][currency]".to_owned(),
            grant.money.currency.code().to_owned(),
        ),
        (
            "amount[monetary][value]".to_owned(),
            grant.money.amount.to_string(),
        ),
        (
            "applicability_config[scope][price_type]".to_owned(),
            "metered".to_owned(),
        ),
        (format!("metadata[{}]", marker::OF), grant.id.clone()),
    ];
    if let Some(expires) = grant.expires_at {
        form.push(("expires_at".to_owned(), expires.to_string()));
    }
    let write = PlannedWrite {
        op: BILLING_GRANT.to_owned(),
        role: Role::Destination,
        effect: effects.id(BILLING_GRANT, &grant.id),
        method: Method::Post,
        path: "/v1/billing/credit_grants".to_owned(),
        form,
        money: Some(grant.money),
        when: When::Always,
        irreversible: false,
        marked: true,
    };
    Choice {
        name: "equal_grant".to_owned(),
        means: "a billing credit grant of the whole original amount is made on the new account".to_owned(),
        writes: vec![write],
        sign_off: true,
        number: None,
    }
}
