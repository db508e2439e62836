//! The row under the cursor in a few lines; or, when the stage is halted, what happened, what is safe, what to press.

use std::fmt::Write as _;

use crate::domain::change::{Change, Verdict};
use crate::domain::panel::Tone;
use crate::domain::record::RowEnd;
use crate::engine::state::{EffectWord, Phase, RowState, StageState};
use crate::tui::model::Model;
use crate::tui::needs::grouped;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::words;

/// Draws it.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    if let Some(why) = &model.state.fatal {
        return alarm(pen, "ENGINE STOPPED", &stopped(why));
    }
    let Some(stage) = model.stage_state() else { return };
    if let Phase::Halted { why } = &stage.phase {
        return alarm(pen, "HALTED", &halted(stage, why));
    }
    let Some((change, row)) = model.view().and_then(|view| view.selected()) else {
        return;
    };
    let set = pen.look.glyphs.border(model.environment());
    let border = pen.style(Meaning::Border);
    pen.rule(0, &heading(model, change), set, border);
    for (y, (label, text, tone)) in (1..pen.height()).zip(lines(model, change, row)) {
        pen.text(1, y, label, pen.style(Meaning::Quiet));
        pen.text(10, y, &text, pen.look.theme.tone(tone));
    }
}

/// The row by its ids; the name only as far as it may be shown.
#[must_use]
pub fn heading(model: &Model, change: &Change) -> String {
    let name = if model.unmasked() {
        change.label.to_string()
    } else {
        change.label.masked()
    };
    let what = change
        .money
        .map_or_else(|| change.item.clone(), |money| money.in_words());
    format!("{}   {name}   {what}", change.subject)
}

type Line = (&'static str, String, Tone);

fn lines(model: &Model, change: &Change, row: Option<&RowState>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(row) = row {
        lines.extend(ended(model, row));
    }
    lines.push(("why", change.why.clone(), Tone::Plain));
    if let Some(with) = &change.with {
        lines.push(("with", format!("decided with {with}"), Tone::Plain));
    }
    lines.extend(words::decided(change).map(|decided| ("decided", decided, Tone::Plain)));
    if let Some(fact) = change.evidence.first() {
        let account = fact.role.map_or("file", words::old_or_new);
        let age = words::ago(model.now, fact.at);
        let said = format!(
            "{account}: {}   {}   {age}   {}",
            fact.said, fact.request_id, fact.asked
        );
        lines.push(("seen", said, Tone::Plain));
    }
    lines.push(would(change));
    lines.push(("effect", change.effect.clone(), Tone::Plain));
    lines.push(("options", options(change), Tone::Quiet));
    lines
}

fn ended(model: &Model, row: &RowState) -> Vec<Line> {
    let Some(detail) = row.detail.as_deref() else {
        return Vec::new();
    };
    let tone = if row.end == Some(RowEnd::Done) {
        Tone::Plain
    } else {
        Tone::Bad
    };
    let code = if detail.code.is_empty() {
        String::new()
    } else {
        format!("  ({})", detail.code)
    };
    let mut lines = Vec::new();
    if !detail.why.is_empty() || !code.is_empty() {
        lines.push(("ended", format!("{}{code}", detail.why), tone));
    }
    if detail.needs_reissue {
        lines.push((
            "reissue",
            "a probe did not find it on Stripe; R allows sending it again".to_owned(),
            Tone::Bad,
        ));
    }
    if let Some((_, op, word)) = detail.effects.last() {
        lines.push(("last", format!("{op}: {}", effect_word(model, word)), tone));
    }
    lines
}

/// What became of an effect, in words.
#[must_use]
pub fn effect_word(_: &Model, word: &EffectWord) -> String {
    match word {
        EffectWord::Open => "on its way".to_owned(),
        EffectWord::Unknown { why } => format!("not known: {why}"),
        EffectWord::Done { object, request_id } => format!("done  {object}  {request_id}"),
        EffectWord::Rejected { message, request_id } => format!("refused: {message}  {request_id}"),
    }
}

fn would(change: &Change) -> Line {
    let writes = change.writes_now();
    if let Some(row) = change.update_now() {
        let columns: Vec<&str> = row.cells.iter().map(|cell| cell.column.as_str()).collect();
        let says = format!("database {} row {}: {}", row.table, row.key, columns.join(", "));
        return ("would", says, Tone::Plain);
    }
    let Some(first) = writes.first() else {
        let why = match change.verdict {
            Verdict::Blocked => "not sent: blocked until decided",
            Verdict::Noop => "nothing to send",
            _ => "not sent: left out",
        };
        return ("would", why.to_owned(), Tone::Quiet);
    };
    let more = if writes.len() > 1 {
        format!("   and {} more", writes.len() - 1)
    } else {
        String::new()
    };
    let account = words::old_or_new(first.role);
    (
        "would",
        format!("{account} {} {}{more}", first.method.word(), first.path),
        Tone::Plain,
    )
}

fn options(change: &Change) -> String {
    if change.verdict == Verdict::Noop {
        return "none: nothing to decide".to_owned();
    }
    let mut names: Vec<&str> = change.choices.iter().map(|choice| choice.name.as_str()).collect();
    names.push("leave out");
    format!("Enter opens: {}", names.join(", "))
}

/// Three lines: what happened, what is safe, what to press.
fn halted(stage: &StageState, why: &str) -> [(&'static str, String); 3] {
    let (done, left) = (stage.tally.count(RowEnd::Done), stage.pending());
    let unknown = stage.tally.count(RowEnd::Unknown);
    let mut safe = format!("{} done stay done; {} not started", grouped(done), grouped(left));
    if unknown > 0 {
        let _ = write!(safe, "; {} unknown, never resent by itself", grouped(unknown));
    }
    let press = "c continues, same approval; o groups failures; q leaves".to_owned();
    [("happened", why.to_owned()), ("safe", safe), ("press", press)]
}

fn stopped(why: &str) -> [(&'static str, String); 3] {
    [
        ("happened", why.to_owned()),
        (
            "safe",
            "nothing more is sent; the journal holds what the disk took".to_owned(),
        ),
        (
            "press",
            "q leaves; make room or repair the disk, then resume the run".to_owned(),
        ),
    ]
}

fn alarm(pen: &mut Pen<'_>, word: &str, lines: &[(&'static str, String); 3]) {
    let set = pen.look.glyphs.heavy();
    let (alarm, plain) = (pen.style(Meaning::Alarm), pen.style(Meaning::Plain));
    let heading = format!("{} {word}", pen.look.glyphs.failed);
    let roomy = pen.height() >= 5;
    if roomy {
        pen.boxed(&heading, "", set, alarm);
    } else {
        pen.rule(0, &heading, set, alarm);
    }
    let right = u16::from(roomy);
    let area = pen.area();
    let mut inner = pen.on(ratatui::layout::Rect {
        width: area.width.saturating_sub(right),
        ..area
    });
    let mut y = 1;
    let spare = inner.height().saturating_sub(if roomy { 5 } else { 4 });
    for (label, text) in lines {
        inner.text(2, y, label, alarm);
        // Only the first line may be as long as it likes; the other two are the program's own words.
        let most = if y == 1 { 1 + spare } else { 1 };
        y = inner.wrapped(11, y, most, text, plain);
    }
}
