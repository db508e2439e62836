//! Cells as values. What cannot be read is noted, and reading goes on: a person gets all of a row's errors at once.

use std::collections::BTreeMap;

use super::Problem;
use super::columns::{Column, Family, Header};
use super::lines::Record;
use crate::rehearsal::currency::Cur;

/// Keys of metadata an object may have, and the lengths of a key and a value (docs.stripe.com/api/metadata).
const KEYS: usize = 50;
const KEY: usize = 40;
const VALUE: usize = 500;
/// Items, and add-ons, of a subscription.
const ITEMS: usize = 20;

/// A row that asks for a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) customer: String,
    /// Seconds, as every time here.
    pub(crate) start: i64,
    pub(crate) items: Vec<Part>,
    pub(crate) adhoc: Vec<AdHoc>,
    pub(crate) add_ons: Vec<AddOn>,
    pub(crate) currency: Option<Cur>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) automatic_tax: bool,
    pub(crate) anchor: Option<i64>,
    pub(crate) coupon: Option<String>,
    pub(crate) trial_end: Option<i64>,
    /// `create_prorations`
    pub(crate) prorates: bool,
    /// `send_invoice`, with so many days.
    pub(crate) due_in: Option<u32>,
    pub(crate) tax_rate: Option<String>,
    pub(crate) backdate: Option<i64>,
    pub(crate) ends_with_period: bool,
}

/// An item with a price of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its column, for errors.
    pub(crate) column: String,
    pub(crate) price: String,
    pub(crate) quantity: Option<u32>,
}

/// An item with a price of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdHoc {
    pub(crate) n: usize,
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) product: String,
    pub(crate) interval: &'static str,
    pub(crate) currency: Cur,
    pub(crate) quantity: Option<u32>,
}

/// Something billed once, with the first invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddOn {
    pub(crate) n: usize,
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) product: String,
    pub(crate) currency: Cur,
}

