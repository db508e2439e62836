//! The way to an undo: the engine works out what it would send, then the approval's dialog asks for it, with its own
//! facts. What was shown is what is approved: another digest is refused.

use std::sync::Arc;

use crate::domain::time::human_ms;
use crate::engine::command::Command;
use crate::engine::state::{Offer, StageState};
use crate::tui::model::{Approval, DRIFT_GOOD_MS, Model};
use crate::tui::msg::Cmd;
use crate::tui::update::{approval, ask};

/// `U`: asks the engine what taking the stage back would send. The dialog opens when it has said so.
pub fn ask_for_offer(model: &mut Model) -> Vec<Cmd> {
    let Some(stage) = model.stage_state() else {
        return Vec::new();
    };
    let (id, before) = (stage.id, stage.offer.as_ref().map(|offer| offer.at));
    model.waiting_offer = Some((id, before));
    ask(model, Command::OfferUndo(id))
}

/// Opens the dialog once the offer that was asked for is there and the operator is not busy with something else.
pub fn open_when_offered(model: &mut Model) {
    let Some((id, before)) = model.waiting_offer else {
        return;
    };
    let fresh = |stage: &&StageState| stage.id == id;
    let offer = model
        .latest
        .stages
        .iter()
        .find(fresh)
        .and_then(|stage| stage.offer.clone());
    let Some(offer) = offer.filter(|offer| Some(offer.at) != before) else {
        return;
    };
    model.waiting_offer = None;
    if model.dialog.is_none() {
        let dialog = opened(model, id, offer);
        approval::open(model, dialog);
    }
}

fn opened(model: &Model, id: crate::domain::ids::StageId, offer: Arc<Offer>) -> Approval {
    let (digest, at) = (offer.plan.digest(), offer.at);
    Approval {
        back: Some(offer),
        ..approval::blank(id, digest, at, model.tick)
    }
}

/// Why the undo that is shown is no longer what would be taken back.
pub(super) fn changed_under(stage: &StageState, dialog: &Approval) -> Option<String> {
    let offered = stage.offer.as_ref().map(|offer| offer.plan.digest());
    if offered != Some(dialog.digest) {
        return Some(
            "what would be taken back changed while this was open; go back and press U again".to_owned(),
        );
    }
    None
}

pub(super) fn too_old(model: &Model, dialog: &Approval) -> Option<String> {
    let age = model.now.since(dialog.checked_at);
    (age > DRIFT_GOOD_MS).then(|| {
        format!(
            "this was worked out {} ago; go back and press U again",
            human_ms(age)
        )
    })
}
