use proptest::prelude::*;

use super::super::model_tests::{accounts, phase, row};
use super::super::model_world_tests::{P0, PERIOD, World};
use super::*;
use crate::domain::write::place_of;
use crate::stripe::allow::{check, check_form};
use crate::stripe::form::Form;

fn extra() -> Extra {
    Extra {
        metadata: BTreeMap::from([("plan".to_owned(), "gold".to_owned())]),
        started: 40,
        flexible: false,
        description: Some("Gold".to_owned()),
        item_metadata: vec![BTreeMap::from([("seat".to_owned(), "a".to_owned())])],
    }
}

fn rich() -> Row {
    let mut row = row(&World::new(), P0);
    let phase = &mut row.phases[0];
    phase.items[0].coupons = vec!["c1".into()];
    phase.items[0].tax_rates = vec!["txr_1".into(), "txr_2".into()];
    phase.coupons = vec!["c2".into(), "c3".into()];
    phase.tax_rates = vec!["txr_3".into()];
    phase.collection = Some(Collection::Invoice(30));
    phase.method = Some("pm_1".into());
    row
}

fn lines(write: &PlannedWrite) -> Vec<String> {
    let pairs = write.form.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect()
}

/// Whether the allow-list lets it out.
fn is_allowed(write: &PlannedWrite) -> Result<(), String> {
    let form = write.form.iter();
    let form = form.fold(Form::new(), |form, (name, value)| form.with(name, value));
    let form = if write.marked {
        form.metadata(marker::EFFECT, &write.effect)
            .metadata(marker::RUN, "r")
    } else {
        form
    };
    let endpoint = check(write.role, write.method.into(), &write.path).map_err(|e| e.to_string())?;
    check_form(write.role, endpoint, &form.encode()).map_err(|e| format!("{} {e}", write.op))
}

#[test]
fn a_schedule_is_created_with_everything_the_old_one_has() {
    let accounts = accounts();
    let create = Effects { accounts: &accounts }.create(&rich(), &extra());
    let effect = create.effect.to_string();
    assert_eq!(
        lines(&create),
        [
            "customer=cus_1".to_owned(),
            format!("start_date={P0}"),
            "end_behavior=release".into(),
            "billing_mode[type]=classic".into(),
            "phases[0][items][0][price]=price_new".into(),
            "phases[0][items][0][quantity]=2".into(),
            "phases[0][items][0][discounts][0][coupon]=c1".into(),
            "phases[0][items][0][tax_rates][0]=txr_1".into(),
            "phases[0][items][0][tax_rates][1]=txr_2".into(),
            "phases[0][items][0][metadata][seat]=a".into(),
            "phases[0][discounts][0][coupon]=c2".into(),
            "phases[0][discounts][1][coupon]=c3".into(),
            "phases[0][default_tax_rates][0]=txr_3".into(),
            "phases[0][automatic_tax][enabled]=false".into(),
            "phases[0][collection_method]=send_invoice".into(),
            "phases[0][invoice_settings][days_until_due]=30".into(),
            "phases[0][default_payment_method]=pm_1".into(),
            "phases[0][currency]=usd".into(),
            "phases[0][proration_behavior]=none".into(),
            "phases[0][description]=Gold".into(),
            "phases[0][metadata][old_Stripe_sub_id]=sub_1".into(),
            "phases[0][metadata][source]=internal:Stripe".into(),
            "phases[0][metadata][original_start_date]=40".into(),
            "phases[0][metadata][plan]=gold".into(),
            format!("phases[0][metadata][cutover_effect]={effect}"),
            "metadata[old_Stripe_sub_id]=sub_1".into(),
            "metadata[source]=internal:Stripe".into(),
            "metadata[original_start_date]=40".into(),
            "metadata[plan]=gold".into(),
            "metadata[cutover_of]=sub_1".into(),
        ]
    );
}

#[test]
fn a_last_phase_has_an_end_only_where_the_subscription_ends_with_it() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let mut row = row(&World::new(), P0);
    row.phases = vec![phase(P0), phase(P0 + PERIOD)];
    row.phases[0].end = Some(P0 + PERIOD);
    row.phases[1].end = Some(P0 + 2 * PERIOD);
    let ends = |row: &Row| {
        let all = lines(&effects.create(row, &Extra::default()));
        all.into_iter()
            .filter(|line| line.contains("end_"))
            .collect::<Vec<_>>()
    };
    let first = format!("phases[0][end_date]={}", P0 + PERIOD);
    assert_eq!(ends(&row), ["end_behavior=release".to_owned(), first.clone()]);
    row.ends = true;
    let last = format!("phases[1][end_date]={}", P0 + 2 * PERIOD);
    assert_eq!(ends(&row), ["end_behavior=cancel".to_owned(), first, last]);
}

