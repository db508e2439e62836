//! A whole night from outside: rehearsals, and the same engine against accounts in another process.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

#[cfg(test)]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::{Desk, Said, World, at_a_time, journal, rehearse, two_at_a_time};

/// The finding about a balance the customer object does not show.
const OTHER_CURRENCY: &str = "balance_in_other_currency";
/// Five customers whose object says 0 AUD while they hold USD, as in the practitioner's account, and a few others.
const MIXED: &str = "\
name = \"mixed\"
about = \"The five customers who look empty\"
starts_at = 2026-02-14T05:00:00Z

[world]
movers = 14
paying = 6
without_method = 1
stayers = 3
credits = 4
debits = 1
mixed_currency = 5
";
const FAULTS: [&str; 4] = ["faults-429", "faults-500", "faults-network", "faults-mixed"];
const SEEDS_EACH: usize = 50;

fn number(value: &Value, name: &str) -> i64 {
    assert!(value[name].is_i64(), "no number {name} in {value}");
    value[name].as_i64().unwrap()
}

/// What is planned is one of these, and what is planned and begun has one end, in rows and in money.
fn partition_holds(stage: &Value) {
    let sum = |of: &Value, names: &[&str]| names.iter().map(|name| number(of, name)).sum::<i64>();
    let ends = ["done", "failed", "drifted", "unknown", "undone", "pending"];
    let verdicts = ["planned", "noop", "blocked", "left_out"];
    assert_eq!(number(stage, "in_scope"), sum(stage, &verdicts), "{stage}");
    assert_eq!(number(stage, "planned"), sum(stage, &ends), "{stage}");
    let totals = stage["totals"].as_object().unwrap();
    assert_eq!(
        totals.is_empty(),
        !["credits", "subscriptions"].contains(&stage["stage"].as_str().unwrap()),
        "only credits and bills are money: {stage}"
    );
    for (currency, money) in totals {
        assert_eq!(
            number(money, "source"),
            sum(money, &verdicts),
            "{currency}: {stage}"
        );
        assert_eq!(number(money, "planned"), sum(money, &ends), "{currency}: {stage}");
    }
}

/// Everything went well.
fn is_clean(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert_eq!(said.err, "");
    let summary = said.json();
    assert_eq!(summary["violations"], Value::Array(vec![]));
    for stage in begun(&summary) {
        partition_holds(stage);
        assert_eq!(stage["phase"], "done", "{stage}");
        assert_eq!(stage["done"], stage["planned"], "{stage}");
        // What had nothing to be written may be compared as well.
        assert!(number(stage, "compared") >= number(stage, "planned"), "{stage}");
    }
    assert!(number(credits(&summary), "done") > 0);
    summary
}

/// The stages of which anything was asked.
fn begun(summary: &Value) -> impl Iterator<Item = &Value> {
    let stages = summary["stages"].as_array().unwrap().iter();
    stages.filter(|stage| stage["phase"] != "waiting")
}

fn credits(summary: &Value) -> &Value {
    of(summary, "credits")
}

fn of<'a>(summary: &'a Value, stage: &str) -> &'a Value {
    let stages = summary["stages"].as_array().unwrap();
    stages.iter().find(|summed| summed["stage"] == stage).unwrap()
}

/// Customers of whom a summary says that their object hides a balance they must not lose.
fn warned(summary: &Value) -> BTreeSet<String> {
    let findings = summary["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["rule"] == OTHER_CURRENCY && finding["severity"] == "warn")
        .map(|finding| finding["customer"].as_str().unwrap().to_owned())
        .collect()
}

/// Those customers as the old account itself shows them, with their USD credit.
fn looks_empty(world: &World) -> BTreeMap<String, i64> {
    let all = world.source.customers().into_iter();
    all.filter(|(_, held)| held.currency.as_deref() == Some("aud") && held.balance == 0)
        .filter_map(|(id, held)| Some((id, *held.credit.get("usd")?)))
        .filter(|(_, usd)| *usd > 0)
        .collect()
}

#[test]
fn a_small_rehearsal_ends_well_and_its_seed_decides_its_plan() {
    let digest = |seed: u64| {
        let said = rehearse(&format!("--scenario small --seed {seed}"));
        let summary = is_clean(&said);
        assert_eq!(begun(&summary).count(), 5, "every stage ran");
        let digests = begun(&summary).map(|stage| stage["plan_digest"].as_str().unwrap().to_owned());
        digests.collect::<Vec<_>>()
    };
    let first = digest(7);
    assert_eq!(first, digest(7));
    for (one, other) in first.iter().zip(digest(8)).skip(1) {
        assert_ne!(*one, other);
    }
}

#[test]
fn the_rehearsal_of_midnight_ends_well_and_names_the_five_who_look_empty() {
    let summary = is_clean(&rehearse("--seed 7"));
    let world = World::new("--seed 7");
    let five: BTreeSet<String> = looks_empty(&world).into_keys().collect();
    assert_eq!(five.len(), 5);
    assert_eq!(warned(&summary), five);
    assert_eq!(summary["seed"], 7);
}

#[test]
fn who_looks_empty_holds_the_credit_on_the_new_account_to_the_cent() {
    let scenario = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(scenario.path(), MIXED).unwrap();
    let world = World::new(&format!("--scenario '{}' --seed 3", scenario.path().display()));
    let five = looks_empty(&world);
    assert_eq!(five.len(), 5);
    let before: BTreeMap<String, i64> = world.destination.customers().into_iter().map(usd).collect();
    assert!(five.keys().all(|id| before.get(id) == Some(&0)));

    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    let summary = is_clean(&desk.apply("run", &approval));
    assert_eq!(warned(&summary), five.keys().cloned().collect());
    let old: BTreeMap<String, i64> = world.source.customers().into_iter().map(usd).collect();
    let new: BTreeMap<String, i64> = world.destination.customers().into_iter().map(usd).collect();
    for (id, credit) in &five {
        assert_eq!((old[id], new[id]), (0, *credit), "{id}");
    }
    world.end_state();
}

fn usd((id, held): (String, support::Holding)) -> (String, i64) {
    let credit = held.credit.get("usd").copied().unwrap_or_default();
    (id, credit)
}

#[test]
fn before_approval_nothing_but_reads_reaches_the_accounts() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    desk.call("check").ends(0);
    // Undecided rows, then a phrase that does not fit: as far as one gets without approving.
    let said = desk.call("plan credits --out first.plan --run run").ends(3);
    let undecided = "apply credits --json --plan first.plan --run run --confirm x --approve";
    desk.call(&format!("{undecided} {}", support::approval(&said.out).digest))
        .ends(3);
    desk.call(&support::apply_line(
        "run",
        &support::Approval {
            phrase: "1 1".to_owned(),
            ..approval
        },
    ))
    .ends(5);
    assert!(world.gets() > 0);
    assert_eq!(world.writes(), 0);
}

