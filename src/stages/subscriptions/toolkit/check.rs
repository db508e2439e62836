//! One row against the rules: everything that can be said of it without the others.

mod items;
mod shift;
mod texts;
mod times;

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::FixedState;

use super::cell::{self, Kind, Note, Odd};
use super::columns::{Fixed, Header, NONE};
use super::split::{Cells, Found, Shape};
use super::{Rule, Rules};
use crate::domain::money::Currency;

/// A breach of a rule in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) rule: Rule,
    /// [`NONE`]: of the row as such.
    pub(super) column: u16,
    pub(super) note: Note,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held<T> {
    Empty,
    Good(T),
    /// Something else, which has been said.
    Bad,
}

impl<T: Copy> Held<T> {
    pub(super) const fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Empty | Self::Bad => None,
        }
    }
}

/// Whether and how the first period is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proration {
    Create,
    None,
}

pub(super) const PRORATIONS: [&str; 2] = ["create_prorations", "none"];
pub(super) const COLLECTIONS: [&str; 2] = ["charge_automatically", "send_invoice"];
pub(super) const INTERVALS: [&str; 4] = ["day", "week", "month", "year"];

/// The simple cells of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Simple {
    pub(super) start: Held<i64>,
    pub(super) trial_end: Held<i64>,
    pub(super) anchor: Held<i64>,
    pub(super) backdate: Held<i64>,
    pub(super) proration: Held<Proration>,
    pub(super) invoice: Held<bool>,
    pub(super) days: Held<u64>,
    pub(super) automatic_tax: Held<bool>,
    pub(super) cancel: Held<bool>,
    pub(super) currency: Held<Currency>,
}

/// What is remembered of a row, whatever its verdict: fingerprints, and what the summary counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prints {
    /// Of the customer.
    pub(super) customer: u64,
    /// Of the old subscription's id, 96 bits of it; 0: it has none.
    pub(super) old: u64,
    pub(super) old_more: u32,
    /// Of customer, prices and start; 0: they are not all known.
    pub(super) terms: u64,
    /// Seconds; 0: unknown.
    pub(super) start: i64,
    /// Seconds of the day between the original start and the next bill, which should be none; -1: unknown.
    pub(super) drift: i32,
}

/// Knows a header and the rules, and judges rows one by one.
pub(super) struct Checker {
    pub(super) header: Header,
    pub(super) rules: Rules,
    currencies: Vec<Currency>,
    keys: [FixedState; 2],
}

/// Where the breaches of a row go.
pub(super) struct Faults<'a> {
    list: &'a mut Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub(super) const fn to(list: &'a mut Vec<Fault>) -> Self {
        Self { list }
    }

    pub(super) fn add(&mut self, rule: Rule, column: u16, note: Note) {
        self.list.push(Fault { rule, column, note });
    }

    pub(super) fn odd(&mut self, (rule, note): Odd, column: u16) {
        self.add(rule, column, note);
    }
}

impl Checker {
    pub(super) fn new(header: Header, rules: Rules) -> Self {
        Self {
            header,
            rules,
            currencies: Currency::accepted()
                .filter(|currency| currency.code().len() == 3)
                .collect(),
            keys: [0x5348_4946_5441, 0x4452_4946_5442].map(FixedState::with_seed),
        }
    }

    /// Judges a record. `cells` are those of `found` in `record`.
    pub(super) fn record(
        &self,
        found: &Found,
        cells: Cells<'_>,
        record: &[u8],
        clean: bool,
        list: &mut Vec<Fault>,
    ) -> Prints {
        let begun = list.len();
        let mut faults = Faults { list };
        match found.shape {
            Shape::BadQuotes => faults.add(Rule::BadQuotes, NONE, Note::Nothing),
            Shape::Unclosed => {
                faults.add(Rule::UnclosedQuote, NONE, Note::Counts(u64::from(found.lines), 0));
                return Prints::default();
            }
            Shape::Good | Shape::Blank => {}
        }
        let width = self.header.columns.len();
        if cells.len() != width {
            let counts = Note::Counts(cells.len() as u64, width as u64);
            faults.add(Rule::WrongCellCount, NONE, counts);
            return Prints::default();
        }
        if record.len() < width + 4 && cells.blank() {
            faults.add(Rule::EmptyRow, NONE, Note::Nothing);
            return Prints::default();
        }
        if !clean {
            self.bytes(cells, &mut faults);
        }
        let prints = self.row(cells, &mut faults);
        if list.len() > begun {
            self.shifted(cells, list, begun);
        }
        self.samples(cells, list);
        prints
    }

    fn row(&self, cells: Cells<'_>, faults: &mut Faults<'_>) -> Prints {
        let simple = self.simple(cells, faults);
        let customer = self.customer(cells, faults);
        self.collected(cells, &simple, faults);
        let sold = self.items(cells, simple.currency, faults);
        self.times(cells, &simple, &sold, faults);
        let old = self.texts(cells, faults);
        let mut prints = Prints {
            drift: times::drift(&simple),
            ..Prints::default()
        };
        if let Some(customer) = customer {
            prints.customer = self.print(0, customer);
        }
        if let Some(old) = old {
            prints.old = self.print(0, old).max(1);
            prints.old_more = (self.print(1, old) >> 32) as u32;
        }
        if let Held::Good(start) = simple.start {
            prints.start = start;
            if customer.is_some() && sold.any {
                prints.terms = self.terms(cells, prints.customer, start).max(1);
            }
        }
        prints
    }

