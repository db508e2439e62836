//! Words and signs for where things stand. Colour may vanish; these may not.

use crate::domain::change::{Change, LEAVE_OUT, Verdict};
use crate::domain::ids::{AccountId, Role, short_id};
use crate::domain::money::count;
use crate::domain::panel::Tone;
use crate::domain::record::RowEnd;
use crate::domain::time::{UtcMs, human_ms};
use crate::engine::state::{Phase, RowState, RunState, StageState};
use crate::tui::glyphs::Glyphs;
use crate::tui::msg::Zone;
use crate::tui::needs::grouped;
use crate::tui::rows::StageView;

/// A sign, a word and how it strikes the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The sign.
    pub sign: &'static str,
    /// The word.
    pub word: &'static str,
    /// How it strikes the eye.
    pub tone: Tone,
}

const fn word(sign: &'static str, word: &'static str, tone: Tone) -> Word {
    Word { sign, word, tone }
}

/// How many rows pass the filter, and how far the look at them is.
#[must_use]
pub fn passing(view: &StageView) -> String {
    let (found, all) = (count(view.len()), count(view.changes().len()));
    if view.is_looking() {
        format!("{found} so far, {} of {all} looked at", count(view.looked_at()))
    } else {
        format!("{found} of {all}")
    }
}

/// Where a stage is.
#[must_use]
pub const fn phase(stage: &StageState, paused: bool, glyphs: &Glyphs) -> Word {
    match &stage.phase {
        Phase::Waiting => word(glyphs.waits, "WAITING", Tone::Quiet),
        Phase::Gathering => word(glyphs.running, "READING", Tone::Plain),
        Phase::GatherFailed { .. } => word(glyphs.failed, "READ FAILED", Tone::Bad),
        Phase::Review => word(glyphs.attention, "REVIEW", Tone::Attention),
        Phase::Checking => word(glyphs.running, "CHECKING", Tone::Plain),
        Phase::Writing if paused => word(glyphs.paused, "PAUSED", Tone::Attention),
        Phase::Writing => word(glyphs.running, "WRITING", Tone::Attention),
        Phase::Halted { .. } => word(glyphs.failed, "HALTED", Tone::Bad),
        Phase::Written => word(glyphs.attention, "WRITTEN", Tone::Attention),
        Phase::Auditing => word(glyphs.running, "VERIFYING", Tone::Plain),
        Phase::AuditFailed { .. } => word(glyphs.failed, "VERIFY FAILED", Tone::Bad),
        Phase::Done => word(glyphs.done, "DONE", Tone::Good),
        Phase::Undoing => word(glyphs.running, "UNDOING", Tone::Attention),
        Phase::Undone => word(glyphs.attention, "UNDONE", Tone::Attention),
    }
}

/// Where a row stands: its end or progress while it is written, else its verdict.
#[must_use]
pub fn row(change: &Change, row: Option<&RowState>, glyphs: &Glyphs) -> Word {
    match (row, change.verdict) {
        (Some(RowState { end: Some(end), .. }), _) => ended(*end, glyphs),
        (Some(RowState { working: true, .. }), _) => word(glyphs.running, "writing", Tone::Attention),
        (Some(_), Verdict::Planned) => word(glyphs.waits, "pending", Tone::Plain),
        (_, verdict) => verdict_word(verdict, glyphs),
    }
}

/// The sign and word of a verdict.
#[must_use]
pub const fn verdict_word(verdict: Verdict, glyphs: &Glyphs) -> Word {
    match verdict {
        Verdict::Planned => word("+", "planned", Tone::Plain),
        Verdict::Blocked => word(glyphs.failed, "BLOCKED", Tone::Bad),
        Verdict::Noop => word(glyphs.equal, "no-op", Tone::Quiet),
        Verdict::LeftOut => word("-", "left out", Tone::Quiet),
    }
}

/// What was decided about a row, by whom and in which words; an override of what the program had planned says so.
#[must_use]
pub fn decided(change: &Change) -> Option<String> {
    let decision = change.decision.as_ref()?;
    let asks = change
        .choices
        .iter()
        .find(|choice| choice.name == decision.choice);
    let asks = asks.and_then(|choice| choice.number.as_ref());
    let number = match (decision.number, asks) {
        (Some(number), Some(asked)) => format!(" {number} ({})", asked.asks),
        (Some(number), None) => format!(" {number}"),
        (None, _) => String::new(),
    };
    let word = if change.planned_as == Verdict::Planned && decision.choice != LEAVE_OUT {
        "overridden"
    } else {
        "decided"
    };
    let note = if decision.note.is_empty() {
        String::new()
    } else {
        format!(": \"{}\"", decision.note)
    };
    Some(format!(
        "{word}: {}{number} by {}{note}",
        decision.choice, decision.by
    ))
}

const fn ended(end: RowEnd, glyphs: &Glyphs) -> Word {
    match end {
        RowEnd::Done => word(glyphs.done, "done", Tone::Good),
        RowEnd::Failed => word(glyphs.failed, "FAILED", Tone::Bad),
        RowEnd::Drifted => word("~", "DRIFTED", Tone::Attention),
        RowEnd::Unknown => word(glyphs.unknown, "UNKNOWN", Tone::Bad),
        RowEnd::Undone => word("-", "undone", Tone::Attention),
    }
}

/// The old account and the new one, by role.
#[must_use]
pub const fn old_or_new(role: Role) -> &'static str {
    match role {
        Role::Source => "old",
        Role::Destination => "new",
    }
}

/// An account, short; `no account` before there is one.
#[must_use]
pub fn account(state: &RunState, role: Role) -> String {
    state.accounts.as_ref().map_or_else(
        || "no account".to_owned(),
        |accounts| AccountId::short(accounts.of(role)),
    )
}

/// Whatever id, short.
#[must_use]
pub fn id(text: &str) -> String {
    short_id(text)
}

/// `3m12s ago`.
#[must_use]
pub fn ago(now: UtcMs, at: UtcMs) -> String {
    format!("{} ago", human_ms(now.since(at)))
}

/// The local time of day, `01:04:52 local`.
#[must_use]
pub fn local(now: UtcMs, zone: Zone) -> String {
    format!("{} local", now.plus_ms(i64::from(zone.east_s) * 1_000).hms())
}

/// Requests on their way, both accounts.
#[must_use]
pub fn in_flight(state: &RunState) -> u32 {
    state.budgets.values().map(|budget| budget.in_flight).sum()
}

/// `1 request`, `1,204 requests`.
#[must_use]
pub fn requests(n: u32) -> String {
    many(u64::from(n), "request")
}

/// A count and what is counted: `1 row`, `1,204 rows`.
#[must_use]
pub fn many(n: u64, one: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(n))
}

/// The same of things in a list.
#[must_use]
pub fn many_of<T>(all: &[T], one: &str) -> String {
    many(all.len() as u64, one)
}
