//! Finance's list of expected balances: a CSV with the columns `customer`, `currency` and `amount`, read by name.
//! PURE: bytes in, amounts out. Whether the customers exist is for the stage to say.
//!
//! `amount` is in major units (`12.40`), positive for a credit: the sign people use, and this program's own.

use std::collections::BTreeMap;

use crate::domain::money::Currency;
use crate::domain::table::{Row, Table, TableError};
use crate::domain::text::safe;

const CUSTOMER: &str = "customer";
const CURRENCY: &str = "currency";
const AMOUNT: &str = "amount";

/// What finance expects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// By customer and currency: minor units, positive for a credit, and the line it was first said on.
    pub balances: BTreeMap<(String, Currency), (i64, usize)>,
    /// Lines that say again what an earlier line says.
    pub repeated: u64,
    /// Columns that were not looked at.
    pub ignored: Vec<String>,
}

impl Expected {
    /// What is expected of one customer in one currency, in minor units, and the line that says so.
    #[must_use]
    pub fn get(&self, customer: &str, currency: Currency) -> Option<(i64, usize)> {
        self.balances.get(&(customer.to_owned(), currency)).copied()
    }

    /// The currencies in which something is expected of a customer.
    pub fn currencies_of<'a>(&'a self, customer: &'a str) -> impl Iterator<Item = Currency> + 'a {
        let from = (customer.to_owned(), Currency::MIN);
        let of = self
            .balances
            .range(from..)
            .take_while(move |((id, _), _)| id == customer);
        of.map(|((_, currency), _)| *currency)
    }
}

/// Reads the list. `file` is its name, for errors.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Expected, TableError> {
    let table = Table::read(file, bytes, &[CUSTOMER, CURRENCY, AMOUNT])?;
    let mut expected = Expected::default();
    for row in &table.rows {
        let (key, amount) = balance(&table, row)?;
        match expected.balances.get(&key) {
            None => {
                expected.balances.insert(key, (amount, row.line));
            }
            Some((earlier, _)) if *earlier == amount => expected.repeated += 1,
            Some((_, line)) => {
                let why = format!(
                    "says another amount for {} in {} than line {line}; keep the right one",
                    safe(&key.0),
                    key.1
                );
                return Err(table.error(row, AMOUNT, why));
            }
        }
    }
    expected.ignored = table.ignored;
    Ok(expected)
}

fn balance(table: &Table, row: &Row) -> Result<((String, Currency), i64), TableError> {
    let [customer, currency, amount] = row.cells.as_slice() else {
        return Err(table.error(row, CUSTOMER, "is incomplete; give customer, currency and amount"));
    };
    if customer.is_empty() || !customer.bytes().all(|b| b.is_ascii_graphic()) {
        let why = format!(
            "`{}` is not a customer id; write it as Stripe shows it, cus_…",
            safe(customer)
        );
        return Err(table.error(row, CUSTOMER, why));
    }
    let said = |error: &dyn std::fmt::Display| safe(&error.to_string()).to_string();
    let letters = currency.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let code = Currency::parse(if letters { currency } else { "" })
        .ok()
        .filter(Currency::is_accepted);
    let code = code.ok_or_else(|| {
        table.error(
            row,
            CURRENCY,
            format!(
                "`{}` is not a currency code of Stripe's; write usd or USD",
                safe(currency)
            ),
        )
    })?;
    let minor = code
        .parse_amount(amount)
        .map_err(|error| table.error(row, AMOUNT, said(&error)))?;
    Ok(((customer.clone(), code), minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Expected, String> {
        parse("finance.csv", text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_are_minor_units_of_their_currency_with_the_line_they_stand_on() {
        let expected =
            read("amount,customer,currency\r\n12.40,cus_1,USD\r\n-3,cus_1,jpy\r\n\r\n0.005,cus_2,kwd\r\n")
                .unwrap();
        let flat: Vec<_> = expected
            .balances
            .iter()
            .map(|((customer, currency), (amount, line))| format!("{customer} {currency:?} {amount} {line}"))
            .collect();
        assert_eq!(flat, ["cus_1 jpy -3 3", "cus_1 usd 1240 2", "cus_2 kwd 5 5"]);
    }

    #[test]
    fn a_line_said_twice_is_counted_and_a_contradiction_is_refused_with_both_lines() {
        let twice = read("customer,currency,amount\ncus_1,usd,5\ncus_1,USD,5.00\n").unwrap();
        assert_eq!((twice.balances.len(), twice.repeated), (1, 1));
        assert_eq!(
            read("customer,currency,amount\ncus_1,usd,5\ncus_1,USD,5.01\n").unwrap_err(),
            "finance.csv, line 3, column `amount`: says another amount for cus_1 in USD than line 2; keep the right one"
        );
    }

    #[test]
    fn every_bad_cell_is_named_by_file_line_and_column() {
        let cases = [
            (
                "cus_1,usd,12.345",
                "column `amount`: `12.345` has fractions of the smallest unit: USD has 2 decimals",
            ),
            ("cus_1,jpy,12.5", "column `amount`: `12.5` has fractions"),
            ("cus_1,usd,1.23E+3", "column `amount`: `1.23E+3` is not an amount"),
            (
                "cus_1,usd,\"1,200.00\"",
                "column `amount`: `1,200.00` is not an amount",
            ),
            ("cus_1,usd,", "column `amount`: `` is not an amount"),
            (
                "cus_1,dollars!,1",
                "column `currency`: `dollars!` is not a currency code of Stripe's",
            ),
            ("cus_1,840,1", "column `currency`: `840` is not a currency code"),
            (",usd,1", "column `customer`: `` is not a customer id"),
            (
                "cus\u{202e}1,usd,1",
                "column `customer`: `cus<202e>1` is not a customer id",
            ),
            ("cus_1,usd,1,5", "has 4 cells, the header has 3"),
        ];
        for (row, why) in cases {
            let said = read(&format!("customer,currency,amount\n{row}\n")).unwrap_err();
            assert!(
                said.starts_with("finance.csv, line 2") && said.contains(why),
                "{said}"
            );
        }
        assert!(
            read("customer,currency\ncus_1,usd\n")
                .unwrap_err()
                .contains("has no column `amount`")
        );
    }
}
