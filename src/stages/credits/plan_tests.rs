use std::collections::BTreeMap;

use super::*;
use crate::domain::change::{Risk, Verdict};
use crate::domain::finding::Severity;
use crate::domain::ids::{AccountId, Environment, Role};
use crate::domain::money::Money;
use crate::domain::text::safe;
use crate::stages::credits::effects::{DEBIT, Effects, GRANT};
use crate::stages::credits::facts::{Book, Grant, Head, Ledger, Mark, Side};

fn cur(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn ledger(books: &[(&str, i64)]) -> Ledger {
    let books = books
        .iter()
        .map(|(code, sum)| {
            (
                cur(code),
                Book {
                    sum: *sum,
                    newest_endings: vec![*sum],
                },
            )
        })
        .collect();
    Ledger {
        books,
        rows: 1,
        head: Some(Head {
            created: 1,
            ids: vec!["cbtxn".into()],
        }),
        ..Ledger::default()
    }
}

fn side(currency: &str, balance: i64, amounts: &[(&str, i64)]) -> Side {
    Side {
        currency: Currency::parse(currency).ok(),
        balance,
        credit_balance: Some(
            amounts
                .iter()
                .map(|(code, amount)| (cur(code), *amount))
                .collect(),
        ),
        ledger: Some(Box::new(ledger(amounts))),
        ..Side::default()
    }
}

fn facts(source: Side) -> CustomerFacts {
    CustomerFacts {
        id: "cus_1".into(),
        label: safe("Nora"),
        belongs: Belongs::InScope,
        source: Box::new(source),
        destination: Some(Box::new(side("", 0, &[]))),
    }
}

fn plan_with(
    facts: &CustomerFacts,
    source_after: SourceAfter,
    expected: Option<&Expected>,
) -> (Vec<Change>, Vec<Finding>) {
    let accounts = accounts();
    customer(
        facts,
        Rules {
            accounts: &accounts,
            source_after,
            expected,
        },
    )
}

fn plan(facts: &CustomerFacts) -> (Vec<Change>, Vec<Finding>) {
    plan_with(facts, SourceAfter::Drain, None)
}

fn one(facts: &CustomerFacts) -> Change {
    let (mut changes, _) = plan(facts);
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0)
}

fn said(change: &Change) -> (Verdict, &str, Option<i64>) {
    (
        change.verdict,
        change.rule.as_str(),
        change.money.map(|money| money.amount),
    )
}

#[test]
fn agreement_of_all_sources_plans_a_move() {
    let row = one(&facts(side("usd", 1240, &[("usd", 1240)])));
    assert_eq!(said(&row), (Verdict::Planned, "agrees", Some(1240)));
    let ops: Vec<_> = row
        .writes
        .iter()
        .map(|write| (write.op.as_str(), write.role))
        .collect();
    assert_eq!(
        ops,
        [
            (DEBIT, Role::Source),
            ("correct_source", Role::Source),
            (GRANT, Role::Destination)
        ]
    );
    let debit = one(&facts(side("usd", -300, &[("usd", -300)])));
    assert_eq!(said(&debit), (Verdict::Planned, "agrees_debit", Some(-300)));
    assert_eq!(debit.risk, Risk::Medium);
}

#[test]
fn usd_credit_behind_a_zero_aud_balance_is_planned_and_found_never_blocked_never_zero() {
    let (rows, findings) = plan(&facts(side("aud", 0, &[("usd", 5000)])));
    assert_eq!(rows.len(), 1);
    assert_eq!(said(&rows[0]), (Verdict::Planned, "agrees", Some(5000)));
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].rule.as_str(), findings[0].severity),
        ("balance_in_other_currency", Severity::Warn)
    );
    assert!(findings[0].reason.contains("says 0.00 AUD") && findings[0].reason.contains("hold 50.00 USD"));
}

