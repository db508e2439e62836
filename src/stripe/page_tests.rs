//! Lists and scans against a server that pages as Stripe does, and against some that do not.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt as _;

use super::super::stub::{Answer, Stub};
use super::super::wire::Customer;
use super::super::{Account, ApiKey, Link, PaceConfig, Role, Scan, Settings};
use super::*;
use crate::clock::Clock;

/// `(created, number)`, newest first.
fn world(created: impl IntoIterator<Item = i64>) -> Vec<(i64, usize)> {
    let mut all: Vec<_> = created.into_iter().enumerate().map(|(n, at)| (at, n)).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all
}

fn parameter<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let query = request.lines().next()?.split(' ').nth(1)?.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// One page of `world` as Stripe would give it.
fn page(world: &[(i64, usize)], request: &str) -> Answer {
    let bound = |name| parameter(request, name).map(|v| v.parse::<i64>().unwrap());
    let (from, to) = (bound("created[gte]"), bound("created[lte]"));
    let after = parameter(request, "starting_after")
        .map(|id| id.strip_prefix("cus_").unwrap().parse::<usize>().unwrap());
    let start = after.map_or(0, |id| world.iter().position(|(_, n)| *n == id).unwrap() + 1);
    let inside = |(at, _): &&(i64, usize)| from.is_none_or(|f| *at >= f) && to.is_none_or(|t| *at <= t);
    let rest: Vec<_> = world[start..].iter().filter(inside).collect();
    let shown: Vec<_> = rest
        .iter()
        .take(100)
        .map(|(at, n)| customer(*at, &n.to_string()))
        .collect();
    list(&shown, rest.len() > 100)
}

fn customer(created: i64, n: &str) -> String {
    format!(r#"{{"id":"cus_{n}","created":{created},"livemode":false}}"#)
}

fn list(items: &[String], has_more: bool) -> Answer {
    let body = format!(
        r#"{{"object":"list","data":[{}],"has_more":{has_more},"url":"/v1/customers"}}"#,
        items.join(",")
    );
    Answer::json(200, &body)
}

fn reader(stub: &Stub) -> Reader {
    let key = ApiKey::parse("rk_test_51AbCdEfGhIjKlMnOa1b2").unwrap();
    let account = Account::new(Role::Source, &stub.url(), key).unwrap();
    Link::new(
        account,
        Clock::real(),
        Settings::with_pace(PaceConfig::unlimited()),
    )
    .reader()
    .unwrap()
}

async fn drain(scan: &mut Scan<Customer>) -> Result<Vec<Customer>, Failure> {
    let mut all = Vec::new();
    let whole = async {
        while let Some(page) = scan.next().await {
            all.extend(page?.items);
        }
        Ok::<_, Failure>(())
    };
    tokio::time::timeout(Duration::from_secs(120), whole)
        .await
        .expect("the scan never ended")?;
    Ok(all)
}

#[tokio::test]
async fn a_list_streams_every_item_once_and_in_order() {
    let all = world((0..250).map(|n| 1_700_000_000 + n / 7));
    let want: Vec<_> = all.iter().map(|(_, n)| format!("cus_{n}")).collect();
    let stub = Stub::serve(move |request| page(&all, request)).await;
    let items = reader(&stub)
        .list::<Customer>("/v1/customers", &Form::new().expand("data.cash_balance"))
        .into_stream();
    let got: Vec<_> = items.map_ok(|c| c.id).try_collect().await.unwrap();
    assert_eq!(got, want);
    let seen = stub.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(
        |r| parameter(r, "limit") == Some("100") && parameter(r, "expand[]") == Some("data.cash_balance")
    ));
}

#[tokio::test]
async fn a_list_that_runs_in_circles_or_says_more_where_nothing_is_ends_with_an_error() {
    let full = |n: &str| list(&[customer(5, n)], true);
    let circles = [full("1"), full("2"), full("1")];
    let stub = Stub::start(circles).await;
    let failed = reader(&stub)
        .list::<Customer>("/v1/customers", &Form::new())
        .collect_pages()
        .await
        .unwrap_err();
    assert!(
        matches!(
            failed,
            Failure::Page {
                fault: PageFault::CursorRepeats(_),
                ..
            }
        ),
        "{failed}"
    );
    let stub = Stub::start([full("1"), list(&[], true)]).await;
    let failed = reader(&stub)
        .list::<Customer>("/v1/customers", &Form::new())
        .collect_pages()
        .await
        .unwrap_err();
    assert!(
        matches!(
            failed,
            Failure::Page {
                fault: PageFault::EmptyWithMore,
                ..
            }
        ),
        "{failed}"
    );
}

