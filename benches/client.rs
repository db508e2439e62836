//! The client against a bare `reqwest` on the same loopback server, and a page parsed into types against `Value`.
//! Prints ratios: reads and writes reach at least 60 % of bare reqwest (the goal for writes also knows the journal).

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot set up has no result")]
#![expect(clippy::cast_precision_loss, reason = "counts of some thousands")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cutover::clock::Clock;
use cutover::stripe::wire::{Customer, List};
use cutover::stripe::{Account, ApiKey, Form, Link, PaceConfig, Role, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const READS: usize = 3_000;
const WRITES: usize = 12_000;
const PARSED: usize = 501;
const LEDGER: &str = "/v1/customers/cus_1/balance_transactions";
const BODY: &str = "amount=-500&currency=usd&metadata[cutover_effect]=abcdefghijklmnopqrstuvwxyz";

/// A list page of 100 customers as Stripe writes them, about 140 KB.
fn page() -> String {
    let address = r#"{"city":null,"country":"AU","line1":null,"line2":null,"postal_code":null,"state":null}"#;
    let mut customers = String::new();
    for n in 0..100 {
        if n > 0 {
            customers.push(',');
        }
        let note = "x".repeat(600);
        let _ = write!(
            customers,
            r#"{{"id":"cus_{n:014}","object":"customer","address":{address},"balance":-1{n},"created":{},"currency":"aud",
            "default_source":null,"delinquent":false,"description":"{note}","discount":null,"email":"c{n}@example.com",
            "invoice_prefix":"ABCD{n:04}","invoice_settings":{{"custom_fields":null,"default_payment_method":"pm_1{n}",
            "footer":null,"rendering_options":null}},"livemode":false,"metadata":{{"region":"au","wave":"1"}},
            "name":"Customer {n}","next_invoice_sequence":1,"phone":null,"preferred_locales":[],"shipping":null,
            "tax_exempt":"none","test_clock":null,"invoice_credit_balance":{{"aud":{n},"usd":0}}}}"#,
            1_700_000_000 - n
        );
    }
    format!(r#"{{"object":"list","data":[{customers}],"has_more":true,"url":"/v1/customers"}}"#)
}

/// A keep-alive server with two fixed answers; no framework, so that it is not what is measured.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_1\r\n";
        Arc::new(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
    };
    let (read, write) = (
        answer(&page()),
        answer(r#"{"id":"cbtxn_1","amount":-500,"currency":"usd"}"#),
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(converse(stream, read.clone(), write.clone()));
        }
    });
    url
}

