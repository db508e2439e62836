//! What is on the screen, as files for people: Markdown to put into a ticket, CSV of the whole list for a spreadsheet.
//! Names are masked where the screen masks them. Nothing in either is obeyed by what opens it: control characters are
//! made visible, lines of Markdown are indented so that they are text, and cells that would be formulas are not.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::change::Change;
use crate::domain::text::for_spreadsheet;
use crate::engine::state::RowState;
use crate::tui::model::{Model, Screen};
use crate::tui::rows::StageView;
use crate::tui::update::dialogs::row_as_text;
use crate::tui::view::layout;
use crate::tui::view::pen::clean;
use crate::tui::words;

/// Files of one name that are kept beside each other.
const MOST_OF_A_NAME: u32 = 100;

/// Two files, by the name they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// `view-coupons-20260214T000452Z`.
    pub name: String,
    /// What is on the screen.
    pub markdown: String,
    /// The whole list.
    pub csv: String,
}

/// The view, if there is a stage to look at.
#[must_use]
pub fn view(model: &Model) -> Option<Saved> {
    let stage = model.stage_state()?;
    let view = model.view()?;
    let at = model.now.datetime().format("%Y%m%dT%H%M%SZ");
    Some(Saved {
        name: format!("view-{}-{at}", stage.id.word()),
        markdown: markdown(model, view),
        csv: csv(model, view),
    })
}

/// Indented lines are text in Markdown, whatever is in them.
fn block(text: &mut String, lines: impl Iterator<Item = String>) {
    text.push('\n');
    for line in lines {
        text.push_str("    ");
        text.push_str(&clean(&line));
        text.push('\n');
    }
}

fn markdown(model: &Model, view: &StageView) -> String {
    let stage = model.stage_state();
    let phase = stage.map_or("", |stage| stage.phase.word());
    let id = stage.map_or("", |stage| stage.id.word());
    let mut text = format!(
        "# {id}: {phase}, {} UTC\n",
        model.now.datetime().format("%Y-%m-%d %H:%M:%S")
    );
    let plan = view.plan().map(|plan| format!("plan {}", plan.digest()));
    let filter = (!view.filter().is_empty()).then(|| format!("filter {}", view.filter().text()));
    let about = [format!("run {}", model.state.run)]
        .into_iter()
        .chain(plan)
        .chain(filter);
    block(&mut text, about.chain(view.panel.headline.iter().cloned()));
    let heights = layout::heights(model);
    let height = if model.screen == Screen::Review {
        heights.review
    } else {
        heights.table
    };
    let shown = view.list.top..view.len().min(view.list.top + height);
    let rows = shown.filter_map(|at| {
        let (change, row) = view.row(at)?;
        let sign = if at == view.list.cursor { ">" } else { " " };
        Some(format!("{sign} {}", cells(model, change, row).join("   ")))
    });
    text.push_str("\n## Rows on the screen\n");
    block(&mut text, rows);
    if let Some((change, _)) = view.selected() {
        text.push_str("\n## The row under the cursor\n");
        block(&mut text, row_as_text(model, change).lines().map(str::to_owned));
    }
    text
}

/// Where a row stands, then the cells of its stage.
fn cells(model: &Model, change: &Change, row: Option<&RowState>) -> Vec<String> {
    let standing = words::row(change, row, &model.look.glyphs).word.to_owned();
    let stage = model.stage_state().map(|stage| stage.id);
    let cells = stage.map(|stage| model.panels.cells(stage, change, model.unmasked()));
    std::iter::once(standing)
        .chain(cells.unwrap_or_default())
        .collect()
}

fn csv(model: &Model, view: &StageView) -> String {
    let titles = view.panel.columns.iter().map(|column| column.title.as_str());
    let head: Vec<&str> = ["key", "status"]
        .into_iter()
        .chain(titles)
        .chain(["why", "decided with", "decided", "working"])
        .collect();
    let columns = head.len();
    let mut text = line(head.into_iter().map(str::to_owned));
    for (at, change) in view.changes().iter().enumerate() {
        let mut row = vec![change.key.0.clone()];
        row.extend(cells(model, change, view.state(at)));
        row.resize(columns - 4, String::new());
        row.push(change.why.clone());
        row.push(change.with.as_ref().map(ToString::to_string).unwrap_or_default());
        row.push(words::decided(change).unwrap_or_default());
        row.push(change.working.join("; "));
        text.push_str(&line(row.into_iter()));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| {
        let cell = for_spreadsheet(&clean(&cell));
        format!("\"{}\"", cell.replace('"', "\"\""))
    });
    let mut line = quoted.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// Writes both, for their owner's eyes, beside what is there already; says where, or why not.
#[must_use]
pub fn write(dir: &Path, saved: &Saved) -> String {
    match write_beside(dir, saved) {
        Ok(path) => format!("saved to {} and .csv", path.display()),
        Err(error) => format!("the view was not saved in {}: {error}", dir.display()),
    }
}

fn write_beside(dir: &Path, saved: &Saved) -> io::Result<PathBuf> {
    for nth in 1..=MOST_OF_A_NAME {
        let name = if nth == 1 {
            saved.name.clone()
        } else {
            format!("{}-{nth}", saved.name)
        };
        let path = dir.join(format!("{name}.md"));
        match new_file(&path, &saved.markdown) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return new_file(&dir.join(format!("{name}.csv")), &saved.csv).map(|()| path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn new_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::tui::sample;

    fn saved(state: crate::engine::state::RunState) -> Saved {
        view(&sample::model(state, (120, 40)).unwrap()).unwrap()
    }

    #[test]
    fn the_list_is_whole_and_no_cell_is_a_formula_or_obeyed() {
        let saved = saved(sample::hostile());
        let mut reader = csv::Reader::from_reader(saved.csv.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 10);
        for cell in rows.iter().flatten() {
            assert_eq!(for_spreadsheet(cell), cell);
            assert!(!cell.chars().any(crate::domain::text::is_hostile), "{cell:?}");
        }
        for text in saved.markdown.lines() {
            assert!(!text.chars().any(crate::domain::text::is_hostile), "{text:?}");
            let own = text.is_empty() || text.starts_with('#');
            assert!(own || text.starts_with("    "), "{text:?}");
        }
    }

    #[test]
    fn names_are_masked_where_the_screen_masks_them() {
        let text = |state| {
            let saved = saved(state);
            saved.markdown + &saved.csv
        };
        assert!(text(sample::review()).contains("Nora Berg"));
        assert!(!text(sample::review_live()).contains("Nora Berg"));
    }

    #[test]
    fn nothing_is_overwritten_and_only_the_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let saved = saved(sample::coupons());
        for name in [
            "view-catalogue-20260214T000452Z",
            "view-catalogue-20260214T000452Z-2",
        ] {
            assert!(write(dir.path(), &saved).starts_with("saved to "));
            for ending in ["md", "csv"] {
                let path = dir.path().join(format!("{name}.{ending}"));
                let mode = std::fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            }
        }
        assert!(write(&dir.path().join("none"), &saved).contains("not saved"));
    }
}
