//! Every row of the scenario `coupons`, and what must come of it: `row | rule | verdict | left on the new account | left
//! on the old one` for coupons and codes, where `off` cannot be redeemed and `-` is not there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::night::{Decided, Night, name, stage};
use crate::support::rehearse;

/// Rows that nobody decides, and those of `move`.
const MOVE: &str = "\
code A-OF-POOL of POOL | moves | planned | 1 | off
code ABSENT-ADA of FOR-ABSENT | shared | left_out | - | no limit
code ABSENT-OMAR of FOR-ABSENT | customer_absent | left_out | - | 2
code ALL-ADA of STAYER-TAKES-ALL | shared | left_out | - | no limit
code AMOUNT of AMOUNT | moves | planned | no limit | off
code B-OF-POOL of POOL | moves | planned | no limit | off
code CLOSEDBEFORE of CLOSED-BEFORE | inactive | noop | - | off
code CODEOVER of CODE-EXPIRED | expired | noop | - | off
code CODEUSEDUP of CODE-USED-UP | exhausted | noop | - | off
code CONTRADICTS of CONTRADICTION | counters_contradict | left_out | - | no limit
code DIRECTUSES of COUPON-TIGHTER | moves | planned | 2 | off
code EQUALTHERE of EQUAL-THERE | moves | planned | no limit | off
code FIRST of FIRST-TIME | moves | planned | 1 | off
code FORALL of FOR-ALL | shared | planned | 6 | off
code FORALLCOUPON of FOR-ALL-COUPON | shared | planned | no limit | off
code FORALLFREE of FOR-ALL-FREE | shared | planned | no limit | off
code GOLD of FOR-GOLD | moves | planned | 2 | off
code LIMITED-ADA of LIMITED-FOR-THREE | shared | planned | no limit | off
code LIMITED-ALL of LIMITED-FOR-THREE | shared | planned | 3 | off
code NOLIMIT of NO-LIMIT | moves | planned | no limit | off
code OFDELETED of DELETED | coupon_deleted | noop | - | -
code OFF of SWITCHED-OFF | inactive | noop | - | off
code OFGONE of FOR-DELETED | customer_deleted | noop | - | 2
code ONCODE of ON-CODE | moves | planned | 3 | off
code ONCOUPON of ON-COUPON | moves | planned | no limit | off
code ONEUSE of ONE-USE | moves | planned | 1 | off
code OTHERTHERE of OTHER-THERE | coupon_blocked | left_out | - | no limit
code OVER of EXPIRED | expired | noop | - | off
code PACKS of FOR-PACKS | coupon_blocked | left_out | - | no limit
code SHARED-ADA of SHARED | shared | planned | no limit | off
code SPLIT-1 of SPLIT | moves | planned | 4 | off
code SPLIT-2 of SPLIT | moves | planned | no limit | off
code TAKEN of TEXT-TAKEN | code_taken | left_out | - | no limit
code THANKS of SAME-TEXT | moves | planned | 2 | off
code THREE-ADA of FREE-FOR-THREE | moves | planned | 2 | off
code THREE-ALL of FREE-FOR-THREE | open_code | planned | 40 | off
code TIGHTER of CODE-TIGHTER | moves | planned | 1 | off
code TONIGHT of ENDS-TONIGHT | moves | planned | 3 | off
code USEDUP of USED-UP | exhausted | noop | - | off
code thanks of SAME-TEXT | moves | planned | 2 | off
coupon ALWAYS | direct_only | left_out | - | no limit
coupon AMOUNT | movers_only | planned | 6 | 6
coupon CLOSED-BEFORE | direct_only | left_out | - | 8
coupon CODE-EXPIRED | direct_only | left_out | - | 9
coupon CODE-TIGHTER | movers_only | planned | 18 | 18
coupon CODE-USED-UP | direct_only | left_out | - | no limit
coupon CONTRADICTION | counters_contradict | left_out | - | 8
coupon COUPON-TIGHTER | movers_only | planned | 2 | 2
coupon ENDS-TONIGHT | movers_only | planned | 8 | 8
coupon EQUAL-THERE | equal_exists | noop | 5 | 5
coupon EXPIRED | expired | noop | - | off
coupon FIRST-TIME | no_limit | planned | no limit | no limit
coupon FOR-ABSENT | shared | left_out | - | 5
coupon FOR-ALL | shared | planned | no limit | no limit
coupon FOR-ALL-COUPON | shared | planned | 6 | 6
coupon FOR-ALL-FREE | shared | planned | no limit | no limit
coupon FOR-DELETED | direct_only | left_out | - | 6
coupon FOR-GOLD | movers_only | planned | 6 | 6
coupon FOR-PACKS | product_unmapped | left_out | - | 6
coupon FREE-FOR-THREE | no_limit | planned | no limit | no limit
coupon LIMITED-FOR-THREE | shared | planned | 4 | 6
coupon MONTH | direct_only | left_out | - | no limit
coupon NO-CODE | direct_only | left_out | - | 8
coupon NO-LIMIT | no_limit | planned | no limit | no limit
coupon ON-CODE | no_limit | planned | no limit | no limit
coupon ON-COUPON | movers_only | planned | 3 | 3
coupon ONCE | direct_only | left_out | - | no limit
coupon ONE-USE | movers_only | planned | 1 | 1
coupon OTHER-THERE | coupon_differs | left_out | no limit | 5
coupon POOL | movers_only | planned | 3 | 3
coupon SAME-TEXT | no_limit | planned | no limit | no limit
coupon SHARED | shared | planned | 6 | 8
coupon SPLIT | movers_only | planned | 4 | 4
coupon STAYER-TAKES-ALL | shared | left_out | - | 3
coupon SWITCHED-OFF | direct_only | left_out | - | 8
coupon TEXT-TAKEN | codes_blocked | left_out | - | 6
coupon THREE-MONTHS | direct_only | left_out | - | no limit
coupon USED-UP | exhausted | noop | - | off
coupon YEAR | direct_only | left_out | - | no limit
";

