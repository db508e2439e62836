//! A server in front of an account that passes everything on and remembers every request, so that whatever a piece of
//! code sends can be held against the table, without that piece's help.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response};

use super::facts::{check_request, facts};

/// Largest body that is passed on.
const LARGEST: usize = 1 << 20;

/// One request as it came.
pub(crate) struct Recorded {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    headers: HeaderMap,
}

impl Recorded {
    /// What Stripe would not take, or would take another way than it is meant.
    pub(crate) fn problems(&self) -> Vec<String> {
        let pairs: Vec<_> = form_urlencoded::parse(&self.body).into_owned().collect();
        let mut problems = check_request(&self.method, &self.path, &pairs);
        let header = |name: &str| {
            self.headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
        };
        let mut must = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("{} {}: {what}", self.method, self.path));
            }
        };
        must(
            header("stripe-version") == facts().version,
            "another API version than the table's",
        );
        must(header("authorization").starts_with("Bearer "), "no bearer token");
        if self.method == "POST" {
            must(
                // Asking what a bill would be changes nothing.
                !header("idempotency-key").is_empty() || self.path == "/v1/invoices/create_preview",
                "a write without an idempotency key",
            );
            must(
                header("content-type").starts_with("application/x-www-form-urlencoded"),
                "not a form",
            );
        }
        problems
    }
}

/// See the [module page](self). Ends with the runtime it was started on.
pub(crate) struct Recorder {
    /// Where to send what is to be recorded.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Recorded>>>,
}

#[derive(Clone)]
struct Passage {
    target: String,
    http: reqwest::Client,
    seen: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorder {
    /// Starts on a free port of loopback, in front of `target`.
    pub(crate) async fn before(target: &str, http: reqwest::Client) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let seen = Arc::default();
        let passage = Passage {
            target: target.to_owned(),
            http,
            seen: Arc::clone(&seen),
        };
        let app = axum::Router::new().fallback(pass_on).with_state(passage);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    /// Everything that came so far.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn pass_on(State(passage): State<Passage>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.expect("a body of a test");
    let path = parts
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let onward = passage
        .http
        .request(parts.method.clone(), format!("{}{path}", passage.target));
    let mut headers = parts.headers.clone();
    headers.remove("host");
    let recorded = Recorded {
        method: parts.method.to_string(),
        path,
        body: body.to_vec(),
        headers: parts.headers,
    };
    passage
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(recorded);
    let answer = onward
        .headers(headers)
        .body(body)
        .send()
        .await
        .expect("an answer on loopback");
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != "transfer-encoding")
    {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.bytes().await.expect("a whole body")))
        .expect("a valid answer")
}
