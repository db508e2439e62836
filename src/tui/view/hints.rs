//! The most useful keys of the place, read from the list of actions. `? help` has a cell of its own and is never cut.

use crate::tui::action::{ACTIONS, Action};
use crate::tui::model::Model;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{Pen, width};

/// Draws them.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    let (key, quiet) = (pen.style(Meaning::Key), pen.style(Meaning::Quiet));
    let help = match (model.place().is_text(), model.dialog.is_some()) {
        (true, _) => "Ctrl-C stops writes",
        (false, true) => "Esc go back",
        (false, false) => "? help  q leave",
    };
    let room = pen.right(1, 0, help, key).saturating_sub(2);
    let mut x = 1;
    for action in hints(model) {
        let label = action.key_label();
        let needed = width(&label) + 1 + width(action.name);
        if x + needed > room {
            continue;
        }
        let off = (action.enabled)(model).is_err();
        x = pen.text(x, 0, &label, if off { quiet } else { key }) + 1;
        x = pen.text(
            x,
            0,
            action.name,
            if off { quiet } else { pen.style(Meaning::Plain) },
        ) + 2;
    }
}

/// Those that can be done now come first; what cannot is shown as far as there is room.
fn hints(model: &Model) -> Vec<&'static Action> {
    let place = model.place();
    let mut hints: Vec<&Action> = ACTIONS
        .iter()
        .filter(|action| action.hint > 0 && action.places.contains(&place))
        .collect();
    hints.sort_by_key(|action| ((action.enabled)(model).is_err(), action.hint));
    hints
}
