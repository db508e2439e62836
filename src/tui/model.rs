//! Everything the screen knows. [`crate::tui::update`] changes it, [`crate::tui::view::draw`] reads it, nothing else
//! touches it.

use std::sync::Arc;

use crate::domain::change::Change;
use crate::domain::ids::{Digest, Environment, Role, StageId};
use crate::domain::panel::{Panel, Tone};
use crate::domain::plan::Plan;
use crate::domain::time::UtcMs;
use crate::engine::state::{RunState, StageState};
pub use crate::tui::dialog::{Approval, Asking, Dialog, Draft, Field, NoteFor, Same};
use crate::tui::glyphs::Glyphs;
use crate::tui::keymap::Place;
use crate::tui::msg::{Exit, Zone};
use crate::tui::rows::{ListPos, StageView};
use crate::tui::theme::Theme;

/// Names stay shown for this long after `u`, in real milliseconds.
pub const UNMASK_MS: u64 = 10_000;
/// A dialog that asks for an approval takes no key for this long, in real milliseconds.
pub const GRACE_MS: u64 = 1_000;
/// A drift check is good for this long, on the run's clock.
pub const DRIFT_GOOD_MS: i64 = 120_000;

/// What stages say and show, without the rest of a stage.
pub trait Panels: Send + Sync {
    /// What the panel of a stage says.
    fn panel(&self, stage: StageId, plan: Option<&Plan>) -> Panel;
    /// The cells of a row, one per column of the panel.
    fn cells(&self, stage: StageId, change: &Change, unmasked: bool) -> Vec<String>;
}

/// The panels of [`crate::stages::all`].
#[derive(Clone, Copy, Debug, Default)]
pub struct StagePanels;

impl Panels for StagePanels {
    fn panel(&self, stage: StageId, plan: Option<&Plan>) -> Panel {
        crate::stages::get(stage)
            .map(|stage| stage.panel(plan))
            .unwrap_or_default()
    }

    fn cells(&self, stage: StageId, change: &Change, unmasked: bool) -> Vec<String> {
        crate::stages::get(stage)
            .map(|stage| stage.cells(change, unmasked))
            .unwrap_or_default()
    }
}

/// How it is drawn.
#[derive(Clone, Debug)]
pub struct Look {
    /// Styles.
    pub theme: Theme,
    /// Signs.
    pub glyphs: Glyphs,
}

/// A whole screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// The main screen.
    #[default]
    Board,
    /// Review of one change.
    Review,
    /// The list of findings.
    Findings,
}

/// The part of the board that has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The list of stages.
    Stages,
    /// The table of changes.
    #[default]
    Changes,
    /// The budget of the two accounts.
    Budget,
    /// The journal.
    Journal,
}

impl Pane {
    /// In the order Tab goes.
    pub const ALL: [Self; 4] = [Self::Stages, Self::Changes, Self::Budget, Self::Journal];
}

/// A line that stays until it is dismissed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// How it strikes the eye.
    pub tone: Tone,
}

/// A drift check that the operator waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stage.
    pub stage: StageId,
    /// The plan.
    pub digest: Digest,
    /// When the last check before it was made.
    pub before: Option<UtcMs>,
    /// The engine has begun with it.
    pub begun: bool,
}

/// The journal pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Lines below the last one shown; 0 follows.
    pub back: usize,
}

/// The review screen's own state.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// The right side has the keys.
    pub reading: bool,
    /// First line of the right side that is shown.
    pub scroll: usize,
    /// Equal fields are shown.
    pub equal: bool,
    /// The words for the next decision.
    pub note: String,
}

