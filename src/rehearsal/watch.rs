//! Watches both accounts from outside the wire: who was written to, what could be spent at any instant, which markers
//! were stored. Shares nothing with the client; knows the world's baseline.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use super::call::{Catalogued, Pooled};
use super::currency::Cur;
use super::verdict::{Violation, rule};
use super::watch_pools::PoolWatch;
use super::watch_subscriptions::SubscriptionWatch;
use super::world::{Account, By, Customer, Role, Side};

/// Violations kept; a run that breaks a rule this often needs no longer list.
const KEPT: usize = 1000;

/// One customer and currency. Ledger sums, so negative is credit.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    sums: [i64; 2],
    /// What the customer held at the start, and whatever foreign actors added since.
    entitled: i64,
    /// The most credit (lowest) and the most debt (highest) it ever was.
    extremes: [i64; 2],
    /// Real money held at the start, positive: a decision may grant as much credit on the new account.
    cash: i64,
}

/// What is watched of both accounts together.
#[derive(Default)]
pub(crate) struct Watch {
    lines: HashMap<Box<str>, Vec<(Cur, Line)>>,
    markers: HashMap<(Side, Box<str>), u32>,
    /// Objects of the new account's catalogue by the `cutover_of` they carry.
    made: HashMap<Box<str>, Box<str>>,
    violations: Vec<Violation>,
    /// What Stripe charged on the old account when the night began, by customer who moves.
    defaults: HashMap<Box<str>, Box<str>>,
    /// Coupons and codes.
    pub(crate) pools: PoolWatch,
    pub(crate) subscriptions: SubscriptionWatch,
}

/// A change that was made.
pub(crate) struct Change<'a> {
    pub(crate) side: Side,
    pub(crate) by: By,
    pub(crate) request_id: &'a str,
    pub(crate) what: &'a str,
    pub(crate) touched: &'a [Box<str>],
    pub(crate) markers: &'a [Box<str>],
    pub(crate) catalogued: &'a [Catalogued],
    pub(crate) pooled: &'a [Pooled],
}

impl Watch {
    /// Takes the ledgers as they are for what customers are entitled to, and the defaults for what is charged.
    pub(crate) fn baseline(&mut self, source: &Account) {
        self.pools.baseline(source);
        for customer in source.customers.rows() {
            if !matches!(customer.role, Role::Mover | Role::WithoutMethod) {
                continue;
            }
            let default = customer.charged().and_then(|slot| source.methods.at(slot));
            if let Some(default) = default.filter(|_| customer.role == Role::Mover) {
                self.defaults.insert(customer.id.clone(), default.id.clone());
            }
            let mut lines: BTreeMap<Cur, Line> = BTreeMap::new();
            for (cur, sum) in customer.sums() {
                let line = lines.entry(cur).or_default();
                line.sums[Side::Source.index()] = sum;
                line.entitled = sum;
                line.extremes = [sum, sum];
            }
            for (cur, held) in customer.cash.iter().flat_map(|cash| &cash.available) {
                lines.entry(*cur).or_default().cash = *held;
            }
            if !lines.is_empty() {
                self.lines
                    .insert(customer.id.clone(), lines.into_iter().collect());
            }
        }
    }

    /// Looks at a change just made to `account`.
    pub(crate) fn changed(&mut self, account: &Account, change: &Change<'_>) {
        for id in change.touched {
            if let Some(customer) = account.customers.get(id) {
                self.customer(customer, change);
            }
        }
        for written in change.catalogued {
            self.catalogued(written, change);
        }
        for written in change.pooled {
            self.pools.changed(account, change, *written);
            self.pooled(account, *written, change);
        }
        for marker in change.markers.iter().filter(|_| change.by == By::Api) {
            let seen = self.markers.entry((change.side, marker.clone())).or_default();
            *seen += 1;
            if *seen > 1 {
                let reason = format!(
                    "effect {marker} was carried out {seen} times on the {} account ({}, {})",
                    change.side.name(),
                    change.what,
                    change.request_id
                );
                let customer = change.touched.first().cloned().unwrap_or_default();
                self.violate(&customer, rule::ONCE, reason);
            }
        }
    }

    /// Whoever did it: nobody changes the old catalogue in such a night, and no old object has two new ones.
    fn catalogued(&mut self, written: &Catalogued, change: &Change<'_>) {
        let by = format!("({}, {})", change.what, change.request_id);
        if change.side == Side::Source {
            let reason = format!("was written to in the catalogue of the source account {by}");
            self.violate(&written.id, rule::OLD_CATALOGUE, reason);
            return;
        }
        let Some(of) = &written.of else { return };
        let first = self.made.entry(of.clone()).or_insert_with(|| written.id.clone());
        if *first != written.id {
            let reason = format!("is made of {of}, of which {first} was made before {by}");
            self.violate(&written.id, rule::MADE_TWICE, reason);
        }
    }

