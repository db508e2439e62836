//! A client of the tests' own: bytes in, bytes out, over real sockets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cutover::clock::Clock;
use cutover::rehearsal::{Options, Running, Scenario, Side, Simulator};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back: `None` as status when the connection broke before a whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) broken: Option<std::io::ErrorKind>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn error(&self, field: &str) -> String {
        self.json()["error"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

pub(crate) struct Account {
    pub(crate) address: String,
    pub(crate) key: String,
}

pub(crate) fn account(running: &Running, side: Side) -> Account {
    let described = running.describe();
    let at = match side {
        Side::Source => &described.source,
        Side::Destination => &described.destination,
    };
    Account {
        address: at.url.trim_start_matches("http://").to_owned(),
        key: at.key.clone(),
    }
}

impl Account {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &[]).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str, key: Option<&str>) -> Answer {
        let headers: Vec<(&str, &str)> = key.map(|k| ("Idempotency-Key", k)).into_iter().collect();
        self.send("POST", path, form, &headers).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str, extra: &[(&str, &str)]) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        if !extra.iter().any(|(name, _)| *name == "Authorization") {
            let _ = write!(text, "Authorization: Bearer {}\r\n", self.key);
        }
        for (name, value) in extra {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut raw = Vec::new();
        let read = stream.read_to_end(&mut raw).await;
        parse(&raw, read.err().map(|e| e.kind()))
    }
}

fn parse(raw: &[u8], mut broken: Option<std::io::ErrorKind>) -> Answer {
    let Some(end) = raw.windows(4).position(|w| w == b"\r\n\r\n") else {
        return Answer {
            status: None,
            headers: BTreeMap::new(),
            body: raw.to_vec(),
            broken,
        };
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|l| l.split(' ').nth(1)?.parse().ok());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(n, v)| (n.to_lowercase(), v.to_owned()))
        .collect();
    let body = raw[end + 4..].to_vec();
    let announced: Option<usize> = headers.get("content-length").and_then(|n| n.parse().ok());
    if announced.is_some_and(|n| n != body.len()) && broken.is_none() {
        broken = Some(std::io::ErrorKind::UnexpectedEof);
    }
    Answer {
        status,
        headers,
        body,
        broken,
    }
}

pub(crate) fn options(scenario: &str) -> Options {
    let scenario = Scenario::load(scenario).unwrap();
    let clock = Clock::rehearsal(scenario.starts_at(), 20);
    let mut options = Options::new(scenario, clock);
    options.no_limits = true;
    let unique = format!(
        "cutover-test-{}-{:?}.csv",
        std::process::id(),
        std::thread::current().id()
    );
    options.mapping_csv = Some(std::env::temp_dir().join(unique));
    options
}

pub(crate) fn with_faults(toml: &str) -> Options {
    let small = include_str!("../../assets/scenarios/small.toml");
    let mut options = options("small");
    options.scenario =
        Scenario::parse(&format!("{small}\n{toml}"), std::path::Path::new("test.toml")).unwrap();
    options
}

pub(crate) async fn start(options: Options) -> (Running, Account, Account) {
    let running = Simulator::start(options).await.unwrap();
    let (source, destination) = (
        account(&running, Side::Source),
        account(&running, Side::Destination),
    );
    (running, source, destination)
}

/// The first customer of the old account for whom `wanted` holds.
pub(crate) async fn customer(source: &Account, wanted: impl Fn(&Value) -> bool) -> Value {
    let list = source
        .get("/v1/customers?limit=100&expand[]=data.invoice_credit_balance")
        .await
        .json();
    let found = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| wanted(c))
        .cloned();
    found.unwrap_or_else(|| panic!("no such customer in {list}"))
}

pub(crate) fn moves_with_usd_credit(customer: &Value) -> bool {
    customer["metadata"]["region"] == "us" && customer["invoice_credit_balance"]["usd"].as_i64() > Some(0)
}

/// A mover's ledger path and USD credit.
pub(crate) async fn mover(source: &Account) -> (String, String, i64) {
    let found = customer(source, moves_with_usd_credit).await;
    let id = found["id"].as_str().unwrap().to_owned();
    let credit = found["invoice_credit_balance"]["usd"].as_i64().unwrap();
    let ledger = format!("/v1/customers/{id}/balance_transactions");
    (id, ledger, credit)
}

/// The scenario `small` with one line of it replaced.
pub(crate) fn small_with(line: &str, by: &str) -> Options {
    let small = include_str!("../../assets/scenarios/small.toml");
    assert!(small.contains(line), "{line}");
    let mut options = options("small");
    let text = small.replace(line, by);
    options.scenario = Scenario::parse(&text, std::path::Path::new("test.toml")).unwrap();
    options
}

/// Every object of a list; `query` begins with `?`.
pub(crate) async fn all(account: &Account, path: &str, query: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    loop {
        let after = found.last().map_or(String::new(), |last| {
            format!("&starting_after={}", last["id"].as_str().unwrap())
        });
        let page = account
            .get(&format!("{path}{query}&limit=100{after}"))
            .await
            .json();
        found.extend(
            page["data"]
                .as_array()
                .unwrap_or_else(|| panic!("{page}"))
                .iter()
                .cloned(),
        );
        if page["has_more"] != true {
            return found;
        }
    }
}
