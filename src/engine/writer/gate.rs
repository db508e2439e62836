//! The checks before a byte leaves, and what an answer means (reliability 4.3, 4.4).

use bytes::Bytes;

use super::{Shared, lock};
use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::record::{Attested, Ended, Intent};
use crate::domain::text::safe;
use crate::domain::write::{CAP, Method, PlannedWrite, When, idempotency_key, is_place, marker};
use crate::engine::protocol::Answer;
use crate::stages::{Fact, Look};
use crate::stripe::error::Failure;
use crate::stripe::form::Form;
use crate::stripe::page::Listed;
use crate::stripe::reply::{Meta, Reply};
use crate::stripe::retry::{Class, Kind, Verdict, judge};

/// Any object of a list, kept as it came.
#[derive(Clone, serde::Deserialize)]
#[serde(from = "Box<serde_json::value::RawValue>")]
struct Raw {
    id: String,
    created: i64,
    json: Bytes,
}

#[derive(serde::Deserialize)]
struct Head {
    id: String,
    created: i64,
}

impl From<Box<serde_json::value::RawValue>> for Raw {
    fn from(raw: Box<serde_json::value::RawValue>) -> Self {
        let json = Bytes::copy_from_slice(raw.get().as_bytes());
        match serde_json::from_slice::<Head>(&json) {
            Ok(head) => Self {
                id: head.id,
                created: head.created,
                json,
            },
            // Without an id it cannot serve as a cursor; the page reader notices, and the script sees the object.
            Err(_) => Self {
                id: String::new(),
                created: 0,
                json,
            },
        }
    }
}

impl Listed for Raw {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

/// Why a look has no result.
pub(super) enum LookFailed {
    /// Stop everything.
    Halt(String),
    /// Later, perhaps.
    Now(String),
}

impl Shared {
    /// Reads what `look` asks for. `None` items: the object does not exist.
    pub(super) async fn look(&self, look: &Look) -> Result<Fact, LookFailed> {
        let reader = self.gate.readers.get(&look.role);
        let reader = reader.ok_or_else(|| {
            LookFailed::Halt(format!("there is no connection to the {} account", look.role))
        })?;
        let query = look
            .query
            .iter()
            .fold(Form::new(), |form, (name, value)| form.with(name, value));
        let items = if look.list {
            let pages = reader.list::<Raw>(&look.path, &query).collect_pages().await;
            pages.map(|pages| {
                if let Some(page) = pages.last() {
                    self.learn(look.role, &page.reply.meta);
                }
                pages
                    .into_iter()
                    .flat_map(|page| page.items)
                    .map(|raw| raw.json)
                    .collect()
            })
        } else {
            reader.get(&look.path, &query).await.map(|reply| {
                self.learn(look.role, &reply.meta);
                vec![reply.body]
            })
        };
        let saw = |items| Fact::Saw {
            label: look.label,
            items,
            at: self.gate.clock.now(),
        };
        match items {
            Ok(items) => Ok(saw(Some(items))),
            Err(failure) => match judge(Kind::Read, &Err(failure.clone())) {
                Verdict::NotFound => Ok(saw(None)),
                Verdict::HaltAuth | Verdict::HaltRedirect => {
                    Err(LookFailed::Halt(self.in_words(look.role, &failure)))
                }
                _ => Err(LookFailed::Now(self.in_words(look.role, &failure))),
            },
        }
    }

    fn learn(&self, role: Role, meta: &Meta) {
        if let Some(server) = self.gate.server.get(&role) {
            server.learn(meta);
        }
    }

    fn in_words(&self, role: Role, failure: &Failure) -> String {
        let request = failure
            .request_id()
            .map(|id| format!(" ({id})"))
            .unwrap_or_default();
        let account = self.gate.approved.plan().header().accounts.of(role);
        safe(&format!("{role} account {account}: {failure}{request}"))
            .as_str()
            .to_owned()
    }

    /// Whether `write` may be sent now, beyond what the type [`crate::domain::approval::Approved`] says: the approval is
    /// still good, the write is one of the plan's or a smaller one, and the approved count is not exceeded.
    pub(super) fn may_send(
        &self,
        write: &PlannedWrite,
        change: &Change,
        is_first: bool,
    ) -> Result<(), String> {
        let gate = &self.gate;
        gate.approved
            .still_good(gate.clock.now())
            .map_err(|refusal| refusal.to_string())?;
        let planned = change
            .writes_now()
            .iter()
            .find(|planned| planned.effect == write.effect);
        let Some(planned) = planned else {
            return Err(format!("{} is not a write of the approved plan", write.effect));
        };
        let same = planned.op == write.op && planned.role == write.role && planned.path == write.path;
        let same = same && planned.method == write.method && form_fits(planned, write);
        let smaller = match (planned.money, write.money) {
            (Some(most), Some(now)) => {
                now.currency == most.currency
                    && now.amount.signum() == most.amount.signum()
                    && now.amount.unsigned_abs() <= most.amount.unsigned_abs()
            }
            (most, now) => most == now,
        };
        if !same || !smaller {
            return Err(format!(
                "{} would go beyond what was approved for {}",
                write.op, change.key
            ));
        }
        // A further generation stands for the same effect, which was counted with its first.
        if is_first { self.grant_one(write) } else { Ok(()) }
    }