#[tokio::test]
async fn a_scan_reads_every_item_once_in_at_most_two_calls_per_page() {
    let spreads: [Vec<i64>; 5] = [
        vec![],
        (0..100).map(|n| 1_700_000_000 + n).collect(),
        (0..2_650).map(|n| 1_600_000_000 + n * 61_000).collect(),
        vec![1_700_000_000; 730],
        (0..900)
            .map(|n| {
                if n % 3 == 0 {
                    1_300_000_000 + n
                } else {
                    1_760_000_000 + n / 50
                }
            })
            .collect(),
    ];
    for spread in spreads {
        let all = world(spread);
        let n = all.len();
        let stub = Stub::serve(move |request| page(&all, request)).await;
        let mut scan = reader(&stub).scan::<Customer>("/v1/customers", &Form::new(), 8);
        let items = drain(&mut scan).await.unwrap();
        let ids: BTreeSet<_> = items.iter().map(|c| c.id.as_str()).collect();
        assert_eq!((items.len(), ids.len()), (n, n));
        let pages = n.div_ceil(100).max(1);
        assert!(
            stub.seen().len() < 2 * pages,
            "{} calls for {pages} pages",
            stub.seen().len()
        );
        assert_eq!(scan.calls(), stub.seen().len() as u64);
    }
}

#[tokio::test]
async fn a_scan_of_a_server_that_ignores_the_range_is_an_error_not_a_list_with_repetitions() {
    let all = world((0..400).map(|n| 1_600_000_000 + n * 61_000));
    let stub = Stub::serve(move |request| {
        let deaf = request.replace("created[gte]", "x").replace("created[lte]", "y");
        page(&all, &deaf)
    });
    let stub = stub.await;
    let failed = drain(&mut reader(&stub).scan::<Customer>("/v1/customers", &Form::new(), 8))
        .await
        .unwrap_err();
    assert!(
        matches!(
            failed,
            Failure::Page {
                fault: PageFault::OutsideRange(_),
                ..
            }
        ),
        "{failed}"
    );
}

#[tokio::test]
async fn a_scan_with_one_refused_page_is_an_error_and_never_a_shorter_list() {
    let all = world((0..1_000).map(|n| 1_600_000_000 + n * 61_000));
    let mut calls = 0;
    let stub = Stub::serve(move |request| {
        calls += 1;
        if calls == 7 {
            Answer::json(403, r#"{"error":{"message":"no"}}"#)
        } else {
            page(&all, request)
        }
    });
    let stub = stub.await;
    let mut scan = reader(&stub).scan::<Customer>("/v1/customers", &Form::new(), 4);
    let failed = drain(&mut scan).await.unwrap_err();
    assert_eq!(failed.meta().map(|m| m.status), Some(403));
    assert!(scan.next().await.is_none(), "over after an error");
}

#[tokio::test]
async fn a_scan_keeps_several_requests_in_flight() {
    let all = world((0..6_000).map(|n| 1_600_000_000 + n * 27_000));
    let stub = Stub::serve(move |request| page(&all, request)).await;
    let reader = reader(&stub);
    let mut scan = reader.scan::<Customer>("/v1/customers", &Form::new(), 8);
    let mut most = 0;
    while let Some(page) = scan.next().await {
        page.unwrap();
        most = most.max(reader.pacer().snapshot().in_flight);
    }
    assert!(most >= 4, "{most} in flight");
    assert!(scan.calls() <= 60 + 20, "{} calls for 60 pages", scan.calls());
}

#[test]
fn an_item_that_comes_twice_is_kept_once() {
    let item = |n: i64| serde_json::from_str::<Customer>(&customer(n, &n.to_string())).unwrap();
    let mut seen = HashSet::new();
    let mut first = vec![item(1), item(2), item(1)];
    let mut second = vec![item(2), item(3)];
    assert_eq!(
        (dedupe(&mut seen, &mut first), dedupe(&mut seen, &mut second)),
        (1, 1)
    );
    assert_eq!((first.len(), second.len()), (2, 1));
}
