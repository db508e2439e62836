//! A row whose values stand in the wrong columns: one finding instead of one for every column.
//!
//! Some values say by themselves which column they are from: an id by its prefix, a time by its ten digits, the words of a
//! column by being those. A row is **shifted** when
//!
//! * an id stands where no id belongs (a price id under an amount), or
//! * two or more such values would all be right if they moved by the same number of columns, or
//! * one of them would be right in the next column, and that one is empty.
//!
//! Only a row that is rejected anyway is looked at.

use super::{COLLECTIONS, Checker, Fault, INTERVALS, PRORATIONS};
use crate::stages::subscriptions::toolkit::Rule;
use crate::stages::subscriptions::toolkit::cell::{self, Kind, Note};
use crate::stages::subscriptions::toolkit::columns::{Column, Fixed, List, NONE, Part};
use crate::stages::subscriptions::toolkit::split::Cells;

/// How far values are looked for.
const FARTHEST: i32 = 6;

/// What a value is, or a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Id(Kind),
    Time,
    Proration,
    Collection,
    Interval,
    Number,
    Amount,
    Boolean,
    Currency,
    /// Anything.
    Text,
}

fn wanted(column: Column) -> Is {
    match column {
        Column::Fixed(fixed) => match fixed {
            Fixed::Customer => Is::Id(Kind::Customer),
            Fixed::StartDate | Fixed::Anchor | Fixed::TrialEnd | Fixed::Backdate => Is::Time,
            Fixed::Price => Is::Id(Kind::Price),
            Fixed::Quantity | Fixed::DaysUntilDue => Is::Number,
            Fixed::AutomaticTax | Fixed::Cancel => Is::Boolean,
            Fixed::Coupon => Is::Id(Kind::Coupon),
            Fixed::Proration => Is::Proration,
            Fixed::Collection => Is::Collection,
            Fixed::TaxRate => Is::Id(Kind::TaxRate),
            Fixed::Currency => Is::Currency,
        },
        Column::Item(_, _, part) => match part {
            Part::Price => Is::Id(Kind::Price),
            Part::Quantity => Is::Number,
            Part::Amount => Is::Amount,
            Part::Product => Is::Id(Kind::Product),
            Part::Interval => Is::Interval,
            Part::Currency => Is::Currency,
        },
        Column::Metadata(_) | Column::PeriodEnd | Column::Ignored | Column::Unknown => Is::Text,
    }
}

/// What a value says of itself.
fn says(cell: &[u8]) -> Option<Is> {
    let one_of = |words: &[&str]| words.iter().any(|word| word.as_bytes() == cell);
    if let Some(cell::Named::Kind(kind)) = cell::kind(cell) {
        return Some(Is::Id(kind));
    }
    if cell.len() == 10 && cell.iter().all(u8::is_ascii_digit) {
        return Some(Is::Time);
    }
    if one_of(&PRORATIONS) {
        return Some(Is::Proration);
    }
    if one_of(&COLLECTIONS) {
        return Some(Is::Collection);
    }
    if one_of(&INTERVALS) {
        return Some(Is::Interval);
    }
    None
}

impl Checker {
    /// Replaces the faults of a rejected row from `begun` on by one, if its values are shifted.
    pub(super) fn shifted(&self, cells: Cells<'_>, list: &mut Vec<Fault>, begun: usize) {
        let faults = &list[begun..];
        let rejected = faults.iter().any(|fault| fault.rule.rejects());
        if !rejected || faults.iter().any(|fault| fault.rule == Rule::BadQuotes) {
            return;
        }
        if let Some((at, note)) = self.shift(cells, faults) {
            list.truncate(begun);
            list.push(Fault {
                rule: Rule::Shifted,
                column: at,
                note,
            });
        }
    }

    fn column(&self, at: i32) -> Option<Is> {
        let at = usize::try_from(at).ok()?;
        self.header.columns.get(at).map(|column| wanted(*column))
    }

