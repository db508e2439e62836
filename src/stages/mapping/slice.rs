//! The stage as the engine sees it: each method hands on to the file that knows.

use std::collections::{BTreeMap, BTreeSet};

use super::effects::{Payload, TAX_ID, field_now};
use super::gather::{self, Facts};
use super::verify;
use super::{Mapping, panel, script, worklist};
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::ids::{Accounts, Role, StageId};
use crate::domain::mapped::Mapped;
use crate::domain::money::Money;
use crate::domain::panel::Panel;
use crate::domain::plan::{Header, Plan};
use crate::domain::record::{Attested, RowEnd};
use crate::domain::time::UtcMs;
use crate::domain::write::PlannedWrite;
use crate::stages::{
    Audit, Boxed, Fact, File, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step,
};
use crate::stripe::wire::{CustomerProfile, TaxId};

impl Stage for Mapping {
    fn id(&self) -> StageId {
        StageId::Mapping
    }

    fn gather<'a>(&'a self, reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        Box::pin(gather::gather(reading))
    }

    fn header(&self, accounts: &Accounts, settings: &Settings) -> Result<Header, StageError> {
        gather::header(accounts, settings)
    }

    fn plan(&self, gathered: Gathered, reading: &Reading) -> Result<Plan, StageError> {
        let facts = gathered.facts.downcast::<Facts>();
        let facts = facts.map_err(|_| StageError::Refused("these facts are of another stage".to_owned()))?;
        gather::plan(&facts, reading)
    }

    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async move {
            let now = gather::now(reading, plan, false).await?;
            let rows = now.rows.as_ref().map_or(0, BTreeMap::len);
            Ok(Recheck {
                objects: (now.source.len() + now.destination.len() + rows) as u64,
                drifted: verify::drifted(plan, &now),
            })
        })
    }

    fn next(&self, change: &Change, facts: &[Fact]) -> Step {
        script::next(change, facts)
    }

    fn rank(&self, change: &Change) -> u32 {
        u32::from(!change.key.0.ends_with("/default"))
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
        if write.op == TAX_ID {
            attest_tax_id(write, object, livemode)
        } else {
            attest_customer(write, object, livemode)
        }
    }

    fn probe(&self, write: &PlannedWrite, _since: UtcMs) -> Look {
        Look {
            label: "probe",
            role: Role::Destination,
            path: write.path.clone(),
            query: Vec::new(),
            list: write.op == TAX_ID,
        }
    }

    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        // These writes leave no marker: what they set is how they are known. An attestation of the mode follows.
        [true, false]
            .into_iter()
            .any(|livemode| self.attest(write, object, livemode).is_ok())
    }

    fn ids(&self, change: &Change, _made: Option<&str>) -> Option<Mapped> {
        // What was blocked did not agree, whatever was decided about the default since.
        if !matches!(change.planned_as, Verdict::Planned | Verdict::Noop) {
            return None;
        }
        let (old, new) = match Payload::parse(&change.payload)? {
            Payload::Customer {
                method: Some(pair), ..
            } => pair,
            Payload::Method {
                old, new: Some(new), ..
            } => (old, new),
            _ => return None,
        };
        (!old.is_empty() && !new.is_empty()).then(|| Mapped {
            kind: "payment_method".to_owned(),
            old,
            new,
        })
    }

    /// Every method that the copy brought, not the defaults alone: a subscription may be paid with another.
    fn ids_beside(&self, of: &BTreeSet<&str>, settings: &Settings) -> Vec<Mapped> {
        let file = settings.mapping.file.iter();
        let pairs = file.flat_map(|file| file.iter());
        let pairs = pairs.filter(|pair| {
            of.contains(pair.customer) && !pair.source.is_empty() && !pair.new_source.is_empty()
        });
        let mapped = pairs.map(|pair| Mapped {
            kind: "payment_method".to_owned(),
            old: pair.source.to_owned(),
            new: pair.new_source.to_owned(),
        });
        mapped.collect()
    }

    fn files(&self, plan: &Plan) -> Vec<File> {
        let list = worklist::csv(plan).unwrap_or_default();
        vec![File {
            name: worklist::FILE.into(),
            bytes: list,
        }]
    }

    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [(ChangeKey, RowEnd, Option<Money>)],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async move {
            let now = gather::now(reading, plan, true).await?;
            let ends = ends.iter().map(|(key, end, _)| (key.clone(), *end)).collect();
            Ok(verify::audit(plan, &ends, &now))
        })
    }

    fn panel(&self, plan: Option<&Plan>) -> Panel {
        panel::panel(plan)
    }

    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String> {
        panel::cells(change, unmasked)
    }
}

fn check(name: &str, want: &str, have: &str) -> Result<(), String> {
    if want == have {
        return Ok(());
    }
    Err(format!("{name} is `{have}` where `{want}` was sent"))
}

/// The answer to an update is the customer with every field that was sent.
fn attest_customer(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let customer: CustomerProfile =
        serde_json::from_slice(object).map_err(|e| format!("the answer cannot be read: {e}"))?;
    let asked = write.path.rsplit('/').next().unwrap_or_default();
    check("object", "customer", &customer.object)?;
    check("id", asked, &customer.id)?;
    check(
        "livemode",
        &livemode.to_string(),
        &customer.livemode.unwrap_or(!livemode).to_string(),
    )?;
    for (name, value) in &write.form {
        check(name, value, &field_now(&customer, name))?;
    }
    Ok(Attested {
        object: customer.id,
        ..Attested::default()
    })
}

fn attest_tax_id(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let id: TaxId = serde_json::from_slice(object).map_err(|e| format!("the answer cannot be read: {e}"))?;
    let sent = |name: &str| {
        let field = write.form.iter().find(|(sent, _)| sent == name);
        field.map_or("", |(_, value)| value.as_str())
    };
    check("type", sent("type"), &id.kind)?;
    check("value", sent("value"), &id.value)?;
    check("livemode", &livemode.to_string(), &id.livemode.to_string())?;
    Ok(Attested {
        object: id.id,
        ..Attested::default()
    })
}
