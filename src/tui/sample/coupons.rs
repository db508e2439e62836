//! A night that has come to coupons: a limit that several codes share, a code without anything left, a discount that is
//! running, and one row that the operator decided otherwise than the program planned.

use std::sync::Arc;

use crate::domain::change::{Change, ChangeKey, Choice, Decision, Evidence, Field, Number, Risk, Verdict};
use crate::domain::ids::{EffectId, Environment, Role, StageId};
use crate::domain::plan::Plan;
use crate::domain::record::RowEnd;
use crate::domain::text::safe;
use crate::domain::write::{Method, PlannedWrite, When, number};
use crate::engine::state::{Phase, RunState, StageState};
use crate::tui::sample::{NOW, accounts, plan_of, waiting_as};

const LEADER: &str = "coupon/VIP";

/// Three stages are done, coupons are in review: some rows wait, one was decided against the plan.
#[must_use]
pub fn coupons() -> RunState {
    let mut state = waiting_as(Environment::Rehearsal);
    let before = [
        (StageId::Catalogue, 43),
        (StageId::Mapping, 3_797),
        (StageId::Credits, 58),
    ];
    state.stages = before
        .into_iter()
        .map(|(id, done)| {
            let mut stage = StageState::new(id);
            stage.phase = Phase::Done;
            stage.tally.rows.insert(RowEnd::Done, done);
            stage.audited = Some((done, NOW.plus_ms(-600_000)));
            stage
        })
        .collect();
    let mut stage = StageState::new(StageId::Coupons);
    stage.phase = Phase::Review;
    stage.plan = plan_of(StageId::Coupons, Environment::Rehearsal, rows())
        .and_then(|plan| overridden(&plan).ok())
        .map(Arc::new);
    state.stages.push(stage);
    state
}

fn overridden(plan: &Plan) -> Result<Plan, crate::domain::plan::PlanError> {
    plan.decide(
        &ChangeKey("code/GIFT-7".into()),
        Decision {
            choice: "fewer".into(),
            by: "ops1".into(),
            note: "two were redeemed by phone, ticket 5120".into(),
            number: Some(1),
        },
    )
}

fn rows() -> Vec<Change> {
    vec![vip(), anna(), open(), used_up(), gift(), running()]
}

fn base(key: &str, subject: &str, item: &str) -> Change {
    Change {
        key: ChangeKey(key.into()),
        subject: subject.into(),
        label: safe(""),
        item: item.into(),
        planned_as: Verdict::Planned,
        verdict: Verdict::Planned,
        money: None,
        rule: "moves_whole".into(),
        why: String::new(),
        effect: String::new(),
        risk: Risk::Low,
        fields: Vec::new(),
        working: Vec::new(),
        writes: Vec::new(),
        choices: Vec::new(),
        decision: None,
        with: None,
        filled: Vec::new(),
        payload: String::new(),
        update: None,
        evidence: vec![Evidence {
            role: Some(Role::Source),
            asked: "GET /v1/promotion_codes?limit=100&expand[]=data.promotion.coupon".into(),
            said: "coupon VIP: 10 allowed, 7 used; 2 active codes".into(),
            request_id: "req_9XcSample04".into(),
            at: NOW.plus_ms(-95_000),
        }],
    }
}

fn shared(mut change: Change) -> Change {
    change.planned_as = Verdict::Blocked;
    change.verdict = Verdict::Blocked;
    change.rule = "shared_with_who_stays".into();
    change.risk = Risk::High;
    change.effect = "Nothing is written before you decide how many uses go where.".into();
    change
}

fn write(op: &str, role: Role, key: &str, path: &str, form: &[(&str, &str)]) -> PlannedWrite {
    PlannedWrite {
        op: op.into(),
        role,
        effect: EffectId::new(&accounts(Environment::Rehearsal), StageId::Coupons, op, key, 0),
        method: Method::Post,
        path: path.into(),
        form: form
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        money: None,
        when: When::Always,
        irreversible: false,
        marked: role == Role::Destination,
    }
}

fn choice(name: &str, means: &str, writes: Vec<PlannedWrite>) -> Choice {
    Choice {
        name: name.into(),
        means: means.into(),
        writes,
        sign_off: false,
        number: None,
    }
}

fn split(asks: &str, most: u64, usual: u64, writes: Vec<PlannedWrite>) -> Choice {
    Choice {
        sign_off: true,
        number: Some(Number {
            asks: asks.into(),
            least: 1,
            most,
            usual,
        }),
        ..choice(
            "split",
            "Some of what is left goes to the new account, the rest stays.",
            writes,
        )
    }
}

