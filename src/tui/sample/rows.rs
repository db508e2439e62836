//! The rows of the samples.

use crate::domain::change::{Change, ChangeKey, Choice, Decision, Evidence, Field, Risk, Verdict};
use crate::domain::ids::{EffectId, Environment, Role, StageId};
use crate::domain::money::Money;
use crate::domain::text::safe;
use crate::domain::write::{Method, PlannedWrite, When};
use crate::tui::sample::{NOW, accounts, currency};

const NAMES: [&str; 8] = [
    "Nora Berg",
    "Kofi Mensah",
    "Anna Lindqvist",
    "Zoë Müller",
    "佐藤 健",
    "Acme Labs",
    "b@example.com",
    "Pia Rossi",
];
const CODES: [&str; 4] = ["usd", "usd", "aud", "jpy"];

/// `rows` rows; every ninth is a decision to make when `undecided`, else left out.
#[must_use]
pub fn changes(rows: usize, undecided: bool) -> Vec<Change> {
    (0..rows).map(|at| row(at, undecided)).collect()
}

fn row(at: usize, undecided: bool) -> Change {
    let code = CODES[at % CODES.len()];
    let subject = format!("cus_Sample{at:08}");
    let minor = i64::try_from(at % 97).unwrap_or(0) * 125 + 300;
    let amount = if at % 17 == 5 { -minor } else { minor };
    let money = currency(code).map(|currency| Money::new(amount, currency));
    let mut change = plain(&subject, code, NAMES[at % NAMES.len()], money);
    if at % 9 == 4 {
        block(&mut change, undecided);
    } else if at % 13 == 7 {
        change.planned_as = Verdict::Noop;
        change.verdict = Verdict::Noop;
        change.rule = "already_granted".into();
        change.why = "The marker of an earlier run is on the new account with this amount.".into();
        change.writes.clear();
    }
    change
}

fn plain(subject: &str, code: &str, name: &str, money: Option<Money>) -> Change {
    let words = money.map(|money| money.in_words()).unwrap_or_default();
    Change {
        key: ChangeKey(format!("{subject}/{code}")),
        subject: subject.to_owned(),
        label: safe(name),
        item: format!("{} credit", code.to_uppercase()),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money,
        rule: "sources_agree".into(),
        why: "The ledger, its newest ending balance and the customer object agree.".into(),
        effect: format!("The old account is debited and the new one granted: {words}."),
        risk: if code == "jpy" { Risk::Medium } else { Risk::Low },
        fields: fields(subject, &words),
        writes: writes(subject, code, money),
        choices: Vec::new(),
        decision: None,
        payload: String::new(),
        update: None,
        evidence: evidence(subject, &words),
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

fn block(change: &mut Change, undecided: bool) {
    change.rule = "sources_disagree".into();
    change.risk = Risk::High;
    change.planned_as = Verdict::Blocked;
    change.why = "The ledger adds up to another amount than the customer object says.".into();
    change.effect = "Nothing is written before you decide.".into();
    let writes = std::mem::take(&mut change.writes);
    change.choices = vec![
        choice("grant_ledger", "Grant what the ledger adds up to.", writes, false),
        choice(
            "returned_outside",
            "The money was returned outside this program.",
            Vec::new(),
            true,
        ),
    ];
    change.verdict = if undecided {
        Verdict::Blocked
    } else {
        Verdict::LeftOut
    };
    change.decision = (!undecided).then(|| Decision {
        choice: "returned_outside".into(),
        by: "ops1".into(),
        note: "wired on Friday, ticket 4411".into(),
        number: None,
    });
}

fn choice(name: &str, means: &str, writes: Vec<PlannedWrite>, sign_off: bool) -> Choice {
    Choice {
        name: name.into(),
        means: means.into(),
        writes,
        sign_off,
        number: None,
    }
}

fn fields(subject: &str, words: &str) -> Vec<Field> {
    let field = |name: &str, before: &str, after: &str| Field {
        name: name.into(),
        before: before.into(),
        after: after.into(),
        equal: before == after,
    };
    vec![
        field("customer", subject, subject),
        field("balance", words, words),
        field("old balance after", words, "0"),
        field("metadata[cutover_of]", "", subject),
    ]
}

fn evidence(subject: &str, words: &str) -> Vec<Evidence> {
    let fact = |role, path: &str, said: String, request: &str, ago_ms: i64| Evidence {
        role: Some(role),
        asked: format!("GET /v1/customers/{subject}{path}"),
        said,
        request_id: request.into(),
        at: NOW.plus_ms(-ago_ms),
    };
    vec![
        fact(
            Role::Source,
            "/balance_transactions",
            format!("3 entries, sum {words}"),
            "req_7HqSample01",
            331_000,
        ),
        fact(
            Role::Source,
            "",
            format!("balance {words}"),
            "req_7HqSample02",
            331_000,
        ),
        fact(
            Role::Destination,
            "",
            "balance 0".into(),
            "req_8QySample03",
            42_000,
        ),
    ]
}

fn writes(subject: &str, code: &str, money: Option<Money>) -> Vec<PlannedWrite> {
    let accounts = accounts(Environment::Rehearsal);
    let write = |op: &str, role, sign: i64, when| {
        let amount = money.map_or(0, |money| money.amount * sign);
        PlannedWrite {
            op: op.into(),
            role,
            effect: EffectId::new(&accounts, StageId::Credits, op, &format!("{subject}/{code}"), 0),
            method: Method::Post,
            path: format!("/v1/customers/{subject}/balance_transactions"),
            form: vec![
                ("amount".into(), amount.to_string()),
                ("currency".into(), code.into()),
                ("description".into(), "Balance moved to the new account".into()),
            ],
            money,
            when,
            irreversible: false,
            marked: true,
        }
    };
    vec![
        write("debit_source", Role::Source, 1, When::Always),
        write("give_back", Role::Source, -1, When::IfRaced),
        write("grant", Role::Destination, -1, When::Always),
    ]
}

/// Rows with names that try to obey, to hide or to turn the line around.
#[must_use]
pub(super) fn hostile() -> Vec<Change> {
    let names = [
        "\u{1b}[2J\u{1b}[H all paid",
        "\u{202e}0.00 DSU timid",
        "zero\u{200b}width",
        "\u{9b}31mred",
        "two\r\nlines\tand a tab",
        "=cmd|' /C calc'!A0",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\u{1b}]0;title\u{7}",
        "مرحبا بالعالم",
        "<b>&amp;</b>",
    ];
    let usd = currency("usd").map(|currency| Money::new(1_234, currency));
    let rows = names.iter().enumerate().map(|(at, name)| {
        let mut change = plain(&format!("cus_Hostile{at:04}"), "usd", name, usd);
        change.why = format!("Raw from outside: {name}");
        change.item = format!("USD {name}");
        change.rule = format!("rule {name}");
        if let Some(fact) = change.evidence.first_mut() {
            (*name).clone_into(&mut fact.said);
        }
        change
    });
    rows.collect()
}
