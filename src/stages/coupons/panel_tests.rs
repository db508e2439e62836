use serde_json::json;

use super::super::samples::{code_json, coupon_json, planned, world};
use super::*;
use crate::domain::change::{ChangeKey, Decision};

fn plan() -> Plan {
    let old = [
        coupon_json("SPRING", json!({"max_redemptions": 10, "times_redeemed": 7})),
        code_json(
            "promo_a",
            "SPRING",
            json!({"customer": "cus_m1", "max_redemptions": 5, "times_redeemed": 4}),
        ),
        coupon_json("ALL", json!({"duration": "repeating", "duration_in_months": 3})),
        code_json(
            "promo_o",
            "ALL",
            json!({"restrictions": {
            "first_time_transaction": true, "minimum_amount": 1000, "minimum_amount_currency": "usd"}}),
        ),
        coupon_json(
            "GONE",
            json!({"max_redemptions": 2, "times_redeemed": 2, "valid": false}),
        ),
        code_json("promo_g", "GONE", json!({"customer": "cus_m1", "active": false})),
    ];
    planned(&world(&old, &[]))
}

fn row<'a>(plan: &'a Plan, key: &str) -> &'a Change {
    &plan.changes()[plan.position(&ChangeKey(key.to_owned())).unwrap()]
}

#[test]
fn a_row_says_what_it_is_for_whom_and_its_three_numbers() {
    let plan = plan();
    let cells = |key: &str| cells(row(&plan, key), true);
    assert_eq!(
        cells("coupon/SPRING"),
        ["coupon SPRING", "", "10, 3, 3", "movers_only", "25 % once"]
    );
    let code = cells("code/promo_a");
    assert_eq!(code[..3], ["code PROMO_A", "Name of cus_m1", "5, 1, 1"]);
    assert_ne!(
        super::cells(row(&plan, "code/promo_a"), false)[1],
        "Name of cus_m1"
    );
    let open = cells("code/promo_o");
    assert_eq!((open[1].as_str(), open[2].as_str()), ("everybody", "no limit"));
    assert_eq!(open[4], "from 10.00 USD, first time");
    assert_eq!(cells("coupon/ALL")[4], "25 % 3 mo");
    assert_eq!(cells("coupon/GONE")[2], "2, 0, -");
    for change in plan.changes() {
        assert_eq!(super::cells(change, false).len(), columns().len());
    }
}

#[test]
fn the_panel_adds_up_and_says_when_something_is_wider() {
    let plan = plan();
    let said = panel(Some(&plan));
    assert!(
        said.headline[1].starts_with("Creates   1 coupon   1 code   "),
        "{:?}",
        said.headline
    );
    assert!(said.headline[2].contains("exhausted"), "{:?}", said.headline);
    let tones = |plan: &Plan| {
        checks(plan)
            .iter()
            .filter(|check| check.tone == Tone::Bad)
            .count()
    };
    assert_eq!(tones(&plan), 0);
    let decision = |choice: &str, number| Decision {
        choice: choice.to_owned(),
        by: "ann".to_owned(),
        note: "agreed".to_owned(),
        number,
    };
    let more = plan
        .decide(&ChangeKey("coupon/SPRING".into()), decision("set_left", Some(6)))
        .unwrap();
    let said = checks(&more);
    assert!(
        said.iter()
            .any(|check| check.says.contains("more than is left") && check.tone == Tone::Attention),
        "{said:?}"
    );
    let moved = plan
        .decide(&ChangeKey("coupon/ALL".into()), decision("move", None))
        .unwrap();
    assert_eq!(tones(&moved), 0, "decided");
}

#[test]
fn the_file_of_running_discounts_is_made_for_every_plan() {
    let bytes = super::super::carried::csv(&plan()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("discount,subscription,item,coupon,invoices,until,status"));
}
