//! One writer, and who it is.

use std::io;
use std::io::Read as _;

use super::*;

#[test]
fn a_second_writer_is_told_who_has_the_run_and_may_look() {
    let (_parent, path) = created();
    let (run, _) = open(&path).unwrap();
    let e = refusal(&path);
    let pid = std::process::id();
    assert!(
        e.contains(&format!("process {pid}, since 2026-02-14T00:03:10.207Z")),
        "{e}"
    );
    assert!(e.contains("cutover status --run"), "{e}");
    assert_eq!(
        RunView::open::<Meta>(&path).unwrap().0.holder().as_ref(),
        Some(run.lock().holder())
    );
    fs::remove_file(path.join("LOCK")).unwrap();
    let e = refusal(&path);
    assert!(
        e.contains("a process that has not yet said which it is"),
        "removing the file does not help: {e}"
    );
    drop(run);
    let (run, _) = open(&path).unwrap();
    assert_eq!(
        run.lock().previous_holder(),
        None,
        "the holder before gave it back"
    );
    assert_eq!(run.lock().holder().token, "b");
}

#[test]
fn the_lock_lasts_as_long_as_the_journal() {
    let (_parent, path) = created();
    let (run, _) = open(&path).unwrap();
    let opened = run.open_journal::<Meta>(|_| {}).unwrap();
    let snapshot = run.start_snapshot("s").unwrap();
    drop(run);
    refusal(&path);
    drop(opened);
    refusal(&path);
    drop(snapshot);
    open(&path).unwrap();
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn a_process_that_holds_the_lock_until_killed() {
    let Some(path) = std::env::var_os("CUTOVER_TEST_HOLD") else {
        return;
    };
    let _held = open(Path::new(&path)).unwrap();
    println!("held");
    // Ends when the parent goes away, should it fail to kill.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_killed_holder_leaves_its_name_but_not_its_lock() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let (_parent, path) = created();
    let name = "engine::rundir::tests::lock::a_process_that_holds_the_lock_until_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("CUTOVER_TEST_HOLD", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("held")));
    let e = refusal(&path);
    assert!(e.contains(&format!("process {}", child.id())), "{e}");
    child.kill().unwrap();
    child.wait().unwrap();
    let (run, _) = open(&path).unwrap();
    let previous = run.lock().previous_holder().unwrap();
    assert_eq!((previous.pid, previous.token.as_str()), (child.id(), "b"));
    assert_eq!(previous.host, run.lock().holder().host);
}
