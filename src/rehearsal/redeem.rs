//! Redeeming: a customer enters a code, or the application applies a coupon. Either makes a discount and counts, on the
//! code and its coupon or on the coupon alone.

use chrono::{DateTime, Months};

use super::currency::Cur;
use super::errors::Refusal;
use super::ids;
use super::pools::{Code, Coupon, Dead, Discount, Lasts, Off, On};
use super::world::{Account, By};

/// Most discounts one subscription may carry (schema `subscription`, parameter `discounts`).
const STACKED: usize = 20;

/// What is redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The code in this slot.
    Code(u32),
    /// The coupon in this slot, by the application.
    Coupon(u32),
}

/// A wish to redeem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) what: What,
    /// Slot of who redeems.
    pub(crate) customer: u32,
    pub(crate) on: On,
    /// What is bought, when that is known: a code may ask for a minimum.
    pub(crate) amount: Option<(Cur, i64)>,
    pub(crate) by: By,
    /// What the discount's id is drawn from.
    pub(crate) token: u64,
}

/// Redeems, and says the slot of the discount. A coupon that is already on the subscription stays and does not count
/// again.
pub(crate) fn redeem(account: &mut Account, wish: &Wish, now: i64) -> Result<u32, Refusal> {
    let pools = &account.pools;
    let (code, coupon_slot) = match wish.what {
        What::Code(slot) => {
            let code = pools.codes().at(slot).ok_or_else(|| unknown_code(""))?;
            (Some((slot, code)), code.coupon)
        }
        What::Coupon(slot) => (None, slot),
    };
    let coupon = pools
        .coupons()
        .at(coupon_slot)
        .ok_or_else(|| unknown_coupon(""))?;
    if let Some(slot) = already(account, wish, coupon_slot, now) {
        return Ok(slot);
    }
    if let Some((_, code)) = code {
        check_code(account, code, wish, now)?;
    }
    check_coupon(coupon, now)?;
    check_place(account, wish, coupon, now)?;
    let id = ids::object("di_", &account.id, wish.token);
    let start = Account::stamp(pools.discounts(), now);
    let end = end(coupon.lasts, now);
    let code_slot = code.map(|(slot, _)| slot);
    if let Some(coupon) = account.pools.coupon_mut(coupon_slot) {
        coupon.used += 1;
    }
    if let Some(code) = code_slot.and_then(|slot| account.pools.code_mut(slot)) {
        code.used += 1;
    }
    Ok(account.pools.add_discount(Discount {
        id: id.into(),
        start,
        end,
        coupon: coupon_slot,
        code: code_slot,
        customer: wish.customer,
        on: wish.on,
        by: wish.by,
    }))
}

/// When a discount that begins now is over: by the calendar, as Stripe counts months (schema `discount`, field `end`).
pub(crate) fn end(lasts: Lasts, start: i64) -> Option<i64> {
    let Lasts::Months(months) = lasts else {
        return None;
    };
    let start = DateTime::from_timestamp(start, 0)?;
    start
        .checked_add_months(Months::new(months))
        .map(|at| at.timestamp())
}

fn already(account: &Account, wish: &Wish, coupon: u32, now: i64) -> Option<u32> {
    let running = match wish.on {
        On::Subscription(slot) => account.pools.running(slot, None, now),
        On::Item(slot, n) => account.pools.running(slot, Some(n), now),
        On::Customer | On::Checkout => Vec::new(),
    };
    let discounts = account.pools.discounts();
    running
        .into_iter()
        .find(|slot| discounts.at(*slot).is_some_and(|d| d.coupon == coupon))
}

/// Why a coupon can no longer be applied.
pub(crate) fn check_coupon(coupon: &Coupon, now: i64) -> Result<(), Refusal> {
    let id = &coupon.id;
    let how = match coupon.dead(now) {
        None => return Ok(()),
        Some(Dead::Deleted) => return Err(unknown_coupon(id)),
        Some(Dead::Expired) => "expired",
        Some(Dead::UsedUp) => "used up",
    };
    let mut refused = Refusal::rejected(
        Some("coupon"),
        format!("Coupon {id} is {how} and cannot be applied."),
    );
    refused.code = Some("coupon_expired");
    Err(refused)
}

