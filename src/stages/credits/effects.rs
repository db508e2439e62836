//! The writes of one credit row, as data: what is sent, in which order, and where it stands by the markers found.
//!
//! Money leaves the old account before it appears on the new one ("debit source, look at the ending balance, then
//! grant", reliability 4.6), so that at no instant the same credit can be spent twice.

use serde::{Deserialize, Serialize};

use super::facts::{Head, Ledger};
use crate::domain::ids::{Accounts, EffectId, Role, StageId};
use crate::domain::money::Money;
use crate::domain::write::{Method, PlannedWrite, When, marker};

/// Takes the amount off the old account.
pub const DEBIT: &str = "debit_source";
/// Gives back what the debit took too much, where a balance moved at the last moment.
pub const CORRECT: &str = "correct_source";
/// Puts the amount on the new account.
pub const GRANT: &str = "grant";
/// Puts an equal billing credit grant on the new account.
pub const BILLING_GRANT: &str = "billing_grant";

/// What the stage keeps in a row for its script, its audit and its drift check. Money in the program's sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The customer.
    pub customer: String,
    /// What is moved; for rows about which nothing is planned, what the old account holds.
    pub money: Option<Money>,
    /// What the old account's ledger says now.
    pub source_before: i64,
    /// What the new account's ledger says in that currency before the write.
    pub destination_before: i64,
    /// Newest rows of the old ledger when planned.
    pub source_head: Option<Head>,
    /// Newest rows of the new ledger when planned.
    pub destination_head: Option<Head>,
    /// Whether the old account is drained (`source_after = drain`).
    pub drains: bool,
    /// The row is about a ledger balance, not about cash or a billing credit grant.
    pub is_balance: bool,
    /// The currency the customer is billed in on the old account: its grant goes first, because the first grant sets
    /// the currency of a customer who has none.
    pub billed_in: bool,
}

/// Builds the writes of one subject.
#[derive(Clone, Copy, Debug)]
pub struct Effects<'a> {
    /// Accounts and mode: part of every effect's identity.
    pub accounts: &'a Accounts,
    /// The customer.
    pub customer: &'a str,
    /// Tells legitimate repeats apart: the number of sweeps already complete.
    pub ordinal: u32,
}

/// Where a subject stands, by the markers on both ledgers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing of ours for this ordinal.
    Fresh {
        /// The ordinal to use.
        ordinal: u32,
    },
    /// Taken off the old account, not yet on the new one: a run was lost in between.
    Half {
        /// The ordinal.
        ordinal: u32,
        /// What has left the old account and belongs on the new one.
        owed: i64,
    },
    /// On the new account, but never taken off the old one.
    GrantedOnly {
        /// The ordinal.
        ordinal: u32,
        /// What was granted.
        granted: i64,
    },
}

impl Effects<'_> {
    fn subject(&self, of: &str) -> String {
        format!("{}/{of}", self.customer)
    }

    /// The marker of `op` for `of` (a currency, or the id of a grant).
    #[must_use]
    pub fn id(&self, op: &str, of: &str) -> EffectId {
        EffectId::new(
            self.accounts,
            StageId::Credits,
            op,
            &self.subject(of),
            self.ordinal,
        )
    }

    /// The three writes of a move with `drains`, or the grant alone.
    #[must_use]
    pub fn moving(&self, money: Money, drains: bool) -> Vec<PlannedWrite> {
        let mut writes = Vec::with_capacity(3);
        if drains {
            let off = Money::new(-money.amount, money.currency);
            writes.push(self.entry(DEBIT, Role::Source, off, When::Always));
            writes.push(self.entry(CORRECT, Role::Source, money, When::IfRaced));
        }
        writes.push(self.entry(GRANT, Role::Destination, money, When::Always));
        writes
    }

    /// A ledger entry of `money` on the account in that role.
    #[must_use]
    pub fn entry(&self, op: &str, role: Role, money: Money, when: When) -> PlannedWrite {
        self.entry_of(op, role, money, when, money.currency.code())
    }

    /// The same, identified by `of` instead of the currency: an equal credit for cash or a billing credit grant.
    #[must_use]
    pub fn entry_of(&self, op: &str, role: Role, money: Money, when: When, of: &str) -> PlannedWrite {
        PlannedWrite {
            op: op.to_owned(),
            role,
            effect: self.id(op, of),
            method: Method::Post,
            path: format!("/v1/customers/{}/balance_transactions", self.customer),
            form: vec![
                // Stripe's sign: negative is a credit to the customer (spec: customer_balance_transaction.amount).
                ("amount".to_owned(), (-money.amount).to_string()),
                ("currency".to_owned(), money.currency.code().to_owned()),
                ("description".to_owned(), describe(op).to_owned()),
                (format!("metadata[{}]", marker::OF), self.customer.to_owned()),
            ],
            money: Some(money),
            when,
            irreversible: false,
            marked: true,
        }
    }

    /// Where `money`'s currency stands for this customer.
    #[must_use]
    pub fn standing(
        accounts: &Accounts,
        customer: &str,
        code: &str,
        source: &Ledger,
        destination: &Ledger,
    ) -> Standing {
        // What is true of nearly every customer; three hashes each would be a fifth of all planning.
        if source.marks.is_empty() && destination.marks.is_empty() {
            return Standing::Fresh { ordinal: 0 };
        }
        let mut ordinal = 0;
        loop {
            let effects = Effects {
                accounts,
                customer,
                ordinal,
            };
            let debit = source.mark(&effects.id(DEBIT, code));
            let correction = source.mark(&effects.id(CORRECT, code));
            let grant = destination.mark(&effects.id(GRANT, code));
            match (debit, grant) {
                (Some(_), Some(_)) => ordinal += 1,
                (None, None) => return Standing::Fresh { ordinal },
                (None, Some(grant)) => {
                    return Standing::GrantedOnly {
                        ordinal,
                        granted: grant.money.amount,
                    };
                }
                (Some(debit), None) => {
                    let taken = -debit.money.amount - correction.map_or(0, |mark| mark.money.amount);
                    if taken == 0 {
                        // Debited and wholly corrected: nothing is owed, the next sweep starts afresh.
                        ordinal += 1;
                        continue;
                    }
                    return Standing::Half { ordinal, owed: taken };
                }
            }
        }
    }
}

