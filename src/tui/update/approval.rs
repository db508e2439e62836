//! The way to an approval: a drift check first, then a dialog that believes nothing but what it sees.
//!
//! The dialog takes no key in its first second (they were meant for elsewhere), takes no pasted phrase, and turns itself
//! off for good when the plan, the facts or the run change under it. Approving again means opening it again, which means
//! checking again.

use std::collections::BTreeMap;

use crate::domain::approval::phrase_fits;
use crate::domain::change::Verdict;
use crate::domain::ids::{Digest, StageId};
use crate::domain::panel::Tone;
use crate::domain::plan::Plan;
use crate::domain::time::{UtcMs, human_ms};
use crate::engine::command::{Command, CommandRefused};
use crate::engine::state::{DriftCheck, Phase, RunState, StageState};
use crate::tui::keymap::{Key, Place};
use crate::tui::model::{Approval, DRIFT_GOOD_MS, Dialog, GRACE_MS, Model, Waiting};
use crate::tui::msg::Cmd;
use crate::tui::update::{ask, engine};
use crate::tui::words;

pub use crate::tui::facts::facts;

/// `a`: asks the engine to read the facts again. The dialog opens when it has.
pub fn ask_for_check(model: &mut Model) -> Vec<Cmd> {
    let Some(stage) = model.stage_state() else {
        return Vec::new();
    };
    let Some(plan) = &stage.plan else {
        return Vec::new();
    };
    let waiting = Waiting {
        stage: stage.id,
        digest: plan.digest(),
        before: stage.check.as_ref().map(|check| check.at),
        begun: false,
    };
    model.waiting_check = Some(waiting);
    ask(model, Command::Check(waiting.stage))
}

/// Opens the dialog once the check that was asked for is there and the operator is not busy with something else.
pub fn open_when_checked(model: &mut Model) {
    let Some(waiting) = model.waiting_check else {
        return;
    };
    let latest = model.latest.clone();
    let Some(stage) = latest.stages.iter().find(|stage| stage.id == waiting.stage) else {
        return;
    };
    match checked(stage, waiting) {
        Checked::NotYet => {
            let begun = waiting.begun || stage.phase == Phase::Checking;
            model.waiting_check = Some(Waiting { begun, ..waiting });
        }
        Checked::Never(why) => {
            model.waiting_check = None;
            model.say(Tone::Attention, why);
        }
        Checked::Fresh(check) if check.drifted.is_empty() => {
            if model.dialog.is_none() {
                open(model, opened(stage, waiting, check, model.tick));
            }
        }
        Checked::Fresh(check) => {
            let rows = words::many_of(&check.drifted, "row");
            let why =
                format!("approve is off: {rows} changed on Stripe since the plan was made; r reads again");
            model.waiting_check = None;
            model.say(Tone::Bad, why);
        }
    }
}

/// An approval is given on what is true: a frozen picture goes on.
pub(super) fn open(model: &mut Model, dialog: Approval) {
    if model.frozen.take().is_some() {
        engine::show_latest(model);
    }
    model.dialog = Some(Dialog::Approval(Box::new(dialog)));
    model.waiting_check = None;
    model.ack = None;
}

enum Checked<'a> {
    NotYet,
    Never(&'static str),
    Fresh(&'a DriftCheck),
}

fn checked(stage: &StageState, waiting: Waiting) -> Checked<'_> {
    let same_plan = stage.plan.as_ref().map(|plan| plan.digest()) == Some(waiting.digest);
    if !same_plan || !matches!(stage.phase, Phase::Review | Phase::Checking) {
        return Checked::Never("approve: the plan changed while the facts were read again; look at it again");
    }
    let fresh = |check: &&DriftCheck| Some(check.at) != waiting.before && check.digest == waiting.digest;
    match (&stage.phase, stage.check.as_ref().filter(fresh)) {
        (Phase::Review, Some(check)) => Checked::Fresh(check),
        (Phase::Review, None) if waiting.begun => {
            Checked::Never("approve: the facts could not be read again; the journal says why")
        }
        _ => Checked::NotYet,
    }
}

