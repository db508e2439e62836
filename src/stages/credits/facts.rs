//! What the stage knows about one customer: four readings of the same money, from different places, all turned into the
//! program's sign (positive: we owe it to the customer).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::EffectId;
use crate::domain::money::{Currency, Money};
use crate::domain::scope::Belongs;
use crate::domain::text::Safe;
pub use crate::stages::Read;

/// One customer, both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerFacts {
    /// The id, the same on both accounts after Stripe's copy.
    pub id: String,
    /// Name, or e-mail where there is none.
    pub label: Safe,
    /// Who it belongs to.
    pub belongs: Belongs,
    /// The old account. In a place of its own, as everything that is large here: a hundred thousand of these are sorted
    /// and moved about.
    pub source: Box<Side>,
    /// The new account; `None` when the customer is not there.
    pub destination: Option<Box<Side>>,
}

/// One customer on one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// `customer.currency`.
    pub currency: Option<Currency>,
    /// `customer.balance`: in the customer's own currency only, whatever else there is.
    pub balance: i64,
    /// `customer.invoice_credit_balance`; `None` when it was not in the answer, which is not the same as empty.
    pub credit_balance: Option<BTreeMap<Currency, i64>>,
    /// `customer.cash_balance.available`: money held, not bookkeeping.
    pub cash: BTreeMap<Currency, i64>,
    /// The ledger, where it was read.
    pub ledger: Option<Box<Ledger>>,
    /// Billing credit grants still in force.
    pub grants: Vec<Grant>,
    /// The answer that listed the customer.
    pub listed: Read,
}

/// `balance_transactions`, all of them, summed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Per currency.
    pub books: BTreeMap<Currency, Book>,
    /// Ids and second of the newest rows: what a later look compares against.
    pub head: Option<Head>,
    /// Rows read.
    pub rows: u64,
    /// Rows that carry a marker of this program.
    pub marks: Vec<Mark>,
    /// Why it cannot be trusted, when it cannot.
    pub unreadable: Option<String>,
    /// The last page.
    pub read: Read,
}

/// One currency of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Sum of all amounts.
    pub sum: i64,
    /// `ending_balance` of the newest row; several where rows share the newest second, because their order is arbitrary.
    pub newest_endings: Vec<i64>,
}

/// The newest rows of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Their second.
    pub created: i64,
    /// All ids of that second.
    pub ids: Vec<String>,
}

/// A row this program wrote, in this or an earlier run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The marker.
    pub effect: EffectId,
    /// What it moved.
    pub money: Money,
    /// The ledger row.
    pub id: String,
    /// The run that wrote it.
    pub run: String,
}

/// A billing credit grant in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Its amount when granted.
    pub money: Money,
    /// `paid` or `promotional`.
    pub category: String,
    /// When it expires, in seconds; `None` is never.
    pub expires_at: Option<i64>,
    /// Its name.
    pub name: Safe,
}

/// One row of a ledger as the wire gave it, before it is summed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Id.
    pub id: String,
    /// In Stripe's sign: negative is a credit.
    pub amount: i64,
    /// Code as sent.
    pub currency: String,
    /// In Stripe's sign.
    pub ending_balance: i64,
    /// Second.
    pub created: i64,
    /// Marker, if any.
    pub effect: Option<String>,
    /// Run of the marker.
    pub run: Option<String>,
}

impl Ledger {
    /// Sums `entries`, newest first as Stripe lists them.
    #[must_use]
    pub fn of(entries: &[Entry], read: Read) -> Self {
        let mut ledger = Self {
            read,
            rows: entries.len() as u64,
            ..Self::default()
        };
        if let Some(newest) = entries.iter().map(|entry| entry.created).max() {
            let ids = entries
                .iter()
                .filter(|entry| entry.created == newest)
                .map(|entry| entry.id.clone());
            ledger.head = Some(Head {
                created: newest,
                ids: ids.collect(),
            });
        }
        let mut newest_of: BTreeMap<Currency, i64> = BTreeMap::new();
        for entry in entries {
            if let Err(why) = ledger.add(entry, &mut newest_of) {
                ledger.unreadable = Some(why);
            }
        }
        ledger
    }

