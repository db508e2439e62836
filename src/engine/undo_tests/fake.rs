//! A stage with coupons and codes, two accounts that hold them, and a journal that can be cut off: enough to take
//! something back and to be disturbed at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::domain::change::{Change, ChangeKey, Risk, Verdict};
use crate::domain::ids::{AccountId, Accounts, EffectId, Environment, Role, StageId};
use crate::domain::panel::Panel;
use crate::domain::plan::{Header, Plan};
use crate::domain::record::{Attested, Record, RowEnd};
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::{Method, PlannedWrite, When};
use crate::engine::journal::{Acked, Head, JournalError, Seq, Store};
use crate::stages::{
    Audit, Boxed, Fact, Gathered, Look, Reading, Recheck, Settings, Stage, StageError, Step,
};
use crate::stripe::stub::Answer;

pub(super) const COUPONS: StageId = StageId::Coupons;

pub(super) fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old_9fT0".into()),
        destination: AccountId("acct_new_2bR1".into()),
        environment: Environment::Test,
    }
}

fn planned(
    op: &str,
    role: Role,
    method: Method,
    path: String,
    form: &[(&str, &str)],
    subject: &str,
) -> PlannedWrite {
    let form = form
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    PlannedWrite {
        op: op.into(),
        role,
        effect: EffectId::new(&accounts(), COUPONS, op, subject, 0),
        method,
        path,
        form: form.collect(),
        money: None,
        when: When::Always,
        irreversible: false,
        marked: false,
    }
}

fn row(key: &str, subject: &str, writes: Vec<PlannedWrite>) -> Change {
    Change {
        key: ChangeKey(key.into()),
        subject: subject.into(),
        label: safe(""),
        item: "coupon".into(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: None,
        rule: "agrees".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: vec![],
        working: vec![],
        writes,
        choices: vec![],
        decision: None,
        with: None,
        filled: vec![],
        payload: String::new(),
        update: None,
        evidence: vec![],
    }
}

/// A coupon that is created.
pub(super) fn coupon(id: &str) -> Change {
    let create = planned(
        "create_coupon",
        Role::Destination,
        Method::Post,
        "/v1/coupons".into(),
        &[("id", id)],
        id,
    );
    row(&format!("coupon/{id}"), id, vec![create])
}

/// A code of a coupon, which is closed on the old account.
pub(super) fn code(id: &str, coupon: &str) -> Change {
    let path = format!("/v1/promotion_codes/{id}");
    let close = planned(
        "close_old",
        Role::Source,
        Method::Post,
        path,
        &[("active", "false")],
        id,
    );
    row(&format!("code/{id}"), coupon, vec![close])
}

/// Writes something for which it has no undo.
pub(super) fn stuck(id: &str) -> Change {
    let path = format!("/v1/promotion_codes/{id}");
    let write = planned(
        "keep",
        Role::Source,
        Method::Post,
        path,
        &[("active", "false")],
        id,
    );
    row(&format!("stuck/{id}"), id, vec![write])
}

/// See the [module page](self).
pub(super) struct Pools;

impl Stage for Pools {
    fn id(&self) -> StageId {
        COUPONS
    }

    fn undo(&self, _change: &Change, made: &BTreeMap<String, String>) -> Vec<PlannedWrite> {
        let back = made.iter().filter_map(|(op, id)| match op.as_str() {
            "create_coupon" => {
                let path = format!("/v1/coupons/{id}");
                Some(planned(
                    "undo_coupon",
                    Role::Destination,
                    Method::Delete,
                    path,
                    &[],
                    id,
                ))
            }
            "close_old" => {
                let path = format!("/v1/promotion_codes/{id}");
                Some(planned(
                    "undo_close",
                    Role::Source,
                    Method::Post,
                    path,
                    &[("active", "true")],
                    id,
                ))
            }
            _ => None,
        });
        back.collect()
    }

    /// Codes are closed before their coupon is created.
    fn rank(&self, change: &Change) -> u32 {
        u32::from(change.key.0.starts_with("coupon/"))
    }

    fn attest(&self, write: &PlannedWrite, object: &[u8], _livemode: bool) -> Result<Attested, String> {
        let object: serde_json::Value = serde_json::from_slice(object).map_err(|e| e.to_string())?;
        let is_so = match write.method {
            Method::Delete => object["deleted"] == true,
            Method::Post => write
                .form
                .iter()
                .all(|(name, value)| object[name].as_bool() == Some(value == "true")),
        };
        if !is_so {
            return Err(format!("{} is not in {object}", write.op));
        }
        Ok(Attested {
            object: object["id"].as_str().unwrap_or_default().to_owned(),
            ..Attested::default()
        })
    }

    fn probe(&self, write: &PlannedWrite, _since: UtcMs) -> Look {
        Look {
            label: "again",
            role: write.role,
            path: write.path.clone(),
            query: vec![],
            list: false,
        }
    }

    fn is_effect(&self, write: &PlannedWrite, object: &[u8]) -> bool {
        self.attest(write, object, false).is_ok()
    }

    fn next(&self, _change: &Change, _facts: &[Fact]) -> Step {
        unreachable!("it is only taken back here")
    }

    fn header(&self, _accounts: &Accounts, _settings: &Settings) -> Result<Header, StageError> {
        Err(StageError::Setting("none".into()))
    }

    fn gather<'a>(&'a self, _reading: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        Box::pin(async { Err(StageError::Setting("none".into())) })
    }

    fn plan(&self, _gathered: Gathered, _reading: &Reading) -> Result<Plan, StageError> {
        Err(StageError::Setting("none".into()))
    }

    fn recheck<'a>(
        &'a self,
        _reading: &'a Reading,
        _plan: &'a Plan,
    ) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async { Err(StageError::Setting("none".into())) })
    }

    fn audit<'a>(
        &'a self,
        _reading: &'a Reading,
        _plan: &'a Plan,
        _ends: &'a [(ChangeKey, RowEnd, Option<crate::domain::money::Money>)],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async { Err(StageError::Setting("none".into())) })
    }

    fn panel(&self, _plan: Option<&Plan>) -> Panel {
        Panel::default()
    }

    fn cells(&self, _change: &Change, _unmasked: bool) -> Vec<String> {
        vec![]
    }
}

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not arrive, and nobody is told.
    Lost,
    /// It is done, and nobody is told.
    DoneLost,
    /// It is not done, and a 500 says nothing about it.
    Failed500,
    /// It is done, and a 500 says nothing about it.
    Done500,
    /// It is refused.
    Refused,
}