#[test]
fn two_hundred_nights_full_of_faults_harm_nobody() {
    at_a_time(8, SEEDS_EACH * FAULTS.len(), |at| {
        let (scenario, seed) = (FAULTS[at % FAULTS.len()], at / FAULTS.len());
        let said = rehearse(&format!("--scenario {scenario} --seed {seed}"));
        let night = format!("{scenario}, seed {seed}: {}{}", said.out, said.err);
        let summary = said.json();
        assert_eq!(summary["violations"], Value::Array(vec![]), "{night}");
        assert_eq!(begun(&summary).count(), 5, "every stage ran: {night}");
        for stage in begun(&summary) {
            partition_holds(stage);
            for end in ["unknown", "pending", "failed"] {
                assert_eq!(stage[end], 0, "{end} in {night}");
            }
        }
        for stage in ["credits", "coupons"] {
            assert!(number(of(&summary, stage), "done") > 0, "{stage}: {night}");
        }
        // What others took after planning is named and left alone: somebody redeems in each of these worlds, and in one
        // of them somebody is at the dashboard besides.
        let at_the_dashboard = scenario == "faults-mixed";
        let touched = match said.code {
            Some(1) => begun(&summary).any(|stage| {
                number(stage, "drifted") > 0 && (at_the_dashboard || stage["stage"] == "coupons")
            }),
            Some(4) if at_the_dashboard => {
                let findings = summary["findings"].as_array().unwrap();
                findings.iter().any(|finding| finding["severity"] == "differs")
            }
            _ => false,
        };
        assert!(said.code == Some(0) || touched, "{night}");
    });
}

/// Everything a record says but for ids and times; rows decided together or one by one are the same decisions.
fn essence(records: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    // The other run was asked for credits alone.
    let told = |record: &&Value| {
        let passing = ["opened", "used"].iter().any(|kind| record["kind"] == *kind);
        let stage = if record["stage"].is_null() {
            &record["approval"]["stage"]
        } else {
            &record["stage"]
        };
        !passing && (stage.is_null() || stage == "credits")
    };
    for record in records.iter().filter(told) {
        let said = [
            "kind", "stage", "op", "role", "method", "path", "money", "end", "code", "moved",
        ]
        .map(|field| &record[field]);
        let ended = &record["ended"]["how"];
        let rows = match record["rows"].as_array() {
            Some(rows) => rows.clone(),
            None => vec![record["row"].clone()],
        };
        for row in rows {
            *counts.entry(format!("{said:?} {ended} {row}")).or_default() += 1;
        }
    }
    counts
}

#[test]
fn real_accounts_and_a_rehearsal_leave_the_same_journal_but_for_ids_and_times() {
    // Seed 7 has a billing credit grant that expires between the scenario's date and any later one.
    two_at_a_time(2, |at| same_journal([7, 11][at]));
}

fn same_journal(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("rehearsal");
    is_clean(&rehearse(&format!(
        "--scenario small --seed {seed} --run '{}'",
        run.display()
    )));
    let world = World::small(seed);
    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    is_clean(&desk.apply("run", &approval));
    let (rehearsed, real) = (essence(&journal(&run)), essence(&desk.journal("run")));
    assert!(rehearsed.len() > 20, "{rehearsed:#?}");
    assert_eq!(rehearsed, real, "seed {seed}");
}

#[test]
fn a_second_night_on_the_same_accounts_finds_everything_done_and_writes_nothing() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    let first = is_clean(&desk.apply("run", &approval));
    let moved = number(credits(&first), "done");
    let (state, writes) = (world.end_state(), world.writes());
    assert!(u64::try_from(moved).unwrap() * 2 <= writes);

    let again = desk.plan("again");
    let rows = desk.rows("plan");
    let done = rows
        .iter()
        .filter(|row| row["rule"] == "already_moved" && row["verdict"] == "noop");
    assert_eq!(i64::try_from(done.count()).unwrap(), moved);
    assert!(rows.iter().all(|row| row["verdict"] != "planned"), "{rows:#?}");
    let said = desk.call(&format!(
        "apply credits --json --plan plan --run again --confirm nothing --approve {}",
        again.digest
    ));
    let stage = said.ends(0).stage();
    partition_holds(&stage);
    assert_eq!((number(&stage, "planned"), number(&stage, "done")), (0, 0));
    assert_eq!((world.end_state(), world.writes()), (state, writes));
}
