use std::collections::BTreeSet;

use super::*;

/// The smallest configuration.
const LEAST: &str = r#"mode = "live"
[source]
account = "acct_1Old"
key = { env = "OLD" }
[destination]
account = "acct_1New"
key = { env = "NEW" }
[scope]
regions = ["us"]
[credits]
source_after = "drain"
"#;

fn with(text: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    parse(Path::new("conf/cutover.toml"), text, &variables, &flags).map_err(|error| error.to_string())
}

fn changed(from: &str, to: &str) -> Result<Config, String> {
    assert!(LEAST.contains(from), "{from}");
    with(&LEAST.replacen(from, to, 1), &[], &[])
}

fn refusal(from: &str, to: &str) -> String {
    changed(from, to).unwrap_err()
}

#[test]
fn the_smallest_configuration_has_the_documented_defaults() {
    let config = with(LEAST, &[], &[]).unwrap();
    assert_eq!(config.accounts().source.0, "acct_1Old");
    assert_eq!(config.source.api_base, "https://api.stripe.com");
    assert_eq!(
        (config.source.share_percent, config.destination.share_percent),
        (50, 50)
    );
    assert_eq!(
        (config.source.max_in_flight, config.source.gets_used_30_days),
        (32, 0)
    );
    assert_eq!(config.credits.source_after, SourceAfter::Drain);
    assert_eq!(config.run_dir, Path::new("conf/runs"));
    assert_eq!(
        (config.scope.region_key.as_str(), config.scope.wave_key.as_str()),
        ("region", "wave")
    );
    assert!(!config.waive_witness && config.source.write_key.is_none());
}

#[test]
fn a_test_account_gives_its_whole_limit_unless_told_otherwise() {
    let test = changed("\"live\"", "\"test\"").unwrap();
    assert_eq!(test.source.share_percent, 100);
    let told = with(
        &LEAST.replace("\"live\"", "\"test\""),
        &[],
        &["source.share_percent=50"],
    )
    .unwrap();
    assert_eq!(
        (told.source.share_percent, told.destination.share_percent),
        (50, 100)
    );
}

#[test]
fn a_flag_wins_over_the_environment_which_wins_over_the_file_which_wins_over_the_default() {
    let file = LEAST.replace("[destination]", "share_percent = 20\n[destination]");
    let variable = [("CUTOVER_SOURCE_SHARE_PERCENT", "30")];
    let flag = ["source.share_percent=40"];
    let share = |text: &str, variables: &[(&str, &str)], flags: &[&str]| {
        with(text, variables, flags).unwrap().source.share_percent
    };
    assert_eq!(share(LEAST, &[], &[]), 50);
    assert_eq!(share(&file, &[], &[]), 20);
    assert_eq!(share(&file, &variable, &[]), 30);
    assert_eq!(share(&file, &variable, &flag), 40);
}

#[test]
fn an_environment_variable_can_give_what_the_file_leaves_out() {
    let file = LEAST.replace("regions = [\"us\"]", "");
    assert!(
        with(&file, &[], &[])
            .unwrap_err()
            .contains("`scope.regions` must be set")
    );
    let config = with(&file, &[("CUTOVER_SCOPE_REGIONS", "us, ca")], &[]).unwrap();
    assert_eq!(
        config.scope.regions,
        BTreeSet::from(["ca".to_owned(), "us".to_owned()])
    );
}

#[test]
fn an_unknown_setting_is_refused_with_file_line_column_and_the_nearest_name() {
    let said = refusal("[credits]\n", "[credits]\n  expected_balance = \"x.csv\"\n");
    assert_eq!(
        said,
        "conf/cutover.toml, line 11, column 3: there is no setting `credits.expected_balance`; did you mean \
         `credits.expected_balances`?"
    );
    for (from, to, meant) in [
        ("[scope]", "[scopes]\nregions = [\"us\"]\n[scope]", "`scope`?"),
        (
            "[scope]",
            "share_percent = 3\n[scope]\nshare_percents = 3",
            "share_percent",
        ),
        ("mode =", "modes =", "mode"),
        ("[scope]", "[scope.source]\naccount = \"x\"\n[scope]", "`source`?"),
    ] {
        let said = refusal(from, to);
        assert!(
            said.contains("there is no setting") && said.contains(meant),
            "{said}"
        );
    }
    assert!(refusal("[scope]", "[qqqqqqq]\nx = 1\n[scope]").contains("there is no setting `qqqqqqq`"));
}

