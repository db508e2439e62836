use super::*;
use crate::domain::approval;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::time::UtcMs;
use crate::engine::state::{LEFT, Offer};

/// Coupons that were written; what takes them back is their own plan here, which is as good a plan as any.
fn written() -> Model {
    let mut model = on(sample::coupons());
    publish(&mut model, |state| {
        for stage in &mut state.stages {
            stage.phase = Phase::Done;
            stage.approval = stage.plan.as_deref().map(approved);
        }
    });
    let coupons = model.latest.stages.iter().position(|s| s.id == StageId::Coupons);
    model.stage = coupons.unwrap();
    model
}

fn approved(plan: &crate::domain::plan::Plan) -> approval::Approval {
    approval::Approval {
        stage: plan.header().stage,
        digest: plan.digest(),
        phrase: approval::phrase(plan),
        operator: "op".into(),
        witness: None,
        witness_waived: false,
        note: String::new(),
        writes_source: 0,
        writes_destination: 0,
        writes_if_raced: 0,
        irreversible: 0,
        rows_app: 0,
        lines: 0,
        journal_head: String::new(),
        at: UtcMs(0),
        expires_at: UtcMs(1),
    }
}

fn offered(model: &mut Model, at: i64, left: &str) {
    publish(model, |state| {
        let stage = state.stage_mut(StageId::Coupons).unwrap();
        let left = Finding {
            stage: StageId::Coupons,
            customer: "code/promo_1".into(),
            rule: LEFT.into(),
            reason: left.into(),
            severity: Severity::Differs,
            money: None,
        };
        stage.offer = Some(Arc::new(Offer {
            plan: stage.plan.clone().unwrap(),
            left: vec![left],
            at: UtcMs(at),
        }));
    });
}

fn taking_back() -> Model {
    let mut model = written();
    assert_eq!(
        asked(press(&mut model, Key::Char('U'))),
        [Command::OfferUndo(StageId::Coupons)]
    );
    assert!(
        model.dialog.is_none(),
        "nothing is asked for before it is known what"
    );
    let now = model.now.0;
    offered(&mut model, now, "it stays");
    assert!(dialog(&model).back.is_some());
    pass(&mut model, 1_000);
    model
}

fn phrase(model: &Model) -> String {
    approval::phrase(&dialog(model).back.as_ref().unwrap().plan)
}

#[test]
fn an_undo_is_asked_for_with_its_own_facts_and_approved_as_it_was_shown() {
    let mut model = taking_back();
    let (digest, phrase) = (dialog(&model).digest, phrase(&model));
    let facts = crate::tui::facts::facts(&model, dialog(&model));
    let facts: Vec<&str> = facts.iter().map(|fact| fact.text.as_str()).collect();
    assert!(facts.iter().any(|line| line.contains("it stays")), "{facts:?}");
    assert_eq!(asked(press(&mut model, Key::Enter)), [], "not without the phrase");
    typed(&mut model, &phrase);
    let asked = asked(press(&mut model, Key::Enter));
    let [
        Command::Undo {
            stage,
            digest: Some(shown),
            phrase: said,
            ..
        },
    ] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    assert_eq!((*stage, *shown, said), (StageId::Coupons, digest, &phrase));
    let result = Ok(());
    update(
        &mut model,
        Msg::Answer {
            asked: Asked::Undo,
            result,
        },
    );
    assert!(model.dialog.is_none());
}

#[test]
fn an_undo_that_is_no_longer_what_was_shown_turns_the_dialog_off() {
    let mut model = taking_back();
    publish(&mut model, |state| {
        state.stage_mut(StageId::Coupons).unwrap().offer = None;
    });
    let phrase = phrase(&model);
    typed(&mut model, &phrase);
    assert_eq!(asked(press(&mut model, Key::Enter)), []);
    assert!(dialog(&model).off.is_some());
}

#[test]
fn an_old_offer_opens_nothing_and_a_refusal_is_said() {
    let mut model = written();
    offered(&mut model, 5, "");
    press(&mut model, Key::Char('U'));
    publish(&mut model, |_| {});
    assert!(model.dialog.is_none(), "that one was worked out before the key");
    let result = Err(CommandRefused::NotNow("nothing to take back".into()));
    update(
        &mut model,
        Msg::Answer {
            asked: Asked::Offer,
            result,
        },
    );
    assert!(model.waiting_offer.is_none());
    let said = model
        .notice
        .as_ref()
        .map(|notice| format!("{notice:?}"))
        .unwrap_or_default();
    assert!(said.contains("nothing to take back"), "{said}");
}

#[test]
fn what_was_not_written_has_no_undo() {
    let mut model = on(sample::coupons());
    let coupons = model.latest.stages.iter().position(|s| s.id == StageId::Coupons);
    model.stage = coupons.unwrap();
    assert_eq!(asked(press(&mut model, Key::Char('U'))), []);
}
