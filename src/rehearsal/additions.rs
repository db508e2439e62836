//! People who come on top of the counted ones: the special ones of a plan, and those a scenario lists one by one. They
//! have dice of their own, so that nobody else changes when they come.

use super::currency::Cur;
use super::dice::Dice;
use super::ids;
use super::listed;
use super::metadata::Metadata;
use super::names;
use super::objects::payment_methods;
use super::plan::WorldPlan;
use super::scenario_customers::Listed;
use super::world::{Account, Customer, Method, MethodKind, Role, TaxId};

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;
/// How long before the night late things come; after the copy, which is made six hours before.
pub(crate) const LATE: i64 = 2 * HOUR;

/// What the copy leaves behind, in turn: the kind, and the wallet a card lives in.
pub(crate) const UNCOPYABLE: [(MethodKind, Option<&str>); 5] = [
    (MethodKind::SepaDebit, None),
    (MethodKind::BacsDebit, None),
    (MethodKind::AuBecsDebit, None),
    (MethodKind::Link, None),
    (MethodKind::Card, Some("apple_pay")),
];

/// How a method is its customer's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    No,
    InSettings,
    Source,
}

/// Somebody to be added.
pub(crate) struct Addition {
    pub(crate) customer: Customer,
    pub(crate) methods: Vec<(Method, Default)>,
    /// Shares the email address of somebody else.
    pub(crate) shares_email: bool,
}

impl Addition {
    /// When it was made, in seconds.
    pub(crate) const fn created(&self) -> i64 {
        self.customer.created
    }

    /// Adds it; says its slot when it is to share somebody's email address.
    pub(crate) fn join(self, account: &mut Account) -> Option<u32> {
        let slot = account.add_customer(self.customer);
        for (method, default) in self.methods {
            let method = Method {
                customer: Some(slot),
                ..method
            };
            attach(account, method, default);
        }
        self.shares_email.then_some(slot)
    }
}

/// Stores a method and makes it the default as told.
pub(crate) fn attach(account: &mut Account, method: Method, default: Default) {
    let customer = method.customer;
    let at = payment_methods::attach(account, method);
    if let Some(customer) = customer.and_then(|slot| account.customers.at_mut(slot)) {
        match default {
            Default::No => {}
            Default::InSettings => customer.default_method = Some(at),
            Default::Source => customer.default_source = Some(at),
        }
    }
}

/// Everybody to be added, oldest first.
pub(crate) fn all(account: &str, plan: &WorldPlan, listed: &[Listed], seed: u64, now: i64) -> Vec<Addition> {
    let mut special = Special {
        account,
        dice: Dice::new(ids::mix(&[b"additions", &seed.to_be_bytes()])),
        now,
        all: Vec::new(),
    };
    special.everybody(plan);
    let mut all = special.all;
    let named = listed.iter().enumerate();
    all.extend(named.map(|(n, one)| {
        listed::by_name(
            account,
            one,
            ids::mix(&[b"listed", &seed.to_be_bytes(), &n.to_be_bytes()]),
            now,
        )
    }));
    all.sort_by_key(Addition::created);
    all
}

/// Makes the special people of a plan.
struct Special<'a> {
    account: &'a str,
    dice: Dice,
    now: i64,
    all: Vec<Addition>,
}

