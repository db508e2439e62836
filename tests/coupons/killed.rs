//! Killed at any record of its journal and taken up again: coupons and codes end as if nothing had happened, forwards
//! and back.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::night::{Night, Standing, apply_line, stage};
use crate::support::{Approval, Said, at_a_time};

const SIGKILL: i32 = 9;
/// More than such a run has boundaries, at every third of them; the loop ends where a run survives.
const BOUNDARIES: usize = 60;
const STRIDE: usize = 3;

/// A limited coupon with two codes of movers, and one that is split.
const FEW: &str = r#"
[[coupon]]
id = "POOL"
percent_off = 20
max_redemptions = 10
used = 7

[[code]]
coupon = "POOL"
code = "A"
customer = "cus_ada"
max_redemptions = 5
used = 4

[[code]]
coupon = "POOL"
code = "B"
customer = "cus_ben"
used = 3

[[coupon]]
id = "FOR-ALL"
percent_off = 20
max_redemptions = 10
used = 4

[[code]]
coupon = "FOR-ALL"
code = "ALL"
used = 4
"#;

type Ends = [BTreeMap<String, Standing>; 2];

fn both(night: &Night) -> Ends {
    ["source", "destination"].map(|side| night.pools(side))
}

/// While a stage is undone, the new coupon stands without a code until the last old code is given back: only the
/// application could apply it, which the simulator counts. Nothing else may happen.
fn only_without_a_code(night: &Night) {
    for (rule, why) in night.violations() {
        assert!(
            rule == "redeemable-twice" && why.starts_with("coupon "),
            "{rule}: {why}"
        );
    }
}

fn planned() -> (Night, Approval) {
    let night = Night::described(FEW);
    let approved = night.plan(&[("coupon FOR-ALL", "split", "2")]);
    (night, approved)
}

/// Runs this and is killed at that boundary. Whether it was; otherwise it ended well.
fn is_killed(night: &Night, line: &str, at: usize) -> bool {
    let mut command = night.desk.command(line);
    let output = command.env("CUTOVER_CRASH_AT", at.to_string()).output().unwrap();
    if output.status.signal() == Some(SIGKILL) {
        return true;
    }
    assert_eq!(output.status.code(), Some(0), "at {at}: {:?}", Said::from(output));
    false
}

fn all_done(said: &Said, at: usize) {
    let stage = stage(said);
    assert_eq!(
        (&stage["phase"], &stage["done"], &stage["planned"]),
        (&"done".into(), &5.into(), &5.into()),
        "killed at {at}: {said:?}"
    );
}

/// At every boundary from the first, until a run survives; `kill` says whether one was killed.
fn at_every_boundary(kill: impl Fn(usize) -> bool + Sync) {
    let (survived, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    at_a_time(4, BOUNDARIES, |nth| {
        if survived.load(Ordering::Relaxed) {
            return;
        }
        if kill(nth * STRIDE) {
            kills.fetch_add(1, Ordering::Relaxed);
        } else {
            survived.store(true, Ordering::Relaxed);
        }
    });
    assert!(survived.into_inner(), "no run came to its end undisturbed");
    assert!(kills.into_inner() > 5);
}

#[test]
fn coupons_killed_at_any_record_end_like_those_left_alone() {
    let (night, approved) = planned();
    all_done(&night.apply(&approved).ends(0), 0);
    let whole = both(&night);
    assert_eq!(whole[1]["coupon POOL"].max, Some(3));
    at_every_boundary(|at| {
        let (night, approved) = planned();
        let killed = is_killed(&night, &apply_line("run", &approved), at);
        all_done(&night.apply(&approved).ends(0), at);
        night.nobody_is_harmed();
        assert_eq!(both(&night), whole, "killed at {at}");
        night.desk.verify("run");
        killed
    });
}

/// The command that takes the night back, as the refusal of a wrong phrase spells it. `None`: nothing is left to be.
fn undo_line(night: &Night) -> Option<String> {
    let refused = night.desk.call("undo coupons --json --run run --confirm nothing");
    assert_eq!(refused.code, Some(5), "{refused:?}");
    if refused.err.contains("nothing is left that") {
        return None;
    }
    let phrase = refused.err.trim_end().split_once("type: ");
    let (_, phrase) = phrase.unwrap_or_else(|| panic!("{refused:?}"));
    Some(format!("undo coupons --json --run run --confirm '{phrase}'"))
}

#[test]
fn an_undo_killed_at_any_record_ends_like_one_left_alone() {
    let taken_back = || {
        let (night, approved) = planned();
        let before = both(&night);
        night.apply(&approved).ends(0);
        let line = undo_line(&night).unwrap();
        (night, before, line)
    };
    let (night, before, line) = taken_back();
    night.desk.call(&line).ends(0);
    let whole = both(&night);
    assert_eq!(
        whole[1].values().filter(|there| there.live).count(),
        0,
        "{whole:?}"
    );
    assert_eq!(whole[0], before[0]);
    at_every_boundary(|at| {
        let (night, _, line) = taken_back();
        let killed = is_killed(&night, &line, at);
        // What was in flight is looked up as the run is opened, and that may have been the last of it.
        if let Some(again) = undo_line(&night).filter(|_| killed) {
            night.desk.call(&again).ends(0);
        }
        only_without_a_code(&night);
        assert_eq!(both(&night), whole, "killed at {at}");
        night.desk.verify("run");
        killed
    });
}

#[test]
fn what_others_made_stays_and_what_was_used_since_is_not_given_back() {
    let (night, approved) = planned();
    night.apply(&approved).ends(0);
    let new = &night.world.destination;
    new.post("/v1/coupons", "id=THEIRS&percent_off=5&duration=once");
    new.post(
        "/v1/promotion_codes",
        "promotion[type]=coupon&promotion[coupon]=THEIRS&code=THEIRS",
    );
    new.post("/_cutover/redeem", "code=B&customer=cus_ben");
    night.desk.call(&undo_line(&night).unwrap()).ends(0);
    let [old, new] = both(&night);
    let theirs: Vec<&str> = new.keys().map(String::as_str).collect();
    assert_eq!(theirs, ["code THEIRS of THEIRS", "coupon THEIRS"]);
    assert!(new.values().all(|there| there.live));
    // Three were left of the coupon, and one of them was used over there: all codes together can take two.
    let left = |name: &str| old[name].max.map(|max| max - old[name].used);
    assert_eq!(
        (left("code A of POOL"), left("code B of POOL")),
        (Some(1), Some(1))
    );
    assert!(old.values().all(|there| there.live), "{old:?}");
}
