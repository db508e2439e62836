//! What a batch does to each of its rows: pure, from what was planned, what the locked row holds and what the ledger says.

use super::LedgerLine;
use super::writer::RowResult;
use crate::domain::write::RowUpdate;

/// Doing or undoing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Apply,
    Undo,
}

/// What happens to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is changed.
    Change,
    /// It is left as it is.
    Leave(RowResult),
}

/// Decides about one row. `now` are the row's cells in the order of `update.cells`, `None` if there is no such row.
pub(super) fn decide(
    way: Way,
    update: &RowUpdate,
    now: Option<&[Option<String>]>,
    line: Option<&LedgerLine>,
) -> Decision {
    if is_done(way, update, line) {
        return Decision::Leave(RowResult::AlreadyDone);
    }
    let Some(now) = now else {
        return Decision::Leave(RowResult::Gone);
    };
    let drifted = || Decision::Leave(RowResult::Drifted { now: now.to_vec() });
    let holds_before = update.cells.iter().map(|cell| &cell.before).eq(now);
    let holds_after = update.cells.iter().map(|cell| &cell.after).eq(now);
    let active = line.filter(|line| line.undone.is_none());
    match (way, active) {
        (Way::Apply, None) if holds_before => Decision::Change,
        (Way::Undo, Some(line)) if line.is_of(update) && holds_after => Decision::Change,
        // Never done, and as an undo would leave it.
        (Way::Undo, None) if holds_before => Decision::Leave(RowResult::AlreadyDone),
        // Also where the effect was done with other cells: its identity is used up until that is undone.
        _ => drifted(),
    }
}

/// Whether the ledger says that exactly this was done, or undone.
pub(super) fn is_done(way: Way, update: &RowUpdate, line: Option<&LedgerLine>) -> bool {
    line.is_some_and(|line| line.is_of(update) && line.undone.is_some() == (way == Way::Undo))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EffectId;
    use crate::domain::write::Cell;

    fn update() -> RowUpdate {
        RowUpdate {
            effect: EffectId("e".into()),
            table: "t".into(),
            key: "1".into(),
            cells: vec![Cell {
                column: "m".into(),
                before: Some("old".into()),
                after: Some("new".into()),
            }],
        }
    }

    fn line(after: &str, undone: bool) -> LedgerLine {
        let mut cells = update().cells;
        cells[0].after = Some(after.into());
        LedgerLine {
            run: "r".into(),
            plan: "p".into(),
            table: "t".into(),
            key: "1".into(),
            cells,
            at: String::new(),
            undone: undone.then(|| (String::new(), String::new())),
        }
    }

    /// Every combination of way, row and line: a row is changed in exactly these, and never where the ledger has the
    /// effect in another shape.
    #[test]
    fn a_row_is_changed_only_where_it_holds_what_was_read_and_the_ledger_agrees() {
        let mut changed = Vec::new();
        for way in [Way::Apply, Way::Undo] {
            for now in [None, Some("old"), Some("new"), Some("else")] {
                for known in [
                    None,
                    Some(("new", false)),
                    Some(("new", true)),
                    Some(("x", false)),
                    Some(("x", true)),
                ] {
                    let line = known.map(|(after, undone)| line(after, undone));
                    let cells = now.map(|now| vec![Some(now.to_owned())]);
                    let decided = decide(way, &update(), cells.as_deref(), line.as_ref());
                    if decided == Decision::Change {
                        changed.push((way, now, known));
                    }
                    if now.is_none() {
                        assert!(matches!(
                            decided,
                            Decision::Leave(RowResult::Gone | RowResult::AlreadyDone)
                        ));
                    }
                }
            }
        }
        let old = Some("old");
        let expected = [
            (Way::Apply, old, None),
            (Way::Apply, old, Some(("new", true))),
            (Way::Apply, old, Some(("x", true))),
            (Way::Undo, Some("new"), Some(("new", false))),
        ];
        assert_eq!(changed, expected);
    }

    #[test]
    fn null_is_a_value_like_any_other() {
        let mut update = update();
        update.cells[0].before = None;
        assert_eq!(decide(Way::Apply, &update, Some(&[None]), None), Decision::Change);
        let drifted = RowResult::Drifted {
            now: vec![Some(String::new())],
        };
        let empty = [Some(String::new())];
        assert_eq!(
            decide(Way::Apply, &update, Some(&empty), None),
            Decision::Leave(drifted)
        );
    }
}
