//! The main screen.
//!
//! ```text
//! cutover  old → new    REHEARSAL   writes armed: none                      00:04:52 UTC
//! ┌ Stages ──────┐┌ Credits ─────────────────────────────────── REVIEW  plan 7f3a-91c2 ┐
//! │              ││ headline, checks                                                   │
//! │── Needs you ─││── Changes ─────────────────────────────────────────────────────────│
//! │── Budget ────││── the row under the cursor ────────────────────────────────────────│
//! └──────────────┘└────────────────────────────────────────────────────────────────────┘
//! ┌ Journal ───────────────────────────────────────────────────────────────────────────┐
//! └────────────────────────────────────────────────────────────────────────────────────┘
//!  a word on what was heard, or what needs you
//!  keys                                                                           ? help
//! ```

use crate::tui::model::{Model, Pane};
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::view::{budget, changes, detail, header, hints, journal, layout, panel, stages, status};

/// Draws it.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    let stages = u16::try_from(model.state.stages.len()).unwrap_or(u16::MAX);
    let at = layout::board(pen.area(), stages);
    header::draw(model, &mut pen.on(at.header), "");
    boxes(model, pen, &at);
    stages::draw(model, &mut pen.on(at.stages));
    stages::needs(model, &mut pen.on(at.needs));
    budget::draw(model, &mut pen.on(at.budget));
    panel::draw(model, &mut pen.on(at.claims), at.right.is_none());
    changes::draw(model, &mut pen.on(at.table));
    detail::draw(model, &mut pen.on(at.detail));
    journal::draw(model, &mut pen.on(at.journal), at.left.is_some());
    status::draw(model, &mut pen.on(at.status));
    hints::draw(model, &mut pen.on(at.hints));
}

fn boxes(model: &Model, pen: &mut Pen<'_>, at: &layout::Board) {
    let set = pen.look.glyphs.border(model.environment());
    let style = |panes: &[Pane]| {
        let focused = panes.contains(&model.pane);
        model.look.theme.of(if focused {
            Meaning::BorderFocus
        } else {
            Meaning::Border
        })
    };
    if let Some(left) = at.left {
        pen.on(left)
            .boxed("Stages", "", set, style(&[Pane::Stages, Pane::Budget]));
    }
    if let Some(right) = at.right {
        let (title, state) = panel::headings(model);
        pen.on(right).boxed(&title, &state, set, style(&[Pane::Changes]));
    }
}