    fn grant_one(&self, write: &PlannedWrite) -> Result<(), String> {
        if write.when == When::IfRaced {
            return Ok(());
        }
        let most = self.gate.approved.plan().totals().writes(write.role);
        let mut granted = lock(&self.granted);
        let granted = granted.entry(write.role).or_default();
        if *granted >= most {
            return Err(format!(
                "{most} writes were approved on the {} account, and all have been sent",
                write.role
            ));
        }
        *granted += 1;
        Ok(())
    }

    /// The intent of `write`: body and key are fixed here and never rendered again.
    pub(super) fn intent(&self, write: &PlannedWrite, change: &Change, generation: u32) -> Intent {
        let gate = &self.gate;
        let plan = gate.approved.plan().digest();
        let form = write.form.iter().filter(|(name, _)| !is_marker(name));
        let form = form.fold(Form::new(), |form, (name, value)| form.with(name, value));
        // A DELETE leaves nothing to put markers on.
        let form = if write.marked && write.method == Method::Post {
            form.metadata(marker::EFFECT, &write.effect)
                .metadata(marker::RUN, &gate.run)
                .metadata(marker::PLAN, plan.prefix12())
        } else {
            form
        };
        let now = gate.clock.now();
        Intent {
            stage: gate.stage.id(),
            row: change.key.clone(),
            op: write.op.clone(),
            effect: write.effect.clone(),
            generation,
            role: write.role,
            method: write.method,
            path: write.path.clone(),
            body: form.encode(),
            key: idempotency_key(&plan, &write.effect, generation),
            plan,
            money: write.money,
            server_at: gate.server.get(&write.role).map_or(now, |server| server.at(now)),
            fence: gate.fence.clone(),
        }
    }

    /// Sends the intent's bytes once and says what came of it.
    pub(super) async fn send(&self, intent: &Intent, write: &PlannedWrite) -> Answer {
        let Some(writer) = self.gate.writers.get(&intent.role) else {
            return Answer::Halt(format!(
                "there is no write connection to the {} account",
                intent.role
            ));
        };
        let sent = match intent.method {
            Method::Post => writer.post_once(&intent.path, &intent.body, &intent.key).await,
            Method::Delete => writer.delete_once(&intent.path, &intent.body).await,
        };
        if let Some(meta) = sent
            .as_ref()
            .map_or_else(Failure::meta, |reply| Some(&reply.meta))
        {
            self.learn(intent.role, meta);
        }
        match judge(Kind::Write, &sent) {
            Verdict::RetrySameKey {
                after_ms,
                class: Class::RateLimited | Class::LockTimeout,
            } => Answer::Limited {
                retry_after_ms: after_ms,
            },
            Verdict::RetrySameKey { after_ms, .. } => Answer::Ambiguous {
                why: self.words_of(intent.role, &sent),
                retry_after_ms: after_ms,
            },
            Verdict::Indeterminate500 => Answer::Stored500 {
                request_id: sent
                    .as_ref()
                    .err()
                    .and_then(Failure::request_id)
                    .unwrap_or_default()
                    .to_owned(),
            },
            verdict => self.settled(verdict, sent, intent.role, write),
        }
    }

    fn words_of(&self, role: Role, sent: &Result<Reply, Failure>) -> String {
        sent.as_ref()
            .err()
            .map(|failure| self.in_words(role, failure))
            .unwrap_or_default()
    }

    fn settled(
        &self,
        verdict: Verdict,
        sent: Result<Reply, Failure>,
        role: Role,
        write: &PlannedWrite,
    ) -> Answer {
        let failure = match sent {
            Ok(reply) => return self.attested(&reply, write),
            Err(failure) => failure,
        };
        let is_refusal = matches!(
            verdict,
            Verdict::Rejected | Verdict::NotFound | Verdict::AlreadyExists
        );
        match failure.api().filter(|_| is_refusal) {
            Some(api) => Answer::Refused(Ended::Rejected {
                status: api.meta.status,
                code: safe(api.code.as_deref().or(api.kind.as_deref()).unwrap_or("refused"))
                    .as_str()
                    .to_owned(),
                message: safe(&api.message).as_str().to_owned(),
                request_id: api.meta.request_id.clone().unwrap_or_default(),
            }),
            None => Answer::Halt(self.in_words(role, &failure)),
        }
    }

