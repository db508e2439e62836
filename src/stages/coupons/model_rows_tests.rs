//! Pools and their rows, built by hand from the tables of the [stage's page](super).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::effects::{
    CLOSE_OLD, CREATE_CODE, CREATE_COUPON, CodeRow, CouponRow, Effects, Payload, RECREATE_OLD, REOPEN_OLD,
};
use super::model_world_tests::{Account, COUPON, Code, Coupon, World};
use crate::domain::change::{Change, ChangeKey, Choice, Decision, Risk, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::{AccountId, Accounts, Environment, Role};
use crate::domain::text::safe;
use crate::domain::write::{CAP, Method, PlannedWrite, When, marker};

/// What becomes of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Moves,
    /// An earlier run closed it.
    Closed,
    /// It stays, and is never written to.
    Stays,
    /// So many uses go, the rest stays.
    Split(i64),
    KeepBoth,
}

#[derive(Clone, Debug)]
pub(super) struct CodeSpec {
    pub(super) limit: Option<i64>,
    pub(super) used: i64,
    pub(super) fate: Fate,
    pub(super) expires: Option<i64>,
}

/// A pool: limit and uses of its coupon, and its codes.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) limit: Option<i64>,
    pub(super) used: i64,
    pub(super) codes: Vec<CodeSpec>,
}

/// A code that moves.
pub(super) fn moves(limit: Option<i64>, used: i64) -> CodeSpec {
    CodeSpec {
        limit,
        used,
        fate: Fate::Moves,
        expires: None,
    }
}

pub(super) fn text(at: usize) -> String {
    format!("CODE{at}")
}

fn id(at: usize) -> String {
    format!("promo_{at}")
}

pub(super) fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn effect(op: &str, of: &str) -> crate::domain::ids::EffectId {
    Effects {
        accounts: &accounts(),
    }
    .id(op, of)
}