#[test]
fn what_can_happen_again_for_a_subscription_has_another_identity() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let (one, mut other) = (rich(), rich());
    other.phases[0].items[0].quantity = Some(3);
    let change = |row: &Row| effects.change(row, "sub_sched_1", &extra()).effect;
    assert_ne!(change(&one), change(&other), "another content");
    assert_eq!(change(&one), change(&rich()), "the same in every run");
    let mut later = rich();
    later.handover = Some(P0 + PERIOD);
    let stop = |row: &Row| effects.end_old(row, "sub_sched_1").effect;
    assert_ne!(stop(&one), stop(&later), "another handover");
    assert_ne!(
        effects.withdraw(&one, "a").effect,
        effects.withdraw(&one, "b").effect
    );
    assert_ne!(
        effects.release_old(&one, "a").effect,
        effects.release_old(&one, "b").effect
    );
}

#[test]
fn the_owners_metadata_goes_along_and_ours_of_an_earlier_move_does_not() {
    let kept = own(&BTreeMap::from([
        ("plan".to_owned(), "gold".to_owned()),
        (OLD_ID.to_owned(), "sub_0".to_owned()),
        (SOURCE.to_owned(), "external".to_owned()),
        ("cutover_handover".to_owned(), "5".to_owned()),
    ]));
    assert_eq!(kept, BTreeMap::from([("plan".to_owned(), "gold".to_owned())]));
}

#[test]
fn a_stop_says_what_goes_on_and_from_when_and_a_cancellation_neither_bills_nor_credits() {
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let row = rich();
    let place = place_of(&row.old);
    let marks = [
        format!("metadata[cutover_became]={place}"),
        format!("metadata[cutover_handover]={P0}"),
    ];
    let [became, handover] = marks;
    assert_eq!(
        lines(&effects.end_old(&row, &place)),
        [
            "cancel_at_period_end=true".to_owned(),
            became.clone(),
            handover.clone()
        ]
    );
    assert_eq!(
        lines(&effects.pause_old(&row, &place)),
        [
            "pause_collection[behavior]=keep_as_draft".to_owned(),
            became,
            handover
        ]
    );
    for write in [effects.cancel_old(&row), effects.withdraw(&row, "sub_sched_1")] {
        assert_eq!(lines(&write), ["invoice_now=false", "prorate=false"]);
        assert!(write.irreversible);
    }
}

proptest! {
    #[test]
    fn every_write_of_the_stage_is_on_the_allow_list(
        phases in 1_usize..4, items in 1_usize..4, coupons in 0_usize..3, rates in 0_usize..3,
        ends in any::<bool>(), flexible in any::<bool>(), days in proptest::option::of(1_u32..90),
        key in "[a-zA-Z0-9 _.:-]{1,40}", text in ".{0,30}",
    ) {
        let accounts = accounts();
        let effects = Effects { accounts: &accounts };
        let mut row = row(&World::new(), P0);
        let one = |at: usize| {
            let mut phase = phase(P0 + i64::try_from(at).unwrap() * PERIOD);
            phase.end = Some(phase.start + PERIOD);
            phase.items = vec![phase.items[0].clone(); items];
            phase.items[0].coupons = vec!["a/b c".into(); coupons];
            phase.items[0].tax_rates = vec!["txr".into(); rates];
            phase.coupons = vec!["c".into(); coupons];
            phase.tax_rates = vec!["txr".into(); rates];
            phase.collection = Some(days.map_or(Collection::Automatic, Collection::Invoice));
            phase
        };
        row.phases = (0..phases).map(one).collect();
        row.ends = ends;
        let extra = Extra {
            metadata: BTreeMap::from([(key, text.clone())]),
            started: 1,
            flexible,
            description: Some(text),
            item_metadata: vec![BTreeMap::new(); items],
        };
        for write in [
            effects.create(&row, &extra),
            effects.change(&row, "sub_sched_1", &extra),
            effects.withdraw(&row, "sub_sched_1"),
            effects.release_old(&row, "sub_sched_0"),
            effects.end_old(&row, "sub_sched_1"),
            effects.pause_old(&row, "sub_sched_1"),
            effects.cancel_old(&row),
        ] {
            prop_assert_eq!(is_allowed(&write), Ok(()));
        }
    }
}
