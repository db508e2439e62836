//! One account over HTTP: a [`Reader`] that repeats what may be repeated, and a [`Writer`] that sends exactly once.

use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::account::{Account, Settings};
use super::allow::{Endpoint, Method, PREVIEW, Refused, Role, check, check_form};
use super::budget::{Budget, Next, seed_of};
use super::error::{Broken, Failure, Sent, TransportError, cut};
use super::form::Form;
use super::key::Mode;
use super::pace::Pacer;
use super::reply::Reply;
use super::retry::{Kind, Verdict, judge_failure};
use super::transport::{Request, SetupError, Transport};
use crate::clock::Clock;
use crate::domain::write;

/// One account's pacing, shared by everything that talks to it; makes readers and writers.
#[derive(Clone)]
pub struct Link {
    account: Account,
    clock: Clock,
    settings: Settings,
    pacer: Pacer,
}

impl Link {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(account: Account, clock: Clock, settings: Settings) -> Self {
        let pacer = Pacer::new(clock.clone(), settings.pace);
        Self {
            account,
            clock,
            settings,
            pacer,
        }
    }

    /// A reader with connections of its own.
    pub fn reader(&self) -> Result<Reader, SetupError> {
        Ok(Reader(Arc::new(self.wire()?)))
    }

    /// A writer with connections of its own. The engine's writer holds the only one.
    pub fn writer(&self) -> Result<Writer, SetupError> {
        Ok(Writer(self.wire()?))
    }

    /// The same pacing with another key of the same account: a write key is loaded only for writing.
    #[must_use]
    pub fn with_key(&self, key: super::key::ApiKey) -> Self {
        let account = Account {
            key,
            ..self.account.clone()
        };
        Self {
            account,
            ..self.clone()
        }
    }

    /// The account as configured.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Its limits.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Pacing: share, snapshot, counters.
    #[must_use]
    pub const fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    fn wire(&self) -> Result<Wire, SetupError> {
        let transport = Transport::new(&self.account, self.clock.clone(), self.settings.clone())?;
        Ok(Wire {
            role: self.account.role,
            mode: self.account.mode(),
            clock: self.clock.clone(),
            pacer: self.pacer.clone(),
            transport,
        })
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.account).finish()
    }
}

struct Wire {
    role: Role,
    mode: Mode,
    clock: Clock,
    pacer: Pacer,
    transport: Transport,
}

impl Wire {
    /// Paced, sent once, counted.
    async fn send_once(&self, endpoint: Endpoint, request: &Request<'_>) -> Result<Reply, Failure> {
        let permit = self.pacer.acquire(endpoint).await;
        let result = self.transport.send(request, permit.sent_at()).await;
        match &result {
            Ok(reply) => permit.answered(&reply.meta, None),
            Err(Failure::Transport(TransportError {
                sent: Sent::Never, ..
            })) => permit.never_left(),
            Err(failure) => {
                let code = failure.api().and_then(|e| e.code.as_deref());
                if let Some(meta) = failure.meta() {
                    permit.answered(meta, code);
                }
            }
        }
        result
    }
}

/// Reads of one account: GETs, and the one POST that makes nothing. Cheap to clone. Knows no write.
#[derive(Clone)]
pub struct Reader(Arc<Wire>);

/// A typed answer together with the answer itself: the value for deciding, the bytes for the snapshot.
#[derive(Clone, Debug)]
pub struct Fetched<T> {
    /// Parsed body.
    pub value: T,
    /// As it came.
    pub reply: Reply,
}

impl Reader {
    /// Which side of the migration this account is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// Live or test, by the key.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// The clock this reader waits by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The account's pacing, shared with its writer.
    #[must_use]
    pub fn pacer(&self) -> &Pacer {
        &self.0.pacer
    }

    /// One GET, repeated within the bounds of [`super::budget`] while the verdict allows; the body is JSON.
    pub async fn get(&self, path: &str, query: &Form) -> Result<Reply, Failure> {
        Ok(self.get_as::<IgnoredAny>(path, query).await?.reply)
    }

    /// One GET parsed into `T`. Broken JSON is repeated like a broken connection; JSON that lacks what `T` must have is
    /// [`Failure::Shape`].
    pub async fn get_as<T: DeserializeOwned>(&self, path: &str, query: &Form) -> Result<Fetched<T>, Failure> {
        let query = query.encode();
        self.read_as(&Request {
            method: Method::Get,
            path,
            query: &query,
            form: None,
        })
        .await
    }

