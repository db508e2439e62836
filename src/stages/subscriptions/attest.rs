//! Whether an answer, or an object found by a probe, is what was sent; where to look for it; and whether it came of a
//! write. PURE.
//!
//! | write | looked for | is it |
//! |---|---|---|
//! | create | the customer's schedules created since | our marker, and not cancelled |
//! | change | the schedule | our marker on its phases |
//! | withdraw, undo of create | the schedule | it is cancelled |
//! | release | the schedule | it is released |
//! | stop, pause, their undo | the subscription | it stands as was sent, our marks included |
//! | cancel | the subscription | it is over, or not there |
//!
//! Updates have no marker of their own: what they set is what they are. That somebody else may have set the same changes
//! nothing about what holds.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::effects::{
    CANCEL_OLD, CHANGE, CREATE, END_OLD, PAUSE_OLD, RELEASE_OLD, SCHEDULE, SUBSCRIPTION, UNDO_CREATE,
    UNDO_END, UNDO_PAUSE, WITHDRAW,
};
use super::facts::{BECAME, HANDOVER, OLD_ID};
use super::seen::{object_of, sent};
use crate::domain::record::Attested;
use crate::domain::time::UtcMs;
use crate::domain::write::{PlannedWrite, marker};
use crate::stages::Look;
use crate::stripe::allow::path;
use crate::stripe::wire::{CollectionMethod, Schedule, SchedulePhase, ScheduleStatus, Subscription};

/// Clocks differ, and a request may have been waiting: a schedule is looked for from this much earlier on, seconds.
const EARLIER: i64 = 3_600;

#[derive(Deserialize)]
struct Head {
    id: String,
    object: String,
    #[serde(default)]
    livemode: Option<bool>,
}

/// What `object` attests about `write`, or which field is not as it was sent.
pub fn attest(write: &PlannedWrite, object: &[u8], livemode: bool) -> Result<Attested, String> {
    let head: Head = read(object)?;
    let is_schedule = about_a_schedule(write);
    let word = if is_schedule {
        "subscription_schedule"
    } else {
        "subscription"
    };
    check("object", word, &head.object)?;
    let mode = head.livemode.map(|mode| mode.to_string()).unwrap_or_default();
    check("livemode", &livemode.to_string(), &mode)?;
    if write.op != CREATE {
        check("id", object_of(write), &head.id)?;
    }
    if is_schedule {
        schedule(write, &read(object)?)?;
    } else {
        subscription(write, &read(object)?)?;
    }
    Ok(Attested {
        object: head.id,
        ..Attested::default()
    })
}

/// Whether `object`, seen after an unknown outcome, came of `write`.
#[must_use]
pub fn is_effect(write: &PlannedWrite, object: &[u8]) -> bool {
    let is_marked = |found: Option<&String>| found == Some(&write.effect.0);
    if about_a_schedule(write) {
        let Ok(found) = read::<Schedule>(object) else {
            return false;
        };
        return match write.op.as_str() {
            CREATE => {
                is_marked(found.metadata.get(marker::EFFECT)) && found.status != ScheduleStatus::Canceled
            }
            CHANGE => {
                let first = found.phases.first();
                found.id == object_of(write)
                    && is_marked(first.and_then(|phase| phase.metadata.get(marker::EFFECT)))
            }
            _ => found.id == object_of(write) && schedule(write, &found).is_ok(),
        };
    }
    read::<Subscription>(object)
        .is_ok_and(|found| found.id == object_of(write) && subscription(write, &found).is_ok())
}

/// Where to look for `write`. `since` is when it was first sent.
#[must_use]
pub fn probe(write: &PlannedWrite, since: UtcMs) -> Look {
    let look = |path: String, query: Vec<(String, String)>, list| Look {
        label: "probe",
        role: write.role,
        path,
        query,
        list,
    };
    match write.op.as_str() {
        CREATE => {
            let customer = sent(write, "customer").unwrap_or_default().to_owned();
            let since = since.secs().saturating_sub(EARLIER).to_string();
            let query = vec![
                ("customer".to_owned(), customer),
                ("created[gte]".to_owned(), since),
            ];
            look(write.path.clone(), query, true)
        }
        _ if about_a_schedule(write) => look(path(SCHEDULE, &[object_of(write)]), Vec::new(), false),
        _ => look(path(SUBSCRIPTION, &[object_of(write)]), Vec::new(), false),
    }
}

