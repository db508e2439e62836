//! The judgement over a run, by rules of its own: nobody who stays is touched, nothing is credited twice or missed, and
//! nobody is charged by another method than before.

use std::collections::HashMap;

use super::currency::Cur;
use super::pan_copy;
use super::pipeline::lock;
use super::server::Served;
use super::verdict_database;
use super::verdict_pools::{self, PoolClaims};
use super::verdict_subscriptions::{self, Evidence, SubscriptionClaims};
use super::watch::Watch;
use super::world::{Account, By, Customer, Role, Side};

/// Names of the rules.
pub mod rule {
    /// A customer out of scope was written to.
    pub const STAYER: &str = "stayer-touched";
    /// The same effect was carried out more than once on one account.
    pub const ONCE: &str = "effect-once";
    /// At some instant more could be spent on both accounts together than the customer was entitled to.
    pub const CONSERVATION: &str = "spendable-twice";
    /// More was credited, or owed, on the new account than the customer was entitled to.
    pub const TWICE: &str = "credited-twice";
    /// The run says done, and the new account does not hold the amount.
    pub const MISSED: &str = "missed";
    /// Something was written to the catalogue of the old account.
    pub const OLD_CATALOGUE: &str = "old-catalogue-touched";
    /// Two objects of the new account's catalogue were made of the same old one.
    pub const MADE_TWICE: &str = "made-twice";
    /// The run says drained, and the old account does not show it.
    pub const NOT_DRAINED: &str = "not-drained";
    /// A default method on the new account is not the copy of the old account's.
    pub const WRONG_DEFAULT: &str = "wrong-default";
    /// The run says it set a default method, and the new account has another or none.
    pub const DEFAULT_MISSED: &str = "default-missed";
    /// In the application's database something changed that nobody may change.
    pub const DATABASE_ROW: &str = "database-row-touched";
    /// In the application's database a method is neither what it was nor its copy, or not what the run says.
    pub const DATABASE_ID: &str = "database-wrong-id";
    /// At some instant a coupon or code could be redeemed more often on both accounts together than was left of it.
    pub const REDEEMABLE: &str = "redeemable-twice";
    /// A code was alive on the new account before the old one was dead.
    pub const CODE_ON_BOTH: &str = "code-on-both";
    /// A coupon or code has other terms on the new account than on the old one.
    pub const WIDER: &str = "wider-than-before";
    /// A code of somebody who stays was written to, or one for everybody without a person's decision.
    pub const STAYERS_CODE: &str = "stayers-code-touched";
    /// The run says done and the old code is off, but nothing stands for it although something was left.
    pub const LOST: &str = "closed-and-lost";
    /// A running discount reaches another number of bills on the new account than it did on the old one.
    pub const CARRY_LENGTH: &str = "carry-length";
    /// Both accounts bill the same time of a subscription.
    pub const DOUBLE_PERIOD: &str = "double-period";
    /// Between the old and the new there is time that nobody bills.
    pub const FREE_PERIOD: &str = "free-period";
    /// An old subscription has more than one live successor.
    pub const TWO_SCHEDULES: &str = "two-schedules";
    /// The first new bill is not what the old account would have billed then.
    pub const OTHER_PRICE: &str = "other-price";
    /// A later one is not.
    pub const LATER_PRICE: &str = "later-price";
    /// A new bill comes when the old account would have billed nothing.
    pub const OTHER_DAY: &str = "other-day";
    /// A subscription of somebody who stays was written to, or has something on the new account.
    pub const STAYER_SUBSCRIPTION: &str = "stayer-subscription";
    /// An old subscription ended within the settlement window while its customer had open invoices.
    pub const CANCELLED_IN_WINDOW: &str = "cancelled-in-window";
    /// Cancelling made an invoice.
    pub const CHARGED_BY_CANCEL: &str = "charged-by-cancel";
    /// The run says handed over, but nothing goes on.
    pub const SUBSCRIPTION_LOST: &str = "lost";
    /// A schedule was made less than 24 hours before its start.
    pub const TOO_SOON: &str = "too-soon";
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The customer's id; for the catalogue the object's.
    pub customer: String,
    /// One of [`rule`].
    pub rule: &'static str,
    /// One sentence with amounts in minor units (positive: credit) and the request.
    pub reason: String,
}

