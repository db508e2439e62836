//! One row per customer and currency. PURE.

use super::Rules;
use super::agree::agreed;
use super::assemble::{Made, assemble, assemble_with};
use crate::domain::change::{Change, Risk, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::money::{Currency, Money};
use crate::stages::credits::SourceAfter;
use crate::stages::credits::effects::{DEBIT, Effects, GRANT, Payload, Standing};
use crate::stages::credits::facts::{CustomerFacts, Side};

/// The balance rows of a customer in scope: one per currency, or one that says there is nothing.
pub(super) fn balances(facts: &CustomerFacts, rules: Rules<'_>, findings: &mut Vec<Finding>) -> Vec<Change> {
    let mut currencies = facts.source.currencies();
    currencies.extend(
        rules
            .expected
            .into_iter()
            .flat_map(|expected| expected.currencies_of(&facts.id)),
    );
    currencies.sort_unstable();
    currencies.dedup();
    if currencies.is_empty() {
        return vec![nothing(facts)];
    }
    // The first grant sets the currency of a customer who has none, for good: the billing currency goes first.
    let unset = facts
        .destination
        .as_ref()
        .is_some_and(|side| side.currency.is_none());
    let billed_in = facts
        .source
        .currency
        .filter(|currency| currencies.contains(currency))
        .or(currencies.first().copied());
    let mut rows = Vec::with_capacity(currencies.len());
    for currency in currencies {
        let mut made = decide(facts, currency, rules);
        if made.verdict == Verdict::Planned {
            findings.extend(other_currency(facts, currency, made.money));
            if unset && billed_in == Some(currency) {
                sets_currency(&mut made, currency);
            }
        }
        rows.push(row(facts, currency, made, rules, billed_in == Some(currency)));
    }
    rows
}

/// A customer of the region without a payment method: listed when there is money.
pub(super) fn without_method(facts: &CustomerFacts) -> Vec<Change> {
    let rows = facts.source.currencies().into_iter().map(|currency| {
        let money = facts.source.credit_in(currency).map(|amount| Money::new(amount, currency));
        let why = "the customer is of this region and has no payment method, so the copy does not bring it to the new account".to_owned();
        let made = Made::blocked("no_payment_method", why, money);
        assemble(facts, currency, made, payload_of(facts, currency, false, false))
    });
    rows.collect()
}

fn nothing(facts: &CustomerFacts) -> Change {
    let made = Made::noop(
        "nothing_there",
        "no balance in any currency, and an empty ledger".to_owned(),
        None,
    );
    let payload = Payload {
        customer: facts.id.clone(),
        money: None,
        source_before: 0,
        destination_before: 0,
        source_head: None,
        destination_head: None,
        drains: false,
        is_balance: true,
        billed_in: false,
    };
    let mut change = assemble_with(facts, "-", "no balance".to_owned(), made, &payload);
    change.fields.clear();
    change
}

fn decide(facts: &CustomerFacts, currency: Currency, rules: Rules<'_>) -> Made {
    let Some(destination) = &facts.destination else {
        let money = facts
            .source
            .ledger_in(currency)
            .map(|amount| Money::new(amount, currency));
        let why =
            "the customer is not on the new account; run Stripe's copy again, or leave the customer out"
                .to_owned();
        return Made::blocked("not_on_destination", why, money);
    };
    let amount = match agreed(&facts.source, currency) {
        Ok(amount) => amount,
        Err((rule, why)) => {
            let money = facts
                .source
                .ledger_in(currency)
                .map(|amount| Money::new(amount, currency));
            return Made::blocked(rule, why, money);
        }
    };
    let money = Money::new(amount, currency);
    if let Err((rule, why)) = agreed(destination, currency) {
        return Made::blocked(rule, format!("on the new account, {why}"), Some(money));
    }
    let (Some(source), Some(there)) = (&facts.source.ledger, &destination.ledger) else {
        return Made::blocked("unreadable", "a ledger was not read".to_owned(), Some(money));
    };
    match Effects::standing(rules.accounts, &facts.id, currency.code(), source, there) {
        Standing::Fresh { ordinal } => fresh(facts, money, ordinal, rules),
        Standing::Half { ordinal, owed } => half(facts, money, ordinal, owed, rules),
        Standing::GrantedOnly { granted, .. } => granted_only(money, granted, rules),
    }
}

fn fresh(facts: &CustomerFacts, money: Money, ordinal: u32, rules: Rules<'_>) -> Made {
    if let Some(blocked) = unexpected(facts, money, rules) {
        return blocked;
    }
    if money.amount == 0 {
        let rule = if ordinal > 0 { "already_moved" } else { "zero" };
        let why = if ordinal > 0 {
            "moved by an earlier run: its markers are on both ledgers, and the old balance is zero".to_owned()
        } else {
            "the ledger adds up to zero, and every other source agrees".to_owned()
        };
        return Made::noop(rule, why, Some(money));
    }
    let effects = Effects {
        accounts: rules.accounts,
        customer: &facts.id,
        ordinal,
    };
    let drains = rules.source_after == SourceAfter::Drain;
    let old = if drains {
        "the old balance becomes zero first"
    } else {
        "the old balance stays and can still be spent"
    };
    Made {
        verdict: Verdict::Planned,
        rule: if money.amount < 0 {
            "agrees_debit"
        } else {
            "agrees"
        },
        why: "ledger sum, newest ending balance and invoice_credit_balance agree".to_owned(),
        effect: format!("{} moves to the new account; {old}.", money.in_words()),
        risk: if money.amount < 0 { Risk::Medium } else { Risk::Low },
        money: Some(money),
        writes: effects.moving(money, drains),
    }
}

fn half(facts: &CustomerFacts, now: Money, ordinal: u32, owed: i64, rules: Rules<'_>) -> Made {
    let owed = Money::new(owed, now.currency);
    if now.amount != 0 {
        let why = format!(
            "an earlier run took {owed} off the old account without granting it on the new one, and the old account \
             has {now} again; leave it out, and move it by hand with both ledgers in view"
        );
        return Made::blocked("half_moved_and_more", why, Some(owed));
    }
    let effects = Effects {
        accounts: rules.accounts,
        customer: &facts.id,
        ordinal,
    };
    Made {
        verdict: Verdict::Planned,
        rule: "half_moved",
        why: format!(
            "an earlier run took {owed} off the old account and did not grant it: its marker is on the old ledger only"
        ),
        effect: format!(
            "{} is granted on the new account; the old account is not touched.",
            owed.in_words()
        ),
        risk: Risk::High,
        money: Some(owed),
        writes: effects.moving(owed, false),
    }
}

fn granted_only(money: Money, granted: i64, rules: Rules<'_>) -> Made {
    let granted = Money::new(granted, money.currency);
    if rules.source_after == SourceAfter::Leave {
        let why = format!("an earlier run granted {granted} on the new account: its marker is there");
        return Made::noop("already_moved", why, Some(money));
    }
    let why = format!(
        "an earlier run granted {granted} on the new account and left {money} on the old one, where it can be spent again"
    );
    Made::blocked("granted_not_drained", why, Some(money))
}

fn unexpected(facts: &CustomerFacts, money: Money, rules: Rules<'_>) -> Option<Made> {
    let expected = rules.expected?;
    match expected.get(&facts.id, money.currency) {
        Some((amount, _)) if amount == money.amount => None,
        Some((amount, line)) => {
            let says = Money::new(amount, money.currency);
            let why = format!("finance expects {says} (line {line}), Stripe says {money}");
            Some(Made::blocked("expected_differs", why, Some(money)))
        }
        None if money.amount == 0 => None,
        None => {
            let why = format!("Stripe says {money}, finance's file has no line for it");
            Some(Made::blocked("not_expected", why, Some(money)))
        }
    }
}

fn other_currency(facts: &CustomerFacts, currency: Currency, money: Option<Money>) -> Option<Finding> {
    let own = facts.source.currency?;
    if own == currency {
        return None;
    }
    let shown = Money::new(facts.source.balance, own);
    let held = money?;
    let severity = if shown.amount == 0 {
        Severity::Warn
    } else {
        Severity::Note
    };
    Some(Finding {
        stage: StageId::Credits,
        customer: facts.id.clone(),
        rule: "balance_in_other_currency".to_owned(),
        reason: format!(
            "the customer object says {shown}, but the ledger and invoice_credit_balance hold {held}: balance shows \
             only the customer's own currency"
        ),
        severity,
        money: Some(held),
    })
}

fn sets_currency(made: &mut Made, currency: Currency) {
    let more = format!(
        " The customer has no currency on the new account yet; this sets it to {currency}, which nothing can take back."
    );
    made.effect.push_str(&more);
    for write in made.writes.iter_mut().filter(|write| write.op == GRANT) {
        write.irreversible = true;
    }
}

fn row(facts: &CustomerFacts, currency: Currency, made: Made, rules: Rules<'_>, billed_in: bool) -> Change {
    let drains =
        rules.source_after == SourceAfter::Drain && made.writes.iter().any(|write| write.op == DEBIT);
    assemble(
        facts,
        currency,
        made,
        payload_of(facts, currency, drains, billed_in),
    )
}

fn payload_of(facts: &CustomerFacts, currency: Currency, drains: bool, billed_in: bool) -> Payload {
    let head = |side: &Side| side.ledger.as_ref().and_then(|ledger| ledger.head.clone());
    Payload {
        customer: facts.id.clone(),
        money: None,
        source_before: facts
            .source
            .ledger_in(currency)
            .or(facts.source.credit_in(currency))
            .unwrap_or(0),
        destination_before: facts
            .destination
            .as_ref()
            .and_then(|side| side.ledger_in(currency))
            .unwrap_or(0),
        source_head: head(&facts.source),
        destination_head: facts.destination.as_deref().and_then(head),
        drains,
        is_balance: true,
        billed_in,
    }
}
