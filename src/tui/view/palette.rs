//! Help and palette: the list of actions, searched.

use tui_input::Input;

use crate::tui::action::{Action, Danger};
use crate::tui::model::Model;
use crate::tui::rows::ListPos;
use crate::tui::theme::Meaning;
use crate::tui::update::dialogs::palette_lines;
use crate::tui::view::layout;
use crate::tui::view::pen::Pen;

/// Draws it over the screen.
pub fn draw(model: &Model, input: &Input, help: bool, list: ListPos, pen: &mut Pen<'_>) {
    let set = pen.look.glyphs.border(None);
    let style = pen.style(Meaning::BorderFocus);
    let area = layout::list_box(pen.area());
    let mut over = pen.on(area);
    over.clear();
    let title = if help {
        format!("Help: {}", model.screen_place().word())
    } else {
        "Actions".to_owned()
    };
    let mut inner = over.boxed(&title, "Esc back", set, style);
    let x = inner.text(1, 0, "search: ", inner.style(Meaning::Key));
    let x = inner.text(x, 0, input.value(), inner.style(Meaning::Input));
    let x = inner.text(x, 0, "_", inner.style(Meaning::Strong));
    inner.text(
        x,
        0,
        "   Enter runs the line   Ctrl-C stops writes",
        inner.style(Meaning::Quiet),
    );
    let lines = palette_lines(model);
    let room = inner.height().saturating_sub(4);
    for (y, (at, action)) in (1..=room).zip(lines.iter().enumerate().skip(list.top)) {
        line(model, &mut inner, y, action);
        if at == list.cursor {
            inner.paint(y, inner.style(Meaning::Cursor));
        }
    }
    explain(
        model,
        &mut inner,
        room,
        lines.get(list.cursor).copied(),
        lines.len(),
    );
}

fn line(model: &Model, pen: &mut Pen<'_>, y: u16, action: &Action) {
    let off = (action.enabled)(model).is_err();
    let plain = pen.style(if off { Meaning::Quiet } else { Meaning::Plain });
    pen.text_in(2, y, 14, &action.key_labels(), pen.style(Meaning::Key));
    pen.text_in(17, y, 15, action.name, plain);
    let (word, meaning) = danger(action.danger);
    pen.text(33, y, word, pen.style(meaning));
    pen.text(41, y, action.explains, plain);
}

/// The whole sentence of the line under the cursor, and why it cannot be done now.
fn explain(model: &Model, pen: &mut Pen<'_>, room: u16, action: Option<&Action>, lines: usize) {
    let plain = pen.style(Meaning::Plain);
    let Some(action) = action else {
        pen.text(2, 1, "No action has these words.", plain);
        return;
    };
    let set = pen.look.glyphs.border(None);
    let border = pen.style(Meaning::Border);
    pen.rule(
        room + 1,
        &format!("{}   {lines} actions", action.name),
        set,
        border,
    );
    let text = match (action.enabled)(model) {
        Ok(()) => action.explains.to_owned(),
        Err(why) => format!("{} Off now: {why}.", action.explains),
    };
    pen.wrapped(2, room + 2, 2, &text, plain);
}

const fn danger(danger: Danger) -> (&'static str, Meaning) {
    match danger {
        Danger::None | Danger::Moves => ("", Meaning::Quiet),
        Danger::Reads => ("reads", Meaning::Plain),
        Danger::Decides => ("decides", Meaning::Attention),
        Danger::Writes => ("WRITES", Meaning::Bad),
        Danger::Leaves => ("leaves", Meaning::Attention),
    }
}
