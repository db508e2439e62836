//! A night of coupons: what is planned, decided, made, and what stands on both accounts then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Approval, Desk, Said, World, approval};

/// Two accounts and a desk.
pub(crate) struct Night {
    pub(crate) world: World,
    pub(crate) desk: Desk,
}

/// What a person decides: the row's name, the choice, and its number or nothing.
pub(crate) type Decided<'a> = (&'a str, &'a str, &'a str);

impl Night {
    /// In the world of a scenario of the program.
    pub(crate) fn of(scenario: &str) -> Self {
        let world = World::new(&format!("--scenario '{scenario}' --seed 1"));
        let desk = Desk::at(&world);
        let more = format!("[mapping]\nfiles = [\"{}\"]\n", world.mapping);
        desk.write("cutover.toml", desk.read("cutover.toml") + &more);
        Self { world, desk }
    }

    /// In the world that this scenario describes: the text after its head.
    pub(crate) fn described(text: &str) -> Self {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), HEAD.to_owned() + text).unwrap();
        Self::of(&file.path().display().to_string())
    }

    /// The catalogue first: coupons for single products need it.
    pub(crate) fn with_catalogue(self) -> Self {
        self.desk
            .call("plan catalogue --json --out first.plan --run first");
        self.desk.leave_out_blocked("first.plan");
        let said = self
            .desk
            .call("plan catalogue --out catalogue.plan --decisions decisions.csv --run run");
        let approved = approval(&said.ends(0).out);
        let line = format!(
            "apply catalogue --json --plan catalogue.plan --run run {}",
            approved.words()
        );
        self.desk.call(&line).ends(0);
        self
    }

    /// Plans coupons into `plan`; what is blocked and not decided here is left out.
    pub(crate) fn plan(&self, decided: &[Decided<'_>]) -> Approval {
        self.plan_in("run", decided)
    }

    /// The same in another run.
    pub(crate) fn plan_in(&self, run: &str, decided: &[Decided<'_>]) -> Approval {
        // In the same run: what earlier stages made is known there.
        self.desk
            .call(&format!("plan coupons --json --out first.plan --run {run}"));
        let mut missing: BTreeSet<&str> = decided.iter().map(|(name, ..)| *name).collect();
        let mut csv = "key,choice,number,note,by\n".to_owned();
        for row in self.desk.rows("first.plan") {
            let (key, name) = (row["key"].as_str().unwrap(), name(&row));
            if let Some((name, choice, number)) = decided.iter().find(|(of, ..)| *of == name) {
                missing.remove(name);
                let _ = writeln!(csv, "{key},{choice},{number},asked for,tester");
            } else if row["verdict"] == "blocked" && !follows(&row, decided) {
                let _ = writeln!(csv, "{key},leave_out,,blocked,tester");
            }
        }
        assert_eq!(missing, BTreeSet::new(), "no such rows");
        self.desk.write("decisions.csv", csv);
        let said = self.desk.call(&format!(
            "plan coupons --out plan --decisions decisions.csv --run {run}"
        ));
        approval(&said.ends(0).out)
    }

    pub(crate) fn apply(&self, approved: &Approval) -> Said {
        self.desk.call(&apply_line("run", approved))
    }

    /// Every row by name: what it was planned as, its rule and its verdict after the decisions.
    pub(crate) fn rows(&self) -> BTreeMap<String, (String, String)> {
        let rows = self.desk.rows("plan");
        let said = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| (name(row), (said(row, "rule"), said(row, "verdict"))))
            .collect()
    }

    /// What the simulator sees of the pools on one side, by the rows' names.
    pub(crate) fn pools(&self, side: &str) -> BTreeMap<String, Standing> {
        let look = self.world.look();
        let mut all = BTreeMap::new();
        for pool in look[side]["pools"].as_array().unwrap() {
            let id = pool["id"].as_str().unwrap();
            all.insert(format!("coupon {id}"), Standing::of(pool, &pool["valid"]));
            for code in pool["codes"].as_array().unwrap() {
                let text = code["code"].as_str().unwrap();
                let active = &code["active"];
                let name = format!("code {text} of {id}");
                // A code made smaller stands beside its old one.
                if *active == true || !all.contains_key(&name) {
                    all.insert(name, Standing::of(code, active));
                }
            }
        }
        all
    }

    /// One line per row: what was planned and why, and what there is then on the new account and on the old one.
    pub(crate) fn table(&self, of: impl Fn(&str) -> bool) -> String {
        let (old, new) = (self.pools("source"), self.pools("destination"));
        let shown = |side: &BTreeMap<String, Standing>, name: &str| {
            side.get(name).map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        let mut text = String::new();
        for (name, (rule, verdict)) in self.rows().iter().filter(|(name, _)| of(name)) {
            let _ = writeln!(
                text,
                "{name} | {rule} | {verdict} | {} | {}",
                shown(&new, name),
                shown(&old, name)
            );
        }
        text
    }

    /// Rules broken on either account at any time, and by what. Nobody told the simulator what was decided.
    pub(crate) fn violations(&self) -> Vec<(String, String)> {
        let look = self.world.look();
        let all = look["violations"].as_array().unwrap().iter();
        let said = |found: &Value, field: &str| found[field].as_str().unwrap().to_owned();
        all.map(|found| (said(found, "rule"), said(found, "reason")))
            .collect()
    }

    /// Nobody could redeem more than was left, at any time.
    pub(crate) fn nobody_is_harmed(&self) {
        assert_eq!(self.violations(), Vec::new());
    }
}

/// A coupon or a code on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) max: Option<i64>,
    pub(crate) used: i64,
    pub(crate) live: bool,
}