#[test]
fn every_currency_has_its_own_row_and_none_is_merged() {
    let (rows, _) = plan(&facts(side(
        "usd",
        100,
        &[("usd", 100), ("jpy", 3000), ("kwd", -2500)],
    )));
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.key.0.as_str(), row.money.unwrap().amount))
        .collect();
    assert_eq!(
        rows,
        [("cus_1/jpy", 3000), ("cus_1/kwd", -2500), ("cus_1/usd", 100)]
    );
}

#[test]
fn any_disagreement_is_blocked_with_all_sources_side_by_side() {
    type Spoil = fn(&mut Side);
    let good = || side("usd", 100, &[("usd", 100)]);
    let spoil: [(&str, Spoil); 5] = [
        ("sources_disagree", |s| s.balance = 99),
        ("sources_disagree", |s| s.credit_balance = Some(BTreeMap::new())),
        ("sources_disagree", |s| {
            s.ledger
                .as_mut()
                .unwrap()
                .books
                .get_mut(&Currency::parse("usd").unwrap())
                .unwrap()
                .newest_endings = vec![7];
        }),
        ("sources_disagree", |s| {
            s.credit_balance
                .as_mut()
                .unwrap()
                .insert(Currency::parse("usd").unwrap(), 101);
        }),
        ("sign_contradicts", |s| {
            s.credit_balance
                .as_mut()
                .unwrap()
                .insert(Currency::parse("usd").unwrap(), -100);
        }),
    ];
    for (rule, spoil) in spoil {
        let mut source = good();
        spoil(&mut source);
        let row = one(&facts(source));
        assert_eq!((row.verdict, row.rule.as_str()), (Verdict::Blocked, rule));
        assert!(
            row.why.contains("ledger") && row.why.contains("invoice_credit_balance"),
            "{}",
            row.why
        );
        assert!(row.writes.is_empty());
    }
}

#[test]
fn a_number_that_could_not_be_read_is_blocked_not_zero() {
    let mut absent = side("usd", 100, &[("usd", 100)]);
    absent.credit_balance = None;
    assert_eq!(one(&facts(absent)).rule, "unreadable");
    let mut unread = side("usd", 100, &[("usd", 100)]);
    unread.ledger = None;
    assert_eq!(one(&facts(unread)).rule, "unreadable");
    let mut broken = side("usd", 100, &[("usd", 100)]);
    broken.ledger.as_mut().unwrap().unreadable = Some("row x".into());
    assert_eq!(one(&facts(broken)).rule, "unreadable");
}

#[test]
fn money_only_in_invoice_credit_balance_is_a_disagreement_too() {
    let mut source = side("usd", 0, &[]);
    source.credit_balance = Some([(cur("eur"), 500)].into());
    let row = one(&facts(source));
    assert_eq!(
        (row.key.0.as_str(), row.rule.as_str()),
        ("cus_1/eur", "sources_disagree")
    );
}

#[test]
fn nothing_anywhere_is_one_row_with_nothing_to_do() {
    assert_eq!(
        said(&one(&facts(side("usd", 0, &[])))),
        (Verdict::Noop, "nothing_there", None)
    );
    assert_eq!(
        said(&one(&facts(side("usd", 0, &[("usd", 0)])))),
        (Verdict::Noop, "zero", Some(0))
    );
}

#[test]
fn a_customer_who_is_not_on_the_new_account_is_blocked_with_its_money() {
    let mut gone = facts(side("usd", 100, &[("usd", 100)]));
    gone.destination = None;
    assert_eq!(
        said(&one(&gone)),
        (Verdict::Blocked, "not_on_destination", Some(100))
    );
}

#[test]
fn a_customer_without_a_method_is_listed_only_with_money() {
    let mut without = facts(side("usd", 100, &[("usd", 100)]));
    without.belongs = Belongs::NoMethod;
    without.destination = None;
    without.source.ledger = None;
    assert_eq!(
        said(&one(&without)),
        (Verdict::Blocked, "no_payment_method", Some(100))
    );
    *without.source = side("usd", 0, &[]);
    assert!(plan(&without).0.is_empty());
}