/// What of it is otherwise when shared coupons are left.
const LEAVE: &str = "\
code FORALL of FOR-ALL | shared | left_out | - | 6
code FORALLCOUPON of FOR-ALL-COUPON | shared | left_out | - | no limit
code FORALLFREE of FOR-ALL-FREE | shared | left_out | - | no limit
code LIMITED-ADA of LIMITED-FOR-THREE | shared | planned | no limit | off
code LIMITED-ALL of LIMITED-FOR-THREE | shared | left_out | - | 3
code SHARED-ADA of SHARED | shared | planned | no limit | off
code THREE-ADA of FREE-FOR-THREE | moves | planned | 2 | off
code THREE-ALL of FREE-FOR-THREE | open_code | left_out | - | 40
coupon FOR-ALL | shared | left_out | - | no limit
coupon FOR-ALL-COUPON | shared | left_out | - | 6
coupon FOR-ALL-FREE | shared | left_out | - | no limit
coupon FREE-FOR-THREE | no_limit | planned | no limit | no limit
coupon LIMITED-FOR-THREE | shared | planned | 1 | 6
coupon SHARED | shared | planned | 6 | 8
";

/// The same when they are split: two uses of each open code go, and what nothing limits is kept on both.
const SPLIT: &str = "\
code FORALL of FOR-ALL | shared | planned | 2 | 4
code FORALLCOUPON of FOR-ALL-COUPON | shared | planned | 2 | 4
code FORALLFREE of FOR-ALL-FREE | shared | planned | no limit | no limit
code LIMITED-ADA of LIMITED-FOR-THREE | shared | planned | no limit | off
code LIMITED-ALL of LIMITED-FOR-THREE | shared | planned | 2 | 1
code SHARED-ADA of SHARED | shared | planned | no limit | off
code THREE-ADA of FREE-FOR-THREE | moves | planned | 2 | off
code THREE-ALL of FREE-FOR-THREE | open_code | planned | 2 | 38
coupon FOR-ALL | shared | planned | no limit | no limit
coupon FOR-ALL-COUPON | shared | planned | 2 | 6
coupon FOR-ALL-FREE | shared | planned | no limit | no limit
coupon FREE-FOR-THREE | no_limit | planned | no limit | no limit
coupon LIMITED-FOR-THREE | shared | planned | 3 | 6
coupon SHARED | shared | planned | 2 | 8
";

/// `subscription | rule | planned as | duration there, with its months or its date`.
const RUNNING: &str = "\
discount ALWAYS on cus_mateo | customer_discount | blocked
discount ALWAYS on sub_forever | carry_forever | planned | forever
discount ALWAYS on sub_stacked | carry_forever | planned | forever
discount DELETED-SINCE on sub_of_deleted | products_unknown | blocked
discount MONTH on sub_weekly | carry_until | planned | forever, 2026-02-20
discount ONCE on sub_once | carry_once | planned | once
discount THREE-MONTHS on sub_ends | ends_before_next_bill | noop
discount THREE-MONTHS on sub_lena | customer_discount | planned | repeating 2
discount THREE-MONTHS on sub_month_end | carry_months | planned | repeating 2
discount THREE-MONTHS on sub_one_left | carry_months | planned | repeating 1
discount THREE-MONTHS on sub_over | ends_before_next_bill | noop
discount THREE-MONTHS on sub_trial | carry_months | planned | repeating 3
discount YEAR on sub_item | carry_months | planned | repeating 5
discount YEAR on sub_stacked | carry_months | planned | repeating 6
discount YEAR on sub_yearly | carry_months | planned | repeating 3
";