    fn shift(&self, cells: Cells<'_>, faults: &[Fault]) -> Option<(u16, Note)> {
        let mut misplaced: Vec<(u16, Is)> = Vec::new();
        for (at, column) in (0_u16..).zip(&self.header.columns) {
            let want = wanted(*column);
            let Some(is) = says(cells.get(at)) else {
                continue;
            };
            let coupon = want == Is::Id(Kind::Coupon) && matches!(is, Is::Proration | Is::Interval);
            if want != is && want != Is::Text && !coupon {
                misplaced.push((at, is));
            }
        }
        let fits = |(at, is): &(u16, Is), by: i32| self.column(i32::from(*at) + by) == Some(*is);
        for by in (1..=FARTHEST).flat_map(|by| [by, -by]) {
            if misplaced.len() >= 2 && misplaced.iter().all(|one| fits(one, by)) {
                return Some(moved(misplaced[0].0, by));
            }
        }
        let stray = misplaced.iter().find(|(at, is)| {
            let want = self.column(i32::from(*at));
            matches!(is, Is::Id(_)) && !matches!(want, Some(Is::Id(_)))
        });
        if let Some((at, _)) = stray {
            return Some((*at, Note::Words("an id stands where none belongs")));
        }
        let empty = |at: i32| u16::try_from(at).is_ok_and(|at| cells.get(at).is_empty());
        for one in &misplaced {
            if let Some(by) = [1, -1]
                .into_iter()
                .find(|by| fits(one, *by) && empty(i32::from(one.0) + by))
            {
                return Some(moved(one.0, by));
            }
        }
        self.text_in_number(cells, faults)
    }

    /// A name in a column of numbers, with an empty column of text behind it: Stripe's own multi-price example.
    fn text_in_number(&self, cells: Cells<'_>, faults: &[Fault]) -> Option<(u16, Note)> {
        let fault = faults.iter().find(|fault| {
            let cell = cells.get(fault.column);
            let next = fault.column.saturating_add(1);
            let names = cell.iter().any(u8::is_ascii_alphabetic) && cell.contains(&b'_');
            let empty_text = self.column(i32::from(next)) == Some(Is::Text) && cells.get(next).is_empty();
            fault.rule == Rule::NotAWholeNumber && names && empty_text
        })?;
        Some(moved(fault.column, 1))
    }

    /// Rows that stand on Stripe's page and contradict the text beside them. Their ids are placeholders, so that no row of
    /// anybody's is taken for one.
    pub(super) fn samples(&self, cells: Cells<'_>, list: &mut Vec<Fault>) {
        if !cells.get(self.header.at(Fixed::Customer)).starts_with(b"cus_xxx") {
            return;
        }
        let mut say = |column: u16, words| {
            list.push(Fault {
                rule: Rule::SampleDisagrees,
                column,
                note: Note::Words(words),
            });
        };
        let place = |list: List, n: usize, part: Part| {
            let columns = &self.header.columns;
            let at = columns
                .iter()
                .position(|column| *column == Column::Item(list, n, part));
            at.and_then(|at| u16::try_from(at).ok()).unwrap_or(NONE)
        };
        let amount = place(List::Adhoc, 0, Part::Amount);
        if cells.get(amount) == b"price_xxx1" {
            say(
                amount,
                "the text says 153 USD a month and quantity 1; the row has a price id for its amount, and cells are missing",
            );
        }
        let second = place(List::Items, 1, Part::Quantity);
        if cells.get(second) == b"subscription_1" {
            say(
                second,
                "the text says quantities 2 and 1; the row has 1 and then the old id, because a cell is missing",
            );
        }
        let fee = place(List::Extra, 0, Part::Amount);
        if cells.get(fee) == b"50" {
            say(fee, "the text says a fee of 20 USD; the row sends 50");
        }
        let coupon = self.header.at(Fixed::Coupon);
        if cells.get(coupon) == b"sample_coupon" {
            say(
                coupon,
                "the example says to use the coupon's name; the specification wants its identifier",
            );
        }
    }
}

/// A value that belongs some columns further.
fn moved(at: u16, by: i32) -> (u16, Note) {
    let to = u16::try_from(i32::from(at) + by).unwrap_or(NONE);
    (at, Note::Column(to))
}
