//! The judgement over subscriptions, by rules of its own: copies of both accounts are played forward, and nobody may be
//! billed twice for a day, get one for nothing, pay another price or on another day, or lose what they had.

use std::collections::BTreeMap;

use super::billing::InvoiceStatus;
use super::forecast::{Bill, Bills, Forecast, Successors, bills, successors};
use super::verdict::{Violation, rule, violation};
use super::watch_subscriptions::SubscriptionWatch;
use super::world::{Account, Role};

const DAY: i64 = 86_400;
/// How far copies are played: a yearly bill is among what comes.
const FORWARD: i64 = 400 * DAY;
/// The settlement window, seconds from the start of the night, where the run says no other.
const WINDOW: i64 = 48 * 3_600;

/// Where a run says an old subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// The old one is stopped, the new one goes on.
    HandedOver,
    /// The new one is made, and stopping the old one waits: only what was billed so far is judged.
    Waits,
    /// It stays with the old account: it ends there, or was left out.
    LeftOut,
}

/// What a run says of one old subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionClaim {
    /// Where it stands.
    pub stands: Stands,
    /// The handover, seconds.
    pub at: Option<i64>,
    /// The schedule of the new account, `sub_sched_…`; `None` where it is not known by id, as after an upload.
    pub schedule: Option<String>,
    /// A person decided that it is billed on another day from now on.
    pub new_day: bool,
    /// A person accepted another amount.
    pub amount_accepted: bool,
}

impl SubscriptionClaim {
    /// Handed over at an instant, as it was.
    #[must_use]
    pub const fn handed_over(at: i64) -> Self {
        Self {
            stands: Stands::HandedOver,
            at: Some(at),
            schedule: None,
            new_day: false,
            amount_accepted: false,
        }
    }
}

/// What a run says of subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionClaims {
    /// By id of the old subscription. One that is not here is judged as if it were handed over, if the new account has
    /// something for it, but nothing is demanded for it.
    pub rows: BTreeMap<String, SubscriptionClaim>,
    /// End of the settlement window, seconds; `None`: 48 hours after the night began.
    pub window_ends: Option<i64>,
}

/// What the judgement rests on.
pub(crate) struct Evidence<'a> {
    pub(crate) old: &'a Account,
    pub(crate) new: &'a Account,
    pub(crate) watch: &'a SubscriptionWatch,
    /// When the file was uploaded that a schedule of the new account came of, by its slot.
    pub(crate) uploads: &'a BTreeMap<u32, i64>,
    /// When the night began, seconds.
    pub(crate) began: i64,
}

/// Judges both accounts. Without claims only what was billed so far is judged, and what only a claim can tell is passed
/// over.
pub(crate) fn judge(evidence: &Evidence<'_>, claims: Option<&SubscriptionClaims>) -> Vec<Violation> {
    let mut found = evidence.watch.violations.clone();
    found.extend(evidence.stayers());
    found.extend(evidence.too_soon());
    found.extend(evidence.in_window(claims.and_then(|c| c.window_ends)));
    found.extend(evidence.charged_by_cancel());
    let now = evidence.old.now.max(evidence.new.now);
    let successors = successors(evidence.new);
    found.extend(two_schedules(evidence.new, &successors));
    let rows = claims.map(|c| &c.rows).filter(|rows| !rows.is_empty());
    if successors.is_empty() && rows.is_none() {
        return found;
    }
    let until = if claims.is_some() { now + FORWARD } else { now };
    let forecast = Forecast::to(until, evidence.old, evidence.new, evidence.watch);
    let nothing = SubscriptionClaims::default();
    let judge = Judge {
        evidence,
        claims: claims.unwrap_or(&nothing),
        now,
        old: bills(&forecast.old),
        new: bills(&forecast.new),
        without_us: bills(&forecast.without_us),
        then: self::successors(&forecast.new),
        successors: &successors,
    };
    found.extend(judge.all());
    found
}

