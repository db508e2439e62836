//! The columns of the file: their names, for whoever writes one, and where they stand, for whoever reads one.

use super::LintError;
use crate::domain::text::safe;

/// Whom the subscription is for. Required.
pub const CUSTOMER: &str = "customer";
/// When it begins, epoch seconds. Required.
pub const START_DATE: &str = "start_date";
/// The one price of a basic row.
pub const PRICE: &str = "price";
/// Of [`PRICE`].
pub const QUANTITY: &str = "quantity";
/// `true` for Stripe Tax.
pub const AUTOMATIC_TAX: &str = "automatic_tax";
/// The next date to bill, epoch seconds.
pub const BILLING_CYCLE_ANCHOR: &str = "billing_cycle_anchor";
/// One coupon.
pub const COUPON: &str = "coupon";
/// Epoch seconds.
pub const TRIAL_END: &str = "trial_end";
/// `create_prorations` (default) or `none`.
pub const PRORATION_BEHAVIOR: &str = "proration_behavior";
/// `charge_automatically` (default) or `send_invoice`.
pub const COLLECTION_METHOD: &str = "collection_method";
/// One tax rate.
pub const DEFAULT_TAX_RATE: &str = "default_tax_rate";
/// The original start, epoch seconds.
pub const BACKDATE_START_DATE: &str = "backdate_start_date";
/// With `send_invoice`.
pub const DAYS_UNTIL_DUE: &str = "days_until_due";
/// `true` to end with the first period.
pub const CANCEL_AT_PERIOD_END: &str = "cancel_at_period_end";
/// Which currency of multi-currency prices.
pub const CURRENCY: &str = "currency";
/// Where the subscription comes from; [`SOURCE_STRIPE`] in a Stripe-to-Stripe migration.
pub const METADATA_SOURCE: &str = "metadata_source";
/// The value of [`METADATA_SOURCE`].
pub const SOURCE_STRIPE: &str = "internal:Stripe";
/// The old subscription's id.
pub const OLD_SUBSCRIPTION: &str = "metadata.old_Stripe_sub_id";
/// What error files have behind the columns of the input: ours and Stripe's. Ignored in an input.
pub const PROCESSING_ERROR: &str = "processing_error";

/// `items.N.price`
#[must_use]
pub fn item_price(n: usize) -> String {
    format!("items.{n}.price")
}

/// `items.N.quantity`
#[must_use]
pub fn item_quantity(n: usize) -> String {
    format!("items.{n}.quantity")
}

/// `metadata.KEY`
#[must_use]
pub fn metadata(key: &str) -> String {
    format!("metadata.{key}")
}

/// The limit of Stripe's page, 120 MB, in the smaller reading of MB.
pub const MAX_BYTES: u64 = 120_000_000;
/// More columns than this are not a table of subscriptions.
const MAX_COLUMNS: usize = 1_000;
/// Numbers of items above this are not read as such: no row may have more than 20.
const MAX_INDEX: usize = 99;
/// The API: keys of metadata.
const MAX_KEY: usize = 40;
/// The API: keys on one object.
const MAX_KEYS: usize = 50;

/// The columns without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fixed {
    Customer,
    StartDate,
    Price,
    Quantity,
    AutomaticTax,
    Anchor,
    Coupon,
    TrialEnd,
    Proration,
    Collection,
    TaxRate,
    Backdate,
    DaysUntilDue,
    Cancel,
    Currency,
}

/// In the order of [`Fixed`].
pub(super) const FIXED: [&str; 15] = [
    CUSTOMER,
    START_DATE,
    PRICE,
    QUANTITY,
    AUTOMATIC_TAX,
    BILLING_CYCLE_ANCHOR,
    COUPON,
    TRIAL_END,
    PRORATION_BEHAVIOR,
    COLLECTION_METHOD,
    DEFAULT_TAX_RATE,
    BACKDATE_START_DATE,
    DAYS_UNTIL_DUE,
    CANCEL_AT_PERIOD_END,
    CURRENCY,
];

/// What of an item a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Price,
    Quantity,
    Amount,
    Product,
    Interval,
    Currency,
}

/// Which list of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Items,
    Adhoc,
    Extra,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Fixed(Fixed),
    Item(List, usize, Part),
    /// Its key begins here in the name.
    Metadata(usize),
    /// The end of the current period, as an export of the source names it.
    PeriodEnd,
    Ignored,
    Unknown,
}

/// No column.
pub(super) const NONE: u16 = u16::MAX;

/// The columns of one item; [`NONE`] where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemPlaces {
    pub(super) price: u16,
    pub(super) quantity: u16,
    pub(super) amount: u16,
    pub(super) product: u16,
    pub(super) interval: u16,
    pub(super) currency: u16,
}

impl ItemPlaces {
    const EMPTY: Self = Self {
        price: NONE,
        quantity: NONE,
        amount: NONE,
        product: NONE,
        interval: NONE,
        currency: NONE,
    };

