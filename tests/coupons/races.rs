//! What others do between plan and apply, and how each row ends: none stops the others.

use std::collections::BTreeSet;

use crate::night::{Night, findings, stage};
use crate::support::{Said, until};

/// Five coupons of movers, with a code each.
const FIVE: &str = r#"
[[coupon]]
id = "ONE"
percent_off = 20
max_redemptions = 10
used = 2

[[code]]
coupon = "ONE"
code = "ONE-ADA"
customer = "cus_ada"
max_redemptions = 3

[[coupon]]
id = "LAST"
percent_off = 20
max_redemptions = 1

[[code]]
coupon = "LAST"
code = "LAST-BEN"
customer = "cus_ben"

[[coupon]]
id = "GOES"
percent_off = 20

[[code]]
coupon = "GOES"
code = "GOES-ADA"
customer = "cus_ada"

[[coupon]]
id = "THERE"
percent_off = 20
max_redemptions = 4

[[code]]
coupon = "THERE"
code = "THERE-BEN"
customer = "cus_ben"

[[coupon]]
id = "QUIET"
percent_off = 20
max_redemptions = 4

[[code]]
coupon = "QUIET"
code = "QUIET-ADA"
customer = "cus_ada"
"#;

/// Somebody who does this before the first request of that kind.
fn actor(account: &str, deed: &str, before: &str) -> String {
    format!("[[foreign]]\naccount = \"{account}\"\n{deed}\nbefore = \"{before}\"\nnth = 1\n")
}

/// Each row that nobody touched is done: its coupon and its code are there with what was left, and the old code is off.
fn others_go_on(night: &Night, but: &str) {
    let (old, new) = (night.pools("source"), night.pools("destination"));
    for (id, code, left, own) in [
        ("ONE", "ONE-ADA", Some(8), Some(3)),
        ("LAST", "LAST-BEN", Some(1), None),
        ("GOES", "GOES-ADA", None, None),
        ("THERE", "THERE-BEN", Some(4), None),
        ("QUIET", "QUIET-ADA", Some(4), None),
    ] {
        if id == but {
            continue;
        }
        let code = format!("code {code} of {id}");
        assert!(!old[&code].live, "{code}");
        assert_eq!((new[&code].live, new[&code].max), (true, own), "{code}");
        assert_eq!(new[&format!("coupon {id}")].max, left, "{id}");
    }
}

/// How many rows ended how: done, drifted, failed.
fn ends(said: &Said) -> [u64; 3] {
    let stage = stage(said);
    assert_eq!(
        (&stage["phase"], &stage["unknown"]),
        (&"done".into(), &0.into()),
        "{said:?}"
    );
    assert_eq!(stage["pending"], 0, "{said:?}");
    ["done", "drifted", "failed"].map(|end| stage[end].as_u64().unwrap())
}

/// A night in which somebody does this while the stage writes.
fn disturbed(by: &str) -> (Night, Said) {
    let night = Night::described(&[FIVE, by].concat());
    let approved = night.plan(&[]);
    let said = night.apply(&approved);
    night.nobody_is_harmed();
    (night, said)
}

#[test]
fn a_use_between_plan_and_apply_makes_the_new_limits_smaller_and_the_last_one_leaves_nothing() {
    let night = Night::described(FIVE);
    let approved = night.plan(&[]);
    let old = &night.world.source;
    old.post("/_cutover/redeem", "code=ONE-ADA&customer=cus_ada");
    old.post("/_cutover/redeem", "coupon=ONE&customer=cus_ada");
    old.post("/_cutover/redeem", "code=LAST-BEN&customer=cus_ben");
    let said = night.apply(&approved).ends(1);
    assert_eq!(ends(&said), [8, 2, 0], "{said:?}");
    night.nobody_is_harmed();
    let new = night.pools("destination");
    assert_eq!(new["coupon ONE"].max, Some(6));
    assert_eq!(new["code ONE-ADA of ONE"].max, Some(2));
    assert!(!new.contains_key("coupon LAST") && !new.contains_key("code LAST-BEN of LAST"));
    for id in ["GOES", "THERE", "QUIET"] {
        assert!(new[&format!("coupon {id}")].live, "{id}");
    }
}

#[test]
fn a_coupon_deleted_since_the_plan_ends_its_own_rows_and_no_other() {
    let night = Night::described(FIVE);
    let approved = night.plan(&[]);
    night.world.source.send("DELETE", "/v1/coupons/GOES", "");
    let said = night.apply(&approved).ends(1);
    let [done, drifted, failed] = ends(&said);
    assert_eq!((done, drifted + failed), (8, 2), "{said:?}");
    others_go_on(&night, "GOES");
    assert!(!night.pools("destination").contains_key("coupon GOES"));
}

