use serde::Deserialize;
use serde_json::value::RawValue;

use crate::stripe::page::Listed;

/// Something that changed (spec `event`); kept by Stripe for 30 days.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    /// Seconds.
    pub created: i64,
    /// `customer.updated`, …: 266 values and growing, so a string.
    #[serde(rename = "type")]
    pub kind: String,
    /// The object, in the shape of `api_version`; unparsed.
    pub data: Box<RawValue>,
    /// Version `data` was rendered in.
    pub api_version: Option<String>,
    /// The request that caused it; null when Stripe did it by itself.
    pub request: Option<EventRequest>,
    /// Mode.
    pub livemode: bool,
}

/// Part of [`Event`]. The key tells our own writes from everybody else's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EventRequest {
    /// `req_…`
    pub id: Option<String>,
    /// As it was sent.
    pub idempotency_key: Option<String>,
}

impl Listed for Event {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
