//! Coupons, codes and discounts a scenario lists one by one (`[[coupon]]`, `[[code]]`, `[[discount]]`): each case of the
//! reconciliation as a row that can be read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::catalogue::Decimal;
use super::currency::Cur;
use super::pools::{Lasts, Off, Restrictions};
use super::scenario_subscriptions::ListedSubscription;
use super::world::Side;

/// An instant of a scenario: RFC 3339 in the file, seconds here. It moves with the night when that is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(i64);

impl At {
    /// In seconds, where the night is so much later than the file says.
    pub(crate) const fn secs(self, shift: i64) -> i64 {
        self.0 + shift
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let given = toml::value::Datetime::deserialize(from)?;
        let instant = chrono::DateTime::parse_from_rfc3339(&given.to_string());
        instant
            .map(|at| Self(at.timestamp()))
            .map_err(|_| serde::de::Error::custom("an instant needs an offset, such as 2026-02-14T05:00:00Z"))
    }
}

/// A coupon. See `assets/scenarios/midnight.toml` for every setting with a comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListedCoupon {
    pub(crate) id: String,
    /// Absent: the old account.
    pub(crate) account: Option<Side>,
    pub(crate) percent_off: Option<f64>,
    pub(crate) amount_off: Option<i64>,
    pub(crate) currency: Option<String>,
    /// Minor units by currency.
    pub(crate) currency_options: BTreeMap<String, i64>,
    /// Absent: `once`.
    pub(crate) duration: Option<String>,
    pub(crate) months: Option<u32>,
    pub(crate) max_redemptions: Option<i64>,
    /// `times_redeemed`: through codes and without.
    pub(crate) used: i64,
    pub(crate) redeem_by: Option<At>,
    /// Ids of products.
    pub(crate) applies_to: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) deleted: bool,
    pub(crate) created_days_ago: Option<u32>,
}

/// A promotion code, or many.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListedCode {
    /// Id of its coupon, which is listed too.
    pub(crate) coupon: String,
    /// What customers type.
    pub(crate) code: String,
    pub(crate) id: Option<String>,
    /// Absent: the old account.
    pub(crate) account: Option<Side>,
    /// Whose it is; `movers`: the next of those who move, in turn.
    pub(crate) customer: Option<String>,
    /// Absent: true.
    pub(crate) active: Option<bool>,
    pub(crate) max_redemptions: Option<i64>,
    /// `times_redeemed`.
    pub(crate) used: i64,
    pub(crate) expires_at: Option<At>,
    pub(crate) first_time: bool,
    pub(crate) minimum_amount: Option<i64>,
    /// Absent: `usd`.
    pub(crate) minimum_currency: Option<String>,
    /// Minor units by further currency.
    pub(crate) minimum_options: BTreeMap<String, i64>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) created_days_ago: Option<u32>,
    /// So many of them, `-1`, `-2`, … behind the text.
    pub(crate) count: Option<u32>,
}

/// A running discount of the old account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedDiscount {
    pub(crate) id: Option<String>,
    /// Id of its coupon, which is listed too.
    pub(crate) coupon: String,
    /// Text of the code by which it was got.
    pub(crate) code: Option<String>,
    /// What it works on.
    pub(crate) subscription: Option<String>,
    /// The number of the subscription's item, where it works on that alone.
    pub(crate) item: Option<u8>,
    /// Instead of a subscription: all bills of a customer.
    pub(crate) customer: Option<String>,
    /// When it began; its months count from here.
    pub(crate) since: At,
}

/// Everything of the kind that a scenario lists.
#[derive(Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    pub(crate) subscriptions: &'a [ListedSubscription],
    pub(crate) coupons: &'a [ListedCoupon],
    pub(crate) codes: &'a [ListedCode],
    pub(crate) discounts: &'a [ListedDiscount],
    /// How much later the night is than the file says, seconds.
    pub(crate) shift: i64,
}

impl ListedCoupon {
    pub(crate) fn side(&self) -> Side {
        self.account.unwrap_or(Side::Source)
    }

    /// What it takes off; [`problem`] has refused what is neither one nor the other.
    pub(crate) fn off(&self) -> Option<Off> {
        if let Some(percent) = self.percent_off {
            return Some(Off::Percent(Decimal::of(&percent.to_string())));
        }
        let own = Cur::parse(self.currency.as_deref()?)?;
        Some(Off::Amount(
            own,
            self.amount_off?,
            amounts(&self.currency_options)?,
        ))
    }

    /// How long it lasts.
    pub(crate) fn lasts(&self) -> Option<Lasts> {
        match (self.duration.as_deref().unwrap_or("once"), self.months) {
            ("once", None) => Some(Lasts::Once),
            ("forever", None) => Some(Lasts::Forever),
            ("repeating", Some(months)) => Some(Lasts::Months(months)),
            _ => None,
        }
    }

    fn problem(&self) -> Option<String> {
        if self.id.is_empty() {
            return Some("a coupon needs an id".into());
        }
        if self.percent_off.is_some() == self.amount_off.is_some() || self.off().is_none() {
            return Some(
                "a coupon needs either percent_off or an amount_off with its currency, in currencies that there are"
                    .into(),
            );
        }
        let problem = "duration must be once, forever, or repeating with so many months";
        self.lasts().is_none().then(|| problem.into())
    }
}

impl ListedCode {
    pub(crate) fn side(&self) -> Side {
        self.account.unwrap_or(Side::Source)
    }