    fn attested(&self, reply: &Reply, write: &PlannedWrite) -> Answer {
        let livemode = self.gate.approved.plan().header().accounts.environment.livemode();
        match self.gate.stage.attest(write, &reply.body, livemode) {
            Ok(attested) => Answer::Done(Attested {
                request_id: reply
                    .meta
                    .original_request
                    .clone()
                    .or(reply.meta.request_id.clone())
                    .unwrap_or_default(),
                replayed: reply.meta.replayed,
                ..attested
            }),
            Err(why) => Answer::Halt(format!(
                "Stripe answered 200 to {} with something else than was sent: {} ({})",
                write.op,
                safe(&why),
                reply.meta.request_id.as_deref().unwrap_or("no request id")
            )),
        }
    }

    /// Finds `write` among what a look saw: by its marker or what it set, then attested like an answer.
    pub(super) fn find(&self, write: &PlannedWrite, items: &[Bytes]) -> Result<Option<Attested>, String> {
        let livemode = self.gate.approved.plan().header().accounts.environment.livemode();
        for item in items {
            if !self.gate.stage.is_effect(write, item) {
                continue;
            }
            let attested = self.gate.stage.attest(write, item, livemode)?;
            return Ok(Some(Attested {
                found: true,
                ..attested
            }));
        }
        Ok(None)
    }
}

/// Field by field what was approved, but for an amount, which [`Shared::may_send`] bounds, for a cap, which may be sent
/// smaller, and for a place kept free for an id that did not exist yet. A write taken up from its intent carries our
/// markers besides.
fn form_fits(planned: &PlannedWrite, write: &PlannedWrite) -> bool {
    let mut sent = write.form.iter().filter(|(name, _)| !is_marker(name));
    let fits = planned
        .form
        .iter()
        .filter(|(name, _)| !is_marker(name))
        .all(|(name, value)| {
            sent.next().is_some_and(|(sent_name, sent_value)| {
                let free = is_place(value)
                    || (name == "amount" && planned.money.is_some())
                    || (name == CAP && smaller_cap(value, sent_value));
                sent_name == name && !is_place(sent_value) && (sent_value == value || free)
            })
        });
    fits && sent.next().is_none()
}

fn smaller_cap(planned: &str, sent: &str) -> bool {
    match (planned.parse::<u64>(), sent.parse::<u64>()) {
        (Ok(most), Ok(now)) => 0 < now && now <= most,
        _ => false,
    }
}

fn is_marker(name: &str) -> bool {
    [marker::EFFECT, marker::RUN, marker::PLAN]
        .iter()
        .any(|marker| name == format!("metadata[{marker}]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EffectId;
    use crate::domain::money::{Currency, Money};
    use crate::domain::write::place_of;

    fn write(form: &[(&str, &str)], moves: bool) -> PlannedWrite {
        let form = form
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        PlannedWrite {
            op: "op".into(),
            role: Role::Destination,
            effect: EffectId("e".into()),
            method: Method::Post,
            path: "/v1/products/p".into(),
            form: form.collect(),
            money: moves.then(|| Money::new(5, Currency::parse("usd").unwrap())),
            when: When::Always,
            irreversible: false,
            marked: true,
        }
    }

    #[test]
    fn a_cap_may_be_sent_smaller_never_larger_never_nothing() {
        let fits = |planned: &str, sent: &str| {
            form_fits(
                &write(&[("max_redemptions", planned)], false),
                &write(&[("max_redemptions", sent)], false),
            )
        };
        assert!(fits("5", "5") && fits("5", "1"));
        for (planned, sent) in [("5", "6"), ("5", "0"), ("5", ""), ("5", "-1"), ("{number}", "1")] {
            assert!(!fits(planned, sent), "{planned} {sent}");
        }
        let none = write(&[], false);
        assert!(
            !form_fits(&write(&[("max_redemptions", "5")], false), &none),
            "no cap at all"
        );
    }

    #[test]
    fn only_an_amount_and_a_place_kept_free_may_differ_from_what_was_approved() {
        let place = place_of("price_1");
        let fits = |planned: &[(&str, &str)], sent: &[(&str, &str)], moves| {
            form_fits(&write(planned, moves), &write(sent, moves))
        };
        assert!(fits(&[("name", "A")], &[("name", "A")], false));
        assert!(fits(
            &[("default_price", &place)],
            &[("default_price", "price_9")],
            false
        ));
        assert!(fits(&[("amount", "-5")], &[("amount", "-3")], true));
        assert!(fits(
            &[("name", "A")],
            &[("name", "A"), ("metadata[cutover_effect]", "e")],
            false
        ));
        assert!(
            !fits(&[("default_price", &place)], &[("default_price", &place)], false),
            "never filled in"
        );
        assert!(
            !fits(&[("amount", "-5")], &[("amount", "-3")], false),
            "an amount that is no money of the row"
        );
        assert!(!fits(&[("name", "A")], &[("name", "B")], false));
        assert!(!fits(&[("name", "A")], &[("name", "A"), ("balance", "5")], false));
        assert!(!fits(&[("name", "A"), ("url", "u")], &[("name", "A")], false));
    }
}
