//! A row as it was understood, for whoever goes on from it: online checks, the calendar of charges, tests.

use super::cell;
use super::check::{Checker, Faults, Proration};
use super::columns::{Fixed, NONE};
use super::split::Cells;
use crate::domain::money::Currency;
use crate::stages::subscriptions::facts::{Collection, Interval};

/// A row without an error. Ids are those of the new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// 1 for the first below the header.
    pub number: u64,
    /// The line of the file it begins on.
    pub line: u64,
    /// `cus_…`
    pub customer: &'a str,
    /// Seconds.
    pub start: i64,
    /// `price` or `items.N.price` with quantity, in order; a quantity left out is 1.
    pub prices: Vec<(&'a str, u64)>,
    /// `adhoc_items.N`.
    pub adhoc: Vec<Adhoc<'a>>,
    /// `add_invoice_items.N`.
    pub extra: Vec<Extra<'a>>,
    /// `coupon`
    pub coupon: Option<&'a str>,
    /// `default_tax_rate`
    pub tax_rate: Option<&'a str>,
    /// `automatic_tax`
    pub automatic_tax: bool,
    /// `currency`
    pub currency: Option<Currency>,
    /// Seconds.
    pub trial_end: Option<i64>,
    /// `billing_cycle_anchor`, seconds.
    pub anchor: Option<i64>,
    /// `backdate_start_date`, seconds.
    pub backdate: Option<i64>,
    /// `proration_behavior` is `create_prorations`, or left out.
    pub prorates: bool,
    /// How it is collected.
    pub collection: Collection,
    /// `cancel_at_period_end`
    pub cancel: bool,
    /// The old subscription.
    pub old_id: Option<&'a str>,
    /// Key and value of what is filled.
    pub metadata: Vec<(&'a str, &'a str)>,
}

/// An item with an amount of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adhoc<'a> {
    /// Minor units, above zero.
    pub amount: i64,
    /// Of the amount.
    pub currency: Currency,
    /// `prod_…`; empty where the template has no column for it.
    pub product: &'a str,
    /// How often.
    pub interval: Interval,
    /// How many.
    pub quantity: u64,
}

/// Something else on the first invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra<'a> {
    /// Minor units, above zero.
    pub amount: i64,
    /// Of the amount.
    pub currency: Currency,
    /// `prod_…`
    pub product: &'a str,
}

const INTERVALS: [Interval; 4] = [Interval::Day, Interval::Week, Interval::Month, Interval::Year];

fn text(cell: &[u8]) -> &str {
    std::str::from_utf8(cell).unwrap_or_default()
}

fn filled(cell: &[u8]) -> Option<&str> {
    Some(text(cell)).filter(|text| !text.is_empty())
}

fn quantity(cell: &[u8]) -> u64 {
    if cell.is_empty() {
        1
    } else {
        cell::count(cell).unwrap_or(1)
    }
}

impl Checker {
    /// What an accepted record says. `None`: it was not accepted.
    pub(super) fn understood<'a>(&'a self, cells: Cells<'a>, number: u64, line: u64) -> Option<Row<'a>> {
        let mut ignored = Vec::new();
        let simple = self.simple(cells, &mut Faults::to(&mut ignored));
        let at = |column| cells.get(self.header.at(column));
        let days = simple.days.good().and_then(|days| u32::try_from(days).ok());
        Some(Row {
            number,
            line,
            customer: text(at(Fixed::Customer)),
            start: simple.start.good()?,
            prices: self.prices(cells),
            adhoc: self
                .header
                .adhoc
                .iter()
                .filter_map(|item| adhoc(cells, item))
                .collect(),
            extra: self
                .header
                .extra
                .iter()
                .filter_map(|item| extra(cells, item))
                .collect(),
            coupon: filled(at(Fixed::Coupon)),
            tax_rate: filled(at(Fixed::TaxRate)),
            automatic_tax: simple.automatic_tax.good() == Some(true),
            currency: simple.currency.good(),
            trial_end: simple.trial_end.good(),
            anchor: simple.anchor.good(),
            backdate: simple.backdate.good(),
            prorates: simple.proration.good() != Some(Proration::None),
            collection: match (simple.invoice.good(), days) {
                (Some(true), Some(days)) => Collection::Invoice(days),
                _ => Collection::Automatic,
            },
            cancel: simple.cancel.good() == Some(true),
            old_id: filled(cells.get(self.header.old_id))
                .or_else(|| filled(cells.get(self.header.third_party_id))),
            metadata: self.metadata(cells),
        })
    }

    fn prices<'a>(&self, cells: Cells<'a>) -> Vec<(&'a str, u64)> {
        let basic = (self.header.at(Fixed::Price), self.header.at(Fixed::Quantity));
        let numbered = self.header.items.iter().map(|item| (item.price, item.quantity));
        std::iter::once(basic)
            .chain(numbered)
            .filter_map(|(price, n)| Some((filled(cells.get(price))?, quantity(cells.get(n)))))
            .collect()
    }

    fn metadata<'a>(&'a self, cells: Cells<'a>) -> Vec<(&'a str, &'a str)> {
        let pair = |at: &u16| {
            let name = self.header.name(*at);
            let key = name.get("metadata.".len()..)?;
            Some((key, filled(cells.get(*at))?))
        };
        self.header.metadata.iter().filter_map(pair).collect()
    }
}

fn money(cells: Cells<'_>, amount: u16, currency: u16) -> Option<(i64, Currency)> {
    let currency = Currency::parse(filled(cells.get(currency))?).ok()?;
    Some((cell::amount(cells.get(amount), currency).ok()?, currency))
}

fn adhoc<'a>(cells: Cells<'a>, item: &super::columns::ItemPlaces) -> Option<Adhoc<'a>> {
    let (amount, currency) = money(cells, item.amount, item.currency)?;
    let interval = cell::choice(cells.get(item.interval), &super::check::INTERVALS).ok()?;
    Some(Adhoc {
        amount,
        currency,
        product: if item.product == NONE {
            ""
        } else {
            text(cells.get(item.product))
        },
        interval: INTERVALS[interval],
        quantity: quantity(cells.get(item.quantity)),
    })
}

fn extra<'a>(cells: Cells<'a>, item: &super::columns::ItemPlaces) -> Option<Extra<'a>> {
    let (amount, currency) = money(cells, item.amount, item.currency)?;
    Some(Extra {
        amount,
        currency,
        product: text(cells.get(item.product)),
    })
}