const fn describe(op: &str) -> &'static str {
    match op.as_bytes() {
        b"debit_source" => "Moved to the new Stripe account",
        b"correct_source" => "Correction: the balance changed while it was being moved",
        _ => "Moved from the old Stripe account",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{AccountId, Environment};
    use crate::domain::money::Currency;
    use crate::stages::credits::facts::Mark;

    fn accounts() -> Accounts {
        Accounts {
            source: AccountId("acct_old".into()),
            destination: AccountId("acct_new".into()),
            environment: Environment::Test,
        }
    }

    fn ledger(marks: &[(&str, u32, i64)]) -> Ledger {
        let accounts = accounts();
        let marks = marks.iter().map(|(op, ordinal, amount)| Mark {
            effect: Effects {
                accounts: &accounts,
                customer: "cus_1",
                ordinal: *ordinal,
            }
            .id(op, "usd"),
            money: Money::new(*amount, Currency::parse("usd").unwrap()),
            id: "cbtxn".into(),
            run: "r".into(),
        });
        Ledger {
            marks: marks.collect(),
            ..Ledger::default()
        }
    }

    fn standing(source: &[(&str, u32, i64)], destination: &[(&str, u32, i64)]) -> Standing {
        Effects::standing(&accounts(), "cus_1", "usd", &ledger(source), &ledger(destination))
    }

    #[test]
    fn markers_on_both_ledgers_tell_where_a_customer_stands() {
        assert_eq!(standing(&[], &[]), Standing::Fresh { ordinal: 0 });
        assert_eq!(
            standing(&[(DEBIT, 0, -500)], &[(GRANT, 0, 500)]),
            Standing::Fresh { ordinal: 1 }
        );
        assert_eq!(
            standing(&[(DEBIT, 0, -500)], &[]),
            Standing::Half {
                ordinal: 0,
                owed: 500
            }
        );
        assert_eq!(
            standing(&[(DEBIT, 0, -500), (CORRECT, 0, 200)], &[]),
            Standing::Half {
                ordinal: 0,
                owed: 300
            }
        );
        assert_eq!(
            standing(&[(DEBIT, 0, -500), (CORRECT, 0, 500)], &[]),
            Standing::Fresh { ordinal: 1 }
        );
        assert_eq!(
            standing(&[], &[(GRANT, 0, 500)]),
            Standing::GrantedOnly {
                ordinal: 0,
                granted: 500
            }
        );
        assert_eq!(
            standing(&[(DEBIT, 0, 300)], &[]),
            Standing::Half {
                ordinal: 0,
                owed: -300
            }
        );
    }

    #[test]
    fn the_debit_stands_before_the_grant_and_has_the_opposite_sign() {
        let accounts = accounts();
        let effects = Effects {
            accounts: &accounts,
            customer: "cus_1",
            ordinal: 0,
        };
        let writes = effects.moving(Money::new(500, Currency::parse("usd").unwrap()), true);
        let sent: Vec<_> = writes
            .iter()
            .map(|w| (w.op.as_str(), w.role, w.form[0].1.as_str(), w.when))
            .collect();
        assert_eq!(
            sent,
            [
                (DEBIT, Role::Source, "500", When::Always),
                (CORRECT, Role::Source, "-500", When::IfRaced),
                (GRANT, Role::Destination, "-500", When::Always),
            ]
        );
        let ids: std::collections::BTreeSet<_> = writes.iter().map(|w| &w.effect).collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(
            effects
                .moving(Money::new(-500, Currency::parse("usd").unwrap()), false)
                .len(),
            1
        );
    }
}