fn working(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn field(name: &str, before: &str, after: &str) -> Field {
    Field {
        name: name.into(),
        before: before.into(),
        after: after.into(),
        equal: before == after,
    }
}

/// The coupon: of ten uses seven are gone, and people who stay hold a code of it too.
fn vip() -> Change {
    let mut change = shared(base(LEADER, "VIP", "coupon VIP"));
    change.why = "People who move and people who stay can use what is left of this coupon.".into();
    change.working = working(&[
        "coupon VIP: 10 allowed - 7 used = 3 left, over all its codes together",
        "code VIP-ANNA: 5 allowed - 4 used = 1 left, of the coupon's 3: 1",
        "code VIP: no limit of its own, of the coupon's 3: 3",
        "both accounts together may never allow more than 3",
    ]);
    change.fields = vec![
        field("id", "VIP", "VIP"),
        field("percent_off", "20", "20"),
        field("duration", "once", "once"),
        field("max_redemptions", "10", "1 to 2, by your choice"),
    ];
    let coupon = |cap: &str| {
        let form = [
            ("id", "VIP"),
            ("percent_off", "20"),
            ("duration", "once"),
            ("max_redemptions", cap),
        ];
        write("create_coupon", Role::Destination, LEADER, "/v1/coupons", &form)
    };
    let rest = number::rest_of(3);
    let smaller = [
        ("percent_off", "20"),
        ("duration", "once"),
        ("max_redemptions", rest.as_str()),
    ];
    let stays = write("recreate_smaller", Role::Source, LEADER, "/v1/coupons", &smaller);
    change.choices = vec![
        choice(
            "move",
            "All that is left goes to the new account.",
            vec![coupon("3")],
        ),
        choice("stay", "All that is left stays on the old account.", Vec::new()),
        split(
            "uses on the new account",
            2,
            2,
            vec![coupon(number::GIVEN), stays],
        ),
    ];
    change
}

fn code_writes(key: &str, promo: &str, (coupon, code): (&str, &str), cap: Option<&str>) -> Vec<PlannedWrite> {
    let path = format!("/v1/promotion_codes/{promo}");
    let mut form = vec![
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", coupon),
        ("code", code),
    ];
    form.extend(cap.map(|cap| ("max_redemptions", cap)));
    vec![
        write("close_code", Role::Source, key, &path, &[("active", "false")]),
        write(
            "create_code",
            Role::Destination,
            key,
            "/v1/promotion_codes",
            &form,
        ),
    ]
}

fn of_vip(key: &str, code: &str, promo: &str, cap: (Option<&str>, Option<&str>)) -> Change {
    let mut change = shared(base(key, "VIP", &format!("code {code}")));
    change.with = Some(ChangeKey(LEADER.into()));
    let writes = |cap| code_writes(key, promo, ("VIP", code), cap);
    change.choices = vec![
        choice("move", "The code goes with its coupon.", writes(cap.0)),
        choice("stay", "The code stays with its coupon.", Vec::new()),
        split("uses on the new account", 2, 2, writes(cap.1)),
    ];
    change
}

fn anna() -> Change {
    let cap = number::up_to(1);
    let mut change = of_vip(
        "code/VIP-ANNA",
        "VIP-ANNA",
        "promo_SampleAnna01",
        (Some("1"), Some(&cap)),
    );
    change.why = "The code is for one customer who moves; its coupon is shared with people who stay.".into();
    change.working = working(&[
        "code VIP-ANNA: 5 allowed - 4 used = 1 left",
        "coupon VIP: 10 allowed - 7 used = 3 left",
        "the smaller of both: 1",
    ]);
    change
}

fn open() -> Change {
    let mut change = of_vip("code/VIP", "VIP", "promo_SampleOpen01", (None, None));
    change.why = "The code is open to everybody, people who stay included.".into();
    change.working = working(&[
        "code VIP: no limit of its own, 3 used",
        "coupon VIP: 10 allowed - 7 used = 3 left, which is what limits it",
    ]);
    change
}

fn used_up() -> Change {
    let mut change = base("code/SUMMER", "SUMMER", "code SUMMER");
    change.planned_as = Verdict::Noop;
    change.verdict = Verdict::Noop;
    change.rule = "exhausted".into();
    change.why = "Nothing is left of it; a limit of 0 cannot be created.".into();
    change.effect = "Not created on the new account.".into();
    change.working = working(&["code SUMMER: 25 allowed - 25 used = 0 left"]);
    change
}

/// Planned with three uses; the operator knew better.
fn gift() -> Change {
    let mut change = base("code/GIFT-7", "GIFT-7", "code GIFT-7");
    change.why = "One customer who moves can use it, and nobody else.".into();
    change.effect = "It is closed on the old account, and created with what is left.".into();
    change.risk = Risk::Medium;
    change.working = working(&[
        "code GIFT-7: 5 allowed - 2 used = 3 left",
        "coupon GIFT: no limit",
    ]);
    change.fields = vec![
        field("code", "GIFT-7", "GIFT-7"),
        field("max_redemptions", "5", "3"),
    ];
    let writes = |cap: &str| code_writes("code/GIFT-7", "promo_SampleGift07", ("GIFT", "GIFT-7"), Some(cap));
    change.writes = writes("3");
    change.choices = vec![Choice {
        name: "fewer".into(),
        means: "It is created with fewer uses than are left, for a reason you give.".into(),
        writes: writes(number::GIVEN),
        sign_off: true,
        number: Some(Number {
            asks: "uses on the new account".into(),
            least: 1,
            most: 3,
            usual: 3,
        }),
    }];
    change
}

fn running() -> Change {
    let mut change = base(
        "discount/sub_Sample0042",
        "cus_Sample00000042",
        "discount WELCOME",
    );
    change.label = safe("Nora Berg");
    change.rule = "running_repeating".into();
    change.why = "A repeating discount is running; what is left of it goes with the subscription.".into();
    change.effect =
        "A coupon of 4 months is made for this discount alone, so that no use of WELCOME is spent.".into();
    change.working = working(&[
        "began 2025-10-31, 6 months: ends 2026-04-30",
        "first bill on the new account 2026-01-31: 4 bills left (Jan 31, Feb 28, Mar 31, Apr 30)",
        "2 discounted bills on the old account + 4 on the new one = 6",
    ]);
    let form = [
        ("id", "WELCOME-4m"),
        ("percent_off", "25"),
        ("duration", "repeating"),
        ("duration_in_months", "4"),
    ];
    let key = "discount/sub_Sample0042";
    change.writes = vec![write(
        "create_coupon",
        Role::Destination,
        key,
        "/v1/coupons",
        &form,
    )];
    change
}
