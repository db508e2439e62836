use super::super::model_tests::{Case, Kind, accounts};
use super::*;

fn with_twin(kind: Kind, schedule: Option<&str>, subscription: Option<&str>) -> Change {
    let mut change = Case::new(kind).change;
    let mut row: Row = serde_json::from_str(&change.payload).unwrap();
    row.twin = Some((schedule.map(str::to_owned), subscription.map(str::to_owned)));
    change.payload = serde_json::to_string(&row).unwrap();
    change
}

#[test]
fn an_old_subscription_is_mapped_to_what_goes_on_for_it() {
    let said = |change: &Change, made| ids(change, made).map(|mapped| (mapped.kind, mapped.old, mapped.new));
    let mapped = |kind: &str, new: &str| Some((kind.to_owned(), "sub_1".to_owned(), new.to_owned()));
    let create = Case::new(Kind::CreateAndEnd).change;
    assert_eq!(said(&create, None), None);
    assert_eq!(
        said(&create, Some("sub_sched_1")),
        mapped("subscription_schedule", "sub_sched_1")
    );
    let stop = with_twin(Kind::End, Some("sub_sched_2"), None);
    assert_eq!(
        said(&stop, Some("sub_1")),
        mapped("subscription_schedule", "sub_sched_2")
    );
    let begun = with_twin(Kind::Cancel, Some("sub_sched_2"), Some("sub_9"));
    assert_eq!(said(&begun, Some("sub_1")), mapped("subscription", "sub_9"));
    let mut left = begun;
    left.verdict = Verdict::LeftOut;
    assert_eq!(said(&left, None), None);
}

#[test]
fn a_plan_fits_the_settings_whenever_it_was_made() {
    let settings = Settings::default();
    let wanted = Subscriptions.header(&accounts(), &settings).unwrap();
    let mut plan = wanted.clone();
    plan.policy.insert(EARLIEST_START.to_owned(), "5".to_owned());
    assert!(Subscriptions.fits(&plan, &wanted));
    plan.policy.insert("route".to_owned(), "other".to_owned());
    assert!(!Subscriptions.fits(&plan, &wanted));
}
