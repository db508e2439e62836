//! The program from outside: what it says, where it says it, and how it ends. Nothing here needs an account.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]

#[cfg(test)]
mod support;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use support::Said;

/// A configuration that is right in itself; the keys it names do not exist.
const CONFIG: &str = r#"
mode = "test"
[source]
account = "acct_1Old"
api_base = "http://127.0.0.1:9"
key = { env = "OLD_KEY" }
[destination]
account = "acct_1New"
api_base = "http://127.0.0.1:9"
key = { env = "NEW_KEY" }
[scope]
regions = ["us"]
[credits]
source_after = "drain"
"#;

/// The program in that folder.
fn cutover(folder: &Path) -> Command {
    let mut command = support::cutover();
    command.current_dir(folder);
    command
}

fn call(folder: &Path, arguments: &str) -> Said {
    support::finish(cutover(folder).args(support::words(arguments)))
}

/// One sentence on standard error, nothing on standard output, and this exit code.
fn complains(said: &Said, code: i32, words: &[&str]) {
    said.refuses(code, words);
    assert_eq!(said.out, "");
}

/// An empty folder, or one with this configuration in it.
fn folder(config: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap_or_else(|error| unreachable!("no temporary folder: {error}"));
    if let Some(config) = config {
        let written = fs::write(folder.path().join("cutover.toml"), config);
        assert!(written.is_ok(), "{written:?}");
    }
    folder
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn without_arguments_it_says_what_to_type_first() {
    let folder = folder(None);
    let said = call(folder.path(), "");
    assert_eq!(said.code, Some(2));
    let first = said.out.find("cutover rehearse").unwrap();
    let then = said.out.find("cutover run").unwrap();
    assert!(first < then && said.err.is_empty(), "{}", said.out);
}

#[test]
fn every_command_explains_itself_with_the_exit_codes() {
    let folder = folder(None);
    for command in [
        "",
        "rehearse",
        "run",
        "plan",
        "apply",
        "audit",
        "status",
        "check",
        "simulate",
        "journal verify",
        "copy-list",
        "mapping lint",
        "sql",
        "undo",
    ] {
        let said = call(folder.path(), &format!("{command} --help"));
        assert_eq!(said.code, Some(0), "{command}");
        assert!(
            said.out.contains("5  refused for safety"),
            "{command}: {}",
            said.out
        );
    }
}

#[test]
fn mistakes_on_the_command_line_end_with_two() {
    let folder = folder(None);
    for line in [
        "rehears",
        "plan",
        "plan invoices --out p",
        "apply credits --plan p",
        "rehearse --json",
        "rehearse --speed 0",
    ] {
        let said = call(folder.path(), line);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{line}");
        assert!(said.err.starts_with("error:"), "{line}: {}", said.err);
    }
}

#[test]
fn a_key_on_the_command_line_is_refused_and_not_repeated() {
    let folder = folder(Some(CONFIG));
    let said = call(folder.path(), "check --set source.name=sk_live_4eC39HqLyjWDarjt");
    complains(&said, 5, &["key", "command line", "environment variable"]);
    assert!(!said.err.contains("4eC39"), "{}", said.err);
}

#[test]
fn completions_are_printed_for_the_shell() {
    let folder = folder(None);
    for shell in ["bash", "zsh", "fish"] {
        let said = call(folder.path(), &format!("completions {shell}"));
        assert_eq!(said.code, Some(0), "{shell}");
        assert!(
            said.out.contains("rehearse") && said.out.contains("reissue-after-probe"),
            "{shell}"
        );
    }
}

#[test]
fn a_missing_configuration_is_one_sentence_and_leaves_nothing_behind() {
    let folder = folder(None);
    for line in [
        "check",
        "run",
        "plan credits --out p.json",
        "check --json",
        "audit credits --json",
        "copy-list --out list.csv",
        "sql --plan p.json --out sql",
    ] {
        complains(
            &call(folder.path(), line),
            2,
            &["cutover.toml", "config.example.toml"],
        );
    }
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn a_mistake_in_the_configuration_is_named_by_line_and_ends_with_two() {
    let cases = [
        (
            CONFIG.replace("regions", "region"),
            "cutover.toml, line 12, column 1",
        ),
        (
            CONFIG.replace("\"drain\"", "\"keep\""),
            "`credits.source_after` must be one of: drain, leave",
        ),
        (CONFIG.replace("mode = \"test\"", ""), "`mode` must be set"),
        (CONFIG.replace("[scope]", "[scope"), "cutover.toml, line 11"),
    ];
    for (config, said) in cases {
        let folder = folder(Some(&config));
        complains(&call(folder.path(), "check"), 2, &[said]);
        assert_eq!(names_in(folder.path()), ["cutover.toml"]);
    }
}

#[test]
fn what_is_unsafe_in_the_configuration_ends_with_five() {
    let cases = [
        (
            CONFIG.replace("acct_1New", "acct_1Old"),
            "a move needs two accounts",
        ),
        (
            CONFIG.replacen("http://127.0.0.1:9", "http://stripe.example", 1),
            "unencrypted",
        ),
        (
            CONFIG.replace("[scope]", "# sk_live_4eC39HqLyjWDarjt\n[scope]"),
            "line 11",
        ),
    ];
    for (config, said) in cases {
        let folder = folder(Some(&config));
        for line in ["check", "run", "plan credits --out p.json"] {
            complains(&call(folder.path(), line), 5, &["cutover.toml", said]);
        }
        assert_eq!(names_in(folder.path()), ["cutover.toml"]);
    }
}

#[test]
fn a_key_that_cannot_be_had_or_must_not_be_used_is_named_by_its_source() {
    let folder = folder(Some(CONFIG));
    complains(
        &call(folder.path(), "check"),
        2,
        &["source account", "OLD_KEY", "not set"],
    );
    let with_keys = |old: &str, new: &str| {
        let mut check = cutover(folder.path());
        support::finish(check.arg("check").env("OLD_KEY", old).env("NEW_KEY", new))
    };
    let old = "rk_test_oldoldoldold";
    complains(
        &with_keys(old, "rk_live_newnewnewnew"),
        5,
        &["destination account", "NEW_KEY", "live key"],
    );
    complains(
        &with_keys("pk_test_oldoldoldold", "rk_test_newnewnewnew"),
        5,
        &["OLD_KEY", "publishable"],
    );
    complains(&with_keys(old, old), 5, &["both accounts have the same key"]);
    let file = CONFIG.replace("{ env = \"OLD_KEY\" }", "{ file = \"old.key\" }");
    fs::write(folder.path().join("cutover.toml"), file).unwrap();
    let key = folder.path().join("old.key");
    fs::write(&key, old).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    complains(&call(folder.path(), "check"), 5, &["old.key", "chmod 600"]);
}

#[test]
fn a_directory_that_is_no_run_is_one_sentence() {
    let folder = folder(None);
    fs::create_dir(folder.path().join("empty")).unwrap();
    for line in [
        "journal verify nowhere",
        "journal verify empty",
        "status --run nowhere",
        "status",
    ] {
        let said = call(folder.path(), line);
        assert!(said.code.is_some_and(|code| code != 0), "{line}");
        assert_eq!(said.err.trim_end().lines().count(), 1, "{line}: {}", said.err);
    }
}

#[test]
fn an_unknown_scenario_is_one_sentence() {
    let folder = folder(None);
    for line in [
        "rehearse --headless --scenario nowhere",
        "simulate --scenario nowhere",
    ] {
        complains(&call(folder.path(), line), 2, &["nowhere"]);
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_no_panic() {
    let folder = folder(None);
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let said = support::finish(cutover(folder.path()).stdout(full));
    assert!(
        said.code.is_some() && !said.err.contains("mistake of its own"),
        "{}",
        said.err
    );
}
