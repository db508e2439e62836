//! The number a choice asks for: proposed, typed, checked while it is typed. Enter takes it only inside its bounds.

use tui_input::{Input, InputRequest};

use crate::domain::panel::Tone;
use crate::tui::model::{Asking, Dialog, Draft, Model};
use crate::tui::msg::Cmd;
use crate::tui::reach::{Asked, Bounds, Reach};
use crate::tui::update::decide;

/// Longest number that can be typed, in characters: what does not fit a sum of uses is no number of uses.
pub const LONGEST: usize = 20;

/// Opens it on what was decided before, or else on what is usual.
pub(super) fn open(model: &mut Model, draft: Draft, bounds: &Bounds) {
    let selected = model.view().and_then(|view| view.selected());
    let before = selected.and_then(|(change, _)| change.decision.as_ref());
    let before = before.filter(|before| before.choice == draft.choice);
    let before = before.and_then(|before| before.number);
    let proposed = before.or(bounds.usual);
    open_with(model, draft, bounds, proposed, true);
}

/// Opens it with that number, if it fits.
pub(super) fn open_with(
    model: &mut Model,
    draft: Draft,
    bounds: &Bounds,
    given: Option<u64>,
    proposed: bool,
) {
    let fits = |given: &u64| (bounds.least..=bounds.most).contains(given);
    let input = given
        .filter(fits)
        .map(|given| Input::from(given.to_string()))
        .unwrap_or_default();
    model.dialog = Some(Dialog::Number(Box::new(Asking {
        draft,
        input,
        proposed,
        scroll: 0,
    })));
}

/// What was typed, checked.
pub fn check(asking: &Asking) -> Result<u64, String> {
    match &asking.draft.reach.asked {
        Asked::Number(bounds) => bounds.check(asking.input.value()),
        // Not opened without bounds.
        Asked::Nothing | Asked::Differs => Err("No number is asked for.".to_owned()),
    }
}

/// A proposal gives way to the first character that is typed, as selected text does everywhere; editing keys edit it.
pub(super) fn edit(asking: &mut Asking, request: InputRequest) {
    let types = matches!(request, InputRequest::InsertChar(_));
    if types && asking.proposed {
        asking.input = Input::default();
    }
    asking.proposed = false;
    if types && asking.input.value().chars().count() >= LONGEST {
        return;
    }
    asking.input.handle(request);
}

/// Enter.
pub(super) fn confirm(model: &mut Model) -> Vec<Cmd> {
    let Some(Dialog::Number(asking)) = &model.dialog else {
        return Vec::new();
    };
    let given = match check(asking) {
        Ok(given) => given,
        Err(why) => {
            model.say(Tone::Attention, why);
            return Vec::new();
        }
    };
    let mut draft = asking.draft.clone();
    model.dialog = None;
    let now = decide::reach(model, &draft.rows, &draft.choice);
    if now.as_ref() != Some(&draft.reach) {
        look_again(model, draft, now);
        return Vec::new();
    }
    (draft.number, draft.told) = (Some(given), true);
    decide::next(model, draft)
}

/// The plan is another one than when the dialog opened: what it says now is shown, and nothing is taken unseen.
fn look_again(model: &mut Model, mut draft: Draft, now: Option<Reach>) {
    if let Some(now) = now {
        let asked = now.asked.clone();
        draft.reach = now;
        if let Asked::Number(bounds) = asked {
            open(model, draft, &bounds);
        }
    }
    model.say(Tone::Attention, decide::CHANGED);
}
