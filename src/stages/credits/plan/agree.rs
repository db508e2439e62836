//! Whether the four sources say the same. PURE.

use crate::domain::money::{Currency, Money};
use crate::stages::credits::facts::Side;

/// The amount that all sources agree on, or the rule and the sentence that says how they differ.
pub(super) fn agreed(side: &Side, currency: Currency) -> Result<i64, (&'static str, String)> {
    let Some(ledger) = &side.ledger else {
        return Err(("unreadable", "the ledger was not read".to_owned()));
    };
    if let Some(why) = &ledger.unreadable {
        return Err(("unreadable", format!("the ledger cannot be added up: {why}")));
    }
    let book = ledger.books.get(&currency);
    let sum = book.map_or(0, |book| book.sum);
    let say = |amount: i64| Money::new(amount, currency).to_string();
    let Some(credit) = side.credit_in(currency) else {
        let why = "invoice_credit_balance was not in the answer; it must be expanded, and the key must be allowed to see it";
        return Err(("unreadable", why.to_owned()));
    };
    if sum != 0 && credit == -sum {
        let why = format!(
            "the ledger says {} and invoice_credit_balance says {}, the same with the opposite sign: the sign this \
             program expects does not hold here",
            say(sum),
            say(credit)
        );
        return Err(("sign_contradicts", why));
    }
    let ending_fits = book.is_none_or(|book| book.newest_endings.contains(&sum));
    let balance_fits = side.currency != Some(currency) || side.balance == sum;
    if sum == credit && ending_fits && balance_fits {
        return Ok(sum);
    }
    let ending = book
        .and_then(|book| book.newest_endings.first())
        .map_or("none".to_owned(), |e| say(*e));
    let balance = if side.currency == Some(currency) {
        say(side.balance)
    } else {
        "not in this currency".to_owned()
    };
    Err((
        "sources_disagree",
        format!(
            "the ledger adds up to {}, its newest ending balance is {ending}, invoice_credit_balance is {}, balance is \
             {balance}",
            say(sum),
            say(credit)
        ),
    ))
}
