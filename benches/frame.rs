//! One frame of the main screen, every pane on, against its floor: a bare virtualised ratatui table of the same size.
//! What counts is the ratio, measured in one run; it is printed last.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use cutover::domain::record::RowEnd;
use cutover::engine::state::RowState;
use cutover::tui::keymap::Key;
use cutover::tui::msg::Msg;
use cutover::tui::update::update;
use cutover::tui::{model::Model, sample, view};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Row, StatefulWidget, Table, TableState};

const SIZES: [(u16, u16); 2] = [(120, 40), (240, 70)];
const ROWS: [usize; 2] = [1_000, 100_000];
/// Frames per measurement of the ratio.
const FRAMES: u32 = 400;

fn ours(model: &Model, buffer: &mut Buffer) {
    buffer.reset();
    let area = *buffer.area();
    view::draw_on(model, buffer, area);
}

/// The floor: as many rows as fit, as many columns as ours, the cursor in the middle.
fn floor(buffer: &mut Buffer, total: usize) {
    buffer.reset();
    let area = *buffer.area();
    let shown = usize::from(area.height - 1);
    let first = total / 2;
    let rows = (first..first + shown).map(|at| {
        Row::new([
            format!("status {at}"),
            format!("cus_Sample{at:08}"),
            "N****".to_owned(),
            "USD credit".to_owned(),
            format!("{at}.00 USD"),
            "low".to_owned(),
            "sources_agree".to_owned(),
        ])
    });
    let widths = [12, 20, 14, 14, 16, 8, 20].map(Constraint::Length);
    let table = Table::new(rows, widths)
        .header(Row::new([
            "status", "customer", "name", "item", "amount", "risk", "rule",
        ]))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(Some(shown / 2));
    StatefulWidget::render(table, area, buffer, &mut state);
}

/// The worst key of a filter typed in 100,000 rows, and the worst state taken in while they are written, each with the
/// frame after it. A frame of 60 Hz is 16 ms.
fn keys_in_many_rows() -> Vec<String> {
    let size = (120, 40);
    let Ok(mut model) = sample::model(sample::review_of(100_000), size) else {
        return Vec::new();
    };
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    let mut worst = |model: &mut Model, msg: Msg| {
        let begun = Instant::now();
        update(model, msg);
        ours(model, &mut buffer);
        begun.elapsed()
    };
    let keys = "/sample00012 verdict:blocked"
        .chars()
        .map(|c| Msg::Key(Key::Char(c)));
    let key = keys.map(|key| worst(&mut model, key)).max().unwrap_or_default();
    let states = (0..20).map(|n: u64| {
        let mut state = (*model.latest).clone();
        if let Some(stage) = state.stages.first_mut() {
            stage.rows = Arc::new(vec![RowState::default(); 100_000]);
            stage.tally.rows.insert(RowEnd::Done, n);
        }
        Msg::State(Arc::new(state))
    });
    let states: Vec<Msg> = states.collect();
    let state = states
        .into_iter()
        .map(|state| worst(&mut model, state))
        .max()
        .unwrap_or_default();
    vec![format!(
        "100000 rows: worst filter key to frame {key:?}, worst state to frame {state:?}"
    )]
}

fn timed(mut frame: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..FRAMES {
        frame();
    }
    begun.elapsed() / FRAMES
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("frame");
    let mut lines = Vec::new();
    for size in SIZES {
        for rows in ROWS {
            let Ok(mut model) = sample::model(sample::review_of(rows), size) else {
                return;
            };
            if let Some(view) = model.view_mut() {
                view.list.cursor = rows / 2;
                view.list.top = rows / 2;
            }
            let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            let name = format!("{}x{} {rows} rows", size.0, size.1);
            group.bench_function(BenchmarkId::new("screen", &name), |b| {
                b.iter(|| ours(black_box(&model), black_box(&mut buffer)));
            });
            group.bench_function(BenchmarkId::new("floor", &name), |b| {
                b.iter(|| floor(black_box(&mut buffer), rows));
            });
            let (mine, bare) = (
                timed(|| ours(&model, &mut buffer)),
                timed(|| floor(&mut buffer, rows)),
            );
            let ratio = mine.as_nanos() * 100 / bare.as_nanos().max(1);
            lines.push(format!(
                "{name}: screen {mine:?}, floor {bare:?}, ratio {}.{:02}",
                ratio / 100,
                ratio % 100
            ));
        }
    }
    group.finish();
    lines.extend(keys_in_many_rows());
    criterion.final_summary();
    for line in lines {
        report(&line);
    }
}

#[expect(clippy::print_stdout, reason = "a bench says its ratio")]
fn report(line: &str) {
    println!("{line}");
}
