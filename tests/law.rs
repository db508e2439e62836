//! The import law: which folder may use which, and what pure code never touches. Reads `src/` and enforces it.
//!
//! [`FOLDERS`] is the one table. The crate page (`src/lib.rs`) shows it, and a test keeps the two the same.

#![allow(
    clippy::needless_raw_string_hashes,
    clippy::needless_pass_by_value,
    clippy::match_same_arms,
    reason = "samples of code read better whole, and each arm of the table stands for itself"
)]

#[path = "law/code.rs"]
mod code;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use code::Token;

/// A folder (or file) directly below `src/`.
struct Folder {
    name: &'static str,
    /// Paths below the crate's root that it may use, besides itself.
    may: &'static [&'static str],
    /// What its code never mentions, besides what it may not use.
    never: &'static [&'static str],
}

const EVERYTHING: &[&str] = &["*"];
const SCREEN: &[&str] = &["ratatui", "crossterm"];
const SCREEN_AND_SERVER: &[&str] = &["ratatui", "crossterm", "axum"];

/// The law. Stages are slices, everything else is layers; I/O is at the rim.
const FOLDERS: [Folder; 16] = [
    Folder {
        name: "domain",
        may: &[],
        never: &["tokio", "reqwest", "ratatui", "crossterm", "axum", "std::env"],
    },
    Folder {
        name: "clock",
        may: &["domain::time"],
        never: SCREEN_AND_SERVER,
    },
    Folder {
        name: "config",
        may: &["domain"],
        never: &["tokio", "reqwest", "ratatui", "crossterm", "axum"],
    },
    Folder {
        name: "cli",
        may: &["domain", "config", "stages"],
        never: SCREEN_AND_SERVER,
    },
    Folder {
        name: "telemetry",
        may: &["domain", "config"],
        never: SCREEN_AND_SERVER,
    },
    Folder {
        name: "stripe",
        may: &["domain", "clock"],
        never: SCREEN_AND_SERVER,
    },
    Folder {
        name: "appdb",
        may: &["domain", "clock"],
        never: &["ratatui", "crossterm", "axum", "reqwest"],
    },
    Folder {
        name: "rehearsal",
        may: &["clock", "domain::time"],
        never: &["ratatui", "crossterm", "reqwest"],
    },
    Folder {
        name: "router",
        may: &["domain", "appdb", "clock"],
        never: SCREEN,
    },
    Folder {
        name: "reports",
        may: &["domain"],
        never: SCREEN_AND_SERVER,
    },
    Folder {
        name: "stages",
        may: &["domain", "stripe", "appdb", "clock"],
        never: &["ratatui", "crossterm", "axum", "reqwest"],
    },
    Folder {
        name: "engine",
        may: &["domain", "stages", "stripe", "appdb", "clock"],
        never: SCREEN_AND_SERVER,
    },
    Folder {
        name: "tui",
        may: &["domain", "stages", "engine", "clock"],
        never: &["reqwest", "axum", "sqlx", "std::net"],
    },
    Folder {
        name: "app",
        may: EVERYTHING,
        never: &[],
    },
    Folder {
        name: "lib",
        may: EVERYTHING,
        never: &[],
    },
    Folder {
        name: "main",
        may: EVERYTHING,
        never: &[],
    },
];

