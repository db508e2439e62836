use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use std::path::PathBuf;

use super::*;

const OLD: &str = "rk_live_oldoldoldoldold";

fn file_with(mode: u32, content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let mut file = File::create(&path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(mode))
        .unwrap();
    (folder, path)
}

fn fetch(source: &KeySource, value: Option<&str>) -> Result<String, String> {
    let variable = |_: &str| value.map(OsString::from);
    source
        .fetch(Role::Source, Environment::Live, &variable)
        .map(|key| key.expose_secret().to_owned())
        .map_err(|error| error.to_string())
}

#[test]
fn a_key_comes_from_a_variable_a_private_file_or_a_command_and_is_trimmed() {
    let line = format!("{OLD}\n");
    let (_folder, path) = file_with(0o600, &line);
    let command = ["printf", "%s\\n", OLD].map(str::to_owned).to_vec();
    for source in [
        KeySource::Env("X".into()),
        KeySource::File(path),
        KeySource::Command(command),
    ] {
        assert_eq!(fetch(&source, Some(&line)), Ok(OLD.into()), "{source}");
    }
}

#[test]
fn a_file_that_others_can_read_or_that_is_a_link_is_refused() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let (_folder, path) = file_with(mode, OLD);
        assert!(
            fetch(&KeySource::File(path), None)
                .unwrap_err()
                .contains("chmod 600"),
            "{mode:o}"
        );
    }
    let (folder, path) = file_with(0o600, OLD);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(path, &link).unwrap();
    assert!(
        fetch(&KeySource::File(link), None)
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(
        fetch(&KeySource::File(folder.path().into()), None)
            .unwrap_err()
            .contains("not a file")
    );
    assert!(fetch(&KeySource::File(folder.path().join("none")), None).is_err());
}

#[test]
fn every_refusal_names_the_source_and_never_the_key() {
    let keys = [
        ("sk_test_secretsecret", "is a test key"),
        ("pk_live_secretsecret", "publishable"),
        ("whsec_secretsecret", "webhook secret"),
        ("rk_live_", "cut off"),
        ("rk_live_secret secret", "not alone"),
        ("sk_org_live_secretsecret", "does not begin"),
        ("secretsecret", "does not begin"),
    ];
    for (key, why) in keys {
        let said = fetch(&KeySource::Env("OLD_KEY".into()), Some(key)).unwrap_err();
        assert!(
            said.contains(why) && said.contains("OLD_KEY") && said.contains("source account"),
            "{said}"
        );
        assert!(
            !said.contains("secretsecret") && !said.contains("secret secret"),
            "{said}"
        );
    }
    assert!(
        fetch(&KeySource::Env("OLD_KEY".into()), None)
            .unwrap_err()
            .contains("not set")
    );
    assert!(
        fetch(&KeySource::Env("OLD_KEY".into()), Some("  "))
            .unwrap_err()
            .contains("empty")
    );
}

#[test]
fn a_command_that_fails_or_hangs_or_floods_gives_no_key() {
    let run = |words: &[&str], limit| {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        match from_command(&words, limit) {
            Err(Problem::Unavailable(why)) => why,
            other => panic!("{:?}", other.map(|_| "a key")),
        }
    };
    let long = Duration::from_secs(20);
    let leaky = "echo rk_live_leaked; echo rk_live_leaked >&2; exit 3";
    let failed = run(&["sh", "-c", leaky], long);
    assert!(
        failed.contains("exit status: 3") && !failed.contains("leaked"),
        "{failed}"
    );
    assert!(run(&["sleep", "60"], Duration::from_millis(50)).contains("was ended"));
    assert!(run(&["no-such-program-anywhere"], long).contains("cannot be started"));
    assert!(run(&["head", "-c", "9000", "/dev/zero"], long).contains("exactly one such secret"));
    assert!(run(&["true"], long).contains("exactly one such secret"));
}

#[test]
fn a_command_is_shown_by_its_program_only() {
    let source = KeySource::Command(vec!["pass".into(), "show".into(), "acme/stripe".into()]);
    assert_eq!(format!("{source:?}"), "the command pass");
}
