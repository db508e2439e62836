//! Ledger histories: rows of the types Stripe writes, adding up to what the customer is meant to hold.

use super::currency::Cur;
use super::dice::Dice;
use super::ids;
use super::world::{By, Customer, Txn, TxnMore};

const DAY: i64 = 86_400;

/// What a ledger looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Credit in usd.
    Credit,
    /// Owes usd.
    Debit,
    /// Credit in jpy, which has no minor unit.
    Yen,
    /// Credit in kwd, which has three decimals.
    Dinar,
    /// Credit in usd and in aud.
    TwoCurrencies,
    /// `currency` aud with nothing in it, and credit in usd: the five of the practitioner's night.
    MixedCurrency,
    /// More rows than a page.
    Long,
    /// Credit in aud of somebody who stays.
    Stayer,
}

/// Writes a history of this shape; `now` is the start of the night.
pub(crate) fn write(customer: &mut Customer, account: &str, dice: &mut Dice, shape: Shape, now: i64) {
    let dollars = dice.between(2, 400) * 100 + dice.between(0, 99);
    let rows = dice.between(1, 6);
    let plan: Vec<(Cur, i64, i64)> = match shape {
        Shape::Credit => vec![(Cur::USD, -dollars, rows)],
        Shape::Debit => vec![(Cur::USD, dollars, rows)],
        Shape::Yen => vec![(Cur::JPY, -dice.between(300, 40_000), rows)],
        Shape::Dinar => vec![(Cur::KWD, -dice.between(100, 9_000) * 10, rows)],
        Shape::TwoCurrencies => vec![
            (Cur::USD, -dollars, rows),
            (Cur::AUD, -dice.between(500, 20_000), 2),
        ],
        Shape::MixedCurrency => vec![(Cur::AUD, 0, 2), (Cur::USD, -dollars, rows)],
        Shape::Long => vec![(Cur::USD, -dollars, dice.between(120, 260))],
        Shape::Stayer => vec![(Cur::AUD, -dollars, rows)],
    };
    let life = (now - customer.created - 2 * DAY).max(1);
    let total: i64 = plan.iter().map(|(_, _, rows)| rows).sum();
    let mut at = customer.created + 60;
    for (cur, target, rows) in plan {
        // The first currency a customer had anything in stays its own.
        customer.currency.get_or_insert(cur);
        // Amounts in three-decimal currencies end in 0 (docs.stripe.com/currencies).
        let unit = if cur == Cur::KWD { 10 } else { 1 };
        let mut sum = 0;
        for n in 0..rows {
            at += dice.between(0, (life / total).max(1) - 1);
            let amount = match (n + 1 == rows, n) {
                (true, _) => target - sum,
                (false, 0) => target - dice.between(1, 90) * 50 * unit,
                (false, _) => dice.between(-40, 40) * 25 * unit,
            };
            sum += amount;
            let row = row(
                account,
                dice,
                cur,
                amount,
                sum,
                at,
                // By age: on the date itself it would depend on when the night is.
                n == 0 && (now - customer.created) % 3 == 0,
            );
            customer.ledger.push(row);
        }
    }
}

fn row(account: &str, dice: &mut Dice, cur: Cur, amount: i64, ending: i64, created: i64, first: bool) -> Txn {
    let kind = match (first, amount) {
        (true, _) => "initial",
        (_, 1..=60) => "invoice_too_small",
        (_, 1..) => dice.pick(
            &["applied_to_invoice", "applied_to_invoice", "adjustment"],
            "adjustment",
        ),
        (_, 0) => "adjustment",
        _ => dice.pick(
            &[
                "adjustment",
                "adjustment",
                "credit_note",
                "unapplied_from_invoice",
                "migration",
            ],
            "adjustment",
        ),
    };
    let mut more = TxnMore::default();
    if kind.contains("invoice") {
        more.invoice = Some(ids::object("in_", account, dice.next()).into());
    }
    if kind == "credit_note" {
        more.credit_note = Some(ids::object("cn_", account, dice.next()).into());
    }
    if kind == "adjustment" && dice.percent(60) {
        more.description = Some(
            dice.pick(&["Goodwill", "Lesson cancelled", "Referral", "Correction"], "")
                .into(),
        );
    }
    let bare = more.invoice.is_none() && more.credit_note.is_none() && more.description.is_none();
    Txn {
        id: ids::object("cbtxn_", account, dice.next()).into(),
        created,
        amount,
        ending,
        cur,
        by: By::History,
        kind,
        more: (!bare).then(|| Box::new(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::rehearsal::{Options, Scenario, Simulator};

    /// Ids of the customers and everything about their ledgers, with times counted from the start of the night.
    async fn world(secs_later: i64) -> Vec<String> {
        let scenario = Scenario::load("small").unwrap();
        let start = scenario.starts_at().plus_ms(secs_later * 1_000);
        let options = Options::new(scenario.beginning_at(start), Clock::real());
        let running = Simulator::start(options).await.unwrap();
        let said = {
            let core = running.served.cores[0].lock().unwrap();
            let customers = core.account.customers.rows().iter();
            let said = customers.map(|customer| {
                let age = start.secs() - customer.created;
                let row = |row: &Txn| (row.id.clone(), row.kind, row.amount, start.secs() - row.created);
                let rows: Vec<_> = customer.ledger.iter().map(row).collect();
                format!("{} {age} {rows:?}", customer.id)
            });
            said.collect::<Vec<_>>()
        };
        running.stop().await;
        said
    }

    #[tokio::test]
    async fn a_world_at_another_time_is_the_same_world_with_the_same_ids() {
        let now = world(0).await;
        assert!(now.len() > 10);
        for later in [1, 2, 24_019_203] {
            assert_eq!(world(later).await, now, "{later} seconds later");
        }
    }
}
