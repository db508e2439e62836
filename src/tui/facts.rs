//! The facts an approval is given on, as lines: what, is it still true, money, pace, when it stops, how it is undone.

use std::fmt::Write as _;

use crate::domain::approval::VALID_MS;
use crate::domain::ids::Role;
use crate::domain::money::{Currency, Money};
use crate::domain::panel::Tone;
use crate::domain::plan::{MoneyTotals, Plan, Totals};
use crate::domain::time::{UtcMs, human_ms};
use crate::engine::state::{Offer, RunState};
use crate::tui::model::{Approval, Model};
use crate::tui::needs::grouped;
use crate::tui::update::approval::plan_of;
use crate::tui::words;

/// When writing stops by itself (contract: stop rules).
pub const STOPS: &str = "5 failed in a row, 0.5% failed or 2% unknown, 401/403, or Space";

/// One line of the dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about; empty for a further line of the same.
    pub label: &'static str,
    /// What it says.
    pub text: String,
    /// How it strikes the eye.
    pub tone: Tone,
}

fn fact(label: &'static str, text: impl Into<String>) -> Fact {
    Fact {
        label,
        text: text.into(),
        tone: Tone::Plain,
    }
}

fn toned(label: &'static str, tone: Tone, text: impl Into<String>) -> Fact {
    Fact {
        label,
        text: text.into(),
        tone,
    }
}

/// All facts, in the order in which they are asked.
#[must_use]
pub fn facts(model: &Model, dialog: &Approval) -> Vec<Fact> {
    let Some(plan) = plan_of(model, dialog) else {
        return Vec::new();
    };
    let mut facts = accounts(model, plan);
    if let Some(offer) = &dialog.back {
        facts.extend(taking_back(offer));
        facts.push(pace(&model.latest, plan.totals(), model.now));
        facts.push(fact("stops if", STOPS));
        facts.extend(seals(&model.latest, plan, model.now));
        return facts;
    }
    facts.push(drift(model, dialog));
    facts.extend(money(plan.totals()));
    facts.extend(warnings(model, dialog));
    facts.push(pace(&model.latest, plan.totals(), model.now));
    facts.push(fact("stops if", STOPS));
    facts.push(undo(plan));
    facts.extend(left_out(dialog, plan.totals()));
    facts.extend(seals(&model.latest, plan, model.now));
    facts
}

fn accounts(model: &Model, plan: &Plan) -> Vec<Fact> {
    let mut lines: Vec<Fact> = Role::BOTH
        .into_iter()
        .map(|role| {
            let writes = plan.totals().writes(role);
            let which = if role == Role::Source { "old" } else { "new" };
            let account = plan.header().accounts.of(role);
            let text = format!("{:>9}  {which} {account}  {}", grouped(writes), model.name(role));
            toned(
                if role == Role::Source { "writes" } else { "" },
                Tone::Attention,
                text,
            )
        })
        .collect();
    if plan.totals().writes_if_raced > 0 {
        let most = grouped(plan.totals().writes_if_raced);
        lines.push(fact(
            "",
            format!("{most:>9}  more at most, where a balance moves at the last moment"),
        ));
    }
    let totals = plan.totals();
    if totals.rows_app > 0 {
        let rows = grouped(totals.rows_app);
        let text = format!("{rows:>9}  rows of the application's database, compare and set");
        lines.push(toned("", Tone::Attention, text));
    }
    if totals.lines > 0 {
        let text = format!(
            "{:>9}  lines in files for Stripe's Dashboard; uploading them is yours",
            grouped(totals.lines)
        );
        lines.push(toned("", Tone::Attention, text));
    }
    if totals.money.is_empty() {
        lines.push(fact(
            "rows",
            format!("{:>9}  without money", grouped(totals.planned)),
        ));
        return lines;
    }
    let credits = totals.planned.saturating_sub(totals.planned_debits);
    lines.push(fact("rows", format!("{:>9}  credits", grouped(credits))));
    let tone = if totals.planned_debits > 0 {
        Tone::Attention
    } else {
        Tone::Plain
    };
    lines.push(toned(
        "",
        tone,
        format!("{:>9}  debits", grouped(totals.planned_debits)),
    ));
    lines
}

/// What an undo does and what it leaves, in the words of the stage.
fn taking_back(offer: &Offer) -> Vec<Fact> {
    let stage = crate::stages::get(offer.plan.header().stage);
    let mut lines = Vec::new();
    if let Some(words) = stage.and_then(|stage| stage.undo_words()) {
        lines.push(fact("undo", words));
    }
    lines.push(fact(
        "drift",
        "each row is looked at just before it is taken back; what others changed since stays",
    ));
    let stays = offer.left.iter().enumerate();
    lines.extend(stays.map(|(at, left)| {
        let label = if at == 0 { "stays" } else { "" };
        toned(label, Tone::Attention, left.reason.clone())
    }));
    lines
}

fn drift(model: &Model, dialog: &Approval) -> Fact {
    let check = model
        .latest
        .stages
        .iter()
        .find(|s| s.id == dialog.stage)
        .and_then(|s| s.check.as_ref());
    let Some(check) = check else {
        return toned("drift", Tone::Bad, "not checked");
    };
    let age = human_ms(model.now.since(check.at));
    let read = words::many(check.objects, "object");
    if check.drifted.is_empty() {
        return toned(
            "drift",
            Tone::Good,
            format!("read {read} again, {age} ago: nothing changed"),
        );
    }
    toned(
        "drift",
        Tone::Bad,
        format!("read {read} again, {age} ago: {} changed", check.drifted.len()),
    )
}