#[test]
fn customers_who_stay_have_no_row_and_are_counted_with_their_money() {
    let mut stays = facts(side("usd", 100, &[("usd", 100)]));
    stays.belongs = Belongs::OtherRegion;
    assert!(plan(&stays).0.is_empty());
    let mut out = OutOfScope::default();
    count_outside(&mut out, &stays);
    count_outside(&mut out, &facts(side("usd", 100, &[("usd", 100)])));
    assert_eq!(out.customers, BTreeMap::from([("other_region".to_owned(), 1)]));
    assert_eq!(out.balances, BTreeMap::from([(cur("usd"), 100)]));
}

fn marked(customer: &CustomerFacts, source: &[(&str, i64)], destination: &[(&str, i64)]) -> CustomerFacts {
    let accounts = accounts();
    let effects = Effects {
        accounts: &accounts,
        customer: "cus_1",
        ordinal: 0,
    };
    let marks = |list: &[(&str, i64)]| {
        list.iter()
            .map(|(op, amount)| Mark {
                effect: effects.id(op, "usd"),
                money: Money::new(*amount, cur("usd")),
                id: "cbtxn_m".into(),
                run: "earlier".into(),
            })
            .collect()
    };
    let mut customer = customer.clone();
    customer.source.ledger.as_mut().unwrap().marks = marks(source);
    customer
        .destination
        .as_mut()
        .unwrap()
        .ledger
        .as_mut()
        .unwrap()
        .marks = marks(destination);
    customer
}

#[test]
fn what_an_earlier_run_moved_is_not_moved_again() {
    let mut drained = facts(side("usd", 0, &[("usd", 0)]));
    drained.destination = Some(Box::new(side("usd", 500, &[("usd", 500)])));
    let row = one(&marked(&drained, &[(DEBIT, -500)], &[(GRANT, 500)]));
    assert_eq!(said(&row), (Verdict::Noop, "already_moved", Some(0)));
}

#[test]
fn a_debit_without_its_grant_is_planned_as_the_grant_alone() {
    let drained = facts(side("usd", 0, &[("usd", 0)]));
    let row = one(&marked(&drained, &[(DEBIT, -500)], &[]));
    assert_eq!(said(&row), (Verdict::Planned, "half_moved", Some(500)));
    assert_eq!(
        row.writes.iter().map(|w| w.op.as_str()).collect::<Vec<_>>(),
        [GRANT]
    );
    let again = facts(side("usd", 70, &[("usd", 70)]));
    assert_eq!(
        one(&marked(&again, &[(DEBIT, -500)], &[])).rule,
        "half_moved_and_more"
    );
}

#[test]
fn a_grant_without_its_debit_is_done_under_leave_and_blocked_under_drain() {
    let mut granted = facts(side("usd", 500, &[("usd", 500)]));
    granted.destination = Some(Box::new(side("usd", 500, &[("usd", 500)])));
    let granted = marked(&granted, &[], &[(GRANT, 500)]);
    assert_eq!(
        said(&one(&granted)),
        (Verdict::Blocked, "granted_not_drained", Some(500))
    );
    let (rows, _) = plan_with(&granted, SourceAfter::Leave, None);
    assert_eq!(said(&rows[0]), (Verdict::Noop, "already_moved", Some(500)));
}

#[test]
fn credit_that_came_back_after_a_move_is_a_second_sweep_with_effects_of_its_own() {
    let mut again = facts(side("usd", 80, &[("usd", 80)]));
    again.destination = Some(Box::new(side("usd", 500, &[("usd", 500)])));
    let first = one(&facts(side("usd", 80, &[("usd", 80)])));
    let second = one(&marked(&again, &[(DEBIT, -500)], &[(GRANT, 500)]));
    assert_eq!(said(&second), (Verdict::Planned, "agrees", Some(80)));
    assert_ne!(first.writes[0].effect, second.writes[0].effect);
}

