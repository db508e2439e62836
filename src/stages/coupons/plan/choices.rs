//! What a person may choose, and what each choice writes for the coupon and for each of its codes. PURE. One number is
//! given once, at the coupon's row; the same choice of each code's row has its own places for it.

use super::Scene;
use super::pools::{Member, Place, Pool};
use crate::domain::change::{Choice, Number};
use crate::domain::fields::Fields;
use crate::domain::write::{CAP, PlannedWrite, number};
use crate::stages::coupons::effects::{KEEP_BOTH, LEAVE, MOVE, SET_CODE_LEFT, SET_LEFT, SPLIT};
use crate::stages::coupons::facts::Counter;
use crate::stages::coupons::left::Left;

/// A limit in a form; `None`: none is sent.
pub(super) fn cap(left: Left) -> Option<String> {
    left.uses().map(|left| left.to_string())
}

/// The limit of a new code beside a coupon with `free`.
pub(super) fn code_cap(scene: &Scene<'_>, pool: &Pool<'_>, member: &Member<'_>, free: Left) -> Left {
    (scene.solver.cap)(member.own, free, pool.live.movers + pool.live.open)
}

/// The writes of one code.
pub(super) struct Writes {
    close: Option<PlannedWrite>,
    /// Of a code for everybody: only these are shared out.
    recreate: Option<PlannedWrite>,
    create: PlannedWrite,
    reopen: Option<PlannedWrite>,
}

impl Writes {
    pub(super) fn of(scene: &Scene<'_>, member: &Member<'_>) -> Self {
        let (effects, code) = (scene.effects, member.code);
        let open = !member.closed;
        Self {
            close: open.then(|| effects.close_old(&code.id)),
            recreate: (member.place == Place::Open).then(|| effects.recreate_old(code, "")),
            create: effects.create_code(code, Some("")),
            reopen: open.then(|| effects.reopen_old(&code.id)),
        }
    }

    /// The old one is closed, the new one made.
    pub(super) fn moved(&self, cap: Option<&str>) -> Vec<PlannedWrite> {
        let close = self.close.iter().cloned();
        close
            .chain([capped(&self.create, cap)])
            .chain(self.reopen.clone())
            .collect()
    }

    /// The old one is made again with what the number leaves of `whole`.
    fn split(&self, whole: u64) -> Vec<PlannedWrite> {
        let rest = number::rest_of(whole);
        let rest = self
            .recreate
            .as_ref()
            .map(|recreate| capped(recreate, Some(&rest)));
        let mut writes = self.moved(Some(number::GIVEN));
        let at = usize::from(self.close.is_some());
        writes.splice(at..at, rest);
        writes
    }

    /// The new one is made beside the old one.
    fn both(&self) -> Vec<PlannedWrite> {
        vec![capped(&self.create, None)]
    }
}

fn capped(write: &PlannedWrite, cap: Option<&str>) -> PlannedWrite {
    let mut write = write.clone();
    match cap {
        Some(cap) => write
            .form
            .iter_mut()
            .filter(|(name, _)| name == CAP)
            .for_each(|(_, value)| cap.clone_into(value)),
        None => write.form.retain(|(name, _)| name != CAP),
    }
    write
}

/// What can be decided about a pool whose codes are decided together.
#[derive(Clone, Copy)]
struct Table {
    /// Uses are free for the new account.
    can_move: bool,
    /// What is left for the new coupon if codes for everybody stay; `None`: then nothing is made there.
    beside_open: Option<Left>,
    /// What a single code for everybody can share out.
    whole: Option<u64>,
    /// Some code has no limit of any kind.
    keep_both: bool,
    /// The limit the coupon had when it was new.
    limit: Option<u64>,
}

impl Table {
    /// Asked for every code of a pool, so of its sums, never of all its codes.
    fn of(pool: &Pool<'_>) -> Self {
        let (shares, live) = (pool.shares, pool.live);
        let beside = shares.free_if_open_stay;
        let whole = live.open_own.min(shares.free).uses().filter(|_| live.open == 1);
        Self {
            can_move: shares.free != Left::NONE,
            beside_open: (live.movers > 0 && beside != Left::NONE).then_some(beside),
            whole: whole.filter(|whole| *whole >= 2),
            keep_both: shares.left == Left::NoLimit && live.open_own == Left::NoLimit,
            limit: most(pool.coupon.map(|coupon| coupon.counter)),
        }
    }
}

