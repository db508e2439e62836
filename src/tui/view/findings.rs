//! The list of findings of a stage: customer, rule, reason; the whole sentence of the one under the cursor below.

use ratatui::layout::Rect;

use crate::domain::finding::{Finding, Severity};
use crate::domain::money::count;
use crate::tui::glyphs::Glyphs;
use crate::tui::model::Model;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::view::{header, hints, panel, review, status};
use crate::tui::words;

/// Draws it.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    let area = pen.area();
    let (title, _) = panel::headings(model);
    let trail = review::trail(pen, &title, "findings");
    header::draw(model, &mut pen.on(Rect { height: 2, ..area }), &trail);
    let line = |up: u16| Rect {
        y: area.bottom().saturating_sub(up),
        height: 1,
        ..area
    };
    status::draw(model, &mut pen.on(line(2)));
    hints::draw(model, &mut pen.on(line(1)));
    let main = Rect {
        y: area.y + 2,
        height: area.height.saturating_sub(4),
        ..area
    };
    let set = pen.look.glyphs.border(model.environment());
    let style = pen.style(Meaning::BorderFocus);
    let found = model
        .stage_state()
        .map_or(&[][..], |stage| stage.findings.as_slice());
    let heading = format!("Findings   {}", count(found.len()));
    list(
        model,
        found,
        &mut pen.on(main).boxed(&heading, &audited(model), set, style),
    );
}

fn audited(model: &Model) -> String {
    let audited = model.stage_state().and_then(|stage| stage.audited);
    audited.map_or_else(
        || "not verified yet".to_owned(),
        |(rows, at)| {
            format!(
                "{} compared {}",
                words::many(rows, "row"),
                words::ago(model.now, at)
            )
        },
    )
}

fn list(model: &Model, found: &[Finding], pen: &mut Pen<'_>) {
    let rows = pen.height().saturating_sub(4);
    let top = model.findings.top;
    for (y, (at, finding)) in (0..rows).zip(found.iter().enumerate().skip(top)) {
        let (sign, word, meaning) = severity(finding.severity, &pen.look.glyphs);
        let style = pen.style(meaning);
        pen.text(2, y, &format!("{sign} {word}"), style);
        let plain = pen.style(Meaning::Plain);
        pen.text_in(14, y, 18, &words::id(&finding.customer), plain);
        pen.text_in(33, y, 30, &finding.rule, plain);
        let reason = pen.width().min(64);
        pen.text(reason, y, &finding.reason, plain);
        if at == model.findings.cursor {
            let cursor = pen.look.glyphs.cursor;
            pen.text(0, y, cursor, pen.style(Meaning::Strong));
            pen.paint(y, pen.style(Meaning::Cursor));
        }
    }
    let set = pen.look.glyphs.border(model.environment());
    let border = pen.style(Meaning::Border);
    if let Some(finding) = found.get(model.findings.cursor) {
        pen.rule(
            rows,
            &format!("{}   {}", finding.customer, finding.rule),
            set,
            border,
        );
        pen.wrapped(1, rows + 1, 3, &finding.reason, pen.style(Meaning::Plain));
    }
}

const fn severity(severity: Severity, glyphs: &Glyphs) -> (&'static str, &'static str, Meaning) {
    match severity {
        Severity::Note => (glyphs.waits, "note", Meaning::Quiet),
        Severity::Warn => (glyphs.attention, "warn", Meaning::Attention),
        Severity::Differs => (glyphs.failed, "DIFFERS", Meaning::Bad),
    }
}
