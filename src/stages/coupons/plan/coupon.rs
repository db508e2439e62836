//! The row of a coupon. PURE. The first case that applies decides, for its codes too.

use super::assemble::{self, About, Made};
use super::choices;
use super::pools::{Place, Pool, Stays, too_many};
use super::{Scene, code};
use crate::domain::change::{Change, Risk, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::stages::coupons::WithoutCode;
use crate::stages::coupons::effects::{CREATE_COUPON, CouponRow, MOST_OWN_KEYS, MOVE, Payload};
use crate::stages::coupons::facts::Coupon;
use crate::stages::coupons::left::{self, Dead, Left};
use crate::stages::coupons::terms;
use crate::stages::coupons::who::Kind;

/// What becomes of a coupon.
pub(super) enum Fate<'a> {
    /// It is not on the old account.
    Missing,
    /// Only customers who stay have to do with it.
    Outside,
    /// It is on the new account: rule and sentence.
    There(&'a Coupon, &'static str, String),
    /// Nothing is left; and whether a person may give it uses.
    Dead(Dead, bool),
    /// Rule and sentence.
    Blocked(String, String),
    /// No live code leads to it.
    DirectOnly,
    /// It is created.
    Planned,
    /// A person decides about it and its codes.
    Together,
}

impl Fate<'_> {
    /// Whether there is a row for it, which its codes are decided with.
    pub(super) const fn has_row(&self) -> bool {
        !matches!(self, Self::Missing | Self::Outside)
    }

    /// Whether the new account has, or may get, the coupon.
    pub(super) const fn may_be_there(&self) -> bool {
        matches!(
            self,
            Self::There(..) | Self::Dead(_, true) | Self::DirectOnly | Self::Planned | Self::Together
        )
    }
}

/// What becomes of the coupon, and its terms on the new account.
pub(super) fn fate<'a>(scene: &Scene<'a>, pool: &Pool<'a>) -> (Fate<'a>, Fields) {
    let Some(coupon) = pool.coupon else {
        return (Fate::Missing, Fields::default());
    };
    if pool.is_outside() {
        return (Fate::Outside, Fields::default());
    }
    let mapped = terms::under_map(coupon, scene.ids);
    let wanted = mapped.clone().unwrap_or_default();
    let ours = |there: &&Coupon| {
        let effect = scene.effects.id(CREATE_COUPON, pool.id).0;
        there.effect.as_ref() == Some(&effect)
    };
    if let Some(there) = pool.there.filter(ours) {
        let why = "an earlier run created it".to_owned();
        return (Fate::There(there, "already_there", why), wanted);
    }
    let fate = match (pool.left, &coupon.trouble, mapped) {
        // Terms that cannot be copied cannot be copied with a number from a person either.
        (Err(dead), trouble, mapped) => {
            let copied = trouble.is_none() && mapped.is_ok() && coupon.own_keys <= MOST_OWN_KEYS;
            Fate::Dead(dead, dead == Dead::Exhausted && copied && pool.there.is_none())
        }
        (_, Some((rule, why)), _) => Fate::Blocked(rule.clone(), why.clone()),
        (_, _, Err((rule, why))) => Fate::Blocked(rule.to_owned(), why),
        _ if coupon.own_keys > MOST_OWN_KEYS => {
            Fate::Blocked("too_many_metadata".to_owned(), too_many(coupon.own_keys))
        }
        _ => match pool.there {
            Some(there) => return foreign(scene, pool, there, wanted),
            None => by_kind(pool),
        },
    };
    (fate, wanted)
}

fn by_kind<'a>(pool: &Pool<'_>) -> Fate<'a> {
    match pool.live.kind(pool.shares.left) {
        Kind::NoLive => Fate::DirectOnly,
        Kind::Outside => Fate::Blocked(
            "codes_blocked".to_owned(),
            "none of its live codes can be moved; decide those first, then read again".to_owned(),
        ),
        Kind::MoversOnly | Kind::Each => Fate::Planned,
        Kind::Together => Fate::Together,
    }
}

