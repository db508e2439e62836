//! What may happen to a pool between two steps, and whether it can.

use super::model_world_tests::{Account, Code, World};
use crate::domain::ids::Role;
use crate::domain::write::marker;

/// What may happen between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A customer uses the code at this place of an account.
    Use(Role, usize),
    /// The application applies the old coupon.
    UseCoupon,
    /// Somebody switches a closed code of the old account on again.
    Reopen(usize),
    /// Somebody switches a code of the old account off.
    SwitchOff(usize),
    /// Every expiry passes.
    Expire,
    DeleteOldCoupon,
    DeleteNewCoupon,
    /// Somebody else makes a coupon of that id on the new account.
    ForeignCoupon,
    /// Somebody else makes a code of that text on the new account.
    ForeignCode(usize),
    /// The process dies.
    Crash,
    /// The next request is refused.
    Refuse,
    /// The next request has no answer and cannot be found out about: it happened, or not.
    Lose(bool),
}

/// Kinds of events a world is put through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uses,
    UsesOfCoupon,
    Reopens,
    SwitchesOff,
    Expires,
    Deletes,
    Foreign,
    Crashes,
    Refusals,
    Losses,
}

/// What can happen now. A request is spoilt in one way at a time: `calm`.
pub(super) fn possible(world: &World, kinds: &[Kind], calm: bool) -> Vec<Event> {
    kinds
        .iter()
        .flat_map(|kind| of_kind(world, *kind, calm))
        .collect()
}

fn of_kind(world: &World, kind: Kind, calm: bool) -> Vec<Event> {
    let now = world.now;
    let codes = |keep: &dyn Fn(&Code) -> bool| {
        let all = world.old.codes.iter().enumerate();
        all.filter(|(_, code)| keep(code))
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let closed_by_us = |code: &Code| !code.active && code.marks.contains_key(marker::EFFECT);
    let free = |code: &Code| {
        !world
            .old
            .codes
            .iter()
            .any(|other| other.active && other.text == code.text)
    };
    let can_reopen =
        |code: &Code| closed_by_us(code) && free(code) && code.left() > 0 && world.old.coupon_left() > 0;
    match kind {
        Kind::Uses => {
            let live = |role, account: &Account| {
                let all = account.codes.iter().enumerate();
                let ours = |code: &Code| role == Role::Source || code.marks.contains_key(marker::OF);
                let live = all.filter(|(_, code)| account.is_live(code, now) && ours(code));
                live.map(|(at, _)| Event::Use(role, at)).collect::<Vec<_>>()
            };
            let mut all = live(Role::Source, &world.old);
            all.extend(live(Role::Destination, &world.new));
            all
        }
        Kind::UsesOfCoupon if world.old.coupon_left() > 0 => vec![Event::UseCoupon],
        Kind::Reopens => codes(&can_reopen).into_iter().map(Event::Reopen).collect(),
        Kind::SwitchesOff => codes(&|code| code.active)
            .into_iter()
            .map(Event::SwitchOff)
            .collect(),
        Kind::Expires if now < 10_000 => vec![Event::Expire],
        Kind::Deletes => {
            let old = world.old.coupon.is_some().then_some(Event::DeleteOldCoupon);
            let new = world.new.coupon.is_some().then_some(Event::DeleteNewCoupon);
            old.into_iter().chain(new).collect()
        }
        Kind::Foreign => {
            let code = world.new.codes.is_empty().then_some(Event::ForeignCode(0));
            let coupon = world.new.coupon.is_none().then_some(Event::ForeignCoupon);
            code.into_iter().chain(coupon).collect()
        }
        Kind::Crashes => vec![Event::Crash],
        Kind::Refusals if calm => vec![Event::Refuse],
        Kind::Losses if calm => {
            vec![Event::Lose(true), Event::Lose(false)]
        }
        Kind::UsesOfCoupon | Kind::Expires | Kind::Refusals | Kind::Losses => Vec::new(),
    }
}
