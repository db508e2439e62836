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
use cutover::tui::rows::StageView;
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

/// Filters typed into 100,000 rows while the stage streams: what a key, a state and a slice take, each with the frame
/// after it. A frame of 60 Hz is 16 ms.
#[derive(Default)]
struct Streaming {
    keys: Vec<Duration>,
    states: Vec<Duration>,
    slices: Vec<Duration>,
    /// From a key to its whole result, with the states and frames between.
    wholes: Vec<Duration>,
}

/// Typed one after another; `<` goes back to nothing.
const TYPED: [&str; 6] = [
    "/sample00012 verdict:blocked",
    "/status:done usd",
    "/anna 12",
    "/zo",
    "/verdict:blocked risk:high 99",
    "/rule:sources_agree currency:jpy",
];
/// Slices between two states: at about three milliseconds each, more often than the screen takes states in.
const SLICES_PER_STATE: usize = 8;

impl Streaming {
    fn run() -> Option<Self> {
        let size = (120, 40);
        let mut all = Self::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        let mut written = 0;
        for typed in TYPED {
            // A new screen each time: the first key of a filter is the one that has nothing to build on.
            let mut model = sample::model(sample::review_of(100_000), size).ok()?;
            let mut frame = |model: &mut Model, msg: Msg| {
                let begun = Instant::now();
                update(model, msg);
                ours(model, &mut buffer);
                begun.elapsed()
            };
            for c in typed.chars() {
                let begun = Instant::now();
                all.keys.push(frame(&mut model, Msg::Key(Key::Char(c))));
                while model.view().is_some_and(StageView::is_looking) {
                    for _ in 0..SLICES_PER_STATE {
                        all.slices.push(frame(&mut model, Msg::Look));
                    }
                    written += 50;
                    let state = streamed(&model, written);
                    all.states.push(frame(&mut model, state));
                    if typed.starts_with("/status") && all.states.len().is_multiple_of(20) {
                        // Every state changes what this filter is about: one pass follows the other for ever.
                        break;
                    }
                }
                if !model.view().is_some_and(StageView::is_looking) {
                    all.wholes.push(begun.elapsed());
                }
            }
        }
        Some(all)
    }

    fn lines(mut self) -> Vec<String> {
        let said = |what: &str, times: &mut Vec<Duration>| {
            times.sort_unstable();
            let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
            let [half, most, worst] = [50, 99, 100].map(|share| at(share).copied().unwrap_or_default());
            format!(
                "100000 rows streaming, {what}: p50 {half:.1?}, p99 {most:.1?}, worst {worst:.1?} of {}",
                times.len()
            )
        };
        vec![
            said("filter key to frame", &mut self.keys),
            said("state to frame", &mut self.states),
            said("slice to frame", &mut self.slices),
            said("filter key to whole result", &mut self.wholes),
        ]
    }
}

/// A state in which `written` more rows are done.
fn streamed(model: &Model, written: usize) -> Msg {
    let mut state = (*model.latest).clone();
    if let Some(stage) = state.stages.first_mut() {
        let mut rows = vec![RowState::default(); 100_000];
        for row in rows.iter_mut().take(written) {
            row.end = Some(RowEnd::Done);
        }
        stage.rows = Arc::new(rows);
        stage.tally.rows.insert(RowEnd::Done, written as u64);
    }
    Msg::State(Arc::new(state))
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
    lines.extend(Streaming::run().map(Streaming::lines).unwrap_or_default());
    criterion.final_summary();
    for line in lines {
        report(&line);
    }
}

#[expect(clippy::print_stdout, reason = "a bench says its ratio")]
fn report(line: &str) {
    println!("{line}");
}
