//! Requests that nobody sends over HTTP: deeds of foreign actors, and a restored world's past.

use super::endpoints;
use super::errors::Refusal;
use super::execute::Deed;
use super::faults::FaultKind;
use super::foreign::{self, Actor};
use super::form;
use super::ids;
use super::pipeline::{Core, Incoming, fingerprint};
use super::reply::Reply;
use super::world::{By, Customer, Role};
use super::world_log::{Kept, Line};
use crate::domain::time::UtcMs;

impl Core {
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
            if actor.deed == foreign::Deed::Redeem {
                self.foreign_redemption(number, &actor, &incoming.path, now);
            } else if let Some(about) = self.foreign_about(&actor, &incoming.path) {
                let (method, path, form) = actor.request(&about);
                let seed = self.shared.seed.to_be_bytes();
                let token = ids::mix(&[b"foreign", &seed, path.as_bytes(), &number.to_be_bytes()]);
                let line = Line::Request {
                    at: now,
                    account: self.account.side,
                    method: method.to_owned(),
                    path,
                    form,
                    token,
                    nth: 0,
                    key: None,
                    kept: Kept::Nothing,
                    actor: Some(number),
                };
                self.apply_line(&line);
                self.write_line(&line);
            }
        }
    }

    /// The id of what the deed is about.
    fn foreign_about(&self, actor: &Actor, path: &str) -> Option<String> {
        match actor.deed {
            foreign::Deed::CreateCoupon => actor.coupon.clone(),
            foreign::Deed::CreateCode | foreign::Deed::DeleteCoupon => {
                self.foreign_coupon(actor.coupon.as_deref()?, path)
            }
            foreign::Deed::CloseCode => self.foreign_code(actor.code.as_deref()?, path),
            deed if deed.is_about_subscriptions() => self.foreign_subscription(actor, path),
            _ => self.foreign_target(actor, path),
        }
    }

    fn subscribes(&self, customer: &Customer) -> bool {
        let slot = self.account.customers.slot(&customer.id);
        slot.is_some_and(|slot| !self.account.billing.live_of(slot, &customer.id).is_empty())
    }

    fn foreign_subscription(&self, actor: &Actor, path: &str) -> Option<String> {
        match actor.subscription.as_deref() {
            Some("same") => path.split('/').find(|s| s.starts_with("sub_")).map(str::to_owned),
            Some(id) => Some(id.to_owned()),
            None => {
                let id = self.foreign_target(actor, path)?;
                let customer = self.account.customers.slot(&id)?;
                let live = self.account.billing.live_of(customer, &id);
                let first = self.account.billing.subscriptions.at(*live.first()?)?;
                Some(first.id.to_string())
            }
        }
    }

    pub(crate) fn foreign_target(&self, actor: &Actor, path: &str) -> Option<String> {
        let customer = actor.customer.as_str();
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
        let with_credit = |c: &&Customer| c.sums().values().any(|sum| *sum < 0);
        let fits = |c: &&Customer| match actor.deed {
            deed if deed.is_about_pools() => true,
            deed if deed.is_about_subscriptions() => self.subscribes(c),
            _ => with_credit(c),
        };
        let mut fitting = rows.filter(|c| c.role == role && !c.deleted).filter(|c| fits(c));
        fitting.nth(n).map(|c| c.id.to_string())
    }

    /// Does again what a line of the world log says; also how a foreign actor's deed is done.
    pub(crate) fn apply_line(&mut self, line: &Line) {
        match line {
            Line::Request { .. } => self.apply_request(line),
            Line::Fault { rule, .. } => {
                let kind = self.faults.already(*rule);
                self.secrets.revoked |= kind == Some(FaultKind::RevokeKey);
                self.secrets.narrowed |= kind == Some(FaultKind::NarrowKey);
            }
            Line::Redeem {
                at, redeemed, actor, ..
            } => {
                self.finish_actor(*actor);
                // What is written down did not fail.
                let _ = self.carry_out_redemption(redeemed, *at);
            }
            Line::Toolkit { at, deed, .. } => self.again_at_desk(deed, *at),
            Line::NewKeys { .. } => self.secrets.renew(),
            Line::PanCopy { .. } => {}
        }
    }

    fn finish_actor(&mut self, actor: Option<usize>) {
        for waiting in self.actors.iter_mut().filter(|w| Some(w.number) == actor) {
            waiting.done = true;
        }
    }

    fn apply_request(&mut self, line: &Line) {
        let Line::Request {
            at,
            method,
            path,
            form,
            token,
            nth,
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
        if actor.is_none() {
            let print = self.print(method, path, key.as_deref(), form);
            let seen = self.seen.entry(print).or_default();
            *seen = (*nth).max(*seen);
        }
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
            (Kept::Lie(told), Ok(mut value)) => {
                told.tell(&mut value);
                Ok(value)
            }
            (_, answer) => answer,
        };
        self.finish_actor(*actor);
        if let Some(key) = key {
            let reply = match answer {
                Ok(value) => Reply::success(&value, &request_id, &incoming),
                Err(refused) => self.refusal(&refused, &request_id, &incoming),
            };
            self.keys.finish(key, Some(reply.to_store()));
        }
    }
}
