//! Who may use a run directory, and what survives.

mod lock;

use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::domain::time::UtcMs;
use crate::engine::journal::Seq;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Meta {
    seed: u64,
}

fn accounts() -> Accounts {
    Accounts {
        source: "acct_old".into(),
        destination: "acct_new".into(),
        mode: "test".into(),
    }
}

fn header() -> Header<Meta> {
    Header::new("run_1", UtcMs(5), accounts(), Meta { seed: 7 })
}

fn claim(token: &str) -> Claim {
    Claim {
        token: token.into(),
        since: UtcMs(1_771_027_390_207),
    }
}

/// A place for a run directory, private and gone after the test.
fn place() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("deep").join("run");
    (parent, path)
}

fn created() -> (TempDir, PathBuf) {
    let (parent, path) = place();
    RunDir::create(&path, &header(), &claim("a")).unwrap();
    (parent, path)
}

fn open(path: &Path) -> Result<(RunDir, Header<Meta>), RunDirError> {
    RunDir::open(path, Some(&accounts()), &claim("b"))
}

fn refusal(path: &Path) -> String {
    open(path).err().expect("refused").to_string()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_run_is_created_private_and_opened_again_with_what_it_knew() {
    let (_parent, path) = created();
    for (name, mode) in [
        ("", 0o700),
        (PLANS, 0o700),
        (SNAPSHOTS, 0o700),
        (HEADER, 0o600),
        ("LOCK", 0o600),
        ("journal-000001.jsonl", 0o600),
    ] {
        assert_eq!(
            fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777,
            mode,
            "{name}"
        );
    }
    let (run, found) = open(&path).unwrap();
    assert_eq!(found, header());
    assert_eq!(found.format, RUN_FORMAT);
    assert_eq!(run.lock().previous_holder(), None);
    let opened = run.open_journal::<Meta>(|_| {}).unwrap();
    opened.journal.append(&Meta { seed: 1 }, UtcMs(9)).await.unwrap();
    let (view, _) = RunView::open::<Meta>(&path).unwrap();
    assert_eq!(view.verify_journal().unwrap().head, opened.journal.head());
    let seeds: Vec<_> = view
        .read_journal::<Meta>()
        .unwrap()
        .map(|entry| entry.unwrap().record.seed)
        .collect();
    assert_eq!((seeds, view.path()), (vec![1], path.as_path()));
}

#[test]
fn other_accounts_modes_and_newer_formats_are_refused_with_both_named() {
    let (_parent, path) = created();
    for changed in [
        Accounts {
            source: "acct_new".into(),
            destination: "acct_old".into(),
            ..accounts()
        },
        Accounts {
            mode: "live".into(),
            ..accounts()
        },
    ] {
        let e = RunDir::open::<Meta>(&path, Some(&changed), &claim("b"))
            .err()
            .unwrap()
            .to_string();
        assert!(e.contains("acct_old → acct_new (test), not of acct_"), "{e}");
    }
    RunDir::open::<Meta>(&path, None, &claim("b")).unwrap();
    let text = fs::read_to_string(path.join(HEADER)).unwrap();
    fs::write(path.join(HEADER), text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let e = refusal(&path);
    assert!(
        e.contains("run format 2 (cutover 0.1.0), this version reads up to 1"),
        "{e}"
    );
    assert!(RunView::open::<Meta>(&path).is_err());
    for damaged in [
        text.replace("\"seed\": 7", "\"seed\": -7"),
        text[..text.len() / 2].to_owned(),
        String::new(),
    ] {
        fs::write(path.join(HEADER), damaged).unwrap();
        assert!(refusal(&path).contains("is damaged"));
    }
}

#[test]
fn what_is_not_private_or_not_a_run_is_refused() {
    let (parent, path) = created();
    let link = parent.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(refusal(&link).contains("symbolic link"));
    assert!(refusal(&link.join("")).contains("symbolic link"));
    assert!(refusal(&path.join(HEADER)).contains("wrong kind of file"));
    assert!(refusal(&parent.path().join("none")).contains("is not there"));
    set_mode(&path, 0o750);
    assert!(refusal(&path).contains("chmod 700"));
    set_mode(&path, 0o700);
    for name in [HEADER, "LOCK"] {
        set_mode(&path.join(name), 0o644);
        assert!(refusal(&path).contains("chmod 600"), "{name}");
        set_mode(&path.join(name), 0o600);
    }
    set_mode(&path.join(PLANS), 0o755);
    assert!(refusal(&path).contains("plans is not private"));
    set_mode(&path.join(PLANS), 0o700);
    fs::remove_file(path.join(HEADER)).unwrap();
    assert!(refusal(&path).contains("has no run.json"));
    symlink("/etc/passwd", path.join(HEADER)).unwrap();
    assert!(refusal(&path).contains("symbolic link"));
}

#[test]
fn a_run_is_created_over_an_interrupted_creation_but_over_nothing_else() {
    let (_parent, path) = created();
    let again = || RunDir::create(&path, &header(), &claim("c"));
    assert!(matches!(again(), Err(RunDirError::Exists { .. })));
    fs::write(path.join("journal.reserve"), "").unwrap();
    assert!(matches!(again(), Err(RunDirError::Exists { .. })));
    fs::remove_file(path.join(HEADER)).unwrap();
    assert!(matches!(again(), Err(RunDirError::NotEmpty { name, .. }) if name == "journal.reserve"));
    fs::remove_file(path.join("journal.reserve")).unwrap();
    let segment = path.join("journal-000001.jsonl");
    fs::write(&segment, "something").unwrap();
    set_mode(&segment, 0o640);
    assert!(matches!(again(), Err(RunDirError::Journal(_))));
    set_mode(&segment, 0o600);
    fs::write(&segment, "").unwrap();
    fs::write(path.join("run.json.partial"), "{").unwrap();
    drop(again().unwrap());
    open(&path).unwrap();
    assert!(!path.join("run.json.partial").exists());
}

#[test]
fn a_header_that_is_no_object_leaves_no_run() {
    let (_parent, path) = place();
    let bad = Header::new("r", UtcMs(0), accounts(), 7);
    assert!(matches!(
        RunDir::create(&path, &bad, &claim("a")),
        Err(RunDirError::BadHeader { .. })
    ));
    assert!(refusal(&path).contains("has no run.json"));
    let under_a_file = path.join("LOCK").join("run");
    assert!(matches!(
        RunDir::create(&under_a_file, &header(), &claim("a")),
        Err(RunDirError::Io { .. })
    ));
}

#[test]
fn plans_snapshots_and_files_are_kept_and_plans_never_change() {
    let (_parent, path) = created();
    let (run, _) = open(&path).unwrap();
    let stored = run.store_plan("0abc", &|out| out.write_all(b"{}\n")).unwrap();
    run.store_plan("0abc", &|out| out.write_all(b"{}\n")).unwrap();
    assert_eq!(stored, path.join("plans/0abc.jsonl"));
    assert!(matches!(
        run.store_plan("0abc", &|out| out.write_all(b"{ }\n")),
        Err(RunDirError::Differs { .. })
    ));
    for other in ["", "{}", "{}\n{}\n"] {
        let stored = run.store_plan("0abc", &|out| out.write_all(other.as_bytes()));
        assert!(matches!(stored, Err(RunDirError::Differs { .. })), "{other}");
    }
    let lines: Vec<_> = run.view().read_plan("0abc").unwrap().lines().collect();
    assert!(matches!(&lines[..], [Ok(line)] if line == "{}"));
    assert!(matches!(
        run.view().read_plan("1"),
        Err(RunDirError::Missing { .. })
    ));

    let mut snapshot = run.start_snapshot("credits").unwrap();
    snapshot.write(&Meta { seed: 3 }, UtcMs(0)).unwrap();
    let head = snapshot.finish().unwrap();
    assert_eq!(head.seq, Seq(1));
    let mut reader = run.view().read_snapshot::<Meta>("credits").unwrap();
    assert_eq!(reader.next().unwrap().unwrap().record, Meta { seed: 3 });
    assert!(reader.next().is_none());
    assert_eq!(reader.head(), head);

    run.store_file("world.json", b"1").unwrap();
    run.store_file("world.json", b"2").unwrap();
    assert_eq!(run.view().read_file("world.json").unwrap(), b"2");
    for name in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a b",
        "run.json",
        "LOCK",
        "plans",
        "journal-000002.jsonl",
        &"x".repeat(200),
    ] {
        assert!(
            matches!(run.store_file(name, b""), Err(RunDirError::BadName { .. })),
            "{name}"
        );
    }
    assert!(run.store_plan("../x", &|_| Ok(())).is_err() && run.start_snapshot("../x").is_err());
}

#[test]
fn network_file_systems_are_known_by_number_and_user_space_ones_by_their_mount() {
    assert_eq!(netfs::judge(0x6969, None).as_deref(), Some("NFS"));
    assert_eq!(netfs::judge(0xff53_4d42, None).as_deref(), Some("CIFS"));
    for (magic, name) in [
        (0xef53, "ext4"),
        (0x0102_1994, "tmpfs"),
        (0x9123_683e, "btrfs"),
        (0x794c_7630, "overlay"),
    ] {
        assert_eq!(netfs::judge(magic, None), None, "{name}");
    }
    let fuse = 0x6573_5546;
    let table = "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw\n\
                 nonsense\n\
                 40 35 0:52 / /home/me/far rw - fuse.sshfs me@far: rw\n\
                 41 35 0:53 / /media/stick rw - fuseblk /dev/sdb1 rw\n";
    assert_eq!(
        netfs::judge(fuse, netfs::mounted_as(table, (0, 52))).as_deref(),
        Some("fuse.sshfs")
    );
    assert_eq!(netfs::judge(fuse, netfs::mounted_as(table, (0, 53))), None);
    assert_eq!(
        netfs::judge(fuse, netfs::mounted_as(table, (9, 9))).as_deref(),
        Some("fuse")
    );
    let e = RunDirError::Network {
        path: "/far/run".into(),
        kind: "NFS".into(),
    }
    .to_string();
    assert!(e.starts_with("/far/run is on a network file system (NFS)"), "{e}");
}
