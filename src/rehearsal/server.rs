//! HTTP around an account: one listener, one router, and the waiting that latency and stalls mean.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::admin;
use super::app_database::AppDatabase;
use super::faults::FaultKind;
use super::pan_copy::Mapped;
use super::pipeline::{Core, Incoming, Shared, Step, Work, lock};
use super::reply::Reply;
use super::wire::{Listener, Wire, WireAct};
use crate::domain::time::UtcMs;

/// Largest request body read, bytes.
const MAX_BODY: usize = 1 << 20;
/// The same of a file for the Dashboard: a little more than it takes.
const MAX_UPLOAD: usize = 130 << 20;

/// Both accounts, as the server of either needs them.
pub(crate) struct Served {
    pub(crate) shared: Arc<Shared>,
    /// Source, destination.
    pub(crate) cores: [Mutex<Core>; 2],
    /// What the PAN copies brought.
    pub(crate) mapping: Mutex<Vec<Mapped>>,
    /// The application's database, when there is one.
    pub(crate) database: Option<AppDatabase>,
}

#[derive(Clone)]
struct Here {
    served: Arc<Served>,
    index: usize,
}

/// Serves one account until `stop` says so.
pub(crate) fn serve(
    served: Arc<Served>,
    index: usize,
    tcp: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let clock = served.shared.clock.clone();
    let router = Router::new().fallback(answer).with_state(Here { served, index });
    let service = router.into_make_service_with_connect_info::<Wire>();
    tokio::spawn(async move {
        let ended = async move {
            let _ = stop.wait_for(|s| *s).await;
        };
        // Serving ends only with `ended`; accept errors are waited out by the listener.
        let _ = axum::serve(Listener { tcp, clock }, service)
            .with_graceful_shutdown(ended)
            .await;
    })
}

async fn answer(
    State(here): State<Here>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    if request.uri().path().starts_with("/_cutover/") {
        let it = read(request, MAX_UPLOAD).await;
        return admin::answer(&here.served, here.index, &it).await;
    }
    let incoming = read(request, MAX_BODY).await;
    let shared = here.served.shared.clone();
    let step = lock(&here.served.cores[here.index]).admit(&incoming);
    let reply = match step {
        Step::Done(reply) => {
            latency(&shared, shared.latency_ms).await;
            reply
        }
        Step::Work(work) => work_on(&here, work).await,
    };
    wire.arm(reply.wire);
    response(reply, shared.clock.now())
}

/// Work that waits goes on when the client has gone away, as it does at Stripe.
async fn work_on(here: &Here, work: Box<Work>) -> Reply {
    let waits = here.served.shared.latency_ms > 0 || work.fault.is_some_and(FaultKind::stalls);
    if !waits {
        return lock(&here.served.cores[here.index]).execute(&work);
    }
    let here = here.clone();
    let patient = tokio::spawn(async move {
        let shared = here.served.shared.clone();
        let stall = shared.behaviour.stall_ms;
        latency(&shared, shared.latency_ms / 2).await;
        if work.fault == Some(FaultKind::StallBeforeCommit) {
            latency(&shared, stall).await;
        }
        let reply = lock(&here.served.cores[here.index]).execute(&work);
        if work.fault == Some(FaultKind::StallAfterCommit) {
            latency(&shared, stall).await;
        }
        latency(&shared, shared.latency_ms - shared.latency_ms / 2).await;
        reply
    });
    match patient.await {
        Ok(reply) => reply,
        // Only when the runtime is shutting down.
        Err(_) => gone(),
    }
}

async fn latency(shared: &Shared, ms: i64) {
    if ms > 0 {
        shared.clock.sleep_ms(ms).await;
    }
}

fn gone() -> Reply {
    Reply {
        status: 503,
        body: Vec::new(),
        request_id: String::new(),
        replayed: false,
        headers: Vec::new(),
        wire: WireAct::Reset,
    }
}

async fn read(request: Request, most: usize) -> Incoming {
    let (parts, body) = request.into_parts();
    let text = |name: &str| header(&parts.headers, name);
    let incoming = Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: Vec::new(),
        authorization: text("authorization"),
        key: text("idempotency-key").filter(|k| !k.is_empty()),
        version: text("stripe-version"),
    };
    let body = to_bytes(body, most).await.map(Vec::from).unwrap_or_default();
    Incoming { body, ..incoming }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn response(reply: Reply, now: UtcMs) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", "application/json");
    set("server", "nginx");
    set(
        "date",
        &now.datetime().format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    );
    set("request-id", &reply.request_id);
    for (name, value) in &reply.headers {
        set(name, value);
    }
    response
}
