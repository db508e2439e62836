//! Redemptions as deeds of people: customers at a checkout, the application, a foreign actor. The API the client sees
//! has no part in them, so they are lines of their own in the world log.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::{Call, Pooled};
use super::currency::Cur;
use super::errors::Refusal;
use super::expand::Expand;
use super::form::Node;
use super::objects::{discounts_view, promotion_codes_view};
use super::pipeline::{Core, lock};
use super::pools::On;
use super::redeem::{What, Wish, redeem};
use super::watch::Change;
use super::world::By;
use super::world_log::Line;
use crate::domain::time::UtcMs;

/// What somebody redeemed, by ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redeemed {
    /// Of the coupon, when the application applied it itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) coupon: Option<String>,
    /// Of the promotion code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) code: Option<String>,
    pub(crate) customer: String,
    /// What the discount goes on; absent: a purchase that is over with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) subscription: Option<String>,
    /// The number of the subscription's item, when it goes on that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) item: Option<u8>,
    /// Whether it goes on all of the customer's bills, as it did before that was given up.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) whole_customer: bool,
    /// What is bought: currency and minor units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) amount: Option<(String, i64)>,
    /// What ids derive from.
    pub(crate) token: u64,
}

impl Core {
    /// Redeems, writes it down and says the discount's slot. A refusal changes nothing and is written only of an actor,
    /// who does not come again.
    pub(crate) fn redeem(
        &mut self,
        redeemed: Redeemed,
        at: UtcMs,
        actor: Option<usize>,
    ) -> Result<u32, Refusal> {
        let outcome = self.carry_out_redemption(&redeemed, at);
        if outcome.is_err() && actor.is_none() {
            return outcome;
        }
        self.write_line(&Line::Redeem {
            at,
            account: self.account.side,
            redeemed,
            actor,
        });
        outcome
    }

    /// The same without writing it down.
    pub(crate) fn carry_out_redemption(&mut self, redeemed: &Redeemed, at: UtcMs) -> Result<u32, Refusal> {
        self.pass_time(at.secs());
        let wish = self.wish(redeemed)?;
        let before = self.account.pools.discounts().rows().len();
        let slot = redeem(&mut self.account, &wish, at.secs())?;
        if self.account.pools.discounts().rows().len() > before {
            self.tell_redemption(slot, redeemed, at);
            self.watch_redemption(slot, redeemed);
        }
        Ok(slot)
    }

    /// Events of a redemption; a code that was used for the last time says that it is not active any more.
    fn tell_redemption(&mut self, slot: u32, redeemed: &Redeemed, at: UtcMs) {
        let none = Node::empty();
        let (now, token) = (at.secs(), redeemed.token);
        let account = &mut self.account;
        let mut call = Call::new(account, now, token, By::Foreign, "", None, &none, Vec::new(), "");
        let whole = Expand::default();
        let Some(discount) = call.account.pools.discounts().at(slot) else {
            return;
        };
        let code = discount.code;
        let shown = discounts_view::show(call.account, discount, &whole);
        call.event("customer.discount.created", shown, None);
        let code = code.and_then(|slot| call.account.pools.codes().at(slot));
        if let Some(code) = code.filter(|c| !call.account.pools.active(c, now)) {
            let previous = json!({ "active": true, "times_redeemed": code.used - 1 });
            let shown = promotion_codes_view::show(call.account, code, &whole);
            call.event("promotion_code.updated", shown, Some(previous));
        }
    }

    fn watch_redemption(&mut self, slot: u32, redeemed: &Redeemed) {
        let what = redeemed.code.as_ref().or(redeemed.coupon.as_ref());
        let change = Change {
            side: self.account.side,
            by: By::Foreign,
            request_id: "",
            what: &format!("{} redeemed by {}", what.map_or("", |w| w), redeemed.customer),
            touched: &[],
            markers: &[],
            catalogued: &[],
            pooled: &[Pooled::Redeemed(slot)],
        };
        lock(&self.shared.watch).changed(&self.account, &change);
    }

    fn wish(&self, redeemed: &Redeemed) -> Result<Wish, Refusal> {
        let pools = &self.account.pools;
        let what = match (&redeemed.code, &redeemed.coupon) {
            (Some(id), _) => {
                let slot = pools.codes().slot(id).map(What::Code);
                slot.ok_or_else(|| Refusal::missing("promotion code", id, "promotion_code", false))?
            }
            (None, id) => {
                let id = id.as_deref().unwrap_or_default();
                let slot = pools.coupons().slot(id).map(What::Coupon);
                slot.ok_or_else(|| Refusal::missing("coupon", id, "coupon", false))?
            }
        };
        let id = &redeemed.customer;
        let customer = super::call::live_customer(&self.account, id)
            .ok_or_else(|| Refusal::missing("customer", id, "customer", false))?;
        let on = match &redeemed.subscription {
            None if redeemed.whole_customer => On::Customer,
            None => On::Checkout,
            Some(id) => {
                let slot = self.account.billing.subscriptions.slot(id);
                let slot = slot.ok_or_else(|| Refusal::missing("subscription", id, "subscription", false))?;
                redeemed
                    .item
                    .map_or(On::Subscription(slot), |n| On::Item(slot, n))
            }
        };
        let amount = redeemed.amount.as_ref();
        Ok(Wish {
            what,
            customer,
            on,
            amount: amount.and_then(|(cur, n)| Some((Cur::parse(cur)?, *n))),
            by: By::Foreign,
            token: redeemed.token,
        })
    }
}
