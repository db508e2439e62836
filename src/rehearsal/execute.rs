//! The endpoint's turn: commit, remember, answer, and whatever goes wrong around it.

use serde_json::{Value, json};

use super::call::Call;
use super::core::{Core, Incoming, Work, fingerprint, lock};
use super::endpoints::{self, ENDPOINTS};
use super::errors::Refusal;
use super::faults::FaultKind;
use super::foreign;
use super::form;
use super::ids;
use super::reply::Reply;
use super::watch::Change;
use super::wire::WireAct;
use super::world::{By, Role};
use super::world_log::{Kept, Line};
use crate::domain::time::UtcMs;

/// A request to be carried out, now or when a world is restored.
pub(crate) struct Deed<'a> {
    pub(crate) endpoint: usize,
    pub(crate) args: Vec<String>,
    pub(crate) params: &'a form::Node,
    pub(crate) token: u64,
    pub(crate) request_id: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) by: By,
    pub(crate) at: UtcMs,
}

impl Core {
    /// Carries out an admitted request, gives its place back and answers.
    pub(crate) fn execute(&mut self, work: &Work) -> Reply {
        let now = self.shared.clock.now();
        let reply = self.answer(work, now);
        self.limits.leave();
        if let Some(name) = &work.locked {
            self.locks.remove(name);
        }
        self.record(&work.incoming, &reply, now);
        reply
    }

    fn answer(&mut self, work: &Work, now: UtcMs) -> Reply {
        match work.fault {
            Some(FaultKind::ResetBeforeCommit) => {
                self.forget_key(work);
                let mut reply = self.refuse(work, &Refusal::server(500));
                reply.wire = WireAct::Reset;
                reply
            }
            Some(FaultKind::BadGateway) => {
                self.forget_key(work);
                self.refuse(work, &Refusal::server(gateway_status(work.token)))
            }
            Some(FaultKind::ServerErrorBeforeCommit) => {
                let reply = self.refuse(work, &Refusal::server(500));
                self.keep(work, &reply, Kept::ServerErrorBefore, now);
                reply
            }
            _ => {
                let reply = self.commit(work, now);
                self.after(work, reply)
            }
        }
    }

    /// The endpoint itself, and what its key keeps.
    fn commit(&mut self, work: &Work, now: UtcMs) -> Reply {
        let deed = Deed {
            endpoint: work.endpoint,
            args: work.args.clone(),
            params: &work.params,
            token: work.token,
            request_id: &work.request_id,
            key: work.key.as_deref(),
            method: &work.incoming.method,
            path: &work.incoming.path,
            by: By::Api,
            at: now,
        };
        let outcome = self.carry_out(deed);
        if work.incoming.method == "GET" {
            return self.outcome_reply(work, outcome);
        }
        match outcome {
            Err(refused) => {
                let reply = self.refuse(work, &refused);
                if refused.stored && work.key.is_some() {
                    self.keep(work, &reply, Kept::Answer, now);
                } else {
                    self.forget_key(work);
                }
                reply
            }
            Ok(mut value) => {
                let mut kept = if work.key.is_some() {
                    Kept::Answer
                } else {
                    Kept::Nothing
                };
                if work.fault == Some(FaultKind::WrongAmount) {
                    lie(&mut value);
                    kept = Kept::WrongAmount;
                }
                let mut reply = self.outcome_reply(work, Ok(value));
                if work.fault == Some(FaultKind::ServerErrorAfterCommit) {
                    kept = Kept::ServerErrorAfter;
                    reply = self.refuse(work, &Refusal::server(500));
                }
                self.keep(work, &reply, kept, now);
                reply
            }
        }
    }

    fn outcome_reply(&self, work: &Work, outcome: Result<Value, Refusal>) -> Reply {
        match outcome {
            Ok(value) => Reply::success(&value, &work.request_id, &work.incoming),
            Err(refused) => self.refuse(work, &refused),
        }
    }

    /// What goes wrong on the way back.
    fn after(&self, work: &Work, mut reply: Reply) -> Reply {
        match work.fault {
            Some(FaultKind::BadGatewayAfterCommit) => {
                return self.refuse(work, &Refusal::server(gateway_status(work.token)));
            }
            Some(FaultKind::ServerErrorAfterCommit) if work.incoming.method == "GET" => {
                return self.refuse(work, &Refusal::server(500));
            }
            Some(FaultKind::ResetAfterCommit) => reply.wire = WireAct::Reset,
            Some(FaultKind::TruncatedBody) => reply.wire = WireAct::Cut,
            Some(FaultKind::SlowBody) => {
                reply.wire = WireAct::Slow(self.shared.behaviour.slow_body_ms);
            }
            _ => {}
        }
        reply
    }

    fn refuse(&self, work: &Work, refused: &Refusal) -> Reply {
        self.refusal(refused, &work.request_id, &work.incoming)
    }

    fn forget_key(&mut self, work: &Work) {
        if let Some(key) = &work.key {
            self.keys.finish(key, None);
        }
    }

    /// Stores the answer under the key and writes the world log's line, before the answer leaves.
    fn keep(&mut self, work: &Work, reply: &Reply, kept: Kept, now: UtcMs) {
        if let Some(key) = &work.key {
            self.keys.finish(key, Some(reply.to_store()));
        }
        self.write_line(&Line::Request {
            at: now,
            account: self.account.side,
            method: work.incoming.method.clone(),
            path: work.incoming.path.clone(),
            form: form_of(&work.incoming),
            token: work.token,
            key: work.key.clone(),
            kept,
            actor: None,
        });
    }

    fn write_line(&self, line: &Line) {
        let mut log = lock(&self.shared.log);
        if let Some(open) = log.as_mut()
            && open.append(line).is_err()
        {
            // A world that cannot be written down any more cannot be restored either: stop pretending.
            *log = None;
        }
    }