fn check_code(account: &Account, code: &Code, wish: &Wish, now: i64) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::rejected(Some("promotion_code"), message));
    let text = &code.text;
    if !account.pools.active(code, now) {
        return refuse(format!("This promotion code ({text}) is not active."));
    }
    let customer = account.customers.at(wish.customer).filter(|c| !c.deleted);
    let Some(customer) = customer else {
        return refuse("The customer of this promotion code is gone.".to_owned());
    };
    if code.customer.as_ref().is_some_and(|only| *only != customer.id) {
        return refuse(format!(
            "This promotion code ({text}) cannot be redeemed by this customer."
        ));
    }
    if code.restrictions.first_time && has_paid(account, wish.customer) {
        return refuse(
            "This promotion code cannot be redeemed because the associated customer has prior transactions."
                .to_owned(),
        );
    }
    check_minimum(code, wish)
}

/// A minimum is checked when a purchase is made; subscriptions that exist and their items take no such code.
fn check_minimum(code: &Code, wish: &Wish) -> Result<(), Refusal> {
    let limits = &code.restrictions;
    let Some((cur, least)) = limits.minimum else {
        return Ok(());
    };
    let refuse = |message: &str| Err(Refusal::rejected(Some("promotion_code"), message.to_owned()));
    if wish.on != On::Checkout {
        return refuse("Promotion codes with a minimum amount cannot be applied to existing subscriptions.");
    }
    let Some((bought_in, bought)) = wish.amount else {
        return Ok(());
    };
    let least = if bought_in == cur {
        Some(least)
    } else {
        limits.options.get(&bought_in).copied()
    };
    match least {
        Some(least) if bought >= least => Ok(()),
        _ => refuse(
            "This promotion code cannot be redeemed because the amount does not meet the minimum amount of the code.",
        ),
    }
}

/// Whether a customer ever paid this account. Nothing is charged here: whoever has or had a subscription did.
pub(crate) fn has_paid(account: &Account, customer: u32) -> bool {
    let Some(customer) = account.customers.at(customer) else {
        return false;
    };
    let running = account.billing.by_customer.slots(&customer.id);
    let theirs = |slot: &u32| {
        let subscription = account.billing.subscriptions.at(*slot);
        subscription.is_some_and(|s| {
            account
                .customers
                .at(s.customer)
                .is_some_and(|c| c.id == customer.id)
        })
    };
    running.iter().any(theirs)
}

/// A subscription takes a coupon of its own customer's, of its currency, as long as it runs.
fn check_place(account: &Account, wish: &Wish, coupon: &Coupon, now: i64) -> Result<(), Refusal> {
    let (slot, item) = match wish.on {
        On::Subscription(slot) => (slot, None),
        On::Item(slot, n) => (slot, Some(n)),
        On::Customer | On::Checkout => return Ok(()),
    };
    let found = account.billing.subscriptions.at(slot);
    let Some(subscription) = found.filter(|s| s.customer == wish.customer) else {
        return Err(Refusal::missing("subscription", "", "subscription", false));
    };
    if item.is_some_and(|n| usize::from(n) >= subscription.items.len()) {
        return Err(Refusal::missing("subscription item", "", "items", false));
    }
    if subscription.status.is_over() {
        let message =
            "A canceled subscription can only update its cancellation_details and metadata.".to_owned();
        return Err(Refusal::rejected(Some("discounts"), message));
    }
    if let Off::Amount(cur, _, others) = &coupon.off
        && *cur != subscription.currency
        && !others.contains_key(&subscription.currency)
    {
        let (id, has) = (&coupon.id, subscription.currency.as_str());
        let message = format!("Coupon {id} has no amount in {has} and cannot be applied.");
        return Err(Refusal::rejected(Some("coupon"), message));
    }
    if account.pools.running(slot, item, now).len() >= STACKED {
        let message = format!("Invalid array: discounts may have at most {STACKED} elements.");
        return Err(Refusal::rejected(Some("discounts"), message));
    }
    Ok(())
}

fn unknown_coupon(id: &str) -> Refusal {
    Refusal::missing("coupon", id, "coupon", false)
}

