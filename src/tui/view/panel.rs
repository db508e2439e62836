//! The claim of the selected stage: its totals and its checks, or, before it has run, what it will read.

use crate::domain::ids::Role;
use crate::domain::panel::{Check, Tone};
use crate::domain::text::safe;
use crate::domain::upload::Upload;
use crate::engine::state::Phase;
use crate::tui::model::Model;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{Pen, width};
use crate::tui::words;

/// The heading of the panel, and where the stage is.
#[must_use]
pub fn headings(model: &Model) -> (String, String) {
    let Some(stage) = model.stage_state() else {
        return (String::new(), String::new());
    };
    let title = model.view().map_or("", |view| view.panel.title.as_str());
    let title = if title.is_empty() { stage.id.word() } else { title };
    let word = words::phase(stage, model.state.paused.is_some(), &model.look.glyphs).word;
    let plan = stage
        .plan
        .as_ref()
        .map(|plan| format!("   plan {}", plan.digest().spoken()))
        .unwrap_or_default();
    (format!("{} {title}", model.stage + 1), format!("{word}{plan}"))
}

/// Draws headline and checks; with a heading of its own where there is no box around it.
pub fn draw(model: &Model, pen: &mut Pen<'_>, heading: bool) {
    let mut y = 0;
    if heading {
        let (title, state) = headings(model);
        let set = pen.look.glyphs.border(model.environment());
        pen.rule(0, &format!("{title}   {state}"), set, pen.style(Meaning::Border));
        y = 1;
    }
    let (Some(view), Some(stage)) = (model.view(), model.stage_state()) else {
        return;
    };
    if stage.plan.is_none() {
        return teaches(model, pen, y);
    }
    let last = pen.height().saturating_sub(1);
    for line in view
        .panel
        .headline
        .iter()
        .take(usize::from(last.saturating_sub(y).min(3)))
    {
        pen.text(1, y, line, pen.style(Meaning::Plain));
        y += 1;
    }
    if let Some(upload) = stage.uploads.last().filter(|_| y < last) {
        pen.text(
            1,
            y,
            &uploaded(upload, stage.uploads.len()),
            pen.style(Meaning::Plain),
        );
        y += 1;
    }
    checks(model, pen, y);
}

/// The newest upload, and how long the Dashboard's button can take it back at least.
fn uploaded(upload: &Upload, all: usize) -> String {
    let until = upload.cancel_until().datetime().format("%H:%M UTC");
    let more = if all > 1 {
        format!("   {all} uploads in all")
    } else {
        String::new()
    };
    format!(
        "{} as {}, {} subscriptions   Dashboard cancels till {until}{more}",
        safe(&upload.file),
        safe(&upload.id),
        upload.subscriptions
    )
}

fn teaches(model: &Model, pen: &mut Pen<'_>, y: u16) {
    let (Some(view), Some(stage)) = (model.view(), model.stage_state()) else {
        return;
    };
    let room = pen.height().saturating_sub(y + 1);
    let plain = pen.style(Meaning::Plain);
    let after = pen.wrapped(1, y, room, &view.panel.teaches, plain);
    let (text, meaning) = match &stage.phase {
        Phase::Gathering => {
            let asked = |role| model.state.budgets.get(&role).map_or(0, |budget| budget.gets);
            let gets = asked(Role::Source) + asked(Role::Destination);
            (
                format!("{} ({gets} GETs so far)", stage.meter.what),
                Meaning::Strong,
            )
        }
        Phase::GatherFailed { why, .. } => (
            format!("{why}. Nothing was written. r reads again."),
            Meaning::Bad,
        ),
        _ => ("Press r to read. It writes nothing.".to_owned(), Meaning::Strong),
    };
    let room = pen.height().saturating_sub(after);
    pen.wrapped(1, after, room, &text, pen.style(meaning));
}

/// Checks, side by side as far as they fit, those that want a look first.
fn checks(model: &Model, pen: &mut Pen<'_>, y: u16) {
    let Some(view) = model.view() else { return };
    let mut checks: Vec<&Check> = view.panel.checks.iter().collect();
    checks.sort_by_key(|check| match check.tone {
        Tone::Bad => 0,
        Tone::Attention => 1,
        _ => 2,
    });
    let (mut x, mut y) = (1, y);
    for (at, check) in checks.iter().enumerate() {
        let sign = sign(model, check.tone);
        let needed = width(sign) + 1 + width(&check.says);
        if x > 1 && x + needed > pen.width() {
            if y + 1 >= pen.height() {
                let more = format!(" +{} ", checks.len() - at);
                pen.right(1, y, &more, pen.style(Meaning::Quiet));
                return;
            }
            (x, y) = (1, y + 1);
        }
        let tone = pen.look.theme.tone(check.tone);
        x = pen.text(x, y, sign, tone) + 1;
        x = pen.text(x, y, &check.says, pen.style(Meaning::Plain)) + 3;
    }
}

const fn sign(model: &Model, tone: Tone) -> &'static str {
    let glyphs = &model.look.glyphs;
    match tone {
        Tone::Good => glyphs.done,
        Tone::Bad => glyphs.failed,
        Tone::Attention => glyphs.attention,
        Tone::Plain | Tone::Quiet => glyphs.waits,
    }
}
