//! What one simulated account holds, customers apart.

use serde_json::Value;

use super::billing::Billing;
use super::catalogue::Catalogue;
use super::currency::Cur;
use super::index::Index;
use super::metadata::Metadata;
pub(crate) use super::methods::{Method, MethodKind, MethodMore};
use super::pages::{Row, Store};
pub(crate) use super::people::{Cash, CashTxn, Customer, TaxId, Txn, TxnMore};
use super::pools::Pools;

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

/// A billing credit grant.
#[derive(Clone)]
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
#[derive(Clone)]
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
#[derive(Clone)]
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
    pub(crate) catalogue: Catalogue,
    pub(crate) billing: Billing,
    pub(crate) pools: Pools,
    /// The instant of the request that is being carried out, in seconds.
    pub(crate) now: i64,
}

impl Account {
    /// An account in which nothing ever happened.
    #[cfg(test)]
    pub(crate) fn empty(side: Side) -> Self {
        Self {
            side,
            id: "acct_1ABCDEFGHIJKLMNO".to_owned(),
            country: "US",
            currency: Cur::USD,
            name: "Empty",
            created: 0,
            livemode: false,
            customers: Store::default(),
            by_email: Index::default(),
            methods: Store::default(),
            grants: Store::default(),
            events: Store::default(),
            catalogue: Catalogue::default(),
            billing: Billing::default(),
            pools: Pools::default(),
            now: 0,
        }
    }

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