/// Files that decide and never act: a `*` stands for one name, a `**` for everything below.
const PURE: [&str; 57] = [
    "domain/**",
    "stages/*/plan.rs",
    "stages/*/plan/**",
    "stages/*/apply.rs",
    "stages/*/script.rs",
    "stages/*/script/**",
    "stages/*/undo.rs",
    "stages/*/panel.rs",
    "stages/*/expected.rs",
    "stages/*/verify.rs",
    "stages/*/worklist.rs",
    "stages/mapping/file.rs",
    "stages/mapping/file/**",
    "stages/subscriptions/toolkit/**",
    "stages/coupons/attest.rs",
    "stages/coupons/audit.rs",
    "stages/coupons/carried.rs",
    "stages/coupons/collide.rs",
    "stages/coupons/drift.rs",
    "stages/coupons/fields.rs",
    "stages/coupons/left.rs",
    "stages/coupons/read.rs",
    "stages/coupons/running.rs",
    "stages/coupons/terms.rs",
    "stages/coupons/who.rs",
    "stages/subscriptions/attest.rs",
    "stages/subscriptions/audit.rs",
    "stages/subscriptions/drift.rs",
    "stages/subscriptions/effects.rs",
    "stages/subscriptions/read.rs",
    "stages/subscriptions/read/**",
    "stages/subscriptions/preview.rs",
    "stages/subscriptions/amount.rs",
    "stages/subscriptions/calendar.rs",
    "stages/subscriptions/classes.rs",
    "stages/subscriptions/file.rs",
    "stages/subscriptions/handover.rs",
    "stages/subscriptions/support.rs",
    "stages/subscriptions/terms.rs",
    "stages/subscriptions/terms/**",
    "stages/subscriptions/same.rs",
    "stages/subscriptions/seen.rs",
    "stripe/allow/**",
    "stages/subscriptions/online.rs",
    "stages/subscriptions/gather/assemble.rs",
    "appdb/decide.rs",
    "appdb/sqlfile/**",
    "stripe/form.rs",
    "stripe/retry.rs",
    "engine/machine.rs",
    "engine/machine/**",
    "engine/protocol.rs",
    "engine/state/**",
    "engine/undoing.rs",
    "tui/update.rs",
    "reports/**",
    "rehearsal/billing/**",
];
/// What pure files never mention: time is passed in, and so is everything that was read.
const IMPURE: [&str; 10] = [
    "clock::Clock",
    "tokio",
    "reqwest",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "Utc::now",
    "Instant::now",
    "SystemTime",
];

/// The only files outside `src/stripe` that may hold what sends writes.
const WRITER_FILES: [&str; 4] = ["engine/writer.rs", "engine/writer/**", "app.rs", "app/**"];
/// A longer file is two files.
const MOST_LINES: usize = 600;

/// A file below `src/`, by its path from there.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn top(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn module(&self) -> Vec<String> {
        let path = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let path = path.strip_suffix("/mod").unwrap_or(path);
        path.split('/')
            .filter(|part| *part != "lib")
            .map(str::to_owned)
            .collect()
    }

    /// The modules it declares for tests alone, in full.
    fn test_modules(&self) -> Vec<Vec<String>> {
        let below = |name| self.module().into_iter().chain([name]).collect();
        code::test_modules(&self.text).into_iter().map(below).collect()
    }

    /// The stage it belongs to.
    fn stage(&self) -> Option<&str> {
        let (stage, _) = self.path.strip_prefix("stages/")?.split_once('/')?;
        Some(stage)
    }

    /// Whether it may hold what sends writes to an account.
    fn may_send(&self) -> bool {
        self.top() == "stripe" || self.is_one_of(&WRITER_FILES)
    }

    /// Whether it may hold what changes rows of the application's database.
    fn may_change_rows(&self) -> bool {
        ["appdb", "engine", "app"].contains(&self.top())
    }

    /// Test code may use what it likes: it is not in the program.
    fn is_test(&self) -> bool {
        let mut folders: Vec<&str> = self.path.split('/').collect();
        let name = folders.pop().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || folders.contains(&"tests")
    }

    fn is_one_of(&self, patterns: &[&str]) -> bool {
        patterns.iter().any(|pattern| fits(pattern, &self.path))
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
}

