//! What can go wrong with one request, as types. Everything that came from outside is bounded here and must still be
//! sanitised by whoever shows it.

use serde::Deserialize;
use thiserror::Error;

use super::allow::Refused;
use super::reply::{Meta, Reply};

/// Whether a request may have reached Stripe although no usable answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// No byte of its body left (address unknown, connection refused, connect time-out): it had no effect.
    Never,
    /// Bytes left: the outcome is unknown.
    Maybe,
}

/// How the transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Broken {
    /// Path or key that HTTP cannot carry; a fault in this program.
    #[error("the request cannot be put into HTTP")]
    Unsendable,
    /// No connection.
    #[error("could not connect")]
    Connect,
    /// No complete answer within the total time.
    #[error("no complete answer in time")]
    Timeout,
    /// The body stopped arriving.
    #[error("the answer stalled")]
    Stalled,
    /// Reset, closed or truncated by the other side.
    #[error("the connection broke off")]
    Cut,
    /// Decoded body larger than the cap.
    #[error("the answer is larger than allowed")]
    TooLarge,
    /// JSON nested deeper than [`super::json::MAX_DEPTH`].
    #[error("the answer is nested deeper than allowed")]
    TooDeep,
    /// Not JSON.
    #[error("the answer is not JSON")]
    NotJson,
}

/// No usable answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} ({detail})")]
pub struct TransportError {
    /// Whether the request may have reached Stripe.
    pub sent: Sent,
    /// How it failed.
    pub what: Broken,
    /// The library's own words, raw, at most 500 characters; never contains key or body.
    pub detail: String,
    /// Status and headers, when they had arrived.
    pub meta: Option<Box<Meta>>,
}

/// Stripe said no: an answer of 400 and above.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("Stripe answered {} {}: {message}", meta.status, code.as_deref().or(kind.as_deref()).unwrap_or("without a code"))]
pub struct ApiError {
    /// Status and headers, `request_id` among them.
    pub meta: Meta,
    /// Whether the body had Stripe's error shape; an intermediary's page has not.
    pub shaped: bool,
    /// `error.type`: `api_error`, `card_error`, `idempotency_error`, `invalid_request_error`.
    pub kind: Option<String>,
    /// `error.code`, e.g. `resource_missing`.
    pub code: Option<String>,
    /// `error.message`, raw, at most 1,000 characters.
    pub message: String,
    /// `error.param`; inconsistent at Stripe (facts 2.5), for showing only.
    pub param: Option<String>,
    /// `error.decline_code`.
    pub decline_code: Option<String>,
}

/// A page that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PageFault {
    /// `has_more` is true and `data` is empty.
    #[error("an empty page says there is more")]
    EmptyWithMore,
    /// The cursor did not move on.
    #[error("the cursor {0} came a second time")]
    CursorRepeats(String),
    /// An item outside the asked range of `created`.
    #[error("{0} was not created in the range that was asked for")]
    OutsideRange(String),
    /// More pages than any list of this program has.
    #[error("the list has more than {0} pages")]
    Endless(u64),
    /// A part of a scan ended without reporting that it was complete.
    #[error("a part of the scan was lost")]
    Lost,
}

/// Why a request has no result. The first variant left nothing; the others say what is known.
#[derive(Clone, Debug, Error)]
pub enum Failure {
    /// Not on the allow-list; nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No usable answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Stripe said no.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// 3xx; never followed.
    #[error("the server answered with a redirect ({}), which is never followed: check the account's API address", .0.status)]
    Redirect(Box<Meta>),
    /// Answered 2xx in another API version than the pinned one. For a write this *happened*; the reply is evidence.
    #[error("the answer came in API version {got} instead of {}", super::STRIPE_VERSION)]
    Version {
        /// The version echoed.
        got: String,
        /// The whole answer.
        reply: Box<Reply>,
    },
    /// JSON that lacks what its type must have.
    #[error("the answer to {path} is not what it should be: {detail}")]
    Shape {
        /// Path asked.
        path: String,
        /// The parser's words, at most 500 characters.
        detail: String,
        /// The answer's status and headers.
        meta: Box<Meta>,
    },
    /// A list that cannot be trusted.
    #[error("the list {path} cannot be trusted: {fault}")]
    Page {
        /// Path asked.
        path: String,
        /// What is wrong.
        fault: PageFault,
    },
}

impl Failure {
    /// Status and headers, when an answer came.
    #[must_use]
    pub fn meta(&self) -> Option<&Meta> {
        match self {
            Self::Refused(_) | Self::Page { .. } => None,
            Self::Transport(e) => e.meta.as_deref(),
            Self::Api(e) => Some(&e.meta),
            Self::Redirect(meta) | Self::Shape { meta, .. } => Some(meta),
            Self::Version { reply, .. } => Some(&reply.meta),
        }
    }

    /// `Request-Id` of the answer, when one came.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.meta()?.request_id.as_deref()
    }

    /// Stripe's error, when that is what it is.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(e) => Some(e),
            _ => None,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(e: ApiError) -> Self {
        Self::Api(Box::new(e))
    }
}

impl ApiError {
    /// Reads an error body tolerantly: anything unexpected leaves fields empty and `shaped` false.
    #[must_use]
    pub fn parse(meta: Meta, body: &[u8]) -> Self {
        let Ok(Envelope { error: Some(error) }) = serde_json::from_slice::<Envelope>(body) else {
            let message = cut(&String::from_utf8_lossy(body.get(..2000).unwrap_or(body)), 200);
            return Self {
                meta,
                message,
                ..Self::default()
            };
        };
        Self {
            meta,
            shaped: true,
            kind: error.kind.map(|t| cut(&t, 100)),
            code: error.code.map(|t| cut(&t, 100)),
            message: cut(&error.message.unwrap_or_default(), 1000),
            param: error.param.map(|t| cut(&t, 200)),
            decline_code: error.decline_code.map(|t| cut(&t, 100)),
        }
    }

    /// Whether `error.code` is `code`.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

/// At most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

#[derive(Deserialize)]
struct Envelope {
    error: Option<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
    param: Option<String>,
    decline_code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> ApiError {
        let meta = Meta {
            status: 404,
            ..Meta::default()
        };
        ApiError::parse(meta, body.as_bytes())
    }

    #[test]
    fn an_error_body_is_read_field_by_field() {
        let e = parse(
            r#"{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such customer: 'cus_x'","param":"id","new_field":[1]}}"#,
        );
        assert!(e.shaped && e.has_code("resource_missing"));
        assert_eq!(
            e.to_string(),
            "Stripe answered 404 resource_missing: No such customer: 'cus_x'"
        );
    }

    #[test]
    fn a_body_of_any_other_shape_is_an_error_without_a_code() {
        for body in [
            "",
            "<html>gone</html>",
            "[]",
            r#"{"error":"x"}"#,
            r#"{"error":null}"#,
            r#"{"error":{"code":7}}"#,
        ] {
            let e = parse(body);
            assert!(!e.shaped, "{body}");
            assert!(
                e.to_string().starts_with("Stripe answered 404 without a code"),
                "{e}"
            );
        }
    }

    #[test]
    fn messages_from_outside_are_bounded() {
        let long = "é".repeat(100_000);
        assert_eq!(
            parse(&format!(r#"{{"error":{{"message":"{long}"}}}}"#))
                .message
                .chars()
                .count(),
            1000
        );
        assert_eq!(parse(&long).message.chars().count(), 200);
    }
}
