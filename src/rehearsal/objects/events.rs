//! `/v1/events`: what changed, and by which request. There is none for balance transactions.

use serde_json::{Value, json};

use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt};
use crate::rehearsal::world::{Account, Event};

/// Events are kept for 30 days.
const KEPT_SECS: i64 = 30 * 86_400;
/// The shape `data` is rendered in.
const API_VERSION: &str = "2026-08-26.dahlia";

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("created", Ty::Range),
    opt("delivery_success", Ty::Bool),
    opt("type", Ty::Text(5000)),
    opt("types", Ty::Texts),
];

/// `GET /v1/events`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    call.expand_list(Kind::Event)?;
    let page = call.page()?;
    let account = &*call.account;
    let (one, many) = (call.params.text("type"), call.params.texts("types"));
    if one.is_some() && !many.is_empty() {
        let message = "You may only specify one of these parameters: type, types.".to_owned();
        return Err(Refusal::invalid("types", message));
    }
    let keep = |event: &Event| {
        event.created > call.now - KEPT_SECS
            && one.is_none_or(|t| matches(t, event.kind))
            && (many.is_empty() || many.iter().any(|t| matches(t, event.kind)))
    };
    let slot = |id: &str| account.events.slot(id).map(|s| s as usize);
    let (data, more) = page.cut(account.events.rows(), "event", slot, keep)?;
    let data = data.into_iter().map(|e| show(account, e));
    Ok(pages::envelope("/v1/events", data.collect(), more))
}

/// `GET /v1/events/{id}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::Event)?;
    let id = call.arg(0);
    let event = call
        .account
        .events
        .get(id)
        .filter(|e| e.created > call.now - KEPT_SECS);
    let event = event.ok_or_else(|| Refusal::missing("event", id, "id", true))?;
    Ok(show(call.account, event))
}

/// `customer.*` and `*` stand for groups.
fn matches(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => wanted == kind,
    }
}

fn show(account: &Account, event: &Event) -> Value {
    let mut data = json!({ "object": event.object });
    if let Some(previous) = &event.previous {
        data["previous_attributes"] = previous.clone();
    }
    json!({
        "id": &*event.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": event.created,
        "data": data,
        "livemode": account.livemode,
        "pending_webhooks": 0,
        "request": { "id": event.request, "idempotency_key": event.key },
        "type": event.kind,
    })
}