    /// What a bill would be, by the one POST that makes nothing ([`PREVIEW`]): repeated like a GET, and without an
    /// idempotency key, because asking twice does nothing twice.
    pub async fn preview<T: DeserializeOwned>(&self, form: &Form) -> Result<Fetched<T>, Failure> {
        let form = form.encode();
        self.read_as(&Request {
            method: Method::Ask,
            path: PREVIEW,
            query: "",
            form: Some((&form, None)),
        })
        .await
    }

    async fn read_as<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<Fetched<T>, Failure> {
        let endpoint = check(self.0.role, request.method, request.path)?;
        let asked = request.form.map_or(request.query, |(form, _)| form);
        let mut budget = Budget::new(seed_of(request.path) ^ seed_of(asked));
        loop {
            let sent = self.0.send_once(endpoint, request).await;
            let failure = match sent.and_then(|reply| parse(request.path, reply)) {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => failure,
            };
            let Verdict::RetrySameKey { after_ms, class } = judge_failure(Kind::Read, &failure) else {
                return Err(failure);
            };
            match budget.next(class, after_ms, self.0.clock.now()) {
                Next::Wait { ms } => self.0.pacer.back_off(ms).await,
                Next::GiveUp(_) => return Err(failure),
            }
        }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.0.role)
    }
}

fn parse<T: DeserializeOwned>(path: &str, reply: Reply) -> Result<Fetched<T>, Failure> {
    match serde_json::from_slice(&reply.body) {
        Ok(value) => Ok(Fetched { value, reply }),
        Err(e) if e.is_data() => Err(Failure::Shape {
            path: path.to_owned(),
            detail: cut(&e.to_string(), 500),
            meta: Box::new(reply.meta),
        }),
        Err(e) => Err(not_json(&e, reply).into()),
    }
}

fn not_json(e: &serde_json::Error, reply: Reply) -> TransportError {
    TransportError {
        sent: Sent::Maybe,
        what: Broken::NotJson,
        detail: cut(&e.to_string(), 500),
        meta: Some(Box::new(reply.meta)),
    }
}

/// POSTs and DELETEs of one account. Not `Clone`: there is one, and who holds it is visible.
pub struct Writer(Wire);

impl Writer {
    /// Which side of the migration this account is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.0.role
    }

    /// Live or test, by the key.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.0.mode
    }

    /// The account's pacing, shared with its reader.
    #[must_use]
    pub const fn pacer(&self) -> &Pacer {
        &self.0.pacer
    }

    /// Whether the allow-list lets this path be written on this account; sends nothing.
    pub fn check(&self, method: write::Method, path: &str) -> Result<Endpoint, Failure> {
        Ok(check(self.0.role, method.into(), path)?)
    }

    /// Waits for its turn, then sends `body` exactly once and never repeats it: what follows from the result is
    /// [`super::retry::judge`]'s to say and the engine's to do, with the same bytes and the same key.
    ///
    /// `body` is an encoded [`Form`], byte for byte what the journal holds. An `Ok` is a 2xx whose body is JSON; the
    /// object in it is not attested yet. [`Failure::Version`] is a write that happened.
    pub async fn post_once(&self, path: &str, body: &str, idempotency_key: &str) -> Result<Reply, Failure> {
        self.once(Method::Post, path, "", Some((body, idempotency_key)))
            .await
    }

    /// The same for a DELETE, whose fields go into the query (facts 2.2). It has no key: Stripe looks at keys of POSTs
    /// only, because an object that is deleted once more is simply not there (docs: idempotent requests).
    pub async fn delete_once(&self, path: &str, fields: &str) -> Result<Reply, Failure> {
        self.once(Method::Delete, path, fields, None).await
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        query: &str,
        write: Option<(&str, &str)>,
    ) -> Result<Reply, Failure> {
        let role = self.0.role;
        let endpoint = check(role, method, path)?;
        let form = write.map_or(query, |(body, _)| body);
        check_form(role, endpoint, form).map_err(|misfit| Refused {
            role,
            method,
            path: format!("{path} {misfit}"),
        })?;
        let request = Request {
            method,
            path,
            query,
            form: write.map(|(body, key)| (body, Some(key))),
        };
        let reply = self.0.send_once(endpoint, &request).await?;
        match serde_json::from_slice::<IgnoredAny>(&reply.body) {
            Ok(_) => Ok(reply),
            Err(e) => Err(not_json(&e, reply).into()),
        }
    }

    /// Waits before the same write is repeated, visible as [`super::WaitReason::Backoff`].
    pub async fn back_off(&self, ms: i64) {
        self.0.pacer.back_off(ms).await;
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({})", self.0.role)
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