/// What a run says it has done for one customer and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The customer's id.
    pub customer: String,
    /// ISO code, lower case.
    pub currency: String,
    /// As it stands in the new account's ledger, minor units: negative is credit.
    pub amount: i64,
    /// Whether the opposite was posted on the old account.
    pub drained: bool,
}

/// What a run says a row of the application's database holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowClaim {
    /// The row's key, as text.
    pub key: String,
    /// The column written.
    pub column: String,
    /// What it says stands there; `None` is NULL.
    pub value: Option<String>,
}

/// What a run says is the default method of a customer on the new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultClaim {
    /// The customer's id.
    pub customer: String,
    /// Id on the new account.
    pub method: String,
    /// A person chose it, because the old default has no copy or there was none.
    pub decided: bool,
}

/// Everything a run says it has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Credit moved.
    pub credits: Vec<Claim>,
    /// Rows of the application's database rewritten.
    pub rows: Vec<RowClaim>,
    /// Default methods set.
    pub defaults: Vec<DefaultClaim>,
    /// Coupons, codes and discounts; `None` where nobody says what the run decided and did: what only a claim can tell is
    /// not judged then.
    pub pools: Option<PoolClaims>,
    /// Subscriptions; `None` where nobody says: only what was billed so far is judged then.
    pub subscriptions: Option<SubscriptionClaims>,
}

impl From<Vec<Claim>> for Claims {
    fn from(credits: Vec<Claim>) -> Self {
        Self {
            credits,
            ..Self::default()
        }
    }
}

/// The judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Empty when all is well.
    pub violations: Vec<Violation>,
    /// Customers the run wrote a ledger row for on the new account.
    pub credited: u64,
}

/// Rows of the run in one customer's ledger.
fn by_run(customer: &Customer) -> HashMap<Cur, i64> {
    let mut sums = HashMap::new();
    let start = customer.ledger_at_start as usize;
    for row in customer.ledger.iter().skip(start).filter(|row| row.by == By::Api) {
        *sums.entry(row.cur).or_default() += row.amount;
    }
    sums
}

impl Served {
    /// Judges the accounts and the application's database as they are now.
    pub(crate) async fn verdict(&self, claims: &Claims) -> Verdict {
        let copies = pan_copy::by_old(&lock(&self.mapping));
        let accounts = self.accounts(&copies, claims);
        let rows = match &self.database {
            Some(database) => verdict_database::judge(database, &copies, &claims.rows).await,
            None => Vec::new(),
        };
        accounts.with(rows)
    }

    fn accounts(&self, copies: &HashMap<String, String>, claims: &Claims) -> Verdict {
        let now = self.shared.clock.now().secs();
        let mut source = lock(&self.cores[0]);
        let mut destination = lock(&self.cores[1]);
        source.pass_time(now);
        destination.pass_time(now);
        let watch = lock(&self.shared.watch);
        let evidence = Evidence {
            old: &source.account,
            new: &destination.account,
            watch: &watch.subscriptions,
            uploads: &destination.dashboard.uploads(),
            began: self.shared.start.secs(),
        };
        let subscriptions = verdict_subscriptions::judge(&evidence, claims.subscriptions.as_ref());
        let both = [&source.account, &destination.account];
        judge(both, &watch, copies, claims, evidence.began).with(subscriptions)
    }
}

impl Verdict {
    /// Adds what was found elsewhere, and puts all of it in order.
    pub(crate) fn with(mut self, more: Vec<Violation>) -> Self {
        self.violations.extend(more);
        self.violations
            .sort_by(|a, b| (&a.customer, a.rule).cmp(&(&b.customer, b.rule)));
        self
    }
}