fn unknown_code(id: &str) -> Refusal {
    Refusal::missing("promotion code", id, "promotion_code", false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::rehearsal::call::Call;
    use crate::rehearsal::endpoints::{ENDPOINTS, find};
    use crate::rehearsal::form::parse;
    use crate::rehearsal::params;
    use crate::rehearsal::world::{Customer, Role, Side};

    const DAY: i64 = 86_400;

    /// An account with two customers and what a request to it does.
    struct World {
        account: Account,
        now: i64,
        requests: u64,
    }

    impl World {
        fn new() -> Self {
            let mut account = Account::empty(Side::Source);
            for id in ["cus_a", "cus_b"] {
                account.add_customer(Customer::bare(id, 0, Role::Mover));
            }
            Self {
                account,
                now: 1_800_000_000,
                requests: 0,
            }
        }

        fn send(&mut self, method: &str, path: &str, form: &str) -> Result<Value, Refusal> {
            let (endpoint, args) = find(method, path).unwrap();
            let tree = parse(form).unwrap();
            params::check(ENDPOINTS[endpoint].schema, &tree)?;
            self.requests += 1;
            let (token, by) = (self.requests, By::Api);
            let mut call = Call::new(
                &mut self.account,
                self.now,
                token,
                by,
                "",
                None,
                &tree,
                args,
                path,
            );
            (ENDPOINTS[endpoint].run)(&mut call)
        }

        fn redeem(&mut self, what: What, customer: u32, on: On) -> Result<u32, Refusal> {
            self.requests += 1;
            let wish = Wish {
                what,
                customer,
                on,
                amount: None,
                by: By::Foreign,
                token: self.requests,
            };
            redeem(&mut self.account, &wish, self.now)
        }

        /// Everything that must hold whatever was done.
        fn check(&self) {
            let pools = &self.account.pools;
            let mut active = Vec::new();
            for (slot, coupon) in (0_u32..).zip(pools.coupons().rows()) {
                let made = pools.discounts().rows().iter().filter(|d| d.coupon == slot);
                assert_eq!(coupon.used, i64::try_from(made.count()).unwrap());
                assert!(coupon.max.is_none_or(|max| coupon.used <= max), "{}", coupon.id);
                let codes = pools
                    .codes_of(slot)
                    .iter()
                    .map(|at| pools.codes().at(*at).unwrap());
                assert!(codes.map(|c| c.used).sum::<i64>() <= coupon.used);
            }
            for code in pools.codes().rows() {
                assert!(code.max.is_none_or(|max| code.used <= max), "{}", code.text);
                if pools.active(code, self.now) {
                    active.push((code.text.to_lowercase(), code.customer.clone()));
                }
            }
            for (n, (text, customer)) in active.iter().enumerate() {
                for (other, theirs) in &active[n + 1..] {
                    let meet = customer.is_none() || theirs.is_none() || customer == theirs;
                    assert!(text != other || !meet, "two active codes {text}");
                }
            }
        }

        fn dead_codes(&self) -> BTreeSet<usize> {
            let pools = &self.account.pools;
            let codes = pools.codes().rows().iter().enumerate();
            let dead = codes.filter(|(_, c)| pools.dead(c, self.now).is_some());
            dead.map(|(n, _)| n).collect()
        }
    }

    #[derive(Clone, Debug)]
    enum Deed {
        Coupon(Option<u8>, Option<u8>),
        Code(u8, u8, u8, Option<u8>, bool),
        Switch(u8, bool),
        ByCode(u8, u8),
        Directly(u8, u8),
        Delete(u8),
        Wait(u8),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        let few = || proptest::option::of(1_u8..4);
        prop_oneof![
            (few(), few()).prop_map(|(max, days)| Deed::Coupon(max, days)),
            (0..3_u8, 0..3_u8, 0..3_u8, few(), any::<bool>())
                .prop_map(|(of, text, who, max, on)| Deed::Code(of, text, who, max, on)),
            (0..6_u8, any::<bool>()).prop_map(|(code, on)| Deed::Switch(code, on)),
            (0..6_u8, 0..2_u8).prop_map(|(code, who)| Deed::ByCode(code, who)),
            (0..3_u8, 0..2_u8).prop_map(|(coupon, who)| Deed::Directly(coupon, who)),
            (0..3_u8).prop_map(Deed::Delete),
            (1..3_u8).prop_map(Deed::Wait),
        ]
    }

    fn act(world: &mut World, deed: &Deed) {
        let id_of = |world: &World, n: u8| {
            let all = world.account.pools.codes().rows();
            all.get(usize::from(n)).map(|c| c.id.to_string())
        };
        // A refusal is as good as a deed: what must hold, holds after either.
        let _ = match deed {
            Deed::Coupon(max, days) => {
                let n = world.account.pools.coupons().rows().len() % 3;
                let max = max.map_or(String::new(), |m| format!("&max_redemptions={m}"));
                let until = days.map_or(String::new(), |d| {
                    format!("&redeem_by={}", world.now + i64::from(d) * DAY)
                });
                world.send(
                    "POST",
                    "/v1/coupons",
                    &format!("id=c{n}&percent_off=5{max}{until}"),
                )
            }
            Deed::Code(of, text, who, max, on) => {
                let text = ["A", "a", "B"][usize::from(*text)];
                let who = ["", "&customer=cus_a", "&customer=cus_b"][usize::from(*who)];
                let max = max.map_or(String::new(), |m| format!("&max_redemptions={m}"));
                let promotion = format!("promotion[type]=coupon&promotion[coupon]=c{of}");
                let form = format!("{promotion}&code={text}{who}{max}&active={on}");
                world.send("POST", "/v1/promotion_codes", &form)
            }
            Deed::Switch(code, on) => match id_of(world, *code) {
                Some(id) => world.send(
                    "POST",
                    &format!("/v1/promotion_codes/{id}"),
                    &format!("active={on}"),
                ),
                None => Ok(Value::Null),
            },
            Deed::ByCode(code, who) => {
                let done = world.redeem(What::Code(u32::from(*code)), u32::from(*who), On::Checkout);
                done.map(Value::from)
            }
            Deed::Directly(coupon, who) => {
                let done = world.redeem(What::Coupon(u32::from(*coupon)), u32::from(*who), On::Checkout);
                done.map(Value::from)
            }
            Deed::Delete(coupon) => world.send("DELETE", &format!("/v1/coupons/c{coupon}"), ""),
            Deed::Wait(days) => {
                world.now += i64::from(*days) * DAY;
                Ok(Value::Null)
            }
        };
    }

    proptest! {
        #[test]
        fn no_counter_passes_its_limit_no_two_active_codes_meet_and_the_dead_stay_dead(
            deeds in proptest::collection::vec(deed(), 1..40)
        ) {
            let mut world = World::new();
            let mut dead = BTreeSet::new();
            for deed in &deeds {
                act(&mut world, deed);
                world.check();
                let now = world.dead_codes();
                prop_assert!(dead.is_subset(&now), "{:?} came back", dead.difference(&now));
                dead = now;
            }
        }
    }

    /// A text, whose it is (0: everybody's) and whether it is active when it is made.
    type Wanted = (&'static str, usize, bool);

    #[test]
    fn of_two_codes_the_second_is_refused_if_and_only_if_both_would_be_active_for_one_person() {
        let owners = ["", "&customer=cus_a", "&customer=cus_b"];
        let mut all: Vec<Wanted> = Vec::new();
        for text in ["X", "x", "Y"] {
            for owner in 0..owners.len() {
                all.extend([(text, owner, true), (text, owner, false)]);
            }
        }
        for first in &all {
            for second in &all {
                let mut world = World::new();
                world.send("POST", "/v1/coupons", "id=c&percent_off=5").unwrap();
                let make = |world: &mut World, (text, owner, on): &Wanted| {
                    let promotion = "promotion[type]=coupon&promotion[coupon]=c";
                    let form = format!("{promotion}&code={text}&active={on}{}", owners[*owner]);
                    world.send("POST", "/v1/promotion_codes", &form)
                };
                make(&mut world, first).unwrap();
                let same = first.0.eq_ignore_ascii_case(second.0);
                let meet = first.1 == 0 || second.1 == 0 || first.1 == second.1;
                let clash = same && meet && first.2;
                let got = make(&mut world, second);
                assert_eq!(got.is_err(), clash && second.2, "{first:?} {second:?}");
                // A code that was made inactive is refused its place later, when it asks for it.
                if let (Ok(code), false) = (got, second.2) {
                    let path = format!("/v1/promotion_codes/{}", code["id"].as_str().unwrap());
                    let got = world.send("POST", &path, "active=true");
                    assert_eq!(got.is_err(), clash, "{first:?} {second:?} later");
                }
                world.check();
            }
        }
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let at = |text: &str| {
            let at = DateTime::parse_from_rfc3339(text).unwrap();
            at.timestamp()
        };
        for (start, months, over) in [
            ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
            ("2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"),
            ("2026-11-30T00:00:00Z", 3, "2027-02-28T00:00:00Z"),
            ("2026-05-15T23:59:59Z", 12, "2027-05-15T23:59:59Z"),
        ] {
            assert_eq!(end(Lasts::Months(months), at(start)), Some(at(over)), "{start}");
        }
        assert_eq!((end(Lasts::Once, 5), end(Lasts::Forever, 5)), (None, None));
    }
}
