//! What must not be done is not done: an exit code, one sentence that says what to do, and no write on either account.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

#[cfg(test)]
mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;
use support::{
    Approval, Desk, Said, World, apply_line, approval, cutover, finish, signal, two_at_a_time, until, words,
};

const PLAN: &str = "plan credits --out other.plan --run other";

/// A world, and a desk where a plan waits to be approved.
fn planned() -> (World, Desk, Approval) {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    (world, desk, approval)
}

fn nothing_was_written(world: &World) {
    assert_eq!(world.writes(), 0);
}

/// Every command that asks the accounts, in turn. `check` lists what it finds instead of ending at the first thing.
fn all_refuse(desk: &Desk, approval: &Approval, words: &[&str]) {
    for line in [PLAN, &apply_line("run", approval)] {
        desk.call(line).refuses(5, words);
    }
    let checked = desk.call("check").ends(5);
    let told = format!("{}{}", checked.out, checked.err);
    assert!(
        words.iter().all(|word| told.contains(word)),
        "{words:?} in {told}"
    );
}

#[test]
fn swapped_keys_are_refused() {
    let (world, mut desk, approval) = planned();
    desk.set_keys([&world.destination.key, &world.source.key]);
    all_refuse(
        &desk,
        &approval,
        &["the source key was refused", "of this account"],
    );
    // At Stripe both accounts live at one address, so swapped keys work there, for the wrong account.
    let (old, new) = (&world.source, &world.destination);
    for (from, to) in [
        (old.url.as_str(), "OLD_URL"),
        (&new.url, &old.url),
        ("OLD_URL", &new.url),
    ] {
        desk.configure(from, to);
    }
    all_refuse(
        &desk,
        &approval,
        &["the source key leads to", &old.id, &new.id, "swap or correct"],
    );
    nothing_was_written(&world);
}

#[test]
fn two_keys_of_one_account_are_refused() {
    let (world, mut desk, approval) = planned();
    desk.set_keys([&world.source.key, &world.source.key]);
    all_refuse(&desk, &approval, &["both accounts have the same key"]);
    desk.set_keys([&world.source.read_only_key, &world.source.key]);
    desk.configure(&world.destination.url, &world.source.url);
    all_refuse(
        &desk,
        &approval,
        &[
            "the destination key leads to",
            &world.source.id,
            &world.destination.id,
        ],
    );
    nothing_was_written(&world);
}

#[test]
fn another_account_than_the_configured_one_is_refused() {
    let (world, desk, approval) = planned();
    desk.configure(&world.destination.id, "acct_1SomebodyElse");
    let line = apply_line("fresh", &approval);
    for line in [PLAN, &line] {
        desk.call(line).refuses(
            5,
            &[
                "the destination key leads to",
                &world.destination.id,
                "acct_1SomebodyElse",
            ],
        );
    }
    desk.configure("acct_1SomebodyElse", &world.source.id);
    all_refuse(&desk, &approval, &["two accounts"]);
    nothing_was_written(&world);
}

#[test]
fn a_write_key_of_another_account_is_refused_before_the_first_write() {
    let (world, desk, approval) = planned();
    desk.configure(
        "key = { env = \"NEW_KEY\" }",
        "key = { env = \"NEW_KEY\" }\nwrite_key = { env = \"NEW_WRITE_KEY\" }",
    );
    let mut command = desk.command(&apply_line("run", &approval));
    let said = finish(command.env("NEW_WRITE_KEY", &world.source.read_only_key));
    assert_eq!(said.code, Some(5), "{said:?}");
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("the destination key was refused"), "{told}");
    nothing_was_written(&world);
}

#[test]
fn live_mode_with_test_keys_is_refused() {
    let (world, desk, approval) = planned();
    desk.configure("mode = \"test\"", "mode = \"live\"");
    all_refuse(&desk, &approval, &["test key"]);
    nothing_was_written(&world);
}

#[test]
fn a_flipped_bit_anywhere_in_the_plan_is_refused() {
    let (world, desk, approval) = planned();
    let plan = fs::read(desk.path("plan")).unwrap();
    two_at_a_time(60, |nth| {
        // Spread over the file, over its beginning and over its end, every bit of a byte in turn.
        let at = match nth {
            0..40 => nth * plan.len() / 40,
            40..50 => nth - 40,
            _ => plan.len() - 1 - (nth - 50) * 7,
        };
        let mut bytes = plan.clone();
        bytes[at] ^= 1 << (nth % 8);
        let name = format!("plan-{nth}");
        desk.write(&name, bytes);
        let line = apply_line("run", &approval).replace("--plan plan", &format!("--plan {name}"));
        desk.call(&line).refuses(5, &[&name]);
    });
    nothing_was_written(&world);
}