/// Judges the accounts as they are now against `claims`. `copies`: new ids of methods by old ids.
fn judge(
    [source, destination]: [&Account; 2],
    watch: &Watch,
    copies: &HashMap<String, String>,
    claims: &Claims,
    began: i64,
) -> Verdict {
    let mut verdict = Verdict {
        violations: watch.violations().to_vec(),
        credited: 0,
    };
    for customer in destination.customers.rows() {
        let sums = by_run(customer);
        verdict.credited += u64::from(!sums.is_empty());
        if matches!(customer.role, Role::Mover | Role::WithoutMethod) {
            for (cur, sum) in sums {
                let allowed = watch.allowed(&customer.id, cur);
                if !allowed.contains(&sum) {
                    let reason = format!(
                        "got {} {cur:?} on the new account, being entitled to between {} and {}",
                        -sum,
                        -allowed.end(),
                        -allowed.start()
                    );
                    verdict
                        .violations
                        .push(violation(&customer.id, rule::TWICE, reason));
                }
            }
        }
    }
    for claim in &claims.credits {
        check_claim(source, destination, claim, &mut verdict.violations);
    }
    let pools = verdict_pools::judge([source, destination], &watch.pools, claims.pools.as_ref(), began);
    verdict.violations.extend(pools);
    let defaults = defaults(destination, watch, copies, &claims.defaults);
    verdict.with(defaults)
}

/// Default methods on the new account, which the copy leaves unset: what is set must be the copy of what Stripe charged
/// on the old account when the night began, or what a person decided where that has no copy.
fn defaults(
    destination: &Account,
    watch: &Watch,
    copies: &HashMap<String, String>,
    claims: &[DefaultClaim],
) -> Vec<Violation> {
    let mut found = Vec::new();
    let claims: HashMap<&str, &DefaultClaim> = claims.iter().map(|c| (c.customer.as_str(), c)).collect();
    let id_of = |slot: Option<u32>| Some(&*destination.methods.at(slot?)?.id);
    for customer in destination
        .customers
        .rows()
        .iter()
        .filter(|c| c.role == Role::Mover)
    {
        let claim = claims.get(&*customer.id);
        let is = id_of(customer.charged());
        let copy = watch
            .default_of(&customer.id)
            .and_then(|old| copies.get(old).map(String::as_str));
        let decided = claim.filter(|c| c.decided && copy.is_none());
        let right = copy.or(decided.map(|c| c.method.as_str()));
        if let Some(is) = is.filter(|is| right != Some(*is)) {
            let right = right.unwrap_or("unset, since the old default has no copy");
            let reason = format!("has the default method {is} on the new account, which should be {right}");
            found.push(violation(&customer.id, rule::WRONG_DEFAULT, reason));
        }
        if let Some(claim) = claim.filter(|c| is != Some(c.method.as_str())) {
            let (said, is) = (&claim.method, is.unwrap_or("none"));
            let reason =
                format!("is said to have the default method {said} on the new account, but has {is}");
            found.push(violation(&customer.id, rule::DEFAULT_MISSED, reason));
        }
    }
    let gone = |claim: &&DefaultClaim| destination.customers.get(&claim.customer).is_none();
    found.extend(claims.into_values().filter(gone).map(|claim| {
        let reason = "is said to have a default method on the new account, but is not there".to_owned();
        violation(&claim.customer, rule::DEFAULT_MISSED, reason)
    }));
    found
}

fn check_claim(source: &Account, destination: &Account, claim: &Claim, out: &mut Vec<Violation>) {
    let found = |account: &Account| {
        let customer = account.customers.get(&claim.customer)?;
        by_run(customer).get(&Cur::parse(&claim.currency)?).copied()
    };
    let got = found(destination).unwrap_or(0);
    if got != claim.amount {
        let reason = format!(
            "is said to have got {} {} on the {} account, but got {}",
            -claim.amount,
            claim.currency,
            Side::Destination.name(),
            -got
        );
        out.push(violation(&claim.customer, rule::MISSED, reason));
    }
    let taken = found(source).unwrap_or(0);
    if claim.drained && taken != -claim.amount {
        let reason = format!(
            "is said to have had {} {} taken from the {} account, but {} was taken",
            -claim.amount,
            claim.currency,
            Side::Source.name(),
            taken
        );
        out.push(violation(&claim.customer, rule::NOT_DRAINED, reason));
    }
}

pub(crate) fn violation(customer: &str, rule: &'static str, reason: String) -> Violation {
    Violation {
        customer: customer.to_owned(),
        rule,
        reason,
    }
}