impl Standing {
    fn of(seen: &Value, live: &Value) -> Self {
        Self {
            max: seen["max"].as_i64(),
            used: seen["used"].as_i64().unwrap(),
            live: live.as_bool().unwrap(),
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.live {
            return f.write_str("off");
        }
        match self.max {
            Some(max) => write!(f, "{}", max - self.used),
            None => f.write_str("no limit"),
        }
    }
}

/// A row as people call it: `coupon POOL`, `code A of POOL`, `discount YEAR on sub_1`.
pub(crate) fn name(row: &Value) -> String {
    let key = row["key"].as_str().unwrap();
    let field = |name: &str| {
        let fields = row["fields"].as_array().unwrap().iter();
        let mut found = fields.filter(|field| field["name"] == name);
        found
            .next()
            .map(|field| field["before"].as_str().unwrap().to_owned())
    };
    match key.split_once('/').unwrap() {
        ("coupon", id) => format!("coupon {id}"),
        ("code", _) => {
            let coupon = field("promotion[coupon]").unwrap();
            format!("code {} of {coupon}", field("code").unwrap())
        }
        _ => {
            let on = field("subscription").unwrap_or_else(|| row["subject"].as_str().unwrap().to_owned());
            format!("discount {} on {on}", field("coupon").unwrap())
        }
    }
}

/// Whether a row is decided with its coupon, which is decided here.
fn follows(row: &Value, decided: &[Decided<'_>]) -> bool {
    let with = row["with"].as_str().and_then(|key| key.strip_prefix("coupon/"));
    with.is_some_and(|id| decided.iter().any(|(name, ..)| *name == format!("coupon {id}")))
}

/// The command line of an `apply` of `plan`.
pub(crate) fn apply_line(run: &str, approved: &Approval) -> String {
    format!(
        "apply coupons --json --plan plan --run {run} {}",
        approved.words()
    )
}

/// The summary of the stage.
pub(crate) fn stage(said: &Said) -> Value {
    let summary = said.json();
    let stages = summary["stages"].as_array().unwrap();
    stages
        .iter()
        .find(|stage| stage["stage"] == "coupons")
        .unwrap()
        .clone()
}

/// Findings by rule and whom they are about.
pub(crate) fn findings(said: &Said, severity: &str) -> BTreeSet<(String, String)> {
    let summary = said.json();
    let all = summary["findings"].as_array().unwrap().iter();
    all.filter(|found| found["severity"] == severity)
        .map(|found| ["customer", "rule"].map(|field| found[field].as_str().unwrap().to_owned()))
        .map(|[about, rule]| (about, rule))
        .collect()
}

/// Two who move and one who stays, and nothing else.
const HEAD: &str = "\
name = \"pools\"
about = \"A few coupons\"
starts_at = 2026-02-14T05:00:00Z

[world]
movers = 0
stayers = 0
products = 1
subscriptions = 0
stayer_subscriptions = 0

[[customer]]
id = \"cus_ada\"
name = \"Ada Abbott\"
methods = [{ type = \"card\", default = true }]

[[customer]]
id = \"cus_ben\"
name = \"Ben Baker\"
methods = [{ type = \"card\", default = true }]

[[customer]]
id = \"cus_sven\"
name = \"Sven\"
region = \"au\"
methods = [{ type = \"card\", default = true }]
";
