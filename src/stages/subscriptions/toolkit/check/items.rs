//! What a row sells: one price, numbered prices, ad-hoc amounts, and what the first invoice has besides.

use super::{Checker, Faults, Held, INTERVALS, held, id};
use crate::domain::money::Currency;
use crate::stages::subscriptions::toolkit::Rule;
use crate::stages::subscriptions::toolkit::cell::{self, Kind, Note};
use crate::stages::subscriptions::toolkit::columns::{Fixed, ItemPlaces, NONE};
use crate::stages::subscriptions::toolkit::split::Cells;

/// The API: items of a subscription, and items added to its first invoice.
const MOST_ITEMS: usize = 20;
/// The API: eight digits in minor units.
const LARGEST: i64 = 99_999_999;
const DAY: i64 = 86_400;

/// What a row sells, as far as it was understood.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sold {
    /// Anything.
    pub(super) any: bool,
    /// The longest a first cycle can be, seconds, where ad-hoc items say so.
    pub(super) cycle: Option<i64>,
    /// What a cycle costs in ad-hoc amounts, minor units. `None`: prices are sold, or an amount is not known.
    pub(super) money: Option<(i64, Currency)>,
}

impl Checker {
    pub(super) fn items(&self, cells: Cells<'_>, currency: Held<Currency>, faults: &mut Faults<'_>) -> Sold {
        let basic = self.basic(cells, faults);
        let header = &self.header;
        if header.items.is_empty() && header.adhoc.is_empty() && header.extra.is_empty() {
            if !basic {
                faults.add(Rule::MissingValue, header.at(Fixed::Price), Note::Nothing);
            }
            return Sold {
                any: basic,
                ..Sold::default()
            };
        }
        let mut one = Same(currency.good());
        let numbered = self.numbered(cells, basic, faults);
        let (adhoc, mut sold) = self.adhoc(cells, &mut one, faults);
        self.extra(cells, &mut one, faults);
        if numbered + adhoc > MOST_ITEMS {
            let counts = Note::Counts((numbered + adhoc) as u64, MOST_ITEMS as u64);
            faults.add(Rule::TooManyItems, self.first_of(), counts);
        }
        sold.any = basic || numbered + adhoc > 0;
        if !sold.any {
            faults.add(Rule::NoPrice, self.first_of(), Note::Nothing);
        }
        if adhoc > 0 && (basic || numbered > 0) {
            sold.money = None;
            faults.add(Rule::MixedPricing, self.first_of(), Note::Nothing);
        }
        sold
    }

    /// The column that stands for all items.
    fn first_of(&self) -> u16 {
        let header = &self.header;
        let first = |items: &[ItemPlaces]| items.first().map_or(NONE, |item| item.price.min(item.amount));
        let candidates = [
            header.at(Fixed::Price),
            first(&header.items),
            first(&header.adhoc),
        ];
        candidates.into_iter().min().unwrap_or(NONE)
    }

    /// `price` and `quantity`.
    fn basic(&self, cells: Cells<'_>, faults: &mut Faults<'_>) -> bool {
        let (price, many) = (self.header.at(Fixed::Price), self.header.at(Fixed::Quantity));
        let has = !cells.get(price).is_empty();
        if has {
            id(cells, price, Kind::Price, faults);
        }
        quantity(cells, many, faults);
        has
    }

    /// `items.N`: how many are filled.
    fn numbered(&self, cells: Cells<'_>, basic: bool, faults: &mut Faults<'_>) -> usize {
        let items = &self.header.items;
        let mut gap = Gap::default();
        for (n, item) in items.iter().enumerate() {
            let has = !cells.get(item.price).is_empty();
            if !gap.next(cells, item, faults) {
                continue;
            }
            if has {
                id(cells, item.price, Kind::Price, faults);
                let twice = |other: &ItemPlaces| cells.get(other.price) == cells.get(item.price);
                if items[..n].iter().any(twice) {
                    faults.add(Rule::PriceTwice, item.price, Note::Nothing);
                }
                if basic && n == 0 {
                    faults.add(Rule::PriceAndItems, self.header.at(Fixed::Price), Note::Nothing);
                }
            } else {
                let at = if item.price == NONE {
                    item.quantity
                } else {
                    item.price
                };
                faults.add(Rule::IncompleteItem, at, Note::Words("an item needs its price"));
            }
            quantity(cells, item.quantity, faults);
        }
        gap.filled
    }

