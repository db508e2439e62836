//! Every status × twin × cancellation × pause × schedule gets exactly one rule, and it is that of the page's table.

use super::super::effects::Row;
use super::super::facts::{BECAME, HANDOVER, Old, Status};
use super::super::samples::{DAY, NOW, accounts, ids, old, phase, twin, world};
use super::super::{Route, Settings};
use super::*;
use crate::domain::change::Verdict;

const STATUSES: [Option<Status>; 9] = [
    None,
    Some(Status::Active),
    Some(Status::Trialing),
    Some(Status::PastDue),
    Some(Status::Unpaid),
    Some(Status::Paused),
    Some(Status::Incomplete),
    Some(Status::Ended),
    Some(Status::Other),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    Same,
    Differs,
    Begun,
    Two,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancel {
    No,
    AtPeriodEnd,
    Later,
    Ours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    No,
    Theirs,
    Ours,
}

#[derive(Clone, Copy, Debug)]
struct Setting {
    status: Option<Status>,
    there: There,
    cancel: Cancel,
    pause: Pause,
    schedule: bool,
}

impl Setting {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for status in STATUSES {
            for there in [
                There::Nothing,
                There::Same,
                There::Differs,
                There::Begun,
                There::Two,
            ] {
                for cancel in [Cancel::No, Cancel::AtPeriodEnd, Cancel::Later, Cancel::Ours] {
                    for pause in [Pause::No, Pause::Theirs, Pause::Ours] {
                        for schedule in [false, true] {
                            all.push(Self {
                                status,
                                there,
                                cancel,
                                pause,
                                schedule,
                            });
                        }
                    }
                }
            }
        }
        all
    }

    fn ours(self) -> bool {
        self.cancel == Cancel::Ours || self.pause == Pause::Ours
    }

    fn old(self) -> Option<Old> {
        let mut old = old("sub_1", "cus_m1");
        let h = old.period_end().unwrap();
        old.status = self.status?;
        old.trial_end = (old.status == Status::Trialing).then_some(h);
        old.ended_at = (old.status == Status::Ended).then_some(NOW - DAY);
        match self.cancel {
            Cancel::No => {}
            Cancel::AtPeriodEnd | Cancel::Ours => (old.ends_with_period, old.cancel_at) = (true, Some(h)),
            Cancel::Later => old.cancel_at = Some(h + 45 * DAY),
        }
        old.pause = match self.pause {
            Pause::No => None,
            Pause::Theirs => Some("void".to_owned()),
            Pause::Ours => Some("keep_as_draft".to_owned()),
        };
        if self.ours() {
            old.metadata.insert(HANDOVER.to_owned(), h.to_string());
            old.metadata
                .insert(BECAME.to_owned(), "sub_sched_sub_1".to_owned());
        }
        old.schedule = self.schedule.then(|| "sub_sched_old".to_owned());
        Some(old)
    }

    fn world(self) -> World {
        let base = old("sub_1", "cus_m1");
        let (began, h) = base.items[0].period;
        let mut world = world(vec![base]);
        world.old.clear();
        world.old.extend(self.old().map(|old| (old.id.clone(), old)));
        let mut running = phase(began);
        running.items[0].price = "price_old".to_owned();
        world
            .old_schedules
            .insert("sub_sched_old".to_owned(), vec![running]);
        let mut twins = Vec::new();
        if self.there != There::Nothing {
            twins.push(twin("sub_1", "cus_m1", h));
        }
        match self.there {
            There::Differs => twins[0].phases[0].items[0].quantity = Some(2),
            There::Begun => (twins[0].begun, twins[0].start) = (true, began),
            There::Two => twins.push(twins[0].clone()),
            There::Nothing | There::Same => {}
        }
        if !twins.is_empty() {
            world.twins.insert("sub_1".to_owned(), twins);
        }
        world
    }

    /// The page's table, once more.
    fn rule(self) -> Option<(&'static str, Verdict)> {
        use Verdict::{Blocked, Planned};
        let Some(status) = self.status else {
            return match self.there {
                There::Nothing => None,
                There::Two => Some(("two_twins", Blocked)),
                There::Begun => Some(("withdraw", Blocked)),
                There::Same | There::Differs => Some(("withdraw", Planned)),
            };
        };
        Some(match self.there {
            There::Two => ("two_twins", Blocked),
            There::Nothing => self.without(status),
            _ => self.with(status),
        })
    }

    fn without(self, status: Status) -> (&'static str, Verdict) {
        use Verdict::{Blocked, Noop, Planned};
        match status {
            Status::Ended => ("ends_on_old", Noop),
            _ if self.ours() => ("stopped_alone", Blocked),
            _ if self.cancel == Cancel::AtPeriodEnd => ("ends_on_old", Noop),
            Status::Incomplete => ("incomplete", Blocked),
            Status::Unpaid => ("unpaid", Blocked),
            Status::Paused => ("paused", Blocked),
            Status::Other => ("status_unknown", Blocked),
            _ if self.pause == Pause::Theirs => ("collection_paused", Blocked),
            _ if self.schedule || self.cancel == Cancel::Later => ("schedule", Planned),
            _ => ("file", Planned),
        }
    }

    fn with(self, status: Status) -> (&'static str, Verdict) {
        use Verdict::{Blocked, Noop, Planned};
        let begun = self.there == There::Begun;
        match status {
            // It ended yesterday, before the handover: by somebody else, whatever our mark says.
            Status::Ended if begun => ("double", Blocked),
            Status::Ended => ("withdraw", Planned),
            _ if self.ours() && begun => ("handed_over", Noop),
            _ if self.cancel == Cancel::AtPeriodEnd && !self.ours() && !begun => ("withdraw", Planned),
            Status::Paused => ("paused", Blocked),
            Status::Incomplete => ("incomplete", Blocked),
            Status::Other => ("status_unknown", Blocked),
            _ if self.pause == Pause::Theirs => ("collection_paused", Blocked),
            _ if begun => ("double", Blocked),
            _ if self.there == There::Differs => ("change", Planned),
            _ if self.ours() => ("handed_over", Noop),
            _ if self.cancel == Cancel::Later => ("change", Planned),
            _ => ("stop", Planned),
        }
    }
}

#[test]
fn every_setting_has_one_rule_and_it_is_the_pages() {
    let (accounts, settings, ids) = (accounts(), Settings::default(), ids());
    let rules = Rules {
        accounts: &accounts,
        settings: &settings,
    };
    let mut seen = BTreeSet::new();
    for setting in Setting::all() {
        let planned = rows(&setting.world(), &ids, rules);
        let found: Vec<_> = planned
            .changes
            .iter()
            .map(|row| (row.rule.as_str(), row.verdict))
            .collect();
        let expected: Vec<_> = setting.rule().into_iter().collect();
        assert_eq!(
            found,
            expected,
            "{setting:?}: {:?}",
            planned.changes.first().map(|row| &row.why)
        );
        seen.extend(expected);
        for row in &planned.changes {
            let payload: Row = serde_json::from_str(&row.payload).unwrap();
            assert_eq!(payload.old, "sub_1");
            assert_eq!(row.subject, "cus_m1");
            assert!(row.why.len() > 5 && row.effect.ends_with('.'), "{}", row.effect);
            let is_file = payload.route == Some(Route::Csv);
            assert_eq!(is_file, row.rule == "file");
            assert_eq!(payload.cells.is_empty(), !is_file);
            if row.verdict == Verdict::Planned {
                assert_eq!(row.writes.is_empty(), is_file, "{}", row.rule);
            } else {
                assert!(row.writes.is_empty());
            }
        }
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}
