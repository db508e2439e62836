//! One request inside an account: what an endpoint is given, and the helpers every endpoint uses.

use serde_json::Value;

use super::currency::Cur;
use super::errors::Refusal;
use super::expand::{Expand, Kind};
use super::form::Node;
use super::ids;
use super::metadata::Metadata;
use super::pages::Page;
use super::params::Params;
use super::world::{Account, By, Customer, Event};

/// A request as its endpoint sees it.
pub(crate) struct Call<'a> {
    pub(crate) account: &'a mut Account,
    /// The instant in seconds.
    pub(crate) now: i64,
    /// What every id made in this request is derived from.
    pub(crate) token: u64,
    pub(crate) by: By,
    pub(crate) request_id: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) params: Params<'a>,
    /// The values of the path's placeholders.
    pub(crate) args: Vec<String>,
    pub(crate) path: &'a str,
    made: u64,
    /// Customers this request changed something of.
    pub(crate) touched: Vec<Box<str>>,
    /// `cutover_effect` markers this request stored.
    pub(crate) markers: Vec<Box<str>>,
    /// Objects of the catalogue this request made, changed or deleted.
    pub(crate) catalogued: Vec<Catalogued>,
    /// Coupons and codes this request made, changed, deleted or redeemed.
    pub(crate) pooled: Vec<Pooled>,
}

/// A coupon or code that was written to, or redeemed, by its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooled {
    /// A coupon, now as it is in its slot.
    Coupon(u32),
    /// A code, now as it is in its slot.
    Code(u32),
    /// The discount in this slot was just made: its coupon and code counted one more.
    Redeemed(u32),
}

/// An object of the catalogue that was written to, and the `cutover_of` marker it now carries.
pub(crate) struct Catalogued {
    pub(crate) id: Box<str>,
    pub(crate) of: Option<Box<str>>,
}

/// What an endpoint answers.
pub(crate) type Answer = Result<Value, Refusal>;

impl<'a> Call<'a> {
    /// A call before its endpoint is known.
    #[expect(clippy::too_many_arguments, reason = "built in one place, from one request")]
    pub(crate) fn new(
        account: &'a mut Account,
        now: i64,
        token: u64,
        by: By,
        request_id: &'a str,
        key: Option<&'a str>,
        params: &'a Node,
        args: Vec<String>,
        path: &'a str,
    ) -> Self {
        account.now = now;
        Self {
            account,
            now,
            token,
            by,
            request_id,
            key,
            params: Params(params),
            args,
            path,
            made: 0,
            touched: Vec::new(),
            markers: Vec::new(),
            catalogued: Vec::new(),
            pooled: Vec::new(),
        }
    }

    /// The n-th placeholder of the path.
    pub(crate) fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", String::as_str)
    }

    /// A new id of the common shape.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        let seed = self.new_seed(prefix);
        ids::object(prefix, &self.account.id, seed)
    }

    /// A seed for something made in this request.
    pub(crate) fn new_seed(&mut self, what: &str) -> u64 {
        self.made += 1;
        ids::mix(&[
            what.as_bytes(),
            &self.token.to_be_bytes(),
            &self.made.to_be_bytes(),
        ])
    }

    /// The checked `expand[]` of this request.
    pub(crate) fn expand(&self, kind: Kind) -> Result<Expand, Refusal> {
        Expand::check(&self.params.texts("expand"), kind, false)
    }

    /// The checked `expand[]` of a list request.
    pub(crate) fn expand_list(&self, kind: Kind) -> Result<Expand, Refusal> {
        Expand::check(&self.params.texts("expand"), kind, true)
    }

    /// The paging parameters.
    pub(crate) fn page(&self) -> Result<Page<'a>, Refusal> {
        Page::from(self.params)
    }

    /// The slot of the customer named in the path; deleted ones are not found.
    pub(crate) fn customer_slot(&self) -> Result<u32, Refusal> {
        let id = self.arg(0);
        live_customer(self.account, id).ok_or_else(|| Refusal::missing("customer", id, "id", true))
    }

    /// The customer named in the path.
    pub(crate) fn customer(&self) -> Result<&Customer, Refusal> {
        let slot = self.customer_slot()?;
        let id = self.arg(0);
        self.account
            .customers
            .at(slot)
            .ok_or_else(|| Refusal::missing("customer", id, "id", true))
    }

    /// Reads a currency parameter.
    pub(crate) fn currency(text: &str, param: &str) -> Result<Cur, Refusal> {
        Cur::parse(text).ok_or_else(|| Refusal::invalid(param, Cur::unknown(text)))
    }

    /// Records that a customer was changed.
    pub(crate) fn touch(&mut self, customer: &str) {
        self.touched.push(customer.into());
    }

    /// Records the marker a stored object carries.
    pub(crate) fn mark(&mut self, metadata: &Metadata) {
        self.markers
            .extend(metadata.get("cutover_effect").map(Into::into));
    }

    /// Records that an object of the catalogue was written to.
    pub(crate) fn catalogued(&mut self, id: &str, metadata: &Metadata) {
        let of = metadata.get("cutover_of").map(Into::into);
        self.catalogued.push(Catalogued { id: id.into(), of });
    }

    /// Records an event.
    pub(crate) fn event(&mut self, kind: &'static str, object: Value, previous: Option<Value>) {
        let id = self.new_id("evt_");
        let over_http = self.by == By::Api;
        let event = Event {
            id: id.into(),
            created: Account::stamp(&self.account.events, self.now),
            kind,
            object,
            previous,
            request: over_http.then(|| self.request_id.into()),
            key: self.key.map(Into::into),
        };
        self.account.events.push(event);
    }
}

/// The slot of a customer that exists and is not deleted.
pub(crate) fn live_customer(account: &Account, id: &str) -> Option<u32> {
    let slot = account.customers.slot(id)?;
    account.customers.at(slot).filter(|c| !c.deleted).map(|_| slot)
}

/// `text`, or null when it is absent or empty.
pub(crate) fn nullable(text: Option<&str>) -> Value {
    text.filter(|t| !t.is_empty()).map_or(Value::Null, Value::from)
}