/// Every breach of the law in `sources`, one sentence each.
fn breaches(sources: &[Source]) -> Vec<String> {
    let stages: BTreeSet<&str> = sources.iter().filter_map(Source::stage).collect();
    let tests: Vec<Vec<String>> = sources.iter().flat_map(Source::test_modules).collect();
    let is_test =
        |source: &Source| source.is_test() || tests.iter().any(|test| source.module().starts_with(test));
    sources
        .iter()
        .flat_map(|source| breaches_of(source, &stages, is_test(source)))
        .collect()
}

fn breaches_of(source: &Source, stages: &BTreeSet<&str>, is_test: bool) -> Vec<String> {
    let lines = source.text.lines().count();
    let mut found = Vec::new();
    if lines > MOST_LINES {
        found.push(format!(
            "src/{}: {lines} lines; split it, {MOST_LINES} is the most",
            source.path
        ));
    }
    if is_test {
        return found;
    }
    let tokens = code::tokens(&source.text);
    let Some(folder) = FOLDERS.iter().find(|folder| folder.name == source.top()) else {
        found.push(format!(
            "src/{}: `{}` is not in the import law",
            source.path,
            source.top()
        ));
        return found;
    };
    for (path, line) in code::paths(&tokens, &source.module()) {
        if let Some(why) = forbidden(source, folder, stages, &path) {
            found.push(format!(
                "src/{}:{line}: `crate::{}` {why}",
                source.path,
                path.join("::")
            ));
        }
    }
    found.extend(words(source, "is not for this folder", folder.never, &tokens));
    found.extend(words(
        source,
        "can fail without a word; return an error",
        &[".unwrap()"],
        &tokens,
    ));
    if source.is_one_of(&PURE) {
        found.extend(words(source, "does not belong in a pure file", &IMPURE, &tokens));
    }
    if !source.may_send() {
        found.extend(words(source, SENDS, &["stripe::Writer"], &tokens));
    }
    found.sort();
    found.dedup();
    found
}

fn words(source: &Source, why: &str, never: &[&str], tokens: &[Token]) -> Vec<String> {
    let lines = |word: &&str| code::mentions(tokens, word);
    let all = never
        .iter()
        .flat_map(|word| lines(word).into_iter().map(move |line| (word, line)));
    all.map(|(word, line)| format!("src/{}:{line}: `{word}` {why}", source.path))
        .collect()
}

const SENDS: &str = "sends writes, which only the engine's writer does";

/// Why `path`, from the crate's root, may not be used in `source`.
fn forbidden(
    source: &Source,
    folder: &Folder,
    stages: &BTreeSet<&str>,
    path: &[String],
) -> Option<&'static str> {
    let top = path.first()?;
    if top == "stripe" && path.last().is_some_and(|last| last == "Writer") && !source.may_send() {
        return Some(SENDS);
    }
    if top == "appdb" && path.last().is_some_and(|last| last == "Writer") && !source.may_change_rows() {
        return Some(SENDS);
    }
    if top == folder.name {
        let used = path
            .get(1)
            .map(String::as_str)
            .filter(|name| stages.contains(name));
        let other = top == "stages" && source.stage().is_some() && used.is_some() && used != source.stage();
        return other.then_some("is another stage; what both need belongs in `domain`");
    }
    // A type or function of the crate's root, or a module within the file: no folder, no law.
    FOLDERS.iter().find(|known| known.name == top)?;
    let allowed = folder.may == EVERYTHING || folder.may.iter().any(|allowed| begins(path, allowed));
    (!allowed).then_some("is not for this folder")
}

/// Whether `path` begins with the whole names of `allowed`.
fn begins(path: &[String], allowed: &str) -> bool {
    allowed
        .split("::")
        .zip(path)
        .filter(|(wanted, part)| wanted == part)
        .count()
        == allowed.split("::").count()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

fn sources() -> Vec<Source> {
    let base = root().join("src");
    let mut files = Vec::new();
    files_below(&base, &mut files);
    let source = |path: PathBuf| Source {
        path: path
            .strip_prefix(&base)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned(),
        text: std::fs::read_to_string(&path).unwrap_or_default(),
    };
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(source)
        .collect()
}

fn one(path: &str, text: &str) -> Vec<String> {
    breaches(&[Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }])
}