    fn print(&self, key: usize, text: &[u8]) -> u64 {
        let mut hasher = self.keys[key].build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// Of customer, prices and start.
    fn terms(&self, cells: Cells<'_>, customer: u64, start: i64) -> u64 {
        let mut hasher = self.keys[1].build_hasher();
        hasher.write_u64(customer);
        hasher.write_i64(start);
        let header = &self.header;
        let items = header.items.iter().map(|item| item.price);
        let adhoc = header
            .adhoc
            .iter()
            .flat_map(|item| [item.product, item.amount, item.currency]);
        for at in std::iter::once(header.at(Fixed::Price)).chain(items).chain(adhoc) {
            let cell = cells.get(at);
            hasher.write_usize(cell.len());
            if !cell.is_empty() {
                hasher.write(cell);
            }
        }
        hasher.finish()
    }

    pub(super) fn simple(&self, cells: Cells<'_>, faults: &mut Faults<'_>) -> Simple {
        let at = |column| self.header.at(column);
        let proration = |cell: &[u8]| {
            cell::choice(cell, &PRORATIONS).map(|at| {
                if at == 0 {
                    Proration::Create
                } else {
                    Proration::None
                }
            })
        };
        let invoice = |cell: &[u8]| cell::choice(cell, &COLLECTIONS).map(|at| at == 1);
        Simple {
            start: held(cells, at(Fixed::StartDate), faults, cell::time),
            trial_end: held(cells, at(Fixed::TrialEnd), faults, cell::time),
            anchor: held(cells, at(Fixed::Anchor), faults, cell::time),
            backdate: held(cells, at(Fixed::Backdate), faults, cell::time),
            proration: held(cells, at(Fixed::Proration), faults, proration),
            invoice: held(cells, at(Fixed::Collection), faults, invoice),
            days: held(cells, at(Fixed::DaysUntilDue), faults, cell::count),
            automatic_tax: held(cells, at(Fixed::AutomaticTax), faults, cell::boolean),
            cancel: held(cells, at(Fixed::Cancel), faults, cell::boolean),
            currency: held(cells, at(Fixed::Currency), faults, |cell| self.currency(cell)),
        }
    }

    /// A supported currency in lowercase.
    fn currency(&self, cell: &[u8]) -> Result<Currency, Odd> {
        let inside = cell::trimmed(cell);
        let text = std::str::from_utf8(inside).unwrap_or_default();
        let known = Currency::parse(text)
            .ok()
            .filter(|code| self.currencies.contains(code));
        let Some(currency) = known else {
            return Err((Rule::UnknownCurrency, Note::Nothing));
        };
        if inside.len() != cell.len() {
            return Err((Rule::SurroundingSpace, Note::Nothing));
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err((Rule::CurrencyCase, Note::Nothing));
        }
        Ok(currency)
    }

    fn customer<'a>(&self, cells: Cells<'a>, faults: &mut Faults<'_>) -> Option<&'a [u8]> {
        let at = self.header.at(Fixed::Customer);
        let customer = cells.get(at);
        if customer.is_empty() {
            faults.add(Rule::MissingValue, at, Note::Nothing);
            return None;
        }
        id(cells, at, Kind::Customer, faults).then_some(customer)
    }

    /// Collection, taxes, coupon.
    fn collected(&self, cells: Cells<'_>, simple: &Simple, faults: &mut Faults<'_>) {
        let (days, rate, coupon) = (
            self.header.at(Fixed::DaysUntilDue),
            self.header.at(Fixed::TaxRate),
            self.header.at(Fixed::Coupon),
        );
        match (simple.invoice, simple.days) {
            (Held::Good(true), Held::Empty) => {
                let at = if days == NONE {
                    self.header.at(Fixed::Collection)
                } else {
                    days
                };
                faults.add(Rule::InvoiceWithoutDays, at, Note::Nothing);
            }
            (Held::Good(false) | Held::Empty, Held::Good(_)) => {
                faults.add(Rule::DaysWithoutInvoice, days, Note::Nothing);
            }
            _ => {}
        }
        let cell = cells.get(rate);
        if !cell.is_empty() {
            if cell::several(cell) {
                faults.add(Rule::SeveralTaxRates, rate, Note::Nothing);
            } else {
                id(cells, rate, Kind::TaxRate, faults);
            }
            if simple.automatic_tax == Held::Good(true) {
                faults.add(Rule::TwoTaxes, rate, Note::Nothing);
            }
        }
        let cell = cells.get(coupon);
        if cell.is_empty() {
            return;
        }
        if cell::several(cell) {
            faults.add(Rule::SeveralCoupons, coupon, Note::Nothing);
        } else if id(cells, coupon, Kind::Coupon, faults) && cell.contains(&b' ') {
            faults.add(Rule::CouponName, coupon, Note::Nothing);
        }
    }
}

/// A cell that may be empty.
fn held<T>(
    cells: Cells<'_>,
    at: u16,
    faults: &mut Faults<'_>,
    read: impl Fn(&[u8]) -> Result<T, Odd>,
) -> Held<T> {
    let cell = cells.get(at);
    if cell.is_empty() {
        return Held::Empty;
    }
    match read(cell) {
        Ok(value) => Held::Good(value),
        Err(odd) => {
            faults.odd(odd, at);
            Held::Bad
        }
    }
}

/// An id in that column; says what is wrong with it.
fn id(cells: Cells<'_>, at: u16, kind: Kind, faults: &mut Faults<'_>) -> bool {
    match cell::id(cells.get(at), kind) {
        Ok(true) => true,
        Ok(false) => {
            faults.add(Rule::UnusualId, at, Note::Nothing);
            true
        }
        Err(odd) => {
            faults.odd(odd, at);
            false
        }
    }
}
