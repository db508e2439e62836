//! Pools: a coupon with all its codes, and what each code is to it. PURE.

use std::collections::BTreeMap;

use super::Scene;
use crate::domain::text::safe;
use crate::stages::coupons::collide::Texts;
use crate::stages::coupons::effects::{
    CLOSE_OLD, CREATE_CODE, MOST_OWN_KEYS, RECREATE_OLD, UNDO_RECREATE, UNDO_SETTLE, undo_of,
};
use crate::stages::coupons::facts::{Code, Coupon};
use crate::stages::coupons::left::{self, CodeCase, CouponCase, Dead, Left};
use crate::stages::coupons::who::{self, Kind, Live, Shares, Who};

/// Why a live code is not moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stays {
    /// Its customer is out of scope. No row: nobody has to do anything.
    Stayer,
    /// An earlier run made it, smaller, for those who stay.
    Share,
    /// It cannot be moved: rule and sentence.
    Stuck(String, String),
}

/// What a code is to its pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A dead code of somebody who stays.
    Outside,
    /// Live, and stays as it is.
    Stays(Stays),
    /// One customer's who moves; or an earlier run closed it already.
    Moves,
    /// Everybody's.
    Open,
    /// This one stands for it on the new account already.
    There(&'a Code),
    /// Nothing is left.
    Dead(Dead),
    /// Nothing to do: rule and sentence.
    Gone(&'static str, &'static str),
}

/// A code in its pool.
pub(super) struct Member<'a> {
    pub(super) code: &'a Code,
    pub(super) who: Who<'a>,
    /// p
    pub(super) own: Left,
    /// What an earlier run gave a smaller code of the same text on the old account.
    pub(super) given: Option<i64>,
    pub(super) place: Place<'a>,
    /// An earlier run closed it.
    pub(super) closed: bool,
}

/// A coupon and its codes.
pub(super) struct Pool<'a> {
    pub(super) id: &'a str,
    /// On the old account; `None`: deleted.
    pub(super) coupon: Option<&'a Coupon>,
    /// On the new account.
    pub(super) there: Option<&'a Coupon>,
    /// c, or why nothing is.
    pub(super) left: Result<Left, Dead>,
    pub(super) members: Vec<Member<'a>>,
    pub(super) live: Live,
    pub(super) shares: Shares,
    /// Uses of all codes together.
    pub(super) through_codes: i128,
}

impl Pool<'_> {
    /// Whether only customers who stay have to do with it.
    pub(super) fn is_outside(&self) -> bool {
        let stay = |member: &Member<'_>| matches!(member.place, Place::Outside | Place::Stays(Stays::Stayer));
        let lives = |member: &&Member<'_>| !matches!(member.place, Place::Dead(_) | Place::Gone(..));
        let kept_alone =
            self.live.kind(Left::NONE) == Kind::Outside && self.members.iter().filter(lives).all(stay);
        kept_alone || (!self.members.is_empty() && self.members.iter().all(stay))
    }

    /// What is left, nothing where it is dead.
    pub(super) fn c(&self) -> Left {
        self.left.unwrap_or(Left::NONE)
    }
}

/// Codes by what our marks say about them.
struct Marks<'a> {
    /// New codes by the old one they stand for.
    new: BTreeMap<&'a str, Vec<&'a Code>>,
    /// Smaller old codes, by the first one.
    shares: BTreeMap<&'a str, &'a Code>,
}

/// All pools, by the coupon's id.
pub(super) fn all<'a>(scene: &Scene<'a>) -> Vec<Pool<'a>> {
    let source = &scene.world.source;
    let mut codes: BTreeMap<&str, Vec<&Code>> = BTreeMap::new();
    for id in source.coupons.keys() {
        codes.insert(id, Vec::new());
    }
    for code in source.codes.values() {
        codes.entry(&code.coupon).or_default().push(code);
    }
    let marks = Marks::of(scene);
    let of = |(id, codes): (&'a str, Vec<&'a Code>)| pool(scene, &marks, id, &codes);
    let mut pools: Vec<_> = codes.into_iter().map(of).collect();
    take_out_collisions(scene, &mut pools);
    for pool in &mut pools {
        pool.live = live(pool);
        pool.shares = Shares::of(pool.c(), &pool.live, scene.solver);
    }
    pools
}

