//! Whether what was written is what is there, by another path. PURE: compares the plan with both accounts' lists as they
//! are now.
//!
//! | | read from |
//! |---|---|
//! | what was wanted | the old account's lists, kept in the plan's row |
//! | the write's own attestation | the response of the `POST` |
//! | this audit | both accounts' lists, every coupon and code again, found by its marker |
//!
//! For every pool, with what was left when the plan was made (or the number a person gave instead):
//! uses on the old account since + redeemable through its codes now + the new coupon's limit ≤ left. The new limit
//! counts whole, used or not. The same for each code.

use std::collections::BTreeMap;

use super::effects::{
    CLOSE_OLD, CREATE_CODE, CREATE_COUPON, CodeRow, CouponRow, DiscountRow, Effects, Payload, RECREATE_OLD,
    SET_CODE_LEFT, SET_LEFT,
};
use super::facts::{Code, Counter, Coupon, Drawer};
use super::fields::Fields;
use super::terms;
use crate::domain::change::{Change, ChangeKey, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::stages::Audit;

/// How a row ended.
pub type End = (ChangeKey, RowEnd, Option<Money>);

/// Both accounts now.
pub struct Now<'a> {
    /// The old account.
    pub source: &'a Drawer,
    /// The new account.
    pub destination: &'a Drawer,
    /// Seconds.
    pub at: i64,
}

/// Compares every row that was written, and every one that was there already, with what is there now.
#[must_use]
pub fn compare(plan: &Plan, ends: &[End], now: &Now<'_>) -> Audit {
    let ends: BTreeMap<&ChangeKey, RowEnd> = ends.iter().map(|(key, end, _)| (key, *end)).collect();
    let mut audit = Auditing {
        effects: Effects {
            accounts: &plan.header().accounts,
        },
        now,
        pools: pools(now.source),
        findings: Vec::new(),
    };
    let made = made(now.destination);
    let mut compared = 0;
    for change in plan.changes() {
        let Ok(payload) = serde_json::from_str::<Payload>(&change.payload) else {
            continue;
        };
        let done = change.verdict == Verdict::Planned && ends.get(&change.key) == Some(&RowEnd::Done);
        compared += u64::from(match &payload {
            Payload::Coupon(row) => audit.coupon(change, row, done),
            Payload::Code(row) => audit.code(change, row, done, &made),
            Payload::Discount(row) => audit.discount(change, row, done),
        });
    }
    let mut findings = audit.findings;
    findings.sort();
    Audit { compared, findings }
}

/// Codes by coupon.
fn pools(drawer: &Drawer) -> BTreeMap<&str, Vec<&Code>> {
    let mut pools: BTreeMap<&str, Vec<&Code>> = BTreeMap::new();
    for code in drawer.codes.values() {
        pools.entry(code.coupon.as_str()).or_default().push(code);
    }
    pools
}

/// Codes by the old code they stand for.
fn made(drawer: &Drawer) -> BTreeMap<&str, Vec<&Code>> {
    let mut made: BTreeMap<&str, Vec<&Code>> = BTreeMap::new();
    for code in drawer.codes.values() {
        if let Some(of) = &code.of {
            made.entry(of.as_str()).or_default().push(code);
        }
    }
    made
}

/// What a counter still allows; `None`: without end.
fn left(counter: Counter) -> Option<i64> {
    counter
        .limit
        .map(|limit| limit.saturating_sub(counter.used).max(0))
}

struct Auditing<'a> {
    effects: Effects<'a>,
    now: &'a Now<'a>,
    pools: BTreeMap<&'a str, Vec<&'a Code>>,
    findings: Vec<Finding>,
}