/// A night in which this is decided comes to its end with every row done.
fn applied(decided: &[Decided<'_>]) -> Night {
    let night = Night::of("coupons").with_catalogue();
    let approved = night.plan(decided);
    let said = night.apply(&approved).ends(0);
    let summary = stage(&said);
    let phase = (&summary["phase"], &summary["done"], &summary["unknown"]);
    assert_eq!(
        phase,
        (&"done".into(), &summary["planned"], &0.into()),
        "{said:?}"
    );
    night
}

/// Shared coupons all decided in one way; of what has no limit, `free` is decided.
fn shared<'a>(
    choice: &'a str,
    number: &'a str,
    free: &'a str,
    with_stayers: Decided<'a>,
) -> Vec<Decided<'a>> {
    vec![
        ("coupon FOR-ALL", choice, number),
        ("coupon FOR-ALL-COUPON", choice, number),
        ("coupon FOR-ALL-FREE", free, ""),
        with_stayers,
        ("coupon LIMITED-FOR-THREE", choice, number),
        ("code THREE-ALL of FREE-FOR-THREE", choice, number),
    ]
}

fn of_shared(name: &str) -> bool {
    ["FOR-ALL", "SHARED", "FOR-THREE"]
        .iter()
        .any(|id| name.contains(id))
}

#[test]
fn every_coupon_and_code_gets_what_was_left_when_what_is_shared_moves() {
    let night = applied(&shared("move", "", "move", ("coupon SHARED", "move", "")));
    night.nobody_is_harmed();
    let table = night.table(|name| !name.starts_with("discount"));
    assert_eq!(table, MOVE, "{table}");
    carried_once(&night);
}

/// Each running discount has a coupon for one use, which nobody has used.
fn carried_once(night: &Night) {
    let pools = night.pools("destination");
    let mut carried = 0;
    for row in night.desk.rows("plan") {
        if !name(&row).starts_with("discount") || row["verdict"] != "planned" {
            continue;
        }
        let fields = row["fields"].as_array().unwrap().iter();
        let mut ids = fields.filter(|field| field["name"] == "id");
        let id = ids.next().unwrap()["after"].as_str().unwrap();
        let there = &pools[&format!("coupon {id}")];
        assert_eq!((there.max, there.used, there.live), (Some(1), 0, true), "{id}");
        carried += 1;
    }
    assert_eq!(carried, 11);
}

#[test]
fn what_is_left_to_those_who_stay_is_as_it_was_and_the_rest_moves() {
    let night = applied(&shared("leave", "", "leave", ("coupon SHARED", "leave", "")));
    night.nobody_is_harmed();
    let table = night.table(of_shared);
    assert_eq!(table, LEAVE, "{table}");
}

#[test]
fn what_is_split_is_split_to_the_use() {
    let night = applied(&shared(
        "split",
        "2",
        "keep_both",
        ("coupon SHARED", "set_left", "2"),
    ));
    let table = night.table(of_shared);
    assert_eq!(table, SPLIT, "{table}");
    // Kept on both accounts because a person said so, which the simulator was not told.
    let broken = night.violations();
    assert!(
        matches!(&broken[..], [(rule, why)] if rule == "code-on-both" && why.contains("FORALLFREE")),
        "{broken:?}"
    );
}

#[test]
fn running_discounts_go_on_for_the_invoices_they_had_left() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    // At the scenario's own date: months are of different length.
    let said = rehearse(&format!("--scenario coupons --seed 1 --run '{}'", run.display())).ends(0);
    assert_eq!(said.json()["violations"], Value::Array(vec![]));
    let mut rows = BTreeMap::new();
    for plan in std::fs::read_dir(run.join("plans")).unwrap() {
        let text = std::fs::read_to_string(plan.unwrap().path()).unwrap();
        let all = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let discounts = all.filter(|row| {
            row["key"]
                .as_str()
                .is_some_and(|key| key.starts_with("discount/"))
        });
        rows.extend(discounts.map(|row| (name(&row), running(&row))));
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, what)| format!("{name} | {what}\n"))
        .collect();
    let table = lines.concat();
    assert_eq!(table, RUNNING, "{table}");
}

fn running(row: &Value) -> String {
    let after = |name: &str| {
        let mut found = row["fields"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|field| field["name"] == name);
        found.next().map_or("", |field| field["after"].as_str().unwrap())
    };
    let text = |field: &str| row[field].as_str().unwrap();
    let length = [after("duration"), after("duration_in_months")].join(" ");
    let there = [length.trim(), after("end")].join(", ");
    let line = [text("rule"), text("planned_as"), &there].join(" | ");
    line.trim_end_matches([',', ' ', '|']).to_owned()
}