    /// A run makes coupons on the new account and none on the old one; its codes it may close, open and make there.
    fn pooled(&mut self, account: &Account, written: Pooled, change: &Change<'_>) {
        let pools = &account.pools;
        let (id, metadata) = match written {
            Pooled::Coupon(slot) => pools.coupons().at(slot).map(|c| (&c.id, &c.metadata)),
            Pooled::Code(slot) => pools.codes().at(slot).map(|c| (&c.id, &c.metadata)),
            Pooled::Redeemed(_) => None,
        }
        .unzip();
        let (Some(id), Some(metadata)) = (id, metadata) else {
            return;
        };
        let old_coupon = change.side == Side::Source && matches!(written, Pooled::Coupon(_));
        if change.side == Side::Destination || (old_coupon && change.by == By::Api) {
            let of = metadata.get("cutover_of");
            // A customer's discount is carried on by a coupon for each subscription.
            let of: Option<Box<str>> = of.filter(|of| !of.starts_with("di_")).map(Into::into);
            if let Some(of) = &of {
                self.replaced(account, of);
            }
            self.catalogued(&Catalogued { id: id.clone(), of }, change);
        }
    }

    /// A code cannot be deleted: once it is off for good, another may stand for the same old one.
    fn replaced(&mut self, account: &Account, of: &str) {
        let pools = &account.pools;
        let first = self.made.get(of).and_then(|id| pools.codes().get(id));
        if first.is_some_and(|code| !code.on) {
            self.made.remove(of);
        }
    }

    fn customer(&mut self, customer: &Customer, change: &Change<'_>) {
        if change.by == By::Api && customer.role == Role::Stayer {
            let reason = format!(
                "stays on the old account but was written to on the {} account ({}, {})",
                change.side.name(),
                change.what,
                change.request_id
            );
            self.violate(&customer.id, rule::STAYER, reason);
            return;
        }
        if !matches!(customer.role, Role::Mover | Role::WithoutMethod) {
            return;
        }
        let mut broken = Vec::new();
        let lines = self.lines.entry(customer.id.clone()).or_default();
        for (cur, sum) in customer.sums() {
            let at = lines.iter().position(|(c, _)| *c == cur).unwrap_or_else(|| {
                lines.push((cur, Line::default()));
                lines.len() - 1
            });
            let line = &mut lines[at].1;
            let held = &mut line.sums[change.side.index()];
            if change.by == By::Foreign {
                line.entitled += sum - *held;
                let [low, high] = line.extremes;
                line.extremes = [low.min(line.entitled), high.max(line.entitled)];
            }
            *held = sum;
            if change.by == By::Api && line.spendable_twice() {
                broken.push((cur, *line));
            }
        }
        for (cur, line) in broken {
            let reason = format!(
                "could spend {} {cur:?} on the source and {} on the destination at once, being entitled to {} ({}, {})",
                -line.sums[0], -line.sums[1], -line.entitled, change.what, change.request_id
            );
            self.violate(&customer.id, rule::CONSERVATION, reason);
        }
    }

    fn violate(&mut self, customer: &str, rule: &'static str, reason: String) {
        if self.violations.len() < KEPT {
            self.violations.push(Violation {
                customer: customer.to_owned(),
                rule,
                reason,
            });
        }
    }

    /// What was found so far.
    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The method a mover was charged by, as an id of the old account.
    pub(crate) fn default_of(&self, customer: &str) -> Option<&str> {
        self.defaults.get(customer).map(|id| &**id)
    }

    /// The least and the most a run may have written for a customer on the new account, as ledger sums: anything from
    /// all the credit it was ever entitled to, with real money held, to all it ever owed.
    pub(crate) fn allowed(&self, customer: &str, cur: Cur) -> RangeInclusive<i64> {
        let lines = self.lines.get(customer).map(Vec::as_slice).unwrap_or_default();
        let found = lines.iter().find(|(c, _)| *c == cur);
        found.map_or(0..=0, |(_, line)| {
            let [low, high] = line.extremes;
            low.min(0) - line.cash..=high.max(0)
        })
    }
}

impl Line {
    /// Both tests must fail: the signed one alone would call moving a debt a gain, the unsigned one alone would blame
    /// the run when a foreign actor spends from an account it had just emptied.
    fn spendable_twice(self) -> bool {
        let credit = self.sums.map(|sum| -sum);
        let entitled = self.cash - self.entitled;
        let signed: i64 = credit.iter().sum();
        let spendable: i64 = credit.iter().map(|c| (*c).max(0)).sum();
        signed > entitled && spendable > entitled.max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(source: i64, destination: i64, entitled: i64) -> Line {
        Line {
            sums: [source, destination],
            entitled,
            ..Line::default()
        }
    }

    #[test]
    fn credit_on_both_sides_is_double_and_moving_in_either_sign_is_not() {
        assert!(line(-500, -500, -500).spendable_twice());
        assert!(line(0, -501, -500).spendable_twice());
        assert!(!line(0, -500, -500).spendable_twice());
        assert!(!line(0, 0, -500).spendable_twice());
        assert!(!line(0, 0, 300).spendable_twice(), "a debt between two accounts");
        assert!(line(0, -1, 300).spendable_twice(), "a debt that became credit");
        assert!(
            !line(300, -1000, -700).spendable_twice(),
            "spent by hand after the drain"
        );
    }
}