#[test]
fn an_unknown_variable_or_flag_for_a_section_is_refused_and_others_are_left_alone() {
    let said = with(LEAST, &[("CUTOVER_SOURCE_SHARE", "3")], &[]).unwrap_err();
    assert!(
        said.contains("the environment variable CUTOVER_SOURCE_SHARE:"),
        "{said}"
    );
    assert!(
        said.contains("did you mean `CUTOVER_SOURCE_SHARE_PERCENT`?"),
        "{said}"
    );
    assert!(
        with(
            LEAST,
            &[
                ("CUTOVER_TEST_POSTGRES", "x"),
                ("CUTOVER_SOURCE_KEY", "rk_live_abcdefgh")
            ],
            &[]
        )
        .is_ok()
    );
    let said = with(LEAST, &[], &["source.shares=3"]).unwrap_err();
    assert!(
        said.contains("--set") && said.contains("source.share_percent"),
        "{said}"
    );
}

#[test]
fn a_wrong_value_is_refused_wherever_it_stands_saying_what_would_be_right() {
    let cases = [
        ("\"live\"", "\"prod\"", "`mode` must be one of: live, test"),
        (
            "\"drain\"",
            "\"both\"",
            "`credits.source_after` must be one of: drain, leave",
        ),
        ("[\"us\"]", "\"us\"", "`scope.regions` must be a list"),
        ("[\"us\"]", "[]", "names no region"),
        ("[\"us\"]", "[\"us\", 1]", "`scope.regions` must be a list"),
        ("acct_1Old", "cus_1Old", "`source.account` must be an account id"),
        ("{ env = \"OLD\" }", "\"OLD\"", "must say where the secret is"),
        (
            "{ env = \"OLD\" }",
            "{ env = \"\" }",
            "name of an environment variable",
        ),
        (
            "{ env = \"OLD\" }",
            "{ env = \"A\", file = \"b\" }",
            "must say one thing",
        ),
        (
            "{ env = \"OLD\" }",
            "{ prompt = true }",
            "knows `env`, `file` and `command`",
        ),
        (
            "{ env = \"OLD\" }",
            "{ command = \"pass show x\" }",
            "no shell is used",
        ),
        (
            "[scope]",
            "share_percent = 0\n[scope]",
            "whole number from 1 to 100",
        ),
        (
            "[scope]",
            "share_percent = 101\n[scope]",
            "whole number from 1 to 100",
        ),
        ("[scope]", "gets_used_30_days = -1\n[scope]", "at least 0"),
        (
            "[scope]",
            "api_base = \"ftp://x\"\n[scope]",
            "neither https nor http",
        ),
        (
            "[scope]",
            "api_base = \"https://me:pw@host\"\n[scope]",
            "says too much",
        ),
        (
            "[scope]",
            "api_base = \"https://host/v1\"\n[scope]",
            "says too much",
        ),
        ("[scope]", "[scope]\ninclude = [\"a b\"]", "no customer id"),
        (
            "[scope]",
            "[scope]\ninclude_file = \"nowhere.txt\"",
            "there is no such file",
        ),
    ];
    for (from, to, why) in cases {
        let said = refusal(from, to);
        assert!(
            said.contains(why) && said.contains("conf/cutover.toml, line "),
            "{to}: {said}"
        );
    }
    let said = with(LEAST, &[("CUTOVER_APPROVAL_WAIVE_WITNESS", "maybe")], &[]).unwrap_err();
    assert!(
        said.contains("CUTOVER_APPROVAL_WAIVE_WITNESS: `approval.waive_witness` must be true or false"),
        "{said}"
    );
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    let said = refusal("regions = [\"us\"]", "regions = [\"us\"");
    assert!(
        said.contains("conf/cutover.toml, line 1") && said.contains("not valid TOML"),
        "{said}"
    );
    let twice = refusal("[scope]", "key = { env = \"B\" }\n[scope]");
    assert!(
        twice.contains("line 8") && twice.contains("duplicate key"),
        "{twice}"
    );
}

