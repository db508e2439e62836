//! What the subscriptions stage writes, whatever a subscription has: every field of it, by Stripe's own table.

use std::collections::BTreeMap;

use cutover::domain::change::{Change, ChangeKey, Risk, Verdict};
use cutover::domain::ids::{AccountId, Accounts, Environment};
use cutover::domain::money::Currency;
use cutover::domain::text::safe;
use cutover::domain::time::UtcMs;
use cutover::domain::write::PlannedWrite;
use cutover::stages::subscriptions::effects::{Effects, Extra, Row};
use cutover::stages::subscriptions::facts::{Collection, Phase, PhaseItem};
use cutover::stages::subscriptions::{Route, attest, preview, undo};

use super::facts::check_request;

fn phase(start: i64, collection: Collection) -> Phase {
    Phase {
        start,
        end: Some(start + 100),
        items: vec![PhaseItem {
            price: "price_1".into(),
            quantity: Some(2),
            coupons: vec!["c1".into()],
            tax_rates: vec!["txr_1".into()],
        }],
        coupons: vec!["c2".into()],
        tax_rates: vec!["txr_2".into()],
        automatic_tax: true,
        collection: Some(collection),
        method: Some("pm_1".into()),
        currency: Currency::parse("usd").unwrap(),
        beyond: None,
    }
}

fn row() -> Row {
    Row {
        old: "sub_1".into(),
        customer: "cus_1".into(),
        handover: Some(1_700_000_000),
        route: Some(Route::Api),
        phases: vec![
            phase(1_700_000_000, Collection::Automatic),
            phase(1_700_000_100, Collection::Invoice(30)),
        ],
        ends: true,
        twin: None,
        seen: None,
        next_old: None,
        next_new: None,
        classes: Vec::new(),
        cells: BTreeMap::new(),
        again_at: None,
        window_ends: 0,
    }
}

fn change(row: &Row, writes: Vec<PlannedWrite>) -> Change {
    Change {
        key: ChangeKey(row.old.clone()),
        subject: row.customer.clone(),
        label: safe("Ann"),
        item: String::new(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: None,
        rule: String::new(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: Vec::new(),
        working: Vec::new(),
        writes,
        choices: Vec::new(),
        decision: None,
        with: None,
        filled: Vec::new(),
        payload: serde_json::to_string(row).unwrap(),
        update: None,
        evidence: Vec::new(),
    }
}

#[test]
fn every_write_and_every_look_for_it_is_what_stripe_takes() {
    let accounts = Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    };
    let effects = Effects { accounts: &accounts };
    let map = |key: &str| BTreeMap::from([(key.to_owned(), "x".to_owned())]);
    let extra = Extra {
        metadata: map("plan"),
        started: 5,
        flexible: true,
        description: Some("Gold".into()),
        item_metadata: vec![map("seat")],
    };
    let row = row();
    let mut writes = vec![
        effects.create(&row, &extra),
        effects.change(&row, "sub_sched_1", &extra),
        effects.withdraw(&row, "sub_sched_1"),
        effects.release_old(&row, "sub_sched_0"),
        effects.end_old(&row, "sub_sched_1"),
        effects.pause_old(&row, "sub_sched_1"),
        effects.cancel_old(&row),
    ];
    for stop in ["end_with_period", "pause_collection"] {
        let wrote = writes
            .iter()
            .filter(|write| ["create_schedule", stop].contains(&write.op.as_str()));
        let change = change(&row, wrote.cloned().collect());
        let made = [
            ("create_schedule".to_owned(), "sub_sched_1".to_owned()),
            (stop.to_owned(), "sub_1".to_owned()),
        ];
        writes.extend(undo::writes(&change, &made.into()));
    }
    assert_eq!(writes.len(), 11);
    for write in &writes {
        let problems = check_request(write.method.word(), &write.path, &write.form);
        assert!(problems.is_empty(), "{} {problems:#?}", write.op);
        let look = attest::probe(write, UtcMs(0));
        let problems = check_request("GET", &look.path, &look.query);
        assert!(problems.is_empty(), "{} {problems:#?}", write.op);
    }
}

#[test]
fn what_stripe_is_asked_about_a_bill_is_a_question_stripe_takes() {
    for flexible in [true, false] {
        let form = preview::form(&row(), flexible);
        let pairs: Vec<(String, &str)> = form.pairs().collect();
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        assert!(pairs.len() > 20);
        let problems = check_request("POST", "/v1/invoices/create_preview", &pairs);
        assert!(problems.is_empty(), "{problems:?}");
    }
}
