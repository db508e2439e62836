//! Two accounts with one coupon and its codes, and everybody who may touch them: what the scripts are measured against.
//! It shares nothing with the rehearsal's simulator.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::json;

use crate::domain::ids::Role;
use crate::domain::write::{CAP, Method, PlannedWrite, marker};
use crate::stages::Look;

pub(super) const COUPON: &str = "SAVE";

#[derive(Clone, Debug)]
pub(super) struct Coupon {
    pub(super) max: Option<i64>,
    pub(super) used: i64,
    pub(super) marks: BTreeMap<String, String>,
}

impl Coupon {
    pub(super) fn left(&self) -> i64 {
        self.max.map_or(i64::MAX, |max| max - self.used)
    }

    pub(super) fn is_ours(&self) -> bool {
        self.marks.contains_key(marker::OF)
    }

    fn json(&self) -> Bytes {
        let object = json!({
            "id": COUPON, "valid": self.left() > 0, "max_redemptions": self.max, "times_redeemed": self.used,
            "redeem_by": null, "percent_off": 25.0, "amount_off": null, "currency": null, "duration": "once",
            "duration_in_months": null, "metadata": self.marks,
        });
        Bytes::from(object.to_string())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) customer: Option<String>,
    pub(super) max: Option<i64>,
    pub(super) used: i64,
    pub(super) expires: Option<i64>,
    pub(super) active: bool,
    pub(super) marks: BTreeMap<String, String>,
}

impl Code {
    pub(super) fn left(&self) -> i64 {
        self.max.map_or(i64::MAX, |max| max - self.used)
    }

    fn json(&self) -> Bytes {
        let object = json!({
            "id": self.id, "active": self.active, "code": self.text, "customer": self.customer,
            "max_redemptions": self.max, "times_redeemed": self.used, "expires_at": self.expires,
            "metadata": self.marks,
        });
        Bytes::from(object.to_string())
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) coupon: Option<Coupon>,
    pub(super) codes: Vec<Code>,
}

impl Account {
    pub(super) fn coupon_left(&self) -> i64 {
        self.coupon.as_ref().map_or(0, Coupon::left).max(0)
    }

    /// What codes that satisfy `which` can still redeem, together.
    pub(super) fn redeemable(&self, now: i64, which: impl Fn(&Code) -> bool) -> i64 {
        let live = self
            .codes
            .iter()
            .filter(|code| self.is_live(code, now) && which(code));
        let codes = live.map(Code::left).fold(0, i64::saturating_add);
        codes.min(self.coupon_left())
    }

    pub(super) fn is_live(&self, code: &Code, now: i64) -> bool {
        let expired = code.expires.is_some_and(|at| at <= now);
        code.active && !expired && code.left() > 0 && self.coupon_left() > 0
    }

    /// Stripe switches what is dead off for good.
    pub(super) fn settle(&mut self, now: i64) {
        let dead: Vec<bool> = self.codes.iter().map(|code| !self.is_live(code, now)).collect();
        for (code, dead) in self.codes.iter_mut().zip(dead) {
            code.active &= !dead;
        }
    }

    fn takes(&self, text: &str, customer: Option<&String>) -> bool {
        self.codes.iter().any(|code| {
            let same = code.customer.is_none() || customer.is_none() || code.customer.as_ref() == customer;
            code.active && code.text == text && same
        })
    }
}

/// Why a write was refused.
pub(super) type Refused = &'static str;

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) old: Account,
    pub(super) new: Account,
    pub(super) now: i64,
    /// Uses since the freeze, of both accounts: through each text, and of the coupon.
    pub(super) redeemed: BTreeMap<String, i64>,
    pub(super) of_pool: i64,
    made: u32,
}

impl World {
    pub(super) fn new(old: Account) -> Self {
        Self {
            old,
            new: Account::default(),
            now: 1_000,
            redeemed: BTreeMap::new(),
            of_pool: 0,
            made: 0,
        }
    }

    pub(super) fn of(&mut self, role: Role) -> &mut Account {
        match role {
            Role::Source => &mut self.old,
            Role::Destination => &mut self.new,
        }
    }

    pub(super) fn redeem(&mut self, role: Role, at: usize) {
        let now = self.now;
        let account = self.of(role);
        account.codes[at].used += 1;
        let text = account.codes[at].text.clone();
        if let Some(coupon) = &mut account.coupon {
            coupon.used += 1;
        }
        account.settle(now);
        *self.redeemed.entry(text).or_default() += 1;
        self.of_pool += 1;
    }

    /// The coupon applied by the application, without a code.
    pub(super) fn redeem_directly(&mut self) {
        let now = self.now;
        if let Some(coupon) = &mut self.old.coupon {
            coupon.used += 1;
        }
        self.old.settle(now);
        self.of_pool += 1;
    }

