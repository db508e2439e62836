//! Customers and their ledgers. Lean, because a world may have 100,000 of them: what nearly every customer has is a
//! typed field, what few have lies in `rest` as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::address::Address;
use super::currency::Cur;
use super::metadata::Metadata;
use super::pages::Row;
use super::world::{By, Role};

/// A row of a customer's invoice credit ledger.
#[derive(Clone)]
pub(crate) struct Txn {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Negative: credit to the customer.
    pub(crate) amount: i64,
    /// Sum of the ledger in this currency after this row.
    pub(crate) ending: i64,
    pub(crate) cur: Cur,
    pub(crate) by: By,
    pub(crate) kind: &'static str,
    pub(crate) more: Option<Box<TxnMore>>,
}

/// What only some rows have.
#[derive(Clone, Default)]
pub(crate) struct TxnMore {
    pub(crate) description: Option<Box<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) invoice: Option<Box<str>>,
    pub(crate) credit_note: Option<Box<str>>,
}

impl Row for Txn {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// Real money held for a customer.
#[derive(Clone, Default)]
pub(crate) struct Cash {
    pub(crate) available: BTreeMap<Cur, i64>,
    pub(crate) manual: bool,
    pub(crate) own_setting: bool,
    pub(crate) rows: Vec<CashTxn>,
}

/// A movement of that money. Only `funded` rows can be made here.
#[derive(Clone)]
pub(crate) struct CashTxn {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) net: i64,
    pub(crate) ending: i64,
    pub(crate) cur: Cur,
    pub(crate) reference: Option<Box<str>>,
}

impl Row for CashTxn {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A tax id of a customer.
#[derive(Clone, Debug)]
pub(crate) struct TaxId {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// As Stripe names it, `eu_vat`.
    pub(crate) kind: &'static str,
    pub(crate) value: Box<str>,
    /// Whether its government has confirmed it; asking anew on another account takes time.
    pub(crate) verified: bool,
}

impl Row for TaxId {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A customer.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts about a person that do not depend on each other"
)]
pub(crate) struct Customer {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) role: Role,
    pub(crate) deleted: bool,
    /// Is deleted between the PAN copy and the start of the night.
    pub(crate) leaves: bool,
    pub(crate) delinquent: bool,
    /// Has something running, in the story.
    pub(crate) paying: bool,
    pub(crate) currency: Option<Cur>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) ledger: Vec<Txn>,
    /// How many of `ledger` were there at the start.
    pub(crate) ledger_at_start: u32,
    /// What `invoice_credit_balance` lies by, for worlds whose sources disagree.
    pub(crate) credit_off_by: i64,
    pub(crate) methods: Vec<u32>,
    /// Slot of `invoice_settings.default_payment_method`.
    pub(crate) default_method: Option<u32>,
    /// Slot of `default_source`.
    pub(crate) default_source: Option<u32>,
    pub(crate) address: Option<Box<Address>>,
    pub(crate) tax_ids: Vec<TaxId>,
    pub(crate) cash: Option<Box<Cash>>,
    /// Fields few customers have, as the API shows them.
    pub(crate) rest: Option<Box<Map<String, Value>>>,
}

impl Customer {
    /// A customer with nothing but an id.
    pub(crate) fn bare(id: &str, created: i64, role: Role) -> Self {
        Self {
            id: id.into(),
            created,
            role,
            deleted: false,
            leaves: false,
            delinquent: false,
            paying: false,
            currency: None,
            name: None,
            email: None,
            metadata: Metadata::default(),
            ledger: Vec::new(),
            ledger_at_start: 0,
            credit_off_by: 0,
            methods: Vec::new(),
            default_method: None,
            default_source: None,
            address: None,
            tax_ids: Vec::new(),
            cash: None,
            rest: None,
        }
    }

    /// The ledger's sum in a currency, from its newest row of that currency.
    pub(crate) fn sum(&self, cur: Cur) -> i64 {
        let newest = self.ledger.iter().rev().find(|row| row.cur == cur);
        newest.map_or(0, |row| row.ending)
    }

    /// Sums of every currency the ledger ever held.
    pub(crate) fn sums(&self) -> BTreeMap<Cur, i64> {
        let mut sums = BTreeMap::new();
        for row in self.ledger.iter().rev() {
            sums.entry(row.cur).or_insert(row.ending);
        }
        sums
    }

    /// Slot of the method Stripe would charge: the one of the invoice settings before the default source
    /// (schema `subscription`, field `default_payment_method`).
    pub(crate) fn charged(&self) -> Option<u32> {
        self.default_method.or(self.default_source)
    }

    /// A rare field.
    pub(crate) fn rest(&self, name: &str) -> Value {
        self.rest
            .as_ref()
            .and_then(|r| r.get(name).cloned())
            .unwrap_or(Value::Null)
    }

    /// The rare fields, to set one.
    pub(crate) fn rest_mut(&mut self) -> &mut Map<String, Value> {
        self.rest.get_or_insert_with(Box::default)
    }
}

impl Row for Customer {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
    fn listed(&self) -> bool {
        !self.deleted
    }
}
