//! `config.example.toml` says what the program does: every setting, its default, and which are required.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cutover::config::{Config, ConfigError, Need, SETTINGS, holds_key, parse};

const EXAMPLE: &str = include_str!("../config.example.toml");

/// A setting as it stands in the example.
#[derive(Debug)]
struct Shown<'a> {
    commented: bool,
    /// The comment above it.
    comment: String,
    line: &'a str,
}

/// Every setting the example shows, by `section.name`.
fn shown() -> BTreeMap<String, Shown<'static>> {
    let (mut found, mut section, mut comment) = (BTreeMap::new(), String::new(), String::new());
    for line in EXAMPLE.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some(name) = setting_name(bare) {
            let shown = Shown {
                commented: bare != line,
                comment: std::mem::take(&mut comment),
                line: bare,
            };
            found.insert(format!("{section}{name}"), shown);
        } else if line.is_empty() {
            comment.clear();
        } else {
            comment.push_str(bare);
        }
    }
    found
}

fn setting_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" = ")?;
    name.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        .then_some(name)
}

/// The example with the lines of these settings taken out of their comments, and only these if `alone`.
fn example_with(wanted: impl Fn(&Shown<'_>) -> bool, alone: bool) -> String {
    let shown = shown();
    let lines = EXAMPLE.lines().map(|line| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let setting = shown
            .values()
            .find(|shown| shown.line == bare && setting_name(bare).is_some());
        match setting {
            Some(setting) if wanted(setting) => bare,
            Some(_) if alone => "",
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_required(shown: &Shown<'_>) -> bool {
    shown.comment.starts_with("REQUIRED.")
}

fn read(text: &str) -> Result<Config, ConfigError> {
    parse(Path::new("cutover.toml"), text, &[], &[])
}

#[test]
fn the_example_shows_every_setting_and_no_other() {
    let shown: BTreeSet<String> = shown().into_keys().collect();
    let known: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.path.to_owned()).collect();
    assert_eq!(shown, known);
}

#[test]
fn every_setting_of_the_example_is_explained_and_marked_as_it_is() {
    let shown = shown();
    for setting in SETTINGS {
        let it = &shown[setting.path];
        assert!(it.comment.len() > 15, "{}: {:?}", setting.path, it.comment);
        assert_eq!(
            is_required(it),
            setting.need == Need::Required,
            "{}",
            setting.path
        );
        assert_eq!(
            it.commented,
            !matches!(setting.need, Need::Default(_)),
            "{}",
            setting.path
        );
    }
}

#[test]
fn the_example_with_its_required_lines_filled_in_equals_the_defaults() {
    let filled = read(&example_with(is_required, false)).unwrap();
    let defaults = read(&example_with(is_required, true)).unwrap();
    assert_eq!(filled, defaults);
}

#[test]
fn the_comparison_with_the_defaults_would_notice_a_difference() {
    let filled = example_with(is_required, false);
    for (from, to) in [
        ("max_in_flight = 32", "max_in_flight = 33"),
        ("dir = \"runs\"", "dir = \"run\""),
    ] {
        assert!(filled.contains(from), "{from}");
        assert_ne!(
            read(&filled.replacen(from, to, 1)).unwrap(),
            read(&filled).unwrap(),
            "{to}"
        );
    }
}

#[test]
fn the_example_as_it_is_names_everything_that_must_be_filled_in() {
    let Err(ConfigError::Missing { settings, .. }) = read(EXAMPLE) else {
        panic!("the example alone is not a configuration");
    };
    let required: Vec<_> = SETTINGS
        .iter()
        .filter(|s| s.need == Need::Required)
        .map(|s| s.path)
        .collect();
    assert_eq!(settings, required);
}

#[test]
fn the_example_with_every_line_in_force_is_valid_but_for_the_files_it_names() {
    let everything = example_with(|_| true, false);
    let without_lists: Vec<_> = everything
        .lines()
        .filter(|line| !line.contains("clude_file = "))
        .collect();
    let config = read(&without_lists.join("\n")).unwrap();
    assert!(config.source.write_key.is_some() && config.credits.expected_balances.is_some());
    assert!(matches!(
        read(&everything),
        Err(ConfigError::Wrong {
            setting: "scope.include_file",
            ..
        })
    ));
}

#[test]
fn the_example_holds_no_key() {
    assert!(!holds_key(EXAMPLE));
}