/// See the [module page](self).
pub struct Model {
    /// What is drawn.
    pub state: Arc<RunState>,
    /// What is true: newer than `state` only while the picture is frozen.
    pub latest: Arc<RunState>,
    /// Real milliseconds since the screen started.
    pub tick: u64,
    /// The run's clock.
    pub now: UtcMs,
    /// The local zone.
    pub zone: Option<Zone>,
    /// Width and height of the terminal.
    pub size: (u16, u16),
    /// How it is drawn.
    pub look: Look,
    /// What stages say.
    pub panels: Arc<dyn Panels>,
    /// The screen.
    pub screen: Screen,
    /// What lies over it.
    pub dialog: Option<Dialog>,
    /// The pane that has the keys.
    pub pane: Pane,
    /// The selected stage.
    pub stage: usize,
    /// Per stage.
    pub views: Vec<StageView>,
    /// The journal pane.
    pub journal: Journal,
    /// The selected account.
    pub account: Role,
    /// The review screen.
    pub review: Review,
    /// The list of findings.
    pub findings: ListPos,
    /// The last key was heard.
    pub ack: Option<String>,
    /// Stays until dismissed.
    pub notice: Option<Notice>,
    /// Since when the picture is held.
    pub frozen: Option<UtcMs>,
    /// Names are shown until then, in real milliseconds.
    pub unmasked_until: u64,
    /// Names are shown unless the accounts are live.
    pub unmask_default: Option<bool>,
    /// The window is looked at.
    pub focused: bool,
    /// A drift check is waited for.
    pub waiting_check: Option<Waiting>,
    /// An undo that is to be shown is waited for: of which stage, and when the one before it was worked out.
    pub waiting_offer: Option<(StageId, Option<UtcMs>)>,
    /// The program is leaving, and how it will have ended.
    pub leaving: Option<Exit>,
    /// The title last set.
    pub title: String,
    /// Needs that have been called out.
    pub rung: usize,
}

impl Model {
    /// A screen that has seen nothing yet.
    #[must_use]
    pub fn new(look: Look, panels: Arc<dyn Panels>, unmask_default: Option<bool>) -> Self {
        Self {
            state: Arc::default(),
            latest: Arc::default(),
            tick: 0,
            now: UtcMs::default(),
            zone: None,
            size: (0, 0),
            look,
            panels,
            screen: Screen::default(),
            dialog: None,
            pane: Pane::default(),
            stage: 0,
            views: Vec::new(),
            journal: Journal::default(),
            account: Role::Destination,
            review: Review::default(),
            findings: ListPos::default(),
            ack: None,
            notice: None,
            frozen: None,
            unmasked_until: 0,
            unmask_default,
            focused: true,
            waiting_check: None,
            waiting_offer: None,
            leaving: None,
            title: String::new(),
            rung: 0,
        }
    }

    /// Where the keys go.
    #[must_use]
    pub const fn place(&self) -> Place {
        match &self.dialog {
            Some(Dialog::Filter { .. }) => Place::Filter,
            Some(Dialog::Note { .. }) => Place::Note,
            Some(Dialog::Approval(_)) => Place::Approval,
            Some(Dialog::Palette { .. }) => Place::Palette,
            Some(Dialog::Leave) => Place::Leave,
            Some(Dialog::Same(_)) => Place::Same,
            Some(Dialog::Number(_)) => Place::Number,
            Some(Dialog::Reissue(_)) => Place::Reissue,
            Some(Dialog::Copy) => Place::Copy,
            Some(Dialog::Groups(_)) => Place::Groups,
            None => self.screen_place(),
        }
    }

    /// The place of the screen below any dialog.
    #[must_use]
    pub const fn screen_place(&self) -> Place {
        match self.screen {
            Screen::Board => Place::Board,
            Screen::Review => Place::Review,
            Screen::Findings => Place::Findings,
        }
    }

    /// The selected stage, as drawn.
    #[must_use]
    pub fn stage_state(&self) -> Option<&StageState> {
        self.state.stages.get(self.stage)
    }

    /// The selected stage's rows, filter and cursor.
    #[must_use]
    pub fn view(&self) -> Option<&StageView> {
        self.views.get(self.stage)
    }

    /// The same, to be changed.
    pub fn view_mut(&mut self) -> Option<&mut StageView> {
        self.views.get_mut(self.stage)
    }

    /// How real the accounts are.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        self.state.accounts.as_ref().map(|accounts| accounts.environment)
    }

    /// Whether names are shown: by default not when the accounts are live.
    #[must_use]
    pub fn unmasked(&self) -> bool {
        let default = self
            .unmask_default
            .unwrap_or(self.environment() != Some(Environment::Live));
        default || self.tick < self.unmasked_until
    }

    /// The name of an account for people: its name, or its role.
    #[must_use]
    pub fn name(&self, role: Role) -> &str {
        self.state.names.get(&role).map_or(role.word(), String::as_str)
    }

    /// Shows that a key was heard.
    pub fn heard(&mut self, text: impl Into<String>) {
        self.ack = Some(text.into());
    }

    /// Says something that stays until it is dismissed.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.ack = None;
        self.notice = Some(Notice {
            text: text.into(),
            tone,
        });
    }
}