#[test]
fn the_source_keeps_the_law() {
    let sources = sources();
    assert!(sources.len() > 10, "src/ was not found");
    let found = breaches(&sources);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_crate_page_shows_the_law_as_it_is_enforced() {
    let page = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let quoted = |names: &[&str]| {
        let all: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        if all.is_empty() {
            "nothing".to_owned()
        } else {
            all.join(", ")
        }
    };
    let rows = FOLDERS.iter().filter(|folder| folder.may != EVERYTHING);
    let rows = rows.map(|folder| {
        format!(
            "//! | `{}` | {} | {} |",
            folder.name,
            quoted(folder.may),
            quoted(folder.never)
        )
    });
    let missing: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
    assert!(
        missing.is_empty(),
        "src/lib.rs lacks these rows of the import law:\n{}",
        missing.join("\n")
    );
}

#[test]
fn a_use_of_a_folder_that_is_not_allowed_is_found_in_every_spelling() {
    for text in [
        "use crate::engine::command::Command;",
        "use crate::{domain::ids, engine};",
        "use crate::{\n    domain::{ids, money},\n    engine::{state::{RunState}},\n};",
        "fn f() { crate::engine::start() }",
        "use super::super::engine::state;",
        "pub use super::super::{engine as machine};",
    ] {
        let found = one("stripe/page.rs", text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains("`crate::engine"), "{found:?}");
    }
    let found = one(
        "clock.rs",
        "use super::stripe;\nuse crate::domain::time::UtcMs;\nuse crate::domain::timer;\n",
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("src/clock.rs:1: `crate::stripe`"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("src/clock.rs:3: `crate::domain::timer`"),
        "{found:?}"
    );
}

#[test]
fn the_simulator_shares_no_type_with_the_client() {
    for text in [
        "use crate::domain::money::Money;",
        "use crate::stripe::wire::Customer;",
        "use reqwest::Client;",
    ] {
        assert_eq!(one("rehearsal/world.rs", text).len(), 1, "{text}");
    }
    assert_eq!(
        one(
            "rehearsal/world.rs",
            "use crate::clock::Clock;\nuse crate::domain::time::UtcMs;"
        ),
        [""; 0]
    );
}

#[test]
fn only_the_engines_writer_holds_what_sends_writes() {
    let text = "use crate::stripe::{Reader, Writer};";
    for path in [
        "stages/credits/gather.rs",
        "engine/driver.rs",
        "engine/writers.rs",
    ] {
        assert!(
            one(path, text)
                .iter()
                .any(|breach| breach.contains("sends writes")),
            "{path}"
        );
    }
    for path in ["engine/writer.rs", "engine/writer/lane.rs", "app.rs"] {
        assert_eq!(one(path, text), [""; 0], "{path}");
    }
}

#[test]
fn only_the_engine_holds_what_changes_rows_of_a_database() {
    let text = "use crate::appdb::{Reader, Writer};";
    for path in ["stages/mapping/gather.rs", "router/queue.rs"] {
        let breaches = one(path, text);
        assert!(
            breaches.iter().any(|breach| breach.contains("sends writes")),
            "{path}"
        );
    }
    for path in [
        "engine/writer.rs",
        "engine/driver/undo.rs",
        "app/undo.rs",
        "appdb/check.rs",
    ] {
        assert_eq!(one(path, text), [""; 0], "{path}");
    }
}

#[test]
fn a_stage_never_uses_another_stage() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let text = "use super::super::coupons::plan;\nuse crate::stages::Stage;\nuse super::facts;";
    let two = [
        source("stages/credits/audit.rs", text),
        source("stages/coupons/mod.rs", ""),
    ];
    let found = breaches(&two);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("another stage"), "{found:?}");
    assert_eq!(
        one("stages/mod.rs", "pub use crate::stages::credits::Credits;"),
        [""; 0]
    );
}

