//! Which region is where, as plain arithmetic on the size of the terminal: asked at every draw and after every message,
//! so that a resize needs no state of its own.

use ratatui::layout::Rect;

use crate::tui::model::Model;

/// Narrowest terminal.
pub const MIN_WIDTH: u16 = 80;
/// Lowest terminal.
pub const MIN_HEIGHT: u16 = 24;
const WIDE_WIDTH: u16 = 110;
const WIDE_HEIGHT: u16 = 36;
const LEFT_WIDTH: u16 = 36;
/// Most stages with a line each on a small screen; more stand side by side, above a line for the selected one.
const FEW_STAGES: u16 = 3;

/// How much fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Below 80x24.
    TooSmall,
    /// Rules instead of boxes, one line per thing.
    Compact,
    /// Boxes.
    Wide,
}

/// The size class of an area.
#[must_use]
pub const fn size(width: u16, height: u16) -> Size {
    if width < MIN_WIDTH || height < MIN_HEIGHT {
        Size::TooSmall
    } else if width >= WIDE_WIDTH && height >= WIDE_HEIGHT {
        Size::Wide
    } else {
        Size::Compact
    }
}

/// Regions of the board. On a small screen boxes are areas without a border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// Who, where, when.
    pub header: Rect,
    /// Box around the left column, if there is one.
    pub left: Option<Rect>,
    /// Box around the stage's panel, if there is one.
    pub right: Option<Rect>,
    /// The list of stages.
    pub stages: Rect,
    /// What needs a person; empty on a small screen, where the status line says it.
    pub needs: Rect,
    /// The budgets, with their heading where there is room.
    pub budget: Rect,
    /// Headline and checks.
    pub claims: Rect,
    /// Heading, column titles and rows.
    pub table: Rect,
    /// The row under the cursor, with its heading.
    pub detail: Rect,
    /// The journal, with its border or heading.
    pub journal: Rect,
    /// Acknowledgement, notice or banner.
    pub status: Rect,
    /// Keys.
    pub hints: Rect,
}

/// Cuts rows off an area from the top.
struct Cut(Rect);

impl Cut {
    fn top(&mut self, height: u16) -> Rect {
        let height = height.min(self.0.height);
        let cut = Rect { height, ..self.0 };
        self.0.y += height;
        self.0.height -= height;
        cut
    }

    fn bottom(&mut self, height: u16) -> Rect {
        let height = height.min(self.0.height);
        self.0.height -= height;
        Rect {
            y: self.0.y + self.0.height,
            height,
            ..self.0
        }
    }
}

/// `area` without its border.
#[must_use]
pub const fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// The regions of the board for so many stages.
#[must_use]
pub fn board(area: Rect, stages: u16) -> Board {
    if size(area.width, area.height) == Size::Wide {
        wide(area, stages)
    } else {
        compact(area, stages)
    }
}

fn wide(area: Rect, stages: u16) -> Board {
    let mut cut = Cut(area);
    let header = cut.top(2);
    let hints = cut.bottom(1);
    let status = cut.bottom(1);
    let journal = cut.bottom((area.height / 5).max(9));
    let main = cut.0;
    let left = Rect {
        width: LEFT_WIDTH,
        ..main
    };
    let right = Rect {
        x: main.x + LEFT_WIDTH,
        width: main.width - LEFT_WIDTH,
        ..main
    };
    let mut column = Cut(inside(left));
    let budget = column.bottom(9);
    let needs = column.bottom(6.min(column.0.height.saturating_sub(stages.min(8))).max(4));
    let mut panel = Cut(inside(right));
    let claims = panel.top(5);
    let detail = panel.bottom(7);
    Board {
        header,
        left: Some(left),
        right: Some(right),
        stages: column.0,
        needs,
        budget,
        claims,
        table: panel.0,
        detail,
        journal,
        status,
        hints,
    }
}

fn compact(area: Rect, stages: u16) -> Board {
    let mut cut = Cut(area);
    let header = cut.top(2);
    let hints = cut.bottom(1);
    let status = cut.bottom(1);
    let stages = cut.top(if stages > FEW_STAGES { 2 } else { stages.max(1) });
    let claims = cut.top(4);
    let journal = cut.bottom(4);
    let budget = cut.bottom(1);
    let detail = cut.bottom(4);
    Board {
        header,
        stages,
        budget,
        claims,
        table: cut.0,
        detail,
        journal,
        status,
        hints,
        ..Board::default()
    }
}

