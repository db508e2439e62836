//! Foreign actors: people at the dashboard, who change things while the program works.

use serde::Deserialize;

use super::faults::path_matches;
use super::objects::subscriptions_view::item_id_of;
use super::world::Side;

/// What a foreign actor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Posts `amount` in `currency` to the customer's ledger.
    BalanceTransaction,
    /// Deletes the customer.
    DeleteCustomer,
    /// Renames the customer.
    RenameCustomer,
    /// A bank transfer of `amount` in `currency` arrives.
    FundCash,
    /// The customer redeems `code`; or the application applies `coupon` for the customer.
    Redeem,
    /// Makes a coupon of the id `coupon`, of other terms than any.
    CreateCoupon,
    /// Deletes `coupon`.
    DeleteCoupon,
    /// Makes the code `code` of `coupon`, open to all.
    CreateCode,
    /// Makes `code` inactive.
    CloseCode,
    /// Cancels a subscription at once.
    CancelSubscription,
    /// Has a subscription end with its period.
    CancelAtPeriodEnd,
    /// Sells `amount` of the first item of a subscription from the next bill on.
    ChangeQuantity,
    /// Sells `price` instead of the first item of a subscription from the next bill on.
    ChangePlan,
}

impl Deed {
    /// Whether it is about a subscription.
    pub(crate) const fn is_about_subscriptions(self) -> bool {
        matches!(
            self,
            Self::CancelSubscription | Self::CancelAtPeriodEnd | Self::ChangeQuantity | Self::ChangePlan
        )
    }

    /// Whether it is about coupons or codes.
    pub(crate) const fn is_about_pools(self) -> bool {
        matches!(
            self,
            Self::Redeem | Self::CreateCoupon | Self::DeleteCoupon | Self::CreateCode | Self::CloseCode
        )
    }
}

/// A `[[foreign]]` of a scenario: one deed, just before the `nth` request that matches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Actor {
    pub(crate) account: Side,
    #[serde(rename = "do")]
    pub(crate) deed: Deed,
    /// Requests that count, as `POST /v1/customers/*/balance_transactions`; absent: every request.
    pub(crate) before: Option<String>,
    /// The how manieth of them, from 1.
    pub(crate) nth: Option<u32>,
    /// Not before so long after the start of the night.
    pub(crate) after_ms: Option<i64>,
    /// `same` (the one the request is about) or `mover:N`, `stayer:N`: the N-th with credit, from 0
    /// (with or without, where coupons are concerned; with a subscription that is not over, where that is). Who redeems a code
    /// that is restricted to one customer is that one.
    #[serde(default)]
    pub(crate) customer: String,
    /// `same`, or a code's text.
    pub(crate) code: Option<String>,
    /// `same` (also the coupon of the code the request is about), or a coupon's id.
    pub(crate) coupon: Option<String>,
    /// `same` (the one the request is about), or an id; absent: the oldest of `customer` that is not over.
    pub(crate) subscription: Option<String>,
    /// Id of a price.
    pub(crate) price: Option<String>,
    #[serde(default)]
    pub(crate) amount: i64,
    pub(crate) currency: Option<String>,
}

