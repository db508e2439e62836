use std::ops::RangeInclusive;

use super::*;
use crate::domain::change::{ChangeKey, Decision};

/// The review of the coupons, on that row.
fn on_row(key: &str) -> Model {
    let mut model = on(sample::coupons());
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Enter);
    assert!(model.view_mut().unwrap().go_to(&ChangeKey(key.into())), "{key}");
    model
}

fn decided(cmds: Vec<Cmd>) -> Option<(Vec<String>, Decision)> {
    asked(cmds).into_iter().find_map(|command| match command {
        Command::Decide { rows, decision, .. } => {
            Some((rows.into_iter().map(|key| key.0).collect(), decision))
        }
        _ => None,
    })
}

fn said(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

fn typed_number(model: &Model) -> Option<&str> {
    match &model.dialog {
        Some(Dialog::Number(asking)) => Some(asking.input.value()),
        _ => None,
    }
}

#[test]
fn a_number_is_proposed_replaced_by_typing_and_sent_with_its_note() {
    let mut model = on_row("coupon/VIP");
    assert_eq!(decided(press(&mut model, Key::Char('3'))), None);
    assert_eq!(typed_number(&model), Some("2"));
    typed(&mut model, "1");
    assert_eq!(typed_number(&model), Some("1"));
    assert_eq!(decided(press(&mut model, Key::Enter)), None, "a note comes first");
    typed(&mut model, "agreed by phone");
    let (rows, decision) = decided(press(&mut model, Key::Enter)).unwrap();
    assert_eq!(rows, ["coupon/VIP"]);
    assert_eq!(
        (decision.choice.as_str(), decision.number, decision.note.as_str()),
        ("split", Some(1), "agreed by phone")
    );
}

#[test]
fn escape_goes_back_by_one_question_and_decides_nothing() {
    let mut model = on_row("coupon/VIP");
    press(&mut model, Key::Char('3'));
    typed(&mut model, "1");
    press(&mut model, Key::Enter);
    assert!(matches!(model.dialog, Some(Dialog::Note { .. })));
    assert_eq!(decided(press(&mut model, Key::Esc)), None);
    assert_eq!(typed_number(&model), Some("1"), "what was typed is still there");
    press(&mut model, Key::Esc);
    assert!(model.dialog.is_none());
}

#[test]
fn what_does_not_fit_is_said_in_a_sentence_and_enter_takes_nothing() {
    for (text, why) in [
        ("0", "Too small: 1 is the least."),
        ("3", "Too large: 2 is the most."),
        ("99999999999999999999", "Too large: 2 is the most."),
        ("1x", "Not a whole number: write it in digits, from 1 to 2."),
        ("-1", "Not a whole number: write it in digits, from 1 to 2."),
        (" ", "Type a whole number from 1 to 2."),
    ] {
        let mut model = on_row("coupon/VIP");
        press(&mut model, Key::Char('3'));
        typed(&mut model, text);
        assert_eq!(decided(press(&mut model, Key::Enter)), None);
        assert_eq!(said(&model), why, "{text}");
        assert!(typed_number(&model).is_some(), "{text}");
    }
}

#[test]
fn the_number_of_a_decision_is_proposed_again() {
    let mut model = on_row("code/GIFT-7");
    press(&mut model, Key::Char('1'));
    assert_eq!(typed_number(&model), Some("1"), "not the usual 3");
}

#[test]
fn a_choice_on_a_code_is_made_at_its_coupon_once_it_was_said() {
    let mut model = on_row("code/VIP-ANNA");
    assert_eq!(
        decided(press(&mut model, Key::Char('1'))),
        None,
        "it was not said yet"
    );
    let Some(Dialog::Same(same)) = &model.dialog else {
        panic!("{:?}", model.dialog)
    };
    assert!(!same.shape && same.reach.rows.len() == 3);
    let (rows, decision) = decided(press(&mut model, Key::Enter)).unwrap();
    assert_eq!(
        (rows, decision.choice.as_str()),
        (vec!["coupon/VIP".to_owned()], "move")
    );
}

#[test]
fn a_code_is_left_out_alone_and_its_coupon_only_with_all_codes() {
    let mut model = on_row("code/VIP-ANNA");
    let (rows, decision) = decided(press(&mut model, Key::Char('x'))).unwrap();
    assert_eq!(
        (rows, decision.choice.as_str()),
        (vec!["code/VIP-ANNA".to_owned()], LEAVE_OUT)
    );
    let mut model = on_row("coupon/VIP");
    assert_eq!(
        decided(press(&mut model, Key::Char('x'))),
        None,
        "it was not said yet"
    );
    assert!(decided(press(&mut model, Key::Enter)).is_some());
}

#[test]
fn the_way_to_the_leader_leads_out_of_a_filter_that_hides_it() {
    let mut model = on_row("code/VIP-ANNA");
    press(&mut model, Key::Char('/'));
    typed(&mut model, "anna");
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('t'));
    let selected = model.view().unwrap().selected_key();
    assert_eq!(selected, Some(ChangeKey("coupon/VIP".into())));
    press(&mut model, Key::Char('t'));
    assert!(said(&model).contains("decided by itself"), "{}", said(&model));
}

