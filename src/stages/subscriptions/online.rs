//! Lines of a toolkit file against the accounts: whether what they name exists there and fits together. PURE;
//! [`super::gather::online`] reads what is needed for it, list by list, never line by line.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::facts::{Coupon, Off, Price, TaxRate};
use crate::domain::money::Currency;
use crate::domain::text::safe;

/// What a line says that only the accounts can judge. Ids as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, the header being 1.
    pub row: u64,
    /// `customer`
    pub customer: String,
    /// Column and id of each price, in order.
    pub prices: Vec<(String, String)>,
    /// `coupon`
    pub coupon: Option<String>,
    /// `default_tax_rate`
    pub tax_rate: Option<String>,
    /// `currency`, where it is one this program knows.
    pub currency: Option<Currency>,
    /// `automatic_tax` is true.
    pub automatic_tax: bool,
    /// `collection_method` is `send_invoice`.
    pub send_invoice: bool,
}

/// A customer of the new account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// A default method or source.
    pub default: bool,
    /// An e-mail address.
    pub email: bool,
    /// A place taxes can be reckoned for.
    pub address: bool,
    /// The currency it is locked to.
    pub currency: Option<Currency>,
}

/// What the accounts have.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Of the new account.
    pub customers: HashMap<String, Customer>,
    /// Of the new account, recurring or not, active or not.
    pub prices: HashMap<String, Price>,
    /// Of the new account.
    pub coupons: HashMap<String, Coupon>,
    /// Of the new account.
    pub tax_rates: HashMap<String, TaxRate>,
    /// Ids that the new account does not have and the old one has.
    pub of_source: HashSet<String>,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Stripe would refuse the line, or its first bill would fail.
    Error,
    /// It may be meant.
    Warning,
}

/// Something a line says that the accounts contradict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// [`Line::row`]
    pub row: u64,
    /// The column.
    pub column: String,
    /// What stands there; empty where nothing does.
    pub value: String,
    /// A stable name.
    pub rule: &'static str,
    /// What is wrong and what to do, one sentence.
    pub message: String,
    /// How much it matters.
    pub weight: Weight,
}

/// Everything the accounts contradict, line by line. Takes time in the number of lines and prices alone.
#[must_use]
pub fn check(lines: &[Line], known: &Known) -> Vec<Problem> {
    let mut found = Vec::new();
    for line in lines {
        let mut check = Check {
            line,
            known,
            found: &mut found,
        };
        check.customer();
        check.prices();
        check.coupon();
        check.tax();
    }
    found
}

/// Ids that the new account does not have.
#[must_use]
pub fn absent<'a>(lines: &'a [Line], known: &Known) -> BTreeSet<&'a str> {
    let mut absent = BTreeSet::new();
    let mut want = |there: bool, id: &'a str| {
        if !there && !id.is_empty() {
            absent.insert(id);
        }
    };
    for line in lines {
        want(known.customers.contains_key(&line.customer), &line.customer);
        for (_, id) in &line.prices {
            want(known.prices.contains_key(id), id);
        }
        if let Some(id) = &line.coupon {
            want(known.coupons.contains_key(id), id);
        }
        if let Some(id) = &line.tax_rate {
            want(known.tax_rates.contains_key(id), id);
        }
    }
    absent
}

struct Check<'a> {
    line: &'a Line,
    known: &'a Known,
    found: &'a mut Vec<Problem>,
}

impl<'a> Check<'a> {
    fn add(
        &mut self,
        weight: Weight,
        column: &str,
        value: &str,
        rule: &'static str,
        message: impl Into<String>,
    ) {
        self.found.push(Problem {
            row: self.line.row,
            column: column.to_owned(),
            value: value.to_owned(),
            rule,
            message: message.into(),
            weight,
        });
    }