fn about_a_schedule(write: &PlannedWrite) -> bool {
    matches!(
        write.op.as_str(),
        CREATE | CHANGE | WITHDRAW | UNDO_CREATE | RELEASE_OLD
    )
}

fn schedule(write: &PlannedWrite, found: &Schedule) -> Result<(), String> {
    match write.op.as_str() {
        CREATE => {
            check("customer", field(write, "customer"), &found.customer)?;
            let marker_name = format!("metadata[{}]", marker::EFFECT);
            check(
                &marker_name,
                &write.effect.0,
                mark(&found.metadata, marker::EFFECT),
            )?;
            let of = format!("metadata[{OLD_ID}]");
            check(&of, field(write, &of), mark(&found.metadata, OLD_ID))?;
            let mode = found.billing_mode.as_ref().map_or("", |mode| mode.kind.as_str());
            check("billing_mode[type]", field(write, "billing_mode[type]"), mode)?;
            check("start_date", field(write, "start_date"), &start_of(found))?;
            content(write, found)
        }
        CHANGE => {
            let name = "phases[0][start_date]";
            check(name, field(write, name), &start_of(found))?;
            content(write, found)
        }
        WITHDRAW | UNDO_CREATE => status(found, &ScheduleStatus::Canceled),
        RELEASE_OLD => status(found, &ScheduleStatus::Released),
        other => Err(format!("this program knows no write {other}")),
    }
}

fn status(found: &Schedule, want: &ScheduleStatus) -> Result<(), String> {
    if found.status == *want {
        return Ok(());
    }
    Err(format!("status is not {want:?} after it was asked for"))
}

fn start_of(found: &Schedule) -> String {
    let first = found.phases.first();
    first.map_or_else(String::new, |phase| phase.start_date.to_string())
}

/// Every phase, field by field, as it was sent; what was not sent is not there.
fn content(write: &PlannedWrite, found: &Schedule) -> Result<(), String> {
    check("end_behavior", field(write, "end_behavior"), &found.end_behavior)?;
    let phases = (0..).take_while(|at| {
        let below = format!("phases[{at}][");
        write.form.iter().any(|(name, _)| name.starts_with(&below))
    });
    let phases = phases.count();
    check("phases", &phases.to_string(), &found.phases.len().to_string())?;
    let each = found.phases.iter().enumerate();
    each.into_iter().try_for_each(|(at, phase)| {
        let want = |name: &str| field(write, &format!("phases[{at}]{name}"));
        phase_is(write, at, phase, &want)
    })
}

