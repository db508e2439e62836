//! `cutover copy-list`: whom the Dashboard's copy is to copy, read from both accounts with GETs only.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::failure::Failure;
use super::out;
use super::real::{self, Real};
use super::session;
use crate::cli::{self, Exit};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::stages::mapping::copy_list::{self, CopyList};
use crate::stages::{Keep, Reading, Settings, Watch};

/// No run is under way, so there is no snapshot to keep lines in and no screen to tell.
struct Nobody;

impl Keep for Nobody {
    fn keep(&self, _line: &serde_json::value::RawValue) -> Result<(), String> {
        Ok(())
    }
}

impl Watch for Nobody {
    fn progress(&self, _what: &str, _done: u64, _total: Option<u64>) {}

    fn preview(&self, _rows: Vec<Arc<Change>>) {}
}

/// What is said about the list.
#[derive(Serialize)]
struct Report<'a> {
    exit: u8,
    /// Where it was written; nothing is written where nobody is to be copied.
    file: Option<String>,
    digest: String,
    scope: String,
    late_only: bool,
    customers: usize,
    methods: &'a BTreeMap<String, u64>,
    without_method: u64,
    there_already: u64,
    out_of_scope: &'a BTreeMap<String, u64>,
    gets: BTreeMap<&'static str, u64>,
}

/// `cutover copy-list`
pub(super) async fn copy_list(args: cli::CopyList) -> Result<Exit, Failure> {
    out::refuse_existing(&args.out)?;
    let real = real::accounts(&args.config)?;
    session::pinned(&real.parts.links, &real.parts.accounts).await?;
    let reading = reading(&real, &args.waves)?;
    let list = copy_list::read(&reading, args.late)
        .await
        .map_err(Failure::failed)?;
    let file = Some(&args.out).filter(|_| !list.customers.is_empty());
    if let Some(path) = file {
        out::new_file(path, std::iter::once(list.text()))?;
    }
    let report = Report {
        exit: Exit::Done.code(),
        file: file.map(|path| path.display().to_string()),
        digest: list.digest().hex(),
        scope: reading.settings.scope.in_words(),
        late_only: args.late,
        customers: list.customers.len(),
        methods: &list.methods,
        without_method: list.without_method,
        there_already: list.there_already,
        out_of_scope: &list.outside,
        gets: gets(&real),
    };
    if args.json {
        out::say(&serde_json::to_string(&report).map_err(Failure::failed)?);
    } else {
        for line in lines(&report, &list, file.map(std::path::PathBuf::as_path)) {
            out::say(&line);
        }
    }
    Ok(Exit::Done)
}

/// Both accounts, to be read under the configured scope, with these waves instead of its own if any are given.
fn reading(real: &Real, waves: &[String]) -> Result<Reading, Failure> {
    let mut scope = real.config.scope.clone();
    if !waves.is_empty() {
        scope.waves = waves.iter().cloned().collect();
    }
    let mut readers = BTreeMap::new();
    for (role, link) in &real.parts.links {
        readers.insert(*role, link.reader().map_err(Failure::failed)?);
    }
    let nobody = Arc::new(Nobody);
    Ok(Reading {
        readers,
        accounts: real.parts.accounts.clone(),
        settings: Arc::new(Settings {
            scope,
            ..Settings::default()
        }),
        ids: Arc::default(),
        app: None,
        clock: real.parts.clock.clone(),
        began: real.parts.clock.now(),
        keep: nobody.clone(),
        watch: nobody,
    })
}

/// What the list has cost: no journal counts it, so the operator's figure has to.
fn gets(real: &Real) -> BTreeMap<&'static str, u64> {
    let count = |role: &Role| {
        real.parts
            .links
            .get(role)
            .map(|link| link.pacer().snapshot().gets)
    };
    let words = [(Role::Source, "source"), (Role::Destination, "destination")];
    words
        .into_iter()
        .filter_map(|(role, word)| Some((word, count(&role)?)))
        .collect()
}

fn lines(report: &Report<'_>, list: &CopyList, file: Option<&Path>) -> Vec<String> {
    let counted = |counts: &BTreeMap<String, u64>| {
        let each = counts.iter().map(|(what, n)| format!("{n} {what}"));
        let all = each.collect::<Vec<_>>().join(", ");
        if all.is_empty() { "none".to_owned() } else { all }
    };
    let there = if report.late_only {
        "on the new account already, left out of the list"
    } else {
        "on the new account already: the copy brings them only methods that are new"
    };
    let mut lines = vec![
        format!("scope            {}", report.scope),
        format!("customers        {}", report.customers),
        format!("their methods    {}", counted(&list.methods)),
        format!(
            "without method   {} customers in scope, not in the list",
            list.without_method
        ),
        format!("there already    {} {there}", list.there_already),
        format!("who stay         {}", counted(&list.outside)),
    ];
    for (role, gets) in &report.gets {
        lines.push(format!(
            "GETs             {gets} on the {role} account; add them to {role}.gets_used_30_days"
        ));
    }
    match file {
        None => lines.push("nobody is to be copied; no list was written".to_owned()),
        Some(path) => {
            lines.push(format!("digest           {}", report.digest));
            lines.push(format!("list written to {}", path.display()));
        }
    }
    lines
}
