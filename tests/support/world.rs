//! `cutover simulate` in a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::account::Account;
use super::{cutover, words};

/// Two accounts being simulated; gone when dropped.
pub(crate) struct World {
    process: Child,
    pub(crate) source: Account,
    pub(crate) destination: Account,
    /// The mapping file of the copy.
    pub(crate) mapping: String,
    /// Address of the application's database.
    pub(crate) database: String,
}

/// What both accounts look like in the end, so that two nights can be compared: per side and customer the ledger's sums
/// by currency and how many rows bear an effect's marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndState(BTreeMap<(&'static str, String), (String, usize)>);

impl World {
    /// As `simulate` makes it with these arguments, without rate limits.
    pub(crate) fn new(arguments: &str) -> Self {
        let mut command = cutover();
        command
            .args(words("simulate --source-port 0 --destination-port 0 --no-limits"))
            .args(words(arguments));
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = process.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e} in {line:?}"));
        Self {
            process,
            source: Account::of(&ready["source"]),
            destination: Account::of(&ready["destination"]),
            mapping: ready["mapping_csv"].as_str().unwrap().to_owned(),
            database: ready["database_url"].as_str().unwrap().to_owned(),
        }
    }

    /// The `small` scenario.
    pub(crate) fn small(seed: u64) -> Self {
        Self::new(&format!("--scenario small --seed {seed}"))
    }

    /// What the simulator itself says, uncounted.
    pub(crate) fn look(&self) -> Value {
        self.source.get("/_cutover/world")
    }

    /// Requests other than GET, on both accounts.
    pub(crate) fn writes(&self) -> u64 {
        let look = self.look();
        ["source", "destination"]
            .map(|side| look[side]["requests"]["writes"].as_u64().unwrap())
            .iter()
            .sum()
    }

    /// GETs on both accounts.
    pub(crate) fn gets(&self) -> u64 {
        let look = self.look();
        ["source", "destination"]
            .map(|side| look[side]["requests"]["gets"].as_u64().unwrap())
            .iter()
            .sum()
    }

    /// The end, after making sure that the simulator saw nobody harmed and no effect carried out twice.
    pub(crate) fn end_state(&self) -> EndState {
        let look = self.look();
        assert_eq!(look["violations"], Value::Array(vec![]));
        let mut state = BTreeMap::new();
        for side in ["source", "destination"] {
            let mut markers = BTreeSet::new();
            for customer in look[side]["customers"].as_array().unwrap() {
                let rows = customer["rows"].as_array().unwrap();
                let marked: Vec<&str> = rows.iter().filter_map(|row| row["marker"].as_str()).collect();
                for marker in &marked {
                    assert!(
                        markers.insert((*marker).to_owned()),
                        "{marker} twice on the {side} account"
                    );
                }
                let id = customer["id"].as_str().unwrap().to_owned();
                state.insert((side, id), (customer["ledger"].to_string(), marked.len()));
            }
        }
        EndState(state)
    }
}

impl EndState {
    /// Rows with a marker on both accounts.
    pub(crate) fn marked(&self) -> usize {
        self.0.values().map(|(_, marked)| marked).sum()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
