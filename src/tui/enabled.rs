//! Whether an action can be done now; if not, why not, in a sentence. Pure questions to the model.

use crate::engine::state::{Phase, StageState};
use crate::tui::model::Model;

type Can = Result<(), String>;

fn no(why: &str) -> Can {
    Err(why.to_owned())
}

/// Always.
pub fn always(_: &Model) -> Can {
    Ok(())
}

/// There is a row under the cursor.
pub fn has_rows(model: &Model) -> Can {
    if model.view().is_some_and(|view| !view.changes().is_empty()) {
        Ok(())
    } else {
        no("this stage has no rows yet; r reads both accounts")
    }
}

/// The picture is live and the engine is there.
fn may_act(model: &Model) -> Can {
    if model.frozen.is_some() {
        return no("the picture is frozen; f goes on first");
    }
    if let Some(why) = &model.latest.fatal {
        return Err(format!("the engine has stopped: {why}"));
    }
    if model.leaving.is_some() {
        return no("the program is leaving");
    }
    Ok(())
}

fn stage(model: &Model) -> Result<&StageState, String> {
    may_act(model)?;
    model.stage_state().ok_or_else(|| "there is no stage".to_owned())
}

/// A plan waits for approval.
pub fn approve(model: &Model) -> Can {
    let stage = stage(model)?;
    if model.waiting_check.is_some() || stage.phase == Phase::Checking {
        return no("the facts are being read again");
    }
    if stage.phase != Phase::Review {
        return Err(format!(
            "the stage is {}, and only a plan in review can be approved",
            stage.phase.word()
        ));
    }
    let Some(plan) = &stage.plan else {
        return no("there is no plan yet");
    };
    let totals = plan.totals();
    if totals.blocked > 0 {
        return Err(format!(
            "{} undecided; decide them, or leave them out, to go on",
            crate::tui::words::many(totals.blocked, "row")
        ));
    }
    if totals.acts() == 0 {
        return no("the plan writes nothing, so there is nothing to approve");
    }
    if model.latest.paused.is_some() {
        return no("the run is paused; Space goes on");
    }
    Ok(())
}

/// The stage may be read (again): nothing of it is being written. What was written stays, and the new plan starts from it.
pub fn scan(model: &Model) -> Can {
    let stage = stage(model)?;
    match stage.phase {
        Phase::Waiting
        | Phase::GatherFailed { .. }
        | Phase::Review
        | Phase::Done
        | Phase::Undone
        | Phase::AuditFailed { .. } => Ok(()),
        Phase::Gathering => no("both accounts are being read already"),
        _ => Err(format!(
            "the stage is {}; it is read again before it is written, or after",
            stage.phase.word()
        )),
    }
}

/// Something was written that can be verified.
pub fn audit(model: &Model) -> Can {
    let stage = stage(model)?;
    match stage.phase {
        Phase::Written | Phase::Done | Phase::AuditFailed { .. } => Ok(()),
        _ => Err(format!(
            "the stage is {}; there is nothing to verify",
            stage.phase.word()
        )),
    }
}

/// The stage is halted.
pub fn resume_halted(model: &Model) -> Can {
    if matches!(stage(model)?.phase, Phase::Halted { .. }) {
        Ok(())
    } else {
        no("only a halted stage is continued")
    }
}

/// The stage has written something that this program can try to take back.
pub fn take_back(model: &Model) -> Can {
    let stage = stage(model)?;
    let under_way = stage.undo_under_way().is_some() && model.latest.paused.is_some();
    if stage.phase.is_busy() && model.latest.paused.is_none() && !under_way {
        return Err(format!(
            "the stage is {}; Space first, or wait until it is finished",
            stage.phase.word()
        ));
    }
    let Some(plan) = &stage.plan else {
        return no("this stage has written nothing");
    };
    let script = crate::stages::get(stage.id);
    let can = plan.totals().rows_app > 0 || script.is_some_and(|script| script.undo_words().is_some());
    if !can {
        return no("what this stage wrote has no undo; the plan keeps what stood there before");
    }
    if stage.approval.is_none() {
        return no("this stage has written nothing");
    }
    Ok(())
}

/// The stage hands out files for the Dashboard.
pub fn upload(model: &Model) -> Can {
    let stage = stage(model)?;
    let hands_out = crate::stages::get(stage.id).is_some_and(|script| script.contents(b"").is_some());
    if hands_out {
        Ok(())
    } else {
        no("this stage hands out no file for the Dashboard")
    }
}

/// A row that is shown waits for a word.
pub fn reissue(model: &Model) -> Can {
    stage(model)?;
    let waits = model.view().is_some_and(|view| !view.reissue_shown().is_empty());
    if waits {
        Ok(())
    } else {
        no("no row shown waits to be sent again; only one that a probe did not find on Stripe does")
    }
}

/// The row may be decided.
pub fn decide(model: &Model) -> Can {
    let stage = stage(model)?;
    has_rows(model)?;
    if stage.phase == Phase::Review && stage.plan.is_some() {
        Ok(())
    } else {
        Err(format!(
            "the stage is {}; rows are decided while a plan is in review",
            stage.phase.word()
        ))
    }
}

/// The row is decided with another.
pub fn has_leader(model: &Model) -> Can {
    has_rows(model)?;
    let selected = model.view().and_then(|view| view.selected());
    if selected.is_some_and(|(change, _)| change.with.is_some()) {
        Ok(())
    } else {
        no("this row is decided by itself")
    }
}

/// The engine can be paused.
pub fn pause(model: &Model) -> Can {
    if model.latest.fatal.is_some() {
        no("the engine has stopped; nothing is being written")
    } else {
        Ok(())
    }
}

/// There are findings.
pub fn findings(model: &Model) -> Can {
    let any = model
        .stage_state()
        .is_some_and(|stage| !stage.findings.is_empty());
    if any {
        Ok(())
    } else {
        no("this stage has no findings")
    }
}

/// The selected account has a budget.
pub fn share(model: &Model) -> Can {
    may_act(model)?;
    if model.latest.budgets.contains_key(&model.account) {
        Ok(())
    } else {
        no("no account is connected yet")
    }
}

/// No write is between its intent and its outcome.
pub fn suspend(model: &Model) -> Can {
    let writing = model.latest.armed().is_some();
    let flying: u32 = model.latest.budgets.values().map(|budget| budget.in_flight).sum();
    if writing && (model.latest.paused.is_none() || flying > 0) {
        return no("a write may be between its intent and its outcome; Space first, then suspend");
    }
    Ok(())
}
