use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::assemble;
use crate::domain::change::Verdict;
use crate::stages::catalogue::samples::{price_json, product_json, rate_json, sealed, world};

fn any_object() -> impl Strategy<Value = Value> {
    let of = proptest::option::of(0_u8..4);
    let key = proptest::option::of(0_u8..3);
    (0_u8..3, 0_u8..4, 0_u8..2, any::<bool>(), of, key, 0_u8..2).prop_map(
        |(kind, id, product, active, of, key, amount)| {
            let marks = of.map(|of| match kind {
                1 => json!({"cutover_of": format!("price_{of}")}),
                _ => json!({"cutover_of": format!("txr_{of}")}),
            });
            let more = json!({"active": active, "metadata": marks.unwrap_or(json!({}))});
            let mut value = match kind {
                0 => product_json(&format!("prod_{}", id % 2), more),
                1 => price_json(&format!("price_{id}"), &format!("prod_{product}"), more),
                _ => rate_json(&format!("txr_{id}"), more),
            };
            if kind == 1 {
                value["lookup_key"] = json!(key.map(|key| format!("key_{key}")));
                value["unit_amount"] = json!(amount);
                value["unit_amount_decimal"] = json!(amount.to_string());
            }
            value
        },
    )
}

fn any_used() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec((any::<bool>(), 0_u8..4), 0..4).prop_map(|all| {
        let name = |(price, n)| {
            if price {
                format!("price_{n}")
            } else {
                format!("txr_{n}")
            }
        };
        all.into_iter().map(name).collect()
    })
}

proptest! {
    #[test]
    fn any_two_catalogues_make_a_plan_that_depends_on_no_order_and_creates_nothing_twice(
        old in proptest::collection::btree_map("[a-z]{3}", any_object(), 0..10),
        new in proptest::collection::btree_map("[a-z]{3}", any_object(), 0..10),
        used in any_used(),
    ) {
        // Of two objects with one id the last counts, so equal ids must come in one order: dropped here.
        let unique = |all: Vec<Value>| {
            let mut seen = BTreeSet::new();
            all.into_iter().filter(|v| seen.insert(v["id"].to_string())).collect::<Vec<_>>()
        };
        let (old, new) = (unique(old.into_values().collect()), unique(new.into_values().collect()));
        let used: Vec<&str> = used.iter().map(String::as_str).collect();
        let backwards = |all: &[Value]| all.iter().rev().cloned().collect::<Vec<_>>();
        let first = sealed(&world(&old, &new, &used));
        let again = sealed(&world(&backwards(&old), &backwards(&new), &used));
        prop_assert_eq!(first.digest(), again.digest());
        prop_assert_eq!(first.findings(), again.findings());
        let totals = first.totals();
        prop_assert_eq!(totals.in_scope, totals.planned + totals.blocked + totals.noop + totals.left_out);
        let mut effects = BTreeSet::new();
        for change in first.changes() {
            for write in &change.writes {
                prop_assert!(effects.insert(write.effect.clone()), "{} twice", write.effect);
            }
            let stands = assemble::payload(change).unwrap().existing.is_some();
            prop_assert!(!stands || change.verdict != Verdict::Planned || change.item == "default price");
            prop_assert!(change.verdict != Verdict::Planned || change.writes.len() == 1);
        }
    }
}
