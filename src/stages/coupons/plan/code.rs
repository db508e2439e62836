//! The row of a promotion code. PURE.

use super::Scene;
use super::assemble::{self, About, Made};
use super::choices::{self, Writes};
use super::coupon::Fate;
use super::pools::{Member, Place, Pool, Stays};
use crate::domain::change::{Change, ChangeKey, Choice, Risk, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::coupons::effects::{CodeRow, Payload};
use crate::stages::coupons::facts::Code;
use crate::stages::coupons::left::{self, Dead, Left};
use crate::stages::coupons::who::Who;

/// The row; `None` for the code of somebody who stays.
pub(super) fn row(
    scene: &Scene<'_>,
    pool: &Pool<'_>,
    member: &Member<'_>,
    fate: &Fate<'_>,
) -> Option<Change> {
    let there = match &member.place {
        Place::Outside | Place::Stays(Stays::Stayer) => return None,
        Place::There(there) => Some(*there),
        _ => None,
    };
    let (code, made) = (member.code, made(scene, pool, member, fate));
    let through = member.own.min(pool.c());
    let ends = pool.coupon.and_then(|coupon| coupon.redeem_by);
    let payload = Payload::Code(CodeRow {
        old: code.id.clone(),
        text: code.text.clone(),
        coupon: code.coupon.clone(),
        customer: code.customer.clone(),
        terms: code.terms.clone(),
        used: code.counter.used,
        left: through.kept(),
        expires_at: code.expires_at.into_iter().chain(ends).min(),
        closed: member.closed,
        coupon_there: matches!(fate, Fate::There(..)),
        there: there.map(|there| there.id.clone()),
    });
    let label = match member.who {
        Who::Mover(label) | Who::Absent { label, .. } => label.clone(),
        _ => safe(&code.text),
    };
    let about = About {
        key: format!("code/{}", code.id),
        subject: code.coupon.clone(),
        label,
        item: if code.customer.is_some() {
            "code of one customer"
        } else {
            "code for everybody"
        },
    };
    let decided_there =
        matches!(made.verdict, Verdict::Planned | Verdict::Blocked) || !made.choices.is_empty();
    let with = (fate.has_row() && decided_there).then(|| ChangeKey(assemble::coupon_key(pool.id)));
    let fields = sides(member, there, &made);
    let mut change = assemble::row(about, made, &payload);
    if code.first_time && matches!(change.verdict, Verdict::Planned | Verdict::Blocked) {
        change.risk = change.risk.max(Risk::Medium);
        change.why += "; it is for first purchases, and on a new account everybody's is the first";
    }
    change.with = with;
    change.fields = fields;
    change.working = working(pool, member);
    change.evidence = vec![assemble::of_code(Role::Source, code)];
    change
        .evidence
        .extend(there.map(|there| assemble::of_code(Role::Destination, there)));
    Some(change)
}

fn made(scene: &Scene<'_>, pool: &Pool<'_>, member: &Member<'_>, fate: &Fate<'_>) -> Made {
    match &member.place {
        Place::There(there) if there.active => {
            Made::noop("already_there", "an earlier run created it".to_owned())
        }
        Place::There(_) => {
            let why =
                "an earlier run created it, and it is used up, expired or switched off there".to_owned();
            Made::noop("already_there", why)
        }
        Place::Gone(rule, why) => Made::noop(rule, (*why).to_owned()),
        Place::Stays(Stays::Stuck(rule, why)) => Made::blocked(rule, why.clone()),
        Place::Stays(Stays::Share) => {
            let why = "an earlier run made it, smaller, for those who stay".to_owned();
            Made::noop("split_share", why)
        }
        Place::Stays(Stays::Stayer) | Place::Outside => Made::noop("stays", "its customer stays".to_owned()),
        Place::Dead(dead) => of_dead(scene, pool, member, fate, *dead),
        Place::Moves | Place::Open => alive(scene, pool, member, fate),
    }
}

fn of_dead(scene: &Scene<'_>, pool: &Pool<'_>, member: &Member<'_>, fate: &Fate<'_>, dead: Dead) -> Made {
    let ends = pool.coupon.and_then(|coupon| coupon.redeem_by);
    let ends = member.code.expires_at.into_iter().chain(ends).min();
    let why = self::dead(dead, ends, "code");
    if dead.needs_a_person() {
        return Made::blocked(dead.rule(), why);
    }
    let may_be_given = matches!(dead, Dead::Exhausted | Dead::Inactive)
        && fate.may_be_there()
        && matches!(member.who, Who::Mover(_) | Who::Open)
        && member.code.trouble.is_none();
    let mut given: Vec<Choice> = Vec::new();
    if may_be_given {
        let writes = Writes::of(scene, member);
        // Used up only because its coupon is: it follows when a person gives the coupon uses.
        if matches!(fate, Fate::Dead(..)) && member.own != Left::NONE {
            given.extend(choices::with_set_left(pool, member, &writes));
        }
        given.extend(choices::set_code_left(pool, member, Left::NONE, &writes));
    }
    Made::noop(dead.rule(), why).choosing(given)
}

/// Why nothing is created of a dead coupon or code.
pub(super) fn dead(dead: Dead, ends: Option<i64>, what: &str) -> String {
    match dead {
        Dead::Contradict => {
            "the counters contradict each other: its codes were used more often than the coupon, or one is below \
             nothing; nobody can say what is left"
                .to_owned()
        }
        Dead::Expired => {
            let day = ends.map_or_else(String::new, |at| format!(" on {}", UtcMs::from_secs(at).day()));
            format!("the {what} expired{day}")
        }
        Dead::Exhausted => "nothing is left of it".to_owned(),
        Dead::Inactive => "somebody switched it off".to_owned(),
        Dead::NotValid => {
            "Stripe says the coupon is not valid, although it is neither expired nor used up; look at it".to_owned()
        }
    }
}

fn alive(scene: &Scene<'_>, pool: &Pool<'_>, member: &Member<'_>, fate: &Fate<'_>) -> Made {
    let is_open = member.place == Place::Open;
    let writes = Writes::of(scene, member);
    match fate {
        Fate::Together => {
            let choices = choices::beside_coupon(scene, pool, member, &writes);
            let why = if is_open {
                "everybody can use it, those who stay too; it is decided with its coupon"
            } else {
                "its customer moves, but its coupon is shared with others; it is decided with its coupon"
            };
            Made::decision("shared", why.to_owned(), choices)
        }
        Fate::Planned | Fate::There(..) => {
            let free = match fate {
                Fate::There(there, ..) => pool.shares.free.min((scene.solver.left)(there.counter)),
                _ => pool.shares.free,
            };
            let cap = choices::code_cap(scene, pool, member, free);
            if free == Left::NONE || cap == Left::NONE {
                let why = "its coupon on the new account has nothing left for it; give it uses there, or leave it out";
                return Made::blocked("coupon_used_up", why.to_owned());
            }
            if is_open {
                let why = "everybody can use it, those who stay too".to_owned();
                return Made::decision("open_code", why, choices::of_open(free, member, cap, &writes));
            }
            planned(pool, member, fate, cap, &writes)
        }
        Fate::Missing | Fate::Outside | Fate::Dead(..) | Fate::Blocked(..) | Fate::DirectOnly => {
            let why = "its coupon is not created before a person decides about it; decide that one first, then read \
                       again";
            Made::blocked("coupon_blocked", why.to_owned())
        }
    }
}

fn planned(pool: &Pool<'_>, member: &Member<'_>, fate: &Fate<'_>, cap: Left, writes: &Writes) -> Made {
    let (rule, why) = match (member.closed, member.who) {
        (true, _) => (
            "closed_before",
            "an earlier run closed it, and it is not made yet",
        ),
        (false, _) => ("moves", "one customer, who moves, can use it"),
    };
    let with = match (cap, pool.c()) {
        (Left::NoLimit, Left::NoLimit) => "without a limit, as before".to_owned(),
        (Left::NoLimit, Left::Uses(_)) => "without a limit of its own: the coupon's holds".to_owned(),
        (Left::Uses(1), _) => "for 1 use".to_owned(),
        (Left::Uses(n), _) => format!("for {n} uses"),
    };
    let first = if member.closed {
        ""
    } else {
        "The old code is switched off, then "
    };
    let effect = format!("{first}the same code is created on the new account, {with}.");
    let effect = if member.closed {
        effect.replacen("the same", "The same", 1)
    } else {
        effect
    };
    let mut more = Vec::new();
    // A code that could give more than its coupon has follows when a person gives the coupon more.
    let follows = matches!(fate, Fate::Planned) && member.own.uses().is_some() && member.own > pool.c();
    if follows {
        more.extend(choices::with_set_left(pool, member, writes));
    }
    more.extend(choices::set_code_left(pool, member, cap, writes));
    Made::planned(rule, why, effect, writes.moved(choices::cap(cap).as_deref())).choosing(more)
}

fn sides(member: &Member<'_>, there: Option<&Code>, made: &Made) -> Vec<crate::domain::change::Field> {
    let code = member.code;
    let cap = |writes: &[crate::domain::write::PlannedWrite]| {
        let create = writes
            .iter()
            .find(|write| write.op == super::super::effects::CREATE_CODE);
        let cap = create.and_then(|write| {
            write
                .form
                .iter()
                .find(|(name, _)| name == crate::domain::write::CAP)
        });
        cap.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let will_be = matches!(made.verdict, Verdict::Planned | Verdict::Blocked);
    let same = |value: &str| {
        let after = match there {
            Some(_) => value.to_owned(),
            None if will_be => value.to_owned(),
            None => String::new(),
        };
        [value.to_owned(), after]
    };
    let after = match there {
        Some(there) => there.terms.clone(),
        None if will_be => code.terms.clone(),
        None => Fields::default(),
    };
    let (limit, used) = match there {
        Some(there) => (
            assemble::limit(there.counter.limit),
            there.counter.used.to_string(),
        ),
        None => (cap(&made.writes), String::new()),
    };
    let head = [
        ("code", same(&code.text)),
        ("promotion[coupon]", same(&code.coupon)),
        ("customer", same(code.customer.as_deref().unwrap_or_default())),
        ("max_redemptions", [assemble::limit(code.counter.limit), limit]),
        ("times_redeemed", [code.counter.used.to_string(), used]),
    ];
    assemble::sides(&head, &code.terms, &after)
}

fn working(pool: &Pool<'_>, member: &Member<'_>) -> Vec<String> {
    let mut lines = Vec::with_capacity(4);
    lines.extend(pool.coupon.map(|coupon| left::counted("coupon", coupon.counter)));
    lines.push(left::counted("code", member.code.counter));
    if let Some(given) = member.given {
        lines.push(format!(
            "an earlier run left {given} of that to those who stay, so {}",
            member.own
        ));
    }
    if matches!(member.place, Place::Moves | Place::Open | Place::Stays(_)) {
        lines.push(left::through(member.own, pool.c()));
        if pool.shares.kept > Left::NONE
            && pool.c() != Left::NoLimit
            && !matches!(member.place, Place::Stays(_))
        {
            lines.push(format!("free of the coupon: {}", pool.shares.free));
        }
    }
    lines
}