#[test]
fn a_key_anywhere_in_the_file_is_refused_by_line_without_being_repeated() {
    for place in [
        "key = \"sk_live_4eC39HqLyjWD\"\n",
        "# key = \"rk_live_4eC39HqLyjWD\"\n",
        "name = \"whsec_4eC39HqLyjWD\"\n",
        "broken toml sk_test_4eC39HqLyjWD\n",
    ] {
        let said = refusal("[scope]\n", &format!("{place}[scope]\n"));
        assert!(
            said.contains("line 8") && said.contains("plain text") && said.contains("env ="),
            "{said}"
        );
        assert!(!said.contains("4eC39"), "{said}");
    }
    let said = with(LEAST, &[], &["source.name=sk_live_4eC39HqLyjWD"]).unwrap_err();
    assert!(said.contains("--set") && !said.contains("4eC39"), "{said}");
    let said = with(LEAST, &[("CUTOVER_SOURCE_NAME", "sk_live_4eC39HqLyjWD")], &[]).unwrap_err();
    assert!(
        said.contains("CUTOVER_SOURCE_NAME") && !said.contains("4eC39"),
        "{said}"
    );
}

#[test]
fn one_account_or_one_key_for_both_and_plain_http_are_refused_for_safety() {
    let unsafe_ones = [
        ("acct_1New", "acct_1Old", "a move needs two accounts"),
        (
            "\"NEW\"",
            "\"OLD\"",
            "both accounts take a key from the environment variable OLD",
        ),
        (
            "{ env = \"NEW\" }",
            "{ env = \"NEW\" }\nwrite_key = { env = \"OLD\" }",
            "both accounts take a key",
        ),
        (
            "[scope]",
            "api_base = \"http://stripe.example\"\n[scope]",
            "unencrypted",
        ),
        (
            "[scope]",
            "api_base = \"http://127.0.0.1.example\"\n[scope]",
            "unencrypted",
        ),
    ];
    for (from, to, why) in unsafe_ones {
        let error = parse(Path::new("c.toml"), &LEAST.replacen(from, to, 1), &[], &[]).unwrap_err();
        assert!(error.is_refusal() && error.to_string().contains(why), "{error}");
    }
    for base in [
        "http://127.0.0.1:12111",
        "http://[::1]:1",
        "http://localhost:8080",
        "https://stripe.example:8443/",
    ] {
        let config = changed("[scope]", &format!("api_base = \"{base}\"\n[scope]")).unwrap();
        assert_eq!(config.destination.api_base, base.trim_end_matches('/'));
    }
}

