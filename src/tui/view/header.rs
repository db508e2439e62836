//! Who and where, on two lines that every screen has.

use std::fmt::Write as _;

use ratatui::style::Style;

use crate::domain::ids::Role;
use crate::domain::time::human_ms;
use crate::tui::model::Model;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{Pen, fitted};
use crate::tui::{needs, words};

/// Facts older than this, on the run's clock, are shown strongly.
const OLD_MS: i64 = 600_000;

/// Draws both lines.
pub fn draw(model: &Model, pen: &mut Pen<'_>, trail: &str) {
    first(model, pen, trail);
    second(model, pen);
}

fn first(model: &Model, pen: &mut Pen<'_>, trail: &str) {
    let (strong, plain) = (pen.style(Meaning::Strong), pen.style(Meaning::Plain));
    let wide = pen.width() >= 110;
    let right_from = pen.right(1, 0, &clock(model, wide), plain);
    let arrow = format!(" {} ", pen.look.glyphs.arrow);
    // Names come from a file of the operator's: however long, they must not push LIVE off the screen.
    let most = if wide { 24 } else { 12 };
    let (old, new) = (
        fitted(model.name(Role::Source), most),
        fitted(model.name(Role::Destination), most),
    );
    let program = if wide { "cutover  " } else { "" };
    let mut x = pen.pieces(
        1,
        0,
        &[(program, strong), (&old, plain), (&arrow, plain), (&new, plain)],
    );
    x = pen.text(x, 0, trail, plain);
    if let Some(environment) = model.environment() {
        let style = pen.look.theme.environment(environment);
        x = pen.text(x + 2, 0, &format!(" {} ", environment.word()), style);
    }
    let (armed, style) = armed(model, pen);
    let armed = if wide { format!("writes {armed}") } else { armed };
    let room = right_from.saturating_sub(x + 3);
    pen.text_in(x + 2, 0, room, &armed, style);
}

/// Writes are armed for one stage or for none, and that is always said.
fn armed(model: &Model, pen: &Pen<'_>) -> (String, Style) {
    match (model.latest.armed(), &model.latest.paused) {
        (None, None) => ("armed: none".to_owned(), pen.style(Meaning::Plain)),
        (None, Some(_)) => ("armed: none, PAUSED".to_owned(), pen.style(Meaning::Attention)),
        (Some(stage), Some(_)) => (format!("armed: {stage}, PAUSED"), pen.style(Meaning::Attention)),
        (Some(stage), None) => (format!("armed: {stage} only"), pen.style(Meaning::Strong)),
    }
}

fn clock(model: &Model, wide: bool) -> String {
    let mut text = String::new();
    if let Some(speed) = model.state.speed {
        let _ = write!(text, "{speed}x  ");
    }
    text.push_str(&model.now.hms());
    text.push_str(if wide { " UTC" } else { "Z" });
    if let Some(zone) = model.zone.filter(|_| wide) {
        let _ = write!(text, "  {}", words::local(model.now, zone));
    }
    text
}

fn second(model: &Model, pen: &mut Pen<'_>) {
    let (plain, quiet) = (pen.style(Meaning::Plain), pen.style(Meaning::Quiet));
    let state = &model.state;
    let (age, age_style) = data_age(model, pen);
    let right_from = if let Some(since) = model.frozen {
        let frozen = format!("FROZEN for {}", human_ms(model.now.since(since)));
        pen.right(1, 1, &frozen, pen.style(Meaning::Alarm))
    } else {
        pen.right(1, 1, &age, age_style)
    };
    let accounts = format!(
        "{} {} {}",
        words::account(state, Role::Source),
        pen.look.glyphs.arrow,
        words::account(state, Role::Destination)
    );
    let rest = if pen.width() >= 110 {
        format!(
            "   run {}   pen: {}   journal #{} synced",
            state.run,
            state.operator,
            needs::grouped(state.journal_seq)
        )
    } else {
        format!(
            "  {}  #{} synced",
            state.operator,
            needs::grouped(state.journal_seq)
        )
    };
    let x = pen.text(1, 1, &accounts, plain);
    pen.text_in(x, 1, right_from.saturating_sub(x + 2), &rest, quiet);
}

/// The age of what the selected stage's plan rests on.
fn data_age(model: &Model, pen: &Pen<'_>) -> (String, Style) {
    let stage = model.stage_state();
    let made = stage
        .and_then(|stage| stage.plan.as_ref())
        .map(|plan| plan.made_at());
    let checked = stage.and_then(|stage| stage.check.as_ref()).map(|check| check.at);
    let Some(at) = made.max(checked) else {
        return ("nothing read yet".to_owned(), pen.style(Meaning::Quiet));
    };
    let age = model.now.since(at);
    let meaning = if age > OLD_MS {
        Meaning::Attention
    } else {
        Meaning::Quiet
    };
    (format!("data {} old", human_ms(age)), pen.style(meaning))
}