#[test]
fn pure_files_never_act() {
    for path in [
        "domain/plan/mod.rs",
        "stages/credits/plan.rs",
        "stages/credits/plan/rows.rs",
        "stripe/retry.rs",
        "tui/update.rs",
    ] {
        for text in [
            "use std::fs::File;",
            "fn f() { chrono::Utc::now(); }",
            "use tokio::sync::mpsc;",
            "std :: fs::read(x)",
        ] {
            assert!(!one(path, text).is_empty(), "{path}: {text}");
        }
    }
    assert_eq!(one("stages/credits/gather.rs", "use tokio::sync::mpsc;"), [""; 0]);
}

#[test]
fn unwrap_is_found_and_its_careful_relatives_are_not() {
    assert_eq!(
        one("engine/driver.rs", "fn f() {\n    x\n        .unwrap();\n}").len(),
        1
    );
    assert_eq!(
        one(
            "engine/driver.rs",
            "fn f() { x.unwrap_or(1); unwrap(); y.unwrap_or_default() }"
        ),
        [""; 0]
    );
}

#[test]
fn comments_strings_and_test_code_are_not_the_program() {
    let text = r####"
        //! See [`crate::tui`].
        /* use crate::tui; /* nested */ use crate::tui; */
        const A: &str = "use crate::tui; x.unwrap()";
        const B: &str = r#"use crate::tui; " x.unwrap()"#;
        const C: (char, char, &'static str) = ('"', '\'', "\" use crate::tui;");
        #[cfg(test)]
        use crate::tui::view;
        #[cfg(test)]
        #[path = "x_tests.rs"]
        mod tests;
        #[cfg(test)]
        mod more { fn f() { if true { crate::tui::draw().unwrap(); } } }
    "####;
    assert_eq!(one("engine/driver.rs", text), [""; 0]);
    let after = format!("{text}\nuse crate::tui::model;");
    assert_eq!(one("engine/driver.rs", &after).len(), 1);
    assert_eq!(one("engine/driver_tests.rs", "use crate::tui;"), [""; 0]);
    assert_eq!(one("engine/tests/sim.rs", "use crate::tui;"), [""; 0]);
    let sim = ["engine/journal/sim.rs", "engine/journal/sim/files.rs"];
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let mut sources: Vec<_> = sim.map(|path| source(path, "fn f() { x.unwrap() }")).into();
    assert_eq!(breaches(&sources).len(), 2);
    sources.push(source(
        "engine/journal/mod.rs",
        "#[cfg(test)]\n#[allow(dead_code)]\npub(crate) mod sim;\nmod writer;",
    ));
    assert_eq!(breaches(&sources), [""; 0]);
}

#[test]
fn long_files_and_unknown_folders_are_named() {
    let long = "//\n".repeat(MOST_LINES + 1);
    assert!(one("engine/tests.rs", &long)[0].contains("601 lines"));
    assert!(one("helpers/mod.rs", "")[0].contains("`helpers` is not in the import law"));
}

#[test]
fn nothing_in_the_repository_speaks_of_where_it_was_written() {
    // Homes of people, and folders beside the checkout.
    const PRIVATE: [&str; 3] = ["/Users/", concat!("/ro", "ot/"), concat!("/wo", "rk/")];
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "assets", ".ci"] {
        files_below(&root().join(folder), &mut files);
    }
    for file in [
        "README.md",
        "Cargo.toml",
        "config.example.toml",
        "deny.toml",
        "clippy.toml",
    ] {
        files.push(root().join(file));
    }
    let own = root().join("tests/law.rs");
    for path in files.iter().filter(|path| **path != own) {
        let bytes = std::fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let word = PRIVATE.iter().find(|word| text.contains(**word));
        assert_eq!(word, None, "{}", path.display());
    }
}
