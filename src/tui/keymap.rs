//! Keys by name, and which action a key means in which place.

use crate::tui::action::{ACTIONS, Act, Action};

/// A key, without the details of any terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A character, upper or lower case as typed.
    Char(char),
    /// A letter with Ctrl held.
    Ctrl(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
}

impl Key {
    /// The key as it stands in hints and help.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Char(' ') => "Space".to_owned(),
            Self::Char(c) => c.to_string(),
            Self::Ctrl(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Self::BackTab => "Shift-Tab".to_owned(),
            Self::PageUp => "PgUp".to_owned(),
            Self::PageDown => "PgDn".to_owned(),
            named => format!("{named:?}"),
        }
    }

    /// Whether a text input takes this key as text or as editing.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Char(_)
                | Self::Left
                | Self::Right
                | Self::Home
                | Self::End
                | Self::Backspace
                | Self::Delete
        ) || matches!(self, Self::Ctrl('w' | 'a' | 'e' | 'k' | 'u'))
    }
}

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The main screen.
    Board,
    /// Review of one change.
    Review,
    /// The list of findings.
    Findings,
    /// Typing a filter.
    Filter,
    /// Typing a note.
    Note,
    /// The approval dialog.
    Approval,
    /// Help, or the palette.
    Palette,
    /// The leave dialog.
    Leave,
    /// Deciding all rows of a shape.
    Same,
    /// Typing the number a choice asks for.
    Number,
    /// Allowing rows to be sent again.
    Reissue,
    /// Choosing what to copy.
    Copy,
    /// The list of groups.
    Groups,
}

impl Place {
    /// Every place, for tests and for the check on duplicates.
    pub const ALL: [Self; 13] = [
        Self::Board,
        Self::Review,
        Self::Findings,
        Self::Filter,
        Self::Note,
        Self::Approval,
        Self::Palette,
        Self::Leave,
        Self::Same,
        Self::Number,
        Self::Reissue,
        Self::Copy,
        Self::Groups,
    ];

    /// Whether a text input has the focus there: Space and digits are text, and Ctrl-C is what stops writes.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Filter | Self::Note | Self::Number | Self::Approval | Self::Palette
        )
    }

    /// The name in help.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Review => "review",
            Self::Findings => "findings",
            Self::Filter => "filter",
            Self::Note => "note",
            Self::Approval => "approval",
            Self::Palette => "palette",
            Self::Leave => "leave",
            Self::Same => "same shape",
            Self::Number => "number",
            Self::Reissue => "reissue",
            Self::Copy => "copy",
            Self::Groups => "groups",
        }
    }
}

/// The action `key` means in `place`.
#[must_use]
pub fn lookup(place: Place, key: Key) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| {
        action.places.contains(&place) && action.keys.contains(&key) && !(place.is_text() && key.is_text())
    })
}

/// The entry of `act` in the one list of actions.
#[must_use]
pub fn entry(act: Act, place: Place) -> Option<&'static Action> {
    ACTIONS
        .iter()
        .find(|action| action.act == act && action.places.contains(&place))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tui::action::Danger;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let mut seen = BTreeSet::new();
            for action in ACTIONS.iter().filter(|action| action.places.contains(&place)) {
                for key in action.keys {
                    if place.is_text() && key.is_text() {
                        continue;
                    }
                    assert!(seen.insert(*key), "{key:?} twice in {place:?}");
                }
            }
        }
    }

    #[test]
    fn what_writes_or_decides_is_never_on_a_key_that_moves_in_the_same_place() {
        for place in Place::ALL {
            let here = || {
                ACTIONS
                    .iter()
                    .filter(move |action| action.places.contains(&place))
            };
            let moves: BTreeSet<Key> = here()
                .filter(|a| a.danger == Danger::Moves)
                .flat_map(|a| a.keys)
                .copied()
                .collect();
            for action in here().filter(|a| matches!(a.danger, Danger::Decides | Danger::Writes)) {
                assert!(
                    action.keys.iter().all(|key| !moves.contains(key)),
                    "{}",
                    action.name
                );
            }
        }
    }

    #[test]
    fn escape_is_harmless_and_enter_alone_confirms() {
        for place in Place::ALL {
            if let Some(action) = lookup(place, Key::Esc) {
                assert!(matches!(action.danger, Danger::None), "{place:?}");
            }
        }
        assert_eq!(
            lookup(Place::Approval, Key::Enter).map(|a| a.act),
            Some(Act::Confirm)
        );
        assert!(lookup(Place::Approval, Key::Char('y')).is_none());
    }
}
