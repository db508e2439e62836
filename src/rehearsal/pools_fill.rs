//! The coupons of a world, on dice of their own. An owner who made them over the years followed no convention: the limit
//! stands on the coupon, on the code, on both, or nowhere, and differs from customer to customer.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::Decimal;
use super::currency::Cur;
use super::dice::Dice;
use super::ids;
use super::metadata::Metadata;
use super::pan_copy;
use super::plan::WorldPlan;
use super::pools::{Code, Coupon, Lasts, Off, Restrictions};
use super::pools_discounts;
use super::pools_draft::Draft;
use super::pools_listed;
use super::scenario_pools::Named;
use super::world::{Account, Customer, Role};

const DAY: i64 = 86_400;
/// How old the first coupon is.
const AGE: i64 = 1_500 * DAY;

/// Fills both accounts with what is listed, and the old one with what `plan` counts; `now` is the start of the night in
/// seconds. It comes after the subscriptions, which discounts work on.
pub(crate) fn fill([old, new]: [&mut Account; 2], plan: &WorldPlan, named: &Named<'_>, seed: u64, now: i64) {
    let mut draft = Draft::default();
    let mut maker = Maker {
        dice: Dice::new(ids::mix(&[b"coupons", &seed.to_be_bytes()])),
        account: old,
        now,
        people: People::of(old, now),
        texts: 0,
        thanked: BTreeSet::new(),
        draft: &mut draft,
    };
    maker.everything(plan);
    pools_discounts::draw(old, plan.discounts, &mut draft, seed, now);
    pools_listed::draft(old, named, &mut draft, now);
    draft.pour(old);
    let mut draft = Draft::default();
    pools_listed::draft(new, named, &mut draft, now);
    draft.pour(new);
}

/// Who codes may be for, by id.
struct People {
    movers: Vec<Box<str>>,
    stayers: Vec<Box<str>>,
    /// In region, and not copied: without a method, or late.
    absent: Vec<Box<str>>,
    deleted: Vec<Box<str>>,
}

impl People {
    fn of(account: &Account, now: i64) -> Self {
        let ids = |is: &dyn Fn(&Customer) -> bool| {
            let rows = account.customers.rows().iter().filter(|c| is(c));
            rows.map(|c| c.id.clone()).collect()
        };
        let gone = |c: &Customer| c.deleted || c.leaves;
        let late = |c: &Customer| c.created > now - pan_copy::BEFORE;
        Self {
            movers: ids(&|c| c.role == Role::Mover && !gone(c) && !late(c) && !c.methods.is_empty()),
            stayers: ids(&|c| c.role == Role::Stayer && !gone(c)),
            absent: ids(&|c| {
                !gone(c) && (c.role == Role::WithoutMethod || (c.role == Role::Mover && late(c)))
            }),
            deleted: ids(&|c| c.role == Role::Mover && gone(c)),
        }
    }
}

/// Limit and uses of a coupon, and of each of its codes.
struct Limits {
    coupon: (Option<i64>, i64),
    codes: Vec<(Option<i64>, i64)>,
}

struct Maker<'a> {
    dice: Dice,
    account: &'a Account,
    now: i64,
    people: People,
    texts: u32,
    /// Who has which of the common texts.
    thanked: BTreeSet<(u32, Box<str>)>,
    draft: &'a mut Draft,
}

