//! What needs a person, in the order in which it should be looked at. The board lists it, and the terminal's title and
//! bell count it.

use crate::domain::finding::Severity;
use crate::domain::money::count;
use crate::domain::panel::Tone;
use crate::domain::time::UtcMs;
use crate::engine::state::{Phase, RunState, StageState};
use crate::tui::rows::StageView;
use crate::tui::words::many;

/// One thing that needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// How it strikes the eye.
    pub tone: Tone,
    /// What it is and which key deals with it.
    pub text: String,
}

/// All of them.
#[must_use]
pub fn of(state: &RunState, views: &[StageView]) -> Vec<Need> {
    let mut needs = Vec::new();
    if state.fatal.is_some() {
        needs.push(Need {
            tone: Tone::Bad,
            text: "the engine stopped: q leaves".to_owned(),
        });
    }
    if state.paused.is_some() {
        needs.push(Need {
            tone: Tone::Attention,
            text: "paused: Space goes on".to_owned(),
        });
    }
    for (stage, view) in state.stages.iter().zip(views) {
        needs_of(stage, view, state.now, &mut needs);
    }
    needs
}

fn needs_of(stage: &StageState, view: &StageView, now: UtcMs, needs: &mut Vec<Need>) {
    let title = if view.panel.title.is_empty() {
        stage.id.word()
    } else {
        &view.panel.title
    };
    let mut push = |tone, text: String| {
        needs.push(Need {
            tone,
            text: format!("{title}: {text}"),
        });
    };
    match &stage.phase {
        Phase::GatherFailed { .. } => push(Tone::Bad, "reading failed, r reads again".to_owned()),
        Phase::Halted { .. } => push(Tone::Bad, "halted, c continues".to_owned()),
        Phase::AuditFailed { .. } => push(Tone::Bad, "verify failed, v again".to_owned()),
        Phase::Written => push(Tone::Attention, "written, v verifies".to_owned()),
        Phase::Review => review_needs(stage, &mut push),
        Phase::Done => waits(stage, now, &mut push),
        _ => {}
    }
    if !view.reissue.is_empty() {
        push(
            Tone::Bad,
            format!("{} unknown, R resends", count(view.reissue.len())),
        );
    }
    let differs = stage
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Differs)
        .count();
    if differs > 0 {
        push(Tone::Bad, format!("{}, F", many(differs as u64, "difference")));
    }
}

/// What could not be done yet: from when on it can, it needs a person.
fn waits(stage: &StageState, now: UtcMs, push: &mut impl FnMut(Tone, String)) {
    let script = crate::stages::get(stage.id);
    let again = script
        .zip(stage.plan.as_deref())
        .and_then(|(script, plan)| script.again(plan));
    let Some(again) = again else { return };
    if again.at <= now {
        let rows = many(again.rows, "row");
        push(Tone::Attention, format!("{rows} waited, r plans them"));
    } else {
        let at = again.at.datetime().format("%a %H:%M");
        push(Tone::Quiet, format!("{} wait, till {at}", many(again.all, "row")));
    }
}

fn review_needs(stage: &StageState, push: &mut impl FnMut(Tone, String)) {
    let Some(totals) = stage.plan.as_ref().map(|plan| plan.totals()) else {
        return;
    };
    if totals.blocked > 0 {
        push(
            Tone::Attention,
            format!("{} to decide", many(totals.blocked, "row")),
        );
    } else if totals.planned > 0 {
        push(Tone::Attention, "plan to approve, a".to_owned());
    }
}

/// A count with separators.
#[must_use]
pub fn grouped(n: u64) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX))
}
