use super::*;

#[test]
fn space_pauses_everywhere_but_is_text_where_one_types() {
    let screens: [&[Key]; 3] = [&[], &[Key::Enter], &[Key::Char('F')]];
    for way in screens {
        let mut model = on(sample::done());
        for key in way {
            press(&mut model, *key);
        }
        assert!(
            matches!(
                asked(press(&mut model, Key::Char(' ')))[..],
                [Command::Pause { .. }]
            ),
            "{way:?}"
        );
    }
    let mut model = on(sample::review());
    for opens in [Key::Char('/'), Key::Char(':')] {
        press(&mut model, opens);
        assert_eq!(asked(press(&mut model, Key::Char(' '))), []);
        assert!(matches!(
            asked(press(&mut model, Key::Ctrl('c')))[..],
            [Command::Pause { .. }]
        ));
        press(&mut model, Key::Esc);
    }
    let mut model = approving();
    typed(&mut model, "4 8");
    assert_eq!(dialog(&model).phrase.value(), "4 8");
}

#[test]
fn space_goes_on_when_paused_and_ctrl_c_only_asks_whether_to_leave() {
    let mut model = on(sample::paused());
    assert!(matches!(
        asked(press(&mut model, Key::Char(' ')))[..],
        [Command::Resume { .. }]
    ));
    let mut model = on(sample::paused());
    assert_eq!(asked(press(&mut model, Key::Ctrl('c'))), []);
    assert!(matches!(model.dialog, Some(Dialog::Leave)));
}

#[test]
fn leaving_asks_first_then_finishes_and_only_ctrl_c_forces() {
    let mut model = on(sample::writing());
    assert!(matches!(
        asked(press(&mut model, Key::Ctrl('c')))[..],
        [Command::Pause { .. }]
    ));
    assert!(matches!(
        asked(press(&mut model, Key::Enter))[..],
        [Command::Quit]
    ));
    assert_eq!(
        press(&mut model, Key::Enter),
        [],
        "an impatient Enter forces nothing"
    );
    assert_eq!(press(&mut model, Key::Esc), []);
    let answered = update(
        &mut model,
        Msg::Answer {
            asked: Asked::Quit,
            result: Ok(()),
        },
    );
    assert_eq!(answered, [Cmd::Exit(Exit::Left)]);
    assert_eq!(press(&mut model, Key::Ctrl('c')), [Cmd::Exit(Exit::Forced)]);
}

#[test]
fn a_signal_lets_the_engine_finish_and_then_ends_the_screen() {
    let mut model = on(sample::writing());
    assert!(matches!(
        asked(update(&mut model, Msg::Signal(Signal::Hangup)))[..],
        [Command::Quit]
    ));
    let answered = update(
        &mut model,
        Msg::Answer {
            asked: Asked::Quit,
            result: Ok(()),
        },
    );
    assert_eq!(answered, [Cmd::Exit(Exit::Signal(Signal::Hangup))]);
}

#[test]
fn the_filter_narrows_while_it_is_typed_and_escape_restores_the_one_before() {
    let mut model = on(sample::review());
    press(&mut model, Key::Char('/'));
    typed(&mut model, "verdict:blocked");
    assert_eq!(model.view().unwrap().len(), 6);
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('/'));
    typed(&mut model, " jpy");
    assert_eq!(model.view().unwrap().len(), 1);
    press(&mut model, Key::Esc);
    assert_eq!(model.view().unwrap().len(), 6);
    press(&mut model, Key::Esc);
    assert_eq!(model.view().unwrap().len(), 58);
}

#[test]
fn the_cursor_stays_on_its_row_when_the_filter_or_the_plan_changes() {
    let mut model = on(sample::review());
    for _ in 0..13 {
        press(&mut model, Key::Down);
    }
    let key = model.view().unwrap().selected_key();
    press(&mut model, Key::Char('/'));
    typed(&mut model, "verdict:blocked");
    assert_eq!(model.view().unwrap().selected_key(), key);
    press(&mut model, Key::Esc);
    assert_eq!(model.view().unwrap().selected_key(), key);
    update(
        &mut model,
        Msg::State(Arc::new(sample::decided(Environment::Rehearsal))),
    );
    assert_eq!(model.view().unwrap().selected_key(), key);
}

