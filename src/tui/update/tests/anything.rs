use super::*;

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