/// Regions of the review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Where, which plan, how many are left.
    pub header: Rect,
    /// The list, with its border or heading.
    pub list: Rect,
    /// Groups below the list; empty on a small screen.
    pub groups: Rect,
    /// The change, with its border or heading.
    pub change: Rect,
    /// Acknowledgement, notice or banner.
    pub status: Rect,
    /// Keys.
    pub hints: Rect,
}

/// The regions of the review.
#[must_use]
pub fn review(area: Rect) -> Review {
    let mut cut = Cut(area);
    let header = cut.top(2);
    let hints = cut.bottom(1);
    let status = cut.bottom(1);
    if size(area.width, area.height) != Size::Wide {
        let list = cut.top(5);
        return Review {
            header,
            list,
            groups: Rect::default(),
            change: cut.0,
            status,
            hints,
        };
    }
    let main = cut.0;
    let mut column = Cut(Rect {
        width: LEFT_WIDTH + 2,
        ..main
    });
    let groups = column.bottom((main.height * 2 / 5).max(12));
    let change = Rect {
        x: main.x + LEFT_WIDTH + 2,
        width: main.width - LEFT_WIDTH - 2,
        ..main
    };
    Review {
        header,
        list: column.0,
        groups,
        change,
        status,
        hints,
    }
}

/// The approval dialog: as high as the screen allows, so that as much as possible is seen without scrolling.
#[must_use]
pub const fn approval(area: Rect) -> Rect {
    match size(area.width, area.height) {
        Size::Wide => centred(area, 100, 36),
        _ => Rect {
            height: area.height.saturating_sub(1),
            ..area
        },
    }
}

/// Lines of the approval dialog that do not scroll: statement, phrase, inputs, words, buttons, border.
pub const APPROVAL_FIXED: u16 = 12;

/// A box for help, palette and groups.
#[must_use]
pub const fn list_box(area: Rect) -> Rect {
    centred(area, 100, 32)
}

/// The box that asks for a number: with room for what the number does.
#[must_use]
pub const fn number(area: Rect) -> Rect {
    centred(area, 92, 28)
}

/// Lines of that box that do not scroll: the question, whom it is for, what is typed, whether it fits, border.
pub const NUMBER_FIXED: u16 = 7;

/// A small box for a question.
#[must_use]
pub const fn question(area: Rect) -> Rect {
    centred(area, 76, 12)
}

/// A box of at most that size in the middle.
#[must_use]
pub const fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let max_width = area.width.saturating_sub(2);
    let max_height = area.height.saturating_sub(2);
    let width = if width < max_width { width } else { max_width };
    let height = if height < max_height { height } else { max_height };
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// Rows of each list that are on screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heights {
    /// The board's table.
    pub table: usize,
    /// The journal.
    pub journal: usize,
    /// The review's list.
    pub review: usize,
    /// The review's change.
    pub reading: usize,
    /// The facts of the approval dialog.
    pub approval: usize,
    /// What a number would do, in the dialog that asks for it.
    pub number: usize,
    /// Help and palette.
    pub palette: usize,
    /// Groups.
    pub groups: usize,
    /// Findings.
    pub findings: usize,
}

/// The heights for the model's terminal.
#[must_use]
pub fn heights(model: &Model) -> Heights {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let stages = u16::try_from(model.state.stages.len()).unwrap_or(u16::MAX);
    let (board, review) = (board(area, stages), review(area));
    let boxed = size(area.width, area.height) == Size::Wide;
    let frame = if boxed { 2 } else { 1 };
    Heights {
        table: board.table.height.saturating_sub(2).into(),
        journal: board.journal.height.saturating_sub(frame).into(),
        review: review.list.height.saturating_sub(frame).into(),
        reading: review.change.height.saturating_sub(frame).into(),
        approval: approval(area).height.saturating_sub(APPROVAL_FIXED).into(),
        number: number(area).height.saturating_sub(NUMBER_FIXED).into(),
        palette: list_box(area).height.saturating_sub(6).into(),
        groups: list_box(area).height.saturating_sub(4).into(),
        findings: area.height.saturating_sub(10).into(),
    }
}
