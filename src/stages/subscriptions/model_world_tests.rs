//! For model tests: one old subscription and the schedules somebody has for it, as two accounts that answer looks, carry
//! out writes and bill when time goes on. Shares nothing with the script but Stripe's JSON.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::time::UtcMs;
use crate::domain::write::{Method, PlannedWrite};
use crate::stages::{Fact, Look};

pub(super) const HOUR: i64 = 3_600;
pub(super) const PERIOD: i64 = 30 * 24 * HOUR;
/// Now, when a history begins.
pub(super) const NOW: i64 = 1_790_000_000;
/// End of the old one's current period: far enough for a schedule.
pub(super) const P0: i64 = NOW + 40 * HOUR;

#[derive(Clone, Debug)]
pub(super) struct OldSub {
    pub(super) over: bool,
    pub(super) quantity: u64,
    pub(super) period: (i64, i64),
    pub(super) ends: bool,
    pub(super) pause: bool,
    pub(super) schedule: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) struct Sched {
    pub(super) id: String,
    pub(super) start: i64,
    pub(super) quantity: u64,
    pub(super) status: &'static str,
    pub(super) effect: String,
    pub(super) began: bool,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) old: OldSub,
    pub(super) scheds: Vec<Sched>,
    /// Starts of periods that were billed and are collected.
    pub(super) old_bills: Vec<i64>,
    pub(super) new_bills: Vec<(i64, u64)>,
    pub(super) released: bool,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: NOW,
            old: OldSub {
                over: false,
                quantity: 2,
                period: (P0 - PERIOD, P0),
                ends: false,
                pause: false,
                schedule: None,
                metadata: BTreeMap::new(),
            },
            scheds: Vec::new(),
            old_bills: Vec::new(),
            new_bills: Vec::new(),
            released: false,
        }
    }

    pub(super) fn with_schedule(mut self, id: &str, start: i64, effect: &str) -> Self {
        let quantity = self.old.quantity;
        self.scheds.push(Sched {
            id: id.into(),
            start,
            quantity,
            status: "not_started",
            effect: effect.into(),
            began: false,
        });
        self
    }

    /// Schedules that are, or will be, in force.
    pub(super) fn live(&self) -> Vec<&Sched> {
        self.scheds
            .iter()
            .filter(|one| one.status != "canceled")
            .collect()
    }

    /// Time goes on; both sides bill what is due, in order of their instants.
    pub(super) fn until(&mut self, at: i64) {
        while !self.old.over && self.old.period.1 <= at {
            let end = self.old.period.1;
            if self.old.ends {
                self.old.over = true;
                break;
            }
            self.old.period = (end, end + PERIOD);
            if !self.old.pause {
                self.old_bills.push(end);
            }
        }
        for sched in &mut self.scheds {
            if sched.status == "not_started" && sched.start <= at {
                (sched.status, sched.began) = ("active", true);
                self.new_bills.push((sched.start, sched.quantity));
            }
        }
        self.now = self.now.max(at);
    }

    pub(super) fn answer(&self, look: &Look) -> Fact {
        let parts: Vec<&str> = look.path.split('/').skip(2).collect();
        let items: Option<Vec<Value>> = match (&parts[..], look.list) {
            (["subscriptions", "sub_1"], false) => Some(vec![self.old_json()]),
            (["subscription_schedules"], true) => Some(self.scheds.iter().map(sched_json).collect()),
            (["subscriptions"], true) => Some(Vec::new()),
            (["subscription_schedules", id], false) => {
                let found = self.scheds.iter().find(|one| one.id == *id);
                found.map(|found| vec![sched_json(found)])
            }
            other => panic!("nobody looks at {other:?}"),
        };
        let bytes = |items: Vec<Value>| {
            items
                .iter()
                .map(|item| Bytes::from(item.to_string()))
                .collect::<Vec<_>>()
        };
        Fact::Saw {
            label: look.label,
            items: items.map(bytes),
            at: UtcMs::from_secs(self.now),
        }
    }

    /// Carries a write out; the object it is about, or `None`: refused.
    pub(super) fn carry_out(&mut self, write: &PlannedWrite) -> Option<String> {
        let field = |name: &str| {
            let found = write.form.iter().find(|(have, _)| have == name);
            found.map(|(_, value)| value.clone())
        };
        let parts: Vec<&str> = write.path.split('/').skip(2).collect();
        match (&parts[..], write.method) {
            (["subscription_schedules"], Method::Post) => Some(self.create(write, &field)),
            (["subscription_schedules", id, "cancel"], Method::Post) => {
                let found = self.scheds.iter_mut().find(|one| one.id == *id)?;
                (found.status != "canceled").then(|| found.status = "canceled")?;
                Some((*id).to_owned())
            }
            (["subscription_schedules", id, "release"], Method::Post) => {
                self.old.schedule.take()?;
                self.released = true;
                Some((*id).to_owned())
            }
            (["subscription_schedules", id], Method::Post) => {
                let found = self.scheds.iter_mut().find(|one| one.id == *id)?;
                (found.status == "not_started").then_some(())?;
                found.start = field("phases[0][start_date]")?.parse().ok()?;
                found.quantity = field("phases[0][items][0][quantity]")?.parse().ok()?;
                Some((*id).to_owned())
            }
            (["subscriptions", _], Method::Delete) => {
                (!self.old.over).then(|| self.old.over = true)?;
                Some("sub_1".to_owned())
            }
            (["subscriptions", _], Method::Post) => self.update(write, &field),
            other => panic!("nobody writes {other:?}"),
        }
    }

    fn create(&mut self, write: &PlannedWrite, field: &dyn Fn(&str) -> Option<String>) -> String {
        let id = format!("sub_sched_{}", self.scheds.len() + 1);
        self.scheds.push(Sched {
            id: id.clone(),
            start: field("start_date").unwrap().parse().unwrap(),
            quantity: field("phases[0][items][0][quantity]").unwrap().parse().unwrap(),
            status: "not_started",
            effect: write.effect.0.clone(),
            began: false,
        });
        id
    }

    fn update(&mut self, write: &PlannedWrite, field: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        if self.old.over || self.old.schedule.is_some() {
            return None;
        }
        if let Some(ends) = field("cancel_at_period_end") {
            self.old.ends = ends == "true";
        }
        if field("pause_collection[behavior]").is_some() {
            self.old.pause = true;
        }
        if field("pause_collection").is_some() {
            self.old.pause = false;
        }
        for (name, value) in &write.form {
            let key = name
                .strip_prefix("metadata[")
                .and_then(|key| key.strip_suffix(']'));
            let Some(key) = key else { continue };
            if value.is_empty() {
                self.old.metadata.remove(key);
            } else {
                self.old.metadata.insert(key.to_owned(), value.clone());
            }
        }
        Some("sub_1".to_owned())
    }

    pub(super) fn old_json(&self) -> Value {
        let old = &self.old;
        let price = json!({
            "id": "price_old", "object": "price", "created": 1, "livemode": false, "active": true,
            "billing_scheme": "per_unit", "currency": "usd", "product": "prod_1", "unit_amount": 1000,
            "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        });
        let item = json!({
            "id": "si_1", "created": 50, "quantity": old.quantity, "discounts": [], "tax_rates": [],
            "price": price, "current_period_start": old.period.0, "current_period_end": old.period.1,
            "metadata": {},
        });
        let mut json = json!({
            "id": "sub_1", "object": "subscription", "created": 50, "livemode": false, "customer": "cus_1",
            "status": if old.over { "canceled" } else { "active" }, "currency": "usd", "start_date": 40,
            "billing_cycle_anchor": old.period.1, "collection_method": "charge_automatically", "discounts": [],
            "default_tax_rates": [], "automatic_tax": {"enabled": false}, "billing_mode": {"type": "classic"},
        });
        json["cancel_at"] = json!(old.ends.then_some(old.period.1));
        json["cancel_at_period_end"] = json!(old.ends);
        json["pause_collection"] = json!(old.pause.then(|| json!({"behavior": "keep_as_draft"})));
        json["schedule"] = json!(old.schedule);
        json["metadata"] = json!(old.metadata);
        json["items"] = json!({"object": "list", "url": "", "has_more": false, "data": [item]});
        json
    }
}

pub(super) fn sched_json(sched: &Sched) -> Value {
    json!({
        "id": sched.id, "object": "subscription_schedule", "created": 60, "livemode": false, "customer": "cus_1",
        "status": sched.status, "subscription": sched.began.then_some("sub_new"), "released_subscription": null, "end_behavior": "release",
        "billing_mode": {"type": "classic"},
        "metadata": {"old_Stripe_sub_id": "sub_1", "cutover_effect": sched.effect},
        "default_settings": {"collection_method": "charge_automatically"},
        "phases": [{
            "start_date": sched.start, "end_date": sched.start + PERIOD, "currency": "usd",
            "collection_method": "charge_automatically", "automatic_tax": {"enabled": false},
            "items": [{"price": "price_new", "quantity": sched.quantity, "discounts": [], "tax_rates": []}],
            "metadata": {"old_Stripe_sub_id": "sub_1", "cutover_effect": sched.effect},
        }],
    })
}
