//! One account's state machine: a request is admitted or refused, worked on, and released. Synchronous and under one
//! lock; whatever waits (latency, stalls) waits between [`Core::admit`] and [`Core::execute`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::auth::{Secrets, check_headers};
use super::endpoints::{self, ENDPOINTS};
use super::errors::Refusal;
use super::faults::{FaultKind, Faults};
use super::foreign::Actor;
use super::form::{self, Node};
use super::idempotency::{Begin, Keys};
use super::ids;
use super::limits::Limits;
use super::params;
use super::reply::Reply;
use super::requests::{Logged, RequestLog};
use super::scenario::Behaviour;
use super::toolkit::Dashboard;
use super::watch::Watch;
use super::world::Account;
use super::world_log::WorldLog;
use crate::clock::Clock;
use crate::domain::time::UtcMs;

/// What both accounts share.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) start: UtcMs,
    pub(crate) latency_ms: i64,
    pub(crate) behaviour: Behaviour,
    pub(crate) watch: Mutex<Watch>,
    pub(crate) log: Mutex<Option<WorldLog>>,
}

/// A poisoned lock still guards plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which request it is.
#[derive(Clone, Copy)]
pub(crate) struct Id {
    /// The how manieth of its kind, from 1.
    pub(crate) nth: u32,
    /// What its ids and faults derive from.
    pub(crate) token: u64,
    /// When it arrived.
    pub(crate) at: UtcMs,
}

/// A request as it came. Not `Debug`: it carries a key.
#[derive(Clone, Default)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Vec<u8>,
    pub(crate) authorization: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) version: Option<String>,
}

/// A request that was admitted and holds its place until [`Core::execute`].
pub(crate) struct Work {
    pub(crate) incoming: Incoming,
    pub(crate) endpoint: usize,
    pub(crate) args: Vec<String>,
    pub(crate) params: Node,
    pub(crate) id: Id,
    pub(crate) request_id: String,
    /// The idempotency key, when the method heeds it.
    pub(crate) key: Option<String>,
    /// The object that is locked.
    pub(crate) locked: Option<Box<str>>,
    pub(crate) fault: Option<FaultKind>,
}

/// What becomes of a request on arrival.
pub(crate) enum Step {
    /// Answered at once.
    Done(Reply),
    /// To be worked on.
    Work(Box<Work>),
}

/// A foreign actor and how far along it is.
pub(crate) struct Waiting {
    pub(crate) number: usize,
    pub(crate) actor: Actor,
    pub(crate) met: u32,
    pub(crate) done: bool,
}

/// One account with everything around it.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) account: Account,
    pub(crate) dashboard: Dashboard,
    pub(crate) secrets: Secrets,
    pub(crate) limits: Limits,
    pub(crate) keys: Keys,
    pub(crate) locks: HashSet<Box<str>>,
    pub(crate) faults: Faults,
    pub(crate) actors: Vec<Waiting>,
    pub(crate) log: RequestLog,
    /// How often each request was made: the n-th of a kind has its own faults and ids.
    pub(crate) seen: HashMap<u64, u32>,
}

enum Passed {
    Work(Box<Work>),
    Replay(Reply),
}

impl Core {
    /// Takes a request through everything that stands before its endpoint.
    pub(crate) fn admit(&mut self, incoming: &Incoming) -> Step {
        let now = self.shared.clock.now();
        self.log.arrived(&incoming.method, now);
        let print = self.print(
            &incoming.method,
            &incoming.path,
            incoming.key.as_deref(),
            &incoming.form(),
        );
        let nth = self.seen.get(&print).map_or(1, |seen| seen + 1);
        self.seen.insert(print, nth);
        let id = Id {
            nth,
            token: ids::mix(&[&print.to_be_bytes(), &nth.to_be_bytes()]),
            at: now,
        };
        let request_id = ids::request(id.token);
        self.pass_time(now.secs());
        self.foreign_deeds(incoming, now);
        self.others_redeem(id.token, now);
        match self.gate(incoming, id, &request_id) {
            Ok(Passed::Work(work)) => Step::Work(work),
            Ok(Passed::Replay(reply)) => {
                self.record(incoming, &reply, now);
                Step::Done(reply)
            }
            Err(refused) => {
                let reply = self.refusal(&refused, &request_id, incoming);
                self.record(incoming, &reply, now);
                Step::Done(reply)
            }
        }
    }

    /// What makes two requests the same; a key stands for the parameters.
    pub(crate) fn print(&self, method: &str, path: &str, key: Option<&str>, form: &str) -> u64 {
        let seed = self.shared.seed.to_be_bytes();
        let side = self.account.side.name().as_bytes();
        let (kind, what) = key.map_or((b"form", form), |key| (b"keys", key));
        ids::mix(&[
            &seed,
            side,
            method.as_bytes(),
            path.as_bytes(),
            kind,
            what.as_bytes(),
        ])
    }

