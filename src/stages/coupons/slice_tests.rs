use serde_json::json;

use super::super::samples::{code_json, coupon_json, planned, world};
use super::*;
use crate::domain::change::ChangeKey;

fn plan() -> Plan {
    let old = [
        coupon_json("SPRING", json!({"max_redemptions": 10, "currency_options": null})),
        code_json("promo_a", "SPRING", json!({"customer": "cus_m1"})),
    ];
    planned(&world(&old, &[]))
}

fn row(key: &str) -> Change {
    let plan = plan();
    let at = plan.position(&ChangeKey(key.to_owned())).unwrap();
    (*plan.changes()[at]).clone()
}

#[test]
fn a_code_is_looked_for_among_those_of_its_text_coupon_and_customer() {
    let row = row("code/promo_a");
    let create = row.writes.iter().find(|write| write.op == CREATE_CODE).unwrap();
    let look = probe(create);
    assert!(look.list && look.role == Role::Destination);
    let pairs: Vec<_> = look
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [("code", "PROMO_A"), ("coupon", "SPRING"), ("customer", "cus_m1")]
    );
    let close = probe(&row.writes[0]);
    assert_eq!(
        (close.role, close.path.as_str(), close.list),
        (Role::Source, "/v1/promotion_codes/promo_a", false)
    );
}

#[test]
fn a_coupon_is_looked_for_under_its_id_with_what_is_hidden() {
    let mut create = row("coupon/SPRING").writes.remove(0);
    create.form.push(("expand[]".to_owned(), "applies_to".to_owned()));
    let look = probe(&create);
    assert_eq!((look.path.as_str(), look.list), ("/v1/coupons/SPRING", false));
    assert_eq!(look.query, [("expand[]".to_owned(), "applies_to".to_owned())]);
}

#[test]
fn an_old_id_leads_to_what_stands_for_it() {
    let mapped = |key: &str, made: Option<&str>| {
        ids(&row(key), made).map(|mapped| (mapped.kind, mapped.old, mapped.new))
    };
    let want = |kind: &str, old: &str, new: &str| Some((kind.to_owned(), old.to_owned(), new.to_owned()));
    assert_eq!(
        mapped("coupon/SPRING", Some("SPRING")),
        want("coupon", "SPRING", "SPRING")
    );
    assert_eq!(
        mapped("code/promo_a", Some("promo_new")),
        want("promotion_code", "promo_a", "promo_new")
    );
    assert_eq!(mapped("code/promo_a", None), None);
    assert_eq!(mapped("coupon/SPRING", None), None);
}
