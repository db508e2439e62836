//! One request on the wire, once: no hidden retry, no redirect, limits on time and size. The only file that holds an
//! HTTP client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;
use url::Url;

use super::account::{Account, Settings};
use super::allow::Method;
use super::base::is_loopback;
use super::error::{ApiError, Broken, Failure, Sent, TransportError, cut};
use super::json::is_too_deep;
use super::once::{Left, OnceBody};
use super::reply::{Meta, Reply};
use super::watchdog::Watchdog;
use crate::clock::Clock;
use crate::domain::time::UtcMs;

/// The HTTP client could not be set up; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetupError {
    /// The key cannot stand in a header.
    #[error("the API key contains characters that cannot be sent: copy it again from the Dashboard")]
    Key,
    /// TLS or proxy set-up failed.
    #[error("the HTTPS client could not be set up ({0}): check that the system's certificates are installed")]
    Client(String),
}

/// One request, ready to go.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// Checked against the allow-list.
    pub(super) path: &'a str,
    /// Encoded query, possibly empty.
    pub(super) query: &'a str,
    /// Body of a POST, and the idempotency key of one that writes.
    pub(super) form: Option<(&'a str, Option<&'a str>)>,
}

pub(super) struct Transport {
    client: reqwest::Client,
    base: Url,
    clock: Clock,
    settings: Settings,
}

impl Transport {
    pub(super) fn new(account: &Account, clock: Clock, settings: Settings) -> Result<Self, SetupError> {
        let client = build(account, &settings)?;
        Ok(Self {
            client,
            base: account.base_url.clone(),
            clock,
            settings,
        })
    }

    /// Sends once. `sent_at` is when pacing let it go; limits on time count from there.
    pub(super) async fn send(&self, request: &Request<'_>, sent_at: UtcMs) -> Result<Reply, Failure> {
        let (built, left) = self.build(request)?;
        let total = sent_at.plus_ms(self.settings.total_ms);
        let floor = Duration::from_millis(u64::from(self.settings.min_real_ms));
        let mut watchdog = Watchdog::start(&self.clock, total, floor);
        let head = match watchdog.within(self.client.execute(built)).await {
            Some(Ok(head)) => head,
            Some(Err(e)) => return Err(no_answer(&e, &left).into()),
            None => return Err(broken(Broken::Timeout, &left, "no answer", None).into()),
        };
        let meta = self.meta(&head, sent_at);
        let body = self.read(head, &mut watchdog, total).await;
        let meta = Meta {
            at: self.clock.now(),
            ..meta
        };
        settle(meta, body, &left)
    }

    fn build(&self, request: &Request<'_>) -> Result<(reqwest::Request, Left), TransportError> {
        let mut url = self.base.clone();
        url.set_path(request.path);
        if url.path() != request.path {
            // The allow-list has seen another path than the one that would be asked.
            return Err(broken(
                Broken::Unsendable,
                &Left::default(),
                "the path is not canonical",
                None,
            ));
        }
        url.set_query(Some(request.query).filter(|q| !q.is_empty()));
        let (body, left) = OnceBody::new(
            request
                .form
                .map_or_else(Bytes::new, |(body, _)| Bytes::copy_from_slice(body.as_bytes())),
        );
        let mut built = match request.method {
            Method::Get => reqwest::Request::new(reqwest::Method::GET, url),
            Method::Ask | Method::Post => reqwest::Request::new(reqwest::Method::POST, url),
            Method::Delete => reqwest::Request::new(reqwest::Method::DELETE, url),
        };
        if let Some((_, key)) = request.form {
            if let Some(key) = key {
                built
                    .headers_mut()
                    .insert(HeaderName::from_static("idempotency-key"), header_of(key)?);
            }
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            built.headers_mut().insert(CONTENT_TYPE, form);
            *built.body_mut() = Some(reqwest::Body::wrap(body));
        }
        Ok((built, left))
    }

    fn meta(&self, head: &reqwest::Response, sent_at: UtcMs) -> Meta {
        let headers = head.headers();
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        Meta::read(head.status().as_u16(), header, sent_at, self.clock.now())
    }