fn opened(stage: &StageState, waiting: Waiting, check: &DriftCheck, tick: u64) -> Approval {
    Approval {
        left_out: stage.plan.as_deref().map(left_out).unwrap_or_default(),
        ..blank(waiting.stage, waiting.digest, check.at, tick)
    }
}

/// The dialog with nothing typed, about that plan.
pub(super) fn blank(stage: StageId, digest: Digest, checked_at: UtcMs, tick: u64) -> Approval {
    Approval {
        stage,
        digest,
        back: None,
        checked_at,
        opened: tick,
        dropped: 0,
        pasted: false,
        field: crate::tui::model::Field::Phrase,
        phrase: tui_input::Input::default(),
        witness: tui_input::Input::default(),
        note: tui_input::Input::default(),
        off: None,
        sent: false,
        refused: None,
        scroll: 0,
        left_out: Vec::new(),
    }
}

fn left_out(plan: &Plan) -> Vec<(String, u64)> {
    let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
    for change in plan
        .changes()
        .iter()
        .filter(|change| change.verdict == Verdict::LeftOut)
    {
        *by_rule.entry(&change.rule).or_default() += 1;
    }
    by_rule
        .into_iter()
        .map(|(rule, rows)| (rule.to_owned(), rows))
        .collect()
}

/// Drops and counts a key typed in the dialog's first second; Ctrl-C is always heard.
pub fn too_early(model: &mut Model, key: Key) -> bool {
    let tick = model.tick;
    let Some(Dialog::Approval(dialog)) = &mut model.dialog else {
        return false;
    };
    let early = tick < dialog.opened.saturating_add(GRACE_MS) && key != Key::Ctrl('c');
    dialog.dropped += u32::from(early);
    early
}

/// Looks whether anything under the open dialog has changed; if so it is off, with the reason.
pub fn watch(model: &mut Model) {
    let Some(Dialog::Approval(dialog)) = &model.dialog else {
        return;
    };
    if dialog.off.is_some() || dialog.sent {
        return;
    }
    let why = changed_under(&model.latest, dialog).or_else(|| too_old(model, dialog));
    if let (Some(why), Some(Dialog::Approval(dialog))) = (why, &mut model.dialog) {
        dialog.off = Some(why);
    }
}

fn changed_under(state: &RunState, dialog: &Approval) -> Option<String> {
    if let Some(why) = &state.fatal {
        return Some(format!("the engine has stopped: {why}"));
    }
    if let Some(by) = state.paused.as_ref().filter(|_| dialog.back.is_none()) {
        return Some(format!("{by} paused the run; Space goes on, then a checks again"));
    }
    let here = state.stages.iter().find(|stage| stage.id == dialog.stage)?;
    if dialog.back.is_some() {
        return super::undo::changed_under(here, dialog);
    }
    let digest = here.plan.as_ref().map(|plan| plan.digest());
    if digest != Some(dialog.digest) {
        return Some("the plan changed while this was open; go back and look at it again".to_owned());
    }
    if here.phase != Phase::Review {
        return Some(format!("the stage is {} now; go back", here.phase.word()));
    }
    match &here.check {
        Some(check) if !check.drifted.is_empty() => Some(format!(
            "{} changed on Stripe; go back and read again",
            words::many_of(&check.drifted, "row")
        )),
        Some(check) if check.digest == dialog.digest => None,
        _ => Some("the facts were read for another plan; go back and check again".to_owned()),
    }
}

fn too_old(model: &Model, dialog: &Approval) -> Option<String> {
    if dialog.back.is_some() {
        return super::undo::too_old(model, dialog);
    }
    let at = check_of(&model.latest, dialog).map_or(dialog.checked_at, |check| check.at);
    let age = model.now.since(at);
    (age > DRIFT_GOOD_MS).then(|| {
        format!(
            "the drift check is {} old; go back and press a to check again",
            human_ms(age)
        )
    })
}

