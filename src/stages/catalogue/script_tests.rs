use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::domain::change::Verdict;
use crate::domain::record::Attested;
use crate::domain::time::UtcMs;
use crate::stages::catalogue::samples::{planned, price_json, product_json, rate_json, row, world};

fn rows() -> Vec<Change> {
    let old = [
        product_json("gold", json!({"default_price": "price_1"})),
        price_json("price_1", "gold", json!({})),
        rate_json("txr_1", json!({})),
    ];
    planned(&world(&old, &[], &[]))
}

fn saw(label: &'static str, items: Option<&[Value]>) -> Fact {
    let bytes = |value: &Value| Bytes::from(value.to_string());
    Fact::Saw {
        label,
        items: items.map(|items| items.iter().map(bytes).collect()),
        at: UtcMs(0),
    }
}

fn wrote(op: &str) -> Fact {
    Fact::Wrote {
        op: op.to_owned(),
        attested: Attested::default(),
    }
}

fn gold(more: Value) -> Value {
    product_json("gold", more)
}

fn marked(id: &str, of: &str) -> Value {
    price_json(id, "gold", json!({"metadata": {"cutover_of": of}}))
}

/// What a step is, in a word.
fn word(step: &Step) -> String {
    match step {
        Step::Look(look) => format!("look {}", look.label),
        Step::Write(write) => format!("write {}", write.op),
        Step::GiveWay => "give way".to_owned(),
        Step::End { end, .. } => end.word().to_owned(),
    }
}

/// What a look sees; `None` where there is nothing.
type Sight = Option<Vec<Value>>;

/// Every product and every list a look may see, and none.
fn sights() -> (Vec<Sight>, Vec<Sight>) {
    let deleted = json!({"id": "gold", "object": "product", "deleted": true});
    let products = vec![
        None,
        Some(vec![deleted]),
        Some(vec![gold(json!({}))]),
        Some(vec![gold(json!({"default_price": "price_x"}))]),
        Some(vec![json!({"no": "id"})]),
    ];
    let lists = vec![
        None,
        Some(vec![]),
        Some(vec![marked("price_9", "price_9")]),
        Some(vec![marked("price_n", "price_1")]),
        Some(vec![marked("price_n", "price_1"), marked("price_m", "price_1")]),
        Some(vec![json!({"no": "id"})]),
    ];
    (products, lists)
}

/// What the script must do about a sight of the product and one of the list, said again without the code under test.
fn expected(op: &str, product: usize, list: usize) -> &'static str {
    let there = matches!(product, 2 | 3);
    match op {
        CREATE_PRODUCT if product <= 1 => "write create_product",
        CREATE_PRICE if there && list <= 2 => "write create_price",
        CREATE_TAX_RATE if list <= 2 => "write create_tax_rate",
        SET_DEFAULT_PRICE if product == 2 && list == 3 => "write set_default_price",
        _ => "drifted",
    }
}

#[test]
fn over_every_history_it_looks_first_writes_at_most_once_and_stops_where_something_changed() {
    let (products, lists) = sights();
    let mut changes = rows();
    for change in &mut changes {
        // The list of tax rates has the marker of the tax rate.
        if change.writes[0].op == CREATE_TAX_RATE {
            change.payload = change.payload.replace("\"old\":\"txr_1\"", "\"old\":\"price_1\"");
        }
    }
    assert_eq!(changes.len(), 4);
    for change in &changes {
        let op = change.writes[0].op.clone();
        for (p, product) in products.iter().enumerate() {
            for (l, list) in lists.iter().enumerate() {
                let mut facts = Vec::new();
                let mut steps = Vec::new();
                for _ in 0..4 {
                    let step = next(change, &facts);
                    steps.push(word(&step));
                    match step {
                        Step::Look(look) if look.label == PRODUCT_NOW => {
                            facts.push(saw(PRODUCT_NOW, product.as_deref()));
                        }
                        Step::Look(look) => facts.push(saw(look.label, list.as_deref())),
                        Step::Write(write) => facts.push(wrote(&write.op)),
                        Step::GiveWay | Step::End { .. } => break,
                    }
                }
                let want = expected(&op, p, l);
                let (ends, before) = steps.split_last().unwrap();
                assert!(steps[0].starts_with("look"), "{op} {p} {l} {steps:?}");
                if want == "drifted" {
                    assert_eq!(ends, "drifted", "{op} {p} {l} {steps:?}");
                    assert!(before.iter().all(|step| step.starts_with("look")));
                } else {
                    assert_eq!(
                        (before.last().unwrap().as_str(), ends.as_str()),
                        (want, "done"),
                        "{op} {p} {l}"
                    );
                    assert_eq!(steps.iter().filter(|step| step.starts_with("write")).count(), 1);
                }
            }
        }
    }
}

#[test]
fn after_its_write_a_row_is_done_whatever_else_is_on_record() {
    for change in rows() {
        let facts = [wrote(&change.writes[0].op)];
        assert_eq!(word(&next(&change, &facts)), "done");
    }
}

#[test]
fn looks_ask_for_the_product_of_the_row_on_the_new_account_and_nothing_else() {
    let rows = rows();
    let price = row(&rows, "price/gold/price_1");
    let Step::Look(look) = next(price, &[]) else {
        panic!()
    };
    assert_eq!(
        (look.path.as_str(), look.role, look.list),
        ("/v1/products/gold", Role::Destination, false)
    );
    let facts = [saw(PRODUCT_NOW, Some(&[gold(json!({}))]))];
    let Step::Look(look) = next(price, &facts) else {
        panic!()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(look.query, [pair("product", "gold"), pair("active", "true")]);
    assert!(look.list && look.path == "/v1/prices");
}

#[test]
fn the_place_of_a_default_price_is_filled_with_what_stands_for_the_old_one() {
    let rows = rows();
    let change = row(&rows, "default_price/gold");
    let facts = [
        saw(PRODUCT_NOW, Some(&[gold(json!({}))])),
        saw(
            LISTED_NOW,
            Some(&[marked("price_z", "price_0"), marked("price_n", "price_1")]),
        ),
    ];
    let Step::Write(write) = next(change, &facts) else {
        panic!()
    };
    assert_eq!(sent(&write, "default_price"), Some("price_n"));
    assert_eq!(write.effect, change.writes[0].effect);
}

#[test]
fn a_price_that_was_there_before_stands_for_the_old_one_without_our_marker() {
    let old = [
        product_json("gold", json!({"default_price": "price_1"})),
        price_json("price_1", "gold", json!({"lookup_key": "k"})),
    ];
    let there = price_json("price_n", "gold", json!({"lookup_key": "k"}));
    let rows = planned(&world(&old, &[gold(json!({})), there.clone()], &[]));
    let change = row(&rows, "default_price/gold");
    assert_eq!(change.verdict, Verdict::Planned);
    let product = saw(PRODUCT_NOW, Some(&[gold(json!({}))]));
    let Step::Write(write) = next(change, &[product.clone(), saw(LISTED_NOW, Some(&[there]))]) else {
        panic!()
    };
    assert_eq!(sent(&write, "default_price"), Some("price_n"));
    assert_eq!(
        word(&next(change, &[product, saw(LISTED_NOW, Some(&[]))])),
        "drifted"
    );
}

#[test]
fn a_row_that_cannot_be_read_writes_nothing() {
    let mut change = rows().remove(0);
    change.payload = "{}".to_owned();
    assert_eq!(word(&next(&change, &[])), "failed");
    let mut change = rows().remove(0);
    change.writes.clear();
    assert_eq!(word(&next(&change, &[])), "failed");
}