/// The largest number a person may give: the limit it had when it was new.
fn most(counter: Option<Counter>) -> Option<u64> {
    let limit = counter.and_then(|counter| counter.limit)?;
    u64::try_from(limit).ok().filter(|limit| *limit > 0)
}

/// Choices of the row of a coupon that is decided with its codes.
pub(super) fn of_coupon(scene: &Scene<'_>, pool: &Pool<'_>, terms: &Fields) -> Vec<Choice> {
    let (table, shares) = (Table::of(pool), pool.shares);
    let create = |cap: Option<&str>| vec![scene.effects.create_coupon(pool.id, terms, cap)];
    let mut all = Vec::new();
    if table.can_move {
        let kept = match shares.kept.uses() {
            Some(0) | None => String::new(),
            Some(kept) => format!(", and {kept} stay with the codes that stay"),
        };
        let means = format!(
            "codes for everybody and of customers who move are closed here and made on the new account, whose coupon \
             gets {}{kept}",
            said(shares.free)
        );
        all.push(choice(MOVE, means, create(cap(shares.free).as_deref())));
    }
    let (means, writes) = match table.beside_open {
        Some(beside) => (
            format!(
                "codes for everybody stay as they are; codes of customers who move are moved, beside a coupon with {}",
                said(beside)
            ),
            create(cap(beside).as_deref()),
        ),
        None => ("everything stays as it is".to_owned(), Vec::new()),
    };
    all.push(choice(LEAVE, means, writes));
    if let Some(whole) = table.whole {
        let cap = match shares.free {
            Left::NoLimit => None,
            Left::Uses(free) => Some(plus(free.saturating_sub(whole), None)),
        };
        all.push(split(whole, create(cap.as_deref())));
    }
    if table.keep_both {
        let means =
            "codes without any limit are made on the new account and stay here too; nothing is shared";
        all.push(choice(KEEP_BOTH, means.to_owned(), create(None)));
    }
    all.extend(set_left(pool, create));
    all
}

/// The choice of a coupon's row to give it another limit, if it had one.
pub(super) fn set_left(
    pool: &Pool<'_>,
    create: impl FnOnce(Option<&str>) -> Vec<PlannedWrite>,
) -> Option<Choice> {
    let most = Table::of(pool).limit?;
    let means =
        "a person says how many uses the new coupon has, whatever the arithmetic says; its codes follow";
    let usual = pool.shares.free.uses().unwrap_or(1);
    Some(number_given(
        SET_LEFT,
        means,
        create(Some(number::GIVEN)),
        most,
        usual,
    ))
}

/// What a code's row does under each choice of its coupon.
pub(super) fn beside_coupon(
    scene: &Scene<'_>,
    pool: &Pool<'_>,
    member: &Member<'_>,
    writes: &Writes,
) -> Vec<Choice> {
    let table = Table::of(pool);
    let is_open = member.place == Place::Open;
    let moved = |free: Left| writes.moved(cap(code_cap(scene, pool, member, free)).as_deref());
    let mut all = Vec::new();
    if table.can_move {
        let cap = code_cap(scene, pool, member, pool.shares.free);
        let means = format!("closed here, and made on the new account with {}", said(cap));
        all.push(choice(MOVE, means, moved(pool.shares.free)));
    }
    all.push(match table.beside_open.filter(|_| !is_open) {
        Some(free) => choice(
            LEAVE,
            "closed here, and made on the new account".to_owned(),
            moved(free),
        ),
        None => choice(LEAVE, STAYS.to_owned(), Vec::new()),
    });
    if let Some(whole) = table.whole {
        let writes = if is_open {
            writes.split(whole)
        } else {
            let more = pool.shares.free.uses().unwrap_or(whole).saturating_sub(whole);
            let cap = member.own.uses().map(|own| plus(more, Some(own)));
            writes.moved(cap.as_deref())
        };
        all.push(split(whole, writes));
    }
    if table.keep_both {
        all.push(if member.own == Left::NoLimit {
            choice(
                KEEP_BOTH,
                "made on the new account, and stays here too".to_owned(),
                writes.both(),
            )
        } else {
            choice(KEEP_BOTH, STAYS.to_owned(), Vec::new())
        });
    }
    all.extend(with_set_left(pool, member, writes));
    all
}