/// A row being read.
pub(crate) struct Reading<'a> {
    header: &'a Header,
    cells: Vec<&'a str>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Reading<'a> {
    /// Of a record that has the header's shape and is text.
    pub(crate) fn of(header: &'a Header, record: &'a Record<'a>) -> Result<Self, Problem> {
        let whole = |why: String| Problem {
            column: "row".to_owned(),
            why,
        };
        if record.torn {
            return Err(whole("Text stands behind a closing quote".into()));
        }
        let (has, wants) = (record.cells.len(), header.width);
        if has != wants {
            return Err(whole(format!("Has {has} fields, and the header {wants}")));
        }
        let cells: Result<Vec<&str>, _> = record.cells.iter().map(|c| std::str::from_utf8(c)).collect();
        let cells = cells.map_err(|_| whole("Is not UTF-8 text".into()))?;
        if cells.iter().any(|cell| cell.contains('\0')) {
            return Err(whole("Contains a NUL character".into()));
        }
        Ok(Self {
            header,
            cells,
            problems: Vec::new(),
        })
    }

    /// Notes a problem of a column.
    pub(crate) fn wrong(&mut self, column: impl Into<String>, why: impl Into<String>) {
        self.problems.push(Problem {
            column: column.into(),
            why: why.into(),
        });
    }

    /// The text of a cell that has one.
    fn raw(&self, column: &Column) -> Option<&'a str> {
        let at = self.header.place(column)?;
        self.cells.get(at).copied().filter(|text| !text.is_empty())
    }

    /// The same without spaces around, which are no part of any value.
    fn text(&mut self, column: &Column) -> Option<&'a str> {
        let text = self.raw(column)?;
        if text.trim() != text {
            self.wrong(column.name(), "Begins or ends with a space");
            return None;
        }
        Some(text)
    }

    fn read<T>(&mut self, column: &Column, why: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(column)?;
        let value = read(text);
        if value.is_none() {
            self.wrong(column.name(), why);
        }
        value
    }

    /// Whether a cell has something in it, right or wrong.
    fn given(&self, column: &Column) -> bool {
        self.raw(column).is_some()
    }

    fn id(&mut self, name: &'static str) -> Option<String> {
        self.text(&Column::Single(name)).map(str::to_owned)
    }

    fn time(&mut self, name: &'static str) -> Option<i64> {
        let why = "Invalid date: must be in epoch or Unix timestamp format, in seconds";
        self.read(&Column::Single(name), why, |text| digits(text, 10))
    }

    fn boolean(&mut self, name: &'static str) -> bool {
        let read = |text: &str| match text {
            "true" | "TRUE" => Some(true),
            "false" | "FALSE" => Some(false),
            _ => None,
        };
        self.read(&Column::Single(name), "Must be true or false", read)
            .unwrap_or(false)
    }

    fn quantity(&mut self, column: &Column) -> Option<u32> {
        let read = |text: &str| digits(text, 9).and_then(|n| u32::try_from(n).ok());
        self.read(column, "Must be a whole number", read)
    }

    fn currency(&mut self, column: &Column) -> Option<Cur> {
        let read = |text: &str| Cur::parse(text).filter(|_| !text.bytes().any(|b| b.is_ascii_uppercase()));
        self.read(column, "Must be a supported currency, in lowercase", read)
    }

    /// Reads all of a row; what is missing is noted. `None` when there is nothing to check across cells.
    pub(crate) fn row(&mut self) -> Option<Row> {
        let customer = self.required("customer");
        let start = self.time("start_date");
        if !self.given(&Column::Single("start_date")) {
            self.wrong("start_date", "Missing required field");
        }
        let items = self.items();
        let adhoc = self.adhoc();
        let add_ons = self.add_ons();
        if items.is_empty() && adhoc.is_empty() && self.problems.iter().all(|p| !is_item(&p.column)) {
            self.wrong("price", "Missing required field");
        }
        if items.len() + adhoc.len() > ITEMS {
            self.wrong("items", "A subscription has at most 20 items");
        }
        if add_ons.len() > ITEMS {
            self.wrong(
                "add_invoice_items",
                "A subscription has at most 20 add-on invoice items",
            );
        }
        let row = Row {
            customer: customer.unwrap_or_default(),
            start: start.unwrap_or_default(),
            items,
            adhoc,
            add_ons,
            currency: self.currency(&Column::Single("currency")),
            metadata: self.metadata(),
            automatic_tax: self.boolean("automatic_tax"),
            anchor: self.time("billing_cycle_anchor"),
            coupon: self.coupon(),
            trial_end: self.time("trial_end"),
            prorates: self.prorates(),
            due_in: self.collection(),
            tax_rate: self.id("default_tax_rate"),
            backdate: self.time("backdate_start_date"),
            ends_with_period: self.boolean("cancel_at_period_end"),
        };
        start.map(|_| row)
    }

    fn required(&mut self, name: &'static str) -> Option<String> {
        if !self.given(&Column::Single(name)) {
            self.wrong(name, "Missing required field");
        }
        self.id(name)
    }

    fn coupon(&mut self) -> Option<String> {
        let one = |text: &str| (!text.contains([' ', ',', ';', '|'])).then(|| text.to_owned());
        let why = "Only one coupon is supported for a subscription";
        self.read(&Column::Single("coupon"), why, one)
    }

    fn prorates(&mut self) -> bool {
        let read = |text: &str| match text {
            "create_prorations" => Some(true),
            "none" => Some(false),
            _ => None,
        };
        let column = Column::Single("proration_behavior");
        self.read(&column, "Must be create_prorations or none", read)
            .unwrap_or(true)
    }

    /// The days of an invoice, where bills are sent.
    fn collection(&mut self) -> Option<u32> {
        let (method, days) = (
            Column::Single("collection_method"),
            Column::Single("days_until_due"),
        );
        let read = |text: &str| match text {
            "charge_automatically" => Some(false),
            "send_invoice" => Some(true),
            _ => None,
        };
        let why = "Must be charge_automatically or send_invoice";
        let sends = self.read(&method, why, read);
        let due = self.read(&days, "Must be a whole number of days, at least 1", |text| {
            let days = digits(text, 4).filter(|n| *n > 0)?;
            u32::try_from(days).ok()
        });
        // Nothing more to say of a method that could not be read.
        if sends.is_none() && self.given(&method) {
            return None;
        }
        let sends = sends.unwrap_or(false);
        match (sends, self.given(&days)) {
            (true, false) => self.wrong(
                days.name(),
                "Missing required field: collection_method is send_invoice",
            ),
            (false, true) => self.wrong(
                days.name(),
                "Is valid only when collection_method is send_invoice",
            ),
            _ => {}
        }
        due.filter(|_| sends)
    }

    fn metadata(&mut self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for key in &self.header.keys {
            let column = Column::Metadata(key.clone());
            let Some(value) = self.raw(&column) else { continue };
            if key.chars().count() > KEY || key.contains(['[', ']']) {
                self.wrong(column.name(), "A key has at most 40 characters, and no brackets");
            }
            if value.chars().count() > VALUE {
                self.wrong(column.name(), "A value has at most 500 characters");
            }
            found.insert(key.clone(), value.to_owned());
        }
        if found.len() > KEYS {
            self.wrong("metadata", "An object has at most 50 keys");
        }
        found
    }

    /// Numbers of a family that have anything in their cells; a gap before one is missing data.
    fn numbers(&mut self, family: Family) -> Vec<usize> {
        let filled = |n: &usize| {
            let mut columns = family.fields().iter().map(|f| Column::Of(family, *n, f));
            columns.any(|column| self.given(&column))
        };
        let found: Vec<usize> = (0..self.header.count(family)).filter(filled).collect();
        if let Some((n, _)) = found.iter().enumerate().find(|(at, n)| at != *n) {
            self.wrong(
                format!("{}.{n}", family.word()),
                "Missing data: the next one has some",
            );
        }
        found
    }

    /// A cell that an item cannot do without.
    fn needed(&mut self, column: &Column) {
        if !self.given(column) {
            self.wrong(column.name(), "Missing required field");
        }
    }

    fn items(&mut self) -> Vec<Part> {
        let mut found = Vec::new();
        let numbers = self.numbers(Family::Item);
        let one = [Column::Single("price"), Column::Single("quantity")];
        if one.iter().any(|column| self.given(column)) {
            if self.given(&one[0]) && !numbers.is_empty() {
                self.wrong("price", "Cannot be combined with items.0.price");
            }
            found.extend(self.part(&one));
        }
        for n in numbers {
            let of = ["price", "quantity"].map(|field| Column::Of(Family::Item, n, field));
            found.extend(self.part(&of));
        }
        let mut prices: Vec<&str> = found.iter().map(|part: &Part| part.price.as_str()).collect();
        prices.sort_unstable();
        if prices.windows(2).any(|two| two[0] == two[1]) {
            self.wrong("items", "A subscription cannot have the same price twice");
        }
        found
    }

    fn part(&mut self, [price, quantity]: &[Column; 2]) -> Option<Part> {
        self.needed(price);
        let quantity = self.quantity(quantity);
        let text = self.text(price)?.to_owned();
        Some(Part {
            column: price.name(),
            price: text,
            quantity,
        })
    }

    fn adhoc(&mut self) -> Vec<AdHoc> {
        let numbers = self.numbers(Family::AdHoc);
        numbers.into_iter().filter_map(|n| self.adhoc_item(n)).collect()
    }

    fn adhoc_item(&mut self, n: usize) -> Option<AdHoc> {
        let column = |field| Column::Of(Family::AdHoc, n, field);
        for field in ["amount", "product", "interval", "currency"] {
            self.needed(&column(field));
        }
        let interval = |text: &str| {
            let known = ["day", "week", "month", "year"];
            known.into_iter().find(|word| *word == text)
        };
        let interval = self.read(&column("interval"), "Must be day, week, month or year", interval);
        let currency = self.currency(&column("currency"));
        let amount = self.amount(&column("amount"), currency);
        let quantity = self.quantity(&column("quantity"));
        let product = self.text(&column("product")).map(str::to_owned);
        Some(AdHoc {
            n,
            amount: amount?,
            product: product?,
            interval: interval?,
            currency: currency?,
            quantity,
        })
    }

    fn add_ons(&mut self) -> Vec<AddOn> {
        let numbers = self.numbers(Family::AddOn);
        numbers.into_iter().filter_map(|n| self.add_on(n)).collect()
    }

    fn add_on(&mut self, n: usize) -> Option<AddOn> {
        let column = |field| Column::Of(Family::AddOn, n, field);
        for field in Family::AddOn.fields() {
            self.needed(&column(field));
        }
        let currency = self.currency(&column("currency"));
        let amount = self.amount(&column("amount"), currency);
        let product = self.text(&column("product")).map(str::to_owned);
        Some(AddOn {
            n,
            amount: amount?,
            product: product?,
            currency: currency?,
        })
    }

    /// An amount in full units as minor units. Of an unknown currency only its shape is looked at.
    fn amount(&mut self, column: &Column, currency: Option<Cur>) -> Option<i64> {
        let decimals = currency.map_or(3, decimals);
        let why = "Must be a positive number in full units, with no more decimals than its currency has";
        let amount = self.read(column, why, |text| minor(text, decimals))?;
        if currency.is_some_and(|cur| in_tens(cur) && amount % 10 != 0) {
            self.wrong(column.name(), "The last decimal of this currency must be 0");
            return None;
        }
        Some(amount * currency.map_or(1, whole_only))
    }
}