impl Maker<'_> {
    fn everything(&mut self, plan: &WorldPlan) {
        for n in 0..plan.personal_coupons {
            let customer = self.one_of(|p| &p.movers);
            self.personal(n, customer);
        }
        for n in 0..plan.stayer_coupons {
            let customer = self.one_of(|p| &p.stayers);
            self.personal(n, customer);
        }
        for n in 0..plan.shared_coupons {
            self.shared(n);
        }
        for n in 0..plan.open_coupons {
            self.open(n);
        }
        for n in 0..plan.direct_coupons {
            let (max, used) = (self.dice.between(5, 40), self.dice.between(0, 4));
            let coupon = self.coupon(n, ((n % 2 == 0).then_some(max), used));
            self.draft.coupon(coupon);
        }
        for n in 0..plan.dead_coupons {
            self.dead(n);
        }
    }

    fn one_of(&mut self, of: impl Fn(&People) -> &[Box<str>]) -> Option<Box<str>> {
        let n = self.dice.below(of(&self.people).len() as u64);
        of(&self.people).get(usize::try_from(n).ok()?).cloned()
    }

    /// Where the limits of a customer's own coupon stand.
    fn limits(&mut self, n: u32) -> Limits {
        let used = self.dice.between(0, 4);
        let more = self.dice.between(1, 8);
        let direct = self.dice.between(1, 3);
        let most = used + more;
        let one = |coupon, code| Limits {
            coupon,
            codes: vec![code],
        };
        match n % 8 {
            // On the coupon alone; on the code alone; on both, one tighter than the other, also through direct uses.
            0 => one((Some(most), used), (None, used)),
            1 => one((None, used), (Some(most), used)),
            2 => one((Some(most + 5), used), (Some(most), used)),
            3 => one(
                (Some(most + direct), used + direct + more - 1),
                (Some(most), used),
            ),
            4 => one((None, used), (None, used)),
            5 => one((Some(1), 0), (Some(1), 0)),
            // Split over two codes of one customer; and over a code and the coupon's direct uses.
            6 => Limits {
                coupon: (Some(most + 4), 2 * used),
                codes: vec![(Some(most), used), (None, used)],
            },
            _ => one((Some(most), used + direct.min(more - 1)), (None, used)),
        }
    }

    fn personal(&mut self, n: u32, customer: Option<Box<str>>) {
        let Some(customer) = customer else { return };
        let limits = self.limits(n);
        let coupon = self.coupon(n, limits.coupon);
        let (created, redeem_by) = (coupon.created, coupon.redeem_by);
        let place = self.draft.coupon(coupon);
        for counter in limits.codes {
            let text = self.text_for(n, &customer);
            let mut code = self.code((place, created), &text, counter);
            code.customer = Some(customer.clone());
            code.restrictions = self.restrictions(n);
            code.expires_at = redeem_by.map(|by| by - DAY).filter(|_| n.is_multiple_of(3));
            self.draft.code(code);
        }
    }

    /// One coupon for several movers; now and then for somebody who stays, or for everybody, too.
    fn shared(&mut self, n: u32) {
        let count = self.dice.between(2, 6);
        let limited = n % 3 != 2;
        let uses: Vec<i64> = (0..count).map(|_| self.dice.between(0, 3)).collect();
        let used: i64 = uses.iter().sum();
        let max = used + self.dice.between(2, 12);
        let coupon = self.coupon(n, (limited.then_some(max), used + i64::from(n % 2)));
        let created = coupon.created;
        let place = self.draft.coupon(coupon);
        for (at, used) in (0_u32..).zip(uses) {
            let text = self.text();
            let own = at % 2 == 0;
            let own = own.then(|| (used + self.dice.between(1, 9)).min(if limited { max } else { i64::MAX }));
            let mut code = self.code((place, created), &text, (own, used));
            code.customer = match (n % 4, at) {
                (1, 0) => self.one_of(|p| &p.stayers),
                (3, 0) => None,
                _ => self.one_of(|p| &p.movers),
            };
            self.draft.code(code);
        }
    }

    fn open(&mut self, n: u32) {
        let used = self.dice.between(0, 60);
        let max = used + self.dice.between(2, 200);
        let (of_coupon, of_code) = match n % 4 {
            0 => (Some(max), None),
            1 => (None, Some(max)),
            2 => (None, None),
            _ => (Some(max + 20), Some(max)),
        };
        let coupon = self.coupon(n, (of_coupon, used));
        let created = coupon.created;
        let place = self.draft.coupon(coupon);
        let text = format!(
            "{}{}",
            ["WELCOME", "BACK2SCHOOL", "FRIENDS", "SUMMER"][n as usize % 4],
            n
        );
        let mut code = self.code((place, created), &text, (of_code, used));
        code.restrictions = self.restrictions(n);
        self.draft.code(code);
    }

    /// What cannot be used any more, and why; or by nobody who is on the new account.
    fn dead(&mut self, n: u32) {
        let mut coupon = self.coupon(0, (Some(10), 4));
        coupon.redeem_by = None;
        let mut counter = (Some(6), 3);
        let (mut on, mut expires_at) = (true, None);
        let mut customer = self.one_of(|p| &p.movers);
        match n % 9 {
            0 => coupon.redeem_by = Some(self.now - 20 * DAY),
            1 => coupon.used = 10,
            2 => counter = (Some(3), 3),
            3 => on = false,
            4 => coupon.deleted = true,
            5 => expires_at = Some(self.now - 2 * DAY),
            6 => customer = self.one_of(|p| &p.deleted),
            7 => customer = self.one_of(|p| &p.absent),
            // For everybody, and switched off although uses are left.
            _ => (on, customer) = (false, None),
        }
        let nobody = customer.is_none() && n % 9 != 8;
        let created = coupon.created;
        let place = self.draft.coupon(coupon);
        if nobody {
            return;
        }
        let text = self.text();
        let mut code = self.code((place, created), &text, counter);
        (code.on, code.expires_at, code.customer) = (on, expires_at, customer);
        self.draft.code(code);
    }

    /// A coupon with terms by turn, older than any code of it.
    fn coupon(&mut self, n: u32, (max, used): (Option<i64>, i64)) -> Coupon {
        let id = ids::alnum(self.dice.next(), 8);
        let created = self.now - self.dice.between(60 * DAY, AGE);
        let lasts = match self.dice.below(5) {
            0 => Lasts::Forever,
            1 => Lasts::Months(u32::try_from(self.dice.between(1, 12)).unwrap_or(1)),
            _ => Lasts::Once,
        };
        let redeem_by = (n % 5 == 3).then(|| self.now + self.dice.between(10, 300) * DAY);
        let name = self.dice.percent(70).then(|| format!("Offer {}", n + 1).into());
        let metadata = match self.dice.below(4) {
            0 => Metadata::of(&[("campaign", &format!("c{}", self.dice.below(30)))]),
            _ => Metadata::default(),
        };
        Coupon {
            off: off(&mut self.dice),
            lasts,
            max,
            redeem_by,
            used,
            applies_to: self.products(n),
            name,
            metadata,
            ..Coupon::bare(&id, created)
        }
    }

    /// Every seventh coupon is for one or two products.
    fn products(&mut self, n: u32) -> Box<[Box<str>]> {
        let products = self.account.catalogue.products.rows();
        let len = products.len() as u64;
        if n % 7 != 2 || len == 0 {
            return Box::default();
        }
        let mut chosen = BTreeMap::new();
        for _ in 0..=n % 2 {
            let at = self.dice.below(len);
            let product = usize::try_from(at).ok().and_then(|at| products.get(at));
            chosen.extend(product.filter(|p| !p.deleted).map(|p| (at, p.id.clone())));
        }
        chosen.into_values().collect()
    }

    fn restrictions(&mut self, n: u32) -> Restrictions {
        let minimum = self.dice.between(1, 20) * 500;
        match n % 11 {
            4 => Restrictions {
                first_time: true,
                ..Restrictions::default()
            },
            7 => Restrictions {
                minimum: Some((Cur::USD, minimum)),
                options: BTreeMap::from([(Cur::AUD, minimum + 1000)]),
                ..Restrictions::default()
            },
            9 => Restrictions {
                first_time: true,
                minimum: Some((Cur::USD, minimum)),
                ..Restrictions::default()
            },
            _ => Restrictions::default(),
        }
    }

    fn code(&mut self, (coupon, since): (u32, i64), text: &str, (max, used): (Option<i64>, i64)) -> Code {
        let id = ids::object("promo_", &self.account.id, self.dice.next());
        let created = since + self.dice.between(0, 40 * DAY);
        Code {
            max,
            used,
            ..Code::bare(&id, created, coupon, text)
        }
    }

    /// Several customers may have the same text, each for himself.
    fn text_for(&mut self, n: u32, customer: &str) -> String {
        let common = format!("THANKS{}", n / 64);
        if n % 8 == 4 && self.thanked.insert((n / 64, customer.into())) {
            common
        } else {
            self.text()
        }
    }

    /// A text no other code has, without regard to case.
    fn text(&mut self) -> String {
        let word = self
            .dice
            .pick(&["ADA", "Tutor", "lesson", "SAVE", "MATHS", "hello-"], "SAVE");
        self.texts += 1;
        format!(
            "{word}{}{}",
            self.texts,
            ids::alnum(self.dice.next(), 3).to_ascii_uppercase()
        )
    }
}

/// What a coupon takes off.
pub(crate) fn off(dice: &mut Dice) -> Off {
    let amount = dice.between(1, 20) * 250;
    match dice.below(9) {
        0 => Off::Amount(Cur::USD, amount, BTreeMap::new()),
        1 => Off::Amount(Cur::USD, amount, BTreeMap::from([(Cur::AUD, amount * 3 / 2)])),
        2 => Off::Amount(
            Cur::AUD,
            amount,
            BTreeMap::from([(Cur::USD, amount), (Cur::JPY, amount)]),
        ),
        3 => Off::Percent(Decimal::of("12.5")),
        4 => Off::Percent(Decimal::of("100")),
        _ => Off::Percent(Decimal::of(dice.pick(&["5", "10", "15", "20", "25", "50"], "20"))),
    }
}
