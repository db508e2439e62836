//! Watches who writes to subscriptions of the old account, and what they were before the run did.

use std::collections::BTreeMap;

use super::billing::{Standing, Status, Subscription};
use super::verdict::{Violation, rule, violation};
use super::world::{Account, By, Role, Side};

/// A write that is about to be carried out.
#[derive(Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) by: By,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) request_id: &'a str,
}

/// How a subscription stood, apart from what it sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stood {
    pub(crate) status: Status,
    pub(crate) cancel_at: Option<i64>,
    pub(crate) ends: bool,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended: Option<i64>,
    pub(crate) pause: Option<super::billing::Pause>,
    pub(crate) schedule: Option<u32>,
}

impl Stood {
    fn of(found: &Subscription) -> Self {
        Self {
            status: found.status,
            cancel_at: found.cancel_at,
            ends: found.ends,
            canceled_at: found.canceled_at,
            ended: found.ended,
            pause: found.pause,
            schedule: found.schedule,
        }
    }
}

/// What is watched of subscriptions.
#[derive(Default)]
pub(crate) struct SubscriptionWatch {
    /// How old subscriptions would stand if the run had written nothing, by slot; only of those it wrote to.
    pub(crate) without_us: BTreeMap<u32, Stood>,
    /// The same of old schedules.
    pub(crate) schedules: BTreeMap<u32, Standing>,
    /// The one that is being written to, as it is.
    now: Option<(u32, Stood)>,
    pub(crate) violations: Vec<Violation>,
}

impl SubscriptionWatch {
    /// Looks at what is going to be written to.
    pub(crate) fn before(&mut self, account: &Account, write: Write<'_>) {
        self.now = None;
        if write.method == "GET" || account.side != Side::Source {
            return;
        }
        let Some(slot) = subject(account, write.path) else {
            return;
        };
        let Some(found) = account.billing.subscriptions.at(slot) else {
            return;
        };
        let stood = Stood::of(found);
        if write.by == By::Api {
            self.without_us.entry(slot).or_insert_with(|| stood.clone());
            let schedule = found
                .schedule
                .and_then(|s| Some((s, account.billing.schedules.at(s)?)));
            if let Some((at, schedule)) = schedule {
                self.schedules.entry(at).or_insert(schedule.standing);
            }
        }
        self.now = Some((slot, stood));
    }

    /// Looks at what was written.
    pub(crate) fn after(&mut self, account: &Account, write: Write<'_>) {
        let Some((slot, was)) = self.now.take() else {
            return;
        };
        let Some(found) = account.billing.subscriptions.at(slot) else {
            return;
        };
        if write.by == By::Api {
            let owner = account.customers.at(found.customer);
            if owner.is_some_and(|owner| owner.role == Role::Stayer) {
                let reason = format!(
                    "is of somebody who stays, and was written to on the source account ({} {}, {})",
                    write.method, write.path, write.request_id
                );
                self.violations
                    .push(violation(&found.id, rule::STAYER_SUBSCRIPTION, reason));
            }
        } else if let Some(stood) = self.without_us.get_mut(&slot) {
            carry_over(stood, &was, &Stood::of(found));
        }
    }
}

/// What somebody else changed counts as if the run had not been there.
fn carry_over(stood: &mut Stood, was: &Stood, is: &Stood) {
    if was.status != is.status {
        (stood.status, stood.ended) = (is.status, is.ended);
    }
    if (was.cancel_at, was.ends) != (is.cancel_at, is.ends) {
        (stood.cancel_at, stood.ends) = (is.cancel_at, is.ends);
        stood.canceled_at = is.canceled_at;
    }
    if was.pause != is.pause {
        stood.pause = is.pause;
    }
}

/// Slot of the subscription that a request is about, by its own id or its schedule's.
fn subject(account: &Account, path: &str) -> Option<u32> {
    let of = |prefix: &str| path.strip_prefix(prefix)?.split('/').next();
    if let Some(id) = of("/v1/subscriptions/") {
        return account.billing.subscriptions.slot(id);
    }
    let schedule = account
        .billing
        .schedules
        .get(of("/v1/subscription_schedules/")?)?;
    schedule.subscription
}