impl Auditing<'_> {
    fn say(&mut self, about: &str, rule: &str, reason: String, severity: Severity) {
        self.findings.push(Finding {
            stage: StageId::Coupons,
            customer: safe(about).to_string(),
            rule: rule.to_owned(),
            reason,
            severity,
            money: None,
        });
    }

    fn differs(&mut self, about: &str, rule: &str, reason: String) {
        self.say(about, rule, reason, Severity::Differs);
    }

    fn terms(&mut self, about: &str, rule: &str, names: &[String]) {
        if !names.is_empty() {
            let why = format!("on the new account it differs in {}", names.join(", "));
            self.differs(about, rule, why);
        }
    }

    fn coupon(&mut self, change: &Change, row: &CouponRow, done: bool) -> bool {
        let created = done && change.writes_now().iter().any(|write| write.op == CREATE_COUPON);
        let there = row.there && matches!(change.verdict, Verdict::Noop | Verdict::Planned);
        if !created && !there {
            return false;
        }
        let Some(new) = self.now.destination.coupons.get(&row.id) else {
            self.differs(
                &row.id,
                "coupon_not_there",
                "it is not on the new account".to_owned(),
            );
            return true;
        };
        let differ = if created {
            row.terms.differences(&new.terms)
        } else {
            terms::differences(&row.terms, &new.terms)
        };
        self.terms(&row.id, "coupon_differs", &differ);
        // What was there before is measured by the plan, which takes no more than was left; said again all the same.
        let severity = if created {
            Severity::Differs
        } else {
            Severity::Warn
        };
        self.pool(change, row, new, severity);
        true
    }

    fn pool(&mut self, change: &Change, row: &CouponRow, new: &Coupon, severity: Severity) {
        let id = row.id.as_str();
        let given = number(change, SET_LEFT);
        let (limit, left) = match (given.or(row.left), new.counter.limit) {
            (None, None) => return,
            (Some(left), None) => {
                let why = format!("{left} were left, and on the new account it has no limit");
                return self.say(id, "more_than_left", why, severity);
            }
            (None, Some(limit)) => {
                let why = format!("it had no limit, and on the new account it has {limit}");
                return self.say(id, "less_than_left", why, severity);
            }
            (Some(left), Some(limit)) => (limit, left),
        };
        let old = self.now.source.coupons.get(id);
        let since = old.map_or(0, |old| old.counter.used.saturating_sub(row.used).max(0));
        if since > 0 {
            let why = format!("{since} uses on the old account since the plan was made");
            self.say(id, "used_since", why, Severity::Note);
        }
        let through = old.map_or(0, |old| self.redeemable(old));
        let (besides, words) = match given {
            // Whoever sets a limit sets it whatever the arithmetic says.
            Some(_) => (0, "as a person set".to_owned()),
            None => (
                since.saturating_add(through),
                format!("used since {since}, redeemable on the old account {through}"),
            ),
        };
        if limit.saturating_add(besides) > left {
            let why = format!("{left} were left; {words}, and the new coupon allows {limit}");
            self.say(id, "more_than_left", why, severity);
        }
    }

    /// What can be redeemed on the old account now, through codes.
    fn redeemable(&self, old: &Coupon) -> i64 {
        let live = self.pools.get(old.id.as_str()).into_iter().flatten();
        let live = live.filter(|code| code.active && !self.is_over(code.expires_at));
        let most = left(old.counter);
        if !old.valid || self.is_over(old.redeem_by) {
            return 0;
        }
        let own = live.map(|code| left(code.counter).or(most).unwrap_or(i64::MAX));
        let sum = own.fold(0_i64, i64::saturating_add);
        most.map_or(sum, |most| sum.min(most))
    }

    fn is_over(&self, at: Option<i64>) -> bool {
        at.is_some_and(|at| at <= self.now.at)
    }

    fn code(
        &mut self,
        change: &Change,
        row: &CodeRow,
        done: bool,
        made: &BTreeMap<&str, Vec<&Code>>,
    ) -> bool {
        let closes = change.writes_now().iter().any(|write| write.op == CLOSE_OLD);
        let ours = made.get(row.old.as_str()).map_or(&[][..], Vec::as_slice);
        let known = row
            .there
            .as_ref()
            .and_then(|id| self.now.destination.codes.get(id));
        let creates = change.writes_now().iter().any(|write| write.op == CREATE_CODE);
        let stands = (done && creates) || (row.there.is_some() && change.verdict == Verdict::Noop);
        if !stands {
            self.lost(change, row, ours);
            return false;
        }
        match (ours, known) {
            ([], None) => self.differs(
                &row.old,
                "code_not_there",
                "it is not on the new account".to_owned(),
            ),
            (&[new], _) | ([], Some(new)) => self.moved(change, row, new),
            (several, _) => {
                let ids: Vec<&str> = several.iter().map(|code| code.id.as_str()).collect();
                let why = format!(
                    "several on the new account stand for it: {}",
                    safe(&ids.join(", "))
                );
                self.differs(&row.old, "code_there_twice", why);
            }
        }
        if closes && self.now.source.codes.get(&row.old).is_some_and(|old| old.active) {
            let why = "it is active on the old account although it was switched off".to_owned();
            self.differs(&row.old, "old_code_active", why);
        }
        true
    }

    fn moved(&mut self, change: &Change, row: &CodeRow, new: &Code) {
        let mut wrong = row.terms.differences(&new.terms);
        let same = [
            ("code", row.text == new.text),
            ("customer", row.customer == new.customer),
            ("coupon", row.coupon == new.coupon),
        ];
        wrong.extend(
            same.iter()
                .filter(|(_, same)| !same)
                .map(|(name, _)| (*name).to_owned()),
        );
        if !wrong.is_empty() {
            let why = format!(
                "{} on the new account differs in {}",
                safe(&new.id),
                wrong.join(", ")
            );
            self.differs(&row.old, "code_differs", why);
        }
        if !new.active && !self.may_be_off(new) {
            let why = format!("{} on the new account is switched off", safe(&new.id));
            self.differs(&row.old, "new_code_off", why);
        }
        self.own_limit(change, row, new);
    }

    /// Used up, expired, or its coupon is: Stripe switches it off.
    fn may_be_off(&self, new: &Code) -> bool {
        let coupon = self.now.destination.coupons.get(&new.coupon);
        left(new.counter) == Some(0)
            || self.is_over(new.expires_at)
            || coupon.is_none_or(|coupon| !coupon.valid)
    }

    fn own_limit(&mut self, change: &Change, row: &CodeRow, new: &Code) {
        let Some(old) = self.now.source.codes.get(&row.old) else {
            return;
        };
        let given = number(change, SET_CODE_LEFT);
        let own = old.counter.limit.map(|limit| limit.saturating_sub(row.used));
        let since = old.counter.used.saturating_sub(row.used).max(0);
        let recreated = self.effects.id(RECREATE_OLD, &row.old);
        let beside = self.pools.get(row.coupon.as_str()).into_iter().flatten();
        let beside = beside.filter(|code| code.effect.as_deref() == Some(recreated.0.as_str()));
        let beside: i64 = beside
            .filter_map(|code| code.counter.limit)
            .fold(0, i64::saturating_add);
        match (given.or(own), new.counter.limit) {
            (None, _) => {}
            (Some(left), None) => {
                let why =
                    format!("{left} were left through it, and on the new account it has no limit of its own");
                self.differs(&row.old, "more_than_left", why);
            }
            (Some(left), Some(limit)) => {
                let besides = if given.is_some() {
                    0
                } else {
                    since.saturating_add(beside)
                };
                if limit.saturating_add(besides) > left {
                    let why = format!(
                        "{left} were left through it; used since {since}, kept on the old account {beside}, and the new \
                         code allows {limit}"
                    );
                    self.differs(&row.old, "more_than_left", why);
                }
            }
        }
    }

    /// A code that this program closed, and nothing on the new account stands for, although something was left.
    fn lost(&mut self, change: &Change, row: &CodeRow, ours: &[&Code]) {
        let closed = self.effects.id(CLOSE_OLD, &row.old);
        let Some(old) = self.now.source.codes.get(&row.old) else {
            return;
        };
        let is_closed = !old.active && old.effect.as_deref() == Some(closed.0.as_str());
        let coupon = self.now.source.coupons.get(&row.coupon);
        let can = coupon.is_some_and(|coupon| coupon.valid && left(coupon.counter) != Some(0));
        let dead = self.is_over(old.expires_at) || left(old.counter) == Some(0) || !can;
        if is_closed && ours.is_empty() && !dead {
            let severity = match change.verdict {
                Verdict::LeftOut => Severity::Warn,
                _ => Severity::Differs,
            };
            let why = "it was switched off on the old account, and nothing on the new account stands for it"
                .to_owned();
            self.say(&row.old, "closed_and_lost", why, severity);
        }
    }

    fn discount(&mut self, change: &Change, row: &DiscountRow, done: bool) -> bool {
        let stands = done || (row.there && change.verdict == Verdict::Noop);
        if !stands || (done && change.writes_now().is_empty()) {
            return false;
        }
        let id = row.terms.get("id").unwrap_or_default();
        let Some(new) = self.now.destination.coupons.get(id) else {
            let why = format!("its coupon {} is not on the new account", safe(id));
            self.differs(&row.old, "carry_not_there", why);
            return true;
        };
        let want = row
            .terms
            .iter()
            .filter(|(name, _)| !matches!(*name, "id" | "max_redemptions"));
        let mut terms = Fields::default();
        want.for_each(|(name, value)| terms.put(name, value));
        self.terms(&row.old, "carry_differs", &terms.differences(&new.terms));
        if new.counter.limit != Some(1) {
            let why = format!("coupon {} can be used more than once", safe(id));
            self.differs(&row.old, "more_than_left", why);
        }
        true
    }
}

/// The limit a person set by `choice`.
fn number(change: &Change, choice: &str) -> Option<i64> {
    let decision = change
        .decision
        .as_ref()
        .filter(|decision| decision.choice == choice)?;
    decision.number.and_then(|number| i64::try_from(number).ok())
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
