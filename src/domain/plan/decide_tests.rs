use super::*;
use crate::domain::change::{Number, Risk};
use crate::domain::ids::{EffectId, Role};
use crate::domain::text::safe;
use crate::domain::write::{Method, When};

fn write(value: &str) -> PlannedWrite {
    PlannedWrite {
        op: "create".into(),
        role: Role::Destination,
        effect: EffectId("e".repeat(26)),
        method: Method::Post,
        path: "/v1/coupons".into(),
        form: vec![
            ("max_redemptions".into(), value.into()),
            ("name".into(), "VIP".into()),
        ],
        money: None,
        when: When::Always,
        irreversible: false,
        marked: true,
    }
}

fn choice(name: &str, writes: Vec<PlannedWrite>, number: Option<(u64, u64)>) -> Choice {
    Choice {
        name: name.into(),
        means: "means".into(),
        writes,
        sign_off: false,
        number: number.map(|(least, most)| Number {
            asks: "uses".into(),
            least,
            most,
            usual: least,
        }),
    }
}

fn blocked(key: &str, with: Option<&str>, choices: Vec<Choice>) -> Arc<Change> {
    Arc::new(Change {
        key: ChangeKey(key.into()),
        subject: "VIP".into(),
        label: safe(""),
        item: "coupon".into(),
        planned_as: Verdict::Blocked,
        verdict: Verdict::Blocked,
        money: None,
        rule: "shared".into(),
        why: "why".into(),
        effect: "effect".into(),
        risk: Risk::Medium,
        fields: vec![],
        working: vec![],
        writes: vec![],
        choices,
        decision: None,
        with: with.map(|key| ChangeKey(key.into())),
        filled: vec![],
        payload: "{}".into(),
        update: None,
        evidence: vec![],
    })
}

fn decision(choice: &str, number: Option<u64>) -> Decision {
    Decision {
        choice: choice.into(),
        by: "ada".into(),
        note: "by phone".into(),
        number,
    }
}

/// A coupon, the two codes decided with it, of which one cannot be split, and one code of its own.
fn pool() -> Vec<Arc<Change>> {
    let split = |value: &str| choice("split", vec![write(value)], Some((1, 5)));
    vec![
        blocked(
            "code/a",
            Some("coupon/VIP"),
            vec![split(&number::up_to(3)), choice("move", vec![write("3")], None)],
        ),
        blocked(
            "code/b",
            Some("coupon/VIP"),
            vec![choice("move", vec![write("2")], None)],
        ),
        blocked("code/c", None, vec![split(number::GIVEN)]),
        blocked(
            "coupon/VIP",
            None,
            vec![split(&number::rest_of(6)), choice("move", vec![write("6")], None)],
        ),
    ]
}

fn caps(change: &Change) -> Vec<&str> {
    let forms = change.writes_now().iter().flat_map(|write| &write.form);
    forms
        .filter(|(name, _)| name == "max_redemptions")
        .map(|(_, value)| value.as_str())
        .collect()
}

#[test]
fn a_number_stands_in_every_place_of_the_choice_and_nowhere_else() {
    let rows = pool();
    let code = row(&rows[0], decision("split", Some(4))).unwrap();
    assert_eq!(caps(&code), ["3"]);
    let coupon = row(&rows[3], decision("split", Some(4))).unwrap();
    assert_eq!(caps(&coupon), ["2"]);
    assert_eq!(coupon.verdict, Verdict::Planned);
    assert_ne!(
        coupon.digest(),
        row(&rows[3], decision("split", Some(3))).unwrap().digest()
    );
    // Deciding otherwise leaves nothing of the number behind.
    let moved = row(&coupon, decision("move", None)).unwrap();
    assert_eq!(caps(&moved), ["6"]);
    let back = row(&coupon, decision(AS_PLANNED, None)).unwrap();
    assert_eq!(
        (back.verdict, back.digest()),
        (Verdict::Blocked, rows[3].digest())
    );
}

#[test]
fn a_number_out_of_its_bounds_missing_or_not_asked_for_is_refused() {
    let rows = pool();
    for given in [None, Some(0), Some(6)] {
        let said = row(&rows[3], decision("split", given)).unwrap_err().to_string();
        assert_eq!(
            said,
            "`split` for row coupon/VIP needs a number from 1 to 5: uses"
        );
    }
    let said = row(&rows[3], decision("move", Some(1))).unwrap_err().to_string();
    assert_eq!(said, "`move` for row coupon/VIP takes no number; leave it empty");
}

#[test]
fn a_place_that_cannot_be_filled_is_refused_and_never_sent() {
    let split = choice("split", vec![write(&number::rest_of(3))], Some((1, 5)));
    let change = blocked("coupon/VIP", None, vec![split]);
    assert_eq!(caps(&row(&change, decision("split", Some(3))).unwrap()), ["0"]);
    assert!(row(&change, decision("split", Some(4))).is_err());
}

#[test]
fn a_row_that_was_left_out_alone_stays_out_when_the_others_are_decided() {
    let mut rows = pool();
    let out = |change: &Change| Arc::new(row(change, decision(LEAVE_OUT, None)).unwrap());
    rows[0] = out(&rows[0]);
    let with = |rows: &[Arc<Change>], name: &str| decided_with(rows, &groups(rows), 3, &decision(name, None));
    assert_eq!(with(&rows, "move"), [1]);
    assert_eq!(with(&rows, AS_PLANNED), [0, 1]);
    // Left out together, they come back together.
    rows[3] = out(&rows[3]);
    assert_eq!(with(&rows, "move"), [0, 1]);
}

#[test]
fn rows_that_share_are_decided_where_they_share_and_may_be_left_out_alone() {
    let rows = pool();
    let with = |at: usize, name: &str| decided_with(&rows, &groups(&rows), at, &decision(name, None));
    assert_eq!(with(3, "move"), [0, 1]);
    assert_eq!(with(3, "split"), [0], "the other code cannot be split");
    assert_eq!(with(3, LEAVE_OUT), [0, 1]);
    assert!(with(2, "split").is_empty());
    let own = |at: usize, name: &str| of_its_own(&rows, at, &decision(name, None)).map_err(|e| e.to_string());
    assert_eq!(own(0, LEAVE_OUT), Ok(()));
    assert_eq!(own(2, "split"), Ok(()));
    assert_eq!(
        own(0, "move"),
        Err("`move` is decided at row coupon/VIP, for code/a too".to_owned())
    );
}
