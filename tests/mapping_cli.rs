//! The commands around the copy, from outside: mapping files good and bad, the list for the copy, the database as
//! `check` sees it, and its changes as SQL.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up fails")]

#[cfg(test)]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cutover::domain::change::{Change, ChangeKey, Risk, Verdict};
use cutover::domain::ids::{AccountId, Accounts, Digest, EffectId, Environment, StageId};
use cutover::domain::plan::{Header, OutOfScope, Plan, file};
use cutover::domain::text::safe;
use cutover::domain::time::UtcMs;
use cutover::domain::write::{Cell, RowUpdate};
use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use support::{Desk, Said, World, cutover, finish, words};

const HEADER: &str = "customer_id_old,source_id_old,customer_id_new,source_id_new\n";
/// The largest mapping there may be.
const MOST: u64 = 120 << 20;

/// A folder and what is typed in it, without any account.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn call(&self, line: &str) -> Said {
        let mut command = cutover();
        let keys = [
            ("OLD_KEY", "rk_test_oldoldoldold"),
            ("NEW_KEY", "rk_test_newnewnewnew"),
        ];
        finish(command.current_dir(self.0.path()).envs(keys).args(words(line)))
    }

    /// The lint of one file with this content.
    fn lint(&self, bytes: impl AsRef<[u8]>) -> Said {
        self.write("m.csv", bytes);
        self.call("mapping lint m.csv --json")
    }

    /// `cutover.toml` with accounts that do not answer, and this behind it.
    fn configure(&self, rest: &str) {
        let account = |name: &str, key: &str, id: &str| {
            format!(
                "[{name}]\naccount = \"{id}\"\napi_base = \"http://127.0.0.1:9\"\nkey = {{ env = \"{key}\" }}\n"
            )
        };
        let (old, new) = (
            account("source", "OLD_KEY", "acct_1Old"),
            account("destination", "NEW_KEY", "acct_1New"),
        );
        let scope = "[scope]\nregions = [\"us\"]\n[credits]\nsource_after = \"drain\"\n";
        self.write(
            "cutover.toml",
            format!("mode = \"test\"\n{old}{new}{scope}{rest}"),
        );
    }
}

/// Counts of a lint: rows, accepted, rejected, identical. They always add up.
fn counts(report: &Value) -> [u64; 4] {
    let counts = ["rows", "accepted", "rejected", "identical"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts[0], counts[1] + counts[2] + counts[3], "{report}");
    counts
}

#[test]
fn a_good_mapping_is_clean_however_it_is_dressed() {
    let place = Place::new();
    let plain = place
        .lint(format!("{HEADER}cus_1,pm_1,cus_1,pm_9\ncus_2,,cus_2,\n"))
        .ends(0)
        .json();
    assert_eq!(counts(&plain), [2, 2, 0, 0]);
    assert_eq!(plain["origin"], "self_serve");
    let dressed = [
        // Byte order mark, CRLF, no end of the last line.
        "\u{feff}customer_id_old,source_id_old,customer_id_new,source_id_new\r\ncus_1,pm_1,cus_1,pm_9\r\ncus_2,,cus_2,",
        // Another order, another column, with quotes, commas and a line end in it.
        "source_id_new,note,customer_id_new,source_id_old,customer_id_old\n\
         pm_9,\"one,\n\"\"two\"\"\",cus_1,pm_1,cus_1\n,,cus_2,,cus_2\n",
        // The columns as observed, and a row said twice.
        "customer_id_old,v2_account_id_old,source_id_old,customer_id_new,v2_account_id_new,source_id_new\n\
         cus_1,,pm_1,cus_1,,pm_9\ncus_2,,,cus_2,,\ncus_1,,pm_1,cus_1,,pm_9\n",
    ];
    for text in dressed {
        let report = place.lint(text).ends(0).json();
        assert_eq!(report["digest"], plain["digest"], "{text}");
        assert_eq!((counts(&report)[1], counts(&report)[2]), (2, 0), "{text}");
    }
}