#[test]
fn lists_of_customers_may_stand_in_files_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cutover.toml");
    let text = LEAST.replace(
        "[scope]",
        "[scope]\nexclude = [\"cus_1\"]\nexclude_file = \"stay.txt\"",
    );
    std::fs::write(&path, &text).unwrap();
    std::fs::write(
        folder.path().join("stay.txt"),
        "\u{feff}cus_2 # pays by invoice\r\n\r\n# none\ncus_3",
    )
    .unwrap();
    let config = load(&path, &[], &[]).unwrap();
    assert_eq!(
        config.scope.exclude.into_iter().collect::<Vec<_>>(),
        ["cus_1", "cus_2", "cus_3"]
    );
    std::fs::write(folder.path().join("stay.txt"), "cus_2\ncus_3,cus_4").unwrap();
    let said = load(&path, &[], &[]).unwrap_err().to_string();
    assert!(
        said.contains("stay.txt: line 2: `cus_3,cus_4` is no customer id"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_missing_huge_or_not_text_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cutover.toml");
    let said = |path: &Path| load(path, &[], &[]).unwrap_err().to_string();
    assert!(said(&path).contains("copy config.example.toml"));
    assert!(said(folder.path()).contains("is not a regular file"));
    std::fs::write(&path, b"mode = \"live\"\nname = \"\xff\"").unwrap();
    assert!(said(&path).contains("line 2 is not UTF-8"));
    std::fs::write(&path, "#".repeat(2 << 20)).unwrap();
    assert!(said(&path).contains("larger than 1 MiB"));
}

#[test]
fn every_setting_reaches_the_configuration() {
    let before = format!("{:?}", with(LEAST, &[], &[]).unwrap());
    for setting in SETTINGS {
        if setting.path.starts_with("app_database.") {
            continue;
        }
        let value = match (setting.path, setting.kind) {
            ("mode", _) => "test",
            ("credits.source_after" | "coupons.without_code", _) => "leave",
            ("coupons.subscriptions_start", _) => "backdated",
            ("subscriptions.route", _) => "api",
            ("catalogue.inactive_in_use", _) => "active",
            ("scope.include_file" | "scope.exclude_file", _) | (_, Kind::Key) => continue,
            (path, Kind::Text) if path.ends_with(".account") => "acct_1Other",
            (path, Kind::Text) if path.ends_with(".api_base") => "https://other.example",
            (_, Kind::Text | Kind::Path | Kind::Word(_) | Kind::List) => "other",
            (_, Kind::Bool) => "true",
            (_, Kind::Time) => "2026-09-30T22:15:00Z",
            (_, Kind::Int(..)) => "17",
        };
        let flag = format!("{}={value}", setting.path);
        let after = format!("{:?}", with(LEAST, &[], &[&flag]).unwrap());
        assert_ne!(before, after, "{flag}");
    }
    for key in ["key", "write_key"] {
        let flag = format!("destination.{key}={{ file = \"k\" }}");
        assert_ne!(
            before,
            format!("{:?}", with(LEAST, &[], &[&flag]).unwrap()),
            "{flag}"
        );
    }
}

/// [`LEAST`] with a mapping and a database.
fn with_a_database(flags: &[&str]) -> Result<Config, String> {
    let text = format!(
        "{LEAST}[app_database]\nurl = {{ env = \"DB\" }}\ntable = \"app.subscribers\"\nkey_column = \
         \"id\"\nmethod_column = \"pm\"\n"
    );
    with(&text, &[], flags)
}

#[test]
fn without_an_address_no_database_is_touched_and_half_of_one_is_refused() {
    let config = with(LEAST, &[], &[]).unwrap();
    assert_eq!(config.database, None);
    assert_eq!(config.database_address().unwrap().map(drop), None);
    for half in ["table", "key_column", "method_column", "customer_column", "where"] {
        let said = with(LEAST, &[], &[&format!("app_database.{half}=x")]).unwrap_err();
        let wanted = format!("`app_database.{half}` needs `app_database.url`");
        assert!(said.contains(&wanted), "{said}");
    }
    let said = with(LEAST, &[], &["app_database.url={ env = \"DB\" }"]).unwrap_err();
    assert!(said.contains("`app_database.table` must be set too"), "{said}");
}

#[test]
fn every_setting_of_the_database_reaches_the_configuration() {
    let whole = with_a_database(&[]).unwrap().database.unwrap();
    assert_eq!((whole.table.as_str(), whole.quiet), ("app.subscribers", false));
    assert_eq!(
        (whole.lock_timeout_ms, whole.statement_timeout_ms),
        (3000, 15_000)
    );
    assert_eq!((whole.batch_rows, whole.condition.as_deref()), (500, None));
    for setting in SETTINGS.iter().filter(|s| s.path.starts_with("app_database.")) {
        let value = match setting.kind {
            Kind::Key => "{ file = \"db.url\" }",
            Kind::Bool => "true",
            Kind::Int(..) => "17",
            _ => "other",
        };
        let flag = format!("{}={value}", setting.path);
        let after = with_a_database(&[&flag]).unwrap().database.unwrap();
        assert_ne!(whole, after, "{flag}");
    }
}

#[test]
fn the_address_of_the_database_itself_is_refused_wherever_it_stands_and_not_repeated() {
    let address = "postgres://app:hunter2@db/shop";
    let said = with_a_database(&[&format!("app_database.url={address}")]).unwrap_err();
    assert!(
        said.contains("`app_database.url` must say where the secret is"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    let said = with(&format!("{LEAST}[app_database]\nurl = \"{address}\"\n"), &[], &[]).unwrap_err();
    assert!(
        said.contains("line 13, column 1") && !said.contains("hunter2"),
        "{said}"
    );
    let said = with_a_database(&["app_database.url={ env = \"NEW\" }"]).unwrap_err();
    assert!(said.contains("as `destination.key` does"), "{said}");
}

#[test]
fn the_address_of_the_database_is_fetched_as_a_key_is_and_is_one_word() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("db.url");
    let flag = format!("app_database.url={{ file = \"{}\" }}", file.display());
    let config = with_a_database(&[&flag]).unwrap();
    let fetched = || {
        let fetched = config.database_address().map_err(|error| error.to_string());
        fetched.map(|address| secrecy::ExposeSecret::expose_secret(&address.unwrap()).to_owned())
    };
    let missing = fetched().unwrap_err();
    assert!(
        missing.starts_with("the address of the application's database should be in the file"),
        "{missing}"
    );
    let write = |text: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("postgres://app:hunter2@db/shop\n", 0o600);
    assert_eq!(fetched().unwrap(), "postgres://app:hunter2@db/shop");
    for (text, mode, why) in [
        ("postgres://app:hunter2@db/shop\n", 0o640, "chmod 600"),
        ("postgres://app:hunter2@db/\nshop", 0o600, "more than one word"),
        ("postgres://app:hunter2@db/my shop", 0o600, "more than one word"),
    ] {
        write(text, mode);
        let said = fetched().unwrap_err();
        assert!(
            said.contains(why) && said.contains("db.url") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[test]
fn mapping_files_keep_their_order_and_stand_beside_the_configuration() {
    let text = format!("{LEAST}[mapping]\nfiles = [\"b.csv\", \"/a.csv\"]\nasked = \"list.csv\"\n");
    let config = with(&text, &[], &[]).unwrap().mapping;
    assert_eq!(config.files, [Path::new("conf/b.csv"), Path::new("/a.csv")]);
    assert_eq!(config.asked.as_deref(), Some(Path::new("conf/list.csv")));
    assert_eq!(
        (config.contact_days, config.invoice_numbering, config.copied_at),
        (7, false, None)
    );
    let typed = with(&text, &[], &["mapping.files=b.csv,a.csv"]).unwrap().mapping;
    assert_eq!(typed.files, [Path::new("b.csv"), Path::new("a.csv")]);
    let twice = with(&text, &[], &["mapping.files=b.csv,b.csv"]).unwrap_err();
    assert!(twice.contains("names b.csv twice"), "{twice}");
}

#[test]
fn the_time_of_the_copy_is_an_instant_as_text_or_as_toml_has_it_and_never_a_local_time() {
    let at = |value: &str| {
        let text = format!("{LEAST}[mapping]\ncopied_at = {value}\n");
        with(&text, &[], &[]).map(|config| config.mapping.copied_at.unwrap().0)
    };
    for same in [
        "\"2026-09-30T22:15:00Z\"",
        "2026-09-30T22:15:00Z",
        "2026-10-01 00:15:00+02:00",
        "\"2026-09-30T22:15:00.000+00:00\"",
    ] {
        assert_eq!(at(same), Ok(1_790_806_500_000), "{same}");
    }
    for wrong in [
        "\"2026-09-30\"",
        "2026-09-30T22:15:00",
        "2026-09-30",
        "17",
        "\"soon\"",
    ] {
        let said = at(wrong).unwrap_err();
        assert!(
            said.contains("`mapping.copied_at` must be a time with its offset"),
            "{said}"
        );
    }
}

#[test]
fn a_misspelt_variable_of_a_section_with_two_words_is_refused_too() {
    let said = with(LEAST, &[("CUTOVER_APP_DATABASE_TABEL", "x")], &[]).unwrap_err();
    assert!(
        said.contains("no setting `app_database.tabel`; did you mean `CUTOVER_APP_DATABASE_TABLE`?"),
        "{said}"
    );
    // Where the secret itself may be kept under any name.
    assert!(with(LEAST, &[("CUTOVER_APP_DATABASE_URL", "postgres://x")], &[]).is_ok());
    assert!(with(LEAST, &[("CUTOVER_APPLE", "x")], &[]).is_ok());
}

#[test]
fn the_keys_of_both_accounts_must_differ_and_writing_takes_its_own_key() {
    let text = LEAST.replace("[scope]", "write_key = { env = \"NEW_WRITE\" }\n[scope]");
    let config = with(&text, &[], &[]).unwrap();
    let key_in = |name: &str| match name {
        "OLD" => Some("rk_live_oldoldold".into()),
        "NEW" => Some("rk_live_newnewnew".into()),
        "NEW_WRITE" => Some("rk_live_writewrite".into()),
        _ => None,
    };
    let shown = |keys: &Keys| secrecy::ExposeSecret::expose_secret(&keys.destination).to_owned();
    let reading = config.keys(false, &key_in).unwrap();
    assert_eq!(shown(&reading), "rk_live_newnewnew");
    assert_eq!(shown(&config.keys(true, &key_in).unwrap()), "rk_live_writewrite");
    assert!(!format!("{reading:?}").contains("newnewnew"));
    let same = config.keys(false, &|_| Some("rk_live_oldoldold".into()));
    assert_eq!(same.unwrap_err(), KeyError::SameKey);
}