const STAYS: &str = "stays as it is";

/// What a code's row does when a person gives its coupon another limit.
pub(super) fn with_set_left(pool: &Pool<'_>, member: &Member<'_>, writes: &Writes) -> Option<Choice> {
    let most = Table::of(pool).limit?;
    let cap = member.own.uses().map(number::up_to);
    let means = "closed here, and made on the new account with no more than the number";
    let usual = pool.shares.free.uses().unwrap_or(1);
    Some(number_given(
        SET_LEFT,
        means,
        writes.moved(cap.as_deref()),
        most,
        usual,
    ))
}

/// Choices of a code that shares nothing with others: its coupon has no limit, or is on the new account already, where
/// it has `free`.
pub(super) fn of_open(free: Left, member: &Member<'_>, cap_now: Left, writes: &Writes) -> Vec<Choice> {
    let mut all = vec![
        choice(
            MOVE,
            format!("closed here, and made on the new account with {}", said(cap_now)),
            writes.moved(cap(cap_now).as_deref()),
        ),
        choice(LEAVE, STAYS.to_owned(), Vec::new()),
    ];
    if free != Left::NoLimit {
        return all;
    }
    match member.own {
        Left::NoLimit => all.push(choice(
            KEEP_BOTH,
            "made on the new account, and stays here too; nothing is shared".to_owned(),
            writes.both(),
        )),
        Left::Uses(whole) if whole >= 2 => all.push(split(whole, writes.split(whole))),
        Left::Uses(_) => {}
    }
    all
}

/// The choice of a code's row to give it another limit. `now`: what it would get without.
pub(super) fn set_code_left(
    pool: &Pool<'_>,
    member: &Member<'_>,
    now: Left,
    writes: &Writes,
) -> Option<Choice> {
    let of_coupon = || most(pool.coupon.map(|coupon| coupon.counter));
    let most = most(Some(member.code.counter)).or_else(of_coupon)?;
    // There is nothing to choose between one and one.
    if Left::Uses(most) == now && most == 1 {
        return None;
    }
    let means = "a person says how many uses the new code has, whatever the arithmetic says; its coupon's limit holds";
    let usual = now.uses().unwrap_or(1);
    Some(number_given(
        SET_CODE_LEFT,
        means,
        writes.moved(Some(number::GIVEN)),
        most,
        usual,
    ))
}

/// The number and `more`, but no more than `most`.
fn plus(more: u64, most: Option<u64>) -> String {
    match (more, most) {
        (0, None) => number::GIVEN.to_owned(),
        (0, Some(most)) => number::up_to(most),
        (more, None) => number::and(more),
        (more, Some(most)) => number::and_up_to(more, most),
    }
}

fn said(left: Left) -> String {
    match left {
        Left::NoLimit => "no limit".to_owned(),
        Left::Uses(1) => "1 use".to_owned(),
        Left::Uses(n) => format!("{n} uses"),
    }
}

pub(super) fn choice(name: &str, means: String, writes: Vec<PlannedWrite>) -> Choice {
    Choice {
        name: name.to_owned(),
        means,
        writes,
        sign_off: false,
        number: None,
    }
}

fn split(whole: u64, writes: Vec<PlannedWrite>) -> Choice {
    let means = format!(
        "of {whole} uses a number goes to the new account; the rest stays, in a smaller code of the same text"
    );
    let mut choice = choice(SPLIT, means, writes);
    choice.number = Some(Number {
        asks: "uses on the new account".to_owned(),
        least: 1,
        most: whole - 1,
        usual: whole / 2,
    });
    choice
}

fn number_given(name: &str, means: &str, writes: Vec<PlannedWrite>, most: u64, usual: u64) -> Choice {
    let mut choice = choice(name, means.to_owned(), writes);
    choice.sign_off = true;
    choice.number = Some(Number {
        asks: "uses on the new account".to_owned(),
        least: 1,
        most,
        usual: usual.clamp(1, most),
    });
    choice
}
