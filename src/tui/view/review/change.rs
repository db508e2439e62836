//! The right side of the review: why, effect, difference, evidence, the exact request, the choices. Made as lines, so
//! that what does not fit can be scrolled.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::change::{Change, Evidence, Verdict};
use crate::domain::text::safe;
use crate::domain::time::human_ms;
use crate::engine::state::RowState;
use crate::tui::model::{Look, Model};
use crate::tui::theme::Meaning;
use crate::tui::view::detail;
use crate::tui::view::pen::{Pen, clean, wrap};
use crate::tui::view::review::list::risk_meaning;
use crate::tui::view::review::requests::requests;
use crate::tui::words;

/// Evidence older than this, on the run's clock, is shown strongly.
const OLD_MS: i64 = 600_000;

/// One line of the right side.
pub(super) enum Line {
    Text(u16, String, Style),
    Pair(&'static str, String, Style),
    Field(&'static str, [String; 3], Style),
    Rule(String),
}

/// Draws what fits of it.
pub fn draw(model: &Model, pen: &mut Pen<'_>, boxed: bool) {
    let Some((change, row)) = model.view().and_then(|view| view.selected()) else {
        return;
    };
    let set = pen.look.glyphs.border(model.environment());
    let style = super::border(model, pen, true);
    let word = words::row(change, row, &model.look.glyphs);
    let state = format!("{} {}   risk {}", word.sign, word.word, change.risk.word());
    let title = detail::heading(model, change);
    if boxed {
        body(model, change, row, &mut pen.boxed(&title, &state, set, style));
    } else {
        pen.rule(0, &format!("{title}   {state}"), set, style);
        let area = pen.area();
        let below = Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        };
        body(model, change, row, &mut pen.on(below));
    }
}

fn body(model: &Model, change: &Change, row: Option<&RowState>, pen: &mut Pen<'_>) {
    let lines = lines(model, change, row, pen.width().saturating_sub(2));
    let height = usize::from(pen.height());
    let first = model.review.scroll.min(lines.len().saturating_sub(height));
    for (y, line) in (0..pen.height()).zip(lines.iter().skip(first)) {
        put(model, pen, y, line);
    }
    let below = lines.len().saturating_sub(first + height);
    if below > 0 {
        let last = pen.height().saturating_sub(1);
        let more = format!(" {below} more lines: Tab, then down ");
        pen.right(1, last, &more, pen.style(Meaning::Attention));
    }
}

fn put(model: &Model, pen: &mut Pen<'_>, y: u16, line: &Line) {
    match line {
        Line::Text(x, text, style) => {
            pen.text(*x, y, text, *style);
        }
        Line::Pair(label, text, style) => {
            pen.text(1, y, label, pen.style(Meaning::Quiet));
            pen.text(9, y, text, *style);
        }
        Line::Field(sign, [name, before, after], style) => {
            let third = pen.width().saturating_sub(4) / 3;
            pen.text(1, y, sign, *style);
            for (at, text) in (0..).zip([name, before, after]) {
                pen.text_in(3 + at * third, y, third.saturating_sub(1), text, *style);
            }
        }
        Line::Rule(heading) => {
            let set = pen.look.glyphs.border(model.environment());
            pen.rule(y, heading, set, pen.style(Meaning::Border));
        }
    }
}

fn lines(model: &Model, change: &Change, row: Option<&RowState>, cells: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    said(&mut lines, &model.look, "Why", &change.why, cells);
    said(&mut lines, &model.look, "Effect", &change.effect, cells);
    let plain = model.look.theme.of(Meaning::Plain);
    let risk = format!("{}   rule {}", change.risk.word(), change.rule);
    lines.push(Line::Pair(
        "Risk",
        risk,
        model.look.theme.of(risk_meaning(change.risk)),
    ));
    if let Some(with) = &change.with {
        let text = format!("decided with {with}: what both share is decided there, once (t goes there)");
        said(&mut lines, &model.look, "With", &text, cells);
    }
    working(&mut lines, &model.look, change, cells);
    ended(&mut lines, model, row, cells);
    choices(&mut lines, model, change, cells);
    diff(&mut lines, model, change);
    evidence(&mut lines, model, change, cells);
    requests(&mut lines, model, change, cells);
    lines.push(Line::Text(1, String::new(), plain));
    lines
}

/// A sentence over as many lines as it takes.
fn said(lines: &mut Vec<Line>, look: &Look, label: &'static str, text: &str, cells: u16) {
    let style = look.theme.of(Meaning::Plain);
    for (at, line) in wrap(&clean(text), cells.saturating_sub(9))
        .into_iter()
        .enumerate()
    {
        lines.push(Line::Pair(if at == 0 { label } else { "" }, line, style));
    }
}

/// How the program came to its numbers: before anything that is decided on them, and line by line as it was worked out.
fn working(lines: &mut Vec<Line>, look: &Look, change: &Change, cells: u16) {
    if change.working.is_empty() {
        return;
    }
    lines.push(Line::Rule("Working   how these numbers came about".to_owned()));
    let style = look.theme.of(Meaning::Plain);
    for step in &change.working {
        let mut at = 1;
        for line in wrap(&clean(step), cells.saturating_sub(3)) {
            lines.push(Line::Text(at, line, style));
            at = 3;
        }
    }
}

fn ended(lines: &mut Vec<Line>, model: &Model, row: Option<&RowState>, cells: u16) {
    let Some(detail) = row.and_then(|row| row.detail.as_deref()) else {
        return;
    };
    lines.push(Line::Rule("Written".to_owned()));
    let code = if detail.code.is_empty() {
        String::new()
    } else {
        format!("   code {}", detail.code)
    };
    said(
        lines,
        &model.look,
        "Ended",
        &format!("{}{code}", detail.why),
        cells,
    );
    if let Some(moved) = detail.moved {
        said(lines, &model.look, "Moved", &moved.in_words(), cells);
    }
    if detail.needs_reissue {
        said(
            lines,
            &model.look,
            "Reissue",
            "A probe did not find it on Stripe. R allows sending it again.",
            cells,
        );
    }
    for (effect, op, word) in &detail.effects {
        let text = format!("{op} {effect}: {}", detail::effect_word(model, word));
        said(lines, &model.look, "Effect", &text, cells);
    }
}

fn diff(lines: &mut Vec<Line>, model: &Model, change: &Change) {
    let equal = change.fields.iter().filter(|field| field.equal).count();
    let folded = match (equal, model.review.equal) {
        (0, _) => String::new(),
        (n, true) => format!("   {n} equal fields shown (e folds them)"),
        (n, false) => format!("   {n} equal folded (e shows)"),
    };
    // The fields are the program's own; what a person decided instead stands in the requests.
    let new = if change.decision.is_some() && change.verdict == Verdict::Planned {
        "new as first planned"
    } else {
        "new planned"
    };
    lines.push(Line::Rule(format!("Diff   old now, {new}{folded}")));
    let theme = &model.look.theme;
    for field in change
        .fields
        .iter()
        .filter(|field| model.review.equal || !field.equal)
    {
        let (sign, meaning) = match (field.equal, field.before.is_empty(), field.after.is_empty()) {
            (true, _, _) => ("=", Meaning::Quiet),
            (_, true, _) => ("+", Meaning::Plain),
            (_, _, true) => ("-", Meaning::Plain),
            _ => ("~", Meaning::Attention),
        };
        let cells = [field.name.clone(), field.before.clone(), field.after.clone()];
        lines.push(Line::Field(sign, cells, theme.of(meaning)));
    }
}

fn evidence(lines: &mut Vec<Line>, model: &Model, change: &Change, cells: u16) {
    let oldest = change.evidence.iter().map(|fact| fact.at).min();
    let age = oldest
        .map(|at| format!(", oldest {}", human_ms(model.now.since(at))))
        .unwrap_or_default();
    lines.push(Line::Rule(format!(
        "Evidence   {}{age}",
        words::many_of(&change.evidence, "fact")
    )));
    for (n, fact) in (1..).zip(&change.evidence) {
        fact_lines(lines, model, n, fact, cells);
    }
}

fn fact_lines(lines: &mut Vec<Line>, model: &Model, n: usize, fact: &Evidence, cells: u16) {
    let account = fact.role.map_or("file", words::old_or_new);
    let age_ms = model.now.since(fact.at);
    let meaning = if age_ms > OLD_MS {
        Meaning::Attention
    } else {
        Meaning::Plain
    };
    let age = human_ms(age_ms);
    let head = format!(
        "{n}  {account}  {}   {}   {age} ago",
        safe(&fact.asked),
        safe(&fact.request_id)
    );
    for line in wrap(&head, cells) {
        lines.push(Line::Text(1, line, model.look.theme.of(meaning)));
    }
    for line in wrap(&clean(&fact.said), cells.saturating_sub(4)) {
        lines.push(Line::Text(4, line, model.look.theme.of(Meaning::Plain)));
    }
}

fn choices(lines: &mut Vec<Line>, model: &Model, change: &Change, cells: u16) {
    let theme = &model.look.theme;
    lines.push(Line::Rule("Your call".to_owned()));
    let writes = |n: usize| {
        if n == 0 {
            String::new()
        } else {
            format!("   sends {}", words::many(n as u64, "request"))
        }
    };
    for (n, choice) in (1..).zip(&change.choices) {
        let sign = if choice.sign_off { "   (needs a note)" } else { "" };
        let asks = choice.number.as_ref().map(|asked| {
            let (asks, least, most) = (&asked.asks, asked.least, asked.most);
            format!("   (asks for a number: {asks}, {least} to {most})")
        });
        let text = format!(
            "{n} {}: {}{}{}{sign}",
            choice.name,
            choice.means,
            writes(choice.writes.len()),
            asks.unwrap_or_default()
        );
        for line in wrap(&clean(&text), cells) {
            lines.push(Line::Text(1, line, theme.of(Meaning::Plain)));
        }
    }
    if change.planned_as != Verdict::Noop {
        let alone = if change.with.is_some() {
            " this row alone"
        } else {
            ""
        };
        let text = format!("x leave out{alone} and report   0 as planned   S same shape   i note");
        lines.push(Line::Text(1, text, theme.of(Meaning::Quiet)));
    }
    if let Some(text) = words::decided(change) {
        for line in wrap(&clean(&text), cells) {
            lines.push(Line::Text(1, line, theme.of(Meaning::Strong)));
        }
    }
    if !model.review.note.is_empty() {
        lines.push(Line::Text(
            1,
            format!("note for the next decision: \"{}\"", model.review.note),
            theme.of(Meaning::Strong),
        ));
    }
}