#[test]
fn another_digest_or_phrase_than_the_plans_is_refused() {
    let (world, desk, approval) = planned();
    for at in [0, 31, 63] {
        let mut digest = approval.digest.clone();
        let other = if digest.as_bytes()[at] == b'0' { "1" } else { "0" };
        digest.replace_range(at..=at, other);
        let flipped = Approval {
            digest,
            ..approval.clone()
        };
        desk.apply("run", &flipped)
            .refuses(5, &["digest", "nothing was written"]);
    }
    let short = Approval {
        digest: approval.digest[..63].to_owned(),
        ..approval.clone()
    };
    assert_eq!(desk.apply("run", &short).code, Some(2));
    let (first, rest) = approval.phrase.split_once(' ').unwrap();
    let one_more = first.parse::<u64>().unwrap() + 1;
    for phrase in [
        String::new(),
        "yes".to_owned(),
        format!("{one_more} {rest}"),
        rest.to_owned(),
        approval.phrase.replace(&world.destination.id, &world.source.id),
        format!("{} 1", approval.phrase),
    ] {
        let other = Approval {
            phrase,
            ..approval.clone()
        };
        desk.apply("run", &other)
            .refuses(5, &["the phrase does not fit", &approval.phrase]);
    }
    nothing_was_written(&world);
    // The plan itself is still good.
    desk.apply("run", &approval).ends(0);
}

#[test]
fn a_plan_made_under_other_settings_is_refused() {
    let (world, desk, approval) = planned();
    let config = desk.read("cutover.toml");
    for (from, to) in [
        ("regions = [\"us\"]", "regions = [\"us\", \"au\"]"),
        ("source_after = \"drain\"", "source_after = \"leave\""),
    ] {
        desk.configure(from, to);
        for run in ["run", "fresh"] {
            desk.apply(run, &approval)
                .refuses(5, &["other settings", "make it again"]);
        }
        desk.write("cutover.toml", &config);
    }
    nothing_was_written(&world);
    // Nothing stuck: with the settings it was made for, it can be written.
    desk.apply("run", &approval).ends(0);
}

#[test]
fn undecided_rows_are_not_written_around() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let said = desk.call("plan credits --out plan --run run").ends(3);
    let approval = Approval {
        phrase: format!("9 {} 9 {}", world.source.id, world.destination.id),
        ..approval(&said.out)
    };
    desk.apply("run", &approval)
        .refuses(3, &["rows are undecided", "leave them out"]);
    nothing_was_written(&world);
}

#[test]
fn facts_that_changed_since_the_plan_are_refused() {
    let (world, desk, approval) = planned();
    let rows = desk.rows("plan");
    let row = rows.iter().find(|row| row["verdict"] == "planned").unwrap();
    let (customer, currency) = (
        row["subject"].as_str().unwrap(),
        row["money"]["currency"].as_str().unwrap(),
    );
    let path = format!("/v1/customers/{customer}/balance_transactions");
    world
        .source
        .post(&path, &format!("amount=-1&currency={currency}"));
    let before = world.writes();
    desk.apply("run", &approval)
        .refuses(5, &["changed on Stripe", customer, "make the plan again"]);
    assert_eq!(world.writes(), before);
}

#[test]
fn a_second_process_on_the_same_run_is_refused_and_told_who_holds_it() {
    let world = World::new("--scenario small --seed 7 --latency-ms 150");
    let desk = Desk::at(&world);
    let approval = desk.plan("run");
    let line = apply_line("run", &approval);
    let mut first = desk.command(&line);
    let first = first
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("a write arrives", || world.writes() > 0);
    // Held still in the middle, however slow the others are.
    signal(&first, Signal::STOP);
    for again in [
        &line,
        "plan credits --out other.plan --run run",
        "audit credits --run run",
    ] {
        let pid = first.id().to_string();
        desk.call(again)
            .refuses(5, &["is being written by", "tester", &pid]);
    }
    // Looking is allowed.
    desk.call("status --run run").ends(3);
    signal(&first, Signal::CONT);
    let said = Said::from(first.wait_with_output().unwrap()).ends(0);
    let journal = desk.journal("run");
    let intents = journal.iter().filter(|record| record["kind"] == "intent").count();
    assert_eq!(world.writes(), intents as u64, "{said:?}");
    world.end_state();
}

