//! The same on a real file system.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::engine::journal::{Dir, RESERVE_BYTES, read, verify};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn private_dir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o700);
    dir
}

fn real(dir: &TempDir) -> Files {
    Arc::new(Dir::open(dir.path()).unwrap())
}

#[tokio::test]
async fn a_real_directory_keeps_a_journal_that_only_its_owner_can_read() {
    let dir = private_dir();
    let files = real(&dir);
    create(&files).unwrap();
    let opened = open::<Rec>(files.clone(), |_| {}).unwrap();
    opened
        .journal
        .append_all(&[note(0), note(1)], UtcMs(5))
        .await
        .unwrap();
    let head = opened.journal.head();
    drop(opened);
    for entry in fs::read_dir(dir.path()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    assert_eq!(
        fs::metadata(dir.path().join("journal.reserve")).unwrap().len(),
        RESERVE_BYTES
    );
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.head, report.records, report.segments), (head, 2, 1));
    let seen: Vec<_> = read::<Rec>(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().record)
        .collect();
    assert_eq!(seen, [note(0), note(1)]);

    let segment = dir.path().join(SEGMENT);
    let whole = fs::read(&segment).unwrap();
    fs::write(&segment, &whole[..whole.len() - 2]).unwrap();
    let again = open::<Rec>(files.clone(), |_| {}).unwrap();
    assert_eq!(again.torn.as_ref().unwrap().after, Seq(1));
    again.journal.append(&note(1), UtcMs(5)).await.unwrap();
    files.rename("journal.torn-1", "aside").unwrap();
    files.remove("aside").unwrap();
    assert_eq!(files.len("aside").unwrap(), None);
    drop(again);
    assert_eq!(verify(dir.path()).unwrap().records, 2);
}

#[test]
fn what_others_could_read_or_change_is_refused() {
    let dir = private_dir();
    let files = real(&dir);
    create(&files).unwrap();
    let link = dir.path().join("link");
    symlink(dir.path().join(SEGMENT), &link).unwrap();
    assert!(files.open_read("link").is_err(), "a symbolic link");
    assert!(Dir::open(&link).is_err(), "not a directory");
    set_mode(&dir.path().join(SEGMENT), 0o640);
    let e = verify(dir.path()).unwrap_err().to_string();
    assert!(e.contains("mode 0640") && e.contains("chmod 600"), "{e}");
    set_mode(dir.path(), 0o710);
    let e = verify(dir.path()).unwrap_err().to_string();
    assert!(e.contains("mode 0710") && e.contains("chmod 700"), "{e}");
    assert!(matches!(
        verify(&dir.path().join("none")),
        Err(JournalError::Missing { .. })
    ));
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    let dir = private_dir();
    // Only root can give a directory away; everybody else finds one that is root's.
    let given = rustix::fs::chown(dir.path(), Some(rustix::fs::Uid::from_raw(1)), None);
    let path = if given.is_ok() { dir.path() } else { Path::new("/") };
    let e = Dir::open(path).err().unwrap().to_string();
    assert!(e.contains("belongs to user id"), "{e}");
}

#[test]
fn the_guard_lives_as_long_as_anything_of_the_directory() {
    let dir = private_dir();
    let guard = Arc::new(());
    let files: Files = Arc::new(Dir::open(dir.path()).unwrap().holding(guard.clone()));
    create(&files).unwrap();
    let opened = open::<Rec>(files, |_| {}).unwrap();
    assert!(Arc::strong_count(&guard) > 1);
    drop(opened);
    assert_eq!(
        Arc::strong_count(&guard),
        1,
        "the thread has ended and closed its files"
    );
}