    fn error(&mut self, column: &str, value: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Weight::Error, column, value, rule, message);
    }

    fn warn(&mut self, column: &str, value: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Weight::Warning, column, value, rule, message);
    }

    /// An id that is not on the new account. One of the old account is named as such: the toolkit refuses these.
    fn absent(&mut self, column: &str, id: &str, rules: (&'static str, &'static str), what: &str) {
        if self.known.of_source.contains(id) {
            let message = format!("this {what} belongs to the old account; put the new account's there");
            self.error(column, id, rules.0, message);
        } else {
            let message = format!("the new account has no such {what}");
            self.error(column, id, rules.1, message);
        }
    }

    fn customer(&mut self) {
        let id = &self.line.customer;
        if id.is_empty() {
            return;
        }
        let Some(customer) = self.known.customers.get(id).copied() else {
            if self.known.of_source.contains(id) {
                let message = "this customer is on the old account only; copy it first";
                self.error("customer", id, "customer_not_copied", message);
            } else {
                let message = "the new account has no such customer";
                self.error("customer", id, "customer_unknown", message);
            }
            return;
        };
        if !self.line.send_invoice && !customer.default {
            let message = "the customer has no default payment method, so every bill would fail; set one";
            self.error("customer", id, "no_default_method", message);
        }
        if self.line.send_invoice && !customer.email {
            let message = "invoices are sent, and the customer has no e-mail address; add one";
            self.error("collection_method", "send_invoice", "no_email", message);
        }
        if self.line.automatic_tax && !customer.address {
            let message =
                "taxes are reckoned by Stripe, and the customer has no address or postal code; add one";
            self.error("automatic_tax", "true", "no_address", message);
        }
    }

    /// Prices that are there, with their columns.
    fn there(&self) -> Vec<(&'a str, &'a str, &'a Price)> {
        let all = self.line.prices.iter();
        all.filter_map(|(column, id)| Some((column.as_str(), id.as_str(), self.known.prices.get(id)?)))
            .collect()
    }

    fn prices(&mut self) {
        let line = self.line;
        for (column, id) in &line.prices {
            if !id.is_empty() && !self.known.prices.contains_key(id) {
                self.absent(column, id, ("price_of_source", "price_unknown"), "price");
            }
        }
        let there = self.there();
        for (column, id, price) in &there {
            if price.rhythm.is_none() {
                self.error(
                    column,
                    id,
                    "price_not_recurring",
                    "a subscription needs a recurring price",
                );
            } else if price.metered {
                let message = "it bills by usage, which this file cannot carry over";
                self.error(column, id, "price_metered", message);
            }
            if !price.active {
                let message = "the price is inactive on the new account; activate it for the upload";
                self.error(column, id, "price_inactive", message);
            }
        }
        self.currencies(&there);
        let first = there.first().map(|(_, _, price)| price.rhythm);
        for (column, id, price) in &there {
            if price.rhythm.is_some() && first.is_some_and(|first| first.is_some() && first != price.rhythm) {
                let message = "its billing interval is another than the first item's";
                self.error(column, id, "intervals_differ", message);
            }
        }
    }

    /// One currency for all of a line: what it says, or else the first price's own.
    fn currency(&self, there: &[(&str, &str, &Price)]) -> Option<Currency> {
        let own = there.first().map(|(_, _, price)| price.currency);
        self.line.currency.or(own)
    }

    fn currencies(&mut self, there: &[(&str, &str, &Price)]) {
        let Some(currency) = self.currency(there) else {
            return;
        };
        for (column, id, price) in there {
            // Of tiers in another currency a list says nothing.
            let has =
                price.currency == currency || price.unit.contains_key(&currency) || price.unit.is_empty();
            if !has {
                let message = format!("the price has no amount in {currency}");
                self.error(column, id, "price_currency", message);
            }
        }
        let customer = self.known.customers.get(&self.line.customer);
        if let Some(locked) = customer
            .and_then(|customer| customer.currency)
            .filter(|locked| *locked != currency)
        {
            let message = format!(
                "the customer is billed in {locked} on the new account, and this line is in {currency}"
            );
            let id = &self.line.customer;
            self.error("customer", id, "currency_locked", message);
        }
    }

    fn coupon(&mut self) {
        let Some(id) = self.line.coupon.as_deref().filter(|id| !id.is_empty()) else {
            return;
        };
        let Some(coupon) = self.known.coupons.get(id) else {
            self.absent("coupon", id, ("coupon_of_source", "coupon_unknown"), "coupon");
            return;
        };
        if !coupon.valid {
            let message = "the coupon cannot be redeemed any more";
            self.error("coupon", id, "coupon_invalid", message);
        }
        let currency = self.currency(&self.there());
        if let (Off::Amount(by), Some(currency)) = (&coupon.off, currency)
            && !by.contains_key(&currency)
        {
            let message = format!("the coupon takes nothing off in {currency}");
            self.error("coupon", id, "coupon_currency", message);
        }
    }

    fn tax(&mut self) {
        let there = self.there();
        if self.line.automatic_tax {
            for (column, id, price) in &there {
                if price.tax_behavior == "unspecified" {
                    let message = "the price does not say whether it contains taxes; without a default in the tax \
                                   settings Stripe refuses automatic tax on it";
                    self.warn(column, id, "tax_behavior_unspecified", message);
                }
            }
        }
        let Some(id) = self.line.tax_rate.as_deref().filter(|id| !id.is_empty()) else {
            return;
        };
        let Some(rate) = self.known.tax_rates.get(id) else {
            self.absent(
                "default_tax_rate",
                id,
                ("tax_rate_of_source", "tax_rate_unknown"),
                "tax rate",
            );
            return;
        };
        if !rate.active {
            let message = "the tax rate is archived on the new account; activate it";
            self.error("default_tax_rate", id, "tax_rate_inactive", message);
        }
        let (rate_says, against) = if rate.inclusive {
            ("contained in the amount", "exclusive")
        } else {
            ("added to the amount", "inclusive")
        };
        for (_, price_id, price) in &there {
            if price.tax_behavior == against {
                let message = format!(
                    "this tax is {rate_says}, and the price {} says `{against}`",
                    safe(price_id)
                );
                self.warn("default_tax_rate", id, "tax_behavior_differs", message);
            }
        }
    }
}

#[cfg(test)]
#[path = "online_tests.rs"]
mod tests;