#[test]
fn a_damaged_journal_stops_everything() {
    let (world, desk, approval) = planned();
    let name = "run/journal-000001.jsonl";
    let whole = fs::read(desk.path(name)).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let second = text.find('\n').unwrap() + 1;
    let lines = text.lines().count();
    assert!(lines > 4);
    for (at, bit) in [
        (20, 1),
        (second, 1),
        (second + 9, 4),
        (second + 40, 2),
        (second - 1, 32),
    ] {
        let mut bytes = whole.clone();
        bytes[at] ^= bit;
        desk.write(name, bytes);
        for line in [
            &apply_line("run", &approval),
            "journal verify run",
            "audit credits --run run",
        ] {
            let said = desk.call(line);
            said.refuses(5, &["journal-000001.jsonl", "line"]);
        }
    }
    // A line taken out, all others whole.
    let third = text.lines().nth(2).unwrap();
    let rest = text.replacen(&format!("{third}\n"), "", 1);
    desk.write(name, rest);
    desk.apply("run", &approval)
        .refuses(5, &["journal-000001.jsonl line 3"]);
    nothing_was_written(&world);
    desk.write(name, whole);
    desk.apply("run", &approval).ends(0);
}

#[test]
fn a_changed_plan_in_the_run_directory_stops_everything() {
    let (world, desk, approval) = planned();
    let stored = fs::read_dir(desk.path("run/plans")).unwrap();
    for file in stored.map(|entry| entry.unwrap().path()) {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, bytes).unwrap();
    }
    desk.apply("run", &approval).refuses(5, &["plan"]);
    nothing_was_written(&world);
}

#[test]
fn the_run_of_another_pair_of_accounts_is_refused() {
    let (world, desk, approval) = planned();
    let other = World::small(8);
    let elsewhere = Desk::at(&other);
    let run = desk.path("run");
    let line = format!("plan credits --out plan --run '{}'", run.display());
    elsewhere
        .call(&line)
        .refuses(5, &["is a run of", &world.source.id, &other.source.id]);
    fs::copy(desk.path("plan"), elsewhere.path("plan")).unwrap();
    // Its plan in a run of this pair.
    elsewhere.call("plan credits --out own.plan --run run").ends(3);
    elsewhere.apply("run", &approval).refuses(5, &["other accounts"]);
    nothing_was_written(&world);
    nothing_was_written(&other);
}

#[test]
fn the_run_of_a_newer_version_is_refused() {
    let (world, desk, approval) = planned();
    let header = desk.read("run/run.json");
    assert!(header.contains("\"format\": 1"), "{header}");
    desk.write("run/run.json", header.replace("\"format\": 1", "\"format\": 2"));
    for line in [
        &apply_line("run", &approval),
        "status --run run",
        "journal verify run",
    ] {
        desk.call(line).refuses(5, &["run.json", "format 2", "newer"]);
    }
    nothing_was_written(&world);
}

#[test]
fn a_port_in_use_is_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for line in [
        format!("simulate --source-port {port} --destination-port 0"),
        format!("simulate --source-port 0 --destination-port {port}"),
    ] {
        let said = finish(cutover().args(words(&line)));
        said.refuses(2, &[&port.to_string(), "choose another"]);
        assert_eq!(said.out, "");
    }
}

#[test]
fn a_malformed_scenario_is_named_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.toml");
    let good =
        "name = \"night\"\nabout = \"a night\"\nstarts_at = 2026-02-14T05:00:00Z\n\n[world]\nmovers = 3\n";
    for (bad, line) in [
        (good.replace("movers", "moovers"), "line 6"),
        (good.replace("movers = 3", "movers = -3"), "line 6"),
        (good.replace("[world]", "[world"), "line 5"),
        (format!("{good}\n[[fault]]\nkind = \"sabotage\"\n"), "line 9"),
    ] {
        fs::write(&file, bad).unwrap();
        for command in [
            "simulate --source-port 0 --destination-port 0",
            "rehearse --headless",
        ] {
            let line_of = words(&format!("{command} --scenario '{}'", file.display()));
            finish(cutover().args(line_of)).refuses(2, &["night.toml", line]);
        }
    }
}

#[test]
fn a_malformed_configuration_is_named_by_line_before_anything_is_asked() {
    let (world, desk, approval) = planned();
    let (config, gets) = (desk.read("cutover.toml"), world.gets());
    for (from, to, code, said) in [
        ("regions", "regoins", 2, "line 11"),
        ("[scope]", "[scope", 2, "line 10"),
        ("\"drain\"", "\"keep\"", 2, "line 13"),
        (
            world.destination.url.as_str(),
            "http://192.0.2.1",
            5,
            "unencrypted",
        ),
        (
            world.destination.url.as_str(),
            "ftp://127.0.0.1",
            2,
            "neither https nor http",
        ),
    ] {
        desk.configure(from, to);
        for line in [PLAN, "check", &apply_line("run", &approval)] {
            desk.call(line).refuses(code, &["cutover.toml", said]);
        }
        desk.write("cutover.toml", &config);
    }
    assert_eq!(world.gets(), gets);
    nothing_was_written(&world);
}

