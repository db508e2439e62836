use super::*;

const SMALL: [Left; 5] = [
    Left::Uses(0),
    Left::Uses(1),
    Left::Uses(2),
    Left::Uses(4),
    Left::NoLimit,
];

/// Whatever is decided, what can be redeemed on both accounts together is what was left (reliability I22).
#[test]
fn no_decision_gives_more_than_was_left() {
    for c in SMALL.into_iter().filter(|c| *c != Left::NoLimit) {
        for (kept_own, open_own) in SMALL.into_iter().flat_map(|kept| SMALL.map(|open| (kept, open))) {
            let live = Live {
                movers: 1,
                open: 1,
                kept: 1,
                open_own,
                kept_own,
            };
            let shares = Shares::of(c, &live, Solver::default());
            // The old side gives at most its coupon's rest, and at most what its live codes have.
            let moved = kept_own.min(c).and(shares.free);
            let left_there = kept_own.and(open_own).min(c).and(shares.free_if_open_stay);
            assert_eq!((moved, left_there), (c, c), "{live:?}");
            for n in 1..open_own.min(shares.free).uses().unwrap_or(0) {
                let whole = open_own.min(shares.free);
                let rest = whole.less(Left::Uses(n));
                let old = kept_own.and(rest).min(c);
                assert!(old.and(shares.free.less(rest)) <= c, "{live:?} {n}");
                assert_eq!(rest.and(Left::Uses(n)), whole);
            }
        }
    }
}

#[test]
fn a_pool_is_what_its_live_codes_are() {
    let live = |movers, open, kept| Live {
        movers,
        open,
        kept,
        ..Live::default()
    };
    for limit in [Left::NoLimit, Left::Uses(3)] {
        assert_eq!(live(0, 0, 0).kind(limit), Kind::NoLive);
        assert_eq!(live(0, 0, 2).kind(limit), Kind::Outside);
        assert_eq!(live(2, 0, 0).kind(limit), Kind::MoversOnly);
        assert_eq!(live(0, 1, 0).kind(limit), Kind::Together);
        assert_eq!(live(0, 1, 1).kind(limit), Kind::Together);
    }
    for others in [live(1, 1, 0), live(1, 0, 1), live(1, 1, 1)] {
        assert_eq!(others.kind(Left::NoLimit), Kind::Each);
        assert_eq!(others.kind(Left::Uses(3)), Kind::Together);
    }
}

#[test]
fn a_customer_nobody_knows_stays() {
    let people = BTreeMap::from([("cus_1".to_owned(), Person::Deleted)]);
    assert_eq!(of(None, &people), Who::Open);
    assert_eq!(of(Some("cus_1"), &people), Who::Deleted);
    assert_eq!(of(Some("cus_2"), &people), Who::Stayer);
}