impl Actor {
    /// What is wrong with it, as one sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.nth == Some(0) {
            return Some("nth counts from 1".into());
        }
        if self.before.as_ref().is_some_and(|b| b.split(' ').count() != 2) {
            return Some("before must be a method and a path, such as \"POST /v1/customers/*\"".into());
        }
        if matches!(self.deed, Deed::BalanceTransaction | Deed::FundCash) && self.currency.is_none() {
            return Some("this deed needs an amount and a currency".into());
        }
        if let Some(problem) = self.names_too_little() {
            return Some(problem.into());
        }
        if self.deed.is_about_pools() && self.deed != Deed::Redeem {
            return None;
        }
        if self.deed.is_about_subscriptions() && self.subscription.is_some() {
            return None;
        }
        let known = self.customer == "same" || which(&self.customer).is_some();
        (!known).then(|| "customer must be \"same\", \"mover:N\" or \"stayer:N\"".into())
    }

    fn names_too_little(&self) -> Option<&'static str> {
        let (code, coupon) = (self.code.is_some(), self.coupon.is_some());
        match self.deed {
            Deed::Redeem if code == coupon => Some("this deed needs a code or a coupon, and not both"),
            Deed::CreateCoupon | Deed::DeleteCoupon if !coupon => Some("this deed needs a coupon"),
            Deed::CreateCode if !(code && coupon) => Some("this deed needs a code and a coupon"),
            Deed::CloseCode if !code => Some("this deed needs a code"),
            Deed::ChangeQuantity if self.amount < 1 => Some("this deed needs an amount"),
            Deed::ChangePlan if self.price.is_none() => Some("this deed needs a price"),
            _ => None,
        }
    }

    /// Whether a request is one of those counted.
    pub(crate) fn counts(&self, method: &str, path: &str, since_start: i64) -> bool {
        self.after_ms.is_none_or(|ms| since_start >= ms)
            && self.before.as_ref().is_none_or(|before| {
                before
                    .split_once(' ')
                    .is_some_and(|(m, p)| m == method && path_matches(p, path))
            })
    }

    /// The request this deed amounts to: about a customer, a coupon or a promotion code of that id.
    pub(crate) fn request(&self, about: &str) -> (&'static str, String, String) {
        let base = format!("/v1/customers/{about}");
        let id = encode(about);
        let currency = self.currency.as_deref().unwrap_or("usd");
        let amount = self.amount;
        match self.deed {
            Deed::BalanceTransaction => (
                "POST",
                format!("{base}/balance_transactions"),
                format!("amount={amount}&currency={currency}&description=by+hand"),
            ),
            Deed::DeleteCustomer => ("DELETE", base, String::new()),
            Deed::RenameCustomer => ("POST", base, "name=Renamed+by+hand".into()),
            Deed::FundCash => (
                "POST",
                format!("/v1/test_helpers/customers/{about}/fund_cash_balance"),
                format!("amount={amount}&currency={currency}"),
            ),
            Deed::CreateCoupon => (
                "POST",
                "/v1/coupons".into(),
                format!("id={id}&percent_off=3&duration=forever&name=By+hand"),
            ),
            Deed::DeleteCoupon => ("DELETE", format!("/v1/coupons/{id}"), String::new()),
            Deed::CreateCode => {
                let code = encode(self.code.as_deref().unwrap_or_default());
                let form = format!("promotion[type]=coupon&promotion[coupon]={id}&code={code}");
                ("POST", "/v1/promotion_codes".into(), form)
            }
            Deed::CancelSubscription => ("DELETE", format!("/v1/subscriptions/{about}"), String::new()),
            Deed::CancelAtPeriodEnd => (
                "POST",
                format!("/v1/subscriptions/{about}"),
                "cancel_at_period_end=true".into(),
            ),
            Deed::ChangeQuantity | Deed::ChangePlan => {
                let item = format!("items[0][id]={}", item_id_of(about, 0));
                let price = encode(self.price.as_deref().unwrap_or_default());
                let change = if self.deed == Deed::ChangePlan {
                    format!("items[0][price]={price}")
                } else {
                    format!("items[0][quantity]={amount}")
                };
                let form = format!("{item}&{change}&proration_behavior=none");
                ("POST", format!("/v1/subscriptions/{about}"), form)
            }
            // A redemption is no request; it never comes here.
            Deed::CloseCode | Deed::Redeem => {
                ("POST", format!("/v1/promotion_codes/{id}"), "active=false".into())
            }
        }
    }
}

/// Text for a path or form: everything but letters and digits as bytes in hexadecimal.
fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `mover:3` as `("mover", 3)`.
pub(crate) fn which(customer: &str) -> Option<(&str, usize)> {
    let (role, n) = customer.split_once(':')?;
    ["mover", "stayer"]
        .contains(&role)
        .then(|| n.parse().ok().map(|n| (role, n)))?
}
