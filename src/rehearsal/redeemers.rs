//! Who redeems while the program works: actors of the scenario, tests, and the crowd. What the crowd does is a function
//! of the seed and of the request before which it does it.

use super::call::live_customer;
use super::errors::Refusal;
use super::foreign::Actor;
use super::form;
use super::ids;
use super::objects::subscriptions;
use super::params::Params;
use super::pipeline::Core;
use super::pools::Code;
use super::redeem::has_paid;
use super::redemptions::Redeemed;
use super::world::{Customer, Role};
use crate::domain::time::UtcMs;

/// How many customers are looked at for one who may use a code.
const TRIES: usize = 30;

impl Core {
    /// Lets the crowd redeem before a request, as often as the scenario says.
    pub(crate) fn others_redeem(&mut self, token: u64, now: UtcMs) {
        let behaviour = self.shared.behaviour;
        for (word, of_1000, direct) in [
            ("by code", behaviour.redemptions_per_1000_requests, false),
            ("directly", behaviour.direct_redemptions_per_1000_requests, true),
        ] {
            // Most worlds have no crowd: no dice then.
            if of_1000 == 0 {
                continue;
            }
            let dice = ids::mix(&[b"crowd", word.as_bytes(), &token.to_be_bytes()]);
            if dice % 1000 >= u64::from(of_1000) {
                continue;
            }
            let dice = ids::step(dice);
            self.account.now = now.secs();
            let chosen = if direct {
                self.any_coupon(dice)
            } else {
                self.any_code(dice)
            };
            if let Some(redeemed) = chosen {
                // What was chosen can be redeemed, or else nothing happened.
                let _ = self.redeem(redeemed, now, None);
            }
        }
    }

    /// A code that can be redeemed and somebody who may.
    fn any_code(&self, dice: u64) -> Option<Redeemed> {
        let account = &self.account;
        let codes = account.pools.codes().rows();
        let code = walk(codes, dice).find(|code| account.pools.active(code, account.now))?;
        let customer = self.who_may(code, dice)?;
        let minimum = code.restrictions.minimum.as_ref();
        Some(Redeemed {
            code: Some(code.id.to_string()),
            subscription: minimum.map_or_else(|| self.stays_subscribed(customer), |_| None),
            customer: customer.id.to_string(),
            amount: minimum.map(|(cur, least)| (cur.as_str().to_owned(), *least)),
            token: dice,
            ..Redeemed::default()
        })
    }

    fn any_coupon(&self, dice: u64) -> Option<Redeemed> {
        let coupons = self.account.pools.coupons().rows();
        let coupon = walk(coupons, dice).find(|c| c.dead(self.account.now).is_none())?;
        let mut customers = walk(self.account.customers.rows(), dice);
        let customer = customers.find(|c| !c.deleted)?;
        Some(Redeemed {
            coupon: Some(coupon.id.to_string()),
            customer: customer.id.to_string(),
            token: dice,
            ..Redeemed::default()
        })
    }

    fn who_may(&self, code: &Code, dice: u64) -> Option<&Customer> {
        let account = &self.account;
        if let Some(id) = &code.customer {
            return account.customers.at(live_customer(account, id)?);
        }
        let fits = |c: &&Customer| {
            let slot = account.customers.slot(&c.id);
            !c.deleted && slot.is_some_and(|s| !code.restrictions.first_time || !has_paid(account, s))
        };
        walk(account.customers.rows(), dice).take(TRIES).find(fits)
    }

    /// The running subscription of somebody who stays: people who move make no changes to theirs that night.
    fn stays_subscribed(&self, customer: &Customer) -> Option<String> {
        if customer.role != Role::Stayer {
            return None;
        }
        let all = subscriptions::of_customer(&self.account, &customer.id);
        let running = all.iter().find(|s| !s.status.is_over());
        running.map(|s| s.id.to_string())
    }

