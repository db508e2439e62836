//! The simulated accounts, driven over HTTP and held against the table.

use cutover::clock::Clock;
use cutover::rehearsal::{Endpoint, Options, Running, Scenario, Simulator};
use serde_json::{Value, json};

use super::facts::{check_request, check_response};

/// One account as the outside sees it, and what was wrong with anything it answered.
pub(crate) struct Account {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) http: reqwest::Client,
    pub(crate) problems: Vec<String>,
    /// Sent with every POST, if there is one.
    pub(crate) idempotency_key: Option<String>,
}

/// Parameters in wire form.
pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Account {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        // Nothing here is encrypted; a provider is asked for all the same, once per process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client without TLS settings");
        Self {
            url: url.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
            http,
            problems: Vec::new(),
            idempotency_key: None,
        }
    }

    /// A request that Stripe would take: it and its answer are held against the table.
    pub(crate) async fn right(&mut self, method: &str, path: &str, pairs: Pairs<'_>) -> Value {
        self.problems.extend(check_request(method, path, pairs));
        let (status, body) = self.send(method, path, pairs).await;
        if status != 200 {
            self.problems
                .push(format!("{method} {path} {pairs:?} was refused: {status} {body}"));
        }
        body
    }

    /// A request that Stripe would refuse: it must be refused, in Stripe's shape. Answers `[status, type, code, param]`.
    pub(crate) async fn wrong(&mut self, method: &str, path: &str, pairs: Pairs<'_>) -> Value {
        let (status, body) = self.send(method, path, pairs).await;
        if status < 400 {
            self.problems
                .push(format!("{method} {path} {pairs:?} was taken: {status} {body}"));
        }
        let error = &body["error"];
        json!([status, error["type"], error["code"], error["param"]])
    }

    /// Sends, and holds the answer's body and headers against what Stripe answers.
    pub(crate) async fn send(&mut self, method: &str, path: &str, pairs: Pairs<'_>) -> (u16, Value) {
        let (status, headers, body) = self.raw(method, path, pairs).await;
        let shown = with_expand(path, pairs);
        match serde_json::from_slice(&body) {
            Ok(value) => {
                self.problems
                    .extend(check_response(method, &shown, status, &value));
                self.problems
                    .extend(header_problems(&headers).map(|why| format!("{method} {path}: {why}")));
                (status, value)
            }
            Err(why) => {
                self.problems
                    .push(format!("{method} {path}: {status}, body is not JSON: {why}"));
                (status, Value::Null)
            }
        }
    }

    async fn raw(
        &self,
        method: &str,
        path: &str,
        pairs: Pairs<'_>,
    ) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let query = if method == "POST" || form.is_empty() {
            String::new()
        } else {
            format!("?{form}")
        };
        let request = self.http.request(
            method.parse().expect("a method"),
            format!("{}{path}{query}", self.url),
        );
        let request = request
            .bearer_auth(&self.key)
            .header("Stripe-Version", &super::facts::facts().version);
        let request = match (method, &self.idempotency_key) {
            ("POST", Some(key)) => request.header("Idempotency-Key", key).body(form),
            ("POST", None) => request.body(form),
            _ => request,
        };
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = request.send().await.expect("an answer on loopback");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (
            status,
            headers,
            answer.bytes().await.expect("a whole body").to_vec(),
        )
    }

    /// Every object of a list, walked in pages of `limit`.
    pub(crate) async fn all(&mut self, path: &str, pairs: Pairs<'_>, limit: &str) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        loop {
            let after = found
                .last()
                .map(|last| last["id"].as_str().unwrap_or_default().to_owned());
            let mut page = pairs.to_vec();
            page.push(("limit", limit));
            page.extend(after.as_deref().map(|id| ("starting_after", id)));
            let body = self.right("GET", path, &page).await;
            let data = body["data"].as_array().cloned().unwrap_or_default();
            let more = body["has_more"] == true && !data.is_empty();
            found.extend(data);
            if !more {
                return found;
            }
        }
    }

    /// Fails the test with every problem found, once each.
    pub(crate) fn conforms(mut self) {
        self.problems.sort();
        self.problems.dedup();
        assert!(
            self.problems.is_empty(),
            "{} problems:\n{}",
            self.problems.len(),
            self.problems.join("\n")
        );
    }
}

/// The path with the `expand[]` of the parameters as a query, which is where the checker looks for it.
fn with_expand(path: &str, pairs: Pairs<'_>) -> String {
    let asked = pairs.iter().filter(|(key, _)| key.starts_with("expand["));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked)
        .finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// What every answer of Stripe's carries.
fn header_problems(headers: &reqwest::header::HeaderMap) -> impl Iterator<Item = String> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let wrong = [
        (
            !text("request-id").starts_with("req_"),
            "Request-Id",
            text("request-id"),
        ),
        (
            !text("content-type").starts_with("application/json"),
            "Content-Type",
            text("content-type"),
        ),
        (
            text("stripe-version").is_empty(),
            "Stripe-Version",
            text("stripe-version"),
        ),
        (!text("date").ends_with(" GMT"), "Date", text("date")),
    ];
    wrong
        .into_iter()
        .filter(|(wrong, ..)| *wrong)
        .map(|(_, name, value)| format!("header {name} is `{value}`"))
}

/// Two accounts in this process, with `customers` customers in the old one and without limits; they stop with the
/// runtime. Their clock starts at the scenario's date.
pub(crate) async fn start(customers: u32) -> (Running, Account, Account) {
    start_as("small", Some(customers), 1).await
}

/// As [`start`], in another scenario, `speed` simulated seconds a real one.
pub(crate) async fn start_as(
    scenario: &str,
    customers: Option<u32>,
    speed: u32,
) -> (Running, Account, Account) {
    let scenario = Scenario::load(scenario).expect("a scenario of the program's own");
    let clock = Clock::rehearsal(scenario.starts_at(), speed);
    let mut options = Options::new(scenario, clock);
    options.customers = customers;
    options.no_limits = true;
    let world = Simulator::start(options).await.expect("two free ports");
    let of = |endpoint: &Endpoint| Account::new(&endpoint.url, &endpoint.key);
    let (old, new) = (of(&world.describe().source), of(&world.describe().destination));
    (world, old, new)
}
