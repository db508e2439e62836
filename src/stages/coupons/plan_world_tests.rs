//! For tests: a pool written down in lines, and what became of it in lines.
//!
//! ```text
//! coupon 10/7              limit 10, used 7; `-` is no limit
//! A mover 5/4              code A of a customer who moves; also stayer, absent, nomethod, deleted, open
//! new coupon 3/0 ours      on the new account
//! new X open 3/0 of=A      a code there, made for A
//! decide coupon split 2
//! ```

use std::collections::BTreeSet;

use super::*;
use crate::domain::change::{Decision, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::{AccountId, Digest, Environment, StageId};
use crate::domain::mapped::Mapped;
use crate::domain::plan::{Header, Plan, PlanError};
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::{CAP, PlannedWrite};
use crate::stages::coupons::effects::{
    CLOSE_OLD, CREATE_CODE, CREATE_COUPON, Effects, RECREATE_OLD, UNDO_RECREATE, UNDO_SETTLE, undo_of,
};
use crate::stages::coupons::facts::{Code, Counter, Coupon, Person, Read};

pub(in super::super) const NOW: i64 = 1_790_000_000;
/// The coupon of every sample.
pub(in super::super) const COUPON: &str = "SPRING";

pub(in super::super) fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

/// The world of the lines, and the decisions among them: row, choice, number.
pub(in super::super) struct Sample {
    pub(in super::super) world: World,
    pub(in super::super) ids: IdMap,
    pub(in super::super) settings: Settings,
    pub(in super::super) decisions: Vec<(String, String, Option<u64>)>,
}

impl Sample {
    pub(in super::super) fn of(lines: &str) -> Self {
        let mut sample = Self {
            world: World {
                now: NOW,
                ..World::default()
            },
            ids: IdMap::default(),
            settings: Settings::default(),
            decisions: Vec::new(),
        };
        sample.ids.put(Mapped {
            kind: "product".into(),
            old: "gold".into(),
            new: "gold_new".into(),
        });
        for line in lines
            .lines()
            .flat_map(|line| line.split(';'))
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            sample.line(line);
        }
        sample
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["setting", "leave"] => self.settings.without_code = crate::stages::coupons::WithoutCode::Leave,
            ["decide", row, choice, rest @ ..] => {
                let number = rest.first().map(|n| n.parse().unwrap());
                self.decisions
                    .push(((*row).to_owned(), (*choice).to_owned(), number));
            }
            ["new", "coupon", counter, flags @ ..] => {
                let coupon = coupon(counter, flags);
                self.world.destination.coupons.insert(COUPON.to_owned(), coupon);
            }
            ["coupon", counter, flags @ ..] => {
                let coupon = coupon(counter, flags);
                self.world.source.coupons.insert(COUPON.to_owned(), coupon);
            }
            ["new", name, who, counter, flags @ ..] => {
                let code = self.code(name, who, counter, flags);
                self.world.destination.codes.insert(code.id.clone(), code);
            }
            [name, who, counter, flags @ ..] => {
                let code = self.code(name, who, counter, flags);
                self.world.source.codes.insert(code.id.clone(), code);
            }
            _ => panic!("no line of a sample: {line}"),
        }
    }

    fn code(&mut self, name: &str, who: &str, counter: &str, flags: &[&str]) -> Code {
        let customer = (who != "open").then(|| flag(flags, "of_customer").unwrap_or(name).to_owned());
        let customer = customer.map(|name| format!("cus_{name}"));
        let label = safe(&format!("Customer {name}"));
        let person = match who {
            "open" | "stayer" => None,
            "mover" => Some(Person::Mover { label }),
            "absent" => Some(Person::Absent {
                label,
                no_method: false,
            }),
            "nomethod" => Some(Person::Absent {
                label,
                no_method: true,
            }),
            "deleted" => Some(Person::Deleted),
            other => panic!("nobody: {other}"),
        };
        if let (Some(id), Some(person)) = (&customer, person) {
            self.world.people.insert(id.clone(), person);
        }
        let accounts = accounts();
        let effects = Effects { accounts: &accounts };
        let of = flag(flags, "of").map(|of| format!("promo_{of}"));
        let marked = |op: &str, of: &str| Some(effects.id(op, of).0);
        let id = format!("promo_{name}");
        let effect = match &of {
            _ if flags.contains(&"closed") => marked(CLOSE_OLD, &id),
            Some(of) if flags.contains(&"share") => marked(RECREATE_OLD, of),
            _ if flags.contains(&"settled") => Some(undo_of(&effects.id(CLOSE_OLD, &id), UNDO_SETTLE).0),
            Some(of) if flags.contains(&"share_off") => {
                Some(undo_of(&effects.id(RECREATE_OLD, of), UNDO_RECREATE).0)
            }
            Some(of) => marked(CREATE_CODE, of),
            None => None,
        };
        let mut terms = Fields::default();
        terms.put_some("expires_at", flag(flags, "expires"));
        Code {
            text: flag(flags, "text").unwrap_or(name).to_owned(),
            coupon: flag(flags, "coupon").unwrap_or(COUPON).to_owned(),
            customer,
            active: !["off", "closed", "settled", "share_off"]
                .iter()
                .any(|off| flags.contains(off)),
            counter: self::counter(counter),
            expires_at: time(flags, "expires"),
            terms,
            first_time: flags.contains(&"first"),
            trouble: trouble(flags),
            effect,
            of,
            own_keys: flag(flags, "keys").map_or(0, |keys| keys.parse().unwrap()),
            read: Read::default(),
            id,
        }
    }

    pub(in super::super) fn planned(&self) -> Planned {
        self.planned_with(Solver::default())
    }

    pub(in super::super) fn planned_with(&self, solver: Solver) -> Planned {
        let accounts = accounts();
        let rules = Rules {
            accounts: &accounts,
            settings: &self.settings,
        };
        rows_with(&self.world, &self.ids, rules, solver)
    }

    /// The plan after the decisions.
    pub(in super::super) fn decided(&self, solver: Solver) -> Result<(Plan, BTreeSet<String>), PlanError> {
        let planned = self.planned_with(solver);
        let rules = planned
            .findings
            .iter()
            .map(|finding| finding.rule.clone())
            .collect();
        let header = Header {
            accounts: accounts(),
            policy: self.settings.policy(),
            scope: Digest::of("test", [b"scope".as_slice()]),
            stage: StageId::Coupons,
        };
        let mut plan = Plan::seal(
            header,
            planned.out_of_scope,
            planned.changes,
            planned.findings,
            UtcMs(0),
        )?;
        for (row, choice, number) in &self.decisions {
            let decision = Decision {
                choice: choice.clone(),
                by: "test".into(),
                note: "said so".into(),
                number: *number,
            };
            plan = plan.decide(&ChangeKey(key(row)), decision)?;
        }
        Ok((plan, rules))
    }
}

