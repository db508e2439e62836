use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::domain::change::{ChangeKey, Risk, Verdict};
use crate::domain::ids::{AccountId, Accounts, Environment};
use crate::domain::record::Attested;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::mapping::effects::{self, DEFAULT};

fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn change(write: PlannedWrite, payload: &Payload) -> Change {
    Change {
        key: ChangeKey("cus_1/x".into()),
        subject: "cus_1".into(),
        label: safe("N"),
        item: "x".into(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: None,
        rule: "r".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        writes: vec![write],
        choices: vec![],
        decision: None,
        payload: payload.text(),
        update: None,
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

fn default_row(held: &str) -> Change {
    let payload = Payload::Customer {
        customer: "cus_1".into(),
        held: vec![(DEFAULT.into(), held.into())],
        method: Some(("pm_old".into(), "pm_new".into())),
        work: None,
    };
    change(effects::set_default(&accounts(), "cus_1", "pm_new"), &payload)
}

fn customer(default: &str) -> Bytes {
    let default = if default.is_empty() {
        "null".to_owned()
    } else {
        format!("\"{default}\"")
    };
    format!(
        r#"{{"id":"cus_1","object":"customer","created":1,"livemode":false,"name":"N","metadata":{{"a":"1"}},
            "invoice_settings":{{"default_payment_method":{default}}}}}"#
    )
    .into()
}

fn saw(label: &'static str, items: Option<Vec<Bytes>>) -> Fact {
    Fact::Saw {
        label,
        items,
        at: UtcMs(0),
    }
}

fn ended(step: &Step) -> Option<RowEnd> {
    match step {
        Step::End { end, .. } => Some(*end),
        _ => None,
    }
}

#[test]
fn the_customer_is_looked_at_before_anything_is_written() {
    let change = default_row("");
    let Step::Look(look) = next(&change, &[]) else {
        panic!("no look")
    };
    assert_eq!(look.path, "/v1/customers/cus_1");
    assert_eq!(look.role, Role::Destination);
    assert!(!look.list);
    let facts = [saw(CUSTOMER_NOW, Some(vec![customer("")]))];
    let Step::Write(write) = next(&change, &facts) else {
        panic!("no write")
    };
    assert_eq!(write, change.writes[0]);
}

#[test]
fn what_another_set_meanwhile_is_left_alone_and_what_is_so_already_is_done() {
    let change = default_row("");
    let look = |default| next(&change, &[saw(CUSTOMER_NOW, Some(vec![customer(default)]))]);
    assert_eq!(ended(&look("pm_other")), Some(RowEnd::Drifted));
    assert_eq!(ended(&look("pm_new")), Some(RowEnd::Done));
    assert_eq!(
        ended(&next(&change, &[saw(CUSTOMER_NOW, None)])),
        Some(RowEnd::Drifted)
    );
    let gone = Bytes::from_static(br#"{"id":"cus_1","object":"customer","deleted":true}"#);
    assert_eq!(
        ended(&next(&change, &[saw(CUSTOMER_NOW, Some(vec![gone]))])),
        Some(RowEnd::Drifted)
    );
    let replaced = default_row("pm_other");
    let facts = [saw(CUSTOMER_NOW, Some(vec![customer("pm_other")]))];
    assert!(matches!(next(&replaced, &facts), Step::Write(_)));
}

#[test]
fn after_its_write_the_row_is_done_whatever_was_seen() {
    let change = default_row("");
    let wrote = Fact::Wrote {
        op: effects::SET_DEFAULT.into(),
        attested: Attested::default(),
    };
    assert_eq!(
        ended(&next(&change, std::slice::from_ref(&wrote))),
        Some(RowEnd::Done)
    );
    let facts = [saw(CUSTOMER_NOW, Some(vec![customer("")])), wrote];
    assert_eq!(ended(&next(&change, &facts)), Some(RowEnd::Done));
}

#[test]
fn a_tax_id_that_is_there_is_not_added_again() {
    let payload = Payload::TaxId {
        customer: "cus_1".into(),
        kind: "au_abn".into(),
        value: "12".into(),
    };
    let change = change(effects::tax_id(&accounts(), "cus_1", "au_abn", "12"), &payload);
    let Step::Look(look) = next(&change, &[]) else {
        panic!("no look")
    };
    assert!(look.list && look.path == "/v1/customers/cus_1/tax_ids");
    let id = |value: &str| {
        Bytes::from(format!(
            r#"{{"id":"txi_1","created":1,"type":"au_abn","value":"{value}","livemode":false}}"#
        ))
    };
    let seen = |items| next(&change, &[saw(TAX_IDS_NOW, items)]);
    assert!(matches!(seen(Some(vec![id("13")])), Step::Write(_)));
    assert!(matches!(seen(Some(vec![])), Step::Write(_)));
    assert_eq!(ended(&seen(Some(vec![id("12")]))), Some(RowEnd::Done));
    assert_eq!(ended(&seen(None)), Some(RowEnd::Drifted));
}

#[test]
fn a_row_without_a_write_or_with_a_foreign_payload_fails_and_writes_nothing() {
    let mut broken = default_row("");
    broken.payload = "{}".into();
    assert_eq!(ended(&next(&broken, &[])), Some(RowEnd::Failed));
    let mut empty = default_row("");
    empty.writes.clear();
    assert_eq!(ended(&next(&empty, &[])), Some(RowEnd::Failed));
}

proptest! {
    /// Whatever happens around it, one row sends at most one write, and only while the field holds what was planned from.
    #[test]
    fn a_row_writes_at_most_once_and_never_over_a_foreign_value(held in 0..3_u8, now in 0..4_u8) {
        let name = |n: u8| ["", "pm_a", "pm_b", "pm_new"][usize::from(n)];
        let change = default_row(name(held));
        let (mut facts, mut writes, mut is) = (Vec::new(), 0, name(now).to_owned());
        let end = loop {
            match next(&change, &facts) {
                Step::Look(look) => facts.push(saw(look.label, Some(vec![customer(&is)]))),
                Step::Write(write) => {
                    writes += 1;
                    prop_assert_eq!(&is, name(held));
                    is.clone_from(&write.form[0].1);
                    facts.push(Fact::Wrote { op: write.op, attested: Attested::default() });
                }
                Step::GiveWay => unreachable!("rows of this stage rest on no others"),
                Step::End { end, .. } => break end,
            }
            prop_assert!(facts.len() < 5);
        };
        prop_assert!(writes <= 1);
        prop_assert_eq!(end == RowEnd::Done, is == "pm_new");
        prop_assert_eq!(writes == 1, now == held && now != 3);
    }
}
