//! The mapping stage from outside: what each kind of customer comes to, and what becomes of the application's database
//! when the program is killed, and when a stage is undone.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

#[cfg(test)]
mod support;

#[path = "mapping/line.rs"]
mod line;
#[path = "mapping/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use support::{Approval, Desk, Said, World, at_a_time, cutover, finish, words};
use table::{Rows, Store};

const SIGKILL: i32 = 9;
/// A world in which every kind of row occurs and few of each.
const FEW: &str = "--customers 24 --seed 5";
/// Boundaries a killed run is tried at.
const BOUNDARIES: usize = 40;

/// Rules and how many rows each has, by verdict, of the mapping plan in a run directory.
fn rules(run: &std::path::Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for plan in std::fs::read_dir(run.join("plans")).unwrap() {
        let text = std::fs::read_to_string(plan.unwrap().path()).unwrap();
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        if lines.next().unwrap()["header"]["stage"] != "mapping" {
            continue;
        }
        // A plan that was decided is stored again under another digest; what the program made of it is the same.
        counts.clear();
        for row in lines.filter(|row| row["rule"].is_string() && row["key"].is_string()) {
            let of = if row["key"].as_str().unwrap().starts_with("app/") {
                "database: "
            } else {
                ""
            };
            let name = format!(
                "{of}{} {}",
                row["planned_as"].as_str().unwrap(),
                row["rule"].as_str().unwrap()
            );
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

fn case(scenario: &str, expected: &[(&str, usize)]) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let line = format!(
        "rehearse --headless --json --scenario {scenario} --seed 1 --run '{}'",
        run.display()
    );
    let said = finish(cutover().args(words(&line))).ends(0);
    assert_eq!(said.json()["violations"], Value::Array(vec![]), "{said:?}");
    let expected: BTreeMap<String, usize> = expected
        .iter()
        .map(|(rule, n)| ((*rule).to_owned(), *n))
        .collect();
    assert_eq!(rules(&run), expected, "{scenario}");
}

#[test]
fn of_two_cards_the_default_is_followed_also_when_it_is_the_second() {
    case(
        "second-card-default",
        &[
            ("planned default_follows_map", 2),
            ("planned profile_differs", 1),
            ("planned tax_id_missing", 1),
            ("blocked no_default", 1),
            ("database: planned old_id_in_database", 3),
            ("database: noop checksum", 1),
        ],
    );
}

#[test]
fn two_customers_on_one_email_with_twin_cards_each_keep_their_own() {
    case(
        "same-email",
        &[
            ("planned default_follows_map", 2),
            ("database: planned old_id_in_database", 2),
            ("database: noop checksum", 1),
        ],
    );
}

#[test]
fn eleven_methods_are_more_than_a_page_and_all_are_compared() {
    case(
        "eleven-methods",
        &[
            ("planned default_follows_map", 1),
            ("database: planned old_id_in_database", 1),
            ("database: noop checksum", 1),
        ],
    );
}

#[test]
fn two_sepa_debits_stay_behind_and_go_to_support() {
    case(
        "two-sepa",
        &[
            ("planned default_follows_map", 1),
            ("blocked default_left_behind", 2),
            ("left_out left_behind", 5),
            ("database: left_out left_behind", 2),
            ("database: planned old_id_in_database", 1),
            ("database: noop checksum", 1),
        ],
    );
}

#[test]
fn a_deleted_customer_has_no_row_and_a_late_one_waits_for_a_second_copy() {
    case(
        "deleted-customer",
        &[
            ("planned default_follows_map", 1),
            ("left_out method_after_copy", 1),
            ("blocked late_customer", 1),
            ("database: blocked customer_not_copied", 1),
            ("database: planned old_id_in_database", 1),
            ("database: noop checksum", 1),
        ],
    );
}

#[test]
fn a_hundred_and_one_customers_are_two_pages() {
    case(
        "hundred-and-one",
        &[
            ("planned default_follows_map", 90),
            ("blocked no_default", 11),
            ("database: planned old_id_in_database", 73),
            ("database: noop checksum", 1),
        ],
    );
}

#[test]
fn an_empty_account_has_nothing_but_the_checksum_of_an_empty_table() {
    case("empty", &[("database: noop checksum", 1)]);
}

/// A desk with the mapping of the world's copy and a database.
fn desk(world: &World, store: &Store) -> Desk {
    let desk = Desk::at(world);
    desk.write("database-url", store.url());
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(desk.path("database-url"), private).unwrap();
    let more = format!(
        "[mapping]\nfiles = [\"{}\"]\n[app_database]\nurl = {{ file = \"database-url\" }}\ntable = \"{}\"\nkey_column = \
         \"id\"\nmethod_column = \"payment_method\"\ncustomer_column = \"customer_id\"\nquiet = true\nbatch_rows = 3\n",
        world.mapping,
        store.table()
    );
    let text = desk.read("cutover.toml");
    desk.write("cutover.toml", text + &more);
    desk
}

/// Plans mapping with what is blocked left out.
fn planned(desk: &Desk) -> Approval {
    desk.call("plan mapping --json --out first.plan --run first");
    desk.leave_out_blocked("first.plan");
    let said = desk.call("plan mapping --out plan --decisions decisions.csv --run run");
    support::approval(&said.ends(0).out)
}

fn apply_line(approval: &Approval) -> String {
    format!("apply mapping --json --plan plan --run run {}", approval.words())
}

fn mapping(said: &Said) -> Value {
    let summary = said.json();
    let stages = summary["stages"].as_array().unwrap();
    stages
        .iter()
        .find(|stage| stage["stage"] == "mapping")
        .unwrap()
        .clone()
}

/// Every row of a mover whose method was copied names the copy, every other cell is as it was.
fn is_mapped(world: &World, before: &Rows, after: &Rows) {
    let copies = table::mapping(&world.mapping);
    let mut changed = 0;
    for (key, old) in before {
        let new = &after[key];
        assert_eq!(old.others, new.others, "row {key}");
        match old.method.as_ref().and_then(|method| copies.get(method)) {
            Some((customer, copy)) if old.customer.as_ref() == Some(customer) && new.method != old.method => {
                assert_eq!(new.method.as_ref(), Some(copy), "row {key}");
                changed += 1;
            }
            _ => assert_eq!(old.method, new.method, "row {key}"),
        }
    }
    assert!(changed > 6, "{changed} rows changed");
    assert_eq!(before.len(), after.len());
}

fn the_rows_of_a_killed_run_end_like_those_of_one_left_alone(kind: table::Kind) {
    let whole = {
        let world = World::new(FEW);
        let Some(store) = Store::of(kind, &world) else {
            return;
        };
        let before = store.rows();
        let desk = desk(&world, &store);
        let approval = planned(&desk);
        desk.call(&apply_line(&approval)).ends(0);
        is_mapped(&world, &before, &store.rows());
        store.rows()
    };
    let (survived, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    at_a_time(4, BOUNDARIES, |nth| {
        // The transactions come last: from the end of the journal backwards would be as good, but its length is not known.
        let at = nth * 19 + 3;
        if survived.load(Ordering::Relaxed) {
            return;
        }
        let world = World::new(FEW);
        let store = Store::of(kind, &world).unwrap();
        let before = store.rows();
        let desk = desk(&world, &store);
        let approval = planned(&desk);
        let line = apply_line(&approval);
        let killed = desk
            .command(&line)
            .env("CUTOVER_CRASH_AT", at.to_string())
            .output()
            .unwrap();
        if killed.status.signal() == Some(SIGKILL) {
            kills.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(killed.status.code(), Some(0), "at {at}: {:?}", Said::from(killed));
            survived.store(true, Ordering::Relaxed);
        }
        let said = desk.call(&line).ends(0);
        let stage = mapping(&said);
        assert_eq!(
            (&stage["phase"], &stage["done"]),
            (&"done".into(), &stage["planned"]),
            "killed at {at}"
        );
        is_mapped(&world, &before, &store.rows());
        assert_eq!(store.rows(), whole, "killed at {at}");
        assert_eq!(world.look()["violations"], Value::Array(vec![]));
    });
    assert!(kills.into_inner() > 3);
}

#[test]
fn sqlite_a_run_killed_anywhere_leaves_the_same_rows() {
    the_rows_of_a_killed_run_end_like_those_of_one_left_alone(table::Kind::Sqlite);
}

#[test]
fn postgres_if_given_a_run_killed_anywhere_leaves_the_same_rows() {
    the_rows_of_a_killed_run_end_like_those_of_one_left_alone(table::Kind::Postgres);
}

#[test]
fn mysql_if_given_a_run_killed_anywhere_leaves_the_same_rows() {
    the_rows_of_a_killed_run_end_like_those_of_one_left_alone(table::Kind::MySql);
}

#[test]
fn postgres_if_given_a_database_that_goes_away_between_batches_is_taken_up_where_it_stopped() {
    let world = World::new(FEW);
    let Some(store) = Store::of(table::Kind::Postgres, &world) else {
        return;
    };
    let before = store.rows();
    let desk = desk(&world, &store);
    let approval = planned(&desk);
    let changed = |rows: &Rows| rows.iter().filter(|(key, row)| before[*key] != **row).count();
    let mut seen = std::collections::BTreeSet::new();
    // Further each time, as far as the rows that are left let it come.
    for bytes in [4_000, 7_000, 10_000] {
        desk.write("database-url", line::broken_after(store.url(), bytes));
        let said = desk.call(&apply_line(&approval));
        let stage = mapping(&said);
        if said.code == Some(0) {
            break;
        }
        assert_eq!(said.code, Some(1), "{said:?}");
        // With its last byte the line may have carried the last batch; then it is the audit that cannot read.
        assert!(
            ["halted", "audit_failed"].contains(&stage["phase"].as_str().unwrap()),
            "{said:?}"
        );
        assert!(stage["why"].as_str().unwrap().contains("postgres"), "{said:?}");
        let (rows, done) = (store.rows(), changed(&store.rows()));
        for (key, row) in &rows {
            assert_eq!(row.others, before[key].others);
        }
        seen.insert(done);
    }
    assert!(!seen.is_empty(), "the line was never cut");
    desk.write("database-url", store.url());
    let said = desk.call(&apply_line(&approval)).ends(0);
    assert_eq!(mapping(&said)["done"], mapping(&said)["planned"]);
    is_mapped(&world, &before, &store.rows());
    let all = changed(&store.rows());
    assert!(
        seen.iter().all(|done| done % 3 == 0 || *done == all),
        "batches are whole or not there: {seen:?} of {all}"
    );
}

fn undo_restores_what_was_changed_and_only_that(kind: table::Kind) {
    let world = World::new(FEW);
    let Some(store) = Store::of(kind, &world) else {
        return;
    };
    let before = store.rows();
    let desk = desk(&world, &store);
    let approval = planned(&desk);
    desk.call(&apply_line(&approval)).ends(0);
    let after = store.rows();
    let changed: Vec<&String> = before
        .iter()
        .filter(|(key, row)| after[*key] != **row)
        .map(|(key, _)| key)
        .collect();

    // Somebody changes one of the rows since, and a cell of another that is none of ours.
    let (theirs, besides) = (changed[0].clone(), changed[1].clone());
    store.set(&theirs, "payment_method", "pm_theirs");
    store.set(&besides, "note", "theirs");

    let wrong = desk.call("undo mapping --json --run run --confirm '1 rows'");
    assert_ne!(wrong.code, Some(0), "{wrong:?}");
    assert_eq!(
        store.rows()[changed[2]],
        after[changed[2]],
        "nothing is undone without the phrase"
    );
    let line = format!("undo mapping --json --run run --confirm '{} rows'", changed.len());
    let said = desk.call(&line).ends(4);
    let stage = mapping(&said);
    assert_eq!(stage["undone"], changed.len() - 1, "{said:?}");
    let left = said.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["rule"] == "undo_left")
        .count();
    assert_eq!(left, 1);

    let mut expected = before.clone();
    expected.get_mut(&theirs).unwrap().method = Some("pm_theirs".to_owned());
    let note = store.rows()[&besides].others.clone();
    expected.get_mut(&besides).unwrap().others = note;
    assert_eq!(store.rows(), expected);
    assert_ne!(
        desk.call(&line).code,
        Some(0),
        "there is one row left, which is not ours to take back"
    );
}

#[test]
fn sqlite_undo_restores_what_was_changed_and_only_that() {
    undo_restores_what_was_changed_and_only_that(table::Kind::Sqlite);
}

#[test]
fn postgres_if_given_undo_restores_what_was_changed_and_only_that() {
    undo_restores_what_was_changed_and_only_that(table::Kind::Postgres);
}

#[test]
fn mysql_if_given_undo_restores_what_was_changed_and_only_that() {
    undo_restores_what_was_changed_and_only_that(table::Kind::MySql);
}

#[test]
fn a_second_night_finds_every_row_changed_and_writes_nothing() {
    let world = World::new(FEW);
    let store = Store::of(table::Kind::Sqlite, &world).unwrap();
    let desk = desk(&world, &store);
    let approval = planned(&desk);
    desk.call(&apply_line(&approval)).ends(0);
    let (rows, writes) = (store.rows(), world.writes());
    desk.call("plan mapping --json --out again.plan --run again");
    desk.leave_out_blocked("again.plan");
    let said = desk
        .call("plan mapping --json --out again.plan --decisions decisions.csv --run more")
        .ends(0);
    let stage = mapping(&said);
    assert_eq!(stage["planned"], 0, "{said:?}");
    assert_eq!((store.rows(), world.writes()), (rows, writes));
}

#[test]
fn the_cost_of_a_scan_follows_who_moves_and_not_how_many_there_are() {
    // 30,000 customers, of whom 300 have a method.
    let world = World::new("--scenario schools --seed 1");
    let store = Store::of(table::Kind::Sqlite, &world).unwrap();
    let desk = desk(&world, &store);
    let said = desk.call("plan mapping --json --out plan --run run");
    assert!(mapping(&said)["in_scope"].as_u64().unwrap() > 300, "{said:?}");
    // Pages of a hundred on both accounts, at most twice each for reading them side by side, one list of methods for each
    // of the 300 and account, and the looks at who is who.
    let (pages, methods, looks) = (2 * (300 + 3), 2 * 300, 8);
    assert!(
        world.gets() <= pages + methods + looks,
        "{} requests",
        world.gets()
    );
    assert_eq!(world.writes(), 0);
}