    /// `adhoc_items.N`: how many are filled, and what they sell.
    fn adhoc(&self, cells: Cells<'_>, one: &mut Same, faults: &mut Faults<'_>) -> (usize, Sold) {
        let mut gap = Gap::default();
        let mut sum = Some(0_i64);
        let (mut sold, mut before) = (Sold::default(), None);
        for (n, item) in self.header.adhoc.iter().enumerate() {
            if !gap.next(cells, item, faults) {
                continue;
            }
            let needs = [item.amount, item.interval, item.currency];
            required(cells, item, &needs, faults);
            product(cells, item, n, faults);
            let minor = self.priced(cells, item, one, faults);
            let many = match quantity(cells, item.quantity, faults) {
                Held::Empty => Some(1),
                held => held.good().and_then(|n| i64::try_from(n).ok()),
            };
            let cost = minor.zip(many).and_then(|(minor, n)| minor.checked_mul(n));
            sum = sum.zip(cost).and_then(|(sum, cost)| sum.checked_add(cost));
            let interval = held(cells, item.interval, faults, |cell| {
                cell::choice(cell, &INTERVALS)
            });
            if let Held::Good(interval) = interval {
                if before.is_some_and(|before| before != interval) {
                    faults.add(Rule::MixedIntervals, item.interval, Note::Nothing);
                }
                before = Some(interval);
                let longest = [1, 7, 31, 366][interval] * DAY;
                sold.cycle = Some(sold.cycle.map_or(longest, |cycle| cycle.min(longest)));
            }
        }
        sold.money = sum.zip(one.0).filter(|_| gap.filled > 0);
        (gap.filled, sold)
    }

    /// `add_invoice_items.N`.
    fn extra(&self, cells: Cells<'_>, one: &mut Same, faults: &mut Faults<'_>) {
        let mut gap = Gap::default();
        for item in &self.header.extra {
            if !gap.next(cells, item, faults) {
                continue;
            }
            required(cells, item, &[item.amount, item.product, item.currency], faults);
            if !cells.get(item.product).is_empty() {
                id(cells, item.product, Kind::Product, faults);
            }
            self.priced(cells, item, one, faults);
        }
        if gap.filled > MOST_ITEMS {
            let at = self.header.extra.first().map_or(NONE, |item| item.amount);
            faults.add(
                Rule::TooManyItems,
                at,
                Note::Counts(gap.filled as u64, MOST_ITEMS as u64),
            );
        }
    }

    /// Currency and amount of an item, in minor units.
    fn priced(
        &self,
        cells: Cells<'_>,
        item: &ItemPlaces,
        one: &mut Same,
        faults: &mut Faults<'_>,
    ) -> Option<i64> {
        let currency = held(cells, item.currency, faults, |cell| self.currency(cell)).good();
        if let Some(currency) = currency
            && !one.is(currency)
        {
            faults.add(Rule::MixedCurrencies, item.currency, Note::Nothing);
        }
        // Without a currency only the form can be judged: three decimals are the most there are.
        let of = match currency {
            Some(currency) => currency,
            None => Currency::parse("kwd").ok()?,
        };
        let minor = held(cells, item.amount, faults, |cell| cell::amount(cell, of)).good()?;
        currency?;
        if minor > LARGEST {
            faults.add(Rule::AmountLarge, item.amount, Note::Nothing);
        }
        if of.decimals() == 3 && minor % 10 != 0 {
            faults.add(Rule::AmountThirdDecimal, item.amount, Note::Nothing);
        }
        Some(minor)
    }
}

/// Says which of these columns of a filled item are empty.
fn required(cells: Cells<'_>, item: &ItemPlaces, required: &[u16], faults: &mut Faults<'_>) {
    for at in required {
        if *at == NONE {
            let any = item.all().into_iter().min().unwrap_or(NONE);
            faults.add(
                Rule::IncompleteItem,
                any,
                Note::Words("a required column of this item is not there"),
            );
        } else if cells.get(*at).is_empty() {
            faults.add(Rule::IncompleteItem, *at, Note::Nothing);
        }
    }
}

/// A quantity, which may be left out.
fn quantity(cells: Cells<'_>, at: u16, faults: &mut Faults<'_>) -> Held<u64> {
    let held = held(cells, at, faults, cell::count);
    if held == Held::Good(0) {
        faults.add(Rule::ZeroQuantity, at, Note::Nothing);
    }
    held
}

/// The product of an ad-hoc item.
fn product(cells: Cells<'_>, item: &ItemPlaces, n: usize, faults: &mut Faults<'_>) {
    if !cells.get(item.product).is_empty() {
        id(cells, item.product, Kind::Product, faults);
    } else if item.product == NONE && n > 0 {
        let at = item.all().into_iter().min().unwrap_or(NONE);
        faults.add(
            Rule::AdhocProductTemplate,
            at,
            Note::Words("adhoc_items.N.product"),
        );
    } else {
        let at = if item.product == NONE {
            item.amount
        } else {
            item.product
        };
        faults.add(
            Rule::IncompleteItem,
            at,
            Note::Words("an ad-hoc item needs its product"),
        );
    }
}

/// The one currency of a row.
struct Same(Option<Currency>);

impl Same {
    fn is(&mut self, currency: Currency) -> bool {
        *self.0.get_or_insert(currency) == currency
    }
}

/// Items are filled from the first on.
#[derive(Default)]
struct Gap {
    filled: usize,
    empty: bool,
    said: bool,
}

impl Gap {
    /// Whether anything of this item is filled.
    fn next(&mut self, cells: Cells<'_>, item: &ItemPlaces, faults: &mut Faults<'_>) -> bool {
        let filled = item.all().into_iter().find(|at| !cells.get(*at).is_empty());
        let Some(at) = filled else {
            self.empty = true;
            return false;
        };
        self.filled += 1;
        if self.empty && !self.said {
            self.said = true;
            faults.add(Rule::ItemsGap, at, Note::Nothing);
        }
        true
    }
}
