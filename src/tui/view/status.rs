//! One line between the screen and the keys: what was said, what was heard, what holds things up.

use ratatui::style::Style;

use crate::domain::panel::Tone;
use crate::tui::model::{Dialog, Model};
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::{enabled, needs, words};

/// Draws the most important of them.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    if let Some(Dialog::Filter { input, .. }) = &model.dialog {
        return filter(pen, input);
    }
    let (text, style) = line(model, pen);
    pen.text(1, 0, &text, style);
}

fn line(model: &Model, pen: &Pen<'_>) -> (String, Style) {
    let tone = |tone| pen.look.theme.tone(tone);
    if let Some(notice) = &model.notice {
        return (format!("{}   (Esc dismisses)", notice.text), tone(notice.tone));
    }
    if let Some(ack) = &model.ack {
        return (ack.clone(), pen.style(Meaning::Strong));
    }
    if let Some(by) = &model.latest.paused {
        let flying = words::in_flight(&model.latest);
        let air = if flying == 0 {
            "nothing is in flight".to_owned()
        } else {
            format!("{} still in flight", words::requests(flying))
        };
        return (
            format!(
                "{} PAUSED by {by}: {air}; Space goes on",
                model.look.glyphs.paused
            ),
            tone(Tone::Attention),
        );
    }
    let mut needs = needs::of(&model.state, &model.views);
    if let Some(off) = approve_off(model) {
        return (off, tone(Tone::Attention));
    }
    if needs.is_empty() {
        return (String::new(), Style::new());
    }
    let first = needs.remove(0);
    let more = if needs.is_empty() {
        String::new()
    } else {
        format!("   and {} more", needs.len())
    };
    (
        format!("{} {}{more}", model.look.glyphs.attention, first.text),
        tone(first.tone),
    )
}

/// While a plan is in review: why it cannot be approved yet.
fn approve_off(model: &Model) -> Option<String> {
    let stage = model.stage_state()?;
    if stage.phase != crate::engine::state::Phase::Review {
        return None;
    }
    enabled::approve(model)
        .err()
        .map(|why| format!("Approve is off: {why}"))
}

fn filter(pen: &mut Pen<'_>, input: &tui_input::Input) {
    let x = pen.text(1, 0, "filter: ", pen.style(Meaning::Key));
    let typed = pen.style(Meaning::Input);
    let x = pen.text(x, 0, input.value(), typed);
    let x = pen.text(x, 0, "_", pen.style(Meaning::Cursor));
    let help = "   words, verdict: rule: risk: status: code: currency:   Ctrl-C stops writes";
    pen.text(x, 0, help, pen.style(Meaning::Quiet));
}