impl Special<'_> {
    fn everybody(&mut self, plan: &WorldPlan) {
        for n in 0..plan.uncopyable_only {
            let only = self.uncopyable(n);
            self.add(vec![(only, Default::InSettings)]);
        }
        for n in 0..plan.uncopyable_default {
            let (card, default) = (self.card(), self.uncopyable(n));
            self.add(vec![(card, Default::No), (default, Default::InSettings)]);
        }
        for _ in 0..plan.duplicate_emails {
            let card = self.card();
            self.add(vec![(card, Default::InSettings)]).shares_email = true;
        }
        for n in 0..plan.twin_cards {
            let twins = self.twins(n % 2 == 0);
            self.add(twins);
        }
        for n in 0..plan.eleven_methods {
            let methods = (0..11).map(|at| {
                let default = if at == 6 { Default::InSettings } else { Default::No };
                let uncopyable = at >= 9 && n % 2 == 1;
                let method = if uncopyable {
                    self.uncopyable(at)
                } else {
                    self.card()
                };
                (method, default)
            });
            let methods = methods.collect();
            self.add(methods);
        }
        for n in 0..plan.deleted_movers {
            let card = self.card();
            let gone = self.add(vec![(card, Default::InSettings)]);
            if n % 3 == 2 {
                gone.customer.leaves = true;
            } else {
                gone.customer.deleted = true;
                gone.customer.email = None;
            }
        }
        for n in 0..plan.late_customers {
            let card = self.card();
            let created = self.now - LATE - i64::from(n % 60) * 60;
            let late = self.add(vec![(card, Default::InSettings)]);
            late.customer.created = created;
            for (method, _) in &mut late.methods {
                method.created = created;
            }
        }
    }

    /// Somebody who moves, pays and holds no credit.
    fn add(&mut self, mut methods: Vec<(Method, Default)>) -> &mut Addition {
        let created = self.now - self.dice.between(30, 2000) * DAY - self.dice.between(0, DAY - 1);
        let mut customer = Customer::bare(&ids::customer(self.dice.next()), created, Role::Mover);
        names::give(&mut customer, &mut self.dice, None);
        customer.metadata = Metadata::of(&[("region", "us"), ("plan", "per_lesson")]);
        customer.paying = true;
        customer.currency = Some(Cur::USD);
        for (n, (method, _)) in (0..).zip(&mut methods) {
            method.created = created + n * HOUR;
        }
        let at = self.all.len();
        self.all.push(Addition {
            customer,
            methods,
            shares_email: false,
        });
        &mut self.all[at]
    }

    fn card(&mut self) -> Method {
        card(self.account, &mut self.dice)
    }

    fn uncopyable(&mut self, n: u32) -> Method {
        uncopyable(self.account, &mut self.dice, n)
    }

    /// Two cards nobody can tell apart by what a card shows: one card twice, or two with the same ending. The default is
    /// the second.
    fn twins(&mut self, one_card: bool) -> Vec<(Method, Default)> {
        let (mut one, mut two) = (self.card(), self.card());
        let same = ids::alnum(self.dice.next(), 8);
        for (n, method) in [&mut one, &mut two].into_iter().enumerate() {
            let number = if one_card { 0 } else { n };
            method.more_mut().fingerprint = Some(format!("{same}{number}").into());
        }
        (two.brand, two.last4, two.exp_month) = (one.brand, one.last4, one.exp_month);
        (two.exp_year, two.debit) = (one.exp_year, one.debit);
        vec![(one, Default::No), (two, Default::InSettings)]
    }
}

/// A card that is attached to nobody yet.
pub(crate) fn card(account: &str, dice: &mut Dice) -> Method {
    Method {
        id: ids::object("pm_", account, dice.next()).into(),
        created: 0,
        customer: None,
        kind: MethodKind::Card,
        brand: dice.pick(&["visa", "visa", "mastercard", "amex", "discover"], "visa"),
        country: "US",
        last4: u16::try_from(dice.below(10_000)).unwrap_or(4242),
        exp_month: u8::try_from(dice.between(1, 12)).unwrap_or(1),
        exp_year: u16::try_from(dice.between(2026, 2032)).unwrap_or(2030),
        debit: dice.percent(40),
        more: None,
    }
}

/// The n-th method that the copy leaves behind, attached to nobody yet.
pub(crate) fn uncopyable(account: &str, dice: &mut Dice, n: u32) -> Method {
    let (kind, wallet) = UNCOPYABLE[n as usize % UNCOPYABLE.len()];
    let mut method = Method {
        kind,
        ..card(account, dice)
    };
    if let Some(wallet) = wallet {
        method.more_mut().wallet = Some(wallet);
    }
    method
}

/// A tax id its government has confirmed.
pub(crate) fn tax_id(account: &str, dice: &mut Dice, kind: &'static str, value: &str, created: i64) -> TaxId {
    TaxId {
        id: ids::object("txi_", account, dice.next()).into(),
        created,
        kind,
        value: value.into(),
        verified: true,
    }
}