#[test]
fn a_row_that_cannot_be_used_is_named_by_line_and_column_and_the_others_are_used() {
    let place = Place::new();
    let cases: [(&[u8], &str, u64, &str); 7] = [
        (b"cus_2,pm_\x002,cus_2,pm_8\n", "not_an_id", 3, "source_id_old"),
        (b"cus_2,pm_2,cus_2,pm_\xff8\n", "not_an_id", 3, "source_id_new"),
        (b"cus_2,1.23E+12,cus_2,pm_8\n", "not_an_id", 3, "source_id_old"),
        (b"cus_2,pm_2,cus_2,\n", "half_blank", 3, "source_id_new"),
        (b"cus_2,pm_2,,pm_8\n", "blank", 3, "customer_id_new"),
        (
            b"cus_2,pm_2,cus_2\n",
            "wrong_number_of_cells",
            3,
            "customer_id_old",
        ),
        // A quoted line end before it: the line is the one an editor shows.
        (
            b"cus_3,\"pm\n3\",cus_3,pm_7\nacct_2,pm_2,acct_2,pm_8\n",
            "not_an_id",
            3,
            "source_id_old",
        ),
    ];
    for (row, problem, line, column) in cases {
        let mut text = format!("{HEADER}cus_1,pm_1,cus_1,pm_9\n").into_bytes();
        text.extend_from_slice(row);
        let report = place.lint(&text).ends(1).json();
        let problems = report["problems"].as_array().unwrap();
        let found = problems
            .iter()
            .find(|one| one["problem"] == problem)
            .unwrap_or_else(|| panic!("{report}"));
        assert_eq!(found["first"][0]["line"], line, "{report}");
        assert_eq!(
            (&found["first"][0]["column"], counts(&report)[1]),
            (&Value::from(column), 1),
            "{report}"
        );
    }
    let said = place.call("mapping lint m.csv").ends(1).out;
    assert!(
        said.contains("m.csv, line 3, column `source_id_old`") && said.contains("line 5"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_no_mapping_is_refused_whole_with_its_place() {
    let place = Place::new();
    let row = "cus_1,pm_1,cus_1,pm_9\n";
    let cases = [
        (String::new(), vec!["m.csv", "is empty"]),
        (
            format!("customer_id_old,customer_id_new,source_id_new\n{row}"),
            vec!["line 1, column `source_id_old`", "is missing"],
        ),
        (
            format!("{},source_id_new\n{row}", HEADER.trim_end()),
            vec!["line 1, column `source_id_new`", "twice"],
        ),
        (HEADER.replace(',', ";") + row, vec!["line 1", "with commas"]),
        (
            format!("{HEADER}{row}cus_2,\"pm_2,cus_2,pm_8\n"),
            vec!["line 3", "never closed"],
        ),
        (
            format!("{HEADER}{row}cus_1,pm_1,cus_1,pm_8\n"),
            vec!["line 3", "pm_1", "line 2 of m.csv", "refused"],
        ),
        ("{\"cus_1\": {\"id\": ".to_owned(), vec!["m.csv"]),
    ];
    for (text, wanted) in cases {
        let said = place.lint(&text);
        said.refuses(2, &wanted);
        assert_eq!(said.out, "", "{text}");
    }
    place.write("a.csv", format!("{HEADER}{row}"));
    place.write("b.csv", format!("{HEADER}cus_1,pm_1,cus_1,pm_8\n"));
    place
        .call("mapping lint a.csv b.csv")
        .refuses(2, &["b.csv, line 2", "line 2 of a.csv"]);
}

#[test]
fn what_is_not_a_file_or_too_large_is_refused_at_once_by_every_command_that_reads_it() {
    let place = Place::new();
    place.configure("[mapping]\nfiles = [\"m.csv\"]\n");
    let refused = |words: &[&str]| {
        for line in [
            "mapping lint m.csv",
            "plan mapping --out p --run r",
            "run --run r",
        ] {
            place.call(line).refuses(2, &[&["m.csv"], words].concat());
        }
        assert!(!place.path("r").exists());
    };
    let file = place.path("m.csv");
    refused(&["no such file"]);
    fs::create_dir(&file).unwrap();
    refused(&["not a regular file"]);
    fs::remove_dir(&file).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RUSR).unwrap();
    refused(&["not a regular file"]);
    fs::remove_file(&file).unwrap();
    place.write("real.csv", HEADER);
    std::os::unix::fs::symlink(place.path("real.csv"), &file).unwrap();
    refused(&["is a link"]);
    fs::remove_file(&file).unwrap();
    // Sparse: it takes no room, and reading it would take its time.
    fs::File::create(&file).unwrap().set_len(MOST + 1).unwrap();
    refused(&["larger than 120 MiB"]);
}

#[test]
fn the_configured_files_are_refused_before_anything_is_asked() {
    let place = Place::new();
    place.write("m.csv", format!("{HEADER}cus_1,pm_1,cus_1,pm_9\n"));
    let cases = [
        (
            "[mapping]\nasked = \"list.csv\"\n",
            vec!["list.csv", "no such file"],
        ),
        (
            "[mapping]\nasked = \"m.csv\"\n",
            vec!["m.csv, line 1", "not a customer id"],
        ),
        (
            "[mapping]\ncopied_at = 2999-01-01T00:00:00Z\n",
            vec!["`mapping.copied_at`", "future"],
        ),
        (
            "[mapping]\ncopied_at = 2026-01-01\n",
            vec!["`mapping.copied_at`", "line 15", "offset"],
        ),
        (
            "[app_database]\ntable = \"t\"\n",
            vec!["`app_database.table`", "`app_database.url`"],
        ),
    ];
    for (rest, words) in cases {
        place.configure(rest);
        place.call("plan mapping --out p --run r").refuses(2, &words);
    }
    assert!(!place.path("r").exists() && !place.path("p").exists());
}

/// The section of a database whose address is in `db.url`.
fn database(table: &str) -> String {
    format!(
        "[app_database]\nurl = {{ file = \"db.url\" }}\ntable = \"{table}\"\nkey_column = \"id\"\nmethod_column = \
         \"pm\"\nextra_columns = [\"region\"]\n"
    )
}

#[test]
fn a_database_that_cannot_be_meant_is_refused_and_its_password_is_never_repeated() {
    let place = Place::new();
    let good = "postgres://app:hunter2@127.0.0.1:9/shop";
    let cases = [
        (good, "t; DROP TABLE x", 0o600, 2, vec!["[app_database]", "table"]),
        (
            "oracle://app:hunter2@h/shop",
            "t",
            0o600,
            2,
            vec!["[app_database]", "postgres://"],
        ),
        (
            "postgres://app:hunter2@h/shop?sslmod=require",
            "t",
            0o600,
            2,
            vec!["sslmod"],
        ),
        ("rk_test_newnewnewnew", "t", 0o600, 2, vec!["[app_database]"]),
        (
            good,
            "t",
            0o644,
            5,
            vec!["address of the application's database", "db.url", "chmod 600"],
        ),
        ("", "t", 0o600, 2, vec!["db.url"]),
    ];
    for (url, table, mode, code, words) in cases {
        place.configure(&database(table));
        place.write("db.url", format!("{url}\n"));
        fs::set_permissions(place.path("db.url"), fs::Permissions::from_mode(mode)).unwrap();
        let said = place.call("plan mapping --out p --run r");
        said.refuses(code, &words);
        assert!(
            !said.err.contains("hunter2") && !said.err.contains("newnew"),
            "{}",
            said.err
        );
    }
    assert!(!place.path("r").exists());
}

/// Runs statements in a new SQLite file.
fn sqlite(path: &Path, statements: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true);
        let mut conn = options.connect().await.unwrap();
        conn.execute(statements).await.unwrap();
        conn.close().await.unwrap();
    });
}