fn phase_is<'a>(
    write: &'a PlannedWrite,
    at: usize,
    phase: &SchedulePhase,
    want: &dyn Fn(&str) -> &'a str,
) -> Result<(), String> {
    let name = |field: &str| format!("phases[{at}]{field}");
    let one = |field: &str, have: &str| check(&name(field), want(field), have);
    let end = phase.end_date.map(|end| end.to_string()).unwrap_or_default();
    // Where none was sent Stripe sets one.
    if !want("[end_date]").is_empty() {
        one("[end_date]", &end)?;
    }
    let coupon = |one: &crate::stripe::wire::ScheduleDiscount| one.coupon.clone().unwrap_or_default();
    let coupons: Vec<String> = phase.discounts.iter().map(coupon).collect();
    several(write, &name("[discounts]"), "[coupon]", &coupons)?;
    let rates: Vec<String> = phase
        .default_tax_rates
        .iter()
        .map(|rate| rate.id.clone())
        .collect();
    several(write, &name("[default_tax_rates]"), "", &rates)?;
    let tax = phase.automatic_tax.as_ref().is_some_and(|tax| tax.enabled);
    one("[automatic_tax][enabled]", &tax.to_string())?;
    one("[collection_method]", how(phase.collection_method.as_ref()))?;
    let days = phase.invoice_settings.as_ref().and_then(|all| all.days_until_due);
    let days = days.map(|days| days.to_string()).unwrap_or_default();
    one("[invoice_settings][days_until_due]", &days)?;
    one(
        "[default_payment_method]",
        phase.default_payment_method.as_deref().unwrap_or_default(),
    )?;
    // A change does not name it.
    if !want("[currency]").is_empty() {
        one("[currency]", phase.currency.as_deref().unwrap_or_default())?;
    }
    let of = format!("[metadata][{OLD_ID}]");
    one(&of, mark(&phase.metadata, OLD_ID))?;
    let items: Vec<String> = phase.items.iter().map(|item| item.price.clone()).collect();
    several(write, &name("[items]"), "[price]", &items)?;
    phase.items.iter().enumerate().try_for_each(|(nth, item)| {
        let below = format!("[items][{nth}]");
        let quantity = item.quantity.map(|quantity| quantity.to_string());
        one(&format!("{below}[quantity]"), &quantity.unwrap_or_default())?;
        let coupons: Vec<String> = item.discounts.iter().map(coupon).collect();
        several(write, &name(&format!("{below}[discounts]")), "[coupon]", &coupons)?;
        let rates: Vec<String> = item.tax_rates.iter().map(|rate| rate.id.clone()).collect();
        several(write, &name(&format!("{below}[tax_rates]")), "", &rates)
    })
}

fn how(method: Option<&CollectionMethod>) -> &str {
    match method {
        None => "",
        Some(CollectionMethod::ChargeAutomatically) => "charge_automatically",
        Some(CollectionMethod::SendInvoice) => "send_invoice",
        Some(CollectionMethod::Other(word)) => word,
    }
}

/// An array of the form, by index, and what is there: as many, each the same.
fn several(write: &PlannedWrite, name: &str, behind: &str, have: &[String]) -> Result<(), String> {
    let want: Vec<&str> = (0..)
        .map_while(|nth| sent(write, &format!("{name}[{nth}]{behind}")))
        .collect();
    check(name, &want.join(","), &have.join(","))
}

fn subscription(write: &PlannedWrite, found: &Subscription) -> Result<(), String> {
    let pause = found
        .pause_collection
        .as_ref()
        .map_or("", |pause| pause.behavior.as_str());
    match write.op.as_str() {
        END_OLD | UNDO_END => check(
            "cancel_at_period_end",
            field(write, "cancel_at_period_end"),
            &found.cancel_at_period_end.to_string(),
        )?,
        PAUSE_OLD => check(
            "pause_collection[behavior]",
            field(write, "pause_collection[behavior]"),
            pause,
        )?,
        UNDO_PAUSE => check("pause_collection", "", pause)?,
        CANCEL_OLD if found.status.is_live() => {
            return Err("the subscription is still in force after it was cancelled".to_owned());
        }
        CANCEL_OLD => {}
        other => return Err(format!("this program knows no write {other}")),
    }
    [BECAME, HANDOVER].iter().try_for_each(|key| {
        let name = format!("metadata[{key}]");
        match sent(write, &name) {
            Some(want) => check(&name, want, mark(&found.metadata, key)),
            None => Ok(()),
        }
    })
}

fn mark<'a>(metadata: &'a std::collections::BTreeMap<String, String>, key: &str) -> &'a str {
    metadata.get(key).map_or("", String::as_str)
}

fn field<'a>(write: &'a PlannedWrite, name: &str) -> &'a str {
    sent(write, name).unwrap_or_default()
}

fn read<T: DeserializeOwned>(object: &[u8]) -> Result<T, String> {
    serde_json::from_slice(object).map_err(|e| format!("the answer cannot be read: {e}"))
}

fn check(name: &str, want: &str, have: &str) -> Result<(), String> {
    if want == have {
        return Ok(());
    }
    Err(format!("{name} is `{have}` where `{want}` was sent"))
}

#[cfg(test)]
#[path = "attest_tests.rs"]
mod tests;