fn min(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

impl Pool {
    pub(super) fn left(&self) -> Option<i64> {
        self.limit.map(|limit| limit - self.used)
    }

    /// What was left through the code at the freeze.
    pub(super) fn through(&self, at: usize) -> Option<i64> {
        let code = &self.codes[at];
        min(self.left(), code.limit.map(|limit| limit - code.used))
    }

    pub(super) fn keeps_both(&self) -> bool {
        self.codes.iter().any(|code| code.fate == Fate::KeepBoth)
    }

    /// Uses that move: all but those kept for who stays.
    pub(super) fn moves(&self) -> Option<i64> {
        let left = self.left()?;
        let stays = (0..self.codes.len()).filter(|at| self.codes[*at].fate == Fate::Stays);
        let kept: i64 = stays.map(|at| self.through(at).unwrap_or(left)).sum();
        Some(left - kept.min(left))
    }

    /// Whether it is a pool of which the plan makes rows.
    pub(super) fn is_planned(&self) -> bool {
        let codes = &self.codes;
        let splits = codes
            .iter()
            .filter(|code| matches!(code.fate, Fate::Split(_)))
            .count();
        let kept = codes
            .iter()
            .all(|code| code.fate != Fate::KeepBoth || code.limit.is_none());
        let split = |at: usize| match codes[at].fate {
            Fate::Split(n) => min(self.through(at), self.moves()).is_some_and(|whole| 1 <= n && n < whole),
            _ => true,
        };
        let consistent = codes.iter().map(|code| code.used).sum::<i64>() <= self.used;
        let alive = (0..codes.len()).all(|at| self.through(at).is_none_or(|left| left > 0));
        consistent
            && alive
            && splits <= 1
            && self.moves().is_none_or(|moves| moves > 0)
            && (!self.keeps_both() || (self.limit.is_none() && kept))
            && (0..codes.len()).all(split)
            && codes.iter().any(|code| code.fate != Fate::Stays)
    }

    pub(super) fn world(&self) -> World {
        let codes = self.codes.iter().enumerate().map(|(at, code)| Code {
            id: id(at),
            text: text(at),
            customer: match code.fate {
                Fate::Split(_) | Fate::KeepBoth => None,
                _ => Some(format!("cus_{at}")),
            },
            max: code.limit,
            used: code.used,
            expires: code.expires,
            active: code.fate != Fate::Closed,
            marks: match code.fate {
                Fate::Closed => [(marker::EFFECT.to_owned(), effect(CLOSE_OLD, &id(at)).0)].into(),
                _ => BTreeMap::new(),
            },
        });
        World::new(Account {
            coupon: Some(Coupon {
                max: self.limit,
                used: self.used,
                marks: BTreeMap::new(),
            }),
            codes: codes.collect(),
        })
    }

    pub(super) fn rows(&self) -> Vec<Arc<Change>> {
        let codes = (0..self.codes.len()).filter(|at| self.codes[*at].fate != Fate::Stays);
        codes
            .map(|at| self.code_row(at))
            .chain([self.coupon_row()])
            .map(Arc::new)
            .collect()
    }

    /// Uses that a split leaves on the old account.
    fn split_rest(&self, at: usize) -> i64 {
        match self.codes[at].fate {
            Fate::Split(n) => min(self.through(at), self.moves()).unwrap() - n,
            _ => 0,
        }
    }

    /// The new coupon's limit.
    pub(super) fn coupon_cap(&self) -> Option<i64> {
        let rest: i64 = (0..self.codes.len()).map(|at| self.split_rest(at)).sum();
        self.moves().map(|moves| moves - rest)
    }

    fn coupon_row(&self) -> Change {
        let cap = self.coupon_cap();
        let mut form = vec![
            ("id".to_owned(), COUPON.to_owned()),
            ("percent_off".to_owned(), "25".to_owned()),
            ("duration".to_owned(), "once".to_owned()),
        ];
        form.extend(cap.map(|cap| (CAP.to_owned(), cap.to_string())));
        form.push(("metadata[cutover_of]".to_owned(), COUPON.to_owned()));
        let closes = |fate| matches!(fate, Fate::Moves | Fate::Closed | Fate::Split(_));
        let closing = (0..self.codes.len()).filter(|at| closes(self.codes[*at].fate));
        let payload = Payload::Coupon(CouponRow {
            id: COUPON.to_owned(),
            terms: Fields::default(),
            used: self.used,
            left: self.left(),
            redeem_by: None,
            closing: closing.map(id).collect(),
            there: false,
        });
        let create = write(CREATE_COUPON, Role::Destination, "/v1/coupons", COUPON, form);
        self.row(format!("coupon/{COUPON}"), &payload, vec![create])
    }

    fn code_row(&self, at: usize) -> Change {
        let (spec, old) = (&self.codes[at], id(at));
        let own = spec.limit.map(|limit| limit - spec.used);
        let cap = match spec.fate {
            Fate::Split(n) => Some(n),
            _ => own.map(|own| min(Some(own), self.coupon_cap()).unwrap_or(own)),
        };
        let form = |cap: Option<i64>| {
            let mut form = vec![
                ("promotion[type]".to_owned(), "coupon".to_owned()),
                ("promotion[coupon]".to_owned(), COUPON.to_owned()),
                ("code".to_owned(), text(at)),
            ];
            form.extend(cap.map(|cap| (CAP.to_owned(), cap.to_string())));
            form.extend(spec.expires.map(|at| ("expires_at".to_owned(), at.to_string())));
            form.push(("metadata[cutover_of]".to_owned(), old.clone()));
            form
        };
        let switch = |op, on: &str| {
            let form = vec![("active".to_owned(), on.to_owned())];
            write(
                op,
                Role::Source,
                &format!("/v1/promotion_codes/{old}"),
                &old,
                form,
            )
        };
        let codes = "/v1/promotion_codes";
        let mut writes = Vec::new();
        if !matches!(spec.fate, Fate::Closed | Fate::KeepBoth) {
            writes.push(switch(CLOSE_OLD, "false"));
        }
        if matches!(spec.fate, Fate::Split(_)) {
            let form = form(Some(self.split_rest(at)));
            writes.push(write(RECREATE_OLD, Role::Source, codes, &old, form));
        }
        writes.push(write(CREATE_CODE, Role::Destination, codes, &old, form(cap)));
        if spec.fate != Fate::KeepBoth {
            writes.push(PlannedWrite {
                when: When::IfRaced,
                ..switch(REOPEN_OLD, "true")
            });
        }
        let payload = Payload::Code(CodeRow {
            old: old.clone(),
            text: text(at),
            coupon: COUPON.to_owned(),
            customer: None,
            terms: Fields::default(),
            used: spec.used,
            left: self.through(at),
            expires_at: spec.expires,
            closed: spec.fate == Fate::Closed,
            coupon_there: false,
            there: None,
        });
        self.row(format!("code/{old}"), &payload, writes)
    }

    fn row(&self, key: String, payload: &Payload, writes: Vec<PlannedWrite>) -> Change {
        let choice = if self.keeps_both() { "keep_both" } else { "move" };
        Change {
            key: ChangeKey(key),
            subject: COUPON.to_owned(),
            label: safe(""),
            item: String::new(),
            planned_as: Verdict::Blocked,
            verdict: Verdict::Planned,
            money: None,
            rule: String::new(),
            why: String::new(),
            effect: String::new(),
            risk: Risk::Low,
            fields: Vec::new(),
            working: Vec::new(),
            writes: Vec::new(),
            choices: vec![Choice {
                name: choice.to_owned(),
                means: String::new(),
                writes,
                sign_off: false,
                number: None,
            }],
            decision: Some(Decision {
                choice: choice.to_owned(),
                by: "P".to_owned(),
                note: String::new(),
                number: None,
            }),
            with: None,
            filled: Vec::new(),
            payload: serde_json::to_string(payload).unwrap(),
            update: None,
            evidence: Vec::new(),
        }
    }
}

fn write(op: &str, role: Role, path: &str, of: &str, form: Vec<(String, String)>) -> PlannedWrite {
    PlannedWrite {
        op: op.to_owned(),
        role,
        effect: effect(op, of),
        method: Method::Post,
        path: path.to_owned(),
        form,
        money: None,
        when: When::Always,
        irreversible: false,
        marked: true,
    }
}