impl<'a> Marks<'a> {
    fn of(scene: &Scene<'a>) -> Self {
        let mut marks = Self {
            new: BTreeMap::new(),
            shares: BTreeMap::new(),
        };
        for code in scene.world.destination.codes.values() {
            if let Some(of) = code.of.as_deref() {
                marks.new.entry(of).or_default().push(code);
            }
        }
        for code in scene.world.source.codes.values() {
            let (Some(of), Some(effect)) = (code.of.as_deref(), code.effect.as_deref()) else {
                continue;
            };
            if effect == scene.effects.id(RECREATE_OLD, of).0 {
                marks.shares.insert(of, code);
            }
        }
        marks
    }

    /// The new code that stands for `old`: a live one, or whatever became of it if the old one is still closed for it.
    fn there(&self, scene: &Scene<'_>, old: &Code, closed: bool) -> Option<&'a Code> {
        let made = self.new.get(old.id.as_str())?;
        let live = made.iter().find(|code| code.active);
        let ours = || {
            let effect = scene.effects.id(CREATE_CODE, &old.id).0;
            made.iter().find(|code| code.effect.as_ref() == Some(&effect))
        };
        live.or_else(|| closed.then(ours).flatten()).copied()
    }
}

fn pool<'a>(scene: &Scene<'a>, marks: &Marks<'a>, id: &'a str, codes: &[&'a Code]) -> Pool<'a> {
    let world = scene.world;
    let coupon = world.source.coupons.get(id);
    let through_codes = codes.iter().map(|code| i128::from(code.counter.used)).sum();
    let negative = codes
        .iter()
        .any(|code| code.counter.used < 0 || code.counter.limit.is_some_and(|limit| limit < 0));
    let left = coupon.map_or(Err(Dead::Inactive), |coupon| {
        let case = CouponCase {
            counter: coupon.counter,
            through_codes,
            negative,
            redeem_by: coupon.redeem_by,
            valid: coupon.valid,
        };
        left::coupon(case, (scene.solver.left)(coupon.counter), world.now)
    });
    let members = codes
        .iter()
        .map(|code| member(scene, marks, coupon, left, code))
        .collect();
    let none = Live::default();
    Pool {
        id,
        coupon,
        there: world.destination.coupons.get(id),
        left,
        members,
        live: none,
        shares: Shares::of(Left::NONE, &none, scene.solver),
        through_codes,
    }
}

fn member<'a>(
    scene: &Scene<'a>,
    marks: &Marks<'a>,
    coupon: Option<&'a Coupon>,
    left: Result<Left, Dead>,
    code: &'a Code,
) -> Member<'a> {
    let closed = !code.active
        && code
            .effect
            .as_ref()
            .is_some_and(|effect| *effect == scene.effects.id(CLOSE_OLD, &code.id).0);
    let share = marks.shares.get(code.id.as_str()).filter(|_| closed);
    let given = share.and_then(|share| share.counter.limit);
    let own = (scene.solver.left)(code.counter);
    let given_left = given.map_or(0, |given| u64::try_from(given).unwrap_or(0));
    let mut member = Member {
        code,
        who: who::of(code.customer.as_deref(), &scene.world.people),
        own: own.less(Left::Uses(given_left)),
        given,
        place: Place::Outside,
        closed,
    };
    member.place = place(scene, marks, coupon, left, &member);
    member
}

fn place<'a>(
    scene: &Scene<'a>,
    marks: &Marks<'a>,
    coupon: Option<&'a Coupon>,
    left: Result<Left, Dead>,
    member: &Member<'a>,
) -> Place<'a> {
    let code = member.code;
    let case = CodeCase {
        own: member.own,
        expires_at: code.expires_at,
        open: code.active || member.closed,
    };
    let through = left::code(case, left, scene.world.now);
    if let Some(place) = made_by_us(scene, marks, code) {
        return place;
    }
    match member.who {
        Who::Deleted => {
            return Place::Gone(
                "customer_deleted",
                "its customer is deleted, so nobody can use it",
            );
        }
        Who::Stayer if through.is_ok() => return Place::Stays(Stays::Stayer),
        Who::Stayer => return Place::Outside,
        _ => {}
    }
    if let Some(there) = marks.there(scene, code, member.closed) {
        return Place::There(there);
    }
    if coupon.is_none() && code.active {
        let why = "it is active, but its coupon is not on the old account's list; read again";
        return Place::Stays(Stays::Stuck("coupon_missing".to_owned(), why.to_owned()));
    }
    if coupon.is_none() {
        return Place::Gone("coupon_deleted", "its coupon is deleted, so nobody can use it");
    }
    match (through, stuck(member)) {
        (Err(dead), _) => Place::Dead(dead),
        (Ok(_), Some((rule, why))) => Place::Stays(Stays::Stuck(rule, why)),
        (Ok(_), None) if member.closed || member.who != Who::Open => Place::Moves,
        (Ok(_), None) => Place::Open,
    }
}

