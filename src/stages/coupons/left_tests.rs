use proptest::prelude::*;

use super::*;

const NOW: i64 = 100;

fn limits() -> impl Iterator<Item = Option<i64>> {
    std::iter::once(None).chain((-1..=4).map(Some))
}

fn times() -> [Option<i64>; 4] {
    [None, Some(NOW - 1), Some(NOW), Some(NOW + 1)]
}

/// The page's first table, asked of every small coupon.
#[test]
fn a_coupon_is_dead_for_the_first_reason_that_holds() {
    for (limit, used) in limits().flat_map(|limit| (-1..=5).map(move |used| (limit, used))) {
        for (redeem_by, valid) in times().into_iter().flat_map(|at| [(at, true), (at, false)]) {
            for through_codes in 0..=5_i64 {
                let counter = Counter { limit, used };
                let case = CouponCase {
                    counter,
                    through_codes: through_codes.into(),
                    negative: false,
                    redeem_by,
                    valid,
                };
                let got = coupon(case, Left::of(counter), NOW);
                let want = if used < 0 || limit.is_some_and(|limit| limit < 0) || through_codes > used {
                    Err("counters_contradict")
                } else if redeem_by.is_some_and(|at| at <= NOW) {
                    Err("expired")
                } else if limit.is_some_and(|limit| limit - used <= 0) {
                    Err("exhausted")
                } else if valid {
                    Ok(limit.map(|limit| limit - used))
                } else {
                    Err("not_valid")
                };
                assert_eq!(got.map(Left::kept).map_err(Dead::rule), want, "{case:?}");
            }
        }
    }
}

#[test]
fn a_code_gives_the_smaller_of_both_or_says_why_nothing() {
    let coupons = [
        Ok(Left::NoLimit),
        Ok(Left::Uses(1)),
        Ok(Left::Uses(3)),
        Err(Dead::Contradict),
        Err(Dead::Expired),
        Err(Dead::Exhausted),
        Err(Dead::NotValid),
    ];
    for (limit, used) in limits().flat_map(|limit| (0..=5).map(move |used| (limit, used))) {
        for (expires_at, open) in times().into_iter().flat_map(|at| [(at, true), (at, false)]) {
            for of in coupons {
                let case = CodeCase {
                    own: Left::of(Counter { limit, used }),
                    expires_at,
                    open,
                };
                let p = limit.map(|limit| limit - used);
                let want = match of {
                    Err(Dead::Contradict) => Err("counters_contradict"),
                    Err(Dead::Expired) => Err("expired"),
                    _ if expires_at.is_some_and(|at| at <= NOW) => Err("expired"),
                    Err(Dead::Exhausted) => Err("exhausted"),
                    _ if p.is_some_and(|p| p <= 0) => Err("exhausted"),
                    _ if !open => Err("inactive"),
                    Err(dead) => Err(dead.rule()),
                    Ok(c) => Ok(match (c.kept(), p) {
                        (Some(c), Some(p)) => Some(c.min(p)),
                        (c, p) => c.or(p),
                    }),
                };
                let got = code(case, of, NOW).map(Left::kept).map_err(Dead::rule);
                assert_eq!(got, want, "{case:?} of {of:?}");
            }
        }
    }
}

#[test]
fn the_working_shows_every_number() {
    let counter = |limit, used| Counter { limit, used };
    assert_eq!(
        counted("coupon", counter(Some(10), 7)),
        "coupon: 10 allowed - 7 used = 3 left"
    );
    assert_eq!(
        counted("code", counter(Some(5), 6)),
        "code: 5 allowed - 6 used = -1 left"
    );
    assert_eq!(counted("code", counter(None, 3)), "code: no limit, 3 used");
    assert_eq!(
        through(Left::Uses(1), Left::Uses(3)),
        "through this code: min(1, 3) = 1"
    );
    assert_eq!(
        through(Left::NoLimit, Left::Uses(3)),
        "through this code: min(no limit, 3) = 3"
    );
    assert_eq!(
        through(Left::NoLimit, Left::NoLimit),
        "through this code: no limit"
    );
}

proptest! {
    #[test]
    fn no_numbers_overflow(limit in proptest::option::of(any::<i64>()), used in any::<i64>(), other in any::<u64>()) {
        let counter = Counter { limit, used };
        let left = Left::of(counter);
        prop_assert_eq!(left == Left::NoLimit, limit.is_none());
        if let (Some(limit), Left::Uses(n)) = (limit, left) {
            let exact = i128::from(limit) - i128::from(used);
            prop_assert_eq!(i128::from(n), exact.clamp(0, i128::from(i64::MAX)));
        }
        let (less, more) = (left.less(Left::Uses(other)), left.and(Left::Uses(other)));
        prop_assert!(less <= left && left <= more);
        prop_assert_eq!(left.less(Left::NoLimit) == Left::NONE, limit.is_some());
        let case = CouponCase { counter, through_codes: other.into(), negative: false, redeem_by: None, valid: true };
        let _ = (coupon(case, left, NOW), counted("coupon", counter));
        let cap = (Solver::default().cap)(left, Left::Uses(other), 3);
        prop_assert!(cap == Left::NoLimit || (cap <= left && cap <= Left::Uses(other)));
    }
}