    /// An actor's redemption.
    pub(crate) fn foreign_redemption(&mut self, number: usize, actor: &Actor, path: &str, now: UtcMs) {
        self.pass_time(now.secs());
        let code = actor
            .code
            .as_ref()
            .and_then(|wanted| self.foreign_code(wanted, path));
        let coupon = actor
            .coupon
            .as_ref()
            .and_then(|wanted| self.foreign_coupon(wanted, path));
        let restricted = code.as_ref().and_then(|id| self.account.pools.codes().get(id));
        let only = restricted.and_then(|c| c.customer.as_ref().map(ToString::to_string));
        let customer = only.or_else(|| self.foreign_target(actor, path));
        let (Some(customer), true) = (customer, code.is_some() || coupon.is_some()) else {
            return;
        };
        let seed = self.shared.seed.to_be_bytes();
        let redeemed = Redeemed {
            token: ids::mix(&[b"foreign redemption", &seed, &number.to_be_bytes()]),
            amount: actor.currency.clone().map(|cur| (cur, actor.amount)),
            code,
            coupon,
            customer,
            ..Redeemed::default()
        };
        // Somebody who comes too late is refused; nobody is told.
        let _ = self.redeem(redeemed, now, Some(number));
    }

    /// The id of a promotion code: the one a path names, or one of that text, an active one first.
    pub(crate) fn foreign_code(&self, wanted: &str, path: &str) -> Option<String> {
        if wanted == "same" {
            return path
                .split('/')
                .find(|s| s.starts_with("promo_"))
                .map(str::to_owned);
        }
        let pools = &self.account.pools;
        let slots = pools.with_text(wanted);
        let codes = slots.iter().filter_map(|slot| pools.codes().at(*slot));
        let newest_active = codes.max_by_key(|code| (pools.active(code, self.account.now), code.created));
        newest_active.map(|code| code.id.to_string())
    }

    /// The id of a coupon: the one a path names or whose code it names, or the one wanted.
    pub(crate) fn foreign_coupon(&self, wanted: &str, path: &str) -> Option<String> {
        if wanted != "same" {
            return Some(wanted.to_owned());
        }
        if let Some(id) = path.strip_prefix("/v1/coupons/") {
            return form::decode(id);
        }
        let pools = &self.account.pools;
        let code = pools.codes().get(&self.foreign_code("same", path)?)?;
        pools.coupons().at(code.coupon).map(|c| c.id.to_string())
    }

    /// Redeems as a form says: `code` (text, or id) or `coupon`; `customer`; `subscription` and the number of its
    /// `item`, or `place=customer` for all of the customer's bills, or neither for a purchase; `amount` and `currency`
    /// of what is bought. Says the discount's id.
    pub(crate) fn redeem_as_asked(&mut self, asked: &str, now: UtcMs) -> Result<String, Refusal> {
        let tree = form::parse(asked).map_err(|message| Refusal::invalid("body", message))?;
        let params = Params(&tree);
        self.account.now = now.secs();
        let text = |name: &str| params.text(name).map(str::to_owned);
        let code = text("code").map(|code| match self.account.pools.codes().slot(&code) {
            Some(_) => code,
            None => self.foreign_code(&code, "").unwrap_or(code),
        });
        let before = self.account.pools.discounts().rows().len();
        let redeemed = Redeemed {
            code,
            coupon: text("coupon"),
            customer: text("customer").unwrap_or_default(),
            subscription: text("subscription"),
            item: params.int("item").and_then(|n| u8::try_from(n).ok()),
            whole_customer: params.text("place") == Some("customer"),
            amount: text("currency").zip(params.int("amount")),
            token: ids::mix(&[b"asked", asked.as_bytes(), &before.to_be_bytes()]),
        };
        let slot = self.redeem(redeemed, now, None)?;
        let discount = self.account.pools.discounts().at(slot);
        Ok(discount.map_or_else(String::new, |d| d.id.to_string()))
    }
}

/// All of `rows` once, beginning somewhere.
fn walk<T>(rows: &[T], dice: u64) -> impl Iterator<Item = &T> {
    let from = usize::try_from(dice.checked_rem(rows.len() as u64).unwrap_or(0)).unwrap_or(0);
    let (before, after) = rows.split_at(from);
    after.iter().chain(before)
}
