//! The simulated accounts over real sockets, spoken to by a client of this file's own: bytes in, bytes out.

use std::collections::BTreeMap;

use cutover::clock::Clock;
use cutover::rehearsal::{Claim, Options, Running, Scenario, Side, Simulator, rule};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back: `None` as status when the connection broke before a whole response.
#[derive(Debug)]
struct Answer {
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    broken: Option<std::io::ErrorKind>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn error(&self, field: &str) -> String {
        self.json()["error"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

struct Account {
    address: String,
    key: String,
}

fn account(running: &Running, side: Side) -> Account {
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
    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &[]).await
    }

    async fn post(&self, path: &str, form: &str, key: Option<&str>) -> Answer {
        let headers: Vec<(&str, &str)> = key.map(|k| ("Idempotency-Key", k)).into_iter().collect();
        self.send("POST", path, form, &headers).await
    }

    async fn send(&self, method: &str, path: &str, body: &str, extra: &[(&str, &str)]) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        if !extra.iter().any(|(name, _)| *name == "Authorization") {
            text += &format!("Authorization: Bearer {}\r\n", self.key);
        }
        for (name, value) in extra {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
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

fn options(scenario: &str) -> Options {
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

fn with_faults(toml: &str) -> Options {
    let small = include_str!("../assets/scenarios/small.toml");
    let mut options = options("small");
    options.scenario =
        Scenario::parse(&format!("{small}\n{toml}"), std::path::Path::new("test.toml")).unwrap();
    options
}

async fn start(options: Options) -> (Running, Account, Account) {
    let running = Simulator::start(options).await.unwrap();
    let (source, destination) = (
        account(&running, Side::Source),
        account(&running, Side::Destination),
    );
    (running, source, destination)
}

/// The first customer of the old account for whom `wanted` holds.
async fn customer(source: &Account, wanted: impl Fn(&Value) -> bool) -> Value {
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

fn moves_with_usd_credit(customer: &Value) -> bool {
    customer["metadata"]["region"] == "us" && customer["invoice_credit_balance"]["usd"].as_i64() > Some(0)
}

#[tokio::test]
async fn keys_are_asked_for_in_the_words_of_the_api() {
    let (running, source, destination) = start(options("small")).await;
    let none = source
        .send("GET", "/v1/account", "", &[("Authorization", "Bearer ")])
        .await;
    assert_eq!(none.status, Some(401));
    assert!(
        none.error("message")
            .starts_with("You did not provide an API key.")
    );
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"Stripe\"");
    let swapped = Account {
        address: source.address.clone(),
        key: destination.key.clone(),
    };
    let bad = swapped.get("/v1/account").await;
    assert_eq!(
        (bad.status, bad.error("type").as_str()),
        (Some(401), "invalid_request_error")
    );
    assert!(
        bad.error("message")
            .starts_with("Invalid API Key provided: sk_test_*")
    );
    let mine = source.get("/v1/account").await;
    assert_eq!(mine.json()["id"], running.describe().source.account.as_str());
    assert!(mine.header("request-id").starts_with("req_"));
    assert_eq!(mine.header("date"), "Sat, 14 Feb 2026 05:00:00 GMT");
    running.stop().await;
}

#[tokio::test]
async fn a_restricted_key_reads_and_is_refused_a_write() {
    let (running, source, _) = start(options("small")).await;
    let reader = Account {
        key: running.describe().source.read_only_key.clone(),
        ..source
    };
    assert_eq!(reader.get("/v1/customers").await.status, Some(200));
    let refused = reader.post("/v1/customers", "name=x", None).await;
    assert_eq!(refused.status, Some(403));
    assert!(
        refused.error("message").contains("rak_customer_write"),
        "{refused:?}"
    );
    running.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_parameters_are_refused() {
    let (_running, source, _) = start(options("small")).await;
    let path = source.get("/v1/nonsense").await;
    assert_eq!(path.status, Some(404));
    assert!(
        path.error("message")
            .starts_with("Unrecognized request URL (GET: /v1/nonsense).")
    );
    let param = source.post("/v1/customers", "address[planet]=x", None).await;
    assert_eq!(
        param.error("message"),
        "Received unknown parameter: address[planet]"
    );
    assert_eq!(param.error("code"), "parameter_unknown");
    let missing = source.get("/v1/customers/cus_nobody").await;
    assert_eq!(
        (missing.status, missing.error("message").as_str()),
        (Some(404), "No such customer: 'cus_nobody'")
    );
}

#[tokio::test]
async fn ledgers_are_kept_by_currency_and_balance_shows_only_the_customers_own() {
    let (_running, source, _) = start(options("small")).await;
    let made = source
        .post("/v1/customers", "name=A&metadata[a]=b", None)
        .await
        .json();
    assert_eq!(
        (&made["currency"], &made["balance"]),
        (&Value::Null, &Value::from(0))
    );
    let base = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    let ledger = format!("{base}/balance_transactions");
    for (form, ending) in [
        ("amount=-500&currency=usd", -500),
        ("amount=-30&currency=jpy", -30),
        ("amount=200&currency=USD", -300),
    ] {
        let row = source.post(&ledger, form, None).await.json();
        assert_eq!(row["ending_balance"], ending, "{row}");
        assert_eq!(row["type"], "adjustment");
    }
    let path = format!("{base}?expand[]=invoice_credit_balance&expand[]=cash_balance");
    let now = source.get(&path).await.json();
    assert_eq!(
        (&now["currency"], &now["balance"]),
        (&"usd".into(), &(-300).into())
    );
    assert_eq!(
        now["invoice_credit_balance"],
        serde_json::json!({ "usd": 300, "jpy": 30 })
    );
    assert_eq!(now["cash_balance"]["available"], Value::Null);
    let plain = source.get(&base).await.json();
    assert!(
        plain.get("invoice_credit_balance").is_none(),
        "includable fields are absent by default"
    );
    let adjusted = source.post(&base, "balance=-1000", None).await.json();
    assert_eq!(adjusted["balance"], -1000);
    let rows = source.get(&ledger).await.json();
    assert_eq!(rows["data"][0]["amount"], -700, "newest first: {rows}");
}

#[tokio::test]
async fn the_practitioners_five_say_zero_aud_and_hold_usd_credit() {
    let (_running, source, destination) = start(options("midnight")).await;
    let mut found = Vec::new();
    let mut all = 0;
    let mut after = String::new();
    loop {
        let page = source
            .get(&format!(
                "/v1/customers?limit=100&expand[]=data.invoice_credit_balance{after}"
            ))
            .await
            .json();
        for customer in page["data"].as_array().unwrap() {
            all += 1;
            let usd = customer["invoice_credit_balance"]["usd"].as_i64().unwrap_or(0);
            if customer["currency"] == "aud" && customer["balance"] == 0 && usd > 0 {
                found.push(customer["id"].as_str().unwrap().to_owned());
            }
            after = format!("&starting_after={}", customer["id"].as_str().unwrap());
        }
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!((found.len(), all), (5, 2500 + 24 + 900));
    for id in found {
        let there = destination.get(&format!("/v1/customers/{id}")).await.json();
        assert_eq!((&there["balance"], &there["currency"]), (&0.into(), &Value::Null));
    }
}

#[tokio::test]
async fn a_key_replays_its_first_answer_and_is_bound_to_its_request() {
    let (_running, source, _) = start(options("small")).await;
    let first = source.post("/v1/customers", "name=A", Some("k1")).await;
    let again = source.post("/v1/customers", "name=A", Some("k1")).await;
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    let other = source.post("/v1/customers", "name=B", Some("k1")).await;
    assert_eq!(
        (other.status, other.error("type").as_str()),
        (Some(400), "idempotency_error")
    );
    let invalid = source.post("/v1/customers", "nonsense=B", Some("k2")).await;
    assert_eq!(invalid.status, Some(400));
    let valid = source.post("/v1/customers", "name=B", Some("k2")).await;
    assert_eq!(
        valid.status,
        Some(200),
        "a validation failure does not take the key"
    );
}

/// A mover's ledger path and USD credit.
async fn mover(source: &Account) -> (String, String, i64) {
    let found = customer(source, moves_with_usd_credit).await;
    let id = found["id"].as_str().unwrap().to_owned();
    let credit = found["invoice_credit_balance"]["usd"].as_i64().unwrap();
    let ledger = format!("/v1/customers/{id}/balance_transactions");
    (id, ledger, credit)
}

/// What a write met, what is in the ledger, and what the same key then gets.
async fn write_with(fault: &str) -> (Answer, i64, Answer) {
    let options = with_faults(&format!(
        "[[fault]]\nkind = \"{fault}\"\nnth = 1\naccount = \"source\"\nmethod = \"POST\"\n"
    ));
    let (_running, source, _) = start(options).await;
    let (id, ledger, credit) = mover(&source).await;
    let form = format!("amount={credit}&currency=usd&metadata[cutover_effect]=e1");
    let first = source.post(&ledger, &form, Some("k")).await;
    let after = source
        .get(&format!("/v1/customers/{id}?expand[]=invoice_credit_balance"))
        .await;
    let left = after.json()["invoice_credit_balance"]["usd"].as_i64().unwrap();
    let again = source.post(&ledger, &form, Some("k")).await;
    let once = source
        .get(&format!("/v1/customers/{id}?expand[]=invoice_credit_balance"))
        .await;
    let finally = once.json()["invoice_credit_balance"]["usd"].as_i64().unwrap();
    assert!(
        finally == 0 || (finally == credit && again.status == Some(500)),
        "{fault}: the key was executed more than once"
    );
    (first, credit - left, again)
}

#[tokio::test]
async fn server_errors_are_stored_whether_or_not_the_change_was_made() {
    let (first, moved, again) = write_with("server_error_before_commit").await;
    assert_eq!((first.status, moved, again.status), (Some(500), 0, Some(500)));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let (first, moved, again) = write_with("server_error_after_commit").await;
    assert_eq!((first.status, again.status), (Some(500), Some(500)));
    assert!(moved > 0);
}

#[tokio::test]
async fn gateway_errors_leave_the_key_to_its_true_answer() {
    let (first, moved, again) = write_with("bad_gateway").await;
    assert!((502..=504).contains(&first.status.unwrap()));
    assert_eq!(
        (moved, again.status, again.header("idempotent-replayed")),
        (0, Some(200), "")
    );
    let (first, moved, again) = write_with("bad_gateway_after_commit").await;
    assert!((502..=504).contains(&first.status.unwrap()) && moved > 0);
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (Some(200), "true")
    );
}

#[tokio::test]
async fn connections_are_reset_before_and_after_the_change() {
    let (first, moved, again) = write_with("reset_before_commit").await;
    assert_eq!(
        (first.status, first.broken),
        (None, Some(std::io::ErrorKind::ConnectionReset))
    );
    assert_eq!((moved, again.header("idempotent-replayed")), (0, ""));
    let (first, moved, again) = write_with("reset_after_commit").await;
    assert_eq!(
        (first.status, first.broken),
        (None, Some(std::io::ErrorKind::ConnectionReset))
    );
    assert!(moved > 0);
    assert_eq!(again.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_truncated_body_has_status_200_and_a_body_cut_short() {
    let (first, moved, again) = write_with("truncated_body").await;
    assert_eq!(first.status, Some(200));
    assert_eq!(first.broken, Some(std::io::ErrorKind::UnexpectedEof));
    assert!(!first.body.is_empty() && again.body.starts_with(&first.body));
    assert!(moved > 0);
}

#[tokio::test]
async fn slow_bodies_and_wrong_amounts_arrive_whole() {
    let (first, moved, _) = write_with("slow_body").await;
    assert_eq!((first.status, first.broken), (Some(200), None));
    assert_eq!(first.json()["amount"], moved);
    let (first, moved, again) = write_with("wrong_amount").await;
    assert_eq!(first.json()["amount"], moved + 1);
    assert_eq!(first.body, again.body);
}

#[tokio::test]
async fn refusals_that_did_nothing_leave_the_key_free() {
    for (fault, status, code) in [
        ("lock_timeout", 429, "lock_timeout"),
        ("rate_limited", 429, "rate_limit"),
        ("key_in_use", 409, "idempotency_key_in_use"),
    ] {
        let (first, moved, again) = write_with(fault).await;
        assert_eq!((first.status, first.error("code").as_str()), (Some(status), code));
        assert_eq!(
            (moved, again.status, again.header("idempotent-replayed")),
            (0, Some(200), "")
        );
    }
}

#[tokio::test]
async fn a_stalled_write_holds_its_key_and_is_done_late() {
    let options = with_faults("[[fault]]\nkind = \"stall_before_commit\"\nnth = 1\nmethod = \"POST\"\n");
    let clock = options.clock.clone();
    let (running, source, _) = start(options).await;
    let (_, ledger, _) = mover(&source).await;
    let form = "amount=1&currency=usd";
    let stalled = source.post(&ledger, form, Some("k"));
    let watcher = async {
        while running.counts(Side::Source).writes == 0 {
            tokio::task::yield_now().await;
        }
        let busy = source.post(&ledger, form, Some("k")).await;
        let locked = source.post(&ledger, form, Some("other")).await;
        clock.advance_to(clock.now().plus_ms(120_000));
        (busy, locked)
    };
    let (late, (busy, locked)) = tokio::join!(stalled, watcher);
    assert_eq!(
        (busy.status, busy.error("code").as_str()),
        (Some(409), "idempotency_key_in_use")
    );
    assert_eq!(
        (locked.status, locked.error("code").as_str()),
        (Some(429), "lock_timeout")
    );
    assert_eq!(late.status, Some(200));
    assert_eq!(
        source
            .post(&ledger, form, Some("k"))
            .await
            .header("idempotent-replayed"),
        "true"
    );
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_undo_what_stripe_is_doing() {
    let options = with_faults("[[fault]]\nkind = \"stall_before_commit\"\nnth = 1\nmethod = \"POST\"\n");
    let clock = options.clock.clone();
    let (running, source, _) = start(options).await;
    let (_, ledger, _) = mover(&source).await;
    {
        let mut given_up = Box::pin(source.post(&ledger, "amount=1&currency=usd", Some("k")));
        while running.counts(Side::Source).writes == 0 {
            tokio::select! {
                biased;
                _ = &mut given_up => panic!("it was meant to stall"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    clock.advance_to(clock.now().plus_ms(120_000));
    for _ in 0..10_000 {
        let again = source.post(&ledger, "amount=1&currency=usd", Some("k")).await;
        if again.status == Some(200) {
            assert_eq!(again.header("idempotent-replayed"), "true");
            return;
        }
    }
    panic!("the abandoned write was never done");
}

#[tokio::test]
async fn a_revoked_key_stays_revoked() {
    let (_running, source, _) = start(with_faults(
        "[[fault]]\nkind = \"revoke_key\"\non = \"all\"\nnth = 3\naccount = \"source\"\n",
    ))
    .await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(source.get("/v1/account").await.status.unwrap());
    }
    assert_eq!(seen, [200, 200, 401, 401]);
}

#[tokio::test]
async fn limits_are_those_of_test_mode_and_say_which_one_spoke() {
    let mut options = options("small");
    options.no_limits = false;
    options.clock = Clock::rehearsal(options.scenario.starts_at(), 1);
    let (running, source, _) = start(options).await;
    let mut reasons = Vec::new();
    for _ in 0..40 {
        let answer = source.get("/v1/account").await;
        if answer.status == Some(429) {
            reasons.push(answer.header("stripe-rate-limited-reason").to_owned());
        }
    }
    // A machine so slow that 40 requests take longer than a second would see fewer refusals, not others.
    assert!(reasons.iter().all(|r| r == "global-rate"));
    assert_eq!(running.counts(Side::Source).status_429, reasons.len() as u64);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_world_and_another_seed_another() {
    let ids = |seed: u64| async move {
        let mut options = options("small");
        options.seed = seed;
        let (running, source, destination) = start(options).await;
        let mapping = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
        let list = source.get("/v1/customers?limit=100").await.body;
        let there = destination.get("/v1/customers?limit=100").await.body;
        running.stop().await;
        (list, there, mapping)
    };
    let one = ids(1).await;
    assert_eq!(one, ids(1).await);
    assert_ne!(one.0, ids(2).await.0);
}

#[tokio::test]
async fn the_pan_copy_keeps_customers_and_maps_every_method() {
    let (running, source, destination) = start(options("small")).await;
    let text = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
    let mut lines = text.lines();
    let header =
        "customer_id_old,v2_account_id_old,source_id_old,customer_id_new,v2_account_id_new,source_id_new";
    assert_eq!(lines.next(), Some(header));
    let mut customers = std::collections::BTreeSet::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[0], cells[3]);
        let old = source
            .get(&format!("/v1/payment_methods/{}", cells[2]))
            .await
            .json();
        let new = destination
            .get(&format!("/v1/payment_methods/{}", cells[5]))
            .await
            .json();
        assert_eq!(
            (&old["customer"], &new["customer"]),
            (&cells[0].into(), &cells[0].into())
        );
        assert_eq!(
            (&old["type"], &old["card"]["last4"]),
            (&new["type"], &new["card"]["last4"])
        );
        assert_ne!(old["id"], new["id"]);
        customers.insert(cells[0].to_owned());
    }
    assert_eq!(customers.len(), 9);
    running.play_pan_copy().unwrap();
    let again = std::fs::read_to_string(&running.describe().mapping_csv).unwrap();
    assert_eq!(text, again, "nothing was new");
}

#[tokio::test]
async fn no_customers_means_two_empty_accounts() {
    let mut options = options("midnight");
    options.customers = Some(0);
    let (_running, source, destination) = start(options).await;
    for account in [source, destination] {
        assert_eq!(
            account.get("/v1/customers").await.json()["data"],
            serde_json::json!([])
        );
    }
}

#[tokio::test]
async fn a_port_in_use_is_said_in_one_sentence() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = options("small");
    options.destination_port = port;
    let error = Simulator::start(options).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("port {port} for the destination account cannot be used")),
        "{error}"
    );
}

#[tokio::test]
async fn a_live_world_has_live_keys_and_objects() {
    let mut options = options("small");
    options.livemode = true;
    let (running, source, _) = start(options).await;
    assert!(running.describe().source.key.starts_with("sk_live_"));
    assert_eq!(
        source.get("/v1/customers").await.json()["data"][0]["livemode"],
        true
    );
    let refused = source.post(
        "/v1/test_helpers/customers/cus_x/fund_cash_balance",
        "amount=1&currency=usd",
        None,
    );
    assert_eq!(refused.await.status, Some(404));
}

fn claim(customer: &str, credit: i64) -> Claim {
    Claim {
        customer: customer.to_owned(),
        currency: "usd".to_owned(),
        amount: -credit,
        drained: true,
    }
}

fn rules(running: &Running, claims: &[Claim]) -> Vec<&'static str> {
    running
        .verdict(claims)
        .violations
        .iter()
        .map(|v| v.rule)
        .collect()
}

#[tokio::test]
async fn moving_credit_once_in_the_right_order_breaks_no_rule() {
    let (running, source, destination) = start(options("small")).await;
    let (id, ledger, credit) = mover(&source).await;
    let form = |amount: i64| format!("amount={amount}&currency=usd&metadata[cutover_effect]=e");
    source.post(&ledger, &form(credit), Some("a")).await;
    assert_eq!(rules(&running, &[claim(&id, credit)]), [rule::MISSED]);
    destination.post(&ledger, &form(-credit), Some("b")).await;
    assert_eq!(rules(&running, &[claim(&id, credit)]), [""; 0]);
    assert_eq!(running.verdict(&[]).credited, 1);
}

#[tokio::test]
async fn crediting_before_draining_and_crediting_twice_are_violations() {
    let (running, source, destination) = start(options("small")).await;
    let (id, ledger, credit) = mover(&source).await;
    let form = format!("amount=-{credit}&currency=usd&metadata[cutover_effect]=e");
    destination.post(&ledger, &form, Some("a")).await;
    assert_eq!(rules(&running, &[]), [rule::CONSERVATION]);
    source
        .post(&ledger, &format!("amount={credit}&currency=usd"), None)
        .await;
    destination.post(&ledger, &form, Some("b")).await;
    let found = rules(&running, &[claim(&id, credit)]);
    for expected in [rule::ONCE, rule::TWICE, rule::MISSED] {
        assert!(found.contains(&expected), "{expected} in {found:?}");
    }
}

#[tokio::test]
async fn any_write_to_a_stayer_is_a_violation_and_reading_is_none() {
    let (running, source, _) = start(options("small")).await;
    let stayer = customer(&source, |c| c["metadata"]["region"] == "au").await;
    let path = format!("/v1/customers/{}", stayer["id"].as_str().unwrap());
    source.get(&path).await;
    assert_eq!(running.verdict(&[]).violations, []);
    assert_eq!(running.counts(Side::Source).writes, 0);
    source.post(&path, "description=x", None).await;
    assert_eq!(rules(&running, &[]), [rule::STAYER]);
    let world = source.get("/_cutover/world").await.json();
    assert_eq!(world["violations"][0]["rule"], rule::STAYER);
    assert_eq!(world["source"]["requests"]["writes"], 1);
    let logged = running.requests();
    assert_eq!(logged.iter().filter(|r| r.method == "POST").count(), 1);
}

#[tokio::test]
async fn somebody_at_the_dashboard_changes_the_ledger_before_the_write_and_is_not_blamed_on_the_run() {
    let options = with_faults(
        "[[foreign]]\naccount = \"source\"\ndo = \"balance_transaction\"\n\
         before = \"POST /v1/customers/*/balance_transactions\"\ncustomer = \"same\"\namount = -700\ncurrency = \"usd\"\n",
    );
    let (running, source, destination) = start(options).await;
    let (id, ledger, credit) = mover(&source).await;
    let drained = source
        .post(&ledger, &format!("amount={credit}&currency=usd"), None)
        .await
        .json();
    assert_eq!(drained["ending_balance"], -700);
    source.post(&ledger, "amount=700&currency=usd", None).await;
    destination
        .post(&ledger, &format!("amount=-{}&currency=usd", credit + 700), None)
        .await;
    assert_eq!(rules(&running, &[claim(&id, credit + 700)]), [""; 0]);
}

#[tokio::test]
async fn a_killed_world_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let make = || {
        let mut options = with_faults(
            "[[fault]]\nkind = \"server_error_after_commit\"\nnth = 2\nmethod = \"POST\"\n\
             [[foreign]]\naccount = \"source\"\ndo = \"delete_customer\"\nnth = 4\ncustomer = \"stayer:0\"\n",
        );
        options.world_log = Some(dir.path().join("world.log"));
        options.mapping_csv = None;
        options
    };
    let look = |running: &Running| {
        let (source, destination) = (
            account(running, Side::Source),
            account(running, Side::Destination),
        );
        async move {
            let mut seen = Vec::new();
            for at in [&source, &destination] {
                for path in [
                    "/v1/customers?limit=100&expand[]=data.invoice_credit_balance",
                    "/v1/events?limit=100",
                ] {
                    seen.push(at.get(path).await.body);
                }
            }
            seen
        }
    };
    let (running, source, destination) = start(make()).await;
    let (_, ledger, credit) = mover(&source).await;
    let drain = format!("amount={credit}&currency=usd&metadata[cutover_effect]=d");
    let first = source.post(&ledger, &drain, Some("k1")).await;
    let failed = source.post("/v1/customers", "name=New", Some("k2")).await;
    assert_eq!(failed.status, Some(500));
    destination.post(&ledger, "amount=-5&currency=usd", None).await;
    source.get("/v1/account").await;
    let before = look(&running).await;
    let found = running.verdict(&[]);
    drop(running);

    let (running, source, _) = start(make()).await;
    assert_eq!(look(&running).await, before);
    assert_eq!(running.verdict(&[]), found);
    let again = source.post(&ledger, &drain, Some("k1")).await;
    assert_eq!(again.body, first.body);
    let stored = source.post("/v1/customers", "name=New", Some("k2")).await;
    assert_eq!(
        (stored.status, stored.header("idempotent-replayed")),
        (Some(500), "true")
    );
    assert_eq!(
        running.describe().mapping_csv,
        dir.path().join("pan-copy-mapping.csv")
    );
}
