//! The list of stages, and what needs a person.

use std::fmt::Write as _;

use crate::domain::record::RowEnd;
use crate::domain::time::human_ms;
use crate::engine::state::{Phase, StageState};
use crate::tui::model::{Model, Pane};
use crate::tui::needs::grouped;
use crate::tui::rows::StageView;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{Pen, width};
use crate::tui::widgets::meter;
use crate::tui::words::Word;
use crate::tui::{needs, words};

/// Cells of a bar beside its stage.
const BAR: u16 = 15;

/// Draws as many stages as fit, the selected one among them.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    if pen.width() >= 80 && model.state.stages.len() > usize::from(pen.height()) {
        return side_by_side(model, pen);
    }
    let roomy = usize::from(pen.height()) > 2 * model.state.stages.len() && pen.width() < 80;
    let fit = if roomy {
        model.state.stages.len()
    } else {
        usize::from(pen.height())
    };
    let first = (model.stage + 1).saturating_sub(fit.max(1));
    let mut y = 0;
    for at in first..model.state.stages.len() {
        let Some(stage) = model.state.stages.get(at) else {
            break;
        };
        line(model, pen, y, at, stage);
        y += 1;
        if roomy {
            y = below(model, pen, y, at, stage);
        }
        if y >= pen.height() {
            break;
        }
    }
}

/// Every stage by its sign and name on one line, the selected one in full below it.
fn side_by_side(model: &Model, pen: &mut Pen<'_>) {
    let room = pen.width() / u16::try_from(model.state.stages.len()).unwrap_or(u16::MAX).max(1);
    let mut x = 2;
    for (at, stage) in model.state.stages.iter().enumerate() {
        let Word { sign, tone, .. } = words::phase(stage, model.state.paused.is_some(), &pen.look.glyphs);
        let tone = pen.look.theme.tone(tone);
        let selected = at == model.stage;
        let name = pen.style(if selected { Meaning::Strong } else { Meaning::Plain });
        let after = pen.text(x, 0, sign, tone) + 1;
        let cells = room.saturating_sub(after.saturating_sub(x) + 1);
        x = pen
            .text_in(after, 0, cells, &title(model, at, stage), name)
            .max(x + room - 1)
            + 1;
    }
    if let Some(stage) = model.stage_state() {
        line(model, pen, 1, model.stage, stage);
    }
}

fn title(model: &Model, at: usize, stage: &StageState) -> String {
    let title = model.views.get(at).map_or("", |view| view.panel.title.as_str());
    format!(
        "{} {}",
        at + 1,
        if title.is_empty() { stage.id.word() } else { title }
    )
}

fn line(model: &Model, pen: &mut Pen<'_>, y: u16, at: usize, stage: &StageState) {
    let Word { sign, word, tone } = words::phase(stage, model.state.paused.is_some(), &pen.look.glyphs);
    let tone = pen.look.theme.tone(tone);
    let name = title(model, at, stage);
    let x = pen.text(2, y, sign, tone) + 1;
    if pen.width() < 80 {
        let word_at = pen.right(1, y, word, tone);
        pen.text_in(
            x,
            y,
            word_at.saturating_sub(x + 1),
            &name,
            pen.style(Meaning::Plain),
        );
    } else {
        pen.text_in(x, y, 24, &name, pen.style(Meaning::Plain));
        pen.text(x + 25, y, word, tone);
        let mut x = x + 36;
        if let Some((done, total)) = progress(stage) {
            x = meter::draw(pen, x, y, BAR, done, total) + 2;
        }
        counts(model, pen, x, y, at, stage);
    }
    if at == model.stage {
        let cursor = pen.look.glyphs.cursor;
        pen.text(0, y, cursor, pen.style(Meaning::Strong));
        if model.pane == Pane::Stages {
            pen.paint(y, pen.style(Meaning::Cursor));
        }
    }
}

/// Two lines under a stage where there is room: its bar, its counts.
fn below(model: &Model, pen: &mut Pen<'_>, y: u16, at: usize, stage: &StageState) -> u16 {
    let mut y = y;
    if let Some((done, total)) = progress(stage) {
        let cells = pen.width().saturating_sub(6);
        meter::draw(pen, 5, y, cells, done, total);
        y += 1;
    }
    counts(model, pen, 5, y, at, stage);
    y + 1
}