pub(super) const FAULTS: [Fault; 5] = [
    Fault::Lost,
    Fault::DoneLost,
    Fault::Failed500,
    Fault::Done500,
    Fault::Refused,
];

/// Both accounts.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) coupons: BTreeSet<String>,
    /// Codes and whether they are active.
    pub(super) codes: BTreeMap<String, bool>,
    /// Writes that arrived, in order.
    pub(super) writes: Vec<String>,
    /// The writes, by number from 0, that go wrong.
    pub(super) faults: BTreeMap<usize, Fault>,
    stored: BTreeMap<String, Answer>,
}

fn shaped(status: u16, code: &str) -> Answer {
    let body =
        format!(r#"{{"error":{{"type":"invalid_request_error","code":"{code}","message":"{code}"}}}}"#);
    Answer::json(status, &body)
}

impl Fake {
    pub(super) fn answer(&mut self, request: &str) -> Answer {
        let mut line = request.split_whitespace();
        let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        if method == "GET" {
            return self.read(path, &id);
        }
        self.writes.push(format!("{method} {path}"));
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("idempotency-key: "));
        let key = key.map(str::to_owned);
        if let Some(stored) = key.as_ref().and_then(|key| self.stored.get(key)) {
            return stored.clone();
        }
        let fault = self.faults.remove(&(self.writes.len() - 1));
        match fault {
            Some(Fault::Lost) => return Answer::hang_up(),
            Some(Fault::Refused) => return shaped(400, "not_now"),
            _ => {}
        }
        let done = if fault == Some(Fault::Failed500) {
            shaped(500, "api_error")
        } else {
            self.write(method, request, &id)
        };
        let answer = if fault == Some(Fault::Done500) {
            shaped(500, "api_error")
        } else {
            done
        };
        if let Some(key) = key {
            self.stored.insert(key, answer.clone());
        }
        if fault == Some(Fault::DoneLost) {
            return Answer::hang_up();
        }
        answer
    }

    fn write(&mut self, method: &str, request: &str, id: &str) -> Answer {
        if method == "DELETE" {
            if !self.coupons.remove(id) {
                return shaped(404, "resource_missing");
            }
            return Answer::json(200, &format!(r#"{{"id":"{id}","deleted":true}}"#));
        }
        let Some(active) = self.codes.get_mut(id) else {
            return shaped(404, "resource_missing");
        };
        *active = request.ends_with("active=true");
        self.read("/v1/promotion_codes", id)
    }

    fn read(&self, path: &str, id: &str) -> Answer {
        if path.starts_with("/v1/coupons") {
            return if self.coupons.contains(id) {
                Answer::json(200, &format!(r#"{{"id":"{id}"}}"#))
            } else {
                shaped(404, "resource_missing")
            };
        }
        match self.codes.get(id) {
            Some(active) => Answer::json(200, &format!(r#"{{"id":"{id}","active":{active}}}"#)),
            None => shaped(404, "resource_missing"),
        }
    }
}

/// The journal of a process that may be killed at a record: just before it is durable (`2n`), or just after (`2n + 1`).
pub(super) struct Cut {
    pub(super) records: Arc<Mutex<Vec<(Record, UtcMs)>>>,
    pub(super) at: Option<usize>,
    pub(super) appends: AtomicUsize,
    pub(super) is_dead: Mutex<bool>,
}

impl Store<Record> for Cut {
    fn append(&self, record: &Record, at: UtcMs) -> Acked {
        let nth = self.appends.fetch_add(1, Ordering::SeqCst);
        let mut is_dead = self.is_dead.lock().unwrap();
        *is_dead = *is_dead || self.at == Some(nth * 2);
        if *is_dead {
            return Box::pin(async { Err(JournalError::Closed) });
        }
        let mut records = self.records.lock().unwrap();
        records.push((record.clone(), at));
        let seq = Seq(records.len() as u64);
        *is_dead = self.at == Some(nth * 2 + 1);
        let acked = if *is_dead {
            Err(JournalError::Closed)
        } else {
            Ok(seq)
        };
        Box::pin(async { acked })
    }

    fn append_all(&self, _records: &[Record], _at: UtcMs) -> Acked {
        unreachable!("nobody here appends several")
    }

    fn halt(&self, record: &Record, at: UtcMs) -> Acked {
        self.append(record, at)
    }

    fn head(&self) -> Head {
        Head::default()
    }
}
