//! `cutover lint-csv` from outside: exit codes, halves on the disk, JSON, and what is refused.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

const HEADER: &str = "customer,start_date,price,metadata.old_Stripe_sub_id,metadata_source\n";
const GOOD: &str = "cus_A,1704067200,price_A,sub_A,internal:Stripe\n";
const BAD: &str = "cus_B,2024-01-01,price_A,sub_B,internal:Stripe\r\n";
const NOW: &str = "1703548800";

struct Place(tempfile::TempDir);

/// How the process ended, and what it said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new(content: impl AsRef<[u8]>) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("in.csv"), content).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command
            .arg("lint-csv")
            .args(args.split_whitespace())
            .args(["--now", NOW])
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn call(&self, args: &str) -> Said {
        let output = self.command(args).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_clean_file_ends_with_0_and_one_with_rejected_rows_with_4() {
    let place = Place::new(format!("{HEADER}{GOOD}"));
    let said = place.call("in.csv");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("1 rows, 1 accepted, 0 rejected") && said.err.is_empty());
    let place = Place::new(format!("{HEADER}{GOOD}{BAD}"));
    let said = place.call("in.csv");
    assert_eq!(said.code, 4);
    assert!(
        said.out.contains("in.csv:3:start_date: 2024-01-01"),
        "{}",
        said.out
    );
    assert!(said.out.contains("first go-live 2024-01-01 00:00:00 UTC"));
}

#[test]
fn both_halves_are_private_files_that_are_the_input_together() {
    let place = Place::new(format!("{HEADER}{GOOD}{BAD}"));
    let said = place.call("in.csv --accepted ok.csv --errors bad.csv --json");
    assert_eq!(said.code, 4);
    assert_eq!(place.read("ok.csv"), format!("{HEADER}{GOOD}"));
    let errors = place.read("bad.csv");
    let (header, row) = errors.split_once('\n').unwrap();
    assert_eq!(header, format!("{},processing_error", HEADER.trim_end()));
    let cell = row.strip_prefix(BAD.trim_end()).unwrap();
    assert!(
        cell.starts_with(",\"start_date `2024-01-01`: time_as_date: ") && cell.ends_with("\"\r\n"),
        "{cell}"
    );
    for name in ["ok.csv", "bad.csv"] {
        assert_eq!(
            fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(place.names(), ["bad.csv", "in.csv", "ok.csv"]);
    // Corrected and given back, over the halves of the first time.
    fs::write(place.path("in.csv"), errors.replace("2024-01-01,", "1704067200,")).unwrap();
    let said = place.call("in.csv --accepted ok.csv --errors bad.csv");
    assert_eq!(said.code, 0, "{}", said.out);
    assert_eq!(place.read("bad.csv").lines().count(), 1);
}

#[test]
fn the_json_has_counts_findings_and_the_summary() {
    let place = Place::new(format!("{HEADER}{GOOD}{BAD}"));
    let said = place.call("in.csv --json --mode sandbox");
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&json["rows"], &json["accepted"], &json["rejected"]),
        (&2.into(), &1.into(), &1.into())
    );
    let error = &json["errors"][0];
    assert_eq!((&error["row"], &error["line"]), (&2.into(), &3.into()));
    assert_eq!(error["column"], "start_date");
    assert_eq!(error["value"], "2024-01-01");
    assert_eq!(error["rule"], "time_as_date");
    assert!(error["message"].as_str().unwrap().contains("seconds since 1970"));
    assert_eq!(json["warnings"], Value::Array(Vec::new()));
    let summary = &json["summary"];
    assert_eq!(
        (&summary["subscriptions"], &summary["customers"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&summary["date"], &summary["file"]),
        (&"2023-12-26".into(), &"in.csv".into())
    );
    assert_eq!(summary["first_go_live"], 1_704_067_200);
    assert_eq!(json["mode"], "sandbox");
}

#[test]
fn standard_input_is_a_file_too() {
    let place = Place::new("");
    let mut child = place
        .command("- --json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(format!("{HEADER}{GOOD}").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["accepted"], 1);
}

#[test]
fn a_file_that_is_refused_leaves_nothing_behind() {
    for content in [
        "",
        HEADER,
        "\u{1f}\u{8b}",
        "customer;start_date\na;b\n",
        "PK\u{3}\u{4}",
    ] {
        let place = Place::new(content);
        let said = place.call("in.csv --accepted ok.csv --errors bad.csv");
        assert_eq!(said.code, 2, "{content:?}: {}", said.err);
        assert!(
            said.err.starts_with("cutover: in.csv ") && said.err.lines().count() == 1,
            "{}",
            said.err
        );
        assert_eq!(place.names(), ["in.csv"]);
    }
    let place = Place::new("");
    assert_eq!(place.call("nowhere.csv").code, 2);
}

#[test]
fn the_input_is_not_overwritten_and_the_halves_are_two_files() {
    let place = Place::new(format!("{HEADER}{GOOD}"));
    for args in [
        "in.csv --accepted in.csv",
        "in.csv --errors ./in.csv",
        "in.csv --accepted a.csv --errors ./a.csv",
        "in.csv --accepted .",
        "in.csv --accepted no/such/place.csv",
    ] {
        let said = place.call(args);
        assert_eq!(said.code, 2, "{args}: {}", said.err);
    }
    assert_eq!(place.names(), ["in.csv"]);
    assert_eq!(place.read("in.csv"), format!("{HEADER}{GOOD}"));
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_read() {
    let place = Place::new("");
    let file = fs::File::options()
        .write(true)
        .open(place.path("in.csv"))
        .unwrap();
    file.set_len(120_000_001).unwrap();
    let said = place.call("in.csv");
    assert!(said.code == 2 && said.err.contains("120 MB"), "{}", said.err);
}
