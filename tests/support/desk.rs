//! Where the operator sits: a folder with a configuration, keys in the environment, and commands typed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Said, World, cutover, finish, words};

/// A folder of its own, with `cutover.toml` for one world.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    keys: [String; 2],
}

/// What a person copies from the plan to the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) digest: String,
    pub(crate) phrase: String,
}

impl Approval {
    /// The words of `apply` that approve.
    pub(crate) fn words(&self) -> String {
        format!("--approve {} --confirm '{}'", self.digest, self.phrase)
    }
}

impl Desk {
    /// A configuration that leads to this world's accounts.
    pub(crate) fn at(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cutover.toml"), config(world)).unwrap();
        Self {
            folder,
            keys: [world.source.key.clone(), world.destination.key.clone()],
        }
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its text.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Puts a file there.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let text = self.read("cutover.toml");
        assert!(text.contains(from), "{from:?} is not in the configuration");
        self.write("cutover.toml", text.replace(from, to));
    }

    /// The keys, old account first.
    pub(crate) fn set_keys(&mut self, keys: [&str; 2]) {
        self.keys = keys.map(str::to_owned);
    }

    /// A command typed here, not yet run.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = cutover();
        command
            .current_dir(self.folder.path())
            .env("OLD_KEY", &self.keys[0])
            .env("NEW_KEY", &self.keys[1])
            .args(words(line));
        command
    }

    /// A command typed here.
    pub(crate) fn call(&self, line: &str) -> Said {
        finish(&mut self.command(line))
    }

    /// Plans into `plan` with what is blocked left out: read, decide in a file, plan again, read what it prints.
    pub(crate) fn plan(&self, run: &str) -> Approval {
        self.call("plan credits --json --out first.plan --run first");
        self.leave_out_blocked("first.plan");
        self.plan_decided(run)
    }

    /// Plans into `plan` with the decisions in `decisions.csv`.
    pub(crate) fn plan_decided(&self, run: &str) -> Approval {
        let said = self.call(&format!(
            "plan credits --out plan --decisions decisions.csv --run {run}"
        ));
        approval(&said.ends(0).out)
    }

    /// Writes `decisions.csv`, which leaves out every blocked row of a plan file.
    pub(crate) fn leave_out_blocked(&self, plan: &str) {
        let mut csv = "key,choice,note,by\n".to_owned();
        for row in self.rows(plan).iter().filter(|row| row["verdict"] == "blocked") {
            let _ = writeln!(csv, "{},leave_out,blocked,tester", row["key"].as_str().unwrap());
        }
        self.write("decisions.csv", csv);
    }

    /// The rows of a plan file.
    pub(crate) fn rows(&self, plan: &str) -> Vec<Value> {
        let text = self.read(plan);
        let lines: Vec<&str> = text.lines().collect();
        lines[1..lines.len() - 1]
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// `apply` of `plan` in this run.
    pub(crate) fn apply(&self, run: &str, approval: &Approval) -> Said {
        self.call(&apply_line(run, approval))
    }

    /// The journal's records in order.
    pub(crate) fn journal(&self, run: &str) -> Vec<Value> {
        journal(&self.path(run))
    }

    /// `journal verify`, which has to find it whole.
    pub(crate) fn verify(&self, run: &str) -> Said {
        self.call(&format!("journal verify {run} --json")).ends(0)
    }
}

/// The command line of [`Desk::apply`].
pub(crate) fn apply_line(run: &str, approval: &Approval) -> String {
    format!(
        "apply credits --json --plan plan --run {run} {}",
        approval.words()
    )
}

/// Digest and phrase as `plan` prints them; no phrase where nothing would be written yet.
pub(crate) fn approval(printed: &str) -> Approval {
    let digest = printed.lines().find_map(|line| line.strip_prefix("digest  "));
    let line = printed.lines().find(|line| line.contains("--confirm"));
    Approval {
        digest: digest
            .unwrap_or_else(|| panic!("no digest in:\n{printed}"))
            .to_owned(),
        phrase: line.and_then(|line| words(line).pop()).unwrap_or_default(),
    }
}

/// The records in a run directory, in order.
pub(crate) fn journal(run: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    files.sort();
    let text: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    text.lines()
        .map(|line| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap())
        .collect()
}

fn config(world: &World) -> String {
    let account = |name: &str, key: &str, id: &str, url: &str| {
        format!("[{name}]\naccount = \"{id}\"\napi_base = \"{url}\"\nkey = {{ env = \"{key}\" }}\n")
    };
    let (old, new) = (&world.source, &world.destination);
    format!(
        "mode = \"test\"\n{}{}[scope]\nregions = [\"us\"]\n[credits]\nsource_after = \"drain\"\n",
        account("source", "OLD_KEY", &old.id, &old.url),
        account("destination", "NEW_KEY", &new.id, &new.url),
    )
}
