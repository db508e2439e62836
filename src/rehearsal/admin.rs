//! What a test in another process may look at and do, uncounted and without a secret told: `GET /_cutover/world` changes
//! nothing, nor does `GET /_cutover/billing` (`totals`); `POST /_cutover/redeem` redeems on the account it is sent to (the parameters: `Core::redeem_as_asked`);
//! below `/_cutover/toolkit/migrations` the new account has its Dashboard (`toolkit`): `POST ?name=FILE` with the file's
//! bytes uploads it, `POST /{id}/start` and `/{id}/cancel` click, `GET`, `GET /{id}` and `GET /{id}/errors` look.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::pipeline::{Incoming, lock};
use super::server::Served;
use super::toolkit::{self, Said};
use super::verdict::Claims;
use super::world::{Account, By, Customer};

/// Answers a request to the account of that index.
pub(crate) async fn answer(served: &Served, index: usize, it: &Incoming) -> Response {
    let (status, body) = match (it.method.as_str(), it.path.as_str()) {
        ("GET", "/_cutover/world") => (StatusCode::OK, world(served).await),
        ("GET", "/_cutover/billing") => (StatusCode::OK, json!(served.totals())),
        ("POST", "/_cutover/redeem") => redeem(served, index, &it.form()),
        (method, path) if path.starts_with(toolkit::PATH) => {
            match toolkit::answer(served, index, (method, path, &it.query), &it.body) {
                Said::Json(status, value) => (status, value),
                Said::File(file) => return response(StatusCode::OK, "text/csv", file),
            }
        }
        _ => (StatusCode::NOT_FOUND, json!({})),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    response(status, "application/json", body)
}

fn response(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static(kind));
    response
}

fn redeem(served: &Served, index: usize, form: &str) -> (StatusCode, Value) {
    let now = served.shared.clock.now();
    match lock(&served.cores[index]).redeem_as_asked(form, now) {
        Ok(discount) => (StatusCode::OK, json!({ "discount": discount })),
        Err(refused) => (
            StatusCode::BAD_REQUEST,
            json!({ "code": refused.code, "message": refused.message }),
        ),
    }
}

async fn world(served: &Served) -> Value {
    let found = served.verdict(&Claims::default()).await;
    let mut out = Map::new();
    out.insert("now".into(), json!(served.shared.clock.now()));
    let now = served.shared.clock.now().secs();
    for core in &served.cores {
        let core = lock(core);
        let shown = json!({
            "account": core.account.id,
            "requests": core.log.counts(),
            "customers": customers(&core.account),
            "catalogue": catalogue(&core.account),
            "pools": pools(&core.account, now),
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
        "subscriptions": account.billing.subscriptions.rows().len(),
        "made": made.collect::<Vec<_>>(),
    })
}

/// Coupons that are not deleted, with their codes: limits, uses and what they were made of.
fn pools(account: &Account, now: i64) -> Vec<Value> {
    let pools = &account.pools;
    let tonight = |slot: u32| {
        let all = pools.discounts().rows().iter();
        all.filter(|d| d.coupon == slot && d.by != By::History).count()
    };
    let coupons = (0_u32..).zip(pools.coupons().rows());
    let shown = coupons.filter(|(_, c)| !c.deleted).map(|(slot, coupon)| {
        let codes = pools.codes_of(slot).iter().filter_map(|s| pools.codes().at(*s));
        let codes = codes.map(|code| {
            json!({
                "id": &*code.id,
                "code": &*code.text,
                "customer": code.customer,
                "active": pools.active(code, now),
                "max": code.max,
                "used": code.used,
                "of": code.metadata.get("cutover_of"),
            })
        });
        json!({
            "id": &*coupon.id,
            "valid": coupon.dead(now).is_none(),
            "max": coupon.max,
            "used": coupon.used,
            "redeemed_tonight": tonight(slot),
            "of": coupon.metadata.get("cutover_of"),
            "codes": codes.collect::<Vec<_>>(),
        })
    });
    shown.collect()
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
