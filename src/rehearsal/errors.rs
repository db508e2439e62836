//! Refusals in the shape and words of Stripe's API (docs.stripe.com/error-codes).

use serde_json::{Map, Value, json};

const INVALID: &str = "invalid_request_error";

/// An error answer before it is put on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) code: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) param: Option<String>,
    /// Whether the endpoint had begun its work, so that an idempotency key keeps this answer.
    pub(crate) stored: bool,
    /// `Stripe-Rate-Limited-Reason`, when a limiter spoke.
    pub(crate) limited_by: Option<&'static str>,
    /// `Stripe-Should-Retry`, when Stripe says so.
    pub(crate) should_retry: Option<bool>,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, message: String) -> Self {
        Self {
            status,
            kind,
            code: None,
            message,
            param: None,
            stored: false,
            limited_by: None,
            should_retry: None,
        }
    }

    /// A parameter that is wrong in itself: never stored under an idempotency key.
    pub(crate) fn invalid(param: &str, message: String) -> Self {
        let mut it = Self::new(400, INVALID, message);
        it.param = Some(param.to_owned());
        it
    }

    /// Something Stripe does and the simulator does not: nobody may take its silence for an answer.
    pub(crate) fn unsimulated(param: &str) -> Self {
        Self::invalid(
            param,
            format!("The rehearsal's simulator does not simulate `{param}`."),
        )
    }

    /// The same with a `code`.
    pub(crate) fn invalid_code(param: &str, code: &'static str, message: String) -> Self {
        let mut it = Self::invalid(param, message);
        it.code = Some(code);
        it
    }

    /// A refusal made while the endpoint was working: stored under the key.
    pub(crate) fn rejected(param: Option<&str>, message: String) -> Self {
        let mut it = Self::new(400, INVALID, message);
        it.param = param.map(str::to_owned);
        it.stored = true;
        it
    }

    /// 404 for an id in the path, 400 for one in a parameter.
    pub(crate) fn missing(what: &str, id: &str, param: &str, in_path: bool) -> Self {
        let status = if in_path { 404 } else { 400 };
        let mut it = Self::new(status, INVALID, format!("No such {what}: '{id}'"));
        it.code = Some("resource_missing");
        it.param = Some(param.to_owned());
        it.stored = true;
        it
    }

    pub(crate) fn unknown_url(method: &str, path: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/."
        );
        Self::new(404, INVALID, message)
    }

    pub(crate) fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization header, \
             using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
             https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
            .to_owned();
        Self::new(401, INVALID, message)
    }

    pub(crate) fn bad_key(key: &str) -> Self {
        Self::new(
            401,
            INVALID,
            format!("Invalid API Key provided: {}", redacted(key)),
        )
    }

    pub(crate) fn expired_key(key: &str) -> Self {
        let message = format!("Expired API Key provided: {}", redacted(key));
        let mut it = Self::new(401, INVALID, message);
        it.code = Some("api_key_expired");
        it
    }

    pub(crate) fn forbidden(key: &str, permission: &str) -> Self {
        let message = format!(
            "The provided key '{}' does not have the required permissions for this endpoint. Having the \
             '{permission}' permission would allow this request to continue.",
            redacted(key)
        );
        Self::new(403, INVALID, message)
    }

    pub(crate) fn rate_limited(reason: &'static str) -> Self {
        let message = "Request rate limit exceeded. You can learn more about rate limits here \
             https://stripe.com/docs/rate-limits."
            .to_owned();
        let mut it = Self::new(429, INVALID, message);
        it.code = Some("rate_limit");
        it.limited_by = Some(reason);
        it
    }

    pub(crate) fn lock_timeout() -> Self {
        let message = "This object cannot be accessed right now because another API request or Stripe process is \
             currently accessing it. If you see this error intermittently, retry the request. If you see this error \
             frequently and are making multiple concurrent requests to a single object, make your requests serially \
             or at a lower rate. For more details, see https://stripe.com/docs/rate-limits#object-lock-timeouts."
            .to_owned();
        let mut it = Self::new(429, INVALID, message);
        it.code = Some("lock_timeout");
        it.should_retry = Some(true);
        it
    }

    pub(crate) fn key_differs(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
             using a key other than '{key}' if you meant to execute a different request."
        );
        Self::new(400, "idempotency_error", message)
    }

    pub(crate) fn key_in_use() -> Self {
        let message =
            "There is currently another in-progress request using this Idempotent Key (that probably means \
             you submitted twice, and the other request is still going through): please try again later."
                .to_owned();
        let mut it = Self::new(409, "idempotency_error", message);
        it.code = Some("idempotency_key_in_use");
        it
    }

    /// A failure on Stripe's side.
    pub(crate) fn server(status: u16) -> Self {
        let message = "An unknown error occurred while processing the request.".to_owned();
        let mut it = Self::new(status, "api_error", message);
        it.stored = status == 500;
        it
    }

    /// The body, with the links Stripe adds.
    pub(crate) fn body(&self, request_id: &str, account: &str, livemode: bool) -> Value {
        let mut error = Map::new();
        error.insert("type".into(), json!(self.kind));
        error.insert("message".into(), json!(self.message));
        if let Some(code) = self.code {
            error.insert("code".into(), json!(code));
            let url = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
            error.insert("doc_url".into(), json!(url));
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), json!(param));
        }
        let mode = if livemode { "" } else { "test/" };
        let url = format!("https://dashboard.stripe.com/{account}/{mode}workbench/logs?object={request_id}");
        error.insert("request_log_url".into(), json!(url));
        json!({ "error": error })
    }
}

/// `sk_test_********abcd`, as Stripe shows a key it does not like.
fn redacted(key: &str) -> String {
    let head: String = key.chars().take(8).collect();
    let count = key.chars().count();
    let tail: String = key.chars().skip(count.saturating_sub(4).max(8)).collect();
    format!(
        "{head}{}{tail}",
        "*".repeat(count.saturating_sub(12).clamp(4, 24))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_repeated_whole() {
        let key = "sk_test_0123456789abcdefghij";
        assert!(!Refusal::bad_key(key).message.contains("456789"));
        assert!(Refusal::bad_key(key).message.contains("sk_test_***"));
    }
}