impl Evidence<'_> {
    fn stays(&self, customer: u32) -> bool {
        let owner = self.new.customers.at(customer);
        owner.is_some_and(|owner| owner.role == Role::Stayer)
    }

    /// Anything made on the new account for somebody who stays.
    fn stayers(&self) -> Vec<Violation> {
        let all = self.new.billing.schedules.rows().iter();
        let schedules = all.filter(|s| self.stays(s.customer)).map(|s| &s.id);
        let all = self.new.billing.subscriptions.rows().iter();
        let subscriptions = all.filter(|s| self.stays(s.customer)).map(|s| &s.id);
        let reason = "was made on the new account for somebody who stays";
        schedules
            .chain(subscriptions)
            .map(|id| violation(id, rule::STAYER_SUBSCRIPTION, reason.to_owned()))
            .collect()
    }

    /// Schedules that begin less than a day after they were made, or their file was uploaded.
    fn too_soon(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for (slot, schedule) in (0_u32..).zip(self.new.billing.schedules.rows()) {
            let made = self.uploads.get(&slot).copied().unwrap_or(schedule.created);
            let start = schedule.phases.first().map_or(0, |phase| phase.start);
            if start - made < DAY {
                let reason = format!("was made at {made} and begins at {start}, less than 24 hours later");
                found.push(violation(&schedule.id, rule::TOO_SOON, reason));
            }
        }
        found
    }

    /// Old subscriptions that the run wrote to and that ended within the window while their customer owed something.
    fn in_window(&self, window_ends: Option<i64>) -> Vec<Violation> {
        let window_ends = window_ends.unwrap_or(self.began + WINDOW);
        let mut found = Vec::new();
        for slot in self.watch.without_us.keys() {
            let Some(subscription) = self.old.billing.subscriptions.at(*slot) else {
                continue;
            };
            let Some(ended) = subscription.ended.filter(|at| *at < window_ends) else {
                continue;
            };
            let theirs = self.old.billing.invoices_of.get(&subscription.customer);
            let invoices = theirs.into_iter().flatten();
            let mut open = invoices
                .filter_map(|slot| self.old.billing.invoices.at(*slot))
                .filter(|invoice| {
                    let over = [invoice.paid, invoice.closed].into_iter().flatten().min();
                    invoice.finalized.is_some_and(|at| at <= ended) && over.is_none_or(|at| at > ended)
                });
            if let Some(invoice) = open.next() {
                let reason = format!(
                    "ended at {ended}, within the settlement window, which stops collecting invoice {}",
                    invoice.id
                );
                found.push(violation(&subscription.id, rule::CANCELLED_IN_WINDOW, reason));
            }
        }
        found
    }

    /// Last invoices of cancelled subscriptions.
    fn charged_by_cancel(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for account in [self.old, self.new] {
            for invoice in account.billing.invoices.rows() {
                let of = invoice
                    .subscription
                    .and_then(|slot| account.billing.subscriptions.at(slot));
                let Some(of) = of.filter(|of| of.ended.is_some() && of.ended == invoice.finalized) else {
                    continue;
                };
                if invoice.reason == "subscription_update" {
                    let reason = format!(
                        "was cancelled with an invoice, {}, over {}",
                        invoice.id, invoice.total
                    );
                    found.push(violation(&of.id, rule::CHARGED_BY_CANCEL, reason));
                }
            }
        }
        found
    }
}

fn two_schedules(new: &Account, successors: &BTreeMap<String, Successors>) -> Vec<Violation> {
    let counted = successors.iter().map(|(id, of)| (id, of.live(new)));
    let twice = counted.filter(|(_, count)| *count > 1);
    twice
        .map(|(id, count)| {
            let reason = format!("has {count} schedules or subscriptions on the new account");
            violation(id, rule::TWO_SCHEDULES, reason)
        })
        .collect()
}

struct Judge<'a> {
    evidence: &'a Evidence<'a>,
    claims: &'a SubscriptionClaims,
    now: i64,
    old: Bills,
    new: Bills,
    without_us: Bills,
    /// As they will be.
    then: BTreeMap<String, Successors>,
    /// As they are.
    successors: &'a BTreeMap<String, Successors>,
}

/// One old subscription with its bills on both accounts.
struct Pair<'a> {
    id: &'a str,
    claim: Option<&'a SubscriptionClaim>,
    /// Slot on the old account.
    slot: u32,
    old: Vec<Bill>,
    new: Vec<Bill>,
    without_us: Vec<Bill>,
}

impl Judge<'_> {
    fn all(&self) -> Vec<Violation> {
        let mut found: Vec<Violation> = self
            .claims
            .rows
            .iter()
            .filter_map(|(id, c)| self.lost(id, c))
            .collect();
        for (id, of) in &self.then {
            let Some(pair) = self.pair(id, of) else { continue };
            found.extend(pair.double());
            found.extend(pair.free(self.evidence.old));
            found.extend(pair.price());
            found.extend(pair.day());
        }
        found
    }

    fn pair<'a>(&'a self, id: &'a str, of: &Successors) -> Option<Pair<'a>> {
        let slot = self.evidence.old.billing.subscriptions.slot(id)?;
        let claim = self.claims.rows.get(id);
        // What waits is not over: only what was billed so far can be wrong.
        let waits = claim.is_some_and(|claim| claim.stands == Stands::Waits);
        let billed = |all: &Bills, slot: u32| -> Vec<Bill> {
            let bills = all.get(&slot).map(Vec::as_slice).unwrap_or_default().iter();
            bills
                .filter(|bill| !waits || bill.at <= self.now)
                .copied()
                .collect()
        };
        let mut new: Vec<Bill> = of
            .subscriptions
            .iter()
            .flat_map(|slot| billed(&self.new, *slot))
            .collect();
        new.sort_by_key(|bill| (bill.from, bill.to));
        Some(Pair {
            id,
            claim,
            slot,
            old: billed(&self.old, slot),
            new,
            without_us: billed(&self.without_us, slot),
        })
    }

    fn lost(&self, id: &str, claim: &SubscriptionClaim) -> Option<Violation> {
        if claim.stands != Stands::HandedOver {
            return None;
        }
        let live = self.successors.get(id).map_or(0, |of| of.live(self.evidence.new));
        (live == 0).then(|| {
            let reason =
                "is said to be handed over, but nothing on the new account goes on with it".to_owned();
            violation(id, rule::SUBSCRIPTION_LOST, reason)
        })
    }
}

