//! The journal pane: the truth as it is written, newest last.

use crate::domain::money::count;
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;

/// Draws the lines that fit, with a border or under a heading.
pub fn draw(model: &Model, pen: &mut Pen<'_>, boxed: bool) {
    let set = pen.look.glyphs.border(model.environment());
    let focused = model.pane == Pane::Journal;
    let style = pen.style(if focused {
        Meaning::BorderFocus
    } else {
        Meaning::Border
    });
    let state = match model.journal.back {
        0 => "follow".to_owned(),
        back => format!("{} newer below, End follows", count(back)),
    };
    if boxed {
        lines(model, &mut pen.boxed("Journal", &state, set, style));
    } else {
        pen.rule(0, &format!("Journal   {state}"), set, style);
        let area = pen.area();
        lines(
            model,
            &mut pen.on(ratatui::layout::Rect {
                y: area.y + 1,
                height: area.height.saturating_sub(1),
                ..area
            }),
        );
    }
}

fn lines(model: &Model, pen: &mut Pen<'_>) {
    let log = &model.state.log;
    let end = log.len().saturating_sub(model.journal.back);
    let begin = end.saturating_sub(usize::from(pen.height()));
    let wide = pen.width() >= 110;
    for (y, line) in (0..).zip(log.range(begin..end)) {
        let at = line
            .at
            .datetime()
            .format(if wide { "%H:%M:%S%.3f" } else { "%H:%M:%S" })
            .to_string();
        let x = pen.text(1, y, &at, pen.style(Meaning::Quiet)) + 2;
        let stage = line.stage.map_or("", crate::domain::ids::StageId::word);
        pen.text_in(x, y, 14, stage, pen.style(Meaning::Plain));
        let tone = pen.look.theme.tone(line.tone);
        pen.text(x + if wide { 16 } else { 10 }, y, &line.text, tone);
    }
    if log.is_empty() {
        pen.text(1, 0, "Nothing written yet.", pen.style(Meaning::Quiet));
    }
}