use crate::domain::change::ChangeKey;

pub(in super::super) fn key(row: &str) -> String {
    if row == "coupon" {
        format!("coupon/{COUPON}")
    } else {
        format!("code/promo_{row}")
    }
}

pub(in super::super) fn counter(text: &str) -> Counter {
    let (limit, used) = text.split_once('/').unwrap();
    Counter {
        limit: limit.parse().ok(),
        used: used.parse().unwrap(),
    }
}

fn coupon(counter: &str, flags: &[&str]) -> Coupon {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let mut terms = Fields::default();
    terms.put("percent_off", flag(flags, "percent").unwrap_or("25"));
    terms.put("duration", "once");
    terms.put_some("redeem_by", flag(flags, "expires"));
    Coupon {
        id: COUPON.into(),
        label: safe("Spring"),
        counter: self::counter(counter),
        redeem_by: time(flags, "expires"),
        valid: !flags.contains(&"invalid"),
        terms,
        products: flag(flags, "product").map(str::to_owned).into_iter().collect(),
        words: "25 % once".into(),
        trouble: trouble(flags),
        effect: flags
            .contains(&"ours")
            .then(|| effects.id(CREATE_COUPON, COUPON).0),
        own_keys: flag(flags, "keys").map_or(0, |keys| keys.parse().unwrap()),
        read: Read::default(),
    }
}

fn flag<'a>(flags: &[&'a str], name: &str) -> Option<&'a str> {
    flags
        .iter()
        .find_map(|flag| flag.strip_prefix(name)?.strip_prefix('='))
}

/// Seconds from now.
fn time(flags: &[&str], name: &str) -> Option<i64> {
    flag(flags, name).map(|by| NOW + by.parse::<i64>().unwrap())
}

fn trouble(flags: &[&str]) -> Option<(String, String)> {
    flags
        .contains(&"trouble")
        .then(|| ("odd".to_owned(), "a shape nobody knows".to_owned()))
}

/// `close, create 3`, or `noop exhausted`.
pub(in super::super) fn row_in_words(change: &Change) -> String {
    let name = change
        .key
        .0
        .strip_prefix("code/promo_")
        .unwrap_or(if change.key.0.starts_with("coupon/") {
            "coupon"
        } else {
            &change.key.0
        });
    if change.verdict != Verdict::Planned {
        let choices: Vec<_> = change.choices.iter().map(|choice| choice.name.as_str()).collect();
        let offers = if choices.is_empty() || change.decision.is_some() {
            String::new()
        } else {
            format!(" ({})", choices.join(" "))
        };
        return format!("{name}: {} {}{offers}", change.verdict.word(), change.rule);
    }
    let writes = change
        .writes_now()
        .iter()
        .filter(|write| !write.op.starts_with("reopen"));
    let writes: Vec<_> = writes.map(in_words).collect();
    format!("{name}: {}", writes.join(", "))
}

fn in_words(write: &PlannedWrite) -> String {
    let verb = write.op.split('_').next().unwrap();
    match cap_of(write) {
        Some(cap) => format!("{verb} {cap}"),
        None => verb.to_owned(),
    }
}

pub(in super::super) fn cap_of(write: &PlannedWrite) -> Option<&str> {
    sent(write, CAP)
}

pub(in super::super) fn sent<'a>(write: &'a PlannedWrite, name: &str) -> Option<&'a str> {
    let field = write.form.iter().find(|(field, _)| field == name);
    field.map(|(_, value)| value.as_str())
}

/// Every row, who stays outside, and the findings.
pub(in super::super) fn in_words_all(sample: &Sample, solver: Solver) -> Vec<String> {
    let (plan, findings) = match sample.decided(solver) {
        Ok(decided) => decided,
        Err(error) => return vec![format!("refused: {error}")],
    };
    let mut said: Vec<String> = plan.changes().iter().map(|row| row_in_words(row)).collect();
    said.sort_by_key(|row| (!row.starts_with("coupon:"), row.clone()));
    let outside = plan.out_of_scope().customers.iter();
    said.extend(
        outside
            .filter(|(reason, _)| *reason != "stays")
            .map(|(reason, n)| format!("{n} {reason}")),
    );
    // Said of every limited coupon; the table would say nothing with it.
    let findings = findings.iter().filter(|rule| *rule != "no_switch");
    said.extend(findings.map(|rule| format!("! {rule}")));
    said
}
