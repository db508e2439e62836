//! `/v1/subscription_items`: list.

use super::subscriptions_view::{item, item_id};
use crate::rehearsal::billing::Item;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::pages::{self, Row};
use crate::rehearsal::params::{P, Ty, req};

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[req("subscription", Ty::Id)];

/// An item with its id, for paging.
struct Placed<'a> {
    id: String,
    n: usize,
    item: &'a Item,
}

impl Row for Placed<'_> {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        0
    }
}

/// `GET /v1/subscription_items`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::SubscriptionItem)?;
    let page = call.page()?;
    let id = call.params.text("subscription").unwrap_or_default();
    let account = &*call.account;
    let found = account.billing.subscriptions.get(id);
    let found = found.ok_or_else(|| Refusal::missing("subscription", id, "subscription", false))?;
    let placed = found.items.iter().enumerate().map(|(n, item)| Placed {
        id: item_id(found, n),
        n,
        item,
    });
    // In the order of the subscription, as the list inside it.
    let rows: Vec<Placed<'_>> = placed.rev().collect();
    let (data, more) = page.cut(&rows, "subscription item", |id| pages::place(&rows, id), |_| true)?;
    let data = data.into_iter();
    let data = data.map(|p| item(account, found, p.n, p.item, &expand)).collect();
    Ok(pages::envelope("/v1/subscription_items", data, more))
}