#[test]
fn a_coupon_that_expires_between_plan_and_apply_ends_its_own_rows_and_no_other() {
    // A scenario's times count from its start, which is now: this one leaves time to plan.
    let expiring = "
[[coupon]]
id = \"SOON\"
percent_off = 20
redeem_by = 2026-02-14T05:00:20Z

[[code]]
coupon = \"SOON\"
code = \"SOON-ADA\"
customer = \"cus_ada\"
";
    let night = Night::described(&[FIVE, expiring].concat());
    let approved = night.plan(&[]);
    assert!(
        night.pools("source")["coupon SOON"].live,
        "planned while it could be redeemed"
    );
    let old = &night.world.source;
    until("it has expired", || {
        old.send("GET", "/v1/coupons/SOON", "")["valid"] == false
    });
    let said = night.apply(&approved).ends(1);
    let [done, drifted, failed] = ends(&said);
    assert_eq!((done, drifted + failed), (10, 2), "{said:?}");
    night.nobody_is_harmed();
    others_go_on(&night, "");
    assert!(!night.pools("destination").contains_key("coupon SOON"));
}

#[test]
fn an_id_taken_since_the_plan_is_refused_before_anything_is_written() {
    let night = Night::described(FIVE);
    let approved = night.plan(&[]);
    let world = &night.world;
    let writes = world.writes() + 1;
    world
        .destination
        .send("POST", "/v1/coupons", "id=THERE&percent_off=90&duration=once");
    let said = night.apply(&approved);
    said.refuses(5, &["2 rows changed", "make the plan again"]);
    assert_eq!(world.writes(), writes, "nothing was written");
    let again = night.plan(&[]);
    let said = night.apply(&again).ends(0);
    assert_eq!(ends(&said), [8, 0, 0], "{said:?}");
    others_go_on(&night, "THERE");
}

#[test]
fn a_coupon_deleted_while_the_stage_writes_stops_no_other() {
    let deed = "do = \"delete_coupon\"\ncoupon = \"GOES\"";
    let (night, said) = disturbed(&actor("source", deed, "POST /v1/promotion_codes/*"));
    let [done, drifted, failed] = ends(&said.ends(1));
    assert_eq!((done, drifted + failed), (8, 2));
    others_go_on(&night, "GOES");
    assert!(!night.pools("destination").contains_key("coupon GOES"));
}

#[test]
fn a_coupon_that_somebody_makes_under_our_id_is_left_alone_and_the_old_code_opened_again() {
    let deed = "do = \"create_coupon\"\ncoupon = \"THERE\"";
    let (night, said) = disturbed(&actor("destination", deed, "POST /v1/coupons"));
    let [done, drifted, failed] = ends(&said.ends(1));
    assert_eq!((done, drifted + failed), (8, 2));
    others_go_on(&night, "THERE");
    assert!(night.pools("source")["code THERE-BEN of THERE"].live);
    let new = night.pools("destination");
    assert!(!new.contains_key("code THERE-BEN of THERE"));
    assert_eq!(new["coupon THERE"].max, None, "theirs");
}

#[test]
fn a_text_that_somebody_takes_while_the_stage_writes_leaves_one_code_closed_and_says_so() {
    // Of a coupon of their own: one of ours may or may not be there by then.
    let coupon = "do = \"create_coupon\"\ncoupon = \"THEIRS\"";
    let code = "do = \"create_code\"\ncoupon = \"THEIRS\"\ncode = \"quiet-ada\"";
    let (night, said) = disturbed(
        &[
            actor("destination", coupon, "POST /v1/coupons"),
            actor("destination", code, "POST /v1/promotion_codes"),
        ]
        .concat(),
    );
    // Drifted if it was seen before the write, failed if Stripe said so.
    let [done, drifted, failed] = ends(&said);
    assert_eq!((done, drifted + failed), (9, 1), "{said:?}");
    let rules: BTreeSet<String> = findings(&said, "differs")
        .into_iter()
        .map(|(_, rule)| rule)
        .collect();
    assert_eq!(rules, BTreeSet::from(["closed_and_lost".to_owned()]));
    others_go_on(&night, "QUIET");
    assert!(!night.pools("source")["code QUIET-ADA of QUIET"].live);
}

#[test]
fn a_code_that_somebody_closes_or_uses_while_it_is_closed_moves_all_the_same() {
    for deed in [
        "do = \"close_code\"\ncode = \"same\"",
        "do = \"redeem\"\ncode = \"same\"\ncustomer = \"same\"",
    ] {
        let (_, said) = disturbed(&actor("source", deed, "POST /v1/promotion_codes/*"));
        let [done, drifted, failed] = ends(&said);
        assert_eq!((done + drifted, failed), (10, 0), "{said:?}");
        assert!(drifted <= 2, "{said:?}");
    }
}