    /// Who may use it, and from which amount on; [`problem`] has refused unknown currencies.
    pub(crate) fn restrictions(&self) -> Option<Restrictions> {
        let own = Cur::parse(self.minimum_currency.as_deref().unwrap_or("usd"))?;
        Some(Restrictions {
            first_time: self.first_time,
            minimum: self.minimum_amount.map(|amount| (own, amount)),
            options: amounts(&self.minimum_options)?,
        })
    }

    fn problem(&self, coupons: &BTreeSet<(Side, &str)>) -> Option<String> {
        if self.code.is_empty() {
            return Some("a code needs a text: code".into());
        }
        if self.restrictions().is_none() {
            return Some("there is no such currency of a minimum".into());
        }
        let known = coupons.contains(&(self.side(), self.coupon.as_str()));
        (!known).then(|| format!("there is no [[coupon]] {} on that account", self.coupon))
    }
}

impl ListedDiscount {
    fn problem(&self, coupons: &BTreeSet<(Side, &str)>, subscriptions: &BTreeSet<&str>) -> Option<String> {
        if self.subscription.is_some() == self.customer.is_some() {
            return Some("a discount works on a subscription or on a customer".into());
        }
        if self.item.is_some() && self.subscription.is_none() {
            return Some("an item is one of a subscription".into());
        }
        if let Some(unknown) = self
            .subscription
            .as_deref()
            .filter(|s| !subscriptions.contains(s))
        {
            return Some(format!("there is no [[subscription]] {unknown}"));
        }
        let known = coupons.contains(&(Side::Source, self.coupon.as_str()));
        (!known).then(|| format!("there is no [[coupon]] {} on that account", self.coupon))
    }
}

fn amounts(given: &BTreeMap<String, i64>) -> Option<BTreeMap<Cur, i64>> {
    let read = given
        .iter()
        .map(|(code, amount)| Some((Cur::parse(code)?, *amount)));
    read.collect()
}

/// The first row that is wrong: the header of its table, its number, and what is wrong.
pub(crate) fn problem(named: &Named<'_>) -> Option<(&'static str, usize, String)> {
    let coupons = named.coupons.iter().map(|c| (c.side(), c.id.as_str())).collect();
    let subscriptions = named.subscriptions.iter().map(|s| s.id.as_str()).collect();
    first(
        "[[subscription]]",
        named.subscriptions,
        ListedSubscription::problem,
    )
    .or_else(|| first("[[coupon]]", named.coupons, ListedCoupon::problem))
    .or_else(|| first("[[code]]", named.codes, |c| c.problem(&coupons)))
    .or_else(|| {
        first("[[discount]]", named.discounts, |d| {
            d.problem(&coupons, &subscriptions)
        })
    })
}

fn first<T>(
    header: &'static str,
    rows: &[T],
    problem: impl Fn(&T) -> Option<String>,
) -> Option<(&'static str, usize, String)> {
    let mut wrong = rows
        .iter()
        .enumerate()
        .filter_map(|(n, row)| Some((n, problem(row)?)));
    wrong.next().map(|(n, problem)| (header, n, problem))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::rehearsal::Scenario;

    #[test]
    fn what_could_not_be_made_is_refused_with_its_line() {
        let right = "name = \"x\"\nabout = \"\"\nstarts_at = 2026-02-14T05:00:00Z\n\
                     [[coupon]]\nid = \"C\"\npercent_off = 12.5\nduration = \"repeating\"\nmonths = 3\n\
                     [[code]]\ncoupon = \"C\"\ncode = \"A\"\nexpires_at = 2026-03-01T00:00:00Z\n\
                     [[subscription]]\nid = \"sub_1\"\ncustomer = \"cus_1\"\nprices = [\"p\"]\nsince = 2026-01-31T00:00:00Z\n\
                     [[discount]]\ncoupon = \"C\"\nsubscription = \"sub_1\"\nsince = 2026-01-31T00:00:00Z\n";
        Scenario::parse(right, Path::new("x.toml")).unwrap();
        for (was, is, line, word) in [
            ("percent_off = 12.5", "amount_off = 5", 4, "currency"),
            (
                "percent_off = 12.5",
                "amount_off = 5\ncurrency = \"zzz\"",
                4,
                "currencies",
            ),
            ("months = 3\n", "", 4, "months"),
            (
                "[[code]]\ncoupon = \"C\"",
                "[[code]]\ncoupon = \"D\"",
                9,
                "[[coupon]] D",
            ),
            (
                "code = \"A\"",
                "code = \"A\"\naccount = \"destination\"",
                9,
                "on that account",
            ),
            ("03-01T00:00:00Z", "03-01T00:00:00", 12, "offset"),
            ("prices = [\"p\"]", "prices = []", 13, "prices"),
            (
                "prices = [\"p\"]",
                "prices = [\"p\"]\nstatus = \"trialing\"",
                13,
                "trial_end",
            ),
            (
                "[[discount]]",
                "[[discount]]\ncustomer = \"cus_1\"",
                18,
                "works on",
            ),
            (
                "[[discount]]\ncoupon = \"C\"\nsubscription = \"sub_1\"",
                "[[discount]]\ncoupon = \"C\"\nsubscription = \"sub_2\"",
                18,
                "sub_2",
            ),
        ] {
            assert!(right.contains(was), "{was}");
            let refused = Scenario::parse(&right.replacen(was, is, 1), Path::new("x.toml"));
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(&format!("line {line}: ")), "{is}: {refused}");
            assert!(refused.contains(word), "{is}: {refused}");
        }
    }
}