/// Somebody else's of the same id: used if it is the same and gives no more than may be given there whatever is decided.
fn foreign<'a>(scene: &Scene<'_>, pool: &Pool<'a>, there: &'a Coupon, wanted: Fields) -> (Fate<'a>, Fields) {
    let stands = terms::as_it_stands(there);
    let gives = (scene.solver.left)(there.counter);
    let free = pool.shares.free_if_open_stay;
    let differs = terms::differences(&wanted, &stands);
    let what = if let Some((_, why)) = &there.trouble {
        why.clone()
    } else if !differs.is_empty() {
        format!("it differs in {}", differs.join(", "))
    } else if !there.valid {
        "it is not valid".to_owned()
    } else if gives > free {
        format!("it gives more than may be given there: {gives} against {free}")
    } else {
        let why =
            "somebody made an equal one on the new account, which gives no more than was left".to_owned();
        return (Fate::There(there, "equal_exists", why), stands);
    };
    let why = format!("somebody made a coupon of this id on the new account, and {what}; it is left alone");
    (Fate::Blocked("coupon_differs".to_owned(), why), wanted)
}

/// The row; `None` where there is none.
pub(super) fn row(scene: &Scene<'_>, pool: &Pool<'_>, fate: &Fate<'_>, terms: &Fields) -> Option<Change> {
    let coupon = pool.coupon.filter(|_| fate.has_row())?;
    let made = made(scene, pool, coupon, fate, terms);
    let limit_after = match fate {
        Fate::There(there, ..) => assemble::limit(there.counter.limit),
        Fate::Planned => assemble::limit(pool.shares.free.kept()),
        _ => String::new(),
    };
    let used_after = match fate {
        Fate::There(there, ..) => there.counter.used.to_string(),
        _ => String::new(),
    };
    let payload = Payload::Coupon(CouponRow {
        id: coupon.id.clone(),
        terms: terms.clone(),
        used: coupon.counter.used,
        left: pool.c().kept(),
        redeem_by: coupon.redeem_by,
        closing: closing(pool),
        there: matches!(fate, Fate::There(..)),
    });
    let label = if coupon.label.as_str().is_empty() {
        safe(&coupon.id)
    } else {
        coupon.label.clone()
    };
    let about = About {
        key: assemble::coupon_key(&coupon.id),
        subject: coupon.id.clone(),
        label,
        item: "coupon",
    };
    let writes_or_asks = matches!(made.verdict, Verdict::Planned | Verdict::Blocked);
    let after = match (pool.there, writes_or_asks) {
        (Some(there), _) => terms::as_it_stands(there),
        (None, true) => terms.clone(),
        (None, false) => Fields::default(),
    };
    let mut change = assemble::row(about, made, &payload);
    let head = [
        (
            "max_redemptions",
            [assemble::limit(coupon.counter.limit), limit_after],
        ),
        ("times_redeemed", [coupon.counter.used.to_string(), used_after]),
    ];
    change.fields = assemble::sides(&head, &terms::as_it_stands(coupon), &after);
    change.working = working(pool, coupon);
    change.evidence = vec![assemble::of_coupon(Role::Source, coupon)];
    change.evidence.extend(
        pool.there
            .map(|there| assemble::of_coupon(Role::Destination, there)),
    );
    Some(change)
}

fn made(scene: &Scene<'_>, pool: &Pool<'_>, coupon: &Coupon, fate: &Fate<'_>, terms: &Fields) -> Made {
    let create = |cap: Option<&str>| vec![scene.effects.create_coupon(pool.id, terms, cap)];
    let given = || choices::set_left(pool, create);
    match fate {
        Fate::There(_, rule, why) => Made::noop(rule, why.clone()),
        Fate::Dead(dead, may_be_given) => {
            let why = code::dead(*dead, coupon.redeem_by, "coupon");
            if dead.needs_a_person() {
                return Made::blocked(dead.rule(), why);
            }
            let given = given().filter(|_| *may_be_given);
            Made::noop(dead.rule(), why).choosing(given.into_iter().collect())
        }
        Fate::Blocked(rule, why) => Made::blocked(rule, why.clone()),
        Fate::DirectOnly => direct_only(scene, pool, terms),
        Fate::Together => {
            let why = together(pool);
            Made::decision("shared", why, choices::of_coupon(scene, pool, terms))
        }
        Fate::Planned | Fate::Missing | Fate::Outside => {
            let limit = choices::cap(pool.shares.free);
            let (rule, why) = if pool.shares.left == Left::NoLimit {
                ("no_limit", "it has no limit, so nothing of it is shared")
            } else {
                ("movers_only", "only customers who move have live codes of it")
            };
            let with = limit.as_ref().map_or_else(
                || "without a limit, as before".to_owned(),
                |limit| {
                    format!(
                        "with the {limit} that {}",
                        if limit == "1" { "is left" } else { "are left" }
                    )
                },
            );
            let effect = format!("The coupon is created under the same id, {with}.");
            Made::planned(rule, why, effect, create(limit.as_deref())).choosing(given().into_iter().collect())
        }
    }
}

