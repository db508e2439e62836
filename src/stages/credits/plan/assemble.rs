//! The row itself: what was decided, put beside the evidence. PURE.

use crate::domain::change::{Change, ChangeKey, Evidence, Field, Risk, Verdict};
use crate::domain::ids::Role;
use crate::domain::money::{Currency, Money};
use crate::stages::credits::effects::Payload;
use crate::stages::credits::facts::{CustomerFacts, Side};

/// What was made of one currency, before it becomes a row.
pub(super) struct Made {
    pub(super) verdict: Verdict,
    pub(super) rule: &'static str,
    pub(super) why: String,
    pub(super) effect: String,
    pub(super) risk: Risk,
    pub(super) money: Option<Money>,
    pub(super) writes: Vec<crate::domain::write::PlannedWrite>,
}

impl Made {
    pub(super) fn blocked(rule: &'static str, why: String, money: Option<Money>) -> Self {
        Self {
            verdict: Verdict::Blocked,
            rule,
            why,
            effect: "Nothing is written until a person decides.".to_owned(),
            risk: Risk::High,
            money,
            writes: Vec::new(),
        }
    }

    pub(super) fn noop(rule: &'static str, why: String, money: Option<Money>) -> Self {
        Self {
            verdict: Verdict::Noop,
            rule,
            why,
            effect: "Nothing is written.".to_owned(),
            risk: Risk::Low,
            money,
            writes: Vec::new(),
        }
    }
}

pub(super) fn assemble(
    facts: &CustomerFacts,
    currency: Currency,
    made: Made,
    mut payload: Payload,
) -> Change {
    payload.money = made.money;
    let word = if made.money.is_some_and(|money| money.amount < 0) {
        "debit"
    } else {
        "credit"
    };
    assemble_with(
        facts,
        currency.code(),
        format!("{currency} {word}"),
        made,
        &payload,
    )
}

/// The row itself. `of` is the currency or the id that tells the customer's rows apart.
pub(super) fn assemble_with(
    facts: &CustomerFacts,
    of: &str,
    item: String,
    made: Made,
    payload: &Payload,
) -> Change {
    let currency = Currency::parse(of).ok();
    Change {
        key: ChangeKey(format!("{}/{of}", facts.id)),
        subject: facts.id.clone(),
        label: facts.label.clone(),
        item,
        planned_as: made.verdict,
        verdict: made.verdict,
        fields: currency
            .map(|currency| fields(facts, currency, &made))
            .unwrap_or_default(),
        money: made.money,
        rule: made.rule.to_owned(),
        why: made.why,
        effect: made.effect,
        risk: made.risk,
        writes: made.writes,
        choices: Vec::new(),
        decision: None,
        payload: text_of(payload),
        update: None,
        evidence: evidence(facts, currency),
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

/// Without the slack it grew with: there is one per row, and it stays.
fn text_of(payload: &Payload) -> String {
    let mut text = serde_json::to_string(payload).unwrap_or_default();
    text.shrink_to_fit();
    text
}

fn fields(facts: &CustomerFacts, currency: Currency, made: &Made) -> Vec<Field> {
    let say =
        |amount: Option<i64>| amount.map_or("not read".to_owned(), |a| Money::new(a, currency).to_string());
    let there = facts.destination.as_deref();
    let moved = if made.verdict == Verdict::Planned {
        made.money.map_or(0, |money| money.amount)
    } else {
        0
    };
    let after = |now: Option<i64>| now.map(|amount| amount.saturating_add(moved));
    let field = |name: &str, before: String, after: String| Field {
        name: name.to_owned(),
        equal: before == after,
        before,
        after,
    };
    let own = |side: &Side| match side.currency {
        None => "none".to_owned(),
        Some(own) => Money::new(side.balance, own).to_string(),
    };
    let absent = || "not there".to_owned();
    vec![
        field(
            "ledger sum",
            say(facts.source.ledger_in(currency)),
            there.map_or_else(absent, |side| say(after(side.ledger_in(currency)))),
        ),
        field(
            "invoice_credit_balance",
            say(facts.source.credit_in(currency)),
            there.map_or_else(absent, |side| say(after(side.credit_in(currency)))),
        ),
        field(
            "balance (now)",
            own(&facts.source),
            there.map_or_else(absent, own),
        ),
        field(
            "customer.currency",
            facts
                .source
                .currency
                .map_or("none".to_owned(), |c| c.code().to_owned()),
            there.map_or_else(absent, |side| {
                side.currency.map_or("none".to_owned(), |c| c.code().to_owned())
            }),
        ),
    ]
}

fn evidence(facts: &CustomerFacts, currency: Option<Currency>) -> Vec<Evidence> {
    let mut all = Vec::with_capacity(4);
    let mut side = |role: Role, side: &Side| {
        let says = currency.map_or_else(
            || "no balance".to_owned(),
            |currency| match side.credit_in(currency) {
                Some(amount) => format!("invoice_credit_balance {}", Money::new(amount, currency)),
                None => "invoice_credit_balance absent".to_owned(),
            },
        );
        all.push(Evidence {
            role: Some(role),
            asked: "GET /v1/customers (list, expanded)".to_owned(),
            said: says,
            request_id: side.listed.request_id.as_ref().into(),
            at: side.listed.at,
        });
        let Some(ledger) = &side.ledger else { return };
        let sum = currency.and_then(|currency| side.ledger_in(currency).map(|sum| Money::new(sum, currency)));
        all.push(Evidence {
            role: Some(role),
            asked: format!("GET /v1/customers/{}/balance_transactions", facts.id),
            said: match sum {
                Some(sum) => format!("{} rows, sum {sum}", ledger.rows),
                None => format!("{} rows", ledger.rows),
            },
            request_id: ledger.read.request_id.as_ref().into(),
            at: ledger.read.at,
        });
    };
    side(Role::Source, &facts.source);
    if let Some(there) = &facts.destination {
        side(Role::Destination, there);
    }
    all
}