#[test]
fn same_shape_counts_the_rows_decided_with_it_and_asks_for_one_number() {
    let mut model = on_row("coupon/VIP");
    press(&mut model, Key::Char('S'));
    press(&mut model, Key::Char('3'));
    let Some(Dialog::Same(same)) = &model.dialog else {
        panic!("{:?}", model.dialog)
    };
    assert_eq!((same.rows.len(), same.reach.rows.len()), (1, 3));
    assert_eq!(decided(press(&mut model, Key::Enter)), None);
    assert_eq!(typed_number(&model), Some("2"));
    press(&mut model, Key::Esc);
    assert!(matches!(&model.dialog, Some(Dialog::Same(same)) if same.choice.as_deref() == Some("split")));
}

#[test]
fn a_plan_that_changes_under_the_question_is_looked_at_again() {
    let mut model = on_row("coupon/VIP");
    press(&mut model, Key::Char('3'));
    typed(&mut model, "1");
    publish(&mut model, |state| {
        let stage = &mut state.stages[3];
        let plan = stage.plan.as_ref().unwrap();
        let left_out = Decision {
            choice: LEAVE_OUT.into(),
            by: "ops2".into(),
            note: String::new(),
            number: None,
        };
        let plan = plan.decide(&ChangeKey("code/VIP".into()), left_out).unwrap();
        stage.plan = Some(Arc::new(plan));
    });
    assert_eq!(decided(press(&mut model, Key::Enter)), None);
    assert!(said(&model).contains("has changed meanwhile"), "{}", said(&model));
    assert_eq!(typed_number(&model), Some("2"), "asked anew");
}

fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        6 => prop::char::range('0', '9').prop_map(Key::Char),
        2 => prop::char::range(' ', '~').prop_map(Key::Char),
        4 => prop::sample::select(vec![
            Key::Enter, Key::Enter, Key::Enter, Key::Esc, Key::Backspace, Key::Delete, Key::Left, Key::Right,
            Key::Home, Key::End, Key::Ctrl('u'), Key::Ctrl('w'), Key::Tab, Key::PageDown, Key::Up, Key::Ctrl('c'),
        ]),
    ]
}

/// The bounds that a choice has on a row and on all that is decided with it.
fn bounds(model: &Model, key: &str, choice: &str) -> Option<RangeInclusive<u64>> {
    let plan = model.view()?.plan()?;
    let change = &plan.changes()[plan.position(&ChangeKey(key.into()))?];
    let asked = change
        .choices
        .iter()
        .find(|offered| offered.name == choice)?
        .number
        .as_ref()?;
    Some(asked.least..=asked.most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_keys_ever_send_a_number_out_of_its_bounds_or_a_decision_the_plan_refuses(
        row in prop::sample::select(vec!["coupon/VIP", "code/VIP-ANNA", "code/VIP", "code/GIFT-7", "code/SUMMER"]),
        opens in prop::sample::select(vec!["3", "1", "S3", "S1", "i12\r3"]),
        keys in prop::collection::vec(any_key(), 0..25),
        pasted in prop::option::of("[0-9x]{0,4}"),
    ) {
        let mut model = on_row(row);
        let opening = opens.chars().map(|c| if c == '\r' { Key::Enter } else { Key::Char(c) });
        let mut msgs: Vec<Msg> = opening.map(Msg::Key).collect();
        msgs.extend(pasted.map(Msg::Paste));
        msgs.extend(keys.into_iter().map(Msg::Key));
        for msg in msgs {
            let plan = model.view().and_then(|view| view.plan()).cloned();
            for command in asked(update(&mut model, msg)) {
                let Command::Decide { rows, decision, .. } = command else { continue };
                for key in &rows {
                    let bounds = bounds(&model, &key.0, &decision.choice);
                    prop_assert_eq!(bounds.is_some(), decision.number.is_some());
                    prop_assert!(bounds.zip(decision.number).is_none_or(|(bounds, given)| bounds.contains(&given)));
                }
                let all = rows.into_iter().map(|key| (key, decision.clone()));
                let plan = plan.as_ref().unwrap();
                prop_assert_eq!(plan.decide_all(all).map(drop), Ok(()));
            }
        }
    }
}