async fn converse(mut stream: TcpStream, read: Arc<String>, write: Arc<String>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let mut have = 0;
        // Every request of this bench ends with its head or with the body above.
        while !buffer[..have].ends_with(b"\r\n\r\n") && !buffer[..have].ends_with(BODY.as_bytes()) {
            match stream.read(&mut buffer[have..]).await {
                Ok(n) if n > 0 => have += n,
                _ => return,
            }
        }
        let answer = if buffer.starts_with(b"GET") { &read } else { &write };
        if buffer.starts_with(b"POST") && !buffer[..have].ends_with(BODY.as_bytes()) {
            let n = stream.read(&mut buffer[have..]).await.unwrap_or(0);
            if n == 0 {
                return;
            }
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Requests per second of `n` requests over `tasks` tasks.
async fn rate<F, Fut>(n: usize, tasks: usize, request: F) -> f64
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (left, request) = (Arc::new(AtomicUsize::new(n)), Arc::new(request));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (left, request) = (left.clone(), request.clone());
            tokio::spawn(async move {
                while left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                    .is_ok()
                {
                    request().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    n as f64 / begin.elapsed().as_secs_f64()
}

async fn bare_reads(url: &str, bare: &reqwest::Client, in_flight: usize) -> f64 {
    let (client, address) = (bare.clone(), format!("{url}/v1/customers?limit=100"));
    let read = move || {
        let (client, address) = (client.clone(), address.clone());
        async move {
            let body = client.get(address).send().await.unwrap().bytes().await.unwrap();
            black_box(serde_json::from_slice::<List<Customer>>(&body).unwrap());
        }
    };
    rate(READS, in_flight, read).await
}

async fn our_reads(link: &Link, in_flight: usize) -> f64 {
    let reader = link.reader().unwrap();
    let read = move || {
        let reader = reader.clone();
        async move {
            let query = Form::new().with("limit", 100);
            black_box(
                reader
                    .get_as::<List<Customer>>("/v1/customers", &query)
                    .await
                    .unwrap(),
            );
        }
    };
    rate(READS, in_flight, read).await
}

async fn bare_writes(url: &str, bare: &reqwest::Client, in_flight: usize) -> f64 {
    let (client, address) = (bare.clone(), format!("{url}{LEDGER}"));
    let write = move || {
        let (client, address) = (client.clone(), address.clone());
        async move {
            let sent = client
                .post(address)
                .header("idempotency-key", "k")
                .body(BODY)
                .send();
            black_box(sent.await.unwrap().bytes().await.unwrap());
        }
    };
    rate(WRITES, in_flight, write).await
}

async fn our_writes(link: &Link, in_flight: usize) -> f64 {
    let writer = Arc::new(link.writer().unwrap());
    let write = move || {
        let writer = writer.clone();
        async move {
            black_box(writer.post_once(LEDGER, BODY, "k").await.unwrap());
        }
    };
    rate(WRITES, in_flight, write).await
}

async fn compare(in_flight: usize) {
    let url = serve().await;
    let key = ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
    let account = Account::new(Role::Source, &url, key).unwrap();
    let link = Link::new(
        account,
        Clock::real(),
        Settings::with_pace(PaceConfig::unlimited()),
    );
    let bare = reqwest::Client::builder().no_proxy().build().unwrap();
    let print = |what: &str, ours: f64, bare: f64| {
        let per_cent = ours / bare * 100.0;
        println!(
            "client, {in_flight} in flight, {what}: {ours:.0}/s, {per_cent:.0} % of bare reqwest ({bare:.0}/s)"
        );
    };
    let reads = (
        our_reads(&link, in_flight).await,
        bare_reads(&url, &bare, in_flight).await,
    );
    print("pages read and parsed", reads.0, reads.1);
    let writes = (
        our_writes(&link, in_flight).await,
        bare_writes(&url, &bare, in_flight).await,
    );
    print("small writes", writes.0, writes.1);
}

/// A page parsed into types and into `Value`, in turn, so that both meet the same machine.
fn parsed(page: &str) {
    let (mut typed, mut value) = (Vec::new(), Vec::new());
    for _ in 0..PARSED {
        let begun = Instant::now();
        black_box(serde_json::from_str::<List<Customer>>(page).unwrap());
        typed.push(begun.elapsed());
        let begun = Instant::now();
        black_box(serde_json::from_str::<serde_json::Value>(page).unwrap());
        value.push(begun.elapsed());
    }
    typed.sort_unstable();
    value.sort_unstable();
    let (typed, value) = (typed[PARSED / 2], value[PARSED / 2]);
    let of = 100 * typed.as_nanos() / value.as_nanos().max(1);
    println!(
        "client, a page of 100 customers parsed: into types {typed:.2?}, {of} % of `Value` ({value:.2?})"
    );
}

fn client(c: &mut Criterion) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new().unwrap();
    for in_flight in [1, 8, 32] {
        runtime.block_on(compare(in_flight));
    }
    let page = page();
    parsed(&page);
    let mut parse = c.benchmark_group("parse a page of 100 customers");
    parse.throughput(Throughput::Bytes(page.len() as u64));
    parse.bench_function("typed", |b| {
        b.iter(|| serde_json::from_str::<List<Customer>>(&page).unwrap());
    });
    parse.bench_function("Value", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(&page).unwrap());
    });
    parse.bench_function("depth alone", |b| {
        b.iter(|| cutover::stripe::json::is_too_deep(page.as_bytes()));
    });
    parse.finish();
}

criterion_group!(benches, client);
criterion_main!(benches);