fn check_of<'a>(state: &'a RunState, dialog: &Approval) -> Option<&'a DriftCheck> {
    state
        .stages
        .iter()
        .find(|stage| stage.id == dialog.stage)?
        .check
        .as_ref()
}

/// Why Enter would not approve now, in a few words; `None` when it would.
#[must_use]
pub fn off_because(model: &Model, dialog: &Approval) -> Option<String> {
    if let Some(why) = &dialog.off {
        return Some(why.clone());
    }
    if dialog.sent {
        return Some("going to the journal".to_owned());
    }
    if model.tick < dialog.opened.saturating_add(GRACE_MS) {
        return Some("just opened".to_owned());
    }
    let plan = plan_of(model, dialog)?;
    if !phrase_fits(plan, dialog.phrase.value()) {
        return Some("phrase".to_owned());
    }
    witness_missing(model, dialog)
}

/// The plan the dialog is about.
#[must_use]
pub fn plan_of<'a>(model: &'a Model, dialog: &'a Approval) -> Option<&'a Plan> {
    if let Some(offer) = &dialog.back {
        return Some(&offer.plan);
    }
    model
        .latest
        .stages
        .iter()
        .find(|stage| stage.id == dialog.stage)?
        .plan
        .as_deref()
}

/// Whether live, irreversible writes ask for a second name.
#[must_use]
pub fn witness_needed(model: &Model, plan: &Plan) -> bool {
    plan.header().accounts.environment.livemode()
        && plan.totals().irreversible > 0
        && !model.latest.witness_waived
}

fn witness_missing(model: &Model, dialog: &Approval) -> Option<String> {
    let witness = dialog.witness.value().trim();
    let plan = plan_of(model, dialog)?;
    if !witness.is_empty() && witness == model.latest.operator.trim() {
        return Some("witness: not yourself".to_owned());
    }
    (witness.is_empty() && witness_needed(model, plan)).then(|| "witness".to_owned())
}

/// Enter: approves, unless anything stands against it.
pub fn confirm(model: &mut Model) -> Vec<Cmd> {
    watch(model);
    let Some(Dialog::Approval(dialog)) = &model.dialog else {
        return Vec::new();
    };
    if off_because(model, dialog).is_some() || plan_of(model, dialog).is_none() {
        return Vec::new();
    }
    let text = |input: &tui_input::Input| input.value().trim().to_owned();
    let (stage, digest, phrase) = (dialog.stage, dialog.digest, text(&dialog.phrase));
    let witness = Some(text(&dialog.witness)).filter(|name| !name.is_empty());
    let command = if dialog.back.is_some() {
        Command::Undo {
            stage,
            digest: Some(digest),
            phrase,
            witness,
            note: text(&dialog.note),
            by: model.latest.operator.clone(),
        }
    } else {
        Command::Approve {
            stage,
            digest,
            phrase,
            witness,
            note: text(&dialog.note),
        }
    };
    if let Some(Dialog::Approval(dialog)) = &mut model.dialog {
        (dialog.sent, dialog.refused) = (true, None);
    }
    ask(model, command)
}

/// The engine took the approval.
pub fn granted(model: &mut Model) {
    let is_undo = matches!(&model.dialog, Some(Dialog::Approval(dialog)) if dialog.back.is_some());
    if model.place() == Place::Approval {
        model.dialog = None;
    }
    model.screen = crate::tui::model::Screen::Board;
    model.heard(if is_undo {
        "approved: taking back starts"
    } else {
        "approved: writing starts"
    });
}

/// The engine refused the approval: said in the dialog, which stays.
pub fn refused(model: &mut Model, why: &CommandRefused) {
    model.ack = None;
    if let Some(Dialog::Approval(dialog)) = &mut model.dialog {
        (dialog.sent, dialog.refused) = (false, Some(why.to_string()));
    } else {
        model.say(Tone::Bad, format!("approve: {why}"));
    }
}
