//! What one simulated account holds. Lean, because a world may have 100,000 customers: what nearly every customer has
//! is a typed field, what few have lies in `rest` as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::address::Address;
use super::currency::Cur;
use super::index::Index;
use super::metadata::Metadata;
use super::pages::{Row, Store};

/// Which of the two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The old account, the one customers leave.
    Source,
    /// The new account.
    Destination,
}

impl Side {
    /// `source` or `destination`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Source => 0,
            Self::Destination => 1,
        }
    }
}

/// What a customer is in the story; the wire never says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// In region, with a payment method: moves.
    Mover,
    /// In region without a payment method: listed for a decision.
    WithoutMethod,
    /// Another region: must never be written to.
    Stayer,
    /// Made during the run.
    New,
}

/// Who made a ledger row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// It was there at the start.
    History,
    /// A request over HTTP.
    Api,
    /// A foreign actor of the scenario.
    Foreign,
}

/// A row of a customer's invoice credit ledger.
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
#[derive(Default)]
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
#[derive(Default)]
pub(crate) struct Cash {
    pub(crate) available: BTreeMap<Cur, i64>,
    pub(crate) manual: bool,
    pub(crate) own_setting: bool,
    pub(crate) rows: Vec<CashTxn>,
}

/// A movement of that money. Only `funded` rows can be made here.
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

/// A customer.
pub(crate) struct Customer {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) role: Role,
    pub(crate) deleted: bool,
    pub(crate) delinquent: bool,
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
            delinquent: false,
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

/// What sort of payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodKind {
    /// A card held as a payment method.
    Card,
    /// A card of the older sources interface, `card_…`.
    LegacyCard,
    /// A US bank account.
    UsBankAccount,
}

/// A payment method.
pub(crate) struct Method {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Slot of the customer it is attached to.
    pub(crate) customer: u32,
    pub(crate) kind: MethodKind,
    pub(crate) brand: &'static str,
    pub(crate) country: &'static str,
    pub(crate) last4: u16,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: u16,
    pub(crate) debit: bool,
}

impl Row for Method {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A billing credit grant.
pub(crate) struct Grant {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) customer: Box<str>,
    pub(crate) cur: Cur,
    pub(crate) amount: i64,
    pub(crate) category: &'static str,
    pub(crate) name: Option<Box<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) effective_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) voided_at: Option<i64>,
    pub(crate) priority: i64,
    /// `applicability_config.scope` as the API shows it.
    pub(crate) scope: Value,
}

impl Row for Grant {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// An event.
pub(crate) struct Event {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    pub(crate) kind: &'static str,
    pub(crate) object: Value,
    pub(crate) previous: Option<Value>,
    pub(crate) request: Option<Box<str>>,
    pub(crate) key: Option<Box<str>>,
}

impl Row for Event {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// One account and everything in it.
pub(crate) struct Account {
    pub(crate) side: Side,
    pub(crate) id: String,
    pub(crate) country: &'static str,
    pub(crate) currency: Cur,
    pub(crate) name: &'static str,
    pub(crate) created: i64,
    pub(crate) livemode: bool,
    pub(crate) customers: Store<Customer>,
    pub(crate) by_email: Index,
    pub(crate) methods: Store<Method>,
    pub(crate) grants: Store<Grant>,
    pub(crate) events: Store<Event>,
}

impl Account {
    /// Adds a customer and indexes it.
    pub(crate) fn add_customer(&mut self, customer: Customer) -> u32 {
        let email = customer.email.clone();
        let slot = self.customers.push(customer);
        if let Some(email) = email {
            self.by_email.insert(&email, slot);
        }
        slot
    }

    /// Changes a customer's email and keeps the index true.
    pub(crate) fn set_email(&mut self, slot: u32, email: Option<Box<str>>) {
        let Some(customer) = self.customers.at_mut(slot) else {
            return;
        };
        let old = std::mem::replace(&mut customer.email, email.clone());
        if let Some(old) = old {
            self.by_email.remove(&old, slot);
        }
        if let Some(email) = email {
            self.by_email.insert(&email, slot);
        }
    }

    /// The instant for a new object: never earlier than the newest, so that slot order stays creation order.
    pub(crate) fn stamp<T: Row>(store: &Store<T>, now_secs: i64) -> i64 {
        store
            .rows()
            .last()
            .map_or(now_secs, |row| row.created().max(now_secs))
    }
}
