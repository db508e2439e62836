//! The stage as the engine sees it: each method hands on to the file that knows.

use std::collections::BTreeMap;

use super::audit::End;
use super::effects::{CREATE, Row};
use super::facts::World;
use super::gather::{self, Facts};
use super::plan::Rules;
use super::{Subscriptions, attest, audit, calendar, drift, file, panel, plan, script, support, undo};
use crate::domain::change::{Change, Risk, Verdict};
use crate::domain::ids::{Accounts, StageId};
use crate::domain::mapped::Mapped;
use crate::domain::panel::Panel;
use crate::domain::plan::{Header, Plan};
use crate::domain::record::Attested;
use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stages::{
    Audit, Boxed, Fact, File, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step,
};

/// The policy of a plan's header that says from when on its schedules may begin, seconds. It comes of when the plan was
/// made, so a plan that is looked at again keeps its own.
const EARLIEST_START: &str = "earliest_start";

impl Stage for Subscriptions {
    fn id(&self) -> StageId {
        StageId::Subscriptions
    }

    fn gather<'a>(&'a self, reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        Box::pin(gather::gather(reading, |world| rows(world, reading)))
    }

    fn header(&self, accounts: &Accounts, settings: &Settings) -> Result<Header, StageError> {
        Ok(header(accounts, settings))
    }

    fn fits(&self, plan: &Header, wanted: &Header) -> bool {
        let mut plan = plan.clone();
        plan.policy.remove(EARLIEST_START);
        plan == *wanted
    }

    fn plan(&self, gathered: Gathered, reading: &Reading) -> Result<Plan, StageError> {
        let facts = gathered.facts.downcast::<Facts>();
        let facts = facts.map_err(|_| StageError::Refused("these facts are of another stage".to_owned()))?;
        planned(&facts, reading)
    }

    /// Everything is read and planned again, for the same earliest start: a handover does not move because time went on.
    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async move {
            let facts = gather::whole(reading, earliest(plan), |world| rows(world, reading)).await?;
            let now = planned(&facts, reading)?;
            let world = &facts.world;
            let twins: usize = world.twins.values().map(Vec::len).sum();
            Ok(Recheck {
                objects: (world.old.len() + twins) as u64,
                drifted: drift::drifted(plan, &now),
            })
        })
    }

    fn next(&self, change: &Change, facts: &[Fact]) -> Step {
        script::next(change, facts)
    }

    fn rank(&self, change: &Change) -> u32 {
        script::rank(change)
    }

    fn undo(&self, change: &Change, made: &BTreeMap<String, String>) -> Vec<PlannedWrite> {
        undo::writes(change, made)
    }

    fn undo_next(&self, undo: &Change, facts: &[Fact]) -> Step {
        undo::next(undo, facts)
    }

    fn undo_words(&self) -> Option<&'static str> {
        Some(undo::WORDS)
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
        attest::attest(write, object, livemode)
    }

    fn probe(&self, write: &PlannedWrite, since: UtcMs) -> Look {
        attest::probe(write, since)
    }

    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        attest::is_effect(write, object)
    }

    fn ids(&self, change: &Change, made: Option<&str>) -> Option<Mapped> {
        ids(change, made)
    }

    fn files(&self, plan: &Plan) -> Vec<File> {
        let all = [file::files(plan), calendar::files(plan), support::files(plan)];
        all.into_iter().flatten().collect()
    }

    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [End],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async move {
            let facts = gather::world(reading, earliest(plan)).await?;
            let now = audit::Now {
                old: &facts.world.old,
                twins: &facts.world.twins,
                at: reading.clock.now().secs(),
            };
            let mut audit = audit::compare(plan, ends, &now);
            audit.findings.extend(gather::findings(&facts));
            Ok(audit)
        })
    }

    fn panel(&self, plan: Option<&Plan>) -> Panel {
        panel::panel(plan)
    }

    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String> {
        panel::cells(change, unmasked)
    }
}

fn header(accounts: &Accounts, settings: &Settings) -> Header {
    Header {
        accounts: accounts.clone(),
        policy: settings.subscriptions.policy(),
        scope: settings.scope.digest(),
        stage: StageId::Subscriptions,
    }
}

fn earliest(plan: &Plan) -> Option<i64> {
    plan.header().policy.get(EARLIEST_START)?.parse().ok()
}

fn rules(reading: &Reading) -> Rules<'_> {
    Rules {
        accounts: &reading.accounts,
        settings: &reading.settings.subscriptions,
    }
}

/// The rows of what was read, for what Stripe is asked about bills.
fn rows(world: &World, reading: &Reading) -> Vec<(Risk, Row)> {
    let planned = plan::rows(world, &reading.ids, rules(reading));
    let rows = planned.changes.iter().filter_map(|change| {
        let row = serde_json::from_str(&change.payload).ok()?;
        Some((change.risk, row))
    });
    rows.collect()
}

fn planned(facts: &Facts, reading: &Reading) -> Result<Plan, StageError> {
    let planned = plan::rows(&facts.world, &reading.ids, rules(reading));
    let mut findings = planned.findings;
    findings.extend(gather::findings(facts));
    let mut header = header(&reading.accounts, &reading.settings);
    let earliest = facts.world.earliest.to_string();
    header.policy.insert(EARLIEST_START.to_owned(), earliest);
    let (out, now) = (planned.out_of_scope, reading.clock.now());
    Ok(Plan::seal(header, out, planned.changes, findings, now)?)
}

/// A subscription by what goes on for it: the new subscription once it is known, the schedule until then.
fn ids(change: &Change, made: Option<&str>) -> Option<Mapped> {
    let row = serde_json::from_str::<Row>(&change.payload).ok()?;
    let creates = change.writes_now().iter().any(|write| write.op == CREATE);
    let stays = matches!(change.verdict, Verdict::Planned | Verdict::Noop) && change.rule != "withdraw";
    let (kind, new) = match (row.twin.filter(|_| stays), made.filter(|_| creates)) {
        (_, Some(made)) => ("subscription_schedule", made.to_owned()),
        (Some((_, Some(subscription))), None) => ("subscription", subscription),
        (Some((Some(schedule), None)), None) => ("subscription_schedule", schedule),
        _ => return None,
    };
    Some(Mapped {
        kind: kind.to_owned(),
        old: row.old,
        new,
    })
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
