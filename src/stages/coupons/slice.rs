//! The stage as the engine sees it: each method hands on to the file that knows.

use std::collections::BTreeMap;

use super::attest::{self, sent};
use super::audit::End;
use super::effects::{CREATE_CARRY, CREATE_CODE, CREATE_COUPON, Payload, RECREATE_OLD, UNDO_RESTORE};
use super::gather::{self, Facts, First};
use super::{Coupons, audit, carried, drift, panel, script, undo};
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::mapped::Mapped;
use crate::domain::panel::Panel;
use crate::domain::plan::{Header, Plan};
use crate::domain::record::Attested;
use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stages::{
    Audit, Boxed, Fact, File, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step,
};
use crate::stripe::allow::path;

impl Stage for Coupons {
    fn id(&self) -> StageId {
        StageId::Coupons
    }

    fn gather<'a>(&'a self, reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        Box::pin(gather::gather(reading))
    }

    fn header(&self, accounts: &Accounts, settings: &Settings) -> Result<Header, StageError> {
        Ok(gather::header(accounts, settings))
    }

    fn plan(&self, gathered: Gathered, reading: &Reading) -> Result<Plan, StageError> {
        let facts = gathered.facts.downcast::<Facts>();
        let facts = facts.map_err(|_| StageError::Refused("these facts are of another stage".to_owned()))?;
        gather::plan(&facts, reading)
    }

    /// Everything is read and planned again: there are only lists to read, and who shares a pool with whom cannot be told
    /// from one of them.
    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async move {
            let facts = gather::world(reading).await?;
            let now = gather::plan(&facts, reading)?;
            let world = &facts.world;
            let drawers = [&world.source, &world.destination].map(|d| d.coupons.len() + d.codes.len());
            let objects = drawers.iter().sum::<usize>() + world.running.len();
            Ok(Recheck {
                objects: objects as u64,
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

    fn follows(&self, change: &Change) -> bool {
        script::follows(change)
    }

    fn undo(&self, change: &Change, made: &BTreeMap<String, String>) -> Vec<PlannedWrite> {
        undo::writes(change, made)
    }

    fn undo_next(&self, undo: &Change, facts: &[Fact]) -> Step {
        undo::next(undo, facts)
    }

    fn undo_words(&self) -> Option<&'static str> {
        Some(
            "by `cutover undo coupons`: new codes off, new coupons deleted, old codes back; what was used stays used",
        )
    }

    fn undo_rank(&self, change: &Change) -> u32 {
        undo::rank(change)
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
        attest::attest(write, object, livemode)
    }

    fn probe(&self, write: &PlannedWrite, _since: UtcMs) -> Look {
        probe(write)
    }

    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        attest::is_effect(write, object)
    }

    fn ids(&self, change: &Change, made: Option<&str>) -> Option<Mapped> {
        ids(change, made)
    }

    fn files(&self, plan: &Plan) -> Vec<File> {
        vec![File {
            name: carried::FILE.into(),
            bytes: carried::csv(plan).unwrap_or_default(),
        }]
    }

    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [End],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async move {
            // On the old account no use may count twice; on the new one a code that is off shows why at its coupon.
            let ((source, _), (destination, _)) = tokio::try_join!(
                gather::drawer(reading, Role::Source, First::Coupons),
                gather::drawer(reading, Role::Destination, First::Codes)
            )?;
            let now = audit::Now {
                source: &source,
                destination: &destination,
                at: reading.clock.now().secs(),
            };
            Ok(audit::compare(plan, ends, &now))
        })
    }

    fn panel(&self, plan: Option<&Plan>) -> Panel {
        panel::panel(plan)
    }

    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String> {
        panel::cells(change, unmasked)
    }
}

/// A coupon keeps its id, a code gets a new one, and a running discount goes on with a coupon of its own.
fn ids(change: &Change, made: Option<&str>) -> Option<Mapped> {
    let payload = serde_json::from_str::<Payload>(&change.payload).ok()?;
    let creates = |op: &str| made.is_some() && change.writes_now().iter().any(|write| write.op == op);
    let is_there = |there: bool| there && change.verdict == Verdict::Noop;
    let (kind, old, new) = match payload {
        Payload::Coupon(row) if creates(CREATE_COUPON) || is_there(row.there) => {
            ("coupon", row.id.clone(), row.id)
        }
        Payload::Code(row) if creates(CREATE_CODE) => ("promotion_code", row.old, made?.to_owned()),
        Payload::Code(row) if is_there(row.there.is_some()) => ("promotion_code", row.old, row.there?),
        Payload::Discount(row) if creates(CREATE_CARRY) || is_there(row.there) => {
            let carry = row.terms.get("id")?.to_owned();
            let old = change
                .key
                .0
                .strip_prefix("discount/")
                .unwrap_or(&row.old)
                .to_owned();
            ("discount", old, carry)
        }
        _ => return None,
    };
    Some(Mapped {
        kind: kind.to_owned(),
        old,
        new,
    })
}

/// The coupon under its id; a code among those of its text, coupon and customer, in whatever state; a switched one and a
/// deleted one under their own path.
fn probe(write: &PlannedWrite) -> Look {
    let look = |path: String, query: Vec<(String, String)>, list| Look {
        label: "probe",
        role: write.role,
        path,
        query,
        list,
    };
    let expanded = |prefix: &str| -> Vec<(String, String)> {
        let wanted = write.form.iter().filter(|(name, _)| name.starts_with("expand["));
        wanted
            .map(|(_, what)| ("expand[]".to_owned(), format!("{prefix}{what}")))
            .collect()
    };
    match write.op.as_str() {
        CREATE_COUPON | CREATE_CARRY => {
            let id = sent(write, "id").unwrap_or_default();
            look(path("/v1/coupons/{}", &[id]), expanded(""), false)
        }
        CREATE_CODE | RECREATE_OLD | UNDO_RESTORE => {
            let filters = [
                ("code", "code"),
                ("coupon", "promotion[coupon]"),
                ("customer", "customer"),
            ];
            let filters = filters.iter().filter_map(|(filter, field)| {
                let value = sent(write, field)?;
                Some(((*filter).to_owned(), value.to_owned()))
            });
            look(
                write.path.clone(),
                filters.chain(expanded("data.")).collect(),
                true,
            )
        }
        _ => look(write.path.clone(), Vec::new(), false),
    }
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