fn direct_only(scene: &Scene<'_>, pool: &Pool<'_>, terms: &Fields) -> Made {
    let create = |cap: Option<&str>| vec![scene.effects.create_coupon(pool.id, terms, cap)];
    let left = choices::cap(pool.shares.free);
    let with = left
        .as_ref()
        .map_or("no limit".to_owned(), |left| format!("a limit of {left}"));
    let means = format!(
        "it is created on the new account with {with}; the old one cannot be switched off, so the application must not \
         apply it any more"
    );
    let mut choices = vec![choices::choice(MOVE, means, create(left.as_deref()))];
    choices.extend(choices::set_left(pool, create));
    let why = "no live code leads to it: only the application can apply it".to_owned();
    let mut made = Made::decision("direct_only", why, choices);
    if scene.rules.settings.without_code == WithoutCode::Leave {
        made.verdict = Verdict::LeftOut;
        made.risk = Risk::Low;
        "Nothing is written; coupons without a code stay, as configured.".clone_into(&mut made.effect);
    }
    made
}

fn together(pool: &Pool<'_>) -> String {
    let live = pool.live;
    let mut parts = Vec::new();
    for (n, one, many) in [
        (live.open, "1 code for everybody", "codes for everybody"),
        (
            live.movers,
            "1 code of a customer who moves",
            "codes of customers who move",
        ),
        (live.kept, "1 code that stays", "codes that stay"),
    ] {
        match n {
            0 => {}
            1 => parts.push(one.to_owned()),
            n => parts.push(format!("{n} {many}")),
        }
    }
    let shared = match pool.shares.left {
        Left::NoLimit => "people who stay can use it too".to_owned(),
        Left::Uses(left) => format!("they share the {left} left"),
    };
    format!("{}: {shared}", parts.join(", "))
}

/// Codes that are closed whatever is decided, and those for everybody. Of a coupon without a limit none has to be: its
/// codes share nothing.
fn closing(pool: &Pool<'_>) -> Vec<String> {
    if pool.c() == Left::NoLimit {
        return Vec::new();
    }
    let moving = pool
        .members
        .iter()
        .filter(|member| matches!(member.place, Place::Moves | Place::Open));
    moving.map(|member| member.code.id.clone()).collect()
}

fn working(pool: &Pool<'_>, coupon: &Coupon) -> Vec<String> {
    let mut lines = vec![left::counted("coupon", coupon.counter)];
    let (live, shares) = (pool.live, pool.shares);
    if pool.left.is_err() || shares.left == Left::NoLimit {
        return lines;
    }
    if live.kept > 0 {
        lines.push(format!(
            "codes that stay: {} {} left of their own, so {} {} kept for them",
            live.kept_own,
            if live.kept == 1 { "is" } else { "are" },
            shares.kept,
            if shares.kept == Left::Uses(1) { "is" } else { "are" },
        ));
        lines.push(format!(
            "free: {} - {} = {}",
            shares.left, shares.kept, shares.free
        ));
    }
    if live.open > 0 {
        lines.push(format!(
            "free if codes for everybody stay: {}",
            shares.free_if_open_stay
        ));
    }
    let shown = pool
        .members
        .iter()
        .any(|member| matches!(member.place, Place::Stays(Stays::Share)));
    if shown {
        lines.push("an earlier run left a smaller code to those who stay".to_owned());
    }
    lines
}
