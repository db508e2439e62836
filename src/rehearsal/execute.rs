//! The endpoint's turn: commit, remember, answer, and whatever goes wrong around it.

use serde_json::Value;

use super::billing;
use super::call::{Call, Pooled};
use super::endpoints::ENDPOINTS;
use super::errors::Refusal;
use super::faults::FaultKind;
use super::form;
use super::mischief::{Lie, distort};
use super::pipeline::{Core, Work, lock};
use super::reply::Reply;
use super::watch::Change;
use super::watch_subscriptions::Write;
use super::wire::WireAct;
use super::world::{Account, By};
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
        self.record(&work.incoming, &reply, work.id.at);
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
            Some(FaultKind::Redirect) => {
                self.forget_key(work);
                let mut reply = self.refuse(work, &Refusal::server(503));
                distort(FaultKind::Redirect, &mut reply);
                reply
            }
            Some(FaultKind::BadGateway) => {
                self.forget_key(work);
                self.refuse(work, &Refusal::server(gateway_status(work.id.token)))
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
            token: work.id.token,
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
                if let Some(lie) = Lie::of(work.fault) {
                    lie.tell(&mut value);
                    kept = Kept::Lie(lie);
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
                return self.refuse(work, &Refusal::server(gateway_status(work.id.token)));
            }
            Some(FaultKind::ServerErrorAfterCommit) if work.incoming.method == "GET" => {
                return self.refuse(work, &Refusal::server(500));
            }
            Some(FaultKind::ResetAfterCommit) => reply.wire = WireAct::Reset,
            Some(FaultKind::TruncatedBody) => reply.wire = WireAct::Cut,
            Some(FaultKind::SlowBody) => {
                reply.wire = WireAct::Slow(self.shared.behaviour.slow_body_ms);
            }
            Some(fault) if reply.status == 200 => distort(fault, &mut reply),
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
            form: work.incoming.form(),
            token: work.id.token,
            nth: work.id.nth,
            key: work.key.clone(),
            kept,
            actor: None,
        });
    }

    pub(crate) fn write_line(&self, line: &Line) {
        let mut log = lock(&self.shared.log);
        if let Some(open) = log.as_mut()
            && open.append(line).is_err()
        {
            // A world that cannot be written down any more cannot be restored either: stop pretending.
            *log = None;
        }
    }

    /// Lets the account's time pass up to an instant, in seconds, and the watch see which coupons that redeemed.
    pub(crate) fn pass_time(&mut self, until: i64) {
        let before = self.account.pools.discounts().rows().len();
        self.play(until);
        let pooled = redeemed_since(&self.account, before);
        if pooled.is_empty() {
            return;
        }
        let change = Change {
            side: self.account.side,
            by: By::Api,
            request_id: "",
            what: "a schedule's phase",
            touched: &[],
            markers: &[],
            catalogued: &[],
            pooled: &pooled,
        };
        lock(&self.shared.watch).changed(&self.account, &change);
    }

    /// Runs an endpoint and lets the watch see what it changed.
    pub(crate) fn carry_out(&mut self, deed: Deed<'_>) -> Result<Value, Refusal> {
        self.pass_time(deed.at.secs());
        let before = self.account.pools.discounts().rows().len();
        self.account.billing.cause = cause(&deed);
        let write = Write {
            by: deed.by,
            method: deed.method,
            path: deed.path,
            request_id: deed.request_id,
        };
        lock(&self.shared.watch)
            .subscriptions
            .before(&self.account, write);
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
        let (catalogued, mut pooled) = (call.catalogued, call.pooled);
        pooled.extend(redeemed_since(&self.account, before));
        self.account.billing.cause = None;
        if deed.method != "GET" && outcome.is_ok() {
            let what = format!("{} {}", deed.method, deed.path);
            let change = Change {
                side: self.account.side,
                by: deed.by,
                request_id: deed.request_id,
                what: &what,
                touched: &touched,
                markers: &markers,
                catalogued: &catalogued,
                pooled: &pooled,
            };
            let mut watch = lock(&self.shared.watch);
            watch.changed(&self.account, &change);
            watch.subscriptions.after(&self.account, write);
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
}

/// What events of a change name: nothing of what is done by hand.
fn cause(deed: &Deed<'_>) -> Option<billing::Cause> {
    (deed.method != "GET" && deed.by == By::Api).then(|| billing::Cause {
        request: deed.request_id.into(),
        key: deed.key.map(Into::into),
    })
}

/// Discounts that were made since there were so many.
fn redeemed_since(account: &Account, before: usize) -> Vec<Pooled> {
    let after = account.pools.discounts().rows().len();
    let slots = (before..after).filter_map(|slot| u32::try_from(slot).ok());
    slots.map(Pooled::Redeemed).collect()
}

/// 502, 503 or 504.
fn gateway_status(token: u64) -> u16 {
    502 + u16::try_from(token % 3).unwrap_or(0)
}