    fn gate(&mut self, incoming: &Incoming, id: Id, request_id: &str) -> Result<Passed, Refusal> {
        let now = id.at;
        let decided = self
            .faults
            .decide(&incoming.method, &incoming.path, id.token, now);
        if let Some((_, Some(rule))) = decided {
            self.note_fault(rule);
        }
        let fault = decided.map(|(kind, _)| kind);
        self.secrets.revoked |= fault == Some(FaultKind::RevokeKey);
        self.secrets.narrowed |= fault == Some(FaultKind::NarrowKey);
        let restricted = self.authenticate(incoming.authorization.as_deref())?;
        let found = endpoints::find(&incoming.method, &incoming.path);
        let (endpoint, args) = found.ok_or_else(|| Refusal::unknown_url(&incoming.method, &incoming.path))?;
        if let Some(key) = restricted {
            self.permit(endpoint, &key)?;
        }
        if fault == Some(FaultKind::RateLimited) {
            return Err(Refusal::rate_limited("global-rate"));
        }
        self.limits.enter(endpoint, now).map_err(Refusal::rate_limited)?;
        let passed = self.pass(incoming, endpoint, args, (id, request_id, fault));
        if !matches!(passed, Ok(Passed::Work(_))) {
            self.limits.leave();
        }
        passed
    }

    /// From behind the limiters to the endpoint's door.
    fn pass(
        &mut self,
        incoming: &Incoming,
        endpoint: usize,
        args: Vec<String>,
        (id, request_id, fault): (Id, &str, Option<FaultKind>),
    ) -> Result<Passed, Refusal> {
        check_headers(incoming)?;
        if self.account.livemode && incoming.path.starts_with("/v1/test_helpers/") {
            let message = "This endpoint is only available in testmode. Try using your test keys instead.";
            return Err(Refusal::invalid("livemode", message.to_owned()));
        }
        let params = parse(incoming)?;
        params::check(ENDPOINTS[endpoint].schema, &params)?;
        let writes = incoming.method != "GET";
        match fault {
            Some(FaultKind::LockTimeout) if writes => return Err(Refusal::lock_timeout()),
            Some(FaultKind::KeyInUse) if incoming.key.is_some() => return Err(Refusal::key_in_use()),
            _ => {}
        }
        let key = incoming.key.clone().filter(|_| incoming.method == "POST");
        if let Some(key) = &key {
            match self.keys.begin(key, fingerprint(incoming, &params), id.at) {
                Begin::Fresh => {}
                Begin::Differs => return Err(Refusal::key_differs(key)),
                Begin::InUse => return Err(Refusal::key_in_use()),
                Begin::Replay(stored) => {
                    let reply = Reply::replayed(&stored, request_id, incoming);
                    return Ok(Passed::Replay(reply));
                }
            }
        }
        let locked = writes.then(|| lock_name(&args, &params)).flatten();
        if let Some(name) = &locked
            && !self.locks.insert(name.clone())
        {
            if let Some(key) = &key {
                self.keys.finish(key, None);
            }
            return Err(Refusal::lock_timeout());
        }
        Ok(Passed::Work(Box::new(Work {
            incoming: incoming.clone(),
            endpoint,
            args,
            params,
            id,
            request_id: request_id.to_owned(),
            key,
            locked,
            fault,
        })))
    }

    /// An error answer.
    pub(crate) fn refusal(&self, refused: &Refusal, request_id: &str, incoming: &Incoming) -> Reply {
        Reply::refused(
            refused,
            request_id,
            incoming,
            &self.account.id,
            self.account.livemode,
        )
    }

    /// Puts an answered request into the log.
    pub(crate) fn record(&mut self, incoming: &Incoming, reply: &Reply, at: UtcMs) {
        self.log.answered(Logged {
            account: self.account.side,
            method: incoming.method.clone(),
            path: incoming.path.clone(),
            query: incoming.query.clone(),
            status: reply.seen_status(),
            request_id: reply.request_id.clone(),
            idempotency_key: incoming.key.clone(),
            version: incoming.version.clone(),
            replayed: reply.replayed,
            at,
            body_sha256: sha256(&incoming.body),
        });
    }
}

impl Incoming {
    /// Query for GET; query and body for the others.
    pub(crate) fn form(&self) -> String {
        let body = std::str::from_utf8(&self.body).unwrap_or("%");
        match (self.method.as_str(), self.query.as_str()) {
            ("GET", query) => query.to_owned(),
            (_, "") => body.to_owned(),
            (_, query) => format!("{query}&{body}"),
        }
    }
}

fn parse(incoming: &Incoming) -> Result<Node, Refusal> {
    form::parse(&incoming.form()).map_err(|message| Refusal::invalid("body", message))
}

/// What a key is bound to: method, path and parameters, in whatever order they came.
pub(crate) fn fingerprint(incoming: &Incoming, params: &Node) -> u64 {
    let canonical = params.canonical();
    ids::mix(&[
        incoming.method.as_bytes(),
        incoming.path.as_bytes(),
        canonical.as_bytes(),
    ])
}

/// The customer a write is about, or else the object in its path.
fn lock_name(args: &[String], params: &Node) -> Option<Box<str>> {
    let named = params.get("customer").and_then(Node::text);
    args.first().map(String::as_str).or(named).map(Into::into)
}

fn sha256(body: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(body)
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_hashes_are_the_well_known_ones() {
        assert!(sha256(b"").starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
    }
}