/// A customer who holds USD credit on the old account, and how much, as finance writes it.
fn somebody_with_credit(desk: &Desk) -> (String, String) {
    let rows = desk.rows("plan");
    let row = rows
        .iter()
        .find(|row| row["verdict"] == "planned" && row["money"]["currency"] == "usd")
        .unwrap();
    let cents = row["money"]["amount"].as_i64().unwrap();
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.abs();
    let amount = format!("{sign}{}.{:02}", cents / 100, cents % 100);
    (row["subject"].as_str().unwrap().to_owned(), amount)
}

#[test]
fn finances_list_may_come_from_a_spreadsheet_and_a_difference_blocks_its_row() {
    let (world, desk, _) = planned();
    let (customer, amount) = somebody_with_credit(&desk);
    desk.configure("[credits]", "[credits]\nexpected_balances = \"expected.csv\"");
    let list = |amount: &str| format!("\u{feff}customer,currency,amount\r\n{customer},USD,{amount}\r\n");
    let verdict = |run: &str| {
        let plan = desk.call(&format!("plan credits --out plan --run {run}"));
        assert!(matches!(plan.code, Some(0 | 3)), "{plan:?}");
        let rows = desk.rows("plan");
        let key = format!("{customer}/usd");
        let row = rows.iter().find(|row| row["key"] == key.as_str()).unwrap();
        row["verdict"].as_str().unwrap().to_owned()
    };
    desk.write("expected.csv", list(&amount));
    assert_eq!(verdict("agrees"), "planned");
    desk.write("expected.csv", list("987654.32"));
    assert_eq!(verdict("differs"), "blocked");
    nothing_was_written(&world);
}

#[test]
fn a_mistake_in_finances_list_is_named_by_file_and_line() {
    let (world, desk, _) = planned();
    let (customer, amount) = somebody_with_credit(&desk);
    desk.configure("[credits]", "[credits]\nexpected_balances = \"expected.csv\"");
    let good = format!("customer,currency,amount\r\n{customer},usd,{amount}\r\n");
    let list = |last: &[u8]| [good.as_bytes(), last].concat();
    for (bytes, code, said) in [
        (list(b"cus_\xff,usd,1.00\r\n"), 2, "line 3"),
        (
            list(b"cus_Nobody,usd,1.00\r\n"),
            2,
            "line 3, column `customer`: cus_Nobody",
        ),
        (
            list(format!("{customer},US$,1.00\r\n").as_bytes()),
            2,
            "line 3, column `currency`: `US$`",
        ),
        (
            list(format!("{customer},eur,1.005\r\n").as_bytes()),
            2,
            "line 3, column `amount`",
        ),
        (
            list(format!("{customer},jpy,1.5\r\n").as_bytes()),
            2,
            "line 3, column `amount`",
        ),
        (list(format!("{customer},usd,0.01\r\n").as_bytes()), 2, "line 2"),
        (b"who,currency,amount\n".to_vec(), 2, "customer"),
    ] {
        desk.write("expected.csv", bytes);
        let run = format!("plan credits --out other.plan --run {}", said.len());
        desk.call(&run).refuses(code, &["expected.csv", said]);
    }
    nothing_was_written(&world);
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

#[test]
fn the_keys_are_in_no_file_and_no_output_whatever_happens() {
    let (world, mut desk, approval) = planned();
    let keys = [
        world.source.key.clone(),
        world.source.read_only_key.clone(),
        world.destination.key.clone(),
        world.destination.read_only_key.clone(),
    ];
    let mut said = Vec::new();
    let mut call = |desk: &Desk, line: &str| {
        let mut command = desk.command(line);
        said.push(finish(
            command.env("CUTOVER_LOG", "trace").env("RUST_BACKTRACE", "full"),
        ));
    };
    let line = apply_line("run", &approval);
    call(&desk, "check");
    call(&desk, "check --json");
    call(&desk, &line.replace("--approve", "--note x --approve"));
    call(&desk, "audit credits --run run");
    call(&desk, "status --run run");
    desk.set_keys([&world.destination.key, &world.source.key]);
    call(&desk, PLAN);
    desk.set_keys([
        &world.source.read_only_key,
        &format!("{}x", world.destination.key),
    ]);
    call(&desk, PLAN);
    call(&desk, "check --json");
    for one in &said {
        for key in &keys {
            assert!(!one.out.contains(key) && !one.err.contains(key), "{one:?}");
        }
    }
    assert_eq!(said[2].code, Some(0), "{:?}", said[2]);
    let all = files(desk.folder.path());
    assert!(
        all.iter().any(|file| file.ends_with("trace.log")) && all.len() > 8,
        "{all:?}"
    );
    for file in all {
        let bytes = fs::read(&file).unwrap();
        for key in &keys {
            let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!found, "a key is in {}", file.display());
        }
    }
}