#[test]
fn a_decision_names_row_choice_and_operator() {
    let mut model = on(sample::review());
    press(&mut model, Key::Enter);
    let key = model.view().unwrap().selected_key().unwrap();
    for (pressed, name) in [(Key::Char('x'), LEAVE_OUT), (Key::Char('0'), AS_PLANNED)] {
        let decide = asked(press(&mut model, pressed));
        let [Command::Decide { rows, decision, .. }] = &decide[..] else {
            panic!("{decide:?}")
        };
        assert_eq!(
            (rows.as_slice(), decision.choice.as_str(), decision.by.as_str()),
            (&[key.clone()][..], name, "ops1")
        );
    }
    assert_eq!(
        asked(press(&mut model, Key::Char('7'))),
        [],
        "there is no seventh choice"
    );
}

#[test]
fn a_choice_with_sign_off_waits_for_a_note() {
    let mut model = on(sample::review());
    press(&mut model, Key::Char(']'));
    press(&mut model, Key::Enter);
    assert_eq!(asked(press(&mut model, Key::Char('2'))), []);
    assert_eq!(
        asked(press(&mut model, Key::Enter)),
        [],
        "an empty note decides nothing"
    );
    press(&mut model, Key::Esc);
    press(&mut model, Key::Char('2'));
    typed(&mut model, "wired 1 2 3");
    let decide = asked(press(&mut model, Key::Enter));
    let [Command::Decide { decision, .. }] = &decide[..] else {
        panic!("{decide:?}")
    };
    assert_eq!(
        (decision.choice.as_str(), decision.note.as_str()),
        ("returned_outside", "wired 1 2 3")
    );
}

#[test]
fn same_shape_says_how_many_and_decides_them_all_at_once() {
    let mut model = on(sample::review());
    press(&mut model, Key::Char(']'));
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('S'));
    assert_eq!(asked(press(&mut model, Key::Enter)), [], "no choice yet");
    assert_eq!(
        asked(press(&mut model, Key::Char('1'))),
        [],
        "chosen, not confirmed"
    );
    let decide = asked(press(&mut model, Key::Enter));
    let [Command::Decide { rows, decision, .. }] = &decide[..] else {
        panic!("{decide:?}")
    };
    assert_eq!((rows.len(), decision.choice.as_str()), (4, "grant_ledger"));
}

#[test]
fn a_frozen_picture_stands_still_while_writes_can_still_be_paused() {
    let mut model = on(sample::review());
    press(&mut model, Key::Char('f'));
    update(&mut model, Msg::State(Arc::new(sample::writing())));
    assert_eq!(model.state.stages[0].phase, Phase::Review);
    press(&mut model, Key::Char('a'));
    assert!(
        model
            .notice
            .as_ref()
            .is_some_and(|notice| notice.text.contains("frozen"))
    );
    assert!(matches!(
        asked(press(&mut model, Key::Char(' ')))[..],
        [Command::Pause { .. }]
    ));
    press(&mut model, Key::Char('f'));
    assert_eq!(model.state.stages[0].phase, Phase::Writing);
}

#[test]
fn names_are_masked_on_live_accounts_but_for_ten_seconds_after_the_key() {
    let mut model = on(sample::review_live());
    assert!(!model.unmasked());
    press(&mut model, Key::Char('u'));
    assert!(model.unmasked());
    pass(&mut model, 10_000);
    assert!(!model.unmasked());
    assert!(on(sample::review()).unmasked());
}

#[test]
fn a_witness_is_needed_for_live_irreversible_writes_and_is_never_the_operator() {
    let mut model = approving_on(Environment::Live);
    typed(&mut model, "48 09fT 48 2bRx");
    assert_eq!(off(&model), None, "these writes have opposite entries");
    press(&mut model, Key::Tab);
    typed(&mut model, "ops1");
    assert_eq!(off(&model).as_deref(), Some("witness: not yourself"));
}

#[test]
fn what_is_copied_is_a_command_line_without_the_key() {
    let mut model = on(sample::review());
    press(&mut model, Key::Char('y'));
    let copied = press(&mut model, Key::Char('c'));
    let Some(Cmd::Copy(line)) = copied.first() else {
        panic!("{copied:?}")
    };
    assert!(line.starts_with("curl -sS -X POST 'https://api.stripe.com/v1/customers/cus_Sample00000000/"));
    assert!(line.contains("$STRIPE_KEY") && line.contains("Idempotency-Key: cut1-") && !line.contains("sk_"));
}