    const fn slot(&mut self, part: Part) -> &mut u16 {
        match part {
            Part::Price => &mut self.price,
            Part::Quantity => &mut self.quantity,
            Part::Amount => &mut self.amount,
            Part::Product => &mut self.product,
            Part::Interval => &mut self.interval,
            Part::Currency => &mut self.currency,
        }
    }

    /// All of them.
    pub(super) const fn all(&self) -> [u16; 6] {
        [
            self.price,
            self.quantity,
            self.amount,
            self.product,
            self.interval,
            self.currency,
        ]
    }
}

/// A header, read.
#[derive(Debug)]
pub(super) struct Header {
    /// As they stand in the file, sanitised.
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Column>,
    fixed: [u16; FIXED.len()],
    pub(super) items: Vec<ItemPlaces>,
    pub(super) adhoc: Vec<ItemPlaces>,
    pub(super) extra: Vec<ItemPlaces>,
    /// Columns of free text: metadata, unknown ones.
    pub(super) texts: Vec<u16>,
    /// Metadata columns.
    pub(super) metadata: Vec<u16>,
    pub(super) old_id: u16,
    pub(super) third_party_id: u16,
    pub(super) source: u16,
    pub(super) period_end: u16,
}

impl Header {
    /// Where that column is, or [`NONE`].
    pub(super) const fn at(&self, column: Fixed) -> u16 {
        self.fixed[column as usize]
    }

    /// The name of the column at that place.
    pub(super) fn name(&self, at: u16) -> &str {
        self.names.get(usize::from(at)).map_or("", String::as_str)
    }

    /// Reads the cells of a header. `Err` refuses the file.
    pub(super) fn read<'a>(cells: impl Iterator<Item = &'a [u8]>) -> Result<Self, LintError> {
        let mut header = Self {
            names: Vec::new(),
            columns: Vec::new(),
            fixed: [NONE; FIXED.len()],
            items: Vec::new(),
            adhoc: Vec::new(),
            extra: Vec::new(),
            texts: Vec::new(),
            metadata: Vec::new(),
            old_id: NONE,
            third_party_id: NONE,
            source: NONE,
            period_end: NONE,
        };
        for cell in cells {
            if header.names.len() == MAX_COLUMNS {
                return Err(refuse(format!(
                    "has more than {MAX_COLUMNS} columns; give a file in the toolkit's format"
                )));
            }
            header.column(cell)?;
        }
        header.complete()?;
        Ok(header)
    }

    fn column(&mut self, cell: &[u8]) -> Result<(), LintError> {
        let Ok(name) = std::str::from_utf8(cell) else {
            let at = self.names.len() + 1;
            return Err(refuse(format!(
                "has a name in column {at} that is not UTF-8; save the file as CSV UTF-8"
            )));
        };
        let column = recognise(name);
        let at = u16::try_from(self.names.len()).unwrap_or(NONE);
        self.place(column, name, at)?;
        self.names.push(safe(name).as_str().chars().take(100).collect());
        self.columns.push(column);
        Ok(())
    }

    fn place(&mut self, column: Column, name: &str, at: u16) -> Result<(), LintError> {
        match column {
            Column::Fixed(fixed) => self.once(fixed as usize, at, name)?,
            Column::Item(list, n, part) => {
                let items = match list {
                    List::Items => &mut self.items,
                    List::Adhoc => &mut self.adhoc,
                    List::Extra => &mut self.extra,
                };
                if items.len() <= n {
                    items.resize(n + 1, ItemPlaces::EMPTY);
                }
                let slot = items[n].slot(part);
                if *slot != NONE {
                    return Err(twice(name, *slot, at));
                }
                *slot = at;
            }
            Column::Metadata(from) => self.metadata_column(&name[from..], name, at)?,
            Column::PeriodEnd => {
                self.period_end = at;
                self.texts.push(at);
            }
            Column::Unknown => self.texts.push(at),
            Column::Ignored => {}
        }
        Ok(())
    }

    fn once(&mut self, slot: usize, at: u16, name: &str) -> Result<(), LintError> {
        if self.fixed[slot] != NONE {
            return Err(twice(name, self.fixed[slot], at));
        }
        self.fixed[slot] = at;
        Ok(())
    }

    fn metadata_column(&mut self, key: &str, name: &str, at: u16) -> Result<(), LintError> {
        let why = if key.chars().count() > MAX_KEY {
            Some("a key of metadata has at most 40 characters")
        } else if key.contains(['[', ']']) {
            Some("a key of metadata has no brackets")
        } else if self.metadata.len() == MAX_KEYS {
            Some("an object has at most 50 keys of metadata")
        } else {
            None
        };
        if let Some(why) = why {
            return Err(refuse(format!(
                "column {} `{}`: {why}; rename or remove it",
                at + 1,
                safe(name)
            )));
        }
        for before in &self.metadata {
            let other = &self.names[usize::from(*before)];
            if metadata_key(other) == Some(key) {
                return Err(twice(name, *before, at));
            }
        }
        if key.eq_ignore_ascii_case("old_Stripe_sub_id") {
            self.old_id = at;
        } else if key.eq_ignore_ascii_case("third_party_sub_id") {
            self.third_party_id = at;
        } else if key == "source" {
            self.source = at;
        }
        self.metadata.push(at);
        self.texts.push(at);
        if self.period_end == NONE && is_period_end(key) {
            self.period_end = at;
        }
        Ok(())
    }

    /// What no row could be without.
    fn complete(&self) -> Result<(), LintError> {
        if let [one] = self.names.as_slice() {
            let separators = [(";", "semicolons"), ("<09>", "tabs"), ("|", "bars")];
            if let Some((_, word)) = separators.iter().find(|(mark, _)| one.contains(mark)) {
                return Err(refuse(format!(
                    "has {word} between its cells; save it as CSV with commas"
                )));
            }
        }
        for (fixed, name) in [(Fixed::Customer, CUSTOMER), (Fixed::StartDate, START_DATE)] {
            if self.at(fixed) == NONE {
                return Err(self.lacks(name));
            }
        }
        let sells = self.at(Fixed::Price) != NONE
            || self.items.first().is_some_and(|item| item.price != NONE)
            || self.adhoc.first().is_some_and(|item| item.amount != NONE);
        if !sells {
            return Err(self.lacks("price, items.0.price or adhoc_items.0.amount"));
        }
        Ok(())
    }

    fn lacks(&self, name: &str) -> LintError {
        let near = self.names.iter().find(|have| meant(have) == Some(name));
        let looks_like_data = self.names.iter().any(|name| name.starts_with("cus_"));
        let hint = match near {
            Some(have) => format!("rename `{have}`, which is not the same to Stripe"),
            None if looks_like_data => "the first line must name the columns".to_owned(),
            None => "take Stripe's template and name the columns as it does".to_owned(),
        };
        refuse(format!("line 1, the header, has no column {name}; {hint}"))
    }
}

