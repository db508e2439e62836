use super::*;

#[test]
fn approve_asks_for_a_check_first_and_shows_that_it_was_heard() {
    let mut model = on(sample::decided(Environment::Rehearsal));
    press(&mut model, Key::Char('a'));
    assert!(model.dialog.is_none());
    assert_eq!(
        model.ack.as_deref(),
        Some("checking for drift: the facts are read again")
    );
}

#[test]
fn an_old_check_does_not_open_the_dialog_only_one_made_after_the_key() {
    let mut model = on(sample::checked(Environment::Rehearsal));
    press(&mut model, Key::Char('a'));
    publish(&mut model, |_| {});
    assert!(model.dialog.is_none());
    publish(&mut model, |state| {
        if let Some(check) = &mut state.stages[0].check {
            check.at = check.at.plus_ms(1);
        }
    });
    assert!(matches!(model.dialog, Some(Dialog::Approval(_))));
}

#[test]
fn keys_of_the_first_second_are_dropped_and_counted() {
    let mut model = on(sample::decided(Environment::Rehearsal));
    press(&mut model, Key::Char('a'));
    update(
        &mut model,
        Msg::State(Arc::new(sample::checked(Environment::Rehearsal))),
    );
    typed(&mut model, "48 0");
    press(&mut model, Key::Enter);
    pass(&mut model, 999);
    press(&mut model, Key::Esc);
    assert_eq!((dialog(&model).dropped, dialog(&model).phrase.value()), (6, ""));
    pass(&mut model, 1);
    typed(&mut model, "48");
    assert_eq!((dialog(&model).dropped, dialog(&model).phrase.value()), (6, "48"));
}

#[test]
fn enter_approves_only_with_the_whole_phrase_and_names_the_plan_that_was_seen() {
    let mut model = approving();
    let digest = dialog(&model).digest;
    assert_eq!(asked(press(&mut model, Key::Enter)), []);
    typed(&mut model, "48 09fT 48 2bR");
    assert_eq!(off(&model).as_deref(), Some("phrase"));
    assert_eq!(asked(press(&mut model, Key::Enter)), []);
    typed(&mut model, "x");
    let approve = asked(press(&mut model, Key::Enter));
    let [
        Command::Approve {
            digest: asked,
            phrase,
            witness,
            ..
        },
    ] = &approve[..]
    else {
        panic!("{approve:?}")
    };
    assert_eq!(
        (*asked, phrase.as_str(), witness),
        (digest, "48 09fT 48 2bRx", &None)
    );
    assert_eq!(
        press(&mut model, Key::Enter),
        [],
        "a second Enter approves nothing more"
    );
    update(
        &mut model,
        Msg::Answer {
            asked: Asked::Approve,
            result: Ok(()),
        },
    );
    assert!(model.dialog.is_none() && model.screen == Screen::Board);
}

#[test]
fn a_refusal_of_the_engines_is_said_in_the_dialog_which_stays() {
    let mut model = approving();
    typed(&mut model, "48 09fT 48 2bRx");
    press(&mut model, Key::Enter);
    let refused = Err(CommandRefused::Drifted(3));
    update(
        &mut model,
        Msg::Answer {
            asked: Asked::Approve,
            result: refused,
        },
    );
    assert!(
        dialog(&model)
            .refused
            .as_deref()
            .is_some_and(|why| why.starts_with("3 rows changed"))
    );
    assert_eq!(off(&model), None);
}

#[test]
fn a_pasted_phrase_is_not_taken_and_a_pasted_note_is() {
    let mut model = approving();
    update(&mut model, Msg::Paste("48 09fT 48 2bRx".into()));
    assert_eq!((dialog(&model).phrase.value(), dialog(&model).pasted), ("", true));
    press(&mut model, Key::Tab);
    press(&mut model, Key::Tab);
    assert_eq!(dialog(&model).field, Field::Note);
    update(&mut model, Msg::Paste("bridge\n#cutover\u{1b}[2J".into()));
    assert_eq!(dialog(&model).note.value(), "bridge#cutover[2J");
}

#[test]
fn the_dialog_turns_itself_off_for_good_when_anything_changes_under_it() {
    type Change = fn(&mut RunState);
    let changes: [(Change, &str); 5] = [
        (|state| state.paused = Some("ops2".into()), "ops2 paused"),
        (
            |state| state.stages[0].plan = sample::review().stages[0].plan.clone(),
            "the plan changed",
        ),
        (
            |state| state.stages[0].phase = Phase::Gathering,
            "the stage is gathering",
        ),
        (
            |state| {
                let key = sample::key(state, 0).unwrap();
                if let Some(check) = &mut state.stages[0].check {
                    check.drifted = vec![key];
                }
            },
            "1 row changed",
        ),
        (
            |state| state.fatal = Some("disk full".into()),
            "the engine has stopped",
        ),
    ];
    for (change, says) in changes {
        let mut model = approving();
        typed(&mut model, "48 09fT 48 2bRx");
        assert_eq!(off(&model), None);
        let before = (*model.latest).clone();
        publish(&mut model, change);
        assert!(
            off(&model).is_some_and(|why| why.starts_with(says)),
            "{says}: {:?}",
            off(&model)
        );
        publish(&mut model, |state| *state = before);
        assert!(off(&model).is_some(), "{says}: it must not turn on again");
        assert_eq!(asked(press(&mut model, Key::Enter)), []);
    }
}

#[test]
fn a_check_older_than_two_minutes_turns_the_dialog_off() {
    let mut model = approving();
    typed(&mut model, "48 09fT 48 2bRx");
    let (tick, now) = (model.tick, model.now.plus_ms(120_001));
    update(
        &mut model,
        Msg::Time {
            tick,
            now,
            zone: None,
        },
    );
    assert!(
        off(&model).is_some_and(|why| why.contains("2m00s old")),
        "{:?}",
        off(&model)
    );
}

#[test]
fn a_check_that_found_drift_opens_no_dialog_and_says_so() {
    let mut model = on(sample::decided(Environment::Rehearsal));
    press(&mut model, Key::Char('a'));
    let mut state = sample::checked(Environment::Rehearsal);
    let key = sample::key(&state, 0).unwrap();
    if let Some(check) = &mut state.stages[0].check {
        check.drifted = vec![key];
    }
    update(&mut model, Msg::State(Arc::new(state)));
    assert!(model.dialog.is_none());
    assert!(
        model
            .notice
            .as_ref()
            .is_some_and(|notice| notice.text.contains("1 row changed on Stripe"))
    );
}
