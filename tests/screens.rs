//! The screens as they are, cell for cell, at the two sizes that have to be complete.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::sync::Arc;

use cutover::domain::ids::Environment;
use cutover::domain::panel::{Align, Column};
use cutover::engine::state::RunState;
use cutover::tui::keymap::Key;
use cutover::tui::model::{Look, Model};
use cutover::tui::msg::Msg;
use cutover::tui::rows::ListPos;
use cutover::tui::update::update;
use cutover::tui::view::pen::Pen;
use cutover::tui::widgets::table::{self, Cell, Rows};
use cutover::tui::{glyphs, sample, svg, theme::Theme, view};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

const WIDE: (u16, u16) = (120, 40);
const SMALL: (u16, u16) = (80, 24);

fn press(model: &mut Model, keys: &[Key]) {
    for key in keys {
        update(model, Msg::Key(*key));
    }
}

fn typed(model: &mut Model, text: &str) {
    for c in text.chars() {
        update(model, Msg::Key(Key::Char(c)));
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

fn model(state: RunState, size: (u16, u16)) -> Model {
    sample::model(state, size).unwrap()
}

fn drawn(model: &Model) -> Buffer {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let mut buffer = Buffer::empty(area);
    view::draw_on(model, &mut buffer, area);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let area = buffer.area();
    let rows = (0..area.height).map(|y| {
        let mut row = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol))
                .unwrap()
                .max(1);
        }
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn shot(model: &Model) -> String {
    text(&drawn(model))
}

/// Opens the approval dialog on a plan that has just been checked, and waits out its first second.
fn approving(environment: Environment, size: (u16, u16)) -> Model {
    let mut model = model(sample::decided(environment), size);
    press(&mut model, &[Key::Char('a')]);
    update(&mut model, Msg::State(Arc::new(sample::checked(environment))));
    press(&mut model, &[Key::Char('j'), Key::Char('y')]);
    pass(&mut model, 4_000);
    typed(&mut model, "41 0");
    model
}

/// The coupons of a night, their stage selected.
fn coupons(size: (u16, u16)) -> Model {
    let mut model = model(sample::coupons(), size);
    press(&mut model, &[Key::Char('4')]);
    model
}

/// The review, on that row.
fn go_to(model: &mut Model, key: &str) {
    press(model, &[Key::Enter]);
    while model.view().unwrap().selected_key().unwrap().0 != key {
        let before = model.view().unwrap().list.cursor;
        press(model, &[Key::Char('n')]);
        assert_ne!(model.view().unwrap().list.cursor, before, "no row {key}");
    }
}

macro_rules! shots {
    ($($name:ident: $wide:expr;)*) => {
        $(
            #[test]
            fn $name() {
                for (word, size) in [("120x40", WIDE), ("80x24", SMALL)] {
                    let make: fn((u16, u16)) -> Model = $wide;
                    insta::assert_snapshot!(format!("{}_{word}", stringify!($name)), shot(&make(size)));
                }
            }
        )*
    };
}

shots! {
    board_in_review: |size| model(sample::review(), size);
    board_before_anything_is_read: |size| model(sample::waiting(), size);
    board_while_writing: |size| model(sample::writing(), size);
    board_in_the_middle_of_a_night: |size| {
        let mut model = model(sample::night(), size);
        press(&mut model, &[Key::Char('3')]);
        model
    };
    board_paused: |size| model(sample::paused(), size);
    board_halted: |size| model(sample::halted(), size);
    board_done: |size| model(sample::done(), size);
    board_live_masks_names: |size| model(sample::review_live(), size);
    review_of_a_blocked_row: |size| {
        let mut model = model(sample::review(), size);
        press(&mut model, &[Key::Char(']'), Key::Enter]);
        model
    };
    review_of_a_planned_row: |size| {
        let mut model = model(sample::review(), size);
        press(&mut model, &[Key::Enter, Key::Char('e')]);
        model
    };
    approval: |size| approving(Environment::Rehearsal, size);
    help: |size| {
        let mut model = model(sample::review(), size);
        press(&mut model, &[Key::Char('?')]);
        model
    };
    findings: |size| {
        let mut model = model(sample::done(), size);
        press(&mut model, &[Key::Char('F')]);
        model
    };
    groups: |size| {
        let mut model = model(sample::halted(), size);
        press(&mut model, &[Key::Char('o')]);
        model
    };
    leaving: |size| {
        let mut model = model(sample::writing(), size);
        press(&mut model, &[Key::Char('q')]);
        model
    };
    same_shape: |size| {
        let mut model = model(sample::review(), size);
        press(&mut model, &[Key::Char(']'), Key::Enter, Key::Char('S'), Key::Char('1')]);
        model
    };
    filtered: |size| {
        let mut model = model(sample::review(), size);
        press(&mut model, &[Key::Char('/')]);
        typed(&mut model, "verdict:blocked usd");
        model
    };
    board_with_four_stages: |size| coupons(size);
    coupon_shared_with_its_working: |size| {
        let mut model = coupons(size);
        go_to(&mut model, "coupon/VIP");
        model
    };
    coupon_code_decided_with_its_coupon: |size| {
        let mut model = coupons(size);
        go_to(&mut model, "code/VIP-ANNA");
        model
    };
    coupon_overridden: |size| {
        let mut model = coupons(size);
        go_to(&mut model, "code/GIFT-7");
        model
    };
    number_that_fits: |size| {
        let mut model = coupons(size);
        go_to(&mut model, "coupon/VIP");
        press(&mut model, &[Key::Char('3')]);
        typed(&mut model, "1");
        model
    };
    number_too_large: |size| {
        let mut model = coupons(size);
        go_to(&mut model, "code/VIP-ANNA");
        press(&mut model, &[Key::Char('3')]);
        typed(&mut model, "12");
        model
    };
    decided_together: |size| {
        let mut model = coupons(size);
        go_to(&mut model, "code/VIP-ANNA");
        press(&mut model, &[Key::Char('1')]);
        model
    };
    hostile_names: |size| {
        let mut model = model(sample::hostile(), size);
        press(&mut model, &[Key::Enter]);
        model
    };
}

fn plainly(state: RunState, ascii: bool, no_color: bool) -> Model {
    let mut model = model(state, WIDE);
    model.look = Look {
        theme: Theme::choose(None, no_color).unwrap(),
        glyphs: if ascii { glyphs::ASCII } else { glyphs::UNICODE },
    };
    model
}

#[test]
fn the_ascii_set_leaves_nothing_but_ascii() {
    let model = plainly(sample::review(), true, false);
    let shot = shot(&model);
    assert!(shot.is_ascii());
    insta::assert_snapshot!("ascii_120x40", shot);
}

#[test]
fn without_colour_every_word_and_sign_is_still_there() {
    for state in [
        sample::review(),
        sample::writing(),
        sample::halted(),
        sample::done(),
    ] {
        let (mono, colour) = (plainly(state.clone(), false, true), plainly(state, false, false));
        assert_eq!(shot(&mono), shot(&colour));
        let buffer = drawn(&mono);
        assert!(
            buffer
                .content()
                .iter()
                .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
        );
    }
}

#[test]
fn live_test_and_rehearsal_differ_in_word_line_and_style() {
    let corners = [Environment::Live, Environment::Test, Environment::Rehearsal].map(|environment| {
        let model = model(sample::decided(environment), WIDE);
        let buffer = drawn(&model);
        assert!(shot(&model).contains(&format!(" {} ", environment.word())));
        let vertical = buffer[(0, 5)].symbol().to_owned();
        let word = text(&buffer)
            .lines()
            .next()
            .unwrap()
            .find(environment.word())
            .unwrap();
        (vertical, buffer[(u16::try_from(word).unwrap(), 0)].style())
    });
    assert!(corners[0].0 != corners[1].0 && corners[1].0 != corners[2].0 && corners[0].0 != corners[2].0);
    assert!(corners[0].1 != corners[1].1 && corners[1].1 != corners[2].1);
}

/// Everything that reaches the terminal, by the backend that is used for real: escape sequences are the backend's own,
/// and nothing of the hostile names is among them.
#[test]
fn hostile_names_send_no_byte_that_a_terminal_would_obey() {
    for ways in [
        &[][..],
        &[Key::Enter],
        &[Key::Enter, Key::Tab, Key::Down, Key::Down],
        &[Key::Char('y')],
    ] {
        let mut model = model(sample::hostile(), WIDE);
        press(&mut model, ways);
        let viewport = ratatui::Viewport::Fixed(Rect::new(0, 0, WIDE.0, WIDE.1));
        let mut bytes = Vec::new();
        let backend = ratatui::backend::CrosstermBackend::new(&mut bytes);
        let options = ratatui::TerminalOptions { viewport };
        let mut terminal = ratatui::Terminal::with_options(backend, options).unwrap();
        terminal.draw(|frame| view::draw(&model, frame)).unwrap();
        drop(terminal);
        let rest = without_own_sequences(&String::from_utf8(bytes).unwrap());
        let obeyed: Vec<char> = rest
            .chars()
            .filter(|c| cutover::domain::text::is_hostile(*c))
            .collect();
        assert!(obeyed.is_empty(), "{ways:?}: {obeyed:?}");
    }
}

/// Removes what ratatui's backend writes itself: cursor moves, styles, showing and hiding the cursor.
fn without_own_sequences(text: &str) -> String {
    let mut rest = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' || chars.peek() != Some(&'[') {
            rest.push(c);
            continue;
        }
        let body: String = chars
            .by_ref()
            .skip(1)
            .take_while(|c| !c.is_ascii_alphabetic())
            .collect();
        let own = body.chars().all(|c| c.is_ascii_digit() || ";:?".contains(c));
        assert!(own, "a sequence that is not the backend's: {body:?}");
    }
    rest
}

/// The last character of a sequence is taken with it, so what is left begins with the text behind it.
#[test]
fn taking_out_the_backends_sequences_leaves_the_text_and_foreign_escapes() {
    assert_eq!(
        without_own_sequences("\u{1b}[1;2Hab\u{1b}[38;5;1mc\u{1b}]0;x"),
        "abc\u{1b}]0;x"
    );
}

/// A million rows: only those on screen are looked at.
#[test]
fn a_frame_looks_only_at_the_rows_it_shows() {
    struct Counting(std::cell::Cell<usize>);
    impl Rows for Counting {
        fn len(&self) -> usize {
            1_000_000
        }
        fn cells(&self, row: usize) -> Vec<Cell> {
            self.0.set(self.0.get() + 1);
            vec![Cell {
                text: row.to_string(),
                style: ratatui::style::Style::new(),
            }]
        }
    }
    let model = model(sample::waiting(), WIDE);
    let area = Rect::new(0, 0, 100, 31);
    let mut buffer = Buffer::empty(area);
    let columns = [Column {
        title: "n".into(),
        width: 10,
        align: Align::Right,
        drop_order: 0,
    }];
    let rows = Counting(std::cell::Cell::new(0));
    let mut list = ListPos {
        cursor: 654_321,
        top: 0,
    };
    list.fit(rows.len(), 30);
    table::draw(
        &mut Pen::new(&mut buffer, area, &model.look),
        &columns,
        &rows,
        list,
        true,
    );
    assert_eq!(rows.0.get(), 30);
    assert!(text(&buffer).contains("654321"));
}

#[test]
fn a_terminal_that_is_too_small_says_what_is_needed() {
    let shown = shot(&model(sample::review(), (79, 24)));
    assert!(shown.contains("80x24 needed, this is 79x24"), "{shown}");
}

/// The pictures in the README come from the very buffers of the snapshots above.
#[test]
fn screenshots_are_the_screens() {
    let mut review = model(sample::review(), WIDE);
    press(&mut review, &[Key::Char(']'), Key::Enter]);
    let mut night = model(sample::night(), WIDE);
    press(&mut night, &[Key::Char('3')]);
    let pictures = [
        ("board", night),
        ("review", review),
        ("approval", approving(Environment::Rehearsal, WIDE)),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots");
    for (name, model) in pictures {
        let path = folder.join(format!("{name}.svg"));
        let now = svg::render(&drawn(&model));
        if std::env::var_os("CUTOVER_UPDATE_SCREENSHOTS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &now).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == now,
            "{} is stale; run with CUTOVER_UPDATE_SCREENSHOTS=1",
            path.display()
        );
    }
}