fn money(totals: &Totals) -> Vec<Fact> {
    let mut lines = Vec::new();
    for (currency, sums) in &totals.money {
        lines.extend(money_of(*currency, sums, lines.is_empty()));
    }
    lines
}

fn money_of(currency: Currency, sums: &MoneyTotals, first: bool) -> Vec<Fact> {
    let amount = |minor| Money::new(minor, currency).digits();
    let label = if first { "money" } else { "" };
    let mut text = format!("{currency}  {:>16} credits", amount(sums.planned_credits));
    if sums.left_out != 0 {
        let _ = write!(text, "   left out {}", amount(sums.left_out));
    }
    let mut lines = vec![fact(label, text)];
    if sums.planned_debits != 0 {
        let debits = format!("{currency}  {:>16} debits", amount(sums.planned_debits));
        lines.push(toned("", Tone::Attention, debits));
    }
    lines
}

/// What the stage itself says has to be accepted: its checks that do not hold.
fn warnings(model: &Model, dialog: &Approval) -> Vec<Fact> {
    let at = model
        .latest
        .stages
        .iter()
        .position(|stage| stage.id == dialog.stage);
    let checks = at
        .and_then(|at| model.views.get(at))
        .map_or(&[][..], |view| &view.panel.checks);
    checks
        .iter()
        .filter(|check| matches!(check.tone, Tone::Attention | Tone::Bad))
        .enumerate()
        .map(|(at, check)| {
            toned(
                if at == 0 { "accept" } else { "" },
                check.tone,
                check.says.clone(),
            )
        })
        .collect()
}

/// How long it takes: the slower account decides, at the share in use now.
fn pace(state: &RunState, totals: &Totals, now: UtcMs) -> Fact {
    let limit = |role| state.budgets.get(&role).map_or(0, |budget| budget.limit_per_s);
    let seconds = |role| {
        let (writes, limit) = (totals.writes(role), u64::from(limit(role)));
        (limit > 0).then(|| writes.div_ceil(limit))
    };
    let longest = Role::BOTH.into_iter().map(|role| {
        if totals.writes(role) == 0 {
            Some(0)
        } else {
            seconds(role)
        }
    });
    let Some(longest) = longest.max().flatten().and_then(|s| i64::try_from(s).ok()) else {
        return fact("pace", "not known yet");
    };
    let (old, new) = (limit(Role::Source), limit(Role::Destination));
    let took = human_ms(longest.saturating_mul(1_000));
    let end = now
        .plus_ms(longest.saturating_mul(1_000))
        .datetime()
        .format("%H:%M UTC")
        .to_string();
    fact(
        "pace",
        format!("up to {old}/s old, {new}/s new: about {took}, done near {end}"),
    )
}

fn undo(plan: &Plan) -> Fact {
    let totals = plan.totals();
    let stage = crate::stages::get(plan.header().stage);
    if let Some(words) = stage.and_then(|stage| stage.undo_words())
        && totals.irreversible == 0
    {
        return fact("undo", words);
    }
    if totals.irreversible == 0 && totals.rows_app > 0 {
        return fact(
            "undo",
            "rows of the database by `cutover undo`; the plan keeps what stood elsewhere",
        );
    }
    if totals.irreversible == 0 && totals.money.is_empty() {
        return fact("undo", "by hand; the plan keeps what stood there before");
    }
    if totals.irreversible == 0 {
        return fact(
            "undo",
            "each write has an opposite entry; the journal keeps the list",
        );
    }
    let text = format!(
        "{} cannot be taken back by anything",
        words::many(totals.irreversible, "write")
    );
    toned("undo", Tone::Bad, text)
}

fn left_out(dialog: &Approval, totals: &Totals) -> Vec<Fact> {
    if dialog.left_out.is_empty() {
        return vec![fact("left out", "no row")];
    }
    let all = fact(
        "left out",
        format!("{}, never written:", words::many(totals.left_out, "row")),
    );
    let rules = dialog
        .left_out
        .iter()
        .map(|(rule, rows)| fact("", format!("{:>9}  {rule}", grouped(*rows))));
    std::iter::once(all).chain(rules).collect()
}

fn seals(state: &RunState, plan: &Plan, now: UtcMs) -> Vec<Fact> {
    let policy = &plan.header().policy;
    let mut lines: Vec<Fact> = policy
        .iter()
        .enumerate()
        .map(|(at, (name, value))| fact(if at == 0 { "policy" } else { "" }, format!("{name} = {value}")))
        .collect();
    let words = state.scope.as_ref().map_or("", |(_, words)| words.as_str());
    lines.push(fact(
        "scope",
        format!("{}  {words}", plan.header().scope.spoken()),
    ));
    let age = human_ms(now.since(plan.made_at()));
    lines.push(fact(
        "plan",
        format!("{}  made {age} ago", plan.digest().spoken()),
    ));
    let until = now.plus_ms(VALID_MS).datetime().format("%H:%M UTC").to_string();
    lines.push(fact(
        "good until",
        format!("{until} (4 hours), for this plan only"),
    ));
    lines
}