/// How much of the present work is done.
fn progress(stage: &StageState) -> Option<(u64, u64)> {
    match stage.phase {
        Phase::Writing | Phase::Halted { .. } => {
            let planned = stage.plan.as_ref()?.totals().planned;
            Some((stage.tally.ended(), planned))
        }
        Phase::Gathering | Phase::Checking | Phase::Auditing => Some((stage.meter.done, stage.meter.total?)),
        _ => None,
    }
}

fn counts(model: &Model, pen: &mut Pen<'_>, x: u16, y: u16, at: usize, stage: &StageState) {
    let (text, meaning) = match &stage.phase {
        Phase::Waiting => ("not read yet: r reads it".to_owned(), Meaning::Quiet),
        Phase::GatherFailed { why, .. } => (why.clone(), Meaning::Bad),
        Phase::Review => (planned(stage), Meaning::Plain),
        Phase::Gathering | Phase::Checking | Phase::Auditing | Phase::Writing | Phase::Undoing => {
            (work(model, model.views.get(at), stage), Meaning::Plain)
        }
        Phase::Halted { .. } | Phase::Written | Phase::AuditFailed { .. } | Phase::Done | Phase::Undone => (
            ends(stage),
            if stage.not_done() > 0 {
                Meaning::Bad
            } else {
                Meaning::Plain
            },
        ),
    };
    pen.text(x, y, &text, pen.style(meaning));
}

fn planned(stage: &StageState) -> String {
    let Some(totals) = stage.plan.as_ref().map(|plan| plan.totals()) else {
        return String::new();
    };
    let mut text = format!("{} planned", grouped(totals.planned));
    for (count, word) in [
        (totals.blocked, "blocked"),
        (totals.noop, "no-op"),
        (totals.left_out, "left out"),
    ] {
        if count > 0 {
            let _ = write!(text, "  {} {word}", grouped(count));
        }
    }
    text
}

/// `6,114/8,902  24.8/s  1m52s, 00:31 UTC`: the estimate only once it stands still.
fn work(model: &Model, view: Option<&StageView>, stage: &StageState) -> String {
    let meter = &stage.meter;
    let (done, total) =
        progress(stage).map_or((meter.done, meter.total), |(done, total)| (done, Some(total)));
    let mut text = grouped(done);
    if let Some(total) = total {
        let _ = write!(text, "/{}", grouped(total));
    }
    if let Some(rate) = meter.per_100_s().filter(|_| model.state.paused.is_none()) {
        let _ = write!(text, "  {}.{}/s", rate / 100, rate % 100 / 10);
    }
    if let Some(end) = view
        .and_then(|view| view.eta.ends_at(model.now))
        .filter(|_| model.state.paused.is_none())
    {
        let clock = end.datetime().format("%H:%M").to_string();
        let _ = write!(text, "  {}, {clock}", human_ms(end.since(model.now)));
    }
    let failed = stage.not_done();
    if failed > 0 && stage.phase == Phase::Writing {
        let _ = write!(text, "  {} not done", grouped(failed));
    }
    text
}

fn ends(stage: &StageState) -> String {
    let mut text = format!("{} done", grouped(stage.tally.count(RowEnd::Done)));
    for end in [RowEnd::Failed, RowEnd::Drifted, RowEnd::Unknown, RowEnd::Undone] {
        let count = stage.tally.count(end);
        if count > 0 {
            let _ = write!(text, "  {} {}", grouped(count), end.word());
        }
    }
    if stage.pending() > 0 {
        let _ = write!(text, "  {} pending", grouped(stage.pending()));
    }
    text
}

/// What needs a person.
pub fn needs(model: &Model, pen: &mut Pen<'_>) {
    if pen.height() == 0 {
        return;
    }
    let set = pen.look.glyphs.border(model.environment());
    let border = pen.style(Meaning::Border);
    pen.rule(0, "Needs you", set, border);
    let needs = needs::of(&model.state, &model.views);
    let sign = pen.look.glyphs.attention;
    if needs.is_empty() {
        pen.text(2, 1, "nothing", pen.style(Meaning::Quiet));
    }
    let room = pen.height().saturating_sub(1);
    let x = width(sign) + 2;
    for (y, need) in (1..).zip(needs.iter().take(usize::from(room))) {
        let tone = pen.look.theme.tone(need.tone);
        pen.text(1, y, sign, tone);
        pen.text(x, y, &need.text, tone);
    }
}
