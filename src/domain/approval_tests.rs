use std::collections::BTreeMap;

use super::*;
use crate::domain::change::{Change, ChangeKey, Risk, Verdict};
use crate::domain::ids::{Accounts, EffectId, Environment};
use crate::domain::money::{Currency, Money};
use crate::domain::plan::{Header, OutOfScope};
use crate::domain::text::safe;
use crate::domain::write::{Method, PlannedWrite, When};

fn plan_of(environment: Environment, irreversible: bool, verdict: Verdict) -> Arc<Plan> {
    let write = |role| PlannedWrite {
        op: "op".into(),
        role,
        effect: EffectId("e".into()),
        method: Method::Post,
        path: "/v1/x".into(),
        form: vec![],
        money: None,
        when: When::Always,
        irreversible,
        marked: true,
    };
    let change = Change {
        key: ChangeKey("cus_1/usd".into()),
        subject: "cus_1".into(),
        label: safe("N"),
        item: "USD credit".into(),
        planned_as: verdict,
        verdict,
        money: Some(Money::new(5, Currency::parse("usd").unwrap())),
        rule: "agrees".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        writes: vec![write(Role::Source), write(Role::Destination)],
        choices: vec![],
        decision: None,
        payload: String::new(),
        update: None,
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    };
    let header = Header {
        accounts: Accounts {
            source: AccountId("acct_1Old000000009fT0".into()),
            destination: AccountId("acct_1New000000002bR1".into()),
            environment,
        },
        policy: BTreeMap::new(),
        scope: Digest::of("s", []),
        stage: StageId::Credits,
    };
    Arc::new(Plan::seal(header, OutOfScope::default(), vec![change], vec![], UtcMs(0)).unwrap())
}

fn approval_for(plan: &Plan) -> Approval {
    Approval {
        stage: StageId::Credits,
        digest: plan.digest(),
        phrase: short_phrase(plan),
        operator: "ops1".into(),
        witness: None,
        witness_waived: false,
        note: String::new(),
        writes_source: plan.totals().writes_source,
        writes_destination: plan.totals().writes_destination,
        writes_if_raced: plan.totals().writes_if_raced,
        irreversible: plan.totals().irreversible,
        rows_app: plan.totals().rows_app,
        lines: plan.totals().lines,
        journal_head: String::new(),
        at: UtcMs(1_000),
        expires_at: UtcMs(1_000).plus_ms(VALID_MS),
    }
}

fn test_plan() -> Arc<Plan> {
    plan_of(Environment::Test, false, Verdict::Planned)
}

#[test]
fn a_fitting_approval_opens_the_plan_until_it_expires() {
    let plan = test_plan();
    let approved = Approved::check(plan.clone(), approval_for(&plan), UtcMs(2_000)).unwrap();
    let last = UtcMs(1_000).plus_ms(VALID_MS);
    assert_eq!(approved.still_good(last.plus_ms(-1)), Ok(()));
    assert_eq!(
        approved.still_good(last.plus_ms(60_000)),
        Err(Refusal::Expired { ago_ms: 60_000 })
    );
}

#[test]
fn an_approval_cannot_stretch_its_own_validity() {
    let plan = test_plan();
    let mut stretched = approval_for(&plan);
    stretched.expires_at = UtcMs(i64::MAX);
    let late = UtcMs(1_000).plus_ms(VALID_MS);
    assert!(matches!(
        Approved::check(plan, stretched, late),
        Err(Refusal::Expired { .. })
    ));
}

#[test]
fn the_phrase_is_counts_and_accounts_whole_or_by_their_last_four_characters() {
    let plan = test_plan();
    assert_eq!(short_phrase(&plan), "1 9fT0 1 2bR1");
    assert_eq!(phrase(&plan), "1 acct_1Old000000009fT0 1 acct_1New000000002bR1");
    for good in [phrase(&plan), short_phrase(&plan), "  1   0009fT0 1 2bR1 ".into()] {
        assert!(phrase_fits(&plan, &good), "{good}");
    }
    for bad in [
        "",
        "yes",
        "1 9fT0",
        "1 fT0 1 bR1",
        "1 2bR1 1 9fT0",
        "2 9fT0 1 2bR1",
        "1 9fT0 1 2bR1 x",
        "01 9fT0 1 2bR1",
    ] {
        assert!(!phrase_fits(&plan, bad), "{bad}");
    }
}

#[test]
fn any_flipped_bit_of_the_approved_digest_is_refused() {
    let plan = test_plan();
    for bit in 0..256 {
        let mut flipped = approval_for(&plan);
        flipped.digest.0[bit / 8] ^= 1 << (bit % 8);
        let refused = Approved::check(plan.clone(), flipped, UtcMs(2_000));
        assert!(matches!(refused, Err(Refusal::Drifted { .. })), "bit {bit}");
    }
}

#[test]
fn counts_on_the_approval_must_be_the_plans() {
    let plan = test_plan();
    for spoil in [
        |a: &mut Approval| a.writes_source += 1,
        |a: &mut Approval| a.writes_destination -= 1,
        |a: &mut Approval| a.writes_if_raced += 1,
        |a: &mut Approval| a.irreversible += 1,
    ] {
        let mut spoiled = approval_for(&plan);
        spoil(&mut spoiled);
        assert!(matches!(
            Approved::check(plan.clone(), spoiled, UtcMs(2_000)),
            Err(Refusal::Counts { .. })
        ));
    }
}

#[test]
fn undecided_rows_and_empty_plans_cannot_be_approved() {
    let blocked = plan_of(Environment::Test, false, Verdict::Blocked);
    let refused = Approved::check(blocked.clone(), approval_for(&blocked), UtcMs(2_000));
    assert_eq!(refused.unwrap_err(), Refusal::Undecided(1));
    let empty = plan_of(Environment::Test, false, Verdict::Noop);
    assert_eq!(
        Approved::check(empty.clone(), approval_for(&empty), UtcMs(2_000)).unwrap_err(),
        Refusal::Nothing
    );
    assert!(!phrase_fits(&empty, ""));
}

#[test]
fn live_and_irreversible_needs_a_second_name_that_is_not_the_operator() {
    let plan = plan_of(Environment::Live, true, Verdict::Planned);
    let check = |witness: Option<&str>, waived| {
        let mut approval = approval_for(&plan);
        approval.witness = witness.map(Into::into);
        approval.witness_waived = waived;
        Approved::check(plan.clone(), approval, UtcMs(2_000)).map(|_| ())
    };
    assert_eq!(check(None, false), Err(Refusal::Witness));
    assert_eq!(check(Some("ops1"), false), Err(Refusal::Witness));
    assert_eq!(check(Some("  "), false), Err(Refusal::Witness));
    assert_eq!(check(Some("ops2"), false), Ok(()));
    assert_eq!(check(None, true), Ok(()));
}
