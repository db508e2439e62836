//! Names that try to command the terminal.

use cutover::domain::text::is_hostile;
use data_encoding::BASE64;

use super::night::LARGE;
use super::stream::Stream;
use super::support::cutover;
use super::terminal::Terminal;

/// As many customers as there are hostile names.
const SCENARIO: &str = "\
name = \"hostile\"
about = \"Everybody has a name that tries something\"
starts_at = 2026-02-14T05:00:00Z

[world]
movers = 14
paying = 14
stayers = 1
credits = 14
hostile_names = 14
";
const ROWS: usize = 14;
/// Final letters of control sequences that draw and move, and the modes that are switched.
const FINALS: &str = "ABCDGHJKdmqhlSTr";

#[test]
fn a_name_from_the_accounts_is_never_more_than_text() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.toml"), SCENARIO).unwrap();
    let mut command = cutover();
    command
        .current_dir(folder.path())
        .args(["rehearse", "--scenario", "hostile.toml", "--run", "night"]);
    let mut terminal = Terminal::start(&command, LARGE);
    terminal.wait_for("r scan");
    terminal.press("3r");
    // Rows come while reading goes on, and the one that is looked at may then stand anywhere.
    terminal.wait_for("REVIEW   plan ");
    terminal.press("g");
    terminal.wait_for(&format!("Changes   1 of {ROWS}"));
    for row in 2..=ROWS {
        terminal.press("j");
        terminal.wait_for(&format!("Changes   {row} of {ROWS}"));
    }
    terminal.press("\r");
    terminal.wait_for("Your call");
    for _ in 1..ROWS {
        terminal.press("k");
    }
    terminal.press("/PWNED\r");
    terminal.wait_for("<1b>[2J<1b>[31");
    obeys_nobody(&Stream::of(&terminal.sent));

    // Asked for, the clipboard gets an id, once.
    terminal.press("y");
    terminal.wait_for("i id cus_");
    let without = terminal.sent.len();
    terminal.press("i");
    terminal.wait_gone("i id cus_");
    terminal.leave(3);
    let stream = Stream::of(&terminal.sent[..without]);
    obeys_nobody(&stream);
    let stream = Stream::of(&terminal.sent);
    let copied: Vec<&str> = stream
        .osc
        .iter()
        .filter_map(|osc| osc.strip_prefix("52;c;"))
        .collect();
    let [copied] = copied[..] else {
        panic!("copied: {copied:?}");
    };
    let copied = String::from_utf8(BASE64.decode(copied.as_bytes()).unwrap()).unwrap();
    assert!(copied.starts_with("cus_") && copied.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()));
}

/// Nothing in it but what this program means to send.
fn obeys_nobody(stream: &Stream) {
    let title = |osc: &&String| {
        osc.strip_prefix("2;")
            .is_some_and(|title| title.starts_with("cutover"))
    };
    let strange: Vec<&String> = stream.osc.iter().filter(|osc| !title(osc)).collect();
    assert_eq!(strange, [""; 0], "operating system commands");
    assert_eq!(stream.other, [""; 0], "escapes");
    let strange: Vec<&String> = stream
        .csi
        .iter()
        .filter(|csi| !csi.ends_with(|c| FINALS.contains(c)))
        .collect();
    assert_eq!(strange, [""; 0], "control sequences");
    let hostile: String = stream
        .text
        .chars()
        .filter(|c| !"\r\n".contains(*c) && is_hostile(*c))
        .collect();
    assert_eq!(hostile, "", "characters that are obeyed or cannot be seen");
}
