use proptest::prelude::*;

use super::*;
use crate::domain::change::{AS_PLANNED, Choice, Evidence, LEAVE_OUT, Risk};
use crate::domain::ids::{AccountId, EffectId, Environment};
use crate::domain::text::safe;
use crate::domain::write::{Method, PlannedWrite};

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn header() -> Header {
    Header {
        accounts: Accounts {
            source: AccountId("acct_old".into()),
            destination: AccountId("acct_new".into()),
            environment: Environment::Test,
        },
        policy: BTreeMap::from([("source_after".to_owned(), "drain".to_owned())]),
        scope: Digest::of("s", []),
        stage: StageId::Credits,
    }
}

fn write(role: Role) -> PlannedWrite {
    PlannedWrite {
        op: "grant".into(),
        role,
        effect: EffectId("e".repeat(26)),
        method: Method::Post,
        path: "/v1/customers/cus/balance_transactions".into(),
        form: vec![("amount".into(), "-5".into())],
        money: Some(Money::new(5, usd())),
        when: When::Always,
        irreversible: false,
        marked: true,
    }
}

fn change(key: &str, verdict: Verdict, amount: i64) -> Change {
    Change {
        key: ChangeKey(key.into()),
        subject: key.into(),
        label: safe("Nora"),
        item: "USD credit".into(),
        planned_as: verdict,
        verdict,
        money: Some(Money::new(amount, usd())),
        rule: "agrees".into(),
        why: "all agree".into(),
        effect: "moves".into(),
        risk: Risk::Low,
        fields: vec![],
        writes: if verdict == Verdict::Planned {
            vec![write(Role::Destination)]
        } else {
            vec![]
        },
        choices: vec![Choice {
            name: "equal_credit".into(),
            means: "grant it".into(),
            writes: vec![write(Role::Destination)],
            sign_off: true,
            number: None,
        }],
        decision: None,
        payload: "{}".into(),
        update: None,
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

fn seal(changes: Vec<Change>) -> Plan {
    Plan::seal(header(), OutOfScope::default(), changes, vec![], UtcMs(0)).unwrap()
}

fn decision(choice: &str, note: &str) -> Decision {
    Decision {
        choice: choice.into(),
        by: "ops1".into(),
        note: note.into(),
        number: None,
    }
}

fn partition_holds(plan: &Plan) -> bool {
    let t = plan.totals();
    t.in_scope == t.planned + t.blocked + t.noop + t.left_out
        && t.money
            .values()
            .all(|m| m.source == m.planned + m.blocked + m.noop + m.left_out)
}

#[test]
fn the_digest_ignores_evidence_and_order_but_nothing_else() {
    let a = change("a", Verdict::Planned, 5);
    let b = change("b", Verdict::Blocked, 7);
    let plan = seal(vec![a.clone(), b.clone()]);
    let mut seen = b.clone();
    seen.evidence.push(Evidence {
        role: Some(Role::Source),
        asked: "GET".into(),
        said: "7".into(),
        request_id: "req_1".into(),
        at: UtcMs(9),
    });
    assert_eq!(plan.digest(), seal(vec![seen, a.clone()]).digest());

    let variants: Vec<fn(&mut Change)> = vec![
        |c| c.key = ChangeKey("aa".into()),
        |c| c.subject = "x".into(),
        |c| c.label = safe("Mara"),
        |c| c.item = "x".into(),
        |c| c.verdict = Verdict::Noop,
        |c| c.planned_as = Verdict::Noop,
        |c| c.money = Some(Money::new(6, usd())),
        |c| c.rule = "x".into(),
        |c| c.why = "x".into(),
        |c| c.effect = "x".into(),
        |c| c.risk = Risk::High,
        |c| c.writes[0].form[0].1 = "-6".into(),
        |c| c.choices.clear(),
        |c| c.decision = Some(decision("x", "")),
        |c| c.payload = "{ }".into(),
    ];
    for vary in variants {
        let mut varied = a.clone();
        vary(&mut varied);
        assert_ne!(plan.digest(), seal(vec![varied, b.clone()]).digest());
    }
}

#[test]
fn the_digest_covers_header_and_scope() {
    let plan = seal(vec![]);
    let mut other = header();
    other.policy.insert("source_after".into(), "leave".into());
    let leave = Plan::seal(other, OutOfScope::default(), vec![], vec![], UtcMs(0)).unwrap();
    assert_ne!(plan.digest(), leave.digest());
    let out = OutOfScope {
        customers: BTreeMap::from([("other_region".into(), 1)]),
        ..OutOfScope::default()
    };
    assert_ne!(
        plan.digest(),
        Plan::seal(header(), out, vec![], vec![], UtcMs(0))
            .unwrap()
            .digest()
    );
}

#[test]
fn leaving_out_and_taking_back_gives_the_first_digest_again() {
    let plan = seal(vec![
        change("a", Verdict::Planned, 5),
        change("b", Verdict::Blocked, 7),
    ]);
    let key = ChangeKey("b".into());
    let out = plan.decide(&key, decision(LEAVE_OUT, "")).unwrap();
    assert_eq!((out.totals().blocked, out.totals().left_out), (0, 1));
    assert_ne!(out.digest(), plan.digest());
    assert_eq!(
        out.decide(&key, decision(AS_PLANNED, "")).unwrap().digest(),
        plan.digest()
    );
}

#[test]
fn a_choice_with_writes_plans_the_row_and_needs_its_sign_off() {
    let plan = seal(vec![change("b", Verdict::Blocked, 7)]);
    let key = ChangeKey("b".into());
    assert!(matches!(
        plan.decide(&key, decision("equal_credit", " ")),
        Err(PlanError::SignOff { .. })
    ));
    let chosen = plan
        .decide(&key, decision("equal_credit", "agreed with finance"))
        .unwrap();
    assert_eq!(
        (chosen.totals().planned, chosen.totals().writes_destination),
        (1, 1)
    );
    assert!(matches!(
        plan.decide(&key, decision("refund", "x")),
        Err(PlanError::NoSuchChoice { .. })
    ));
    let missing = ChangeKey("zz".into());
    assert_eq!(
        plan.decide(&missing, decision(LEAVE_OUT, "")).unwrap_err(),
        PlanError::NoSuchRow(missing)
    );
}

#[test]
fn two_rows_with_one_key_and_sums_beyond_64_bits_are_refused() {
    let twice = vec![change("a", Verdict::Planned, 5), change("a", Verdict::Blocked, 5)];
    let sealed = Plan::seal(header(), OutOfScope::default(), twice, vec![], UtcMs(0));
    assert!(matches!(sealed, Err(PlanError::DuplicateKey(_))));
    let huge = vec![
        change("a", Verdict::Planned, i64::MAX),
        change("b", Verdict::Planned, 1),
    ];
    let sealed = Plan::seal(header(), OutOfScope::default(), huge, vec![], UtcMs(0));
    assert!(matches!(sealed, Err(PlanError::Money(MoneyError::Overflow))));
}

proptest! {
    #[test]
    fn the_partition_holds_whatever_is_planned_and_decided(
        rows in prop::collection::vec((0..4_u8, -1000_i64..1000), 0..30),
        decisions in prop::collection::vec((0..30_usize, 0..3_u8), 0..30),
    ) {
        let verdicts = [Verdict::Planned, Verdict::Blocked, Verdict::Noop, Verdict::LeftOut];
        let changes = rows.iter().enumerate()
            .map(|(i, (v, amount))| change(&format!("{i:03}"), verdicts[usize::from(*v)], *amount)).collect();
        let mut plan = seal(changes);
        prop_assert!(partition_holds(&plan));
        for (row, choice) in decisions {
            let name = [LEAVE_OUT, AS_PLANNED, "equal_credit"][usize::from(choice)];
            if let Ok(next) = plan.decide(&ChangeKey(format!("{row:03}")), decision(name, "note")) {
                plan = next;
            }
            prop_assert!(partition_holds(&plan));
        }
    }
}

#[test]
fn a_plan_file_gives_the_same_plan_and_any_changed_byte_of_it_is_noticed() {
    let plan = seal(vec![
        change("a", Verdict::Planned, 5),
        change("b", Verdict::Blocked, 7),
    ]);
    let text = file::write(&plan);
    assert_eq!(file::read(&text).unwrap().digest(), plan.digest());
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        assert!(file::read(&changed).is_err(), "byte {at}");
    }
    assert!(file::read("").is_err());
    assert!(file::read(text.lines().next().unwrap()).is_err());
}