#[test]
fn the_bell_rings_once_per_need_and_only_when_nobody_looks() {
    let mut model = on(sample::waiting());
    update(&mut model, Msg::Focus(false));
    let rings = |cmds: &[Cmd]| cmds.iter().filter(|cmd| matches!(cmd, Cmd::Ring(_))).count();
    assert_eq!(
        rings(&update(&mut model, Msg::State(Arc::new(sample::review())))),
        1
    );
    assert_eq!(
        rings(&update(&mut model, Msg::State(Arc::new(sample::review())))),
        0
    );
    update(&mut model, Msg::Focus(true));
    assert_eq!(
        rings(&update(&mut model, Msg::State(Arc::new(sample::halted())))),
        0
    );
}

#[test]
fn new_journal_lines_do_not_move_what_is_being_read() {
    let mut state = sample::review();
    let log = |n: u64| {
        (1..=n).map(|seq| {
            let mut line = sample::review().log[0].clone();
            line.seq = seq;
            line
        })
    };
    state.log = Arc::new(log(50).collect());
    let mut model = on(state.clone());
    press(&mut model, Key::BackTab);
    press(&mut model, Key::BackTab);
    assert_eq!(model.pane, crate::tui::model::Pane::Journal);
    press(&mut model, Key::Up);
    assert_eq!(model.journal.back, 1);
    state.log = Arc::new(log(53).collect());
    update(&mut model, Msg::State(Arc::new(state)));
    assert_eq!(model.journal.back, 4);
    press(&mut model, Key::End);
    assert_eq!(model.journal.back, 0);
}

#[test]
fn space_pauses_in_every_dialog_that_takes_no_text() {
    for opens in [Key::Char('q'), Key::Char('o'), Key::Char('y')] {
        let mut model = on(sample::writing());
        press(&mut model, opens);
        assert!(model.dialog.is_some());
        assert!(
            matches!(
                asked(press(&mut model, Key::Char(' ')))[..],
                [Command::Pause { .. }]
            ),
            "{opens:?}"
        );
    }
}

#[test]
fn on_a_terminal_too_small_to_see_anything_nothing_is_approved_and_space_still_pauses() {
    let mut model = approving();
    typed(&mut model, "48 09fT 48 2bRx");
    update(&mut model, Msg::Resize(40, 10));
    assert_eq!(asked(press(&mut model, Key::Enter)), []);
    assert!(matches!(
        asked(press(&mut model, Key::Char(' ')))[..],
        [Command::Pause { .. }]
    ));
    update(&mut model, Msg::Resize(120, 40));
    assert_eq!(off(&model).as_deref(), Some("just opened"));
    pass(&mut model, 1_000);
    assert_eq!(asked(press(&mut model, Key::Enter)).len(), 1);
    let mut model = on(sample::writing());
    update(&mut model, Msg::Resize(40, 10));
    press(&mut model, Key::Char('q'));
    assert!(matches!(
        asked(press(&mut model, Key::Enter))[..],
        [Command::Quit]
    ));
}

#[test]
fn a_check_that_came_to_nothing_is_not_waited_for_for_ever() {
    let mut model = on(sample::decided(Environment::Rehearsal));
    press(&mut model, Key::Char('a'));
    publish(&mut model, |state| state.stages[0].phase = Phase::Checking);
    assert!(model.waiting_check.is_some());
    publish(&mut model, |state| state.stages[0].phase = Phase::Review);
    assert!(model.waiting_check.is_none() && model.dialog.is_none());
    assert!(model.notice.is_some());
}

#[test]
fn sending_again_names_the_rows_shown_and_waits_for_enter() {
    let mut model = on(sample::halted());
    assert_eq!(asked(press(&mut model, Key::Char('R'))), []);
    let Some(Dialog::Reissue(rows)) = &model.dialog else {
        panic!("{:?}", model.dialog)
    };
    let waiting = rows.clone();
    assert_eq!(waiting.len(), 1);
    let reissue = asked(press(&mut model, Key::Enter));
    assert!(matches!(&reissue[..], [Command::Reissue { rows, by, .. }] if *rows == waiting && by == "ops1"));
    press(&mut model, Key::Char('/'));
    typed(&mut model, "status:done");
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('R'));
    assert!(model.dialog.is_none(), "no row shown waits");
}
