//! What each account is being asked, how much of Stripe's limit that is, and what requests wait for.

use crate::domain::ids::Role;
use crate::domain::time::human_ms;
use crate::engine::state::Budget;
use crate::tui::model::{Model, Pane};
use crate::tui::needs::grouped;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::widgets::sparkline;
use crate::tui::words;

/// Draws both accounts, on one line or with their history.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    if pen.height() < 9 {
        return line(model, pen);
    }
    let set = pen.look.glyphs.border(model.environment());
    let border = pen.style(Meaning::Border);
    pen.rule(0, "Stripe budget  + - share", set, border);
    for (y, role) in [(1, Role::Source), (5, Role::Destination)] {
        if let Some(budget) = model.state.budgets.get(&role) {
            account(model, pen, y, role, budget);
        } else {
            pen.text(
                2,
                y,
                &format!("{}: not asked yet", model.name(role)),
                pen.style(Meaning::Quiet),
            );
        }
    }
}

fn account(model: &Model, pen: &mut Pen<'_>, y: u16, role: Role, budget: &Budget) {
    let (plain, quiet) = (pen.style(Meaning::Plain), pen.style(Meaning::Quiet));
    if role == model.account {
        let cursor = pen.look.glyphs.cursor;
        pen.text(0, y, cursor, pen.style(Meaning::Strong));
    }
    let rate = format!("{}/s of {}", budget.sent_last_s, budget.limit_per_s);
    let rate_at = pen.right(1, y, &rate, plain);
    pen.text_in(
        2,
        y,
        rate_at.saturating_sub(3),
        &format!("{} {}", words::old_or_new(role), model.name(role)),
        plain,
    );
    if role == model.account && model.pane == Pane::Budget {
        pen.paint(y, pen.style(Meaning::Cursor));
    }
    let share = format!(
        "{}% of {}/s  429s: {}",
        budget.share_percent,
        budget.full_per_s,
        grouped(budget.status_429)
    );
    let style = if budget.status_429 > 0 {
        pen.style(Meaning::Attention)
    } else {
        quiet
    };
    pen.text(2, y + 1, &share, style);
    let (reason, style) = reason(model, budget, pen);
    pen.text(2, y + 2, &reason, style);
    let cells = pen.width().saturating_sub(3);
    sparkline::draw(pen, 2, y + 3, cells, &budget.history, budget.full_per_s);
}

/// What requests wait for; while none waits, when the last answer came.
fn reason(model: &Model, budget: &Budget, pen: &Pen<'_>) -> (String, ratatui::style::Style) {
    if budget.waiting > 0 || !budget.reason.is_empty() {
        return (
            format!("{} wait: {}", budget.waiting, budget.reason),
            pen.style(Meaning::Attention),
        );
    }
    let last = budget.last_reply_at.map_or_else(
        || "no reply yet".to_owned(),
        |at| format!("last reply {} ago", human_ms(model.now.since(at))),
    );
    (
        format!("{last}  {} GETs", grouped(budget.gets)),
        pen.style(Meaning::Quiet),
    )
}

/// Both accounts on one line.
fn line(model: &Model, pen: &mut Pen<'_>) {
    let plain = pen.style(Meaning::Plain);
    let half = pen.width() / 2;
    for (x, role) in [(1, Role::Source), (half, Role::Destination)] {
        let Some(budget) = model.state.budgets.get(&role) else {
            pen.text(
                x,
                0,
                &format!("{}: not asked yet", words::old_or_new(role)),
                pen.style(Meaning::Quiet),
            );
            continue;
        };
        let why = if budget.reason.is_empty() {
            String::new()
        } else {
            format!("  {}", budget.reason)
        };
        let text = format!(
            "{} {}/s of {} ({}%)  429s: {}{why} ",
            words::old_or_new(role),
            budget.sent_last_s,
            budget.limit_per_s,
            budget.share_percent,
            grouped(budget.status_429)
        );
        let end = pen.text_in(x, 0, half - 2, &text, plain);
        let cells = (x + half).saturating_sub(end + 2);
        sparkline::draw(pen, end, 0, cells, &budget.history, budget.full_per_s);
    }
}
