//! The stage as the engine sees it: each method hands on to the file that knows.

use super::audit::{End, uses_existing};
use super::effects::{CREATE_PRICE, CREATE_PRODUCT, CREATE_TAX_RATE, Payload, SET_DEFAULT_PRICE, sent};
use super::facts::{Kind, World};
use super::{Catalogue, attest, gather, panel, script};
use crate::domain::change::{Change, Verdict};
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::mapped::Mapped;
use crate::domain::plan::{Header, Plan};
use crate::domain::record::Attested;
use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stages::{
    Audit, Boxed, Fact, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step, marker_of,
};
use crate::stripe::wire::Product;

/// How far a probe looks back before the first send, against clocks that differ: one hour (reliability 4.5).
const PROBE_BACK_S: i64 = 3_600;

impl Stage for Catalogue {
    fn id(&self) -> StageId {
        StageId::Catalogue
    }

    fn gather<'a>(&'a self, reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        Box::pin(gather::gather(reading))
    }

    fn header(&self, accounts: &Accounts, settings: &Settings) -> Result<Header, StageError> {
        Ok(gather::header(accounts, settings))
    }

    fn plan(&self, gathered: Gathered, reading: &Reading) -> Result<Plan, StageError> {
        let world = gathered.facts.downcast::<World>();
        let world = world.map_err(|_| StageError::Refused("these facts are of another stage".to_owned()))?;
        gather::plan(&world, reading)
    }

    /// Everything is read and planned again: what is still used cannot be told from the objects alone, and there are
    /// only lists to read.
    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async move {
            let world = gather::world(reading).await?;
            let now = gather::plan(&world, reading)?;
            let objects = [&world.source, &world.destination].map(|shelf| {
                shelf.products.len() + shelf.prices.len() + shelf.tax_rates.len() + shelf.links.len()
            });
            Ok(Recheck {
                objects: objects.iter().sum::<usize>() as u64,
                drifted: super::audit::drifted(plan, &now),
            })
        })
    }

    fn next(&self, change: &Change, facts: &[Fact]) -> Step {
        script::next(change, facts)
    }

    fn rank(&self, change: &Change) -> u32 {
        let payload = serde_json::from_str::<Payload>(&change.payload);
        match payload.map(|payload| payload.kind) {
            Ok(Kind::Product | Kind::TaxRate) => 0,
            Ok(Kind::Price) => 1,
            _ => 2,
        }
    }

    fn follows(&self, change: &Change) -> bool {
        self.rank(change) > 0
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
        attest::attest(write, object, livemode)
    }

    fn probe(&self, write: &PlannedWrite, since: UtcMs) -> Look {
        probe(write, since)
    }

    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        if write.op == SET_DEFAULT_PRICE {
            let product = serde_json::from_slice::<Product>(object).ok();
            let now = product.and_then(|product| product.default_price);
            return now.is_some() && now.as_deref() == sent(write, "default_price");
        }
        marker_of(object).is_some_and(|effect| effect == write.effect.0)
    }

    fn ids(&self, change: &Change, made: Option<&str>) -> Option<Mapped> {
        ids(change, made)
    }

    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [End],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async move {
            let there = gather::shelf(reading, Role::Destination).await?;
            Ok(super::audit::compare(plan, ends, &there))
        })
    }

    fn panel(&self, plan: Option<&Plan>) -> crate::domain::panel::Panel {
        panel::panel(plan)
    }

    fn cells(&self, change: &Change, _unmasked: bool) -> Vec<String> {
        panel::cells(change)
    }
}

/// A product keeps its id; a price and a tax rate have what was made, or what was there, or what a person signed for.
fn ids(change: &Change, made: Option<&str>) -> Option<Mapped> {
    let payload = serde_json::from_str::<Payload>(&change.payload).ok()?;
    if !matches!(payload.kind, Kind::Product | Kind::Price | Kind::TaxRate) {
        return None;
    }
    let there = match change.verdict {
        Verdict::Noop => payload.existing,
        Verdict::LeftOut if uses_existing(change) => payload.existing,
        _ => None,
    };
    Some(Mapped {
        kind: payload.kind.word().to_owned(),
        old: payload.old,
        new: made.map(str::to_owned).or(there)?,
    })
}

fn probe(write: &PlannedWrite, since: UtcMs) -> Look {
    let look = |path: String, query: Vec<(String, String)>, list| Look {
        label: "probe",
        role: write.role,
        path,
        query,
        list,
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let from = (since.secs() - PROBE_BACK_S).max(0).to_string();
    let active = sent(write, "active").map(|active| pair("active", active));
    match write.op.as_str() {
        CREATE_PRODUCT => {
            let id = sent(write, "id").unwrap_or_default();
            look(super::effects::product_path(id), Vec::new(), false)
        }
        CREATE_PRICE => {
            let mut query = vec![pair("created[gte]", &from)];
            query.extend(sent(write, "product").map(|product| pair("product", product)));
            query.extend(active);
            let wanted = write.form.iter().filter(|(name, _)| name.starts_with("expand["));
            query.extend(wanted.map(|(_, what)| pair("expand[]", &format!("data.{what}"))));
            look(write.path.clone(), query, true)
        }
        CREATE_TAX_RATE => {
            let mut query = vec![pair("created[gte]", &from)];
            query.extend(active);
            look(write.path.clone(), query, true)
        }
        // An update is seen at the object itself.
        _ => look(write.path.clone(), Vec::new(), false),
    }
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