fn refuse(why: String) -> LintError {
    LintError::Refused(why)
}

fn twice(name: &str, first: u16, second: u16) -> LintError {
    refuse(format!(
        "columns {} and {} are both `{}`, and which one counts cannot be told; remove one of them",
        first + 1,
        second + 1,
        safe(name)
    ))
}

fn metadata_key(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("metadata")?;
    rest.strip_prefix(['.', '_']).filter(|key| !key.is_empty())
}

fn is_period_end(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    matches!(
        plain.as_str(),
        "currentperiodend" | "currentperiodendutc" | "oldcurrentperiodend"
    )
}

fn recognise(name: &str) -> Column {
    if let Some(at) = FIXED.iter().position(|fixed| *fixed == name) {
        return Column::Fixed(FIXED_COLUMNS[at]);
    }
    if name == PROCESSING_ERROR {
        return Column::Ignored;
    }
    if let Some(key) = metadata_key(name) {
        return Column::Metadata(name.len() - key.len());
    }
    if is_period_end(name) {
        return Column::PeriodEnd;
    }
    item(name).unwrap_or(Column::Unknown)
}

const FIXED_COLUMNS: [Fixed; FIXED.len()] = [
    Fixed::Customer,
    Fixed::StartDate,
    Fixed::Price,
    Fixed::Quantity,
    Fixed::AutomaticTax,
    Fixed::Anchor,
    Fixed::Coupon,
    Fixed::TrialEnd,
    Fixed::Proration,
    Fixed::Collection,
    Fixed::TaxRate,
    Fixed::Backdate,
    Fixed::DaysUntilDue,
    Fixed::Cancel,
    Fixed::Currency,
];

fn item(name: &str) -> Option<Column> {
    let mut parts = name.split('.');
    let (list, number, part, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let plain = number == "0" || !number.starts_with(['0', '+']);
    let number: usize = number.parse().ok().filter(|n| *n <= MAX_INDEX && plain)?;
    let (list, part) = match (list, part) {
        ("items", "price") => (List::Items, Part::Price),
        ("items", "quantity") => (List::Items, Part::Quantity),
        ("adhoc_items", "amount") => (List::Adhoc, Part::Amount),
        ("adhoc_items", "product") => (List::Adhoc, Part::Product),
        ("adhoc_items", "interval") => (List::Adhoc, Part::Interval),
        ("adhoc_items", "currency") => (List::Adhoc, Part::Currency),
        ("adhoc_items", "quantity") => (List::Adhoc, Part::Quantity),
        ("add_invoice_items", "amount") => (List::Extra, Part::Amount),
        ("add_invoice_items", "product") => (List::Extra, Part::Product),
        ("add_invoice_items", "currency") => (List::Extra, Part::Currency),
        _ => return None,
    };
    Some(Column::Item(list, number, part))
}

/// The column a name that is none was probably meant to be: other case, spaces, or the `(required)` of Stripe's tables.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let lower = lower.trim().trim_end_matches("(required)").trim();
    let plain = lower.replace([' ', '-'], "_");
    let exact = FIXED.iter().find(|fixed| **fixed == plain);
    let near = || {
        FIXED
            .iter()
            .find(|fixed| strsim::damerau_levenshtein(fixed, &plain) <= 1 + fixed.len() / 8)
    };
    exact.or_else(near).copied()
}
