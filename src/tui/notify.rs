//! Calling the operator: the terminal's title always, bell and notification only when the window is not looked at.
//! Both are made of fixed words and counts, never of anything that came with data.

use crate::domain::panel::Tone;
use crate::engine::state::Phase;
use crate::tui::model::Model;
use crate::tui::msg::Cmd;
use crate::tui::needs;

/// What has to be told to the terminal after a message.
pub fn changes(model: &mut Model) -> Vec<Cmd> {
    let mut cmds = Vec::new();
    let title = title(model);
    if title != model.title {
        model.title.clone_from(&title);
        cmds.push(Cmd::Title(title));
    }
    let needs = needs::of(&model.latest, &model.views)
        .iter()
        .filter(|need| need.tone != Tone::Quiet)
        .count();
    if needs > model.rung && !model.focused {
        cmds.push(Cmd::Ring(format!("cutover: {needs} things need you")));
    }
    model.rung = needs;
    cmds
}

/// `cutover REVIEW 14 blocked`, `cutover WRITING 69%`.
fn title(model: &Model) -> String {
    let Some(stage) = model.latest.stages.get(model.stage) else {
        return "cutover".to_owned();
    };
    let word = stage.phase.word().to_uppercase();
    let totals = stage.plan.as_ref().map(|plan| plan.totals());
    let more = match (&stage.phase, totals) {
        (Phase::Review, Some(totals)) => format!(" {} blocked", totals.blocked),
        (Phase::Writing, Some(totals)) if totals.planned > 0 => {
            format!(" {}%", stage.tally.ended() * 100 / totals.planned)
        }
        _ => String::new(),
    };
    let paused = if model.latest.paused.is_some() {
        " PAUSED"
    } else {
        ""
    };
    format!("cutover {}{paused} {word}{more}", model.stage + 1)
}

/// The bytes that set the title.
#[must_use]
pub fn title_bytes(title: &str) -> Vec<u8> {
    escape("\x1b]2;", &plain(title), "\x07", false)
}

/// The bytes of a bell and a notification (OSC 9).
#[must_use]
pub fn ring_bytes(text: &str, tmux: bool) -> Vec<u8> {
    let mut bytes = vec![7];
    bytes.extend(escape("\x1b]9;", &plain(text), "\x07", tmux));
    bytes
}

/// The bytes that put text on the clipboard (OSC 52). The text travels in base 64, so it cannot end the sequence.
#[must_use]
pub fn copy_bytes(text: &str, tmux: bool) -> Vec<u8> {
    escape(
        "\x1b]52;c;",
        &data_encoding::BASE64.encode(text.as_bytes()),
        "\x07",
        tmux,
    )
}

/// Letters, digits and simple signs only: whatever somebody will one day put into a title, it cannot be obeyed.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || " %:.,-".contains(*c))
        .collect()
}

/// tmux hands a sequence on only when wrapped, with its escapes doubled.
fn escape(begin: &str, text: &str, end: &str, tmux: bool) -> Vec<u8> {
    let whole = format!("{begin}{text}{end}");
    if tmux {
        return format!("\x1bPtmux;{}\x1b\\", whole.replace('\x1b', "\x1b\x1b")).into_bytes();
    }
    whole.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_title_or_a_notification_can_be_obeyed() {
        let hostile = "a\x1b]0;b\x07\u{9b}c\n";
        assert_eq!(title_bytes(hostile), b"\x1b]2;a0bc\x07");
        let ring = ring_bytes(hostile, false);
        assert_eq!(ring, b"\x07\x1b]9;a0bc\x07");
    }

    #[test]
    fn copied_text_is_wrapped_for_tmux() {
        assert_eq!(copy_bytes("hi", false), b"\x1b]52;c;aGk=\x07");
        assert_eq!(copy_bytes("hi", true), b"\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
    }
}
