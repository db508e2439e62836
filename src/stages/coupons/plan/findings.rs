//! What has to be known about pools beyond their rows. PURE. One finding for a pool and a rule, with the count: a pool
//! may have thousands of codes.

use super::coupon::Fate;
use super::pools::{Place, Pool, Stays};
use crate::domain::change::{Change, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{Role, StageId};
use crate::domain::money::count;
use crate::domain::text::safe;
use crate::stages::coupons::left::Left;

pub(super) fn of_pool(pool: &Pool<'_>, fate: &Fate<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    if matches!(fate, Fate::Outside) {
        return all;
    }
    all.extend(first_time(pool));
    all.extend(both_open(pool));
    if matches!(fate, Fate::Planned | Fate::Together | Fate::There(..)) {
        all.extend(kept(pool));
        all.extend(direct(pool));
    }
    if let Fate::There(there, "already_there", _) = fate
        && ![pool.shares.free, pool.shares.free_if_open_stay]
            .map(Left::kept)
            .contains(&there.counter.limit)
    {
        let limit = there
            .counter
            .limit
            .map_or("no limit".to_owned(), |limit| limit.to_string());
        let why = format!(
            "an earlier run created it with {limit} (a limit cannot be changed); reckoned now it would be {}",
            pool.shares.free
        );
        all.push(finding(pool.id, "limit_of_earlier_run", why, Severity::Warn));
    }
    all
}

/// Limited coupons that are or may be created, while the old one stays without a switch.
pub(super) fn no_switch(changes: &[Change]) -> Option<Finding> {
    let limited = |change: &&Change| {
        change.item == "coupon"
            && matches!(change.verdict, Verdict::Planned | Verdict::Blocked)
            && change.working.iter().any(|line| line.contains(" allowed - "))
    };
    let n = changes.iter().filter(limited).count();
    let why = format!(
        "{} with a limit can still be applied on the old account without a code: a coupon has no switch, so nobody may \
         apply one there while this runs",
        many(n, "coupon")
    );
    (n > 0).then(|| finding(Role::Source.word(), "no_switch", why, Severity::Note))
}

fn first_time(pool: &Pool<'_>) -> Option<Finding> {
    let moving = pool
        .members
        .iter()
        .filter(|member| matches!(member.place, Place::Moves | Place::Open));
    let n = moving.filter(|member| member.code.first_time).count();
    let why = format!(
        "{} of it {} for first purchases only; Stripe counts payments of one account, so on the new one everybody can use \
         {} again",
        many(n, "code"),
        if n == 1 { "is" } else { "are" },
        if n == 1 { "it" } else { "them" },
    );
    (n > 0).then(|| finding(pool.id, "first_time", why, Severity::Warn))
}

fn kept(pool: &Pool<'_>) -> Option<Finding> {
    let stayers = pool
        .members
        .iter()
        .filter(|member| member.place == Place::Stays(Stays::Stayer));
    let n = stayers.count();
    let limited = pool.shares.left != Left::NoLimit;
    let why = format!(
        "{} of customers who stay {} untouched; of {} left {} {} kept for codes that stay",
        many(n, "code"),
        if n == 1 { "is" } else { "are" },
        pool.shares.left,
        pool.shares.kept,
        if pool.shares.kept == Left::Uses(1) {
            "is"
        } else {
            "are"
        },
    );
    (n > 0 && limited).then(|| finding(pool.id, "kept_for_stayers", why, Severity::Note))
}

fn direct(pool: &Pool<'_>) -> Option<Finding> {
    let direct = i128::from(pool.coupon?.counter.used) - pool.through_codes;
    let why = format!(
        "{direct} of its uses came without a code: the application applies it too, and nothing but the application's \
         freeze keeps it from doing so while this runs"
    );
    (direct > 0).then(|| finding(pool.id, "direct_uses", why, Severity::Note))
}

/// A code that is live on both sides although something limits it.
fn both_open(pool: &Pool<'_>) -> Option<Finding> {
    let both = pool.members.iter().filter(|member| {
        let there = matches!(member.place, Place::There(there) if there.active);
        there && member.code.active && member.own.min(pool.c()) != Left::NoLimit
    });
    let n = both.count();
    let why = format!(
        "{} of it {} active on both accounts although the uses are limited: somebody switched the old one on again",
        many(n, "code"),
        if n == 1 { "is" } else { "are" },
    );
    (n > 0).then(|| finding(pool.id, "active_on_both", why, Severity::Warn))
}

fn many(n: usize, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

pub(super) fn finding(subject: &str, rule: &str, reason: String, severity: Severity) -> Finding {
    Finding {
        stage: StageId::Coupons,
        customer: safe(subject).to_string(),
        rule: rule.to_owned(),
        reason,
        severity,
        money: None,
    }
}
