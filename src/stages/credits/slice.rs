//! The stage as the engine sees it: each method hands on to the file that knows.

use serde::Deserialize;

use super::audit::End;
use super::effects::{BILLING_GRANT, Payload};
use super::gather::{self, Facts};
use super::script::{self, ENDING};
use super::{Credits, panel};
use crate::domain::change::Change;
use crate::domain::ids::{Accounts, StageId};
use crate::domain::plan::{Header, Plan};
use crate::domain::record::Attested;
use crate::domain::time::UtcMs;
use crate::domain::write::{PlannedWrite, marker};
use crate::stages::{
    Audit, Boxed, Fact, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step,
};

/// How far a probe looks back before the first send, against clocks that differ: one hour (reliability 4.5).
const PROBE_BACK_S: i64 = 3_600;

impl Stage for Credits {
    fn id(&self) -> StageId {
        StageId::Credits
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
        gather::plan(*facts, reading)
    }

    fn recheck<'a>(&'a self, reading: &'a Reading, plan: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async move {
            let (source, destination) = gather::list_both(reading).await?;
            let objects = (source.len() + destination.len()) as u64;
            Ok(Recheck {
                objects,
                drifted: super::audit::drifted(plan, &source, &destination),
            })
        })
    }

    fn next(&self, change: &Change, facts: &[Fact]) -> Step {
        script::next(change, facts)
    }

    fn rank(&self, change: &Change) -> u32 {
        let billed_in =
            serde_json::from_str::<Payload>(&change.payload).is_ok_and(|payload| payload.billed_in);
        u32::from(!billed_in)
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
        if write.op == BILLING_GRANT {
            attest_grant(write, object, livemode)
        } else {
            attest_entry(write, object, livemode)
        }
    }

    fn probe(&self, write: &PlannedWrite, since: UtcMs) -> Look {
        let from = (since.secs() - PROBE_BACK_S).max(0);
        let mut query = vec![("created[gte]".to_owned(), from.to_string())];
        if write.op == BILLING_GRANT {
            // This list has no `created` filter (spec: GET /v1/billing/credit_grants).
            query = write
                .form
                .iter()
                .filter(|(name, _)| name == "customer")
                .cloned()
                .collect();
        }
        Look {
            label: "probe",
            role: write.role,
            path: write.path.clone(),
            query,
            list: true,
        }
    }

    fn audit<'a>(
        &'a self,
        reading: &'a Reading,
        plan: &'a Plan,
        ends: &'a [End],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async move {
            let (source, destination) = gather::list_both(reading).await?;
            Ok(super::audit::compare(plan, ends, &source, &destination))
        })
    }

    fn panel(&self, plan: Option<&Plan>) -> crate::domain::panel::Panel {
        panel::panel(plan)
    }

    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String> {
        panel::cells(change, unmasked)
    }
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    object: String,
    amount: i64,
    currency: String,
    ending_balance: i64,
    customer: String,
    livemode: bool,
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

fn attest_entry(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let entry: Entry =
        serde_json::from_slice(object).map_err(|e| format!("the answer cannot be read: {e}"))?;
    let sent = |name: &str| {
        write
            .form
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let customer = sent(&format!("metadata[{}]", marker::OF)).unwrap_or_default();
    check("object", "customer_balance_transaction", &entry.object)?;
    check(
        "amount",
        sent("amount").unwrap_or_default(),
        &entry.amount.to_string(),
    )?;
    check("currency", sent("currency").unwrap_or_default(), &entry.currency)?;
    check("customer", customer, &entry.customer)?;
    check(
        "livemode",
        if livemode { "true" } else { "false" },
        if entry.livemode { "true" } else { "false" },
    )?;
    let effect = entry.metadata.as_ref().and_then(|all| all.get(marker::EFFECT));
    check(
        "metadata[cutover_effect]",
        &write.effect.0,
        effect.map_or("", String::as_str),
    )?;
    let ending = entry
        .ending_balance
        .checked_neg()
        .ok_or("ending_balance is beyond 64 bits")?;
    Ok(Attested {
        object: entry.id,
        numbers: [(ENDING.to_owned(), ending)].into(),
        ..Attested::default()
    })
}

#[derive(Deserialize)]
struct BillingGrant {
    id: String,
    object: String,
    amount: GrantAmount,
    livemode: bool,
    metadata: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct GrantAmount {
    monetary: Option<Monetary>,
}

#[derive(Deserialize)]
struct Monetary {
    currency: String,
    value: i64,
}

fn attest_grant(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let grant: BillingGrant =
        serde_json::from_slice(object).map_err(|e| format!("the answer cannot be read: {e}"))?;
    let money = write.money.ok_or("the planned grant has no amount")?;
    let there = grant.amount.monetary.ok_or("the grant has no monetary amount")?;
    check("object", "billing.credit_grant", &grant.object)?;
    check("amount", &money.amount.to_string(), &there.value.to_string())?;
    check("currency", money.currency.code(), &there.currency)?;
    check(
        "livemode",
        if livemode { "true" } else { "false" },
        if grant.livemode { "true" } else { "false" },
    )?;
    let effect = grant.metadata.get(marker::EFFECT).map_or("", String::as_str);
    check("metadata[cutover_effect]", &write.effect.0, effect)?;
    Ok(Attested {
        object: grant.id,
        ..Attested::default()
    })
}

fn check(name: &str, want: &str, have: &str) -> Result<(), String> {
    if want == have {
        return Ok(());
    }
    Err(format!("{name} is `{have}` where `{want}` was sent"))
}
