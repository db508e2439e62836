use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::domain::change::{AS_PLANNED, LEAVE_OUT};
use crate::domain::ids::Environment;
use crate::engine::command::CommandRefused;
use crate::engine::state::{Phase, RunState};
use crate::tui::model::{Field, Screen};
use crate::tui::{sample, view};

fn on(state: RunState) -> Model {
    sample::model(state, (120, 40)).unwrap()
}

fn press(model: &mut Model, key: Key) -> Vec<Cmd> {
    update(model, Msg::Key(key))
}

fn typed(model: &mut Model, text: &str) {
    for c in text.chars() {
        press(model, Key::Char(c));
    }
}

fn pass(model: &mut Model, ms: u64) {
    let (tick, now) = (model.tick + ms, model.now);
    update(
        model,
        Msg::Time {
            tick,
            now,
            zone: None,
        },
    );
}

fn publish(model: &mut Model, change: impl FnOnce(&mut RunState)) {
    let mut state = (*model.latest).clone();
    change(&mut state);
    update(model, Msg::State(Arc::new(state)));
}

fn asked(cmds: Vec<Cmd>) -> Vec<Command> {
    let commands = cmds.into_iter().filter_map(|cmd| match cmd {
        Cmd::Ask(command) => Some(command),
        _ => None,
    });
    commands.collect()
}

/// The dialog, open on a fresh check, its first second over.
fn approving_on(environment: Environment) -> Model {
    let mut model = on(sample::decided(environment));
    assert!(matches!(
        asked(press(&mut model, Key::Char('a')))[..],
        [Command::Check(_)]
    ));
    update(&mut model, Msg::State(Arc::new(sample::checked(environment))));
    assert!(matches!(model.dialog, Some(Dialog::Approval(_))));
    pass(&mut model, 1_000);
    model
}

fn approving() -> Model {
    approving_on(Environment::Rehearsal)
}

fn dialog(model: &Model) -> &crate::tui::model::Approval {
    match &model.dialog {
        Some(Dialog::Approval(dialog)) => dialog,
        other => panic!("no approval dialog but {other:?}"),
    }
}

fn off(model: &Model) -> Option<String> {
    approval::off_because(model, dialog(model))
}

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
            "1 rows changed",
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
            .is_some_and(|notice| notice.text.contains("1 rows changed on Stripe"))
    );
}

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
    assert_eq!(off(&model).as_deref(), Some("the witness must be somebody else"));
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

fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => prop::char::range(' ', '~').prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        4 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Up, Key::Down, Key::PageUp, Key::PageDown, Key::Home,
            Key::End, Key::Backspace, Key::Delete, Key::Left, Key::Right, Key::Ctrl('c'), Key::Ctrl('w'), Key::Ctrl('z'),
        ]),
    ]
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let states: [fn() -> RunState; 8] = [
        sample::waiting,
        sample::review,
        sample::review_live,
        sample::writing,
        sample::paused,
        sample::halted,
        sample::done,
        sample::hostile,
    ];
    prop_oneof![
        12 => any_key().prop_map(Msg::Key),
        1 => any::<String>().prop_map(Msg::Paste),
        3 => (0u16..260, 0u16..90).prop_map(|(width, height)| Msg::Resize(width, height)),
        1 => any::<bool>().prop_map(Msg::Focus),
        2 => prop::sample::select(states.to_vec()).prop_map(|state| Msg::State(Arc::new(state()))),
        1 => Just(Msg::State(Arc::new(sample::checked(Environment::Rehearsal)))),
        1 => (0u64..200_000, 0i64..300_000).prop_map(|(tick, ms)| {
            Msg::Time { tick, now: sample::NOW.plus_ms(ms), zone: None }
        }),
        1 => Just(Msg::Answer { asked: Asked::Check, result: Ok(()) }),
        1 => Just(Msg::Answer { asked: Asked::Approve, result: Err(CommandRefused::Gone) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_order_of_events_and_no_size_breaks_the_screen_or_lets_a_control_character_through(
        msgs in prop::collection::vec(any_msg(), 1..60)
    ) {
        let mut model = on(sample::hostile());
        for msg in msgs {
            update(&mut model, msg);
            let area = Rect::new(0, 0, model.size.0, model.size.1);
            let mut buffer = Buffer::empty(area);
            view::draw_on(&model, &mut buffer, area);
            let obeyed = |symbol: &str| symbol.chars().any(crate::domain::text::is_hostile);
            prop_assert!(!buffer.content().iter().any(|cell| obeyed(cell.symbol())));
        }
    }

    #[test]
    fn nothing_but_the_whole_phrase_in_a_dialog_that_is_on_ever_approves(
        msgs in prop::collection::vec(any_msg(), 1..40)
    ) {
        let mut model = approving();
        for msg in msgs {
            let ready = matches!(&model.dialog, Some(Dialog::Approval(dialog))
                if approval::off_because(&model, dialog).is_none());
            let approved = asked(update(&mut model, msg)).iter().any(|c| matches!(c, Command::Approve { .. }));
            prop_assert!(!approved || ready);
        }
    }
}