    async fn read(
        &self,
        mut head: reqwest::Response,
        dog: &mut Watchdog,
        total: UtcMs,
    ) -> Result<Bytes, Stop> {
        let mut body = BytesMut::new();
        loop {
            let idle = self.clock.now().plus_ms(self.settings.idle_ms);
            dog.set(idle.min(total));
            match dog.within(head.chunk()).await {
                Some(Ok(Some(chunk))) if body.len() + chunk.len() > self.settings.max_body => {
                    return Err(Stop(
                        Broken::TooLarge,
                        format!("more than {} bytes", self.settings.max_body),
                    ));
                }
                Some(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Some(Ok(None)) => return Ok(body.freeze()),
                Some(Err(e)) => return Err(Stop(Broken::Cut, words(&e))),
                None if self.clock.now() >= total => {
                    return Err(Stop(Broken::Timeout, "within the body".to_owned()));
                }
                None => return Err(Stop(Broken::Stalled, "within the body".to_owned())),
            }
        }
    }
}

fn header_of(key: &str) -> Result<HeaderValue, TransportError> {
    let what = "the idempotency key is not a header";
    HeaderValue::from_str(key).map_err(|_| broken(Broken::Unsendable, &Left::default(), what, None))
}

/// Why reading a body stopped, and the library's words.
struct Stop(Broken, String);

fn settle(meta: Meta, body: Result<Bytes, Stop>, left: &Left) -> Result<Reply, Failure> {
    if (300..400).contains(&meta.status) {
        return Err(Failure::Redirect(Box::new(meta)));
    }
    let body = match body {
        Ok(body) => body,
        // The status alone decides about an error answer; its text is only for showing.
        Err(_) if meta.status >= 400 => Bytes::new(),
        Err(Stop(what, detail)) => return Err(broken(what, left, &detail, Some(meta)).into()),
    };
    let too_deep = is_too_deep(&body);
    if meta.status >= 400 {
        let shown: &[u8] = if too_deep { b"" } else { &body };
        return Err(ApiError::parse(meta, shown).into());
    }
    if too_deep {
        return Err(broken(Broken::TooDeep, left, "more than 64 levels", Some(meta)).into());
    }
    let reply = Reply { meta, body };
    match &reply.meta.api_version {
        Some(got) if got != super::STRIPE_VERSION => Err(Failure::Version {
            got: got.clone(),
            reply: Box::new(reply),
        }),
        _ => Ok(reply),
    }
}

pub(super) fn broken(what: Broken, left: &Left, detail: &str, meta: Option<Meta>) -> TransportError {
    // An answer proves that the request arrived, whatever the body says about itself.
    let maybe = meta.is_some() || left.may_have_arrived(what == Broken::Connect);
    let sent = if maybe { Sent::Maybe } else { Sent::Never };
    TransportError {
        sent,
        what,
        detail: cut(detail, 500),
        meta: meta.map(Box::new),
    }
}

fn no_answer(e: &reqwest::Error, left: &Left) -> TransportError {
    let what = if e.is_connect() {
        Broken::Connect
    } else if e.is_timeout() {
        Broken::Timeout
    } else {
        Broken::Cut
    };
    broken(what, left, &words(e), None)
}

/// An error and its causes in one line. reqwest's own text would repeat the URL, which says nothing new.
fn words(e: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&e.to_string());
        cause = e.source();
    }
    if text.is_empty() {
        "no further detail".to_owned()
    } else {
        text
    }
}

fn build(account: &Account, settings: &Settings) -> Result<reqwest::Client, SetupError> {
    // Whoever comes first installs it; it is the same provider everywhere in this program.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = reqwest::Client::builder()
        .default_headers(headers(account)?)
        .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")))
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .no_proxy()
        .connect_timeout(Duration::from_millis(u64::from(settings.connect_ms)));
    if account.base_url.scheme() == "http" {
        // No certificate is ever looked at; a machine without any must still run a rehearsal.
        client = client.tls_certs_only([]);
    } else {
        client = client.https_only(true);
        if let Some(proxy) = &settings.proxy {
            let proxy = reqwest::Proxy::https(proxy.clone()).map_err(|e| SetupError::Client(words(&e)))?;
            client = client.proxy(proxy);
        }
    }
    if is_loopback(&account.base_url) && account.base_url.domain().is_some() {
        let port = account.base_url.port_or_known_default().unwrap_or(80);
        let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        client = client.resolve_to_addrs("localhost", &here.map(|ip| SocketAddr::new(ip, port)));
    }
    client.build().map_err(|e| SetupError::Client(words(&e)))
}

fn headers(account: &Account) -> Result<HeaderMap, SetupError> {
    let bearer = format!("Bearer {}", account.key.expose());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| SetupError::Key)?;
    // Also keeps it out of every Debug of the header map.
    bearer.set_sensitive(true);
    let version = HeaderValue::from_static(super::STRIPE_VERSION);
    Ok(HeaderMap::from_iter([
        (AUTHORIZATION, bearer),
        (HeaderName::from_static("stripe-version"), version),
    ]))
}
