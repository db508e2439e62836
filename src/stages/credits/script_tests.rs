use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::domain::change::{ChangeKey, Risk, Verdict};
use crate::domain::ids::{AccountId, Accounts, Environment};
use crate::domain::money::Currency;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::credits::effects::Effects;

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn change(amount: i64, drains: bool) -> Change {
    let accounts = accounts();
    let effects = Effects {
        accounts: &accounts,
        customer: "cus_1",
        ordinal: 0,
    };
    let money = Money::new(amount, usd());
    let payload = Payload {
        customer: "cus_1".into(),
        money: Some(money),
        source_before: amount,
        destination_before: 0,
        source_head: Some(Head {
            created: 100,
            ids: vec!["cbtxn_a".into(), "cbtxn_b".into()],
        }),
        destination_head: None,
        drains,
        is_balance: true,
        billed_in: true,
    };
    Change {
        key: ChangeKey("cus_1/usd".into()),
        subject: "cus_1".into(),
        label: safe("N"),
        item: "USD credit".into(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: Some(money),
        rule: "agrees".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        writes: effects.moving(money, drains),
        choices: vec![],
        decision: None,
        payload: serde_json::to_string(&payload).unwrap(),
        update: None,
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    }
}

/// Two ledgers and somebody who changes the old one between the last look and the debit.
struct World {
    source: i64,
    destination: i64,
    race: i64,
    log: Vec<String>,
}

impl World {
    fn play(&mut self, change: &Change) -> (RowEnd, String, Option<Money>) {
        let mut facts = Vec::new();
        for _ in 0..20 {
            match next(change, &facts) {
                Step::End { end, why, moved } => return (end, why, moved),
                Step::GiveWay => unreachable!("rows of this stage rest on no others"),
                Step::Look(look) => {
                    self.log.push(look.label.to_owned());
                    facts.push(Fact::Saw {
                        label: look.label,
                        items: Some(vec![]),
                        at: UtcMs(0),
                    });
                }
                Step::Write(write) => {
                    let attested = self.write(&write);
                    facts.push(Fact::Wrote {
                        op: write.op.clone(),
                        attested,
                    });
                }
            }
        }
        panic!("the script does not end: {:?}", self.log);
    }

    fn write(&mut self, write: &PlannedWrite) -> Attested {
        let amount = write.money.unwrap().amount;
        let sent = write.form.iter().find(|(name, _)| name == "amount").unwrap();
        assert_eq!(
            sent.1,
            (-amount).to_string(),
            "what is sent is what is counted, in Stripe's sign"
        );
        self.log.push(format!("{} {amount}", write.op));
        if write.op == DEBIT {
            self.source += std::mem::take(&mut self.race);
        }
        let ending = match write.role {
            Role::Source => {
                self.source += amount;
                self.source
            }
            Role::Destination => {
                self.destination += amount;
                self.destination
            }
        };
        Attested {
            numbers: [(ENDING.to_owned(), ending)].into(),
            ..Attested::default()
        }
    }
}

fn world(amount: i64, race: i64) -> World {
    World {
        source: amount,
        destination: 0,
        race,
        log: Vec::new(),
    }
}

#[test]
fn both_ledgers_are_looked_at_before_the_debit_and_the_debit_stands_before_the_grant() {
    let mut world = world(1240, 0);
    assert_eq!(
        world.play(&change(1240, true)),
        (RowEnd::Done, String::new(), None)
    );
    assert_eq!(
        world.log,
        [SOURCE_NOW, DESTINATION_NOW, "debit_source -1240", "grant 1240"]
    );
    assert_eq!((world.source, world.destination), (0, 1240));
}

#[test]
fn a_debit_moves_the_same_way_with_the_sign_turned() {
    let mut world = world(-300, 0);
    assert_eq!(world.play(&change(-300, true)).0, RowEnd::Done);
    assert_eq!(world.log[2..], ["debit_source 300", "grant -300"]);
    assert_eq!((world.source, world.destination), (0, -300));
}

#[test]
fn leave_grants_without_touching_the_old_account() {
    let mut world = world(1240, 0);
    assert_eq!(world.play(&change(1240, false)).0, RowEnd::Done);
    assert_eq!(world.log, [DESTINATION_NOW, "grant 1240"]);
}

#[test]
fn what_was_used_meanwhile_is_given_back_and_that_much_less_is_moved() {
    let mut world = world(1000, -400);
    let (end, why, moved) = world.play(&change(1000, true));
    assert_eq!((end, moved), (RowEnd::Done, Some(Money::new(600, usd()))));
    assert!(why.contains("4.00 USD was used"), "{why}");
    assert_eq!(
        world.log[2..],
        ["debit_source -1000", "correct_source 400", "grant 600"]
    );
    assert_eq!((world.source, world.destination), (0, 600));
}

#[test]
fn what_was_used_up_meanwhile_is_given_back_and_nothing_is_moved() {
    let mut world = world(1000, -1000);
    assert_eq!(world.play(&change(1000, true)).0, RowEnd::Drifted);
    assert_eq!((world.source, world.destination), (0, 0));
    let mut owing = self::world(1000, -2500);
    assert_eq!(owing.play(&change(1000, true)).0, RowEnd::Drifted);
    assert_eq!(
        (owing.source, owing.destination),
        (-1500, 0),
        "the debt that arose is left as it was"
    );
}

#[test]
fn what_arrived_meanwhile_stays_for_the_next_sweep() {
    let mut world = world(1000, 250);
    let (end, why, moved) = world.play(&change(1000, true));
    assert_eq!((end, moved), (RowEnd::Done, None));
    assert!(why.contains("2.50 USD arrived"), "{why}");
    assert_eq!((world.source, world.destination), (250, 1000));
}

fn after_look(label: &'static str, rows: &str) -> Step {
    let mut facts = Vec::new();
    if label == DESTINATION_NOW {
        facts.push(Fact::Saw {
            label: SOURCE_NOW,
            items: Some(vec![]),
            at: UtcMs(0),
        });
    }
    let items: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
    let items = items.iter().map(|item| Bytes::from(item.to_string())).collect();
    facts.push(Fact::Saw {
        label,
        items: Some(items),
        at: UtcMs(0),
    });
    next(&change(1000, true), &facts)
}

fn row(id: &str, currency: &str) -> String {
    format!(r#"{{"id":"{id}","currency":"{currency}"}}"#)
}

fn is_drifted(step: &Step) -> bool {
    matches!(
        step,
        Step::End {
            end: RowEnd::Drifted,
            ..
        }
    )
}

#[test]
fn any_new_row_on_the_old_ledger_ends_the_row_before_anything_is_written() {
    assert!(matches!(
        after_look(
            SOURCE_NOW,
            &format!("[{},{}]", row("cbtxn_b", "usd"), row("cbtxn_a", "usd"))
        ),
        Step::Look(_)
    ));
    assert!(is_drifted(&after_look(
        SOURCE_NOW,
        &format!("[{},{}]", row("cbtxn_new", "usd"), row("cbtxn_a", "usd"))
    )));
    assert!(!is_drifted(&after_look(
        SOURCE_NOW,
        &format!("[{}]", row("cbtxn_other", "aud"))
    )));
    assert!(is_drifted(&after_look(SOURCE_NOW, r#"[{"unreadable":true}]"#)));
    let gone = [Fact::Saw {
        label: SOURCE_NOW,
        items: None,
        at: UtcMs(0),
    }];
    assert!(is_drifted(&next(&change(1000, true), &gone)));
}

#[test]
fn a_grant_of_ours_that_appeared_meanwhile_ends_the_row_and_other_rows_do_not() {
    let ours = &change(1000, true).writes[2].effect.0;
    let marked = format!(r#"[{{"id":"x","currency":"usd","metadata":{{"cutover_effect":"{ours}"}}}}]"#);
    assert!(is_drifted(&after_look(DESTINATION_NOW, &marked)));
    let others = r#"[{"id":"x","currency":"usd","metadata":{"cutover_effect":"other"}},{"id":"y","currency":"usd","metadata":null}]"#;
    assert!(matches!(after_look(DESTINATION_NOW, others), Step::Write(write) if write.op == DEBIT));
}

#[test]
fn the_look_asks_from_the_second_of_the_newest_known_row() {
    let Step::Look(look) = next(&change(1000, true), &[]) else {
        panic!("a look comes first")
    };
    assert_eq!(look.query, [("created[gte]".to_owned(), "100".to_owned())]);
    assert_eq!(look.path, "/v1/customers/cus_1/balance_transactions");
}

#[test]
fn a_debit_whose_ending_balance_is_lost_is_unknown_not_done() {
    let facts = [Fact::Wrote {
        op: DEBIT.into(),
        attested: Attested::default(),
    }];
    assert!(matches!(
        next(&change(1000, true), &facts),
        Step::End {
            end: RowEnd::Unknown,
            ..
        }
    ));
}

#[test]
fn a_payload_that_cannot_be_read_writes_nothing() {
    let mut broken = change(1000, true);
    broken.payload = "{".into();
    assert!(matches!(
        next(&broken, &[]),
        Step::End {
            end: RowEnd::Failed,
            ..
        }
    ));
}

proptest! {
    /// I16: whatever happens between the look and the debit, money is neither made nor lost, and never more moves than
    /// was approved.
    #[test]
    fn money_is_conserved_whatever_happens_between_look_and_debit(
        amount in prop_oneof![-5_000_i64..-1, 1_i64..5_000], race in -10_000_i64..10_000
    ) {
        let mut world = world(amount, race);
        let (end, _, moved) = world.play(&change(amount, true));
        prop_assert_eq!(world.source + world.destination, amount + race);
        prop_assert!(world.destination.abs() <= amount.abs());
        prop_assert!(world.destination == 0 || world.destination.signum() == amount.signum());
        let told = match end {
            RowEnd::Done => moved.map_or(amount, |money| money.amount),
            _ => 0,
        };
        prop_assert_eq!(told, world.destination);
    }
}