impl Pair<'_> {
    fn violation(&self, rule: &'static str, reason: String) -> Violation {
        violation(self.id, rule, reason)
    }

    /// A stretch of time that both accounts collect money for.
    fn double(&self) -> Option<Violation> {
        let charged = |bills: &[Bill]| -> Vec<Bill> {
            let bills = bills.iter().filter(|bill| bill.collectable && bill.amount > 0);
            bills.copied().collect()
        };
        let (old, new) = (charged(&self.old), charged(&self.new));
        let both = old.iter().find_map(|o| {
            let overlaps = |n: &&Bill| o.from.max(n.from) < o.to.min(n.to);
            new.iter().find(overlaps).map(|n| (o, n))
        });
        both.map(|(o, n)| {
            let reason = format!(
                "is billed from {} to {} by the old account and from {} to {} by the new one",
                o.from, o.to, n.from, n.to
            );
            self.violation(rule::DOUBLE_PERIOD, reason)
        })
    }

    /// A stretch of time that nobody bills, of one that is handed over.
    fn free(&self, account: &Account) -> Option<Violation> {
        self.claim.filter(|claim| claim.stands == Stands::HandedOver)?;
        let period = account.billing.subscriptions.at(self.slot)?.period;
        let given_up =
            |bill: &&Bill| matches!(bill.status, InvoiceStatus::Void | InvoiceStatus::Uncollectible);
        let voided = self
            .old
            .iter()
            .filter(given_up)
            .any(|bill| (bill.from, bill.to) == period);
        let own = (!voided).then_some(period);
        let kept = self.old.iter().filter(|bill| !given_up(bill)).chain(&self.new);
        let mut covered: Vec<(i64, i64)> = own.into_iter().chain(kept.map(|b| (b.from, b.to))).collect();
        covered.sort_unstable();
        let mut reached = covered.first()?.0;
        for (from, to) in covered {
            if from > reached {
                let reason = format!("is billed by nobody from {reached} to {from}");
                return Some(self.violation(rule::FREE_PERIOD, reason));
            }
            reached = reached.max(to);
        }
        None
    }

    /// What the new account bills first is what the old one would have billed then; and so with every later bill.
    fn price(&self) -> Vec<Violation> {
        if self.claim.is_some_and(|claim| claim.amount_accepted) {
            return Vec::new();
        }
        let differs = |bill: &Bill| {
            let was = self.without_us.iter().find(|was| was.from == bill.from)?;
            let money = |b: &Bill| (b.currency, b.amount, b.untaxed);
            (money(was) != money(bill)).then_some((*was, *bill))
        };
        let words = |(was, is): (Bill, Bill)| {
            format!(
                "bills {} {} ({} without tax) at {}, where the old account would have billed {} {} ({})",
                is.amount,
                is.currency.as_str(),
                is.untaxed,
                is.from,
                was.amount,
                was.currency.as_str(),
                was.untaxed
            )
        };
        let first = self.new.first().and_then(differs);
        let later = self.new.iter().skip(1).find_map(differs);
        let first = first.map(|two| self.violation(rule::OTHER_PRICE, words(two)));
        let later = later.map(|two| self.violation(rule::LATER_PRICE, words(two)));
        first
            .into_iter()
            .chain(later.filter(|_| self.new.len() > 1))
            .collect()
    }

    /// Bills come on the days on which the old account would have billed.
    fn day(&self) -> Option<Violation> {
        if self.claim.is_some_and(|claim| claim.new_day) {
            return None;
        }
        let known = |bill: &&Bill| self.without_us.iter().any(|was| was.from == bill.from);
        let other = self.new.iter().find(|bill| !known(bill))?;
        let reason = format!(
            "is billed at {} by the new account, when the old one would have billed nothing",
            other.from
        );
        Some(self.violation(rule::OTHER_DAY, reason))
    }
}