    /// Runs an endpoint and lets the watch see what it changed.
    pub(crate) fn carry_out(&mut self, deed: Deed<'_>) -> Result<Value, Refusal> {
        let mut call = Call::new(
            &mut self.account,
            deed.at.secs(),
            deed.token,
            deed.by,
            deed.request_id,
            deed.key,
            deed.params,
            deed.args,
            deed.path,
        );
        let outcome = (ENDPOINTS[deed.endpoint].run)(&mut call);
        let (touched, markers) = (call.touched, call.markers);
        if deed.method != "GET" && outcome.is_ok() {
            let what = format!("{} {}", deed.method, deed.path);
            let change = Change {
                side: self.account.side,
                by: deed.by,
                request_id: deed.request_id,
                what: &what,
                touched: &touched,
                markers: &markers,
            };
            lock(&self.shared.watch).changed(&self.account, &change);
        }
        outcome
    }

    /// Notes that a one-time fault happened.
    pub(crate) fn note_fault(&self, rule: usize) {
        self.write_line(&Line::Fault {
            account: self.account.side,
            rule,
        });
    }

    /// Lets foreign actors act whose moment has come.
    pub(crate) fn foreign_deeds(&mut self, incoming: &Incoming, now: UtcMs) {
        let since = now.since(self.shared.start);
        let mut due = Vec::new();
        for waiting in self.actors.iter_mut().filter(|w| !w.done) {
            if waiting.actor.counts(&incoming.method, &incoming.path, since) {
                waiting.met += 1;
                if waiting.met >= waiting.actor.nth.unwrap_or(1) {
                    waiting.done = true;
                    due.push((waiting.number, waiting.actor.clone()));
                }
            }
        }
        for (number, actor) in due {
            if let Some(customer) = self.foreign_target(&actor.customer, &incoming.path) {
                let (method, path, form) = actor.request(&customer);
                let token = ids::mix(&[b"foreign", &self.shared.seed.to_be_bytes(), path.as_bytes()]);
                let line = Line::Request {
                    at: now,
                    account: self.account.side,
                    method: method.to_owned(),
                    path,
                    form,
                    token,
                    key: None,
                    kept: Kept::Nothing,
                    actor: Some(number),
                };
                self.apply_line(&line);
                self.write_line(&line);
            }
        }
    }

    fn foreign_target(&self, customer: &str, path: &str) -> Option<String> {
        if customer == "same" {
            return path.split('/').find(|s| s.starts_with("cus_")).map(str::to_owned);
        }
        let (role, n) = foreign::which(customer)?;
        let role = if role == "mover" {
            Role::Mover
        } else {
            Role::Stayer
        };
        let rows = self.account.customers.rows().iter();
        let mut with_credit =
            rows.filter(|c| c.role == role && !c.deleted && c.sums().values().any(|s| *s < 0));
        with_credit.nth(n).map(|c| c.id.to_string())
    }

    /// Does again what a line of the world log says; also how a foreign actor's deed is done.
    pub(crate) fn apply_line(&mut self, line: &Line) {
        match line {
            Line::Request { .. } => self.apply_request(line),
            Line::Fault { rule, .. } => self.faults.already(*rule),
            Line::PanCopy { .. } => {}
        }
    }

    fn apply_request(&mut self, line: &Line) {
        let Line::Request {
            at,
            method,
            path,
            form,
            token,
            key,
            kept,
            actor,
            ..
        } = line
        else {
            return;
        };
        let (Some((endpoint, args)), Ok(params)) = (endpoints::find(method, path), form::parse(form)) else {
            return;
        };
        let request_id = ids::request(*token);
        let incoming = Incoming {
            method: method.clone(),
            path: path.clone(),
            key: key.clone(),
            ..Incoming::default()
        };
        if let Some(key) = key {
            self.keys.begin(key, fingerprint(&incoming, &params), *at);
        }
        let deed = Deed {
            endpoint,
            args,
            params: &params,
            token: *token,
            request_id: &request_id,
            key: key.as_deref(),
            method,
            path,
            by: if actor.is_some() { By::Foreign } else { By::Api },
            at: *at,
        };
        let answer = match kept {
            Kept::ServerErrorBefore => Err(Refusal::server(500)),
            _ => self.carry_out(deed),
        };
        let answer = match (kept, answer) {
            (Kept::ServerErrorAfter, _) => Err(Refusal::server(500)),
            (Kept::WrongAmount, Ok(mut value)) => {
                lie(&mut value);
                Ok(value)
            }
            (_, answer) => answer,
        };
        if let Some(number) = actor {
            for waiting in self.actors.iter_mut().filter(|w| w.number == *number) {
                waiting.done = true;
            }
        }
        if let Some(key) = key {
            let reply = match answer {
                Ok(value) => Reply::success(&value, &request_id, &incoming),
                Err(refused) => self.refusal(&refused, &request_id, &incoming),
            };
            self.keys.finish(key, Some(reply.to_store()));
        }
    }
}

/// 502, 503 or 504.
fn gateway_status(token: u64) -> u16 {
    502 + u16::try_from(token % 3).unwrap_or(0)
}

/// Names another amount than was written.
fn lie(value: &mut Value) {
    if let Some(amount) = value.get("amount").and_then(Value::as_i64) {
        value["amount"] = json!(amount.saturating_add(1));
    }
}

/// Query and body as one form, as they were read.
fn form_of(incoming: &Incoming) -> String {
    let body = String::from_utf8_lossy(&incoming.body);
    match incoming.query.as_str() {
        "" => body.into_owned(),
        query => format!("{query}&{body}"),
    }
}