/// The line of `check` about something: its result and what it says.
fn checked(said: &Said, check: &str) -> (String, String) {
    let report = said.json();
    let lines = report["checks"].as_array().unwrap();
    let line = lines
        .iter()
        .find(|line| line["check"] == check)
        .unwrap_or_else(|| panic!("{report}"));
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    (text("result"), text("says"))
}

#[test]
fn check_says_what_it_finds_of_mapping_and_database() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let said = desk.call("check --json").ends(0);
    assert_eq!(checked(&said, "mapping").0, "skip");
    assert_eq!(checked(&said, "database").0, "skip");

    let config = desk.read("cutover.toml");
    desk.write(
        "cutover.toml",
        format!("{config}[mapping]\nfiles = [\"m.csv\"]\n{}", database("subs")),
    );
    desk.write(
        "m.csv",
        format!("{HEADER}cus_1,pm_1,cus_1,pm_9\ncus_2,pm_2,cus_2,\n"),
    );
    let address = format!("sqlite:{}", desk.path("app.db").display());
    desk.write("db.url", address);
    fs::set_permissions(desk.path("db.url"), fs::Permissions::from_mode(0o600)).unwrap();
    sqlite(
        &desk.path("app.db"),
        "CREATE TABLE subs (id TEXT PRIMARY KEY NOT NULL, pm TEXT, region TEXT)",
    );
    let said = desk.call("check --json").ends(0);
    let (result, says) = checked(&said, "mapping");
    assert!(
        result == "warn" && says.contains("1 rejected") && says.contains("mapping lint"),
        "{says}"
    );
    let (result, says) = checked(&said, "database");
    assert!(
        result == "pass" && says.contains("table subs") && says.contains("3 columns"),
        "{says}"
    );

    desk.write("m.csv", "nonsense\n");
    desk.configure("method_column = \"pm\"", "method_column = \"pmm\"");
    let said = desk.call("check --json");
    assert_ne!(said.code, Some(0));
    let (result, says) = checked(&said, "mapping");
    assert!(result == "stop" && says.contains("m.csv, line 1"), "{says}");
    let (result, says) = checked(&said, "database");
    assert!(
        result == "stop" && says.contains("no column `pmm`") && says.contains("region"),
        "{says}"
    );
    assert_eq!(world.writes(), 0);
}