    fn add(&mut self, entry: &Entry, newest_of: &mut BTreeMap<Currency, i64>) -> Result<(), String> {
        let currency = Currency::parse(&entry.currency).map_err(|e| format!("row {}: {e}", entry.id))?;
        let too_large = || {
            format!(
                "row {} does not fit: the amounts add up to more than 64 bits hold",
                entry.id
            )
        };
        let amount = entry.amount.checked_neg().ok_or_else(too_large)?;
        let ending = entry.ending_balance.checked_neg().ok_or_else(too_large)?;
        let book = self.books.entry(currency).or_default();
        book.sum = book.sum.checked_add(amount).ok_or_else(too_large)?;
        let newest = newest_of.entry(currency).or_insert(entry.created);
        if entry.created > *newest {
            *newest = entry.created;
            book.newest_endings.clear();
        }
        if entry.created == *newest {
            book.newest_endings.push(ending);
        }
        if let Some(effect) = &entry.effect {
            self.marks.push(Mark {
                effect: EffectId(effect.clone()),
                money: Money::new(amount, currency),
                id: entry.id.clone(),
                run: entry.run.clone().unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// The mark of `effect`.
    #[must_use]
    pub fn mark(&self, effect: &EffectId) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.effect == *effect)
    }
}

impl Side {
    /// Every currency that appears anywhere with money in it, or in the ledger at all.
    #[must_use]
    pub fn currencies(&self) -> Vec<Currency> {
        let mut all: Vec<Currency> = Vec::new();
        if let Some(ledger) = &self.ledger {
            all.extend(ledger.books.keys());
        }
        if let Some(map) = &self.credit_balance {
            all.extend(
                map.iter()
                    .filter(|(_, amount)| **amount != 0)
                    .map(|(currency, _)| *currency),
            );
        }
        if self.balance != 0 {
            all.extend(self.currency);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// `invoice_credit_balance` in `currency`: zero where the map is there without it, `None` where the map is not.
    #[must_use]
    pub fn credit_in(&self, currency: Currency) -> Option<i64> {
        self.credit_balance
            .as_ref()
            .map(|map| map.get(&currency).copied().unwrap_or(0))
    }

    /// The ledger's sum in `currency`, `None` where the ledger was not read or cannot be trusted.
    #[must_use]
    pub fn ledger_in(&self, currency: Currency) -> Option<i64> {
        let ledger = self
            .ledger
            .as_ref()
            .filter(|ledger| ledger.unreadable.is_none())?;
        Some(ledger.books.get(&currency).map_or(0, |book| book.sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, amount: i64, currency: &str, ending: i64, created: i64) -> Entry {
        Entry {
            id: id.into(),
            amount,
            currency: currency.into(),
            ending_balance: ending,
            created,
            effect: None,
            run: None,
        }
    }

    fn usd() -> Currency {
        Currency::parse("usd").unwrap()
    }

    #[test]
    fn currencies_are_summed_apart_and_signs_turned_once() {
        let entries = [
            entry("c", 300, "usd", -900, 30),
            entry("b", -500, "aud", -500, 20),
            entry("a", -1200, "usd", -1200, 10),
        ];
        let ledger = Ledger::of(&entries, Read::default());
        assert_eq!(
            ledger.books[&usd()],
            Book {
                sum: 900,
                newest_endings: vec![900]
            }
        );
        assert_eq!(ledger.books[&Currency::parse("aud").unwrap()].sum, 500);
        assert_eq!(
            ledger.head,
            Some(Head {
                created: 30,
                ids: vec!["c".into()]
            })
        );
    }

    #[test]
    fn rows_of_one_second_may_come_in_any_order() {
        let entries = [
            entry("a", -100, "usd", -100, 10),
            entry("b", -50, "usd", -150, 10),
        ];
        let ledger = Ledger::of(&entries, Read::default());
        assert_eq!(ledger.books[&usd()].newest_endings, [100, 150]);
        assert_eq!(ledger.head.unwrap().ids.len(), 2);
    }

    #[test]
    fn a_ledger_that_cannot_be_added_up_says_so_instead_of_wrapping() {
        let entries = [entry("a", i64::MIN, "usd", 0, 1)];
        assert!(Ledger::of(&entries, Read::default()).unreadable.is_some());
        let entries = [entry("a", -i64::MAX, "usd", 0, 2), entry("b", -1, "usd", 0, 1)];
        assert!(Ledger::of(&entries, Read::default()).unreadable.is_some());
        let entries = [entry("a", 1, "💰", 0, 1)];
        assert!(
            Ledger::of(&entries, Read::default())
                .unreadable
                .unwrap()
                .contains("row a")
        );
    }

    #[test]
    fn a_missing_map_is_not_an_empty_one() {
        let mut side = Side::default();
        assert_eq!(side.credit_in(usd()), None);
        side.credit_balance = Some(BTreeMap::new());
        assert_eq!(side.credit_in(usd()), Some(0));
        assert_eq!(side.ledger_in(usd()), None);
        side.ledger = Some(Box::default());
        assert_eq!(side.ledger_in(usd()), Some(0));
    }
}
