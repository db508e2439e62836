//! Every history of an undo with up to two events.

use std::collections::BTreeMap;

use super::model_tests::{Case, Every, Kind, Run, change};
use super::model_world_tests::World;
use super::{script, undo};
use crate::domain::change::Change;
use crate::domain::record::RowEnd;
use crate::stages::Fact;

#[test]
fn what_was_written_is_taken_back_new_side_first_and_only_as_long_as_nothing_began() {
    for kind in [Kind::CreateAndEnd, Kind::CreateAndPause, Kind::Create] {
        let case = Case::new(kind);
        let mut run = Run::new(&case, script::next);
        let mut quiet = Every::new(0);
        run.played(&mut quiet).unwrap();
        let made = run.facts.iter().filter_map(|fact| match fact {
            Fact::Wrote { op, attested } => Some((op.clone(), attested.object.clone())),
            Fact::Saw { .. } | Fact::GaveWay => None,
        });
        let back = change(&case.row(), undo::writes(&case.change, &made.collect()));
        let (ends, both_or_none) = every_undo(&case, &run.world, &back);
        assert!(
            ends[&RowEnd::Undone] > 0 && ends[&RowEnd::Drifted] > 0,
            "{kind:?} {ends:?}"
        );
        assert!(both_or_none.is_empty(), "{kind:?}\n{}", both_or_none[0]);
    }
}

/// Every history of an undo with two events: how they ended, and those that were taken back wrongly.
fn every_undo(case: &Case, world: &World, back: &Change) -> (BTreeMap<RowEnd, u64>, Vec<String>) {
    let mut fate = Every::new(2);
    let (mut ends, mut wrong) = (BTreeMap::new(), Vec::new());
    loop {
        let undoing = Case {
            kind: case.kind,
            world: world.clone(),
            change: back.clone(),
        };
        let mut run = Run::new(&undoing, undo::next);
        let (end, _) = run.played(&mut fate).unwrap_or_else(|what| panic!("{what}"));
        *ends.entry(end).or_default() += 1;
        let quiet = run.log.iter().all(|line| !line.starts_with("  * "));
        let cancelled = run.log.iter().position(|line| line == "write undo_create");
        let given = run
            .log
            .iter()
            .position(|line| line == "write undo_end" || line == "write undo_pause");
        let order = given.is_none_or(|given| cancelled.is_none_or(|cancelled| cancelled < given));
        let both = end == RowEnd::Undone
            && !run.world.live().is_empty()
            && !run.log.iter().any(|line| late_schedule(line));
        let old = &run.world.old;
        let not_back = quiet && (old.ends || old.pause || !old.metadata.is_empty());
        // A jump over the hour that is kept between a look and the handover does not happen.
        let looked = run.log.iter().rposition(|line| line == "look undo_schedules");
        let jumped = run.log.iter().rposition(|line| line.contains("PeriodRolls"));
        let mut cancelled = run.world.scheds.iter().filter(|one| one.status == "canceled");
        let began = jumped < looked && cancelled.any(|one| one.began);
        if !order || both || not_back || began {
            wrong.push(run.log.join("\n"));
        }
        if !fate.next() {
            return (ends, wrong);
        }
    }
}

/// Whoever makes one while it is taken back makes it after the last look.
fn late_schedule(line: &str) -> bool {
    line.contains("SomebodySchedules")
}
