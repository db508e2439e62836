//! What a test in another process may look at: `GET /_cutover/world`. It changes nothing, is not counted, and tells
//! no secret.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::pipeline::lock;
use super::server::Served;
use super::verdict::Claims;
use super::world::{Account, Customer};

pub(crate) async fn answer(served: &Served, method: &str, path: &str) -> Response {
    if (method, path) != ("GET", "/_cutover/world") {
        let mut response = Response::new(Body::from("{}"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let body = serde_json::to_vec(&world(served).await).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

async fn world(served: &Served) -> Value {
    let found = served.verdict(&Claims::default()).await;
    let mut out = Map::new();
    out.insert("now".into(), json!(served.shared.clock.now()));
    for core in &served.cores {
        let core = lock(core);
        let shown = json!({
            "account": core.account.id,
            "requests": core.log.counts(),
            "customers": customers(&core.account),
            "catalogue": catalogue(&core.account),
        });
        out.insert(core.account.side.name().into(), shown);
    }
    out.insert("violations".into(), json!(found.violations));
    Value::Object(out)
}

/// Customers with a ledger, with sums by currency (negative: credit), rows made since the start, and their markers.
fn customers(account: &Account) -> Vec<Value> {
    let rows = account.customers.rows().iter();
    rows.filter(|c| !c.ledger.is_empty()).map(customer).collect()
}

/// How much is sold, and what of it was made of something on the old account.
fn catalogue(account: &Account) -> Value {
    let of = &account.catalogue;
    let products = of.products.rows().iter().filter(|p| !p.deleted);
    let shown = products.map(|p| (&p.id, &p.metadata));
    let shown = shown.chain(of.prices.rows().iter().map(|p| (&p.id, &p.metadata)));
    let shown = shown.chain(of.tax_rates.rows().iter().map(|r| (&r.id, &r.metadata)));
    let made = shown.filter_map(|(id, metadata)| {
        let old = metadata.get("cutover_of")?;
        Some(json!({ "id": &**id, "of": old }))
    });
    json!({
        "products": of.products.rows().iter().filter(|p| !p.deleted).count(),
        "prices": of.prices.rows().len(),
        "tax_rates": of.tax_rates.rows().len(),
        "subscriptions": of.subscriptions.rows().len(),
        "made": made.collect::<Vec<_>>(),
    })
}

fn customer(customer: &Customer) -> Value {
    let sums = customer.sums().into_iter();
    let sums: Map<String, Value> = sums
        .map(|(cur, sum)| (cur.as_str().to_owned(), json!(sum)))
        .collect();
    let since_start = customer.ledger.iter().skip(customer.ledger_at_start as usize);
    let rows: Vec<Value> = since_start
        .map(|row| {
            let marker = row.more.as_ref().and_then(|m| m.metadata.get("cutover_effect"));
            json!({ "amount": row.amount, "currency": row.cur.as_str(), "marker": marker })
        })
        .collect();
    json!({
        "id": &*customer.id,
        "role": customer.role,
        "deleted": customer.deleted,
        "ledger": sums,
        "rows": rows,
    })
}
