//! Answers with Stripe's headers.

use serde_json::Value;

use super::errors::Refusal;
use super::idempotency::Stored;
use super::pipeline::Incoming;
use super::wire::WireAct;

/// The version answers are shaped in, echoed when a request names none.
const VERSION: &str = "2026-08-26.dahlia";

/// An answer before it becomes HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) request_id: String,
    pub(crate) replayed: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) wire: WireAct,
}

impl Reply {
    fn new(status: u16, body: Vec<u8>, request_id: &str, incoming: &Incoming) -> Self {
        let version = incoming.version.clone().unwrap_or_else(|| VERSION.to_owned());
        let mut headers = vec![("stripe-version", version)];
        if let Some(key) = incoming.key.as_ref().filter(|_| incoming.method == "POST") {
            headers.push(("idempotency-key", key.clone()));
            headers.push(("original-request", request_id.to_owned()));
        }
        Self {
            status,
            body,
            request_id: request_id.to_owned(),
            replayed: false,
            headers,
            wire: WireAct::Deliver,
        }
    }

    /// A success.
    pub(crate) fn success(value: &Value, request_id: &str, incoming: &Incoming) -> Self {
        Self::new(200, bytes(value), request_id, incoming)
    }

    /// A refusal.
    pub(crate) fn refused(
        refused: &Refusal,
        request_id: &str,
        incoming: &Incoming,
        account: &str,
        livemode: bool,
    ) -> Self {
        let body = refused.body(request_id, account, livemode);
        let mut reply = Self::new(refused.status, bytes(&body), request_id, incoming);
        if let Some(reason) = refused.limited_by {
            reply
                .headers
                .push(("stripe-rate-limited-reason", reason.to_owned()));
        }
        if let Some(retry) = refused.should_retry {
            reply.headers.push(("stripe-should-retry", retry.to_string()));
        }
        if refused.status == 401 {
            reply
                .headers
                .push(("www-authenticate", "Bearer realm=\"Stripe\"".to_owned()));
        }
        reply
    }

    /// The stored answer of an earlier request with the same key.
    pub(crate) fn replayed(stored: &Stored, request_id: &str, incoming: &Incoming) -> Self {
        let mut reply = Self::new(stored.status, stored.body.clone(), request_id, incoming);
        reply.headers.retain(|(name, _)| *name != "original-request");
        reply
            .headers
            .push(("original-request", stored.request_id.clone()));
        reply.headers.push(("idempotent-replayed", "true".to_owned()));
        reply.replayed = true;
        reply
    }

    /// What an idempotency key keeps of it.
    pub(crate) fn to_store(&self) -> Stored {
        Stored {
            status: self.status,
            body: self.body.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// The status the client can have seen; 0 when the connection broke before it.
    pub(crate) const fn seen_status(&self) -> u16 {
        match self.wire {
            WireAct::Reset => 0,
            _ => self.status,
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    // A tree of plain values cannot fail to serialise.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}