/// Whether a problem is one of an item's columns.
fn is_item(column: &str) -> bool {
    column == "price" || column == "quantity" || column.starts_with("items") || column.starts_with("adhoc")
}

/// A number of at most so many digits and nothing else.
fn digits(text: &str, most: usize) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// A positive decimal number in units of its last decimal place.
fn minor(text: &str, decimals: usize) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if text.contains('.') && part.is_empty() || part.len() > decimals {
        return None;
    }
    let places = format!("{part:0<decimals$}");
    let sum = digits(whole, 12)?.checked_mul(10_i64.pow(u32::try_from(decimals).ok()?))?;
    let part = if decimals == 0 { 0 } else { digits(&places, 3)? };
    sum.checked_add(part).filter(|amount| *amount > 0)
}

/// Currencies without a minor unit, and those the API gives one that is always 00 (docs.stripe.com/currencies).
const WHOLE: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";
const WHOLE_IN_HUNDREDS: &str = "isk ugx";
const THREE: &str = "bhd jod kwd omr tnd";

fn among(list: &str, cur: Cur) -> bool {
    list.split(' ').any(|code| code == cur.as_str())
}

/// Decimals an amount in full units may have.
fn decimals(cur: Cur) -> usize {
    if among(WHOLE, cur) || among(WHOLE_IN_HUNDREDS, cur) {
        0
    } else if in_tens(cur) {
        3
    } else {
        2
    }
}