/// What runs and undos before this one did to a code, but for closing it.
fn made_by_us<'a>(scene: &Scene<'_>, marks: &Marks<'a>, code: &Code) -> Option<Place<'a>> {
    let of = code.of.as_deref();
    let share = of.and_then(|of| marks.shares.get(of));
    if share.is_some_and(|share| share.id == code.id) && code.active {
        return Some(Place::Stays(Stays::Share));
    }
    let effect = code.effect.as_deref().filter(|_| !code.active)?;
    let undone = |made: &str, of: &str, op: &str| undo_of(&scene.effects.id(made, of), op).0 == effect;
    if undone(CLOSE_OLD, &code.id, UNDO_SETTLE) {
        let why = "an undo closed it for good: what was left of it, if anything, stands in another code of the same text";
        return Some(Place::Gone("given_back", why));
    }
    let of = of.filter(|of| share.is_some() || undone(RECREATE_OLD, of, UNDO_RECREATE));
    let why = "an earlier run made it for those who stay, and it is off";
    of.map(|_| Place::Gone("split_share", why))
}

/// Why a live code cannot be moved.
fn stuck(member: &Member<'_>) -> Option<(String, String)> {
    let said = |rule: &str, why: String| Some((rule.to_owned(), why));
    match member.who {
        Who::Absent { no_method: true, .. } => {
            let why = "its customer is in the region that moves but has no payment method, so the copy did not take it; \
                       the code stays until that is settled";
            return said("customer_absent", why.to_owned());
        }
        Who::Absent { .. } => {
            let why = "its customer is in scope but not on the new account; settle the copy of that customer, then read \
                       again";
            return said("customer_absent", why.to_owned());
        }
        _ => {}
    }
    if let Some(trouble) = &member.code.trouble {
        return Some(trouble.clone());
    }
    let keys = member.code.own_keys;
    if keys > MOST_OWN_KEYS {
        return said("too_many_metadata", too_many(keys));
    }
    None
}

/// Why an object with so many metadata keys is not copied.
pub(super) fn too_many(keys: usize) -> String {
    format!("it has {keys} metadata keys; Stripe allows fifty, of which this program needs four")
}

/// Codes whose text somebody else has, or two of ours would have: they stay.
fn take_out_collisions(scene: &Scene<'_>, pools: &mut [Pool<'_>]) {
    let (mut there, mut planned) = (Texts::default(), Texts::default());
    for code in scene.world.destination.codes.values().filter(|code| code.active) {
        there.add(&code.text, code.customer.as_deref(), &code.id);
    }
    let moving = |member: &Member<'_>| matches!(member.place, Place::Moves | Place::Open);
    for member in pools
        .iter()
        .flat_map(|pool| &pool.members)
        .filter(|member| moving(member))
    {
        let code = member.code;
        planned.add(&code.text, code.customer.as_deref(), &code.id);
    }
    for member in pools.iter_mut().flat_map(|pool| &mut pool.members) {
        if !moving(member) {
            continue;
        }
        let (text, customer) = (&member.code.text, member.code.customer.as_deref());
        let why = if let Some(holder) = there.taken(text, customer, "") {
            format!(
                "{} on the new account is active and has this text for the same people; texts are compared without \
                 regard to case",
                safe(holder)
            )
        } else if let Some(other) = planned.taken(text, customer, &member.code.id) {
            format!(
                "{} would get the same text for the same people; switch one of them off, then read again",
                safe(other)
            )
        } else {
            continue;
        };
        member.place = Place::Stays(Stays::Stuck("code_taken".to_owned(), why));
    }
}

fn live(pool: &Pool<'_>) -> Live {
    let mut live = Live::default();
    for member in &pool.members {
        match &member.place {
            Place::Moves => live.movers += 1,
            Place::Open => {
                live.open += 1;
                live.open_own = live.open_own.and(member.own);
            }
            // What stands on both sides without a limit shares nothing; with one, the old side still takes of the pool.
            Place::There(_) if !member.code.active => {}
            Place::There(_) | Place::Stays(_) => {
                live.kept += 1;
                live.kept_own = live.kept_own.and(member.own);
            }
            Place::Outside | Place::Dead(_) | Place::Gone(..) => {}
        }
    }
    live
}