#[test]
fn leave_grants_only() {
    let (rows, _) = plan_with(
        &facts(side("usd", 100, &[("usd", 100)])),
        SourceAfter::Leave,
        None,
    );
    assert_eq!(
        rows[0].writes.iter().map(|w| w.op.as_str()).collect::<Vec<_>>(),
        [GRANT]
    );
    assert!(rows[0].effect.contains("can still be spent"));
}

#[test]
fn the_first_grant_of_a_customer_without_currency_is_irreversible_and_is_in_the_billing_currency() {
    let (rows, _) = plan(&facts(side("usd", 100, &[("aud", 900), ("usd", 100)])));
    let irreversible: Vec<_> = rows
        .iter()
        .filter(|row| row.writes.iter().any(|w| w.irreversible))
        .collect();
    assert_eq!(irreversible.len(), 1);
    assert_eq!(irreversible[0].key.0, "cus_1/usd");
    let mut set = facts(side("usd", 100, &[("usd", 100)]));
    set.destination = Some(Box::new(side("usd", 0, &[])));
    assert!(one(&set).writes.iter().all(|write| !write.irreversible));
}

fn expected(csv: &str) -> Expected {
    crate::stages::credits::expected::parse("finance.csv", csv.as_bytes()).unwrap()
}

#[test]
fn finances_own_list_has_to_agree_as_well() {
    let customer = facts(side("usd", 1240, &[("usd", 1240)]));
    let rule = |csv: &str| {
        let (rows, _) = plan_with(&customer, SourceAfter::Drain, Some(&expected(csv)));
        rows.into_iter()
            .map(|row| (row.key.0, row.rule))
            .collect::<Vec<_>>()
    };
    let head = "customer,currency,amount\n";
    let one = |rule: &str| vec![("cus_1/usd".to_owned(), rule.to_owned())];
    assert_eq!(rule(&format!("{head}cus_1,usd,12.40\n")), one("agrees"));
    assert_eq!(rule(&format!("{head}cus_1,usd,12.41\n")), one("expected_differs"));
    assert_eq!(rule(head), one("not_expected"));
    let more = rule(&format!("{head}cus_1,usd,12.40\ncus_1,eur,5\n"));
    assert_eq!(more[0], ("cus_1/eur".to_owned(), "expected_differs".to_owned()));
}

#[test]
fn cash_and_billing_grants_are_blocked_with_choices_that_need_a_sign_off() {
    let mut customer = facts(side("usd", 0, &[]));
    customer.source.cash = [(cur("usd"), 2500)].into();
    customer.source.grants = vec![Grant {
        id: "credgr_1".into(),
        money: Money::new(900, cur("usd")),
        category: "paid".into(),
        expires_at: None,
        name: safe("welcome"),
    }];
    let (rows, _) = plan(&customer);
    let blocked: Vec<_> = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Blocked)
        .collect();
    assert_eq!(
        blocked.iter().map(|row| row.rule.as_str()).collect::<Vec<_>>(),
        ["cash_balance", "billing_credit_grant"]
    );
    let names = |row: &Change| {
        row.choices
            .iter()
            .map(|choice| choice.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(blocked[0]),
        ["let_it_pay", "returned_outside", "equal_credit", "left"]
    );
    assert_eq!(
        names(blocked[1]),
        [
            "let_it_pay",
            "returned_outside",
            "equal_credit",
            "equal_grant",
            "left"
        ]
    );
    assert!(
        blocked
            .iter()
            .all(|row| row.choices.iter().all(|choice| choice.sign_off))
    );
    let writes: Vec<_> = blocked
        .iter()
        .flat_map(|r| &r.choices)
        .flat_map(|c| &c.writes)
        .collect();
    assert!(
        writes.iter().all(|write| write.role == Role::Destination),
        "the program never refunds or touches cash"
    );
    let ids: std::collections::BTreeSet<_> = writes.iter().map(|write| &write.effect).collect();
    assert_eq!(ids.len(), writes.len());
}
