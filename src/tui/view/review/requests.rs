//! The exact requests of a row: what will be sent after approval, or what a choice would send.

use crate::domain::change::{Change, Verdict};
use crate::domain::ids::Digest;
use crate::domain::write::{PlannedWrite, RowUpdate, When, idempotency_key};
use crate::tui::model::Model;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{clean, wrap};
use crate::tui::view::review::change::Line;
use crate::tui::words;

/// Adds their lines.
pub(super) fn requests(lines: &mut Vec<Line>, model: &Model, change: &Change, cells: u16) {
    let writes = change.writes_now();
    if let Some(row) = change.update_now() {
        return update(lines, model, row, cells);
    }
    let heading = match (writes.len(), change.verdict) {
        (0, Verdict::Blocked) => "Will send   nothing: blocked until decided".to_owned(),
        (0, Verdict::LeftOut) => "Will send   nothing: left out".to_owned(),
        (0, _) => "Will send   nothing".to_owned(),
        (1, _) => "Will send   1 request, after approval only".to_owned(),
        (n, _) => format!("Will send   {n} requests in this order, after approval only"),
    };
    lines.push(Line::Rule(heading));
    let plan = model
        .view()
        .and_then(|view| view.plan())
        .map(|plan| plan.digest());
    for write in writes {
        request(lines, model, write, plan, cells);
    }
    if change.verdict == Verdict::Blocked {
        would_send(lines, model, change, plan, cells);
    }
}

/// The row of the application's database that will be changed.
fn update(lines: &mut Vec<Line>, model: &Model, row: &RowUpdate, cells: u16) {
    let theme = &model.look.theme;
    lines.push(Line::Rule(
        "Will set   1 row of the database, after approval only".to_owned(),
    ));
    let say = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let mut text = |x: u16, text: &str, meaning| {
        for line in wrap(&clean(text), cells.saturating_sub(x)) {
            lines.push(Line::Text(x, line, theme.of(meaning)));
        }
    };
    text(
        1,
        &format!("{} where the key is {}", row.table, row.key),
        Meaning::Strong,
    );
    for cell in &row.cells {
        let set = format!(
            "{}: {} becomes {}",
            cell.column,
            say(&cell.before),
            say(&cell.after)
        );
        text(3, &set, Meaning::Plain);
    }
    let how = format!(
        "only if it still holds that; one transaction with effect {} of the ledger cutover_effects",
        row.effect
    );
    text(3, &how, Meaning::Quiet);
}

/// What each choice of a row that is still to be decided would send.
fn would_send(lines: &mut Vec<Line>, model: &Model, change: &Change, plan: Option<Digest>, cells: u16) {
    for (n, choice) in (1..)
        .zip(&change.choices)
        .filter(|(_, choice)| !choice.writes.is_empty())
    {
        lines.push(Line::Rule(format!(
            "Would send   if you choose {n} {}",
            choice.name
        )));
        for write in &choice.writes {
            request(lines, model, write, plan, cells);
        }
    }
}

fn request(lines: &mut Vec<Line>, model: &Model, write: &PlannedWrite, plan: Option<Digest>, cells: u16) {
    let theme = &model.look.theme;
    let account = words::account(&model.state, write.role);
    let raced = if write.when == When::IfRaced {
        "   only if the balance moves at the last moment"
    } else {
        ""
    };
    let once = if write.irreversible {
        "   cannot be taken back"
    } else {
        ""
    };
    let head = format!(
        "{} {account}  {} {}{raced}{once}",
        words::old_or_new(write.role),
        write.method.word(),
        write.path
    );
    let mut texts: Vec<(u16, String, Meaning)> = wrap(&clean(&head), cells)
        .into_iter()
        .map(|line| (1, line, Meaning::Strong))
        .collect();
    let form: Vec<String> = write
        .form
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let form = wrap(&clean(&form.join("  ")), cells.saturating_sub(3));
    texts.extend(form.into_iter().map(|line| (3, line, Meaning::Plain)));
    let markers = write.marked.then(|| {
        format!(
            "metadata[cutover_effect]={}  [cutover_run]={}  [cutover_plan]={}",
            write.effect,
            model.state.run,
            plan.map(|plan| plan.prefix12()).unwrap_or_default()
        )
    });
    let key = plan
        .map(|plan| idempotency_key(&plan, &write.effect, 1))
        .unwrap_or_default();
    let key = format!("Idempotency-Key {key}  (plan, effect, generation)");
    for quiet in markers.into_iter().chain([key]) {
        texts.extend(
            wrap(&clean(&quiet), cells.saturating_sub(3))
                .into_iter()
                .map(|line| (3, line, Meaning::Quiet)),
        );
    }
    lines.extend(
        texts
            .into_iter()
            .map(|(x, text, meaning)| Line::Text(x, text, theme.of(meaning))),
    );
}