/// What makes minor units of the API out of those an amount was read in.
fn whole_only(cur: Cur) -> i64 {
    if among(WHOLE_IN_HUNDREDS, cur) { 100 } else { 1 }
}

fn in_tens(cur: Cur) -> bool {
    among(THREE, cur)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_the_decimals_of_their_currency() {
        for (text, decimals, amount) in [
            ("21.50", 2, Some(2150)),
            ("21.5", 2, Some(2150)),
            ("21", 2, Some(2100)),
            ("0.01", 2, Some(1)),
            ("0", 2, None),
            ("0.00", 2, None),
            ("21.505", 2, None),
            ("21.", 2, None),
            (".5", 2, None),
            ("1,5", 2, None),
            ("-1", 2, None),
            ("1e3", 2, None),
            ("500", 0, Some(500)),
            ("500.0", 0, None),
            ("1.230", 3, Some(1230)),
            ("9999999999999", 2, None),
        ] {
            assert_eq!(minor(text, decimals), amount, "{text}");
        }
    }

    #[test]
    fn currencies_have_the_decimals_stripe_gives_them() {
        let of = |code| Cur::parse(code).map(|cur| (decimals(cur), whole_only(cur), in_tens(cur)));
        assert_eq!(of("usd"), Some((2, 1, false)));
        assert_eq!(of("jpy"), Some((0, 1, false)));
        assert_eq!(of("isk"), Some((0, 100, false)));
        assert_eq!(of("kwd"), Some((3, 1, true)));
        assert_eq!(of("huf"), Some((2, 1, false)));
    }
}
