use clap::CommandFactory as _;

use super::*;

fn parsed(line: &str) -> Result<Cli, Unusable> {
    parse(
        std::iter::once("cutover")
            .chain(line.split_whitespace())
            .map(OsString::from),
    )
}

fn mistake(line: &str) -> String {
    match parsed(line) {
        Err(Unusable::Clap(error)) => error.to_string(),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_rehearsal_needs_no_argument_and_has_documented_defaults() {
    let Ok(Cli {
        command: Some(Command::Rehearse(it)),
    }) = parsed("rehearse")
    else {
        panic!("not a rehearsal")
    };
    assert_eq!((it.world.seed, it.speed, it.headless), (7, 20, false));
    assert_eq!(
        (it.world.scenario.as_str(), it.world.customers),
        ("midnight", None)
    );
}

#[test]
fn an_apply_takes_the_whole_digest_and_the_phrase() {
    let digest = "ab".repeat(32);
    let words = [
        "cutover",
        "apply",
        "credits",
        "--plan",
        "p.json",
        "--approve",
        &digest,
        "--confirm",
        "3 acct_1New",
    ];
    let Ok(Cli {
        command: Some(Command::Apply(it)),
    }) = parse(words.map(OsString::from))
    else {
        panic!("not an apply")
    };
    assert_eq!(it.approve.hex(), digest);
    assert_eq!(it.confirm, "3 acct_1New");
    let short = mistake("apply credits --plan p --approve 7f3a-91c2 --confirm x");
    assert!(short.contains("64 hex digits"), "{short}");
}

#[test]
fn an_apply_without_digest_or_phrase_is_a_mistake() {
    for line in [
        "apply credits --plan p --confirm x",
        "apply credits --plan p --approve aa",
    ] {
        assert!(parsed(line).is_err(), "{line}");
    }
}

#[test]
fn a_stage_that_does_not_exist_is_answered_with_those_that_do() {
    let said = mistake("plan credit --out p");
    assert!(said.contains("credits"), "{said}");
}

#[test]
fn every_command_without_a_screen_takes_json() {
    let digest = "ab".repeat(32);
    for line in [
        "rehearse --headless --json",
        "plan credits --out p --json",
        &format!("apply credits --plan p --approve {digest} --confirm x --json"),
        "audit credits --json",
        "status --json",
        "check --json",
        "simulate --json",
        "journal verify d --json",
        "copy-list --out list.csv --wave a --wave b --late --json",
        "mapping lint a.csv b.csv --json",
        "lint-csv a.csv --now 1704067200 --mode sandbox --accepted b --errors c --json",
        "sql --plan p --out d --kind mysql --json",
        "undo mapping --run d --confirm 3_rows --json",
    ] {
        assert!(parsed(line).is_ok(), "{line}");
    }
    assert!(mistake("rehearse --json").contains("--headless"));
}

#[test]
fn the_commands_around_the_copy_want_what_they_cannot_do_without() {
    for (line, missing) in [
        ("copy-list", "--out"),
        ("mapping lint", "<FILE>"),
        ("sql --plan p", "--out"),
        ("sql --out d", "--plan"),
        ("undo mapping --confirm x", "--run"),
        ("undo mapping --run d", "--confirm"),
    ] {
        assert!(mistake(line).contains(missing), "{line}");
    }
    assert!(mistake("sql --plan p --out d --kind oracle").contains("postgres, mysql, sqlite"));
}

#[test]
fn a_key_on_the_command_line_is_refused_and_not_repeated() {
    for line in [
        "run --set source.key=sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "rk_test_4eC39HqLyjWDarjtT1zdp7dc",
    ] {
        assert!(matches!(parsed(line), Err(Unusable::Key)), "{line}");
    }
    assert!(!KEY_ON_COMMAND_LINE.contains("4eC39"));
}

#[test]
fn every_help_text_of_a_command_that_works_names_the_exit_codes() {
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands_mut() {
        let name = command.get_name().to_owned();
        if ["journal", "completions", "help"].contains(&name.as_str()) {
            continue;
        }
        let help = command.render_long_help().to_string();
        assert!(help.contains("Exit codes:"), "{name}");
    }
    assert!(root.render_help().to_string().contains("5  refused for safety"));
}