    pub(super) fn delete_coupon(&mut self, role: Role) {
        let now = self.now;
        let account = self.of(role);
        account.coupon = None;
        account.settle(now);
    }

    pub(super) fn look(&mut self, look: &Look) -> Option<Vec<Bytes>> {
        let now = self.now;
        self.old.settle(now);
        self.new.settle(now);
        let account = self.of(look.role);
        if look.list {
            let (name, value) = &look.query[0];
            let fits = |code: &&Code| match name.as_str() {
                "coupon" => value == COUPON,
                "code" => code.text.eq_ignore_ascii_case(value),
                other => panic!("no filter {other}"),
            };
            return Some(account.codes.iter().filter(fits).map(Code::json).collect());
        }
        let id = look.path.rsplit('/').next().unwrap();
        if look.path.starts_with("/v1/coupons/") {
            assert_eq!(id, COUPON);
            return account.coupon.as_ref().map(|coupon| vec![coupon.json()]);
        }
        let code = account.codes.iter().find(|code| code.id == id);
        code.map(|code| vec![code.json()])
    }

    /// Does what `write` says; the id of what it made or changed.
    pub(super) fn write(&mut self, write: &PlannedWrite) -> Result<String, Refused> {
        let now = self.now;
        self.old.settle(now);
        self.new.settle(now);
        let id = write.path.rsplit('/').next().unwrap().to_owned();
        match (write.method, write.path.as_str()) {
            (Method::Post, "/v1/promotion_codes") => self.create_code(write),
            (Method::Post, "/v1/coupons") => self.create_coupon(write),
            (Method::Post, path) if path.starts_with("/v1/promotion_codes/") => self.switch(write, &id),
            (Method::Delete, path) if path.starts_with("/v1/coupons/") => {
                self.of(write.role).coupon.as_ref().ok_or("no such coupon")?;
                self.delete_coupon(write.role);
                Ok(id)
            }
            other => panic!("no endpoint {other:?}"),
        }
    }

    fn create_coupon(&mut self, write: &PlannedWrite) -> Result<String, Refused> {
        let account = self.of(write.role);
        if account.coupon.is_some() {
            return Err("coupon already exists");
        }
        account.coupon = Some(Coupon {
            max: field(write, CAP).map(|cap| cap.parse().unwrap()),
            used: 0,
            marks: marks(write),
        });
        Ok(COUPON.to_owned())
    }

    fn create_code(&mut self, write: &PlannedWrite) -> Result<String, Refused> {
        self.made += 1;
        let (id, now) = (format!("promo_made{}", self.made), self.now);
        let text = field(write, "code").unwrap();
        let customer = field(write, "customer");
        let max: Option<i64> = field(write, CAP).map(|cap| cap.parse().unwrap());
        let expires: Option<i64> = field(write, "expires_at").map(|at| at.parse().unwrap());
        let account = self.of(write.role);
        let coupon = account.coupon.as_ref().ok_or("no such coupon")?;
        if coupon.max.is_some_and(|most| max.is_some_and(|max| max > most)) {
            return Err("more than its coupon");
        }
        if account.takes(&text, customer.as_ref()) {
            return Err("an active promotion code already exists");
        }
        if expires.is_some_and(|at| at <= now) || coupon.left() <= 0 {
            return Err("in the past, or used up");
        }
        account.codes.push(Code {
            id: id.clone(),
            text,
            customer,
            max,
            used: 0,
            expires,
            active: true,
            marks: marks(write),
        });
        Ok(id)
    }

    fn switch(&mut self, write: &PlannedWrite, id: &str) -> Result<String, Refused> {
        let (now, on) = (self.now, field(write, "active").unwrap() == "true");
        let account = self.of(write.role);
        let at = account.codes.iter().position(|code| code.id == id);
        let at = at.ok_or("no such code")?;
        let code = account.codes[at].clone();
        let dead = code.left() <= 0 || code.expires.is_some_and(|end| end <= now);
        if on && !code.active && (dead || account.coupon_left() <= 0) {
            return Err("it cannot be active again");
        }
        if on && !code.active && account.takes(&code.text, code.customer.as_ref()) {
            return Err("an active promotion code already exists");
        }
        account.codes[at].active = on;
        account.codes[at].marks.extend(marks(write));
        Ok(id.to_owned())
    }
}

fn field(write: &PlannedWrite, name: &str) -> Option<String> {
    let found = write.form.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.clone())
}

fn marks(write: &PlannedWrite) -> BTreeMap<String, String> {
    let of = field(write, "metadata[cutover_of]").map(|of| (marker::OF.to_owned(), of));
    let effect = (marker::EFFECT.to_owned(), write.effect.0.clone());
    of.into_iter().chain([effect]).collect()
}