#[test]
fn the_list_for_the_copy_has_one_id_a_line_is_the_same_twice_and_is_never_overwritten() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let report = desk.call("copy-list --out list.csv --json").ends(0).json();
    let list = desk.read("list.csv");
    let ids: Vec<&str> = list.lines().collect();
    assert!(
        !ids.is_empty() && ids.iter().all(|id| id.starts_with("cus_")),
        "{list}"
    );
    assert!(ids.is_sorted() && list.ends_with('\n') && !list.contains('\r'));
    assert_eq!(report["customers"], ids.len());
    assert!(
        report["methods"]
            .as_object()
            .unwrap()
            .values()
            .all(|n| n.as_u64() > Some(0)),
        "{report}"
    );
    assert!(report["gets"]["source"].as_u64() > Some(0));
    let mode = fs::metadata(desk.path("list.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let said = desk.call("copy-list --out list.csv");
    said.refuses(2, &["list.csv", "not overwritten"]);
    let again = desk.call("copy-list --out again.csv --json").ends(0).json();
    assert_eq!(again["digest"], report["digest"]);
    assert_eq!(desk.read("again.csv"), list);

    let there = world.destination.customers();
    let late: Vec<&str> = ids
        .iter()
        .copied()
        .filter(|id| !there.contains_key(*id))
        .collect();
    assert_eq!(report["there_already"], ids.len() - late.len());
    assert!(late.len() < ids.len());
    let said = desk.call("copy-list --late --out late.csv --json").ends(0).json();
    assert_eq!(said["customers"], late.len());
    if late.is_empty() {
        assert_eq!(said["file"], Value::Null);
    } else {
        assert_eq!(desk.read("late.csv").lines().collect::<Vec<_>>(), late);
    }

    let nobody = desk
        .call("copy-list --wave nowhere --out nobody.csv --json")
        .ends(0)
        .json();
    assert_eq!(
        (&nobody["customers"], &nobody["file"]),
        (&Value::from(0), &Value::Null)
    );
    assert!(!desk.path("nobody.csv").exists());
    assert!(
        nobody["out_of_scope"]["other_wave"].as_u64() > Some(0),
        "{nobody}"
    );
    assert_eq!(world.writes(), 0);
}

#[test]
fn the_list_can_be_made_before_there_is_a_mapping_or_a_database() {
    let world = World::small(7);
    let desk = Desk::at(&world);
    let config = desk.read("cutover.toml");
    let rest = format!(
        "[mapping]\nfiles = [\"later.csv\"]\nasked = \"list.csv\"\n{}",
        database("subs")
    );
    desk.write("cutover.toml", format!("{config}{rest}"));
    desk.call("copy-list --out list.csv").ends(0);
    assert!(desk.read("list.csv").starts_with("cus_"));
}

/// A plan that changes these rows of `subs`.
fn plan_of(keys: &[&str]) -> Plan {
    let accounts = Accounts {
        source: AccountId("acct_1Old".into()),
        destination: AccountId("acct_1New".into()),
        environment: Environment::Test,
    };
    let change = |key: &&str| Change {
        key: ChangeKey(format!("app/subs/{key}")),
        subject: "cus_1".into(),
        label: safe(""),
        item: "row of subs".into(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: None,
        rule: "remap".into(),
        why: "mapped".into(),
        effect: "names the new method".into(),
        risk: Risk::Low,
        fields: vec![],
        writes: vec![],
        choices: vec![],
        decision: None,
        payload: "{}".into(),
        update: Some(Box::new(RowUpdate {
            effect: EffectId::new(&accounts, StageId::Mapping, "remap", key, 0),
            table: "subs".into(),
            key: (*key).into(),
            cells: vec![Cell {
                column: "pm".into(),
                before: Some(format!("pm_old_{key}")),
                after: Some(format!("pm_new_{key}")),
            }],
        })),
        evidence: vec![],
        filled: Vec::new(),
        with: None,
        working: Vec::new(),
    };
    let header = Header {
        accounts: accounts.clone(),
        policy: std::collections::BTreeMap::default(),
        scope: Digest::of("scope", [b"x".as_slice()]),
        stage: StageId::Mapping,
    };
    let changes = keys.iter().map(change).collect();
    Plan::seal(header, OutOfScope::default(), changes, vec![], UtcMs(0)).unwrap()
}

#[test]
fn planned_rows_become_a_file_to_run_and_one_to_take_it_back() {
    let place = Place::new();
    place.configure(&database("subs"));
    place.write("plan", file::write(&plan_of(&["a", "b'"])));
    let report = place
        .call("sql --plan plan --out sql --kind postgres --json")
        .ends(0)
        .json();
    assert_eq!(
        (&report["rows"], report["files"].as_array().unwrap().len()),
        (&Value::from(2), 2)
    );
    for (name, sets) in [("forward.sql", "pm_new_a"), ("inverse.sql", "pm_old_a")] {
        let path = place.path("sql").join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("\"subs\"") && text.contains(&format!("\"pm\" = '{sets}'")),
            "{text}"
        );
        assert!(text.contains("'b'''"), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = fs::read(place.path("sql").join("forward.sql")).unwrap();
    let again = place.call("sql --plan plan --out sql --kind mysql");
    again.refuses(2, &["inverse.sql", "not overwritten"]);
    assert_eq!(fs::read(place.path("sql").join("forward.sql")).unwrap(), before);
    // Without --kind the address is looked at; with it, it was not even there.
    place.call("sql --plan plan --out other").refuses(2, &["db.url"]);
    place.write("db.url", "mysql://app@127.0.0.1:9/shop");
    fs::set_permissions(place.path("db.url"), fs::Permissions::from_mode(0o600)).unwrap();
    place.call("sql --plan plan --out other").ends(0);
    assert!(
        fs::read_to_string(place.path("other").join("forward.sql"))
            .unwrap()
            .contains("`subs`")
    );
}

#[test]
fn a_plan_of_nothing_of_another_table_or_of_other_accounts_becomes_no_file() {
    let place = Place::new();
    place.configure(&database("subs"));
    place.write("nothing", file::write(&plan_of(&[])));
    let report = place
        .call("sql --plan nothing --out sql --kind sqlite --json")
        .ends(0)
        .json();
    assert_eq!(
        (&report["rows"], &report["files"]),
        (&Value::from(0), &Value::Array(vec![]))
    );
    place.write("plan", file::write(&plan_of(&["a"])));
    place.configure(&database("others"));
    place
        .call("sql --plan plan --out sql --kind sqlite")
        .refuses(2, &["another table"]);
    place.configure("");
    place
        .call("sql --plan plan --out sql --kind sqlite")
        .refuses(2, &["[app_database]"]);
    place.configure(&database("subs"));
    let config = fs::read_to_string(place.path("cutover.toml")).unwrap();
    place.write("cutover.toml", config.replace("acct_1New", "acct_1Other"));
    place
        .call("sql --plan plan --out sql --kind sqlite")
        .refuses(5, &["acct_1Other", "acct_1New"]);
    place.write("plan", "not a plan\n");
    place
        .call("sql --plan plan --out sql --kind sqlite")
        .refuses(5, &["plan"]);
    assert!(!place.path("sql").exists());
}
